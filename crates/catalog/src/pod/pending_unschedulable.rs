//! `pod-pending-unschedulable`: a pod waits because no node may, can or wants to take it, or
//! because nobody looks for one.

use std::collections::BTreeSet;

use model::record::PodSpec;
use model::{
    Act, App, Certainty, Finding, Findings, Gap, Kind, ObjectRef, Patch, Quantity, Scenario,
    Snapshot,
};

use super::edit::spec_field;
use super::pending::absent;
use super::pending::cause::{self, Cause};
use super::pending::fit::{self, Demand};
use super::pending::full;
use super::pending::strangers;
use super::pending::supply::Supply;
use super::pending::told::{self, Waiting};
use crate::evidence;

failure! {
    /// # A pod waits and no node takes it
    ///
    /// ## Signs
    /// The pod is `Pending` and has no node. `kubectl describe pod` shows `FailedScheduling`
    /// with a line such as "0/5 nodes are available: 1 node(s) were unschedulable, 4
    /// Insufficient cpu." Each node is counted once, under the first test that it failed.
    ///
    /// ## Why it happens
    /// The scheduler tests every node: is it cordoned, does it have a taint that the pod does
    /// not tolerate, does it have the labels that the pod's selector and affinity want, is
    /// the host port free, is enough cpu, memory and so on left, can its volumes be used
    /// there. "Left" means allocatable less the sum of requests: what pods really use does
    /// not count.
    ///
    /// A node of the control plane that is cordoned or tainted at all times is no reason. What
    /// counts is what keeps the pod from the nodes that could otherwise take it: with "1
    /// node(s) were unschedulable, 3 node(s) didn't match Pod's node affinity/selector" that
    /// is the selector, when the one node is the master.
    ///
    /// A pod that has no event at all after some seconds was not looked at: its scheduler is
    /// down, or its `schedulerName` names one that does not exist.
    ///
    /// ## What we do
    /// 1. Read the last `FailedScheduling` message.
    /// 2. Compare the pod's selector, affinity and tolerations with labels and taints of the
    ///    nodes, and its requests with what is left on them.
    /// 3. Correct the side that is wrong: the workload, or the node.
    /// 4. Waiting for a claim? Then look at the claim, not at the nodes.
    ///
    /// ## How to avoid it
    /// Keep labels and taints of nodes with the pool they belong to, so that new nodes have
    /// them too. Keep requests near the real use. Uncordon after maintenance. Keep room for
    /// the loss of one node.
    ///
    /// ## Sources
    /// Kubernetes documentation, "Assigning Pods to Nodes", "Taints and Tolerations" and
    /// "Scheduling Framework".
    id: "pod-pending-unschedulable",
    mechanisms: {
        "node-selector-unmatched": "no node has the labels that its node selector wants",
        "node-affinity-unmatched": "no node meets its node affinity",
        "pod-affinity-unmatched": "the pods it must be beside are not there",
        "pod-anti-affinity-unmatched": "pods it must not be beside are on every node",
        "taint-not-tolerated": "it does not tolerate the taints of the nodes",
        "node-cordoned": "the nodes it could run on are cordoned",
        "insufficient-cpu": "no node has enough cpu left",
        "insufficient-memory": "no node has enough memory left",
        "insufficient-ephemeral-storage": "no node has enough local disk left",
        "insufficient-pods": "the nodes hold as many pods as they may",
        "insufficient-extended-resource": "no node has enough of a special resource left",
        "host-port-taken": "the port it takes on a node is taken on every node",
        "topology-spread-unsatisfiable": "its pods cannot be spread as its rule wants",
        "volume-node-conflict": "its volume can only be used on nodes that cannot take it",
        "volume-limit-reached": "the nodes hold as many volumes as they may",
        "claim-unbound": "a claim that it mounts is not bound or does not exist",
        "scheduling-gated": "a gate holds it back from scheduling",
        "scheduler-name-unknown": "the scheduler that it names does not exist",
        "scheduler-absent": "the scheduler does not act",
    },
    reads: [Pod, Node, Event, Deployment, ReplicaSet, StatefulSet, DaemonSet, Job,
        PersistentVolumeClaim, PersistentVolume, StorageClass],
    leads_to: [
        "control-plane-degraded",
        "deployment-rollout-failing",
        "hpa-blind",
        "hpa-pinned",
        "job-failing",
        "pdb-blocking/pods-unhealthy",
        "service-without-endpoints",
        "slo-burning",
        "statefulset-update-stuck/new-pod-unready",
        "webhook-deadlock",
        "workload-dependency-failing",
    ],
    detect: Cluster(detect),
    exposed: exposed,
    remedy: super::pending::remedy::of,
    prevent: prevent,
    rehearse: rehearse,
}

