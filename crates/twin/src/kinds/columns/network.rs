//! Columns of services, endpoints and ingresses.

use serde_json::Value;

use super::{AGE, Columns, NAME, age, labels, name, selector, text, text_or, wide};
use crate::field;

pub(crate) const SERVICE: Columns = Columns::new(
    &[
        NAME,
        text("Type"),
        text("Cluster-IP"),
        text("External-IP"),
        text("Port(s)"),
        AGE,
        wide("Selector"),
    ],
    |o, now| {
        vec![
            name(o),
            text_or(o, "/spec/type", ""),
            text_or(o, "/spec/clusterIP", "<none>"),
            external(o).into(),
            ports(o).into(),
            age(o, now),
            labels(o, "/spec/selector"),
        ]
    },
);

fn external(service: &Value) -> String {
    let mut told: Vec<_> = field::list(service, "/status/loadBalancer/ingress")
        .iter()
        .map(|i| match field::text(i, "/ip") {
            "" => field::text(i, "/hostname"),
            ip => ip,
        })
        .collect();
    let pending = field::text(service, "/spec/type") == "LoadBalancer" && told.is_empty();
    told.extend(field::list(service, "/spec/externalIPs").iter().filter_map(Value::as_str));
    match field::text(service, "/spec/externalName") {
        "" if told.is_empty() && pending => "<pending>".into(),
        "" if told.is_empty() => "<none>".into(),
        "" => told.join(","),
        outside => outside.into(),
    }
}

fn ports(service: &Value) -> String {
    let told = field::list(service, "/spec/ports").iter().map(|port| {
        let (number, protocol) = (field::number(port, "/port"), field::text(port, "/protocol"));
        match field::number(port, "/nodePort") {
            0 => format!("{number}/{protocol}"),
            node => format!("{number}:{node}/{protocol}"),
        }
    });
    let told: Vec<_> = told.collect();
    if told.is_empty() { "<none>".into() } else { told.join(",") }
}

pub(crate) const ENDPOINTS: Columns = Columns::new(&[NAME, text("Endpoints"), AGE], |o, now| {
    let mut all = Vec::new();
    for subset in field::list(o, "/subsets") {
        let ports = field::list(subset, "/ports");
        for address in field::list(subset, "/addresses") {
            let ip = field::text(address, "/ip");
            if ports.is_empty() {
                all.push(ip.to_owned());
            }
            all.extend(ports.iter().map(|p| format!("{ip}:{}", field::number(p, "/port"))));
        }
    }
    vec![name(o), shortened(&all).into(), age(o, now)]
});

pub(crate) const ENDPOINT_SLICE: Columns =
    Columns::new(&[NAME, text("AddressType"), text("Ports"), text("Endpoints"), AGE], |o, now| {
        let ports = field::list(o, "/ports").iter();
        let ports: Vec<_> = ports.map(|p| field::number(p, "/port").to_string()).collect();
        let addresses = field::list(o, "/endpoints")
            .iter()
            .flat_map(|e| field::list(e, "/addresses"))
            .filter_map(Value::as_str);
        let addresses: Vec<_> = addresses.map(str::to_owned).collect();
        let unset = |text: String| if text == "<none>" { "<unset>".to_owned() } else { text };
        vec![
            name(o),
            text_or(o, "/addressType", ""),
            unset(shortened(&ports)).into(),
            unset(shortened(&addresses)).into(),
            age(o, now),
        ]
    });

/// The first three, and how many more there are.
fn shortened(all: &[String]) -> String {
    let shown: Vec<_> = all.iter().take(3).map(String::as_str).collect();
    match all.len() {
        0 => "<none>".into(),
        1..=3 => shown.join(","),
        n => format!("{} + {} more...", shown.join(","), n - 3),
    }
}

pub(crate) const INGRESS: Columns = Columns::new(
    &[NAME, text("Class"), text("Hosts"), text("Address"), text("Ports"), AGE],
    |o, now| {
        let hosts = field::list(o, "/spec/rules").iter().map(|r| field::text(r, "/host"));
        let hosts: Vec<_> = hosts.filter(|host| !host.is_empty()).collect();
        let hosts = if hosts.is_empty() { "*".to_owned() } else { hosts.join(",") };
        let at = field::list(o, "/status/loadBalancer/ingress").iter();
        let at: Vec<_> = at.map(|i| field::text(i, "/ip")).collect();
        let secure = !field::list(o, "/spec/tls").is_empty();
        vec![
            name(o),
            text_or(o, "/spec/ingressClassName", "<none>"),
            hosts.into(),
            at.join(",").into(),
            if secure { "80, 443".into() } else { "80".into() },
            age(o, now),
        ]
    },
);

pub(crate) const INGRESS_CLASS: Columns =
    Columns::new(&[NAME, text("Controller"), text("Parameters"), AGE], |o, now| {
        let parameters = match field::text(o, "/spec/parameters/kind") {
            "" => "<none>".to_owned(),
            kind => format!("{kind}/{}", field::text(o, "/spec/parameters/name")),
        };
        vec![name(o), text_or(o, "/spec/controller", ""), parameters.into(), age(o, now)]
    });

pub(crate) const NETWORK_POLICY: Columns =
    Columns::new(&[NAME, text("Pod-Selector"), AGE], |o, now| {
        vec![name(o), selector(o, "/spec/podSelector"), age(o, now)]
    });

pub(crate) const ADDRESS: Columns = Columns::new(&[NAME, text("ParentRef")], |o, _| {
    let of = |key: &str| field::text(o, &format!("/spec/parentRef/{key}")).to_owned();
    let parts = [of("group"), of("resource"), of("namespace"), of("name")];
    let told: Vec<_> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    vec![name(o), told.join("/").into()]
});

pub(crate) const RANGE: Columns = Columns::new(&[NAME, text("CIDRs"), AGE], |o, now| {
    let all: Vec<_> =
        field::list(o, "/spec/cidrs").iter().filter_map(serde_json::Value::as_str).collect();
    vec![name(o), all.join(",").into(), age(o, now)]
});
