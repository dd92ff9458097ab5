//! `node-unknown`: nobody hears from the node's kubelet any more.

use model::record::Node;
use model::{
    Act, Certainty, Finding, Findings, Forecast, Gap, Impact, Kind, Patch, Remedy, Scenario,
    Snapshot, Step, Truth,
};

use super::{cause, shared};

failure! {
    /// # Nobody hears from a node any more
    ///
    /// ## Signs
    /// The node's `Ready` condition is Unknown, reason NodeStatusUnknown, "Kubelet stopped
    /// posting node status."; its Lease is not renewed. This takes 40 s of silence up to
    /// Kubernetes 1.31 and 50 s since 1.32.
    ///
    /// ## Why it happens
    /// The machine is dead, the kubelet is dead or starved of memory, or the network between it
    /// and the API server is cut. From outside these look the same. `Unknown` is worse than
    /// not ready: nobody knows whether the node's pods still run.
    ///
    /// When many nodes go silent in the same minute the fault is more likely on the side of
    /// the control plane, or on the way to it, than on the nodes.
    ///
    /// ## What we do
    /// 1. Find out whether the machine answers by another way: its console, ssh, the cloud.
    /// 2. If it answers, look at the kubelet and at free memory, disk and processes.
    /// 3. If it is dead, power it off for certain before anything is forced.
    /// 4. Pods of Deployments are replaced after five minutes. Pods of StatefulSets and pods
    ///    without an owner are not: they wait until the node is back or is fenced.
    ///
    /// Never delete such pods by force while the machine may still run: the same volume would
    /// be written by two.
    ///
    /// ## How to avoid it
    /// Give containers memory limits, reserve memory for the system, spread replicas over nodes
    /// and zones.
    ///
    /// ## Sources
    /// Kubernetes documentation, "Node heartbeats"; release notes of 1.32 for the 50 s.
    id: "node-unknown",
    mechanisms: {
        "kubelet-down": "its kubelet does not run",
        "runtime-down": "its container runtime does not run",
        "host-down": "the machine is down",
        "network-cut": "the network to it is cut",
        "network-plugin-down": "its network plugin is not ready",
        "clock-skew": "its clock is wrong",
        "memory-exhausted": "it ran out of memory",
        "certificate-expired": "its kubelet's certificate is past its date",
        "disk-full": "its disk is full",
        "pid-exhausted": "no further process can be started on it",
    },
    reads: [Node, Event, Pod, Lease],
    leads_to: [
        "control-plane-degraded",
        "node-container-gc-failing",
        "node-flapping",
        "node-image-gc-timeout",
        "node-unknown",
        "pod-evicted-taint",
        "pod-pending-unschedulable",
        "pod-probe-failing",
        "pod-probe-failing-node-loaded",
        "pod-sandbox-failing",
        "pod-terminating-stuck",
        "pods-marked-but-running",
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

/// Pods bear a silent node for this long, unless they say otherwise.
const EVICTION_SECONDS: i64 = 300;

fn detect(node: &Node, now: &Snapshot, findings: &mut Findings) {
    let ready = node.condition("Ready");
    let status = ready.map(|c| c.status);
    let object = node.meta.object(Kind::Node);
    if status == Some(Truth::False) {
        return;
    }
    let Some(cause) = cause::of(node, now) else { return };
    let why = KIND.meaning(cause.mechanism);
    let silent = status == Some(Truth::Unknown);
    let peers = shared::peers((&node.meta.name, Truth::Unknown, ready.and_then(|c| c.since)), now);
    if let Some(all) = shared::cause(KIND.id, node, cause.mechanism, why, &peers, now) {
        findings.push(all);
    }
    let headline = match (silent, cause.certainty) {
        (true, Certainty::Possible) => {
            format!("nobody hears from node {} any more", node.meta.name)
        }
        (true, _) => format!("nobody hears from node {} any more: {why}", node.meta.name),
        (false, _) => format!("node {} is about to be lost: {why}", node.meta.name),
    };
    let mut finding = Finding::new(KIND.id, cause.mechanism, object.clone(), headline)
        .since(ready.filter(|_| silent).and_then(|c| c.since.or(c.heartbeat)))
        .evidence(cause.evidence)
        .impact(Impact { nodes: 1, ..Impact::default() });
    if silent {
        finding = finding.field("status.conditions[Ready]", "Unknown", "True");
    }
    if cause.certainty < Certainty::Proven {
        let look = format!("ssh {} systemctl status kubelet", node.meta.name);
        finding = finding.unsure(cause.certainty, cause.alternatives, look);
    }
    if let (true, Some(since)) = (now.has_time, finding.since) {
        let at = since.plus_seconds(EVICTION_SECONDS);
        if !now.now.has_come(at) {
            let what = format!("pods of {} are marked for deletion", node.meta.name);
            finding.forecast.push(Forecast { what, at });
        }
    }
    findings.push(super::affected_pods(finding, node, now));
}

/// Pods that nobody replaces when their node is lost.
fn exposed(now: &Snapshot, gaps: &mut Vec<Gap>) {
    for app in now.apps.iter().filter(|a| a.object.kind == Kind::Pod) {
        if app.running().any(|p| !p.node.is_empty()) {
            gaps.push(Gap {
                failure: KIND.id,
                object: app.object.clone(),
                field: "metadata.ownerReferences".into(),
                why: "a pod without an owner is not replaced when its node is lost".into(),
            });
        }
    }
}

fn remedy(finding: &Finding, now: &Snapshot) -> Remedy {
    let node = cause::node_of(finding);
    let look = Step::look(
        "See whether the machine answers, and its kubelet with it",
        format!("ssh {node} 'systemctl status kubelet; free -m; df -h; dmesg | tail'"),
    );
    let fence = Step::advice(
        "If the machine is dead, power it off for certain, then taint it out of service so \
         that StatefulSets move",
    );
    let repair = cause::steps(finding, now).into_iter().skip(1);
    Remedy {
        next: std::iter::once(look).chain(repair).chain([fence]).collect(),
        do_not: vec![
            "Do not delete its pods by force before the machine is known to be off: two could \
             write to one volume"
                .into(),
        ],
    }
}

/// A bare pod becomes safe by a controller that owns it; that is a new object, no patch.
fn prevent(_: &Gap, _: &Snapshot) -> Option<Patch> {
    None
}

fn rehearse() -> Option<Scenario> {
    Some(Scenario {
        story: "The kubelet of one node stops.",
        acts: vec![(30, Act::StopKubelet("worker-1"))],
        found_within_seconds: 60,
    })
}

#[cfg(test)]
mod tests {
    use super::KIND;
    use crate::testing::{check, lines, snapshot};

    const SILENT: &str = "
kind: Node
metadata: {name: a, creationTimestamp: 2026-01-01T00:00:00Z}
status:
  conditions:
  - {type: Ready, status: Unknown, reason: NodeStatusUnknown, lastTransitionTime: 2026-01-02T00:00:00Z,
     message: Kubelet stopped posting node status.}
";

    #[test]
    fn silence_alone_leaves_several_explanations() {
        check(&KIND, SILENT, &["kubelet-down node/a Possible Active"]);
    }

    #[test]
    fn out_of_memory_just_before_is_the_likely_cause() {
        let event = "
kind: Event
metadata: {name: a.1, namespace: default}
involvedObject: {kind: Node, name: a}
type: Warning
reason: SystemOOM
message: 'System OOM encountered, victim process: java, pid: 4711'
lastTimestamp: 2026-01-01T23:58:00Z
";
        let both = format!("{SILENT}\n---\n{event}");
        check(&KIND, &both, &["memory-exhausted node/a Likely Active"]);
        let old = both.replace("2026-01-01T23:58:00Z", "2026-01-01T10:00:00Z");
        check(&KIND, &old, &["kubelet-down node/a Possible Active"]);
    }

    #[test]
    fn a_unit_that_was_seen_stopped_proves_it() {
        let unit = |name: &str| model::UnitState {
            node: "a".into(),
            unit: name.into(),
            active: false,
            state: "inactive (dead)".into(),
            document: 0,
        };
        for (name, want) in [("kubelet", "kubelet-down"), ("containerd", "runtime-down")] {
            for yaml in [SILENT.to_owned(), SILENT.replace("Unknown,", "'True',")] {
                let mut now = snapshot(&yaml);
                now.units.push(unit(name));
                assert_eq!(lines(&KIND, &now), [format!("{want} node/a Proven Active")]);
            }
        }
    }

    fn with_log(unit: &str, line: &str) -> Vec<String> {
        let mut now = snapshot(SILENT);
        now.logs.push(model::LogLines {
            name: "a".into(),
            namespace: "".into(),
            container: "".into(),
            unit: unit.into(),
            previous: false,
            lines: vec![line.into()],
            document: 0,
        });
        lines(&KIND, &now)
    }

    #[test]
    fn logs_of_the_machine_tell_why_it_is_silent() {
        for (unit, line, want) in [
            (
                "kubelet",
                "Unable to authenticate: x509: certificate has expired",
                "certificate-expired",
            ),
            ("kubelet", "\"Failed to update lease\" err=\"dial tcp: i/o timeout\"", "network-cut"),
            ("kubelet", "write /var/lib/x: no space left on device", "disk-full"),
            ("sshd", "fork: retry: Resource temporarily unavailable", "pid-exhausted"),
            ("kernel", "Out of memory: Killed process 812 (kubelet)", "memory-exhausted"),
            ("kernel", "reboot: Power down", "host-down"),
            ("timedatectl", "System clock synchronized: no", "clock-skew"),
        ] {
            assert_eq!(with_log(unit, line), [format!("{want} node/a Likely Active")], "{line}");
        }
    }

    #[test]
    fn who_else_was_asked_tells_more() {
        let unit = |active: bool| {
            let mut now = snapshot(SILENT);
            now.units.push(model::UnitState {
                node: "a".into(),
                unit: "kubelet".into(),
                active,
                state: "active (running)".into(),
                document: 0,
            });
            lines(&KIND, &now)
        };
        assert_eq!(unit(true), ["network-cut node/a Likely Active"]);
        let off = SILENT.replace(
            "status:\n",
            "spec: {taints: [{key: node.cloudprovider.kubernetes.io/shutdown, effect: \
             NoSchedule}]}\nstatus:\n",
        );
        check(&KIND, &off, &["host-down node/a Proven Active"]);
    }

    #[test]
    fn nodes_of_a_zone_that_fall_at_once_have_one_cause() {
        let of = |name: &str, zone: &str, ready: &str| {
            let labels = format!("name: {name}, labels: {{topology.kubernetes.io/zone: {zone}}}");
            SILENT.replace("name: a", &labels).replace("Unknown,", ready)
        };
        let zone = of("a", "east", "Unknown,") + "---" + &of("b", "east", "Unknown,");
        check(
            &KIND,
            &(zone + "---" + &of("c", "west", "'True',")),
            &[
                "kubelet-down cluster/zone-east Possible Active",
                "kubelet-down node/a Possible Active",
                "kubelet-down node/b Possible Active",
            ],
        );
    }

    #[test]
    fn look_alikes_stay_quiet() {
        check(&KIND, &SILENT.replace("Unknown,", "'True',"), &[]);
        check(&KIND, &SILENT.replace("Unknown,", "'False',"), &[]);
    }
}
