//! Rows of the smaller kinds.

use super::Row;
use crate::text::kinds;
use crate::text::shape::{label_selector, put, put_some, some};
use serde_json::{Map, Value, json};

/// Fills any other known kind; `None` when the kind is not known.
pub fn other(kind: &str, row: &Row<'_>, value: &mut Value) -> Option<()> {
    match kind {
        "ConfigMap" => put_some(value, "dataCount", row.number("DATA")),
        "Secret" => {
            put_some(value, "type", row.some("TYPE"));
            put_some(value, "dataCount", row.number("DATA"));
        }
        "ServiceAccount" => put_some(value, "secretCount", row.number("SECRETS")),
        "Namespace" => put_some(value, "status.phase", row.some("STATUS")),
        "HorizontalPodAutoscaler" => autoscaler(row, value),
        "PodDisruptionBudget" => budget(row, value),
        "ResourceQuota" => quota(row, value),
        "IngressClass" => put_some(value, "spec.controller", row.some("CONTROLLER")),
        "RoleBinding" | "ClusterRoleBinding" => binding(row, value),
        "CertificateSigningRequest" => request(row, value),
        "Certificate" => {
            put_some(value, "spec.secretName", row.some("SECRET"));
            if let Some(ready) = row.some("READY") {
                put(value, "status.conditions", json!([{"type": "Ready", "status": ready}]));
            }
        }
        "Lease" => put_some(value, "spec.holderIdentity", row.some("HOLDER")),
        "APIService" => api_service(row, value),
        "ComponentStatus" => component(row, value),
        "PriorityClass" => {
            put_some(value, "value", row.number("VALUE"));
            put_some(value, "globalDefault", row.get("GLOBAL-DEFAULT").map(|c| c == "true"));
        }
        _ => {
            kinds::by_kind(kind)?;
        }
    }
    Some(())
}

/// `Role/reader`, and in wide tables whom it is given to.
fn binding(row: &Row<'_>, value: &mut Value) {
    if let Some((kind, name)) = row.get("ROLE").and_then(|c| c.split_once('/')) {
        put(value, "roleRef", json!({"kind": kind, "name": name}));
    }
    let Some(accounts) = row.get("SERVICEACCOUNTS") else { return };
    let account = |cell: &str| {
        let (namespace, name) = cell.trim().split_once('/')?;
        Some(json!({"kind": "ServiceAccount", "namespace": namespace, "name": name}))
    };
    let mut subjects: Vec<Value> = accounts.split(',').filter_map(account).collect();
    for (column, kind) in [("USERS", "User"), ("GROUPS", "Group")] {
        let names = row.get(column).unwrap_or_default().split(',').filter_map(some);
        subjects.extend(names.map(|name| json!({"kind": kind, "name": name.trim()})));
    }
    put(value, "subjects", subjects);
}

/// `Approved,Issued` as conditions; `Pending` is none.
fn request(row: &Row<'_>, value: &mut Value) {
    put_some(value, "spec.signerName", row.some("SIGNERNAME"));
    put_some(value, "spec.username", row.some("REQUESTOR"));
    if let Some(cell) = row.some("CONDITION") {
        let words = cell.split(',').filter(|w| *w != "Pending");
        let list = words.map(|w| json!({"type": w, "status": "True"}));
        put(value, "status.conditions", list.collect::<Vec<_>>());
    }
}

