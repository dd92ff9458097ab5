//! How fast lost nodes are given up, by zone: slower, or not at all, when many are lost.

use std::collections::BTreeMap;

use model::Timestamp;

use crate::kernel::{SECOND, plus};

/// Between two nodes of a zone in normal times (0.1 a second).
const NORMAL: i64 = 10 * SECOND;
/// The same in a large zone that is partly lost (0.01 a second).
const SECONDARY: i64 = 100 * SECOND;
/// Zones up to this size stop giving up nodes when partly lost.
const LARGE_ZONE: usize = 50;

/// Ready and lost nodes of a zone.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Zone {
    pub ready: usize,
    pub lost: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Normal,
    /// At least 55 % are lost, and more than two.
    Partial,
    /// All are lost.
    Full,
}

impl Zone {
    fn state(self) -> State {
        match self {
            Self { ready: 0, lost: 1.. } => State::Full,
            Self { ready, lost } if lost > 2 && lost * 100 >= (ready + lost) * 55 => State::Partial,
            _ => State::Normal,
        }
    }
}

/// One token a zone.
#[derive(Debug, Default)]
pub(super) struct Limiter {
    next: BTreeMap<String, Timestamp>,
}

impl Limiter {
    /// Whether the next node of `zone` may be given up now; if not, when to ask again.
    pub fn take(
        &mut self,
        zones: &BTreeMap<String, Zone>,
        zone: &str,
        now: Timestamp,
    ) -> Result<(), Option<Timestamp>> {
        let all_lost = zones.values().all(|zone| zone.state() == State::Full);
        let here = zones.get(zone).copied().unwrap_or_default();
        let pause = match here.state() {
            // Nothing is left to judge the loss by: the fault is more likely on our side.
            _ if all_lost => return Err(None),
            State::Partial if here.ready + here.lost <= LARGE_ZONE => return Err(None),
            State::Partial => SECONDARY,
            State::Normal | State::Full => NORMAL,
        };
        match self.next.get(zone) {
            Some(next) if *next > now => Err(Some(*next)),
            _ => {
                self.next.insert(zone.to_owned(), plus(now, pause));
                Ok(())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many nodes of zone `a` are given up within a minute.
    #[track_caller]
    fn check(a: (usize, usize), b: (usize, usize), given_up: usize) {
        let zone = |(ready, lost)| Zone { ready, lost };
        let zones = BTreeMap::from([("a".to_owned(), zone(a)), ("b".to_owned(), zone(b))]);
        let mut limiter = Limiter::default();
        let taken = (0..60).filter(|second| {
            limiter.take(&zones, "a", Timestamp::from_seconds(1000 + second)).is_ok()
        });
        assert_eq!(taken.count(), given_up);
    }

    #[test]
    fn the_rate_falls_with_the_share_of_lost_nodes() {
        check((3, 1), (4, 0), 6);
        check((0, 4), (4, 0), 6);
        check((4, 6), (4, 0), 0);
        check((40, 60), (4, 0), 1);
        check((0, 4), (0, 2), 0);
        check((1, 2), (4, 0), 6);
    }
}
