use super::KIND;
use crate::testing::{check, check_gaps};

fn scaler(name: &str, reason: &str, message: &str) -> String {
    let conditions = match reason {
        "" => String::new(),
        "FailedGetScale" => format!(
            "conditions: [{{type: AbleToScale, status: 'False', reason: {reason}, message: \
             '{message}', lastTransitionTime: 2026-03-01T09:00:00Z}}]"
        ),
        _ => format!(
            "conditions: [{{type: ScalingActive, status: 'False', reason: {reason}, message: \
             '{message}', lastTransitionTime: 2026-03-01T09:00:00Z}}]"
        ),
    };
    format!(
        "kind: HorizontalPodAutoscaler\nmetadata: {{namespace: fair, name: {name}, \
         creationTimestamp: 2026-01-01T00:00:00Z}}\nspec: {{scaleTargetRef: {{kind: Deployment, \
         name: wheel}}, minReplicas: 2, maxReplicas: 6, metrics: [{{type: Resource, resource: \
         {{name: cpu, target: {{type: Utilization, averageUtilization: 60}}}}}}]}}\nstatus: \
         {{currentReplicas: 2, desiredReplicas: 2, {conditions}}}\n---\n"
    )
}

fn wheel(resources: &str, ready: &str) -> String {
    format!(
        "kind: Deployment\nmetadata: {{namespace: fair, name: wheel, creationTimestamp: \
         2026-01-01T00:00:00Z}}\nspec: {{replicas: 2, template: {{spec: {{containers: [{{name: \
         main, resources: {{requests: {{cpu: 100m}}}}}}, {{name: proxy{resources}}}]}}}}}}\nstatus: \
         {{replicas: 2}}\n---\nkind: Pod\nmetadata: {{namespace: fair, name: wheel-5d4f8c7b9-x2x4z, \
         creationTimestamp: 2026-01-01T00:00:00Z, ownerReferences: [{{kind: ReplicaSet, name: \
         wheel-5d4f8c7b9, controller: true}}]}}\nspec: {{containers: [{{name: main}}]}}\nstatus: \
         {{phase: Running, conditions: [{{type: Ready, status: '{ready}'}}]}}\n---\n"
    )
}

const REQUEST: &str = ", resources: {requests: {cpu: 10m}}";
const NO_API: &str = "the HPA was unable to compute the replica count: failed to get cpu \
                      utilization: unable to get metrics for resource cpu: unable to fetch metrics \
                      from resource metrics API: the server could not find the requested resource \
                      (get pods.metrics.k8s.io)";
const CLOCK: &str = "kind: Event\nmetadata: {namespace: fair, name: e}\ninvolvedObject: {kind: Pod, \
                     namespace: fair, name: x}\nlastTimestamp: 2026-03-05T09:00:00Z\n---\n";
const FAILED: &str = "FailedGetResourceMetric";

#[test]
fn the_container_without_a_request_is_named() {
    for message in [
        "the HPA was unable to compute the replica count: failed to get cpu utilization: missing \
         request for cpu in container proxy of Pod wheel-5d4f8c7b9-x2x4z",
        "the HPA was unable to compute the replica count: missing request for cpu",
    ] {
        let yaml = scaler("wheel", FAILED, message) + &wheel("", "True");
        check(&KIND, &yaml, &["request-missing deploy/wheel Proven Active"]);
        check_gaps(
            &KIND,
            &yaml,
            &["deploy/wheel spec.template.spec.containers[proxy].resources.requests.cpu"],
        );
    }
    // Only the table is known: the present value is missing, and so is a request.
    let table = scaler("wheel", "", "") + &wheel("", "True") + CLOCK;
    check(&KIND, &table, &["request-missing deploy/wheel Proven Active"]);
}

#[test]
fn a_metrics_api_that_is_down_blinds_them_all_at_once() {
    let one = scaler("wheel", FAILED, NO_API) + &wheel(REQUEST, "True");
    check(&KIND, &one, &["metrics-api-down component/metrics-server Proven Active"]);
    let two = one.clone() + &scaler("slide", FAILED, NO_API);
    check(&KIND, &two, &["metrics-api-down component/metrics-server Proven Active"]);
    let down = "kind: Deployment\nmetadata: {namespace: kube-system, name: metrics-server, \
                creationTimestamp: 2026-01-01T00:00:00Z}\nspec: {replicas: 1}\nstatus: \
                {replicas: 1}\n---\n";
    check(&KIND, &(two + down), &["metrics-api-down deploy/metrics-server Proven Active"]);
    let table = scaler("wheel", "", "") + &wheel(REQUEST, "True") + CLOCK;
    check(&KIND, &table, &["metrics-api-down component/metrics-server Possible Active"]);
}

#[test]
fn targets_and_metrics_that_do_not_exist() {
    let none = "deployments/scale.apps \"wheel\" not found";
    check(
        &KIND,
        &scaler("wheel", "FailedGetScale", none),
        &["target-missing hpa/wheel Proven Active"],
    );
    let custom = "unable to get external metric fair/queue: unable to fetch metrics from external \
                  metrics API: the server could not find the requested resource (get \
                  queue.external.metrics.k8s.io)";
    let yaml = scaler("wheel", "FailedGetExternalMetric", custom) + &wheel(REQUEST, "True");
    check(&KIND, &yaml, &["metric-missing hpa/wheel Proven Active"]);
    let shared = "pods by selector app=wheel are controlled by multiple HPAs: [fair/a fair/b]";
    let yaml = scaler("wheel", "AmbiguousSelector", shared) + &wheel(REQUEST, "True");
    check(&KIND, &yaml, &["pods-shared hpa/wheel Proven Active"]);
}

#[test]
fn look_alikes_stay_quiet() {
    let app = wheel(REQUEST, "True");
    let new = scaler("wheel", FAILED, NO_API)
        .replace("2026-01-01T00", "2026-03-01T08")
        .replace("08:00:00Z}", "08:59:00Z}");
    check(&KIND, &(new + &app), &[]);
    let unready = wheel(REQUEST, "False");
    check(
        &KIND,
        &(scaler("wheel", FAILED, "did not receive metrics for targeted pods") + &unready),
        &[],
    );
    let off = scaler("wheel", "ScalingDisabled", "the replica count of the target is zero");
    check(&KIND, &(off + &app.replace("replicas: 2", "replicas: 0")), &[]);
    let well = scaler("wheel", "X", "").replace("'False'", "'True'");
    check(&KIND, &(well + &app), &[]);
}

#[test]
fn conditions_without_a_complaint_say_more_than_a_value_that_is_missing() {
    let able = scaler("wheel", "FailedGetScale", "recommended size matches current size")
        .replace("'False', reason: FailedGetScale", "'True', reason: ReadyForNewScale");
    check(&KIND, &(able + &wheel(REQUEST, "True") + CLOCK), &[]);
}

#[test]
fn who_was_always_blind_is_a_note() {
    let yaml = scaler("wheel", FAILED, NO_API)
        .replace("2026-01-01T00", "2026-03-01T08")
        .replace("08:00:00Z}", "08:59:00Z}");
    let yaml = yaml + &wheel(REQUEST, "True") + CLOCK;
    check(&KIND, &yaml, &["metrics-api-down component/metrics-server Proven Suspected"]);
}
