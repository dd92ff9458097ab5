//! The event table at the end of `describe`, in its old and new layout.

use super::outline::Entry;
use crate::text::kinds;
use crate::text::lines::expand_tabs;
use crate::text::shape::{put, put_some, some};
use crate::text::table::{Columns, split_wide};
use crate::text::time::age_seconds;
use serde_json::{Value, json};

/// The events below `Events:`, as objects about `about`.
///
/// `None` stands for a row whose cells cannot be told apart.
pub fn events(entry: Entry<'_>, about: &Value) -> Vec<(u32, Option<Value>)> {
    let mut lines = entry.body.lines.iter().filter(|l| !l.is_blank());
    let Some(header) = lines.next() else { return Vec::new() };
    let columns = Columns::titled(&header.text);
    lines
        .filter(|l| !super::outline::is_rule(l.trimmed()))
        .map(|l| (l.number, event(&columns, &l.text, about)))
        .collect()
}

fn event(columns: &Columns, line: &str, about: &Value) -> Option<Value> {
    let cells = columns.cells(line).filter(|c| typed(columns, c));
    let cells = cells.or_else(|| by_words(columns, line))?;
    let cell = |name: &str| columns.index(name).and_then(|i| cells.get(i)).map(String::as_str);
    let mut value = json!({"apiVersion": "v1", "kind": "Event", "metadata": {}});
    describe_involved(&mut value, about);
    put_some(&mut value, "type", cell("Type"));
    put(&mut value, "reason", cell("Reason").and_then(some)?);
    put(&mut value, "message", cell("Message").unwrap_or(""));
    if let Some(from) = cell("From").and_then(some) {
        crate::text::table::set_source(&mut value, from.trim_matches(['{', '}']));
    }
    put_some(&mut value, "involvedObject.fieldPath", cell("SubObjectPath").and_then(some));
    match cell("Age") {
        Some(age) => crate::text::table::set_ages(&mut value, age),
        None => {
            put_some(&mut value, "ageSeconds", cell("LastSeen").and_then(age_seconds));
            put_some(&mut value, "firstAgeSeconds", cell("FirstSeen").and_then(age_seconds));
            put_some(&mut value, "count", cell("Count").and_then(|c| c.parse::<u64>().ok()));
        }
    }
    Some(value)
}

/// Whether the cells stand where they belong.
fn typed(columns: &Columns, cells: &[String]) -> bool {
    let kind = columns.index("Type").and_then(|i| cells.get(i));
    kind.is_some_and(|t| t == "Normal" || t == "Warning" || t.is_empty())
}

/// A row whose columns moved: masked ages, squeezed blanks, tabs turned into blanks.
fn by_words(columns: &Columns, line: &str) -> Option<Vec<String>> {
    if columns.index("Age").is_none() {
        // Old layout: the field path may be missing.
        let line = expand_tabs(line);
        let mut fields: Vec<String> = split_wide(&line).into_iter().map(str::to_owned).collect();
        if fields.len() + 1 == columns.names.len() {
            fields.insert(columns.index("SubObjectPath")?, String::new());
        }
        return Some(fields).filter(|f| f.len() == columns.names.len() && typed(columns, f));
    }
    let mut words = line.split_whitespace().peekable();
    let (kind, reason) = (words.next()?, words.next()?);
    let mut age = words.next()?.to_owned();
    if words.peek().is_some_and(|w| w.starts_with("(x")) {
        for word in words.by_ref() {
            age.push(' ');
            age.push_str(word);
            if word.ends_with(')') {
                break;
            }
        }
    }
    let from = words.next()?;
    let rest = words.collect::<Vec<_>>().join(" ");
    let cells = [kind, reason, &age, from, &rest].map(str::to_owned);
    let order = ["Type", "Reason", "Age", "From", "Message"];
    let same = columns.names.len() == 5 && order.iter().zip(&columns.names).all(|(a, b)| a == b);
    Some(cells.to_vec()).filter(|c| same && typed(columns, c))
}

fn describe_involved(value: &mut Value, about: &Value) {
    let field = |pointer: &str| about.pointer(pointer).and_then(Value::as_str);
    let kind = field("/kind").unwrap_or("");
    let namespace = field("/metadata/namespace");
    put(value, "involvedObject.kind", kind);
    put_some(value, "involvedObject.name", field("/metadata/name"));
    put_some(value, "involvedObject.namespace", namespace);
    // Events about what has no namespace are kept in `default`.
    let cluster = kinds::by_kind(kind).is_some_and(|k| !k.namespaced);
    put_some(value, "metadata.namespace", namespace.or(cluster.then_some("default")));
}
