//! What is asked wrongly.

use super::{data, json, run};

#[test]
fn what_makes_no_sense_is_refused_with_2_and_a_reason() {
    let file = data("well.yaml");
    for (arguments, reason) in [
        (vec![], "Usage: seaworthy"),
        (vec!["diagnoze"], "unrecognized subcommand"),
        (vec!["diagnose", "/no/such/file"], "cannot read /no/such/file: No such file"),
        (vec!["diagnose", &file, "-o", "table"], "invalid value 'table'"),
        (vec!["diagnose", &file, "-l", "a b"], "`a b` is not a label selector"),
        (vec!["diagnose", &file, "--kind", "node-redy"], "no failure kind is called `node-redy`"),
        (vec!["diagnose", &file, "--twin"], "cannot be used with"),
        (vec!["diagnose", &file, "--watch"], "cannot be used with"),
        (vec!["diagnose", "--before", &file, &file, "--at", "1h"], "cannot be used with"),
        (vec!["diagnose", &file, "-A", "-n", "x"], "cannot be used with"),
        (vec!["diagnose"], "no usable cluster configuration"),
        (vec!["diagnose", "--kubeconfig", &file], "no usable cluster configuration"),
        (vec!["twin", "--speed", "fast"], "expected `pause` or a number"),
    ] {
        let run = run(&arguments);
        assert_eq!(run.code, 2, "{arguments:?}: {run:?}");
        assert!(run.err.contains(reason), "{arguments:?}: {}", run.err);
        assert_eq!(run.out, "", "{arguments:?}");
    }
}

#[test]
fn a_name_that_steers_the_terminal_is_shown_harmless() {
    let run = run(&["diagnose", "/no/\u{1b}[31msuch\u{202e}"]);
    assert_eq!(run.code, 2);
    assert!(!run.err.contains('\u{1b}') && !run.err.contains('\u{202e}'), "{:?}", run.err);
}

#[test]
fn help_and_version_are_no_failure() {
    for arguments in [vec!["--help"], vec!["diagnose", "--help"], vec!["--version"]] {
        let run = run(&arguments);
        assert_eq!((run.code, run.err.as_str()), (0, ""), "{arguments:?}");
        assert!(!run.out.is_empty());
    }
    let value = json(&run(&["version", "-o", "json"]));
    assert_eq!(value["version"], env!("CARGO_PKG_VERSION"));
}

/// kubectl finds plugins by their file name and runs them under it.
#[cfg(unix)]
#[test]
fn as_a_plugin_it_names_itself_as_kubectl_calls_it() {
    use std::os::unix::process::CommandExt as _;

    let mut command = super::command(&["diagnose", "--help"]);
    let output = command.arg0("/usr/bin/kubectl-seaworthy").output().unwrap();
    let help = String::from_utf8(output.stdout).unwrap();
    assert!(help.contains("Usage: kubectl seaworthy diagnose"), "{help}");
}
