//! `systemctl status` and `systemctl is-active`.

use super::Out;
use super::command::Command;
use super::lines::Line;
use super::log::{emit_journal, journal_line};
use crate::piece::Piece;

/// The unit in `● kubelet.service - Kubernetes Kubelet`.
pub fn unit_of(text: &str) -> Option<&str> {
    let rest = text.trim_start().strip_prefix(['●', '○', '×', '*', '↻'])?;
    let word = rest.split_whitespace().next()?;
    let (name, kind) = word.rsplit_once('.')?;
    matches!(kind, "service" | "socket" | "mount" | "timer" | "target")
        .then_some(if kind == "service" { name } else { word })
}

/// Reads the status that begins at the first of `lines`; returns how many lines it took.
pub fn status(lines: &[Line<'_>], command: Option<&Command>, out: &mut Out<'_>) -> Option<usize> {
    let first = lines.first()?;
    let unit = unit_of(&first.text)?;
    let rest = lines.iter().skip(1);
    let used =
        1 + rest.take_while(|l| unit_of(&l.text).is_none() && !l.text.starts_with("```")).count();
    let body = lines.get(1..used).unwrap_or(&[]);
    let state = body.iter().find_map(|l| l.trimmed().strip_prefix("Active:")).unwrap_or("").trim();
    let log_at = body.iter().position(|l| journal_line(&l.text).is_some());
    let journal = body.get(log_at.unwrap_or(body.len())..).unwrap_or(&[]);
    let host = command.and_then(|c| c.host.as_deref());
    let named = journal.first().and_then(|l| journal_line(&l.text)).map(|(host, _)| host);
    let prompted = command.and_then(|c| c.prompted_at.as_deref());
    let node = host.or(named).or(prompted).unwrap_or("").to_owned();
    if state.is_empty() {
        out.skipped(format!("the status of unit {unit} without its state"), first.number);
    } else {
        out.send(Piece::Unit {
            node: node.clone(),
            unit: unit.to_owned(),
            active: state.starts_with("active"),
            state: state.to_owned(),
            place: out.place(first.number),
        });
    }
    let noise = |l: &&Line<'_>| !super::errors::is_noise(&l.text);
    let journal: Vec<Line<'_>> = journal.iter().filter(noise).cloned().collect();
    emit_journal(&journal, Some(node.as_str()).filter(|n| !n.is_empty()), unit, out);
    Some(used)
}

/// One line of `systemctl` that is no status: `inactive`, `Unit x.service could not be found.`
pub fn answer(line: &Line<'_>, command: &Command, out: &mut Out<'_>) -> bool {
    let text = line.trimmed();
    let named = command.names.first().map_or("", |n| n.trim_end_matches(".service"));
    let state = text.split(' ').next().unwrap_or("");
    let word = matches!(
        text,
        "active" | "inactive" | "failed" | "activating" | "deactivating" | "unknown"
    );
    let absent = text.starts_with("Unit ") && text.contains("could not be found");
    if named.is_empty() || !(word && command.verb == "is-active" || absent) {
        return false;
    }
    out.send(Piece::Unit {
        node: command.host.as_deref().or(command.machine()).unwrap_or_default().to_owned(),
        unit: named.to_owned(),
        active: state == "active",
        state: text.to_owned(),
        place: out.place(line.number),
    });
    true
}
