//! Network policies that do not let the clients of a Service through.

use model::record::{Known, NetworkPolicy, Service};
use model::{
    Certainty, Evidence, Finding, Findings, Impact, Kind, LogLines, ObjectRef, Snapshot, State,
    Step,
};

use super::KIND;
use super::traffic::{Stop, Traffic, Way};
use crate::evidence;
use crate::service::callers::{self, Caller};
use crate::wording::{self, says};

/// Lines at the end of a client's log that are looked at.
const LAST_LINES: usize = 500;

/// Clients that are named; more are only counted.
const MOST: usize = 12;

/// A client that a policy keeps from a Service.
struct Victim<'a> {
    service: &'a Service,
    caller: Caller<'a>,
    traffic: Traffic<'a>,
    stop: Stop<'a>,
    /// What shows that it suffers.
    sign: Option<Evidence>,
    /// Whether pods of it are not ready.
    sick: bool,
}

pub(super) fn detect(service: &Service, now: &Snapshot, findings: &mut Findings) {
    if !may_select(service) || now.policies.is_empty() {
        return;
    }
    let Some(service) = now.services.get(&service.meta.namespace, &service.meta.name) else {
        return;
    };
    let own = victims(service, now);
    let mut seen: Vec<&ObjectRef> = Vec::new();
    let policies: Vec<ObjectRef> =
        own.iter().map(|v| v.stop.policy.meta.object(Kind::NetworkPolicy)).collect();
    for (victim, policy) in own.iter().zip(&policies) {
        if !seen.contains(&policy) {
            seen.push(policy);
            findings.found.extend(finding(victim.stop.policy, now));
        }
    }
    if own.is_empty() {
        shut(service, now, findings);
    }
}

/// Whether pods stand behind a Service; a table does not print which.
fn may_select(service: &Service) -> bool {
    !service.selector.is_empty() || !service.meta.known.has(Known::SELECTOR)
}

/// Clients of a Service that some policy keeps from it, and nothing says the contrary.
fn victims<'a>(service: &'a Service, now: &'a Snapshot) -> Vec<Victim<'a>> {
    let mut found = Vec::new();
    for caller in callers::of(service, now) {
        let Some(traffic) = Traffic::of(service, &caller, now) else { continue };
        let Some(stop) = traffic.stop() else { continue };
        let port = caller.peer.port.or(service.ports.first().map(|p| p.port));
        let dial = port.and_then(|p| callers::dialled(service, p, now));
        // Somebody got through: to whoever connects from elsewhere an entry is closed as well.
        if stop.way == Way::Entry && dial.is_some_and(|d| d.connected) {
            continue;
        }
        let failed = dial.filter(|d| !d.connected && stop.way == Way::Entry);
        let sign = failed.map(|d| callers::dial_evidence(service, d));
        let sign = sign.or_else(|| complaint(&caller, service, stop.way, now));
        let sick = caller.app.lost_replicas() > 0;
        if stop.shown || sign.is_some() {
            found.push(Victim { service, caller, traffic, stop, sign, sick });
        }
    }
    found
}

/// All that one policy keeps apart, as one finding.
fn finding(policy: &NetworkPolicy, now: &Snapshot) -> Option<Finding> {
    let object = policy.meta.object(Kind::NetworkPolicy);
    let is_it = |v: &Victim<'_>| v.stop.policy.meta.object(Kind::NetworkPolicy) == object;
    let mut all: Vec<Victim<'_>> = Vec::new();
    for service in now.services.iter().filter(|s| may_select(s)) {
        all.extend(victims(service, now).into_iter().filter(is_it));
    }
    // The one that shows best that it suffers stands for all.
    all.sort_by_key(|v| (v.sign.is_none(), !v.sick));
    let first = all.first()?;
    let (way, shown) = (first.stop.way, first.stop.shown);
    let client = &first.caller.app.object;
    let service = first.service.meta.object(Kind::Service);
    let verb = if shown { "does not let" } else { "may not let" };
    let headline = match way {
        Way::Names => format!(
            "NetworkPolicy {object} lets {} {client} ask no name service (port 53), so it does \
             not find Service {service}",
            client.kind
        ),
        _ => format!(
            "NetworkPolicy {object} {verb} {} {client} reach Service {service}",
            client.kind
        ),
    };
    let selects = if policy.pods.is_empty() { "all pods".into() } else { policy.pods.to_string() };
    let port = first.traffic.port();
    let (field, expected) = match way {
        Way::Entry => (
            "spec.ingress",
            format!("a rule from pods with {}, port {port}", first.traffic.from_labels),
        ),
        Way::Exit => {
            ("spec.egress", format!("a rule to pods with {}, port {port}", first.traffic.to_labels))
        }
        Way::Names => ("spec.egress", "a rule to the name service, port 53/UDP and 53/TCP".into()),
    };
    let value = if shown { "no rule admits it" } else { "not shown" };
    let mut finding = Finding::new(KIND.id, "network-policy-blocks", object.clone(), headline)
        .field(field, value, expected)
        .evidence(first.sign.clone())
        .evidence([
            evidence::field(policy.meta.source, &object, "spec.podSelector", selects),
            evidence::field(
                first.caller.app.document(),
                client,
                first.caller.field(),
                address(&first.caller),
            ),
        ]);
    for victim in all.iter().take(MOST) {
        let how = format!("may not reach Service {}", victim.service.meta.object(Kind::Service));
        finding = finding.affects(victim.caller.app.object.clone(), how);
    }
    Some(weighed(finding, &all, policy))
}

