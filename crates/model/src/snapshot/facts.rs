//! Evidence that is not an object of the API.

use crate::{Labels, Text, Timestamp};

/// Lines of a log.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct LogLines {
    /// Pod, workload or app that wrote it; the node for a unit's log.
    pub name: Text,
    /// Namespace, or empty.
    pub namespace: Text,
    /// Container, or empty.
    pub container: Text,
    /// System unit, or empty.
    pub unit: Text,
    /// Whether it is of the container before the last restart.
    pub previous: bool,
    /// Lines, in order; bounded.
    pub lines: Vec<String>,
    /// Which document of the input.
    pub document: u16,
}

/// State of a system unit on a node.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct UnitState {
    /// Node.
    pub node: Text,
    /// Unit, e.g. `kubelet`.
    pub unit: Text,
    /// Whether it runs.
    pub active: bool,
    /// As written.
    pub state: String,
    /// Which document of the input.
    pub document: u16,
}

/// Name of a machine in evidence that does not say which one it is of; no node is called so.
pub const UNNAMED_HOST: &str = "THIS-NODE";

/// What a tool run on a machine said of it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct HostFact {
    /// The machine: a node's name, or [`UNNAMED_HOST`].
    pub node: Text,
    /// What it said.
    pub figure: HostFigure,
    /// Which document of the input.
    pub document: u16,
}

/// A figure of a machine, as its own tools print it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum HostFigure {
    /// `df -h`, `df -i`: how full a file system is.
    FileSystem {
        /// Where it is mounted.
        mount: Text,
        /// Bytes it has; inodes when they were counted.
        size: u64,
        /// What is taken of them.
        used_percent: u8,
        /// Whether inodes were counted.
        inodes: bool,
    },
    /// `free`, `top`: memory in bytes.
    Memory {
        /// What the machine has.
        total_bytes: u64,
        /// Taken by processes.
        used_bytes: u64,
        /// Can be had without swapping: free memory and caches that can be dropped.
        available_bytes: u64,
        /// Taken by caches and buffers.
        cache_bytes: u64,
    },
    /// `uptime`, `top`: mean number of tasks that run or wait, in hundredths.
    Load {
        /// Over one minute.
        one: u32,
        /// Over five minutes.
        five: u32,
        /// Over fifteen minutes.
        fifteen: u32,
    },
    /// `top`, `ps`: how many tasks there are.
    Tasks {
        /// All of them.
        total: u32,
        /// Ended, but not yet taken note of by their parent.
        defunct: u32,
    },
    /// `ps`, `top`: processes of one command.
    Processes {
        /// The command, without arguments.
        command: Text,
        /// How many.
        count: u32,
        /// Memory they hold together, in bytes.
        resident_bytes: u64,
    },
    /// `ps`: ended processes that one parent has not taken note of.
    Defunct {
        /// The parent's number; 0 when it was not printed.
        parent: u32,
        /// The parent's command, where it was printed.
        parent_command: Text,
        /// What they were.
        command: Text,
        /// How many.
        count: u32,
    },
    /// `conntrack -S`: what the kernel counted, since the machine's start, about its table of
    /// connections.
    Conntrack {
        /// Connections that collided with another when they were entered.
        insert_failed: u64,
        /// Packets that were dropped for it.
        dropped: u64,
    },
    /// `docker ps`, `crictl ps`: a container.
    Container {
        /// Its name in the pod.
        name: Text,
        /// Namespace of its pod, where printed.
        namespace: Text,
        /// Its pod, where printed.
        pod: Text,
        /// Whether it runs.
        running: bool,
        /// As printed.
        state: Text,
        /// How often it was started anew.
        attempt: u32,
    },
    /// `crictl pods`: a pod's sandbox.
    Sandbox {
        /// Namespace of the pod.
        namespace: Text,
        /// The pod.
        pod: Text,
        /// Whether it is ready.
        ready: bool,
    },
}

/// A connection tried by hand.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Dial {
    /// Host as written.
    pub host: Text,
    /// Port.
    pub port: u16,
    /// Whether it connected.
    pub connected: bool,
    /// What the tool said.
    pub answer: String,
    /// Which document of the input.
    pub document: u16,
}

/// What a client was told instead of an answer.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ClientError {
    /// What it said, one line.
    pub text: String,
    /// Whether the API server answered later in the same document.
    pub answered_later: bool,
    /// Which document of the input.
    pub document: u16,
}

/// One line of `/readyz?verbose` or `/healthz?verbose` of the API server.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct HealthCheck {
    /// Name of the check, e.g. `etcd` or `poststarthook/rbac/bootstrap-roles`.
    pub name: Text,
    /// Whether it passed.
    pub healthy: bool,
    /// The line as written.
    pub said: String,
    /// Which document of the input.
    pub document: u16,
}

/// A measurement.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    /// What it is about, as named in the input.
    pub subject: Text,
    /// Metric.
    pub metric: Text,
    /// Value in the metric's unit.
    pub value: f64,
    /// When.
    pub at: Option<Timestamp>,
    /// Which document of the input.
    pub document: u16,
}

/// An alert that fires.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Alert {
    /// Name of the rule or type.
    pub name: Text,
    /// Objects it names, as written (`frontend`, `pod/web-0`, `shop`), without order of rank.
    pub subjects: Vec<Text>,
    /// Labels that say how fast an error budget is spent, and how loud the alert is.
    pub labels: Labels,
    /// What it says: annotations and evidence lines.
    pub text: String,
    /// Since when it fires.
    pub since: Option<Timestamp>,
    /// Which document of the input.
    pub document: u16,
}
