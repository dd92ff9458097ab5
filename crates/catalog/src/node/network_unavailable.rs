//! `node-network-unavailable`: the cloud has no route to the pods of a node, or its network agent
//! says that it is down.

use std::collections::BTreeMap;

use model::record::{EventTime, Node};
use model::{
    Act, Certainty, Evidence, Finding, Findings, Gap, Kind, ObjectRef, Patch, Remedy, Scenario,
    Snapshot, Step, Timestamp, Truth,
};

use super::signs::{self, Sign};
use crate::evidence;
use crate::wording::{self, says};

failure! {
    /// # The network does not reach the pods of a node
    ///
    /// ## Signs
    /// The node's condition NetworkUnavailable is True: "RouteController failed to create a
    /// route", "Node created without a route", or the network agent's own word (CalicoIsDown).
    /// The node is tainted `node.kubernetes.io/network-unavailable`; new pods stay away.
    ///
    /// ## Why it happens
    /// Where pods have addresses that the cloud must route, the route controller makes one
    /// route in the cloud for each node. The table of routes has a limit (48 entries by default
    /// in Alibaba Cloud, 50 in AWS): the node beyond it gets none. Or the cloud refuses the
    /// route: for lack of a permission, because of a network that does not fit, or because
    /// routes are not to be made by this controller at all. With a network plugin that needs no
    /// routes, its agent on the node sets the condition.
    ///
    /// ## What we do
    /// 1. Read what the controller was told: events of the node, the log of the cloud
    ///    controller manager.
    /// 2. Quota: count the routes, raise the limit, remove routes of nodes that are gone.
    /// 3. Refusal: correct the permission or the network; where the plugin makes its own way,
    ///    switch the route controller off.
    /// 4. Agent down: look at its pod on that node.
    ///
    /// Do not add nodes: each needs a route of its own. A node that was added minutes ago is
    /// only starting.
    ///
    /// ## How to avoid it
    /// Know the limit of the route table before the cluster grows to it; use a network plugin
    /// that needs no cloud routes.
    ///
    /// ## Sources
    /// kubernetes/cloud-provider-alibaba-cloud issues 121 and 207; Alibaba Cloud and AWS
    /// documentation of quotas for route tables.
    id: "node-network-unavailable",
    mechanisms: {
        "route-quota-exceeded": "the cloud's route table is full",
        "route-refused": "the cloud refuses the route to it",
        "route-missing": "it has no route in the cloud",
        "network-plugin-down": "its network agent is down",
    },
    reads: [Node, Event, Pod],
    leads_to: [
        "node-not-ready",
        "pod-crash-looping",
        "pod-pending-unschedulable",
        "pod-probe-failing",
        "pod-sandbox-failing",
        "service-unreachable-by-client",
        "service-without-endpoints",
        "workload-dependency-failing",
    ],
    detect: Cluster(detect),
    exposed: exposed,
    remedy: remedy,
    prevent: prevent,
    rehearse: rehearse,
}

/// A node younger than this is still being given its network, in seconds.
const STARTING_SECONDS: i64 = 180;
/// Events older than this say nothing about now, in seconds.
const RECENT_SECONDS: i64 = 1800;
/// Entries in a route table that some clouds allow by default.
const ROUTES: usize = 48;

/// A node whose network is unavailable, with what is said about why.
struct Sick<'s> {
    node: &'s Node,
    since: Option<Timestamp>,
    mechanism: &'static str,
    evidence: Vec<Evidence>,
}

fn detect(now: &Snapshot, findings: &mut Findings) {
    let mut groups: BTreeMap<&'static str, Vec<Sick<'_>>> = BTreeMap::new();
    let general = from_controllers(now);
    for node in now.nodes_where(is_concerned) {
        if let Some(sick) = sick(node, general.as_ref(), now, findings) {
            groups.entry(sick.mechanism).or_default().push(sick);
        }
    }
    if let (true, None, Some((mechanism, fact))) =
        (groups.is_empty(), now.known_nodes().next(), general)
    {
        findings.push(only_told(mechanism, fact));
    }
    for (mechanism, sick) in groups {
        findings.push(finding(mechanism, &sick, now));
    }
}

/// No node was shown: only the controller that makes routes speaks.
fn only_told(mechanism: &'static str, fact: Evidence) -> Finding {
    let object = ObjectRef::component("cloud-controller-manager");
    let why = KIND.meaning(mechanism);
    let headline = format!("the network does not reach the pods of some node: {why}");
    let look = "kubectl describe nodes | grep -E '^Name:|NetworkUnavailable'";
    Finding::new(KIND.id, mechanism, object.clone(), headline)
        .evidence([fact])
        .affects(object, "makes no routes for new nodes")
        .unsure(Certainty::Likely, &["route-missing"], look)
}

