//! A sliding window over a JSON stream.
//!
//! Indentation (spaces after a line end) is dropped while bytes come in: in what `kubectl -o json`
//! prints it is more than half of all bytes, and a line end inside a JSON string is always
//! escaped, so nothing else is lost. Lines are counted as bytes are consumed. What was consumed
//! can be put back. The window never grows beyond its limit.

use super::indent::strip_indentation;
use std::collections::VecDeque;
use std::io::{ErrorKind, Read};

/// Bytes asked for at once.
const CHUNK: usize = 128 * 1024;

/// What asking for more bytes came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum More {
    /// The window is longer than before.
    Got,
    /// The input has ended (or failed: see [`Buffer::failure`]).
    End,
    /// The window is as long as it may become.
    Full,
}

/// A part of the input that was taken out of the window, inside what was the window.
#[derive(Debug, Default)]
pub struct Handed {
    bytes: Vec<u8>,
    from: usize,
    to: usize,
    /// Line of its first byte, counted from 1.
    pub line: u32,
}

impl Handed {
    /// The part.
    pub fn bytes(&self) -> &[u8] {
        self.bytes.get(self.from..self.to).unwrap_or_default()
    }

    /// The old window, to be used again.
    pub fn into_spare(self) -> Vec<u8> {
        self.bytes
    }
}

/// The window; `R` gives the bytes.
pub struct Buffer<R> {
    input: R,
    /// What comes before the rest of the input, without indentation.
    put_back: VecDeque<Vec<u8>>,
    bytes: Vec<u8>,
    start: usize,
    end: usize,
    line: u32,
    taken: u64,
    limit: usize,
    /// The last byte seen was a line end or indentation after one.
    in_indent: bool,
    ended: bool,
    failure: Option<std::io::Error>,
    chunk: usize,
}

impl<R: Read> Buffer<R> {
    /// A window of at most `limit` bytes.
    pub fn new(input: R, limit: usize) -> Self {
        Buffer {
            input,
            put_back: VecDeque::new(),
            bytes: Vec::new(),
            start: 0,
            end: 0,
            line: 1,
            taken: 0,
            limit,
            in_indent: false,
            ended: false,
            failure: None,
            chunk: CHUNK.min(limit.max(1)),
        }
    }

    /// What is readable now.
    pub fn window(&self) -> &[u8] {
        self.bytes.get(self.start..self.end).unwrap_or_default()
    }

    /// Line of the first byte of the window, counted from 1.
    pub fn line(&self) -> u32 {
        self.line
    }

    /// Why reading stopped before the end of the input.
    pub fn failure(&self) -> Option<&std::io::Error> {
        self.failure.as_ref()
    }

    /// Drops the first `count` bytes of the window.
    pub fn consume(&mut self, count: usize) {
        let count = count.min(self.end - self.start);
        let lines = line_ends(self.window().get(..count).unwrap_or_default());
        self.line = self.line.saturating_add(lines);
        self.start += count;
        self.taken += count as u64;
    }

    /// Consumes the first `count` bytes of the window and hands them over where they are: only
    /// what is behind them is copied, into `spare`, an old window.
    pub fn hand_over(&mut self, count: usize, spare: Vec<u8>) -> Handed {
        let line = self.line;
        let from = self.start;
        self.consume(count);
        let rest = self.start..self.end;
        let mut fresh = spare;
        if fresh.len() < rest.len() {
            fresh.resize(rest.len().max(self.chunk), 0);
        }
        let handed = std::mem::replace(&mut self.bytes, fresh);
        if let Some((to, from)) = self.bytes.get_mut(..rest.len()).zip(handed.get(rest.clone())) {
            to.copy_from_slice(from);
        }
        (self.start, self.end) = (0, rest.len());
        Handed { bytes: handed, from, to: rest.start, line }
    }

    /// How many bytes were consumed, without indentation and what was put back.
    pub fn taken(&self) -> u64 {
        self.taken
    }

