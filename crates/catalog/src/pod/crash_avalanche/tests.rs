use super::KIND;
use crate::testing::check;

/// A pod of revision `set` on a node whose container ended at 10:`minute` after running since
/// half past nine, and is waiting.
fn fallen(name: &str, set: &str, node: &str, at: &str) -> String {
    format!(
        "---\nkind: Pod\nmetadata: {{name: {name}, namespace: park, ownerReferences: [{{kind: \
         ReplicaSet, name: {set}, controller: true}}]}}\nspec: {{nodeName: {node}, containers: \
         [{{name: main, image: i}}]}}\nstatus: {{phase: Running, conditions: [{{type: Ready, status: \
         'False'}}], containerStatuses: [{{name: main, ready: false, restartCount: 2, state: \
         {{waiting: {{reason: CrashLoopBackOff}}}}, lastState: {{terminated: {{exitCode: 137, reason: \
         OOMKilled, startedAt: 2026-01-02T09:30:00Z, finishedAt: '{at}'}}}}}}]}}\n"
    )
}

fn ready(name: &str, set: &str) -> String {
    format!(
        "---\nkind: Pod\nmetadata: {{name: {name}, namespace: park, ownerReferences: [{{kind: \
         ReplicaSet, name: {set}, controller: true}}]}}\nspec: {{nodeName: n9, containers: [{{name: \
         main, image: i}}]}}\nstatus: {{phase: Running, conditions: [{{type: Ready, status: 'True'}}]}}\n"
    )
}

const WEB: &str = "kind: Deployment\nmetadata: {name: web, namespace: park}\nspec: {replicas: 4}\n";

fn falls(times: [&str; 3]) -> String {
    let [a, b, c] = times;
    WEB.to_owned()
        + &fallen("web-6f4d5b7c9d-aaaaa", "web-6f4d5b7c9d", "n1", a)
        + &fallen("web-6f4d5b7c9d-bbbbb", "web-6f4d5b7c9d", "n2", b)
        + &fallen("web-6f4d5b7c9d-ccccc", "web-6f4d5b7c9d", "n3", c)
}

const IN_TURN: [&str; 3] = ["2026-01-02T10:00:00Z", "2026-01-02T10:01:10Z", "2026-01-02T10:01:50Z"];

#[test]
fn replicas_that_fall_in_turn_are_an_avalanche() {
    let yaml = falls(IN_TURN) + &ready("web-6f4d5b7c9d-ddddd", "web-6f4d5b7c9d");
    check(&KIND, &yaml, &["load-moves-on deploy/web Likely Active"]);
    let aborted = yaml.replace("exitCode: 137, reason: OOMKilled", "exitCode: 134, reason: Error");
    check(&KIND, &aborted, &["load-moves-on deploy/web Likely Active"]);
}

#[test]
fn a_bad_revision_a_common_end_and_one_node_are_none() {
    let old = falls(IN_TURN) + &ready("web-5d4f8c7b9f-ddddd", "web-5d4f8c7b9f");
    check(&KIND, &old, &[]);
    check(&KIND, &falls(["2026-01-02T10:00:00Z"; 3]), &[]);
    let one_node = falls(IN_TURN)
        .replace("nodeName: n2", "nodeName: n1")
        .replace("nodeName: n3", "nodeName: n1");
    check(&KIND, &one_node, &[]);
    let at_start = falls(IN_TURN).replace("09:30:00Z", "09:59:59Z");
    check(&KIND, &at_start, &[]);
}
