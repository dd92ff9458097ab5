//! Making and deleting the pods of a Job.

use model::Timestamp;
use serde_json::{Value, json};

use super::backoff::{self, Failures};
use super::count::Count;
use super::index::{self, FAILURES, IGNORED, INDEX, Indexes};
use super::policy::{self, Verdict};
use super::{COMPONENT, TRACKING, is_failed, waits_for_end};
use crate::cluster::Context;
use crate::controllers::{is_active, is_ready, pods as common};
use crate::field;
use crate::store::Object;

/// Pods made or deleted in one go.
const MOST: usize = 500;

/// Whether all pods that are wanted were made.
pub(super) enum Made {
    All,
    /// Some have to wait.
    Later(Timestamp),
    /// One was refused.
    Refused,
}

/// Deletes the pods that are at work.
pub(super) fn delete_active(
    context: &mut Context<'_>,
    job: &Object,
    pods: &[Object],
    count: &mut Count,
) {
    for pod in pods.iter().filter(|pod| is_active(pod)) {
        delete(context, job, pod, count);
    }
}

fn delete(context: &mut Context<'_>, job: &Object, pod: &Object, count: &mut Count) {
    if common::delete(context, COMPONENT, job, pod) {
        count.active -= 1;
        count.ready -= i64::from(is_ready(pod));
        count.terminating += 1;
    }
}

/// One step towards as many pods as are wanted: either deletes some or makes some.
pub(super) fn manage(
    context: &mut Context<'_>,
    job: &Object,
    pods: &[Object],
    count: &mut Count,
    failures: &Failures,
) -> Made {
    if field::flag(job, "/spec/suspend") {
        delete_active(context, job, pods, count);
        return Made::All;
    }
    let parallel = job["spec"]["parallelism"].as_i64().unwrap_or(1);
    let wanted = match job["spec"]["completions"].as_i64() {
        None if count.succeeded > 0 => count.active,
        None => parallel,
        Some(all) => (all - count.succeeded).min(parallel).max(0),
    };
    let surplus = surplus(job, pods, (count.active - wanted).max(0));
    if !surplus.is_empty() {
        for pod in surplus.into_iter().take(MOST) {
            delete(context, job, pod, count);
        }
        return Made::All;
    }
    let leaving = if waits_for_end(job) { count.terminating } else { 0 };
    let missing = usize::try_from(wanted - count.active - leaving).unwrap_or(0).min(MOST);
    if missing == 0 {
        return Made::All;
    }
    let now = context.now();
    let has_own = index::has_own_limit(job);
    if let Some(at) = failures.over_at().filter(|at| *at > now && !has_own) {
        return Made::Later(at);
    }
    if !index::is_indexed(job) {
        return make(context, job, count, vec![None; missing], &[]);
    }
    let taken = index::in_hand(job, pods, waits_for_end(job));
    let taken: Indexes = taken.iter().chain(&count.done).chain(&count.given_up).copied().collect();
    let mut pending = index::pending(job, &taken, missing);
    let waits = |index: &i64| last_failure(job, pods, *index).map(|pod| pause(pod, now));
    let next = pending.iter().filter_map(waits).filter(|at| *at > now).min();
    pending.retain(|index| waits(index).is_none_or(|at| at <= now));
    let made = make(context, job, count, pending.into_iter().map(Some).collect(), pods);
    match (made, next) {
        (Made::All, Some(at)) => Made::Later(at),
        (made, _) => made,
    }
}

/// Pods beyond what is wanted: second ones of an index, then those that will be missed least.
fn surplus<'p>(job: &Value, pods: &'p [Object], least: i64) -> Vec<&'p Object> {
    let mut active: Vec<&Object> = pods.iter().filter(|pod| is_active(pod)).collect();
    active.sort_by_cached_key(|pod| rank(pod));
    let mut chosen: Vec<&Object> = Vec::new();
    if index::is_indexed(job) {
        let end = field::number(job, "/spec/completions");
        let mut seen = Indexes::new();
        for pod in active.iter().rev() {
            match index::of(pod) {
                Some(index) if index < end && seen.insert(index) => {}
                _ => chosen.push(pod),
            }
        }
    }
    for pod in active {
        let more = (chosen.len() as i64) < least;
        if more && !chosen.iter().any(|known| field::uid(known) == field::uid(pod)) {
            chosen.push(pod);
        }
    }
    chosen
}

