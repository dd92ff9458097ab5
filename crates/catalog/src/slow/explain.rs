//! Which one place explains that these workloads are slow and those are not.
//!
//! Each place is taken for the culprit in turn: it predicts who must be slow (who calls over
//! it), who may be, and who is above them. The place whose prediction costs least is the best
//! explanation; how far the next one is behind says how sure that is.

use std::collections::{BTreeMap, BTreeSet};

use model::{Snapshot, Text};

use super::calls::Calls;
use super::members::Member;

/// A place that may be the culprit.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Place {
    /// A workload or the network of its pods, by its place in the snapshot's list.
    App(usize),
    /// The network of a node.
    Node(Text),
}

/// The best explanation.
#[derive(Clone, Debug)]
pub(crate) struct Explanation {
    pub(crate) place: Place,
    /// Those that are slow, the culprit included when it is.
    pub(crate) slow: BTreeSet<usize>,
    /// Whether answers are lost, too, or come only after being sent again.
    pub(crate) is_loss: bool,
    /// Another place that fits as well.
    pub(crate) rival: Option<Place>,
    /// Whether calls between the workloads are known.
    pub(crate) knows_calls: bool,
}

/// Cost of a slow member that the place does not explain.
const UNEXPLAINED: u32 = 30;
/// Cost of a member that should be slow and is not.
const NOT_SLOW: u32 = 10;
/// Cost of one further above, where slowness is thinned out.
const THINNED: u32 = 3;
/// Cost of a place that explains much by being large.
const LARGE: u32 = 1;

/// The place that explains who is slow; `None` when nobody is, or when something else does:
/// a busy processor, replicas that are lost.
pub(crate) fn explain(
    members: &BTreeMap<usize, Member<'_>>,
    calls: &Calls,
    now: &Snapshot,
) -> Option<Explanation> {
    let slow: BTreeSet<usize> =
        members.iter().filter(|(_, m)| m.is_slow || m.fails).map(|(i, _)| *i).collect();
    if slow.is_empty() {
        return None;
    }
    let mut all = calls.below(&slow);
    all.extend(&slow);
    let lost =
        |i: &usize| now.apps.get(*i).is_some_and(|a| a.lost_replicas() > 0 || a.pods.is_empty());
    if all.iter().any(lost) {
        return None;
    }
    let field = Field { members, calls, now, slow: &slow };
    let mut costs: Vec<(u32, std::cmp::Reverse<u64>, Place)> = Vec::new();
    for app in &all {
        let place = Place::App(*app);
        costs.push((field.app(*app), std::cmp::Reverse(field.weight(&place)), place));
    }
    for node in field.nodes(&all) {
        let place = Place::Node(node.clone());
        costs.push((field.node(&node) + LARGE, std::cmp::Reverse(0), place));
    }
    costs.sort();
    let best = costs.first()?.clone();
    // A busy workload that explains it about as well is told by what it is busy with.
    let busy = |(cost, _, place): &(u32, _, Place)| match place {
        Place::App(i) => members.get(i).is_some_and(|m| m.is_busy) && *cost <= best.0 + NOT_SLOW,
        Place::Node(_) => false,
    };
    if costs.iter().any(busy) {
        return None;
    }
    let near = costs.iter().skip(1).find(|(cost, _, _)| *cost < best.0 + NOT_SLOW);
    // Most of it must be explained.
    let explained = best.0 < UNEXPLAINED || best.0 < slow.len() as u32 * NOT_SLOW;
    explained.then(|| Explanation {
        is_loss: field.is_loss(),
        rival: near.map(|(_, _, place)| place.clone()),
        knows_calls: calls.all().next().is_some(),
        slow: slow.clone(),
        place: best.2,
    })
}

struct Field<'f, 's> {
    members: &'f BTreeMap<usize, Member<'s>>,
    calls: &'f Calls,
    now: &'f Snapshot,
    slow: &'f BTreeSet<usize>,
}

