//! Pods: where they are and how they are.

use std::sync::Arc;

use serde::Deserialize;
use serde::de::{SeqAccess, Visitor};

use super::container_status::{ContainerState, ContainerStatus};
use super::meta::common_parts;
use super::pod_spec::{PlacedSpec, SpecReader};
use super::{Known, Meta, PodSpec, Record};
use crate::{Condition, List, Text, Timestamp, Truth};

/// A pod.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Pod {
    /// Metadata.
    pub meta: Meta,
    /// What it shall be, shared among pods that are alike.
    pub spec: Arc<PodSpec>,
    /// The node it is on, or empty.
    pub node: Text,
    /// Phase.
    pub phase: Phase,
    /// Reason and message of the pod itself (`Evicted`, `UnexpectedAdmissionError`).
    pub why: Option<Box<(Text, Text)>>,
    /// Whether it takes traffic, and since when that is so.
    pub ready: Option<Ready>,
    /// When the kubelet took it on.
    pub started: Option<Timestamp>,
    /// Conditions that do not hold, and `DisruptionTarget`, which says who takes the pod away.
    pub conditions: List<Condition>,
    /// Containers; left out when all run, are ready and never restarted.
    pub containers: List<ContainerStatus>,
    /// Init containers.
    pub init_containers: List<ContainerStatus>,
    /// The row of a table, where one was read.
    pub summary: Option<Box<Summary>>,
}

/// The `Ready` condition without its words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ready {
    /// Its status.
    pub status: Truth,
    /// Last transition.
    pub since: Option<Timestamp>,
}

/// Phase of a pod.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Deserialize)]
pub enum Phase {
    /// Not all containers have started.
    Pending,
    /// At least one container runs.
    Running,
    /// All ended well.
    Succeeded,
    /// At least one failed for good.
    Failed,
    /// Not known.
    #[default]
    #[serde(other)]
    Unknown,
}

/// What `kubectl get pods` shows of a pod.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Summary {
    /// Ready containers.
    pub ready: u32,
    /// Containers.
    pub containers: u32,
    /// The word under STATUS, e.g. `CrashLoopBackOff`.
    pub status: Text,
    /// Restarts of all containers.
    pub restarts: u32,
    /// How long ago the last restart was.
    pub last_restart_age_seconds: Option<u32>,
}

impl Pod {
    /// Whether it takes traffic; `None` when the input does not say.
    #[inline]
    pub fn is_ready(&self) -> Option<bool> {
        if let Some(ready) = self.ready {
            return Some(ready.status == Truth::True);
        }
        // Where a node lists its pods, a row has figures and no word.
        if let Some(row) = self.summary.as_ref().filter(|row| !row.status.is_empty()) {
            return Some(row.status == "Running" && row.ready == row.containers);
        }
        (!self.containers.is_empty()).then(|| self.containers.iter().all(|c| c.ready))
    }

    /// Whether it has ended for good, so that nobody waits for it.
    #[inline]
    pub fn is_finished(&self) -> bool {
        if self.phase != Phase::Unknown {
            return matches!(self.phase, Phase::Succeeded | Phase::Failed);
        }
        let ended = ["Completed", "Succeeded", "Evicted", "Error"].contains(&self.word());
        ended && self.restarts() == 0
    }

    /// Whether it is to run on: neither finished nor being deleted.
    #[inline]
    pub fn runs_on(&self) -> bool {
        !self.is_finished() && self.meta.deleting.is_none()
    }

    /// The word under STATUS, or empty.
    fn word(&self) -> &str {
        self.summary.as_ref().map_or("", |s| s.status.as_str())
    }

    /// Whether it waits for a node.
    pub fn is_unscheduled(&self) -> bool {
        let word = self.word();
        let unknown = self.phase == Phase::Unknown && word == "Pending";
        // Only a pod on a node has containers that are being made.
        let placed =
            matches!(word, "ContainerCreating" | "PodInitializing") || word.starts_with("Init:");
        (self.phase == Phase::Pending || unknown)
            && self.node.is_empty()
            && !placed
            && self.meta.deleting.is_none()
    }

    /// Restarts of all containers.
    pub fn restarts(&self) -> u32 {
        let counted = self.containers.iter().chain(&self.init_containers).map(|c| c.restarts).sum();
        if counted == 0 { self.summary.as_ref().map_or(0, |s| s.restarts) } else { counted }
    }

    /// The words that say how it is: waiting and ending reasons, then the table's word.
    pub fn words(&self) -> impl Iterator<Item = &str> {
        let all = self.init_containers.iter().chain(&self.containers);
        let states = all.filter_map(|c| match &c.state {
            ContainerState::Waiting(why) => Some(why.0.as_str()),
            ContainerState::Terminated(end) => Some(end.reason.as_str()),
            _ => None,
        });
        let row = self.summary.as_ref().map(|s| s.status.trim_start_matches("Init:"));
        states.chain(row).chain(self.why.as_ref().map(|w| w.0.as_str()))
    }

    /// All container statuses, init containers first.
    pub fn all_containers(&self) -> impl Iterator<Item = &ContainerStatus> {
        self.init_containers.iter().chain(self.containers.iter())
    }
}

