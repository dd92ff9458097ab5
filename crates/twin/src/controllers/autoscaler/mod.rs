//! Horizontal autoscalers: as many pods as what they use asks for.

mod calculator;
mod limits;
mod metrics;

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;

use super::pods::picks;
use super::work::Work;
use super::{Place, place};
use crate::cluster::{Actor, Context};
use crate::field;
use crate::kernel::{SECOND, plus};
use crate::kinds::{HPA, Kind, POD};
use crate::registry::{Failure, Note, Part, scale_of, set_replicas};
use crate::store::{Change, Object};
use crate::world::set_condition;

use calculator::Tolerance;
use limits::Memory;
use metrics::{Metric, Scaled, Trouble};

const COMPONENT: &str = "horizontal-pod-autoscaler";
/// Metrics are asked for this often, the first time after one period.
const PERIOD: i64 = 15 * SECOND;
/// Use may be this much off the target.
const TOLERANCE: f64 = 0.1;

/// The controller.
#[derive(Debug, Default)]
pub(super) struct Autoscalers {
    work: Work,
    memories: BTreeMap<Place, Memory>,
}

impl Actor for Autoscalers {
    fn name(&self) -> &str {
        "horizontal-pod-autoscaler-controller"
    }

    fn reads(&self, change: &Change) -> bool {
        change.key.resource == HPA.storage && change.before.is_none()
    }

    fn step(&mut self, changes: &[Arc<Change>], context: &mut Context<'_>) {
        let now = context.now();
        for scaler in changes.iter().filter_map(|change| change.after.as_ref()) {
            self.work.add(place(scaler), plus(now, PERIOD));
        }
        for place in self.work.take(now) {
            let found = context.registry.get(&HPA, &place.0, &place.1).map(Arc::clone);
            match found {
                Ok(scaler) => {
                    let memory = self.memories.entry(place.clone()).or_default();
                    sync(context, &scaler, memory);
                    let next = context.soon(PERIOD, PERIOD + SECOND / 20);
                    self.work.add(place, next);
                }
                Err(_) => drop(self.memories.remove(&place)),
            }
        }
        if let Some(next) = self.work.next() {
            context.wake(next);
        }
    }
}