impl Field<'_, '_> {
    fn cost(&self, must: &BTreeSet<usize>, may: &BTreeSet<usize>) -> u32 {
        let above = self.calls.above(&must.union(may).copied().collect());
        let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        let fast = |i: &usize| {
            self.members.get(i).is_some_and(|m| m.is_measured) && !self.slow.contains(i)
        };
        let known = |i: &usize| must.contains(i) || may.contains(i) || above.contains(i);
        let unexplained = count(self.slow.iter().filter(|i| !known(i)).count());
        let wrong = count(must.iter().filter(|i| fast(i)).count());
        let thin = above.iter().filter(|i| !must.contains(i) && !may.contains(i));
        let thinned = count(thin.filter(|i| fast(i)).count());
        unexplained * UNEXPLAINED + wrong * NOT_SLOW + thinned * THINNED
    }

    /// A workload that is slow itself, or whose pods' network is. Latency may be measured where
    /// an answer is made or where it is awaited: only then is the one called slow as well.
    fn app(&self, app: usize) -> u32 {
        let none = BTreeSet::new();
        let own = self.cost(&[app].into(), &none);
        let mut must: BTreeSet<usize> = self.calls.callers_of(app).collect();
        if self.calls.called_by(app).next().is_some() {
            must.insert(app);
        }
        let made = self.cost(&must, &none);
        must.insert(app);
        own.min(made).min(self.cost(&must, &none))
    }

    /// A node whose network is slow: every call that crosses its edge is.
    fn node(&self, node: &str) -> u32 {
        let on = |i: usize| self.share(i, node);
        if self.calls.all().next().is_none() {
            // Nobody knows who calls whom: those on the node suffer, and some of the others.
            let here = self.members.keys().copied().filter(|i| on(*i) != Some(false));
            return self.cost(&here.collect(), &BTreeSet::new());
        }
        let (mut callers, mut called, mut may) =
            (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
        for (from, to) in self.calls.all() {
            match (on(from), on(to)) {
                (Some(a), Some(b)) if a != b => {
                    callers.insert(from);
                    called.insert(to);
                }
                (Some(_), Some(_)) => {}
                _ => may.extend([from, to]),
            }
        }
        called.extend(&callers);
        self.cost(&callers, &may).min(self.cost(&called, &may))
    }

    /// Whether all pods of a workload are on a node, or none; `None` for some, or not known.
    fn share(&self, app: usize, node: &str) -> Option<bool> {
        let pods: Vec<bool> = self.now.apps.get(app)?.running().map(|p| p.node == node).collect();
        let first = pods.first()?;
        pods.iter().all(|p| p == first).then_some(*first)
    }

    /// Nodes with two of these workloads or more, beside at least one other node.
    fn nodes(&self, apps: &BTreeSet<usize>) -> Vec<Text> {
        let mut count: BTreeMap<Text, usize> = BTreeMap::new();
        for app in apps.iter().filter_map(|i| self.now.apps.get(*i)) {
            let nodes: BTreeSet<&Text> =
                app.running().map(|p| &p.node).filter(|n| !n.is_empty()).collect();
            nodes.into_iter().for_each(|n| *count.entry(n.clone()).or_default() += 1);
        }
        if count.len() < 2 {
            return Vec::new();
        }
        count.into_iter().filter(|(_, n)| *n >= 2).map(|(node, _)| node).collect()
    }

    /// Among places that fit alike, the one whose own latency grew most goes first: it has the
    /// least of its own to hide the growth.
    fn weight(&self, place: &Place) -> u64 {
        let Place::App(app) = place else { return 0 };
        let Some(member) = self.members.get(app).filter(|m| m.is_slow || m.fails) else { return 0 };
        let deepest = !self.calls.called_by(*app).any(|c| self.slow.contains(&c));
        let times = (member.times * 10.0).clamp(0.0, 1e9) as u64;
        times + if deepest { 1 << 40 } else { 1 }
    }

    /// Packets that are sent again cost a fifth of a second and more, but only some requests;
    /// a delay costs every request the same.
    fn is_loss(&self) -> bool {
        let slow = || self.slow.iter().filter_map(|i| self.members.get(i));
        let fails = slow().any(|m| m.fails);
        let tail = slow().map(|m| m.tail_ms).fold(0.0, f64::max);
        let middle = slow().map(|m| m.middle_ms).fold(0.0, f64::max);
        let measured = tail > 0.0 || middle > 0.0;
        (measured && tail >= 150.0 && middle * 4.0 < tail) || (fails && middle * 2.0 <= tail)
    }
}

#[cfg(test)]
mod tests;
