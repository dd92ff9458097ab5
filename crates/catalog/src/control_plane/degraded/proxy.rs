//! kube-proxy: stopped as a unit, not ready as a pod, or on no node at all.

use model::record::Known;
use model::{App, Finding, Findings, Impact, Kind, ObjectRef, Role, Snapshot};

use super::super::standing::{ready, unmatched_selector};
use super::components::system_apps;
use super::{KIND, everybody};
use crate::evidence;

const PROXY: &str = "kube-proxy";

pub(super) fn report(now: &Snapshot, findings: &mut Findings) {
    units(now, findings);
    let daemons = system_apps(now).filter(|a| {
        let label = a.pod_labels().and_then(|l| l.get("k8s-app"));
        let own = a.object.name == PROXY || label == Some(PROXY);
        own && a.object.kind == Kind::DaemonSet
    });
    for app in daemons {
        if let Some(found) = nowhere(app, now).or_else(|| unready(app, now)) {
            findings.push(found);
        }
    }
}

fn lost(nodes: usize) -> Impact {
    Impact { nodes: u32::try_from(nodes).unwrap_or(u32::MAX), ..Impact::default() }
}

/// Machines on which the unit was seen stopped. It was running somewhere else, or here before:
/// where another program does its work there is no such unit.
fn units(now: &Snapshot, findings: &mut Findings) {
    let absent = |state: &str| state.contains("could not be found") || state == "unknown";
    let own = now.units.iter().filter(|u| u.unit == PROXY && !absent(&u.state));
    let stopped: Vec<_> = own.filter(|u| !u.active).collect();
    if stopped.is_empty() {
        return;
    }
    let names: Vec<&str> = stopped.iter().map(|u| u.node.as_str()).collect();
    let places =
        if names.iter().all(|n| n.is_empty()) { "a node".into() } else { names.join(", ") };
    let headline =
        format!("{PROXY} is stopped on {places}: its pods reach Services only as they were");
    let object = ObjectRef::component(PROXY);
    let facts = stopped.iter().map(|u| {
        let field = format!("systemctl status {PROXY} on {}", u.node);
        evidence::field(u.document, &object, field, u.state.clone())
    });
    let mut found = Finding::new(KIND.id, "proxy-down", object.clone(), headline)
        .field("process", "stopped", "running")
        .evidence(facts)
        .impact(lost(stopped.len()));
    for node in names.iter().filter(|n| !n.is_empty()) {
        let object = ObjectRef::new(Kind::Node, "", node);
        found = found.affects(object, "changes of Services do not arrive");
    }
    findings.push(found);
}

/// The DaemonSet wants to run on no node.
fn nowhere(app: &App, now: &Snapshot) -> Option<Finding> {
    let workload = app.workload.as_ref()?;
    let none = workload.meta.shows(Known::REPLICAS) && workload.replicas == Some(0);
    if !none || ready(app) > 0 {
        return None;
    }
    let (selector, fact) = unmatched_selector(app, now)?;
    let headline = format!("{} runs on no node: its node selector fits none", app.object);
    Some(
        Finding::new(KIND.id, "proxy-down", app.object.clone(), headline)
            .field("spec.template.spec.nodeSelector", selector, "kubernetes.io/os=linux")
            .evidence([fact])
            .affects(everybody(), "Services lead only where they led before")
            .impact(lost(now.nodes.iter().count())),
    )
}

/// Its pods are not ready: on these nodes nobody follows the changes of Services.
fn unready(app: &App, now: &Snapshot) -> Option<Finding> {
    let silent = |node: &str| {
        let node = now.nodes.get("", node);
        node.is_some_and(|n| n.ready().is_some_and(|r| r != model::Truth::True))
    };
    // On a node that is lost the node is the story.
    let down = app.running().filter(|p| p.is_ready() == Some(false) && !silent(&p.node));
    let down: Vec<_> = down.filter(|p| p.restarts() > 0 || !p.node.is_empty()).collect();
    let first = down.first()?;
    let all = app.running().count();
    let headline = format!(
        "{} of {all} pods of {} are not ready: Services on their nodes fail",
        down.len(),
        app.object
    );
    let facts = down.iter().take(3).map(|p| {
        let words: Vec<&str> = p.words().filter(|w| !w.is_empty()).collect();
        let value = if words.is_empty() { "not ready".into() } else { words.join(", ") };
        evidence::field(p.meta.source, &p.meta.object(Kind::Pod), "status", value)
    });
    let mut found = Finding::new(KIND.id, "proxy-down", app.object.clone(), headline)
        .role(Role::Mechanism)
        .since(first.ready.and_then(|r| r.since).filter(|_| now.has_time))
        .field("status.numberReady", ready(app).to_string(), all.to_string())
        .evidence(facts)
        .impact(lost(down.len()));
    for pod in down.iter().filter(|p| !p.node.is_empty()) {
        let node = ObjectRef::new(Kind::Node, "", &pod.node);
        found = found.affects(node, "changes of Services do not arrive");
    }
    Some(found)
}
