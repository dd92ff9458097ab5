//! Why a CronJob starts no runs.

use model::record::{ClusterEvent, EventTime, JobPlan, JobStatus, Known, Workload};
use model::{
    App, Certainty, Finding, Findings, Impact, Kind, Role, Snapshot, State, Timestamp,
    duration_text,
};

use super::runs::{self, Outcome};
use super::schedule;
use crate::evidence;
use crate::pod::log_lines::names;
use crate::wording::{self, says};

/// More missed runs than this are not counted.
const MOST_RUNS: usize = 1000;

/// A run may begin this late without anything being wrong: the controller looks every ten
/// seconds, and the newest time in the evidence is not exact.
const LATE_SECONDS: i64 = 120;

/// How long ago the controller may have complained, in seconds.
const RECENT_SECONDS: i64 = 86_400;

/// A CronJob and what it was told.
struct Cron<'s> {
    app: &'s App,
    cron: &'s Workload,
    status: &'s JobStatus,
    last: Option<Timestamp>,
}

impl Cron<'_> {
    fn plan(&self) -> &JobPlan {
        &self.status.plan
    }

    /// Runs due since a time, and not started; `None` when that cannot be told.
    fn due_since(&self, from: Timestamp, now: &Snapshot) -> Option<usize> {
        let until = now.now.minus_seconds(LATE_SECONDS);
        let schedule = schedule::parse(&self.plan().schedule)?;
        now.has_time.then(|| schedule.due(from, until, MOST_RUNS))
    }
}

pub(crate) fn detect(id: &'static str, app: &App, now: &Snapshot, findings: &mut Findings) {
    let Some(cron) = app.workload.as_ref().filter(|w| w.meta.live.has(Known::STATUS)) else {
        return;
    };
    let Some(status) = cron.job.as_deref() else { return };
    let by_age = status.last_scheduled_age_seconds;
    let by_age = by_age.map(|age| now.now.minus_seconds(i64::from(age)));
    let last = status.last_scheduled.or(by_age);
    let cron = Cron { app, cron, status, last };
    if cron.cron.paused {
        return suspended(id, &cron, now, findings);
    }
    let found = invalid(id, &cron, now)
        .or_else(|| forbidden(id, &cron, now))
        .or_else(|| missed(id, &cron, now));
    findings.found.extend(found);
}

/// Suspended on purpose or forgotten: nobody can tell but those who miss the runs.
fn suspended(id: &'static str, cron: &Cron<'_>, now: &Snapshot, findings: &mut Findings) {
    let object = cron.app.object.clone();
    let names = names(cron.app);
    let missed_by = now.alerts.iter().find(|a| {
        a.subjects.iter().any(|s| names.contains(&s.rsplit('/').next().unwrap_or_default()))
    });
    let due = cron.last.and_then(|t| cron.due_since(t, now)).unwrap_or(0);
    if missed_by.is_none() && (cron.last.is_none() || due == 0) {
        return findings.rule_out(id, object, "it is suspended, and no run of it was missed");
    }
    let since = cron.last.map(|t| format!("; its last run was at {t}")).unwrap_or_default();
    let text = format!("CronJob {object} is suspended and starts no runs{since}");
    let mut finding = Finding::new(id, "cron-suspended", object.clone(), text)
        .field("spec.suspend", "true", "false, if its runs are wanted")
        .since(cron.last)
        .evidence([evidence::field(cron.cron.meta.source, &object, "spec.suspend", "true")])
        .state(State::Suspected);
    if let Some(alert) = missed_by {
        let text: String = alert.text.chars().take(200).collect();
        let fact = evidence::field(alert.document, &object, format!("alert/{}", alert.name), text);
        finding = finding
            .evidence([fact])
            .state(State::Active)
            .affects(object, "its runs are missed")
            .impact(Impact { replicas: 1, ..Impact::default() });
    }
    findings.push(finding);
}

