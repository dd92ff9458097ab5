//! Garbage collection: what an object owned is deleted after it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use model::Timestamp;
use serde_json::Value;

use crate::cluster::{Actor, Context};
use crate::field;
use crate::kinds::EVENT;
use crate::registry::{DeleteOptions, Part, Propagation};
use crate::store::{Change, Key, Object};

/// Deletes dependants of removed owners and of owners that never were; serves the
/// `foregroundDeletion` and `orphan` finalizers.
#[derive(Debug, Default)]
pub(super) struct GarbageCollector {
    /// Where the dependants of each owner are, by its uid.
    dependants: BTreeMap<String, BTreeSet<Key>>,
    /// Owners whose dependants were let go of, and when they may go themselves.
    letting_go: Vec<(Timestamp, Object)>,
}

/// Until its dependants are known to be free an owner stays.
const PAUSE: (i64, i64) = (70_000, 120_000);

const FOREGROUND: &str = "foregroundDeletion";
const ORPHAN: &str = "orphan";

impl Actor for GarbageCollector {
    fn name(&self) -> &str {
        "garbage-collector"
    }

    fn reads(&self, change: &Change) -> bool {
        if change.key.resource == EVENT.storage {
            return false;
        }
        let Some(after) = &change.after else { return true };
        let before = change.before.as_ref().map_or(&[][..], |before| references(before));
        field::is_deleting(after) || before != references(after)
    }

    fn step(&mut self, changes: &[Arc<Change>], context: &mut Context<'_>) {
        for change in changes {
            self.index(change);
        }
        let now = context.now();
        let (due, later) =
            std::mem::take(&mut self.letting_go).into_iter().partition(|(at, _)| *at <= now);
        self.letting_go = later;
        for (_, owner) in due {
            release(context, &owner, ORPHAN);
        }
        for change in changes {
            match (&change.after, &change.before) {
                (Some(owner), _) if has_finalizer(owner, ORPHAN) => self.orphan(context, owner),
                (Some(owner), _) if has_finalizer(owner, FOREGROUND) => {
                    self.collect(context, owner, true);
                    self.release_if_alone(context, owner);
                }
                (Some(object), _) => check_owners(context, object),
                (None, Some(owner)) => {
                    self.collect(context, owner, false);
                    for reference in references(owner) {
                        if let Some(above) = waiting_owner(context, owner, reference) {
                            self.release_if_alone(context, &above);
                        }
                    }
                    self.dependants.remove(field::uid(owner));
                }
                _ => {}
            }
        }
        if let Some(next) = self.letting_go.iter().map(|(at, _)| *at).min() {
            context.wake(next);
        }
    }
}

fn references(object: &Value) -> &[Value] {
    field::list(object, "/metadata/ownerReferences")
}

pub(super) fn has_finalizer(object: &Value, name: &str) -> bool {
    field::list(object, "/metadata/finalizers").iter().any(|f| f == name)
}

impl GarbageCollector {
    fn index(&mut self, change: &Change) {
        for reference in change.before.iter().flat_map(|object| references(object)) {
            let uid = field::text(reference, "/uid");
            if let Some(all) = self.dependants.get_mut(uid) {
                all.remove(&change.key);
                if all.is_empty() {
                    self.dependants.remove(uid);
                }
            }
        }
        for reference in change.after.iter().flat_map(|object| references(object)) {
            let uid = field::text(reference, "/uid").to_owned();
            self.dependants.entry(uid).or_default().insert(change.key.clone());
        }
    }

    /// Objects that name this one as an owner.
    fn of(&self, context: &Context<'_>, owner: &Value) -> Vec<(&'static str, Object)> {
        let uid = field::uid(owner);
        let all = self.dependants.get(uid).into_iter().flatten();
        let found = all.filter_map(|key| {
            let object = context.registry.store.get(key.resource, &key.namespace, &key.name)?;
            let names = references(object).iter().any(|r| field::text(r, "/uid") == uid);
            names.then(|| (key.resource, Arc::clone(object)))
        });
        found.collect()
    }

