//! Disruption budgets: how many pods may be disturbed now.

mod expected;

use std::collections::BTreeMap;
use std::sync::Arc;

use model::Timestamp;
use serde_json::Value;

use super::expression::told;
use super::work::Work;
use super::{Place, is_ready, selects};
use crate::cluster::{Actor, Context};
use crate::field;
use crate::kernel::{SECOND, plus};
use crate::kinds::{DISRUPTION_BUDGET, POD};
use crate::registry::{Note, Part};
use crate::store::{Change, Object};
use crate::world::{condition_mut, set_condition};

const COMPONENT: &str = "controllermanager";
/// A disruption that was allowed but did not happen is forgotten after so long.
const FORGET: i64 = 120 * SECOND;
/// The condition of a pod that was to be disturbed.
const TARGET: &str = "DisruptionTarget";

/// The controller.
#[derive(Debug, Default)]
pub(super) struct Disruption {
    budgets: Work,
    /// Pods that were to be disturbed and may not have been.
    marked: Work,
}

impl Actor for Disruption {
    fn name(&self) -> &str {
        "disruption-controller"
    }

    fn reads(&self, change: &Change) -> bool {
        change.key.resource == DISRUPTION_BUDGET.storage
            || change.key.resource == POD.storage
            || change.after.as_ref().is_some_and(|o| o["spec"]["replicas"].is_i64())
    }

    fn step(&mut self, changes: &[Arc<Change>], context: &mut Context<'_>) {
        let now = context.now();
        for change in changes {
            self.hear(context, change, now);
        }
        for (namespace, name) in self.budgets.take(now) {
            let found = context.registry.get(&DISRUPTION_BUDGET, &namespace, &name);
            if let Ok(budget) = found.map(Arc::clone)
                && let Some(at) = sync(context, &budget)
            {
                self.budgets.add((namespace, name), at);
            }
        }
        for (namespace, name) in self.marked.take(now) {
            let found = context.registry.get(&POD, &namespace, &name).map(Arc::clone);
            if let Ok(pod) = found {
                unmark(context, &pod);
            }
        }
        if let Some(next) = self.budgets.next().into_iter().chain(self.marked.next()).min() {
            context.wake(next);
        }
    }
}

impl Disruption {
    fn hear(&mut self, context: &Context<'_>, change: &Change, now: Timestamp) {
        let key = &change.key;
        let place: Place = (key.namespace.clone(), key.name.clone());
        if key.resource == DISRUPTION_BUDGET.storage {
            self.budgets.add(place, now);
            return;
        }
        let store = &context.registry.store;
        let budgets = store.in_namespace(DISRUPTION_BUDGET.storage, &key.namespace);
        if key.resource != POD.storage {
            // Budgets over the pods of what was scaled.
            let before = change.before.as_ref().map(|o| &o["spec"]["replicas"]);
            let after = change.after.as_ref().map(|o| &o["spec"]["replicas"]);
            if before.is_some() && before != after {
                for budget in budgets {
                    self.budgets.add(super::place(budget), now);
                }
            }
            return;
        }
        let pods = || [&change.before, &change.after].into_iter().flatten();
        for budget in budgets {
            if pods().any(|pod| covers(budget, pod)) {
                self.budgets.add(super::place(budget), now);
            }
        }
        if let Some(pod) = change.after.as_ref().filter(|pod| is_marked(pod)) {
            let since = field::condition(pod, TARGET);
            let since = since.and_then(|c| field::time(c, "/lastTransitionTime")).unwrap_or(now);
            self.marked.add(place, plus(since, FORGET));
        }
    }
}

/// Whether a budget is about a pod; one without a selector is about none.
fn covers(budget: &Value, pod: &Value) -> bool {
    budget["spec"]["selector"].is_object() && selects(&budget["spec"]["selector"], pod)
}

/// Whether a living pod was to be disturbed, by others than its kubelet.
fn is_marked(pod: &Value) -> bool {
    let condition = field::condition(pod, TARGET).filter(|c| c["status"] == "True");
    condition.is_some_and(|c| field::text(c, "/reason") != "TerminationByKubelet")
        && !field::is_deleting(pod)
        && !super::has_ended(pod)
}

/// What was to happen did not.
fn unmark(context: &mut Context<'_>, pod: &Object) {
    if !is_marked(pod) {
        return;
    }
    let now = context.now();
    let written = context.registry.modify(&POD, pod, Part::Status, |pod| {
        let condition = field::condition(pod, TARGET).cloned().unwrap_or_default();
        let of = |key: &str| field::text(&condition, key).to_owned();
        set_condition(pod, TARGET, "False", (&of("/reason"), &of("/message")), now);
    });
    // The pod may be gone by now.
    drop(written);
}

