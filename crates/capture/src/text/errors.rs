//! What tools print besides their output: errors, notes, marks of cutting.
//!
//! An error about one object is a fact about it; every other error is handed on as skipped, so
//! that nobody takes silence for absence.

use super::Out;
use super::kinds;
use crate::piece::Piece;

/// Longest part of an error that is quoted, in letters.
const MAX_QUOTE_CHARS: usize = 300;

/// Whether the line only frames an output.
pub fn is_noise(text: &str) -> bool {
    let text = text.trim();
    // A prompt nobody typed at.
    let prompt = text.len() < 100
        && text.ends_with(['$', '#', '%'])
        && text.contains('@')
        && text.split(' ').count() <= 3;
    prompt
        || matches!(
            text,
            "$" | "#"
                | ">"
                | ""
                | "stdout:"
                | "stderr:"
                | "Output:"
                | "STDOUT:"
                | "STDERR:"
                | "^C"
                | "%"
        )
        || text.starts_with("```")
        || text.chars().all(|c| matches!(c, '"' | '\'' | ' '))
        || text.starts_with("Command `")
        || text.starts_with("command terminated with exit code")
        || text.starts_with("Defaulted container ")
        || text.starts_with("Defaulting container name")
        || text.starts_with("Use 'kubectl ")
        || text.starts_with("Warning: v1 ")
        || text.starts_with("Warning: Use tokens")
        || text.starts_with("Unable to use a TTY")
        || text.starts_with("If you don't see a command prompt")
        || is_cut_mark(text)
}

/// Whether the line says that something was left out here.
pub fn is_cut_mark(text: &str) -> bool {
    const FRAME: [char; 10] = ['<', '>', '[', ']', '(', ')', '.', '…', '-', '*'];
    let text = text.trim();
    let inner = text.trim_matches(|c| FRAME.contains(&c) || c == ' ');
    if inner.is_empty() {
        return text.contains("...") || text.contains('…');
    }
    if inner.len() > 60 || text.contains(':') {
        return false;
    }
    let (first, last) = (inner.split(' ').next(), inner.rsplit(' ').next());
    let is =
        |word: Option<&str>, wanted: &str| word.is_some_and(|w| w.eq_ignore_ascii_case(wanted));
    // Framed, or a sentence of its own; `truncated-job  1/1  Running` is neither.
    let framed = text.starts_with(FRAME) && text.ends_with(FRAME);
    let starts = is(first, "truncated") || is(first, "snip") || is(first, "more");
    let ends = is(last, "truncated") || is(last, "omitted") || is(last, "snipped");
    ends || framed && starts || is(first, "truncated") && !inner.contains("  ")
}

/// Whether the line is an error of a client.
pub fn is_error(text: &str) -> bool {
    let text = text.trim_start();
    text.starts_with("Error from server")
        || text.starts_with("error: ")
        || text.starts_with("Error: ")
        || text.starts_with("error executing")
        || text.starts_with("error when ")
        || (text.starts_with("The ") && text.contains("\" is invalid: "))
        || text.starts_with("Unable to connect to the server")
        || text.starts_with("The connection to the server")
        || is_client_log(text)
}

/// `E0529 08:12:34.226967  164504 memcache.go:265] ...`: discovery failed.
pub fn is_client_log(text: &str) -> bool {
    text.starts_with(['E', 'W', 'I']) && text.contains(" memcache.go:")
}

/// Hands an error on: as a missing object, or as skipped.
pub fn emit(text: &str, namespace: Option<&str>, line: u32, out: &mut Out<'_>) {
    if let Some((kind, name, said)) = not_found(text) {
        let known = kinds::by_name(kind);
        let namespaced = known.is_none_or(|k| k.namespaced);
        let namespace = said.or(namespace).filter(|_| namespaced).map(str::to_owned);
        out.missing(known.map_or(kind, |k| k.kind), namespace, name, line);
        return;
    }
    out.skipped(format!("the command failed: {}", quote(text)), line);
    let place = out.place(line);
    out.send(Piece::ClientError { text: quote(text), place });
}

/// `[+]etcd ok`, `[-]etcd failed: reason withheld` of `/readyz?verbose`, and the line below them;
/// true when the line is one of these.
pub fn check(text: &str, line: u32, out: &mut Out<'_>) -> bool {
    let text = text.trim();
    // The first check may stand in the middle of a client's error.
    let start = if is_error(text) { text.find("(\"[").map(|at| at + 2) } else { Some(0) };
    let Some(rest) = start.and_then(|at| text.get(at..)) else { return false };
    let healthy = rest.starts_with("[+]");
    if !healthy && !rest.starts_with("[-]") {
        let (first, last) = rest.split_once(' ').unwrap_or_default();
        return matches!(first, "readyz" | "healthz" | "livez") && last.starts_with("check ");
    }
    let said = rest.get(3..).unwrap_or_default();
    let Some((name, result)) = said.split_once(' ') else { return false };
    if name.is_empty() || !(result.starts_with("ok") || result.starts_with("failed")) {
        return false;
    }
    let (name, said, place) = (name.to_owned(), quote(rest), out.place(line));
    out.send(Piece::Check { name, healthy, said, place });
    true
}

/// The kind, name and perhaps namespace in `Error from server (NotFound): pods "x" not found`.
fn not_found(text: &str) -> Option<(&str, &str, Option<&str>)> {
    let rest = text.trim_start().trim_start_matches("error: ");
    let rest = rest.get(1..)?.strip_prefix("rror from server (NotFound): ")?;
    let (kind, rest) = rest.split_once(" \"")?;
    let (name, rest) = rest.split_once('"')?;
    let rest = rest.trim().strip_prefix("not found")?;
    // `in namespace "shop"` of newer clients
    let namespace = rest.split('"').nth(1);
    (!kind.contains(' ')).then_some((kind, name, namespace))
}

/// A short form of a line for messages.
pub fn quote(text: &str) -> String {
    let text = text.trim();
    let mut short: String = text.chars().take(MAX_QUOTE_CHARS).collect();
    if short.len() < text.len() {
        short.push_str("...");
    }
    short
}

/// The namespace in `No resources found in shop namespace.`; the inner `None` for
/// `No resources found`.
pub fn no_resources(text: &str) -> Option<Option<&str>> {
    let text = text.trim();
    let rest = text
        .strip_prefix("No resources found")
        .or_else(|| text.strip_prefix("No events found"))?
        .trim_end_matches('.');
    let inner = rest.strip_prefix(" in ").and_then(|r| r.strip_suffix(" namespace"));
    (inner.is_some() || rest.is_empty()).then(|| inner.map(|n| n.trim_matches('"')))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks() {
        for cut in ["<truncated>", "...", "[...]", "< truncated lines 3-9 >", "--More--", "…"] {
            assert!(is_cut_mark(cut), "{cut}");
        }
        for kept in
            ["----", "web ...", "a: truncated", "", "truncated-job   1/1   Running", "snipe 1/1"]
        {
            assert!(!is_cut_mark(kept), "{kept}");
        }
    }

    #[test]
    fn nothing_there() {
        assert_eq!(no_resources("No resources found in shop namespace."), Some(Some("shop")));
        assert_eq!(no_resources("No resources found"), Some(None));
        assert_eq!(no_resources("No resources left"), None);
        let text = "Error from server (NotFound): deployments.apps \"web\" not found";
        assert_eq!(not_found(text), Some(("deployments.apps", "web", None)));
    }
}
