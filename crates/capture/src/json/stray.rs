//! Lines between JSON values that are not JSON: `kubectl cluster-info dump` prints logs between
//! its lists, and `2>&1` mixes in what a command complained about.

use super::Objects;
use super::buffer::More;
use super::walk::{Stop, Walk};
use crate::piece::{LogOwner, Piece};
use crate::{logs, text};
use std::io::Read;

/// Longest block of text between two values that is read.
const BLOCK_LIMIT_BYTES: usize = 4 * 1024 * 1024;

impl<R: Read, O: Objects> Walk<'_, R, O> {
    /// Reads lines until one begins like JSON.
    pub(super) fn stray_lines(&mut self) -> Result<(), Stop> {
        let first = self.buffer.line();
        let mut block = String::new();
        let mut dropped = 0_u64;
        while let Some(byte) = self.buffer.peek() {
            if matches!(byte, b'{' | b'[') && !block.is_empty() {
                break;
            }
            let line = self.buffer.line();
            let text = self.line();
            if let Some(of) = logs::heading(&text) {
                self.text_block(&block, first);
                self.dumped_log(&of, line);
                return Ok(());
            }
            if block.len() + text.len() > BLOCK_LIMIT_BYTES {
                dropped += 1;
            } else {
                block.push_str(&text);
                block.push('\n');
            }
        }
        self.text_block(&block, first);
        if dropped > 0 {
            self.skipped(first, format!("{dropped} lines of text are more than is read at once"));
        }
        Ok(())
    }

    fn text_block(&mut self, block: &str, first: u32) {
        if block.trim().is_empty() {
            return;
        }
        let hints = text::Hints { namespace: self.hints.namespace.clone(), ..Default::default() };
        let document = self.hints.document.clone();
        text::read_text(&document, block, &hints, &mut |mut piece| {
            move_down(&mut piece, first.saturating_sub(1));
            if let Piece::Skipped { why, place } = piece {
                self.skipped(place.line, why);
            } else {
                self.piece(piece);
            }
        });
    }

    /// The lines after `==== START logs for container ...` up to its end.
    fn dumped_log(&mut self, of: &LogOwner, start: u32) {
        let (mut lines, mut bytes, mut first) = (Vec::new(), 0, start.saturating_add(1));
        loop {
            let at = self.buffer.line();
            let more = self.buffer.window().is_empty() && self.buffer.more() != More::Got;
            let text = if more { None } else { Some(self.line()) };
            let ended = text.as_ref().is_none_or(|t| t.starts_with("==== END logs"));
            if let (false, Some(text)) = (ended, text) {
                if lines.is_empty() {
                    first = at;
                }
                bytes += text.len();
                lines.push(text);
            }
            if (ended || lines.len() >= logs::CHUNK_LINES || bytes >= logs::CHUNK_BYTES)
                && !lines.is_empty()
            {
                let (lines, place) = (std::mem::take(&mut lines), self.place(first));
                bytes = 0;
                self.piece(Piece::Log { of: of.clone(), lines, place });
            }
            if ended {
                return;
            }
        }
    }

    /// The line at the front without its end; of one that is longer than the window, the first
    /// part.
    fn line(&mut self) -> String {
        loop {
            let window = self.buffer.window();
            let end = memchr::memchr(b'\n', window);
            let len = end.unwrap_or(window.len());
            if end.is_some() || window.len() >= logs::LINE_LIMIT_BYTES {
                let text = String::from_utf8_lossy(window.get(..len).unwrap_or_default());
                let text = text.trim_end_matches('\r').to_owned();
                self.buffer.consume(len + usize::from(end.is_some()));
                return text;
            }
            if self.buffer.more() != More::Got {
                let text = String::from_utf8_lossy(self.buffer.window()).into_owned();
                self.buffer.consume(usize::MAX);
                return text;
            }
        }
    }
}

/// Places in a block count from the line above it.
fn move_down(piece: &mut Piece, by: u32) {
    let place = piece.place_mut();
    place.line = place.line.saturating_add(by);
}
