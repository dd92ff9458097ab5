use super::KIND;
use crate::testing::{check, check_gaps};

fn evicted(replicas: u32, at: &str, message: &str) -> String {
    format!(
        "kind: Deployment\nmetadata: {{name: scans, namespace: park, creationTimestamp: \
         2026-01-01T09:00:00Z}}\nspec: {{replicas: {replicas}, template: {{metadata: {{labels: {{app: \
         scans}}}}, spec: {{containers: [{{name: main, image: i}}], volumes: [{{name: tmp, emptyDir: \
         {{}}}}]}}}}}}\n---\nkind: Pod\nmetadata: {{name: scans-6f4d5b7c9d-x2x4z, namespace: park, \
         creationTimestamp: 2026-01-02T09:00:00Z, ownerReferences: [{{kind: ReplicaSet, name: \
         scans-6f4d5b7c9d, controller: true}}]}}\nspec: {{nodeName: n1, containers: [{{name: main, \
         image: i}}]}}\nstatus: {{phase: Failed, reason: Evicted, message: '{message}', startTime: \
         '{at}'}}\n---\nkind: Pod\nmetadata: {{name: scans-6f4d5b7c9d-aaaaa, namespace: park, \
         creationTimestamp: 2026-01-02T10:00:00Z, ownerReferences: [{{kind: ReplicaSet, name: \
         scans-6f4d5b7c9d, controller: true}}]}}\nspec: {{nodeName: n1, containers: [{{name: main, \
         image: i}}]}}\nstatus: {{phase: Running, conditions: [{{type: Ready, status: 'True', \
         lastTransitionTime: 2026-01-02T10:00:05Z}}]}}\n"
    )
}

const LATELY: &str = "2026-01-02T09:50:00Z";

#[test]
fn the_four_wordings_are_told_apart() {
    for (message, want) in [
        ("Usage of EmptyDir volume \"tmp\" exceeds the limit \"1Gi\". ", "empty-dir-limit"),
        ("Container main exceeded its local ephemeral storage limit \"1Gi\". ", "container-limit"),
        (
            "Pod ephemeral local storage usage exceeds the total limit of containers 1Gi. ",
            "pod-limit",
        ),
    ] {
        let want = format!("{want} deploy/scans Proven Active");
        check(&KIND, &evicted(2, LATELY, message), &[&want]);
    }
    for message in [
        "The node was low on resource: ephemeral-storage. Container main was using 92Ki, which exceeds its request of 0. ",
        "The node was low on resource: ephemeral-storage. Threshold quantity: 10, available: 9Ki. Container main was using 92Ki, request is 0, has larger consumption of ephemeral-storage. ",
    ] {
        let want = "node-pressure deploy/scans Possible Active";
        check(&KIND, &evicted(2, LATELY, message), &[want]);
    }
}

#[test]
fn a_workload_that_is_whole_again_recovers_and_then_is_well() {
    let message = "Usage of EmptyDir volume \"tmp\" exceeds the limit \"1Gi\". ";
    check(&KIND, &evicted(1, LATELY, message), &["empty-dir-limit deploy/scans Proven Recovering"]);
    check(&KIND, &evicted(1, "2026-01-01T09:50:00Z", message), &[]);
    let memory = "The node was low on resource: memory. Container main was using 92Ki, which exceeds its request of 0. ";
    check(&KIND, &evicted(2, LATELY, memory), &[]);
}

#[test]
fn scratch_volumes_without_a_request_are_a_gap() {
    let field = "spec.template.spec.containers[main].resources.requests.ephemeral-storage";
    check_gaps(&KIND, &evicted(2, LATELY, "x"), &[&format!("deploy/scans {field}")]);
}
