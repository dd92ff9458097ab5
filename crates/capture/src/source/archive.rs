//! Packed files and archives, as streams.
//!
//! Entries of a tar are read raw: long names are bounded here, and names never become paths.

use super::magic::Kind;
use super::meter::{Counted, Metered};
use super::{Limits, Walker};
use std::cell::Cell;
use std::io::Read;
use tar::EntryType;

/// Longest name of an entry.
const NAME_LIMIT_BYTES: u64 = 8 * 1024;
/// Memory the xz decoder may take.
const XZ_MEMORY_BYTES: u64 = 256 << 20;

/// Unpacks `input`, which is of `kind`.
pub fn open(walker: &mut Walker<'_>, name: &str, kind: Kind, input: &mut dyn Read, nesting: u8) {
    let packed = Cell::new(0);
    let counted = Counted { input, count: &packed };
    match kind {
        Kind::Gzip => {
            let decoder = flate2::read::MultiGzDecoder::new(counted);
            unpacked(walker, name, &mut metered(decoder, &packed, &walker.limits), nesting);
        }
        Kind::Xz => {
            let flags = liblzma::stream::CONCATENATED;
            match liblzma::stream::Stream::new_stream_decoder(XZ_MEMORY_BYTES, flags) {
                Ok(stream) => {
                    let decoder = liblzma::read::XzDecoder::new_stream(counted, stream);
                    unpacked(walker, name, &mut metered(decoder, &packed, &walker.limits), nesting);
                }
                Err(e) => walker.lost(name, format!("cannot be unpacked: {e}")),
            }
        }
        Kind::Tar => entries(walker, name, &mut metered(counted, &packed, &walker.limits), nesting),
        Kind::Unsupported(_) | Kind::Plain => {}
    }
}

fn metered<'c, R: Read>(input: R, packed: &'c Cell<u64>, limits: &Limits) -> Metered<'c, R> {
    let (limit, ratio) = (limits.archive_bytes, limits.ratio);
    Metered { input, packed, unpacked: 0, limit, ratio }
}

/// What came out of a packer: usually a tar, which is not one more archive inside an archive.
fn unpacked(walker: &mut Walker<'_>, name: &str, input: &mut dyn Read, nesting: u8) {
    let mut input = match super::magic::Peeked::new(input) {
        Ok(input) => input,
        Err(e) => return walker.lost(name, format!("cannot be unpacked: {e}")),
    };
    match super::magic::kind(input.head()) {
        Kind::Tar => entries(walker, name, &mut input, nesting),
        _ => walker.stream(name, &mut input, nesting.saturating_add(1)),
    }
}

/// Reads the entries of a tar in the order they stand.
fn entries(walker: &mut Walker<'_>, archive: &str, input: &mut dyn Read, nesting: u8) {
    let mut tar = tar::Archive::new(input);
    let entries = match tar.entries() {
        Ok(entries) => entries.raw(true),
        Err(e) => return walker.skipped(archive, format!("is no tar archive: {e}")),
    };
    let mut long_name: Option<Vec<u8>> = None;
    let mut odd = Odd::default();
    for entry in entries {
        let mut entry = match entry {
            Ok(entry) => entry,
            Err(e) => {
                walker.lost(archive, format!("the archive is broken or cut off here: {e}"));
                break;
            }
        };
        let kind = entry.header().entry_type();
        match kind {
            EntryType::GNULongName => {
                long_name = bounded(&mut entry).map(|b| until_nul(&b).to_vec());
                continue;
            }
            EntryType::XHeader => {
                long_name = bounded(&mut entry).and_then(|b| pax_path(&b)).or(long_name);
                continue;
            }
            EntryType::GNULongLink | EntryType::XGlobalHeader => continue,
            _ => {}
        }
        let raw = long_name.take().unwrap_or_else(|| entry.path_bytes().into_owned());
        match kind {
            EntryType::Regular | EntryType::Continuous => {}
            EntryType::Directory => continue,
            EntryType::Symlink | EntryType::Link => {
                odd.links += 1;
                continue;
            }
            _ => {
                odd.special += 1;
                continue;
            }
        }
        let inside = String::from_utf8_lossy(&raw).into_owned();
        if escapes(&inside) {
            odd.escaping += 1;
            continue;
        }
        let name = format!("{archive}/{}", inside.trim_start_matches("./"));
        if entry.size() > walker.limits.entry_bytes {
            let limit = walker.limits.entry_bytes;
            walker.lost(&name, format!("the entry is larger than {limit} bytes"));
            continue;
        }
        walker.stream(&name, &mut entry, nesting.saturating_add(1));
        if walker.documents > walker.limits.documents {
            break;
        }
    }
    odd.report(walker, archive);
}

/// Entries that are not read, by reason.
#[derive(Default)]
struct Odd {
    links: u64,
    special: u64,
    escaping: u64,
}

impl Odd {
    fn report(&self, walker: &mut Walker<'_>, archive: &str) {
        for (count, why) in [
            (self.links, "are links; what they point to is read where it stands"),
            (self.special, "are neither files nor folders"),
            (self.escaping, "have a name that leads out of the archive"),
        ] {
            if count > 0 {
                walker.skipped(archive, format!("{count} entries {why}"));
            }
        }
    }
}

/// Whether a name is absolute or climbs above the archive.
fn escapes(name: &str) -> bool {
    let absolute = name.starts_with(['/', '\\']) || name.as_bytes().get(1) == Some(&b':');
    absolute || name.split(['/', '\\']).any(|part| part == "..")
}

/// The content of an entry that holds a name.
fn bounded(entry: &mut impl Read) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    entry.take(NAME_LIMIT_BYTES).read_to_end(&mut bytes).ok()?;
    Some(bytes)
}

fn until_nul(bytes: &[u8]) -> &[u8] {
    bytes.split(|b| *b == 0).next().unwrap_or_default()
}

/// `path` of a pax header, whose records are `27 path=...\n`.
fn pax_path(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut rest = bytes;
    loop {
        let blank = rest.iter().position(|b| *b == b' ')?;
        let len: usize = std::str::from_utf8(rest.get(..blank)?).ok()?.parse().ok()?;
        let record = rest.get(blank + 1..len)?;
        if let Some(path) = record.strip_prefix(b"path=") {
            return Some(path.strip_suffix(b"\n").unwrap_or(path).to_vec());
        }
        rest = rest.get(len..)?;
    }
}
