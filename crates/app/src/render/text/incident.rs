//! One incident: why, the facts, what to do first, what not to do, what will happen.

use model::duration_text;

use super::{Clock, Detail, chain};
use crate::render::clean::{clean, cut, cut_front, width};
use crate::render::paper::{COLUMNS, Paper, Style, wrap};
use crate::views::{Evidence, Forecast, Incident, Step};

/// Lines that the shortened form gives to each part.
const WHY_LINES: usize = 6;
const EVIDENCE_LINES: usize = 8;
const AFFECTED_LINES: usize = 3;
const STEPS: usize = 4;
const DO_NOT: usize = 3;
const FORECASTS: usize = 4;

/// Columns of one field, value or message in the shortened form.
const VALUE_COLUMNS: usize = 140;
/// Columns of the name of an object.
const OBJECT_COLUMNS: usize = 64;
/// Columns that the name of a document gets at least.
const SOURCE_COLUMNS: usize = 20;

/// Writes everything under the headline.
pub(super) fn write(paper: &mut Paper, incident: &Incident, detail: Detail, clock: Clock) {
    let room = Room { all: detail == Detail::Every };
    status(paper, incident, clock);
    why(paper, incident, room);
    affected(paper, incident, room);
    evidence(paper, &incident.evidence, room, clock);
    unsure(paper, incident);
    next(paper, &incident.next, room);
    if !incident.do_not.is_empty() {
        paper.heading("Do not");
        for line in incident.do_not.iter().take(room.of(DO_NOT)) {
            paper.item("  - ", line, Style::Plain);
        }
    }
    forecast(paper, &incident.forecast, room);
}

/// How much is told.
#[derive(Clone, Copy)]
struct Room {
    all: bool,
}

impl Room {
    fn of(self, limit: usize) -> usize {
        if self.all { usize::MAX } else { limit }
    }
}

fn status(paper: &mut Paper, incident: &Incident, clock: Clock) {
    let cause = &incident.cause;
    let since = cause.since.as_deref();
    let since = since.map(|s| {
        let ago = clock.ago(s);
        if ago == s { format!(", since {s}") } else { format!(", since {s} ({ago})") }
    });
    let text = format!(
        "{}, {}, {}{}",
        incident.severity,
        incident.state,
        cause.certainty,
        since.unwrap_or_default()
    );
    paper.item("  ", &text, Style::Dim);
}

/// The chain in words, in at most so many lines; a sentence that does not fit is left out.
fn why(paper: &mut Paper, incident: &Incident, room: Room) {
    paper.heading("Why");
    let cause = &incident.cause;
    let sentences = sentences(incident);
    let (mut lines, mut told) = (Vec::new(), 0);
    for sentence in &sentences {
        if told > 0 && lines.len() + sentence.len() > room.of(WHY_LINES) {
            break;
        }
        lines.extend_from_slice(sentence);
        told += 1;
    }
    paper.lines(&lines, Style::Plain);
    more(paper, sentences.len(), told);
    let (failure, mechanism) = (cause.failure, cause.mechanism);
    let id = format!("({failure} / {mechanism}; seaworthy explain {failure})");
    paper.item("  ", &id, Style::Dim);
}

/// The sentences of the chain, each as lines: the cause, its field, what followed, what made it
/// worse.
fn sentences(incident: &Incident) -> Vec<Vec<String>> {
    let cause = &incident.cause;
    let because = format!("{}: {}.", cause.object, chain::because(cause));
    let mut sentences = vec![hang("  ", &because)];
    if let Some(field) = &cause.field {
        let value = cause.value.as_deref().map(|v| format!(" is {}", quoted(v)));
        let expected = cause.expected.as_deref();
        let expected = expected.map(|e| format!("; it should be {}", cut(e, VALUE_COLUMNS)));
        let field = format!("{field}{}{}", value.unwrap_or_default(), expected.unwrap_or_default());
        sentences.push(hang("  ", &field));
    }
    for link in chain::of(incident) {
        let lead = format!("  {}-> ", "   ".repeat(link.depth.clamp(1, 4) - 1));
        sentences.push(hang(&lead, &link.text));
    }
    for factor in chain::factors(incident) {
        sentences.push(hang("  made worse by ", &factor));
    }
    sentences
}

fn quoted(value: &str) -> String {
    if value.is_empty() { "empty".to_owned() } else { format!("\"{}\"", cut(value, VALUE_COLUMNS)) }
}

/// A paragraph behind a lead, as lines.
fn hang(lead: &str, text: &str) -> Vec<String> {
    let indent = width(lead);
    let wrapped = wrap(text, COLUMNS - indent);
    let start = |at| if at == 0 { lead.to_owned() } else { " ".repeat(indent) };
    wrapped.iter().enumerate().map(|(at, l)| format!("{}{l}", start(at))).collect()
}

