//! Which of several reasons is the one that counts: what keeps the pod from the nodes that
//! could otherwise take it. What the pod does not want, and nodes that are closed at all
//! times, are no reason.

use std::collections::{BTreeMap, BTreeSet};

use model::Certainty;
use model::record::PodSpec;

use super::fit::{self, Fit, Obstacle};
use super::message::{Reason, Refusal};

/// A mechanism, how sure it is and what else it could be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Choice {
    pub(crate) mechanism: &'static str,
    pub(crate) certainty: Certainty,
    pub(crate) alternatives: Vec<&'static str>,
}

impl Choice {
    fn sure(mechanism: &'static str) -> Self {
        Choice { mechanism, certainty: Certainty::Proven, alternatives: Vec::new() }
    }

    fn likely(mechanism: &'static str, alternatives: Vec<&'static str>) -> Self {
        let certainty = match alternatives.len() {
            0 => Certainty::Proven,
            1 => Certainty::Likely,
            _ => Certainty::Possible,
        };
        Choice { mechanism, certainty, alternatives }
    }
}

/// What is known about a pod without a node.
pub(crate) struct Case<'a> {
    /// What the scheduler said.
    pub(crate) refusal: Option<&'a Refusal>,
    /// Nodes, compared with the pod.
    pub(crate) fits: &'a [Fit<'a>],
    /// What the pod asks for.
    pub(crate) spec: Option<&'a PodSpec>,
    /// Whether its affinity is known too.
    pub(crate) placement_known: bool,
}

/// The reason that counts; `None` when nothing was said and nothing contradicts.
pub(crate) fn of(case: &Case<'_>) -> Option<Choice> {
    let Some(refusal) = case.refusal else { return by_objects(case, None).map(Choice::sure) };
    let allowed: BTreeSet<&'static str> =
        refusal.reasons.iter().flat_map(|(_, r)| mechanisms(r)).copied().collect();
    let blind = refusal.has(|r| *r == Reason::Selector)
        && (case.spec.is_none() || case.fits.iter().any(|f| !f.background && !f.labels_known));
    if !blind && let Some(choice) = by_what_is_left(case, refusal) {
        return Some(choice);
    }
    let compared = if blind { None } else { by_objects(case, Some(&allowed)) };
    compared.map(Choice::sure).or_else(|| by_message(case, refusal))
}

/// Nodes that have what the pod asks for were refused too, for something that is no property of a
/// node, such as how the pods are spread: that is what counts, not what the full nodes lack.
fn by_what_is_left(case: &Case<'_>, refusal: &Refusal) -> Option<Choice> {
    let wanted: Vec<&Fit<'_>> =
        foreground(case.fits).into_iter().filter(|f| f.is_wanted()).collect();
    let free = wanted.iter().filter(|f| f.obstacles.is_empty()).count();
    let seen: BTreeSet<&'static str> =
        wanted.iter().flat_map(|f| mechanisms_of(&f.obstacles)).collect();
    let unseen = without_background(case, refusal).into_iter().filter_map(|(count, reason)| {
        let of_pods = matches!(
            reason,
            Reason::Spread | Reason::PodAffinity | Reason::AntiAffinity | Reason::PodRules
        );
        let (mechanism, other) = resolve(case, &reason)?;
        let open = of_pods && other.is_none() && !seen.contains(mechanism);
        open.then_some((count, mechanism))
    });
    let unseen: Vec<(u32, &'static str)> = unseen.collect();
    match unseen.as_slice() {
        [(count, mechanism)] if free > 0 && usize::try_from(*count) == Ok(free) => {
            Some(Choice::sure(mechanism))
        }
        _ => None,
    }
}

/// Nodes that matter: those that are not closed at all times.
pub(crate) fn foreground<'f, 's>(fits: &'f [Fit<'s>]) -> Vec<&'f Fit<'s>> {
    fits.iter().filter(|f| !f.background).collect()
}

