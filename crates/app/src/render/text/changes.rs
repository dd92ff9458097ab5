//! What changed between two captures, and what may have followed from it.

use crate::render::clean::cut;
use crate::render::paper::{Paper, Style};
use crate::views::{Changes, Diagnosis, FieldChange, ObjectChange};

/// Objects and fields told in the shortened form, and columns of one value.
const OBJECTS: usize = 8;
const FIELDS: usize = 6;
const VALUE_COLUMNS: usize = 100;

/// Writes what changed, if two captures were compared.
pub(super) fn write(paper: &mut Paper, view: &Diagnosis, all: bool) {
    let Some(changes) = &view.changes else { return };
    let since = changes.from.as_deref().map(|t| format!(" since {t}")).unwrap_or_default();
    paper.heading(&format!("What changed{since}"));
    if changes.objects.is_empty() {
        let nothing = "Nothing that people edit, as far as both captures show it.";
        paper.item("  ", nothing, Style::Plain);
    }
    let shown = if all { usize::MAX } else { OBJECTS };
    for change in changes.objects.iter().take(shown) {
        object(paper, view, change, all);
    }
    if changes.objects.len() > shown {
        let more = format!("... and {} more (-o wide)", changes.objects.len() - shown);
        paper.item("  ", &more, Style::Dim);
    }
    incidents(paper, view, changes);
}

fn object(paper: &mut Paper, view: &Diagnosis, change: &ObjectChange, all: bool) {
    let what = format!("{} was {}", change.object, change.change);
    paper.item("  - ", &what, Style::Plain);
    let shown = if all { usize::MAX } else { FIELDS };
    for f in change.fields.iter().take(shown) {
        paper.item("    ", &field(f, all), Style::Plain);
    }
    if change.fields.len() > shown {
        let more = format!("... and {} more fields (-o wide)", change.fields.len() - shown);
        paper.item("    ", &more, Style::Dim);
    }
    for link in &change.led_to {
        let incident = view.incidents.iter().find(|i| i.id == link.incident);
        let which = match incident {
            Some(i) if i.rank == 1 => "this".to_owned(),
            Some(i) => format!("incident {} ({})", i.rank, i.id),
            None => link.incident.clone(),
        };
        let word = match link.certainty {
            "proven" => "caused",
            "likely" => "most likely caused",
            _ => "may have caused",
        };
        paper.item("    => ", &format!("{word} {which}: {}", link.why), Style::Bold);
    }
}

/// `spec.replicas: 2 -> 3`.
pub(in crate::render) fn field(f: &FieldChange, all: bool) -> String {
    let shown = |v: &Option<String>| match v {
        Some(v) if all => v.clone(),
        Some(v) => cut(v, VALUE_COLUMNS),
        None => "(not set)".to_owned(),
    };
    format!("{}: {} -> {}", f.field, shown(&f.before), shown(&f.after))
}

fn incidents(paper: &mut Paper, view: &Diagnosis, changes: &Changes) {
    let ranks = |ids: &[String]| {
        let known = |id: &String| view.incidents.iter().find(|i| i.id == *id).map(|i| i.rank);
        let mut ranks: Vec<usize> = ids.iter().filter_map(known).collect();
        ranks.sort_unstable();
        let words: Vec<String> = ranks.iter().map(ToString::to_string).collect();
        words.join(", ")
    };
    for (title, ids) in [("new", &changes.new), ("there before", &changes.still)] {
        let ranks = ranks(ids);
        if !ranks.is_empty() {
            paper.item("  ", &format!("Incidents that are {title}: {ranks}"), Style::Plain);
        }
    }
    for gone in &changes.gone {
        paper.item("  ", &format!("Gone: {} ({})", gone.headline, gone.id), Style::Plain);
    }
}
