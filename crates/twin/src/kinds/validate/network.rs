//! Services, EndpointSlices, Ingresses, NetworkPolicies, Nodes.

use serde_json::Value;

use super::{CIDR, PORT_RANGE, at, duplicates, one_of, selector};
use crate::field;
use crate::registry::Cause;

const TYPES: [&str; 4] = ["ClusterIP", "ExternalName", "LoadBalancer", "NodePort"];
const PROTOCOLS: [&str; 3] = ["SCTP", "TCP", "UDP"];

pub(super) fn service(service: &Value) -> Vec<Cause> {
    let spec = at(service, "/spec");
    let kind = field::text(spec, "/type");
    let headless = field::text(spec, "/clusterIP") == "None";
    let mut causes = Vec::new();
    if field::list(spec, "/ports").is_empty() && !headless && kind != "ExternalName" {
        causes.push(Cause::required("spec.ports"));
    }
    if kind == "ExternalName" && field::text(spec, "/externalName").is_empty() {
        causes.push(Cause::required("spec.externalName"));
    }
    causes.extend(ports(spec, kind, headless));
    causes.extend(one_of(
        at(spec, "/sessionAffinity"),
        "spec.sessionAffinity",
        &["ClientIP", "None"],
    ));
    causes.extend(one_of(at(spec, "/type"), "spec.type", &TYPES));
    for (index, address) in field::list(spec, "/clusterIPs").iter().enumerate() {
        let text = address.as_str().unwrap_or_default();
        if text != "None" && text.parse::<std::net::IpAddr>().is_err() {
            let why = "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)";
            causes.push(Cause::invalid(&format!("spec.clusterIPs[{index}]"), address, why));
        }
    }
    let traffic = at(spec, "/externalTrafficPolicy");
    let opens = matches!(kind, "NodePort" | "LoadBalancer")
        || !field::list(spec, "/externalIPs").is_empty();
    if traffic.as_str().is_some_and(|text| !text.is_empty()) && !opens {
        let why = "may only be set for externally-accessible services";
        causes.push(Cause::invalid("spec.externalTrafficPolicy", traffic, why));
    }
    if kind == "ClusterIP" {
        for (index, port) in field::list(spec, "/ports").iter().enumerate() {
            if field::number(port, "/nodePort") != 0 {
                let path = format!("spec.ports[{index}].nodePort");
                causes.push(Cause::forbidden(&path, "may not be used when `type` is 'ClusterIP'"));
            }
        }
    }
    causes
}

fn ports(spec: &Value, kind: &str, headless: bool) -> Vec<Cause> {
    let list = field::list(spec, "/ports");
    let mut causes = Vec::new();
    let in_range = |value: &Value| value.as_i64().is_none_or(|n| (1..=65_535).contains(&n));
    for (index, port) in list.iter().enumerate() {
        let here = |key: &str| format!("spec.ports[{index}].{key}");
        let name = at(port, "/name");
        if name.as_str().unwrap_or_default().is_empty() {
            if list.len() > 1 {
                causes.push(Cause::required(&here("name")));
            }
        } else {
            causes.extend(super::label_name(name, &here("name")));
        }
        let number = at(port, "/port");
        if !in_range(number) {
            causes.push(Cause::invalid(&here("port"), number, PORT_RANGE));
        }
        causes.extend(one_of(at(port, "/protocol"), &here("protocol"), &PROTOCOLS));
        let target = at(port, "/targetPort");
        if !in_range(target) && !headless && kind != "ExternalName" {
            causes.push(Cause::invalid(&here("targetPort"), target, PORT_RANGE));
        }
    }
    causes.extend(duplicates(list, "name", "spec.ports"));
    causes
}

pub(super) fn endpoint_slice(slice: &Value) -> Vec<Cause> {
    const PATH: &str = "addressType";
    let kind = at(slice, "/addressType");
    if kind.as_str().unwrap_or_default().is_empty() {
        return vec![Cause::required(PATH)];
    }
    let mut causes: Vec<Cause> =
        one_of(kind, PATH, &["FQDN", "IPv4", "IPv6"]).into_iter().collect();
    let names: Vec<&str> =
        field::list(slice, "/ports").iter().map(|port| field::text(port, "/name")).collect();
    for (index, name) in names.iter().enumerate() {
        if names.iter().take(index).any(|other| other == name) {
            causes.push(Cause::duplicate(&format!("ports[{index}].name"), &(*name).into()));
        }
    }
    if kind != "FQDN" {
        const IP: &str = "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)";
        for (e, endpoint) in field::list(slice, "/endpoints").iter().enumerate() {
            for (a, address) in field::list(endpoint, "/addresses").iter().enumerate() {
                if address.as_str().is_none_or(|ip| ip.parse::<std::net::IpAddr>().is_err()) {
                    let path = format!("endpoints[{e}].addresses[{a}]");
                    causes.push(Cause::invalid(&path, address, IP));
                }
            }
        }
    }
    causes
}

