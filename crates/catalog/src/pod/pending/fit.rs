//! For a pod and every node: which constraint keeps them apart. Compares objects only; what is
//! not shown is no obstacle.

use std::rc::Rc;

use model::record::{Known, Node, PersistentVolume, Pod, PodSpec, Taint, VolumeSource};
use model::{Labels, Quantity, Snapshot, Text};

use super::supply::{Room, Seat, Supply, requests_of};

/// One thing that keeps a pod from a node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Obstacle {
    /// The node is cordoned.
    Cordon,
    /// The pod does not tolerate this taint.
    Taint(Taint),
    /// The node's labels are not those of the pod's node selector.
    Selector,
    /// The node's labels do not meet the pod's node affinity.
    Affinity,
    /// Another pod has taken this port of the node.
    Port(u16),
    /// Too little is free.
    Lacks {
        /// Resource.
        resource: Text,
        /// What the pod asks for.
        asked: Quantity,
        /// What the node has.
        room: Room,
        /// What too little of it is called.
        mechanism: &'static str,
    },
    /// The node takes no more pods.
    Pods,
    /// A volume of the pod cannot be used on this node.
    Volume(String),
}

impl Obstacle {
    /// The mechanism it stands for.
    pub(crate) fn mechanism(&self) -> &'static str {
        match self {
            Obstacle::Cordon => "node-cordoned",
            Obstacle::Taint(_) => "taint-not-tolerated",
            Obstacle::Selector => "node-selector-unmatched",
            Obstacle::Affinity => "node-affinity-unmatched",
            Obstacle::Port(_) => "host-port-taken",
            Obstacle::Lacks { mechanism, .. } => mechanism,
            Obstacle::Pods => "insufficient-pods",
            Obstacle::Volume(_) => "volume-node-conflict",
        }
    }

    /// Whether the pod itself says that it does not want the node.
    pub(crate) fn is_choice(&self) -> bool {
        matches!(self, Obstacle::Selector | Obstacle::Affinity)
    }
}

/// The mechanism of too little of a resource.
pub(crate) fn lacking(resource: &str) -> &'static str {
    match resource {
        "cpu" => "insufficient-cpu",
        "memory" => "insufficient-memory",
        "ephemeral-storage" => "insufficient-ephemeral-storage",
        "pods" => "insufficient-pods",
        _ => "insufficient-extended-resource",
    }
}

/// A node and what keeps the pod from it.
pub(crate) struct Fit<'s> {
    /// The node.
    pub(crate) node: &'s Node,
    /// What keeps the pod from it, as far as is known.
    pub(crate) obstacles: Vec<Obstacle>,
    /// The node's labels, with the one that has its name.
    pub(crate) labels: &'s Labels,
    /// Whether its labels are known.
    pub(crate) labels_known: bool,
    /// A node of the control plane that is closed to such pods at all times.
    pub(crate) background: bool,
    /// Its place among the seats.
    pub(crate) at: usize,
    /// Whether it is known not to be ready.
    pub(crate) lost: bool,
}

impl Fit<'_> {
    /// Whether the pod's own choice admits the node.
    pub(crate) fn is_wanted(&self) -> bool {
        !self.obstacles.iter().any(Obstacle::is_choice)
    }
}

/// What a pod asks of nodes.
pub(crate) struct Demand<'s> {
    /// Its spec.
    pub(crate) spec: &'s PodSpec,
    /// Namespace of its claims.
    pub(crate) namespace: &'s str,
    /// Whether a daemon set made it: such pods tolerate what nodes do to themselves.
    pub(crate) daemon: bool,
}

/// Every node with what keeps the pod from it.
pub(crate) fn of<'s>(demand: &Demand<'_>, now: &Snapshot, supply: &'s Supply<'s>) -> Vec<Fit<'s>> {
    let volumes = volumes_of(demand, now);
    let mut requests = requests_of(demand.spec);
    requests.retain(|(_, amount)| amount.is_positive());
    let cordon_borne = demand.daemon
        || demand.spec.tolerations.iter().any(|t| {
            t.key == "node.kubernetes.io/unschedulable"
                || (t.key.is_empty() && t.operator == "Exists")
        });
    let ports = host_ports(demand.spec).collect();
    let requests = requests.into_iter().map(|(resource, asked)| Ask {
        resource: resource.into(),
        mechanism: lacking(resource),
        asked,
        rooms: supply.rooms(resource),
    });
    let asks = Asks { requests: requests.collect(), ports, volumes, cordon_borne };
    let workers = supply.seats().iter().any(|s| !s.control_plane);
    let fit = |(at, seat): (usize, &'s Seat<'s>)| {
        let obstacles = obstacles(demand, &asks, (at, seat), supply);
        let closed = |o: &Obstacle| match o {
            Obstacle::Cordon => true,
            Obstacle::Taint(t) => is_control_plane_key(&t.key),
            _ => false,
        };
        Fit {
            background: workers && seat.control_plane && obstacles.iter().any(closed),
            labels_known: knows_labels(seat.node),
            labels: &seat.labels,
            obstacles,
            node: seat.node,
            at,
            lost: seat.lost,
        }
    };
    supply.seats().iter().enumerate().map(fit).collect()
}

