//! `seaworthy explain`.

use super::{json, run};

#[test]
fn a_kind_is_explained_in_every_form() {
    let text = run(&["explain", "node-not-ready"]);
    assert_eq!(text.code, 0, "{text:?}");
    for part in ["node-not-ready  ", "\nSigns\n", "\nMechanisms\n", "runtime-down", "Can lead to"] {
        assert!(text.out.contains(part), "{part}: {}", text.out);
    }
    let value = json(&run(&["explain", "node-not-ready", "-o", "json"]));
    assert_eq!(value["kind"], "Failure");
    assert_eq!(value["id"], "node-not-ready");
    assert!(value["mechanisms"].as_array().unwrap().iter().any(|m| m["id"] == "runtime-down"));
    assert!(run(&["explain", "node-not-ready", "-o", "md"]).out.starts_with("# "));
}

#[test]
fn without_an_id_all_kinds_are_listed() {
    let value = json(&run(&["explain", "-o", "json"]));
    let ids: Vec<&str> =
        value["items"].as_array().unwrap().iter().map(|i| i["id"].as_str().unwrap()).collect();
    assert!(ids.contains(&"node-not-ready") && ids.is_sorted(), "{ids:?}");
    let text = run(&["explain"]);
    for id in ids {
        assert!(text.out.contains(id), "{id}");
    }
}

#[test]
fn an_unknown_id_is_answered_with_the_nearest() {
    let unknown = run(&["explain", "node-not-redy"]);
    assert_eq!((unknown.code, unknown.out.as_str()), (2, ""));
    assert!(unknown.err.contains("did you mean node-not-ready"), "{}", unknown.err);
    let unlike = run(&["explain", "zzzzzz"]);
    assert_eq!(unlike.code, 2);
    assert!(unlike.err.contains("`seaworthy explain` lists them all"), "{}", unlike.err);
}
