//! Node lifecycle: a node whose heartbeat stopped becomes Unknown; one that is Unknown or not
//! ready is tainted, and its pods stop being ready; one that is ready again loses the taints.
//!
//! All nodes are looked at every 5 s, and it takes a while to look at many: what happens to one
//! while the others are still looked at is a race that real clusters have. Passes in which there
//! is nothing to see are left out. It must never look at the time that a kubelet writes down,
//! only at when a renewal could be seen.

mod marks;
mod zone;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use model::Timestamp;
use serde_json::Value;

use crate::cluster::{Actor, Context};
use crate::field;
use crate::kernel::{SECOND, plus};
use crate::kinds::NODE;
use crate::registry::Note;
use crate::store::{Change, Object};
use zone::{Count, Turn, Zone};

const COMPONENT: &str = "node-controller";
/// Without a renewal for this long a node is Unknown (since 1.32; 40 s before).
const GRACE: i64 = 50 * SECOND;
/// The same for a node that never posted anything.
const STARTUP_GRACE: i64 = 60 * SECOND;
/// Nodes are looked at this often.
const PERIOD: i64 = 5 * SECOND;
/// Nodes that wait to be given up are looked at this often.
const TICK: i64 = SECOND / 10;
/// So many nodes are looked at side by side.
const WORKERS: usize = 8;
/// What an update of a node and one of a pod cost.
const NODE_COST: (i64, i64) = (30_000, 100_000);
const POD_COST: (i64, i64) = (10_000, 30_000);
const ZONE: &str = "topology.kubernetes.io/zone";
const REGION: &str = "topology.kubernetes.io/region";
/// Nodes with this label do not count when a zone is judged.
const EXCLUDED: &str = "node.kubernetes.io/exclude-disruption";

/// What the controller remembers of a node.
#[derive(Debug, Clone)]
struct Watched {
    /// When it saw the last sign of life, as far as no heartbeat says more.
    probed: Timestamp,
    zone: String,
}

/// Something that is done later in a pass or besides it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Step {
    Pass,
    Judge(String),
    /// A pod of a node that fell, by namespace and name.
    Unready(String, String),
    EndPass,
    /// The taints of a node that keep new pods away.
    KeepAway(String),
    GiveUp,
}

/// The controller.
#[derive(Debug, Default, Clone)]
pub(super) struct NodeLifecycle {
    watched: BTreeMap<String, Watched>,
    zones: BTreeMap<String, Zone>,
    agenda: BTreeSet<(Timestamp, Step)>,
    /// When the last pass ended, or the first was due; passes follow every 5 s.
    anchor: Option<Timestamp>,
    /// Nodes that were given up when the present pass began.
    given_up: BTreeSet<String>,
    in_pass: bool,
    /// Something changed since the last pass.
    changed: bool,
    /// The next loss as it was worked out at so many starts and stops of heartbeats.
    loss: Option<(u64, Option<Timestamp>)>,
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
        if self.anchor.is_none() && !self.in_pass {
            // The first pass comes with the start.
            self.begin_pass(context);
        }
        if !changes.is_empty() {
            (self.changed, self.loss) = (true, None);
        }
        for change in changes {
            let Some(node) = &change.after else { continue };
            let at = context.soon(5_000, 30_000);
            self.agenda.insert((at, Step::KeepAway(change.key.name.clone())));
            let was_ready = change.before.as_ref().is_some_and(|before| is_ready(before));
            if was_ready && field::condition_is(node, "Ready", "False") {
                marks::tell_of_fall(context, node);
                for pod in super::pods_of(context, field::name(node)) {
                    marks::unready(context, field::namespace(&pod), field::name(&pod));
                }
            }
        }
        self.work(context);
        self.plan(context);
    }
}

impl NodeLifecycle {
    /// Does what is due.
    fn work(&mut self, context: &mut Context<'_>) {
        let now = context.now();
        while let Some((at, step)) = self.agenda.pop_first() {
            if at > now {
                self.agenda.insert((at, step));
                return;
            }
            match step {
                Step::Pass => self.begin_pass(context),
                Step::Judge(name) => self.judge(context, &name),
                Step::Unready(namespace, name) => marks::unready(context, &namespace, &name),
                Step::EndPass => self.end_pass(context),
                Step::KeepAway(name) => {
                    if let Some(node) = node(context, &name) {
                        marks::keep_away(context, &node);
                    }
                }
                Step::GiveUp => self.give_up(context),
            }
        }
    }

