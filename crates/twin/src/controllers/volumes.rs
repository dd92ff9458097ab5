//! Persistent volumes: claims are bound to the smallest volume that fits, or get one made.
//!
//! Assumption: the provisioner that a class names runs, and makes a volume within seconds.

use std::collections::BTreeMap;
use std::sync::Arc;

use model::{Quantity, Timestamp};
use serde_json::{Value, json};

use super::expression::selects;
use super::{Place, place};
use crate::cluster::{Actor, Context};
use crate::field;
use crate::kernel::{SECOND, plus};
use crate::kinds::{PERSISTENT_VOLUME, PERSISTENT_VOLUME_CLAIM, STORAGE_CLASS};
use crate::registry::{DeleteOptions, Note, Part, Source};
use crate::store::{Change, Object, Store};

const COMPONENT: &str = "persistentvolume-controller";
pub(super) const SELECTED_NODE: &str = "volume.kubernetes.io/selected-node";
/// Claims that wait are looked at this often.
const PERIOD: i64 = 15 * SECOND;

/// The controller, and the provisioners of all classes.
#[derive(Debug, Default)]
pub(super) struct Volumes {
    /// When a volume for a claim will have been made.
    making: BTreeMap<Place, Timestamp>,
    look_at: Option<Timestamp>,
}

impl Actor for Volumes {
    fn name(&self) -> &str {
        COMPONENT
    }

    fn reads(&self, change: &Change) -> bool {
        [PERSISTENT_VOLUME.storage, PERSISTENT_VOLUME_CLAIM.storage, STORAGE_CLASS.storage]
            .contains(&change.key.resource)
    }

    fn step(&mut self, changes: &[Arc<Change>], context: &mut Context<'_>) {
        let now = context.now();
        for change in changes.iter().filter(|c| c.after.is_none()) {
            if let Some(claim) =
                change.before.as_ref().filter(|o| o["kind"] == "PersistentVolumeClaim")
            {
                release(context, claim);
            }
        }
        // Of a claim's own changes only its creation and a chosen node matter.
        let fresh = |claim: &Object| {
            let mut own = changes.iter().filter(|c| c.after.as_ref() == Some(claim));
            own.any(|c| c.before.as_ref().is_none_or(|b| b["metadata"] != claim["metadata"]))
        };
        let others = changes.iter().any(|c| c.key.resource != PERSISTENT_VOLUME_CLAIM.storage);
        let all = others || self.look_at.is_some_and(|at| at <= now);
        let store = &context.registry.store;
        let waiting: Vec<Object> = store
            .table(PERSISTENT_VOLUME_CLAIM.storage)
            .values()
            .filter(|claim| field::text(claim, "/status/phase") == "Pending")
            .filter(|claim| !field::is_deleting(claim))
            .cloned()
            .collect();
        for claim in &waiting {
            let made = self.making.get(&place(claim)).is_some_and(|at| *at <= now);
            if all || made || fresh(claim) {
                self.sync(context, claim);
            }
        }
        if all || self.look_at.is_none() {
            self.look_at = (!waiting.is_empty()).then(|| plus(now, PERIOD));
        }
        if let Some(next) = self.making.values().copied().chain(self.look_at).min() {
            context.wake(next);
        }
    }
}

impl Volumes {
    fn sync(&mut self, context: &mut Context<'_>, claim: &Object) {
        if let Some(volume) = best(&context.registry.store, claim).map(Arc::clone) {
            return bind(context, claim, &volume);
        }
        if !field::text(claim, "/spec/volumeName").is_empty() {
            return named(context, claim);
        }
        let name = field::text(claim, "/spec/storageClassName");
        let told = match class(&context.registry.store, claim).map(Arc::clone) {
            None if name.is_empty() => Note::normal(
                "FailedBinding",
                "no persistent volumes available for this claim and no storage class is set",
            ),
            None => Note::warning(
                "ProvisioningFailed",
                format!("storageclass.storage.k8s.io \"{name}\" not found"),
            ),
            Some(class) if waits_for_pod(&class) && selected_node(claim).is_empty() => {
                Note::normal(
                    "WaitForFirstConsumer",
                    "waiting for first consumer to be created before binding",
                )
            }
            Some(class) if is_manual(&class) => Note::warning(
                "ProvisioningFailed",
                format!("no volume plugin matched name: {}", provisioner(&class)),
            ),
            Some(class) => return self.provision(context, claim, &class),
        };
        context.tell(COMPONENT, claim, &told);
    }

