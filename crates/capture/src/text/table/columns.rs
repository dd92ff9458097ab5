//! Finds the columns of a table from its header and cuts rows at them.
//!
//! A row whose words stand across a column border (masked values, pastes that squeezed blanks)
//! is cut by its words instead; it must never be cut in the middle of a word.

use super::squeezed;
use crate::text::lines::expand_tabs;

/// Names and positions of the columns of one table.
#[derive(Clone, Debug, PartialEq)]
pub struct Columns {
    /// Names as printed, e.g. `ACCESS MODES`.
    pub names: Vec<String>,
    /// Column (in letters) of the first letter of each name.
    starts: Vec<usize>,
}

/// Names of two words: needed when a paste left one blank between columns.
const TWO_WORDS: &[(&str, &str)] = &[
    ("LAST", "SEEN"),
    ("FIRST", "SEEN"),
    ("NOMINATED", "NODE"),
    ("READINESS", "GATES"),
    ("ACCESS", "MODES"),
    ("RECLAIM", "POLICY"),
    ("NODE", "SELECTOR"),
    ("MIN", "AVAILABLE"),
    ("MAX", "UNAVAILABLE"),
    ("ALLOWED", "DISRUPTIONS"),
    ("LAST", "SCHEDULE"),
    ("CREATED", "AT"),
];

impl Columns {
    /// The header of a `kubectl get` table, or `None` when the line is none.
    pub fn header(line: &str) -> Option<Columns> {
        let first = line.split_whitespace().next()?;
        let known = matches!(
            first,
            "NAME" | "NAMESPACE" | "LAST" | "LASTSEEN" | "FIRST" | "FIRSTSEEN" | "POD"
        );
        if !known || line.starts_with(' ') {
            return None;
        }
        let columns = Columns::titled(line);
        let ok = columns.names.len() >= 2 && columns.names.iter().all(|n| is_header_name(n));
        ok.then_some(columns)
    }

    /// Any header, e.g. `Type    Status  Reason`.
    pub fn titled(line: &str) -> Columns {
        let line = expand_tabs(line);
        let wide = line.trim().contains("  ");
        let mut words: Vec<(usize, String)> = Vec::new();
        let mut blanks = usize::MAX;
        for (at, c) in line.chars().enumerate() {
            if c == ' ' {
                blanks = blanks.saturating_add(1);
                continue;
            }
            match words.last_mut() {
                Some((_, word)) if blanks == 0 => word.push(c),
                Some((_, word)) if blanks == 1 && wide => {
                    word.push(' ');
                    word.push(c);
                }
                _ => words.push((at, c.to_string())),
            }
            blanks = 0;
        }
        if !wide {
            words = join_two_words(words);
        }
        let (starts, names) = words.into_iter().unzip();
        Columns { names, starts }
    }

    /// Columns known from the kind alone, for rows without a header.
    pub fn unplaced(names: Vec<String>) -> Columns {
        Columns { names, starts: Vec::new() }
    }

    /// Position of a column by name.
    pub fn index(&self, name: &str) -> Option<usize> {
        self.names.iter().position(|n| n.eq_ignore_ascii_case(name))
    }

    /// Cuts a row; always as many cells as columns, empty ones for missing cells.
    /// `None` when the words cannot be told apart.
    pub fn cells(&self, line: &str) -> Option<Vec<String>> {
        let line = expand_tabs(line);
        if let Some(cells) = self.cut_at_positions(&line) {
            return Some(cells);
        }
        let fields = split_wide(&line);
        if fields.len() == self.names.len() {
            return Some(fields.into_iter().map(str::to_owned).collect());
        }
        squeezed::fit(&line, &self.names)
    }

