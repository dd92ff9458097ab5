//! `node-system-oom`: a node runs out of memory and the kernel kills processes on it.

mod hog;
mod kill;

use model::record::{ClusterEvent, Node};
use model::{
    Act, Certainty, Evidence, Factor, Finding, Findings, Gap, Impact, Kind, Patch, Quantity,
    Remedy, Role, Scenario, Snapshot, State, Step, Timestamp, Truth,
};

use crate::evidence;
use crate::observability::resource_alerts_missing::{self, Resource};
use crate::wording::{between, says};
use hog::Hog;
use kill::{Kill, Scope};

failure! {
    /// # A node runs out of memory
    ///
    /// ## Signs
    /// Events `SystemOOM` ("System OOM encountered, victim process: java, pid: 4711") or
    /// `OOMKilling` about the node; in the kernel's log "invoked oom-killer" and "Out of memory:
    /// Killed process". Containers end with exit code 137, often of workloads that did nothing
    /// wrong. The kubelet or the runtime may be killed too, then the node is lost. Before that
    /// the node may say MemoryPressure True, and the kubelet "Attempting to reclaim memory".
    ///
    /// ## Why it happens
    /// The scheduler looks at requests only. Containers that ask for little and have no limit
    /// may take all memory of the node; then the kernel kills by a score, and the victim is
    /// rarely the one that took the memory. The kubelet evicts pods before that only when the
    /// memory shrinks slowly: it looks every ten seconds.
    ///
    /// "Memory cgroup out of memory" is another thing: one container reached its own limit and
    /// the node has memory left. Only when the group that ran out is `/kubepods` itself do all
    /// pods together have more than the node gives them.
    ///
    /// ## What we do
    /// 1. Find the workload that holds the memory: `kubectl top pods`, the kernel's list of
    ///    tasks, exit codes 137.
    /// 2. Give it a memory limit, or move it to a node that has room.
    /// 3. Look whether the kubelet and the runtime still live.
    ///
    /// Do not replace or reboot the node first: the workload moves on and takes the next one.
    ///
    /// ## How to avoid it
    /// Memory limits for all containers, a LimitRange in every namespace, memory reserved for
    /// the system (`systemReserved`, `kubeReserved`), eviction thresholds above zero.
    ///
    /// ## Sources
    /// Kubernetes documentation, "Node-pressure eviction" and "Reserve compute resources for
    /// system daemons"; kernel documentation of the memory controller.
    id: "node-system-oom",
    mechanisms: {
        "container-without-limit": "a container without a memory limit takes its memory",
        "memory-exhausted": "its processes need more memory than it has",
        "pods-exhausted": "its pods together need more memory than it gives to pods",
    },
    reads: [Node, Event, Pod, Deployment, StatefulSet, LimitRange],
    leads_to: [
        "node-not-ready",
        "node-overloaded",
        "node-pleg-stalled",
        "node-runtime-hung",
        "node-unknown",
        "pod-crash-looping",
        "pod-evicted-memory",
        "pod-probe-failing",
        "pod-probe-failing-node-loaded",
        "pod-sandbox-failing",
        "service-without-endpoints",
    ],
    detect: Nodes(detect),
    exposed: exposed,
    remedy: remedy,
    prevent: prevent,
    rehearse: rehearse,
}

/// An event that came this long ago still speaks of now, in seconds.
const CURRENT_SECONDS: i64 = 900;

/// A kill with what is known of when it was.
struct Told {
    kill: Kill,
    first: Option<Timestamp>,
    last: Option<Timestamp>,
    /// Whether it has a time: a line of a log is not dated.
    dated: bool,
    count: u32,
    evidence: Evidence,
}

