//! Documents that are made from the catalogue, so that they cannot disagree with it.
//!
//! It must never invent: what stands in them stands in a failure's file.

use std::fmt::Write;

use anyhow::{Context, Result};

use crate::catalogue::{KindFile, kinds};
use crate::tidy::Problem;
use crate::workspace::{TextFile, root, text_files};

/// The table of failures.
const TABLE: &str = "docs/failures.md";
/// Ids of failures that are not in the catalogue yet, one a line, `#` for remarks.
pub const PLANNED: &str = "docs/planned-failures.txt";

/// Writes what is out of date and says so.
pub fn run() -> Result<()> {
    let files = text_files(&root())?;
    for (path, text) in made(&files) {
        let fresh = files.iter().any(|f| f.path == path && f.text == text);
        if !fresh {
            let target = root().join(path);
            std::fs::write(&target, text).with_context(|| format!("cannot write {path}"))?;
            println!("{path}: written");
        }
    }
    Ok(())
}

/// Documents that are not what the catalogue says now.
pub fn stale(files: &[TextFile]) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (path, text) in made(files).into_iter().filter(|(path, _)| *path == TABLE) {
        if !files.iter().any(|f| f.path == path && f.text == text) {
            problems.push(Problem::new(path, 0, "out of date: run `cargo xtask docs`"));
        }
    }
    problems
}

fn made(files: &[TextFile]) -> Vec<(&'static str, String)> {
    let kinds = kinds(files);
    let planned = files.iter().find(|f| f.path == PLANNED).map_or("", |f| &f.text);
    vec![(TABLE, table(&kinds)), (PLANNED, still_planned(planned, &kinds))]
}

/// Planned ids with their lines.
pub fn planned(text: &str) -> Vec<(usize, &str)> {
    let lines = text.lines().enumerate().map(|(at, line)| (at + 1, line.trim()));
    lines.filter(|(_, line)| !line.is_empty() && !line.starts_with('#')).collect()
}

fn still_planned(text: &str, kinds: &[KindFile]) -> String {
    let known = |line: &str| {
        let id = line.trim();
        kinds.iter().any(|k| k.id == id || k.also.iter().any(|a| a == id))
    };
    text.lines().filter(|l| !known(l)).map(|l| format!("{l}\n")).collect()
}

fn table(kinds: &[KindFile]) -> String {
    let mut folders: Vec<&str> = kinds.iter().map(KindFile::folder).collect();
    folders.sort_unstable();
    folders.dedup();
    let mut out = format!(
        "# Failures\n\n<!-- Made by `cargo xtask docs` from crates/catalog; do not edit. -->\n\n\
         {} kinds of failure. `seaworthy explain ID` prints the page of one: its signs, why it\n\
         happens, what to do, how to avoid it.\n",
        kinds.len()
    );
    for folder in folders {
        let _ = write!(
            out,
            "\n## {}\n\n| failure | title | mechanisms | leads to |\n|---|---|---|---|\n",
            heading(folder)
        );
        for kind in kinds.iter().filter(|k| k.folder() == folder) {
            let mechanisms: Vec<String> =
                kind.mechanisms.iter().map(|(word, _)| format!("`{word}`")).collect();
            let effects: Vec<String> = kind.leads_to.iter().map(|id| format!("`{id}`")).collect();
            let ids = std::iter::once(&kind.id).chain(&kind.also).map(|id| format!("`{id}`"));
            let _ = writeln!(
                out,
                "| {} | {} | {} | {} |",
                ids.collect::<Vec<_>>().join(", "),
                kind.title().replace('|', "\\|"),
                mechanisms.join(", "),
                effects.join(", ")
            );
        }
    }
    out
}

/// `control_plane` reads "Control plane".
fn heading(folder: &str) -> String {
    let words = folder.replace('_', " ");
    let mut letters = words.chars();
    let first = letters.next().map(|c| c.to_ascii_uppercase());
    first.into_iter().chain(letters).collect()
}

#[cfg(test)]
mod tests {
    use crate::catalogue::KindFile;

    fn kind(module: &str, id: &str) -> KindFile {
        KindFile {
            path: String::new(),
            line: 1,
            module: module.into(),
            id: id.into(),
            also: vec![],
            page: vec![" # A | B".into()],
            mechanisms: vec![("word".into(), "it means".into()), ("other".into(), "so".into())],
            leads_to: vec!["pod-lost".into()],
            found: 2,
            quiet: 1,
        }
    }

    #[test]
    fn each_kind_has_a_row_under_its_folder() {
        let table = super::table(&[kind("control_plane::lost", "a"), kind("pod::b", "b")]);
        let row = "| `a` | A \\| B | `word`, `other` | `pod-lost` |\n";
        let (first, second) = table.split_once("\n## Pod\n").expect("two folders");
        assert!(first.contains("## Control plane\n") && first.ends_with(row), "{first}");
        assert!(second.contains("| `b` |"), "{second}");
    }

    #[test]
    fn a_kind_that_exists_is_no_longer_planned() {
        let text = "# Later.\na\nb\n";
        assert_eq!(super::still_planned(text, &[kind("pod::a", "a")]), "# Later.\nb\n");
        assert_eq!(super::planned(text), [(2, "a"), (3, "b")]);
    }
}
