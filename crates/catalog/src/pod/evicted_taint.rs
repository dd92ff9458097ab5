//! `pod-evicted-taint`: a taint on a node takes pods away.

use model::record::{ClusterEvent, Node, Pod, Taint};
use model::{
    Act, App, Evidence, Finding, Findings, Gap, Impact, Kind, ObjectRef, Patch, Remedy, Role,
    Scenario, Snapshot, State, Step,
};

use crate::evidence;
use crate::wording;

failure! {
    /// # Pods were taken away by a taint
    ///
    /// ## Signs
    /// Events `TaintManagerEviction`, "Marking for deletion Pod shop/web"; since 1.26 the pod
    /// has the condition `DisruptionTarget` with the reason `DeletionByTaintManager`. The node
    /// has a taint with the effect `NoExecute`.
    ///
    /// ## Why it happens
    /// Such a taint acts on pods that already run: those that do not tolerate it are deleted,
    /// those that tolerate it for a time are deleted after it. The control plane puts it on by
    /// itself when a node is not ready or not reachable; pods bear that for five minutes unless
    /// they say otherwise. Everything else was put on by a person or a tool: to set a node
    /// apart, to empty it, or by mistake on too many nodes at once.
    ///
    /// ## What we do
    /// 1. Read the taint's key: who puts it on?
    /// 2. Of the control plane: the lost node is the cause; see `node-unknown`.
    /// 3. Of a person: was it meant? Take it off, or let the workload tolerate it.
    /// 4. Where do the pods go? If the other nodes have no room, they wait.
    ///
    /// ## How to avoid it
    /// Empty nodes with `kubectl drain`: it respects disruption budgets, taints do not. Let
    /// system workloads tolerate every taint. Put taints on by node group, with a review.
    ///
    /// ## Sources
    /// Kubernetes documentation, "Taints and Tolerations" and "Disruptions".
    id: "pod-evicted-taint",
    mechanisms: {
        "tainted-by-person": "somebody put a taint on the node that its pods do not tolerate",
        "node-lost": "the control plane lost the node and took its pods away",
        "out-of-service": "the node was declared to be out of service",
    },
    reads: [Node, Pod, Event, Deployment, ReplicaSet, StatefulSet, DaemonSet],
    leads_to: [
        "pod-crash-avalanche",
        "pod-pending-unschedulable",
        "pod-terminating-stuck",
        "service-without-endpoints",
        "workload-dependency-failing",
    ],
    detect: Nodes(detect),
    exposed: exposed,
    remedy: remedy,
    prevent: prevent,
    rehearse: rehearse,
}

/// How long ago a pod may have been taken away and still matter, in seconds.
const RECENT_SECONDS: i64 = 3600;

fn detect(node: &Node, now: &Snapshot, findings: &mut Findings) {
    let object = node.meta.object(Kind::Node);
    let mut gone: Vec<(&ObjectRef, usize, Evidence)> = Vec::new();
    for (app, pod) in now.on_node(&node.meta.name) {
        let Some(fact) = taken(pod, now) else { continue };
        match gone.last_mut().filter(|(known, ..)| *known == app) {
            Some((_, count, last)) => {
                *count += 1;
                if fact.at >= last.at {
                    *last = fact;
                }
            }
            None => gone.push((app, 1, fact)),
        }
    }
    let Some(taint) =
        node.taints.iter().filter(|t| t.effect == "NoExecute").min_by_key(|t| rank(t))
    else {
        if !gone.is_empty() {
            findings
                .stale(format!("a taint took pods off node {object}"), "the node has it no more");
        }
        return;
    };
    let mechanism = mechanism(taint);
    if gone.is_empty() {
        return;
    }
    let lost = |(app, ..): &(&ObjectRef, usize, Evidence)| now.app(app).map(App::lost_replicas);
    let lost: u32 = gone.iter().filter_map(lost).fold(0, u32::saturating_add);
    let last = gone.iter().filter_map(|(.., f)| f.at).max();
    let recent = last.is_none_or(|at| now.now.since(at) <= RECENT_SECONDS);
    if lost == 0 {
        let why = format!("taint {} moved its pods, and they run elsewhere", taint.text());
        return if recent {
            findings.rule_out(KIND.id, object, why)
        };
    }
    let pods: usize = gone.iter().map(|(_, n, _)| n).sum();
    let text = taint.text();
    let headline = match mechanism {
        "tainted-by-person" => format!("taint {text} on node {object} took {pods} pods away"),
        _ => format!("{pods} pods were taken off node {object}: {}", KIND.meaning(mechanism)),
    };
    let field = format!("spec.taints[{}]", taint.key);
    let since = taint.time_added.or(gone.iter().filter_map(|(.., f)| f.at).min());
    let fact = evidence::field(node.meta.source, &object, field.clone(), text.clone());
    let mut finding = Finding::new(KIND.id, mechanism, object, headline)
        .field(field, text, "no such taint, or pods that tolerate it")
        .since(since)
        .evidence([Evidence { at: taint.time_added, ..fact }])
        .evidence(gone.iter().take(3).map(|(.., f)| f.clone()))
        .impact(Impact { replicas: lost, ..Impact::default() })
        .state(State::Active);
    if mechanism == "node-lost" {
        finding.role = Role::Symptom;
    }
    for (app, n, _) in gone {
        finding = finding.affects(app.clone(), format!("{n} pods taken away"));
    }
    findings.push(finding);
}

