//! Who needs a workload that has no pods: routes, callers, alerts, connections that failed.
//!
//! A caller that is well says only that zero may be on purpose. Must not report anything: that
//! is `scaled_to_zero`'s own.

use model::record::{Pod, Service};
use model::{Alert, App, Evidence, Kind, LogLines, ObjectRef, Snapshot};

use crate::evidence;
use crate::pod::log_lines::{self, names};
use crate::service::callers;
use crate::wording::{self, says};

/// How well it is known that somebody suffers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Strength {
    /// Somebody names it in their settings and is well.
    Calls,
    /// Somebody who calls it is not well.
    Unwell,
    /// A route leads to it, or somebody says that it does not answer.
    Told,
}

/// Somebody who needs it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Need {
    pub(super) object: ObjectRef,
    /// A clause: `Ingress shop/web leads to it`.
    pub(super) how: String,
    pub(super) strength: Strength,
    pub(super) evidence: Option<Evidence>,
}

/// Lines at the end of a log that are looked at.
const LAST_LINES: usize = 200;

/// Everybody who needs the workload.
pub(super) fn needs(app: &App, now: &Snapshot) -> Vec<Need> {
    let mut needs = Vec::new();
    let services = services(app, now);
    for service in &services {
        routes(service, now, &mut needs);
        dials(service, now, &mut needs);
        calls(service, app, now, &mut needs);
        complaints(service, app, now, &mut needs);
    }
    alerts(app, &services, now, &mut needs);
    scalers(app, now, &mut needs);
    needs
}

/// An autoscaler that is to keep some pods, and does nothing while there are none.
fn scalers(app: &App, now: &Snapshot, needs: &mut Vec<Need>) {
    for scaler in now.scalers_of(app).filter(|s| s.fewest() > 0) {
        let object = scaler.meta.object(Kind::HorizontalPodAutoscaler);
        let fewest = scaler.fewest();
        needs.push(Need {
            how: format!("autoscaler {object} is to keep {fewest} or more and stands still"),
            strength: Strength::Calls,
            evidence: Some(evidence::field(
                scaler.meta.source,
                &object,
                "spec.minReplicas",
                fewest.to_string(),
            )),
            object,
        });
    }
}

/// Its Services: by selector, or by name where neither labels nor selectors were shown.
fn services<'s>(app: &App, now: &'s Snapshot) -> Vec<&'s Service> {
    let here = || now.services.in_namespace(&app.object.namespace);
    let chosen = now.services_of(app);
    if !chosen.is_empty() {
        return here().filter(|s| chosen.iter().any(|o| o.name == s.meta.name)).collect();
    }
    let blind = |s: &&Service| s.selector.is_empty() || app.pod_labels().is_none();
    let shown = |s: &&Service| s.meta.known.has(model::record::Known::SELECTOR);
    here().filter(|s| s.meta.name == app.object.name && blind(s) && !shown(s)).collect()
}

fn routes(service: &Service, now: &Snapshot, needs: &mut Vec<Need>) {
    for ingress in now.ingresses.in_namespace(&service.meta.namespace) {
        let Some(path) = ingress.paths.iter().find(|p| p.service == service.meta.name) else {
            continue;
        };
        let object = ingress.meta.object(Kind::Ingress);
        let host = if path.host.is_empty() { "*" } else { path.host.as_str() };
        let value = format!("{host}{} -> {}", path.path, service.meta.name);
        let how = format!("Ingress {object} leads to it");
        let evidence = Some(evidence::field(ingress.meta.source, &object, "spec.rules", value));
        needs.push(Need { object, how, strength: Strength::Told, evidence });
    }
}

fn dials(service: &Service, now: &Snapshot, needs: &mut Vec<Need>) {
    let failed = callers::dials(service, now).filter(|d| !d.connected).last();
    if let Some(dial) = failed {
        needs.push(Need {
            object: service.meta.object(Kind::Service),
            how: format!("a connection to Service {} failed", service.meta.name),
            strength: Strength::Told,
            evidence: Some(callers::dial_evidence(service, dial)),
        });
    }
}

fn calls(service: &Service, app: &App, now: &Snapshot, needs: &mut Vec<Need>) {
    for caller in callers::of(service, now) {
        let object = caller.app.object.clone();
        if caller.app.running().next().is_none() || object == app.object {
            continue;
        }
        let field = evidence::field(
            caller.app.document(),
            &object,
            caller.field(),
            caller.peer.host.to_owned(),
        );
        let (strength, how, fact) = if let Some(line) = complaint(caller.app, service, now) {
            (Strength::Told, format!("{} {object} cannot reach it", object.kind), line)
        } else if caller.app.running().any(is_unwell) && !has_log(caller.app, now) {
            (Strength::Unwell, format!("{} {object} calls it and is not well", object.kind), field)
        } else {
            (Strength::Calls, format!("{} {object} is set to call it", object.kind), field)
        };
        if !needs.iter().any(|n| n.object == object && n.strength >= strength) {
            needs.push(Need { object, how, strength, evidence: Some(fact) });
        }
    }
}

