//! What is said of the control plane: leases, extensions, webhooks, health checks, errors.

use serde_json::json;

use crate::piece::Piece;
use crate::text::tests::{object, pieces};

#[test]
fn leases_and_extensions_are_printed_key_by_key() {
    let lease = "Name:         kube-scheduler\nNamespace:    kube-system\nLabels:       <none>\n\
        API Version:  coordination.k8s.io/v1\nKind:         Lease\nSpec:\n  Acquire Time:            \
        2026-01-01T08:00:00.000000Z\n  Holder Identity:         cp-1_8f0e\n  Lease Duration \
        Seconds:  15\n  Renew Time:              2026-01-01T09:00:00.000000Z\nEvents:  <none>\n";
    let read = object(lease, "Lease", "kube-scheduler");
    assert_eq!(read["spec"]["renewTime"], "2026-01-01T09:00:00Z");
    assert_eq!(read["spec"]["holderIdentity"], "cp-1_8f0e");
    let service = "Name:         v1beta1.metrics.k8s.io\nAPI Version:  apiregistration.k8s.io/v1\n\
        Kind:         APIService\nSpec:\n  Group:  metrics.k8s.io\n  Service:\n    Name:       meter\n    \
        Namespace:  kube-system\n    Port:       443\nStatus:\n  Conditions:\n    Last Transition \
        Time:  2026-01-01T09:00:00Z\n    Message:               no endpoints\n    Reason:                \
        MissingEndpoints\n    Status:                False\n    Type:                  \
        Available\nEvents:  <none>\n";
    let read = object(service, "APIService", "v1beta1.metrics.k8s.io");
    assert_eq!(read["spec"]["service"]["name"], "meter");
    assert_eq!(read["status"]["conditions"][0]["reason"], "MissingEndpoints");
}

#[test]
fn webhooks_are_told_apart() {
    let hook = |name: &str, policy: &str| {
        format!(
            "  Admission Review Versions:\n    v1\n  Client Config:\n    Service:\n      Name:       \
             {name}\n      Namespace:  guard\n      Port:       443\n  Failure Policy:  {policy}\n  \
             Name:            {name}.example.com\n  Namespace Selector:\n    Match Expressions:\n      \
             Key:       tier\n      Operator:  NotIn\n      Values:\n        system\n  Rules:\n    \
             API Groups:\n\n    Operations:\n      CREATE\n    Resources:\n      pods\n    \
             Scope:          *\n  Timeout Seconds:  5\n"
        )
    };
    let text = format!(
        "Name:         guard\nAPI Version:  admissionregistration.k8s.io/v1\nKind:         \
         ValidatingWebhookConfiguration\nWebhooks:\n{}{}Events:  <none>\n",
        hook("a", "Fail"),
        hook("b", "Ignore")
    );
    let read = object(&text, "ValidatingWebhookConfiguration", "guard");
    let hooks = read["webhooks"].as_array().unwrap();
    assert_eq!(hooks.len(), 2);
    assert_eq!(hooks[1]["failurePolicy"], "Ignore");
    assert_eq!(hooks[0]["rules"], json!([{"operations": ["CREATE"], "resources": ["pods"]}]));
    let expressions = json!([{"key": "tier", "operator": "NotIn", "values": ["system"]}]);
    assert_eq!(hooks[0]["namespaceSelector"]["matchExpressions"], expressions);
}

#[test]
fn tables_of_the_control_plane() {
    let text = "$ kubectl get apiservices\nNAME                     SERVICE                      \
        AVAILABLE                  AGE\nv1.apps                  Local                        \
        True                       9d\nv1beta1.metrics.k8s.io   kube-system/metrics-server   False \
        (MissingEndpoints)   9d\n";
    let read = object(text, "APIService", "v1beta1.metrics.k8s.io");
    assert_eq!(read["status"]["conditions"][0]["status"], "False");
    assert_eq!(read["status"]["conditions"][0]["reason"], "MissingEndpoints");
    let refused = "Get \"https://127.0.0.1:2379/health\": dial tcp: connection refused";
    let text = format!(
        "$ kubectl get cs\nNAME        STATUS      {:<80}ERROR\nscheduler   Healthy     ok\n\
         etcd-0      Unhealthy   {refused}\n",
        "MESSAGE"
    );
    assert_eq!(object(&text, "ComponentStatus", "etcd-0")["conditions"][0]["status"], "False");
}

#[test]
fn health_checks_are_read_also_inside_an_error() {
    let checks = |text: &str| -> Vec<(String, bool)> {
        let of = |p: Piece| match p {
            Piece::Check { name, healthy, .. } => Some((name, healthy)),
            _ => None,
        };
        pieces(text).into_iter().filter_map(of).collect()
    };
    let lines = "[+]ping ok\n[+]log ok\n[-]etcd failed: reason withheld\n";
    let text = format!("$ kubectl get --raw '/readyz?verbose'\n{lines}readyz check failed\n");
    let want = [("ping".into(), true), ("log".into(), true), ("etcd".into(), false)];
    assert_eq!(checks(&text), want);
    let text = format!(
        "$ kubectl get --raw '/readyz?verbose'\nError from server (InternalError): an error on the \
         server (\"{lines}readyz check failed\") has prevented the request from succeeding\n"
    );
    assert_eq!(checks(&text), want);
    assert_eq!(checks("$ kubectl logs web\n[+] started\n[-]x y\n"), []);
}

#[test]
fn the_settings_of_the_name_server_are_kept_and_no_other_value() {
    let text = "Name:         coredns\nNamespace:    kube-system\nLabels:       <none>\n\nData\n====\n\
        Corefile:\n----\n.:53 {\n    errors\n    kubernetes cluster.local\n}\n\nother:\n----\nsecret\n\n\
        BinaryData\n====\n\nEvents:  <none>\n";
    let read = object(text, "ConfigMap", "coredns");
    let kept = read["data"]["Corefile"].as_str().unwrap();
    assert!(kept.contains("kubernetes cluster.local") && !kept.contains("secret"), "{kept}");
}

#[test]
fn the_settings_of_kubelets_are_kept_when_they_are_such() {
    let text = |value: &str| {
        format!(
            "Name:         kubelet-config\nNamespace:    kube-system\nLabels:       <none>\n\nData\n\
             ====\nkubelet:\n----\n{value}\n\nEvents:  <none>\n"
        )
    };
    let settings = "kind: KubeletConfiguration\nimageGCHighThresholdPercent: 85";
    let read = object(&text(settings), "ConfigMap", "kubelet-config");
    let kept = read["data"]["kubelet"].as_str().unwrap();
    assert!(kept.contains("imageGCHighThresholdPercent: 85"), "{kept}");
    let other = object(&text("password"), "ConfigMap", "kubelet-config");
    assert!(other["data"]["kubelet"].is_null(), "{other}");
}
