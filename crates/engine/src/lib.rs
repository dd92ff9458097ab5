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
pub use detect::ask;
pub use standing::Standing;

use model::{FailureKind, Findings, Incident, Situation, Snapshot, Verdict};

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
    let mut incidents = incident::gather(found, &links);
    factors::add(&mut incidents, now, kinds);
    if !now.has_time {
        incidents.iter_mut().for_each(incident::forget_dates);
    }
    if now.coverage.has_lost_source() {
        incidents.iter_mut().for_each(incident::doubt_what_was_not_checked);
    }
    if verdict::is_dark(now) {
        incidents.iter_mut().for_each(|i| incident::fear_the_dark(i, now, kinds));
    }
    ruled_out.sort();
    ruled_out.dedup();
    stale.sort();
    stale.dedup();
    let blind = blind::of(now, kinds, &incidents);
    Situation { verdict: verdict::of(&incidents, now), incidents, ruled_out, stale, blind }
}

/// The answer in one word to these incidents, e.g. those of one namespace.
pub fn verdict(incidents: &[Incident], now: &Snapshot) -> Verdict {
    verdict::of(incidents, now)
}
