//! Connections that a workload's log says to have failed and that a network policy does not let
//! through: found from the lines themselves, where neither settings nor Services were shown.
//!
//! A connection that was refused got through; it is never counted here.

use std::collections::BTreeMap;

use model::record::{Known, NetworkPolicy};
use model::{App, Certainty, Evidence, Finding, Findings, Kind, LogLines, ObjectRef, Snapshot};

use crate::evidence;
use crate::pod::log_lines::{self, Says};
use crate::pod::peer::{self, Named};
use crate::service::misrouted::traffic::{self, Traffic, Way};

const ID: &str = super::super::dependency_failing::KIND.id;

/// Lines at the end of a log that are read.
const LAST_LINES: usize = 60;

/// A client and the peer that a policy keeps from it.
pub(in crate::workload) type Blocked = (ObjectRef, String);

/// A connection that a policy stops.
struct Stopped<'s> {
    client: &'s App,
    host: String,
    way: Way,
    wanted: String,
    line: Evidence,
}

/// Tells of each policy that stops what logs complain of; returns who complained of whom.
pub(in crate::workload) fn detect(now: &Snapshot, findings: &mut Findings) -> Vec<Blocked> {
    if now.policies.is_empty() || now.logs.is_empty() {
        return Vec::new();
    }
    let owners = log_lines::owners(now);
    let mut found: BTreeMap<ObjectRef, (&NetworkPolicy, Vec<Stopped<'_>>)> = BTreeMap::new();
    for log in now.logs.iter().filter(|l| l.unit.is_empty()) {
        let Some(app) = owners.of(log).and_then(|i| now.apps.get(i)) else { continue };
        let Some((policy, stopped)) = of_log(app, log, now) else { continue };
        let object = policy.meta.object(Kind::NetworkPolicy);
        let (_, all) = found.entry(object).or_insert_with(|| (policy, Vec::new()));
        if !all.iter().any(|s| s.client.object == stopped.client.object) {
            all.push(stopped);
        }
    }
    let mut blocked = Vec::new();
    for (object, (policy, all)) in found {
        blocked.extend(all.iter().map(|s| (s.client.object.clone(), s.host.clone())));
        findings.found.extend(finding(object, policy, &all));
    }
    blocked
}

/// The newest line of a log about a connection that a policy stops.
fn of_log<'s>(
    app: &'s App,
    log: &'s LogLines,
    now: &'s Snapshot,
) -> Option<(&'s NetworkPolicy, Stopped<'s>)> {
    log.lines.iter().rev().take(LAST_LINES).find_map(|line| {
        let said = log_lines::meaning(line)?;
        let silent = matches!(said, Says::ConnectionFailed | Says::AnswersLate);
        let nameless = matches!(said, Says::NameUnknown | Says::NameResolutionDown);
        let refused = line.to_ascii_lowercase().contains("refused");
        let named = peer::named(app, line, now).filter(|_| (silent || nameless) && !refused)?;
        let (policy, way, wanted) =
            if nameless { names(app, named, now)? } else { connection(app, named, now)? };
        let line = log_lines::fact(app, log, line);
        Some((policy, Stopped { client: app, host: named.host.to_owned(), way, wanted, line }))
    })
}

type Stop<'s> = (&'s NetworkPolicy, Way, String);

/// The policy that keeps a workload from the name service.
fn names<'s>(app: &'s App, named: Named<'_>, now: &'s Snapshot) -> Option<Stop<'s>> {
    let (name, namespace) = peer::parts(named.host, &app.object.namespace);
    // A name that nobody has does not resolve for anybody.
    if peer::is_in_cluster(named.host, now) && now.is_missing(Kind::Service, namespace, name) {
        return None;
    }
    let stop = Traffic::between(app, app, (53, "UDP"), now)?.names(true)?;
    Some((stop.policy, stop.way, "53/UDP and 53/TCP".to_owned())).filter(|_| stop.shown)
}

