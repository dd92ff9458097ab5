//! What was seen of a component of the control plane: its system unit, its pods, its lease, its
//! health. Shared by all kinds about the control plane. It must never judge who suffers.

use model::record::{ClusterEvent, Known, Lease, Phase, Pod};
use model::{App, Evidence, Kind, ObjectRef, Snapshot, Timestamp, Truth};

use crate::evidence;
use crate::wording::{self, says};

/// Where components run as pods.
pub(crate) const SYSTEM: &str = "kube-system";

/// How a component is.
pub(crate) enum Standing<'s> {
    /// It was seen stopped, not ready or silent.
    Down(Down<'s>),
    /// It was seen working.
    Works,
    /// Nobody looked.
    Unseen,
}

/// What shows that a component is down.
pub(crate) struct Down<'s> {
    /// What was seen, the surest first.
    pub(crate) evidence: Vec<Evidence>,
    /// Its pods that are not ready.
    pub(crate) pods: Vec<&'s Pod>,
    /// Machines on which its unit was seen stopped.
    pub(crate) nodes: Vec<&'s str>,
    /// Last sign of life.
    pub(crate) since: Option<Timestamp>,
    /// Whether it was seen itself, not only missed.
    pub(crate) seen: bool,
}

/// A lease that nobody renewed for this long, while others were renewed, has no holder. Leaders
/// renew theirs every 2 s and lose it after 15.
const LEASE_STALE_SECONDS: i64 = 60;

/// How `component` is.
pub(crate) fn of<'s>(component: &str, now: &'s Snapshot) -> Standing<'s> {
    let mut down = Down { evidence: vec![], pods: vec![], nodes: vec![], since: None, seen: true };
    let units = now.units.iter().filter(|u| u.unit == component);
    let (up, stopped): (Vec<_>, Vec<_>) = units.partition(|u| u.active);
    let object = ObjectRef::component(component);
    for unit in &stopped {
        let place = if unit.node.is_empty() { "this machine" } else { unit.node.as_str() };
        let field = format!("systemctl status {component} on {place}");
        down.evidence.push(evidence::field(unit.document, &object, field, unit.state.clone()));
        down.nodes.extend(Some(unit.node.as_str()).filter(|n| !n.is_empty()));
    }
    let pods = pods_of(component, now);
    let (ready, unready): (Vec<&Pod>, Vec<&Pod>) =
        pods.iter().copied().partition(|p| p.is_ready() != Some(false));
    down.evidence.extend(unready.iter().map(|p| not_ready(p)));
    down.since = unready.iter().filter_map(|p| p.ready.and_then(|r| r.since)).min();
    down.pods = unready;
    let lease = stale_lease(component, now);
    if let Some((lease, fresh)) = lease.filter(|(l, _)| !acted_since(component, l, now)) {
        down.since = lease.renewed;
        down.evidence.push(lease_evidence(lease, fresh));
        return Standing::Down(down);
    }
    if !up.is_empty() || !ready.is_empty() {
        return Standing::Works;
    }
    if !down.evidence.is_empty() {
        return Standing::Down(down);
    }
    if let Some(fact) = unhealthy(component, now).filter(|_| !lives(component, now)) {
        return Standing::Down(Down { evidence: vec![fact], seen: false, ..down });
    }
    if let Some(fact) = missing(component, &pods, now) {
        return Standing::Down(Down { evidence: vec![fact], seen: false, ..down });
    }
    Standing::Unseen
}

/// Pods of a component: static pods are named after it and their node.
pub(crate) fn pods_of<'s>(component: &str, now: &'s Snapshot) -> Vec<&'s Pod> {
    let own = |a: &&App| {
        let rest = a.object.name.strip_prefix(component);
        match rest {
            Some("") => true,
            Some(rest) => rest.starts_with('-') && a.object.kind == Kind::Pod,
            None => false,
        }
    };
    now.apps_in(SYSTEM).iter().filter(own).flat_map(App::running).collect()
}

fn not_ready(pod: &Pod) -> Evidence {
    let words: Vec<&str> = pod.words().filter(|w| !w.is_empty()).collect();
    let value = if words.is_empty() { "not ready".to_owned() } else { words.join(", ") };
    evidence::field(pod.meta.source, &pod.meta.object(Kind::Pod), "status", value)
}

/// The component's lease when it is old while others were renewed, with the newest renewal.
fn stale_lease<'s>(component: &str, now: &'s Snapshot) -> Option<(&'s Lease, Timestamp)> {
    let lease = now.leases.get(SYSTEM, component)?;
    let others = now.leases.iter().filter(|l| l.meta.name != component);
    let newest = others.filter_map(|l| l.renewed).max()?;
    (newest.since(lease.renewed?) > LEASE_STALE_SECONDS).then_some((lease, newest))
}

/// Whether the component said something well after the last renewal: then it elects no leader.
fn acted_since(component: &str, lease: &Lease, now: &Snapshot) -> bool {
    let Some(renewed) = lease.renewed else { return true };
    now.events.iter().any(|e| {
        let late = evidence::last_time(e, now).map(|t| t.since(renewed) > LEASE_STALE_SECONDS);
        is_of(component, e) && late == Some(true)
    })
}

/// Whether the scheduler or the controller manager tells this event.
fn is_of(component: &str, e: &ClusterEvent) -> bool {
    match component {
        "kube-scheduler" => e.source == "default-scheduler" || e.reason == "Scheduled",
        _ => e.source.ends_with("-controller") || e.reason == "SuccessfulCreate",
    }
}

