//! Joins linked findings into incidents, one per cause, and ranks them.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use crate::blind;
use crate::graph::SLACK_SECONDS;
use model::{
    Certainty, Edge, FailureKind, Finding, Impact, Incident, Kind, Member, ObjectRef, Role,
    Severity, Snapshot, State, Timestamp,
};

/// Incidents with their ranks, in no order. Every finding is in exactly one.
pub(crate) fn gather(found: Vec<Finding>, edges: &[Edge]) -> Vec<(Rank, Incident)> {
    let has_cause: BTreeSet<usize> = edges.iter().map(|e| e.effect).collect();
    let mut effects: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for edge in edges {
        effects.entry(edge.cause).or_default().push(edge.effect);
    }
    let mut roots: Vec<usize> = (0..found.len()).filter(|i| !has_cause.contains(i)).collect();
    // An effect with two possible causes belongs to the surer one, then to the one that
    // explains more.
    roots.sort_by_key(|root| {
        let certainty = found.get(*root).map(|f| (f.state, Reverse(f.certainty)));
        (certainty, Reverse(below(*root, &effects, &found).len()), *root)
    });
    // What only looked like an effect, but is older than every cause, stands for itself.
    roots.extend(has_cause);
    let mut taken = BTreeSet::new();
    let mut groups: Vec<Vec<usize>> = Vec::new();
    for root in roots {
        if !taken.contains(&root) {
            let reached = below(root, &effects, &found).into_iter();
            groups.push(reached.filter(|i| taken.insert(*i)).collect());
        }
    }
    let mut slots: Vec<Option<Finding>> = found.into_iter().map(Some).collect();
    let incidents = groups.iter().filter_map(|group| incident(group, edges, &mut slots));
    incidents.map(|i| (rank(&i), i)).collect()
}

/// A finding and all its effects, nearest first. Time order holds along the whole chain, also
/// across links that have no time of their own.
fn below(root: usize, effects: &BTreeMap<usize, Vec<usize>>, found: &[Finding]) -> Vec<usize> {
    let since = |i: usize| found.get(i).and_then(|f| f.since);
    let mut order = vec![(root, since(root))];
    let mut seen: BTreeSet<usize> = [root].into();
    let mut at = 0;
    while let Some((current, not_before)) = order.get(at).copied() {
        for effect in effects.get(&current).into_iter().flatten().copied() {
            let late_enough = match (not_before, since(effect)) {
                (Some(bound), Some(own)) => bound.since(own) <= SLACK_SECONDS,
                _ => true,
            };
            if late_enough && seen.insert(effect) {
                order.push((effect, not_before.max(since(effect))));
            }
        }
        at += 1;
    }
    order.into_iter().map(|(index, _)| index).collect()
}

fn incident(group: &[usize], edges: &[Edge], slots: &mut [Option<Finding>]) -> Option<Incident> {
    let place: BTreeMap<usize, usize> =
        group.iter().enumerate().map(|(place, index)| (*index, place)).collect();
    let inside = |e: &Edge| {
        Some(Edge { cause: *place.get(&e.cause)?, effect: *place.get(&e.effect)?, why: e.why })
    };
    let edges: Vec<Edge> = edges.iter().filter_map(inside).collect();
    let causes: BTreeSet<usize> = edges.iter().map(|e| e.cause).collect();
    let mut members: Vec<Member> = group
        .iter()
        .filter_map(|index| slots.get_mut(*index).and_then(Option::take))
        .enumerate()
        .map(|(place, finding)| {
            let role = match place {
                0 => Role::Trigger,
                _ if matches!(finding.role, Role::Contributing | Role::Gap) => finding.role,
                _ if causes.contains(&place) => Role::Mechanism,
                _ => Role::Symptom,
            };
            Member { finding, role }
        })
        .collect();
    doubt_a_lone_symptom(&mut members.first_mut()?.finding);
    let cause = &members.first()?.finding;
    let impact = total_impact(&members);
    Some(Incident {
        id: format!("i-{:08x}", digest(cause)),
        state: cause.state,
        severity: severity(cause, impact),
        impact,
        edges,
        members,
    })
}

