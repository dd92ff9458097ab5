//! `node-flapping`: a node becomes ready and unready again and again.

use model::record::Node;
use model::{
    Act, Certainty, Evidence, Finding, Findings, Gap, Impact, Kind, ObjectRef, Patch, Remedy,
    Scenario, Snapshot, State, Step, Truth,
};

use super::flaps::{self, Flaps};
use super::runtime::{self, Runtime};
use super::signs;
use crate::evidence;
use crate::wording;

failure! {
    /// # A node comes and goes
    ///
    /// ## Signs
    /// Ready changes more than twice within fifteen minutes: events NodeNotReady and NodeReady
    /// with high counts. Pods of the node drop out of their Services and come back each time.
    ///
    /// ## Why it happens
    /// Something hovers around a limit: the runtime needs a little more than three minutes for
    /// its list of containers (PLEG), the machine is so loaded that heartbeats are late, memory
    /// runs out and is freed by the kernel, or the network between node and API server drops
    /// packets. Each change costs more than either state: endpoints are rewritten everywhere,
    /// and after five minutes in the wrong state pods are evicted.
    ///
    /// ## What we do
    /// 1. Do not evict: the node is back before its pods are.
    /// 2. Find what all flaps share: the message in Ready while it was False, memory, load,
    ///    other nodes of the same zone, kernel or version.
    /// 3. Cordon the node, so that nothing new is caught in it.
    ///
    /// Where half of the nodes or more come and go together, no machine is at fault: look at
    /// what they share, the way to the API server and the control plane itself.
    ///
    /// A machine that is restarted once changes twice. That is no flapping.
    ///
    /// ## How to avoid it
    /// Room on each node for its own work; alerts on the number of changes, not only on the
    /// state: between two looks a flapping node is well.
    ///
    /// ## Sources
    /// kubernetes/kubernetes issue 45419; Kubernetes documentation, "Node status".
    id: "node-flapping",
    mechanisms: {
        "runtime-slow": "its container runtime is near its limit of time",
        "memory-exhausted": "it runs out of memory again and again",
        "node-overloaded": "it is so loaded that its heartbeats are late",
        "network-plugin-down": "its network plugin comes and goes",
        "network-cut": "its heartbeats are lost on the way",
    },
    reads: [Node, Event, Pod],
    leads_to: [
        "node-not-ready",
        "node-unknown",
        "pod-evicted-taint",
        "pod-probe-failing",
        "pod-probe-failing-node-loaded",
        "service-without-endpoints",
    ],
    detect: Cluster(detect),
    exposed: exposed,
    remedy: remedy,
    prevent: prevent,
    rehearse: rehearse,
}

/// A node that was quiet for so long is on its way back, in seconds.
const CALM_SECONDS: i64 = 900;

/// So many nodes that come and go together, and at least half of all, share a reason.
const TOGETHER: usize = 3;

/// Nodes whose changes are told one by one.
const TOLD: usize = 4;

/// A node that comes and goes, and why.
struct Flapping<'s> {
    node: &'s Node,
    flaps: Flaps,
    mechanism: &'static str,
    certainty: Certainty,
    fact: Option<Evidence>,
}

fn detect(now: &Snapshot, findings: &mut Findings) {
    let mut sick: Vec<Flapping<'_>> = Vec::new();
    let mut well: Vec<&Node> = Vec::new();
    for node in now.known_nodes() {
        let Some(flaps) = flaps::of(node, now) else {
            well.push(node);
            continue;
        };
        let (mechanism, certainty, fact) = cause(node, now);
        sick.push(Flapping { node, flaps, mechanism, certainty, fact });
    }
    if sick.len() >= TOGETHER && sick.len() >= well.len() {
        return findings.push(together(&sick, sick.len() + well.len(), now));
    }
    let trait_of_all = shared(&sick, &well);
    for flapping in sick {
        findings.found.extend(alone(flapping, trait_of_all.as_ref(), now));
    }
}

