//! Whatever makes pods: Deployment, ReplicaSet, StatefulSet, DaemonSet, Job, CronJob,
//! ReplicationController. One record for all, because most questions are the same.

use std::sync::Arc;

use serde::Deserialize;

use super::job::{JobPlan, JobStatus, Running};
use super::meta::common_parts;
use super::pod_spec::SpecReader;
use super::rollout::{RetentionWire, Rollout, StrategyWire};
use super::{Claim, Known, Meta, PodSpec, Record};
use crate::{Condition, Kind, Labels, List, Selector, Text, Timestamp, Truth};

/// A workload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Workload {
    /// Metadata.
    pub meta: Meta,
    /// Which kind of workload.
    pub kind: Kind,
    /// Which pods are its own.
    pub selector: Selector,
    /// Replicas wanted; for a Job its parallelism; `None` where there is no such number.
    pub replicas: Option<i64>,
    /// How many there are.
    pub counts: Counts,
    /// The pods it makes.
    pub template: Option<Arc<PodSpec>>,
    /// Their labels.
    pub template_labels: Arc<Labels>,
    /// Conditions, without those that say that all is well.
    pub conditions: List<Condition>,
    /// Volume claim templates (StatefulSet).
    pub claim_templates: List<Claim>,
    /// Whether it is paused or suspended.
    pub paused: bool,
    /// Job and CronJob figures.
    pub job: Option<Box<JobStatus>>,
    /// How pods are replaced, where it is not the usual way.
    pub rollout: Option<Box<Rollout>>,
}

/// Replica counts of a status.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Counts {
    /// Pods that exist.
    pub current: i64,
    /// Pods that are ready.
    pub ready: i64,
    /// Pods of the newest template.
    pub updated: i64,
    /// Pods that have been ready for long enough.
    pub available: i64,
}

