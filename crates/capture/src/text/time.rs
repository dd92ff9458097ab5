//! Ages (`7m39s`) and dates (`Tue, 11 Nov 2025 15:58:50 +0800`) as people see them.
//!
//! No clock here: relative ages stay ages.

use jiff::fmt::rfc2822::DateTimeParser;

/// Seconds of `2y35d`, `4d5h`, `7m39s`, `250ms`; `None` when it is no age.
pub fn age_seconds(text: &str) -> Option<u64> {
    let text = text.trim();
    let mut total = 0u64;
    let mut digits = None::<u64>;
    let mut chars = text.chars().peekable();
    if !text.starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    while let Some(c) = chars.next() {
        if let Some(d) = c.to_digit(10) {
            let so_far = digits.unwrap_or(0);
            digits = Some(so_far.saturating_mul(10).saturating_add(u64::from(d)));
            continue;
        }
        let unit = match c {
            'y' => 365 * 86_400,
            'w' => 7 * 86_400,
            'd' => 86_400,
            'h' => 3_600,
            'm' if chars.peek() == Some(&'s') => {
                chars.next();
                0
            }
            'm' => 60,
            's' => 1,
            _ => return None,
        };
        total = total.saturating_add(digits.take()?.saturating_mul(unit));
    }
    // A number left over has no unit: `12` is a count, not an age.
    if digits.is_some() { None } else { Some(total) }
}

/// A date as `kubectl` prints it, as RFC 3339 in UTC.
pub fn rfc3339(text: &str) -> Option<String> {
    let text = text.trim();
    if !text.contains(|c: char| c.is_ascii_digit()) {
        return None;
    }
    if let Ok(at) = text.parse::<jiff::Timestamp>() {
        return Some(at.to_string());
    }
    static PARSER: DateTimeParser = DateTimeParser::new().relaxed_weekday(true);
    if let Ok(at) = PARSER.parse_timestamp(text) {
        return Some(at.to_string());
    }
    // Go's default form: `2025-11-11 15:58:50 +0800 CST`.
    let mut words = text.split_whitespace();
    let (date, time, zone) = (words.next()?, words.next()?, words.next()?);
    let (hours, minutes) = (zone.get(..3)?, zone.get(3..5)?);
    let joined = format!("{date}T{time}{hours}:{minutes}");
    joined.parse::<jiff::Timestamp>().ok().map(|at| at.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages() {
        for (text, want) in [
            ("63s", Some(63)),
            ("7m39s", Some(459)),
            ("4d5h", Some(4 * 86_400 + 5 * 3_600)),
            ("2y35d", Some(2 * 365 * 86_400 + 35 * 86_400)),
            ("250ms", Some(0)),
            ("12", None),
            ("<unknown>", None),
            ("", None),
            ("s", None),
            ("99999999999999999999999y", Some(u64::MAX)),
        ] {
            assert_eq!(age_seconds(text), want, "{text}");
        }
    }

    #[test]
    fn dates() {
        for (text, want) in [
            ("Tue, 11 Nov 2025 15:58:50 +0800", Some("2025-11-11T07:58:50Z")),
            ("Mon, 11 Nov 2025 15:58:50 +0800", Some("2025-11-11T07:58:50Z")),
            ("2025-11-11 15:58:50 +0800 CST", Some("2025-11-11T07:58:50Z")),
            ("2025-11-11T07:58:50Z", Some("2025-11-11T07:58:50Z")),
            ("<unset>", None),
            ("Tue, 99 Nov 2025", None),
        ] {
            assert_eq!(rfc3339(text).as_deref(), want, "{text}");
        }
    }
}
