//! The queue of a controller: which objects it has to look at, and when.

use std::collections::BTreeMap;

use model::Timestamp;

use super::Place;
use crate::kernel::{SECOND, plus};

/// The pause after a first failure, in microseconds; it doubles each time.
const FIRST_PAUSE: i64 = 5_000;
const LONGEST_PAUSE: i64 = 1000 * SECOND;

/// Objects that wait to be looked at, and how often a look at each failed.
#[derive(Debug, Default)]
pub(super) struct Work {
    due: BTreeMap<Place, Timestamp>,
    failed: BTreeMap<Place, u32>,
}

impl Work {
    /// Looks at an object at `at`, or earlier if that was asked for before.
    pub fn add(&mut self, place: Place, at: Timestamp) {
        let slot = self.due.entry(place).or_insert(at);
        *slot = at.min(*slot);
    }

    /// Takes what is due.
    pub fn take(&mut self, now: Timestamp) -> Vec<Place> {
        let due: Vec<_> = self.due.iter().filter(|(_, at)| **at <= now).collect();
        let due: Vec<Place> = due.into_iter().map(|(place, _)| place.clone()).collect();
        for place in &due {
            self.due.remove(place);
        }
        due
    }

    /// Looks again after a pause that grows with each failure.
    pub fn retry(&mut self, place: &Place, now: Timestamp) {
        let times = self.failed.entry(place.clone()).or_default();
        let pause = FIRST_PAUSE.saturating_mul(1 << (*times).min(40)).min(LONGEST_PAUSE);
        *times += 1;
        self.add(place.clone(), plus(now, pause));
    }

    /// The last look went well.
    pub fn forgive(&mut self, place: &Place) {
        self.failed.remove(place);
    }

    /// When the next object is due.
    pub fn next(&self) -> Option<Timestamp> {
        self.due.values().min().copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_earlier_time_counts_and_pauses_double() {
        let place = ("a".to_owned(), "b".to_owned());
        let at = Timestamp::from_seconds;
        let mut work = Work::default();
        work.add(place.clone(), at(9));
        work.add(place.clone(), at(5));
        work.add(place.clone(), at(7));
        assert_eq!((work.next(), work.take(at(4)).len()), (Some(at(5)), 0));
        assert_eq!((work.take(at(5)).len(), work.next()), (1, None));
        let pauses: Vec<i64> = (0..3)
            .map(|_| {
                work.retry(&place, at(0));
                let next = work.next().unwrap();
                work.take(next);
                next.micros() - at(0).micros()
            })
            .collect();
        assert_eq!(pauses, [5_000, 10_000, 20_000]);
        work.forgive(&place);
        work.retry(&place, at(0));
        assert_eq!(work.next(), Some(plus(at(0), 5_000)));
    }
}
