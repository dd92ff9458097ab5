//! Disruption budgets: how many pods may be disturbed now.

use std::collections::BTreeSet;
use std::sync::Arc;

use model::Timestamp;
use serde_json::Value;

use super::{Place, has_ended, is_ready, place, selects};
use crate::cluster::{Actor, Context};
use crate::field;
use crate::kinds::{self, DISRUPTION_BUDGET, POD};
use crate::registry::{Part, Registry};
use crate::store::{Change, Object};
use crate::world::set_condition;

/// The controller.
#[derive(Debug, Default)]
pub(super) struct Disruption;

impl Actor for Disruption {
    fn name(&self) -> &str {
        "disruption-controller"
    }

    fn reads(&self, change: &Change) -> bool {
        change.key.resource == DISRUPTION_BUDGET.storage || change.key.resource == POD.storage
    }

    fn step(&mut self, changes: &[Arc<Change>], context: &mut Context<'_>) {
        let mut touched: BTreeSet<Place> = BTreeSet::new();
        for change in changes {
            if change.key.resource == DISRUPTION_BUDGET.storage {
                touched.insert((change.key.namespace.clone(), change.key.name.clone()));
                continue;
            }
            let store = &context.registry.store;
            for budget in store.in_namespace(DISRUPTION_BUDGET.storage, &change.key.namespace) {
                let meant = |pod: &Object| selects(&budget["spec"]["selector"], pod);
                if [&change.before, &change.after].into_iter().flatten().any(meant) {
                    touched.insert(place(budget));
                }
            }
        }
        for (namespace, name) in touched {
            let found = context.registry.get(&DISRUPTION_BUDGET, &namespace, &name);
            if let Ok(budget) = found.map(Arc::clone) {
                sync(context, &budget);
            }
        }
    }
}

fn sync(context: &mut Context<'_>, budget: &Object) {
    let now = context.now();
    let store = &context.registry.store;
    let mine = |pod: &&Object| selects(&budget["spec"]["selector"], pod) && !has_ended(pod);
    let all = store.in_namespace(POD.storage, field::namespace(budget));
    let pods: Vec<Object> = all.filter(mine).cloned().collect();
    let expected = match budget["spec"]["minAvailable"].is_i64() {
        true => pods.len() as i64,
        false => expected(context.registry, &pods),
    };
    let disturbed = budget["status"]["disruptedPods"].as_object();
    let healthy = pods.iter().filter(|pod| {
        let is_disturbed = disturbed.is_some_and(|names| names.contains_key(field::name(pod)));
        is_ready(pod) && !field::is_deleting(pod) && !is_disturbed
    });
    let healthy = healthy.count() as i64;
    let desired = match (&budget["spec"]["minAvailable"], &budget["spec"]["maxUnavailable"]) {
        (Value::Null, most) => (expected - share(most, expected)).max(0),
        (least, _) => share(least, expected),
    };
    let allowed = if expected > 0 { (healthy - desired).max(0) } else { 0 };
    let still =
        |name: &str| pods.iter().any(|pod| field::name(pod) == name && !field::is_deleting(pod));
    let written = context.registry.modify(&DISRUPTION_BUDGET, budget, Part::Status, |budget| {
        write(budget, [healthy, desired, expected, allowed], now);
        if let Some(names) = budget["status"]["disruptedPods"].as_object_mut() {
            names.retain(|name, _| still(name));
        }
    });
    // The budget may be gone by now.
    drop(written);
}

fn write(budget: &mut Value, [healthy, desired, expected, allowed]: [i64; 4], now: Timestamp) {
    let generation = budget["metadata"]["generation"].clone();
    let (is, reason) =
        if allowed > 0 { ("True", "SufficientPods") } else { ("False", "InsufficientPods") };
    set_condition(budget, "DisruptionAllowed", is, (reason, ""), now);
    for condition in budget["status"]["conditions"].as_array_mut().into_iter().flatten() {
        condition["observedGeneration"] = generation.clone();
        condition["message"] = "".into();
    }
    let status = field::child(budget, "status");
    status.insert("observedGeneration".into(), generation);
    for (key, n) in [
        ("currentHealthy", healthy),
        ("desiredHealthy", desired),
        ("expectedPods", expected),
        ("disruptionsAllowed", allowed),
    ] {
        status.insert(key.into(), n.into());
    }
}

/// How many pods the owners of these want, each owner counted once.
fn expected(registry: &Registry, pods: &[Object]) -> i64 {
    let mut owners = BTreeSet::new();
    let mut sum = 0;
    for pod in pods {
        let Some(owner) = field::controller(pod) else { continue };
        if !owners.insert(field::text(owner, "/uid")) {
            continue;
        }
        let text = |key| field::text(owner, key);
        let kind = kinds::of_object(text("/apiVersion"), text("/kind"));
        let found = kind.map(|k| registry.get(k, field::namespace(pod), text("/name")));
        if let Some(Ok(owner)) = found {
            sum += field::number(owner, "/spec/replicas");
        }
    }
    sum
}

/// A number, or a share of the whole, rounded up.
fn share(value: &Value, whole: i64) -> i64 {
    let percent = value.as_str().and_then(|text| text.strip_suffix('%'));
    match percent.and_then(|text| text.parse::<i64>().ok()) {
        Some(percent) => percent.saturating_mul(whole).saturating_add(99) / 100,
        None => value.as_i64().unwrap_or(0),
    }
}
