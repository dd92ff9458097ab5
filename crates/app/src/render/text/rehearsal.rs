//! A rehearsal for the terminal: what was to be seen, what happened when, and a small chart of
//! ready endpoints in digits.

use crate::render::clean::width;
use crate::render::paper::{Paint, Paper, Style};
use crate::views::{Entry, ReadyLine, Rehearsal, RehearsalList, Sort, Wished};

/// What came of a rehearsal.
pub(in crate::render) fn rehearsal(view: &Rehearsal, paint: Paint) -> String {
    let mut paper = Paper::new(paint);
    let (word, style) = match view.as_expected {
        true => ("AS EXPECTED", Style::Green),
        false => ("NOT AS EXPECTED", Style::Red),
    };
    paper.led(&format!("{word}  "), style, &view.name, Style::Bold);
    paper.item("", &view.story, Style::Plain);
    wishes(&mut paper, "Expected", &view.expect, false);
    wishes(&mut paper, "Forbidden", &view.forbid, true);
    paper.heading("What happened");
    for entry in &view.timeline {
        let (mark, style) = mark(entry.sort);
        let lead = format!("{:>8}  {mark} ", clock(entry.at_seconds));
        paper.led(&lead, Style::Dim, &entry.text, style);
    }
    chart(&mut paper, view);
    paper.heading("What the model takes for granted");
    for line in &view.assumes {
        paper.item("  - ", line, Style::Plain);
    }
    paper.gap();
    let end = format!(
        "Seed {}, {} watched, fingerprint {}: the same seed gives the same.",
        view.seed,
        clock(view.lasts_seconds),
        view.fingerprint
    );
    paper.item("", &end, Style::Dim);
    paper.finish()
}

fn wishes(paper: &mut Paper, title: &str, wishes: &[Wished], forbidden: bool) {
    if wishes.is_empty() {
        return;
    }
    paper.heading(title);
    for wish in wishes {
        let good = wish.at_seconds.is_none() == forbidden;
        let word = match wish.at_seconds {
            Some(at) => format!("seen at {}", clock(at)),
            None => "never seen".to_owned(),
        };
        let lead = format!("  {} {word:<15}  ", if good { "ok  " } else { "FAIL" });
        paper.led(&lead, if good { Style::Green } else { Style::Red }, &wish.what, Style::Plain);
    }
}

/// The mark before an entry: readable without colour.
fn mark(sort: Sort) -> (char, Style) {
    match sort {
        Sort::Act => ('*', Style::Bold),
        Sort::Event { warning: true } => ('!', Style::Yellow),
        Sort::Event { warning: false } => (' ', Style::Plain),
        Sort::Ready => ('~', Style::Plain),
        Sort::Found => ('>', Style::Cyan),
        Sort::Over => ('<', Style::Plain),
    }
}

/// Services whose ready endpoints changed, one digit for each look.
fn chart(paper: &mut Paper, view: &Rehearsal) {
    let moved = |line: &&ReadyLine| line.ready.windows(2).any(|pair| pair[0] != pair[1]);
    let moved: Vec<(String, String)> =
        view.ready.iter().filter(moved).map(|l| (label(l), digits(&l.ready))).collect();
    if moved.is_empty() {
        return;
    }
    let title = format!("Ready endpoints (a digit every {})", clock(view.step_seconds));
    paper.heading(&title);
    let widest = moved.iter().map(|(name, _)| width(name)).max().unwrap_or(0);
    for (name, digits) in &moved {
        // A long name has its line to itself, so that the columns of all charts agree.
        let beside = 2 + widest + 2 + digits.len() <= 80;
        let lead =
            if beside { format!("  {name:<widest$}  ") } else { format!("  {name}\n      ") };
        paper.lines(&[format!("{lead}{digits}")], Style::Plain);
    }
}

pub(in crate::render) fn label(line: &ReadyLine) -> String {
    format!("{}/{}", line.namespace, line.name)
}

/// `2`, `2`, `0`: one digit for each; `+` for ten and more.
pub(in crate::render) fn digits(ready: &[u32]) -> String {
    ready.iter().map(|n| char::from_digit(*n, 10).unwrap_or('+')).collect()
}

