//! Pods, and the pod templates of workloads.

use super::container::containers;
use super::outline::{Entry, Section};
use super::volume::volumes;
use crate::text::shape::{label_selector, owner, put, put_some, some, truth};
use crate::text::time::{age_seconds, rfc3339};
use serde_json::{Value, json};

/// Fills a pod.
pub fn pod(body: Section<'_>, value: &mut Value) {
    for entry in body.entries() {
        if spec(&entry, "spec", value) {
            continue;
        }
        match entry.key {
            "Priority" => put_some(value, "spec.priority", entry.value.parse::<i64>().ok()),
            "Node" => node(entry.value, value),
            "Start Time" => put_some(value, "status.startTime", rfc3339(entry.value)),
            "Status" => status(entry.value, value),
            "Reason" => put_some(value, "status.reason", some(entry.value)),
            "Message" => put_some(value, "status.message", some(entry.value)),
            "IP" => put(value, "status.podIP", some(entry.value).unwrap_or("")),
            "IPs" => put(value, "status.podIPs", addresses(entry)),
            "NominatedNodeName" => {
                put_some(value, "status.nominatedNodeName", some(entry.value));
            }
            "Controlled By" | "Controllers" => {
                let owners: Vec<Value> = owner(entry.value).into_iter().collect();
                put(value, "metadata.ownerReferences", owners);
            }
            "Conditions" => put(value, "status.conditions", conditions(entry)),
            "QoS Class" | "QoS Tier" => put_some(value, "status.qosClass", some(entry.value)),
            "Readiness Gates" => gates(entry, value),
            _ => {}
        }
    }
}

/// `worker-1/10.0.0.5`, `<none>`.
fn node(cell: &str, value: &mut Value) {
    let (name, ip) = cell.split_once('/').unwrap_or((cell, ""));
    put(value, "spec.nodeName", some(name).unwrap_or(""));
    put_some(value, "status.hostIP", some(ip));
}

/// `Running`, `Terminating (lasts 5m)`.
fn status(cell: &str, value: &mut Value) {
    let (word, more) = cell.split_once(' ').unwrap_or((cell, ""));
    if word == "Terminating" {
        put(value, "status.summary.status", word);
        let lasts = more.trim().trim_start_matches("(lasts ").trim_start_matches("(expires ");
        put_some(value, "metadata.deletingSeconds", age_seconds(lasts.trim_end_matches(')')));
    } else if !word.is_empty() {
        put(value, "status.phase", word);
    }
}

fn addresses(entry: Entry<'_>) -> Value {
    let list = entry.body.entries().filter(|e| e.key == "IP").filter_map(|e| some(e.value));
    Value::from(list.map(|ip| json!({"ip": ip})).collect::<Vec<_>>())
}

fn gates(entry: Entry<'_>, value: &mut Value) {
    let Some((_, rows)) = entry.body.table() else { return };
    let gate = |(_, cells): &(u32, Vec<String>)| Some(json!({"conditionType": cells.first()?}));
    put(value, "spec.readinessGates", rows.iter().filter_map(gate).collect::<Vec<_>>());
}

/// A table of conditions, whatever columns it has.
pub fn conditions(entry: Entry<'_>) -> Value {
    let Some((columns, rows)) = entry.body.table() else { return json!([]) };
    let condition = |(_, cells): (u32, Vec<String>)| {
        let cell =
            |name: &str| columns.index(name).and_then(|i| cells.get(i)).and_then(|c| some(c));
        let mut condition = json!({"type": cell("Type")?, "status": cell("Status")?});
        put_some(&mut condition, "reason", cell("Reason"));
        put_some(&mut condition, "message", cell("Message"));
        let date = |name| cell(name).and_then(rfc3339);
        put_some(&mut condition, "lastTransitionTime", date("LastTransitionTime"));
        put_some(&mut condition, "lastHeartbeatTime", date("LastHeartbeatTime"));
        Some(condition)
    };
    Value::from(rows.into_iter().filter_map(condition).collect::<Vec<_>>())
}

/// Fills the template of a workload at `path` (`spec.template`).
pub fn template(entry: Entry<'_>, path: &str, value: &mut Value) {
    let spec_path = format!("{path}.spec");
    for part in entry.body.entries() {
        match part.key {
            "Labels" => put(value, &format!("{path}.metadata.labels"), part.map()),
            "Annotations" => put(value, &format!("{path}.metadata.annotations"), part.map()),
            _ => {
                spec(&part, &spec_path, value);
            }
        }
    }
}

