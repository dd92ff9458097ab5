//! `/healthz`, `/livez` and `/readyz`: the checks of a real server, all of which succeed.

use super::query::Query;
use super::{Reply, TEXT};

/// Checks of all three, in the order in which they are told; `&` marks those of a part only.
const CHECKS: [&str; 35] = [
    "ping",
    "log",
    "&livez loopback-serving-certificate",
    "etcd",
    "&readyz etcd-readiness",
    "&readyz informer-sync",
    "poststarthook/start-apiserver-admission-initializer",
    "poststarthook/generic-apiserver-start-informers",
    "poststarthook/priority-and-fairness-config-consumer",
    "poststarthook/priority-and-fairness-filter",
    "poststarthook/storage-object-count-tracker-hook",
    "poststarthook/start-apiextensions-informers",
    "poststarthook/start-apiextensions-controllers",
    "poststarthook/crd-informer-synced",
    "poststarthook/start-system-namespaces-controller",
    "poststarthook/peer-endpoint-reconciler-controller",
    "poststarthook/start-cluster-authentication-info-controller",
    "poststarthook/start-kube-apiserver-identity-lease-controller",
    "poststarthook/start-kube-apiserver-identity-lease-garbage-collector",
    "poststarthook/storage-readiness",
    "poststarthook/start-legacy-token-tracking-controller",
    "poststarthook/start-service-ip-repair-controllers",
    "poststarthook/rbac/bootstrap-roles",
    "poststarthook/scheduling/bootstrap-system-priority-classes",
    "poststarthook/priority-and-fairness-config-producer",
    "poststarthook/bootstrap-controller",
    "poststarthook/start-kubernetes-service-cidr-controller",
    "poststarthook/aggregator-reload-proxy-client-cert",
    "poststarthook/start-kube-aggregator-informers",
    "poststarthook/apiservice-status-local-available-controller",
    "poststarthook/apiservice-status-remote-available-controller",
    "poststarthook/apiservice-registration-controller",
    "poststarthook/apiservice-discovery-controller",
    "poststarthook/kube-apiserver-autoregistration",
    "autoregister-completion",
];
/// These come after the others.
const LAST: [&str; 3] = [
    "poststarthook/apiservice-openapi-controller",
    "poststarthook/apiservice-openapiv3-controller",
    "&readyz shutdown",
];

/// The checks of one of the three.
fn checks(root: &str) -> impl Iterator<Item = &'static str> {
    CHECKS.iter().chain(&LAST).filter_map(move |check| match check.strip_prefix('&') {
        None => Some(*check),
        Some(own) => own.split_once(' ').filter(|(of, _)| *of == root).map(|(_, name)| name),
    })
}

/// `/metrics/slis`: the result of every check, for Prometheus.
pub(super) fn indicators() -> Reply {
    let mut text = String::from("# TYPE kubernetes_healthcheck gauge\n");
    for root in ["healthz", "livez", "readyz"] {
        for name in checks(root) {
            let labels = format!("{{name=\"{name}\",type=\"{root}\"}}");
            text.push_str(&format!("kubernetes_healthcheck{labels} 1\n"));
        }
    }
    Reply::bytes(200, TEXT, text.into())
}

/// The answer at `path`, such as `livez` or `readyz/etcd`.
pub(super) fn answer(path: &str, query: &Query) -> Reply {
    let (root, check) = path.split_once('/').unwrap_or((path, ""));
    let checks: Vec<&str> = checks(root).collect();
    if !check.is_empty() {
        return match checks.contains(&check) {
            true => Reply::text(200, "ok"),
            false => Reply::text(404, "404 page not found\n"),
        };
    }
    if !query.has("verbose") {
        return Reply::text(200, "ok");
    }
    let excluded: Vec<&str> = query.all("exclude");
    let mut text = String::new();
    for check in &checks {
        let left_out = if excluded.contains(check) { "excluded: " } else { "" };
        text.push_str(&format!("[+]{check} {left_out}ok\n"));
    }
    let strange: Vec<String> = excluded
        .iter()
        .filter(|name| !checks.contains(name))
        .map(|name| format!("{name:?}"))
        .collect();
    if !strange.is_empty() {
        let strange = strange.join(", ");
        text.push_str(&format!(
            "warn: some health checks cannot be excluded: no matches for {strange}\n"
        ));
    }
    text.push_str(&format!("{root} check passed\n"));
    Reply::bytes(200, TEXT, text.into())
}