/// The rule that is missing, as a patch.
pub(super) fn patch(object: &ObjectRef, now: &Snapshot) -> Option<Step> {
    let policy = now.policies.get(&object.namespace, &object.name)?;
    let mut all = now.services.iter().filter(|s| may_select(s)).flat_map(|s| victims(s, now));
    let victim =
        all.find(|v| v.stop.shown && v.stop.policy.meta.object(Kind::NetworkPolicy) == *object)?;
    let (side, way, rules) = match victim.stop.way {
        Way::Entry => ("ingress", "from", policy.ingress.as_ref()?.len()),
        Way::Exit | Way::Names => ("egress", "to", policy.egress.as_ref()?.len()),
    };
    let rule = match victim.stop.way {
        Way::Names => "{\"ports\":[{\"port\":53,\"protocol\":\"UDP\"},\
                       {\"port\":53,\"protocol\":\"TCP\"}]}"
            .to_owned(),
        _ => {
            format!("{{\"{way}\":[{}],\"ports\":[{}]}}", peer(&victim)?, victim.traffic.port_json())
        }
    };
    let patch =
        |op: String| format!("kubectl patch {} --type json -p '[{op}]'", object.for_kubectl());
    let (add, drop) = match rules {
        0 => (
            format!("{{\"op\":\"add\",\"path\":\"/spec/{side}\",\"value\":[{rule}]}}"),
            format!("{{\"op\":\"replace\",\"path\":\"/spec/{side}\",\"value\":[]}}"),
        ),
        n => (
            format!("{{\"op\":\"add\",\"path\":\"/spec/{side}/-\",\"value\":{rule}}}"),
            format!("{{\"op\":\"remove\",\"path\":\"/spec/{side}/{n}\"}}"),
        ),
    };
    Some(Step::change("Add the one rule that is missing", patch(add), patch(drop)))
}

/// The other end of the connection, as a policy names it.
fn peer(victim: &Victim<'_>) -> Option<String> {
    let (labels, place) = match victim.stop.way {
        Way::Entry => (victim.traffic.from_labels, &victim.caller.app.object.namespace),
        _ => (victim.traffic.to_labels, &victim.service.meta.namespace),
    };
    let plain = |t: &str| t.bytes().all(|c| c.is_ascii_alphanumeric() || b"-._/".contains(&c));
    let labels = labels.filtered(|k| k != "pod-template-hash");
    if !labels.iter().all(|(k, v)| plain(k) && plain(v)) || !plain(place) {
        return None;
    }
    let pairs: Vec<String> = labels.iter().map(|(k, v)| format!("\"{k}\":\"{v}\"")).collect();
    let pods = format!("\"podSelector\":{{\"matchLabels\":{{{}}}}}", pairs.join(","));
    let namespace = if *place == victim.stop.policy.meta.namespace {
        String::new()
    } else {
        let by_name = format!("{{\"kubernetes.io/metadata.name\":\"{place}\"}}");
        format!(",\"namespaceSelector\":{{\"matchLabels\":{by_name}}}")
    };
    Some(format!("{{{pods}{namespace}}}"))
}

