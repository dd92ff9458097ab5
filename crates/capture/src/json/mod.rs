//! Reads JSON evidence as a stream: lists of any size, single objects, one object a line,
//! watch streams, server-side tables, alerts, maps of log lines, and containers of these.
//!
//! Objects are decoded straight from the bytes by whoever implements [`Objects`]; no tree of
//! values is built on the way. The items of a long list are decoded on several threads; what is
//! handed on, and in what order, does not depend on that. The reader holds one window of bytes and
//! a few segments of a list, never the whole input, and never fails: what cannot be read is
//! reported as [`Piece::Skipped`] and the rest is read on. It must never judge what it reads.

mod buffer;
mod container;
mod cut;
mod decode;
mod fan;
mod indent;
mod list;
mod scan;
mod segment;
mod stray;
mod table;
mod walk;

#[cfg(test)]
mod tests;

use crate::piece::{Form, LogOwner, Piece, Place};
use serde::Deserialize;
use serde_json::Value;
use std::io::Read;

/// The decoder an object is read with.
pub type Json<'de> = serde_json::Deserializer<serde_json::de::SliceRead<'de>>;

/// Longest object that is read, in bytes without indentation. The API server refuses objects
/// above 1.5 MiB or so (3 MiB in a request); escapes can double that.
pub const OBJECT_LIMIT_BYTES: usize = 16 * 1024 * 1024;

/// What is known of an object before it is decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head<'a> {
    /// Its kind, from itself or from the list it is in; empty when nobody says.
    pub kind: &'a str,
    /// Its `apiVersion`; empty when it is not known (it may stand after the kind).
    pub api_version: &'a str,
}

/// Decodes objects, on any thread: each gets a clone of its own.
pub trait Decode: Clone + Send {
    /// What an object becomes.
    type Object: Send;

    /// Decodes one object and must consume exactly one JSON value (of a kind that is not wanted:
    /// `IgnoredAny::deserialize(json)`). It is called again with more bytes when they run out,
    /// so it has no effect that can be seen.
    ///
    /// # Errors
    /// Those of the decoder; the object is then reported as skipped.
    fn decode(&self, head: Head<'_>, json: &mut Json<'_>) -> serde_json::Result<Self::Object>;
}

/// Takes objects from the reader.
pub trait Objects {
    /// Decodes them.
    type Decoder: Decode;

    /// What objects of one document are decoded with.
    fn decoder(&self) -> Self::Decoder;

    /// Takes a decoded object that began at `line`; `gone` when a watch saw its deletion.
    fn object(&mut self, object: <Self::Decoder as Decode>::Object, line: u32, gone: bool);

    /// Takes anything else.
    fn piece(&mut self, piece: Piece);
}

/// What the caller knows about a JSON document.
#[derive(Clone, Debug, Default)]
pub struct Hints {
    /// Name of the document, for places.
    pub document: String,
    /// Kind of objects that do not name their own, e.g. from `pods.json`.
    pub kind: Option<String>,
    /// Namespace of objects of texts that name none.
    pub namespace: Option<String>,
    /// Owner of log lines that name none.
    pub log_of: Option<LogOwner>,
}

/// How a document was read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// Objects handed on.
    pub objects: u64,
    /// Other pieces handed on, without reports of what was skipped.
    pub pieces: u64,
    /// Lists and tables read, also empty ones.
    pub lists: u64,
    /// Nothing of the document was cut off, broken or skipped.
    pub complete: bool,
}

/// Reads the whole of `input`.
pub fn read<R: Read, O: Objects>(input: R, hints: &Hints, out: &mut O) -> Outcome {
    let buffer = buffer::Buffer::new(input, OBJECT_LIMIT_BYTES);
    read_buffer(buffer, fan::Fan::default(), hints, out)
}

fn read_buffer<R: Read, O: Objects>(
    buffer: buffer::Buffer<R>,
    fan: fan::Fan,
    hints: &Hints,
    out: &mut O,
) -> Outcome {
    let (outcome, empty) = walk::Walk::new(buffer, fan, hints, out).run();
    if outcome.complete && !empty && outcome.objects + outcome.pieces + outcome.lists == 0 {
        let why = "this JSON holds no Kubernetes objects, alerts or logs".to_owned();
        out.piece(Piece::Skipped {
            why,
            place: Place { document: hints.document.clone(), line: 0 },
        });
        return Outcome { complete: false, ..outcome };
    }
    outcome
}

/// Hands every object on as a [`Piece::Object`]: for small inputs and tests.
pub struct ToPieces<'a> {
    document: &'a str,
    sink: &'a mut dyn FnMut(Piece),
}

impl<'a> ToPieces<'a> {
    /// Pieces get `document` as the name of their place.
    pub fn new(document: &'a str, sink: &'a mut dyn FnMut(Piece)) -> Self {
        ToPieces { document, sink }
    }
}

/// Decodes objects to values that name their kind.
#[derive(Clone, Copy, Debug, Default)]
pub struct ToValues;

impl Decode for ToValues {
    type Object = Value;

    fn decode(&self, head: Head<'_>, json: &mut Json<'_>) -> serde_json::Result<Value> {
        let mut value = Value::deserialize(json)?;
        if let Value::Object(map) = &mut value {
            for (key, text) in [("kind", head.kind), ("apiVersion", head.api_version)] {
                if !text.is_empty() && !map.contains_key(key) {
                    map.insert(key.to_owned(), text.into());
                }
            }
        }
        Ok(value)
    }
}

impl Objects for ToPieces<'_> {
    type Decoder = ToValues;

    fn decoder(&self) -> ToValues {
        ToValues
    }

    fn object(&mut self, value: Value, line: u32, gone: bool) {
        let place = Place { document: self.document.to_owned(), line };
        (self.sink)(if gone {
            Piece::Gone { value, place }
        } else {
            Piece::Object { value, form: Form::Api, place }
        });
    }

    fn piece(&mut self, piece: Piece) {
        (self.sink)(piece);
    }
}
