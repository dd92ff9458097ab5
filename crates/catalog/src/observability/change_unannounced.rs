//! `change-unannounced`: what a pipeline owns was changed by hand, past everybody.

use model::record::{ByHand, Meta};
use model::{
    Act, App, Finding, Gap, Patch, Remedy, Scenario, Snapshot, Step, Timestamp, duration_text,
};

use crate::workload::audit;

failure! {
    /// # A change that went past the pipeline
    ///
    /// ## Signs
    /// An object belongs to Argo CD, Flux or a Helm release, and its `managedFields` name
    /// another tool that changed it later: `kubectl-edit`, `kubectl-patch`, k9s, a web console.
    /// Or all workloads of a namespace come from a pipeline but one, which was applied by
    /// hand.
    ///
    /// ## Why it happens
    /// Somebody tried something, or repaired something at night, and it stayed. Nobody else
    /// knows: there was no review, no message, and the repository says otherwise. The next
    /// sync takes it back without a word. Most failures follow a change; one that nobody heard
    /// of is found last.
    ///
    /// ## What we do
    /// 1. Ask the team what it was for before anything is taken back: it may be what holds.
    /// 2. Compare with the repository: `kubectl diff`, the diff of Argo CD.
    /// 3. Bring what is wanted into the repository; take back the rest.
    ///
    /// Do not conclude who it was: `managedFields` name a tool, which names itself, and never
    /// a person. Only the audit log of the API server knows.
    ///
    /// ## How to avoid it
    /// Rights to write for pipelines only, with a way for emergencies that tells everybody. A
    /// message for each change out of band. What is read here: `managedFields`, which the API
    /// shows with `--show-managed-fields`, and the marks by which pipelines own objects. A
    /// change that is younger than the first trouble of its workload is left out: it is more
    /// likely a repair.
    ///
    /// ## Sources
    /// "Maximize learnings from a Kubernetes cluster failure" (NU.nl, 2018); Kubernetes
    /// documentation, "Server-Side Apply"; Argo CD documentation, "Resource Tracking".
    id: "change-unannounced",
    mechanisms: {
        "change-unannounced": "it was changed by hand, past the pipeline that owns it",
    },
    reads: [DaemonSet, Deployment, Pod, ReplicaSet, StatefulSet],
    leads_to: [
        "deployment-rollout-failing",
        "node-lost-cascade",
        "node-system-oom",
        "pod-config-missing",
        "pod-crash-looping",
        "pod-image-pull-failing",
        "pod-limit-reached",
        "pod-pending-unschedulable",
        "pod-probe-failing",
        "pods-refused-at-admission",
        "workload-dependency-failing",
        "workload-scaled-to-zero",
    ],
    detect: ExposedApps(lacks),
    exposed: exposed,
    remedy: remedy,
    prevent: prevent,
    rehearse: rehearse,
}

/// A change that was made together with the object is part of making it.
const MAKING_SECONDS: i64 = 60;

/// So many others of a namespace have to come from a pipeline before one that does not stands
/// out.
const OTHERS: usize = 2;

fn exposed(now: &Snapshot, gaps: &mut Vec<Gap>) {
    now.apps.iter().for_each(|app| lacks(app, now, gaps));
}

/// What one workload lacks.
fn lacks(app: &App, now: &Snapshot, gaps: &mut Vec<Gap>) {
    if app.object.namespace.starts_with("kube-") {
        return;
    }
    let Some(meta) = app.workload.as_ref().map(|w| &w.meta) else { return };
    let Some(hand) = meta.changed_by_hand() else { return };
    if trouble(app).is_some_and(|t| t < hand.at) {
        return;
    }
    let ago = duration_text(now.now.since(hand.at).max(0));
    let tool = &hand.manager;
    let why = match pipeline(meta) {
        Some(owner) if !is_making(meta, hand) => {
            format!("{owner} owns it, and {tool} changed it {ago} ago, past every review")
        }
        None if stands_out(app, now) => {
            format!("{tool} applied it {ago} ago; all others of the namespace come from a pipeline")
        }
        _ => return,
    };
    gaps.push(audit::gap(KIND.id, app, format!("metadata.managedFields[{tool}]"), why));
}

fn is_making(meta: &Meta, hand: &ByHand) -> bool {
    meta.created.is_some_and(|c| hand.at.since(c) <= MAKING_SECONDS)
}

/// Which pipeline an object belongs to, by the marks that it leaves.
fn pipeline(meta: &Meta) -> Option<&'static str> {
    let label = |key: &str| meta.labels.get(key).is_some();
    if meta.annotation("argocd.argoproj.io/tracking-id").is_some()
        || label("argocd.argoproj.io/instance")
    {
        Some("Argo CD")
    } else if label("kustomize.toolkit.fluxcd.io/name") || label("helm.toolkit.fluxcd.io/name") {
        Some("Flux")
    } else {
        meta.annotation("meta.helm.sh/release-name").map(|_| "a Helm release")
    }
}

/// Whether it is the only workload of its namespace that no pipeline owns.
fn stands_out(app: &App, now: &Snapshot) -> bool {
    let here = now.apps_in(&app.object.namespace).iter().filter(|a| a.object != app.object);
    let mut owned = 0;
    for other in here {
        match other.workload.as_ref().map(|w| pipeline(&w.meta)) {
            Some(Some(_)) => owned += 1,
            Some(None) => return false,
            None => {}
        }
    }
    owned >= OTHERS
}

