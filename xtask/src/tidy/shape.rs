//! The size of files, functions and lines, and the head of every module.

use super::Problem;
use crate::source::{item_end, line_of, without_tests};
use crate::workspace::TextFile;

const FILE_LINES_MAX: usize = 400;
const FILE_LINES_WARN: usize = 250;
const FUNCTION_LINES_MAX: usize = 70;
const COLUMNS_MAX: usize = 100;

/// Files that may be longer, how long, and why.
const LONG_FILES: [(&str, usize, &str); 0] = [];

/// Checks a Rust file; `code` is its text without comments and literals.
pub fn check(file: &TextFile, code: &str) -> Vec<Problem> {
    let mut problems = Vec::new();
    let lines = file.text.lines().count();
    let long = LONG_FILES.iter().find(|(path, _, _)| *path == file.path);
    let most = long.map_or(FILE_LINES_MAX, |(_, most, _)| *most);
    if lines > most {
        let what = format!("{lines} lines; at most {most}: split it by what its parts are for");
        problems.push(Problem::new(&file.path, 0, what));
    } else if lines > FILE_LINES_WARN && long.is_none() {
        problems.push(Problem::warning(&file.path, format!("{lines} lines; aim at 150")));
    }
    // Tests quote what Kubernetes prints, as wide and as long as it prints it.
    let is_test = ["/tests.rs", "/tests/", "/testing"].iter().any(|t| file.path.contains(t));
    let product = if is_test { String::new() } else { without_tests(code) };
    for (at, (line, code)) in file.text.lines().zip(code.lines()).enumerate() {
        let columns = line.chars().count();
        // What goes on inside a literal is data, as wide as what it shows.
        let begins = ["//", "\"", "r\"", "r#"].iter().any(|b| line.trim_start().starts_with(b));
        let is_data = (code.trim().is_empty() && !begins) || (is_test && line.contains('"'));
        if columns > COLUMNS_MAX && !is_data {
            let what = format!("{columns} columns; at most {COLUMNS_MAX}");
            problems.push(Problem::new(&file.path, at + 1, what));
        }
    }
    // A file of tests is named after what it tests; its head would only repeat the name.
    if !file.text.starts_with("//!") && !file.path.ends_with("/tests.rs") {
        let what = "has no `//!` head: what is it for, and what must it never do?";
        problems.push(Problem::new(&file.path, 1, what));
    }
    problems.extend(functions(&product).into_iter().filter_map(|(name, line, lines)| {
        let what = format!("fn {name} has {lines} lines; at most {FUNCTION_LINES_MAX}");
        (lines > FUNCTION_LINES_MAX).then(|| Problem::new(&file.path, line, what))
    }));
    problems
}

/// Functions with a body: name, line, lines.
fn functions(code: &str) -> Vec<(&str, usize, usize)> {
    let mut found = Vec::new();
    for (at, _) in code.match_indices("fn ") {
        let before = code.get(..at).and_then(|b| b.chars().next_back());
        if before.is_some_and(|c| c.is_alphanumeric() || c == '_') {
            continue;
        }
        let rest = code.get(at + 3..).unwrap_or_default();
        let name_end = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(0);
        let name = rest.get(..name_end).unwrap_or_default();
        let end = item_end(code, at);
        let has_body = code.get(..end).is_some_and(|c| c.ends_with('}'));
        if !name.is_empty() && has_body {
            let (first, last) = (line_of(code, at), line_of(code, end));
            found.push((name, first, last - first + 1));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use crate::source::code_only;
    use crate::workspace::TextFile;

    fn problems(path: &str, text: String) -> Vec<String> {
        let file = TextFile { path: path.to_owned(), text };
        let found = super::check(&file, &code_only(&file.text));
        found.into_iter().map(|p| format!("{} {}", p.line, p.what)).collect()
    }

    #[test]
    fn functions_are_measured_from_signature_to_brace() {
        let code = "impl A {\nfn a<T>(x: [u8; 2]) -> T\nwhere\n    T: B,\n{\n    y\n}\n}\n\
                    trait B { fn c(); }\ntype F = fn (u8);\n";
        assert_eq!(super::functions(code), [("a", 2, 6)]);
    }

    #[test]
    fn long_things_are_named() {
        let body = "    step();\n".repeat(69);
        let text = format!("//! Head.\nfn long() {{\n{body}}}\n");
        assert_eq!(problems("a.rs", text.clone()), ["2 fn long has 71 lines; at most 70"]);
        assert_eq!(problems("a.rs", text.replacen("    step();\n", "", 1)), [""; 0]);
        let wide = format!("//! {}\n", "é".repeat(97));
        assert_eq!(problems("a.rs", wide), ["1 101 columns; at most 100"]);
        let text = format!("//! Head.\nconst A: &str = r\"\n{}\n\";\n", "a".repeat(101));
        assert_eq!(problems("a.rs", text), [""; 0]);
        let file = |lines: usize| "//! Head.\n".repeat(lines);
        assert_eq!(problems("a.rs", file(250)), [""; 0]);
        assert!(problems("a.rs", file(251)).concat().contains("aim at 150"));
        assert!(problems("a.rs", file(401)).concat().contains("at most 400"));
    }

    #[test]
    fn a_module_without_head_is_named_unless_it_holds_tests() {
        let text = || "use a;\n".to_owned();
        assert!(problems("src/a.rs", text()).concat().contains("no `//!` head"));
        assert_eq!(problems("src/a/tests.rs", text()), [""; 0]);
    }
}
