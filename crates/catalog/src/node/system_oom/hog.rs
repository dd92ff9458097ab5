//! Which workload took a node's memory: measured, killed, or the only one without a limit.

use model::record::{Container, Node};
use model::{App, Kind, Snapshot};

use crate::node::lost_cascade::unlimited;

/// A workload that is to blame for a node without memory.
pub(super) struct Hog<'s> {
    pub(super) app: &'s App,
    /// What its pods on the node hold, in bytes, where it was measured.
    pub(super) bytes: Option<u64>,
    /// Its first container without a memory limit.
    pub(super) unlimited: Option<&'s Container>,
    /// Its containers were killed for memory on this node.
    pub(super) killed: bool,
}

/// A workload that holds less of the node than this, in percent, is no hog.
const LEAST_PERCENT: u64 = 20;

/// The workload that took the memory of the node, the surest sign first.
pub(super) fn of<'s>(node: &Node, now: &'s Snapshot) -> Option<Hog<'s>> {
    let here = now.apps.iter().filter(|a| a.pods.iter().any(|p| p.node == node.meta.name));
    let here: Vec<&App> = here.collect();
    let hog = |app: &'s App| Hog {
        app,
        bytes: Some(measured(app, node, now)).filter(|b| *b > 0),
        unlimited: unlimited(app).into_iter().next(),
        killed: was_killed(app, node),
    };
    let all: Vec<Hog<'s>> = here.into_iter().map(hog).collect();
    let total = u64::try_from(node.capacity.amount("memory").units()).unwrap_or(0);
    let large = |h: &&Hog<'_>| h.bytes.is_some_and(|b| b >= total / 100 * LEAST_PERCENT);
    let most = all.iter().filter(large).max_by_key(|h| h.bytes).map(|h| h.app);
    let open = |h: &&Hog<'_>| h.unlimited.is_some() && h.app.object.kind != Kind::DaemonSet;
    let only = |test: &dyn Fn(&&Hog<'_>) -> bool| {
        let mut fit = all.iter().filter(|h| test(h));
        fit.next().filter(|_| fit.next().is_none()).map(|h| h.app)
    };
    let one = most.or_else(|| only(&|h| h.killed && open(h))).or_else(|| only(&open))?;
    all.into_iter().find(|h| h.app.object == one.object)
}

/// What the pods of a workload on this node hold by the newest measurement of each.
fn measured(app: &App, node: &Node, now: &Snapshot) -> u64 {
    let pods = app.pods.iter().filter(|p| p.node == node.meta.name);
    pods.map(|p| {
        let full = format!("{}/{}", p.meta.namespace, p.meta.name);
        let own = now.samples.iter().filter(|s| s.metric == "memory_usage");
        let of_pod = own.filter(|s| s.subject == full || s.subject == p.meta.name);
        of_pod.max_by_key(|s| s.at).map_or(0.0, |s| s.value.clamp(0.0, 1e18)) as u64
    })
    .fold(0, u64::saturating_add)
}

/// Whether a container of it was killed for memory on this node.
fn was_killed(app: &App, node: &Node) -> bool {
    let pods = app.pods.iter().filter(|p| p.node == node.meta.name);
    let mut ends = pods.flat_map(|p| p.containers.iter().filter_map(|c| c.ended()));
    ends.any(|end| end.reason == "OOMKilled" || end.exit_code == 137)
}
