//! `pod-evicted-memory`: pods were taken off a node because it was short of memory. Who is
//! evicted and who used the memory are two questions.

use std::collections::BTreeMap;

use model::record::Node;
use model::{
    Act, App, Certainty, Evidence, Finding, Findings, Gap, Impact, Kind, ObjectRef, Patch, Remedy,
    Risk, Scenario, Snapshot, State, Step,
};

use super::edit::container_field;
use super::evicted::{self, Evicted};
use super::measured;
use crate::evidence;
use crate::wording::{self, between};

failure! {
    /// # Pods were evicted because their node was short of memory
    ///
    /// ## Signs
    /// The pod is `Failed` with the reason `Evicted`: "The node was low on resource: memory.
    /// Container main was using 812340Ki, which exceeds its request of 0". The node has, or
    /// had, `MemoryPressure`. This is not `OOMKilled`: there a container passed its own limit.
    ///
    /// ## Why it happens
    /// When a node has less free memory than its threshold, the kubelet takes pods away one by
    /// one. First those that use more than they asked for, among them those of the lowest
    /// priority, among them those that are furthest above their request. So a modest pod
    /// without a request goes before a large one that asked for what it uses.
    ///
    /// The cause is whoever took the memory: a workload without a limit that grew, too many
    /// pods whose requests are lower than their use, or something outside pods.
    ///
    /// ## What we do
    /// 1. Compare what each pod of the node uses with what it asked for; the largest
    ///    difference is the culprit, evicted or not.
    /// 2. Give it a limit, or a node of its own; mend the leak.
    /// 3. Give the victims requests that match their use, and important ones a priority class.
    ///
    /// ## How to avoid it
    /// Every container with a memory request near its use and a limit. A LimitRange with
    /// defaults for those who forget. Memory kept back for the system on every node.
    ///
    /// ## Sources
    /// Kubernetes documentation, "Node-pressure eviction" and "Quality of service for pods".
    id: "pod-evicted-memory",
    mechanisms: {
        "memory-hog": "one workload uses far more memory than it asked for",
        "memory-exhausted": "the pods of the node use more memory than it has",
    },
    reads: [Pod, Event, Node, Deployment, ReplicaSet, StatefulSet, DaemonSet, Job],
    leads_to: [
        "deployment-rollout-failing",
        "job-failing",
        "pod-crash-avalanche",
        "pod-evicted-taint",
        "pod-pending-unschedulable",
        "service-without-endpoints",
        "workload-dependency-failing",
    ],
    detect: Cluster(detect),
    exposed: exposed,
    remedy: remedy,
    prevent: prevent,
    rehearse: rehearse,
}

/// Use that is less than this is no hog, in bytes.
const MUCH_BYTES: u64 = 512 << 20;

/// Evicted pods of one workload.
struct Victims<'s> {
    app: &'s App,
    gone: Vec<Evicted<'s>>,
    state: State,
}

fn detect(now: &Snapshot, findings: &mut Findings) {
    let mut by_node: BTreeMap<&str, Vec<Victims<'_>>> = BTreeMap::new();
    let evicts =
        |a: &App, now: &Snapshot| !evicted::of(a, now, wording::is_memory_eviction).is_empty();
    for app in now.apps_where(evicts) {
        let gone = evicted::of(app, now, wording::is_memory_eviction);
        let Some(state) = evicted::state(app, &gone, now) else {
            if !gone.is_empty() {
                let what = format!("{} pods of {} evicted for memory", gone.len(), app.object);
                findings.stale(what, "the workload is at full strength again");
            }
            continue;
        };
        let mut nodes: BTreeMap<&str, Vec<Evicted<'_>>> = BTreeMap::new();
        for one in gone {
            nodes.entry(one.pod.node.as_str()).or_default().push(one);
        }
        for (node, gone) in nodes {
            by_node.entry(node).or_default().push(Victims { app, gone, state });
        }
    }
    let mut found: Vec<Finding> = Vec::new();
    for (node, victims) in by_node {
        let next = finding(node, &victims, now);
        match found.iter_mut().find(|f| f.object == next.object && f.mechanism == next.mechanism) {
            Some(known) => {
                known.affected.extend(next.affected);
                known.evidence.extend(next.evidence);
                known.since = known.since.into_iter().chain(next.since).min();
                known.state = known.state.min(next.state);
            }
            None => found.push(next),
        }
    }
    findings.found.extend(found);
}

/// Who used the memory.
struct Hog<'s> {
    app: &'s App,
    container: String,
    bytes: u64,
    asked: String,
    certainty: Certainty,
    fact: Evidence,
}