/// How long a node that is being added may take.
const SCALE_UP_SECONDS: i64 = 420;

/// A pod that is younger than this and of which nothing is known is simply new.
const NEW_SECONDS: i64 = 30;

fn detect(now: &Snapshot, findings: &mut Findings) {
    let refusals = now.events_where(told::is_refusal).into_iter();
    let refused: BTreeSet<&ObjectRef> = refusals.filter_map(|e| e.about.as_ref()).collect();
    let strangers = if refused.is_empty() { Vec::new() } else { strangers::of(now) };
    let known = now.apps_where(|a, _| a.running().any(told::waits));
    let waiting = known.into_iter().chain(&strangers).filter_map(|a| Waiting::of(a, now));
    let waiting: Vec<Waiting<'_>> = waiting.filter(|w| !is_helped(w, now, findings)).collect();
    let once = |a: &App, now: &Snapshot| {
        let placed = a.running().filter(|p| !told::waits(p));
        placed.flat_map(|p| now.pod_events(p)).any(told::is_refusal)
    };
    now.apps_where(once).into_iter().for_each(|app| over(app, &refused, findings));
    if waiting.is_empty() {
        return full::report(KIND.id, now, findings);
    }
    let supply = Supply::of(now);
    let (untouched, told): (Vec<_>, Vec<_>) =
        waiting.into_iter().partition(|w| absent::is_untouched(w, now));
    let rest = absent::report(KIND.id, untouched, now, findings);
    let mut found: Vec<Finding> = Vec::new();
    for waiting in told.iter().chain(&rest) {
        let next = match cause::of(waiting, now, &supply) {
            Some(cause) => Some(finding(waiting, cause, now)),
            None => unclear(waiting, now),
        };
        let Some(next) = next else { continue };
        let same = |f: &&mut Finding| f.object == next.object && f.mechanism == next.mechanism;
        match found.iter_mut().find(same) {
            Some(known) => {
                known.affected.extend(next.affected);
                known.evidence.extend(next.evidence);
                known.impact = known.impact.plus(next.impact);
            }
            None => found.push(next),
        }
    }
    findings.found.extend(found);
}

fn finding(waiting: &Waiting<'_>, cause: Cause, now: &Snapshot) -> Finding {
    let app = &waiting.app.object;
    let headline = format!("{app} cannot be scheduled: {}", cause.why);
    let mut finding = Finding::new(KIND.id, cause.mechanism, cause.object, headline)
        .since(waiting.since(now))
        .role(cause.role)
        .evidence(cause.evidence)
        .affects(app.clone(), waiting.count())
        .impact(absent::lost(waiting));
    if let Some((field, value, expected)) = cause.field {
        finding = finding.field(field, value, expected);
    }
    if cause.certainty < Certainty::Proven {
        let pod = waiting.pods.first().map(|p| p.meta.object(Kind::Pod).for_kubectl());
        let look = format!("kubectl describe {}", pod.unwrap_or_default());
        finding = finding.unsure(cause.certainty, &cause.alternatives, look);
    }
    if cause.mechanism == "node-cordoned" {
        let others = cause.nodes.iter().filter(|n| **n != finding.object).cloned();
        let others: Vec<ObjectRef> = others.collect();
        for node in others {
            finding = finding.affects(node, "cordoned");
        }
    }
    finding.factors = cause.factors;
    finding
}

