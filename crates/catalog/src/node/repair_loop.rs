//! `node-repair-loop`: nodes are repaired again and again, and what breaks them stays.

use std::collections::{BTreeMap, BTreeSet};

use model::record::ClusterEvent;
use model::{
    Act, App, Certainty, Evidence, Finding, Findings, Gap, Impact, Kind, ObjectRef, Patch, Remedy,
    Scenario, Snapshot, Step, Timestamp,
};

use super::lost_cascade::placements;
use crate::evidence;
use crate::wording::{self, says};

failure! {
    /// # Nodes are repaired again and again
    ///
    /// ## Signs
    /// The provider's automatic repair recreates or reboots nodes every few hours: operations
    /// AUTO_REPAIR_NODES, events Rebooted with a count, nodes that become not ready, are
    /// removed, and come back under a new name. After each repair all is well for a while.
    ///
    /// ## Why it happens
    /// Repair takes the node for the fault. When the fault is a workload that leaks processes,
    /// memory or disk, it comes back with the pods, and the next repair is due when the leak
    /// has filled the new machine. Each repair also restarts everything else on the node.
    ///
    /// ## What we do
    /// 1. A repair that recurs is a symptom: stop repairing, and open a diagnosis.
    /// 2. Keep one sick node as it is, cordoned, and look at it before it is repaired:
    ///    processes (defunct ones, too), memory, disk, the runtime.
    /// 3. Find the workload that all repaired nodes had in common.
    ///
    /// A rolling upgrade replaces each node once. That is no loop.
    ///
    /// ## How to avoid it
    /// Count repairs, and alert on the second within a day. Limits on memory, processes and
    /// disk for every workload.
    ///
    /// ## Sources
    /// "Increasing resilience in Kubernetes" (Kudos Engineering, 2019); documentation of GKE,
    /// "Auto-repairing nodes".
    id: "node-repair-loop",
    mechanisms: {
        "common-workload": "a workload that breaks nodes follows them through each repair",
        "repair-recurs": "what breaks the nodes outlives their repair",
    },
    reads: [Node, Pod, Event],
    leads_to: [
        "node-flapping",
        "node-not-ready",
        "node-unknown",
        "pod-evicted-taint",
        "pod-pending-unschedulable",
        "service-without-endpoints",
    ],
    detect: Cluster(detect),
    exposed: exposed,
    remedy: remedy,
    prevent: prevent,
    rehearse: rehearse,
}

/// So many repairs make a loop.
const REPAIRS: u32 = 3;
/// Repairs within less than this are one episode, in seconds.
const EPISODE_SECONDS: i64 = 1800;
/// Repairs further apart than this, on average, are unrelated, in seconds.
const APART_SECONDS: i64 = 86_400;
/// After so long without a repair the loop has ended, in seconds.
const ENDED_SECONDS: i64 = 2 * 86_400;

/// Repairs that were seen.
#[derive(Default)]
struct Repairs {
    count: u32,
    first: Option<Timestamp>,
    last: Option<Timestamp>,
    /// Nodes that still have their name.
    nodes: BTreeSet<String>,
    evidence: Vec<Evidence>,
}

impl Repairs {
    fn add(
        &mut self,
        count: u32,
        (first, last): (Option<Timestamp>, Option<Timestamp>),
        fact: Option<Evidence>,
    ) {
        self.count = self.count.saturating_add(count);
        self.first = self.first.into_iter().chain(first).min();
        self.last = self.last.max(last);
        self.evidence.extend(fact);
    }
}

