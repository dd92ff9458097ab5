//! A sheet of 80 columns: wrapped paragraphs with hanging indents, commands, few colours.
//!
//! Everything written here is cleaned first; styles are added per line, after wrapping, so no
//! line is longer than it looks.

use std::fmt::Write as _;

use super::clean::{clean, fit, width};

/// No line is longer; commands that cannot be broken excepted.
pub(super) const COLUMNS: usize = 80;

/// Whether colours are put on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Paint(pub bool);

/// A style of a whole line or word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Style {
    Plain,
    Bold,
    Dim,
    Red,
    Yellow,
    Green,
    Cyan,
}

impl Paint {
    /// The text in this style.
    pub(super) fn on(self, style: Style, text: &str) -> String {
        let code = match style {
            Style::Plain => "",
            Style::Bold => "1",
            Style::Dim => "2",
            Style::Red => "1;31",
            Style::Yellow => "1;33",
            Style::Green => "1;32",
            Style::Cyan => "36",
        };
        if self.0 && !code.is_empty() && !text.is_empty() {
            format!("\u{1b}[{code}m{text}\u{1b}[0m")
        } else {
            text.to_owned()
        }
    }
}

/// The sheet.
pub(super) struct Paper {
    out: String,
    paint: Paint,
}

impl Paper {
    /// An empty sheet.
    pub(super) fn new(paint: Paint) -> Self {
        Paper { out: String::new(), paint }
    }

    /// What was written.
    pub(super) fn finish(self) -> String {
        self.out
    }

    /// An empty line.
    pub(super) fn gap(&mut self) {
        if !self.out.is_empty() && !self.out.ends_with("\n\n") {
            self.out.push('\n');
        }
    }

    /// The title of a section.
    pub(super) fn heading(&mut self, title: &str) {
        self.gap();
        self.item("", title, Style::Bold);
    }

    /// A paragraph behind a lead; its further lines are indented by the lead's width.
    pub(super) fn item(&mut self, lead: &str, text: &str, style: Style) {
        self.led(lead, Style::Plain, text, style);
    }

    /// A paragraph behind a lead that has a style of its own.
    pub(super) fn led(&mut self, lead: &str, lead_style: Style, text: &str, style: Style) {
        let indent = width(lead);
        for (at, line) in wrap(text, COLUMNS.saturating_sub(indent)).iter().enumerate() {
            let start = if at == 0 { self.paint.on(lead_style, lead) } else { " ".repeat(indent) };
            self.line(&start, line, style);
        }
    }

    /// Lines as they are: cleaned and wrapped before.
    pub(super) fn lines(&mut self, lines: &[String], style: Style) {
        for line in lines {
            self.line("", line, style);
        }
    }

    fn line(&mut self, start: &str, line: &str, style: Style) {
        let line = format!("{start}{}", self.paint.on(style, line));
        let _ = writeln!(self.out, "{}", line.trim_end());
    }

    /// A command to copy, broken where a shell continues it.
    pub(super) fn command(&mut self, lead: &str, command: &str) {
        let indent = width(lead);
        for (at, line) in command_lines(command, COLUMNS - indent).iter().enumerate() {
            let start = if at == 0 { lead.to_owned() } else { " ".repeat(indent) };
            self.line(&start, line, Style::Cyan);
        }
    }
}

/// The text in lines of at most this many columns, broken between words where that can be.
pub(super) fn wrap(text: &str, columns: usize) -> Vec<String> {
    let columns = columns.max(8);
    let mut lines = Vec::new();
    let mut line = String::new();
    for word in clean(text).split(' ') {
        let mut word = word;
        let gap = usize::from(!line.is_empty());
        if width(&line) + gap + width(word) <= columns {
            if gap == 1 {
                line.push(' ');
            }
            line.push_str(word);
            continue;
        }
        if !line.is_empty() {
            lines.push(std::mem::take(&mut line));
        }
        while width(word) > columns {
            let (head, tail) = break_word(word, columns);
            lines.push(head.to_owned());
            word = tail;
        }
        line.push_str(word);
    }
    lines.push(line);
    lines
}