/// Whether a pod runs, but not well, in a way that a missing peer may be the reason of.
fn is_unwell(pod: &Pod) -> bool {
    let other = ["OOMKilled", "ImagePullBackOff", "ErrImagePull", "Pending", "ContainerCreating"];
    let own_fault = pod.words().any(|w| other.contains(&w)) || pod.node.is_empty();
    pod.is_ready() == Some(false) && !own_fault
}

fn has_log(app: &App, now: &Snapshot) -> bool {
    let names = names(app);
    now.logs.iter().any(|l| names.contains(&l.name.rsplit('/').next().unwrap_or_default()))
}

/// A line of the caller's log that says that the Service does not answer.
fn complaint(caller: &App, service: &Service, now: &Snapshot) -> Option<Evidence> {
    let names = names(caller);
    let own = |name: &str| names.contains(&name.rsplit('/').next().unwrap_or_default());
    let mut logs = now.logs.iter().filter(|l| own(&l.name));
    logs.find_map(|log| {
        let text = telling(log, service)?;
        Some(evidence::field(log.document, &caller.object, "log", text))
    })
}

/// The last line of a log that says that the Service cannot be reached.
fn telling(log: &LogLines, service: &Service) -> Option<String> {
    let address = service.cluster_address.as_str();
    let tells = |line: &&String| {
        let address = !matches!(address, "" | "None") && line.contains(address);
        let named = names_peer(line, &service.meta.name) || address;
        named && (says(line, wording::CONNECTION_FAILED) || says(line, wording::NAME_UNKNOWN))
    };
    let line = log.lines.iter().rev().take(LAST_LINES).find(tells)?;
    Some(line.chars().take(300).collect())
}

/// Logs of workloads whose settings are not shown, and which cannot reach the Service.
fn complaints(service: &Service, app: &App, now: &Snapshot, needs: &mut Vec<Need>) {
    let near = |l: &&LogLines| {
        let namespace = l.name.rsplit_once('/').map(|(namespace, _)| namespace);
        l.unit.is_empty() && namespace.is_none_or(|n| n == service.meta.namespace)
    };
    let told = now.logs.iter().filter(near).filter_map(|l| Some((l, telling(l, service)?)));
    let told: Vec<(&LogLines, String)> = told.collect();
    if told.is_empty() {
        return;
    }
    let owners = log_lines::owners(now);
    for (log, text) in told {
        let Some(caller) = owners.of(log).and_then(|i| now.apps.get(i)) else { continue };
        let object = caller.object.clone();
        if object == app.object || needs.iter().any(|n| n.object == object) {
            continue;
        }
        let how = format!("{} {object} cannot reach it", object.kind);
        let evidence = Some(evidence::field(log.document, &object, "log", text));
        needs.push(Need { object, how, strength: Strength::Told, evidence });
    }
}

/// Whether a text names a peer as a word of its own: `api:80`, not `api-gateway`.
fn names_peer(text: &str, name: &str) -> bool {
    let part =
        |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_');
    text.match_indices(name).any(|(at, _)| {
        let before = text.get(..at).and_then(|t| t.chars().next_back());
        let after = text.get(at + name.len()..).and_then(|t| t.chars().next());
        !part(before) && !part(after)
    })
}

fn alerts(app: &App, services: &[&Service], now: &Snapshot, needs: &mut Vec<Need>) {
    let mut own = names(app);
    own.extend(services.iter().map(|s| s.meta.name.as_str()));
    let about = |a: &&Alert| {
        a.subjects.iter().any(|s| own.contains(&s.rsplit('/').next().unwrap_or_default()))
    };
    for alert in now.alerts.iter().filter(about).take(3) {
        let text: String = alert.text.chars().take(300).collect();
        let value = if text.is_empty() { alert.name.to_string() } else { text };
        let field = format!("alert/{}", alert.name);
        needs.push(Need {
            object: app.object.clone(),
            how: format!("alert {} fires about it", alert.name),
            strength: Strength::Told,
            evidence: Some(evidence::field(alert.document, &app.object, field, value)),
        });
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_name_within_a_longer_one_is_another() {
        assert!(super::names_peer("dial tcp: lookup api on 10.0.0.2", "api"));
        assert!(super::names_peer("http://api.shop:80/x refused", "api"));
        assert!(!super::names_peer("api-gateway refused; my-api refused", "api"));
    }
}
