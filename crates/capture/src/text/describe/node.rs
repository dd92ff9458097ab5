//! Nodes, and the pods that `describe node` lists.

use super::outline::{Entry, Section, split_key};
use super::pod::conditions;
use crate::text::shape::{object, put, put_some, some, taint, truth};
use crate::text::time::{age_seconds, rfc3339};
use serde_json::{Map, Value, json};

/// Fills a node; returns the pods on it, and its lease.
pub fn node(body: Section<'_>, value: &mut Value) -> Vec<(u32, Value)> {
    let name = value.pointer("/metadata/name").and_then(Value::as_str).unwrap_or("").to_owned();
    let (mut pods, mut also) = (Vec::new(), Vec::new());
    for entry in body.entries() {
        match entry.key {
            "Taints" => {
                put(value, "spec.taints", entry.values().filter_map(taint).collect::<Vec<_>>());
            }
            "Unschedulable" => put_some(value, "spec.unschedulable", truth(entry.value)),
            "Lease" => {
                let renewed = entry.body.some("RenewTime").and_then(rfc3339);
                put_some(value, "status.leaseRenewTime", renewed.clone());
                if let Some(at) = renewed {
                    let mut lease = object("Lease", &name, Some("kube-node-lease"));
                    put(&mut lease, "spec.renewTime", at);
                    also.push((entry.line, lease));
                }
            }
            "Conditions" => put(value, "status.conditions", conditions(entry)),
            "Addresses" => put(value, "status.addresses", addresses(entry)),
            "Capacity" => put(value, "status.capacity", entry.quantities()),
            "Allocatable" => put(value, "status.allocatable", entry.quantities()),
            "System Info" => system_info(entry, value),
            "PodCIDR" => put_some(value, "spec.podCIDR", some(entry.value)),
            "ProviderID" => put_some(value, "spec.providerID", some(entry.value)),
            "Roles" => roles(entry.value, value),
            "Non-terminated Pods" => {
                pods = pods_of(entry, &name);
                let total = entry.value.trim_start_matches('(').split(' ').next();
                let total = total.and_then(|n| n.parse::<usize>().ok());
                put(value, "status.podsShown", total == Some(pods.len()));
            }
            "Allocated resources" => allocated(entry, value),
            _ => {}
        }
    }
    pods.extend(also);
    pods
}

/// Roles come from labels; they add nothing when the labels were printed.
fn roles(cell: &str, value: &mut Value) {
    if value.pointer("/metadata/labels").is_some() {
        return;
    }
    let roles = cell.split(',').filter_map(some);
    let labels: Map<String, Value> =
        roles.map(|r| (format!("node-role.kubernetes.io/{r}"), Value::from(""))).collect();
    if !labels.is_empty() {
        put(value, "metadata.labels", labels);
        put(value, "metadata.labelsPartial", true);
    }
}

/// `InternalIP:  10.0.0.1` lines; old clients: `10.0.0.1,node-1` on the line itself.
fn addresses(entry: Entry<'_>) -> Value {
    let below = entry.body.entries().filter(|e| !e.key.is_empty());
    let mut list: Vec<Value> = below.map(|e| json!({"type": e.key, "address": e.value})).collect();
    if list.is_empty() {
        for address in entry.value.split(',').filter_map(some) {
            let ip = address.parse::<std::net::IpAddr>().is_ok();
            let kind = if ip { "InternalIP" } else { "Hostname" };
            list.push(json!({"type": kind, "address": address}));
        }
    }
    Value::from(list)
}

fn system_info(entry: Entry<'_>, value: &mut Value) {
    for line in entry.body.lines {
        let (key, text) = split_key(line.trimmed());
        let field = match key {
            "Machine ID" => "machineID",
            "System UUID" => "systemUUID",
            "Boot ID" => "bootID",
            "Kernel Version" => "kernelVersion",
            "OS Image" => "osImage",
            "Operating System" => "operatingSystem",
            "Architecture" => "architecture",
            "Container Runtime Version" => "containerRuntimeVersion",
            "Kubelet Version" => "kubeletVersion",
            "Kube-Proxy Version" => "kubeProxyVersion",
            _ => continue,
        };
        put_some(value, &format!("status.nodeInfo.{field}"), some(text));
    }
}

fn pods_of(entry: Entry<'_>, node: &str) -> Vec<(u32, Value)> {
    let Some((columns, rows)) = entry.body.table() else { return Vec::new() };
    let pod = |(line, cells): (u32, Vec<String>)| {
        let cell = |name: &str| columns.index(name).and_then(|i| cells.get(i)).map(String::as_str);
        let mut pod = object("Pod", cell("Name").and_then(some)?, cell("Namespace"));
        put(&mut pod, "spec.nodeName", node);
        for (column, path) in [
            ("CPU Requests", "status.summary.requests.cpu"),
            ("Memory Requests", "status.summary.requests.memory"),
            ("CPU Limits", "status.summary.limits.cpu"),
            ("Memory Limits", "status.summary.limits.memory"),
        ] {
            put_some(&mut pod, path, cell(column).and_then(quantity));
        }
        put_some(&mut pod, "metadata.ageSeconds", cell("Age").and_then(age_seconds));
        Some((line, pod))
    };
    rows.into_iter().filter_map(pod).collect()
}

/// `425m (5%)`.
fn quantity(cell: &str) -> Option<&str> {
    some(cell.split(" (").next().unwrap_or(cell))
}

fn allocated(entry: Entry<'_>, value: &mut Value) {
    let note = |l: &&crate::text::lines::Line<'_>| !l.trimmed().starts_with('(') && !l.is_blank();
    let start = entry.body.lines.iter().position(|l| note(&l)).unwrap_or(0);
    let section = Section { lines: entry.body.lines.get(start..).unwrap_or(&[]) };
    let Some((columns, rows)) = section.table() else { return };
    let (mut requests, mut limits) = (Map::new(), Map::new());
    for (_, cells) in rows {
        let cell =
            |name: &str| columns.index(name).and_then(|i| cells.get(i)).and_then(|c| quantity(c));
        if let Some(resource) = cell("Resource") {
            for (map, column) in [(&mut requests, "Requests"), (&mut limits, "Limits")] {
                if let Some(amount) = cell(column) {
                    map.insert(resource.to_owned(), Value::from(amount));
                }
            }
        } else {
            // Old layout: one row for all.
            for (name, resource) in [("CPU", "cpu"), ("Memory", "memory")] {
                for (map, side) in [(&mut requests, "Requests"), (&mut limits, "Limits")] {
                    if let Some(amount) = cell(&format!("{name} {side}")) {
                        map.insert(resource.to_owned(), Value::from(amount));
                    }
                }
            }
        }
    }
    if !requests.is_empty() {
        put(value, "status.allocatedRequests", requests);
        put(value, "status.allocatedLimits", limits);
    }
}
