//! StatefulSets: numbered pods, made one after the other and changed from the last.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::{Value, json};

use super::{Place, has_ended, is_ready, owned_by, owner_of, place, revisions};
use crate::cluster::{Actor, Context};
use crate::field;
use crate::kinds::{PERSISTENT_VOLUME_CLAIM, POD, STATEFUL_SET};
use crate::registry::{DeleteOptions, Note, Part};
use crate::store::{Change, Object};

const COMPONENT: &str = "statefulset-controller";
const REVISION: &str = "controller-revision-hash";

/// The controller.
#[derive(Debug, Default)]
pub(super) struct StatefulSets;

impl Actor for StatefulSets {
    fn name(&self) -> &str {
        COMPONENT
    }

    fn reads(&self, change: &Change) -> bool {
        change.key.resource == STATEFUL_SET.storage || change.key.resource == POD.storage
    }

    fn step(&mut self, changes: &[Arc<Change>], context: &mut Context<'_>) {
        let mut touched: BTreeSet<Place> = BTreeSet::new();
        for object in changes.iter().filter_map(|c| c.object()) {
            match object["kind"] == STATEFUL_SET.kind {
                true => touched.extend([place(object)]),
                false => touched.extend(owner_of(object, STATEFUL_SET.kind)),
            }
        }
        for (namespace, name) in touched {
            let found = context.registry.get(&STATEFUL_SET, &namespace, &name).map(Arc::clone);
            if let Ok(set) = found {
                sync(context, &set);
            }
        }
    }
}

fn sync(context: &mut Context<'_>, set: &Object) {
    let hash = revisions::current(context, set);
    let revision = format!("{}-{hash}", field::name(set));
    if !field::is_deleting(set) {
        replace(context, set, &revision);
    }
    write_status(context, set, &revision);
}

/// One step towards the wanted pods.
fn replace(context: &mut Context<'_>, set: &Object, revision: &str) {
    let first = field::number(set, "/spec/ordinals/start");
    let wanted = field::number(set, "/spec/replicas");
    let parallel = field::text(set, "/spec/podManagementPolicy") == "Parallel";
    let pods = owned_by(context.registry, POD.storage, set);
    let ordinal = |pod: &Value| {
        let name = field::name(pod).strip_prefix(field::name(set));
        name.and_then(|rest| rest.strip_prefix('-')).and_then(|n| n.parse::<i64>().ok())
    };
    for number in first..first + wanted {
        let pod = pods.iter().find(|pod| ordinal(pod) == Some(number));
        let settled = match pod {
            None => {
                create(context, set, revision, number);
                false
            }
            Some(pod) if has_ended(pod) && !field::is_deleting(pod) => {
                delete(context, set, pod);
                false
            }
            Some(pod) => is_ready(pod) && !field::is_deleting(pod),
        };
        if !settled && !parallel {
            return;
        }
    }
    let mut surplus: Vec<_> = pods
        .iter()
        .filter(|pod| ordinal(pod).is_some_and(|n| !(first..first + wanted).contains(&n)))
        .collect();
    surplus.sort_by_key(|pod| std::cmp::Reverse(ordinal(pod)));
    for pod in surplus {
        if !field::is_deleting(pod) {
            delete(context, set, pod);
        }
        if !parallel {
            return;
        }
    }
    if field::text(set, "/spec/updateStrategy/type") == "OnDelete" {
        return;
    }
    let partition = field::number(set, "/spec/updateStrategy/rollingUpdate/partition");
    for number in (first + partition..first + wanted).rev() {
        let Some(pod) = pods.iter().find(|pod| ordinal(pod) == Some(number)) else { return };
        let is_old = pod["metadata"]["labels"][REVISION] != revision;
        if is_old && !field::is_deleting(pod) {
            delete(context, set, pod);
        }
        if is_old || !is_ready(pod) {
            return;
        }
    }
}

