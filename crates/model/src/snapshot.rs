//! Everything known at one moment: tables that are joined when they are built. Whoever keeps a
//! cluster in sight moves them to the next moment with [`Snapshot::apply`]; to everybody else
//! they are immutable.

mod app;
mod apply;
mod apps;
mod builder;
mod callers;
mod coverage;
mod events;
mod facts;
mod implied;
mod ordered;
mod placement;
mod pools;
mod reads;
mod relation;
mod rests;
mod table;
mod views;

pub use app::App;
pub use apply::{Change, Touched};
pub use apps::{Apps, AppsHere, Members};
pub use builder::Builder;
pub use coverage::Coverage;
pub use events::Events;
pub use facts::{
    Alert, ClientError, Dial, HealthCheck, HostFact, HostFigure, LogLines, Sample, UNNAMED_HOST,
    UnitState,
};
pub use pools::SpecParts;
pub use reads::{Clock, PartKey, listen};
pub use relation::{Peer, Relation};
pub use rests::{Rests, Turns};
pub use table::Table;

use crate::record::{
    AccessBinding, AccessRole, Availability, Backends, Budget, CertificateState, Claim,
    ClusterEvent, Ingress, Lease, LimitRange, Named, NetworkPolicy, Node, PersistentVolume, Pod,
    Quota, Scaler, Service, StorageClass, Webhooks, Workload,
};
use crate::{Evidence, Kind, ObjectRef};
use reads::{Part, Set, note};

/// Everything known at one moment.
#[derive(Clone, Debug)]
pub struct Snapshot {
    /// The moment: now for a live cluster, the newest time in captured input.
    pub now: Clock,
    /// Whether `now` is real; when the input holds no time at all, ages still are.
    pub has_time: bool,
    /// Which kinds were listed completely.
    pub coverage: Coverage,
    /// Workloads with their pods, sorted by namespace and name.
    pub apps: Apps,
    /// Nodes.
    pub nodes: Table<Node>,
    /// Nodes that were not read: only their events, units or logs tell of them.
    pub implied_nodes: Table<Node>,
    /// Services.
    pub services: Table<Service>,
    /// What is behind them.
    pub backends: Table<Backends>,
    /// Ingresses.
    pub ingresses: Table<Ingress>,
    /// Network policies.
    pub policies: Table<NetworkPolicy>,
    /// Autoscalers.
    pub scalers: Table<Scaler>,
    /// Disruption budgets.
    pub budgets: Table<Budget>,
    /// Claims.
    pub claims: Table<Claim>,
    /// Volumes.
    pub volumes: Table<PersistentVolume>,
    /// Storage classes.
    pub storage_classes: Table<StorageClass>,
    /// Quotas.
    pub quotas: Table<Quota>,
    /// Limit ranges.
    pub limit_ranges: Table<LimitRange>,
    /// Roles and ClusterRoles.
    pub roles: Table<AccessRole>,
    /// RoleBindings and ClusterRoleBindings.
    pub bindings: Table<AccessBinding>,
    /// Certificates and requests for them.
    pub certificates: Table<CertificateState>,
    /// Leases: who leads, and which nodes are heard of.
    pub leases: Table<Lease>,
    /// What the API says of its extensions and of the parts of the control plane.
    pub availability: Table<Availability>,
    /// Admission webhooks.
    pub webhooks: Table<Webhooks>,
    /// Config maps, secrets, service accounts, namespaces, classes.
    pub named: Table<Named>,
    /// Events, sorted by the object they are about, then by time.
    pub events: Events,
    /// Logs.
    pub logs: Vec<LogLines>,
    /// System units.
    pub units: Vec<UnitState>,
    /// What tools said of machines.
    pub hosts: Vec<HostFact>,
    /// Connections tried by hand.
    pub dials: Vec<Dial>,
    /// What clients were told instead of an answer.
    pub client_errors: Vec<ClientError>,
    /// Health checks of the API server.
    pub checks: Vec<HealthCheck>,
    /// Measurements.
    pub samples: Vec<Sample>,
    /// Alerts.
    pub alerts: Vec<Alert>,
    /// What the apps were made of.
    workloads: Table<Workload>,
    pods: Table<Pod>,
    /// Objects that only their events tell of; they give way to what is read.
    implied: std::collections::BTreeSet<ObjectRef>,
    callers: std::sync::OnceLock<callers::Callers>,
    placement: std::sync::OnceLock<placement::Placement>,
    views: views::Views,
}

impl Snapshot {
    /// Events about one object.
    pub fn events_about(&self, object: &ObjectRef) -> &[ClusterEvent] {
        self.events.about(object.kind, &object.namespace, &object.name)
    }

