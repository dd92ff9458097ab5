//! Small builders for values in the shape of the API.
//!
//! Nothing here knows a kind; a path that runs into a value which is no object is left alone.

use super::kinds;
use serde_json::{Map, Value, json};

/// Sets `root.a.b.c`, making objects on the way.
pub fn put(root: &mut Value, path: &str, value: impl Into<Value>) {
    let mut at = root;
    let mut keys = path.split('.').peekable();
    while let Some(key) = keys.next() {
        let Value::Object(map) = at else { return };
        if keys.peek().is_none() {
            map.insert(key.to_owned(), value.into());
            return;
        }
        at = map.entry(key.to_owned()).or_insert_with(|| Value::Object(Map::new()));
    }
}

/// Sets `root.path` when there is a value.
pub fn put_some(root: &mut Value, path: &str, value: Option<impl Into<Value>>) {
    if let Some(value) = value {
        put(root, path, value);
    }
}

/// Adds to the list `root.path`, making it on the way.
pub fn push(root: &mut Value, path: &str, value: Value) {
    let pointer = format!("/{}", path.replace('.', "/"));
    match root.pointer_mut(&pointer) {
        Some(Value::Array(list)) => list.push(value),
        Some(_) => {}
        None => put(root, path, json!([value])),
    }
}

/// A new object. The namespace is left out when unknown or when the kind has none.
pub fn object(kind: &str, name: &str, namespace: Option<&str>) -> Value {
    let known = kinds::by_kind(kind);
    let mut value = json!({
        "apiVersion": known.map_or("", |k| k.api_version),
        "kind": kind,
        "metadata": {"name": name},
    });
    if known.is_none_or(|k| k.namespaced)
        && let Some(namespace) = namespace.filter(|n| !n.is_empty())
    {
        put(&mut value, "metadata.namespace", namespace);
    }
    value
}

/// The cell unless it says that there is nothing.
pub fn some(cell: &str) -> Option<&str> {
    let cell = cell.trim();
    match cell {
        "" | "<none>" | "<unset>" | "<unknown>" | "<nil>" | "<invalid>" | "<not set>" => None,
        _ => Some(cell),
    }
}

/// `True`, `yes`, ... as a boolean.
pub fn truth(cell: &str) -> Option<bool> {
    match cell.trim() {
        "true" | "True" | "Yes" | "yes" => Some(true),
        "false" | "False" | "No" | "no" => Some(false),
        _ => None,
    }
}

/// `a=b,c=d` as a map; keys without a value have the empty value.
pub fn pairs(cell: &str) -> Value {
    let mut map = Map::new();
    for pair in cell.split(',').filter_map(some) {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        map.insert(key.trim().to_owned(), Value::from(value.trim()));
    }
    Value::Object(map)
}

/// `a=b,c in (d,e),!f` as a label selector of a workload.
pub fn label_selector(cell: &str) -> Value {
    let mut labels = Map::new();
    let mut expressions = Vec::new();
    for part in split_outside_parens(cell) {
        let Some(part) = some(part) else { continue };
        if let Some((key, rest)) = part.split_once(" in (") {
            expressions.push(expression(key, "In", rest));
        } else if let Some((key, rest)) = part.split_once(" notin (") {
            expressions.push(expression(key, "NotIn", rest));
        } else if let Some((key, value)) = part.split_once("!=") {
            expressions.push(expression(key, "NotIn", value));
        } else if let Some((key, value)) = part.split_once('=') {
            let value = value.trim_start_matches('=');
            labels.insert(key.trim().to_owned(), Value::from(value.trim()));
        } else if let Some(key) = part.strip_prefix('!') {
            expressions.push(json!({"key": key.trim(), "operator": "DoesNotExist"}));
        } else {
            expressions.push(json!({"key": part, "operator": "Exists"}));
        }
    }
    let mut selector = json!({"matchLabels": labels});
    if !expressions.is_empty() {
        put(&mut selector, "matchExpressions", expressions);
    }
    selector
}

fn expression(key: &str, operator: &str, values: &str) -> Value {
    let values: Vec<&str> = values.trim_end_matches(')').split(',').map(str::trim).collect();
    json!({"key": key.trim(), "operator": operator, "values": values})
}

/// Splits at commas that stand outside of parentheses.
fn split_outside_parens(cell: &str) -> Vec<&str> {
    let (mut parts, mut depth, mut start) = (Vec::new(), 0usize, 0usize);
    for (at, byte) in cell.bytes().enumerate() {
        match byte {
            b'(' => depth += 1,
            b')' => depth = depth.saturating_sub(1),
            b',' if depth == 0 => {
                parts.push(cell.get(start..at).unwrap_or(""));
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(cell.get(start..).unwrap_or(""));
    parts
}

/// `ReplicaSet/web-1` as the owner that controls an object.
pub fn owner(cell: &str) -> Option<Value> {
    let (kind, name) = some(cell)?.split_once('/')?;
    let api = kinds::by_kind(kind).map_or("", |k| k.api_version);
    Some(json!({"apiVersion": api, "kind": kind, "name": name, "controller": true}))
}

/// `key=value:Effect` as a taint; value and effect may be missing.
pub fn taint(cell: &str) -> Option<Value> {
    let cell = some(cell)?;
    let (front, effect) = cell.rsplit_once(':').unwrap_or((cell, ""));
    let (key, value) = front.split_once('=').unwrap_or((front, ""));
    let mut taint = json!({"key": key, "effect": effect});
    if !value.is_empty() {
        put(&mut taint, "value", value);
    }
    Some(taint)
}

/// `RWO,ROX` as access modes in full.
pub fn access_modes(cell: &str) -> Value {
    let modes = cell.split([',', ' ']).filter_map(some).map(|mode| match mode {
        "RWO" => "ReadWriteOnce",
        "ROX" => "ReadOnlyMany",
        "RWX" => "ReadWriteMany",
        "RWOP" => "ReadWriteOncePod",
        other => other,
    });
    Value::from(modes.collect::<Vec<_>>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn selectors() {
        assert_eq!(
            label_selector("app=web,tier in (a,b),!x,y"),
            json!({"matchLabels": {"app": "web"}, "matchExpressions": [
                {"key": "tier", "operator": "In", "values": ["a", "b"]},
                {"key": "x", "operator": "DoesNotExist"},
                {"key": "y", "operator": "Exists"}]})
        );
        assert_eq!(label_selector("<none>"), json!({"matchLabels": {}}));
        assert_eq!(pairs("<none>"), json!({}));
    }

    #[test]
    fn taints() {
        assert_eq!(taint("a/b=c:NoSchedule").unwrap()["value"], "c");
        assert_eq!(taint("a/b:NoExecute").unwrap(), json!({"key": "a/b", "effect": "NoExecute"}));
        assert_eq!(taint("<none>"), None);
    }
}
