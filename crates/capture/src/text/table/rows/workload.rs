//! Rows of deployments, replica sets, stateful sets, daemon sets, jobs and cron jobs.

use super::{Row, containers};
use crate::text::shape::{label_selector, pairs, put, put_some, some};
use crate::text::time::age_seconds;
use serde_json::Value;

/// Fills what keeps a number of pods, in the layouts of old and new clients.
pub fn replicated(kind: &str, row: &Row<'_>, value: &mut Value) {
    let daemon = kind == "DaemonSet";
    if let Some((ready, wanted)) = row.get("READY").and_then(|c| c.split_once('/')) {
        put_some(value, "status.readyReplicas", number(ready));
        put_some(value, "spec.replicas", number(wanted));
    }
    let fields: &[(&str, &str)] = if daemon {
        &[
            ("DESIRED", "status.desiredNumberScheduled"),
            ("CURRENT", "status.currentNumberScheduled"),
            ("READY", "status.numberReady"),
            ("UP-TO-DATE", "status.updatedNumberScheduled"),
            ("AVAILABLE", "status.numberAvailable"),
        ]
    } else {
        &[
            ("DESIRED", "spec.replicas"),
            ("CURRENT", "status.replicas"),
            ("READY", "status.readyReplicas"),
            ("UP-TO-DATE", "status.updatedReplicas"),
            ("AVAILABLE", "status.availableReplicas"),
        ]
    };
    for (column, path) in fields {
        put_some(value, path, row.number(column));
    }
    if let Some(nodes) = row.any(&["NODE SELECTOR", "NODE-SELECTOR"]) {
        put(value, "spec.template.spec.nodeSelector", pairs(nodes));
    }
    template(row, value);
}

/// Fills a job.
pub fn job(row: &Row<'_>, value: &mut Value) {
    if let Some(cell) = row.get("COMPLETIONS") {
        let (done, wanted) = cell.split_once('/').unwrap_or((cell, ""));
        put_some(value, "status.succeeded", number(done));
        // `0/1 of 3`: no fixed number of completions, three at a time.
        match wanted.split_once(" of ") {
            Some((_, parallel)) => put_some(value, "spec.parallelism", number(parallel)),
            None => put_some(value, "spec.completions", number(wanted)),
        }
    }
    put_some(value, "spec.completions", row.number("DESIRED"));
    put_some(value, "status.succeeded", row.number("SUCCESSFUL"));
    put_some(value, "status.summary.status", row.some("STATUS"));
    put_some(value, "status.durationSeconds", row.get("DURATION").and_then(age_seconds));
    template(row, value);
}

/// Fills a cron job.
pub fn cron_job(row: &Row<'_>, value: &mut Value) {
    put_some(value, "spec.schedule", row.some("SCHEDULE"));
    put_some(value, "spec.timeZone", row.some("TIMEZONE"));
    put_some(value, "spec.suspend", row.get("SUSPEND").map(|s| s.eq_ignore_ascii_case("true")));
    put_some(value, "status.activeCount", row.number("ACTIVE"));
    put_some(
        value,
        "status.lastScheduleAgeSeconds",
        row.get("LAST SCHEDULE").and_then(age_seconds),
    );
    if let Some(list) = containers(row) {
        put(value, "spec.jobTemplate.spec.template.spec.containers", list);
    }
}

fn template(row: &Row<'_>, value: &mut Value) {
    if let Some(list) = containers(row) {
        put(value, "spec.template.spec.containers", list);
    }
    if let Some(selector) = row.get("SELECTOR").and_then(some) {
        put(value, "spec.selector", label_selector(selector));
    }
}

fn number(cell: &str) -> Option<i64> {
    cell.trim().parse().ok()
}
