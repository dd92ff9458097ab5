//! `pod-refused-by-node`: a pod got a node, and the node's kubelet does not take it.

use model::record::{ClusterEvent, Phase, Pod};
use model::{
    Act, App, Certainty, Evidence, Finding, Findings, Gap, Impact, Kind, Patch, Remedy, Risk,
    Scenario, Snapshot, State, Step,
};

use super::edit::{container_field, spec_field};
use crate::evidence;

failure! {
    /// # A node does not take a pod that was given to it
    ///
    /// ## Signs
    /// The pod is `Failed` at once and shows a word such as `OutOfcpu`, `OutOfmemory`,
    /// `OutOfpods`, `NodeAffinity`, `UnexpectedAdmissionError`, `TopologyAffinityError`,
    /// `SysctlForbidden` or `AppArmor` where its status stands. Its owner makes another one, so
    /// there may be hundreds of them.
    ///
    /// ## Why it happens
    /// The scheduler chooses a node by what it knows; the kubelet checks again by what it
    /// knows. They differ when somebody set `nodeName` by hand, when two schedulers place pods,
    /// when a node came back with less than it had (smaller machine, fewer devices, a changed
    /// label), when the kubelet's topology manager cannot give processors and devices of one
    /// socket, or when the kubelet does not allow a setting of the pod at all.
    ///
    /// ## What we do
    /// 1. Read the message of one of the pods: it has the figures of the kubelet.
    /// 2. A device? Look whether its plugin runs on that node and what the node offers.
    /// 3. A setting that the kubelet does not allow? Use nodes that do, or leave it out.
    /// 4. Delete the failed pods afterwards: they hold nothing, but they hide others.
    ///
    /// ## How to avoid it
    /// Leave `nodeName` to the scheduler. Cordon a node before it is changed. Give nodes that
    /// allow more a label and a taint of their own.
    ///
    /// ## Sources
    /// Kubernetes documentation, "Assigning Pods to Nodes", "Device Plugins", "Control Topology
    /// Management Policies on a Node" and "Using sysctls in a Kubernetes Cluster".
    id: "pod-refused-by-node",
    mechanisms: {
        "node-full": "the node has less left than the scheduler thought",
        "node-affinity-unmatched": "the node no longer has the labels that the pod asks for",
        "device-unavailable": "the node cannot give the devices that the pod asks for",
        "topology-unmet": "the node cannot give processors and devices of one socket",
        "setting-forbidden": "the node's kubelet does not allow a setting of the pod",
        "security-profile": "the node does not have a security profile that the pod asks for",
    },
    reads: [Pod, Event, Deployment, ReplicaSet, StatefulSet, DaemonSet, Job],
    leads_to: [
        "deployment-rollout-failing",
        "job-failing",
        "service-without-endpoints",
        "statefulset-update-stuck",
        "workload-dependency-failing",
    ],
    detect: Apps(detect),
    exposed: exposed,
    remedy: remedy,
    prevent: prevent,
    rehearse: rehearse,
}

/// Words of the kubelet, with what they mean.
const WORDS: [(&str, &str); 7] = [
    ("OutOf", "node-full"),
    ("NodeAffinity", "node-affinity-unmatched"),
    ("UnexpectedAdmissionError", "device-unavailable"),
    ("TopologyAffinityError", "topology-unmet"),
    ("SysctlForbidden", "setting-forbidden"),
    ("PodFeatureUnsupported", "setting-forbidden"),
    ("AppArmor", "security-profile"),
];

/// How long a refused pod is of interest when its workload is whole again, in seconds.
const RECENT_SECONDS: i64 = 900;

/// A pod that a node did not take.
struct Refused<'s> {
    pod: &'s Pod,
    mechanism: &'static str,
    text: String,
    fact: Evidence,
}

fn meaning(word: &str) -> Option<&'static str> {
    // `OutOfDisk` was a condition of nodes, not a word for pods.
    let fits = |known: &&(&str, &str)| match known.0 {
        "OutOf" => word.starts_with("OutOf") && word != "OutOfDisk",
        known => word == known,
    };
    WORDS.iter().find(fits).map(|(_, mechanism)| *mechanism)
}

