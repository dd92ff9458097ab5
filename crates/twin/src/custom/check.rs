//! Whether a custom object fits its schema, in the words of the real server.

use regex::Regex;
use serde_json::{Value, json};

use super::Custom;
use crate::registry::Cause;

/// Deeper objects are not looked into.
const DEEPEST: usize = 200;
/// No more refusals are told.
const MOST_CAUSES: usize = 1_000;
/// These leave the rules of the schema unasked.
const BLOCKING: [&str; 5] = [
    "FieldValueNotSupported",
    "FieldValueRequired",
    "FieldValueTooLong",
    "FieldValueTooMany",
    "FieldValueTypeInvalid",
];

impl Custom {
    /// What the object breaks, but for its metadata. `old`: what it was before.
    pub fn causes(&self, value: &Value, old: Option<&Value>) -> Vec<Cause> {
        let mut causes = Vec::new();
        if !self.structural.is_null() {
            check(&self.structural, value, "", 0, &mut causes);
            unique(&self.structural, value, "", 0, &mut causes);
        }
        if self.rules.is_empty() {
            return causes;
        }
        if causes.iter().any(|cause| BLOCKING.contains(&cause.reason)) {
            let why = "some validation rules were not checked because the object was invalid; \
                 correct the existing errors to complete validation";
            causes.push(Cause::invalid("<nil>", &Value::Null, why));
            return causes;
        }
        causes.extend(self.rules.causes(&self.structural, value, old));
        causes
    }
}

/// The path of a member.
pub(super) fn below(path: &str, key: &str) -> String {
    if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
}

fn word(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(n) if n.is_f64() => "number",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

fn is_of(value: &Value, kind: &str) -> bool {
    match (kind, value) {
        ("integer", Value::Number(n)) => n.as_f64().is_some_and(|f| f.fract() == 0.0),
        ("number", Value::Number(_)) => true,
        (kind, value) => word(value) == kind,
    }
}

fn check(schema: &Value, value: &Value, path: &str, depth: usize, causes: &mut Vec<Cause>) {
    if depth > DEEPEST || causes.len() > MOST_CAUSES {
        return;
    }
    let either = schema["x-kubernetes-int-or-string"] == true;
    let kinds: Vec<&str> = match schema["type"].as_str() {
        _ if either => vec!["integer", "string"],
        Some(kind) => vec![kind],
        None => Vec::new(),
    };
    if value.is_null() && schema["nullable"] == true {
        return;
    }
    if !kinds.is_empty() && !kinds.iter().any(|kind| is_of(value, kind)) {
        let (wanted, found) = (kinds.join(","), word(value));
        let why = format!("{path} in body must be of type {wanted}: {found:?}");
        let message = format!("Invalid value: {found:?}: {why}");
        causes.push(Cause::plain("FieldValueTypeInvalid", path, message));
        return;
    }
    enumeration(schema, value, path, causes);
    match value {
        Value::String(text) => string(schema, text, path, causes),
        Value::Number(_) => number(schema, value, path, causes),
        Value::Array(list) => {
            let length = list.len() as u64;
            if let Some(least) = schema["minItems"].as_u64().filter(|least| length < *least) {
                let why = format!("{path} in body should have at least {least} items");
                causes.push(Cause::invalid(path, &json!(length), &why));
            }
            if let Some(most) = schema["maxItems"].as_u64().filter(|most| length > *most) {
                causes.push(Cause::too_many(path, length, most));
            }
            for (index, item) in list.iter().enumerate() {
                check(&schema["items"], item, &format!("{path}[{index}]"), depth + 1, causes);
            }
        }
        Value::Object(map) => object(schema, map, path, depth, causes),
        _ => {}
    }
    combined(schema, value, path, depth, causes);
}

fn object(
    schema: &Value,
    map: &serde_json::Map<String, Value>,
    path: &str,
    depth: usize,
    causes: &mut Vec<Cause>,
) {
    let length = map.len() as u64;
    if let Some(least) = schema["minProperties"].as_u64().filter(|least| length < *least) {
        let why = format!("{path} in body should have at least {least} properties");
        causes.push(Cause::invalid(path, &json!(length), &why));
    }
    if let Some(most) = schema["maxProperties"].as_u64().filter(|most| length > *most) {
        causes.push(Cause::too_many(path, length, most));
    }
    for (key, member) in map {
        let of = schema["properties"].get(key);
        let of = of.or_else(|| schema.get("additionalProperties").filter(|of| of.is_object()));
        if let Some(of) = of {
            check(of, member, &below(path, key), depth + 1, causes);
        }
    }
    for key in schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str) {
        if map.get(key).is_none() {
            causes.push(Cause::required(&below(path, key)));
        }
    }
}

fn enumeration(schema: &Value, value: &Value, path: &str, causes: &mut Vec<Cause>) {
    let Some(known) = schema["enum"].as_array().filter(|known| !known.contains(value)) else {
        return;
    };
    let texts: Vec<String> = known
        .iter()
        .map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned))
        .collect();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    causes.push(Cause::unsupported(path, value, &texts));
}