/// Nothing says why: the likeliest reasons, and the command that tells.
fn unclear(waiting: &Waiting<'_>, now: &Snapshot) -> Option<Finding> {
    let pod = waiting.pods.first()?;
    if told::created(pod, now).is_some_and(|c| now.now.since(c) < NEW_SECONDS) {
        return None;
    }
    let app = &waiting.app.object;
    let headline = format!("{app} has pods without a node; the input does not say why");
    let spec = waiting.spec.as_ref();
    let special = |s: &PodSpec| fit::resources_of(s).into_iter().any(|r| r.contains('/'));
    let claims = !now.claims_of(waiting.app).is_empty();
    // What it asks for beyond the usual is the likelier reason.
    let all = [
        ("insufficient-extended-resource", spec.is_some_and(special)),
        ("node-selector-unmatched", spec.is_some_and(|s| !s.node_selector.is_empty())),
        ("insufficient-cpu", true),
        ("node-selector-unmatched", spec.is_none()),
        ("taint-not-tolerated", true),
        ("claim-unbound", spec.is_none() || claims),
    ];
    let mut may = all.iter().filter(|(_, may)| *may).map(|(mechanism, _)| *mechanism);
    let likeliest = may.next()?;
    let is_special = likeliest == "insufficient-extended-resource";
    // Of all that a pod asks for, a device is what most nodes have none of.
    let (certainty, most) =
        if is_special { (Certainty::Likely, 1) } else { (Certainty::Possible, usize::MAX) };
    let others: Vec<&'static str> = may.filter(|m| *m != likeliest).take(most).collect();
    let object = pod.meta.object(Kind::Pod);
    let look = format!("kubectl describe {}", object.for_kubectl());
    let state = evidence::field(pod.meta.source, &object, "status.phase", "Pending");
    Some(
        Finding::new(KIND.id, likeliest, app.clone(), headline)
            .since(waiting.since(now))
            .unsure(certainty, &others, look)
            .evidence(waiting.told.as_ref().map(|t| t.evidence.clone()))
            .evidence([state])
            .affects(app.clone(), waiting.count())
            .impact(absent::lost(waiting)),
    )
}

/// Whether a node is being added for the pods already.
fn is_helped(waiting: &Waiting<'_>, now: &Snapshot, findings: &mut Findings) -> bool {
    let events = waiting.app.pod_events(now);
    let helped = events
        .filter(|e| matches!(e.reason.as_str(), "TriggeredScaleUp" | "Nominated"))
        .any(|e| evidence::is_recent(e, now, SCALE_UP_SECONDS));
    if helped {
        let why = "a node is being added for its pods";
        findings.rule_out(KIND.id, waiting.app.object.clone(), why);
    }
    helped
}

/// Pods that had no node and have one now.
fn over(app: &App, refused: &BTreeSet<&ObjectRef>, findings: &mut Findings) {
    let placed = app.running().filter(|p| !told::waits(p));
    let count = placed.filter(|p| refused.contains(&p.meta.object(Kind::Pod))).count();
    if count > 0 {
        let what = format!("{count} pods of {} once had no node", app.object);
        findings.stale(what, "they have one now");
    }
}

/// Workloads whose next pod would find no node: what they want no node has.
fn exposed(now: &Snapshot, gaps: &mut Vec<Gap>) {
    let supply = Supply::of(now);
    let largest = |resource: &str| now.nodes.iter().map(|n| n.allocatable.amount(resource)).max();
    for app in &now.apps {
        let Some(spec) = app.spec().filter(|_| app.lost_replicas() == 0) else { continue };
        let mut gap = |field: &str, why: String| {
            let field = spec_field(app, field);
            gaps.push(Gap { failure: KIND.id, object: app.object.clone(), field, why });
        };
        let choosy = !spec.node_selector.is_empty()
            || spec.affinity.as_ref().is_some_and(|a| !a.nodes.is_empty());
        if choosy && app.object.kind != Kind::DaemonSet {
            let demand = Demand { spec, namespace: &app.object.namespace, daemon: false };
            let fits = fit::of(&demand, now, &supply);
            if !fits.is_empty() && fits.iter().all(|f| f.labels_known && !f.is_wanted()) {
                let why = "no node has the labels it wants: its next pod finds none";
                gap("nodeSelector", why.into());
            }
        }
        for resource in ["cpu", "memory"] {
            let asked = spec.requests(resource);
            let most = largest(resource).filter(|m| *m > Quantity::ZERO && asked > *m);
            if let Some(most) = most {
                let why = format!(
                    "it asks for {} of {resource}, the largest node has {}",
                    asked.text(resource),
                    most.text(resource)
                );
                gap("containers[*].resources.requests", why);
            }
        }
    }
}

/// Which labels, taints and requests are right only their owner knows.
fn prevent(_: &Gap, _: &Snapshot) -> Option<Patch> {
    None
}

fn rehearse() -> Option<Scenario> {
    Some(Scenario {
        story: "A workload selects nodes by a label that none has.",
        acts: vec![(
            20,
            Act::Apply(drill_deployment!(
                "press",
                replicas: 2,
                container: "image: 'reg.example/team/press:1.0'",
                pod: "nodeSelector: {disk: nvme}"
            )),
        )],
        found_within_seconds: 60,
    })
}

#[cfg(test)]
mod tests;
