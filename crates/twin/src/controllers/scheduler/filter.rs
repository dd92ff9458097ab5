//! Why a node cannot take a pod, in the scheduler's words and order.

use serde_json::Value;

use super::room::{Demand, Room};
use super::rooms::Rooms;
use super::{affinity, peers, spread, volumes};
use crate::cluster::Context;
use crate::controllers::taint_eviction::tolerates;
use crate::field;
use crate::store::Object;

/// What decides about a node, for finding out which changes may help.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Plugin {
    Node,
    Ports,
    Resources,
    Volumes,
    Spread,
    Peers,
}

/// A node that cannot take a pod.
#[derive(Debug, Clone)]
pub(super) struct Refusal {
    pub plugin: Plugin,
    pub reasons: Vec<String>,
    /// Whether fewer pods on the node might help.
    pub resolvable: bool,
}

/// What is worked out once for a pod before nodes are looked at.
pub(super) struct Wish<'p> {
    pub pod: &'p Object,
    pub demand: Demand,
    ports: Vec<(String, String, i64)>,
    pub spread: spread::Wish,
    pub peers: peers::Wish,
    pub volumes: volumes::Wish,
}

impl<'p> Wish<'p> {
    pub fn of(
        context: &Context<'_>,
        pod: &'p Object,
        rooms: &Rooms,
        volumes: volumes::Wish,
    ) -> Self {
        Self {
            demand: Demand::of(pod),
            ports: host_ports(pod),
            spread: spread::Wish::of(context, pod, rooms),
            peers: peers::Wish::of(context, pod, rooms),
            volumes,
            pod,
        }
    }

    /// Whether a node can take the pod.
    pub fn check(&self, room: &Room) -> Result<(), Refusal> {
        self.check_node(room)?;
        self.check_load(room)
    }

    /// What does not depend on the pods of the node.
    fn check_node(&self, room: &Room) -> Result<(), Refusal> {
        let never = |plugin, reason: &str| {
            Err(Refusal { plugin, reasons: vec![reason.to_owned()], resolvable: false })
        };
        let node = &room.node;
        let tolerations = field::list(self.pod, "/spec/tolerations");
        let bears = |taint: &Value| tolerations.iter().any(|one| tolerates(one, taint));
        let cordon = serde_json::json!({
            "key": "node.kubernetes.io/unschedulable", "effect": "NoSchedule",
        });
        if field::flag(node, "/spec/unschedulable") && !bears(&cordon) {
            return never(Plugin::Node, "node(s) were unschedulable");
        }
        let mut taints = field::list(node, "/spec/taints").iter();
        if taints.any(|t| field::text(t, "/effect") != "PreferNoSchedule" && !bears(t)) {
            return never(Plugin::Node, "node(s) had untolerated taint(s)");
        }
        if !affinity::matches(self.pod, node) {
            return never(Plugin::Node, "node(s) didn't match Pod's node affinity/selector");
        }
        Ok(())
    }

    /// What other pods have to do with.
    fn check_load(&self, room: &Room) -> Result<(), Refusal> {
        if self.is_port_taken(room) {
            return Err(Refusal {
                plugin: Plugin::Ports,
                reasons: vec!["node(s) didn't have free ports for the requested pod ports".into()],
                resolvable: true,
            });
        }
        let missing = self.demand.missing(room);
        if !missing.is_empty() {
            let resolvable = !self.demand.exceeds(room);
            return Err(Refusal { plugin: Plugin::Resources, reasons: missing, resolvable });
        }
        self.volumes.check(room)?;
        self.spread.check(room)?;
        self.peers.check(room)
    }

    fn is_port_taken(&self, room: &Room) -> bool {
        !self.ports.is_empty()
            && room.pods.values().any(|other| {
                host_ports(other).iter().any(|theirs| self.ports.iter().any(|p| clash(p, theirs)))
            })
    }
}

/// Address, protocol and number of the host's ports that a pod takes.
fn host_ports(pod: &Value) -> Vec<(String, String, i64)> {
    let of = |list| field::list(pod, list).iter();
    let lasting = of("/spec/initContainers").filter(|c| c["restartPolicy"] == "Always");
    let all = of("/spec/containers").chain(lasting).flat_map(|c| field::list(c, "/ports"));
    let text = |port: &Value, key: &str, default: &str| match field::text(port, key) {
        "" => default.to_owned(),
        text => text.to_owned(),
    };
    all.filter_map(|port| {
        let number = port["hostPort"].as_i64().filter(|number| *number > 0)?;
        Some((text(port, "/hostIP", "0.0.0.0"), text(port, "/protocol", "TCP"), number))
    })
    .collect()
}

fn clash(a: &(String, String, i64), b: &(String, String, i64)) -> bool {
    const ANY: &str = "0.0.0.0";
    (a.1.as_str(), a.2) == (b.1.as_str(), b.2) && (a.0 == b.0 || a.0 == ANY || b.0 == ANY)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_port_of_any_address_clashes_with_all() {
        let port = |ip: &str, protocol: &str, n| (ip.to_owned(), protocol.to_owned(), n);
        let any = port("0.0.0.0", "TCP", 80);
        for (a, b, expected) in [
            (&any, &any, true),
            (&any, &port("10.0.0.1", "TCP", 80), true),
            (&port("10.0.0.2", "TCP", 80), &port("10.0.0.1", "TCP", 80), false),
            (&any, &port("0.0.0.0", "UDP", 80), false),
            (&any, &port("0.0.0.0", "TCP", 81), false),
        ] {
            assert_eq!(clash(a, b), expected, "{a:?} {b:?}");
        }
    }
}
