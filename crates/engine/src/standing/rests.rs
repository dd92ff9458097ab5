//! Which answers rest on which parts of the snapshot.

use std::collections::BTreeMap;

use model::PartKey;
use rustc_hash::FxHashMap;

/// Some of the kinds of a class, by their turns. Beyond 64 kinds, those 64 turns apart are asked
/// together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Kinds(u64);

impl Kinds {
    pub(super) fn all() -> Self {
        Kinds(u64::MAX)
    }

    pub(super) fn one(turn: usize) -> Self {
        Kinds(1 << (turn % 64))
    }

    pub(super) fn has(self, turn: usize) -> bool {
        self.0 & Kinds::one(turn).0 != 0
    }
}

/// For each subject, the parts that answers about it rest on, and the other way round.
#[derive(Debug, Default)]
pub(super) struct Rests {
    /// Sorted by part.
    of: Vec<Box<[(PartKey, Kinds)]>>,
    on: FxHashMap<PartKey, Vec<u32>>, // tidy: lookup only
    free: Vec<u32>,
}

impl Rests {
    /// A number for a subject.
    pub(super) fn number(&mut self) -> u32 {
        self.free.pop().unwrap_or_else(|| {
            self.of.push(Box::default());
            u32::try_from(self.of.len() - 1).unwrap_or(u32::MAX)
        })
    }

    /// A subject is no more.
    pub(super) fn free(&mut self, number: u32) {
        self.set(number, Kinds::all(), Vec::new());
        self.free.push(number);
    }

    /// The subjects, and the kinds for each, whose answers rest on these parts.
    pub(super) fn on(&self, parts: &[PartKey]) -> BTreeMap<u32, Kinds> {
        let mut open: BTreeMap<u32, Kinds> = BTreeMap::new();
        for part in parts {
            for number in self.on.get(part).into_iter().flatten() {
                let of = self.of.get(*number as usize).map(|of| &**of).unwrap_or_default();
                if let Ok(at) = of.binary_search_by_key(part, |(part, _)| *part)
                    && let Some((_, kinds)) = of.get(at)
                {
                    open.entry(*number).or_default().0 |= kinds.0;
                }
            }
        }
        open
    }

    /// Answers of the kinds that were `asked` about a subject rest on what was `heard`.
    pub(super) fn set(&mut self, number: u32, asked: Kinds, mut heard: Vec<(PartKey, Kinds)>) {
        let Some(of) = self.of.get_mut(number as usize) else { return };
        let old = std::mem::take(of);
        let stay = old.iter().map(|(part, kinds)| (*part, Kinds(kinds.0 & !asked.0)));
        heard.extend(stay.filter(|(_, kinds)| kinds.0 != 0));
        heard.sort_unstable_by_key(|(part, _)| *part);
        heard.dedup_by(|next, one| {
            let same = next.0 == one.0;
            if same {
                one.1.0 |= next.1.0;
            }
            same
        });
        let has = |all: &[(PartKey, Kinds)], part: PartKey| {
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
