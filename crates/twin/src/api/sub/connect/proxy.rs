//! `proxy`: to a pod, a service or a node, as far as it gets.

use std::net::IpAddr;

use super::super::super::route::Target;
use super::super::super::{Reply, Request};
use super::kubelet;
use crate::field;
use crate::kinds::{ENDPOINTS, NODE, POD, SERVICE};
use crate::registry::{Failure, Registry};

const METHODS: [&str; 7] = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"];

pub(super) fn answer(
    registry: &Registry,
    target: &Target,
    id: &str,
    request: &Request,
) -> Result<Reply, Failure> {
    if !METHODS.contains(&request.method.as_str()) {
        return Err(Failure::method_not_allowed());
    }
    let word = target.kind.kind.to_lowercase();
    let bad = || Failure::bad_request(format!("invalid {word} request {id:?}"));
    let (name, port) = split(id).ok_or_else(bad)?;
    let place = match target.kind.plural {
        "pods" => to_pod(registry, target.home(), name, port)?,
        "services" => to_service(registry, target.home(), name, port)?,
        _ => to_node(registry, name, port)?,
    };
    let why =
        format!("error trying to reach service: dial tcp {place}: connect: connection refused");
    Err(Failure::new(503, "ServiceUnavailable", why))
}

/// Name and port of `name`, `name:port` or `scheme:name:port`.
fn split(id: &str) -> Option<(&str, &str)> {
    let parts: Vec<&str> = id.split(':').collect();
    match parts.as_slice() {
        [name] => Some((*name, "")),
        [name, port] => Some((*name, *port)),
        ["" | "http" | "https", name, port] => Some((*name, *port)),
        _ => None,
    }
}

fn to_pod(registry: &Registry, namespace: &str, name: &str, port: &str) -> Result<String, Failure> {
    let pod = registry.get(&POD, namespace, name)?;
    let address = field::text(pod, "/status/podIP");
    if !is_open(address) {
        return Err(Failure::bad_request("address not allowed"));
    }
    let containers = field::list(pod, "/spec/containers").iter();
    let own = containers.flat_map(|c| field::list(c, "/ports")).next();
    let own = own.map(|port| field::number(port, "/containerPort").to_string());
    let port = if port.is_empty() { own.unwrap_or_else(|| "80".into()) } else { port.to_owned() };
    Ok(format!("{address}:{port}"))
}

fn to_service(
    registry: &Registry,
    namespace: &str,
    name: &str,
    port: &str,
) -> Result<String, Failure> {
    let unavailable = |why: String| Failure::new(503, "ServiceUnavailable", why);
    let mut wanted = port.to_owned();
    if let Ok(number) = port.parse::<i64>() {
        let service = registry.get(&SERVICE, namespace, name)?;
        let mut ports = field::list(service, "/spec/ports").iter();
        let found = ports.find(|port| field::number(port, "/port") == number);
        let none = || unavailable(format!("no service port {number} found for service {name:?}"));
        wanted = field::text(found.ok_or_else(none)?, "/name").to_owned();
    }
    let missing = |_| Failure::not_found(&SERVICE, name);
    let endpoints = registry.get(&ENDPOINTS, namespace, name).map_err(missing)?;
    for subset in field::list(endpoints, "/subsets") {
        let mut ports = field::list(subset, "/ports").iter();
        let Some(port) = ports.find(|port| field::text(port, "/name") == wanted) else { continue };
        // Only addresses that are pods' are proxied to.
        let mut addresses = field::list(subset, "/addresses").iter();
        let is_pod = |address: &&serde_json::Value| {
            let (kind, pod) =
                (field::text(address, "/targetRef/kind"), field::text(address, "/targetRef/name"));
            let pod = registry.get(&POD, namespace, pod).ok();
            let ip = field::text(address, "/ip");
            kind == "Pod" && pod.is_some_and(|pod| field::text(pod, "/status/podIP") == ip)
        };
        if let Some(address) = addresses.find(is_pod) {
            let number = field::number(port, "/port");
            return Ok(format!("{}:{number}", field::text(address, "/ip")));
        }
    }
    Err(unavailable(format!("no endpoints available for service {name:?}")))
}

fn to_node(registry: &Registry, name: &str, port: &str) -> Result<String, Failure> {
    let kubelet = kubelet::of(registry, name, &NODE)?;
    if !is_open(&kubelet.host) {
        return Err(Failure::bad_request("address not allowed"));
    }
    Ok(if port.is_empty() { kubelet.place() } else { format!("{}:{port}", kubelet.host) })
}

/// Whether an address is one that leads somewhere else.
fn is_open(address: &str) -> bool {
    let Ok(address) = address.parse::<IpAddr>() else { return false };
    let link_local = match address {
        IpAddr::V4(v4) => v4.is_link_local() || v4.is_broadcast(),
        IpAddr::V6(v6) => v6.is_unicast_link_local(),
    };
    !(address.is_unspecified() || address.is_loopback() || address.is_multicast() || link_local)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_may_carry_a_scheme_and_a_port() {
        assert_eq!(split("a"), Some(("a", "")));
        assert_eq!(split("a:80"), Some(("a", "80")));
        assert_eq!(split("https:a:web"), Some(("a", "web")));
        assert_eq!(split("ftp:a:web"), None);
        assert_eq!(split("http:a:b:81"), None);
    }

    #[test]
    fn addresses_of_the_server_itself_are_closed() {
        for closed in ["", "127.0.0.1", "0.0.0.0", "169.254.1.1", "224.0.0.1", "::1"] {
            assert!(!is_open(closed), "{closed}");
        }
        assert!(is_open("10.0.0.1") && is_open("fd00::1"));
    }
}
