//! JSON of requests: what does not read is told in the words of the server's reader, and halves
//! of surrogate pairs become the mark of what cannot be read.

use serde::de::DeserializeOwned;

/// Reads a document. The error is the reader's message.
pub(super) fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, String> {
    let error = match serde_json::from_slice(body) {
        Ok(value) => return Ok(value),
        Err(error) => error,
    };
    if let Some(fault) = fault(body) {
        return Err(fault);
    }
    serde_json::from_str(&paired(&String::from_utf8_lossy(body))).map_err(|_| error.to_string())
}

/// Where the reader is.
#[derive(Clone, Copy, PartialEq)]
enum State {
    Value,
    /// Behind `[`.
    ValueOrEnd,
    Key,
    /// Behind `{`.
    KeyOrEnd,
    Colon,
    After,
    Text {
        is_key: bool,
    },
    Escape {
        is_key: bool,
    },
    Hex {
        is_key: bool,
        left: u8,
    },
    Literal {
        word: &'static str,
        at: usize,
    },
    Minus,
    Zero,
    Digits,
    Point,
    Fraction,
    Exponent,
    Sign,
    Power,
    Top,
}

/// The first fault of a text that is no JSON.
fn fault(text: &[u8]) -> Option<String> {
    let (mut state, mut open) = (State::Value, Vec::new());
    for byte in text {
        match step(state, *byte, &mut open) {
            Ok(next) => state = next,
            Err(place) => return Some(format!("invalid character '{}' {place}", go_char(*byte))),
        }
    }
    // The end is read like a space.
    match step(state, b' ', &mut open) {
        Err(place) => Some(format!("invalid character ' ' {place}")),
        Ok(State::Top) => None,
        Ok(State::After) if open.is_empty() => None,
        Ok(_) => Some("unexpected end of JSON input".into()),
    }
}

/// The state after a character, or the place where it does not fit. `open`: whether each open
/// container is an object.
fn step(state: State, byte: u8, open: &mut Vec<bool>) -> Result<State, String> {
    let space = matches!(byte, b' ' | b'\t' | b'\n' | b'\r');
    let at = |place: &str| Err(place.to_owned());
    match state {
        State::Text { is_key } => match byte {
            b'"' if is_key => Ok(State::Colon),
            b'"' => Ok(ended(open)),
            b'\\' => Ok(State::Escape { is_key }),
            0..0x20 => at("in string literal"),
            _ => Ok(state),
        },
        State::Escape { is_key } => match byte {
            b'b' | b'f' | b'n' | b'r' | b't' | b'\\' | b'/' | b'"' => Ok(State::Text { is_key }),
            b'u' => Ok(State::Hex { is_key, left: 4 }),
            _ => at("in string escape code"),
        },
        State::Hex { is_key, left } => match byte {
            _ if !byte.is_ascii_hexdigit() => at("in \\u hexadecimal character escape"),
            _ if left == 1 => Ok(State::Text { is_key }),
            _ => Ok(State::Hex { is_key, left: left - 1 }),
        },
        State::Literal { word, at } => match word.as_bytes().get(at) {
            Some(next) if *next == byte && at + 1 == word.len() => Ok(ended(open)),
            Some(next) if *next == byte => Ok(State::Literal { word, at: at + 1 }),
            next => {
                let next = next.map(|byte| char::from(*byte)).unwrap_or_default();
                Err(format!("in literal {word} (expecting '{next}')"))
            }
        },
        State::Minus
        | State::Zero
        | State::Digits
        | State::Point
        | State::Fraction
        | State::Exponent
        | State::Sign
        | State::Power => number(state, byte, open),
        _ if space => Ok(state),
        State::Value | State::ValueOrEnd => value(state, byte, open),
        State::Key | State::KeyOrEnd => match byte {
            b'"' => Ok(State::Text { is_key: true }),
            b'}' if state == State::KeyOrEnd => {
                open.pop();
                Ok(ended(open))
            }
            _ => at("looking for beginning of object key string"),
        },
        State::Colon if byte == b':' => Ok(State::Value),
        State::Colon => at("after object key"),
        State::After => match (open.last(), byte) {
            (Some(true), b',') => Ok(State::Key),
            (Some(false), b',') => Ok(State::Value),
            (Some(true), b'}') | (Some(false), b']') => {
                open.pop();
                Ok(ended(open))
            }
            (Some(true), _) => at("after object key:value pair"),
            (Some(false), _) => at("after array element"),
            (None, _) => at("after top-level value"),
        },
        State::Top => at("after top-level value"),
    }
}

fn ended(open: &[bool]) -> State {
    if open.is_empty() { State::Top } else { State::After }
}

