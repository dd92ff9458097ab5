//! Objects that only their events or logs tell of: that is all that some people paste.
//!
//! Such a pod gets the word that `kubectl get pods` would show for it, so that everything after
//! this treats it like a row of a table; such a node gets its name. Nothing is concluded here
//! beyond that.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::{Coverage, HostFact, LogLines, Table, UNNAMED_HOST, UnitState};
use crate::record::{
    Claim, ClusterEvent, Known, Meta, Node, Pod, Scaler, Service, Summary, Workload,
};
use crate::{Kind, ObjectRef, Text};

/// What the newest telling event says of a pod: reason, fragment of the message, word.
const WORDS: [(&str, &str, &str); 32] = [
    ("FailedScheduling", "", "Pending"),
    ("InspectFailed", "", "InvalidImageName"),
    ("BackOff", "pulling image", "ImagePullBackOff"),
    ("Failed", "failed to pull image", "ErrImagePull"),
    ("Failed", "imagepull", "ImagePullBackOff"),
    ("BackOff", "restarting failed container", "CrashLoopBackOff"),
    ("ErrImageNeverPull", "", "ErrImageNeverPull"),
    ("Failed", "runtime create failed", "RunContainerError"),
    ("Failed", "failed to start container", "RunContainerError"),
    ("Failed", "exec: ", "RunContainerError"),
    ("Failed", "security options", "CreateContainerError"),
    ("Failed", "runasnonroot", "CreateContainerConfigError"),
    ("Failed", "run as non-root", "CreateContainerConfigError"),
    ("Failed", "subpath", "CreateContainerConfigError"),
    ("FailedPostStartHook", "", "PostStartHookError"),
    ("Failed", "not found", "CreateContainerConfigError"),
    ("Failed", "couldn't find key", "CreateContainerConfigError"),
    ("FailedMount", "", "ContainerCreating"),
    ("FailedAttachVolume", "", "ContainerCreating"),
    ("FailedCreatePodSandBox", "", "ContainerCreating"),
    ("FailedKillPod", "", "Terminating"),
    ("Evicted", "", "Evicted"),
    ("NodeAffinity", "", "NodeAffinity"),
    ("UnexpectedAdmissionError", "", "UnexpectedAdmissionError"),
    ("TopologyAffinityError", "", "TopologyAffinityError"),
    ("SysctlForbidden", "", "SysctlForbidden"),
    ("AppArmor", "", "AppArmor"),
    ("OutOfcpu", "", "OutOfcpu"),
    ("OutOfmemory", "", "OutOfmemory"),
    ("OutOfpods", "", "OutOfpods"),
    ("OutOfephemeral-storage", "", "OutOfephemeral-storage"),
    ("Unhealthy", "", "Running"),
];

/// Pods of events in namespaces of which no pod was read. Where pods were read, one that was
/// not among them may well be gone. `events` are sorted by object, then by time.
pub(super) fn pods(
    events: &[ClusterEvent],
    read: &[Arc<Pod>],
    lists: &Coverage,
) -> (Kind, Vec<Arc<Pod>>) {
    // Pods of one namespace mostly follow each other.
    let spaces = read.chunk_by(|a, b| a.meta.namespace == b.meta.namespace);
    let namespaces: BTreeSet<&Text> =
        spaces.filter_map(|pods| Some(&pods.first()?.meta.namespace)).collect();
    let unknown = |object: &ObjectRef| {
        object.kind == Kind::Pod
            && !namespaces.contains(&object.namespace)
            && !lists.lists(Kind::Pod, &object.namespace)
    };
    let same = |a: &ClusterEvent, b: &ClusterEvent| a.about == b.about;
    let of_pod = |events: &[ClusterEvent]| {
        let object = events.first()?.about.as_ref().filter(|o| unknown(o))?;
        let newest = events.iter().rev().find_map(word)?;
        Some(Arc::new(pod(object, newest, events.first().map_or(0, |e| e.document))))
    };
    (Kind::Pod, events.chunk_by(same).filter_map(of_pod).collect())
}

/// These pods, of which something was said. `events` need no order.
pub(super) fn known(events: &[ClusterEvent], objects: &BTreeSet<ObjectRef>) -> Vec<Arc<Pod>> {
    let mut newest: BTreeMap<&ObjectRef, (crate::record::EventTime, &'static str, u16)> =
        BTreeMap::new();
    for event in events {
        let Some(object) = event.about.as_ref().filter(|o| objects.contains(o)) else { continue };
        let Some(word) = word(event) else { continue };
        let known = newest.entry(object).or_insert((event.last, word, event.document));
        if known.0 <= event.last {
            *known = (event.last, word, event.document);
        }
    }
    newest.into_iter().map(|(o, (_, word, from))| Arc::new(pod(o, word, from))).collect()
}

fn word(event: &ClusterEvent) -> Option<&'static str> {
    let message = event.message.to_ascii_lowercase();
    let fits =
        |(reason, part, _): &&(&str, &str, &str)| event.reason == *reason && message.contains(part);
    WORDS.iter().find(fits).map(|(_, _, word)| *word)
}

