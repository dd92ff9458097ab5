//! How an autoscaler comes to its number, with its real figures, and why nothing happens.

use model::record::{Scaler, ScalingRules};
use model::{Explanation, Kind, Question, Snapshot};

use crate::autoscaling::arithmetic::{self, DOWN_WINDOW_SECONDS, Decision};

pub(super) fn explain(scaler: &Scaler, now: &Snapshot) -> Explanation {
    let decision = arithmetic::decide(scaler);
    let object = scaler.meta.object(Kind::HorizontalPodAutoscaler);
    let mut explanation = Explanation::new(object.clone(), answer(scaler, &decision));
    let mut steps = Question::new("How does it come to its number?", "");
    for (at, step) in decision.steps.iter().enumerate() {
        steps.fact(format!("{}.", at + 1), step.as_str());
    }
    explanation.ask(steps);
    explanation.ask(bounds(scaler, now));
    let mut said = Question::new("What does it say itself?", "");
    for c in scaler.conditions.iter() {
        let message = if c.message().is_empty() { c.reason() } else { c.message() };
        said.fact_at(c.kind.as_str(), format!("{:?}: {message}", c.status), c.since);
    }
    explanation.ask(said);
    if scaler.metrics.is_empty() {
        let look = format!("kubectl get {} -o json", object.for_kubectl());
        explanation.not_shown("its metrics", look);
    }
    explanation
}

fn answer(scaler: &Scaler, decision: &Decision) -> String {
    let (kind, name) = &scaler.target;
    let (current, wanted) = (decision.current, decision.wanted);
    let target = format!("{kind} {name}");
    match (decision.asked, current == wanted) {
        (None, _) => format!("keeps {target} at {current}: it knows no metric"),
        (Some(asked), true) if asked != current => {
            format!("keeps {target} at {current}, though its metrics ask for {asked}")
        }
        (Some(_), true) => format!("keeps {target} at {current}: that is what its metrics ask for"),
        (Some(_), false) => format!("takes {target} from {current} to {wanted}"),
    }
}

fn bounds(scaler: &Scaler, now: &Snapshot) -> Question {
    let mut question = Question::new("What are its bounds?", "");
    question.fact("replicas", format!("from {} to {}", scaler.fewest(), scaler.max));
    let (current, desired) = scaler.replicas;
    question.fact("by its status", format!("{current} now, {desired} wanted"));
    if scaler.last_scaled.is_some() {
        question.fact_at("changed last", "the number of replicas", scaler.last_scaled);
    }
    let window = |rules: Option<&ScalingRules>, usual: i64| {
        rules.and_then(|r| r.stabilization_window_seconds).unwrap_or(usual)
    };
    let down = window(scaler.down.as_deref(), DOWN_WINDOW_SECONDS);
    let up = window(scaler.up.as_deref(), 0);
    question.fact("looks back", format!("{down} s before it takes away, {up} s before it adds"));
    if let Some(app) = now.scaled_by(scaler) {
        let (ready, all) = (app.ready(), app.running().count());
        question.fact("its pods", format!("{ready} of {all} are ready"));
    }
    question
}
