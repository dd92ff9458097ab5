//! A machine: a host with its memory, and the kubelet that runs pods on it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use model::Timestamp;
use serde_json::{Value, json};

use super::host::{Crisis, Host, Place, Process};
use super::kubelet::{PodRun, Stage, State};
use super::status;
use crate::cluster::{Actor, Context};
use crate::field;
use crate::kernel::{SECOND, plus};
use crate::kinds::POD;
use crate::registry::{DeleteOptions, Note, Part, Source};
use crate::scenario::{NodeSpec, host_address};
use crate::store::{Change, Object};

/// Bytes a second that a node pulls images with.
const PULL_BYTES_PER_SECOND: i64 = 60 << 20;

/// One node of the cluster.
#[derive(Debug)]
pub(crate) struct Machine {
    /// Name of the actor.
    actor: String,
    node: String,
    index: usize,
    memory_bytes: i64,
    host: Host,
    /// By uid.
    pods: BTreeMap<String, PodRun>,
    images: BTreeSet<String>,
    next_address: i64,
    next_pid: i64,
}

impl Machine {
    pub fn new(index: usize, spec: &NodeSpec) -> Self {
        Self {
            actor: format!("kubelet-{}", spec.name),
            node: spec.name.clone(),
            index,
            memory_bytes: spec.memory_bytes,
            host: Host::new(spec.memory_bytes, spec.reserved_bytes, spec.daemons_bytes),
            pods: BTreeMap::new(),
            images: BTreeSet::new(),
            next_address: 2,
            next_pid: 1200,
        }
    }

    fn tell(&self, context: &mut Context<'_>, object: &Value, note: &Note<'_>) {
        let source = Source { component: "kubelet", host: &self.node };
        context.registry.tell(source, object, note);
    }

    /// A pod of this node changed.
    fn hear(&mut self, context: &mut Context<'_>, change: &Change) {
        let Some(pod) = &change.after else {
            let gone = change.before.as_ref().map(|pod| field::uid(pod).to_owned());
            self.forget(&gone.unwrap_or_default());
            return;
        };
        let uid = field::uid(pod);
        if let Some(run) = self.pods.get_mut(uid) {
            run.pod = Arc::clone(pod);
        } else {
            let behaviour = context.behaviours.of_pod(context.registry, pod);
            let mut run = PodRun::new(pod, behaviour, self.address(pod));
            run.due = Some(context.soon(50_000, 300_000));
            self.pods.insert(uid.to_owned(), run);
        }
        let Some(run) = self.pods.get_mut(uid) else { return };
        if !field::is_deleting(pod) || run.stage == Stage::Stopping {
            return;
        }
        run.stage = Stage::Stopping;
        let grace = field::number(pod, "/metadata/deletionGracePeriodSeconds");
        let stop = run.behaviour.stop_seconds.min(grace).saturating_mul(SECOND);
        run.due = Some(plus(context.now(), stop + context.dice.between(100_000, 900_000)));
        let (pod, names) = (Arc::clone(pod), names(run));
        for name in names {
            let part = format!("spec.containers{{{name}}}");
            let note = Note::normal("Killing", format!("Stopping container {name}")).about(part);
            self.tell(context, &pod, &note);
        }
    }

    fn address(&mut self, pod: &Value) -> String {
        if field::flag(pod, "/spec/hostNetwork") {
            return host_address(self.index);
        }
        self.next_address += 1;
        format!("10.244.{}.{}", self.index % 256, 2 + self.next_address % 250)
    }

    fn forget(&mut self, uid: &str) {
        self.pods.remove(uid);
        self.host.processes.retain(|place, _| place.0 != uid);
    }

    /// Moves one pod on by one step, if one is due.
    fn advance(&mut self, context: &mut Context<'_>, uid: &str) {
        let now = context.now();
        let Some(run) = self.pods.get_mut(uid) else { return };
        let stage_due = run.due.is_some_and(|due| due <= now);
        match run.stage {
            Stage::New if stage_due => {
                run.started_at = Some(now);
                run.stage = Stage::Pulling;
                let (pod, images) = (Arc::clone(&run.pod), images(run));
                let missing: Vec<_> =
                    images.into_iter().filter(|(_, i)| !self.images.contains(i)).collect();
                let bytes = run.behaviour.image_bytes;
                let each = bytes.saturating_mul(SECOND) / PULL_BYTES_PER_SECOND;
                let pull = each * i64::try_from(missing.len()).unwrap_or(1);
                run.due = Some(plus(now, pull + context.dice.between(400_000, 1_500_000)));
                for (name, image) in missing {
                    let note = Note::normal("Pulling", format!("Pulling image \"{image}\""));
                    self.tell(context, &pod, &note.about(format!("spec.containers{{{name}}}")));
                }
                self.post(context, uid);
            }
            Stage::Pulling if stage_due => {
                run.stage = Stage::Running;
                run.due = None;
                self.pulled(context, uid);
                let places = self.pods.get(uid).map(names).unwrap_or_default();
                for name in places {
                    self.start(context, uid, &name);
                }
                self.post(context, uid);
            }
            Stage::Running => self.keep_running(context, uid),
            Stage::Stopping if stage_due => {
                let (namespace, name) =
                    (field::namespace(&run.pod).to_owned(), field::name(&run.pod).to_owned());
                let options = DeleteOptions {
                    grace_seconds: Some(0),
                    uid: Some(uid.to_owned()),
                    ..DeleteOptions::default()
                };
                self.forget(uid);
                // Somebody else may have removed it already.
                drop(context.registry.delete(&POD, &namespace, &name, &options));
            }
            _ => {}
        }
    }

