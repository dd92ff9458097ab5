//! Which pods a disruption budget protects, how many may go now, and whom it holds up.

use model::record::{Budget, Node};
use model::{App, Explanation, Kind, Question, Snapshot};

pub(super) fn explain(budget: &Budget, now: &Snapshot) -> Explanation {
    let object = budget.meta.object(Kind::PodDisruptionBudget);
    let mut explanation = Explanation::new(object, figures(budget));
    let mut rule = Question::new("What does it ask for?", "");
    if let Some(share) = budget.min_available {
        let pods = share.of(budget.expected);
        let value = format!("{share}: {pods} of {} pods must stay", budget.expected);
        rule.fact("minAvailable", value);
    }
    if let Some(share) = budget.max_unavailable {
        let pods = share.of(budget.expected);
        let value = format!("{share}: {pods} of {} pods may be away", budget.expected);
        rule.fact("maxUnavailable", value);
    }
    let (healthy, needed) = budget.healthy;
    rule.fact("healthy", format!("{healthy}, and {needed} are needed"));
    let policy = if budget.unhealthy_pods == "AlwaysAllow" {
        "may always be evicted"
    } else {
        "may be evicted only while enough others are healthy"
    };
    rule.fact("pods that are not ready", policy);
    explanation.ask(rule);
    let mut protects = Question::new("Which pods does it protect?", "");
    let apps = now.protected_by(budget);
    for app in &apps {
        let value = format!("{} of {} pods ready", app.ready(), app.running().count());
        protects.fact(format!("{}/{}", app.object.kind.short(), app.object.name), value);
    }
    if apps.is_empty() {
        protects.answer = "None of the workloads that were shown.".into();
    }
    explanation.ask(protects);
    explanation
}

/// How many pods may go now.
fn figures(budget: &Budget) -> String {
    let (healthy, needed) = budget.healthy;
    match budget.allowed {
        0 => format!("allows no eviction now: {healthy} pods are healthy, {needed} are needed"),
        1 => format!("allows 1 eviction now: {healthy} pods are healthy, {needed} are needed"),
        n => format!("allows {n} evictions now: {healthy} pods are healthy, {needed} are needed"),
    }
}

/// The budgets of a workload's pods.
pub(super) fn ask(app: &App, now: &Snapshot) -> Question {
    let mut question = Question::new("May its pods be evicted?", "");
    for budget in now.budgets.in_namespace(&app.object.namespace) {
        if app.pod_labels().is_some_and(|l| budget.selector.matches(l)) {
            question.fact(format!("pdb/{}", budget.meta.name), figures(budget));
        }
    }
    question
}

/// The budgets that would hold up a drain of a node.
pub(super) fn holding_up(node: &Node, now: &Snapshot) -> Question {
    let mut question = Question::new("Which budgets would hold up a drain?", "");
    let here = |app: &App| app.pods.iter().any(|p| p.node == node.meta.name && !p.is_finished());
    for budget in now.budgets.iter().filter(|b| b.allowed <= 0 && b.expected > 0) {
        let apps = now.protected_by(budget);
        if let Some(app) = apps.into_iter().find(|a| here(a)) {
            let name = budget.meta.object(Kind::PodDisruptionBudget);
            question.fact(name.to_string(), format!("{} ({})", figures(budget), app.object));
        }
    }
    question
}
