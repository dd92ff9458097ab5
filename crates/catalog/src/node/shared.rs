//! Many nodes that are lost at once have one cause: it is told once, and the nodes follow.

use model::record::Node;
use model::{Certainty, Finding, Kind, ObjectRef, Snapshot, Timestamp, Truth};

use crate::wording::{NETWORK_PLUGINS, says};

/// Nodes that fall within this many seconds of each other fell at once, not in turn.
pub(super) const AT_ONCE_SECONDS: i64 = 60;

/// So many of the nodes that fell at once, by name, ask what they share: where thousands fall,
/// not each of them asks all the others.
const TELLERS: usize = 16;

/// A node in the same state as others, with why and since when.
pub(super) type Peer<'s> = (&'s Node, &'static str, Option<Timestamp>);

/// Nodes in the same state since nearly the same time, each with why.
pub(super) fn peers<'s>(
    (name, status, since): (&str, Truth, Option<Timestamp>),
    now: &'s Snapshot,
) -> Vec<Peer<'s>> {
    let near = |n: &&Node| {
        let ready = n.condition("Ready").filter(|c| c.status == status);
        let both = ready.and_then(|c| c.since).zip(since);
        both.is_some_and(|(a, b)| a.since(b).abs() <= AT_ONCE_SECONDS)
    };
    let together: Vec<&Node> = now.nodes.iter().filter(near).collect();
    if !together.iter().take(TELLERS).any(|n| n.meta.name == name) {
        return Vec::new();
    }
    let peer =
        |n: &'s Node| Some((n, super::cause::of(n, now)?.mechanism, n.condition("Ready")?.since));
    together.into_iter().filter_map(peer).collect()
}

/// The cause of all nodes that fell at once with `node` for the same reason; told for the first
/// of them only, by name. `None` when it fell alone.
pub(super) fn cause<'s>(
    id: &'static str,
    node: &Node,
    mechanism: &'static str,
    why: &str,
    peers: &[Peer<'s>],
    now: &Snapshot,
) -> Option<Finding> {
    let own = peers.iter().find(|(n, ..)| n.meta.name == node.meta.name)?.2?;
    let together = |p: &&Peer<'_>| {
        p.1 == mechanism && p.2.is_some_and(|t| t.since(own).abs() <= AT_ONCE_SECONDS)
    };
    let group: Vec<&Peer<'_>> = peers.iter().filter(together).collect();
    let first = group.first().is_some_and(|(n, ..)| n.meta.name == node.meta.name);
    if group.len() < 2 || !first {
        return None;
    }
    let zone = |n: &Node| n.zone().to_owned();
    let common = zone(node);
    let whole = !common.is_empty()
        && group.iter().all(|(n, ..)| zone(n) == common)
        && now.nodes.iter().any(|n| zone(n) != common);
    let (object, place) = match mechanism {
        "network-plugin-down" => (network_plugin(now), String::new()),
        _ if whole => (
            ObjectRef::new(Kind::Cluster, "", &format!("zone-{common}")),
            format!(" of zone {common}"),
        ),
        _ => (ObjectRef::new(Kind::Cluster, "", "nodes"), String::new()),
    };
    let count = group.len();
    let all = now.nodes.iter().filter(|n| !whole || zone(n) == common).count();
    let headline = format!("{count} of {all} nodes{place} were lost at once: {why}");
    let mut finding = Finding::new(id, mechanism, object, headline)
        .since(group.iter().filter_map(|(_, _, since)| *since).min());
    for (n, ..) in &group {
        let object = n.meta.object(Kind::Node);
        let ready = n.condition("Ready");
        let fact = ready.map(|c| crate::evidence::condition(n.meta.source, &object, c));
        if finding.evidence.len() < 4 {
            finding = finding.evidence(fact);
        }
        finding = finding.affects(object, "lost together with the others");
    }
    if mechanism != "network-plugin-down" {
        // Nodes do not fall together by themselves: it may as well be what they all need.
        let look = "kubectl get nodes -o wide; kubectl get leases -n kube-node-lease";
        finding = finding.unsure(Certainty::Possible, &["network-cut", "host-down"], look);
    }
    Some(finding)
}

/// The workload of the network plugin, or the component when it was not read.
fn network_plugin(now: &Snapshot) -> ObjectRef {
    let named =
        |a: &&model::App| a.object.kind == Kind::DaemonSet && says(&a.object.name, NETWORK_PLUGINS);
    let agents = now.apps.iter().filter(named);
    let worst = agents.max_by_key(|a| a.lost_replicas()).map(|a| a.object.clone());
    worst.unwrap_or_else(|| ObjectRef::component("network-plugin"))
}
