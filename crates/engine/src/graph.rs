//! Links causes to effects: only where a kind says it can lead to the other, the objects
//! depend on each other, and the cause is not younger than the effect.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use model::{Edge, FailureKind, Finding, ObjectRef, Relation, Snapshot, State};

/// How many steps of dependency trouble is followed.
const HOPS: usize = 3;

/// How much younger a cause may look than its effect: times in events are rounded, and a
/// condition changes only after some failures in a row.
pub(crate) const SLACK_SECONDS: i64 = 90;

/// Links among findings, as indices into `found`.
pub(crate) fn link(found: &[Finding], now: &Snapshot, kinds: &[&FailureKind]) -> Vec<Edge> {
    let mut asked: BTreeMap<ObjectRef, Rc<Vec<(Relation, ObjectRef)>>> = BTreeMap::new();
    let mut dependants = |object: &ObjectRef| {
        let known = asked.entry(object.clone());
        Rc::clone(known.or_insert_with(|| Rc::new(now.dependants(object))))
    };
    let mut by_object: BTreeMap<&ObjectRef, Vec<usize>> = BTreeMap::new();
    for (i, finding) in found.iter().enumerate() {
        by_object.entry(&finding.object).or_default().push(i);
    }
    let mut edges = Vec::new();
    for (cause, finding) in found.iter().enumerate() {
        let Some(kind) = kinds.iter().find(|k| k.id == finding.failure) else { continue };
        if kind.leads_to.is_empty() {
            continue;
        }
        for (object, why) in reach(finding, &mut dependants) {
            for effect in by_object.get(&object).into_iter().flatten().copied() {
                let follows = found.get(effect).is_some_and(|e| can_follow(finding, e, kind));
                if effect != cause && follows {
                    edges.push(Edge { cause, effect, why });
                }
            }
        }
    }
    settle(edges, found)
}

/// Of all links that may be, those that are told: each once, and no circles.
pub(crate) fn settle(mut edges: Vec<Edge>, found: &[Finding]) -> Vec<Edge> {
    edges.sort();
    edges.dedup_by_key(|e| (e.cause, e.effect));
    // Where two could each cause the other, what says of itself to be a consequence gives way.
    // Then the surer one leads.
    edges.sort_by_key(|e| {
        let cause = found.get(e.cause).map(|f| (f.role, std::cmp::Reverse(f.certainty)));
        (cause, e.cause, e.effect)
    });
    let mut edges = without_cycles(edges);
    edges.sort();
    edges
}

/// Whether one may be why the other is, as far as kinds, times and states tell.
pub(crate) fn can_follow(cause: &Finding, effect: &Finding, kind: &FailureKind) -> bool {
    let ordered = match (cause.since, effect.since) {
        (Some(c), Some(e)) => c.since(e) <= SLACK_SECONDS,
        _ => true,
    };
    // What is over, or what nobody suffers from, cannot be why something else is broken now.
    let lasting = match cause.state {
        State::Recovered => effect.state == State::Recovered,
        State::Suspected => effect.state == State::Suspected,
        State::Active | State::Recovering => true,
    };
    kind.causes(effect.failure, effect.mechanism) && ordered && lasting
}

/// The object itself, whom the finding says to suffer, and everything that depends on them
/// within a few steps, each once, with the relation of the last step.
pub(crate) fn reach(
    finding: &Finding,
    mut dependants: impl FnMut(&ObjectRef) -> Rc<Vec<(Relation, ObjectRef)>>,
) -> Vec<(ObjectRef, &'static str)> {
    let object = &finding.object;
    let mut seen: BTreeSet<ObjectRef> = [object.clone()].into();
    let mut reached = vec![(object.clone(), "same object")];
    let mut edge = vec![object.clone()];
    let mut next: Vec<ObjectRef> = Vec::new();
    for sufferer in finding.affected.iter().map(|a| &a.object) {
        if seen.insert(sufferer.clone()) {
            reached.push((sufferer.clone(), "affects"));
            next.push(sufferer.clone());
        }
    }
    for hop in 0..HOPS {
        for from in &edge {
            for (relation, to) in dependants(from).iter() {
                // A workload burdens its node directly; through the node it must not be
                // blamed for its neighbours unless the node has a finding of its own.
                let burden = *relation == Relation::Burdens;
                if (burden && hop > 0) || !seen.insert(to.clone()) {
                    continue;
                }
                reached.push((to.clone(), relation.name()));
                if !burden {
                    next.push(to.clone());
                }
            }
        }
        edge = std::mem::take(&mut next);
    }
    reached
}

/// Drops links that would close a circle, later ones first.
fn without_cycles(edges: Vec<Edge>) -> Vec<Edge> {
    let mut kept: Vec<Edge> = Vec::with_capacity(edges.len());
    let mut effects: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for edge in edges {
        if !leads(&effects, edge.effect, edge.cause) {
            effects.entry(edge.cause).or_default().push(edge.effect);
            kept.push(edge);
        }
    }
    kept
}

fn leads(effects: &BTreeMap<usize, Vec<usize>>, from: usize, to: usize) -> bool {
    let mut open = vec![from];
    let mut seen = BTreeSet::new();
    while let Some(at) = open.pop() {
        if at == to {
            return true;
        }
        if seen.insert(at) {
            open.extend(effects.get(&at).into_iter().flatten());
        }
    }
    false
}