fn detect(node: &Node, now: &Snapshot, findings: &mut Findings) {
    let told = told(node, now);
    let object = node.meta.object(Kind::Node);
    let (own, short): (Vec<Told>, Vec<Told>) =
        told.into_iter().partition(|t| t.kill.scope == Scope::Container);
    if short.iter().all(|t| !is_current(t, node, now))
        && let Some(finding) = under_pressure(node, now)
    {
        return findings.push(finding);
    }
    if short.is_empty() {
        if let Some(last) = own.last() {
            let process = &last.kill.process;
            let why = format!("{process} was killed for the limit of its own container");
            findings.rule_out(KIND.id, object, why);
        }
        return;
    }
    let (current, over): (Vec<&Told>, Vec<&Told>) =
        short.iter().partition(|t| is_current(t, node, now));
    let Some(newest) = current.last() else {
        let last = over.last().and_then(|t| t.last).map(|t| format!(", last at {t}"));
        let what = format!("node {object} ran out of memory{}", last.unwrap_or_default());
        return findings.stale(what, "the node has been ready since");
    };
    let finding = finding(node, newest, &current, now);
    // A line without a date beside a node that is well may be from last year.
    let well = node.ready() == Some(Truth::True) && current.iter().all(|t| !t.dated);
    let quiet = well && finding.impact.is_none();
    let finding = if quiet { finding.state(State::Suspected) } else { finding };
    findings.push(finding);
}

/// Every kill on the node, the newest last.
fn told(node: &Node, now: &Snapshot) -> Vec<Told> {
    let object = node.meta.object(Kind::Node);
    let mut all: Vec<Told> = Vec::new();
    for log in now.unit_logs(&node.meta.name) {
        if !matches!(log.unit.as_str(), "kernel" | "journal" | "kubelet" | "dmesg") {
            continue;
        }
        all.extend(kill::of_log(&log.lines).into_iter().map(|kill| {
            let fact = (log.document, format!("log of {}", log.unit), kill.text.clone());
            let evidence = evidence::field(fact.0, &object, fact.1, fact.2);
            Told { kill, first: None, last: None, dated: false, count: 1, evidence }
        }));
    }
    for event in now.events_about(&object) {
        if !matches!(event.reason.as_str(), "SystemOOM" | "OOMKilling" | "SystemOom") {
            continue;
        }
        let Some(kill) = kill::of_text(&event.message) else { continue };
        let Some(evidence) = evidence::event(event, now) else { continue };
        let (first, last) = (evidence::first_time(event, now), evidence::last_time(event, now));
        all.push(Told { kill, first, last, dated: true, count: event.count, evidence });
    }
    all.sort_by_key(|t| (t.dated, t.last));
    all
}

/// Whether a kill still speaks of now: it is recent, or came just before the node was lost.
fn is_current(told: &Told, node: &Node, now: &Snapshot) -> bool {
    let Some(last) = told.last else { return true };
    let unready = node.condition("Ready").filter(|c| c.status != Truth::True);
    let near = unready.and_then(|c| c.since).map(|since| last.since(since).abs());
    now.now.since(last) <= CURRENT_SECONDS || near.is_some_and(|s| s <= CURRENT_SECONDS)
}

fn finding(node: &Node, newest: &Told, current: &[&Told], now: &Snapshot) -> Finding {
    let object = node.meta.object(Kind::Node);
    let pods = current.iter().all(|t| t.kill.scope == Scope::Pods);
    let mechanism = if pods { "pods-exhausted" } else { "memory-exhausted" };
    let hog = hog::of(node, now);
    let kills: u32 = current.iter().map(|t| t.count).fold(0, u32::saturating_add);
    let mut headline = format!("node {object} runs out of memory: the kernel kills {}", {
        match newest.kill.process.as_str() {
            "" => "processes on it".to_owned(),
            name => format!("{name}{}", held(newest.kill.resident_bytes)),
        }
    });
    if kills > 1 {
        headline = format!("{headline}, {kills} kills so far");
    }
    let blamed = hog.as_ref().filter(|h| h.unlimited.is_some() && (h.killed || h.bytes.is_some()));
    let mut finding = match blamed {
        Some(hog) => of_hog(hog, node),
        None => Finding::new(KIND.id, mechanism, object.clone(), headline),
    };
    if let (None, Some(hog)) = (blamed, &hog) {
        finding.factors.extend(hog.unlimited.is_some().then(|| limits_missing(hog)));
    }
    finding.factors.extend(resource_alerts_missing::factor(Resource::Memory, now));
    finding = finding
        .since(current.iter().filter_map(|t| t.first).min())
        .evidence(current.iter().rev().take(3).map(|t| t.evidence.clone()))
        .evidence(figures(node, now));
    let unready = node.ready().is_some_and(|r| r != Truth::True);
    let count = format!("out of memory, {kills} processes killed");
    finding = finding
        .affects(object, count)
        .impact(Impact { nodes: u32::from(unready), ..Impact::default() });
    super::affected_pods(finding, node, now)
}

