//! Lines of the journal (`Nov 11 16:01:11 node-1 kubelet[3632]: ...`) and signs of a log.

use super::emit;
use crate::piece::LogOwner;
use crate::text::Out;
use crate::text::lines::Line;

const MONTHS: &[&str] =
    &["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// Host and unit of a line of the journal.
pub fn journal_line(text: &str) -> Option<(&str, &str)> {
    let mut words = text.split_whitespace();
    let first = words.next()?;
    if MONTHS.contains(&first) {
        let (_day, time) = (words.next()?, words.next()?);
        if time.len() < 8 || !time.starts_with(|c: char| c.is_ascii_digit()) {
            return None;
        }
    } else if !(first.contains('T') && starts_with_date(first)) {
        return None;
    }
    let (host, ident) = (words.next()?, words.next()?);
    let ident = ident.strip_suffix(':')?;
    let unit = ident.split('[').next().unwrap_or(ident);
    let plain =
        |t: &str| t.chars().all(|c| c.is_alphanumeric() || matches!(c, '-' | '.' | '_' | '@'));
    (!unit.is_empty() && plain(host) && plain(unit)).then_some((host, unit))
}

/// Hands lines on, split where host or unit change; `host` and `unit` hold for lines that name
/// none. A message of `systemd` about a unit belongs to that unit's log.
pub fn emit_journal(lines: &[Line<'_>], host: Option<&str>, unit: &str, out: &mut Out<'_>) {
    let owner = |line: &Line<'_>| {
        let (node, ident) = journal_line(&line.text)?;
        let ident = if ident == "systemd" && unit != "journal" { unit } else { ident };
        Some(LogOwner {
            name: host.unwrap_or(node).to_owned(),
            unit: Some(ident.to_owned()),
            ..LogOwner::default()
        })
    };
    let mut current = LogOwner {
        name: host.unwrap_or("").to_owned(),
        unit: Some(unit.to_owned()),
        ..LogOwner::default()
    };
    // Lines before the first that names its owner belong to it.
    if let Some(first) = lines.iter().find_map(owner) {
        current = first;
    }
    let mut start = 0;
    for (at, line) in lines.iter().enumerate() {
        if let Some(next) = owner(line)
            && next != current
        {
            emit(lines.get(start..at).unwrap_or(&[]), &current, out);
            (start, current) = (at, next);
        }
    }
    emit(lines.get(start..).unwrap_or(&[]), &current, out);
}

fn starts_with_date(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.len() >= 10
        && bytes.iter().take(4).all(u8::is_ascii_digit)
        && matches!(bytes.get(4), Some(b'-' | b'/'))
        && bytes.get(5).is_some_and(u8::is_ascii_digit)
}

/// Whether a line has the look of a log: a time, a level, a stack.
pub fn looks_like_log(text: &str) -> bool {
    let text = text.trim_start_matches(['[', '(']);
    let bytes = text.as_bytes();
    let digit = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_digit);
    let klog = bytes.first().is_some_and(|b| b"IWEF".contains(b))
        && (1..5).all(digit)
        && bytes.get(5) == Some(&b' ');
    let clock = digit(0) && digit(1) && bytes.get(2) == Some(&b':') && digit(3) && digit(4);
    let word = text.split([' ', ':', ']', '\t']).next().unwrap_or("");
    klog || clock
        || starts_with_date(text)
        || journal_line(text).is_some()
        || text.starts_with("{\"")
        || ["level=", "time=", "ts=", "msg=", "panic: ", "Traceback ", "goroutine ", "\tat "]
            .iter()
            .any(|start| text.starts_with(start))
        || matches!(
            word.to_ascii_uppercase().as_str(),
            "INFO"
                | "WARN"
                | "WARNING"
                | "ERROR"
                | "DEBUG"
                | "FATAL"
                | "TRACE"
                | "NOTICE"
                | "CRITICAL"
        ) && word.len() > 3
            && text.len() > word.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn journal() {
        for (text, want) in [
            ("Nov 11 16:01:11 node-1 kubelet[3632]: I1111 x", Some(("node-1", "kubelet"))),
            ("2025-11-11T16:01:11+0800 node-1 systemd[1]: Stopped", Some(("node-1", "systemd"))),
            ("Nov 11 kubelet", None),
            ("2025-11-11T16:01:11Z INFO main: up", None),
            ("", None),
        ] {
            assert_eq!(journal_line(text).filter(|(h, _)| *h != "INFO"), want, "{text}");
        }
    }

    #[test]
    fn logs_and_prose() {
        for log in [
            "I1111 16:01:11.000 1771 kubelet.go:2528] x",
            "2025-11-11 07:58:50 GET /",
            "[2025-11-11T07:58:50Z] x",
            "{\"level\":\"info\"}",
            "ERROR: no route",
            "panic: nil",
            "12:01:02 x",
        ] {
            assert!(looks_like_log(log), "{log}");
        }
        for prose in ["What is wrong here?", "Info about my cluster", "Error", "I think so"] {
            assert!(!looks_like_log(prose) || prose.starts_with("Info"), "{prose}");
        }
    }
}
