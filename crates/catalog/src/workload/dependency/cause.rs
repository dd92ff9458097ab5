//! From what is said of a peer to whom a person has to mend: the client that is told something
//! wrong, or the peer that fails.

use model::record::Service;
use model::{App, Certainty, Finding, Kind, ObjectRef, Snapshot};

use super::by_log::Group;
use super::{limits, reach};
use crate::dependency::complaint::{Class, Complaint};
use crate::dependency::credentials;
use crate::dependency::seen::Seen;
use crate::evidence;

const ID: &str = super::super::dependency_failing::KIND.id;

/// Findings of one group: usually one.
pub(super) fn of(group: &Group<'_, '_>, all: &[Complaint<'_>], now: &Snapshot) -> Vec<Finding> {
    match group.class {
        Class::CredentialsMissing | Class::CredentialsRejected => rejected(group, now),
        Class::CertificateRejected => certificate(group, now),
        Class::TlsMismatch => group.clients.iter().map(|c| speech(c, now)).collect(),
        Class::ConnectionsExhausted => exhausted(group, now),
        Class::PoolExhausted => group.clients.iter().map(|c| pool(c, now)).collect(),
        Class::ReadOnly => read_only(group, now),
        Class::Name | Class::Unreachable => reach::unreachable(group, all, now),
        Class::Late => reach::late(group, all, now),
    }
}

pub(super) fn who(seen: Option<&Seen<'_>>) -> String {
    match seen {
        Some(s) => match s.store.filter(|_| s.service.is_some()) {
            Some(store) => format!("{} {}", store.name, s.text()),
            None => s.text(),
        },
        None => "a peer".into(),
    }
}

/// The object a person would look at for a peer: its workload, else its Service, else the
/// client itself.
pub(super) fn peer_object(c: &Complaint<'_>, now: &Snapshot) -> ObjectRef {
    let seen = c.seen.as_ref();
    let app = seen.and_then(|s| s.app(now)).map(|a| a.object.clone());
    let service = || seen.and_then(|s| s.service).map(|s| s.meta.object(Kind::Service));
    app.or_else(service).unwrap_or_else(|| c.app.object.clone())
}

pub(super) fn finding(
    mechanism: &'static str,
    object: ObjectRef,
    headline: String,
    group: &[&Complaint<'_>],
) -> Finding {
    let mut finding = Finding::new(ID, mechanism, object, headline)
        .since(group.iter().filter_map(|c| c.first).min())
        .evidence(group.iter().take(4).map(|c| c.evidence.clone()));
    for c in group {
        let lines = if c.count == 1 { "1 line".into() } else { format!("{} lines", c.count) };
        finding = finding.affects(c.app.object.clone(), format!("{lines} of its log say so"));
    }
    finding
}

fn both<'c, 's>(group: &Group<'c, 's>) -> Vec<&'c Complaint<'s>> {
    group.clients.iter().chain(&group.own).copied().collect()
}

pub(super) fn logs_of(object: &ObjectRef) -> String {
    format!("kubectl logs {} --tail=50", object.for_kubectl())
}

/// Workloads that use a Service, by their settings.
pub(super) fn users<'s>(service: &Service, now: &'s Snapshot) -> Vec<&'s App> {
    let mut apps: Vec<&App> = now
        .callers_of(&service.meta.namespace, &service.meta.name)
        .into_iter()
        .map(|(a, _)| a)
        .collect();
    apps.dedup_by(|a, b| a.object == b.object);
    apps
}

