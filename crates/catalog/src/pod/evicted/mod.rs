//! Pods that were taken off their node by its kubelet: what was said, when, and whether their
//! workload is whole again. Shared by the kinds about evictions.

use model::record::{ClusterEvent, Pod};
use model::{App, Evidence, Kind, Snapshot, State, Timestamp};

use crate::evidence;

/// An evicted pod.
pub(super) struct Evicted<'s> {
    pub(super) pod: &'s Pod,
    pub(super) text: &'s str,
    pub(super) fact: Evidence,
    /// When, also where only ages are known: to be compared, not to be shown.
    pub(super) at: Option<Timestamp>,
}

/// How long an eviction counts, in seconds, when its workload is whole again.
const RECENT_SECONDS: i64 = 3600;

/// Evicted pods of a workload about which this kind of thing was said.
pub(super) fn of<'s>(app: &'s App, now: &'s Snapshot, is: fn(&str) -> bool) -> Vec<Evicted<'s>> {
    let finished = app.pods.iter().filter(|p| p.is_finished());
    finished.filter_map(|p| evicted(p, now, is)).collect()
}

fn evicted<'s>(pod: &'s Pod, now: &'s Snapshot, is: fn(&str) -> bool) -> Option<Evicted<'s>> {
    let object = pod.meta.object(Kind::Pod);
    let told = |e: &&ClusterEvent| e.reason == "Evicted" && is(&e.message);
    if let Some(event) = now.events_about(&object).iter().rfind(told) {
        let at = evidence::last_time(event, now);
        let fact = evidence::event(event, now)?;
        return Some(Evicted { pod, text: &event.message, fact, at });
    }
    let (reason, text) = pod.why.as_deref()?;
    let fits = reason == "Evicted" && is(text);
    let fact = evidence::field(pod.meta.source, &object, "status.message", text.as_str());
    let at = pod.ready.and_then(|r| r.since).or(pod.started);
    fits.then_some(Evicted { pod, text, fact: Evidence { at, ..fact }, at })
}

/// When the last of them was evicted.
pub(super) fn last(evicted: &[Evicted<'_>]) -> Option<Timestamp> {
    evicted.iter().filter_map(|e| e.at).max()
}

/// Whether it matters now: the workload lacks replicas, or it happened within the hour. `None`
/// when it is over.
pub(super) fn state(app: &App, evicted: &[Evicted<'_>], now: &Snapshot) -> Option<State> {
    let recent = last(evicted).is_some_and(|at| now.now.since(at) <= RECENT_SECONDS);
    match (app.lost_replicas(), recent) {
        (0, false) => None,
        (0, true) if evicted.len() == 1 => Some(State::Recovering),
        _ => Some(State::Active),
    }
}
