//! How the containers of a pod run, have ended and what they may use.

use model::record::{ContainerState, ContainerStatus, Pod, Terminated};
use model::{Question, Snapshot};

/// One row for each container.
pub(super) fn ask(pod: &Pod, now: &Snapshot) -> Question {
    let mut question = Question::new("How do its containers run?", "");
    if pod.all_containers().next().is_none() {
        let names: Vec<&str> = pod.spec.containers.iter().map(|c| c.name.as_str()).collect();
        match (pod.is_ready(), pod.summary.as_ref()) {
            (_, Some(row)) => question.fact(
                "status",
                format!(
                    "{}, {} of {} ready, {} restarts",
                    row.status, row.ready, row.containers, row.restarts
                ),
            ),
            (Some(true), None) if !names.is_empty() => {
                question.answer =
                    format!("All run, are ready and never restarted: {}.", names.join(", "));
            }
            _ => {}
        }
    }
    for status in pod.all_containers() {
        question.facts.push(model::Fact {
            what: status.name.to_string(),
            value: state(status, now),
            at: None,
            from: None,
        });
    }
    question
}

fn state(status: &ContainerStatus, now: &Snapshot) -> String {
    let age = |t: model::Timestamp| {
        if now.has_time { format!(" since {}", model::ago(now.now, t)) } else { String::new() }
    };
    let mut text = match &status.state {
        ContainerState::Running(since) => {
            let ready = if status.ready { "runs and is ready" } else { "runs and is not ready" };
            format!("{ready}{}", since.map(age).unwrap_or_default())
        }
        ContainerState::Waiting(why) if why.1.is_empty() => format!("waits: {}", why.0),
        ContainerState::Waiting(why) => format!("waits: {}: {}", why.0, why.1),
        ContainerState::Terminated(end) => format!("has ended: {}", ended(end, now)),
        ContainerState::Unknown => "state not shown".into(),
    };
    if status.restarts > 0 {
        let times = if status.restarts == 1 { "once" } else { "times" };
        let count =
            if status.restarts == 1 { String::new() } else { format!("{} ", status.restarts) };
        text.push_str(&format!("; restarted {count}{times}"));
    }
    if let Some(last) = &status.last {
        text.push_str(&format!("; the last run ended with {}", ended(last, now)));
    }
    text
}

fn ended(end: &Terminated, now: &Snapshot) -> String {
    let reason = if end.reason.is_empty() { String::new() } else { format!(" ({})", end.reason) };
    let ran = match (end.started_at, end.finished_at) {
        (Some(from), Some(to)) => format!(", after {}", model::duration_text(to.since(from))),
        _ => String::new(),
    };
    let at = end.finished_at.filter(|_| now.has_time);
    let at = at.map(|t| format!(", {}", model::ago(now.now, t))).unwrap_or_default();
    format!("exit code {}{reason}{ran}{at}", end.exit_code)
}
