//! Splits a command line the way a shell does, as far as readers need it.
//!
//! It never runs or expands anything.

/// The first command of a line and what happens to its output.
#[derive(Debug, Default, PartialEq)]
pub struct Words {
    /// Words of the first command.
    pub first: Vec<String>,
    /// Its output went through something that may leave lines out.
    pub filtered: bool,
    /// Another command follows (`;`, `&&`).
    pub chained: bool,
}

/// Pipeline stages that keep every line.
const KEEPS_ALL: &[&str] = &["cat", "less", "more", "tee", "column", "ts"];

impl Words {
    /// Reads one line.
    pub fn parse(text: &str) -> Words {
        let mut words = Words::default();
        let mut stage: Vec<String> = Vec::new();
        let mut stages = 0usize;
        for token in tokens(text) {
            match token {
                Token::Word(word) => stage.push(word),
                Token::Pipe => {
                    words.end_stage(&mut stage, stages);
                    stages += 1;
                }
                Token::Next => {
                    words.end_stage(&mut stage, stages);
                    stages = usize::MAX;
                    break;
                }
            }
        }
        if stages == usize::MAX {
            words.chained = true;
        } else {
            words.end_stage(&mut stage, stages);
        }
        words
    }

    fn end_stage(&mut self, stage: &mut Vec<String>, number: usize) {
        let stage = std::mem::take(stage);
        if number == 0 {
            self.first = stage;
        } else if let Some(name) = stage.first() {
            self.filtered |= !KEEPS_ALL.contains(&base_name(name));
        }
    }
}

enum Token {
    Word(String),
    Pipe,
    Next,
}

fn tokens(text: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut word = String::new();
    let mut quoted = false;
    let mut chars = text.chars().peekable();
    let flush = |word: &mut String, quoted: &mut bool, tokens: &mut Vec<Token>| {
        if *quoted || !word.is_empty() {
            tokens.push(Token::Word(std::mem::take(word)));
        }
        *quoted = false;
    };
    while let Some(c) = chars.next() {
        match c {
            '\'' | '"' => {
                quoted = true;
                word.extend(chars.by_ref().take_while(|&q| q != c));
            }
            '\\' => word.extend(chars.next()),
            ' ' | '\t' => flush(&mut word, &mut quoted, &mut tokens),
            '|' | ';' | '&' => {
                // `2>&1` and `&>file` are redirections, not a second command.
                if c == '&' && (word.ends_with('>') || chars.peek() == Some(&'>')) {
                    word.push(c);
                    continue;
                }
                flush(&mut word, &mut quoted, &mut tokens);
                let doubled = chars.next_if_eq(&c).is_some();
                tokens.push(if c == '|' && !doubled { Token::Pipe } else { Token::Next });
            }
            '#' if word.is_empty() => break,
            c => word.push(c),
        }
    }
    flush(&mut word, &mut quoted, &mut tokens);
    drop_redirections(tokens)
}

/// Takes out `2>/dev/null`, `2>&1`, `> file`, and a trailing `;`.
fn drop_redirections(tokens: Vec<Token>) -> Vec<Token> {
    let mut kept = Vec::with_capacity(tokens.len());
    let mut skip_file = false;
    for token in tokens {
        if let Token::Word(word) = &token {
            if std::mem::take(&mut skip_file) {
                continue;
            }
            let bare = word.trim_start_matches(|c: char| c.is_ascii_digit() || c == '&');
            if bare.starts_with('>') {
                skip_file = bare.trim_start_matches('>').is_empty();
                continue;
            }
        }
        kept.push(token);
    }
    while matches!(kept.last(), Some(Token::Next)) {
        kept.pop();
    }
    kept
}

/// `/usr/bin/kubectl` and `kubectl.exe` as `kubectl`.
pub fn base_name(word: &str) -> &str {
    let name = word.rsplit(['/', '\\']).next().unwrap_or(word);
    name.strip_suffix(".exe").unwrap_or(name)
}

/// Everything after the first word and its flags.
pub fn skip_flags(words: &[String], with_value: &[&str]) -> Option<Vec<String>> {
    let mut at = 1;
    while let Some(word) = words.get(at) {
        if word == "--" {
            at += 1;
            break;
        }
        let variable = word.contains('=') && !word.contains('/');
        if !word.starts_with('-') && !variable {
            break;
        }
        at += if with_value.contains(&word.as_str()) { 2 } else { 1 };
    }
    words.get(at..).map(<[String]>::to_vec)
}

/// Splits `-nshop` into flag and value; long flags stay whole.
pub fn short_flag(flag: &str) -> (&str, Option<&str>) {
    if flag.starts_with("--") || flag.len() <= 2 || !flag.is_char_boundary(2) {
        return (flag, None);
    }
    let (head, tail) = flag.split_at(2);
    if matches!(head, "-n" | "-o" | "-l" | "-c" | "-L") { (head, Some(tail)) } else { (flag, None) }
}

/// Whether the word after this flag of `kubectl` belongs to it.
pub fn takes_value(flag: &str) -> bool {
    matches!(
        flag,
        "-n" | "--namespace"
            | "-l"
            | "--selector"
            | "--field-selector"
            | "-o"
            | "--output"
            | "-c"
            | "--container"
            | "--context"
            | "--kubeconfig"
            | "--cluster"
            | "--user"
            | "--as"
            | "--sort-by"
            | "-L"
            | "--label-columns"
            | "--tail"
            | "--since"
            | "--since-time"
            | "-f"
            | "--filename"
            | "--for"
            | "--types"
            | "--type"
            | "--request-timeout"
            | "--template"
            | "--chunk-size"
            | "--limit-bytes"
            | "--max-log-requests"
            | "--timeout"
            | "-s"
            | "--server"
            | "--token"
            | "--raw"
            | "--subresource"
            | "--image"
            | "--as-group"
            | "-v"
            | "--restart"
    )
}