fn create(context: &mut Context<'_>, set: &Object, revision: &str, number: i64) {
    let (namespace, name) = place(set);
    let pod_name = format!("{name}-{number}");
    let mut pod = revisions::pod(set, revision);
    let metadata = field::child(&mut pod, "metadata");
    metadata.insert("name".into(), pod_name.clone().into());
    metadata["labels"]["statefulset.kubernetes.io/pod-name"] = pod_name.clone().into();
    metadata["labels"]["apps.kubernetes.io/pod-index"] = number.to_string().into();
    let spec = field::child(&mut pod, "spec");
    spec.insert("hostname".into(), pod_name.clone().into());
    if let Some(service) = set["spec"]["serviceName"].as_str().filter(|text| !text.is_empty()) {
        spec.insert("subdomain".into(), service.into());
    }
    for template in field::list(set, "/spec/volumeClaimTemplates") {
        let volume = field::name(template);
        let claim = format!("{volume}-{pod_name}");
        let mut made = template.clone();
        made["metadata"]["name"] = claim.clone().into();
        made["metadata"]["labels"] = set["spec"]["selector"]["matchLabels"].clone();
        drop(context.registry.create(&PERSISTENT_VOLUME_CLAIM, &namespace, made));
        let source = json!({"name": volume, "persistentVolumeClaim": {"claimName": claim}});
        let volumes = field::child(&mut pod, "spec").entry("volumes").or_insert(json!([]));
        if let Some(volumes) = volumes.as_array_mut() {
            volumes.retain(|known| known["name"] != volume);
            volumes.push(source);
        }
    }
    let made = context.registry.create(&POD, &namespace, pod);
    let what = format!("Pod {pod_name} in StatefulSet {name}");
    match made {
        Ok(_) => {
            let text = format!("Create {what} successful");
            context.tell(COMPONENT, set, &Note::normal("SuccessfulCreate", text));
        }
        Err(why) => {
            let text = format!("create {what} failed error: {why}");
            context.tell(COMPONENT, set, &Note::warning("FailedCreate", text));
        }
    }
}

fn delete(context: &mut Context<'_>, set: &Object, pod: &Object) {
    let (namespace, name) = place(pod);
    let options = DeleteOptions::default();
    if context.registry.delete(&POD, &namespace, &name, &options).is_ok() {
        let text = format!("Delete Pod {name} in StatefulSet {} successful", field::name(set));
        context.tell(COMPONENT, set, &Note::normal("SuccessfulDelete", text));
    }
}

fn write_status(context: &mut Context<'_>, set: &Object, revision: &str) {
    let pods = owned_by(context.registry, POD.storage, set);
    let count = |fits: &dyn Fn(&Object) -> bool| pods.iter().filter(|pod| fits(pod)).count();
    let is_new = |pod: &Object| pod["metadata"]["labels"][REVISION] == revision;
    let there = |pod: &Object| !field::is_deleting(pod);
    let (total, ready) = (count(&|_| true), count(&|pod| there(pod) && is_ready(pod)));
    let updated = count(&|pod| there(pod) && is_new(pod));
    let done = updated == total && ready == total;
    let written = context.registry.modify(&STATEFUL_SET, set, Part::Status, |set| {
        let generation = set["metadata"]["generation"].clone();
        let status = field::child(set, "status");
        let old = status.get("currentRevision").and_then(Value::as_str).map(str::to_owned);
        let current = old.filter(|_| !done).unwrap_or_else(|| revision.to_owned());
        let is_current = |pod: &&Object| pod["metadata"]["labels"][REVISION] == current.as_str();
        let of_current = pods.iter().filter(is_current).count();
        status.insert("observedGeneration".into(), generation);
        status.insert("replicas".into(), total.into());
        status.insert("collisionCount".into(), 0.into());
        status.insert("availableReplicas".into(), ready.into());
        status.insert("currentRevision".into(), current.into());
        status.insert("updateRevision".into(), revision.into());
        for (key, n) in [
            ("readyReplicas", ready),
            ("currentReplicas", of_current),
            ("updatedReplicas", updated),
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
