//! Connections tried by hand: `nc -zv`, `curl`, `wget`, `telnet`.
//!
//! It says what the tool said; a tool that said nothing is skipped.

use super::Out;
use super::command::Command;
use super::errors;
use super::lines::Line;
use super::transcript::Block;
use crate::piece::Piece;

/// What a tool prints when it did not connect; looked for before the signs of success.
const FAILED: &[&str] = &[
    "refused",
    "timed out",
    "timeout",
    "failed",
    "could not resolve",
    "couldn't connect",
    "can't connect",
    "bad address",
    "unreachable",
    "no route",
    "not known",
    "getaddrinfo",
    "forward host lookup",
    "unable to resolve",
    "connection reset",
    "syntax error",
];

/// What a tool prints when it connected.
const CONNECTED: &[&str] =
    &["succeeded", ") open", "connected", " open\n", "saving to", "http/1", "http/2"];

/// Reads one block.
pub fn read(block: &Block<'_>, command: &Command, out: &mut Out<'_>) {
    let Some((host, port)) = target(command) else {
        out.skipped("a connection test whose target cannot be told".to_owned(), block.line);
        return;
    };
    let name = command.words.first().map_or("", String::as_str).to_owned();
    let fetches = name.ends_with("curl") || name.ends_with("wget");
    let mut attempts: Vec<Attempt> = Vec::new();
    for line in block.body.iter().filter(|l| !errors::is_noise(&l.text)) {
        if errors::check(&line.text, line.number, out) {
            continue;
        }
        let (from, text) = split_from(line);
        if from.is_some() || attempts.is_empty() {
            let from = from.map(str::to_owned).or_else(|| command.host.clone());
            let line = line.number;
            attempts.push(Attempt {
                from,
                line,
                connected: None,
                answer: String::new(),
                body: false,
            });
        }
        let Some(attempt) = attempts.last_mut() else { continue };
        attempt.take(text, fetches);
    }
    // A line above the first answer is a title.
    if attempts.len() > 1 && attempts.first().is_some_and(|a| a.connected.is_none()) {
        attempts.remove(0);
    }
    if attempts.is_empty() {
        out.skipped(format!("the connection test to {host}:{port} has no answer"), block.line);
    }
    for attempt in attempts {
        match attempt.connected.or(attempt.body.then_some(true)) {
            Some(connected) => {
                let place = out.place(attempt.line);
                let (host, answer, from) = (host.clone(), attempt.answer, attempt.from);
                out.send(Piece::Dial { host, port, connected, answer, from, place });
            }
            None => {
                let why = format!("the connection test to {host}:{port} says neither yes nor no");
                out.skipped(why, attempt.line);
            }
        }
    }
}

struct Attempt {
    from: Option<String>,
    line: u32,
    connected: Option<bool>,
    answer: String,
    /// A page came back.
    body: bool,
}

impl Attempt {
    fn take(&mut self, text: &str, fetches: bool) {
        if self.connected.is_some() {
            return;
        }
        let said =
            text.starts_with(['*', '<']) || text.starts_with("curl:") || text.starts_with("wget:");
        let talk =
            !fetches || said || text.starts_with("HTTP/") || text.starts_with("Connecting to ");
        if !talk {
            self.body = true;
            if self.answer.is_empty() {
                self.answer = errors::quote(text);
            }
            return;
        }
        if let Some(connected) = decide(text) {
            self.connected = Some(connected);
            self.answer = errors::quote(text);
        }
    }
}

fn decide(text: &str) -> Option<bool> {
    let lower = text.to_ascii_lowercase();
    if FAILED.iter().any(|sign| lower.contains(sign)) {
        return Some(false);
    }
    let open = lower.ends_with(" open") || CONNECTED.iter().any(|sign| lower.contains(sign));
    open.then_some(true)
}

/// `test on node-1: answer` names where the test ran.
fn split_from<'a>(line: &'a Line<'_>) -> (Option<&'a str>, &'a str) {
    let text = line.trimmed();
    for marker in [" on ", " from "] {
        if let Some((_, rest)) = text.split_once(marker)
            && let Some((name, answer)) = rest.split_once(": ")
            && !name.contains(' ')
            && !name.is_empty()
        {
            return (Some(name), answer.trim());
        }
    }
    (None, text)
}

/// Host and port the command names.
fn target(command: &Command) -> Option<(String, u16)> {
    let name = command.words.first()?;
    let plain = plain_words(command);
    if name.ends_with("curl") || name.ends_with("wget") {
        let url = plain.iter().find(|w| w.contains("://")).or(plain.first())?;
        return url_target(url);
    }
    let host = plain.first()?;
    let port = plain.get(1).and_then(|p| p.split('-').next()?.parse().ok());
    match port {
        Some(port) => Some(((*host).to_owned(), port)),
        None => url_target(host),
    }
}

/// Words that are neither flags nor values of flags.
fn plain_words(command: &Command) -> Vec<&str> {
    let mut plain = Vec::new();
    let mut words = command.words.iter().skip(1).map(String::as_str);
    while let Some(word) = words.next() {
        let takes = matches!(
            word,
            "-w" | "-i"
                | "-m"
                | "-H"
                | "-X"
                | "-d"
                | "-o"
                | "-O"
                | "-T"
                | "--max-time"
                | "--data"
                | "--connect-timeout"
                | "--header"
                | "--request"
                | "-u"
                | "--resolve"
                | "-A"
                | "-t"
        );
        if takes {
            words.next();
        } else if !word.starts_with('-') {
            plain.push(word);
        }
    }
    plain
}

/// `http://host:80/path`, `host:80`.
fn url_target(url: &str) -> Option<(String, u16)> {
    let (scheme, rest) = url.split_once("://").unwrap_or(("http", url));
    let address = rest.split(['/', '?']).next()?;
    let address = address.rsplit('@').next()?;
    let default = match scheme {
        "https" => 443,
        "telnet" => 23,
        _ => 80,
    };
    let (host, port) = match address.rsplit_once(':') {
        Some((host, port)) if !host.contains(':') || host.ends_with(']') => {
            (host, port.parse().ok()?)
        }
        _ => (address, default),
    };
    let host = host.trim_matches(['[', ']']);
    (!host.is_empty()).then(|| (host.to_owned(), port))
}
