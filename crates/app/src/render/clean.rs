//! Text from evidence is written by others, maybe by an attacker. Before it is shown, all that
//! could move the cursor, recolour, reorder or hide text is taken out.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// Columns that a text takes.
pub(super) fn width(text: &str) -> usize {
    text.width()
}

/// The text on one line: no control characters, no escape sequences, nothing invisible, single
/// spaces.
pub(crate) fn clean(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            '\u{1b}' => skip_escape(&mut chars),
            '\u{9b}' => skip_until_final(&mut chars),
            c if c.is_whitespace() => {
                if !out.ends_with(' ') && !out.is_empty() {
                    out.push(' ');
                }
            }
            c if c.is_control() || is_invisible(c) => {}
            c => out.push(c),
        }
    }
    out.truncate(out.trim_end().len());
    out
}

/// Skips what follows an escape character.
fn skip_escape(chars: &mut std::str::Chars<'_>) {
    let mut ahead = chars.clone();
    match ahead.next() {
        Some('[') => {
            *chars = ahead;
            skip_until_final(chars);
        }
        // A string of the operating system command kind ends with BEL or ESC \. When its end
        // is missing only its start is dropped, so that no evidence can hide the rest.
        Some(']' | 'P' | '_' | '^' | 'X') => {
            *chars = ahead.clone();
            let mut before = ' ';
            for c in ahead.by_ref() {
                if c == '\u{7}' || (before == '\u{1b}' && c == '\\') {
                    *chars = ahead;
                    return;
                }
                before = c;
            }
        }
        Some(_) => *chars = ahead,
        None => {}
    }
}

/// Skips parameters and the final byte of a control sequence.
fn skip_until_final(chars: &mut std::str::Chars<'_>) {
    let mut ahead = chars.clone();
    while let Some(c) = ahead.next() {
        match c {
            ' '..='?' => {}
            '@'..='~' => {
                *chars = ahead;
                return;
            }
            _ => return,
        }
        *chars = ahead.clone();
    }
}

/// Characters that take no room but change how their neighbours are shown: direction marks,
/// joiners, tags, soft hyphens.
fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}'
        | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{fe00}'..='\u{fe0f}'
        | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}')
}

/// Cleaned and cut to this many columns, with `...` where something was cut.
pub(super) fn cut(text: &str, columns: usize) -> String {
    let text = clean(text);
    if width(&text) <= columns {
        return text;
    }
    let kept = fit(&text, columns.saturating_sub(3));
    format!("{}...", kept.trim_end())
}

/// A path, cleaned and cut at its beginning, between folders where that can be: its end tells
/// most.
pub(super) fn cut_front(text: &str, columns: usize) -> String {
    let text = clean(text);
    if width(&text) <= columns {
        return text;
    }
    let (mut used, mut start) = (3, text.len());
    for (at, c) in text.char_indices().rev() {
        used += c.width().unwrap_or(0);
        if used > columns {
            break;
        }
        start = at;
    }
    let kept = text.get(start..).unwrap_or_default();
    let kept = kept.find('/').and_then(|at| kept.get(at..)).unwrap_or(kept);
    format!("...{kept}")
}

/// The longest beginning that takes at most this many columns.
pub(super) fn fit(text: &str, columns: usize) -> &str {
    let mut used = 0;
    for (at, c) in text.char_indices() {
        used += c.width().unwrap_or(0);
        if used > columns {
            return text.get(..at).unwrap_or_default();
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_steers_a_terminal_is_left() {
        for (text, want) in [
            ("a\u{1b}[31mred\u{1b}[0m b", "ared b"),
            ("x\u{1b}]0;title\u{7}y", "xy"),
            ("x\u{1b}]8;;http://e\u{1b}\\link", "xlink"),
            ("x\u{1b}]never ends", "xnever ends"),
            ("x\u{9b}2Jy", "xy"),
            ("x\u{1b}", "x"),
            ("a\r\n\tb\0c\u{7f}", "a bc"),
            ("in\u{202e}gnp.exe\u{200b}", "ingnp.exe"),
            ("  two  spaces  ", "two spaces"),
        ] {
            assert_eq!(clean(text), want, "{text:?}");
        }
    }

    #[test]
    fn cuts_count_columns_not_characters() {
        assert_eq!(cut("abcdefgh", 6), "abc...");
        assert_eq!(cut("abcdef", 6), "abcdef");
        assert_eq!(cut("漢字漢字", 7), "漢字...");
        assert_eq!(cut_front("dump/shop/pods.json", 15), ".../pods.json");
        assert_eq!(cut_front("longer-than-that.json", 12), "...that.json");
        assert_eq!(fit("漢字", 3), "漢");
    }
}
