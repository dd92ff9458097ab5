//! CronJobs: a Job for each time of the schedule.

use std::sync::Arc;

use jiff::tz::TimeZone;
use model::Timestamp;
use serde_json::{Value, json};

use super::work::Work;
use super::{owned_by, owner_of, place, reference};
use crate::cluster::{Actor, Context};
use crate::cron::{self, Schedule};
use crate::field;
use crate::kernel::{SECOND, plus};
use crate::kinds::{CRON_JOB, JOB};
use crate::registry::{DeleteOptions, Note, Part, Propagation};
use crate::store::{Change, Object};

const COMPONENT: &str = "cronjob-controller";
/// It looks a little after the scheduled moment.
const DELAY: i64 = SECOND / 10;
/// More missed times than this are worth a warning.
const MANY_MISSED: i64 = 100;
const SCHEDULED: &str = "batch.kubernetes.io/cronjob-scheduled-timestamp";

/// The controller.
#[derive(Debug, Default)]
pub(super) struct CronJobs {
    work: Work,
}

impl Actor for CronJobs {
    fn name(&self) -> &str {
        COMPONENT
    }

    fn reads(&self, change: &Change) -> bool {
        change.key.resource == CRON_JOB.storage || change.key.resource == JOB.storage
    }

    fn step(&mut self, changes: &[Arc<Change>], context: &mut Context<'_>) {
        let now = context.now();
        for object in changes.iter().filter_map(|c| c.object()) {
            let concerned = match object["kind"] == CRON_JOB.kind {
                true => Some(place(object)),
                false => owner_of(object, CRON_JOB.kind),
            };
            if let Some(concerned) = concerned {
                self.work.add(concerned, now);
            }
        }
        for place in self.work.take(now) {
            let found = context.registry.get(&CRON_JOB, &place.0, &place.1).map(Arc::clone);
            if let Ok(job) = found
                && let Some(at) = sync(context, &job)
            {
                self.work.add(place, at);
            }
        }
        if let Some(next) = self.work.next() {
            context.wake(next);
        }
    }
}

/// How a Job ended, if it did.
fn end_of(job: &Value) -> Option<&'static str> {
    ["Complete", "Failed"].into_iter().find(|kind| field::condition_is(job, kind, "True"))
}

/// Brings one up to date; when it is to be looked at again.
fn sync(context: &mut Context<'_>, job: &Object) -> Option<Timestamp> {
    clean_up(context, job);
    let mut status = job["status"].clone();
    note_ended(context, job, &mut status);
    let next = match field::is_deleting(job) || field::flag(job, "/spec/suspend") {
        true => None,
        false => start_due(context, job, &mut status),
    };
    let written = context.registry.modify(&CRON_JOB, job, Part::Status, |job| {
        job["status"] = status;
    });
    // It may be gone by now.
    drop(written);
    next
}

fn active(status: &Value) -> &[Value] {
    field::list(status, "/active")
}

fn drop_active(status: &mut Value, uid: &str) {
    let left: Vec<Value> =
        active(status).iter().filter(|one| field::text(one, "/uid") != uid).cloned().collect();
    match (left.is_empty(), status.as_object_mut()) {
        (true, Some(map)) => drop(map.remove("active")),
        _ => status["active"] = left.into(),
    }
}

/// Takes ended and missing Jobs off the list of the active ones.
fn note_ended(context: &mut Context<'_>, cron: &Object, status: &mut Value) {
    let jobs = owned_by(context.registry, JOB.storage, cron);
    for job in &jobs {
        let (uid, name) = (field::uid(job), field::name(job));
        let listed = active(status).iter().any(|one| field::text(one, "/uid") == uid);
        match end_of(job) {
            None if !listed => {
                let text =
                    format!("Saw a job that the controller did not create or forgot: {name}");
                context.tell(COMPONENT, cron, &Note::warning("UnexpectedJob", text));
            }
            Some(end) if listed => {
                drop_active(status, uid);
                let text = format!("Saw completed job: {name}, condition: {end}");
                context.tell(COMPONENT, cron, &Note::normal("SawCompletedJob", text));
            }
            _ => {}
        }
        if end_of(job) == Some("Complete") {
            let ended = field::text(job, "/status/completionTime");
            if ended > field::text(status, "/lastSuccessfulTime") {
                status["lastSuccessfulTime"] = ended.into();
            }
        }
    }
    let listed = active(status).to_vec();
    for one in listed {
        let (uid, name) = (field::text(&one, "/uid"), field::text(&one, "/name"));
        if !jobs.iter().any(|job| field::uid(job) == uid) {
            drop_active(status, uid);
            let text = format!("Active job went missing: {name}");
            context.tell(COMPONENT, cron, &Note::normal("MissingJob", text));
        }
    }
}

