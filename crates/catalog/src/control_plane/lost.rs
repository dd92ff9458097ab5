//! `control-plane-lost`: the API server cannot be reached, by clients or by all nodes at once.

use model::record::Node;
use model::{
    Act, Certainty, Evidence, Finding, Findings, Gap, Impact, Kind, ObjectRef, Patch, Remedy,
    Scenario, Snapshot, Step,
};

use super::standing::everybody;
use super::told::{self, Told};
use super::zones;
use crate::evidence;
use crate::wording::{self, says};

failure! {
    /// # The control plane cannot be reached
    ///
    /// ## Signs
    /// `kubectl` waits and gives up: "dial tcp 10.0.0.1:6443: i/o timeout", "no route to host".
    /// Or all nodes became `Unknown` in the same minute, while nothing else points at them.
    /// Kubelets log that they cannot reach port 6443.
    ///
    /// ## Why it happens
    /// The machine that runs the API server is down, the address or load balancer in front of
    /// it is gone, or the network between it and everybody else is cut. Where one machine runs
    /// API server, scheduler and controller manager, all three are gone with it.
    ///
    /// Containers that run are not affected. Nothing is lost yet. The harm comes afterwards: a
    /// new controller manager that sees no renewed lease counts every node as lost and marks
    /// their pods for deletion five minutes later, and the kubelets carry that out in the
    /// minute in which they reach an API server again.
    ///
    /// ## What we do
    /// 1. See whether it is you: try from another network, and from a node.
    /// 2. Leave the nodes alone. Restart nothing that runs.
    /// 3. Bring back the old machine or its address. If you must build a new API server, start
    ///    no controller manager until the kubelets reach it, at the address they know.
    /// 4. When nodes are `Unknown` already and a controller manager lives, hold it before the
    ///    first deletion.
    ///
    /// ## How to avoid it
    /// Three control-plane nodes behind one address that survives each of them; kubelets that
    /// use this address and no machine's own.
    ///
    /// ## Sources
    /// Kubernetes documentation, "Creating Highly Available Clusters with kubeadm", "Nodes"; a
    /// post-mortem of 2017 in which a new control plane cost all running pods.
    id: "control-plane-lost",
    mechanisms: {
        "apiserver-down": "nothing comes back from the API server's address",
        "heartbeats-lost": "all nodes fell silent at once: what they share is the way to the \
            API server",
    },
    reads: [Node, Lease],
    leads_to: [
        "control-plane-degraded",
        "kubelets-orphaned",
        "mass-eviction-imminent",
        "node-not-ready",
        "node-unknown",
        "pods-marked-but-running",
    ],
    detect: Cluster(detect),
    exposed: exposed,
    remedy: remedy,
    prevent: prevent,
    rehearse: rehearse,
}

/// Fewer nodes may fall together by chance.
const FEWEST_NODES: usize = 3;

/// Only the end of a log is about now.
const LAST_LINES: usize = 30;

fn detect(now: &Snapshot, findings: &mut Findings) {
    let told = told::standing(now);
    let silent = told.iter().find(|(told, _)| *told == Told::Silent).map(|(_, e)| *e);
    let nodes = all_silent(now);
    let kubelets = cut_kubelets(now);
    if let Some(nodes) = nodes {
        findings.push(heartbeats(&nodes, &kubelets, now));
    } else if let Some(error) = silent {
        let address = told::address(&error.text);
        let at = address.map(|a| format!(" at {a}")).unwrap_or_default();
        let headline = format!("the API server{at} does not answer at all");
        let found = unreachable(headline, kubelets.is_empty());
        let found =
            found.field("address", address.unwrap_or("unknown"), "an API server that answers");
        findings.push(found.evidence([told::fact(error)]).evidence(kubelets));
    } else if kubelets.len() >= 2 {
        let headline =
            format!("the kubelets of {} nodes cannot reach the API server", kubelets.len());
        findings.push(unreachable(headline, false).evidence(kubelets));
    } else {
        findings.found.extend(over(now));
    }
}

