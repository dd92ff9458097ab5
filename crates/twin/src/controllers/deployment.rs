//! Deployments: one ReplicaSet per template, and the way from one to the next.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use model::Timestamp;

use serde_json::{Value, json};

use super::{Place, owned_by, owner_of, place, reference, rollout};
use crate::cluster::{Actor, Context};
use crate::field;
use crate::kernel::short_hash;
use crate::kinds::{DEPLOYMENT, REPLICA_SET};
use crate::registry::{Note, Part};
use crate::store::{Change, Object};

pub(super) const COMPONENT: &str = "deployment-controller";
const HASH: &str = "pod-template-hash";
const REVISION: &str = "deployment.kubernetes.io/revision";

/// The controller.
#[derive(Debug, Default)]
pub(super) struct Deployments {
    /// Rollouts on their way, and when they will have taken too long.
    deadlines: BTreeMap<Place, Timestamp>,
}

impl Actor for Deployments {
    fn name(&self) -> &str {
        COMPONENT
    }

    fn reads(&self, change: &Change) -> bool {
        let resource = change.key.resource;
        resource == DEPLOYMENT.storage || resource == REPLICA_SET.storage
    }

    fn step(&mut self, changes: &[Arc<Change>], context: &mut Context<'_>) {
        let mut touched: BTreeSet<Place> = BTreeSet::new();
        for object in changes.iter().filter_map(|c| c.object()) {
            if object["kind"] == DEPLOYMENT.kind {
                touched.insert(place(object));
            } else {
                touched.extend(owner_of(object, DEPLOYMENT.kind));
            }
        }
        let now = context.now();
        let due = self.deadlines.iter().filter(|(_, at)| **at <= now);
        touched.extend(due.map(|(place, _)| place.clone()));
        for place in touched {
            let found = context.registry.get(&DEPLOYMENT, &place.0, &place.1);
            let alive = found.ok().filter(|d| !field::is_deleting(d)).map(Arc::clone);
            match alive.and_then(|deployment| sync(context, &deployment)) {
                Some(deadline) => drop(self.deadlines.insert(place, deadline)),
                None => drop(self.deadlines.remove(&place)),
            }
        }
        if let Some(next) = self.deadlines.values().min() {
            context.wake(*next);
        }
    }
}

/// Moves a rollout on; when it will have taken too long.
fn sync(context: &mut Context<'_>, deployment: &Object) -> Option<Timestamp> {
    let sets = owned_by(context.registry, REPLICA_SET.storage, deployment);
    let hash = short_hash(&deployment["spec"]["template"].to_string());
    let is_new = |set: &Object| {
        field::map(set, "/metadata/labels").and_then(|l| l.get(HASH)) == Some(&json!(hash))
    };
    let (new, old): (Vec<_>, Vec<_>) = sets.into_iter().partition(is_new);
    let new = new.into_iter().next().or_else(|| create(context, deployment, &hash, &old))?;
    stamp_revision(context, deployment, &new, &old);
    if !field::flag(deployment, "/spec/paused") {
        rollout::advance(context, deployment, &new, &old);
    }
    let sets = owned_by(context.registry, REPLICA_SET.storage, deployment);
    rollout::write_status(context, deployment, field::name(&new), &sets)
}

fn revision(object: &Value) -> i64 {
    let annotations = field::map(object, "/metadata/annotations");
    let text = annotations.and_then(|a| a.get(REVISION)).and_then(Value::as_str);
    text.and_then(|t| t.parse().ok()).unwrap_or(0)
}

/// The ReplicaSet of the current template.
fn create(
    context: &mut Context<'_>,
    deployment: &Object,
    hash: &str,
    old: &[Object],
) -> Option<Object> {
    let next = old.iter().map(|s| revision(s)).max().unwrap_or(0) + 1;
    let mut template = deployment["spec"]["template"].clone();
    let mut selector = deployment["spec"]["selector"].clone();
    field::child(&mut template, "metadata").entry("labels").or_insert(json!({}))[HASH] =
        hash.into();
    field::child(&mut selector, "matchLabels").insert(HASH.into(), hash.into());
    let labels = template["metadata"]["labels"].clone();
    let name = format!("{}-{hash}", field::name(deployment));
    let set = json!({
        "metadata": {
            "name": name, "labels": labels, "ownerReferences": reference(deployment),
            "annotations": {
                REVISION: next.to_string(),
                "deployment.kubernetes.io/desired-replicas":
                    field::number(deployment, "/spec/replicas").to_string(),
                "deployment.kubernetes.io/max-replicas":
                    rollout::most_pods(deployment).to_string(),
            },
        },
        "spec": {"replicas": 0, "selector": selector, "template": template},
    });
    match context.registry.create(&REPLICA_SET, field::namespace(deployment), set) {
        Ok(set) => Some(set),
        Err(why) => {
            let text = format!("Failed to create new replica set \"{name}\": {why}");
            context.tell(COMPONENT, deployment, &Note::warning("ReplicaSetCreateError", text));
            None
        }
    }
}

/// The newest set carries the highest revision, and the Deployment the same.
fn stamp_revision(context: &mut Context<'_>, deployment: &Object, new: &Object, old: &[Object]) {
    let highest = old.iter().map(|s| revision(s)).max().unwrap_or(0);
    let wanted = revision(new).max(highest + 1);
    for (kind, object) in [(&REPLICA_SET, new), (&DEPLOYMENT, deployment)] {
        if revision(object) == wanted {
            continue;
        }
        let stamped = context.registry.modify(kind, object, Part::Spec, |object| {
            let metadata = field::child(object, "metadata");
            let annotations = metadata.entry("annotations").or_insert(json!({}));
            annotations[REVISION] = wanted.to_string().into();
        });
        drop(stamped);
    }
}
