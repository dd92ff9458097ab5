//! Meaning over the store: defaults, validation, uids, generations, graceful deletion.
//!
//! The API and the controllers write through here, so that an object looks the same whoever
//! made it. Must never know HTTP, nor when or why something is written.

mod admission;
mod delete;
mod events;
mod failure;
mod heartbeat;
mod limits;
mod quota;
mod shape;
mod update;

use std::collections::BTreeMap;
use std::sync::Arc;

use model::Timestamp;
use serde_json::Value;

pub(crate) use delete::{DeleteOptions, Deleted, Propagation};
pub(crate) use events::{Note, Source};
pub(crate) use failure::{Cause, Failure};
pub(crate) use heartbeat::{Heartbeat, NODE_LEASES};
pub(crate) use quota::used;
pub(crate) use update::Part;

use crate::field;
use crate::kernel::Dice;
use crate::kinds::{Kind, LEASE, NAMESPACE, NODE};
use crate::store::{Key, Object, Store};

/// How many changes the watch ring keeps; a watch that is further behind gets a 410.
pub(crate) const HISTORY_LIMIT: usize = 20_000;

/// The objects of the cluster and the rules under which they are written.
#[derive(Debug)]
pub(crate) struct Registry {
    pub store: Store,
    /// Virtual time.
    pub now: Timestamp,
    /// By node name.
    pub heartbeats: BTreeMap<String, Heartbeat>,
    /// Counts starts and stops of heartbeats.
    pub beats: u64,
    dice: Dice,
}

impl Registry {
    pub fn new(seed: u64, now: Timestamp) -> Self {
        let store = Store::new(HISTORY_LIMIT);
        Self { store, now, heartbeats: BTreeMap::new(), beats: 0, dice: Dice::of(seed, "registry") }
    }

    /// An object as it is stored.
    pub fn get(&self, kind: &Kind, namespace: &str, name: &str) -> Result<&Object, Failure> {
        let found = self.store.get(kind.storage, namespace, name);
        found.ok_or_else(|| Failure::not_found(kind, name))
    }

    /// An object as a reader sees it: heartbeats filled in.
    pub fn shown(&self, kind: &Kind, object: &Object) -> Object {
        let beats = kind.storage == NODE.storage
            || kind.storage == LEASE.storage && field::namespace(object) == NODE_LEASES;
        match self.heartbeats.get(field::name(object)).filter(|_| beats) {
            Some(beat) => beat.shown(kind, object, self.now),
            None => Arc::clone(object),
        }
    }

    /// The kubelet of a node falls silent now.
    pub fn silence(&mut self, node: &str) {
        if let Some(beat) = self.heartbeats.get_mut(node).filter(|beat| beat.stopped.is_none()) {
            beat.stopped = Some(self.now);
            self.beats += 1;
        }
    }

    /// The kubelet of a node is heard of again from now on.
    pub fn revive(&mut self, node: &str) {
        if let Some(beat) = self.heartbeats.get_mut(node).filter(|beat| beat.stopped.is_some()) {
            *beat = Heartbeat { since: self.now, stopped: None };
            self.beats += 1;
        }
    }

    /// Creates an object: names, defaults, validates and stores it.
    pub fn create(
        &mut self,
        kind: &'static Kind,
        namespace: &str,
        value: Value,
    ) -> Result<Object, Failure> {
        let (key, value) = self.prepared(kind, namespace, value)?;
        Ok(self.store.put(key, value))
    }

