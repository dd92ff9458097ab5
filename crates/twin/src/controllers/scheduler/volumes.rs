//! The claims of a pod: they must be bound before it gets a node, or wait for it.

use serde_json::{Value, json};

use super::filter::{Plugin, Refusal};
use super::room::Room;
use crate::cluster::Context;
use crate::controllers::volumes::{self, SELECTED_NODE};
use crate::field;
use crate::kinds::{PERSISTENT_VOLUME, PERSISTENT_VOLUME_CLAIM};
use crate::registry::Part;
use crate::store::Object;

/// What the claims of a pod ask of a node.
#[derive(Default)]
pub(super) struct Wish {
    /// Claims that get a volume once the pod has a node.
    pub waiting: Vec<Object>,
    /// Node selectors of the volumes that are bound.
    tied: Vec<Value>,
    /// Of each claim that waits for a volume made by hand: selectors of those that would do.
    choices: Vec<Vec<Value>>,
    /// A bound volume does not exist.
    has_lost: bool,
    /// Claims that only one pod may mount.
    single: Vec<String>,
    namespace: String,
}

/// Looks at the claims that a pod mounts; an error makes every node unfit.
pub(super) fn of(context: &Context<'_>, pod: &Value) -> Result<Wish, String> {
    let namespace = field::namespace(pod);
    let mut wish = Wish { namespace: namespace.to_owned(), ..Wish::default() };
    for name in claims(pod) {
        let Ok(claim) = context.registry.get(&PERSISTENT_VOLUME_CLAIM, namespace, &name) else {
            return Err(format!("persistentvolumeclaim \"{name}\" not found"));
        };
        if field::is_deleting(claim) {
            return Err(format!("persistentvolumeclaim \"{name}\" is being deleted"));
        }
        if field::list(claim, "/spec/accessModes").iter().any(|mode| mode == "ReadWriteOncePod") {
            wish.single.push(name);
        }
        if field::text(claim, "/status/phase") == "Bound" {
            let volume = field::text(claim, "/spec/volumeName");
            match context.registry.get(&PERSISTENT_VOLUME, "", volume) {
                Ok(volume) => {
                    wish.tied.extend(volume.pointer("/spec/nodeAffinity/required").cloned())
                }
                Err(_) => wish.has_lost = true,
            }
            continue;
        }
        let store = &context.registry.store;
        let class = volumes::class(store, claim).filter(|class| volumes::waits_for_pod(class));
        let Some(class) = class else {
            return Err("pod has unbound immediate PersistentVolumeClaims".into());
        };
        if volumes::is_manual(class) {
            let fitting = volumes::fitting(store, claim);
            let selector = |volume: &Object| volume["spec"]["nodeAffinity"]["required"].clone();
            wish.choices.push(fitting.into_iter().map(selector).collect());
        }
        wish.waiting.push(claim.clone());
    }
    Ok(wish)
}

/// Names of the claims that a pod mounts.
fn claims(pod: &Value) -> Vec<String> {
    let volumes = field::list(pod, "/spec/volumes").iter();
    volumes
        .filter_map(|volume| {
            let name = field::text(volume, "/name");
            match field::text(volume, "/persistentVolumeClaim/claimName") {
                "" if volume["ephemeral"].is_object() => {
                    Some(format!("{}-{name}", field::name(pod)))
                }
                "" => None,
                claim => Some(claim.to_owned()),
            }
        })
        .collect()
}

impl Wish {
    /// Whether the volumes can be had on a node.
    pub fn check(&self, room: &Room) -> Result<(), Refusal> {
        let refused = |reason: &str, resolvable| {
            Err(Refusal { plugin: Plugin::Volumes, reasons: vec![reason.to_owned()], resolvable })
        };
        let shares = |other: &Object| {
            field::namespace(other) == self.namespace
                && claims(other).iter().any(|claim| self.single.contains(claim))
        };
        if !self.single.is_empty() && room.pods.values().any(shares) {
            let why = "node has pod using PersistentVolumeClaim with the same name and \
                       ReadWriteOncePod access mode";
            return refused(why, true);
        }
        if self.has_lost {
            let why = "node(s) unavailable due to one or more pvc(s) bound to non-existent pv(s)";
            return refused(why, false);
        }
        let reaches = |selector: &Value| super::affinity::selects(selector, &room.node);
        if !self.tied.iter().all(reaches) {
            return refused("node(s) didn't match PersistentVolume's node affinity", false);
        }
        let has = |choices: &Vec<Value>| choices.iter().any(|one| one.is_null() || reaches(one));
        if !self.choices.iter().all(has) {
            return refused("node(s) didn't find available persistent volumes to bind", false);
        }
        Ok(())
    }
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
