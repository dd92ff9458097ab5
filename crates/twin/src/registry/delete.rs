//! Deletion: preconditions, grace for pods, finalizers, propagation.

use std::sync::Arc;

use serde_json::Value;

use super::{Failure, Registry};
use crate::field;
use crate::kernel::{SECOND, plus};
use crate::kinds::{CUSTOM_RESOURCE_DEFINITION as DEFINITION, Kind};
use crate::store::{Key, Object, sealed};

/// What becomes of the objects that this one owns.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Propagation {
    /// They are deleted after it.
    #[default]
    Background,
    /// They are deleted before it.
    Foreground,
    /// They stay.
    Orphan,
}

/// The options of a deletion.
#[derive(Clone, Debug, Default)]
pub(crate) struct DeleteOptions {
    pub grace_seconds: Option<i64>,
    pub uid: Option<String>,
    pub resource_version: Option<String>,
    pub propagation: Option<Propagation>,
    pub dry_run: bool,
}

/// How a deletion ended.
#[derive(Debug)]
pub(crate) enum Deleted {
    /// The object stays until its kubelet or its finalizers are done.
    Pending(Object),
    /// It is gone; its last state.
    Gone(Object),
}

impl Registry {
    /// Deletes an object, or marks it as to be deleted.
    pub fn delete(
        &mut self,
        kind: &'static Kind,
        namespace: &str,
        name: &str,
        options: &DeleteOptions,
    ) -> Result<Deleted, Failure> {
        let old = Arc::clone(self.get(kind, namespace, name)?);
        check_preconditions(kind, &old, options)?;
        self.admit_component(kind, &old, options)?;
        if kind.storage == DEFINITION.storage {
            return self.delete_definition(&old, options);
        }
        let grace = grace_seconds(kind, &old, options);
        let mut finalizers = field::list(&old, "/metadata/finalizers").to_vec();
        let chosen = options.propagation.unwrap_or(match kind.kind {
            "Job" | "ReplicationController" => Propagation::Orphan,
            _ => Propagation::Background,
        });
        match chosen {
            Propagation::Background => {}
            Propagation::Foreground => finalizers.push("foregroundDeletion".into()),
            Propagation::Orphan => finalizers.push("orphan".into()),
        }
        finalizers.dedup();
        let waits = grace > 0 || !finalizers.is_empty() || kind.storage == "namespaces";
        let key = Key { resource: kind.storage, namespace: namespace.into(), name: name.into() };
        if !waits {
            if options.dry_run {
                return Ok(Deleted::Gone(old));
            }
            if kind.storage == "pods" {
                let ended = self.marked(kind, &old, 0, Vec::new());
                self.store.put(key.clone(), ended);
            }
            let gone = self.store.remove(key);
            return gone.map(Deleted::Gone).ok_or_else(|| Failure::not_found(kind, name));
        }
        let next = self.marked(kind, &old, grace, finalizers);
        if options.dry_run || next == **old {
            return Ok(Deleted::Pending(sealed(next)));
        }
        Ok(Deleted::Pending(self.store.put(key, next)))
    }

    /// The object with its deletion noted; a second deletion can only shorten the grace.
    fn marked(&self, kind: &Kind, old: &Value, grace: i64, finalizers: Vec<Value>) -> Value {
        let mut next = old.clone();
        let running = field::number(old, "/metadata/deletionGracePeriodSeconds");
        if !field::is_deleting(old) || grace < running {
            let meta = field::child(&mut next, "metadata");
            let at = plus(self.now, grace.saturating_mul(SECOND));
            meta.insert("deletionTimestamp".into(), at.to_string().into());
            if kind.storage != "namespaces" {
                meta.insert("deletionGracePeriodSeconds".into(), grace.into());
            }
            if kind.has_generation && !field::is_deleting(old) {
                let generation = field::number(old, "/metadata/generation") + 1;
                meta.insert("generation".into(), generation.into());
            }
        }
        if !finalizers.is_empty() {
            next["metadata"]["finalizers"] = finalizers.into();
        }
        if kind.storage == "namespaces" {
            next["status"]["phase"] = "Terminating".into();
        }
        next
    }
}

fn check_preconditions(kind: &Kind, old: &Value, asked: &DeleteOptions) -> Result<(), Failure> {
    let name = field::name(old);
    let fields = [
        ("UID", &asked.uid, "/metadata/uid"),
        ("ResourceVersion", &asked.resource_version, "/metadata/resourceVersion"),
    ];
    for (what, wanted, pointer) in fields {
        let found = field::text(old, pointer);
        if let Some(wanted) = wanted.as_deref().filter(|wanted| *wanted != found) {
            return Err(Failure::precondition(kind, name, what, wanted, found));
        }
    }
    Ok(())
}

/// Only a pod that was given to a node has something to wind down.
fn grace_seconds(kind: &Kind, old: &Value, options: &DeleteOptions) -> i64 {
    let ended = matches!(field::text(old, "/status/phase"), "Succeeded" | "Failed");
    if kind.storage != "pods" || field::text(old, "/spec/nodeName").is_empty() || ended {
        return 0;
    }
    let own = field::number(old, "/spec/terminationGracePeriodSeconds");
    match options.grace_seconds.unwrap_or(own) {
        negative if negative < 0 => 1,
        grace => grace,
    }
}
