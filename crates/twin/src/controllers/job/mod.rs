//! Jobs: pods until enough have succeeded, or too many failed.

mod backoff;
mod count;
mod index;
mod make;
mod policy;
mod status;

use std::collections::BTreeMap;
use std::sync::Arc;

use model::Timestamp;
use serde_json::Value;

use super::work::Work;
use super::{Place, has_ended, owned_by, owner_of, place};
use crate::cluster::{Actor, Context};
use crate::field;
use crate::kernel::{SECOND, plus};
use crate::kinds::{JOB, POD};
use crate::registry::Part;
use crate::store::{Change, Object, sealed};

use backoff::Failures;
use count::Count;
use status::End;

const COMPONENT: &str = "job-controller";
/// Keeps an ended pod until it was counted.
const TRACKING: &str = "batch.kubernetes.io/job-tracking";
/// Changes of pods are gathered for this long.
const BATCH: i64 = SECOND;

/// The controller.
#[derive(Debug, Default)]
pub(super) struct Jobs {
    work: Work,
    /// Failures of each Job since its last success.
    failures: BTreeMap<Place, Failures>,
}

impl Actor for Jobs {
    fn name(&self) -> &str {
        COMPONENT
    }

    fn reads(&self, change: &Change) -> bool {
        change.key.resource == JOB.storage || change.key.resource == POD.storage
    }

    fn step(&mut self, changes: &[Arc<Change>], context: &mut Context<'_>) {
        let now = context.now();
        for change in changes {
            let Some(object) = change.object() else { continue };
            if object["kind"] == JOB.kind {
                let at = if is_told_by_itself(change) { plus(now, BATCH) } else { now };
                self.work.add(place(object), at);
            } else if let Some(owner) = owner_of(object, JOB.kind) {
                self.work.add(owner, plus(now, BATCH));
                release_orphan(context, object);
            }
        }
        for place in self.work.take(now) {
            let found = context.registry.get(&JOB, &place.0, &place.1).map(Arc::clone);
            match found {
                Ok(job) if is_ours(&job) => {
                    let failures = self.failures.entry(place.clone()).or_default();
                    let again = sync(context, &job, failures);
                    if let Again::Failed = again {
                        self.work.retry(&place, now);
                        continue;
                    }
                    self.work.forgive(&place);
                    if let Again::At(at) = again {
                        self.work.add(place, at);
                    }
                }
                Ok(_) => {}
                Err(_) => drop(self.failures.remove(&place)),
            }
        }
        if let Some(next) = self.work.next() {
            context.wake(next);
        }
    }
}

/// Somebody else may have been given the care of a Job.
fn is_ours(job: &Value) -> bool {
    matches!(field::text(job, "/spec/managedBy"), "" | "kubernetes.io/job-controller")
}

/// Whether only the status of a Job changed.
fn is_told_by_itself(change: &Change) -> bool {
    let (Some(before), Some(after)) = (&change.before, &change.after) else { return false };
    before["metadata"]["generation"] == after["metadata"]["generation"]
        && field::is_deleting(before) == field::is_deleting(after)
}

/// A pod whose Job is gone is counted by nobody.
fn release_orphan(context: &mut Context<'_>, pod: &Object) {
    let Some((namespace, name)) = owner_of(pod, JOB.kind) else { return };
    if context.registry.get(&JOB, &namespace, &name).is_err() {
        release(context, pod);
    }
}

fn release(context: &mut Context<'_>, pod: &Object) {
    if is_tracked(pod) {
        super::garbage::release(context, pod, TRACKING);
    }
}

fn is_tracked(pod: &Value) -> bool {
    super::garbage::has_finalizer(pod, TRACKING)
}

fn is_over(job: &Value) -> bool {
    ["Complete", "Failed"].iter().any(|kind| field::condition_is(job, kind, "True"))
}

/// Whether a pod is replaced only when it has ended.
fn waits_for_end(job: &Value) -> bool {
    field::text(job, "/spec/podReplacementPolicy") == "Failed"
        || job["spec"]["podFailurePolicy"].is_object()
}

/// Whether a pod counts as failed: one that is being deleted does too, if it need not have ended.
fn is_failed(job: &Value, pod: &Value) -> bool {
    let phase = field::text(pod, "/status/phase");
    phase == "Failed" || !waits_for_end(job) && field::is_deleting(pod) && phase != "Succeeded"
}

/// When to look at a Job again.
enum Again {
    Never,
    At(Timestamp),
    /// Pods were refused.
    Failed,
}

fn sync(context: &mut Context<'_>, job: &Object, failures: &mut Failures) -> Again {
    if is_over(job) {
        return Again::Never;
    }
    let now = context.now();
    let job = &begin(context, job);
    let pods = owned_by(context.registry, POD.storage, job);
    let mut count = Count::of(job, &pods);
    failures.count(&count.fresh(&pods), now);
    let mut end = status::end_told(job).or_else(|| status::lost(job, &pods, &count, now));
    if end.is_none() {
        end = count.met_policy(job).map(|rule| {
            let text = format!("Matched rules at index {rule}");
            End { failed: false, reason: "SuccessPolicy", message: text }
        });
    }
    let mut again = deadline(job).filter(|at| *at > now).map_or(Again::Never, Again::At);
    if end.is_some() {
        make::delete_active(context, job, &pods, &mut count);
    } else {
        if !field::is_deleting(job) {
            match make::manage(context, job, &pods, &mut count, failures) {
                make::Made::All => {}
                make::Made::Later(at) => again = earlier(again, at),
                make::Made::Refused => again = Again::Failed,
            }
        }
        if count.is_complete(job) {
            let text = "Reached expected number of succeeded pods".to_owned();
            end = Some(End { failed: false, reason: "CompletionsReached", message: text });
        }
    }
    status::track(context, job, &pods, &count, end.as_ref());
    again
}

/// A Job that is not suspended has begun.
fn begin(context: &mut Context<'_>, job: &Object) -> Object {
    let now = context.now().to_string();
    if job["status"]["startTime"].is_string() || field::flag(job, "/spec/suspend") {
        return Arc::clone(job);
    }
    let mut begun = Value::clone(job);
    field::child(&mut begun, "status").insert("startTime".into(), now.into());
    sealed(begun)
}

fn earlier(again: Again, at: Timestamp) -> Again {
    match again {
        Again::At(known) => Again::At(known.min(at)),
        _ => Again::At(at),
    }
}

/// When a Job will have been at work for too long.
fn deadline(job: &Value) -> Option<Timestamp> {
    let seconds = job["spec"]["activeDeadlineSeconds"].as_i64()?;
    let start = field::time(job, "/status/startTime")?;
    (!field::flag(job, "/spec/suspend")).then(|| start.plus_seconds(seconds))
}

/// Writes the status, if the Job is still there.
fn write(context: &mut Context<'_>, job: &Object, change: impl FnOnce(&mut Value)) {
    let written = context.registry.modify(&JOB, job, Part::Status, change);
    // It may have been removed by its own deletion.
    drop(written);
}
