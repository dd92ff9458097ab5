//! `pod-crash-avalanche`: replicas fall one after another, each under the load of those before.

use model::record::{ContainerStatus, Pod, Terminated};
use model::{
    Act, App, Certainty, Evidence, Finding, Findings, Gap, Impact, Kind, Patch, Remedy, Role,
    Scenario, Snapshot, Step, Timestamp,
};

use super::exit_code;
use crate::evidence;

failure! {
    /// # Replicas fall one after another
    ///
    /// ## Signs
    /// Several pods of one workload ended within minutes, one after the other and not
    /// together. All are of the same revision, on several nodes, and each had run for a while.
    /// The Service has fewer endpoints each time; those that start anew fall again.
    ///
    /// ## Why it happens
    /// The load of a replica that falls moves to the others. When the rest cannot bear it, the
    /// next one falls sooner, and so on. A replica that comes back alone gets all of the load
    /// and falls at once. The first fall may have had any reason: a full heap, one slow query,
    /// a lost node.
    ///
    /// A bad revision looks alike, but there only new pods fall and the old ones stay well. A
    /// bad node takes only its own pods.
    ///
    /// ## What we do
    /// 1. Take load away: shed or limit requests at the entry, stop retries of the clients.
    /// 2. Raise the number of replicas by half or more in one step, so that enough start
    ///    together.
    /// 3. Only then look for the first fall: the oldest end, and its log.
    ///
    /// ## How to avoid it
    /// Plan capacity for one replica less at peak. Autoscale below 70 % of what a replica can
    /// bear. Let programs refuse what they cannot do instead of falling. Clients retry with
    /// growing pauses and a limit.
    ///
    /// ## Sources
    /// Kubernetes documentation, "Horizontal Pod Autoscaling"; general literature on cascading
    /// failures.
    id: "pod-crash-avalanche",
    mechanisms: {
        "load-moves-on": "the load of each replica that falls moves to the others",
    },
    reads: [Pod, Deployment, ReplicaSet, StatefulSet, Service],
    leads_to: ["service-without-endpoints", "slo-burning", "workload-dependency-failing"],
    detect: Apps(detect),
    exposed: exposed,
    remedy: remedy,
    prevent: prevent,
    rehearse: rehearse,
}

/// Ends further apart than this do not follow from each other, in seconds.
const WITHIN_SECONDS: i64 = 900;
/// Who ends before this was never under load, in seconds.
const RAN_SECONDS: i64 = 30;
/// Ends closer together than this have one reason in common, in seconds.
const APART_SECONDS: i64 = 3;

/// How one replica ended.
struct Fall<'s> {
    pod: &'s Pod,
    container: &'s ContainerStatus,
    end: &'s Terminated,
    at: Timestamp,
    first_run: bool,
}

fn detect(app: &App, now: &Snapshot, findings: &mut Findings) {
    let wanted = app.wanted().unwrap_or(0);
    if wanted < 3 || !matches!(app.object.kind, Kind::Deployment | Kind::StatefulSet) {
        return;
    }
    let mut falls: Vec<Fall<'_>> = app.running().filter_map(|p| fall(p, now)).collect();
    falls.sort_by_key(|f| f.at);
    let spread = |f: &[Fall<'_>]| match f {
        [a, b] => b.at.since(a.at) >= APART_SECONDS,
        _ => false,
    };
    let apart = falls.windows(2).filter(|w| spread(w)).count();
    let most = (falls.len() as i64).saturating_mul(2) >= wanted;
    if falls.len() < 3 || apart.saturating_add(1) < falls.len() || !most || app.lost_replicas() == 0
    {
        return;
    }
    let owners = |f: &Fall<'_>| f.pod.meta.owner.as_ref().map(|o| o.name.clone());
    let revision = falls.first().and_then(owners);
    let nodes: std::collections::BTreeSet<&str> =
        falls.iter().map(|f| f.pod.node.as_str()).collect();
    let older = app.running().any(|p| {
        p.is_ready() == Some(true) && p.meta.owner.as_ref().map(|o| o.name.clone()) != revision
    });
    if older && app.object.kind == Kind::Deployment {
        let why = "pods of another revision are well: the new revision is to blame";
        return findings.rule_out(KIND.id, app.object.clone(), why);
    }
    if nodes.len() < 2
        || falls.iter().all(|f| f.first_run && f.container.restarts < 2 && !ran(f.end))
    {
        return;
    }
    findings.push(finding(app, &falls, wanted));
}

