//! What a container has written: as much as its host knows of it, which is when its program
//! began and how it ended.

use model::Timestamp;
use serde_json::Value;

use crate::field;

/// A line of a container's log.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Line {
    pub at: Timestamp,
    pub text: String,
}

/// Why there is nothing to read.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum NoOutput {
    /// The container waits, for this reason.
    NotStarted(String),
    /// It has not been started a second time.
    NoPrevious,
}

/// The lines of a container's present life, or of the one before.
pub(crate) fn output(pod: &Value, container: &str, previous: bool) -> Result<Vec<Line>, NoOutput> {
    const LISTS: [&str; 3] =
        ["containerStatuses", "initContainerStatuses", "ephemeralContainerStatuses"];
    let mut all = LISTS.iter().flat_map(|list| field::list(pod, &format!("/status/{list}")));
    let waits = |reason: &str| NoOutput::NotStarted(reason.to_owned());
    let status = all.find(|status| field::text(status, "/name") == container);
    let status = status.ok_or_else(|| waits("ContainerCreating"))?;
    let last = status.pointer("/lastState/terminated").filter(|state| state.is_object());
    if previous {
        return last.map(ended).ok_or(NoOutput::NoPrevious);
    }
    if let Some(running) = status.pointer("/state/running").filter(|state| state.is_object()) {
        return Ok(started(running).into_iter().collect());
    }
    if let Some(state) = status.pointer("/state/terminated").filter(|state| state.is_object()) {
        return Ok(ended(state));
    }
    // Between two lives the log of the last one can still be read.
    let reason = field::text(status, "/state/waiting/reason");
    last.map(ended).ok_or_else(|| waits(reason))
}

fn started(state: &Value) -> Option<Line> {
    let at = field::time(state, "/startedAt")?;
    Some(Line { at, text: "started".into() })
}

fn ended(state: &Value) -> Vec<Line> {
    let code = field::number(state, "/exitCode");
    // A killed program writes nothing any more.
    let last = field::time(state, "/finishedAt").filter(|_| code != 137);
    let last = last.map(|at| Line { at, text: format!("exit status {code}") });
    started(state).into_iter().chain(last).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_log_is_that_of_a_life() {
        let pod = json!({"status": {"containerStatuses": [
            {"name": "a", "state": {"running": {"startedAt": "2026-01-01T00:00:00Z"}},
             "lastState": {"terminated": {"startedAt": "2025-12-31T00:00:00Z",
                "finishedAt": "2025-12-31T00:00:05Z", "exitCode": 3}}},
            {"name": "b", "state": {"waiting": {"reason": "ImagePullBackOff"}}},
        ]}});
        let texts = |container: &str, previous| {
            output(&pod, container, previous)
                .map(|lines| lines.into_iter().map(|line| line.text).collect::<Vec<_>>())
        };
        assert_eq!(texts("a", false).unwrap(), ["started"]);
        assert_eq!(texts("a", true).unwrap(), ["started", "exit status 3"]);
        assert_eq!(texts("b", true), Err(NoOutput::NoPrevious));
        assert_eq!(texts("b", false), Err(NoOutput::NotStarted("ImagePullBackOff".into())));
        assert_eq!(texts("c", false), Err(NoOutput::NotStarted("ContainerCreating".into())));
    }
}
