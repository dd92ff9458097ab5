//! `control-plane-degraded`: a part that serves the whole cluster does not do its work.

use model::{Certainty, Findings, Snapshot};

mod advice;
mod components;
mod controllers;
mod metrics;
mod proxy;
mod server;

use super::name_server;
use super::standing::everybody;

failure! {
    /// # A part of the control plane does not do its work
    ///
    /// ## Signs
    /// It depends on the part. Without the scheduler new pods stay `Pending` and have no event
    /// at all. Without the controller manager workloads get no pods, dead pods stay in the
    /// endpoints, and nothing says why. Without etcd the API server answers `etcdserver:
    /// request timed out` or not at all. Without the name server (CoreDNS) programs in all
    /// namespaces fail to look up names. Without kube-proxy the pods of one node reach
    /// Services as they were at the time it stopped. Without the metrics API `kubectl top`
    /// fails and autoscalers stand still.
    ///
    /// What runs keeps running in most of these cases. That makes the loss easy to overlook,
    /// until the next change finds nobody who carries it out.
    ///
    /// ## Why it happens
    /// The process was stopped or crashes, its manifest was moved or broken, its certificate
    /// has run out, its machine is gone, its settings are wrong (a name server that no longer
    /// answers for the cluster's own names), or somebody scaled it to zero. etcd suffers from
    /// slow disks first and has a limit on its size.
    ///
    /// Two things look like it and are not. `kubectl get componentstatuses` reports the
    /// scheduler and the controller manager as unhealthy since 1.19 only because it asks a
    /// port that is closed by default. And "connection to the server localhost:8080 was
    /// refused" means that kubectl has no settings, not that a server is down.
    ///
    /// ## What we do
    /// 1. Look at the component itself: its unit or its pod in `kube-system`, its log, its
    ///    lease.
    /// 2. Bring it back as it was. A static pod comes back when its manifest is in
    ///    `/etc/kubernetes/manifests` again; expired certificates are renewed with `kubeadm
    ///    certs renew all`, and the static pods restarted.
    /// 3. Only then look at workloads: most of what they complain about goes away by itself.
    ///
    /// Do not restart or delete workloads while a part of the control plane is down: what is
    /// deleted then is not made again.
    ///
    /// ## How to avoid it
    /// Run three control-plane nodes, two or more replicas of CoreDNS on different nodes, alert
    /// on leases that are not renewed and on certificates 30 days before they run out, and
    /// give etcd disks of its own.
    ///
    /// ## Sources
    /// Kubernetes documentation, "Kubernetes Components", "Leases", "API health endpoints",
    /// "Debugging DNS Resolution"; etcd documentation, "Tuning" and "Space quota".
    id: "control-plane-degraded",
    mechanisms: {
        "scheduler-down": "the scheduler does not work: no pod gets a node",
        "controller-manager-down": "the controller manager does not work: nothing is made or \
            replaced",
        "etcd-down": "etcd does not answer: the API can neither read nor write",
        "etcd-slow": "etcd answers too late",
        "etcd-full": "etcd's database is full: nothing can be written",
        "apiserver-overloaded": "the API server has more to do than it can",
        "apiserver-down": "the API server does not run",
        "dns-down": "the cluster's name server does not answer for Services",
        "proxy-down": "kube-proxy does not work: Services cannot be relied on",
        "metrics-down": "nobody answers for the metrics API",
        "extension-api-down": "nobody answers for an extension of the API",
        "certificate-expired": "a certificate of the control plane is past its date",
    },
    reads: [Pod, Node, Event, Lease, Deployment, ReplicaSet, StatefulSet, DaemonSet, Job, Service,
        Endpoints, EndpointSlice, ConfigMap, APIService, ComponentStatus,
        HorizontalPodAutoscaler],
    leads_to: [
        "deployment-rollout-failing",
        "hpa-blind",
        "job-failing",
        "pod-crash-looping",
        "pod-dns-slow",
        "pod-limit-reached",
        "pod-pending-unschedulable",
        "pod-probe-failing",
        "pods-refused-at-admission",
        "service-misrouted",
        "service-refused",
        "service-unreachable-by-client",
        "service-without-endpoints",
        "slo-burning",
        "statefulset-update-stuck",
        "workload-dependency-failing",
    ],
    detect: Cluster(detect),
    exposed: advice::exposed,
    remedy: advice::remedy,
    prevent: advice::prevent,
    rehearse: advice::rehearse,
}

fn detect(now: &Snapshot, findings: &mut Findings) {
    components::report(now, findings);
    server::report(now, findings);
    name_server::report(KIND.id, now, findings);
    proxy::report(now, findings);
    metrics::report(now, findings);
}

/// How sure we are of what was only missed, not seen.
fn certainty(seen: bool) -> Certainty {
    if seen { Certainty::Proven } else { Certainty::Likely }
}

#[cfg(test)]
mod tests;