/// Starts the Job of the last scheduled time, if it is due; when to look again.
fn start_due(context: &mut Context<'_>, cron: &Object, status: &mut Value) -> Option<Timestamp> {
    let now = context.now();
    let schedule = read_schedule(context, cron)?;
    let since = since(cron, now);
    let (due, missed) = last_due(&schedule, since, now);
    let again = schedule.next(due.unwrap_or(since)).map(|at| plus(at.max(now), DELAY));
    if missed > MANY_MISSED {
        let text = "too many missed start times. Set or decrease .spec.startingDeadlineSeconds \
                    or check clock skew";
        context.tell(COMPONENT, cron, &Note::warning("TooManyMissedTimes", text));
    }
    let Some(due) = due else { return again };
    let deadline = cron["spec"]["startingDeadlineSeconds"].as_i64();
    if deadline.is_some_and(|seconds| due.plus_seconds(seconds) < now) {
        let text = format!("Missed scheduled time to start a job: {}", mail_date(due));
        context.tell(COMPONENT, cron, &Note::warning("MissSchedule", text));
        return again;
    }
    let name = format!("{}-{}", field::name(cron), due.seconds().div_euclid(60));
    let started = active(status).iter().any(|one| field::text(one, "/name") == name);
    if started || field::time(status, "/lastScheduleTime") == Some(due) {
        return again;
    }
    match field::text(cron, "/spec/concurrencyPolicy") {
        "Forbid" if !active(status).is_empty() => {
            let text = "Not starting job because prior execution is running and concurrency \
                        policy is Forbid";
            context.tell(COMPONENT, cron, &Note::normal("JobAlreadyActive", text));
            return again;
        }
        "Replace" => {
            for one in active(status).to_vec() {
                delete(context, cron, field::text(&one, "/name"));
                drop_active(status, field::text(&one, "/uid"));
            }
        }
        _ => {}
    }
    create(context, cron, status, (name, due), &schedule);
    again
}

fn read_schedule(context: &mut Context<'_>, cron: &Object) -> Option<Schedule> {
    let zone = match cron["spec"]["timeZone"].as_str() {
        None => TimeZone::UTC,
        Some(name) => match cron::zone(name) {
            Some(zone) => zone,
            None => {
                let text = format!("invalid timeZone: {name:?}: unknown time zone {name}");
                context.tell(COMPONENT, cron, &Note::warning("UnknownTimeZone", text));
                return None;
            }
        },
    };
    let text = field::text(cron, "/spec/schedule");
    match Schedule::parse(text, zone) {
        Ok(schedule) => Some(schedule),
        Err(why) => {
            let text = format!("unparseable schedule: {text:?} : {why}");
            context.tell(COMPONENT, cron, &Note::warning("UnparseableSchedule", text));
            None
        }
    }
}

/// From when on scheduled times count.
fn since(cron: &Value, now: Timestamp) -> Timestamp {
    let created = field::time(cron, "/metadata/creationTimestamp").unwrap_or(now);
    let last = field::time(cron, "/status/lastScheduleTime").unwrap_or(created);
    match cron["spec"]["startingDeadlineSeconds"].as_i64() {
        Some(seconds) => last.max(now.minus_seconds(seconds)),
        None => last,
    }
}

/// The last scheduled time until now, and how many there were.
fn last_due(schedule: &Schedule, since: Timestamp, now: Timestamp) -> (Option<Timestamp>, i64) {
    let Some(first) = schedule.next(since).filter(|first| *first <= now) else {
        return (None, 0);
    };
    let Some(second) = schedule.next(first).filter(|second| *second <= now) else {
        return (Some(first), 1);
    };
    let between = second.since(first).max(1);
    let missed = now.since(first) / between + 1;
    // Times need not be evenly spread: begin a little early.
    let mut last = first.plus_seconds((missed - 2).max(0) * between).min(now);
    last = schedule.next(last.minus_seconds(between)).filter(|at| *at <= now).unwrap_or(first);
    while let Some(next) = schedule.next(last).filter(|next| *next <= now) {
        last = next;
    }
    (Some(last), missed)
}

