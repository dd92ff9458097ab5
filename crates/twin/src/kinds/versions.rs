//! One stored object in the words of another API version, and back.
//!
//! Must never know who asks, nor where objects are stored.

mod autoscaler;

use serde_json::Value;

use super::{Kind, TABLE};
use crate::schema::{self, View};

/// Whether objects of this kind are stored under another version's names.
fn is_view(kind: &Kind) -> bool {
    kind.group == "events.k8s.io" || kind.kind == "HorizontalPodAutoscaler" && kind.version == "v1"
}

/// The object as `kind` calls it.
pub(crate) fn told_as(kind: &Kind, mut object: Value) -> Value {
    object["apiVersion"] = kind.api_version().into();
    match kind.group {
        _ if !is_view(kind) => {}
        "events.k8s.io" => rename_event(&mut object),
        _ => autoscaler::simple(&mut object),
    }
    object
}

/// An object that came in the words of `kind`, in the words in which it is stored.
pub(crate) fn stored(kind: &Kind, mut object: Value) -> Value {
    match kind.group {
        _ if !is_view(kind) => {}
        "events.k8s.io" => restore_event(&mut object),
        _ => autoscaler::full(&mut object),
    }
    object
}

/// A stored object in the words of a version of its kind; `None` if that is not served.
pub(crate) fn worded(
    kind: &Kind,
    api_version: &str,
    object: &Value,
) -> Option<(View<'static>, Value)> {
    let row = match kind.custom {
        Some(custom) => return Some((custom.view()?, object.clone())),
        None => TABLE.iter().find(|row| {
            row.storage == kind.storage && row.kind == kind.kind && row.api_version() == api_version
        })?,
    };
    let view = schema::of_kind(api_version, row.kind)?;
    Some((view, told_as(row, object.clone())))
}

const EVENT_NAMES: [(&str, &str); 6] = [
    ("involvedObject", "regarding"),
    ("message", "note"),
    ("source", "deprecatedSource"),
    ("firstTimestamp", "deprecatedFirstTimestamp"),
    ("lastTimestamp", "deprecatedLastTimestamp"),
    ("count", "deprecatedCount"),
];

const REPORTER: [(&str, &str); 2] =
    [("reportingComponent", "reportingController"), ("reportingInstance", "reportingInstance")];

fn rename_event(event: &mut Value) {
    let Some(map) = event.as_object_mut() else { return };
    for (core, new) in EVENT_NAMES {
        if let Some(value) = map.remove(core) {
            map.insert(new.into(), value);
        }
    }
    for (core, new) in REPORTER {
        if let Some(value) = map.remove(core).filter(|v| v != "") {
            map.insert(new.into(), value);
        }
    }
}

fn restore_event(event: &mut Value) {
    let Some(map) = event.as_object_mut() else { return };
    for (core, new) in EVENT_NAMES.iter().chain(&REPORTER) {
        if let Some(told) = map.remove(*new) {
            map.insert((*core).into(), told);
        }
    }
    map.insert("apiVersion".into(), "v1".into());
}
