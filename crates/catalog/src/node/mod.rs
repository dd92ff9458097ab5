//! Failures of nodes.

pub(crate) mod allocatable_shrunk;
mod cause;
mod complaints;
pub(crate) mod container_gc_failing;
mod disk;
pub(crate) mod disk_pressure;
pub(crate) mod disk_pressure_loop;
pub(crate) mod eviction_gc_clash;
pub(crate) mod flapping;
mod flaps;
mod full_disk;
pub(crate) mod image_gc_failing;
pub(crate) mod image_gc_timeout;
pub(crate) mod kernel_fault;
pub(crate) mod load;
pub(crate) mod lost_cascade;
pub(crate) mod memory_overreported;
pub(crate) mod network_degraded;
pub(crate) mod network_unavailable;
pub(crate) mod not_ready;
pub(crate) mod overloaded;
pub(crate) mod pid_cgroup;
pub(crate) mod pid_exhaustion;
pub(crate) mod pleg_stalled;
pub(crate) mod poison_workload;
pub(crate) mod repair_loop;
mod resolver;
mod runtime;
pub(crate) mod runtime_hung;
mod shared;
mod signs;
pub(crate) mod system_oom;
pub(crate) mod unknown;

#[cfg(test)]
mod testing;

use model::record::{Known, Node};
use model::{Finding, Kind, Snapshot};

/// A command to be run on a node's machine; where nothing says which machine that is, the
/// command alone.
pub(crate) fn on_host(node: &str, command: &str) -> String {
    if node == model::UNNAMED_HOST {
        return command.to_owned();
    }
    format!("ssh {node} '{command}'")
}

/// Names the workloads whose pods on this node are not ready, and says which of them nobody
/// will replace.
fn affected_pods(mut finding: Finding, node: &Node, now: &Snapshot) -> Finding {
    let mut sick: Vec<(&model::App, usize)> = Vec::new();
    for (app, pod) in now.on_node(&node.meta.name) {
        if !pod.runs_on() || pod.is_ready() == Some(true) || app.kind == Kind::DaemonSet {
            continue;
        }
        match sick.last_mut().filter(|(known, _)| known.object == *app) {
            Some((_, down)) => *down += 1,
            None => sick.extend(now.app(app).map(|app| (app, 1))),
        }
    }
    for (app, down) in sick {
        let stays = match app.object.kind {
            Kind::StatefulSet => "; not replaced while the node is silent (StatefulSet)",
            // The row of a table does not show who owns a pod.
            Kind::Pod if app.pods.iter().any(|p| p.meta.known.has(Known::OWNER)) => {
                "; not replaced at all (a pod without an owner)"
            }
            _ => "",
        };
        let how = format!("{down} of {} pods on the node are not ready{stays}", app.pods.len());
        finding = finding.affects(app.object.clone(), how);
        finding.impact.replicas += u32::try_from(down).unwrap_or(u32::MAX);
    }
    finding
}
