//! `workload-dependency-failing`: a workload runs, and a peer it needs does not serve it.

use model::{Findings, Snapshot};

use super::dependency::{advice, blocked, by_log, by_setting};

failure! {
    /// # A peer that a workload needs does not serve it
    ///
    /// ## Signs
    /// The pods run, often they are even ready, and their logs repeat the same line: connection
    /// refused, no such host, access denied, too many connections, read-only, timed out. Callers
    /// of the workload see errors in turn. Kubernetes has no event for any of this.
    ///
    /// ## Why it happens
    /// Two sides have to agree: the address and the port that the client is told, with a Service
    /// that exists; the name and the password, with what the peer knows; the certificate, with
    /// whom the client trusts. Or the client is right and the peer fails: it is down, takes no
    /// more connections, takes no writes, or answers late.
    ///
    /// A line of a log names the victim, not always the culprit. Gateways pass on what others
    /// met. The workload whose own settings name the peer is the one that called it.
    ///
    /// ## What we do
    /// 1. Find out who calls whom: the host and the port in the line, and the setting that has
    ///    them.
    /// 2. Compare the setting with the Services and their ports, and with what sibling
    ///    workloads use for the same peer.
    /// 3. One client of several complains: look at the client. All complain: look at the peer.
    /// 4. Mend that side. Then see whether the lines stop: programs that give up after a few
    ///    attempts need a restart.
    ///
    /// Do not restart the peer to get rid of its connections: the clients come back at once.
    ///
    /// ## How to avoid it
    /// Keep an address and a password in one place (a ConfigMap, a Secret) that both sides
    /// read. Let readiness say whether what is needed is there. Keep the sum of all pools
    /// below what the store allows, and watch it.
    ///
    /// ## Sources
    /// Kubernetes documentation, "Debug Services", "DNS for Services and Pods" and "Secrets";
    /// manuals of MySQL, PostgreSQL, MongoDB, Redis, RabbitMQ and Kafka on their errors.
    id: "workload-dependency-failing",
    mechanisms: {
        "dependency-address-wrong": "it is told an address that no peer has",
        "dependency-port-wrong": "it is told a port that its peer does not have",
        "dependency-unreachable": "its peer does not take connections",
        "name-unresolved": "the name of its peer does not resolve",
        "credentials-rejected": "its peer refuses its name or its password",
        "credentials-missing": "it comes to its peer without a password",
        "connections-exhausted": "no connection is left",
        "dependency-read-only": "its peer takes no writes",
        "dependency-slow": "its peer answers too late",
        "certificate-rejected": "a certificate is not accepted",
        "network-policy-blocks": "a network policy does not let it through to its peer",
    },
    reads: [
        Pod,
        Deployment,
        StatefulSet,
        DaemonSet,
        Service,
        Endpoints,
        EndpointSlice,
        Secret,
        NetworkPolicy,
        Namespace,
    ],
    leads_to: [
        "pod-crash-looping",
        "pod-probe-failing",
        "service-without-endpoints",
        "service-unreachable-by-client",
        "deployment-rollout-failing",
        "job-failing",
        "workload-dependency-failing",
        "slo-burning",
    ],
    detect: Cluster(detect),
    exposed: advice::exposed,
    remedy: advice::remedy,
    prevent: advice::prevent,
    rehearse: advice::rehearse,
}

fn detect(now: &Snapshot, findings: &mut Findings) {
    let blocked = blocked::detect(now, findings);
    let mut complaints = by_log::heard(now, findings);
    complaints.retain(|c| {
        let is_it = |(client, host): &blocked::Blocked| {
            *client == c.app.object && c.seen.as_ref().is_some_and(|s| s.host == *host)
        };
        !blocked.iter().any(is_it)
    });
    by_setting::detect(now, &complaints, findings);
    by_log::detect(&complaints, now, findings);
}

#[cfg(test)]
mod tests;
