//! Network policies that do not let the clients of a Service through.

use std::sync::Arc;

use model::record::{NetworkPolicy, PolicyRule, Port, Service};
use model::{App, Certainty, Finding, Findings, Impact, Kind, Labels, Snapshot, State};

use super::KIND;
use crate::evidence;
use crate::service::callers::{self, Caller};

/// Traffic from one client to one port of the pods behind a Service.
struct Traffic<'a> {
    from: &'a App,
    from_labels: &'a Labels,
    to: &'a App,
    to_labels: &'a Labels,
    /// Port of the pod: number, name and protocol.
    port: (u16, String, String),
    now: &'a Snapshot,
}

pub(super) fn detect(service: &Service, now: &Snapshot, findings: &mut Findings) {
    if service.selector.is_empty() || now.policies.is_empty() {
        return;
    }
    for caller in callers::of(service, now) {
        let Some((traffic, policy)) = blocked(service, &caller, now) else { continue };
        let dial = caller.peer.port.or(service.ports.first().map(|p| p.port));
        let dial = dial.and_then(|p| callers::dialled(service, p, now));
        if dial.is_some_and(|d| d.connected) {
            continue;
        }
        findings.push(finding(service, &caller, &traffic, policy, dial.is_some(), now));
    }
}

/// The first policy that keeps a client from the Service.
fn blocked<'a>(
    service: &Service,
    caller: &Caller<'a>,
    now: &'a Snapshot,
) -> Option<(Traffic<'a>, &'a NetworkPolicy)> {
    let apps = now.apps_selected(&service.meta.namespace, &service.selector);
    let to = *apps.first()?;
    let used = match caller.peer.port {
        Some(port) => service.ports.iter().find(|p| p.port == port)?,
        None => service.ports.first()?,
    };
    let target = used.target_port.clone().unwrap_or(Port::Number(used.port));
    let number = to.resolve_port(&target)?;
    let name = to.ports().iter().find(|(_, n, _)| *n == number).map_or("", |p| p.0).to_owned();
    let traffic = Traffic {
        from: caller.app,
        from_labels: caller.app.pod_labels()?,
        to,
        to_labels: to.pod_labels()?,
        port: (number, name, used.protocol.to_string()),
        now,
    };
    let policy = traffic.stopped_at_entry().or_else(|| traffic.stopped_at_exit())?;
    Some((traffic, policy))
}

impl<'a> Traffic<'a> {
    /// Policies of the receiving pods that say nothing for this client: one rule of any of
    /// them would do.
    fn stopped_at_entry(&self) -> Option<&'a NetworkPolicy> {
        let here = self.now.policies.in_namespace(&self.to.object.namespace);
        let about: Vec<(&NetworkPolicy, &[PolicyRule])> = here
            .filter(|p| p.pods.matches(self.to_labels))
            .filter_map(|p| Some((p, &**p.ingress.as_ref()?)))
            .collect();
        let open = about.iter().flat_map(|(_, rules)| rules.iter());
        let from = &self.from.object.namespace;
        let admits = |r: &PolicyRule| self.admits(r, self.from_labels, from);
        if open.into_iter().any(admits) { None } else { about.first().map(|(p, _)| *p) }
    }

    fn stopped_at_exit(&self) -> Option<&'a NetworkPolicy> {
        let here = self.now.policies.in_namespace(&self.from.object.namespace);
        let about: Vec<(&NetworkPolicy, &[PolicyRule])> = here
            .filter(|p| p.pods.matches(self.from_labels))
            .filter_map(|p| Some((p, &**p.egress.as_ref()?)))
            .collect();
        let open = about.iter().flat_map(|(_, rules)| rules.iter());
        let to = &self.to.object.namespace;
        let admits = |r: &PolicyRule| self.admits(r, self.to_labels, to);
        if open.into_iter().any(admits) { None } else { about.first().map(|(p, _)| *p) }
    }

    /// Whether a rule lets the traffic through, seen from the peer with these labels.
    fn admits(&self, rule: &PolicyRule, peer: &Labels, namespace: &str) -> bool {
        let (number, name, protocol) = &self.port;
        let port =
            rule.ports.is_empty() || rule.ports.iter().any(|p| p.admits(*number, name, protocol));
        let same = self.from.object.namespace == self.to.object.namespace;
        let known = self.now.named(Kind::Namespace, "", namespace);
        let unlabelled =
            Arc::new([("kubernetes.io/metadata.name", namespace)].into_iter().collect::<Labels>());
        let labels = known.map(|n| &n.meta.labels).filter(|l| !l.is_empty());
        let labels = labels.unwrap_or(&unlabelled);
        // A namespace whose labels are not in the input may well be meant.
        let unsure = |s: &model::Selector| known.is_none() && !s.matches(labels);
        let peers = rule.peers.is_empty()
            || rule.peers.iter().any(|p| {
                p.namespace_selector.as_ref().is_some_and(unsure) || p.admits(peer, same, labels)
            });
        port && peers
    }
}