    fn cut_at_positions(&self, line: &str) -> Option<Vec<String>> {
        if self.starts.len() != self.names.len() || self.starts.is_empty() {
            return None;
        }
        // Positions count letters; in plain ASCII they are bytes.
        let letters: Vec<usize> = match line.is_ascii() {
            true => Vec::new(),
            false => line.char_indices().map(|(at, _)| at).collect(),
        };
        let byte = |column: usize| match letters.is_empty() {
            true => column.min(line.len()),
            false => letters.get(column).copied().unwrap_or(line.len()),
        };
        let blank = |column: usize| line.as_bytes().get(byte(column)).is_none_or(|b| *b == b' ');
        let mut cells = Vec::with_capacity(self.starts.len());
        for (number, &start) in self.starts.iter().enumerate() {
            let from = if number == 0 { 0 } else { start };
            if start > 0 && number > 0 {
                // A cell begins at its column or is empty; else the row is shifted.
                if !blank(start - 1) || (blank(start) && !blank(start + 1)) {
                    return None;
                }
            }
            let end = self.starts.get(number + 1).copied().unwrap_or(usize::MAX);
            let cell = line.get(byte(from)..byte(end)).unwrap_or("").trim();
            let last = number + 1 == self.starts.len();
            // Two cells in one column mean that the row is shifted; only the last may hold text.
            if !last && cell.contains("  ") {
                return None;
            }
            cells.push(cell.to_owned());
        }
        Some(cells)
    }
}

fn is_header_name(name: &str) -> bool {
    let plain = name.split('(').next().unwrap_or(name);
    !plain.is_empty()
        && plain.chars().all(|c| {
            c.is_ascii_uppercase()
                || c.is_ascii_digit()
                || matches!(c, ' ' | '-' | '%' | '_' | '/' | '.')
        })
}

fn join_two_words(words: Vec<(usize, String)>) -> Vec<(usize, String)> {
    let mut joined: Vec<(usize, String)> = Vec::with_capacity(words.len());
    for (at, word) in words {
        match joined.last_mut() {
            Some((_, last)) if TWO_WORDS.contains(&(last.as_str(), word.as_str())) => {
                last.push(' ');
                last.push_str(&word);
            }
            _ => joined.push((at, word)),
        }
    }
    joined
}

/// Splits at two or more blanks.
pub fn split_wide(line: &str) -> Vec<&str> {
    line.split("  ").map(str::trim).filter(|f| !f.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(header: &str, row: &str, want: &[&str]) {
        let columns = Columns::header(header).expect("a header");
        assert_eq!(columns.cells(row).expect("cells"), want);
    }

    #[test]
    fn rows() {
        let pods = "NAME    READY   STATUS             RESTARTS        AGE";
        check(
            pods,
            "web-1   0/1     CrashLoopBackOff   7 (3m ago)      9m",
            &["web-1", "0/1", "CrashLoopBackOff", "7 (3m ago)", "9m"],
        );
        // A longer value than the column: cut by words.
        check(
            pods,
            "web-1-very-long   0/1     Running   0    9m",
            &["web-1-very-long", "0/1", "Running", "0", "9m"],
        );
        let claims = "NAME   STATUS   VOLUME   CAPACITY   ACCESS MODES   STORAGECLASS   AGE";
        check(
            claims,
            "data   Pending                                      fast           5m",
            &["data", "Pending", "", "", "", "fast", "5m"],
        );
        let squeezed = "NAME STATUS VOLUME CAPACITY ACCESS MODES STORAGECLASS AGE";
        check(squeezed, "data Pending fast 5m", &["data", "Pending", "", "", "", "fast", "5m"]);
        check(
            squeezed,
            "data Bound pv-1 1Gi RWO 5m",
            &["data", "Bound", "pv-1", "1Gi", "RWO", "", "5m"],
        );
        check(
            "NAME READY STATUS RESTARTS AGE",
            "web 1/1 Running 7 (3m ago) 9m",
            &["web", "1/1", "Running", "7 (3m ago)", "9m"],
        );
        check(
            "LAST SEEN TYPE REASON OBJECT MESSAGE",
            "5m Warning BackOff pod/x Back-off restarting",
            &["5m", "Warning", "BackOff", "pod/x", "Back-off restarting"],
        );
    }

    #[test]
    fn no_headers() {
        for line in ["NAME", "Name: x", "NAME of the thing", "error: x", "NAMES ARE LOUD"] {
            assert_eq!(Columns::header(line), None, "{line}");
        }
    }
}
