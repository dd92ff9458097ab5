//! The rules that fire alerts, wherever they stand, and whether all of them were seen.

use model::record::{AlertRule, Rules};
use model::{App, Kind, ObjectRef, Snapshot};

use super::tooling;

/// Objects with rules.
pub(super) fn all(now: &Snapshot) -> impl Iterator<Item = (ObjectRef, &Rules)> {
    now.named.iter().filter_map(|n| Some((n.meta.object(n.kind), n.rules.as_deref()?)))
}

/// Rules that fire alerts.
pub(super) fn alerts(now: &Snapshot) -> impl Iterator<Item = &AlertRule> {
    now.named.iter().filter_map(|n| n.rules.as_deref()).flat_map(|r| &r.alerts)
}

/// Who judges measurements here, when the input shows all rules it may have: the config maps
/// beside it, and the rule objects, which only a cluster with the operator has.
pub(super) fn judge(now: &Snapshot) -> Option<&App> {
    let watcher = tooling::watchers(now)
        .into_iter()
        .find(|a| tooling::runs(a, &["prometheus", "vmalert", "victoria-metrics", "mimir"]))?;
    let here = &watcher.object.namespace;
    let operator = || now.is_any_app(|a, _| tooling::runs(a, &["prometheus-operator"]));
    let objects = now.coverage.lists(Kind::PrometheusRule, here);
    let files = now.coverage.lists(Kind::ConfigMap, here);
    (files && (objects || !operator())).then_some(watcher)
}