/// The policy that keeps a workload from the pods of its peer.
fn connection<'s>(app: &'s App, named: Named<'_>, now: &'s Snapshot) -> Option<Stop<'s>> {
    let own = app.object.namespace.as_str();
    let service = peer::service_of(named.host, own, now);
    let (name, namespace) = match service {
        Some(s) => (s.meta.name.as_str(), s.meta.namespace.as_str()),
        None if peer::is_address(named.host) => return None,
        None => peer::parts(named.host, own),
    };
    let by_name = || traffic::called(namespace, name, now);
    let to = service.and_then(|s| traffic::behind(s, now)).or_else(by_name);
    let to = to.filter(|to| to.object != app.object)?;
    let port = named.port.or_else(|| peer::setting(app, named, now).and_then(|p| p.port));
    let used = service.and_then(|s| {
        let asked = s.ports.iter().find(|p| Some(p.port) == port);
        asked.or_else(|| s.ports.first().filter(|_| port.is_none()))
    });
    let target = used.and_then(|p| {
        let target = p.target_port.clone().unwrap_or(model::record::Port::Number(p.port));
        to.resolve_port(&target)
    });
    let number = target.or(port).unwrap_or(0);
    let protocol = used.map_or("TCP", |p| p.protocol.as_str());
    let wanted = format!("{number}/{}", if protocol.is_empty() { "TCP" } else { protocol });
    match Traffic::between(app, to, (number, protocol), now) {
        Some(traffic) => {
            let stop = traffic.stop().filter(|s| s.shown && s.way != Way::Names)?;
            let ports_matter = !no_rules(stop.policy, stop.way);
            Some((stop.policy, stop.way, wanted)).filter(|_| number > 0 || !ports_matter)
        }
        // Labels were not shown: only what holds for all pods is known.
        None => Some((shut_to_all(namespace, now)?, Way::Entry, wanted)),
    }
}

fn no_rules(policy: &NetworkPolicy, way: Way) -> bool {
    let rules = if way == Way::Entry { &policy.ingress } else { &policy.egress };
    rules.as_ref().is_some_and(|r| r.is_empty())
}

/// The policy that lets nothing into any pod of a namespace, where no other one opens anything.
fn shut_to_all<'s>(namespace: &str, now: &'s Snapshot) -> Option<&'s NetworkPolicy> {
    let mut about =
        now.policies.in_namespace(namespace).filter(|p| p.ingress.is_some() || !shown(p));
    let first = about.next().filter(|p| shown(p) && p.pods.is_empty())?;
    let alone = about.next().is_none() && no_rules(first, Way::Entry);
    Some(first).filter(|_| alone)
}

fn shown(policy: &NetworkPolicy) -> bool {
    policy.meta.known.has(Known::SPEC)
}

fn finding(object: ObjectRef, policy: &NetworkPolicy, all: &[Stopped<'_>]) -> Option<Finding> {
    let first = all.first()?;
    let (client, host) = (&first.client.object, &first.host);
    let headline = match first.way {
        Way::Names => format!(
            "NetworkPolicy {object} does not let {} {client} ask the name service (port 53), so \
             it does not find {host}",
            client.kind
        ),
        _ => format!(
            "NetworkPolicy {object} does not let {} {client} reach {host} at {}",
            client.kind, first.wanted
        ),
    };
    let (field, expected) = match first.way {
        Way::Entry => ("spec.ingress", format!("a rule from {client}, port {}", first.wanted)),
        Way::Exit => ("spec.egress", format!("a rule to {host}, port {}", first.wanted)),
        Way::Names => ("spec.egress", format!("a rule to the name service, {}", first.wanted)),
    };
    let selects = if policy.pods.is_empty() { "all pods".into() } else { policy.pods.to_string() };
    let look = format!("kubectl exec {} -- nc -zv -w 3 {host} 1", client.for_kubectl());
    let look = look.replace(" 1", &format!(" {}", first.wanted.split('/').next().unwrap_or("1")));
    let mut finding = Finding::new(ID, "network-policy-blocks", object.clone(), headline)
        .field(field, "no rule admits it", expected)
        .since(policy.meta.created)
        .evidence(all.iter().take(4).map(|s| s.line.clone()))
        .evidence([evidence::field(policy.meta.source, &object, "spec.podSelector", selects)]);
    for stopped in all {
        let how = format!("does not reach {}", stopped.host);
        finding = finding.affects(stopped.client.object.clone(), how);
        finding.impact.replicas += stopped.client.lost_replicas();
    }
    if first.way == Way::Names {
        finding = finding.unsure(Certainty::Likely, &["name-unresolved"], look);
    }
    Some(finding)
}
