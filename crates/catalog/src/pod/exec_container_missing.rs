//! `pod-exec-container-missing`: a pod is said to run, and its container is not there.

use model::record::{ClusterEvent, ContainerState, Phase, Pod};
use model::{
    Act, App, Certainty, Evidence, Finding, Findings, Gap, Impact, Kind, Patch, Remedy, Risk,
    Scenario, Snapshot, Step,
};

use super::edit::container_field;
use crate::evidence;
use crate::wording::{self, between, says};

failure! {
    /// # A pod says that it runs, and its container is gone
    ///
    /// ## Signs
    /// `kubectl get pods` shows `Running` without restarts, but `kubectl exec` says "container
    /// not found" or "no running task found". Probes with a command fail with "container not
    /// running" again and again, and nothing starts the container anew.
    ///
    /// ## Why it happens
    /// The status of a pod is what its kubelet wrote last. When the runtime loses a container
    /// (killed past it, its record broken, the runtime restarted in between) and the kubelet
    /// does not notice, the status stays as it was. Without a liveness probe nobody ever asks.
    ///
    /// A container that is restarting this very moment answers the same way for some seconds.
    ///
    /// ## What we do
    /// 1. Try again after half a minute: a restart explains it.
    /// 2. Compare with what the runtime of the node knows (`crictl ps -a`).
    /// 3. Delete the pod: its owner makes a new one.
    /// 4. If it happens to several pods of one node, look at the node's runtime and kubelet.
    ///
    /// ## How to avoid it
    /// Give containers a liveness probe over the network: a container that is gone fails it,
    /// and is made anew.
    ///
    /// ## Sources
    /// Kubernetes documentation, "Debug running pods" and "Pod lifecycle".
    id: "pod-exec-container-missing",
    mechanisms: {
        "status-stale": "the status says that it runs, the runtime does not know it",
    },
    reads: [Pod, Event, Deployment, StatefulSet, DaemonSet, ReplicaSet],
    leads_to: ["pod-probe-failing", "service-refused", "workload-dependency-failing"],
    detect: Cluster(detect),
    exposed: exposed,
    remedy: remedy,
    prevent: prevent,
    rehearse: rehearse,
}

/// How often a probe must not find its container before it is no restart.
const TIMES: u32 = 3;

fn detect(now: &Snapshot, findings: &mut Findings) {
    let before = findings.found.len();
    for app in now.apps_where(|a, now| a.pod_events(now).any(finds_nothing)) {
        for pod in app.running().filter(|p| is_said_to_run(p, "")) {
            let told = |e: &&ClusterEvent| finds_nothing(e) && evidence::is_recent(e, now, 300);
            let events = now.events_about(&pod.meta.object(Kind::Pod));
            if let Some(fact) = events.iter().rfind(told).and_then(|e| evidence::event(e, now)) {
                findings.push(finding(app, pod, "", fact, Certainty::Proven));
                break;
            }
        }
    }
    if findings.found.len() > before {
        return;
    }
    for error in now.client_errors.iter().filter(|e| says(&e.text, wording::EXEC_LOST)) {
        let name = between(&error.text, "container not found (\"", "\"").unwrap_or_default();
        let here = now.apps.iter().flat_map(|a| a.running().map(move |p| (a, p)));
        let mut meant = here.filter(|(_, p)| is_said_to_run(p, name) && has(p, name));
        // The error does not tell the pod: only one may be meant.
        let Some((app, pod)) = meant.next() else { continue };
        if name.is_empty() || meant.any(|(other, _)| other.object != app.object) {
            continue;
        }
        let object = pod.meta.object(Kind::Pod);
        let fact = evidence::field(error.document, &object, "kubectl exec", error.text.clone());
        findings.push(finding(app, pod, name, fact, Certainty::Likely));
        return;
    }
}

/// Whether a probe has not found its container, time and again.
fn finds_nothing(e: &ClusterEvent) -> bool {
    e.reason == "Unhealthy"
        && e.count >= TIMES
        && says(&e.message, wording::PROBE_WITHOUT_CONTAINER)
}

/// Whether the status says that the container runs, without a recent restart.
fn is_said_to_run(pod: &Pod, name: &str) -> bool {
    let runs = |c: &model::record::ContainerStatus| matches!(c.state, ContainerState::Running(_));
    let own = || pod.containers.iter().filter(|c| name.is_empty() || c.name == name);
    let row = pod.summary.as_ref().is_some_and(|s| s.status == "Running");
    let phase = pod.phase == Phase::Running || row;
    phase && pod.restarts() == 0 && own().all(runs) && pod.meta.deleting.is_none()
}

fn has(pod: &Pod, name: &str) -> bool {
    pod.spec.containers.iter().any(|c| c.name == name)
        || pod.containers.iter().any(|c| c.name == name)
}

fn finding(app: &App, pod: &Pod, name: &str, fact: Evidence, certainty: Certainty) -> Finding {
    let object = pod.meta.object(Kind::Pod);
    let headline = format!("pod {object} is said to run, but its container is gone");
    let state = evidence::field(pod.meta.source, &object, "status.phase", "Running");
    let finding = Finding::new(KIND.id, "status-stale", app.object.clone(), headline)
        .field(
            container_field(app, name, "livenessProbe"),
            "none that noticed",
            "one over the network",
        )
        .since(fact.at)
        .evidence([fact, state])
        .affects(object, "its container is gone")
        .impact(Impact { replicas: 1, ..Impact::default() });
    match certainty {
        Certainty::Proven => finding,
        _ => finding.unsure(
            certainty,
            &["runtime-down"],
            format!("kubectl exec -n {} {} -- true", pod.meta.namespace, pod.meta.name),
        ),
    }
}

/// Containers that nobody ever asks whether they are there.
fn exposed(_: &Snapshot, _: &mut Vec<Gap>) {}

fn remedy(finding: &Finding, _: &Snapshot) -> Remedy {
    let pod = finding.affected.iter().map(|a| &a.object).find(|o| o.kind == Kind::Pod);
    let pod = pod.unwrap_or(&finding.object);
    let target = pod.for_kubectl();
    Remedy {
        next: vec![
            Step::look(
                "See on which node it is, and since when",
                format!("kubectl get {target} -o wide"),
            ),
            Step {
                what: "Delete the pod: its owner makes a new one".into(),
                command: Some(format!("kubectl delete {target}")),
                risk: Risk::Disruptive,
                undo: None,
            },
        ],
        do_not: vec![
            "Do not delete a pod without an owner: nobody makes it again".into(),
            "Do not trust the status of other pods of that node before its runtime was looked at"
                .into(),
        ],
    }
}

fn prevent(_: &Gap, _: &Snapshot) -> Option<Patch> {
    None
}

fn rehearse() -> Option<Scenario> {
    Some(Scenario {
        story: "The runtime loses a container and its kubelet does not notice.",
        acts: vec![(10, Act::Unmodelled("the container of a pod is killed and its status stays"))],
        found_within_seconds: 180,
    })
}

#[cfg(test)]
mod tests;
