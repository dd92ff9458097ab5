//! Tells code, comments and literals of a Rust file apart, well enough to count and to search.
//!
//! It never compiles and never fails: an unfinished string or comment ends with the file.

/// What a byte of a source file belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Class {
    Code,
    Comment,
    Literal,
}

/// The text with comments and the inside of literals blanked; lines and columns stay.
pub fn code_only(text: &str) -> String {
    keep(text, |class| class == Class::Code)
}

/// The comments alone; lines and columns stay.
pub fn comments_only(text: &str) -> String {
    keep(text, |class| class == Class::Comment)
}

/// The string literals of a text, in order, with their escapes resolved. Raw strings and those
/// with rarer escapes than a quote, a backslash, a line end or a continued line come as written.
pub fn literals(text: &str) -> Vec<String> {
    let mut found: Vec<(usize, Vec<u8>)> = Vec::new();
    for (at, (byte, class)) in text.bytes().zip(classes(text.as_bytes())).enumerate() {
        if class != Class::Literal {
            continue;
        }
        match found.last_mut() {
            Some((end, bytes)) if *end == at => (*end, _) = (at + 1, bytes.push(byte)),
            _ => found.push((at + 1, vec![byte])),
        }
    }
    let texts = found.into_iter().map(|(_, bytes)| String::from_utf8_lossy(&bytes).into_owned());
    texts.filter_map(|t| Some(unescaped(t.strip_prefix('"')?.strip_suffix('"')?))).collect()
}

fn unescaped(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('\\') {
        out.push_str(before);
        let mut chars = after.chars();
        match chars.next() {
            Some('n') => out.push('\n'),
            Some('\n') => chars = chars.as_str().trim_start().chars(),
            Some(plain @ ('"' | '\\')) => out.push(plain),
            Some(other) => out.extend(['\\', other]),
            None => {}
        }
        rest = chars.as_str();
    }
    out + rest
}

fn keep(text: &str, wanted: impl Fn(Class) -> bool) -> String {
    let bytes = text.bytes().zip(classes(text.as_bytes()));
    let kept = bytes.map(|(b, class)| if b == b'\n' || wanted(class) { b } else { b' ' });
    String::from_utf8_lossy(&kept.collect::<Vec<u8>>()).into_owned()
}

fn classes(bytes: &[u8]) -> Vec<Class> {
    let mut classes = Vec::with_capacity(bytes.len());
    while classes.len() < bytes.len() {
        let start = classes.len();
        let rest = bytes.get(start..).unwrap_or_default();
        let word_before = start.checked_sub(1).and_then(|i| bytes.get(i)).is_some_and(is_word);
        let (class, length) = token(rest, word_before);
        classes.resize((start + length.max(1)).min(bytes.len()), class);
    }
    classes
}

/// What begins here, and how many bytes it has.
fn token(rest: &[u8], word_before: bool) -> (Class, usize) {
    match rest {
        [b'/', b'/', ..] => (Class::Comment, until(rest, b"\n")),
        [b'/', b'*', ..] => (Class::Comment, block_comment(rest)),
        [b'"', ..] => (Class::Literal, string(rest)),
        [b'\'', b'\\', _, tail @ ..] => (Class::Literal, 3 + until(tail, b"'") + 1),
        [b'\'', ..] => character(rest),
        [b'r' | b'b' | b'c', ..] if !word_before => raw_string(rest),
        _ => (Class::Code, 1),
    }
}

fn is_word(byte: &u8) -> bool {
    byte.is_ascii_alphanumeric() || *byte == b'_'
}

/// How many bytes stand before `end`; all when it does not come.
fn until(rest: &[u8], end: &[u8]) -> usize {
    rest.windows(end.len()).position(|w| w == end).unwrap_or(rest.len())
}

fn block_comment(rest: &[u8]) -> usize {
    let (mut depth, mut at) = (0_usize, 0);
    while let Some(next) = rest.get(at..).filter(|n| !n.is_empty()) {
        match next {
            [b'/', b'*', ..] => (depth, at) = (depth + 1, at + 2),
            [b'*', b'/', ..] => (depth, at) = (depth.saturating_sub(1), at + 2),
            _ => at += 1,
        }
        if depth == 0 {
            break;
        }
    }
    at
}

fn string(rest: &[u8]) -> usize {
    let mut at = 1;
    loop {
        match rest.get(at) {
            Some(b'\\') => at += 2,
            Some(b'"') | None => return at + 1,
            Some(_) => at += 1,
        }
    }
}

