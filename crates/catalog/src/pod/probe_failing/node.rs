//! Probes that fail on one node only, whatever workload they are of.

use std::collections::BTreeMap;

use model::{App, Evidence, Snapshot, Timestamp};

use super::Case;
use super::complaint::{self, Complaint, Standing};
use super::message::Says;
use crate::evidence;

/// Workloads that must fail alike before the node is suspected.
const WORKLOADS: usize = 3;

/// A node on which probes of several workloads fail, and on no other.
pub(in crate::pod) struct Loaded<'s> {
    pub(in crate::pod) node: &'s str,
    pub(in crate::pod) apps: Vec<&'s App>,
    pub(in crate::pod) since: Option<Timestamp>,
    pub(in crate::pod) evidence: Vec<Evidence>,
}

/// Whether the node explains why probes of this workload fail; then it is told once, for the
/// node, by a kind of its own.
pub(super) fn explains(app: &App, cases: &[Case<'_>], now: &Snapshot) -> bool {
    let all: Vec<&Complaint<'_>> = cases.iter().flat_map(|c| &c.complaints).collect();
    let Some(node) = only_node(&all) else { return false };
    let here = now.apps_on(node).into_iter().map(|(a, _)| a);
    let alike = here.filter(|a| a.object == app.object || fails_only_on(a, node, now)).count();
    alike >= WORKLOADS && answers_elsewhere(node, now)
}

/// Nodes on which probes of several workloads fail, and on no other.
pub(in crate::pod) fn loaded(now: &Snapshot) -> Vec<Loaded<'_>> {
    let mut nodes: BTreeMap<&str, Loaded<'_>> = BTreeMap::new();
    for app in now.apps_where(|a, now| !complaint::of(a, now).is_empty()) {
        let lasting = lasting(app, now);
        let Some(node) = only_node(&lasting.iter().collect::<Vec<_>>()) else { continue };
        let here = nodes.entry(node).or_insert_with(|| Loaded {
            node,
            apps: Vec::new(),
            since: None,
            evidence: Vec::new(),
        });
        here.apps.push(app);
        let first = lasting.iter().filter_map(|c| evidence::first_time(c.event, now));
        here.since = first.chain(here.since).min();
        here.evidence.extend(lasting.first().and_then(|c| evidence::event(c.event, now)));
    }
    let several = |l: &Loaded<'_>| l.apps.len() >= WORKLOADS && answers_elsewhere(l.node, now);
    nodes.into_values().filter(several).collect()
}

/// Some pod on another node is ready: it is not all of the cluster.
fn answers_elsewhere(node: &str, now: &Snapshot) -> bool {
    let elsewhere = |a: &App| a.running().any(|p| p.node != node && p.is_ready() == Some(true));
    now.apps.iter().any(elsewhere)
}

fn lasting<'s>(app: &'s App, now: &'s Snapshot) -> Vec<Complaint<'s>> {
    let all = complaint::of(app, now).into_iter();
    all.filter(|c| complaint::standing(c, None, now) != Standing::Over).collect()
}

fn fails_only_on(app: &App, node: &str, now: &Snapshot) -> bool {
    only_node(&lasting(app, now).iter().collect::<Vec<_>>()) == Some(node)
}

/// The node of all these complaints, when all are of time and all on one node.
fn only_node<'p>(complaints: &[&Complaint<'p>]) -> Option<&'p str> {
    let node = complaints.first()?.pod.node.as_str();
    let late = |c: &&Complaint<'_>| {
        matches!(c.says, Says::Timeout | Says::Refused | Says::Cut) && c.pod.node == node
    };
    let some_late = complaints.iter().any(|c| c.says == Says::Timeout);
    (!node.is_empty() && some_late && complaints.iter().all(late)).then_some(node)
}