/// When its pods were first in trouble, as far as they still show it.
fn trouble(app: &App) -> Option<Timestamp> {
    let unready = app.running().filter(|p| p.is_ready() == Some(false));
    let unready = unready.filter_map(|p| p.ready?.since);
    let ended = app.running().flat_map(|p| p.containers.iter());
    let ended = ended.filter_map(|c| c.last.as_ref()?.finished_at);
    unready.chain(ended).min()
}

fn remedy(finding: &Finding, _: &Snapshot) -> Remedy {
    let target = finding.object.for_kubectl();
    Remedy {
        next: vec![
            Step::look(
                "See what was changed, with which tool and when",
                format!("kubectl get {target} -o yaml --show-managed-fields"),
            ),
            Step::look(
                "See what the revision before had",
                format!("kubectl rollout history {target}"),
            ),
            Step::advice("Ask the team what it was for; then bring it into the repository"),
        ],
        do_not: vec![
            "Do not let the pipeline take it back before you know what it was for: it may be what \
             holds the service up"
                .into(),
        ],
    }
}

/// What stood in the repository is not known here.
fn prevent(_: &Gap, _: &Snapshot) -> Option<Patch> {
    None
}

fn rehearse() -> Option<Scenario> {
    Some(Scenario {
        story: "A workload that Argo CD owns gets another image by hand, and crashes.",
        acts: vec![
            (0, Act::Unmodelled("Argo CD owns shop/checkout and syncs it from a repository.")),
            (60, Act::Crash { workload: "shop/checkout", exit_code: 1 }),
        ],
        found_within_seconds: 900,
    })
}

#[cfg(test)]
mod tests {
    use super::KIND;
    use crate::testing::check_gaps;

    fn app(name: &str, marks: &str, managers: &str) -> String {
        format!(
            "kind: Deployment\nmetadata: {{namespace: dock, name: {name}, creationTimestamp: \
             2026-03-01T08:00:00Z{marks}, managedFields: [{managers}]}}\nspec: {{replicas: 1, \
             template: {{spec: {{containers: [{{name: main}}]}}}}}}\n---\n"
        )
    }

    const ARGO: &str = ", annotations: {argocd.argoproj.io/tracking-id: 'dock:apps/Deployment:a'}";
    const FLUX: &str = ", labels: {kustomize.toolkit.fluxcd.io/name: dock}";
    const SYNC: &str = "{manager: argocd-controller, operation: Apply, time: 2026-03-01T08:00:00Z}";
    const EDIT: &str = "{manager: kubectl-edit, operation: Update, time: 2026-03-01T09:00:00Z}";
    const GAP: &str = "deploy/buoy metadata.managedFields[kubectl-edit]";

    #[test]
    fn a_change_by_hand_of_what_a_pipeline_owns_is_a_gap() {
        check_gaps(&KIND, &app("buoy", ARGO, &format!("{SYNC}, {EDIT}")), &[GAP]);
        check_gaps(&KIND, &app("buoy", FLUX, EDIT), &[GAP]);
        let helm = ", annotations: {meta.helm.sh/release-name: dock}";
        let k9s = EDIT.replace("kubectl-edit", "k9s");
        let gap = GAP.replace("kubectl-edit", "k9s");
        check_gaps(&KIND, &app("buoy", helm, &k9s), &[&gap]);
    }

    #[test]
    fn one_that_was_applied_by_hand_among_others_of_a_pipeline_stands_out() {
        let others = app("a", FLUX, SYNC) + &app("b", FLUX, SYNC);
        let hand = EDIT.replace("kubectl-edit", "kubectl-client-side-apply");
        let gap = GAP.replace("kubectl-edit", "kubectl-client-side-apply");
        check_gaps(&KIND, &(others + &app("buoy", "", &hand)), &[&gap]);
        let two = app("a", FLUX, SYNC) + &app("b", "", "") + &app("buoy", "", &hand);
        check_gaps(&KIND, &two, &[]);
    }

    #[test]
    fn making_it_controllers_and_repairs_are_none() {
        check_gaps(&KIND, &app("buoy", ARGO, SYNC), &[]);
        check_gaps(&KIND, &app("buoy", "", EDIT), &[]);
        let early = EDIT.replace("09:00", "08:00");
        check_gaps(&KIND, &app("buoy", ARGO, &early), &[]);
        let status = EDIT.replace("operation", "subresource: status, operation");
        check_gaps(&KIND, &app("buoy", ARGO, &status), &[]);
        let sick = "kind: Pod\nmetadata: {namespace: dock, name: buoy-6f4d5b7c9d-x2x4z, \
                    creationTimestamp: 2026-03-01T08:00:00Z, ownerReferences: [{kind: ReplicaSet, \
                    name: buoy-6f4d5b7c9d, controller: true}]}\nspec: {containers: [{name: \
                    main}]}\nstatus: {phase: Running, conditions: [{type: Ready, status: 'False', \
                    lastTransitionTime: 2026-03-01T08:30:00Z}]}\n";
        check_gaps(&KIND, &(app("buoy", ARGO, EDIT) + sick), &[]);
    }
}
