//! Containers that run for long and are not ready, where a table of pods is all that was shown.
//!
//! Something keeps them out of service: a readiness probe, or a gate. It must never name which.

use model::record::{Known, Pod};
use model::{App, Certainty, Finding, Impact, Kind, LogLines, Role, Snapshot};

use super::{KIND, complaint};
use crate::evidence;

/// A start may take so long, in seconds.
const START_SECONDS: i64 = 300;

pub(super) fn finding(app: &App, now: &Snapshot) -> Option<Finding> {
    let told = |p: &&Pod| !now.pod_events(p).is_empty();
    let shown =
        app.shows_spec() || app.running().any(|p| told(&p) || p.meta.known.has(Known::SPEC));
    if shown || app.ready() > 0 || speaks(app, now) {
        return None;
    }
    let sick: Vec<&Pod> = app.running().filter(|p| is_kept_out(p, now)).collect();
    let first = *sick.first()?;
    let object = &app.object;
    let (count, all) = (sick.len(), app.running().count());
    let headline = format!(
        "{count} of {all} pods of {} {object} run and are not ready; nothing shown says why",
        object.kind
    );
    let row = first.summary.as_ref().map_or("not ready", |s| s.status.as_str());
    let pod = first.meta.object(Kind::Pod);
    let look = format!("kubectl describe {}", pod.for_kubectl());
    let finding = Finding::new(KIND.id, "unexplained", object.clone(), headline)
        .evidence([evidence::field(first.meta.source, &pod, "status", format!("{row}, not ready"))])
        .affects(object.clone(), format!("{count} of {all} pods not ready"))
        .impact(Impact { replicas: app.lost_replicas(), ..Impact::default() })
        .role(Role::Symptom);
    let others = &["probe-path-wrong", "probe-port-wrong", "dependency-down"];
    Some(finding.unsure(Certainty::Possible, others, look))
}

/// Whether a pod runs, was never restarted, and is not ready long after its start.
fn is_kept_out(pod: &Pod, now: &Snapshot) -> bool {
    let runs = pod.summary.as_ref().is_some_and(|s| s.status == "Running");
    let old = pod.meta.age_seconds.is_some() && !complaint::is_young(pod, now, START_SECONDS);
    runs && old && pod.is_ready() == Some(false) && pod.restarts() == 0
}

/// Whether its own log was shown.
fn speaks(app: &App, now: &Snapshot) -> bool {
    let own =
        |l: &LogLines| l.name == app.object.name || app.pods.iter().any(|p| p.meta.name == l.name);
    now.logs.iter().any(own)
}
