//! `node-not-ready`: the kubelet reports that its node cannot run pods.

use model::record::Node;
use model::{
    Act, Certainty, Finding, Findings, Gap, Impact, Kind, Patch, Remedy, Scenario, Snapshot, Truth,
};

use super::{cause, shared};
use crate::wording::{self, says};

failure! {
    /// # A node is not ready
    ///
    /// ## Signs
    /// The node's `Ready` condition is False. The kubelet still answers and its message says
    /// what is missing: the container runtime, the network plugin, a certificate, disk space.
    ///
    /// ## Why it happens
    /// The kubelet checks its runtime and network every few seconds and reports the node
    /// unready as soon as one of them fails. New pods stay away; pods on it are taken out of
    /// their Services and, when the node does not come back, deleted after five minutes (the
    /// tolerations of each pod decide).
    ///
    /// ## What we do
    /// 1. Read the condition's message: it names the part that is missing.
    /// 2. Look at that part on the node: the runtime, the network plugin's pod, the disk.
    /// 3. Repair the part; restart the runtime before the kubelet.
    /// 4. Only when it cannot be repaired: cordon, drain, replace.
    ///
    /// Do not replace nodes one by one while several fail together: what makes them fail
    /// follows to the next one.
    ///
    /// ## How to avoid it
    /// Reserve memory and disk for the system, give containers limits, watch the runtime and
    /// the network plugin themselves, and keep room for the pods of one node.
    ///
    /// ## Sources
    /// Kubernetes documentation, "Node status" and "Taint based evictions".
    id: "node-not-ready",
    mechanisms: {
        "kubelet-down": "its kubelet does not run",
        "runtime-down": "its container runtime does not answer",
        "network-plugin-down": "its network plugin is not ready",
        "addresses-exhausted": "the cluster has no range of addresses left for its pods",
        "host-down": "the machine is being switched off",
        "network-cut": "its kubelet does not reach the API server",
        "certificate-expired": "a certificate is past its date or not trusted",
        "clock-skew": "its clock is wrong",
        "disk-full": "its disk is full",
        "pid-exhausted": "no further process can be started on it",
        "memory-exhausted": "it is out of memory",
    },
    reads: [Node, Event, Pod],
    leads_to: [
        "control-plane-degraded",
        "node-container-gc-failing",
        "node-flapping",
        "node-image-gc-timeout",
        "node-not-ready",
        "pod-evicted-taint",
        "pod-pending-unschedulable",
        "pod-probe-failing",
        "pod-probe-failing-node-loaded",
        "pod-sandbox-failing",
        "pod-terminating-stuck",
        "service-without-endpoints",
        "slo-burning",
        "statefulset-pod-unknown",
    ],
    detect: Nodes(detect),
    exposed: exposed,
    remedy: remedy,
    prevent: prevent,
    rehearse: rehearse,
}

fn detect(node: &Node, now: &Snapshot, findings: &mut Findings) {
    let Some(ready) = node.condition("Ready") else { return };
    let object = node.meta.object(Kind::Node);
    match ready.status {
        Truth::True => return recovered(node, now, findings),
        Truth::Unknown => return,
        Truth::False => {}
    }
    let stops = says(ready.message(), wording::SHUTTING_DOWN);
    if (stops || says(ready.message(), wording::KUBELET_STARTING)) && node.is_cordoned() {
        let why = "it is cordoned and stops or starts: somebody works on it";
        return findings.rule_out(KIND.id, object, why);
    }
    let Some(cause) = cause::of(node, now) else { return };
    let why = KIND.meaning(cause.mechanism);
    let peers = shared::peers((&node.meta.name, Truth::False, ready.since), now);
    if let Some(all) = shared::cause(KIND.id, node, cause.mechanism, why, &peers, now) {
        findings.push(all);
    }
    let headline = format!("node {} is not ready: {why}", node.meta.name);
    let mut finding = Finding::new(KIND.id, cause.mechanism, object.clone(), headline)
        .field("status.conditions[Ready]", "False", "True")
        .since(ready.since)
        .evidence(cause.evidence)
        .impact(Impact { nodes: 1, ..Impact::default() });
    if cause.certainty < Certainty::Proven {
        let look = format!("kubectl describe {}", object.for_kubectl());
        finding = finding.unsure(cause.certainty, cause.alternatives, look);
    }
    findings.push(super::affected_pods(finding, node, now));
}

/// A node that was unready within the hour and is ready now is said to be recovered.
fn recovered(node: &Node, now: &Snapshot, findings: &mut Findings) {
    let object = node.meta.object(Kind::Node);
    let since = node.condition("Ready").and_then(|c| c.since);
    let events = now.events_about(&object).iter().filter(|e| e.reason == "NodeNotReady");
    let Some(last) = events.filter_map(|e| crate::evidence::last_time(e, now)).max() else {
        return;
    };
    if since.is_none_or(|s| s >= last) && now.now.since(last) < 3600 {
        let since = since.map(|s| format!(" since {s}")).unwrap_or_default();
        findings.rule_out(KIND.id, object, format!("not ready at {last}, ready{since}"));
    }
}

