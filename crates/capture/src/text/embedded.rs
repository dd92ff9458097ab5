//! JSON and YAML inside a session: `kubectl get -o yaml`, `-o json`.
//!
//! Only objects of the API are taken; a JSON line of a log is none.

use super::Out;
use super::errors;
use super::lines::Line;
use crate::piece::Form;
use serde_json::Value;

/// Most bytes of one document.
const MAX_BYTES: usize = 32 * 1024 * 1024;

/// What was read.
#[derive(Debug, Default)]
pub struct Read {
    /// Lines used.
    pub used: usize,
    /// The document was whole.
    pub whole: bool,
}

/// Reads the document that begins at the first of `lines`, or `None` when there is none.
pub fn read(lines: &[Line<'_>], output: &str, out: &mut Out<'_>) -> Option<Read> {
    let first = lines.first()?.text.trim_end();
    if first.starts_with('{') && (is_json_start(first) || output == "json") {
        return json(lines, out);
    }
    let yaml = first.starts_with("apiVersion: ")
        || first == "items:"
        || (first.starts_with("kind: ") && output != "wide")
        || (output == "yaml" && (first == "---" || outline_like(first)));
    yaml.then(|| yaml_document(lines, out))
}

fn is_json_start(first: &str) -> bool {
    let rest = first.get(1..).unwrap_or("").trim_start();
    rest.is_empty() || rest.starts_with("\"apiVersion\"") || rest.starts_with("\"kind\"")
}

fn outline_like(first: &str) -> bool {
    !first.starts_with(' ') && first.split_once(':').is_some_and(|(key, _)| !key.contains(' '))
}

fn json(lines: &[Line<'_>], out: &mut Out<'_>) -> Option<Read> {
    let line = lines.first()?.number;
    let text = join(lines);
    let mut stream = serde_json::Deserializer::from_str(&text).into_iter::<Value>();
    match stream.next() {
        Some(Ok(value)) => {
            let end = stream.byte_offset();
            let used = text.get(..end).unwrap_or("").matches('\n').count() + 1;
            // The lines of a document that is none of the API's may be a log.
            if !emit(value, line, out) {
                return None;
            }
            Some(Read { used, whole: true })
        }
        Some(Err(error)) => {
            let used = json_lines(lines);
            if used < 2 {
                return None;
            }
            out.skipped(format!("JSON that ends early or is broken: {error}"), line);
            Some(Read { used, whole: false })
        }
        None => None,
    }
}

/// Lines until the closing brace at the margin, or all.
fn json_lines(lines: &[Line<'_>]) -> usize {
    let end = lines.iter().position(|l| l.text.trim_end() == "}");
    end.map_or(lines.len(), |e| e + 1)
}

fn yaml_document(lines: &[Line<'_>], out: &mut Out<'_>) -> Read {
    let skip = usize::from(lines.first().is_some_and(|l| l.text.trim_end() == "---"));
    let used = skip + yaml_lines(lines.get(skip..).unwrap_or(&[]));
    let body = lines.get(skip..used).unwrap_or(&[]);
    let line = body.first().map_or(0, |l| l.number);
    let text = join(body);
    match serde_saphyr::from_str::<Value>(&text) {
        Ok(value) => {
            if emit(value, line, out) {
                return Read { used, whole: true };
            }
            out.skipped("YAML that is no object of Kubernetes".to_owned(), line);
            Read { used, whole: false }
        }
        Err(error) => {
            let why = error.to_string();
            let why = errors::quote(why.lines().next().unwrap_or(""));
            out.skipped(format!("YAML that ends early or is broken: {why}"), line);
            Read { used, whole: false }
        }
    }
}

/// Lines of one YAML document: until `---`, a fence, or a line at the margin that is no key.
fn yaml_lines(lines: &[Line<'_>]) -> usize {
    let ends = |l: &Line<'_>| {
        let text = l.text.trim_end();
        let margin = !text.is_empty() && !text.starts_with([' ', '-', '#', '}', ']']);
        text.starts_with("---")
            || text.starts_with("```")
            || matches!(text, "stderr:" | "stdout:")
            || errors::is_error(text)
            || (margin && !outline_like(text))
    };
    lines.iter().position(ends).unwrap_or(lines.len())
}

fn join(lines: &[Line<'_>]) -> String {
    let mut text = String::new();
    for line in lines {
        if text.len() + line.text.len() > MAX_BYTES {
            break;
        }
        text.push_str(&line.text);
        text.push('\n');
    }
    text
}

/// Hands on an object, or the items of a list. False when it is neither.
fn emit(value: Value, line: u32, out: &mut Out<'_>) -> bool {
    let kind = value.get("kind").and_then(Value::as_str).unwrap_or("").to_owned();
    let api = value.get("apiVersion").and_then(Value::as_str).unwrap_or("").to_owned();
    let Value::Object(mut map) = value else { return false };
    if let Some(Value::Array(items)) = map.remove("items") {
        let item_kind = kind.strip_suffix("List").unwrap_or("").to_owned();
        for mut item in items {
            // Items of a typed list (`PodList`) leave out what the list says.
            if let Value::Object(fields) = &mut item
                && !item_kind.is_empty()
            {
                fields.entry("kind").or_insert_with(|| Value::from(item_kind.clone()));
                fields.entry("apiVersion").or_insert_with(|| Value::from(api.clone()));
            }
            emit_one(item, line, out);
        }
        return true;
    }
    if kind.is_empty() || api.is_empty() {
        return false;
    }
    emit_one(Value::Object(map), line, out);
    true
}

fn emit_one(value: Value, line: u32, out: &mut Out<'_>) {
    let named = value.get("kind").is_some() && value.pointer("/metadata/name").is_some();
    if named {
        out.object_of(value, Form::Api, line);
    } else {
        out.skipped("an object without kind or name".to_owned(), line);
    }
}