fn detect(now: &Snapshot, findings: &mut Findings) {
    let repairs = repairs(now);
    if repairs.count < REPAIRS {
        return;
    }
    let span = repairs.last.zip(repairs.first).map(|(l, f)| l.since(f));
    let apart = span.is_none_or(|s| {
        s >= EPISODE_SECONDS && s / i64::from(repairs.count - 1).max(1) <= APART_SECONDS
    });
    let lately = repairs.last.is_none_or(|t| now.now.since(t) <= ENDED_SECONDS);
    if !apart || !lately {
        return;
    }
    let suspect = common(&repairs.nodes, now);
    let object = match (&suspect, repairs.nodes.len()) {
        (Some(app), _) => app.object.clone(),
        (None, 1) => {
            let name = repairs.nodes.first().map_or("", String::as_str);
            ObjectRef::new(Kind::Node, "", name)
        }
        _ => ObjectRef::new(Kind::Cluster, "", "nodes"),
    };
    let mechanism = if suspect.is_some() { "common-workload" } else { "repair-recurs" };
    let over = span.map(|s| format!(" within {}", model::duration_text(s))).unwrap_or_default();
    let who = match suspect {
        Some(app) => format!("; {} was on each of them", app.object),
        None => String::new(),
    };
    let headline = format!("nodes were repaired {} times{over}{who}", repairs.count);
    let look = "kubectl get events -A --field-selector involvedObject.kind=Node";
    let mut finding = Finding::new(KIND.id, mechanism, object, headline)
        .since(repairs.first)
        .evidence(repairs.evidence.into_iter().rev().take(4))
        .unsure(Certainty::Likely, &["host-down"], look);
    for node in &repairs.nodes {
        let node = ObjectRef::new(Kind::Node, "", node);
        finding = finding.affects(node, "rebooted again and again, all of its pods with it");
    }
    let nodes = u32::try_from(repairs.nodes.len()).unwrap_or(u32::MAX).max(1);
    findings.push(finding.impact(Impact { nodes, ..Impact::default() }));
}

/// Repairs told by events of nodes, by operations of the provider, by logs.
fn repairs(now: &Snapshot) -> Repairs {
    let mut found = Repairs::default();
    let mut reboots: BTreeMap<&str, Vec<&ClusterEvent>> = BTreeMap::new();
    let mut lost: BTreeSet<&str> = BTreeSet::new();
    let told = now.events_where(|e| {
        matches!(e.reason.as_str(), "Rebooted" | "NodeNotReady")
            || says(&e.reason, wording::AUTO_REPAIR)
    });
    for event in told {
        let Some(about) = event.about.as_ref() else { continue };
        match event.reason.as_str() {
            "Rebooted" if about.kind == Kind::Node => {
                reboots.entry(&about.name).or_default().push(event);
            }
            "NodeNotReady" if about.kind == Kind::Node => {
                lost.insert(&about.name);
            }
            reason if says(reason, wording::AUTO_REPAIR) => {
                found.add(event.count, times(event, now), evidence::event(event, now));
            }
            _ => {}
        }
    }
    // A node that is rebooted once may be upgraded; the second time tells.
    for (node, events) in reboots {
        let count: u32 = events.iter().map(|e| e.count).sum();
        if count > 1 {
            for event in events {
                found.add(event.count, times(event, now), evidence::event(event, now));
            }
            found.nodes.insert(node.to_owned());
        }
    }
    // Removed after it was lost, and not since it was no longer needed.
    let removed = now.events_where(|e| e.reason == "RemovingNode");
    for event in removed {
        if event.about.as_ref().is_some_and(|o| lost.contains(o.name.as_str())) {
            found.add(1, times(event, now), evidence::event(event, now));
        }
    }
    found
}

fn times(e: &ClusterEvent, now: &Snapshot) -> (Option<Timestamp>, Option<Timestamp>) {
    (evidence::first_time(e, now), evidence::last_time(e, now))
}

/// The only workload that all repaired nodes have and no other node has.
fn common<'s>(nodes: &BTreeSet<String>, now: &'s Snapshot) -> Option<&'s App> {
    let placed = placements(now);
    let on = |node: &str, app: &App| placed.get(node).is_some_and(|a| a.contains(&app.object));
    let others = || now.nodes.iter().filter(|n| !nodes.contains(n.meta.name.as_str()));
    if nodes.len() < 2 || others().next().is_none() {
        return None;
    }
    let mut apps = now.apps.iter().filter(|a| {
        a.object.kind != Kind::DaemonSet
            && nodes.iter().all(|n| on(n, a))
            && !others().any(|n| on(&n.meta.name, a))
    });
    let first = apps.next()?;
    apps.next().is_none().then_some(first)
}

