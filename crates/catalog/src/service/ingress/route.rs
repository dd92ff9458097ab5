//! Whether the Services that an Ingress leads to, and their ports, exist.

use model::record::{Ingress, IngressPath, Known, Port, Service};
use model::{Certainty, Finding, Findings, Impact, Kind, ObjectRef, Snapshot};

use crate::evidence;
use crate::pod::edit::nearest;
use crate::service::ingress_misrouted::finding;

/// A word that the load balancer controller of AWS understands in place of a port.
const ACTION: &str = "use-annotation";

/// The Services that an Ingress leads to, each once.
pub(super) fn services(ingress: &Ingress) -> Vec<ObjectRef> {
    let of = |p: &IngressPath| ObjectRef::new(Kind::Service, &ingress.meta.namespace, &p.service);
    let mut all: Vec<ObjectRef> = ingress.paths.iter().map(of).collect();
    all.sort();
    all.dedup();
    all
}

pub(crate) fn detect(ingress: &Ingress, now: &Snapshot, findings: &mut Findings) {
    if ingress.meta.deleting.is_some() {
        return;
    }
    let mut seen: Vec<(&str, &Port)> = Vec::new();
    for path in &ingress.paths {
        let target = (path.service.as_str(), &path.port);
        let is_action = matches!(&path.port, Port::Name(name) if name == ACTION);
        if path.service.is_empty() || is_action || seen.contains(&target) {
            continue;
        }
        seen.push(target);
        let service = now.services.get(&ingress.meta.namespace, &path.service);
        let found = match service {
            None if now.is_missing(Kind::Service, &ingress.meta.namespace, &path.service) => {
                Some(no_service(ingress, path, now))
            }
            None => None,
            Some(service) => no_port(ingress, path, service),
        };
        if let Some(found) = found {
            let count = ingress.paths.iter().filter(|p| p.service == path.service).count();
            findings.push(lost(found, ingress, path, count));
        }
    }
}

/// The field of a route: `spec.rules[host].http.paths[/path].backend.service`.
pub(super) fn field(path: &IngressPath, leaf: &str) -> String {
    if path.host.is_empty() && path.path.is_empty() {
        return format!("spec.defaultBackend.service.{leaf}");
    }
    let host = if path.host.is_empty() { "*" } else { path.host.as_str() };
    let route = if path.path.is_empty() { "/" } else { path.path.as_str() };
    format!("spec.rules[{host}].http.paths[{route}].backend.service.{leaf}")
}

/// What is asked for from outside: `shop.example.com/cart`.
pub(super) fn address(path: &IngressPath) -> String {
    let host = if path.host.is_empty() { "any host" } else { path.host.as_str() };
    format!("{host}{}", if path.path.is_empty() { "/" } else { path.path.as_str() })
}

fn no_service(ingress: &Ingress, path: &IngressPath, now: &Snapshot) -> Finding {
    let namespace = &ingress.meta.namespace;
    let here = now.services.in_namespace(namespace).map(|s| s.meta.name.as_str());
    let near = nearest(&path.service, here);
    let elsewhere = now.services.iter().find(|s| s.meta.name == path.service);
    let expected = match (near, elsewhere) {
        (Some(near), _) => format!("{near}, which exists"),
        (None, Some(other)) => format!(
            "a Service of namespace {namespace}; {} is in {}, out of its reach",
            other.meta.name, other.meta.namespace
        ),
        (None, None) => format!("a Service of namespace {namespace}"),
    };
    let headline = format!(
        "Ingress {} sends {} to Service {}, which does not exist",
        ingress.meta.object(Kind::Ingress),
        address(path),
        path.service
    );
    let at = [field(path, "name"), path.service.to_string(), expected];
    finding(ingress, "backend-service-missing", headline, at.each_ref().map(String::as_str))
}

fn no_port(ingress: &Ingress, path: &IngressPath, service: &Service) -> Option<Finding> {
    let known = service.meta.known;
    let external = service.kind == "ExternalName";
    if external
        || service.ports.is_empty()
        || !(known.has(Known::SUMMARY) || known.has(Known::SPEC))
    {
        return None;
    }
    let has = match &path.port {
        Port::Number(0) => true,
        Port::Number(n) => service.ports.iter().any(|p| p.port == *n),
        // A table does not print the names of ports.
        Port::Name(_) if !known.has(Known::SPEC) => true,
        Port::Name(name) => name.is_empty() || service.ports.iter().any(|p| p.name == *name),
    };
    if has {
        return None;
    }
    let text = |p: &model::record::ServicePort| match p.name.as_str() {
        "" => p.port.to_string(),
        name => format!("{} ({name})", p.port),
    };
    let ports = service.ports.iter().map(text).collect::<Vec<_>>().join(", ");
    let meant = service.ports.iter().find(|p| p.target_port.as_ref() == Some(&path.port));
    let only = service.ports.first().filter(|_| service.ports.len() == 1);
    let expected = match meant.or(only) {
        Some(port) => port.port.to_string(),
        None => format!("one of {ports}"),
    };
    let pods = match meant {
        Some(_) => format!("; {} is the port of its pods", path.port),
        None => String::new(),
    };
    let headline = format!(
        "Ingress {} sends {} to port {} of Service {}, which has {ports}{pods}",
        ingress.meta.object(Kind::Ingress),
        address(path),
        path.port,
        path.service
    );
    let leaf = if matches!(path.port, Port::Name(_)) { "port.name" } else { "port.number" };
    let at = [field(path, leaf), path.port.to_string(), expected];
    let fact = evidence::field(
        service.meta.source,
        &service.meta.object(Kind::Service),
        "spec.ports",
        ports,
    );
    let found =
        finding(ingress, "backend-port-missing", headline, at.each_ref().map(String::as_str));
    Some(found.evidence([fact]))
}

/// Who does not get through: everybody who asks for this route.
fn lost(found: Finding, ingress: &Ingress, path: &IngressPath, count: usize) -> Finding {
    let service = ObjectRef::new(Kind::Service, &ingress.meta.namespace, &path.service);
    let how = match count {
        0 | 1 => format!("requests for {} fail", address(path)),
        n => format!("requests for {} and {} other routes fail", address(path), n - 1),
    };
    let found = found.affects(service, how);
    // A manifest that nobody has applied hurts nobody.
    if !ingress.meta.shows(Known::SPEC) {
        let look = format!("kubectl describe -n {} ingress", ingress.meta.namespace);
        let found = found.unsure(Certainty::Likely, &[], look);
        return found.state(model::State::Suspected);
    }
    found.impact(Impact { services: 1, ..Impact::default() })
}