    /// What `create` would store (also for a dry run).
    pub fn prepared(
        &mut self,
        kind: &'static Kind,
        namespace: &str,
        mut value: Value,
    ) -> Result<(Key, Value), Failure> {
        shape::check(kind, &value)?;
        value["apiVersion"] = kind.api_version().into();
        value["kind"] = kind.kind.into();
        let generated = field::text(&value, "/metadata/generateName").to_owned();
        let meta = field::child(&mut value, "metadata");
        meta.remove("managedFields");
        let given = meta.get("name").and_then(Value::as_str).unwrap_or_default().to_owned();
        let given_name = !given.is_empty();
        let name = match (given.is_empty(), generated.is_empty()) {
            (true, false) => format!("{generated}{}", self.dice.suffix(5)),
            _ => given,
        };
        meta.insert("name".into(), name.clone().into());
        if kind.namespaced {
            meta.insert("namespace".into(), namespace.into());
        } else {
            meta.remove("namespace");
        }
        meta.insert("uid".into(), self.dice.uuid().into());
        field::default(meta, "creationTimestamp", self.now.to_string());
        if kind.has_generation {
            meta.insert("generation".into(), 1.into());
        }
        (kind.defaults)(&mut value);
        self.allocate(kind, &mut value);
        if kind.storage == "pods" {
            // Plugins that change a pod see it before its name is made up.
            let told = if given_name { &name } else { &generated };
            admission::check_references(&self.store, namespace, told, &mut value)?;
            let volume = format!("kube-api-access-{}", self.dice.suffix(5));
            admission::mount_account(&mut value, &volume);
            limits::fill_in(&self.store, namespace, &mut value);
        }
        if kind.storage == "persistentvolumeclaims" {
            admission::name_default_class(&self.store, &mut value);
        }
        self.check(kind, &value)?;
        self.admit(kind, namespace, &name)?;
        limits::check(&self.store, kind, namespace, &value)?;
        quota::check(&self.store, kind, namespace, &value)?;
        let key = Key { resource: kind.storage, namespace: namespace.into(), name };
        Ok((key, value))
    }

    /// Rules for every kind, then the kind's own.
    fn check(&self, kind: &Kind, value: &Value) -> Result<(), Failure> {
        let name = field::name(value);
        let mut causes = Vec::new();
        if name.is_empty() {
            let mut cause = Cause::required("metadata.name");
            cause.message.push_str(": name or generateName is required");
            causes.push(cause);
        } else if kind.names_are_dns && !is_dns_name(name) {
            causes.push(Cause::invalid("metadata.name", &name.into(), DNS_RULE));
        }
        causes.extend((kind.validate)(value));
        if causes.is_empty() { Ok(()) } else { Err(Failure::invalid(kind, name, &causes)) }
    }

    /// The name must be free and the namespace must exist and live.
    fn admit(&self, kind: &Kind, namespace: &str, name: &str) -> Result<(), Failure> {
        if kind.namespaced {
            let home = self.get(&NAMESPACE, "", namespace)?;
            if field::is_deleting(home) {
                let message = format!(
                    "{} \"{name}\" is forbidden: unable to create new content in namespace \
                     {namespace} because it is being terminated",
                    kind.qualified()
                );
                return Err(Failure::ending_namespace(kind, namespace, name, message));
            }
        }
        match self.store.get(kind.storage, namespace, name) {
            Some(_) => Err(Failure::already_exists(kind, name)),
            None => Ok(()),
        }
    }

    /// Service addresses come from 10.96.0.0/16, by the service's place in time.
    fn allocate(&mut self, kind: &Kind, value: &mut Value) {
        let external = field::text(value, "/spec/type") == "ExternalName";
        let given = !field::text(value, "/spec/clusterIP").is_empty();
        if kind.storage != "services" || external || given {
            return;
        }
        let host = self.dice.between(10, 65_000);
        let address = format!("10.96.{}.{}", host / 256, host % 256);
        let spec = field::child(value, "spec");
        spec.insert("clusterIP".into(), address.clone().into());
        spec.insert("clusterIPs".into(), vec![address].into());
    }
}

const DNS_RULE: &str = "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric \
     characters, '-' or '.', and must start and end with an alphanumeric character (e.g. \
     'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]\
     ([-a-z0-9]*[a-z0-9])?)*')";

/// Lower-case letters, digits, '-' and '.', starting and ending with a letter or digit.
fn is_dns_name(name: &str) -> bool {
    let solid = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit();
    let part = |label: &str| {
        let bytes = label.as_bytes();
        bytes.first().is_some_and(|c| solid(*c))
            && bytes.last().is_some_and(|c| solid(*c))
            && bytes.iter().all(|c| solid(*c) || *c == b'-')
    };
    name.len() <= 253 && name.split('.').all(part)
}
