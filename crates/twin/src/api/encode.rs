//! The forms in which objects are told: as they are, as a Table, as metadata only.

use bytes::Bytes;
use model::Timestamp;
use serde_json::{Value, json};

use super::query::Query;
use crate::kinds::Kind;
use crate::registry::Failure;
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

    /// A list in this form; `meta` is its metadata.
    pub fn list(self, kind: &Kind, objects: &[Object], meta: Value, told: &Telling) -> Value {
        match self {
            Self::Table => {
                let rows: Vec<_> = objects.iter().map(|o| row(kind, o, told)).collect();
                table(kind, meta, &rows, true)
            }
            Self::Metadata | Self::MetadataList => {
                let items: Vec<_> = objects.iter().map(|o| metadata_of(o)).collect();
                let items = if items.is_empty() { Value::Null } else { items.into() };
                json!({
                    "kind": "PartialObjectMetadataList", "apiVersion": "meta.k8s.io/v1",
                    "metadata": meta, "items": items,
                })
            }
            Self::Plain => {
                let items: Vec<_> = match kind.custom {
                    Some(_) => objects.iter().map(|o| Value::clone(o)).collect(),
                    None => objects.iter().map(|o| without_type(o)).collect(),
                };
                let own = kind.custom.map(|custom| custom.list_kind.clone());
                json!({
                    "kind": own.unwrap_or_else(|| format!("{}List", kind.kind)),
                    "apiVersion": kind.api_version(),
                    "metadata": meta, "items": items,
                })
            }
        }
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
        Ok(Self { now, include, headers: true })
    }
}

fn row(kind: &Kind, object: &Object, told: &Telling) -> Value {
    let shown = match told.include {
        Include::Nothing => Value::Null,
        Include::Metadata => metadata_of(object),
        Include::Object => Value::clone(object),
    };
    let cells = match kind.custom {
        Some(custom) => custom.cells(object, told.now),
        None => kind.columns.row(object, told.now),
    };
    let mut row = json!({"cells": cells, "object": shown});
    let ended = match (kind.storage, object["status"]["phase"].as_str()) {
        ("pods", Some("Succeeded")) => Some(("Succeeded", "The pod has completed successfully.")),
        ("pods", Some("Failed")) => Some(("Failed", "The pod failed.")),
        _ => None,
    };
    if let Some((reason, message)) = ended {
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

fn table(kind: &Kind, meta: Value, rows: &[Value], headers: bool) -> Value {
    let columns = match kind.custom {
        _ if !headers => Value::Null,
        Some(custom) => custom.column_definitions(),
        None => kind.columns.definitions(kind.plural),
    };
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

/// Items of a typed list do not repeat the list's type.
fn without_type(object: &Value) -> Value {
    let fields = object.as_object().into_iter().flatten();
    let fields = fields.filter(|(k, _)| !matches!(k.as_str(), "kind" | "apiVersion"));
    Value::Object(fields.map(|(k, v)| (k.clone(), v.clone())).collect())
}

/// JSON and a line break, as the real server ends documents and watch events.
pub(super) fn line(value: &Value) -> Bytes {
    let mut text = value.to_string();
    text.push('\n');
    text.into()
}
