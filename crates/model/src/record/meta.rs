//! What every object has, and how much of an object is known.

use std::sync::Arc;

use serde::Deserialize;
use serde::de::{IgnoredAny, MapAccess, Visitor};

use crate::{Kind, Labels, List, ObjectRef, Text, Timestamp};

/// Parts of a record. A table shows less of an object than the API's JSON; a rule that
/// concludes from an absence must first ask whether the part was shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Known(u16);

impl Known {
    /// Labels.
    pub const LABELS: Known = Known(1);
    /// The controlling owner.
    pub const OWNER: Known = Known(1 << 1);
    /// The main part of the spec.
    pub const SPEC: Known = Known(1 << 2);
    /// Parts of a pod spec that `describe` does not print: affinity, spread, pull secrets, how
    /// names are looked up, hooks.
    pub const PLACEMENT: Known = Known(1 << 3);
    /// The selector.
    pub const SELECTOR: Known = Known(1 << 4);
    /// Desired replicas.
    pub const REPLICAS: Known = Known(1 << 5);
    /// The main part of the status.
    pub const STATUS: Known = Known(1 << 6);
    /// Conditions.
    pub const CONDITIONS: Known = Known(1 << 7);
    /// The one-word status of a table.
    pub const SUMMARY: Known = Known(1 << 8);
    /// The node a pod is on, or taints and cordon of a node.
    pub const PLACE: Known = Known(1 << 9);
    /// The events about the object were printed with it.
    pub const EVENTS: Known = Known(1 << 10);
    /// Creation time or age.
    pub const AGE: Known = Known(1 << 11);
    /// Everything.
    pub const ALL: Known = Known(u16::MAX);

    /// Whether all of `part` is known.
    pub fn has(self, part: Known) -> bool {
        self.0 & part.0 == part.0
    }

    /// Adds a part.
    pub fn add(&mut self, part: Known) {
        self.0 |= part.0;
    }

    /// With a part more.
    #[must_use]
    pub const fn with(self, part: Known) -> Known {
        Known(self.0 | part.0)
    }

    /// Without a part.
    #[must_use]
    pub fn without(self, part: Known) -> Known {
        Known(self.0 & !part.0)
    }
}

/// The controlling owner.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Deserialize)]
#[serde(default)]
pub struct Owner {
    /// Kind as written.
    pub kind: Text,
    /// Name.
    pub name: Text,
    #[serde(deserialize_with = "truth")]
    controller: bool,
}

fn truth<'de, D: serde::Deserializer<'de>>(d: D) -> Result<bool, D::Error> {
    Ok(Option::<bool>::deserialize(d)?.unwrap_or_default())
}

/// Metadata of an object.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Meta {
    /// Namespace, or empty.
    pub namespace: Text,
    /// Name.
    pub name: Text,
    /// Labels.
    pub labels: Arc<Labels>,
    /// The controlling owner.
    pub owner: Option<Arc<Owner>>,
    /// Creation.
    pub created: Option<Timestamp>,
    /// Since when it is marked for deletion; 1970 when only the fact is known.
    pub deleting: Option<Timestamp>,
    /// Age in seconds, where the input gives that instead of a time.
    pub age_seconds: Option<u32>,
    extra: Option<Box<Extra>>,
    /// Which document of the input it was read from.
    pub source: u16,
    /// Parts that are known from any source.
    pub known: Known,
    /// Parts that are known from the cluster itself, not only from a manifest.
    pub live: Known,
}

/// What few objects have.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
struct Extra {
    annotations: Labels,
    finalizers: List<Text>,
    by_hand: Option<ByHand>,
}

/// A change of an object's spec by a tool that people use by hand. The tool names itself; it
/// says how, never who.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ByHand {
    /// The field manager, e.g. `kubectl-edit`.
    pub manager: Text,
    /// When.
    pub at: Timestamp,
}

/// How field managers begin that are tools in people's hands.
const HANDS: [&str; 7] = ["kubectl", "k9s", "lens", "node-fetch", "Mozilla", "headlamp", "octant"];

