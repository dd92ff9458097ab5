//! Server-side tables (`kubectl get --raw` with `as=Table`): rows of cells, and beside each row
//! the object or its metadata.

use super::scan::Shape;
use super::walk::{Inside, Stop, Walk};
use super::{Objects, scan};
use crate::piece::{Form, Piece};
use crate::text;
use serde::Deserialize;
use serde_json::Value;
use std::io::Read;

#[derive(Deserialize)]
struct Column {
    name: String,
}

#[derive(Deserialize)]
struct Row {
    #[serde(default)]
    cells: Vec<Value>,
    #[serde(default)]
    object: Value,
}

impl<R: Read, O: Objects> Walk<'_, R, O> {
    /// The table at the front.
    pub(super) fn table(&mut self) -> Result<(), Stop> {
        self.outcome.lists += 1;
        let mut headers: Vec<String> = Vec::new();
        self.keys(|walk, key, first| {
            match (key, first) {
                ("columnDefinitions", b'[') => {
                    let columns = walk.small::<Vec<Column>>()?.unwrap_or_default();
                    headers = columns.into_iter().map(|c| c.name.to_uppercase()).collect();
                }
                ("rows", b'[') => walk.rows(&headers)?,
                _ => return Ok(false),
            }
            Ok(true)
        })
    }

    fn rows(&mut self, headers: &[String]) -> Result<(), Stop> {
        let headers: Vec<&str> = headers.iter().map(String::as_str).collect();
        self.buffer.consume(1);
        loop {
            match self.buffer.peek() {
                Some(b']') => {
                    self.buffer.consume(1);
                    return Ok(());
                }
                Some(b',') => self.buffer.consume(1),
                Some(b'{') => self.row(&headers)?,
                Some(_) => return Err(Stop::Broken("a row of a table is not an object")),
                None => return Err(self.ended()),
            }
        }
    }

    fn row(&mut self, headers: &[&str]) -> Result<(), Stop> {
        let line = self.buffer.line();
        let Some(Row { cells, object }) = self.small::<Row>()? else {
            self.skipped(line, "a row of a table is not one".to_owned());
            return Ok(());
        };
        if whole(&object) {
            let bytes = object.to_string();
            let inside =
                Inside { kind: "", api_version: "", items: true, gone: false, depth: 0, key: "" };
            match super::decode::decode_front(&self.decoder, bytes.as_bytes(), inside) {
                Ok((object, _)) => {
                    self.outcome.objects += 1;
                    self.out.object(object, line, false);
                }
                Err(e) => self.skipped(line, format!("an object of a table cannot be read: {e}")),
            }
            return Ok(());
        }
        let place = self.place(line);
        match self.object_of_row(headers, cells, &object) {
            Some(value) => self.piece(Piece::Object { value, form: Form::Text, place }),
            None => {
                let why = "a row of a table: its columns do not tell what kind it is".to_owned();
                self.skipped(line, why);
            }
        }
        Ok(())
    }

    fn object_of_row(&self, headers: &[&str], cells: Vec<Value>, object: &Value) -> Option<Value> {
        let kind = self.hints.kind.clone().or_else(|| kind_of(headers).map(str::to_owned))?;
        let cells: Vec<String> = cells.into_iter().map(plain).collect();
        let namespace = object.pointer("/metadata/namespace").and_then(Value::as_str);
        let namespace = namespace.or(self.hints.namespace.as_deref());
        let mut value = text::object_from_row(&kind, headers, &cells, namespace)?;
        if let (Some(into), Some(from)) =
            (value.get_mut("metadata").and_then(Value::as_object_mut), object.get("metadata"))
            && let Some(from) = from.as_object()
        {
            into.extend(from.iter().map(|(k, v)| (k.clone(), v.clone())));
        }
        Some(value)
    }
}

/// Whether a row carries the object itself (`includeObject=Object`).
fn whole(object: &Value) -> bool {
    let text = object.to_string();
    match scan::shape(text.as_bytes()) {
        Ok(Shape::Object { kind, .. }) => kind != "PartialObjectMetadata",
        _ => false,
    }
}

fn plain(cell: Value) -> String {
    match cell {
        Value::String(text) => text,
        Value::Null => String::new(),
        other => other.to_string(),
    }
}

/// A table does not say what it lists; the API's columns are as telling as a name.
fn kind_of(headers: &[&str]) -> Option<&'static str> {
    const KINDS: &[(&str, &[&str])] = &[
        ("Pod", &["NAME", "READY", "STATUS", "RESTARTS"]),
        ("Node", &["NAME", "STATUS", "ROLES", "VERSION"]),
        ("Deployment", &["NAME", "READY", "UP-TO-DATE", "AVAILABLE"]),
        ("DaemonSet", &["NAME", "DESIRED", "CURRENT", "READY", "NODE SELECTOR"]),
        ("ReplicaSet", &["NAME", "DESIRED", "CURRENT", "READY"]),
        ("Job", &["NAME", "COMPLETIONS"]),
        ("CronJob", &["NAME", "SCHEDULE"]),
        ("Service", &["NAME", "CLUSTER-IP", "PORT(S)"]),
        ("PersistentVolumeClaim", &["NAME", "STATUS", "VOLUME", "CAPACITY"]),
        ("PersistentVolume", &["NAME", "CAPACITY", "RECLAIM POLICY", "CLAIM"]),
        ("Event", &["LAST SEEN", "REASON", "OBJECT", "MESSAGE"]),
        ("HorizontalPodAutoscaler", &["NAME", "REFERENCE", "TARGETS", "MINPODS"]),
        ("Ingress", &["NAME", "CLASS", "HOSTS"]),
        ("EndpointSlice", &["NAME", "ADDRESSTYPE", "ENDPOINTS"]),
        ("Endpoints", &["NAME", "ENDPOINTS"]),
        ("StorageClass", &["NAME", "PROVISIONER"]),
        ("StatefulSet", &["NAME", "READY", "CONTAINERS"]),
    ];
    let found = KINDS.iter().find(|(_, telling)| telling.iter().all(|t| headers.contains(t)));
    found.map(|(kind, _)| *kind)
}