/// That a taint takes or took a pod away.
fn taken(pod: &Pod, now: &Snapshot) -> Option<Evidence> {
    let object = pod.meta.object(Kind::Pod);
    let reason = |r: &str| wording::TAINT_REASONS.contains(&r);
    let condition =
        pod.conditions.iter().find(|c| c.kind == "DisruptionTarget" && reason(c.reason()));
    if let Some(condition) = condition {
        return Some(evidence::condition(pod.meta.source, &object, condition));
    }
    let told = |e: &&ClusterEvent| {
        reason(&e.reason) && e.message.to_ascii_lowercase().contains("marking for deletion")
    };
    let events = now.events_about(&object);
    let at = events.iter().rposition(|e| told(&e))?;
    let cancelled = |e: &ClusterEvent| {
        reason(&e.reason) && e.message.to_ascii_lowercase().contains("cancelling deletion")
    };
    let after = events.iter().rposition(cancelled);
    events.get(at).filter(|_| after < Some(at)).and_then(|e| evidence::event(e, now))
}

/// Taints of a person say more than those of the control plane.
fn rank(taint: &Taint) -> (u8, &str) {
    let order = match mechanism(taint) {
        "node-lost" => 2,
        "out-of-service" => 1,
        _ => 0,
    };
    (order, taint.key.as_str())
}

fn mechanism(taint: &Taint) -> &'static str {
    match taint.key.as_str() {
        "node.kubernetes.io/out-of-service" => "out-of-service",
        key if key.starts_with("node.kubernetes.io/") => "node-lost",
        key if key.starts_with("node.cloudprovider.kubernetes.io/") => "node-lost",
        _ => "tainted-by-person",
    }
}

/// Workloads that leave a node at once when it is out of reach for a moment.
fn exposed(now: &Snapshot, gaps: &mut Vec<Gap>) {
    for app in now.apps.iter().filter(|a| a.object.kind != Kind::DaemonSet) {
        let shown = app.workload.as_ref().is_some_and(|w| w.meta.shows(model::record::Known::SPEC));
        let Some(spec) = app.spec().filter(|_| shown) else { continue };
        let lost =
            |k: &str| k == "node.kubernetes.io/unreachable" || k == "node.kubernetes.io/not-ready";
        let short = spec
            .tolerations
            .iter()
            .find(|t| lost(&t.key) && t.toleration_seconds.is_some_and(|s| s < 30));
        if let Some(toleration) = short {
            gaps.push(Gap {
                failure: KIND.id,
                object: app.object.clone(),
                field: super::edit::spec_field(app, "tolerations"),
                why: format!(
                    "it leaves a node {} s after it is out of reach: every short outage moves it",
                    toleration.toleration_seconds.unwrap_or(0)
                ),
            });
        }
    }
}

fn remedy(finding: &Finding, _: &Snapshot) -> Remedy {
    let node = &finding.object.name;
    let taint = finding.value.as_deref().unwrap_or_default();
    let mut next = vec![Step::look(
        "See the taints of all nodes",
        "kubectl get nodes -o custom-columns=NODE:.metadata.name,TAINTS:.spec.taints[*].key",
    )];
    if finding.mechanism == "node-lost" {
        next.push(Step::look("See why the node is lost", format!("kubectl describe node {node}")));
    } else {
        next.push(Step::change(
            "Take the taint off, if it was not meant",
            format!("kubectl taint node {node} {taint}-"),
            format!("kubectl taint node {node} {taint}"),
        ));
        next.push(Step::advice("Or let the workloads that belong there tolerate it"));
    }
    let do_not = match finding.mechanism {
        "node-lost" => {
            "Do not take the taint off: the control plane puts it on again while the node is lost"
        }
        "out-of-service" => {
            "Do not take the taint off while the machine may run: its volumes are in use elsewhere"
        }
        _ => "Do not delete the waiting pods: they need a node that takes them, not a new start",
    };
    Remedy { next, do_not: vec![do_not.into()] }
}

/// How long an outage is to be borne is a decision, not a patch.
fn prevent(_: &Gap, _: &Snapshot) -> Option<Patch> {
    None
}

fn rehearse() -> Option<Scenario> {
    Some(Scenario {
        story: "Somebody puts a taint on a node that its pods do not tolerate.",
        acts: vec![(10, Act::Unmodelled("worker-1 is tainted maintenance=true:NoExecute"))],
        found_within_seconds: 120,
    })
}

#[cfg(test)]
mod tests;
