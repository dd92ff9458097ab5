//! Explanations that are about room: resources, ports, volumes.

use model::{Kind, Quantity};

use super::cause::{Cause, Scene, listed};
use super::fit::{self, Obstacle};
use super::message::Reason;
use super::supply::Room;
use crate::evidence;
use crate::pod::edit::container_field;

/// Too little is free of a resource: either no node has that much at all, or the cluster is
/// full.
pub(crate) fn resource(scene: &Scene<'_>, mechanism: &'static str) -> Cause {
    if mechanism == "insufficient-pods" {
        return places(scene);
    }
    let resource = resource_of(scene, mechanism);
    let object = scene.app().object.clone();
    let spec = scene.waiting.spec.as_ref();
    let asked = spec.map(|s| s.requests(&resource)).filter(|a| a.is_positive());
    let field = request_field(scene, &resource);
    let Some(asked) = asked else {
        let why = format!("no node has enough {resource} left");
        let expected = "what a node has left".into();
        return Cause::new(mechanism, object, why).at(field, "not shown".into(), expected);
    };
    let all = scene.supply.rooms(&resource);
    let rooms: Vec<(&model::record::Node, Room)> = scene
        .wanted()
        .into_iter()
        .filter_map(|f| Some((f.node, all.get(f.at).copied().flatten()?)))
        .map(|(node, room)| (node, Room { free: room.free.max(Quantity::ZERO), ..room }))
        .collect();
    let text = |q: Quantity| q.text(&resource);
    let (why, expected) = shortage(&resource, asked, &rooms);
    let mut cause = Cause::new(mechanism, object, why).at(field, text(asked), expected);
    for (node, room) in rooms.iter().take(4) {
        let about = node.meta.object(Kind::Node);
        let field = format!("status.allocatable.{resource}");
        let left = if room.exact { format!(", {} left", text(room.free)) } else { String::new() };
        let value = format!("{}{left}", text(room.total));
        cause.evidence.push(evidence::field(node.meta.source, &about, field, value));
        cause.nodes.push(about);
    }
    cause
}

/// Why what is asked for is nowhere, and what could be asked for instead.
fn shortage(
    resource: &str,
    asked: Quantity,
    rooms: &[(&model::record::Node, Room)],
) -> (String, String) {
    let text = |q: Quantity| q.text(resource);
    let largest = rooms.iter().map(|(_, r)| r.total).max();
    let freest = rooms.iter().max_by_key(|(_, r)| r.free);
    match (largest, freest) {
        (Some(largest), _) if largest < asked && !largest.is_positive() => {
            let why = format!("it asks for {} {resource} and no node has any", text(asked));
            (why, format!("nodes that have {resource}"))
        }
        (Some(largest), _) if largest < asked => {
            let why = format!(
                "it asks for {} of {resource} and the largest node has {}",
                text(asked),
                text(largest)
            );
            (why, format!("at most {}", text(largest)))
        }
        (Some(_), Some((node, room))) if room.exact && room.free >= asked => {
            let why = format!(
                "it asks for {} of {resource}, which no node had left when the scheduler looked; \
                 {} has {} left now",
                text(asked),
                node.meta.name,
                text(room.free)
            );
            (why, "that the scheduler looks again".into())
        }
        (Some(_), Some((node, room))) if room.exact => {
            let why = format!(
                "it asks for {} of {resource} and the cluster is full: at most {} is left, on {}",
                text(asked),
                text(room.free),
                node.meta.name
            );
            (why, format!("at most {}, or more nodes", text(room.free)))
        }
        _ => {
            let why =
                format!("it asks for {} of {resource} and no node has that left", text(asked));
            (why, "what a node has left, or more nodes".into())
        }
    }
}

/// The resource that a mechanism is about.
fn resource_of(scene: &Scene<'_>, mechanism: &str) -> String {
    let told = scene.waiting.told.as_ref().and_then(|t| t.refusal.as_ref());
    let said = told.into_iter().flat_map(|r| &r.reasons).find_map(|(_, r)| match r {
        Reason::Lacks(name) if fit::lacking(name) == mechanism => Some(name.clone()),
        _ => None,
    });
    let compared = || {
        scene.wanted().into_iter().flat_map(|f| &f.obstacles).find_map(|o| match o {
            Obstacle::Lacks { resource, mechanism: own, .. } if *own == mechanism => {
                Some(resource.to_string())
            }
            _ => None,
        })
    };
    said.or_else(compared).unwrap_or_else(|| "a resource".into())
}

/// The container that asks for most of a resource.
fn request_field(scene: &Scene<'_>, resource: &str) -> String {
    let most = scene.waiting.spec.as_ref().and_then(|s| {
        let of = |c: &&model::record::Container| {
            let own = c.resources.requests.get(resource);
            own.unwrap_or_else(|| c.resources.limits.amount(resource))
        };
        s.all_containers().max_by_key(of)
    });
    let name = most.map_or("", |c| c.name.as_str());
    let asks = most.is_some_and(|c| c.resources.requests.get(resource).is_some());
    let part = if asks || most.is_none() { "requests" } else { "limits" };
    container_field(scene.app(), name, &format!("resources.{part}.{resource}"))
}

