//! What the kinds that are only missing protections share: which workloads they look at.

use model::record::Known;
use model::{App, Detect, Factor, FailureKind, Finding, Gap, Kind, Remedy, Role, Snapshot, Step};

/// Whether people run this workload and the input shows it whole. What the cluster brings along
/// is not theirs to change.
pub(crate) fn is_shown(app: &App) -> bool {
    let kind = matches!(app.object.kind, Kind::Deployment | Kind::StatefulSet | Kind::DaemonSet);
    let shown = app.workload.as_ref().is_some_and(|w| w.meta.shows(Known::SPEC));
    kind && shown && !app.object.namespace.starts_with("kube-")
}

/// Whether it also has replicas, and at least one.
pub(crate) fn is_app(app: &App) -> bool {
    app.object.kind != Kind::DaemonSet && app.wanted().is_some_and(|w| w > 0) && is_shown(app)
}

/// What a kind says that a workload lacks.
pub(crate) fn gaps_of(kind: &FailureKind, app: &App, now: &Snapshot) -> Vec<Gap> {
    let mut gaps = Vec::new();
    match kind.detect {
        Detect::ExposedApps(lacks) => lacks(app, now, &mut gaps),
        _ => (kind.exposed)(now, &mut gaps),
    }
    gaps.retain(|gap| gap.object == app.object);
    gaps
}

/// A gap of a workload.
pub(crate) fn gap(
    failure: &'static str,
    app: &App,
    field: impl Into<String>,
    why: impl Into<String>,
) -> Gap {
    Gap { failure, object: app.object.clone(), field: field.into(), why: why.into() }
}

/// The missing protection of a workload as what made a failure possible or worse.
pub(crate) fn factor(failure: &'static str, app: &App, why: impl Into<String>) -> Factor {
    Factor { failure, object: app.object.clone(), role: Role::Contributing, why: why.into() }
}

/// Whether a LimitRange gives new containers of a namespace a limit of this resource. It acts
/// on new pods only, but those that come will have it.
pub(crate) fn limit_is_given(namespace: &str, resource: &str, now: &Snapshot) -> bool {
    let mut ranges = now.limit_ranges.in_namespace(namespace);
    ranges
        .any(|r| r.items.iter().any(|i| i.kind == "Container" && i.default.get(resource).is_some()))
}

/// Who needs a workload, in words: a route, or a workload that calls it.
pub(crate) fn needed_by(app: &App, now: &Snapshot) -> Option<String> {
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
pub(crate) fn remedy(finding: &Finding, _: &Snapshot) -> Remedy {
    let look = format!("kubectl get {} -o yaml", finding.object.for_kubectl());
    Remedy { next: vec![Step::look("Look at it as it is now", look)], do_not: Vec::new() }
}
