//! Specifications that may not change but for a few fields: the refusal shows what differs.

use serde_json::{Map, Value, json};

use super::at;
use super::internal::difference;
use crate::field;
use crate::registry::Cause;

/// Of a pod's specification only images, deadlines, tolerations and gates change.
pub(super) fn pod_update(old: &Value, new: &Value) -> Vec<Cause> {
    const ONLY: &str = "pod updates may not change fields other than \
         `spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,\
         `spec.tolerations` (only additions to existing tolerations),\
         `spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously \
         negative)";
    for key in ["containers", "initContainers"] {
        let count = |object: &Value| field::list(object, &format!("/spec/{key}")).len();
        if count(old) != count(new) {
            let why = "pod updates may not add or remove containers";
            return vec![Cause::forbidden(&format!("spec.{key}"), why)];
        }
    }
    let mut causes = Vec::new();
    match deadline(old, new) {
        Some((cause, true)) => return vec![cause],
        Some((cause, false)) => causes.push(cause),
        None => {}
    }
    let same = |a: &Value, b: &Value| timeless(a) == timeless(b);
    let wanted = field::list(new, "/spec/tolerations");
    let lost = |old: &&Value| !wanted.iter().any(|new| same(new, old));
    if field::list(old, "/spec/tolerations").iter().any(|old| lost(&old)) {
        let why = "existing toleration can not be modified except its tolerationSeconds";
        causes.push(Cause::forbidden("spec.tolerations", why));
    }
    let gates = field::list(old, "/spec/schedulingGates");
    for (index, gate) in field::list(new, "/spec/schedulingGates").iter().enumerate() {
        if !gates.contains(gate) {
            let name = field::text(gate, "/name");
            let why = format!("only deletion is allowed, but found new scheduling gate '{name}'");
            let path = format!("spec.schedulingGates[{index}].name");
            causes.push(Cause::forbidden(&path, &why));
        }
    }
    let before = at(old, "/spec");
    let after = free(old, at(new, "/spec"), &mut causes);
    if *before != after {
        let told = difference("@core.PodSpec", before, &after);
        if !told.is_empty() {
            causes.push(Cause::forbidden("spec", &format!("{ONLY}\n{told}")));
        }
    }
    causes
}

/// A toleration but for how long it lasts.
fn timeless(toleration: &Value) -> Map<String, Value> {
    let mut map = toleration.as_object().cloned().unwrap_or_default();
    map.remove("tolerationSeconds");
    map
}

/// A deadline may come or come nearer; whether the refusal is the last.
fn deadline(old: &Value, new: &Value) -> Option<(Cause, bool)> {
    const PATH: &str = "spec.activeDeadlineSeconds";
    let pointer = "/spec/activeDeadlineSeconds";
    let (before, after) = (at(old, pointer).as_i64(), at(new, pointer).as_i64());
    let refused = |why: &str| Cause::invalid(PATH, at(new, pointer), why);
    match (before, after) {
        (_, Some(after)) if !(0..=i64::from(i32::MAX)).contains(&after) => {
            Some((refused("must be between 0 and 2147483647, inclusive"), true))
        }
        (Some(before), Some(after)) if before < after => {
            Some((refused("must be less than or equal to previous value"), true))
        }
        (Some(_), None) => {
            Some((refused("must not update from a positive integer to nil value"), false))
        }
        _ => None,
    }
}

