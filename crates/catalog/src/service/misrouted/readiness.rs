//! Services without endpoints whose ports, or whose pods' ports, are not shown: that the pods
//! are ready tells what is wrong. It must not speak where the ports can be compared.

use model::record::{Known, Pod, Service};
use model::{App, Certainty, Finding, Findings, Impact, Kind, Snapshot};

use super::KIND;
use crate::evidence;

/// Pods that have been there for longer have had time to become endpoints.
const SETTLED_SECONDS: u32 = 120;

/// Ports or their names are not shown, but ready pods that the selector matches are no
/// endpoints: of what a Service says only the name of a target port can do that.
pub(super) fn detect(service: &Service, apps: &[&App], now: &Snapshot, findings: &mut Findings) {
    let empty = now.addresses(service) == Some((0, 0));
    let labelled =
        |p: &Pod| !p.meta.known.has(Known::LABELS) || service.selector.all_in(&p.meta.labels);
    let ready = |p: &&Pod| p.is_ready() == Some(true) && labelled(p);
    let settled = |p: &Pod| p.meta.age_seconds.is_none_or(|age| age > SETTLED_SECONDS);
    let mut well = apps.iter().flat_map(|a| a.running()).filter(ready).peekable();
    if !empty || well.peek().is_none() || !well.all(settled) {
        return;
    }
    let Some(app) = apps.first() else { return };
    let object = service.meta.object(Kind::Service);
    let headline = format!(
        "Service {object} has no endpoints, though it selects ready pods of {} {}",
        app.object.kind, app.object.name
    );
    let look = format!("kubectl get {} -o yaml", object.for_kubectl());
    let fact = evidence::field(service.meta.source, &object, "addresses", "none");
    let finding = Finding::new(KIND.id, "port-name-unmatched", object, headline)
        .field("spec.ports[*].targetPort", "not shown", "the name or number of a port of its pods")
        .evidence([fact])
        .unsure(Certainty::Possible, &["protocol-mismatch"], look);
    findings.push(finding.impact(Impact { services: 1, ..Impact::default() }));
}
