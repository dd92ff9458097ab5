//! Extensions of the API, the metrics API above all: who answers for them, and whether they do.

use model::record::{Availability, Known};
use model::{App, Certainty, Finding, Findings, Kind, ObjectRef, Role, Snapshot, State, Truth};

use super::super::standing::{SYSTEM, ready};
use super::super::told::{self, Told};
use super::KIND;
use crate::evidence;

/// The API that autoscalers and `kubectl top` ask.
const METRICS: &str = "metrics.k8s.io";

/// The workload that answers for it nearly everywhere.
const SERVER: &str = "metrics-server";

pub(super) fn report(now: &Snapshot, findings: &mut Findings) {
    let extensions = now.availability.iter().filter(|a| a.kind == Kind::APIService);
    let down: Vec<&Availability> = extensions.filter(|a| is_down(a)).collect();
    let mut metrics_seen = false;
    for extension in &down {
        metrics_seen |= is_metrics(extension);
        findings.push(unavailable(extension, now));
    }
    let healthy = now.availability.iter().any(|a| is_metrics(a) && !is_down(a));
    if metrics_seen || healthy {
        return;
    }
    let asked = told::standing(now).into_iter().find(|(told, _)| *told == Told::NoMetrics);
    let server = now.apps_in(SYSTEM).iter().find(|a| a.object.name == SERVER);
    match (server.and_then(|a| stopped(a, "metrics-down", now)), asked) {
        (Some(found), asked) => {
            findings.push(found.evidence(asked.map(|(_, e)| told::fact(e))));
        }
        (None, Some((_, error))) if !is_absent(server, now) => {
            let object = server.map(|a| a.object.clone());
            let object = object.unwrap_or_else(|| ObjectRef::component(SERVER));
            let headline = "nobody answers for the metrics API: autoscalers and kubectl top get \
                            nothing";
            let found = Finding::new(KIND.id, "metrics-down", object, headline)
                .evidence([told::fact(error)])
                .unsure(
                    Certainty::Possible,
                    &[],
                    "kubectl get apiservice v1beta1.metrics.k8s.io; kubectl get pods -n \
                     kube-system | grep metrics",
                );
            // Many clusters never had one, and nobody there misses it.
            let missed = server.is_some() || now.scalers.iter().next().is_some();
            let state = if missed { State::Active } else { State::Suspected };
            findings.push(sufferers(found, now).state(state));
        }
        _ => {}
    }
}

fn is_metrics(extension: &Availability) -> bool {
    extension.meta.name.ends_with(METRICS)
        && extension.meta.name.split('.').nth(1) == Some("metrics")
}

fn is_down(extension: &Availability) -> bool {
    extension.condition("Available").is_some_and(|c| c.status == Truth::False)
}

/// Whether the lists show that nobody ever installed it.
fn is_absent(server: Option<&App>, now: &Snapshot) -> bool {
    server.is_none()
        && now.coverage.lists(Kind::APIService, "")
        && !now.availability.iter().any(is_metrics)
}

/// The API says that nobody answers for an extension: the workload behind it, else the
/// extension itself.
fn unavailable(extension: &Availability, now: &Snapshot) -> Finding {
    let own = extension.meta.object(Kind::APIService);
    let metrics = is_metrics(extension);
    let mechanism = if metrics { "metrics-down" } else { "extension-api-down" };
    let condition = extension.condition("Available");
    let fact = condition.map(|c| evidence::condition(extension.meta.source, &own, c));
    let since = condition.and_then(|c| c.since).filter(|_| now.has_time);
    let service = extension.service.as_ref();
    let behind = service.and_then(|(namespace, name)| {
        let service = now.services.get(namespace, name);
        let selected = service.map(|s| now.apps_selected(namespace, &s.selector));
        let selected = selected.and_then(|apps| apps.first().copied());
        let named = || now.apps_in(namespace).iter().find(|a| a.object.name == *name);
        selected.or_else(named)
    });
    if let Some(found) = behind.and_then(|app| stopped(app, mechanism, now)) {
        return found.evidence(fact).since(since);
    }
    let reason = condition.map_or("", |c| c.reason());
    let mut headline = format!("nobody answers for the API {}", own.name);
    let mut found = Finding::new(KIND.id, mechanism, own, "");
    if let Some((namespace, name)) = service {
        let missing = now.is_missing(Kind::Service, namespace, name);
        if missing || reason == "ServiceNotFound" {
            headline += &format!(": its Service {namespace}/{name} does not exist");
        }
        found =
            found.field("spec.service", format!("{namespace}/{name}"), "a Service that answers");
    }
    found.headline = headline;
    found = found.evidence(fact).since(since);
    if !metrics {
        // Only what uses this API suffers; who that is cannot be seen.
        let own = found.object.clone();
        return found.affects(own, "objects of this API cannot be read");
    }
    sufferers(found, now)
}

/// The workload behind an extension has no ready pod.
fn stopped(app: &App, mechanism: &'static str, now: &Snapshot) -> Option<Finding> {
    let workload = app.workload.as_ref();
    let counted = workload.is_some_and(|w| w.meta.shows(Known::STATUS));
    if ready(app) > 0 || (!counted && app.pods.is_empty()) {
        return None;
    }
    let zero = workload.is_some_and(|w| w.meta.shows(Known::REPLICAS) && w.replicas == Some(0));
    if !zero && app.lost_replicas() == 0 {
        return None;
    }
    let what = if mechanism == "metrics-down" { "the metrics API" } else { "its API" };
    let object = app.object.clone();
    let (headline, role) = match zero {
        true => (format!("{object} is scaled to zero: nobody answers for {what}"), Role::Trigger),
        false => {
            (format!("no pod of {object} is ready: nobody answers for {what}"), Role::Mechanism)
        }
    };
    let field = if zero { "spec.replicas" } else { "status.readyReplicas" };
    let fact = evidence::field(app.document(), &object, field, "0");
    let found = Finding::new(KIND.id, mechanism, object, headline)
        .role(role)
        .field(field, "0", "1 or more")
        .evidence([fact]);
    Some(sufferers(found, now))
}

/// Autoscalers that cannot count any more.
fn sufferers(mut found: Finding, now: &Snapshot) -> Finding {
    for scaler in now.scalers.iter() {
        let object = scaler.meta.object(Kind::HorizontalPodAutoscaler);
        found = found.affects(object, "gets no metrics and stands still");
    }
    if found.affected.is_empty() {
        let own = found.object.clone();
        found = found.affects(own, "kubectl top and autoscalers get no metrics");
    }
    found
}
