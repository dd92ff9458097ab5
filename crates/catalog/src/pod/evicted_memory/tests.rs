use super::KIND;
use crate::testing::{check, check_gaps};

/// A workload of two replicas of which one was evicted from `n1`.
fn evicted(name: &str, message: &str) -> String {
    format!(
        "kind: Deployment\nmetadata: {{name: {name}, namespace: park, creationTimestamp: \
         2026-01-01T09:00:00Z}}\nspec: {{replicas: 2, template: {{metadata: {{labels: {{app: \
         {name}}}}}, spec: {{containers: [{{name: main, image: i}}]}}}}}}\n---\nkind: Pod\nmetadata: \
         {{name: {name}-6f4d5b7c9d-x2x4z, namespace: park, ownerReferences: [{{kind: ReplicaSet, \
         name: {name}-6f4d5b7c9d, controller: true}}]}}\nspec: {{nodeName: n1, containers: [{{name: \
         main, image: i}}]}}\nstatus: {{phase: Failed, reason: Evicted, message: '{message}', \
         startTime: 2026-01-02T09:50:00Z}}\n"
    )
}

fn node(gibibytes: u32) -> String {
    format!(
        "---\nkind: Node\nmetadata: {{name: n1}}\nstatus: {{capacity: {{memory: {gibibytes}Gi}}}}\n"
    )
}

fn used(kibibytes: u64) -> String {
    format!(
        "The node was low on resource: memory. Container main was using {kibibytes}Ki, which \
         exceeds its request of 0. "
    )
}

#[test]
fn a_victim_that_used_most_is_the_culprit() {
    let large = evicted("maps", &used(6 << 20));
    check(&KIND, &(large.clone() + &node(8)), &["memory-hog deploy/maps Proven Active"]);
    check(&KIND, &(large.clone() + &node(16)), &["memory-hog deploy/maps Likely Active"]);
    let small = evicted("mail", &used(90 << 10));
    let both = large + "---\n" + &small + &node(8);
    check(&KIND, &both, &["memory-hog deploy/maps Proven Active"]);
}

#[test]
fn small_victims_are_not_to_blame() {
    let new = "The node was low on resource: memory. Threshold quantity: 100Mi, available: 90Mi. Container main was using 90Mi, request is 10Mi, has larger consumption of memory. ";
    for message in [used(90 << 10), new.to_owned()] {
        let yaml = evicted("mail", &message) + &node(8);
        check(&KIND, &yaml, &["memory-exhausted node/n1 Likely Active"]);
    }
}

#[test]
fn other_reasons_and_old_evictions_are_quiet() {
    let disk = "The node was low on resource: ephemeral-storage. Container main was using 9Ki, which exceeds its request of 0. ";
    check(&KIND, &(evicted("mail", disk) + &node(8)), &[]);
    let later = "---\nkind: Event\nmetadata: {name: e}\nreason: X\nmessage: x\ninvolvedObject: {kind: Node, name: n1}\nlastTimestamp: 2026-01-04T10:00:00Z\n";
    let whole = evicted("mail", &used(90 << 10)).replace("replicas: 2", "replicas: 0");
    check(&KIND, &(whole + &node(8) + later), &[]);
}

#[test]
fn who_asks_for_nothing_goes_first() {
    let field = "spec.template.spec.containers[main].resources.requests.memory";
    check_gaps(&KIND, &evicted("mail", "x"), &[&format!("deploy/mail {field}")]);
}