fn by_objects(case: &Case<'_>, allowed: Option<&BTreeSet<&'static str>>) -> Option<&'static str> {
    let fore = foreground(case.fits);
    let may = |m: &str| allowed.is_none_or(|a| a.contains(m));
    let wanted: Vec<&&Fit<'_>> = fore.iter().filter(|f| f.is_wanted()).collect();
    if wanted.is_empty() {
        let with = |o: Obstacle| fore.iter().filter(|f| f.obstacles.contains(&o)).count();
        let (selector, affinity) = (with(Obstacle::Selector), with(Obstacle::Affinity));
        let (most, least) = ("node-selector-unmatched", "node-affinity-unmatched");
        let choice = if selector >= affinity { most } else { least };
        return (!fore.is_empty() && may(choice)).then_some(choice);
    }
    if allowed.is_none() && wanted.iter().any(|f| f.obstacles.is_empty()) {
        return None;
    }
    let all = || wanted.iter().map(|f| mechanisms_of(&f.obstacles));
    let alone = all().filter(|own| own.clone().take(2).count() == 1);
    most_frequent(alone, &may).or_else(|| most_frequent(all(), &may))
}

/// The mechanisms of one node's obstacles, each once.
fn mechanisms_of(obstacles: &[Obstacle]) -> impl Iterator<Item = &'static str> + Clone {
    obstacles.iter().enumerate().filter_map(|(at, obstacle)| {
        let mechanism = obstacle.mechanism();
        let before = obstacles.get(..at).unwrap_or_default();
        (!before.iter().any(|o| o.mechanism() == mechanism)).then_some(mechanism)
    })
}

/// The mechanism that most nodes have.
fn most_frequent(
    nodes: impl Iterator<Item = impl Iterator<Item = &'static str>>,
    may: &dyn Fn(&str) -> bool,
) -> Option<&'static str> {
    let mut counts: Vec<(&'static str, usize)> = Vec::new();
    for mechanism in nodes.flatten() {
        match counts.iter_mut().find(|(m, _)| *m == mechanism) {
            Some((_, count)) => *count += 1,
            None => counts.push((mechanism, 1)),
        }
    }
    counts.retain(|(m, _)| may(m));
    counts.sort_unstable_by_key(|(m, _)| *m);
    counts.into_iter().max_by_key(|(m, n)| (*n, std::cmp::Reverse(stage(m)))).map(|(m, _)| m)
}

/// Mechanisms that a reason can mean.
fn mechanisms(reason: &Reason) -> &'static [&'static str] {
    match reason {
        Reason::Cordoned => &["node-cordoned"],
        Reason::Taint(key, _) if key == "node.kubernetes.io/unschedulable" => &["node-cordoned"],
        Reason::Taint(..) | Reason::NotReady | Reason::Pressure => &["taint-not-tolerated"],
        Reason::Selector => &["node-selector-unmatched", "node-affinity-unmatched"],
        Reason::Ports => &["host-port-taken"],
        Reason::Lacks(resource) => match fit::lacking(resource) {
            "insufficient-cpu" => &["insufficient-cpu"],
            "insufficient-memory" => &["insufficient-memory"],
            "insufficient-pods" => &["insufficient-pods"],
            "insufficient-ephemeral-storage" => &["insufficient-ephemeral-storage"],
            _ => &["insufficient-extended-resource"],
        },
        Reason::TooManyPods => &["insufficient-pods"],
        Reason::PodAffinity => &["pod-affinity-unmatched"],
        Reason::AntiAffinity => &["pod-anti-affinity-unmatched"],
        Reason::PodRules => &["pod-affinity-unmatched", "pod-anti-affinity-unmatched"],
        Reason::Spread => &["topology-spread-unsatisfiable"],
        Reason::VolumeNode => &["volume-node-conflict"],
        Reason::VolumeLimit => &["volume-limit-reached"],
        Reason::NoVolume | Reason::ClaimUnbound | Reason::ClaimMissing(_) => &["claim-unbound"],
        Reason::Other(_) => &[],
    }
}

