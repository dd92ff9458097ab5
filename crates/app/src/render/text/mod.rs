//! Text for people: what one reads at three in the morning. 80 columns, the most important
//! line first, readable without colour.

pub(super) mod chain;
pub(super) mod changes;
mod explanation;
mod incident;
mod others;
mod page;
pub(super) mod rehearsal;

pub(super) use explanation::explanation;
pub(super) use others::{looked_at, older};
pub(super) use page::{failure, failure_list};
pub(super) use rehearsal::{rehearsal, rehearsal_list};

use model::{Timestamp, ago};

use super::paper::{Paint, Paper, Style};
use crate::views::{Diagnosis, Incident};

/// How many incidents are told in full, and how much of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Detail {
    /// The most urgent one, shortened; the others in one line each.
    First,
    /// Every one, with all there is.
    Every,
}

/// A diagnosis as text.
pub(super) fn diagnosis(view: &Diagnosis, detail: Detail, paint: Paint) -> String {
    let mut paper = Paper::new(paint);
    let clock = Clock::of(view);
    let told = told(view, detail);
    verdict(&mut paper, view, told.first().copied());
    for (at, incident) in told.iter().enumerate() {
        if at > 0 {
            paper.gap();
            let lead = format!("{}. ", incident.rank);
            paper.led(&lead, Style::Bold, &incident.headline, Style::Bold);
        }
        incident::write(&mut paper, incident, detail, clock);
    }
    changes::write(&mut paper, view, detail == Detail::Every);
    others::write(&mut paper, view, told.len(), detail);
    paper.finish()
}

/// The incidents that are told in full: none of those that are over, unless all are asked for.
fn told(view: &Diagnosis, detail: Detail) -> Vec<&Incident> {
    match detail {
        Detail::Every => view.incidents.iter().collect(),
        Detail::First => view.incidents.iter().take(1).filter(|i| i.state != "recovered").collect(),
    }
}

/// The first line: the verdict in one word and what it is about.
fn verdict(paper: &mut Paper, view: &Diagnosis, first: Option<&Incident>) {
    let style = match view.verdict {
        "broken" => Style::Red,
        "degraded" | "recovering" | "at-risk" => Style::Yellow,
        "healthy" => Style::Green,
        _ => Style::Bold,
    };
    let headline = match (first, view.verdict) {
        (Some(incident), _) => incident.headline.as_str(),
        (None, "healthy") => "nothing is wrong in what was looked at",
        (None, "inconclusive") => "the input shows too little to tell",
        (None, _) => "see below",
    };
    let lead = format!("{}  ", view.verdict.to_uppercase());
    paper.led(&lead, style, headline, Style::Bold);
}

/// The moment that ages are counted from.
#[derive(Clone, Copy)]
pub(super) struct Clock(Option<Timestamp>);

impl Clock {
    pub(super) fn of(view: &Diagnosis) -> Self {
        Clock(view.as_of.as_deref().and_then(|t| t.parse().ok()))
    }

    /// `19m ago`, or the time itself when there is nothing to count from.
    pub(super) fn ago(self, time: &str) -> String {
        match (self.0, time.parse::<Timestamp>()) {
            (Some(now), Ok(then)) if then <= now => ago(now, then),
            _ => time.to_owned(),
        }
    }
}
