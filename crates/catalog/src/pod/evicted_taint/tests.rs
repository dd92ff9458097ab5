use super::KIND;
use crate::testing::{check, check_gaps};

fn node(taint: &str) -> String {
    format!("kind: Node\nmetadata: {{name: n1}}\nspec: {{taints: [{taint}]}}\n---\n")
}

/// A workload of two replicas; one pod of it is on `n1`.
fn pod(conditions: &str, replicas: u32) -> String {
    format!(
        "kind: Deployment\nmetadata: {{name: maps, namespace: park}}\nspec: {{replicas: {replicas}, \
         template: {{metadata: {{labels: {{app: maps}}}}, spec: {{containers: [{{name: main, image: \
         i}}], tolerations: [{{key: node.kubernetes.io/unreachable, operator: Exists, effect: \
         NoExecute, tolerationSeconds: 5}}]}}}}}}\n---\nkind: Pod\nmetadata: {{name: \
         maps-6f4d5b7c9d-x2x4z, namespace: park, ownerReferences: [{{kind: ReplicaSet, name: \
         maps-6f4d5b7c9d, controller: true}}], deletionTimestamp: 2026-01-02T10:00:00Z}}\nspec: \
         {{nodeName: n1, containers: [{{name: main, image: i}}]}}\nstatus: {{phase: Running, \
         conditions: [{conditions}]}}\n"
    )
}

const TARGET: &str = "{type: DisruptionTarget, status: 'True', reason: DeletionByTaintManager, \
                      message: 'Taint manager: deleting due to NoExecute taint', \
                      lastTransitionTime: 2026-01-02T10:00:00Z}";
const MEANT: &str = "{key: maintenance, value: 'yes', effect: NoExecute}";
const LOST: &str = "{key: node.kubernetes.io/unreachable, effect: NoExecute}";

fn event(message: &str) -> String {
    format!(
        "---\nkind: Event\nmetadata: {{name: e, namespace: park}}\nreason: \
         TaintManagerEviction\nmessage: '{message}'\ninvolvedObject: {{kind: Pod, namespace: park, \
         name: maps-6f4d5b7c9d-x2x4z}}\nlastTimestamp: 2026-01-02T10:00:00Z\n"
    )
}

#[test]
fn who_tainted_is_told() {
    for (taint, want) in [
        (MEANT, "tainted-by-person"),
        (LOST, "node-lost"),
        ("{key: node.kubernetes.io/out-of-service, effect: NoExecute}", "out-of-service"),
    ] {
        let want = format!("{want} node/n1 Proven Active");
        check(&KIND, &(node(taint) + &pod(TARGET, 2)), &[&want]);
        let told = event("Marking for deletion Pod park/maps-6f4d5b7c9d-x2x4z");
        check(&KIND, &(node(taint) + &pod("", 2) + &told), &[&want]);
    }
}

#[test]
fn what_was_cancelled_or_moved_is_no_failure() {
    let told = event("Cancelling deletion of Pod park/maps-6f4d5b7c9d-x2x4z");
    check(&KIND, &(node(LOST) + &pod("", 2) + &told), &[]);
    check(&KIND, &(node(MEANT) + &pod(TARGET, 0)), &[]);
    check(&KIND, &(node("") + &pod(TARGET, 2)), &[]);
    let drained = TARGET.replace("DeletionByTaintManager", "EvictionByEvictionAPI");
    check(&KIND, &(node(MEANT) + &pod(&drained, 2)), &[]);
}

#[test]
fn a_short_patience_is_a_gap() {
    check_gaps(&KIND, &pod("", 2), &["deploy/maps spec.template.spec.tolerations"]);
}
