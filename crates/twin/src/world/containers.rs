//! The life of a container: it starts, becomes ready, fails its probes, dies, comes back.

use std::sync::Arc;

use serde_json::Value;

use super::behaviours::is_of;
use super::host::{Crisis, Place, Process};
use super::kubelet::{Stage, State, Step};
use super::machine::{Machine, container_spec, names, part};
use super::{probe, references};
use crate::cluster::Context;
use crate::field;
use crate::kernel::{SECOND, plus};
use crate::registry::Note;
use crate::scenario::Memory;

/// Exit code of a program that ends when it is asked to.
const TERMINATED: i64 = 143;
/// Exit code of a program that is killed.
const KILLED: i64 = 137;

/// A volume that cannot be mounted is tried again after this long, then twice as long, ...
const FIRST_MOUNT_PAUSE: i64 = SECOND / 2;
const LONGEST_MOUNT_PAUSE: i64 = 122 * SECOND;

impl Machine {
    /// Whether a volume of a new pod cannot be mounted; then it is tried again later.
    pub(super) fn waits_for_volume(&mut self, context: &mut Context<'_>, uid: &str) -> bool {
        let now = context.now();
        let Some(run) = self.pods.get_mut(uid) else { return false };
        let pod = Arc::clone(&run.pod);
        let Some((volume, why)) = references::missing_mount(context.registry, &pod) else {
            return false;
        };
        let pause = FIRST_MOUNT_PAUSE << run.mounts_failed.min(20);
        run.mounts_failed += 1;
        run.started_at.get_or_insert(now);
        run.due = Some(plus(now, pause.min(LONGEST_MOUNT_PAUSE)));
        let text = format!("MountVolume.SetUp failed for volume \"{volume}\" : {why}");
        self.tell(context, &pod, &Note::warning("FailedMount", text));
        self.post(context, uid);
        true
    }

    /// The container's settings are not there: it is looked at again later.
    fn lack_setting(&mut self, context: &mut Context<'_>, uid: &str, name: &str, why: String) {
        let at = context.soon(10 * SECOND, 15 * SECOND);
        let Some(run) = self.pods.get_mut(uid) else { return };
        let pod = Arc::clone(&run.pod);
        let Some(container) = run.container(name) else { return };
        container.next = Some((at, Step::Pull));
        let text = format!("Error: {why}");
        container.state = State::Waiting { reason: "CreateContainerConfigError", message: why };
        self.tell(context, &pod, &Note::warning("Failed", text).about(part(name)));
    }

    /// Does for each container of a pod what is due.
    pub(super) fn keep_running(&mut self, context: &mut Context<'_>, uid: &str) {
        let now = context.now();
        let Some(run) = self.pods.get(uid) else { return };
        let mut changed = false;
        for name in names(run) {
            let Some(run) = self.pods.get_mut(uid) else { return };
            let Some(container) = run.container(&name) else { continue };
            if let Some((_, step)) = container.next.filter(|(at, _)| *at <= now) {
                container.next = None;
                changed = true;
                self.take(context, uid, &name, step);
            } else if container.ready_at.is_some_and(|at| at <= now) {
                container.ready_at = None;
                (container.ready, container.started) = (true, true);
                changed = true;
            } else if let Some((_, reason, code)) = container.ends.filter(|(at, ..)| *at <= now) {
                let place = (uid.to_owned(), name.clone());
                self.host.processes.remove(&place);
                self.end(context, &place, reason, code);
            } else {
                self.probe(context, uid, &name);
            }
        }
        if changed {
            self.post(context, uid);
        }
    }

    fn take(&mut self, context: &mut Context<'_>, uid: &str, name: &str, step: Step) {
        match step {
            Step::Pull => self.pull(context, uid, name),
            Step::PullEnds => self.end_pull(context, uid, name),
            Step::HoldPull => self.hold_pull(context, uid, name),
            Step::Start => self.start(context, uid, name),
        }
    }

