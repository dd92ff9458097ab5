//! `node-runtime-hung`: the container runtime of a node does not answer its kubelet.

use std::collections::BTreeSet;

use model::record::{Node, Pod};
use model::{
    Act, Certainty, Evidence, Finding, Findings, Gap, Impact, Kind, Patch, Remedy, Scenario,
    Snapshot, Truth,
};

use super::flaps;
use super::runtime::{self, Runtime};
use super::signs;
use crate::evidence;
use crate::workload::exec_probe_frequent;

failure! {
    /// # The container runtime of a node hangs or is down
    ///
    /// ## Signs
    /// The kubelet says "container runtime is down", or its calls end with DeadlineExceeded:
    /// ContainerGCFailed repeats every minute, containers are neither started nor stopped,
    /// `docker ps` or `crictl ps` on the node does not come back. The node becomes not ready,
    /// later silent, but it may also stay Ready for long and go on taking pods that never
    /// start.
    ///
    /// ## Why it happens
    /// The kubelet asks the runtime for everything. One container whose process cannot be
    /// killed or whose disk does not answer can hold a lock in the runtime for which all other
    /// calls wait. Very frequent exec probes, very many containers, a slow disk or a kernel
    /// fault do the same. Or the runtime is simply not running: then its socket refuses.
    ///
    /// ## What we do
    /// 1. See whether the runtime answers, and how long that takes.
    /// 2. `systemctl daemon-reexec`; then restart the runtime if it still hangs; then the
    ///    kubelet. In this order: containers survive it.
    /// 3. Find the container that hangs it and stop it, or it will hang again.
    /// 4. Reboot as the last resort.
    ///
    /// Do not drain first: a runtime that hangs cannot stop containers. Do not delete pods by
    /// force while they may run.
    ///
    /// ## How to avoid it
    /// Probes by TCP or HTTP instead of exec, and not every second. Limits on pods per node.
    /// A current runtime and kernel. Watch the runtime itself, not only the Ready condition.
    ///
    /// ## Sources
    /// Kubernetes documentation, "Container runtimes"; kubernetes/kubernetes issues 17525 and
    /// 81290.
    id: "node-runtime-hung",
    mechanisms: {
        "runtime-hung": "its container runtime does not answer in time",
        "runtime-down": "its container runtime does not run",
    },
    reads: [Node, Event, Pod],
    leads_to: [
        "node-container-gc-failing",
        "node-flapping",
        "node-image-gc-timeout",
        "node-not-ready",
        "node-pleg-stalled",
        "node-unknown",
        "pod-probe-failing",
        "pod-probe-failing-node-loaded",
        "pod-sandbox-failing",
        "pod-terminating-stuck",
        "service-without-endpoints",
    ],
    detect: Nodes(detect),
    exposed: exposed,
    remedy: remedy,
    prevent: prevent,
    rehearse: rehearse,
}

/// How long the trouble of a cordoned node counts as somebody's work on it, in seconds.
const WORK_SECONDS: i64 = 300;

/// What the runtime's state is called, how sure that is, and what else it could be.
struct Cause {
    mechanism: &'static str,
    certainty: Certainty,
    alternatives: &'static [&'static str],
    evidence: Vec<Evidence>,
    since: Option<model::Timestamp>,
}

