//! Services whose endpoints are not their pods: who keeps them in step does not do so.

use model::record::{Known, Pod, Port, Service};
use model::{App, Certainty, Finding, Findings, Impact, Kind, ObjectRef, Snapshot, Truth};

use super::KIND;
use crate::evidence;

/// Endpoints follow their pods within seconds; this much later they are not coming.
const SETTLED_SECONDS: i64 = 120;

/// How endpoints and pods differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Difference {
    /// Pods are ready and are no endpoints.
    Left(usize),
    /// Endpoints take traffic for pods that are not ready or are gone.
    Kept(u32),
}

pub(super) fn detect(service: &Service, now: &Snapshot, findings: &mut Findings) {
    let Some(difference) = difference(service, now) else { return };
    let object = service.meta.object(Kind::Service);
    let differ = |s: &&Service| self::difference(s, now).is_some();
    let many = now.services.iter().filter(differ).take(2).count() > 1;
    let what = match difference {
        Difference::Left(n) => format!("{n} ready pods of it are no endpoints"),
        Difference::Kept(n) => format!("{n} of its endpoints are pods that take no traffic"),
    };
    let headline = format!("Service {object} leads elsewhere: {what}");
    let (value, expected) = match difference {
        Difference::Left(n) => ("none ready".to_owned(), format!("{n} ready pods")),
        Difference::Kept(n) => (format!("{n} ready"), "none ready".to_owned()),
    };
    // What keeps the endpoints of all Services is one and the same.
    let keeper =
        if many { ObjectRef::component("kube-controller-manager") } else { object.clone() };
    let look = "kubectl get pods,leases -n kube-system".to_owned();
    let certainty = if many { Certainty::Likely } else { Certainty::Possible };
    let fact = evidence::field(service.meta.source, &object, "endpoints", value.clone());
    findings.push(
        Finding::new(KIND.id, "endpoints-stale", keeper, headline)
            .field("endpoints", value, expected)
            .evidence([fact])
            .affects(object, what)
            .impact(Impact { services: 1, ..Impact::default() })
            .unsure(certainty, &["controller-manager-down"], look),
    );
}

fn difference(service: &Service, now: &Snapshot) -> Option<Difference> {
    let skipped = service.kind == "ExternalName" || service.publishes_unready;
    if skipped || service.selector.is_empty() || !now.has_time || is_young(service, now) {
        return None;
    }
    let mut behind = now.backends.in_namespace(&service.meta.namespace);
    // Text shows only the first of many addresses.
    let whole = behind.any(|b| b.service == service.meta.name && b.meta.created.is_some());
    let (ready, _) = now.addresses(service).filter(|_| whole)?;
    let apps = now.apps_selected(&service.meta.namespace, &service.selector);
    let pods = || apps.iter().flat_map(|a| a.running());
    let settled = |p: &Pod, wanted: Truth| {
        let labels = p.meta.known.has(Known::LABELS) && service.selector.all_in(&p.meta.labels);
        let since = p.ready.filter(|r| r.status == wanted).and_then(|r| r.since);
        labels && since.is_some_and(|at| !now.now.is_within(at, SETTLED_SECONDS))
    };
    if ready == 0 {
        let left = pods().filter(|p| settled(p, Truth::True)).count();
        let reached = service.ports.iter().all(|p| resolves(p.target_port.as_ref(), &apps));
        return (left > 0 && reached).then_some(Difference::Left(left));
    }
    let none = pods().all(|p| settled(p, Truth::False));
    let seen = pods().next().is_some();
    (none && seen).then_some(Difference::Kept(ready))
}

fn is_young(service: &Service, now: &Snapshot) -> bool {
    service.meta.created.is_none_or(|at| !now.now.has_come(at.plus_seconds(SETTLED_SECONDS)))
}

/// Whether the pods have the port: without it they are rightly no endpoints.
fn resolves(target: Option<&Port>, apps: &[&App]) -> bool {
    match target {
        Some(Port::Name(name)) => {
            apps.iter().all(|a| a.ports().iter().any(|(own, _, _)| *own == name.as_str()))
        }
        _ => true,
    }
}