/// What was last said of a node's route that did not come about.
fn told<'s>(all: &'s [Sign<'s>], now: &Snapshot) -> Option<&'s Sign<'s>> {
    all.iter().rfind(|s| {
        let failed = s.says(wording::ROUTE_FAILED) && !s.says(&["routecreated"]);
        failed && s.last.is_none_or(|t| now.now.since(t) <= RECENT_SECONDS)
    })
}

/// Whether anything says that a node's network may be unavailable.
fn is_concerned(node: &Node, now: &Snapshot) -> bool {
    match node.condition("NetworkUnavailable") {
        Some(condition) => condition.status == Truth::True || condition.status == Truth::Unknown,
        None => told(&signs::of(node, now), now).is_some(),
    }
}

/// Whether a node's network is unavailable, and why.
fn sick<'s>(
    node: &'s Node,
    general: Option<&(&'static str, Evidence)>,
    now: &'s Snapshot,
    findings: &mut Findings,
) -> Option<Sick<'s>> {
    let object = node.meta.object(Kind::Node);
    let condition = node.condition("NetworkUnavailable");
    let holds = condition.map(|c| c.status == Truth::True);
    let all = signs::of(node, now);
    let told = told(&all, now);
    if holds == Some(false) || (holds.is_none() && told.is_none()) {
        return None;
    }
    let reason = condition.map_or("", |c| c.reason());
    let own = told.and_then(|s| Some((mechanism(s.text), s.evidence()?)));
    let own = own.filter(|(m, _)| *m != "route-missing");
    let stated = own.clone().or_else(|| general.cloned());
    let age = node.meta.created.filter(|_| now.has_time).map(|at| now.now.since(at));
    if stated.is_none() && age.is_some_and(|a| a < STARTING_SECONDS) {
        let why = "it was added minutes ago; its network is being set up";
        findings.rule_out(KIND.id, object, why);
        return None;
    }
    let mut evidence: Vec<Evidence> = stated.iter().map(|(_, fact)| fact.clone()).collect();
    evidence.extend(condition.map(|c| evidence::condition(node.meta.source, &object, c)));
    evidence.extend(told.filter(|_| own.is_none()).and_then(|s| s.evidence()));
    evidence.dedup();
    let agent = reason.ends_with("IsDown");
    Some(Sick {
        node,
        since: condition.and_then(|c| c.since).or(told.and_then(|s| s.first)),
        mechanism: match stated {
            _ if agent => "network-plugin-down",
            Some((mechanism, _)) => mechanism,
            None => "route-missing",
        },
        evidence,
    })
}

/// What a text about a route says of the reason.
fn mechanism(text: &str) -> &'static str {
    if says(text, wording::QUOTA_EXCEEDED) {
        "route-quota-exceeded"
    } else if says(text, wording::CLOUD_REFUSED) {
        "route-refused"
    } else {
        "route-missing"
    }
}

/// What the cloud controller manager says of routes, in events about other things than nodes or
/// in its log.
fn from_controllers(now: &Snapshot) -> Option<(&'static str, Evidence)> {
    fn told(text: &str) -> Option<&'static str> {
        let route = says(text, wording::ROUTE_FAILED);
        Some(mechanism(text)).filter(|m| route && *m != "route-missing")
    }
    let recent = |e: &&model::record::ClusterEvent| {
        e.last == EventTime::Unknown || evidence::is_recent(e, now, RECENT_SECONDS)
    };
    let event = now
        .events_where(|e| told(&e.message).is_some())
        .into_iter()
        .rev()
        .filter(recent)
        .find_map(|e| Some((told(&e.message)?, evidence::event(e, now)?)));
    event.or_else(|| {
        now.logs.iter().filter(|l| l.unit.is_empty()).find_map(|log| {
            let line = log.lines.iter().rev().take(2000);
            let (mechanism, line) = line.filter_map(|l| Some((told(l)?, l))).next()?;
            let object = ObjectRef::component("cloud-controller-manager");
            let value: String = line.chars().take(300).collect();
            let field = format!("log of {}", log.name);
            Some((mechanism, evidence::field(log.document, &object, field, value)))
        })
    })
}

