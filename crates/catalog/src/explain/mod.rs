//! Explains one object: the decision that was made about it, with the numbers it rests on.
//!
//! It uses the comparisons that the failure kinds use, so that both say the same. It must not
//! judge whether anything is a failure: the incidents an object is part of say that.

mod budget;
mod claim;
mod containers;
mod eviction;
mod node;
mod placement;
mod pod;
mod relations;
mod scaler;
mod service;
mod workload;

#[cfg(test)]
mod tests;

use model::{Explanation, Kind, ObjectRef, Snapshot};

/// Explains an object; `None` when it was not seen.
pub fn explain(object: &ObjectRef, now: &Snapshot) -> Option<Explanation> {
    let mut explanation = match object.kind {
        Kind::Pod => pod::explain(object, now)?,
        Kind::Node => node::explain(now.nodes.get("", &object.name)?, now),
        Kind::Service => service::explain(now.services.get(&object.namespace, &object.name)?, now),
        Kind::PersistentVolumeClaim => {
            claim::explain(now.claims.get(&object.namespace, &object.name)?, now)
        }
        Kind::HorizontalPodAutoscaler => {
            scaler::explain(now.scalers.get(&object.namespace, &object.name)?, now)
        }
        Kind::PodDisruptionBudget => {
            budget::explain(now.budgets.get(&object.namespace, &object.name)?, now)
        }
        _ => match now.app(object) {
            Some(app) => workload::explain(app, now),
            None => relations::explain(object, now)?,
        },
    };
    explanation.ask(relations::dependants(object, now));
    explanation.ask(relations::events(object, now));
    Some(explanation)
}

/// Every object that can be explained, by kind, namespace and name.
pub fn objects(now: &Snapshot) -> Vec<ObjectRef> {
    let pods = now.apps.iter().flat_map(|a| a.pods.iter().map(|p| p.meta.object(Kind::Pod)));
    let apps = now.apps.iter().map(|a| a.object.clone());
    let mut all: Vec<ObjectRef> = pods.chain(apps).collect();
    all.extend(now.apps.iter().flat_map(|a| a.sets.iter().map(|s| s.object())));
    all.extend(now.nodes.iter().map(|o| o.meta.object(Kind::Node)));
    all.extend(now.services.iter().map(|o| o.meta.object(Kind::Service)));
    all.extend(now.claims.iter().map(|o| o.meta.object(Kind::PersistentVolumeClaim)));
    all.extend(now.volumes.iter().map(|o| o.meta.object(Kind::PersistentVolume)));
    all.extend(now.storage_classes.iter().map(|o| o.meta.object(Kind::StorageClass)));
    all.extend(now.ingresses.iter().map(|o| o.meta.object(Kind::Ingress)));
    all.extend(now.policies.iter().map(|o| o.meta.object(Kind::NetworkPolicy)));
    all.extend(now.scalers.iter().map(|o| o.meta.object(Kind::HorizontalPodAutoscaler)));
    all.extend(now.budgets.iter().map(|o| o.meta.object(Kind::PodDisruptionBudget)));
    all.extend(now.quotas.iter().map(|o| o.meta.object(Kind::ResourceQuota)));
    all.extend(now.limit_ranges.iter().map(|o| o.meta.object(Kind::LimitRange)));
    all.extend(now.roles.iter().map(|o| o.meta.object(o.kind)));
    all.extend(now.bindings.iter().map(|o| o.meta.object(o.kind)));
    all.extend(now.certificates.iter().map(|o| o.meta.object(o.kind)));
    all.extend(now.leases.iter().map(|o| o.meta.object(Kind::Lease)));
    all.extend(now.availability.iter().map(|o| o.meta.object(o.kind)));
    all.extend(now.webhooks.iter().map(|o| o.meta.object(o.kind)));
    all.extend(now.named.iter().map(|o| o.meta.object(o.kind)));
    all.sort();
    all.dedup();
    all
}
