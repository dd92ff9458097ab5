//! What hangs on an object and what was said about it: asked for every kind alike.

use std::collections::BTreeMap;

use model::record::Known;
use model::{Explanation, Kind, ObjectRef, Question, Snapshot};

use crate::evidence;
use crate::pod::pending::cause::listed;

/// Names told in one row, and events told.
const NAMES_TOLD: usize = 4;
const EVENTS_TOLD: usize = 5;

/// An object of which mostly the name is known; `None` when it was not seen.
pub(super) fn explain(object: &ObjectRef, now: &Snapshot) -> Option<Explanation> {
    let (namespace, name) = (object.namespace.as_str(), object.name.as_str());
    if let Some(quota) = now.quotas.get(namespace, name) {
        let mut question = Question::new("What is left of it?", "");
        for (resource, hard) in quota.hard.iter() {
            let used = quota.used.amount(resource);
            let left = hard.minus(used).text(resource);
            let value =
                format!("{} of {} used, {left} left", used.text(resource), hard.text(resource));
            question.fact(resource, value);
        }
        let full = quota.hard.iter().filter(|(r, hard)| quota.used.amount(r) >= *hard);
        let full: Vec<&str> = full.map(|(r, _)| r).collect();
        let answer = match full.as_slice() {
            [] => "has room left".to_owned(),
            full => format!("is used up: {}", full.join(", ")),
        };
        let mut explanation = Explanation::new(object.clone(), answer);
        explanation.ask(question);
        return Some(explanation);
    }
    if let Some(named) = now.named(object.kind, namespace, name) {
        let state = if named.state.is_empty() { "exists" } else { named.state.as_str() };
        let mut explanation = Explanation::new(object.clone(), state);
        if named.meta.shows(Known::SPEC) && !named.keys.is_empty() {
            let mut question = Question::new("Which keys has it?", "");
            question.fact("keys", named.keys.join(", "));
            explanation.ask(question);
        }
        return Some(explanation);
    }
    if let Some(set) = set(object, now) {
        return Some(set);
    }
    now.exists(object.kind, namespace, name).then(|| Explanation::new(object.clone(), "exists"))
}

/// A ReplicaSet or Job that belongs to another workload.
fn set(object: &ObjectRef, now: &Snapshot) -> Option<Explanation> {
    let apps = now.apps_in(&object.namespace).iter();
    let (app, set) = apps
        .flat_map(|a| a.sets.iter().map(move |s| (a, s)))
        .find(|(_, s)| s.object() == *object)?;
    let wanted = set.replicas.unwrap_or(set.counts.current);
    let (kind, name) = (app.object.kind, &app.object.name);
    let answer =
        format!("{} of {wanted} replicas are ready; it belongs to {kind} {name}", set.counts.ready);
    Some(Explanation::new(object.clone(), answer))
}

/// Who suffers when it does.
pub(super) fn dependants(object: &ObjectRef, now: &Snapshot) -> Question {
    let mut question = Question::new("Who depends on it?", "");
    let mut groups: BTreeMap<(&str, Kind), Vec<ObjectRef>> = BTreeMap::new();
    for (relation, other) in now.dependants(object) {
        groups.entry((relation.name(), other.kind)).or_default().push(other);
    }
    for ((relation, kind), objects) in groups {
        let names: Vec<String> = objects.iter().map(ToString::to_string).collect();
        let value = listed(names.iter().map(String::as_str), NAMES_TOLD);
        question.fact(format!("{kind} ({relation})"), value);
    }
    question
}

/// The last things that were said about it.
pub(super) fn events(object: &ObjectRef, now: &Snapshot) -> Question {
    let mut question = Question::new("What was said about it lately?", "");
    let all = now.events_about(object);
    for event in all.iter().rev().take(EVENTS_TOLD) {
        if let Some(fact) = evidence::event(event, now) {
            question.fact_from(event.reason.as_str(), fact);
        }
    }
    if all.len() > EVENTS_TOLD {
        question.answer = format!("The last {EVENTS_TOLD} of {} events:", all.len());
    }
    question
}
