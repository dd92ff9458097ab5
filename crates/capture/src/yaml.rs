//! Reads YAML evidence: several documents, lists, single objects.
//!
//! Documents and the items of a list are cut apart by their lines and parsed one at a time, so
//! that a broken one does not take the rest with it and memory is bounded by the longest object.
//! Parsing has a budget of nodes, depth and alias expansions. Nothing is judged here.

mod split;

use crate::piece::{Form, Piece, Place};
use serde_json::Value;
use serde_saphyr::{DuplicateKeyPolicy, NonFiniteFloatPolicy};
use split::{Part, Splitter};
use std::io::Read;

/// Longest document or list item that is parsed.
const PART_LIMIT_BYTES: usize = 8 * 1024 * 1024;
/// How deep values are nested at most; parsing recurses, and must not run out of stack.
const DEPTH_LIMIT: usize = 64;
/// Items without a kind that wait for their list to name it.
const STASH_LIMIT: usize = 1_000;
/// How many problems are reported one by one.
const REPORT_LIMIT: u32 = 50;

/// What the caller knows about a YAML document.
#[derive(Clone, Debug, Default)]
pub struct Hints {
    /// Name of the document, for places.
    pub document: String,
    /// Kind of objects that do not name their own.
    pub kind: Option<String>,
}

/// How a document was read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// Objects handed on.
    pub objects: u64,
    /// Lists read, also empty ones.
    pub lists: u64,
    /// Nothing was broken or skipped.
    pub complete: bool,
}

/// Reads the whole of `input`.
pub fn read<R: Read>(input: R, hints: &Hints, sink: &mut dyn FnMut(Piece)) -> Outcome {
    let outcome = Outcome { complete: true, ..Outcome::default() };
    let mut reading = Reading { hints, sink, outcome, stash: Vec::new(), reports: 0 };
    let mut parts = Splitter::new(input, PART_LIMIT_BYTES);
    while let Some((part, line)) = parts.next_part() {
        match part {
            Part::Document(text) => reading.document(&text, line),
            Part::Item(text) => reading.item(&text, line),
            Part::ListEnd(text) => reading.list_end(&text, line),
            Part::TooLong => {
                let limit = PART_LIMIT_BYTES / (1024 * 1024);
                reading.skipped(line, format!("an object is longer than {limit} MiB"));
            }
            Part::Failed(why) => reading.skipped(line, format!("reading stopped: {why}")),
        }
    }
    if reading.reports > REPORT_LIMIT {
        let why = format!("{} more problems like these", reading.reports - REPORT_LIMIT);
        let place = Place { document: hints.document.clone(), line: 0 };
        (reading.sink)(Piece::Skipped { why, place });
    }
    reading.outcome
}

/// Parses one document of YAML within the budget.
///
/// # Errors
/// The parser's words and the line, counted from 1 in `text`.
pub fn parse(text: &str) -> Result<Value, (String, u32)> {
    let options = serde_saphyr::options! {
        budget: serde_saphyr::budget! {
            max_depth: DEPTH_LIMIT,
            max_nodes: 2_000_000,
            max_events: 4_000_000,
            max_documents: 2,
            max_aliases: 10_000,
        },
        duplicate_keys: DuplicateKeyPolicy::LastWins,
        non_finite_float_policy: NonFiniteFloatPolicy::AsString,
        with_snippet: false,
    };
    serde_saphyr::from_str_with_options::<Value>(text, options).map_err(|error| {
        let line = error.location().map_or(1, |at| u32::try_from(at.line()).unwrap_or(u32::MAX));
        (reason(&error.to_string()), line)
    })
}

/// The first line of the parser's words; the place is told in our own way.
fn reason(text: &str) -> String {
    let first = text.lines().next().unwrap_or_default();
    let first = first.strip_prefix("error: ").unwrap_or(first);
    let end = [" at line ", " (line "].iter().find_map(|mark| first.rfind(mark));
    end.and_then(|at| first.get(..at)).unwrap_or(first).to_owned()
}

