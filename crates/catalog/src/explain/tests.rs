//! What is said about objects, as `question: fact: value` lines.

use model::{Explanation, Kind, ObjectRef};

use super::explain;
use crate::testing::snapshot;

fn of(kind: Kind, name: &str, yaml: &str) -> Explanation {
    let now = snapshot(yaml);
    explain(&ObjectRef::new(kind, "shop", name), &now).expect("it is there")
}

/// The answer, then every fact as `what: value`.
fn lines(kind: Kind, name: &str, yaml: &str) -> Vec<String> {
    let explanation = of(kind, name, yaml);
    let facts = explanation.questions.iter().flat_map(|q| {
        let answer = (!q.answer.is_empty()).then(|| q.answer.clone());
        answer.into_iter().chain(q.facts.iter().map(|f| format!("{}: {}", f.what, f.value)))
    });
    std::iter::once(explanation.answer.clone()).chain(facts).collect()
}

#[track_caller]
fn has(lines: &[String], wanted: &[&str]) {
    for want in wanted {
        assert!(lines.iter().any(|l| l.contains(want)), "{want} not in {lines:#?}");
    }
}

fn node(name: &str, memory: &str, more: &str) -> String {
    format!(
        "---\nkind: Node\nmetadata: {{name: {name}, creationTimestamp: '2026-01-01T00:00:00Z', \
         labels: {{disk: ssd}}}}\nspec: {{{more}}}\nstatus:\n  allocatable: {{cpu: '4', memory: \
         {memory}, pods: '10'}}\n  conditions: [{{type: Ready, status: 'True', \
         lastTransitionTime: '2026-01-01T00:00:00Z'}}]\n"
    )
}

fn pod(name: &str, place: &str, memory: &str, status: &str) -> String {
    format!(
        "---\nkind: Pod\nmetadata: {{name: {name}, namespace: shop, creationTimestamp: \
         '2026-01-01T00:00:00Z', labels: {{app: web}}}}\nspec:\n  {place}\n  containers: [{{name: \
         c, image: i, resources: {{requests: {{memory: {memory}}}}}, ports: [{{containerPort: \
         8080}}]}}]\nstatus: {status}\n"
    )
}

const PENDING: &str = "{phase: Pending, conditions: [{type: PodScheduled, status: 'False', \
    reason: Unschedulable, message: '0/3 nodes are available: 2 Insufficient memory, 1 node(s) \
    were unschedulable.'}]}";
const READY: &str = "{phase: Running, startTime: '2026-01-01T00:00:00Z', conditions: [{type: \
    Ready, status: 'True', lastTransitionTime: '2026-01-01T00:00:05Z'}], containerStatuses: \
    [{name: c, ready: true, restartCount: 0, state: {running: {startedAt: \
    '2026-01-01T00:00:02Z'}}}]}";

#[test]
fn nodes_that_refuse_a_pod_are_counted_by_reason_and_the_nearest_is_named() {
    let yaml = [
        node("a", "2Gi", ""),
        node("b", "4Gi", ""),
        node("c", "8Gi", "unschedulable: true"),
        pod("full", "nodeName: b", "3Gi", READY),
        pod("web", "nodeSelector: {disk: ssd}", "3Gi", PENDING),
    ];
    let lines = lines(Kind::Pod, "web", &yaml.concat());
    has(
        &lines,
        &[
            "waits for a node",
            "the scheduler said: 0/3 nodes are available",
            "asks for: memory 3Gi",
            "node selector: disk=ssd",
            "None of 3 nodes.",
            "2 nodes: too little memory left: a, b",
            "1 node: cordoned: c",
            "nearest: a needs 1Gi more memory (asked 3Gi, 2Gi of 2Gi left)",
        ],
    );
}

#[test]
fn a_pod_that_runs_tells_where_else_it_could_and_when_it_would_be_evicted() {
    let yaml =
        [node("a", "2Gi", ""), node("b", "4Gi", ""), pod("web", "nodeName: b", "1Gi", READY)];
    let lines = lines(Kind::Pod, "web", &yaml.concat());
    let wanted = [
        "runs on b and is ready",
        "1 of 1 other nodes.",
        "1 node: could take it: a",
        "All run, are ready and never restarted: c.",
        "class of service: Burstable",
    ];
    has(&lines, &wanted);
}

#[test]
fn an_eviction_is_told_with_the_words_and_the_state_of_the_node() {
    let status = "{phase: Failed, reason: Evicted, message: 'The node was low on resource: \
                  memory.', startTime: '2026-01-01T00:00:00Z'}";
    let node = node("a", "2Gi", "").replace("type: Ready", "type: MemoryPressure");
    let yaml = [node, pod("web", "nodeName: a", "1Gi", status)];
    let lines = lines(Kind::Pod, "web", &yaml.concat());
    let wanted = [
        "failed on a: Evicted",
        "Evicted: The node was low on resource: memory.",
        "MemoryPressure of a: yes",
        "its class of service: Burstable",
    ];
    has(&lines, &wanted);
}