#[derive(Deserialize)]
#[serde(bound = "S: Deserialize<'de>")]
struct Wire<S> {
    metadata: Meta,
    spec: Option<SpecWire<S>>,
    status: Option<StatusWire>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", bound = "S: Deserialize<'de>")]
struct SpecWire<S> {
    replicas: Option<i64>,
    parallelism: Option<i64>,
    selector: Option<Selector>,
    template: Option<TemplateWire<S>>,
    job_template: Option<JobTemplateWire<S>>,
    volume_claim_templates: Option<List<Claim>>,
    paused: Option<bool>,
    suspend: Option<bool>,
    backoff_limit: Option<i64>,
    active_deadline_seconds: Option<i64>,
    completions: Option<i64>,
    schedule: Option<Text>,
    time_zone: Option<Text>,
    concurrency_policy: Option<Text>,
    starting_deadline_seconds: Option<i64>,
    #[serde(alias = "updateStrategy")]
    strategy: Option<StrategyWire>,
    pod_management_policy: Option<Text>,
    progress_deadline_seconds: Option<i64>,
    min_ready_seconds: Option<i64>,
    persistent_volume_claim_retention_policy: Option<RetentionWire>,
}

#[derive(Deserialize)]
#[serde(bound = "S: Deserialize<'de>")]
struct TemplateWire<S> {
    metadata: Option<TemplateMeta>,
    spec: Option<S>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct TemplateMeta {
    labels: Labels,
}

#[derive(Deserialize)]
#[serde(bound = "S: Deserialize<'de>")]
struct JobTemplateWire<S> {
    spec: Option<JobSpecWire<S>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", bound = "S: Deserialize<'de>")]
struct JobSpecWire<S> {
    template: Option<TemplateWire<S>>,
    backoff_limit: Option<i64>,
    active_deadline_seconds: Option<i64>,
    completions: Option<i64>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct NameWire {
    pub(super) name: Text,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct StatusWire {
    replicas: Option<i64>,
    ready_replicas: Option<i64>,
    updated_replicas: Option<i64>,
    available_replicas: Option<i64>,
    number_ready: Option<i64>,
    number_available: Option<i64>,
    desired_number_scheduled: Option<i64>,
    current_number_scheduled: Option<i64>,
    updated_number_scheduled: Option<i64>,
    failed: Option<i64>,
    succeeded: Option<i64>,
    ready: Option<i64>,
    active: Running,
    active_count: Option<i64>,
    start_time: Option<Timestamp>,
    completion_time: Option<Timestamp>,
    last_schedule_time: Option<Timestamp>,
    last_schedule_age_seconds: Option<u32>,
    last_successful_time: Option<Timestamp>,
    current_revision: Option<Text>,
    update_revision: Option<Text>,
    summary: Option<SummaryWire>,
    conditions: List<Condition>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct SummaryWire {
    status: Text,
}

impl<S> SpecWire<S> {
    const EMPTY: Self = SpecWire {
        replicas: None,
        parallelism: None,
        selector: None,
        template: None,
        job_template: None,
        volume_claim_templates: None,
        paused: None,
        suspend: None,
        backoff_limit: None,
        active_deadline_seconds: None,
        completions: None,
        schedule: None,
        time_zone: None,
        concurrency_policy: None,
        starting_deadline_seconds: None,
        strategy: None,
        pod_management_policy: None,
        progress_deadline_seconds: None,
        min_ready_seconds: None,
        persistent_volume_claim_retention_policy: None,
    };

    /// How pods are replaced; `None` when that is the usual way.
    fn rollout(&mut self, status: &mut StatusWire) -> Option<Box<Rollout>> {
        let strategy = self.strategy.take().unwrap_or_default();
        let claims = self.persistent_volume_claim_retention_policy.take().unwrap_or_default();
        let parallel = self.pod_management_policy.as_deref() == Some("Parallel");
        let current = status.current_revision.take().unwrap_or_default();
        let update = status.update_revision.take().unwrap_or_default();
        let seconds = (self.progress_deadline_seconds, self.min_ready_seconds.unwrap_or(0));
        Rollout::of(strategy, claims, parallel, seconds, (current, update))
    }

    fn job(&mut self, status: &mut StatusWire) -> JobStatus {
        let inner = self.job_template.as_ref().and_then(|j| j.spec.as_ref());
        let of = |own: Option<i64>, inner: Option<Option<i64>>| own.or(inner.flatten());
        let (active, active_jobs) = match std::mem::take(&mut status.active) {
            Running::Nothing => (0, Vec::new()),
            Running::Pods(n) => (n, Vec::new()),
            Running::Jobs(names) => (names.len() as i64, names),
        };
        JobStatus {
            failed: status.failed.unwrap_or(0),
            succeeded: status.succeeded.unwrap_or(0),
            active: status.active_count.unwrap_or(active),
            active_jobs: active_jobs.into(),
            started: status.start_time,
            completed: status.completion_time,
            last_scheduled: status.last_schedule_time,
            last_scheduled_age_seconds: status.last_schedule_age_seconds,
            last_succeeded: status.last_successful_time,
            word: status.summary.take().unwrap_or_default().status,
            plan: JobPlan {
                backoff_limit: of(self.backoff_limit, inner.map(|s| s.backoff_limit)),
                deadline_seconds: of(
                    self.active_deadline_seconds,
                    inner.map(|s| s.active_deadline_seconds),
                ),
                completions: of(self.completions, inner.map(|s| s.completions)),
                schedule: self.schedule.take().unwrap_or_default(),
                time_zone: self.time_zone.take().unwrap_or_default(),
                concurrency: self.concurrency_policy.take().unwrap_or_default(),
                starting_deadline_seconds: self.starting_deadline_seconds,
            },
        }
    }
}

/// Whether a condition says more than that all is well.
fn tells(c: &Condition) -> bool {
    c.status != Truth::True || !matches!(c.kind.as_str(), "Available" | "Progressing")
}

impl Workload {
    /// Decodes a workload of this kind; its template's spec is read by `specs`.
    ///
    /// # Errors
    /// When the object is not shaped as the API shapes it.
    pub fn read<'de, D, S>(kind: Kind, d: D, specs: &S) -> Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
        S: SpecReader<'de>,
    {
        let wire = Wire::<S::Raw>::deserialize(d)?;
        let mut spec = wire.spec.unwrap_or(SpecWire::EMPTY);
        let mut status = wire.status.unwrap_or_default();
        let is_job = matches!(kind, Kind::Job | Kind::CronJob);
        let job = is_job.then(|| spec.job(&mut status));
        let rolls = matches!(kind, Kind::Deployment | Kind::StatefulSet);
        let rollout = if rolls { spec.rollout(&mut status) } else { None };
        let template = spec.template.or(spec.job_template.and_then(|j| j.spec?.template));
        let template = template.unwrap_or(TemplateWire { metadata: None, spec: None });
        let spec_of_template = template.spec.map(|raw| specs.read::<D::Error>(raw)).transpose()?;
        let mut selector = spec.selector.unwrap_or_default();
        if kind == Kind::ReplicationController {
            // Its selector is a plain map; its template must carry the same labels.
            let labels = template.metadata.as_ref().map(|m| m.labels.clone());
            selector = Selector::labels(labels.unwrap_or_default());
        }
        if wire.metadata.owner.is_some() {
            // What it owns names it; only the owner's selector is compared with anything.
            selector = Selector::default();
        }
        let first = |options: &[Option<i64>]| options.iter().flatten().next().copied();
        Ok(Workload {
            kind,
            selector,
            replicas: first(&[spec.replicas, spec.parallelism, status.desired_number_scheduled]),
            counts: Counts {
                current: first(&[status.replicas, status.current_number_scheduled]).unwrap_or(0),
                ready: first(&[status.ready_replicas, status.number_ready, status.ready])
                    .unwrap_or(0),
                updated: first(&[status.updated_replicas, status.updated_number_scheduled])
                    .unwrap_or(0),
                available: first(&[status.available_replicas, status.number_available])
                    .unwrap_or(0),
            },
            template: spec_of_template.map(|s| s.spec),
            template_labels: Arc::new(template.metadata.unwrap_or_default().labels),
            conditions: status.conditions.into_iter().filter(tells).collect(),
            claim_templates: spec.volume_claim_templates.unwrap_or_default(),
            paused: spec.paused.or(spec.suspend).unwrap_or(false),
            job: job.map(Box::new),
            rollout,
            meta: wire.metadata,
        })
    }

    /// The object itself.
    pub fn object(&self) -> crate::ObjectRef {
        self.meta.object(self.kind)
    }

    /// The condition of this type.
    pub fn condition(&self, kind: &str) -> Option<&Condition> {
        self.conditions.iter().find(|c| c.kind == kind)
    }
}

impl Record for Workload {
    const SHOWN_BY: &'static [(Known, &'static [&'static str])] = common_parts![
        // A wide row names containers and images, which is not the spec.
        (
            Known::SPEC,
            &[
                "/spec/template/spec/containers/0/resources",
                "/spec/jobTemplate/spec/template/spec/containers/0/resources",
            ]
        ),
        (Known::PLACEMENT, &["/spec/template/spec/affinity"]),
        (Known::SELECTOR, &["/spec/selector"]),
        (
            Known::REPLICAS,
            &[
                "/spec/replicas",
                "/status/desiredNumberScheduled",
                "/spec/parallelism",
                "/spec/completions",
                "/spec/schedule",
            ]
        ),
        (
            Known::STATUS,
            &[
                "/status/replicas",
                "/status/readyReplicas",
                "/status/availableReplicas",
                "/status/numberReady",
                "/status/failed",
                "/status/succeeded",
                "/status/active",
                "/status/activeCount",
                "/status/summary",
            ]
        ),
        (Known::CONDITIONS, &["/status/conditions"]),
        (Known::EVENTS, &["/eventsShown"]),
    ];

    fn meta(&self) -> &Meta {
        &self.meta
    }

    fn meta_mut(&mut self) -> &mut Meta {
        &mut self.meta
    }

    fn take(&mut self, part: Known, other: &Self) {
        match part {
            Known::SPEC => {
                let old = std::mem::replace(&mut self.template, other.template.clone());
                self.template_labels = Arc::clone(&other.template_labels);
                self.paused = other.paused;
                self.rollout.clone_from(&other.rollout);
                if !other.claim_templates.is_empty() {
                    let old = std::mem::take(&mut self.claim_templates);
                    // `describe` prints no selector, and templates never change.
                    let whole = |mut claim: Claim| {
                        claim.complete(old.iter().find(|c| c.meta.name == claim.meta.name));
                        claim
                    };
                    self.claim_templates =
                        other.claim_templates.iter().cloned().map(whole).collect();
                }
                let hidden = !other.meta.known.has(Known::PLACEMENT);
                if let (true, Some(new), Some(old)) = (hidden, &mut self.template, old) {
                    Arc::make_mut(new).take_placement(&old);
                }
            }
            Known::PLACEMENT => {
                if let (Some(mine), Some(theirs)) = (&mut self.template, &other.template) {
                    Arc::make_mut(mine).take_placement(theirs);
                }
            }
            Known::SELECTOR => self.selector.clone_from(&other.selector),
            Known::REPLICAS => {
                self.replicas = other.replicas.or(self.replicas);
                if let (Some(mine), Some(theirs)) = (&mut self.job, &other.job) {
                    self.paused |= other.paused;
                    mine.plan.complete(&theirs.plan);
                }
            }
            Known::STATUS => {
                self.counts = other.counts;
                if let (Some(mine), Some(theirs)) = (&mut self.job, &other.job) {
                    mine.take_status(theirs);
                }
            }
            Known::CONDITIONS => self.conditions.clone_from(&other.conditions),
            _ => {}
        }
    }
}
