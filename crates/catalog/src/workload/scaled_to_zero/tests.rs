use super::KIND;
use crate::testing::{check, lines, snapshot};
use model::LogLines;

fn deployment(name: &str, replicas: u32, env: &str) -> String {
    format!(
        "kind: Deployment\nmetadata: {{namespace: quay, name: {name}, creationTimestamp: \
         2026-01-01T00:00:00Z}}\nspec: {{replicas: {replicas}, selector: {{matchLabels: {{app: \
         {name}}}}}, template: {{metadata: {{labels: {{app: {name}}}}}, spec: {{containers: \
         [{{name: main, image: x{env}}}]}}}}}}\nstatus: {{}}\n---\n"
    )
}

fn pod(name: &str, ready: &str) -> String {
    format!(
        "kind: Pod\nmetadata: {{namespace: quay, name: {name}-5d4f8c7b9-x2x4z, labels: {{app: \
         {name}}}, creationTimestamp: 2026-01-01T00:00:00Z, ownerReferences: [{{kind: ReplicaSet, \
         name: {name}-5d4f8c7b9, controller: true}}]}}\nspec: {{nodeName: n1, containers: [{{name: \
         main}}]}}\nstatus: {{phase: Running, conditions: [{{type: Ready, status: '{ready}'}}]}}\n---\n"
    )
}

const SERVICE: &str = "kind: Service\nmetadata: {namespace: quay, name: crane}\nspec: {selector: \
                       {app: crane}, clusterIP: 10.0.0.9, ports: [{port: 80}]}\n---\n";
const INGRESS: &str = "kind: Ingress\nmetadata: {namespace: quay, name: crane}\nspec: {rules: \
                       [{host: a.example, http: {paths: [{path: /, backend: {service: {name: crane, \
                       port: {number: 80}}}}]}}]}\n---\n";
const CALLS: &str = ", env: [{name: CRANE, value: 'http://crane:80'}]";

fn caller(ready: &str) -> String {
    deployment("ferry", 1, CALLS) + &pod("ferry", ready)
}

#[test]
fn zero_is_a_failure_when_somebody_needs_it() {
    let zero = deployment("crane", 0, "") + SERVICE;
    check(&KIND, &(zero.clone() + INGRESS), &["scaled-to-zero deploy/crane Proven Active"]);
    let unwell = zero.clone() + &caller("False");
    check(&KIND, &unwell, &["scaled-to-zero deploy/crane Likely Active"]);
    let mut now = snapshot(&(zero.clone() + &caller("True")));
    assert_eq!(lines(&KIND, &now), ["scaled-to-zero deploy/crane Proven Suspected"]);
    now.logs.push(LogLines {
        name: "ferry-5d4f8c7b9-x2x4z".into(),
        namespace: "quay".into(),
        container: "main".into(),
        unit: "".into(),
        previous: false,
        lines: vec!["GET http://crane:80/: connect: connection refused".into()],
        document: 0,
    });
    assert_eq!(lines(&KIND, &now), ["scaled-to-zero deploy/crane Proven Active"]);
}

#[test]
fn an_autoscaler_that_is_to_keep_some_is_a_note() {
    let scaler = |least: u32| {
        format!(
            "kind: HorizontalPodAutoscaler\nmetadata: {{namespace: quay, name: crane}}\nspec: \
             {{scaleTargetRef: {{kind: Deployment, name: crane}}, minReplicas: {least}, \
             maxReplicas: 5}}\n---\n"
        )
    };
    let zero = deployment("crane", 0, "");
    let note = "autoscaler-at-zero deploy/crane Proven Suspected";
    check(&KIND, &(zero.clone() + &scaler(2)), &[note]);
    check(&KIND, &(zero + &scaler(0)), &[]);
}

#[test]
fn an_autoscaler_does_nothing_at_zero() {
    let scaler = "kind: HorizontalPodAutoscaler\nmetadata: {namespace: quay, name: crane}\nspec: \
                  {scaleTargetRef: {kind: Deployment, name: crane}, minReplicas: 2, maxReplicas: \
                  5}\nstatus: {conditions: [{type: ScalingActive, status: 'False', reason: \
                  ScalingDisabled}]}\n---\n";
    let yaml = deployment("crane", 0, "") + SERVICE + INGRESS + scaler;
    check(&KIND, &yaml, &["autoscaler-at-zero deploy/crane Proven Active"]);
}

#[test]
fn the_event_says_how_many_there_were() {
    let event = "kind: Event\nmetadata: {namespace: quay, name: e}\ntype: Normal\nreason: \
                 ScalingReplicaSet\nmessage: Scaled down replica set crane-5d4f8c7b9 to 0 from 3\n\
                 involvedObject: {kind: Deployment, namespace: quay, name: crane}\n\
                 lastTimestamp: 2026-02-01T00:00:00Z\n";
    let now = snapshot(&(deployment("crane", 0, "") + SERVICE + INGRESS + event));
    let mut findings = model::Findings::default();
    now.apps.iter().for_each(|a| super::detect(a, &now, &mut findings));
    let found = findings.found.first().expect("a finding");
    assert_eq!(found.expected.as_deref(), Some("3, as before"));
    assert_eq!(found.impact.replicas, 3);
    let steps = (KIND.remedy)(found, &now).next;
    let command = steps.get(1).and_then(|s| s.command.clone()).expect("a command");
    assert_eq!(command, "kubectl scale -n quay deploy/crane --replicas=3");
}

#[test]
fn zero_on_purpose_stays_quiet() {
    check(&KIND, &deployment("crane", 0, ""), &[]);
    check(&KIND, &(deployment("crane", 0, "") + SERVICE), &[]);
    // Its callers sleep too.
    let night = deployment("crane", 0, "") + SERVICE + &deployment("ferry", 0, CALLS);
    check(&KIND, &night, &[]);
    // The last pods are still leaving, or it runs.
    check(&KIND, &(deployment("crane", 0, "") + SERVICE + INGRESS + &pod("crane", "True")), &[]);
    check(&KIND, &(deployment("crane", 1, "") + SERVICE + INGRESS), &[]);
}

#[test]
fn a_log_alone_tells_of_a_caller_whose_settings_are_not_shown() {
    let zero = deployment("crane", 0, "") + SERVICE + &deployment("ferry", 1, "");
    let mut now = snapshot(&(zero + &pod("ferry", "True")));
    assert_eq!(lines(&KIND, &now), Vec::<String>::new());
    let line = "lookup of cargo failed: dial crane:80: connect: connection refused";
    now.logs.push(LogLines {
        name: "ferry-5d4f8c7b9-x2x4z".into(),
        namespace: "quay".into(),
        container: "".into(),
        unit: "".into(),
        previous: false,
        lines: vec![line.into()],
        document: 0,
    });
    assert_eq!(lines(&KIND, &now), ["scaled-to-zero deploy/crane Proven Active"]);
}
