//! How a workload is: replicas wanted and there, its revisions, and its pods by state.

use std::collections::BTreeMap;

use model::record::{Pod, Workload};
use model::{App, Explanation, Kind, Question, Snapshot};

use super::{budget, placement};
use crate::evidence;
use crate::pod::pending::cause::listed;
use crate::pod::pending::told;

/// Names of pods told in one row, and rows of messages.
const NAMES_TOLD: usize = 3;
const MESSAGES_TOLD: usize = 3;

pub(super) fn explain(app: &App, now: &Snapshot) -> Explanation {
    let mut explanation = Explanation::new(app.object.clone(), answer(app));
    explanation.ask(pods(app));
    explanation.ask(missing(app, now));
    explanation.ask(revisions(app));
    if let Some(pod) = app.running().find(|p| p.is_unscheduled())
        && let Some(question) = placement::nodes(pod, app, now)
    {
        explanation.ask(question);
    }
    explanation.ask(scaled(app, now));
    explanation.ask(budget::ask(app, now));
    if app.pods.is_empty() && !now.coverage.lists(Kind::Pod, &app.object.namespace) {
        let namespace = &app.object.namespace;
        explanation.not_shown("its pods", format!("kubectl get pods -n {namespace} -o json"));
    }
    explanation
}

fn answer(app: &App) -> String {
    let ready = match &app.workload {
        Some(w) if app.pods.is_empty() => w.counts.ready,
        _ => i64::try_from(app.ready()).unwrap_or(i64::MAX),
    };
    let paused = app.workload.as_ref().is_some_and(|w| w.paused);
    let paused = match (paused, app.object.kind) {
        (false, _) => "",
        (true, Kind::CronJob | Kind::Job) => "; it is suspended",
        (true, _) => "; it is paused",
    };
    match app.wanted() {
        Some(0) => format!("wants no replica{paused}"),
        Some(wanted) => format!("{ready} of {wanted} replicas are ready{paused}"),
        None => {
            let pods = app.running().count();
            format!("{ready} of {pods} pods are ready{paused}")
        }
    }
}

/// Its pods, grouped by how they are.
fn pods(app: &App) -> Question {
    let mut question = Question::new("How are its pods?", "");
    let mut groups: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for pod in &app.pods {
        groups.entry(state(pod)).or_default().push(&pod.meta.name);
    }
    let mut groups: Vec<(String, Vec<&str>)> = groups.into_iter().collect();
    groups.sort_by_key(|(_, names)| std::cmp::Reverse(names.len()));
    for (state, names) in groups {
        let count = if names.len() == 1 { "1 pod".into() } else { format!("{} pods", names.len()) };
        question.fact(count, format!("{state}: {}", listed(names.into_iter(), NAMES_TOLD)));
    }
    question
}

fn state(pod: &Pod) -> String {
    if pod.meta.deleting.is_some() {
        return "being deleted".into();
    }
    if pod.is_unscheduled() || told::is_gated(pod) {
        return "waiting for a node".into();
    }
    let mut words: Vec<&str> = pod.words().filter(|w| !w.is_empty()).collect();
    words.dedup();
    match (pod.is_ready(), words.is_empty()) {
        (Some(true), _) => "ready".into(),
        (_, false) => words.join(", "),
        (Some(false), true) => "not ready".into(),
        (None, true) => "state not shown".into(),
    }
}

/// Why pods are missing altogether: what controllers said when they could not make them.
fn missing(app: &App, now: &Snapshot) -> Question {
    let mut question = Question::new("Why are pods missing?", "");
    let there = i64::try_from(app.running().count()).unwrap_or(i64::MAX);
    if app.wanted().is_none_or(|wanted| there >= wanted) {
        return question;
    }
    let owner = |o: &&model::record::ClusterEvent| {
        o.about.as_ref().is_some_and(|a| a.kind != Kind::Pod) && o.warning
    };
    let said = app.events(now).filter(owner).filter_map(|e| evidence::event(e, now));
    for fact in said.take(MESSAGES_TOLD) {
        question.fact_from("was said", fact);
    }
    for w in app.workload.iter().chain(&app.sets) {
        for c in w.conditions.iter().filter(|c| !c.message().is_empty()) {
            question.fact_from(c.kind.as_str(), evidence::condition(w.meta.source, &w.object(), c));
        }
    }
    question
}

/// The sets of a Deployment that still want or hold pods.
fn revisions(app: &App) -> Question {
    let mut question = Question::new("Which revisions does it have?", "");
    let alive = |w: &&Workload| w.replicas.is_some_and(|r| r > 0) || w.counts.current > 0;
    let sets = app.sets.iter().map(|s| &**s).filter(|s| s.kind == Kind::ReplicaSet);
    let mut sets: Vec<&Workload> = sets.filter(alive).collect();
    sets.sort_by_key(|s| std::cmp::Reverse(s.meta.created));
    for set in sets {
        let wanted = set.replicas.unwrap_or(set.counts.current);
        let images = set.template.iter().flat_map(|t| &t.containers).map(|c| c.image.as_str());
        let images: Vec<&str> = images.collect();
        let value = format!("{} of {wanted} ready, {}", set.counts.ready, images.join(", "));
        question.fact_at(set.meta.name.as_str(), value, set.meta.created);
    }
    question
}

/// Who sets the number of its replicas.
fn scaled(app: &App, now: &Snapshot) -> Question {
    let mut question = Question::new("Who scales it?", "");
    for s in now.scalers_of(app) {
        let (current, desired) = s.replicas;
        let value = format!(
            "from {} to {}; {current} now, {desired} wanted (seaworthy explain hpa/{} -n {})",
            s.min.unwrap_or(1),
            s.max,
            s.meta.name,
            s.meta.namespace
        );
        question.fact(format!("hpa/{}", s.meta.name), value);
    }
    question
}
