//! `node-disk-pressure`: the disk of a node is nearly full; its kubelet evicts pods for it.

use model::record::Node;
use model::{
    Act, App, Certainty, Finding, Findings, Forecast, Gap, Impact, Kind, Patch, Remedy, Risk,
    Scenario, Snapshot, State, Step,
};

use super::disk::{self, Culprit, Pressure};
use super::eviction_gc_clash;
use crate::observability::resource_alerts_missing::{self, Resource};
use crate::pod::edit::{self, container_field};
use crate::wording::between;
use crate::workload::{ephemeral_limit_missing, hostpath_used};

failure! {
    /// # A node runs out of disk
    ///
    /// ## Signs
    /// The node's DiskPressure is True; events NodeHasDiskPressure and EvictionThresholdMet,
    /// "Attempting to reclaim ephemeral-storage". Pods are evicted: "The node was low on
    /// resource: ephemeral-storage. Container x was using 10619440Ki, which exceeds its request
    /// of 0". The node is tainted, new pods stay away, and no image can be pulled.
    ///
    /// ## Why it happens
    /// Kubelet, logs and emptyDirs live on the node's file system (nodefs), images and the
    /// layers containers write to often on another (imagefs). Below 10 or 15 % the kubelet
    /// removes unused images, then evicts pods, those first that use most above what they
    /// requested. A container without a limit on ephemeral-storage may fill the disk of all.
    ///
    /// Who is evicted is not always who filled the disk: hostPath directories, the runtime's
    /// own files and the machine's logs are not freed by any eviction.
    ///
    /// ## What we do
    /// 1. Find who writes: the pod that used most, then directories of hostPath volumes, logs.
    /// 2. Stop it, or give it a limit on ephemeral-storage.
    /// 3. Then remove unused images. hostPath data must be removed by hand, by its owner.
    /// 4. Uncordon only when the condition has been away for five minutes.
    ///
    /// Do not remove evicted pods or restart the victims first: they come back to the same
    /// disk.
    ///
    /// ## How to avoid it
    /// Limits on ephemeral-storage for every container that writes, sizeLimit on emptyDirs,
    /// quotas, no hostPath, log rotation, and a disk that fits the images.
    ///
    /// ## Sources
    /// Kubernetes documentation, "Node-pressure eviction" and "Local ephemeral storage".
    id: "node-disk-pressure",
    mechanisms: {
        "container-writes": "a workload fills it with files of its containers",
        "disk-full": "its disk is full",
        "host-path-writes": "a workload fills a directory of the node",
        "inodes-exhausted": "it holds more files than its file system can count",
    },
    reads: [Node, Pod, Event, Deployment, StatefulSet, DaemonSet],
    leads_to: [
        "deployment-rollout-failing",
        "node-image-gc-failing",
        "node-not-ready",
        "node-unknown",
        "pod-crash-looping",
        "pod-evicted-storage",
        "pod-evicted-taint",
        "pod-image-pull-failing",
        "pod-pending-unschedulable",
        "pod-probe-failing",
        "pod-sandbox-failing",
        "service-without-endpoints",
    ],
    detect: Nodes(detect),
    exposed: exposed,
    remedy: remedy,
    prevent: prevent,
    rehearse: rehearse,
}

fn detect(node: &Node, now: &Snapshot, findings: &mut Findings) {
    let Some(pressure) = disk::pressure(node, now) else { return };
    if !pressure.holds {
        let object = node.meta.object(Kind::Node);
        let since = node.condition("DiskPressure").and_then(|c| c.since);
        let since = since.map(|t| format!(" since {t}")).unwrap_or_default();
        return findings.rule_out(KIND.id, object, format!("no disk pressure{since}"));
    }
    let culprit = disk::culprit(node, &pressure, now);
    let headline = headline(node, &culprit);
    let mut finding = with_culprit(KIND.id, headline, node, culprit, &pressure, now);
    if let Some(at) = pressure.clears_at {
        finding = finding.state(State::Recovering);
        let what = format!("node {} is free of the condition", node.meta.name);
        finding.forecast.push(Forecast { what, at });
    }
    findings.push(finding);
}

fn headline(node: &Node, culprit: &Culprit) -> String {
    let name = &node.meta.name;
    let object = &culprit.object;
    match culprit.mechanism {
        "container-writes" => {
            let bytes = disk::bytes_text(culprit.bytes);
            format!("node {name} runs out of disk: {object} wrote {bytes} into its containers")
        }
        "host-path-writes" => {
            format!("node {name} runs out of disk: {object} writes to a directory of the node")
        }
        mechanism => format!("node {name} runs out of disk: {}", KIND.meaning(mechanism)),
    }
}

/// A finding about a short disk, with who fills it, who suffers, and what was missing.
pub(super) fn with_culprit(
    id: &'static str,
    headline: String,
    node: &Node,
    culprit: Culprit,
    pressure: &Pressure<'_>,
    now: &Snapshot,
) -> Finding {
    let on_node = node.meta.object(Kind::Node);
    let mut finding = Finding::new(id, culprit.mechanism, culprit.object.clone(), headline)
        .since(pressure.since)
        .evidence(culprit.evidence)
        .evidence(pressure.signs.iter().filter_map(|s| s.evidence()))
        .impact(Impact { nodes: 1, ..Impact::default() });
    if culprit.object != on_node {
        finding = finding.affects(on_node, "short of disk: takes no pods, pulls no images");
    }
    finding = match now.app(&culprit.object) {
        Some(app) => name_field(finding, app, &culprit.container),
        None => finding.field("status.conditions[DiskPressure]", "True", "False"),
    };
    finding.factors.extend(resource_alerts_missing::factor(Resource::Disks, now));
    finding.factors.extend(eviction_gc_clash::factor(node, now));
    let mut evicted: Vec<(&model::ObjectRef, u32)> = Vec::new();
    for victim in disk::victims(node, now) {
        match evicted.iter_mut().find(|(app, _)| *app == &victim.app.object) {
            Some((_, count)) => *count += 1,
            None => evicted.push((&victim.app.object, 1)),
        }
    }
    for (app, count) in evicted {
        let pods = if count == 1 { "pod" } else { "pods" };
        finding = finding.affects(app.clone(), format!("{count} {pods} evicted from the node"));
    }
    if culprit.certainty < Certainty::Proven {
        finding = finding.unsure(culprit.certainty, culprit.alternatives, look(&node.meta.name));
    }
    finding
}

