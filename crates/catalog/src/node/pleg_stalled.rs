//! `node-pleg-stalled`: the kubelet's round over all containers of its node does not end.

use model::record::Node;
use model::{
    Act, Certainty, Finding, Findings, Gap, Impact, Kind, Patch, Remedy, Scenario, Snapshot, State,
    Truth,
};

use super::flaps;
use super::runtime::{self, Runtime};
use super::signs;
use crate::wording::pleg_seconds;
use crate::workload::exec_probe_frequent;

failure! {
    /// # A node's kubelet has lost sight of its containers (PLEG)
    ///
    /// ## Signs
    /// The node is not ready with the message "PLEG is not healthy: pleg was last seen active
    /// 3m7s ago; threshold is 3m0s". The kubelet's log repeats "skipping pod synchronization".
    /// No pod of the node is started, stopped or updated meanwhile.
    ///
    /// ## Why it happens
    /// Once a second the kubelet asks the runtime for all containers and compares them with
    /// the last time (the pod lifecycle event generator). When one such round takes longer
    /// than three minutes the kubelet declares its node unready. A few seconds over the
    /// threshold point to a runtime that is slow: too many pods, a slow disk, exec probes,
    /// processors at their limit; the node then comes and goes. Hours mean that the runtime
    /// hangs on one container.
    ///
    /// ## What we do
    /// 1. See how long the runtime takes to list its containers.
    /// 2. If it hangs: `systemctl daemon-reexec`, restart the runtime, then the kubelet.
    /// 3. If it is slow: see what loads the node, and move pods away.
    /// 4. Look whether other nodes stalled after they got the same workload.
    ///
    /// Do not delete pods by force: the node cannot stop their containers.
    ///
    /// ## How to avoid it
    /// At most 110 pods on a node, TCP or HTTP probes instead of exec, fast disks for the
    /// runtime, a current runtime.
    ///
    /// ## Sources
    /// kubernetes/kubernetes issues 45419 and 61117; Kubernetes documentation, "Considerations
    /// for large clusters" for the number of pods.
    id: "node-pleg-stalled",
    mechanisms: {
        "runtime-hung": "its container runtime does not answer",
        "runtime-slow": "its container runtime answers too slowly",
        "too-many-pods": "it has more pods than its kubelet can look at in time",
    },
    reads: [Node, Event, Pod],
    leads_to: [
        "node-container-gc-failing",
        "node-flapping",
        "node-not-ready",
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

/// Pods on one node that Kubernetes is tested with.
const TESTED_PODS: usize = 110;

/// A round that has lasted so long will not end by itself, in seconds.
const HUNG_SECONDS: i64 = 600;

fn detect(node: &Node, now: &Snapshot, findings: &mut Findings) {
    if runtime::is_stopped(node, now) {
        return;
    }
    let object = node.meta.object(Kind::Node);
    let name = &node.meta.name;
    let runtime = Runtime::of(node, now);
    let longest = runtime.pleg.iter().max_by_key(|s| pleg_seconds(s.text));
    let Some(sign) = longest else {
        let over = runtime.over.filter(|s| s.says(crate::wording::PLEG_STALLED));
        if let (Some(_), Some(Truth::True)) = (over, node.ready()) {
            findings.rule_out(KIND.id, object, "the node has become ready since it was said");
        }
        return;
    };
    let seconds = pleg_seconds(sign.text).unwrap_or(0);
    let pods = pods_on(node, now);
    let caused = !runtime.late.is_empty() || !runtime.refused.is_empty();
    let (mechanism, alternatives): (_, &[&'static str]) = if caused || seconds >= HUNG_SECONDS {
        ("runtime-hung", &["runtime-slow"])
    } else if pods > TESTED_PODS {
        ("too-many-pods", &["runtime-slow"])
    } else {
        ("runtime-slow", &["runtime-hung"])
    };
    let headline = format!(
        "node {name}: its kubelet has not seen its containers for {}: {}",
        model::duration_text(seconds),
        KIND.meaning(mechanism)
    );
    let unready = node.condition("Ready").filter(|c| c.status != Truth::True);
    let first = signs::since(&runtime.pleg);
    // A node that comes and goes has been so since its first change.
    let flaps = flaps::of(node, now).and_then(|f| f.first);
    let since = [first, flaps, unready.and_then(|c| c.since)].into_iter().flatten().min();
    let list = if runtime::unit(Some(node)) == "docker" { "docker ps" } else { "crictl ps" };
    let mut finding = Finding::new(KIND.id, mechanism, object, headline)
        .field("status.conditions[Ready].message", sign.text, "a round within 3m0s")
        .since(since)
        .evidence(runtime.pleg.iter().take(2).filter_map(|s| s.evidence()))
        .evidence(runtime.late.iter().take(2).filter_map(|s| s.evidence()))
        .impact(Impact { nodes: 1, ..Impact::default() })
        .unsure(Certainty::Likely, alternatives, format!("ssh {name} 'time {list}'"));
    finding.factors.extend(exec_probe_frequent::factors_on(name, now));
    if mechanism == "too-many-pods" {
        let fact = format!("{pods}; tested are {TESTED_PODS}");
        let object = finding.object.clone();
        finding.evidence.push(crate::evidence::field(node.meta.source, &object, "pods", fact));
    }
    findings.push(super::affected_pods(finding.state(State::Active), node, now));
}

/// Pods that are on the node and have not ended.
fn pods_on(node: &Node, now: &Snapshot) -> usize {
    now.pods_on(&node.meta.name).filter(|p| !p.is_finished()).count()
}

/// Nodes with more pods than Kubernetes is tested with.
fn exposed(now: &Snapshot, gaps: &mut Vec<Gap>) {
    for node in now.nodes.iter() {
        let pods = pods_on(node, now);
        if pods > TESTED_PODS {
            gaps.push(Gap {
                failure: KIND.id,
                object: node.meta.object(Kind::Node),
                field: "status.allocatable.pods".into(),
                why: format!("{pods} pods; the kubelet looks at all of them every second"),
            });
        }
    }
}

fn remedy(finding: &Finding, now: &Snapshot) -> Remedy {
    Remedy { next: runtime::steps(&finding.object.name, now), do_not: runtime::do_not() }
}

/// The number of pods is a setting of the kubelet on the machine; no object of the API has it.
fn prevent(_: &Gap, _: &Snapshot) -> Option<Patch> {
    None
}

fn rehearse() -> Option<Scenario> {
    let act = "The runtime of worker-2 answers each call only after four minutes.";
    Some(Scenario {
        story: "The runtime of one node becomes so slow that its kubelet loses sight of it.",
        acts: vec![(30, Act::Unmodelled(act))],
        found_within_seconds: 400,
    })
}

#[cfg(test)]
mod tests {
    use super::super::testing::{event, event_ago, node, pod};
    use super::KIND;
    use crate::testing::{check, check_gaps};

    fn stalled(ago: &str) -> String {
        format!("PLEG is not healthy: pleg was last seen active {ago} ago; threshold is 3m0s")
    }

    #[test]
    fn how_long_it_stalls_tells_slow_from_hung() {
        let slow = node("a", "False", &stalled("3m7.629592089s"));
        check(&KIND, &slow, &["runtime-slow node/a Likely Active"]);
        let hung = node("a", "False", &stalled("16h17m50.791825508s"));
        check(&KIND, &hung, &["runtime-hung node/a Likely Active"]);
        let event = event("a", "NodeNotReady", &stalled("2h33m12.7s"), 1);
        check(&KIND, &event, &["runtime-hung node/a Likely Active"]);
    }

    #[test]
    fn a_crowded_node_is_slow_for_that() {
        let crowd: String = (0..120).map(|i| pod(&format!("lamp{i}"), "a", "True")).collect();
        let yaml = node("a", "False", &stalled("3m2s")) + &crowd;
        check(&KIND, &yaml, &["too-many-pods node/a Likely Active"]);
        check_gaps(&KIND, &yaml, &["node/a status.allocatable.pods"]);
    }

    #[test]
    fn the_log_of_the_kubelet_tells_it_too() {
        for line in [
            format!("skipping pod synchronization - [{}]", stalled("3m25.306459083s")),
            format!("\"Skipping pod synchronization\" err=\"{}\"", stalled("3m33.7s")),
        ] {
            let mut builder = model::Builder::default();
            builder.logs.push(model::LogLines {
                name: "a".into(),
                namespace: "".into(),
                container: "".into(),
                unit: "kubelet".into(),
                previous: false,
                lines: vec![line],
                document: 0,
            });
            let lines = crate::testing::lines(&KIND, &builder.finish(None));
            assert_eq!(lines, ["runtime-slow node/a Likely Active"]);
        }
    }

    #[test]
    fn what_is_over_stays_quiet() {
        let over = node("a", "True", "") + &event_ago("a", "NodeNotReady", &stalled("4m"), 1, 7200);
        check(&KIND, &over, &[]);
        check(
            &KIND,
            &node("a", "False", "PLEG is not healthy: pleg has yet to be successful"),
            &[],
        );
    }
}
