//! How the containers of each workload behave, and which images can still be had.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::usage::Metering;
use crate::field;
use crate::kinds::REPLICA_SET;
use crate::registry::Registry;
use crate::scenario::{Behaviour, Scenario};

/// Behaviours by namespace and name of the workload.
#[derive(Debug)]
pub(crate) struct Behaviours {
    of: BTreeMap<(String, String), Behaviour>,
    lost_images: BTreeSet<String>,
    /// What the metrics service tells.
    pub metering: Metering,
}

impl Behaviours {
    pub fn of(scenario: &Scenario) -> Self {
        let all = scenario.workloads.iter().map(|workload| {
            let key = (workload.namespace.clone(), workload.name.clone());
            (key, workload.behaviour.clone())
        });
        Self { of: all.collect(), lost_images: BTreeSet::new(), metering: Metering::default() }
    }

    /// Changes what containers that start from now on do.
    pub fn change(&mut self, namespace: &str, workload: &str, change: impl FnOnce(&mut Behaviour)) {
        let key = (namespace.to_owned(), workload.to_owned());
        let default = || Behaviour { command: workload.to_owned(), ..Behaviour::default() };
        change(self.of.entry(key).or_insert_with(default));
    }

    /// The registry of an image does not have it any more.
    pub fn lose_image(&mut self, image: String) {
        self.lost_images.insert(image);
    }

    pub fn has_image(&self, image: &str) -> bool {
        !self.lost_images.contains(image)
    }

    /// How the containers of a pod behave. Unknown workloads get a small, quiet default.
    pub fn of_pod(&self, registry: &Registry, pod: &Value) -> Behaviour {
        let key = (field::namespace(pod).to_owned(), workload_of(registry, pod));
        let found = self.of.get(&key).cloned();
        found.unwrap_or_else(|| Behaviour { command: key.1, ..Behaviour::default() })
    }
}

/// Whether a pod belongs to a workload.
pub(super) fn is_of(registry: &Registry, pod: &Value, namespace: &str, workload: &str) -> bool {
    field::namespace(pod) == namespace && workload_of(registry, pod) == workload
}

/// The name of the object that a pod belongs to: its ReplicaSet's Deployment, its owner, itself.
pub(super) fn workload_of(registry: &Registry, pod: &Value) -> String {
    let namespace = field::namespace(pod);
    let Some(owner) = field::controller(pod) else { return field::name(pod).to_owned() };
    let owner = field::text(owner, "/name");
    let set = registry.store.get(REPLICA_SET.storage, namespace, owner);
    let above = set.and_then(|set| field::controller(set)).map(|o| field::text(o, "/name"));
    above.unwrap_or(owner).to_owned()
}