/// Entries that a pod and a template share; false when the entry is none of them.
fn spec(entry: &Entry<'_>, path: &str, value: &mut Value) -> bool {
    let at = |field: &str| format!("{path}.{field}");
    let is_pod = path == "spec";
    match entry.key {
        "Containers" => put_containers(entry, path, "containers", is_pod, value),
        "Init Containers" => put_containers(entry, path, "initContainers", is_pod, value),
        "Ephemeral Containers" => put_containers(entry, path, "ephemeralContainers", is_pod, value),
        "Volumes" => put(value, &at("volumes"), volumes(*entry)),
        "Service Account" | "Service Account Name" => {
            put_some(value, &at("serviceAccountName"), some(entry.value));
        }
        "Priority Class Name" => put_some(value, &at("priorityClassName"), some(entry.value)),
        "Runtime Class Name" => put_some(value, &at("runtimeClassName"), some(entry.value)),
        "Scheduler Name" => put_some(value, &at("schedulerName"), some(entry.value)),
        "Host Network" => put_some(value, &at("hostNetwork"), truth(entry.value)),
        "Node-Selectors" | "Node Selectors" => put(value, &at("nodeSelector"), entry.map()),
        "Tolerations" => {
            let list: Vec<Value> = entry.values().map(toleration).collect();
            put(value, &at("tolerations"), list);
        }
        "Topology Spread Constraints" => {
            let list: Vec<Value> = entry.values().filter_map(spread).collect();
            put(value, &at("topologySpreadConstraints"), list);
        }
        _ => return false,
    }
    true
}

fn put_containers(entry: &Entry<'_>, path: &str, list: &str, is_pod: bool, value: &mut Value) {
    let (mut specs, mut states) = (Vec::new(), Vec::new());
    for container in containers(*entry) {
        specs.push(container.spec);
        states.extend(container.status);
    }
    put(value, &format!("{path}.{list}"), specs);
    if is_pod && !states.is_empty() {
        let field = match list {
            "containers" => "status.containerStatuses",
            "initContainers" => "status.initContainerStatuses",
            _ => "status.ephemeralContainerStatuses",
        };
        put(value, field, states);
    }
}

/// `key=value:NoExecute op=Exists for 300s`, `:NoSchedule op=Exists`, `op=Exists`.
fn toleration(text: &str) -> Value {
    let mut value = json!({});
    let mut words = text.split_whitespace();
    let first = words.clone().next().unwrap_or("");
    let mut exists = first.starts_with("op=Exists");
    if !first.starts_with("op=") {
        words.next();
        let (key, effect) = first.rsplit_once(':').unwrap_or((first, ""));
        let (key, wanted) = key.split_once('=').map_or((key, None), |(k, w)| (k, Some(w)));
        put_some(&mut value, "key", some(key));
        put_some(&mut value, "value", wanted);
        put_some(&mut value, "effect", some(effect));
        exists = wanted.is_none();
    }
    while let Some(word) = words.next() {
        if let Some(operator) = word.strip_prefix("op=") {
            exists = operator == "Exists";
        } else if word == "for" {
            let seconds = words.next().and_then(age_seconds);
            put_some(&mut value, "tolerationSeconds", seconds);
        }
    }
    put(&mut value, "operator", if exists { "Exists" } else { "Equal" });
    value
}

/// `zone:DoNotSchedule when max skew 1 is exceeded for selector app=web`.
fn spread(text: &str) -> Option<Value> {
    let (head, rest) = text.split_once(" when max skew ")?;
    let (key, action) = head.rsplit_once(':')?;
    let (skew, rest) = rest.split_once(' ')?;
    let mut value = json!({"topologyKey": key, "whenUnsatisfiable": action,
        "maxSkew": skew.parse::<u32>().ok()?});
    if let Some((_, selector)) = rest.split_once("for selector ") {
        put(&mut value, "labelSelector", label_selector(selector));
    }
    Some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tolerations() {
        for (text, want) in [
            (
                "node.kubernetes.io/not-ready:NoExecute op=Exists for 300s",
                json!({"key": "node.kubernetes.io/not-ready", "effect": "NoExecute",
                    "operator": "Exists", "tolerationSeconds": 300}),
            ),
            ("op=Exists", json!({"operator": "Exists"})),
            (":NoSchedule op=Exists", json!({"effect": "NoSchedule", "operator": "Exists"})),
            (
                "team=a:NoSchedule",
                json!({"key": "team", "value": "a", "effect": "NoSchedule", "operator": "Equal"}),
            ),
        ] {
            assert_eq!(toleration(text), want, "{text}");
        }
    }
}
