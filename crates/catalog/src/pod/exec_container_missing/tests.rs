use super::KIND;
use crate::testing::{check, lines, snapshot};

fn pod(status: &str) -> String {
    format!(
        "kind: Pod\nmetadata: {{name: mail-6f4d5b7c9d-x2x4z, namespace: park, ownerReferences: \
         [{{kind: ReplicaSet, name: mail-6f4d5b7c9d, controller: true}}]}}\nspec: {{nodeName: n1, \
         containers: [{{name: smtp, image: i}}]}}\nstatus: {{phase: Running, {status}}}\n"
    )
}

fn probe(count: u32, message: &str) -> String {
    format!(
        "---\nkind: Event\nmetadata: {{name: e, namespace: park}}\nreason: Unhealthy\ncount: \
         {count}\nmessage: '{message}'\ninvolvedObject: {{kind: Pod, namespace: park, name: \
         mail-6f4d5b7c9d-x2x4z}}\nlastTimestamp: 2026-01-02T10:00:00Z\n"
    )
}

const LOST: &str = "Readiness probe errored: rpc error: code = NotFound desc = failed to exec in \
                    container: failed to load task: no running task found: task ab not found";
const RUNS: &str = "containerStatuses: [{name: smtp, ready: false, state: {running: {startedAt: \
                    2026-01-02T09:00:00Z}}}]";

#[test]
fn a_probe_that_does_not_find_its_container_again_and_again() {
    let want = "status-stale deploy/mail Proven Active";
    check(&KIND, &(pod(RUNS) + &probe(9, LOST)), &[want]);
    // Once is a restart; another answer is another failure.
    check(&KIND, &(pod(RUNS) + &probe(1, LOST)), &[]);
    check(&KIND, &(pod(RUNS) + &probe(9, "Readiness probe failed: connection refused")), &[]);
    let restarts = RUNS.replace("ready: false", "ready: false, restartCount: 3");
    check(&KIND, &(pod(&restarts) + &probe(9, LOST)), &[]);
}

#[test]
fn an_error_of_kubectl_tells_when_only_one_pod_can_be_meant() {
    let error =
        |text: &str| model::ClientError { text: text.into(), answered_later: true, document: 0 };
    let text = "error: unable to upgrade connection: container not found (\"smtp\")";
    let mut now = snapshot(&pod(RUNS));
    now.client_errors = vec![error(text)];
    assert_eq!(lines(&KIND, &now), ["status-stale deploy/mail Likely Active"]);
    let other = pod(RUNS).replace("mail-6f4", "news-6f4");
    let mut now = snapshot(&(pod(RUNS) + "---\n" + &other));
    now.client_errors = vec![error(text)];
    assert_eq!(lines(&KIND, &now), Vec::<String>::new());
}
