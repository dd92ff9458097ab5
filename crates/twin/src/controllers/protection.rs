//! Claims and volumes that are being deleted stay while they are in use: a claim while a pod
//! that has not ended names it, a volume while it is bound.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::Value;

use super::garbage::{has_finalizer, release};
use super::{Place, has_ended, place};
use crate::cluster::{Actor, Context};
use crate::field;
use crate::kinds::{PERSISTENT_VOLUME, PERSISTENT_VOLUME_CLAIM, POD};
use crate::store::Change;

const CLAIM: &str = "kubernetes.io/pvc-protection";
const VOLUME: &str = "kubernetes.io/pv-protection";

/// Takes the protection off what nobody uses any more.
#[derive(Debug, Default)]
pub(super) struct Protection {
    /// Claims and volumes (those without a namespace) that are being deleted.
    leaving: BTreeSet<Place>,
}

impl Actor for Protection {
    fn name(&self) -> &str {
        "protection-controller"
    }

    fn reads(&self, change: &Change) -> bool {
        [PERSISTENT_VOLUME.storage, PERSISTENT_VOLUME_CLAIM.storage, POD.storage]
            .contains(&change.key.resource)
    }

    fn step(&mut self, changes: &[Arc<Change>], context: &mut Context<'_>) {
        for object in changes.iter().filter_map(|c| c.after.as_ref()) {
            let held = has_finalizer(object, CLAIM) || has_finalizer(object, VOLUME);
            if field::is_deleting(object) && held {
                self.leaving.insert(place(object));
            }
        }
        let leaving = std::mem::take(&mut self.leaving);
        self.leaving = leaving.into_iter().filter(|place| !free(context, place)).collect();
    }
}

/// Whether nothing holds it any more, or it is gone.
fn free(context: &mut Context<'_>, (namespace, name): &Place) -> bool {
    let volume = namespace.is_empty();
    let kind = if volume { &PERSISTENT_VOLUME } else { &PERSISTENT_VOLUME_CLAIM };
    let Ok(object) = context.registry.get(kind, namespace, name).map(Arc::clone) else {
        return true;
    };
    let used = match volume {
        true => field::text(&object, "/status/phase") == "Bound",
        false => {
            let mut pods = context.registry.store.in_namespace(POD.storage, namespace);
            pods.any(|pod| !has_ended(pod) && mounts(pod, name))
        }
    };
    if !used && field::is_deleting(&object) {
        release(context, &object, if volume { VOLUME } else { CLAIM });
    }
    !used
}

fn mounts(pod: &Value, claim: &str) -> bool {
    let volumes = field::list(pod, "/spec/volumes");
    volumes.iter().any(|v| field::text(v, "/persistentVolumeClaim/claimName") == claim)
}