fn rejected(group: &Group<'_, '_>, now: &Snapshot) -> Vec<Finding> {
    let complaining = group.complaining();
    let Some(first) = group.first() else { return Vec::new() };
    let service = first.seen.as_ref().and_then(|s| s.service);
    let users = service.map(|s| users(s, now)).unwrap_or_default();
    let differs: Vec<Finding> = group.clients.iter().filter_map(|c| differs(c, now)).collect();
    if !differs.is_empty() {
        return differs;
    }
    let all = complaining.len() >= 2 && complaining.len() >= users.len();
    let peer = peer_object(first, now);
    let mechanism = match group.class {
        Class::CredentialsMissing => "credentials-missing",
        _ => "credentials-rejected",
    };
    if all && peer != first.app.object {
        let n = complaining.len();
        let headline = format!("{peer} refuses the credentials of all {n} of its clients");
        let others: &[&str] = &["credentials-missing"];
        return vec![finding(mechanism, peer.clone(), headline, &both(group)).unsure(
            Certainty::Likely,
            others,
            logs_of(&peer),
        )];
    }
    if group.clients.is_empty() {
        return vec![refused_somebody(group, first, &users, now)];
    }
    group.clients.iter().map(|c| lone_client(c, mechanism, now)).collect()
}

/// A client whose settings differ from those of its siblings or its peer.
fn differs(c: &Complaint<'_>, now: &Snapshot) -> Option<Finding> {
    let seen = c.seen.as_ref()?;
    let found = credentials::difference(c.app, seen, now)?;
    let missing = found.is_missing || c.class == Class::CredentialsMissing;
    let mechanism = if missing { "credentials-missing" } else { "credentials-rejected" };
    let headline =
        format!("{} refuses the credentials of {}: {}", who(Some(seen)), c.app.object, found.why);
    let fact =
        evidence::field(c.app.document(), &c.app.object, found.field.clone(), found.value.clone());
    let finding = finding(mechanism, c.app.object.clone(), headline, &[c]);
    Some(finding.field(found.field, found.value, found.expected).evidence([fact]))
}

/// Only one client is refused and nothing shows which side is wrong.
fn lone_client(c: &Complaint<'_>, mechanism: &'static str, now: &Snapshot) -> Finding {
    let seen = c.seen.as_ref();
    let peer = who(seen);
    let headline = match mechanism {
        "credentials-missing" => format!("{} comes to {peer} without a password", c.app.object),
        _ => format!("{peer} refuses the credentials of {}", c.app.object),
    };
    let mut finding = finding(mechanism, c.app.object.clone(), headline, &[c]);
    let field = seen.and_then(|s| credentials::field(c.app, s, now));
    if let Some((field, value)) = field {
        finding = finding.field(field, value, format!("what {peer} accepts"));
    }
    let sure = if seen.is_some() { Certainty::Likely } else { Certainty::Possible };
    let others: &[&str] = match mechanism {
        "credentials-missing" => &["credentials-rejected"],
        _ => &["dependency-address-wrong"],
    };
    finding.unsure(sure, others, logs_of(&peer_object(c, now)))
}

/// Only the peer's own log tells of it: a client it does not name.
fn refused_somebody(
    group: &Group<'_, '_>,
    c: &Complaint<'_>,
    users: &[&App],
    now: &Snapshot,
) -> Finding {
    let peer = peer_object(c, now);
    let object = match users {
        [one] => one.object.clone(),
        _ => peer.clone(),
    };
    let headline = format!("{peer} refuses the credentials of a client");
    finding("credentials-rejected", object, headline, &both(group)).unsure(
        Certainty::Possible,
        &["credentials-missing"],
        logs_of(&peer),
    )
}

fn certificate(group: &Group<'_, '_>, now: &Snapshot) -> Vec<Finding> {
    let each = group.clients.iter().chain(&group.own).map(|c| {
        let line = c.line.to_ascii_lowercase();
        let expired = ["expired", "not yet valid"].iter().any(|w| line.contains(w));
        let object = if expired { peer_object(c, now) } else { c.app.object.clone() };
        let peer = who(c.seen.as_ref());
        let headline = match expired {
            true => format!("the certificate of {peer} is not valid at this time"),
            false => format!("{} does not accept the certificate of {peer}", c.app.object),
        };
        let sure = if c.seen.is_some() { Certainty::Likely } else { Certainty::Possible };
        let look = logs_of(&c.app.object);
        finding("certificate-rejected", object, headline, &[c]).unsure(
            sure,
            &["dependency-address-wrong"],
            look,
        )
    });
    each.collect()
}

