//! `pod-crash-looping`: a container ends again and again.

use std::collections::BTreeMap;

use model::record::Known;
use model::{
    Act, App, Certainty, Finding, Findings, Gap, Impact, Kind, Patch, Remedy, Risk, Role, Scenario,
    Snapshot, State, Step,
};

use super::crash_cause::{self, Cause};
use super::log_lines;
use super::restarts::{self, Ended};

failure! {
    /// # A container ends again and again
    ///
    /// ## Signs
    /// The pod shows `CrashLoopBackOff`, `Error`, `RunContainerError` or `Init:Error`, and
    /// its restarts grow. The container's last state has an exit code:
    /// 0 ended without an error, 1 an error of the program, 2 wrong arguments or an unhandled
    /// error, 126 may not be executed, 127 not found, 128 could not be started, 134 aborted
    /// itself, 137 killed (memory, or still there after its grace period), 139 touched memory
    /// that is not its own, 143 asked to stop, 255 an exit status out of range.
    ///
    /// ## Why it happens
    /// The kubelet starts a container anew whenever it ends, and waits longer each time: 10
    /// seconds, 20, 40, up to five minutes. The loop says only that something is wrong; the
    /// exit code and the last lines of the log say what.
    ///
    /// ## What we do
    /// 1. Read the last state: reason, exit code, message.
    /// 2. Read the log of the container before the restart (`--previous`): its last lines.
    /// 3. A peer cannot be reached? Compare its address with the Services that exist.
    /// 4. Killed by a probe? The probe is the cause, not the program.
    /// 5. What did the newest revision change? Go back if the one before ran well.
    ///
    /// Deleting the pod only starts the loop anew and loses the log of the last attempt.
    ///
    /// ## How to avoid it
    /// Try a new revision on one replica first. Let programs wait for their peers instead of
    /// ending. Check settings when the program starts and name the one that is wrong. Give
    /// slow starters a startup probe.
    ///
    /// ## Sources
    /// Kubernetes documentation, "Pod lifecycle", "Debug running pods" and "Determine the
    /// reason for pod failure".
    id: "pod-crash-looping",
    mechanisms: {
        "application-error": "its program ends with an error",
        "command-not-found": "its program is not in the image",
        "platform-wrong": "its program is built for other processors",
        "permission-denied": "its user may not use a file, a volume or a port",
        "dependency-unreachable": "a peer it needs does not answer",
        "dependency-address-wrong": "the address of a peer it needs is wrong",
        "credentials-rejected": "a peer refuses its credentials",
        "certificate-rejected": "a certificate is not accepted",
        "configuration-invalid": "it does not like its settings",
        "address-in-use": "the port it wants is taken",
        "mount-path-wrong": "a volume is mounted where something of another kind is",
        "start-hook-failing": "what is to be done after its start does not go well",
        "read-only-file-system": "it writes where nothing may be written",
        "killed-by-probe": "the kubelet kills it because a probe fails",
        "out-of-memory": "it needs more memory than it may use",
        "completed-under-always": "its program ends, and it is started anew each time",
    },
    reads: [Pod, Event, Deployment, ReplicaSet, StatefulSet, DaemonSet, Service, ConfigMap],
    leads_to: [
        "control-plane-degraded",
        "deployment-rollout-failing",
        "hpa-blind",
        "job-failing",
        "pdb-blocking/pods-unhealthy",
        "pod-crash-avalanche",
        "pod-sandbox-failing",
        "service-without-endpoints",
        "slo-burning",
        "statefulset-update-stuck/new-pod-unready",
        "webhook-deadlock",
        "workload-dependency-failing",
    ],
    detect: Apps(detect),
    exposed: exposed,
    remedy: remedy,
    prevent: prevent,
    rehearse: rehearse,
}

