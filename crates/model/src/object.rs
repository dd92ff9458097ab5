//! Decoding: from the wire to records.

use serde::Deserialize;
use serde_json::Value;

use crate::record::{
    AccessBinding, AccessRole, Availability, Backends, Budget, CertificateState, Claim,
    ClusterEvent, EverySpec, Ingress, Known, Lease, LimitRange, Meta, Named, NetworkPolicy, Node,
    PersistentVolume, Pod, Quota, Record, Scaler, Service, SpecReader, StorageClass, Webhooks,
    Workload,
};
use crate::{Kind, ObjectRef};

/// Any object of the cluster.
#[derive(Clone, Debug, PartialEq)]
pub enum Object {
    /// A pod.
    Pod(Pod),
    /// A node.
    Node(Node),
    /// Whatever makes pods.
    Workload(Workload),
    /// A Service.
    Service(Service),
    /// Endpoints or an EndpointSlice.
    Backends(Backends),
    /// An Ingress.
    Ingress(Ingress),
    /// A network policy.
    Policy(NetworkPolicy),
    /// An autoscaler.
    Scaler(Scaler),
    /// A disruption budget.
    Budget(Budget),
    /// A claim.
    Claim(Claim),
    /// A volume.
    Volume(PersistentVolume),
    /// A storage class.
    StorageClass(StorageClass),
    /// A quota.
    Quota(Quota),
    /// A limit range.
    LimitRange(LimitRange),
    /// A Role or ClusterRole.
    Role(AccessRole),
    /// A RoleBinding or ClusterRoleBinding.
    Binding(AccessBinding),
    /// A certificate or a request for one.
    Certificate(CertificateState),
    /// An event.
    Event(ClusterEvent),
    /// A Lease.
    Lease(Lease),
    /// An APIService or ComponentStatus.
    Availability(Availability),
    /// A configuration of admission webhooks.
    Webhooks(Webhooks),
    /// An object of which mostly the name matters.
    Named(Named),
}

/// An object that is not shaped as the API shapes it.
#[derive(Debug, thiserror::Error)]
#[error("{kind} {name}: {why}")]
pub struct DecodeError {
    /// Kind of the object.
    pub kind: &'static str,
    /// `namespace/name` as far as it could be read.
    pub name: String,
    /// Field and reason.
    pub why: String,
}

/// Decodes an object of this kind from any format. A live object is taken as completely known,
/// one without status as a manifest.
///
/// # Errors
/// Those of the format, and of objects that are not shaped as the API shapes them.
pub fn decode<'de, D: serde::Deserializer<'de>>(kind: Kind, d: D) -> Result<Object, D::Error> {
    decode_with(kind, d, &EverySpec)
}

/// As [`decode`]; pod specs are read by `specs`.
///
/// # Errors
/// Those of the format, and of objects that are not shaped as the API shapes them.
pub fn decode_with<'de, D, S>(kind: Kind, d: D, specs: &S) -> Result<Object, D::Error>
where
    D: serde::Deserializer<'de>,
    S: SpecReader<'de>,
{
    let mut object = read(kind, d, specs)?;
    if let Some(meta) = object.meta_mut() {
        let live = meta.created.is_some();
        meta.known = if live { Known::ALL.without(Known::SUMMARY) } else { MANIFEST };
        meta.live = if live { meta.known } else { Known::default() };
    }
    Ok(object)
}

/// What a manifest, as a user writes it, says.
const MANIFEST: Known = {
    let mut known = Known::LABELS;
    let parts = [Known::SPEC, Known::PLACEMENT, Known::SELECTOR, Known::REPLICAS, Known::SUMMARY];
    let mut i = 0;
    while i < parts.len() {
        known = known.with(parts[i]);
        i += 1;
    }
    known
};

/// Decodes an object from a value; `text` says that it was read from a form for people, where
/// a key that is not there is unknown instead of empty.
///
/// # Errors
/// When it is not shaped as the API shapes it.
pub fn decode_value(kind: Kind, value: &Value, text: bool) -> Result<Object, DecodeError> {
    let bad = |why: serde_json::Error| DecodeError {
        kind: kind.name(),
        name: name_of(value),
        why: why.to_string(),
    };
    if !text {
        return decode(kind, value).map_err(bad);
    }
    let mut object = read(kind, value, &EverySpec).map_err(bad)?;
    let known = object.shown_in(value);
    if let Some(meta) = object.meta_mut() {
        (meta.known, meta.live) = (known, known);
    }
    Ok(object)
}

fn name_of(value: &Value) -> String {
    let part = |p: &str| value.pointer(p).and_then(Value::as_str).unwrap_or_default();
    format!("{}/{}", part("/metadata/namespace"), part("/metadata/name"))
}

