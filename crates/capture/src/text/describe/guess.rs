//! Which kind a description is of, from the keys only that kind has.

use super::outline::Section;
use crate::text::kinds;
use crate::text::shape::{put, put_some, some};
use crate::text::time::rfc3339;
use serde_json::Value;

/// Keys at the margin that belong to one kind. Order matters: the first that fits wins.
const SIGNS: &[(&str, &[&str])] = &[
    ("Node", &["Non-terminated Pods"]),
    ("Node", &["Roles", "Taints"]),
    ("Deployment", &["StrategyType"]),
    ("DaemonSet", &["Desired Number of Nodes Scheduled"]),
    ("CronJob", &["Schedule", "Suspend"]),
    ("Job", &["Pods Statuses"]),
    ("Job", &["Parallelism", "Completions"]),
    ("StatefulSet", &["Update Strategy"]),
    ("StatefulSet", &["Volume Claims"]),
    ("ReplicaSet", &["Pods Status", "Replicas"]),
    ("Pod", &["Containers", "Node"]),
    ("Pod", &["Node", "Priority"]),
    ("Pod", &["Status", "IP", "Node"]),
    ("Service", &["Session Affinity"]),
    ("Service", &["TargetPort"]),
    ("EndpointSlice", &["AddressType"]),
    ("Endpoints", &["Subsets"]),
    ("PersistentVolume", &["Reclaim Policy"]),
    ("PersistentVolumeClaim", &["StorageClass", "Volume"]),
    ("StorageClass", &["Provisioner", "IsDefaultClass"]),
    ("StorageClass", &["Provisioner", "ReclaimPolicy"]),
    ("ServiceAccount", &["Mountable secrets"]),
    ("Ingress", &["Default backend"]),
    ("Ingress", &["Rules", "Address"]),
    ("HorizontalPodAutoscaler", &["Reference", "Metrics"]),
    ("HorizontalPodAutoscaler", &["Reference", "Min replicas"]),
    ("PodDisruptionBudget", &["Min available"]),
    ("PodDisruptionBudget", &["Max unavailable"]),
    ("PriorityClass", &["GlobalDefault"]),
    ("IngressClass", &["Controller"]),
    ("Event", &["Involved Object"]),
];

/// The kind, or `None` when nothing tells.
pub fn kind_of(body: Section<'_>) -> Option<&'static str> {
    let keys: Vec<&str> = body.entries().map(|e| e.key).collect();
    let sign = SIGNS.iter().find(|(_, wanted)| wanted.iter().all(|k| keys.contains(k)));
    if let Some((kind, _)) = sign {
        return Some(kind);
    }
    // Custom objects and events are printed key by key.
    if let Some(kind) = body.some("Kind").filter(|_| keys.contains(&"API Version")) {
        return kinds::by_kind(kind).map(|k| k.kind);
    }
    let lines = || body.lines.iter().map(|l| l.trimmed());
    let has = |start: &str| lines().any(|t| t.starts_with(start));
    if keys.contains(&"PolicyRule") {
        return Some(if keys.contains(&"Namespace") { "Role" } else { "ClusterRole" });
    }
    if keys.contains(&"Subjects") && keys.contains(&"Role") {
        return Some(if keys.contains(&"Namespace") {
            "RoleBinding"
        } else {
            "ClusterRoleBinding"
        });
    }
    if keys.contains(&"Spec") && has("PodSelector:") {
        return Some("NetworkPolicy");
    }
    if has("No resource quota.") || has("Resource Quotas") || has("No LimitRange resource.") {
        return Some("Namespace");
    }
    if has("====") {
        return Some(if keys.contains(&"Type") { "Secret" } else { "ConfigMap" });
    }
    let table = |words: &[&str]| {
        lines().any(|t| t.split_whitespace().take(words.len()).eq(words.iter().copied()))
    };
    if table(&["Resource", "Used", "Hard"]) {
        return Some("ResourceQuota");
    }
    table(&["Type", "Resource", "Min"]).then_some("LimitRange")
}

/// Fills an event, which `describe` prints key by key.
pub fn event(body: Section<'_>, value: &mut Value) {
    for entry in body.entries() {
        match entry.key {
            "Message" | "Reason" | "Type" => {
                put(value, &entry.key.to_ascii_lowercase(), entry.value);
            }
            "Count" => put_some(value, "count", entry.value.parse::<u64>().ok()),
            "First Timestamp" => put_some(value, "firstTimestamp", rfc3339(entry.value)),
            "Last Timestamp" => put_some(value, "lastTimestamp", rfc3339(entry.value)),
            "Event Time" => put_some(value, "eventTime", rfc3339(entry.value)),
            "Involved Object" => {
                for part in entry.body.entries() {
                    let field = match part.key {
                        "Kind" => "kind",
                        "Name" => "name",
                        "Namespace" => "namespace",
                        "Field Path" => "fieldPath",
                        "UID" => "uid",
                        _ => continue,
                    };
                    put(value, &format!("involvedObject.{field}"), part.value);
                }
            }
            "Source" => {
                put_some(value, "source.component", entry.body.some("Component").and_then(some));
                put_some(value, "source.host", entry.body.some("Host").and_then(some));
            }
            _ => {}
        }
    }
}
