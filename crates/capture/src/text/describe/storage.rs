//! Claims, volumes and storage classes.

use super::outline::{Entry, Section};
use super::volume::source;
use crate::text::shape::{access_modes, put, put_some, some, truth};
use serde_json::{Map, Value, json};

/// Fills a claim.
pub fn claim(body: Section<'_>, value: &mut Value) {
    for entry in body.entries() {
        match entry.key {
            "StorageClass" => put(value, "spec.storageClassName", some(entry.value).unwrap_or("")),
            "Status" => phase(entry.value, value),
            "Volume" => put(value, "spec.volumeName", some(entry.value).unwrap_or("")),
            "Capacity" => put_some(value, "status.capacity.storage", some(entry.value)),
            "Access Modes" if some(entry.value).is_some() => {
                put(value, "status.accessModes", access_modes(entry.value));
            }
            "VolumeMode" => put_some(value, "spec.volumeMode", some(entry.value)),
            "Used By" | "Mounted By" => {
                put(value, "usedBy", entry.values().collect::<Vec<_>>());
            }
            "Conditions" => put(value, "status.conditions", super::pod::conditions(entry)),
            "DataSource" => data_source(entry, value),
            _ => {}
        }
    }
}

/// `Bound`, `Terminating (lasts 5m)`.
fn phase(cell: &str, value: &mut Value) {
    let word = cell.split(' ').next().unwrap_or("");
    if word == "Terminating" {
        put(value, "status.summary.status", word);
    } else if !word.is_empty() {
        put(value, "status.phase", word);
    }
}

fn data_source(entry: Entry<'_>, value: &mut Value) {
    let (kind, name) = (entry.body.some("Kind"), entry.body.some("Name"));
    if let (Some(kind), Some(name)) = (kind, name) {
        put(value, "spec.dataSource", json!({"kind": kind, "name": name}));
    }
}

/// Fills a volume.
pub fn volume(body: Section<'_>, value: &mut Value) {
    for entry in body.entries() {
        match entry.key {
            "StorageClass" => put(value, "spec.storageClassName", some(entry.value).unwrap_or("")),
            "Status" => phase(entry.value, value),
            "Claim" => {
                put(value, "spec.claimRef", crate::text::table::claim_ref(entry.value));
            }
            "Reclaim Policy" => {
                put_some(value, "spec.persistentVolumeReclaimPolicy", some(entry.value));
            }
            "Access Modes" => put(value, "spec.accessModes", access_modes(entry.value)),
            "VolumeMode" => put_some(value, "spec.volumeMode", some(entry.value)),
            "Capacity" => put_some(value, "spec.capacity.storage", some(entry.value)),
            "Message" => put_some(value, "status.message", some(entry.value)),
            "Node Affinity" => affinity(entry, value),
            "Source" => {
                if let (Value::Object(from), Some(Value::Object(spec))) =
                    (source(entry.body), value.get_mut("spec"))
                {
                    spec.extend(from);
                }
            }
            _ => {}
        }
    }
}

/// `Required Terms:` with `Term 0:  zone in [a, b]` lines.
fn affinity(entry: Entry<'_>, value: &mut Value) {
    let Some(required) = entry.body.find(&["Required Terms"]) else {
        if entry.value == "<none>" {
            put(value, "spec.nodeAffinity", json!({}));
        }
        return;
    };
    let mut terms: Vec<Value> = Vec::new();
    for term in required.body.entries() {
        let expressions: Vec<Value> = term.values().filter_map(expression).collect();
        terms.push(json!({"matchExpressions": expressions}));
    }
    put(value, "spec.nodeAffinity.required.nodeSelectorTerms", terms);
}

fn expression(line: &str) -> Option<Value> {
    let (key, rest) = line.split_once(' ')?;
    let (operator, values) = rest.split_once(" [").unwrap_or((rest, ""));
    let operator = match operator {
        "in" => "In",
        "not in" | "notin" => "NotIn",
        "exists" => "Exists",
        "does not exist" => "DoesNotExist",
        other => other,
    };
    let values: Vec<&str> = values.trim_end_matches(']').split(',').filter_map(some).collect();
    Some(json!({"key": key, "operator": operator, "values": values}))
}

/// Fills a storage class.
pub fn class(body: Section<'_>, value: &mut Value) {
    for entry in body.entries() {
        match entry.key {
            "IsDefaultClass" => {
                if let Some(default) = truth(entry.value) {
                    let key = "storageclass.kubernetes.io/is-default-class";
                    let mark = Value::from(default.to_string());
                    if let Some(Value::Object(map)) = value.pointer_mut("/metadata/annotations") {
                        map.insert(key.to_owned(), mark);
                    } else {
                        put(value, "metadata.annotations", json!({key: mark}));
                    }
                }
            }
            "Provisioner" => put_some(value, "provisioner", some(entry.value)),
            "Parameters" => {
                let pairs =
                    entry.value.split(',').filter_map(some).filter_map(|p| p.split_once('='));
                let map: Map<String, Value> =
                    pairs.map(|(k, v)| (k.to_owned(), Value::from(v))).collect();
                put(value, "parameters", map);
            }
            "AllowVolumeExpansion" => {
                put_some(value, "allowVolumeExpansion", truth(entry.value));
            }
            "ReclaimPolicy" => put_some(value, "reclaimPolicy", some(entry.value)),
            "VolumeBindingMode" => put_some(value, "volumeBindingMode", some(entry.value)),
            _ => {}
        }
    }
}
