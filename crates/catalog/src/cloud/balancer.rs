//! Load balancers of Services: who makes them, what their makers complain about, and which of
//! them are one and the same.

use model::record::{ClusterEvent, Known, Service, ServicePort};
use model::{App, Evidence, Kind, Snapshot};

use crate::evidence;
use crate::wording;

/// Parts of the names of programs that make load balancers.
const CONTROLLERS: [&str; 6] = [
    "cloud-controller-manager",
    "aws-load-balancer-controller",
    "metallb-controller",
    "kube-vip-cloud-provider",
    "cloud-provider-kind",
    "load-balancer-controller",
];

/// A complaint is over when it was not repeated for this long, in seconds.
const OVER_SECONDS: i64 = 2 * 3_600;

/// Whether a load balancer is asked for.
pub(super) fn is_wanted(service: &Service) -> bool {
    service.kind == "LoadBalancer" && service.meta.deleting.is_none()
}

/// Whether one is asked for and none was given.
pub(super) fn is_pending(service: &Service) -> bool {
    is_wanted(service) && service.meta.shows(Known::STATUS) && service.points.is_empty()
}

/// The program that makes load balancers, if it runs in the cluster.
pub(super) fn controller(now: &Snapshot) -> Option<&App> {
    let metallb = |a: &App| a.object.namespace == "metallb-system" && a.object.name == "controller";
    let named = |a: &&App| {
        let name = a.object.name.as_str();
        metallb(a) || CONTROLLERS.iter().any(|c| name.contains(c))
    };
    let makes_pods = |a: &&App| !matches!(a.object.kind, Kind::Job | Kind::CronJob);
    now.apps.iter().filter(makes_pods).find(named)
}

/// The newest complaint about a Service's load balancer.
pub(super) fn complaint<'s>(service: &Service, now: &'s Snapshot) -> Option<&'s ClusterEvent> {
    let object = service.meta.object(Kind::Service);
    let about = now.events_about(&object).iter().rev().filter(|e| e.warning);
    let mut told = about.filter(|e| wording::is_balancer_complaint(&e.reason, &e.message));
    told.find(|e| evidence::is_recent(e, now, OVER_SECONDS))
}

/// Lines at the end of a controller's log that are looked at.
const LAST_LINES: usize = 2000;

/// What the log of their controller says of a Service's load balancer, from the words of the
/// complaint on.
pub(super) fn logged<'s>(service: &Service, now: &'s Snapshot) -> Option<(&'s str, Evidence)> {
    let named = format!("service {}/{} ", service.meta.namespace, service.meta.name);
    now.logs.iter().filter(|l| l.unit.is_empty()).find_map(|log| {
        let last = log.lines.iter().rev().take(LAST_LINES);
        let line =
            last.filter(|l| l.contains(&named)).find(|l| wording::is_balancer_complaint("", l))?;
        let text = line
            .split_once("failed to ensure load balancer: ")
            .map_or(line.as_str(), |(_, after)| after);
        let value: String = line.chars().take(300).collect();
        let object = service.meta.object(Kind::Service);
        let field = format!("log of {}", log.name);
        Some((text, evidence::field(log.document, &object, field, value)))
    })
}

/// The load balancer that a Service names, so that several can share it.
fn named(service: &Service) -> Option<&str> {
    const KEYS: [&str; 5] = [
        "service.beta.kubernetes.io/alibaba-cloud-loadbalancer-id",
        "service.beta.kubernetes.io/alicloud-loadbalancer-id",
        "kubernetes.io/elb.id",
        "service.kubernetes.io/tke-existed-lbid",
        "loadbalancer.openstack.org/load-balancer-id",
    ];
    KEYS.iter().find_map(|k| service.meta.annotation(k)).filter(|id| !id.is_empty())
}

/// Why two Services have one load balancer.
pub(super) fn shared(a: &Service, b: &Service, now: &Snapshot) -> Option<String> {
    if let (Some(x), Some(y)) = (named(a), named(b)) {
        return (x == y).then(|| format!("both name load balancer {x}"));
    }
    if !a.wanted_address.is_empty() && a.wanted_address == b.wanted_address {
        return Some(format!("both ask for address {}", a.wanted_address));
    }
    if let Some(point) = a.points.iter().find(|p| b.points.contains(p)) {
        return Some(format!("both have {point}"));
    }
    // K3s serves all of them on the addresses of its nodes.
    let by_nodes = now
        .apps_in("kube-system")
        .iter()
        .any(|d| d.object.kind == Kind::DaemonSet && d.object.name.starts_with("svclb-"));
    by_nodes.then(|| "both are served on the addresses of the nodes".to_owned())
}

/// Ports of two Services that are the same.
pub(super) fn same_ports<'a>(a: &'a Service, b: &Service) -> Vec<&'a ServicePort> {
    let protocol =
        |p: &ServicePort| if p.protocol.is_empty() { "TCP".into() } else { p.protocol.clone() };
    let same =
        |p: &&ServicePort| b.ports.iter().any(|q| q.port == p.port && protocol(p) == protocol(q));
    a.ports.iter().filter(same).collect()
}
