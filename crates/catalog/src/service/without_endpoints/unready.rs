//! Services whose selector is right, but behind which no pod is ready.

use model::record::{Known, Pod, Service};
use model::{App, Evidence, Finding, Findings, Impact, Kind, Role, Snapshot, Timestamp, Truth};

use super::{KIND, endpoints_evidence};
use crate::evidence;
use crate::service::callers;

/// How long pods may take to become ready before it is a failure, in seconds.
const STARTING_SECONDS: i64 = 60;

/// The selector matches a workload, but none of its pods takes traffic.
pub(super) fn unready(
    service: &Service,
    apps: &[&App],
    pods: &[&Pod],
    now: &Snapshot,
    findings: &mut Findings,
) {
    let object = service.meta.object(Kind::Service);
    if pods.iter().any(|p| p.is_ready() == Some(true)) {
        return;
    }
    if service.publishes_unready && !pods.is_empty() {
        return findings.rule_out(KIND.id, object, "it publishes pods that are not ready, too");
    }
    let wanted: Option<i64> = apps.iter().map(|a| a.wanted()).sum();
    if pods.is_empty() && wanted == Some(0) {
        return findings.rule_out(KIND.id, object, "its workload is scaled to zero");
    }
    // Where no pod was printed, the workload's own count tells.
    let counted = |a: &App, ready: bool| {
        let status = a.workload.as_ref().filter(|w| w.meta.shows(Known::STATUS));
        a.pods.is_empty() && status.is_some_and(|w| (w.counts.ready > 0) == ready)
    };
    if apps.iter().any(|a| counted(a, true)) {
        return;
    }
    let told = pods.iter().any(|p| p.is_ready() == Some(false))
        || (pods.is_empty() && !apps.is_empty() && apps.iter().all(|a| counted(a, false)));
    let listed = pods.is_empty() && now.coverage.lists(Kind::Pod, &service.meta.namespace);
    if !(told || listed || now.addresses(service).is_some()) {
        return;
    }
    if !pods.is_empty() && pods.iter().all(|p| is_starting(p, now)) {
        return findings.rule_out(KIND.id, object, "its pods are only starting");
    }
    findings.push(empty(service, apps, pods, now));
}

/// Whether a pod is young and nothing is wrong with it.
fn is_starting(pod: &Pod, now: &Snapshot) -> bool {
    let is_young = match (pod.meta.age_seconds, pod.meta.created.or(pod.started)) {
        (Some(seconds), _) => i64::from(seconds) < STARTING_SECONDS,
        (None, Some(at)) => now.has_time && now.now.is_within(at, STARTING_SECONDS - 1),
        (None, None) => false,
    };
    let fine =
        |w: &str| matches!(w, "" | "ContainerCreating" | "PodInitializing" | "Running" | "Pending");
    let warned = now.pod_events(pod).iter().any(|e| e.warning);
    is_young && !warned && pod.restarts() == 0 && pod.words().all(fine)
}

fn empty(service: &Service, apps: &[&App], pods: &[&Pod], now: &Snapshot) -> Finding {
    let object = service.meta.object(Kind::Service);
    let names: Vec<String> =
        apps.iter().map(|a| format!("{} {}", a.object.kind, a.object.name)).collect();
    let behind = if names.is_empty() { "its pods".to_owned() } else { names.join(", ") };
    let unseen: i64 =
        apps.iter().filter_map(|a| a.workload.as_ref()).map(|w| w.counts.current).sum();
    let (mechanism, headline) = if pods.is_empty() && unseen > 0 {
        let text =
            format!("Service {object} has no endpoints: 0 of {unseen} pods of {behind} are ready");
        ("no-ready-pods", text)
    } else if pods.is_empty() {
        ("no-pods", format!("Service {object} has no endpoints: {behind} has no pods"))
    } else {
        let n = pods.len();
        let text =
            format!("Service {object} has no endpoints: 0 of {n} pods of {behind} are ready");
        ("no-ready-pods", text)
    };
    let mut finding = Finding::new(KIND.id, mechanism, object, headline)
        .role(Role::Symptom)
        .since(since(pods))
        .evidence(endpoints_evidence(service, now))
        .evidence(pods.iter().take(3).map(|p| pod_evidence(p)))
        .impact(Impact { services: 1, ..Impact::default() });
    for caller in callers::of(service, now) {
        let how = format!("calls it ({}={})", caller.peer.setting, caller.peer.host);
        finding = finding.affects(caller.app.object.clone(), how);
    }
    finding
}

/// When the last of the pods stopped being ready.
fn since(pods: &[&Pod]) -> Option<Timestamp> {
    let unready = |p: &&Pod| p.ready.filter(|c| c.status != Truth::True)?.since;
    let times: Option<Vec<Timestamp>> = pods.iter().map(unready).collect();
    times?.into_iter().max()
}

fn pod_evidence(pod: &Pod) -> Evidence {
    let object = pod.meta.object(Kind::Pod);
    let word = pod.words().find(|w| !w.is_empty()).unwrap_or("not ready");
    let fact = evidence::field(pod.meta.source, &object, "status", word);
    Evidence { at: pod.ready.and_then(|r| r.since), ..fact }
}
