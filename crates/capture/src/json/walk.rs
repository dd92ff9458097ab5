//! Walks through a JSON stream and finds out what each value is.

use super::buffer::{Buffer, More};
use super::fan::Fan;
use super::scan::{self, Shape, Skipper, Unclear};
use super::{Hints, Objects, Outcome};
use crate::piece::{Piece, Place};
use serde::de::DeserializeOwned;
use std::io::Read;

/// How far into an object we look for its kind before taking it for a mere container.
const SHAPE_LIMIT_BYTES: usize = 4 * 1024 * 1024;
/// How deep objects are looked for inside containers.
const DEPTH_LIMIT: u8 = 8;
/// How many single problems are reported; the rest is counted.
const REPORT_LIMIT: u32 = 50;

/// Why a value was not read to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// The input ended inside it.
    Ended,
    /// It is not JSON.
    Broken(&'static str),
}

/// What a value stands in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Inside<'a> {
    /// Kind of objects that name none; empty when not known.
    pub kind: &'a str,
    /// `apiVersion` of objects that name none; empty when not known.
    pub api_version: &'a str,
    /// In the `items` of a list, or the `object` of a watch event.
    pub items: bool,
    /// The watch said that the object is gone.
    pub gone: bool,
    /// How many containers are around.
    pub depth: u8,
    /// Key under which the value, or the array it is in, stands.
    pub key: &'a str,
}

impl<'a> Inside<'a> {
    /// One container deeper, under `key`.
    pub fn under(self, key: &'a str) -> Self {
        Inside { depth: self.depth.saturating_add(1), key, items: false, ..self }
    }
}

/// One reading of one document.
pub struct Walk<'w, R, O: Objects> {
    pub(super) buffer: Buffer<R>,
    pub(super) fan: Fan,
    pub(super) decoder: O::Decoder,
    pub(super) hints: &'w Hints,
    pub(super) out: &'w mut O,
    pub(super) outcome: Outcome,
    reports: u32,
    /// Only `{}` and `[]` were seen.
    empty: bool,
}

impl<'w, R: Read, O: Objects> Walk<'w, R, O> {
    pub fn new(buffer: Buffer<R>, fan: Fan, hints: &'w Hints, out: &'w mut O) -> Self {
        let outcome = Outcome { complete: true, ..Outcome::default() };
        let decoder = out.decoder();
        Walk { buffer, fan, decoder, hints, out, outcome, reports: 0, empty: true }
    }

    /// Reads values until the input ends; also tells whether there was nothing in them.
    pub fn run(mut self) -> (Outcome, bool) {
        let kind = self.hints.kind.as_deref().unwrap_or_default();
        let top = Inside { kind, api_version: "", items: false, gone: false, depth: 0, key: "" };
        while let Some(byte) = self.buffer.peek() {
            let line = self.buffer.line();
            let result = match byte {
                b'{' => self.object(top),
                b'[' => self.array(top),
                _ => self.stray_lines(),
            };
            match result {
                Ok(()) => {}
                Err(Stop::Ended) => break,
                Err(Stop::Broken(why)) => {
                    let at = self.buffer.line();
                    let rest = if at == line { "the line" } else { "the rest of the document" };
                    self.skipped(at, format!("{why}; {rest} is not read"));
                    if at != line || !self.next_line() {
                        break;
                    }
                }
            }
        }
        self.at_end();
        (self.outcome, self.empty)
    }

    fn at_end(&mut self) {
        if let Some(failure) = self.buffer.failure() {
            let why = format!("reading stopped: {failure}");
            self.skipped(self.buffer.line(), why);
        } else if self.reports == 0 && !self.outcome.complete {
            self.skipped(self.buffer.line(), "the document is cut off here".to_owned());
        }
        if self.reports > REPORT_LIMIT {
            let why = format!("{} more problems like these", self.reports - REPORT_LIMIT);
            self.out.piece(Piece::Skipped { why, place: self.place(0) });
        }
    }

    /// Reads the object at the front, whatever it is.
    pub(super) fn object(&mut self, inside: Inside<'_>) -> Result<(), Stop> {
        loop {
            let window = self.buffer.window();
            if !inside.kind.is_empty() && inside.items && begins_with_metadata(window) {
                return self.decode(inside);
            }
            match scan::shape(window) {
                Ok(Shape::Object { kind: "Status", .. }) => return self.status(),
                Ok(Shape::Object { .. }) if inside.items || inside.depth == 0 => {
                    return self.decode(inside);
                }
                Ok(Shape::Object { .. }) => return self.object_or_reference(inside),
                Ok(Shape::List { .. }) => return self.list(inside),
                Ok(Shape::Table) => return self.table(),
                Ok(Shape::Watch { change }) => {
                    let gone = change == "DELETED";
                    return self.watch_event(Inside { gone, ..inside });
                }
                Ok(Shape::Other(keys)) => return self.other(inside, keys),
                Err(Unclear::Broken) => return Err(Stop::Broken("this is not a JSON object")),
                Err(Unclear::Short) if window.len() >= SHAPE_LIMIT_BYTES => {
                    return self.other(inside, scan::Keys::default());
                }
                Err(Unclear::Short) => {}
            }
            match self.buffer.more() {
                More::Got => {}
                // What stands whole in a container before the cut is still worth reading.
                More::End if inside.depth < 2 && !inside.items => {
                    return self.other(inside, scan::Keys::default());
                }
                More::End | More::Full => return Err(self.ended()),
            }
        }
    }

