//! `ephemeral-limit-missing`: containers that may write until the disk of their node is full.

use model::{Act, App, Factor, Gap, Patch, Scenario, Snapshot};

use super::audit;
use crate::pod::edit;

failure! {
    /// # Containers may fill the disk of their node
    ///
    /// ## Signs
    /// A container states no limit of `ephemeral-storage`, and no LimitRange of its namespace
    /// gives one. `kubectl describe pod` shows no such line under Limits.
    ///
    /// ## Why it happens
    /// Everybody thinks of memory, few of what a container writes: its own layer, its logs,
    /// its scratch volumes. All of it lies on the disk of the node, beside the images and
    /// beside everybody else. A container without a limit is stopped by nothing until that disk
    /// is short. Then the kubelet removes images, finds most of them in use, and evicts pods.
    /// Whom it takes depends on what they asked for, so it is seldom the one that wrote.
    ///
    /// With a limit the kubelet evicts the writer alone, and early.
    ///
    /// ## What we do
    /// 1. See what it writes at its highest: `kubectl exec ... -- du -xsh /`, or the figures
    ///    that the kubelet gives of each pod's `ephemeral-storage`.
    /// 2. Set a request of what it usually has, and a limit of about twice the highest.
    /// 3. Give the namespace a LimitRange with a default.
    ///
    /// Do not set a limit below what it writes today: its pods are evicted within a minute.
    ///
    /// ## How to avoid it
    /// Let programs log to their standard output, where the kubelet rotates it; put data into
    /// claims; give scratch volumes a `sizeLimit`.
    ///
    /// ## Sources
    /// Kubernetes documentation, "Local ephemeral storage" and "Node-pressure Eviction".
    id: "ephemeral-limit-missing",
    mechanisms: {
        "ephemeral-limit-missing": "nothing bounds what it writes to the disk of its node",
    },
    reads: [Deployment, StatefulSet, DaemonSet, LimitRange],
    leads_to: ["node-disk-pressure", "node-image-gc-failing", "pod-evicted-storage"],
    detect: ExposedApps(lacks),
    exposed: exposed,
    remedy: audit::remedy,
    prevent: prevent,
    rehearse: rehearse,
}

const RESOURCE: &str = "ephemeral-storage";

fn exposed(now: &Snapshot, gaps: &mut Vec<Gap>) {
    now.apps.iter().for_each(|app| lacks(app, now, gaps));
}

/// What one workload lacks.
fn lacks(app: &App, now: &Snapshot, gaps: &mut Vec<Gap>) {
    if !audit::is_shown(app) || app.wanted() == Some(0) {
        return;
    }
    if audit::limit_is_given(&app.object.namespace, RESOURCE, now) {
        return;
    }
    let containers = app.spec().into_iter().flat_map(|s| s.containers.iter());
    for c in containers.filter(|c| c.resources.limits.get(RESOURCE).is_none()) {
        let field = edit::container_field(app, &c.name, "resources.limits.ephemeral-storage");
        let why = "what it writes may fill the disk of its node, and then others are evicted";
        gaps.push(audit::gap(KIND.id, app, field, why));
    }
}

/// That a container which wrote much was bounded by nothing; `None` when it was, or when its
/// limits were not shown.
pub(crate) fn factor(app: &App, container: &str) -> Option<Factor> {
    let spec = app.spec().filter(|_| app.shows_spec())?;
    let bounded = |c: &model::record::Container| c.resources.limits.get(RESOURCE).is_some();
    let free = match edit::container(spec, container) {
        Some(c) => !bounded(c),
        None => !spec.containers.iter().all(bounded),
    };
    let why = "without a limit one container may fill the disk of its node";
    free.then(|| audit::factor(KIND.id, app, why))
}

/// Twice what it asks for. Without a request there is nothing to begin from: a limit that is
/// too low evicts.
fn prevent(gap: &Gap, now: &Snapshot) -> Option<Patch> {
    let container = edit::container_of_gap(gap, now.app(&gap.object)?)?;
    let asked = container.resources.requests.get(RESOURCE).filter(|q| q.is_positive())?;
    let limit = asked.plus(asked).text(RESOURCE);
    edit::container_patch(gap, &format!("resources: {{limits: {{{RESOURCE}: {limit}}}}}"))
}

