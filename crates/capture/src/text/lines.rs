//! Cuts a text into clean lines: no ANSI escapes, no NUL, no CR, nothing longer than 64 kB.
//!
//! It never changes how far lines stand from each other: `describe` and YAML live by it.

use super::Out;
use std::borrow::Cow;

/// Longest line kept, in bytes; the rest is cut off and reported.
const MAX_LINE_BYTES: usize = 64 * 1024;

/// One line of the input.
#[derive(Clone, Debug, PartialEq)]
pub struct Line<'a> {
    /// Number in the input, from 1.
    pub number: u32,
    /// Text without line end.
    pub text: Cow<'a, str>,
}

impl Line<'_> {
    /// The text without white space around it.
    pub fn trimmed(&self) -> &str {
        self.text.trim()
    }

    /// Whether it stands right below `other`.
    pub fn follows(&self, other: &Line<'_>) -> bool {
        other.number.checked_add(1) == Some(self.number)
    }

    /// Whether there is nothing but white space.
    pub fn is_blank(&self) -> bool {
        self.trimmed().is_empty()
    }
}

/// All lines of `text`.
pub fn split<'a>(text: &'a str, out: &mut Out<'_>) -> Vec<Line<'a>> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut lines = Vec::with_capacity(text.len() / 60 + 1);
    let mut margin = None;
    for (index, raw) in text.lines().enumerate() {
        let number = u32::try_from(index).unwrap_or(u32::MAX - 1).saturating_add(1);
        let mut raw = raw.trim_end_matches('\r');
        if raw.len() > MAX_LINE_BYTES {
            let end = floor_boundary(raw, MAX_LINE_BYTES);
            out.skipped(format!("the rest of this line after {end} bytes was cut off"), number);
            raw = raw.get(..end).unwrap_or("");
        }
        let mut text = clean(raw);
        if margin.is_none() && !text.trim().is_empty() {
            margin = Some(text.len() - text.trim_start_matches(' ').len());
        }
        take_margin(&mut text, margin.unwrap_or(0));
        lines.push(Line { number, text });
    }
    lines
}

/// Takes off what the first line is moved in by: a session pasted into a list or a code block.
fn take_margin(text: &mut Cow<'_, str>, margin: usize) {
    let blanks = text.bytes().take(margin).take_while(|b| *b == b' ').count();
    if blanks == 0 {
        return;
    }
    match text {
        Cow::Borrowed(t) => *t = t.get(blanks..).unwrap_or(""),
        Cow::Owned(t) => drop(t.drain(..blanks)),
    }
}

fn floor_boundary(text: &str, mut at: usize) -> usize {
    while at > 0 && !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

/// Takes out control characters and what terminals put between letters.
fn clean(raw: &str) -> Cow<'_, str> {
    if !raw.bytes().any(|b| b < b' ' && b != b'\t') && !raw.contains('\u{a0}') {
        return Cow::Borrowed(raw);
    }
    let mut text = String::with_capacity(raw.len());
    let mut chars = raw.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\u{1b}' => skip_escape(&mut chars),
            // Copied from web pages, it stands for a blank.
            '\u{a0}' => text.push(' '),
            '\t' => text.push(c),
            c if c.is_control() => {}
            c => text.push(c),
        }
    }
    Cow::Owned(text)
}

/// Skips `[31m` (control sequence), `]0;title BEL` (title) or a single letter after ESC.
fn skip_escape(chars: &mut std::iter::Peekable<std::str::Chars<'_>>) {
    match chars.peek() {
        Some('[') => {
            chars.next();
            for c in chars.by_ref() {
                if ('@'..='~').contains(&c) {
                    break;
                }
            }
        }
        Some(']') => {
            for c in chars.by_ref() {
                if c == '\u{7}' || c == '\\' {
                    break;
                }
            }
        }
        Some(_) => {
            chars.next();
        }
        None => {}
    }
}

/// Widens tabs to columns of eight, as terminals do, so that columns line up.
pub fn expand_tabs(text: &str) -> Cow<'_, str> {
    if !text.contains('\t') {
        return Cow::Borrowed(text);
    }
    let mut wide = String::with_capacity(text.len() + 32);
    let mut column = 0usize;
    for c in text.chars() {
        if c == '\t' {
            let fill = 8 - column % 8;
            wide.extend(std::iter::repeat_n(' ', fill));
            column += fill;
        } else {
            wide.push(c);
            column += 1;
        }
    }
    Cow::Owned(wide)
}

/// Blanks before the first letter, tabs widened.
pub fn indent(text: &str) -> usize {
    let mut column = 0usize;
    for b in text.bytes() {
        match b {
            b' ' => column += 1,
            b'\t' => column += 8 - column % 8,
            _ => break,
        }
    }
    column
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_and_controls_go() {
        for (raw, want) in [
            ("\u{1b}[1;31mError\u{1b}[0m: x", "Error: x"),
            ("a\0b", "ab"),
            ("\u{1b}]0;root@x\u{7}$ ls", "$ ls"),
            ("a\u{a0}b", "a b"),
            ("\u{1b}", ""),
            ("a\tb", "a\tb"),
        ] {
            assert_eq!(clean(raw), want, "{raw:?}");
        }
    }

    #[test]
    fn long_lines_are_cut_and_reported() {
        let text = "ü".repeat(MAX_LINE_BYTES);
        let mut notes = 0;
        let mut sink = |_| notes += 1;
        let lines = split(&text, &mut Out { document: "d", sink: &mut sink });
        assert!(lines[0].text.len() <= MAX_LINE_BYTES);
        assert_eq!(notes, 1);
    }

    #[test]
    fn tabs_are_columns() {
        assert_eq!(expand_tabs("a\tb"), "a       b");
        assert_eq!(indent("  \tx"), 8);
    }
}
