//! Writing Kubernetes' protobuf: objects in their JSON form become messages in an envelope, by
//! the same table that reads them.
//!
//! What the table does not know is an error, never left out silently.

use serde_json::Value;

use super::protobuf::{CRD_SCHEMA, MAGIC, MESSAGES, absolute, is_wrapper, message_name};
use super::{Type, View, of_kind, of_name};
use model::Timestamp;

const META: &str = "io.k8s.apimachinery.pkg.apis.meta.v1.";
/// Deeper objects are refused.
const DEEPEST: usize = 100;

/// The object in an envelope.
pub(crate) fn envelope(value: &Value) -> Result<Vec<u8>, String> {
    let text = |key: &str| value[key].as_str().unwrap_or_default();
    Ok(enclosed(text("apiVersion"), text("kind"), &raw(value)?))
}

/// A list of messages that are made already, in an envelope.
pub(crate) fn list<'m>(
    api_version: &str,
    kind: &str,
    metadata: &Value,
    items: impl Iterator<Item = &'m [u8]>,
) -> Result<Vec<u8>, String> {
    let mut raw = Vec::new();
    part(&mut raw, 1, "ListMeta", metadata)?;
    items.for_each(|item| bytes(&mut raw, 2, item));
    Ok(enclosed(api_version, kind, &raw))
}

/// The object as a message.
pub(crate) fn raw(value: &Value) -> Result<Vec<u8>, String> {
    let text = |key: &str| value[key].as_str().unwrap_or_default();
    let (api_version, kind) = (text("apiVersion"), text("kind"));
    let mut raw = Vec::new();
    match kind {
        "PartialObjectMetadata" => partial(value, &mut raw)?,
        "PartialObjectMetadataList" => {
            part(&mut raw, 1, "ListMeta", &value["metadata"])?;
            for item in value["items"].as_array().into_iter().flatten() {
                let mut one = Vec::new();
                partial(item, &mut one)?;
                bytes(&mut raw, 2, &one);
            }
        }
        _ => {
            let view = of_kind(api_version, kind).or_else(|| of_name(&format!("{META}{kind}")));
            let known = view.and_then(|view| Some((view, view.structure()?)));
            let (view, structure) =
                known.ok_or_else(|| format!("no message for {kind} of {api_version}"))?;
            message(&message_name(&structure.path), value, view, 0, &mut raw)?;
        }
    }
    Ok(raw)
}

/// A message in an envelope.
pub(crate) fn enclosed(api_version: &str, kind: &str, raw: &[u8]) -> Vec<u8> {
    let mut meta = Vec::new();
    bytes(&mut meta, 1, api_version.as_bytes());
    bytes(&mut meta, 2, kind.as_bytes());
    let mut out = Vec::with_capacity(raw.len() + 64);
    out.extend_from_slice(MAGIC);
    bytes(&mut out, 1, &meta);
    bytes(&mut out, 2, raw);
    // Encoding and type of the content, both empty.
    bytes(&mut out, 3, b"");
    bytes(&mut out, 4, b"");
    out
}

/// An event of a watch as a frame of the stream: its length, its type and the enveloped object.
pub(crate) fn frame(event: &Value) -> Result<Vec<u8>, String> {
    framed(event["type"].as_str().unwrap_or_default(), &envelope(&event["object"])?)
}

/// The frame of an event about an object that is in its envelope.
pub(crate) fn framed(kind: &str, object: &[u8]) -> Result<Vec<u8>, String> {
    let (mut inner, mut message) = (Vec::new(), Vec::new());
    bytes(&mut inner, 1, object);
    bytes(&mut message, 1, kind.as_bytes());
    bytes(&mut message, 2, &inner);
    let length = u32::try_from(message.len()).map_err(|_| "the event is too large")?;
    Ok([&length.to_be_bytes()[..], &message].concat())
}

/// Whether objects of a kind can be written at all: custom resources have no messages.
pub(crate) fn has_message(api_version: &str, kind: &str) -> bool {
    let structure = of_kind(api_version, kind).and_then(View::structure);
    structure.is_some_and(|s| MESSAGES.contains_key(&message_name(&s.path)))
}

fn partial(object: &Value, out: &mut Vec<u8>) -> Result<(), String> {
    part(out, 1, "ObjectMeta", &object["metadata"])
}

fn part(out: &mut Vec<u8>, tag: u64, name: &str, value: &Value) -> Result<(), String> {
    let path = format!("{META}{name}");
    let view = of_name(&path).ok_or_else(|| format!("no type {name}"))?;
    let mut inner = Vec::new();
    message(&message_name(&path), value, view, 0, &mut inner)?;
    bytes(out, tag, &inner);
    Ok(())
}

