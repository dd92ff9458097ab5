//! Deployments, replica sets, stateful sets, daemon sets, jobs and cron jobs.

use super::outline::{Entry, Section};
use super::pod::{conditions, template};
use crate::text::shape::{label_selector, owner, put, put_some, some, truth};
use crate::text::time::rfc3339;
use serde_json::{Value, json};

/// Fills a workload of `kind`.
pub fn workload(kind: &str, body: Section<'_>, value: &mut Value) {
    let template_path = match kind {
        "CronJob" => "spec.jobTemplate.spec.template",
        _ => "spec.template",
    };
    for entry in body.entries() {
        match entry.key {
            "Selector" => put_some(value, "spec.selector", some(entry.value).map(label_selector)),
            "Controlled By" => {
                let owners: Vec<Value> = owner(entry.value).into_iter().collect();
                put(value, "metadata.ownerReferences", owners);
            }
            "Replicas" => replicas(entry.value, value),
            "Pod Template" => template(entry, template_path, value),
            "Conditions" => put(value, "status.conditions", conditions(entry)),
            "Pods Status" | "Pods Statuses" => pod_counts(kind, entry.value, value),
            "MinReadySeconds" => put_some(value, "spec.minReadySeconds", number(entry.value)),
            "OldReplicaSets" => put(value, "status.oldReplicaSets", sets(entry.value)),
            "NewReplicaSet" | "NewReplicaSets" => {
                put(value, "status.newReplicaSet", sets(entry.value).pop().unwrap_or_default());
            }
            _ => {
                strategy(kind, entry, value);
                daemon(entry, value);
                job(kind, entry, value);
            }
        }
    }
}

fn number(text: &str) -> Option<i64> {
    text.trim().parse().ok()
}

/// `2 desired | 2 updated | 2 total | 1 available | 1 unavailable`, `1 current / 1 desired`.
fn replicas(text: &str, value: &mut Value) {
    for part in text.split(['|', '/']) {
        let Some((count, what)) = part.trim().split_once(' ') else { continue };
        let path = match what.trim() {
            "desired" => "spec.replicas",
            "updated" => "status.updatedReplicas",
            "total" | "current" => "status.replicas",
            "available" => "status.availableReplicas",
            "unavailable" => "status.unavailableReplicas",
            _ => continue,
        };
        put_some(value, path, number(count));
    }
}

/// `1 Running / 0 Waiting / 0 Succeeded / 0 Failed`; jobs: `1 Active (1 Ready) / ...`.
fn pod_counts(kind: &str, text: &str, value: &mut Value) {
    for part in text.split('/') {
        let Some((count, what)) = part.trim().split_once(' ') else { continue };
        let Some(count) = number(count) else { continue };
        let (what, more) = what.split_once(" (").unwrap_or((what, ""));
        let what = what.to_ascii_lowercase();
        let ready = more.split(' ').next().and_then(number).filter(|_| more.contains("Ready"));
        if kind == "Job" {
            put(value, &format!("status.{what}"), count);
            put_some(value, "status.ready", ready);
        } else {
            put(value, &format!("status.podCounts.{what}"), count);
        }
    }
}

/// `web-1 (1/1 replicas created), web-2 (...)`.
fn sets(text: &str) -> Vec<String> {
    text.split(',').filter_map(some).map(|s| s.split(' ').next().unwrap_or(s).to_owned()).collect()
}

fn strategy(kind: &str, entry: Entry<'_>, value: &mut Value) {
    let path = match kind {
        "Deployment" => "spec.strategy",
        _ => "spec.updateStrategy",
    };
    match entry.key {
        "StrategyType" | "Update Strategy" => {
            put_some(value, &format!("{path}.type"), some(entry.value));
            let partition = entry.body.some("Partition").and_then(number);
            put_some(value, &format!("{path}.rollingUpdate.partition"), partition);
        }
        "RollingUpdateStrategy" => {
            for part in entry.value.split(',') {
                let Some((figure, what)) = part.trim().split_once(' ') else { continue };
                let field = match what {
                    "max unavailable" => "maxUnavailable",
                    "max surge" => "maxSurge",
                    _ => continue,
                };
                let figure = number(figure).map_or_else(|| Value::from(figure), Value::from);
                put(value, &format!("{path}.rollingUpdate.{field}"), figure);
            }
        }
        "Volume Claims" => put(value, "spec.volumeClaimTemplates", claims(entry)),
        _ => {}
    }
}

/// Claim templates of a stateful set: each begins with `Name:`.
fn claims(entry: Entry<'_>) -> Value {
    let mut list: Vec<Value> = Vec::new();
    for part in entry.body.entries() {
        if part.key == "Name" {
            list.push(json!({"metadata": {"name": part.value}}));
            continue;
        }
        let Some(last) = list.last_mut() else { continue };
        match part.key {
            "StorageClass" => put(last, "spec.storageClassName", some(part.value).unwrap_or("")),
            "Capacity" => put_some(last, "spec.resources.requests.storage", some(part.value)),
            "Access Modes" => {
                let modes = part.value.trim_matches(['[', ']']);
                put(last, "spec.accessModes", crate::text::shape::access_modes(modes));
            }
            _ => {}
        }
    }
    Value::from(list)
}

fn daemon(entry: Entry<'_>, value: &mut Value) {
    let path = match entry.key {
        "Desired Number of Nodes Scheduled" => "status.desiredNumberScheduled",
        "Current Number of Nodes Scheduled" => "status.currentNumberScheduled",
        "Number of Nodes Scheduled with Up-to-date Pods" => "status.updatedNumberScheduled",
        "Number of Nodes Scheduled with Available Pods" => "status.numberAvailable",
        "Number of Nodes Misscheduled" => "status.numberMisscheduled",
        "Node-Selector" => {
            put(value, "spec.template.spec.nodeSelector", entry.map());
            return;
        }
        _ => return,
    };
    put_some(value, path, number(entry.value));
}

fn job(kind: &str, entry: Entry<'_>, value: &mut Value) {
    let spec = if kind == "CronJob" { "spec.jobTemplate.spec" } else { "spec" };
    let at = |field: &str| format!("{spec}.{field}");
    let deadline = || number(entry.value.trim_end_matches('s'));
    match entry.key {
        "Parallelism" => put_some(value, &at("parallelism"), number(entry.value)),
        "Completions" => put_some(value, &at("completions"), number(entry.value)),
        "Completion Mode" => put_some(value, &at("completionMode"), some(entry.value)),
        "Backoff Limit" => put_some(value, &at("backoffLimit"), number(entry.value)),
        "Active Deadline Seconds" => put_some(value, &at("activeDeadlineSeconds"), deadline()),
        "Suspend" => put_some(value, "spec.suspend", truth(entry.value)),
        "Schedule" => put_some(value, "spec.schedule", some(entry.value)),
        "Time Zone" => put_some(value, "spec.timeZone", some(entry.value)),
        "Concurrency Policy" => put_some(value, "spec.concurrencyPolicy", some(entry.value)),
        "Starting Deadline Seconds" => {
            put_some(value, "spec.startingDeadlineSeconds", deadline());
        }
        "Last Schedule Time" => put_some(value, "status.lastScheduleTime", rfc3339(entry.value)),
        "Start Time" => put_some(value, "status.startTime", rfc3339(entry.value)),
        "Completed At" => put_some(value, "status.completionTime", rfc3339(entry.value)),
        "Active Jobs" => {
            let jobs = entry.value.split(',').filter_map(some).map(|n| json!({"name": n}));
            put(value, "status.active", jobs.collect::<Vec<_>>());
        }
        _ => {}
    }
}
