//! Quotas: how much of each is used.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::cluster::{Actor, Context};
use crate::field;
use crate::kinds::{EVENT, LEASE, RESOURCE_QUOTA};
use crate::registry::{Part, used};
use crate::store::{Change, Object};

/// The controller.
#[derive(Debug)]
pub(super) struct Quotas;

impl Actor for Quotas {
    fn name(&self) -> &str {
        "resourcequota-controller"
    }

    fn reads(&self, change: &Change) -> bool {
        let uncounted = [EVENT.storage, LEASE.storage].contains(&change.key.resource);
        !uncounted && !change.key.namespace.is_empty()
    }

    fn step(&mut self, changes: &[Arc<Change>], context: &mut Context<'_>) {
        let namespaces: BTreeSet<&str> =
            changes.iter().map(|change| change.key.namespace.as_str()).collect();
        for namespace in namespaces {
            let store = &context.registry.store;
            let quotas: Vec<Object> =
                store.in_namespace(RESOURCE_QUOTA.storage, namespace).cloned().collect();
            for quota in quotas {
                sync(context, &quota);
            }
        }
    }
}

fn sync(context: &mut Context<'_>, quota: &Object) {
    let used = used(&context.registry.store, quota);
    let written = context.registry.modify(&RESOURCE_QUOTA, quota, Part::Status, |quota| {
        let hard = quota["spec"]["hard"].clone();
        let status = field::child(quota, "status");
        status.insert("hard".into(), hard);
        let used = used.iter().map(|(key, amount)| (key.clone(), amount.text(key).into()));
        status.insert("used".into(), serde_json::Value::Object(used.collect()));
    });
    // The quota may be gone by now.
    drop(written);
}