/// A symptom at the head of an incident was seen for certain, but it is no cause: what is behind
/// it is not known.
fn doubt_a_lone_symptom(cause: &mut Finding) {
    if cause.role == Role::Symptom {
        cause.certainty = Certainty::Possible;
    }
}

/// The sum over objects; several findings about one object count it once.
fn total_impact(members: &[Member]) -> Impact {
    let mut worst: BTreeMap<&ObjectRef, Impact> = BTreeMap::new();
    for member in members.iter().filter(|m| m.finding.state != State::Recovered) {
        let finding = &member.finding;
        let known = worst.entry(&finding.object).or_default();
        *known = (*known).max(finding.impact);
    }
    worst.values().fold(Impact::default(), |sum, i| sum.plus(*i))
}

fn severity(cause: &Finding, impact: Impact) -> Severity {
    match cause.state {
        State::Recovered | State::Suspected => Severity::Note,
        _ if impact.is_none() && cause.affected.is_empty() => Severity::Note,
        _ if burdens_everybody(cause) => Severity::Page,
        _ if impact.is_none() => Severity::Ticket,
        _ if impact.services > 0 || impact.nodes > 0 => Severity::Page,
        State::Recovering => Severity::Ticket,
        State::Active if cause.certainty == Certainty::Possible => Severity::Ticket,
        State::Active => Severity::Page,
    }
}

/// Whether the cluster as a whole suffers, for certain or most likely.
fn burdens_everybody(cause: &Finding) -> bool {
    let all = cause.affected.iter().any(|a| a.object.kind == Kind::Cluster);
    all && cause.certainty > Certainty::Possible && cause.state == State::Active
}

/// Where an incident stands: active first, then loud, then what all suffer from, then who
/// suffers, then sure, then what began last; then by its id.
pub(crate) type Rank = (
    State,
    Reverse<Severity>,
    Reverse<bool>,
    Reverse<Impact>,
    Reverse<Certainty>,
    Reverse<Option<Timestamp>>,
    String,
);

fn rank(i: &Incident) -> Rank {
    let cause = i.cause();
    (
        i.state,
        Reverse(i.severity),
        Reverse(burdens_everybody(cause)),
        Reverse(i.impact),
        Reverse(cause.certainty),
        Reverse(cause.since),
        i.id.clone(),
    )
}

/// Where somebody who was to be asked said nothing, what was likely may be something else. What
/// two objects or an event prove stays proven. How loud an incident is does not change by it.
pub(crate) fn doubt_what_was_not_checked(incident: &mut Incident) {
    for member in &mut incident.members {
        member.finding.certainty = match member.finding.certainty {
            Certainty::Likely => Certainty::Possible,
            certainty => certainty,
        };
    }
}

/// Where pods or nodes were lost on the way, nobody can say how bad it is: the louder word
/// stands. Nor is a cause proven by a kind that would have compared them.
pub(crate) fn fear_the_dark(incident: &mut Incident, now: &Snapshot, kinds: &[&FailureKind]) {
    if incident.state == State::Active && incident.severity == Severity::Ticket {
        incident.severity = Severity::Page;
    }
    let lost: Vec<Kind> =
        blind::lost(now).into_iter().filter(|k| matches!(k, Kind::Node | Kind::Pod)).collect();
    let Some(member) = incident.members.first_mut() else { return };
    let finding = &mut member.finding;
    let kind = kinds.iter().find(|k| k.id == finding.failure);
    let compares = kind.is_some_and(|k| k.reads.iter().any(|r| lost.contains(r)));
    if compares && finding.certainty == Certainty::Proven {
        finding.certainty = Certainty::Likely;
    }
}

/// Ages without any date are good for comparing; no date must be made of them.
pub(crate) fn forget_dates(incident: &mut Incident) {
    for member in &mut incident.members {
        let finding = &mut member.finding;
        finding.since = None;
        finding.forecast.clear();
        finding.evidence.iter_mut().for_each(|e| e.at = None);
    }
}

/// FNV-1a over what makes a cause the same cause.
fn digest(cause: &Finding) -> u32 {
    let parts = [
        cause.failure,
        cause.mechanism,
        cause.object.kind.name(),
        &cause.object.namespace,
        &cause.object.name,
    ];
    let bytes = parts.iter().flat_map(|p| p.bytes().chain([0]));
    bytes.fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}
