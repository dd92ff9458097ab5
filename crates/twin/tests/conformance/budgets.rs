//! What a disruption budget allows.

use serde_json::{Value, json};

use super::stage::{Stage, owned_by, pod, running};

const PODS: &str = "/api/v1/namespaces/default/pods";
const BUDGETS: &str = "/apis/policy/v1/namespaces/default/poddisruptionbudgets";

/// Where owners of a kind are made.
fn home(kind: &str) -> (&'static str, &'static str) {
    match kind {
        "ReplicationController" => ("/api/v1/namespaces/default/replicationcontrollers", "v1"),
        "StatefulSet" => ("/apis/apps/v1/namespaces/default/statefulsets", "apps/v1"),
        _ => ("/apis/apps/v1/namespaces/default/replicasets", "apps/v1"),
    }
}

/// An owner that wants so many pods.
fn owner(stage: &Stage, kind: &str, name: &str, replicas: i64) -> Value {
    let template = json!({
        "metadata": {"labels": {"app": "web"}},
        "spec": {"containers": [{"name": "app", "image": "app:1"}]},
    });
    let selector = match kind {
        "ReplicationController" => json!({"app": "web"}),
        _ => json!({"matchLabels": {"app": "web"}}),
    };
    let mut spec = json!({"replicas": replicas, "selector": selector, "template": template});
    if kind == "StatefulSet" {
        spec["serviceName"] = "web".into();
    }
    let (path, version) = home(kind);
    let made = stage.make(path, &json!({"metadata": {"name": name}, "spec": spec}));
    owned_by(version, kind, name, &made["metadata"]["uid"])
}

/// Pods of an owner, so many of them ready.
fn pods(stage: &Stage, base: &str, owner: Option<&Value>, all: usize, ready: usize) {
    for number in 0..all {
        let mut pod = pod(&format!("{base}-{number}"), "");
        if let Some(owner) = owner {
            pod["metadata"]["ownerReferences"] = owner.clone();
        }
        pod["status"] = running(number < ready);
        stage.make(PODS, &pod);
    }
}

fn budget(stage: &Stage, spec: &Value) {
    let mut spec = spec.clone();
    spec["selector"] = json!({"matchLabels": {"app": "web"}});
    stage.make(BUDGETS, &json!({"metadata": {"name": "b"}, "spec": spec}));
}

/// Allowed, healthy, desired, expected.
fn status(stage: &Stage) -> [i64; 4] {
    stage.wait(1);
    let budget = stage.get(&format!("{BUDGETS}/b")).expect("the budget");
    let n = |key: &str| budget["status"][key].as_i64().unwrap_or(0);
    [n("disruptionsAllowed"), n("currentHealthy"), n("desiredHealthy"), n("expectedPods")]
}

