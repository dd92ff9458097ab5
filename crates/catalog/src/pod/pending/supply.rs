//! What nodes have left: allocatable less what the pods on them have requested. And what is to
//! be known of a node for every pod that may go there, found out once for all of them.

use std::borrow::Cow;
use std::sync::Arc;

use rustc_hash::FxHashMap;

use model::record::{Known, Node, Pod, PodSpec};
use model::{Kind, Labels, Quantity, Snapshot, Text};

/// What is on each node.
pub(crate) struct Supply<'s> {
    loads: FxHashMap<&'s str, Load<'s>>, // tidy: lookup only
    seats: Vec<Seat<'s>>,
    whole: bool,
}

/// A node as pods that look for one see it.
pub(crate) struct Seat<'s> {
    /// The node.
    pub(crate) node: &'s Node,
    /// Its labels. The one with its name is on every node, also where it was not printed.
    pub(crate) labels: Cow<'s, Labels>,
    /// Whether it runs the control plane.
    pub(crate) control_plane: bool,
    /// Whether it is cordoned.
    pub(crate) cordoned: bool,
}

impl<'s> Seat<'s> {
    fn of(node: &'s Node) -> Self {
        Seat {
            labels: labels_of(node),
            control_plane: node.is_control_plane(),
            cordoned: node.is_cordoned(),
            node,
        }
    }
}

fn labels_of(node: &Node) -> Cow<'_, Labels> {
    if node.meta.labels.get(HOSTNAME).is_some() {
        return Cow::Borrowed(&node.meta.labels);
    }
    let own = node.meta.labels.iter().map(|(k, v)| (k.clone(), v.clone()));
    let name = [(Text::from(HOSTNAME), node.meta.name.clone())];
    Cow::Owned(own.chain(name).collect())
}

const HOSTNAME: &str = "kubernetes.io/hostname";

/// What is on one node.
#[derive(Default)]
pub(crate) struct Load<'s> {
    pods: Vec<&'s Pod>,
    /// Sums of requests, by resource.
    taken: Requests<'s>,
    /// Pods whose requests are not known.
    hidden: usize,
}

impl<'s> Load<'s> {
    fn take(&mut self, resource: &'s str, amount: Quantity) {
        match self.taken.iter_mut().find(|(name, _)| *name == resource) {
            Some((_, sum)) => *sum = sum.plus(amount),
            None => self.taken.push((resource, amount)),
        }
    }

    fn taken(&self, resource: &str) -> Quantity {
        let sum = self.taken.iter().find(|(name, _)| *name == resource);
        sum.map(|(_, sum)| *sum).unwrap_or_default()
    }
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
pub(crate) type Requests<'s> = Vec<(&'s str, Quantity)>;

/// What a pod asks for, by resource.
pub(crate) fn requests_of(spec: &PodSpec) -> Requests<'_> {
    let resources = super::fit::resources_of(spec).into_iter();
    resources.map(|r| (r, spec.requests(r))).collect()
}

impl<'s> Supply<'s> {
    /// Of everything that is known.
    pub(crate) fn of(now: &'s Snapshot) -> Self {
        let mut loads: FxHashMap<&str, Load<'_>> = FxHashMap::default(); // tidy: lookup only
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
            requests.iter().for_each(|(resource, amount)| load.take(resource, *amount));
            summed = Some((&pod.spec, requests));
        }
        let seats = now.nodes.iter().map(Seat::of).collect();
        Supply { loads, seats, whole: now.coverage.lists(Kind::Pod, "") }
    }

    /// All nodes.
    pub(crate) fn seats(&self) -> &[Seat<'s>] {
        &self.seats
    }

    /// Whether all pods of the cluster were seen.
    pub(crate) fn is_whole(&self) -> bool {
        self.whole
    }

    /// What is on a node; `None` when nothing is.
    pub(crate) fn load(&self, node: &Node) -> Option<&Load<'s>> {
        self.loads.get(node.meta.name.as_str())
    }

    /// Pods on a node.
    pub(crate) fn on(&self, node: &Node) -> &[&'s Pod] {
        self.load(node).map_or(&[], |l| l.pods.as_slice())
    }

    /// Room for a resource; `None` when the node's own figures are not known.
    pub(crate) fn room(&self, node: &Node, resource: &str) -> Option<Room> {
        self.room_beside(self.load(node), node, resource)
    }

    /// Room for a resource on a node of which the load is known.
    pub(crate) fn room_beside(
        &self,
        load: Option<&Load<'s>>,
        node: &Node,
        resource: &str,
    ) -> Option<Room> {
        if node.allocatable.is_empty() {
            return None;
        }
        let total = node.allocatable.amount(resource);
        if let Some(taken) = node.requested.get(resource) {
            return Some(Room { total, free: total.minus(taken), exact: true });
        }
        let taken = load.map(|l| l.taken(resource)).unwrap_or_default();
        let exact = self.whole && load.is_none_or(|l| l.hidden == 0);
        Some(Room { total, free: total.minus(taken), exact })
    }
}

/// How many more pods a node with this load takes; `None` when that is not known.
pub(crate) fn places(load: Option<&Load<'_>>, node: &Node) -> Option<i64> {
    let most = node.allocatable.get("pods")?.units();
    Some(most - load.map_or(0, |l| i64::try_from(l.pods.len()).unwrap_or(i64::MAX)))
}
