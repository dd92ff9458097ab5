//! What the kinds that are only missing protections share: which workloads they look at.

use model::record::Known;
use model::{App, Finding, Gap, Kind, Remedy, Snapshot, Step};

/// Workloads that people run and that the input shows whole, with at least one replica. What
/// the cluster brings along is not theirs to change.
pub(super) fn apps(now: &Snapshot) -> impl Iterator<Item = &App> {
    now.apps.iter().filter(|a| {
        let kind = matches!(a.object.kind, Kind::Deployment | Kind::StatefulSet);
        let shown = a.workload.as_ref().is_some_and(|w| w.meta.shows(Known::SPEC));
        let own = !a.object.namespace.starts_with("kube-");
        kind && shown && own && a.wanted().is_some_and(|w| w > 0)
    })
}

/// A gap of a workload.
pub(super) fn gap(
    failure: &'static str,
    app: &App,
    field: impl Into<String>,
    why: impl Into<String>,
) -> Gap {
    Gap { failure, object: app.object.clone(), field: field.into(), why: why.into() }
}

/// Who needs a workload, in words: a route, or a workload that calls it.
pub(super) fn needed_by(app: &App, now: &Snapshot) -> Option<String> {
    now.services_of(app).into_iter().find_map(|service| {
        let mut routes = now.ingresses.in_namespace(&service.namespace);
        let route = routes.find(|i| i.paths.iter().any(|p| p.service == service.name));
        let callers = now.callers_of(&service.namespace, &service.name);
        let caller = callers.iter().find(|(a, _)| a.object != app.object);
        let route = route.map(|i| format!("Ingress {}", i.meta.name));
        route.or_else(|| caller.map(|(a, _)| a.object.name.to_string()))
    })
}

/// What to do about a protection that is missing: look at it.
pub(super) fn remedy(finding: &Finding, _: &Snapshot) -> Remedy {
    let look = format!("kubectl get {} -o yaml", finding.object.for_kubectl());
    Remedy { next: vec![Step::look("Look at it as it is now", look)], do_not: Vec::new() }
}
