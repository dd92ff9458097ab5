use super::KIND;
use crate::testing::{check, lines, snapshot};

const NAMESPACE: &str = "namespace: harbour";

fn deployment(name: &str, labels: &str, ready: i64) -> String {
    format!(
        "kind: Deployment\nmetadata: {{{NAMESPACE}, name: {name}, \
         creationTimestamp: 2026-01-01T00:00:00Z}}\nspec:\n  replicas: 1\n  \
         selector: {{matchLabels: {labels}}}\n  template:\n    metadata: {{labels: {labels}}}\n    \
         spec: {{containers: [{{name: main, image: x}}]}}\n\
         status: {{readyReplicas: {ready}}}\n---\n"
    )
}

fn pod(name: &str, labels: &str, ready: &str) -> String {
    format!(
        "kind: Pod\nmetadata: {{{NAMESPACE}, name: {name}-5d4f8c7b9-x2x4z, labels: {labels}, \
         ownerReferences: [{{kind: ReplicaSet, name: {name}-5d4f8c7b9}}], \
         creationTimestamp: 2026-01-01T00:00:00Z}}\nspec: {{containers: [{{name: main}}]}}\n\
         status: {{phase: Running, conditions: [{{type: Ready, status: '{ready}', \
         lastTransitionTime: 2026-01-01T01:00:00Z}}]}}\n---\n"
    )
}

fn service(name: &str, selector: &str) -> String {
    format!(
        "kind: Service\nmetadata: {{{NAMESPACE}, name: {name}, \
         creationTimestamp: 2026-01-01T00:00:00Z}}\nspec: {{type: ClusterIP, \
         clusterIP: 10.0.0.1, selector: {selector}, ports: [{{port: 80, targetPort: 80}}]}}\n---\n"
    )
}

fn endpoints(name: &str, subsets: &str) -> String {
    format!(
        "kind: Endpoints\nmetadata: {{{NAMESPACE}, name: {name}, \
         creationTimestamp: 2026-01-01T00:00:00Z}}\nsubsets: {subsets}\n---\n"
    )
}

fn app(name: &str, labels: &str, ready: bool) -> String {
    let word = if ready { "True" } else { "False" };
    deployment(name, labels, i64::from(ready)) + &pod(name, labels, word)
}

#[test]
fn a_selector_that_matches_nothing_names_the_nearest_workload() {
    for (selector, field, expected) in [
        ("{app: crane-v2}", "spec.selector.app", "crane"),
        ("{app: cr_ane}", "spec.selector.app", "crane"),
        (
            "{app: crane, stage: live}",
            "spec.selector.stage",
            "no such key: its pods do not carry it",
        ),
        ("{name: crane}", "spec.selector.name", "the key app instead: pods carry app=crane"),
    ] {
        let yaml = app("crane", "{app: crane}", true)
            + &app("tugboat", "{app: tugboat}", true)
            + &service("crane", selector)
            + &endpoints("crane", "[]");
        check(&KIND, &yaml, &["selector-unmatched svc/crane Proven Active"]);
        let now = snapshot(&yaml);
        let mut findings = model::Findings::default();
        now.services.iter().for_each(|s| super::detect(s, &now, &mut findings));
        let found = findings.found.first().expect("a finding");
        assert_eq!(found.field.as_deref(), Some(field), "{selector}");
        assert_eq!(found.expected.as_deref(), Some(expected), "{selector}");
        let step = (KIND.remedy)(found, &now).next.first().cloned().expect("a step");
        assert!(step.command.expect("a command").contains("kubectl patch -n harbour svc/crane"));
    }
}

#[test]
fn labels_that_changed_are_the_workloads_fault() {
    let yaml = app("crane", "{app: crane, tier: b}", true)
        + &service("crane", "{app: crane, tier: a}")
        + "kind: ReplicaSet\nmetadata: {namespace: harbour, name: crane-7c9f6d5b4, \
           ownerReferences: [{kind: Deployment, name: crane, controller: true}]}\n\
           spec: {replicas: 0, template: {metadata: {labels: {app: crane, tier: a}}, \
           spec: {containers: [{name: main, image: z}]}}}\n";
    check(&KIND, &yaml, &["selector-unmatched deploy/crane Proven Active"]);
}