fn finding(node: &str, victims: &[Victims<'_>], now: &Snapshot) -> Finding {
    let n: usize = victims.iter().map(|v| v.gone.len()).sum();
    let place = if node.is_empty() { "a node".to_owned() } else { format!("node {node}") };
    let pods = if n == 1 { "a pod was".to_owned() } else { format!("{n} pods were") };
    let hog = hog(now.nodes.get("", node), node, victims, now);
    let mut finding = match &hog {
        Some(hog) => {
            let used = mebibytes(hog.bytes);
            let headline = format!(
                "{pods} evicted from {place} for memory: {} uses {used} and asked for {}",
                hog.app.object, hog.asked
            );
            let field = container_field(hog.app, &hog.container, "resources.requests.memory");
            let expected = format!("about {used}, and a limit, or less use");
            Finding::new(KIND.id, "memory-hog", hog.app.object.clone(), headline)
                .field(field, hog.asked.clone(), expected)
                .evidence([hog.fact.clone()])
        }
        None => {
            let object = if node.is_empty() {
                victims
                    .first()
                    .map_or_else(|| ObjectRef::component("kubelet"), |v| v.app.object.clone())
            } else {
                ObjectRef::new(Kind::Node, "", node)
            };
            let headline = format!("{pods} evicted from {place}: its memory was used up");
            Finding::new(KIND.id, "memory-exhausted", object, headline).field(
                "status.conditions[MemoryPressure]",
                "True",
                "False: pods that ask for what they use",
            )
        }
    };
    let facts = victims.iter().flat_map(|v| v.gone.iter().map(|e| e.fact.clone()));
    let mut facts: Vec<Evidence> = facts.collect();
    finding.since = facts.iter().filter_map(|f| f.at).min();
    facts.retain(|f| !finding.evidence.contains(f));
    finding = finding.evidence(facts.into_iter().take(4));
    let condition =
        now.nodes.get("", node).and_then(|n| n.condition("MemoryPressure").map(|c| (n, c)));
    if let Some((node, c)) = condition.filter(|(_, c)| c.status == model::Truth::True) {
        finding = finding.evidence([evidence::condition(
            node.meta.source,
            &node.meta.object(Kind::Node),
            c,
        )]);
    }
    let mut lost = 0_u32;
    for v in victims {
        lost = lost.saturating_add(v.app.lost_replicas());
        finding = finding.affects(v.app.object.clone(), format!("{} pods evicted", v.gone.len()));
    }
    finding.state = victims.iter().map(|v| v.state).min().unwrap_or(State::Active);
    finding = finding.impact(Impact { replicas: lost, ..Impact::default() });
    let certainty = hog.map_or(Certainty::Likely, |h| h.certainty);
    if certainty < Certainty::Proven {
        let other: &[&'static str] =
            if finding.mechanism == "memory-hog" { &["memory-exhausted"] } else { &["memory-hog"] };
        finding = finding.unsure(certainty, other, "kubectl top pods -A --sort-by=memory");
    }
    finding
}

/// The workload that used most of what is known to have been used above its request.
fn hog<'s>(
    record: Option<&Node>,
    node: &str,
    victims: &[Victims<'s>],
    now: &'s Snapshot,
) -> Option<Hog<'s>> {
    let mut users: Vec<Hog<'s>> = victims.iter().filter_map(evicted_user).collect();
    users.extend(running_users(node, now));
    let all = users.iter().map(|u| u.bytes).fold(0, u64::saturating_add);
    let has = record.map(|n| n.capacity.amount("memory").units()).unwrap_or_default();
    let has = u64::try_from(has).unwrap_or(0);
    let mut largest = users.into_iter().max_by_key(|u| u.bytes)?;
    let share = has == 0 || largest.bytes >= has / 5;
    if largest.bytes < MUCH_BYTES || largest.bytes.saturating_mul(2) < all || !share {
        return None;
    }
    if has > 0 && largest.bytes >= has / 2 {
        largest.certainty = Certainty::Proven;
    }
    Some(largest)
}

/// What a victim itself used, as its eviction says.
fn evicted_user<'s>(victims: &Victims<'s>) -> Option<Hog<'s>> {
    let of = |e: &Evicted<'s>| {
        let used = wording::eviction_usage(e.text);
        let sum = used.iter().map(|(_, b)| *b).fold(0, u64::saturating_add);
        let (container, _) = used.into_iter().max_by_key(|(_, b)| *b)?;
        let asked = wording::eviction_requests(e.text);
        let asked = asked.iter().find(|(c, _)| *c == container).map_or("nothing", |(_, a)| *a);
        let asked = if asked == "0" { "nothing" } else { asked };
        Some((sum, container.to_owned(), asked.to_owned(), e.fact.clone()))
    };
    let used: Vec<_> = victims.gone.iter().filter_map(of).collect();
    let bytes = used.iter().map(|(b, ..)| *b).fold(0, u64::saturating_add);
    let (_, container, asked, fact) = used.into_iter().max_by_key(|(b, ..)| *b)?;
    let certainty = Certainty::Likely;
    Some(Hog { app: victims.app, container, bytes, asked, certainty, fact })
}