/// All nodes are heard of again, but were silent together, and their pods paid for it.
fn over(now: &Snapshot) -> Option<Finding> {
    let well = now.nodes.iter().all(|n| n.ready() == Some(model::Truth::True));
    if !well || now.nodes.len() < FEWEST_NODES {
        return None;
    }
    let taken = now.events_where(|e| wording::TAINT_REASONS.contains(&e.reason.as_str()));
    let taken = taken.into_iter().next()?;
    let mut falls = Vec::new();
    for node in now.nodes.iter().filter(|n| !n.is_control_plane()) {
        let object = node.meta.object(Kind::Node);
        let fell = |e: &&model::record::ClusterEvent| e.reason == "NodeNotReady";
        let event = now.events_about(&object).iter().rfind(fell)?;
        falls.push((evidence::last_time(event, now)?, evidence::event(event, now)?));
    }
    let first = falls.iter().map(|f| f.0).min()?;
    let last = falls.iter().map(|f| f.0).max()?;
    let killed = evidence::last_time(taken, now)?;
    if falls.len() < FEWEST_NODES || last.since(first) > 90 || killed.since(first) < 0 {
        return None;
    }
    let headline = format!(
        "all {} nodes fell silent together and are back; pods were driven away meanwhile",
        falls.len()
    );
    let object = ObjectRef::component("kube-apiserver");
    let look = "kubectl logs -n kube-system -l component=kube-apiserver --previous --tail=50";
    Some(
        Finding::new(KIND.id, "heartbeats-lost", object, headline)
            .since(Some(first))
            .state(model::State::Recovered)
            .evidence(falls.into_iter().take(3).map(|(_, fact)| fact))
            .evidence(evidence::event(taken, now))
            .affects(everybody(), "no node was heard of for a while")
            .unsure(Certainty::Likely, &["apiserver-down"], look),
    )
}

fn unreachable(headline: String, alone: bool) -> Finding {
    let object = ObjectRef::component("kube-apiserver");
    let certainty = if alone { Certainty::Possible } else { Certainty::Likely };
    Finding::new(KIND.id, "apiserver-down", object, headline)
        .affects(everybody(), "nothing can be seen or changed; what runs keeps running")
        .unsure(
            certainty,
            &["network-cut"],
            "ssh CONTROL-PLANE-NODE 'curl -sk https://127.0.0.1:6443/livez; sudo crictl ps -a'",
        )
}

/// All nodes, when all of them fell silent together.
fn all_silent(now: &Snapshot) -> Option<Vec<&Node>> {
    if now.nodes_where(|n, _| zones::silent_since(n).is_some()).is_empty() {
        return None;
    }
    let nodes: Vec<&Node> = now.nodes.iter().collect();
    // The control plane's own node may still be heard of: it needs no network.
    let (own, others): (Vec<&Node>, Vec<&Node>) =
        nodes.iter().copied().partition(|n| n.is_control_plane());
    let judged = if others.is_empty() { own } else { others };
    let all =
        judged.len() >= FEWEST_NODES && judged.iter().all(|n| zones::silent_since(n).is_some());
    (all && zones::together(&judged)).then_some(judged)
}

/// Kubelets that say that they cannot reach the API server.
fn cut_kubelets(now: &Snapshot) -> Vec<Evidence> {
    let logs = now.logs.iter().filter(|l| l.unit == "kubelet");
    let cut = logs.filter_map(|log| {
        let last = log.lines.iter().rev().take(LAST_LINES);
        let away = |l: &&String| {
            l.contains(":6443") && (says(l, wording::API_REFUSED) || says(l, wording::API_SILENT))
        };
        let lines: Vec<&String> = last.filter(away).collect();
        let line = lines.first().filter(|_| lines.len() >= 2)?;
        let value: String = line.chars().take(300).collect();
        let object = ObjectRef::new(Kind::Node, "", &log.name);
        Some(evidence::field(log.document, &object, "log of kubelet", value))
    });
    cut.collect()
}

fn heartbeats(nodes: &[&Node], kubelets: &[Evidence], now: &Snapshot) -> Finding {
    let count = nodes.len();
    let since = nodes.iter().filter_map(|n| zones::silent_since(n)).min();
    let headline = format!(
        "all {count} nodes fell silent together: what they share is the way to the API server"
    );
    let facts = nodes.iter().take(3).filter_map(|n| {
        let object = n.meta.object(Kind::Node);
        n.condition("Ready").map(|c| evidence::condition(n.meta.source, &object, c))
    });
    let object = ObjectRef::component("kube-apiserver");
    let first = nodes.first().map_or("", |n| n.meta.name.as_str());
    let mut found = Finding::new(KIND.id, "heartbeats-lost", object, headline)
        .since(since.filter(|_| now.has_time))
        .evidence(facts)
        .evidence(kubelets.iter().cloned())
        .affects(everybody(), "no node is heard of; what runs keeps running")
        .impact(Impact { nodes: u32::try_from(count).unwrap_or(u32::MAX), ..Impact::default() })
        .unsure(
            Certainty::Likely,
            &["host-down"],
            format!("ssh {first} 'uptime; sudo journalctl -u kubelet -n 20 | grep 6443'"),
        );
    for node in nodes {
        found = found.affects(node.meta.object(Kind::Node), "silent");
    }
    found
}

