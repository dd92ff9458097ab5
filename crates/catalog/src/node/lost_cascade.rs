//! `node-lost-cascade`: nodes fall one after another because one workload moves among them.

use std::collections::{BTreeMap, BTreeSet};

use model::record::{Container, Node};
use model::{
    Act, App, Certainty, Evidence, Factor, Finding, Findings, Gap, Impact, Kind, ObjectRef, Patch,
    Remedy, Role, Scenario, Snapshot, Step, Timestamp, Truth,
};

use super::shared::AT_ONCE_SECONDS;
use crate::evidence;
use crate::observability::monitoring_inside_cluster;
use crate::observability::resource_alerts_missing::{self, Resource};
use crate::pod::edit;
use crate::wording::between;

failure! {
    /// # Nodes fall one after another, and one workload is on all of them
    ///
    /// ## Signs
    /// Several nodes become NotReady or Unknown in turn, minutes apart. Each ran the same
    /// workload. Replacement nodes fall too, shortly after they receive it. System OOM events
    /// or memory pressure often come first.
    ///
    /// ## Why it happens
    /// A workload without a memory limit eats the memory of its node until the kernel kills
    /// whatever it finds, the kubelet among it. The node is lost, the workload is started on
    /// another node, and the next one falls. Monitoring that runs on the same nodes goes blind
    /// with them.
    ///
    /// ## What we do
    /// 1. Stop the workload: scale it to zero, or give it a memory limit.
    /// 2. Only then bring the nodes back, one by one.
    /// 3. Find out what made it grow: look at what was changed in it last.
    ///
    /// Do not terminate or replace the lost nodes while the workload is alive: it moves on and
    /// takes the next node with it.
    ///
    /// ## How to avoid it
    /// Memory limits for every container, a LimitRange for every namespace, memory reserved for
    /// the system, alerts on memory that live outside of the cluster.
    ///
    /// ## Sources
    /// "Maximize learnings from a Kubernetes cluster failure" (NU.nl, 2018).
    id: "node-lost-cascade",
    mechanisms: {
        "memory-exhausted": "a workload eats the memory of every node it lands on",
        "common-workload": "one workload was on every node before it fell",
    },
    reads: [Node, Pod, Event, Deployment, StatefulSet],
    leads_to: [
        "node-flapping",
        "node-not-ready",
        "node-pleg-stalled",
        "node-runtime-hung",
        "node-system-oom",
        "node-unknown",
        "slo-burning",
    ],
    detect: Cluster(detect),
    exposed: exposed,
    remedy: remedy,
    prevent: prevent,
    rehearse: rehearse,
}

/// A node that was lost, and since when.
type Lost<'s> = Vec<(&'s Node, Timestamp)>;

fn detect(now: &Snapshot, findings: &mut Findings) {
    let lost = lost_nodes(now);
    let in_turn = match (lost.first(), lost.last()) {
        (Some((_, first)), Some((_, last))) => last.since(*first) > AT_ONCE_SECONDS,
        _ => false,
    };
    if lost.len() < 2 || !in_turn {
        return;
    }
    let placed = placements(now);
    let suspects = common_to(&lost, &placed, now);
    let Some(app) = suspects.first() else { return };
    let oom = memory_evidence(&lost, now);
    let stalled = super::poison_workload::stalled(now);
    let stalls = |n: &Node| stalled.iter().any(|(s, _)| s.meta.name == n.meta.name);
    if oom.is_empty() && lost.iter().all(|(n, _)| stalls(n)) {
        // Runtimes that hang one after another are told by a kind of their own.
        return;
    }
    let unlimited: Vec<&Container> = unlimited(app);
    let memory = !oom.is_empty();
    let mut finding = finding(app, &lost, &suspects, oom, &unlimited);
    let names = lost.iter().map(|(n, _)| n.meta.name.as_str());
    finding.factors.extend(monitoring_inside_cluster::factor(names, now));
    if memory {
        finding.factors.extend(resource_alerts_missing::factor(Resource::Memory, now));
    }
    findings.push(finding);
}

/// Lost nodes, the first one first.
fn lost_nodes(now: &Snapshot) -> Lost<'_> {
    let lost =
        now.nodes_where(|n, _| n.condition("Ready").is_some_and(|c| c.status != Truth::True));
    let lost = lost.into_iter().filter(|n| now.has_read(n));
    let lost = lost.filter_map(|n| {
        let ready = n.condition("Ready").filter(|c| c.status != Truth::True)?;
        Some((n, ready.since.or(ready.heartbeat)?))
    });
    let mut lost: Lost<'_> = lost.collect();
    lost.sort_by_key(|(n, since)| (*since, n.meta.name.clone()));
    lost
}

