//! What is rehearsed: a cluster, what happens to it, and what must come of it.

use std::fmt;

use twin::scenario::{Fault, Scenario as Stage};

use super::wish::Wish;

/// A rehearsal that can be run.
#[derive(Clone, Debug)]
pub(crate) struct Play {
    /// Its name.
    pub(crate) name: String,
    /// What happens, in a sentence or two.
    pub(crate) story: String,
    /// The cluster with its timeline.
    pub(crate) stage: Stage,
    /// How long it is watched, in seconds from the start.
    pub(crate) lasts_seconds: i64,
    /// What must be seen.
    pub(crate) expect: Vec<Wish>,
    /// What must never be seen.
    pub(crate) forbid: Vec<Wish>,
    /// What it takes for granted, beside what the model does anyway.
    pub(crate) assumes: Vec<String>,
}

/// A fault in words.
pub(super) struct Told<'a>(pub(super) &'a Fault);

impl fmt::Display for Told<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Fault::Patch { kind, namespace, name, patch, .. } => {
                let place = if namespace.is_empty() { "" } else { "/" };
                write!(f, "{kind} {namespace}{place}{name} is changed: {patch}")
            }
            Fault::Behave { namespace, workload, .. } => {
                write!(f, "{namespace}/{workload} uses memory in another way from now on")
            }
            Fault::Apply { manifests } => {
                let text = |m: &serde_json::Value, at: &str| {
                    m.pointer(at).and_then(serde_json::Value::as_str).unwrap_or_default().to_owned()
                };
                let name = |m| format!("{} {}", text(m, "/kind"), text(m, "/metadata/name"));
                let names: Vec<String> = manifests.iter().map(name).collect();
                write!(f, "somebody applies {}", names.join(", "))
            }
            Fault::StopKubelet { node } => write!(f, "the kubelet of {node} stops"),
            Fault::StartKubelet { node } => write!(f, "kubelet and runtime of {node} start again"),
            Fault::StopRuntime { node } => write!(f, "the runtime of {node} stops answering"),
            Fault::LoseImage { image } => write!(f, "no registry has {image} any more"),
            Fault::Crash { namespace, workload, exit_code } => {
                write!(f, "{namespace}/{workload} ends with exit code {exit_code} after each start")
            }
            Fault::GrowMemory { namespace, workload, bytes_per_second } => {
                let mebibytes = *bytes_per_second as f64 / f64::from(1 << 20);
                write!(f, "{namespace}/{workload} takes {mebibytes:.1} MiB more every second")
            }
        }
    }
}
