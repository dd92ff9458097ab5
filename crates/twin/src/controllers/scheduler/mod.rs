//! The scheduler: a node for every pod, or the reason why there is none.

mod affinity;
mod filter;
mod peers;
mod preempt;
mod queue;
mod room;
mod rooms;
mod score;
mod spread;
mod volumes;

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;

use super::{Place, place};
use crate::cluster::{Actor, Context};
use crate::field;
use crate::kinds::{NODE, PERSISTENT_VOLUME, PERSISTENT_VOLUME_CLAIM, POD, STORAGE_CLASS};
use crate::registry::{Note, Part};
use crate::store::{Change, Object};
use crate::world::set_condition;

pub(super) use affinity::matches;
use filter::{Plugin, Refusal, Wish};
use preempt::Outcome;
use queue::Queue;
use room::Room;
use rooms::Rooms;

const COMPONENT: &str = "default-scheduler";
/// So many nodes are looked at in any case.
const LEAST_NODES: usize = 100;

/// Nodes with their pods, and pods without a node.
#[derive(Debug, Default)]
pub(super) struct Scheduler {
    rooms: Rooms,
    queue: Queue,
    /// Where the look at the nodes begins, so that all get their turn.
    first_node: usize,
}

impl Actor for Scheduler {
    fn name(&self) -> &str {
        COMPONENT
    }

    fn reads(&self, change: &Change) -> bool {
        let volumes =
            [PERSISTENT_VOLUME_CLAIM.storage, PERSISTENT_VOLUME.storage, STORAGE_CLASS.storage];
        [NODE.storage, POD.storage].contains(&change.key.resource)
            || volumes.contains(&change.key.resource)
    }

    fn step(&mut self, changes: &[Arc<Change>], context: &mut Context<'_>) {
        let now = context.now();
        for change in changes {
            self.hear(change);
            self.queue.hear(change, now);
        }
        while let Some(place) = self.queue.take(now) {
            let found = context.registry.get(&POD, &place.0, &place.1);
            let waiting = found.ok().filter(|pod| is_unassigned(pod)).map(Arc::clone);
            if let Some(pod) = waiting {
                match self.schedule(context, &pod) {
                    Ok(()) => self.queue.forget(&place),
                    Err(plugins) => self.queue.park(&pod, plugins, now),
                }
            }
        }
        if let Some(next) = self.queue.next() {
            context.wake(next);
        }
    }
}

fn is_unassigned(pod: &Value) -> bool {
    let ours = field::text(pod, "/spec/schedulerName") == COMPONENT
        && field::list(pod, "/spec/schedulingGates").is_empty();
    ours && field::text(pod, "/spec/nodeName").is_empty() && !field::is_deleting(pod)
}

/// How many fitting nodes are enough to choose from.
fn enough(nodes: usize) -> usize {
    if nodes < LEAST_NODES {
        return nodes;
    }
    let percent = (50_usize.saturating_sub(nodes / 125)).max(5);
    (nodes * percent / 100).max(LEAST_NODES)
}

impl Scheduler {
    fn hear(&mut self, change: &Change) {
        let resource = change.key.resource;
        match &change.after {
            Some(node) if resource == NODE.storage => self.rooms.put_node(node),
            None if resource == NODE.storage => self.rooms.drop_node(&change.key.name),
            Some(pod) if resource == POD.storage => self.rooms.put_pod(pod),
            None if resource == POD.storage => {
                if let Some(pod) = &change.before {
                    self.rooms.drop_pod(pod);
                }
            }
            _ => {}
        }
    }

    /// Binds a pod to the best node that fits. The error is what stands against it.
    fn schedule(&mut self, context: &mut Context<'_>, pod: &Object) -> Result<(), Vec<Plugin>> {
        let nodes = self.rooms.len();
        if nodes == 0 {
            refuse(context, pod, "no nodes available to schedule pods", None);
            return Err(vec![Plugin::Node]);
        }
        let volumes = match volumes::of(context, pod) {
            Ok(volumes) => volumes,
            Err(why) => {
                // The trailing words are the scheduler's own.
                let message = format!("0/{nodes} nodes are available: {why}. not found");
                refuse(context, pod, &message, None);
                return Err(vec![Plugin::Volumes]);
            }
        };
        let wish = Wish::of(context, pod, &self.rooms, volumes);
        let (fitting, refusals) = self.look(pod, &wish);
        let Some(best) = score::best(context, &wish, &fitting) else {
            let plugins = refusals.values().map(|refusal| refusal.plugin).collect();
            // The next pod must know at once what was promised to this one.
            if let Some(promised) = self.fail(context, &wish, &refusals) {
                self.queue.promise(promised);
            }
            return Err(plugins);
        };
        if !wish.volumes.waiting.is_empty() {
            volumes::select_node(context, &wish.volumes.waiting, &best);
            return Err(vec![Plugin::Volumes]);
        }
        match bind(context, pod, &best) {
            Some(bound) => self.rooms.put_pod(&bound),
            None => return Err(Vec::new()),
        }
        Ok(())
    }

