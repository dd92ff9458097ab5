//! The situation as of an earlier moment: what is known, restored, dropped and not known.

use serde_json::{Value, json};

use crate::record::{ContainerState, Phase};
use crate::{Builder, Kind, Snapshot, Timestamp, Truth, decode_value};

fn at(clock: &str) -> Timestamp {
    format!("2026-01-01T{clock}:00Z").parse().expect("a time")
}

fn time(clock: &str) -> String {
    at(clock).to_string()
}

/// The snapshot of these objects, made at 10:00, as of another time, and what it does not know.
fn as_of(clock: &str, values: &[Value]) -> (Snapshot, Vec<String>) {
    let mut builder = Builder::default();
    for value in values {
        let kind = value["kind"].as_str().and_then(Kind::from_name).expect("a kind");
        builder.add(decode_value(kind, value, false).expect("well-shaped"), 0);
    }
    builder.coverage.list(Kind::Pod, None);
    let blind = builder.rewind(at("10:00"), at(clock));
    let blind = blind.into_iter().map(|b| format!("{}: {}", b.what, b.why)).collect();
    (builder.finish(None), blind)
}

fn pod(created: &str, status: Value) -> Value {
    json!({
        "kind": "Pod",
        "metadata": {"name": "web", "namespace": "shop", "creationTimestamp": time(created)},
        "spec": {"nodeName": "n1", "containers": [{"name": "c", "image": "i"}]},
        "status": status,
    })
}

fn event(reason: &str, about: &str, name: &str, first: &str, last: &str, count: u32) -> Value {
    json!({
        "kind": "Event", "type": "Warning", "reason": reason, "message": "restarting failed container",
        "metadata": {"name": "e", "namespace": "shop"}, "count": count,
        "involvedObject": {"kind": about, "namespace": "shop", "name": name},
        "firstTimestamp": time(first), "lastTimestamp": time(last),
    })
}

fn only_pod(now: &Snapshot) -> &crate::record::Pod {
    &now.apps.get(0).expect("it").pods[0]
}

#[test]
fn what_was_made_later_is_not_there_and_nothing_is_proved_absent() {
    let (now, blind) = as_of("09:00", &[pod("09:30", json!({"phase": "Running"}))]);
    assert!(now.apps.is_empty());
    assert_eq!(now.now, at("09:00"));
    assert!(!now.is_missing(Kind::Pod, "shop", "web"));
    assert!(blind.last().is_some_and(|b| b.contains("deleted or edited")), "{blind:?}");
}

#[test]
fn a_container_is_in_the_run_of_that_time() {
    let status = |started: &str| {
        json!({
            "phase": "Running", "startTime": time("08:00"),
            "conditions": [{"type": "Ready", "status": "True", "lastTransitionTime": time(started)}],
            "containerStatuses": [{
                "name": "c", "ready": true, "restartCount": 3,
                "state": {"running": {"startedAt": time(started)}},
                "lastState": {"terminated": {
                    "exitCode": 137, "reason": "OOMKilled", "startedAt": time("08:30"),
                    "finishedAt": time("09:00"),
                }},
            }],
        })
    };
    let state = |clock: &str| {
        let (now, blind) = as_of(clock, &[pod("08:00", status("09:20"))]);
        let pod = only_pod(&now).clone();
        let text = match pod.containers.first().map(|c| &c.state) {
            Some(ContainerState::Running(_)) => "running",
            Some(ContainerState::Terminated(end)) if end.exit_code == 137 => "ended",
            Some(_) => "unknown",
            None => "not told",
        };
        (text, pod.restarts(), pod.is_ready(), blind.len())
    };
    assert_eq!(state("09:30"), ("running", 3, Some(true), 1));
    assert_eq!(state("09:10"), ("ended", 2, Some(false), 1));
    assert_eq!(state("08:45").2, None, "of one that ran nobody knows whether it was ready");
    assert_eq!(state("08:10").2, None, "an earlier run is not told of");
    assert_eq!(state("08:10").3, 3, "and that is said");
}

#[test]
fn a_pod_that_got_its_node_later_waits_for_one() {
    let status = json!({"phase": "Running", "startTime": time("09:20"), "conditions": []});
    let objects = [pod("08:00", status), event("Scheduled", "Pod", "web", "09:20", "09:20", 1)];
    let (now, _) = as_of("09:00", &objects);
    let pod = only_pod(&now);
    assert_eq!((pod.phase, pod.node.as_str()), (Phase::Pending, ""));
    assert!(pod.is_unscheduled() && now.events.is_empty());
}

#[test]
fn a_node_is_what_its_events_say_it_was_and_else_unknown() {
    let node = |name: &str| {
        json!({
            "kind": "Node", "metadata": {"name": name, "creationTimestamp": time("01:00")},
            "spec": {"unschedulable": true, "taints": [{
                "key": "node.kubernetes.io/unschedulable", "effect": "NoSchedule",
                "timeAdded": time("09:30")}]},
            "status": {"conditions": [
                {"type": "Ready", "status": "True", "lastTransitionTime": time("09:40")},
                {"type": "DiskPressure", "status": "False", "lastTransitionTime": time("01:00")}]},
        })
    };
    let down = event("NodeNotReady", "Node", "a", "08:30", "08:30", 1);
    let (now, blind) = as_of("09:00", &[node("a"), node("b"), down]);
    let ready = |name: &str| now.nodes.get("", name).and_then(|n| n.ready());
    assert_eq!(ready("a"), Some(Truth::False));
    assert_eq!(ready("b"), None);
    assert!(now.nodes.iter().all(|n| !n.is_cordoned() && n.condition("DiskPressure").is_some()));
    assert!(blind.iter().any(|b| b.contains("Ready of b")), "{blind:?}");
}

#[test]
fn a_pod_that_is_gone_was_there_when_it_was_spoken_of_before_and_after() {
    let both = event("BackOff", "Pod", "old-1", "08:00", "09:30", 10);
    let once = event("BackOff", "Pod", "old-2", "08:00", "08:10", 2);
    let (now, blind) = as_of("09:00", &[both, once]);
    let pods: Vec<_> = now.apps.iter().flat_map(|a| &a.pods).map(|p| &*p.meta.name).collect();
    assert!(pods.contains(&"old-1"), "{pods:?}");
    let known = now.events.iter().find(|e| e.count == 7).expect("counted evenly");
    assert_eq!(known.last.resolve(now.now), Some(at("09:00")));
    assert!(blind.iter().any(|b| b.contains("evenly")), "{blind:?}");
}
