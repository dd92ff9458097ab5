//! A pod as it was at a moment, from the times that its status holds.

use std::sync::Arc;

use super::Unknown;
use super::events::Words;
use crate::record::{ContainerState, ContainerStatus, Known, Phase, Pod, Ready, Terminated};
use crate::{Kind, Text, Timestamp, Truth};

const RUN_BEFORE: &str = "it has run since, and only the last two runs of a container are kept";

/// The newest time in a pod's status.
pub(super) fn last_change(pod: &Pod, now: Timestamp) -> Option<Timestamp> {
    let of = |c: &ContainerStatus| {
        let state = match &c.state {
            ContainerState::Running(since) => *since,
            ContainerState::Terminated(end) => end.finished_at,
            _ => None,
        };
        state.max(c.last.as_ref().and_then(|l| l.finished_at))
    };
    let containers = pod.all_containers().filter_map(of).max();
    let conditions = pod.conditions.iter().filter_map(|c| c.since).max();
    let own = super::created(&pod.meta, now).max(pod.started).max(pod.meta.deleting);
    own.max(pod.ready.and_then(|r| r.since)).max(containers).max(conditions)
}

/// Takes a pod that was there at the moment back to it.
pub(super) fn rewind(pod: &mut Arc<Pod>, at: Timestamp, words: &Words, unknown: &mut Unknown) {
    let object = pod.meta.object(Kind::Pod);
    if pod.summary.is_some() {
        // The row of a table says how it is now, and not since when.
        let pod = Arc::make_mut(pod);
        pod.summary = None;
        let hidden = |known: Known| known.without(Known::SUMMARY).without(Known::STATUS);
        (pod.meta.known, pod.meta.live) = (hidden(pod.meta.known), hidden(pod.meta.live));
        if pod.containers.is_empty() && pod.ready.is_none() {
            let why = "a table says how they are, not since when";
            unknown.note("how pods were", why, &object);
            pod.phase = Phase::Unknown;
            return;
        }
    }
    if last_change(pod, at).is_none_or(|t| t <= at) {
        return;
    }
    let pod = Arc::make_mut(pod);
    if pod.meta.deleting.is_some_and(|t| t > at) {
        pod.meta.deleting = None;
    }
    let placed_later = words.first(&object, &["Scheduled"]).is_some_and(|t| t > at);
    let started_later = pod.started.is_some_and(|t| t > at);
    if started_later {
        pod.phase = Phase::Pending;
        (pod.why, pod.started, pod.ready) = (None, None, None);
        (pod.containers, pod.init_containers) = Default::default();
        if placed_later || words.first(&object, &["Scheduled"]).is_none() {
            pod.node = Text::default();
        }
        pod.conditions = super::conditions::until(&pod.conditions, at);
        return;
    }
    if matches!(pod.phase, Phase::Succeeded | Phase::Failed) && ended_later(pod, at, words) {
        (pod.phase, pod.why) = (Phase::Running, None);
    }
    let mut known = true;
    let mut take = |c: &ContainerStatus| {
        container(c, at).unwrap_or_else(|| {
            known = false;
            ContainerStatus { name: c.name.clone(), ..ContainerStatus::default() }
        })
    };
    pod.init_containers = pod.init_containers.iter().map(&mut take).collect();
    pod.containers = pod.containers.iter().map(&mut take).collect();
    if !known {
        unknown.note("how containers ran", RUN_BEFORE, &object);
    }
    pod.conditions = super::conditions::until(&pod.conditions, at);
    if pod.ready.is_some_and(|r| r.since.is_some_and(|t| t > at)) {
        let down = pod
            .containers
            .iter()
            .any(|c| matches!(c.state, ContainerState::Terminated(_) | ContainerState::Waiting(_)));
        // A container that does not run is not ready; of one that runs nobody knows.
        pod.ready = down.then_some(Ready { status: Truth::False, since: None });
        if !down {
            pod.meta.known = pod.meta.known.without(Known::CONDITIONS);
            pod.meta.live = pod.meta.live.without(Known::CONDITIONS);
            pod.containers = Default::default();
            let why = "it changed later, and only the last change is kept";
            unknown.note("whether pods were ready", why, &object);
        }
    }
}

/// Whether a pod that has ended was still running.
fn ended_later(pod: &Pod, at: Timestamp, words: &Words) -> bool {
    let ends = pod.containers.iter().filter_map(|c| match &c.state {
        ContainerState::Terminated(end) => end.finished_at,
        _ => None,
    });
    let told = words.first(&pod.meta.object(Kind::Pod), &["Evicted", "Preempted"]);
    let last = ends.max().max(told).max(pod.ready.and_then(|r| r.since));
    last.is_some_and(|t| t > at)
}

/// A container as it was; `None` when that run is no longer told of.
fn container(c: &ContainerStatus, at: Timestamp) -> Option<ContainerStatus> {
    let last = c.last.as_deref();
    let mut was = c.clone();
    match &c.state {
        ContainerState::Running(Some(since)) if *since > at => {
            if c.restarts == 0 && last.is_none() {
                was.ready = false;
                was.state =
                    ContainerState::Waiting(Box::new(("ContainerCreating".into(), "".into())));
                return Some(was);
            }
            return before_last(&mut was, last?, at).then_some(was);
        }
        ContainerState::Terminated(end) if end.finished_at.is_some_and(|t| t > at) => {
            if end.started_at.is_some_and(|t| t <= at) {
                was.state = ContainerState::Running(end.started_at);
                return Some(was);
            }
            return before_last(&mut was, last?, at).then_some(was);
        }
        ContainerState::Waiting(_) => {
            let Some(last) = last.filter(|l| l.finished_at.is_some_and(|t| t > at)) else {
                return Some(was);
            };
            if last.started_at.is_none_or(|t| t > at) {
                return None;
            }
            was.state = ContainerState::Running(last.started_at);
            was.last = None;
            return Some(was);
        }
        _ => {}
    }
    Some(was)
}

/// The run before the present one, or the pause after it; `false` when it began later too.
fn before_last(was: &mut ContainerStatus, last: &Terminated, at: Timestamp) -> bool {
    was.restarts = was.restarts.saturating_sub(1);
    was.ready = false;
    was.last = None;
    match (last.started_at, last.finished_at) {
        (_, Some(finished)) if finished <= at => {
            was.state = ContainerState::Terminated(Box::new(last.clone()));
            true
        }
        (Some(started), _) if started <= at => {
            was.state = ContainerState::Running(Some(started));
            true
        }
        _ => false,
    }
}
