//! One stored object in the words of another API version.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::field;
use crate::kinds::Kind;
use crate::store::{Object, sealed};

/// The object as `kind` calls it: events have two versions with different field names.
pub(super) fn of(kind: &Kind, object: &Object) -> Object {
    if object["apiVersion"].as_str() == Some(kind.api_version().as_str()) {
        return Arc::clone(object);
    }
    let mut view = Value::clone(object);
    view["apiVersion"] = kind.api_version().into();
    match (kind.group, kind.kind) {
        ("events.k8s.io", _) => rename_event(&mut view),
        ("autoscaling", _) => simple_autoscaler(&mut view),
        _ => {}
    }
    sealed(view)
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

/// An autoscaler in the words of v1, which knows processor use only.
fn simple_autoscaler(object: &mut Value) {
    let is_cpu = |metric: &&Value| {
        field::text(metric, "/resource/name") == "cpu"
            && metric.pointer("/resource/target/averageUtilization").is_some()
    };
    let target = field::list(object, "/spec/metrics").iter().find(is_cpu);
    let target = target.map(|m| m["resource"]["target"]["averageUtilization"].clone());
    let spec = field::child(object, "spec");
    spec.remove("metrics");
    spec.remove("behavior");
    if let Some(target) = target {
        spec.insert("targetCPUUtilizationPercentage".into(), target);
    }
    let status = field::child(object, "status");
    status.remove("currentMetrics");
    status.remove("conditions");
    field::default(status, "currentReplicas", 0);
}

/// The same the other way round.
fn full_autoscaler(object: &mut Value) {
    object["apiVersion"] = "autoscaling/v2".into();
    let spec = field::child(object, "spec");
    if let Some(target) = spec.remove("targetCPUUtilizationPercentage") {
        let metric = json!({"type": "Resource", "resource": {
            "name": "cpu", "target": {"type": "Utilization", "averageUtilization": target},
        }});
        spec.insert("metrics".into(), vec![metric].into());
    }
}

/// Whether objects of this kind are stored under another version's names.
pub(super) fn is_view(kind: &Kind) -> bool {
    kind.group == "events.k8s.io" || kind.kind == "HorizontalPodAutoscaler" && kind.version == "v1"
}

/// An object that came in the words of `kind`, in the words in which it is stored.
pub(super) fn stored(kind: &Kind, mut value: Value) -> Value {
    if kind.group == "autoscaling" && kind.version == "v1" {
        full_autoscaler(&mut value);
    }
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
