//! `service-without-endpoints`: nothing ready is behind a Service.

use model::record::{Known, Pod, Service};
use model::{App, Evidence, Findings, Kind, Snapshot};

use crate::evidence;

mod advice;
mod by_hand;
mod unmatched;
mod unready;

failure! {
    /// # A Service has no endpoints
    ///
    /// ## Signs
    /// `kubectl get endpoints` shows `<none>` for the Service. Its clients wait until they give
    /// up, or their connections are refused at once. The pods meant for it may all run well.
    ///
    /// ## Why it happens
    /// A Service sends traffic to the ready pods whose labels match its selector, all of it.
    /// It has none when the selector names a label or a value that no pod carries (a word
    /// misspelt, a version added, a key renamed), when its pods are not ready, or when its
    /// workload has no pods at all. One without a selector has the addresses that somebody keeps
    /// by hand, or none. Nobody reports a selector that matches nothing: for the
    /// API it is as good as any other.
    ///
    /// ## What we do
    /// 1. Compare the selector with the labels of the pods, key by key.
    /// 2. When no pod matches: correct the side that differs, most often the selector.
    /// 3. When pods match and none is ready: find out why they are not; the Service only
    ///    shows it.
    /// 4. When there is no pod: ask the workload and its ReplicaSet why.
    ///
    /// ## How to avoid it
    /// Let one template write labels and selector, run two replicas or more behind every
    /// Service, and alert on Services that lose their last endpoint.
    ///
    /// ## Sources
    /// Kubernetes documentation, "Service" and "EndpointSlices".
    id: "service-without-endpoints",
    mechanisms: {
        "selector-unmatched": "no pod carries the labels that its selector names",
        "no-ready-pods": "none of the pods behind it is ready",
        "no-pods": "there is no pod behind it",
        "addresses-missing": "it has no selector, and nobody gave it addresses",
    },
    reads: [
        Service,
        Endpoints,
        EndpointSlice,
        Pod,
        Deployment,
        StatefulSet,
        DaemonSet,
        Ingress,
        ReplicaSet,
    ],
    leads_to: [
        "control-plane-degraded",
        "pod-crash-looping",
        "pod-probe-failing",
        "service-unreachable-by-client",
        "slo-burning",
        "webhook-deadlock",
        "workload-dependency-failing",
    ],
    detect: Services(detect),
    exposed: advice::exposed,
    remedy: advice::remedy,
    prevent: advice::prevent,
    rehearse: advice::rehearse,
}

fn detect(service: &Service, now: &Snapshot, findings: &mut Findings) {
    if service.kind == "ExternalName" {
        return;
    }
    if service.selector.is_empty() {
        return by_hand::detect(service, now, findings);
    }
    let ended = |a: &&App| {
        matches!(a.object.kind, Kind::Job | Kind::CronJob) && a.running().next().is_none()
    };
    if shows_addresses(service, now) {
        return;
    }
    let mut apps = now.apps_selected(&service.meta.namespace, &service.selector);
    let all = apps.len();
    apps.retain(|a| !ended(a));
    let pods = selected_pods(service, now);
    if has_addresses(service, &pods, now) {
        return;
    }
    if !pods.is_empty() || !apps.is_empty() {
        unready::unready(service, &apps, &pods, now, findings);
    } else if all == 0 {
        unmatched::unmatched(service, now, findings);
    }
}

/// Whether the Service has endpoints that take traffic. `describe service` of some versions
/// prints the addresses of unready pods too: there the pods themselves decide.
fn has_addresses(service: &Service, pods: &[&Pod], now: &Snapshot) -> bool {
    if now.addresses(service).is_none_or(|(ready, _)| ready == 0) {
        return false;
    }
    let unready = |p: &&Pod| p.is_ready() == Some(false);
    pods.is_empty() || !pods.iter().all(unready)
}

/// Whether the endpoints themselves were printed and hold an address.
fn shows_addresses(service: &Service, now: &Snapshot) -> bool {
    let mut own = now.backends.in_namespace(&service.meta.namespace);
    own.any(|b| b.service == service.meta.name && b.ready > 0 && b.meta.known.has(Known::AGE))
}

/// Pods that the selector matches, whatever their workload's template says now.
fn selected_pods<'s>(service: &Service, now: &'s Snapshot) -> Vec<&'s Pod> {
    let here = now.apps_in(&service.meta.namespace).iter();
    let pods = here.flat_map(|a| a.running().map(move |p| (a, p)));
    pods.filter(|(app, pod)| {
        let own = pod.meta.known.has(Known::LABELS).then_some(&*pod.meta.labels);
        own.or_else(|| app.pod_labels()).is_some_and(|l| service.selector.all_in(l))
    })
    .map(|(_, pod)| pod)
    .collect()
}

fn endpoints_evidence(service: &Service, now: &Snapshot) -> Option<Evidence> {
    let mut here = now.backends.in_namespace(&service.meta.namespace);
    let of = here.find(|b| b.service == service.meta.name)?;
    let kind = if of.is_slice { Kind::EndpointSlice } else { Kind::Endpoints };
    let value = match of.not_ready {
        _ if of.ready > 0 => return None,
        0 => "none".to_owned(),
        n => format!("0 ready, {n} not ready"),
    };
    Some(evidence::field(of.meta.source, &of.meta.object(kind), "addresses", value))
}

#[cfg(test)]
mod tests;