    /// Events about objects of a kind in a namespace, by object.
    pub fn events_in<'s>(
        &'s self,
        kind: Kind,
        namespace: &'s str,
    ) -> impl Iterator<Item = &'s ClusterEvent> {
        note(Part::AboutAny(kind, namespace));
        self.events.subjects(kind, namespace).flat_map(|o| self.events.search(Some(o)))
    }

    /// Events about one pod.
    pub fn pod_events(&self, pod: &Pod) -> &[ClusterEvent] {
        self.events.about(Kind::Pod, &pod.meta.namespace, &pod.meta.name)
    }

    /// All nodes something is known about, also those of which only events or logs tell.
    pub fn known_nodes(&self) -> impl Iterator<Item = &Node> + Clone {
        self.nodes.iter().chain(self.implied_nodes.iter())
    }

    /// Whether a node was read, and is not only told of.
    pub fn has_read(&self, node: &Node) -> bool {
        self.nodes.get("", &node.meta.name).is_some()
    }

    /// Logs of a node's system units; a machine may call itself by the first part of its node's
    /// name.
    pub fn unit_logs<'s>(&'s self, node: &'s str) -> impl Iterator<Item = &'s LogLines> {
        self.logs.iter().filter(|l| !l.unit.is_empty() && implied::is_host_of(&l.name, node))
    }

    /// What tools said of a node's machine.
    pub fn host_figures<'s>(&'s self, node: &'s str) -> impl Iterator<Item = &'s HostFact> {
        self.hosts.iter().filter(|h| implied::is_host_of(&h.node, node))
    }

    /// System units that somebody looked at on a node.
    pub fn units_of<'s>(&'s self, node: &'s str) -> impl Iterator<Item = &'s UnitState> {
        self.units.iter().filter(|u| implied::is_host_of(&u.node, node))
    }

    /// The workload of this name; `kind` and name as in the reference.
    pub fn app(&self, object: &ObjectRef) -> Option<&App> {
        self.apps.named(object)
    }

    /// The record of a workload, whether it stands for itself or belongs to another.
    pub fn workload(&self, kind: Kind, namespace: &str, name: &str) -> Option<&Workload> {
        note(Part::Row(Set::Workloads, namespace, name));
        self.workloads.row(kind, namespace, name).map(|w| &**w)
    }

    /// Workloads of one namespace.
    pub fn apps_in(&self, namespace: &str) -> AppsHere<'_> {
        note(Part::Space(Set::Apps, namespace));
        self.apps.space(namespace)
    }

    /// The object of which mostly the name matters.
    pub fn named(&self, kind: Kind, namespace: &str, name: &str) -> Option<&Named> {
        self.named.all(namespace, name).find(|n| n.kind == kind)
    }

    /// Ready and unready addresses behind a Service; `None` when the input does not say.
    pub fn addresses(&self, service: &Service) -> Option<(u32, u32)> {
        note(Part::Behind(&service.meta.namespace, &service.meta.name));
        let of = |slice: bool| {
            let mut sum = None;
            let here = self.backends.space(&service.meta.namespace).iter();
            for b in here.filter(|b| b.is_slice == slice && b.service == service.meta.name) {
                let (ready, not) = sum.unwrap_or((0, 0));
                sum = Some((ready + b.ready, not + b.not_ready));
            }
            sum
        };
        of(true).or_else(|| of(false))
    }

    /// An event as evidence.
    pub fn event_evidence(&self, event: &ClusterEvent) -> Option<Evidence> {
        Some(Evidence {
            document: event.document,
            object: event.about.clone()?,
            field: format!("event/{}", event.reason),
            value: event.message.to_string(),
            at: event.last.resolve(self.now).filter(|_| self.has_time),
        })
    }

    /// Whether an object of this kind and name certainly does not exist.
    pub fn is_missing(&self, kind: Kind, namespace: &str, name: &str) -> bool {
        self.coverage.says_missing(kind, namespace, name)
            || (self.coverage.lists(kind, namespace) && !self.exists(kind, namespace, name))
    }

    /// Whether an object of this kind and name was seen.
    pub fn exists(&self, kind: Kind, namespace: &str, name: &str) -> bool {
        match kind {
            Kind::Node => self.nodes.get("", name).is_some(),
            Kind::Service => self.services.get(namespace, name).is_some(),
            Kind::PersistentVolumeClaim => self.claims.get(namespace, name).is_some(),
            Kind::PersistentVolume => self.volumes.get("", name).is_some(),
            Kind::StorageClass => self.storage_classes.get("", name).is_some(),
            Kind::ResourceQuota => self.quotas.get(namespace, name).is_some(),
            Kind::HorizontalPodAutoscaler => self.scalers.get(namespace, name).is_some(),
            Kind::PodDisruptionBudget => self.budgets.get(namespace, name).is_some(),
            Kind::LimitRange => self.limit_ranges.get(namespace, name).is_some(),
            Kind::Ingress => self.ingresses.get(namespace, name).is_some(),
            Kind::NetworkPolicy => self.policies.get(namespace, name).is_some(),
            Kind::Role | Kind::ClusterRole => {
                self.roles.all(namespace, name).any(|r| r.kind == kind)
            }
            Kind::RoleBinding | Kind::ClusterRoleBinding => {
                self.bindings.all(namespace, name).any(|b| b.kind == kind)
            }
            Kind::Certificate | Kind::CertificateSigningRequest => {
                self.certificates.all(namespace, name).any(|c| c.kind == kind)
            }
            Kind::Lease => self.leases.get(namespace, name).is_some(),
            Kind::APIService | Kind::ComponentStatus => {
                self.availability.all("", name).any(|a| a.kind == kind)
            }
            Kind::MutatingWebhookConfiguration | Kind::ValidatingWebhookConfiguration => {
                self.webhooks.all("", name).any(|w| w.kind == kind)
            }
            Kind::Deployment
            | Kind::ReplicaSet
            | Kind::StatefulSet
            | Kind::DaemonSet
            | Kind::Job
            | Kind::CronJob
            | Kind::ReplicationController => self.workload(kind, namespace, name).is_some(),
            kind => self.named(kind, namespace, name).is_some(),
        }
    }
}

#[cfg(test)]
mod tests;
