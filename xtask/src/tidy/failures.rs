//! The catalogue is complete: every kind is listed, has a whole page and a test, and leads to
//! failures that exist or are planned.

use std::collections::BTreeSet;

use super::Problem;
use crate::catalogue::{FOLDER, KindFile, LIST, kinds, listed};
use crate::docs::{PLANNED, planned};
use crate::new_failure::TO_WRITE;
use crate::workspace::TextFile;

/// The sections of a page, in this order.
const SECTIONS: [&str; 5] =
    ["## Signs", "## Why it happens", "## What we do", "## How to avoid it", "## Sources"];

/// Checks the catalogue and the list of planned kinds.
pub fn check(files: &[TextFile]) -> Vec<Problem> {
    let kinds = kinds(files);
    let text = |path: &str| files.iter().find(|f| f.path == path).map_or("", |f| &f.text);
    let planned = planned(text(PLANNED));
    let mut problems = list(text(LIST), &kinds);
    let ids = kinds.iter().flat_map(|k| std::iter::once(&k.id).chain(&k.also));
    let known: BTreeSet<&str> = ids.map(String::as_str).collect();
    for (line, id) in &planned {
        if known.contains(id) {
            let what = format!("{id} is in the catalogue now: `cargo xtask docs` takes it out");
            problems.push(Problem::new(PLANNED, *line, what));
        }
    }
    let planned: BTreeSet<&str> = planned.into_iter().map(|(_, id)| id).collect();
    for kind in &kinds {
        problems.extend(page(kind));
        problems.extend(answers(kind, &known, &planned));
    }
    for file in files.iter().filter(|f| f.path.starts_with(FOLDER)) {
        for (at, line) in file.text.lines().enumerate().filter(|(_, l)| l.contains(TO_WRITE)) {
            let what = format!("still as the template left it: {}", line.trim());
            problems.push(Problem::new(&file.path, at + 1, what));
        }
    }
    problems
}

/// Every kind is in `ALL` once, by id.
fn list(text: &str, kinds: &[KindFile]) -> Vec<Problem> {
    let listed = listed(text);
    let mut problems = Vec::new();
    for kind in kinds {
        match listed.iter().filter(|(_, module)| *module == kind.module).count() {
            1 => {}
            0 => {
                let what = format!("not in `ALL`: add `&{}::KIND,` to {LIST}", kind.module);
                problems.push(Problem::new(&kind.path, kind.line, what));
            }
            times => {
                let what = format!("`{}` is in `ALL` {times} times", kind.module);
                problems.push(Problem::new(LIST, 0, what));
            }
        }
    }
    let id = |module: &str| {
        let kind = kinds.iter().find(|k| k.module == module);
        kind.map(|k| k.id.as_str())
    };
    let ids: Vec<_> = listed.iter().filter_map(|(at, module)| Some((*at, id(module)?))).collect();
    for pair in ids.windows(2) {
        if let [(_, first), (line, second)] = pair
            && first > second
        {
            let what = format!("`ALL` is sorted by id: {second} belongs before {first}");
            problems.push(Problem::new(LIST, *line, what));
        }
    }
    problems
}

/// The page has a title and its sections, each with words in it.
fn page(kind: &KindFile) -> Vec<Problem> {
    let mut problems = Vec::new();
    let lines: Vec<&str> = kind.page.iter().map(|l| l.trim()).collect();
    let mut say = |what: String| problems.push(Problem::new(&kind.path, kind.line, what));
    if !lines.first().is_some_and(|l| l.starts_with("# ") && l.len() > 2) {
        say("the page begins with its title: `# ...`".to_owned());
    }
    let headings: Vec<&str> = lines.iter().copied().filter(|l| l.starts_with("## ")).collect();
    if headings != SECTIONS {
        say(format!("the page has the sections {}, in this order", SECTIONS.join(", ")));
    }
    for (at, line) in lines.iter().enumerate().filter(|(_, l)| l.starts_with("## ")) {
        let mut rest = lines.iter().skip(at + 1).take_while(|l| !l.starts_with("## "));
        if rest.all(|l| l.is_empty()) {
            say(format!("nothing stands under `{line}`"));
        }
    }
    problems
}

