//! What stands in an object where nothing was said: the fields that are always written.

use serde_json::{Map, Value};

use super::{Field, Type, View};

/// An object of this type in which nothing was said.
pub(crate) fn empty(view: View<'_>) -> Value {
    let mut map = Map::new();
    fill(view, &mut map);
    Value::Object(map)
}

/// Adds the fields that are always written.
pub(super) fn fill(view: View<'_>, map: &mut Map<String, Value>) {
    let Some(structure) = view.structure() else { return };
    for (key, field) in &structure.fields {
        if !map.contains_key(key)
            && let Some(value) = unsaid(view, field)
        {
            map.insert(key.clone(), value);
        }
    }
}

/// What a field holds when nothing was said, if it is written at all.
fn unsaid(view: View<'_>, field: &Field) -> Option<Value> {
    let is_structure = matches!(field.of, Type::Struct { .. });
    // The document of definitions states no defaults; what they require is always there.
    let stated = !view.structure().is_some_and(|s| s.path.contains("apiextensions"));
    let always = field.default.as_ref().is_some_and(Value::is_object);
    if is_structure && (always || field.required && !stated) {
        return Some(empty(view.to(&field.of)));
    }
    if matches!(field.of, Type::Time | Type::MicroTime) && !field.pointer {
        return Some(Value::Null);
    }
    if !field.required {
        return None;
    }
    Some(match &field.of {
        Type::String => "".into(),
        Type::Int32 | Type::Int64 | Type::Double => 0.into(),
        Type::Bool => false.into(),
        Type::IntOrString => 0.into(),
        Type::Quantity => "0".into(),
        _ => Value::Null,
    })
}

/// Stored lists know no difference between empty and nothing.
pub(crate) fn settle(view: View<'_>, value: &mut Value) {
    match value {
        Value::Object(map) => {
            let known = view.structure().is_some();
            for (key, member) in map {
                match view.member(key) {
                    Some(_) if known && *member == Value::Array(Vec::new()) => {
                        *member = Value::Null
                    }
                    Some(of) if member.is_object() || member.is_array() => settle(of, member),
                    _ => {}
                }
            }
        }
        Value::Array(list) => {
            if let Some(of) = view.element() {
                list.iter_mut().for_each(|item| settle(of, item));
            }
        }
        _ => {}
    }
}