/// The order in which pods are given up.
fn rank(pod: &Value) -> (bool, bool, bool, std::cmp::Reverse<String>, String) {
    (
        !field::text(pod, "/spec/nodeName").is_empty(),
        field::text(pod, "/status/phase") == "Running",
        is_ready(pod),
        std::cmp::Reverse(field::text(pod, "/metadata/creationTimestamp").to_owned()),
        field::name(pod).to_owned(),
    )
}

/// The failed pod that an index was last tried with, where indexes have their own limit.
fn last_failure<'p>(job: &Value, pods: &'p [Object], index: i64) -> Option<&'p Object> {
    let mine = |pod: &&Object| index::of(pod) == Some(index) && is_failed(job, pod);
    let sum = |pod: &&Object| {
        let (counted, ignored) = index::failures(pod);
        counted + ignored
    };
    let own = index::has_own_limit(job);
    pods.iter().filter(mine).max_by_key(sum).filter(|_| own)
}

fn pause(pod: &Object, now: Timestamp) -> Timestamp {
    let (counted, ignored) = index::failures(pod);
    let times = u32::try_from(counted + ignored + 1).unwrap_or(u32::MAX);
    backoff::pause_after(times, backoff::end_of(pod, now))
}

fn make(
    context: &mut Context<'_>,
    job: &Object,
    count: &mut Count,
    indexes: Vec<Option<i64>>,
    pods: &[Object],
) -> Made {
    for index in indexes {
        let mut pod = common::of_template(job);
        pod["metadata"]["finalizers"] = json!([TRACKING]);
        if let Some(index) = index {
            mark(job, &mut pod, index, last_failure(job, pods, index));
        }
        if common::create(context, COMPONENT, job, pod).is_err() {
            return Made::Refused;
        }
        count.active += 1;
    }
    Made::All
}

/// Tells a pod which index it does.
fn mark(job: &Value, pod: &mut Value, index: i64, last: Option<&Object>) {
    let text = index.to_string();
    let name = format!("{}-{index}", field::name(job));
    let metadata = field::child(pod, "metadata");
    metadata.insert("generateName".into(), format!("{name}-").into());
    for part in ["annotations", "labels"] {
        metadata.entry(part).or_insert(json!({}))[INDEX] = text.clone().into();
    }
    if index::has_own_limit(job) {
        let (mut counted, mut ignored) = last.map_or((0, 0), |pod| index::failures(pod));
        match last.map(|pod| policy::judge(job, pod)) {
            Some(Verdict::Ignore) => ignored += 1,
            Some(_) => counted += 1,
            None => {}
        }
        metadata["annotations"][FAILURES] = counted.to_string().into();
        if ignored > 0 {
            metadata["annotations"][IGNORED] = ignored.to_string().into();
        }
    }
    let spec = field::child(pod, "spec");
    field::default(spec, "hostname", name);
    let source = json!({"fieldRef": {
        "apiVersion": "v1", "fieldPath": format!("metadata.labels['{INDEX}']"),
    }});
    for list in ["initContainers", "containers"] {
        for container in spec.get_mut(list).and_then(Value::as_array_mut).into_iter().flatten() {
            let own = json!({"name": "JOB_COMPLETION_INDEX", "valueFrom": source});
            if let Some(env) = field::child_of(container)
                .entry("env")
                .or_insert(json!([]))
                .as_array_mut()
                .filter(|env| env.iter().all(|known| known["name"] != own["name"]))
            {
                env.push(own);
            }
        }
    }
}
