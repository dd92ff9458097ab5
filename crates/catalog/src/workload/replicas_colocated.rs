//! `replicas-colocated`: all replicas of a workload are on one node.

use std::collections::BTreeSet;

use model::record::Node;
use model::{App, Gap, Patch, Scenario, Snapshot};

use super::audit;

failure! {
    /// # All replicas are on one node
    ///
    /// ## Signs
    /// `kubectl get pods -o wide` shows the same node for all replicas of a workload, though
    /// there are others.
    ///
    /// ## Why it happens
    /// The scheduler spreads pods only when it can and only at the moment it places them.
    /// After a node came back, after a scale-up in a hurry, or with small pods and one large
    /// new node, all replicas may end up together. When that node is lost, so are they all:
    /// the second replica bought nothing.
    ///
    /// ## What we do
    /// 1. Add a topology spread constraint over `kubernetes.io/hostname`.
    /// 2. Restart the workload once, so that its pods are placed anew.
    ///
    /// ## How to avoid it
    /// `topologySpreadConstraints` over nodes and zones with `ScheduleAnyway`;
    /// `DoNotSchedule` only where there are surely enough nodes.
    ///
    /// ## Sources
    /// Kubernetes documentation, "Pod Topology Spread Constraints".
    id: "replicas-colocated",
    mechanisms: {
        "replicas-colocated": "all its replicas are on one node",
    },
    reads: [Deployment, StatefulSet, Pod, Node],
    leads_to: ["service-without-endpoints"],
    detect: ExposedApps(lacks),
    exposed: exposed,
    remedy: audit::remedy,
    prevent: prevent,
    rehearse: rehearse,
}

const FIELD: &str = "spec.template.spec.topologySpreadConstraints";

fn exposed(now: &Snapshot, gaps: &mut Vec<Gap>) {
    now.apps.iter().for_each(|app| lacks(app, now, gaps));
}

/// What one workload lacks.
fn lacks(app: &App, now: &Snapshot, gaps: &mut Vec<Gap>) {
    if !audit::is_app(app) {
        return;
    }
    let placed: Vec<&str> =
        app.running().map(|p| p.node.as_str()).filter(|n| !n.is_empty()).collect();
    let nodes: BTreeSet<&str> = placed.iter().copied().collect();
    let usable = |n: &Node, now: &Snapshot| {
        (!n.is_cordoned() && !n.is_control_plane() && now.has_read(n)).then_some(())
    };
    if let (2.., Some(node), 1) = (placed.len(), nodes.first(), nodes.len())
        && now.signs_of_nodes(usable).len() >= 2
    {
        let why = format!("its {} pods are all on node {node}: lost together", placed.len());
        gaps.push(audit::gap(KIND.id, app, FIELD, why));
    }
}

fn prevent(gap: &Gap, now: &Snapshot) -> Option<Patch> {
    let labels = now.app(&gap.object)?.workload.as_ref()?.selector.match_labels.clone();
    let pairs: String = labels.iter().map(|(k, v)| format!("            {k}: \"{v}\"\n")).collect();
    let body = format!(
        "spec:\n  template:\n    spec:\n      topologySpreadConstraints:\n      - maxSkew: \
         1\n        \
         topologyKey: kubernetes.io/hostname\n        whenUnsatisfiable: ScheduleAnyway\n        \
         labelSelector:\n          matchLabels:\n{pairs}"
    );
    (!pairs.is_empty()).then(|| Patch { object: gap.object.clone(), body })
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

    fn yaml(first: &str, second: &str) -> String {
        let pod = |end: &str, node: &str| {
            format!(
                "kind: Pod\nmetadata: {{namespace: dock, name: buoy-5d4f8c7b9-{end}, \
                 ownerReferences: [{{kind: ReplicaSet, name: buoy-5d4f8c7b9, controller: \
                 true}}]}}\nspec: {{nodeName: {node}}}\nstatus: {{phase: Running}}\n---\n"
            )
        };
        "kind: Deployment\nmetadata: {namespace: dock, name: buoy, creationTimestamp: \
         2026-01-01T00:00:00Z}\nspec: {replicas: 2, selector: {matchLabels: {app: buoy}}, \
         template: \
         {spec: {containers: [{name: main}]}}}\n---\n"
            .to_owned()
            + &pod("aaaaa", first)
            + &pod("bbbbb", second)
            + "kind: Node\nmetadata: {name: n1}\n---\nkind: Node\nmetadata: {name: n2}\n"
    }

    #[test]
    fn two_pods_on_one_of_two_nodes_are_a_gap() {
        let field = "deploy/buoy spec.template.spec.topologySpreadConstraints";
        check_gaps(&KIND, &yaml("n1", "n1"), &[field]);
        check_gaps(&KIND, &yaml("n2", "n2"), &[field]);
        check_gaps(&KIND, &yaml("n1", "n2"), &[]);
        let alone = yaml("n1", "n1").replace("kind: Node\nmetadata: {name: n2}\n", "");
        check_gaps(&KIND, alone.trim_end_matches("---\n"), &[]);
        let object = ObjectRef::new(Kind::Deployment, "dock", "buoy");
        let gap = Gap { failure: KIND.id, object, field: String::new(), why: String::new() };
        let patch = (KIND.prevent)(&gap, &snapshot(&yaml("n1", "n1"))).expect("a patch");
        assert!(patch.body.contains("app: \"buoy\""), "{}", patch.body);
    }
}
