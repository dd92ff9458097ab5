//! What every namespace gets, and the emptying of one that is deleted.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::json;

use crate::cluster::{Actor, Context};
use crate::field;
use crate::kernel::{SECOND, plus};
use crate::kinds::{CONFIG_MAP, NAMESPACE, SERVICE_ACCOUNT};
use crate::registry::DeleteOptions;
use crate::store::{Change, Key, Object};

/// Service accounts, root certificates, and the end of namespaces.
#[derive(Debug, Default)]
pub(super) struct Namespaces {
    ending: BTreeSet<String>,
}

impl Actor for Namespaces {
    fn name(&self) -> &str {
        "namespace-controller"
    }

    fn reads(&self, change: &Change) -> bool {
        change.key.resource == NAMESPACE.storage && change.after.is_some()
    }

    fn step(&mut self, changes: &[Arc<Change>], context: &mut Context<'_>) {
        for change in changes {
            let name = &change.key.name;
            if change.before.is_none() {
                furnish(context, name);
            }
            if change.after.as_ref().is_some_and(|n| field::is_deleting(n)) {
                self.ending.insert(name.clone());
            }
        }
        self.ending.retain(|name| !empty(context, name));
        if !self.ending.is_empty() {
            context.wake(plus(context.now(), 5 * SECOND));
        }
    }
}

fn furnish(context: &mut Context<'_>, namespace: &str) {
    let account = json!({"metadata": {"name": "default"}});
    drop(context.registry.create(&SERVICE_ACCOUNT, namespace, account));
    let root = json!({
        "metadata": {"name": "kube-root-ca.crt"},
        "data": {"ca.crt": "the certificate authority of a simulated cluster\n"},
    });
    drop(context.registry.create(&CONFIG_MAP, namespace, root));
}

/// Deletes what is in a namespace; whether nothing was left and the namespace is gone.
fn empty(context: &mut Context<'_>, namespace: &str) -> bool {
    let inside: Vec<(&'static str, Object)> = context
        .registry
        .store
        .all()
        .filter(|(_, object)| field::namespace(object) == namespace)
        .map(|(resource, object)| (resource, Arc::clone(object)))
        .collect();
    for (resource, object) in &inside {
        let kind = context.registry.kind_of_storage(resource);
        if let Some(kind) = kind.filter(|_| !field::is_deleting(object)) {
            let options = DeleteOptions::default();
            drop(context.registry.delete(kind, namespace, field::name(object), &options));
        }
    }
    if inside.is_empty() {
        let key = Key {
            resource: NAMESPACE.storage,
            namespace: String::new(),
            name: namespace.to_owned(),
        };
        context.registry.store.remove(key);
    }
    inside.is_empty()
}
