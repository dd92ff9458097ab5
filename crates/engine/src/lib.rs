//! The spine: from a snapshot and a list of failure kinds to one situation.
//!
//! Pure: no I/O, no clock, no randomness; the same input gives the same bytes. It knows no
//! failure by name: which failure causes which is asked of the kinds, which object depends on
//! which is asked of the snapshot.

mod about;
mod blind;
mod changes;
mod detect;
mod factors;
mod graph;
mod incident;
mod standing;
mod verdict;

#[cfg(test)]
mod tests;

pub use about::{Part, about};
pub use changes::changes;
pub use detect::{Share, ask, ask_of};
pub use standing::{Asked, Standing};

use model::{Edge, FailureKind, Finding, Findings, Incident, Situation, Snapshot, Verdict};

/// Judges a snapshot: finds failures, joins them into incidents and ranks these.
pub fn step(now: &Snapshot, kinds: &[&FailureKind]) -> Situation {
    conclude(kinds.iter().map(|kind| ask(kind, now)), now, kinds)
}

/// Joins what the kinds said, in their order, into incidents and ranks these. Who asks the kinds
/// at the same time goes on here.
pub fn conclude(
    answers: impl IntoIterator<Item = Findings>,
    now: &Snapshot,
    kinds: &[&FailureKind],
) -> Situation {
    let Findings { found, mut ruled_out, mut stale } = detect::join(answers);
    let links = graph::link(&found, now, kinds);
    let mut incidents = incidents(found, &links, &mut factors::Gaps::default(), now, kinds);
    incidents.sort_by(|(a, _), (b, _)| a.cmp(b));
    let incidents: Vec<Incident> = incidents.into_iter().map(|(_, incident)| incident).collect();
    ruled_out.sort();
    ruled_out.dedup();
    stale.sort();
    stale.dedup();
    let blind = blind::of(now, kinds, &incidents);
    Situation { verdict: verdict::of(&incidents, now), incidents, ruled_out, stale, blind }
}

/// Incidents of linked findings with their ranks, as they are told.
fn incidents(
    found: Vec<Finding>,
    links: &[Edge],
    gaps: &mut factors::Gaps,
    now: &Snapshot,
    kinds: &[&FailureKind],
) -> Vec<(incident::Rank, Incident)> {
    let is_dark = verdict::is_dark(now);
    let mut ranked = incident::gather(found, links);
    for (_, incident) in &mut ranked {
        factors::add(incident, gaps, now, kinds);
        if !now.has_time {
            incident::forget_dates(incident);
        }
        if now.coverage.has_lost_source() {
            incident::doubt_what_was_not_checked(incident);
        }
        if is_dark {
            incident::fear_the_dark(incident, now, kinds);
        }
    }
    ranked
}

/// The answer in one word to these incidents, e.g. those of one namespace.
pub fn verdict(incidents: &[Incident], now: &Snapshot) -> Verdict {
    verdict::of(incidents, now)
}