/// Breaks a word that is longer than a line, behind a mark if there is one in its later half.
fn break_word(word: &str, columns: usize) -> (&str, &str) {
    let most = fit(word, columns);
    let mark = most.rfind(['/', ',', '.', ':', '=', '-', '_', '&', ';']).map(|at| at + 1);
    let at = mark.filter(|at| *at > most.len() / 2).unwrap_or(most.len());
    // A first character wider than the line would be kept for ever.
    let at = if at == 0 { word.chars().next().map_or(word.len(), char::len_utf8) } else { at };
    word.split_at_checked(at).unwrap_or((word, ""))
}

/// A command in lines that end with a backslash, broken between words only, never in quotes.
pub(super) fn command_lines(command: &str, columns: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in shell_words(&clean(command)) {
        match lines.last_mut() {
            // Two columns are kept for the backslash.
            Some(line) if width(line) + 1 + width(word) + 2 <= columns => {
                line.push(' ');
                line.push_str(word);
            }
            Some(line) => {
                line.push_str(" \\");
                lines.push(format!("  {word}"));
            }
            None => lines.push(word.to_owned()),
        }
    }
    lines
}

/// Words as a shell splits them, with their quotes.
fn shell_words(command: &str) -> Vec<&str> {
    let (mut words, mut start, mut quote, mut escaped) = (Vec::new(), 0, None, false);
    for (at, c) in command.char_indices() {
        match (quote, c) {
            _ if escaped => escaped = false,
            (Some('"') | None, '\\') => escaped = true,
            (Some(open), c) if c == open => quote = None,
            (None, '"' | '\'') => quote = Some(c),
            (None, ' ') => {
                words.extend(command.get(start..at));
                start = at + 1;
            }
            _ => {}
        }
    }
    words.extend(command.get(start..));
    words.retain(|w| !w.is_empty());
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paragraphs_hang_and_never_pass_the_edge() {
        let mut paper = Paper::new(Paint(false));
        let long = format!("short words then {} and 漢字{}", "x/y".repeat(60), "漢".repeat(90));
        paper.item("  - ", &long, Style::Plain);
        let out = paper.finish();
        for (at, line) in out.lines().enumerate() {
            assert!(width(line) <= COLUMNS, "{line}");
            assert!(line.starts_with(if at == 0 { "  - " } else { "    " }), "{line}");
        }
        let letters = |s: &str| s.chars().filter(|c| !" -".contains(*c)).collect::<String>();
        assert_eq!(letters(&out.replace('\n', "")), letters(&long), "nothing is lost");
    }

    #[test]
    fn commands_break_where_a_shell_continues() {
        let command = "kubectl -n shop patch deploy/web --type=json -p '[{\"op\": \"remove\", \
                       \"path\": \"/spec/x\"}]' --dry-run=server";
        let lines = command_lines(command, 50);
        assert_eq!(
            lines,
            [
                "kubectl -n shop patch deploy/web --type=json -p \\",
                "  '[{\"op\": \"remove\", \"path\": \"/spec/x\"}]' \\",
                "  --dry-run=server"
            ]
        );
        assert_eq!(command_lines("kubectl get pods", 60), ["kubectl get pods"]);
        assert_eq!(command_lines("echo a\\ b 'it'", 60), ["echo a\\ b 'it'"]);
    }

    #[test]
    fn a_style_is_one_pair_of_codes_and_off_is_nothing() {
        assert_eq!(Paint(true).on(Style::Bold, "x"), "\u{1b}[1mx\u{1b}[0m");
        assert_eq!(Paint(false).on(Style::Red, "x"), "x");
        assert_eq!(Paint(true).on(Style::Red, ""), "");
    }
}
