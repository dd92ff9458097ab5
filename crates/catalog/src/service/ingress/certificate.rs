//! Whether the Secrets with an Ingress's certificates exist.

use model::record::{CertificateState, Ingress, Known};
use model::{Finding, Findings, Kind, Snapshot, State, Truth};

use crate::evidence;
use crate::pod::edit::nearest;
use crate::service::ingress_misrouted::finding;

pub(crate) fn detect(ingress: &Ingress, now: &Snapshot, findings: &mut Findings) {
    let namespace = ingress.meta.namespace.as_str();
    let mut names: Vec<&str> = ingress.certificates.iter().map(|c| c.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    for name in names.into_iter().filter(|n| !n.is_empty()) {
        // Some controllers take a Secret of another namespace: `other/name`.
        let (place, plain) = name.split_once('/').unwrap_or((namespace, name));
        let found = if now.is_missing(Kind::Secret, place, plain) {
            Some(missing(ingress, plain, now))
        } else {
            incomplete(ingress, place, plain, now)
        };
        findings.found.extend(
            found.map(
                |f| if ingress.meta.shows(Known::SPEC) { f } else { f.state(State::Suspected) },
            ),
        );
    }
}

fn field(name: &str) -> String {
    format!("spec.tls[{name}].secretName")
}

fn missing(ingress: &Ingress, name: &str, now: &Snapshot) -> Finding {
    let namespace = ingress.meta.namespace.as_str();
    let object = ingress.meta.object(Kind::Ingress);
    let own = now
        .certificates
        .in_namespace(namespace)
        .find(|c| c.kind == Kind::Certificate && c.secret == name);
    let secrets = now.named.in_namespace(namespace).filter(|n| n.kind == Kind::Secret);
    let near = nearest(name, secrets.map(|s| s.meta.name.as_str()));
    let issuer = ["cert-manager.io/cluster-issuer", "cert-manager.io/issuer"];
    let issuer = issuer.iter().find_map(|key| ingress.meta.annotation(key));
    let expected = match (near, issuer) {
        (Some(near), _) => format!("{near}, which exists"),
        (None, Some(issuer)) => format!("a Secret that cert-manager makes (issuer {issuer})"),
        (None, None) => format!("a Secret with a certificate in namespace {namespace}"),
    };
    let headline =
        format!("Ingress {object} is served without its certificate: Secret {name} does not exist");
    let at = [field(name), name.to_owned(), expected];
    let mut found =
        finding(ingress, "certificate-secret-missing", headline, at.each_ref().map(String::as_str))
            .affects(object.clone(), "clients get a certificate that is not for this host");
    if let Some((certificate, why)) = own.and_then(|c| Some((c, not_ready(c)?))) {
        let cause = certificate.meta.object(Kind::Certificate);
        found.evidence.insert(
            0,
            evidence::field(certificate.meta.source, &cause, "status.conditions[Ready]", &*why),
        );
        found.headline = format!(
            "Certificate {cause} is not issued ({why}), so Ingress {} has none",
            object.name
        );
        found.field = Some("status.conditions[Ready]".into());
        (found.value, found.expected) = (Some("False".into()), Some("True".into()));
        found.object = cause;
    }
    found
}

/// Why a Certificate is not there yet.
fn not_ready(certificate: &CertificateState) -> Option<String> {
    let ready = certificate.condition("Ready").filter(|c| c.status != Truth::True)?;
    let why = if ready.message().is_empty() { ready.reason() } else { ready.message() };
    Some(if why.is_empty() { "not ready".into() } else { why.to_owned() })
}

/// A Secret without certificate or key is as good as none.
fn incomplete(ingress: &Ingress, place: &str, name: &str, now: &Snapshot) -> Option<Finding> {
    let secret = now.named(Kind::Secret, place, name)?;
    // Where only names were read, keys are not known.
    if secret.keys.is_empty() {
        return None;
    }
    let lacks = ["tls.crt", "tls.key"].into_iter().find(|k| !secret.keys.iter().any(|o| o == k))?;
    let object = ingress.meta.object(Kind::Ingress);
    let keys = secret.keys.iter().map(|k| k.as_str()).collect::<Vec<_>>().join(", ");
    let headline = format!(
        "Ingress {object} is served without its certificate: Secret {name} has no key {lacks}"
    );
    let at =
        [field(name), name.to_owned(), "a Secret with the keys tls.crt and tls.key".to_owned()];
    let fact = evidence::field(secret.meta.source, &secret.meta.object(Kind::Secret), "data", keys);
    let found =
        finding(ingress, "certificate-secret-missing", headline, at.each_ref().map(String::as_str));
    let how = "clients get a certificate that is not for this host";
    Some(found.evidence([fact]).affects(object, how))
}
