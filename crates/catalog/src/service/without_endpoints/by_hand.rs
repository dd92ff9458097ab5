//! Services without a selector: somebody has to give them their addresses.

use model::record::{Known, Service};
use model::{Finding, Findings, Impact, Kind, Snapshot};

use super::{KIND, endpoints_evidence};
use crate::evidence;
use crate::service::{callers, nearest};

pub(super) fn detect(service: &Service, now: &Snapshot, findings: &mut Findings) {
    let meta = &service.meta;
    // A table does not print selectors, unless it is wide.
    if !meta.shows(Known::SELECTOR) || service.ports.is_empty() {
        return;
    }
    let lists = |kind| now.coverage.lists(kind, &meta.namespace);
    match now.addresses(service) {
        Some((ready, _)) if ready > 0 => return,
        None if !lists(Kind::Endpoints) && !lists(Kind::EndpointSlice) => return,
        _ => {}
    }
    let object = meta.object(Kind::Service);
    let callers = callers::of(service, now);
    if callers.is_empty() && callers::dials(service, now).all(|d| d.connected) {
        return findings.rule_out(KIND.id, object, "it has no selector, and nobody calls it");
    }
    let near = nearest::of(service, now).filter(|n| n.same_name);
    let labels = near.as_ref().and_then(|n| n.app.pod_labels());
    let expected = match labels.map(|l| l.filtered(|k| k != "pod-template-hash")) {
        Some(labels) => format!("a selector such as {labels}, or addresses kept by hand"),
        None => "a selector, or addresses kept by hand".to_owned(),
    };
    let headline = format!(
        "Service {object} has no endpoints: it has no selector, and nobody gave it addresses"
    );
    let mut finding = Finding::new(KIND.id, "addresses-missing", object.clone(), headline)
        .field("spec.selector", "none", expected)
        .evidence([evidence::field(meta.source, &object, "spec.selector", "none")])
        .evidence(endpoints_evidence(service, now))
        .impact(Impact { services: 1, ..Impact::default() });
    for caller in callers {
        let how = format!("calls it ({}={})", caller.peer.setting, caller.peer.host);
        finding = finding.affects(caller.app.object.clone(), how);
    }
    findings.push(finding);
}
