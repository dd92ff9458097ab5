//! Certificates whose dates the API shows.

use model::record::{CertificateState, Known};
use model::{
    Certainty, Finding, Findings, Forecast, Impact, Kind, ObjectRef, Snapshot, State, Timestamp,
    Truth,
};

use crate::control_plane::certificate_expiring::KIND;
use crate::evidence;

/// A certificate that ends within this time and is not renewed needs somebody today, in seconds.
const SOON_SECONDS: i64 = 3 * 86_400;

/// Issuing takes minutes; answers of authorities may take longer, in seconds.
const ISSUING_SECONDS: i64 = 900;

/// How long a renewal may take, in seconds.
const RENEWING_SECONDS: i64 = 6 * 3_600;

/// A Certificate of cert-manager.
pub(crate) fn certificate(c: &CertificateState, now: &Snapshot, findings: &mut Findings) {
    let object = c.meta.object(Kind::Certificate);
    let not_ready = c.condition("Ready").filter(|r| r.status == Truth::False);
    let why = not_ready.map(|r| if r.message().is_empty() { r.reason() } else { r.message() });
    let facts = not_ready.map(|r| evidence::condition(c.meta.source, &object, r));
    let ended = c.not_after.filter(|_| now.has_time).filter(|end| *end <= now.now);
    let finding = match (c.not_after, ended) {
        (_, Some(end)) => {
            let headline = format!("Certificate {object} has been past its last day since {end}");
            let found = dated(c, &object, "certificate-expired", headline, end);
            used(found.since(Some(end)), c, "refuse its certificate", now)
        }
        (Some(end), None) if is_overdue(c, now) => {
            let left = end.since(now.now);
            let headline = format!(
                "Certificate {object} ends in {} and was not renewed{}",
                model::duration_text(left),
                because(why)
            );
            let mut found = dated(c, &object, "renewal-overdue", headline, end);
            found.forecast = vec![Forecast { what: format!("certificate {object} ends"), at: end }];
            if left > SOON_SECONDS {
                found.state(State::Suspected)
            } else {
                used(found, c, "will refuse its certificate", now)
            }
        }
        (None, _) if not_ready.is_some() && is_old(c, now) => {
            let headline = format!("Certificate {object} is not issued{}", because(why));
            let found = Finding::new(KIND.id, "issuing-failed", object.clone(), headline)
                .field("status.conditions[Ready]", "False", "True")
                .since(not_ready.and_then(|r| r.since));
            used(found, c, "have no certificate", now)
        }
        _ => return,
    };
    findings.push(finding.evidence(facts));
}

fn because(why: Option<&str>) -> String {
    why.filter(|w| !w.is_empty()).map(|w| format!(": {w}")).unwrap_or_default()
}

fn dated(
    c: &CertificateState,
    object: &ObjectRef,
    mechanism: &'static str,
    headline: String,
    end: Timestamp,
) -> Finding {
    let fact = evidence::field(c.meta.source, object, "status.notAfter", end.to_string());
    Finding::new(KIND.id, mechanism, object.clone(), headline)
        .field("status.notAfter", end.to_string(), "a date to come")
        .evidence([fact])
}

fn is_overdue(c: &CertificateState, now: &Snapshot) -> bool {
    now.has_time && c.renewal.is_some_and(|at| now.now.since(at) > RENEWING_SECONDS)
}

fn is_old(c: &CertificateState, now: &Snapshot) -> bool {
    let by_date = c.meta.created.filter(|_| now.has_time).map(|at| now.now.since(at));
    let age = c.meta.age_seconds.map(i64::from).or(by_date);
    age.is_none_or(|seconds| seconds > ISSUING_SECONDS)
}

/// Who has the certificate: Ingresses that name its Secret, workloads that mount it.
fn used(mut found: Finding, c: &CertificateState, how: &str, now: &Snapshot) -> Finding {
    let secret = ObjectRef::new(Kind::Secret, &c.meta.namespace, &c.secret);
    let mut routes = 0;
    for ingress in now.ingresses.in_namespace(&c.meta.namespace) {
        if ingress.certificates.contains(&c.secret) {
            routes += 1;
            found = found.affects(ingress.meta.object(Kind::Ingress), format!("clients {how}"));
        }
    }
    for (_, app) in now.dependants(&secret) {
        found = found.affects(app, format!("clients {how}"));
    }
    if found.affected.is_empty() {
        // Nobody is known to use it.
        return found.state(State::Suspected);
    }
    let ended = found.mechanism == "certificate-expired";
    let services = u32::from(ended && routes > 0);
    found.impact(Impact { services, ..Impact::default() })
}

/// Secrets whose last day an annotation tells, as OpenShift writes them.
pub(crate) fn secrets(now: &Snapshot, findings: &mut Findings) {
    const KEYS: [&str; 2] =
        ["auth.openshift.io/certificate-not-after", "service.beta.openshift.io/expiry"];
    if !now.has_time {
        return;
    }
    for secret in now.named.iter().filter(|n| n.kind == Kind::Secret) {
        let told = KEYS.iter().find_map(|k| Some((*k, secret.meta.annotation(k)?)));
        let Some((key, text)) = told else { continue };
        let Ok(end) = text.parse::<Timestamp>() else { continue };
        let object = secret.meta.object(Kind::Secret);
        let users = now.dependants(&object);
        // Old signers stay behind after their last day; nobody mounts them any more.
        if end > now.now || users.is_empty() || !secret.meta.shows(Known::LABELS) {
            continue;
        }
        let headline = format!("the certificate in Secret {object} has been over since {end}");
        let field = format!("metadata.annotations[{key}]");
        let look = format!(
            "kubectl get -n {} secret {} -o jsonpath='{{.data.tls\\.crt}}' | base64 -d | openssl \
             x509 -noout -dates",
            object.namespace, object.name
        );
        let mut found = Finding::new(KIND.id, "certificate-expired", object.clone(), headline)
            .field(field.clone(), text, "a date to come")
            .since(Some(end))
            .evidence([evidence::field(secret.meta.source, &object, field, text)])
            .unsure(Certainty::Likely, &["renewal-overdue"], look);
        for (_, app) in users {
            found = found.affects(app, "serves or shows a certificate that is over");
        }
        findings.push(found);
    }
}
