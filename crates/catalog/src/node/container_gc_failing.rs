//! `node-container-gc-failing`: the kubelet cannot remove dead containers.

use model::record::Node;
use model::{
    Act, Certainty, Finding, Findings, Gap, Kind, Patch, Remedy, Risk, Role, Scenario, Snapshot,
    Step,
};

use super::{runtime, signs};
use crate::wording;

failure! {
    /// # A node cannot remove dead containers
    ///
    /// ## Signs
    /// Events ContainerGCFailed on the node, one a minute: "(x543 over 27h)".
    ///
    /// ## Why it happens
    /// Every minute the kubelet lists the containers and removes the dead ones. When the call
    /// ends with DeadlineExceeded the runtime hangs; when its socket refuses, it is down. Both
    /// concern the whole node, and this event is only the first to say so. When a single
    /// container cannot be removed ("device or resource busy", a file that is gone), the rest
    /// of the node is well, but dead containers gather and fill its disk.
    ///
    /// ## What we do
    /// 1. See whether the runtime lists its containers in time.
    /// 2. If not, treat it as a runtime that hangs.
    /// 3. If it does, remove the container that resists by hand.
    ///
    /// ## How to avoid it
    /// A current runtime; watch how long its calls take.
    ///
    /// ## Sources
    /// Kubernetes documentation, "Garbage collection"; kubernetes/kubernetes issue 81290.
    id: "node-container-gc-failing",
    mechanisms: {
        "runtime-hung": "its container runtime does not answer in time",
        "runtime-down": "its container runtime does not run",
        "removal-failed": "a dead container cannot be removed",
    },
    reads: [Node, Event],
    leads_to: ["node-disk-pressure", "node-image-gc-failing"],
    detect: Nodes(detect),
    exposed: exposed,
    remedy: remedy,
    prevent: prevent,
    rehearse: rehearse,
}

/// Fewer failures than this happen to every node.
const SOME: u32 = 3;

fn detect(node: &Node, now: &Snapshot, findings: &mut Findings) {
    let object = node.meta.object(Kind::Node);
    let all = signs::of(node, now).into_iter().filter(|s| s.is_event("ContainerGCFailed"));
    let (current, over): (Vec<_>, Vec<_>) = all.partition(|s| s.is_current(node, now));
    if current.is_empty() {
        if let Some(last) = over.iter().filter_map(|s| s.last).max() {
            findings.rule_out(KIND.id, object, format!("it failed last at {last}"));
        }
        return;
    }
    let count: u32 = current.iter().map(|s| s.count).sum();
    let (mechanism, certainty) = if current.iter().any(|s| s.says(wording::RUNTIME_REFUSED)) {
        ("runtime-down", Certainty::Proven)
    } else if current.iter().any(|s| runtime::is_late(s.text)) {
        ("runtime-hung", if count >= SOME { Certainty::Proven } else { Certainty::Possible })
    } else if count >= SOME {
        ("removal-failed", Certainty::Likely)
    } else {
        return;
    };
    let name = &node.meta.name;
    let often = if count > 1 { format!(" ({count} times)") } else { String::new() };
    let headline =
        format!("node {name} could not remove dead containers{often}: {}", KIND.meaning(mechanism));
    let mut finding = Finding::new(KIND.id, mechanism, object.clone(), headline)
        .since(signs::since(&current))
        .evidence(current.iter().take(2).filter_map(|s| s.evidence()));
    if certainty < Certainty::Proven {
        let look = format!("ssh {name} 'time timeout 20 crictl ps -a'");
        finding = finding.unsure(certainty, &["runtime-hung"], look);
    }
    finding = match mechanism {
        "removal-failed" => finding.affects(object, "dead containers stay and take disk space"),
        _ => finding.role(Role::Symptom),
    };
    findings.push(finding);
}

/// Nothing of the API protects from it.
fn exposed(_: &Snapshot, _: &mut Vec<Gap>) {}

fn remedy(finding: &Finding, now: &Snapshot) -> Remedy {
    let name = &finding.object.name;
    if finding.mechanism != "removal-failed" {
        return Remedy { next: runtime::steps(name, now), do_not: runtime::do_not() };
    }
    Remedy {
        next: vec![
            Step::look(
                "List the dead containers",
                format!("ssh {name} crictl ps -a --state exited"),
            ),
            Step {
                what: "Remove the one named in the message".into(),
                command: Some(format!("ssh {name} sudo crictl rm CONTAINER-ID")),
                risk: Risk::Destructive,
                undo: None,
            },
        ],
        do_not: vec![
            "Do not delete directories below the runtime's own by hand: it loses track of what \
             it has"
                .into(),
        ],
    }
}

fn prevent(_: &Gap, _: &Snapshot) -> Option<Patch> {
    None
}

fn rehearse() -> Option<Scenario> {
    let act = "One dead container of worker-3 cannot be removed, as its mount is busy.";
    Some(Scenario {
        story: "A dead container of one node resists removal.",
        acts: vec![(30, Act::Unmodelled(act))],
        found_within_seconds: 400,
    })
}

#[cfg(test)]
mod tests {
    use super::super::testing::{event, event_ago, node};
    use super::KIND;
    use crate::testing::check;

    const LATE: &str = "rpc error: code = DeadlineExceeded desc = context deadline exceeded";

    #[test]
    fn the_message_says_what_is_behind_it() {
        let refused = "rpc error: code = Unknown desc = Cannot connect to the Docker daemon";
        let busy = "failed to remove container: unlinkat /x: device or resource busy";
        for (text, count, want) in [
            (LATE, 543, "runtime-hung node/a Proven Active"),
            (LATE, 1, "runtime-hung node/a Possible Active"),
            (refused, 1, "runtime-down node/a Proven Active"),
            (busy, 20, "removal-failed node/a Likely Active"),
        ] {
            check(&KIND, &event("a", "ContainerGCFailed", text, count), &[want]);
        }
    }

    #[test]
    fn look_alikes_stay_quiet() {
        let over = node("a", "True", "") + &event_ago("a", "ContainerGCFailed", LATE, 9, 7200);
        check(&KIND, &over, &[]);
        check(&KIND, &event("a", "ContainerGCFailed", "busy", 1), &[]);
        check(&KIND, &event("a", "ImageGCFailed", LATE, 9), &[]);
    }
}