/// `Mon, 02 Jan 2006 15:04:05 +0000`
fn mail_date(at: Timestamp) -> String {
    let instant = jiff::Timestamp::from_second(at.seconds()).unwrap_or_default();
    instant.strftime("%a, %d %b %Y %H:%M:%S +0000").to_string()
}

fn create(
    context: &mut Context<'_>,
    cron: &Object,
    status: &mut Value,
    (name, due): (String, Timestamp),
    schedule: &Schedule,
) {
    let template = &cron["spec"]["jobTemplate"];
    let mut job = json!({
        "metadata": {"name": name, "ownerReferences": reference(cron)},
        "spec": template["spec"],
    });
    for part in ["labels", "annotations"] {
        if let Some(given) = field::map(template, &format!("/metadata/{part}")) {
            job["metadata"][part] = given.clone().into();
        }
    }
    job["metadata"]["annotations"][SCHEDULED] = schedule.told(due).into();
    match context.registry.create(&JOB, field::namespace(cron), job) {
        Ok(job) => {
            let text = format!("Created job {name}");
            context.tell(COMPONENT, cron, &Note::normal("SuccessfulCreate", text));
            let reference = json!({
                "apiVersion": "batch/v1", "kind": "Job", "name": name,
                "namespace": field::namespace(cron), "uid": field::uid(&job),
                "resourceVersion": job["metadata"]["resourceVersion"],
            });
            let mut all = active(status).to_vec();
            all.push(reference);
            status["active"] = all.into();
            status["lastScheduleTime"] = due.to_string().into();
        }
        Err(why) if why.reason == "AlreadyExists" => {}
        Err(why) => {
            let text = format!("Error creating job: {why}");
            context.tell(COMPONENT, cron, &Note::warning("FailedCreate", text));
        }
    }
}

fn delete(context: &mut Context<'_>, cron: &Object, name: &str) {
    let options =
        DeleteOptions { propagation: Some(Propagation::Background), ..DeleteOptions::default() };
    match context.registry.delete(&JOB, field::namespace(cron), name, &options) {
        Ok(_) => {
            let text = format!("Deleted job {name}");
            context.tell(COMPONENT, cron, &Note::normal("SuccessfulDelete", text));
        }
        Err(why) => {
            let text = format!("Deleted job: {why}");
            context.tell(COMPONENT, cron, &Note::warning("FailedDelete", text));
        }
    }
}

/// Removes ended Jobs beyond what is to be kept, the oldest first.
fn clean_up(context: &mut Context<'_>, cron: &Object) {
    for (end, limit) in
        [("Complete", "successfulJobsHistoryLimit"), ("Failed", "failedJobsHistoryLimit")]
    {
        let Some(limit) = cron["spec"][limit].as_u64() else { continue };
        let mut ended = owned_by(context.registry, JOB.storage, cron);
        ended.retain(|job| end_of(job) == Some(end) && !field::is_deleting(job));
        ended.sort_by_key(|job| {
            (field::text(job, "/status/startTime").to_owned(), field::name(job).to_owned())
        });
        let surplus = ended.len().saturating_sub(usize::try_from(limit).unwrap_or(usize::MAX));
        for job in ended.iter().take(surplus) {
            delete(context, cron, field::name(job));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(schedule: &str, since: &str, now: &str, due: &str, missed: i64) {
        let schedule = Schedule::parse(schedule, TimeZone::UTC).unwrap();
        let found = last_due(&schedule, since.parse().unwrap(), now.parse().unwrap());
        let told = found.0.map(|at| at.to_string()).unwrap_or_default();
        assert_eq!((told.as_str(), found.1), (due, missed));
    }

    #[test]
    fn the_last_time_that_was_due() {
        let since = "2026-03-01T10:00:00Z";
        check("* * * * *", since, "2026-03-01T10:00:59Z", "", 0);
        check("* * * * *", since, "2026-03-01T10:01:00Z", "2026-03-01T10:01:00Z", 1);
        check("* * * * *", since, "2026-03-01T10:05:30Z", "2026-03-01T10:05:00Z", 5);
        check("0 * * * *", since, "2026-03-02T10:30:00Z", "2026-03-02T10:00:00Z", 24);
        check("0 9 * * mon-fri", since, "2026-03-07T12:00:00Z", "2026-03-06T09:00:00Z", 6);
    }
}
