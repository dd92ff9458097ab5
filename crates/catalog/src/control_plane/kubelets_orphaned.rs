//! `kubelets-orphaned`: kubelets ask for the API server at an address where none is any more.

use std::collections::BTreeSet;

use model::{
    Act, Certainty, Finding, Findings, Gap, Impact, Kind, LogLines, ObjectRef, Patch, Remedy, Risk,
    Scenario, Snapshot, Step,
};

use super::told;
use crate::evidence;
use crate::wording::{self, says};

failure! {
    /// # Kubelets look for the API server where it no longer is
    ///
    /// ## Signs
    /// The control plane answers, yet nodes are `Unknown`. Their kubelets run and log
    /// "dial tcp 10.0.0.1:6443: connect: no route to host" with an address that is none of
    /// those behind the Service `kubernetes`.
    ///
    /// ## Why it happens
    /// A kubelet asks at the one address in its kubeconfig. When the control plane was built
    /// anew on other machines, or the address in front of it was changed, kubelets stay with
    /// the old one. For the new control plane they are silent; five minutes later their pods
    /// are marked for deletion although they run.
    ///
    /// ## What we do
    /// 1. Hold the node controller while the nodes are away, before their pods are marked.
    /// 2. When pods are marked already, decide about them first: a kubelet that finds the API
    ///    server kills them at once.
    /// 3. Give the old address to the new control plane, or write the new one into
    ///    `/etc/kubernetes/kubelet.conf` on each node and restart the kubelet there, node by
    ///    node.
    ///
    /// ## How to avoid it
    /// An address in front of the API server that is no machine's own, from the first day.
    ///
    /// ## Sources
    /// Kubernetes documentation, "Creating Highly Available Clusters with kubeadm"; a
    /// post-mortem of 2017 in which this killed all containers.
    id: "kubelets-orphaned",
    mechanisms: {
        "server-address-gone": "the address in their kubeconfig leads to no API server",
    },
    reads: [Node, Endpoints, EndpointSlice],
    leads_to: ["mass-eviction-imminent", "node-not-ready", "node-unknown",
        "pods-marked-but-running"],
    detect: Cluster(detect),
    exposed: exposed,
    remedy: remedy,
    prevent: prevent,
    rehearse: rehearse,
}

/// Only the end of a log is about now.
const LAST_LINES: usize = 30;

fn detect(now: &Snapshot, findings: &mut Findings) {
    let behind = now.backends.all("default", "kubernetes");
    let slices = now.backends.in_namespace("default").filter(|b| b.service == "kubernetes");
    let known: BTreeSet<&str> =
        behind.chain(slices).flat_map(|b| b.addresses.iter()).map(|a| a.as_str()).collect();
    if known.is_empty() {
        return;
    }
    for log in now.logs.iter().filter(|l| l.unit == "kubelet" && !l.name.is_empty()) {
        let Some((address, line)) = lost_address(log, &known) else { continue };
        let object = ObjectRef::new(Kind::Node, "", &log.name);
        let servers: Vec<&str> = known.iter().copied().collect();
        let headline = format!(
            "the kubelet of {} looks for the API server at {address}, where none is; it is at {}",
            log.name,
            servers.join(", ")
        );
        let value: String = line.chars().take(300).collect();
        let fact = evidence::field(log.document, &object, "log of kubelet", value);
        let look = format!("ssh {} grep server: /etc/kubernetes/kubelet.conf", log.name);
        findings.push(
            Finding::new(KIND.id, "server-address-gone", object, headline)
                .field("kubelet.conf clusters[0].cluster.server", address, servers.join(", "))
                .evidence([fact])
                .impact(Impact { nodes: 1, ..Impact::default() })
                .unsure(Certainty::Likely, &["network-cut"], look),
        );
    }
}

