//! What nodes have left: allocatable less what the pods on them have requested.

use std::collections::BTreeMap;

use model::record::{Known, Node, Pod};
use model::{Kind, Quantity, Snapshot};

/// Pods by the node they are on.
pub(crate) struct Supply<'s> {
    pods: BTreeMap<&'s str, Vec<&'s Pod>>,
    whole: bool,
}

/// How much of a resource a node gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Room {
    /// What pods may use in all.
    pub(crate) total: Quantity,
    /// At most this much is left.
    pub(crate) free: Quantity,
    /// Whether exactly that much is left.
    pub(crate) exact: bool,
}

impl<'s> Supply<'s> {
    /// Of everything that is known.
    pub(crate) fn of(now: &'s Snapshot) -> Self {
        let mut pods: BTreeMap<&str, Vec<&Pod>> = BTreeMap::new();
        let all = now.apps.iter().flat_map(|a| &a.pods);
        for pod in all.filter(|p| !p.node.is_empty() && !p.is_finished()) {
            pods.entry(&pod.node).or_default().push(pod);
        }
        Supply { pods, whole: now.coverage.lists(Kind::Pod, "") }
    }

    /// Pods on a node.
    pub(crate) fn on(&self, node: &Node) -> &[&'s Pod] {
        self.pods.get(node.meta.name.as_str()).map_or(&[], Vec::as_slice)
    }

    /// Room for a resource; `None` when the node's own figures are not known.
    pub(crate) fn room(&self, node: &Node, resource: &str) -> Option<Room> {
        if node.allocatable.is_empty() {
            return None;
        }
        let total = node.allocatable.amount(resource);
        if let Some(taken) = node.requested.get(resource) {
            return Some(Room { total, free: total.minus(taken), exact: true });
        }
        let here = self.on(node);
        let taken = here.iter().fold(Quantity::ZERO, |sum, p| sum.plus(p.spec.requests(resource)));
        let exact = self.whole && here.iter().all(|p| p.meta.known.has(Known::SPEC));
        Some(Room { total, free: total.minus(taken), exact })
    }

    /// How many more pods a node takes; `None` when that is not known.
    pub(crate) fn places(&self, node: &Node) -> Option<i64> {
        let most = node.allocatable.get("pods")?.units();
        Some(most - i64::try_from(self.on(node).len()).unwrap_or(i64::MAX))
    }
}
