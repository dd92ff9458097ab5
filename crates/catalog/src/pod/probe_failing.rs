//! `pod-probe-failing`: a probe of a container fails, because of how it is written, because the
//! container cannot answer, or because of the node.

use std::collections::BTreeMap;

use model::record::{Container, Pod};
use model::{
    Act, App, Certainty, Evidence, Finding, Findings, Impact, Kind, Scenario, Snapshot, State,
    Timestamp, Truth,
};

use crate::evidence;
use crate::listening;
use crate::workload::probe_too_tight;

mod advice;
mod cause;
mod compare;
mod complaint;
mod message;
pub(in crate::pod) mod node;
mod unexplained;

use cause::Cause;
use compare::Place;
use complaint::{Complaint, Standing};
use message::Which;

failure! {
    /// # A probe of a container fails
    ///
    /// ## Signs
    /// Events with the reason `Unhealthy`: "Liveness probe failed", "Readiness probe failed",
    /// "Startup probe failed". With a readiness probe the pod stays `0/1 Running` and out of
    /// its Services; it is never restarted for that. With a liveness or startup probe the
    /// container is killed again and again ("failed liveness probe, will be restarted", exit
    /// code 137 or whatever the program ends with when asked to stop), though it may serve.
    ///
    /// ## Why it happens
    /// A probe is a second description of where and how a container answers, beside the
    /// program's own settings, its declared ports and its other probes. When one of them is
    /// changed, the probe may be left behind: another port, another protocol (HTTP asked of a
    /// gRPC server), another path, a command that the image does not have. Or the probe is
    /// right and the answer comes too late: a slow start, too short a time limit, a loaded
    /// node; or the container says by itself that it cannot serve, because a peer is down.
    ///
    /// ## What we do
    /// 1. Compare the probe with the ports, settings and other probes of its container.
    /// 2. Read the message: refused, malformed, a status code and a timeout mean different
    ///    things.
    /// 3. See whether one workload fails on all nodes (the workload) or all workloads on one
    ///    node (the node).
    /// 4. Correct the probe, or what it rightly complains about. One Unhealthy event in the
    ///    first seconds of a pod that is ready now means nothing.
    ///
    /// ## How to avoid it
    /// Let probes name ports instead of numbers. Give slow programs a startup probe instead of
    /// a long delay. Let liveness probes ask only whether the process lives, never whether its
    /// peers do. Allow more than one second.
    ///
    /// ## Sources
    /// Kubernetes documentation, "Configure Liveness, Readiness and Startup Probes".
    id: "pod-probe-failing",
    mechanisms: {
        "probe-port-wrong": "it goes to a port on which the container does not listen",
        "probe-protocol-wrong": "it speaks a protocol that the container does not",
        "probe-path-wrong": "it asks for a path that the container does not serve",
        "probe-command-wrong": "its command cannot do what it is meant to",
        "probe-timing-too-tight": "it allows less time than an answer takes",
        "slow-start": "the container takes longer to start than the probe allows",
        "dependency-down": "the container says that it cannot serve, for lack of a peer",
        "node-loaded": "the node is too busy to answer in time",
        "unexplained": "its containers run and are not ready, and nothing shown says why",
    },
    reads: [Pod, Event, Deployment, StatefulSet, DaemonSet, ReplicaSet, Service, Node],
    leads_to: [
        "control-plane-degraded",
        "deployment-rollout-failing",
        "job-failing",
        "pod-crash-looping",
        "service-without-endpoints",
        "slo-burning",
        "statefulset-update-stuck/new-pod-unready",
    ],
    detect: Apps(detect),
    exposed: advice::exposed,
    remedy: advice::remedy,
    prevent: advice::prevent,
    rehearse: rehearse,
}

/// A probe of one container with what is said about it.
struct Case<'a> {
    container: Option<&'a Container>,
    which: Which,
    complaints: Vec<Complaint<'a>>,
    flaps: bool,
}

impl<'a> Case<'a> {
    fn place(&self, app: &'a App, now: &'a Snapshot) -> Option<Place<'a>> {
        let container = self.container?;
        let (_, probe) = listening::probes(container).find(|(f, _)| *f == self.which.field())?;
        Some(Place { app, container, which: self.which, probe, now })
    }
}

fn detect(app: &App, now: &Snapshot, findings: &mut Findings) {
    if matches!(app.object.kind, Kind::Job | Kind::CronJob) && app.running().next().is_none() {
        return;
    }
    let (cases, over) = cases(app, now);
    if node::explains(app, &cases, now) {
        return;
    }
    let mut found: Vec<Finding> = Vec::new();
    for case in &cases {
        let place = case.place(app, now);
        // The last complaint says how it is now; what came before may be from the start.
        let order = |c: &&Complaint<'_>| {
            (evidence::last_time(c.event, now), c.event.count, std::cmp::Reverse(c.says))
        };
        let Some(last) = case.complaints.iter().max_by_key(order) else { continue };
        if let Some(cause) = cause::of(place.as_ref(), last, now) {
            found.push(finding(app, case, place.as_ref(), &cause, Some(last), now));
        }
    }
    found.extend(silent(app, &cases, now));
    if found.is_empty() && cases.is_empty() && over == 0 {
        found.extend(unexplained::finding(app, now));
    }
    let best = found.iter().map(|f| f.certainty).max();
    let found: Vec<Finding> = found.into_iter().filter(|f| Some(f.certainty) == best).collect();
    if found.is_empty() && over > 0 {
        let what = format!("{over} warnings about probes of {} {}", app.object.kind, app.object);
        findings.stale(what, "its pods are ready now and were not restarted since");
    }
    for finding in merged(found) {
        findings.push(finding);
    }
}

