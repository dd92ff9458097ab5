//! Cuts rows whose columns are one blank apart, by what fits into which column.
//!
//! It must leave a row uncut rather than put a word into a column it does not fit.

use crate::text::time::age_seconds;

/// Columns that `kubectl` leaves blank when there is nothing.
const MAY_BE_EMPTY: &[&str] = &[
    "VOLUME",
    "CAPACITY",
    "ACCESS MODES",
    "CLAIM",
    "STORAGECLASS",
    "VOLUMEATTRIBUTESCLASS",
    "REASON",
    "ADDRESS",
    "SUBOBJECT",
    "LIMIT",
    "LABELS",
];

/// Columns that hold several words.
const ELASTIC: &[&str] = &["MESSAGE", "OS-IMAGE", "TARGETS", "REQUEST", "ENDPOINTS"];

/// Cuts `line` into one cell per name.
pub fn fit(line: &str, names: &[String]) -> Option<Vec<String>> {
    let words = words(line);
    if words.len() == names.len() {
        return Some(words).filter(|w| all_fit(w, names));
    }
    if words.len() > names.len() { stretch(words, names) } else { leave_out(&words, names) }
}

/// Words, with `(3m ago)` and `+ 2 more...` joined to the word before.
fn words(line: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut joining = 0usize;
    let mut in_parens = false;
    for (number, word) in line.split_whitespace().enumerate() {
        if word == "+" {
            joining = 3;
        }
        let age = word.starts_with("(x") || word.starts_with('(') && word.len() > 1;
        in_parens |= age && number > 0;
        let list = words.last().is_some_and(|l| l.ends_with(','));
        match words.last_mut() {
            Some(last) if joining > 0 || in_parens || list => {
                last.push(' ');
                last.push_str(word);
                joining = joining.saturating_sub(1);
                in_parens &= !word.ends_with(')');
            }
            _ => words.push(word.to_owned()),
        }
    }
    words
}

/// More words than columns: one column holds a text.
fn stretch(words: Vec<String>, names: &[String]) -> Option<Vec<String>> {
    let at = names.iter().position(|n| ELASTIC.contains(&n.as_str()))?;
    let extra = words.len() - names.len();
    let mut cells: Vec<String> = words.get(..at)?.to_vec();
    cells.push(words.get(at..=at + extra)?.join(" "));
    cells.extend_from_slice(words.get(at + extra + 1..)?);
    Some(cells).filter(|c| all_fit(c, names))
}

/// Fewer words than columns: some columns are blank, the leftmost possible ones.
fn leave_out(words: &[String], names: &[String]) -> Option<Vec<String>> {
    let optional: Vec<usize> = (0..names.len())
        .filter(|&i| names.get(i).is_some_and(|n| MAY_BE_EMPTY.contains(&n.as_str())))
        .take(10)
        .collect();
    let missing = names.len() - words.len();
    for mask in 0u32..1 << optional.len() {
        if mask.count_ones() as usize != missing {
            continue;
        }
        let blank = |i: usize| {
            optional.iter().position(|&o| o == i).is_some_and(|bit| mask & (1 << bit) != 0)
        };
        let mut rest = words.iter();
        let cells: Option<Vec<String>> = (0..names.len())
            .map(|i| if blank(i) { Some(String::new()) } else { rest.next().cloned() })
            .collect();
        if let Some(cells) = cells.filter(|c| all_fit(c, names)) {
            return Some(cells);
        }
    }
    None
}

fn all_fit(cells: &[String], names: &[String]) -> bool {
    cells.iter().zip(names).all(|(cell, name)| cell.is_empty() || fits(cell, name))
}

fn fits(cell: &str, name: &str) -> bool {
    let digit = cell.starts_with(|c: char| c.is_ascii_digit());
    match name {
        "AGE" | "LAST SEEN" | "FIRST SEEN" | "LASTSEEN" | "FIRSTSEEN" => {
            cell.starts_with('<') || age_seconds(cell.split(' ').next().unwrap_or("")).is_some()
        }
        "CAPACITY" => digit,
        "READY" | "RESTARTS" | "DESIRED" | "CURRENT" | "UP-TO-DATE" | "AVAILABLE" => digit,
        "ACCESS MODES" => cell.split(',').all(|m| matches!(m, "RWO" | "ROX" | "RWX" | "RWOP")),
        "SUBOBJECT" => cell.contains('{') || cell.contains('.'),
        "CLAIM" => cell.contains('/'),
        "RECLAIM POLICY" => matches!(cell, "Delete" | "Retain" | "Recycle"),
        "STORAGECLASS" => !matches!(cell.get(..2), Some("RW" | "RO")),
        "VOLUMEATTRIBUTESCLASS" => cell == "<unset>" || !digit,
        _ => true,
    }
}
