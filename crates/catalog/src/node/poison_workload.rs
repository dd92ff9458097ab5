//! `node-poison-workload`: the runtime of every node that a workload lands on stalls.

use std::collections::BTreeSet;

use model::record::Node;
use model::{
    Act, App, Certainty, Finding, Findings, Gap, Impact, Kind, ObjectRef, Patch, Remedy, Scenario,
    Snapshot, Step, Timestamp,
};

use super::lost_cascade::placements;
use super::runtime::{self, Runtime};
use crate::evidence;

failure! {
    /// # Every node that a workload lands on stalls
    ///
    /// ## Signs
    /// The runtimes of several nodes hang (PLEG is not healthy, ContainerGCFailed with
    /// DeadlineExceeded), not at once but after each of them received the same workload. Nodes
    /// without it are well. A node that is repaired stalls again when the workload comes back.
    ///
    /// ## Why it happens
    /// An image or a program drives the runtime or the kernel into a fault: processes that
    /// cannot be killed, very many of them, mounts that never answer, a layer that the storage
    /// driver does not bear. It is not the node, and repairing nodes does not help.
    ///
    /// ## What we do
    /// 1. Cordon the stalled nodes.
    /// 2. Stop the workload: scale it to zero, before it is placed on the next node.
    /// 3. Only then repair the runtimes, one after the other.
    /// 4. Try the image alone on a node set aside, with the same kernel and runtime.
    ///
    /// Do not drain the stalled nodes while the workload lives: it moves on.
    ///
    /// ## How to avoid it
    /// New images first on one node; limits on processes (`podPidsLimit`) and memory; current
    /// kernel and runtime.
    ///
    /// ## Sources
    /// kubernetes/kubernetes issue 45419; Kubernetes documentation, "Process ID limits".
    id: "node-poison-workload",
    mechanisms: {
        "common-workload": "one workload is on every node that stalls and on no other",
        "node-cohort": "all nodes that stall have a version that no other node has",
    },
    reads: [Node, Pod, Event, Deployment, StatefulSet],
    leads_to: [
        "node-container-gc-failing",
        "node-flapping",
        "node-image-gc-timeout",
        "node-not-ready",
        "node-pleg-stalled",
        "node-runtime-hung",
        "node-unknown",
        "pod-sandbox-failing",
    ],
    detect: Cluster(detect),
    exposed: exposed,
    remedy: remedy,
    prevent: prevent,
    rehearse: rehearse,
}

/// A node that stalls, and since when.
type Stalled<'s> = Vec<(&'s Node, Option<Timestamp>)>;

/// Nodes whose runtime is in trouble without memory having run out.
pub(super) fn stalled(now: &Snapshot) -> Stalled<'_> {
    let nodes = now.nodes_where(|n, now| stalls(n, now).is_some()).into_iter();
    nodes.filter_map(|n| Some((n, stalls(n, now)?))).collect()
}

fn stalls(node: &Node, now: &Snapshot) -> Option<Option<Timestamp>> {
    let memory = ["SystemOOM", "OOMKilling"];
    let events = now.events_about(&node.meta.object(Kind::Node));
    if !now.has_read(node) || events.iter().any(|e| memory.contains(&e.reason.as_str())) {
        return None;
    }
    if runtime::is_stopped(node, now) {
        return None;
    }
    Runtime::of(node, now).troubled_since()
}

fn detect(now: &Snapshot, findings: &mut Findings) {
    let stalled = stalled(now);
    let Some((first, _)) = stalled.first().filter(|_| stalled.len() > 1) else { return };
    let names: BTreeSet<&str> = stalled.iter().map(|(n, _)| n.meta.name.as_str()).collect();
    let well = now.nodes.iter().filter(|n| !names.contains(n.meta.name.as_str()));
    let well: Vec<&Node> = well.collect();
    if well.is_empty() {
        return;
    }
    let placed = placements(now);
    let on = |node: &Node, app: &ObjectRef| {
        placed.get(node.meta.name.as_str()).is_some_and(|apps| apps.contains(app))
    };
    // What all have in common, the first has too.
    let there = placed.get(first.meta.name.as_str()).into_iter().flatten();
    let apps = there.filter(|o| o.kind != Kind::DaemonSet).filter_map(|o| now.app(o));
    let common = apps.filter(|a| {
        stalled.iter().all(|(n, since)| on(n, &a.object) && was_there(a, n, *since))
            && !well.iter().any(|n| on(n, &a.object))
    });
    let mut common: Vec<&App> = common.collect();
    common.sort_by_key(|a| (&a.object.namespace, &a.object.name));
    let Some(app) = common.first() else { return };
    let mut finding = finding(app, common.len(), &stalled, &well);
    let names = stalled.iter().map(|(n, _)| n.meta.name.as_str());
    finding.factors.extend(crate::observability::monitoring_inside_cluster::factor(names, now));
    findings.push(finding);
}

/// Whether the workload was on the node before it stalled, as far as both times are known.
fn was_there(app: &App, node: &Node, since: Option<Timestamp>) -> bool {
    let here = app.pods.iter().filter(|p| p.node == node.meta.name);
    let first = here.filter_map(|p| p.started.or(p.meta.created)).min();
    match (first, since) {
        (Some(placed), Some(stalled)) => placed <= stalled,
        _ => true,
    }
}