fn value(state: State, byte: u8, open: &mut Vec<bool>) -> Result<State, String> {
    Ok(match byte {
        b'{' => {
            open.push(true);
            State::KeyOrEnd
        }
        b'[' => {
            open.push(false);
            State::ValueOrEnd
        }
        b']' if state == State::ValueOrEnd => {
            open.pop();
            ended(open)
        }
        b'"' => State::Text { is_key: false },
        b'-' => State::Minus,
        b'0' => State::Zero,
        b'1'..=b'9' => State::Digits,
        b't' => State::Literal { word: "true", at: 1 },
        b'f' => State::Literal { word: "false", at: 1 },
        b'n' => State::Literal { word: "null", at: 1 },
        _ => return Err("looking for beginning of value".into()),
    })
}

fn number(state: State, byte: u8, open: &mut Vec<bool>) -> Result<State, String> {
    Ok(match (state, byte) {
        (State::Minus, b'0') => State::Zero,
        (State::Minus | State::Digits, b'0'..=b'9') => State::Digits,
        (State::Minus, _) => return Err("in numeric literal".into()),
        (State::Zero | State::Digits, b'.') => State::Point,
        (State::Zero | State::Digits | State::Fraction, b'e' | b'E') => State::Exponent,
        (State::Point | State::Fraction, b'0'..=b'9') => State::Fraction,
        (State::Point, _) => return Err("after decimal point in numeric literal".into()),
        (State::Exponent, b'+' | b'-') => State::Sign,
        (State::Exponent | State::Sign | State::Power, b'0'..=b'9') => State::Power,
        (State::Exponent | State::Sign, _) => return Err("in exponent of numeric literal".into()),
        _ => return step(ended(open), byte, open),
    })
}

/// A byte as Go quotes it.
fn go_char(byte: u8) -> String {
    match byte {
        b'\'' => "\\'".into(),
        b'\\' => "\\\\".into(),
        b'\t' => "\\t".into(),
        b'\n' => "\\n".into(),
        b'\r' => "\\r".into(),
        0..0x20 | 0x7f => format!("\\x{byte:02x}"),
        0x80..=0xa0 | 0xad => format!("\\u{byte:04x}"),
        printable => char::from(printable).into(),
    }
}

/// The text with halves of surrogate pairs replaced.
fn paired(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        let (before, escape) = rest.split_at(at);
        out.push_str(before);
        let length = match (half(escape), escape.get(6..).and_then(half)) {
            (Some(0xd800..0xdc00), Some(0xdc00..0xe000)) => 12,
            (Some(0xd800..0xe000), _) => {
                out.push('\u{fffd}');
                rest = escape.get(6..).unwrap_or_default();
                continue;
            }
            (Some(_), _) => 6,
            (None, _) => 1 + escape.chars().nth(1).map_or(0, char::len_utf8),
        };
        let (whole, after) = escape.split_at_checked(length).unwrap_or((escape, ""));
        out.push_str(whole);
        rest = after;
    }
    out.push_str(rest);
    out
}

/// The number of an escape such as `\ud800` at the beginning of a text.
fn half(text: &str) -> Option<u32> {
    u32::from_str_radix(text.strip_prefix("\\u")?.get(..4)?, 16).ok()
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    #[test]
    fn faults_are_told_in_the_servers_words() {
        for (text, told) in [
            ("", "unexpected end of JSON input"),
            ("{\"a\":", "unexpected end of JSON input"),
            ("{'a':1}", "invalid character '\\'' looking for beginning of object key string"),
            ("{\"a\":1,}", "invalid character '}' looking for beginning of object key string"),
            ("{\"a\" 1}", "invalid character '1' after object key"),
            ("{\"a\":1 \"b\"}", "invalid character '\"' after object key:value pair"),
            ("[1 2]", "invalid character '2' after array element"),
            ("{} x", "invalid character 'x' after top-level value"),
            ("tru", "invalid character ' ' in literal true (expecting 'e')"),
            ("not", "invalid character 'o' in literal null (expecting 'u')"),
            ("{\"a\":01}", "invalid character '1' after object key:value pair"),
            ("\"\\x\"", "invalid character 'x' in string escape code"),
            ("\"\\u00g0\"", "invalid character 'g' in \\u hexadecimal character escape"),
            ("\"a\nb\"", "invalid character '\\n' in string literal"),
            ("-", "invalid character ' ' in numeric literal"),
            ("1.x", "invalid character 'x' after decimal point in numeric literal"),
            ("1e", "invalid character ' ' in exponent of numeric literal"),
            ("a: b", "invalid character 'a' looking for beginning of value"),
        ] {
            assert_eq!(read::<Value>(text.as_bytes()), Err(told.to_owned()), "{text}");
        }
    }

    #[test]
    fn halves_of_pairs_are_replaced() {
        for (text, told) in [
            (r#""\ud800x""#, "\u{fffd}x"),
            (r#""\udc00\\ud800""#, "\u{fffd}\\ud800"),
            (r#""\ud83d\ude00\ud83d""#, "\u{1f600}\u{fffd}"),
        ] {
            assert_eq!(read::<Value>(text.as_bytes()), Ok(told.into()), "{text}");
        }
        assert_eq!(read::<Value>(b"\"a\xffb\""), Ok("a\u{fffd}b".into()));
    }
}
