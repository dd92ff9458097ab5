//! What node lifecycle writes: conditions that nobody vouches for, taints, pods that are not
//! ready any more.
//!
//! It must never decide when.

use std::sync::Arc;

use serde_json::{Value, json};

use super::COMPONENT;
use crate::cluster::Context;
use crate::field;
use crate::kinds::{NODE, POD};
use crate::registry::{Note, Part};
use crate::store::Object;
use crate::world::set_condition;

pub(super) const UNREACHABLE: &str = "node.kubernetes.io/unreachable";
pub(super) const NOT_READY: &str = "node.kubernetes.io/not-ready";
/// Taints that keep new pods away, by the condition and its status that they stand for.
const BY_CONDITION: [(&str, &str, &str); 6] = [
    ("Ready", "False", NOT_READY),
    ("Ready", "Unknown", UNREACHABLE),
    ("MemoryPressure", "True", "node.kubernetes.io/memory-pressure"),
    ("DiskPressure", "True", "node.kubernetes.io/disk-pressure"),
    ("NetworkUnavailable", "True", "node.kubernetes.io/network-unavailable"),
    ("PIDPressure", "True", "node.kubernetes.io/pid-pressure"),
];
const CORDONED: &str = "node.kubernetes.io/unschedulable";
/// Conditions that nobody vouches for once the kubelet is silent.
const CONDITIONS: [&str; 4] = ["MemoryPressure", "DiskPressure", "PIDPressure", "Ready"];

/// Nobody has heard of the kubelet for too long, or ever.
pub(super) fn mark_unknown(context: &mut Context<'_>, node: &Object) {
    let now = context.now();
    // The last heartbeat is kept: from now on nothing fills it in.
    let shown = context.registry.shown(&NODE, node);
    let marked = context.registry.modify(&NODE, node, Part::Status, |node| {
        node["status"] = shown["status"].clone();
        for kind in CONDITIONS {
            let told = match field::condition(node, kind) {
                Some(_) => ("NodeStatusUnknown", "Kubelet stopped posting node status."),
                None => ("NodeStatusNeverUpdated", "Kubelet never posted node status."),
            };
            set_condition(node, kind, "Unknown", told, now);
        }
    });
    // The node may have been deleted.
    drop(marked);
}

/// The taint with which a node is given up, and the one that it excludes.
pub(super) fn wanted(node: &Value) -> Option<(&'static str, &'static str)> {
    match field::condition(node, "Ready").map(|ready| field::text(ready, "/status")) {
        Some("Unknown") => Some((UNREACHABLE, NOT_READY)),
        Some("False") => Some((NOT_READY, UNREACHABLE)),
        _ => None,
    }
}

pub(super) fn has_taint(node: &Value, key: &str, effect: &str) -> bool {
    let is = |t: &Value| field::text(t, "/key") == key && field::text(t, "/effect") == effect;
    field::list(node, "/spec/taints").iter().any(is)
}

/// Adds taints of one effect, and removes others.
pub(super) fn swap(
    context: &mut Context<'_>,
    node: &Object,
    effect: &str,
    (add, remove): (&[&str], &[&str]),
) {
    let missing: Vec<&str> =
        add.iter().copied().filter(|key| !has_taint(node, key, effect)).collect();
    if missing.is_empty() && !remove.iter().any(|key| has_taint(node, key, effect)) {
        return;
    }
    let now = context.now().to_string();
    let swapped = context.registry.modify(&NODE, node, Part::Spec, |node| {
        let spec = field::child(node, "spec");
        let taints = spec.entry("taints").or_insert(json!([]));
        let Some(all) = taints.as_array_mut() else { return };
        let named = |t: &Value, keys: &[&str]| {
            field::text(t, "/effect") == effect && keys.contains(&field::text(t, "/key"))
        };
        all.retain(|t| !named(t, remove) && !named(t, &missing));
        for key in &missing {
            all.push(json!({"key": key, "effect": effect, "timeAdded": now}));
        }
        if all.is_empty() {
            spec.remove("taints");
        }
    });
    drop(swapped);
}

/// Brings the taints that keep new pods away in line with the node's conditions.
pub(super) fn keep_away(context: &mut Context<'_>, node: &Object) {
    let mut keys: Vec<&str> = BY_CONDITION
        .iter()
        .filter(|(kind, status, _)| field::condition_is(node, kind, status))
        .map(|(.., key)| *key)
        .collect();
    if field::flag(node, "/spec/unschedulable") {
        keys.push(CORDONED);
    }
    let all = BY_CONDITION.iter().map(|(.., key)| *key).chain([CORDONED]);
    let others: Vec<&str> = all.filter(|key| !keys.contains(key)).collect();
    swap(context, node, "NoSchedule", (&keys, &others));
}

/// The node is well: the taints with which it was given up are removed.
pub(super) fn take_back(context: &mut Context<'_>, node: &Object) {
    swap(context, node, "NoExecute", (&[], &[UNREACHABLE, NOT_READY]));
}

/// A node stopped being ready.
pub(super) fn tell_of_fall(context: &mut Context<'_>, node: &Object) {
    let text = format!("Node {} status is now: NodeNotReady", field::name(node));
    context.tell(COMPONENT, node, &Note::normal("NodeNotReady", text));
}

/// Nobody can tell any more whether a pod of a silent node answers.
pub(super) fn unready(context: &mut Context<'_>, namespace: &str, name: &str) {
    let Ok(pod) = context.registry.get(&POD, namespace, name).map(Arc::clone) else { return };
    if !field::condition_is(&pod, "Ready", "True") {
        return;
    }
    let now = context.now();
    let marked = context.registry.modify(&POD, &pod, Part::Status, |pod| {
        set_condition(pod, "Ready", "False", ("", ""), now);
    });
    drop(marked);
    context.tell(COMPONENT, &pod, &Note::warning("NodeNotReady", "Node is not ready"));
}
