//! The cascade is found by what the lost nodes share, and its look-alikes are not.

use super::KIND;
use crate::testing::check;

fn node(name: &str, status: &str, since: &str) -> String {
    format!(
        "kind: Node\nmetadata: {{name: {name}, creationTimestamp: 2026-01-01T00:00:00Z}}\nstatus:\n  \
         conditions:\n  - {{type: Ready, status: '{status}', lastTransitionTime: {since}}}\n---\n"
    )
}

fn pod(app: &str, node: &str, limits: &str) -> String {
    format!(
        "kind: Pod\nmetadata:\n  name: {app}-{node}\n  namespace: shop\n  creationTimestamp: \
         2026-01-01T00:00:00Z\n  ownerReferences: [{{kind: StatefulSet, name: {app}, controller: \
         true}}]\nspec:\n  nodeName: {node}\n  containers: [{{name: main, image: x, resources: \
         {{limits: {limits}}}}}]\nstatus: {{phase: Running}}\n---\n"
    )
}

fn oom(node: &str, at: &str) -> String {
    format!(
        "kind: Event\nmetadata: {{name: {node}.oom, namespace: default}}\ninvolvedObject: {{kind: \
         Node, name: {node}}}\ntype: Warning\nreason: SystemOOM\nmessage: System OOM \
         encountered\nlastTimestamp: {at}\n---\n"
    )
}

/// Three nodes lost ten minutes apart and one healthy; the hog is on the lost ones.
fn story(limits: &str) -> String {
    let lost = ["a", "b", "c"];
    let mut yaml = String::new();
    for (i, name) in lost.iter().enumerate() {
        yaml += &node(name, "Unknown", &format!("2026-01-02T00:{}0:00Z", i + 1));
        yaml += &pod("hog", name, limits);
        yaml += &pod("web", name, "{memory: 64Mi}");
        yaml += &oom(name, &format!("2026-01-02T00:{i}9:00Z"));
    }
    yaml + &node("d", "True", "2026-01-01T00:00:00Z") + &pod("web", "d", "{memory: 64Mi}")
}

#[test]
fn the_workload_on_all_lost_nodes_and_no_healthy_one_is_named() {
    check(&KIND, &story("{}"), &["memory-exhausted sts/hog Proven Active"]);
    check(&KIND, &story("{memory: 1Gi}"), &["memory-exhausted sts/hog Likely Active"]);
}

#[test]
fn without_signs_of_memory_it_is_only_likely() {
    let quiet: Vec<String> =
        story("{}").split("---\n").filter(|d| !d.contains("SystemOOM")).map(String::from).collect();
    check(&KIND, &quiet.join("---\n"), &["common-workload sts/hog Likely Active"]);
}

#[test]
fn nodes_lost_at_once_are_no_cascade() {
    let at_once =
        story("{}").replace("T00:20:00Z", "T00:10:05Z").replace("T00:30:00Z", "T00:10:09Z");
    check(&KIND, &at_once, &[]);
}

#[test]
fn nodes_without_a_common_workload_are_no_cascade() {
    let apart = story("{}").replace("name: hog, controller", "name: other, controller");
    let apart: Vec<&str> = apart.split("---\n").filter(|d| !d.contains("nodeName: b")).collect();
    check(&KIND, &apart.join("---\n"), &[]);
}

/// The last step of the remedy for the only finding.
fn limit_command(yaml: &str) -> Option<String> {
    let now = crate::testing::snapshot(yaml);
    let mut findings = model::Findings::default();
    super::detect(&now, &mut findings);
    let remedy = super::remedy(findings.found.first().expect("a finding"), &now);
    remedy.next.last().and_then(|step| step.command.clone())
}

#[test]
fn the_limit_comes_from_the_request_or_else_from_the_nodes() {
    let command = |limit: &str| {
        format!("kubectl set resources -n shop sts/hog -c main --limits=memory={limit}")
    };
    let asks =
        story("{}").replace("resources: {limits: {}}", "resources: {requests: {memory: 96Mi}}");
    assert_eq!(limit_command(&asks), Some(command("192Mi")));
    let sized =
        story("{}").replace("status:\n  cond", "status:\n  allocatable: {memory: 8Gi}\n  cond");
    assert_eq!(limit_command(&sized), Some(command("1024Mi")));
    assert_eq!(limit_command(&story("{}")), None);
}
