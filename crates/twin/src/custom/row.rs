//! Rows of the kinds that definitions describe.
//!
//! Rows live as long as the process, like the built-in ones, so that everything that knows a
//! kind knows these too. Equal definitions share a row, and all rows together have a limit:
//! definitions beyond it are stored and not served.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use serde_json::{Value, json};

use super::rules::Rules;
use super::{Custom, Path, Printer, Scale};
use crate::field;
use crate::kinds::Kind;
use crate::schema::Schema;

/// Texts of all definitions that were ever served, together.
const KINDS_LIMIT_BYTES: usize = 64 << 20;

static ROWS: Mutex<BTreeMap<String, &'static Kind>> = Mutex::new(BTreeMap::new());

/// The rows of a definition's served versions; none while it is not established.
pub(crate) fn rows(definition: &Value) -> Vec<&'static Kind> {
    if !field::condition_is(definition, "Established", "True") {
        return Vec::new();
    }
    let versions = field::list(definition, "/spec/versions").iter();
    let served = versions.filter(|version| field::flag(version, "/served"));
    served.filter_map(|version| row(definition, version)).collect()
}

/// The row of one version: the one that an equal version was given, or a new one.
fn row(definition: &Value, version: &Value) -> Option<&'static Kind> {
    let spec = &definition["spec"];
    let names = &definition["status"]["acceptedNames"];
    let text = json!([spec["group"], spec["scope"], names, version]).to_string();
    let mut rows = ROWS.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(row) = rows.get(&text) {
        return Some(row);
    }
    let used: usize = rows.keys().map(String::len).sum();
    if used + text.len() > KINDS_LIMIT_BYTES {
        return None;
    }
    let row: &'static Kind = Box::leak(Box::new(made(spec, names, version)));
    rows.insert(text, row);
    Some(row)
}

fn kept(text: &str) -> &'static str {
    Box::leak(text.to_owned().into_boxed_str())
}

fn made(spec: &Value, names: &Value, version: &Value) -> Kind {
    let text = |value: &Value, key: &str| field::text(value, &format!("/{key}")).to_owned();
    let (group, plural) = (text(spec, "group"), text(names, "plural"));
    let mut subresources = Vec::new();
    for (key, name) in [("scale", "scale"), ("status", "status")] {
        if version["subresources"].get(key).is_some_and(|s| !s.is_null()) {
            subresources.push(name);
        }
    }
    let fields: Vec<&'static str> = field::list(version, "/selectableFields")
        .iter()
        .map(|field| kept(field::text(field, "/jsonPath").trim_start_matches('.')))
        .collect();
    let kind = text(names, "kind");
    let warning = match (field::flag(version, "/deprecated"), text(version, "deprecationWarning")) {
        (false, _) => String::new(),
        (true, told) if told.is_empty() => {
            format!("{group}/{} {kind} is deprecated", text(version, "name"))
        }
        (true, told) => told,
    };
    let custom: &'static Custom = Box::leak(Box::new(custom(names, version)));
    Kind {
        namespaced: spec["scope"] == "Namespaced",
        subresources: Box::leak(subresources.into_boxed_slice()),
        fields: Box::leak(fields.into_boxed_slice()),
        warning: kept(&warning),
        needs_version: true,
        has_generation: true,
        custom: Some(custom),
        ..Kind::of(
            kept(&group),
            kept(&text(version, "name")),
            kept(&plural),
            kept(&kind),
            kept(&format!("{plural}.{group}")),
        )
    }
}

fn custom(names: &Value, version: &Value) -> Custom {
    let structural = version["schema"]["openAPIV3Schema"].clone();
    let list = |key: &str| -> Vec<String> {
        let all = field::list(names, &format!("/{key}")).iter();
        all.filter_map(Value::as_str).map(str::to_owned).collect()
    };
    let columns = field::list(version, "/additionalPrinterColumns");
    let age = json!({
        "name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp",
        "description": crate::kinds::columns::about("*", "Age"),
    });
    let printers = match columns {
        [] => vec![Printer::of(&age)],
        some => some.iter().map(Printer::of).collect(),
    };
    let scale = &version["subresources"]["scale"];
    let path = |key: &str| Path::parse(field::text(scale, &format!("/{key}")));
    let scale = path("specReplicasPath").zip(path("statusReplicasPath"));
    let scale = scale.map(|(replicas, status_replicas)| Scale {
        replicas,
        status_replicas,
        selector: path("labelSelectorPath").filter(|_| {
            version.pointer("/subresources/scale/labelSelectorPath").is_some_and(Value::is_string)
        }),
    });
    Custom {
        types: Schema::custom(&structural),
        rules: Rules::of(&structural),
        structural,
        printers,
        scale: scale.filter(|_| version.pointer("/subresources/scale").is_some()),
        singular: field::text(names, "/singular").to_owned(),
        list_kind: field::text(names, "/listKind").to_owned(),
        short_names: list("shortNames"),
        categories: list("categories"),
    }
}
