//! What the input does not show. Blindness is data: it is never taken for "nothing wrong".

use std::collections::BTreeSet;

use model::{Blind, FailureKind, Incident, Kind, Snapshot};

/// What is missing in the input and would have told more, with the command that shows it.
pub(crate) fn of(now: &Snapshot, kinds: &[&FailureKind], incidents: &[Incident]) -> Vec<Blind> {
    let mut blind = Vec::new();
    let read: BTreeSet<Kind> = kinds.iter().flat_map(|k| k.reads.iter().copied()).collect();
    for kind in [Kind::Pod, Kind::Node, Kind::Service].into_iter().filter(|k| read.contains(k)) {
        if !now.coverage.lists_any(kind) && !seen(now, kind) {
            let all = if kind.is_namespaced() { " -A" } else { "" };
            blind
                .push(missing(kind.plural().into(), format!("kubectl get {}{all}", kind.plural())));
        }
    }
    for kind in now.coverage.cut() {
        let all = if kind.is_namespaced() { " -A" } else { "" };
        blind.push(Blind {
            what: kind.plural().into(),
            why: "not all were read: a list was refused or ended early".into(),
            ask: format!("kubectl get {}{all}", kind.plural()),
        });
    }
    let lacking = of_a_dump(now, &read, &blind);
    blind.extend(lacking);
    if now.events.is_empty() {
        let namespaces: BTreeSet<&str> = incidents
            .iter()
            .map(|i| i.cause().object.namespace.as_str())
            .filter(|n| !n.is_empty())
            .collect();
        for namespace in namespaces {
            blind.push(missing(
                format!("events of namespace {namespace}"),
                format!("kubectl get events -n {namespace}"),
            ));
        }
        if blind.is_empty() && incidents.is_empty() {
            blind.push(missing("events".into(), "kubectl get events -A".into()));
        }
    }
    blind
}

/// Kinds that every cluster has, by which a capture of a whole one is known.
const EVERYWHERE: [Kind; 6] =
    [Kind::Pod, Kind::Node, Kind::Service, Kind::Deployment, Kind::ReplicaSet, Kind::Namespace];

/// Where most of these were listed completely, somebody meant to take everything.
fn is_dump(now: &Snapshot) -> bool {
    EVERYWHERE.iter().filter(|kind| now.coverage.lists_any(**kind)).count() >= 4
}

/// Kinds of which something was to be shown and was not: a list was refused or ended early, or a
/// capture of a whole cluster lacks what every cluster has.
pub(crate) fn lost(now: &Snapshot) -> BTreeSet<Kind> {
    let mut lost: BTreeSet<Kind> = now.coverage.cut().collect();
    if is_dump(now) {
        let kinds = [Kind::Pod, Kind::Node, Kind::Service];
        lost.extend(kinds.into_iter().filter(|kind| !now.coverage.lists_any(*kind)));
    }
    lost
}

/// Lists that a capture of a whole cluster lacks and that were not told of yet.
fn of_a_dump(now: &Snapshot, read: &BTreeSet<Kind>, told: &[Blind]) -> Option<Blind> {
    if !is_dump(now) {
        return None;
    }
    let cut: BTreeSet<Kind> = now.coverage.cut().collect();
    let lacks = |kind: &Kind| {
        // Slices say what Endpoints say, and more.
        let other = match kind {
            Kind::Endpoints => now.coverage.lists_any(Kind::EndpointSlice),
            Kind::Event => !now.events.is_empty(),
            _ => false,
        };
        let is_told = told.iter().any(|b| b.what == kind.plural()) || cut.contains(kind);
        let is_read = kind.is_api_object() && !kind.is_optional();
        is_read && !now.coverage.lists_any(*kind) && !is_told && !other
    };
    let names: Vec<&str> = read.iter().filter(|k| lacks(k)).map(|k| k.plural()).collect();
    (!names.is_empty()).then(|| {
        let ask = format!("kubectl get {} -A -o json", names.join(","));
        missing(names.join(", "), ask)
    })
}

fn missing(what: String, ask: String) -> Blind {
    Blind { what, why: "not in the input".into(), ask }
}

fn seen(now: &Snapshot, kind: Kind) -> bool {
    match kind {
        Kind::Pod => now.apps.iter().any(|a| !a.pods.is_empty()),
        Kind::Node => !now.nodes.is_empty(),
        _ => !now.services.is_empty(),
    }
}
