//! Claims, volumes and storage classes.

use serde_json::Value;

use super::{at, one_of};
use crate::field;
use crate::registry::Cause;

pub(super) fn claim(claim: &Value) -> Vec<Cause> {
    claim_spec(at(claim, "/spec"), "spec")
}

pub(super) fn claim_spec(spec: &Value, path: &str) -> Vec<Cause> {
    let mut causes = Vec::new();
    let modes = field::list(spec, "/accessModes");
    if modes.is_empty() {
        let why = "at least 1 access mode is required";
        causes.push(Cause::required_because(&format!("{path}.accessModes"), why));
    }
    if modes.len() > 1 && modes.iter().any(|mode| mode == "ReadWriteOncePod") {
        let why = "may not use ReadWriteOncePod with other access modes";
        causes.push(Cause::forbidden(&format!("{path}.accessModes"), why));
    }
    let size = at(spec, "/resources/requests/storage");
    let here = format!("{path}.resources[storage]");
    match size {
        Value::Null => causes.push(Cause::required(&here)),
        size if !field::amount(Some(size)).is_positive() => {
            causes.push(Cause::invalid(&here, size, "must be greater than zero"));
        }
        _ => {}
    }
    causes
}

pub(super) fn volume(volume: &Value) -> Vec<Cause> {
    /// Fields of the specification that are no kind of volume.
    const OTHERS: [&str; 10] = [
        "accessModes",
        "capacity",
        "claimRef",
        "mountOptions",
        "nodeAffinity",
        "persistentVolumeReclaimPolicy",
        "storageClassName",
        "volumeAttributesClassName",
        "volumeMode",
        "",
    ];
    let spec = at(volume, "/spec");
    let mut causes = Vec::new();
    if field::list(spec, "/accessModes").is_empty() {
        causes.push(Cause::required("spec.accessModes"));
    }
    let capacity = at(spec, "/capacity");
    if capacity.as_object().is_none_or(|c| c.is_empty()) {
        causes.push(Cause::required("spec.capacity"));
    }
    if capacity.get("storage").is_none() {
        causes.push(Cause::unsupported("spec.capacity", capacity, &["storage"]));
    }
    let mut sources = spec.as_object().into_iter().flatten().map(|(key, _)| key.as_str());
    if !sources.any(|key| !OTHERS.contains(&key)) {
        causes.push(Cause::required_because("spec", "must specify a volume type"));
    }
    causes
}

pub(super) fn storage_class(class: &Value) -> Vec<Cause> {
    let mut causes = Vec::new();
    if field::text(class, "/provisioner").is_empty() {
        causes.push(Cause::required("provisioner"));
    }
    causes.extend(one_of(at(class, "/reclaimPolicy"), "reclaimPolicy", &["Delete", "Retain"]));
    causes.extend(one_of(
        at(class, "/volumeBindingMode"),
        "volumeBindingMode",
        &["Immediate", "WaitForFirstConsumer"],
    ));
    causes
}
