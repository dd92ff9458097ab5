//! ReplicaSets and ReplicationControllers: as many pods as wanted.

use std::collections::BTreeMap;
use std::sync::Arc;

use model::Timestamp;
use serde_json::Value;

use super::work::Work;
use super::{has_ended, is_active, is_ready, owner_of, pods};
use crate::cluster::{Actor, Context};
use crate::field;
use crate::kinds::{Kind, POD, REPLICA_SET, REPLICATION_CONTROLLER};
use crate::registry::Part;
use crate::store::{Change, Object};
use crate::world::{drop_condition, set_condition};

/// Pods made or deleted in one go, per set.
const BURST: usize = 500;

/// The controller of one of the two kinds.
pub(super) struct ReplicaSets {
    kind: &'static Kind,
    component: &'static str,
    work: Work,
}

impl ReplicaSets {
    pub fn of_sets() -> Self {
        let component = "replicaset-controller";
        Self { kind: &REPLICA_SET, component, work: Work::default() }
    }

    pub fn of_controllers() -> Self {
        let component = "replication-controller";
        Self { kind: &REPLICATION_CONTROLLER, component, work: Work::default() }
    }
}

impl Actor for ReplicaSets {
    fn name(&self) -> &str {
        self.component
    }

    fn reads(&self, change: &Change) -> bool {
        change.key.resource == self.kind.storage || change.key.resource == POD.storage
    }

    fn step(&mut self, changes: &[Arc<Change>], context: &mut Context<'_>) {
        let now = context.now();
        for change in changes {
            if change.key.resource == self.kind.storage {
                let place = (change.key.namespace.clone(), change.key.name.clone());
                self.work.add(place, now);
                continue;
            }
            for pod in change.before.iter().chain(&change.after) {
                if let Some(owner) = owner_of(pod, self.kind.kind) {
                    self.work.add(owner, now);
                }
            }
            if let Some(pod) = &change.after {
                for taker in pods::takers(context, self.kind, pod) {
                    self.work.add(taker, now);
                }
            }
        }
        for place in self.work.take(now) {
            let found = context.registry.get(self.kind, &place.0, &place.1).map(Arc::clone);
            let Ok(set) = found else { continue };
            match self.sync(context, &set) {
                Ok(later) => {
                    self.work.forgive(&place);
                    if let Some(at) = later {
                        self.work.add(place, at);
                    }
                }
                Err(_) => self.work.retry(&place, now),
            }
        }
        if let Some(next) = self.work.next() {
            context.wake(next);
        }
    }
}

impl ReplicaSets {
    /// Makes or deletes pods; after the first refusal it makes no more. When to look again.
    fn sync(&self, context: &mut Context<'_>, set: &Object) -> Result<Option<Timestamp>, String> {
        let mine = pods::claim(context, set);
        let active: Vec<_> = mine.iter().filter(|pod| is_active(pod)).cloned().collect();
        let wanted = usize::try_from(field::number(set, "/spec/replicas")).unwrap_or(0);
        let mut done = Ok(());
        if !field::is_deleting(set) {
            for _ in active.len()..wanted.min(active.len() + BURST) {
                let pod = pods::of_template(set);
                done = pods::create(context, self.component, set, pod);
                if done.is_err() {
                    break;
                }
            }
            if active.len() > wanted {
                let surplus = (active.len() - wanted).min(BURST);
                self.delete(context, set, active, surplus);
            }
        }
        let later = self.write_status(context, set, &mine, done.as_ref().err());
        done.map(|()| later)
    }

    fn delete(
        &self,
        context: &mut Context<'_>,
        set: &Object,
        mut active: Vec<Object>,
        surplus: usize,
    ) {
        let mates = mates(context, self.kind, set);
        pods::sort_for_deletion(&mut active, &mates, context.now());
        for pod in active.iter().take(surplus) {
            pods::delete(context, self.component, set, pod);
        }
    }

