//! One stored object in the words of another API version.

use std::sync::Arc;

use serde_json::Value;

use crate::kinds::Kind;
use crate::store::Object;

/// The object as `kind` calls it: events have two versions with different field names.
pub(super) fn of(kind: &Kind, object: &Object) -> Object {
    if object["apiVersion"].as_str() == Some(kind.api_version().as_str()) {
        return Arc::clone(object);
    }
    let mut view = Value::clone(object);
    view["apiVersion"] = kind.api_version().into();
    if kind.group == "events.k8s.io" {
        rename_event(&mut view);
    }
    Arc::new(view)
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

/// Whether objects of this kind are stored under another version's names.
pub(super) fn is_view(kind: &Kind) -> bool {
    kind.group == "events.k8s.io" || kind.kind == "HorizontalPodAutoscaler" && kind.version == "v1"
}

/// An object that came in the words of `kind`, in the words in which it is stored.
pub(super) fn stored(kind: &Kind, mut value: Value) -> Value {
    if kind.group == "events.k8s.io" {
        let Some(map) = value.as_object_mut() else { return value };
        for (core, new) in EVENT_NAMES.iter().chain(&REPORTER) {
            if let Some(told) = map.remove(*new) {
                map.insert((*core).into(), told);
            }
        }
        map.insert("apiVersion".into(), "v1".into());
    }
    value
}
