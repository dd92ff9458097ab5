//! Markdown for a ticket: every incident in full. Text from evidence is shown as code or
//! escaped, so that it can neither format nor link anything.

use std::fmt::Write as _;

use super::clean::{clean, cut};
use super::text::rehearsal::{clock, digits, label, told};
use super::text::{chain, changes, looked_at, older};
use crate::views::{
    Affected, Diagnosis, Evidence, Explanation, Failure, FailureList, Incident, NotSeen, ReadyLine,
    Rehearsal, RehearsalList, RuledOut, Skipped, Step, Wished,
};

/// Longest value shown, in columns; JSON has it whole.
const VALUE_COLUMNS: usize = 1_000;

/// A diagnosis.
pub(super) fn diagnosis(view: &Diagnosis) -> String {
    let mut page = Page::default();
    let headline = view.incidents.first().filter(|i| i.state != "recovered");
    let about = match (headline, view.verdict) {
        (Some(i), _) => escape(&i.headline),
        (None, "healthy") => "nothing is wrong in what was looked at".to_owned(),
        (None, _) => "the input shows too little to tell".to_owned(),
    };
    page.line(&format!("# {}: {about}", view.verdict));
    page.gap();
    page.line(&escape(&looked_at(view)));
    for i in &view.incidents {
        incident(&mut page, i);
    }
    if let Some(changes) = &view.changes {
        let since = changes.from.as_deref().map(|t| format!(" since {t}")).unwrap_or_default();
        page.section(&format!("## What changed{since}"));
        for c in &changes.objects {
            page.line(&format!("- {} was {}", escape(&c.object.to_string()), c.change));
            for f in &c.fields {
                page.line(&format!("  - {}", code(&changes::field(f, true))));
            }
            for l in &c.led_to {
                let (incident, why) = (&l.incident, escape(&l.why));
                page.line(&format!("  - {} cause of {incident}: {why}", l.certainty));
            }
        }
        page.list("### Incidents that are new", changes.new.iter().cloned());
        page.list("### Incidents that were there before", changes.still.iter().cloned());
        let gone = changes.gone.iter().map(|g| format!("{} ({})", escape(&g.headline), g.id));
        page.list("### Incidents that are gone", gone);
    }
    if let Some(older) = older(view) {
        page.gap();
        page.line(&escape(&older));
    }
    page.list("## Ruled out", view.ruled_out.iter().map(ruled_out));
    page.list("## Stale", view.stale.iter().map(|s| escape(&format!("{}: {}", s.what, s.why))));
    page.list("## Not seen", view.blind.iter().map(not_seen));
    page.list("## Could not be read", view.skipped.iter().map(unread));
    page.0
}

fn incident(page: &mut Page, i: &Incident) {
    let cause = &i.cause;
    page.section(&format!("## {}. {}", i.rank, escape(&i.headline)));
    let since = cause.since.as_deref().map(|s| format!(", since {s}")).unwrap_or_default();
    page.line(&format!("{}, {}, {}{since} ({})", i.severity, i.state, cause.certainty, i.id));
    page.section("### Why");
    let object = escape(&cause.object.to_string());
    let meaning = escape(&chain::because(cause));
    page.line(&format!("- {object}: {meaning} ({} / {})", cause.failure, cause.mechanism));
    if let Some(field) = &cause.field {
        let value = cause.value.as_deref().map(|v| format!(" is {}", code(v))).unwrap_or_default();
        let expected = cause.expected.as_deref();
        let expected = expected.map(|e| format!("; it should be {}", escape(e)));
        page.line(&format!("- {}{value}{}", code(field), expected.unwrap_or_default()));
    }
    for link in chain::of(i) {
        page.line(&format!("{}- {}", "  ".repeat(link.depth.min(4)), escape(&link.text)));
    }
    for factor in chain::factors(i) {
        page.line(&format!("- made worse by {}", escape(&factor)));
    }
    if !cause.alternatives.is_empty() {
        page.line(&format!("- it may also be {}", cause.alternatives.join(" or ")));
    }
    if let Some(command) = &cause.decide {
        page.line(&format!("- what decides: {}", code(command)));
    }
    page.list("### Who suffers", i.affected.iter().map(sufferer));
    page.list("### Evidence", i.evidence.iter().map(fact));
    for (at, s) in i.next.iter().enumerate() {
        if at == 0 {
            page.section("### Do first");
        }
        page.line(&format!("{}. {}", at + 1, step(s)));
    }
    page.list("### Do not", i.do_not.iter().map(|d| escape(d)));
    let forecast = i.forecast.iter().map(|f| format!("{} (at {})", escape(&f.what), f.at));
    page.list("### What will happen if nothing is done", forecast);
}

fn sufferer(a: &Affected) -> String {
    escape(&format!("{}: {}", a.object, a.how))
}

fn fact(e: &Evidence) -> String {
    let at = e.at.as_deref().map(|t| format!(", {t}")).unwrap_or_default();
    let object = escape(&e.object.to_string());
    format!("{object} {}: {}{at}, from {}", code(&e.field), code(&e.value), code(&e.source))
}

fn step(s: &Step) -> String {
    let command = s.command.as_deref().map(|c| format!(": {}", code(c))).unwrap_or_default();
    let undo = s.undo.as_deref().map(|u| format!("; undo: {}", code(u))).unwrap_or_default();
    format!("{} [{}]{command}{undo}", escape(&s.what), s.risk)
}

fn ruled_out(r: &RuledOut) -> String {
    format!("{}: not {}: {}", escape(&r.object.to_string()), r.failure, escape(&r.why))
}

