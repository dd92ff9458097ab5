//! `service-unreachable-by-client`: a Service is as it should be, and its clients get no or
//! only late answers: the way between them is at fault.

use std::collections::BTreeSet;

use model::{
    Act, Certainty, Evidence, Finding, Findings, Gap, Kind, ObjectRef, Patch, Remedy, Risk,
    Scenario, Snapshot, Step,
};

use crate::dependency::complaint;
use crate::dependency::resolver;
use crate::pod::edit::{namespace_option, spec_field};
use crate::slow::calls::Calls;
use crate::slow::explain::{self, Explanation, Place};
use crate::slow::members;

failure! {
    /// # The way from clients to a Service is slow or closed
    ///
    /// ## Signs
    /// All pods run and are ready, Services have endpoints, no event tells of anything. Latency
    /// of several workloads grows at once, or answers get lost. Or one workload alone cannot
    /// resolve the names of Services that all others reach.
    ///
    /// ## Why it happens
    /// Latency travels upwards: whoever calls a slow workload is slow, and so are its own
    /// callers. Alerts name all of them. The culprit is the deepest slow one whose own
    /// dependencies are fast, or the one that all slow ones have below them. When it has enough
    /// processor and memory, it is the network of its pods: a delay costs every request the
    /// same; lost packets are sent again after a fifth of a second or more and cost only some.
    ///
    /// Names of Services resolve only where a pod asks the cluster's DNS. With the DNS policy
    /// `Default`, or on the node's network without `ClusterFirstWithHostNet`, it asks the
    /// resolver of the node, which does not know them.
    ///
    /// ## What we do
    /// 1. Draw the calls: who has whose address in its settings.
    /// 2. Strike out those whose own dependencies are slow: they are victims.
    /// 3. On the one that is left, look at processor and memory first, then at the interface
    ///    of its pod: queue rules, dropped and resent packets.
    /// 4. Move the pod to another node. If it gets well, the node or its link is at fault.
    ///
    /// Do not scale the victims: they wait, they do not work.
    ///
    /// ## How to avoid it
    /// Measure latency at both ends of each call. Give every call a time limit, and the retries
    /// of all hops together a budget. Leave the DNS policy alone.
    ///
    /// ## Sources
    /// Kubernetes documentation, "Debug Services" and "DNS for Services and Pods"; the manual
    /// page tc-netem; RFC 6298 on the time before packets are sent again.
    id: "service-unreachable-by-client",
    mechanisms: {
        "network-delay": "packets to and from its pods take too long",
        "network-loss": "packets to and from its pods get lost",
        "name-unresolved": "its pods do not ask the DNS of the cluster",
    },
    reads: [Pod, Deployment, StatefulSet, DaemonSet, Service],
    leads_to: [
        "workload-dependency-failing",
        "pod-crash-looping",
        "pod-probe-failing",
        "slo-burning",
    ],
    detect: Cluster(detect),
    exposed: exposed,
    remedy: remedy,
    prevent: prevent,
    rehearse: rehearse,
}

fn detect(now: &Snapshot, findings: &mut Findings) {
    let mut complaints = complaint::all(now);
    complaints.retain(|c| !c.is_over && c.is_heard());
    for wrong in resolver::outside(now) {
        let unnamed = complaints
            .iter()
            .filter(|c| c.class == complaint::Class::Name && c.app.object == wrong.app.object);
        let facts: Vec<Evidence> = unnamed.map(|c| c.evidence.clone()).collect();
        if !facts.is_empty() || wrong.app.lost_replicas() > 0 {
            findings.push(asks_elsewhere(&wrong, facts));
        }
    }
    let members = members::all(now, &complaints);
    if members.is_empty() {
        return;
    }
    let calls = Calls::of(now, &complaints);
    if let Some(e) = explain::explain(&members, &calls, now)
        && let Place::App(culprit) = e.place
        && let Some(app) = now.apps.get(culprit)
    {
        let object = app.object.clone();
        let others = e.slow.len() - usize::from(e.slow.contains(&culprit));
        let what = if e.is_loss { "packets get lost" } else { "packets take too long" };
        let seen = match (e.slow.contains(&culprit), others) {
            (true, 0) => "its latency grew, that of what it calls did not".to_owned(),
            (true, n) => format!("it is slow and so are {n} above it, what it calls is not"),
            (false, n) => format!("{n} slow workloads have it below them"),
        };
        let or = rival(&e, now).map(|r| format!(" (or: {r})")).unwrap_or_default();
        let headline = format!("Calls to and from {object} are slow, {what}: {seen}{or}");
        findings.push(slow_finding(KIND.id, &e, object, headline, now, &members));
    }
}

/// The other place that fits as well, in words.
pub(crate) fn rival(e: &Explanation, now: &Snapshot) -> Option<String> {
    match e.rival.as_ref()? {
        Place::App(i) => now.apps.get(*i).map(|a| a.object.to_string()),
        Place::Node(node) => Some(format!("the network of node {node}")),
    }
}

