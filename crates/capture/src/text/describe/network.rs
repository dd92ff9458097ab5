//! Services, endpoints, ingresses and network policies.

use super::outline::{Entry, Section};
use super::probe::port_value;
use crate::text::address;
use crate::text::shape::{label_selector, object, pairs, push, put, put_some, some};
use serde_json::{Value, json};

/// Fills a service; returns the endpoints printed with it.
pub fn service(body: Section<'_>, value: &mut Value) -> Vec<(u32, Value)> {
    let mut ports: Vec<Value> = Vec::new();
    let mut subsets: Vec<Value> = Vec::new();
    let (mut shown, mut more) = (None, 0u32);
    for entry in body.entries() {
        match entry.key {
            "Selector" => put(value, "spec.selector", pairs(entry.value)),
            "Type" => put_some(value, "spec.type", some(entry.value)),
            "IP" => put(value, "spec.clusterIP", some(entry.value).unwrap_or("")),
            "External Name" => put_some(value, "spec.externalName", some(entry.value)),
            "LoadBalancer Ingress" => load_balancer(entry.value, value),
            "Port" => ports.extend(service_port(entry.value)),
            "TargetPort" => {
                let target = entry.value.split('/').next().unwrap_or("");
                if let Some(port) = ports.last_mut() {
                    put(port, "targetPort", port_value(target));
                }
            }
            "NodePort" => {
                let number = service_port(entry.value).and_then(|p| p.get("port").cloned());
                if let Some(port) = ports.last_mut() {
                    put_some(port, "nodePort", number);
                }
            }
            "Endpoints" => {
                let list = address::list(entry.value);
                let name = ports.last().and_then(|p| p.get("name")).and_then(Value::as_str);
                if let Value::Array(part) = address::subsets(&list.addresses, name) {
                    subsets.extend(part);
                }
                (shown, more) = (Some(entry.line), more.saturating_add(list.more));
            }
            "Session Affinity" => put_some(value, "spec.sessionAffinity", some(entry.value)),
            "External Traffic Policy" => {
                put_some(value, "spec.externalTrafficPolicy", some(entry.value));
            }
            "Internal Traffic Policy" => {
                put_some(value, "spec.internalTrafficPolicy", some(entry.value));
            }
            _ => {}
        }
    }
    // The addresses stand above the ports, where there are any.
    let is_balanced = value.pointer("/spec/type").is_some_and(|t| t == "LoadBalancer");
    if is_balanced && !ports.is_empty() && value.pointer("/status/loadBalancer").is_none() {
        put(value, "status.loadBalancer.ingress", json!([]));
    }
    put(value, "spec.ports", ports);
    let Some(line) = shown else { return Vec::new() };
    let field = |p: &str| value.pointer(p).and_then(Value::as_str);
    let mut endpoints =
        object("Endpoints", field("/metadata/name").unwrap_or(""), field("/metadata/namespace"));
    put(&mut endpoints, "subsets", subsets);
    put_some(&mut endpoints, "moreAddresses", (more > 0).then_some(more));
    vec![(line, endpoints)]
}

/// `http  80/TCP`, `<unset>  80/TCP`.
fn service_port(text: &str) -> Option<Value> {
    let mut words = text.split_whitespace();
    let first = words.next()?;
    let (name, port) = words.next().map_or(("", first), |port| (first, port));
    let (number, protocol) = port.split_once('/').unwrap_or((port, "TCP"));
    let mut value = json!({"port": number.parse::<u16>().ok()?, "protocol": protocol});
    put_some(&mut value, "name", some(name));
    Some(value)
}

fn load_balancer(text: &str, value: &mut Value) {
    let point = |t: &str| {
        let t = t.split(' ').next().unwrap_or(t);
        if t.parse::<std::net::IpAddr>().is_ok() {
            json!({"ip": t})
        } else {
            json!({"hostname": t})
        }
    };
    let list: Vec<Value> = text.split(',').filter_map(some).map(point).collect();
    put(value, "status.loadBalancer.ingress", list);
}