/// What a budget comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Sum {
    allowed: i64,
    healthy: i64,
    desired: i64,
    expected: i64,
}

/// Counts anew; when to do so again.
fn sync(context: &mut Context<'_>, budget: &Object) -> Option<Timestamp> {
    let now = context.now();
    let store = &context.registry.store;
    let all = store.in_namespace(POD.storage, field::namespace(budget));
    let pods: Vec<Object> = all.filter(|pod| covers(budget, pod)).cloned().collect();
    if pods.is_empty() {
        let note = Note::normal("NoPods", "No matching pods found");
        context.tell(COMPONENT, budget, &note);
    }
    let expected = match expected::expected(context.registry, budget, &pods) {
        Ok((expected, unmanaged)) => {
            if !unmanaged.is_empty() {
                let text = format!(
                    "Pods selected by this PodDisruptionBudget (selector: {}) were found to be \
                     unmanaged. As a result, the status of the PDB cannot be calculated \
                     correctly, which may result in undefined behavior. To account for these \
                     pods please set \".spec.minAvailable\" field of the PDB to an integer value.",
                    told(&budget["spec"]["selector"])
                );
                context.tell(COMPONENT, budget, &Note::warning("UnmanagedPods", text));
            }
            expected
        }
        Err(why) => {
            let text = format!("Failed to calculate the number of expected pods: {why}");
            let note = Note::warning("CalculateExpectedPodCountFailed", text);
            context.tell(COMPONENT, budget, &note);
            fail(context, budget, &why);
            return None;
        }
    };
    let disturbed = still_disturbed(context, budget, &pods);
    let sum = sum(budget, &pods, &disturbed, expected);
    let written = context.registry.modify(&DISRUPTION_BUDGET, budget, Part::Status, |budget| {
        write(budget, sum, now);
        let status = field::child(budget, "status");
        match disturbed.is_empty() {
            true => drop(status.remove("disruptedPods")),
            false => {
                let all = disturbed.iter().map(|(pod, at)| (pod.clone(), at.to_string().into()));
                status.insert("disruptedPods".into(), Value::Object(all.collect()));
            }
        }
    });
    // The budget may be gone by now.
    drop(written);
    disturbed.values().map(|at| plus(*at, FORGET)).min()
}

/// Pods that are to go and are still there, as long as that may be under way.
fn still_disturbed(
    context: &mut Context<'_>,
    budget: &Object,
    pods: &[Object],
) -> BTreeMap<String, Timestamp> {
    let now = context.now();
    let mut left = BTreeMap::new();
    for (name, at) in field::map(budget, "/status/disruptedPods").into_iter().flatten() {
        let at: Option<Timestamp> = at.as_str().and_then(|text| text.parse().ok());
        let pod = pods.iter().find(|pod| field::name(pod) == name);
        let (Some(at), Some(pod)) = (at, pod.filter(|pod| !field::is_deleting(pod))) else {
            continue;
        };
        if plus(at, FORGET) > now {
            left.insert(name.clone(), at);
        } else {
            let namespace = field::namespace(pod);
            let text = format!(
                "Pod was expected by PDB {namespace}/{} to be deleted but it wasn't",
                field::name(budget)
            );
            context.tell(COMPONENT, pod, &Note::warning("NotDeleted", text));
        }
    }
    left
}

fn sum(
    budget: &Value,
    pods: &[Object],
    disturbed: &BTreeMap<String, Timestamp>,
    expected: i64,
) -> Sum {
    let is_healthy = |pod: &&Object| {
        is_ready(pod) && !field::is_deleting(pod) && !disturbed.contains_key(field::name(pod))
    };
    let healthy = pods.iter().filter(is_healthy).count() as i64;
    let desired = match (&budget["spec"]["minAvailable"], &budget["spec"]["maxUnavailable"]) {
        (Value::Null, Value::Null) => 0,
        (Value::Null, most) => (expected - share(most, expected)).max(0),
        (least, _) => share(least, expected),
    };
    let allowed = if expected > 0 { (healthy - desired).max(0) } else { 0 };
    Sum { allowed, healthy, desired, expected }
}

fn write(budget: &mut Value, sum: Sum, now: Timestamp) {
    let (is, reason) =
        if sum.allowed > 0 { ("True", "SufficientPods") } else { ("False", "InsufficientPods") };
    stamp(budget, is, reason, "", now);
    let generation = budget["metadata"]["generation"].clone();
    let status = field::child(budget, "status");
    status.insert("observedGeneration".into(), generation);
    for (key, n) in [
        ("currentHealthy", sum.healthy),
        ("desiredHealthy", sum.desired),
        ("expectedPods", sum.expected),
        ("disruptionsAllowed", sum.allowed),
    ] {
        status.insert(key.into(), n.into());
    }
}

