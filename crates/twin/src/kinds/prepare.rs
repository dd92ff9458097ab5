//! What the server itself writes into new and changed objects, after admission.

use model::Timestamp;
use serde_json::{Value, json};

use crate::field;

/// A Job selects its pods by its own uid, unless its selector is given by hand.
pub(crate) fn job(job: &mut Value, _: Timestamp) {
    if field::flag(job, "/spec/manualSelector") {
        return;
    }
    let (uid, name) = (field::uid(job).to_owned(), field::name(job).to_owned());
    const UID: &str = "batch.kubernetes.io/controller-uid";
    let labels = [
        (UID, &uid),
        ("controller-uid", &uid),
        ("batch.kubernetes.io/job-name", &name),
        ("job-name", &name),
    ];
    let template = field::child(job, "spec").entry("template").or_insert_with(|| json!({}));
    for (key, value) in labels {
        template["metadata"]["labels"][key] = value.clone().into();
    }
    let inherited = template["metadata"]["labels"].clone();
    field::default(field::child(job, "metadata"), "labels", inherited);
    job["spec"]["selector"]["matchLabels"][UID] = uid.into();
}

/// A namespace is emptied before it goes.
pub(crate) fn namespace(namespace: &mut Value, _: Timestamp) {
    field::default(field::child(namespace, "spec"), "finalizers", json!(["kubernetes"]));
}

/// A volume notes since when it has its phase.
pub(crate) fn volume(volume: &mut Value, now: Timestamp) {
    let status = field::child(volume, "status");
    field::default(status, "lastPhaseTransitionTime", now.to_string());
}

/// A DaemonSet counts the changes of its template in an annotation.
pub(crate) fn daemon_set_update(old: &Value, new: &mut Value) {
    const COUNT: &str = "deprecated.daemonset.template.generation";
    let pointer = format!("/metadata/annotations/{COUNT}");
    let before: i64 = field::text(old, &pointer).parse().unwrap_or(1);
    let changed = old.pointer("/spec/template") != new.pointer("/spec/template");
    let count = before + i64::from(changed);
    new["metadata"]["annotations"][COUNT] = count.to_string().into();
}
