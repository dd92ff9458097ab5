//! The answer in one word.

use model::{Incident, Kind, Severity, Snapshot, State, Verdict};

use crate::blind;

/// The verdict on these incidents.
pub(crate) fn of(incidents: &[Incident], now: &Snapshot) -> Verdict {
    let is_whole = !is_cut(now) && !now.coverage.has_lost_source();
    let any = |test: &dyn Fn(&Incident) -> bool| incidents.iter().any(test);
    let active = |i: &Incident| i.state == State::Active && i.severity > Severity::Note;
    // How much is broken is one question, how sure the cause of it is another.
    let suffered = |i: &Incident| i.severity == Severity::Page || !i.impact.is_none();
    if any(&|i| active(i) && suffered(i)) {
        Verdict::Broken
    } else if any(&active) {
        Verdict::Degraded
    } else if !is_whole {
        // What is left to see is well; that says nothing of what was to be seen and was not.
        Verdict::Inconclusive
    } else if any(&|i| i.state == State::Recovering) {
        Verdict::Recovering
    } else if any(&|i| matches!(i.state, State::Suspected | State::Active)) {
        Verdict::AtRisk
    } else if says_enough(now) {
        Verdict::Healthy
    } else {
        Verdict::Inconclusive
    }
}

/// Whether the input shows how anybody's pods are: names, settings or machines alone cannot say
/// that all is well.
fn says_enough(now: &Snapshot) -> bool {
    now.apps.iter().any(|a| a.pods.iter().any(|p| p.is_ready().is_some() || p.is_finished()))
}

/// Whether somebody may suffer whom the input was to show and did not: where what tells of
/// suffering was refused or lost on the way, what is left cannot say that all is well.
fn is_cut(now: &Snapshot) -> bool {
    let tells = |kind| {
        use Kind::{
            CronJob, DaemonSet, Deployment, EndpointSlice, Endpoints, Event,
            HorizontalPodAutoscaler, Ingress, Job, Node, PersistentVolumeClaim, Pod, ReplicaSet,
            Service, StatefulSet,
        };
        matches!(
            kind,
            CronJob
                | DaemonSet
                | Deployment
                | EndpointSlice
                | Endpoints
                | Event
                | HorizontalPodAutoscaler
                | Ingress
                | Job
                | Node
                | PersistentVolumeClaim
                | Pod
                | ReplicaSet
                | Service
                | StatefulSet
        )
    };
    blind::lost(now).into_iter().any(tells)
}

/// Whether pods or nodes themselves were refused or lost: then nobody can say how bad it is.
pub(crate) fn is_dark(now: &Snapshot) -> bool {
    blind::lost(now).iter().any(|kind| matches!(kind, Kind::Node | Kind::Pod))
}