/// A node that keeps no memory for its own kubelet and runtime loses them first.
fn exposed(now: &Snapshot, gaps: &mut Vec<Gap>) {
    for node in now.nodes.iter() {
        let (has, gives) = (node.capacity.amount("memory"), node.allocatable.amount("memory"));
        if has.is_positive() && gives == has {
            gaps.push(Gap {
                failure: KIND.id,
                object: node.meta.object(Kind::Node),
                field: "status.allocatable.memory".into(),
                why: "all memory is given to pods; none is kept for kubelet and runtime".into(),
            });
        }
    }
}

fn remedy(finding: &Finding, now: &Snapshot) -> Remedy {
    Remedy {
        next: cause::steps(finding, now),
        do_not: vec![
            "Do not replace nodes one by one while several fail: what breaks them moves on".into(),
        ],
    }
}

/// Reserved memory is a setting of the kubelet on the machine; no object of the API has it.
fn prevent(_: &Gap, _: &Snapshot) -> Option<Patch> {
    None
}

fn rehearse() -> Option<Scenario> {
    Some(Scenario {
        story: "The container runtime of one node stops answering.",
        acts: vec![(30, Act::StopRuntime("worker-1"))],
        found_within_seconds: 240,
    })
}

#[cfg(test)]
mod tests {
    use super::KIND;
    use crate::testing::{check, check_gaps};

    fn node(status: &str, reason: &str, message: &str) -> String {
        format!(
            "kind: Node\nmetadata: {{name: a, creationTimestamp: 2026-01-01T00:00:00Z}}\n\
             status:\n  conditions:\n  - {{type: Ready, status: '{status}', reason: {reason}, \
             message: '{message}', lastTransitionTime: 2026-01-02T00:00:00Z}}\n"
        )
    }

    #[test]
    fn a_node_that_keeps_no_memory_for_itself_is_exposed() {
        let memory = |given: &str| {
            format!(
                "{}  capacity: {{memory: 8Gi}}\n  allocatable: {{memory: {given}}}\n",
                node("True", "KubeletReady", "")
            )
        };
        check_gaps(&KIND, &memory("8Gi"), &["node/a status.allocatable.memory"]);
        check_gaps(&KIND, &memory("7Gi"), &[]);
    }

    #[test]
    fn the_message_names_the_part_that_is_missing() {
        for (message, want) in [
            ("PLEG is not healthy: pleg was last seen active 3m7s ago", "runtime-down"),
            ("container runtime is down", "runtime-down"),
            (
                "container runtime network not ready: NetworkReady=false \
                 reason:NetworkPluginNotReady message:Network plugin returns error: cni plugin \
                 not initialized",
                "network-plugin-down",
            ),
            ("runtime network not ready: cni config uninitialized", "network-plugin-down"),
        ] {
            let line = format!("{want} node/a Proven Active");
            check(&KIND, &node("False", "KubeletNotReady", message), &[&line]);
        }
        let unclear = "kubelet-down node/a Possible Active";
        check(&KIND, &node("False", "KubeletNotReady", "something new"), &[unclear]);
    }

    #[test]
    fn a_clock_is_told_from_a_certificate_that_is_past_its_date() {
        let text = |rest: &str| {
            format!("x509: certificate has expired or is not yet valid: current time {rest}")
        };
        for (rest, want) in [
            ("2026-01-02T00:00:00Z is after 2026-01-01T00:00:00Z", "certificate-expired"),
            ("2020-01-02T00:00:00Z is before 2025-01-01T00:00:00Z", "clock-skew"),
        ] {
            let line = format!("{want} node/a Proven Active");
            check(&KIND, &node("False", "KubeletNotReady", &text(rest)), &[&line]);
        }
    }

    #[test]
    fn nodes_that_fall_at_once_have_one_cause() {
        let text = "runtime network not ready: NetworkReady=false cni plugin not initialized";
        let one = |name: &str| {
            node("False", "KubeletNotReady", text).replace("name: a", &format!("name: {name}"))
        };
        let three = ["a", "b", "c"].map(one).join("---\n");
        check(
            &KIND,
            &three,
            &[
                "network-plugin-down component/network-plugin Proven Active",
                "network-plugin-down node/a Proven Active",
                "network-plugin-down node/b Proven Active",
                "network-plugin-down node/c Proven Active",
            ],
        );
    }

    #[test]
    fn look_alikes_stay_quiet() {
        check(&KIND, &node("True", "KubeletReady", "kubelet is posting ready status"), &[]);
        check(&KIND, &node("Unknown", "NodeStatusUnknown", "Kubelet stopped posting"), &[]);
        let rebooting = node("False", "KubeletNotReady", "kubelet is starting")
            .replace("status:\n", "spec: {unschedulable: true}\nstatus:\n");
        check(&KIND, &rebooting, &[]);
    }
}
