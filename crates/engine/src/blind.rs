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
