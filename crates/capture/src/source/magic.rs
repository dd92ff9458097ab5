//! Tells archives from documents by their first bytes.

use std::io::Read;

/// A tar header is one block of this size.
const BLOCK: usize = 512;

/// What a stream is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// gzip.
    Gzip,
    /// xz.
    Xz,
    /// tar.
    Tar,
    /// Something that is not read; a sentence about it.
    Unsupported(&'static str),
    /// Not packed.
    Plain,
}

/// The kind of a stream that begins with `head`.
pub fn kind(head: &[u8]) -> Kind {
    const MAGIC: &[(&[u8], Kind)] = &[
        (b"\x1f\x8b", Kind::Gzip),
        (b"\xfd7zXZ\0", Kind::Xz),
        (b"PK\x03\x04", Kind::Unsupported("a zip archive is not read: unpack it first")),
        (b"PK\x05\x06", Kind::Unsupported("a zip archive is not read: unpack it first")),
        (b"BZh", Kind::Unsupported("a bzip2 file is not read: unpack it first")),
        (b"\x28\xb5\x2f\xfd", Kind::Unsupported("a zstd file is not read: unpack it first")),
        (b"7z\xbc\xaf\x27\x1c", Kind::Unsupported("a 7z archive is not read: unpack it first")),
        (b"\x7fELF", Kind::Unsupported("a program is not read")),
        (b"SQLite format 3\0", Kind::Unsupported("a database is not read")),
    ];
    let found = MAGIC.iter().find(|(magic, _)| head.starts_with(magic)).map(|(_, kind)| *kind);
    found.unwrap_or(if is_tar(head) { Kind::Tar } else { Kind::Plain })
}

/// Whether the first block is a tar header: its checksum must hold, as old tars have no magic.
fn is_tar(head: &[u8]) -> bool {
    let Some(block) = head.get(..BLOCK) else { return false };
    let Some(field) = block.get(148..156) else { return false };
    let digits = field.trim_ascii_start();
    let end = digits.iter().position(|b| !(b'0'..=b'7').contains(b)).unwrap_or(digits.len());
    let digits = digits.get(..end).unwrap_or_default();
    let text = std::str::from_utf8(digits).unwrap_or_default();
    let Ok(stated) = u32::from_str_radix(text, 8) else { return false };
    let sum: u32 = block.iter().map(|b| u32::from(*b)).sum();
    let own: u32 = field.iter().map(|b| u32::from(*b)).sum();
    // The checksum counts its own field as blanks.
    sum - own + 8 * u32::from(b' ') == stated
}

/// A stream whose first bytes have been looked at.
pub struct Peeked<'a> {
    head: Vec<u8>,
    taken: usize,
    rest: &'a mut dyn Read,
}

impl<'a> Peeked<'a> {
    pub fn new(rest: &'a mut dyn Read) -> std::io::Result<Self> {
        let mut head = Vec::with_capacity(BLOCK);
        rest.take(BLOCK as u64).read_to_end(&mut head)?;
        Ok(Peeked { head, taken: 0, rest })
    }

    pub fn head(&self) -> &[u8] {
        &self.head
    }
}

impl Read for Peeked<'_> {
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
