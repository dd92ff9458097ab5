//! `smoke-test-missing`: a rollout was taken for good, and its pods ended soon after.

use model::record::{Known, Pod};
use model::{
    Act, App, Finding, Gap, Kind, Patch, Remedy, Scenario, Snapshot, Step, Timestamp, duration_text,
};

use crate::workload::audit;

failure! {
    /// # A rollout that nobody looked after
    ///
    /// ## Signs
    /// A Deployment has a new revision that replaced all pods of the one before. Within an hour
    /// of their start its containers were killed for memory, or ended with an error.
    ///
    /// ## Why it happens
    /// A rolling update asks one thing of a pod: that it is ready. With `minReadySeconds` at 0
    /// that moment is enough. What needs a minute to show itself (a leak, a cache that fills, a
    /// queue that is read with the wrong type) shows itself when the last old pod is gone. The
    /// pipeline is green by then and its author elsewhere.
    ///
    /// ## What we do
    /// 1. Go back to the revision that worked: `kubectl rollout undo`.
    /// 2. Let a new pod prove itself for longer than it took to fail: `minReadySeconds`.
    /// 3. Let the pipeline wait: `kubectl rollout status`, then look at restarts and memory for
    ///    some minutes before it says done.
    ///
    /// Do not restart the pods to see whether it goes away: it takes as long again to fail.
    ///
    /// ## How to avoid it
    /// A smoke step in every pipeline that looks at restarts, memory and the node, not only at
    /// the answer of one page. A canary with an analysis. What is read here: the revisions, the
    /// times of the pods and how their containers ended; whether a pipeline has such a step
    /// stands in no object, so nothing is said before a rollout has failed late.
    ///
    /// ## Sources
    /// "Maximize learnings from a Kubernetes cluster failure" (NU.nl, 2018); Kubernetes
    /// documentation, "Deployments", section on `minReadySeconds`.
    id: "smoke-test-missing",
    mechanisms: {
        "smoke-test-missing": "its rollout was done before the new pods had proved themselves",
    },
    reads: [Deployment, Pod, ReplicaSet],
    leads_to: [
        "deployment-rollout-failing",
        "node-lost-cascade",
        "node-system-oom",
        "pod-crash-avalanche",
        "pod-crash-looping",
        "pod-limit-reached",
    ],
    detect: ExposedApps(lacks),
    exposed: exposed,
    remedy: remedy,
    prevent: prevent,
    rehearse: rehearse,
}

/// How long after its start a pod's failure still belongs to its rollout, in seconds.
const AFTER_SECONDS: i64 = 3600;

/// The longest time to prove itself that is asked of a pod, in seconds.
const LONGEST_SECONDS: i64 = 600;

fn exposed(now: &Snapshot, gaps: &mut Vec<Gap>) {
    now.apps.iter().for_each(|app| lacks(app, now, gaps));
}

/// What one workload lacks.
fn lacks(app: &App, _: &Snapshot, gaps: &mut Vec<Gap>) {
    if app.object.kind != Kind::Deployment {
        return;
    }
    let Some((needed, why)) = failed_late(app) else { return };
    let asked = asked_seconds(app);
    if asked.is_none_or(|asked| asked >= needed) {
        return;
    }
    gaps.push(audit::gap(KIND.id, app, "spec.minReadySeconds", why));
}

/// How long a pod has to be ready before it counts; `None` where that was not shown.
fn asked_seconds(app: &App) -> Option<i64> {
    let workload = app.workload.as_ref().filter(|w| w.meta.shows(Known::SPEC))?;
    Some(workload.rollout.as_ref().map_or(0, |r| r.min_ready_seconds))
}

/// After how many seconds a container of the newest revision ended, when that revision had
/// replaced all others, and in words.
fn failed_late(app: &App) -> Option<(i64, String)> {
    let revision = |meta: &model::record::Meta| {
        meta.annotation("deployment.kubernetes.io/revision").and_then(|r| r.parse::<u64>().ok())
    };
    let own = app.workload.as_ref().and_then(|w| revision(&w.meta));
    let sets: Vec<u64> = app.sets.iter().filter_map(|s| revision(&s.meta)).collect();
    let newest = own.into_iter().chain(sets.iter().copied()).max()?;
    let standing = app.sets.iter().filter(|s| s.replicas != Some(0) || s.counts.current > 0);
    if newest < 2 || standing.count() > 1 {
        return None;
    }
    let (seconds, how) = app.running().filter_map(first_end).min()?;
    let pods = duration_text(seconds);
    let why = format!("revision {newest} was taken for good; {pods} later a container {how}");
    (seconds <= AFTER_SECONDS).then_some((seconds, why))
}

/// How long after the start of a pod a container of it ended badly, and how.
fn first_end(pod: &Pod) -> Option<(i64, &'static str)> {
    let start: Timestamp = pod.started.or(pod.meta.created)?;
    let ends = pod.containers.iter().filter_map(|c| c.last.as_ref());
    let bad = ends.filter(|e| e.exit_code != 0);
    let first = bad.filter_map(|e| Some((e.finished_at?, e.reason == "OOMKilled"))).min()?;
    let how = if first.1 { "was killed for memory" } else { "ended with an error" };
    Some((first.0.since(start).max(0), how))
}

