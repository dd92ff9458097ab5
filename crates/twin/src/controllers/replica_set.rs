//! ReplicaSets: as many pods as wanted.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::{Value, json};

use super::{Place, is_active, is_ready, owned_by, owner_of, place, reference};
use crate::cluster::{Actor, Context};
use crate::field;
use crate::kinds::{POD, REPLICA_SET};
use crate::registry::{DeleteOptions, Note, Part};
use crate::store::{Change, Object};

const COMPONENT: &str = "replicaset-controller";
/// Pods made or deleted in one go, per set.
const BURST: usize = 500;

/// The controller.
#[derive(Debug, Default)]
pub(super) struct ReplicaSets;

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
        for (namespace, name) in touched {
            let found = context.registry.get(&REPLICA_SET, &namespace, &name);
            if let Ok(set) = found.map(Arc::clone) {
                sync(context, &set);
            }
        }
    }
}

fn sync(context: &mut Context<'_>, set: &Object) {
    let pods = owned_by(context.registry, POD.storage, set);
    let active: Vec<_> = pods.iter().filter(|p| is_active(p)).cloned().collect();
    let wanted = usize::try_from(field::number(set, "/spec/replicas")).unwrap_or(0);
    if !field::is_deleting(set) {
        for _ in active.len()..wanted.min(active.len() + BURST) {
            create_pod(context, set);
        }
        if active.len() > wanted {
            let surplus = (active.len() - wanted).min(BURST);
            delete_pods(context, set, active, surplus);
        }
    }
    write_status(context, set);
}

fn create_pod(context: &mut Context<'_>, set: &Object) {
    let mut pod = set.pointer("/spec/template").cloned().unwrap_or_else(|| json!({}));
    let metadata = field::child(&mut pod, "metadata");
    metadata.insert("generateName".into(), format!("{}-", field::name(set)).into());
    metadata.insert("ownerReferences".into(), reference(set));
    match context.registry.create(&POD, field::namespace(set), pod) {
        Ok(pod) => {
            let text = format!("Created pod: {}", field::name(&pod));
            context.tell(COMPONENT, set, &Note::normal("SuccessfulCreate", text));
        }
        Err(why) => {
            let text = format!("Error creating: {why}");
            context.tell(COMPONENT, set, &Note::warning("FailedCreate", text));
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

fn write_status(context: &mut Context<'_>, set: &Object) {
    let pods = owned_by(context.registry, POD.storage, set);
    let count = |fits: &dyn Fn(&Value) -> bool| pods.iter().filter(|p| fits(p)).count();
    let total = count(&is_active);
    let ready = count(&|p| is_active(p) && is_ready(p));
    let leaving = count(&|p| field::is_deleting(p) && !super::has_ended(p));
    let written = context.registry.modify(&REPLICA_SET, set, Part::Status, |set| {
        let generation = set["metadata"]["generation"].clone();
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
