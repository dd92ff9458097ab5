//! Where the events about one object stand. Every kind asks for the events of every pod, so the
//! answer must cost neither an allocation nor a search; most pods have none.

use std::hash::{Hash, Hasher};
use std::ops::Range;

use rustc_hash::{FxHashMap, FxHasher};

use crate::record::ClusterEvent;
use crate::{Kind, ObjectRef};

/// From an object to the range of its events in the sorted list.
#[derive(Clone, Debug, Default)]
pub(super) struct EventIndex {
    ranges: FxHashMap<u64, (u32, u32)>, // tidy: lookup only
}

impl EventIndex {
    /// The index of a list that is sorted by object.
    pub(super) fn of(events: &[ClusterEvent]) -> Self {
        let mut ranges = FxHashMap::default(); // tidy: lookup only
        let mut start = 0;
        for group in events.chunk_by(|a, b| a.about == b.about) {
            let end = start + group.len();
            if let Some(about) = group.first().and_then(|e| e.about.as_ref()) {
                let ends = u32::try_from(start).ok().zip(u32::try_from(end).ok());
                // Of two objects with one hash, the second is found by searching.
                if let Some(range) = ends {
                    ranges.entry(hash(about.kind, &about.namespace, &about.name)).or_insert(range);
                }
            }
            start = end;
        }
        EventIndex { ranges }
    }

    /// Where the events about an object stand in `events`, the list it was made of.
    pub(super) fn range(
        &self,
        events: &[ClusterEvent],
        (kind, namespace, name): (Kind, &str, &str),
    ) -> Range<usize> {
        let Some((start, end)) = self.ranges.get(&hash(kind, namespace, name)).copied() else {
            return 0..0;
        };
        let range = start as usize..end as usize;
        let is_it = |o: &ObjectRef| o.kind == kind && o.name == name && o.namespace == namespace;
        match events.get(range.start).and_then(|e| e.about.as_ref()) {
            Some(about) if is_it(about) => range,
            _ => {
                let object = ObjectRef::new(kind, namespace, name);
                let key = Some(&object);
                let start = events.partition_point(|e| e.about.as_ref() < key);
                start..events.partition_point(|e| e.about.as_ref() <= key)
            }
        }
    }
}

fn hash(kind: Kind, namespace: &str, name: &str) -> u64 {
    let mut hasher = FxHasher::default();
    (kind, namespace, name).hash(&mut hasher);
    hasher.finish()
}
