//! Collects what was read and joins it into a snapshot.

use std::cmp::Ordering;
use std::collections::BTreeSet;
use std::sync::Arc;

use super::events::Events;
use super::ordered::Ordered;
use super::pools::Pools;
use super::reads::{Clock, Set};
use super::{
    Alert, Apps, ClientError, Coverage, Dial, HealthCheck, HostFact, LogLines, Sample, Snapshot,
    Table, UnitState, app, implied,
};
use crate::record::{
    AccessBinding, AccessRole, Availability, Backends, Budget, CertificateState, Claim,
    ClusterEvent, ContainerState, EventTime, Ingress, Lease, LimitRange, Meta, Named,
    NetworkPolicy, Node, PersistentVolume, Pod, Quota, Record, Scaler, Service, StorageClass,
    Webhooks, Workload,
};
use crate::{Kind, Object, ObjectRef, Timestamp};

mod moments;
mod present;
mod rewind;

/// Collects what was read. Equal parts of objects (specs, labels, owners) are kept once.
#[derive(Debug, Default)]
pub struct Builder {
    pods: Vec<Arc<Pod>>,
    nodes: Vec<Arc<Node>>,
    workloads: Vec<Arc<Workload>>,
    services: Vec<Arc<Service>>,
    backends: Vec<Arc<Backends>>,
    ingresses: Vec<Arc<Ingress>>,
    policies: Vec<Arc<NetworkPolicy>>,
    scalers: Vec<Arc<Scaler>>,
    budgets: Vec<Arc<Budget>>,
    claims: Vec<Arc<Claim>>,
    volumes: Vec<Arc<PersistentVolume>>,
    storage_classes: Vec<Arc<StorageClass>>,
    quotas: Vec<Arc<Quota>>,
    limit_ranges: Vec<Arc<LimitRange>>,
    roles: Vec<Arc<AccessRole>>,
    bindings: Vec<Arc<AccessBinding>>,
    certificates: Vec<Arc<CertificateState>>,
    leases: Vec<Arc<Lease>>,
    availability: Vec<Arc<Availability>>,
    webhooks: Vec<Arc<Webhooks>>,
    named: Vec<Arc<Named>>,
    events: Vec<ClusterEvent>,
    pools: Pools,
    newest: Option<Timestamp>,
    /// Which lists are complete.
    pub coverage: Coverage,
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
}

impl Builder {
    /// Adds an object read from a document of the input.
    pub fn add(&mut self, mut object: Object, document: u16) {
        if let Some(meta) = object.meta_mut() {
            meta.source = document;
            self.pools.meta(meta);
        }
        match object {
            Object::Pod(mut pod) => {
                self.pools.spec(&mut pod.spec);
                self.note_pod_times(&pod);
                self.pods.push(Arc::new(pod));
            }
            Object::Node(mut node) => {
                for c in &node.conditions {
                    self.note(c.since);
                    self.note(c.heartbeat);
                }
                node.forget_heartbeats();
                self.nodes.push(Arc::new(node));
            }
            Object::Workload(mut workload) => {
                self.pools.template_labels(&mut workload.template_labels);
                self.pools.labels(&mut workload.selector.match_labels);
                if let Some(template) = &mut workload.template {
                    self.pools.spec(template);
                }
                self.note_workload_times(&workload);
                self.workloads.push(Arc::new(workload));
            }
            Object::Event(mut event) => {
                event.document = document;
                if let EventTime::At(at) = event.last {
                    self.note(Some(at));
                }
                self.events.push(event);
            }
            Object::Service(mut service) => {
                self.pools.labels(&mut service.selector);
                self.pools.service_ports(&mut service.ports);
                self.services.push(Arc::new(service));
            }
            Object::Backends(o) => self.backends.push(Arc::new(o)),
            Object::Ingress(o) => self.ingresses.push(Arc::new(o)),
            Object::Policy(o) => self.policies.push(Arc::new(o)),
            Object::Scaler(o) => {
                self.note(o.last_scaled);
                for c in &o.conditions {
                    self.note(c.since);
                }
                self.scalers.push(Arc::new(o));
            }
            Object::Budget(o) => self.budgets.push(Arc::new(o)),
            Object::Claim(o) => self.claims.push(Arc::new(o)),
            Object::Volume(o) => self.volumes.push(Arc::new(o)),
            Object::StorageClass(o) => self.storage_classes.push(Arc::new(o)),
            Object::Quota(o) => self.quotas.push(Arc::new(o)),
            Object::LimitRange(o) => self.limit_ranges.push(Arc::new(o)),
            Object::Role(o) => self.roles.push(Arc::new(o)),
            Object::Binding(o) => self.bindings.push(Arc::new(o)),
            Object::Certificate(o) => self.certificates.push(Arc::new(o)),
            Object::Lease(o) => {
                self.note(o.renewed);
                self.leases.push(Arc::new(o));
            }
            Object::Availability(o) => self.availability.push(Arc::new(o)),
            Object::Webhooks(o) => self.webhooks.push(Arc::new(o)),
            Object::Named(o) => self.add_named(o),
        }
    }