/// The kubelet says that its node is short of memory: it evicts pods before the kernel kills.
fn under_pressure(node: &Node, now: &Snapshot) -> Option<Finding> {
    let condition = node.condition("MemoryPressure").filter(|c| c.status == Truth::True)?;
    let object = node.meta.object(Kind::Node);
    let hog = hog::of(node, now);
    let mut finding = match hog.as_ref().filter(|h| h.unlimited.is_some() && h.bytes.is_some()) {
        Some(hog) => of_hog(hog, node),
        None => {
            let headline = format!("node {object} is short of memory, and its kubelet evicts pods");
            Finding::new(KIND.id, "memory-exhausted", object.clone(), headline).field(
                "status.conditions[MemoryPressure]",
                "True",
                "False",
            )
        }
    };
    let tries =
        |e: &&ClusterEvent| e.reason == "EvictionThresholdMet" && says(&e.message, &["memory"]);
    let told = now.events_about(&object).iter().rfind(tries);
    finding = finding
        .since(condition.since)
        .evidence([evidence::condition(node.meta.source, &object, condition)])
        .evidence(told.and_then(|e| evidence::event(e, now)))
        .evidence(figures(node, now))
        .affects(object, "takes no pods without requests, and evicts");
    Some(super::affected_pods(finding, node, now))
}

fn held(bytes: u64) -> String {
    match bytes {
        0 => String::new(),
        bytes => format!(" ({})", size(bytes)),
    }
}

fn size(bytes: u64) -> String {
    let mebibytes = i64::try_from(bytes >> 20).unwrap_or(i64::MAX >> 20).saturating_mul(1 << 20);
    Quantity::from_units(mebibytes).text("memory")
}

/// The finding about a workload without a limit that took the node's memory.
fn of_hog(hog: &Hog<'_>, node: &Node) -> Finding {
    let name = &hog.app.object;
    let container = hog.unlimited.map_or("", |c| c.name.as_str());
    let holds = hog.bytes.map_or_else(String::new, |b| format!(", which holds {} of it", size(b)));
    let headline =
        format!("node {} runs out of memory: {name}{holds}, has no memory limit", node.meta.name);
    let headline = if hog.bytes.is_some() {
        headline
    } else {
        format!("node {} runs out of memory: {name} has no memory limit", node.meta.name)
    };
    let field = format!("spec.template.spec.containers[{container}].resources.limits.memory");
    let mut finding = Finding::new(KIND.id, "container-without-limit", name.clone(), headline)
        .field(field, "not set", "a limit well below a node's memory");
    finding.factors.push(limits_missing(hog));
    let total = u64::try_from(node.capacity.amount("memory").units()).unwrap_or(0);
    if hog.bytes.is_some_and(|b| total > 0 && b >= total / 2) {
        return finding;
    }
    let look = "kubectl top pods -A --sort-by=memory".to_owned();
    finding.unsure(Certainty::Likely, &["memory-exhausted"], look)
}

