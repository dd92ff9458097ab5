//! Where a node's kubelet is reached.

use serde_json::Value;

use crate::field;
use crate::kinds::{Kind, NODE};
use crate::registry::{Failure, Registry};

/// In this order an address is chosen.
const PREFERRED: [&str; 5] = ["Hostname", "InternalDNS", "InternalIP", "ExternalDNS", "ExternalIP"];
const PORT: i64 = 10250;

/// A kubelet's place, and whether somebody answers there.
pub(super) struct Kubelet {
    pub host: String,
    pub port: i64,
    pub answers: bool,
}

/// The kubelet of a node. A missing node is told as if it were of `kind`, as the server does.
pub(super) fn of(registry: &Registry, node: &str, kind: &Kind) -> Result<Kubelet, Failure> {
    let found = registry.get(&NODE, "", node).map_err(|_| Failure::not_found(kind, node))?;
    let addresses = field::list(found, "/status/addresses");
    let of_type = |kind: &str| addresses.iter().find(|a| field::text(a, "/type") == kind);
    let beat = registry.heartbeats.get(node);
    // The name of a node without a machine leads nowhere: its address is all there is.
    let is_made_up = beat.is_some_and(|beat| !beat.has_machine);
    let by_address = of_type("InternalIP").filter(|_| is_made_up);
    let preferred = || PREFERRED.iter().find_map(|kind| of_type(kind));
    let Some(address) = by_address.or_else(preferred) else {
        let told: Vec<String> = addresses.iter().map(told).collect();
        let told = told.join(" ");
        let why = format!("no preferred addresses found; known addresses: [{told}]");
        return Err(Failure::new(500, "", why));
    };
    let port = match field::number(found, "/status/daemonEndpoints/kubeletEndpoint/Port") {
        0 => PORT,
        own => own,
    };
    let answers = beat.is_some_and(|beat| beat.stopped.is_none() && beat.has_machine);
    Ok(Kubelet { host: field::text(address, "/address").to_owned(), port, answers })
}

fn told(address: &Value) -> String {
    format!("{{{} {}}}", field::text(address, "/type"), field::text(address, "/address"))
}

impl Kubelet {
    /// `10.0.0.1:10250`.
    pub fn place(&self) -> String {
        match self.host.contains(':') {
            true => format!("[{}]:{}", self.host, self.port),
            false => format!("{}:{}", self.host, self.port),
        }
    }

    /// What a stream finds where nobody listens.
    pub fn unreached(&self) -> Failure {
        let place = self.place();
        let why = format!("error dialing backend: dial tcp {place}: connect: connection refused");
        Failure::new(500, "", why)
    }

    /// What a request finds where nobody listens.
    pub fn refused(&self, path: &str) -> Failure {
        let place = self.place();
        let why =
            format!("Get \"https://{place}{path}\": dial tcp {place}: connect: connection refused");
        Failure::new(500, "", why)
    }
}
