//! Which kind a table is about, from its header, and which header a kind has.
//!
//! It must say nothing when two kinds look the same.

use crate::text::command::{Command, Scope};

/// Columns that only one kind prints together.
const SIGNS: &[(&str, &[&str])] = &[
    ("Event", &["REASON", "MESSAGE"]),
    ("Pod", &["READY", "STATUS", "RESTARTS"]),
    ("DaemonSet", &["DESIRED", "CURRENT", "NODE SELECTOR"]),
    ("DaemonSet", &["DESIRED", "CURRENT", "NODE-SELECTOR"]),
    ("Deployment", &["UP-TO-DATE", "AVAILABLE"]),
    ("ReplicaSet", &["DESIRED", "CURRENT", "READY"]),
    ("StatefulSet", &["DESIRED", "CURRENT"]),
    ("Job", &["COMPLETIONS"]),
    ("Job", &["DESIRED", "SUCCESSFUL"]),
    ("CronJob", &["SCHEDULE", "SUSPEND"]),
    ("Service", &["TYPE", "CLUSTER-IP"]),
    ("Service", &["CLUSTER-IP", "EXTERNAL-IP"]),
    ("EndpointSlice", &["ADDRESSTYPE", "ENDPOINTS"]),
    ("Endpoints", &["ENDPOINTS"]),
    ("PersistentVolume", &["CAPACITY", "RECLAIM POLICY"]),
    ("PersistentVolume", &["CAPACITY", "RECLAIMPOLICY"]),
    ("PersistentVolumeClaim", &["STATUS", "VOLUME", "CAPACITY"]),
    ("StorageClass", &["PROVISIONER"]),
    ("Secret", &["TYPE", "DATA"]),
    ("ConfigMap", &["DATA"]),
    ("ServiceAccount", &["SECRETS"]),
    ("Ingress", &["HOSTS", "ADDRESS"]),
    ("HorizontalPodAutoscaler", &["REFERENCE", "MINPODS"]),
    ("PodDisruptionBudget", &["ALLOWED DISRUPTIONS"]),
    ("ResourceQuota", &["REQUEST", "LIMIT"]),
    ("NetworkPolicy", &["POD-SELECTOR"]),
    ("PriorityClass", &["VALUE", "GLOBAL-DEFAULT"]),
    ("IngressClass", &["CONTROLLER", "PARAMETERS"]),
    ("CertificateSigningRequest", &["SIGNERNAME", "REQUESTOR"]),
    ("Certificate", &["NAME", "READY", "SECRET", "AGE"]),
    ("APIService", &["SERVICE", "AVAILABLE"]),
    ("ComponentStatus", &["STATUS", "MESSAGE", "ERROR"]),
    ("Node", &["STATUS", "ROLES", "VERSION"]),
    ("Node", &["STATUS", "AGE", "VERSION"]),
];

/// The kind whose table has these columns.
pub fn kind_of(names: &[String]) -> Option<&'static str> {
    let has = |wanted: &&str| names.iter().any(|n| n == *wanted);
    let sign = SIGNS.iter().find(|(_, columns)| columns.iter().all(&has));
    if let Some((kind, _)) = sign {
        return Some(kind);
    }
    let plain: Vec<&str> = names
        .iter()
        .map(String::as_str)
        .filter(|n| !matches!(*n, "NAMESPACE" | "LABELS" | "CONTAINERS" | "IMAGES"))
        .collect();
    match plain.as_slice() {
        ["NAME", "READY", "AGE"] => Some("StatefulSet"),
        ["NAME", "STATUS", "AGE"] => Some("Namespace"),
        _ => None,
    }
}

/// The columns current `kubectl` prints for this command, for rows whose header was filtered out.
pub fn columns_for(kind: &str, command: &Command) -> Option<Vec<String>> {
    let mut names: Vec<&str> = Vec::new();
    if command.scope == Scope::All {
        names.push("NAMESPACE");
    }
    names.extend(narrow(kind)?);
    if command.output == "wide" {
        names.extend(wide(kind));
    }
    if command.words.iter().any(|w| w == "--show-labels") {
        names.push("LABELS");
    }
    Some(names.into_iter().map(str::to_owned).collect())
}

