//! The status of a Job: what has been counted, and how it ended.
//!
//! Ended pods are first noted in the status, then let go, then counted, so that none is counted
//! twice or never.

use model::Timestamp;
use serde_json::{Value, json};

use super::count::{Count, is_last_try};
use super::index;
use super::policy::{self, Verdict};
use super::{COMPONENT, deadline, is_failed, is_tracked, release, write};
use crate::cluster::Context;
use crate::field;
use crate::registry::Note;
use crate::store::Object;
use crate::world::{condition_mut, set_condition};

/// How a Job ends.
#[derive(Debug, Clone)]
pub(super) struct End {
    pub failed: bool,
    pub reason: &'static str,
    pub message: String,
}

/// Reasons for an end that may stand in a condition.
const REASONS: [&str; 7] = [
    "CompletionsReached",
    "SuccessPolicy",
    "BackoffLimitExceeded",
    "DeadlineExceeded",
    "PodFailurePolicy",
    "MaxFailedIndexesExceeded",
    "FailedIndexes",
];

/// The end that was announced before.
pub(super) fn end_told(job: &Value) -> Option<End> {
    [("FailureTarget", true), ("SuccessCriteriaMet", false)].into_iter().find_map(
        |(kind, failed)| {
            let condition = field::condition(job, kind).filter(|c| c["status"] == "True")?;
            let reason = REASONS.into_iter().find(|known| condition["reason"] == *known)?;
            Some(End { failed, reason, message: field::text(condition, "/message").to_owned() })
        },
    )
}

/// Why a Job has failed, if it has.
pub(super) fn lost(job: &Value, pods: &[Object], count: &Count, now: Timestamp) -> Option<End> {
    let end =
        |reason, message: &str| Some(End { failed: true, reason, message: message.to_owned() });
    let failed = pods.iter().filter(|pod| is_tracked(pod) && is_failed(job, pod));
    let by_policy = failed.map(|pod| policy::judge(job, pod)).find_map(|verdict| match verdict {
        Verdict::FailJob(why) => Some(why),
        _ => None,
    });
    if let Some(why) = by_policy {
        return end("PodFailurePolicy", &why);
    }
    let limit = job["spec"]["backoffLimit"].as_i64().unwrap_or(6);
    let parallel = job["spec"]["parallelism"].as_i64().unwrap_or(1);
    let exceeded = count.has_new_failure && count.active != parallel && count.failed > limit;
    if exceeded || restarted_too_often(job, pods, limit) {
        return end("BackoffLimitExceeded", "Job has reached the specified backoff limit");
    }
    if deadline(job).is_some_and(|at| at <= now) {
        return end("DeadlineExceeded", "Job was active longer than specified deadline");
    }
    if !index::has_own_limit(job) {
        return None;
    }
    let (given_up, done) = (count.given_up.len() as i64, count.done.len() as i64);
    if job["spec"]["maxFailedIndexes"].as_i64().is_some_and(|most| given_up > most) {
        let why = "Job has exceeded the specified maximal number of failed indexes";
        return end("MaxFailedIndexesExceeded", why);
    }
    let all = field::number(job, "/spec/completions");
    if given_up > 0 && given_up + done >= all {
        return end("FailedIndexes", "Job has failed indexes");
    }
    None
}

/// Containers that are started again inside their pod count too.
fn restarted_too_often(job: &Value, pods: &[Object], limit: i64) -> bool {
    if field::text(job, "/spec/template/spec/restartPolicy") != "OnFailure" {
        return false;
    }
    let running = pods
        .iter()
        .filter(|pod| matches!(field::text(pod, "/status/phase"), "Running" | "Pending"));
    let statuses = running.flat_map(|pod| {
        let of = |list| field::list(pod, list).iter();
        of("/status/initContainerStatuses").chain(of("/status/containerStatuses"))
    });
    let restarts: i64 = statuses.map(|status| field::number(status, "/restartCount")).sum();
    if limit == 0 { restarts > 0 } else { restarts >= limit }
}

