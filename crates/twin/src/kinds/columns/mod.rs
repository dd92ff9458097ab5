//! Columns of `kubectl get`: which there are, and how a row is read off an object.
//!
//! Cells are computed on virtual time: that is why the server, not the client, knows the age.

pub(crate) mod cluster;
pub(crate) mod events;
pub(crate) mod network;
pub(crate) mod nodes;
pub(crate) mod pods;
pub(crate) mod policy;
pub(crate) mod storage;
pub(crate) mod workloads;

use std::sync::LazyLock;

use model::{Timestamp, duration_text};
use serde_json::{Value, json};

use crate::field;
use crate::schema::unpacked;

/// What columns mean, by resource and name (`cargo xtask derive`).
static TEXTS: LazyLock<Value> =
    LazyLock::new(|| unpacked(include_bytes!("../../../data/columns.json.gz")));

/// One column.
#[derive(Debug)]
pub(crate) struct Column {
    name: &'static str,
    /// `string`, `integer`, `boolean` or `date`.
    kind: &'static str,
    format: &'static str,
    /// 1 for columns that only `-o wide` shows.
    priority: u8,
}

/// The columns of a kind and the function that fills a row.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Columns {
    columns: &'static [Column],
    cells: fn(&Value, Timestamp) -> Vec<Value>,
}

impl Columns {
    pub const fn new(
        columns: &'static [Column],
        cells: fn(&Value, Timestamp) -> Vec<Value>,
    ) -> Self {
        Self { columns, cells }
    }

    /// The `columnDefinitions` of a Table of this resource.
    pub fn definitions(&self, plural: &str) -> Value {
        let told = self.columns.iter().map(|c| {
            json!({
                "name": c.name, "type": c.kind, "format": c.format, "priority": c.priority,
                "description": about(plural, c.name),
            })
        });
        told.collect()
    }

    /// One row, as long as there are columns.
    pub fn row(&self, object: &Value, now: Timestamp) -> Vec<Value> {
        let mut cells = (self.cells)(object, now);
        cells.resize(self.columns.len(), Value::Null);
        cells
    }
}

/// What a column of a resource means.
pub(crate) fn about(plural: &str, name: &str) -> Value {
    let own = &TEXTS[plural][name];
    let shared = if own.is_null() { &TEXTS["*"][name] } else { own };
    shared.as_str().unwrap_or_default().into()
}

/// The name column.
pub(super) const NAME: Column =
    Column { name: "Name", kind: "string", format: "name", priority: 0 };
pub(super) const AGE: Column = text("Age");

/// A column of text.
pub(super) const fn text(name: &'static str) -> Column {
    Column { name, kind: "string", format: "", priority: 0 }
}

/// A column of another type.
pub(super) const fn typed(name: &'static str, kind: &'static str) -> Column {
    Column { name, kind, format: "", priority: 0 }
}

/// A column that only `-o wide` shows.
pub(super) const fn wide(name: &'static str) -> Column {
    Column { name, kind: "string", format: "", priority: 1 }
}

/// Kinds without columns of their own.
pub(crate) const NAME_AND_AGE: Columns =
    Columns::new(&[NAME, AGE], |o, now| vec![name(o), age(o, now)]);

pub(super) fn name(object: &Value) -> Value {
    field::name(object).into()
}

pub(super) fn age(object: &Value, now: Timestamp) -> Value {
    since(object, "/metadata/creationTimestamp", now).into()
}

/// How long ago the time at `pointer` was.
pub(super) fn since(object: &Value, pointer: &str, now: Timestamp) -> String {
    match field::time(object, pointer) {
        Some(then) => duration_text(now.since(then)),
        None => "<unknown>".into(),
    }
}

/// The text at `pointer`, or a stand-in for an empty one.
pub(super) fn text_or(object: &Value, pointer: &str, otherwise: &str) -> Value {
    match field::text(object, pointer) {
        "" => otherwise.into(),
        text => text.into(),
    }
}

/// A number or a text (percentage) as text.
pub(super) fn number_or_text(object: &Value, pointer: &str, otherwise: &str) -> Value {
    match object.pointer(pointer) {
        Some(Value::String(text)) => text.clone().into(),
        Some(Value::Number(n)) => n.to_string().into(),
        _ => otherwise.into(),
    }
}

/// Labels or match labels as `a=b,c=d`; `<none>` for none.
pub(super) fn labels(object: &Value, pointer: &str) -> Value {
    let pairs = field::map(object, pointer).into_iter().flatten();
    let told: Vec<_> =
        pairs.map(|(k, v)| format!("{k}={}", v.as_str().unwrap_or_default())).collect();
    if told.is_empty() { "<none>".into() } else { told.join(",").into() }
}

/// A label selector with both of its forms.
pub(super) fn selector(object: &Value, pointer: &str) -> Value {
    let mut told = Vec::new();
    for (k, v) in field::map(object, &format!("{pointer}/matchLabels")).into_iter().flatten() {
        told.push(format!("{k}={}", v.as_str().unwrap_or_default()));
    }
    for rule in field::list(object, &format!("{pointer}/matchExpressions")) {
        let key = field::text(rule, "/key");
        let values: Vec<_> =
            field::list(rule, "/values").iter().filter_map(Value::as_str).collect();
        told.push(match field::text(rule, "/operator") {
            "Exists" => key.to_owned(),
            "DoesNotExist" => format!("!{key}"),
            operator => {
                format!("{key} {} ({})", operator.to_lowercase(), values.join(","))
            }
        });
    }
    if told.is_empty() { "<none>".into() } else { told.join(",").into() }
}

/// Names and images of a pod template's containers.
pub(super) fn containers(object: &Value, pointer: &str) -> [Value; 2] {
    let all = field::list(object, &format!("{pointer}/containers"));
    let join = |key: &str| -> Value {
        let texts: Vec<_> = all.iter().map(|c| field::text(c, key)).collect();
        texts.join(",").into()
    };
    [join("/name"), join("/image")]
}
