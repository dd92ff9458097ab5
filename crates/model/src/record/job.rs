//! What only Jobs and CronJobs have: attempts, deadlines and schedules.

use std::fmt;

use serde::Deserialize;
use serde::de::{IgnoredAny, SeqAccess, Visitor};

use super::Workload;
use super::workload::NameWire;
use crate::{Kind, List, Text, Timestamp, Truth};

/// Figures of a Job or CronJob.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct JobStatus {
    /// What it was told; of a CronJob, what its Jobs are told.
    pub plan: JobPlan,
    /// Failed pods.
    pub failed: i64,
    /// Succeeded pods.
    pub succeeded: i64,
    /// Pods (of a CronJob: Jobs) that run.
    pub active: i64,
    /// Names of the Jobs that run (CronJob).
    pub active_jobs: List<Text>,
    /// When it began.
    pub started: Option<Timestamp>,
    /// When it was done.
    pub completed: Option<Timestamp>,
    /// Last run (CronJob).
    pub last_scheduled: Option<Timestamp>,
    /// The same, in seconds ago, where a table gives that.
    pub last_scheduled_age_seconds: Option<u32>,
    /// Last run that went well (CronJob).
    pub last_succeeded: Option<Timestamp>,
    /// The word under STATUS of a table: `Running`, `Complete`, `Failed`, `Suspended`.
    pub word: Text,
}

/// What a Job or CronJob was told.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct JobPlan {
    /// Failures allowed.
    pub backoff_limit: Option<i64>,
    /// Time allowed, in seconds.
    pub deadline_seconds: Option<i64>,
    /// Pods that must succeed.
    pub completions: Option<i64>,
    /// Schedule (CronJob).
    pub schedule: Text,
    /// Time zone of the schedule; empty for that of the controller manager.
    pub time_zone: Text,
    /// `Allow`, `Forbid` or `Replace`; empty means `Allow`.
    pub concurrency: Text,
    /// How late a run may begin, in seconds.
    pub starting_deadline_seconds: Option<i64>,
}

/// Running pods of a Job are a number, running Jobs of a CronJob a list.
#[derive(Debug, Default)]
pub(super) enum Running {
    #[default]
    Nothing,
    Pods(i64),
    Jobs(Vec<Text>),
}

impl<'de> Deserialize<'de> for Running {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        struct Either;
        impl<'de> Visitor<'de> for Either {
            type Value = Running;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number of pods or a list of Jobs")
            }
            fn visit_unit<E>(self) -> Result<Running, E> {
                Ok(Running::Nothing)
            }
            fn visit_i64<E>(self, n: i64) -> Result<Running, E> {
                Ok(Running::Pods(n))
            }
            fn visit_u64<E>(self, n: u64) -> Result<Running, E> {
                Ok(Running::Pods(i64::try_from(n).unwrap_or(i64::MAX)))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Running, A::Error> {
                let mut names = Vec::new();
                while let Some(job) = seq.next_element::<NameWire>()? {
                    if names.len() < MOST_JOBS {
                        names.push(job.name);
                        continue;
                    }
                    while seq.next_element::<IgnoredAny>()?.is_some() {}
                }
                Ok(Running::Jobs(names))
            }
        }
        d.deserialize_any(Either)
    }
}

/// Names of running Jobs that are kept.
const MOST_JOBS: usize = 32;

impl JobStatus {
    /// Takes over how it is, not what it was told.
    pub(super) fn take_status(&mut self, other: &JobStatus) {
        let plan = std::mem::take(&mut self.plan);
        let word = std::mem::take(&mut self.word);
        let failed = self.failed;
        let (last, age) = (self.last_scheduled, self.last_scheduled_age_seconds);
        self.clone_from(other);
        self.plan = plan;
        // A description has the time, the row of a table how long ago that was.
        self.last_scheduled = self.last_scheduled.or(last);
        self.last_scheduled_age_seconds = self.last_scheduled_age_seconds.or(age);
        if self.word.is_empty() {
            self.word = word;
        } else {
            // The row of a table does not count failures.
            self.failed = failed.max(other.failed);
        }
    }
}

impl JobPlan {
    /// Takes over what the other says; what it does not say stays.
    pub(super) fn complete(&mut self, other: &JobPlan) {
        let word = |mine: &mut Text, theirs: &Text| {
            if !theirs.is_empty() {
                mine.clone_from(theirs);
            }
        };
        self.backoff_limit = other.backoff_limit.or(self.backoff_limit);
        self.deadline_seconds = other.deadline_seconds.or(self.deadline_seconds);
        self.completions = other.completions.or(self.completions);
        self.starting_deadline_seconds =
            other.starting_deadline_seconds.or(self.starting_deadline_seconds);
        word(&mut self.schedule, &other.schedule);
        word(&mut self.time_zone, &other.time_zone);
        word(&mut self.concurrency, &other.concurrency);
    }
}

impl Workload {
    /// Whether it is a Job that is done.
    pub fn is_complete(&self) -> bool {
        let says = |kind: &str| self.condition(kind).is_some_and(|c| c.status == Truth::True);
        let Some(job) = self.job.as_ref().filter(|_| self.kind == Kind::Job) else { return false };
        let failed = says("Failed") || says("FailureTarget") || job.word == "Failed";
        let done = job.active == 0 && job.succeeded > 0 && {
            let wanted = job.plan.completions.unwrap_or(1);
            job.succeeded >= wanted
        };
        says("Complete") || job.word == "Complete" || (done && !failed)
    }
}
