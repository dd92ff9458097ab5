//! Which workload took a node's memory: measured, killed, or the only one without a limit.

use std::collections::BTreeMap;

use model::record::{Container, Node, Pod};
use model::{App, Kind, Sample, Snapshot};

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
    let newest = newest(now);
    let hog = |(app, pods): (&'s App, Vec<&'s Pod>)| Hog {
        app,
        bytes: Some(measured(&pods, &newest)).filter(|b| *b > 0),
        unlimited: unlimited(app).into_iter().next(),
        killed: was_killed(&pods),
    };
    let all: Vec<Hog<'s>> = now.apps_on(&node.meta.name).into_iter().map(hog).collect();
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

/// The newest measurement of each pod, by its name with or without its namespace.
fn newest(now: &Snapshot) -> BTreeMap<&str, &Sample> {
    let mut newest: BTreeMap<&str, &Sample> = BTreeMap::new();
    for sample in now.samples.iter().filter(|s| s.metric == "memory_usage") {
        let known = newest.entry(&sample.subject).or_insert(sample);
        if known.at <= sample.at {
            *known = sample;
        }
    }
    newest
}

/// What pods hold by the newest measurement of each.
fn measured(pods: &[&Pod], newest: &BTreeMap<&str, &Sample>) -> u64 {
    let of = |p: &&Pod| {
        let full = format!("{}/{}", p.meta.namespace, p.meta.name);
        let sample = [newest.get(full.as_str()), newest.get(p.meta.name.as_str())];
        let sample = sample.into_iter().flatten().max_by_key(|s| s.at);
        sample.map_or(0.0, |s| s.value.clamp(0.0, 1e18)) as u64
    };
    pods.iter().map(of).fold(0, u64::saturating_add)
}

/// Whether a container of these pods was killed for memory.
fn was_killed(pods: &[&Pod]) -> bool {
    let mut ends = pods.iter().flat_map(|p| p.containers.iter().filter_map(|c| c.ended()));
    ends.any(|end| end.reason == "OOMKilled" || end.exit_code == 137)
}