fn rehearse() -> Option<Scenario> {
    let act = "the container of shop/drill-scribe writes 1 GiB a minute into its own layer until \
               the disk of its node is short, and the kubelet evicts its neighbours";
    Some(Scenario {
        story: "A workload without a limit on ephemeral-storage fills the disk of its node.",
        acts: vec![
            (
                10,
                Act::Apply(drill_deployment!(
                    "drill-scribe",
                    replicas: 1,
                    container: "image: 'drill:1'"
                )),
            ),
            (60, Act::Unmodelled(act)),
        ],
        found_within_seconds: 1800,
    })
}

#[cfg(test)]
mod tests {
    use super::{KIND, factor};
    use crate::testing::{check_gaps, snapshot};
    use model::{Gap, Kind, ObjectRef};

    fn yaml(kind: &str, resources: &str) -> String {
        format!(
            "kind: {kind}\nmetadata: {{namespace: dock, name: buoy, creationTimestamp: \
             2026-01-01T00:00:00Z}}\nspec: {{replicas: 2, template: {{spec: {{containers: [{{name: \
             main, resources: {{{resources}}}}}]}}}}}}\n---\n"
        )
    }

    const FIELD: &str = "spec.template.spec.containers[main].resources.limits.ephemeral-storage";

    #[test]
    fn a_container_that_may_write_without_end_is_a_gap() {
        let bare = yaml("Deployment", "limits: {memory: 1Gi}");
        check_gaps(&KIND, &bare, &[&format!("deploy/buoy {FIELD}")]);
        let agent = yaml("DaemonSet", "requests: {ephemeral-storage: 1Gi}");
        check_gaps(&KIND, &agent, &[&format!("ds/buoy {FIELD}")]);
    }

    #[test]
    fn a_limit_of_its_own_or_of_the_namespace_closes_it() {
        check_gaps(&KIND, &yaml("Deployment", "limits: {ephemeral-storage: 2Gi}"), &[]);
        let range = |resource: &str| {
            format!(
                "kind: LimitRange\nmetadata: {{namespace: dock, name: l}}\nspec: {{limits: \
                 [{{type: Container, default: {{{resource}: 1Gi}}}}]}}\n"
            )
        };
        let bare = yaml("StatefulSet", "");
        check_gaps(&KIND, &(bare.clone() + &range("ephemeral-storage")), &[]);
        check_gaps(&KIND, &(bare.clone() + &range("memory")), &[&format!("sts/buoy {FIELD}")]);
        check_gaps(&KIND, &bare.replace("dock", "kube-system"), &[]);
        check_gaps(&KIND, &bare.replace("replicas: 2", "replicas: 0"), &[]);
    }

    #[test]
    fn the_patch_allows_twice_what_is_asked_for_and_never_guesses() {
        let object = ObjectRef::new(Kind::Deployment, "dock", "buoy");
        let gap = Gap { failure: KIND.id, object, field: FIELD.into(), why: String::new() };
        let asks = snapshot(&yaml("Deployment", "requests: {ephemeral-storage: 1Gi}"));
        let patch = (KIND.prevent)(&gap, &asks).expect("a patch");
        assert!(patch.body.contains("{ephemeral-storage: 2Gi}"), "{}", patch.body);
        assert_eq!((KIND.prevent)(&gap, &snapshot(&yaml("Deployment", ""))), None);
    }

    #[test]
    fn it_is_a_factor_only_where_nothing_bounds_the_writer() {
        let now = snapshot(&yaml("Deployment", ""));
        assert!(factor(&now.apps[0], "main").is_some_and(|f| f.failure == KIND.id));
        let now = snapshot(&yaml("Deployment", "limits: {ephemeral-storage: 2Gi}"));
        assert_eq!(factor(&now.apps[0], "main"), None);
        assert_eq!(factor(&now.apps[0], ""), None);
    }
}
