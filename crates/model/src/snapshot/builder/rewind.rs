//! Takes evidence back to an earlier moment: what happened later is dropped, what changed later
//! is restored where the evidence proves what it was, and is unknown otherwise. It must never
//! guess: what cannot be known of that moment is reported as not seen.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::Builder;
use crate::record::{ClusterEvent, Known, Meta, Workload};
use crate::snapshot::{Coverage, implied};
use crate::{Blind, Kind, ObjectRef, Text, Timestamp};

mod conditions;
mod events;
mod facts;
mod pods;

/// Names told in one report.
const NAMES_TOLD: usize = 3;

/// What cannot be known of the moment: what, and of which objects.
#[derive(Default)]
pub(super) struct Unknown {
    parts: BTreeMap<(&'static str, &'static str), BTreeSet<String>>,
}

impl Unknown {
    /// Notes a part of an object that is not known, and why.
    pub(super) fn note(&mut self, what: &'static str, why: &'static str, whose: impl ToString) {
        self.parts.entry((what, why)).or_default().insert(whose.to_string());
    }

    fn blind(self, at: Timestamp, now: Timestamp) -> Vec<Blind> {
        let told = |((what, why), whose): ((&str, &str), BTreeSet<String>)| {
            let told: Vec<&str> = whose.iter().take(NAMES_TOLD).map(String::as_str).collect();
            let more = match whose.len().saturating_sub(NAMES_TOLD) {
                0 => String::new(),
                more => format!(" and {more} more"),
            };
            let what = format!("{what} ({}{more})", told.join(", "));
            Blind { what, why: why.to_owned(), ask: String::new() }
        };
        let mut blind: Vec<Blind> = self.parts.into_iter().map(told).collect();
        if at < now {
            blind.push(Blind {
                what: format!("what was deleted or edited between {at} and {now}"),
                why: "only a capture of that moment shows how it was".into(),
                ask: String::new(),
            });
        }
        blind
    }
}

impl Builder {
    /// The newest time in the evidence, if it holds any.
    pub fn newest(&self) -> Option<Timestamp> {
        self.newest.max(super::present::by_ages(self))
    }

    /// Takes the evidence, which was made at `now`, back to an earlier moment, and says what of
    /// that moment cannot be known.
    pub fn rewind(&mut self, now: Timestamp, at: Timestamp) -> Vec<Blind> {
        let mut unknown = Unknown::default();
        let all = std::mem::take(&mut self.events);
        let touched = self.touched(&all, now, at);
        let later = self.made_later(now, at);
        let gone = self.gone_since(&all, now, at);
        let words = events::words(&all, now);
        self.events = events::until(all, now, at, &mut unknown);
        self.templates(at, &later, &mut unknown);
        self.retain(&mut |kind, meta| !later.contains(&meta.object(kind)));
        for pod in &mut self.pods {
            pods::rewind(pod, at, &words, &mut unknown);
        }
        self.pods.extend(implied::known(&self.events, &gone));
        conditions::nodes(&mut self.nodes, at, &words, &mut unknown);
        self.status(at, &touched, &mut unknown);
        facts::rewind(self, at, &mut unknown);
        // Whatever was deleted since is in no list.
        self.coverage = Coverage::default();
        self.newest = Some(at);
        unknown.blind(at, now)
    }

    /// Namespaces in which pods came, went or changed later.
    fn touched(&self, events: &[ClusterEvent], now: Timestamp, at: Timestamp) -> BTreeSet<Text> {
        let changed =
            self.pods.iter().filter(|p| pods::last_change(p, now).is_some_and(|t| t > at));
        let mut touched: BTreeSet<Text> = changed.map(|p| p.meta.namespace.clone()).collect();
        let later = events.iter().filter(|e| e.last.resolve(now).is_some_and(|t| t > at));
        let about_pods = later.filter_map(|e| e.about.as_ref()).filter(|o| o.kind == Kind::Pod);
        touched.extend(about_pods.map(|o| o.namespace.clone()));
        touched
    }

