//! How the containers of each workload behave.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::field;
use crate::kinds::REPLICA_SET;
use crate::registry::Registry;
use crate::scenario::{Behaviour, Memory, Scenario};

/// Behaviours by namespace and name of the workload.
#[derive(Debug)]
pub(crate) struct Behaviours(BTreeMap<(String, String), Behaviour>);

impl Behaviours {
    pub fn of(scenario: &Scenario) -> Self {
        let all = scenario.workloads.iter().map(|workload| {
            let key = (workload.namespace.clone(), workload.name.clone());
            (key, workload.behaviour.clone())
        });
        Self(all.collect())
    }

    /// Changes the memory use of containers that start from now on.
    pub fn change(&mut self, namespace: &str, workload: &str, memory: Memory) {
        let key = (namespace.to_owned(), workload.to_owned());
        self.0.entry(key).or_default().memory = memory;
    }

    /// How the containers of a pod behave. Unknown workloads get a small, quiet default.
    pub fn of_pod(&self, registry: &Registry, pod: &Value) -> Behaviour {
        let namespace = field::namespace(pod);
        let workload = workload_of(registry, pod);
        let found = self.0.get(&(namespace.to_owned(), workload.clone()));
        found.cloned().unwrap_or_else(|| Behaviour { command: workload, ..Behaviour::default() })
    }
}

/// The name of the object that a pod belongs to: its ReplicaSet's Deployment, its owner, itself.
fn workload_of(registry: &Registry, pod: &Value) -> String {
    let namespace = field::namespace(pod);
    let Some(owner) = field::controller(pod) else { return field::name(pod).to_owned() };
    let owner = field::text(owner, "/name");
    let set = registry.store.get(REPLICA_SET.storage, namespace, owner);
    let above = set.and_then(|set| field::controller(set)).map(|o| field::text(o, "/name"));
    above.unwrap_or(owner).to_owned()
}
