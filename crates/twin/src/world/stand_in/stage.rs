//! The stages of a pod on a node without a machine, and how its annotations delay them:
//! `ready-after`, `complete-after` and `fail-after` count from its start, `stop-after` from the
//! request to stop; the label `never-ready` says it all.
//!
//! It must never write anything.

use model::Timestamp;
use serde_json::Value;

use crate::field;
use crate::kernel::{SECOND, plus};

/// A node with this annotation lets pods of Jobs run until they say otherwise.
const JOBS_RUN: &str = "twin/jobs-run";

/// What becomes of a pod now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// Nothing.
    Stay,
    /// Nothing before this moment.
    Wait(Timestamp),
    Start {
        ready: bool,
    },
    BecomeReady,
    End {
        success: bool,
    },
    /// It is gone.
    Go,
}

/// Whether pods of Jobs end as soon as they run on this node.
pub(super) fn ends_jobs(node: &Value) -> bool {
    !field::map(node, "/metadata/annotations").is_some_and(|all| all.contains_key(JOBS_RUN))
}

/// The next stage of a pod that was started at `since`.
pub(super) fn of(pod: &Value, since: Option<Timestamp>, now: Timestamp, ends_jobs: bool) -> Stage {
    let after = |key| annotation(pod, key).map(|pause| plus(since.unwrap_or(now), pause));
    let at = |moment: Timestamp, stage| if moment <= now { stage } else { Stage::Wait(moment) };
    if field::is_deleting(pod) {
        let pause = annotation(pod, "stop-after");
        return pause.map_or(Stage::Go, |pause| stop(pod, pause, now));
    }
    let ready = field::condition_is(pod, "Ready", "True");
    let never = field::map(pod, "/metadata/labels").is_some_and(|l| l.contains_key("never-ready"));
    match field::text(pod, "/status/phase") {
        "Pending" if !ready => {
            Stage::Start { ready: !never && annotation(pod, "ready-after").is_none() }
        }
        "Running" => {
            let owners = field::list(pod, "/metadata/ownerReferences");
            let is_job = owners.iter().any(|owner| field::text(owner, "/kind") == "Job");
            let complete = after("complete-after");
            let fail = after("fail-after");
            if is_job && ends_jobs && complete.is_none() && fail.is_none() {
                return Stage::End { success: true };
            }
            // A container that does not run was written about by somebody else.
            let told = field::list(pod, "/status/containerStatuses").iter();
            let runs = told.map(|c| &c["state"]).all(|state| !state["running"].is_null());
            if !ready && !never && runs {
                let moment = after("ready-after").unwrap_or(now);
                return at(moment, Stage::BecomeReady);
            }
            match (complete, fail) {
                (Some(moment), _) => at(moment, Stage::End { success: true }),
                (None, Some(moment)) => at(moment, Stage::End { success: false }),
                (None, None) => Stage::Stay,
            }
        }
        _ => Stage::Stay,
    }
}

/// A pod that takes its time goes so long after it was told to.
fn stop(pod: &Value, pause: i64, now: Timestamp) -> Stage {
    let grace = field::number(pod, "/metadata/deletionGracePeriodSeconds");
    let until = field::time(pod, "/metadata/deletionTimestamp");
    let told = until.map_or(now, |until| plus(until, -grace.saturating_mul(SECOND)));
    let moment = plus(told, pause.min(grace.saturating_mul(SECOND)));
    if moment <= now { Stage::Go } else { Stage::Wait(moment) }
}

/// A duration such as `3s`, `1m30s` or `500ms`, in microseconds.
fn annotation(pod: &Value, key: &str) -> Option<i64> {
    let text = field::map(pod, "/metadata/annotations")?.get(key)?.as_str()?;
    let (mut total, mut number, mut unit) = (0_i64, String::new(), String::new());
    for letter in text.chars().chain(['0']) {
        if letter.is_ascii_digit() || letter == '.' {
            if !unit.is_empty() {
                let amount: f64 = std::mem::take(&mut number).parse().ok()?;
                let one = match std::mem::take(&mut unit).as_str() {
                    "ms" => SECOND / 1000,
                    "s" => SECOND,
                    "m" => 60 * SECOND,
                    "h" => 3600 * SECOND,
                    _ => return None,
                };
                total = total.saturating_add((amount * one as f64) as i64);
            }
            number.push(letter);
        } else {
            unit.push(letter);
        }
    }
    Some(total)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[track_caller]
    fn check(pod: Value, started: Option<i64>, now: i64, stage: Stage) {
        let at = Timestamp::from_seconds;
        assert_eq!(of(&pod, started.map(at), at(now), false), stage, "{pod}");
    }

    fn pod(phase: &str, ready: bool, annotations: Value) -> Value {
        let conditions = json!([{"type": "Ready", "status": if ready { "True" } else { "False" }}]);
        json!({
            "metadata": {"annotations": annotations},
            "status": {"phase": phase, "conditions": conditions},
        })
    }

    #[test]
    fn annotations_delay_the_stages() {
        check(pod("Pending", false, json!({})), None, 100, Stage::Start { ready: true });
        let slow = json!({"ready-after": "3s"});
        check(pod("Pending", false, slow.clone()), None, 100, Stage::Start { ready: false });
        let later = Stage::Wait(Timestamp::from_seconds(103));
        check(pod("Running", false, slow.clone()), Some(100), 101, later);
        check(pod("Running", false, slow), Some(100), 103, Stage::BecomeReady);
        let fails = json!({"fail-after": "1s"});
        check(pod("Running", true, fails), Some(100), 101, Stage::End { success: false });
        check(pod("Running", true, json!({})), Some(100), 900, Stage::Stay);
        let mut crashed = pod("Running", false, json!({}));
        crashed["status"]["containerStatuses"] = json!([{"state": {"waiting": {}}}]);
        check(crashed, Some(100), 900, Stage::Stay);
        let mut never = pod("Running", false, json!({}));
        never["metadata"]["labels"] = json!({"never-ready": "true"});
        check(never, Some(100), 900, Stage::Stay);
    }

    #[test]
    fn a_pod_goes_when_it_has_stopped() {
        let mut slow = pod("Running", true, json!({"stop-after": "2s"}));
        slow["metadata"]["deletionGracePeriodSeconds"] = 30.into();
        slow["metadata"]["deletionTimestamp"] = Timestamp::from_seconds(130).to_string().into();
        check(slow.clone(), Some(0), 101, Stage::Wait(Timestamp::from_seconds(102)));
        check(slow, Some(0), 102, Stage::Go);
        let mut quick = pod("Running", true, json!({}));
        quick["metadata"]["deletionTimestamp"] = "1970-01-01T00:02:10Z".into();
        check(quick, Some(0), 101, Stage::Go);
    }
}
