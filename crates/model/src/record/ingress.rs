//! Routes into the cluster.

use serde::Deserialize;

use super::meta::common_parts;
use super::network::LoadBalancerStatus;
use super::{Known, Meta, Port, Record};
use crate::{List, Text};

/// An Ingress.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Ingress {
    /// Metadata.
    pub meta: Meta,
    /// Class, or empty.
    pub class: Text,
    /// Whether the class is told by the old annotation, which needs no IngressClass object.
    pub class_annotated: bool,
    /// Addresses a controller has given it.
    pub addresses: u32,
    /// Routes.
    pub paths: List<IngressPath>,
    /// Secrets with certificates.
    pub certificates: List<Text>,
}

/// One route.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct IngressPath {
    /// Host, or empty for all.
    pub host: Text,
    /// Path.
    pub path: Text,
    /// `Exact`, `Prefix` or `ImplementationSpecific`; may be empty.
    pub path_type: Text,
    /// Service it leads to.
    pub service: Text,
    /// Port of that Service.
    pub port: Port,
}

#[derive(Deserialize)]
struct IngressWire {
    metadata: Meta,
    spec: Option<IngressSpec>,
    status: Option<LoadBalancerStatus>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct IngressSpec {
    ingress_class_name: Option<Text>,
    default_backend: Option<Backend>,
    rules: List<Rule>,
    tls: List<Tls>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Tls {
    secret_name: Option<Text>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Rule {
    host: Option<Text>,
    http: Option<Http>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Http {
    paths: List<Path>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Path {
    path: Option<Text>,
    path_type: Option<Text>,
    backend: Backend,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Backend {
    service: Option<BackendService>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct BackendService {
    name: Text,
    port: Option<BackendPort>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct BackendPort {
    number: Option<u16>,
    name: Option<Text>,
}

impl Backend {
    fn route(self, host: Text, path: Text, path_type: Text) -> Option<IngressPath> {
        let service = self.service?;
        let port = service.port.unwrap_or_default();
        let port = port.number.map(Port::Number).or(port.name.map(Port::Name));
        let (service, port) = (service.name, port.unwrap_or_default());
        Some(IngressPath { host, path, path_type, service, port })
    }
}

impl<'de> Deserialize<'de> for Ingress {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let wire = IngressWire::deserialize(deserializer)?;
        let spec = wire.spec.unwrap_or_default();
        let annotated = wire.metadata.annotation("kubernetes.io/ingress.class").map(Text::from);
        let named = spec.ingress_class_name.filter(|c| !c.is_empty());
        let class_annotated = named.is_none() && annotated.is_some();
        let class = named.or(annotated).unwrap_or_default();
        let mut paths = Vec::new();
        let default = spec.default_backend.and_then(|b| b.route("".into(), "".into(), "".into()));
        paths.extend(default);
        for rule in spec.rules {
            let host = rule.host.unwrap_or_default();
            let http = rule.http.unwrap_or_default();
            paths.extend(http.paths.into_iter().filter_map(|p| {
                let (path, path_type) = (p.path.unwrap_or_default(), p.path_type);
                p.backend.route(host.clone(), path, path_type.unwrap_or_default())
            }));
        }
        let points = wire.status.unwrap_or_default().points();
        let addresses = u32::try_from(points.len()).unwrap_or(u32::MAX);
        let certificates = spec.tls.into_iter().filter_map(|t| t.secret_name).collect();
        Ok(Ingress {
            meta: wire.metadata,
            class,
            class_annotated,
            addresses,
            paths: paths.into(),
            certificates,
        })
    }
}

impl Record for Ingress {
    const SHOWN_BY: &'static [(Known, &'static [&'static str])] = common_parts![
        (Known::SELECTOR, &["/spec/ingressClassName"]),
        (Known::SPEC, &["/spec/rules/0/http", "/spec/defaultBackend"]),
        (Known::STATUS, &["/status/loadBalancer/ingress"]),
        (Known::EVENTS, &["/eventsShown"]),
    ];

    fn meta(&self) -> &Meta {
        &self.meta
    }

    fn meta_mut(&mut self) -> &mut Meta {
        &mut self.meta
    }

    fn take(&mut self, part: Known, other: &Self) {
        match part {
            Known::SELECTOR => {
                self.class.clone_from(&other.class);
                self.class_annotated = other.class_annotated;
            }
            Known::SPEC => {
                self.paths.clone_from(&other.paths);
                self.certificates.clone_from(&other.certificates);
            }
            Known::STATUS => self.addresses = other.addresses,
            _ => {}
        }
    }
}
