//! Moves a snapshot to the next moment. The cost follows the change: what is not touched is
//! neither built nor compared anew. The outcome is that of a snapshot built of the same objects.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::builder::{in_time, joined};
use super::reads::{Clock, Part, PartKey, Set};
use super::{Snapshot, Table};
use crate::record::{ClusterEvent, Record};
use crate::{Kind, Object, ObjectRef, Text, Timestamp};

mod apps;
mod implied;

/// After this long, every moment is taken to have come.
const LONG_SECONDS: i64 = 600;

/// What became of an object.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    /// It is new, or other than it was. An event is told beside those that are known.
    Put(Object),
    /// It was deleted.
    Gone(ObjectRef),
    /// These are all events about an object now, in any order.
    Events(Option<ObjectRef>, Vec<ClusterEvent>),
}

/// What a step touched.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Touched {
    /// Parts that are other than before, sorted.
    pub parts: Vec<PartKey>,
    /// Workloads, nodes, Services and claims that came or went.
    pub moved: BTreeSet<ObjectRef>,
    /// Of what something else is said than before.
    pub(super) said: BTreeSet<Option<ObjectRef>>,
}

impl Snapshot {
    /// Takes over what changed up to this moment. Time only goes forward: a clock that was put
    /// back is taken to stand still.
    pub fn apply(
        &mut self,
        changes: impl IntoIterator<Item = Change>,
        now: impl Into<Timestamp>,
    ) -> Touched {
        let before = self.now.unheard();
        let now = now.into().max(before);
        let mut step = Step { touched: Touched::default(), regroup: BTreeSet::new(), now: self };
        if now != before {
            step.touch(Part::Clock);
            let passed = before.seconds()..=now.seconds();
            match now.since(before) <= LONG_SECONDS {
                true => passed.for_each(|second| step.touch(Part::Moment(second))),
                false => step.touch(Part::AnyMoment),
            }
            step.now.now = Clock::new(now);
        }
        let mut suspects = BTreeSet::new();
        for change in changes {
            let about = step.take(change, now);
            suspects.extend(about.filter(|o| implied::can_be(o.kind)));
        }
        step.imply(suspects);
        for namespace in std::mem::take(&mut step.regroup) {
            step.regroup(&namespace);
        }
        let mut touched = step.touched;
        self.follow(&mut touched);
        touched.parts.sort_unstable();
        touched.parts.dedup();
        touched
    }
}

/// A step from one moment to the next.
struct Step<'s> {
    now: &'s mut Snapshot,
    touched: Touched,
    /// Namespaces whose workloads are to be gathered anew.
    regroup: BTreeSet<Text>,
}