/// How far a node has come in the scheduler's tests before it fails for this: each test is
/// only made on nodes that passed the ones before.
fn stage(mechanism: &str) -> u8 {
    match mechanism {
        "node-cordoned" => 0,
        "taint-not-tolerated" => 1,
        "node-selector-unmatched" | "node-affinity-unmatched" => 2,
        _ => 3,
    }
}

/// From the message alone: nodes that got farthest in the tests are the nearest to a fit.
fn by_message(case: &Case<'_>, refusal: &Refusal) -> Option<Choice> {
    let mut counts: BTreeMap<&'static str, u32> = BTreeMap::new();
    let mut doubts: Vec<&'static str> = Vec::new();
    let reasons = without_background(case, refusal);
    for (count, reason) in &reasons {
        let (mechanism, other) = resolve(case, reason)?;
        let sum = counts.entry(mechanism).or_default();
        *sum = sum.saturating_add((*count).max(1));
        doubts.extend(other);
    }
    let latest = counts.keys().map(|m| stage(m)).max()?;
    let late = latest == 3;
    let in_play = counts.iter().filter(|(m, _)| !late || stage(m) == 3);
    let (best, _) = in_play.clone().max_by_key(|(m, n)| (**n, std::cmp::Reverse(stage(m))))?;
    let mut alternatives: Vec<&'static str> =
        in_play.map(|(m, _)| *m).filter(|m| m != best).collect();
    alternatives.extend(doubts.into_iter().filter(|d| d != best));
    alternatives.dedup();
    Some(Choice::likely(best, alternatives))
}

/// Reasons without those that hold at all times for nodes of the control plane.
fn without_background(case: &Case<'_>, refusal: &Refusal) -> Vec<(u32, Reason)> {
    let closed = |f: &&Fit<'_>| f.background && f.obstacles.contains(&Obstacle::Cordon);
    let known = u32::try_from(case.fits.iter().filter(closed).count()).unwrap_or(u32::MAX);
    let others: u32 = refusal
        .reasons
        .iter()
        .filter(|(_, r)| *r != Reason::Cordoned)
        .fold(0, |sum, (n, _)| sum.saturating_add(*n));
    // Without the nodes: one that is cordoned among more that are not is the usual master.
    let usual = u32::from(case.fits.is_empty() && others >= 2);
    let control_plane = |r: &Reason| match r {
        Reason::Taint(key, _) => fit::is_control_plane_key(key),
        _ => false,
    };
    let left: Vec<(u32, Reason)> = refusal
        .reasons
        .iter()
        .map(|(n, r)| match r {
            Reason::Cordoned => (n.saturating_sub(known.max(usual)), r.clone()),
            _ => (*n, r.clone()),
        })
        .filter(|(n, r)| !control_plane(r) && (*n > 0 || *r != Reason::Cordoned))
        .filter(|(_, r)| !mechanisms(r).is_empty())
        .collect();
    if left.is_empty() { refusal.reasons.clone() } else { left }
}

/// The mechanism of a reason, and what else it could be where one wording stands for two.
fn resolve(case: &Case<'_>, reason: &Reason) -> Option<(&'static str, Option<&'static str>)> {
    let pair = mechanisms(reason);
    let (first, second) = (*pair.first()?, pair.get(1).copied());
    let Some(second) = second else { return Some((first, None)) };
    let Some(spec) = case.spec else { return Some((first, Some(second))) };
    let affinity = spec.affinity.as_deref();
    let has = match reason {
        Reason::Selector => {
            (!spec.node_selector.is_empty(), affinity.is_some_and(|a| !a.nodes.is_empty()))
        }
        _ => (
            affinity.is_some_and(|a| !a.pods.is_empty()),
            affinity.is_some_and(|a| !a.anti.is_empty()),
        ),
    };
    // A selector that is known to be empty leaves the affinity, shown or not.
    Some(match has {
        (true, false) if case.placement_known => (first, None),
        (false, _) if *reason == Reason::Selector => (second, None),
        (false, true) => (second, None),
        _ => (first, Some(second)),
    })
}