/// Counts ended pods and writes how the Job stands.
pub(super) fn track(
    context: &mut Context<'_>,
    job: &Object,
    pods: &[Object],
    count: &Count,
    end: Option<&End>,
) {
    let (mut good, mut bad, mut freed) = (Vec::new(), Vec::new(), Vec::new());
    let is_lost = end.is_some_and(|end| end.failed);
    for pod in pods.iter().filter(|pod| is_tracked(pod)) {
        let failed = is_failed(job, pod);
        let succeeded = field::text(pod, "/status/phase") == "Succeeded";
        let goes = succeeded || failed || end.is_some();
        if !goes || failed && end.is_none() && waits_for_successor(job, pods, pod) {
            continue;
        }
        freed.push(pod);
        let judged = if failed { policy::judge(job, pod) } else { Verdict::Count };
        if succeeded {
            good.push(field::uid(pod));
        } else if (failed || is_lost) && judged != Verdict::Ignore {
            bad.push(field::uid(pod));
        }
    }
    let now = context.now();
    let succeeded_before = field::number(job, "/status/succeeded");
    let indexed = index::is_indexed(job);
    let noted_good = if indexed { Vec::new() } else { good.clone() };
    write(context, job, |job| {
        note(job, count, now);
        suspend(job, now);
        if let Some(end) = end {
            let kind = if end.failed { "FailureTarget" } else { "SuccessCriteriaMet" };
            put(job, kind, end, now);
        }
        let uncounted = uncounted(&noted_good, &bad);
        field::child(job, "status").insert("uncountedTerminatedPods".into(), uncounted);
        tell_indexes(job, count);
    });
    tell_suspension(context, job);
    for pod in &freed {
        release(context, pod);
    }
    let over = end.filter(|_| count.terminating == 0);
    let total = if indexed { count.succeeded } else { succeeded_before + good.len() as i64 };
    let failed = field::number(job, "/status/failed") + bad.len() as i64;
    write(context, job, |job| {
        let status = field::child(job, "status");
        status.insert("uncountedTerminatedPods".into(), json!({}));
        put_number(status, "succeeded", total);
        put_number(status, "failed", failed);
        if let Some(end) = over {
            put(job, if end.failed { "Failed" } else { "Complete" }, end, now);
            if !end.failed {
                let status = field::child(job, "status");
                field::default(status, "completionTime", now.to_string());
            }
        }
    });
    match over {
        Some(end) if end.failed => {
            context.tell(COMPONENT, job, &Note::warning(end.reason, end.message.clone()));
        }
        Some(_) => context.tell(COMPONENT, job, &Note::normal("Completed", "Job completed")),
        None => {}
    }
}

/// Pods that have ended and are not in the totals yet.
fn uncounted(good: &[&str], bad: &[&str]) -> Value {
    let mut uncounted = json!({});
    for (key, uids) in [("succeeded", good), ("failed", bad)] {
        if !uids.is_empty() {
            uncounted[key] = json!(uids);
        }
    }
    uncounted
}

/// A failed pod whose index will be tried again is kept until its successor is there, as it
/// carries the number of failures.
fn waits_for_successor(job: &Value, pods: &[Object], pod: &Object) -> bool {
    if !index::has_own_limit(job) || is_last_try(job, pod) {
        return false;
    }
    let sum = |pod: &Object| {
        let (counted, ignored) = index::failures(pod);
        counted + ignored
    };
    let of = index::of(pod);
    !pods.iter().any(|other| index::of(other) == of && sum(other) > sum(pod))
}

fn put_number(status: &mut serde_json::Map<String, Value>, key: &str, n: i64) {
    match n {
        0 => drop(status.remove(key)),
        n => drop(status.insert(key.into(), n.into())),
    }
}

fn note(job: &mut Value, count: &Count, now: Timestamp) {
    let suspended = field::flag(job, "/spec/suspend");
    let status = field::child(job, "status");
    if !suspended {
        field::default(status, "startTime", now.to_string());
    }
    put_number(status, "active", count.active);
    status.insert("ready".into(), count.ready.into());
    status.insert("terminating".into(), count.terminating.into());
}

fn tell_indexes(job: &mut Value, count: &Count) {
    if !index::is_indexed(job) {
        return;
    }
    let own = index::has_own_limit(job);
    let status = field::child(job, "status");
    let told = [("completedIndexes", &count.done, false), ("failedIndexes", &count.given_up, own)];
    for (key, indexes, always) in told {
        match index::write(indexes) {
            text if text.is_empty() && !always => drop(status.remove(key)),
            text => drop(status.insert(key.into(), text.into())),
        }
    }
}

fn put(job: &mut Value, kind: &str, end: &End, now: Timestamp) {
    set_condition(job, kind, "True", (end.reason, &end.message), now);
    stamp(job, kind, now);
}

fn stamp(job: &mut Value, kind: &str, now: Timestamp) {
    if let Some(condition) = condition_mut(job, kind)
        && condition.get("lastProbeTime").is_none()
    {
        condition["lastProbeTime"] = now.to_string().into();
    }
}

/// A Job that was suspended says so, and so does one that was taken up again.
fn suspend(job: &mut Value, now: Timestamp) {
    let suspended = field::flag(job, "/spec/suspend");
    let known = field::condition(job, "Suspended").map(|c| c["status"] == "True");
    match (suspended, known) {
        (true, None | Some(false)) => {
            set_condition(job, "Suspended", "True", ("JobSuspended", "Job suspended"), now);
        }
        (false, Some(true)) => {
            set_condition(job, "Suspended", "False", ("JobResumed", "Job resumed"), now);
            field::child(job, "status").insert("startTime".into(), now.to_string().into());
        }
        _ => return,
    }
    if let Some(condition) = condition_mut(job, "Suspended") {
        condition["lastProbeTime"] = now.to_string().into();
    }
}

fn tell_suspension(context: &mut Context<'_>, before: &Object) {
    let suspended = field::flag(before, "/spec/suspend");
    let known = field::condition(before, "Suspended").map(|c| c["status"] == "True");
    match (suspended, known) {
        (true, None | Some(false)) => {
            context.tell(COMPONENT, before, &Note::normal("Suspended", "Job suspended"));
        }
        (false, Some(true)) => {
            context.tell(COMPONENT, before, &Note::normal("Resumed", "Job resumed"));
        }
        _ => {}
    }
}