fn complaint<'s>(cron: &Cron<'_>, now: &'s Snapshot, words: &[&str]) -> Option<&'s ClusterEvent> {
    let told =
        |e: &&ClusterEvent| says(&e.message, words) && evidence::is_recent(e, now, RECENT_SECONDS);
    let event = now.events_about(&cron.app.object).iter().rfind(told)?;
    // A run that was started since says that it is over; not where the last run is itself the
    // newest date there is, from which the event's age was counted.
    let started = cron.last.zip(evidence::last_time(event, now)).is_some_and(|(l, e)| l > e);
    let counted = matches!(event.last, EventTime::SecondsAgo(_)) && cron.last == Some(*now.now);
    let started = started && !counted;
    (!started).then_some(event)
}

/// CronJobs of which only complaints are known.
pub(crate) fn only_told(id: &'static str, now: &Snapshot, findings: &mut Findings) {
    let is_of = |e: &ClusterEvent| e.about.as_ref().is_some_and(|o| o.kind == Kind::CronJob);
    for event in now.events_where(is_of) {
        let Some(object) = &event.about else { continue };
        let known = now.workload(Kind::CronJob, &object.namespace, &object.name).is_some();
        if known || !evidence::is_recent(event, now, RECENT_SECONDS) {
            continue;
        }
        let text = event.message.as_str();
        let zone = says(text, &["timezone", "time zone"]);
        let (mechanism, field, why) = if says(text, wording::SCHEDULE_INVALID) {
            let field = if zone { "spec.timeZone" } else { "spec.schedule" };
            ("schedule-invalid", field, format!("starts no runs: {text}"))
        } else if says(text, wording::TOO_MANY_MISSED) {
            let why = "missed more than 100 runs and starts none".to_owned();
            ("cron-too-many-missed", "spec.startingDeadlineSeconds", why)
        } else if says(text, wording::PRIOR_RUNS) {
            let why = "waits for the run before, which has not ended".to_owned();
            ("concurrency-forbid", "spec.concurrencyPolicy", why)
        } else {
            continue;
        };
        let same = |f: &Finding| f.object == *object && f.mechanism == mechanism;
        if findings.found.iter().any(same) {
            continue;
        }
        let expected = match mechanism {
            "concurrency-forbid" => "a run that ends, or a deadline for it",
            "schedule-invalid" => "five fields as cron reads them, and a known time zone",
            _ => "some minutes: 200, for instance",
        };
        let headline = format!("CronJob {object} {why}");
        let finding = Finding::new(id, mechanism, object.clone(), headline)
            .field(field, "not shown", expected)
            .since(evidence::first_time(event, now).filter(|_| now.has_time))
            .evidence(evidence::event(event, now))
            .affects(object.clone(), "no runs are started")
            .impact(Impact { replicas: 1, ..Impact::default() });
        let look = format!("kubectl describe {}", object.for_kubectl());
        findings.push(match mechanism {
            "concurrency-forbid" => finding.unsure(Certainty::Likely, &["application-error"], look),
            _ => finding,
        });
    }
}

fn invalid(id: &'static str, cron: &Cron<'_>, now: &Snapshot) -> Option<Finding> {
    let event = complaint(cron, now, wording::SCHEDULE_INVALID)?;
    let object = &cron.app.object;
    let zone = says(&event.message, &["timezone", "time zone"]);
    let (field, value) = match zone {
        true => ("spec.timeZone", cron.plan().time_zone.to_string()),
        false => ("spec.schedule", cron.plan().schedule.to_string()),
    };
    let text = format!("CronJob {object} starts no runs: {field} {value} cannot be read");
    Some(
        started_none(id, "schedule-invalid", cron, text)
            .field(field, value, "five fields as cron reads them, and a known time zone")
            .evidence(evidence::event(event, now)),
    )
}

