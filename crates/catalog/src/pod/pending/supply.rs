//! What nodes have left: allocatable less what the pods on them have requested. And what is to
//! be known of a node for every pod that may go there, found out once for all of them.

use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;

use rustc_hash::FxHashMap;

use model::record::{Known, Node, Pod, PodSpec};
use model::{Kind, Labels, Quantity, Snapshot, Text, Truth};

/// What is on each node.
pub(crate) struct Supply<'s> {
    now: &'s Snapshot,
    loads: FxHashMap<Text, Arc<Load>>, // tidy: lookup only
    seats: Vec<Seat<'s>>,
    /// Room on every seat, for each resource that was asked for.
    rooms: RefCell<BTreeMap<Text, Rc<[Option<Room>]>>>,
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
    /// How many more pods it takes; `None` when that is not known.
    pub(crate) places: Option<i64>,
    /// Whether it is known not to be ready.
    pub(crate) lost: bool,
}

impl<'s> Seat<'s> {
    fn of(node: &'s Node, load: Option<&Load>) -> Self {
        Seat {
            places: places(load, node),
            lost: node.meta.known.has(Known::CONDITIONS)
                && node.ready().is_some_and(|r| r != Truth::True),
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

/// What is on one node. It stays the same while pods merely fail and recover.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Load {
    node: Text,
    pods: usize,
    /// Sums of requests, by resource.
    taken: Vec<(Text, Quantity)>,
    /// Pods whose requests are not known.
    hidden: usize,
}

impl Load {
    fn of(node: &Node, now: &Snapshot) -> Option<Arc<Load>> {
        let mut load = Load { node: node.meta.name.clone(), ..Load::default() };
        for pod in on(node, now) {
            load.pods += 1;
            load.hidden += usize::from(!pod.meta.known.has(Known::SPEC));
            for (resource, amount) in requests_of(&pod.spec) {
                load.take(resource, amount);
            }
        }
        load.taken.sort_by(|(a, _), (b, _)| a.cmp(b));
        (load.pods > 0).then(|| Arc::new(load))
    }

    fn take(&mut self, resource: &str, amount: Quantity) {
        match self.taken.iter_mut().find(|(name, _)| *name == resource) {
            Some((_, sum)) => *sum = sum.plus(amount),
            None => self.taken.push((resource.into(), amount)),
        }
    }

    fn taken(&self, resource: &str) -> Quantity {
        let sum = self.taken.iter().find(|(name, _)| *name == resource);
        sum.map(|(_, sum)| *sum).unwrap_or_default()
    }
}

/// Pods that take room on a node.
fn on<'s>(node: &Node, now: &'s Snapshot) -> impl Iterator<Item = &'s Pod> + use<'s> {
    now.pods_on(&node.meta.name).filter(|p| !p.is_finished())
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
        let loads = now.signs_of_nodes(Load::of).into_iter();
        let loads = loads.map(|load| (load.node.clone(), load)).collect();
        let whole = now.coverage.lists(Kind::Pod, "");
        let mut supply = Supply { now, loads, seats: Vec::new(), rooms: RefCell::default(), whole };
        let seats = now.nodes.iter().map(|n| Seat::of(n, supply.load(n))).collect();
        supply.seats = seats;
        supply
    }

    /// Room for a resource on every seat, found out once.
    pub(crate) fn rooms(&self, resource: &str) -> Rc<[Option<Room>]> {
        if let Some(known) = self.rooms.borrow().get(resource) {
            return Rc::clone(known);
        }
        let rooms: Rc<[Option<Room>]> =
            self.seats.iter().map(|seat| self.room(seat.node, resource)).collect();
        self.rooms.borrow_mut().insert(resource.into(), Rc::clone(&rooms));
        rooms
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
    pub(crate) fn load(&self, node: &Node) -> Option<&Load> {
        self.loads.get(&node.meta.name).map(|load| &**load)
    }

    /// Pods on a node.
    pub(crate) fn on(&self, node: &Node) -> impl Iterator<Item = &'s Pod> + use<'s> {
        on(node, self.now)
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
        let load = self.load(node);
        let taken = load.map(|l| l.taken(resource)).unwrap_or_default();
        let exact = self.whole && load.is_none_or(|l| l.hidden == 0);
        Some(Room { total, free: total.minus(taken), exact })
    }
}

/// How many more pods a node with this load takes; `None` when that is not known.
pub(crate) fn places(load: Option<&Load>, node: &Node) -> Option<i64> {
    let most = node.allocatable.get("pods")?.units();
    Some(most - load.map_or(0, |l| i64::try_from(l.pods).unwrap_or(i64::MAX)))
}