/// The address that a kubelet cannot reach, when it is none of the known ones; with the line.
fn lost_address<'l>(log: &'l LogLines, known: &BTreeSet<&str>) -> Option<(&'l str, &'l str)> {
    let last = log.lines.iter().rev().take(LAST_LINES);
    let away = last.filter(|l| says(l, wording::API_REFUSED) || says(l, wording::API_SILENT));
    let mut away = away.filter_map(|l| Some((told::address(l)?, l.as_str())));
    let (address, line) = away.next()?;
    let host = address.rsplit_once(':').map_or(address, |(host, _)| host);
    let asked_twice = away.any(|(other, _)| other == address);
    let is_api = address.ends_with(":6443") || address.ends_with(":443");
    let is_own = matches!(host, "127.0.0.1" | "localhost" | "[::1]");
    (asked_twice && is_api && !is_own && !known.contains(host)).then_some((address, line))
}

/// Which address kubelets have is no setting of an object.
fn exposed(_: &Snapshot, _: &mut Vec<Gap>) {}

fn remedy(finding: &Finding, _: &Snapshot) -> Remedy {
    let node = &finding.object.name;
    let old = finding.value.as_deref().unwrap_or("OLD");
    let new = finding.expected.as_deref().unwrap_or("NEW");
    let new = new.split(',').next().unwrap_or(new);
    let set = |from: &str, to: &str| {
        format!(
            "ssh {node} \"sudo sed -i 's#https://{from}#https://{to}#' \
             /etc/kubernetes/kubelet.conf && sudo systemctl restart kubelet\""
        )
    };
    Remedy {
        next: vec![
            Step::look(
                "List what dies when the kubelet is back",
                format!(
                    "kubectl get pods -A --field-selector spec.nodeName={node} | grep Terminating"
                ),
            ),
            Step {
                what: "Then lead it to the API server that is there".into(),
                command: Some(set(old, &format!("{new}:6443"))),
                risk: Risk::Disruptive,
                undo: Some(set(&format!("{new}:6443"), old)),
            },
        ],
        do_not: vec![
            "Do not reconnect kubelets whose pods are marked for deletion before you have \
             decided about these pods"
                .into(),
        ],
    }
}

fn prevent(_: &Gap, _: &Snapshot) -> Option<Patch> {
    None
}

fn rehearse() -> Option<Scenario> {
    Some(Scenario {
        story: "The control plane is built anew at another address.",
        acts: vec![(30, Act::Unmodelled("kubelets keep the address of an API server and log it"))],
        found_within_seconds: 120,
    })
}

#[cfg(test)]
mod tests {
    use super::KIND;
    use crate::testing::{lines, snapshot};

    const SERVERS: &str = "kind: Endpoints\nmetadata: {name: kubernetes, namespace: default, \
        creationTimestamp: 2026-01-01T00:00:00Z}\nsubsets: [{addresses: [{ip: 10.0.0.9}], ports: \
        [{port: 6443}]}]\n";

    fn story(address: &str) -> Vec<String> {
        let mut now = snapshot(SERVERS);
        let line = format!(
            "kubelet_node_status.go:92] \"Unable to register node\" err=\"Post \
             \\\"https://{address}/api/v1/nodes\\\": dial tcp {address}: connect: no route to host\""
        );
        now.logs.push(model::LogLines {
            name: "a".into(),
            namespace: "".into(),
            container: "".into(),
            unit: "kubelet".into(),
            previous: false,
            lines: vec![line.clone(), line],
            document: 0,
        });
        lines(&KIND, &now)
    }

    #[test]
    fn an_address_that_no_api_server_has() {
        assert_eq!(story("10.0.0.1:6443"), ["server-address-gone node/a Likely Active"]);
        assert_eq!(story("10.0.0.2:6443"), ["server-address-gone node/a Likely Active"]);
        assert!(story("10.0.0.9:6443").is_empty(), "the server is there and silent");
        assert!(story("127.0.0.1:6443").is_empty());
        assert!(story("10.0.0.7:5000").is_empty(), "a registry, not the API");
    }
}