/// Complaints that still matter, by container and probe, and how many are over.
fn cases<'a>(app: &'a App, now: &'a Snapshot) -> (Vec<Case<'a>>, usize) {
    let mut cases: BTreeMap<(&str, Which), Case<'a>> = BTreeMap::new();
    let mut over = 0;
    for complaint in complaint::of(app, now) {
        let container = container_of(app, &complaint, now);
        let field = complaint.which.field();
        let probe = container.and_then(|c| listening::probes(c).find(|(f, _)| *f == field));
        let standing = complaint::standing(&complaint, probe.map(|(_, p)| p), now);
        if standing == Standing::Over {
            over += 1;
            continue;
        }
        let key = (container.map_or("", |c| c.name.as_str()), complaint.which);
        let case = cases.entry(key).or_insert_with(|| Case {
            container,
            which: complaint.which,
            complaints: Vec::new(),
            flaps: true,
        });
        case.flaps &= standing == Standing::Flaps;
        case.complaints.push(complaint);
    }
    (cases.into_values().collect(), over)
}

/// The container a complaint is about: the one that was killed, the one whose probe goes to the
/// port in the message, the only one with such a probe.
fn container_of<'a>(app: &'a App, c: &Complaint<'_>, now: &Snapshot) -> Option<&'a Container> {
    let spec = app.spec()?;
    let field = c.which.field();
    let has = |k: &&Container| listening::probes(k).any(|(f, _)| f == field);
    let killed = complaint::killed(c.pod, now).map(|(_, name)| name).filter(|_| c.which.restarts());
    let goes_to = |k: &&Container| {
        let mut own = listening::probes(k).filter(|(f, _)| *f == field);
        let number = own.find_map(|(_, p)| listening::number(k, &p.target()?.1.port));
        number.is_some() && number == c.port
    };
    let with = || spec.all_containers().filter(has);
    with()
        .find(|k| killed == Some(k.name.as_str()))
        .or_else(|| with().find(goes_to))
        .or_else(|| with().next())
}

