//! Containers that end again and again, told apart from those that did so long ago.

use model::record::{ContainerState, ContainerStatus, Pod, Terminated};
use model::{App, Kind, Snapshot, State};

/// A container that ended lately.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ended<'s> {
    pub(super) pod: &'s Pod,
    /// Its name; empty when only the row of a table is known.
    pub(super) container: &'s str,
    /// How it ended, where that was shown.
    pub(super) end: Option<&'s Terminated>,
    /// The word for its state, e.g. `CrashLoopBackOff`.
    pub(super) word: &'s str,
    /// Message of the waiting container.
    pub(super) message: &'s str,
    pub(super) restarts: u32,
    pub(super) state: State,
}

/// Words for containers that do not get going.
const WORDS: [&str; 9] = [
    "CrashLoopBackOff",
    "RunContainerError",
    "StartError",
    "ContainerCannotRun",
    "CreateContainerError",
    "PostStartHookError",
    "OOMKilled",
    "Error",
    "Completed",
];

/// How long ago a restart may be and still be part of a loop, in seconds: the kubelet never
/// waits longer than five minutes between two attempts.
const RECENT_SECONDS: i64 = 600;

/// A container that has run for at least this long, and longer than before, got going.
const SETTLED_SECONDS: i64 = 60;

/// How far back a regular rhythm of ends is looked at, in seconds.
const RHYTHM_SECONDS: i64 = 86_400;

/// Containers of the workload's pods that ended lately, and how many ended long ago and run
/// well since.
pub(super) fn of<'s>(app: &'s App, now: &Snapshot) -> (Vec<Ended<'s>>, usize) {
    let mut old = 0;
    let mut found = Vec::new();
    for pod in app.running() {
        if pod.all_containers().next().is_none() {
            found.extend(from_row(pod));
            continue;
        }
        let init = pod.init_containers.iter().map(|c| (c, true));
        for (container, is_init) in init.chain(pod.containers.iter().map(|c| (c, false))) {
            match of_container(app, pod, container, is_init, now) {
                Some(ended) => found.push(ended),
                None if !is_init && container.last.is_some() => old += 1,
                None => {}
            }
        }
    }
    (found, old)
}

fn of_container<'s>(
    app: &App,
    pod: &'s Pod,
    c: &'s ContainerStatus,
    is_init: bool,
    now: &Snapshot,
) -> Option<Ended<'s>> {
    let ended = |word, state| Ended {
        pod,
        container: &c.name,
        end: c.ended(),
        word,
        message: c.waiting_message(),
        restarts: c.restarts,
        state,
    };
    match &c.state {
        ContainerState::Waiting(why) => {
            WORDS.contains(&why.0.as_str()).then(|| ended(&why.0, State::Active))
        }
        ContainerState::Terminated(end) => {
            let policy = pod.spec.restart_policy.as_str();
            let is_job = matches!(app.object.kind, Kind::Job | Kind::CronJob);
            let must_run = !is_init && matches!(policy, "" | "Always") && !is_job;
            // An owner that keeps pods running allows no other policy.
            let must_run = must_run && (policy == "Always" || app.object.kind != Kind::Pod);
            let failed = end.exit_code != 0 && !(is_job && policy == "Never");
            (failed || must_run).then(|| ended(&end.reason, State::Active))
        }
        ContainerState::Running(since) => {
            let end = c.last.as_deref().filter(|_| c.restarts > 0)?;
            let state = since_restart(c, end, *since, pod, now)?;
            Some(ended(&end.reason, state))
        }
        ContainerState::Unknown => None,
    }
}

/// Whether a running container that ended before is still in a loop.
fn since_restart(
    c: &ContainerStatus,
    end: &Terminated,
    since: Option<model::Timestamp>,
    pod: &Pod,
    now: &Snapshot,
) -> Option<State> {
    let row_age = pod.summary.as_ref().and_then(|s| s.last_restart_age_seconds);
    let age = end.finished_at.map(|t| now.now.since(t)).or(row_age.map(i64::from));
    let Some(age) = age else { return (!c.ready).then_some(State::Active) };
    let up = since.map_or(age, |t| now.now.since(t));
    let run = match (end.started_at, end.finished_at) {
        // A container that never started is said to have started in 1970.
        (Some(start), Some(finish)) if start.seconds() > 86_400 => finish.since(start),
        _ => 0,
    };
    let recent = age <= RECENT_SECONDS;
    let settled = up > SETTLED_SECONDS && up > run;
    let killed = end.reason == "OOMKilled";
    // After ten minutes the kubelet counts from nothing again: an end after that is a new one,
    // unless memory fills at its own pace.
    let in_loop = recent && run <= RECENT_SECONDS;
    let rhythm = killed && age <= RHYTHM_SECONDS;
    match (c.ready, c.restarts) {
        (false, _) if recent => Some(State::Active),
        (true, 2..) if (in_loop || rhythm) && !settled => Some(State::Active),
        (true, _) if in_loop || (killed && recent) => Some(State::Recovering),
        _ => None,
    }
}

/// Only the row of a table is known.
fn from_row(pod: &Pod) -> Option<Ended<'_>> {
    let row = pod.summary.as_deref()?;
    let word = row.status.trim_start_matches("Init:");
    let age = row.last_restart_age_seconds.map(i64::from);
    let ready = pod.is_ready() == Some(true);
    let state = match word {
        "Error" | "Completed" if row.restarts == 0 && word.len() == row.status.len() => None,
        word if WORDS.contains(&word) => Some(State::Active),
        "Running" if row.restarts > 1 && age.is_some_and(|a| a <= RECENT_SECONDS) && !ready => {
            Some(State::Active)
        }
        "Running" if row.restarts > 1 && age.is_some_and(|a| a <= SETTLED_SECONDS) => {
            Some(State::Recovering)
        }
        _ => None,
    }?;
    Some(Ended { pod, container: "", end: None, word, message: "", restarts: row.restarts, state })
}