fn not_seen(b: &NotSeen) -> String {
    format!("{}: {}. Ask: {}", escape(&b.what), escape(&b.why), code(&b.ask))
}

fn unread(s: &Skipped) -> String {
    format!("{} line {}: {}", code(&s.document), s.line, escape(&s.why))
}

/// Why one object is as it is.
pub(super) fn explanation(view: &Explanation) -> String {
    let mut page = Page::default();
    page.line(&format!("# {}: {}", escape(&view.object.to_string()), escape(&view.answer)));
    for question in &view.questions {
        page.section(&format!("## {}", escape(&question.ask)));
        if !question.answer.is_empty() {
            page.line(&escape(&question.answer));
            page.gap();
        }
        for f in &question.facts {
            let at = f.at.as_deref().map(|t| format!(", {t}")).unwrap_or_default();
            page.line(&format!("- {}: {}{at}", escape(&f.what), code(&f.value)));
        }
    }
    let part_of = view.incidents.iter().map(|i| {
        let headline = escape(&i.headline);
        format!("{}, {}, as {}: {headline} ({})", i.severity, i.state, i.role, i.id)
    });
    page.list("## Incidents it is part of", part_of);
    page.list("## Not seen", view.blind.iter().map(not_seen));
    page.0
}

/// The page of a failure kind.
pub(super) fn failure(view: &Failure) -> String {
    let mut page = Page(format!("{}\n", view.page));
    page.section("## Mechanisms");
    page.line("| mechanism | meaning |\n|---|---|");
    for m in &view.mechanisms {
        page.line(&format!("| {} | {} |", m.id, escape(m.meaning)));
    }
    let ids = |ids: &[&str]| ids.iter().map(|id| code(id)).collect::<Vec<_>>();
    page.list("## Can lead to", ids(&view.leads_to).into_iter());
    page.list("## Can be caused by", ids(&view.caused_by).into_iter());
    page.0
}

/// The list of kinds.
pub(super) fn failure_list(view: &FailureList) -> String {
    let mut page = Page::default();
    page.line("| failure | title |\n|---|---|");
    for item in &view.items {
        page.line(&format!("| {} | {} |", code(item.id), escape(item.title)));
    }
    page.0
}

/// What came of a rehearsal.
pub(super) fn rehearsal(view: &Rehearsal) -> String {
    let mut page = Page::default();
    let word = if view.as_expected { "as expected" } else { "not as expected" };
    page.line(&format!("# {}: {word}", escape(&view.name)));
    page.gap();
    page.line(&escape(&view.story));
    let wished = |w: &Wished| match w.at_seconds {
        Some(at) => format!("{} (seen at {})", escape(&w.what), clock(at)),
        None => format!("{} (never seen)", escape(&w.what)),
    };
    page.list("## Expected", view.expect.iter().map(wished));
    page.list("## Forbidden", view.forbid.iter().map(wished));
    page.section("## What happened");
    page.line("| when, what | |\n|---|---|");
    for entry in &view.timeline {
        page.line(&format!("| {} | {} |", told(entry), escape(&entry.text)));
    }
    let title = format!("## Ready endpoints, one digit every {}", clock(view.step_seconds));
    let line = |l: &ReadyLine| format!("{} {}", code(&digits(&l.ready)), escape(&label(l)));
    page.list(&title, view.ready.iter().map(line));
    page.list("## What the model takes for granted", view.assumes.iter().map(|a| escape(a)));
    page.gap();
    page.line(&format!("Seed {}, fingerprint {}.", view.seed, view.fingerprint));
    page.0
}

/// What can be rehearsed.
pub(super) fn rehearsal_list(view: &RehearsalList) -> String {
    let mut page = Page::default();
    page.line("| rehearsal | story | waits for |\n|---|---|---|");
    for item in &view.items {
        let waits = escape(&item.waits_for.join("; "));
        page.line(&format!("| {} | {} | {waits} |", code(&item.name), escape(&item.story)));
    }
    page.0
}

/// Lines under headings.
#[derive(Default)]
struct Page(String);

impl Page {
    fn line(&mut self, line: &str) {
        let _ = writeln!(self.0, "{line}");
    }

    fn gap(&mut self) {
        if !self.0.is_empty() && !self.0.ends_with("\n\n") {
            self.0.push('\n');
        }
    }

    fn section(&mut self, title: &str) {
        self.gap();
        self.line(title);
        self.gap();
    }

    fn list(&mut self, title: &str, items: impl Iterator<Item = String>) {
        for (at, item) in items.enumerate() {
            if at == 0 {
                self.section(title);
            }
            self.line(&format!("- {item}"));
        }
    }
}

/// Text that is shown as it is.
fn escape(text: &str) -> String {
    let text = clean(text);
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if matches!(c, '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '|' | '#' | '~' | '&') {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

/// Text as code, behind more backticks than it has in a row itself.
fn code(text: &str) -> String {
    let text = cut(text, VALUE_COLUMNS);
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest + 1);
    if text.is_empty() || text.starts_with('`') || text.ends_with('`') {
        format!("{fence} {text} {fence}")
    } else {
        format!("{fence}{text}{fence}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_from_evidence_formats_nothing() {
        assert_eq!(escape("a_b [x](http://e) <b>"), r"a\_b \[x\](http://e) \<b\>");
        assert_eq!(code("a ``b`` c"), "```a ``b`` c```");
        assert_eq!(code("`"), "`` ` ``");
        assert_eq!(code("x\n\u{1b}[31my"), "`x y`");
    }
}
