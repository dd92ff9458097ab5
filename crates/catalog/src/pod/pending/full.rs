//! Nodes that hold as many pods as they may, while nobody waits yet: the next pod will.

use model::record::Node;
use model::{Finding, Findings, Kind, Snapshot, State, Truth};

use super::supply::{self, Supply};
use crate::evidence;

/// Suspects every full node, unless another is known to take pods.
pub(crate) fn report(id: &'static str, now: &Snapshot, findings: &mut Findings) {
    let supply = Supply::of(now);
    let takes_pods =
        |n: &&Node| !n.unschedulable && n.taints.is_empty() && n.ready() == Some(Truth::True);
    let places: Vec<(&Node, Option<i64>)> = now
        .nodes
        .iter()
        .filter(takes_pods)
        .map(|n| (n, supply::places(supply.load(n), n)))
        .collect();
    // A node whose pods are not all shown may seem to have room and has none.
    if supply.is_whole() && places.iter().any(|(_, p)| p.is_none_or(|p| p > 0)) {
        return;
    }
    let full = places.iter().filter(|(_, p)| p.is_some_and(|p| p <= 0));
    for (node, _) in full {
        let object = node.meta.object(Kind::Node);
        let most = node.allocatable.amount("pods").text("pods");
        let here = supply.on(node).count();
        let headline = format!("node {object} holds {here} of {most} pods: it takes no more");
        let field = "status.allocatable.pods";
        let fact = evidence::field(node.meta.source, &object, field, most.clone());
        let finding = Finding::new(id, "insufficient-pods", object, headline)
            .field(field, most, "more than the pods on it, or more nodes")
            .evidence([fact])
            .state(State::Suspected);
        findings.push(finding);
    }
}
