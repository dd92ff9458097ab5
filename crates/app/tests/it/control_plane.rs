//! What terminals show of a control plane that is unwell.

use super::{json, run_with_input};

#[track_caller]
fn check(text: &str, want: &[&str]) {
    let value = json(&run_with_input(&["diagnose", "-", "-o", "json"], text.as_bytes()));
    let said = |i: &serde_json::Value| {
        let text = |v: &serde_json::Value| v.as_str().unwrap_or_default().to_owned();
        let c = &i["cause"];
        let [mechanism, sure] = ["mechanism", "certainty"].map(|k| text(&c[k]));
        format!("{mechanism} of {} ({sure})", text(&c["object"]["name"]))
    };
    let found: Vec<String> = value["incidents"].as_array().unwrap().iter().map(said).collect();
    assert_eq!(found, want, "{text}");
}

#[test]
fn errors_of_kubectl_name_what_does_not_answer() {
    let refused = "$ kubectl get nodes\nThe connection to the server 10.0.0.1:6443 was refused - \
        did you specify the right host or port?\n";
    check(refused, &["apiserver-down of kube-apiserver (likely)"]);
    let silent = "$ kubectl get nodes\nUnable to connect to the server: dial tcp 10.0.0.1:6443: \
        i/o timeout\n";
    check(silent, &["apiserver-down of kube-apiserver (possible)"]);
    let expired = "$ kubectl get nodes\nUnable to connect to the server: x509: certificate has \
        expired or is not yet valid: current time 2026-01-02T00:00:00Z is after \
        2026-01-01T00:00:00Z\n";
    check(expired, &["certificate-expired of kube-apiserver (proven)"]);
    let none = "$ kubectl get nodes\nThe connection to the server localhost:8080 was refused - did \
        you specify the right host or port?\n";
    check(none, &[]);
    let answered = format!(
        "{refused}$ kubectl get nodes\nNAME   STATUS   ROLES           AGE   VERSION\ncp-1   Ready    \
         control-plane   9d    v1.33.1\n"
    );
    check(&answered, &[]);
}

#[test]
fn a_name_server_that_cannot_read_its_settings_points_at_them() {
    let text = "$ kubectl get pods -n kube-system\n\
        NAME                       READY   STATUS             RESTARTS        AGE\n\
        coredns-5d78c9869d-4xk2p   0/1     CrashLoopBackOff   12 (2m ago)     41m\n\
        coredns-5d78c9869d-9zq7r   0/1     CrashLoopBackOff   12 (3m ago)     41m\n\
        $ kubectl logs -n kube-system coredns-5d78c9869d-4xk2p\n\
        /etc/coredns/Corefile:7 - Error during parsing: Unknown directive 'kubernets'\n";
    check(text, &["dns-down of coredns (proven)"]);
}

#[test]
fn a_component_that_is_missing_among_its_siblings() {
    let text = "$ kubectl get pods -n kube-system\n\
        NAME                  READY   STATUS    RESTARTS   AGE\n\
        etcd-cp-1             1/1     Running   0          90d\n\
        kube-apiserver-cp-1   1/1     Running   0          90d\n\
        kube-scheduler-cp-1   1/1     Running   0          90d\n";
    check(text, &["controller-manager-down of kube-controller-manager (likely)"]);
}

#[test]
fn the_metrics_api_has_nobody_behind_it() {
    let text = "$ kubectl get deploy -n kube-system\n\
        NAME             READY   UP-TO-DATE   AVAILABLE   AGE\n\
        metrics-server   0/0     0            0           90d\n\
        $ kubectl get apiservices\n\
        NAME                     SERVICE                      AVAILABLE                  AGE\n\
        v1.apps                  Local                        True                       90d\n\
        v1beta1.metrics.k8s.io   kube-system/metrics-server   False (MissingEndpoints)   90d\n";
    check(text, &["metrics-down of metrics-server (proven)"]);
}
