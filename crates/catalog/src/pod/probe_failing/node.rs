//! Probes that time out on one node only, whatever workload they are of.

use std::collections::BTreeSet;

use model::{App, Certainty, Finding, Findings, Impact, Kind, ObjectRef, Snapshot};

use super::complaint::{self, Complaint, Standing};
use super::message::Says;
use super::{Case, KIND};
use crate::evidence;

/// Workloads that must fail alike before the node is suspected.
const WORKLOADS: usize = 3;

/// Whether the node explains why probes of this workload fail. The first such workload, by
/// name, reports the node.
pub(super) fn explains(
    app: &App,
    cases: &[Case<'_>],
    now: &Snapshot,
    findings: &mut Findings,
) -> bool {
    let all: Vec<&Complaint<'_>> = cases.iter().flat_map(|c| &c.complaints).collect();
    let Some(node) = only_node(&all) else { return false };
    let elsewhere = |a: &App| a.running().any(|p| p.node != node && p.is_ready() == Some(true));
    if !now.apps.iter().any(elsewhere) {
        return false;
    }
    let here = now.apps.iter().filter(|a| a.pods.iter().any(|p| p.node == node));
    let alike: Vec<&App> = here.filter(|a| fails_only_on(a, node, now)).collect();
    if alike.len() < WORKLOADS {
        return false;
    }
    if alike.first().is_some_and(|a| a.object == app.object) {
        findings.push(report(node, &alike, &all, now));
    }
    true
}

/// The node of all these complaints, when all are of time and all on one node.
fn only_node<'p>(complaints: &[&Complaint<'p>]) -> Option<&'p str> {
    let node = complaints.first()?.pod.node.as_str();
    let late = |c: &&Complaint<'_>| c.says == Says::Timeout && c.pod.node == node;
    (!node.is_empty() && complaints.iter().all(late)).then_some(node)
}

fn fails_only_on(app: &App, node: &str, now: &Snapshot) -> bool {
    let all = complaint::of(app, now);
    let lasting: Vec<&Complaint<'_>> =
        all.iter().filter(|c| complaint::standing(c, None, now) != Standing::Over).collect();
    only_node(&lasting) == Some(node)
}

fn report(node: &str, alike: &[&App], own: &[&Complaint<'_>], now: &Snapshot) -> Finding {
    let object = ObjectRef::new(Kind::Node, "", node);
    let headline = format!(
        "node {node}: probes of {} workloads time out on it, and on no other node",
        alike.len()
    );
    let pods: BTreeSet<&str> = own.iter().map(|c| c.pod.meta.name.as_str()).collect();
    let look = format!("kubectl top node {node}; kubectl describe node {node}");
    let mut finding = Finding::new(KIND.id, "node-loaded", object.clone(), headline)
        .evidence(own.iter().take(pods.len().min(3)).filter_map(|c| evidence::event(c.event, now)))
        .since(own.iter().filter_map(|c| evidence::first_time(c.event, now)).min())
        .unsure(Certainty::Likely, &["probe-timing-too-tight"], look);
    if let Some(record) = now.nodes.get("", node) {
        for kind in ["MemoryPressure", "DiskPressure", "PIDPressure"] {
            let pressure = record.condition(kind).filter(|c| c.status == model::Truth::True);
            let fact = pressure.map(|c| evidence::condition(record.meta.source, &object, c));
            finding = finding.evidence(fact);
        }
    }
    let mut lost = 0u32;
    for app in alike {
        let down = app.running().filter(|p| p.node == node && p.is_ready() != Some(true)).count();
        lost = lost.saturating_add(u32::try_from(down).unwrap_or(u32::MAX));
        let all = app.pods.len();
        finding = finding.affects(app.object.clone(), format!("{down} of {all} pods fail there"));
    }
    finding.impact(Impact { replicas: lost, ..Impact::default() })
}
