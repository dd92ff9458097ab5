//! Which workloads have pods refused, and whether that is still so. A refusal that was followed
//! by success is over: every cluster's first seconds are full of them.

use std::collections::BTreeMap;
use std::sync::Arc;

use model::record::{ClusterEvent, Known, Pod, Workload};
use model::{App, Condition, Evidence, Kind, ObjectRef, Snapshot, Timestamp, Truth};

use super::message::{self, Refusal};
use crate::evidence;

/// A workload some of whose pods were refused.
pub(crate) struct Refused<'s> {
    /// The workload.
    pub(crate) object: ObjectRef,
    /// Its record, when it is known.
    pub(crate) app: Option<&'s App>,
    /// Why, when the text was understood.
    pub(crate) refusal: Option<Refusal>,
    /// What was said.
    pub(crate) said: Vec<Evidence>,
    /// Since when.
    pub(crate) since: Option<Timestamp>,
    /// Whether it still goes on.
    pub(crate) standing: Standing,
}

/// Whether pods are still refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// Pods are missing now.
    Active,
    /// All pods are there, or were made since.
    Over,
    /// Nothing shows how it went on.
    Unknown,
}

/// All workloads some of whose pods were refused.
pub(crate) fn all(now: &Snapshot) -> Vec<Refused<'_>> {
    let mut events: BTreeMap<ObjectRef, Vec<&ClusterEvent>> = BTreeMap::new();
    let mut roots: BTreeMap<&ObjectRef, ObjectRef> = BTreeMap::new();
    for event in now.events_where(|e| e.reason == "FailedCreate") {
        let Some(about) = event.about.as_ref().filter(|o| makes_pods(o.kind)) else { continue };
        let root = roots.entry(about).or_insert_with(|| root(about, now));
        events.entry(root.clone()).or_default().push(event);
    }
    for app in now.apps_where(|a, _| failing_condition(a).is_some()) {
        events.entry(app.object.clone()).or_default();
    }
    events.into_iter().map(|(object, events)| refused(object, &events, now)).collect()
}

fn makes_pods(kind: Kind) -> bool {
    matches!(
        kind,
        Kind::ReplicaSet
            | Kind::StatefulSet
            | Kind::DaemonSet
            | Kind::Job
            | Kind::ReplicationController
            | Kind::Deployment
            | Kind::CronJob
    )
}

fn refused<'s>(object: ObjectRef, events: &[&ClusterEvent], now: &'s Snapshot) -> Refused<'s> {
    let app = now.app(&object);
    let key = |e: &&&ClusterEvent| (message::parse(&e.message).is_some(), e.last.resolve(now.now));
    let latest = events.iter().max_by_key(key).copied();
    let condition = app.and_then(failing_condition);
    let from_condition = condition.map(|(_, c)| c.message()).filter(|m| !m.is_empty());
    let text = latest.map(|e| e.message.as_str()).or(from_condition).unwrap_or_default();
    let standing = match (app, condition) {
        (_, Some((_, c))) if c.status == Truth::True => Standing::Active,
        (Some(app), _) => standing(app, latest, now),
        (None, _) => without_record(&object, latest, now),
    };
    let said = latest.and_then(|e| evidence::event(e, now));
    let fact = condition.map(|(w, c)| evidence::condition(w.meta.source, &w.object(), c));
    let first = events.iter().filter_map(|e| evidence::first_time(e, now)).min();
    Refused {
        app,
        refusal: message::parse(text),
        said: said.into_iter().chain(fact).collect(),
        since: first.or(condition.and_then(|(_, c)| c.since)).filter(|_| now.has_time),
        standing,
        object,
    }
}

/// The condition that says that pods cannot be made, on the workload or on its sets.
fn failing_condition(app: &App) -> Option<(&Arc<Workload>, &Condition)> {
    let all = app.workload.iter().chain(&app.sets);
    let of = all.filter_map(|w| w.condition("ReplicaFailure").map(|c| (w, c)));
    of.filter(|(_, c)| c.status == Truth::True).max_by_key(|(_, c)| !c.message().is_empty())
}

