//! Nodes.

use serde::Deserialize;

use super::meta::common_parts;
use super::{Known, Meta, Record};
use crate::{Condition, List, Resources, Text, Timestamp, Truth};

/// A node.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Node {
    /// Metadata.
    pub meta: Meta,
    /// Whether new pods are kept away (cordoned).
    pub unschedulable: bool,
    /// Taints.
    pub taints: List<Taint>,
    /// What the machine has.
    pub capacity: Resources,
    /// What pods may use of it.
    pub allocatable: Resources,
    /// What pods have requested, where `describe` printed the sum.
    pub requested: Resources,
    /// Conditions.
    pub conditions: List<Condition>,
    /// Kubelet version.
    pub kubelet_version: Text,
    /// Container runtime and version.
    pub runtime: Text,
    /// Version of the machine's kernel.
    pub kernel: Text,
}

/// A taint.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Taint {
    /// Key.
    pub key: Text,
    /// Value.
    pub value: Option<Text>,
    /// `NoSchedule`, `PreferNoSchedule` or `NoExecute`.
    pub effect: Text,
    /// When it was put on.
    pub time_added: Option<Timestamp>,
}

impl Taint {
    /// As `kubectl` writes it: `dedicated=batch:NoSchedule`.
    pub fn text(&self) -> String {
        match self.value.as_deref().filter(|v| !v.is_empty()) {
            Some(value) => format!("{}={value}:{}", self.key, self.effect),
            None => format!("{}:{}", self.key, self.effect),
        }
    }
}

impl Node {
    /// Forgets when it was heard of what is well: that changes all the time and tells nothing.
    pub(crate) fn forget_heartbeats(&mut self) {
        let is_well = |c: &Condition| match c.status {
            Truth::True => c.kind == "Ready",
            Truth::False => c.kind != "Ready",
            Truth::Unknown => false,
        };
        if self.conditions.iter().any(|c| c.heartbeat.is_some() && is_well(c)) {
            let mut conditions = self.conditions.to_vec();
            conditions.iter_mut().filter(|c| is_well(c)).for_each(|c| c.heartbeat = None);
            self.conditions = conditions.into();
        }
    }

    /// The condition of this type.
    pub fn condition(&self, kind: &str) -> Option<&Condition> {
        self.conditions.iter().find(|c| c.kind == kind)
    }

    /// The `Ready` status; `None` when the input does not say.
    pub fn ready(&self) -> Option<Truth> {
        self.condition("Ready").map(|c| c.status)
    }

    /// Its zone, or empty.
    pub fn zone(&self) -> &str {
        let label = |key| self.meta.labels.get(key);
        label("topology.kubernetes.io/zone")
            .or_else(|| label("failure-domain.beta.kubernetes.io/zone"))
            .unwrap_or_default()
    }

    /// Whether it runs the control plane.
    pub fn is_control_plane(&self) -> bool {
        let role = |r: &str| self.meta.labels.get(r).is_some();
        let old = self.meta.labels.get("kubernetes.io/role");
        role("node-role.kubernetes.io/control-plane")
            || role("node-role.kubernetes.io/master")
            || old.is_some_and(|r| r == "master" || r == "control-plane")
    }

    /// Whether new pods are kept away from it: marked so, or by the taint that goes with it.
    pub fn is_cordoned(&self) -> bool {
        self.unschedulable
            || self.taints.iter().any(|t| t.key == "node.kubernetes.io/unschedulable")
    }
}

#[derive(Deserialize)]
struct NodeWire {
    metadata: Meta,
    spec: Option<SpecWire>,
    status: Option<StatusWire>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct SpecWire {
    unschedulable: bool,
    taints: List<Taint>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct StatusWire {
    capacity: Resources,
    allocatable: Resources,
    allocated_requests: Resources,
    conditions: List<Condition>,
    node_info: Option<InfoWire>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct InfoWire {
    kubelet_version: Text,
    container_runtime_version: Text,
    kernel_version: Text,
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let wire = NodeWire::deserialize(deserializer)?;
        let spec = wire.spec.unwrap_or_default();
        let status = wire.status.unwrap_or_default();
        let info = status.node_info.unwrap_or_default();
        Ok(Node {
            meta: wire.metadata,
            unschedulable: spec.unschedulable,
            taints: spec.taints,
            capacity: status.capacity,
            allocatable: status.allocatable,
            requested: status.allocated_requests,
            conditions: status.conditions,
            kubelet_version: info.kubelet_version,
            runtime: info.container_runtime_version,
            kernel: info.kernel_version,
        })
    }
}

impl Record for Node {
    const SHOWN_BY: &'static [(Known, &'static [&'static str])] = common_parts![
        (Known::PLACE, &["/spec/taints"]),
        (Known::SPEC, &["/spec/unschedulable"]),
        (Known::STATUS, &["/status/allocatable", "/status/capacity"]),
        (Known::CONDITIONS, &["/status/conditions"]),
        (Known::SUMMARY, &["/status/nodeInfo"]),
        (Known::REPLICAS, &["/status/allocatedRequests"]),
        (Known::EVENTS, &["/eventsShown"]),
    ];

    fn meta(&self) -> &Meta {
        &self.meta
    }

    fn meta_mut(&mut self) -> &mut Meta {
        &mut self.meta
    }

    fn take(&mut self, part: Known, other: &Self) {
        match part {
            Known::PLACE => self.taints.clone_from(&other.taints),
            Known::SPEC => self.unschedulable = other.unschedulable,
            Known::STATUS => {
                self.capacity.clone_from(&other.capacity);
                self.allocatable.clone_from(&other.allocatable);
            }
            Known::CONDITIONS => {
                // A table only knows Ready; it must not wipe out what describe has shown.
                let kept = self
                    .conditions
                    .iter()
                    .filter(|c| !other.conditions.iter().any(|o| o.kind == c.kind));
                let kept: Vec<Condition> = kept.cloned().collect();
                let richer = |new: &Condition| {
                    let old = self.conditions.iter().find(|c| c.kind == new.kind);
                    // `NotReady` of a row, read as False, may stand for Unknown.
                    let says = |o: &Condition| match new.status {
                        Truth::False => o.status != Truth::True,
                        status => o.status == status,
                    };
                    let same = old.filter(|o| new.reason().is_empty() && says(o));
                    same.unwrap_or(new).clone()
                };
                let new: Vec<Condition> = other.conditions.iter().map(richer).collect();
                self.conditions = new.into_iter().chain(kept).collect();
            }
            Known::SUMMARY => {
                if !other.kubelet_version.is_empty() {
                    self.kubelet_version.clone_from(&other.kubelet_version);
                }
                if !other.runtime.is_empty() {
                    self.runtime.clone_from(&other.runtime);
                }
                if !other.kernel.is_empty() {
                    self.kernel.clone_from(&other.kernel);
                }
            }
            Known::REPLICAS => self.requested.clone_from(&other.requested),
            _ => {}
        }
    }
}