impl Step<'_> {
    fn touch(&mut self, part: Part<'_>) {
        self.touched.parts.push(part.key());
    }

    /// Takes one change over; gives the object that it is about.
    fn take(&mut self, change: Change, now: Timestamp) -> Option<ObjectRef> {
        match change {
            Change::Put(Object::Event(event)) => {
                let about = event.about.clone();
                let mut all = self.now.events.search(about.as_ref()).to_vec();
                all.push(event);
                self.events(about.as_ref(), all, now);
                about
            }
            Change::Put(object) => {
                let name = object.object();
                if let Some(name) = &name {
                    self.now.implied.remove(name);
                }
                self.put(object);
                name
            }
            Change::Gone(object) => {
                if !self.now.implied.contains(&object) {
                    self.gone(&object);
                }
                Some(object)
            }
            Change::Events(about, events) => {
                self.events(about.as_ref(), events, now);
                about
            }
        }
    }

    fn put(&mut self, object: Object) {
        match object {
            Object::Pod(o) => self.put_pod(o),
            Object::Workload(o) => self.put_workload(o),
            Object::Node(mut o) => {
                o.forget_heartbeats();
                self.put_row(|s| &mut s.nodes, o);
            }
            Object::Service(o) => {
                let old = self.now.services.row(Kind::Service, &o.meta.namespace, &o.meta.name);
                if old.is_none_or(|old| old.selector != o.selector) {
                    self.touch(Part::Selectors(&o.meta.namespace));
                }
                self.put_row(|s| &mut s.services, o);
            }
            Object::Backends(o) => {
                let kind = super::builder::kind_of_backends(&o);
                let old = self.now.backends.row(kind, &o.meta.namespace, &o.meta.name).cloned();
                if old.as_deref() != Some(&o) {
                    let other = old.as_deref().filter(|old| old.service != o.service);
                    for b in other.into_iter().chain([&o]) {
                        self.touch(Part::Behind(&b.meta.namespace, &b.service));
                    }
                }
                self.put_row(|s| &mut s.backends, o);
            }
            Object::Ingress(o) => self.put_row(|s| &mut s.ingresses, o),
            Object::Policy(o) => self.put_row(|s| &mut s.policies, o),
            Object::Scaler(o) => self.put_row(|s| &mut s.scalers, o),
            Object::Budget(o) => self.put_row(|s| &mut s.budgets, o),
            Object::Claim(o) => self.put_row(|s| &mut s.claims, o),
            Object::Volume(o) => self.put_row(|s| &mut s.volumes, o),
            Object::StorageClass(o) => self.put_row(|s| &mut s.storage_classes, o),
            Object::Quota(o) => self.put_row(|s| &mut s.quotas, o),
            Object::LimitRange(o) => self.put_row(|s| &mut s.limit_ranges, o),
            Object::Role(o) => self.put_row(|s| &mut s.roles, o),
            Object::Binding(o) => self.put_row(|s| &mut s.bindings, o),
            Object::Certificate(o) => self.put_row(|s| &mut s.certificates, o),
            Object::Lease(o) => self.put_row(|s| &mut s.leases, o),
            Object::Availability(o) => self.put_row(|s| &mut s.availability, o),
            Object::Webhooks(o) => self.put_row(|s| &mut s.webhooks, o),
            Object::Named(o) => self.put_row(|s| &mut s.named, o),
            Object::Event(_) => {}
        }
    }

    fn gone(&mut self, object: &ObjectRef) {
        match object.kind {
            Kind::Pod => self.gone_pod(object),
            Kind::Deployment
            | Kind::ReplicaSet
            | Kind::StatefulSet
            | Kind::DaemonSet
            | Kind::Job
            | Kind::CronJob
            | Kind::ReplicationController => self.gone_workload(object),
            Kind::Node => drop(self.gone_row(|s| &mut s.nodes, object)),
            Kind::Service => {
                if self.gone_row(|s| &mut s.services, object).is_some() {
                    self.touch(Part::Selectors(&object.namespace));
                }
            }
            Kind::Endpoints | Kind::EndpointSlice => {
                if let Some(old) = self.gone_row(|s| &mut s.backends, object) {
                    self.touch(Part::Behind(&old.meta.namespace, &old.service));
                }
            }
            Kind::Ingress => drop(self.gone_row(|s| &mut s.ingresses, object)),
            Kind::NetworkPolicy => drop(self.gone_row(|s| &mut s.policies, object)),
            Kind::HorizontalPodAutoscaler => drop(self.gone_row(|s| &mut s.scalers, object)),
            Kind::PodDisruptionBudget => drop(self.gone_row(|s| &mut s.budgets, object)),
            Kind::PersistentVolumeClaim => drop(self.gone_row(|s| &mut s.claims, object)),
            Kind::PersistentVolume => drop(self.gone_row(|s| &mut s.volumes, object)),
            Kind::StorageClass => drop(self.gone_row(|s| &mut s.storage_classes, object)),
            Kind::ResourceQuota => drop(self.gone_row(|s| &mut s.quotas, object)),
            Kind::LimitRange => drop(self.gone_row(|s| &mut s.limit_ranges, object)),
            Kind::Role | Kind::ClusterRole => drop(self.gone_row(|s| &mut s.roles, object)),
            Kind::RoleBinding | Kind::ClusterRoleBinding => {
                drop(self.gone_row(|s| &mut s.bindings, object));
            }
            Kind::Certificate | Kind::CertificateSigningRequest => {
                drop(self.gone_row(|s| &mut s.certificates, object));
            }
            Kind::Lease => drop(self.gone_row(|s| &mut s.leases, object)),
            Kind::APIService | Kind::ComponentStatus => {
                drop(self.gone_row(|s| &mut s.availability, object));
            }
            Kind::MutatingWebhookConfiguration | Kind::ValidatingWebhookConfiguration => {
                drop(self.gone_row(|s| &mut s.webhooks, object));
            }
            _ => drop(self.gone_row(|s| &mut s.named, object)),
        }
    }

    fn put_row<T: Record + Clone + PartialEq>(
        &mut self,
        table: fn(&mut Snapshot) -> &mut Table<T>,
        row: T,
    ) {
        let rows = table(self.now);
        let (set, was_empty) = (rows.set(), rows.shared().is_empty());
        let name = rows.name_of(&row);
        let known = rows.row(name.kind, &name.namespace, &name.name);
        if known.is_some_and(|known| **known == row) {
            return;
        }
        let is_new = rows.put(Arc::new(row)).is_none();
        self.touch_row(set, name, is_new.then_some(was_empty));
    }

    fn gone_row<T: Record + Clone>(
        &mut self,
        table: fn(&mut Snapshot) -> &mut Table<T>,
        object: &ObjectRef,
    ) -> Option<Arc<T>> {
        let rows = table(self.now);
        let old = rows.take(object.kind, &object.namespace, &object.name)?;
        let (set, is_empty) = (rows.set(), rows.shared().is_empty());
        self.touch_row(set, object.clone(), Some(is_empty));
        Some(old)
    }

    /// A row is other than before. `moved` says that it came or went, and whether the table was
    /// or is empty without it.
    fn touch_row(&mut self, set: Set, object: ObjectRef, moved: Option<bool>) {
        self.touch(Part::Row(set, &object.namespace, &object.name));
        self.touch(Part::Space(set, &object.namespace));
        self.touch(Part::All(set));
        if moved == Some(true) {
            self.touch(Part::Any(set));
        }
        let is_subject =
            matches!(set, Set::Nodes | Set::ImpliedNodes | Set::Services | Set::Claims);
        if is_subject && moved.is_some() {
            self.touched.moved.insert(object);
        }
    }

    fn events(&mut self, about: Option<&ObjectRef>, mut events: Vec<ClusterEvent>, now: Timestamp) {
        events.retain(|e| e.about.as_ref() == about);
        events.sort_by(|a, b| in_time(a, b, now));
        let events = joined(events, now);
        if self.now.events.search(about) == events {
            return;
        }
        self.touched.said.insert(about.cloned());
        let was_empty = self.now.events.is_empty();
        drop(self.now.events.replace(about, events));
        if let Some(o) = about {
            self.touch(Part::About(o.kind, &o.namespace, &o.name));
            self.touch(Part::AboutAny(o.kind, &o.namespace));
        }
        self.touch(Part::All(Set::Events));
        if was_empty != self.now.events.is_empty() {
            self.touch(Part::Any(Set::Events));
        }
    }
}

#[cfg(test)]
mod tests;
