//! Whole structures as refusals quote them: in the words of the server's own types, with every
//! field in its order and nothing for what is not said.
//!
//! The order and the names are a derived table; here is only how a value is written by it.

use std::sync::LazyLock;

use serde_json::{Map, Value, json};

use crate::schema::unpacked;

static TYPES: LazyLock<Value> =
    LazyLock::new(|| unpacked(include_bytes!("../../../data/internal.json.gz")));

/// Deeper structures are written as null.
const DEEPEST: usize = 40;

/// A value of a type (`@core.PodSpec`, `[@core.Toleration`) on one line.
pub(crate) fn internal(of: &str, value: &Value) -> String {
    let mut writer = Writer { text: String::new(), lines: false };
    writer.value(of, value, 0);
    writer.text
}

/// What differs between two values of a type, as a patch.
pub(super) fn difference(of: &str, old: &Value, new: &Value) -> String {
    let lines = |value: &Value| -> Vec<String> {
        let mut writer = Writer { text: String::new(), lines: true };
        writer.value(of, value, 0);
        writer.text.lines().map(|line| format!("{line}\n")).collect()
    };
    super::difference::unified(&lines(old), &lines(new))
}

struct Writer {
    text: String,
    /// One member a line.
    lines: bool,
}

impl Writer {
    fn value(&mut self, of: &str, value: &Value, depth: usize) {
        let (first, rest) = of.split_at_checked(1).unwrap_or(("", ""));
        match (first, value) {
            _ if depth > DEEPEST => self.text.push_str("null"),
            ("*", Value::Null) => self.text.push_str("null"),
            ("*", value) => self.value(rest, value, depth),
            ("[", Value::Array(list)) if !list.is_empty() => self.list(rest, list, depth),
            ("{", Value::Object(map)) if !map.is_empty() => self.map(rest, map, depth),
            ("[" | "{", _) => self.text.push_str("null"),
            ("@", value) => self.structure(rest, value, depth),
            ("s", Value::Null) => self.text.push_str("\"\""),
            ("i" | "x", Value::Null) => self.text.push('0'),
            ("q", Value::Null) => self.text.push_str("\"0\""),
            ("b", Value::Null) => self.text.push_str("false"),
            (_, value) => self.text.push_str(&escaped(value)),
        }
    }

    fn list(&mut self, of: &str, list: &[Value], depth: usize) {
        self.text.push('[');
        for (index, item) in list.iter().enumerate() {
            self.separate(index, depth + 1);
            self.value(of, item, depth + 1);
        }
        self.close(']', depth);
    }

    fn map(&mut self, of: &str, map: &Map<String, Value>, depth: usize) {
        self.text.push('{');
        for (index, (key, member)) in map.iter().enumerate() {
            self.key(key, index, depth);
            self.value(of, member, depth + 1);
        }
        self.close('}', depth);
    }

    fn structure(&mut self, name: &str, value: &Value, depth: usize) {
        let rearranged = (name == "core.PodSpec").then(|| pod_spec(value));
        let value = rearranged.as_ref().unwrap_or(value);
        // Templates have their metadata's fields as their own.
        let meta = value.get("metadata").unwrap_or(&Value::Null);
        self.text.push('{');
        let mut index = 0;
        for field in TYPES[name].as_array().into_iter().flatten() {
            let (key, of) = (field[0].as_str().unwrap_or_default(), field[1].as_str());
            let own = found(value, key);
            let member = if own.is_null() { found(meta, key) } else { own };
            if field.get(2).is_some() && is_nothing(member) {
                continue;
            }
            self.key(key, index, depth);
            self.value(of.unwrap_or_default(), member, depth + 1);
            index += 1;
        }
        if index == 0 {
            self.text.push('}');
        } else {
            self.close('}', depth);
        }
    }

    fn key(&mut self, key: &str, index: usize, depth: usize) {
        self.separate(index, depth + 1);
        self.text.push_str(&escaped(&key.into()));
        self.text.push_str(if self.lines { ": " } else { ":" });
    }

    fn separate(&mut self, index: usize, depth: usize) {
        if index > 0 {
            self.text.push(',');
        }
        self.line(depth);
    }

    fn close(&mut self, sign: char, depth: usize) {
        self.line(depth);
        self.text.push(sign);
    }

    fn line(&mut self, depth: usize) {
        if self.lines {
            self.text.push('\n');
            self.text.push_str(&" ".repeat(depth));
        }
    }
}

/// The member whose name is the same but for capitals.
fn found<'v>(value: &'v Value, key: &str) -> &'v Value {
    let Some(map) = value.as_object() else { return &Value::Null };
    let same = |(name, _): &(&String, &Value)| name.eq_ignore_ascii_case(key);
    map.iter().find(same).map_or(&Value::Null, |(_, member)| member)
}

fn is_nothing(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => true,
        Value::String(text) => text.is_empty(),
        Value::Array(list) => list.is_empty(),
        Value::Object(map) => map.is_empty(),
        _ => false,
    }
}

/// Inside the server the use of the host stands in the pod's security context.
fn pod_spec(spec: &Value) -> Value {
    let mut spec = spec.clone();
    let moved = ["hostNetwork", "hostPID", "hostIPC", "shareProcessNamespace", "hostUsers"];
    let Some(map) = spec.as_object_mut() else { return spec };
    let moved: Vec<_> = moved.into_iter().filter_map(|key| map.remove_entry(key)).collect();
    let context = map.entry("securityContext").or_insert_with(|| json!({}));
    if let Some(context) = context.as_object_mut() {
        context.extend(moved);
    }
    spec
}

/// JSON as the server writes it: signs of markup are escaped.
pub(crate) fn escaped(value: &Value) -> String {
    let text = value.to_string();
    if !text.contains(['<', '>', '&']) {
        return text;
    }
    text.replace('&', "\\u0026").replace('<', "\\u003c").replace('>', "\\u003e")
}