    /// Tells of images that arrived or were there.
    fn pulled(&mut self, context: &mut Context<'_>, uid: &str) {
        let Some(run) = self.pods.get(uid) else { return };
        let (pod, bytes) = (Arc::clone(&run.pod), run.behaviour.image_bytes);
        for (name, image) in images(run) {
            let text = if self.images.insert(image.clone()) {
                let seconds = bytes as f64 / PULL_BYTES_PER_SECOND as f64;
                format!(
                    "Successfully pulled image \"{image}\" in {seconds:.3}s ({seconds:.3}s \
                     including waiting). Image size: {bytes} bytes."
                )
            } else {
                format!(
                    "Container image \"{image}\" already present on machine and can be accessed \
                     by the pod"
                )
            };
            let part = format!("spec.containers{{{name}}}");
            self.tell(context, &pod, &Note::normal("Pulled", text).about(part));
        }
    }

    /// Starts a container and its process.
    fn start(&mut self, context: &mut Context<'_>, uid: &str, name: &str) {
        let now = context.now();
        self.next_pid += context.dice.between(3, 400);
        let Some(run) = self.pods.get_mut(uid) else { return };
        let pod = Arc::clone(&run.pod);
        // The program may have been changed since the pod was made.
        run.behaviour = context.behaviours.of_pod(context.registry, &pod);
        let process = Process {
            pid: self.next_pid,
            command: run.behaviour.command.clone(),
            since: now,
            memory: run.behaviour.memory,
            limit_bytes: limit_bytes(&pod, name),
            score_adjust: score_adjust(&pod, name, self.memory_bytes),
        };
        if let Some(container) = run.containers.iter_mut().find(|c| c.name == name) {
            container.start(now);
        }
        self.host.processes.insert((uid.to_owned(), name.to_owned()), process);
        let part = format!("spec.containers{{{name}}}");
        for (reason, text) in [("Created", "Container created"), ("Started", "Container started")] {
            self.tell(context, &pod, &Note::normal(reason, text).about(part.clone()));
        }
    }

    /// Containers become ready, and dead ones come back after their pause.
    fn keep_running(&mut self, context: &mut Context<'_>, uid: &str) {
        let now = context.now();
        let Some(run) = self.pods.get_mut(uid) else { return };
        let ready_after = run.behaviour.ready_seconds.saturating_mul(SECOND);
        let mut restart = Vec::new();
        let mut changed = false;
        for container in &mut run.containers {
            match container.state {
                State::Running { since } if !container.ready && plus(since, ready_after) <= now => {
                    container.ready = true;
                    changed = true;
                }
                State::Running { .. } => {}
                _ if container.restart_at.is_some_and(|at| at <= now) => {
                    container.restarts += 1;
                    restart.push(container.name.clone());
                }
                _ => {}
            }
        }
        changed |= !restart.is_empty();
        for name in restart {
            self.start(context, uid, &name);
        }
        if changed {
            self.post(context, uid);
        }
    }

    /// Memory ran out somewhere.
    fn suffer(&mut self, context: &mut Context<'_>, crisis: &Crisis) {
        let (Crisis::Limit(place) | Crisis::Pods(place) | Crisis::Machine(place)) = crisis;
        let Some(victim) = self.host.processes.remove(place) else { return };
        if matches!(crisis, Crisis::Machine(_)) {
            let message = format!(
                "System OOM encountered, victim process: {}, pid: {}",
                victim.command, victim.pid
            );
            let node = json!({
                "kind": "Node", "apiVersion": "v1",
                "metadata": {"name": self.node, "uid": self.node},
            });
            self.tell(context, &node, &Note::warning("SystemOOM", message));
            context.registry.silence(&self.node);
            return;
        }
        self.kill(context, place);
    }

