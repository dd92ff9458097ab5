//! Pods that wait for a node: important ones first, and those that found none only when
//! something changed that may help them.

use std::collections::{BTreeMap, BTreeSet};

use model::Timestamp;

use super::filter::Plugin;
use super::{Place, is_unassigned, place};
use crate::controllers::has_ended;
use crate::field;
use crate::kernel::{SECOND, plus};
use crate::kinds::{NODE, POD};
use crate::store::{Change, Object};

/// After so long a pod is tried again whatever happened.
const PATIENCE: i64 = 300 * SECOND;

/// The order in which pods are tried.
type Turn = (std::cmp::Reverse<i64>, u64);

/// A pod that found no node.
#[derive(Debug)]
struct Parked {
    since: Timestamp,
    priority: i64,
    /// What stood against it.
    plugins: BTreeSet<Plugin>,
}

#[derive(Debug, Default)]
pub(super) struct Queue {
    active: BTreeMap<Turn, Place>,
    parked: BTreeMap<Place, Parked>,
    /// Pods that were promised a node.
    promised: BTreeMap<Place, Object>,
    arrivals: u64,
}

/// What changed, as far as it may help a pod.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum News {
    Node,
    PodGone,
    PodCame,
    Volume,
}

impl News {
    /// What a change may mean for others.
    fn of(change: &Change) -> Option<Self> {
        let resource = change.key.resource;
        let (before, after) = (&change.before, &change.after);
        if resource == NODE.storage {
            let (Some(before), Some(after)) = (before, after) else { return Some(Self::Node) };
            let differs = |key: &str| before.pointer(key) != after.pointer(key);
            let parts = ["/spec", "/metadata/labels", "/status/allocatable"];
            return parts.into_iter().any(differs).then_some(Self::Node);
        }
        if resource != POD.storage {
            return Some(Self::Volume);
        }
        let placed = |pod: &Object| !field::text(pod, "/spec/nodeName").is_empty();
        let counts = |pod: &&Object| placed(pod) && !has_ended(pod);
        let (was, is) = (before.as_ref().filter(counts), after.as_ref().filter(counts));
        match (was, is) {
            (Some(_), None) => Some(Self::PodGone),
            (None, Some(_)) => Some(Self::PodCame),
            (Some(was), Some(is)) => {
                let changed = was["metadata"]["labels"] != is["metadata"]["labels"];
                let leaves = field::is_deleting(is) && !field::is_deleting(was);
                if changed { Some(Self::PodCame) } else { leaves.then_some(Self::PodGone) }
            }
            (None, None) => None,
        }
    }

    /// Whether it may help against a refusal.
    fn helps(self, plugin: Plugin) -> bool {
        match plugin {
            Plugin::Node => self == Self::Node,
            Plugin::Ports | Plugin::Resources => matches!(self, Self::Node | Self::PodGone),
            Plugin::Volumes => self != Self::PodCame,
            Plugin::Spread | Plugin::Peers => self != Self::Volume,
        }
    }
}

impl Queue {
    /// Takes note of a pod that waits, and of what may help the others.
    pub fn hear(&mut self, change: &Change, now: Timestamp) {
        if change.key.resource == POD.storage {
            self.hear_pod(change);
        }
        let Some(news) = News::of(change) else { return };
        let helped = |parked: &Parked| parked.plugins.iter().any(|plugin| news.helps(*plugin));
        self.free(helped);
        self.wake_old(now);
    }

    /// Pods that are to be tried again.
    fn free(&mut self, helped: impl Fn(&Parked) -> bool) {
        let (mut freed, mut left) = (Vec::new(), BTreeMap::new());
        for (place, parked) in std::mem::take(&mut self.parked) {
            match helped(&parked) {
                true => freed.push((place, parked.priority)),
                false => drop(left.insert(place, parked)),
            }
        }
        self.parked = left;
        for (place, priority) in freed {
            let turn = (std::cmp::Reverse(priority), self.arrival());
            self.active.insert(turn, place);
        }
    }

    fn hear_pod(&mut self, change: &Change) {
        let Some(pod) = change.after.as_ref().filter(|pod| is_unassigned(pod)) else {
            let place = (change.key.namespace.clone(), change.key.name.clone());
            self.parked.remove(&place);
            self.promised.remove(&place);
            return;
        };
        let place = place(pod);
        if !field::text(pod, "/status/nominatedNodeName").is_empty() {
            self.promised.insert(place.clone(), pod.clone());
        }
        // New, or its gates were opened, or what it asks for changed.
        let before = change.before.as_ref().filter(|before| is_unassigned(before));
        let same = before.is_some_and(|before| {
            before["spec"] == pod["spec"]
                && before["metadata"]["labels"] == pod["metadata"]["labels"]
        });
        if !same {
            self.parked.remove(&place);
            let turn = (std::cmp::Reverse(super::preempt::priority(pod)), self.arrival());
            self.active.insert(turn, place);
        }
    }

    fn arrival(&mut self) -> u64 {
        self.arrivals += 1;
        self.arrivals
    }

    fn wake_old(&mut self, now: Timestamp) {
        if self.next().is_some_and(|at| at <= now) {
            self.free(|parked| plus(parked.since, PATIENCE) <= now);
        }
    }

    /// The next pod to try.
    pub fn take(&mut self, now: Timestamp) -> Option<Place> {
        self.wake_old(now);
        self.active.pop_first().map(|(_, place)| place)
    }

    /// A pod found no node.
    pub fn park(&mut self, pod: &Object, plugins: Vec<Plugin>, now: Timestamp) {
        let plugins = plugins.into_iter().collect();
        let priority = super::preempt::priority(pod);
        self.parked.insert(place(pod), Parked { since: now, priority, plugins });
    }

    /// A pod has its node.
    pub fn forget(&mut self, place: &Place) {
        self.promised.remove(place);
    }

    /// Pods that were promised this node and matter no less than the one that asks.
    pub fn promised_beside(&self, pod: &Object, node: &str) -> impl Iterator<Item = &Object> {
        let (wanted, own) = (node.to_owned(), super::preempt::priority(pod));
        let uid = field::uid(pod).to_owned();
        self.promised.values().filter(move |other| {
            field::text(other, "/status/nominatedNodeName") == wanted
                && super::preempt::priority(other) >= own
                && field::uid(other) != uid
        })
    }

    /// A pod was promised the node that it names.
    pub fn promise(&mut self, pod: Object) {
        self.promised.insert(place(&pod), pod);
    }

    /// When a pod is tried again whatever happened.
    pub fn next(&self) -> Option<Timestamp> {
        self.parked.values().map(|parked| plus(parked.since, PATIENCE)).min()
    }
}