/// A condition of an autoscaler: type, status, reason, message.
type Told = (&'static str, &'static str, &'static str, String);

/// What one look at an autoscaler comes to.
#[derive(Default)]
struct Outcome {
    conditions: Vec<Told>,
    /// What each metric is; none if they were not read.
    metrics: Option<Vec<Value>>,
    current: i64,
    desired: Option<i64>,
    rescaled: bool,
}

fn sync(context: &mut Context<'_>, scaler: &Object, memory: &mut Memory) {
    let mut outcome = Outcome::default();
    if let Err(why) = look(context, scaler, memory, &mut outcome) {
        let text =
            format!("the HPA controller was unable to get the target's current scale: {why}");
        outcome.conditions.push(("AbleToScale", "False", "FailedGetScale", text));
        context.tell(COMPONENT, scaler, &Note::warning("FailedGetScale", why));
        outcome.current = field::number(scaler, "/status/currentReplicas");
    }
    let now = context.now();
    let written = context.registry.modify(&HPA, scaler, Part::Status, |scaler| {
        for (kind, status, reason, message) in &outcome.conditions {
            set_condition(scaler, kind, status, (reason, message), now);
        }
        let status = field::child(scaler, "status");
        status.insert("currentReplicas".into(), outcome.current.into());
        match outcome.desired {
            Some(desired) => drop(status.insert("desiredReplicas".into(), desired.into())),
            None => field::default(status, "desiredReplicas", 0),
        }
        match outcome.metrics {
            Some(metrics) if !metrics.is_empty() => {
                status.insert("currentMetrics".into(), metrics.into());
            }
            _ => drop(status.remove("currentMetrics")),
        }
        if outcome.rescaled {
            status.insert("lastScaleTime".into(), now.to_string().into());
        }
    });
    // The autoscaler may be gone by now.
    drop(written);
}

/// The object that is scaled.
fn target(context: &Context<'_>, scaler: &Value) -> Result<(&'static Kind, Object), Failure> {
    let text = |key: &str| field::text(scaler, &format!("/spec/scaleTargetRef/{key}"));
    let (version, name) = (text("apiVersion"), text("name"));
    let kind = context.registry.kind_of_object(version, text("kind")).ok_or_else(|| {
        let group = version.split_once('/').map_or("", |(group, _)| group);
        let why = format!("no matches for kind \"{}\" in group \"{group}\"", text("kind"));
        Failure::new(404, "NotFound", why)
    })?;
    let found = context.registry.get(kind, field::namespace(scaler), name)?;
    Ok((kind, Arc::clone(found)))
}

/// Reads, decides and scales. An error is about the target.
fn look(
    context: &mut Context<'_>,
    scaler: &Object,
    memory: &mut Memory,
    outcome: &mut Outcome,
) -> Result<(), String> {
    let now = context.now();
    let (kind, object) = target(context, scaler).map_err(|why| why.message)?;
    let scale = scale_of(kind, &object);
    let current = field::number(&scale, "/spec/replicas");
    outcome.current = current;
    let able = "the HPA controller was able to get the target's current scale".to_owned();
    outcome.conditions.push(("AbleToScale", "True", "SucceededGetScale", able));
    if memory.recommended.is_empty() {
        memory.recommended.push((now, current));
    }
    let least = scaler["spec"]["minReplicas"].as_i64().unwrap_or(1);
    let most = field::number(scaler, "/spec/maxReplicas");
    let (wanted, reason) = match current {
        0 if least != 0 => {
            let why = "scaling is disabled since the replica count of the target is zero";
            let told = ("ScalingActive", "False", "ScalingDisabled", why.to_owned());
            outcome.conditions.push(told);
            outcome.desired = Some(0);
            return Ok(());
        }
        many if many > most => {
            (most, "Current number of replicas above Spec.MaxReplicas".to_owned())
        }
        few if few < least => {
            (least, "Current number of replicas below Spec.MinReplicas".to_owned())
        }
        _ => {
            let pods = scaled_pods(context, &object);
            let scaled = Scaled { replicas: current, pods };
            if is_ambiguous(context, scaler, (kind, &object), &scaled.pods, outcome) {
                return Ok(());
            }
            let Some((proposed, name)) = by_metrics(context, scaler, &scaled, outcome) else {
                return Ok(());
            };
            let bounds = (least, most);
            let behavior = &scaler["spec"]["behavior"];
            let limited = limits::limit(memory, behavior, (current, proposed), bounds, now);
            tell_limits(outcome, &limited);
            let reason = match limited.replicas > current {
                true => format!("{name} above target"),
                false => "All metrics below target".to_owned(),
            };
            (limited.replicas, reason)
        }
    };
    outcome.desired = Some(wanted);
    if wanted != current {
        rescale(context, scaler, (kind, &object), (current, wanted), (&reason, outcome));
        if outcome.rescaled {
            memory.scaled(now, current, wanted);
        }
    }
    Ok(())
}

fn tell_limits(outcome: &mut Outcome, limited: &limits::Limited) {
    let able = match limited.stabilized {
        Some(reason) => ("AbleToScale", "True", reason, limits::message(reason).to_owned()),
        None => {
            let text = "recommended size matches current size".to_owned();
            ("AbleToScale", "True", "ReadyForNewScale", text)
        }
    };
    outcome.conditions.push(able);
    let is = if limited.limited { "True" } else { "False" };
    let text = limits::message(limited.reason).to_owned();
    outcome.conditions.push(("ScalingLimited", is, limited.reason, text));
}

fn rescale(
    context: &mut Context<'_>,
    scaler: &Object,
    (kind, object): (&'static Kind, &Object),
    (current, wanted): (i64, i64),
    (reason, outcome): (&str, &mut Outcome),
) {
    let scaled = context.registry.modify(kind, object, Part::Spec, |object| {
        set_replicas(kind, object, wanted);
    });
    match scaled {
        Ok(_) => {
            let text =
                format!("the HPA controller was able to update the target scale to {wanted}");
            outcome.conditions.push(("AbleToScale", "True", "SucceededRescale", text));
            let text = format!("New size: {wanted}; reason: {reason}");
            context.tell(COMPONENT, scaler, &Note::normal("SuccessfulRescale", text));
            outcome.rescaled = true;
        }
        Err(why) => {
            let text = format!("the HPA controller was unable to update the target scale: {why}");
            outcome.conditions.push(("AbleToScale", "False", "FailedUpdateScale", text));
            let text = format!("New size: {wanted}; reason: {reason}; error: {why}");
            context.tell(COMPONENT, scaler, &Note::warning("FailedRescale", text));
            outcome.desired = Some(current);
        }
    }
}

/// The pods that the target selects.
fn scaled_pods(context: &Context<'_>, object: &Object) -> Vec<Object> {
    let all = context.registry.store.in_namespace(POD.storage, field::namespace(object));
    all.filter(|pod| picks(object, pod)).cloned().collect()
}

/// Whether another autoscaler scales some of these pods too: then none does.
fn is_ambiguous(
    context: &mut Context<'_>,
    scaler: &Object,
    (kind, object): (&'static Kind, &Object),
    pods: &[Object],
    outcome: &mut Outcome,
) -> bool {
    let store = &context.registry.store;
    let all: Vec<&Object> = store.in_namespace(HPA.storage, field::namespace(scaler)).collect();
    let rivals = all.into_iter().filter(|other| {
        field::name(other) == field::name(scaler)
            || target(context, other)
                .is_ok_and(|(_, target)| pods.iter().any(|pod| picks(&target, pod)))
    });
    let names: Vec<_> =
        rivals.map(|one| format!("{}/{}", field::namespace(one), field::name(one))).collect();
    if names.len() < 2 {
        return false;
    }
    let scale = scale_of(kind, object);
    let selector = field::text(&scale, "/status/selector");
    let why = format!(
        "pods by selector {selector} are controlled by multiple HPAs: [{}]",
        names.join(" ")
    );
    context.tell(COMPONENT, scaler, &Note::warning("AmbiguousSelector", why.clone()));
    outcome.conditions.push(("ScalingActive", "False", "AmbiguousSelector", why));
    true
}

/// The largest number that a metric proposes, and its name. With a metric that cannot be read
/// there is only a way up.
fn by_metrics(
    context: &mut Context<'_>,
    scaler: &Object,
    scaled: &Scaled,
    outcome: &mut Outcome,
) -> Option<(i64, String)> {
    let specs = field::list(scaler, "/spec/metrics");
    let mut best: Option<Metric> = None;
    let mut troubles: Vec<Trouble> = Vec::new();
    let mut told = Vec::new();
    for spec in specs {
        match metrics::propose(context, spec, scaled, tolerance(scaler)) {
            Ok(metric) => {
                told.push(metric.status.clone());
                if best.as_ref().is_none_or(|known| metric.replicas > known.replicas) {
                    best = Some(metric);
                }
            }
            Err(trouble) => {
                let note = Note::warning(trouble.reason, trouble.why.clone());
                context.tell(COMPONENT, scaler, &note);
                troubles.push(trouble);
            }
        }
    }
    outcome.metrics = Some(told);
    let stuck =
        best.as_ref().is_none_or(|best| !troubles.is_empty() && best.replicas < scaled.replicas);
    if let Some(first) = troubles.first() {
        let (bad, all) = (troubles.len(), specs.len());
        let why = format!(
            "invalid metrics ({bad} invalid out of {all}), first error is: {}",
            first.context
        );
        context.tell(COMPONENT, scaler, &Note::warning("FailedComputeMetricsReplicas", why));
        if stuck {
            let text = format!("the HPA was unable to compute the replica count: {}", first.why);
            outcome.conditions.push(("ScalingActive", "False", first.reason, text));
        }
    }
    let best = best.filter(|_| !stuck)?;
    let text =
        format!("the HPA was able to successfully calculate a replica count from {}", best.name);
    outcome.conditions.push(("ScalingActive", "True", "ValidMetricFound", text));
    Some((best.replicas, best.name))
}

fn tolerance(scaler: &Value) -> Tolerance {
    let of = |way: &str| {
        let told = scaler.pointer(&format!("/spec/behavior/{way}/tolerance"));
        told.map_or(TOLERANCE, |told| field::amount(Some(told)).milli() as f64 / 1000.0)
    };
    Tolerance { up: of("scaleUp"), down: of("scaleDown") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn tolerance_is_told_by_direction() {
        let scaler = json!({"spec": {"behavior": {"scaleUp": {"tolerance": "50m"}}}});
        let found = tolerance(&scaler);
        assert!((found.up - 0.05).abs() < 1e-9 && (found.down - 0.1).abs() < 1e-9);
    }
}
