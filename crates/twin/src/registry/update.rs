//! Replacing an object, or only its status.

use std::sync::Arc;

use serde_json::Value;

use super::{Failure, Registry, shape};
use crate::field;
use crate::kinds::{Kind, POD};
use crate::store::{Key, Object};

/// Which half of an object a write may touch.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Part {
    /// Everything but the status.
    Spec,
    /// The status only.
    Status,
}

/// Metadata that clients cannot set.
const OWNED_METADATA: [&str; 7] = [
    "name",
    "namespace",
    "uid",
    "creationTimestamp",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
    "generation",
];

impl Registry {
    /// Replaces one part of an object. `value` may carry a uid and a resourceVersion; they must
    /// match then. Nothing is written when nothing changes.
    pub fn update(
        &mut self,
        kind: &'static Kind,
        namespace: &str,
        name: &str,
        value: Value,
        part: Part,
    ) -> Result<Object, Failure> {
        let old = Arc::clone(self.get(kind, namespace, name)?);
        let next = self.merged(kind, &old, value, part)?;
        if next == *old {
            return Ok(old);
        }
        let key = Key { resource: kind.storage, namespace: namespace.into(), name: name.into() };
        let freed = field::is_deleting(&next)
            && kind.storage != "namespaces"
            && field::list(&next, "/metadata/finalizers").is_empty()
            && field::number(&next, "/metadata/deletionGracePeriodSeconds") == 0;
        if !freed {
            return Ok(self.store.put(key, next));
        }
        // The last finalizer is gone: so is the object. Watchers see its old state.
        self.store.remove(key);
        Ok(Arc::new(next))
    }

    /// Reads, changes and writes back; for callers inside the cluster, who cannot be outrun.
    pub fn modify(
        &mut self,
        kind: &'static Kind,
        object: &Value,
        part: Part,
        change: impl FnOnce(&mut Value),
    ) -> Result<Object, Failure> {
        let (namespace, name) = (field::namespace(object), field::name(object));
        let mut value = Value::clone(self.get(kind, namespace, name)?);
        change(&mut value);
        self.update(kind, namespace, name, value, part)
    }

    /// Gives a pod to a node; `note` writes into its status.
    pub fn bind(
        &mut self,
        pod: &Value,
        node: &str,
        note: impl FnOnce(&mut Value),
    ) -> Result<Object, Failure> {
        let (namespace, name) = (field::namespace(pod), field::name(pod));
        let mut value = Value::clone(self.get(&POD, namespace, name)?);
        if field::is_deleting(&value) || !field::text(&value, "/spec/nodeName").is_empty() {
            return Err(Failure::conflict(&POD, name));
        }
        field::child(&mut value, "spec").insert("nodeName".into(), node.into());
        note(&mut value);
        let key = Key { resource: POD.storage, namespace: namespace.into(), name: name.into() };
        Ok(self.store.put(key, value))
    }

    /// What `update` would store (also for a dry run).
    pub fn merged(
        &mut self,
        kind: &'static Kind,
        old: &Value,
        mut value: Value,
        part: Part,
    ) -> Result<Value, Failure> {
        shape::check(kind, &value)?;
        let name = field::name(old);
        let found = |pointer| field::text(old, pointer);
        let asked = field::text(&value, "/metadata/resourceVersion");
        if !asked.is_empty() && asked != found("/metadata/resourceVersion") {
            return Err(Failure::conflict(kind, name));
        }
        let uid = field::uid(&value);
        if !uid.is_empty() && uid != found("/metadata/uid") {
            return Err(Failure::precondition(kind, name, "UID", uid, found("/metadata/uid")));
        }
        if part == Part::Status {
            let mut next = old.clone();
            next["status"] = value["status"].take();
            return Ok(next);
        }
        restore_owned(kind, old, &mut value);
        (kind.defaults)(&mut value);
        if kind.has_generation && desire_differs(old, &value) {
            let generation = field::number(old, "/metadata/generation") + 1;
            value["metadata"]["generation"] = generation.into();
        }
        self.check(kind, &value)?;
        Ok(value)
    }
}

/// Puts back what a writer of the specification cannot change.
fn restore_owned(kind: &Kind, old: &Value, value: &mut Value) {
    value["apiVersion"] = kind.api_version().into();
    value["kind"] = kind.kind.into();
    if kind.has_status() {
        match old.get("status") {
            Some(status) => value["status"] = status.clone(),
            None => drop(value.as_object_mut().map(|map| map.remove("status"))),
        }
    }
    let meta = field::child(value, "metadata");
    meta.remove("managedFields");
    for key in OWNED_METADATA {
        match old["metadata"].get(key) {
            Some(kept) => drop(meta.insert(key.into(), kept.clone())),
            None => drop(meta.remove(key)),
        }
    }
    meta.insert("resourceVersion".into(), old["metadata"]["resourceVersion"].clone());
}

/// Whether anything but metadata and status differs.
fn desire_differs(old: &Value, new: &Value) -> bool {
    let desired = |value: &Value| -> Vec<(String, Value)> {
        let fields = value.as_object().into_iter().flatten();
        fields
            .filter(|(k, _)| !matches!(k.as_str(), "metadata" | "status"))
            .map(|(k, v)| (k.clone(), v.clone()))
            .collect()
    };
    desired(old) != desired(new)
}
