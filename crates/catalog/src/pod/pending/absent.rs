//! Pods that no scheduler has looked at: its name is unknown, or it is absent.

use model::record::{Known, Pod};
use model::{Certainty, Evidence, Finding, Findings, Impact, Kind, ObjectRef, Snapshot};

use super::cause::listed;
use super::told::{self, Waiting};
use crate::evidence;
use crate::pod::edit::{nearest, spec_field};

/// A scheduler that is well looks at a new pod within moments; this is generous.
const SILENCE_SECONDS: i64 = 10;

/// The one that schedules pods that name no other.
const DEFAULT: &str = "default-scheduler";

/// Whether it was shown that nobody has said anything about the pods, for long enough.
pub(crate) fn is_untouched(waiting: &Waiting<'_>, now: &Snapshot) -> bool {
    let silent = |p: &&Pod| {
        let old = told::created(p, now).is_none_or(|c| now.now.since(c) >= SILENCE_SECONDS);
        old && (p.meta.shows(Known::CONDITIONS)
            || p.meta.shows(Known::EVENTS)
            || now.coverage.lists(Kind::Event, &p.meta.namespace))
    };
    let gated = waiting.spec.as_ref().is_some_and(|s| !s.scheduling_gates.is_empty())
        || waiting.pods.iter().any(|p| told::is_gated(p));
    waiting.told.is_none() && !gated && waiting.pods.iter().any(silent)
}

/// Reports pods that no scheduler has looked at; gives back those that wait for another
/// reason.
pub(crate) fn report<'s>(
    id: &'static str,
    untouched: Vec<Waiting<'s>>,
    now: &Snapshot,
    findings: &mut Findings,
) -> Vec<Waiting<'s>> {
    let own = |w: &Waiting<'_>| !matches!(scheduler_of(w), "" | DEFAULT);
    let (foreign, default): (Vec<_>, Vec<_>) = untouched.into_iter().partition(own);
    for waiting in &foreign {
        findings.push(unknown_name(id, waiting, now));
    }
    match state(&default, now) {
        Scheduler::Works => default,
        _ if default.is_empty() => default,
        state => {
            findings.push(absent(id, &default, &state, now));
            Vec::new()
        }
    }
}

fn scheduler_of<'w>(waiting: &'w Waiting<'_>) -> &'w str {
    waiting.spec.as_ref().map_or("", |s| s.scheduler.as_str())
}

/// How the default scheduler is.
enum Scheduler {
    /// It was seen stopped or not ready.
    Down(Evidence),
    /// Nobody looked.
    Unseen,
    /// It was seen running, or has scheduled pods that are younger than those that wait.
    Works,
}

