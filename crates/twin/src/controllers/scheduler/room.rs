//! What is free on each node, and what a pod asks for.

use std::collections::BTreeMap;
use std::sync::Arc;

use model::Quantity;
use serde_json::Value;

use crate::field;
use crate::store::Object;

/// What a pod counts as when it asks for nothing, for comparing nodes only.
const UNASKED_CPU_MILLI: i64 = 100;
const UNASKED_MEMORY: i64 = 200 << 20;

/// A pod's requests.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct Demand {
    pub cpu_milli: i64,
    pub memory_bytes: i64,
    /// Everything else, such as local storage and devices.
    pub others: BTreeMap<String, i64>,
    /// The same with a stand-in for containers that ask for nothing.
    pub weight_cpu: i64,
    pub weight_memory: i64,
}

/// A node and what is taken on it.
#[derive(Debug, Clone)]
pub(super) struct Room {
    pub node: Object,
    pub cpu_milli: i64,
    pub memory_bytes: i64,
    pub others: BTreeMap<String, i64>,
    pub most_pods: i64,
    pub taken: Demand,
    /// The pods here, by uid.
    pub pods: BTreeMap<String, Object>,
    /// How many of them want something of other pods.
    pub choosy: usize,
}

/// Whether a pod wants to be near others, or far from them.
pub(super) fn is_choosy(pod: &Value) -> bool {
    let affinity = &pod["spec"]["affinity"];
    affinity["podAffinity"].is_object() || affinity["podAntiAffinity"].is_object()
}

impl Demand {
    /// Containers run together, after those of the start, which run one by one.
    pub fn of(pod: &Value) -> Self {
        let mut lasting = Self::default();
        let mut start = Self::default();
        for container in field::list(pod, "/spec/initContainers") {
            let own = Self::of_container(container);
            if field::text(container, "/restartPolicy") == "Always" {
                lasting.add(&own);
                start.raise(&lasting);
            } else {
                let mut together = lasting.clone();
                together.add(&own);
                start.raise(&together);
            }
        }
        let mut demand = lasting;
        for container in field::list(pod, "/spec/containers") {
            demand.add(&Self::of_container(container));
        }
        demand.raise(&start);
        if let Some(own) = pod.pointer("/spec/resources").filter(|own| own.is_object()) {
            demand.replace(own);
        }
        if let Some(overhead) = pod.pointer("/spec/overhead") {
            demand.add(&Self::of_amounts(overhead));
        }
        demand
    }

    fn of_container(container: &Value) -> Self {
        let mut own = Self::of_amounts(&container["resources"]["requests"]);
        if own.weight_cpu == 0 {
            own.weight_cpu = UNASKED_CPU_MILLI;
        }
        if own.weight_memory == 0 {
            own.weight_memory = UNASKED_MEMORY;
        }
        own
    }

    fn of_amounts(amounts: &Value) -> Self {
        let mut own = Self::default();
        for (name, amount) in amounts.as_object().into_iter().flatten() {
            let amount = field::amount(Some(amount));
            match name.as_str() {
                "cpu" => own.cpu_milli = amount.milli(),
                "memory" => own.memory_bytes = amount.units(),
                _ => drop(own.others.insert(name.clone(), amount.units())),
            }
        }
        (own.weight_cpu, own.weight_memory) = (own.cpu_milli, own.memory_bytes);
        own
    }

    /// What the pod as a whole asks for stands instead of the sum.
    fn replace(&mut self, own: &Value) {
        let asked = Self::of_amounts(&own["requests"]);
        if asked.cpu_milli > 0 {
            (self.cpu_milli, self.weight_cpu) = (asked.cpu_milli, asked.cpu_milli);
        }
        if asked.memory_bytes > 0 {
            (self.memory_bytes, self.weight_memory) = (asked.memory_bytes, asked.memory_bytes);
        }
    }

    /// Sums stop at the end of the range: manifests may ask for absurd amounts.
    fn add(&mut self, more: &Self) {
        self.join(more, i64::saturating_add);
    }

    fn raise(&mut self, other: &Self) {
        self.join(other, i64::max);
    }