    /// Puts bytes before the window that were consumed from there; they begin in this line.
    pub fn put_back<'b>(&mut self, parts: impl Iterator<Item = &'b [u8]>, line: u32) {
        let mut parts: VecDeque<Vec<u8>> = parts.map(<[u8]>::to_vec).collect();
        self.taken = self.taken.saturating_sub(parts.iter().map(|p| p.len() as u64).sum());
        self.line = line;
        parts.push_back(self.window().to_vec());
        (self.start, self.end) = (0, 0);
        parts.append(&mut self.put_back);
        self.put_back = parts;
    }

    /// Makes the window longer.
    pub fn more(&mut self) -> More {
        if self.ended && self.put_back.is_empty() {
            return More::End;
        }
        if self.start > 0 {
            self.bytes.copy_within(self.start..self.end, 0);
            self.end -= self.start;
            self.start = 0;
        }
        if self.end >= self.limit {
            return More::Full;
        }
        // A chunk at a time; a window that is already long doubles, so that what is in it is
        // not looked at again for every chunk.
        let room = (self.end + self.chunk.max(self.end)).min(self.limit);
        if self.bytes.len() < room {
            self.bytes.resize(room, 0);
        } else if self.bytes.len() > 8 * self.chunk && self.end < self.chunk {
            self.bytes.truncate(room);
            self.bytes.shrink_to_fit();
        }
        if self.put_back.is_empty() { self.fill(room) } else { self.refill(room) }
    }

    /// Takes up what was put back, up to `room` bytes in all.
    fn refill(&mut self, room: usize) -> More {
        let before = self.end;
        while let Some(mut part) = self.put_back.pop_front() {
            let Some(free) = self.bytes.get_mut(self.end..room) else { break };
            let count = part.len().min(free.len());
            let (now, _) = free.split_at_mut(count);
            now.copy_from_slice(part.get(..count).unwrap_or_default());
            self.end += count;
            if count < part.len() {
                part.drain(..count);
                self.put_back.push_front(part);
                break;
            }
        }
        if self.end > before { More::Got } else { self.fill(room) }
    }

    /// Reads once into the free part of the window (again while only indentation comes), up to
    /// `room` bytes in all.
    fn fill(&mut self, room: usize) -> More {
        loop {
            let Some(free) = self.bytes.get_mut(self.end..room) else { return More::Full };
            match self.input.read(free) {
                Ok(0) => {
                    self.ended = true;
                    return More::End;
                }
                Ok(count) => {
                    let fresh = free.get_mut(..count).unwrap_or_default();
                    let kept = strip_indentation(fresh, &mut self.in_indent);
                    self.end += kept;
                    if kept > 0 {
                        return More::Got;
                    }
                }
                Err(e) if e.kind() == ErrorKind::Interrupted => {}
                Err(e) => {
                    self.failure = Some(e);
                    self.ended = true;
                    return More::End;
                }
            }
        }
    }

    /// Consumes white space and gives the byte after it, without consuming that.
    pub fn peek(&mut self) -> Option<u8> {
        loop {
            let window = self.window();
            let blank = window.iter().take_while(|b| b.is_ascii_whitespace()).count();
            if let Some(byte) = window.get(blank).copied() {
                self.consume(blank);
                return Some(byte);
            }
            self.consume(blank);
            if self.more() != More::Got {
                return None;
            }
        }
    }

    #[cfg(test)]
    pub fn with_chunk(mut self, chunk: usize) -> Self {
        self.chunk = chunk.clamp(1, self.limit);
        self
    }
}

/// How many lines end in `bytes`.
pub fn line_ends(bytes: &[u8]) -> u32 {
    u32::try_from(memchr::memchr_iter(b'\n', bytes).count()).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// All bytes of a stream read `step` at a time.
    fn read_all(input: &[u8], step: usize) -> (Vec<u8>, u32) {
        let mut buffer = Buffer::new(input, 64).with_chunk(step);
        let mut all = Vec::new();
        while buffer.peek().is_some() {
            let window = buffer.window();
            let take = window.len().min(3);
            all.extend_from_slice(&window[..take]);
            buffer.consume(take);
        }
        (all, buffer.line())
    }

    #[test]
    fn indentation_goes_lines_stay() {
        let text = b"{\n                  \"a b\":   1,\n   \n\n\t\"c\": 2\r\n}\n";
        for step in 1..40 {
            let mut buffer = Buffer::new(&text[..], 1024).with_chunk(step);
            while buffer.more() == More::Got {}
            assert_eq!(buffer.window(), b"{\n\"a b\":   1,\n\n\n\t\"c\": 2\r\n}\n", "step {step}");
        }
        for step in 1..40 {
            assert_eq!(read_all(text, step).1, 7, "step {step}");
        }
    }

    #[test]
    fn the_window_is_bounded() {
        let mut buffer = Buffer::new(std::io::repeat(b'x'), 100).with_chunk(10);
        let mut rounds = 0;
        while buffer.more() == More::Got {
            rounds += 1;
            assert!(rounds < 100);
        }
        assert_eq!(buffer.window().len(), 100);
        buffer.consume(60);
        assert_eq!(buffer.more(), More::Got);
    }
}
