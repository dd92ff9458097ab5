//! Node lifecycle: a node whose heartbeat stopped becomes Unknown; one that is Unknown or not
//! ready is tainted, and its pods stop being ready; one that is ready again loses the taints.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use model::Timestamp;
use serde_json::{Value, json};

use super::node_rate::{Limiter, Zone};
use crate::cluster::{Actor, Context};
use crate::field;
use crate::kernel::{SECOND, plus};
use crate::kinds::{NODE, POD};
use crate::registry::{Note, Part};
use crate::store::{Change, Object};
use crate::world::set_condition;

const COMPONENT: &str = "node-controller";
/// Without a renewal for this long a node is Unknown (since 1.32; 40 s before).
const GRACE: i64 = 50 * SECOND;
/// Nodes are looked at this often.
const PERIOD: i64 = 5 * SECOND;
/// Taints by the status of the condition Ready that they stand for.
const TAINTS: [(&str, &str); 2] =
    [("Unknown", "node.kubernetes.io/unreachable"), ("False", "node.kubernetes.io/not-ready")];
const ZONE: &str = "topology.kubernetes.io/zone";
/// Conditions that nobody vouches for once the kubelet is silent.
const CONDITIONS: [&str; 4] = ["MemoryPressure", "DiskPressure", "PIDPressure", "Ready"];

/// The controller.
#[derive(Debug, Default)]
pub(super) struct NodeLifecycle {
    limiter: Limiter,
    /// Lost nodes that are not yet given up.
    waiting: BTreeSet<String>,
}

impl Actor for NodeLifecycle {
    fn name(&self) -> &str {
        COMPONENT
    }

    fn reads(&self, change: &Change) -> bool {
        change.key.resource == NODE.storage
    }

    fn feels_heartbeats(&self) -> bool {
        true
    }

    fn step(&mut self, changes: &[Arc<Change>], context: &mut Context<'_>) {
        for change in changes {
            let Some(node) = &change.after else { continue };
            let Some(before) = &change.before else {
                let name = field::name(node);
                let text = format!("Node {name} event: Registered Node {name} in Controller");
                context.tell(COMPONENT, node, &Note::normal("RegisteredNode", text));
                continue;
            };
            if is_ready(before) && field::condition_is(node, "Ready", "False") {
                fall(context, node);
            }
        }
        let nodes: Vec<Object> =
            context.registry.store.table(NODE.storage).values().cloned().collect();
        for node in &nodes {
            self.look_at(context, node);
        }
        self.give_up(context);
    }
}

impl NodeLifecycle {
    fn look_at(&mut self, context: &mut Context<'_>, node: &Object) {
        let name = field::name(node);
        let Some(beat) = context.registry.heartbeats.get(name).copied() else { return };
        if beat.stopped.is_some() && !field::condition_is(node, "Ready", "Unknown") {
            let due = deadline(beat.renewed_at(context.now()));
            if due > context.now() {
                context.wake(due);
                return;
            }
            mark_unknown(context, node);
            if is_ready(node) {
                fall(context, node);
            }
        }
        self.taint(context, name);
    }

    /// Brings the taints in line with the condition.
    fn taint(&mut self, context: &mut Context<'_>, name: &str) {
        let Ok(node) = context.registry.get(&NODE, "", name).map(Arc::clone) else { return };
        let wanted = wanted_taint(&node);
        for (_, key) in TAINTS.iter().filter(|(_, key)| Some(*key) != wanted) {
            untaint(context, &node, key);
        }
        match wanted {
            None => drop(self.waiting.remove(name)),
            Some(key) if !has_taint(&node, key, "NoSchedule") => {
                taint(context, &node, key, "NoSchedule");
                self.waiting.insert(name.to_owned());
            }
            Some(_) => {}
        }
    }

    /// Puts the taint that drives pods away, as fast as the zone allows.
    fn give_up(&mut self, context: &mut Context<'_>) {
        let zones = zones(context);
        let now = context.now();
        for name in self.waiting.clone() {
            let Ok(node) = context.registry.get(&NODE, "", &name).map(Arc::clone) else {
                self.waiting.remove(&name);
                continue;
            };
            let Some(key) = wanted_taint(&node) else { continue };
            match self.limiter.take(&zones, &zone_of(&node), now) {
                Ok(()) => {
                    taint(context, &node, key, "NoExecute");
                    self.waiting.remove(&name);
                }
                Err(Some(again)) => context.wake(again),
                // Held back altogether: until nodes come back, look again now and then.
                Err(None) => context.wake(plus(now, PERIOD)),
            }
        }
    }
}