fn finding(mechanism: &'static str, sick: &[Sick<'_>], now: &Snapshot) -> Finding {
    let names: Vec<&str> = sick.iter().map(|s| s.node.meta.name.as_str()).collect();
    let (object, who) = match names.as_slice() {
        [one] => (ObjectRef::new(Kind::Node, "", one), format!("node {one}")),
        all => (cause_of_many(mechanism), format!("{} nodes", all.len())),
    };
    let why = KIND.meaning(mechanism);
    let routes = with_route(now);
    let used = match mechanism {
        "route-quota-exceeded" | "route-missing" if routes > 0 => {
            format!(" ({routes} other nodes have a route)")
        }
        _ => String::new(),
    };
    let headline = format!("the network does not reach the pods of {who}: {why}{used}");
    let mut finding = Finding::new(KIND.id, mechanism, object.clone(), headline)
        .field("status.conditions[NetworkUnavailable]", "True", "False")
        .since(sick.iter().filter_map(|s| s.since).min())
        .evidence(sick.iter().flat_map(|s| s.evidence.iter().cloned()).take(6));
    finding.evidence.dedup();
    for s in sick {
        finding = super::affected_pods(finding, s.node, now);
    }
    if sick.len() > 1 {
        for s in sick {
            let node = s.node.meta.object(Kind::Node);
            finding = finding.affects(node, "its pods are not reached from elsewhere");
        }
    }
    finding.impact.nodes = u32::try_from(sick.len()).unwrap_or(u32::MAX);
    if mechanism == "route-missing" {
        let look =
            "kubectl get events -A --field-selector involvedObject.kind=Node | grep -i route";
        let others = &["route-quota-exceeded", "route-refused"];
        finding = finding.unsure(Certainty::Possible, others, look);
    }
    finding
}

/// Who would be repaired when several nodes have the same trouble.
fn cause_of_many(mechanism: &str) -> ObjectRef {
    match mechanism {
        "network-plugin-down" => ObjectRef::component("network-plugin"),
        _ => ObjectRef::component("cloud-controller-manager"),
    }
}

/// Nodes that have a route in the cloud.
fn with_route(now: &Snapshot) -> usize {
    let has = |n: &&Node| {
        let c = n.condition("NetworkUnavailable");
        c.is_some_and(|c| c.status == Truth::False && c.reason() == "RouteCreated")
    };
    now.nodes.iter().filter(has).count()
}

/// A cluster whose next nodes may get no route.
fn exposed(now: &Snapshot, gaps: &mut Vec<Gap>) {
    let routes = with_route(now);
    if routes * 10 >= ROUTES * 9 {
        gaps.push(Gap {
            failure: KIND.id,
            object: ObjectRef::component("cloud-controller-manager"),
            field: "entries of the route table".into(),
            why: format!("{routes} nodes have a cloud route each; some clouds allow {ROUTES}"),
        });
    }
}

fn remedy(finding: &Finding, _: &Snapshot) -> Remedy {
    let affected = finding.affected.iter().map(|a| &a.object);
    let node = std::iter::once(&finding.object).chain(affected).find(|o| o.kind == Kind::Node);
    let node = node.map_or("NODE", |o| o.name.as_str());
    let read = Step::look(
        "Read what the controller of routes was told",
        format!("kubectl describe node {node}; kubectl get events -A | grep -i route"),
    );
    let act = match finding.mechanism {
        "route-quota-exceeded" => vec![
            Step::advice(
                "Raise the limit of the cloud's route table (in Alibaba Cloud the quota \
                 vpc_quota_route_entrys_num)",
            ),
            Step::advice("Remove routes of nodes that are gone"),
        ],
        "route-refused" => vec![Step::advice(
            "Correct what the cloud names: the controller's permissions, or the network of the \
             node; where the network plugin makes its own way, set --configure-cloud-routes=false",
        )],
        "network-plugin-down" => vec![Step::look(
            "Look at the network agent of the node",
            format!("kubectl get pods -A -o wide --field-selector spec.nodeName={node}"),
        )],
        _ => vec![Step::look(
            "See the log of the cloud controller manager",
            "kubectl logs -n kube-system -l component=cloud-controller-manager --tail=100",
        )],
    };
    Remedy {
        next: std::iter::once(read).chain(act).collect(),
        do_not: vec![
            "Do not add nodes: each needs a route of its own".into(),
            "Do not take the taint away by hand: pods would start and reach nobody".into(),
        ],
    }
}

/// The quota is the cloud's; no object of the API has it.
fn prevent(_: &Gap, _: &Snapshot) -> Option<Patch> {
    None
}

fn rehearse() -> Option<Scenario> {
    let act = "A seventh worker is added, and the cloud has no route left for it.";
    Some(Scenario {
        story: "The route table of the cloud is full when a node is added.",
        acts: vec![(30, Act::Unmodelled(act))],
        found_within_seconds: 400,
    })
}

#[cfg(test)]
mod tests;
