//! The answer in one word.

use model::{Incident, Kind, Severity, Snapshot, State, Verdict};

/// The verdict on these incidents.
pub(crate) fn of(incidents: &[Incident], now: &Snapshot) -> Verdict {
    let any = |test: &dyn Fn(&Incident) -> bool| incidents.iter().any(test);
    let active = |i: &Incident| i.state == State::Active && i.severity > Severity::Note;
    // How much is broken is one question, how sure the cause of it is another.
    let suffered = |i: &Incident| i.severity == Severity::Page || !i.impact.is_none();
    if any(&|i| active(i) && suffered(i)) {
        Verdict::Broken
    } else if any(&active) {
        Verdict::Degraded
    } else if any(&|i| i.state == State::Recovering) {
        Verdict::Recovering
    } else if any(&|i| matches!(i.state, State::Suspected | State::Active)) {
        Verdict::AtRisk
    } else if says_enough(now) && !is_cut(now) {
        Verdict::Healthy
    } else {
        Verdict::Inconclusive
    }
}

/// Whether the input shows the state of anything: a list of names or of settings alone cannot
/// say that all is well.
fn says_enough(now: &Snapshot) -> bool {
    let pods =
        now.apps.iter().any(|a| a.pods.iter().any(|p| p.is_ready().is_some() || p.is_finished()));
    let nodes = now.nodes.iter().any(|n| n.ready().is_some());
    pods || nodes
}

/// Whether somebody may suffer whom the input was to show and did not: where pods, nodes or
/// workloads were refused or lost on the way, what is left cannot say that all is well.
fn is_cut(now: &Snapshot) -> bool {
    let tells = |kind| {
        use Kind::{DaemonSet, Deployment, Node, Pod, ReplicaSet, StatefulSet};
        matches!(kind, DaemonSet | Deployment | Node | Pod | ReplicaSet | StatefulSet)
    };
    now.coverage.cut().any(tells)
}
