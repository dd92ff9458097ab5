//! `limits-missing`: containers that may take all memory of their node.

use model::{App, Gap, Patch, Quantity, Scenario, Snapshot};

use super::audit;
use crate::pod::edit;
use crate::wording::between;

failure! {
    /// # Containers without a memory limit
    ///
    /// ## Signs
    /// A container states no memory limit, and no LimitRange of its namespace gives one.
    ///
    /// ## Why it happens
    /// Nothing asks for a limit. A container without one may take memory until the node has
    /// none left; then the kernel or the kubelet ends whatever is in the way, and it is rarely
    /// the one that grew. Replaced elsewhere, it does the same to the next node.
    ///
    /// ## What we do
    /// 1. See what it uses at its highest: `kubectl top pods --containers`, or a graph.
    /// 2. Set the limit well above that, and the request to what it usually has.
    /// 3. Give the namespace a LimitRange with defaults.
    ///
    /// Limits of cpu are another matter: they slow a program down even when the node is idle.
    ///
    /// ## How to avoid it
    /// A LimitRange in every namespace, a policy that refuses containers without a limit.
    ///
    /// ## Sources
    /// Kubernetes documentation, "Resource Management for Pods and Containers".
    id: "limits-missing",
    mechanisms: {
        "limits-missing": "nothing keeps it from taking all memory of its node",
    },
    reads: [Deployment, StatefulSet, DaemonSet, LimitRange, Namespace],
    leads_to: ["node-lost-cascade", "node-system-oom", "pod-evicted-memory"],
    detect: ExposedApps(lacks),
    exposed: exposed,
    remedy: audit::remedy,
    prevent: prevent,
    rehearse: rehearse,
}

fn exposed(now: &Snapshot, gaps: &mut Vec<Gap>) {
    now.apps.iter().for_each(|app| lacks(app, now, gaps));
}

/// What one workload lacks.
fn lacks(app: &App, now: &Snapshot, gaps: &mut Vec<Gap>) {
    if !audit::is_app(app) {
        return;
    }
    let Some(spec) = app.spec().filter(|_| app.shows_spec()) else { return };
    if audit::limit_is_given(&app.object.namespace, "memory", now) {
        return;
    }
    for c in spec.containers.iter().filter(|c| c.resources.limits.get("memory").is_none()) {
        let field = edit::container_field(app, &c.name, "resources.limits.memory");
        gaps.push(audit::gap(KIND.id, app, field, "it may take all memory of its node"));
    }
}

/// Twice what it asks for: room to breathe, and far from a whole node. Without a request there
/// is nothing to begin from.
fn prevent(gap: &Gap, now: &Snapshot) -> Option<Patch> {
    let name = between(&gap.field, "ontainers[", "]")?;
    let spec = now.app(&gap.object)?.spec()?;
    let asked: Quantity = edit::container(spec, name)?.resources.requests.get("memory")?;
    let limit = asked.plus(asked);
    let lines = format!("resources: {{limits: {{memory: {}}}}}", limit.text("memory"));
    limit.is_positive().then(|| edit::container_patch(gap, &lines)).flatten()
}

/// Nothing happens by itself.
fn rehearse() -> Option<Scenario> {
    None
}

#[cfg(test)]
mod tests {
    use super::KIND;
    use crate::testing::{check_gaps, snapshot};
    use model::{Gap, Kind, ObjectRef};

    fn yaml(resources: &str) -> String {
        format!(
            "kind: Deployment\nmetadata: {{namespace: dock, name: buoy, creationTimestamp: \
             2026-01-01T00:00:00Z}}\nspec: {{replicas: 2, template: {{spec: {{containers: [{{name: \
             main, resources: {{{resources}}}}}]}}}}}}\n---\n"
        )
    }

    #[test]
    fn a_container_without_a_limit_is_a_gap() {
        let field = "spec.template.spec.containers[main].resources.limits.memory";
        let asks = yaml("requests: {memory: 128Mi}");
        check_gaps(&KIND, &asks, &[&format!("deploy/buoy {field}")]);
        let of_set = asks.replace("Deployment", "StatefulSet");
        check_gaps(&KIND, &of_set, &[&format!("sts/buoy {field}")]);
        check_gaps(&KIND, &yaml("limits: {memory: 1Gi}"), &[]);
        let range = "kind: LimitRange\nmetadata: {namespace: dock, name: l}\nspec: {limits: \
                     [{type: Container, default: {memory: 1Gi}}]}\n";
        check_gaps(&KIND, &(asks.clone() + range), &[]);
        check_gaps(&KIND, &asks.replace("dock", "kube-system"), &[]);
        let object = ObjectRef::new(Kind::Deployment, "dock", "buoy");
        let gap = Gap { failure: KIND.id, object, field: field.into(), why: String::new() };
        let patch = (KIND.prevent)(&gap, &snapshot(&asks)).expect("a patch");
        assert!(patch.body.contains("{memory: 256Mi}"), "{}", patch.body);
        assert_eq!((KIND.prevent)(&gap, &snapshot(&yaml(""))), None);
    }
}
