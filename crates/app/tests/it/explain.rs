//! `seaworthy explain`.

use super::{data, json, run};

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

#[test]
fn an_object_is_explained_from_any_input_in_every_form() {
    let (base, memory) =
        (data("forms/base/objects.yaml"), data("forms/pending-memory/objects.yaml"));
    let pod = "search-m86m55jmn-46zzp";
    let input = [base.as_str(), memory.as_str()];
    let with = |arguments: &[&str]| run(&[&["explain"], arguments, &input].concat());
    let text = with(&[&format!("pod/{pod}")]);
    assert_eq!((text.code, text.err.as_str()), (0, ""), "{text:?}");
    for part in [
        "waits for a node",
        "Which nodes could take it?",
        "too little memory left: worker-1, worker-2",
        "Which incidents is it part of?",
        "the cause: shop/search cannot be scheduled",
    ] {
        assert!(text.out.contains(part), "{part}: {}", text.out);
    }
    assert!(text.out.lines().all(|l| l.chars().count() <= 80), "{}", text.out);
    let value = json(&with(&["pod", pod, "-n", "shop", "-o", "json"]));
    assert_eq!(value["kind"], "Explanation");
    assert_eq!(value["object"]["name"], pod);
    assert_eq!(value["incidents"][0]["failure"], "pod-pending-unschedulable");
    assert!(with(&["deploy/search", "-o", "md"]).out.starts_with("# Deployment shop/search: "));
    let files = ["explain", "deploy/search", "-f", &base, "-f", &memory];
    assert!(run(&files).out.contains("How are its pods?"));
}

#[test]
fn an_object_that_is_not_there_is_answered_with_what_to_do() {
    let (down, base) = (data("node-down.yaml"), data("forms/base/objects.yaml"));
    for (arguments, code, said) in [
        (vec!["explain", "pod/web", &base], 2, "did you mean pod/web-4rjfz2q6f"),
        (vec!["explain", "svc/zzzzz", &base], 2, "no Service is called zzzzz"),
        (vec!["explain", "pvc/data", &down], 5, "kubectl get pvc/data -n NAMESPACE -o json"),
        (vec!["explain", "widget/x", &down], 2, "Write KIND/NAME"),
        (vec!["explain", "pod"], 2, "Its name is missing"),
        (vec!["explain", "node-not-ready", &down], 2, "its page needs no input"),
        (vec!["explain", "node/worker-1", &down, "--twin"], 2, "cannot be used with"),
    ] {
        let run = run(&arguments);
        assert_eq!((run.code, run.out.as_str()), (code, ""), "{arguments:?}: {run:?}");
        assert!(run.err.contains(said), "{arguments:?}: {}", run.err);
    }
}

#[test]
fn an_object_of_the_simulated_cluster_is_explained_as_of_a_live_one() {
    let node = run(&["explain", "node/worker-a2", "--twin"]);
    assert_eq!(node.code, 0, "{}", node.err);
    for part in ["does not report any more", "What has it left?", "node.kubernetes.io/unreachable"]
    {
        assert!(node.out.contains(part), "{part}: {}", node.out);
    }
}