    /// The kernel killed a container; it will be restarted.
    fn kill(&mut self, context: &mut Context<'_>, (uid, name): &Place) {
        let now = context.now();
        let Some(run) = self.pods.get_mut(uid) else { return };
        let pod = Arc::clone(&run.pod);
        let Some(container) = run.containers.iter_mut().find(|c| c.name == *name) else { return };
        container.die(now, "OOMKilled", 137);
        let pause = container.take_backoff();
        container.restart_at = Some(plus(now, pause.max(SECOND)));
        if pause > 0 {
            let (owner, space) = (field::name(&pod), field::namespace(&pod));
            let what = format!("restarting failed container={name} pod={owner}_{space}({uid})");
            let message = format!("back-off {} {what}", seconds_text(pause / SECOND));
            container.state = State::Waiting { reason: "CrashLoopBackOff", message };
            let note = Note::warning(
                "BackOff",
                format!(
                    "Back-off restarting failed container {name} in pod {owner}_{space}({uid})"
                ),
            );
            self.tell(context, &pod, &note.about(format!("spec.containers{{{name}}}")));
        }
        self.post(context, uid);
    }

    /// Posts the status of a pod.
    fn post(&self, context: &mut Context<'_>, uid: &str) {
        let Some(run) = self.pods.get(uid) else { return };
        let host_ip = host_address(self.index);
        let now = context.now();
        let posted = context.registry.modify(&POD, &run.pod, Part::Status, |pod| {
            status::write(pod, run, &host_ip, now);
        });
        // The pod may be gone by now; its removal is on the way.
        drop(posted);
    }

    fn is_silent(&self, context: &Context<'_>) -> bool {
        let beat = context.registry.heartbeats.get(&self.node);
        beat.is_none_or(|beat| beat.stopped.is_some())
    }

    fn next_at(&self, now: Timestamp) -> Option<Timestamp> {
        let pods = self.pods.values().filter_map(PodRun::next_at);
        pods.chain(self.host.crisis_at(now)).min()
    }
}

impl Actor for Machine {
    fn name(&self) -> &str {
        &self.actor
    }

    fn reads(&self, change: &Change) -> bool {
        let mine = |o: &Object| field::text(o, "/spec/nodeName") == self.node;
        change.key.resource == POD.storage && change.object().is_some_and(mine)
    }

    fn step(&mut self, changes: &[Arc<Change>], context: &mut Context<'_>) {
        if self.is_silent(context) {
            return;
        }
        for change in changes {
            self.hear(context, change);
        }
        let due = |run: &PodRun| run.next_at().is_some_and(|at| at <= context.now());
        let due: Vec<_> =
            self.pods.iter().filter(|(_, run)| due(run)).map(|(uid, _)| uid.clone()).collect();
        for uid in due {
            self.advance(context, &uid);
        }
        while let Some(crisis) = self.host.crisis(context.now()) {
            self.suffer(context, &crisis);
            if self.is_silent(context) {
                return;
            }
        }
        if let Some(at) = self.next_at(context.now()) {
            context.wake(at);
        }
    }
}

fn names(run: &PodRun) -> Vec<String> {
    run.containers.iter().map(|c| c.name.clone()).collect()
}

/// Container names and their images.
fn images(run: &PodRun) -> Vec<(String, String)> {
    run.containers.iter().map(|c| (c.name.clone(), c.image.clone())).collect()
}

fn container_spec<'a>(pod: &'a Value, name: &str) -> Option<&'a Value> {
    field::list(pod, "/spec/containers").iter().find(|c| field::text(c, "/name") == name)
}

fn limit_bytes(pod: &Value, name: &str) -> Option<i64> {
    let limit = field::quantity(container_spec(pod, name)?, "/resources/limits/memory").units();
    (limit > 0).then_some(limit)
}

/// `oom_score_adj` as the kubelet sets it.
fn score_adjust(pod: &Value, name: &str, memory_bytes: i64) -> i64 {
    match field::text(pod, "/status/qosClass") {
        "Guaranteed" => -997,
        "BestEffort" => 1000,
        _ => {
            let spec = container_spec(pod, name).unwrap_or(&Value::Null);
            let asked = field::quantity(spec, "/resources/requests/memory").units();
            let share = i128::from(asked) * 1000 / i128::from(memory_bytes.max(1));
            (1000 - i64::try_from(share).unwrap_or(1000)).clamp(3, 999)
        }
    }
}

/// `40s`, `2m40s`, `5m0s`.
fn seconds_text(seconds: i64) -> String {
    match seconds {
        0..60 => format!("{seconds}s"),
        _ => format!("{}m{}s", seconds / 60, seconds % 60),
    }
}