#[test]
fn a_node_tells_what_it_has_left() {
    let yaml = [node("a", "2Gi", ""), pod("web", "nodeName: a", "512Mi", READY)];
    let now = snapshot(&yaml.concat());
    let explanation = explain(&ObjectRef::new(Kind::Node, "", "a"), &now).expect("it is there");
    assert_eq!(explanation.answer, "is ready");
    let facts: Vec<String> = explanation
        .questions
        .iter()
        .flat_map(|q| q.facts.iter().map(|f| format!("{}: {}", f.what, f.value)))
        .collect();
    has(&facts, &["memory: 1536Mi of 2Gi left; 512Mi requested (25 %)", "pods: 9 of 10 left"]);
}

#[test]
fn a_service_tells_what_it_selects_and_where_its_ports_lead() {
    let service = |selector: &str| {
        format!(
            "---\nkind: Service\nmetadata: {{name: web, namespace: shop, creationTimestamp: \
             '2026-01-01T00:00:00Z'}}\nspec: {{selector: {{app: {selector}}}, ports: [{{port: 80, \
             targetPort: 9090}}]}}\n"
        )
    };
    let right = [service("web"), pod("web", "nodeName: a", "1Gi", READY)].concat();
    let wanted = ["selects 1 pod", "pod/web: 1 of 1 pods ready", "which declares no such port"];
    has(&lines(Kind::Service, "web", &right), &wanted);
    let wrong = [service("wbe"), pod("web", "nodeName: a", "1Gi", READY)].concat();
    let wanted =
        ["selects 0 pods", "None of the workloads", "wants app=wbe, its pods carry app=web"];
    has(&lines(Kind::Service, "web", &wrong), &wanted);
}

#[test]
fn a_workload_groups_its_pods_and_a_quota_tells_what_is_left() {
    let yaml = "kind: Deployment\nmetadata: {name: web, namespace: shop, creationTimestamp: \
                '2026-01-01T00:00:00Z'}\nspec: {replicas: 2, selector: {matchLabels: {app: \
                web}}}\nstatus: {replicas: 0}\n---\nkind: Event\nmetadata: {name: e, namespace: \
                shop}\ntype: Warning\nreason: FailedCreate\nmessage: 'exceeded quota: small'\n\
                involvedObject: {kind: Deployment, namespace: shop, name: web}\nlastTimestamp: \
                '2026-01-01T00:00:00Z'\n---\nkind: ResourceQuota\nmetadata: {name: small, \
                namespace: shop, creationTimestamp: '2026-01-01T00:00:00Z'}\nspec: {hard: {pods: \
                '4'}}\nstatus: {used: {pods: '4'}}\n";
    let wanted = ["0 of 2 replicas are ready", "was said: exceeded quota: small"];
    has(&lines(Kind::Deployment, "web", yaml), &wanted);
    let wanted = ["is used up: pods", "pods: 4 of 4 used, 0 left"];
    has(&lines(Kind::ResourceQuota, "small", yaml), &wanted);
}

#[test]
fn an_autoscaler_shows_its_arithmetic_and_a_budget_its_figures() {
    let yaml = "kind: HorizontalPodAutoscaler\nmetadata: {name: web, namespace: shop, \
                creationTimestamp: '2026-01-01T00:00:00Z'}\nspec: {scaleTargetRef: {kind: \
                Deployment, name: web}, minReplicas: 2, maxReplicas: 4, metrics: [{type: \
                Resource, resource: {name: cpu, target: {type: Utilization, averageUtilization: \
                50}}}]}\nstatus: {currentReplicas: 4, desiredReplicas: 4, currentMetrics: [{type: \
                Resource, resource: {name: cpu, current: {averageUtilization: 90, averageValue: \
                90m}}}]}\n---\nkind: PodDisruptionBudget\nmetadata: {name: web, namespace: shop, \
                creationTimestamp: '2026-01-01T00:00:00Z'}\nspec: {minAvailable: 1, selector: \
                {matchLabels: {app: web}}}\nstatus: {disruptionsAllowed: 0, currentHealthy: 1, \
                desiredHealthy: 1, expectedPods: 1}\n";
    let yaml = [yaml, &pod("web", "nodeName: a", "1Gi", READY), &node("a", "2Gi", "")].concat();
    let wanted = [
        "keeps Deployment web at 4, though its metrics ask for 8",
        "ceil(4 pods x 90% / 50%) = 8 pods",
        "maxReplicas makes it 4",
        "replicas: from 2 to 4",
    ];
    has(&lines(Kind::HorizontalPodAutoscaler, "web", &yaml), &wanted);
    let wanted = [
        "allows no eviction now: 1 pods are healthy, 1 are needed",
        "minAvailable: 1: 1 of 1 pods must stay",
        "pod/web: 1 of 1 pods ready",
    ];
    has(&lines(Kind::PodDisruptionBudget, "web", &yaml), &wanted);
    has(&lines(Kind::Pod, "web", &yaml), &["pdb/web: allows no eviction now"]);
    has(&lines(Kind::Node, "a", &yaml), &["shop/web: allows no eviction now"]);
}

#[test]
fn what_was_not_seen_is_not_explained() {
    assert!(explain(&ObjectRef::new(Kind::Pod, "shop", "web"), &snapshot("")).is_none());
}
