//! Creating an object: its name, its defaults, what admission adds, its place.

use serde_json::{Value, json};

use super::pods::Joining;
use super::writer::{Noted, Part, Write, complete, stored_as, view};
use super::{Failure, Registry, admission, certificates, limits, quota, size};
use crate::access::check_escalation;
use crate::custom;
use crate::field;
use crate::kinds::{
    CERTIFICATE_REQUEST, CUSTOM_RESOURCE_DEFINITION, Kind, RESOURCE_QUOTA, versions,
};
use crate::ownership::{self, Manager, Set};
use crate::schema;
use crate::store::{Key, Object, sealed};

/// Generated names have room for their ending.
const LONGEST_GENERATED: usize = 58;

impl Registry {
    /// Creates an object; for components of the cluster itself.
    pub fn create(
        &mut self,
        kind: &'static Kind,
        namespace: &str,
        value: Value,
    ) -> Result<Object, Failure> {
        self.create_by(kind, namespace, value, Write::own(Part::Spec))
    }

    /// Creates an object: names, completes, admits, validates and stores it.
    pub fn create_by(
        &mut self,
        kind: &'static Kind,
        namespace: &str,
        value: Value,
        write: Write<'_>,
    ) -> Result<Object, Failure> {
        let kind = stored_as(kind);
        let (key, value) = self.prepared(kind, namespace, value, write)?;
        if write.dry {
            return Ok(sealed(value));
        }
        size::check(&value, write)?;
        let is_definition = kind.storage == CUSTOM_RESOURCE_DEFINITION.storage;
        let name = key.name.clone();
        let object = self.store.put(key, value);
        if let Some(view) = view(kind).filter(|_| is_definition) {
            self.settle_definition(&name, view);
        }
        Ok(object)
    }

    /// Gives a new object its type, name and place; the name, and how refusals tell it.
    fn named(
        &mut self,
        kind: &Kind,
        namespace: &str,
        value: &mut Value,
        own: bool,
    ) -> (String, String) {
        value["apiVersion"] = kind.api_version().into();
        value["kind"] = kind.kind.into();
        let generated = field::text(value, "/metadata/generateName").to_owned();
        let meta = field::child(value, "metadata");
        let given = meta.get("name").and_then(Value::as_str).unwrap_or_default().to_owned();
        let given_name = !given.is_empty();
        let name = match (given_name, generated.is_empty()) {
            (false, false) => {
                let room = generated.char_indices().nth(LONGEST_GENERATED);
                let stem = generated.get(..room.map_or(generated.len(), |(at, _)| at));
                format!("{}{}", stem.unwrap_or_default(), self.dice.suffix(5))
            }
            _ => given,
        };
        let told = if given_name { name.clone() } else { generated };
        meta.insert("name".into(), name.clone().into());
        if kind.namespaced {
            meta.insert("namespace".into(), namespace.into());
        } else {
            meta.remove("namespace");
        }
        if !own {
            for key in ["creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds"] {
                meta.remove(key);
            }
            if kind.has_generation {
                meta.remove("generation");
            }
            meta.remove("selfLink");
        }
        (name, told)
    }

    fn prepared(
        &mut self,
        kind: &'static Kind,
        namespace: &str,
        mut value: Value,
        write: Write<'_>,
    ) -> Result<(Key, Value), Failure> {
        let own = matches!(write.noted, Noted::Not);
        let (name, told) = self.named(kind, namespace, &mut value, own);
        let mut value = complete(kind, value)?;
        if !own && kind.has_status() && kind.storage != "nodes" {
            forget_status(kind, &mut value)?;
        }
        if kind.storage == "secrets" {
            take_texts(&mut value);
        }
        if kind.storage == CUSTOM_RESOURCE_DEFINITION.storage {
            custom::cleared(&mut value, None);
        }
        self.note(kind, &mut value, write);
        if let Some(view) = view(kind).filter(|_| kind.custom.is_none()) {
            schema::settle(view, &mut value);
        }
        let meta = field::child(&mut value, "metadata");
        meta.insert("uid".into(), self.dice.uuid().into());
        meta.remove("resourceVersion");
        field::default(meta, "creationTimestamp", self.now.to_string());
        if kind.has_generation {
            meta.insert("generation".into(), 1.into());
        }
        self.mutate(kind, namespace, &told, (&mut value, own))?;
        self.admit_place(kind, namespace, &name)?;
        self.admit_grant(kind, (None, &value), write)?;
        (kind.prepare)(&mut value, self.now);
        if let Some(user) = write.user.filter(|_| kind.storage == CERTIFICATE_REQUEST.storage) {
            certificates::sign_for(&mut value, user);
        }
        if !own {
            admission::protect(kind, &mut value);
        }
        if own {
            self.allocate(kind, &mut value)?;
        }
        self.check(kind, &value, own && !is_from_template(kind, &value))?;
        if !own {
            self.warn(kind, &value, None);
            self.allocate(kind, &mut value)?;
        }
        limits::check(&self.store, kind, namespace, &value)?;
        self.admit_result(kind, (None, &value), write)?;
        let spent = quota::check(&self.store, kind, namespace, &value)?;
        self.admit_name(kind, namespace, &name)?;
        if !write.dry {
            self.spend(spent)?;
        }
        let key = Key { resource: kind.storage, namespace: namespace.into(), name };
        Ok((key, value))
    }