/// The first look at which the grace period is over: the controller sees a renewal at its next
/// look, and counts from there.
fn deadline(renewed: Timestamp) -> Timestamp {
    let seen = (renewed.micros() + PERIOD - 1).div_euclid(PERIOD) * PERIOD;
    plus(Timestamp::from_micros(seen), GRACE)
}

fn is_ready(node: &Value) -> bool {
    field::condition_is(node, "Ready", "True")
}

/// The taint that the node's condition asks for.
fn wanted_taint(node: &Value) -> Option<&'static str> {
    let stands = |(status, _): &&(&str, &str)| field::condition_is(node, "Ready", status);
    TAINTS.iter().find(stands).map(|(_, key)| *key)
}

/// A node stopped being ready.
fn fall(context: &mut Context<'_>, node: &Object) {
    let text = format!("Node {} status is now: NodeNotReady", field::name(node));
    context.tell(COMPONENT, node, &Note::normal("NodeNotReady", text));
    unready_pods(context, field::name(node));
}

fn mark_unknown(context: &mut Context<'_>, node: &Object) {
    let now = context.now();
    // The last heartbeat is kept: from now on nothing fills it in.
    let shown = context.registry.shown(&NODE, node);
    let marked = context.registry.modify(&NODE, node, Part::Status, |node| {
        node["status"] = shown["status"].clone();
        for kind in CONDITIONS {
            let told = ("NodeStatusUnknown", "Kubelet stopped posting node status.");
            set_condition(node, kind, "Unknown", told, now);
        }
    });
    // The node may have been deleted.
    drop(marked);
}

fn has_taint(node: &Value, key: &str, effect: &str) -> bool {
    let is = |t: &Value| field::text(t, "/key") == key && field::text(t, "/effect") == effect;
    field::list(node, "/spec/taints").iter().any(is)
}

fn taint(context: &mut Context<'_>, node: &Object, key: &str, effect: &str) {
    let now = context.now().to_string();
    let tainted = context.registry.modify(&NODE, node, Part::Spec, |node| {
        if has_taint(node, key, effect) {
            return;
        }
        let taints = field::child(node, "spec").entry("taints").or_insert(json!([]));
        if let Some(all) = taints.as_array_mut() {
            all.push(json!({"key": key, "effect": effect, "timeAdded": now}));
        }
    });
    drop(tainted);
}

fn untaint(context: &mut Context<'_>, node: &Object, key: &str) {
    let is = |t: &Value| field::text(t, "/key") == key;
    if !field::list(node, "/spec/taints").iter().any(is) {
        return;
    }
    let cleaned = context.registry.modify(&NODE, node, Part::Spec, |node| {
        let spec = field::child(node, "spec");
        let taints = spec.get_mut("taints").and_then(Value::as_array_mut);
        let emptied = taints.is_some_and(|taints| {
            taints.retain(|t| !is(t));
            taints.is_empty()
        });
        if emptied {
            spec.remove("taints");
        }
    });
    drop(cleaned);
}

/// Nobody can tell any more whether the pods of a silent node answer.
fn unready_pods(context: &mut Context<'_>, node: &str) {
    let on_node = |pod: &&Object| field::text(pod, "/spec/nodeName") == node;
    let pods = context.registry.store.table(POD.storage).values();
    let pods: Vec<Object> = pods.filter(on_node).cloned().collect();
    let now = context.now();
    for pod in pods.iter().filter(|pod| field::condition_is(pod, "Ready", "True")) {
        let marked = context.registry.modify(&POD, pod, Part::Status, |pod| {
            set_condition(pod, "Ready", "False", ("", ""), now);
        });
        drop(marked);
        context.tell(COMPONENT, pod, &Note::warning("NodeNotReady", "Node is not ready"));
    }
}

fn zone_of(node: &Value) -> String {
    let labels = field::map(node, "/metadata/labels");
    let zone = labels.and_then(|l| l.get(ZONE)).and_then(Value::as_str);
    zone.unwrap_or_default().to_owned()
}

fn zones(context: &Context<'_>) -> BTreeMap<String, Zone> {
    let mut zones: BTreeMap<String, Zone> = BTreeMap::new();
    for node in context.registry.store.table(NODE.storage).values() {
        let zone = zones.entry(zone_of(node)).or_default();
        match field::condition_is(node, "Ready", "True") {
            true => zone.ready += 1,
            false => zone.lost += 1,
        }
    }
    zones
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_comes_50_to_55_seconds_after_the_last_renewal() {
        for (renewed, due) in [(1000, 1050), (1001, 1055), (1004, 1055), (1005, 1055)] {
            let found = deadline(Timestamp::from_seconds(renewed));
            assert_eq!(found.seconds(), due, "renewed at {renewed}");
        }
    }
}