    /// Starts a container and its process.
    pub(super) fn start(&mut self, context: &mut Context<'_>, uid: &str, name: &str) {
        let now = context.now();
        self.next_pid += context.dice.between(3, 400);
        let Some(run) = self.pods.get_mut(uid) else { return };
        let pod = Arc::clone(&run.pod);
        let Some(spec) = container_spec(&pod, name) else { return };
        if let Some(why) = references::missing_setting(context.registry, &pod, spec) {
            return self.lack_setting(context, uid, name, why);
        }
        // The program may have been changed since the pod was made.
        let behaviour = context.behaviours.of_pod(context.registry, &pod);
        let process = Process {
            pid: self.next_pid,
            command: behaviour.command.clone(),
            since: now,
            memory: behaviour.memory,
            limit_bytes: limit_bytes(spec),
            score_adjust: score_adjust(&pod, spec, self.memory_bytes),
        };
        let plan = probe::plan(&pod, spec, &run.ip, now);
        if let Some(container) = run.container(name) {
            container.start(now);
            container.started = plan.starts;
            container.failing = plan.failing;
            let ready = plan.ready_after_seconds.map(|s| s.max(behaviour.ready_seconds));
            container.ready_at = ready.map(|s| plus(now, s.saturating_mul(SECOND)));
            container.ends = behaviour.crash.map(|crash| {
                let at = plus(now, crash.after_seconds.saturating_mul(SECOND));
                (at, end_reason(crash.exit_code), crash.exit_code)
            });
        }
        run.behaviour = behaviour;
        self.host.processes.insert((uid.to_owned(), name.to_owned()), process);
        for (reason, text) in [("Created", "Container created"), ("Started", "Container started")] {
            self.tell(context, &pod, &Note::normal(reason, text).about(part(name)));
        }
    }

    /// Tells of the probes that fail now, and kills the container if it is one too many.
    fn probe(&mut self, context: &mut Context<'_>, uid: &str, name: &str) {
        let now = context.now();
        let Some(run) = self.pods.get_mut(uid) else { return };
        let (pod, stop) = (Arc::clone(&run.pod), run.behaviour.stop_seconds);
        let grace = field::number(&pod, "/spec/terminationGracePeriodSeconds");
        let Some(container) = run.container(name) else { return };
        let stopping = container.ends.is_some_and(|(_, reason, _)| reason == "Error");
        let mut notes = Vec::new();
        for probe in container.failing.iter_mut().filter(|probe| probe.due <= now) {
            probe.failures += 1;
            probe.due = plus(now, probe.period_seconds * SECOND);
            notes.push(Note::warning("Unhealthy", probe.message.clone()));
            if probe.which != "Readiness" && probe.failures >= probe.threshold && !stopping {
                let which = probe.which.to_lowercase();
                let text = format!("Container {name} failed {which} probe, will be restarted");
                notes.push(Note::normal("Killing", text));
                let code = if stop < grace { TERMINATED } else { KILLED };
                let at = plus(now, stop.min(grace).max(0).saturating_mul(SECOND));
                container.ends = Some((at, "Error", code));
            }
        }
        if container.ends.is_some_and(|(_, reason, _)| reason == "Error") && !notes.is_empty() {
            container.failing.retain(|probe| probe.failures < probe.threshold);
        }
        for note in notes {
            self.tell(context, &pod, &note.about(part(name)));
        }
    }

    /// Memory ran out somewhere.
    pub(super) fn suffer(&mut self, context: &mut Context<'_>, crisis: &Crisis) {
        let (Crisis::Limit(place) | Crisis::Pods(place) | Crisis::Machine(place)) = crisis;
        let Some(victim) = self.host.processes.remove(place) else { return };
        if matches!(crisis, Crisis::Machine(_)) {
            let message = format!(
                "System OOM encountered, victim process: {}, pid: {}",
                victim.command, victim.pid
            );
            self.tell(context, &self.reference(), &Note::warning("SystemOOM", message));
            context.registry.silence(&self.node);
            return;
        }
        self.end(context, place, "OOMKilled", KILLED);
    }