fn narrow(kind: &str) -> Option<&'static [&'static str]> {
    Some(match kind {
        "Pod" => &["NAME", "READY", "STATUS", "RESTARTS", "AGE"],
        "Node" => &["NAME", "STATUS", "ROLES", "AGE", "VERSION"],
        "Deployment" => &["NAME", "READY", "UP-TO-DATE", "AVAILABLE", "AGE"],
        "ReplicaSet" => &["NAME", "DESIRED", "CURRENT", "READY", "AGE"],
        "StatefulSet" => &["NAME", "READY", "AGE"],
        "Service" => &["NAME", "TYPE", "CLUSTER-IP", "EXTERNAL-IP", "PORT(S)", "AGE"],
        "Endpoints" => &["NAME", "ENDPOINTS", "AGE"],
        "Namespace" => &["NAME", "STATUS", "AGE"],
        "Event" => &["LAST SEEN", "TYPE", "REASON", "OBJECT", "MESSAGE"],
        "PersistentVolumeClaim" => {
            &["NAME", "STATUS", "VOLUME", "CAPACITY", "ACCESS MODES", "STORAGECLASS", "AGE"]
        }
        _ => return None,
    })
}

fn wide(kind: &str) -> &'static [&'static str] {
    match kind {
        "Pod" => &["IP", "NODE", "NOMINATED NODE", "READINESS GATES"],
        "Deployment" | "ReplicaSet" => &["CONTAINERS", "IMAGES", "SELECTOR"],
        "StatefulSet" => &["CONTAINERS", "IMAGES"],
        "Service" => &["SELECTOR"],
        "Node" => {
            &["INTERNAL-IP", "EXTERNAL-IP", "OS-IMAGE", "KERNEL-VERSION", "CONTAINER-RUNTIME"]
        }
        _ => &[],
    }
}

/// Whether a line without header can only be a pod's row or an event's row.
pub fn unmistakable(line: &str) -> Option<Vec<String>> {
    let fields = super::columns::split_wide(line);
    let own = |names: &[&str]| Some(names.iter().map(|n| (*n).to_owned()).collect());
    let age =
        |text: &str| crate::text::time::age_seconds(text.split(' ').next().unwrap_or("")).is_some();
    match fields.as_slice() {
        [_, ready, status, restarts, last] if is_pod(ready, status, restarts) && age(last) => {
            own(&["NAME", "READY", "STATUS", "RESTARTS", "AGE"])
        }
        [_, ready, status, restarts, last, _, _, _, _]
            if is_pod(ready, status, restarts) && age(last) =>
        {
            own(&[
                "NAME",
                "READY",
                "STATUS",
                "RESTARTS",
                "AGE",
                "IP",
                "NODE",
                "NOMINATED NODE",
                "READINESS GATES",
            ])
        }
        [_, _, ready, status, restarts, last] if is_pod(ready, status, restarts) && age(last) => {
            own(&["NAMESPACE", "NAME", "READY", "STATUS", "RESTARTS", "AGE"])
        }
        [seen, "Normal" | "Warning", reason, object, _]
            if age(seen) && is_event(reason, object) =>
        {
            own(&["LAST SEEN", "TYPE", "REASON", "OBJECT", "MESSAGE"])
        }
        [_, seen, "Normal" | "Warning", reason, object, _]
            if age(seen) && is_event(reason, object) =>
        {
            own(&["NAMESPACE", "LAST SEEN", "TYPE", "REASON", "OBJECT", "MESSAGE"])
        }
        _ => None,
    }
}

fn is_pod(ready: &str, status: &str, restarts: &str) -> bool {
    let count = |t: &str| !t.is_empty() && t.bytes().all(|b| b.is_ascii_digit());
    ready.split_once('/').is_some_and(|(a, b)| count(a) && count(b))
        && status.starts_with(|c: char| c.is_ascii_uppercase())
        && count(restarts.split(' ').next().unwrap_or(""))
}

fn is_event(reason: &str, object: &str) -> bool {
    reason.starts_with(|c: char| c.is_ascii_uppercase()) && object.contains('/')
}
