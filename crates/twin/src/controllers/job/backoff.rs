//! How long a Job waits with the next pod after one failed.

use model::Timestamp;
use serde_json::Value;

use crate::field;
use crate::kernel::{SECOND, plus};
use crate::store::Object;

const FIRST: i64 = 10 * SECOND;
const LONGEST: i64 = 600 * SECOND;

/// Failures since the last success.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Failures {
    times: u32,
    last: Option<Timestamp>,
}

impl Failures {
    /// Counts in the pods that ended since.
    pub fn count(&mut self, ended: &[&Object], now: Timestamp) {
        let mut all: Vec<(Timestamp, bool)> = ended
            .iter()
            .map(|pod| (end_of(pod, now), field::text(pod, "/status/phase") == "Succeeded"))
            .collect();
        all.sort();
        for (at, succeeded) in all {
            *self = match succeeded {
                true => Self::default(),
                false => Self { times: self.times + 1, last: Some(at) },
            };
        }
    }

    /// When the next pod may be made.
    pub fn over_at(&self) -> Option<Timestamp> {
        self.last.map(|last| pause_after(self.times, last))
    }
}

/// The end of the pause after this many failures, the last of them at `last`.
pub(super) fn pause_after(times: u32, last: Timestamp) -> Timestamp {
    let doubled = FIRST.saturating_mul(1 << times.saturating_sub(1).min(20));
    plus(last, if times == 0 { 0 } else { doubled.min(LONGEST) })
}

/// When a pod ended, as far as it tells.
pub(super) fn end_of(pod: &Value, now: Timestamp) -> Timestamp {
    let containers = field::list(pod, "/status/containerStatuses").iter();
    let ends = containers.filter_map(|c| field::time(c, "/state/terminated/finishedAt"));
    let unready = || {
        let ready = field::condition(pod, "Ready").filter(|c| c["status"] == "False")?;
        field::time(ready, "/lastTransitionTime")
    };
    let deleted = || {
        let at = field::time(pod, "/metadata/deletionTimestamp")?;
        Some(at.minus_seconds(field::number(pod, "/metadata/deletionGracePeriodSeconds")))
    };
    ends.max().or_else(unready).or_else(deleted).unwrap_or(now)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_ten_minutes() {
        let last = Timestamp::from_seconds(1000);
        for (times, seconds) in [(0, 0), (1, 10), (2, 20), (3, 40), (7, 600), (40, 600)] {
            assert_eq!(pause_after(times, last).since(last), seconds, "{times}");
        }
    }
}