/// `'x'` is a literal, `'x` a lifetime.
fn character(rest: &[u8]) -> (Class, usize) {
    let text = rest.get(1..rest.len().min(6)).unwrap_or_default();
    let width = match text.first() {
        Some(b) if *b >= 0xF0 => 4,
        Some(b) if *b >= 0xE0 => 3,
        Some(b) if *b >= 0xC0 => 2,
        _ => 1,
    };
    match text.get(width) {
        Some(b'\'') => (Class::Literal, width + 2),
        _ => (Class::Code, 1),
    }
}

/// `r"…"`, `r#"…"#`, `br"…"`, `b"…"`; any other word that begins so is code.
fn raw_string(rest: &[u8]) -> (Class, usize) {
    let prefix = rest.iter().take_while(|b| matches!(b, b'r' | b'b' | b'c')).count();
    let raw = rest.iter().take(prefix).any(|b| *b == b'r');
    let tail = rest.get(prefix..).unwrap_or_default();
    let hashes = tail.iter().take_while(|b| **b == b'#').count();
    let inside = tail.get(hashes..).unwrap_or_default();
    if inside.first() != Some(&b'"') || prefix > 2 || (hashes > 0 && !raw) {
        return (Class::Code, prefix);
    }
    if !raw {
        return (Class::Literal, prefix + string(inside));
    }
    let end: Vec<u8> = std::iter::once(b'"').chain(std::iter::repeat_n(b'#', hashes)).collect();
    let body = until(inside.get(1..).unwrap_or_default(), &end);
    (Class::Literal, prefix + hashes + 1 + body + end.len())
}

/// Blanks everything under `#[cfg(test)]`. Expects text without comments and literals.
pub fn without_tests(code: &str) -> String {
    let mut kept = code.as_bytes().to_vec();
    for (start, _) in code.match_indices("#[cfg(test)]") {
        let end = item_end(code, start);
        for byte in kept.iter_mut().take(end).skip(start).filter(|b| **b != b'\n') {
            *byte = b' ';
        }
    }
    String::from_utf8_lossy(&kept).into_owned()
}

/// The byte after the item that begins at or after `start`: its closing brace, or a semicolon
/// outside of all brackets.
pub fn item_end(code: &str, start: usize) -> usize {
    let mut depth = 0_i32;
    for (at, byte) in code.bytes().enumerate().skip(start) {
        match byte {
            b'{' | b'(' | b'[' => depth += 1,
            b'}' | b')' | b']' => depth -= 1,
            _ => {}
        }
        if (byte == b'}' || byte == b';') && depth <= 0 {
            return at + 1;
        }
    }
    code.len()
}

/// The number of the line that has this byte, from 1.
pub fn line_of(text: &str, byte: usize) -> usize {
    text.bytes().take(byte).filter(|b| *b == b'\n').count() + 1
}

#[cfg(test)]
mod tests {
    use super::{code_only, comments_only, literals, without_tests};

    #[test]
    fn comments_and_literals_are_told_from_code() {
        for (text, code) in [
            ("let a = 1; // say", "let a = 1;       "),
            ("a /* x /* y */ z */ b", "a                   b"),
            (r#"p("{ // \" }") + q"#, "p(           ) + q"),
            ("r#\"a \"} // \"# + b", "              + b"),
            (r#"b"{" br"\" c"#, "           c"),
            ("match c { '{' => '\\'', _ => '\\u{7d}' }", "match c {     =>     , _ =>          }"),
            ("fn f<'a>(x: &'a str)", "fn f<'a>(x: &'a str)"),
            ("for bar in crab {}", "for bar in crab {}"),
            ("'é' {", "     {"),
            ("\"never ends {", "             "),
        ] {
            assert_eq!(code_only(text), code, "{text}");
        }
        assert_eq!(comments_only("a \"//no\" // yes"), "         // yes");
    }

    #[test]
    fn literals_are_read_as_the_compiler_reads_them() {
        let text = "a: \"one \\\n    line\", // \"not this\"\nb: \"say \\\"x\\\" \\\\d\", c: 'x'";
        assert_eq!(literals(text), ["one line", "say \"x\" \\d"]);
    }

    #[test]
    fn what_is_only_for_tests_is_cut_out() {
        let text = "fn a() {}\n#[cfg(test)]\nmod tests;\nfn b() {}\n#[cfg(test)]\nmod t {\n x\n}\n";
        let kept = without_tests(text);
        assert!(kept.contains("fn a()") && kept.contains("fn b()"), "{kept}");
        assert!(!kept.contains("mod t") && !kept.contains('x'), "{kept}");
        assert_eq!(kept.lines().count(), text.lines().count());
    }
}