fn affected(paper: &mut Paper, incident: &Incident, room: Room) {
    if incident.affected.is_empty() {
        return;
    }
    paper.heading("Who suffers");
    let shown = room.of(AFFECTED_LINES);
    for a in incident.affected.iter().take(shown) {
        paper.item("  - ", &format!("{}: {}", a.object, a.how), Style::Plain);
    }
    more(paper, incident.affected.len(), shown);
}

/// Facts with their sources, in at most so many lines; one that does not fit is left out.
fn evidence(paper: &mut Paper, facts: &[Evidence], room: Room, clock: Clock) {
    if facts.is_empty() {
        return;
    }
    paper.heading("Evidence");
    let mut lines = Vec::new();
    let mut told = 0;
    for fact in facts {
        let fact = fact_lines(fact, room, clock);
        // The last line may be needed to say how many there are more.
        let last = told + 1 == facts.len();
        if lines.len() + fact.len() + usize::from(!last) > room.of(EVIDENCE_LINES) {
            break;
        }
        lines.extend(fact);
        told += 1;
    }
    paper.lines(&lines, Style::Plain);
    more(paper, facts.len(), told);
}

/// What the field says, and below it whose field it is, since when, and who says so.
fn fact_lines(fact: &Evidence, room: Room, clock: Clock) -> Vec<String> {
    let age = fact.at.as_deref().map(|t| format!(", {}", clock.ago(t))).unwrap_or_default();
    let object = fact.object.to_string();
    let object = if room.all { clean(&object) } else { cut(&object, OBJECT_COLUMNS) };
    let place = format!("{object}{}, from", clean(&age));
    let field = fact.field.strip_prefix("event/").unwrap_or(&fact.field);
    let said = format!("{field}: {}", fact.value);
    let (said, source) = if room.all {
        (said, fact.source.clone())
    } else {
        // The whole place on one line, when the file can be named in what is left of it.
        let left = COLUMNS.saturating_sub(5 + width(&place)).max(SOURCE_COLUMNS);
        (cut(&said, VALUE_COLUMNS), cut_front(&fact.source, left))
    };
    let mut lines = hang("  - ", &said);
    lines.extend(hang("    ", &format!("{place} {source}")));
    lines
}

fn more(paper: &mut Paper, all: usize, shown: usize) {
    if all > shown {
        paper.item("  ", &format!("... and {} more (-o wide)", all - shown), Style::Dim);
    }
}

/// What else it could be, and how to find out.
fn unsure(paper: &mut Paper, incident: &Incident) {
    let cause = &incident.cause;
    if cause.alternatives.is_empty() && cause.decide.is_none() {
        return;
    }
    paper.heading("Not certain");
    let text = match cause.alternatives.as_slice() {
        [] => format!("This is {}, not proven.", cause.certainty),
        others => {
            let others = others.join(" or ");
            format!("This is {}, not proven; it may also be {others}.", cause.certainty)
        }
    };
    let how = if cause.decide.is_some() { " What decides:" } else { "" };
    paper.item("  ", &format!("{text}{how}"), Style::Plain);
    if let Some(command) = &cause.decide {
        paper.command("    $ ", command);
    }
}

fn next(paper: &mut Paper, steps: &[Step], room: Room) {
    if steps.is_empty() {
        return;
    }
    paper.heading("Do first");
    let shown = room.of(STEPS);
    for (at, step) in steps.iter().take(shown).enumerate() {
        let risk = match step.risk {
            "read-only" => String::new(),
            risk => format!(" [{risk}]"),
        };
        paper.item(&format!("  {}. ", at + 1), &format!("{}{risk}", step.what), Style::Plain);
        if let Some(command) = &step.command {
            paper.command("     $ ", command);
        }
        if let Some(undo) = &step.undo {
            paper.command("     undo: ", undo);
        }
    }
    more(paper, steps.len(), shown);
}

fn forecast(paper: &mut Paper, forecast: &[Forecast], room: Room) {
    if forecast.is_empty() {
        return;
    }
    paper.heading("What will happen if nothing is done");
    let shown = room.of(FORECASTS);
    for f in forecast.iter().take(shown) {
        let when = match f.in_seconds {
            s if s > 0 => format!("  in {}: ", duration_text(s)),
            _ => "  now: ".to_owned(),
        };
        paper.item(&when, &format!("{} (at {})", f.what, f.at), Style::Plain);
    }
    more(paper, forecast.len(), shown);
}