    /// The class makes a volume; it is bound when it is there.
    fn provision(&mut self, context: &mut Context<'_>, claim: &Object, class: &Object) {
        let now = context.now();
        let by = provisioner(class);
        let component = format!("{by}_controller");
        let source = Source { component: &component, host: "" };
        match self.making.get(&place(claim)).copied() {
            None => {
                let text = format!(
                    "Waiting for a volume to be created either by the external provisioner \
                     '{by}' or manually by the system administrator. If volume creation is \
                     delayed, please verify that the provisioner is running and correctly \
                     registered."
                );
                context.tell(COMPONENT, claim, &Note::normal("ExternalProvisioning", text));
                let (namespace, name) = place(claim);
                let text = format!(
                    "External provisioner is provisioning volume for claim \"{namespace}/{name}\""
                );
                context.registry.tell(source, claim, &Note::normal("Provisioning", text));
                let ready = context.soon(2 * SECOND, 4 * SECOND);
                self.making.insert(place(claim), ready);
            }
            Some(at) if at <= now => {
                self.making.remove(&place(claim));
                let volume = volume_for(claim, class);
                let text = format!("Successfully provisioned volume {}", field::name(&volume));
                if context.registry.create(&PERSISTENT_VOLUME, "", volume).is_ok() {
                    context.registry.tell(
                        source,
                        claim,
                        &Note::normal("ProvisioningSucceeded", text),
                    );
                }
            }
            Some(_) => {}
        }
    }
}

/// The claim names a volume that is not for it.
fn named(context: &mut Context<'_>, claim: &Object) {
    let name = field::text(claim, "/spec/volumeName");
    let Ok(volume) = context.registry.get(&PERSISTENT_VOLUME, "", name) else { return };
    let note = if is_free(volume, claim) {
        let why = unfit(volume, claim).unwrap_or("the volume does not fit");
        let text = format!("Cannot bind to requested volume \"{name}\": {why}");
        Note::warning("VolumeMismatch", text)
    } else {
        let text = format!("volume \"{name}\" already bound to a different claim.");
        Note::warning("FailedBinding", text)
    };
    context.tell(COMPONENT, claim, &note);
}

fn selected_node(claim: &Value) -> &str {
    let annotations = field::map(claim, "/metadata/annotations");
    annotations.and_then(|a| a.get(SELECTED_NODE)).and_then(Value::as_str).unwrap_or_default()
}

fn provisioner(class: &Value) -> &str {
    field::text(class, "/provisioner")
}

/// The class of a claim, if it exists.
pub(super) fn class<'s>(store: &'s Store, claim: &Value) -> Option<&'s Object> {
    let name = field::text(claim, "/spec/storageClassName");
    store.get(STORAGE_CLASS.storage, "", name)
}

/// Whether volumes of a class are made only for pods that were given a node.
pub(super) fn waits_for_pod(class: &Value) -> bool {
    field::text(class, "/volumeBindingMode") == "WaitForFirstConsumer"
}

/// Whether volumes of a class are made by hand.
pub(super) fn is_manual(class: &Value) -> bool {
    provisioner(class) == "kubernetes.io/no-provisioner"
}

/// All volumes that fit a claim.
pub(super) fn fitting<'s>(store: &'s Store, claim: &Value) -> Vec<&'s Object> {
    let named = field::text(claim, "/spec/volumeName");
    let volumes = store.table(PERSISTENT_VOLUME.storage).values();
    let fits = |volume: &&Object| {
        let asked = named.is_empty() || named == field::name(volume);
        asked && is_free(volume, claim) && unfit(volume, claim).is_none()
    };
    volumes.filter(fits).collect()
}

/// The smallest volume that fits a claim; a class that waits for pods waits here too.
pub(super) fn best<'s>(store: &'s Store, claim: &Value) -> Option<&'s Object> {
    let fitting = fitting(store, claim).into_iter();
    fitting.min_by_key(|volume| (!is_kept(volume), size(volume), field::name(volume).to_owned()))
}

fn size(volume: &Value) -> Quantity {
    field::quantity(volume, "/spec/capacity/storage")
}

/// Whether a volume was made or set aside for a claim.
fn is_kept(volume: &Value) -> bool {
    !field::text(volume, "/spec/claimRef/name").is_empty()
}

fn is_free(volume: &Value, claim: &Value) -> bool {
    let of = |pointer| field::text(volume, pointer);
    let (namespace, name) = place(claim);
    let uid = of("/spec/claimRef/uid");
    let ours = of("/spec/claimRef/name") == name
        && of("/spec/claimRef/namespace") == namespace
        && (uid.is_empty() || uid == field::uid(claim));
    !is_kept(volume) || ours
}