/// Probes that contradict their containers without any event: certain where pods suffer as
/// they would, suspected where there are no pods yet to tell.
fn silent(app: &App, cases: &[Case<'_>], now: &Snapshot) -> Vec<Finding> {
    let mut found = Vec::new();
    let well = |p: &Pod| p.is_ready() == Some(true) && p.restarts() == 0;
    if app.running().next().is_some() && app.running().all(well) {
        return found;
    }
    let containers = app.spec().into_iter().flat_map(|s| s.containers.iter());
    for container in containers {
        for (field, probe) in listening::probes(container) {
            let which = Which::of_field(field);
            if cases.iter().any(|c| c.which == which) {
                continue;
            }
            let place = Place { app, container, which, probe, now };
            let port = place.wrong_port().filter(|w| w.strong).map(cause::port);
            let speech = || place.wrong_speech().filter(|w| w.strong).map(cause::speech);
            let Some(cause) = port.or_else(speech) else { continue };
            let case =
                Case { container: Some(container), which, complaints: Vec::new(), flaps: false };
            if suffers(&place) {
                found.push(finding(app, &case, Some(&place), &cause, None, now));
            } else if nobody_can_tell(app, now) {
                let finding = finding(app, &case, Some(&place), &cause, None, now);
                let finding = Finding { affected: Vec::new(), ..finding };
                found.push(finding.state(State::Suspected).impact(Impact::default()));
            }
        }
    }
    found
}

/// Whether pods suffer as they do when this probe fails, and no events were shown that would
/// say otherwise.
fn suffers(place: &Place<'_>) -> bool {
    let Place { app, container, which, probe, now } = *place;
    let own = |p: &&Pod| {
        let status = p.containers.iter().find(|s| s.name == container.name);
        let row = p.summary.as_ref().map_or("", |s| s.status.as_str());
        let runs = match status {
            Some(s) => matches!(s.state, model::record::ContainerState::Running(_)),
            None => row == "Running",
        };
        let unready = match status {
            Some(s) => runs && !s.ready,
            None => runs && p.is_ready() == Some(false),
        };
        let restarts = status.map_or(p.restarts(), |s| s.restarts);
        let restarted = restarts > 0
            && !complaint::ended_by_itself(p, Some(probe), now)
            && complaint::may_be_in_a_loop(p, probe, now);
        let told = !now.pod_events(p).is_empty();
        let fails = match which {
            Which::Readiness => unready,
            Which::Liveness => restarted,
            Which::Startup => unready || restarted,
        };
        fails && !told && !complaint::is_young(p, now, 60)
    };
    app.running().any(|p| own(&p))
}

/// No pod has run long enough to show whether the probe works.
fn nobody_can_tell(app: &App, now: &Snapshot) -> bool {
    let counted = app.workload.as_ref().is_some_and(|w| w.counts.ready > 0);
    !counted
        && app.running().all(|p| {
            p.is_ready() != Some(true) && p.restarts() == 0 && complaint::is_young(p, now, 60)
        })
}

fn finding(
    app: &App,
    case: &Case<'_>,
    place: Option<&Place<'_>>,
    cause: &Cause,
    last: Option<&Complaint<'_>>,
    now: &Snapshot,
) -> Finding {
    let object = &app.object;
    let container = case.container.map_or("", |c| c.name.as_str());
    let of =
        if container.is_empty() { String::new() } else { format!(" of container {container}") };
    let word = case.which.word();
    let kind = object.kind;
    let headline = format!("{kind} {object}: the {word} probe{of} {}", cause.why);
    let restarted: Vec<&Pod> = match case.which.restarts() {
        true => app.running().filter(|p| p.restarts() > 0).collect(),
        false => Vec::new(),
    };
    let restarts: u32 = restarted.iter().map(|p| p.restarts()).sum();
    let lost = app.lost_replicas();
    let all = app.running().count();
    let how = match (restarts, lost) {
        (0, _) => format!("{lost} of {all} pods not ready"),
        (n, 0) => format!("restarted {n} times by the probe"),
        (n, lost) => format!("{lost} of {all} pods not ready, {n} restarts"),
    };
    let replicas = lost.max(u32::try_from(restarted.len()).unwrap_or(u32::MAX));
    let impact =
        if case.flaps { Impact::default() } else { Impact { replicas, ..Impact::default() } };
    let field = cause::full_field(app, cause, place);
    let mut finding = Finding::new(KIND.id, cause.mechanism, object.clone(), headline)
        .field(field, &cause.field.1, &cause.field.2)
        .since(since(case, now))
        .evidence(last.and_then(|c| evidence::event(c.event, now)))
        .evidence(kill(case, now))
        .evidence(cause.evidence.iter().cloned())
        .affects(object.clone(), how)
        .impact(impact);
    // Whoever cannot answer for a while is killed for it where the probe is tight.
    let slow = ["probe-timing-too-tight", "slow-start", "dependency-down", "node-loaded"];
    if case.which == Which::Liveness && slow.contains(&cause.mechanism) {
        finding.factors.extend(probe_too_tight::factor(app));
    }
    if cause.certainty < Certainty::Proven {
        let decide = advice::decide(cause.mechanism, object, container, last, now);
        finding = finding.unsure(cause.certainty, cause.alternatives, decide);
    }
    finding
}

fn kill(case: &Case<'_>, now: &Snapshot) -> Option<Evidence> {
    let pod = case.complaints.first().filter(|c| c.which.restarts())?.pod;
    evidence::event(complaint::killed(pod, now)?.0, now)
}

/// Since the first complaint, or since a pod that is kept out of service by it left: events are
/// forgotten after an hour, a condition keeps its time.
fn since(case: &Case<'_>, now: &Snapshot) -> Option<Timestamp> {
    let told = case.complaints.iter().filter_map(|c| evidence::first_time(c.event, now)).min();
    let out = case.complaints.iter().filter(|c| !c.which.restarts()).filter_map(|c| {
        let ready = c.pod.ready.filter(|r| r.status == Truth::False);
        ready.filter(|_| c.pod.restarts() == 0)?.since
    });
    told.map(|told| out.min().map_or(told, |out| out.min(told)))
}

/// One finding for each mechanism, with the evidence of all.
fn merged(found: Vec<Finding>) -> Vec<Finding> {
    let mut kept: Vec<Finding> = Vec::new();
    for finding in found {
        match kept.iter_mut().find(|k| k.mechanism == finding.mechanism) {
            Some(known) => {
                let fresh = finding.evidence.into_iter();
                let fresh: Vec<Evidence> = fresh.filter(|e| !known.evidence.contains(e)).collect();
                known.evidence.extend(fresh);
                known.since = known.since.min(finding.since).or(known.since).or(finding.since);
                known.impact = known.impact.max(finding.impact);
            }
            None => kept.push(finding),
        }
    }
    kept
}

fn rehearse() -> Option<Scenario> {
    Some(Scenario {
        story: "The readiness probe of a workload asks at a port where nobody listens.",
        acts: vec![(10, Act::Apply(REHEARSAL))],
        found_within_seconds: 120,
    })
}

const REHEARSAL: &str = drill_deployment!(
    "drill-scale",
    replicas: 2,
    container: "image: 'drill:1', ports: [{name: http, containerPort: 8080}], readinessProbe: \
                {httpGet: {path: /ready, port: 8081}, periodSeconds: 5}"
);

#[cfg(test)]
mod tests;