/// Annotations kept; all others are dropped while reading.
const ANNOTATIONS: [&str; 27] = [
    "argocd.argoproj.io/tracking-id",
    "auth.openshift.io/certificate-not-after",
    "autoscaling.alpha.kubernetes.io/behavior",
    "autoscaling.alpha.kubernetes.io/conditions",
    "autoscaling.alpha.kubernetes.io/current-metrics",
    "autoscaling.alpha.kubernetes.io/metrics",
    "cert-manager.io/cluster-issuer",
    "cert-manager.io/issuer",
    "deployment.kubernetes.io/revision",
    "ingressclass.kubernetes.io/is-default-class",
    "kubernetes.io/config.mirror",
    "kubernetes.io/elb.id",
    "kubernetes.io/ingress.class",
    "kubernetes.io/service-account.name",
    "loadbalancer.openstack.org/load-balancer-id",
    "meta.helm.sh/release-name",
    "metallb.io/allow-shared-ip",
    "metallb.universe.tf/allow-shared-ip",
    "nginx.ingress.kubernetes.io/canary",
    "seaworthy.dev/known-by",
    "seaworthy.dev/lessons",
    "service.beta.kubernetes.io/alibaba-cloud-loadbalancer-id",
    "service.beta.kubernetes.io/alicloud-loadbalancer-id",
    "service.beta.openshift.io/expiry",
    "service.kubernetes.io/tke-existed-lbid",
    "storageclass.kubernetes.io/is-default-class",
    "volume.kubernetes.io/storage-provisioner",
];

impl Meta {
    /// An annotation, if it is one that is kept.
    pub fn annotation(&self, key: &str) -> Option<&str> {
        self.extra.as_ref().and_then(|e| e.annotations.get(key))
    }

    /// Finalizers.
    pub fn finalizers(&self) -> &[Text] {
        self.extra.as_ref().map_or(&[], |e| &e.finalizers)
    }

    /// The last change of its spec that was made with a tool people use by hand.
    pub fn changed_by_hand(&self) -> Option<&ByHand> {
        self.extra.as_ref().and_then(|e| e.by_hand.as_ref())
    }

    /// Takes over annotations and finalizers, where the other has some.
    pub(crate) fn take_extra(&mut self, other: &Meta) {
        if other.extra.is_some() {
            self.extra.clone_from(&other.extra);
        }
    }

    /// The object's full name.
    pub fn object(&self, kind: Kind) -> ObjectRef {
        ObjectRef::new(kind, &self.namespace, &self.name)
    }

    /// Whether a part is known from the cluster itself.
    pub fn shows(&self, part: Known) -> bool {
        self.live.has(part)
    }
}

impl<'de> Deserialize<'de> for Meta {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize, Default)]
        #[serde(default, rename_all = "camelCase")]
        struct Wire {
            name: Text,
            namespace: Option<Text>,
            labels: Labels,
            owner_references: List<Owner>,
            creation_timestamp: Option<Timestamp>,
            deletion_timestamp: Option<Timestamp>,
            deleting_seconds: Option<u32>,
            age_seconds: Option<u32>,
            annotations: Kept,
            finalizers: List<Text>,
            managed_fields: List<ManagedWire>,
        }
        #[derive(Deserialize, Default)]
        #[serde(default)]
        struct ManagedWire {
            manager: Text,
            time: Option<Timestamp>,
            subresource: Text,
        }
        let w = Wire::deserialize(deserializer)?;
        let owner = w.owner_references.iter().find(|o| o.controller);
        let owner = owner.or(w.owner_references.first());
        let hand = |m: &ManagedWire| {
            let own = m.subresource.is_empty() || m.subresource == "scale";
            let tool = HANDS.iter().any(|h| m.manager.starts_with(h));
            let at = m.time.filter(|_| own && tool)?;
            Some(ByHand { manager: m.manager.clone(), at })
        };
        let by_hand = w.managed_fields.iter().filter_map(hand).max_by_key(|h| h.at);
        let usual = w.annotations.0.is_empty() && w.finalizers.is_empty() && by_hand.is_none();
        Ok(Meta {
            namespace: w.namespace.unwrap_or_default(),
            name: w.name,
            labels: Arc::new(w.labels),
            owner: owner.cloned().map(Arc::new),
            created: w.creation_timestamp,
            deleting: w
                .deletion_timestamp
                .or(w.deleting_seconds.map(|_| Timestamp::from_seconds(0))),
            age_seconds: w.age_seconds,
            extra: (!usual).then(|| {
                let (annotations, finalizers) = (w.annotations.0, w.finalizers);
                Box::new(Extra { annotations, finalizers, by_hand })
            }),
            source: 0,
            known: Known::default(),
            live: Known::default(),
        })
    }
}

