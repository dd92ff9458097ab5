//! Scenarios: a cluster, what runs in it, and what happens to it when.
//!
//! A scenario is a plain value; the same scenario always runs the same way. Must never know
//! what a diagnosis makes of it.

mod cascade;
mod manifests;
mod memory;
mod plain;
mod standard;
mod told;

use model::Timestamp;
use serde_json::Value;

pub use cascade::cascade;
pub(crate) use manifests::{conditions, host_address};
pub use memory::Memory;
pub use plain::{Controllers, UnknownController, plain};
pub use standard::standard;

/// Everything that a run depends on.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// Short name.
    pub name: String,
    /// Seed of all random choices.
    pub seed: u64,
    /// Virtual time at which the run begins; `timeline` counts from here.
    pub start: Timestamp,
    /// How long before `start` the cluster was built, in seconds.
    pub age_seconds: i64,
    /// The machines.
    pub nodes: Vec<NodeSpec>,
    /// Applications.
    pub workloads: Vec<Workload>,
    /// Further objects to create, as manifests with apiVersion and kind.
    pub objects: Vec<Value>,
    /// What happens, by seconds after `start`.
    pub timeline: Vec<(i64, Fault)>,
    /// How long the story lasts, in seconds after `start`.
    pub duration_seconds: i64,
    /// Which controllers run.
    pub controllers: Controllers,
}

/// A machine.
#[derive(Clone, Debug)]
pub struct NodeSpec {
    /// Node name.
    pub name: String,
    /// Value of `topology.kubernetes.io/zone`.
    pub zone: String,
    /// Whether it carries the control plane and its taint.
    pub control_plane: bool,
    /// Cores, in thousandths.
    pub cpu_milli: i64,
    /// Physical memory, in bytes.
    pub memory_bytes: i64,
    /// Memory set aside from pods for the daemons of the node, in bytes. With 0, pods can take
    /// all memory and starve the kubelet.
    pub reserved_bytes: i64,
    /// What kernel, kubelet and runtime use, in bytes.
    pub daemons_bytes: i64,
}

/// A Deployment and, with a port, its Service.
#[derive(Clone, Debug)]
pub struct Workload {
    /// Namespace; made if missing.
    pub namespace: String,
    /// Name of the Deployment, its container and its Service.
    pub name: String,
    /// Wanted pods.
    pub replicas: i64,
    /// Image.
    pub image: String,
    /// Port of the Service; without one there is no Service.
    pub port: Option<u16>,
    /// Requests as in a manifest, such as `{"memory": "64Mi"}`.
    pub requests: Value,
    /// Limits as in a manifest.
    pub limits: Value,
    /// Path of its HTTP readiness and liveness probes, if it has a port and they are wanted.
    pub probe_path: Option<String>,
    /// Node labels it asks for, `Value::Null` for none.
    pub node_selector: Value,
    /// How its container behaves.
    pub behaviour: Behaviour,
}

/// What a container does, as far as its host can see.
#[derive(Clone, Debug)]
pub struct Behaviour {
    /// Memory by the age of the container.
    pub memory: Memory,
    /// Name of its process.
    pub command: String,
    /// From start to ready, in seconds.
    pub ready_seconds: i64,
    /// From the request to stop to the end, in seconds.
    pub stop_seconds: i64,
    /// Size of the image, in bytes.
    pub image_bytes: i64,
    /// How it ends by itself, if it does.
    pub crash: Option<Crash>,
}

/// A program that ends by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Crash {
    /// So long after each start, in seconds.
    pub after_seconds: i64,
    /// With this exit code.
    pub exit_code: i64,
}

impl Default for Behaviour {
    fn default() -> Self {
        Self {
            memory: Memory::Const { bytes: 32 << 20 },
            command: "app".into(),
            ready_seconds: 1,
            stop_seconds: 1,
            image_bytes: 50 << 20,
            crash: None,
        }
    }
}

/// A program of the control plane.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Component {
    /// `kube-apiserver`: without it nobody reads or writes; what is stored is kept.
    ApiServer,
    /// `kube-controller-manager`.
    ControllerManager,
    /// `kube-scheduler`.
    Scheduler,
}

impl Component {
    /// The name of its program.
    pub(crate) fn program(self) -> &'static str {
        match self {
            Self::ApiServer => "kube-apiserver",
            Self::ControllerManager => "kube-controller-manager",
            Self::Scheduler => "kube-scheduler",
        }
    }
}

impl std::fmt::Display for Component {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.program())
    }
}

/// Something that happens to the cluster from outside.
#[derive(Clone, Debug)]
pub enum Fault {
    /// Somebody changes an object with a merge patch.
    Patch {
        /// `v1`, `apps/v1`.
        api_version: String,
        /// Kind of the object.
        kind: String,
        /// Namespace, "" for cluster-scoped objects.
        namespace: String,
        /// Name of the object.
        name: String,
        /// The merge patch.
        patch: Value,
    },
    /// Containers of a workload that start from now on use memory in another way.
    Behave {
        /// Namespace of the workload.
        namespace: String,
        /// Name of the Deployment.
        workload: String,
        /// The new use of memory.
        memory: Memory,
    },
    /// Somebody applies manifests: objects are created, or merged into those that are there.
    Apply {
        /// Objects with apiVersion and kind.
        manifests: Vec<Value>,
    },
    /// The kubelet of a node stops; its containers run on.
    StopKubelet {
        /// Name of the node.
        node: String,
    },
    /// The kubelet of a node, and its container runtime, are started again.
    StartKubelet {
        /// Name of the node.
        node: String,
    },
    /// The container runtime of a node stops answering; its containers run on.
    StopRuntime {
        /// Name of the node.
        node: String,
    },
    /// A component of the control plane is killed: it forgets everything.
    StopComponent {
        /// Which.
        component: Component,
    },
    /// A component of the control plane is started; it reads everything anew.
    StartComponent {
        /// Which.
        component: Component,
    },
    /// The registry of an image does not have it any more. Nodes that have it keep it.
    LoseImage {
        /// The image as containers name it.
        image: String,
    },
    /// The program of a workload ends soon after each start, the running ones now.
    Crash {
        /// Namespace of the workload.
        namespace: String,
        /// Name of the workload.
        workload: String,
        /// The exit code.
        exit_code: i64,
    },
    /// The containers of a workload, also the running ones, take more and more memory.
    GrowMemory {
        /// Namespace of the workload.
        namespace: String,
        /// Name of the workload.
        workload: String,
        /// Growth, in bytes per second.
        bytes_per_second: i64,
    },
    /// The load of a workload changes: all of its pods together use so much of the cpu.
    Load {
        /// Namespace of the workload.
        namespace: String,
        /// Name of the workload.
        workload: String,
        /// Thousandths of a core.
        cpu_milli: i64,
    },
    /// The metrics service does not tell of some pods of a workload; with 0 of all again.
    HideMetrics {
        /// Namespace of the workload.
        namespace: String,
        /// Name of the workload.
        workload: String,
        /// How many pods.
        pods: usize,
    },
    /// A metric that is no resource, such as the length of a queue, becomes this. Where it is
    /// told for each pod, the pods share it.
    Metric {
        /// Its name.
        name: String,
        /// Its value, in thousandths.
        milli: i64,
    },
    /// The metrics service answers every request with a refusal.
    StopMetrics {
        /// What it says.
        message: String,
    },
    /// The metrics service answers again.
    StartMetrics,
}
