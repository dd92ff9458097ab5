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
    one_of(kind, PATH, &["FQDN", "IPv4", "IPv6"]).into_iter().collect()
}

pub(super) fn ingress(ingress: &Value) -> Vec<Cause> {
    let spec = at(ingress, "/spec");
    let mut causes = Vec::new();
    if field::list(spec, "/rules").is_empty() && spec.get("defaultBackend").is_none() {
        let why = "either `defaultBackend` or `rules` must be specified";
        causes.push(Cause::invalid("spec", &Value::Null, why));
    }
    for (r, rule) in field::list(spec, "/rules").iter().enumerate() {
        for (p, path) in field::list(rule, "/http/paths").iter().enumerate() {
            let here = format!("spec.rules[{r}].http.paths[{p}].pathType");
            let kind = at(path, "/pathType");
            if kind.is_null() {
                causes.push(Cause::required_because(&here, "pathType must be specified"));
            }
            let known = ["Exact", "ImplementationSpecific", "Prefix"];
            causes.extend(one_of(kind, &here, &known));
        }
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
                if block.as_str().is_some_and(|text| !is_cidr(text)) {
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
    let mut causes = Vec::new();
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