/// That all hangs on one machine is a kind of its own.
fn exposed(_: &Snapshot, _: &mut Vec<Gap>) {}

fn remedy(finding: &Finding, now: &Snapshot) -> Remedy {
    let node = now.nodes.iter().find(|n| n.is_control_plane()).map(|n| n.meta.name.to_string());
    let node = node.unwrap_or_else(|| "CONTROL-PLANE-NODE".into());
    let mut next = vec![
        Step::look(
            "See on its own machine whether the API server lives",
            format!("ssh {node} 'curl -sk https://127.0.0.1:6443/livez; sudo crictl ps -a | head'"),
        ),
        Step::advice("Leave the nodes alone: running containers are unaffected"),
        Step::advice(
            "Bring back the machine or its address; kubelets find it again at the address they \
             know",
        ),
    ];
    if finding.mechanism == "heartbeats-lost" {
        next.insert(
            1,
            Step::look(
                "See on a node what its kubelet says",
                "sudo journalctl -u kubelet -n 20 --no-pager | grep 6443",
            ),
        );
    }
    Remedy {
        next,
        do_not: vec![
            "Do not start a new controller manager before the kubelets can reach the new API \
             server: it marks all pods for deletion"
                .into(),
            "Do not reboot nodes or restart what runs".into(),
        ],
    }
}

/// No object of the API has the setting.
fn prevent(_: &Gap, _: &Snapshot) -> Option<Patch> {
    None
}

fn rehearse() -> Option<Scenario> {
    let stop = |n| (30, Act::StopKubelet(n));
    Some(Scenario {
        story: "All workers lose the way to the API server in the same second.",
        acts: vec![
            stop("worker-1"),
            stop("worker-2"),
            stop("worker-3"),
            stop("worker-4"),
            stop("worker-5"),
            stop("worker-6"),
        ],
        found_within_seconds: 120,
    })
}

#[cfg(test)]
mod tests {
    use super::KIND;
    use crate::testing::{check, lines, snapshot};

    fn node(name: &str, status: &str, since: &str, label: &str) -> String {
        format!(
            "kind: Node\nmetadata: {{name: {name}, labels: {{{label}}}, creationTimestamp: \
             2026-01-01T00:00:00Z}}\nstatus:\n  conditions:\n  - {{type: Ready, status: '{status}', \
             lastTransitionTime: {since}}}\n---\n"
        )
    }

    fn story(times: [&str; 3]) -> String {
        let nodes = ["a", "b", "c"].iter().zip(times).map(|(n, t)| node(n, "Unknown", t, ""));
        nodes.collect::<String>()
            + &node(
                "cp",
                "True",
                "2026-01-01T00:00:00Z",
                "node-role.kubernetes.io/control-plane: ''",
            )
    }

    const AT: &str = "2026-01-02T00:00:00Z";

    #[test]
    fn all_nodes_at_once_point_at_what_they_share() {
        let want = "heartbeats-lost component/kube-apiserver Likely Active";
        check(&KIND, &story([AT, "2026-01-02T00:00:20Z", AT]), &[want]);
        check(&KIND, &story([AT, "2026-01-02T00:20:00Z", AT]), &[]);
        check(&KIND, &story([AT, AT, AT]).replacen("Unknown", "True", 1), &[]);
    }

    #[test]
    fn a_client_that_hears_nothing() {
        let mut now = snapshot("");
        let text = "Unable to connect to the server: dial tcp 10.0.0.1:6443: i/o timeout";
        now.client_errors.push(model::ClientError {
            text: text.into(),
            answered_later: false,
            document: 0,
        });
        assert_eq!(lines(&KIND, &now), ["apiserver-down component/kube-apiserver Possible Active"]);
        now.client_errors[0].answered_later = true;
        assert!(lines(&KIND, &now).is_empty());
    }

    #[test]
    fn kubelets_that_cannot_reach_it() {
        let mut now = snapshot("");
        let line = "E0102 kubelet_node_status.go:92] Unable to register node: Post \
            \"https://10.0.0.1:6443/api/v1/nodes\": dial tcp 10.0.0.1:6443: connect: no route \
            to host";
        for name in ["a", "b"] {
            now.logs.push(model::LogLines {
                name: name.into(),
                namespace: "".into(),
                container: "".into(),
                unit: "kubelet".into(),
                previous: false,
                lines: vec![line.into(), line.into()],
                document: 0,
            });
        }
        assert_eq!(lines(&KIND, &now), ["apiserver-down component/kube-apiserver Likely Active"]);
        now.logs.pop();
        assert!(lines(&KIND, &now).is_empty(), "one node may have a fault of its own");
    }
}
