//! Cuts YAML into documents, and block lists of objects into their items, by lines alone.
//!
//! In block style the content of an item is always indented deeper than the item's dash, also
//! that of multi-line strings, so a dash at the list's own indentation begins the next item.

use std::io::{BufRead, BufReader, Read};

/// A part of a file that is parsed on its own.
#[derive(Debug, PartialEq, Eq)]
pub enum Part {
    /// A document without items cut out.
    Document(String),
    /// One item, its dash replaced by a blank.
    Item(String),
    /// The list's other keys, after its last item.
    ListEnd(String),
    /// A part was longer than it may be.
    TooLong,
    /// Reading failed; nothing follows.
    Failed(String),
}

/// What the lines being gathered are.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    /// Lines of a document with no list seen so far.
    Document,
    /// After `items:`, before the first dash.
    BeforeItems,
    /// In the items, whose dashes have this indentation.
    Items(usize),
    /// Keys of the list after its items.
    AfterItems,
}

/// Gives the parts of a file one at a time.
pub struct Splitter<R: Read> {
    input: BufReader<R>,
    limit: usize,
    line: u32,
    mode: Mode,
    part: String,
    part_line: u32,
    too_long: bool,
    /// The keys of the list around the items.
    list: String,
    list_line: u32,
    ready: std::collections::VecDeque<(Part, u32)>,
    ended: bool,
}

impl<R: Read> Splitter<R> {
    /// Parts longer than `limit` bytes are left out.
    pub fn new(input: R, limit: usize) -> Self {
        Splitter {
            input: BufReader::with_capacity(64 * 1024, input),
            limit,
            line: 0,
            mode: Mode::Document,
            part: String::new(),
            part_line: 1,
            too_long: false,
            list: String::new(),
            list_line: 1,
            ready: std::collections::VecDeque::new(),
            ended: false,
        }
    }

    /// The next part and the line it begins at.
    pub fn next_part(&mut self) -> Option<(Part, u32)> {
        let mut bytes = Vec::new();
        loop {
            if let Some(part) = self.ready.pop_front() {
                return Some(part);
            }
            if self.ended {
                return None;
            }
            bytes.clear();
            let limit = self.limit as u64 + 1;
            match (&mut self.input).take(limit).read_until(b'\n', &mut bytes) {
                Ok(0) => {
                    self.end_document();
                    self.ended = true;
                }
                Ok(_) => {
                    self.line = self.line.saturating_add(1);
                    let text = String::from_utf8_lossy(&bytes);
                    self.take(text.trim_end_matches(['\n', '\r']));
                }
                Err(e) => {
                    self.end_document();
                    self.ready.push_back((Part::Failed(e.to_string()), self.line));
                    self.ended = true;
                }
            }
        }
    }

    fn take(&mut self, line: &str) {
        if is_marker(line, "---") || is_marker(line, "...") {
            self.end_document();
            let rest = line.get(3..).unwrap_or_default();
            if !rest.trim().is_empty() && !rest.trim_start().starts_with('#') {
                self.push(rest);
            }
            return;
        }
        let text = line.trim_start_matches(' ');
        let indent = line.len() - text.len();
        let dash = text == "-" || text.starts_with("- ");
        let blank = text.is_empty() || text.starts_with('#');
        match self.mode {
            Mode::Document if is_items_key(line) => {
                self.list.push_str(&std::mem::take(&mut self.part));
                self.list_line = self.part_line;
                self.mode = Mode::BeforeItems;
            }
            Mode::Document if dash && indent == 0 && self.part.trim().is_empty() => {
                self.mode = Mode::Items(0);
                self.begin_item(line, 0);
            }
            Mode::BeforeItems if dash => {
                self.mode = Mode::Items(indent);
                self.begin_item(line, indent);
            }
            Mode::BeforeItems if blank => {}
            Mode::Items(of) if dash && indent == of => {
                self.end_item();
                self.begin_item(line, indent);
            }
            Mode::BeforeItems | Mode::Items(_) if indent == 0 && !blank => {
                self.end_item();
                self.mode = Mode::AfterItems;
                self.push_list(line);
            }
            Mode::AfterItems => self.push_list(line),
            _ => self.push(line),
        }
    }

    fn begin_item(&mut self, line: &str, indent: usize) {
        self.part.clear();
        self.part_line = self.line;
        let (before, after) = line.split_at_checked(indent + 1).unwrap_or((line, ""));
        self.push(&format!("{} {after}", before.get(..indent).unwrap_or_default()));
    }

    fn push(&mut self, line: &str) {
        if self.part.is_empty() {
            self.part_line = self.line;
        }
        if self.part.len() + line.len() >= self.limit {
            self.too_long = true;
            return;
        }
        self.part.push_str(line);
        self.part.push('\n');
    }

    fn push_list(&mut self, line: &str) {
        if self.list.len() + line.len() < self.limit {
            self.list.push_str(line);
            self.list.push('\n');
        }
    }

    fn end_item(&mut self) {
        if matches!(self.mode, Mode::Items(_)) {
            self.ready_part(Part::Item);
        }
        self.part.clear();
    }

    fn ready_part(&mut self, make: fn(String) -> Part) {
        let text = std::mem::take(&mut self.part);
        let part = if std::mem::take(&mut self.too_long) { Part::TooLong } else { make(text) };
        self.ready.push_back((part, self.part_line));
    }

    fn end_document(&mut self) {
        match self.mode {
            Mode::Document => {
                if self.too_long || says_something(&self.part) {
                    self.ready_part(Part::Document);
                }
            }
            Mode::BeforeItems | Mode::AfterItems | Mode::Items(_) => {
                self.end_item();
                let list = std::mem::take(&mut self.list);
                self.ready.push_back((Part::ListEnd(list), self.list_line));
            }
        }
        self.mode = Mode::Document;
        self.part.clear();
        self.list.clear();
        self.too_long = false;
    }
}

/// Whether there is anything but blank lines and comments.
fn says_something(text: &str) -> bool {
    text.lines().any(|l| !l.trim().is_empty() && !l.trim_start().starts_with(['#', '%']))
}

fn is_marker(line: &str, marker: &str) -> bool {
    line.strip_prefix(marker).is_some_and(|r| r.is_empty() || r.starts_with([' ', '\t']))
}

/// `items:` with nothing after it: the list follows in block style.
fn is_items_key(line: &str) -> bool {
    let rest = line.strip_prefix("items:");
    rest.is_some_and(|r| r.trim().is_empty() || r.trim_start().starts_with('#'))
}