/// Running pods of the node whose measured use is above their request.
fn running_users<'s>(node: &str, now: &'s Snapshot) -> Vec<Hog<'s>> {
    let is_memory = |m: &str| {
        let m = m.to_ascii_lowercase();
        (m.contains("memory") || m == "mem")
            && !["limit", "request", "cache", "node"].iter().any(|w| m.contains(w))
    };
    let newest = measured::newest(now, |s| is_memory(&s.metric) && s.value > 0.0);
    if newest.is_empty() {
        return Vec::new();
    }
    let mut found = Vec::new();
    for (app, pods) in now.apps_on(node) {
        let mut sum = 0_u64;
        let mut fact = None;
        for pod in pods.into_iter().filter(|p| p.runs_on()) {
            let Some(sample) = newest.get(pod.meta.name.as_str()) else { continue };
            let asked = u64::try_from(pod.spec.requests("memory").units()).unwrap_or(0);
            let above = (sample.value as u64).saturating_sub(asked);
            sum = sum.saturating_add(above);
            let value = format!("{} uses {}", sample.subject, mebibytes(sample.value as u64));
            fact =
                Some(evidence::field(sample.document, &app.object, sample.metric.as_str(), value));
        }
        if let Some(fact) = fact.filter(|_| sum > 0) {
            let asked = app.spec().map(|s| s.requests("memory")).filter(|q| q.is_positive());
            let asked = asked.map_or("nothing".to_owned(), |q| q.text("memory"));
            let container = String::new();
            found.push(Hog {
                app,
                container,
                bytes: sum,
                asked,
                certainty: Certainty::Likely,
                fact,
            });
        }
    }
    found
}

fn mebibytes(bytes: u64) -> String {
    format!("{}Mi", bytes >> 20)
}

/// Containers that ask for no memory are the first to be evicted.
fn exposed(now: &Snapshot, gaps: &mut Vec<Gap>) {
    for app in &now.apps {
        let shown = app.workload.as_ref().is_some_and(|w| w.meta.shows(model::record::Known::SPEC));
        let Some(spec) = app.spec().filter(|_| shown) else { continue };
        let asks = |c: &&model::record::Container| {
            c.resources.requests.get("memory").or(c.resources.limits.get("memory")).is_some()
        };
        if let Some(container) = spec.containers.iter().find(|c| !asks(c)) {
            gaps.push(Gap {
                failure: KIND.id,
                object: app.object.clone(),
                field: container_field(app, &container.name, "resources.requests.memory"),
                why: "it asks for no memory: it is the first to go when its node is short of it"
                    .into(),
            });
        }
    }
}

fn remedy(finding: &Finding, _: &Snapshot) -> Remedy {
    let object = finding.object.for_kubectl();
    let mut next = vec![Step::look(
        "Compare use with requests, the largest first",
        "kubectl top pods -A --sort-by=memory",
    )];
    let field = finding.field.as_deref().unwrap_or_default();
    let amount = finding.expected.as_deref().unwrap_or_default();
    let amount = amount.trim_start_matches("about ").split(',').next().unwrap_or_default();
    if finding.mechanism == "memory-hog" {
        let container = between(field, "ontainers[", "]").filter(|c| *c != "*");
        let only = container.map(|c| format!(" -c {c}")).unwrap_or_default();
        next.push(Step {
            what: "Let it ask for what it uses, and no more than that".into(),
            command: Some(format!(
                "kubectl set resources {object}{only} --requests=memory={amount} \
                 --limits=memory={amount}"
            )),
            risk: Risk::Disruptive,
            undo: (finding.object.kind == Kind::Deployment)
                .then(|| format!("kubectl rollout undo {object}")),
        });
    } else if finding.object.kind == Kind::Node {
        next.push(Step::change(
            "Keep new pods away until it is known who uses the memory",
            format!("kubectl cordon {}", finding.object.name),
            format!("kubectl uncordon {}", finding.object.name),
        ));
    }
    Remedy {
        next,
        do_not: vec![
            "Do not raise the limits of the victims: they did not run into them".into(),
            "Do not restart everything at once: the same pods come back to the same nodes".into(),
        ],
    }
}

fn prevent(gap: &Gap, _: &Snapshot) -> Option<Patch> {
    let name = between(&gap.field, "ontainers[", "]")?;
    let body = format!(
        "spec:\n  template:\n    spec:\n      containers:\n      - name: {name}\n        \
         resources: {{requests: {{memory: 128Mi}}}}\n"
    );
    let templated = !matches!(gap.object.kind, Kind::Pod | Kind::CronJob);
    templated.then(|| Patch { object: gap.object.clone(), body })
}

fn rehearse() -> Option<Scenario> {
    Some(Scenario {
        story: "A workload without a limit takes the memory of its node, and others are evicted.",
        acts: vec![(
            10,
            Act::Unmodelled("the kubelet of worker-3 evicts pods before its memory is used up"),
        )],
        found_within_seconds: 300,
    })
}

#[cfg(test)]
mod tests;