    /// The nodes that fit, as many as are enough, and why the others do not.
    fn look(&mut self, pod: &Object, wish: &Wish<'_>) -> (Vec<&Room>, BTreeMap<String, Refusal>) {
        let mut refusals = BTreeMap::new();
        let named = affinity::named(pod);
        if let Some(names) = &named {
            let why = "node(s) didn't satisfy plugin(s) [NodeAffinity]";
            for room in self.rooms.values().filter(|room| !names.contains(&room.name())) {
                let refusal = Refusal {
                    plugin: Plugin::Node,
                    reasons: vec![why.to_owned()],
                    resolvable: false,
                };
                refusals.insert(room.name().to_owned(), refusal);
            }
        }
        let promised = self.rooms.get(field::text(pod, "/status/nominatedNodeName"));
        if let Some(room) = promised.filter(|room| self.check(wish, room).is_ok()) {
            return (vec![room], refusals);
        }
        let all: Vec<&Room> = match &named {
            Some(names) => names.iter().filter_map(|name| self.rooms.get(name)).collect(),
            None => self.rooms.values().collect(),
        };
        let (count, enough) = (all.len(), enough(all.len()));
        let mut fitting = Vec::new();
        let mut looked = 0;
        for place in 0..count {
            if fitting.len() >= enough {
                break;
            }
            looked += 1;
            let Some(room) = all.get((self.first_node + place) % count.max(1)) else { continue };
            match self.check(wish, room) {
                Ok(()) => fitting.push(*room),
                Err(refusal) => drop(refusals.insert(room.name().to_owned(), refusal)),
            }
        }
        self.first_node = (self.first_node + looked) % count.max(1);
        (fitting, refusals)
    }

    /// Whether a node can take the pod besides those that it was promised to.
    fn check(&self, wish: &Wish<'_>, room: &Room) -> Result<(), Refusal> {
        let mut promised = self.queue.promised_beside(wish.pod, room.name());
        let Some(first) = promised.next() else { return wish.check(room) };
        let mut crowded = room.clone();
        crowded.take(first);
        for other in promised {
            crowded.take(other);
        }
        wish.check(&crowded)
    }

    /// No node will do: says why, and removes less important pods if that helps. Gives the pod
    /// with the node it is promised then.
    fn fail(
        &self,
        context: &mut Context<'_>,
        wish: &Wish<'_>,
        refusals: &BTreeMap<String, Refusal>,
    ) -> Option<Object> {
        let nodes = self.rooms.len();
        let mut reasons: BTreeMap<String, usize> = BTreeMap::new();
        for reason in refusals.values().flat_map(|refusal| &refusal.reasons) {
            *reasons.entry(reason.clone()).or_default() += 1;
        }
        let told = format!("0/{nodes} nodes are available: {}.", counted(&reasons));
        match preempt::search(context, wish, (&self.rooms, &self.queue), refusals) {
            Outcome::Victims(node, victims) => {
                let promised = refuse(context, wish.pod, &told, Some(&node));
                Self::remove_victims(context, wish.pod, &node, &victims);
                promised
            }
            Outcome::None(why) => {
                let told = format!("{told} no new claims to deallocate, preemption: {why}");
                refuse(context, wish.pod, &told, None);
                None
            }
        }
    }
}

/// Reasons with their counts, in the order of the text.
fn counted(reasons: &BTreeMap<String, usize>) -> String {
    let mut told: Vec<_> = reasons.iter().map(|(reason, n)| format!("{n} {reason}")).collect();
    told.sort();
    told.join(", ")
}

fn bind(context: &mut Context<'_>, pod: &Object, node: &str) -> Option<Object> {
    let now = context.now();
    let bound = context.registry.bind(pod, node, |pod| {
        set_condition(pod, "PodScheduled", "True", ("", ""), now);
        field::child(pod, "status").remove("nominatedNodeName");
    });
    let bound = bound.ok()?;
    let (namespace, name) = place(pod);
    let text = format!("Successfully assigned {namespace}/{name} to {node}");
    context.tell(COMPONENT, pod, &Note::normal("Scheduled", text));
    Some(bound)
}

/// Says why a pod has no node yet, and which it is promised; gives the pod that says so, unless
/// it was deleted meanwhile.
fn refuse(
    context: &mut Context<'_>,
    pod: &Object,
    message: &str,
    promised: Option<&str>,
) -> Option<Object> {
    context.tell(COMPONENT, pod, &Note::warning("FailedScheduling", message));
    let now = context.now();
    let marked = context.registry.modify(&POD, pod, Part::Status, |pod| {
        set_condition(pod, "PodScheduled", "False", ("Unschedulable", message), now);
        if let Some(node) = promised {
            field::child(pod, "status").insert("nominatedNodeName".into(), node.into());
        }
    });
    marked.ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_many_nodes_some_are_enough() {
        for (nodes, expected) in [(3, 3), (99, 99), (100, 100), (500, 230), (5000, 500)] {
            assert_eq!(enough(nodes), expected, "{nodes}");
        }
    }
}