fn finding(app: &App, common: usize, stalled: &Stalled<'_>, well: &[&Node]) -> Finding {
    let count = stalled.len();
    let headline = format!(
        "{} is on each of the {count} nodes whose runtime stalls, and on no other",
        app.object
    );
    let images: BTreeSet<&str> = app
        .spec()
        .into_iter()
        .flat_map(|s| s.containers.iter())
        .map(|c| c.image.as_str())
        .collect();
    let facts = stalled.iter().map(|(node, since)| model::Evidence {
        at: *since,
        ..evidence::field(
            node.meta.source,
            &node.meta.object(Kind::Node),
            "container runtime",
            format!("stalls; {} is on it", app.object),
        )
    });
    let mut finding = Finding::new(KIND.id, "common-workload", app.object.clone(), headline)
        .since(stalled.iter().filter_map(|(_, since)| *since).min())
        .evidence(facts.take(4))
        .impact(Impact { nodes: u32::try_from(count).unwrap_or(u32::MAX), ..Impact::default() });
    if let Some(image) = images.first().filter(|i| !i.is_empty()) {
        let fact = evidence::field(app.document(), &app.object, "image", *image);
        finding.evidence.push(fact);
    }
    for (node, _) in stalled {
        let object = node.meta.object(Kind::Node);
        finding = finding.affects(object, format!("stalls with {} on it", app.object.name));
    }
    let version = |n: &Node| (n.kubelet_version.clone(), n.runtime.clone());
    let first = stalled.first().map(|(n, _)| version(n)).unwrap_or_default();
    let cohort = (!first.0.is_empty() || !first.1.is_empty())
        && stalled.iter().all(|(n, _)| version(n) == first)
        && !well.iter().any(|n| version(n) == first);
    let look = format!("kubectl get pods -A -o wide | grep {}", app.object.name);
    match (cohort, common, count) {
        (false, 1, 3..) => finding,
        (false, 1, _) => finding.unsure(Certainty::Likely, &["node-cohort"], look),
        _ => finding.unsure(Certainty::Possible, &["node-cohort"], look),
    }
}

/// What a workload may do to its node is asked about by the checks on limits.
fn exposed(_: &Snapshot, _: &mut Vec<Gap>) {}

fn remedy(finding: &Finding, now: &Snapshot) -> Remedy {
    let target = finding.object.for_kubectl();
    let replicas = now.app(&finding.object).and_then(App::wanted).unwrap_or(1);
    let nodes = finding.affected.iter().filter(|a| a.object.kind == Kind::Node);
    let names: Vec<&str> = nodes.map(|a| a.object.name.as_str()).collect();
    let names = names.join(" ");
    let mut next = vec![
        Step::change(
            "Keep everything away from the stalled nodes",
            format!("kubectl cordon {names}"),
            format!("kubectl uncordon {names}"),
        ),
        Step::change(
            format!("Stop {} before it is placed on the next node", finding.object),
            format!("kubectl scale {target} --replicas=0"),
            format!("kubectl scale {target} --replicas={replicas}"),
        ),
        Step::advice("Then repair the runtimes, one after the other"),
    ];
    if let Some(first) = finding.affected.iter().find(|a| a.object.kind == Kind::Node) {
        next.extend(runtime::steps(&first.object.name, now).into_iter().skip(2).take(3));
    }
    Remedy {
        next,
        do_not: vec![format!(
            "Do not drain or replace the stalled nodes while {} lives: it moves on to the \
                 next",
            finding.object.name
        )],
    }
}

fn prevent(_: &Gap, _: &Snapshot) -> Option<Patch> {
    None
}

fn rehearse() -> Option<Scenario> {
    let act = "Every node that gets a pod of shop/poison has its runtime hang a minute later.";
    Some(Scenario {
        story: "A faulty image stalls the runtime of each node it lands on.",
        acts: vec![(30, Act::Unmodelled(act))],
        found_within_seconds: 1800,
    })
}

#[cfg(test)]
mod tests {
    use super::super::testing::{event, node, pod};
    use super::KIND;
    use crate::testing::check;

    const LATE: &str = "rpc error: code = DeadlineExceeded desc = context deadline exceeded";

    fn story(stalled: &[&str]) -> String {
        let mut yaml = String::new();
        for name in stalled {
            let text =
                "PLEG is not healthy: pleg was last seen active 20m1s ago; threshold is 3m0s";
            yaml += &node(name, "False", text).replace("T00:00:00Z, lastH", "T09:40:00Z, lastH");
            yaml += &event(name, "ContainerGCFailed", LATE, 9);
            yaml += &(pod("poison", name, "False") + &pod("web", name, "True"));
        }
        yaml + &node("z", "True", "") + &pod("web", "z", "True")
    }

    #[test]
    fn the_workload_that_only_stalled_nodes_have_is_named() {
        check(&KIND, &story(&["a", "b"]), &["common-workload sts/poison Likely Active"]);
        check(&KIND, &story(&["a", "b", "c"]), &["common-workload sts/poison Proven Active"]);
    }

    #[test]
    fn nodes_of_one_version_leave_another_explanation() {
        let old = story(&["a", "b", "c"]).replace(
            "status:\n  conditions:\n  - {type: Ready, status: 'False'",
            "status:\n  nodeInfo: {kubeletVersion: v1.20.1}\n  conditions:\n  - {type: Ready, \
             status: 'False'",
        );
        check(&KIND, &old, &["common-workload sts/poison Possible Active"]);
    }

    #[test]
    fn unrelated_faults_stay_quiet() {
        check(&KIND, &story(&["a"]), &[]);
        let apart =
            story(&["a", "b"]).replacen("name: poison, controller", "name: other, controller", 1);
        check(&KIND, &apart, &[]);
        let everywhere = story(&["a", "b"]) + &pod("poison", "z", "True");
        check(&KIND, &everywhere, &[]);
    }
}