/// One finding for all: when half of the nodes come and go, it is what they share.
fn together(sick: &[Flapping<'_>], all: usize, now: &Snapshot) -> Finding {
    let own = sick.first().map_or("network-cut", |f| f.mechanism);
    let mechanism = if sick.iter().all(|f| f.mechanism == own) { own } else { "network-cut" };
    let count = sick.len();
    let why = match mechanism {
        "network-cut" => "perhaps the way to the API server, or the control plane itself",
        other => KIND.meaning(other),
    };
    let headline = format!("{count} of {all} nodes change between ready and not together: {why}");
    let object = ObjectRef::new(Kind::Cluster, "", "nodes");
    let others: &[&'static str] = match mechanism {
        "network-cut" => &["node-overloaded", "runtime-slow"],
        _ => &["network-cut"],
    };
    let look = "kubectl get --raw '/readyz?verbose'; kubectl get leases -n kube-node-lease; \
                kubectl logs -n kube-system -l component=kube-apiserver --tail=50";
    let mut finding = Finding::new(KIND.id, mechanism, object, headline)
        .since(sick.iter().filter_map(|f| f.flaps.first).min())
        .impact(Impact { nodes: u32::try_from(count).unwrap_or(u32::MAX), ..Impact::default() })
        .unsure(Certainty::Possible, others, look);
    for f in sick {
        if finding.evidence.len() < TOLD {
            finding = finding.evidence(f.flaps.evidence.first().cloned());
        }
        let how = format!("changed {} times", f.flaps.changes);
        finding = finding.affects(f.node.meta.object(Kind::Node), how);
    }
    let calm = |f: &Flapping<'_>| f.flaps.last.is_some_and(|t| now.now.since(t) > CALM_SECONDS);
    let ready = |f: &Flapping<'_>| f.node.ready() == Some(Truth::True);
    if sick.iter().all(|f| calm(f) && ready(f)) {
        finding = finding.state(State::Recovering);
    }
    finding
}

fn alone(
    flapping: Flapping<'_>,
    trait_of_all: Option<&(&'static str, String)>,
    now: &Snapshot,
) -> Option<Finding> {
    let Flapping { node, flaps, mechanism, certainty, fact } = flapping;
    let object = node.meta.object(Kind::Node);
    let down = node.ready().is_some_and(|r| r != Truth::True);
    let stopped = now.units_of(&node.meta.name).any(|u| !u.active && u.unit == "kubelet");
    // A node that is down now is told by the kinds about that, unless its changes tell more.
    if stopped || runtime::is_stopped(node, now) || (down && certainty == Certainty::Possible) {
        return None;
    }
    let name = &node.meta.name;
    let span = flaps.last.zip(flaps.first).map(|(l, f)| l.since(f)).filter(|s| *s > 0);
    let span = span.map(|s| format!(" within {}", model::duration_text(s))).unwrap_or_default();
    let why = match certainty {
        Certainty::Possible => String::new(),
        _ => format!(": {}", KIND.meaning(mechanism)),
    };
    let headline =
        format!("node {name} changed between ready and not {} times{span}{why}", flaps.changes);
    let others: &[&'static str] = match mechanism {
        "network-cut" => &["runtime-slow", "node-overloaded"],
        _ => &["network-cut"],
    };
    let look = format!(
        "ssh {name} 'journalctl -u kubelet --since -1h | grep -iE \"pleg|notready|deadline|oom\"'"
    );
    let common = trait_of_all
        .map(|(name, text)| evidence::field(node.meta.source, &object, *name, text.clone()));
    let mut finding = Finding::new(KIND.id, mechanism, object, headline)
        .since(flaps.first)
        .evidence(flaps.evidence)
        .evidence(fact)
        .evidence(common)
        .impact(Impact { nodes: 1, ..Impact::default() });
    if certainty < Certainty::Proven {
        finding = finding.unsure(certainty, others, look);
    }
    let calm = flaps.last.is_some_and(|t| now.now.since(t) > CALM_SECONDS);
    if calm && node.ready() == Some(Truth::True) {
        finding = finding.state(State::Recovering);
    }
    Some(super::affected_pods(finding, node, now))
}

/// What all flaps may share, from everything said about the node, also what is over.
fn cause(node: &Node, now: &Snapshot) -> (&'static str, Certainty, Option<Evidence>) {
    let all = signs::of(node, now);
    let find = |words: &[&str]| all.iter().find(|s| s.says(words)).and_then(|s| s.evidence());
    let runtime = Runtime::of(node, now);
    let late = runtime.late.first().or(runtime.said_down.first()).and_then(|s| s.evidence());
    if let Some(fact) = find(wording::PLEG_STALLED).or(late) {
        return ("runtime-slow", Certainty::Likely, Some(fact));
    }
    let oom = all.iter().find(|s| {
        let memory = s.is_event("SystemOOM") || s.is_event("OOMKilling");
        memory || (s.is_event("NodeHasInsufficientMemory") && s.count > 1)
    });
    if let Some(sign) = oom {
        return ("memory-exhausted", Certainty::Likely, sign.evidence());
    }
    if let Some(fact) = super::load::evidence_of_load(node, now) {
        return ("node-overloaded", Certainty::Likely, Some(fact));
    }
    if let Some(fact) = find(wording::NETWORK_PLUGIN_DOWN) {
        return ("network-plugin-down", Certainty::Likely, Some(fact));
    }
    ("network-cut", Certainty::Possible, None)
}

/// What the nodes that flap share and the others have not.
fn shared(sick: &[Flapping<'_>], well: &[&Node]) -> Option<(&'static str, String)> {
    if sick.len() < 2 || well.is_empty() {
        return None;
    }
    let traits = |n: &Node| -> [(&'static str, String); 3] {
        [
            ("zone", n.zone().to_owned()),
            ("kubelet version", n.kubelet_version.to_string()),
            ("container runtime", n.runtime.to_string()),
        ]
    };
    let own = traits(sick.first()?.node);
    let (name, value) = own.into_iter().find(|own| {
        let has = |n: &Node| traits(n).contains(own);
        !own.1.is_empty() && sick.iter().all(|f| has(f.node)) && !well.iter().any(|n| has(n))
    })?;
    let text = format!("{value}, as all {} nodes that come and go and no other", sick.len());
    Some((name, text))
}

/// What lets a node hover at a limit is asked about by the kinds of these limits.
fn exposed(_: &Snapshot, _: &mut Vec<Gap>) {}

fn remedy(finding: &Finding, _: &Snapshot) -> Remedy {
    if finding.object.kind == Kind::Cluster {
        return remedy_of_all(finding);
    }
    let node = &finding.object.name;
    Remedy {
        next: vec![
            Step::change(
                "Keep new pods away; leave those it has",
                format!("kubectl cordon {node}"),
                format!("kubectl uncordon {node}"),
            ),
            Step::look(
                "Read what its kubelet said at each change",
                format!(
                    "ssh {node} 'journalctl -u kubelet --since -1h | grep -iE \
                     \"pleg|deadline|oom|lease|timeout\"'"
                ),
            ),
            Step::look(
                "See memory, load and processes while it is away",
                format!("ssh {node} 'uptime; free -m; ps -e --no-headers | wc -l; df -h'"),
            ),
        ],
        do_not: vec![
            "Do not evict or drain because of one change: the node is back before its pods are"
                .into(),
            "Do not raise the node monitor's grace: it hides the changes and not their cause"
                .into(),
        ],
    }
}

fn remedy_of_all(finding: &Finding) -> Remedy {
    let look = finding.decide.clone().unwrap_or_else(|| "kubectl get --raw /readyz".into());
    Remedy {
        next: vec![
            Step::look("Look at the API server, and at who renews its lease", look),
            Step::look(
                "See whether the nodes change at the same seconds",
                "kubectl get events -A --field-selector involvedObject.kind=Node \
                 --sort-by=.lastTimestamp",
            ),
            Step::advice("Look at the load balancer and the network between nodes and API server"),
        ],
        do_not: vec![
            "Do not drain or replace nodes one by one: what they share follows to the next".into(),
        ],
    }
}

fn prevent(_: &Gap, _: &Snapshot) -> Option<Patch> {
    None
}

fn rehearse() -> Option<Scenario> {
    Some(Scenario {
        story: "The kubelet of one node stops and starts several times.",
        acts: vec![
            (30, Act::StopKubelet("worker-4")),
            (120, Act::StartKubelet("worker-4")),
            (240, Act::StopKubelet("worker-4")),
            (330, Act::StartKubelet("worker-4")),
            (450, Act::StopKubelet("worker-4")),
            (540, Act::StartKubelet("worker-4")),
        ],
        found_within_seconds: 700,
    })
}

#[cfg(test)]
mod tests {
    use super::super::testing::{event, event_ago, node};
    use super::KIND;
    use crate::testing::check;

    const PLEG: &str = "PLEG is not healthy: pleg was last seen active 3m7s ago; threshold is 3m0s";

    #[test]
    fn what_the_flaps_share_is_named() {
        let lost = event("a", "NodeNotReady", "Node a status is now: NodeNotReady", 6);
        let yaml = node("a", "True", "") + &lost;
        check(&KIND, &yaml, &["network-cut node/a Possible Active"]);
        let slow = node("a", "False", PLEG) + &lost;
        check(&KIND, &slow, &["runtime-slow node/a Likely Active"]);
        let oom = yaml + &event("a", "SystemOOM", "System OOM encountered", 2);
        check(&KIND, &oom, &["memory-exhausted node/a Likely Active"]);
    }

    #[test]
    fn both_directions_are_counted_once_for_each_speaker() {
        let both = event("a", "NodeNotReady", "", 4) + &event("a", "NodeReady", "", 4);
        check(&KIND, &both, &["network-cut node/a Possible Active"]);
        // The kubelet and the node controller say the same.
        let from = |who: &str, at: &str| {
            event("a", "NodeNotReady", "", 1)
                .replace("type: Warning", &format!("type: Normal\nsource: {{component: {who}}}"))
                .replace("a.NodeNotReady", at)
        };
        let twice = from("kubelet", "a.1") + &from("node-controller", "a.2");
        check(&KIND, &(twice + &event("a", "NodeReady", "", 1)), &[]);
    }

    #[test]
    fn many_at_once_have_one_cause() {
        let flap = |n: &str| node(n, "True", "") + &event(n, "NodeNotReady", "", 6);
        let three = flap("a") + &flap("b") + &flap("c");
        check(&KIND, &three, &["network-cut cluster/nodes Possible Active"]);
        let most = three.clone() + &node("d", "True", "") + &node("e", "True", "");
        check(&KIND, &most, &["network-cut cluster/nodes Possible Active"]);
        // The same reason on each of them is what they share.
        let oom = |n: &str| flap(n) + &event(n, "SystemOOM", "System OOM encountered", 2);
        let all = oom("a") + &oom("b") + &oom("c");
        check(&KIND, &all, &["memory-exhausted cluster/nodes Possible Active"]);
        // Two, or a few of many, stay what they are.
        let two = flap("a") + &flap("b");
        let own = ["network-cut node/a Possible Active", "network-cut node/b Possible Active"];
        check(&KIND, &two, &own);
        let many: String = ["d", "e", "f", "g"].map(|n| node(n, "True", "")).concat();
        let few = three + &many;
        let third = "network-cut node/c Possible Active";
        check(&KIND, &few, &[own[0], own[1], third]);
    }

    #[test]
    fn look_alikes_stay_quiet() {
        let down = node("a", "Unknown", "") + &event("a", "NodeNotReady", "", 6);
        check(&KIND, &down, &[]);
        let restart = event("a", "NodeNotReady", "", 1) + &event("a", "NodeReady", "", 1);
        check(&KIND, &(node("a", "True", "") + &restart), &[]);
        let old = node("a", "True", "") + &event_ago("a", "NodeNotReady", "", 9, 7200);
        check(&KIND, &old, &[]);
    }
}
