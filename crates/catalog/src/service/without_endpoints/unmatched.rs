//! Services whose selector matches no pod: what they were meant for.

use model::record::{Known, Service};
use model::{App, Certainty, Finding, Findings, Impact, Kind, Snapshot, State};

use super::{KIND, endpoints_evidence};
use crate::evidence;
use crate::service::callers;
use crate::service::nearest::{self, Nearest};

/// Whether all labels that could match are in the input.
fn sees_all_labels(service: &Service, now: &Snapshot) -> bool {
    let namespace = &service.meta.namespace;
    let shown = |a: &App| {
        let template = a.workload.as_ref().is_some_and(|w| !w.template_labels.is_empty());
        template || a.pods.iter().all(|p| p.meta.known.has(Known::LABELS))
    };
    now.coverage.lists(Kind::Pod, namespace) && now.apps_in(namespace).iter().all(shown)
}

pub(super) fn unmatched(service: &Service, now: &Snapshot, findings: &mut Findings) {
    let object = service.meta.object(Kind::Service);
    let confirmed = now.addresses(service).is_some() || sees_all_labels(service, now);
    let nearest = nearest::of(service, now);
    let Some(near) = nearest else {
        if confirmed {
            findings.push(nothing_there(service, now));
        }
        return;
    };
    let wanted = near.app.wanted();
    let mut finding = match relabelled(service, &near) {
        Some(finding) => finding,
        None => mismatch(service, &near, now),
    };
    finding = finding
        .evidence(endpoints_evidence(service, now))
        .impact(Impact { services: 1, ..Impact::default() });
    if !confirmed {
        let look = format!("kubectl get endpoints -n {} {}", object.namespace, object.name);
        finding = finding.unsure(Certainty::Likely, &["no-pods"], look);
    }
    // A Service beside the one that is used, and that nobody names, may be a leftover.
    let served = now.services_of(near.app).iter().any(|s| *s != object);
    if (!near.same_name || served || wanted == Some(0)) && !callers::is_used(service, now) {
        finding = finding.state(State::Suspected).impact(Impact::default());
    }
    for caller in callers::of(service, now) {
        let how = format!("calls it ({}={})", caller.peer.setting, caller.peer.host);
        finding = finding.affects(caller.app.object.clone(), how);
    }
    findings.push(finding);
}

/// The selector differs from the labels of the workload it is meant for.
fn mismatch(service: &Service, near: &Nearest<'_>, now: &Snapshot) -> Finding {
    let object = service.meta.object(Kind::Service);
    let labels = near.app.pod_labels().map(|l| l.filtered(|k| k != "pod-template-hash"));
    let labels = labels.unwrap_or_default();
    let whose = &near.app.object;
    let kind = whose.kind;
    let side =
        if near.differences.iter().any(|d| follows_convention(service, &d.key, &d.wanted, now)) {
            "; the other Services here select by their own name, so the pods' label is what differs"
        } else {
            ""
        };
    let headline = format!(
        "Service {object} has no endpoints: it selects {}, the pods of {kind} {} carry \
         {labels}{side}",
        service.selector, whose.name
    );
    let source = service.meta.source;
    let facts = [
        evidence::field(source, &object, "spec.selector", service.selector.to_string()),
        evidence::field(
            near.app.document(),
            whose,
            "spec.template.metadata.labels",
            labels.to_string(),
        ),
    ];
    let mut finding = Finding::new(KIND.id, "selector-unmatched", object, headline).evidence(facts);
    if let Some(first) = near.differences.first() {
        let expected = first.expected();
        let expected = if near.ambiguous { format!("perhaps {expected}") } else { expected };
        finding = finding.field(format!("spec.selector.{}", first.key), &first.wanted, expected);
    }
    finding
}

/// The selector fits an older revision of the workload: its pods' labels were changed.
fn relabelled(service: &Service, near: &Nearest<'_>) -> Option<Finding> {
    let fits = |l: &model::Labels| !l.is_empty() && service.selector.all_in(l);
    let old = near.app.sets.iter().find(|s| fits(&s.template_labels))?;
    let first = near.differences.first()?;
    let object = near.app.object.clone();
    let service_object = service.meta.object(Kind::Service);
    let now_carried = first.carried.clone().unwrap_or_else(|| "(not set)".into());
    let headline = format!(
        "{} {object} no longer carries {}={}, which Service {} selects: the Service has no \
         endpoints",
        object.kind, first.key, first.wanted, service_object.name
    );
    let facts = [
        evidence::field(
            service.meta.source,
            &service_object,
            "spec.selector",
            service.selector.to_string(),
        ),
        evidence::field(
            old.meta.source,
            &old.object(),
            "spec.template.metadata.labels",
            old.template_labels.to_string(),
        ),
    ];
    let field = format!("spec.template.metadata.labels.{}", first.key);
    let finding = Finding::new(KIND.id, "selector-unmatched", object, headline)
        .field(field, now_carried, &first.wanted)
        .evidence(facts)
        .affects(service_object, "no endpoints");
    Some(finding)
}

/// Whether other Services of the namespace select `KEY = their own name`, as this one does.
fn follows_convention(service: &Service, key: &str, wanted: &str, now: &Snapshot) -> bool {
    if wanted != service.meta.name {
        return false;
    }
    let others = || {
        let here = now.services.in_namespace(&service.meta.namespace);
        here.filter(|s| s.meta.name != service.meta.name && !s.selector.is_empty())
    };
    let alike = others().filter(|s| s.selector.get(key) == Some(s.meta.name.as_str())).count();
    alike >= 2 && alike * 2 > others().count()
}

/// Nothing in the namespace resembles what the Service selects.
fn nothing_there(service: &Service, now: &Snapshot) -> Finding {
    let object = service.meta.object(Kind::Service);
    let headline = format!(
        "Service {object} has no endpoints: nothing in the namespace carries {}",
        service.selector
    );
    let look = format!("kubectl get pods -n {} --show-labels", object.namespace);
    let source = service.meta.source;
    let fact = evidence::field(source, &object, "spec.selector", service.selector.to_string());
    let used = callers::is_used(service, now);
    let impact = Impact { services: u32::from(used), ..Impact::default() };
    Finding::new(KIND.id, "no-pods", object, headline)
        .evidence([fact])
        .evidence(endpoints_evidence(service, now))
        .unsure(Certainty::Likely, &["selector-unmatched"], look)
        .state(if used { State::Active } else { State::Suspected })
        .impact(impact)
}
