//! Services and what is behind them.

use std::fmt;

use serde::Deserialize;
use serde::de::Visitor;

use super::meta::common_parts;
use super::{Known, Meta, Record};
use crate::{Labels, List, Shared, Text};

/// A port, by number or by name.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Port {
    /// By number.
    Number(u16),
    /// By name.
    Name(Text),
}

impl Default for Port {
    fn default() -> Self {
        Port::Number(0)
    }
}

impl fmt::Display for Port {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Port::Number(n) => write!(f, "{n}"),
            Port::Name(name) => f.write_str(name),
        }
    }
}

impl fmt::Debug for Port {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl<'de> Deserialize<'de> for Port {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct NumberOrName;
        impl Visitor<'_> for NumberOrName {
            type Value = Port;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a port number or name")
            }
            fn visit_u64<E: serde::de::Error>(self, n: u64) -> Result<Port, E> {
                u16::try_from(n).map(Port::Number).map_err(|_| E::custom(format!("no port: {n}")))
            }
            fn visit_i64<E: serde::de::Error>(self, n: i64) -> Result<Port, E> {
                u16::try_from(n).map(Port::Number).map_err(|_| E::custom(format!("no port: {n}")))
            }
            fn visit_str<E>(self, text: &str) -> Result<Port, E> {
                Ok(text.parse().map_or_else(|_| Port::Name(text.into()), Port::Number))
            }
            fn visit_unit<E>(self) -> Result<Port, E> {
                Ok(Port::default())
            }
        }
        deserializer.deserialize_any(NumberOrName)
    }
}

/// A Service.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Service {
    /// Metadata.
    pub meta: Meta,
    /// `ClusterIP`, `NodePort`, `LoadBalancer` or `ExternalName`.
    pub kind: Text,
    /// Address in the cluster; `None` (the word) for headless ones.
    pub cluster_address: Text,
    /// Labels of the pods behind it; empty when endpoints are kept by hand.
    pub selector: Labels,
    /// Ports.
    pub ports: Shared<List<ServicePort>>,
    /// Addresses and host names that a load balancer has given it.
    pub points: List<Text>,
    /// Class of the load balancer, or empty.
    pub load_balancer_class: Text,
    /// Address that is asked of the load balancer, or empty.
    pub wanted_address: Text,
    /// Name that an `ExternalName` stands for.
    pub external_name: Text,
    /// Whether pods that are not ready are published as well.
    pub publishes_unready: bool,
    /// Whether only backends on the same node are used from outside.
    pub local_external: bool,
    /// Whether only backends on the same node are used from inside.
    pub local_internal: bool,
}

/// One port of a Service.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct ServicePort {
    /// Name, may be empty.
    pub name: Text,
    /// Port that clients use.
    pub port: u16,
    /// Port of the pods; `None` means the same as `port` (or unknown in a table).
    pub target_port: Option<Port>,
    /// Protocol; empty means TCP.
    pub protocol: Text,
    /// Port on every node, if there is one.
    pub node_port: Option<u16>,
}

#[derive(Deserialize)]
struct ServiceWire {
    metadata: Meta,
    spec: Option<ServiceSpec>,
    status: Option<LoadBalancerStatus>,
}

/// What a load balancer says of itself, in Services and Ingresses.
#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct LoadBalancerStatus {
    load_balancer: Option<Points>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Points {
    ingress: List<Point>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Point {
    ip: Option<Text>,
    hostname: Option<Text>,
}

impl LoadBalancerStatus {
    /// Its addresses and host names.
    pub(super) fn points(self) -> List<Text> {
        let points = self.load_balancer.unwrap_or_default().ingress;
        points.into_iter().filter_map(|p| p.ip.or(p.hostname)).collect()
    }
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct ServiceSpec {
    #[serde(rename = "type")]
    kind: Text,
    #[serde(rename = "clusterIP")]
    cluster_ip: Text,
    selector: Labels,
    ports: Shared<List<ServicePort>>,
    external_traffic_policy: Option<Text>,
    internal_traffic_policy: Option<Text>,
    load_balancer_class: Option<Text>,
    #[serde(rename = "loadBalancerIP")]
    load_balancer_ip: Option<Text>,
    external_name: Option<Text>,
    publish_not_ready_addresses: Option<bool>,
}

impl<'de> Deserialize<'de> for Service {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let wire = ServiceWire::deserialize(deserializer)?;
        let spec = wire.spec.unwrap_or_default();
        Ok(Service {
            meta: wire.metadata,
            kind: spec.kind,
            cluster_address: spec.cluster_ip,
            selector: spec.selector,
            ports: spec.ports,
            points: wire.status.unwrap_or_default().points(),
            wanted_address: spec.load_balancer_ip.unwrap_or_default(),
            load_balancer_class: spec.load_balancer_class.unwrap_or_default(),
            external_name: spec.external_name.unwrap_or_default(),
            publishes_unready: spec.publish_not_ready_addresses.unwrap_or_default(),
            local_external: spec.external_traffic_policy.as_deref() == Some("Local"),
            local_internal: spec.internal_traffic_policy.as_deref() == Some("Local"),
        })
    }
}

impl Record for Service {
    const SHOWN_BY: &'static [(Known, &'static [&'static str])] = common_parts![
        (Known::SELECTOR, &["/spec/selector"]),
        (Known::SPEC, &["/spec/ports/0/targetPort"]),
        (Known::SUMMARY, &["/spec/ports", "/spec/type"]),
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
            Known::SELECTOR => self.selector.clone_from(&other.selector),
            Known::SPEC => self.ports.clone_from(&other.ports),
            Known::SUMMARY => {
                // A table knows the ports, but not where they lead.
                if !self.meta.known.has(Known::SPEC) {
                    self.ports.clone_from(&other.ports);
                }
                self.kind.clone_from(&other.kind);
                self.cluster_address.clone_from(&other.cluster_address);
                self.local_external |= other.local_external;
                self.local_internal |= other.local_internal;
                self.publishes_unready |= other.publishes_unready;
                for (own, theirs) in [
                    (&mut self.external_name, &other.external_name),
                    (&mut self.load_balancer_class, &other.load_balancer_class),
                    (&mut self.wanted_address, &other.wanted_address),
                ] {
                    if !theirs.is_empty() {
                        own.clone_from(theirs);
                    }
                }
            }
            Known::STATUS => self.points.clone_from(&other.points),
            _ => {}
        }
    }
}

