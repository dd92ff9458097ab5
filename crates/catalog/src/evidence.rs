//! Facts that findings rest on, made the same way by all kinds.

use model::record::{ClusterEvent, EventTime};
use model::{Condition, Evidence, ObjectRef, Snapshot, Timestamp};

/// A field of an object.
pub(crate) fn field(
    document: u16,
    object: &ObjectRef,
    field: impl Into<String>,
    value: impl Into<String>,
) -> Evidence {
    Evidence {
        document,
        object: object.clone(),
        field: field.into(),
        value: value.into(),
        at: None,
    }
}

/// A condition of an object, with its message or else its reason.
pub(crate) fn condition(document: u16, object: &ObjectRef, c: &Condition) -> Evidence {
    let why = if c.message().is_empty() { c.reason() } else { c.message() };
    let value = format!("{:?}: {why}", c.status);
    let value = if why.is_empty() { format!("{:?}", c.status) } else { value };
    let at = c.since;
    Evidence { at, ..field(document, object, format!("status.conditions[{}]", c.kind), value) }
}

/// An event, with how often it came.
pub(crate) fn event(e: &ClusterEvent, now: &Snapshot) -> Option<Evidence> {
    let mut fact = now.event_evidence(e)?;
    if e.count > 1 {
        fact.value = format!("{} (x{})", fact.value, e.count);
    }
    Some(fact)
}

/// When an event came last; `None` when the input has no such time.
pub(crate) fn last_time(e: &ClusterEvent, now: &Snapshot) -> Option<Timestamp> {
    e.last.resolve(now.now)
}

/// When an event came first.
pub(crate) fn first_time(e: &ClusterEvent, now: &Snapshot) -> Option<Timestamp> {
    e.first.resolve(now.now)
}

/// Whether an event is younger than `seconds`, or its age is unknown.
pub(crate) fn is_recent(e: &ClusterEvent, now: &Snapshot, seconds: i64) -> bool {
    e.last == EventTime::Unknown || last_time(e, now).is_some_and(|t| now.now.is_within(t, seconds))
}
