//! Whether network policies let traffic through: the rules of the API, evaluated.

use std::sync::Arc;

use model::record::{Known, NetworkPolicy, PolicyRule, Port, Service};
use model::{App, Kind, Labels, Selector, Snapshot};

use crate::service::callers::Caller;

/// Where traffic is stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// On its way into the pods behind the Service.
    Entry,
    /// On its way out of the client's pods.
    Exit,
    /// The client may not ask for the name of the Service.
    Names,
}

/// A policy that stops traffic.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stop<'a> {
    pub(crate) policy: &'a NetworkPolicy,
    pub(crate) way: Way,
    /// Whether its rules were shown; a table shows only whom it selects.
    pub(crate) shown: bool,
}

/// Pods at one end of a connection.
#[derive(Clone, Copy, Debug)]
struct End<'a> {
    namespace: &'a str,
    labels: &'a Labels,
}

/// Port of the receiving pod: number, name and protocol.
struct Target<'a> {
    number: u16,
    name: &'a str,
    protocol: &'a str,
}

/// Traffic from one client to one port of the pods behind a Service.
pub(crate) struct Traffic<'a> {
    from: End<'a>,
    to: End<'a>,
    pub(super) to_labels: &'a Labels,
    pub(super) from_labels: &'a Labels,
    number: u16,
    name: &'a str,
    protocol: String,
    /// The client's labels were not shown: only what holds for all clients is known.
    blind: bool,
    now: &'a Snapshot,
}

/// Who is behind a Service; where its selector was not shown, the workload of its name.
pub(crate) fn behind<'a>(service: &Service, now: &'a Snapshot) -> Option<&'a App> {
    let namespace = &service.meta.namespace;
    if service.meta.known.has(Known::SELECTOR) || !service.selector.is_empty() {
        return now.apps_selected(namespace, &service.selector).first().copied();
    }
    called(namespace, &service.meta.name, now)
}

/// The workload of this name, or the first of the numbered pods of one that was not shown.
pub(crate) fn called<'a>(namespace: &str, name: &str, now: &'a Snapshot) -> Option<&'a App> {
    let here = || now.apps_in(namespace).iter();
    let mut same = here().filter(|a| a.object.name == name);
    if let Some(first) = same.next() {
        return Some(first).filter(|_| same.next().is_none());
    }
    let numbered = |a: &&App| {
        let number = a.object.name.strip_prefix(name).and_then(|n| n.strip_prefix('-'));
        let is_number = |n: &str| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit());
        a.object.kind == Kind::Pod && number.is_some_and(is_number)
    };
    here().find(numbered)
}

impl<'a> Traffic<'a> {
    /// The traffic that a client wants; `None` where an end of it was not shown.
    pub(super) fn of(service: &Service, caller: &Caller<'a>, now: &'a Snapshot) -> Option<Self> {
        let to = behind(service, now)?;
        let used = match caller.peer.port {
            Some(port) => service.ports.iter().find(|p| p.port == port)?,
            None => service.ports.first()?,
        };
        let target = used.target_port.clone().unwrap_or(Port::Number(used.port));
        let number = to.resolve_port(&target)?;
        Traffic::between(caller.app, to, (number, &used.protocol), now)
    }

    /// Traffic from one workload to a port of another one's pods.
    pub(crate) fn between(
        from: &'a App,
        to: &'a App,
        (number, protocol): (u16, &str),
        now: &'a Snapshot,
    ) -> Option<Self> {
        let to_labels = to.pod_labels()?;
        let known = from.pod_labels().filter(|l| !l.is_empty());
        let from_labels = known.unwrap_or(to_labels);
        let name = to.ports().iter().find(|(_, n, _)| *n == number).map_or("", |p| p.0);
        Some(Traffic {
            from: End { namespace: &from.object.namespace, labels: from_labels },
            to: End { namespace: &to.object.namespace, labels: to_labels },
            to_labels,
            from_labels,
            number,
            name,
            protocol: protocol.to_owned(),
            blind: known.is_none(),
            now,
        })
    }

    /// Port and protocol, as people write them.
    pub(crate) fn port(&self) -> String {
        let protocol = if self.protocol.is_empty() { "TCP" } else { &self.protocol };
        format!("{}/{protocol}", self.number)
    }

    /// Port and protocol, as a policy names them.
    pub(super) fn port_json(&self) -> String {
        let protocol = if self.protocol.is_empty() { "TCP" } else { &self.protocol };
        format!("{{\"port\":{},\"protocol\":\"{protocol}\"}}", self.number)
    }

