//! How fast lost nodes are given up, by zone: slower, or not at all, when many are lost.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

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
pub(super) struct Count {
    pub ready: usize,
    pub lost: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    Normal,
    /// At least 55 % are lost, and more than two.
    Partial,
    /// All are lost.
    Full,
}

impl Count {
    pub fn state(self) -> State {
        match self {
            Self { ready: 0, lost: 1.. } => State::Full,
            Self { ready, lost } if lost > 2 && lost * 100 >= (ready + lost) * 55 => State::Partial,
            _ => State::Normal,
        }
    }

    /// The pause between two nodes in this state; `None` for ever.
    fn pause(self, state: State) -> Option<i64> {
        match state {
            State::Partial if self.ready + self.lost <= LARGE_ZONE => None,
            State::Partial => Some(SECONDARY),
            State::Normal | State::Full => Some(NORMAL),
        }
    }
}

/// The nodes of a zone that wait to be given up, one token at a time.
#[derive(Debug, Clone)]
pub(super) struct Zone {
    /// `None` for a zone that was not judged yet.
    state: Option<State>,
    waiting: VecDeque<String>,
    /// Those that waited once: they wait again only after they were well.
    seen: BTreeSet<String>,
    /// Between two tokens; `None`: there are none.
    pause: Option<i64>,
    /// When the next token is there.
    next: Timestamp,
}

impl Zone {
    pub fn new(now: Timestamp) -> Self {
        let (waiting, seen) = (VecDeque::new(), BTreeSet::new());
        Self { state: None, waiting, seen, pause: Some(NORMAL), next: now }
    }

    pub fn add(&mut self, node: &str) {
        if self.seen.insert(node.to_owned()) {
            self.waiting.push_back(node.to_owned());
        }
    }

    pub fn remove(&mut self, node: &str) {
        self.forget(node);
        self.waiting.retain(|waiting| waiting != node);
    }

    /// It may wait again.
    pub fn forget(&mut self, node: &str) {
        self.seen.remove(node);
    }

    /// When a node could be given up; `None` if none waits, or never.
    pub fn due(&self) -> Option<Timestamp> {
        (self.pause.is_some() && !self.waiting.is_empty()).then_some(self.next)
    }

    /// The next node to be given up now. It costs a token, whatever becomes of it.
    pub fn take(&mut self, now: Timestamp) -> Option<String> {
        let pause = self.pause?;
        if self.next > now {
            return None;
        }
        let node = self.waiting.pop_front()?;
        self.next = plus(now, pause);
        Some(node)
    }

    /// Another rate: its first token is there at once, unless one is awaited just now.
    fn set_rate(&mut self, pause: Option<i64>, now: Timestamp) {
        if self.pause == pause {
            return;
        }
        let awaited = self.pause.is_none() || self.next > now;
        self.pause = pause;
        self.next = if awaited { plus(now, pause.unwrap_or(0)) } else { now };
    }
}

/// What a change of the zones' states asks for besides other rates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Turn {
    Nothing,
    /// Every zone is lost: the fault is more likely on our side, nobody is given up.
    AllLost,
    /// One of the lost zones is back.
    Recovered,
}

