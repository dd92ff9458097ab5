//! Which evictions the API grants.

use serde_json::{Value, json};

use super::stage::{Stage, pod, running};

const PODS: &str = "/api/v1/namespaces/default/pods";
const BUDGETS: &str = "/apis/policy/v1/namespaces/default/poddisruptionbudgets";

/// A budget with this status and policy over pod `p`.
fn stage(phase: &str, ready: bool, policy: &str, allowed: [i64; 3], selector: Value) -> Stage {
    let stage = Stage::of("none");
    let mut pod = pod("p", "");
    pod["status"] = running(ready);
    pod["status"]["phase"] = phase.into();
    stage.make(PODS, &pod);
    let mut spec = json!({"minAvailable": 1, "selector": selector});
    if !policy.is_empty() {
        spec["unhealthyPodEvictionPolicy"] = policy.into();
    }
    let [allowed, healthy, desired] = allowed;
    let status = json!({
        "disruptionsAllowed": allowed, "currentHealthy": healthy, "desiredHealthy": desired,
        "expectedPods": 3, "observedGeneration": 1,
    });
    stage.make(BUDGETS, &json!({"metadata": {"name": "b"}, "spec": spec, "status": status}));
    stage
}

fn evict(stage: &Stage, url: &str, body: &str) -> u16 {
    let eviction = json!({
        "apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": body},
    });
    stage.ask("POST", &format!("{PODS}/{url}/eviction"), &eviction).0
}

fn allowed(stage: &Stage) -> i64 {
    let budget = stage.get(&format!("{BUDGETS}/b")).expect("the budget");
    budget["status"]["disruptionsAllowed"].as_i64().unwrap_or(0)
}

#[test]
fn budgets_decide_about_running_pods() {
    let mine = || json!({"matchLabels": {"app": "web"}});
    let other = || json!({"matchLabels": {"app": "other"}});
    let (none, one) = ([0, 2, 3], [1, 3, 2]);
    // Phase, ready, policy, budget, selector; answer, what is left of the budget.
    let rows = [
        ("Running", true, "", none, mine(), 429, 0),
        ("Pending", false, "", none, mine(), 201, 0),
        ("Succeeded", false, "", none, mine(), 201, 0),
        ("Failed", false, "", none, mine(), 201, 0),
        ("Running", true, "", one, mine(), 201, 0),
        ("Running", true, "", none, other(), 201, 0),
        ("Running", true, "", none, json!({}), 429, 0),
        ("Running", true, "", [0, 2, 2], mine(), 429, 0),
        ("Running", false, "", [0, 2, 2], mine(), 201, 0),
        ("Running", false, "IfHealthyBudget", [0, 2, 2], mine(), 201, 0),
        ("Running", false, "AlwaysAllow", [0, 2, 2], mine(), 201, 0),
        ("Running", false, "AlwaysAllow", [0, 0, 0], mine(), 201, 0),
        ("Running", false, "", [0, 0, 0], mine(), 429, 0),
        ("Running", false, "IfHealthyBudget", [0, 0, 0], mine(), 429, 0),
        ("Running", false, "", [1, 3, 2], mine(), 201, 1),
    ];
    for (phase, ready, policy, budget, selector, code, left) in rows {
        let row = format!("{phase} {ready} {policy} {budget:?} {selector}");
        let stage = stage(phase, ready, policy, budget, selector);
        assert_eq!(evict(&stage, "p", "p"), code, "{row}");
        assert_eq!(allowed(&stage), left, "{row}");
    }
}

#[test]
fn the_request_must_be_about_one_pod() {
    let mine = json!({"matchLabels": {"app": "web"}});
    let stage = stage("Running", true, "", [1, 3, 2], mine.clone());
    assert_eq!(evict(&stage, "p", "q"), 400);
    assert_eq!(evict(&stage, "none", "none"), 404);
    let second = json!({
        "metadata": {"name": "c"}, "spec": {"minAvailable": 1, "selector": mine},
    });
    stage.make(BUDGETS, &second);
    assert_eq!(evict(&stage, "p", "p"), 500);
    assert_eq!(allowed(&stage), 1, "nothing was spent");
}

#[test]
fn a_budget_that_is_behind_allows_nothing() {
    let mine = json!({"matchLabels": {"app": "web"}});
    let stage = stage("Running", true, "", [1, 3, 2], mine);
    let behind = json!({"status": {"observedGeneration": 0}});
    stage.patch(&format!("{BUDGETS}/b/status"), &behind);
    assert_eq!(evict(&stage, "p", "p"), 429);
    let negative = json!({"status": {"observedGeneration": 1, "disruptionsAllowed": -1}});
    let (code, _) = stage.ask("PATCH", &format!("{BUDGETS}/b/status"), &negative);
    // A server does not take such a status, and so nobody can meet it.
    assert_eq!(code, 422);
}
