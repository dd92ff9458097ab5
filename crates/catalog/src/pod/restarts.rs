//! Containers that end again and again, told apart from those that did so long ago.

use model::record::{ContainerState, ContainerStatus, Phase, Pod, Terminated};
use model::{App, Kind, Snapshot, State};

/// A container that ended lately.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ended<'s> {
    pub(crate) pod: &'s Pod,
    /// Its name; empty when only the row of a table is known.
    pub(crate) container: &'s str,
    /// How it ended, where that was shown.
    pub(crate) end: Option<&'s Terminated>,
    /// The word for its state, e.g. `CrashLoopBackOff`.
    pub(crate) word: &'s str,
    /// Message of the waiting container.
    pub(crate) message: &'s str,
    pub(crate) restarts: u32,
    pub(crate) state: State,
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
pub(crate) fn of<'s>(app: &'s App, now: &Snapshot) -> (Vec<Ended<'s>>, usize) {
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

/// How long a failed attempt is of interest, in seconds.
pub(crate) const ATTEMPT_SECONDS: i64 = 86_400;

/// Attempts of a Job that failed and are not started anew: the Job makes a new pod instead.
/// None of a run that went well in the end, nor those of long ago.
pub(crate) fn attempts<'s>(app: &'s App, now: &Snapshot) -> Vec<Ended<'s>> {
    if !matches!(app.object.kind, Kind::Job | Kind::CronJob) {
        return Vec::new();
    }
    let jobs = || app.workload.iter().chain(&app.sets).filter(|w| w.kind == Kind::Job);
    let went_well = |pod: &Pod| {
        let owner = pod.meta.owner.as_ref();
        jobs().any(|j| j.is_complete() && owner.is_none_or(|o| o.name == j.meta.name))
    };
    let failed = app.pods.iter().filter(|p| p.phase == Phase::Failed || is_failed_row(p));
    let mut found = Vec::new();
    for pod in failed.filter(|p| !went_well(p)) {
        let before = found.len();
        for c in pod.all_containers() {
            let ContainerState::Terminated(end) = &c.state else { continue };
            let old = end.finished_at.is_some_and(|t| now.now.since(t) > ATTEMPT_SECONDS);
            if end.exit_code != 0 && !old {
                found.push(Ended {
                    pod,
                    container: &c.name,
                    end: Some(end),
                    word: &end.reason,
                    message: "",
                    restarts: c.restarts,
                    state: State::Active,
                });
            }
        }
        if let (true, Some(row)) = (found.len() == before, &pod.summary) {
            let state = State::Active;
            let word = row.status.as_str();
            found.push(Ended {
                pod,
                container: "",
                end: None,
                word,
                message: "",
                restarts: 0,
                state,
            });
        }
    }
    found
}

fn is_failed_row(pod: &Pod) -> bool {
    let row = pod.summary.as_ref().filter(|_| pod.phase == Phase::Unknown);
    row.is_some_and(|s| s.restarts == 0 && matches!(s.status.as_str(), "Error" | "OOMKilled"))
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
