//! Finds where one described object ends, and joins values that run over several lines.
//!
//! Messages of programs contain line breaks and `describe` prints them raw; without joining
//! them, everything below would be read as something else.

use super::outline::split_key;
use crate::text::errors;
use crate::text::lines::{Line, indent};
use crate::text::table::Columns;
use std::borrow::Cow;

/// Farthest a joined value is followed, in lines.
const MAX_JOIN_LINES: usize = 400;

/// The lines of the object that begins at the first of `lines`, and how many they were.
pub fn object_lines<'a>(lines: &[Line<'a>]) -> (Vec<Line<'a>>, usize) {
    let mut kept: Vec<Line<'a>> = Vec::new();
    let (mut at, mut events, mut data) = (0usize, false, false);
    while let Some(line) = lines.get(at) {
        let text = line.text.as_ref();
        if at > 0 && !data && ends_object(lines, at, events) {
            break;
        }
        let next_rule = lines.get(at + 1).is_some_and(|l| l.text.starts_with("===="));
        data = (data || next_rule && text.starts_with("Data"))
            && !text.starts_with("BinaryData")
            && !text.starts_with("Events:");
        events |= text.starts_with("Events:");
        let below = lines.get(at + 1..).unwrap_or(&[]);
        let extra = if events || data { 0 } else { continued(text, below) };
        let mut line = line.clone();
        for more in below.iter().take(extra) {
            let text = line.text.to_mut();
            // A probe's command goes on; a message keeps its line breaks.
            text.push(if text.trim_start().starts_with("Message:") { '\n' } else { ' ' });
            text.push_str(more.trimmed());
        }
        kept.push(line);
        at += 1 + extra;
    }
    while kept.last().is_some_and(Line::is_blank) {
        kept.pop();
    }
    if events {
        join_event_messages(&mut kept);
    }
    (kept, at)
}

/// Whether an object's text cannot contain this line.
fn ends_object(lines: &[Line<'_>], at: usize, events: bool) -> bool {
    let Some(line) = lines.get(at) else { return true };
    let text = line.text.as_ref();
    if text.is_empty() || text.starts_with([' ', '\t']) {
        return false;
    }
    if text.starts_with("```") || errors::is_error(text) || errors::is_noise(text) {
        return true;
    }
    if text.starts_with("Name:") || text.starts_with("● ") || Columns::header(text).is_some() {
        return true;
    }
    let blank_before = at.checked_sub(1).and_then(|b| lines.get(b)).is_some_and(Line::is_blank);
    if events {
        // A message may go on at the margin, but not after a blank line.
        let none = lines.get(..at).unwrap_or(&[]).iter().rev();
        let none = none.take_while(|l| !l.text.starts_with("Name:"));
        let none =
            none.filter(|l| l.text.starts_with("Events:")).any(|l| l.text.contains("<none>"));
        return none || blank_before;
    }
    // Prose after a blank line.
    blank_before && split_key(text).0.is_empty() && !is_heading(text)
}

/// Lines at the margin without a colon that `describe` prints itself.
fn is_heading(text: &str) -> bool {
    text.starts_with("====")
        || text.starts_with("----")
        || text.starts_with("Data")
        || text.starts_with("BinaryData")
        || text.starts_with("No ")
        || text.starts_with("Resource")
        || text.starts_with("Type ")
}

/// How many lines below belong to this line's value.
fn continued(text: &str, below: &[Line<'_>]) -> usize {
    let (key, value) = split_key(text.trim());
    let depth = indent(text);
    let end = match key {
        "Message" if depth >= 2 => below.iter().take(MAX_JOIN_LINES).position(|l| {
            let (key, _) = split_key(l.trimmed());
            let deep = indent(&l.text);
            deep == depth && matches!(key, "Exit Code" | "Signal" | "Started" | "Finished")
                || deep + 2 == depth && matches!(key, "Last State" | "Ready")
        }),
        "Liveness" | "Readiness" | "Startup"
            if value.starts_with("exec [") && !value.contains("#failure=") =>
        {
            let last = below.iter().take(MAX_JOIN_LINES).position(|l| l.text.contains("#failure="));
            last.map(|n| n + 1)
        }
        _ => None,
    };
    end.unwrap_or(0)
}

/// Appends lines of an event table that begin no event to the message above them.
fn join_event_messages(lines: &mut Vec<Line<'_>>) {
    let Some(events) = lines.iter().rposition(|l| l.text.starts_with("Events:")) else { return };
    let mut rows = lines.split_off((events + 1).min(lines.len())).into_iter();
    // Header and rule as they are.
    lines.extend(rows.by_ref().take(2));
    let first = lines.len();
    for row in rows {
        if row.is_blank() {
            continue;
        }
        let begins = row.text.split_whitespace().take(8).any(|w| w == "Normal" || w == "Warning");
        if begins && row.text.starts_with([' ', '\t']) || lines.len() == first {
            lines.push(row);
        } else if let Some(above) = lines.last_mut() {
            let mut text = std::mem::replace(&mut above.text, Cow::Borrowed("")).into_owned();
            text.push(' ');
            text.push_str(row.trimmed());
            above.text = Cow::Owned(text);
        }
    }
}