#[test]
fn budgets_follow_the_scale_of_the_owners() {
    // Owners with what they want and their pods, ready first.
    type Owners<'a> = &'a [(&'a str, i64, usize, usize)];
    let rows: [(Value, Owners<'_>, [i64; 4]); 17] = [
        (json!({"maxUnavailable": 1}), &[], [0, 0, 0, 0]),
        (json!({"maxUnavailable": 2}), &[("ReplicaSet", 7, 1, 1)], [0, 1, 5, 7]),
        (json!({"maxUnavailable": 2}), &[("ReplicaSet", 5, 1, 1)], [0, 1, 3, 5]),
        (json!({"maxUnavailable": "30%"}), &[("ReplicaSet", 7, 1, 1)], [0, 1, 4, 7]),
        (json!({"maxUnavailable": "30%"}), &[("ReplicaSet", 3, 1, 1)], [0, 1, 2, 3]),
        (json!({"minAvailable": 3}), &[("ReplicaSet", 4, 4, 3)], [0, 3, 3, 4]),
        (json!({"minAvailable": "20%"}), &[("ReplicaSet", 10, 1, 1)], [0, 1, 2, 10]),
        (json!({"minAvailable": "34%"}), &[("StatefulSet", 3, 3, 1)], [0, 1, 2, 3]),
        (json!({"minAvailable": "34%"}), &[("StatefulSet", 3, 3, 2)], [0, 2, 2, 3]),
        (json!({"minAvailable": "34%"}), &[("StatefulSet", 3, 3, 3)], [1, 3, 2, 3]),
        (json!({"minAvailable": "34%"}), &[("ReplicationController", 3, 3, 3)], [1, 3, 2, 3]),
        (json!({"minAvailable": "28%"}), &[("ReplicationController", 11, 4, 4)], [0, 4, 4, 11]),
        (json!({"minAvailable": "28%"}), &[("ReplicationController", 11, 5, 5)], [1, 5, 4, 11]),
        (
            json!({"minAvailable": "28%"}),
            &[("ReplicationController", 11, 5, 5), ("ReplicaSet", 11, 2, 2)],
            [0, 7, 7, 22],
        ),
        (
            json!({"minAvailable": "28%"}),
            &[("ReplicationController", 11, 5, 5), ("ReplicaSet", 11, 3, 3)],
            [1, 8, 7, 22],
        ),
        (
            json!({"minAvailable": "28%"}),
            &[("ReplicationController", 11, 5, 5), ("ReplicaSet", 11, 4, 4)],
            [2, 9, 7, 22],
        ),
        (json!({"minAvailable": "1%"}), &[("ReplicationController", 1, 2, 2)], [1, 2, 1, 1]),
    ];
    for (spec, owners, wanted) in rows {
        let stage = Stage::of("disruption");
        for (number, (kind, replicas, all, ready)) in owners.iter().enumerate() {
            let name = format!("o{number}");
            let owner = owner(&stage, kind, &name, *replicas);
            pods(&stage, &name, Some(&owner), *all, *ready);
        }
        budget(&stage, &spec);
        assert_eq!(status(&stage), wanted, "{spec} {owners:?}");
    }
}

#[test]
fn bare_pods_are_healthy_but_not_expected() {
    let stage = Stage::of("disruption");
    pods(&stage, "bare", None, 2, 2);
    budget(&stage, &json!({"minAvailable": "28%"}));
    assert_eq!(status(&stage)[0], 0);
    assert!(stage.told().contains(&"UnmanagedPods".to_owned()));
    let stage = Stage::of("disruption");
    let owner = owner(&stage, "StatefulSet", "o", 3);
    pods(&stage, "o", Some(&owner), 3, 3);
    pods(&stage, "bare", None, 1, 1);
    budget(&stage, &json!({"minAvailable": "34%"}));
    assert_eq!(status(&stage)[0], 2);
}

#[test]
fn an_unknown_owner_allows_nothing() {
    let stage = Stage::of("disruption");
    let owner = owned_by("example.com/v1", "Other", "o", &"u".into());
    pods(&stage, "p", Some(&owner), 1, 1);
    budget(&stage, &json!({"minAvailable": "28%"}));
    assert_eq!(status(&stage)[0], 0);
    assert!(stage.told().contains(&"CalculateExpectedPodCountFailed".to_owned()));
}

#[test]
fn a_granted_disruption_counts_until_it_is_overdue() {
    let stage = Stage::of("disruption");
    pods(&stage, "p", None, 3, 3);
    budget(&stage, &json!({"minAvailable": 1}));
    assert_eq!(status(&stage), [2, 3, 1, 3]);
    let (code, _) = stage.ask(
        "PATCH",
        &format!("{BUDGETS}/b/status"),
        &json!({"status": {"disruptedPods": {
            "p-0": "2026-06-01T00:00:00Z", "gone": "2026-06-01T00:00:00Z",
        }}}),
    );
    assert_eq!(code, 200);
    assert_eq!(status(&stage), [1, 2, 1, 3]);
    stage.wait(130);
    assert_eq!(status(&stage), [2, 3, 1, 3]);
    assert!(stage.told().contains(&"NotDeleted".to_owned()));
}

#[test]
fn the_mark_of_a_pod_that_lives_is_taken_off() {
    let stage = Stage::of("disruption");
    let mut marked = pod("p", "");
    marked["status"] = running(true);
    let mark = json!({
        "type": "DisruptionTarget", "status": "True", "reason": "EvictionByEvictionAPI",
        "lastTransitionTime": "2026-06-01T00:00:00Z",
    });
    marked["status"]["conditions"] = json!([mark]);
    stage.make(PODS, &marked);
    let status = |stage: &Stage| {
        let pod = stage.get(&format!("{PODS}/p")).expect("the pod");
        pod["status"]["conditions"][0]["status"].clone()
    };
    stage.wait(110);
    assert_eq!(status(&stage), "True");
    stage.wait(15);
    assert_eq!(status(&stage), "False");
}
