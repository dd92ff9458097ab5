//! Drops indentation while bytes are read.
//!
//! Lines of JSON are so short that a call to search or to move each of them costs more than the
//! work, and their lengths differ so much that a loop over bytes is mispredicted at nearly every
//! line. So a block becomes two words of bits, where lines end and where spaces are; addition
//! finds the spaces that follow a line end, and what is between them is moved in whole chunks.

use wide::u8x16;

/// Bytes looked at at once: one bit of a word each.
const BLOCK: usize = 64;
/// Bytes moved at once: more than most lines are long.
const CHUNK: usize = 32;

/// Moves what is not indentation to the front and gives its length. `in_indent` tells whether
/// the last byte seen was a line end or indentation after one, before and after.
pub fn strip_indentation(bytes: &mut [u8], in_indent: &mut bool) -> usize {
    let (mut from, mut to) = (0, 0);
    // Longer than a block, so that a chunk can be taken from any place of it.
    let mut copy = [0; BLOCK + CHUNK];
    while let Some(block) = bytes.get(from..).and_then(<[u8]>::first_chunk::<BLOCK>) {
        let kept = not_indentation(block, in_indent);
        let nothing_moved = from == to;
        from += BLOCK;
        if nothing_moved && kept == u64::MAX {
            to = from;
            continue;
        }
        if let Some(place) = copy.first_chunk_mut() {
            *place = *block;
        }
        to = move_runs(&copy, kept, bytes, from, to);
    }
    while let Some(byte) = bytes.get(from).copied() {
        if byte != b' ' || !*in_indent {
            move_exactly(&[byte], bytes, to);
            to += 1;
            *in_indent = byte == b'\n';
        }
        from += 1;
    }
    to
}

/// A bit for every byte of the block that is to stay.
fn not_indentation(block: &[u8; BLOCK], in_indent: &mut bool) -> u64 {
    let (line_ends, spaces) = (bits_of(block, b'\n'), bits_of(block, b' '));
    let begins = (line_ends << 1 | u64::from(*in_indent)) & spaces;
    // The carry runs through the spaces behind each beginning and clears them.
    let (others, carried) = spaces.overflowing_add(begins);
    *in_indent = carried || line_ends >> (BLOCK - 1) == 1;
    !(spaces & !others)
}

/// A bit for every byte of the block that is this one, the first byte lowest.
fn bits_of(block: &[u8; BLOCK], byte: u8) -> u64 {
    let (lanes, _) = block.as_chunks();
    lanes.iter().rev().fold(0, |bits, lane| {
        let equal = u8x16::new(*lane).simd_eq(u8x16::splat(byte));
        bits << 16 | u64::from(equal.to_bitmask() & 0xffff)
    })
}

/// Moves the `kept` bytes of the block to `to`; gives the place after them. What stands before
/// `from` was read already, and may be written over.
fn move_runs(
    block: &[u8; BLOCK + CHUNK],
    mut kept: u64,
    bytes: &mut [u8],
    from: usize,
    mut to: usize,
) -> usize {
    while kept != 0 {
        let at = kept.trailing_zeros() as usize;
        let count = (kept >> at).trailing_ones() as usize;
        let run = block.get(at..).unwrap_or_default();
        let (first, second) = run.split_at(CHUNK.min(run.len()));
        if to + BLOCK <= from {
            move_chunk(first, bytes, to);
            if count > CHUNK {
                move_chunk(second, bytes, to + CHUNK);
            }
        } else {
            move_exactly(run.get(..count).unwrap_or_default(), bytes, to);
        }
        to += count;
        // Adding to the lowest one carries through its run.
        kept &= kept.wrapping_add(1 << at);
    }
    to
}

fn move_chunk(run: &[u8], bytes: &mut [u8], to: usize) {
    let place = bytes.get_mut(to..).and_then(<[u8]>::first_chunk_mut::<CHUNK>);
    if let Some((place, run)) = place.zip(run.first_chunk()) {
        *place = *run;
    }
}

fn move_exactly(run: &[u8], bytes: &mut [u8], to: usize) {
    if let Some(place) = bytes.get_mut(to..to + run.len()) {
        place.copy_from_slice(run);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn plainly(bytes: &[u8], in_indent: &mut bool) -> Vec<u8> {
        let mut kept = Vec::new();
        for byte in bytes {
            if *byte != b' ' || !*in_indent {
                *in_indent = *byte == b'\n';
                kept.push(*byte);
            }
        }
        kept
    }

    proptest! {
        #[test]
        fn as_byte_by_byte(
            lines in proptest::collection::vec((0usize..70, "[a-z \\x80-\\xff\t]{0,70}"), 0..40),
            begins_in_indent: bool,
            cut in 0usize..200,
        ) {
            let text: String =
                lines.iter().map(|(n, line)| format!("{}{line}\n", " ".repeat(*n))).collect();
            let bytes = text.as_bytes();
            let bytes = &bytes[..bytes.len().saturating_sub(cut)];
            let (mut fast, mut plain) = (begins_in_indent, begins_in_indent);
            let mut moved = bytes.to_vec();
            let kept = strip_indentation(&mut moved, &mut fast);
            prop_assert_eq!(&moved[..kept], plainly(bytes, &mut plain));
            let ends_in_line = bytes.last().is_some_and(|b| *b != b' ' && *b != b'\n');
            prop_assert!(!ends_in_line || !fast);
            prop_assert_eq!(fast, plain);
        }
    }
}