fn pod(object: &ObjectRef, word: &str, document: u16) -> Pod {
    let mut pod = Pod::default();
    pod.meta.namespace = object.namespace.clone();
    pod.meta.name = object.name.clone();
    pod.meta.source = document;
    pod.meta.known = Known::SUMMARY;
    pod.meta.live = Known::SUMMARY;
    let summary = Summary { containers: 1, status: word.into(), ..Summary::default() };
    pod.summary = Some(Box::new(summary));
    pod
}

/// Objects of a kind that have complaints and were not read, where nobody listed that kind in
/// their namespace: their metadata, as far as it is known.
fn unread<'r>(
    kind: Kind,
    events: &[ClusterEvent],
    read: impl Iterator<Item = &'r Meta>,
    lists: &Coverage,
) -> Vec<Meta> {
    let read: BTreeSet<(&Text, &Text)> = read.map(|m| (&m.namespace, &m.name)).collect();
    let about = |e: &ClusterEvent| {
        let object = e.about.as_ref().filter(|o| o.kind == kind)?;
        let known = read.contains(&(&object.namespace, &object.name));
        let complaint = e.warning || e.reason == "FailedBinding";
        let unread = complaint && !known && !lists.lists(kind, &object.namespace);
        unread.then(|| meta(object, e.document))
    };
    let mut found: Vec<Meta> = events.iter().filter_map(about).collect();
    // Events are sorted by their object.
    found.dedup_by(|b, a| a.name == b.name && a.namespace == b.namespace);
    found
}

fn meta(object: &ObjectRef, document: u16) -> Meta {
    let mut meta = Meta::default();
    meta.namespace.clone_from(&object.namespace);
    meta.name.clone_from(&object.name);
    meta.source = document;
    meta
}

/// Claims of which only complaints are known.
pub(super) fn claims(
    events: &[ClusterEvent],
    read: &[Arc<Claim>],
    lists: &Coverage,
) -> (Kind, Vec<Arc<Claim>>) {
    let read = read.iter().map(|c| &c.meta);
    let found = unread(Kind::PersistentVolumeClaim, events, read, lists).into_iter();
    let found = found.map(|meta| Arc::new(Claim { meta, ..Claim::default() }));
    (Kind::PersistentVolumeClaim, found.collect())
}

/// Claims that stateful sets make from their templates: what a claim did not show of itself, its
/// template says.
pub(super) fn from_templates(workloads: &Table<Workload>, claims: &mut [Arc<Claim>]) {
    let is_short = |c: &Claim| c.access.is_empty() || c.requested.is_none();
    if !claims.iter().any(|c| is_short(c)) {
        return;
    }
    let mut templates: BTreeMap<(&Text, String), &Claim> = BTreeMap::new();
    for set in workloads.iter().filter(|w| w.kind == Kind::StatefulSet) {
        for template in &set.claim_templates {
            let front = format!("{}-{}", template.meta.name, set.meta.name);
            templates.insert((&set.meta.namespace, front), template);
        }
    }
    for claim in claims.iter_mut().filter(|c| is_short(c)) {
        let Some((front, number)) = claim.meta.name.rsplit_once('-') else { continue };
        if number.bytes().all(|b| b.is_ascii_digit()) {
            let key = (&claim.meta.namespace, front.to_owned());
            let template = templates.get(&key).copied();
            if template.is_some() {
                Arc::make_mut(claim).complete(template);
            }
        }
    }
}

/// Services of which only complaints about their load balancer are known: they ask for one and
/// have none.
pub(super) fn services(
    events: &[ClusterEvent],
    read: &[Arc<Service>],
    lists: &Coverage,
) -> (Kind, Vec<Arc<Service>>) {
    // That of MetalLB has no such word in it.
    let is = |reason: &str| reason.contains("LoadBalancer") || reason == "AllocationFailed";
    let told = events.iter().filter(|e| is(&e.reason));
    let told: Vec<ClusterEvent> = told.cloned().collect();
    let found = unread(Kind::Service, &told, read.iter().map(|s| &s.meta), lists).into_iter();
    let service = |mut meta: Meta| {
        (meta.known, meta.live) = (Known::STATUS, Known::STATUS);
        Arc::new(Service { meta, kind: "LoadBalancer".into(), ..Service::default() })
    };
    (Kind::Service, found.map(service).collect())
}