/// Whether a taint keeps pods off the control plane at all times.
pub(crate) fn is_control_plane_key(key: &str) -> bool {
    matches!(key, "node-role.kubernetes.io/control-plane" | "node-role.kubernetes.io/master")
}

/// Labels that roles alone have told are some of a node's labels, not all.
fn knows_labels(node: &Node) -> bool {
    node.meta.known.has(Known::LABELS)
}

/// What a pod asks for of one resource.
struct Ask {
    resource: Text,
    /// What too little of it is called.
    mechanism: &'static str,
    asked: Quantity,
    /// The room for it on every node.
    rooms: Rc<[Option<Room>]>,
}

/// What a pod asks for, summed up once for all nodes.
struct Asks<'s> {
    requests: Vec<Ask>,
    ports: Vec<u16>,
    volumes: Vec<&'s PersistentVolume>,
    /// Whether it goes to cordoned nodes too.
    cordon_borne: bool,
}

fn obstacles(
    demand: &Demand<'_>,
    asks: &Asks<'_>,
    (at, seat): (usize, &Seat<'_>),
    supply: &Supply<'_>,
) -> Vec<Obstacle> {
    let (spec, node) = (demand.spec, seat.node);
    let mut found = Vec::new();
    if seat.cordoned && !asks.cordon_borne {
        found.push(Obstacle::Cordon);
    }
    found.extend(untolerated(demand, node).cloned().map(Obstacle::Taint));
    if knows_labels(node) {
        let labels = &seat.labels;
        if !spec.node_selector.all_in(labels) {
            found.push(Obstacle::Selector);
        }
        let terms = spec.affinity.as_ref().map(|a| &a.nodes).filter(|t| !t.is_empty());
        if terms.is_some_and(|t| !t.iter().any(|t| t.admits(&node.meta.name, labels))) {
            found.push(Obstacle::Affinity);
        }
        let elsewhere = |v: &&&PersistentVolume| {
            !v.nodes.is_empty() && !v.nodes.iter().any(|t| t.admits(&node.meta.name, labels))
        };
        let conflicts = asks.volumes.iter().filter(elsewhere);
        found.extend(conflicts.map(|v| Obstacle::Volume(v.meta.name.to_string())));
    }
    let taken = |port: &u16| port_holder(node, *port, supply).is_some();
    found.extend(asks.ports.iter().copied().filter(taken).map(Obstacle::Port));
    for Ask { resource, mechanism, asked, rooms } in &asks.requests {
        if let Some(room) = rooms.get(at).copied().flatten().filter(|r| *asked > r.free) {
            let (resource, asked) = (resource.clone(), *asked);
            found.push(Obstacle::Lacks { resource, asked, room, mechanism });
        }
    }
    if seat.places.is_some_and(|left| left <= 0) {
        found.push(Obstacle::Pods);
    }
    found
}

/// Taints that keep the pod away.
fn untolerated<'n>(demand: &'n Demand<'_>, node: &'n Node) -> impl Iterator<Item = &'n Taint> {
    let tolerations = &demand.spec.tolerations;
    let daemon = demand.daemon;
    let borne = move |t: &Taint| {
        t.key == "node.kubernetes.io/unschedulable"
            || (daemon && t.key.starts_with("node.kubernetes.io/"))
            || tolerations.iter().any(|o| o.tolerates(t))
    };
    node.taints.iter().filter(move |t| t.effect != "PreferNoSchedule" && !borne(t))
}

/// Resources that a pod asks for.
pub(crate) fn resources_of(spec: &PodSpec) -> Vec<&str> {
    let all = spec.all_containers();
    let named = all.flat_map(|c| c.resources.requests.iter().chain(c.resources.limits.iter()));
    let mut names: Vec<&str> = named.map(|(name, _)| name).collect();
    names.sort_unstable();
    names.dedup();
    names
}

/// Ports of the node that a pod takes.
pub(crate) fn host_ports(spec: &PodSpec) -> impl Iterator<Item = u16> {
    let ports = spec.containers.iter().flat_map(|c| c.ports.iter());
    ports.filter_map(|p| match (p.host_port, spec.host_network) {
        (0, true) => Some(p.container_port),
        (0, false) => None,
        (port, _) => Some(port),
    })
}

/// Volumes that the pod's claims are bound to.
fn volumes_of<'s>(demand: &Demand<'_>, now: &'s Snapshot) -> Vec<&'s PersistentVolume> {
    let claims = demand.spec.volumes.iter().filter_map(|v| match &v.source {
        VolumeSource::Claim(name) => now.claims.get(demand.namespace, name),
        _ => None,
    });
    claims.filter_map(|c| now.volumes.get("", &c.volume)).collect()
}

/// The pod on a node that holds one of its ports.
pub(crate) fn port_holder<'s>(node: &Node, port: u16, supply: &Supply<'s>) -> Option<&'s Pod> {
    supply.on(node).find(|p| host_ports(&p.spec).any(|o| o == port))
}