/// Why a volume does not do for a claim, in the words of the controller.
fn unfit(volume: &Value, claim: &Value) -> Option<&'static str> {
    let same = |pointer| field::text(volume, pointer) == field::text(claim, pointer);
    let modes = field::list(volume, "/spec/accessModes");
    let lacks = |mode: &Value| !modes.contains(mode);
    if size(volume) < field::quantity(claim, "/spec/resources/requests/storage") {
        Some("requested PV is too small")
    } else if !same("/spec/storageClassName") {
        Some("storageClassName does not match")
    } else if !same("/spec/volumeMode") {
        Some("incompatible volumeMode")
    } else if field::list(claim, "/spec/accessModes").iter().any(lacks) {
        Some("incompatible accessMode")
    } else if !selects(&claim["spec"]["selector"], volume) {
        Some("selector does not match")
    } else {
        None
    }
}

fn bind(context: &mut Context<'_>, claim: &Object, volume: &Object) {
    let reference = json!({
        "apiVersion": "v1", "kind": "PersistentVolumeClaim", "name": field::name(claim),
        "namespace": field::namespace(claim), "uid": field::uid(claim),
    });
    let registry = &mut *context.registry;
    let written = registry
        .modify(&PERSISTENT_VOLUME, volume, Part::Spec, |volume| {
            volume["spec"]["claimRef"] = reference;
        })
        .and_then(|_| {
            registry.modify(&PERSISTENT_VOLUME, volume, Part::Status, |volume| {
                field::child(volume, "status").insert("phase".into(), "Bound".into());
            })
        })
        .and_then(|_| {
            registry.modify(&PERSISTENT_VOLUME_CLAIM, claim, Part::Spec, |claim| {
                let annotations = field::child(claim, "metadata").entry("annotations");
                annotations.or_insert(json!({}))["pv.kubernetes.io/bind-completed"] = "yes".into();
                field::child(claim, "spec").insert("volumeName".into(), field::name(volume).into());
            })
        })
        .and_then(|_| {
            registry.modify(&PERSISTENT_VOLUME_CLAIM, claim, Part::Status, |claim| {
                let status = field::child(claim, "status");
                status.insert("phase".into(), "Bound".into());
                status.insert("accessModes".into(), volume["spec"]["accessModes"].clone());
                status.insert("capacity".into(), volume["spec"]["capacity"].clone());
            })
        });
    // One of the two may have gone: the next look begins anew.
    drop(written);
}

/// The claim of a volume is gone: the volume goes too, or keeps its data for somebody.
fn release(context: &mut Context<'_>, claim: &Value) {
    let uid = field::uid(claim);
    let volumes = context.registry.store.table(PERSISTENT_VOLUME.storage).values();
    let held = volumes.filter(|volume| field::text(volume, "/spec/claimRef/uid") == uid);
    let held: Vec<Object> = held.cloned().collect();
    for volume in held {
        let name = field::name(&volume);
        if field::text(&volume, "/spec/persistentVolumeReclaimPolicy") == "Delete" {
            let options = DeleteOptions::default();
            drop(context.registry.delete(&PERSISTENT_VOLUME, "", name, &options));
            continue;
        }
        let freed = context.registry.modify(&PERSISTENT_VOLUME, &volume, Part::Status, |volume| {
            field::child(volume, "status").insert("phase".into(), "Released".into());
        });
        drop(freed);
    }
}

/// The volume that a class makes for a claim.
fn volume_for(claim: &Value, class: &Value) -> Value {
    let (namespace, name) = place(claim);
    let mut policy = field::text(class, "/reclaimPolicy");
    if policy.is_empty() {
        policy = "Delete";
    }
    json!({
        "metadata": {
            "name": format!("pvc-{}", field::uid(claim)),
            "annotations": {"pv.kubernetes.io/provisioned-by": provisioner(class)},
        },
        "spec": {
            "capacity": {"storage": claim["spec"]["resources"]["requests"]["storage"]},
            "accessModes": claim["spec"]["accessModes"],
            "volumeMode": claim["spec"]["volumeMode"],
            "persistentVolumeReclaimPolicy": policy,
            "storageClassName": field::name(class),
            "claimRef": {
                "apiVersion": "v1", "kind": "PersistentVolumeClaim", "name": name,
                "namespace": namespace, "uid": field::uid(claim),
            },
            "csi": {
                "driver": provisioner(class),
                "volumeHandle": format!("disk-{}", field::uid(claim)),
            },
        },
    })
}
