//! A webhook without pods is found by comparing; one that cannot lock itself out is told apart.

use super::KIND;
use crate::testing::{check, check_gaps, snapshot};

const AT: &str = "creationTimestamp: 2026-01-01T00:00:00Z";

fn webhook(policy: &str, more: &str) -> String {
    format!(
        "kind: ValidatingWebhookConfiguration\nmetadata: {{name: guard, {AT}}}\nwebhooks:\n- name: \
         check.example.com\n  failurePolicy: {policy}\n  clientConfig: {{service: {{namespace: \
         guard, name: guard}}}}\n  rules: [{{operations: [CREATE], resources: [pods]}}]\n{more}---\n"
    )
}

fn service() -> String {
    format!(
        "kind: Service\nmetadata: {{name: guard, namespace: guard, {AT}}}\nspec: {{selector: {{app: \
         guard}}, ports: [{{port: 443}}]}}\n---\n"
    )
}

fn backend(ready: u32) -> String {
    format!(
        "kind: Deployment\nmetadata: {{name: guard, namespace: guard, {AT}}}\nspec:\n  replicas: 2\n  \
         selector: {{matchLabels: {{app: guard}}}}\n  template:\n    metadata: {{labels: {{app: \
         guard}}}}\n    spec: {{containers: [{{name: c, image: x}}]}}\nstatus: {{replicas: {ready}, \
         readyReplicas: {ready}}}\n---\n"
    )
}

const NOT_ITSELF: &str = "  namespaceSelector: {matchExpressions: [{key: \
    kubernetes.io/metadata.name, operator: NotIn, values: [guard]}]}\n";

#[test]
fn a_webhook_that_must_approve_its_own_pods_and_has_none() {
    let all = |ready| webhook("Fail", "") + &service() + &backend(ready);
    let object = "validatingwebhookconfiguration/guard";
    check(&KIND, &all(0), &[&format!("webhook-deadlock {object} Proven Active")]);
    check(&KIND, &all(2), &[]);
    let apart = webhook("Fail", NOT_ITSELF) + &service() + &backend(0);
    check(&KIND, &apart, &[&format!("webhook-without-endpoints {object} Proven Active")]);
    let gone = webhook("Fail", "")
        + &format!("kind: Namespace\nmetadata: {{name: guard, {AT}}}\n---\n")
        + &backend(2);
    check(&KIND, &gone, &[&format!("webhook-without-endpoints {object} Proven Active")]);
}

#[test]
fn one_that_may_fail_or_has_nothing_to_do_with_pods_blocks_nobody() {
    check(&KIND, &(webhook("Ignore", "") + &service() + &backend(0)), &[]);
    let others = webhook("Fail", "").replace("[pods]", "[ingresses]");
    check(&KIND, &(others + &service() + &backend(0)), &[]);
}

#[test]
fn events_alone_tell_of_a_deadlock() {
    let event = |namespace: &str| {
        format!(
            "kind: Event\nmetadata: {{name: e, namespace: {namespace}}}\ninvolvedObject: {{kind: \
             ReplicaSet, namespace: {namespace}, name: guard-5d4f8c7b9}}\ntype: Warning\nreason: \
             FailedCreate\nmessage: 'Error creating: Internal error occurred: failed calling webhook \
             \"check.example.com\": failed to call webhook: Post \
             \"https://guard.guard.svc:443/check?timeout=10s\": no endpoints available for service \
             \"guard\"'\nlastTimestamp: 2026-01-01T00:10:00Z\n---\n"
        )
    };
    let told = backend(0) + &event("guard");
    check(&KIND, &told, &["webhook-deadlock svc/guard Likely Active"]);
    let elsewhere = backend(0).replace("namespace: guard", "namespace: shop") + &event("shop");
    check(&KIND, &elsewhere, &[]);
}

#[test]
fn a_webhook_that_guards_itself_is_a_gap_while_all_is_well() {
    let field =
        "validatingwebhookconfiguration/guard webhooks[check.example.com].namespaceSelector";
    check_gaps(&KIND, &(webhook("Fail", "") + &service() + &backend(2)), &[field]);
    check_gaps(&KIND, &(webhook("Fail", NOT_ITSELF) + &service() + &backend(2)), &[]);
}

#[test]
fn who_is_refused_and_the_service_that_does_not_answer_are_both_named() {
    let gone = webhook("Fail", "").replace("name: guard}}", "name: gate}}")
        + &service()
        + &backend(0).replace("namespace: guard", "namespace: shop");
    let refused = "kind: Event\nmetadata: {name: e, namespace: shop}\ninvolvedObject: {kind: \
        ReplicaSet, namespace: shop, name: guard-5d4f8c7b9}\ntype: Warning\nreason: \
        FailedCreate\nmessage: 'Error creating: Internal error occurred: failed calling webhook \
        \"check.example.com\": failed to call webhook: Post \
        \"https://gate.guard.svc:443/check?timeout=10s\": service \"gate\" not found'\n\
        lastTimestamp: 2026-01-01T00:10:00Z\n---\n";
    let now = snapshot(&(gone + refused));
    let mut findings = model::Findings::default();
    super::detect(&now, &mut findings);
    let found = findings.found.first().expect("a finding");
    let suffer: Vec<String> = found.affected.iter().map(|a| a.object.to_string()).collect();
    assert_eq!(suffer, ["shop/guard", "guard/gate"]);
}
