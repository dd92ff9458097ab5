//! Reads one block: finds out what each part of an output is and hands it to its reader.
//!
//! It claims that a list is whole only when the command asked for everything, no filter stood
//! behind it, no mark of cutting and no error was seen, and every row was read.

use super::command::{Command, Scope, Tool};
use super::lines::Line;
use super::shape::object;
use super::table::Columns;
use super::transcript::Block;
use super::{
    Hints, Out, describe, dial, embedded, errors, kinds, log, machine, operations, systemd, table,
    top,
};
use crate::piece::LogOwner;

/// Reads `block`.
pub fn read(block: &Block<'_>, hints: &Hints, out: &mut Out<'_>) {
    if let Some(command) = &block.command {
        match (command.tool, command.verb.as_str()) {
            (Tool::Kubectl, "logs" | "log") => {
                return log::kubectl_logs(block, command, hints, out);
            }
            (Tool::Machine, _) if log::is_of_log_tool(command) => {
                return log::machine(block, command, out);
            }
            (Tool::Dial, _) => return dial::read(block, command, out),
            _ => {}
        }
    }
    let mut reader = Reader {
        block,
        command: block.command.as_ref(),
        hints,
        unknown: Vec::new(),
        whole: true,
        shown: false,
        said_namespace: None,
    };
    reader.run(out);
}

struct Reader<'a> {
    block: &'a Block<'a>,
    command: Option<&'a Command>,
    hints: &'a Hints,
    /// Lines nobody understood.
    unknown: Vec<&'a Line<'a>>,
    /// Nothing was cut, nothing failed.
    whole: bool,
    /// At least one table or list was printed.
    shown: bool,
    /// Namespace named by `No resources found in x namespace.`
    said_namespace: Option<&'a str>,
}

impl<'a> Reader<'a> {
    fn run(&mut self, out: &mut Out<'_>) {
        let mut at = 0;
        while let Some(rest) = self.block.body.get(at..).filter(|r| !r.is_empty()) {
            at += self.part(rest, out).max(1);
        }
        self.finish_unknown(out);
        self.finish_list(out);
    }

