//! Drops indentation while bytes are read.
//!
//! Lines of JSON are so short that a call to search or to move each of them costs more than the
//! work, and their lengths differ so much that a loop over words is mispredicted at nearly every
//! line. So a block is looked at and moved as a whole, whatever is in it.

/// Bytes looked at at once: more than most lines and most indentations are long.
const BLOCK: usize = 32;

/// Moves what is not indentation to the front and gives its length. `in_indent` tells whether
/// the last byte seen was a line end or indentation after one, before and after.
pub fn strip_indentation(bytes: &mut [u8], in_indent: &mut bool) -> usize {
    let (mut from, mut to) = (0, 0);
    loop {
        if *in_indent {
            from += spaces(bytes.get(from..).unwrap_or_default());
        }
        while let Some(block) = block(bytes, from) {
            let end = first(&block, |word| zero_bytes(word ^ LINE_ENDS));
            *in_indent = end < BLOCK;
            let count = if *in_indent { end + 1 } else { BLOCK };
            // What is behind a line end may be written over only where it was read already;
            // and up to the first indentation everything is in its place.
            let width = if from - to < BLOCK { count } else { BLOCK };
            if from > to
                && let Some((place, kept)) = bytes.get_mut(to..to + width).zip(block.get(..width))
            {
                place.copy_from_slice(kept);
            }
            (from, to) = (from + count, to + count);
            if *in_indent {
                from += spaces(bytes.get(from..).unwrap_or_default());
            }
        }
        let Some(byte) = bytes.get(from).copied() else { return to };
        if let Some(place) = bytes.get_mut(to) {
            *place = byte;
        }
        *in_indent = byte == b'\n';
        (from, to) = (from + 1, to + 1);
    }
}

const LINE_ENDS: u64 = u64::from_le_bytes([b'\n'; 8]);
const SPACES: u64 = u64::from_le_bytes([b' '; 8]);
const HIGH: u64 = u64::from_le_bytes([0x80; 8]);

fn block(bytes: &[u8], at: usize) -> Option<[u8; BLOCK]> {
    bytes.get(at..)?.first_chunk().copied()
}

/// How many spaces `bytes` begin with.
fn spaces(bytes: &[u8]) -> usize {
    let mut count = 0;
    while let Some(block) = block(bytes, count) {
        match first(&block, |word| other_bytes(word ^ SPACES)) {
            BLOCK => count += BLOCK,
            end => return count + end,
        }
    }
    let rest = bytes.get(count..).unwrap_or_default();
    count + rest.iter().take_while(|b| **b == b' ').count()
}

/// Which byte of the block is the first whose high bit is set in `marks` of its word; the
/// length of the block when there is none.
fn first(block: &[u8; BLOCK], marks: impl Fn(u64) -> u64) -> usize {
    let (words, _) = block.as_chunks::<8>();
    let bits = words.iter().rev().fold(0, |bits: u64, word| {
        // Gathers the eight high bits in the highest byte.
        let gathered = (marks(u64::from_le_bytes(*word)) >> 7).wrapping_mul(0x0102_0408_1020_4080);
        bits << 8 | gathered >> 56
    });
    (bits | 1 << BLOCK).trailing_zeros() as usize
}

/// The high bit of every byte that is zero, exact up to the first one.
fn zero_bytes(word: u64) -> u64 {
    word.wrapping_sub(u64::from_le_bytes([1; 8])) & !word & HIGH
}

/// The high bit of every byte that is not zero.
fn other_bytes(word: u64) -> u64 {
    ((word & !HIGH).wrapping_add(!HIGH) | word) & HIGH
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