fn detect(app: &App, now: &Snapshot, findings: &mut Findings) {
    let mut refused: Vec<Refused<'_>> = app.pods.iter().filter_map(|p| of_pod(p, now)).collect();
    refused.sort_by(|a, b| (a.fact.at, &a.pod.meta.name).cmp(&(b.fact.at, &b.pod.meta.name)));
    let Some(last) = refused.last() else { return };
    let lost = app.lost_replicas();
    let recent = last.fact.at.is_none_or(|t| now.now.since(t) <= RECENT_SECONDS);
    let alone = app.object.kind == Kind::Pod;
    if lost == 0 && !(recent && refused.len() > 1) && !alone {
        let what = format!("{} pods of {} were refused by a node", refused.len(), app.object);
        return findings.stale(what, "the workload is at full strength");
    }
    findings.push(finding(app, last, &refused, lost));
}

/// A pod's own state, or what an event says of it.
fn of_pod<'s>(pod: &'s Pod, now: &'s Snapshot) -> Option<Refused<'s>> {
    let object = pod.meta.object(Kind::Pod);
    if pod.phase == Phase::Running || pod.is_ready() == Some(true) {
        return None;
    }
    if let Some((reason, text)) = pod.why.as_deref()
        && let Some(mechanism) = meaning(reason)
    {
        let at = pod.started.or(pod.meta.created);
        let field = format!("status.reason {reason}");
        let fact = evidence::field(pod.meta.source, &object, field, text.as_str());
        let text = text.to_string();
        return Some(Refused { pod, mechanism, text, fact: Evidence { at, ..fact } });
    }
    let told = |e: &&ClusterEvent| e.warning && meaning(&e.reason).is_some();
    if let Some(event) = now.pod_events(pod).iter().rfind(told) {
        let (mechanism, fact) = (meaning(&event.reason)?, evidence::event(event, now)?);
        return Some(Refused { pod, mechanism, text: event.message.to_string(), fact });
    }
    let word = pod.summary.as_ref().map_or("", |s| s.status.as_str());
    let mechanism = meaning(word)?;
    let fact = evidence::field(pod.meta.source, &object, "status", word);
    Some(Refused { pod, mechanism, text: String::new(), fact })
}

fn finding(app: &App, last: &Refused<'_>, all: &[Refused<'_>], lost: u32) -> Finding {
    let mechanism = last.mechanism;
    let node = last.pod.node.as_str();
    let who = if node.is_empty() { "its node".to_owned() } else { format!("node {node}") };
    let why = KIND.meaning(mechanism);
    let headline = format!("{who} does not take pods of {}: {why}", app.object);
    let (field, expected) = edit(app, mechanism, &last.text);
    let value: String = match last.text.as_str() {
        "" => "not shown".to_owned(),
        text => text.chars().take(160).collect(),
    };
    let count = all.len();
    let pods = if count == 1 { "1 pod was".to_owned() } else { format!("{count} pods were") };
    let finding = Finding::new(KIND.id, mechanism, app.object.clone(), headline)
        .field(field, value, expected)
        .since(all.iter().filter_map(|r| r.fact.at).min())
        .evidence(all.iter().rev().take(3).map(|r| r.fact.clone()))
        .affects(app.object.clone(), format!("{pods} refused, last {}", last.pod.meta.name))
        .impact(Impact { replicas: lost, ..Impact::default() })
        .state(State::Active);
    if last.text.is_empty() {
        let look = format!("kubectl describe {}", last.pod.meta.object(Kind::Pod).for_kubectl());
        return finding.unsure(Certainty::Likely, &[], look);
    }
    finding
}

/// What a person would edit, and to what.
fn edit(app: &App, mechanism: &str, text: &str) -> (String, &'static str) {
    let resource = crate::wording::between(text, "resource: ", ",");
    let device = crate::wording::between(text, "unavailable for ", ".");
    match mechanism {
        "node-full" => {
            let part = format!("resources.requests.{}", resource.unwrap_or("cpu"));
            (container_field(app, "", &part), "what the node has left, and no nodeName")
        }
        "node-affinity-unmatched" => {
            (spec_field(app, "affinity.nodeAffinity"), "labels that the node has")
        }
        "device-unavailable" => {
            let part = format!("resources.limits[{}]", device.unwrap_or("the device"));
            (container_field(app, "", &part), "a device that the node offers")
        }
        "topology-unmet" => {
            (container_field(app, "", "resources"), "what one socket of the node can give")
        }
        "security-profile" => {
            let field = "securityContext.appArmorProfile";
            (spec_field(app, field), "a profile that every node it may run on has")
        }
        _ => (spec_field(app, "securityContext.sysctls"), "what the kubelet allows"),
    }
}