/// Fills endpoints.
pub fn endpoints(body: Section<'_>, value: &mut Value) {
    let Some(entry) = body.find(&["Subsets"]) else { return };
    let mut subsets: Vec<Value> = Vec::new();
    for part in entry.body.entries() {
        match part.key {
            "Addresses" => subsets.push(json!({"addresses": addresses(part.value)})),
            "NotReadyAddresses" => {
                if let Some(last) = subsets.last_mut() {
                    put(last, "notReadyAddresses", addresses(part.value));
                }
            }
            "Ports" => {
                if let Some(last) = subsets.last_mut() {
                    put(last, "ports", port_table(part));
                }
            }
            _ => {}
        }
    }
    put(value, "subsets", subsets);
}

fn addresses(text: &str) -> Vec<Value> {
    text.split(',').filter_map(some).map(|ip| json!({"ip": ip})).collect()
}

fn port_table(entry: Entry<'_>) -> Value {
    let Some((columns, rows)) = entry.body.table() else { return json!([]) };
    let port = |(_, cells): (u32, Vec<String>)| {
        let cell =
            |name: &str| columns.index(name).and_then(|i| cells.get(i)).and_then(|c| some(c));
        let mut port = json!({"port": cell("Port")?.parse::<u16>().ok()?});
        put_some(&mut port, "name", cell("Name"));
        put_some(&mut port, "protocol", cell("Protocol"));
        Some(port)
    };
    Value::from(rows.into_iter().filter_map(port).collect::<Vec<_>>())
}

/// Fills an endpoint slice.
pub fn endpoint_slice(body: Section<'_>, value: &mut Value) {
    for entry in body.entries() {
        match entry.key {
            "AddressType" => put_some(value, "addressType", some(entry.value)),
            "Ports" => put(value, "ports", port_table(entry)),
            "Endpoints" => {
                let mut list: Vec<Value> = Vec::new();
                for part in entry.body.entries() {
                    if part.key == "- Addresses" {
                        let ips: Vec<&str> = part.value.split(',').filter_map(some).collect();
                        let mut one = json!({"addresses": ips});
                        fill_endpoint(part.body, &mut one);
                        list.push(one);
                    }
                }
                put(value, "endpoints", list);
            }
            _ => {}
        }
    }
}

fn fill_endpoint(body: Section<'_>, value: &mut Value) {
    for part in body.entries() {
        match part.key {
            "Conditions" => {
                let ready = part.body.some("Ready").map(|r| r == "true");
                put_some(value, "conditions.ready", ready);
            }
            "TargetRef" => {
                if let Some((kind, name)) = part.value.split_once('/') {
                    put(value, "targetRef", json!({"kind": kind, "name": name}));
                }
            }
            "NodeName" => put_some(value, "nodeName", some(part.value)),
            _ => {}
        }
    }
}

/// What the server said about the backend of an ingress.
pub struct Absent {
    /// Kind that does not exist.
    pub kind: &'static str,
    /// Its name.
    pub name: String,
    /// Line it was said in.
    pub line: u32,
}

/// Fills an ingress; returns backends that the server does not know.
pub fn ingress(body: Section<'_>, value: &mut Value) -> Vec<Absent> {
    let mut absent = Vec::new();
    for entry in body.entries() {
        match entry.key {
            "Ingress Class" => {
                put(value, "spec.ingressClassName", some(entry.value).unwrap_or(""));
            }
            "Address" => load_balancer(entry.value, value),
            "Default backend" => {
                let cell = entry.value;
                if some(cell).is_some_and(|c| c != "<default>") {
                    let (backend, _) = backend(cell, entry.line, value, &mut absent);
                    put(value, "spec.defaultBackend", backend);
                }
            }
            "TLS" => put(value, "spec.tls", entry.values().filter_map(tls).collect::<Vec<_>>()),
            "Rules" => rules(entry, value, &mut absent),
            _ => {}
        }
    }
    absent
}

/// `secret terminates a.example.com,b.example.com`.
fn tls(line: &str) -> Option<Value> {
    let (secret, hosts) = line.split_once(" terminates ")?;
    let hosts: Vec<&str> = hosts.split(',').filter_map(some).collect();
    Some(json!({"secretName": secret.trim(), "hosts": hosts}))
}