/// Whether something shows that a component works which did not answer where it was asked: it
/// may run on another machine than the one that asked.
fn lives(component: &str, now: &Snapshot) -> bool {
    let newest = now.leases.iter().filter_map(|l| l.renewed).max();
    let renewed = now.leases.get(SYSTEM, component).and_then(|l| l.renewed);
    let holds = renewed.zip(newest).is_some_and(|(own, newest)| {
        let alone = now.leases.iter().filter(|l| l.renewed.is_some()).count() < 2;
        newest.since(own) <= LEASE_STALE_SECONDS
            && (!alone || now.now.since(own) <= LEASE_STALE_SECONDS)
    });
    let acts = || match component {
        "kube-scheduler" => nobody_waits_unheard(now),
        "kube-controller-manager" => {
            now.events.iter().any(|e| is_of(component, e) && evidence::is_recent(e, now, 300))
        }
        _ => false,
    };
    holds || acts()
}

/// Every pod has a node, or was told by the scheduler why not, or waits for another scheduler.
fn nobody_waits_unheard(now: &Snapshot) -> bool {
    let told = |p: &Pod| p.conditions.iter().any(|c| c.kind == "PodScheduled");
    let foreign = |p: &Pod| !matches!(p.spec.scheduler.as_str(), "" | "default-scheduler");
    let waits = move |p: &Pod| p.is_unscheduled() && !told(p) && !foreign(p);
    now.is_any_app(|a, _| a.running().next().is_some())
        && !now.is_any_app(move |a, _| a.running().any(waits))
}

fn lease_evidence(lease: &Lease, fresh: Timestamp) -> Evidence {
    let silent = lease.renewed.map(|r| model::duration_text(fresh.since(r))).unwrap_or_default();
    let value = format!("not renewed for {silent}, while other leases were");
    let object = lease.meta.object(Kind::Lease);
    let fact = evidence::field(lease.meta.source, &object, "spec.renewTime", value);
    Evidence { at: lease.renewed, ..fact }
}

/// What `componentstatuses` say: the API server asks its own machine. Ports that are closed since
/// 1.19 do not count.
fn unhealthy(component: &str, now: &Snapshot) -> Option<Evidence> {
    let name = component.trim_start_matches("kube-");
    let own = |n: &str| n == name || (name == "etcd" && n.starts_with("etcd-"));
    let all = || {
        let statuses = now.availability.iter().filter(|a| a.kind == Kind::ComponentStatus);
        statuses.filter(|a| own(&a.meta.name))
    };
    let bad = |a: &&model::record::Availability| {
        a.condition("Healthy").is_some_and(|c| {
            c.status != Truth::True && !says(c.message(), wording::CLOSED_HEALTH_PORTS)
        })
    };
    let first = all().find(bad)?;
    if !all().all(|a| bad(&a)) {
        return None;
    }
    let object = first.meta.object(Kind::ComponentStatus);
    first.condition("Healthy").map(|c| evidence::condition(first.meta.source, &object, c))
}

/// Components that kubeadm and others run as static pods.
const STATIC: [&str; 4] = ["etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler"];

/// The other components are there as pods and this one is not.
fn missing(component: &str, pods: &[&Pod], now: &Snapshot) -> Option<Evidence> {
    let listed = now.coverage.lists(Kind::Pod, SYSTEM) && pods.is_empty();
    if !listed || !STATIC.contains(&component) {
        return None;
    }
    let others = STATIC.iter().filter(|c| **c != component);
    let seen: Vec<&Pod> = others.filter_map(|c| pods_of(c, now).first().copied()).collect();
    let first = seen.first().filter(|_| seen.len() >= 2)?;
    let object = ObjectRef::new(Kind::Namespace, "", SYSTEM);
    let value = format!("no pod of {component} beside {}", first.meta.name);
    Some(evidence::field(first.meta.source, &object, "pods", value))
}

/// The node selector of a DaemonSet when no node has its labels, and the fact.
pub(crate) fn unmatched_selector(app: &App, now: &Snapshot) -> Option<(String, Evidence)> {
    let spec = app.spec().filter(|_| app.shows_spec())?;
    let selector = &spec.node_selector;
    let known = |n: &model::record::Node| n.meta.known.has(Known::LABELS);
    let fits = |n: &model::record::Node| !known(n) || selector.all_in(&n.meta.labels);
    if selector.is_empty() || now.nodes.is_empty() || now.nodes.iter().any(fits) {
        return None;
    }
    let text = selector.to_string();
    let field = "spec.template.spec.nodeSelector";
    let fact =
        evidence::field(app.document(), &app.object, field, format!("{text}; no node has it"));
    Some((text, fact))
}

/// Pods of a workload that are or may be ready, counted by its status where its pods were not
/// shown. The list of pods in `describe node` names them and says nothing of how they are.
pub(crate) fn ready(app: &App) -> i64 {
    let counted = app.workload.as_ref().map_or(0, |w| w.counts.ready);
    let may_be = |p: &&Pod| match p.is_ready() {
        Some(ready) => ready,
        None => p.phase != Phase::Pending && !p.is_unscheduled(),
    };
    if app.pods.is_empty() { counted } else { app.running().filter(may_be).count() as i64 }
}

/// The cluster as a whole, for what everybody suffers from.
pub(crate) fn everybody() -> ObjectRef {
    ObjectRef::new(Kind::Cluster, "", "cluster")
}