#[derive(Deserialize)]
#[serde(bound = "S: Deserialize<'de>")]
struct PodWire<S> {
    metadata: Meta,
    spec: Option<S>,
    status: Option<StatusWire>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct StatusWire {
    phase: Phase,
    reason: Option<Text>,
    message: Option<Text>,
    start_time: Option<Timestamp>,
    conditions: Conditions,
    container_statuses: List<ContainerStatus>,
    init_container_statuses: List<ContainerStatus>,
    summary: Option<Box<Summary>>,
}

/// What is kept of a pod's conditions; most hold, and are dropped where they are read.
#[derive(Default)]
struct Conditions {
    ready: Option<Ready>,
    told: Vec<Condition>,
}

impl<'de> Deserialize<'de> for Conditions {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Items;
        impl<'de> Visitor<'de> for Items {
            type Value = Conditions;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a list of conditions")
            }
            fn visit_unit<E>(self) -> Result<Conditions, E> {
                Ok(Conditions::default())
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Conditions, A::Error> {
                let mut kept = Conditions::default();
                while let Some(c) = seq.next_element::<Condition>()? {
                    if c.kind == "Ready" && kept.ready.is_none() {
                        kept.ready = Some(Ready { status: c.status, since: c.since });
                    }
                    if c.status != Truth::True || c.kind == "DisruptionTarget" {
                        kept.told.push(c);
                    }
                }
                Ok(kept)
            }
        }
        deserializer.deserialize_any(Items)
    }
}

impl Pod {
    /// Decodes a pod; its spec is read by `specs`.
    ///
    /// # Errors
    /// When the object is not shaped as the API shapes it.
    pub fn read<'de, D, S>(deserializer: D, specs: &S) -> Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
        S: SpecReader<'de>,
    {
        let wire = PodWire::<S::Raw>::deserialize(deserializer)?;
        let spec = wire.spec.map(|raw| specs.read::<D::Error>(raw)).transpose()?;
        let PlacedSpec { spec, node } = spec.unwrap_or_default();
        let status = wire.status.unwrap_or_default();
        let Conditions { ready, told } = status.conditions;
        // Nothing was so before the pod was made, whatever a skewed clock wrote.
        let made = wire.metadata.created;
        let earliest = |at: Timestamp| made.map_or(at, |made| at.max(made));
        let ready = ready.map(|r| Ready { since: r.since.map(earliest), ..r });
        let calm = |c: &ContainerStatus| c.is_calm();
        let well = status.container_statuses.iter().all(calm) && status.phase == Phase::Running;
        let well = well && ready.is_some_and(|r| r.status == Truth::True);
        let told_of = |list| if well { List::default() } else { list };
        let why = (status.reason.unwrap_or_default(), status.message.unwrap_or_default());
        Ok(Pod {
            meta: wire.metadata,
            node,
            spec,
            phase: status.phase,
            why: (why != Default::default()).then(|| Box::new(why)),
            ready,
            started: status.start_time,
            conditions: told.into(),
            containers: told_of(status.container_statuses),
            init_containers: told_of(status.init_container_statuses),
            summary: status.summary,
        })
    }
}

impl Record for Pod {
    const SHOWN_BY: &'static [(Known, &'static [&'static str])] = common_parts![
        (Known::SPEC, &["/spec/containers"]),
        (Known::PLACEMENT, &["/spec/affinity", "/spec/imagePullSecrets"]),
        (Known::PLACE, &["/spec/nodeName"]),
        (Known::STATUS, &["/status/phase", "/status/containerStatuses"]),
        (Known::CONDITIONS, &["/status/conditions"]),
        (Known::SUMMARY, &["/status/summary"]),
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
            Known::SPEC => {
                let old = std::mem::replace(&mut self.spec, Arc::clone(&other.spec));
                if !other.meta.known.has(Known::PLACEMENT) && self.meta.known.has(Known::PLACEMENT)
                {
                    Arc::make_mut(&mut self.spec).take_placement(&old);
                }
            }
            Known::PLACEMENT => Arc::make_mut(&mut self.spec).take_placement(&other.spec),
            Known::PLACE => self.node.clone_from(&other.node),
            Known::STATUS => {
                self.phase = other.phase;
                self.why.clone_from(&other.why);
                self.started = other.started.or(self.started);
                // The row of a table has a phase, but does not show the containers.
                let is_row = other.summary.is_some() && other.containers.is_empty();
                if !is_row {
                    self.containers.clone_from(&other.containers);
                    self.init_containers.clone_from(&other.init_containers);
                }
            }
            Known::CONDITIONS => {
                self.conditions.clone_from(&other.conditions);
                let since = self.ready.filter(|r| Some(r.status) == other.ready.map(|o| o.status));
                let since = since.and_then(|r| r.since);
                let new = other.ready;
                self.ready = new.map(|r| Ready { since: r.since.or(since), ..r });
            }
            Known::SUMMARY => self.summary.clone_from(&other.summary),
            _ => {}
        }
    }
}
