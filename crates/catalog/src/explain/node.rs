//! How a node is: its conditions, what keeps pods away, what it has left and who takes it.

use model::record::{Node, Pod};
use model::{Explanation, Kind, Quantity, Question, Snapshot, Truth};

use super::budget;
use super::eviction::NODE_PRESSURES;
use crate::pod::pending::supply::{Supply, places};

/// Pods told as the largest.
const LARGEST_TOLD: usize = 3;

pub(super) fn explain(node: &Node, now: &Snapshot) -> Explanation {
    let supply = Supply::of(now);
    let mut explanation = Explanation::new(node.meta.object(Kind::Node), answer(node));
    explanation.ask(conditions(node));
    explanation.ask(closed(node));
    explanation.ask(room(node, &supply));
    explanation.ask(pods(&supply.on(node).collect::<Vec<_>>()));
    explanation.ask(budget::holding_up(node, now));
    if node.conditions.is_empty() {
        let look = format!("kubectl get node {} -o json", node.meta.name);
        explanation.not_shown("its conditions and what it has", look);
    }
    explanation
}

fn answer(node: &Node) -> String {
    let ready = match node.condition("Ready") {
        Some(c) if c.status == Truth::True => "is ready".to_owned(),
        Some(c) if c.status == Truth::False => format!("is not ready: {}", why(c)),
        Some(c) => format!("does not report any more: {}", why(c)),
        None => "is known; whether it is ready was not shown".into(),
    };
    let short = node.conditions.iter().filter(|c| c.status == Truth::True);
    let short: Vec<&str> =
        short.map(|c| c.kind.as_str()).filter(|kind| NODE_PRESSURES.contains(kind)).collect();
    let short =
        if short.is_empty() { String::new() } else { format!(", with {}", short.join(" and ")) };
    let cordoned = if node.is_cordoned() { ", cordoned" } else { "" };
    format!("{ready}{short}{cordoned}")
}

fn why(c: &model::Condition) -> &str {
    if c.message().is_empty() { c.reason() } else { c.message() }
}

fn conditions(node: &Node) -> Question {
    let mut question = Question::new("How is it?", "");
    for c in node.conditions.iter() {
        let reason =
            if c.reason().is_empty() { String::new() } else { format!(" ({})", c.reason()) };
        question.fact_at(c.kind.as_str(), format!("{:?}{reason}", c.status), c.since);
    }
    if !node.kubelet_version.is_empty() {
        question.fact("kubelet", node.kubelet_version.as_str());
    }
    if !node.zone().is_empty() {
        question.fact("zone", node.zone());
    }
    question
}

/// What keeps pods away.
fn closed(node: &Node) -> Question {
    let mut question = Question::new("What keeps pods away?", "");
    if node.is_cordoned() {
        question.fact("spec.unschedulable", "true (cordoned)");
    }
    for taint in node.taints.iter() {
        let rule = match taint.effect.as_str() {
            "NoExecute" => "new pods are kept away, and those that do not tolerate it are put off",
            "PreferNoSchedule" => "avoided where that can be",
            _ => "new pods that do not tolerate it are kept away",
        };
        question.fact_at(taint.text(), rule, taint.time_added);
    }
    question
}

/// What it has, what is requested of it and what is left.
fn room(node: &Node, supply: &Supply<'_>) -> Question {
    let mut question = Question::new("What has it left?", "");
    for (resource, total) in node.allocatable.iter() {
        let Some(room) = supply.room(node, resource) else { continue };
        if resource == "pods" || !total.is_positive() {
            continue;
        }
        let text = |q: Quantity| q.text(resource);
        let taken = total.minus(room.free);
        let percent = i128::from(taken.milli()) * 100 / i128::from(total.milli().max(1));
        let most = if room.exact { "" } else { "at most " };
        let value = format!(
            "{most}{} of {} left; {} requested ({percent} %)",
            text(room.free),
            text(total),
            text(taken)
        );
        question.fact(resource, value);
    }
    let left = places(supply.load(node), node);
    if let (Some(most), Some(left)) = (node.allocatable.get("pods"), left) {
        question.fact("pods", format!("{} of {most} left", left.max(0)));
    }
    question
}

/// The pods on it: how many, which are not well, which ask for most.
fn pods(pods: &[&Pod]) -> Question {
    let unready: Vec<&&Pod> = pods.iter().filter(|p| p.is_ready() == Some(false)).collect();
    let answer = match (pods.len(), unready.len()) {
        (0, _) => return Question::new("What runs on it?", ""),
        (1, 0) => "1 pod.".to_owned(),
        (all, 0) => format!("{all} pods."),
        (1, _) => "1 pod, which is not ready.".to_owned(),
        (all, not) => format!("{all} pods, {not} of them not ready."),
    };
    let mut question = Question::new("What runs on it?", answer);
    for pod in unready.iter().take(LARGEST_TOLD) {
        let words: Vec<&str> = pod.words().filter(|w| !w.is_empty()).collect();
        let words = if words.is_empty() { "not ready".to_owned() } else { words.join(", ") };
        question.fact(pod.meta.object(Kind::Pod).to_string(), words);
    }
    let mut largest: Vec<(Quantity, &&Pod)> =
        pods.iter().map(|p| (p.spec.requests("memory"), p)).collect();
    largest.sort_by_key(|(memory, pod)| (std::cmp::Reverse(*memory), &pod.meta.name));
    for (memory, pod) in largest.iter().filter(|(m, _)| m.is_positive()).take(LARGEST_TOLD) {
        let cpu = pod.spec.requests("cpu").text("cpu");
        let value = format!("requests memory {}, cpu {cpu}", memory.text("memory"));
        question.fact(pod.meta.object(Kind::Pod).to_string(), value);
    }
    question
}
