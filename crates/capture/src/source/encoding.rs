//! Turns UTF-16 into UTF-8 and drops byte order marks, as a stream.

use std::io::Read;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Encoding {
    /// Handed on as it is.
    Utf8,
    Utf16Le,
    Utf16Be,
}

/// A reader of UTF-8, whatever comes in. Bytes that are not UTF-8 pass unchanged; half a UTF-16
/// pair becomes U+FFFD.
pub struct Utf8<'a> {
    rest: &'a mut dyn Read,
    encoding: Encoding,
    /// Bytes to hand out before reading on.
    ready: Vec<u8>,
    taken: usize,
    /// Bytes of a UTF-16 text not turned yet: half a unit or half a pair.
    pending: Vec<u8>,
}

impl<'a> Utf8<'a> {
    pub fn new(rest: &'a mut dyn Read) -> std::io::Result<Self> {
        let mut head = Vec::new();
        rest.take(256).read_to_end(&mut head)?;
        let (encoding, mark) = encoding_of(&head);
        let head = head.get(mark..).unwrap_or_default().to_vec();
        let mut it = Utf8 { rest, encoding, ready: Vec::new(), taken: 0, pending: Vec::new() };
        if encoding == Encoding::Utf8 {
            it.ready = head;
        } else {
            let end = head.is_empty();
            it.turn(&head, end);
        }
        Ok(it)
    }

    /// Turns UTF-16 bytes into `ready`.
    fn turn(&mut self, bytes: &[u8], end: bool) {
        let mut all = std::mem::take(&mut self.pending);
        all.extend_from_slice(bytes);
        let mut units: Vec<u16> = Vec::with_capacity(all.len() / 2);
        let mut pairs = all.chunks_exact(2);
        for pair in &mut pairs {
            let bytes = [pair.first().copied().unwrap_or(0), pair.last().copied().unwrap_or(0)];
            units.push(match self.encoding {
                Encoding::Utf16Be => u16::from_be_bytes(bytes),
                _ => u16::from_le_bytes(bytes),
            });
        }
        let mut kept = pairs.remainder().len();
        // A pair of surrogates may be torn apart by the end of what was read.
        if !end && units.last().is_some_and(|u| (0xd800..0xdc00).contains(u)) {
            units.pop();
            kept += 2;
        }
        self.pending = all.get(all.len() - kept..).unwrap_or_default().to_vec();
        let text: String =
            char::decode_utf16(units).map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER)).collect();
        self.ready = text.into_bytes();
        self.taken = 0;
        if end && !self.pending.is_empty() {
            self.pending.clear();
            self.ready.extend_from_slice("\u{fffd}".as_bytes());
        }
    }
}

impl Read for Utf8<'_> {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        loop {
            let mut left = self.ready.get(self.taken..).unwrap_or_default();
            if !left.is_empty() {
                let count = left.read(into)?;
                self.taken += count;
                return Ok(count);
            }
            if self.encoding == Encoding::Utf8 {
                return self.rest.read(into);
            }
            let mut bytes = vec![0; 32 * 1024];
            let count = self.rest.read(&mut bytes)?;
            if count == 0 && self.pending.is_empty() {
                return Ok(0);
            }
            self.turn(bytes.get(..count).unwrap_or_default(), count == 0);
        }
    }
}

/// The encoding and the length of the byte order mark. Without a mark, UTF-16 shows in that
/// every other byte of the beginning is 0.
fn encoding_of(head: &[u8]) -> (Encoding, usize) {
    match head {
        [0xef, 0xbb, 0xbf, ..] => return (Encoding::Utf8, 3),
        [0xff, 0xfe, ..] => return (Encoding::Utf16Le, 2),
        [0xfe, 0xff, ..] => return (Encoding::Utf16Be, 2),
        _ => {}
    }
    let zeros = |odd: usize| head.iter().skip(odd).step_by(2).filter(|b| **b == 0).count();
    let half = head.len() / 2;
    if half < 2 {
        return (Encoding::Utf8, 0);
    }
    match (zeros(0), zeros(1)) {
        (0, odd) if odd * 10 > half * 9 => (Encoding::Utf16Le, 0),
        (even, 0) if even * 10 > half * 9 => (Encoding::Utf16Be, 0),
        _ => (Encoding::Utf8, 0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives one byte at a time.
    struct Drip<'a>(&'a [u8]);

    impl Read for Drip<'_> {
        fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
            let (Some((first, rest)), Some(to)) = (self.0.split_first(), into.first_mut()) else {
                return Ok(0);
            };
            *to = *first;
            self.0 = rest;
            Ok(1)
        }
    }

    fn decoded(mut bytes: &[u8]) -> String {
        let mut all = String::new();
        Utf8::new(&mut bytes).unwrap().read_to_string(&mut all).unwrap();
        all
    }

    #[test]
    fn utf16_and_marks() {
        let text = format!("{{\"kind\": \"Pod\"}} {} 😀 ü end", "filler ".repeat(60));
        let le: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let be: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
        for (mark, bytes) in [(&b"\xff\xfe"[..], &le), (b"\xfe\xff", &be), (b"", &le), (b"", &be)] {
            let all = [mark, bytes].concat();
            assert_eq!(decoded(&all), text);
            let mut drip = Drip(&all);
            let mut slow = String::new();
            Utf8::new(&mut drip).unwrap().read_to_string(&mut slow).unwrap();
            assert_eq!(slow, text);
        }
        assert_eq!(decoded(b"\xef\xbb\xbfabc"), "abc");
        assert_eq!(decoded(b"a\0b"), "a\0b");
        assert_eq!(decoded(b"\xff\xfea\0\x00\xd8"), "a\u{fffd}");
        assert_eq!(decoded(b"\xff\xfea\0b"), "a\u{fffd}");
        assert_eq!(decoded(b""), "");
    }
}
