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
}

const REPRESENTATIONS: &str = "406: Not Acceptable\n\nAvailable representations: \
     application/json, application/yaml, application/vnd.kubernetes.protobuf, \
     application/json;stream=watch, application/vnd.kubernetes.protobuf;stream=watch";

impl Shape {
    /// The first accepted form that this server has.
    pub fn negotiate(accept: &str) -> Result<Self, Failure> {
        if accept.trim().is_empty() {
            return Ok(Self::Plain);
        }
        for choice in accept.split(',') {
            let mut parts = choice.split(';').map(str::trim);
            if !matches!(parts.next(), Some("application/json" | "*/*" | "application/*")) {
                continue;
            }
            let parts: Vec<&str> = parts.collect();
            // Forms of other versions are not served.
            let version = parts.iter().find_map(|part| part.strip_prefix("v="));
            let form = parts.iter().find_map(|part| part.strip_prefix("as="));
            if form.is_some() && version.is_some_and(|version| version != "v1") {
                continue;
            }
            match form {
                None => return Ok(Self::Plain),
                Some("Table") => return Ok(Self::Table),
                Some("PartialObjectMetadata" | "PartialObjectMetadataList") => {
                    return Ok(Self::Metadata);
                }
                Some(_) => {}
            }
        }
        let failure = Failure::new(406, "NotAcceptable", REPRESENTATIONS);
        Err(Failure { details: Some(json!({})), ..failure })
    }

    /// One object in this form.
    pub fn object(self, kind: &Kind, object: &Object, told: &Telling) -> Value {
        match self {
            Self::Plain => Value::clone(object),
            Self::Metadata => metadata_of(object),
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
            Self::Metadata => {
                let items: Vec<_> = objects.iter().map(|o| metadata_of(o)).collect();
                json!({
                    "kind": "PartialObjectMetadataList", "apiVersion": "meta.k8s.io/v1",
                    "metadata": meta, "items": items,
                })
            }
            Self::Plain => {
                let items: Vec<_> = objects.iter().map(|o| without_type(o)).collect();
                json!({
                    "kind": format!("{}List", kind.kind), "apiVersion": kind.api_version(),
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
    json!({"cells": kind.columns.row(object, told.now), "object": shown})
}

fn table(kind: &Kind, meta: Value, rows: &[Value], headers: bool) -> Value {
    let columns = if headers { kind.columns.definitions(kind.plural) } else { Value::Null };
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
