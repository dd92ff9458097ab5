//! How the pods of a Job stand.

use serde_json::Value;

use super::index::{self, Indexes};
use super::policy::{self, Verdict};
use super::{is_failed, is_tracked};
use crate::controllers::{has_ended, is_active, is_ready};
use crate::field;
use crate::store::Object;

/// Numbers of pods, those that ended since the last count included.
#[derive(Debug, Default)]
pub(super) struct Count {
    pub active: i64,
    pub ready: i64,
    pub terminating: i64,
    pub succeeded: i64,
    pub failed: i64,
    /// More failures than were counted before.
    pub has_new_failure: bool,
    /// Indexes that are done, and those that are given up.
    pub done: Indexes,
    pub given_up: Indexes,
}

impl Count {
    pub fn of(job: &Value, pods: &[Object]) -> Self {
        let tracked: Vec<Object> = pods.iter().filter(|pod| is_tracked(pod)).cloned().collect();
        let number =
            |of: &dyn Fn(&Object) -> bool| pods.iter().filter(|pod| of(pod)).count() as i64;
        let failed = tracked
            .iter()
            .filter(|pod| is_failed(job, pod) && policy::judge(job, pod) != Verdict::Ignore);
        let counted = field::number(job, "/status/failed");
        let failed = counted + failed.count() as i64;
        let mut count = Self {
            active: number(&|pod| is_active(pod)),
            ready: number(&|pod| is_active(pod) && is_ready(pod)),
            terminating: number(&|pod| field::is_deleting(pod) && !has_ended(pod)),
            failed,
            has_new_failure: failed > counted,
            ..Self::default()
        };
        if index::is_indexed(job) {
            count.done = index::succeeded(job, &tracked);
            count.succeeded = count.done.len() as i64;
            count.given_up = given_up(job, &tracked);
        } else {
            let done = |pod: &&Object| field::text(pod, "/status/phase") == "Succeeded";
            let fresh = tracked.iter().filter(done).count() as i64;
            count.succeeded = field::number(job, "/status/succeeded") + fresh;
        }
        count
    }

    /// Pods that ended and were not counted yet.
    pub fn fresh<'p>(&self, pods: &'p [Object]) -> Vec<&'p Object> {
        pods.iter().filter(|pod| is_tracked(pod) && has_ended(pod)).collect()
    }

    /// The rule of the success policy that is met.
    pub fn met_policy(&self, job: &Value) -> Option<usize> {
        index::is_indexed(job).then(|| policy::success_rule(job, &self.done)).flatten()
    }

    /// Whether nothing is left to do.
    pub fn is_complete(&self, job: &Value) -> bool {
        match job["spec"]["completions"].as_i64() {
            Some(wanted) => self.succeeded >= wanted && self.active == 0,
            None => self.succeeded > 0 && self.active == 0,
        }
    }
}

/// Whether the index of a failed pod is given up with it.
pub(super) fn is_last_try(job: &Value, pod: &Value) -> bool {
    let limit = field::number(job, "/spec/backoffLimitPerIndex");
    match policy::judge(job, pod) {
        Verdict::FailIndex => true,
        Verdict::Ignore => false,
        _ => index::failures(pod).0 >= limit,
    }
}

/// Indexes that failed more often than they may.
fn given_up(job: &Value, tracked: &[Object]) -> Indexes {
    if !index::has_own_limit(job) {
        return Indexes::new();
    }
    let end = field::number(job, "/spec/completions");
    let mut all = index::read(field::text(job, "/status/failedIndexes"), end);
    let last = tracked.iter().filter(|pod| is_failed(job, pod) && is_last_try(job, pod));
    all.extend(last.filter_map(|pod| index::of(pod)).filter(|index| *index < end));
    all
}