/// How sure it is, and who suffers: whether policies are enforced is up to the network plugin.
fn weighed(finding: Finding, all: &[Victim<'_>], policy: &NetworkPolicy) -> Finding {
    let told = all.iter().any(|v| v.sign.is_some());
    let sick = all.iter().any(|v| v.sick);
    let shown = all.first().is_some_and(|v| v.stop.shown);
    let mut services: Vec<ObjectRef> =
        all.iter().map(|v| v.service.meta.object(Kind::Service)).collect();
    services.sort();
    services.dedup();
    let services = u32::try_from(services.len()).unwrap_or(u32::MAX);
    let impact = Impact { services, ..Impact::default() };
    let look = match all.first() {
        _ if !shown => format!(
            "kubectl describe -n {} networkpolicy {}",
            policy.meta.namespace, policy.meta.name
        ),
        Some(v) => {
            let port = v.caller.peer.port.or(v.service.ports.first().map(|p| p.port)).unwrap_or(0);
            let client = v.caller.app.object.for_kubectl();
            format!("kubectl exec {client} -- nc -zv -w 3 {} {port}", v.caller.peer.host)
        }
        None => String::new(),
    };
    match (told, sick, shown) {
        (true, _, true) => finding.impact(impact).since(policy.meta.created),
        (true, _, false) => {
            finding.impact(impact).unsure(Certainty::Possible, &["target-port-wrong"], look)
        }
        (false, true, _) => finding.impact(impact).since(policy.meta.created).unsure(
            Certainty::Likely,
            &["dependency-down"],
            look,
        ),
        (false, false, _) => {
            finding.state(State::Suspected).unsure(Certainty::Likely, &["target-port-wrong"], look)
        }
    }
}

fn address(caller: &Caller<'_>) -> String {
    let port = caller.peer.port.map(|p| format!(":{p}")).unwrap_or_default();
    format!("{}{port}", caller.peer.host)
}

/// The line of the client's log that says that it cannot reach the Service.
fn complaint(caller: &Caller<'_>, service: &Service, way: Way, now: &Snapshot) -> Option<Evidence> {
    let app = &caller.app.object;
    let is_own =
        |l: &&LogLines| l.name == app.name || caller.app.pods.iter().any(|p| p.meta.name == l.name);
    let cluster_address = service.cluster_address.as_str();
    let by_address = !matches!(cluster_address, "" | "None");
    let names = |line: &str| {
        line.contains(caller.peer.host) || (by_address && line.contains(cluster_address))
    };
    let fails = |line: &str| match way {
        Way::Names => {
            says(line, wording::NAME_RESOLUTION_DOWN)
                || (says(line, &["lookup", ":53", "resolv"]) && says(line, wording::PROBE_TIMEOUT))
        }
        _ => says(line, wording::CONNECTION_FAILED),
    };
    for log in now.logs.iter().filter(is_own) {
        let line = log.lines.iter().rev().take(LAST_LINES).find(|l| names(l) && fails(l));
        if let Some(line) = line {
            let short: String = line.chars().take(300).collect();
            return Some(evidence::field(log.document, app, "log", short));
        }
    }
    None
}

/// A Service that nobody is known to call, to which no connection could be opened, and whose
/// pods a policy closes to everybody.
fn shut(service: &Service, now: &Snapshot, findings: &mut Findings) {
    let apps = now.apps_selected(&service.meta.namespace, &service.selector);
    let Some(app) = apps.first() else { return };
    let Some(labels) = app.pod_labels() else { return };
    let ready = app.ready() > 0 || now.addresses(service).is_some_and(|(ready, _)| ready > 0);
    let dial = callers::dials(service, now).last().filter(|d| !d.connected);
    let (Some(dial), true) = (dial, ready) else { return };
    let mut here = now
        .policies
        .in_namespace(&service.meta.namespace)
        .filter(|p| p.pods.matches(labels) && p.meta.known.has(model::record::Known::SPEC));
    let closed = |p: &NetworkPolicy| p.ingress.as_ref().map(|rules| rules.is_empty());
    let about: Vec<&NetworkPolicy> = here.by_ref().filter(|p| closed(p).is_some()).collect();
    let Some(policy) = about.first().filter(|_| about.iter().all(|p| closed(p) == Some(true)))
    else {
        return;
    };
    let object = policy.meta.object(Kind::NetworkPolicy);
    let target = service.meta.object(Kind::Service);
    let headline =
        format!("NetworkPolicy {object} lets nobody reach the pods behind Service {target}");
    let look = format!("kubectl describe {}", object.for_kubectl());
    let finding = Finding::new(KIND.id, "network-policy-blocks", object.clone(), headline)
        .field("spec.ingress", "no rule", "a rule for the clients of the Service")
        .since(policy.meta.created)
        .evidence([
            callers::dial_evidence(service, dial),
            evidence::field(
                policy.meta.source,
                &object,
                "spec.podSelector",
                policy.pods.to_string(),
            ),
        ])
        .affects(target, "lets nobody in")
        .impact(Impact { services: 1, ..Impact::default() })
        .unsure(Certainty::Likely, &["target-port-wrong"], look);
    findings.push(finding);
}
