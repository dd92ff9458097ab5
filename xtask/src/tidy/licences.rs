//! Licences, bans and sources of everything that is linked in, as `deny.toml` says.
//!
//! It reads that file as `cargo deny` does and needs no tool and, once the crates are there, no
//! network. Licences are those of the crates that this machine builds; bans and sources those
//! of every platform.

use std::collections::BTreeSet;

use anyhow::{Context, Result};
use serde_json::Value;

use super::Problem;
use crate::source::literals;
use crate::workspace::{TextFile, cargo, metadata};

const POLICY: &str = "deny.toml";
const LOCK: &str = "Cargo.lock";
/// The one place that crates come from, as `Cargo.lock` names it.
const SOURCE: &str = "registry+https://github.com/rust-lang/crates.io-index";

/// Checks what `Cargo.lock` names.
pub fn check(files: &[TextFile]) -> Result<Vec<Problem>> {
    let text = |path: &str| files.iter().find(|f| f.path == path).map(|f| f.text.as_str());
    let policy = text(POLICY).context("deny.toml is missing")?;
    let lock = text(LOCK).context("Cargo.lock is missing")?;
    let about = cargo().arg("-vV").output().context("cannot start cargo")?;
    let about = String::from_utf8_lossy(&about.stdout).into_owned();
    let host = about.lines().find_map(|l| l.strip_prefix("host: "));
    let host = host.context("cargo does not say which platform this is")?;
    let mut problems = locked(lock, &list(policy, "deny"));
    let doubles: Vec<&str> = doubles(lock).into_iter().collect();
    if !doubles.is_empty() {
        let what = format!("in more than one version: {}", doubles.join(", "));
        problems.push(Problem::warning(LOCK, what));
    }
    problems.extend(licences(
        &metadata(&["--locked", "--filter-platform", host])?,
        &list(policy, "allow"),
        &section(policy, "exceptions"),
    ));
    Ok(problems)
}

/// The names in `key = [ "name", { crate = "name", reason = "..." } ]`.
fn list(policy: &str, key: &str) -> BTreeSet<String> {
    section(policy, key).into_iter().filter_map(|line| line.into_iter().next()).collect()
}

/// The literals of each line between `key = [` and `]`.
fn section(policy: &str, key: &str) -> Vec<Vec<String>> {
    let start = format!("{key} = [");
    let lines = policy.lines().skip_while(|l| *l != start).skip(1);
    let lines = lines.take_while(|l| *l != "]");
    lines.map(literals).collect()
}

/// Crates that are linked in more than one version.
fn doubles(lock: &str) -> BTreeSet<&str> {
    let names = lock.lines().filter_map(|l| l.strip_prefix("name = \"")?.strip_suffix('"'));
    let mut seen = BTreeSet::new();
    names.filter(|n| !seen.insert(*n)).collect()
}

/// Every crate of the lock file comes from the one source and is not banned.
fn locked(lock: &str, banned: &BTreeSet<String>) -> Vec<Problem> {
    let mut problems = Vec::new();
    let mut name = String::new();
    for (at, line) in lock.lines().enumerate() {
        let value = |key: &str| line.strip_prefix(key)?.strip_prefix(" = \"")?.strip_suffix('"');
        if let Some(crate_name) = value("name") {
            name = crate_name.to_owned();
            if banned.contains(crate_name) {
                let what = format!("`{name}` is banned; {POLICY} says why");
                problems.push(Problem::new(LOCK, at + 1, what));
            }
        }
        if let Some(source) = value("source").filter(|s| *s != SOURCE) {
            let what = format!("`{name}` comes from {source}, not from crates.io");
            problems.push(Problem::new(LOCK, at + 1, what));
        }
    }
    problems
}

/// Every crate has a licence that is allowed, for all or for this crate.
fn licences(
    metadata: &Value,
    allowed: &BTreeSet<String>,
    exceptions: &[Vec<String>],
) -> Vec<Problem> {
    let mut problems = Vec::new();
    for package in metadata["packages"].as_array().into_iter().flatten() {
        let name = package["name"].as_str().unwrap_or_default();
        let licence = package["license"].as_str().unwrap_or_default();
        let own = exceptions.iter().filter(|e| e.first().is_some_and(|n| n == name)).flatten();
        let allowed: BTreeSet<String> = allowed.iter().chain(own).cloned().collect();
        if !is_allowed(licence, &allowed) {
            let what =
                format!("`{name}` has the licence `{licence}`, which {POLICY} does not allow");
            problems.push(Problem::new(LOCK, 0, what));
        }
    }
    problems
}

