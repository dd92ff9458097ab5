//! `job-failing`: a Job gives up, or a CronJob starts no runs.

use std::collections::BTreeSet;

use model::record::Known;
use model::{
    App, Certainty, Finding, Findings, Impact, Kind, ObjectRef, Role, Snapshot, State,
    duration_text,
};

use super::job::runs::{self, Outcome, Run};
use super::job::{advice, cron};
use crate::evidence;
use crate::pod::{crash_cause, log_lines, restarts};

failure! {
    /// # A Job does not get done
    ///
    /// ## Signs
    /// The Job has the condition `Failed` with the reason `BackoffLimitExceeded`,
    /// `DeadlineExceeded` or `PodFailurePolicy`, or its pods fail one after another. A CronJob
    /// has not started a run for longer than its schedule allows; its events say
    /// `TooManyMissedTimes`, `MissSchedule`, `JobAlreadyActive` or `UnparseableSchedule`.
    ///
    /// ## Why it happens
    /// A Job makes pods until enough of them succeed. Each failure counts against
    /// `backoffLimit` (6 when nothing is stated), with pauses of 10 s, 20 s, 40 s up to six
    /// minutes between attempts. When the limit or `activeDeadlineSeconds` is reached, the Job
    /// is failed for good: nothing tries it again, and its running pods are deleted. So the
    /// limit is rarely the cause: the pods' exit code, log or events are.
    ///
    /// A CronJob makes a Job for each time of its schedule, unless it is suspended, a run is
    /// still going and `concurrencyPolicy` is `Forbid`, or the time was missed by more than
    /// `startingDeadlineSeconds`. The old controller (up to 1.20) stopped for good after 100
    /// missed runs; the present one warns and goes on with the newest.
    ///
    /// ## What we do
    /// 1. Find the last failed pod and read its exit code and log. Pods of a run that was
    ///    ended by its deadline are gone: read the log from elsewhere.
    /// 2. Repair what made it fail: program, memory limit, image, configuration.
    /// 3. Run it again: a failed Job does not start anew. Make a new one from the CronJob or
    ///    from its manifest.
    /// 4. A hung run that blocks all later ones (`Forbid`): find out what it waits for, then
    ///    delete that Job.
    ///
    /// ## How to avoid it
    /// Give every Job a deadline and runs that may be repeated without harm. Alert on the age
    /// of the last success, not on failures. Set `startingDeadlineSeconds` well above 10 s.
    ///
    /// ## Sources
    /// Kubernetes documentation, "Jobs", "CronJob" and "Running automated tasks with a
    /// CronJob".
    id: "job-failing",
    mechanisms: {
        "backoff-limit": "its pods failed more often than it allows",
        "deadline": "it takes longer than it may",
        "pod-failure-policy": "its rule about failing pods ended it",
        "application-error": "its program ends with an error",
        "command-not-found": "its program is not in the image",
        "platform-wrong": "its program is built for other processors",
        "permission-denied": "its user may not use a file, a volume or a port",
        "dependency-unreachable": "a peer it needs does not answer",
        "dependency-address-wrong": "the address of a peer it needs is wrong",
        "credentials-rejected": "a peer refuses its credentials",
        "certificate-rejected": "a certificate is not accepted",
        "configuration-invalid": "it does not like its settings",
        "address-in-use": "the port it wants is taken",
        "mount-path-wrong": "a volume is mounted where something of another kind is",
        "start-hook-failing": "what is to be done after its start does not go well",
        "read-only-file-system": "it writes where nothing may be written",
        "cron-suspended": "it is suspended and starts no runs",
        "cron-too-many-missed": "it missed so many runs that it starts none",
        "concurrency-forbid": "a run that does not end keeps all later ones from starting",
        "schedule-invalid": "its schedule or time zone cannot be read",
    },
    reads: [Job, CronJob, Pod, Event],
    leads_to: ["workload-dependency-failing"],
    detect: Cluster(detect),
    exposed: advice::exposed,
    remedy: advice::remedy,
    prevent: advice::prevent,
    rehearse: advice::rehearse,
}

/// A run that failed longer ago than this is history.
const RECENT_SECONDS: i64 = restarts::ATTEMPT_SECONDS;

fn detect(now: &Snapshot, findings: &mut Findings) {
    for app in now.apps_where(|a, _| matches!(a.object.kind, Kind::Job | Kind::CronJob)) {
        of_runs(app, now, findings);
        if app.object.kind == Kind::CronJob {
            cron::detect(KIND.id, app, now, findings);
        }
    }
    only_told(now, findings);
}

