//! What happens in a scenario, in words for people.

use std::fmt;

use serde_json::Value;

use super::Fault;

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Patch { kind, namespace, name, patch, .. } => {
                let place = if namespace.is_empty() { "" } else { "/" };
                write!(f, "{kind} {namespace}{place}{name} is changed: {patch}")
            }
            Self::Behave { namespace, workload, .. } => {
                write!(f, "{namespace}/{workload} uses memory in another way from now on")
            }
            Self::Apply { manifests } => {
                let text = |m: &Value, at: &str| {
                    m.pointer(at).and_then(Value::as_str).unwrap_or_default().to_owned()
                };
                let name = |m| format!("{} {}", text(m, "/kind"), text(m, "/metadata/name"));
                let names: Vec<String> = manifests.iter().map(name).collect();
                write!(f, "somebody applies {}", names.join(", "))
            }
            Self::StopKubelet { node } => write!(f, "the kubelet of {node} stops"),
            Self::StartKubelet { node } => write!(f, "kubelet and runtime of {node} start again"),
            Self::StopRuntime { node } => write!(f, "the runtime of {node} stops answering"),
            Self::StopComponent { component } => write!(f, "{component} is killed"),
            Self::StartComponent { component } => write!(f, "{component} is started"),
            Self::LoseImage { image } => write!(f, "no registry has {image} any more"),
            Self::Crash { namespace, workload, exit_code } => {
                write!(f, "{namespace}/{workload} ends with exit code {exit_code} after each start")
            }
            Self::GrowMemory { namespace, workload, bytes_per_second } => {
                let mebibytes = *bytes_per_second as f64 / f64::from(1 << 20);
                write!(f, "{namespace}/{workload} takes {mebibytes:.1} MiB more every second")
            }
            Self::Load { namespace, workload, cpu_milli } => {
                write!(f, "the load of {namespace}/{workload} becomes {cpu_milli}m of cpu")
            }
            Self::HideMetrics { namespace, workload, pods } => {
                write!(
                    f,
                    "the metrics service does not tell of {pods} pods of {namespace}/{workload}"
                )
            }
            Self::Metric { name, milli } => {
                write!(f, "the metric {name} becomes {}", *milli as f64 / 1000.0)
            }
            Self::StopMetrics { message } => {
                write!(f, "the metrics service answers: {message}")
            }
            Self::StartMetrics => f.write_str("the metrics service answers again"),
        }
    }
}
