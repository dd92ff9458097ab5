//! Containers that need more memory than they may use.

use model::record::{ClusterEvent, Container, Terminated};
use model::{
    App, Certainty, Factor, Finding, Findings, Forecast, Impact, Kind, Quantity, Role, Snapshot,
    State, Timestamp, duration_text,
};

use super::crash_cause::is_out_of_memory;
use super::edit::{container, container_field, namespace_option, previous_spec};
use super::measured::{self, Measure};
use super::restarts::{self, Ended};
use crate::evidence;
use crate::wording::{self, says};

/// A container that ran for at least this long before it was killed does not need too much
/// from the start: it grew.
const GREW_SECONDS: i64 = 3600;

/// How far ahead a limit that will be reached is announced, in seconds.
const AHEAD_SECONDS: f64 = 86_400.0;

pub(super) fn detect(id: &'static str, app: &App, now: &Snapshot, findings: &mut Findings) {
    let (mut ended, _) = restarts::of(app, now);
    ended.extend(restarts::attempts(app, now));
    let mut killed: Vec<Ended<'_>> =
        ended.into_iter().filter(|e| is_out_of_memory(e, now)).collect();
    // The one of which most is known speaks for all.
    killed.sort_by_key(|e| (e.state, e.end.is_none()));
    if let Some(first) = killed.first() {
        return of_killed(id, app, first, killed.len(), now, findings);
    }
    if let Some(finding) = killed_at_start(id, app, now) {
        return findings.push(finding);
    }
    if let Some(finding) = growing(id, app, now) {
        findings.push(finding);
    }
}

fn of_killed(
    id: &'static str,
    app: &App,
    ended: &Ended<'_>,
    pods: usize,
    now: &Snapshot,
    findings: &mut Findings,
) {
    let limit = limit_of(app, ended.container);
    let node = model::ObjectRef::new(Kind::Node, "", &ended.pod.node);
    let system = now.events_about(&node).iter().rfind(|e| e.reason == "SystemOOM");
    if limit.is_none() && shows_limits(app, ended.container) {
        let why = "its container has no memory limit: the node itself ran out of memory";
        findings.rule_out(id, app.object.clone(), why);
        return;
    }
    let ran = ended.end.and_then(run_seconds);
    let leak = growth_of(app, now).is_some() || ran.is_some_and(|s| s >= GREW_SECONDS);
    let mechanism = if leak { "memory-leak" } else { "memory-limit-too-low" };
    let limit_text = limit.map_or_else(|| "its limit".to_owned(), |q| q.text("memory"));
    let after =
        ran.filter(|s| *s > 0).map(|s| format!(" after {}", duration_text(s))).unwrap_or_default();
    let headline = if leak {
        format!("{} grows until it is killed at {limit_text} of memory{after}", app.object)
    } else {
        format!("{} needs more memory than its limit of {limit_text}: killed{after}", app.object)
    };
    let mut finding = base(id, mechanism, app, ended.container, headline)
        .state(ended.state)
        .since(ended.pod.started.or(ended.pod.meta.created))
        .evidence(kill_evidence(ended, now))
        .affects(app.object.clone(), format!("{pods} of {} pods", app.pods.len()));
    if ended.state == State::Active {
        finding = finding.impact(Impact { replicas: app.lost_replicas(), ..Impact::default() });
    }
    let option = namespace_option(&app.object.namespace);
    let look = format!("kubectl top pod{option} {} --containers", ended.pod.meta.name);
    if leak {
        finding = finding.unsure(Certainty::Likely, &["memory-limit-too-low"], look);
    } else if limit.is_none() || near(system, ended.end, now) {
        finding = finding.unsure(Certainty::Likely, &["memory-leak"], look);
    }
    if !leak {
        finding.factors.push(Factor {
            failure: id,
            object: app.object.clone(),
            role: Role::Contributing,
            why: "a memory leak would look the same until its use is watched for longer".into(),
        });
    }
    findings.push(finding);
}

/// A finding about the memory limit of a container.
fn base(
    id: &'static str,
    mechanism: &'static str,
    app: &App,
    name: &str,
    headline: String,
) -> Finding {
    let field = container_field(app, name, "resources.limits.memory");
    let limit = limit_of(app, name).map_or_else(|| "not shown".to_owned(), |q| q.text("memory"));
    Finding::new(id, mechanism, app.object.clone(), headline).field(field, limit, wanted(app, name))
}

/// What the limit should be: what it was before, or what the request or the siblings suggest.
fn wanted(app: &App, name: &str) -> String {
    let limit = limit_of(app, name).unwrap_or_default();
    let of = |c: &Container| c.resources.limits.get("memory").filter(|q| *q > limit);
    if let Some(before) = previous_spec(app).and_then(|s| container(s, name)).and_then(of) {
        return format!("{} (the revision before)", before.text("memory"));
    }
    let own = app.spec().and_then(|s| container(s, name));
    let asked = own.and_then(|c| c.resources.requests.get("memory")).filter(|q| *q > limit);
    if let Some(asked) = asked {
        return format!("more than its request of {}", asked.text("memory"));
    }
    if limit.is_positive() {
        let twice = limit.plus(limit);
        return format!("{} or more", twice.text("memory"));
    }
    "more".into()
}

/// The typical limit of the other workloads of the namespace, when it is far above this one.
pub(super) fn usual_beside(app: &App, limit: Quantity, now: &Snapshot) -> Option<Quantity> {
    let others = now.apps_in(&app.object.namespace).iter().filter(|a| a.object != app.object);
    let first = |a: &App| a.spec()?.containers.first()?.resources.limits.get("memory");
    let mut limits: Vec<Quantity> = others.filter_map(first).collect();
    limits.sort();
    let usual = *limits.get(limits.len() / 2)?;
    (limits.len() >= 3 && usual.milli() >= limit.milli().saturating_mul(4)).then_some(usual)
}