/// The fields of a message by their numbers.
fn message(
    name: &str,
    value: &Value,
    view: View<'_>,
    depth: usize,
    out: &mut Vec<u8>,
) -> Result<(), String> {
    if depth > DEEPEST {
        return Err("the object is too deep".into());
    }
    let fields = MESSAGES.get(name).ok_or_else(|| format!("unknown message {name}"))?;
    for (tag, field) in fields {
        let Some(of) = view.member(&field.name) else {
            // A part that JSON does not name: its fields stand beside the others.
            let inner_name = absolute(name, &field.of);
            if MESSAGES.contains_key(&inner_name) && !own_form(&inner_name) {
                let mut inner = Vec::new();
                message(&inner_name, value, view, depth + 1, &mut inner)?;
                if !inner.is_empty() {
                    bytes(out, *tag, &inner);
                }
            }
            continue;
        };
        let Some(value) = value.get(&field.name).filter(|value| !value.is_null()) else { continue };
        if let Some((_, kind)) = field.of.strip_prefix("map<").and_then(|m| m.split_once(',')) {
            let kind = kind.trim_end_matches('>');
            let Type::Map { of: typed, .. } = of.of else {
                return Err(format!("{name}: a map where the schema has none"));
            };
            for (key, value) in value.as_object().into_iter().flatten() {
                let mut entry = Vec::new();
                bytes(&mut entry, 1, key.as_bytes());
                single((name, kind, 2), value, view.to(typed), depth, &mut entry)?;
                bytes(out, *tag, &entry);
            }
            continue;
        }
        match of.of {
            Type::List(list) if !is_wrapper(name, &field.of) => {
                for value in value.as_array().into_iter().flatten() {
                    single((name, &field.of, *tag), value, of.to(&list.of), depth, out)?;
                }
            }
            _ => single((name, &field.of, *tag), value, of, depth, out)?,
        }
    }
    Ok(())
}

/// Messages whose JSON form is not a map of their fields.
fn own_form(name: &str) -> bool {
    let short = name.rsplit('.').next().unwrap_or_default();
    matches!(
        short,
        "Time" | "MicroTime" | "Quantity" | "IntOrString" | "FieldsV1" | "RawExtension" | "JSON"
    )
}

/// One value under its number.
fn single(
    (within, of, tag): (&str, &str, u64),
    value: &Value,
    view: View<'_>,
    depth: usize,
    out: &mut Vec<u8>,
) -> Result<(), String> {
    let wrong = || format!("{within}: {value} is no {of}");
    match of {
        "string" => bytes(out, tag, value.as_str().ok_or_else(wrong)?.as_bytes()),
        "bytes" => {
            let text = value.as_str().ok_or_else(wrong)?;
            bytes(out, tag, &crate::field::from_base64(text).ok_or_else(wrong)?);
        }
        "bool" => number(out, tag, u64::from(value.as_bool().ok_or_else(wrong)?)),
        "int32" | "int64" | "uint32" => {
            number(out, tag, value.as_i64().ok_or_else(wrong)?.cast_unsigned());
        }
        "double" => {
            varint(out, tag << 3 | 1);
            out.extend_from_slice(&value.as_f64().ok_or_else(wrong)?.to_le_bytes());
        }
        _ => {
            let mut inner = Vec::new();
            nested(&absolute(within, of), value, view, depth, &mut inner)?;
            bytes(out, tag, &inner);
        }
    }
    Ok(())
}

/// The content of a message.
fn nested(
    name: &str,
    value: &Value,
    view: View<'_>,
    depth: usize,
    out: &mut Vec<u8>,
) -> Result<(), String> {
    let short = name.rsplit('.').next().unwrap_or_default();
    let wrong = || format!("{value} is no {short}");
    match short {
        "Time" | "MicroTime" => {
            let at: Timestamp =
                value.as_str().and_then(|text| text.parse().ok()).ok_or_else(wrong)?;
            number(out, 1, at.seconds().cast_unsigned());
            let nanos = at.micros().rem_euclid(1_000_000) * 1000;
            number(out, 2, if short == "Time" { 0 } else { nanos.cast_unsigned() });
        }
        "Quantity" => {
            let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            bytes(out, 1, text.as_bytes());
        }
        "IntOrString" => match value.as_str() {
            Some(text) => {
                number(out, 1, 1);
                number(out, 2, 0);
                bytes(out, 3, text.as_bytes());
            }
            None => {
                number(out, 1, 0);
                number(out, 2, value.as_i64().ok_or_else(wrong)?.cast_unsigned());
                bytes(out, 3, b"");
            }
        },
        "FieldsV1" | "RawExtension" | "JSON" => bytes(out, 1, value.to_string().as_bytes()),
        "JSONSchemaPropsOrBool" | "JSONSchemaPropsOrArray" | "JSONSchemaPropsOrStringArray" => {
            either(short, value, depth, out)?;
        }
        _ => match value {
            Value::Object(_) => message(name, value, view, depth + 1, out)?,
            // A list that is a message: its only field is `items`.
            Value::Array(list) => {
                for item in list {
                    bytes(out, 1, item.as_str().ok_or_else(wrong)?.as_bytes());
                }
            }
            _ => return Err(wrong()),
        },
    }
    Ok(())
}

