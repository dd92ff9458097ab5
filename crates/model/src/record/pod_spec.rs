//! Pod specs, normalised so that a workload's template and its pods compare equal.

use std::sync::Arc;

use serde::Deserialize;

use crate::record::volume::VolumeWire;
use crate::record::{Container, Env, Volume};
use crate::{Labels, List, Requirement, Selector, Shared, Text};

/// What a pod shall be. The node it is on is not part of it; neither is what the API server
/// adds by itself (the token volume, the two default tolerations).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct PodSpec {
    /// Containers, in order.
    pub containers: List<Container>,
    /// Init containers, in order.
    pub init_containers: List<Container>,
    /// Labels a node must have.
    pub node_selector: Labels,
    /// Affinity rules.
    pub affinity: Option<Box<Affinity>>,
    /// Taints it accepts.
    pub tolerations: List<Toleration>,
    /// Rules for spreading that can hold a pod back.
    pub spread: List<Spread>,
    /// Volumes.
    pub volumes: List<Volume>,
    /// Service account; empty means `default`.
    pub service_account: Text,
    /// Scheduler; empty means the default one.
    pub scheduler: Text,
    /// Priority class.
    pub priority_class: Text,
    /// Runtime class.
    pub runtime_class: Text,
    /// Secrets for pulling images.
    pub pull_secrets: List<Text>,
    /// Gates that hold it back from scheduling.
    pub scheduling_gates: List<Text>,
    /// Whether it shares the node's network.
    pub host_network: bool,
    /// `Always`, `OnFailure` or `Never`.
    pub restart_policy: Text,
    /// `ClusterFirst` (also when empty), `ClusterFirstWithHostNet`, `Default` or `None`.
    pub dns_policy: Text,
    /// Name servers of its own.
    pub dns_servers: List<Text>,
    /// From how many dots on a name is asked for as it is, if stated.
    pub ndots: Option<u8>,
    /// User all containers run as, if stated.
    pub run_as_user: Option<i64>,
    /// Group that volumes are handed to, if stated.
    pub fs_group: Option<i64>,
}

/// Affinity rules that are required (preferences never hold a pod back).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Affinity {
    /// Nodes: one of the terms must hold; empty means any node.
    pub nodes: List<NodeTerm>,
    /// Pods it must be beside.
    pub pods: List<PodTerm>,
    /// Pods it must not be beside.
    pub anti: List<PodTerm>,
}

/// One alternative of a node affinity.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct NodeTerm {
    /// On labels.
    pub match_expressions: List<Requirement>,
    /// On fields (`metadata.name`).
    pub match_fields: List<Requirement>,
}

/// One rule about other pods.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct PodTerm {
    /// Which pods.
    pub label_selector: Option<Selector>,
    /// Node label that says what "beside" means.
    pub topology_key: Text,
    /// Their namespaces; empty means the pod's own.
    pub namespaces: List<Text>,
}

/// A taint that is accepted.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Toleration {
    /// Key; empty with `Exists` means all.
    pub key: Text,
    /// `Equal` (default) or `Exists`.
    pub operator: Text,
    /// Value for `Equal`.
    pub value: Text,
    /// Effect; empty means all.
    pub effect: Text,
    /// How long a NoExecute taint is borne.
    pub toleration_seconds: Option<i64>,
}

impl Toleration {
    /// Whether it accepts this taint.
    pub fn tolerates(&self, taint: &crate::record::Taint) -> bool {
        let effect = self.effect.is_empty() || self.effect == taint.effect;
        let exists = self.operator == "Exists";
        let key = self.key == taint.key || (self.key.is_empty() && exists);
        effect && key && (exists || self.value == taint.value.as_deref().unwrap_or_default())
    }
}

impl NodeTerm {
    /// Whether a node of this name and these labels is meant. An empty term means no node.
    pub fn admits(&self, name: &str, labels: &Labels) -> bool {
        let some = !self.match_expressions.is_empty() || !self.match_fields.is_empty();
        some && self.match_expressions.iter().all(|r| r.met_by(labels.get(&r.key)))
            && self.match_fields.iter().all(|r| r.met_by(Some(name)))
    }
}

