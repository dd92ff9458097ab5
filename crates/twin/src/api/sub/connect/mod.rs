//! Subresources that lead to a kubelet or a program: `log`, `exec`, `attach`, `portforward` and
//! `proxy`. Whom they would reach is looked up as the real server does it; what only its dial
//! could tell is told of the simulated node.

mod kubelet;
mod log;
mod proxy;

use http::header::UPGRADE;
use serde_json::Value;

use super::super::query::Query;
use super::super::route::Target;
use super::super::{Reply, Request, gate};
use crate::field;
use crate::kinds::POD;
use crate::registry::{Failure, Registry};
use crate::store::Object;

pub(super) fn answer(
    registry: &Registry,
    target: &Target,
    query: &Query,
    request: &Request,
) -> Result<Reply, Failure> {
    let name = target.name.as_deref().unwrap_or_default();
    let method = request.method.as_str();
    match (target.part.subresource(), method) {
        ("proxy", _) => proxy::answer(registry, target, name, request),
        ("log", "GET") => log::answer(registry, target.home(), name, query),
        ("exec" | "attach" | "portforward", "GET" | "POST") => {
            if !gate::may_connect(registry, target, request) {
                return Err(Failure::forbidden(target.kind, name, ""));
            }
            stream(registry, target, name, (query, request))
        }
        _ => Err(Failure::method_not_allowed()),
    }
}

/// What ends where an upgrade of the connection would begin.
fn stream(
    registry: &Registry,
    target: &Target,
    name: &str,
    (query, request): (&Query, &Request),
) -> Result<Reply, Failure> {
    let forwards = target.part.subresource() == "portforward";
    for port in query.all("ports").iter().flat_map(|ports| ports.split(',')) {
        if forwards && port.parse::<u32>().is_err() {
            return Err(Failure::bad_request(format!(
                "cannot convert to []int32: strconv.ParseUint: parsing {port:?}: invalid syntax"
            )));
        }
    }
    let pod = registry.get(&POD, target.home(), name)?;
    if !forwards {
        container(pod, query.get("container"))?;
    }
    let node = field::text(pod, "/spec/nodeName");
    if node.is_empty() {
        return Err(Failure::bad_request(format!("pod {name} does not have a host assigned")));
    }
    let kubelet = kubelet::of(registry, node, &POD)?;
    if request.headers.contains_key(UPGRADE) && !kubelet.answers {
        return Err(kubelet.unreached());
    }
    Err(Failure::bad_request("Upgrade request required"))
}

/// The container that is meant: the one that is named, or the only one.
fn container<'p>(pod: &'p Object, named: Option<&'p str>) -> Result<&'p str, Failure> {
    const LISTS: [&str; 3] = ["initContainers", "containers", "ephemeralContainers"];
    let of = |list: &str| -> &'p [Value] { field::list(pod, &format!("/spec/{list}")) };
    let names: Vec<&str> =
        LISTS.iter().flat_map(|list| of(list)).map(|c| field::text(c, "/name")).collect();
    let pod_name = field::name(pod);
    match (named, of("containers")) {
        (Some(named), _) if names.contains(&named) => Ok(named),
        (Some(named), _) => {
            let why = format!("container {named} is not valid for pod {pod_name}");
            Err(Failure::bad_request(why))
        }
        (None, [only]) => Ok(field::text(only, "/name")),
        (None, _) => Err(Failure::bad_request(format!(
            "a container name must be specified for pod {pod_name}, choose one of: [{}]",
            names.join(" ")
        ))),
    }
}