fn limits_missing(hog: &Hog<'_>) -> Factor {
    Factor {
        failure: "limits-missing",
        object: hog.app.object.clone(),
        role: Role::Contributing,
        why: "without a limit one container may take all memory of a node".into(),
    }
}

/// What tools on the machine said of its memory.
fn figures(node: &Node, now: &Snapshot) -> Vec<Evidence> {
    let object = node.meta.object(Kind::Node);
    let figures = now.host_figures(&node.meta.name).filter_map(|h| match &h.figure {
        model::HostFigure::Memory { total_bytes, available_bytes, .. } => {
            let said = format!("{} of {} available", size(*available_bytes), size(*total_bytes));
            Some(evidence::field(h.document, &object, "memory", said))
        }
        _ => None,
    });
    figures.take(1).collect()
}

/// Namespaces in which a container without a limit gets none.
fn exposed(now: &Snapshot, gaps: &mut Vec<Gap>) {
    let mut namespaces: Vec<&str> = Vec::new();
    for app in &now.apps {
        let namespace = app.object.namespace.as_str();
        let known = namespaces.last() == Some(&namespace);
        if known || super::lost_cascade::unlimited(app).is_empty() {
            continue;
        }
        namespaces.push(namespace);
        let mut ranges = now.limit_ranges.in_namespace(namespace);
        let given = ranges.any(|r| r.items.iter().any(|i| i.default.get("memory").is_some()));
        if !given && now.coverage.lists(Kind::LimitRange, namespace) {
            gaps.push(Gap {
                failure: KIND.id,
                object: model::ObjectRef::new(Kind::Namespace, "", namespace),
                field: "LimitRange spec.limits[Container].default.memory".into(),
                why: "containers without a memory limit are given none here".into(),
            });
        }
    }
}

fn remedy(finding: &Finding, now: &Snapshot) -> Remedy {
    let object = &finding.object;
    let mut next = vec![Step::look(
        "See who holds the memory",
        "kubectl top pods -A --sort-by=memory | head -15",
    )];
    let app = now.app(object);
    let container = finding.field.as_deref().and_then(|f| between(f, "containers[", "]"));
    let limit = app.and_then(|a| super::lost_cascade::limit_for(a, container?, now));
    if let (Some(container), Some(limit)) = (container, limit) {
        let target = object.for_kubectl();
        next.push(Step::change(
            format!("Give container {container} a memory limit"),
            format!("kubectl set resources {target} -c {container} --limits=memory={limit}"),
            format!("kubectl rollout undo {target}"),
        ));
    } else {
        next.push(Step::advice("Give the workload that holds the most a memory limit"));
    }
    let nodes = finding.affected.iter().map(|a| &a.object).filter(|o| o.kind == Kind::Node);
    for node in nodes.take(1) {
        let command = super::on_host(&node.name, "systemctl is-active kubelet containerd; free -m");
        next.push(Step::look("See whether the kubelet and the runtime still live", command));
    }
    Remedy {
        next,
        do_not: vec![
            "Do not replace or reboot the node first: what took its memory moves to the next one"
                .into(),
            "Do not raise limits of the containers that were killed: they are mostly victims"
                .into(),
        ],
    }
}

/// A LimitRange is an object of its own; there is none yet that a patch could change.
fn prevent(_: &Gap, _: &Snapshot) -> Option<Patch> {
    None
}

fn rehearse() -> Option<Scenario> {
    let hog = drill_deployment!(
        "glutton",
        replicas: 1,
        container: "image: 'reg.example/team/glutton:1.0'"
    );
    let act = "The kernel of a node without memory kills a process and the kubelet says so.";
    Some(Scenario {
        story: "A workload without a memory limit takes all memory of one node.",
        acts: vec![
            (10, Act::Apply(hog)),
            (60, Act::GrowMemory { workload: "shop/glutton", bytes_per_second: 256 << 20 }),
            (90, Act::Unmodelled(act)),
        ],
        found_within_seconds: 300,
    })
}

#[cfg(test)]
mod tests;
