//! Logs: of containers, of system units, and plain lines of unknown origin.

mod journal;

pub use journal::{emit_journal, journal_line, looks_like_log, unit_by_lines};

use super::command::Command;
use super::errors;
use super::lines::Line;
use super::transcript::Block;
use super::{Hints, Out};
use crate::piece::{LogOwner, Piece};
use std::collections::BTreeMap;

/// Most lines kept of one log; what follows is dropped and reported.
const MAX_LOG_LINES: usize = 500_000;

/// Hands `lines` on as the log of `of`; blank lines at both ends are left out.
pub fn emit(lines: &[Line<'_>], of: &LogOwner, out: &mut Out<'_>) {
    let Some(start) = lines.iter().position(|l| !l.is_blank()) else { return };
    let end = lines.iter().rposition(|l| !l.is_blank()).map_or(0, |e| e + 1);
    let kept = lines.get(start..end).unwrap_or(&[]);
    let texts = kept.iter().map(|l| l.text.clone().into_owned()).collect();
    emit_texts(texts, of.clone(), kept.first().map_or(1, |l| l.number), out);
}

/// Hands texts on, bounded.
fn emit_texts(mut lines: Vec<String>, of: LogOwner, line: u32, out: &mut Out<'_>) {
    if lines.is_empty() {
        return;
    }
    if lines.len() > MAX_LOG_LINES {
        let dropped = lines.len() - MAX_LOG_LINES;
        lines.truncate(MAX_LOG_LINES);
        out.skipped(format!("the last {dropped} lines of this log"), line);
    }
    let place = out.place(line);
    out.send(Piece::Log { of, lines, place });
}

/// `kubectl logs`.
pub fn kubectl_logs(block: &Block<'_>, command: &Command, hints: &Hints, out: &mut Out<'_>) {
    let namespace = command.namespace().or(hints.namespace.as_deref());
    let base = LogOwner {
        name: owner_name(command),
        namespace: namespace.map(str::to_owned),
        container: command.container.clone(),
        unit: None,
        previous: command.previous,
    };
    let mut logs: BTreeMap<LogOwner, (u32, Vec<String>)> = BTreeMap::new();
    let mut owner = base.clone();
    let mut failed = false;
    let mut started = false;
    for line in block.body {
        let framing = errors::is_noise(&line.text) && (!started || !line.is_blank());
        if framing && !errors::is_cut_mark(&line.text) {
            continue;
        }
        // Errors come before any line of the log, or after it failed; a program may print
        // `Error: ` as well.
        if errors::is_client_log(&line.text)
            || line.text.starts_with("Error from server")
            || (failed && line.text.starts_with("The connection to the server"))
            || (!started && errors::is_error(&line.text) && only_line(block.body, line.number))
        {
            if !failed {
                errors::emit(&line.text, namespace, line.number, out);
            }
            failed = true;
            continue;
        }
        if line.is_blank() && !started {
            continue;
        }
        started = true;
        let (prefix, text) = prefixed(&line.text);
        if let Some((pod, container)) = prefix {
            owner = LogOwner {
                name: pod.to_owned(),
                container: Some(container.to_owned()),
                ..base.clone()
            };
        }
        let entry = logs.entry(owner.clone()).or_insert_with(|| (line.number, Vec::new()));
        entry.1.push(text.to_owned());
    }
    for (of, (line, mut lines)) in logs {
        while lines.last().is_some_and(|l| l.trim().is_empty()) {
            lines.pop();
        }
        emit_texts(lines, of, line, out);
    }
}

fn only_line(body: &[Line<'_>], number: u32) -> bool {
    body.iter().all(|l| l.number == number || errors::is_noise(&l.text))
}

/// `[pod/web-1/app] text` of `--prefix`.
fn prefixed(text: &str) -> (Option<(&str, &str)>, &str) {
    let parsed = text.strip_prefix("[pod/").and_then(|rest| {
        let (owner, text) = rest.split_once(']')?;
        Some((owner.split_once('/')?, text.strip_prefix(' ').unwrap_or(text)))
    });
    match parsed {
        Some((owner, text)) => (Some(owner), text),
        None => (None, text),
    }
}

/// The pod, or the workload or application where the command names only that.
fn owner_name(command: &Command) -> String {
    if let Some(name) = command.names.first() {
        return name.rsplit('/').next().unwrap_or(name).to_owned();
    }
    let mut words = command.words.iter();
    let selector = words.find_map(|w| match w.as_str() {
        "-l" | "--selector" => Some(None),
        w => w.strip_prefix("--selector=").or(w.strip_prefix("-l")).map(Some),
    });
    let selector = match selector {
        Some(None) => words.next().map(String::as_str),
        Some(found) => found,
        None => None,
    };
    let first = selector.and_then(|s| s.split(',').next()).and_then(|s| s.split_once('='));
    first.map(|(_, value)| value.to_owned()).unwrap_or_default()
}

/// Whether the command prints the log of a machine.
pub fn is_of_log_tool(command: &Command) -> bool {
    let name = command.words.first().map_or("", |w| w.rsplit('/').next().unwrap_or(w));
    matches!(name, "journalctl" | "dmesg" | "docker" | "nerdctl" | "crictl" | "ctr")
        && (matches!(name, "journalctl" | "dmesg") || command.words.iter().any(|w| w == "logs"))
}

/// `journalctl` and `dmesg`.
pub fn machine(block: &Block<'_>, command: &Command, out: &mut Out<'_>) {
    let name = command.words.first().map_or("", String::as_str);
    let name = name.rsplit('/').next().unwrap_or(name);
    let mut words = command.words.iter();
    let unit = match name {
        "journalctl" => {
            let flag = words.find(|w| w.starts_with("-u") || w.starts_with("--unit"));
            let glued = flag.and_then(|f| f.strip_prefix("--unit=").or(f.strip_prefix("-u")));
            let unit = glued.filter(|g| !g.is_empty() && !g.starts_with('-'));
            let unit = unit.or_else(|| flag.and(words.next()).map(String::as_str));
            unit.map_or("journal", |u| u.trim_end_matches(".service"))
        }
        "dmesg" => "kernel",
        other => other,
    };
    let lines: Vec<Line<'_>> =
        block.body.iter().filter(|l| l.is_blank() || !errors::is_noise(&l.text)).cloned().collect();
    let named = lines.iter().any(|l| journal_line(&l.text).is_some());
    let prompted = command.machine().filter(|_| !named);
    emit_journal(&lines, command.host.as_deref().or(prompted), unit, out);
}
