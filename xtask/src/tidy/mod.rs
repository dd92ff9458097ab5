//! The house rules that rustfmt and clippy do not know.
//!
//! Each rule is a plain function from text to problems, in a module of its own. None of them
//! may reach the network or change a file.

mod crates;
mod failures;
mod licences;
mod pure;
mod shape;
mod words;

use std::collections::BTreeSet;

use anyhow::{Result, ensure};

use crate::workspace::{self, TextFile};
use crate::{docs, source};

/// Something that breaks a house rule.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    /// Relative to the checkout.
    pub path: String,
    /// From 1; 0 when it is about the whole file.
    pub line: usize,
    /// What is wrong, and what to do when that is not plain.
    pub what: String,
    /// Whether it may stay for now.
    pub warning: bool,
}

impl Problem {
    /// A problem that must be solved.
    pub fn new(path: &str, line: usize, what: impl Into<String>) -> Self {
        Problem { path: path.to_owned(), line, what: what.into(), warning: false }
    }

    /// A problem that may stay for now.
    fn warning(path: &str, what: impl Into<String>) -> Self {
        Problem { warning: true, ..Problem::new(path, 0, what) }
    }
}

/// Checks every rule, prints what is wrong, and fails when anything must be solved.
pub fn run() -> Result<()> {
    let files = workspace::text_files(&workspace::root())?;
    let mut problems = in_files(&files);
    problems.extend(crates::check(&workspace::metadata(&["--no-deps"])?));
    problems.extend(licences::check(&files)?);
    let (warnings, errors): (BTreeSet<Problem>, BTreeSet<Problem>) =
        problems.into_iter().partition(|p| p.warning);
    for problem in &warnings {
        println!("warning: {}", line(problem));
    }
    for problem in &errors {
        println!("{}", line(problem));
    }
    println!("tidy: {} files, {} problems, {} warnings", files.len(), errors.len(), warnings.len());
    ensure!(errors.is_empty(), "{} problems break the house rules", errors.len());
    Ok(())
}

/// What can be said from the files alone.
pub fn in_files(files: &[TextFile]) -> Vec<Problem> {
    let mut problems = Vec::new();
    for file in files {
        problems.extend(words::check(file));
        if file.path.ends_with(".rs") {
            let code = source::code_only(&file.text);
            problems.extend(shape::check(file, &code));
            problems.extend(pure::check(file, &code));
        }
    }
    problems.extend(failures::check(files));
    problems.extend(docs::stale(files));
    problems
}

fn line(problem: &Problem) -> String {
    match problem.line {
        0 => format!("{}: {}", problem.path, problem.what),
        line => format!("{}:{line}: {}", problem.path, problem.what),
    }
}