fn detect(app: &App, now: &Snapshot, findings: &mut Findings) {
    let (ended, old) = restarts::of(app, now);
    if ended.is_empty() {
        if old > 0 {
            let why = "they have run well for long since their last restart";
            findings.stale(format!("old restarts of {old} containers of {}", app.object), why);
        }
        return;
    }
    // The container that tells most speaks for its kind.
    let mut best: BTreeMap<&str, (Cause, Ended<'_>, usize)> = BTreeMap::new();
    for mut ended in ended {
        let cause = crash_cause::of(&ended, app, now);
        if cause.mechanism == "killed-by-probe" && crash_cause::fails_still(&ended, now) {
            ended.state = State::Active;
        }
        let pods = best.get(ended.container).map_or(0, |(.., pods)| *pods) + 1;
        let rank = |c: &Cause, e: &Ended<'_>| (e.state == State::Active, c.certainty);
        match best.get_mut(ended.container) {
            Some(known) if rank(&known.0, &known.1) >= rank(&cause, &ended) => known.2 = pods,
            _ => {
                best.insert(ended.container, (cause, ended, pods));
            }
        }
    }
    let mut seen: Vec<&str> = Vec::new();
    for (cause, ended, pods) in best.into_values() {
        if seen.contains(&cause.mechanism) {
            continue;
        }
        seen.push(cause.mechanism);
        // Somebody who ran well again after a single restart is no loop.
        if ended.state == State::Recovering && ended.restarts < 2 && cause.role != Role::Symptom {
            let what = format!("one restart of pod {}", ended.pod.meta.name);
            findings.stale(what, "its container runs and is ready since");
            continue;
        }
        findings.push(finding(app, cause, ended, pods));
    }
}

fn finding(app: &App, cause: Cause, ended: Ended<'_>, pods: usize) -> Finding {
    let pod = ended.pod.meta.object(Kind::Pod);
    let headline = format!("{} keeps ending: {}", who(app, &ended), cause.why);
    let since = ended.end.and_then(|e| e.finished_at).filter(|_| ended.restarts < 2);
    let since = since.or(ended.pod.started).or(ended.pod.meta.created);
    let restarts = ended.restarts;
    let state = crate::evidence::field(
        ended.pod.meta.source,
        &pod,
        "status",
        format!(
            "{} after {restarts} restarts",
            if ended.word.is_empty() { "ended" } else { ended.word }
        ),
    );
    let mut finding = Finding::new(KIND.id, cause.mechanism, app.object.clone(), headline)
        .since(since)
        .evidence(cause.evidence)
        .evidence([state])
        .affects(app.object.clone(), format!("{pods} of {} pods", app.pods.len()))
        .state(ended.state)
        .role(cause.role);
    if let Some((field, value, expected)) = cause.edit {
        finding = finding.field(field, value, expected);
    }
    if cause.certainty < Certainty::Proven {
        let look = log_lines::command(&pod, ended.container, ended.restarts > 0);
        finding = finding.unsure(cause.certainty, cause.alternatives, look);
    }
    if ended.state == State::Active {
        finding.impact = Impact { replicas: app.lost_replicas(), ..Impact::default() };
    }

    finding
}

/// `shop/web`, with the container when the pod has several.
fn who(app: &App, ended: &Ended<'_>) -> String {
    let several = ended.pod.all_containers().count() > 1;
    if several && !ended.container.is_empty() {
        format!("container {} of {}", ended.container, app.object)
    } else {
        app.object.to_string()
    }
}

/// Without a startup probe, a liveness probe kills a container that only starts slowly.
fn exposed(now: &Snapshot, gaps: &mut Vec<Gap>) {
    for app in &now.apps {
        let shown = app.workload.as_ref().is_some_and(|w| w.meta.shows(Known::SPEC));
        let Some(spec) = app.spec().filter(|_| shown) else { continue };
        for c in spec.containers.iter().filter(|c| c.startup_probe.is_none()) {
            let Some(probe) = &c.liveness_probe else { continue };
            let delay = probe.initial_delay_seconds.unwrap_or(0);
            let period = probe.period_seconds.unwrap_or(10);
            let checks = period.saturating_mul(probe.failure_threshold.unwrap_or(3));
            let seconds = delay.saturating_add(checks);
            if seconds < 30 {
                gaps.push(Gap {
                    failure: KIND.id,
                    object: app.object.clone(),
                    field: super::edit::container_field(app, &c.name, "startupProbe"),
                    why: format!(
                        "its liveness probe kills it when it is not up {seconds}s after its start"
                    ),
                });
            }
        }
    }
}

fn remedy(finding: &Finding, now: &Snapshot) -> Remedy {
    let object = finding.object.for_kubectl();
    let app = now.app(&finding.object);
    let mut next = Vec::new();
    if let Some(decide) = &finding.decide {
        next.push(Step::look("Read what it said before it ended", decide.clone()));
    }
    let field = finding.field.as_deref().unwrap_or_default();
    let expected = finding.expected.as_deref().unwrap_or_default();
    if finding.mechanism == "dependency-unreachable" {
        let namespace = super::edit::namespace_option(&finding.object.namespace);
        next.push(Step::look(
            "See whether the peer it needs runs and has ready pods",
            format!("kubectl get services,endpointslices,pods{namespace} -o wide"),
        ));
    } else if let Some(step) = set_variable(finding, field, expected) {
        next.push(step);
    } else if !field.is_empty() {
        next.push(Step {
            what: format!("Set {field}: {expected}"),
            command: Some(format!("kubectl edit {object}")),
            risk: Risk::Reversible,
            undo: (finding.object.kind == Kind::Deployment)
                .then(|| format!("kubectl rollout undo {object}")),
        });
    }
    if finding.object.kind == Kind::Deployment && app.is_some_and(|a| a.sets.len() > 1) {
        next.push(Step::change(
            "Or go back to the revision before",
            format!("kubectl rollout undo {object}"),
            format!("kubectl rollout undo {object}"),
        ));
    }
    let mut do_not = vec![
        "Do not delete the pod: the log of the container before goes with it, the loop stays"
            .to_owned(),
    ];
    match finding.mechanism {
        "killed-by-probe" => {
            do_not.push("Do not remove the probe for good: first find why it fails".into());
        }
        "dependency-unreachable" => {
            do_not.push("Do not change this workload first: its peer is what is broken".into());
        }
        "permission-denied" => {
            do_not.push("Do not let it run as root: hand it the volume instead".into());
        }
        _ => {}
    }
    Remedy { next, do_not }
}

/// The command that sets a variable to the address that was probably meant.
fn set_variable(finding: &Finding, field: &str, expected: &str) -> Option<Step> {
    let name = crate::wording::between(field, "env[", "]")?;
    let value = expected.split_whitespace().next().filter(|_| !expected.contains(' '))?;
    let object = finding.object.for_kubectl();
    let old = finding.value.as_deref().unwrap_or_default();
    Some(Step::change(
        format!("Set {name} to {value}"),
        format!("kubectl set env {object} {name}={value}"),
        format!("kubectl set env {object} {name}={old}"),
    ))
}

fn prevent(gap: &Gap, now: &Snapshot) -> Option<Patch> {
    let name = crate::wording::between(&gap.field, "ontainers[", "]")?;
    let spec = now.app(&gap.object)?.spec()?;
    let probe = super::edit::container(spec, name)?.liveness_probe.as_ref()?;
    let (protocol, action) = probe.target()?;
    let port = match &action.port {
        model::record::Port::Number(n) => n.to_string(),
        model::record::Port::Name(n) => n.to_string(),
    };
    let check = match protocol {
        "tcp" => format!("tcpSocket: {{port: {port}}}"),
        "grpc" => format!("grpc: {{port: {port}}}"),
        scheme => {
            let path = action.path.as_deref().unwrap_or("/");
            let scheme = scheme.to_uppercase();
            format!("httpGet: {{path: '{path}', port: {port}, scheme: {scheme}}}")
        }
    };
    let body = format!(
        "spec:\n  template:\n    spec:\n      containers:\n      - name: {name}\n        \
         startupProbe:\n          {check}\n          periodSeconds: 5\n          \
         failureThreshold: 30\n"
    );
    let templated = !matches!(gap.object.kind, Kind::Pod | Kind::CronJob);
    templated.then(|| Patch { object: gap.object.clone(), body })
}

fn rehearse() -> Option<Scenario> {
    Some(Scenario {
        story: "The program of a workload ends with an error soon after each start.",
        acts: vec![
            (
                10,
                Act::Apply(drill_deployment!(
                    "parcel",
                    replicas: 2,
                    container: "image: 'reg.example/team/parcel:1.0'"
                )),
            ),
            (60, Act::Crash { workload: "shop/parcel", exit_code: 1 }),
        ],
        found_within_seconds: 120,
    })
}

#[cfg(test)]
mod tests;
