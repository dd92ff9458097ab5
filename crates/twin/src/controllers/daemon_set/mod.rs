//! DaemonSets: one pod on every node that takes it.

mod daemon;

use std::collections::BTreeMap;
use std::sync::Arc;

use model::Timestamp;
use serde_json::Value;

use super::rollout::share;
use super::work::Work;
use super::{Place, has_ended, is_ready, owner_of, place, pods, revisions};
use crate::cluster::{Actor, Context};
use crate::field;
use crate::kernel::{SECOND, plus};
use crate::kinds::{DAEMON_SET, NODE, POD};
use crate::registry::{Note, Part};
use crate::store::{Change, Object};

use daemon::{home, made, takes};

const COMPONENT: &str = "daemonset-controller";
const HASH: &str = "controller-revision-hash";
/// Pauses before a failed daemon of a node is replaced.
const FIRST_PAUSE: i64 = SECOND;
const LONGEST_PAUSE: i64 = 900 * SECOND;

/// The controller.
#[derive(Debug, Default)]
pub(super) struct DaemonSets {
    work: Work,
    /// Failed daemons by set and node: how many in a row, and when the next may go.
    failed: BTreeMap<(Place, String), (u32, Timestamp)>,
}

impl Actor for DaemonSets {
    fn name(&self) -> &str {
        COMPONENT
    }

    fn reads(&self, change: &Change) -> bool {
        [DAEMON_SET.storage, POD.storage].contains(&change.key.resource)
            || change.key.resource == NODE.storage && matters(change)
    }

    fn step(&mut self, changes: &[Arc<Change>], context: &mut Context<'_>) {
        let now = context.now();
        for change in changes {
            if change.key.resource == NODE.storage {
                let all = context.registry.store.table(DAEMON_SET.storage).values();
                for set in all {
                    self.work.add(place(set), now);
                }
            } else if change.key.resource == DAEMON_SET.storage {
                let place = (change.key.namespace.clone(), change.key.name.clone());
                self.work.add(place, now);
            } else {
                for pod in change.before.iter().chain(&change.after) {
                    if let Some(owner) = owner_of(pod, DAEMON_SET.kind) {
                        self.work.add(owner, now);
                    }
                }
                if let Some(pod) = &change.after {
                    for taker in pods::takers(context, &DAEMON_SET, pod) {
                        self.work.add(taker, now);
                    }
                }
            }
        }
        for place in self.work.take(now) {
            let found = context.registry.get(&DAEMON_SET, &place.0, &place.1).map(Arc::clone);
            let Ok(set) = found else { continue };
            match self.sync(context, &set) {
                Ok(later) => {
                    self.work.forgive(&place);
                    if let Some(at) = later {
                        self.work.add(place, at);
                    }
                }
                Err(_) => self.work.retry(&place, now),
            }
        }
        if let Some(next) = self.work.next() {
            context.wake(next);
        }
    }
}

/// Heartbeats are no news.
fn matters(change: &Change) -> bool {
    let (Some(before), Some(after)) = (&change.before, &change.after) else { return true };
    before["spec"] != after["spec"] || before["metadata"]["labels"] != after["metadata"]["labels"]
}

/// The nodes and the daemons on each.
struct Plan {
    hash: String,
    nodes: Vec<Object>,
    /// Names of nodes that should have a daemon, and of those that may keep theirs.
    wanted: Vec<String>,
    kept: Vec<String>,
    pods: BTreeMap<String, Vec<Object>>,
}

impl Plan {
    fn on(&self, node: &str) -> &[Object] {
        self.pods.get(node).map_or(&[], Vec::as_slice)
    }

    fn is_new(&self, pod: &Value) -> bool {
        pod["metadata"]["labels"][HASH] == self.hash.as_str()
    }
}

fn plan(context: &mut Context<'_>, set: &Object) -> Plan {
    let hash = revisions::current(context, set);
    let table = context.registry.store.table(NODE.storage);
    let nodes: Vec<Object> = table.values().cloned().collect();
    let model = made(set, &hash, "");
    let (mut wanted, mut kept) = (Vec::new(), Vec::new());
    for node in &nodes {
        let (runs, stays) = takes(&model, node);
        let name = field::name(node).to_owned();
        if runs {
            wanted.push(name.clone());
        }
        if stays {
            kept.push(name);
        }
    }
    let mut by_node: BTreeMap<String, Vec<Object>> = BTreeMap::new();
    for pod in pods::claim(context, set) {
        by_node.entry(home(&pod).to_owned()).or_default().push(pod);
    }
    Plan { hash, nodes, wanted, kept, pods: by_node }
}

