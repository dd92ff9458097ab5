//! Columns of volumes, claims and storage classes.

use serde_json::Value;

use super::{AGE, Column, Columns, NAME, age, name, text, text_or, typed, wide};
use crate::field;

pub(crate) const CLAIM: Columns = Columns::new(
    &[
        NAME,
        text("Status"),
        text("Volume"),
        text("Capacity"),
        text("Access Modes"),
        text("StorageClass"),
        text("VolumeAttributesClass"),
        AGE,
        wide("VolumeMode"),
    ],
    |o, now| {
        let phase = if field::is_deleting(o) {
            "Terminating".into()
        } else {
            text_or(o, "/status/phase", "")
        };
        let bound = !field::text(o, "/spec/volumeName").is_empty();
        let modes = if bound { modes(o, "/status/accessModes") } else { String::new() };
        vec![
            name(o),
            phase,
            text_or(o, "/spec/volumeName", ""),
            if bound { text_or(o, "/status/capacity/storage", "0") } else { "".into() },
            modes.into(),
            text_or(o, "/spec/storageClassName", ""),
            text_or(o, "/spec/volumeAttributesClassName", "<unset>"),
            age(o, now),
            text_or(o, "/spec/volumeMode", "<unset>"),
        ]
    },
);

pub(crate) const VOLUME: Columns = Columns::new(
    &[
        NAME,
        text("Capacity"),
        text("Access Modes"),
        text("Reclaim Policy"),
        text("Status"),
        text("Claim"),
        text("StorageClass"),
        text("VolumeAttributesClass"),
        text("Reason"),
        AGE,
        wide("VolumeMode"),
    ],
    |o, now| {
        let claim = match field::text(o, "/spec/claimRef/name") {
            "" => String::new(),
            claim => format!("{}/{claim}", field::text(o, "/spec/claimRef/namespace")),
        };
        let phase = if field::is_deleting(o) {
            "Terminating".into()
        } else {
            text_or(o, "/status/phase", "")
        };
        vec![
            name(o),
            text_or(o, "/spec/capacity/storage", ""),
            modes(o, "/spec/accessModes").into(),
            text_or(o, "/spec/persistentVolumeReclaimPolicy", ""),
            phase,
            claim.into(),
            text_or(o, "/spec/storageClassName", ""),
            text_or(o, "/spec/volumeAttributesClassName", "<unset>"),
            text_or(o, "/status/reason", ""),
            age(o, now),
            text_or(o, "/spec/volumeMode", "<unset>"),
        ]
    },
);

pub(crate) const DRIVER: Columns = Columns::new(
    &[
        NAME,
        typed("AttachRequired", "boolean"),
        typed("PodInfoOnMount", "boolean"),
        typed("StorageCapacity", "boolean"),
        text("TokenRequests"),
        typed("RequiresRepublish", "boolean"),
        text("Modes"),
        AGE,
    ],
    |o, now| {
        let flag = |key: &str| Value::from(field::flag(o, &format!("/spec/{key}")));
        let texts = |pointer: &str, key: &str| -> Value {
            let list = field::list(o, pointer).iter();
            let texts: Vec<_> =
                list.map(|item| item.as_str().unwrap_or_else(|| field::text(item, key))).collect();
            if texts.is_empty() { "<unset>".into() } else { texts.join(",").into() }
        };
        vec![
            name(o),
            flag("attachRequired"),
            flag("podInfoOnMount"),
            flag("storageCapacity"),
            texts("/spec/tokenRequests", "/audience"),
            flag("requiresRepublish"),
            texts("/spec/volumeLifecycleModes", ""),
            age(o, now),
        ]
    },
);

pub(crate) const ATTACHMENT: Columns = Columns::new(
    &[
        NAME,
        Column { name: "Attacher", kind: "string", format: "name", priority: 0 },
        text("PV"),
        text("Node"),
        typed("Attached", "boolean"),
        AGE,
    ],
    |o, now| {
        vec![
            name(o),
            text_or(o, "/spec/attacher", ""),
            text_or(o, "/spec/source/persistentVolumeName", ""),
            text_or(o, "/spec/nodeName", ""),
            field::flag(o, "/status/attached").into(),
            age(o, now),
        ]
    },
);

pub(crate) const CLASS: Columns = Columns::new(
    &[
        NAME,
        text("Provisioner"),
        text("ReclaimPolicy"),
        text("VolumeBindingMode"),
        text("AllowVolumeExpansion"),
        AGE,
    ],
    |o, now| {
        const DEFAULT: &str = "storageclass.kubernetes.io/is-default-class";
        let annotations = field::map(o, "/metadata/annotations");
        let is_default = annotations.and_then(|a| a.get(DEFAULT)).and_then(Value::as_str);
        let suffix = if is_default == Some("true") { " (default)" } else { "" };
        vec![
            format!("{}{suffix}", field::name(o)).into(),
            text_or(o, "/provisioner", ""),
            text_or(o, "/reclaimPolicy", "Delete"),
            text_or(o, "/volumeBindingMode", "Immediate"),
            field::flag(o, "/allowVolumeExpansion").into(),
            age(o, now),
        ]
    },
);

fn modes(object: &Value, pointer: &str) -> String {
    let short = field::list(object, pointer).iter().filter_map(Value::as_str).map(|m| match m {
        "ReadWriteOnce" => "RWO",
        "ReadOnlyMany" => "ROX",
        "ReadWriteMany" => "RWX",
        "ReadWriteOncePod" => "RWOP",
        other => other,
    });
    short.collect::<Vec<_>>().join(",")
}

pub(crate) const CSI_NODE: Columns =
    Columns::new(&[NAME, typed("Drivers", "integer"), AGE], |o, now| {
        vec![name(o), field::list(o, "/spec/drivers").len().into(), age(o, now)]
    });

pub(crate) const ATTRIBUTES: Columns = Columns::new(&[NAME, text("DriverName"), AGE], |o, now| {
    vec![name(o), text_or(o, "/driverName", ""), age(o, now)]
});
