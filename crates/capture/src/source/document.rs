//! One document: a name and a stream of UTF-8.

use crate::sniff;
use std::io::Read;

/// How much of a document is looked at to tell its form.
const HEAD_BYTES: usize = 64 * 1024;

/// A document being read. It is a reader of its bytes: UTF-8 without byte order mark, whatever
/// the file was in; bytes that are not UTF-8 are left for the readers of each form to replace.
pub struct Document<'a> {
    name: &'a str,
    head: Vec<u8>,
    taken: usize,
    rest: &'a mut dyn Read,
}

impl<'a> Document<'a> {
    /// A document of these bytes.
    ///
    /// # Errors
    /// When its first bytes cannot be read.
    pub fn new(name: &'a str, input: &'a mut dyn Read) -> std::io::Result<Self> {
        let mut head = Vec::new();
        input.take(HEAD_BYTES as u64).read_to_end(&mut head)?;
        Ok(Document { name, head, taken: 0, rest: input })
    }

    /// Its path, with the path inside an archive appended to the archive's; `-` for standard
    /// input.
    pub fn name(&self) -> &str {
        self.name
    }

    /// Its first bytes, up to 64 KiB.
    pub fn head(&self) -> &[u8] {
        &self.head
    }

    /// Its form, told by its first bytes.
    pub fn form(&self) -> sniff::Form {
        sniff::form(&self.head)
    }
}

impl Read for Document<'_> {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        let mut left = self.head.get(self.taken..).unwrap_or_default();
        if left.is_empty() {
            return self.rest.read(into);
        }
        let count = left.read(into)?;
        self.taken += count;
        Ok(count)
    }
}
