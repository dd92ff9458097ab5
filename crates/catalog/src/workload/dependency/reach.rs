//! Peers that do not answer, answer late, or whose name does not resolve: who is to be mended.

use model::{App, Certainty, Finding, Kind, Role, Snapshot};

use super::by_log::Group;
use super::cause::{finding, logs_of, peer_object, users, who};
use crate::dependency::complaint::{Class, Complaint};
use crate::dependency::seen::Seen;
use crate::pod::edit::{container_field, namespace_option};
use crate::pod::log_lines::Says;
use crate::pod::peer;

pub(super) fn unreachable(
    group: &Group<'_, '_>,
    all: &[Complaint<'_>],
    now: &Snapshot,
) -> Vec<Finding> {
    let mut found = Vec::new();
    let mut rest: Vec<&Complaint<'_>> = Vec::new();
    for c in group.clients.iter().copied() {
        let Some(seen) = c.seen.as_ref() else { continue };
        let trouble = peer::judge(c.app, seen.named(), c.says, now);
        let (mechanism, why) = match trouble.mechanism {
            "dependency-address-wrong" if seen.service.is_some() => {
                ("dependency-port-wrong", trouble.why)
            }
            "dependency-address-wrong" => ("dependency-address-wrong", trouble.why),
            _ => {
                rest.push(c);
                continue;
            }
        };
        let headline = format!("{} cannot reach {}: {why}", c.app.object, trouble.value);
        let mut wrong = finding(mechanism, c.app.object.clone(), headline, &[c]);
        if let Some(field) = trouble.field {
            wrong = wrong.field(field, trouble.value, trouble.expected);
        }
        if trouble.certainty < Certainty::Proven {
            let look = logs_of(&c.app.object);
            wrong = wrong.unsure(trouble.certainty, &["dependency-unreachable"], look);
        }
        found.push(wrong);
    }
    if !rest.is_empty() {
        found.extend(silent(group.class, &rest, all, now));
    }
    found
}

/// The address is right and nobody answers, or the name does not resolve.
fn silent(
    class: Class,
    rest: &[&Complaint<'_>],
    all: &[Complaint<'_>],
    now: &Snapshot,
) -> Option<Finding> {
    let first = rest.iter().max_by_key(|c| c.count)?;
    let seen = first.seen.as_ref()?;
    let peer = who(Some(seen));
    if class == Class::Name {
        let look = format!(
            "kubectl exec{} POD -- nslookup {}",
            namespace_option(&first.app.object.namespace),
            seen.host
        );
        let headline = format!("{} cannot resolve the name {}", first.app.object, seen.host);
        let others: &[&str] = &["dependency-unreachable"];
        let sure = if first.says == Says::NameUnknown && seen.service.is_none() {
            Certainty::Possible
        } else {
            Certainty::Likely
        };
        return Some(
            finding("name-unresolved", first.app.object.clone(), headline, rest)
                .unsure(sure, others, look),
        );
    }
    let users = seen.service.map(|s| users(s, now)).unwrap_or_default();
    let behind = seen.app(now);
    let down = behind.is_some_and(|a| a.ready() == 0)
        || seen.service.and_then(|s| now.addresses(s)).is_some_and(|(ready, _)| ready == 0);
    let n = rest.len();
    let headline = match n {
        1 => format!("{} cannot reach {peer}", first.app.object),
        _ => format!("{n} workloads cannot reach {peer}"),
    };
    // One client of several has the trouble: it lies with the client or on its way.
    let alone = n == 1 && users.len() >= 3 && !down;
    if n == 1 && !down && hides_address(first, seen, now) {
        return Some(hidden(first, seen));
    }
    // Where the pods are well, the way to them is what to look at.
    let way = seen.service.filter(|_| !down).map(|s| s.meta.object(Kind::Service));
    let object = match way {
        _ if alone => first.app.object.clone(),
        Some(service) => service,
        None => peer_object(first, now),
    };
    let look = match seen.service {
        Some(s) => {
            format!("kubectl get endpoints{} {}", namespace_option(&s.meta.namespace), s.meta.name)
        }
        None => logs_of(&first.app.object),
    };
    let passive = down || complains(behind, all);
    let sure = if down || n >= 2 { Certainty::Likely } else { Certainty::Possible };
    let finding = finding("dependency-unreachable", object, headline, rest)
        .unsure(sure, &["dependency-address-wrong"], look)
        .role(if passive { Role::Symptom } else { Role::Trigger });
    Some(finding)
}

/// Whether the client's address of a peer comes from where it is not shown: a Secret, or a
/// ConfigMap.
fn hides_address(c: &Complaint<'_>, seen: &Seen<'_>, now: &Snapshot) -> bool {
    let shown = now.peers_of(c.app).iter().any(|p| p.host == seen.host);
    let containers = || c.app.spec().into_iter().flat_map(|s| s.containers.iter());
    let whole = containers().any(|c| !c.env_from.is_empty());
    seen.store.is_some() && whole && !shown
}

/// The peer is well, only one client misses it, and nobody sees which address that client has.
fn hidden(c: &Complaint<'_>, seen: &Seen<'_>) -> Finding {
    let peer = who(Some(seen));
    let headline = format!(
        "{} cannot reach {peer}, which is well: the address it is told is not shown",
        c.app.object
    );
    let containers = c.app.spec().into_iter().flat_map(|s| s.containers.iter());
    let mut sources = containers.flat_map(|c| c.env_from.iter());
    let secret = sources.find_map(|f| f.secret_ref.as_ref().map(|r| r.name.clone()));
    let look = match &secret {
        Some(name) => format!(
            "kubectl get secret{} {name} -o yaml",
            namespace_option(&c.app.object.namespace)
        ),
        None => format!("kubectl describe {}", c.app.object.for_kubectl()),
    };
    let value = secret.map_or_else(|| "a config map".to_owned(), |n| format!("secret {n}"));
    finding("dependency-port-wrong", c.app.object.clone(), headline, &[c])
        .field(container_field(c.app, "", "envFrom"), value, seen.text())
        .unsure(Certainty::Possible, &["dependency-address-wrong", "dependency-unreachable"], look)
}

/// Whether a workload complains of a peer itself: then it is more a victim than a culprit.
fn complains(app: Option<&App>, all: &[Complaint<'_>]) -> bool {
    app.is_some_and(|a| all.iter().any(|c| !c.is_own && c.app.object == a.object))
}

pub(super) fn late(group: &Group<'_, '_>, all: &[Complaint<'_>], now: &Snapshot) -> Vec<Finding> {
    let known: Vec<&Complaint<'_>> = group
        .clients
        .iter()
        .copied()
        .filter(|c| c.seen.as_ref().is_some_and(|s| s.service.is_some()))
        .collect();
    let Some(first) = known.iter().max_by_key(|c| c.count) else { return Vec::new() };
    let Some(seen) = first.seen.as_ref() else { return Vec::new() };
    let object = peer_object(first, now);
    let headline = format!("{} answers {} too late", who(Some(seen)), names(&known));
    let passive = complains(seen.app(now), all);
    let look = format!("kubectl top pod{}", namespace_option(&object.namespace));
    let sure = if known.len() >= 2 { Certainty::Likely } else { Certainty::Possible };
    let finding = finding("dependency-slow", object, headline, &known)
        .unsure(sure, &["dependency-unreachable"], look)
        .role(if passive { Role::Symptom } else { Role::Trigger });
    vec![finding]
}

fn names(complaints: &[&Complaint<'_>]) -> String {
    match complaints {
        [one] => one.app.object.to_string(),
        several => format!("{} workloads", several.len()),
    }
}
