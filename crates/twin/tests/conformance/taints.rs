//! Eviction by taints: which pod goes when.

use serde_json::{Value, json};

use super::stage::{Stage, pod};

/// A toleration of taint `key` for some seconds, or for ever.
fn tolerate(key: &str, seconds: Option<i64>) -> Value {
    let mut toleration = json!({"key": key, "operator": "Exists", "effect": "NoExecute"});
    if let Some(seconds) = seconds {
        toleration["tolerationSeconds"] = seconds.into();
    }
    toleration
}

fn taint(stage: &Stage, keys: &[&str]) {
    let taints: Vec<Value> =
        keys.iter().map(|key| json!({"key": key, "effect": "NoExecute"})).collect();
    stage.patch("/api/v1/nodes/n", &json!({"spec": {"taints": taints}}));
}

fn stage(tolerations: &[Value], node: &str) -> Stage {
    let stage = Stage::of("taint-eviction");
    stage.make("/api/v1/nodes", &json!({"metadata": {"name": "n"}}));
    let mut pod = pod("p", node);
    pod["spec"]["tolerations"] = tolerations.to_vec().into();
    stage.make("/api/v1/namespaces/default/pods", &pod);
    stage.wait(1);
    stage
}

fn lives(stage: &Stage) -> bool {
    let pod = stage.get("/api/v1/namespaces/default/pods/p");
    pod.is_some_and(|pod| pod["metadata"]["deletionTimestamp"].is_null())
}

/// The pod is there after `stays` seconds and gone after `goes`, if it goes.
#[track_caller]
fn check(tolerations: &[Value], node: &str, taints: &[&str], stays: i64, goes: Option<i64>) {
    let stage = stage(tolerations, node);
    taint(&stage, taints);
    if stays > 0 {
        stage.wait(stays);
        assert!(lives(&stage), "it stays: {tolerations:?} {taints:?}");
    }
    if let Some(goes) = goes {
        stage.wait(goes - stays);
        assert!(!lives(&stage), "it goes: {tolerations:?} {taints:?}");
    }
}

#[test]
fn tolerations_decide_when_a_pod_goes() {
    let (one, two) = (["one"], ["one", "two"]);
    check(&[], "", &one, 60, None);
    check(&[], "n", &[], 60, None);
    check(&[], "n", &one, 0, Some(1));
    check(&[tolerate("one", Some(100))], "n", &one, 99, Some(102));
    check(&[tolerate("one", None)], "n", &one, 600, None);
    check(&[tolerate("other", None)], "n", &one, 0, Some(1));
    check(&[tolerate("one", None)], "n", &two, 0, Some(1));
    check(&[tolerate("one", Some(1)), tolerate("two", Some(100))], "n", &two, 0, Some(3));
    check(&[tolerate("one", Some(-5))], "n", &one, 0, Some(1));
    check(&[tolerate("one", Some(0))], "n", &one, 0, Some(1));
}

#[test]
fn a_running_toleration_is_not_lengthened() {
    let stage = stage(&[tolerate("one", Some(5))], "n");
    taint(&stage, &["one"]);
    stage.wait(1);
    let kept = stage.get("/api/v1/namespaces/default/pods/p").expect("the pod");
    let mut longer = kept["spec"]["tolerations"].as_array().cloned().unwrap_or_default();
    longer.push(tolerate("one", Some(100)));
    let patch = json!({"spec": {"tolerations": longer}});
    stage.patch("/api/v1/namespaces/default/pods/p", &patch);
    stage.wait(6);
    assert!(!lives(&stage));
}

#[test]
fn a_taint_that_goes_in_time_cancels() {
    let stage = stage(&[tolerate("one", Some(5))], "n");
    taint(&stage, &["one"]);
    stage.wait(2);
    taint(&stage, &[]);
    stage.wait(60);
    assert!(lives(&stage));
    let cancelled = stage.told().iter().filter(|r| *r == "TaintManagerEviction").count();
    assert_eq!(cancelled, 1, "and says so");
}

#[test]
fn a_taint_tolerated_for_ever_leaves_the_timer_to_the_other() {
    let stage = stage(&[tolerate("one", None), tolerate("two", Some(60))], "n");
    for (taints, seconds) in [(vec![], 100), (vec!["one"], 100), (vec!["one", "two"], 50)] {
        taint(&stage, &taints);
        stage.wait(seconds);
        assert!(lives(&stage), "{taints:?}");
    }
    taint(&stage, &["one"]);
    stage.wait(600);
    assert!(lives(&stage), "the timer was cancelled");
}
