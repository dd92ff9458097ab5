//! Cuts a pasted session into blocks: a command and what it printed.
//!
//! Whether a line begins a block depends on that line and those before it only, so cutting the
//! text never changes how the blocks before the cut are read.

use super::command::{Command, Tool, command_text, prompt_host};
use super::lines::Line;

/// A command, if any, and the lines below it.
#[derive(Debug)]
pub struct Block<'a> {
    /// The command above the lines.
    pub command: Option<Command>,
    /// Line of the command, or of the first line of the body.
    pub line: u32,
    /// What was printed.
    pub body: &'a [Line<'a>],
}

/// Cuts `lines` into blocks.
pub fn blocks<'a>(lines: &'a [Line<'a>]) -> Vec<Block<'a>> {
    let mut blocks = Vec::new();
    let mut open: Option<(Option<Command>, u32)> = None;
    let (mut start, mut at) = (0usize, 0usize);
    let (mut fenced, mut data) = (false, false);
    while let Some(line) = lines.get(at) {
        let fence = line.text.trim_start().starts_with("```");
        data = in_data(lines, at, data);
        let foreign = data || open.as_ref().is_some_and(|(c, _)| prints_foreign_text(c.as_ref()));
        let command =
            command_text(&line.text).filter(|c| !foreign || has_own_prompt(&line.text, c));
        if let Some(text) = command {
            data = false;
            close(&mut blocks, open.take(), lines, start, at);
            let (mut command, used) = joined(text, lines, at);
            command.prompted_at = prompt_host(&line.text, text).map(str::to_owned);
            open = Some((Some(command), line.number));
            start = at + used;
            at = start;
            continue;
        }
        // What follows a closing fence no longer belongs to the command inside.
        if fence {
            fenced = !fenced;
            if !fenced {
                close(&mut blocks, open.take(), lines, start, at);
                start = at + 1;
            }
        }
        at += 1;
    }
    close(&mut blocks, open, lines, start, lines.len());
    blocks
}

/// Whether the line stands in the data of a described config map, which may hold scripts.
fn in_data(lines: &[Line<'_>], at: usize, before: bool) -> bool {
    let text = |at: usize| lines.get(at).map_or("", |l| l.text.as_ref());
    let opens = text(at).starts_with("====") && at > 0 && text(at - 1).trim_end() == "Data";
    (before || opens) && !text(at).starts_with("Events:") && !text(at).starts_with("BinaryData")
}

/// Whether the command prints what others wrote: logs, files.
fn prints_foreign_text(command: Option<&Command>) -> bool {
    command.is_some_and(|c| {
        c.tool == Tool::Other || c.tool == Tool::Kubectl && c.verb.starts_with("log")
    })
}

/// Whether a prompt stands before the command that a comment or a script would not have.
fn has_own_prompt(line: &str, command: &str) -> bool {
    let prompt = line.trim_end().strip_suffix(command).unwrap_or("").trim();
    !matches!(prompt, "" | "#" | ">" | "%")
}

fn close<'a>(
    blocks: &mut Vec<Block<'a>>,
    open: Option<(Option<Command>, u32)>,
    lines: &'a [Line<'a>],
    start: usize,
    end: usize,
) {
    let body = lines.get(start..end).unwrap_or(&[]);
    let (command, line) = open.unwrap_or((None, body.first().map_or(1, |l| l.number)));
    if command.is_some() || body.iter().any(|l| !l.is_blank()) {
        blocks.push(Block { command, line, body });
    }
}

/// Joins lines that end in a backslash; returns the command and how many lines it took.
fn joined(text: &str, lines: &[Line<'_>], at: usize) -> (Command, usize) {
    let mut whole = text.to_owned();
    let mut used = 1;
    while whole.ends_with('\\') && used < 20 {
        whole.pop();
        let Some(next) = lines.get(at + used) else { break };
        whole.push(' ');
        whole.push_str(next.text.trim());
        used += 1;
    }
    (Command::parse(&whole), used)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_of_a_session() {
        let text =
            "motd\n$ kubectl get pods \\\n  -n shop\nNAME\n\n```\n# kubectl get no\nx\n```\nso?";
        let mut sink = |_| {};
        let mut out = super::super::Out { document: "d", sink: &mut sink };
        let lines = super::super::lines::split(text, &mut out);
        let seen: Vec<(u32, bool, usize)> =
            blocks(&lines).iter().map(|b| (b.line, b.command.is_some(), b.body.len())).collect();
        assert_eq!(seen, [(1, false, 1), (2, true, 3), (7, true, 1), (10, false, 1)]);
    }
}