pub(super) fn ingress(ingress: &Value) -> Vec<Cause> {
    let spec = at(ingress, "/spec");
    let mut causes = Vec::new();
    if field::list(spec, "/rules").is_empty() && spec.get("defaultBackend").is_none() {
        let why = "either `defaultBackend` or `rules` must be specified";
        causes.push(Cause::invalid("spec", &Value::Null, why));
    }
    if let Some(found) = spec.get("defaultBackend") {
        causes.extend(backend(found, "spec.defaultBackend"));
    }
    for (r, rule) in field::list(spec, "/rules").iter().enumerate() {
        for (p, path) in field::list(rule, "/http/paths").iter().enumerate() {
            let base = format!("spec.rules[{r}].http.paths[{p}]");
            let here = format!("{base}.pathType");
            let kind = at(path, "/pathType");
            let known = ["Exact", "ImplementationSpecific", "Prefix"];
            match kind.as_str() {
                // A path without a type is stored with an empty one.
                None | Some("") => {
                    causes.push(Cause::required_because(&here, "pathType must be specified"));
                    continue;
                }
                Some(text) if !known.contains(&text) => {
                    causes.push(Cause::unsupported(&here, kind, &known));
                }
                Some(text) => causes.extend(ingress_path(path, text, &format!("{base}.path"))),
            }
            causes.extend(backend(at(path, "/backend"), &format!("{base}.backend")));
        }
    }
    causes
}

/// Paths are absolute, and plain unless the controller may read them as it likes.
fn ingress_path(path: &Value, kind: &str, here: &str) -> Vec<Cause> {
    let text = field::text(path, "/path");
    let told = Value::from(text);
    let mut causes = Vec::new();
    if kind == "ImplementationSpecific" {
        if !text.is_empty() && !text.starts_with('/') {
            causes.push(Cause::invalid(here, &told, "must be an absolute path"));
        }
        return causes;
    }
    if !text.starts_with('/') {
        causes.push(Cause::invalid(here, &told, "must be an absolute path"));
    }
    for bad in ["//", "/./", "/../", "%2f", "%2F"].iter().filter(|bad| text.contains(**bad)) {
        causes.push(Cause::invalid(here, &told, &format!("must not contain '{bad}'")));
    }
    for bad in ["/..", "/."].iter().filter(|bad| text.ends_with(**bad)) {
        causes.push(Cause::invalid(here, &told, &format!("cannot end with '{bad}'")));
    }
    causes
}

/// Where requests go: a Service's port or another object.
fn backend(backend: &Value, path: &str) -> Vec<Cause> {
    let (service, resource) = (at(backend, "/service"), at(backend, "/resource"));
    if service.is_null() && resource.is_null() {
        let why = "resource or service backend is required";
        return vec![Cause::invalid(path, &"".into(), why)];
    }
    if !service.is_null() && !resource.is_null() {
        let why = "cannot set both resource and service backends";
        return vec![Cause::invalid(path, &"".into(), why)];
    }
    let mut causes = Vec::new();
    if service.is_null() {
        return causes;
    }
    let here = format!("{path}.service.name");
    causes.extend(super::label_name(at(service, "/name"), &here));
    let (name, number) = (field::text(service, "/port/name"), at(service, "/port/number"));
    let given = number.as_i64().unwrap_or(0);
    if !name.is_empty() && given != 0 {
        causes.push(Cause::invalid(path, &"".into(), "cannot set both port name & port number"));
    } else if !name.is_empty() {
        let here = format!("{path}.service.port.name");
        let wrong = super::fields::port_name(name);
        causes.extend(wrong.iter().map(|why| Cause::invalid(&here, &name.into(), why)));
    } else if given == 0 {
        causes.push(Cause::required_because(path, "port name or number is required"));
    } else if !(1..=65_535).contains(&given) {
        let here = format!("{path}.service.port.number");
        causes.push(Cause::invalid(&here, number, PORT_RANGE));
    }
    causes
}

