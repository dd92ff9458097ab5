//! `ps` and `top`: processes, gathered by command; a machine has too many to keep each.

use super::{Asked, bytes};
use crate::text::Out;
use crate::text::lines::Line;
use model::{HostFigure, Text};
use std::collections::BTreeMap;

/// Commands told apart in one table; all others count as one.
const MAX_COMMANDS: usize = 4096;
/// Commands handed on: those that hold the most memory, and those that are most.
const KEPT: usize = 10;
/// Longest name of a command kept.
const NAME_CHARS: usize = 64;

/// Where the columns of one table are.
struct Columns {
    pid: usize,
    parent: Option<usize>,
    state: Option<usize>,
    /// Resident memory, and how many bytes one of its bare numbers counts.
    resident: Option<usize>,
    command: usize,
}

impl Columns {
    fn of(header: &str) -> Option<Columns> {
        let words: Vec<&str> = header.split_whitespace().collect();
        let at = |names: &[&str]| words.iter().position(|w| names.contains(w));
        let command = at(&["COMMAND", "CMD", "ARGS"]).filter(|c| *c + 1 == words.len())?;
        Some(Columns {
            pid: at(&["PID"])?,
            parent: at(&["PPID"]),
            state: at(&["STAT", "S"]),
            resident: at(&["RSS", "RES", "RSZ"]),
            command,
        })
    }

    /// Columns of rows whose header a filter has taken away: those of a zombie in `ps -ef` or
    /// `ps aux`.
    fn of_row(words: &[&str]) -> Option<Columns> {
        let number = |at: usize| words.get(at).is_some_and(|w| w.parse::<u32>().is_ok());
        let defunct = words.last() == Some(&"<defunct>");
        if !defunct || !number(1) || words.len() < 8 {
            return None;
        }
        Some(match number(2) {
            true => Columns { pid: 1, parent: Some(2), state: None, resident: None, command: 7 },
            false => {
                let (state, resident) = (Some(7), Some(5));
                Columns { pid: 1, parent: None, state, resident, command: 10 }
            }
        })
    }
}

/// What was counted.
#[derive(Default)]
struct Counted {
    total: u32,
    defunct: u32,
    /// Count and resident bytes by command.
    commands: BTreeMap<Text, (u32, u64)>,
    /// Zombies by parent and command.
    zombies: BTreeMap<(u32, Text), u32>,
    /// Commands by process number.
    names: BTreeMap<u32, Text>,
}

