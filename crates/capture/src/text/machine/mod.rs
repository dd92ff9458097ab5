//! What a machine's own tools print: `df`, `free`, `ps`, `top`, `uptime`, `docker ps`,
//! `crictl ps`, `crictl pods`, `conntrack -S`.
//!
//! Each is told by its header, with or without the command above it. A figure is handed on as
//! printed; whether it is much or little is not judged here.

mod conntrack;
mod containers;
mod disk;
mod memory;
mod processes;

use super::Out;
use super::command::Command;
use super::lines::Line;
use crate::piece::Piece;
use model::HostFigure;

/// Tools whose output is read here; a file may be named after them.
const TOOLS: &[&str] =
    &["conntrack", "df", "free", "ps", "top", "uptime", "docker", "crictl", "nerdctl"];

/// Which machine printed something, and what was asked of it.
pub struct Asked<'a> {
    /// The machine's name, or empty.
    pub host: &'a str,
    /// The command, where it was pasted too.
    pub command: Option<&'a Command>,
}

impl Asked<'_> {
    fn send(&self, figure: HostFigure, line: u32, out: &mut Out<'_>) {
        let (node, place) = (self.host.to_owned(), out.place(line));
        out.send(Piece::Host { node, figure, place });
    }

    /// Whether a short flag was given, also among others (`-sh`).
    fn flag(&self, flag: char) -> bool {
        let words = self.command.into_iter().flat_map(|c| c.words.iter().skip(1));
        let mut short = words.filter(|w| w.starts_with('-') && !w.starts_with("--"));
        short.any(|w| w.contains(flag))
    }
}

/// Reads what begins at the first of `lines`; returns how many lines it took.
pub fn read(lines: &[Line<'_>], asked: &Asked<'_>, out: &mut Out<'_>) -> Option<usize> {
    let first = lines.first()?;
    let text = first.text.as_ref();
    if let Some(load) = load(text) {
        asked.send(load, first.number, out);
        return Some(1);
    }
    if text.starts_with("%Cpu(s):") || text.starts_with("Cpu(s):") {
        return Some(1);
    }
    disk::read(lines, asked, out)
        .or_else(|| memory::read(lines, asked, out))
        .or_else(|| processes::read(lines, asked, out))
        .or_else(|| containers::read(lines, asked, out))
        .or_else(|| conntrack::read(lines, asked, out))
}

/// `... up 5 days, 2 users,  load average: 1.00, 2.00, 3.00`.
fn load(text: &str) -> Option<HostFigure> {
    let (before, rest) =
        text.split_once("load average: ").or_else(|| text.split_once("load averages: "))?;
    if !before.contains(" up ") {
        return None;
    }
    let words = rest.split([',', ' ']).filter(|w| !w.is_empty());
    let mut means = words.map(|w| hundredths(w.trim_end_matches(',')));
    Some(HostFigure::Load { one: means.next()??, five: means.next()??, fifteen: means.next()?? })
}

fn hundredths(text: &str) -> Option<u32> {
    let value: f64 = text.parse().ok()?;
    (0.0..1e7).contains(&value).then_some((value * 100.0).round() as u32)
}

/// `7.8Gi`, `500m`, `1024` as bytes; a bare number counts `unit` bytes each.
fn bytes(text: &str, unit: f64) -> Option<u64> {
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, suffix) = (text.get(..end)?, text.get(end..)?);
    let factor = match suffix.chars().next().map(|c| c.to_ascii_uppercase()) {
        None => unit,
        Some('B') => 1.0,
        Some('K') => 1024.0,
        Some('M') => 1_048_576.0,
        Some('G') => 1_073_741_824.0,
        Some('T') => 1_099_511_627_776.0,
        Some('P') => 1_125_899_906_842_624.0,
        Some(_) => return None,
    };
    let value = number.parse::<f64>().ok()? * factor;
    (value < 9e18).then_some(value as u64)
}

/// The machine a file is of, when it is named after a tool and lies in the machine's folder:
/// `nodes/worker-1/df.txt`.
pub fn host_of_file(path: &str) -> Option<&str> {
    let mut parts = path.rsplit('/');
    let (file, folder) = (parts.next()?, parts.next()?);
    let tool = file.split(|c: char| !c.is_ascii_alphanumeric()).next()?;
    let known = TOOLS.contains(&tool) || matches!(tool, "dmesg" | "journalctl" | "kernel");
    let general = matches!(
        folder,
        "logs" | "log" | "host" | "commands" | "cmds" | "system" | "nodes" | "output" | "." | ""
    );
    (known && !general && is_host(folder)).then_some(folder)
}

/// The machine in a line above an output: `=== worker-1 ===`, `# worker-1`, `worker-1:`.
pub fn host_of_heading(text: &str) -> Option<&str> {
    const FRAME: &[char] = &['=', '-', '#', '*', '>', '<', '[', ']', ':', ' '];
    let text = text.trim();
    let inner = text.trim_matches(FRAME);
    let inner = inner.strip_prefix("node ").or(inner.strip_prefix("Node: ")).unwrap_or(inner);
    (inner.len() < text.len() && is_host(inner)).then_some(inner)
}

fn is_host(name: &str) -> bool {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'.';
    (2..=253).contains(&name.len())
        && name.starts_with(|c: char| c.is_ascii_alphanumeric())
        && name.ends_with(|c: char| c.is_ascii_alphanumeric())
        && name.bytes().all(plain)
}

#[cfg(test)]
mod tests;
