//! Reading Kubernetes' protobuf: the envelope and messages by their field numbers, into the JSON
//! form that everything else reads.
//!
//! A message that is not in the table is an error, never an empty object.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use super::wire::{Item, Wire, utf8};
use super::{Raw, Type, View, load, of_kind, of_name};
use model::Timestamp;

pub(super) const MAGIC: &[u8] = b"k8s\0";
const PACKED: &[u8] = include_bytes!("../../data/messages.json.gz");
/// The schemas of definitions, which refer to themselves in ways that no other message does.
const SCHEMA: &str = ".JSONSchemaProps";
pub(super) const CRD_SCHEMA: &str =
    "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaProps";
/// Deeper messages are refused.
const DEEPEST: usize = 100;

/// A field of a message: its name and its type.
pub(super) struct Field {
    pub name: String,
    pub of: String,
    /// Where it stands among the fields of its message.
    pub place: usize,
}

pub(super) static MESSAGES: LazyLock<BTreeMap<String, BTreeMap<u64, Field>>> =
    LazyLock::new(|| {
        let table = load::unpacked(PACKED);
        let rows = table.as_object().into_iter().flatten();
        let read = rows.map(|(name, fields)| {
            let fields = fields.as_array().into_iter().flatten();
            let fields = fields.enumerate().filter_map(|(place, field)| {
                let text = |at: usize| Some(field.get(at)?.as_str()?.to_owned());
                let field_name = json_name(name, text(1)?);
                Some((field.get(0)?.as_u64()?, Field { name: field_name, of: text(2)?, place }))
            });
            (name.clone(), fields.collect())
        });
        read.collect()
    });

/// What JSON calls a field: schemas have names that no message may have, and some messages
/// keep the capitals of another language.
fn json_name(message: &str, field: String) -> String {
    match field.as_str() {
        "schema" | "ref" if message.ends_with(SCHEMA) => format!("${field}"),
        "uID" => "uid".to_owned(),
        "aPIGroup" => "apiGroup".to_owned(),
        "Expression" | "Name" | "Webhooks" => field.to_lowercase(),
        other if other.starts_with("xKubernetes") => {
            let parts = other.chars().flat_map(|letter| {
                let dash = letter.is_ascii_uppercase().then_some('-');
                dash.into_iter().chain([letter.to_ascii_lowercase()])
            });
            parts.collect()
        }
        _ => field,
    }
}

/// The object in an envelope.
pub(crate) fn document(bytes: &[u8]) -> Result<Raw, String> {
    let body = bytes.strip_prefix(MAGIC).ok_or(
        "provided data does not appear to be a protobuf \
         message, expected prefix [107 56 115 0]",
    )?;
    let (mut api_version, mut kind, mut raw) = (String::new(), String::new(), &[][..]);
    for (tag, value) in Wire(body).fields()? {
        match (tag, value) {
            (1, Item::Bytes(meta)) => {
                for (tag, value) in Wire(meta).fields()? {
                    match (tag, value) {
                        (1, Item::Bytes(text)) => api_version = utf8(text)?,
                        (2, Item::Bytes(text)) => kind = utf8(text)?,
                        _ => {}
                    }
                }
            }
            (2, Item::Bytes(bytes)) => raw = bytes,
            _ => {}
        }
    }
    let view = of_kind(&api_version, &kind)
        .or_else(|| of_name(&format!("io.k8s.apimachinery.pkg.apis.meta.v1.{kind}")))
        .ok_or_else(|| format!("no kind {kind:?} is registered for version {api_version:?}"))?;
    let name = view.structure().map(|s| message_name(&s.path)).unwrap_or_default();
    let mut members = vec![
        ("apiVersion".to_owned(), Raw::String(api_version)),
        ("kind".to_owned(), Raw::String(kind)),
    ];
    read(&name, raw, view, 0, &mut members)?;
    Ok(Raw::Map(members))
}

/// `io.k8s.api.core.v1.Pod` is the message `api.core.v1.Pod`.
pub(super) fn message_name(path: &str) -> String {
    path.trim_start_matches("io.k8s.").replace('-', "_")
}

/// Reads a message's fields into `members`; a part that JSON does not name is read in place.
fn read(
    name: &str,
    bytes: &[u8],
    view: View<'_>,
    depth: usize,
    members: &mut Vec<(String, Raw)>,
) -> Result<(), String> {
    if depth > DEEPEST {
        return Err("the message is too deep".into());
    }
    let message = MESSAGES.get(name).ok_or_else(|| format!("unknown message {name}"))?;
    for (tag, item) in Wire(bytes).fields()? {
        let field = message.get(&tag).ok_or_else(|| format!("{name} has no field {tag}"))?;
        let Some(of) = view.member(&field.name) else {
            if let Item::Bytes(part) = item {
                let inner = absolute(name, &field.of);
                read(&inner, part, view, depth + 1, members)?;
            }
            continue;
        };
        let known = members.iter().position(|(key, _)| *key == field.name);
        if let Some((_, value)) = field.of.strip_prefix("map<").and_then(|m| m.split_once(',')) {
            let value = value.trim_end_matches('>');
            let entry = entry(name, value, item, of, depth)?;
            match known.and_then(|at| members.get_mut(at)) {
                Some((_, Raw::Map(map))) => map.push(entry),
                _ => members.push((field.name.clone(), Raw::Map(vec![entry]))),
            }
            continue;
        }
        if let Type::List(list) = of.of
            && !is_wrapper(name, &field.of)
        {
            let mut values = repeated(name, &field.of, item, of.to(&list.of), depth)?;
            match known.and_then(|at| members.get_mut(at)) {
                Some((_, Raw::List(all))) => all.append(&mut values),
                _ => members.push((field.name.clone(), Raw::List(values))),
            }
            continue;
        }
        let value = value(name, &field.of, item, of, depth)?;
        members.push((field.name.clone(), value));
    }
    Ok(())
}