fn rules(entry: Entry<'_>, value: &mut Value, absent: &mut Vec<Absent>) {
    let mut rules: Vec<Value> = Vec::new();
    for line in entry.body.lines {
        let fields = crate::text::table::split_wide(&line.text);
        match fields.as_slice() {
            [] | ["Host", ..] => {}
            [rule, ..] if rule.starts_with("--") => {}
            [host] => {
                let host = Some(*host).filter(|h| *h != "*");
                let mut rule = json!({"http": {"paths": []}});
                put_some(&mut rule, "host", host);
                rules.push(rule);
            }
            [.., path, cell] => {
                let (backend, _) = backend(cell, line.number, value, absent);
                let path = if path.starts_with('/') { path } else { "" };
                let Some(rule) = rules.last_mut() else { continue };
                push(rule, "http.paths", json!({"path": path, "backend": backend}));
            }
        }
    }
    put(value, "spec.rules", rules);
}

/// `web:80 (10.0.0.1:8080)`, `api:http (<error: services "api" not found>)`.
fn backend(cell: &str, line: u32, value: &mut Value, absent: &mut Vec<Absent>) -> (Value, bool) {
    let (service, note) = cell.split_once(' ').unwrap_or((cell, ""));
    let (name, port) = service.rsplit_once(':').unwrap_or((service, ""));
    let note = note.trim().trim_start_matches('(').trim_end_matches(')');
    if some(note).is_some() {
        push(value, "backendNotes", json!({"service": name, "note": note}));
    }
    let known = !note.contains(" not found");
    if !known {
        let kind = if note.contains("endpoints \"") { "Endpoints" } else { "Service" };
        let quoted = note.split('"').nth(1).unwrap_or(name);
        absent.push(Absent { kind, name: quoted.to_owned(), line });
    }
    let port = match port.parse::<u16>() {
        Ok(number) => json!({"number": number}),
        Err(_) => json!({"name": port}),
    };
    (json!({"service": {"name": name, "port": port}}), known)
}

/// Fills a network policy: whom it selects, which ways it closes, and whom it lets through.
pub fn policy(body: Section<'_>, value: &mut Value) {
    let Some(spec) = body.find(&["Spec"]) else { return };
    for entry in spec.body.entries() {
        match (entry.key, entry.value) {
            ("PodSelector", text) => {
                let text = text.split(" (").next().unwrap_or(text);
                put(value, "spec.podSelector", label_selector(text));
            }
            ("Policy Types", text) => {
                let types: Vec<&str> = text.split(',').filter_map(some).collect();
                put(value, "spec.policyTypes", types);
            }
            ("Allowing ingress traffic", _) => {
                put(value, "spec.ingress", policy_rules(entry.body, "from"));
            }
            ("Allowing egress traffic", _) => {
                put(value, "spec.egress", policy_rules(entry.body, "to"));
            }
            _ => {}
        }
    }
}

fn policy_rules(body: Section<'_>, side: &str) -> Value {
    let mut rules: Vec<Value> = Vec::new();
    let mut fresh = true;
    for entry in body.entries() {
        if entry.value.starts_with("<none>") && entry.key.is_empty() {
            return json!([]);
        }
        if entry.value.starts_with("-----") {
            fresh = true;
            continue;
        }
        if std::mem::take(&mut fresh) {
            rules.push(json!({}));
        }
        let Some(rule) = rules.last_mut() else { continue };
        match entry.key {
            "To Port" if !entry.value.starts_with("<any>") => {
                if let Some((port, protocol)) = entry.value.split_once('/') {
                    push(rule, "ports", json!({"port": port_value(port), "protocol": protocol}));
                }
            }
            "From" | "To" if entry.value.is_empty() => {
                let mut peer = json!({});
                for part in entry.body.entries() {
                    match part.key {
                        "PodSelector" => put(&mut peer, "podSelector", label_selector(part.value)),
                        "NamespaceSelector" => {
                            put(&mut peer, "namespaceSelector", label_selector(part.value));
                        }
                        "CIDR" => put(&mut peer, "ipBlock.cidr", part.value),
                        "Except" => put(
                            &mut peer,
                            "ipBlock.except",
                            part.value.split(',').map(str::trim).collect::<Vec<_>>(),
                        ),
                        _ => {}
                    }
                }
                push(rule, side, peer);
            }
            _ => {}
        }
    }
    Value::from(rules)
}