/// The new specification with what may change as it was.
fn free(old: &Value, new: &Value, causes: &mut Vec<Cause>) -> Value {
    let before = at(old, "/spec");
    let mut spec = new.clone();
    for list in ["containers", "initContainers"] {
        let images = field::list(before, &format!("/{list}")).iter().map(|c| c["image"].clone());
        let images: Vec<Value> = images.collect();
        let containers = spec.get_mut(list).and_then(Value::as_array_mut).into_iter().flatten();
        for (container, image) in containers.zip(images) {
            container["image"] = image;
        }
    }
    let Some(map) = spec.as_object_mut() else { return spec };
    for key in ["activeDeadlineSeconds", "schedulingGates", "tolerations"] {
        put_back(before, map, key);
    }
    let grace = |value: Option<&Value>| value.and_then(Value::as_i64);
    let key = "terminationGracePeriodSeconds";
    if grace(before.get(key)).is_some_and(|n| n < 0) && grace(map.get(key)) == Some(1) {
        put_back(before, map, key);
    }
    if field::list(old, "/spec/schedulingGates").is_empty() {
        return spec;
    }
    // Where a pod that waits may go can still be narrowed.
    let wanted = field::map(before, "/nodeSelector").cloned().unwrap_or_default();
    let kept = |(key, value): (&String, &Value)| at(new, "/nodeSelector").get(key) == Some(value);
    if !wanted.iter().all(kept) {
        let why = "only additions to spec.nodeSelector are allowed (no mutations or deletions)";
        causes.push(Cause::invalid("spec.nodeSelector", at(new, "/nodeSelector"), why));
    }
    put_back(before, map, "nodeSelector");
    if before.get("affinity").is_none() {
        let alone = map.get("affinity").and_then(Value::as_object);
        if alone.is_some_and(|affinity| affinity.keys().all(|key| key == "nodeAffinity")) {
            map.remove("affinity");
        }
    }
    spec
}

fn put_back(old: &Value, map: &mut Map<String, Value>, key: &str) {
    match old.get(key) {
        Some(kept) => drop(map.insert(key.to_owned(), kept.clone())),
        None => drop(map.remove(key)),
    }
}

/// Of a claim's specification only the size and the class of a bound one change.
pub(super) fn claim_update(old: &Value, new: &Value) -> Vec<Cause> {
    const SIZE: &str = "/spec/resources/requests/storage";
    let mut before = at(old, "/spec").clone();
    let mut after = at(new, "/spec").clone();
    if field::text(&before, "/volumeName").is_empty()
        && let Some(map) = before.as_object_mut()
    {
        // A binding names the volume.
        put_back(&after, map, "volumeName");
    }
    if field::text(new, "/status/phase") == "Bound" {
        if let Some(requests) = after.pointer_mut("/resources/requests") {
            requests["storage"] = at(old, SIZE).clone();
        }
        if let Some(map) = after.as_object_mut() {
            put_back(&before, map, "volumeAttributesClassName");
        }
    }
    let class = |spec: &Value| !field::text(spec, "/storageClassName").is_empty();
    if before.get("storageClassName").is_none()
        && class(&after)
        && let Some(map) = after.as_object_mut()
    {
        map.remove("storageClassName");
    }
    let mut causes = Vec::new();
    if before != after {
        let told = difference("@core.PersistentVolumeClaimSpec", &before, &after);
        let why = "spec is immutable after creation except resources.requests and \
             volumeAttributesClassName for bound claims";
        causes.push(Cause::forbidden("spec", &format!("{why}\n{told}")));
    }
    let size = |object: &Value| field::quantity(object, SIZE);
    let has = field::quantity(old, "/status/capacity/storage");
    if size(new) < size(old) && size(new) <= has {
        let why = "field can not be less than status.capacity";
        causes.push(Cause::forbidden("spec.resources.requests.storage", why));
    }
    causes.extend(mode(old, new));
    causes
}

/// A volume keeps what it is made of.
pub(super) fn volume_update(old: &Value, new: &Value) -> Vec<Cause> {
    let told = difference("@core.PersistentVolumeSource", at(old, "/spec"), at(new, "/spec"));
    let mut causes = Vec::new();
    if !told.is_empty() {
        let why = format!("spec.persistentvolumesource is immutable after creation\n{told}");
        causes.push(Cause::forbidden("spec.persistentvolumesource", &why));
    }
    causes.extend(mode(old, new));
    causes
}

fn mode(old: &Value, new: &Value) -> Option<Cause> {
    let mode = "/spec/volumeMode";
    let value = json!(at(new, mode));
    let changed = at(old, mode) != at(new, mode);
    changed.then(|| Cause::invalid("volumeMode", &value, "field is immutable"))
}
