//! What says that an autoscaler is blind, and what excuses it. Must not name a cause: that is
//! the failure kind's own.

use model::record::{ClusterEvent, Known, Scaler};
use model::{App, Evidence, Kind, Snapshot, Timestamp, Truth};

use crate::evidence;

/// Figures of new pods take this long to arrive, in seconds.
const YOUNG_SECONDS: i64 = 180;

/// What says that an autoscaler is blind.
pub(super) struct Signs {
    pub(super) text: String,
    pub(super) reason: String,
    pub(super) since: Option<Timestamp>,
    pub(super) evidence: Vec<Evidence>,
    /// Only the absence of a value says so.
    pub(super) by_value: bool,
}

/// What says that this autoscaler is blind, if anything does.
pub(super) fn signs(scaler: &Scaler, now: &Snapshot) -> Option<Signs> {
    let object = scaler.meta.object(Kind::HorizontalPodAutoscaler);
    let bad = |kind: &str| scaler.condition(kind).filter(|c| c.status == Truth::False);
    let able = bad("AbleToScale").filter(|c| c.reason() == "FailedGetScale");
    let active = bad("ScalingActive").filter(|c| c.reason() != "ScalingDisabled");
    let told = |e: &&ClusterEvent| {
        e.warning
            && (e.reason.starts_with("FailedGet") || e.reason == "FailedComputeMetricsReplicas")
    };
    let event = now.events_about(&object).iter().rfind(told);
    if let Some(c) = able.or(active) {
        let fact = evidence::condition(scaler.meta.source, &object, c);
        let more = event.map(|e| e.message.as_str()).unwrap_or_default();
        return Some(Signs {
            text: format!("{} {more}", c.message()),
            reason: c.reason().to_owned(),
            since: c.since,
            evidence: std::iter::once(fact)
                .chain(event.and_then(|e| evidence::event(e, now)))
                .collect(),
            by_value: false,
        });
    }
    // Its condition holds again: whatever was said before is over.
    if scaler.meta.live.has(Known::CONDITIONS) && scaler.condition("ScalingActive").is_some() {
        return None;
    }
    if let Some(e) = event.filter(|e| evidence::is_recent(e, now, 600)) {
        return Some(Signs {
            text: e.message.to_string(),
            reason: e.reason.to_string(),
            since: evidence::first_time(e, now).filter(|_| now.has_time),
            evidence: evidence::event(e, now).into_iter().collect(),
            by_value: false,
        });
    }
    // Conditions say more than a value that is not there yet.
    if scaler.meta.live.has(Known::CONDITIONS) && !scaler.conditions.is_empty() {
        return None;
    }
    let unknown = scaler.metrics.iter().find(|m| m.target.is_some() && m.current.is_none())?;
    let shown = scaler.meta.live.has(Known::STATUS) && scaler.replicas.0 > 0;
    let text = format!("{}: <unknown>", unknown.name);
    let fact = evidence::field(scaler.meta.source, &object, "status.currentMetrics", text);
    shown.then(|| Signs {
        text: String::new(),
        reason: String::new(),
        since: None,
        evidence: vec![fact],
        by_value: true,
    })
}

/// Why it is none of a failure's business: it has only begun, or there is nothing to measure.
pub(super) fn excuse(
    scaler: &Scaler,
    target: Option<&App>,
    signs: &Signs,
    now: &Snapshot,
) -> Option<&'static str> {
    let age = |created: Option<Timestamp>, seconds: Option<u32>| {
        created.filter(|_| now.has_time).map(|t| now.now.since(t)).or(seconds.map(i64::from))
    };
    let young = |a: Option<i64>| a.is_some_and(|a| a < YOUNG_SECONDS);
    if young(age(scaler.meta.created, scaler.meta.age_seconds)) {
        return Some("it was made only a moment ago");
    }
    let target = target?;
    let pods: Vec<_> = target.running().collect();
    if !pods.is_empty() && pods.iter().all(|p| young(age(p.meta.created, p.meta.age_seconds))) {
        return Some("its pods have only started: figures take a minute or two");
    }
    let measures = signs.reason != "FailedGetScale";
    if measures && target.wanted() == Some(0) {
        return Some("its target is scaled to zero, where it is switched off");
    }
    let unready = !pods.is_empty() && pods.iter().all(|p| p.is_ready() == Some(false));
    (measures && unready).then_some("none of its pods is ready: there is nothing to measure")
}
