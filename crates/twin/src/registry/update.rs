//! Replacing an object or a part of it, and applying a configuration to it.

use std::sync::Arc;

use serde_json::Value;

use super::writer::{Noted, Part, Write, complete, stored_as, view};
use super::{Cause, Failure, Registry, admission, certificates, size};
use crate::custom;
use crate::field;
use crate::kinds::{
    CERTIFICATE_REQUEST, CUSTOM_RESOURCE_DEFINITION as DEFINITION, Kind, POD, validate, versions,
};
use crate::ownership::{self, Manager};
use crate::schema;
use crate::store::{Key, Object, sealed};

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
    /// Replaces one part of an object; for components of the cluster itself.
    pub fn update(
        &mut self,
        kind: &'static Kind,
        namespace: &str,
        name: &str,
        value: Value,
        part: Part,
    ) -> Result<Object, Failure> {
        self.update_by(kind, (namespace, name), value, Write::own(part))
    }

    /// Replaces one part of an object. `value` may carry a uid and a resourceVersion; they must
    /// match then. Nothing is written when nothing changes.
    pub fn update_by(
        &mut self,
        kind: &'static Kind,
        (namespace, name): (&str, &str),
        value: Value,
        write: Write<'_>,
    ) -> Result<Object, Failure> {
        let kind = stored_as(kind);
        let old = Arc::clone(self.get(kind, namespace, name)?);
        let next = self.merged(kind, &old, value, write)?;
        if write.dry {
            return Ok(sealed(next));
        }
        size::check(&next, write)?;
        if next == **old {
            return Ok(old);
        }
        let key = Key { resource: kind.storage, namespace: namespace.into(), name: name.into() };
        let held = match kind.storage {
            "namespaces" => !field::list(&next, "/spec/finalizers").is_empty(),
            _ => field::number(&next, "/metadata/deletionGracePeriodSeconds") > 0,
        };
        let freed = field::is_deleting(&next)
            && !held
            && field::list(&next, "/metadata/finalizers").is_empty();
        if !freed {
            let object = self.store.put(key, next);
            if let Some(view) = view(kind).filter(|_| kind.storage == DEFINITION.storage) {
                self.settle_definition(name, view);
            }
            return Ok(object);
        }
        // The last finalizer is gone: so is the object. Watchers see its old state.
        self.store.remove(key);
        if kind.custom.is_some() {
            self.finish_definition(kind.storage);
        }
        Ok(sealed(next))
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

    /// The same, noted as an update by this manager.
    pub fn modify_as(
        &mut self,
        manager: &str,
        (kind, object, part): (&'static Kind, &Value, Part),
        change: impl FnOnce(&mut Value),
    ) -> Result<Object, Failure> {
        let (namespace, name) = (field::namespace(object), field::name(object));
        let mut value = Value::clone(self.get(kind, namespace, name)?);
        change(&mut value);
        let manager = Manager {
            name: manager.to_owned(),
            applies: false,
            api_version: kind.api_version(),
            subresource: part.subresource().to_owned(),
        };
        let write = Write { noted: Noted::Update(&manager), ..Write::own(part) };
        self.update_by(kind, (namespace, name), value, write)
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
        super::admission::copy_topology(&self.store, &mut value, node);
        note(&mut value);
        let key = Key { resource: POD.storage, namespace: namespace.into(), name: name.into() };
        Ok(self.store.put(key, value))
    }

    /// What an update would store.
    fn merged(
        &mut self,
        kind: &'static Kind,
        old: &Value,
        value: Value,
        write: Write<'_>,
    ) -> Result<Value, Failure> {
        let own = matches!(write.noted, Noted::Not);
        let mut value = complete(kind, value)?;
        check_preconditions(kind, old, &value, write.patch)?;
        if !own && write.patch {
            check_deletion(kind, old, &value)?;
        }
        restore(kind, old, &mut value, write);
        if kind.storage == CERTIFICATE_REQUEST.storage && !own {
            certificates::settle(old, &mut value, write.part, self.now);
        }
        if write.part == Part::Spec && kind.storage == "secrets" {
            super::create::take_texts(&mut value);
        }
        if write.part == Part::Spec && kind.storage == DEFINITION.storage {
            custom::cleared(&mut value, Some(old));
        }
        match (write.noted, view(kind)) {
            (Noted::Update(manager), Some(view)) => {
                let now = self.now.to_string();
                let ignored = write.part.ignored(kind);
                let how = (false, &ignored);
                let told = |version: &str, value: &Value| versions::worded(kind, version, value);
                ownership::update(view, old, &mut value, manager, &now, how, &told);
            }
            (Noted::Not, _) => keep_managers(old, &mut value),
            _ => {}
        }
        if let Some(view) = view(kind).filter(|_| kind.custom.is_none()) {
            schema::settle(view, &mut value);
        }
        let counts = kind.has_generation && !kind.generation_is_fixed;
        if write.part != Part::Status && counts && kind.desire_differs(old, &value) {
            let generation = field::number(old, "/metadata/generation") + 1;
            value["metadata"]["generation"] = generation.into();
        }
        if own && write.part == Part::Status {
            self.admit_result(kind, (Some(old), &value), write)?;
            return Ok(value);
        }
        if !own && write.part == Part::Spec && kind.storage == POD.storage {
            admission::tolerate_lost_nodes(&mut value);
        }
        (kind.prepare_update)(old, &mut value);
        self.admit_grant(kind, (Some(old), &value), write)?;
        let causes = self.update_causes(kind, (old, &value), write);
        if !causes.is_empty() {
            return Err(Failure::invalid(kind, field::name(old), &causes));
        }
        self.admit_result(kind, (Some(old), &value), write)?;
        if !own && write.part == Part::Spec {
            self.warn(kind, &value, Some(old));
            self.allocate(kind, &mut value)?;
        }
        Ok(value)
    }

    /// What an update breaks.
    fn update_causes(
        &self,
        kind: &Kind,
        (old, value): (&Value, &Value),
        write: Write<'_>,
    ) -> Vec<Cause> {
        let own = matches!(write.noted, Noted::Not);
        // The server checks metadata twice and tells each refusal once.
        let kept = kept_rules(old, value);
        let mut causes = [kept.clone(), kept].concat();
        let once = !matches!(validate::order(kind.storage), validate::Order::Twice);
        if !own && once && kind.custom.is_none() {
            causes.extend(validate::metadata_of_change(kind, value));
        }
        let always = self.causes(kind, value, Some(old), own);
        let rules = validate::update_rules(kind.storage);
        let rules = rules.filter(|_| !own && write.part == Part::Spec);
        let changed = rules.map_or_else(Vec::new, |rules| rules(old, value));
        let is_bad = !always.is_empty() || !changed.is_empty();
        match validate::order(kind.storage) {
            _ if !is_bad => {}
            validate::Order::ChangeLast => causes.extend(always.into_iter().chain(changed)),
            validate::Order::ChangeFirst => causes.extend(changed.into_iter().chain(always)),
            validate::Order::Twice => {
                causes.extend(always.clone().into_iter().chain(always).chain(changed));
            }
        }
        if kind.storage == CERTIFICATE_REQUEST.storage && !own {
            let approves = write.part == Part::Other("approval");
            causes.extend(validate::request_update(old, value, approves));
        }
        causes
    }

    /// Applies what a manager wants: creates the object or merges into it.
    pub fn apply(
        &mut self,
        kind: &'static Kind,
        (namespace, name): (&str, &str),
        applied: &Value,
        manager: &Manager,
        (write, force): (Write<'_>, bool),
    ) -> Result<(Object, bool), Failure> {
        let Some(view) = view(kind) else { return Err(Failure::method_not_allowed()) };
        let stored = stored_as(kind);
        let live = match self.get(kind, namespace, name) {
            Ok(found) => Some(Arc::clone(found)),
            Err(missing) if write.part != Part::Spec => return Err(missing),
            Err(_) => None,
        };
        let base = match live.as_deref() {
            Some(live) if kind.api_version() == stored.api_version() => Value::clone(live),
            Some(live) => versions::told_as(kind, Value::clone(live)),
            None => schema::empty(view),
        };
        let now = self.now.to_string();
        let ignored = write.part.ignored(kind);
        let told = |version: &str, value: &Value| {
            versions::worded(stored, version, &versions::stored(kind, value.clone()))
        };
        let how = (force, &ignored);
        let merged = ownership::apply(view, &base, applied, manager, &now, how, &told);
        let merged = merged.map_err(|conflicts| Failure::conflicts(&conflicts))?;
        let merged = versions::stored(kind, merged);
        let write = Write { noted: Noted::Done, patch: true, ..write };
        match live {
            Some(_) => Ok((self.update_by(kind, (namespace, name), merged, write)?, false)),
            None => Ok((self.create_by(kind, namespace, merged, write)?, true)),
        }
    }
}

fn check_preconditions(
    kind: &Kind,
    old: &Value,
    value: &Value,
    patch: bool,
) -> Result<(), Failure> {
    let name = field::name(old);
    let uid = field::uid(value);
    if !uid.is_empty() && uid != field::uid(old) {
        if patch {
            let cause = Cause::invalid("metadata.uid", &uid.into(), "field is immutable");
            return Err(Failure::invalid(kind, name, &[cause.clone(), cause]));
        }
        return Err(Failure::other_uid(kind, old, uid));
    }
    let asked = field::text(value, "/metadata/resourceVersion");
    if !asked.is_empty() && asked != field::text(old, "/metadata/resourceVersion") {
        return Err(Failure::conflict(kind, name));
    }
    Ok(())
}

/// A patch cannot delete.
fn check_deletion(kind: &Kind, old: &Value, value: &Value) -> Result<(), Failure> {
    let asked = &value["metadata"]["deletionTimestamp"];
    if asked.is_null() || *asked == old["metadata"]["deletionTimestamp"] {
        return Ok(());
    }
    let cause = Cause::invalid("metadata.deletionTimestamp", asked, "field is immutable");
    Err(Failure::invalid(kind, field::name(old), &[cause.clone(), cause]))
}

/// Puts back what a writer of this part cannot change.
fn restore(kind: &Kind, old: &Value, value: &mut Value, write: Write<'_>) {
    let own = matches!(write.noted, Noted::Not);
    let meta = field::child(value, "metadata");
    let kept = OWNED_METADATA.iter().chain(match write.part {
        Part::Spec => &[][..],
        _ => &["ownerReferences"][..],
    });
    for key in kept {
        put_back(&old["metadata"], meta, key);
    }
    meta.insert("resourceVersion".into(), old["metadata"]["resourceVersion"].clone());
    let Some(map) = value.as_object_mut() else { return };
    match write.part {
        Part::Spec | Part::Other("ephemeralcontainers" | "resize") if kind.has_status() => {
            put_back(old, map, "status");
            if kind.storage == "namespaces" {
                put_back(&old["spec"], field::child(value, "spec"), "finalizers");
            }
        }
        Part::Status => {
            let all: Vec<String> = map
                .keys()
                .chain(old.as_object().into_iter().flat_map(|old| old.keys()))
                .filter(|key| !matches!(key.as_str(), "metadata" | "status"))
                .cloned()
                .collect();
            all.iter().for_each(|key| put_back(old, map, key));
            // Of the metadata a component of the cluster may note something with a status.
            let noted = map.get("metadata").and_then(|m| m.get("annotations")).cloned();
            if own || kind.custom.is_some() {
                put_back(old, map, "metadata");
            }
            if let Some(noted) = noted.filter(|_| own) {
                field::child(value, "metadata").insert("annotations".into(), noted);
            }
        }
        _ => {}
    }
}

fn put_back(old: &Value, map: &mut serde_json::Map<String, Value>, key: &str) {
    match old.get(key) {
        Some(kept) => drop(map.insert(key.to_owned(), kept.clone())),
        None => drop(map.remove(key)),
    }
}

/// A component's own write leaves the owners as they were.
fn keep_managers(old: &Value, value: &mut Value) {
    put_back(&old["metadata"], field::child(value, "metadata"), "managedFields");
}

/// Rules that hold for every update.
fn kept_rules(old: &Value, value: &Value) -> Vec<Cause> {
    let before = field::list(old, "/metadata/finalizers");
    let added: Vec<_> = field::list(value, "/metadata/finalizers")
        .iter()
        .filter(|finalizer| !before.contains(finalizer))
        .map(|finalizer| format!("{finalizer}"))
        .collect();
    if added.is_empty() || !field::is_deleting(old) {
        return Vec::new();
    }
    vec![Cause::forbidden(
        "metadata.finalizers",
        &format!(
            "no new finalizers can be added if the object is being deleted, found new finalizers \
             []string{{{}}}",
            added.join(", ")
        ),
    )]
}
