//! The scheduler: a node for every pod, or the reason why there is none.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::Value;

use super::taint_eviction::tolerates;
use super::{Place, has_ended, place};
use crate::cluster::{Actor, Context};
use crate::field;
use crate::kinds::{NODE, PERSISTENT_VOLUME, PERSISTENT_VOLUME_CLAIM, POD};
use crate::registry::{Note, Part};
use crate::store::{Change, Object};
use crate::world::set_condition;

mod affinity;
mod claims;
mod room;
mod score;

pub(super) use affinity::matches;
use claims::Claims;
use room::{Demand, Room};

const COMPONENT: &str = "default-scheduler";

/// Pods without a node.
#[derive(Debug, Default)]
pub(super) struct Scheduler {
    pending: BTreeSet<Place>,
    /// Pods that found no place, until something changes that may help them.
    parked: BTreeSet<Place>,
}

impl Actor for Scheduler {
    fn name(&self) -> &str {
        COMPONENT
    }

    fn reads(&self, change: &Change) -> bool {
        [NODE.storage, POD.storage, PERSISTENT_VOLUME_CLAIM.storage, PERSISTENT_VOLUME.storage]
            .contains(&change.key.resource)
    }

    fn step(&mut self, changes: &[Arc<Change>], context: &mut Context<'_>) {
        let mut helps = false;
        for change in changes {
            helps |= match (&change.before, &change.after) {
                (before, Some(pod)) if change.key.resource == POD.storage => {
                    // New, or its gates were opened.
                    let fresh = before.as_ref().is_none_or(|b| !is_unassigned(b));
                    if is_unassigned(pod) && fresh {
                        self.pending.insert(place(pod));
                    }
                    has_ended(pod)
                }
                (Some(before), Some(node)) if change.key.resource == NODE.storage => {
                    let differs = |key: &str| before.pointer(key) != node.pointer(key);
                    differs("/spec")
                        || differs("/metadata/labels")
                        || differs("/status/allocatable")
                }
                _ => true,
            };
        }
        if helps {
            self.pending.append(&mut self.parked);
        }
        if self.pending.is_empty() {
            return;
        }
        let mut rooms = Room::all(context.registry);
        for (namespace, name) in std::mem::take(&mut self.pending) {
            let found = context.registry.get(&POD, &namespace, &name);
            let waiting = found.ok().filter(|pod| is_unassigned(pod)).map(Arc::clone);
            if let Some(pod) = waiting
                && !schedule(context, &pod, &mut rooms)
            {
                self.parked.insert((namespace, name));
            }
        }
    }
}

fn is_unassigned(pod: &Value) -> bool {
    let ours = field::text(pod, "/spec/schedulerName") == COMPONENT
        && field::list(pod, "/spec/schedulingGates").is_empty();
    ours && field::text(pod, "/spec/nodeName").is_empty() && !field::is_deleting(pod)
}

/// Binds a pod to the best node that fits; whether there was one.
fn schedule(context: &mut Context<'_>, pod: &Object, rooms: &mut BTreeMap<String, Room>) -> bool {
    let nodes = rooms.len();
    let claims = claims::of(context, pod);
    if let Claims::Missing(why) = &claims {
        // The trailing words are the scheduler's own.
        let message = format!("0/{nodes} nodes are available: {why}. not found");
        refuse(context, pod, &message);
        return false;
    }
    let demand = Demand::of(pod);
    let mut reasons: BTreeMap<String, usize> = BTreeMap::new();
    let mut unhelpful = 0;
    let mut fitting = Vec::new();
    for room in rooms.values() {
        let mut refusals = refusals(pod, &demand, room);
        if refusals.is_empty() && matches!(claims, Claims::NoVolume) {
            refusals.push("node(s) didn't find available persistent volumes to bind".into());
        }
        if refusals.is_empty() {
            fitting.push(room);
        }
        // Removing other pods helps only where resources are short, and not beyond the node.
        let resolvable = refusals.iter().all(|r| r.starts_with("Insufficient"));
        if !refusals.is_empty() && (!resolvable || demand.exceeds(room)) {
            unhelpful += 1;
        }
        for reason in refusals {
            *reasons.entry(reason).or_default() += 1;
        }
    }
    let Some(best) = score::best(context, pod, &demand, &fitting, rooms) else {
        refuse(context, pod, &verdict(nodes, &reasons, unhelpful));
        return false;
    };
    if let Claims::Waiting(claims) = claims {
        claims::select_node(context, &claims, &best);
        return false;
    }
    if let Some(room) = rooms.get_mut(&best) {
        room.take(pod, &demand);
    }
    bind(context, pod, &best);
    true
}

/// Why a node cannot take a pod, in the scheduler's words and order.
fn refusals(pod: &Value, demand: &Demand, room: &Room) -> Vec<String> {
    let node = &room.node;
    if field::flag(node, "/spec/unschedulable") {
        return vec!["node(s) were unschedulable".into()];
    }
    let tolerations = field::list(pod, "/spec/tolerations");
    let taints = field::list(node, "/spec/taints").iter();
    let mut hard = taints.filter(|t| field::text(t, "/effect") != "PreferNoSchedule");
    if hard.any(|taint| !tolerations.iter().any(|t| tolerates(t, taint))) {
        return vec!["node(s) had untolerated taint(s)".into()];
    }
    if !affinity::matches(pod, node) {
        return vec!["node(s) didn't match Pod's node affinity/selector".into()];
    }
    demand.missing(room)
}

fn bind(context: &mut Context<'_>, pod: &Object, node: &str) {
    let now = context.now();
    let bound = context.registry.bind(pod, node, |pod| {
        set_condition(pod, "PodScheduled", "True", ("", ""), now);
    });
    if bound.is_ok() {
        let (namespace, name) = place(pod);
        let text = format!("Successfully assigned {namespace}/{name} to {node}");
        context.tell(COMPONENT, pod, &Note::normal("Scheduled", text));
    }
}

/// Why none of the nodes will do, in the scheduler's words.
fn verdict(nodes: usize, reasons: &BTreeMap<String, usize>, unhelpful: usize) -> String {
    let mut told: Vec<_> = reasons.iter().map(|(reason, n)| format!("{n} {reason}")).collect();
    told.sort();
    let mut preemption = Vec::new();
    if nodes > unhelpful {
        let n = nodes - unhelpful;
        preemption.push(format!("{n} No preemption victims found for incoming pod"));
    }
    if unhelpful > 0 {
        preemption.push(format!("{unhelpful} Preemption is not helpful for scheduling"));
    }
    if nodes == 0 {
        "no nodes available to schedule pods".to_owned()
    } else {
        format!(
            "0/{nodes} nodes are available: {}. no new claims to deallocate, preemption: \
             0/{nodes} nodes are available: {}.",
            told.join(", "),
            preemption.join(", ")
        )
    }
}

fn refuse(context: &mut Context<'_>, pod: &Object, message: &str) {
    context.tell(COMPONENT, pod, &Note::warning("FailedScheduling", message));
    let now = context.now();
    let marked = context.registry.modify(&POD, pod, Part::Status, |pod| {
        set_condition(pod, "PodScheduled", "False", ("Unschedulable", message), now);
    });
    // Deleted meanwhile: nothing to mark.
    drop(marked);
}
