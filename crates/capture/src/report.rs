//! What was read, as far as a person wants to know.

use model::Builder;

/// Everything read from the input: the evidence, and an account of the reading itself.
#[derive(Debug, Default)]
pub struct Capture {
    /// The evidence, ready to be joined into a snapshot.
    pub evidence: Builder,
    /// The documents, in the order that `Evidence::document` counts.
    pub documents: Vec<Document>,
    /// What could not be read.
    pub skipped: Vec<Skipped>,
}

/// One document of the input.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Document {
    /// Path, path inside an archive, or `-`.
    pub name: String,
    /// Format, found by content, e.g. `kubernetes-json`, `transcript`.
    pub format: String,
    /// Objects read.
    pub objects: usize,
    /// Events read.
    pub events: usize,
    /// Lines of logs read.
    pub lines: usize,
    /// Pieces that could not be read.
    pub skipped: usize,
}

/// Something that could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Skipped {
    /// Document.
    pub document: String,
    /// Line, or 0.
    pub line: u32,
    /// Why, in one sentence.
    pub why: String,
}
