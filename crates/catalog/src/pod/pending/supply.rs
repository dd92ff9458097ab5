//! What nodes have left: allocatable less what the pods on them have requested.

use std::collections::BTreeMap;
use std::sync::Arc;

use model::record::{Known, Node, Pod, PodSpec};
use model::{Kind, Quantity, Snapshot};

/// What is on each node.
pub(crate) struct Supply<'s> {
    loads: BTreeMap<&'s str, Load<'s>>,
    whole: bool,
}

/// What is on one node.
#[derive(Default)]
struct Load<'s> {
    pods: Vec<&'s Pod>,
    /// Sums of requests.
    taken: BTreeMap<&'s str, Quantity>,
    /// Pods whose requests are not known.
    hidden: usize,
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

/// Amounts by resource.
type Requests<'s> = Vec<(&'s str, Quantity)>;

/// What a pod asks for, by resource.
fn requests_of(spec: &PodSpec) -> Requests<'_> {
    let resources = super::fit::resources_of(spec).into_iter();
    resources.map(|r| (r, spec.requests(r))).collect()
}

impl<'s> Supply<'s> {
    /// Of everything that is known.
    pub(crate) fn of(now: &'s Snapshot) -> Self {
        let mut loads: BTreeMap<&str, Load<'_>> = BTreeMap::new();
        let all = now.apps.iter().flat_map(|a| &a.pods);
        // Pods of one workload share their spec: it is summed up once for all in a row.
        let mut summed: Option<(&Arc<PodSpec>, Requests<'_>)> = None;
        for pod in all.filter(|p| !p.node.is_empty() && !p.is_finished()) {
            let load = loads.entry(&pod.node).or_default();
            load.pods.push(pod);
            load.hidden += usize::from(!pod.meta.known.has(Known::SPEC));
            let requests = match summed {
                Some((spec, requests)) if Arc::ptr_eq(spec, &pod.spec) => requests,
                _ => requests_of(&pod.spec),
            };
            for (resource, amount) in &requests {
                let sum = load.taken.entry(resource).or_default();
                *sum = sum.plus(*amount);
            }
            summed = Some((&pod.spec, requests));
        }
        Supply { loads, whole: now.coverage.lists(Kind::Pod, "") }
    }

    /// Whether all pods of the cluster were seen.
    pub(crate) fn is_whole(&self) -> bool {
        self.whole
    }

    /// Pods on a node.
    pub(crate) fn on(&self, node: &Node) -> &[&'s Pod] {
        self.loads.get(node.meta.name.as_str()).map_or(&[], |l| l.pods.as_slice())
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
        let load = self.loads.get(node.meta.name.as_str());
        let taken = load.and_then(|l| l.taken.get(resource)).copied().unwrap_or_default();
        let exact = self.whole && load.is_none_or(|l| l.hidden == 0);
        Some(Room { total, free: total.minus(taken), exact })
    }

    /// How many more pods a node takes; `None` when that is not known.
    pub(crate) fn places(&self, node: &Node) -> Option<i64> {
        let most = node.allocatable.get("pods")?.units();
        Some(most - i64::try_from(self.on(node).len()).unwrap_or(i64::MAX))
    }
}