/// The field a person would edit so that the workload cannot do it again.
fn name_field(finding: Finding, app: &App, container: &str) -> Finding {
    if finding.mechanism == "host-path-writes" {
        let mut finding = finding;
        finding.factors.extend(hostpath_used::factor(app));
        return finding.field("spec.volumes.hostPath", "a directory of the node", "a claim");
    }
    let field = container_field(app, container, "resources.limits.ephemeral-storage");
    let known = app.spec().and_then(|s| crate::pod::edit::container(s, container));
    let limit = known.and_then(|c| c.resources.limits.get("ephemeral-storage"));
    let value = limit.map_or("not set".into(), |q| q.text("ephemeral-storage"));
    let mut finding = finding.field(field, value, "well below what the node has");
    finding.factors.extend(ephemeral_limit_missing::factor(app, container));
    finding
}

/// The command that shows what takes the space.
fn look(node: &str) -> String {
    format!("ssh {node} 'df -h; df -i; sudo du -xh -d2 /var/lib /var/log | sort -h | tail -n 20'")
}

/// Nodes that give pods nothing to count their use of disk by would never evict in time: the
/// missing limits of workloads are asked about by a kind of its own.
fn exposed(now: &Snapshot, gaps: &mut Vec<Gap>) {
    for app in &now.apps {
        let spec = app.spec().filter(|_| app.shows_spec());
        let scratch = |c: &model::record::Container| {
            let asked = c.resources.limits.get("ephemeral-storage").is_none();
            let used = app.pods.iter().any(|p| p.is_finished() && is_victim(p));
            asked && used
        };
        for c in spec.into_iter().flat_map(|s| s.containers.iter()).filter(|c| scratch(c)) {
            gaps.push(Gap {
                failure: KIND.id,
                object: app.object.clone(),
                field: container_field(app, &c.name, "resources.limits.ephemeral-storage"),
                why: "it was evicted for its disk use before and may fill a node again".into(),
            });
        }
    }
}

fn is_victim(pod: &model::record::Pod) -> bool {
    pod.why.as_ref().is_some_and(|w| crate::wording::is_disk_eviction(&w.1))
}

fn remedy(finding: &Finding, now: &Snapshot) -> Remedy {
    steps(finding, now)
}

/// What is done about a full disk: the writer first, then images.
pub(super) fn steps(finding: &Finding, now: &Snapshot) -> Remedy {
    let on_node = |o: &&model::ObjectRef| o.kind == Kind::Node;
    let affected = finding.affected.iter().map(|a| &a.object);
    let node = std::iter::once(&finding.object).chain(affected).find(on_node);
    let node = node.map_or("NODE", |o| o.name.as_str());
    let mut next = vec![Step::look("See what takes the space", look(node))];
    if let Some(app) = now.app(&finding.object) {
        next.extend(stop(finding, app));
    }
    next.push(Step {
        what: "Then remove images that no container uses".into(),
        command: Some(format!("ssh {node} sudo crictl rmi --prune")),
        risk: Risk::Disruptive,
        undo: None,
    });
    next.push(Step::advice(
        "Data in hostPath directories is freed by nobody else: let its owner move or delete it",
    ));
    Remedy {
        next,
        do_not: vec![
            "Do not restart or delete the evicted pods first: they were victims, and come back \
             to the same disk"
                .into(),
            "Do not delete below /var/lib/kubelet or the runtime's directory by hand".into(),
        ],
    }
}

/// Stops the workload that writes, or bounds it.
fn stop(finding: &Finding, app: &App) -> Vec<Step> {
    let target = app.object.for_kubectl();
    let container = finding.field.as_deref().and_then(|f| between(f, "ontainers[", "]"));
    let mut steps = Vec::new();
    let scales = matches!(app.object.kind, Kind::Deployment | Kind::StatefulSet);
    if let (Some(container), true) = (container.filter(|c| *c != "*"), scales) {
        steps.push(Step::change(
            "Give it a limit: it is then evicted by itself, before the node is short",
            format!("kubectl set resources {target} -c {container} --limits=ephemeral-storage=2Gi"),
            format!("kubectl set resources {target} -c {container} --limits=ephemeral-storage=0"),
        ));
    } else if scales {
        let replicas = app.wanted().unwrap_or(1);
        steps.push(Step::change(
            format!("Stop {} until it writes elsewhere", app.object),
            format!("kubectl scale {target} --replicas=0"),
            format!("kubectl scale {target} --replicas={replicas}"),
        ));
    }
    steps
}

fn prevent(gap: &Gap, _: &Snapshot) -> Option<Patch> {
    edit::container_patch(gap, "resources:\n  limits:\n    ephemeral-storage: 2Gi")
}

fn rehearse() -> Option<Scenario> {
    let act = "A container of shop/catalog writes 200 MB a second into its own file system.";
    Some(Scenario {
        story: "A workload without a limit fills the disk of its node.",
        acts: vec![(60, Act::Unmodelled(act))],
        found_within_seconds: 900,
    })
}

#[cfg(test)]
mod tests;
