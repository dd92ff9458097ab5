//! What a recording tells of an object: the fields that matter, by kind.

use serde_json::{Map, Value, json};

/// The kinds that recordings follow.
pub const KINDS: [&str; 15] = [
    "Node",
    "Pod",
    "Deployment",
    "ReplicaSet",
    "StatefulSet",
    "DaemonSet",
    "Job",
    "CronJob",
    "PodDisruptionBudget",
    "EndpointSlice",
    "HorizontalPodAutoscaler",
    "Namespace",
    "ConfigMap",
    "PersistentVolumeClaim",
    "Event",
];

/// A field of an object, and under which name it is told.
const NUMBERS: [(&str, &str, &str); 45] = [
    ("Deployment", "desired", "/spec/replicas"),
    ("Deployment", "replicas", "/status/replicas"),
    ("Deployment", "updated", "/status/updatedReplicas"),
    ("Deployment", "ready", "/status/readyReplicas"),
    ("Deployment", "available", "/status/availableReplicas"),
    ("Deployment", "unavailable", "/status/unavailableReplicas"),
    ("Deployment", "terminating", "/status/terminatingReplicas"),
    ("ReplicaSet", "desired", "/spec/replicas"),
    ("ReplicaSet", "replicas", "/status/replicas"),
    ("ReplicaSet", "ready", "/status/readyReplicas"),
    ("ReplicaSet", "available", "/status/availableReplicas"),
    ("ReplicaSet", "terminating", "/status/terminatingReplicas"),
    ("StatefulSet", "desired", "/spec/replicas"),
    ("StatefulSet", "replicas", "/status/replicas"),
    ("StatefulSet", "ready", "/status/readyReplicas"),
    ("StatefulSet", "available", "/status/availableReplicas"),
    ("StatefulSet", "current", "/status/currentReplicas"),
    ("StatefulSet", "updated", "/status/updatedReplicas"),
    ("DaemonSet", "desired", "/status/desiredNumberScheduled"),
    ("DaemonSet", "current", "/status/currentNumberScheduled"),
    ("DaemonSet", "ready", "/status/numberReady"),
    ("DaemonSet", "available", "/status/numberAvailable"),
    ("DaemonSet", "unavailable", "/status/numberUnavailable"),
    ("DaemonSet", "misscheduled", "/status/numberMisscheduled"),
    ("DaemonSet", "updated", "/status/updatedNumberScheduled"),
    ("Job", "active", "/status/active"),
    ("Job", "ready", "/status/ready"),
    ("Job", "succeeded", "/status/succeeded"),
    ("Job", "failed", "/status/failed"),
    ("Job", "terminating", "/status/terminating"),
    ("PodDisruptionBudget", "currentHealthy", "/status/currentHealthy"),
    ("PodDisruptionBudget", "desiredHealthy", "/status/desiredHealthy"),
    ("PodDisruptionBudget", "disruptionsAllowed", "/status/disruptionsAllowed"),
    ("PodDisruptionBudget", "expectedPods", "/status/expectedPods"),
    ("HorizontalPodAutoscaler", "current", "/status/currentReplicas"),
    ("HorizontalPodAutoscaler", "desired", "/status/desiredReplicas"),
    ("Node", "unschedulable", "/spec/unschedulable"),
    ("Pod", "node", "/spec/nodeName"),
    ("Pod", "phase", "/status/phase"),
    ("Pod", "nominatedNode", "/status/nominatedNodeName"),
    ("Namespace", "phase", "/status/phase"),
    ("Namespace", "finalizers", "/spec/finalizers"),
    ("Deployment", "revision", "/metadata/annotations/deployment.kubernetes.io~1revision"),
    ("CronJob", "active", "/status/active"),
    ("PodDisruptionBudget", "disruptedPods", "/status/disruptedPods"),
];
/// Kinds whose conditions are told, all of them.
const CONDITIONS: [&str; 5] =
    ["Deployment", "ReplicaSet", "Job", "HorizontalPodAutoscaler", "Namespace"];

/// The told fields of an object; what is zero, false or empty is left out.
pub fn of(object: &Value) -> Map<String, Value> {
    let kind = object["kind"].as_str().unwrap_or_default();
    let mut told = Map::new();
    for (_, name, pointer) in NUMBERS.iter().filter(|(own, ..)| *own == kind) {
        let value = object.pointer(pointer).cloned().unwrap_or_default();
        let value = match (*name, value) {
            ("disruptedPods", Value::Object(pods)) => {
                pods.keys().cloned().map(Value::String).collect()
            }
            ("active", Value::Array(all)) => all.len().into(),
            (_, other) => other,
        };
        told.insert((*name).to_owned(), value);
    }
    if !object["metadata"]["deletionTimestamp"].is_null() {
        let grace = &object["metadata"]["deletionGracePeriodSeconds"];
        let deleting = if kind == "Pod" { json!({"grace": grace}) } else { true.into() };
        told.insert("deleting".into(), deleting);
    }
    if kind != "Namespace" {
        told.insert("finalizers".into(), object["metadata"]["finalizers"].clone());
    }
    match kind {
        "Node" => node(object, &mut told),
        "Pod" => pod(object, &mut told),
        "ReplicaSet" | "Job" => drop(told.insert("owners".into(), owners(object))),
        "StatefulSet" => {
            let status = &object["status"];
            let settled = status["currentRevision"] == status["updateRevision"];
            told.insert("settled".into(), settled.into());
        }
        "PodDisruptionBudget" => {
            told.insert("condition".into(), condition(object, "DisruptionAllowed"));
        }
        "HorizontalPodAutoscaler" => drop(told.insert("utilisation".into(), used(object))),
        "EndpointSlice" => endpoints(object, &mut told),
        _ => {}
    }
    if kind == "Job" {
        let uncounted = &object["status"]["uncountedTerminatedPods"];
        let count = |key: &str| uncounted[key].as_array().map_or(0, Vec::len);
        if !uncounted.is_null() {
            told.insert("uncounted".into(), json!([count("succeeded"), count("failed")]));
        }
    }
    if CONDITIONS.contains(&kind) {
        let mut all = Map::new();
        for one in object["status"]["conditions"].as_array().into_iter().flatten() {
            all.insert(text(&one["type"]).to_owned(), triple(one));
        }
        told.insert("conditions".into(), all.into());
    }
    told.retain(|name, value| name == "uncounted" || !is_nothing(value));
    told
}

