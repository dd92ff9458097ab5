//! The page of a failure kind, for the terminal.

use crate::render::clean::width;
use crate::render::paper::{Paint, Paper, Style};
use crate::views::{Failure, FailureList};

/// The page, its mechanisms, and its place among the other kinds.
pub(in crate::render) fn failure(view: &Failure, paint: Paint) -> String {
    let mut paper = Paper::new(paint);
    paper.led(&format!("{}  ", view.id), Style::Cyan, view.title, Style::Bold);
    body(&mut paper, &view.page);
    if !view.mechanisms.is_empty() {
        paper.heading("Mechanisms");
        let widest = view.mechanisms.iter().map(|m| width(m.id)).max().unwrap_or(0).min(32);
        for m in &view.mechanisms {
            let lead = format!("  {:<widest$}  ", m.id);
            paper.led(&lead, Style::Cyan, m.meaning, Style::Plain);
        }
    }
    for (title, ids) in [
        ("Also called", &view.also),
        ("Can lead to", &view.leads_to),
        ("Can be caused by", &view.caused_by),
        ("Reads", &view.reads),
    ] {
        if !ids.is_empty() {
            paper.heading(title);
            paper.item("  ", &ids.join(", "), Style::Plain);
        }
    }
    paper.finish()
}

/// The list of kinds.
pub(in crate::render) fn failure_list(view: &FailureList, paint: Paint) -> String {
    let mut paper = Paper::new(paint);
    let widest = view.items.iter().map(|i| width(i.id)).max().unwrap_or(0).min(40);
    for item in &view.items {
        let lead = format!("{:<widest$}  ", item.id);
        paper.led(&lead, Style::Cyan, item.title, Style::Plain);
    }
    paper.gap();
    paper.item("", "`seaworthy explain ID` tells more of each.", Style::Dim);
    paper.finish()
}

/// The page's Markdown: headings, lists, code and paragraphs, without its title.
fn body(paper: &mut Paper, page: &str) {
    let mut paragraph = Paragraph::default();
    let mut in_code = false;
    for line in page.lines() {
        let text = line.trim();
        if text.starts_with("```") {
            paragraph.end(paper);
            in_code = !in_code;
        } else if in_code {
            paper.item("    ", text, Style::Cyan);
        } else if let Some(title) = text.strip_prefix('#') {
            paragraph.end(paper);
            if title.starts_with('#') {
                paper.heading(title.trim_start_matches('#').trim());
            }
        } else if text.is_empty() {
            let wrote = paragraph.end(paper);
            if wrote {
                paper.gap();
            }
        } else if let Some(marker) = marker(text) {
            paragraph.end(paper);
            let rest = text.get(marker.len()..).unwrap_or_default();
            paragraph = Paragraph { lead: format!("  {marker}"), text: rest.to_owned() };
        } else {
            paragraph.add(text);
        }
    }
    paragraph.end(paper);
}

/// The marker of a list item, e.g. `1. ` or `- `.
fn marker(text: &str) -> Option<&str> {
    let digits = text.chars().take_while(char::is_ascii_digit).count();
    let end = if digits > 0 && text.get(digits..)?.starts_with(". ") {
        digits + 2
    } else if text.starts_with("- ") || text.starts_with("* ") {
        2
    } else {
        return None;
    };
    text.get(..end)
}

/// Lines that belong together.
#[derive(Default)]
struct Paragraph {
    lead: String,
    text: String,
}

impl Paragraph {
    fn add(&mut self, line: &str) {
        if !self.text.is_empty() {
            self.text.push(' ');
        }
        self.text.push_str(line);
    }

    /// Writes it, if there is any; says whether there was.
    fn end(&mut self, paper: &mut Paper) -> bool {
        let Paragraph { lead, text } = std::mem::take(self);
        let any = !text.is_empty();
        if any {
            let lead = if lead.is_empty() { "  ".to_owned() } else { lead };
            paper.item(&lead, &text, Style::Plain);
        }
        any
    }
}
