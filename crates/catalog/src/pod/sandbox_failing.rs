//! `pod-sandbox-failing`: a pod is on its node, but its sandbox (network, cgroup, namespaces)
//! cannot be made.

use std::collections::{BTreeMap, BTreeSet};

use model::record::{ClusterEvent, Pod};
use model::{
    Act, App, Certainty, Finding, Findings, Gap, Impact, Kind, ObjectRef, Patch, Remedy, Risk,
    Scenario, Snapshot, Step,
};

use super::edit::{namespace_option, set_field, spec_field};
use crate::evidence;
use crate::wording::{self, between, says};

failure! {
    /// # The sandbox of a pod cannot be made
    ///
    /// ## Signs
    /// The pod stays in `ContainerCreating` with `FailedCreatePodSandBox` events. There is no
    /// container yet, so no log. The node says that it is Ready.
    ///
    /// ## Why it happens
    /// Before its containers, a pod gets a sandbox: namespaces, a cgroup, and an address from
    /// the network plugin. The plugin's pod on that node may be down, or has no addresses left
    /// to give; the node may not know the runtime that the pod's runtime class names, or not
    /// have its security profile. A full disk or a runtime that hangs shows itself here too.
    ///
    /// A node on which this fails is dangerous: its pods never start, so it looks empty and
    /// healthy, and the scheduler sends it every new pod.
    ///
    /// ## What we do
    /// 1. Do all failing pods wait on the same node? Then cordon it first.
    /// 2. Network: look at the plugin's pod on that node, and its log.
    /// 3. Addresses: count the pods against the node's range, or the free addresses of the
    ///    subnet. Addresses of pods that ended badly may not have been given back.
    /// 4. Runtime class or profile: compare what the pod names with what its node has.
    ///
    /// ## How to avoid it
    /// Alert on the rate of failed sandboxes per node: the node itself stays Ready. Size the
    /// address range for the most pods a node may have, twice over. Give the plugin the
    /// highest priority and memory to spare.
    ///
    /// ## Sources
    /// Kubernetes documentation, "Network plugins", "Runtime Class" and "Debug pods".
    id: "pod-sandbox-failing",
    mechanisms: {
        "network-plugin-down": "the network plugin does not set up its network",
        "addresses-exhausted": "there are no addresses left for pods",
        "runtime-class": "its node does not know the runtime that it asks for",
        "security-profile": "a security profile that it names is not on its node",
        "sandbox-image-missing": "the image that sandboxes begin with cannot be had",
        "runtime-down": "the container runtime does not make it in time",
        "disk-full": "the disk of its node is full",
    },
    reads: [Pod, Event, Node, Deployment, ReplicaSet, StatefulSet, DaemonSet, Job, RuntimeClass],
    leads_to: [
        "deployment-rollout-failing",
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

/// A failure that is only tried once and is younger than this may well succeed, in seconds.
const FIRST_TRY_SECONDS: i64 = 30;

/// A pod without a sandbox.
struct Failing<'s> {
    app: &'s App,
    pod: &'s Pod,
    event: &'s ClusterEvent,
    mechanism: Option<&'static str>,
}

fn detect(now: &Snapshot, findings: &mut Findings) {
    let mut groups: BTreeMap<(&'static str, bool), Vec<Failing<'_>>> = BTreeMap::new();
    for app in now.apps_where(|a, now| a.pod_events(now).any(is_failure)) {
        for pod in app.running() {
            if let Some(failing) = failing(app, pod, now, findings) {
                let known = failing.mechanism.is_some();
                let mechanism = failing.mechanism.unwrap_or("network-plugin-down");
                groups.entry((mechanism, known)).or_default().push(failing);
            }
        }
    }
    for ((mechanism, known), failing) in groups {
        if matches!(mechanism, "runtime-class" | "security-profile") {
            let mut by_app: BTreeMap<&ObjectRef, Vec<&Failing<'_>>> = BTreeMap::new();
            for f in &failing {
                by_app.entry(&f.app.object).or_default().push(f);
            }
            for own in by_app.into_values() {
                findings.found.extend(of_workload(mechanism, &own, now));
            }
        } else {
            findings.found.extend(of_nodes(mechanism, known, &failing, now));
        }
    }
}

fn is_failure(e: &ClusterEvent) -> bool {
    matches!(e.reason.as_str(), "FailedCreatePodSandBox" | "NetworkNotReady")
        // What cannot take a network down cannot make one either.
        || (e.reason == "FailedKillPod" && says(&e.message, wording::NETWORK_TEARDOWN))
}

/// The pod's last failed sandbox, unless it got one since.
fn failing<'s>(
    app: &'s App,
    pod: &'s Pod,
    now: &'s Snapshot,
    findings: &mut Findings,
) -> Option<Failing<'s>> {
    let events = now.events_about(&pod.meta.object(Kind::Pod));
    let at = events.iter().rposition(is_failure)?;
    let event = events.get(at)?;
    let went_on = events.iter().rposition(|e| wording::HAS_VOLUMES.contains(&e.reason.as_str()));
    if went_on > Some(at) || pod.is_ready() == Some(true) {
        let what = format!("sandboxes of pod {} failed", pod.meta.name);
        findings.stale(what, "it has one since");
        return None;
    }
    let first = evidence::first_time(event, now);
    let young = first.is_some_and(|t| now.now.since(t) < FIRST_TRY_SECONDS) && event.count < 2;
    // A limit that is too low to start with is the workload's own matter.
    if young || says(&event.message, wording::KILLED_AT_START) {
        return None;
    }
    Some(Failing { app, pod, event, mechanism: meaning(&event.message) })
}