fn string(schema: &Value, text: &str, path: &str, causes: &mut Vec<Cause>) {
    let length = text.chars().count() as u64;
    if let Some(most) = schema["maxLength"].as_u64().filter(|most| length > *most) {
        causes.push(Cause::too_long(path, usize::try_from(most).unwrap_or(usize::MAX)));
        return;
    }
    if let Some(least) = schema["minLength"].as_u64().filter(|least| length < *least) {
        let why = format!("{path} in body should be at least {least} chars long");
        causes.push(Cause::invalid(path, &text.into(), &why));
        return;
    }
    if let Some(pattern) = schema["pattern"].as_str()
        && Regex::new(pattern).is_ok_and(|regex| !regex.is_match(text))
    {
        let why = format!("{path} in body should match '{pattern}'");
        causes.push(Cause::invalid(path, &text.into(), &why));
    }
    if let Some(format) = schema["format"].as_str().filter(|format| !fits(format, text)) {
        let why = format!("{path} in body must be of type {format}: {text:?}");
        causes.push(Cause::invalid(path, &text.into(), &why));
    }
}

/// Formats that the server knows; all others take any text.
fn fits(format: &str, text: &str) -> bool {
    match format {
        "date-time" => text.parse::<model::Timestamp>().is_ok(),
        "date" => format!("{text}T00:00:00Z").parse::<model::Timestamp>().is_ok(),
        "ipv4" => text.parse::<std::net::Ipv4Addr>().is_ok(),
        "ipv6" => text.parse::<std::net::Ipv6Addr>().is_ok(),
        "cidr" => crate::kinds::validate::is_cidr(text),
        "byte" => crate::field::from_base64(text).is_some(),
        "uuid" => {
            let plain: String = text.chars().filter(|c| *c != '-').collect();
            plain.len() == 32 && plain.bytes().all(|b| b.is_ascii_hexdigit())
        }
        "duration" => {
            !text.is_empty() && text.starts_with(|c: char| c.is_ascii_digit() || c == '-')
        }
        _ => true,
    }
}

fn number(schema: &Value, value: &Value, path: &str, causes: &mut Vec<Cause>) {
    let Some(number) = value.as_f64() else { return };
    let mut refuse = |what: &str, bound: &Value| {
        let why = format!("{path} in body should be {what} {bound}");
        causes.push(Cause::invalid(path, value, &why));
    };
    if let Some(most) = schema["maximum"].as_f64() {
        match schema["exclusiveMaximum"] == true {
            true if number >= most => refuse("less than", &schema["maximum"]),
            false if number > most => refuse("less than or equal to", &schema["maximum"]),
            _ => {}
        }
    }
    if let Some(least) = schema["minimum"].as_f64() {
        match schema["exclusiveMinimum"] == true {
            true if number <= least => refuse("greater than", &schema["minimum"]),
            false if number < least => refuse("greater than or equal to", &schema["minimum"]),
            _ => {}
        }
    }
    if let Some(factor) = schema["multipleOf"].as_f64().filter(|factor| *factor > 0.0)
        && (number / factor).fract() != 0.0
    {
        refuse("a multiple of", &schema["multipleOf"]);
    }
}

/// `allOf`, `anyOf`, `oneOf`, `not`.
fn combined(schema: &Value, value: &Value, path: &str, depth: usize, causes: &mut Vec<Cause>) {
    let fits = |of: &Value| {
        let mut wrong = Vec::new();
        check(of, value, path, depth + 1, &mut wrong);
        wrong.is_empty()
    };
    let list = |key: &str| schema[key].as_array().map_or(&[][..], Vec::as_slice);
    let mut refuse = |why: &str| {
        let why = format!("{path:?} {why}");
        causes.push(Cause::invalid("", &"".into(), &why));
    };
    let any = list("anyOf");
    if !any.is_empty() && !any.iter().any(fits) {
        refuse("must validate at least one schema (anyOf)");
    }
    let one = list("oneOf");
    if !one.is_empty() {
        match one.iter().filter(|of| fits(of)).count() {
            1 => {}
            0 => refuse("must validate one and only one schema (oneOf). Found none valid"),
            n => refuse(&format!(
                "must validate one and only one schema (oneOf). Found {n} valid alternatives"
            )),
        }
    }
    if schema["not"].is_object() && fits(&schema["not"]) {
        refuse("must not validate the schema (not)");
    }
    for of in list("allOf") {
        check(of, value, path, depth + 1, causes);
    }
}

/// Elements of sets and keyed lists that come twice.
fn unique(schema: &Value, value: &Value, path: &str, depth: usize, causes: &mut Vec<Cause>) {
    if depth > DEEPEST || causes.len() > MOST_CAUSES {
        return;
    }
    match value {
        Value::Array(list) => {
            let keys = schema["x-kubernetes-list-map-keys"].as_array();
            let place = |item: &Value| -> Value {
                let keys = keys.into_iter().flatten().filter_map(Value::as_str);
                keys.filter_map(|key| Some((key.to_owned(), item.get(key)?.clone()))).collect()
            };
            let places: Vec<Value> = match schema["x-kubernetes-list-type"].as_str() {
                Some("set") => list.clone(),
                Some("map") => list.iter().map(place).collect(),
                _ => Vec::new(),
            };
            for (index, item) in places.iter().enumerate() {
                let before = places.iter().take(index).filter(|other| *other == item).count();
                if before == 1 {
                    causes.push(Cause::duplicate(&format!("{path}[{index}]"), item));
                }
            }
            for (index, item) in list.iter().enumerate() {
                unique(&schema["items"], item, &format!("{path}[{index}]"), depth + 1, causes);
            }
        }
        Value::Object(map) => {
            for (key, member) in map {
                if let Some(of) = schema["properties"].get(key) {
                    unique(of, member, &below(path, key), depth + 1, causes);
                } else if schema["additionalProperties"].is_object() {
                    let here = format!("{path}[{key}]");
                    unique(&schema["additionalProperties"], member, &here, depth + 1, causes);
                }
            }
        }
        _ => {}
    }
}
