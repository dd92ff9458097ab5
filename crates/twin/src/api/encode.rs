//! The forms in which objects are told: as they are, as a Table, as metadata only.

use bytes::Bytes;
use model::Timestamp;
use serde::{Serialize, Serializer};
use serde_json::{Value, json};

use super::negotiate::BINARY;
use super::query::Query;
use super::{JSON, Reply};
use crate::kinds::Kind;
use crate::registry::Failure;
use crate::schema::envelope;
use crate::store::Object;

/// What the client accepts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    Plain,
    Table,
    /// `PartialObjectMetadata`.
    Metadata,
    /// `PartialObjectMetadataList`.
    MetadataList,
}

impl Shape {
    /// A list has no form of a single object, and the other way round.
    pub fn check(self, kind: &Kind, is_list: bool) -> Result<(), Failure> {
        let (asked, what) = match (self, is_list) {
            (Self::Metadata, true) => ("PartialObjectMetadata", "a list"),
            (Self::MetadataList, false) => ("PartialObjectMetadataList", "not a list"),
            _ => return Ok(()),
        };
        let own = if is_list { format!("{}List", kind.kind) } else { kind.kind.to_owned() };
        let own = super::body::go_name(&kind.api_version(), &own, false);
        let why = format!("you requested {asked}, but the requested object is {what} (*{own})");
        Err(Failure::new(406, "NotAcceptable", why))
    }

    /// One object in this form.
    pub fn object(self, kind: &Kind, object: &Object, told: &Telling) -> Value {
        match self {
            Self::Plain => Value::clone(object),
            Self::Metadata | Self::MetadataList => metadata_of(object),
            Self::Table => {
                let version = &object["metadata"]["resourceVersion"];
                let rows = [row(kind, object, told)];
                table(kind, json!({"resourceVersion": version}), &rows, told.headers)
            }
        }
    }

    /// One object in this form, as an answer.
    pub fn reply(
        self,
        code: u16,
        kind: &Kind,
        object: &Object,
        told: &Telling,
    ) -> Result<Reply, Failure> {
        if self != Self::Plain {
            return Ok(Reply::json(code, &self.object(kind, object, told)));
        }
        if told.binary {
            return Ok(Reply::bytes(code, BINARY, enclosed(kind, object)?.into()));
        }
        let mut out = Vec::new();
        write_object(&mut out, kind, object);
        out.push(b'\n');
        Ok(Reply::bytes(code, JSON, out.into()))
    }

    /// A list in this form; `meta` is its metadata.
    pub fn list(
        self,
        kind: &Kind,
        objects: &[Object],
        meta: &Value,
        told: &Telling,
    ) -> Result<Reply, Failure> {
        let mut out = Vec::new();
        match self {
            Self::Table => {
                let columns = columns_of(kind);
                write_head(&mut out, "Table", "meta.k8s.io/v1", meta);
                out.extend_from_slice(b",\"columnDefinitions\":");
                write(&mut out, &columns);
                let rows = objects.iter();
                write_all(&mut out, "rows", rows, |out, o| write_row(out, kind, o, told));
            }
            Self::Metadata | Self::MetadataList => {
                write_head(&mut out, "PartialObjectMetadataList", "meta.k8s.io/v1", meta);
                if objects.is_empty() {
                    out.extend_from_slice(b",\"items\":null");
                } else {
                    write_all(&mut out, "items", objects.iter(), |out, o| write_metadata(out, o));
                }
            }
            Self::Plain => {
                let own = kind.custom.map(|custom| custom.list_kind.clone());
                let own = own.unwrap_or_else(|| format!("{}List", kind.kind));
                if told.binary {
                    let messages: Vec<&Bytes> =
                        objects.iter().map(message).collect::<Result<_, _>>()?;
                    let items = messages.iter().map(|item| &item[..]);
                    let list = envelope::list(&kind.api_version(), &own, meta, items);
                    return Ok(Reply::bytes(200, BINARY, list.map_err(untold)?.into()));
                }
                write_head(&mut out, &own, &kind.api_version(), meta);
                write_all(&mut out, "items", objects.iter(), |out, object| match kind.custom {
                    Some(_) => write_object(out, kind, object),
                    None => out.extend_from_slice(text(object)),
                });
            }
        }
        out.extend_from_slice(b"}\n");
        Ok(Reply::bytes(200, JSON, out.into()))
    }
}

/// JSON at the end of a text; writing to memory does not fail.
fn write(out: &mut Vec<u8>, value: &impl Serialize) {
    drop(serde_json::to_writer(out, value));
}

fn write_head(out: &mut Vec<u8>, kind: &str, api_version: &str, meta: &Value) {
    out.extend_from_slice(b"{\"kind\":");
    write(out, &kind);
    out.extend_from_slice(b",\"apiVersion\":");
    write(out, &api_version);
    out.extend_from_slice(b",\"metadata\":");
    write(out, meta);
}

fn write_all<'o>(
    out: &mut Vec<u8>,
    key: &str,
    objects: impl Iterator<Item = &'o Object>,
    one: impl Fn(&mut Vec<u8>, &Object),
) {
    out.push(b',');
    write(out, &key);
    out.extend_from_slice(b":[");
    for (index, object) in objects.enumerate() {
        if index > 0 {
            out.push(b',');
        }
        one(out, object);
    }
    out.push(b']');
}

/// The object's text without its type: items of a typed list do not repeat the list's.
fn text(object: &Object) -> &Bytes {
    object.text(|value| {
        let mut out = Vec::new();
        write(&mut out, &Untyped(value));
        out.into()
    })
}

