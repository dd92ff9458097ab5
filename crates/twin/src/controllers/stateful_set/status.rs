//! Counts of a StatefulSet.

use serde_json::Value;

use super::{Plan, is_running, revision_of};
use crate::cluster::Context;
use crate::field;
use crate::kinds::STATEFUL_SET;
use crate::registry::Part;

/// Pods as they were at the beginning of a sync, and what the sync changed.
#[derive(Debug, Default)]
pub(super) struct Counts {
    pub all: i64,
    pub ready: i64,
    pub available: i64,
    pub current: i64,
    pub updated: i64,
}

impl Counts {
    pub fn of(plan: &Plan) -> Self {
        let mut counts = Self::default();
        for pod in &plan.pods {
            counts.all += 1;
            counts.ready += i64::from(is_running(pod));
            counts.available += i64::from(plan.is_available(pod));
            if !field::is_deleting(pod) {
                counts.current += i64::from(revision_of(pod) == plan.current);
                counts.updated += i64::from(revision_of(pod) == plan.update);
            }
        }
        counts
    }

    /// A pod was made.
    pub fn made(&mut self, revision: &str, plan: &Plan) {
        self.all += 1;
        self.current += i64::from(revision == plan.current);
        self.updated += i64::from(revision == plan.update);
    }

    /// A pod was deleted: it no longer stands for its revision.
    pub fn lost(&mut self, pod: &Value, plan: &Plan) {
        self.current -= i64::from(revision_of(pod) == plan.current);
        self.updated -= i64::from(revision_of(pod) == plan.update);
    }
}

pub(super) fn write(context: &mut Context<'_>, plan: &Plan, counts: &Counts) {
    let rolling = field::text(&plan.set, "/spec/updateStrategy/type") != "OnDelete";
    let over = rolling && counts.updated == counts.all && counts.ready == counts.all;
    let (current, of_current) = match over {
        true => (&plan.update, counts.updated),
        false => (&plan.current, counts.current),
    };
    let written = context.registry.modify(&STATEFUL_SET, &plan.set, Part::Status, |set| {
        let generation = set["metadata"]["generation"].clone();
        let status = field::child(set, "status");
        status.insert("observedGeneration".into(), generation);
        status.insert("replicas".into(), counts.all.into());
        status.insert("collisionCount".into(), 0.into());
        status.insert("availableReplicas".into(), counts.available.into());
        status.insert("currentRevision".into(), current.clone().into());
        status.insert("updateRevision".into(), plan.update.clone().into());
        for (key, n) in [
            ("readyReplicas", counts.ready),
            ("currentReplicas", of_current),
            ("updatedReplicas", counts.updated),
        ] {
            match n {
                0 => drop(status.remove(key)),
                n => drop(status.insert(key.into(), n.into())),
            }
        }
    });
    // The set may have been removed by its own deletion.
    drop(written);
}
