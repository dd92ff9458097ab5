//! Reads one document with the reader its form needs.

use super::document::Document;
use super::path::PathHints;
use crate::json::{self, Decode, Objects};
use crate::piece::{Piece, Place};
use crate::sniff::Form;
use crate::{logs, metrics, text, yaml};
use std::io::Read;

/// A YAML file up to this size is read as text when it has no object.
const YAML_HELD_BYTES: u64 = 1024 * 1024;
/// Text is read in parts of at most this size,
const TEXT_PART_BYTES: u64 = 32 * 1024 * 1024;
/// and of at most so many lines: what is known of a line takes more room than a short line.
const TEXT_PART_LINES: usize = 512 * 1024;

/// What was read of a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DocumentReport {
    /// Its name.
    pub name: String,
    /// Its form.
    pub form: Form,
    /// Objects handed on, also those written in YAML or for people.
    pub objects: u64,
    /// Other pieces handed on.
    pub pieces: u64,
    /// Parts that could not be read, each reported as [`Piece::Skipped`].
    pub skipped: u64,
}

/// Counts pieces on their way out.
struct Counting<'o, O> {
    out: &'o mut O,
    report: DocumentReport,
}

impl<O: Objects> Counting<'_, O> {
    fn piece(&mut self, piece: Piece) {
        match piece {
            Piece::Skipped { .. } => self.report.skipped += 1,
            Piece::Object { .. } => self.report.objects += 1,
            _ => self.report.pieces += 1,
        }
        self.out.piece(piece);
    }

    fn skipped(&mut self, why: String) {
        let place = Place { document: self.report.name.clone(), line: 0 };
        self.piece(Piece::Skipped { why, place });
    }
}

impl<O: Objects> Objects for Counting<'_, O> {
    type Decoder = O::Decoder;

    fn decoder(&self) -> O::Decoder {
        self.out.decoder()
    }

    fn object(&mut self, object: <O::Decoder as Decode>::Object, line: u32, gone: bool) {
        self.report.objects += 1;
        self.out.object(object, line, gone);
    }

    fn piece(&mut self, piece: Piece) {
        Counting::piece(self, piece);
    }
}

/// Reads a document to its end and hands all it says to `out`.
pub fn read<O: Objects>(document: &mut Document<'_>, out: &mut O) -> DocumentReport {
    let name = document.name().to_owned();
    let form = document.form();
    let hints = PathHints::new(&name, form, document.head());
    let report = DocumentReport { name: name.clone(), form, objects: 0, pieces: 0, skipped: 0 };
    let mut out = Counting { out, report };
    if let Some(of) = hints.log_of.as_ref().filter(|_| is_log(&name, form)) {
        logs::read(document, &name, of, &mut |piece| out.piece(piece));
        return out.report;
    }
    let complete = match form {
        Form::Json => read_json(document, &name, &hints, &mut out),
        Form::Yaml => read_yaml(document, &name, &hints, &mut out),
        Form::Csv => {
            metrics::read_csv(document, &name, &mut |piece| out.piece(piece));
            false
        }
        Form::Text => {
            read_parts(document, &name, &hints, &mut out);
            false
        }
        Form::Binary => {
            out.skipped("is not text".to_owned());
            false
        }
        Form::Empty => {
            blanks(document, &mut out);
            false
        }
    };
    if let (true, Some(listing)) = (complete, hints.listing) {
        let place = Place { document: name, line: 0 };
        let (kind, namespace) = (listing.kind, listing.namespace);
        out.piece(Piece::Listed { kind, namespace, place });
    }
    out.report
}

/// Only white space stood where a form could be told: there must be nothing else.
fn blanks<O: Objects>(document: &mut Document<'_>, out: &mut Counting<'_, O>) {
    let mut chunk = vec![0; 64 * 1024];
    loop {
        match document.read(&mut chunk) {
            Ok(0) => return,
            Ok(n) if chunk.get(..n).is_some_and(|c| c.trim_ascii().is_empty()) => {}
            Ok(_) => {
                return out.skipped("begins with white space only; the rest is not read".into());
            }
            Err(e) if e.kind() == std::io::ErrorKind::Interrupted => {}
            Err(e) => return out.skipped(format!("reading stopped: {e}")),
        }
    }
}

/// A log file may look like JSON or YAML, line by line.
fn is_log(name: &str, form: Form) -> bool {
    name.ends_with(".log")
        || name.ends_with("/logs.txt")
        || (form == Form::Text && name.contains(".log"))
}