fn state(waiting: &[Waiting<'_>], now: &Snapshot) -> Scheduler {
    let object = ObjectRef::component("kube-scheduler");
    let units: Vec<_> = now.units.iter().filter(|u| u.unit == "kube-scheduler").collect();
    if let Some(unit) = units.iter().find(|u| !u.active)
        && units.iter().all(|u| !u.active)
    {
        let field = format!("systemctl status kube-scheduler on {}", unit.node);
        return Scheduler::Down(evidence::field(unit.document, &object, field, &*unit.state));
    }
    let pods: Vec<&Pod> = now
        .apps_in("kube-system")
        .iter()
        .filter(|a| a.object.name.starts_with("kube-scheduler"))
        .flat_map(|a| a.running())
        .collect();
    let ready = |p: &&Pod| p.is_ready() == Some(true);
    if let Some(pod) = pods.iter().find(|p| p.is_ready() == Some(false))
        && !pods.iter().any(&ready)
    {
        let about = pod.meta.object(Kind::Pod);
        let words = pod.words().filter(|w| !w.is_empty()).collect::<Vec<_>>().join(", ");
        let value = if words.is_empty() { "not ready".to_owned() } else { words };
        return Scheduler::Down(evidence::field(pod.meta.source, &about, "status", value));
    }
    if units.iter().any(|u| u.active) || pods.iter().any(ready) || has_worked(waiting, now) {
        return Scheduler::Works;
    }
    Scheduler::Unseen
}

/// Whether other pods that were made later have got their nodes.
fn has_worked(waiting: &[Waiting<'_>], now: &Snapshot) -> bool {
    let since = waiting.iter().flat_map(|w| &w.pods).filter_map(|p| told::created(p, now)).min();
    let Some(since) = since else { return false };
    let placed = |p: &Pod| {
        let pinned = p.meta.owner.as_ref().is_some_and(|o| o.kind == "Node");
        !p.node.is_empty() && !pinned && told::created(p, now).is_some_and(|c| c.since(since) > 5)
    };
    let later = now.apps.iter().flat_map(|a| &a.pods).any(|p| placed(p));
    let scheduler = now.events_where(|e| e.reason == "Scheduled" || told::is_refusal(e));
    let said = scheduler
        .into_iter()
        .any(|e| evidence::last_time(e, now).is_some_and(|t| t.since(since) > 5));
    later || said
}

fn absent(id: &'static str, waiting: &[Waiting<'_>], state: &Scheduler, now: &Snapshot) -> Finding {
    let object = ObjectRef::component("kube-scheduler");
    let names = listed(waiting.iter().map(|w| w.app.object.name.as_str()), 3);
    let (verb, seen) = match state {
        Scheduler::Down(_) => ("is down", true),
        _ => ("seems to be absent", false),
    };
    let pods: usize = waiting.iter().map(|w| w.pods.len()).sum();
    let wait = if pods == 1 { "1 pod waits" } else { "pods wait" };
    let headline = format!("kube-scheduler {verb}: {wait} without a word from it ({names})");
    let mut finding = Finding::new(id, "scheduler-absent", object, headline)
        .since(waiting.iter().filter_map(|w| w.since(now)).min())
        .field("process", if seen { "stopped" } else { "not seen" }, "running");
    if let Scheduler::Down(fact) = state {
        finding = finding.evidence([fact.clone()]);
    } else {
        let look = "kubectl get pods -n kube-system | grep kube-scheduler";
        finding = finding.unsure(Certainty::Likely, &["scheduler-name-unknown"], look);
    }
    for w in waiting {
        finding = finding.evidence(w.pods.iter().take(1).map(|p| silence(p, now)));
        finding = finding.affects(w.app.object.clone(), w.count());
        finding.impact = finding.impact.plus(lost(w));
    }
    finding
}

/// Replicas that a workload has lost.
pub(crate) fn lost(waiting: &Waiting<'_>) -> Impact {
    let pods = u32::try_from(waiting.pods.len()).unwrap_or(u32::MAX);
    Impact { replicas: waiting.app.lost_replicas().max(1).min(pods.max(1)), ..Impact::default() }
}

/// The fact that nothing was said about a pod.
fn silence(pod: &Pod, now: &Snapshot) -> Evidence {
    let age = told::created(pod, now).map(|c| model::duration_text(now.now.since(c)));
    let age = age.map(|a| format!(" for {a}")).unwrap_or_default();
    let value = format!("no node, no word of a scheduler{age}");
    evidence::field(pod.meta.source, &pod.meta.object(Kind::Pod), "spec.nodeName", value)
}

fn unknown_name(id: &'static str, waiting: &Waiting<'_>, now: &Snapshot) -> Finding {
    let app = waiting.app;
    let name = scheduler_of(waiting);
    let exists = now.apps.iter().any(|a| a.object.name == name)
        || now.events.iter().any(|e| e.source == name);
    let headline = match exists {
        true => format!("{} cannot be scheduled: scheduler {name} does not act", app.object),
        false => format!("{} cannot be scheduled: there is no scheduler {name}", app.object),
    };
    let expected = match nearest(name, [DEFAULT]) {
        Some(near) => near.to_owned(),
        None => format!("{DEFAULT}, or the name of a scheduler that runs"),
    };
    let mechanism = if exists { "scheduler-absent" } else { "scheduler-name-unknown" };
    let object = if exists { ObjectRef::component(name) } else { app.object.clone() };
    let mut finding = Finding::new(id, mechanism, object, headline)
        .field(spec_field(app, "schedulerName"), name, expected)
        .since(waiting.since(now))
        .evidence(waiting.pods.iter().take(2).map(|p| silence(p, now)))
        .affects(app.object.clone(), waiting.count())
        .impact(lost(waiting));
    let near = nearest(name, [DEFAULT]).is_some();
    if exists || !(near || now.coverage.lists(Kind::Pod, "")) {
        let other = if exists { "scheduler-name-unknown" } else { "scheduler-absent" };
        let look = format!("kubectl get pods -A | grep {name}");
        finding = finding.unsure(Certainty::Likely, &[other], look);
    }
    finding
}
