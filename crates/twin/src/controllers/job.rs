//! Jobs: pods until enough have succeeded, or too many failed.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::json;

use super::{Place, has_ended, is_active, is_ready, owned_by, owner_of, place, reference};
use crate::cluster::{Actor, Context};
use crate::field;
use crate::kinds::{JOB, POD};
use crate::registry::{DeleteOptions, Note, Part};
use crate::store::{Change, Object};
use crate::world::set_condition;

const COMPONENT: &str = "job-controller";
/// Keeps an ended pod until it was counted.
const TRACKING: &str = "batch.kubernetes.io/job-tracking";

/// The controller.
#[derive(Debug, Default)]
pub(super) struct Jobs;

impl Actor for Jobs {
    fn name(&self) -> &str {
        COMPONENT
    }

    fn reads(&self, change: &Change) -> bool {
        change.key.resource == JOB.storage || change.key.resource == POD.storage
    }

    fn step(&mut self, changes: &[Arc<Change>], context: &mut Context<'_>) {
        let mut touched: BTreeSet<Place> = BTreeSet::new();
        for object in changes.iter().filter_map(|c| c.object()) {
            match object["kind"] == JOB.kind {
                true => touched.extend([place(object)]),
                false => {
                    touched.extend(owner_of(object, JOB.kind));
                    release_orphan(context, object);
                }
            }
        }
        for (namespace, name) in touched {
            let found = context.registry.get(&JOB, &namespace, &name).map(Arc::clone);
            if let Ok(job) = found {
                sync(context, &job);
            }
        }
    }
}

/// A pod whose Job is gone is counted by nobody.
fn release_orphan(context: &mut Context<'_>, pod: &Object) {
    let Some((namespace, name)) = owner_of(pod, JOB.kind) else { return };
    if context.registry.get(&JOB, &namespace, &name).is_err() {
        release(context, pod);
    }
}

fn release(context: &mut Context<'_>, pod: &Object) {
    if field::list(pod, "/metadata/finalizers").iter().any(|one| one == TRACKING) {
        let written = context.registry.modify(&POD, pod, Part::Spec, |pod| {
            if let Some(all) = pod["metadata"]["finalizers"].as_array_mut() {
                all.retain(|one| one != TRACKING);
            }
        });
        // The pod may be gone by now.
        drop(written);
    }
}

fn is_over(job: &Object) -> bool {
    ["Complete", "Failed"].iter().any(|kind| field::condition_is(job, kind, "True"))
}

fn sync(context: &mut Context<'_>, job: &Object) {
    let pods = owned_by(context.registry, POD.storage, job);
    let uncounted =
        |pod: &&Object| field::list(pod, "/metadata/finalizers").iter().any(|one| one == TRACKING);
    let ended: Vec<_> = pods.iter().filter(|p| uncounted(p) && has_ended(p)).cloned().collect();
    let of_phase =
        |phase: &str| ended.iter().filter(|pod| field::text(pod, "/status/phase") == phase).count();
    let (more, lost) = (of_phase("Succeeded") as i64, of_phase("Failed") as i64);
    let succeeded = field::number(job, "/status/succeeded") + more;
    let failed = field::number(job, "/status/failed") + lost;
    for pod in &ended {
        release(context, pod);
    }
    let mut active: Vec<_> = pods.iter().filter(|p| is_active(p)).cloned().collect();
    let wanted = job["spec"]["completions"].as_i64();
    let is_done = match wanted {
        Some(wanted) => succeeded >= wanted,
        None => succeeded > 0 && active.is_empty(),
    };
    let is_lost = failed > field::number(job, "/spec/backoffLimit");
    let suspended = field::flag(job, "/spec/suspend");
    let mut made = 0;
    if is_over(job) || is_done || is_lost || suspended || field::is_deleting(job) {
        if is_over(job) || is_lost || suspended {
            for pod in active.drain(..) {
                release(context, &pod);
                delete(context, job, &pod);
            }
        }
    } else {
        let parallel = job["spec"]["parallelism"].as_i64().unwrap_or(1);
        let left = wanted.map_or(parallel, |wanted| (wanted - succeeded).min(parallel));
        let left = if wanted.is_none() && succeeded > 0 { 0 } else { left };
        for _ in active.len() as i64..left {
            made += i64::from(create(context, job));
        }
    }
    let ready = active.iter().filter(|pod| is_ready(pod)).count();
    let active = active.len() as i64 + made;
    write_status(context, job, [active, ready as i64, succeeded, failed], (is_done, is_lost));
}