    /// Takes back an object that was seen to be deleted.
    pub fn remove(&mut self, object: &ObjectRef) {
        fn drop_row<T: Record>(rows: &mut Vec<Arc<T>>, object: &ObjectRef) {
            let same = |m: &Meta| m.name == object.name && m.namespace == object.namespace;
            rows.retain(|r| !same(r.meta()));
        }
        match object.kind {
            Kind::Pod => drop_row(&mut self.pods, object),
            Kind::Node => drop_row(&mut self.nodes, object),
            Kind::Service => drop_row(&mut self.services, object),
            Kind::Ingress => drop_row(&mut self.ingresses, object),
            Kind::NetworkPolicy => drop_row(&mut self.policies, object),
            Kind::PersistentVolumeClaim => drop_row(&mut self.claims, object),
            Kind::PersistentVolume => drop_row(&mut self.volumes, object),
            Kind::StorageClass => drop_row(&mut self.storage_classes, object),
            Kind::ResourceQuota => drop_row(&mut self.quotas, object),
            Kind::LimitRange => drop_row(&mut self.limit_ranges, object),
            Kind::HorizontalPodAutoscaler => drop_row(&mut self.scalers, object),
            Kind::PodDisruptionBudget => drop_row(&mut self.budgets, object),
            Kind::Endpoints | Kind::EndpointSlice => {
                let slice = object.kind == Kind::EndpointSlice;
                self.backends
                    .retain(|b| b.is_slice != slice || b.meta.object(object.kind) != *object);
            }
            Kind::Lease => drop_row(&mut self.leases, object),
            Kind::APIService | Kind::ComponentStatus => {
                drop_row(&mut self.availability, object);
            }
            kind => {
                self.roles.retain(|r| r.meta.object(r.kind) != *object);
                self.bindings.retain(|b| b.meta.object(b.kind) != *object);
                self.certificates.retain(|c| c.meta.object(c.kind) != *object);
                self.webhooks.retain(|w| w.kind != kind || w.meta.object(kind) != *object);
                self.workloads.retain(|w| w.kind != kind || w.object() != *object);
                self.named.retain(|n| n.kind != kind || n.meta.object(kind) != *object);
            }
        }
    }

    /// How many objects and events were added.
    pub fn counts(&self) -> (usize, usize) {
        let access = self.roles.len() + self.bindings.len() + self.certificates.len();
        let rules = self.budgets.len() + self.quotas.len() + self.limit_ranges.len();
        let named = self.named.len() + rules + access;
        let control = self.leases.len() + self.availability.len() + self.webhooks.len();
        let storage = self.claims.len() + self.volumes.len() + self.storage_classes.len();
        let network =
            self.services.len() + self.backends.len() + self.ingresses.len() + self.policies.len();
        let main = self.pods.len() + self.nodes.len() + self.workloads.len() + self.scalers.len();
        (main + network + storage + named + control, self.events.len())
    }

    fn add_named(&mut self, named: Named) {
        if named.kind == Kind::Namespace {
            self.note_age(&named.meta);
        }
        self.named.push(Arc::new(named));
    }