    /// Objects that were made later.
    fn made_later(&mut self, now: Timestamp, at: Timestamp) -> BTreeSet<ObjectRef> {
        let mut later = BTreeSet::new();
        self.retain(&mut |kind, meta| {
            if created(meta, now).is_some_and(|c| c > at) {
                later.insert(meta.object(kind));
            }
            true
        });
        later
    }

    /// Keeps of every table the rows that are wanted.
    fn retain(&mut self, keep: &mut dyn FnMut(Kind, &Meta) -> bool) {
        let Builder {
            pods,
            nodes,
            workloads,
            services,
            backends,
            ingresses,
            policies,
            scalers,
            claims,
            volumes,
            storage_classes,
            quotas,
            limit_ranges,
            roles,
            bindings,
            certificates,
            leases,
            availability,
            webhooks,
            named,
            ..
        } = self;
        let slice = |is: bool| if is { Kind::EndpointSlice } else { Kind::Endpoints };
        pods.retain(|o| keep(Kind::Pod, &o.meta));
        nodes.retain(|o| keep(Kind::Node, &o.meta));
        workloads.retain(|o| keep(o.kind, &o.meta));
        services.retain(|o| keep(Kind::Service, &o.meta));
        backends.retain(|o| keep(slice(o.is_slice), &o.meta));
        ingresses.retain(|o| keep(Kind::Ingress, &o.meta));
        policies.retain(|o| keep(Kind::NetworkPolicy, &o.meta));
        scalers.retain(|o| keep(Kind::HorizontalPodAutoscaler, &o.meta));
        claims.retain(|o| keep(Kind::PersistentVolumeClaim, &o.meta));
        volumes.retain(|o| keep(Kind::PersistentVolume, &o.meta));
        storage_classes.retain(|o| keep(Kind::StorageClass, &o.meta));
        quotas.retain(|o| keep(Kind::ResourceQuota, &o.meta));
        limit_ranges.retain(|o| keep(Kind::LimitRange, &o.meta));
        roles.retain(|o| keep(o.kind, &o.meta));
        bindings.retain(|o| keep(o.kind, &o.meta));
        certificates.retain(|o| keep(o.kind, &o.meta));
        leases.retain(|o| keep(Kind::Lease, &o.meta));
        availability.retain(|o| keep(o.kind, &o.meta));
        webhooks.retain(|o| keep(o.kind, &o.meta));
        named.retain(|o| keep(o.kind, &o.meta));
    }

    /// Pods that were not read, and of which something was said both before and after: they
    /// were certainly there.
    fn gone_since(
        &self,
        events: &[ClusterEvent],
        now: Timestamp,
        at: Timestamp,
    ) -> BTreeSet<ObjectRef> {
        let read: BTreeSet<(&Text, &Text)> =
            self.pods.iter().map(|p| (&p.meta.namespace, &p.meta.name)).collect();
        let mut sides: BTreeMap<&ObjectRef, (bool, bool)> = BTreeMap::new();
        for event in events {
            let Some(object) = event.about.as_ref().filter(|o| o.kind == Kind::Pod) else {
                continue;
            };
            if read.contains(&(&object.namespace, &object.name)) {
                continue;
            }
            let side = sides.entry(object).or_default();
            side.0 |= event.first.resolve(now).is_some_and(|t| t <= at);
            side.1 |= event.last.resolve(now).is_some_and(|t| t > at);
        }
        let both = sides.into_iter().filter(|(_, (before, after))| *before && *after);
        both.map(|(object, _)| object.clone()).collect()
    }