#[test]
fn pods_that_are_not_ready_and_missing_pods_are_told_apart() {
    let selector = "{app: crane}";
    let unready = app("crane", selector, false) + &service("crane", selector);
    check(&KIND, &unready, &["no-ready-pods svc/crane Proven Active"]);
    let none = deployment("crane", selector, 0) + &service("crane", selector);
    check(&KIND, &none, &["no-pods svc/crane Proven Active"]);
    let slice = app("crane", selector, false)
        + &service("crane", selector)
        + "kind: EndpointSlice\nmetadata: {namespace: harbour, name: crane-abc, \
           labels: {kubernetes.io/service-name: crane}}\n\
           endpoints: [{addresses: [10.1.1.1], conditions: {ready: false}}]\n";
    check(&KIND, &slice, &["no-ready-pods svc/crane Proven Active"]);
}

#[test]
fn services_that_are_well_or_meant_to_be_empty_stay_quiet() {
    let selector = "{app: crane}";
    let well = app("crane", selector, true) + &service("crane", selector);
    check(&KIND, &well, &[]);
    check(&KIND, &service("outside", "{}"), &[]);
    let external = service("outside", "{app: nobody}").replace("ClusterIP,", "ExternalName,");
    check(&KIND, &external, &[]);
    let zero = deployment("crane", selector, 0).replace("replicas: 1", "replicas: 0")
        + &service("crane", selector);
    check(&KIND, &zero, &[]);
    let young = pod("crane", selector, "False").replace("01-01T00", "01-01T01");
    let young = deployment("crane", selector, 0) + &young + &service("crane", selector);
    check(&KIND, &young, &[]);
}

#[test]
fn what_nobody_uses_is_only_suspected() {
    let old = app("crane", "{app: crane}", true) + &service("attic", "{app: attic}");
    check(&KIND, &old, &["no-pods svc/attic Likely Suspected"]);
    let green = app("crane", "{app: crane, slot: blue}", true)
        + &service("crane", "{app: crane, slot: blue}")
        + &service("crane-green", "{app: crane, slot: green}");
    check(&KIND, &green, &["selector-unmatched svc/crane-green Proven Suspected"]);
}

#[test]
fn what_is_not_in_the_input_lowers_the_certainty() {
    let yaml = app("crane", "{app: crane}", true) + &service("crane", "{app: crain}");
    let mut now = snapshot(&yaml);
    now.coverage = model::Coverage::default();
    assert_eq!(lines(&KIND, &now), ["selector-unmatched svc/crane Likely Active"]);
}

#[test]
fn services_without_a_selector_need_addresses_by_hand() {
    let client = deployment("tug", "{app: tug}", 1)
        .replace("image: x", "image: x, env: [{name: C, value: 'crane:80'}]");
    let bare = service("crane", "{}");
    let want = ["addresses-missing svc/crane Proven Active"];
    check(&KIND, &(client.clone() + &bare + &endpoints("crane", "[]")), &want);
    check(&KIND, &(client.clone() + &bare), &want);
    let given = "[{addresses: [{ip: 192.0.2.9}], ports: [{port: 80}]}]";
    check(&KIND, &(client + &bare + &endpoints("crane", given)), &[]);
    check(&KIND, &(bare + &endpoints("crane", "[]")), &[]);
}

#[test]
fn pods_that_are_published_unready_are_endpoints() {
    let selector = "{app: crane}";
    let unready = app("crane", selector, false) + &service("crane", selector);
    let told =
        unready.replace("type: ClusterIP,", "type: ClusterIP, publishNotReadyAddresses: true,");
    check(&KIND, &told, &[]);
}
