//! Services that are only another name: the name they stand for must exist.

use model::record::Service;
use model::{Certainty, Finding, Findings, Impact, Kind, Snapshot, State};

use super::KIND;
use crate::evidence;
use crate::pod::edit::nearest;
use crate::pod::log_lines::{self, Says};
use crate::service::callers;

pub(super) fn detect(service: &Service, now: &Snapshot, findings: &mut Findings) {
    if service.kind != "ExternalName" || service.external_name.is_empty() {
        return;
    }
    let Some((name, namespace)) = inside(&service.external_name) else {
        findings.found.extend(unknown(service, now));
        return;
    };
    if !now.is_missing(Kind::Service, namespace, name) {
        return;
    }
    let object = service.meta.object(Kind::Service);
    let here = now.services.in_namespace(namespace).map(|s| s.meta.name.as_str());
    let expected = match nearest(name, here) {
        Some(near) => format!("{near}.{namespace}.svc.cluster.local, which exists"),
        None => "the name of a Service that exists".to_owned(),
    };
    let headline = format!(
        "Service {object} stands for {}, but namespace {namespace} has no Service {name}",
        service.external_name
    );
    let (field, value) = ("spec.externalName", service.external_name.as_str());
    let mut finding = Finding::new(KIND.id, "external-name-wrong", object.clone(), headline)
        .field(field, value, expected)
        .evidence([evidence::field(service.meta.source, &object, field, value)]);
    let callers = callers::of(service, now);
    let used = !callers.is_empty() || callers::dials(service, now).any(|d| !d.connected);
    for caller in callers {
        let how = format!("calls it ({}={})", caller.peer.setting, caller.peer.host);
        finding = finding.affects(caller.app.object.clone(), how);
    }
    findings.push(match used {
        true => finding.impact(Impact { services: 1, ..Impact::default() }),
        false => finding.state(State::Suspected),
    });
}

/// A name outside of the cluster that does not resolve, as those say who call the Service.
fn unknown(service: &Service, now: &Snapshot) -> Option<Finding> {
    let object = service.meta.object(Kind::Service);
    let outside = service.external_name.as_str();
    let mut found: Option<Finding> = None;
    for caller in callers::of(service, now) {
        let spec = caller.app.spec();
        let containers = spec.into_iter().flat_map(|s| s.containers.iter());
        let clue = containers.filter_map(|c| log_lines::read(caller.app, &c.name, now)).find(|c| {
            let named = c.line.contains(outside) || c.line.contains(service.meta.name.as_str());
            c.says == Says::NameUnknown && named
        });
        let Some(clue) = clue else { continue };
        let finding = found.take().unwrap_or_else(|| {
            let headline =
                format!("Service {object} stands for {outside}, a name that does not resolve");
            let look = format!(
                "kubectl run -n {} -it --rm look --image=busybox -- nslookup {outside}",
                object.namespace
            );
            Finding::new(KIND.id, "external-name-wrong", object.clone(), headline)
                .field("spec.externalName", outside, "a name that resolves")
                .unsure(Certainty::Likely, &["name-resolution"], look)
                .impact(Impact { services: 1, ..Impact::default() })
        });
        let how = format!("calls it ({}={})", caller.peer.setting, caller.peer.host);
        found = Some(finding.evidence([clue.evidence]).affects(caller.app.object.clone(), how));
    }
    found
}

/// Name and namespace of a Service of this cluster, when the name is of one.
fn inside(name: &str) -> Option<(&str, &str)> {
    let mut parts = name.trim_end_matches('.').split('.');
    let (service, namespace) = (parts.next()?, parts.next()?);
    (parts.next() == Some("svc")).then_some((service, namespace))
}
