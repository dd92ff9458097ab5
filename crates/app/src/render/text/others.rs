//! What else was seen: other incidents, what was ruled out, what is stale, what was not seen.

use super::Detail;
use crate::render::clean::{cut, cut_front};
use crate::render::paper::{COLUMNS, Paper, Style};
use crate::views::{Diagnosis, Incident, LookedAt, NotSeen};

/// Lines of each list in the shortened form: what may need an answer, and what needs none.
const LINES: usize = 6;
const LINES_OF_NOISE: usize = 3;
/// Columns of a document's name in the shortened form.
const NAME_COLUMNS: usize = 30;

/// Writes everything that is not about the incidents told in full.
pub(super) fn write(paper: &mut Paper, view: &Diagnosis, told: usize, detail: Detail) {
    let all = detail == Detail::Every;
    let rest = view.incidents.iter().skip(told).map(incident_line);
    list(paper, "Also seen", rest, LINES, all);
    if let Some(older) = older(view) {
        paper.gap();
        paper.item("", &older, Style::Plain);
    }
    let ruled_out = view.ruled_out.iter();
    let ruled_out = ruled_out.map(|r| format!("{}: not {}: {}", r.object, r.failure, r.why));
    list(paper, "Ruled out", ruled_out, LINES_OF_NOISE, all);
    let stale = view.stale.iter().map(|s| format!("{}: {}", s.what, s.why));
    list(paper, "Stale", stale, LINES_OF_NOISE, all);
    blind(paper, view, all);
    let skipped: usize = view.input.iter().map(|d| d.skipped).sum();
    if skipped.max(view.skipped.len()) > 0 {
        let lines = view.skipped.iter().map(|s| {
            let name = if all { s.document.clone() } else { cut_front(&s.document, NAME_COLUMNS) };
            match s.line {
                0 => format!("{name}: {}", s.why),
                line => format!("{name}:{line}: {}", s.why),
            }
        });
        list(paper, "Could not be read", lines, LINES_OF_NOISE, all);
    }
    paper.gap();
    paper.item("", &looked_at(view), Style::Dim);
}

/// What was left out as older than asked for.
pub(in crate::render) fn older(view: &Diagnosis) -> Option<String> {
    let (older, since) = (view.older.filter(|n| *n > 0)?, view.since.as_deref()?);
    let (what, them) = match older {
        1 => ("1 older incident is".to_owned(), "it"),
        n => (format!("{n} older incidents are"), "them"),
    };
    Some(format!("{what} left out: there is no sign of {them} since {since}."))
}

fn incident_line(i: &Incident) -> String {
    let state = if i.state == "active" { String::new() } else { format!(" ({})", i.state) };
    format!("{}{state}: {}", i.severity, i.headline)
}

/// One line each; in full when all is asked for.
fn list(
    paper: &mut Paper,
    title: &str,
    lines: impl Iterator<Item = String>,
    limit: usize,
    all: bool,
) {
    let lines: Vec<String> = lines.collect();
    if lines.is_empty() {
        return;
    }
    paper.heading(title);
    let shown = if all { usize::MAX } else { limit };
    for line in lines.iter().take(shown) {
        let line = if all { line.clone() } else { cut(line, COLUMNS - 4) };
        paper.item("  - ", &line, Style::Plain);
    }
    if lines.len() > shown {
        let more = format!("... and {} more (-o wide)", lines.len() - shown);
        paper.item("  ", &more, Style::Dim);
    }
}

fn blind(paper: &mut Paper, view: &Diagnosis, all: bool) {
    // When there is too little to tell, this is the answer: then nothing of it is left out.
    let inconclusive = view.verdict == "inconclusive";
    let title = if inconclusive { "What would tell" } else { "Not seen" };
    not_seen(paper, title, &view.blind, if all || inconclusive { usize::MAX } else { LINES });
}

/// What was not seen, with the commands that show it.
pub(super) fn not_seen(paper: &mut Paper, title: &str, blind: &[NotSeen], shown: usize) {
    if blind.is_empty() {
        return;
    }
    paper.heading(title);
    for b in blind.iter().take(shown) {
        paper.item("  - ", &format!("{}: {}", b.what, b.why), Style::Plain);
        if !b.ask.is_empty() {
            paper.command("    $ ", &b.ask);
        }
    }
    if blind.len() > shown {
        let more = format!("... and {} more (-o wide)", blind.len() - shown);
        paper.item("  ", &more, Style::Dim);
    }
}

/// One sentence on how much was looked at.
pub(in crate::render) fn looked_at(view: &Diagnosis) -> String {
    let LookedAt { nodes, workloads, pods, services, events, failure_kinds } = view.looked_at;
    let counts = [
        count(nodes, "node"),
        count(workloads, "workload"),
        count(pods, "pod"),
        count(services, "service"),
        count(events, "event"),
    ];
    let from = match view.input.as_slice() {
        [one] => format!(" in {}", one.name),
        many => format!(" in {}", count(many.len(), "document")),
    };
    let as_of = view.as_of.as_deref().map(|t| format!(", as of {t}")).unwrap_or_default();
    let back = view.taken_back_from.as_deref();
    let back = back.map(|t| format!(", taken back from {t}")).unwrap_or_default();
    format!(
        "Looked at {}{from} for {}{as_of}{back}.",
        counts.join(", "),
        count(failure_kinds, "failure kind")
    )
}

fn count(n: usize, what: &str) -> String {
    if n == 1 { format!("1 {what}") } else { format!("{n} {what}s") }
}
