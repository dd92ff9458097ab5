//! What the kubelet complains about, and whether it still matters.

use model::record::{ClusterEvent, ContainerState, EventTime, Pod, Probe};
use model::{App, Snapshot, Timestamp};

use super::message::{Says, Which, read};
use crate::evidence;
use crate::wording::{self, says};

/// One probe of one pod, failing.
#[derive(Clone, Copy)]
pub(super) struct Complaint<'s> {
    pub(super) which: Which,
    pub(super) says: Says,
    pub(super) port: Option<u16>,
    pub(super) event: &'s ClusterEvent,
    pub(super) pod: &'s Pod,
}

/// Whether a complaint still matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// Its pod suffers now.
    Fails,
    /// Its pod is ready now, but the probe keeps failing in between.
    Flaps,
    /// It is over.
    Over,
}

/// Complaints about the pods of a workload, in the order of their pods.
pub(super) fn of<'s>(app: &'s App, now: &'s Snapshot) -> Vec<Complaint<'s>> {
    let mut found = Vec::new();
    for pod in app.running() {
        for event in now.pod_events(pod) {
            if event.reason != "Unhealthy" {
                continue;
            }
            if let Some((which, says, port)) = read(&event.message) {
                found.push(Complaint { which, says, port, event, pod });
            }
        }
    }
    found
}

/// The container that was killed for failing a liveness or startup probe.
pub(super) fn killed<'s>(pod: &Pod, now: &'s Snapshot) -> Option<(&'s ClusterEvent, &'s str)> {
    let events = now.pod_events(pod).iter().rev();
    let mut kills = events.filter(|e| e.reason == "Killing" || e.reason == "Unhealthy");
    kills.find_map(|e| {
        let container = wording::between(&e.message, "ontainer ", " failed")?;
        let probe = says(&e.message, &["failed liveness probe", "failed startup probe"]);
        probe.then_some((e, container.trim_matches(['"', '\''])))
    })
}

/// How long failing probes of a restarted container can be apart, in seconds: the longest
/// pause before a restart, and what the probe itself takes.
fn cycle_seconds(probe: Option<&Probe>) -> i64 {
    300 + 30 + i64::from(probe.map_or(60, budget_seconds)) + 60
}

/// Time a container has until a probe that never succeeds has counted as failed.
pub(super) fn budget_seconds(probe: &Probe) -> u32 {
    let period = probe.period_seconds.unwrap_or(10).max(1);
    let threshold = probe.failure_threshold.unwrap_or(3).max(1);
    let delay = probe.initial_delay_seconds.unwrap_or(0);
    delay.saturating_add(period.saturating_mul(threshold))
}

/// Whether the containers of a pod end for another reason than a probe: too soon for it, or
/// for lack of memory.
pub(super) fn ended_by_itself(pod: &Pod, probe: Option<&Probe>, now: &Snapshot) -> bool {
    if killed(pod, now).is_some() {
        return false;
    }
    let soonest = probe.map_or(0, |p| {
        let period = p.period_seconds.unwrap_or(10).max(1);
        i64::from(budget_seconds(p).saturating_sub(period)) - 2
    });
    pod.containers.iter().filter_map(|c| c.ended()).any(|end| {
        let life = end.finished_at.zip(end.started_at).map(|(f, s)| f.since(s));
        end.reason == "OOMKilled" || life.is_some_and(|l| l < soonest)
    })
}

/// Whether the restarted container has run for longer than a failing probe lets it, with no
/// new complaint.
fn passes_now(c: &Complaint<'_>, probe: Option<&Probe>, now: &Snapshot) -> bool {
    let since = running_since(c.pod);
    let (Some(since), Some(last)) = (since, evidence::last_time(c.event, now)) else {
        return false;
    };
    last <= since && outlived(since, probe, now)
}

/// When the container that started last did so.
fn running_since(pod: &Pod) -> Option<Timestamp> {
    let times = pod.containers.iter().filter_map(|s| match &s.state {
        ContainerState::Running(since) => *since,
        _ => None,
    });
    times.max()
}

/// Whether a container that runs since then has outlived a probe that would always fail.
fn outlived(since: Timestamp, probe: Option<&Probe>, now: &Snapshot) -> bool {
    !now.now.is_within(since, i64::from(probe.map_or(60, budget_seconds)) + 45)
}

/// Whether a restarted pod may be restarted again by this probe: it waits, or has run for less
/// than the probe lets it.
pub(super) fn may_be_in_a_loop(pod: &Pod, probe: &Probe, now: &Snapshot) -> bool {
    let row = pod.summary.as_ref().and_then(|s| s.last_restart_age_seconds);
    match (running_since(pod), row) {
        (Some(since), _) => !outlived(since, Some(probe), now),
        (None, Some(age)) => i64::from(age) <= i64::from(budget_seconds(probe)) + 45,
        (None, None) => pod.is_ready() != Some(true),
    }
}

/// Whether a complaint still matters. Nearly every pod fails a probe in its first seconds.
pub(super) fn standing(c: &Complaint<'_>, probe: Option<&Probe>, now: &Snapshot) -> Standing {
    let last = match c.event.last {
        EventTime::Unknown => None,
        _ => evidence::last_time(c.event, now),
    };
    let within = |seconds: i64| last.is_none_or(|t| now.now.is_within(t, seconds));
    let ready = c.pod.is_ready();
    if c.which.restarts() {
        let by_itself = ended_by_itself(c.pod, probe, now);
        let fails = match (c.pod.restarts() > 0 || killed(c.pod, now).is_some(), ready) {
            (true, _) => within(cycle_seconds(probe)) && !by_itself && !passes_now(c, probe, now),
            (false, Some(true)) => false,
            (false, _) => within(120),
        };
        return if fails { Standing::Fails } else { flapping(c, now) };
    }
    match ready {
        Some(true) => flapping(c, now),
        Some(false) if within(900) || unready_since(c, now) => Standing::Fails,
        None if within(120) => Standing::Fails,
        _ => Standing::Over,
    }
}

/// Whether its pod left service before the last complaint, and nothing has changed since: the
/// kubelet repeats itself more and more rarely.
fn unready_since(c: &Complaint<'_>, now: &Snapshot) -> bool {
    let since = c.pod.ready.and_then(|ready| ready.since);
    let before = since.zip(evidence::last_time(c.event, now)).is_some_and(|(s, last)| s <= last);
    before && c.pod.restarts() == 0 && running_since(c.pod).is_some()
}

/// Whether a pod is younger than this; not when its age is unknown.
pub(super) fn is_young(pod: &Pod, now: &Snapshot, seconds: i64) -> bool {
    match (pod.meta.age_seconds, pod.started.or(pod.meta.created)) {
        (Some(age), _) => i64::from(age) < seconds,
        (None, Some(at)) => now.has_time && now.now.is_within(at, seconds - 1),
        (None, None) => false,
    }
}

/// A ready pod whose probe has failed many times over a long time, and just now.
fn flapping(c: &Complaint<'_>, now: &Snapshot) -> Standing {
    let (Some(first), Some(last)) =
        (evidence::first_time(c.event, now), evidence::last_time(c.event, now))
    else {
        return Standing::Over;
    };
    let often = c.event.count >= 5 && last.since(first) >= 300 && now.now.is_within(last, 120);
    if often && c.pod.is_ready() == Some(true) { Standing::Flaps } else { Standing::Over }
}
