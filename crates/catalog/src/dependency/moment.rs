//! The time that a line of a log begins with or carries.

use model::Timestamp;

/// How far into a line a time is looked for.
const LOOK_BYTES: usize = 4096;

/// The time of a line, where it carries one: `2026-03-01T10:00:00Z`, `2026/03/01 10:00:00`,
/// `01 Mar 2026 10:00:00`, or seconds since 1970 in a field named after time. A time without
/// a zone is taken as UTC: times of one log may be compared with each other.
pub(crate) fn of(line: &str) -> Option<Timestamp> {
    let bytes = line.as_bytes();
    let bytes = bytes.get(..bytes.len().min(LOOK_BYTES)).unwrap_or_default();
    dated(line, bytes).or_else(|| worded(line)).or_else(|| since_1970(line))
}

fn dated(line: &str, bytes: &[u8]) -> Option<Timestamp> {
    let is_date = |w: &[u8]| {
        w.iter().zip(b"dddd-dd-ddTdd:dd:dd").all(|(c, want)| match want {
            b'd' => c.is_ascii_digit(),
            b'-' => matches!(c, b'-' | b'/'),
            b'T' => matches!(c, b'T' | b' '),
            other => c == other,
        })
    };
    let start = bytes.windows(19).position(is_date)?;
    let date = line.get(start..start + 10)?.replace('/', "-");
    let time = line.get(start + 11..start + 19)?;
    let rest = line.get(start + 19..)?;
    let fraction = rest.trim_start_matches(['.', ',']);
    let digits = fraction.len() - fraction.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let rest = if fraction.len() < rest.len() { fraction.get(digits..)? } else { rest };
    let zone = match rest.as_bytes() {
        [b'+' | b'-', a, b, b':', c, d, ..] if [a, b, c, d].iter().all(|c| c.is_ascii_digit()) => {
            rest.get(..6)?
        }
        _ => "Z",
    };
    format!("{date}T{time}{zone}").parse().ok()
}

const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// `01 Mar 2026 10:00:00`.
fn worded(line: &str) -> Option<Timestamp> {
    let words: Vec<&str> = line.split_whitespace().take(8).collect();
    words.windows(4).find_map(|w| {
        let [day, month, year, time] = w else { return None };
        let month = MONTHS.iter().position(|m| m == month)? + 1;
        let day: u8 = day.parse().ok()?;
        let time = time.get(..8)?;
        format!("{year}-{month:02}-{day:02}T{time}Z").parse().ok()
    })
}

/// `"time":1772359200123`, `ts=1772359200.1`.
fn since_1970(line: &str) -> Option<Timestamp> {
    let mark = ["\"timestamp\":", "\"time\":", "\"ts\":", "ts=", "time="];
    let rest = mark.iter().find_map(|m| line.split_once(m)).map(|(_, rest)| rest)?;
    let rest = rest.trim_start_matches([' ', '"']);
    let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
    let digits = rest.get(..end)?;
    let number: i64 = digits.parse().ok()?;
    let seconds = match digits.len() {
        10 => number,
        13 => number / 1_000,
        16 => number / 1_000_000,
        19 => number / 1_000_000_000,
        _ => return None,
    };
    Some(Timestamp::from_seconds(seconds))
}

#[cfg(test)]
mod tests {
    #[test]
    fn times_are_read_in_the_forms_of_many_programs() {
        for line in [
            "2026-03-01T10:00:00.123456Z error",
            "2026-03-01T11:00:00+01:00 error",
            "2026-03-01 10:00:00,123 ERROR [main] x",
            "2026/03/01 10:00:00 [error] 7#7: x",
            "1:M 01 Mar 2026 10:00:00.123 * Ready",
            "{\"level\":\"info\",\"ts\":1772359200.25}",
            "{\"time\":1772359200123,\"pid\":1}",
        ] {
            let at = super::of(line).map(|t| t.to_string());
            assert_eq!(at.as_deref(), Some("2026-03-01T10:00:00Z"), "{line}");
        }
        for line in ["", "no time", "time=12", "2026-99-99T10:00:00Z"] {
            assert_eq!(super::of(line), None, "{line}");
        }
    }
}