    fn note(&mut self, at: Option<Timestamp>) {
        self.newest = self.newest.max(at);
    }

    fn note_age(&mut self, meta: &Meta) {
        self.note(meta.created);
        if let (Some(created), Some(age)) = (meta.created, meta.age_seconds) {
            self.note(Some(created.plus_seconds(i64::from(age))));
        }
    }

    fn note_workload_times(&mut self, workload: &Workload) {
        for c in &workload.conditions {
            self.note(c.since);
        }
        if let Some(job) = &workload.job {
            let times = [job.started, job.completed, job.last_scheduled];
            times.into_iter().for_each(|t| self.note(t));
        }
        self.note_age(&workload.meta);
    }

    fn note_pod_times(&mut self, pod: &Pod) {
        self.note_age(&pod.meta);
        self.note(pod.started);
        if let (Some(started), Some(age)) = (pod.started, pod.meta.age_seconds) {
            self.note(Some(started.plus_seconds(i64::from(age))));
        }
        self.note(pod.ready.and_then(|r| r.since));
        for c in &pod.conditions {
            self.note(c.since);
        }
        for container in pod.all_containers() {
            match &container.state {
                ContainerState::Running(since) => self.note(*since),
                ContainerState::Terminated(end) => self.note(end.finished_at),
                _ => {}
            }
            self.note(container.last.as_ref().and_then(|l| l.finished_at));
        }
    }

    /// Joins everything. `now` is the present for a live cluster; for captured input it is
    /// `None` and the newest time in the evidence counts.
    pub fn finish(mut self, now: Option<Timestamp>) -> Snapshot {
        let newest = self.newest();
        drop(self.pools);
        let has_time = now.or(newest).is_some();
        let now = now.or(newest).unwrap_or(Timestamp::from_seconds(NO_TIME_SECONDS));
        let workloads = Table::build(Set::Workloads, self.workloads, |w| w.kind);
        implied::from_templates(&workloads, &mut self.claims);
        self.events.sort_by(|a, b| a.about.cmp(&b.about).then_with(|| in_time(a, b, now)));
        self.events = joined(self.events, now);
        let mut implied = Implied::default();
        let (events, lists) = (&*self.events, &self.coverage);
        implied.add(implied::services(events, &self.services, lists), &mut self.services);
        implied
            .add(implied::services_of_logs(&self.logs, &self.services, lists), &mut self.services);
        implied.add(implied::claims(events, &self.claims, lists), &mut self.claims);
        implied.add(implied::scalers(events, &self.scalers, lists), &mut self.scalers);
        implied.add(implied::pods(events, &self.pods, lists), &mut self.pods);
        implied::name_hosts(&self.nodes, &mut self.logs, &mut self.hosts);
        self.logs.sort();
        self.units.sort();
        self.hosts.sort();
        self.hosts.dedup();
        let told = (&*self.events, &*self.units, &*self.logs, &*self.hosts);
        let implied_nodes = implied::nodes(&self.nodes, &self.pods, told, &self.coverage);
        let pods = Table::build(Set::Pods, self.pods, |_| Kind::Pod);
        Snapshot {
            now: Clock::new(now),
            has_time,
            coverage: self.coverage,
            apps: Apps(Ordered::of(app::group(&workloads, workloads.shared(), pods.shared()))),
            nodes: Table::build(Set::Nodes, self.nodes, |_| Kind::Node),
            implied_nodes: Table::build(Set::ImpliedNodes, implied_nodes, |_| Kind::Node),
            services: Table::build(Set::Services, self.services, |_| Kind::Service),
            backends: Table::build(Set::Backends, self.backends, kind_of_backends),
            ingresses: Table::build(Set::Ingresses, self.ingresses, |_| Kind::Ingress),
            policies: Table::build(Set::Policies, self.policies, |_| Kind::NetworkPolicy),
            scalers: Table::build(Set::Scalers, self.scalers, |_| Kind::HorizontalPodAutoscaler),
            budgets: Table::build(Set::Budgets, self.budgets, |_| Kind::PodDisruptionBudget),
            claims: Table::build(Set::Claims, self.claims, |_| Kind::PersistentVolumeClaim),
            volumes: Table::build(Set::Volumes, self.volumes, |_| Kind::PersistentVolume),
            storage_classes: Table::build(Set::StorageClasses, self.storage_classes, |_| {
                Kind::StorageClass
            }),
            quotas: Table::build(Set::Quotas, self.quotas, |_| Kind::ResourceQuota),
            limit_ranges: Table::build(Set::LimitRanges, self.limit_ranges, |_| Kind::LimitRange),
            roles: Table::build(Set::Roles, self.roles, |r| r.kind),
            bindings: Table::build(Set::Bindings, self.bindings, |b| b.kind),
            certificates: Table::build(Set::Certificates, self.certificates, |c| c.kind),
            leases: Table::build(Set::Leases, self.leases, |_| Kind::Lease),
            availability: Table::build(Set::Availability, self.availability, |a| a.kind),
            webhooks: Table::build(Set::Webhooks, self.webhooks, |w| w.kind),
            named: Table::build(Set::Named, self.named, |n| n.kind),
            events: Events::of(self.events),
            logs: self.logs,
            units: self.units,
            hosts: self.hosts,
            dials: self.dials,
            client_errors: self.client_errors,
            checks: self.checks,
            samples: self.samples,
            alerts: self.alerts,
            workloads,
            pods,
            implied: implied.0,
            callers: std::sync::OnceLock::new(),
            placement: std::sync::OnceLock::new(),
            views: super::views::Views::default(),
        }
    }
}