/// One reading of one file.
struct Reading<'a> {
    hints: &'a Hints,
    sink: &'a mut dyn FnMut(Piece),
    outcome: Outcome,
    stash: Vec<(Value, u32)>,
    reports: u32,
}

impl Reading<'_> {
    fn document(&mut self, text: &str, line: u32) {
        if let Some(value) = self.parsed(text, line) {
            self.value(value, line, 0);
        }
    }

    /// An item of a list; its list's own kind comes later, if at all.
    fn item(&mut self, text: &str, line: u32) {
        let Some(value) = self.parsed(text, line) else { return };
        if value.get("kind").is_none() && value.get("metadata").is_some() {
            if self.stash.len() < STASH_LIMIT {
                self.stash.push((value, line));
            } else {
                self.skipped(line, "an item names no kind".to_owned());
            }
            return;
        }
        self.value(value, line, 1);
    }

    fn list_end(&mut self, text: &str, line: u32) {
        let list = if text.trim().is_empty() { None } else { self.parsed(text, line) };
        let field = |pointer: &str| {
            let text = list.as_ref()?.pointer(pointer)?.as_str()?;
            Some(text.to_owned()).filter(|t| !t.is_empty())
        };
        let kind = field("/kind").and_then(|k| k.strip_suffix("List").map(str::to_owned));
        let kind = kind.filter(|k| !k.is_empty()).or_else(|| self.hints.kind.clone());
        self.outcome.lists += 1;
        for (mut value, line) in std::mem::take(&mut self.stash) {
            match (&kind, value.as_object_mut()) {
                (Some(kind), Some(map)) => {
                    map.insert("kind".to_owned(), kind.as_str().into());
                    if let Some(version) = field("/apiVersion") {
                        map.entry("apiVersion").or_insert(version.into());
                    }
                    self.object(value, line);
                }
                _ => self.skipped(line, "an item names no kind, nor does its list".to_owned()),
            }
        }
        if field("/metadata/continue").is_some() {
            let why = "the list is one page of several: more objects exist".to_owned();
            self.skipped(line, why);
        }
    }

    fn parsed(&mut self, text: &str, line: u32) -> Option<Value> {
        match parse(text) {
            Ok(value) => Some(value),
            Err((why, at)) => {
                let at = line.saturating_add(at).saturating_sub(1);
                self.skipped(at, format!("the object at line {line} is not YAML: {why}"));
                None
            }
        }
    }

    /// An object, a list in flow style, or nothing we know.
    fn value(&mut self, value: Value, line: u32, depth: u8) {
        match value {
            Value::Null => {}
            Value::Array(items) if depth < 4 => {
                for item in items {
                    self.value(item, line, depth + 1);
                }
            }
            Value::Object(mut map) => {
                let items = map.get("items").is_some_and(|v| v.is_array() || v.is_null());
                if items && depth < 4 {
                    self.outcome.lists += 1;
                    if let Some(items) = map.remove("items") {
                        self.value(items, line, depth + 1);
                    }
                } else if map.get("kind").is_some_and(Value::is_string) {
                    self.object(Value::Object(map), line);
                } else if let (Some(kind), true) = (&self.hints.kind, map.contains_key("metadata"))
                {
                    map.insert("kind".to_owned(), kind.as_str().into());
                    self.object(Value::Object(map), line);
                } else {
                    self.skipped(line, "this YAML is no Kubernetes object: no kind".to_owned());
                }
            }
            _ => self.skipped(line, "this YAML is no Kubernetes object".to_owned()),
        }
    }

    fn object(&mut self, value: Value, line: u32) {
        self.outcome.objects += 1;
        let place = Place { document: self.hints.document.clone(), line };
        (self.sink)(Piece::Object { value, form: Form::Api, place });
    }

    fn skipped(&mut self, line: u32, why: String) {
        self.outcome.complete = false;
        self.reports = self.reports.saturating_add(1);
        if self.reports <= REPORT_LIMIT {
            let place = Place { document: self.hints.document.clone(), line };
            (self.sink)(Piece::Skipped { why, place });
        }
    }
}

#[cfg(test)]
mod tests;
