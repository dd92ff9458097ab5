//! Opens what the user points at: files, folders, archives, standard input.
//!
//! Every document in it is handed on as a bounded stream of UTF-8 with a name. Archives are known
//! by their bytes, never by their names, and unpacked as a stream: nothing is ever written to
//! disk, names inside archives are only names, and every limit that was hit is reported.
//! What a document means is not known here.

mod archive;
mod document;
mod encoding;
mod folder;
mod magic;
mod meter;
mod path;
mod read;

#[cfg(test)]
mod tests;

pub use document::Document;
pub use path::{Listing, PathHints};
pub use read::{DocumentReport, read};

use crate::piece::{Piece, Place};
use std::io::Read;
use std::path::PathBuf;

/// Bounds on what is opened. Each is far beyond what any real capture has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Documents in all inputs together.
    pub documents: u64,
    /// Bytes unpacked from one archive.
    pub archive_bytes: u64,
    /// Bytes of one entry of an archive.
    pub entry_bytes: u64,
    /// Unpacked bytes for each packed byte, once more than 64 MiB are unpacked.
    pub ratio: u64,
    /// Archives inside archives.
    pub nesting: u8,
    /// Folders inside folders.
    pub folder_depth: u16,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            documents: 500_000,
            archive_bytes: 64 << 30,
            entry_bytes: 16 << 30,
            ratio: 1_000,
            nesting: 1,
            folder_depth: 64,
        }
    }
}

/// One thing the user pointed at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// Standard input, called `-`.
    Stdin,
    /// A file, folder or archive.
    Path(PathBuf),
}

impl Input {
    /// `-` is standard input, anything else a path.
    pub fn from_argument(argument: &str) -> Self {
        if argument == "-" { Input::Stdin } else { Input::Path(PathBuf::from(argument)) }
    }
}

/// Takes what is found.
pub trait Visit {
    /// A document; what is left unread of it is lost.
    fn document(&mut self, document: &mut Document<'_>);
    /// Something that was not opened: a [`Piece::Skipped`].
    fn skipped(&mut self, piece: Piece);
    /// The rest of an input could not be read, whatever was in it.
    fn lost(&mut self);
}

/// Opens every input in order; folders in the order of their names.
pub fn walk(inputs: &[Input], limits: &Limits, visit: &mut dyn Visit) {
    let mut walker = Walker { limits: *limits, documents: 0, visit };
    for input in inputs {
        match input {
            Input::Stdin => walker.stream("-", &mut std::io::stdin().lock(), 0),
            Input::Path(path) => folder::open(&mut walker, path),
        }
    }
    if walker.documents > limits.documents {
        let over = walker.documents - limits.documents;
        let why = format!("{over} documents beyond {} were not read", limits.documents);
        walker.lost("the input", why);
    }
}

/// What a walk carries along.
struct Walker<'v> {
    limits: Limits,
    documents: u64,
    visit: &'v mut dyn Visit,
}

impl Walker<'_> {
    /// Reads a stream of bytes: a document, or an archive of documents.
    fn stream(&mut self, name: &str, input: &mut dyn Read, nesting: u8) {
        let mut input = match magic::Peeked::new(input) {
            Ok(input) => input,
            Err(e) => return self.skipped(name, format!("cannot be read: {e}")),
        };
        let kind = magic::kind(input.head());
        match kind {
            magic::Kind::Plain => self.document(name, &mut input),
            magic::Kind::Unsupported(why) => self.skipped(name, why.to_owned()),
            _ if nesting > self.limits.nesting => {
                self.skipped(name, "an archive this deep inside archives is not read".to_owned());
            }
            _ => archive::open(self, name, kind, &mut input, nesting),
        }
    }

    fn document(&mut self, name: &str, input: &mut dyn Read) {
        self.documents += 1;
        if self.documents > self.limits.documents {
            return;
        }
        let mut input = match encoding::Utf8::new(input) {
            Ok(input) => input,
            Err(e) => return self.skipped(name, format!("cannot be read: {e}")),
        };
        match Document::new(name, &mut input) {
            Ok(mut document) => self.visit.document(&mut document),
            Err(e) => self.skipped(name, format!("cannot be read: {e}")),
        }
    }

    /// Reports what was not opened, and that nobody knows what was in it.
    fn lost(&mut self, name: &str, why: String) {
        self.skipped(name, why);
        self.visit.lost();
    }

    fn skipped(&mut self, name: &str, why: String) {
        let place = Place { document: name.to_owned(), line: 0 };
        self.visit.skipped(Piece::Skipped { why, place });
    }
}
