//! Pod garbage: pods of nodes that are gone, of nodes declared out of service, pods that were
//! to go before they had a node, and the oldest of too many that have ended.
//!
//! It must never touch a pod whose node is only silent.

use std::collections::BTreeMap;
use std::sync::Arc;

use model::Timestamp;
use serde_json::Value;

use super::has_ended;
use crate::cluster::{Actor, Context};
use crate::field;
use crate::kernel::{SECOND, plus};
use crate::kinds::{NODE, POD};
use crate::registry::{DeleteOptions, Part};
use crate::store::{Change, Object};
use crate::world::set_condition;

/// All pods are looked at this often.
const PERIOD: i64 = 20 * SECOND;
/// A node is believed to be gone after this long.
const QUARANTINE: i64 = 40 * SECOND;
/// So many pods that have ended are kept.
const MOST_ENDED: usize = 12_500;
const OUT_OF_SERVICE: &str = "node.kubernetes.io/out-of-service";

/// The controller.
#[derive(Debug, Default, Clone)]
pub(super) struct PodGarbage {
    /// The first pass; the others follow every 20 s.
    anchor: Option<Timestamp>,
    /// Nodes that are missing, and until when they are waited for.
    missing: BTreeMap<String, Timestamp>,
    /// What was told since the last pass may leave something to do.
    stirred: bool,
}

impl Actor for PodGarbage {
    fn name(&self) -> &str {
        "pod-garbage-collector"
    }

    fn reads(&self, change: &Change) -> bool {
        match (&change.before, &change.after) {
            (_, None) => change.key.resource == NODE.storage,
            (None, Some(pod)) if change.key.resource == POD.storage => {
                !field::text(pod, "/spec/nodeName").is_empty() || has_ended(pod)
            }
            (Some(old), Some(pod)) if change.key.resource == POD.storage => {
                let stirs = |pod: &Value| field::is_deleting(pod) || has_ended(pod);
                stirs(pod) && !stirs(old)
            }
            (_, Some(node)) if change.key.resource == NODE.storage => is_out_of_service(node),
            _ => false,
        }
    }

    fn step(&mut self, changes: &[Arc<Change>], context: &mut Context<'_>) {
        let now = context.now();
        let anchor = *self.anchor.get_or_insert(now);
        self.stirred |= !changes.is_empty();
        let passed = now.micros() - anchor.micros();
        if passed % PERIOD == 0 && (self.stirred || !self.missing.is_empty()) {
            self.stirred = false;
            self.pass(context);
        }
        if self.stirred || !self.missing.is_empty() {
            context.wake(plus(anchor, (passed / PERIOD + 1) * PERIOD));
        }
    }
}

impl PodGarbage {
    fn pass(&mut self, context: &mut Context<'_>) {
        let now = context.now();
        let pods: Vec<Object> =
            context.registry.store.table(POD.storage).values().cloned().collect();
        let mut ended: Vec<&Object> = pods.iter().filter(|pod| has_ended(pod)).collect();
        if let Some(many) = ended.len().checked_sub(MOST_ENDED) {
            ended.sort_by_key(|pod| field::time(pod, "/metadata/creationTimestamp"));
            for pod in ended.iter().take(many) {
                delete(context, pod);
            }
        }
        for pod in pods.iter().filter(|pod| field::is_deleting(pod)) {
            let node = field::text(pod, "/spec/nodeName");
            let found = context.registry.get(&NODE, "", node).ok();
            let unplaced = node.is_empty();
            if unplaced || found.is_some_and(|node| is_out_of_service(node)) {
                delete(context, pod);
            }
        }
        self.collect(context, &pods, now);
    }

    /// Pods whose node has been missing for long enough.
    fn collect(&mut self, context: &mut Context<'_>, pods: &[Object], now: Timestamp) {
        let mut orphans: BTreeMap<&str, Vec<&Object>> = BTreeMap::new();
        for pod in pods {
            let node = field::text(pod, "/spec/nodeName");
            if !node.is_empty() && context.registry.get(&NODE, "", node).is_err() {
                orphans.entry(node).or_default().push(pod);
            }
        }
        self.missing.retain(|node, _| orphans.contains_key(node.as_str()));
        for (node, pods) in orphans {
            let until = *self.missing.entry(node.to_owned()).or_insert(plus(now, QUARANTINE));
            if until > now {
                continue;
            }
            // What could not be deleted is tried again after another wait.
            self.missing.insert(node.to_owned(), plus(now, QUARANTINE));
            for pod in pods {
                fail_and_delete(context, pod, now);
            }
        }
    }
}

fn is_out_of_service(node: &Value) -> bool {
    let taints = field::list(node, "/spec/taints");
    let tainted = taints.iter().any(|taint| field::text(taint, "/key") == OUT_OF_SERVICE);
    tainted && !field::condition_is(node, "Ready", "True")
}

/// A pod without a node has failed; only then is it deleted.
fn fail_and_delete(context: &mut Context<'_>, pod: &Object, now: Timestamp) {
    if !has_ended(pod) {
        let failed = context.registry.modify(&POD, pod, Part::Status, |pod| {
            let told = ("DeletionByPodGC", "PodGC: node no longer exists");
            set_condition(pod, "DisruptionTarget", "True", told, now);
            field::child(pod, "status").insert("phase".into(), "Failed".into());
        });
        if failed.is_err() {
            return;
        }
    }
    delete(context, pod);
}

fn delete(context: &mut Context<'_>, pod: &Object) {
    let options = DeleteOptions {
        grace_seconds: Some(0),
        uid: Some(field::uid(pod).to_owned()),
        ..DeleteOptions::default()
    };
    // One that is refused is tried again at a later pass.
    drop(context.registry.delete(&POD, field::namespace(pod), field::name(pod), &options));
}