fn create(context: &mut Context<'_>, job: &Object) -> bool {
    let mut pod = job.pointer("/spec/template").cloned().unwrap_or_else(|| json!({}));
    let metadata = field::child(&mut pod, "metadata");
    metadata.insert("generateName".into(), format!("{}-", field::name(job)).into());
    metadata.insert("ownerReferences".into(), reference(job));
    metadata.insert("finalizers".into(), json!([TRACKING]));
    match context.registry.create(&POD, field::namespace(job), pod) {
        Ok(pod) => {
            let text = format!("Created pod: {}", field::name(&pod));
            context.tell(COMPONENT, job, &Note::normal("SuccessfulCreate", text));
            true
        }
        Err(why) => {
            let text = format!("Error creating: {why}");
            context.tell(COMPONENT, job, &Note::warning("FailedCreate", text));
            false
        }
    }
}

fn delete(context: &mut Context<'_>, job: &Object, pod: &Object) {
    let (namespace, name) = place(pod);
    if context.registry.delete(&POD, &namespace, &name, &DeleteOptions::default()).is_ok() {
        let text = format!("Deleted pod: {name}");
        context.tell(COMPONENT, job, &Note::normal("SuccessfulDelete", text));
    }
}

fn write_status(
    context: &mut Context<'_>,
    job: &Object,
    [active, ready, succeeded, failed]: [i64; 4],
    (is_done, is_lost): (bool, bool),
) {
    let now = context.now();
    let was_over = is_over(job);
    const REACHED: &str = "Reached expected number of succeeded pods";
    const TOO_MANY: &str = "Job has reached the specified backoff limit";
    let written = context.registry.modify(&JOB, job, Part::Status, |job| {
        if !was_over && is_done {
            for kind in ["SuccessCriteriaMet", "Complete"] {
                set_condition(job, kind, "True", ("CompletionsReached", REACHED), now);
            }
        } else if !was_over && is_lost {
            for kind in ["FailureTarget", "Failed"] {
                set_condition(job, kind, "True", ("BackoffLimitExceeded", TOO_MANY), now);
            }
        }
        for condition in job["status"]["conditions"].as_array_mut().into_iter().flatten() {
            let since = condition["lastTransitionTime"].clone();
            if condition.get("lastProbeTime").is_none() {
                condition["lastProbeTime"] = since;
            }
        }
        let status = field::child(job, "status");
        field::default(status, "startTime", now.to_string());
        if is_done {
            field::default(status, "completionTime", now.to_string());
        }
        status.insert("ready".into(), ready.into());
        status.insert("terminating".into(), 0.into());
        status.insert("uncountedTerminatedPods".into(), json!({}));
        for (key, n) in [("active", active), ("succeeded", succeeded), ("failed", failed)] {
            match n {
                0 => drop(status.remove(key)),
                n => drop(status.insert(key.into(), n.into())),
            }
        }
    });
    // The Job may have been removed by its own deletion.
    drop(written);
    if !was_over && is_done {
        context.tell(COMPONENT, job, &Note::normal("Completed", "Job completed".to_owned()));
    } else if !was_over && is_lost {
        let note = Note::warning("BackoffLimitExceeded", TOO_MANY.to_owned());
        context.tell(COMPONENT, job, &note);
    }
}
