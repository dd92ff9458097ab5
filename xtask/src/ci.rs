//! Everything that must pass before a change lands, in one command.
//!
//! The first step that fails ends the run and says how to run it alone. What could not be run
//! is said at the end, in capitals: a check that was skipped must not look like one that passed.

use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context, Result, bail};

use crate::{tidy, workspace};

/// Programs that the tests call, and Debian's packages that have them.
const TOOLS: [(&str, &str); 3] = [
    ("kubectl", "kubernetes-client"),
    ("prometheus", "prometheus"),
    ("prometheus-alertmanager", "prometheus-alertmanager"),
];

/// Runs every step.
pub fn run() -> Result<()> {
    let strict = std::env::var("CI").is_ok_and(|v| v == "true");
    let begun = Instant::now();
    let mut missing = Vec::new();
    step("tools", "a look at PATH", || tools(strict, &mut missing))?;
    command("format", &["fmt", "--all", "--check"])?;
    let clippy = ["clippy", "--locked", "--workspace", "--all-targets", "--", "-D", "warnings"];
    command("clippy", &clippy)?;
    command("tests", &["test", "--locked", "--workspace", "--no-fail-fast"])?;
    step("tidy", "cargo xtask tidy", tidy::run)?;
    if has("cargo-deny") {
        command("deny", &["deny", "--locked", "check", "bans", "licenses", "sources"])?;
        advisories(&mut missing);
    } else {
        missing.push("advisories: cargo-deny is not installed (tidy checked the rest)".to_owned());
    }
    for what in &missing {
        println!("!! NOT RUN: {what}");
    }
    println!("ci: passed in {}", seconds(begun));
    Ok(())
}

/// Runs one step with a header line and its duration.
fn step(name: &str, by_hand: &str, work: impl FnOnce() -> Result<()>) -> Result<()> {
    println!("== {name}: {by_hand}");
    let begun = Instant::now();
    match work() {
        Ok(()) => println!("== {name}: passed in {}\n", seconds(begun)),
        Err(error) => {
            println!("== {name}: FAILED after {}", seconds(begun));
            return Err(error.context(format!("{name} failed; to run it alone: {by_hand}")));
        }
    }
    Ok(())
}

fn seconds(begun: Instant) -> String {
    format!("{:.1} s", begun.elapsed().as_secs_f64())
}

/// Runs cargo; what it prints goes straight to the terminal.
fn command(name: &str, args: &[&str]) -> Result<()> {
    step(name, &format!("cargo {}", args.join(" ")), || {
        let status = workspace::cargo().args(args).status().context("cannot start cargo")?;
        match status.success() {
            true => Ok(()),
            false => bail!("cargo ended with {status}"),
        }
    })
}

/// Whether a program is in `PATH` and is a file.
fn has(program: &str) -> bool {
    let paths = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&paths).any(|folder| folder.join(program).is_file())
}

/// Gets what the tests call. Without it they would say less than they seem to, so that it is
/// an error where nobody reads along.
fn tools(strict: bool, missing: &mut Vec<String>) -> Result<()> {
    for (program, package) in TOOLS {
        if !has(program) {
            install(package);
        }
        if has(program) {
            continue;
        }
        let what = format!("tests with {program}: it is not in PATH (Debian: {package})");
        match strict {
            true => bail!("cannot run {what}"),
            false => missing.push(what),
        }
    }
    Ok(())
}

/// Installs a Debian package where that is possible without asking anybody.
fn install(package: &str) {
    let root = std::fs::metadata("/proc/self").is_ok_and(|m| {
        use std::os::unix::fs::MetadataExt;
        m.uid() == 0
    });
    if !root || !has("apt-get") {
        return;
    }
    for args in [&["update", "-q"][..], &["install", "-qy", "--no-install-recommends", package]] {
        let mut apt = Command::new("apt-get");
        apt.args(args).env("DEBIAN_FRONTEND", "noninteractive").stdin(Stdio::null());
        match apt.status() {
            Ok(status) if status.success() => {}
            Ok(status) => return println!("apt-get {} ended with {status}", args.join(" ")),
            Err(error) => return println!("cannot start apt-get: {error}"),
        }
    }
}

/// Known weaknesses of what we link, for information: the list of them changes without us.
fn advisories(missing: &mut Vec<String>) {
    println!("== advisories: cargo deny check advisories (does not block)");
    let mut deny = workspace::cargo();
    let status = deny.args(["deny", "--locked", "check", "advisories"]).status();
    if !status.is_ok_and(|s| s.success()) {
        missing.push("advisories: found some, or could not fetch the list; see above".to_owned());
    }
}

#[cfg(test)]
mod tests {
    use anyhow::anyhow;

    #[test]
    fn a_step_that_fails_says_how_to_run_it_alone() {
        let error = super::step("tidy", "cargo xtask tidy", || Err(anyhow!("3 problems")));
        let error = format!("{:#}", error.expect_err("it fails"));
        assert_eq!(error, "tidy failed; to run it alone: cargo xtask tidy: 3 problems");
    }

    #[test]
    fn programs_are_looked_for_in_path() {
        assert!(super::has("cargo") || super::has("rustc"), "the tests run under cargo");
        assert!(!super::has("no-program-of-this-name"));
    }

    #[test]
    fn a_missing_tool_is_told_and_where_nobody_reads_along_an_error() {
        let mut missing = Vec::new();
        let strict = super::tools(true, &mut missing);
        let all = super::TOOLS.iter().all(|(program, _)| super::has(program));
        assert_eq!(strict.is_err(), !all);
        assert!(missing.is_empty(), "{missing:?}");
    }
}
