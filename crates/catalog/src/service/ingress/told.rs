//! What Ingress controllers say, in events and in their logs, where objects alone do not tell.

use model::record::ClusterEvent;
use model::{Certainty, Evidence, Finding, Findings, Kind, ObjectRef, Snapshot};

use super::route;
use crate::evidence;
use crate::service::ingress_misrouted::KIND;
use crate::wording::{self, IngressComplaint, says};

/// Parts of names of pods and namespaces whose logs are read.
const CONTROLLERS: &[&str] = &["ingress", "traefik", "contour", "haproxy", "kong", "load-balancer"];

/// Only the end of a log is about now.
const LAST_LINES: usize = 400;

/// What a controller said about one thing.
struct Told {
    complaint: IngressComplaint,
    /// The Ingress, where it was named.
    ingress: Option<ObjectRef>,
    evidence: Evidence,
}

pub(crate) fn detect(now: &Snapshot, findings: &mut Findings) {
    for told in events(now).into_iter().chain(logs(now)) {
        let (kind, namespace, name) = thing(&told);
        if now.exists(kind, &namespace, &name) {
            findings.stale(format!("a controller missed {kind} {name}"), "it exists now");
            continue;
        }
        findings.found.extend(finding(told, (kind, &namespace, &name), now));
    }
}

/// What the controller missed.
fn thing(told: &Told) -> (Kind, String, String) {
    let c = &told.complaint;
    let kind = match c.mechanism {
        "class-missing" => Kind::IngressClass,
        "certificate-secret-missing" => Kind::Secret,
        _ => Kind::Service,
    };
    let own = told.ingress.as_ref().map_or("", |i| i.namespace.as_str());
    let namespace = if c.namespace.is_empty() { own } else { c.namespace.as_str() };
    (kind, namespace.to_owned(), c.name.clone())
}

/// The newest complaint of each Ingress.
fn events(now: &Snapshot) -> Vec<Told> {
    let about =
        |e: &ClusterEvent| e.warning && e.about.as_ref().is_some_and(|o| o.kind == Kind::Ingress);
    let read = |e: &ClusterEvent| {
        let ingress = e.about.clone();
        let complaint = wording::ingress_complaint(&e.message)?;
        Some(Told { complaint, ingress, evidence: evidence::event(e, now)? })
    };
    now.events_where(about).into_iter().rev().filter_map(read).collect()
}

fn logs(now: &Snapshot) -> Vec<Told> {
    let mut told: Vec<Told> = Vec::new();
    let own = |l: &&model::LogLines| {
        l.unit.is_empty() && (says(&l.name, CONTROLLERS) || says(&l.namespace, CONTROLLERS))
    };
    for log in now.logs.iter().filter(own) {
        for line in log.lines.iter().rev().take(LAST_LINES) {
            let Some(complaint) = wording::ingress_complaint(line) else { continue };
            if told.iter().any(|t| t.complaint == complaint) {
                continue;
            }
            let named = complaint.ingress.split_once('/');
            let ingress = named.map(|(ns, name)| ObjectRef::new(Kind::Ingress, ns, name));
            let writer = ObjectRef::new(Kind::Pod, &log.namespace, &log.name);
            let short: String = line.chars().take(300).collect();
            let evidence = evidence::field(log.document, &writer, "log", short);
            told.push(Told { complaint, ingress, evidence });
        }
    }
    told
}

fn finding(told: Told, missed: (Kind, &str, &str), now: &Snapshot) -> Option<Finding> {
    let (kind, namespace, name) = missed;
    let by_service = || {
        let mut here = now.ingresses.in_namespace(namespace);
        here.find(|i| i.paths.iter().any(|p| p.service == name))
    };
    let by_secret = || {
        let mut here = now.ingresses.in_namespace(namespace);
        here.find(|i| i.certificates.iter().any(|c| c == name))
    };
    let known = match (&told.ingress, kind) {
        (Some(named), _) => now.ingresses.get(&named.namespace, &named.name),
        (None, Kind::Service) => by_service(),
        (None, _) => by_secret(),
    };
    let object = match (known, &told.ingress) {
        (Some(ingress), _) => ingress.meta.object(Kind::Ingress),
        (None, Some(named)) => named.clone(),
        (None, None) => ObjectRef::new(kind, namespace, name),
    };
    // A complaint about an Ingress that is known and names something else by now is old.
    if let Some(ingress) = known
        && !ingress.paths.is_empty()
        && match kind {
            Kind::Service => !ingress.paths.iter().any(|p| p.service == name),
            Kind::Secret => !ingress.certificates.iter().any(|c| c == name),
            _ => !name.is_empty() && ingress.class != name,
        }
    {
        return None;
    }
    let mechanism = told.complaint.mechanism;
    let what = if name.is_empty() { "its class".into() } else { format!("{kind} {name}") };
    let headline = match object.kind {
        Kind::Ingress => format!("Ingress {object}: its controller does not find {what}"),
        _ => format!("an Ingress names {kind} {object}, which its controller does not find"),
    };
    let route = known.and_then(|i| i.paths.iter().find(|p| p.service == name));
    let field = match (kind, route) {
        (Kind::Service, Some(path)) => route::field(path, "name"),
        (Kind::Service, None) => "spec.rules[*].http.paths[*].backend.service.name".into(),
        (Kind::Secret, _) => format!("spec.tls[{name}].secretName"),
        _ => "spec.ingressClassName".into(),
    };
    let sure = now.is_missing(kind, namespace, name);
    let mut found = Finding::new(KIND.id, mechanism, object.clone(), headline)
        .field(field, name, format!("a {kind} that exists"))
        .evidence([told.evidence]);
    if !sure {
        let place = if kind.is_namespaced() { format!(" -n {namespace}") } else { String::new() };
        let look = format!("kubectl get{place} {}", kind.plural());
        found = found.unsure(Certainty::Likely, &[], look);
    }
    Some(found.affects(object, "its controller complains"))
}
