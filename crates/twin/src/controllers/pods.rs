//! Finding, making and deleting the pods of an owner, and telling of it.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use model::Timestamp;
use serde_json::{Value, json};

use super::{Place, has_ended, is_ready, labels_match, place, reference, selects};
use crate::cluster::Context;
use crate::field;
use crate::kinds::{Kind, POD};
use crate::registry::{DeleteOptions, Note, Part};
use crate::store::Object;

/// The owner's template as a pod that it will own, with a generated name.
pub(super) fn of_template(owner: &Value) -> Value {
    let mut pod = owner.pointer("/spec/template").cloned().unwrap_or_else(|| json!({}));
    let metadata = field::child(&mut pod, "metadata");
    metadata.insert("generateName".into(), format!("{}-", field::name(owner)).into());
    metadata.insert("ownerReferences".into(), reference(owner));
    pod
}

/// The pods of an owner. Those that it selects and nobody owns become its own, and its own that
/// it does not select any more are let go.
pub(super) fn claim(context: &mut Context<'_>, owner: &Object) -> Vec<Object> {
    let uid = field::uid(owner);
    let all: Vec<Object> = context
        .registry
        .store
        .in_namespace(POD.storage, field::namespace(owner))
        .cloned()
        .collect();
    let mut mine = Vec::new();
    for pod in all {
        let holder = field::controller(&pod).map(|holder| field::text(holder, "/uid"));
        let fits = picks(owner, &pod);
        match holder {
            Some(holder) if holder != uid => {}
            Some(_) if fits || field::is_deleting(&pod) || field::is_deleting(owner) => {
                mine.push(pod);
            }
            Some(_) => let_go(context, owner, &pod),
            None if fits && !field::is_deleting(&pod) && !field::is_deleting(owner) => {
                mine.extend(adopt(context, owner, &pod));
            }
            None => {}
        }
    }
    mine
}

/// Whether an owner selects a pod: by a selector, or by a plain map of labels.
pub(super) fn picks(owner: &Value, pod: &Value) -> bool {
    let selector = &owner["spec"]["selector"];
    let is_plain =
        selector.get("matchLabels").is_none() && selector.get("matchExpressions").is_none();
    match is_plain {
        true => labels_match(selector.as_object(), pod),
        false => selects(selector, pod),
    }
}

fn adopt(context: &mut Context<'_>, owner: &Object, pod: &Object) -> Option<Object> {
    // What ended is nobody's work any more.
    if has_ended(pod) {
        return None;
    }
    let own = reference(owner);
    let adopted = context.registry.modify(&POD, pod, Part::Spec, |pod| {
        let metadata = field::child(pod, "metadata");
        let references = metadata.entry("ownerReferences").or_insert(json!([]));
        if let (Some(all), Some(own)) = (references.as_array_mut(), own.get(0)) {
            all.push(own.clone());
        }
    });
    adopted.ok()
}

fn let_go(context: &mut Context<'_>, owner: &Object, pod: &Object) {
    let uid = field::uid(owner);
    let freed = context.registry.modify(&POD, pod, Part::Spec, |pod| {
        let references = pod.pointer_mut("/metadata/ownerReferences");
        if let Some(all) = references.and_then(Value::as_array_mut) {
            all.retain(|reference| field::text(reference, "/uid") != uid);
        }
    });
    // It may be gone by now.
    drop(freed);
}

/// Owners of a kind that may want a pod that nobody owns.
pub(super) fn takers(context: &Context<'_>, kind: &Kind, pod: &Value) -> Vec<Place> {
    if field::controller(pod).is_some() || field::is_deleting(pod) {
        return Vec::new();
    }
    let all = context.registry.store.in_namespace(kind.storage, field::namespace(pod));
    all.filter(|owner| picks(owner, pod)).map(|owner| place(owner)).collect()
}

/// Since when a pod has been ready, if it is.
fn ready_since(pod: &Value) -> Option<Timestamp> {
    let ready = field::condition(pod, "Ready").filter(|ready| ready["status"] == "True")?;
    field::time(ready, "/lastTransitionTime")
}

/// When a pod counts as available: ready for so many seconds. None if it is not ready.
pub(super) fn available_at(pod: &Value, patience_seconds: i64) -> Option<Timestamp> {
    ready_since(pod).map(|since| since.plus_seconds(patience_seconds))
}

/// Ages on a scale on which only doubling counts, so that equals are chosen by chance.
fn scaled_age(since: Option<Timestamp>, now: Timestamp) -> i64 {
    let seconds = since.map_or(0, |since| now.since(since).max(0));
    i64::from(64 - seconds.leading_zeros())
}

/// Sorts pods so that those that will be missed least come first. `mates` counts the pods of the
/// same work on each node.
pub(super) fn sort_for_deletion(
    pods: &mut [Object],
    mates: &BTreeMap<String, usize>,
    now: Timestamp,
) {
    pods.sort_by_cached_key(|pod| {
        let node = field::text(pod, "/spec/nodeName");
        let phase = match field::text(pod, "/status/phase") {
            "Pending" => 0,
            "Running" => 2,
            _ => 1,
        };
        let cost = field::map(pod, "/metadata/annotations")
            .and_then(|all| all.get("controller.kubernetes.io/pod-deletion-cost")?.as_str())
            .and_then(|text| text.parse::<i64>().ok());
        let statuses = field::list(pod, "/status/containerStatuses").iter();
        let restarts = statuses.map(|one| field::number(one, "/restartCount")).max().unwrap_or(0);
        let created = field::time(pod, "/metadata/creationTimestamp");
        (
            !node.is_empty(),
            phase,
            is_ready(pod),
            cost.unwrap_or(0),
            Reverse(mates.get(node).copied().unwrap_or(0)),
            scaled_age(ready_since(pod), now),
            Reverse(restarts),
            scaled_age(created, now),
            field::uid(pod).to_owned(),
        )
    });
}

/// Makes a pod; the error is the reason of the refusal. Where all is being removed none is made,
/// and that is nobody's failure.
pub(super) fn create(
    context: &mut Context<'_>,
    component: &str,
    owner: &Object,
    pod: Value,
) -> Result<(), String> {
    match context.registry.create(&POD, field::namespace(owner), pod) {
        Ok(pod) => {
            let text = format!("Created pod: {}", field::name(&pod));
            context.tell(component, owner, &Note::normal("SuccessfulCreate", text));
            Ok(())
        }
        Err(why) if why.is_ending_namespace() => Ok(()),
        Err(why) => {
            let text = format!("Error creating: {why}");
            context.tell(component, owner, &Note::warning("FailedCreate", text));
            Err(why.message)
        }
    }
}

/// Deletes a pod; whether it was there.
pub(super) fn delete(
    context: &mut Context<'_>,
    component: &str,
    owner: &Object,
    pod: &Value,
) -> bool {
    let (namespace, name) = place(pod);
    let deleted = context.registry.delete(&POD, &namespace, &name, &DeleteOptions::default());
    if deleted.is_ok() {
        let text = format!("Deleted pod: {name}");
        context.tell(component, owner, &Note::normal("SuccessfulDelete", text));
    }
    deleted.is_ok()
}
