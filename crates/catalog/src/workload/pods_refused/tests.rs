use super::KIND;
use crate::testing::{check, lines, snapshot};

/// A Deployment and its ReplicaSet that wants `wanted` pods and has `there`.
fn workload(spec: &str, wanted: u32, there: u32) -> String {
    let pods: String = (0..there)
        .map(|i| {
            format!(
                "kind: Pod\nmetadata:\n  name: press-6b8d9c7f5-x2x4{i}\n  namespace: print\n\
                 \x20 creationTimestamp: 2026-02-01T08:00:20Z\n  labels: {{app: press}}\n\
                 \x20 ownerReferences: [{{kind: ReplicaSet, name: press-6b8d9c7f5, controller: \
                 true}}]\nspec: {spec}\nstatus: {{phase: Running, conditions: [{{type: Ready, \
                 status: 'True'}}]}}\n---\n"
            )
        })
        .collect();
    let body = format!(
        "spec:\n  replicas: {wanted}\n  selector: {{matchLabels: {{app: press}}}}\n\
         \x20 template: {{metadata: {{labels: {{app: press}}}}, spec: {spec}}}\n\
         status: {{replicas: {there}, readyReplicas: {there}}}\n"
    );
    let when = "creationTimestamp: 2026-02-01T07:59:50Z";
    format!(
        "kind: Deployment\nmetadata: {{name: press, namespace: print, {when}}}\n{body}---\n\
         kind: ReplicaSet\nmetadata: {{name: press-6b8d9c7f5, namespace: print, {when}, \
         ownerReferences: [{{kind: Deployment, name: press, controller: true}}]}}\n{body}---\n{pods}"
    )
}

fn event(message: &str) -> String {
    format!(
        "kind: Event\nmetadata: {{name: e1, namespace: print}}\ninvolvedObject: {{kind: \
         ReplicaSet, name: press-6b8d9c7f5, namespace: print}}\ntype: Warning\n\
         reason: FailedCreate\nmessage: 'Error creating: {message}'\ncount: 4\n\
         firstTimestamp: 2026-02-01T08:00:00Z\nlastTimestamp: 2026-02-01T08:00:10Z\n---\n"
    )
}

const PLAIN: &str = "{containers: [{name: main, image: i}]}";

#[test]
fn each_refusal_has_its_mechanism_and_object() {
    let forbidden = "pods \"press-6b8d9c7f5-\" is forbidden:";
    for (message, want) in [
        (
            "exceeded quota: team, requested: requests.cpu=2, used: requests.cpu=9, limited: \
             requests.cpu=10",
            "quota-cpu quota/team",
        ),
        (
            "exceeded quota: team, requested: pods=1, used: pods=5, limited: pods=5",
            "quota-pods quota/team",
        ),
        (
            "exceeded quota: team, requested: limits.memory=1Gi, used: limits.memory=8Gi, \
             limited: limits.memory=8Gi",
            "quota-memory quota/team",
        ),
        (
            "exceeded quota: team, requested: count/jobs.batch=1, used: count/jobs.batch=3, \
             limited: count/jobs.batch=3",
            "quota-count quota/team",
        ),
        ("failed quota: team: must specify limits.cpu for: main", "quota-cpu deploy/press"),
        ("failed quota: team: must specify requests.memory", "quota-memory deploy/press"),
        ("maximum cpu usage per Container is 1, but limit is 2", "limit-range deploy/press"),
        (
            "violates PodSecurity \"restricted:latest\": runAsNonRoot != true (pod or container \
             \"main\" must set securityContext.runAsNonRoot=true)",
            "pod-security deploy/press",
        ),
        (
            "error looking up service account print/inker: serviceaccount \"inker\" not found",
            "service-account-missing deploy/press",
        ),
        ("no PriorityClass with name rush was found", "priority-class-missing deploy/press"),
        ("pod rejected: RuntimeClass \"kata\" not found", "runtime-class-missing deploy/press"),
    ] {
        let yaml = workload(PLAIN, 2, 0) + &event(&format!("{forbidden} {message}"));
        check(&KIND, &yaml, &[&format!("{want} Proven Active")]);
    }
    for (message, want) in [
        (
            "Internal error occurred: failed calling webhook \"a.b\": Post \
             \"https://guard.policy.svc:443/pods\": connect: connection refused",
            "webhook-unreachable svc/guard",
        ),
        ("admission webhook \"a.b\" denied the request: no", "webhook-denied deploy/press"),
        (
            "Pod \"press-1\" is invalid: spec.containers[0].image: Required value",
            "field-invalid deploy/press",
        ),
    ] {
        let yaml = workload(PLAIN, 2, 0) + &event(message);
        check(&KIND, &yaml, &[&format!("{want} Proven Active")]);
    }
    let unclear = workload(PLAIN, 2, 0) + &event("something new");
    check(&KIND, &unclear, &["webhook-denied deploy/press Possible Active"]);
}

