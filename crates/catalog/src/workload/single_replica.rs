//! `single-replica`: one pod that others need.

use model::{App, Gap, Kind, Patch, Scenario, Snapshot};

use super::audit;

failure! {
    /// # One pod that others need
    ///
    /// ## Signs
    /// A workload has `replicas: 1`, and a route or other workloads depend on its Service.
    ///
    /// ## Why it happens
    /// One replica is the default, and it works until the first restart: a crash, an eviction,
    /// a node that is drained or lost, or a rollout with `Recreate`. Each time its callers get
    /// errors until the new pod is ready; after the loss of a node that takes over five
    /// minutes.
    ///
    /// ## What we do
    /// 1. Can it run twice? Ask what it keeps in memory or on its own disk.
    /// 2. Two replicas or more, a readiness probe, a disruption budget, and a rule that
    ///    spreads them over nodes.
    ///
    /// ## How to avoid it
    /// Make two the usual number in templates. What may run only once should say so in an
    /// annotation, and be quick to start.
    ///
    /// ## Sources
    /// Kubernetes documentation, "Disruptions".
    id: "single-replica",
    mechanisms: {
        "single-replica": "one pod is all there is",
    },
    reads: [Deployment, StatefulSet, Service, Ingress],
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
    if !audit::is_app(app) || app.wanted() != Some(1) {
        return;
    }
    // An autoscaler that may add replicas begins at its fewest.
    let scaled = now.scalers_of(app).any(|s| s.fewest() > 1);
    let Some(who) = audit::needed_by(app, now).filter(|_| !scaled) else { return };
    let why = format!("{who} needs it: whenever its one pod stops, that fails");
    gaps.push(audit::gap(KIND.id, app, "spec.replicas", why));
}

/// A second replica beside a disk that only one node may mount would never start.
fn prevent(gap: &Gap, now: &Snapshot) -> Option<Patch> {
    let app = now.app(&gap.object)?;
    let alone = gap.object.kind != Kind::Deployment || !now.claims_of(app).is_empty();
    let body = "spec:\n  replicas: 2\n".to_owned();
    (!alone).then(|| Patch { object: gap.object.clone(), body })
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

    fn yaml(replicas: u32, volumes: &str) -> String {
        format!(
            "kind: Deployment\nmetadata: {{namespace: dock, name: buoy, creationTimestamp: \
             2026-01-01T00:00:00Z}}\nspec: {{replicas: {replicas}, template: {{metadata: {{labels: \
             {{app: buoy}}}}, spec: {{containers: [{{name: main}}]{volumes}}}}}}}\n---\nkind: \
             Service\nmetadata: {{namespace: dock, name: buoy}}\nspec: {{selector: {{app: buoy}}, \
             ports: [{{port: 80}}]}}\n---\n"
        )
    }

    const INGRESS: &str = "kind: Ingress\nmetadata: {namespace: dock, name: sea}\nspec: {rules: \
                           [{http: {paths: [{path: /, backend: {service: {name: buoy, port: \
                           {number: 80}}}}]}}]}\n";

    #[test]
    fn one_pod_behind_a_route_is_a_gap() {
        check_gaps(&KIND, &(yaml(1, "") + INGRESS), &["deploy/buoy spec.replicas"]);
        let other = (yaml(1, "") + INGRESS).replace("buoy", "boat");
        check_gaps(&KIND, &other, &["deploy/boat spec.replicas"]);
        check_gaps(&KIND, &(yaml(2, "") + INGRESS), &[]);
        check_gaps(&KIND, &yaml(1, ""), &[]);
    }

    #[test]
    fn a_second_replica_must_be_able_to_start() {
        let object = ObjectRef::new(Kind::Deployment, "dock", "buoy");
        let gap =
            Gap { failure: KIND.id, object, field: "spec.replicas".into(), why: String::new() };
        assert!((KIND.prevent)(&gap, &snapshot(&yaml(1, ""))).is_some());
        let disk = ", volumes: [{name: d, persistentVolumeClaim: {claimName: d}}]";
        assert!((KIND.prevent)(&gap, &snapshot(&yaml(1, disk))).is_none());
    }
}
