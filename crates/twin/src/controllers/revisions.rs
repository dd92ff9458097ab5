//! ControllerRevisions: the templates that StatefulSets and DaemonSets have had.

use serde_json::{Value, json};

use super::reference;
use crate::cluster::Context;
use crate::field;
use crate::kernel::short_hash;
use crate::kinds::CONTROLLER_REVISION;
use crate::store::Object;

/// The hash of the owner's present template; its revision is made if it is new.
pub(super) fn current(context: &mut Context<'_>, owner: &Object) -> String {
    let template = &owner["spec"]["template"];
    let hash = short_hash(&template.to_string());
    let (namespace, name) = (field::namespace(owner), format!("{}-{hash}", field::name(owner)));
    if context.registry.get(&CONTROLLER_REVISION, namespace, &name).is_err() {
        let mut labels = template.pointer("/metadata/labels").cloned().unwrap_or(json!({}));
        labels["controller-revision-hash"] = hash.clone().into();
        let mut data: Value = json!({"spec": {"template": template}});
        data["spec"]["template"]["$patch"] = "replace".into();
        let uid = field::uid(owner);
        let known = context.registry.store.in_namespace(CONTROLLER_REVISION.storage, namespace);
        let mine = known.filter(|revision| {
            field::controller(revision).is_some_and(|owner| field::text(owner, "/uid") == uid)
        });
        let number = mine.map(|revision| field::number(revision, "/revision")).max().unwrap_or(0);
        let revision = json!({
            "metadata": {"name": name, "labels": labels, "ownerReferences": reference(owner)},
            "data": data, "revision": number + 1,
        });
        drop(context.registry.create(&CONTROLLER_REVISION, namespace, revision));
    }
    hash
}

/// The template of the owner as a pod that it will own.
pub(super) fn pod(owner: &Object, hash: &str) -> Value {
    let mut pod = owner.pointer("/spec/template").cloned().unwrap_or_else(|| json!({}));
    let metadata = field::child(&mut pod, "metadata");
    metadata.insert("ownerReferences".into(), reference(owner));
    let labels = metadata.entry("labels").or_insert(json!({}));
    labels["controller-revision-hash"] = hash.into();
    pod
}