/// `1:05`, `1:02:00`.
pub(in crate::render) fn clock(seconds: i64) -> String {
    let (hours, minutes, rest) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    match hours {
        0 => format!("{minutes}:{rest:02}"),
        _ => format!("{hours}:{minutes:02}:{rest:02}"),
    }
}

/// What a line of the timeline begins with in every form.
pub(in crate::render) fn told(entry: &Entry) -> String {
    let what = match entry.sort {
        Sort::Act => "done",
        Sort::Event { warning: true } => "warning",
        Sort::Event { warning: false } => "event",
        Sort::Ready => "endpoints",
        Sort::Found => "diagnosis",
        Sort::Over => "diagnosis, over",
    };
    format!("{} {what}", clock(entry.at_seconds))
}

/// What can be rehearsed.
pub(in crate::render) fn rehearsal_list(view: &RehearsalList, paint: Paint) -> String {
    let mut paper = Paper::new(paint);
    let widest = view.items.iter().map(|i| width(&i.name)).max().unwrap_or(0).min(32);
    for item in view.items.iter().filter(|i| i.waits_for.is_empty()) {
        let lead = format!("{:<widest$}  ", item.name);
        paper.led(&lead, Style::Cyan, &item.story, Style::Plain);
    }
    let waiting: Vec<&str> =
        view.items.iter().filter(|i| !i.waits_for.is_empty()).map(|i| i.name.as_str()).collect();
    if !waiting.is_empty() {
        paper.heading("Written, and waiting for the simulated cluster to learn more");
        paper.item("", &waiting.join(", "), Style::Plain);
    }
    paper.gap();
    paper.item("", "`seaworthy rehearse NAME` runs one.", Style::Dim);
    paper.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_person_can_follow_it() {
        let wished = |what: &str, at_seconds| Wished { what: what.to_owned(), at_seconds };
        let entry = |at, sort, text: &str| Entry::new(at, sort, text.to_owned());
        let long = "Service a-namespace-of-many-letters/a-service-with-a-very-long-name 12 -> 1";
        let view = Rehearsal {
            name: "node-lost".to_owned(),
            story: "A node is lost.".to_owned(),
            seed: 7,
            lasts_seconds: 3725,
            expect: vec![wished("this", Some(65)), wished("that", None)],
            forbid: vec![wished("harm", None)],
            timeline: vec![
                entry(60, Sort::Act, "the kubelet of n stops"),
                entry(110, Sort::Event { warning: true }, "NodeNotReady: Pod shop/web"),
                entry(120, Sort::Ready, long),
                entry(120, Sort::Found, "node-unknown: nobody hears from n"),
            ],
            step_seconds: 65,
            ready: vec![
                ReadyLine { namespace: "a".into(), name: "moves".into(), ready: vec![12, 9, 0] },
                ReadyLine { namespace: "a".into(), name: "stays".into(), ready: vec![1, 1, 1] },
            ],
            assumes: vec!["Time is virtual.".to_owned()],
            fingerprint: "00ff".to_owned(),
            ..Rehearsal::default()
        };
        assert_eq!(
            rehearsal(&view, Paint(false)),
            "NOT AS EXPECTED  node-lost\nA node is lost.\n\nExpected\n\
             \x20 ok   seen at 1:05     this\n  FAIL never seen       that\n\nForbidden\n\
             \x20 ok   never seen       harm\n\nWhat happened\n\
             \x20   1:00  * the kubelet of n stops\n\
             \x20   1:50  ! NodeNotReady: Pod shop/web\n\
             \x20   2:00  ~ Service a-namespace-of-many-letters/a-service-with-a-very-long-name\n\
             \x20           12 -> 1\n\
             \x20   2:00  > node-unknown: nobody hears from n\n\n\
             Ready endpoints (a digit every 1:05)\n  a/moves  +90\n\n\
             What the model takes for granted\n  - Time is virtual.\n\n\
             Seed 7, 1:02:05 watched, fingerprint 00ff: the same seed gives the same.\n"
        );
    }
}
