//! `statefulset-update-stuck`: one pod keeps a StatefulSet from being updated.

use model::record::{Known, Pod, Rollout, Workload};
use model::{
    Act, App, Finding, Findings, Gap, Impact, Kind, Patch, Remedy, Risk, Role, Scenario, Snapshot,
    Step,
};

use crate::evidence;
use crate::pod::edit::namespace_option;

failure! {
    /// # The update of a StatefulSet is stuck
    ///
    /// ## Signs
    /// `status.updateRevision` differs from `status.currentRevision` for long, one pod is not
    /// ready, and no further pod is replaced. `kubectl rollout status` waits.
    ///
    /// ## Why it happens
    /// A StatefulSet updates its pods one at a time, the highest number first, and waits until
    /// each is ready. A new pod that never gets ready stops it there.
    ///
    /// Then somebody corrects the template or goes back, and nothing happens: with the usual
    /// `OrderedReady` the controller waits for the broken pod to become ready *before* it
    /// does anything else, and the broken pod has the old, broken template. It must be deleted
    /// by hand, once. This is known and documented, and easily taken for a second failure.
    ///
    /// ## What we do
    /// 1. Compare the pod's label `controller-revision-hash` with `status.updateRevision`.
    /// 2. They are the same: the new template is what fails. Correct it, or undo.
    /// 3. They differ: the template is corrected already. Delete that one pod.
    ///
    /// Do not delete the StatefulSet, nor its claims.
    ///
    /// ## How to avoid it
    /// Try a new template on one pod first with `partition`. Use `podManagementPolicy:
    /// Parallel` where order does not matter. Wait for the rollout in the pipeline.
    ///
    /// ## Sources
    /// Kubernetes documentation, "StatefulSets", section "Forced rollback".
    id: "statefulset-update-stuck",
    mechanisms: {
        "waits-for-broken-pod": "it waits for a pod with a template that was corrected since",
        "new-pod-unready": "a pod with the new template does not become ready",
    },
    reads: [StatefulSet, Pod],
    leads_to: [
        "pod-config-missing",
        "pod-crash-looping",
        "pod-image-pull-failing",
        "pod-pending-unschedulable",
        "pod-probe-failing",
        "service-without-endpoints",
    ],
    detect: Apps(detect),
    exposed: exposed,
    remedy: remedy,
    prevent: prevent,
    rehearse: rehearse,
}

/// Carries the revision a pod was made from.
const REVISION: &str = "controller-revision-hash";

/// How long a pod may take to become ready before it counts, in seconds.
const STARTING_SECONDS: i64 = 120;

fn detect(app: &App, now: &Snapshot, findings: &mut Findings) {
    let Some(workload) = app.workload.as_ref().filter(|w| w.kind == Kind::StatefulSet) else {
        return;
    };
    let Some(rollout) = workload.rollout.as_deref() else { return };
    if rollout.update_revision.is_empty() || rollout.update_revision == rollout.current_revision {
        return;
    }
    if rollout.strategy == "OnDelete" {
        let why = "it is told to update a pod only when somebody deletes it (OnDelete)";
        return findings.rule_out(KIND.id, app.object.clone(), why);
    }
    let broken: Vec<&Pod> =
        app.running().filter(|p| ordinal(p).is_some() && is_broken(p, now)).collect();
    let Some((pod, is_new)) = broken
        .iter()
        .filter_map(|p| Some((*p, revision(p)? == rollout.update_revision.as_str())))
        .min_by_key(|(_, is_new)| *is_new)
    else {
        if rollout.partition > 0 && broken.is_empty() {
            let why =
                format!("pods below number {} keep the old template on purpose", rollout.partition);
            findings.rule_out(KIND.id, app.object.clone(), why);
        }
        return;
    };
    if !is_new && rollout.parallel {
        return;
    }
    findings.push(finding(app, workload, rollout, pod, is_new));
}