fn read_json<O: Objects>(
    document: &mut Document<'_>,
    name: &str,
    hints: &PathHints,
    out: &mut Counting<'_, O>,
) -> bool {
    let hints = json::Hints {
        document: name.to_owned(),
        kind: hints.kind.clone(),
        namespace: hints.namespace.clone(),
        log_of: hints.log_of.clone(),
    };
    json::read(document, &hints, out).complete
}

fn read_yaml<O: Objects>(
    document: &mut Document<'_>,
    name: &str,
    hints: &PathHints,
    out: &mut Counting<'_, O>,
) -> bool {
    let mut held = Vec::new();
    if let Err(e) = (&mut *document).take(YAML_HELD_BYTES).read_to_end(&mut held) {
        out.skipped(format!("reading stopped: {e}"));
        return false;
    }
    let yaml_hints = yaml::Hints { document: name.to_owned(), kind: hints.kind.clone() };
    if held.len() as u64 == YAML_HELD_BYTES {
        let input = held.as_slice().chain(document);
        return yaml::read(input, &yaml_hints, &mut |piece| out.piece(piece)).complete;
    }
    let mut pieces = Vec::new();
    let outcome = yaml::read(held.as_slice(), &yaml_hints, &mut |piece| pieces.push(piece));
    if outcome.objects == 0 && outcome.lists == 0 {
        // Perhaps it only looked like YAML. If text makes no sense either, say what is wrong
        // with the YAML.
        let mut from_text = Vec::new();
        text_part(&held, name, hints, 0, &mut |piece| from_text.push(piece));
        if from_text.iter().any(|p| !matches!(p, Piece::Skipped { .. })) {
            pieces = from_text;
        }
    }
    for piece in pieces {
        out.piece(piece);
    }
    outcome.complete
}

/// Text for people, in parts that end with a line.
fn read_parts<O: Objects>(
    document: &mut Document<'_>,
    name: &str,
    hints: &PathHints,
    out: &mut Counting<'_, O>,
) {
    let (mut part, mut above) = (Vec::new(), 0_u32);
    let mut ended: Option<std::io::Result<()>> = None;
    loop {
        if ended.is_none() {
            let room = TEXT_PART_BYTES.saturating_sub(part.len() as u64);
            match (&mut *document).take(room).read_to_end(&mut part) {
                Ok(_) if part.len() as u64 >= TEXT_PART_BYTES => {}
                Ok(_) => ended = Some(Ok(())),
                Err(e) => ended = Some(Err(e)),
            }
        }
        if part.is_empty() {
            break;
        }
        let (end, lines) = part_end(&part, ended.is_none());
        let rest = part.split_off(end);
        text_part(&part, name, hints, above, &mut |piece| out.piece(piece));
        above = above.saturating_add(u32::try_from(lines).unwrap_or(u32::MAX));
        part = rest;
    }
    if let Some(Err(e)) = ended {
        out.skipped(format!("reading stopped: {e}"));
    }
}

/// Where a part of these bytes ends, and how many lines it has. If more bytes `follow`, the last
/// line may not be whole.
fn part_end(bytes: &[u8], follow: bool) -> (usize, usize) {
    let mut ends = memchr::memchr_iter(b'\n', bytes).map(|at| at + 1);
    if let Some(end) = ends.nth(TEXT_PART_LINES - 1) {
        return (end, TEXT_PART_LINES);
    }
    let lines = memchr::memchr_iter(b'\n', bytes).count();
    let last = memchr::memrchr(b'\n', bytes).map_or(bytes.len(), |at| at + 1);
    (if follow { last } else { bytes.len() }, lines)
}

fn text_part(bytes: &[u8], name: &str, hints: &PathHints, above: u32, sink: &mut dyn FnMut(Piece)) {
    let text = String::from_utf8_lossy(bytes);
    if let std::borrow::Cow::Owned(_) = text {
        let place = Place { document: name.to_owned(), line: above.saturating_add(1) };
        let why = "bytes that are not UTF-8 were replaced".to_owned();
        sink(Piece::Skipped { why, place });
    }
    let hints = text::Hints {
        namespace: hints.namespace.clone(),
        file: Some(name.to_owned()),
        log_of: None,
    };
    text::read_text(name, &text, &hints, &mut |mut piece| {
        let place = piece.place_mut();
        place.line = place.line.saturating_add(above);
        sink(piece);
    });
}