    /// A value of a key nobody asked for.
    pub(super) fn skip(&mut self) -> Result<(), Stop> {
        let (mut skipper, mut moved) = (Skipper::default(), false);
        loop {
            let window = self.buffer.window();
            let len = window.len();
            match skipper.feed(window) {
                // Not a value: we would never get on.
                Some(0) if !moved => return Err(Stop::Broken("a value is missing")),
                Some(end) => {
                    self.buffer.consume(end);
                    return Ok(());
                }
                None => self.buffer.consume(len),
            }
            moved |= len > 0;
            if self.buffer.more() != More::Got {
                return Err(self.ended());
            }
        }
    }

    /// Calls `each` with every key of the object at the front; `each` reads the value and says
    /// so, or leaves it to be skipped. Values that are left out altogether are an error.
    pub(super) fn keys(
        &mut self,
        mut each: impl FnMut(&mut Self, &str, u8) -> Result<bool, Stop>,
    ) -> Result<(), Stop> {
        self.buffer.consume(1);
        loop {
            match self.buffer.peek() {
                Some(b'}') => {
                    self.buffer.consume(1);
                    return Ok(());
                }
                Some(b',') => self.buffer.consume(1),
                Some(b'"') => {
                    self.empty = false;
                    let key = self.small::<String>()?.unwrap_or_default();
                    if self.buffer.peek() != Some(b':') {
                        return Err(self.unexpected("a colon is missing after a key"));
                    }
                    self.buffer.consume(1);
                    let Some(first) = self.buffer.peek() else { return Err(self.ended()) };
                    if !each(self, &key, first)? {
                        self.skip()?;
                    }
                }
                Some(_) => return Err(Stop::Broken("a key is missing")),
                None => return Err(self.ended()),
            }
        }
    }

    /// Reads the array at the front.
    pub(super) fn array(&mut self, inside: Inside<'_>) -> Result<(), Stop> {
        let mut lines = self.lines_of(inside);
        self.buffer.consume(1);
        let result = loop {
            let result = match self.buffer.peek() {
                Some(b']') => {
                    self.buffer.consume(1);
                    break Ok(());
                }
                Some(b',') => {
                    self.empty = false;
                    self.buffer.consume(1);
                    Ok(())
                }
                Some(b'{') => self.element(inside, &mut lines),
                Some(b'"') if lines.wanted() => self.log_line(&mut lines),
                Some(b'}') => Err(Stop::Broken("an array ends with a brace")),
                Some(_) => {
                    self.empty = false;
                    self.skip()
                }
                None => Err(self.ended()),
            };
            if result.is_err() {
                break result;
            }
        };
        self.flush(&mut lines);
        result
    }

    /// The whole value at the front, if it is small enough to hold and is a `T`.
    pub(super) fn small<T: DeserializeOwned>(&mut self) -> Result<Option<T>, Stop> {
        loop {
            let window = self.buffer.window();
            if let Some(end) = scan::value_end(window) {
                let bytes = window.get(..end).unwrap_or_default();
                let value = serde_json::from_slice(bytes)
                    .ok()
                    .or_else(|| serde_json::from_str(&String::from_utf8_lossy(bytes)).ok());
                self.buffer.consume(end);
                return Ok(value);
            }
            match self.buffer.more() {
                More::Got => {}
                More::End => return Err(self.ended()),
                More::Full => {
                    let line = self.buffer.line();
                    self.skipped(line, "a value is too long to be held".to_owned());
                    self.skip()?;
                    return Ok(None);
                }
            }
        }
    }

    pub(super) fn too_deep(inside: Inside<'_>) -> bool {
        inside.depth > DEPTH_LIMIT
    }

    /// The input ended, or a value is longer than the window may be.
    pub(super) fn ended(&mut self) -> Stop {
        self.outcome.complete = false;
        Stop::Ended
    }

    /// Something else than expected, or nothing any more.
    fn unexpected(&mut self, why: &'static str) -> Stop {
        match self.buffer.peek() {
            Some(_) => Stop::Broken(why),
            None => self.ended(),
        }
    }

    /// Goes on to the next line; false when there is none.
    fn next_line(&mut self) -> bool {
        loop {
            let window = self.buffer.window();
            let len = window.len();
            if let Some(at) = memchr::memchr(b'\n', window) {
                self.buffer.consume(at + 1);
                return true;
            }
            self.buffer.consume(len);
            if self.buffer.more() != More::Got {
                return false;
            }
        }
    }

    pub(super) fn place(&self, line: u32) -> Place {
        Place { document: self.hints.document.clone(), line }
    }

    pub(super) fn piece(&mut self, piece: Piece) {
        self.outcome.pieces += 1;
        self.out.piece(piece);
    }

    /// Reports what could not be read.
    pub(super) fn skipped(&mut self, line: u32, why: String) {
        self.outcome.complete = false;
        self.reports = self.reports.saturating_add(1);
        if self.reports <= REPORT_LIMIT {
            self.out.piece(Piece::Skipped { why, place: self.place(line) });
        }
    }
}

/// Items of the API's own lists carry no kind and begin with `metadata`.
pub fn begins_with_metadata(window: &[u8]) -> bool {
    let after = window.get(1..).unwrap_or_default();
    after.trim_ascii_start().starts_with(b"\"metadata\"")
}
