//! Addresses and ports that the API gives to Services.

use serde_json::{Value, json};

use super::{Cause, Failure, Registry};
use crate::field;
use crate::kinds::{Kind, SERVICE};

/// Ports that a Service may open on every node.
const NODE_PORTS: (i64, i64) = (30_000, 32_768);

/// The first parts of every cluster address.
const RANGE: (u8, u8) = (10, 96);

impl Registry {
    /// Gives a Service its addresses and node ports: from 10.96.0.0/16 and 30000-32767.
    pub(super) fn allocate(&mut self, kind: &Kind, value: &mut Value) -> Result<(), Failure> {
        if kind.storage != "services" || field::text(value, "/spec/type") == "ExternalName" {
            return Ok(());
        }
        let given = field::text(value, "/spec/clusterIP").to_owned();
        if !given.is_empty() && given != "None" && self.is_taken(value, "/spec/clusterIP", &given) {
            let why = "failed to allocate IP GIVEN: provided IP is already allocated";
            let why = why.replace("GIVEN", &given);
            let cause = Cause::invalid("spec.clusterIPs", &json!([given]), &why);
            return Err(Failure::invalid(kind, field::name(value), &[cause]));
        }
        let outside = given.parse::<std::net::Ipv4Addr>().is_ok_and(|ip| {
            let [a, b, ..] = ip.octets();
            (a, b) != RANGE
        });
        if outside {
            let why = format!(
                "failed to allocate IP {given}: the provided network does not match the current \
                 range"
            );
            let cause = Cause::invalid("spec.clusterIPs", &json!([given]), &why);
            return Err(Failure::invalid(kind, field::name(value), &[cause]));
        }
        let address = if given.is_empty() { self.free_address() } else { given };
        let spec = field::child(value, "spec");
        spec.insert("clusterIP".into(), address.clone().into());
        field::default(spec, "clusterIPs", vec![address.clone()]);
        let unselected = spec.get("selector").is_none() && address == "None";
        field::default(spec, "ipFamilies", json!(["IPv4"]));
        let policy = if unselected { "RequireDualStack" } else { "SingleStack" };
        if unselected {
            spec.insert("ipFamilies".into(), json!(["IPv4", "IPv6"]));
        }
        field::default(spec, "ipFamilyPolicy", policy);
        let checked = field::text(value, "/spec/type") == "LoadBalancer"
            && field::text(value, "/spec/externalTrafficPolicy") == "Local";
        if checked && field::number(value, "/spec/healthCheckNodePort") == 0 {
            let port = self.dice.between(NODE_PORTS.0, NODE_PORTS.1);
            value["spec"]["healthCheckNodePort"] = port.into();
        }
        self.open_ports(value)
    }

    /// Node ports for Services that open some.
    fn open_ports(&mut self, value: &mut Value) -> Result<(), Failure> {
        let opens = match field::text(value, "/spec/type") {
            "NodePort" => true,
            "LoadBalancer" => field::flag(value, "/spec/allocateLoadBalancerNodePorts"),
            _ => false,
        };
        let name = field::name(value).to_owned();
        let count = field::list(value, "/spec/ports").len();
        for index in (0..count).filter(|_| opens) {
            let at = format!("/spec/ports/{index}/nodePort");
            let given = field::number(value, &at);
            if given == 0 {
                let port = self.dice.between(NODE_PORTS.0, NODE_PORTS.1);
                value["spec"]["ports"][index]["nodePort"] = port.into();
            } else if self.opens(value, given) {
                let field = format!("spec.ports[{index}].nodePort");
                let why = "provided port is already allocated";
                let cause = Cause::invalid(&field, &given.into(), why);
                return Err(Failure::invalid(&SERVICE, &name, &[cause]));
            }
        }
        Ok(())
    }

    fn opens(&self, own: &Value, port: i64) -> bool {
        let all = self.store.table(SERVICE.storage).values();
        let all = all.filter(|service| field::uid(service) != field::uid(own));
        let mut ports = all.flat_map(|service| field::list(service, "/spec/ports"));
        ports.any(|p| field::number(p, "/nodePort") == port)
    }

    fn is_taken(&self, own: &Value, pointer: &str, address: &str) -> bool {
        let all = self.store.table(SERVICE.storage).values();
        let mut all = all.filter(|service| field::uid(service) != field::uid(own));
        all.any(|service| field::text(service, pointer) == address)
    }

    fn free_address(&mut self) -> String {
        let host = self.dice.between(10, 65_000);
        format!("10.96.{}.{}", host / 256, host % 256)
    }
}