fn finding(app: &App, workload: &Workload, rollout: &Rollout, pod: &Pod, is_new: bool) -> Finding {
    let object = &app.object;
    let source = workload.meta.source;
    let of_pod = pod.meta.object(Kind::Pod);
    let word = pod.words().find(|w| !w.is_empty() && *w != "Running").unwrap_or("not ready");
    let (mechanism, headline) = if is_new {
        let text = format!(
            "update of {object} is stuck at pod {}, which has the new template and is {word}",
            pod.meta.name
        );
        ("new-pod-unready", text)
    } else {
        let text = format!(
            "{object} waits for pod {}, which is {word} with an old template: delete that pod",
            pod.meta.name
        );
        ("waits-for-broken-pod", text)
    };
    let own = revision(pod).unwrap_or_default();
    let mut finding = Finding::new(KIND.id, mechanism, object.clone(), headline)
        .field(
            format!("metadata.labels[{REVISION}] of pod {}", pod.meta.name),
            own,
            format!("{} (status.updateRevision)", rollout.update_revision),
        )
        .evidence([
            evidence::field(pod.meta.source, &of_pod, "status", word),
            evidence::field(
                source,
                object,
                "status.updateRevision",
                rollout.update_revision.to_string(),
            ),
            evidence::field(
                source,
                object,
                "status.currentRevision",
                rollout.current_revision.to_string(),
            ),
        ])
        .affects(object.clone(), format!("{} pods have the new template", workload.counts.updated))
        .impact(Impact { replicas: app.lost_replicas(), ..Impact::default() });
    if is_new {
        finding.value = None;
        finding.expected = None;
        finding.field = None;
        finding = finding.role(Role::Symptom).since(pod.meta.created);
        finding.decide = Some(format!("kubectl describe {}", of_pod.for_kubectl()));
    }
    finding
}

fn revision(pod: &Pod) -> Option<&str> {
    pod.meta.labels.get(REVISION).filter(|_| pod.meta.known.has(Known::LABELS))
}

/// The number at the end of its name.
pub(super) fn ordinal(pod: &Pod) -> Option<i64> {
    pod.meta.name.rsplit_once('-').and_then(|(_, n)| n.parse().ok())
}

/// Not ready, and not only because it has just started.
fn is_broken(pod: &Pod, now: &Snapshot) -> bool {
    let fine = ["", "Running", "Pending", "ContainerCreating", "PodInitializing"];
    let age = pod.meta.created.filter(|_| now.has_time).map(|t| now.now.since(t));
    let age = age.or(pod.meta.age_seconds.map(i64::from));
    let old = age.is_none_or(|a| a > STARTING_SECONDS);
    let trouble = pod.restarts() > 1 || pod.words().any(|w| !fine.contains(&w));
    pod.is_ready() == Some(false) && (old || trouble)
}

/// A single broken pod stops them all, and correcting the template will not help.
fn exposed(_: &Snapshot, _: &mut Vec<Gap>) {}

fn remedy(finding: &Finding, _: &Snapshot) -> Remedy {
    let object = finding.object.for_kubectl();
    let option = namespace_option(&finding.object.namespace);
    let pod = finding.field.as_deref().and_then(|f| f.rsplit(' ').next());
    let next = match pod.filter(|_| finding.mechanism == "waits-for-broken-pod") {
        Some(pod) => vec![
            Step::look(
                "Be sure that the pod has the old template",
                format!("kubectl get pods{option} -L {REVISION}"),
            ),
            Step {
                what: "Delete that one pod: it comes back with the corrected template".into(),
                command: Some(format!("kubectl delete pod{option} {pod}")),
                risk: Risk::Disruptive,
                undo: None,
            },
        ],
        None => vec![
            Step::look(
                "See why the new pod is not ready",
                finding.decide.clone().unwrap_or_else(|| format!("kubectl describe {object}")),
            ),
            Step::change(
                "Go back to the template before, then delete the broken pod",
                format!("kubectl rollout undo {object}"),
                format!("kubectl rollout undo {object}"),
            ),
        ],
    };
    let do_not = vec![
        "Do not delete the StatefulSet or its claims: one pod is all that is in the way".to_owned(),
        "Do not delete several pods at once: those that are ready may be all of a quorum"
            .to_owned(),
    ];
    Remedy { next, do_not }
}