    /// Notes in quotas what a new object takes of them.
    fn spend(&mut self, quotas: Vec<Value>) -> Result<(), Failure> {
        let manager = Manager {
            name: "kube-apiserver".into(),
            applies: false,
            api_version: RESOURCE_QUOTA.api_version(),
            subresource: "status".into(),
        };
        for quota in quotas {
            let place = (field::namespace(&quota).to_owned(), field::name(&quota).to_owned());
            let write = Write { noted: Noted::Update(&manager), ..Write::own(Part::Status) };
            self.update_by(&RESOURCE_QUOTA, (&place.0, &place.1), quota, write)?;
        }
        Ok(())
    }

    /// Notes who made an object that is not stored.
    pub fn note_manager(&self, kind: &Kind, value: &mut Value, (by, part): (&Manager, Part)) {
        let noted = Noted::Update(by);
        let write = Write { noted, ..Write::own(part) };
        self.note(kind, value, write);
    }

    /// The same where it is known what an empty document of the kind holds.
    pub fn note_of(&self, kind: &Kind, before: &Value, value: &mut Value, by: &Manager) {
        let Some(view) = view(kind) else { return };
        let now = self.now.to_string();
        let told = |version: &str, value: &Value| versions::worded(kind, version, value);
        ownership::update(view, before, value, by, &now, (true, &Set::default()), &told);
    }

    /// Roles and bindings give nothing that their writer does not have.
    pub(super) fn admit_grant(
        &self,
        kind: &Kind,
        (old, new): (Option<&Value>, &Value),
        write: Write<'_>,
    ) -> Result<(), Failure> {
        let Some(user) = write.user else { return Ok(()) };
        check_escalation((&self.access, &self.store), user, kind, old, new)
    }

    /// Notes the creator's fields.
    fn note(&self, kind: &Kind, value: &mut Value, write: Write<'_>) {
        match (write.noted, view(kind)) {
            (Noted::Update(manager), Some(view)) => {
                let mut before = schema::empty(view);
                if let Some(status) = value.get("status").filter(|_| kind.storage != "nodes") {
                    before["status"] = status.clone();
                }
                let now = self.now.to_string();
                let ignored = write.part.ignored(kind);
                let how = (true, &ignored);
                let told = |version: &str, value: &Value| versions::worded(kind, version, value);
                ownership::update(view, &before, value, manager, &now, how, &told);
            }
            (Noted::Not, _) => {
                field::child(value, "metadata").remove("managedFields");
            }
            _ => {}
        }
    }

    /// Plugins that change an object before it is checked; they see a generated name unmade.
    fn mutate(
        &mut self,
        kind: &'static Kind,
        namespace: &str,
        told: &str,
        (value, own): (&mut Value, bool),
    ) -> Result<(), Failure> {
        match kind.storage {
            "pods" => {
                let volume = format!("kube-api-access-{}", self.dice.suffix(5));
                let joining = Joining { store: &self.store, namespace, told };
                limits::fill_in(&self.store, namespace, value);
                joining.give_account(value, &volume)?;
                joining.give_priority(value)?;
                admission::tolerate_lost_nodes(value);
                joining.give_runtime(value)?;
                admission::begin_pod(value);
                let node = field::text(value, "/spec/nodeName").to_owned();
                admission::copy_topology(&self.store, value, &node);
            }
            "persistentvolumeclaims" => admission::name_default_class(&self.store, value),
            "ingresses.networking.k8s.io" => admission::name_ingress_class(&self.store, value),
            "nodes" if !own => admission::taint_node(value),
            _ => {}
        }
        Ok(())
    }
}

/// What a client says about the status of a new object is not taken.
fn forget_status(kind: &Kind, value: &mut Value) -> Result<(), Failure> {
    if let Some(map) = value.as_object_mut() {
        map.remove("status");
    }
    *value = complete(kind, value.take())?;
    Ok(())
}

/// `stringData` of a Secret becomes `data`.
pub(super) fn take_texts(secret: &mut Value) {
    let Some(map) = secret.as_object_mut() else { return };
    let Some(Value::Object(texts)) = map.remove("stringData") else { return };
    let data = map.entry("data").or_insert_with(|| json!({}));
    for (key, text) in texts {
        data[key] = field::base64(text.as_str().unwrap_or_default().as_bytes()).into();
    }
}

/// Whether a controller made a pod after a template, which may be wrong.
fn is_from_template(kind: &Kind, value: &Value) -> bool {
    let owner = field::controller(value).map(|owner| field::text(owner, "/kind"));
    kind.storage == "pods" && owner.is_some_and(|kind| kind != "Node")
}
