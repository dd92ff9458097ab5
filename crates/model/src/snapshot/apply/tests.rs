//! Steps from one moment to the next, one rule at a time. That the outcome is that of a fresh
//! look is tested with the engine, where all kinds are asked too.

use serde_json::json;

use super::super::{PartKey, listen};
use super::*;
use crate::record::EventTime;
use crate::{Builder, decode_value};

const NOW: i64 = 1_790_000_000;

fn object(kind: Kind, value: &serde_json::Value) -> Object {
    decode_value(kind, value, false).expect("well-shaped")
}

fn pod(name: &str, set: &str, node: &str) -> Object {
    object(
        Kind::Pod,
        &json!({
            "metadata": {"name": name, "namespace": "shop", "creationTimestamp": "2026-01-01T00:00:00Z",
                "labels": {"app": "web"},
                "ownerReferences": [{"kind": "ReplicaSet", "name": set, "controller": true}]},
            "spec": {"nodeName": node, "containers": [{"name": "c", "image": "web:1"}]},
        }),
    )
}

fn set(name: &str, owner: &str) -> Object {
    let value = json!({
        "metadata": {"name": name, "namespace": "shop", "creationTimestamp": "2026-01-01T00:00:00Z",
            "ownerReferences": [{"kind": "Deployment", "name": owner, "controller": true}]},
    });
    object(Kind::ReplicaSet, &value)
}

fn snapshot(objects: &[Object]) -> Snapshot {
    let mut builder = Builder::default();
    objects.iter().for_each(|o| builder.add(o.clone(), 0));
    Kind::ALL.iter().for_each(|k| builder.coverage.list(*k, None));
    builder.finish(Some(Timestamp::from_seconds(NOW)))
}

fn apps(now: &Snapshot) -> Vec<String> {
    let told = |a: &crate::App| {
        let pods: Vec<&str> = a.pods.iter().map(|p| p.meta.name.as_str()).collect();
        format!("{}/{} {} [{}]", a.object.kind.short(), a.object.name, a.sets.len(), pods.join(" "))
    };
    now.apps.iter().map(told).collect()
}

fn parts<R>(ask: impl FnOnce() -> R) -> Vec<PartKey> {
    listen(ask).1
}

#[test]
fn a_pod_follows_its_owners() {
    let mut now = snapshot(&[pod("a", "web-1", "n"), pod("b", "web-1", "n"), set("web-1", "web")]);
    assert_eq!(apps(&now), ["deploy/web 1 [a b]"]);
    for (change, want) in [
        (Change::Put(pod("b", "old-1", "n")), vec!["rs/old-1 0 [b]", "deploy/web 1 [a]"]),
        (Change::Put(set("old-1", "old")), vec!["deploy/old 1 [b]", "deploy/web 1 [a]"]),
        (
            Change::Gone(ObjectRef::new(Kind::Pod, "shop", "b")),
            vec!["deploy/old 1 []", "deploy/web 1 [a]"],
        ),
        (Change::Gone(ObjectRef::new(Kind::ReplicaSet, "shop", "old-1")), vec!["deploy/web 1 [a]"]),
        (Change::Gone(ObjectRef::new(Kind::ReplicaSet, "shop", "web-1")), vec!["rs/web-1 0 [a]"]),
    ] {
        now.apply([change.clone()], Timestamp::from_seconds(NOW));
        assert_eq!(apps(&now), want, "{change:?}");
    }
}

fn touches(touched: &Touched, parts: &[PartKey]) -> bool {
    parts.iter().any(|p| touched.parts.contains(p))
}

