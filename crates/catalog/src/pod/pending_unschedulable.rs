//! `pod-pending-unschedulable`: a pod waits because no node may, can or wants to take it, or
//! because nobody looks for one.

use std::sync::Arc;

use model::record::{Meta, Phase, Pod};
use model::{
    Act, App, Certainty, Finding, Findings, Gap, Kind, ObjectRef, Patch, Quantity, Remedy,
    Scenario, Snapshot, Step,
};

use super::edit::spec_field;
use super::pending::absent;
use super::pending::cause::{self, Cause};
use super::pending::fit::{self, Demand};
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
        "deployment-rollout-failing",
        "hpa-pinned",
        "job-failing",
        "service-without-endpoints",
        "statefulset-update-stuck",
        "workload-dependency-failing",
    ],
    detect: Cluster(detect),
    exposed: exposed,
    remedy: remedy,
    prevent: prevent,
    rehearse: rehearse,
}

/// How long a node that is being added may take.
const SCALE_UP_SECONDS: i64 = 420;

/// A pod that is younger than this and of which nothing is known is simply new.
const NEW_SECONDS: i64 = 30;

fn detect(now: &Snapshot, findings: &mut Findings) {
    let strangers = strangers(now);
    let waiting = now.apps.iter().chain(&strangers).filter_map(|a| Waiting::of(a, now));
    let waiting: Vec<Waiting<'_>> = waiting.filter(|w| !is_helped(w, now, findings)).collect();
    now.apps.iter().for_each(|a| over(a, now, findings));
    if waiting.is_empty() {
        return;
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
    let selects = spec.is_none_or(|s| !s.node_selector.is_empty());
    let claims = !now.claims_of(waiting.app).is_empty();
    let all = [
        ("node-selector-unmatched", selects),
        ("taint-not-tolerated", true),
        ("claim-unbound", spec.is_none() || claims),
    ];
    let others: Vec<&'static str> = all.iter().filter(|(_, may)| *may).map(|(m, _)| *m).collect();
    let object = pod.meta.object(Kind::Pod);
    let look = format!("kubectl describe {}", object.for_kubectl());
    let state = evidence::field(pod.meta.source, &object, "status.phase", "Pending");
    Some(
        Finding::new(KIND.id, "insufficient-cpu", app.clone(), headline)
            .since(waiting.since(now))
            .unsure(Certainty::Possible, &others, look)
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
        .any(|e| evidence::last_time(e, now).is_some_and(|t| now.now.since(t) < SCALE_UP_SECONDS));
    if helped {
        let why = "a node is being added for its pods";
        findings.rule_out(KIND.id, waiting.app.object.clone(), why);
    }
    helped
}

/// Pods that had no node and have one now.
fn over(app: &App, now: &Snapshot, findings: &mut Findings) {
    let placed = app.running().filter(|p| !p.is_unscheduled() && !told::is_gated(p));
    let warned = placed.filter(|p| {
        let events = now.events_about(&p.meta.object(Kind::Pod));
        events.iter().any(told::is_refusal)
    });
    let count = warned.count();
    if count > 0 {
        let what = format!("{count} pods of {} once had no node", app.object);
        findings.stale(what, "they have one now");
    }
}

/// Workloads of pods that only events speak of.
fn strangers(now: &Snapshot) -> Vec<App> {
    let mut found: Vec<App> = Vec::new();
    for event in now.events.iter().filter(|e| told::is_refusal(e)) {
        let Some(about) = event.about.as_ref().filter(|o| o.kind == Kind::Pod) else { continue };
        let known = |a: &App| a.pods.iter().any(|p| p.meta.name == about.name);
        let seen = now.apps_in(&about.namespace).iter().any(known);
        let placed = now.events_about(about).iter().any(|e| e.reason == "Scheduled");
        if seen || placed || now.coverage.lists(Kind::Pod, &about.namespace) {
            continue;
        }
        let mut meta = Meta::default();
        meta.namespace.clone_from(&about.namespace);
        meta.name.clone_from(&about.name);
        meta.source = event.document;
        let pod = Arc::new(Pod { meta, phase: Phase::Pending, ..Pod::default() });
        let object = owner_by_name(about, now);
        match found.iter_mut().find(|a| a.object == object) {
            Some(app) if app.pods.iter().any(|p| p.meta.name == about.name) => {}
            Some(app) => app.pods.push(pod),
            None => {
                let known = now.app(&object);
                found.push(App {
                    workload: known.and_then(|a| a.workload.clone()),
                    sets: known.map(|a| a.sets.clone()).unwrap_or_default(),
                    pods: vec![pod],
                    object,
                });
            }
        }
    }
    let waits = |a: &App| a.running().any(Pod::is_unscheduled);
    found.retain(|a| !now.app(&a.object).is_some_and(waits));
    found
}

/// The workload that a pod's name tells: one that is known, else a Deployment's by its form.
fn owner_by_name(pod: &ObjectRef, now: &Snapshot) -> ObjectRef {
    let known = now.apps_in(&pod.namespace).iter().map(|a| &a.object);
    let parents = known.filter(|o| {
        o.kind != Kind::Pod
            && pod.name.strip_prefix(o.name.as_str()).is_some_and(|rest| rest.starts_with('-'))
    });
    if let Some(parent) = parents.max_by_key(|o| o.name.len()) {
        return parent.clone();
    }
    let hash = |t: &str, lengths: std::ops::RangeInclusive<usize>| {
        lengths.contains(&t.len())
            && t.bytes().all(|c| b"bcdfghjklmnpqrstvwxz0123456789".contains(&c))
    };
    let parts = pod.name.rsplit_once('-').and_then(|(set, end)| {
        let (name, template) = set.rsplit_once('-')?;
        (hash(end, 5..=5) && hash(template, 8..=10)).then_some(name)
    });
    parts.map_or_else(|| pod.clone(), |n| ObjectRef::new(Kind::Deployment, &pod.namespace, n))
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

fn remedy(finding: &Finding, now: &Snapshot) -> Remedy {
    let object = finding.object.for_kubectl();
    let value = finding.value.as_deref().unwrap_or_default();
    let expected = finding.expected.as_deref().unwrap_or_default();
    let edit = |what: String| Step::advice(what + ": kubectl edit " + &object);
    let next = match finding.mechanism {
        "node-cordoned" => uncordon(finding),
        "node-selector-unmatched" => relabel(finding, value, expected),
        "node-affinity-unmatched" => vec![
            Step::look("See the labels that nodes have", "kubectl get nodes --show-labels"),
            edit(format!("Change the rule `{value}` to one that nodes meet")),
        ],
        "taint-not-tolerated" => vec![
            Step::look(
                "See the taints of all nodes",
                "kubectl get nodes -o custom-columns=NAME:.metadata.name,TAINTS:.spec.taints",
            ),
            edit(format!("Add {expected}")),
            Step::advice("Or take the taint off the nodes, when nobody needs it any more"),
        ],
        "scheduler-absent" => scheduler(finding),
        "scheduler-name-unknown" => vec![edit(format!("Set schedulerName to {expected}"))],
        "scheduling-gated" => {
            vec![Step::advice("Ask who set the gate: it takes it away when its condition holds")]
        }
        "claim-unbound" => vec![Step::look(
            format!("See the claim {value}"),
            format!("kubectl describe pvc -n {} {value}", finding.object.namespace),
        )],
        m if m.starts_with("insufficient-") => room(finding, &object, expected),
        _ => vec![edit(format!("Make it {expected}"))],
    };
    let mut do_not = vec![
        "Do not delete the waiting pods: their successors wait for the same reason".to_owned(),
    ];
    match finding.mechanism {
        "node-selector-unmatched" | "node-affinity-unmatched" | "taint-not-tolerated" => {
            do_not.push("Do not add nodes of the same kind: they will not be taken either".into())
        }
        "node-cordoned" => do_not.push(
            "Do not uncordon a node before you know who cordoned it: it may be under repair".into(),
        ),
        _ => {}
    }
    let fallback = now.app(&finding.object).is_some_and(|a| a.sets.len() > 1);
    let mut next = next;
    if fallback && finding.object.kind == Kind::Deployment {
        let undo = format!("kubectl rollout undo {object}");
        next.push(Step::change("Or go back to the revision before", undo.clone(), undo));
    }
    Remedy { next, do_not }
}

fn uncordon(finding: &Finding) -> Vec<Step> {
    let own = Some(&finding.object).filter(|o| o.kind == Kind::Node);
    let nodes = own
        .into_iter()
        .chain(finding.affected.iter().map(|a| &a.object).filter(|o| o.kind == Kind::Node));
    nodes
        .map(|node| {
            Step::change(
                format!("Open {} again once its maintenance is over", node.name),
                format!("kubectl uncordon {}", node.name),
                format!("kubectl cordon {}", node.name),
            )
        })
        .collect()
}

/// Correct the selector where the value meant is known, else give a node the label.
fn relabel(finding: &Finding, value: &str, expected: &str) -> Vec<Step> {
    let look = Step::look("See the labels that nodes have", "kubectl get nodes --show-labels");
    let object = finding.object.for_kubectl();
    let field = finding.field.as_deref().unwrap_or_default();
    let Some((_, key)) = field.split_once("nodeSelector.") else {
        return vec![look, Step::advice(format!("Correct the selector: kubectl edit {object}"))];
    };
    let patch = |value: &str| {
        let selector = format!("{{\"nodeSelector\":{{\"{key}\":\"{value}\"}}}}");
        format!("kubectl patch {object} -p '{{\"spec\":{{\"template\":{{\"spec\":{selector}}}}}}}'")
    };
    let templated = field.starts_with("spec.template.");
    let meant = expected.split_once(" (as ").map(|(v, _)| v).filter(|_| templated);
    let mut steps = vec![look];
    steps.extend(
        meant.map(|m| Step::change(format!("Select {key}={m} instead"), patch(m), patch(value))),
    );
    steps.push(Step::change(
        "Or give the nodes that are meant for it the label",
        format!("kubectl label node NODE {key}={value}"),
        format!("kubectl label node NODE {key}-"),
    ));
    steps
}

fn scheduler(finding: &Finding) -> Vec<Step> {
    let unit = finding.evidence.iter().find_map(|e| e.field.split_once(" on ").map(|(_, n)| n));
    let look = "kubectl get pods -n kube-system -o wide | grep -i scheduler";
    let mut steps = vec![Step::look("See whether the scheduler runs", look)];
    match unit.filter(|n| !n.is_empty()) {
        Some(node) => steps.push(Step::change(
            format!("Start it again on {node}"),
            format!("ssh {node} sudo systemctl start kube-scheduler"),
            format!("ssh {node} sudo systemctl stop kube-scheduler"),
        )),
        None => steps.push(Step::advice(
            "Start it again: systemctl start kube-scheduler, or put its manifest back into \
             /etc/kubernetes/manifests",
        )),
    }
    steps
}

fn room(finding: &Finding, object: &str, expected: &str) -> Vec<Step> {
    let look = Step::look(
        "See what is left on each node",
        "kubectl describe nodes | grep -A8 'Allocated resources'",
    );
    let field = finding.field.as_deref().unwrap_or_default();
    let resource = field.rsplit('.').next().unwrap_or_default();
    let container = crate::wording::between(field, "ontainers[", "]").filter(|c| *c != "*");
    let amount = expected.strip_prefix("at most ").and_then(|e| e.split(',').next());
    let old = finding.value.as_deref().unwrap_or_default();
    let set = |amount: &str| {
        let names = container.map(|c| format!(" -c {c}")).unwrap_or_default();
        format!("kubectl set resources {object}{names} --requests={resource}={amount}")
    };
    let lower = match amount.filter(|a| *a != "0") {
        Some(amount) => Step::change(
            format!("Ask for less {resource}, as little as it needs"),
            set(amount),
            set(old),
        ),
        None => Step::advice(format!("Ask for less: kubectl edit {object}")),
    };
    vec![look, lower, Step::advice("Or add nodes, or scale down what is not needed now")]
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
            Act::Apply(
                "apiVersion: apps/v1\nkind: Deployment\n\
                 metadata: {name: press, namespace: shop}\n\
                 spec:\n  replicas: 2\n  selector: {matchLabels: {app: press}}\n\
                 \x20 template:\n    metadata: {labels: {app: press}}\n\
                 \x20   spec:\n      nodeSelector: {disk: nvme}\n      containers:\n\
                 \x20     - {name: main, image: 'reg.example/team/press:1.0'}\n",
            ),
        )],
        found_within_seconds: 60,
    })
}

#[cfg(test)]
mod tests;