    /// A Deployment that was rolled out later had the template of its newest set of then.
    fn templates(&mut self, at: Timestamp, later: &BTreeSet<ObjectRef>, unknown: &mut Unknown) {
        let sets: Vec<Arc<Workload>> =
            self.workloads.iter().filter(|w| w.kind == Kind::ReplicaSet).cloned().collect();
        let owner = |set: &Workload| {
            let owner = set.meta.owner.as_ref().filter(|o| o.kind == "Deployment")?;
            Some((set.meta.namespace.clone(), owner.name.clone()))
        };
        let mut newest: BTreeMap<_, (bool, Option<&Arc<Workload>>)> = BTreeMap::new();
        for set in &sets {
            let Some(owner) = owner(set) else { continue };
            let (rolled_out, best) = newest.entry(owner).or_default();
            if later.contains(&set.object()) {
                *rolled_out = true;
            } else if set.meta.created.is_some_and(|c| c <= at)
                && best.is_none_or(|b| b.meta.created < set.meta.created)
            {
                *best = Some(set);
            }
        }
        for w in self.workloads.iter_mut().filter(|w| w.kind == Kind::Deployment) {
            let key = (w.meta.namespace.clone(), w.meta.name.clone());
            let Some((true, Some(set))) = newest.get(&key) else { continue };
            let w = Arc::make_mut(w);
            w.template.clone_from(&set.template);
            w.template_labels = Arc::clone(&set.template_labels);
            let why = "rolled out later; taken from the newest ReplicaSet of then";
            unknown.note("the pod template", why, w.object());
        }
    }

    /// Figures that controllers had written by then.
    fn status(&mut self, at: Timestamp, touched: &BTreeSet<Text>, unknown: &mut Unknown) {
        let changed = "pods came, went or changed later";
        let hides = |meta: &mut Meta| {
            meta.known = meta.known.without(Known::STATUS);
            meta.live = meta.live.without(Known::STATUS);
        };
        let here = |meta: &Meta| touched.contains(&meta.namespace);
        for w in self.workloads.iter_mut() {
            let moved = w.conditions.iter().any(|c| c.since.is_some_and(|t| t > at));
            if moved || here(&w.meta) {
                let w = Arc::make_mut(w);
                hides(&mut w.meta);
                w.conditions = conditions::until(&w.conditions, at);
            }
        }
        self.backends.retain(|b| {
            if here(&b.meta) {
                unknown.note("the addresses behind services", changed, &b.meta.namespace);
            }
            !here(&b.meta)
        });
        for s in self.scalers.iter_mut() {
            let moved = s.conditions.iter().any(|c| c.since.is_some_and(|t| t > at));
            if moved || here(&s.meta) {
                let s = Arc::make_mut(s);
                hides(&mut s.meta);
                s.conditions = conditions::until(&s.conditions, at);
            }
        }
        for q in self.quotas.iter_mut().filter(|q| here(&q.meta)) {
            let q = Arc::make_mut(q);
            hides(&mut q.meta);
            q.used = Default::default();
            unknown.note("what quotas had used", changed, q.meta.object(Kind::ResourceQuota));
        }
        for lease in self.leases.iter_mut().filter(|l| l.renewed.is_some_and(|t| t > at)) {
            // Who renews it later most likely did then; since when is not told.
            unknown.note("renewals of leases", "only the last one is kept", &lease.meta.namespace);
            Arc::make_mut(lease).renewed = None;
        }
        let moved = |c: &crate::Condition| c.since.is_some_and(|t| t > at);
        for a in self.availability.iter_mut().filter(|a| a.conditions.iter().any(moved)) {
            let a = Arc::make_mut(a);
            a.conditions = conditions::until(&a.conditions, at);
        }
        let volumes: BTreeSet<&Text> = self.volumes.iter().map(|v| &v.meta.name).collect();
        for c in self.claims.iter_mut().filter(|c| c.phase == "Bound") {
            // Its volume was made later.
            if !volumes.is_empty() && !volumes.contains(&c.volume) {
                let c = Arc::make_mut(c);
                (c.phase, c.volume) = ("Pending".into(), Text::default());
            }
        }
    }
}

/// When an object was made, also where only its age is known.
fn created(meta: &Meta, now: Timestamp) -> Option<Timestamp> {
    let by_age = || meta.age_seconds.map(|age| now.minus_seconds(i64::from(age)));
    meta.created.or_else(by_age)
}

#[cfg(test)]
mod tests;