/// What breaks nodes is asked about by the checks on limits.
fn exposed(_: &Snapshot, _: &mut Vec<Gap>) {}

fn remedy(finding: &Finding, now: &Snapshot) -> Remedy {
    let affected = finding.affected.iter().map(|a| &a.object);
    let node = std::iter::once(&finding.object).chain(affected).find(|o| o.kind == Kind::Node);
    let node = node.map_or("NODE", |o| o.name.as_str());
    let mut next = vec![
        Step::advice("Switch the automatic repair off for now, so that one sick node can be seen"),
        Step::change(
            "Keep a sick node, but nothing new on it",
            format!("kubectl cordon {node}"),
            format!("kubectl uncordon {node}"),
        ),
        Step::look(
            "Look for what has grown: processes, memory, disk",
            format!(
                "ssh {node} 'ps -eo ppid,stat,comm | sort | uniq -c | sort -n | tail; free -m; \
                 df -h'"
            ),
        ),
    ];
    if let Some(app) = now.app(&finding.object) {
        let target = app.object.for_kubectl();
        let replicas = app.wanted().unwrap_or(1);
        next.push(Step::change(
            "Stop the workload that all of them had",
            format!("kubectl scale {target} --replicas=0"),
            format!("kubectl scale {target} --replicas={replicas}"),
        ));
    }
    Remedy {
        next,
        do_not: vec![
            "Do not repair once more without a diagnosis: a repair that recurs is a symptom".into(),
        ],
    }
}

/// Automatic repair is a setting of the provider; no object of the API has it.
fn prevent(_: &Gap, _: &Snapshot) -> Option<Patch> {
    None
}

fn rehearse() -> Option<Scenario> {
    let act = "The provider reboots worker-2 every two hours, three times.";
    Some(Scenario {
        story: "A leak comes back after each automatic repair of its node.",
        acts: vec![(60, Act::Unmodelled(act))],
        found_within_seconds: 30_000,
    })
}

#[cfg(test)]
mod tests {
    use super::super::testing::{event, node, pod};
    use super::KIND;
    use crate::testing::check;

    fn at(reason: &str, node: &str, hour: u32) -> String {
        event(node, reason, &format!("Node {node} has been rebooted, boot id: 7"), 1)
            .replace(&format!("{node}.{reason}"), &format!("{node}.{reason}.{hour}"))
            .replace("2026-01-02T10:00:00Z", &format!("2026-01-02T0{hour}:00:00Z"))
    }

    #[test]
    fn one_node_that_is_rebooted_every_few_hours() {
        let yaml: String = [2, 5, 8].iter().map(|h| at("Rebooted", "a", *h)).collect();
        check(&KIND, &yaml, &["repair-recurs node/a Likely Active"]);
    }

    #[test]
    fn the_workload_of_all_repaired_nodes_is_named() {
        let two = at("Rebooted", "a", 2) + &at("Rebooted", "a", 6) + &at("Rebooted", "b", 4);
        let yaml = two
            + &at("Rebooted", "b", 8)
            + &node("a", "True", "")
            + &node("b", "True", "")
            + &node("c", "True", "")
            + &pod("leak", "a", "True")
            + &pod("leak", "b", "True")
            + &pod("web", "a", "True")
            + &pod("web", "b", "True")
            + &pod("web", "c", "True");
        check(&KIND, &yaml, &["common-workload sts/leak Likely Active"]);
    }

    #[test]
    fn operations_of_the_provider_are_counted() {
        let operation = |hour: u32| {
            at("AUTO_REPAIR_NODES", "pool", hour).replace("kind: Node,", "kind: Cluster,")
        };
        let yaml: String = [1, 4, 7].iter().map(|h| operation(*h)).collect();
        check(&KIND, &yaml, &["repair-recurs cluster/nodes Likely Active"]);
        check(&KIND, &(operation(1) + &operation(4)), &[]);
    }

    #[test]
    fn a_rolling_upgrade_is_none() {
        let once: String = ["a", "b", "c", "d"]
            .iter()
            .zip(1..)
            .map(|(node, hour)| at("Rebooted", node, hour) + &at("RemovingNode", node, hour))
            .collect();
        check(&KIND, &once, &[]);
    }
}
