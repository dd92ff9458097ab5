//! Whether any controller takes an Ingress up.

use model::record::{Ingress, Known, Named};
use model::{Certainty, Finding, Findings, Impact, Kind, Snapshot, State};

use crate::evidence;
use crate::pod::edit::nearest;
use crate::service::ingress_misrouted::finding;

/// Controllers write an address within a minute or two.
const TAKEN_UP_SECONDS: i64 = 180;

/// The classes there are.
pub(crate) fn all(now: &Snapshot) -> impl Iterator<Item = &Named> {
    now.named.in_namespace("").filter(|n| n.kind == Kind::IngressClass)
}

/// Whether a class is taken where none is named.
pub(crate) fn is_default(class: &Named) -> bool {
    class.meta.annotation("ingressclass.kubernetes.io/is-default-class") == Some("true")
}

pub(crate) fn detect(ingress: &Ingress, now: &Snapshot, findings: &mut Findings) {
    if !ingress.meta.known.has(Known::SELECTOR) || ingress.meta.deleting.is_some() {
        return;
    }
    let name = ingress.class.as_str();
    // The old annotation is a word between the Ingress and its controller; no object has it.
    if ingress.class_annotated {
        return;
    }
    let found = if name.is_empty() {
        unnamed(ingress, now)
    } else if now.is_missing(Kind::IngressClass, "", name) {
        Some(unknown(ingress, now))
    } else {
        return unserved(ingress, now, findings);
    };
    findings.found.extend(found);
}

fn names(now: &Snapshot) -> String {
    let names: Vec<&str> = all(now).map(|c| c.meta.name.as_str()).collect();
    if names.is_empty() { "none".into() } else { names.join(", ") }
}

/// The class is named and does not exist.
fn unknown(ingress: &Ingress, now: &Snapshot) -> Finding {
    let object = ingress.meta.object(Kind::Ingress);
    let there: Vec<&str> = all(now).map(|c| c.meta.name.as_str()).collect();
    let like = |n: &&str| n.contains(ingress.class.as_str()) || ingress.class.contains(n);
    let near = nearest(&ingress.class, there.iter().copied());
    let near = near.or_else(|| there.iter().copied().find(like));
    let only = there.first().copied().filter(|_| there.len() == 1);
    let expected = match near.or(only) {
        Some(near) => format!("{near}, which exists"),
        None => format!("a class that exists ({})", names(now)),
    };
    let headline = format!(
        "Ingress {object} is served by no controller: its class {} does not exist",
        ingress.class
    );
    let at = ["spec.ingressClassName", ingress.class.as_str(), expected.as_str()];
    suffering(finding(ingress, "class-missing", headline, at), ingress)
}

/// No class is named, and none is the default.
fn unnamed(ingress: &Ingress, now: &Snapshot) -> Option<Finding> {
    let object = ingress.meta.object(Kind::Ingress);
    let waits = ingress.meta.shows(Known::STATUS) && ingress.addresses == 0;
    if !waits || !now.coverage.lists(Kind::IngressClass, "") || is_young(ingress, now) {
        return None;
    }
    let default = all(now).find(|c| is_default(c)).map(|c| c.meta.name.as_str());
    let expected = match default {
        Some(name) => format!("{name}, the default of today"),
        None => format!("a class that exists ({})", names(now)),
    };
    let headline = format!(
        "Ingress {object} names no class{} and has no address: no controller takes it up",
        if default.is_some() { "" } else { ", no class is the default," }
    );
    let at = ["spec.ingressClassName", "none", expected.as_str()];
    let found = suffering(finding(ingress, "class-missing", headline, at), ingress);
    let look = format!("kubectl describe {}", object.for_kubectl());
    Some(found.unsure(Certainty::Likely, &["controller-down"], look))
}

/// The class exists, but nobody has given the Ingress an address, though others have one.
fn unserved(ingress: &Ingress, now: &Snapshot, findings: &mut Findings) {
    let waits = |i: &Ingress| i.meta.shows(Known::STATUS) && i.addresses == 0;
    if !waits(ingress) || is_young(ingress, now) {
        return;
    }
    let same = || now.ingresses.iter().filter(|i| i.class == ingress.class);
    // Some controllers never write an address: then it means nothing.
    if same().all(waits) && !now.ingresses.iter().any(|i| i.addresses > 0) {
        return;
    }
    let object = ingress.meta.object(Kind::Ingress);
    let class = now.named(Kind::IngressClass, "", &ingress.class);
    let controller = class.map_or("", |c| c.state.as_str());
    let who = if controller.is_empty() { "its controller" } else { controller };
    let headline = format!(
        "Ingress {object} of class {} has no address: {who} has not taken it up",
        ingress.class
    );
    let at = ["status.loadBalancer.ingress", "none", "an address"];
    let look = format!("kubectl describe {}", object.for_kubectl());
    let found = finding(ingress, "class-missing", headline, at)
        .unsure(Certainty::Possible, &["controller-down", "certificate-secret-missing"], look)
        .state(State::Suspected);
    let fact = class.map(|c| {
        let object = c.meta.object(Kind::IngressClass);
        evidence::field(c.meta.source, &object, "spec.controller", c.state.as_str())
    });
    findings.push(found.evidence(fact));
}

/// Without an address nobody outside reaches what is behind it; with one, a controller may
/// still serve what it knew before.
fn suffering(mut found: Finding, ingress: &Ingress) -> Finding {
    let object = &found.object;
    let shows = ingress.meta.shows(Known::STATUS);
    let address = match ingress.addresses {
        _ if !shows => None,
        0 => Some("none".to_owned()),
        n => Some(format!("{n}, perhaps of a controller that served it before")),
    };
    let field = "status.loadBalancer.ingress";
    let fact = address.map(|a| evidence::field(ingress.meta.source, object, field, a));
    found = found.evidence(fact);
    for service in super::route::services(ingress) {
        found = found.affects(service, "is not reached from outside through it");
    }
    let impact = Impact { services: 1, ..Impact::default() };
    if shows && ingress.addresses > 0 { found } else { found.impact(impact) }
}

fn is_young(ingress: &Ingress, now: &Snapshot) -> bool {
    let age = ingress.meta.age_seconds.map(i64::from);
    let by_date = ingress.meta.created.filter(|_| now.has_time).map(|c| now.now.since(c));
    age.or(by_date).is_some_and(|seconds| seconds < TAKEN_UP_SECONDS)
}