/// The whole object, its type first.
pub(super) fn write_object(out: &mut Vec<u8>, kind: &Kind, object: &Object) {
    let text = text(object);
    out.extend_from_slice(b"{\"kind\":");
    write(out, &kind.kind);
    out.extend_from_slice(b",\"apiVersion\":");
    write(out, &kind.api_version());
    if text.len() > 2 {
        out.push(b',');
    }
    out.extend_from_slice(text.get(1..).unwrap_or(b"}"));
}

fn message(object: &Object) -> Result<&Bytes, Failure> {
    let made = object.message(|value| envelope::raw(value).ok().map(Bytes::from));
    made.ok_or_else(|| untold(envelope::raw(object).err().unwrap_or_default()))
}

/// The object as a message in its envelope.
pub(super) fn enclosed(kind: &Kind, object: &Object) -> Result<Vec<u8>, Failure> {
    Ok(envelope::enclosed(&kind.api_version(), kind.kind, message(object)?))
}

fn untold(why: String) -> Failure {
    Failure::new(500, "InternalError", why)
}

struct Untyped<'v>(&'v Value);

impl Serialize for Untyped<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let fields = self.0.as_object().into_iter().flatten();
        to.collect_map(fields.filter(|(key, _)| !matches!(key.as_str(), "kind" | "apiVersion")))
    }
}

/// Choices about how rows are told.
#[derive(Debug, Clone, Copy)]
pub(super) struct Telling {
    pub now: Timestamp,
    /// What a row carries besides its cells.
    pub include: Include,
    /// Whether a Table of one object names its columns.
    pub headers: bool,
    /// Whether objects are told as messages.
    pub binary: bool,
}

#[derive(Debug, Clone, Copy)]
pub(super) enum Include {
    Nothing,
    Metadata,
    Object,
}

impl Telling {
    pub fn new(query: &Query, now: Timestamp) -> Result<Self, Failure> {
        let include = match query.get("includeObject") {
            None | Some("Metadata") => Include::Metadata,
            Some("None") => Include::Nothing,
            Some("Object") => Include::Object,
            Some(other) => {
                return Err(Failure::bad_request(format!(
                    "Unable to convert to Table as requested: includeObject: Invalid value: \
                     \"{other}\": must be 'Metadata', 'Object', 'None', or empty"
                )));
            }
        };
        Ok(Self { now, include, headers: true, binary: false })
    }
}

fn write_metadata(out: &mut Vec<u8>, object: &Value) {
    write_head(out, "PartialObjectMetadata", "meta.k8s.io/v1", &object["metadata"]);
    out.push(b'}');
}

fn write_row(out: &mut Vec<u8>, kind: &Kind, object: &Object, told: &Telling) {
    // Few kinds need more than copies of what is stored.
    let plain = kind.storage != "daemonsets.apps" && ended(kind, object).is_none();
    if !plain || matches!(told.include, Include::Object) {
        return write(out, &row(kind, object, told));
    }
    out.extend_from_slice(b"{\"cells\":");
    write(out, &cells(kind, object, told));
    out.extend_from_slice(b",\"object\":");
    match told.include {
        Include::Metadata => write_metadata(out, object),
        Include::Nothing | Include::Object => out.extend_from_slice(b"null"),
    }
    out.push(b'}');
}

fn cells(kind: &Kind, object: &Object, told: &Telling) -> Vec<Value> {
    match kind.custom {
        Some(custom) => custom.cells(object, told.now),
        None => kind.columns.row(object, told.now),
    }
}

/// How a pod ended.
fn ended(kind: &Kind, object: &Object) -> Option<(&'static str, &'static str)> {
    match (kind.storage, object["status"]["phase"].as_str()) {
        ("pods", Some("Succeeded")) => Some(("Succeeded", "The pod has completed successfully.")),
        ("pods", Some("Failed")) => Some(("Failed", "The pod failed.")),
        _ => None,
    }
}

fn row(kind: &Kind, object: &Object, told: &Telling) -> Value {
    let shown = match told.include {
        Include::Nothing => Value::Null,
        Include::Metadata => metadata_of(object),
        Include::Object => Value::clone(object),
    };
    let mut row = json!({"cells": cells(kind, object, told), "object": shown});
    if let Some((reason, message)) = ended(kind, object) {
        row["conditions"] = json!([{
            "type": "Completed", "status": "True", "reason": reason, "message": message,
        }]);
    }
    if kind.storage == "daemonsets.apps" {
        without_count(&mut row["object"]);
    }
    row
}

/// Rows tell the metadata as it is stored, where templates are not counted in an annotation.
fn without_count(object: &mut Value) {
    let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) else { return };
    let Some(annotations) = metadata.get_mut("annotations").and_then(Value::as_object_mut) else {
        return;
    };
    annotations.remove("deprecated.daemonset.template.generation");
    if annotations.is_empty() {
        metadata.remove("annotations");
    }
}

fn columns_of(kind: &Kind) -> Value {
    match kind.custom {
        Some(custom) => custom.column_definitions(),
        None => kind.columns.definitions(kind.plural),
    }
}

fn table(kind: &Kind, meta: Value, rows: &[Value], headers: bool) -> Value {
    let columns = if headers { columns_of(kind) } else { Value::Null };
    json!({
        "kind": "Table", "apiVersion": "meta.k8s.io/v1", "metadata": meta,
        "columnDefinitions": columns, "rows": rows,
    })
}

fn metadata_of(object: &Value) -> Value {
    json!({
        "kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1",
        "metadata": object["metadata"],
    })
}

/// JSON and a line break, as the real server ends documents and watch events.
pub(super) fn line(value: &Value) -> Bytes {
    let mut text = value.to_string();
    text.push('\n');
    text.into()
}
