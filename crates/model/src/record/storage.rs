//! Claims, volumes and storage classes.

use serde::Deserialize;

use super::meta::common_parts;
use super::pod_spec::TermsWire;
use super::{Known, Meta, NodeTerm, Record};
use crate::{List, Quantity, Resources, Selector, Text};

/// A PersistentVolumeClaim.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Claim {
    /// Metadata.
    pub meta: Meta,
    /// `Pending`, `Bound` or `Lost`; empty when unknown.
    pub phase: Text,
    /// Class it asks for: `None` means the default class, empty means none at all.
    pub class: Option<Text>,
    /// Volume it is bound to, or asks for by name.
    pub volume: Text,
    /// Ways of access it asks for.
    pub access: List<Text>,
    /// Size it asks for.
    pub requested: Option<Quantity>,
    /// `Filesystem` or `Block`; empty means Filesystem.
    pub mode: Text,
    /// Volumes it accepts.
    pub selector: Option<Selector>,
}

/// A PersistentVolume.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct PersistentVolume {
    /// Metadata.
    pub meta: Meta,
    /// `Available`, `Bound`, `Released` or `Failed`; empty when unknown.
    pub phase: Text,
    /// Class.
    pub class: Text,
    /// Claim it belongs to: namespace and name.
    pub claim: Option<(Text, Text)>,
    /// Ways of access it offers.
    pub access: List<Text>,
    /// Size.
    pub capacity: Option<Quantity>,
    /// `Filesystem` or `Block`; empty means Filesystem.
    pub mode: Text,
    /// Nodes it can be used on: one of the terms must hold; empty means any node.
    pub nodes: List<NodeTerm>,
}

/// A StorageClass.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct StorageClass {
    /// Metadata.
    pub meta: Meta,
    /// Who makes the volumes.
    pub provisioner: Text,
    /// Whether binding waits for a pod.
    pub waits_for_consumer: bool,
}

impl StorageClass {
    /// Whether claims without a class get this one.
    pub fn is_default(&self) -> bool {
        let key = "storageclass.kubernetes.io/is-default-class";
        self.meta.annotation(key) == Some("true")
    }

    /// Whether volumes of this class have to be made by hand.
    pub fn is_manual(&self) -> bool {
        self.provisioner.ends_with("no-provisioner")
    }
}

