//! The claims of a pod: they must be bound before it gets a node, or wait for it.

use serde_json::{Value, json};

use crate::cluster::Context;
use crate::controllers::volumes::{self, SELECTED_NODE};
use crate::field;
use crate::kinds::PERSISTENT_VOLUME_CLAIM;
use crate::registry::Part;
use crate::store::Object;

/// How the claims of a pod stand.
pub(super) enum Claims {
    /// All are bound.
    Bound,
    /// These get a volume once the pod has a node.
    Waiting(Vec<Object>),
    /// No node will do, for this reason.
    Missing(String),
    /// No node has a volume for one of them.
    NoVolume,
}

/// Looks at the claims that a pod mounts.
pub(super) fn of(context: &Context<'_>, pod: &Value) -> Claims {
    let namespace = field::namespace(pod);
    let volumes = field::list(pod, "/spec/volumes").iter();
    let names = volumes.map(|v| field::text(v, "/persistentVolumeClaim/claimName"));
    let mut waiting = Vec::new();
    for name in names.filter(|name| !name.is_empty()) {
        let Ok(claim) = context.registry.get(&PERSISTENT_VOLUME_CLAIM, namespace, name) else {
            return Claims::Missing(format!("persistentvolumeclaim \"{name}\" not found"));
        };
        if field::text(claim, "/status/phase") == "Bound" {
            continue;
        }
        let store = &context.registry.store;
        match volumes::class(store, claim) {
            Some(class) if volumes::waits_for_pod(class) => {
                if volumes::is_manual(class) && volumes::best(store, claim).is_none() {
                    return Claims::NoVolume;
                }
                waiting.push(claim.clone());
            }
            _ => return Claims::Missing("pod has unbound immediate PersistentVolumeClaims".into()),
        }
    }
    if waiting.is_empty() { Claims::Bound } else { Claims::Waiting(waiting) }
}

/// Tells those who make volumes where the pod will go.
pub(super) fn select_node(context: &mut Context<'_>, claims: &[Object], node: &str) {
    for claim in claims {
        let told = context.registry.modify(&PERSISTENT_VOLUME_CLAIM, claim, Part::Spec, |claim| {
            let annotations = field::child(claim, "metadata").entry("annotations");
            annotations.or_insert(json!({}))[SELECTED_NODE] = node.into();
        });
        // The claim may be gone: then the pod waits on.
        drop(told);
    }
}
