//! ControllerRevisions: the templates that StatefulSets and DaemonSets have had.

use serde_json::{Value, json};

use super::reference;
use crate::cluster::Context;
use crate::field;
use crate::kernel::short_hash;
use crate::kinds::CONTROLLER_REVISION;
use crate::registry::{DeleteOptions, Part};
use crate::store::Object;

const LABEL: &str = "controller-revision-hash";

/// The revisions of an owner.
fn of(context: &Context<'_>, owner: &Value) -> Vec<Object> {
    let uid = field::uid(owner);
    let store = &context.registry.store;
    let known = store.in_namespace(CONTROLLER_REVISION.storage, field::namespace(owner));
    let mine = known.filter(|revision| {
        field::controller(revision).is_some_and(|owner| field::text(owner, "/uid") == uid)
    });
    mine.cloned().collect()
}

/// The hash of the owner's present template; its revision is made if it is new, and counts as
/// the newest if it comes back.
pub(super) fn current(context: &mut Context<'_>, owner: &Object) -> String {
    let template = &owner["spec"]["template"];
    let hash = short_hash(&template.to_string());
    let (namespace, name) = (field::namespace(owner), format!("{}-{hash}", field::name(owner)));
    let known = of(context, owner);
    let newest = known.iter().map(|revision| field::number(revision, "/revision")).max();
    let newest = newest.unwrap_or(0);
    if let Some(own) = known.iter().find(|revision| field::name(revision) == name) {
        if field::number(own, "/revision") < newest {
            let put = context.registry.modify(&CONTROLLER_REVISION, own, Part::Spec, |own| {
                own["revision"] = (newest + 1).into();
            });
            drop(put);
        }
        return hash;
    }
    let mut labels = template.pointer("/metadata/labels").cloned().unwrap_or(json!({}));
    labels[LABEL] = hash.clone().into();
    let mut data: Value = json!({"spec": {"template": template}});
    data["spec"]["template"]["$patch"] = "replace".into();
    let revision = json!({
        "metadata": {"name": name, "labels": labels, "ownerReferences": reference(owner)},
        "data": data, "revision": newest + 1,
    });
    drop(context.registry.create(&CONTROLLER_REVISION, namespace, revision));
    hash
}

/// Whether an owner has a revision of this name.
pub(super) fn exists(context: &Context<'_>, owner: &Value, name: &str) -> bool {
    !name.is_empty() && of(context, owner).iter().any(|revision| field::name(revision) == name)
}

/// The template of a revision as a pod that the owner will own.
pub(super) fn pod_of(context: &Context<'_>, owner: &Object, name: &str) -> Value {
    let found = context.registry.get(&CONTROLLER_REVISION, field::namespace(owner), name).ok();
    let mut template = found
        .and_then(|revision| revision.pointer("/data/spec/template"))
        .unwrap_or(&owner["spec"]["template"])
        .clone();
    if let Some(map) = template.as_object_mut() {
        map.remove("$patch");
    }
    owned(owner, template)
}

/// The template of the owner as a pod that it will own.
pub(super) fn pod(owner: &Object, hash: &str) -> Value {
    let template = owner.pointer("/spec/template").cloned().unwrap_or_else(|| json!({}));
    let mut pod = owned(owner, template);
    let labels = field::child(&mut pod, "metadata").entry("labels").or_insert(json!({}));
    labels[LABEL] = hash.into();
    pod
}

fn owned(owner: &Object, mut template: Value) -> Value {
    field::child(&mut template, "metadata").insert("ownerReferences".into(), reference(owner));
    template
}

/// Removes revisions beyond what is to be kept, but none that a pod or the owner needs.
pub(super) fn forget_old(
    context: &mut Context<'_>,
    owner: &Object,
    pods: &[Object],
    needed: &[&str],
) {
    let limit = owner["spec"]["revisionHistoryLimit"].as_u64().unwrap_or(10);
    let hash = |name: &str| name.rsplit('-').next().unwrap_or_default().to_owned();
    let used = |revision: &Object| {
        let name = field::name(revision);
        needed.contains(&name)
            || pods.iter().any(|pod| {
                let labels = field::map(pod, "/metadata/labels");
                let label = labels.and_then(|all| all.get(LABEL)).and_then(Value::as_str);
                label.is_some_and(|label| label == name || label == hash(name))
            })
    };
    let mut old: Vec<Object> =
        of(context, owner).into_iter().filter(|revision| !used(revision)).collect();
    old.sort_by_key(|revision| field::number(revision, "/revision"));
    let surplus = old.len().saturating_sub(usize::try_from(limit).unwrap_or(usize::MAX));
    for revision in old.into_iter().take(surplus) {
        let (namespace, name) = (field::namespace(&revision), field::name(&revision));
        let options = DeleteOptions::default();
        drop(context.registry.delete(&CONTROLLER_REVISION, namespace, name, &options));
    }
}