impl Claim {
    /// Takes what is not known of it from another word about the same claim.
    pub(crate) fn complete(&mut self, other: Option<&Claim>) {
        let Some(other) = other else { return };
        if self.access.is_empty() {
            self.access.clone_from(&other.access);
        }
        if self.mode.is_empty() {
            self.mode.clone_from(&other.mode);
        }
        if self.volume.is_empty() {
            self.volume.clone_from(&other.volume);
        }
        self.requested = self.requested.or(other.requested);
        self.selector = self.selector.take().or_else(|| other.selector.clone());
        self.class = self.class.take().or_else(|| other.class.clone());
    }
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Spec {
    storage_class_name: Option<Text>,
    volume_name: Text,
    access_modes: List<Text>,
    resources: Option<Needs>,
    volume_mode: Option<Text>,
    selector: Option<Selector>,
    claim_ref: Option<ClaimRef>,
    capacity: Resources,
    node_affinity: Option<NodeAffinity>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct NodeAffinity {
    required: Option<TermsWire>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Needs {
    requests: Resources,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct ClaimRef {
    namespace: Text,
    name: Text,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Status {
    phase: Text,
}

#[derive(Deserialize)]
struct Wire {
    metadata: Meta,
    spec: Option<Spec>,
    status: Option<Status>,
}

impl<'de> Deserialize<'de> for Claim {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let wire = Wire::deserialize(deserializer)?;
        let spec = wire.spec.unwrap_or_default();
        Ok(Claim {
            meta: wire.metadata,
            phase: wire.status.unwrap_or_default().phase,
            class: spec.storage_class_name,
            volume: spec.volume_name,
            access: spec.access_modes,
            requested: spec.resources.and_then(|r| r.requests.get("storage")),
            mode: spec.volume_mode.unwrap_or_default(),
            selector: spec.selector,
        })
    }
}

impl<'de> Deserialize<'de> for PersistentVolume {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let wire = Wire::deserialize(deserializer)?;
        let spec = wire.spec.unwrap_or_default();
        let nodes = spec.node_affinity.and_then(|a| a.required).unwrap_or_default();
        Ok(PersistentVolume {
            nodes: nodes.node_selector_terms,
            meta: wire.metadata,
            phase: wire.status.unwrap_or_default().phase,
            class: spec.storage_class_name.unwrap_or_default(),
            claim: spec.claim_ref.map(|c| (c.namespace, c.name)),
            access: spec.access_modes,
            capacity: spec.capacity.get("storage"),
            mode: spec.volume_mode.unwrap_or_default(),
        })
    }
}

impl<'de> Deserialize<'de> for StorageClass {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Wire {
            metadata: Meta,
            #[serde(default)]
            provisioner: Text,
            volume_binding_mode: Option<Text>,
        }
        let wire = Wire::deserialize(deserializer)?;
        Ok(StorageClass {
            meta: wire.metadata,
            provisioner: wire.provisioner,
            waits_for_consumer: wire.volume_binding_mode.as_deref() == Some("WaitForFirstConsumer"),
        })
    }
}

impl Record for Claim {
    const SHOWN_BY: &'static [(Known, &'static [&'static str])] = common_parts![
        (Known::SPEC, &["/spec/resources"]),
        (Known::SUMMARY, &["/spec/storageClassName", "/spec/accessModes"]),
        (Known::STATUS, &["/status/phase"]),
        (Known::SELECTOR, &["/spec/selector"]),
        (Known::EVENTS, &["/eventsShown"]),
    ];

    fn meta(&self) -> &Meta {
        &self.meta
    }

    fn meta_mut(&mut self) -> &mut Meta {
        &mut self.meta
    }

    fn take(&mut self, part: Known, other: &Self) {
        match part {
            Known::SPEC => self.requested = other.requested.or(self.requested),
            Known::SUMMARY => {
                self.class = other.class.clone().or(self.class.take());
                if !other.access.is_empty() {
                    self.access.clone_from(&other.access);
                }
                if !other.mode.is_empty() {
                    self.mode.clone_from(&other.mode);
                }
            }
            Known::STATUS => {
                self.phase.clone_from(&other.phase);
                self.volume.clone_from(&other.volume);
            }
            Known::SELECTOR => self.selector.clone_from(&other.selector),
            _ => {}
        }
    }
}

impl Record for PersistentVolume {
    const SHOWN_BY: &'static [(Known, &'static [&'static str])] = common_parts![
        (Known::SPEC, &["/spec/capacity", "/spec/accessModes"]),
        (Known::STATUS, &["/status/phase"]),
    ];

    fn meta(&self) -> &Meta {
        &self.meta
    }

    fn meta_mut(&mut self) -> &mut Meta {
        &mut self.meta
    }

    fn take(&mut self, part: Known, other: &Self) {
        match part {
            Known::SPEC => {
                self.capacity = other.capacity.or(self.capacity);
                self.class.clone_from(&other.class);
                self.access.clone_from(&other.access);
                self.claim = other.claim.clone().or(self.claim.take());
                if !other.nodes.is_empty() {
                    self.nodes.clone_from(&other.nodes);
                }
                if !other.mode.is_empty() {
                    self.mode.clone_from(&other.mode);
                }
            }
            Known::STATUS => self.phase.clone_from(&other.phase),
            _ => {}
        }
    }
}

impl Record for StorageClass {
    const SHOWN_BY: &'static [(Known, &'static [&'static str])] =
        common_parts![(Known::SPEC, &["/provisioner"]),];

    fn meta(&self) -> &Meta {
        &self.meta
    }

    fn meta_mut(&mut self) -> &mut Meta {
        &mut self.meta
    }

    fn take(&mut self, part: Known, other: &Self) {
        if part == Known::SPEC {
            self.provisioner.clone_from(&other.provisioner);
            self.waits_for_consumer = other.waits_for_consumer;
            self.meta.take_extra(&other.meta);
        }
    }
}
