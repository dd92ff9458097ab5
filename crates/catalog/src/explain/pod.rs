//! Why a pod is where it is, or nowhere.

use model::record::{ContainerState, Known, Phase, Pod};
use model::{App, Explanation, Kind, ObjectRef, Question, Snapshot};

use super::{budget, containers, eviction, placement};
use crate::evidence;
use crate::pod::pending::cause;
use crate::pod::pending::supply::Supply;
use crate::pod::pending::told::{self, Waiting};

pub(super) fn explain(object: &ObjectRef, now: &Snapshot) -> Option<Explanation> {
    let apps = now.apps_in(&object.namespace).iter();
    let (app, pod) = apps
        .flat_map(|a| a.pods.iter().map(move |p| (a, p)))
        .find(|(_, p)| p.meta.name == object.name)?;
    let waits = pod.is_unscheduled() || told::is_gated(pod);
    let answer = if waits { waiting(app, pod, now) } else { state(pod, now) };
    let mut explanation = Explanation::new(object.clone(), answer);
    if eviction::is_evicted(pod, now) {
        explanation.ask(eviction::ask(pod, app, now));
    }
    if waits {
        explanation.ask(why_nowhere(app, pod, now));
    } else if !pod.node.is_empty() {
        explanation.ask(why_there(app, pod, now));
    }
    if !pod.is_finished() {
        match placement::nodes(pod, app, now) {
            Some(question) => explanation.ask(question),
            None if now.nodes.is_empty() => {
                explanation.not_shown("the nodes", "kubectl get nodes -o json");
            }
            None => explanation.not_shown(
                "what the pod asks for",
                format!("kubectl get {} -o json", object.for_kubectl()),
            ),
        }
    }
    explanation.ask(containers::ask(pod, now));
    if !eviction::is_evicted(pod, now) && !pod.is_finished() && !waits {
        explanation.ask(eviction::order(pod));
        explanation.ask(budget::ask(app, now));
    }
    Some(explanation)
}

/// Why it has no node, in one clause.
fn waiting(app: &App, pod: &Pod, now: &Snapshot) -> String {
    let why = Waiting::of(app, now).and_then(|w| cause::of(&w, now, &Supply::of(now)));
    let age = told::created(pod, now).filter(|_| now.has_time);
    let age = age.map(|t| format!(" for {}", model::duration_text(now.now.since(t))));
    let age = age.unwrap_or_default();
    match why {
        Some(cause) => format!("waits for a node{age}: {}", cause.why),
        None => format!("waits for a node{age}"),
    }
}

/// How a pod that has a node is.
fn state(pod: &Pod, now: &Snapshot) -> String {
    let place = if pod.node.is_empty() { String::new() } else { format!(" on {}", pod.node) };
    let since = pod.ready.and_then(|r| r.since).filter(|_| now.has_time);
    let since = since.map(|t| format!(", for {}", model::duration_text(now.now.since(t))));
    let since = since.unwrap_or_default();
    if pod.meta.deleting.is_some() {
        return format!("is being deleted{place}");
    }
    if let Some(why) = pod.why.as_deref().filter(|w| !w.0.is_empty()) {
        return format!("failed{place}: {}", why.0);
    }
    let waiting = pod.all_containers().find_map(|c| match &c.state {
        ContainerState::Waiting(why) => Some(format!("container {} waits: {}", c.name, why.0)),
        _ => None,
    });
    match (pod.phase, pod.is_ready()) {
        (Phase::Succeeded, _) => format!("has done its work{place}"),
        (Phase::Failed, _) => format!("failed{place}"),
        (_, Some(true)) => format!("runs{place} and is ready{since}"),
        (_, Some(false)) => match waiting {
            Some(waiting) => format!("is{place} and not ready{since}: {waiting}"),
            None => format!("is{place} and not ready{since}"),
        },
        (_, None) if place.is_empty() => "is known by name only".into(),
        (_, None) => format!("is{place}"),
    }
}

/// Why it has no node: the scheduler's own words and what the pod asks for.
fn why_nowhere(app: &App, pod: &Pod, now: &Snapshot) -> Question {
    let mut question = Question::new("Why has it no node?", "");
    let said = Waiting::of(app, now).and_then(|w| w.told);
    match said {
        Some(mut told) => {
            // A condition's value is its status, then its message.
            if let Some(message) = told.evidence.value.strip_prefix("False: ") {
                told.evidence.value = message.to_owned();
            }
            question.fact_from("the scheduler said", told.evidence);
        }
        None => question.answer = "No word of a scheduler about it was shown.".into(),
    }
    if let (Some(spec), _) = told::spec_of(pod, app) {
        placement::wishes(&spec, &mut question);
    }
    question
}

/// Why it is on its node: who put it there, and what it asked for.
fn why_there(app: &App, pod: &Pod, now: &Snapshot) -> Question {
    let object = pod.meta.object(Kind::Pod);
    let mut question = Question::new(format!("Why is it on {}?", pod.node), "");
    let chosen = now.events_about(&object).iter().rfind(|e| e.reason == "Scheduled");
    if let Some(fact) = chosen.and_then(|e| evidence::event(e, now)) {
        question.fact_from("the scheduler said", fact);
    } else if app.object.kind == Kind::DaemonSet {
        question.answer = "Its DaemonSet puts one on every node that it wants.".into();
    } else if pod.meta.owner.as_ref().is_some_and(|o| o.kind == "Node") {
        question.answer = "It is a static pod: the kubelet of this node made it.".into();
    } else {
        question.answer = "The scheduler chose it; its word about it is no longer shown.".into();
    }
    if pod.meta.known.has(Known::SPEC) {
        placement::wishes(&pod.spec, &mut question);
    }
    question
}