/// A rule for spreading pods.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Spread {
    /// Largest difference allowed.
    pub max_skew: i32,
    /// Node label that says what a domain is.
    pub topology_key: Text,
    /// `DoNotSchedule` or `ScheduleAnyway`.
    pub when_unsatisfiable: Text,
    /// Which pods are counted.
    pub label_selector: Option<Selector>,
}

/// A pod spec with the node it is bound to, which is no part of what pods share.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(from = "PodSpecWire")]
pub struct PlacedSpec {
    /// The spec.
    pub spec: Arc<PodSpec>,
    /// The node, or empty.
    pub node: Text,
}

impl From<PodSpecWire> for PlacedSpec {
    fn from(mut wire: PodSpecWire) -> Self {
        let node = std::mem::take(&mut wire.node_name);
        PlacedSpec { spec: Arc::new(wire.into()), node }
    }
}

/// How the spec inside a pod or a template is read: specs are most of the bytes of a large
/// capture and few of them differ, so a reader may know one by its bytes.
pub trait SpecReader<'de> {
    /// What the format hands over.
    type Raw: Deserialize<'de>;

    /// The spec in it.
    ///
    /// # Errors
    /// When it is not shaped as the API shapes it.
    fn read<E: serde::de::Error>(&self, raw: Self::Raw) -> Result<PlacedSpec, E>;
}

/// Reads every spec anew.
#[derive(Clone, Copy, Debug, Default)]
pub struct EverySpec;

impl<'de> SpecReader<'de> for EverySpec {
    type Raw = PlacedSpec;

    fn read<E: serde::de::Error>(&self, raw: PlacedSpec) -> Result<PlacedSpec, E> {
        Ok(raw)
    }
}

