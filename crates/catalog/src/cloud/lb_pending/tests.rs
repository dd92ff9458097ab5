use super::KIND;
use crate::testing::{check, lines, snapshot};

/// A Service that waits since midnight; it is 02:00.
fn waiting(more: &str) -> String {
    format!(
        "kind: Service\nmetadata: {{namespace: pier, name: door, \
         creationTimestamp: 2026-01-01T00:00:00Z}}\n\
         spec: {{type: LoadBalancer, selector: {{app: door}}, ports: [{{port: 80}}]}}\n\
         status: {{loadBalancer: {{}}}}\n---\n\
         kind: Event\nmetadata: {{name: clock, namespace: pier}}\n\
         lastTimestamp: 2026-01-01T02:00:00Z\n---\n{more}"
    )
}

fn event(reason: &str, message: &str) -> String {
    waiting(&format!(
        "kind: Event\nmetadata: {{name: e, namespace: pier}}\ntype: Warning\n\
         reason: {reason}\nmessage: '{message}'\n\
         involvedObject: {{kind: Service, namespace: pier, name: door}}\n\
         firstTimestamp: 2026-01-01T00:01:00Z\nlastTimestamp: 2026-01-01T01:59:00Z\n---\n"
    ))
}

fn maker(ready: &str) -> String {
    format!(
        "kind: Pod\nmetadata: {{namespace: kube-system, name: cloud-controller-manager-x2x4z, \
         creationTimestamp: 2026-01-01T00:00:00Z, ownerReferences: [{{kind: DaemonSet, \
         name: cloud-controller-manager, controller: true}}]}}\n\
         spec: {{nodeName: n1, containers: [{{name: main}}]}}\n\
         status: {{phase: Running, conditions: [{{type: Ready, status: '{ready}'}}]}}\n---\n"
    )
}

#[test]
fn the_complaint_names_what_the_cloud_lacks() {
    for (reason, message, want) in [
        (
            "SyncLoadBalancerFailed",
            "Error syncing load balancer: failed to ensure load balancer: TooManyLoadBalancers",
            "quota-exceeded",
        ),
        (
            "SyncLoadBalancerFailed",
            "Error syncing load balancer: failed to ensure load balancer: AccessDenied: not \
             authorized to perform elasticloadbalancing:CreateLoadBalancer",
            "rights-missing",
        ),
        (
            "CreatingLoadBalancerFailed",
            "Error creating load balancer (will retry): could not find any suitable subnets \
             for creating the ELB",
            "subnet-missing",
        ),
        (
            "AllocationFailed",
            "Failed to allocate IP for \"pier/door\": no available IPs",
            "addresses-exhausted",
        ),
        (
            "SyncLoadBalancerFailed",
            "Error syncing load balancer: context deadline exceeded",
            "provider-failing",
        ),
    ] {
        let line = format!("{want} svc/door Proven Active");
        check(&KIND, &event(reason, message), &[&line]);
    }
}

#[test]
fn what_has_or_cannot_have_a_load_balancer_is_quiet() {
    let given = event("SyncLoadBalancerFailed", "quota")
        .replace("loadBalancer: {}", "loadBalancer: {ingress: [{ip: 192.0.2.1}]}");
    check(&KIND, &given, &[]);
    // Nothing here makes load balancers.
    check(&KIND, &waiting(""), &[]);
    check(&KIND, &waiting(&maker("True")).replace("01T02:00", "01T00:02"), &[]);
    check(&KIND, &waiting(&maker("True")).replace("LoadBalancer,", "NodePort,"), &[]);
}

#[test]
fn a_maker_that_does_not_act_is_looked_at() {
    let down = waiting(&maker("False"));
    check(&KIND, &down, &["controller-down ds/cloud-controller-manager Proven Active"]);
    let up = waiting(&maker("True"));
    check(&KIND, &up, &["controller-silent ds/cloud-controller-manager Possible Active"]);
    let lease = |holder: &str, renewed: &str| {
        up.clone()
            + &format!(
                "kind: Lease\nmetadata: {{namespace: kube-system, \
                 name: cloud-controller-manager}}\n\
                 spec: {{holderIdentity: {holder}, renewTime: {renewed}}}\n"
            )
    };
    let lost = lease("old-node_1", "2026-01-01T00:10:00.000000Z");
    check(&KIND, &lost, &["leader-lost ds/cloud-controller-manager Proven Active"]);
    let held = lease("n1_1", "2026-01-01T01:59:58.000000Z");
    assert_eq!(
        lines(&KIND, &snapshot(&held)),
        ["controller-silent ds/cloud-controller-manager Possible Active"]
    );
}

#[test]
fn where_others_have_one_somebody_makes_them() {
    let other = "kind: Service\nmetadata: {namespace: pier, name: gate}\n\
                 spec: {type: LoadBalancer, ports: [{port: 443}]}\n\
                 status: {loadBalancer: {ingress: [{hostname: lb.example.com}]}}\n";
    check(&KIND, &waiting(other), &["controller-silent svc/door Possible Active"]);
}
