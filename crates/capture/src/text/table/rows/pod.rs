//! Rows of `kubectl get pods`.

use super::Row;
use crate::text::shape::{put, put_some, some};
use crate::text::time::age_seconds;
use serde_json::Value;

/// Fills a pod.
pub fn pod(row: &Row<'_>, value: &mut Value) {
    if let Some((ready, all)) = row.get("READY").and_then(|c| c.split_once('/')) {
        put_some(value, "status.summary.ready", ready.parse::<u32>().ok());
        put_some(value, "status.summary.containers", all.parse::<u32>().ok());
    }
    if let Some(status) = row.get("STATUS") {
        put(value, "status.summary.status", status);
        put_some(value, "status.phase", phase(status));
        if status == "Evicted" {
            put(value, "status.reason", status);
        }
    }
    if let Some(restarts) = row.get("RESTARTS") {
        let (count, ago) = restarts.split_once(' ').unwrap_or((restarts, ""));
        put_some(value, "status.summary.restarts", count.parse::<u64>().ok());
        let ago = ago.trim_start_matches('(').trim_end_matches(')').trim_end_matches(" ago");
        put_some(value, "status.summary.lastRestartAgeSeconds", age_seconds(ago));
    }
    if let Some(ip) = row.get("IP") {
        put(value, "status.podIP", some(ip).unwrap_or(""));
    }
    if let Some(node) = row.get("NODE") {
        put(value, "spec.nodeName", some(node).unwrap_or(""));
    }
    put_some(value, "status.nominatedNodeName", row.some("NOMINATED NODE"));
}

/// The phase, where the status word leaves no doubt about it.
fn phase(status: &str) -> Option<&'static str> {
    match status {
        "Running" => Some("Running"),
        "Pending" | "ContainerCreating" | "PodInitializing" | "SchedulingGated" => Some("Pending"),
        "Succeeded" => Some("Succeeded"),
        "Failed" | "Evicted" => Some("Failed"),
        status if status.starts_with("Init:") => Some("Pending"),
        _ => None,
    }
}
