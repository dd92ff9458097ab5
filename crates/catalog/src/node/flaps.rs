//! How often a node became ready and unready. Shared by the kinds about nodes that come and go.

use std::collections::BTreeMap;

use model::record::Node;
use model::{Evidence, Snapshot, Timestamp};

use super::signs::{self, Sign};

/// Changes of a node's readiness.
pub(super) struct Flaps {
    /// How often it changed, in either direction.
    pub(super) changes: u32,
    pub(super) first: Option<Timestamp>,
    pub(super) last: Option<Timestamp>,
    pub(super) evidence: Vec<Evidence>,
}

/// More changes than this within the window are no restart of the machine.
const RESTART_CHANGES: i64 = 2;
/// Changes are counted per so many seconds.
const WINDOW_SECONDS: i64 = 900;
/// A node that has been quiet for so long flaps no more, in seconds.
const QUIET_SECONDS: i64 = 1800;

/// The changes of a node's readiness, when there are too many for a restart and the last one is
/// not long ago.
pub(super) fn of(node: &Node, now: &Snapshot) -> Option<Flaps> {
    let all = signs::of(node, now);
    let lost: Vec<&Sign<'_>> = all.iter().filter(|s| s.is_event("NodeNotReady")).collect();
    let back: Vec<&Sign<'_>> = all.iter().filter(|s| s.is_event("NodeReady")).collect();
    let (down, up) = (times(&lost), times(&back));
    if down < 2 {
        return None;
    }
    // Where only one direction is shown, the other one lies between.
    let changes = if up == 0 { down.saturating_mul(2) - 1 } else { down.saturating_add(up) };
    let both = || lost.iter().chain(&back);
    let first = both().filter_map(|s| s.first).min();
    let last = both().filter_map(|s| s.last).max();
    let span = last.zip(first).map_or(0, |(l, f)| l.since(f)).max(WINDOW_SECONDS);
    let often = i64::from(changes).saturating_mul(WINDOW_SECONDS) / span > RESTART_CHANGES;
    let lately = last.is_none_or(|t| now.now.since(t) <= QUIET_SECONDS);
    (often && lately).then(|| Flaps {
        changes,
        first,
        last,
        evidence: lost.iter().rev().take(2).filter_map(|s| s.evidence()).collect(),
    })
}

/// How often something was said; two who say it (the kubelet and the node controller) say the
/// same.
fn times(signs: &[&Sign<'_>]) -> u32 {
    let mut by_speaker: BTreeMap<&str, u32> = BTreeMap::new();
    for sign in signs {
        let sum = by_speaker.entry(sign.speaker).or_default();
        *sum = sum.saturating_add(sign.count);
    }
    by_speaker.into_values().max().unwrap_or(0)
}