    /// Deletes what has no other owner; the rest loses the reference.
    fn collect(&self, context: &mut Context<'_>, owner: &Value, waits: bool) {
        for (resource, object) in self.of(context, owner) {
            let Some(kind) = context.registry.kind_of_storage(resource) else { continue };
            let others = references(&object)
                .iter()
                .filter(|r| field::text(r, "/uid") != field::uid(owner))
                .any(|reference| is_there(context, &object, reference));
            if others {
                disown(context, resource, &object, field::uid(owner));
            } else if !field::is_deleting(&object) {
                // Owners that wait for their dependants wait for those of these too.
                let deep = waits && !self.of(context, &object).is_empty();
                let propagation =
                    if deep { Propagation::Foreground } else { Propagation::Background };
                let options =
                    DeleteOptions { propagation: Some(propagation), ..DeleteOptions::default() };
                let (namespace, name) = (field::namespace(&object), field::name(&object));
                drop(context.registry.delete(kind, namespace, name, &options));
            }
        }
    }

    /// Dependants lose the reference; then the owner may go.
    fn orphan(&mut self, context: &mut Context<'_>, owner: &Object) {
        for (resource, object) in self.of(context, owner) {
            disown(context, resource, &object, field::uid(owner));
        }
        let known = self.letting_go.iter().any(|(_, one)| field::uid(one) == field::uid(owner));
        if !known {
            let at = context.soon(PAUSE.0, PAUSE.1);
            self.letting_go.push((at, Arc::clone(owner)));
        }
    }

    fn release_if_alone(&self, context: &mut Context<'_>, owner: &Value) {
        if self.of(context, owner).is_empty() {
            release(context, owner, FOREGROUND);
        }
    }
}

/// Takes an owner off an object.
fn disown(context: &mut Context<'_>, resource: &str, object: &Object, uid: &str) {
    let Some(kind) = context.registry.kind_of_storage(resource) else { return };
    let freed = context.registry.modify(kind, object, Part::Spec, |object| {
        let references = object.pointer_mut("/metadata/ownerReferences");
        if let Some(references) = references.and_then(Value::as_array_mut) {
            references.retain(|r| field::text(r, "/uid") != uid);
        }
    });
    // It may be gone by now.
    drop(freed);
}

/// Whether an owner exists, as far as its kind is known.
fn is_there(context: &Context<'_>, object: &Value, reference: &Value) -> bool {
    let version = field::text(reference, "/apiVersion");
    let kind = context.registry.kind_of_object(version, field::text(reference, "/kind"));
    let Some(kind) = kind else { return true };
    let namespace = if kind.namespaced { field::namespace(object) } else { "" };
    let found = context.registry.get(kind, namespace, field::text(reference, "/name"));
    found.is_ok_and(|owner| field::uid(owner) == field::text(reference, "/uid"))
}

/// An object all of whose owners are gone goes too.
fn check_owners(context: &mut Context<'_>, object: &Object) {
    if references(object).is_empty() || field::is_deleting(object) {
        return;
    }
    let version = field::text(object, "/apiVersion");
    let Some(kind) = context.registry.kind_of_object(version, field::text(object, "/kind")) else {
        return;
    };
    let (namespace, name) = (field::namespace(object), field::name(object));
    let Ok(current) = context.registry.get(kind, namespace, name).map(Arc::clone) else { return };
    let known = references(&current).iter();
    if known.clone().count() == 0 || known.clone().any(|one| is_there(context, &current, one)) {
        return;
    }
    let options = DeleteOptions {
        propagation: Some(Propagation::Background),
        uid: Some(field::uid(&current).to_owned()),
        ..DeleteOptions::default()
    };
    drop(context.registry.delete(kind, namespace, name, &options));
}

/// The owner above, if it waits for its dependants.
fn waiting_owner(context: &Context<'_>, object: &Value, reference: &Value) -> Option<Object> {
    let version = field::text(reference, "/apiVersion");
    let kind = context.registry.kind_of_object(version, field::text(reference, "/kind"))?;
    let namespace = if kind.namespaced { field::namespace(object) } else { "" };
    let above = context.registry.get(kind, namespace, field::text(reference, "/name")).ok()?;
    has_finalizer(above, FOREGROUND).then(|| Arc::clone(above))
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