    /// Namespace for objects that do not say theirs.
    fn namespace(&self) -> Option<&'a str> {
        match self.command.map(|c| &c.scope) {
            Some(Scope::Named(name)) => Some(name),
            Some(Scope::All) => None,
            _ => self.hints.namespace.as_deref(),
        }
    }

    /// Reads what begins here; returns how many lines it took.
    fn part(&mut self, rest: &'a [Line<'a>], out: &mut Out<'_>) -> usize {
        let Some(line) = rest.first() else { return 0 };
        let text = line.text.as_ref();
        if errors::is_noise(text) {
            self.whole &= !errors::is_cut_mark(text);
            return 1;
        }
        if let Some(namespace) = errors::no_resources(text) {
            self.shown = true;
            self.said_namespace = namespace;
            return 1;
        }
        if errors::is_error(text) {
            self.whole = false;
            errors::check(text, line.number, out);
            errors::emit(text, self.namespace(), line.number, out);
            return 1 + self.more_errors(rest);
        }
        if errors::check(text, line.number, out) {
            return 1;
        }
        let output = self.command.map_or("", |c| c.output.as_str());
        if let Some(read) = embedded::read(rest, output, out) {
            self.shown = true;
            self.whole &= read.whole;
            return read.used;
        }
        if text.starts_with("Name:")
            && let Some(used) = describe::read(rest, self.command, self.namespace(), out)
        {
            return used;
        }
        if let Some(used) = self.machine(rest, out) {
            return used;
        }
        if Columns::header(text).is_some_and(|c| top::is_header(&c)) {
            return top::read(rest, self.namespace(), out).unwrap_or(1);
        }
        let loose = |out: &mut Out<'_>| describe::loose::read(rest, self.command, out);
        if let Some(used) = operations::read(rest, out).or_else(|| loose(out)) {
            return used;
        }
        if let Some(read) = table::read(rest, self.command, self.namespace(), out) {
            self.shown = true;
            self.whole &= read.whole;
            return read.used;
        }
        if let Some(used) = systemd::status(rest, self.command, out) {
            return used;
        }
        if self.short_form(line, out) {
            return 1;
        }
        self.unknown.push(line);
        1
    }

    /// Figures of the machine itself; a line above them may name it.
    fn machine(&mut self, rest: &'a [Line<'a>], out: &mut Out<'_>) -> Option<usize> {
        if self.command.is_some_and(|c| c.in_pod) {
            return None;
        }
        let heading = self.unknown.last().filter(|l| rest.first().is_some_and(|f| f.follows(l)));
        let heading = heading.and_then(|l| machine::host_of_heading(&l.text));
        let host = heading.or(self.host()).unwrap_or("");
        let asked = machine::Asked { host, command: self.command };
        let used = machine::read(rest, &asked, out)?;
        if heading.is_some() {
            self.unknown.pop();
        }
        self.shown = true;
        Some(used)
    }

    /// The machine the text is of: the command's, else the one the file is named after.
    fn host(&self) -> Option<&'a str> {
        let file = || self.hints.file.as_deref().and_then(machine::host_of_file);
        self.command.and_then(Command::machine).or_else(file)
    }

    /// Client errors repeat themselves: the rest of a run says nothing new.
    fn more_errors(&self, rest: &[Line<'_>]) -> usize {
        let first_log = rest.first().is_some_and(|l| errors::is_client_log(&l.text));
        let same = |l: &&Line<'_>| first_log && errors::is_client_log(&l.text);
        rest.iter().skip(1).take_while(same).count()
    }

    /// `pod/web-1` of `-o name`, `active` of `systemctl is-active`.
    fn short_form(&mut self, line: &Line<'_>, out: &mut Out<'_>) -> bool {
        let Some(command) = self.command else { return false };
        if command.tool == Tool::Systemctl {
            return systemd::answer(line, command, out);
        }
        if command.output != "name" {
            return false;
        }
        let Some((kind, name)) = line.trimmed().split_once('/') else { return false };
        let Some(kind) = kinds::by_name(kind).filter(|_| command.scope != Scope::All) else {
            return false;
        };
        self.shown = true;
        out.object(object(kind.kind, name, self.namespace()), line.number);
        true
    }

    /// Lines of a log, or one note that something was not understood.
    fn finish_unknown(&mut self, out: &mut Out<'_>) {
        let Some(first) = self.unknown.first() else { return };
        let lines = || self.unknown.iter().map(|l| (*l).clone()).collect::<Vec<Line<'_>>>();
        if let Some(command) = self.command.filter(|c| c.tool == Tool::Machine) {
            // What a tool of the machine said instead, e.g. that its daemon does not answer.
            let name = command.words.first().map_or("", |w| w.rsplit('/').next().unwrap_or(w));
            let host = command.host.as_deref().or(self.host());
            return log::emit_journal(&lines(), host, name, out);
        }
        let logs = self.unknown.iter().filter(|l| log::looks_like_log(&l.text)).count();
        let file = self.hints.file.as_deref().unwrap_or("");
        let named_log =
            self.command.is_none() && (file.ends_with(".log") || file.contains(".log."));
        if logs * 4 >= self.unknown.len() || named_log {
            let lines = lines();
            if lines.iter().any(|l| log::journal_line(&l.text).is_some()) {
                let host = self.command.and_then(|c| c.host.as_deref());
                log::emit_journal(&lines, host, "journal", out);
                return;
            }
            if let Some(unit) = log::unit_by_lines(&lines) {
                log::emit_journal(&lines, self.host(), unit, out);
                return;
            }
            let namespace = self.namespace().map(str::to_owned);
            let of = LogOwner { name: stem(file).to_owned(), namespace, ..LogOwner::default() };
            log::emit(&lines, &of, out);
            return;
        }
        let (count, quote) = (self.unknown.len(), errors::quote(&first.text));
        let lines = if count == 1 { "line" } else { "lines" };
        out.skipped(format!("{count} {lines} not understood, from: {quote}"), first.number);
        // A line that was not understood may have been a row.
        self.whole &= self.command.is_none_or(|c| c.verb != "get");
    }

    /// Says that lists are whole, where that is certain.
    fn finish_list(&self, out: &mut Out<'_>) {
        let Some(command) = self.command else { return };
        let asked = command.tool == Tool::Kubectl && command.verb == "get" && !command.narrowed;
        if !asked || !self.whole || !self.shown {
            return;
        }
        let asked: Vec<&str> = if command.everything {
            kinds::ALL.to_vec()
        } else {
            command.kinds.iter().map(|k| k.kind).collect()
        };
        for kind in asked.into_iter().filter_map(kinds::by_kind) {
            let known = self.said_namespace.or(self.namespace()).map(str::to_owned);
            let namespace = if kind.namespaced && command.scope != Scope::All {
                // Without a namespace nothing can be said about any.
                let Some(known) = known else { continue };
                Some(known)
            } else {
                None
            };
            out.listed(kind.kind, namespace, self.block.line);
        }
    }
}

/// `web` of `logs/web.log`.
fn stem(file: &str) -> &str {
    let name = file.rsplit('/').next().unwrap_or(file);
    name.split(".log").next().unwrap_or(name)
}
