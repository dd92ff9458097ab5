//! Values that the API fills in where a manifest is silent, when it reads an object.
//!
//! Defaults belong to types, not to kinds: a probe gets its period wherever it stands. Plain
//! ones are rows of a table, those that depend on other fields are functions of `rules`.

mod rules;
mod table;

use serde_json::Value;

use crate::schema::{Type, View, at_least_milli};

/// Fills in the defaults of an object of this type.
pub(crate) fn fill(view: View<'_>, value: &mut Value) {
    if let Some(structure) = view.structure() {
        let name = structure.name.as_str();
        let rows = table::PLAIN.iter().filter(|(of, ..)| *of == name);
        if let Some(map) = value.as_object_mut() {
            for (_, key, text) in rows {
                let slot = map.entry(*key).or_insert(Value::Null);
                // Only what has a pointer can be said to be empty.
                let said = structure.fields.get(*key).is_some_and(|field| field.pointer);
                let nothing = *slot == 0 && !table::ZERO_IS_SAID.contains(key);
                if slot.is_null() || nothing || *slot == "" && !said {
                    *slot = serde_json::from_str(text).unwrap_or_default();
                }
            }
        }
        rules::apply(name, value);
    }
    match value {
        // Amounts of resources have no parts below thousandths.
        Value::Object(map) if is_amounts(view) => {
            for amount in map.values_mut() {
                if let Some(told) = amount.as_str().and_then(at_least_milli) {
                    *amount = told.into();
                }
            }
        }
        Value::Object(map) => {
            for (key, member) in map.iter_mut() {
                if let Some(of) = view.member(key).filter(|_| may_hold(member)) {
                    fill(of, member);
                }
            }
        }
        Value::Array(list) => {
            if let Some(of) = view.element() {
                list.iter_mut().for_each(|item| fill(of, item));
            }
        }
        _ => {}
    }
}

fn is_amounts(view: View<'_>) -> bool {
    matches!(view.of, Type::Map { of, .. } if **of == Type::Quantity)
}

/// Only structures have defaults inside.
fn may_hold(value: &Value) -> bool {
    value.is_object() || value.is_array()
}
