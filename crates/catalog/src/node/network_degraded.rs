//! `node-network-degraded`: what is slow, lost or unresolved has one node in common.

use std::collections::{BTreeMap, BTreeSet};

use model::{
    Act, App, Certainty, Finding, Findings, Gap, Kind, ObjectRef, Patch, Remedy, Risk, Scenario,
    Snapshot, Step, Text, Truth,
};

use super::resolver;
use crate::dependency::complaint::{self, Class, Complaint};
use crate::service::unreachable_by_client::slow_finding;
use crate::slow::calls::Calls;
use crate::slow::explain::{self, Place};
use crate::slow::members;

failure! {
    /// # The network of a node is slow or loses packets
    ///
    /// ## Signs
    /// Many workloads are slow or fail at once, although the node is Ready and has processor
    /// and memory to spare. What they share is one node: either they run on it, or what they
    /// call does. Calls that stay on other nodes are as fast as ever.
    ///
    /// ## Why it happens
    /// A bad cable or port, a full link, a wrong MTU, a driver, a queue rule left behind, a
    /// table of connections that is full, or the node's own DNS cache that is down. The kubelet
    /// still reports: its messages are few and are sent again, so the node stays Ready.
    ///
    /// ## What we do
    /// 1. Mark for each slow call on which node its two ends are. The node that all of them
    ///    touch and the fast ones do not is the one.
    /// 2. Cordon it, so that nothing more is put there.
    /// 3. Look at its interfaces: errors, drops, resent packets, queue rules.
    /// 4. Move the most important workloads away one by one, with their budgets in mind.
    ///
    /// Do not drain it at once when it holds data: copying over a bad link takes long.
    ///
    /// ## How to avoid it
    /// Watch dropped and resent packets of each node. Spread the replicas of a workload over
    /// nodes. Measure the round trip between nodes all the time.
    ///
    /// ## Sources
    /// Kubernetes documentation, "Debug cluster", "Safely drain a node" and "NodeLocal
    /// DNSCache"; the manual page tc-netem.
    id: "node-network-degraded",
    mechanisms: {
        "network-delay": "packets to and from it take too long",
        "network-loss": "packets to and from it get lost",
        "name-resolution": "names do not resolve on it as they do elsewhere",
    },
    reads: [Node, Pod, Deployment, StatefulSet, DaemonSet, Service, Event],
    leads_to: [
        "node-flapping",
        "pod-dns-slow",
        "pod-probe-failing",
        "service-unreachable-by-client",
        "slo-burning",
        "workload-dependency-failing",
    ],
    detect: Cluster(detect),
    exposed: exposed,
    remedy: remedy,
    prevent: prevent,
    rehearse: rehearse,
}

fn detect(now: &Snapshot, findings: &mut Findings) {
    findings.found.extend(resolver::findings(KIND.id, now));
    let mut complaints = complaint::all(now);
    complaints.retain(|c| !c.is_over && c.is_heard() && !c.is_own);
    if let Some(finding) = unresolved(&complaints, now) {
        findings.push(finding);
    }
    let members = members::all(now, &complaints);
    if !members.is_empty() {
        let calls = Calls::of(now, &complaints);
        if let Some(e) = explain::explain(&members, &calls, now)
            && let Place::Node(node) = &e.place
        {
            let n = e.slow.len();
            let what = if e.is_loss { "packets get lost" } else { "packets take too long" };
            let or = crate::service::unreachable_by_client::rival(&e, now);
            let or = or.map(|r| format!(" (or: {r})")).unwrap_or_default();
            let headline = format!(
                "The network of node {node} is slow, {what}: {n} slow workloads call over it, \
                 calls beside it are fast{or}"
            );
            let object = ObjectRef::new(Kind::Node, "", node);
            findings.push(slow_finding(KIND.id, &e, object, headline, now, &members));
            return;
        }
    }
    if let Some(finding) = cut_off(&complaints, now) {
        findings.push(finding);
    }
}

/// The one node all running pods of a workload are on.
fn node_of(app: &App) -> Option<&Text> {
    let nodes: BTreeSet<&Text> = app.running().map(|p| &p.node).filter(|n| !n.is_empty()).collect();
    nodes.first().copied().filter(|_| nodes.len() == 1)
}

/// Whether a node reports well: what it says of itself explains more than a bad link.
fn is_well(node: &str, now: &Snapshot) -> bool {
    now.nodes
        .get("", node)
        .is_none_or(|n| n.ready() != Some(Truth::False) && n.ready() != Some(Truth::Unknown))
}

/// Workloads on a node, and on all others.
fn counts(node: &str, now: &Snapshot) -> (usize, usize) {
    let nodes: Vec<&Text> = now.apps.iter().filter_map(node_of).collect();
    let here = nodes.iter().filter(|n| **n == node).count();
    (here, nodes.len() - here)
}

