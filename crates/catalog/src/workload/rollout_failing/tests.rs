use super::KIND;
use crate::testing::{check, check_gaps};

fn deployment(replicas: u32, more: &str, status: &str) -> String {
    format!(
        "kind: Deployment\nmetadata: {{namespace: tram, name: bell, creationTimestamp: \
         2026-01-01T00:00:00Z}}\nspec: {{replicas: {replicas}{more}, selector: {{matchLabels: \
         {{app: bell}}}}, template: {{metadata: {{labels: {{app: bell}}}}, spec: {{containers: \
         [{{name: main, image: 'bell:2'}}]}}}}}}\nstatus: {status}\n---\n"
    )
}

fn set(hash: &str, revision: u32, image: &str) -> String {
    format!(
        "kind: ReplicaSet\nmetadata: {{namespace: tram, name: bell-{hash}, creationTimestamp: \
         '2026-01-0{revision}T00:00:00Z', annotations: {{deployment.kubernetes.io/revision: \
         '{revision}'}}, ownerReferences: [{{kind: Deployment, name: bell, controller: \
         true}}]}}\nspec: {{replicas: 1, template: {{spec: {{containers: [{{name: main, image: \
         '{image}'}}]}}}}}}\nstatus: {{replicas: 1}}\n---\n"
    )
}

fn pod(hash: &str, end: &str, ready: &str, state: &str) -> String {
    format!(
        "kind: Pod\nmetadata: {{namespace: tram, name: bell-{hash}-{end}, creationTimestamp: \
         2026-01-02T00:00:05Z, ownerReferences: [{{kind: ReplicaSet, name: bell-{hash}, \
         controller: true}}]}}\nspec: {{containers: [{{name: main}}]}}\nstatus: {{phase: \
         Running, conditions: [{{type: Ready, status: '{ready}', lastTransitionTime: \
         2026-01-02T00:01:00Z}}], containerStatuses: [{{name: main, ready: false, state: \
         {state}}}]}}\n---\n"
    )
}

const RUNS: &str = "{running: {startedAt: 2026-01-02T00:00:10Z}}";
const PULLS: &str = "{waiting: {reason: ImagePullBackOff}}";
const LATE: &str = "{replicas: 2, updatedReplicas: 1, conditions: [{type: Progressing, status: \
                    'False', reason: ProgressDeadlineExceeded, message: ReplicaSet \
                    \"bell-66d5b8c4f\" has timed out progressing., lastTransitionTime: \
                    2026-01-02T00:10:00Z}]}";

fn rollout(status: &str, old: &str, new: &str, state: &str) -> String {
    deployment(2, "", status)
        + &set("5d4f8c7b9", 1, "bell:1")
        + &set("66d5b8c4f", 2, "bell:2")
        + &pod("5d4f8c7b9", "aaaaa", old, RUNS)
        + &pod("66d5b8c4f", "bbbbb", new, state)
}

#[test]
fn a_sick_new_revision_beside_a_well_old_one() {
    let want = "new-revision-unready deploy/bell Proven Active";
    check(&KIND, &rollout("{}", "True", "False", PULLS), &[want]);
    check(&KIND, &rollout(LATE, "True", "False", RUNS), &[want]);
}

#[test]
fn a_first_revision_that_never_came_up() {
    let yaml = deployment(1, "", LATE)
        + &set("66d5b8c4f", 2, "bell:2")
        + &pod("66d5b8c4f", "bbbbb", "False", PULLS);
    check(&KIND, &yaml, &["progress-deadline deploy/bell Proven Active"]);
    // The Deployment alone is known.
    check(&KIND, &deployment(1, "", LATE), &["progress-deadline deploy/bell Proven Active"]);
}

#[test]
fn look_alikes_stay_quiet() {
    // It is only rolling out.
    check(&KIND, &rollout("{}", "True", "False", RUNS), &[]);
    // A node or a peer hits both.
    check(&KIND, &rollout(LATE, "False", "False", PULLS), &[]);
    // All is well again.
    let well = rollout(LATE, "True", "True", RUNS);
    check(&KIND, &well, &[]);
    check(&KIND, &deployment(0, "", LATE), &[]);
}

#[test]
fn a_paused_change_is_a_note() {
    let status = "{replicas: 2, updatedReplicas: 0, readyReplicas: 2}";
    let yaml = deployment(2, ", paused: true", status);
    check(&KIND, &yaml, &["paused deploy/bell Proven Suspected"]);
    let told = "{replicas: 2, readyReplicas: 2, conditions: [{type: Progressing, status: \
                Unknown, reason: DeploymentPaused}]}";
    check(&KIND, &deployment(2, "", told), &["paused deploy/bell Proven Suspected"]);
    let done = yaml.replace("updatedReplicas: 0", "updatedReplicas: 2");
    check(&KIND, &done, &[]);
    // Paused long before anything new came out: nobody tries anything, it was forgotten.
    let since = |at: &str, updated: u32| {
        format!(
            "{{replicas: 2, updatedReplicas: {updated}, conditions: [{{type: Available, status: \
             'True', lastTransitionTime: 2026-03-01T12:00:00Z}}, {{type: Progressing, status: \
             Unknown, reason: DeploymentPaused, lastTransitionTime: {at}}}]}}"
        )
    };
    let long = deployment(2, ", paused: true", &since("2026-03-01T10:00:00Z", 0));
    check(&KIND, &long, &["paused deploy/bell Proven Active"]);
    let trial = deployment(2, ", paused: true", &since("2026-03-01T10:00:00Z", 1));
    check(&KIND, &trial, &["paused deploy/bell Proven Suspected"]);
}

#[test]
fn a_deadline_of_seconds_is_a_gap() {
    let yaml = deployment(2, ", progressDeadlineSeconds: 30", "{}");
    check_gaps(&KIND, &yaml, &["deploy/bell spec.progressDeadlineSeconds"]);
    check_gaps(&KIND, &deployment(2, "", "{}"), &[]);
}
