//! Rows of claims, volumes and storage classes.

use super::Row;
use crate::text::shape::{access_modes, put, put_some, some};
use serde_json::{Value, json};

/// Fills a claim. An empty cell means that there is none, except for sizes.
pub fn claim(row: &Row<'_>, value: &mut Value) {
    status(row, value);
    for (column, path) in [("VOLUME", "spec.volumeName"), ("STORAGECLASS", "spec.storageClassName")]
    {
        put_some(value, path, row.get(column).map(|c| some(c).unwrap_or("")));
    }
    put_some(value, "status.capacity.storage", row.some("CAPACITY"));
    put_some(value, "spec.volumeMode", row.some("VOLUMEMODE"));
    put_some(value, "spec.volumeAttributesClassName", row.some("VOLUMEATTRIBUTESCLASS"));
    if let Some(modes) = row.any(&["ACCESS MODES", "ACCESSMODES"]).and_then(some) {
        put(value, "status.accessModes", access_modes(modes));
    }
}

/// Fills a volume.
pub fn volume(row: &Row<'_>, value: &mut Value) {
    status(row, value);
    put_some(value, "spec.capacity.storage", row.some("CAPACITY"));
    let policy = row.any(&["RECLAIM POLICY", "RECLAIMPOLICY"]);
    put_some(value, "spec.persistentVolumeReclaimPolicy", policy.and_then(some));
    put_some(
        value,
        "spec.storageClassName",
        row.get("STORAGECLASS").map(|c| some(c).unwrap_or("")),
    );
    put_some(value, "spec.volumeMode", row.some("VOLUMEMODE"));
    put_some(value, "status.reason", row.some("REASON"));
    if let Some(modes) = row.any(&["ACCESS MODES", "ACCESSMODES"]) {
        put(value, "spec.accessModes", access_modes(modes));
    }
    if let Some(claim) = row.get("CLAIM") {
        put(value, "spec.claimRef", claim_ref(claim));
    }
}

/// `shop/data` as a reference, or null when the volume is free.
pub fn claim_ref(cell: &str) -> Value {
    match some(cell).and_then(|c| c.split_once('/')) {
        Some((namespace, name)) => {
            json!({"kind": "PersistentVolumeClaim", "namespace": namespace, "name": name})
        }
        None => Value::Null,
    }
}

/// Fills a storage class.
pub fn class(row: &Row<'_>, default: bool, value: &mut Value) {
    put_some(value, "provisioner", row.some("PROVISIONER"));
    put_some(value, "reclaimPolicy", row.some("RECLAIMPOLICY"));
    put_some(value, "volumeBindingMode", row.some("VOLUMEBINDINGMODE"));
    let expands = row.get("ALLOWVOLUMEEXPANSION").map(|c| c == "true");
    put_some(value, "allowVolumeExpansion", expands);
    let mark = json!({"storageclass.kubernetes.io/is-default-class": default.to_string()});
    put(value, "metadata.annotations", mark);
}

fn status(row: &Row<'_>, value: &mut Value) {
    let Some(status) = row.some("STATUS") else { return };
    if status == "Terminating" {
        put(value, "status.summary.status", status);
    } else {
        put(value, "status.phase", status);
    }
}
