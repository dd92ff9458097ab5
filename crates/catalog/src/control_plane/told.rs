//! What clients were told by the API server, or instead of it.

use model::{ClientError, Evidence, ObjectRef, Snapshot};

use crate::evidence;
use crate::wording::{self, says};

/// What an error of a client means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Told {
    /// A certificate is past its date.
    CertificateExpired,
    /// etcd has no room left.
    EtcdFull,
    /// etcd does not answer.
    EtcdDown,
    /// etcd answers late.
    EtcdSlow,
    /// Nobody listens at the API server's address.
    Refused,
    /// Nothing comes back from the API server's address.
    Silent,
    /// The API server has too much to do.
    Busy,
    /// Nobody answers for the metrics API.
    NoMetrics,
}

/// Fragments, the more telling ones first.
const MEANINGS: [(&[&str], Told); 8] = [
    (wording::CERTIFICATE_EXPIRED, Told::CertificateExpired),
    (wording::ETCD_FULL, Told::EtcdFull),
    (wording::ETCD_DOWN, Told::EtcdDown),
    (wording::ETCD_SLOW, Told::EtcdSlow),
    (wording::METRICS_DOWN, Told::NoMetrics),
    (wording::API_BUSY, Told::Busy),
    (wording::API_REFUSED, Told::Refused),
    (wording::API_SILENT, Told::Silent),
];

/// What a client's error means, if it is about the control plane.
pub(crate) fn meaning(text: &str) -> Option<Told> {
    if says(text, wording::NO_KUBECONFIG) {
        return None;
    }
    let (_, told) = MEANINGS.iter().find(|(words, _)| says(text, words))?;
    // A container or a kubelet may be refused too; only these are about the API server itself.
    let to_server = says(text, &["to the server", "unable to connect", "cluster unreachable"])
        || text.contains(":6443");
    match told {
        Told::Refused | Told::Silent if !to_server => None,
        told => Some(*told),
    }
}

/// Errors that clients were told and that no later answer takes back, with their meaning.
pub(crate) fn standing(now: &Snapshot) -> Vec<(Told, &ClientError)> {
    let all = now.client_errors.iter().filter_map(|e| Some((meaning(&e.text)?, e)));
    // A full etcd still answers who only reads.
    all.filter(|(told, e)| !e.answered_later || *told == Told::EtcdFull).collect()
}

/// An error as evidence.
pub(crate) fn fact(error: &ClientError) -> Evidence {
    let object = ObjectRef::component("kube-apiserver");
    evidence::field(error.document, &object, "answer to a client", error.text.clone())
}

/// The address that a client asked, e.g. `10.0.0.1:6443`.
pub(crate) fn address(text: &str) -> Option<&str> {
    let after = ["the server ", "https://", "dial tcp "].iter().find_map(|mark| {
        let (_, rest) = text.split_once(mark)?;
        let end = rest.find(|c: char| c.is_whitespace() || c == '/' || c == '"')?;
        rest.get(..end)
    })?;
    let address = after.trim_end_matches([':', ',']);
    (address.contains(':') && !address.is_empty()).then_some(address)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_of_clients_are_understood() {
        for (text, want) in [
            (
                "The connection to the server 10.0.0.1:6443 was refused - did you specify the \
                 right host or port?",
                Some(Told::Refused),
            ),
            ("The connection to the server localhost:8080 was refused - did you", None),
            (
                "Unable to connect to the server: dial tcp 10.0.0.1:6443: i/o timeout",
                Some(Told::Silent),
            ),
            ("Unable to connect to the server: net/http: TLS handshake timeout", Some(Told::Busy)),
            (
                "Unable to connect to the server: x509: certificate has expired or is not yet \
                 valid: current time 2026-01-01T00:00:00Z is after 2025-12-31T00:00:00Z",
                Some(Told::CertificateExpired),
            ),
            ("Unable to connect to the server: x509: certificate signed by unknown", None),
            ("Error from server: etcdserver: request timed out", Some(Told::EtcdSlow)),
            ("Error from server: etcdserver: mvcc: database space exceeded", Some(Told::EtcdFull)),
            (
                "Error from server (ServiceUnavailable): the server is currently unable to \
                 handle the request (get nodes.metrics.k8s.io)",
                Some(Told::NoMetrics),
            ),
            ("error: Metrics API not available", Some(Told::NoMetrics)),
            ("Error from server (Forbidden): pods is forbidden", None),
            ("error: unable to upgrade connection: connection refused", None),
        ] {
            assert_eq!(meaning(text), want, "{text}");
        }
        assert_eq!(
            address("The connection to the server 10.0.0.1:6443 was refused - did"),
            Some("10.0.0.1:6443")
        );
    }
}
