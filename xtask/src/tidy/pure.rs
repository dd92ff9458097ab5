//! The pure core does no I/O, reads no clock, draws no random numbers and iterates no hash map.

use super::Problem;
use crate::source::{line_of, without_tests};
use crate::workspace::TextFile;

/// Where code must be pure.
const PURE: [&str; 7] = [
    "crates/model/src/",
    "crates/catalog/src/",
    "crates/engine/src/",
    "crates/twin/src/kernel",
    "crates/twin/src/store",
    "crates/twin/src/world",
    "crates/twin/src/controllers",
];

const FORBIDDEN: [(&str, &str); 16] = [
    ("std::fs", "files are read at the edges"),
    ("TcpStream", "the network is reached at the edges"),
    ("TcpListener", "the network is reached at the edges"),
    ("UdpSocket", "the network is reached at the edges"),
    ("ToSocketAddrs", "names are resolved at the edges"),
    ("std::env", "settings are values handed in"),
    ("std::io", "input and output are at the edges"),
    ("std::process", "programs are started at the edges"),
    ("std::thread", "threads belong to the edges"),
    ("SystemTime", "time is an argument"),
    ("Instant", "time is an argument"),
    ("Timestamp::now", "time is an argument"),
    ("thread_rng", "randomness is a seeded argument"),
    ("from_os_rng", "randomness is a seeded argument"),
    ("tokio", "the core is not asynchronous"),
    ("println!", "the core prints nothing"),
];

/// Hash tables may be asked, never walked: their order differs from run to run.
const HASHED: [&str; 2] = ["HashMap", "HashSet"];
/// The remark that a hash table is only asked, on its line or the one before.
const LOOKUP_ONLY: &str = "tidy: lookup only";

/// Checks a Rust file; `code` is its text without comments and literals.
pub fn check(file: &TextFile, code: &str) -> Vec<Problem> {
    let for_tests = ["/tests.rs", "/testing.rs"].iter().any(|end| file.path.ends_with(end));
    if for_tests || !PURE.iter().any(|p| file.path.starts_with(p)) {
        return Vec::new();
    }
    let code = without_tests(code);
    let mut problems = Vec::new();
    for (word, why) in FORBIDDEN {
        for line in lines_with(&code, word) {
            problems.push(Problem::new(&file.path, line, format!("`{word}` in pure code: {why}")));
        }
    }
    let lines: Vec<&str> = file.text.lines().collect();
    let remarked = |line: usize| {
        let near = lines.get(line.saturating_sub(2)..line).unwrap_or_default();
        near.iter().any(|l| l.contains(LOOKUP_ONLY))
    };
    for word in HASHED {
        for line in lines_with(&code, word).into_iter().filter(|l| !remarked(*l)) {
            let what = format!(
                "`{word}` in pure code: use BTreeMap or BTreeSet, or say `// {LOOKUP_ONLY}`"
            );
            problems.push(Problem::new(&file.path, line, what));
        }
    }
    problems
}

/// The lines that have this word and not a longer one.
fn lines_with(code: &str, word: &str) -> Vec<usize> {
    let inside = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
    let mut lines = Vec::new();
    for (at, _) in code.match_indices(word) {
        let before = code.get(..at).and_then(|b| b.chars().next_back());
        let after = code.get(at + word.len()..).and_then(|a| a.chars().next());
        if !inside(before) && !inside(after) {
            lines.push(line_of(code, at));
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use crate::source::code_only;
    use crate::workspace::TextFile;

    fn lines(path: &str, text: &str) -> Vec<usize> {
        let file = TextFile { path: path.to_owned(), text: text.to_owned() };
        super::check(&file, &code_only(text)).into_iter().map(|p| p.line).collect()
    }

    #[test]
    fn clocks_files_and_hash_tables_are_found_in_the_core_alone() {
        let text = "//! SystemTime is not read.\nuse std::fs;\nfn a() { Instant::now(); }\n";
        assert_eq!(lines("crates/engine/src/a.rs", text), [2, 3]);
        assert_eq!(lines("crates/twin/src/world/disk.rs", text), [2, 3]);
        assert_eq!(lines("crates/twin/src/api/mod.rs", text), [0; 0]);
        assert_eq!(lines("crates/model/src/a/tests.rs", text), [0; 0]);
        let tests = "fn a() { InstantOf(); }\n#[cfg(test)]\nmod tests {\n use std::fs;\n}\n";
        assert_eq!(lines("crates/model/src/a.rs", tests), [0; 0]);
    }

    #[test]
    fn a_hash_table_needs_the_remark_that_it_is_only_asked() {
        let text = "use a::HashSet; // tidy: lookup only\n// tidy: lookup only\n\
                    type A = HashSet<u8>;\n\ntype B = HashSet<u8>;\n";
        assert_eq!(lines("crates/model/src/a.rs", text), [5]);
    }
}