/// Nodes take no more pods.
fn places(scene: &Scene<'_>) -> Cause {
    let object = scene.app().object.clone();
    let full = scene.wanted();
    let most = full.iter().filter_map(|f| f.node.allocatable.get("pods")).max();
    let why = match most {
        Some(most) => format!("every node already holds as many pods as it may ({most})"),
        None => "every node already holds as many pods as it may".into(),
    };
    let value = most.map_or("not shown".into(), |m| m.to_string());
    let mut cause = Cause::new("insufficient-pods", object, why).at(
        "status.allocatable.pods of the nodes".into(),
        value,
        "more nodes, or fewer pods".into(),
    );
    cause.nodes = full.iter().map(|f| f.node.meta.object(Kind::Node)).collect();
    cause
}

/// A port of the node is taken on every node.
pub(crate) fn port(scene: &Scene<'_>) -> Cause {
    let object = scene.app().object.clone();
    let ports: Vec<u16> = scene.waiting.spec.iter().flat_map(fit::host_ports).collect();
    let wanted = scene.wanted();
    let taken = wanted.iter().flat_map(|f| {
        f.obstacles.iter().filter_map(|o| match o {
            Obstacle::Port(port) => Some((f.node, *port)),
            _ => None,
        })
    });
    let taken: Vec<_> = taken.collect();
    let port = taken.first().map(|(_, p)| *p).or(ports.first().copied());
    let field_of = |port: u16| {
        let has = |c: &&model::record::Container| {
            c.ports.iter().any(|p| p.host_port == port || p.container_port == port)
        };
        let spec = scene.waiting.spec.as_ref();
        let name = spec.and_then(|s| s.containers.iter().find(has)).map_or("", |c| &c.name);
        container_field(scene.app(), name, "ports[].hostPort")
    };
    let Some(port) = port else {
        let why = "a port it takes on the node is taken on every node";
        let field = field_of(0);
        let expected = "a free port, or a Service instead".into();
        return Cause::new("host-port-taken", object, why).at(field, "not shown".into(), expected);
    };
    let holder = taken.iter().find_map(|(n, p)| fit::port_holder(n, *p, scene.supply));
    let by = holder.map(|p| format!(" (on one by pod {})", p.meta.name)).unwrap_or_default();
    let why = format!("port {port} of the node is taken on every node it may run on{by}");
    let expected = "another port, or a Service instead of a host port".into();
    let mut cause =
        Cause::new("host-port-taken", object, why).at(field_of(port), port.to_string(), expected);
    if let Some(pod) = holder {
        let about = pod.meta.object(Kind::Pod);
        let field = "spec.containers[].ports[].hostPort";
        cause.evidence.push(evidence::field(pod.meta.source, &about, field, port.to_string()));
    }
    cause
}

/// A volume that is bound to other nodes, or too many volumes.
pub(crate) fn volume(scene: &Scene<'_>, mechanism: &'static str) -> Cause {
    let object = scene.app().object.clone();
    let names: Vec<&str> = scene.now.claims_of(scene.app());
    let claims = listed(names.iter().copied(), 3);
    let claims = if claims.is_empty() { "not shown".into() } else { claims };
    if mechanism == "volume-limit-reached" {
        let why = "the nodes it could run on hold as many volumes as they may";
        let expected = "fewer volumes a node, or more nodes".into();
        return Cause::new(mechanism, object, why).at(scene.field("volumes"), claims, expected);
    }
    let conflict = scene.fore().into_iter().flat_map(|f| &f.obstacles).find_map(|o| match o {
        Obstacle::Volume(name) => scene.now.volumes.get("", name),
        _ => None,
    });
    let Some(volume) = conflict else {
        let why = "its volume can only be used on nodes that cannot take it";
        let expected = "a volume where nodes are free, or nodes where the volume is".into();
        return Cause::new(mechanism, object, why).at(scene.field("volumes"), claims, expected);
    };
    let place = volume.nodes.iter().flat_map(|t| t.match_expressions.iter().chain(&t.match_fields));
    let place = place.map(ToString::to_string).collect::<Vec<_>>().join(" or ");
    let name = &volume.meta.name;
    let why = format!("its volume {name} can only be used where {place}");
    let about = volume.meta.object(Kind::PersistentVolume);
    let field = "spec.nodeAffinity";
    let expected = format!("a free node where {place}");
    let mut cause = Cause::new(mechanism, object, why);
    cause = cause.at(scene.field("volumes"), format!("{claims} on {name}"), expected);
    cause.evidence.push(evidence::field(volume.meta.source, &about, field, place));
    cause
}