/// A run that does not end, and no other may run beside it.
fn forbidden(id: &'static str, cron: &Cron<'_>, now: &Snapshot) -> Option<Finding> {
    let told = complaint(cron, now, wording::PRIOR_RUNS);
    let forbids = cron.plan().concurrency == "Forbid";
    if !(forbids || told.is_some()) || (cron.status.active == 0 && told.is_none()) {
        return None;
    }
    let all = runs::of(cron.app, now);
    let active = all.iter().find(|r| r.outcome == Outcome::Running);
    let begun = active.and_then(|r| r.at).or(cron.last);
    let skipped = begun.and_then(|t| cron.due_since(t, now));
    if !(skipped.is_some_and(|n| n >= 2) || (skipped.is_none() && told.is_some())) {
        return None;
    }
    let object = &cron.app.object;
    let name = active.map(|r| r.job.meta.name.to_string());
    let name = name.or_else(|| cron.status.active_jobs.first().map(ToString::to_string));
    let name = name.unwrap_or_else(|| "one".into());
    let run_for = begun.filter(|_| now.has_time).map(|t| duration_text(now.now.since(t)));
    let run_for = run_for.map(|d| format!(" for {d}")).unwrap_or_default();
    let count = skipped.map(|n| format!(": {n} later runs were not started")).unwrap_or_default();
    let text = format!("CronJob {object} waits for run {name}, which has run{run_for}{count}");
    let logs = format!("kubectl logs -n {} job/{name} --tail=50", object.namespace);
    let sick = cron.app.running().any(|p| p.is_ready() != Some(true))
        || !crate::pod::restarts::attempts(cron.app, now).is_empty();
    let role = if sick { Role::Symptom } else { Role::Trigger };
    let finding = started_none(id, "concurrency-forbid", cron, text)
        .field("spec.concurrencyPolicy", "Forbid", "a run that ends, or a deadline for it")
        .since(begun)
        .role(role)
        .evidence(told.and_then(|e| evidence::event(e, now)));
    Some(finding.unsure(Certainty::Likely, &["application-error"], logs))
}

/// Runs that were due and not started.
fn missed(id: &'static str, cron: &Cron<'_>, now: &Snapshot) -> Option<Finding> {
    let object = &cron.app.object;
    let look = format!("kubectl describe {}", object.for_kubectl());
    let deadline = cron.plan().starting_deadline_seconds;
    let value = deadline.map_or("not set".to_owned(), |s| s.to_string());
    if let Some(event) = complaint(cron, now, wording::TOO_MANY_MISSED) {
        let text = format!("CronJob {object} missed more than 100 runs and starts none");
        let finding = started_none(id, "cron-too-many-missed", cron, text)
            .field("spec.startingDeadlineSeconds", value, "some minutes: 200, for instance")
            .since(cron.last)
            .evidence(evidence::event(event, now));
        return Some(finding);
    }
    let from = cron.last.or(cron.cron.meta.created)?;
    let count = cron.due_since(from, now)?;
    // Where the schedule has hours, the controller's time zone may shift a run by half a day.
    let waits = now.now.since(from);
    if count < 2 || (waits < 86_400 && count < 3) {
        return None;
    }
    let text = format!(
        "CronJob {object} has started no run for {}: {count} were due",
        duration_text(waits)
    );
    let finding = started_none(id, "cron-too-many-missed", cron, text);
    let short = deadline.filter(|s| *s < 10);
    Some(match short {
        Some(_) => finding.field(
            "spec.startingDeadlineSeconds",
            value,
            "more than 10: the controller looks every ten seconds",
        ),
        // A controller manager that is down starts none either.
        None => finding
            .field("status.lastScheduleTime", from.to_string(), "a run for each time it is due")
            .unsure(Certainty::Possible, &["schedule-invalid"], look),
    })
}

fn started_none(
    id: &'static str,
    mechanism: &'static str,
    cron: &Cron<'_>,
    text: String,
) -> Finding {
    let object = cron.app.object.clone();
    let last = cron.last.map_or("never".to_owned(), |t| t.to_string());
    let source = cron.cron.meta.source;
    let fact = evidence::field(source, &object, "status.lastScheduleTime", last);
    Finding::new(id, mechanism, object.clone(), text)
        .affects(object, "no runs are started")
        .impact(Impact { replicas: 1, ..Impact::default() })
        .evidence([fact])
}
