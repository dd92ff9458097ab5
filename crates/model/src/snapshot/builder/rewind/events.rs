//! Events up to a moment, and what events say about when things changed.

use std::collections::BTreeMap;

use super::Unknown;
use crate::record::{ClusterEvent, EventTime};
use crate::{ObjectRef, Text, Timestamp};

/// Reasons that say when a pod or a node changed.
const TELLING: [&str; 11] = [
    "Evicted",
    "NodeHasDiskPressure",
    "NodeHasInsufficientMemory",
    "NodeHasInsufficientPID",
    "NodeHasNoDiskPressure",
    "NodeHasSufficientMemory",
    "NodeHasSufficientPID",
    "NodeNotReady",
    "NodeReady",
    "Preempted",
    "Scheduled",
];

/// When changes of objects were told: reason and time, by object, sorted by time.
pub(super) struct Words(BTreeMap<ObjectRef, Vec<(Timestamp, Text)>>);

impl Words {
    /// When this was told about the object first.
    pub(super) fn first(&self, object: &ObjectRef, reasons: &[&str]) -> Option<Timestamp> {
        let all = self.0.get(object)?;
        all.iter().find(|(_, reason)| reasons.contains(&reason.as_str())).map(|(t, _)| *t)
    }

    /// The last of these reasons that was told about the object by then.
    pub(super) fn last_by<'w>(
        &self,
        object: &ObjectRef,
        reasons: &[&'w str],
        at: Timestamp,
    ) -> Option<(Timestamp, &'w str)> {
        let all = self.0.get(object)?;
        let told = all.iter().rev().filter(|(t, _)| *t <= at);
        let mut told = told.filter_map(|(t, reason)| {
            reasons.iter().find(|r| **r == reason.as_str()).map(|r| (*t, *r))
        });
        told.next()
    }
}

/// What the events tell about changes.
pub(super) fn words(events: &[ClusterEvent], now: Timestamp) -> Words {
    let mut said: BTreeMap<ObjectRef, Vec<(Timestamp, Text)>> = BTreeMap::new();
    for event in events.iter().filter(|e| TELLING.contains(&e.reason.as_str())) {
        let Some(object) = &event.about else { continue };
        let times = [event.first.resolve(now), event.last.resolve(now)];
        let list = said.entry(object.clone()).or_default();
        list.extend(times.into_iter().flatten().map(|t| (t, event.reason.clone())));
    }
    said.values_mut().for_each(|list| {
        list.sort();
        list.dedup();
    });
    Words(said)
}

/// The events up to a moment. One that was repeated before and after counts as if it had come
/// evenly.
pub(super) fn until(
    events: Vec<ClusterEvent>,
    now: Timestamp,
    at: Timestamp,
    unknown: &mut Unknown,
) -> Vec<ClusterEvent> {
    let mut kept = Vec::with_capacity(events.len());
    for mut event in events {
        let (first, last) = (event.first.resolve(now), event.last.resolve(now));
        let Some(last) = last else {
            let whose = event.about.as_ref().map_or("an object".into(), ToString::to_string);
            unknown.note("events without a time", "the input does not say when", whose);
            continue;
        };
        let first = first.unwrap_or(last).min(last);
        if first > at {
            continue;
        }
        let mut seen_last = last;
        if last > at {
            let repeats = i64::from(event.count.saturating_sub(1)).max(1);
            let period = (last.since(first) / repeats).max(1);
            let by_then = at.since(first) / period;
            seen_last = first.plus_seconds(by_then.saturating_mul(period)).min(at);
            event.count = u32::try_from(by_then + 1).unwrap_or(u32::MAX).min(event.count);
            let whose = event.about.as_ref().map_or("an object".into(), ToString::to_string);
            let why = "events were repeated before and after; they are counted as if they had \
                       come evenly";
            unknown.note("how often something had been said", why, whose);
        }
        (event.first, event.last) = (EventTime::At(first), EventTime::At(seen_last));
        kept.push(event);
    }
    kept
}
