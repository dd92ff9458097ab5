//! `seaworthy diagnose` on captured input and on the twin.

use std::process::Stdio;

use super::{command, data, json, run, run_with_input};

#[test]
fn exit_codes_tell_the_verdict() {
    let (down, well, names) = (data("node-down.yaml"), data("well.yaml"), data("names-only.yaml"));
    for (arguments, code, word) in [
        (vec!["diagnose", &down], 1, "BROKEN"),
        (vec!["diagnose", &down, "--fail-on", "page"], 1, "BROKEN"),
        (vec!["diagnose", &down, "-n", "shop"], 1, "BROKEN"),
        (vec!["diagnose", &down, "-l", "app=web"], 1, "BROKEN"),
        (vec!["diagnose", &down, "--kind", "node-not-ready"], 1, "BROKEN"),
        (vec!["diagnose", &down, "-n", "other"], 5, "INCONCLUSIVE"),
        (vec!["diagnose", &down, "-l", "app=db"], 0, "HEALTHY"),
        (vec!["diagnose", &well], 0, "HEALTHY"),
        (vec!["diagnose", &names], 5, "INCONCLUSIVE"),
    ] {
        let run = run(&arguments);
        assert_eq!(run.code, code, "{arguments:?}: {run:?}");
        assert!(run.out.starts_with(word), "{arguments:?}: {run:?}");
        assert_eq!(run.err, "", "{arguments:?}");
    }
}

#[test]
fn json_is_the_contract_and_the_same_every_time() {
    let file = data("node-down.yaml");
    let first = run(&["diagnose", &file, "-o", "json"]);
    assert_eq!(first.out, run(&["diagnose", &file, "-o", "json"]).out);
    let value = json(&first);
    assert_eq!(value["apiVersion"], "seaworthy.dev/v1");
    assert_eq!(value["verdict"], "broken");
    assert_eq!(value["asOf"], "2026-01-02T00:01:00Z");
    assert_eq!(value["input"][0]["name"], file.as_str());
    assert_eq!(value["input"][0]["objects"], 2);
    let incident = &value["incidents"][0];
    assert_eq!(incident["rank"], 1);
    assert_eq!(incident["severity"], "page");
    assert_eq!(incident["cause"]["failure"], "node-pleg-stalled");
    assert_eq!(incident["cause"]["mechanism"], "runtime-slow");
    let node = serde_json::json!({"apiVersion": "v1", "kind": "Node", "name": "worker-1"});
    assert_eq!(incident["cause"]["object"], node);
    assert_eq!(incident["graph"]["nodes"][0]["id"], "n1");
    assert_eq!(incident["evidence"][0]["id"], "e1");
    assert_eq!(incident["evidence"][0]["source"], file.as_str());
}

#[test]
fn standard_input_and_folders_are_read_like_files() {
    let file = data("node-down.yaml");
    let bytes = std::fs::read(&file).unwrap();
    let piped = run_with_input(&["diagnose", "-", "-o", "json"], &bytes);
    assert_eq!(piped.code, 1, "{piped:?}");
    let value = json(&piped);
    assert_eq!(value["input"][0]["name"], "-");
    assert_eq!(value["incidents"][0]["cause"]["failure"], "node-pleg-stalled");
    let nothing = run_with_input(&["diagnose", "-"], b"");
    assert_eq!(nothing.code, 5, "{nothing:?}");
    assert!(nothing.out.contains("kubectl get"), "it says what would tell: {nothing:?}");
    let folder = run(&["diagnose", &data("")]);
    assert_eq!(folder.code, 1, "{folder:?}");
}

#[test]
fn the_twin_is_read_like_a_cluster_and_its_cause_found() {
    let first = run(&["diagnose", "--twin", "-o", "json"]);
    assert_eq!(first.code, 1, "{}", first.err);
    assert_eq!(first.out, run(&["diagnose", "--twin", "-o", "json"]).out, "the same every time");
    let value = json(&first);
    assert_eq!(value["verdict"], "broken");
    assert_eq!(value["input"][0]["name"], "live");
    assert_eq!(value["blind"], serde_json::json!([]));
    let cause = &value["incidents"][0]["cause"];
    assert_eq!(cause["failure"], "node-lost-cascade");
    assert_eq!(cause["object"]["kind"], "Deployment");
    assert_ne!(first.out, run(&["diagnose", "--twin", "--seed", "7", "-o", "json"]).out);
}

#[test]
fn a_reader_that_closes_the_pipe_is_nobodys_problem() {
    let mut command = command(&["diagnose", "--twin", "-o", "json"]);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
}

#[test]
fn no_line_passes_80_columns_in_any_form_for_people() {
    let file = data("node-down.yaml");
    for form in ["text", "wide"] {
        let run = run(&["diagnose", &file, "-o", form]);
        let long: Vec<&str> = run.out.lines().filter(|l| l.chars().count() > 80).collect();
        // The path of a test file may itself be longer than a line, and is then broken.
        assert_eq!(long, Vec::<&str>::new(), "{form}");
        assert!(!run.out.contains('\u{1b}'), "no colour when nobody watches: {form}");
    }
    let colored = run(&["diagnose", &file, "--color", "always"]);
    assert!(colored.out.contains("\u{1b}[1;31mBROKEN"), "{colored:?}");
}
