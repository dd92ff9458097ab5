//! Whether a document fits its type, in the words of the reader that strategic merge patches go
//! through: another one than that of requests.

use serde_json::Value;

use super::{Type, View};

/// The first part that does not fit.
pub(crate) fn check(view: View<'_>, value: &Value) -> Result<(), String> {
    match (view.of, value) {
        (_, Value::Null) => Ok(()),
        (Type::Struct { .. } | Type::Map { .. }, Value::Object(map)) => {
            let mut members =
                map.iter().filter_map(|(key, member)| Some((view.member(key)?, member)));
            members.try_for_each(|(of, member)| check(of, member))
        }
        (Type::List(list), Value::Array(items)) => {
            items.iter().try_for_each(|item| check(view.to(&list.of), item))
        }
        (Type::Struct { .. }, other) => Err(format!("cannot restore struct from: {}", word(other))),
        (Type::Map { .. }, other) => Err(format!("cannot restore map from {}", word(other))),
        (Type::List(_), other) => Err(format!("cannot restore slice from {}", word(other))),
        (Type::String, Value::Number(_)) => {
            Err(format!("cannot convert {} to string", word(value)))
        }
        (Type::Int32 | Type::Int64, Value::Number(number)) if !number.is_f64() => Ok(()),
        (Type::Int32 | Type::Int64, Value::Number(_)) => {
            Err(format!("cannot convert float64 to {}", plain(view.of)))
        }
        (Type::String, Value::String(_)) | (Type::Bool, Value::Bool(_)) => Ok(()),
        (Type::String | Type::Bool | Type::Int32 | Type::Int64, _) => {
            Err(format!("unrecognized type: {}", plain(view.of)))
        }
        _ => Ok(()),
    }
}

/// What a value is called there.
fn word(value: &Value) -> &'static str {
    match value {
        Value::Null => "nil",
        Value::Bool(_) => "bool",
        Value::Number(number) if number.is_f64() => "float64",
        Value::Number(_) => "int64",
        Value::String(_) => "string",
        Value::Array(_) => "slice",
        Value::Object(_) => "map",
    }
}

fn plain(of: &Type) -> &'static str {
    match of {
        Type::Int32 => "int32",
        Type::Int64 => "int64",
        Type::Bool => "bool",
        _ => "string",
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_does_not_fit_is_told_in_the_other_readers_words() {
        let view = super::super::of_kind("apps/v1", "Deployment").unwrap();
        for (spec, why) in [
            (json!({"replicas": "three"}), "unrecognized type: int32"),
            (json!({"replicas": 1.5}), "cannot convert float64 to int32"),
            (json!({"paused": "x"}), "unrecognized type: bool"),
            (json!({"template": {"metadata": {"labels": ["x"]}}}), "cannot restore map from slice"),
            (json!({"template": {"metadata": {"name": 5}}}), "cannot convert int64 to string"),
            (json!({"template": {"spec": {"containers": {}}}}), "cannot restore slice from map"),
            (json!({"strategy": "x"}), "cannot restore struct from: string"),
        ] {
            assert_eq!(check(view, &json!({"spec": spec})), Err(why.to_owned()));
        }
        assert_eq!(check(view, &json!({"spec": {"replicas": 3}})), Ok(()));
    }
}