    /// Puts the next pass and the next tick on the agenda, and asks to be woken.
    fn plan(&mut self, context: &mut Context<'_>) {
        let now = context.now();
        self.agenda.retain(|(_, step)| !matches!(step, Step::Pass | Step::GiveUp));
        if !self.in_pass {
            let soonest = if self.changed { Some(now) } else { self.next_loss(context) };
            if let Some(at) = soonest {
                self.agenda.insert((self.pass_at(at.max(now)), Step::Pass));
            }
        }
        if let Some(due) = self.zones.values().filter_map(Zone::due).min() {
            let at = due.max(now).micros();
            let tick = Timestamp::from_micros((at / TICK + 1) * TICK);
            self.agenda.insert((tick, Step::GiveUp));
        }
        if let Some((at, _)) = self.agenda.first() {
            context.wake(*at);
        }
    }

    /// The first pass at or after a moment.
    fn pass_at(&self, at: Timestamp) -> Timestamp {
        let anchor = self.anchor.unwrap_or(at).micros();
        let passes = (at.micros() - anchor + PERIOD - 1).div_euclid(PERIOD);
        Timestamp::from_micros(anchor + passes * PERIOD)
    }

    /// When a node can be called lost; `None` while it is heard of, or if it is already.
    fn deadline(&self, context: &Context<'_>, node: &Object) -> Option<Timestamp> {
        let name = field::name(node);
        let watched = self.watched.get(name)?;
        if field::condition(node, "Ready").is_none() {
            let created = field::time(node, "/metadata/creationTimestamp");
            return Some(plus(created.unwrap_or(watched.probed), STARTUP_GRACE));
        }
        if field::condition_is(node, "Ready", "Unknown") {
            return None;
        }
        let probed = match context.registry.heartbeats.get(name) {
            Some(beat) if beat.stopped.is_none() => return None,
            Some(beat) => {
                let renewed = beat.renewed_at(context.now());
                watched.probed.max(self.pass_at(renewed))
            }
            None => watched.probed,
        };
        Some(plus(probed, GRACE))
    }

    /// The next moment at which a node is lost.
    fn next_loss(&mut self, context: &Context<'_>) -> Option<Timestamp> {
        let beats = context.registry.beats;
        if let Some((_, loss)) = self.loss.filter(|(known, _)| *known == beats) {
            return loss;
        }
        let nodes = context.registry.store.table(NODE.storage).values();
        let loss = nodes.filter_map(|node| self.deadline(context, node)).min();
        self.loss = Some((beats, loss));
        loss
    }

    /// Looks at all nodes. Those that change something take their turn at one of the workers.
    fn begin_pass(&mut self, context: &mut Context<'_>) {
        let now = context.now();
        let nodes: Vec<Object> =
            context.registry.store.table(NODE.storage).values().cloned().collect();
        (self.changed, self.loss) = (false, None);
        self.meet(context, &nodes);
        self.given_up.clear();
        let mut workers = [now; WORKERS];
        for node in &nodes {
            let name = field::name(node);
            let given = [marks::UNREACHABLE, marks::NOT_READY];
            if given.iter().any(|key| marks::has_taint(node, key, "NoExecute")) {
                self.given_up.insert(name.to_owned());
            }
            let lost = self.deadline(context, node).is_some_and(|due| due <= now);
            if !lost {
                self.sort(context, node);
                continue;
            }
            let Some(free) = workers.iter_mut().min() else { continue };
            *free = plus(*free, context.dice.between(NODE_COST.0, NODE_COST.1));
            self.agenda.insert((*free, Step::Judge(name.to_owned())));
            for pod in super::pods_of(context, name) {
                *free = plus(*free, context.dice.between(POD_COST.0, POD_COST.1));
                let (namespace, name) = super::place(&pod);
                self.agenda.insert((*free, Step::Unready(namespace, name)));
            }
        }
        let end = workers.into_iter().max().unwrap_or(now);
        self.in_pass = true;
        self.agenda.insert((plus(end, 1), Step::EndPass));
    }

    /// Takes up new nodes and forgets those that are gone.
    fn meet(&mut self, context: &mut Context<'_>, nodes: &[Object]) {
        let now = context.now();
        let names: BTreeSet<&str> = nodes.iter().map(|node| field::name(node)).collect();
        let gone: Vec<String> =
            self.watched.keys().filter(|name| !names.contains(name.as_str())).cloned().collect();
        for name in gone {
            let watched = self.watched.remove(&name);
            if let Some(zone) = watched.and_then(|w| self.zones.get_mut(&w.zone)) {
                zone.remove(&name);
            }
            let text = format!("Node {name} event: Removing Node {name} from Controller");
            let shadow = serde_json::json!({
                "apiVersion": "v1", "kind": "Node", "metadata": {"name": name, "uid": name},
            });
            context.tell(COMPONENT, &shadow, &Note::normal("RemovingNode", text));
        }
        for node in nodes {
            let name = field::name(node);
            if self.watched.contains_key(name) {
                continue;
            }
            let zone = zone_of(node);
            self.zones.entry(zone.clone()).or_insert_with(|| Zone::new(now));
            self.watched.insert(name.to_owned(), Watched { probed: now, zone });
            let text = format!("Node {name} event: Registered Node {name} in Controller");
            context.tell(COMPONENT, node, &Note::normal("RegisteredNode", text));
            // Whoever gave it up before, this controller has not.
            marks::take_back(context, node);
        }
    }