/// Objects that only their events tell of.
#[derive(Default)]
struct Implied(BTreeSet<ObjectRef>);

impl Implied {
    fn add<T: Record>(&mut self, (kind, rows): (Kind, Vec<Arc<T>>), read: &mut Vec<Arc<T>>) {
        self.0.extend(rows.iter().map(|r| r.meta().object(kind)));
        read.extend(rows);
    }
}

pub(super) fn kind_of_backends(b: &Backends) -> Kind {
    if b.is_slice { Kind::EndpointSlice } else { Kind::Endpoints }
}

/// Stands in when the input holds no time at all: 2000-01-01.
const NO_TIME_SECONDS: i64 = 946_684_800;

/// How two events about one object stand in the list.
pub(super) fn in_time(a: &ClusterEvent, b: &ClusterEvent, now: Timestamp) -> Ordering {
    let time = |e: &ClusterEvent| e.last.resolve(now);
    time(a).cmp(&time(b)).then_with(|| a.cmp(b))
}

/// How many events back a repetition is looked for.
const REPEATED_WITHIN: usize = 64;

/// Sorted events, each once: of one that was printed twice, all that either form tells is kept.
pub(super) fn joined(events: Vec<ClusterEvent>, now: Timestamp) -> Vec<ClusterEvent> {
    let mut once: Vec<ClusterEvent> = Vec::with_capacity(events.len());
    for event in events {
        let near = once.iter_mut().rev().take(REPEATED_WITHIN);
        match near.take_while(|e| e.about == event.about).find(|e| same_event(e, &event, now)) {
            Some(known) => {
                let earlier = event.first.resolve(now) < known.first.resolve(now);
                if known.first == EventTime::Unknown || earlier {
                    known.first = event.first;
                }
                known.count = known.count.max(event.count);
                known.warning |= event.warning;
                if known.source.is_empty() {
                    known.source = event.source;
                }
            }
            None => once.push(event),
        }
    }
    once.shrink_to_fit();
    once
}

/// One event printed twice (in a describe and in a list), within the rounding of ages.
fn same_event(a: &ClusterEvent, b: &ClusterEvent, now: Timestamp) -> bool {
    let near = match (a.last.resolve(now), b.last.resolve(now)) {
        (Some(x), Some(y)) => {
            // Two times are exact; an age is printed in its largest unit only.
            let exact = matches!((a.last, b.last), (EventTime::At(_), EventTime::At(_)));
            let rounding = if exact { 0 } else { now.since(x.min(y)) / 8 };
            x.since(y).abs() <= rounding.max(90)
        }
        (x, y) => x == y,
    };
    near && a.about == b.about && a.reason == b.reason && a.message == b.message
}
