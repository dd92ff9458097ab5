//! What is free on each node, and what a pod asks for.

use std::collections::BTreeMap;
use std::sync::Arc;

use model::Quantity;
use serde_json::Value;

use crate::controllers::has_ended;
use crate::field;
use crate::kinds::{NODE, POD};
use crate::registry::Registry;
use crate::store::Object;

/// What a pod counts as when it asks for nothing, for comparing nodes only.
const UNASKED_CPU_MILLI: i64 = 100;
const UNASKED_MEMORY: i64 = 200 << 20;

/// A pod's requests.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Demand {
    pub cpu_milli: i64,
    pub memory_bytes: i64,
    /// The same with a stand-in for containers that ask for nothing.
    pub weight_cpu: i64,
    pub weight_memory: i64,
}

/// A node and what is taken on it.
#[derive(Debug)]
pub(super) struct Room {
    pub node: Object,
    pub cpu_milli: i64,
    pub memory_bytes: i64,
    pub pods: i64,
    pub taken: Demand,
    pub taken_pods: i64,
    /// How many pods of each controlling owner are here, by its uid.
    pub owners: BTreeMap<String, i64>,
}

impl Demand {
    pub fn of(pod: &Value) -> Self {
        let mut demand = Self::default();
        for container in field::list(pod, "/spec/containers") {
            let cpu = field::quantity(container, "/resources/requests/cpu").milli();
            let memory = field::quantity(container, "/resources/requests/memory").units();
            demand.add(&Self {
                cpu_milli: cpu,
                memory_bytes: memory,
                weight_cpu: if cpu > 0 { cpu } else { UNASKED_CPU_MILLI },
                weight_memory: if memory > 0 { memory } else { UNASKED_MEMORY },
            });
        }
        demand
    }

    /// Sums stop at the end of the range: manifests may ask for absurd amounts.
    fn add(&mut self, more: &Self) {
        self.cpu_milli = self.cpu_milli.saturating_add(more.cpu_milli);
        self.memory_bytes = self.memory_bytes.saturating_add(more.memory_bytes);
        self.weight_cpu = self.weight_cpu.saturating_add(more.weight_cpu);
        self.weight_memory = self.weight_memory.saturating_add(more.weight_memory);
    }

    /// What is short on a node, in the scheduler's words.
    pub fn missing(&self, room: &Room) -> Vec<String> {
        let mut missing = Vec::new();
        if room.taken_pods >= room.pods {
            missing.push("Too many pods".to_owned());
        }
        let cpu = room.taken.cpu_milli.saturating_add(self.cpu_milli);
        if self.cpu_milli > 0 && cpu > room.cpu_milli {
            missing.push("Insufficient cpu".to_owned());
        }
        let memory = room.taken.memory_bytes.saturating_add(self.memory_bytes);
        if self.memory_bytes > 0 && memory > room.memory_bytes {
            missing.push("Insufficient memory".to_owned());
        }
        missing
    }

    /// Whether even an empty node of this size would be too small.
    pub fn exceeds(&self, room: &Room) -> bool {
        self.cpu_milli > room.cpu_milli || self.memory_bytes > room.memory_bytes
    }
}

impl Room {
    /// All nodes with their pods.
    pub fn all(registry: &Registry) -> BTreeMap<String, Self> {
        let nodes = registry.store.table(NODE.storage).values();
        let mut rooms: BTreeMap<String, Self> =
            nodes.map(|node| (field::name(node).to_owned(), Self::of(node))).collect();
        for pod in registry.store.table(POD.storage).values().filter(|pod| !has_ended(pod)) {
            if let Some(room) = rooms.get_mut(field::text(pod, "/spec/nodeName")) {
                room.take(pod, &Demand::of(pod));
            }
        }
        rooms
    }

    fn of(node: &Object) -> Self {
        let amount = |resource: &str| -> Quantity {
            field::quantity(node, &format!("/status/allocatable/{resource}"))
        };
        Self {
            node: Arc::clone(node),
            cpu_milli: amount("cpu").milli(),
            memory_bytes: amount("memory").units(),
            pods: amount("pods").units(),
            taken: Demand::default(),
            taken_pods: 0,
            owners: BTreeMap::new(),
        }
    }

    /// Counts a pod in.
    pub fn take(&mut self, pod: &Value, demand: &Demand) {
        self.taken.add(demand);
        self.taken_pods += 1;
        if let Some(owner) = field::controller(pod) {
            *self.owners.entry(field::text(owner, "/uid").to_owned()).or_default() += 1;
        }
    }
}
