//! Pods that were evicted because they took more of the node's disk than their own limits
//! allow. A node that is short of disk is another matter.

use model::{App, Finding, Findings, Impact, Snapshot, State, Timestamp};

use super::edit::{container_field, spec_field};
use super::evicted::{self, Evicted};
use crate::wording::{self, between, says};

/// How long an eviction counts, in seconds, when its workload is whole again.
const RECENT_SECONDS: i64 = 3600;

pub(super) fn detect(id: &'static str, app: &App, now: &Snapshot, findings: &mut Findings) {
    let evicted = evicted::of(app, now, |text| says(text, wording::STORAGE_LIMIT));
    let Some(Evicted { pod, text, fact, at }) = evicted.iter().max_by_key(|e| e.at) else {
        return;
    };
    let message = &sentence(text);
    let age = at.map(|at: Timestamp| now.now.since(at));
    let lost = app.lost_replicas();
    if lost == 0 && age.is_none_or(|a| a > RECENT_SECONDS) {
        let what = format!("{} pods of {} evicted for their disk use", evicted.len(), app.object);
        return findings.stale(what, "the workload is at full strength again");
    }
    let (field, value) = field(app, message);
    let headline = format!("{} fills more disk than its limit allows: {message}", app.object);
    let finding = Finding::new(id, "ephemeral-storage-limit", app.object.clone(), headline)
        .field(field, value, "more, or less written: logs, caches and scratch files")
        .since(evicted.iter().filter_map(|e| e.fact.at).min())
        .evidence([fact.clone()])
        .affects(
            app.object.clone(),
            format!("{} pods evicted, last {}", evicted.len(), pod.meta.name),
        )
        .impact(Impact { replicas: lost, ..Impact::default() });
    let state = match (lost, evicted.len()) {
        (0, 1) => State::Recovering,
        _ => State::Active,
    };
    findings.push(finding.state(state));
}

fn sentence(message: &str) -> String {
    message.trim().trim_end_matches('.').chars().take(200).collect()
}

/// The limit that was passed.
fn field(app: &App, message: &str) -> (String, String) {
    let quoted = |start: &str| between(message, start, "\"").map(str::to_owned);
    let limit = quoted("limit \"").or_else(|| {
        let (_, rest) = message.split_once("containers ")?;
        Some(rest.split_whitespace().next()?.trim_end_matches('.').to_owned())
    });
    let limit = limit.unwrap_or_else(|| "its limit".into());
    if let Some(volume) = quoted("EmptyDir volume \"") {
        return (spec_field(app, &format!("volumes[{volume}].emptyDir.sizeLimit")), limit);
    }
    let named = between(message, "Container ", " exceed").map(|n| n.trim_matches('"').to_owned());
    let only = || {
        app.spec()
            .filter(|s| s.containers.len() == 1)?
            .containers
            .first()
            .map(|c| c.name.to_string())
    };
    let name = named.or_else(only).unwrap_or_default();
    (container_field(app, &name, "resources.limits.ephemeral-storage"), limit)
}