fn detect(node: &Node, now: &Snapshot, findings: &mut Findings) {
    // A unit that was seen stopped is told by the kinds about lost nodes.
    if runtime::is_stopped(node, now) {
        return;
    }
    let object = node.meta.object(Kind::Node);
    let runtime = Runtime::of(node, now);
    let Some(cause) = stated(&runtime).or_else(|| from_pods(node, now)) else {
        if let Some(over) = &runtime.over {
            let why = format!("\"{}\" is over", over.text.chars().take(60).collect::<String>());
            findings.rule_out(KIND.id, object, why);
        }
        return;
    };
    let ready = node.condition("Ready");
    let unready = ready.filter(|c| c.status != Truth::True);
    // A node that comes and goes has been so since its first change.
    let flaps = flaps::of(node, now).and_then(|f| f.first);
    let since = [cause.since, flaps, unready.and_then(|c| c.since)].into_iter().flatten().min();
    let young = since.is_some_and(|s| now.has_time && now.now.since(s) < WORK_SECONDS);
    if node.is_cordoned() && young {
        let why = "it is cordoned and its runtime stopped only now: somebody works on it";
        return findings.rule_out(KIND.id, object, why);
    }
    let name = &node.meta.name;
    let what = KIND.meaning(cause.mechanism);
    let headline = match ready.map(|c| c.status) {
        Some(Truth::True) => format!("node {name} says Ready, but {what}"),
        _ => format!("node {name}: {what}"),
    };
    let state = unready.map(|c| evidence::condition(node.meta.source, &object, c));
    let mut finding = Finding::new(KIND.id, cause.mechanism, object.clone(), headline)
        .since(since)
        .evidence(cause.evidence)
        .impact(Impact { nodes: 1, ..Impact::default() });
    finding.factors.extend(exec_probe_frequent::factors_on(name, now));
    if let Some(state) = state.filter(|s| !finding.evidence.contains(s)) {
        finding.evidence.push(state);
    }
    if cause.certainty < Certainty::Proven {
        let look = format!("ssh {name} 'time timeout 20 crictl ps'");
        finding = finding.unsure(cause.certainty, cause.alternatives, look);
    }
    findings.push(super::affected_pods(finding, node, now));
}

/// What the node's own signs state.
fn stated(runtime: &Runtime<'_>) -> Option<Cause> {
    let facts = |signs: &[signs::Sign<'_>]| -> Vec<Evidence> {
        signs.iter().rev().take(2).filter_map(|s| s.evidence()).collect()
    };
    let cause = |mechanism, certainty, alternatives, evidence| {
        let since = runtime.troubled_since().flatten();
        Some(Cause { mechanism, certainty, alternatives, evidence, since })
    };
    if !runtime.refused.is_empty() {
        return cause("runtime-down", Certainty::Proven, &[], facts(&runtime.refused));
    }
    // Reading image statistics alone may be slow for other reasons: a kind of its own.
    let general = runtime.late.iter().filter(|s| !s.is_event("ImageGCFailed"));
    let late: u32 = general.fold(0, |sum, s| sum.saturating_add(s.count));
    let stalls = !runtime.pleg.is_empty() || !runtime.said_down.is_empty();
    if late > 0 && (stalls || late > 2) {
        let mut evidence = facts(&runtime.late);
        evidence.extend(facts(&runtime.pleg));
        return cause("runtime-hung", Certainty::Proven, &[], evidence);
    }
    if !runtime.said_down.is_empty() {
        return cause("runtime-down", Certainty::Proven, &[], facts(&runtime.said_down));
    }
    // The kubelet's own round over all containers is asked for by nobody else.
    let round = runtime.late.iter().any(|s| s.says(&["genericpleg"]));
    if late > 1 || round {
        return cause(
            "runtime-hung",
            Certainty::Likely,
            &["node-overloaded"],
            facts(&runtime.late),
        );
    }
    None
}

/// A node that says Ready while calls to its runtime fail for several workloads' pods.
fn from_pods(node: &Node, now: &Snapshot) -> Option<Cause> {
    let mut facts = Vec::new();
    let mut workloads = BTreeSet::new();
    let mut since = None;
    let unready = |p: &Pod| p.runs_on() && p.is_ready() != Some(true);
    for (app, pod) in now.on_node(&node.meta.name).filter(|(_, p)| unready(p)) {
        let events = now.pod_events(pod).iter().rev();
        let mut late = events.map(|e| signs::of_event(e, now)).filter(|s| {
            let call = s.reason != "Unhealthy" && s.reason != "FailedMount";
            call && s.says(&["rpc error"]) && runtime::is_late(s.text) && s.is_current(node, now)
        });
        if let Some(sign) = late.next() {
            workloads.insert(app);
            since = [since, sign.first].into_iter().flatten().min();
            facts.extend(sign.evidence());
        }
    }
    if workloads.len() < 2 {
        return None;
    }
    let elsewhere = |a: &model::App| a.running().any(|p| p.node != node.meta.name);
    let other_nodes = now.apps.iter().any(elsewhere);
    facts.truncate(3);
    other_nodes.then_some(Cause {
        mechanism: "runtime-hung",
        certainty: Certainty::Likely,
        alternatives: &["network-plugin-down"],
        evidence: facts,
        since,
    })
}

/// What hangs a runtime is asked about by the checks on exec probes and limits.
fn exposed(_: &Snapshot, _: &mut Vec<Gap>) {}

