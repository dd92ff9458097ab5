//! Rows of services, endpoints, ingresses and network policies.

use super::Row;
use crate::text::address;
use crate::text::shape::{label_selector, pairs, put, put_some, some};
use serde_json::{Value, json};

/// Fills a service.
pub fn service(row: &Row<'_>, value: &mut Value) {
    put_some(value, "spec.type", row.some("TYPE"));
    put_some(value, "spec.clusterIP", row.get("CLUSTER-IP").map(cluster_ip));
    if let Some(external) = row.get("EXTERNAL-IP") {
        external_address(row, external, value);
    }
    if let Some(ports) = row.any(&["PORT(S)", "PORTS"]) {
        let list: Vec<Value> = ports.split(',').filter_map(port).collect();
        put(value, "spec.ports", list);
    }
    if let Some(selector) = row.get("SELECTOR") {
        put(value, "spec.selector", pairs(selector));
    }
}

fn cluster_ip(cell: &str) -> &str {
    // An external name has no address: `<none>`. A headless service says `None`.
    some(cell).unwrap_or("")
}

fn external_address(row: &Row<'_>, cell: &str, value: &mut Value) {
    match row.get("TYPE") {
        Some("ExternalName") => put_some(value, "spec.externalName", some(cell)),
        Some("LoadBalancer") => {
            let known = some(cell).filter(|c| *c != "<pending>").unwrap_or("");
            let list: Vec<Value> = known.split(',').filter_map(some).map(ingress_point).collect();
            put(value, "status.loadBalancer.ingress", list);
        }
        _ => {
            if let Some(list) = some(cell) {
                put(value, "spec.externalIPs", list.split(',').collect::<Vec<_>>());
            }
        }
    }
}

fn ingress_point(text: &str) -> Value {
    if text.parse::<std::net::IpAddr>().is_ok() {
        json!({"ip": text})
    } else {
        json!({"hostname": text})
    }
}

/// `80:30080/TCP`.
fn port(text: &str) -> Option<Value> {
    let (ports, protocol) = text.trim().split_once('/').unwrap_or((text.trim(), "TCP"));
    let (port, node_port) = ports.split_once(':').unwrap_or((ports, ""));
    let mut value = json!({"port": port.parse::<u16>().ok()?, "protocol": protocol});
    put_some(&mut value, "nodePort", node_port.parse::<u16>().ok());
    Some(value)
}

/// Fills endpoints.
pub fn endpoints(row: &Row<'_>, value: &mut Value) {
    if let Some(cell) = row.get("ENDPOINTS") {
        let list = address::list(cell);
        put(value, "subsets", address::subsets(&list.addresses, None));
        put_some(value, "moreAddresses", (list.more > 0).then_some(list.more));
    }
}

/// Fills an endpoint slice. Whether an address is ready is not in the table.
pub fn endpoint_slice(row: &Row<'_>, value: &mut Value) {
    put_some(value, "addressType", row.some("ADDRESSTYPE"));
    if let Some(ports) = row.get("PORTS") {
        let list: Vec<Value> = ports
            .split(',')
            .filter_map(|p| p.trim().parse::<u16>().ok())
            .map(|p| json!({"port": p}))
            .collect();
        put(value, "ports", list);
    }
    if let Some(cell) = row.get("ENDPOINTS") {
        let list = address::list(cell);
        let endpoints: Vec<Value> =
            list.addresses.iter().map(|a| json!({"addresses": [a.ip]})).collect();
        put(value, "endpoints", endpoints);
        put_some(value, "moreAddresses", (list.more > 0).then_some(list.more));
    }
}

/// Fills an ingress; paths and backends are not in the table.
pub fn ingress(row: &Row<'_>, value: &mut Value) {
    if let Some(class) = row.get("CLASS") {
        put(value, "spec.ingressClassName", some(class).unwrap_or(""));
    }
    if let Some(hosts) = row.get("HOSTS") {
        let rules: Vec<Value> = hosts
            .split(',')
            .filter_map(some)
            .map(|h| if h == "*" { json!({}) } else { json!({"host": h}) })
            .collect();
        put(value, "spec.rules", rules);
    }
    if let Some(cell) = row.get("ADDRESS") {
        let list: Vec<Value> = cell.split(',').filter_map(some).map(ingress_point).collect();
        put(value, "status.loadBalancer.ingress", list);
    }
}

/// Fills a network policy.
pub fn policy(row: &Row<'_>, value: &mut Value) {
    if let Some(selector) = row.get("POD-SELECTOR") {
        put(value, "spec.podSelector", label_selector(selector));
    }
}