/// What a kubelet will refuse is not known before it does.
fn exposed(_: &Snapshot, _: &mut Vec<Gap>) {}

fn prevent(_: &Gap, _: &Snapshot) -> Option<Patch> {
    None
}

fn remedy(finding: &Finding, now: &Snapshot) -> Remedy {
    let app = now.app(&finding.object);
    let refused = app.and_then(|a| a.pods.iter().find(|p| of_pod(p, now).is_some()));
    let node = refused.map_or("", |p| p.node.as_str());
    let node = if node.is_empty() { "NODE" } else { node };
    let namespace = super::edit::namespace_option(&finding.object.namespace);
    let next = vec![
        Step::look(
            "Compare what the node offers with what its pods ask for",
            format!("kubectl describe node {node}"),
        ),
        super::edit::set_field(finding),
        Step {
            what: "Then remove the pods that were refused: they hold nothing".into(),
            command: Some(format!(
                "kubectl delete pods{namespace} --field-selector status.phase=Failed"
            )),
            risk: Risk::Destructive,
            undo: None,
        },
    ];
    let do_not = "Do not delete the refused pods first: their messages say why";
    Remedy { next, do_not: vec![do_not.into()] }
}

fn rehearse() -> Option<Scenario> {
    Some(Scenario {
        story: "A node came back with fewer devices than the scheduler counts on.",
        acts: vec![(10, Act::Unmodelled("a kubelet refuses a pod that was assigned to it"))],
        found_within_seconds: 60,
    })
}

#[cfg(test)]
mod tests {
    use super::KIND;
    use crate::testing::check;

    fn app(status: &str) -> String {
        format!(
            "kind: Deployment\nmetadata: {{name: web, namespace: shop}}\n\
             spec: {{replicas: 1, selector: {{matchLabels: {{app: web}}}}}}\n---\n\
             kind: Pod\nmetadata: {{name: web-6f4d5b7c9d-x2x4z, namespace: shop, \
             creationTimestamp: 2026-03-01T10:00:00Z, ownerReferences: [{{kind: ReplicaSet, \
             name: web-6f4d5b7c9d, controller: true}}]}}\nspec: {{nodeName: n1, containers: \
             [{{name: main}}]}}\nstatus: {{{status}, startTime: 2026-03-01T10:00:00Z}}\n"
        )
    }

    #[test]
    fn words_of_the_kubelet_are_told_apart() {
        for (reason, message, want) in [
            ("OutOfcpu", "Node didn't have enough resource: cpu, requested: 500", "node-full"),
            ("OutOfcpu", "Pod was rejected: Node didn't have enough resource: cpu", "node-full"),
            ("NodeAffinity", "Predicate NodeAffinity failed", "node-affinity-unmatched"),
            ("UnexpectedAdmissionError", "Allocate failed", "device-unavailable"),
            ("TopologyAffinityError", "Resources cannot be allocated", "topology-unmet"),
            ("SysctlForbidden", "forbidden sysctl", "setting-forbidden"),
        ] {
            let status = format!("phase: Failed, reason: {reason}, message: \"{message}\"");
            check(&KIND, &app(&status), &[&format!("{want} deploy/web Proven Active")]);
        }
    }

    #[test]
    fn an_event_alone_is_enough() {
        let event = "---\nkind: Event\nmetadata: {name: e, namespace: shop}\ninvolvedObject: \
            {kind: Pod, namespace: shop, name: web-6f4d5b7c9d-x2x4z}\ntype: Warning\nreason: \
            OutOfpods\nmessage: 'Node didn''t have enough resource: pods, requested: 1, used: \
            110, capacity: 110'\nlastTimestamp: 2026-03-01T10:00:00Z\n";
        let yaml = app("phase: Failed") + event;
        check(&KIND, &yaml, &["node-full deploy/web Proven Active"]);
    }

    #[test]
    fn evictions_failures_and_what_runs_are_quiet() {
        check(&KIND, &app("phase: Failed, reason: Evicted, message: low on resource"), &[]);
        check(&KIND, &app("phase: Failed"), &[]);
        check(&KIND, &app("phase: Running"), &[]);
    }
}
