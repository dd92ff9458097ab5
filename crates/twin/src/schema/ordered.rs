//! Objects as JSON with fields in the order of the server's own types, as it quotes them after a
//! patch: what the patch opened is sorted, the rest stands as it was written.

use serde_json::Value;

use super::protobuf::{MESSAGES, absolute, message_name};
use super::{Type, View};

/// Deeper parts are written with sorted fields.
const DEEPEST: usize = 60;

/// The text of a patched object. `opened` has a member for each member that the patch opened.
pub(crate) fn patched(view: View<'_>, value: &Value, opened: &Value) -> String {
    let mut text = String::new();
    write(Some(view), value, Some(opened), 0, &mut text);
    text
}

fn write(
    view: Option<View<'_>>,
    value: &Value,
    opened: Option<&Value>,
    depth: usize,
    out: &mut String,
) {
    let inner = |key: &str| opened.and_then(|o| o.get(key)).filter(|o| o.is_object());
    match value {
        _ if depth > DEEPEST => out.push_str(&value.to_string()),
        Value::Object(map) => {
            let mut keys: Vec<&String> = map.keys().collect();
            let order = view.filter(|_| opened.is_none()).map(order).unwrap_or_default();
            keys.sort_by_key(|key| order.iter().position(|known| known == *key));
            out.push('{');
            for (index, key) in keys.into_iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                out.push_str(&Value::from(key.as_str()).to_string());
                out.push(':');
                let Some(member) = map.get(key) else { continue };
                write(view.and_then(|v| v.member(key)), member, inner(key), depth + 1, out);
            }
            out.push('}');
        }
        Value::Array(list) => {
            out.push('[');
            for (index, item) in list.iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                let opened = inner(&index.to_string());
                write(view.and_then(View::element), item, opened, depth + 1, out);
            }
            out.push(']');
        }
        plain => out.push_str(&plain.to_string()),
    }
}

/// The names of a structure's fields in their order.
fn order(view: View<'_>) -> Vec<String> {
    let Type::Struct { .. } = view.of else { return Vec::new() };
    let Some(structure) = view.structure() else { return Vec::new() };
    let mut names = Vec::new();
    collect(&message_name(&structure.path), view, 0, &mut names);
    // The type of a whole object is in its envelope.
    for key in ["apiVersion", "kind"] {
        if !names.iter().any(|name| name == key) {
            names.insert(0, key.to_owned());
        }
    }
    names
}

/// Fields of a message; those of a part that JSON does not name stand in its place.
fn collect(message: &str, view: View<'_>, depth: usize, names: &mut Vec<String>) {
    let Some(fields) = MESSAGES.get(message).filter(|_| depth < 3) else { return };
    let mut fields: Vec<_> = fields.values().collect();
    fields.sort_by_key(|field| field.place);
    for field in fields {
        if view.member(&field.name).is_some() {
            names.push(field.name.clone());
        } else {
            collect(&absolute(message, &field.of), view, depth + 1, names);
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_a_patch_opened_is_sorted_and_the_rest_in_its_order() {
        let view = super::super::of_kind("v1", "Pod").unwrap();
        let pod = json!({
            "apiVersion": "v1", "kind": "Pod", "metadata": {"uid": "u", "name": "a"},
            "spec": {"restartPolicy": "Always", "containers": [{"image": "i", "name": "c"}]},
        });
        let check = |opened: Value, told: &str| assert_eq!(patched(view, &pod, &opened), told);
        let head = r#"{"apiVersion":"v1","kind":"Pod","metadata":{"name":"a","uid":"u"},"spec":"#;
        let ordered = r#"{"containers":[{"name":"c","image":"i"}],"restartPolicy":"Always"}}"#;
        check(json!({}), &format!("{head}{ordered}"));
        let sorted = r#"{"containers":[{"image":"i","name":"c"}],"restartPolicy":"Always"}}"#;
        check(json!({"spec": {"containers": {"0": {}}}}), &format!("{head}{sorted}"));
    }
}