    /// A node's turn: it is lost.
    fn judge(&mut self, context: &mut Context<'_>, name: &str) {
        let Some(before) = node(context, name) else { return };
        let was_ready = is_ready(&before);
        marks::mark_unknown(context, &before);
        let Some(node) = node(context, name) else { return };
        if was_ready {
            marks::tell_of_fall(context, &node);
        }
        self.sort(context, &node);
    }

    /// A node that is not ready waits to be given up; one that is ready is taken back.
    fn sort(&mut self, context: &mut Context<'_>, node: &Object) {
        let name = field::name(node);
        let Some(watched) = self.watched.get(name) else { return };
        let Some(zone) = self.zones.get_mut(&watched.zone) else { return };
        match marks::wanted(node) {
            Some((key, other)) if marks::has_taint(node, other, "NoExecute") => {
                marks::swap(context, node, "NoExecute", (&[key], &[other]));
            }
            Some((key, _)) => {
                if !marks::has_taint(node, key, "NoExecute") {
                    zone.forget(name);
                }
                zone.add(name);
            }
            None if is_ready(node) => {
                zone.remove(name);
                marks::take_back(context, node);
            }
            None => {}
        }
    }

    /// All nodes were looked at: now the zones are judged.
    fn end_pass(&mut self, context: &mut Context<'_>) {
        let now = context.now();
        let first = self.anchor.is_none();
        // After the first pass the others may come at any phase of the period.
        let shift = if first { context.dice.between(-PERIOD, 0) } else { 0 };
        (self.in_pass, self.anchor) = (false, Some(plus(now, shift)));
        let turn = zone::judge(&mut self.zones, &counts(context), now);
        let names: Vec<String> = self.watched.keys().cloned().collect();
        match turn {
            Turn::Nothing => {}
            Turn::AllLost => {
                for name in names {
                    if let Some(watched) = self.watched.get(&name)
                        && let Some(zone) = self.zones.get_mut(&watched.zone)
                    {
                        zone.remove(&name);
                    }
                    // Those that were given up meanwhile are not seen: the list is older.
                    if self.given_up.contains(&name)
                        && let Some(node) = node(context, &name)
                    {
                        marks::take_back(context, &node);
                    }
                }
                // They wait again from the next pass on.
                self.changed = true;
            }
            Turn::Recovered => {
                self.watched.values_mut().for_each(|node| node.probed = now);
                self.loss = None;
            }
        }
    }

    /// Puts the taint that drives pods away, one node a zone and token.
    fn give_up(&mut self, context: &mut Context<'_>) {
        let now = context.now();
        let taken: Vec<String> =
            self.zones.values_mut().filter_map(|zone| zone.take(now)).collect();
        for name in taken {
            let Some(node) = node(context, &name) else { continue };
            if let Some((key, other)) = marks::wanted(&node) {
                marks::swap(context, &node, "NoExecute", (&[key], &[other]));
            }
        }
    }
}

fn node(context: &Context<'_>, name: &str) -> Option<Object> {
    context.registry.get(&NODE, "", name).ok().map(Arc::clone)
}

fn is_ready(node: &Value) -> bool {
    field::condition_is(node, "Ready", "True")
}

/// Region and zone of a node.
fn zone_of(node: &Value) -> String {
    let labels = field::map(node, "/metadata/labels");
    let label = |key: &str| labels.and_then(|l| l.get(key)).and_then(Value::as_str).unwrap_or("");
    format!("{}/{}", label(REGION), label(ZONE))
}

fn counts(context: &Context<'_>) -> BTreeMap<String, Count> {
    let mut counts: BTreeMap<String, Count> = BTreeMap::new();
    for node in context.registry.store.table(NODE.storage).values() {
        if field::map(node, "/metadata/labels").is_some_and(|l| l.contains_key(EXCLUDED)) {
            continue;
        }
        let count = counts.entry(zone_of(node)).or_default();
        match is_ready(node) {
            true => count.ready += 1,
            false => count.lost += 1,
        }
    }
    counts
}
