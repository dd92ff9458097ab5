use super::KIND;
use crate::testing::{check, lines, snapshot};

/// A StatefulSet of one replica whose pod is being deleted since ten o'clock.
fn set(finalizers: &str, node: &str) -> String {
    format!(
        "kind: StatefulSet\nmetadata: {{name: ledger, namespace: park, creationTimestamp: \
         2026-01-01T09:00:00Z}}\nspec: {{replicas: 1, template: {{metadata: {{labels: {{app: \
         ledger}}}}, spec: {{containers: [{{name: main, image: i}}]}}}}}}\n---\nkind: Pod\nmetadata: \
         {{name: ledger-0, namespace: park, deletionTimestamp: 2026-01-02T10:00:00Z, finalizers: \
         [{finalizers}], ownerReferences: [{{kind: StatefulSet, name: ledger, controller: \
         true}}]}}\nspec: {{nodeName: n1, containers: [{{name: main, image: i}}]}}\nstatus: {{phase: \
         Running}}\n{node}"
    )
}

fn node(status: &str, at: &str) -> String {
    format!(
        "---\nkind: Node\nmetadata: {{name: n1}}\nstatus: {{conditions: [{{type: Ready, status: \
         '{status}', lastHeartbeatTime: '{at}', lastTransitionTime: '{at}'}}]}}\n"
    )
}

const LATER: &str = "2026-01-02T10:20:00Z";

#[test]
fn the_reason_why_it_stays_is_told() {
    let lost = set("", &node("Unknown", LATER));
    check(&KIND, &lost, &["node-lost node/n1 Proven Active"]);
    let held = set("example.com/drain", &node("True", LATER));
    check(&KIND, &held, &["finalizer-held pod/ledger-0 Proven Active"]);
    let silent = set("", &node("True", LATER));
    check(&KIND, &silent, &["kubelet-down node/n1 Possible Active"]);
    let told = silent
        + "---\nkind: Event\nmetadata: {name: e, namespace: park}\nreason: FailedKillPod\nmessage: 'error killing pod: failed to \"KillPodSandbox\" with KillPodSandboxError'\ninvolvedObject: {kind: Pod, namespace: park, name: ledger-0}\nlastTimestamp: 2026-01-02T10:10:00Z\n";
    check(&KIND, &told, &["kill-failing node/n1 Proven Active"]);
}

#[test]
fn a_node_that_is_gone_says_nothing_any_more() {
    let other = node("True", LATER).replace("n1", "n2");
    check(&KIND, &set("", &other), &["node-lost pod/ledger-0 Proven Active"]);
    let mut now = snapshot(&set("", &other));
    now.coverage = model::Coverage::default();
    assert_eq!(lines(&KIND, &now), ["kubelet-down node/n1 Possible Active"]);
}

#[test]
fn who_is_within_the_grace_period_goes_by_itself() {
    check(&KIND, &set("", &node("True", "2026-01-02T10:00:20Z")), &[]);
    check(&KIND, &set("", &node("True", "2026-01-02T09:59:40Z")), &[]);
}

#[test]
fn one_that_nobody_waits_for_is_a_note() {
    let held = set("example.com/drain", &node("True", LATER)).replace("replicas: 1", "replicas: 0");
    check(&KIND, &held, &["finalizer-held pod/ledger-0 Proven Suspected"]);
}
