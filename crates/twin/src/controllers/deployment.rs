//! Deployments: one ReplicaSet per template, and the way from one to the next.

use std::sync::Arc;

use model::Timestamp;
use serde_json::{Value, json};

use super::pods::{picks, takers};
use super::replica_sets::{self as sets, DESIRED, HISTORY, MOST, REVISION};
use super::work::Work;
use super::{owned_by, owner_of, place, reference, rollout};
use crate::cluster::{Actor, Context};
use crate::field::{self, number};
use crate::kernel::short_hash;
use crate::kinds::{DEPLOYMENT, POD, REPLICA_SET};
use crate::registry::{Note, Part};
use crate::store::{Change, Object};

pub(super) const COMPONENT: &str = "deployment-controller";
const HASH: &str = "pod-template-hash";

/// The controller.
#[derive(Debug, Default)]
pub(super) struct Deployments {
    work: Work,
}

impl Actor for Deployments {
    fn name(&self) -> &str {
        COMPONENT
    }

    fn reads(&self, change: &Change) -> bool {
        let resource = change.key.resource;
        // Of pods only their end matters: a new start may wait for it.
        resource == DEPLOYMENT.storage
            || resource == REPLICA_SET.storage
            || resource == POD.storage && change.after.is_none()
    }

    fn step(&mut self, changes: &[Arc<Change>], context: &mut Context<'_>) {
        let now = context.now();
        for object in changes.iter().filter_map(|c| c.object()) {
            let concerned = match object["kind"].as_str() {
                Some("Deployment") => Some(place(object)),
                Some("Pod") => owner_of(object, REPLICA_SET.kind).and_then(|(namespace, name)| {
                    let set = context.registry.get(&REPLICA_SET, &namespace, &name).ok()?;
                    owner_of(set, DEPLOYMENT.kind)
                }),
                _ => owner_of(object, DEPLOYMENT.kind),
            };
            if let Some(concerned) = concerned {
                self.work.add(concerned, now);
            } else if object["kind"] == REPLICA_SET.kind {
                for taker in takers(context, &DEPLOYMENT, object) {
                    self.work.add(taker, now);
                }
            }
        }
        for place in self.work.take(now) {
            let found = context.registry.get(&DEPLOYMENT, &place.0, &place.1);
            let found = found.ok().map(Arc::clone);
            if let Some(deadline) = found.and_then(|deployment| sync(context, &deployment)) {
                self.work.add(place, deadline);
            }
        }
        if let Some(next) = self.work.next() {
            context.wake(next);
        }
    }
}

/// The sets of a Deployment, the oldest first, and which is the present one.
pub(super) struct Sets {
    pub new: Option<Object>,
    pub old: Vec<Object>,
}

impl Sets {
    pub fn all(&self) -> impl Iterator<Item = &Object> {
        self.old.iter().chain(&self.new)
    }
}

/// Moves a rollout on; when it will have taken too long.
fn sync(context: &mut Context<'_>, deployment: &Object) -> Option<Timestamp> {
    let mut all = claim(context, deployment);
    all.sort_by_key(|set| (field::text(set, "/metadata/creationTimestamp").to_owned(), place(set)));
    let hash = short_hash(&deployment["spec"]["template"].to_string());
    let new = all.iter().position(|set| has_template(set, deployment)).map(|at| all.remove(at));
    let old = all;
    let mut sets = Sets { new, old };
    if field::is_deleting(deployment) {
        return rollout::write_status(context, deployment, &sets);
    }
    let recreate = rollout::is_recreate(deployment);
    let paused = field::flag(deployment, "/spec/paused");
    let deployment = &rollout::note_pause(context, deployment);
    if paused || is_scaling(deployment, &sets) {
        keep_up(context, deployment, &mut sets);
        sets::scale_all(context, deployment, &sets);
        if paused {
            clean_up(context, deployment, &sets);
        }
        return rollout::write_status(context, deployment, &sets);
    }
    if recreate {
        keep_up(context, deployment, &mut sets);
        if rollout::stop_old(context, deployment, &sets) || runs_old(context, &sets) {
            return rollout::write_status(context, deployment, &sets);
        }
    }
    if sets.new.is_none() {
        sets.new = create(context, deployment, &hash, &sets.old);
    } else {
        keep_up(context, deployment, &mut sets);
    }
    let moved = rollout::advance(context, deployment, &sets);
    if !moved && rollout::is_complete(deployment, &deployment["status"]) {
        clean_up(context, deployment, &sets);
    }
    rollout::write_status(context, deployment, &sets)
}

/// Whether a set has the present template, but for the hash in its labels.
fn has_template(set: &Value, deployment: &Value) -> bool {
    let mut template = set["spec"]["template"].clone();
    if let Some(labels) = template.pointer_mut("/metadata/labels").and_then(Value::as_object_mut) {
        labels.remove(HASH);
    }
    template == deployment["spec"]["template"]
}

/// The sets of a Deployment. Those that it selects and nobody owns become its own.
fn claim(context: &mut Context<'_>, deployment: &Object) -> Vec<Object> {
    let mut mine = owned_by(context.registry, REPLICA_SET.storage, deployment);
    if field::is_deleting(deployment) {
        return mine;
    }
    let store = &context.registry.store;
    let all = store.in_namespace(REPLICA_SET.storage, field::namespace(deployment));
    let free: Vec<Object> = all
        .filter(|set| field::controller(set).is_none() && !field::is_deleting(set))
        .filter(|set| picks(deployment, set))
        .cloned()
        .collect();
    let own = reference(deployment);
    for set in free {
        let adopted = context.registry.modify(&REPLICA_SET, &set, Part::Spec, |set| {
            let metadata = field::child(set, "metadata");
            let references = metadata.entry("ownerReferences").or_insert(json!([]));
            if let (Some(all), Some(own)) = (references.as_array_mut(), own.get(0)) {
                all.push(own.clone());
            }
        });
        mine.extend(adopted);
    }
    mine
}