/// The annotations that are kept.
#[derive(Default)]
struct Kept(Labels);

impl<'de> Deserialize<'de> for Kept {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Pairs;
        impl<'de> Visitor<'de> for Pairs {
            type Value = Kept;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a map of strings")
            }
            fn visit_unit<E>(self) -> Result<Kept, E> {
                Ok(Kept::default())
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Kept, A::Error> {
                let mut kept = Vec::new();
                while let Some(KeptKey(key)) = map.next_key()? {
                    match key {
                        Some(key) => kept.push((key, map.next_value::<Text>()?)),
                        None => drop(map.next_value::<IgnoredAny>()?),
                    }
                }
                Ok(Kept(kept.into_iter().collect()))
            }
        }
        deserializer.deserialize_any(Pairs)
    }
}

/// The name of an annotation that is kept, or nothing: most are not, and copied by nobody.
struct KeptKey(Option<&'static str>);

impl<'de> Deserialize<'de> for KeptKey {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Name;
        impl Visitor<'_> for Name {
            type Value = KeptKey;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("the name of an annotation")
            }
            fn visit_str<E>(self, name: &str) -> Result<KeptKey, E> {
                Ok(KeptKey(ANNOTATIONS.into_iter().find(|kept| *kept == name)))
            }
        }
        deserializer.deserialize_str(Name)
    }
}

/// A record that can be completed from several sources.
pub trait Record: Sized {
    /// Each part with the fields (JSON pointers) that show it was printed in a text form.
    const SHOWN_BY: &'static [(Known, &'static [&'static str])];

    /// Its metadata.
    fn meta(&self) -> &Meta;

    /// Its metadata, to change.
    fn meta_mut(&mut self) -> &mut Meta;

    /// Copies one part of `other`.
    fn take(&mut self, part: Known, other: &Self);

    /// Completes `self` with what `other`, read later, knows. What the cluster says wins over
    /// what a manifest says, and the later word over the earlier one.
    fn absorb(&mut self, other: &Self) {
        for (part, _) in Self::SHOWN_BY {
            let theirs = other.meta().known.has(*part);
            let wins = other.meta().live.has(*part) || !self.meta().live.has(*part);
            if !(theirs && wins) {
                continue;
            }
            match *part {
                Known::LABELS => {
                    self.meta_mut().labels = Arc::clone(&other.meta().labels);
                    self.meta_mut().take_extra(other.meta());
                }
                Known::OWNER => self.meta_mut().owner = other.meta().owner.clone(),
                Known::AGE => {
                    let (created, age) = (other.meta().created, other.meta().age_seconds);
                    let meta = self.meta_mut();
                    (meta.created, meta.age_seconds) = (created.or(meta.created), age);
                    meta.deleting = other.meta().deleting.or(meta.deleting);
                }
                part => self.take(part, other),
            }
        }
        // `describe` prints that a pod is being deleted, and no age.
        let deleting = other.meta().deleting;
        let meta = self.meta_mut();
        meta.deleting = meta.deleting.filter(|t| t.seconds() > 0).or(deleting).or(meta.deleting);
        let (known, live) = (other.meta().known, other.meta().live);
        self.meta_mut().known.add(known);
        self.meta_mut().live.add(live);
    }
}

/// The parts that are the same for all kinds.
macro_rules! common_parts {
    ($($more:tt)*) => {
        &[
            (Known::LABELS, &["/metadata/labels"]),
            (Known::OWNER, &["/metadata/ownerReferences"]),
            (Known::AGE, &["/metadata/creationTimestamp", "/metadata/ageSeconds"]),
            $($more)*
        ]
    };
}
pub(crate) use common_parts;
