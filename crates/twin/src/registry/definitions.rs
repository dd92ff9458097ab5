//! Custom kinds: which ones the stored definitions describe, and what becomes of a definition
//! and of its objects.

use std::sync::Arc;

use serde_json::Value;

use super::{DeleteOptions, Deleted, Failure, Registry};
use crate::custom;
use crate::field;
use crate::kinds::{self, CUSTOM_RESOURCE_DEFINITION as DEFINITION, Kind};
use crate::ownership::{self, Manager};
use crate::schema::View;
use crate::store::{Key, Object, sealed};

const FINALIZER: &str = "customresourcecleanup.apiextensions.k8s.io";

impl Registry {
    /// Reads the definitions again if any has changed.
    pub fn refresh_customs(&mut self) {
        let version = self.store.last_change(DEFINITION.storage);
        if self.customs.0 != version {
            let all = self.store.table(DEFINITION.storage).values();
            self.customs = (version, all.flat_map(|object| custom::rows(object)).collect());
        }
    }

    /// Rows of the custom kinds that are served.
    pub fn customs(&self) -> &[&'static Kind] {
        &self.customs.1
    }

    /// The version from which a custom kind's changes can be told: that of its definition.
    pub fn custom_since(&self, kind: &Kind) -> u64 {
        let definition = self.store.get(DEFINITION.storage, "", kind.storage);
        let since = definition.filter(|_| kind.custom.is_some());
        since.and_then(|d| field::text(d, "/metadata/resourceVersion").parse().ok()).unwrap_or(0)
    }

    /// The row of a resource, built in or custom.
    pub fn kind(&self, group: &str, version: &str, plural: &str) -> Option<&'static Kind> {
        let is = |k: &&&Kind| k.group == group && k.version == version && k.plural == plural;
        kinds::find(group, version, plural).or_else(|| self.customs.1.iter().find(is).copied())
    }

    /// The row under whose names objects of this storage are kept.
    pub fn kind_of_storage(&self, storage: &str) -> Option<&'static Kind> {
        let is = |k: &&&Kind| k.storage == storage;
        kinds::of_storage(storage).or_else(|| self.customs.1.iter().find(is).copied())
    }

    /// The row of an object, by its apiVersion and kind.
    pub fn kind_of_object(&self, api_version: &str, kind: &str) -> Option<&'static Kind> {
        let is = |k: &&&Kind| k.kind == kind && k.api_version() == api_version;
        kinds::of_object(api_version, kind).or_else(|| self.customs.1.iter().find(is).copied())
    }

    /// What the server's own controllers do right after a definition was written.
    pub(super) fn settle_definition(&mut self, name: &str, view: View<'_>) {
        let Some(object) = self.store.get(DEFINITION.storage, "", name).map(Arc::clone) else {
            return;
        };
        let table = self.store.table(DEFINITION.storage);
        let others: Vec<&Value> =
            table.values().filter(|other| field::name(other) != name).map(|o| &***o).collect();
        let now = self.now.to_string();
        if let Some(mut next) = custom::establish(&object, &others, &now) {
            let manager = Manager {
                name: "kube-apiserver".to_owned(),
                applies: false,
                api_version: DEFINITION.api_version(),
                subresource: "status".to_owned(),
            };
            let ignored = super::Part::Status.ignored(&DEFINITION);
            let told =
                |version: &str, value: &Value| kinds::versions::worded(&DEFINITION, version, value);
            let how = (false, &ignored);
            ownership::update(view, &object, &mut next, &manager, &now, how, &told);
            self.store.put(definition_key(name), next);
        }
        self.refresh_customs();
    }

    /// Deletes a definition: its objects go first.
    pub(super) fn delete_definition(
        &mut self,
        old: &Object,
        options: &DeleteOptions,
    ) -> Result<Deleted, Failure> {
        let name = field::name(old).to_owned();
        let now = self.now.to_string();
        let mut next = Value::clone(old);
        let meta = field::child(&mut next, "metadata");
        field::default(meta, "deletionTimestamp", now.clone());
        let finalizers = meta.entry("finalizers").or_insert_with(|| Value::Array(Vec::new()));
        if let Some(list) = finalizers.as_array_mut()
            && !list.iter().any(|finalizer| finalizer == FINALIZER)
        {
            list.push(FINALIZER.into());
        }
        custom::ending(&mut next, &now);
        if options.dry_run {
            return Ok(Deleted::Pending(sealed(next)));
        }
        let told = self.store.put(definition_key(&name), next);
        let rows = custom::rows(&told);
        if let Some(kind) = rows.first() {
            let all: Vec<Object> = self.store.table(kind.storage).values().cloned().collect();
            for object in all {
                let (namespace, name) = (field::namespace(&object), field::name(&object));
                // What has finalizers of its own stays until they are gone.
                drop(self.delete(kind, namespace, name, &DeleteOptions::default()));
            }
        }
        self.finish_definition(&name);
        Ok(Deleted::Pending(told))
    }

    /// A definition that is being deleted goes with its last object.
    pub(super) fn finish_definition(&mut self, name: &str) {
        let Some(object) = self.store.get(DEFINITION.storage, "", name).map(Arc::clone) else {
            return;
        };
        let storage = definition_storage(&object);
        if !field::is_deleting(&object) || !self.store.table(&storage).is_empty() {
            return;
        }
        let mut next = Value::clone(&object);
        if let Some(list) = next["metadata"]["finalizers"].as_array_mut() {
            list.retain(|finalizer| finalizer != FINALIZER);
        }
        let key = definition_key(name);
        if field::list(&next, "/metadata/finalizers").is_empty() {
            self.store.remove(key);
        } else {
            self.store.put(key, next);
        }
        self.refresh_customs();
    }
}

fn definition_storage(definition: &Value) -> String {
    let text = |pointer| field::text(definition, pointer);
    format!("{}.{}", text("/spec/names/plural"), text("/spec/group"))
}

fn definition_key(name: &str) -> Key {
    Key { resource: DEFINITION.storage, namespace: String::new(), name: name.to_owned() }
}
