//! Services whose traffic must stay on the node it comes from.

use std::collections::BTreeSet;

use model::record::Service;
use model::{Finding, Findings, Impact, Kind, Snapshot};

use super::KIND;
use crate::evidence;
use crate::service::callers;

pub(super) fn detect(service: &Service, now: &Snapshot, findings: &mut Findings) {
    if !service.local_internal || service.selector.is_empty() {
        return;
    }
    let apps = now.apps_selected(&service.meta.namespace, &service.selector);
    let ready = apps.iter().flat_map(|a| a.running()).filter(|p| p.is_ready() == Some(true));
    let served: BTreeSet<&str> = ready.map(|p| p.node.as_str()).filter(|n| !n.is_empty()).collect();
    // Without any pod the Service is empty for everybody: another failure.
    if served.is_empty() {
        return;
    }
    let object = service.meta.object(Kind::Service);
    let mut bare: BTreeSet<&str> = BTreeSet::new();
    let mut affected = Vec::new();
    for caller in callers::of(service, now) {
        let nodes = caller.app.running().map(|p| p.node.as_str()).filter(|n| !n.is_empty());
        let cut: Vec<&str> = nodes.filter(|n| !served.contains(n)).collect();
        if let Some(node) = cut.first() {
            let how = format!("{} of its pods cannot reach it, e.g. on {node}", cut.len());
            affected.push((caller.app.object.clone(), how));
            bare.extend(cut);
        }
    }
    if bare.is_empty() {
        return;
    }
    let nodes = bare.into_iter().collect::<Vec<_>>().join(", ");
    let headline = format!(
        "Service {object} keeps traffic on the node (internalTrafficPolicy Local), but has no \
         pod on {nodes}, where its clients are"
    );
    let field = "spec.internalTrafficPolicy";
    let mut finding = Finding::new(KIND.id, "traffic-policy-local", object.clone(), headline)
        .field(field, "Local", "Cluster, or a pod on every node")
        .evidence([evidence::field(service.meta.source, &object, field, "Local")])
        .impact(Impact { services: 1, ..Impact::default() });
    for (app, how) in affected {
        finding = finding.affects(app, how);
    }
    findings.push(finding);
}
