//! Which answers rest on which parts of the snapshot.

use std::collections::BTreeMap;

use rustc_hash::FxHashMap;

use super::PartKey;

/// Some of those who are asked about a subject, by their turns. Beyond 64, those 64 turns apart
/// are asked together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Turns(u64);

impl Turns {
    /// All of them.
    pub fn all() -> Self {
        Turns(u64::MAX)
    }

    /// The one whose turn it is.
    pub fn one(turn: usize) -> Self {
        Turns(1 << (turn % 64))
    }

    /// These and others.
    pub(super) fn add(&mut self, others: Turns) {
        self.0 |= others.0;
    }

    /// Whether it is among them.
    pub fn has(self, turn: usize) -> bool {
        self.0 & Turns::one(turn).0 != 0
    }
}

/// For each subject, the parts that answers about it rest on, and the other way round.
#[derive(Debug, Default)]
pub struct Rests {
    /// Sorted by part.
    of: Vec<Box<[(PartKey, Turns)]>>,
    on: FxHashMap<PartKey, Vec<u32>>, // tidy: lookup only
    free: Vec<u32>,
}

impl Rests {
    /// A number for a subject.
    pub fn number(&mut self) -> u32 {
        self.free.pop().unwrap_or_else(|| {
            self.of.push(Box::default());
            u32::try_from(self.of.len() - 1).unwrap_or(u32::MAX)
        })
    }

    /// A subject is no more.
    pub fn free(&mut self, number: u32) {
        self.set(number, Turns::all(), Vec::new());
        self.free.push(number);
    }

    /// The subjects, and the askers for each, whose answers rest on these parts.
    pub fn on(&self, parts: &[PartKey]) -> BTreeMap<u32, Turns> {
        let mut open: BTreeMap<u32, Turns> = BTreeMap::new();
        for part in parts {
            for number in self.on.get(part).into_iter().flatten() {
                let of = self.of.get(*number as usize).map(|of| &**of).unwrap_or_default();
                if let Ok(at) = of.binary_search_by_key(part, |(part, _)| *part)
                    && let Some((_, turns)) = of.get(at)
                {
                    open.entry(*number).or_default().0 |= turns.0;
                }
            }
        }
        open
    }

    /// All that is known of a subject rests on what was `heard`.
    pub fn set_all(&mut self, number: u32, heard: Vec<PartKey>) {
        let heard = heard.into_iter().map(|part| (part, Turns::all()));
        self.set(number, Turns::all(), heard.collect());
    }

    /// Answers of those that were `asked` about a subject rest on what was `heard`.
    pub fn set(&mut self, number: u32, asked: Turns, mut heard: Vec<(PartKey, Turns)>) {
        let Some(of) = self.of.get_mut(number as usize) else { return };
        let old = std::mem::take(of);
        let stay = old.iter().map(|(part, turns)| (*part, Turns(turns.0 & !asked.0)));
        heard.extend(stay.filter(|(_, turns)| turns.0 != 0));
        heard.sort_unstable_by_key(|(part, _)| *part);
        heard.dedup_by(|next, one| {
            let same = next.0 == one.0;
            if same {
                one.1.0 |= next.1.0;
            }
            same
        });
        let has = |all: &[(PartKey, Turns)], part: PartKey| {
            all.binary_search_by_key(&part, |(part, _)| *part).is_ok()
        };
        for (part, _) in old.iter().filter(|(part, _)| !has(&heard, *part)) {
            if let Some(numbers) = self.on.get_mut(part) {
                numbers.retain(|n| *n != number);
                if numbers.is_empty() {
                    self.on.remove(part);
                }
            }
        }
        for (part, _) in heard.iter().filter(|(part, _)| !has(&old, *part)) {
            self.on.entry(*part).or_default().push(number);
        }
        *of = heard.into_boxed_slice();
    }
}
