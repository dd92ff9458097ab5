//! Whether an applied configuration fits its type, in the words of structured merge and diff.

use serde_json::Value;

use super::walk::place;
use crate::schema::{Relation, Type, View};

/// What does not fit, as `.spec.replica: field not declared in schema`.
pub(crate) fn check(view: View<'_>, value: &Value) -> Result<(), String> {
    let mut wrong = Vec::new();
    walk(view, value, &mut String::new(), &mut wrong);
    match wrong.as_slice() {
        [] => Ok(()),
        [one] => Err(one.clone()),
        many => {
            let lines: Vec<_> = many.iter().map(|line| format!("\n  {line}")).collect();
            Err(format!("errors:{}", lines.concat()))
        }
    }
}

fn walk(view: View<'_>, value: &Value, path: &mut String, wrong: &mut Vec<String>) {
    match (view.of, value) {
        (_, Value::Null) | (Type::Any | Type::Open, _) => {}
        (Type::Struct { .. } | Type::Map { .. }, Value::Object(map)) => {
            for (key, member) in map {
                let length = path.len();
                path.push_str(&format!(".{key}"));
                match view.member(key) {
                    Some(of) => walk(of, member, path, wrong),
                    None => wrong.push(format!("{path}: field not declared in schema")),
                }
                path.truncate(length);
            }
        }
        (Type::List(list), Value::Array(items)) => {
            let mut seen = Vec::new();
            for (index, item) in items.iter().enumerate() {
                let step = place(view, index, item);
                let length = path.len();
                path.push_str(&step.told());
                if list.relation != Relation::Atomic && seen.contains(&step) {
                    let outer = path.get(..length).unwrap_or_default();
                    let what = match list.relation {
                        Relation::Set => "duplicate entries for set",
                        _ => "duplicate entries for key",
                    };
                    wrong.push(format!("{outer}: {what} {}", step.told()));
                }
                seen.push(step);
                walk(view.to(&list.of), item, path, wrong);
                path.truncate(length);
            }
        }
        (Type::Struct { .. } | Type::Map { .. }, other) => {
            wrong.push(format!("{path}: expected map, got {}", told(other)));
        }
        (Type::List(_), other) => wrong.push(format!("{path}: expected list, got {}", told(other))),
        (Type::Int32 | Type::Int64 | Type::Double, Value::String(_)) => {
            wrong.push(format!("{path}: expected numeric (int or float), got string"));
        }
        (Type::Bool, other) if !other.is_boolean() => {
            wrong.push(format!("{path}: expected boolean, got {}", told(other)));
        }
        (Type::String | Type::Bytes, other) if !other.is_string() => {
            wrong.push(format!("{path}: expected string, got {}", told(other)));
        }
        _ => {}
    }
}

fn told(value: &Value) -> String {
    match value {
        Value::Object(_) => "map".into(),
        Value::Array(_) => "list".into(),
        Value::Bool(flag) => format!("&value.valueUnstructured{{{flag}}}"),
        other => format!("&{{{}}}", other.to_string().trim_matches('"')),
    }
}

/// The configuration with amounts and times in their stored form, and nothing added.
pub(crate) fn plain(view: View<'_>, value: &Value) -> Value {
    match (view.of, value) {
        (Type::Struct { .. } | Type::Map { .. }, Value::Object(map)) => {
            let members = map.iter().map(|(key, member)| {
                let told = view.member(key).map(|of| plain(of, member));
                (key.clone(), told.unwrap_or_else(|| member.clone()))
            });
            Value::Object(members.collect())
        }
        (Type::List(list), Value::Array(items)) => {
            items.iter().map(|item| plain(view.to(&list.of), item)).collect()
        }
        (Type::Quantity | Type::Time | Type::MicroTime, _) => {
            crate::schema::normal(view, value.clone())
        }
        _ => value.clone(),
    }
}
