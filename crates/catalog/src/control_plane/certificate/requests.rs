//! Requests for certificates that wait.

use model::record::{CertificateState, Known};
use model::{Certainty, Finding, Findings, Kind, ObjectRef, Snapshot, State, Truth};

use crate::control_plane::certificate_expiring::KIND;
use crate::evidence;

/// Approvers act within seconds; a person may need longer, in seconds.
const APPROVING_SECONDS: i64 = 600;

/// Signers whose requests come from kubelets.
const CLIENT: &str = "kubernetes.io/kube-apiserver-client-kubelet";
const SERVING: &str = "kubernetes.io/kubelet-serving";

/// A CertificateSigningRequest.
pub(crate) fn request(c: &CertificateState, now: &Snapshot, findings: &mut Findings) {
    let decided = ["Approved", "Denied", "Failed"].iter().any(|k| c.condition(k).is_some());
    let shown = c.meta.shows(Known::CONDITIONS);
    let of_kubelet = matches!(c.issuer.as_str(), CLIENT | SERVING);
    if decided || !shown || !of_kubelet || c.not_after.is_some() {
        return;
    }
    let by_date = c.meta.created.filter(|_| now.has_time).map(|at| now.now.since(at));
    let Some(age) = c.meta.age_seconds.map(i64::from).or(by_date) else { return };
    if age < APPROVING_SECONDS {
        return;
    }
    let object = c.meta.object(Kind::CertificateSigningRequest);
    let node = c.requestor.strip_prefix("system:node:");
    let node = node.map(|n| ObjectRef::new(Kind::Node, "", n));
    // A later request that was granted makes this one a leftover.
    let granted = now.certificates.iter().any(|o| {
        o.kind == c.kind
            && o.requestor == c.requestor
            && o.issuer == c.issuer
            && o.condition("Approved").is_some_and(|a| a.status == Truth::True)
            && o.meta.created >= c.meta.created
    });
    if granted {
        return;
    }
    let what = if c.issuer == SERVING { "for its own address" } else { "to speak to the API" };
    let who = if c.requestor.is_empty() { "a kubelet" } else { c.requestor.as_str() };
    let headline = format!(
        "request {object} of {who} for a certificate {what} has waited for {}",
        model::duration_text(age)
    );
    let mut found = Finding::new(KIND.id, "request-pending", object.clone(), headline)
        .field("status.conditions", "none", "Approved")
        .since(c.meta.created)
        .evidence([evidence::field(c.meta.source, &object, "spec.signerName", c.issuer.as_str())]);
    let lost = node.as_ref().and_then(|n| now.nodes.get("", &n.name)).and_then(|n| n.ready());
    if let Some(node) = node {
        let how = match c.issuer.as_str() {
            SERVING => "logs, exec and metrics of its pods will fail",
            _ => "its kubelet loses the API when the old certificate ends",
        };
        found = found.affects(node, how);
    }
    // With the old certificate all goes on until its last day.
    if c.issuer == SERVING || matches!(lost, Some(Truth::True)) {
        found = found.state(State::Suspected);
    }
    let look = format!("kubectl describe csr {}", object.name);
    findings.push(if c.meta.shows(Known::SPEC) {
        found
    } else {
        found.unsure(Certainty::Likely, &[], look)
    });
}