/// The last run that tells how the workload is.
fn of_runs(app: &App, now: &Snapshot, findings: &mut Findings) {
    let runs = runs::of(app, now);
    let object = &app.object;
    let ended = |r: &&Run<'_>| r.outcome.is_failed() || r.outcome == Outcome::Complete;
    let Some(last) = runs.iter().rfind(ended) else {
        if let Some(run) = runs.iter().rfind(|r| r.outcome == Outcome::Running) {
            attempts(app, run, now, findings);
        } else if runs.is_empty() {
            bare_attempts(app, now, findings);
        }
        return;
    };
    if last.outcome == Outcome::Complete {
        if runs.iter().any(|r| r.outcome.is_failed()) {
            let what = format!("a failed run of {object}");
            findings.stale(what, format!("run {} after it went well", last.job.meta.name));
        }
        return;
    }
    let old = last.at.is_some_and(|t| now.has_time && now.now.since(t) > RECENT_SECONDS);
    if old {
        let ago = last.at.map_or(0, |t| now.now.since(t));
        let what = format!("{} failed {} ago", last.job.meta.name, duration_text(ago));
        return findings.stale(what, "a Job that failed stays as it is; nobody ran it again");
    }
    findings.push(failed(app, last, now));
}

/// A run that gave up.
fn failed(app: &App, run: &Run<'_>, now: &Snapshot) -> Finding {
    let job = run.job;
    let plan = job.job.as_ref().map(|j| j.plan.clone()).unwrap_or_default();
    let count = job.job.as_ref().map_or(0, |j| j.failed);
    let name = who(app, run);
    let spec = if app.object.kind == Kind::CronJob { "spec.jobTemplate.spec" } else { "spec" };
    let logs = format!("kubectl logs -n {} job/{} --tail=50", job.meta.namespace, job.meta.name);
    let finding = if run.outcome == Outcome::Deadline {
        let field = format!("{spec}.activeDeadlineSeconds");
        let value = plan.deadline_seconds.map_or("not shown".to_owned(), |s| s.to_string());
        let took = plan.deadline_seconds.map(duration_text);
        let took = took.map(|t| format!(" of {t}")).unwrap_or_default();
        let text = format!("{name} was ended at its deadline{took} before it was done");
        Finding::new(KIND.id, "deadline", app.object.clone(), text).field(
            field,
            value,
            "longer than a run takes, or a run that ends sooner",
        )
    } else if let Some(finding) = by_attempts(app, &name, count, now) {
        finding
    } else if run.outcome == Outcome::Policy {
        let text = format!("{name} was ended by its rule about failing pods");
        Finding::new(KIND.id, "pod-failure-policy", app.object.clone(), text).unsure(
            Certainty::Likely,
            &["application-error"],
            logs,
        )
    } else {
        let limit = plan.backoff_limit.unwrap_or(6);
        let times = if count > 0 { format!(" after {count} failed pods") } else { String::new() };
        let text = format!("{name} gave up{times}: why its pods failed is not shown");
        Finding::new(KIND.id, "backoff-limit", app.object.clone(), text)
            .field(format!("{spec}.backoffLimit"), limit.to_string(), "a program that ends well")
            .unsure(Certainty::Likely, &["application-error"], logs)
    };
    lost(finding, app, &format!("run {} failed", job.meta.name))
        .since(run.at)
        .evidence(run.evidence.clone())
}

/// What the failed pods say; `None` when they are gone.
fn by_attempts(app: &App, name: &str, count: i64, now: &Snapshot) -> Option<Finding> {
    let attempts = restarts::attempts(app, now);
    let newest = attempts.iter().max_by_key(|e| {
        let at = e.end.and_then(|t| t.finished_at);
        (crash_cause::is_out_of_memory(e, now), at, e.pod.meta.name.clone())
    })?;
    let cause = crash_cause::of(newest, app, now);
    let pods: BTreeSet<&str> = attempts.iter().map(|e| e.pod.meta.name.as_str()).collect();
    let count = usize::try_from(count).unwrap_or(0).max(pods.len());
    let pods = if count == 1 { "1 pod".to_owned() } else { format!("{count} pods") };
    let text = format!("{name} fails ({pods} failed): {}", cause.why);
    let known = KIND.mechanisms.iter().any(|m| m.id == cause.mechanism);
    // Memory and probes have a kind of their own, which this one then follows from.
    let mechanism = if known { cause.mechanism } else { "backoff-limit" };
    let mut finding = Finding::new(KIND.id, mechanism, app.object.clone(), text)
        .evidence(cause.evidence)
        .role(if known { Role::Trigger } else { Role::Symptom });
    if let Some((field, value, expected)) = cause.edit {
        finding = finding.field(field, value, expected);
    }
    if cause.certainty < Certainty::Proven {
        let pod = newest.pod.meta.object(Kind::Pod);
        let look = log_lines::command(&pod, newest.container, false);
        finding = finding.unsure(cause.certainty, cause.alternatives, look);
    }
    Some(finding)
}