/// Which workloads are or were on which node: from pods, and from what the scheduler said of
/// pods that are gone.
pub(super) fn placements(now: &Snapshot) -> BTreeMap<&str, BTreeSet<&ObjectRef>> {
    let mut placed: BTreeMap<&str, BTreeSet<&ObjectRef>> = BTreeMap::new();
    for app in &now.apps {
        for pod in app.pods.iter().filter(|p| !p.node.is_empty()) {
            placed.entry(&pod.node).or_default().insert(&app.object);
        }
    }
    for event in now.events_where(|e| e.reason == "Scheduled") {
        let Some(pod) = &event.about else { continue };
        let Some((_, node)) = event.message.rsplit_once(" to ") else { continue };
        let owned = |a: &&App| {
            let rest = pod.name.strip_prefix(a.object.name.as_str());
            rest.is_some_and(|r| r.starts_with('-'))
        };
        let apps = now.apps_in(&pod.namespace).iter().filter(owned);
        if let Some(app) = apps.max_by_key(|a| a.object.name.len()) {
            placed.entry(node).or_default().insert(&app.object);
        }
    }
    placed
}

/// Workloads on every lost node, those that are on the fewest healthy ones first.
fn common_to<'s>(
    lost: &Lost<'s>,
    placed: &BTreeMap<&str, BTreeSet<&'s ObjectRef>>,
    now: &'s Snapshot,
) -> Vec<&'s App> {
    let on = |node: &Node, app: &App| {
        placed.get(node.meta.name.as_str()).is_some_and(|apps| apps.contains(&app.object))
    };
    let is_lost = |n: &Node| lost.iter().any(|(l, _)| l.meta.name == n.meta.name);
    let mut suspects: Vec<(usize, bool, &App)> = Vec::new();
    for app in now.apps.iter().filter(|a| a.object.kind != Kind::DaemonSet) {
        if !lost.iter().all(|(n, _)| on(n, app)) {
            continue;
        }
        let healthy = now.nodes.iter().filter(|n| !is_lost(n) && on(n, app)).count();
        let limited = unlimited(app).is_empty();
        suspects.push((healthy, limited, app));
    }
    // Among the sick and not among the healthy; then who may take all memory.
    let fewest = suspects.iter().map(|(healthy, _, _)| *healthy).min();
    suspects.retain(|(healthy, _, _)| Some(*healthy) == fewest);
    suspects.sort_by_key(|(_, limited, app)| (*limited, &app.object));
    let unlimited = suspects.iter().any(|(_, limited, _)| !limited);
    suspects.retain(|(_, limited, _)| !limited || !unlimited);
    suspects.into_iter().map(|(_, _, app)| app).collect()
}

/// Containers that are known to have no memory limit.
pub(crate) fn unlimited(app: &App) -> Vec<&Container> {
    let spec = app.spec().filter(|_| app.shows_spec());
    let containers = spec.into_iter().flat_map(|s| s.containers.iter());
    containers.filter(|c| c.resources.limits.get("memory").is_none()).collect()
}

/// Signs of memory running out on the lost nodes.
fn memory_evidence(lost: &Lost<'_>, now: &Snapshot) -> Vec<Evidence> {
    let of = |node: &Node| {
        let events = now.events_about(&node.meta.object(Kind::Node)).iter();
        let mut oom = events.filter(|e| {
            matches!(e.reason.as_str(), "SystemOOM" | "OOMKilling" | "NodeHasInsufficientMemory")
        });
        oom.next_back().and_then(|e| evidence::event(e, now))
    };
    lost.iter().filter_map(|(node, _)| of(node)).collect()
}

fn finding(
    app: &App,
    lost: &Lost<'_>,
    suspects: &[&App],
    oom: Vec<Evidence>,
    unlimited: &[&Container],
) -> Finding {
    let memory = !oom.is_empty();
    let mechanism = if memory { "memory-exhausted" } else { "common-workload" };
    let names: Vec<&str> = lost.iter().map(|(n, _)| n.meta.name.as_str()).collect();
    let limit = if unlimited.is_empty() { "" } else { " and has no memory limit" };
    let headline = format!(
        "{} nodes were lost one after another; {} ran on each of them{limit}",
        lost.len(),
        app.object
    );
    let places = lost.iter().map(|(node, since)| Evidence {
        at: Some(*since),
        ..evidence::field(
            node.meta.source,
            &node.meta.object(Kind::Node),
            "status.conditions[Ready]",
            format!("{:?}; {} was on it", node.ready().unwrap_or_default(), app.object),
        )
    });
    // A node is out of memory for a while before it is lost.
    let first_sign = oom.iter().filter_map(|e| e.at).chain(lost.first().map(|(_, at)| *at)).min();
    let mut finding = Finding::new(KIND.id, mechanism, app.object.clone(), headline)
        .since(first_sign)
        .evidence(oom.into_iter().take(3))
        .evidence(places)
        .impact(Impact {
            nodes: u32::try_from(lost.len()).unwrap_or(u32::MAX),
            ..Impact::default()
        });
    for node in &names {
        let object = ObjectRef::new(Kind::Node, "", node);
        finding = finding.affects(object, format!("lost with {} on it", app.object.name));
    }
    if let Some(container) = unlimited.first() {
        let field =
            format!("spec.template.spec.containers[{}].resources.limits.memory", container.name);
        finding = finding.field(field, "not set", "a limit well below a node's memory");
        finding.factors.push(Factor {
            failure: "limits-missing",
            object: app.object.clone(),
            role: Role::Contributing,
            why: "without a limit one container may take all memory of a node".into(),
        });
    }
    let alone = suspects.len() == 1;
    let certainty = match (alone, memory && !unlimited.is_empty(), lost.len() > 2) {
        (true, true, true) => return finding,
        (true, _, _) => Certainty::Likely,
        (false, _, _) => Certainty::Possible,
    };
    let look = format!("kubectl top pods -A --sort-by=memory | grep {}", app.object.name);
    finding.unsure(certainty, &["network-cut"], look)
}

