//! What is said twice, in detail and in few words, stays known in detail.

use serde_json::{Value, json};

use crate::record::EventTime;
use crate::{Builder, Kind, Snapshot, Truth, decode_value};

/// A snapshot of texts for people, in this order.
fn told(values: &[Value]) -> Snapshot {
    let mut builder = Builder::default();
    for value in values {
        let kind = value["kind"].as_str().and_then(Kind::from_name).expect("a kind");
        builder.add(decode_value(kind, value, true).expect("well-shaped"), 0);
    }
    builder.finish(None)
}

/// In both orders.
fn both(a: &Value, b: &Value) -> [Snapshot; 2] {
    [told(&[a.clone(), b.clone()]), told(&[b.clone(), a.clone()])]
}

#[test]
fn a_wide_row_takes_nothing_from_a_described_spec() {
    let of = |container: Value| {
        json!({
            "kind": "Deployment", "metadata": {"name": "web", "namespace": "shop"},
            "spec": {"template": {"spec": {"containers": [container]}}},
        })
    };
    let limits = json!({"limits": {"memory": "64Mi"}});
    let described = of(json!({"name": "main", "image": "web:1", "resources": limits}));
    let row = of(json!({"name": "main", "image": "web:1"}));
    for now in both(&described, &row) {
        let app = now.apps.get(0).expect("it");
        let limit = app.spec().and_then(|s| s.containers[0].resources.limits.get("memory"));
        assert!(app.shows_spec() && limit.is_some());
    }
    let now = told(&[row]);
    assert!(!now.apps.get(0).expect("it").shows_spec(), "names of containers are no spec");
    assert_eq!(
        now.apps.get(0).expect("it").spec().map(|s| s.containers[0].image.as_str()),
        Some("web:1")
    );
}

#[test]
fn not_ready_of_a_row_says_no_more_than_unknown_with_its_reason() {
    let of = |condition: Value| {
        json!({
            "kind": "Node", "metadata": {"name": "n1"}, "status": {"conditions": [condition]},
        })
    };
    let silent = of(json!({
        "type": "Ready", "status": "Unknown", "reason": "NodeStatusUnknown",
        "lastTransitionTime": "2026-01-01T00:00:00Z",
    }));
    let row = |status: &str| of(json!({"type": "Ready", "status": status}));
    for now in both(&silent, &row("False")) {
        let ready = now.nodes.get("", "n1").and_then(|n| n.condition("Ready")).expect("Ready");
        assert_eq!((ready.status, ready.reason()), (Truth::Unknown, "NodeStatusUnknown"));
    }
    let now = told(&[silent, row("True")]);
    assert_eq!(now.nodes.get("", "n1").and_then(|n| n.ready()), Some(Truth::True));
}

#[test]
fn an_event_printed_twice_is_one_with_all_that_was_said() {
    let event = |reason: &str, age: u32, first: Option<u32>, count: u32| {
        json!({
            "kind": "Event", "type": "Warning", "reason": reason, "message": "m", "count": count,
            "involvedObject": {"kind": "Pod", "namespace": "shop", "name": "web-1"},
            "ageSeconds": age, "firstAgeSeconds": first,
        })
    };
    // Of hours, an age is printed in its largest unit: 5h of 5h20m.
    for (listed, described) in [(120, 121), (18_000, 19_200)] {
        let now = told(&[
            event("BackOff", listed, None, 1),
            event("Killing", listed, None, 1),
            event("BackOff", described, Some(40_000), 36),
        ]);
        let told: Vec<_> = now.events.iter().map(|e| (e.reason.as_str(), e.count)).collect();
        assert_eq!(told.len(), 2, "{told:?}");
        let known = now.events.iter().find(|e| e.reason == "BackOff").expect("it");
        assert_eq!((known.count, known.first), (36, EventTime::SecondsAgo(40_000)));
    }
    let apart = told(&[event("BackOff", 60, None, 1), event("BackOff", 600, None, 1)]);
    assert_eq!(apart.events.len(), 2);
}

#[test]
fn a_time_and_an_age_of_one_thing_tell_when_it_was_printed() {
    let dated = json!({
        "kind": "Pod",
        "metadata": {"name": "web-0", "namespace": "shop", "creationTimestamp": "2026-01-01T08:00:00Z"},
    });
    let aged = json!({
        "kind": "Pod", "metadata": {"name": "web-0", "namespace": "shop", "ageSeconds": 600},
    });
    for now in both(&dated, &aged) {
        assert_eq!(now.now.to_string(), "2026-01-01T08:10:00Z");
    }
    // An event of an earlier pod of that name is older and tells nothing.
    let started = json!({
        "kind": "Pod", "metadata": {"name": "web-0", "namespace": "shop"},
        "status": {"startTime": "2026-01-01T08:00:00Z"},
    });
    let scheduled = |ago: u32| {
        json!({
            "kind": "Event", "metadata": {"name": "e", "namespace": "shop"}, "reason": "Scheduled",
            "message": format!("{ago}"), "ageSeconds": ago,
            "involvedObject": {"kind": "Pod", "name": "web-0", "namespace": "shop"},
        })
    };
    let now = told(&[started, scheduled(90), scheduled(7200)]);
    assert_eq!(now.now.to_string(), "2026-01-01T08:01:30Z");
}

#[test]
fn a_pod_whose_containers_are_being_made_has_its_node() {
    let row = |word: &str| {
        json!({
            "kind": "Pod", "metadata": {"name": "web-0", "namespace": "shop"},
            "status": {"phase": "Pending", "summary": {"status": word, "ready": 0, "containers": 1}},
        })
    };
    let waits = |word: &str| told(&[row(word)]).apps[0].pods[0].is_unscheduled();
    assert!(waits("Pending"));
    assert!(!waits("Init:0/1") && !waits("PodInitializing") && !waits("ContainerCreating"));
}

#[test]
fn nothing_was_so_before_the_pod_was_made() {
    let ready_since = |written: &str| {
        let pod = json!({
            "kind": "Pod",
            "metadata": {"name": "web-0", "creationTimestamp": "2026-01-01T00:10:00Z"},
            "status": {"conditions": [
                {"type": "Ready", "status": "False", "lastTransitionTime": written},
            ]},
        });
        let now = told(&[pod]);
        now.pods.iter().next().and_then(|p| p.ready?.since).map(|at| at.to_string())
    };
    for (written, understood) in [
        ("2026-01-01T00:02:00Z", "2026-01-01T00:10:00Z"),
        ("2026-01-01T00:12:00Z", "2026-01-01T00:12:00Z"),
    ] {
        assert_eq!(ready_since(written).as_deref(), Some(understood));
    }
}