/// Takes note of what the zones look like after a pass.
pub(super) fn judge(
    zones: &mut BTreeMap<String, Zone>,
    counts: &BTreeMap<String, Count>,
    now: Timestamp,
) -> Turn {
    let all_lost = counts.values().all(|count| count.state() == State::Full);
    zones.retain(|name, _| counts.contains_key(name));
    let were_lost = zones.values().all(|zone| zone.state == Some(State::Full));
    if all_lost && were_lost {
        return Turn::Nothing;
    }
    if all_lost {
        for zone in zones.values_mut() {
            zone.set_rate(None, now);
            zone.state = Some(State::Full);
        }
        return Turn::AllLost;
    }
    for (name, zone) in zones.iter_mut() {
        let count = counts.get(name).copied().unwrap_or_default();
        let state = count.state();
        if were_lost || zone.state != Some(state) {
            zone.set_rate(count.pause(state), now);
            zone.state = Some(state);
        }
    }
    if were_lost { Turn::Recovered } else { Turn::Nothing }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(pairs: &[(usize, usize)]) -> BTreeMap<String, Count> {
        let names = ["a", "b", "c"];
        let all = names.iter().zip(pairs);
        all.map(|(n, (ready, lost))| ((*n).to_owned(), Count { ready: *ready, lost: *lost }))
            .collect()
    }

    /// How many nodes of zone `a` are given up within a minute after the zones are judged.
    #[track_caller]
    fn check(a: (usize, usize), b: (usize, usize), given_up: usize) {
        let t = |second: i64| Timestamp::from_seconds(1000 + second);
        let counts = counts(&[a, b]);
        let mut zones: BTreeMap<_, _> =
            counts.keys().map(|name| (name.clone(), Zone::new(t(-100)))).collect();
        judge(&mut zones, &counts, t(-1));
        let zone = zones.get_mut("a").unwrap();
        (0..100).for_each(|n| zone.add(&format!("n{n}")));
        let taken = (0..60).filter(|second| zone.take(t(*second)).is_some());
        assert_eq!(taken.count(), given_up, "{a:?} {b:?}");
    }

    #[test]
    fn the_rate_falls_with_the_share_of_lost_nodes() {
        check((3, 1), (4, 0), 6);
        check((0, 4), (4, 0), 6);
        check((4, 6), (4, 0), 0);
        check((40, 60), (4, 0), 1);
        check((0, 4), (0, 2), 0);
        check((1, 2), (4, 0), 6);
        check((20, 30), (4, 0), 0);
        check((20, 31), (4, 0), 1);
        check((0, 3), (1, 0), 6);
        check((0, 900), (0, 1), 0);
    }

    /// The table of zone states: ready and lost nodes of the zones, before and after a change.
    #[test]
    fn zones_are_judged_by_what_is_ready() {
        use State::{Full, Normal, Partial};
        type Zones<'a> = &'a [(usize, usize)];
        let rows: [(Zones<'_>, &[State], Zones<'_>, &[State]); 8] = [
            (&[(1, 0)], &[Normal], &[(1, 0)], &[Normal]),
            (&[(0, 1), (0, 1)], &[Full, Full], &[(0, 1), (1, 0)], &[Full, Normal]),
            (&[(0, 4)], &[Full], &[(1, 3)], &[Partial]),
            (&[(3, 2)], &[Normal], &[(2, 3)], &[Partial]),
            (&[(1, 2)], &[Normal], &[(0, 3)], &[Full]),
            (&[(0, 1), (1, 0)], &[Full, Normal], &[(0, 1), (1, 0)], &[Full, Normal]),
            (&[(0, 1), (0, 1)], &[Full, Full], &[(0, 1), (0, 1)], &[Full, Full]),
            (&[(1, 0)], &[Normal], &[(0, 1)], &[Full]),
        ];
        for (first, first_states, then, then_states) in rows {
            let now = Timestamp::from_seconds(1000);
            let mut zones: BTreeMap<_, _> =
                counts(first).keys().map(|name| (name.clone(), Zone::new(now))).collect();
            for (pairs, states) in [(first, first_states), (then, then_states)] {
                judge(&mut zones, &counts(pairs), now);
                let found: Vec<_> = zones.values().filter_map(|zone| zone.state).collect();
                assert_eq!(found, states, "{first:?} {then:?}");
            }
        }
    }

    #[test]
    fn after_all_were_lost_the_first_waits_for_its_token() {
        let t = |second: i64| Timestamp::from_seconds(1000 + second);
        let mut zones = BTreeMap::from([("a".to_owned(), Zone::new(t(0)))]);
        assert_eq!(judge(&mut zones, &counts(&[(0, 2)]), t(1)), Turn::AllLost);
        zones.get_mut("a").unwrap().add("n");
        assert_eq!(zones["a"].due(), None);
        assert_eq!(judge(&mut zones, &counts(&[(1, 1)]), t(5)), Turn::Recovered);
        assert_eq!(zones["a"].due(), Some(t(15)));
    }
}
