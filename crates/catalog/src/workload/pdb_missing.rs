//! `pdb-missing`: replicas that may all be evicted at once.

use model::{App, Gap, Kind, ObjectRef, Patch, Scenario, Snapshot};

use super::audit;

failure! {
    /// # Replicas without a disruption budget
    ///
    /// ## Signs
    /// A workload with two or more replicas and callers has no PodDisruptionBudget.
    ///
    /// ## Why it happens
    /// Draining a node evicts all its pods at once. Two drains at the same time, as upgrades
    /// of node groups do, or replicas that share a node, take a whole workload away. Only a
    /// budget makes the drain wait until the next pod is ready elsewhere.
    ///
    /// ## What we do
    /// 1. Add a budget with `maxUnavailable: 1`.
    /// 2. Never ask for as many as there are: see `pdb-blocking`.
    ///
    /// ## How to avoid it
    /// Let the template that makes the Deployment make its budget too.
    ///
    /// ## Sources
    /// Kubernetes documentation, "Specifying a Disruption Budget".
    id: "pdb-missing",
    mechanisms: {
        "pdb-missing": "nothing limits how many of its pods are evicted at once",
    },
    reads: [PodDisruptionBudget, Deployment, StatefulSet, Service, Ingress],
    leads_to: ["service-without-endpoints"],
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
    if !audit::is_app(app) || app.wanted().is_none_or(|w| w <= 1) {
        return;
    }
    let namespace = &app.object.namespace;
    if !now.coverage.lists(Kind::PodDisruptionBudget, namespace) {
        return;
    }
    let Some(labels) = app.pod_labels() else { return };
    let protects = |b: &model::record::Budget| b.selector.matches(labels);
    if now.budgets.in_namespace(namespace).any(protects) {
        return;
    }
    if let Some(who) = audit::needed_by(app, now) {
        let why = format!("{who} needs it, and a drain may take all its pods at once");
        gaps.push(audit::gap(KIND.id, app, "PodDisruptionBudget", why));
    }
}

/// The budget is a new object: applied, the patch makes it.
fn prevent(gap: &Gap, now: &Snapshot) -> Option<Patch> {
    let app = now.app(&gap.object)?;
    let workload = app.workload.as_ref()?;
    let own = &workload.selector.match_labels;
    let labels = if own.iter().next().is_some() { own } else { app.pod_labels()? };
    let pairs: String = labels.iter().map(|(k, v)| format!("      {k}: \"{v}\"\n")).collect();
    let object = ObjectRef::new(Kind::PodDisruptionBudget, &gap.object.namespace, &gap.object.name);
    let body = format!("spec:\n  maxUnavailable: 1\n  selector:\n    matchLabels:\n{pairs}");
    Some(Patch { object, body })
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

    fn yaml(replicas: u32) -> String {
        format!(
            "kind: Deployment\nmetadata: {{namespace: dock, name: buoy, creationTimestamp: \
             2026-01-01T00:00:00Z}}\nspec: {{replicas: {replicas}, selector: {{matchLabels: {{app: \
             buoy}}}}, template: {{metadata: {{labels: {{app: buoy, tier: a}}}}, spec: {{containers: \
             [{{name: main}}]}}}}}}\n---\nkind: Service\nmetadata: {{namespace: dock, name: \
             buoy}}\nspec: {{selector: {{app: buoy}}, ports: [{{port: 80}}]}}\n---\nkind: \
             Deployment\nmetadata: {{namespace: dock, name: ship}}\nspec: {{replicas: 1, template: \
             {{spec: {{containers: [{{name: main, env: [{{name: B, value: 'buoy:80'}}]}}]}}}}}}\n---\n"
        )
    }

    #[test]
    fn replicas_that_others_need_want_a_budget() {
        check_gaps(&KIND, &yaml(2), &["deploy/buoy PodDisruptionBudget"]);
        check_gaps(&KIND, &yaml(5), &["deploy/buoy PodDisruptionBudget"]);
        check_gaps(&KIND, &yaml(1), &[]);
        let budget = "kind: PodDisruptionBudget\nmetadata: {namespace: dock, name: b}\nspec: \
                      {selector: {matchLabels: {app: buoy}}, maxUnavailable: 1}\n";
        check_gaps(&KIND, &(yaml(2) + budget), &[]);
        let object = ObjectRef::new(Kind::Deployment, "dock", "buoy");
        let gap = Gap { failure: KIND.id, object, field: String::new(), why: String::new() };
        let patch = (KIND.prevent)(&gap, &snapshot(&yaml(2))).expect("a patch");
        assert_eq!(patch.object.kind, Kind::PodDisruptionBudget);
        assert!(patch.body.ends_with("matchLabels:\n      app: \"buoy\"\n"), "{}", patch.body);
    }
}