    /// Counts, and the condition that says why pods are missing. When a pod will be available.
    fn write_status(
        &self,
        context: &mut Context<'_>,
        set: &Object,
        mine: &[Object],
        refusal: Option<&String>,
    ) -> Option<Timestamp> {
        let now = context.now();
        let count = |fits: &dyn Fn(&Value) -> bool| mine.iter().filter(|p| fits(p)).count();
        let patience = field::number(set, "/spec/minReadySeconds");
        let available_at = |pod: &Value| pods::available_at(pod, patience);
        let total = count(&is_active);
        let labelled = count(&|p| is_active(p) && has_all_labels(set, p));
        let ready = count(&|p| is_active(p) && is_ready(p));
        let is_available = |p: &Value| available_at(p).is_some_and(|at| at <= now);
        let available = count(&|p| is_active(p) && is_available(p));
        let leaving = count(&|p| field::is_deleting(p) && !has_ended(p));
        let is_set = self.kind.kind == REPLICA_SET.kind;
        let wanted = usize::try_from(field::number(set, "/spec/replicas"));
        let written = context.registry.modify(self.kind, set, Part::Status, |set| {
            let generation = set["metadata"]["generation"].clone();
            let told = field::condition(set, "ReplicaFailure").is_some();
            // The first refusal stays told: later ones differ in names only.
            if let Some(why) = refusal.filter(|_| !told) {
                let reason = if wanted.is_ok_and(|wanted| total > wanted) {
                    "FailedDelete"
                } else {
                    "FailedCreate"
                };
                set_condition(set, "ReplicaFailure", "True", (reason, why), now);
            } else if refusal.is_none() {
                drop_condition(set, "ReplicaFailure");
            }
            let status = field::child(set, "status");
            status.insert("replicas".into(), total.into());
            if is_set {
                status.insert("terminatingReplicas".into(), leaving.into());
            }
            status.insert("observedGeneration".into(), generation);
            for (key, n) in [
                ("fullyLabeledReplicas", labelled),
                ("readyReplicas", ready),
                ("availableReplicas", available),
            ] {
                match n {
                    0 => drop(status.remove(key)),
                    n => drop(status.insert(key.into(), n.into())),
                }
            }
        });
        // The set may have been removed by its own deletion.
        drop(written);
        let waiting = mine.iter().filter(|pod| is_active(pod));
        waiting.filter_map(|pod| available_at(pod)).filter(|at| *at > now).min()
    }
}

fn has_all_labels(set: &Value, pod: &Value) -> bool {
    let labels = field::map(pod, "/metadata/labels");
    let mut wanted = field::map(set, "/spec/template/metadata/labels").into_iter().flatten();
    wanted.all(|(key, value)| labels.and_then(|labels| labels.get(key)) == Some(value))
}

/// Active pods by node of this set and of those that do the same work.
fn mates(context: &Context<'_>, kind: &Kind, set: &Object) -> BTreeMap<String, usize> {
    let store = &context.registry.store;
    let namespace = field::namespace(set);
    let above = field::controller(set).map(|owner| field::text(owner, "/uid"));
    let uids: Vec<&str> = store
        .in_namespace(kind.storage, namespace)
        .filter(|other| {
            let own = field::controller(other).map(|owner| field::text(owner, "/uid"));
            field::uid(other) == field::uid(set) || above.is_some() && own == above
        })
        .map(|other| field::uid(other))
        .collect();
    let mut mates: BTreeMap<String, usize> = BTreeMap::new();
    for pod in store.in_namespace(POD.storage, namespace).filter(|pod| is_active(pod)) {
        let owner = field::controller(pod).map(|owner| field::text(owner, "/uid"));
        if owner.is_some_and(|owner| uids.contains(&owner)) {
            *mates.entry(field::text(pod, "/spec/nodeName").to_owned()).or_default() += 1;
        }
    }
    mates
}