/// The last end of a pod's container, where it had run under load.
fn fall<'s>(pod: &'s Pod, now: &Snapshot) -> Option<Fall<'s>> {
    let ended = |c: &'s ContainerStatus| {
        let end = c.ended().filter(|e| ran(e) && e.exit_code != 0)?;
        let at = end.finished_at?;
        let recent = now.now.is_within(at, WITHIN_SECONDS);
        recent.then_some(Fall { pod, container: c, end, at, first_run: c.restarts < 2 })
    };
    pod.containers.iter().find_map(ended)
}

fn ran(end: &Terminated) -> bool {
    match (end.started_at, end.finished_at) {
        (Some(start), Some(finish)) => {
            start.seconds() > 86_400 && finish.since(start) >= RAN_SECONDS
        }
        _ => false,
    }
}

fn finding(app: &App, falls: &[Fall<'_>], wanted: i64) -> Finding {
    let ready = app.ready();
    let first = falls.first();
    let span = first.zip(falls.last()).map_or(0, |(a, b)| b.at.since(a.at));
    let headline = format!(
        "replicas of {} fall one after another: {} within {} s, {ready} of {wanted} are left",
        app.object,
        falls.len(),
        span.max(1)
    );
    let fact = |f: &Fall<'_>| {
        let pod = f.pod.meta.object(Kind::Pod);
        let field = format!("status.containerStatuses[{}].lastState.terminated", f.container.name);
        let text = exit_code::text(f.end.exit_code);
        Evidence { at: Some(f.at), ..evidence::field(f.pod.meta.source, &pod, field, text) }
    };
    let look = match first {
        Some(f) => {
            format!("kubectl logs {} --previous", f.pod.meta.object(Kind::Pod).for_kubectl())
        }
        None => String::new(),
    };
    let more = wanted.saturating_add(wanted / 2).max(wanted.saturating_add(1));
    Finding::new(KIND.id, "load-moves-on", app.object.clone(), headline)
        .field("spec.replicas", wanted.to_string(), format!("{more} or more, and less load"))
        .since(first.map(|f| f.at))
        .unsure(Certainty::Likely, &["application-error"], look)
        .role(Role::Mechanism)
        .evidence(falls.iter().take(5).map(fact))
        .affects(app.object.clone(), format!("{ready} of {wanted} replicas are left"))
        .impact(Impact { replicas: app.lost_replicas(), ..Impact::default() })
}

/// Nothing is said of workloads that bear their load today.
fn exposed(_: &Snapshot, _: &mut Vec<Gap>) {}

fn remedy(finding: &Finding, now: &Snapshot) -> Remedy {
    let object = finding.object.for_kubectl();
    let wanted = now.app(&finding.object).and_then(App::wanted).unwrap_or(3);
    let more = wanted.saturating_add(wanted / 2).max(wanted.saturating_add(1));
    Remedy {
        next: vec![
            Step::advice("Take load away first: limit requests at the entry, stop retries"),
            Step::change(
                "Start many replicas together, so that none has to bear it alone",
                format!("kubectl scale {object} --replicas={more}"),
                format!("kubectl scale {object} --replicas={wanted}"),
            ),
            Step::look(
                "Then read why the first of them fell",
                finding.decide.clone().unwrap_or_default(),
            ),
        ],
        do_not: vec![
            "Do not restart all at once: the first one back gets all of the load and falls".into(),
            "Do not tighten the liveness probe: a slow replica is still a replica".into(),
        ],
    }
}

fn prevent(_: &Gap, _: &Snapshot) -> Option<Patch> {
    None
}

fn rehearse() -> Option<Scenario> {
    Some(Scenario {
        story: "A workload has one replica less than its load needs.",
        acts: vec![(
            10,
            Act::Unmodelled("the load of a replica that falls moves to the others and fells them"),
        )],
        found_within_seconds: 300,
    })
}

#[cfg(test)]
mod tests;