/// Services of which only the log of the controller of load balancers tells.
pub(super) fn services_of_logs(
    logs: &[LogLines],
    read: &[Arc<Service>],
    lists: &Coverage,
) -> (Kind, Vec<Arc<Service>>) {
    let mut found: BTreeMap<(String, String), u16> = BTreeMap::new();
    for log in logs.iter().filter(|l| l.unit.is_empty()) {
        for line in log.lines.iter().rev().take(BALANCER_LINES) {
            let Some((_, rest)) = line.split_once(BALANCER_FAILED) else { continue };
            let name = rest.split(' ').next().and_then(|n| n.split_once('/'));
            if let Some((namespace, name)) = name {
                found.entry((namespace.to_owned(), name.to_owned())).or_insert(log.document);
            }
        }
    }
    let unread = |(namespace, name): &(String, String)| {
        let known = read.iter().any(|s| s.meta.namespace == *namespace && s.meta.name == *name);
        !known && !lists.lists(Kind::Service, namespace)
    };
    let service = |((namespace, name), document): ((String, String), u16)| {
        let mut meta = meta(&ObjectRef::new(Kind::Service, &namespace, &name), document);
        (meta.known, meta.live) = (Known::STATUS, Known::STATUS);
        Arc::new(Service { meta, kind: "LoadBalancer".into(), ..Service::default() })
    };
    (Kind::Service, found.into_iter().filter(|(n, _)| unread(n)).map(service).collect())
}

/// After these words the controller of load balancers names a Service it could not serve.
const BALANCER_FAILED: &str = "error processing service ";

/// Lines at the end of a log that are looked at.
const BALANCER_LINES: usize = 2000;

/// Autoscalers of which only complaints are known.
pub(super) fn scalers(
    events: &[ClusterEvent],
    read: &[Arc<Scaler>],
    lists: &Coverage,
) -> (Kind, Vec<Arc<Scaler>>) {
    let read = read.iter().map(|s| &s.meta);
    let found = unread(Kind::HorizontalPodAutoscaler, events, read, lists).into_iter();
    let found = found.map(|meta| Arc::new(Scaler { meta, ..Scaler::default() }));
    (Kind::HorizontalPodAutoscaler, found.collect())
}

/// What may tell of nodes: events, system units, their logs, tools run on machines.
type Told<'a> = (&'a [ClusterEvent], &'a [UnitState], &'a [LogLines], &'a [HostFact]);

/// Gives a name to the machine of logs and figures that do not say which one they are of: the
/// only node's, where one was read, else one that says that it is not known.
pub(super) fn name_hosts(read: &[Arc<Node>], logs: &mut [LogLines], hosts: &mut [HostFact]) {
    let first = read.first().map(|n| &n.meta.name);
    let only = first.filter(|f| read.iter().all(|n| n.meta.name == **f));
    let name = only.cloned().unwrap_or(Text::const_new(UNNAMED_HOST));
    let logs = logs.iter_mut().filter(|l| !l.unit.is_empty()).map(|l| &mut l.name);
    for node in logs.chain(hosts.iter_mut().map(|h| &mut h.node)).filter(|n| n.is_empty()) {
        node.clone_from(&name);
    }
}

/// Nodes that were not read but have events, system units or logs of such. Where all nodes were
/// listed, another name is a machine that is none of them. A machine may call itself by the
/// first part of its node's name.
pub(super) fn nodes(
    read: &[Arc<Node>],
    pods: &[Arc<Pod>],
    (events, units, logs, hosts): Told<'_>,
    lists: &Coverage,
) -> Vec<Arc<Node>> {
    let listed = lists.lists(Kind::Node, "");
    let about = events.iter().filter_map(|e| Some((e.about.as_ref()?, e.document)));
    let about = about.filter(|(o, _)| o.kind == Kind::Node).map(|(o, d)| (&o.name, d));
    let units = units.iter().map(|u| (&u.node, u.document));
    let logs = logs.iter().filter(|l| !l.unit.is_empty()).map(|l| (&l.name, l.document));
    let hosts = hosts.iter().map(|h| (&h.node, h.document));
    // A tool may have been run inside of a pod.
    let known = |name: &str| {
        let read = read.iter().any(|n| is_host_of(name, &n.meta.name));
        read || pods.iter().any(|p| p.meta.name == name)
    };
    let mut names: BTreeMap<&Text, u16> = BTreeMap::new();
    let told = about.chain(units).chain(logs).chain(hosts);
    for (name, document) in told.filter(|(n, _)| !n.is_empty()) {
        names.entry(name).or_insert(document);
    }
    let unread = names
        .into_iter()
        .filter(|(name, _)| if listed { *name == UNNAMED_HOST } else { !known(name) });
    let node = |(name, document): (&Text, u16)| {
        let mut node = Node::default();
        node.meta.name = name.clone();
        node.meta.source = document;
        Arc::new(node)
    };
    unread.map(node).collect()
}

/// Whether a machine that calls itself `host` is the node of this name.
pub(super) fn is_host_of(host: &str, node: &str) -> bool {
    node.strip_prefix(host).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        && !host.is_empty()
}