/// Containers that may take all memory of a node.
fn exposed(now: &Snapshot, gaps: &mut Vec<Gap>) {
    for app in &now.apps {
        for container in unlimited(app) {
            let field = format!("containers[{}].resources.limits.memory", container.name);
            gaps.push(Gap {
                failure: KIND.id,
                object: app.object.clone(),
                field,
                why: "without a limit it may take all memory of its node".into(),
            });
        }
    }
}

/// A limit to begin with: twice what the container asks for, else an eighth of the smallest
/// node, so that no node can be taken by it. `None` when neither is known.
fn first_limit(container: &Container, now: &Snapshot) -> Option<String> {
    let asked = container.resources.requests.amount("memory");
    let nodes = now.nodes.iter().map(|n| n.allocatable.amount("memory"));
    let smallest = nodes.filter(|q| q.is_positive()).min();
    let mebibytes = match (asked.units() >> 20, smallest) {
        (asked @ 1.., _) => asked.saturating_mul(2),
        (_, Some(node)) => (node.units() >> 23).max(1),
        _ => return None,
    };
    Some(format!("{mebibytes}Mi"))
}

/// A limit to begin with for a container of a workload that has none.
pub(crate) fn limit_for(app: &App, container: &str, now: &Snapshot) -> Option<String> {
    let container = unlimited(app).into_iter().find(|c| c.name == container)?;
    first_limit(container, now)
}

/// The patch that sets a limit for the container that a gap names.
pub(crate) fn limit_patch(gap: &Gap, now: &Snapshot) -> Option<Patch> {
    let container = between(&gap.field, "ontainers[", "]")?;
    let limit = limit_for(now.app(&gap.object)?, container, now)?;
    edit::container_patch(gap, &format!("resources:\n  limits:\n    memory: {limit}"))
}

/// The step that sets a limit, for the first container that has none.
fn limit_step(finding: &Finding, now: &Snapshot) -> Step {
    let what = "Give it a memory limit before it is started again";
    let target = finding.object.for_kubectl();
    let container = now.app(&finding.object).and_then(|app| unlimited(app).into_iter().next());
    match container.and_then(|c| Some((c, first_limit(c, now)?))) {
        Some((c, limit)) => Step::change(
            what,
            format!("kubectl set resources {target} -c {} --limits=memory={limit}", c.name),
            format!("kubectl rollout undo {target}"),
        ),
        None => Step::advice(what),
    }
}

fn remedy(finding: &Finding, now: &Snapshot) -> Remedy {
    let target = finding.object.for_kubectl();
    let replicas = now.app(&finding.object).and_then(App::wanted).unwrap_or(1);
    Remedy {
        next: vec![
            Step::change(
                format!("Stop {} before the next node falls", finding.object),
                format!("kubectl scale {target} --replicas=0"),
                format!("kubectl scale {target} --replicas={replicas}"),
            ),
            Step::advice("Then bring the lost nodes back, one by one"),
            Step::look(
                "See what was changed in it last",
                format!("kubectl rollout history {target}"),
            ),
            limit_step(finding, now),
        ],
        do_not: vec![
            format!(
                "Do not terminate or replace the lost nodes while {} is alive: it moves on and \
                 takes the next node",
                finding.object.name
            ),
            "Do not trust dashboards that run on the same nodes".into(),
        ],
    }
}

fn prevent(gap: &Gap, now: &Snapshot) -> Option<Patch> {
    limit_patch(gap, now)
}

fn rehearse() -> Option<Scenario> {
    Some(Scenario {
        story: "A workload without a memory limit grows and takes node after node with it.",
        acts: vec![
            (0, Act::Apply(drill_deployment!("hog", replicas: 1, container: "image: 'hog:1'"))),
            (60, Act::GrowMemory { workload: "shop/hog", bytes_per_second: 64 << 20 }),
        ],
        found_within_seconds: 3600,
    })
}

#[cfg(test)]
mod tests;