pub(super) fn limit_of(app: &App, name: &str) -> Option<Quantity> {
    let spec = app.spec()?;
    let named = container(spec, name).and_then(|c| c.resources.limits.get("memory"));
    let smallest = || spec.containers.iter().filter_map(|c| c.resources.limits.get("memory")).min();
    if name.is_empty() { named.or_else(smallest) } else { named }
}

/// Whether the limits of a container were shown, if it has any.
fn shows_limits(app: &App, name: &str) -> bool {
    app.spec().is_some_and(|s| container(s, name).is_some())
}

/// How long it ran; a container that never started is said to have started in 1970.
fn run_seconds(end: &Terminated) -> Option<i64> {
    let started = end.started_at.filter(|t| t.seconds() > 86_400)?;
    Some(end.finished_at?.since(started))
}

/// Whether the node itself ran out of memory at the time of the kill.
fn near(event: Option<&ClusterEvent>, end: Option<&Terminated>, now: &Snapshot) -> bool {
    let at = event.and_then(|e| evidence::last_time(e, now));
    let end = end.and_then(|e| e.finished_at);
    matches!((at, end), (Some(a), Some(b)) if a.since(b).abs() <= 120)
}

fn kill_evidence(ended: &Ended<'_>, now: &Snapshot) -> Vec<model::Evidence> {
    let pod = ended.pod.meta.object(Kind::Pod);
    let mut facts = Vec::new();
    if let Some(end) = ended.end {
        let field = format!("status.containerStatuses[{}].lastState.terminated", ended.container);
        let mut value = format!("{}, exit code {}", end.reason, end.exit_code);
        if !end.message.is_empty() {
            value = format!("{value}: {}", end.message.chars().take(300).collect::<String>());
        }
        let fact = evidence::field(ended.pod.meta.source, &pod, field, value);
        facts.push(model::Evidence { at: end.finished_at, ..fact });
    } else {
        facts.push(evidence::field(ended.pod.meta.source, &pod, "status", ended.word));
    }
    let told = |e: &&ClusterEvent| says(&e.message, wording::KILLED_AT_START);
    let event = now.events_about(&pod).iter().rfind(told);
    facts.extend(event.and_then(|e| evidence::event(e, now)));
    facts
}

/// The limit is so low that not even the container's first process fits: the runtime says so
/// when it makes the sandbox or the container.
fn killed_at_start(id: &'static str, app: &App, now: &Snapshot) -> Option<Finding> {
    let (pod, event) = app.running().filter(|p| p.is_ready() != Some(true)).find_map(|pod| {
        let told = |e: &&ClusterEvent| e.warning && says(&e.message, wording::KILLED_AT_START);
        let event = now.pod_events(pod).iter().rfind(told)?;
        Some((pod, event))
    })?;
    let spec = app.spec();
    let lowest = spec.and_then(|s| {
        let limited = s.all_containers().filter(|c| c.resources.limits.get("memory").is_some());
        limited.min_by_key(|c| c.resources.limits.get("memory"))
    });
    let name = lowest.map_or("", |c| c.name.as_str());
    let limit = limit_of(app, name).map_or_else(|| "its limit".to_owned(), |q| q.text("memory"));
    let headline = format!("{} cannot even start within its memory limit of {limit}", app.object);
    Some(
        base(id, "memory-limit-too-low", app, name, headline)
            .since(evidence::first_time(event, now).or(pod.meta.created))
            .evidence(evidence::event(event, now))
            .affects(app.object.clone(), format!("{} of {} pods", 1, app.pods.len()))
            .impact(Impact { replicas: app.lost_replicas(), ..Impact::default() }),
    )
}

/// Its memory in use and its growth per second, when it grows all the time.
fn growth_of(app: &App, now: &Snapshot) -> Option<(f64, f64, measured::Series)> {
    let series = measured::of(app, Measure::Memory, now)?;
    let growth = series.growth()?;
    Some((series.last(), growth, series))
}

/// Nobody was killed yet, but the limit will be reached.
fn growing(id: &'static str, app: &App, now: &Snapshot) -> Option<Finding> {
    let (used, growth, series) = growth_of(app, now)?;
    let limit = limit_of(app, "")?;
    let room = limit.units() as f64 - used;
    let seconds = room / growth;
    // Above half of the limit and within a day: a cache that fills looks the same before.
    if room <= 0.0 || seconds > AHEAD_SECONDS || used < limit.units() as f64 / 2.0 {
        return None;
    }
    let at: Timestamp = now.now.plus_seconds(seconds as i64);
    let left = duration_text(seconds as i64);
    let headline = format!(
        "{} grows and reaches its memory limit of {} in {left}",
        app.object,
        limit.text("memory")
    );
    let value =
        format!("{} of {}", Quantity::from_units(used as i64).text("memory"), limit.text("memory"));
    let mut finding = base(id, "memory-leak", app, "", headline)
        .since(series.points.first().and_then(|p| p.0))
        .state(State::Suspected)
        .evidence([evidence::field(series.document, &app.object, series.metric, value)])
        .unsure(
            Certainty::Likely,
            &["memory-limit-too-low"],
            format!("kubectl top pod{} --containers", namespace_option(&app.object.namespace)),
        );
    finding
        .forecast
        .push(Forecast { what: format!("{} is killed for its memory", app.object), at });
    Some(finding)
}