impl DaemonSets {
    fn sync(
        &mut self,
        context: &mut Context<'_>,
        set: &Object,
    ) -> Result<Option<Timestamp>, String> {
        let plan = plan(context, set);
        let mut later = None;
        let mut done = Ok(());
        if !field::is_deleting(set) {
            let (making, removing, at) = self.difference(context, set, &plan);
            later = at;
            for node in making {
                let pod = made(set, &plan.hash, &node);
                done = pods::create(context, COMPONENT, set, pod);
                if done.is_err() {
                    break;
                }
            }
            for pod in removing {
                pods::delete(context, COMPONENT, set, &pod);
            }
            // What was just changed is counted the next time.
            roll(context, set, &plan);
        }
        write_status(context, set, &plan);
        let all: Vec<Object> = plan.pods.values().flatten().cloned().collect();
        let name = format!("{}-{}", field::name(set), plan.hash);
        revisions::forget_old(context, set, &all, &[&name]);
        let now = context.now();
        let patience = field::number(set, "/spec/minReadySeconds");
        let ready = all.iter().filter_map(|pod| pods::available_at(pod, patience));
        let ready = ready.filter(|at| *at > now).min();
        done.map(|()| later.into_iter().chain(ready).min())
    }

    /// Nodes that lack a daemon, and daemons that must go.
    fn difference(
        &mut self,
        context: &mut Context<'_>,
        set: &Object,
        plan: &Plan,
    ) -> (Vec<String>, Vec<Object>, Option<Timestamp>) {
        let (mut making, mut removing, mut later) = (Vec::new(), Vec::new(), None);
        let surges = is_rolling(set) && surge(set, plan) > 0;
        for node in &plan.nodes {
            let name = field::name(node);
            let here = plan.on(name);
            let stays = plan.kept.iter().any(|kept| kept == name);
            if !stays {
                removing.extend(here.iter().filter(|pod| !field::is_deleting(pod)).cloned());
                continue;
            }
            if here.is_empty() && plan.wanted.iter().any(|wanted| wanted == name) {
                making.push(name.to_owned());
                continue;
            }
            let mut living: Vec<&Object> = Vec::new();
            for pod in here.iter().filter(|pod| !field::is_deleting(pod)) {
                match has_ended(pod) {
                    true => later = self.bury(context, set, (name, pod), &mut removing).or(later),
                    false => living.push(pod),
                }
            }
            removing.extend(second_ones(plan, living, surges));
        }
        // Daemons of nodes that are gone are left to others.
        (making, removing, later)
    }

    /// A daemon that has ended makes room for the next, after a pause if it failed again and
    /// again. When it may.
    fn bury(
        &mut self,
        context: &mut Context<'_>,
        set: &Object,
        (node, pod): (&str, &Object),
        removing: &mut Vec<Object>,
    ) -> Option<Timestamp> {
        let now = context.now();
        let (namespace, name) = place(pod);
        if field::text(pod, "/status/phase") == "Succeeded" {
            let text = format!(
                "Found succeeded daemon pod {namespace}/{name} on node {node}, will try to \
                 delete it"
            );
            context.tell(COMPONENT, set, &Note::normal("SucceededDaemonPod", text));
            removing.push(pod.clone());
            return None;
        }
        let key = (place(set), node.to_owned());
        let (times, at) = self.failed.get(&key).copied().unwrap_or((0, now));
        if at > now {
            return Some(at);
        }
        let text = format!(
            "Found failed daemon pod {namespace}/{name} on node {node}, will try to kill it"
        );
        context.tell(COMPONENT, set, &Note::warning("FailedDaemonPod", text));
        removing.push(pod.clone());
        let pause = FIRST_PAUSE.saturating_mul(1 << times.min(20)).min(LONGEST_PAUSE);
        self.failed.insert(key, (times + 1, plus(now, pause)));
        None
    }
}

/// Of several daemons on a node only the oldest stays; during an update that makes the new ones
/// first, an old one and a new one.
fn second_ones(plan: &Plan, mut living: Vec<&Object>, surges: bool) -> Vec<Object> {
    living.sort_by_key(|pod| {
        (
            field::text(pod, "/spec/nodeName").is_empty(),
            field::text(pod, "/metadata/creationTimestamp").to_owned(),
        )
    });
    let (new, old): (Vec<&Object>, Vec<&Object>) =
        living.into_iter().partition(|pod| plan.is_new(pod));
    let surplus: Vec<&Object> = if !surges {
        let mut all: Vec<&Object> = old.into_iter().chain(new).collect();
        all.sort_by_key(|pod| field::text(pod, "/metadata/creationTimestamp").to_owned());
        all.into_iter().skip(1).collect()
    } else {
        let replaced = new.first().is_some_and(|pod| is_ready(pod));
        let kept_old = usize::from(!replaced);
        old.into_iter().skip(kept_old).chain(new.into_iter().skip(1)).collect()
    };
    surplus.into_iter().cloned().collect()
}