/// Fragments and what they mean, the more telling ones first.
const SAID: [(&[&str], &str); 8] = [
    (wording::DISK_FULL, "disk-full"),
    (wording::ADDRESSES_EXHAUSTED, "addresses-exhausted"),
    (wording::SANDBOX_IMAGE, "sandbox-image-missing"),
    (wording::NETWORK_PLUGIN_DOWN, "network-plugin-down"),
    (wording::NETWORK_SETUP, "network-plugin-down"),
    (wording::RUNTIME_CLASS_UNKNOWN, "runtime-class"),
    (wording::SECURITY_PROFILE, "security-profile"),
    (wording::RUNTIME_REFUSED, "runtime-down"),
];

fn meaning(text: &str) -> Option<&'static str> {
    let said = SAID.iter().find(|(words, _)| says(text, words)).map(|(_, m)| *m);
    said.or_else(|| says(text, wording::CALL_LATE).then_some("runtime-down"))
}

/// What the workload asks for and its node does not have.
fn of_workload(mechanism: &'static str, own: &[&Failing<'_>], now: &Snapshot) -> Option<Finding> {
    let first = own.first()?;
    let (app, text) = (first.app, first.event.message.as_str());
    let spec = app.spec();
    let (field, value, expected) = if mechanism == "runtime-class" {
        let class = spec.map(|s| s.runtime_class.to_string()).filter(|c| !c.is_empty());
        let handler = between(text, "no runtime for \"", "\"").map(str::to_owned);
        let value = class.or(handler).unwrap_or_else(|| "not shown".into());
        let expected = "a runtime class whose handler the node's runtime is configured for";
        (spec_field(app, "runtimeClassName"), value, expected)
    } else {
        let part = ["seccomp", "apparmor", "selinux", "sysctl"];
        let part = part.into_iter().find(|p| says(text, &[p])).unwrap_or_default();
        let name = match part {
            "seccomp" => "securityContext.seccompProfile.localhostProfile",
            "apparmor" => "securityContext.appArmorProfile.localhostProfile",
            "selinux" => "securityContext.seLinuxOptions",
            "sysctl" => "securityContext.sysctls",
            _ => "securityContext",
        };
        let value = super::log_lines::path(text).unwrap_or("not shown").to_owned();
        (spec_field(app, name), value, "a profile that every node it may run on has")
    };
    let why = KIND.meaning(mechanism);
    let headline = format!("{} cannot start: {why} ({value})", app.object);
    let finding = Finding::new(KIND.id, mechanism, app.object.clone(), headline)
        .field(field, value, expected);
    Some(add(finding, own, now))
}