fn autoscaler(row: &Row<'_>, value: &mut Value) {
    if let Some((kind, name)) = row.get("REFERENCE").and_then(|c| c.split_once('/')) {
        put(value, "spec.scaleTargetRef", json!({"kind": kind, "name": name}));
    }
    put_some(value, "spec.minReplicas", row.number("MINPODS"));
    put_some(value, "spec.maxReplicas", row.number("MAXPODS"));
    put_some(value, "status.currentReplicas", row.number("REPLICAS"));
    if let Some(targets) = row.get("TARGETS") {
        let (mut spec, mut status) = (Vec::new(), Vec::new());
        for target in targets.split(',') {
            // `cpu: 10%/50%`, old: `10%/50%`, which was always CPU.
            let (name, figures) = target.trim().split_once(": ").unwrap_or(("cpu", target.trim()));
            let Some((now, goal)) = figures.split_once('/') else { continue };
            spec.extend(metric(name, "target", goal));
            status.extend(metric(name, "current", now));
        }
        put(value, "spec.metrics", spec);
        put(value, "status.currentMetrics", status);
    }
}

/// One metric of an autoscaler; `None` when its figure is `<unknown>`.
pub fn metric(name: &str, side: &str, figure: &str) -> Option<Value> {
    let figure = some(figure)?;
    let figure = figure.strip_suffix(" (avg)").unwrap_or(figure);
    let mut data = match figure.strip_suffix('%') {
        Some(percent) => json!({"averageUtilization": percent.trim().parse::<i64>().ok()?}),
        None => json!({"averageValue": figure}),
    };
    if side == "target" {
        let percent = data.get("averageUtilization").is_some();
        put(&mut data, "type", if percent { "Utilization" } else { "AverageValue" });
    }
    Some(json!({"type": "Resource", "resource": {"name": name, side: data}}))
}

fn budget(row: &Row<'_>, value: &mut Value) {
    for (column, path) in
        [("MIN AVAILABLE", "spec.minAvailable"), ("MAX UNAVAILABLE", "spec.maxUnavailable")]
    {
        if let Some(cell) = row.some(column).filter(|c| *c != "N/A") {
            let number = cell.parse::<i64>().map_or_else(|_| Value::from(cell), Value::from);
            put(value, path, number);
        }
    }
    put_some(value, "status.disruptionsAllowed", row.number("ALLOWED DISRUPTIONS"));
    if let Some(selector) = row.get("SELECTOR").and_then(some) {
        put(value, "spec.selector", label_selector(selector));
    }
}

/// `False (MissingEndpoints)`, answered for by `kube-system/metrics-server`.
fn api_service(row: &Row<'_>, value: &mut Value) {
    if let Some((namespace, name)) = row.some("SERVICE").and_then(|c| c.split_once('/')) {
        put(value, "spec.service", json!({"namespace": namespace, "name": name}));
    }
    if let Some(cell) = row.some("AVAILABLE") {
        let (status, reason) = cell.split_once(' ').unwrap_or((cell, ""));
        let reason = reason.trim_matches(['(', ')']);
        let condition = json!({"type": "Available", "status": status, "reason": reason});
        put(value, "status.conditions", json!([condition]));
    }
}

fn component(row: &Row<'_>, value: &mut Value) {
    let status = match row.some("STATUS") {
        Some("Healthy") => "True",
        Some("Unhealthy") => "False",
        _ => "Unknown",
    };
    let message = row.some("MESSAGE").or(row.some("ERROR")).unwrap_or("");
    let condition = json!({"type": "Healthy", "status": status, "message": message});
    put(value, "conditions", json!([condition]));
}

/// `requests.cpu: 10/1, pods: 3/10` in two columns.
fn quota(row: &Row<'_>, value: &mut Value) {
    let (mut used, mut hard) = (Map::new(), Map::new());
    let columns = [row.get("REQUEST"), row.get("LIMIT")];
    for entry in columns.into_iter().flatten().flat_map(|cell| cell.split(',')) {
        let Some((name, figures)) = entry.split_once(':') else { continue };
        let Some((now, most)) = figures.trim().rsplit_once('/') else { continue };
        used.insert(name.trim().to_owned(), Value::from(now.trim()));
        hard.insert(name.trim().to_owned(), Value::from(most.trim()));
    }
    if !hard.is_empty() {
        put(value, "spec.hard", hard.clone());
        put(value, "status.hard", hard);
        put(value, "status.used", used);
    }
}