fn finding(
    service: &Service,
    caller: &Caller<'_>,
    traffic: &Traffic<'_>,
    policy: &NetworkPolicy,
    dial_failed: bool,
    now: &Snapshot,
) -> Finding {
    let object = policy.meta.object(Kind::NetworkPolicy);
    let client = &caller.app.object;
    let service_object = service.meta.object(Kind::Service);
    let entry = policy.meta.namespace == service.meta.namespace
        && policy.ingress.is_some()
        && policy.pods.matches(traffic.to_labels);
    let (field, way) = if entry { ("spec.ingress", "from") } else { ("spec.egress", "to") };
    let peer = if entry { traffic.from_labels } else { traffic.to_labels };
    let (number, _, protocol) = &traffic.port;
    let protocol = if protocol.is_empty() { "TCP" } else { protocol };
    let headline = format!(
        "NetworkPolicy {object} does not let {} {client} reach Service {service_object}",
        client.kind
    );
    let fact = evidence::field(
        policy.meta.source,
        &object,
        "spec.podSelector",
        if policy.pods.is_empty() { "all pods".into() } else { policy.pods.to_string() },
    );
    let selects = evidence::field(
        caller.app.document(),
        client,
        caller.field(),
        format!("{}:{}", caller.peer.host, caller.peer.port.unwrap_or(*number)),
    );
    let mut finding = Finding::new(KIND.id, "network-policy-blocks", object, headline)
        .field(
            field,
            "no rule admits it",
            format!("a rule {way} pods with {peer}, port {number}/{protocol}"),
        )
        .evidence([fact, selects])
        .affects(client.clone(), format!("may not reach Service {service_object}"));
    let failed = dial_failed || complains(caller, now);
    if failed {
        let dial = caller.peer.port.and_then(|p| callers::dialled(service, p, now));
        return finding
            .evidence(dial.map(|d| callers::dial_evidence(service, d)))
            .impact(Impact { services: 1, ..Impact::default() });
    }
    // Whether policies are enforced at all is up to the network plugin.
    let port = caller.peer.port.unwrap_or(*number);
    let look =
        format!("kubectl exec {} -- nc -zv -w 3 {} {port}", client.for_kubectl(), caller.peer.host);
    finding = finding.state(State::Suspected);
    finding.unsure(Certainty::Likely, &["target-port-wrong"], look)
}

/// Whether the client's log says that it cannot reach the Service.
fn complains(caller: &Caller<'_>, now: &Snapshot) -> bool {
    let app = &caller.app.object;
    let own = now
        .logs
        .iter()
        .filter(|l| l.name == app.name || caller.app.pods.iter().any(|p| p.meta.name == l.name));
    own.flat_map(|l| &l.lines).any(|line| {
        line.contains(caller.peer.host)
            && crate::wording::says(line, crate::wording::CONNECTION_FAILED)
    })
}
