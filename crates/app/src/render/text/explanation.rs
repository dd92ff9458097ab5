//! Why one object is as it is, for the terminal: questions, answers, and the numbers in columns.

use super::Clock;
use super::others::not_seen;
use crate::render::clean::{clean, cut, width};
use crate::render::paper::{Paint, Paper, Style};
use crate::views::{Explanation, Fact, PartOf, Question};

/// Columns of names of facts; a longer name gets a line of its own.
const NAME_COLUMNS: usize = 24;
/// Columns of one value in the shortened form.
const VALUE_COLUMNS: usize = 400;

/// An explanation as text; `all` leaves nothing of it out.
pub(in crate::render) fn explanation(view: &Explanation, all: bool, paint: Paint) -> String {
    let mut paper = Paper::new(paint);
    paper.item("", &view.object.to_string(), Style::Cyan);
    paper.item("  ", &view.answer, Style::Bold);
    let clock = Clock(view.as_of.as_deref().and_then(|t| t.parse().ok()));
    for q in &view.questions {
        question(&mut paper, q, all, clock);
    }
    part_of(&mut paper, &view.incidents);
    not_seen(&mut paper, "Not seen", &view.blind, usize::MAX);
    let from = match view.input.as_slice() {
        [one] => one.name.clone(),
        many => format!("{} documents", many.len()),
    };
    let as_of = view.as_of.as_deref().map(|t| format!(", as of {t}")).unwrap_or_default();
    paper.gap();
    paper.item("", &format!("From {from}{as_of}."), Style::Dim);
    paper.finish()
}

fn question(paper: &mut Paper, question: &Question, all: bool, clock: Clock) {
    paper.heading(&question.ask);
    if !question.answer.is_empty() {
        paper.item("  ", &question.answer, Style::Plain);
    }
    let names = question.facts.iter().map(|f| width(&clean(&f.what)));
    let widest = names.filter(|w| *w <= NAME_COLUMNS).max().unwrap_or(0);
    for f in &question.facts {
        let name = clean(&f.what);
        let said = said(f, all, clock);
        if width(&name) <= NAME_COLUMNS {
            let fill = " ".repeat(widest - width(&name));
            paper.led(&format!("  {name}{fill}  "), Style::Cyan, &said, Style::Plain);
        } else {
            paper.item("  ", &name, Style::Cyan);
            paper.item("    ", &said, Style::Plain);
        }
    }
}

fn said(fact: &Fact, all: bool, clock: Clock) -> String {
    let at = fact.at.as_deref().map(|t| format!(" ({})", clock.ago(t))).unwrap_or_default();
    let value = if all { clean(&fact.value) } else { cut(&fact.value, VALUE_COLUMNS) };
    let from = match (&fact.field, &fact.source) {
        (Some(field), Some(source)) if all => format!(" [{field}, from {source}]"),
        _ => String::new(),
    };
    format!("{value}{at}{from}")
}

fn part_of(paper: &mut Paper, incidents: &[PartOf]) {
    paper.heading("Which incidents is it part of?");
    if incidents.is_empty() {
        paper.item("  ", "None: nothing that is wrong was found to concern it.", Style::Plain);
    }
    for i in incidents {
        let role = match i.role {
            "cause" => "the cause".to_owned(),
            "affected" => "it suffers".to_owned(),
            "evidence" => "it is among the evidence".to_owned(),
            role => format!("a {role}"),
        };
        let text = format!("{}, {}, {role}: {} ({})", i.severity, i.state, i.headline, i.id);
        paper.item("  - ", &text, Style::Plain);
    }
}