/// Whether a record's figures are those of the cluster.
fn counted(w: &Workload) -> bool {
    w.meta.known.has(Known::STATUS) && w.meta.known.has(Known::REPLICAS)
}

fn standing(app: &App, event: Option<&ClusterEvent>, now: &Snapshot) -> Standing {
    // The very set that was refused its pods says best whether it has them now.
    let about = event.and_then(|e| e.about.as_ref());
    let own = app.sets.iter().chain(&app.workload).find(|w| Some(&w.object()) == about);
    if let Some(set) = own.filter(|s| counted(s) && s.kind != Kind::Job)
        && let Some(wanted) = set.replicas
    {
        return if set.counts.current < wanted { Standing::Active } else { Standing::Over };
    }
    if let Some(at) = event.and_then(|e| evidence::last_time(e, now))
        && app.running().any(|p| made(p, now).is_some_and(|m| m >= at))
    {
        return Standing::Over;
    }
    let shown = !app.pods.is_empty() || now.coverage.lists(Kind::Pod, &app.object.namespace);
    let there = app.running().count() as i64;
    match app.wanted() {
        Some(wanted) if shown && there < wanted => Standing::Active,
        Some(_) if shown => Standing::Over,
        _ if there > 0 => Standing::Over,
        _ => followed(event, now),
    }
}

/// When a pod was made, also where only its age is known.
fn made(pod: &Pod, now: &Snapshot) -> Option<Timestamp> {
    let by_age = || pod.meta.age_seconds.map(|age| now.now.minus_seconds(i64::from(age)));
    pod.meta.created.or_else(by_age)
}

/// Only events are known: was a pod made afterwards?
fn followed(event: Option<&ClusterEvent>, now: &Snapshot) -> Standing {
    let Some((event, about)) = event.and_then(|e| Some((e, e.about.as_ref()?))) else {
        return Standing::Unknown;
    };
    let later = |e: &&ClusterEvent| {
        e.reason == "SuccessfulCreate" && e.last.resolve(now.now) >= event.last.resolve(now.now)
    };
    let success = now.events_about(about).iter().any(|e| later(&e));
    if success { Standing::Over } else { Standing::Unknown }
}

/// The workload itself was not shown, but pods of its name may be.
fn without_record(object: &ObjectRef, event: Option<&ClusterEvent>, now: &Snapshot) -> Standing {
    let named = |a: &&App| {
        let rest = a.object.name.strip_prefix(object.name.as_str());
        a.object.kind == Kind::Pod && rest.is_some_and(|r| r.starts_with('-'))
    };
    let there = now.apps_in(&object.namespace).iter().any(|a| named(&a) && a.running().count() > 0);
    if there { Standing::Over } else { followed(event, now) }
}

/// The object a person would edit, for a set that an event is about.
fn root(about: &ObjectRef, now: &Snapshot) -> ObjectRef {
    let here = now.apps_in(&about.namespace);
    let has = |a: &&App| a.object == *about || a.sets.iter().any(|s| s.object() == *about);
    if let Some(app) = here.iter().find(has) {
        return app.object.clone();
    }
    let above = match about.kind {
        Kind::ReplicaSet => Kind::Deployment,
        Kind::Job => Kind::CronJob,
        _ => return about.clone(),
    };
    let Some((parent, end)) = about.name.rsplit_once('-') else { return about.clone() };
    let known = here.iter().any(|a| a.object.kind == above && a.object.name == parent);
    let hash = (8..=10).contains(&end.len())
        && end.bytes().all(|c| b"bcdfghjklmnpqrstvwxz0123456789".contains(&c));
    let by_form = above == Kind::Deployment && hash;
    if known || by_form { ObjectRef::new(above, &about.namespace, parent) } else { about.clone() }
}