/// Whether an SPDX expression can be met with the allowed licences.
fn is_allowed(expression: &str, allowed: &BTreeSet<String>) -> bool {
    // Old manifests write `MIT/Apache-2.0` for a choice.
    let spaced = expression.replace('/', " OR ").replace('(', " ( ").replace(')', " ) ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let (met, rest) = choice(&words, allowed);
    met && rest.is_empty()
}

/// `a OR b`: whether it is met, and the words after it.
fn choice<'w>(words: &'w [&'w str], allowed: &BTreeSet<String>) -> (bool, &'w [&'w str]) {
    let (mut met, mut words) = both(words, allowed);
    while let ["OR", rest @ ..] = words {
        let (other, after) = both(rest, allowed);
        (met, words) = (met || other, after);
    }
    (met, words)
}

/// `a AND b`, which binds closer.
fn both<'w>(words: &'w [&'w str], allowed: &BTreeSet<String>) -> (bool, &'w [&'w str]) {
    let (mut met, mut words) = one(words, allowed);
    while let ["AND", rest @ ..] = words {
        let (other, after) = one(rest, allowed);
        (met, words) = (met && other, after);
    }
    (met, words)
}

fn one<'w>(words: &'w [&'w str], allowed: &BTreeSet<String>) -> (bool, &'w [&'w str]) {
    match words {
        ["(", inside @ ..] => match choice(inside, allowed) {
            (met, [")", rest @ ..]) => (met, rest),
            (_, rest) => (false, rest),
        },
        [licence, "WITH", exception, rest @ ..] => {
            (allowed.contains(&format!("{licence} WITH {exception}")), rest)
        }
        [licence, rest @ ..] => (allowed.contains(*licence), rest),
        [] => (false, words),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::json;

    fn set(names: &[&str]) -> BTreeSet<String> {
        names.iter().map(|n| (*n).to_owned()).collect()
    }

    #[test]
    fn expressions_are_read_as_spdx_means_them() {
        let allowed = set(&["MIT", "Apache-2.0", "Apache-2.0 WITH LLVM-exception", "ISC"]);
        for good in [
            "MIT",
            "GPL-3.0 OR MIT",
            "GPL-3.0/MIT",
            "Apache-2.0 WITH LLVM-exception",
            "(GPL-3.0 OR MIT) AND ISC",
            "MIT OR GPL-3.0 AND Zlib",
        ] {
            assert!(super::is_allowed(good, &allowed), "{good}");
        }
        for bad in
            ["", "GPL-3.0", "MIT AND GPL-3.0", "ISC WITH LLVM-exception", "(MIT", "MIT GPL-3.0"]
        {
            assert!(!super::is_allowed(bad, &allowed), "{bad}");
        }
    }

    #[test]
    fn lists_are_read_from_the_policy() {
        let policy = "allow = [\n    \"MIT\",\n]\ndeny = [\n    # \"a\"\n    \
                      { crate = \"chrono\", reason = \"x\" },\n    \"b\",\n]\n";
        assert_eq!(super::list(policy, "allow"), set(&["MIT"]));
        assert!(super::list(policy, "deny").is_superset(&set(&["chrono", "b"])));
    }

    #[test]
    fn banned_crates_and_other_sources_are_named() {
        let lock = "[[package]]\nname = \"chrono\"\nversion = \"1\"\n\n[[package]]\n\
                    name = \"a\"\nsource = \"git+https://example.org/a\"\n";
        let found = super::locked(lock, &set(&["chrono"]));
        let lines: Vec<usize> = found.iter().map(|p| p.line).collect();
        assert_eq!(lines, [2, 7]);
        assert!(super::doubles(lock).is_empty());
        assert!(super::doubles(&lock.repeat(2)).contains("a"));
        let metadata = json!({"packages": [
            {"name": "a", "license": null},
            {"name": "b", "license": "X"},
            {"name": "c", "license": "X"},
        ]});
        let own = [vec!["c".to_owned(), "X".to_owned()]];
        let found = super::licences(&metadata, &set(&["MIT"]), &own).into_iter();
        let names: Vec<String> = found.map(|p| p.what.chars().take(3).collect()).collect();
        assert_eq!(names, ["`a`", "`b`"]);
    }
}