/// Reads the table, or the summary line of `top`, that begins at the first of `lines`.
pub(super) fn read(lines: &[Line<'_>], asked: &Asked<'_>, out: &mut Out<'_>) -> Option<usize> {
    let first = lines.first()?;
    if let Some(tasks) = tasks(&first.text) {
        asked.send(tasks, first.number, out);
        return Some(1);
    }
    let text = first.text.trim_end();
    if !text.contains("PID") && !text.ends_with("<defunct>") {
        return None;
    }
    let words: Vec<&str> = text.split_whitespace().collect();
    let (columns, headed) = match Columns::of(&first.text) {
        Some(columns) => (columns, true),
        None => (Columns::of_row(&words)?, false),
    };
    let mut counted = Counted::default();
    let mut used = usize::from(headed);
    while let Some(line) = lines.get(used) {
        if line.is_blank() || !counted.take(&columns, &line.text) {
            break;
        }
        used += 1;
    }
    let all = headed && asked.command.is_none_or(|c| !c.narrowed);
    counted.emit(all, asked, first.number, out);
    (used > 0).then_some(used)
}

/// `Tasks: 300 total,   1 running, 287 sleeping,   0 stopped,  12 zombie`.
fn tasks(text: &str) -> Option<HostFigure> {
    let rest = text.strip_prefix("Tasks:").or_else(|| text.strip_prefix("Threads:"))?;
    let of = |name: &str| -> Option<u32> {
        let part = rest.split(',').find(|p| p.trim_end().ends_with(name))?;
        part.split_whitespace().next()?.parse().ok()
    };
    Some(HostFigure::Tasks { total: of("total")?, defunct: of("zombie").unwrap_or(0) })
}

impl Counted {
    /// Counts a row; false when it is none.
    fn take(&mut self, columns: &Columns, text: &str) -> bool {
        let words: Vec<&str> = text.split_whitespace().collect();
        let number = |at: usize| words.get(at).and_then(|w| w.parse::<u32>().ok());
        let Some(pid) = number(columns.pid) else { return false };
        let mut command = words.get(columns.command..).unwrap_or(&[]).iter();
        let Some(word) = command.find(|w| !matches!(**w, "\\_" | "|")) else { return false };
        let name = name(word);
        let cell = |at: Option<usize>| at.and_then(|at| words.get(at)).copied().unwrap_or("");
        self.total = self.total.saturating_add(1);
        if cell(columns.state).starts_with('Z') || words.last() == Some(&"<defunct>") {
            self.defunct = self.defunct.saturating_add(1);
            let parent = columns.parent.and_then(number).unwrap_or(0);
            if self.zombies.len() < MAX_COMMANDS
                || self.zombies.contains_key(&(parent, name.clone()))
            {
                *self.zombies.entry((parent, name)).or_insert(0) += 1;
            }
            return true;
        }
        let resident = bytes(cell(columns.resident), 1024.0).unwrap_or(0);
        let known = self.commands.len() < MAX_COMMANDS || self.commands.contains_key(&name);
        let key = if known { name.clone() } else { Text::const_new("(others)") };
        let (count, sum) = self.commands.entry(key).or_insert((0, 0));
        (*count, *sum) = (count.saturating_add(1), sum.saturating_add(resident));
        self.names.insert(pid, name);
        true
    }

    fn emit(self, all: bool, asked: &Asked<'_>, line: u32, out: &mut Out<'_>) {
        if all {
            asked.send(HostFigure::Tasks { total: self.total, defunct: self.defunct }, line, out);
        }
        let commands: Vec<(Text, (u32, u64))> = self.commands.into_iter().collect();
        let mut order: Vec<usize> = (0..commands.len()).collect();
        let mut kept: Vec<usize> = Vec::new();
        let by = |at: &usize| commands.get(*at).map_or((0, 0), |(_, sums)| *sums);
        order.sort_by_key(|at| std::cmp::Reverse(by(at).1));
        kept.extend(order.iter().take(KEPT));
        order.sort_by_key(|at| std::cmp::Reverse(by(at).0));
        kept.extend(order.iter().take(KEPT));
        kept.sort_unstable();
        kept.dedup();
        for (command, (count, resident_bytes)) in kept.iter().filter_map(|at| commands.get(*at)) {
            let (command, count, resident_bytes) = (command.clone(), *count, *resident_bytes);
            asked.send(HostFigure::Processes { command, count, resident_bytes }, line, out);
        }
        let mut zombies: Vec<((u32, Text), u32)> = self.zombies.into_iter().collect();
        zombies.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        for ((parent, command), count) in zombies.into_iter().take(KEPT) {
            let parent_command = self.names.get(&parent).cloned().unwrap_or_default();
            let figure = HostFigure::Defunct { parent, parent_command, command, count };
            asked.send(figure, line, out);
        }
    }
}

/// `/usr/bin/kubelet` as `kubelet`, `[kworker/0:1]` as `kworker`, `nginx:` as `nginx`.
fn name(word: &str) -> Text {
    let name = match word.strip_prefix('[') {
        Some(kernel) => kernel.split(['/', ']']).next().unwrap_or(kernel),
        None => word.trim_end_matches(':').rsplit('/').next().unwrap_or(word),
    };
    name.chars().take(NAME_CHARS).collect()
}
