//! Objects that are not Kubernetes objects: what holds some, alerts, log lines, measurements.

use super::scan::{self, Keys, Shape};
use super::walk::{Inside, Stop, Walk};
use super::{Objects, buffer::More};
use crate::piece::{LogOwner, Piece};
use crate::{alerts, logs, metrics, text};
use serde_json::Value;
use std::io::Read;

/// Lines gathered from an array until they are handed on.
pub struct Lines {
    of: Option<LogOwner>,
    line: u32,
    lines: Vec<String>,
    bytes: usize,
}

impl Lines {
    /// Whether strings of this array are lines of a log.
    pub fn wanted(&self) -> bool {
        self.of.is_some()
    }
}

impl<R: Read, O: Objects> Walk<'_, R, O> {
    /// An object without a kind.
    pub(super) fn other(&mut self, inside: Inside<'_>, keys: Keys) -> Result<(), Stop> {
        if Self::too_deep(inside) {
            self.outcome.complete = false;
            return self.skip();
        }
        let has_kind = !inside.kind.is_empty() && keys.metadata;
        if has_kind && (inside.items || inside.depth == 0) {
            return self.decode(inside);
        }
        if inside.items {
            let line = self.buffer.line();
            self.skip()?;
            self.skipped(line, "an item names no kind".to_owned());
            return Ok(());
        }
        if (keys.starts && keys.labels) || inside.key == "alerts" {
            return self.alert();
        }
        if keys.metric && keys.values {
            return self.series();
        }
        self.keys(|walk, key, first| {
            let under = inside.under(key);
            match first {
                b'{' => walk.object(under)?,
                b'[' => walk.array(under)?,
                b'"' => return walk.embedded_text(under),
                _ => return Ok(false),
            }
            Ok(true)
        })
    }

    /// Something with a kind inside a container. Without metadata of its own it is a mere
    /// reference to an object, and must not pass for one.
    pub(super) fn object_or_reference(&mut self, inside: Inside<'_>) -> Result<(), Stop> {
        loop {
            match has_metadata(self.buffer.window()) {
                Some(true) => return self.decode(inside),
                Some(false) => return self.skip(),
                None => {}
            }
            match self.buffer.more() {
                More::Got => {}
                More::End => return Err(self.ended()),
                More::Full => return self.decode(inside),
            }
        }
    }

    /// `kind: Status`: what the API server answered instead of an object.
    pub(super) fn status(&mut self) -> Result<(), Stop> {
        let line = self.buffer.line();
        let Some(value) = self.small::<Value>()? else { return Ok(()) };
        let text = |pointer: &str| value.pointer(pointer).and_then(Value::as_str);
        let named = (text("/details/kind"), text("/details/name"));
        if let (Some("NotFound"), (Some(kind), Some(name))) = (text("/reason"), named) {
            let kind = text::kinds::by_name(kind).map_or(kind, |k| k.kind).to_owned();
            let namespace = self.hints.namespace.clone();
            let place = self.place(line);
            self.piece(Piece::Missing { kind, namespace, name: name.to_owned(), place });
        } else if text("/status") == Some("Failure") {
            let message = text("/message").unwrap_or("no message").to_owned();
            self.skipped(line, format!("the API server answered: {message}"));
        }
        Ok(())
    }

    fn alert(&mut self) -> Result<(), Stop> {
        let line = self.buffer.line();
        if let Some(value) = self.small::<Value>()? {
            let place = self.place(line);
            match alerts::alert(value) {
                Some(value) => self.piece(Piece::Alert { value, place }),
                None => self.skipped(line, "an alert has neither labels nor a name".to_owned()),
            }
        }
        Ok(())
    }

    fn series(&mut self) -> Result<(), Stop> {
        let place = self.place(self.buffer.line());
        if let Some(value) = self.small::<Value>()? {
            for piece in metrics::series(&value, &place) {
                self.piece(piece);
            }
        }
        Ok(())
    }

    /// A string of several lines: text for people inside JSON.
    fn embedded_text(&mut self, inside: Inside<'_>) -> Result<bool, Stop> {
        if inside.depth > 2 {
            return Ok(false);
        }
        let line = self.buffer.line();
        let Some(text) = self.small::<String>()? else { return Ok(true) };
        if text.lines().count() > 2 {
            let hints = text::Hints {
                namespace: self.hints.namespace.clone(),
                file: Some(inside.key.to_owned()),
                log_of: self.hints.log_of.clone(),
            };
            let document = format!("{}:{line}:{}", self.hints.document, inside.key);
            text::read_text(&document, &text, &hints, &mut |piece| self.piece(piece));
        }
        Ok(true)
    }

    /// Whether the strings of an array are log lines, and whose: `{"cart": ["line", ...]}`.
    pub(super) fn lines_of(&self, inside: Inside<'_>) -> Lines {
        let named = inside.depth == 1 && !matches!(inside.key, "alerts" | "items" | "rows");
        let of = named.then(|| logs::owner_of_name(inside.key));
        Lines { of, line: 0, lines: Vec::new(), bytes: 0 }
    }

    pub(super) fn log_line(&mut self, lines: &mut Lines) -> Result<(), Stop> {
        let line = self.buffer.line();
        if let Some(text) = self.small::<String>()? {
            self.push(lines, text, line);
        }
        Ok(())
    }

    /// An object in an array: a log line written as JSON, or anything else.
    pub(super) fn element(&mut self, inside: Inside<'_>, lines: &mut Lines) -> Result<(), Stop> {
        let line = self.buffer.line();
        if lines.wanted()
            && let Ok(Shape::Other(keys)) = scan::shape(self.buffer.window())
            && keys.message
            && keys.level
            && !keys.starts
        {
            if let Some(value) = self.small::<Value>()? {
                self.push(lines, value.to_string(), line);
            }
            return Ok(());
        }
        let depth = inside.depth.saturating_add(1);
        self.object(Inside { depth, ..inside })
    }

    fn push(&mut self, lines: &mut Lines, text: String, line: u32) {
        if lines.lines.is_empty() {
            lines.line = line;
        }
        lines.bytes += text.len();
        lines.lines.push(text);
        if lines.lines.len() >= logs::CHUNK_LINES || lines.bytes >= logs::CHUNK_BYTES {
            self.flush(lines);
        }
    }

    /// Hands on the lines gathered so far.
    pub(super) fn flush(&mut self, lines: &mut Lines) {
        let gathered = std::mem::take(&mut lines.lines);
        lines.bytes = 0;
        if let (Some(of), false) = (&lines.of, gathered.is_empty()) {
            let (of, place) = (of.clone(), self.place(lines.line));
            self.piece(Piece::Log { of, lines: gathered, place });
        }
    }
}

/// Whether the object at the front has metadata; nothing when its end is not in sight.
fn has_metadata(bytes: &[u8]) -> Option<bool> {
    let end = scan::value_end(bytes);
    let mut at = 1;
    loop {
        let rest = bytes.get(at..)?;
        let key = at + rest.iter().position(|b| *b == b'"' || *b == b'}')?;
        if bytes.get(key) == Some(&b'}') {
            return end.map(|_| false);
        }
        let after = key + scan::value_end(bytes.get(key..)?)?;
        if bytes.get(key..after) == Some(b"\"metadata\"") {
            return Some(true);
        }
        let colon = after + bytes.get(after..)?.iter().position(|b| *b == b':')? + 1;
        at = colon + scan::value_end(bytes.get(colon..)?)?;
    }
}
