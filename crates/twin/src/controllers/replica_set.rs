//! ReplicaSets: as many pods as wanted.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use model::Timestamp;

use serde_json::{Value, json};

use super::{Place, is_active, is_ready, owned_by, owner_of, place, reference};
use crate::cluster::{Actor, Context};
use crate::field;
use crate::kernel::{SECOND, plus};
use crate::kinds::{POD, REPLICA_SET};
use crate::registry::{DeleteOptions, Note, Part};
use crate::store::{Change, Object};
use crate::world::{drop_condition, set_condition};

const COMPONENT: &str = "replicaset-controller";
/// Pods made or deleted in one go, per set.
const BURST: usize = 500;

/// The pause after the first refusal of a pod, in microseconds; it doubles each time.
const FIRST_PAUSE: i64 = 5_000;
const LONGEST_PAUSE: i64 = 1000 * SECOND;

/// The controller.
#[derive(Debug, Default)]
pub(super) struct ReplicaSets {
    /// Sets whose pods were refused: how often, and when the next is tried.
    refused: BTreeMap<Place, (u32, Timestamp)>,
}

impl Actor for ReplicaSets {
    fn name(&self) -> &str {
        COMPONENT
    }

    fn reads(&self, change: &Change) -> bool {
        change.key.resource == REPLICA_SET.storage || change.key.resource == POD.storage
    }

    fn step(&mut self, changes: &[Arc<Change>], context: &mut Context<'_>) {
        let mut touched: BTreeSet<Place> = BTreeSet::new();
        for object in changes.iter().filter_map(|c| c.object()) {
            if object["kind"] == REPLICA_SET.kind {
                touched.insert(place(object));
            } else {
                touched.extend(owner_of(object, REPLICA_SET.kind));
            }
        }
        let now = context.now();
        let due = self.refused.iter().filter(|(_, (_, at))| *at <= now);
        touched.extend(due.map(|(place, _)| place.clone()));
        for place in touched {
            let found = context.registry.get(&REPLICA_SET, &place.0, &place.1);
            match found.map(Arc::clone) {
                Ok(set) => self.sync(context, &place, &set),
                Err(_) => drop(self.refused.remove(&place)),
            }
        }
        if let Some(next) = self.refused.values().map(|(_, at)| *at).min() {
            context.wake(next);
        }
    }
}

impl ReplicaSets {
    fn sync(&mut self, context: &mut Context<'_>, place: &Place, set: &Object) {
        let now = context.now();
        let tries = self.refused.get(place).copied();
        if tries.is_some_and(|(_, at)| at > now) {
            // Counts may have changed all the same.
            return write_status(context, set, None);
        }
        match sync(context, set) {
            Ok(()) => {
                self.refused.remove(place);
                write_status(context, set, None);
            }
            Err(why) => {
                let times = tries.map_or(0, |(times, _)| times);
                let pause = FIRST_PAUSE.saturating_mul(1 << times.min(40)).min(LONGEST_PAUSE);
                self.refused.insert(place.clone(), (times + 1, plus(now, pause)));
                write_status(context, set, Some(&why));
            }
        }
    }
}

/// Makes or deletes pods; after the first refusal it makes no more.
fn sync(context: &mut Context<'_>, set: &Object) -> Result<(), String> {
    let pods = owned_by(context.registry, POD.storage, set);
    let active: Vec<_> = pods.iter().filter(|p| is_active(p)).cloned().collect();
    let wanted = usize::try_from(field::number(set, "/spec/replicas")).unwrap_or(0);
    if !field::is_deleting(set) {
        for _ in active.len()..wanted.min(active.len() + BURST) {
            create_pod(context, set)?;
        }
        if active.len() > wanted {
            let surplus = (active.len() - wanted).min(BURST);
            delete_pods(context, set, active, surplus);
        }
    }
    Ok(())
}

fn create_pod(context: &mut Context<'_>, set: &Object) -> Result<(), String> {
    let mut pod = set.pointer("/spec/template").cloned().unwrap_or_else(|| json!({}));
    let metadata = field::child(&mut pod, "metadata");
    metadata.insert("generateName".into(), format!("{}-", field::name(set)).into());
    metadata.insert("ownerReferences".into(), reference(set));
    match context.registry.create(&POD, field::namespace(set), pod) {
        Ok(pod) => {
            let text = format!("Created pod: {}", field::name(&pod));
            context.tell(COMPONENT, set, &Note::normal("SuccessfulCreate", text));
            Ok(())
        }
        Err(why) => {
            let text = format!("Error creating: {why}");
            context.tell(COMPONENT, set, &Note::warning("FailedCreate", text));
            Err(why.message)
        }
    }
}

/// Deletes the pods that will be missed least: unassigned, then not ready, then the newest.
fn delete_pods(context: &mut Context<'_>, set: &Object, mut pods: Vec<Object>, surplus: usize) {
    pods.sort_by_key(|pod| {
        let assigned = !field::text(pod, "/spec/nodeName").is_empty();
        let running = field::text(pod, "/status/phase") == "Running";
        let age = field::text(pod, "/metadata/creationTimestamp").to_owned();
        (assigned, running, is_ready(pod), std::cmp::Reverse(age), place(pod))
    });
    for pod in pods.into_iter().take(surplus) {
        let name = field::name(&pod);
        let options = DeleteOptions::default();
        let deleted = context.registry.delete(&POD, field::namespace(&pod), name, &options);
        if deleted.is_ok() {
            let text = format!("Deleted pod: {name}");
            context.tell(COMPONENT, set, &Note::normal("SuccessfulDelete", text));
        }
    }
}

/// Counts, and the condition that says why pods are missing. Between two tries it stays.
fn write_status(context: &mut Context<'_>, set: &Object, refusal: Option<&str>) {
    let now = context.now();
    let pods = owned_by(context.registry, POD.storage, set);
    let count = |fits: &dyn Fn(&Value) -> bool| pods.iter().filter(|p| fits(p)).count();
    let total = count(&is_active);
    let ready = count(&|p| is_active(p) && is_ready(p));
    let leaving = count(&|p| field::is_deleting(p) && !super::has_ended(p));
    let written = context.registry.modify(&REPLICA_SET, set, Part::Status, |set| {
        let generation = set["metadata"]["generation"].clone();
        if let Some(why) = refusal {
            set_condition(set, "ReplicaFailure", "True", ("FailedCreate", why), now);
        } else if usize::try_from(field::number(set, "/spec/replicas")) == Ok(total) {
            drop_condition(set, "ReplicaFailure");
        }
        let status = field::child(set, "status");
        status.insert("replicas".into(), total.into());
        status.insert("terminatingReplicas".into(), leaving.into());
        status.insert("observedGeneration".into(), generation);
        for (key, n) in [
            ("fullyLabeledReplicas", total),
            ("readyReplicas", ready),
            ("availableReplicas", ready),
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
