//! Pods that wait for a node, and what the scheduler has said about them.

use model::record::{ClusterEvent, Known, Pod, PodSpec};
use model::{App, Evidence, Kind, Snapshot, Timestamp, Truth};

use super::message::{self, Refusal};
use crate::evidence;

/// A workload with pods that wait for a node.
pub(crate) struct Waiting<'s> {
    /// The workload.
    pub(crate) app: &'s App,
    /// Its waiting pods, never none.
    pub(crate) pods: Vec<&'s Pod>,
    /// What was said about one of them; `None` when nothing was, or it is not shown.
    pub(crate) told: Option<Told>,
    /// What they ask for, as far as it is known.
    pub(crate) spec: Option<PodSpec>,
    /// Whether affinity and scheduler are known too.
    pub(crate) placement_known: bool,
}

/// What was said about a waiting pod.
#[derive(Clone, Debug)]
pub(crate) struct Told {
    /// The reasons, when they were understood.
    pub(crate) refusal: Option<Refusal>,
    /// The statement itself.
    pub(crate) evidence: Evidence,
    /// When it was said first.
    pub(crate) first: Option<Timestamp>,
}

impl<'s> Waiting<'s> {
    /// The workload's waiting pods, if it has any.
    pub(crate) fn of(app: &'s App, now: &'s Snapshot) -> Option<Self> {
        let pods: Vec<&Pod> = app.running().filter(|p| waits(p)).collect();
        let first = *pods.first()?;
        let mut told: Vec<Told> = pods.iter().filter_map(|p| of_pod(p, now)).collect();
        told.sort_by_key(|t| (t.refusal.is_some(), t.evidence.at));
        let (spec, placement_known) = spec_of(first, app);
        Some(Waiting { app, told: told.pop(), pods, spec, placement_known })
    }

    /// The oldest pod's creation, else when the scheduler first complained.
    pub(crate) fn since(&self, now: &Snapshot) -> Option<Timestamp> {
        let created = self.pods.iter().filter_map(|p| created(p, now)).min();
        created.or_else(|| self.told.as_ref().and_then(|t| t.first)).filter(|_| now.has_time)
    }

    /// How many of its pods wait, in words.
    pub(crate) fn count(&self) -> String {
        let all = self.app.running().count();
        let wait = if self.pods.len() == 1 { "waits" } else { "wait" };
        format!("{} of {all} pods {wait} for a node", self.pods.len())
    }
}

/// When a pod was made, also where only its age is known.
pub(crate) fn created(pod: &Pod, now: &Snapshot) -> Option<Timestamp> {
    let by_age = || pod.meta.age_seconds.map(|age| now.now.minus_seconds(i64::from(age)));
    pod.meta.created.or_else(by_age)
}

/// Whether a pod waits for a node.
pub(crate) fn waits(pod: &Pod) -> bool {
    pod.is_unscheduled() || is_gated(pod)
}

/// Whether a pod is held back by a gate.
pub(crate) fn is_gated(pod: &Pod) -> bool {
    let said = pod.conditions.iter().any(|c| c.reason() == "SchedulingGated");
    said || pod.summary.as_ref().is_some_and(|s| s.status == "SchedulingGated")
}

/// Whether this is an event of a scheduler that found no node.
pub(crate) fn is_refusal(e: &ClusterEvent) -> bool {
    e.reason == "FailedScheduling" && !e.message.contains("skip schedule deleting pod")
}

fn of_pod(pod: &Pod, now: &Snapshot) -> Option<Told> {
    let object = pod.meta.object(Kind::Pod);
    let event = now.events_about(&object).iter().rfind(|e| is_refusal(e));
    let condition =
        pod.conditions.iter().find(|c| c.kind == "PodScheduled" && c.status != Truth::True);
    if let Some(c) = condition.filter(|c| !c.message().is_empty() || event.is_none()) {
        return Some(Told {
            refusal: message::parse(c.message()),
            evidence: evidence::condition(pod.meta.source, &object, c),
            first: c.since,
        });
    }
    let event = event?;
    Some(Told {
        refusal: message::parse(&event.message),
        evidence: evidence::event(event, now)?,
        first: evidence::first_time(event, now),
    })
}

/// What a pod asks for. `describe` hides affinity and scheduler of a pod; the template may
/// show them.
pub(crate) fn spec_of(pod: &Pod, app: &App) -> (Option<PodSpec>, bool) {
    let workload = app.workload.as_ref();
    let template = workload.and_then(|w| w.template.as_deref());
    let template_placed = workload.is_some_and(|w| w.meta.known.has(Known::PLACEMENT));
    if !pod.meta.known.has(Known::SPEC) {
        let placed = template_placed || pod.meta.known.has(Known::PLACEMENT);
        return (app.spec().filter(|_| app.shows_spec()).cloned(), placed);
    }
    let mut spec = (*pod.spec).clone();
    if pod.meta.known.has(Known::PLACEMENT) {
        return (Some(spec), true);
    }
    if let Some(template) = template.filter(|_| template_placed) {
        spec.affinity.clone_from(&template.affinity);
        spec.spread.clone_from(&template.spread);
        spec.scheduler.clone_from(&template.scheduler);
        spec.scheduling_gates.clone_from(&template.scheduling_gates);
    }
    (Some(spec), template_placed)
}
