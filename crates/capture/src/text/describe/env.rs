//! Environment variables of containers.

use super::outline::{Entry, split_key};
use crate::text::shape::put;
use serde_json::{Value, json};

/// `NAME:  value` lines below `Environment:`.
pub fn variables(entry: Entry<'_>) -> Value {
    let list = entry.body.entries().filter(|e| !e.key.is_empty()).map(|e| variable(e));
    Value::from(list.collect::<Vec<_>>())
}

fn variable(entry: Entry<'_>) -> Value {
    let (name, text) = (entry.key, entry.value);
    if let Some(from) = value_from(text) {
        return json!({"name": name, "valueFrom": from});
    }
    let mut value = text.to_owned();
    for line in entry.body.text() {
        value.push('\n');
        value.push_str(&line);
    }
    json!({"name": name, "value": value})
}

fn value_from(text: &str) -> Option<Value> {
    let (head, tail) = text.split_once('>').unwrap_or((text, ""));
    if let Some(rest) = head.strip_prefix("<set to the key '") {
        let (key, rest) = rest.split_once('\'')?;
        let name = rest.rsplit('\'').nth(1)?;
        let optional = tail.contains("Optional: true");
        let source = if rest.contains("secret") { "secretKeyRef" } else { "configMapKeyRef" };
        return Some(json!({source: {"name": name, "key": key, "optional": optional}}));
    }
    // `(v1:metadata.name)`
    if let Some(path) = text.strip_prefix("(v1:") {
        return Some(json!({"fieldRef": {"fieldPath": path.trim_end_matches(')')}}));
    }
    // `1 (limits.cpu)`
    let resource = text.rsplit_once(" (")?.1.strip_suffix(')')?;
    (resource.starts_with("limits.") || resource.starts_with("requests."))
        .then(|| json!({"resourceFieldRef": {"resource": resource}}))
}

/// `settings  ConfigMap with prefix 'X_'  Optional: false` lines.
pub fn sources(entry: Entry<'_>) -> Value {
    let source = |line: &str| {
        let mut words = line.split_whitespace();
        let (name, kind) = (words.next()?, words.next()?);
        let optional = split_key(line).1 == "true";
        let reference = json!({"name": name, "optional": optional});
        let mut source = match kind {
            "ConfigMap" => json!({"configMapRef": reference}),
            "Secret" => json!({"secretRef": reference}),
            _ => return None,
        };
        if let Some(prefix) = line.split('\'').nth(1) {
            put(&mut source, "prefix", prefix);
        }
        Some(source)
    };
    Value::from(entry.values().filter_map(source).collect::<Vec<_>>())
}