pub(super) fn network_policy(policy: &Value) -> Vec<Cause> {
    let spec = at(policy, "/spec");
    let mut causes = selector::selector(at(spec, "/podSelector"), "spec.podSelector");
    for (side, peers) in [("ingress", "from"), ("egress", "to")] {
        for (index, rule) in field::list(spec, &format!("/{side}")).iter().enumerate() {
            let here = format!("spec.{side}[{index}]");
            for (p, port) in field::list(rule, "/ports").iter().enumerate() {
                let number = at(port, "/port");
                if number.as_i64().is_some_and(|n| !(1..=65_535).contains(&n)) {
                    let path = format!("{here}.ports[{p}].port");
                    causes.push(Cause::invalid(&path, number, PORT_RANGE));
                }
            }
            for (p, peer) in field::list(rule, &format!("/{peers}")).iter().enumerate() {
                let block = at(peer, "/ipBlock/cidr");
                if block == "" {
                    let path = format!("{here}.{peers}[{p}].ipBlock.cidr");
                    causes.push(Cause::required(&path));
                } else if block.as_str().is_some_and(|text| !is_cidr(text)) {
                    let path = format!("{here}.{peers}[{p}].ipBlock.cidr");
                    causes.push(Cause::invalid(&path, block, CIDR));
                }
            }
        }
    }
    for (index, kind) in field::list(spec, "/policyTypes").iter().enumerate() {
        let path = format!("spec.policyTypes[{index}]");
        causes.extend(one_of(kind, &path, &["Ingress", "Egress"]));
    }
    causes
}

/// Whether the text is a block of addresses.
pub(crate) fn is_cidr(text: &str) -> bool {
    let Some((address, bits)) = text.split_once('/') else { return false };
    let most = match address.parse::<std::net::IpAddr>() {
        Ok(std::net::IpAddr::V4(_)) => 32,
        Ok(std::net::IpAddr::V6(_)) => 128,
        Err(_) => return false,
    };
    bits.parse::<u8>().is_ok_and(|bits| bits <= most)
}

pub(super) fn node(node: &Value) -> Vec<Cause> {
    let mut causes = super::fields::taints(node);
    for (index, block) in field::list(node, "/spec/podCIDRs").iter().enumerate() {
        if !is_cidr(block.as_str().unwrap_or_default()) {
            causes.push(Cause::invalid(&format!("spec.podCIDRs[{index}]"), block, CIDR));
        }
    }
    causes
}

/// An address of version 4 whose parts have leading zeros, as older servers took it.
pub(crate) fn sloppy_address(text: &str) -> Option<std::net::Ipv4Addr> {
    let parts: Vec<&str> = text.split('.').collect();
    let digits = |part: &&str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    if parts.len() != 4 || !parts.iter().all(digits) {
        return None;
    }
    let parts: Vec<String> = parts
        .iter()
        .map(|part| part.trim_start_matches('0'))
        .map(|part| if part.is_empty() { "0".to_owned() } else { part.to_owned() })
        .collect();
    parts.join(".").parse().ok()
}

/// Old endpoints have addresses, ready or not.
pub(super) fn endpoints(endpoints: &Value) -> Vec<Cause> {
    const IP: &str = "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)";
    let mut causes = Vec::new();
    for (s, subset) in field::list(endpoints, "/subsets").iter().enumerate() {
        let count = |key: &str| field::list(subset, key).len();
        if count("/addresses") + count("/notReadyAddresses") == 0 {
            let why = "must specify `addresses` or `notReadyAddresses`";
            causes.push(Cause::required_because(&format!("subsets[{s}]"), why));
        }
        for key in ["addresses", "notReadyAddresses"] {
            for (a, address) in field::list(subset, &format!("/{key}")).iter().enumerate() {
                let path = format!("subsets[{s}].{key}[{a}].ip");
                let ip = Value::from(field::text(address, "/ip"));
                if field::text(address, "/ip").parse::<std::net::IpAddr>().is_err() {
                    causes.push(Cause::invalid(&path, &ip, IP));
                    causes.push(Cause::invalid(&path, &ip, "must be a valid IP address"));
                }
            }
        }
    }
    causes
}
