//! Compares the ports that clients use with the ports that a Service has.

use std::collections::BTreeMap;

use model::record::{Port, Service};
use model::{Finding, Findings, Impact, Kind, ObjectRef, Snapshot};

use super::{KIND, port_field};
use crate::evidence;
use crate::service::callers::{self, Caller};

pub(super) fn detect(service: &Service, now: &Snapshot, findings: &mut Findings) {
    // Behind a headless Service clients reach the pods directly, on any port.
    let headless = service.cluster_address == "None";
    if service.ports.is_empty() || headless || service.kind == "ExternalName" {
        return;
    }
    let has = |port: u16| service.ports.iter().any(|p| p.port == port);
    let callers = callers::of(service, now);
    let (right, wrong): (Vec<Caller<'_>>, Vec<Caller<'_>>) = callers
        .into_iter()
        .filter(|c| c.peer.port.is_some())
        .partition(|c| c.peer.port.is_some_and(has));
    let connected = |c: &Caller<'_>| {
        c.peer.port.is_some_and(|p| callers::dialled(service, p, now).is_some_and(|d| d.connected))
    };
    let wrong: Vec<Caller<'_>> = wrong.into_iter().filter(|c| !connected(c)).collect();
    if right.is_empty()
        && let Some(port) = agreed(&wrong)
        && service_differs(service, &wrong, port, now)
    {
        return findings.push(service_side(service, &wrong, port));
    }
    let mut by_app: BTreeMap<&ObjectRef, Vec<&Caller<'_>>> = BTreeMap::new();
    for caller in &wrong {
        by_app.entry(&caller.app.object).or_default().push(caller);
    }
    for callers in by_app.values() {
        findings.push(client_side(service, callers, now));
    }
}

/// The port that all of them use.
fn agreed(callers: &[Caller<'_>]) -> Option<u16> {
    let first = callers.first()?.peer.port?;
    callers.iter().all(|c| c.peer.port == Some(first)).then_some(first)
}

/// Whether the Service is the odd one: several clients agree on another port, or the one
/// client uses the very port of the pods, which the Service maps to an unusual number.
fn service_differs(service: &Service, callers: &[Caller<'_>], port: u16, now: &Snapshot) -> bool {
    let mut apps: Vec<&ObjectRef> = callers.iter().map(|c| &c.app.object).collect();
    apps.sort();
    apps.dedup();
    let behind = now.apps_selected(&service.meta.namespace, &service.selector);
    let leads_to_it = service.ports.iter().any(|p| {
        let target = p.target_port.clone().unwrap_or(Port::Number(p.port));
        let number = behind.iter().find_map(|a| a.resolve_port(&target));
        number == Some(port) && !matches!(p.port, 80 | 443)
    });
    apps.len() >= 2 || leads_to_it
}

fn service_side(service: &Service, callers: &[Caller<'_>], port: u16) -> Finding {
    let object = service.meta.object(Kind::Service);
    let has = ports(service);
    let n = callers.len();
    let who = if n == 1 { "its client uses".to_owned() } else { format!("all {n} clients use") };
    let headline = format!("Service {object} has port {has}, but {who} {port}");
    let first = service.ports.first();
    let field = first.map_or("spec.ports".into(), |p| port_field(&p.name, p.port));
    let mut finding = Finding::new(KIND.id, "port-mismatch-of-client", object.clone(), headline)
        .field(format!("{field}.port"), has.clone(), port.to_string())
        .evidence([evidence::field(service.meta.source, &object, "spec.ports", has)])
        .evidence(callers.iter().take(4).map(caller_evidence))
        .impact(Impact { services: 1, ..Impact::default() });
    for caller in callers {
        let how = format!("calls it on port {port} ({})", caller.peer.setting);
        finding = finding.affects(caller.app.object.clone(), how);
    }
    finding
}

fn client_side(service: &Service, callers: &[&Caller<'_>], now: &Snapshot) -> Finding {
    let object = service.meta.object(Kind::Service);
    let has = ports(service);
    let app = callers.first().map_or(object.clone(), |c| c.app.object.clone());
    let used = callers.first().and_then(|c| c.peer.port).unwrap_or(0);
    let headline = format!(
        "{} {app} calls Service {} on port {used}, but the Service has port {has}",
        app.kind, service.meta.name
    );
    let mut finding = Finding::new(KIND.id, "port-mismatch-of-client", app.clone(), headline)
        .evidence(callers.iter().map(|c| caller_evidence(c)))
        .evidence([evidence::field(service.meta.source, &object, "spec.ports", has)])
        .affects(app, format!("cannot reach Service {}", service.meta.name))
        .impact(Impact { services: 1, ..Impact::default() });
    if let Some(caller) = callers.first() {
        let host = caller.peer.host;
        let port = expected(service, used, now);
        let port = port.map_or("a port the Service has".into(), |p| p.to_string());
        finding = finding.field(caller.field(), format!("{host}:{used}"), format!("{host}:{port}"));
    }
    let dial = callers::dialled(service, used, now).filter(|d| !d.connected);
    finding.evidence(dial.map(|d| callers::dial_evidence(service, d)))
}

/// The port a client meant: the only one, or the one that leads to the number it used.
fn expected(service: &Service, used: u16, now: &Snapshot) -> Option<u16> {
    if service.ports.len() == 1 {
        return service.ports.first().map(|p| p.port);
    }
    let behind = now.apps_selected(&service.meta.namespace, &service.selector);
    let leads = service.ports.iter().find(|p| {
        let target = p.target_port.clone().unwrap_or(Port::Number(p.port));
        behind.iter().find_map(|a| a.resolve_port(&target)) == Some(used)
    });
    leads.map(|p| p.port)
}

fn caller_evidence(caller: &Caller<'_>) -> model::Evidence {
    let port = caller.peer.port.map(|p| format!(":{p}")).unwrap_or_default();
    let value = format!("{}{port}", caller.peer.host);
    evidence::field(caller.app.document(), &caller.app.object, caller.field(), value)
}

fn ports(service: &Service) -> String {
    service.ports.iter().map(|p| p.port.to_string()).collect::<Vec<_>>().join(", ")
}