fn stamp(budget: &mut Value, is: &str, reason: &str, message: &str, now: Timestamp) {
    let generation = budget["metadata"]["generation"].clone();
    set_condition(budget, "DisruptionAllowed", is, (reason, message), now);
    if let Some(condition) = condition_mut(budget, "DisruptionAllowed") {
        condition["observedGeneration"] = generation;
        condition["message"] = message.into();
    }
}

/// Nothing is known: nothing is allowed.
fn fail(context: &mut Context<'_>, budget: &Object, why: &str) {
    let now = context.now();
    let written = context.registry.modify(&DISRUPTION_BUDGET, budget, Part::Status, |budget| {
        stamp(budget, "False", "SyncFailed", why, now);
        field::child(budget, "status").insert("disruptionsAllowed".into(), 0.into());
    });
    drop(written);
}

/// A number, or a share of the whole, rounded up.
fn share(value: &Value, whole: i64) -> i64 {
    let percent = value.as_str().and_then(|text| text.strip_suffix('%'));
    match percent.and_then(|text| text.parse::<i64>().ok()) {
        Some(percent) => percent.saturating_mul(whole).saturating_add(99) / 100,
        None => value.as_i64().unwrap_or(0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::sealed;
    use serde_json::json;

    /// `ready` of `all` pods, whose owners want `scale`.
    #[track_caller]
    fn check(
        spec: Value,
        (ready, all, scale): (usize, usize, i64),
        expected: (i64, i64, i64, i64),
    ) {
        let pod = |number: usize| {
            let status = if number < ready { "True" } else { "False" };
            sealed(json!({
                "metadata": {"name": number.to_string()},
                "status": {"conditions": [{"type": "Ready", "status": status}]},
            }))
        };
        let pods: Vec<Object> = (0..all).map(pod).collect();
        let budget = json!({"spec": spec});
        let whole = if spec["minAvailable"].is_i64() { all as i64 } else { scale };
        let found = sum(&budget, &pods, &BTreeMap::new(), whole);
        let found = (found.allowed, found.healthy, found.desired, found.expected);
        assert_eq!(found, expected, "{spec}");
    }

    #[test]
    fn allowed_healthy_desired_expected() {
        check(json!({"maxUnavailable": 1}), (0, 0, 0), (0, 0, 0, 0));
        check(json!({"maxUnavailable": 2}), (1, 1, 7), (0, 1, 5, 7));
        check(json!({"maxUnavailable": 2}), (1, 1, 5), (0, 1, 3, 5));
        check(json!({"maxUnavailable": "30%"}), (1, 1, 7), (0, 1, 4, 7));
        check(json!({"maxUnavailable": "30%"}), (1, 1, 3), (0, 1, 2, 3));
        check(json!({"minAvailable": 3}), (3, 4, 0), (0, 3, 3, 4));
        check(json!({"minAvailable": "20%"}), (1, 1, 10), (0, 1, 2, 10));
        check(json!({"maxUnavailable": 5}), (4, 4, 10), (0, 4, 5, 10));
        check(json!({"minAvailable": "1%"}), (2, 2, 0), (0, 2, 0, 0));
        check(json!({"minAvailable": "1%"}), (2, 2, 1), (1, 2, 1, 1));
        for (ready, all, expected) in
            [(0, 0, (0, 0, 0, 0)), (1, 1, (0, 1, 2, 3)), (2, 2, (0, 2, 2, 3)), (3, 3, (1, 3, 2, 3))]
        {
            let scale = if all == 0 { 0 } else { 3 };
            check(json!({"minAvailable": "34%"}), (ready, all, scale), expected);
        }
        // One more that belongs to nobody counts as healthy only.
        check(json!({"minAvailable": "34%"}), (4, 4, 3), (2, 4, 2, 3));
        check(json!({"minAvailable": "28%"}), (4, 4, 11), (0, 4, 4, 11));
        check(json!({"minAvailable": "28%"}), (5, 5, 11), (1, 5, 4, 11));
        check(json!({"minAvailable": "28%"}), (7, 7, 22), (0, 7, 7, 22));
        check(json!({"minAvailable": "28%"}), (8, 8, 22), (1, 8, 7, 22));
        check(json!({"minAvailable": "28%"}), (9, 9, 22), (2, 9, 7, 22));
    }

    #[test]
    fn a_budget_without_a_valid_selector_is_about_no_pod() {
        let pod = json!({"metadata": {"labels": {"a": "b"}}});
        assert!(!covers(&json!({"spec": {"minAvailable": 3}}), &pod));
        assert!(covers(&json!({"spec": {"selector": {}}}), &pod));
    }
}
