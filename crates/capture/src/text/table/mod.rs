//! Reads the tables of `kubectl get`.
//!
//! It never says that a list is whole; [`Read::whole`] only tells that every row was read to its
//! end, and the caller knows the command.

mod columns;
mod guess;
mod rows;
mod squeezed;

#[cfg(test)]
mod tests;

use super::Out;
use super::command::Command;
use super::errors;
use super::kinds;
use super::lines::Line;
use super::time::age_seconds;
pub use columns::{Columns, split_wide};
pub use rows::{claim_ref, metric, object_from_row, set_ages, set_source};

/// What was read of one table.
#[derive(Debug, Default)]
pub struct Read {
    /// Lines used, the header included.
    pub used: usize,
    /// The kind of its rows, when they are all of one kind.
    pub kind: Option<&'static str>,
    /// No row was cut or left out.
    pub whole: bool,
}

/// Reads the table that begins at the first of `lines`, or `None` when there is none.
pub fn read(
    lines: &[Line<'_>],
    command: Option<&Command>,
    namespace: Option<&str>,
    out: &mut Out<'_>,
) -> Option<Read> {
    let (columns, header) = find_columns(lines.first()?, command)?;
    let asked = command.and_then(Command::kind).map(|k| k.kind);
    let kind = kinds::told(guess::kind_of(&columns.names), asked);
    let mut table =
        Table { columns, kind, namespace, read: Read { whole: true, ..Read::default() } };
    table.read.used = usize::from(header);
    table.read.kind = kind;
    while let Some(line) = lines.get(table.read.used) {
        if table.ends_at(line) {
            break;
        }
        let more = table.continuation(lines);
        table.row(line, &more, out);
        table.read.used += 1 + more.len();
    }
    (table.read.used > 0).then_some(table.read)
}

/// The columns, and whether the line is a header (else it is a row already).
fn find_columns(line: &Line<'_>, command: Option<&Command>) -> Option<(Columns, bool)> {
    if let Some(columns) = Columns::header(&line.text) {
        return Some((columns, true));
    }
    if line.text.starts_with(' ') {
        return None;
    }
    if let Some(names) = guess::unmistakable(&line.text) {
        return Some((Columns::unplaced(names), false));
    }
    let command = command.filter(|c| matches!(c.verb.as_str(), "get" | "events"))?;
    let columns = Columns::unplaced(guess::columns_for(command.kind()?.kind, command)?);
    let cells = columns.cells(&line.text)?;
    let age = columns.index("AGE").or(columns.index("LAST SEEN"))?;
    age_seconds(cells.get(age)?.split(' ').next()?)?;
    Some((columns, false))
}

struct Table<'a> {
    columns: Columns,
    kind: Option<&'static str>,
    namespace: Option<&'a str>,
    read: Read,
}

impl Table<'_> {
    fn ends_at(&self, line: &Line<'_>) -> bool {
        let text = line.text.as_ref();
        if errors::is_noise(text) || errors::is_error(text) || Columns::header(text).is_some() {
            return true;
        }
        let first = text.split_whitespace().next().unwrap_or("");
        if self.columns.index("MESSAGE").is_some() && self.kind != Some("ComponentStatus") {
            return !self.begins_event(text);
        }
        if text.starts_with(' ') && self.has_no_namespace(first) {
            return false;
        }
        // `[`, `(`, a quote or a colon at the end is prose or an error, not a name.
        let name = |c: char| {
            c.is_alphanumeric() || matches!(c, '-' | '.' | '/' | ':' | '_' | '<' | '>' | '*')
        };
        text.starts_with(' ') || first.ends_with(':') || !first.chars().all(name)
    }

    /// Whether the row of this first word leaves the column of namespaces empty, as `get -A` of
    /// several kinds prints those of the whole cluster.
    fn has_no_namespace(&self, first: &str) -> bool {
        let kind = first.split_once('/').and_then(|(kind, _)| kinds::by_name(kind));
        self.columns.index("NAMESPACE") == Some(0) && kind.is_some_and(|k| !k.namespaced)
    }

    fn begins_event(&self, text: &str) -> bool {
        let mut words = text.split_whitespace();
        if self.columns.index("NAMESPACE") == Some(0) {
            words.next();
        }
        let word = words.next().unwrap_or("");
        !text.starts_with(' ') && (word.starts_with('<') || age_seconds(word).is_some())
    }

    /// Lines below the next row that continue its message.
    fn continuation(&self, lines: &[Line<'_>]) -> Vec<String> {
        if self.columns.index("MESSAGE").is_none() || self.kind == Some("ComponentStatus") {
            return Vec::new();
        }
        let rest = lines.iter().skip(self.read.used + 1);
        rest.take(40)
            .take_while(|l| {
                !errors::is_noise(&l.text)
                    && !errors::is_error(&l.text)
                    && !self.begins_event(&l.text)
                    && Columns::header(&l.text).is_none()
            })
            .map(|l| l.trimmed().to_owned())
            .collect()
    }

    fn row(&mut self, line: &Line<'_>, more: &[String], out: &mut Out<'_>) {
        let Some(mut cells) = self.columns.cells(&line.text) else {
            return self.cut(line, out);
        };
        let age = self.columns.index("AGE").or(self.columns.index("LAST SEEN"));
        if age.and_then(|i| cells.get(i)).is_some_and(String::is_empty) {
            return self.cut(line, out);
        }
        if let Some(message) = self.columns.index("MESSAGE").and_then(|i| cells.get_mut(i)) {
            for line in more {
                message.push(' ');
                message.push_str(line);
            }
        }
        let prefixed = self.columns.index("NAME").and_then(|i| cells.get(i));
        let kind = prefixed
            .and_then(|name| name.split_once('/'))
            .and_then(|(kind, _)| kinds::by_name(kind))
            .map(|k| k.kind)
            .or(self.kind);
        if kind != self.kind && self.kind.is_some() {
            self.read.kind = kind;
        }
        match kind.and_then(|k| object_from_row(k, &self.columns.names, &cells, self.namespace)) {
            Some(value) => out.object(value, line.number),
            None if kind.is_none() && self.read.used > 1 => self.read.whole = false,
            None => {
                self.read.whole = false;
                let header = self.columns.names.join(" ");
                out.skipped(format!("rows of an unknown table ({header})"), line.number);
            }
        }
    }

    fn cut(&mut self, line: &Line<'_>, out: &mut Out<'_>) {
        self.read.whole = false;
        out.skipped("a row of a table was cut or cannot be told apart".to_owned(), line.number);
    }
}
