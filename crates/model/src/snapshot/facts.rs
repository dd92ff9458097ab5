//! Evidence that is not an object of the API.

use crate::{Text, Timestamp};

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
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Alert {
    /// Name of the rule or type.
    pub name: Text,
    /// Objects it names, as written (`frontend`, `pod/web-0`, `shop`), without order of rank.
    pub subjects: Vec<Text>,
    /// What it says: annotations and evidence lines.
    pub text: String,
    /// Since when it fires.
    pub since: Option<Timestamp>,
    /// Which document of the input.
    pub document: u16,
}
