//! How the runs of a Job or CronJob ended.

use model::record::{ClusterEvent, Workload};
use model::{App, Condition, Evidence, Kind, Snapshot, Timestamp, Truth};

use crate::evidence;
use crate::wording::{self, says};

/// One run: a Job.
#[derive(Clone, Debug)]
pub(crate) struct Run<'s> {
    pub(crate) job: &'s Workload,
    pub(crate) outcome: Outcome,
    /// When it ended, or else when it began.
    pub(crate) at: Option<Timestamp>,
    /// What says so.
    pub(crate) evidence: Vec<Evidence>,
}

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// All it wanted is done.
    Complete,
    /// It gave up: more failures than it allows.
    Backoff,
    /// It took longer than it may.
    Deadline,
    /// A rule about failing pods ended it.
    Policy,
    /// It gave up, and it is not known why.
    Failed,
    /// It is not to run now.
    Suspended,
    /// It goes on.
    Running,
}

impl Outcome {
    /// Whether the run gave up.
    pub(crate) fn is_failed(self) -> bool {
        use Outcome::{Backoff, Deadline, Failed, Policy};
        matches!(self, Backoff | Deadline | Policy | Failed)
    }
}

/// The runs of a workload, the oldest first.
pub(crate) fn of<'s>(app: &'s App, now: &'s Snapshot) -> Vec<Run<'s>> {
    let jobs = app.workload.iter().chain(&app.sets).filter(|w| w.kind == Kind::Job);
    let mut runs: Vec<Run<'_>> = jobs.map(|job| run(job, now)).collect();
    let begun = |r: &Run<'_>| {
        let by_age =
            |w: &Workload| w.meta.age_seconds.map(|age| now.now.minus_seconds(i64::from(age)));
        r.job.meta.created.or_else(|| by_age(r.job))
    };
    runs.sort_by(|a, b| (begun(a), &a.job.meta.name).cmp(&(begun(b), &b.job.meta.name)));
    runs
}

fn run<'s>(job: &'s Workload, now: &'s Snapshot) -> Run<'s> {
    let object = job.object();
    let holds = |c: &&Condition| c.status == Truth::True;
    let condition = |kind: &str| job.condition(kind).filter(holds);
    let ended = job.job.as_ref().and_then(|j| j.completed);
    let began = job.job.as_ref().and_then(|j| j.started).or(job.meta.created);
    let run = |outcome, at: Option<Timestamp>, evidence| Run { job, outcome, at, evidence };
    if job.is_complete() {
        let at = ended.or_else(|| condition("Complete").and_then(|c| c.since));
        return run(Outcome::Complete, at.or(began), Vec::new());
    }
    if let Some(c) = condition("Failed").or_else(|| condition("FailureTarget")) {
        let fact = evidence::condition(job.meta.source, &object, c);
        return run(outcome(c.reason(), c.message()), c.since.or(began), vec![fact]);
    }
    let tells = |e: &&ClusterEvent| outcome_of_event(e).is_some();
    if let Some(event) = now.events_about(&object).iter().rfind(tells) {
        let outcome = outcome_of_event(event).unwrap_or(Outcome::Failed);
        let at = evidence::last_time(event, now).filter(|_| now.has_time);
        return run(outcome, at.or(began), evidence::event(event, now).into_iter().collect());
    }
    let word = job.job.as_ref().map_or("", |j| j.word.as_str());
    let fact = || vec![evidence::field(job.meta.source, &object, "STATUS", word)];
    match word {
        "Failed" | "FailureTarget" => run(Outcome::Failed, began, fact()),
        "Suspended" => run(Outcome::Suspended, began, fact()),
        _ if job.paused => run(Outcome::Suspended, began, Vec::new()),
        _ => run(Outcome::Running, began, Vec::new()),
    }
}

fn outcome(reason: &str, message: &str) -> Outcome {
    match reason {
        "BackoffLimitExceeded" | "MaxFailedIndexesExceeded" | "FailedIndexes" => Outcome::Backoff,
        "DeadlineExceeded" => Outcome::Deadline,
        "PodFailurePolicy" => Outcome::Policy,
        _ if says(message, wording::BACKOFF_LIMIT) => Outcome::Backoff,
        _ if says(message, wording::JOB_DEADLINE) => Outcome::Deadline,
        _ => Outcome::Failed,
    }
}

pub(crate) fn outcome_of_event(event: &ClusterEvent) -> Option<Outcome> {
    let known = event.warning.then(|| outcome(&event.reason, &event.message));
    known.filter(|o| *o != Outcome::Failed)
}