/// The addresses behind a Service, from Endpoints or one EndpointSlice, as counts.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Backends {
    /// Metadata of the Endpoints or EndpointSlice.
    pub meta: Meta,
    /// The Service.
    pub service: Text,
    /// Whether it is an EndpointSlice.
    pub is_slice: bool,
    /// Addresses that take traffic.
    pub ready: u32,
    /// Addresses that do not.
    pub not_ready: u32,
    /// Ports traffic is sent to.
    pub ports: List<u16>,
    /// The addresses themselves, of the Service `kubernetes` alone: where the API server is.
    pub addresses: List<Text>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct BackendsWire {
    metadata: Meta,
    subsets: List<Subset>,
    endpoints: List<Endpoint>,
    ports: List<NumberedPort>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Subset {
    addresses: List<AddressWire>,
    not_ready_addresses: List<serde::de::IgnoredAny>,
    ports: List<NumberedPort>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Endpoint {
    addresses: List<Text>,
    conditions: Option<EndpointConditions>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct AddressWire {
    ip: Text,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct EndpointConditions {
    ready: Option<bool>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct NumberedPort {
    port: Option<u16>,
}

impl<'de> Deserialize<'de> for Backends {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let wire = BackendsWire::deserialize(deserializer)?;
        let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        let mut all = Backends { meta: wire.metadata, ..Backends::default() };
        let label = all.meta.labels.get("kubernetes.io/service-name");
        all.is_slice = label.is_some() || !wire.endpoints.is_empty();
        all.service = label.map_or_else(|| all.meta.name.clone(), Text::from);
        // Only the Service's name was wanted of the labels; there is a slice for every Service.
        all.meta.labels = Default::default();
        let mut ports: Vec<u16> = wire.ports.iter().filter_map(|p| p.port).collect();
        for subset in &wire.subsets {
            all.ready += count(subset.addresses.len());
            all.not_ready += count(subset.not_ready_addresses.len());
            ports.extend(subset.ports.iter().filter_map(|p| p.port));
        }
        for endpoint in &wire.endpoints {
            // A missing condition means ready, by the API's definition.
            let ready = endpoint.conditions.as_ref().and_then(|c| c.ready).unwrap_or(true);
            let n = count(endpoint.addresses.len().max(1));
            if ready { all.ready += n } else { all.not_ready += n }
        }
        ports.sort_unstable();
        ports.dedup();
        all.ports = ports.into();
        if all.service == "kubernetes" {
            let subsets = wire.subsets.into_iter().flat_map(|s| s.addresses).map(|a| a.ip);
            let endpoints = wire.endpoints.into_iter().flat_map(|e| e.addresses);
            all.addresses = subsets.chain(endpoints).collect();
        }
        Ok(all)
    }
}

impl Record for Backends {
    const SHOWN_BY: &'static [(Known, &'static [&'static str])] =
        common_parts![(Known::STATUS, &["/subsets", "/endpoints"]),];

    fn meta(&self) -> &Meta {
        &self.meta
    }

    fn meta_mut(&mut self) -> &mut Meta {
        &mut self.meta
    }

    fn take(&mut self, part: Known, other: &Self) {
        if part == Known::STATUS {
            (self.ready, self.not_ready) = (other.ready, other.not_ready);
            self.ports.clone_from(&other.ports);
            self.addresses.clone_from(&other.addresses);
            self.service.clone_from(&other.service);
            self.is_slice = other.is_slice;
        }
    }
}
