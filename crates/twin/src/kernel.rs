//! The discrete-event kernel: a queue of events on virtual time and the dice of each actor.
//!
//! Pure: no clock, no threads, no hash order. Time moves only when an event is popped, ties are
//! broken by the order of scheduling. Must never know what an event means.

use std::collections::BTreeMap;

use model::Timestamp;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// Microseconds in a second.
pub(crate) const SECOND: i64 = 1_000_000;

/// `at` moved by `micros`.
pub(crate) fn plus(at: Timestamp, micros: i64) -> Timestamp {
    Timestamp::from_micros(at.micros().saturating_add(micros))
}

/// Events ordered by time, then by the order in which they were scheduled.
#[derive(Debug)]
pub(crate) struct Queue<E> {
    events: BTreeMap<(Timestamp, u64), E>,
    scheduled: u64,
}

impl<E> Queue<E> {
    pub fn new() -> Self {
        Self { events: BTreeMap::new(), scheduled: 0 }
    }

    /// Adds an event.
    pub fn schedule(&mut self, at: Timestamp, event: E) {
        self.scheduled += 1;
        self.events.insert((at, self.scheduled), event);
    }

    /// The next event due at or before `until`.
    pub fn pop(&mut self, until: Timestamp) -> Option<(Timestamp, E)> {
        let (&(at, _), _) = self.events.first_key_value()?;
        if at > until {
            return None;
        }
        self.events.pop_first().map(|((at, _), event)| (at, event))
    }
}

/// One actor's stream of random numbers. Streams are split by the actor's name, so that one
/// more actor does not shift the others' numbers.
#[derive(Debug)]
pub(crate) struct Dice(ChaCha8Rng);

/// Letters and digits that Kubernetes uses in generated names: no vowels, nothing ambiguous.
const ALPHABET: &[u8; 27] = b"bcdfghjklmnpqrstvwxz2456789";

impl Dice {
    /// The stream of `actor` under `seed`.
    pub fn of(seed: u64, actor: &str) -> Self {
        Self(ChaCha8Rng::seed_from_u64(seed ^ fnv64(actor.as_bytes())))
    }

    /// A number in `low..high`; `low` if the range is empty.
    pub fn between(&mut self, low: i64, high: i64) -> i64 {
        let width = u64::try_from(high.saturating_sub(low)).unwrap_or(0);
        if width == 0 {
            return low;
        }
        low.saturating_add((self.0.next_u64() % width) as i64)
    }

    /// `n` characters for the end of a generated name.
    pub fn suffix(&mut self, n: usize) -> String {
        (0..n).map(|_| safe_letter(self.0.next_u32())).collect()
    }

    /// A random (version 4) UUID.
    pub fn uuid(&mut self) -> String {
        let (a, b) = (self.0.next_u64(), self.0.next_u64());
        format!(
            "{:08x}-{:04x}-4{:03x}-{:04x}-{:012x}",
            a >> 32,
            (a >> 16) & 0xffff,
            a & 0xfff,
            0x8000 | ((b >> 48) & 0x3fff),
            b & 0xffff_ffff_ffff
        )
    }
}

fn safe_letter(n: u32) -> char {
    let at = n as usize % ALPHABET.len();
    ALPHABET.get(at).map_or('x', |c| char::from(*c))
}

/// A short text made of generated-name letters that stands for `text`.
pub(crate) fn short_hash(text: &str) -> String {
    let hash = fnv64(text.as_bytes());
    let folded = (hash >> 32) as u32 ^ hash as u32;
    folded.to_string().bytes().map(|digit| safe_letter(u32::from(digit))).collect()
}

/// FNV-1a, 64 bits.
pub(crate) fn fnv64(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ties_are_broken_by_the_order_of_scheduling() {
        let t = Timestamp::from_seconds;
        let mut queue = Queue::new();
        for (at, name) in [(5, "c"), (1, "a"), (5, "d"), (3, "b"), (9, "late")] {
            queue.schedule(t(at), name);
        }
        let order: Vec<_> = std::iter::from_fn(|| queue.pop(t(5))).collect();
        assert_eq!(order, [(t(1), "a"), (t(3), "b"), (t(5), "c"), (t(5), "d")]);
        assert_eq!(queue.pop(t(8)), None);
        assert_eq!(queue.pop(t(9)), Some((t(9), "late")));
    }

    #[test]
    fn an_actor_has_its_own_stream() {
        let roll = |seed, actor| Dice::of(seed, actor).suffix(8);
        assert_eq!(roll(1, "kubelet-a"), roll(1, "kubelet-a"));
        assert_ne!(roll(1, "kubelet-a"), roll(1, "kubelet-b"));
        assert_ne!(roll(1, "kubelet-a"), roll(2, "kubelet-a"));
        let id = Dice::of(1, "uid").uuid();
        assert_eq!((id.len(), id.as_bytes()[14]), (36, b'4'), "{id}");
    }
}