    fn join(&mut self, other: &Self, how: impl Fn(i64, i64) -> i64) {
        self.cpu_milli = how(self.cpu_milli, other.cpu_milli);
        self.memory_bytes = how(self.memory_bytes, other.memory_bytes);
        self.weight_cpu = how(self.weight_cpu, other.weight_cpu);
        self.weight_memory = how(self.weight_memory, other.weight_memory);
        for (name, amount) in &other.others {
            let slot = self.others.entry(name.clone()).or_default();
            *slot = how(*slot, *amount);
        }
    }

    /// What is short on a node, in the scheduler's words.
    pub fn missing(&self, room: &Room) -> Vec<String> {
        let mut missing = Vec::new();
        if room.pods.len() as i64 >= room.most_pods {
            missing.push("Too many pods".to_owned());
        }
        for (name, asked, taken, all) in self.against(room) {
            if asked > 0 && asked > all.saturating_sub(taken) {
                missing.push(format!("Insufficient {name}"));
            }
        }
        missing
    }

    /// Whether even an empty node of this size would be too small.
    pub fn exceeds(&self, room: &Room) -> bool {
        self.against(room).into_iter().any(|(_, asked, _, all)| asked > 0 && asked > all)
    }

    /// Each resource: asked for, taken, and all there is.
    fn against<'a>(&'a self, room: &'a Room) -> Vec<(&'a str, i64, i64, i64)> {
        let mut all = vec![
            ("cpu", self.cpu_milli, room.taken.cpu_milli, room.cpu_milli),
            ("memory", self.memory_bytes, room.taken.memory_bytes, room.memory_bytes),
        ];
        all.extend(self.others.iter().map(|(name, asked)| {
            let of = |map: &BTreeMap<String, i64>| map.get(name).copied().unwrap_or(0);
            (name.as_str(), *asked, of(&room.taken.others), of(&room.others))
        }));
        all
    }
}

impl Room {
    pub fn of(node: &Object) -> Self {
        let amount = |resource: &str| -> Quantity {
            field::quantity(node, &format!("/status/allocatable/{resource}"))
        };
        let all = field::map(node, "/status/allocatable").into_iter().flatten();
        let others = all.filter(|(name, _)| !matches!(name.as_str(), "cpu" | "memory" | "pods"));
        let others =
            others.map(|(name, amount)| (name.clone(), field::amount(Some(amount)).units()));
        Self {
            node: Arc::clone(node),
            cpu_milli: amount("cpu").milli(),
            memory_bytes: amount("memory").units(),
            others: others.collect(),
            most_pods: amount("pods").units(),
            taken: Demand::default(),
            pods: BTreeMap::new(),
            choosy: 0,
        }
    }

    /// Takes over the pods of the node as it was.
    pub fn inherit(&mut self, old: &Self) {
        self.taken = old.taken.clone();
        self.pods = old.pods.clone();
        self.choosy = old.choosy;
    }

    pub fn name(&self) -> &str {
        field::name(&self.node)
    }

    /// The value of one of the node's labels.
    pub fn label(&self, key: &str) -> Option<&str> {
        field::map(&self.node, "/metadata/labels")?.get(key)?.as_str()
    }

    /// Counts a pod in.
    pub fn take(&mut self, pod: &Object) {
        self.free(field::uid(pod));
        self.taken.add(&Demand::of(pod));
        self.choosy += usize::from(is_choosy(pod));
        self.pods.insert(field::uid(pod).to_owned(), Arc::clone(pod));
    }

    /// Counts a pod out.
    pub fn free(&mut self, uid: &str) {
        if let Some(pod) = self.pods.remove(uid) {
            self.taken.join(&Demand::of(&pod), i64::saturating_sub);
            self.choosy -= usize::from(is_choosy(&pod));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_start_counts_if_it_asks_for_more() {
        let container = |cpu: &str, policy: &str| -> Value {
            json!({"resources": {"requests": {"cpu": cpu}}, "restartPolicy": policy})
        };
        let pod = |inits: Value, cpu: &str| -> Value {
            let main = container(cpu, "");
            json!({"spec": {"initContainers": inits, "containers": [main]}})
        };
        for (inits, cpu, expected) in [
            (json!([]), "100m", 100),
            (json!([container("300m", "")]), "100m", 300),
            (json!([container("50m", "Always"), container("300m", "")]), "100m", 350),
            (json!([container("300m", ""), container("50m", "Always")]), "400m", 450),
        ] {
            assert_eq!(Demand::of(&pod(inits, cpu)).cpu_milli, expected);
        }
    }
}
