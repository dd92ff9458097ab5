//! Leases, extensions of the API and admission webhooks, which `describe` prints key by key.

use super::outline::{Entry, Section};
use crate::text::shape::{put, put_some, some};
use crate::text::time::rfc3339;
use serde_json::{Map, Value, json};

/// Fills a lease.
pub fn lease(body: Section<'_>, value: &mut Value) {
    let Some(spec) = body.find(&["Spec"]) else { return };
    put_some(value, "spec.holderIdentity", spec.body.some("Holder Identity"));
    put_some(value, "spec.renewTime", spec.body.some("Renew Time").and_then(rfc3339));
    let duration = spec.body.some("Lease Duration Seconds");
    put_some(value, "spec.leaseDurationSeconds", duration.and_then(|d| d.parse::<u32>().ok()));
}

/// Fills an APIService.
pub fn api_service(body: Section<'_>, value: &mut Value) {
    if let Some(spec) = body.find(&["Spec"]) {
        put_some(value, "spec.service", service(spec.body));
    }
    let status = body.find(&["Status"]).and_then(|s| s.body.find(&["Conditions"]));
    let Some(conditions) = status else { return };
    let (mut all, mut one) = (Vec::new(), Map::new());
    for entry in conditions.body.entries() {
        let field = match entry.key {
            "Last Transition Time" => "lastTransitionTime",
            "Message" => "message",
            "Reason" => "reason",
            "Status" => "status",
            "Type" => "type",
            _ => continue,
        };
        one.insert(field.to_owned(), Value::from(entry.value));
        // Keys come in the order of the alphabet: this is the last of a condition.
        if field == "type" {
            all.push(Value::Object(std::mem::take(&mut one)));
        }
    }
    put(value, "status.conditions", all);
}

fn service(body: Section<'_>) -> Option<Value> {
    let service = body.find(&["Service"])?.body;
    let mut found = json!({"name": service.some("Name")?, "namespace": service.some("Namespace")?});
    put_some(&mut found, "port", service.some("Port").and_then(|p| p.parse::<u16>().ok()));
    Some(found)
}

/// Fills a configuration of webhooks. Each of them begins with the first key of the alphabet.
pub fn webhooks(body: Section<'_>, value: &mut Value) {
    let Some(list) = body.find(&["Webhooks"]) else { return };
    let mut hooks: Vec<Value> = Vec::new();
    for entry in list.body.entries() {
        if hooks.is_empty() || entry.key == "Admission Review Versions" {
            hooks.push(json!({}));
        }
        if let Some(hook) = hooks.last_mut() {
            webhook(entry, hook);
        }
    }
    put(value, "webhooks", hooks);
}

fn webhook(entry: Entry<'_>, hook: &mut Value) {
    match entry.key {
        "Client Config" => put_some(hook, "clientConfig.service", service(entry.body)),
        "Failure Policy" => put_some(hook, "failurePolicy", some(entry.value)),
        "Name" => put(hook, "name", entry.value),
        "Timeout Seconds" => put_some(hook, "timeoutSeconds", entry.value.parse::<u32>().ok()),
        "Rules" => {
            let words = |key| -> Vec<&str> {
                let of_rules = entry.body.entries().filter(|e| e.key == key);
                of_rules.flat_map(|e| e.values().collect::<Vec<_>>()).collect()
            };
            let rule = json!({"operations": words("Operations"), "resources": words("Resources")});
            put(hook, "rules", json!([rule]));
        }
        "Namespace Selector" => put(hook, "namespaceSelector", selector(entry.body)),
        "Object Selector" => put(hook, "objectSelector", selector(entry.body)),
        "Match Conditions" => put(hook, "matchConditions", json!([{}])),
        _ => {}
    }
}

fn selector(body: Section<'_>) -> Value {
    let mut found = json!({});
    if let Some(labels) = body.find(&["Match Labels"]) {
        let pairs = labels.body.entries().map(|e| (e.key.to_owned(), Value::from(e.value)));
        put(&mut found, "matchLabels", pairs.collect::<Map<String, Value>>());
    }
    let mut expressions: Vec<Value> = Vec::new();
    for part in body.find(&["Match Expressions"]).into_iter().flat_map(|e| e.body.entries()) {
        if part.key == "Key" {
            expressions.push(json!({"key": part.value}));
        }
        let Some(expression) = expressions.last_mut() else { continue };
        match part.key {
            "Operator" => put(expression, "operator", part.value),
            "Values" => put(expression, "values", part.values().collect::<Vec<_>>()),
            _ => {}
        }
    }
    if !expressions.is_empty() {
        put(&mut found, "matchExpressions", expressions);
    }
    found
}