/// A message that stands for a list: its only field is `items`.
pub(super) fn is_wrapper(within: &str, of: &str) -> bool {
    let message = MESSAGES.get(&absolute(within, of));
    message.is_some_and(|m| m.len() == 1 && m.values().all(|f| f.name == "items"))
}

pub(super) fn absolute(within: &str, of: &str) -> String {
    match of.strip_prefix('.') {
        Some(full) => full.to_owned(),
        None => match within.rsplit_once('.') {
            Some((package, _)) => format!("{package}.{of}"),
            None => of.to_owned(),
        },
    }
}

fn entry(
    within: &str,
    of: &str,
    item: Item<'_>,
    view: View<'_>,
    depth: usize,
) -> Result<(String, Raw), String> {
    let Type::Map { of: typed, .. } = view.of else {
        return Err(format!("{within}: a map where the schema has none"));
    };
    let Item::Bytes(bytes) = item else { return Err(format!("{within}: a map entry is broken")) };
    let (mut key, mut found) = (String::new(), None);
    for (tag, item) in Wire(bytes).fields()? {
        match (tag, item) {
            (1, Item::Bytes(text)) => key = utf8(text)?,
            (2, item) => found = Some(value(within, of, item, view.to(typed), depth)?),
            _ => {}
        }
    }
    // An entry without a value holds the empty one.
    let empty = || value(within, of, Item::Bytes(&[]), view.to(typed), depth);
    Ok((key, found.map_or_else(empty, Ok)?))
}

/// One or, packed, several values of a repeated field.
fn repeated(
    within: &str,
    of: &str,
    item: Item<'_>,
    view: View<'_>,
    depth: usize,
) -> Result<Vec<Raw>, String> {
    if let (Item::Bytes(packed), "int32" | "int64" | "bool") = (item, of) {
        let mut rest = Wire(packed);
        let mut all = Vec::new();
        while !rest.0.is_empty() {
            let number = rest.varint()?;
            all.push(value(within, of, Item::Number(number), view, depth)?);
        }
        return Ok(all);
    }
    Ok(vec![value(within, of, item, view, depth)?])
}

fn value(
    within: &str,
    of: &str,
    item: Item<'_>,
    view: View<'_>,
    depth: usize,
) -> Result<Raw, String> {
    match (of, item) {
        ("string", Item::Bytes(text)) => utf8(text).map(Raw::String),
        ("bytes", Item::Bytes(bytes)) => Ok(Raw::String(crate::field::base64(bytes))),
        ("bool", Item::Number(number)) => Ok(Raw::Bool(number != 0)),
        ("int32" | "int64" | "uint32", Item::Number(number)) => {
            Ok(Raw::Number(number.cast_signed().into()))
        }
        ("double", Item::Fixed(bits)) => {
            let number = serde_json::Number::from_f64(f64::from_bits(bits));
            Ok(number.map_or(Raw::Null, Raw::Number))
        }
        (of, Item::Bytes(bytes)) => message(&absolute(within, of), bytes, view, depth),
        _ => Err(format!("{within}: a field of type {of} is broken")),
    }
}