fn is_rolling(set: &Value) -> bool {
    field::text(set, "/spec/updateStrategy/type") != "OnDelete"
}

fn surge(set: &Value, plan: &Plan) -> i64 {
    let told = set.pointer("/spec/updateStrategy/rollingUpdate/maxSurge");
    share(told, plan.wanted.len() as i64, true)
}

/// Replaces daemons of old templates, as many at a time as may be missing or too many.
fn roll(context: &mut Context<'_>, set: &Object, plan: &Plan) {
    if !is_rolling(set) {
        return;
    }
    let now = context.now();
    let patience = field::number(set, "/spec/minReadySeconds");
    let is_available = |pod: &Object| {
        !field::is_deleting(pod)
            && is_ready(pod)
            && pods::available_at(pod, patience).is_some_and(|at| at <= now)
    };
    let surge = surge(set, plan);
    let told = set.pointer("/spec/updateStrategy/rollingUpdate/maxUnavailable");
    let mut most = share(told, plan.wanted.len() as i64, true);
    if most == 0 && surge == 0 {
        most = 1;
    }
    let (mut missing, mut doubled) = (0, 0);
    let (mut first, mut second, mut growing) = (Vec::new(), Vec::new(), Vec::new());
    for node in &plan.wanted {
        let here: Vec<&Object> = plan.on(node).iter().filter(|pod| !has_ended(pod)).collect();
        let old = here.iter().find(|pod| !plan.is_new(pod) && !field::is_deleting(pod));
        let new = here.iter().find(|pod| plan.is_new(pod));
        let any = here.iter().any(|pod| is_available(pod));
        missing += i64::from(!any);
        doubled += i64::from(old.is_some() && new.is_some());
        match (old, new) {
            (Some(old), Some(new)) if surge > 0 && is_available(new) => {
                first.push(Arc::clone(old));
            }
            (Some(old), None) if surge > 0 => match is_available(old) {
                true => growing.push(node.clone()),
                false => growing.insert(0, node.clone()),
            },
            (Some(old), None) if is_available(old) => second.push(Arc::clone(old)),
            (Some(old), None) => first.push(Arc::clone(old)),
            _ => {}
        }
    }
    for pod in first {
        pods::delete(context, COMPONENT, set, &pod);
    }
    let left = usize::try_from(most - missing).unwrap_or(0);
    for pod in second.into_iter().take(left) {
        pods::delete(context, COMPONENT, set, &pod);
    }
    let left = usize::try_from(surge - doubled).unwrap_or(0);
    for node in growing.into_iter().take(left) {
        // A refusal is told; the next look tries again.
        drop(pods::create(context, COMPONENT, set, made(set, &plan.hash, &node)));
    }
}

fn write_status(context: &mut Context<'_>, set: &Object, plan: &Plan) {
    let now = context.now();
    let patience = field::number(set, "/spec/minReadySeconds");
    let (mut current, mut ready, mut available, mut updated, mut wrong) = (0, 0, 0, 0, 0);
    for node in &plan.nodes {
        let here = plan.on(field::name(node));
        let oldest = here.iter().min_by_key(|pod| {
            (plan.is_new(pod), field::text(pod, "/metadata/creationTimestamp").to_owned())
        });
        let wanted = plan.wanted.iter().any(|name| name == field::name(node));
        if !wanted {
            wrong += i64::from(!here.is_empty());
            continue;
        }
        let Some(pod) = oldest else { continue };
        current += 1;
        if is_ready(pod) {
            ready += 1;
            let since = pods::available_at(pod, patience);
            available += i64::from(since.is_some_and(|at| at <= now));
        }
        updated += i64::from(plan.is_new(pod));
    }
    let wanted = plan.wanted.len() as i64;
    let written = context.registry.modify(&DAEMON_SET, set, Part::Status, |set| {
        let generation = set["metadata"]["generation"].clone();
        let status = field::child(set, "status");
        status.insert("observedGeneration".into(), generation);
        status.insert("desiredNumberScheduled".into(), wanted.into());
        status.insert("currentNumberScheduled".into(), current.into());
        status.insert("numberMisscheduled".into(), wrong.into());
        status.insert("numberReady".into(), ready.into());
        for (key, n) in [
            ("numberAvailable", available),
            ("numberUnavailable", wanted - available),
            ("updatedNumberScheduled", updated),
        ] {
            match n {
                0 => drop(status.remove(key)),
                n => drop(status.insert(key.into(), n.into())),
            }
        }
    });
    // The set may have been removed by its own deletion.
    drop(written);
}
