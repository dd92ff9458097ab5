//! Reading a custom object: what its schema does not know is dropped and named, what is silent
//! gets its defaults. Values keep the form in which they were written.

use serde_json::{Map, Value};

use super::Custom;
use crate::schema::{self, Decoded, Raw};

/// Deeper documents are kept as they are.
const DEEPEST: usize = 200;

impl Custom {
    /// Reads a document. The error is the reader's message.
    pub fn decode(&self, raw: Raw) -> Result<Decoded, String> {
        let mut remarks = Vec::new();
        repeated(&raw, &mut String::new(), &mut remarks);
        let mut value = Value::from(raw);
        if let Some(metadata) = value.get_mut("metadata") {
            *metadata = read_metadata(metadata.take(), &mut remarks)?;
        }
        let mut unknown = Vec::new();
        self.prune(&mut value, &mut unknown);
        unknown.sort();
        remarks.extend(unknown.into_iter().map(|path| format!("unknown field {path:?}")));
        Ok(Decoded { value, remarks })
    }

    /// The object in its stored form with the defaults of its schema.
    pub fn complete(&self, mut value: Value) -> Result<Value, String> {
        if let Some(metadata) = value.get_mut("metadata") {
            *metadata = read_metadata(metadata.take(), &mut Vec::new())?;
        }
        self.prune(&mut value, &mut Vec::new());
        default(&self.structural, &mut value, 0);
        Ok(value)
    }

    /// Drops what the schema does not know and notes the paths.
    fn prune(&self, value: &mut Value, dropped: &mut Vec<String>) {
        if self.structural.is_null() {
            return;
        }
        let Some(map) = value.as_object_mut() else { return };
        let kept: Vec<_> = ["apiVersion", "kind", "metadata"]
            .into_iter()
            .filter_map(|key| map.remove_entry(key))
            .collect();
        prune(&self.structural, value, &mut String::new(), dropped);
        if let Some(map) = value.as_object_mut() {
            map.extend(kept);
        }
    }
}

fn read_metadata(metadata: Value, remarks: &mut Vec<String>) -> Result<Value, String> {
    let Some(view) = schema::of_metadata() else { return Ok(metadata) };
    let decoded = schema::decode(view, Raw::from(metadata))?;
    let own = decoded.remarks.iter().map(|text| text.replacen("field \"", "field \"metadata.", 1));
    remarks.extend(own);
    Ok(decoded.value)
}

/// Notes members that come twice.
fn repeated(raw: &Raw, path: &mut String, remarks: &mut Vec<String>) {
    match raw {
        Raw::Map(members) => {
            let mut seen: Vec<&str> = Vec::new();
            for (key, member) in members {
                let length = path.len();
                push(path, key);
                if seen.contains(&key.as_str()) {
                    remarks.push(format!("duplicate field {path:?}"));
                }
                seen.push(key);
                repeated(member, path, remarks);
                path.truncate(length);
            }
        }
        Raw::List(items) => {
            for (index, item) in items.iter().enumerate() {
                let length = path.len();
                path.push_str(&format!("[{index}]"));
                repeated(item, path, remarks);
                path.truncate(length);
            }
        }
        _ => {}
    }
}

fn push(path: &mut String, key: &str) {
    if !path.is_empty() {
        path.push('.');
    }
    path.push_str(key);
}

/// A member's schema; `None` if it has none.
fn member<'s>(schema: &'s Value, key: &str) -> Option<&'s Value> {
    let named = schema["properties"].get(key);
    named.or_else(|| schema.get("additionalProperties").filter(|of| of.is_object()))
}

fn prune(schema: &Value, value: &mut Value, path: &mut String, dropped: &mut Vec<String>) {
    if path.len() > 64 * DEEPEST {
        return;
    }
    match value {
        Value::Object(map) => {
            let preserves = schema["x-kubernetes-preserve-unknown-fields"] == true
                || schema["additionalProperties"] == true;
            let embedded = schema["x-kubernetes-embedded-resource"] == true;
            let mut kept = Map::new();
            for (key, mut below) in std::mem::take(map) {
                let length = path.len();
                push(path, &key);
                let typed = embedded && ["apiVersion", "kind", "metadata"].contains(&key.as_str());
                match member(schema, &key) {
                    _ if typed => {
                        if key == "metadata" {
                            embedded_metadata(&mut below, path, dropped);
                        }
                        kept.insert(key, below);
                    }
                    Some(of) => {
                        prune(of, &mut below, path, dropped);
                        // Nothing is the same as not said, unless the schema allows it.
                        if !(below.is_null() && of["nullable"] != true && !is_open(of)) {
                            kept.insert(key, below);
                        }
                    }
                    None if preserves => drop(kept.insert(key, below)),
                    None => dropped.push(path.clone()),
                }
                path.truncate(length);
            }
            *map = kept;
        }
        Value::Array(list) => {
            for (index, item) in list.iter_mut().enumerate() {
                let length = path.len();
                path.push_str(&format!("[{index}]"));
                prune(&schema["items"], item, path, dropped);
                path.truncate(length);
            }
        }
        _ => {}
    }
}

/// Metadata of an object inside another is as typed as that of the outer one.
fn embedded_metadata(value: &mut Value, path: &str, dropped: &mut Vec<String>) {
    let Some(view) = schema::of_metadata().filter(|_| value.is_object()) else { return };
    // What does not read is for the validation to tell.
    let Ok(decoded) = schema::decode(view, Raw::from(value.clone())) else { return };
    *value = decoded.value;
    let named = decoded.remarks.iter().filter_map(|remark| remark.split('"').nth(1));
    dropped.extend(named.map(|field| format!("{path}.{field}")));
}

fn is_open(schema: &Value) -> bool {
    schema["x-kubernetes-preserve-unknown-fields"] == true && schema.get("type").is_none()
}

fn default(schema: &Value, value: &mut Value, depth: usize) {
    if depth > DEEPEST {
        return;
    }
    match value {
        Value::Object(map) => {
            for (key, of) in schema["properties"].as_object().into_iter().flatten() {
                let Some(given) = of.get("default") else { continue };
                let unsaid = match map.get(key) {
                    None => true,
                    Some(found) => found.is_null() && of["nullable"] != true,
                };
                if unsaid {
                    map.insert(key.clone(), given.clone());
                }
            }
            for (key, below) in map.iter_mut() {
                if let Some(of) = member(schema, key) {
                    default(of, below, depth + 1);
                }
            }
        }
        Value::Array(list) => {
            list.iter_mut().for_each(|item| default(&schema["items"], item, depth + 1));
        }
        _ => {}
    }
}
