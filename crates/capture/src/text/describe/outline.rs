//! The outline of `describe`: keys, values and what stands deeper below them.
//!
//! It knows nothing of kinds. Depth comes from indentation alone.

use crate::text::lines::{Line, expand_tabs, indent};
use crate::text::shape::some;
use crate::text::table::Columns;
use serde_json::{Map, Value};
use std::borrow::Cow;

/// A row of a table: number of its line and its cells.
pub type Row = (u32, Vec<String>);

/// A run of lines, seen as entries.
#[derive(Clone, Copy, Debug)]
pub struct Section<'a> {
    /// The lines, blank ones included.
    pub lines: &'a [Line<'a>],
}

/// `Key:  value` and the deeper lines below.
#[derive(Clone, Copy, Debug)]
pub struct Entry<'a> {
    /// Text before the colon; empty when the line has none.
    pub key: &'a str,
    /// Text after the colon, or the whole line.
    pub value: &'a str,
    /// Deeper lines below.
    pub body: Section<'a>,
    /// Number of the line.
    pub line: u32,
}

impl<'a> Section<'a> {
    /// The entries of this level.
    pub fn entries(self) -> impl Iterator<Item = Entry<'a>> {
        let mut at = 0;
        std::iter::from_fn(move || {
            while self.lines.get(at)?.is_blank() {
                at += 1;
            }
            let first = self.lines.get(at)?;
            let depth = indent(&first.text);
            let below = self.lines.get(at + 1..).unwrap_or(&[]);
            let len = below.iter().take_while(|l| l.is_blank() || indent(&l.text) > depth).count();
            at += 1 + len;
            let (key, value) = split_key(first.trimmed());
            let body = Section { lines: below.get(..len).unwrap_or(&[]) };
            Some(Entry { key, value, body, line: first.number })
        })
    }

    /// The first entry with one of these keys.
    pub fn find(self, keys: &[&str]) -> Option<Entry<'a>> {
        self.entries().find(|e| keys.contains(&e.key))
    }

    /// The value of an entry unless it says that there is nothing.
    pub fn some(self, key: &str) -> Option<&'a str> {
        self.find(&[key]).and_then(|e| some(e.value))
    }

    /// Lines without the indentation they share; blank lines at the end left out.
    pub fn text(self) -> Vec<Cow<'a, str>> {
        let depth = self.lines.iter().filter(|l| !l.is_blank()).map(|l| indent(&l.text)).min();
        let depth = depth.unwrap_or(0);
        let mut text: Vec<Cow<'a, str>> = Vec::with_capacity(self.lines.len());
        for line in self.lines {
            let wide = expand_tabs(&line.text);
            let cut = wide.get(depth..).unwrap_or("").trim_end().to_owned();
            text.push(Cow::Owned(cut));
        }
        while text.last().is_some_and(|l| l.is_empty()) {
            text.pop();
        }
        text
    }

    /// A table: its columns and the cells of its rows.
    pub fn table(self) -> Option<(Columns, Vec<Row>)> {
        let mut lines = self.lines.iter().filter(|l| !l.is_blank());
        let columns = Columns::titled(&lines.next()?.text);
        let rows = lines
            .filter(|l| !is_rule(l.trimmed()))
            .filter_map(|l| Some((l.number, columns.cells(&l.text)?)))
            .collect();
        Some((columns, rows))
    }
}

impl<'a> Entry<'a> {
    /// The value and the lines below it, as a list of non-empty strings.
    pub fn values(self) -> impl Iterator<Item = &'a str> {
        let below = self.body.lines.iter().map(Line::trimmed);
        std::iter::once(self.value.trim()).chain(below).filter_map(some)
    }

    /// `a=b` or `a: b` lines as a map: labels and annotations.
    pub fn map(self) -> Value {
        let mut map = Map::new();
        let mut open: Option<String> = None;
        for line in self.values() {
            let pair = match (line.split_once('='), line.split_once(": ")) {
                (Some((a, _)), Some((b, rest))) if b.len() < a.len() => Some((b, rest)),
                (Some(pair), _) | (None, Some(pair)) => Some(pair),
                (None, None) => None,
            };
            if let Some(key) = open.take().filter(|_| pair.is_none_or(|(k, _)| k.contains(' '))) {
                // `key:` with a long value on the next line.
                map.insert(key, Value::from(line));
            } else if let Some((key, value)) = pair {
                map.insert(key.trim().to_owned(), Value::from(value.trim()));
            } else if let Some(key) = line.strip_suffix(':') {
                map.insert(key.to_owned(), Value::from(""));
                open = Some(key.to_owned());
            }
        }
        Value::Object(map)
    }

    /// `name:  value` lines below as a map: quantities.
    pub fn quantities(self) -> Value {
        let pairs = self.body.entries().filter(|e| !e.key.is_empty());
        Value::Object(pairs.map(|e| (e.key.to_owned(), Value::from(e.value))).collect())
    }
}

/// Splits `Key:  value`. The colon must end the line or have a blank after it.
pub fn split_key(line: &str) -> (&str, &str) {
    if let Some(key) = line.strip_suffix(':')
        && !key.contains(": ")
    {
        return (key, "");
    }
    for (at, _) in line.match_indices(':') {
        let rest = line.get(at + 1..).unwrap_or("");
        if rest.starts_with([' ', '\t']) {
            return (line.get(..at).unwrap_or(""), rest.trim());
        }
    }
    ("", line)
}

/// `----  ------`.
pub fn is_rule(line: &str) -> bool {
    line.starts_with("--") && line.bytes().all(|b| matches!(b, b'-' | b' ' | b'\t' | b'/'))
}