/// One side speaks TLS, the other does not: the address begins with the wrong word.
fn speech(c: &Complaint<'_>, now: &Snapshot) -> Finding {
    let peer = who(c.seen.as_ref());
    let headline = format!("{} and {peer} do not agree whether to use TLS", c.app.object);
    let set = c.seen.as_ref().and_then(|s| {
        let peers = now.peers_of(c.app);
        peers.into_iter().find(|p| p.host == s.host).map(|p| p.setting)
    });
    let mut finding = finding("dependency-address-wrong", c.app.object.clone(), headline, &[c]);
    if let Some(setting) = set {
        let field = super::by_setting::field(c.app, setting);
        finding = finding.field(field, peer, "the scheme and the port that the peer speaks");
    }
    finding.unsure(Certainty::Likely, &["certificate-rejected"], logs_of(&c.app.object))
}

fn exhausted(group: &Group<'_, '_>, now: &Snapshot) -> Vec<Finding> {
    let Some(first) = group.first() else { return Vec::new() };
    let object = peer_object(first, now);
    let peer = who(first.seen.as_ref());
    let headline = format!("{peer} has no connection left for its clients");
    let mut finding = finding("connections-exhausted", object.clone(), headline, &both(group));
    let app = first.seen.as_ref().and_then(|s| s.app(now));
    if let Some((field, value)) = app.and_then(limits::connections) {
        finding = finding.field(field, value, "more than the pools of all clients together");
    }
    if object == first.app.object && !first.is_own {
        finding =
            finding.unsure(Certainty::Possible, &["dependency-slow"], logs_of(&first.app.object));
    }
    vec![finding]
}

/// The client's own pool is empty: too small, or its connections do not come back.
fn pool(c: &Complaint<'_>, now: &Snapshot) -> Finding {
    let headline = format!(
        "{} has no connection to {} left in its own pool",
        c.app.object,
        who(c.seen.as_ref())
    );
    let look = logs_of(&peer_object(c, now));
    finding("connections-exhausted", c.app.object.clone(), headline, &[c]).unsure(
        Certainty::Possible,
        &["dependency-slow", "dependency-unreachable"],
        look,
    )
}

fn read_only(group: &Group<'_, '_>, now: &Snapshot) -> Vec<Finding> {
    let Some(first) = group.first() else { return Vec::new() };
    // Without knowing which store it is, a word such as "read only" can mean anything.
    let Some(seen) = first.seen.as_ref().filter(|s| s.store.is_some()) else { return Vec::new() };
    let replica = ["replica", "slave", "secondary", "follower", "readonly", "-read", "-ro"];
    if replica.iter().any(|w| seen.host.contains(w)) {
        return group.clients.iter().map(|c| writes_to_replica(c, now)).collect();
    }
    let object = peer_object(first, now);
    let headline = format!("{} takes no writes: it is read-only", who(Some(seen)));
    let mut finding = finding("dependency-read-only", object.clone(), headline, &both(group));
    if let Some((field, value)) = seen.app(now).and_then(limits::read_only) {
        finding = finding.field(field, value, "off");
    }
    if object == first.app.object && !first.is_own {
        finding =
            finding.unsure(Certainty::Likely, &["dependency-address-wrong"], logs_of(&object));
    }
    vec![finding]
}

/// A client is told to write to what only answers questions.
fn writes_to_replica(c: &Complaint<'_>, now: &Snapshot) -> Finding {
    let host = c.seen.as_ref().map_or_else(String::new, Seen::text);
    let headline = format!("{} writes to {host}, which is a read-only copy", c.app.object);
    let peers = now.peers_of(c.app);
    let set = peers.iter().find(|p| host.starts_with(p.host)).map(|p| p.setting);
    let mut finding = finding("dependency-address-wrong", c.app.object.clone(), headline, &[c]);
    if let Some(setting) = set {
        let field = super::by_setting::field(c.app, setting);
        finding = finding.field(field, host, "the address of the one that takes writes");
    }
    finding.unsure(Certainty::Likely, &["dependency-read-only"], logs_of(&c.app.object))
}