fn remedy(finding: &Finding, _: &Snapshot) -> Remedy {
    let target = finding.object.for_kubectl();
    Remedy {
        next: vec![
            Step::look("See its revisions", format!("kubectl rollout history {target}")),
            Step::change(
                "Go back to the revision that worked",
                format!("kubectl rollout undo {target}"),
                format!("kubectl rollout undo {target}"),
            ),
            Step::advice("Let the pipeline look at restarts and memory before it says done"),
        ],
        do_not: vec!["Do not restart the pods to see whether it goes away".into()],
    }
}

/// Half a minute more than it took to fail.
fn prevent(gap: &Gap, now: &Snapshot) -> Option<Patch> {
    let (seconds, _) = failed_late(now.app(&gap.object)?)?;
    let seconds = seconds.saturating_add(30).min(LONGEST_SECONDS);
    let body = format!("spec:\n  minReadySeconds: {seconds}\n");
    Some(Patch { object: gap.object.clone(), body })
}

fn rehearse() -> Option<Scenario> {
    Some(Scenario {
        story: "A new revision is rolled out, and its memory grows until it is killed.",
        acts: vec![
            (
                0,
                Act::Unmodelled("shop/checkout is rolled out again, with a leak in the new image."),
            ),
            (60, Act::GrowMemory { workload: "shop/checkout", bytes_per_second: 4 << 20 }),
        ],
        found_within_seconds: 1800,
    })
}

#[cfg(test)]
mod tests {
    use super::KIND;
    use crate::testing::{check_gaps, snapshot};

    fn deployment(revision: u32, more: &str) -> String {
        format!(
            "kind: Deployment\nmetadata: {{namespace: dock, name: buoy, creationTimestamp: \
             2026-01-01T00:00:00Z, annotations: {{deployment.kubernetes.io/revision: \
             '{revision}'}}}}\nspec: {{replicas: 1{more}, template: {{spec: {{containers: [{{name: \
             main}}]}}}}}}\n---\n"
        )
    }

    fn set(name: &str, revision: u32, replicas: u32) -> String {
        format!(
            "kind: ReplicaSet\nmetadata: {{namespace: dock, name: buoy-{name}, creationTimestamp: \
             2026-01-01T00:00:00Z, annotations: {{deployment.kubernetes.io/revision: \
             '{revision}'}}, ownerReferences: [{{kind: Deployment, name: buoy, controller: \
             true}}]}}\nspec: {{replicas: {replicas}}}\nstatus: {{replicas: {replicas}}}\n---\n"
        )
    }

    fn pod(ended: &str) -> String {
        format!(
            "kind: Pod\nmetadata: {{namespace: dock, name: buoy-6f4d5b7c9d-x2x4z, \
             creationTimestamp: 2026-03-01T08:00:00Z, ownerReferences: [{{kind: ReplicaSet, name: \
             buoy-6f4d5b7c9d, controller: true}}]}}\nspec: {{containers: [{{name: \
             main}}]}}\nstatus: {{phase: Running, startTime: 2026-03-01T08:00:00Z, \
             containerStatuses: [{{name: main, ready: true, restartCount: 1, state: {{running: \
             {{}}}}, lastState: {{terminated: {{{ended}}}}}}}]}}\n---\n"
        )
    }

    const OOM: &str = "exitCode: 137, reason: OOMKilled, finishedAt: 2026-03-01T08:04:00Z";
    const GAP: &str = "deploy/buoy spec.minReadySeconds";

    #[test]
    fn pods_that_end_after_the_rollout_was_done_are_a_gap() {
        let sets = set("5d4f8c7b9d", 1, 0) + &set("6f4d5b7c9d", 2, 1);
        let yaml = deployment(2, "") + &sets + &pod(OOM);
        check_gaps(&KIND, &yaml, &[GAP]);
        let now = snapshot(&yaml);
        let mut gaps = Vec::new();
        (KIND.exposed)(&now, &mut gaps);
        let patch = (KIND.prevent)(&gaps[0], &now).expect("a patch");
        assert_eq!(patch.body, "spec:\n  minReadySeconds: 270\n");
        // Without the sets, the revision of the Deployment says that there was one before.
        let error = OOM.replace("137, reason: OOMKilled", "3, reason: Error");
        check_gaps(&KIND, &(deployment(4, "") + &pod(&error)), &[GAP]);
    }

    #[test]
    fn first_installs_late_ends_and_rollouts_under_way_are_none() {
        check_gaps(&KIND, &(deployment(1, "") + &pod(OOM)), &[]);
        check_gaps(&KIND, &(deployment(2, "") + &pod(&OOM.replace("08:04", "19:04"))), &[]);
        check_gaps(&KIND, &(deployment(2, "") + &pod(&OOM.replace("137", "0"))), &[]);
        check_gaps(&KIND, &(deployment(2, ", minReadySeconds: 300") + &pod(OOM)), &[]);
        let both = set("5d4f8c7b9d", 1, 1) + &set("6f4d5b7c9d", 2, 1);
        check_gaps(&KIND, &(deployment(2, "") + &both + &pod(OOM)), &[]);
    }
}