/// Times, evidence and who suffers.
fn add(mut finding: Finding, failing: &[&Failing<'_>], now: &Snapshot) -> Finding {
    let first = failing.iter().filter_map(|f| evidence::first_time(f.event, now));
    let made = failing.iter().filter_map(|f| f.pod.meta.created).min();
    finding.since = made.or(first.min()).filter(|_| now.has_time);
    let facts = failing.iter().take(4).filter_map(|f| evidence::event(f.event, now));
    finding = finding.evidence(facts);
    let mut by_app: BTreeMap<&ObjectRef, (&App, usize)> = BTreeMap::new();
    for f in failing {
        by_app.entry(&f.app.object).or_insert((f.app, 0)).1 += 1;
    }
    let mut lost = 0_u32;
    for (object, (app, pods)) in by_app {
        lost = lost.saturating_add(app.lost_replicas());
        finding = finding.affects(object.clone(), format!("{pods} pods have no sandbox"));
    }
    finding.impact(Impact { replicas: lost, ..Impact::default() })
}

/// What a node, or all nodes, cannot do.
fn of_nodes(
    mechanism: &'static str,
    known: bool,
    failing: &[Failing<'_>],
    now: &Snapshot,
) -> Vec<Finding> {
    let nodes: BTreeSet<&str> =
        failing.iter().map(|f| f.pod.node.as_str()).filter(|n| !n.is_empty()).collect();
    let network = matches!(mechanism, "network-plugin-down" | "addresses-exhausted");
    let plugin = plugin(failing, now).filter(|_| network);
    let sick = plugin.filter(|p| is_sick(p, &nodes));
    let all: Vec<&Failing<'_>> = failing.iter().collect();
    let object = match (sick, nodes.len()) {
        (Some(plugin), _) => plugin.object.clone(),
        (None, 1) => ObjectRef::new(Kind::Node, "", nodes.first().copied().unwrap_or_default()),
        (None, _) if network => plugin
            .map_or_else(|| ObjectRef::component("network-plugin"), |plugin| plugin.object.clone()),
        // A disk or a runtime belongs to one machine.
        (None, 2..) => {
            return nodes
                .iter()
                .flat_map(|node| {
                    let here: Vec<&Failing<'_>> =
                        failing.iter().filter(|f| f.pod.node == *node).collect();
                    let object = ObjectRef::new(Kind::Node, "", node);
                    finding(mechanism, known, object, &here, now)
                })
                .collect();
        }
        (None, _) => ObjectRef::component("container-runtime"),
    };
    finding(mechanism, known, object, &all, now).into_iter().collect()
}

fn finding(
    mechanism: &'static str,
    known: bool,
    object: ObjectRef,
    failing: &[&Failing<'_>],
    now: &Snapshot,
) -> Option<Finding> {
    let first = failing.first()?;
    let text = first.event.message.as_str();
    let pods = failing.len();
    let who = match object.kind {
        Kind::Node => format!("node {}", object.name),
        _ => object.to_string(),
    };
    let why = KIND.meaning(mechanism);
    let headline = match object.kind {
        Kind::Node => format!("{who} cannot start {pods} pods: {why}"),
        _ => format!("{pods} pods cannot start: {why} ({who})"),
    };
    let (field, expected) = match mechanism {
        "addresses-exhausted" => ("spec.podCIDR", "room for more pods"),
        "network-plugin-down" => {
            ("status.conditions[NetworkReady]", "a network plugin that answers")
        }
        "sandbox-image-missing" => ("sandbox image", "an image that the node can pull"),
        "disk-full" => ("status.conditions[DiskPressure]", "free disk"),
        _ => ("container runtime", "one that answers"),
    };
    let value: String = text.chars().take(160).collect();
    let finding = Finding::new(KIND.id, mechanism, object, headline).field(field, value, expected);
    let mut finding = add(finding, failing, now);
    if !known {
        let look = format!("kubectl describe {}", first.pod.meta.object(Kind::Pod).for_kubectl());
        finding = finding.unsure(Certainty::Possible, &["runtime-down", "security-profile"], look);
    }
    Some(finding)
}

/// The workload that is the network plugin, best the one that the message names.
fn plugin<'s>(failing: &[Failing<'_>], now: &'s Snapshot) -> Option<&'s App> {
    let is = |a: &App, words: &[&str]| says(&a.object.name, words);
    let all = now.apps_where(|a, _| {
        a.object.kind == Kind::DaemonSet && says(&a.object.name, wording::NETWORK_PLUGINS)
    });
    let text = failing.first()?.event.message.to_ascii_lowercase();
    let named: Vec<&str> =
        wording::NETWORK_PLUGINS.iter().copied().filter(|p| text.contains(p)).collect();
    let by_name = all.iter().find(|a| !named.is_empty() && is(a, &named));
    by_name.or(all.first()).copied()
}

/// Whether the plugin's own pods on these nodes are not well.
fn is_sick(plugin: &App, nodes: &BTreeSet<&str>) -> bool {
    let here = |p: &&Pod| nodes.is_empty() || nodes.contains(p.node.as_str());
    plugin.running().filter(here).any(|p| p.is_ready() == Some(false))
}

/// Nodes with less addresses than pods they may have.
fn exposed(_: &Snapshot, _: &mut Vec<Gap>) {}

fn remedy(finding: &Finding, now: &Snapshot) -> Remedy {
    let object = finding.object.for_kubectl();
    let mut next = Vec::new();
    let node = match finding.object.kind {
        Kind::Node => finding.object.name.to_string(),
        _ => node_of(finding, now),
    };
    if finding.object.kind == Kind::Node {
        next.push(Step::change(
            "Keep new pods away: the node looks empty and attracts them",
            format!("kubectl cordon {node}"),
            format!("kubectl uncordon {node}"),
        ));
    }
    match finding.mechanism {
        "network-plugin-down" | "addresses-exhausted" => {
            let (namespace, name) = match finding.object.kind {
                Kind::DaemonSet => {
                    (namespace_option(&finding.object.namespace), finding.object.name.to_string())
                }
                _ => (
                    " -A".to_owned(),
                    "calico\\|cilium\\|flannel\\|aws-node\\|weave\\|kindnet".to_owned(),
                ),
            };
            next.push(Step::look(
                "See how the network plugin's pods are, above all on that node",
                format!("kubectl get pods{namespace} -o wide | grep '{name}'"),
            ));
            if finding.mechanism == "addresses-exhausted" {
                next.push(Step::look(
                    "Count the pods of the node against its range of addresses",
                    format!(
                        "kubectl get node {node} -o jsonpath='{{.spec.podCIDR}}'; kubectl get \
                         pods -A --field-selector spec.nodeName={node} | wc -l"
                    ),
                ));
            } else if finding.object.kind == Kind::DaemonSet {
                next.push(Step {
                    what: "Start the plugin's pods anew when they hang".into(),
                    command: Some(format!("kubectl rollout restart {object}")),
                    risk: Risk::Disruptive,
                    undo: None,
                });
            }
        }
        "runtime-class" | "security-profile" => next.push(set_field(finding)),
        "disk-full" => next.push(Step::look("See what fills it", format!("ssh {node} df -h"))),
        _ => next.push(Step::look(
            "Look at the container runtime of the node",
            format!("ssh {node} 'crictl info; journalctl -u containerd --since -15min'"),
        )),
    }
    Remedy {
        next,
        do_not: vec![
            "Do not delete the waiting pods: the next ones come to the same node, which looks empty"
                .into(),
        ],
    }
}

fn node_of(finding: &Finding, now: &Snapshot) -> String {
    let apps = finding.affected.iter().filter_map(|a| now.app(&a.object));
    let pods = apps.flat_map(|a| a.running().filter(|p| p.is_ready() != Some(true)));
    let mut nodes = pods.map(|p| p.node.to_string()).filter(|n| !n.is_empty());
    nodes.next().unwrap_or_else(|| "NODE".into())
}

/// The protection is a range that is wide enough, which is no field of an object here.
fn prevent(_: &Gap, _: &Snapshot) -> Option<Patch> {
    None
}

fn rehearse() -> Option<Scenario> {
    Some(Scenario {
        story: "The network plugin of one node has no addresses left.",
        acts: vec![(10, Act::Unmodelled("worker-2 gives no more addresses to new pods"))],
        found_within_seconds: 120,
    })
}

#[cfg(test)]
mod tests;