/// A run that goes on, but whose attempts fail.
fn attempts(app: &App, run: &Run<'_>, now: &Snapshot, findings: &mut Findings) {
    let failed = run.job.job.as_ref().map_or(0, |j| j.failed);
    if let Some(finding) = by_attempts(app, &who(app, run), failed, now) {
        let how = format!("run {} is not done", run.job.meta.name);
        findings.push(lost(finding, app, &how).since(run.at).evidence(run.evidence.clone()));
    }
}

/// Only pods are known, not the Job that made them.
fn bare_attempts(app: &App, now: &Snapshot, findings: &mut Findings) {
    let done = app.pods.iter().any(|p| {
        let row = p.summary.as_ref().is_some_and(|s| s.status == "Completed");
        row || p.phase == model::record::Phase::Succeeded
    });
    if done {
        return;
    }
    let name = format!("{} {}", app.object.kind, app.object);
    if let Some(finding) = by_attempts(app, &name, 0, now) {
        let since = app.pods.iter().filter_map(|p| p.meta.created).min();
        findings.push(lost(finding, app, "its pods fail").since(since));
    }
}

/// Events are all that is known of a Job.
fn only_told(now: &Snapshot, findings: &mut Findings) {
    cron::only_told(KIND.id, now, findings);
    for event in now.events_where(|e| runs::outcome_of_event(e).is_some()) {
        let Some(about) = event.about.as_ref().filter(|o| o.kind == Kind::Job) else { continue };
        let known = now.workload(Kind::Job, &about.namespace, &about.name).is_some();
        if known || now.is_missing(Kind::Job, &about.namespace, &about.name) {
            continue;
        }
        if !evidence::is_recent(event, now, RECENT_SECONDS) {
            continue;
        }
        let object = made_by(about);
        let deadline = runs::outcome_of_event(event) == Some(Outcome::Deadline);
        let mechanism = if deadline { "deadline" } else { "backoff-limit" };
        let why = KIND.meaning(mechanism);
        let text = format!("{} {} failed: {why}", about.kind, about);
        let logs = format!("kubectl logs -n {} job/{} --tail=50", about.namespace, about.name);
        let finding = Finding::new(KIND.id, mechanism, object.clone(), text)
            .since(evidence::first_time(event, now).filter(|_| now.has_time))
            .evidence(evidence::event(event, now))
            .affects(object, format!("run {} failed", about.name))
            .impact(Impact { replicas: 1, ..Impact::default() })
            .unsure(Certainty::Likely, &["application-error"], logs);
        findings.push(finding);
    }
}

/// A Job whose name ends with the minute of its run belongs to a CronJob.
fn made_by(job: &ObjectRef) -> ObjectRef {
    match job.name.rsplit_once('-') {
        Some((parent, end)) if end.len() >= 8 && end.bytes().all(|c| c.is_ascii_digit()) => {
            ObjectRef::new(Kind::CronJob, &job.namespace, parent)
        }
        _ => job.clone(),
    }
}

fn lost(finding: Finding, app: &App, how: &str) -> Finding {
    let shown = app.workload.as_ref().is_none_or(|w| w.meta.live.has(Known::STATUS));
    let state = if shown { State::Active } else { State::Suspected };
    finding
        .affects(app.object.clone(), how)
        .impact(Impact { replicas: 1, ..Impact::default() })
        .state(state)
}

/// `Job shop/migrate`, `run report-29141 of CronJob shop/report`.
fn who(app: &App, run: &Run<'_>) -> String {
    match app.object.kind {
        Kind::CronJob => format!("run {} of CronJob {}", run.job.meta.name, app.object),
        kind => format!("{kind} {}", app.object),
    }
}

#[cfg(test)]
mod tests;
