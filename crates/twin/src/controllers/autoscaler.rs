//! Horizontal autoscalers. The cluster has no metrics API, so all that they can do is to say
//! that they know nothing, as they do in such a cluster.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::{Place, place};
use crate::cluster::{Actor, Context};
use crate::field;
use crate::kernel::{SECOND, plus};
use crate::kinds::{self, HPA};
use crate::registry::{Note, Part};
use crate::store::{Change, Object};
use crate::world::set_condition;

const COMPONENT: &str = "horizontal-pod-autoscaler";
/// Metrics are asked for this often.
const PERIOD: i64 = 15 * SECOND;

/// The controller.
#[derive(Debug, Default)]
pub(super) struct Autoscalers;

impl Actor for Autoscalers {
    fn name(&self) -> &str {
        "horizontal-pod-autoscaler-controller"
    }

    fn reads(&self, change: &Change) -> bool {
        change.key.resource == HPA.storage && change.before.is_none()
    }

    fn step(&mut self, _: &[Arc<Change>], context: &mut Context<'_>) {
        let all = context.registry.store.table(HPA.storage).values();
        let places: BTreeSet<Place> = all.map(|one| place(one)).collect();
        for (namespace, name) in &places {
            let found = context.registry.get(&HPA, namespace, name).map(Arc::clone);
            if let Ok(scaler) = found {
                sync(context, &scaler);
            }
        }
        if !places.is_empty() {
            context.wake(plus(context.now(), PERIOD));
        }
    }
}

fn sync(context: &mut Context<'_>, scaler: &Object) {
    let now = context.now();
    let text = |key: &str| field::text(scaler, &format!("/spec/scaleTargetRef/{key}"));
    let kind = kinds::of_object(text("apiVersion"), text("kind"));
    let target = kind.map(|kind| {
        let found = context.registry.get(kind, field::namespace(scaler), text("name"));
        found.map(|target| field::number(target, "/status/replicas"))
    });
    let Some(Ok(replicas)) = target else {
        let kind = kind.map_or("unknown".to_owned(), kinds::Kind::qualified);
        let why = format!("{kind} {:?} not found", text("name"));
        let told =
            format!("the HPA controller was unable to get the target's current scale: {why}");
        let written = context.registry.modify(&HPA, scaler, Part::Status, |scaler| {
            set_condition(scaler, "AbleToScale", "False", ("FailedGetScale", &told), now);
        });
        drop(written);
        context.tell(COMPONENT, scaler, &Note::warning("FailedGetScale", why));
        return;
    };
    let Some(resource) = first_resource(scaler) else { return };
    let why = format!(
        "failed to get {resource} utilization: unable to get metrics for resource {resource}: \
         unable to fetch metrics from resource metrics API: the server could not find the \
         requested resource (get pods.metrics.k8s.io)"
    );
    let written = context.registry.modify(&HPA, scaler, Part::Status, |scaler| {
        let able = "the HPA controller was able to get the target's current scale";
        set_condition(scaler, "AbleToScale", "True", ("SucceededGetScale", able), now);
        let told = format!("the HPA was unable to compute the replica count: {why}");
        set_condition(scaler, "ScalingActive", "False", ("FailedGetResourceMetric", &told), now);
        let status = field::child(scaler, "status");
        status.insert("currentReplicas".into(), replicas.into());
        field::default(status, "desiredReplicas", 0);
    });
    // The autoscaler may be gone by now.
    drop(written);
    context.tell(COMPONENT, scaler, &Note::warning("FailedGetResourceMetric", why.clone()));
    let told = format!(
        "invalid metrics (1 invalid out of 1), first error is: failed to get {resource} resource \
         metric value: {why}"
    );
    context.tell(COMPONENT, scaler, &Note::warning("FailedComputeMetricsReplicas", told));
}

/// The resource whose use it scales by.
fn first_resource(scaler: &Object) -> Option<String> {
    let metrics = field::list(scaler, "/spec/metrics").iter();
    let mut resources = metrics.filter(|metric| field::text(metric, "/type") == "Resource");
    resources.next().map(|metric| field::text(metric, "/resource/name").to_owned())
}
