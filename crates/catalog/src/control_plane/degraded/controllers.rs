//! What the controller manager should have done and did not: workloads that want pods, have
//! none, and of which nobody has said why.

use model::record::{Known, Workload};
use model::{App, Certainty, Evidence, Finding, Impact, Kind, ObjectRef, Snapshot, Timestamp};

use super::{KIND, everybody};
use crate::evidence;

/// A controller that is well acts within seconds; this is generous.
const IDLE_SECONDS: i64 = 60;

/// A workload that no controller has touched.
pub(super) struct Idle<'s> {
    app: &'s App,
    fact: Evidence,
    since: Option<Timestamp>,
}

/// Workloads that no controller has touched, unless a controller was seen at work since.
pub(super) fn untouched(now: &Snapshot) -> Vec<Idle<'_>> {
    let all = now.apps_where(|a, now| of(a, now).is_some()).into_iter();
    let all: Vec<Idle<'_>> = all.filter_map(|a| of(a, now)).collect();
    let first = all.iter().filter_map(|i| i.since).min();
    if first.is_some_and(|first| has_worked_since(first, now)) { Vec::new() } else { all }
}

fn of<'s>(app: &'s App, now: &'s Snapshot) -> Option<Idle<'s>> {
    let namespace = app.object.namespace.as_str();
    let own = app.workload.as_deref().filter(|w| idles(w, now))?;
    let (fact, since) = match own.kind {
        Kind::Deployment => {
            let listed = now.coverage.lists(Kind::ReplicaSet, namespace);
            if app.sets.is_empty() {
                let bare = listed && own.counts == Default::default() && app.pods.is_empty();
                bare.then(|| fact(own, "no ReplicaSet was made for it", now))?
            } else {
                let set = app.sets.iter().find(|s| has_no_pods(s, app, now))?;
                fact(set, "no pod was made for it and nobody said why", now)
            }
        }
        Kind::ReplicaSet | Kind::StatefulSet | Kind::Job | Kind::ReplicationController => {
            has_no_pods(own, app, now)
                .then(|| fact(own, "no pod was made for it and nobody said why", now))?
        }
        _ => return None,
    };
    Some(Idle { app, fact, since })
}

/// Whether a workload wants pods, is old enough, and nobody has said anything of it.
fn idles(w: &Workload, now: &Snapshot) -> bool {
    let object = w.object();
    let told = !now.events_about(&object).is_empty() || !w.conditions.is_empty();
    let shown = w.meta.shows(Known::EVENTS) || now.coverage.lists(Kind::Event, &w.meta.namespace);
    let old = created(w, now).is_some_and(|c| now.now.has_come(c.plus_seconds(IDLE_SECONDS)));
    w.meta.shows(Known::REPLICAS) && w.replicas > Some(0) && !w.paused && shown && !told && old
}

fn has_no_pods(w: &Workload, app: &App, now: &Snapshot) -> bool {
    let listed = now.coverage.lists(Kind::Pod, &w.meta.namespace);
    listed
        && idles(w, now)
        && w.counts.current == 0
        && app.pods.is_empty()
        && w.job.as_ref().is_none_or(|j| j.succeeded == 0 && j.failed == 0)
}

fn created(w: &Workload, now: &Snapshot) -> Option<Timestamp> {
    let by_age = || w.meta.age_seconds.map(|age| now.now.minus_seconds(i64::from(age)));
    w.meta.created.or_else(by_age)
}

fn age(w: &Workload, now: &Snapshot) -> Option<i64> {
    created(w, now).map(|c| now.now.since(c))
}

fn fact(w: &Workload, what: &str, now: &Snapshot) -> (Evidence, Option<Timestamp>) {
    let age = age(w, now).map(model::duration_text).unwrap_or_default();
    let value = format!("{what}, for {age}");
    (evidence::field(w.meta.source, &w.object(), "status.replicas", value), created(w, now))
}

/// Whether a controller did something well after `first`.
fn has_worked_since(first: Timestamp, now: &Snapshot) -> bool {
    const DONE: [&str; 4] =
        ["SuccessfulCreate", "SuccessfulDelete", "ScalingReplicaSet", "FailedCreate"];
    let done = now.events_where(|e| DONE.contains(&e.reason.as_str()));
    done.into_iter()
        .any(|e| evidence::last_time(e, now).is_some_and(|t| t.since(first) > IDLE_SECONDS))
}

/// Adds those who wait for it to a finding about the controller manager.
pub(super) fn add(mut found: Finding, idle: &[Idle<'_>]) -> Finding {
    for i in idle {
        let lost = i.app.lost_replicas().max(1);
        found = found.evidence([i.fact.clone()]).affects(i.app.object.clone(), "has no pods");
        found.impact = found.impact.plus(Impact { replicas: lost, ..Impact::default() });
    }
    found
}

/// Nobody looked at the controller manager, but nothing is done any more.
pub(super) fn missed(idle: &[Idle<'_>]) -> Finding {
    let names: Vec<&str> = idle.iter().take(3).map(|i| i.app.object.name.as_str()).collect();
    let headline = format!(
        "kube-controller-manager seems to be down: no pods are made ({})",
        names.join(", ")
    );
    let object = ObjectRef::component("kube-controller-manager");
    let found = Finding::new(KIND.id, "controller-manager-down", object, headline)
        .field("process", "not seen", "running")
        .since(idle.iter().filter_map(|i| i.since).min())
        .unsure(
            Certainty::Likely,
            &[],
            "kubectl get lease kube-controller-manager -n kube-system -o yaml",
        )
        .affects(everybody(), "nothing is made or replaced");
    add(found, idle)
}