/// Order is often needed; no patch may take it away.
fn prevent(_: &Gap, _: &Snapshot) -> Option<Patch> {
    None
}

fn rehearse() -> Option<Scenario> {
    Some(Scenario {
        story: "A StatefulSet gets a broken image, then the right one again.",
        acts: vec![(10, Act::Unmodelled("the StatefulSet controller updates pods in order"))],
        found_within_seconds: 300,
    })
}

#[cfg(test)]
mod tests {
    use super::KIND;
    use crate::testing::check;

    fn set(revisions: (&str, &str), more: &str) -> String {
        format!(
            "kind: StatefulSet\nmetadata: {{namespace: mint, name: coin, creationTimestamp: \
             2026-01-01T00:00:00Z}}\nspec: {{replicas: 2{more}}}\nstatus: {{replicas: 2, \
             readyReplicas: 1, updatedReplicas: 1, currentRevision: coin-{}, updateRevision: \
             coin-{}}}\n---\n",
            revisions.0, revisions.1
        )
    }

    fn pod(number: u32, revision: &str, ready: &str, reason: &str) -> String {
        let state = match reason {
            "" => "running: {}".to_owned(),
            reason => format!("waiting: {{reason: {reason}}}"),
        };
        format!(
            "kind: Pod\nmetadata: {{namespace: mint, name: coin-{number}, creationTimestamp: \
             2026-01-02T00:00:00Z, labels: {{controller-revision-hash: coin-{revision}}}, \
             ownerReferences: [{{kind: StatefulSet, name: coin, controller: true}}]}}\nspec: \
             {{nodeName: n1, containers: [{{name: main}}]}}\nstatus: {{phase: Running, conditions: \
             [{{type: Ready, status: '{ready}'}}], containerStatuses: [{{name: main, ready: false, \
             restartCount: 3, state: {{{state}}}}}]}}\n---\n"
        )
    }

    #[test]
    fn the_broken_pod_has_the_old_template_or_the_new_one() {
        let old = set(("a", "c"), "")
            + &pod(0, "a", "True", "")
            + &pod(1, "b", "False", "CrashLoopBackOff");
        check(&KIND, &old, &["waits-for-broken-pod sts/coin Proven Active"]);
        let new = set(("a", "b"), "")
            + &pod(0, "a", "True", "")
            + &pod(1, "b", "False", "ImagePullBackOff");
        check(&KIND, &new, &["new-pod-unready sts/coin Proven Active"]);
    }

    #[test]
    fn look_alikes_stay_quiet() {
        let well = pod(0, "a", "True", "") + &pod(1, "b", "True", "");
        check(
            &KIND,
            &(set(("a", "b"), ", updateStrategy: {rollingUpdate: {partition: 1}}") + &well),
            &[],
        );
        let broken = pod(0, "a", "True", "") + &pod(1, "b", "False", "CrashLoopBackOff");
        check(&KIND, &(set(("a", "c"), ", updateStrategy: {type: OnDelete}") + &broken), &[]);
        check(&KIND, &(set(("a", "c"), ", podManagementPolicy: Parallel") + &broken), &[]);
        check(&KIND, &(set(("b", "b"), "") + &broken), &[]);
    }

    #[test]
    fn a_crash_follows_from_the_wait_not_the_other_way_round() {
        let crash = crate::find("pod-crash-looping").expect("a kind");
        assert!(!crash.causes(KIND.id, "waits-for-broken-pod"));
        assert!(crash.causes(KIND.id, "new-pod-unready"));
        assert!(KIND.causes("pod-crash-looping", "application-error"));
    }
}