    /// A container ended; unless its pod says otherwise it will be started again.
    fn end(
        &mut self,
        context: &mut Context<'_>,
        (uid, name): &Place,
        reason: &'static str,
        exit_code: i64,
    ) {
        let now = context.now();
        let Some(run) = self.pods.get_mut(uid) else { return };
        let pod = Arc::clone(&run.pod);
        let Some(container) = run.container(name) else { return };
        container.die(now, reason, exit_code);
        let again = match field::text(&pod, "/spec/restartPolicy") {
            "Never" => false,
            "OnFailure" => exit_code != 0,
            _ => true,
        };
        if again {
            let pause = container.restart_pause.take();
            container.next = Some((plus(now, pause.max(SECOND)), Step::Pull));
            if pause > 0 {
                let (owner, space) = (field::name(&pod), field::namespace(&pod));
                let what = format!("restarting failed container={name} pod={owner}_{space}({uid})");
                let message = format!("back-off {} {what}", seconds_text(pause / SECOND));
                container.state = State::Waiting { reason: "CrashLoopBackOff", message };
                let text = format!(
                    "Back-off restarting failed container {name} in pod {owner}_{space}({uid})"
                );
                self.tell(context, &pod, &Note::warning("BackOff", text).about(part(name)));
            }
        }
        self.post(context, uid);
    }

    /// The running containers of a workload take up its new way to crash.
    pub(super) fn end_soon(&mut self, context: &mut Context<'_>, namespace: &str, workload: &str) {
        let now = context.now();
        for run in self.pods.values_mut().filter(|run| run.stage == Stage::Running) {
            if !is_of(context.registry, &run.pod, namespace, workload) {
                continue;
            }
            let behaviour = context.behaviours.of_pod(context.registry, &run.pod);
            let Some(crash) = behaviour.crash else { continue };
            for container in &mut run.containers {
                if matches!(container.state, State::Running { .. }) {
                    let at = plus(now, context.dice.between(SECOND, 3 * SECOND));
                    container.ends = Some((at, end_reason(crash.exit_code), crash.exit_code));
                }
            }
        }
    }

    /// The running containers of a workload begin to grow.
    pub(super) fn grow(
        &mut self,
        context: &Context<'_>,
        (namespace, workload): (&str, &str),
        bytes_per_second: i64,
    ) {
        let now = context.now();
        let mine =
            |run: &&super::kubelet::PodRun| is_of(context.registry, &run.pod, namespace, workload);
        let grown: Vec<String> =
            self.pods.values().filter(mine).map(|run| run.uid().to_owned()).collect();
        for (place, process) in &mut self.host.processes {
            if grown.contains(&place.0) {
                let age = now.micros().saturating_sub(process.since.micros());
                let bytes = process.memory.at(age);
                process.memory =
                    Memory::Ramp { bytes, after_seconds: age / SECOND + 1, bytes_per_second };
            }
        }
    }
}

/// How the end of a program is called.
fn end_reason(exit_code: i64) -> &'static str {
    if exit_code == 0 { "Completed" } else { "Error" }
}

fn limit_bytes(spec: &Value) -> Option<i64> {
    let limit = field::quantity(spec, "/resources/limits/memory").units();
    (limit > 0).then_some(limit)
}

/// `oom_score_adj` as the kubelet sets it.
fn score_adjust(pod: &Value, spec: &Value, memory_bytes: i64) -> i64 {
    match field::text(pod, "/status/qosClass") {
        "Guaranteed" => -997,
        "BestEffort" => 1000,
        _ => {
            let asked = field::quantity(spec, "/resources/requests/memory").units();
            let share = i128::from(asked) * 1000 / i128::from(memory_bytes.max(1));
            (1000 - i64::try_from(share).unwrap_or(1000)).clamp(3, 999)
        }
    }
}

/// `40s`, `2m40s`, `5m0s`.
pub(super) fn seconds_text(seconds: i64) -> String {
    match seconds {
        0..60 => format!("{seconds}s"),
        _ => format!("{}m{}s", seconds / 60, seconds % 60),
    }
}