/// Names that exist do not resolve for several workloads of one node, and for nobody elsewhere.
fn unresolved(complaints: &[Complaint<'_>], now: &Snapshot) -> Option<Finding> {
    let exists = |c: &&Complaint<'_>| {
        c.class == Class::Name && c.seen.as_ref().is_some_and(|s| s.service.is_some())
    };
    let found: Vec<&Complaint<'_>> = complaints.iter().filter(exists).collect();
    let apps: BTreeSet<&ObjectRef> = found.iter().map(|c| &c.app.object).collect();
    let nodes: BTreeSet<Option<&Text>> = found.iter().map(|c| node_of(c.app)).collect();
    let node = (*nodes.first()?)?;
    let others = counts(node, now).1;
    if nodes.len() > 1 || apps.len() < 2 || others < 2 || !is_well(node, now) {
        return None;
    }
    let n = apps.len();
    let headline = format!(
        "On node {node} names of Services do not resolve for {n} workloads, elsewhere they do"
    );
    Some(finding("name-resolution", node, headline, &found))
}

/// Several workloads cannot reach several well ones, and one node is an end of each such call.
fn cut_off(complaints: &[Complaint<'_>], now: &Snapshot) -> Option<Finding> {
    let timed = |c: &&Complaint<'_>| matches!(c.class, Class::Unreachable | Class::Late);
    let mut ends: BTreeMap<&Text, Vec<&Complaint<'_>>> = BTreeMap::new();
    let mut pairs = 0;
    for c in complaints.iter().filter(timed) {
        let behind = c.seen.as_ref().and_then(|s| s.app(now));
        // Who is down or refuses is no matter of the network.
        let refused = c.line.to_ascii_lowercase().contains("refused");
        let behind = behind.filter(|a| a.lost_replicas() == 0 && !refused)?;
        let (Some(from), Some(to)) = (node_of(c.app), node_of(behind)) else { continue };
        pairs += 1;
        if from != to {
            ends.entry(from).or_default().push(c);
            ends.entry(to).or_default().push(c);
        }
    }
    let all: Vec<(&Text, Vec<&Complaint<'_>>)> =
        ends.into_iter().filter(|(_, c)| c.len() == pairs).collect();
    let [(node, found)] = all.as_slice() else { return None };
    let clients: BTreeSet<&ObjectRef> = found.iter().map(|c| &c.app.object).collect();
    let peers: BTreeSet<String> =
        found.iter().filter_map(|c| c.seen.as_ref()).map(|s| s.host.clone()).collect();
    if pairs < 3 || clients.len() < 2 || peers.len() < 2 || !is_well(node, now) {
        return None;
    }
    let headline = format!(
        "{pairs} calls between well workloads fail, and node {node} is an end of each of them"
    );
    Some(finding("network-loss", node, headline, found))
}

fn finding(
    mechanism: &'static str,
    node: &str,
    headline: String,
    found: &[&Complaint<'_>],
) -> Finding {
    let object = ObjectRef::new(Kind::Node, "", node);
    let look = format!(
        "kubectl debug node/{node} -it --image=busybox -- sh -c 'ip -s link; cat /etc/resolv.conf'"
    );
    let others: &[&str] = match mechanism {
        "name-resolution" => &["network-loss"],
        _ => &["network-delay"],
    };
    let mut finding = Finding::new(KIND.id, mechanism, object, headline)
        .since(found.iter().filter_map(|c| c.first).min())
        .evidence(found.iter().take(6).map(|c| c.evidence.clone()))
        .unsure(Certainty::Likely, others, look);
    for c in found {
        let peer = c.seen.as_ref().map_or_else(|| "a peer".to_owned(), |s| s.text());
        finding = finding.affects(c.app.object.clone(), format!("cannot reach {peer}"));
    }
    finding
}

/// The network of a node is no object of the API: there is no setting to audit.
fn exposed(_: &Snapshot, _: &mut Vec<Gap>) {}

fn remedy(finding: &Finding, _: &Snapshot) -> Remedy {
    let node = &finding.object.name;
    let mut next = vec![Step::change(
        "Put nothing more on the node",
        format!("kubectl cordon {node}"),
        format!("kubectl uncordon {node}"),
    )];
    if let Some(decide) = &finding.decide {
        next.push(Step::look("Look at its interfaces and its resolver", decide.clone()));
    }
    if finding.mechanism == "name-resolution" {
        next.push(Step::look(
            "See how the DNS cache of this node does, where there is one",
            format!(
                "kubectl get pods -n kube-system -o wide --field-selector spec.nodeName={node}"
            ),
        ));
    }
    next.push(Step {
        what: "If it stays, move its workloads away, with their budgets".into(),
        command: Some(format!("kubectl drain {node} --ignore-daemonsets --delete-emptydir-data")),
        risk: Risk::Disruptive,
        undo: Some(format!("kubectl uncordon {node}")),
    });
    let never = "Do not restart the slow workloads one by one: on this node they stay slow";
    Remedy { next, do_not: vec![never.into()] }
}

fn prevent(_: &Gap, _: &Snapshot) -> Option<Patch> {
    None
}

fn rehearse() -> Option<Scenario> {
    Some(Scenario {
        story: "The link of a node delays each packet by 100 milliseconds.",
        acts: vec![(30, Act::Unmodelled("each packet to and from worker-2 takes 100 ms longer"))],
        found_within_seconds: 120,
    })
}

#[cfg(test)]
mod tests;