/// Whether a value is what an absent field stands for.
pub fn is_nothing(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Bool(is) => !is,
        Value::Number(n) => n.as_f64() == Some(0.0),
        Value::String(s) => s.is_empty(),
        Value::Array(all) => all.is_empty(),
        Value::Object(all) => all.is_empty(),
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn triple(condition: &Value) -> Value {
    json!([text(&condition["status"]), text(&condition["reason"]), text(&condition["message"])])
}

fn find<'a>(object: &'a Value, kind: &str) -> Option<&'a Value> {
    object["status"]["conditions"].as_array()?.iter().find(|c| c["type"] == kind)
}

fn condition(object: &Value, kind: &str) -> Value {
    find(object, kind).map(triple).unwrap_or_default()
}

fn node(object: &Value, told: &mut Map<String, Value>) {
    told.insert("Ready".into(), condition(object, "Ready"));
    let taints = object["spec"]["taints"].as_array();
    let mut all: Vec<String> = taints
        .into_iter()
        .flatten()
        .map(|taint| {
            let value = text(&taint["value"]);
            let value = if value.is_empty() { String::new() } else { format!("={value}") };
            format!("{}{value}:{}", text(&taint["key"]), text(&taint["effect"]))
        })
        .collect();
    all.sort();
    told.insert("taints".into(), all.into());
}

fn pod(object: &Value, told: &mut Map<String, Value>) {
    if let Some(ready) = find(object, "Ready") {
        told.insert("ready".into(), ready["status"].clone());
        if ready["status"] != "True" {
            told.insert("readyReason".into(), ready["reason"].clone());
        }
    }
    if let Some(unscheduled) = find(object, "PodScheduled").filter(|c| c["status"] == "False") {
        let why = json!([text(&unscheduled["reason"]), text(&unscheduled["message"])]);
        told.insert("unschedulable".into(), why);
    }
    told.insert("DisruptionTarget".into(), condition(object, "DisruptionTarget"));
}

fn endpoints(object: &Value, told: &mut Map<String, Value>) {
    let all = object["endpoints"].as_array().cloned().unwrap_or_default();
    let count = |is: &dyn Fn(&Value) -> bool| all.iter().filter(|e| is(&e["conditions"])).count();
    told.insert("ready".into(), count(&|c| c["ready"] == true).into());
    told.insert("notReady".into(), count(&|c| c["ready"] != true).into());
    told.insert("serving".into(), count(&|c| c["serving"] == true).into());
    told.insert("terminating".into(), count(&|c| c["terminating"] == true).into());
}

fn owners(object: &Value) -> Value {
    let all = object["metadata"]["ownerReferences"].as_array();
    let told = all
        .into_iter()
        .flatten()
        .map(|owner| Value::String(format!("{} {}", text(&owner["kind"]), text(&owner["name"]))));
    told.collect()
}

fn used(object: &Value) -> Value {
    let all = object["status"]["currentMetrics"].as_array();
    let told = all
        .into_iter()
        .flatten()
        .map(|metric| metric["resource"]["current"]["averageUtilization"].clone());
    told.filter(|value| !value.is_null()).collect()
}

/// The fields that differ, with their new values.
pub fn difference(old: &Map<String, Value>, new: &Map<String, Value>) -> Map<String, Value> {
    let mut changed = Map::new();
    for (name, value) in new.iter().filter(|(name, value)| old.get(*name) != Some(*value)) {
        let value = match (old.get(name), value) {
            (Some(Value::Object(old)), Value::Object(new)) if name == "conditions" => {
                difference(old, new).into()
            }
            _ => value.clone(),
        };
        changed.insert(name.clone(), value);
    }
    for (name, value) in old.iter().filter(|(name, _)| !new.contains_key(*name)) {
        let gone = match value {
            Value::Number(_) => 0.into(),
            Value::Array(_) if name == "taints" || name == "disruptedPods" => json!([]),
            Value::Bool(_) => false.into(),
            _ => Value::Null,
        };
        changed.insert(name.clone(), gone);
    }
    changed
}
