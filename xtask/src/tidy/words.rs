//! Words that must not be in the repository: unfinished work, and the place where it was made.

use super::Problem;
use crate::source::comments_only;
use crate::workspace::TextFile;

/// Marks of unfinished work. Cut in two here, so that this file does not name itself.
const UNFINISHED: [&str; 5] = [
    concat!("TO", "DO"),
    concat!("FIX", "ME"),
    concat!("XX", "X:"),
    concat!("to", "do!("),
    concat!("unimple", "mented!("),
];

/// Folders of somebody's machine.
const PLACES: [&str; 6] = [
    concat!("/wo", "rk/"),
    concat!("/ho", "me/"),
    concat!("/ro", "ot/"),
    concat!("/Us", "ers/"),
    concat!("/tm", "p/w/"),
    concat!("/tm", "p/t/"),
];

/// Hosts of package registries: which one is used is a setting of each machine.
const HOSTS: [&str; 7] = [
    concat!("deb.", "debian.org"),
    concat!("index.", "crates.io"),
    concat!("static.", "crates.io"),
    concat!("registry.", "npmjs.org"),
    concat!("pypi.", "org"),
    concat!("proxy.", "golang.org"),
    concat!("repo.", "maven.apache.org"),
];

/// Phrases about the making of the product. Looked for in prose alone, in lower case; the words
/// in them have a meaning in the product too (a pasted session, the node agent).
const MAKING: [&str; 12] = [
    concat!("this ses", "sion"),
    concat!("next ses", "sion"),
    concat!("last ses", "sion"),
    concat!("previous ses", "sion"),
    concat!("earlier ses", "sion"),
    concat!("coding age", "nt"),
    concat!("ai age", "nt"),
    concat!("another age", "nt"),
    concat!("other age", "nts"),
    concat!("suba", "gent"),
    concat!("help", "er wrote"),
    concat!("the c", "eo"),
];

/// Checks any text file.
pub fn check(file: &TextFile) -> Vec<Problem> {
    // What was taken from elsewhere as test data has its own words.
    let data = file.path.contains("/tests/data/") || file.path.contains("/testdata/");
    if data || file.path == "Cargo.lock" || file.path == "LICENSE" {
        return Vec::new();
    }
    let mut problems = Vec::new();
    let prose = prose(file);
    for (at, line) in file.text.lines().enumerate() {
        let mut say = |what: String| problems.push(Problem::new(&file.path, at + 1, what));
        for word in UNFINISHED.iter().filter(|w| has_word(line, w)) {
            say(format!("`{word}`: finish it, or write down elsewhere that it is missing"));
        }
        for place in PLACES.iter().filter(|p| line.contains(*p)) {
            say(format!("`{place}` is a folder of one machine"));
        }
        for host in HOSTS.iter().filter(|h| line.contains(*h)) {
            say(format!("`{host}`: which registry is used is a setting of each machine"));
        }
    }
    for (at, line) in prose.to_lowercase().lines().enumerate() {
        for phrase in MAKING.iter().filter(|p| has_word(line, p)) {
            let what = format!("`{phrase}`: the repository speaks of the product alone");
            problems.push(Problem::new(&file.path, at + 1, what));
        }
    }
    problems
}

/// What is written for people: comments of code, all of any other file.
fn prose(file: &TextFile) -> String {
    match file.path.ends_with(".rs") {
        true => comments_only(&file.text),
        false => file.text.clone(),
    }
}

fn has_word(line: &str, word: &str) -> bool {
    let inside = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
    line.match_indices(word).any(|(at, _)| {
        let before = line.get(..at).and_then(|b| b.chars().next_back());
        let after = line.get(at + word.len()..).and_then(|a| a.chars().next());
        let open = word.ends_with(|c: char| !c.is_alphanumeric());
        !inside(before) && (open || !inside(after))
    })
}

#[cfg(test)]
mod tests {
    use crate::workspace::TextFile;

    fn count(path: &str, text: &str) -> usize {
        super::check(&TextFile { path: path.to_owned(), text: text.to_owned() }).len()
    }

    #[test]
    fn unfinished_work_and_places_of_one_machine_are_found() {
        for line in [
            concat!("// TO", "DO: later"),
            concat!("    to", "do!()"),
            concat!("see /wo", "rk/main"),
            concat!("/ho", "me/me/x"),
            concat!("https://static.", "crates.io/x"),
        ] {
            assert_eq!(count("a.rs", line), 1, "{line}");
            assert_eq!(count("crates/a/tests/data/a.txt", line), 0, "{line}");
        }
        assert_eq!(count("a.rs", concat!("fn TO", "DOS() { a.to", "do(); network/x }")), 0);
    }

    #[test]
    fn the_making_is_told_from_the_product() {
        assert_eq!(count("a.md", concat!("Done in this ses", "sion by a coding age", "nt.")), 2);
        assert_eq!(count("a.md", "The node agent reads a pasted session."), 0);
        assert_eq!(count("a.rs", "fn a() { say(\"this session\"); } // the client\n"), 0);
    }
}