fn remedy(finding: &Finding, now: &Snapshot) -> Remedy {
    Remedy { next: runtime::steps(&finding.object.name, now), do_not: runtime::do_not() }
}

fn prevent(_: &Gap, _: &Snapshot) -> Option<Patch> {
    None
}

fn rehearse() -> Option<Scenario> {
    Some(Scenario {
        story: "The container runtime of one node stops answering; its kubelet says so.",
        acts: vec![(30, Act::StopRuntime("worker-2"))],
        found_within_seconds: 300,
    })
}

#[cfg(test)]
mod tests {
    use super::super::testing::{event, event_ago, node, pod};
    use super::KIND;
    use crate::testing::check;

    const LATE: &str = "rpc error: code = DeadlineExceeded desc = context deadline exceeded";

    #[test]
    fn a_refusing_socket_is_a_runtime_that_is_down() {
        for text in [
            "rpc error: code = Unknown desc = Cannot connect to the Docker daemon at \
             unix:///var/run/docker.sock. Is the docker daemon running?",
            "rpc error: code = Unknown desc = error during connect: Get \
             http://docker/containers/json: read unix @->/var/run/docker.sock: read: connection \
             reset by peer",
            "rpc error: code = Unavailable desc = connection error: dial unix \
             /run/containerd/containerd.sock: connect: no such file or directory",
        ] {
            let yaml = event("a", "ContainerGCFailed", text, 1);
            check(&KIND, &yaml, &["runtime-down node/a Proven Active"]);
        }
        let said = node("a", "False", "container runtime is down");
        check(&KIND, &said, &["runtime-down node/a Proven Active"]);
    }

    #[test]
    fn calls_that_never_end_are_a_runtime_that_hangs() {
        let often = event("a", "ContainerGCFailed", LATE, 543);
        check(&KIND, &often, &["runtime-hung node/a Proven Active"]);
        let pleg = "PLEG is not healthy: pleg was last seen active 27h14m51.4s ago; threshold is \
                    3m0s";
        let both = node("a", "False", pleg) + &event("a", "ContainerGCFailed", LATE, 1);
        check(&KIND, &both, &["runtime-hung node/a Proven Active"]);
    }

    #[test]
    fn a_node_that_says_ready_is_found_by_its_pods() {
        let sick = |name: &str| {
            let text = "Failed to create pod sandbox: rpc error: code = DeadlineExceeded desc = \
                        context deadline exceeded";
            pod(name, "a", "False") + &super::super::testing::pod_event(name, "a", text)
        };
        let yaml = node("a", "True", "") + &sick("lamp") + &sick("fan") + &pod("door", "b", "True");
        check(&KIND, &yaml, &["runtime-hung node/a Likely Active"]);
    }

    #[test]
    fn the_end_of_the_log_tells_of_a_node_that_says_ready() {
        let line = "GenericPLEG: Unable to retrieve pods: operation timeout: context deadline \
                    exceeded";
        let with = |after: usize| {
            let mut now = crate::testing::snapshot(&node("a", "True", ""));
            let rest = std::iter::repeat_n("all is well".to_owned(), after);
            now.logs.push(model::LogLines {
                name: "a".into(),
                namespace: "".into(),
                container: "".into(),
                unit: "kubelet".into(),
                previous: false,
                lines: std::iter::once(line.to_owned()).chain(rest).collect(),
                document: 0,
            });
            crate::testing::lines(&KIND, &now)
        };
        assert_eq!(with(0), ["runtime-hung node/a Likely Active"]);
        assert!(with(40).is_empty());
    }

    #[test]
    fn look_alikes_stay_quiet() {
        check(&KIND, &event("a", "ContainerGCFailed", LATE, 1), &[]);
        check(&KIND, &event("a", "ImageGCFailed", LATE, 5), &[]);
        check(&KIND, &node("a", "True", ""), &[]);
        // Over: the node became ready after the last complaint.
        let over = node("a", "True", "") + &event_ago("a", "ContainerGCFailed", LATE, 40, 7200);
        check(&KIND, &over, &[]);
        // Cordoned, and the runtime stopped a minute ago.
        let restart = node("a", "False", "container runtime is down")
            .replace("status:\n", "spec: {unschedulable: true}\nstatus:\n")
            .replace("2026-01-02T00:00:00Z", "2026-01-02T09:59:00Z");
        check(&KIND, &restart, &[]);
    }
}
