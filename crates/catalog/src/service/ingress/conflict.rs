//! Ingresses that claim the same host and path.

use std::collections::BTreeMap;

use model::record::{Ingress, IngressPath, Port};
use model::{Certainty, Finding, Findings, Kind, ObjectRef, Snapshot};

use super::route;
use crate::evidence;
use crate::service::ingress_misrouted::finding;

/// What a controller tells routes by: class, host, path, kind of path.
type Claim<'a> = (&'a str, &'a str, &'a str, &'a str);

pub(crate) fn detect(now: &Snapshot, findings: &mut Findings) {
    let mut claims: BTreeMap<Claim<'_>, Vec<(&Ingress, &IngressPath)>> = BTreeMap::new();
    for ingress in now.ingresses.iter().filter(|i| !is_canary(i) && i.meta.deleting.is_none()) {
        for path in ingress.paths.iter().filter(|p| !p.service.is_empty()) {
            claims.entry(claim(ingress, path)).or_default().push((ingress, path));
        }
    }
    for claimants in claims.values_mut().filter(|c| c.len() > 1) {
        claimants.sort_by_key(|(i, _)| (i.meta.created, i.meta.object(Kind::Ingress)));
        let Some(((first, winner), rest)) = claimants.split_first() else { continue };
        for (ingress, path) in rest {
            if target(ingress, path) != target(first, winner) {
                findings.push(conflict((first, winner), (ingress, path)));
            }
        }
    }
}

/// An Ingress that is to take a part of the traffic of another one.
fn is_canary(ingress: &Ingress) -> bool {
    ingress.meta.annotation("nginx.ingress.kubernetes.io/canary") == Some("true")
}

fn claim<'a>(ingress: &'a Ingress, path: &'a IngressPath) -> Claim<'a> {
    let plain = path.path.trim_end_matches('/');
    let kind = if path.path_type.is_empty() { "Prefix" } else { path.path_type.as_str() };
    let kind = if kind == "ImplementationSpecific" { "Prefix" } else { kind };
    (&ingress.class, &path.host, plain, kind)
}

fn target<'a>(ingress: &'a Ingress, path: &'a IngressPath) -> (&'a str, &'a str, &'a Port) {
    (&ingress.meta.namespace, &path.service, &path.port)
}

fn conflict(
    (first, winner): (&Ingress, &IngressPath),
    (ingress, path): (&Ingress, &IngressPath),
) -> Finding {
    let (own, other) = (ingress.meta.object(Kind::Ingress), first.meta.object(Kind::Ingress));
    let same = own == other;
    let address = route::address(path);
    let headline = if same {
        format!(
            "Ingress {own} sends {address} to Service {} and to Service {}: only one is served",
            winner.service, path.service
        )
    } else {
        format!(
            "Ingress {own} wants {address} for Service {}, but Ingress {other} has it for \
             Service {}",
            path.service, winner.service
        )
    };
    let at = [
        route::field(path, "name"),
        path.service.to_string(),
        "a host and path that no other Ingress has".to_owned(),
    ];
    let fact = evidence::field(
        first.meta.source,
        &other,
        route::field(winner, "name"),
        winner.service.as_str(),
    );
    let service = ObjectRef::new(Kind::Service, &ingress.meta.namespace, &path.service);
    let found = finding(ingress, "path-conflict", headline, at.each_ref().map(String::as_str))
        .since(ingress.meta.created)
        .evidence([fact])
        .affects(service, format!("is not reached through {address}"));
    let dated = same || (first.meta.created.is_some() && ingress.meta.created.is_some());
    if dated {
        return found;
    }
    // Which of them is older was not shown.
    found.unsure(Certainty::Likely, &[], "kubectl get ingress -A".to_owned())
}