/// Its names, its effects, its tests.
fn answers(kind: &KindFile, known: &BTreeSet<&str>, planned: &BTreeSet<&str>) -> Vec<Problem> {
    let mut problems = Vec::new();
    let mut say = |what: String| problems.push(Problem::new(&kind.path, kind.line, what));
    let stem = kind.module.rsplit("::").next().unwrap_or_default();
    if !kind.id.contains(&stem.replace('_', "-")) {
        say(format!("{} is looked for in a file named after it, not in {stem}.rs", kind.id));
    }
    let mut seen = BTreeSet::new();
    for (word, meaning) in &kind.mechanisms {
        if !seen.insert(word) {
            say(format!("mechanism {word} stands twice"));
        }
        if meaning.is_empty() || meaning.ends_with('.') {
            say(format!("mechanism {word} has a meaning, a clause without a full stop"));
        }
    }
    if kind.mechanisms.is_empty() {
        say("has no mechanism: which agreement is broken?".to_owned());
    }
    for entry in &kind.leads_to {
        let id = entry.split('/').next().unwrap_or_default();
        if !known.contains(id) && !planned.contains(id) {
            say(format!("leads to {id}, which is neither in the catalogue nor in {PLANNED}"));
        }
    }
    if kind.found < 2 {
        say(format!("its tests find it in {} cases: two at least, of different forms", kind.found));
    }
    if kind.quiet == 0 {
        say("no test shows a look-alike for which it stays quiet".to_owned());
    }
    problems
}

#[cfg(test)]
mod tests {
    use crate::workspace::TextFile;

    const WHOLE: &str = "//! Head.\n\nfailure! {\n    /// # Title\n    ///\n    /// ## Signs\n    \
        /// A.\n    /// ## Why it happens\n    /// A.\n    /// ## What we do\n    /// A.\n    \
        /// ## How to avoid it\n    /// A.\n    /// ## Sources\n    /// A.\n    \
        id: \"node-lost\",\n    mechanisms: { \"host-down\": \"the host is off\" },\n    \
        reads: [Node],\n    leads_to: [\"pod-lost\"],\n    detect: Nodes(detect),\n}\n\
        #[cfg(test)]\nmod tests {\n    #[test]\n    fn a() {\n        \
        check(&K, one, &[\"a node/n Proven Active\"]);\n        \
        check(&K, two, &[\"b node/n Likely Active\"]);\n        \
        check(&K, well, &[]);\n    }\n}\n";

    fn problems(kind: &str, list: &str, planned: &str) -> String {
        let file = |path: &str, text: &str| TextFile { path: path.into(), text: text.into() };
        let files = [
            file("crates/catalog/src/lib.rs", list),
            file("crates/catalog/src/node/lost.rs", kind),
            file("docs/planned-failures.txt", planned),
        ];
        let found = super::check(&files);
        found.into_iter().map(|p| format!("{}: {}\n", p.path, p.what)).collect()
    }

    #[test]
    fn a_whole_kind_passes() {
        assert_eq!(problems(WHOLE, "    &node::lost::KIND,\n", "# later\npod-lost\n"), "");
    }

    #[test]
    fn what_is_missing_is_named() {
        let list = "    &node::lost::KIND,\n";
        for (old, new, said) in [
            ("# Title", "Title", "begins with its title"),
            ("## Why it happens", "## Why", "has the sections"),
            ("    /// ## Sources\n    /// A.\n", "    /// ## Sources\n", "nothing stands under"),
            ("node-lost", "node-gone", "named after it"),
            ("the host is off", "It is off.", "without a full stop"),
            ("pod-lost", "pod-gone", "leads to pod-gone"),
            ("#[test]", "", "find it in 0 cases"),
            ("&[\"b node/n Likely Active\"]", "&[]", "find it in 1 cases"),
            ("well, &[]", "well, &[\"c node/n Proven Active\"]", "stays quiet"),
            ("/// A.", "/// (write: signs)", "as the template left it"),
        ] {
            assert!(WHOLE.contains(old), "{old}");
            let found = problems(&WHOLE.replace(old, new), list, "pod-lost\n");
            assert!(found.contains(said), "{said} in {found}");
        }
        assert!(problems(WHOLE, "", "pod-lost").contains("not in `ALL`"));
        assert!(problems(WHOLE, &list.repeat(2), "pod-lost").contains("2 times"));
        assert!(problems(WHOLE, list, "pod-lost\nnode-lost").contains("takes it out"));
    }
}