fn message(name: &str, bytes: &[u8], view: View<'_>, depth: usize) -> Result<Raw, String> {
    let short = name.rsplit('.').next().unwrap_or_default();
    let number = |tag: u64| -> Result<i64, String> {
        let fields = Wire(bytes).fields()?;
        let found = fields.into_iter().find_map(|(t, item)| match item {
            Item::Number(number) if t == tag => Some(number.cast_signed()),
            _ => None,
        });
        Ok(found.unwrap_or(0))
    };
    let part = |tag: u64| -> Result<&[u8], String> {
        let fields = Wire(bytes).fields()?;
        let found = fields.into_iter().find_map(|(t, item)| match item {
            Item::Bytes(bytes) if t == tag => Some(bytes),
            _ => None,
        });
        Ok(found.unwrap_or(&[]))
    };
    match short {
        "Time" | "MicroTime" if bytes.is_empty() => Ok(Raw::Null),
        "Time" => Ok(Raw::String(Timestamp::from_seconds(number(1)?).to_string())),
        "MicroTime" => {
            let micros = number(1)?.saturating_mul(1_000_000).saturating_add(number(2)? / 1000);
            Ok(Raw::String(crate::field::micro_time(Timestamp::from_micros(micros))))
        }
        "Quantity" => match utf8(part(1)?)? {
            text if text.is_empty() => Ok(Raw::String("0".into())),
            text => Ok(Raw::String(text)),
        },
        "IntOrString" if number(1)? == 1 => utf8(part(3)?).map(Raw::String),
        "IntOrString" => Ok(Raw::Number(number(2)?.into())),
        "FieldsV1" | "RawExtension" | "JSON" => {
            serde_json::from_slice(part(1)?).map_err(|error| format!("{name}: {error}"))
        }
        "JSONSchemaPropsOrBool" | "JSONSchemaPropsOrArray" | "JSONSchemaPropsOrStringArray" => {
            either(short, bytes, depth)
        }
        _ if matches!(view.of, Type::List(_)) => {
            let mut items = Vec::new();
            for (_, item) in Wire(bytes).fields()? {
                if let (Item::Bytes(text), Type::List(_)) = (item, view.of) {
                    items.push(Raw::String(utf8(text)?));
                }
            }
            Ok(Raw::List(items))
        }
        _ => {
            let mut members = Vec::new();
            read(name, bytes, view, depth + 1, &mut members)?;
            if name.ends_with(SCHEMA) {
                // What is not said is told as nothing, at every depth.
                members.retain(|(_, value)| !is_nothing(value));
            }
            Ok(Raw::Map(members))
        }
    }
}

fn is_nothing(value: &Raw) -> bool {
    match value {
        Raw::String(text) => text.is_empty(),
        Raw::Bool(flag) => !flag,
        _ => false,
    }
}

/// A schema, or what may stand in its place: yes or no, several schemas, names.
fn either(short: &str, bytes: &[u8], depth: usize) -> Result<Raw, String> {
    let view = of_name(CRD_SCHEMA).ok_or("no type for schemas")?;
    let (mut allows, mut all) = (false, Vec::new());
    for (tag, item) in Wire(bytes).fields()? {
        let is_schema = (tag == 1) != (short == "JSONSchemaPropsOrBool");
        match item {
            Item::Number(number) => allows = number != 0,
            Item::Bytes(text) if tag == 2 && short == "JSONSchemaPropsOrStringArray" => {
                all.push(Raw::String(utf8(text)?));
            }
            Item::Bytes(schema) => {
                let schema = message(&message_name(CRD_SCHEMA), schema, view, depth + 1)?;
                if is_schema {
                    return Ok(schema);
                }
                all.push(schema);
            }
            Item::Fixed(_) => return Err(format!("{short} is broken")),
        }
    }
    Ok(if short == "JSONSchemaPropsOrBool" { Raw::Bool(allows) } else { Raw::List(all) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn bytes(tag: u8, body: &[u8]) -> Vec<u8> {
        let length = u8::try_from(body.len()).unwrap();
        [&[tag << 3 | 2, length], body].concat()
    }

    fn envelope(version: &str, kind: &str, body: &[u8]) -> Vec<u8> {
        let meta = [bytes(1, version.as_bytes()), bytes(2, kind.as_bytes())].concat();
        [MAGIC.to_vec(), bytes(1, &meta), bytes(2, body)].concat()
    }

    #[test]
    fn a_pod_is_read_with_its_volumes_in_place() {
        let meta = [bytes(1, b"a"), bytes(11, &[bytes(1, b"k"), bytes(2, b"v")].concat())].concat();
        let port = [&[3 << 3, 80][..], &bytes(4, b"TCP")].concat();
        let limits = [bytes(1, b"cpu"), bytes(2, &bytes(1, b"500m"))].concat();
        let container =
            [bytes(1, b"c"), bytes(2, b"image"), bytes(6, &port), bytes(8, &bytes(1, &limits))]
                .concat();
        let volume = [bytes(1, b"v"), bytes(2, &bytes(2, b""))].concat();
        let spec = [bytes(1, &volume), bytes(2, &container), vec![4 << 3, 30]].concat();
        let pod = [bytes(1, &meta), bytes(2, &spec)].concat();
        let read = serde_json::Value::from(document(&envelope("v1", "Pod", &pod)).unwrap());
        let wanted = json!({
            "apiVersion": "v1", "kind": "Pod",
            "metadata": {"name": "a", "labels": {"k": "v"}},
            "spec": {
                "volumes": [{"name": "v", "emptyDir": {}}],
                "containers": [{
                    "name": "c", "image": "image",
                    "ports": [{"containerPort": 80, "protocol": "TCP"}],
                    "resources": {"limits": {"cpu": "500m"}},
                }],
                "terminationGracePeriodSeconds": 30,
            },
        });
        assert_eq!(read, wanted);
    }

    #[test]
    fn what_is_unknown_or_broken_is_an_error() {
        assert!(document(b"{}").is_err());
        assert!(document(&envelope("v1", "Banana", b"")).is_err());
        assert!(document(&envelope("v1", "Pod", &[0xff])).is_err());
        assert!(document(&envelope("v1", "Pod", &bytes(15, b""))).is_err());
        assert!(document(&envelope("v1", "Pod", &[2 << 3 | 2, 0x7f, 0])).is_err());
    }
}
