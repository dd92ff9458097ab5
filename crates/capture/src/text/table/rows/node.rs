//! Rows of `kubectl get nodes`.

use super::Row;
use crate::text::shape::{put, put_some, some};
use serde_json::{Map, Value, json};

/// Fills a node. `NotReady` may stand for False or Unknown; it is written as False.
pub fn node(row: &Row<'_>, value: &mut Value) {
    if let Some(status) = row.get("STATUS") {
        let mut words = status.split(',');
        let ready = match words.next().unwrap_or("") {
            "Ready" => "True",
            "NotReady" => "False",
            _ => "Unknown",
        };
        put(value, "status.conditions", json!([{"type": "Ready", "status": ready}]));
        put(value, "spec.unschedulable", words.any(|w| w == "SchedulingDisabled"));
    }
    if let Some(roles) = row.some("ROLES").filter(|_| row.get("LABELS").is_none()) {
        let label = |role: &str| (format!("node-role.kubernetes.io/{role}"), Value::from(""));
        let labels: Map<String, Value> = roles.split(',').map(label).collect();
        put(value, "metadata.labels", labels);
        put(value, "metadata.labelsPartial", true);
    }
    put_some(value, "status.nodeInfo.kubeletVersion", row.some("VERSION"));
    put_some(value, "status.nodeInfo.osImage", row.some("OS-IMAGE"));
    put_some(value, "status.nodeInfo.kernelVersion", row.some("KERNEL-VERSION"));
    put_some(value, "status.nodeInfo.containerRuntimeVersion", row.some("CONTAINER-RUNTIME"));
    addresses(row, value);
}

fn addresses(row: &Row<'_>, value: &mut Value) {
    let mut list = Vec::new();
    for (column, kind) in [("INTERNAL-IP", "InternalIP"), ("EXTERNAL-IP", "ExternalIP")] {
        if let Some(address) = row.get(column).and_then(some) {
            list.push(json!({"type": kind, "address": address}));
        }
    }
    if !list.is_empty() {
        put(value, "status.addresses", list);
    }
}
