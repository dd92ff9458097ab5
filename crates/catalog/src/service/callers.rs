//! Who uses a Service: workloads whose settings name it, routes that lead to it, and
//! connections to it that somebody tried.

use model::record::Service;
use model::{App, Dial, Evidence, Kind, Peer, Snapshot};

use crate::evidence;
use crate::pod::edit;

/// A workload that names the Service in its settings.
pub(crate) struct Caller<'s> {
    pub(crate) app: &'s App,
    pub(crate) peer: Peer<'s>,
}

impl Caller<'_> {
    /// The field of the workload that names the Service.
    pub(crate) fn field(&self) -> String {
        let named =
            |c: &&model::record::Container| c.env.iter().any(|e| e.name == self.peer.setting);
        let containers = || self.app.spec().into_iter().flat_map(|s| s.containers.iter());
        match containers().find(named) {
            Some(c) => {
                edit::container_field(self.app, &c.name, &format!("env[{}]", self.peer.setting))
            }
            None => {
                let first = containers().next().map_or("", |c| c.name.as_str());
                edit::container_field(self.app, first, self.peer.setting)
            }
        }
    }
}

/// Workloads that name the Service in their settings; not those behind it.
pub(crate) fn of<'s>(service: &Service, now: &'s Snapshot) -> Vec<Caller<'s>> {
    let behind = |a: &App| {
        a.object.namespace == service.meta.namespace
            && !service.selector.is_empty()
            && a.pod_labels().is_some_and(|l| service.selector.all_in(l))
    };
    let all = now.callers_of(&service.meta.namespace, &service.meta.name).into_iter();
    all.filter(|(app, _)| !behind(app)).map(|(app, peer)| Caller { app, peer }).collect()
}

/// Whether anything in the input uses the Service.
pub(crate) fn is_used(service: &Service, now: &Snapshot) -> bool {
    let mut ingresses = now.ingresses.in_namespace(&service.meta.namespace);
    let routed = ingresses.any(|i| i.paths.iter().any(|p| p.service == service.meta.name));
    routed
        || matches!(service.kind.as_str(), "LoadBalancer" | "NodePort")
        || !of(service, now).is_empty()
        || dials(service, now).next().is_some()
}

/// Connections to the Service that somebody tried.
pub(crate) fn dials<'s>(service: &'s Service, now: &'s Snapshot) -> impl Iterator<Item = &'s Dial> {
    let same = || now.services.iter().filter(|s| s.meta.name == service.meta.name);
    let alone = !now.dials.is_empty() && same().count() == 1;
    now.dials.iter().filter(move |d| {
        let own_address = !matches!(service.cluster_address.as_str(), "" | "None")
            && d.host == service.cluster_address;
        let mut parts = d.host.split('.');
        let name = parts.next() == Some(service.meta.name.as_str());
        let namespace = match parts.next() {
            Some(ns) => ns == service.meta.namespace,
            None => alone,
        };
        own_address || (name && namespace)
    })
}

/// What came of connecting to one port of the Service: the last attempt counts.
pub(crate) fn dialled<'s>(service: &'s Service, port: u16, now: &'s Snapshot) -> Option<&'s Dial> {
    dials(service, now).filter(|d| d.port == port).last()
}

/// An attempt to connect, as evidence.
pub(crate) fn dial_evidence(service: &Service, dial: &Dial) -> Evidence {
    let object = service.meta.object(Kind::Service);
    let said = if dial.answer.is_empty() { "no connection" } else { dial.answer.as_str() };
    let field = format!("connection to {}:{}", dial.host, dial.port);
    evidence::field(dial.document, &object, field, said)
}