/// Whether the wanted number changed since the sets were last told of it.
fn is_scaling(deployment: &Value, sets: &Sets) -> bool {
    let wanted = number(deployment, "/spec/replicas").to_string();
    sets.all()
        .filter(|set| number(set, "/spec/replicas") > 0)
        .any(|set| sets::annotation(set, DESIRED).is_some_and(|told| told != wanted))
}

/// Whether pods of old templates are still there.
fn runs_old(context: &Context<'_>, sets: &Sets) -> bool {
    let of = |set: &Object| {
        let pods = owned_by(context.registry, POD.storage, set);
        pods.iter().any(|pod| !super::has_ended(pod))
    };
    sets.old.iter().any(of)
}

fn next_revision(old: &[Object]) -> i64 {
    old.iter().map(|set| sets::revision(set)).max().unwrap_or(0) + 1
}

/// The present set carries the highest revision and what the Deployment says of itself.
fn keep_up(context: &mut Context<'_>, deployment: &Object, sets: &mut Sets) {
    let Some(new) = &sets.new else { return };
    let wanted = sets::revision(new).max(next_revision(&sets.old));
    let patience = &deployment["spec"]["minReadySeconds"];
    let mut next = Value::clone(new);
    let annotations = sets::annotations(&mut next);
    sets::copy_annotations(deployment, annotations);
    if sets::revision(new) < wanted {
        let before = sets::annotation(new, REVISION).unwrap_or_default().to_owned();
        let history = sets::annotation(new, HISTORY).map(str::to_owned);
        let history = match history {
            Some(known) if !known.is_empty() => format!("{known},{before}"),
            _ => before,
        };
        if !history.is_empty() {
            annotations.insert(HISTORY.into(), history.into());
        }
        annotations.insert(REVISION.into(), wanted.to_string().into());
    }
    if next["spec"]["minReadySeconds"] != *patience {
        next["spec"]["minReadySeconds"] = patience.clone();
    }
    if next != ***new
        && let Ok(written) =
            context.registry.modify(&REPLICA_SET, new, Part::Spec, |set| *set = next)
    {
        sets.new = Some(written);
    }
    let name = sets.new.as_ref().map(|set| field::name(set).to_owned()).unwrap_or_default();
    let told = ("FoundNewReplicaSet", format!("Found new replica set \"{name}\""));
    rollout::note_set(context, deployment, (wanted, told), false);
}

/// The ReplicaSet of the current template.
fn create(
    context: &mut Context<'_>,
    deployment: &Object,
    hash: &str,
    old: &[Object],
) -> Option<Object> {
    let next = next_revision(old);
    let mut template = deployment["spec"]["template"].clone();
    let mut selector = deployment["spec"]["selector"].clone();
    field::child(&mut template, "metadata").entry("labels").or_insert(json!({}))[HASH] =
        hash.into();
    field::child(&mut selector, "matchLabels").insert(HASH.into(), hash.into());
    let labels = template["metadata"]["labels"].clone();
    let name = format!("{}-{hash}", field::name(deployment));
    let replicas = rollout::first_size(deployment, old);
    let mut set = json!({
        "metadata": {
            "name": name, "labels": labels, "ownerReferences": reference(deployment),
            "annotations": {},
        },
        "spec": {"replicas": replicas, "selector": selector, "template": template},
    });
    let patience = &deployment["spec"]["minReadySeconds"];
    if !patience.is_null() {
        set["spec"]["minReadySeconds"] = patience.clone();
    }
    let annotations = sets::annotations(&mut set);
    sets::copy_annotations(deployment, annotations);
    annotations.insert(REVISION.into(), next.to_string().into());
    annotations.insert(DESIRED.into(), number(deployment, "/spec/replicas").to_string().into());
    annotations.insert(MOST.into(), rollout::most_pods(deployment).to_string().into());
    match context.registry.create(&REPLICA_SET, field::namespace(deployment), set) {
        Ok(set) => {
            if replicas > 0 {
                let text = format!("Scaled up replica set {name} from 0 to {replicas}");
                context.tell(COMPONENT, deployment, &Note::normal("ScalingReplicaSet", text));
            }
            let told = ("NewReplicaSetCreated", format!("Created new replica set \"{name}\""));
            rollout::note_set(context, deployment, (next, told), true);
            Some(set)
        }
        Err(why) => {
            if !why.is_ending_namespace() {
                let text = format!("Failed to create new replica set \"{name}\": {why}");
                context.tell(COMPONENT, deployment, &Note::warning("ReplicaSetCreateError", text));
                rollout::note_failure(context, deployment, &why.message);
            }
            None
        }
    }
}

/// Removes old empty sets beyond what is to be kept.
fn clean_up(context: &mut Context<'_>, deployment: &Object, sets: &Sets) {
    let Some(limit) = deployment["spec"]["revisionHistoryLimit"].as_u64() else { return };
    let surplus = sets.old.len().saturating_sub(usize::try_from(limit).unwrap_or(usize::MAX));
    let mut by_revision: Vec<&Object> = sets.old.iter().collect();
    by_revision.sort_by_key(|set| sets::revision(set));
    for set in by_revision.into_iter().take(surplus) {
        let busy = number(set, "/spec/replicas") != 0 || number(set, "/status/replicas") != 0;
        if !busy && !field::is_deleting(set) {
            let options = crate::registry::DeleteOptions::default();
            let (namespace, name) = place(set);
            drop(context.registry.delete(&REPLICA_SET, &namespace, &name, &options));
        }
    }
}
