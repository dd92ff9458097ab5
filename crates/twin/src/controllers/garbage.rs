//! Garbage collection: what an object owned is deleted after it.

use std::sync::Arc;

use serde_json::Value;

use crate::cluster::{Actor, Context};
use crate::field;
use crate::registry::{DeleteOptions, Part};
use crate::store::{Change, Object};

/// Deletes dependants of removed owners; serves the `foregroundDeletion` and `orphan`
/// finalizers.
#[derive(Debug, Default)]
pub(super) struct GarbageCollector;

const FOREGROUND: &str = "foregroundDeletion";
const ORPHAN: &str = "orphan";

impl Actor for GarbageCollector {
    fn name(&self) -> &str {
        "garbage-collector"
    }

    fn reads(&self, change: &Change) -> bool {
        change.after.as_ref().is_none_or(|o| field::is_deleting(o))
    }

    fn step(&mut self, changes: &[Arc<Change>], context: &mut Context<'_>) {
        for change in changes {
            match (&change.after, &change.before) {
                (Some(owner), _) if has_finalizer(owner, ORPHAN) => orphan(context, owner),
                (Some(owner), _) if has_finalizer(owner, FOREGROUND) => {
                    collect(context, owner);
                    release_if_alone(context, owner);
                }
                (None, Some(owner)) => {
                    collect(context, owner);
                    for reference in field::list(owner, "/metadata/ownerReferences") {
                        if let Some(above) = waiting_owner(context, owner, reference) {
                            release_if_alone(context, &above);
                        }
                    }
                }
                _ => {}
            }
        }
    }
}

pub(super) fn has_finalizer(object: &Value, name: &str) -> bool {
    field::list(object, "/metadata/finalizers").iter().any(|f| f == name)
}

/// Objects that name this one as an owner, in its namespace or, for cluster-wide ones, anywhere.
fn dependants(context: &Context<'_>, owner: &Value) -> Vec<(&'static str, Object)> {
    let uid = field::uid(owner);
    let mine = |o: &Object| {
        let references = field::list(o, "/metadata/ownerReferences");
        references.iter().any(|r| field::text(r, "/uid") == uid)
    };
    let all = context.registry.store.all();
    all.filter(|(_, o)| mine(o)).map(|(r, o)| (r, Arc::clone(o))).collect()
}

/// Deletes what has no other owner.
fn collect(context: &mut Context<'_>, owner: &Value) {
    for (resource, object) in dependants(context, owner) {
        let others = field::list(&object, "/metadata/ownerReferences").len() > 1;
        let Some(kind) = context.registry.kind_of_storage(resource) else { continue };
        if !others && !field::is_deleting(&object) {
            let (namespace, name) = (field::namespace(&object), field::name(&object));
            drop(context.registry.delete(kind, namespace, name, &DeleteOptions::default()));
        }
    }
}

/// Dependants lose the reference; then the owner may go.
fn orphan(context: &mut Context<'_>, owner: &Value) {
    let uid = field::uid(owner);
    for (resource, object) in dependants(context, owner) {
        let Some(kind) = context.registry.kind_of_storage(resource) else { continue };
        let freed = context.registry.modify(kind, &object, Part::Spec, |object| {
            let references = object.pointer_mut("/metadata/ownerReferences");
            if let Some(references) = references.and_then(Value::as_array_mut) {
                references.retain(|r| field::text(r, "/uid") != uid);
            }
        });
        drop(freed);
    }
    release(context, owner, ORPHAN);
}

/// The owner above, if it waits for its dependants.
fn waiting_owner(context: &Context<'_>, object: &Value, reference: &Value) -> Option<Object> {
    let version = field::text(reference, "/apiVersion");
    let kind = context.registry.kind_of_object(version, field::text(reference, "/kind"))?;
    let namespace = if kind.namespaced { field::namespace(object) } else { "" };
    let above = context.registry.get(kind, namespace, field::text(reference, "/name")).ok()?;
    has_finalizer(above, FOREGROUND).then(|| Arc::clone(above))
}

fn release_if_alone(context: &mut Context<'_>, owner: &Value) {
    if dependants(context, owner).is_empty() {
        release(context, owner, FOREGROUND);
    }
}

pub(super) fn release(context: &mut Context<'_>, owner: &Value, finalizer: &str) {
    let version = field::text(owner, "/apiVersion");
    let Some(kind) = context.registry.kind_of_object(version, field::text(owner, "/kind")) else {
        return;
    };
    let released = context.registry.modify(kind, owner, Part::Spec, |object| {
        let finalizers = object.pointer_mut("/metadata/finalizers").and_then(Value::as_array_mut);
        if let Some(finalizers) = finalizers {
            finalizers.retain(|f| f != finalizer);
        }
    });
    drop(released);
}