/// A pod spec as on the wire.
#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct PodSpecWire {
    containers: List<Container>,
    init_containers: List<Container>,
    node_selector: Labels,
    affinity: Option<AffinityWire>,
    tolerations: List<Toleration>,
    topology_spread_constraints: List<Spread>,
    volumes: List<VolumeWire>,
    service_account_name: Text,
    scheduler_name: Text,
    priority_class_name: Text,
    runtime_class_name: Option<Text>,
    image_pull_secrets: List<NameOnly>,
    scheduling_gates: List<NameOnly>,
    host_network: bool,
    restart_policy: Text,
    dns_policy: Text,
    dns_config: Option<DnsConfig>,
    security_context: Option<Security>,
    node_name: Text,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct NameOnly {
    name: Text,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct DnsConfig {
    nameservers: List<Text>,
    options: List<DnsOption>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct DnsOption {
    name: Text,
    value: Option<Text>,
}

impl DnsConfig {
    fn ndots(&self) -> Option<u8> {
        let option = self.options.iter().find(|o| o.name == "ndots")?;
        option.value.as_deref()?.parse().ok()
    }
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Security {
    run_as_user: Option<i64>,
    fs_group: Option<i64>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct AffinityWire {
    node_affinity: Option<NodeAffinityWire>,
    pod_affinity: Option<PodAffinityWire>,
    pod_anti_affinity: Option<PodAffinityWire>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct NodeAffinityWire {
    required_during_scheduling_ignored_during_execution: Option<TermsWire>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct TermsWire {
    pub(crate) node_selector_terms: List<NodeTerm>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct PodAffinityWire {
    required_during_scheduling_ignored_during_execution: List<PodTerm>,
}

impl AffinityWire {
    fn required(self) -> Option<Box<Affinity>> {
        let pods = |w: Option<PodAffinityWire>| {
            w.unwrap_or_default().required_during_scheduling_ignored_during_execution
        };
        let nodes = self.node_affinity.unwrap_or_default();
        let nodes = nodes.required_during_scheduling_ignored_during_execution.unwrap_or_default();
        let affinity = Affinity {
            nodes: nodes.node_selector_terms,
            pods: pods(self.pod_affinity),
            anti: pods(self.pod_anti_affinity),
        };
        (affinity != Affinity::default()).then(|| Box::new(affinity))
    }
}

/// The scheduler of pods that name none.
const DEFAULT_SCHEDULER: &str = "default-scheduler";

/// The two tolerations that the API server gives to every pod.
fn is_default_toleration(t: &Toleration) -> bool {
    t.effect == "NoExecute"
        && t.toleration_seconds == Some(300)
        && (t.key == "node.kubernetes.io/not-ready" || t.key == "node.kubernetes.io/unreachable")
}

impl From<PodSpecWire> for PodSpec {
    fn from(w: PodSpecWire) -> Self {
        let token = |name: &Text| name.starts_with("kube-api-access-");
        let slim = |containers: List<Container>| -> List<Container> {
            let strip = |mut c: Container| {
                if c.volume_mounts.iter().any(|m| token(&m.name)) {
                    let mounts = c.volume_mounts.iter().filter(|m| !token(&m.name));
                    c.volume_mounts = Shared::new(mounts.cloned().collect());
                }
                if c.env.iter().any(|e| !e.tells() || e.is_secret()) {
                    c.env = Shared::new(c.env.iter().filter_map(Env::kept).collect());
                }
                c
            };
            containers.into_iter().map(strip).collect()
        };
        let names = |list: List<NameOnly>| list.into_iter().map(|n| n.name).collect();
        let security = w.security_context.unwrap_or_default();
        let dns = w.dns_config.unwrap_or_default();
        let tolerations = w.tolerations.into_iter();
        let spread = w.topology_spread_constraints.into_iter();
        let volumes = w.volumes.into_iter().filter(|v| !token(&v.name));
        PodSpec {
            containers: slim(w.containers),
            init_containers: slim(w.init_containers),
            node_selector: w.node_selector,
            affinity: w.affinity.and_then(AffinityWire::required),
            tolerations: tolerations.filter(|t| !is_default_toleration(t)).collect(),
            spread: spread.filter(|s| s.when_unsatisfiable != "ScheduleAnyway").collect(),
            volumes: volumes.map(Volume::from).collect(),
            service_account: w.service_account_name,
            scheduler: Some(w.scheduler_name)
                .filter(|s| s != DEFAULT_SCHEDULER)
                .unwrap_or_default(),
            priority_class: w.priority_class_name,
            runtime_class: w.runtime_class_name.unwrap_or_default(),
            pull_secrets: names(w.image_pull_secrets),
            scheduling_gates: names(w.scheduling_gates),
            host_network: w.host_network,
            restart_policy: w.restart_policy,
            dns_policy: w.dns_policy,
            ndots: dns.ndots(),
            dns_servers: dns.nameservers,
            run_as_user: security.run_as_user,
            fs_group: security.fs_group,
        }
    }
}

impl PodSpec {
    /// The sum of requests for `resource` as the scheduler counts it: all containers together,
    /// or the largest init container when that is more.
    pub fn requests(&self, resource: &str) -> crate::Quantity {
        let of = |c: &Container| c.resources.requests.get(resource);
        let of = |c: &Container| of(c).unwrap_or_else(|| c.resources.limits.amount(resource));
        let sum = self.containers.iter().map(of).fold(Default::default(), crate::Quantity::plus);
        self.init_containers.iter().map(of).fold(sum, Ord::max)
    }

    /// All containers, init containers first, as they start.
    pub fn all_containers(&self) -> impl Iterator<Item = &Container> {
        self.init_containers.iter().chain(self.containers.iter())
    }

    /// Copies what `describe` does not print.
    pub(crate) fn take_placement(&mut self, other: &PodSpec) {
        self.affinity.clone_from(&other.affinity);
        self.spread.clone_from(&other.spread);
        self.pull_secrets.clone_from(&other.pull_secrets);
        self.scheduler.clone_from(&other.scheduler);
        self.dns_policy.clone_from(&other.dns_policy);
        self.dns_servers.clone_from(&other.dns_servers);
        self.ndots = other.ndots;
        let hooks = other.containers.iter().filter(|c| c.pre_stop);
        let hooks: Vec<&str> = hooks.map(|c| c.name.as_str()).collect();
        self.containers.iter_mut().for_each(|c| c.pre_stop = hooks.contains(&c.name.as_str()));
        self.run_as_user = other.run_as_user;
        self.fs_group = other.fs_group;
    }
}
