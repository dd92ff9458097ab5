//! Routes into the cluster.

use serde::Deserialize;

use super::meta::common_parts;
use super::{Known, Meta, Port, Record};
use crate::{List, Text};

/// An Ingress.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Ingress {
    /// Metadata.
    pub meta: Meta,
    /// Class, or empty.
    pub class: Text,
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
    /// Service it leads to.
    pub service: Text,
    /// Port of that Service.
    pub port: Port,
}

#[derive(Deserialize)]
struct IngressWire {
    metadata: Meta,
    spec: Option<IngressSpec>,
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
#[serde(default)]
struct Path {
    path: Option<Text>,
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
    fn route(self, host: Text, path: Text) -> Option<IngressPath> {
        let service = self.service?;
        let port = service.port.unwrap_or_default();
        let port = port.number.map(Port::Number).or(port.name.map(Port::Name));
        Some(IngressPath { host, path, service: service.name, port: port.unwrap_or_default() })
    }
}

impl<'de> Deserialize<'de> for Ingress {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let wire = IngressWire::deserialize(deserializer)?;
        let spec = wire.spec.unwrap_or_default();
        let class = spec.ingress_class_name.unwrap_or_else(|| {
            wire.metadata.annotation("kubernetes.io/ingress.class").unwrap_or("").into()
        });
        let mut paths = Vec::new();
        paths.extend(spec.default_backend.and_then(|b| b.route("".into(), "".into())));
        for rule in spec.rules {
            let host = rule.host.unwrap_or_default();
            let http = rule.http.unwrap_or_default();
            paths.extend(
                http.paths
                    .into_iter()
                    .filter_map(|p| p.backend.route(host.clone(), p.path.unwrap_or_default())),
            );
        }
        let certificates = spec.tls.into_iter().filter_map(|t| t.secret_name).collect();
        Ok(Ingress { meta: wire.metadata, class, paths: paths.into(), certificates })
    }
}

impl Record for Ingress {
    const SHOWN_BY: &'static [(Known, &'static [&'static str])] =
        common_parts![(Known::SPEC, &["/spec/rules", "/spec/ingressClassName"]),];

    fn meta(&self) -> &Meta {
        &self.meta
    }

    fn meta_mut(&mut self) -> &mut Meta {
        &mut self.meta
    }

    fn take(&mut self, part: Known, other: &Self) {
        if part == Known::SPEC {
            self.class.clone_from(&other.class);
            self.paths.clone_from(&other.paths);
            self.certificates.clone_from(&other.certificates);
        }
    }
}