/// A schema, or what may stand in its place: yes or no, several schemas, names.
fn either(short: &str, value: &Value, depth: usize, out: &mut Vec<u8>) -> Result<(), String> {
    let view = of_name(CRD_SCHEMA).ok_or("no type for schemas")?;
    let schema = |value: &Value| -> Result<Vec<u8>, String> {
        let mut inner = Vec::new();
        message(&message_name(CRD_SCHEMA), value, view, depth + 1, &mut inner)?;
        Ok(inner)
    };
    match value {
        Value::Bool(allows) => number(out, 1, u64::from(*allows)),
        Value::Array(list) => {
            for item in list {
                match item.as_str() {
                    Some(name) => bytes(out, 2, name.as_bytes()),
                    None => bytes(out, 2, &schema(item)?),
                }
            }
        }
        Value::Object(_) if short == "JSONSchemaPropsOrBool" => {
            number(out, 1, 1);
            bytes(out, 2, &schema(value)?);
        }
        Value::Object(_) => bytes(out, 1, &schema(value)?),
        _ => return Err(format!("{value} is no schema")),
    }
    Ok(())
}

fn varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push((value & 0x7f) as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

fn number(out: &mut Vec<u8>, tag: u64, value: u64) {
    varint(out, tag << 3);
    varint(out, value);
}

fn bytes(out: &mut Vec<u8>, tag: u64, content: &[u8]) {
    varint(out, tag << 3 | 2);
    varint(out, content.len() as u64);
    out.extend_from_slice(content);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::protobuf::document;
    use serde_json::json;

    /// What is written is read back as it was.
    #[track_caller]
    fn check(value: Value) {
        let written = envelope(&value).unwrap();
        assert_eq!(Value::from(document(&written).unwrap()), value);
    }

    #[test]
    fn objects_come_back_as_they_were() {
        check(json!({
            "apiVersion": "apps/v1", "kind": "Deployment",
            "metadata": {
                "name": "a", "creationTimestamp": "2026-03-02T08:00:00Z", "generation": 0,
                "labels": {"a": "b", "c": ""},
                "managedFields": [{"manager": "m", "fieldsV1": {"f:spec": {".": {}}}}],
            },
            "spec": {
                "replicas": 0,
                "strategy": {"rollingUpdate": {"maxUnavailable": "25%", "maxSurge": 1}},
                "template": {"metadata": {}, "spec": {"containers": [{
                    "name": "c", "resources": {"limits": {"cpu": "500m"}},
                    "livenessProbe": {"httpGet": {"path": "/", "port": 80}, "periodSeconds": 3},
                }], "volumes": [{"name": "v", "emptyDir": {}}]}},
            },
        }));
        check(json!({
            "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
            "metadata": {"name": "a.b.c"},
            "spec": {"group": "b.c", "names": {"kind": "A", "plural": "a"}, "scope": "Cluster",
                "versions": [{"name": "v1", "served": true, "storage": true, "schema": {
                    "openAPIV3Schema": {"type": "object", "properties": {
                        "list": {
                            "type": "array", "items": {"type": "string"}, "maxItems": 3,
                            "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["a"],
                        },
                        "map": {"type": "object", "additionalProperties": {"type": "integer"}},
                        "open": {
                            "type": "object", "x-kubernetes-preserve-unknown-fields": true,
                            "additionalProperties": true, "default": {"a": [1]},
                        },
                        "port": {"x-kubernetes-int-or-string": true, "not": {"$ref": "x"}},
                    }, "x-kubernetes-validations": [{"rule": "true"}]},
                }}],
            },
        }));
        check(json!({
            "apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"},
            "data": {"a": "AQID", "b": "", "c": "/w=="},
        }));
        check(json!({
            "apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": {"name": "l"},
            "spec": {"renewTime": "2026-03-02T08:00:00.123456Z"},
        }));
        check(json!({
            "apiVersion": "v1", "kind": "PodList", "metadata": {"resourceVersion": "7"},
            "items": [{"metadata": {"name": "a"}}, {"metadata": {"name": "b"}}],
        }));
    }

    #[test]
    fn a_frame_says_its_length() {
        let pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a"}});
        let event = json!({"type": "ADDED", "object": pod});
        let frame = frame(&event).unwrap();
        assert_eq!(frame[..4], (u32::try_from(frame.len()).unwrap() - 4).to_be_bytes());
    }

    #[test]
    fn what_has_no_message_is_an_error() {
        assert!(envelope(&json!({"apiVersion": "v1", "kind": "Banana"})).is_err());
        assert!(
            envelope(&json!({
                "apiVersion": "v1", "kind": "Pod", "metadata": {"name": 3},
            }))
            .is_err()
        );
        assert!(!has_message("example.com/v1", "Pod") && has_message("v1", "Pod"));
    }
}