#[test]
fn only_what_is_other_than_before_is_touched() {
    let web = ObjectRef::new(Kind::Deployment, "shop", "web");
    let mut now = snapshot(&[pod("a", "web-1", "n"), set("web-1", "web"), set("db-1", "db")]);
    let at = Timestamp::from_seconds(NOW);
    let reads_web = parts(|| now.app(&web).is_some());
    let reads_db = parts(|| now.app(&ObjectRef::new(Kind::Deployment, "shop", "db")).is_some());
    let reads_node = parts(|| now.pods_on("m").count());

    assert_eq!(now.apply([Change::Put(pod("a", "web-1", "n"))], at), Touched::default());
    let moved = now.apply([Change::Put(pod("a", "web-1", "m"))], at);
    assert!(touches(&moved, &reads_web) && touches(&moved, &reads_node));
    assert!(!touches(&moved, &reads_db) && moved.moved.is_empty());
    assert_eq!(now.pods_on("m").count(), 1);
    assert_eq!(now.pods_on("n").count(), 0);
    let later = now.apply([], at.plus_seconds(1));
    assert!(touches(&later, &parts(|| *now.now)) && later.moved.is_empty());
    assert!([reads_web, reads_db, reads_node].iter().all(|reads| !touches(&later, reads)));
}

#[test]
fn neighbours_are_not_heard() {
    let mut now = snapshot(&[pod("a", "web-1", "n"), pod("b", "web-1", "m"), set("web-1", "web")]);
    let at = Timestamp::from_seconds(NOW);
    let on_node = parts(|| now.on_node("n").count());
    let said_here = parts(|| now.events_in(Kind::Pod, "shop").count());
    let said_there = parts(|| now.events_in(Kind::Pod, "bank").count());
    let b = ObjectRef::new(Kind::Pod, "shop", "b");
    let event = ClusterEvent {
        about: Some(b.clone()),
        warning: false,
        reason: "Pulled".into(),
        message: "it was pulled".into(),
        source: "kubelet".into(),
        count: 1,
        first: EventTime::Unknown,
        last: EventTime::At(at),
        document: 0,
    };
    let told = now.apply([Change::Put(Object::Event(event))], at);
    assert!(touches(&told, &said_here) && !touches(&told, &said_there));
    assert_eq!(now.events_in(Kind::Pod, "shop").count(), 1);
    assert!(!touches(&told, &on_node));
    let gone = now.apply([Change::Gone(b)], at);
    assert!(!touches(&gone, &on_node), "a pod of the same workload is on another node");
    let own = now.apply([Change::Gone(ObjectRef::new(Kind::Pod, "shop", "a"))], at);
    assert!(touches(&own, &on_node));
}

#[test]
fn what_an_answer_rests_on_is_heard_through_every_door() {
    let now = snapshot(&[pod("a", "web-1", "n"), set("web-1", "web")]);
    let web = ObjectRef::new(Kind::Deployment, "shop", "web");
    let own = parts(|| now.app(&web).is_some());
    for (door, heard) in [
        ("on a node", parts(|| now.apps_on("n"))),
        (
            "by labels",
            parts(|| {
                now.apps_selected("shop", &now.app(&web).unwrap().pod_labels().unwrap().clone())
            }),
        ),
    ] {
        assert!(own.iter().all(|p| heard.contains(p)), "{door}");
    }
    assert!(parts(|| now.apps.iter().count()) != own);
    let (inner, outer) = listen(|| parts(|| now.apps.len()));
    assert!(!inner.is_empty() && outer.is_empty(), "who listens inside is not overheard");
}

#[test]
fn time_goes_forward_and_what_has_come_rests_on_no_clock() {
    let mut now = snapshot(&[]);
    let at = Timestamp::from_seconds(NOW);
    assert!(parts(|| assert!(now.now.has_come(at))).is_empty());
    let [soon, later] = [1, 100].map(|s| parts(|| assert!(!now.now.has_come(at.plus_seconds(s)))));
    assert_eq!(now.apply([], at.minus_seconds(9)), Touched::default(), "it stands still");
    let tick = now.apply([], at.plus_seconds(1));
    assert!(touches(&tick, &soon) && !touches(&tick, &later), "only what has come is asked");
    assert!(now.now.has_come(at.plus_seconds(1)));
    assert!(touches(&now.apply([], at.plus_seconds(9_000)), &later), "after a long time all is");
}
