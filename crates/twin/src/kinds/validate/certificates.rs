//! Requests for certificates.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use crate::field;
use crate::registry::Cause;

const SHORTEST_SECONDS: i64 = 600;
const USAGES: [&str; 23] = [
    "any",
    "cert sign",
    "client auth",
    "code signing",
    "content commitment",
    "crl sign",
    "data encipherment",
    "decipher only",
    "digital signature",
    "email protection",
    "encipher only",
    "ipsec end system",
    "ipsec tunnel",
    "ipsec user",
    "key agreement",
    "key encipherment",
    "microsoft sgc",
    "netscape sgc",
    "ocsp signing",
    "s/mime",
    "server auth",
    "signing",
    "timestamping",
];

pub(super) fn request(request: &Value) -> Vec<Cause> {
    let mut causes = Vec::new();
    let given = field::text(request, "/spec/request");
    if !holds(given, "CERTIFICATE REQUEST") {
        let why = "PEM block type must be CERTIFICATE REQUEST";
        causes.push(Cause::invalid("spec.request", &given.into(), why));
    }
    let usages = field::list(request, "/spec/usages");
    if usages.is_empty() {
        causes.push(Cause::required("spec.usages"));
    }
    for (index, usage) in usages.iter().enumerate() {
        let path = format!("spec.usages[{index}]");
        if !usage.as_str().is_some_and(|usage| USAGES.contains(&usage)) {
            causes.push(Cause::unsupported(&path, usage, &USAGES));
        }
        if usages.iter().take(index).any(|other| other == usage) {
            causes.push(Cause::duplicate(&path, usage));
        }
    }
    causes.extend(signer(field::text(request, "/spec/signerName")));
    let seconds = request.pointer("/spec/expirationSeconds").and_then(Value::as_i64);
    if let Some(seconds) = seconds.filter(|seconds| *seconds < SHORTEST_SECONDS) {
        let why = "may not specify a duration less than 600 seconds (10 minutes)";
        causes.push(Cause::invalid("spec.expirationSeconds", &seconds.into(), why));
    }
    causes.extend(conditions(request));
    let certificate = field::text(request, "/status/certificate");
    if !certificate.is_empty() && !holds(certificate, "CERTIFICATE") {
        let why = "must contain at least one CERTIFICATE PEM block";
        causes.push(Cause::invalid("status.certificate", &"<certificate data>".into(), why));
    }
    causes
}

/// Whether bytes in base64 are PEM with a block of this kind.
fn holds(text: &str, block: &str) -> bool {
    let bytes = STANDARD.decode(text).unwrap_or_default();
    String::from_utf8_lossy(&bytes).contains(&format!("-----BEGIN {block}-----"))
}

fn signer(name: &str) -> Option<Cause> {
    const FIELD: &str = "spec.signerName";
    let qualified = name.split_once('/').is_some_and(|(domain, path)| {
        domain.contains('.') && !path.is_empty() && !domain.starts_with('.')
    });
    match name {
        "" => Some(Cause::required(FIELD)),
        "kubernetes.io/legacy-unknown" => {
            let why = "the legacy signerName is not allowed via this API version";
            Some(Cause::invalid(FIELD, &name.into(), why))
        }
        _ if !qualified => {
            let why = "must be a fully qualified domain and path of the form \
                 'example.com/signer-name'";
            Some(Cause::invalid(FIELD, &name.into(), why))
        }
        _ => None,
    }
}

fn conditions(request: &Value) -> Vec<Cause> {
    let all = field::list(request, "/status/conditions");
    let kinds: Vec<&str> = all.iter().map(|c| field::text(c, "/type")).collect();
    let mut causes = Vec::new();
    for (index, condition) in all.iter().enumerate() {
        let path = |key: &str| format!("status.conditions[{index}].{key}");
        let kind = field::text(condition, "/type");
        if kind.is_empty() {
            causes.push(Cause::required(&path("type")));
        }
        let decisive = matches!(kind, "Approved" | "Denied" | "Failed");
        let known: &[&str] = if decisive { &["True"] } else { &["False", "True", "Unknown"] };
        match field::text(condition, "/status") {
            "" => causes.push(Cause::required(&path("status"))),
            status if !known.contains(&status) => {
                causes.push(Cause::unsupported(&path("status"), &status.into(), known));
            }
            _ => {}
        }
        let before = kinds.get(..index).unwrap_or_default();
        let opposite = match kind {
            "Approved" => "Denied",
            "Denied" => "Approved",
            _ => "-",
        };
        if before.contains(&opposite) {
            let why = "Approved and Denied conditions are mutually exclusive";
            causes.push(Cause::invalid("status.conditions", &kind.into(), why));
        }
        if before.contains(&kind) {
            causes.push(Cause::duplicate(&path("type"), &kind.into()));
        }
    }
    causes
}

/// What may not be taken back, and what only an approval may say.
pub(crate) fn request_update(old: &Value, new: &Value, approves: bool) -> Vec<Cause> {
    const FIELD: &str = "status.conditions";
    let count = |of: &Value, kind: &str| {
        let all = field::list(of, "/status/conditions").iter();
        all.filter(|condition| field::text(condition, "/type") == kind).count()
    };
    let mut causes = Vec::new();
    for kind in ["Approved", "Denied", "Failed"] {
        if count(new, kind) < count(old, kind) {
            let why = format!("updates may not remove a condition of type {kind:?}");
            causes.push(Cause::forbidden(FIELD, &why));
        } else if count(new, kind) > count(old, kind) && !approves && kind != "Failed" {
            let why = format!("updates may not add a condition of type {kind:?}");
            causes.push(Cause::forbidden(FIELD, &why));
        }
    }
    causes
}
