//! `diagnose --since` and `diagnose --at`: what began since then, and how it was then.

use super::{data, json, run};

#[test]
fn what_is_over_since_long_is_counted_and_not_told() {
    let all = json(&run(&["diagnose", "--twin", "-o", "json"]));
    let incidents = |value: &serde_json::Value| value["incidents"].as_array().unwrap().len();
    let since = json(&run(&["diagnose", "--twin", "--since", "45m", "-o", "json"]));
    assert_eq!(since["since"], "2026-03-02T08:13:00Z");
    let older = usize::try_from(since["older"].as_u64().unwrap()).unwrap();
    assert_eq!(incidents(&since) + older, incidents(&all));
    assert_eq!(since["verdict"], "broken", "what goes on is told whenever it began");
    assert_eq!(all.get("older"), None);
}

#[test]
fn the_situation_of_an_earlier_moment_is_rebuilt_from_the_times_in_the_evidence() {
    // Three nodes are lost, at 08:27, 08:38 and 08:49.
    let lost_at = |moment: &str| {
        let run = run(&["diagnose", "--twin", "--at", moment, "-o", "json"]);
        assert!(run.code == 0 || run.code == 1, "{run:?}");
        let value = json(&run);
        assert_eq!(value["takenBackFrom"], "2026-03-02T08:58:00Z");
        value
    };
    let before = lost_at("08:15");
    assert_eq!(before["asOf"], "2026-03-02T08:15:00Z");
    assert_ne!(before["verdict"], "broken", "{before:#}");
    let blind = before["blind"].as_array().unwrap();
    let says = |start: &str| blind.iter().any(|b| b["what"].as_str().unwrap().starts_with(start));
    assert!(says("what was deleted or edited between") && says("conditions of nodes"), "{blind:?}");
    let first = lost_at("08:28");
    assert_eq!(first["incidents"][0]["cause"]["object"]["name"], "worker-a2", "{first:#}");
    let now = lost_at("0s");
    assert_eq!(now["incidents"][0]["cause"]["failure"], "node-lost-cascade");
}

#[test]
fn a_moment_that_cannot_be_is_refused_with_what_to_do() {
    let (down, forms) = (data("node-down.yaml"), data("pasted/12_KubePodNotReady/transcript.txt"));
    for (arguments, said) in [
        (vec!["diagnose", &down, "--at", "2030-01-01"], "the evidence ends at"),
        (vec!["diagnose", &down, "--at", "noon"], "a time of day such as 03:10"),
        (vec!["diagnose", &down, "--since", "5 parsecs"], "expected a duration such as 90m"),
        (vec!["diagnose", &forms, "--at", "5m"], "-o json"),
    ] {
        let run = run(&arguments);
        assert_eq!((run.code, run.out.as_str()), (2, ""), "{arguments:?}: {run:?}");
        assert!(run.err.contains(said), "{arguments:?}: {}", run.err);
    }
}
