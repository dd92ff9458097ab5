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

/// A line of the kernel's own log: `[12345.678901] ...`, `[Sun Mar  1 10:00:00 2026] ...`, with
/// or without a level (`<4>`) before it.
pub fn kernel_line(text: &str) -> bool {
    let text = text.strip_prefix('<').and_then(|t| t.split_once('>')).map_or(text, |(_, t)| t);
    let Some((time, _)) = text.strip_prefix('[').and_then(|t| t.split_once(']')) else {
        return false;
    };
    let seconds = time.trim().split_once('.').is_some_and(|(whole, part)| {
        let digits = |t: &str| !t.is_empty() && t.bytes().all(|b| b.is_ascii_digit());
        digits(whole) && digits(part)
    });
    let words: Vec<&str> = time.split_whitespace().collect();
    let date = words.len() == 5 && words.get(1).is_some_and(|m| MONTHS.contains(m));
    seconds || date
}

/// Source files of the kubelet as they stand in its lines (`kubelet.go:2528]`).
const KUBELET_FILES: &[&str] = &[
    "container_manager_linux.go",
    "eviction_manager.go",
    "generic.go",
    "image_gc_manager.go",
    "kubelet.go",
    "kubelet_node_status.go",
    "kubelet_pods.go",
    "kuberuntime_container.go",
    "kuberuntime_gc.go",
    "kuberuntime_manager.go",
    "kuberuntime_sandbox.go",
    "log.go",
    "oom_watcher_linux.go",
    "pod_workers.go",
    "prober.go",
    "remote_image.go",
    "remote_runtime.go",
    "setters.go",
];

/// A line of the kubelet without a word of the journal before it.
fn kubelet_line(text: &str) -> bool {
    let mut words = text.split_whitespace().skip(1).take(4);
    let klog = text.starts_with(['I', 'W', 'E', 'F']) && looks_like_log(text);
    let file = words.find_map(|w| w.strip_suffix(']')).and_then(|w| w.split_once(':'));
    klog && file.is_some_and(|(name, _)| KUBELET_FILES.contains(&name))
}

/// The system unit whose lines these are, told by their form: the kernel's or the kubelet's.
pub fn unit_by_lines(lines: &[Line<'_>]) -> Option<&'static str> {
    let most = |test: fn(&str) -> bool| {
        let filled = lines.iter().filter(|l| !l.is_blank());
        let (fit, all) = filled.fold((0, 0), |(f, a), l| (f + usize::from(test(&l.text)), a + 1));
        fit * 2 > all
    };
    if most(kernel_line) {
        Some("kernel")
    } else if most(kubelet_line) {
        Some("kubelet")
    } else {
        None
    }
}

/// Whether a line has the look of a log: a time, a level, a stack.
pub fn looks_like_log(text: &str) -> bool {
    if kernel_line(text) {
        return true;
    }
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
