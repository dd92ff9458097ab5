//! A machine: a host with its memory, and the kubelet that runs pods on it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use model::Timestamp;
use serde_json::Value;

use super::host::Host;
use super::kubelet::{PodRun, Stage, Step};
use super::status;
use crate::cluster::{Actor, Context};
use crate::field;
use crate::kernel::{SECOND, plus};
use crate::kinds::POD;
use crate::registry::{DeleteOptions, Note, Part, Source};
use crate::scenario::{Fault, NodeSpec, host_address};
use crate::store::{Change, Object};

/// One node of the cluster.
#[derive(Debug)]
pub(crate) struct Machine {
    /// Name of the actor.
    actor: String,
    pub(super) node: String,
    pub(super) index: usize,
    pub(super) memory_bytes: i64,
    pub(super) host: Host,
    /// By uid.
    pub(super) pods: BTreeMap<String, PodRun>,
    pub(super) images: BTreeSet<String>,
    /// Since when the container runtime does not answer.
    pub(super) runtime_lost: Option<Timestamp>,
    /// When the next change of the node's own status is due.
    pub(super) report_at: Option<Timestamp>,
    next_address: i64,
    pub(super) next_pid: i64,
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
            runtime_lost: None,
            report_at: None,
            next_address: 2,
            next_pid: 1200,
        }
    }

    pub(super) fn tell(&self, context: &mut Context<'_>, object: &Value, note: &Note<'_>) {
        let source = Source { component: "kubelet", host: &self.node };
        context.registry.tell(source, object, note);
    }

    /// A pod of this node changed.
    fn hear(&mut self, context: &mut Context<'_>, change: &Change) {
        match &change.after {
            Some(pod) => self.take_note(context, pod),
            None => {
                let gone = change.before.as_ref().map(|pod| field::uid(pod).to_owned());
                self.forget(&gone.unwrap_or_default());
            }
        }
    }

    /// Takes up a pod, or what was changed of it.
    pub(super) fn take_note(&mut self, context: &mut Context<'_>, pod: &Object) {
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
        if !field::is_deleting(pod) || run.stage == Stage::Stopping || self.runtime_lost.is_some() {
            return;
        }
        run.stage = Stage::Stopping;
        let grace = field::number(pod, "/metadata/deletionGracePeriodSeconds");
        let stop = run.behaviour.stop_seconds.min(grace).saturating_mul(SECOND);
        run.due = Some(plus(context.now(), stop + context.dice.between(100_000, 900_000)));
        let (pod, names) = (Arc::clone(pod), names(run));
        for name in names {
            let note = Note::normal("Killing", format!("Stopping container {name}"));
            self.tell(context, &pod, &note.about(part(&name)));
        }
    }

    fn address(&mut self, pod: &Value) -> String {
        if field::flag(pod, "/spec/hostNetwork") {
            return host_address(self.index);
        }
        self.next_address += 1;
        format!("10.244.{}.{}", self.index % 256, 2 + self.next_address % 250)
    }

    pub(super) fn forget(&mut self, uid: &str) {
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
                if self.waits_for_volume(context, uid) {
                    return;
                }
                let Some(run) = self.pods.get_mut(uid) else { return };
                run.started_at.get_or_insert(now);
                (run.stage, run.due) = (Stage::Running, None);
                for container in &mut run.containers {
                    container.next = Some((now, Step::Pull));
                }
                self.keep_running(context, uid);
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

    /// Posts the status of a pod.
    pub(super) fn post(&self, context: &mut Context<'_>, uid: &str) {
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

    /// Does all that is due and asks to be woken for the rest.
    fn work(&mut self, context: &mut Context<'_>) {
        self.report(context);
        if self.runtime_lost.is_none() {
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
        }
        if let Some(at) = self.next_at(context.now()) {
            context.wake(at);
        }
    }

    fn next_at(&self, now: Timestamp) -> Option<Timestamp> {
        let answers = self.runtime_lost.is_none();
        let pods = self.pods.values().filter_map(PodRun::next_at).filter(|_| answers);
        let crisis = self.host.crisis_at(now).filter(|_| answers);
        pods.chain(crisis).chain(self.report_at).min()
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
        // What a silent kubelet misses it reads anew when it is back.
        if self.is_silent(context) {
            return;
        }
        for change in changes {
            self.hear(context, change);
        }
        self.work(context);
    }

    fn hit(&mut self, fault: &Fault, context: &mut Context<'_>) {
        match fault {
            Fault::StopRuntime { node } if *node == self.node => self.lose_runtime(context),
            Fault::StartKubelet { node } if *node == self.node => self.come_back(context),
            Fault::Crash { namespace, workload, .. } => {
                self.end_soon(context, namespace, workload);
            }
            Fault::GrowMemory { namespace, workload, bytes_per_second } => {
                self.grow(context, (namespace, workload), *bytes_per_second);
            }
            _ => return,
        }
        if !self.is_silent(context) {
            self.work(context);
        }
    }
}

pub(super) fn names(run: &PodRun) -> Vec<String> {
    run.containers.iter().map(|c| c.name.clone()).collect()
}

/// The part of a pod that an event about one of its containers names.
pub(super) fn part(container: &str) -> String {
    format!("spec.containers{{{container}}}")
}

/// The container of this name in a pod's specification.
pub(super) fn container_spec<'a>(pod: &'a Value, name: &str) -> Option<&'a Value> {
    field::list(pod, "/spec/containers").iter().find(|c| field::text(c, "/name") == name)
}