fn read<'de, D, S>(kind: Kind, d: D, specs: &S) -> Result<Object, D::Error>
where
    D: serde::Deserializer<'de>,
    S: SpecReader<'de>,
{
    Ok(match kind {
        Kind::Pod => Object::Pod(Pod::read(d, specs)?),
        Kind::Node => Object::Node(Node::deserialize(d)?),
        Kind::Deployment
        | Kind::ReplicaSet
        | Kind::StatefulSet
        | Kind::DaemonSet
        | Kind::Job
        | Kind::CronJob
        | Kind::ReplicationController => Object::Workload(Workload::read(kind, d, specs)?),
        Kind::Service => Object::Service(Service::deserialize(d)?),
        Kind::Endpoints => Object::Backends(Backends::deserialize(d)?),
        Kind::EndpointSlice => {
            let mut slice = Backends::deserialize(d)?;
            slice.is_slice = true;
            Object::Backends(slice)
        }
        Kind::Ingress => Object::Ingress(Ingress::deserialize(d)?),
        Kind::NetworkPolicy => Object::Policy(NetworkPolicy::deserialize(d)?),
        Kind::HorizontalPodAutoscaler => Object::Scaler(Scaler::deserialize(d)?),
        Kind::PodDisruptionBudget => Object::Budget(Budget::deserialize(d)?),
        Kind::PersistentVolumeClaim => Object::Claim(Claim::deserialize(d)?),
        Kind::PersistentVolume => Object::Volume(PersistentVolume::deserialize(d)?),
        Kind::StorageClass => Object::StorageClass(StorageClass::deserialize(d)?),
        Kind::ResourceQuota => Object::Quota(Quota::deserialize(d)?),
        Kind::LimitRange => Object::LimitRange(LimitRange::deserialize(d)?),
        Kind::Role | Kind::ClusterRole => Object::Role(AccessRole::read(kind, d)?),
        Kind::RoleBinding | Kind::ClusterRoleBinding => {
            Object::Binding(AccessBinding::read(kind, d)?)
        }
        Kind::Certificate | Kind::CertificateSigningRequest => {
            Object::Certificate(CertificateState::read(kind, d)?)
        }
        Kind::Event => Object::Event(ClusterEvent::deserialize(d)?),
        Kind::Lease => Object::Lease(Lease::deserialize(d)?),
        Kind::APIService | Kind::ComponentStatus => {
            Object::Availability(Availability::read(kind, d)?)
        }
        Kind::MutatingWebhookConfiguration | Kind::ValidatingWebhookConfiguration => {
            Object::Webhooks(Webhooks::read(kind, d)?)
        }
        other => Object::Named(Named::read(other, d)?),
    })
}

/// Applies an expression to the record inside, whichever it is; an event has none.
macro_rules! with_record {
    ($object:expr, $record:ident => $body:expr, $event:expr) => {
        match $object {
            Object::Pod($record) => $body,
            Object::Node($record) => $body,
            Object::Workload($record) => $body,
            Object::Service($record) => $body,
            Object::Backends($record) => $body,
            Object::Ingress($record) => $body,
            Object::Policy($record) => $body,
            Object::Scaler($record) => $body,
            Object::Budget($record) => $body,
            Object::Claim($record) => $body,
            Object::Volume($record) => $body,
            Object::StorageClass($record) => $body,
            Object::Quota($record) => $body,
            Object::LimitRange($record) => $body,
            Object::Role($record) => $body,
            Object::Binding($record) => $body,
            Object::Certificate($record) => $body,
            Object::Lease($record) => $body,
            Object::Availability($record) => $body,
            Object::Webhooks($record) => $body,
            Object::Named($record) => $body,
            Object::Event(_) => $event,
        }
    };
}

fn shown<R: Record>(_: &R, value: &Value) -> Known {
    let mut known = Known::default();
    for (part, pointers) in R::SHOWN_BY {
        if pointers.iter().any(|p| value.pointer(p).is_some()) {
            known.add(*part);
        }
    }
    // Labels that a node's roles tell are some of its labels, not all.
    if value.pointer("/metadata/labelsPartial").is_some() {
        known = known.without(Known::LABELS);
    }
    known
}

impl Object {
    /// Metadata, unless it is an event.
    pub fn meta(&self) -> Option<&Meta> {
        with_record!(self, r => Some(r.meta()), None)
    }

    /// Metadata to change, unless it is an event.
    pub fn meta_mut(&mut self) -> Option<&mut Meta> {
        with_record!(self, r => Some(r.meta_mut()), None)
    }

    fn shown_in(&self, value: &Value) -> Known {
        with_record!(self, r => shown(r, value), Known::default())
    }

    /// Its kind.
    pub fn kind(&self) -> Kind {
        match self {
            Object::Pod(_) => Kind::Pod,
            Object::Node(_) => Kind::Node,
            Object::Workload(w) => w.kind,
            Object::Service(_) => Kind::Service,
            Object::Backends(b) if b.is_slice => Kind::EndpointSlice,
            Object::Backends(_) => Kind::Endpoints,
            Object::Ingress(_) => Kind::Ingress,
            Object::Policy(_) => Kind::NetworkPolicy,
            Object::Scaler(_) => Kind::HorizontalPodAutoscaler,
            Object::Budget(_) => Kind::PodDisruptionBudget,
            Object::Claim(_) => Kind::PersistentVolumeClaim,
            Object::Volume(_) => Kind::PersistentVolume,
            Object::StorageClass(_) => Kind::StorageClass,
            Object::Quota(_) => Kind::ResourceQuota,
            Object::LimitRange(_) => Kind::LimitRange,
            Object::Role(r) => r.kind,
            Object::Binding(b) => b.kind,
            Object::Certificate(c) => c.kind,
            Object::Event(_) => Kind::Event,
            Object::Lease(_) => Kind::Lease,
            Object::Availability(a) => a.kind,
            Object::Webhooks(w) => w.kind,
            Object::Named(n) => n.kind,
        }
    }

    /// Its name, unless it is an event.
    pub fn object(&self) -> Option<ObjectRef> {
        self.meta().map(|m| m.object(self.kind()))
    }
}