/// A finding about the place that explains who is slow.
pub(crate) fn slow_finding(
    id: &'static str,
    e: &Explanation,
    object: ObjectRef,
    headline: String,
    now: &Snapshot,
    members: &std::collections::BTreeMap<usize, members::Member<'_>>,
) -> Finding {
    let mechanism = if e.is_loss { "network-loss" } else { "network-delay" };
    let slow = || e.slow.iter().filter_map(|i| members.get(i));
    let mut by_growth: Vec<&members::Member<'_>> = slow().collect();
    by_growth.sort_by(|a, b| b.times.total_cmp(&a.times));
    let mut finding = Finding::new(id, mechanism, object.clone(), headline)
        .since(slow().filter_map(|m| m.since).min())
        .evidence(by_growth.iter().flat_map(|m| m.evidence.iter().take(1).cloned()).take(6));
    for member in &by_growth {
        let how = match (member.fails, member.times) {
            (true, _) => "answers get lost".to_owned(),
            (_, t) if t > 1.05 => format!("{t:.1} times its latency of before"),
            _ => "slow".to_owned(),
        };
        finding = finding.affects(member.app.object.clone(), how);
    }
    let sure = match (&e.rival, e.knows_calls) {
        (None, true) => Certainty::Likely,
        _ => Certainty::Possible,
    };
    let pods: BTreeSet<&str> = now
        .app(&object)
        .into_iter()
        .flat_map(|a| a.running())
        .map(|p| p.meta.name.as_str())
        .collect();
    let look = match (object.kind, pods.first()) {
        (Kind::Node, _) => format!(
            "kubectl debug node/{} -it --image=busybox -- sh -c 'ip -s link; tc qdisc show'",
            object.name
        ),
        (_, Some(pod)) => format!(
            "kubectl exec{} {pod} -- sh -c 'ip -s link; tc qdisc show'",
            namespace_option(&object.namespace)
        ),
        _ => format!("kubectl top pod{} --containers", namespace_option(&object.namespace)),
    };
    let others: &[&str] = match (object.kind, e.is_loss) {
        (Kind::Node, true) => &["network-delay"],
        (Kind::Node, false) => &["network-loss"],
        _ => &["dependency-slow"],
    };
    finding.unsure(sure, others, look)
}

fn asks_elsewhere(wrong: &resolver::Outside<'_>, facts: Vec<Evidence>) -> Finding {
    let object = wrong.app.object.clone();
    let headline = format!(
        "{object} calls {} by name, but its pods do not ask the DNS of the cluster",
        wrong.peer
    );
    let document = wrong.app.document();
    let field = spec_field(wrong.app, "dnsPolicy");
    let fact = crate::evidence::field(document, &object, field.clone(), wrong.policy.clone());
    let mut finding = Finding::new(KIND.id, "name-unresolved", object.clone(), headline)
        .field(field, wrong.policy.clone(), wrong.expected)
        .affects(object.clone(), format!("cannot resolve {}", wrong.peer));
    if facts.is_empty() {
        let look = format!("kubectl logs {} --tail=50", object.for_kubectl());
        finding = finding.unsure(Certainty::Likely, &["dependency-unreachable"], look);
    }
    finding.evidence(facts).evidence([fact])
}

/// Pods that ask another DNS and call Services by their names.
fn exposed(now: &Snapshot, gaps: &mut Vec<Gap>) {
    for wrong in resolver::outside(now) {
        gaps.push(Gap {
            failure: KIND.id,
            object: wrong.app.object.clone(),
            field: spec_field(wrong.app, "dnsPolicy"),
            why: format!("its pods cannot resolve {}, the name of a Service", wrong.peer),
        });
    }
}

fn remedy(finding: &Finding, _: &Snapshot) -> Remedy {
    let object = finding.object.for_kubectl();
    if finding.mechanism == "name-unresolved" {
        let value = finding.expected.clone().unwrap_or_default();
        let patch = |policy: &str| {
            let body = format!(
                "{{\"spec\":{{\"template\":{{\"spec\":{{\"dnsPolicy\":\"{policy}\"}}}}}}}}"
            );
            format!("kubectl patch {object} -p '{body}'")
        };
        let old = finding.value.clone().unwrap_or_default();
        let old = old.split(' ').next().unwrap_or("ClusterFirst").to_owned();
        let step =
            Step::change("Let its pods ask the DNS of the cluster", patch(&value), patch(&old));
        let never = "Do not write addresses into its settings: they change with each Service";
        return Remedy { next: vec![step.risk(Risk::Disruptive)], do_not: vec![never.into()] };
    }
    let mut next = Vec::new();
    if let Some(decide) = &finding.decide {
        next.push(Step::look("Look for queue rules, dropped and resent packets", decide.clone()));
    }
    let namespace = namespace_option(&finding.object.namespace);
    next.push(Step::look(
        "Rule out processor and memory",
        format!("kubectl top pod{namespace} --containers"),
    ));
    next.push(
        Step {
            what: "Start its pods anew, so that they get new interfaces, perhaps on other nodes"
                .into(),
            command: Some(format!("kubectl rollout restart {object}")),
            risk: Risk::Disruptive,
            undo: None,
        }
        .risk(Risk::Disruptive),
    );
    let never = "Do not scale or restart its callers: they wait for it, they do not work";
    Remedy { next, do_not: vec![never.into()] }
}

fn prevent(gap: &Gap, now: &Snapshot) -> Option<Patch> {
    let wrong = resolver::outside(now).into_iter().find(|w| w.app.object == gap.object)?;
    let templated = !matches!(gap.object.kind, Kind::Pod | Kind::CronJob);
    let body = format!("spec:\n  template:\n    spec:\n      dnsPolicy: {}\n", wrong.expected);
    templated.then(|| Patch { object: gap.object.clone(), body })
}

fn rehearse() -> Option<Scenario> {
    Some(Scenario {
        story: "The packets of one workload's pods are held back by 200 milliseconds.",
        acts: vec![(
            30,
            Act::Unmodelled("the pods of shop/drill-stock answer each packet 200 ms late"),
        )],
        found_within_seconds: 120,
    })
}

#[cfg(test)]
mod tests;