    /// The first policy that stops it.
    pub(crate) fn stop(&self) -> Option<Stop<'a>> {
        let target = Target { number: self.number, name: self.name, protocol: &self.protocol };
        let entry = self.side(self.to, self.from, &target, Way::Entry);
        if self.blind {
            return entry;
        }
        let exit = || self.side(self.from, self.to, &target, Way::Exit);
        entry.or_else(exit).or_else(|| self.names(false))
    }

    /// Whether the client may ask the cluster's name service; `fails` says that names are known
    /// not to resolve for it.
    pub(crate) fn names(&self, fails: bool) -> Option<Stop<'a>> {
        if self.blind {
            return None;
        }
        const NAMESPACE: &str = "kube-system";
        let service = self.now.services.get(NAMESPACE, "kube-dns");
        // Where the name service is another one, its pods and port are not known here.
        let elsewhere = service.is_none() && self.now.coverage.lists(Kind::Service, NAMESPACE);
        if elsewhere || self.now.named(Kind::Namespace, "", "openshift-dns").is_some() {
            return None;
        }
        let usual: Labels = [("k8s-app", "kube-dns")].into_iter().collect();
        let pods = service.filter(|s| !s.selector.is_empty());
        let apps = pods.map(|s| self.now.apps_selected(NAMESPACE, &s.selector));
        let known = apps.and_then(|a| a.first().and_then(|a| a.pod_labels()));
        let to = End { namespace: NAMESPACE, labels: known.unwrap_or(&usual) };
        let asked = |protocol| Target { number: 53, name: "dns", protocol };
        let udp = self.side(self.from, to, &asked("UDP"), Way::Names)?;
        if fails {
            return Some(udp);
        }
        // Whoever lets TCP through mostly forgot UDP, but some resolvers use it.
        self.side(self.from, to, &asked("TCP"), Way::Names).map(|_| udp)
    }

    /// Policies of the pods at one end that say nothing for the other end: one rule of any of
    /// them would do.
    fn side(
        &self,
        own: End<'_>,
        other: End<'_>,
        target: &Target<'_>,
        way: Way,
    ) -> Option<Stop<'a>> {
        let here = self.now.policies.in_namespace(own.namespace);
        let about: Vec<&'a NetworkPolicy> =
            here.filter(|p| p.pods.matches(own.labels) && p.meta.deleting.is_none()).collect();
        let shows = |p: &NetworkPolicy| p.meta.known.has(Known::SPEC);
        let rules = |p: &'a NetworkPolicy| match way {
            Way::Entry => p.ingress.as_ref(),
            Way::Exit | Way::Names => p.egress.as_ref(),
        };
        let closing: Vec<(&'a NetworkPolicy, &'a [PolicyRule])> =
            about.iter().filter(|p| shows(p)).filter_map(|p| Some((*p, &**rules(p)?))).collect();
        let same = own.namespace == other.namespace;
        if closing.iter().flat_map(|(_, r)| r.iter()).any(|r| self.admits(r, other, same, target)) {
            return None;
        }
        let hidden = about.iter().find(|p| !shows(p)).copied();
        match (closing.first(), hidden) {
            // A policy whose rules were not shown may be the one that lets it through.
            (_, Some(policy)) if way != Way::Names => Some(Stop { policy, way, shown: false }),
            (Some((policy, _)), None) => Some(Stop { policy, way, shown: true }),
            _ => None,
        }
    }

    /// Whether a rule lets the traffic through, seen from the peer at the other end.
    fn admits(&self, rule: &PolicyRule, other: End<'_>, same: bool, target: &Target<'_>) -> bool {
        let port = rule.ports.is_empty()
            || rule.ports.iter().any(|p| p.admits(target.number, target.name, target.protocol));
        let known = self.now.named(Kind::Namespace, "", other.namespace);
        let usual: Arc<Labels> = Arc::new(
            [("kubernetes.io/metadata.name", other.namespace)].into_iter().collect::<Labels>(),
        );
        let labels = known.map(|n| &n.meta.labels).filter(|l| !l.is_empty()).unwrap_or(&usual);
        // A namespace whose labels are not in the input may well be meant.
        let unsure = |s: &Selector| {
            let hidden = known.is_none_or(|n| !n.meta.known.has(Known::LABELS));
            hidden && !only_by_name(s) && !s.matches(labels)
        };
        let peers = self.blind
            || rule.peers.is_empty()
            || rule.peers.iter().any(|p| {
                let place = p.namespace_selector.as_ref();
                let pods = p.pod_selector.as_ref().is_none_or(|s| s.matches(other.labels));
                (place.is_some_and(unsure) && pods) || p.admits(other.labels, same, labels)
            });
        port && peers
    }
}

/// Whether a selector asks for nothing but the name of a namespace, which every namespace
/// carries as a label.
fn only_by_name(selector: &Selector) -> bool {
    let name = |k: &str| k == "kubernetes.io/metadata.name";
    selector.match_labels.iter().all(|(k, _)| name(k))
        && selector.match_expressions.iter().all(|r| name(&r.key))
}