#[test]
fn the_quota_is_told_how_large_it_must_be() {
    let message = "pods \"press-6b8d9c7f5-\" is forbidden: exceeded quota: team, requested: \
                   requests.cpu=2, used: requests.cpu=9, limited: requests.cpu=10";
    let mut findings = model::Findings::default();
    super::detect(&snapshot(&(workload(PLAIN, 2, 0) + &event(message))), &mut findings);
    let finding = &findings.found[0];
    assert_eq!(finding.field.as_deref(), Some("spec.hard[requests.cpu]"));
    assert_eq!(finding.value.as_deref(), Some("10"));
    assert_eq!(finding.expected.as_deref(), Some("at least 13"));
    assert_eq!(finding.affected[0].how, "0 of 2 pods exist");
    let remedy = super::remedy(finding, &snapshot(""));
    let raise = remedy.next[1].command.as_deref();
    assert_eq!(
        raise,
        Some(
            "kubectl patch quota team -n print -p \
             '{\"spec\":{\"hard\":{\"requests.cpu\":\"13\"}}}'"
        )
    );
}

#[test]
fn a_condition_alone_tells_too() {
    let condition = "conditions: [{type: ReplicaFailure, status: 'True', reason: FailedCreate, \
                     message: 'pods is forbidden: exceeded quota: team, requested: pods=1, used: \
                     pods=5, limited: pods=5'}], replicas: 0";
    let yaml = workload(PLAIN, 2, 0).replace("replicas: 0", condition);
    check(&KIND, &yaml, &["quota-pods quota/team Proven Active"]);
}

#[test]
fn a_quota_without_room_explains_silence() {
    let asks = "{containers: [{name: main, resources: {requests: {cpu: '2'}}}]}";
    let quota = |used: &str| {
        format!(
            "kind: ResourceQuota\nmetadata: {{name: team, namespace: print, creationTimestamp: \
             2026-01-01T00:00:00Z}}\nspec: {{hard: {{requests.cpu: '10'}}}}\nstatus: {{hard: \
             {{requests.cpu: '10'}}, used: {{requests.cpu: '{used}'}}}}\n"
        )
    };
    let want = "quota-cpu quota/team Proven Active";
    check(&KIND, &(workload(asks, 1, 0) + &quota("9")), &[want]);
    check(&KIND, &(workload(asks, 1, 0) + &quota("8")), &[]);
    check(&KIND, &(workload(asks, 1, 1) + &quota("9")), &[]);
}

#[test]
fn a_missing_account_is_found_by_comparing() {
    let named = "{serviceAccountName: inkers, containers: [{name: main}]}";
    let account = "kind: ServiceAccount\nmetadata: {name: inker, namespace: print, \
                   creationTimestamp: 2026-01-01T00:00:00Z}\n";
    let silent = workload(named, 1, 0) + account;
    check(&KIND, &silent, &["service-account-missing deploy/press Proven Active"]);
    let later = workload(named, 1, 1) + account;
    check(&KIND, &later, &["service-account-missing deploy/press Proven Suspected"]);
    check(&KIND, &later.replace("inkers", "inker"), &[]);
}

#[test]
fn look_alikes_stay_quiet() {
    let early = event(
        "pods \"press-6b8d9c7f5-\" is forbidden: error looking up service account print/inker: \
         serviceaccount \"inker\" not found",
    );
    // The pods exist now: the first seconds of a namespace.
    check(&KIND, &(workload(PLAIN, 1, 1) + &early), &[]);
    // Only events: a pod was made afterwards.
    let made = early
        .replace("reason: FailedCreate", "reason: SuccessfulCreate")
        .replace("name: e1", "name: e2")
        .replace("Warning", "Normal")
        .replace("08:00:10Z", "08:00:12Z");
    check(&KIND, &(early.clone() + &made), &[]);
    // Scaled to zero since.
    check(&KIND, &(workload(PLAIN, 0, 0) + &early), &[]);
    let mut now = snapshot(&early);
    now.coverage = model::Coverage::default();
    assert_eq!(lines(&KIND, &now), ["service-account-missing deploy/press Proven Active"]);
}
