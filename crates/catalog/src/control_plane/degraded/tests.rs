//! Each part is found by what shows it, and its look-alikes are not.

use super::KIND;
use crate::testing::{check, check_gaps, lines, snapshot};

const AT: &str = "creationTimestamp: 2026-01-01T00:00:00Z";

fn pod(name: &str, ready: &str) -> String {
    format!(
        "kind: Pod\nmetadata:\n  name: {name}\n  namespace: kube-system\n  {AT}\n  ownerReferences: \
         [{{kind: Node, name: cp-1, controller: true}}]\nspec: {{nodeName: cp-1, containers: \
         [{{name: c, image: x}}]}}\nstatus:\n  phase: Running\n  conditions: [{{type: Ready, status: \
         '{ready}', lastTransitionTime: 2026-01-02T00:00:00Z}}]\n---\n"
    )
}

fn lease(name: &str, renewed: &str) -> String {
    format!(
        "kind: Lease\nmetadata: {{name: {name}, namespace: kube-system, {AT}}}\nspec: \
         {{holderIdentity: x, renewTime: {renewed}}}\n---\n"
    )
}

fn deployment(namespace: &str, name: &str, replicas: u32, ready: u32) -> String {
    format!(
        "kind: Deployment\nmetadata: {{name: {name}, namespace: {namespace}, {AT}}}\nspec:\n  \
         replicas: {replicas}\n  selector: {{matchLabels: {{k8s-app: {name}}}}}\n  template:\n    \
         metadata: {{labels: {{k8s-app: {name}}}}}\n    spec: {{containers: [{{name: c, image: \
         x}}]}}\nstatus: {{replicas: {replicas}, readyReplicas: {ready}}}\n---\n"
    )
}

fn unit(name: &str, node: &str, active: bool) -> model::UnitState {
    let state = if active { "active (running)" } else { "inactive (dead)" };
    model::UnitState {
        node: node.into(),
        unit: name.into(),
        active,
        state: state.into(),
        document: 0,
    }
}

fn error(text: &str) -> model::ClientError {
    model::ClientError { text: text.into(), answered_later: false, document: 0 }
}

#[test]
fn a_stopped_unit_is_found_and_one_of_several_is_not() {
    for (name, want) in [
        ("kube-scheduler", "scheduler-down component/kube-scheduler Proven Active"),
        (
            "kube-controller-manager",
            "controller-manager-down component/kube-controller-manager Proven Active",
        ),
        ("etcd", "etcd-down component/etcd Proven Active"),
        ("kube-apiserver", "apiserver-down component/kube-apiserver Proven Active"),
        ("kube-proxy", "proxy-down component/kube-proxy Proven Active"),
    ] {
        let mut now = snapshot("");
        now.units.push(unit(name, "cp-1", false));
        assert_eq!(lines(&KIND, &now), [want]);
        now.units.push(unit(name, "cp-2", true));
        let elsewhere: &[&str] = if name == "kube-proxy" { &[want] } else { &[] };
        assert_eq!(lines(&KIND, &now), elsewhere, "{name}");
    }
}

#[test]
fn a_static_pod_that_is_not_ready_or_gone() {
    let all = ["etcd-cp-1", "kube-apiserver-cp-1", "kube-controller-manager-cp-1"];
    let others: String = all.iter().map(|n| pod(n, "True")).collect();
    let with = |ready: &str| others.clone() + &pod("kube-scheduler-cp-1", ready);
    check(&KIND, &with("True"), &[]);
    let down = "scheduler-down component/kube-scheduler Proven Active";
    check(&KIND, &with("False"), &[down]);
    check(&KIND, &others, &["scheduler-down component/kube-scheduler Likely Active"]);
    // A managed cluster shows none of them.
    check(&KIND, &pod("some-agent-cp-1", "True"), &[]);
}

#[test]
fn a_lease_that_nobody_renews_while_others_are_renewed() {
    let fresh = lease("kube-scheduler", "2026-01-02T00:10:00.000000Z");
    let old = lease("kube-controller-manager", "2026-01-02T00:02:00.000000Z");
    let want = "controller-manager-down component/kube-controller-manager Proven Active";
    check(&KIND, &(fresh.clone() + &old), &[want]);
    check(&KIND, &old, &[]);
    let near = old.replace("00:02:00", "00:09:50");
    check(&KIND, &(fresh.clone() + &near), &[]);
    let acts = "kind: Event\nmetadata: {name: e, namespace: shop}\ninvolvedObject: {kind: \
        ReplicaSet, name: web, namespace: shop}\nreason: SuccessfulCreate\nmessage: made\n\
        lastTimestamp: 2026-01-02T00:08:00Z\n";
    check(&KIND, &(fresh + &old + acts), &[]);
}

#[test]
fn component_statuses_count_but_not_the_closed_ports() {
    let status = |message: &str| {
        format!(
            "kind: ComponentStatus\nmetadata: {{name: scheduler}}\nconditions: [{{type: Healthy, \
             status: 'False', message: '{message}'}}]\n"
        )
    };
    let want = "scheduler-down component/kube-scheduler Likely Active";
    check(&KIND, &status("Get https://127.0.0.1:10259/healthz: connection refused"), &[want]);
    check(&KIND, &status("Get http://127.0.0.1:10251/healthz: connection refused"), &[]);
}

#[test]
fn who_works_on_another_machine_need_not_answer_on_this_one() {
    let refused = "dial tcp 127.0.0.1:10259: connect: connection refused";
    let status = |name: &str| {
        format!(
            "---\nkind: ComponentStatus\nmetadata: {{name: {name}}}\nconditions: [{{type: \
             Healthy, status: 'False', message: '{refused}'}}]\n---\n"
        )
    };
    let pod = |condition: &str| {
        format!(
            "kind: Pod\nmetadata: {{name: bolt, namespace: shop}}\nspec: {{containers: [{{name: \
             main}}]}}\nstatus: {{phase: Pending, conditions: [{condition}]}}\n---\n"
        )
    };
    // The pod that waits was told why, or was not.
    let told = "{type: PodScheduled, status: 'False', reason: Unschedulable, message: '0/1'}";
    let down = "scheduler-down component/kube-scheduler Likely Active";
    check(&KIND, &(status("scheduler") + &pod(told)), &[]);
    check(&KIND, &(status("scheduler") + &pod("")), &[down]);
    // The controller manager renews its lease like others, or acts without one.
    let name = "kube-controller-manager";
    let held = lease("node-a", "2026-01-02T00:10:00.000000Z")
        + &lease(name, "2026-01-02T00:09:58.000000Z");
    let down = "controller-manager-down component/kube-controller-manager Likely Active";
    check(&KIND, &(status("controller-manager") + &held), &[]);
    let acts = "kind: Event\nmetadata: {name: e, namespace: shop}\ninvolvedObject: {kind: \
        ReplicaSet, name: web, namespace: shop}\nreason: SuccessfulCreate\nmessage: made\n\
        source: {component: replicaset-controller}\nlastTimestamp: 2026-01-02T00:08:00Z\n";
    check(&KIND, &(status("controller-manager") + acts), &[]);
    check(&KIND, &status("controller-manager"), &[down]);
}

#[test]
fn workloads_that_nobody_touches_miss_the_controller_manager() {
    let idle =
        deployment("shop", "web", 3, 0).replace("status: {replicas: 3", "status: {replicas: 0");
    let clock = "kind: Event\nmetadata: {name: e, namespace: shop}\ninvolvedObject: {kind: Pod, \
        name: x, namespace: shop}\nreason: Pulled\nmessage: pulled\nlastTimestamp: \
        2026-01-01T00:05:00Z\n";
    let want = "controller-manager-down component/kube-controller-manager Likely Active";
    check(&KIND, &format!("{idle}{clock}"), &[want]);
    let works = pod("kube-controller-manager-cp-1", "True");
    check(&KIND, &format!("{idle}{works}{clock}"), &[]);
    let young = clock.replace("00:05:00", "00:00:20");
    check(&KIND, &format!("{idle}{young}"), &[]);
    let told = "---\nkind: Event\nmetadata: {name: f, namespace: shop}\ninvolvedObject: {kind: \
        Deployment, name: web, namespace: shop}\nreason: ReplicaSetCreateError\nmessage: denied\n\
        lastTimestamp: 2026-01-01T00:05:00Z\n";
    check(&KIND, &format!("{idle}{clock}{told}"), &[]);
}

#[test]
fn what_clients_are_told() {
    let table = [
        (
            "The connection to the server 10.0.0.1:6443 was refused - did you specify the right",
            "apiserver-down component/kube-apiserver Likely Active",
        ),
        (
            "Error from server: etcdserver: request timed out",
            "etcd-slow component/etcd Likely Active",
        ),
        (
            "Error from server: etcdserver: mvcc: database space exceeded",
            "etcd-full component/etcd Proven Active",
        ),
        (
            "Unable to connect to the server: x509: certificate has expired or is not yet valid",
            "certificate-expired component/kube-apiserver Proven Active",
        ),
        (
            "Error from server (TooManyRequests): the server has received too many requests",
            "apiserver-overloaded component/kube-apiserver Likely Active",
        ),
        (
            "Error from server (ServiceUnavailable): the server is currently unable to handle \
             the request (get pods.metrics.k8s.io)",
            "metrics-down component/metrics-server Possible Suspected",
        ),
    ];
    for (text, want) in table {
        let mut now = snapshot("");
        now.coverage = Default::default();
        now.client_errors.push(error(text));
        assert_eq!(lines(&KIND, &now), [want], "{text}");
        now.client_errors[0].answered_later = true;
        let is_full = text.contains("space exceeded"); // a full etcd answers who only reads
        assert_eq!(lines(&KIND, &now).is_empty(), !is_full, "{text}");
    }
    let mut now = snapshot("");
    now.client_errors.push(error("The connection to the server localhost:8080 was refused"));
    assert!(lines(&KIND, &now).is_empty());
}

#[test]
fn readiness_names_etcd() {
    let mut now = snapshot("");
    let check = |name: &str, healthy| model::HealthCheck {
        name: name.into(),
        healthy,
        said: format!("{name} {healthy}"),
        document: 0,
    };
    now.checks = vec![check("ping", true), check("etcd", true)];
    assert!(lines(&KIND, &now).is_empty());
    now.checks = vec![check("ping", true), check("etcd", false)];
    assert_eq!(lines(&KIND, &now), ["etcd-down component/etcd Proven Active"]);
}

#[test]
fn the_name_server_is_stopped_or_not_ready() {
    let dns = |replicas, ready| deployment("kube-system", "kube-dns", replicas, ready);
    check(&KIND, &dns(2, 2), &[]);
    check(&KIND, &dns(2, 1), &[]);
    check(&KIND, &dns(0, 0), &["dns-down deploy/kube-dns Proven Active"]);
    check(&KIND, &dns(2, 0), &["dns-down deploy/kube-dns Proven Active"]);
    check(&KIND, &deployment("shop", "kube-dns", 0, 0), &[]);
    // Named by its node alone, nothing is known of how it is.
    let named = "kind: Pod\nmetadata: {name: kube-dns-5d4f8c7b9-x2x4z, namespace: kube-system, \
        labels: {k8s-app: kube-dns}, creationTimestamp: 2026-01-01T00:00:00Z, ownerReferences: \
        [{kind: ReplicaSet, name: kube-dns-5d4f8c7b9, controller: true}]}\nspec: {nodeName: a}\n";
    check(&KIND, named, &[]);
    let waits = "status: {phase: Pending, conditions: [{type: PodScheduled, status: 'False', \
        lastTransitionTime: 2026-01-01T01:00:00Z}]}\n";
    let waits = format!("{named}{waits}").replace("{nodeName: a}", "{}");
    check(&KIND, &waits, &["dns-down deploy/kube-dns Proven Active"]);
    check_gaps(&KIND, &dns(1, 1), &["deploy/kube-dns spec.replicas"]);
    check_gaps(&KIND, &dns(2, 2), &[]);
}

#[test]
fn a_name_server_that_cannot_read_its_settings() {
    let mut now = snapshot(&deployment("kube-system", "coredns", 2, 0));
    let log = |line: &str| model::LogLines {
        name: "coredns".into(),
        namespace: "kube-system".into(),
        container: "".into(),
        unit: "".into(),
        previous: false,
        lines: vec![line.to_owned()],
        document: 0,
    };
    now.logs.push(log("/etc/coredns/Corefile:7 - Error during parsing: Unknown directive 'kube'"));
    assert_eq!(lines(&KIND, &now), ["dns-down cm/coredns Proven Active"]);
    now.logs = vec![log("plugin/kubernetes: Failed to watch: connection refused")];
    assert_eq!(lines(&KIND, &now), ["dns-down deploy/coredns Proven Active"]);
}

#[test]
fn slow_stores_count_when_leases_are_lost_over_it() {
    let log = |name: &str, line: &str| model::LogLines {
        name: name.into(),
        namespace: "kube-system".into(),
        container: "".into(),
        unit: "".into(),
        previous: false,
        lines: vec![line.to_owned()],
        document: 0,
    };
    let mut now = snapshot("");
    now.logs.push(log("etcd-cp-1", "apply request took too long, took: 1.2s, expected: 100ms"));
    assert!(lines(&KIND, &now).is_empty(), "every etcd says so now and then");
    now.logs.push(log("kube-scheduler-cp-1", "leaderelection.go:297] failed to renew lease"));
    assert_eq!(lines(&KIND, &now), ["etcd-slow component/etcd Likely Active"]);
}

#[test]
fn a_store_that_speaks_of_little_else_than_its_slow_disk() {
    let told = |lines_of_log: &[&str]| {
        let mut now = snapshot("");
        now.logs.push(model::LogLines {
            name: "etcd-cp-1".into(),
            namespace: "kube-system".into(),
            container: "".into(),
            unit: "".into(),
            previous: false,
            lines: lines_of_log.iter().map(|l| (*l).to_owned()).collect(),
            document: 0,
        });
        lines(&KIND, &now)
    };
    let (late, disk) = ("apply request took too long, took: 1.2s", "slow fdatasync, took: 2.1s");
    assert_eq!(told(&[late, disk]), ["etcd-slow component/etcd Likely Active"]);
    assert!(told(&[late, late]).is_empty(), "a large list is slow as well");
    let plain = "raft";
    assert!(told(&[late, disk, plain, plain, plain]).is_empty(), "now and then");
}

#[test]
fn the_name_servers_settings_and_service() {
    let map = "kind: ConfigMap\nmetadata: {name: coredns, namespace: kube-system, \
        creationTimestamp: 2026-01-01T00:00:00Z}\ndata: {Corefile: \".:53 {\\n  forward . \
        /etc/resolv.conf\\n}\"}\n---\n";
    let dns = deployment("kube-system", "coredns", 2, 2);
    check(&KIND, &format!("{dns}{map}"), &["dns-down cm/coredns Proven Active"]);
    let good = map.replace("forward .", "kubernetes cluster.local\\n  forward .");
    check(&KIND, &format!("{dns}{good}"), &["dns-down svc/kube-dns Likely Active"]);
    let service = |app: &str, kind: &str| {
        format!(
            "kind: Service\nmetadata: {{name: kube-dns, namespace: kube-system, {AT}}}\nspec: \
             {{selector: {{k8s-app: {app}}}, clusterIP: 10.0.0.10, ports: [{{port: 53}}]}}\n{kind}"
        )
    };
    let ready = "---\nkind: Pod\nmetadata: {name: coredns-1, namespace: kube-system, labels: \
        {k8s-app: coredns}, creationTimestamp: 2026-01-01T00:00:00Z, ownerReferences: [{kind: \
        ReplicaSet, name: coredns-5d4f8c7b9, controller: true}]}\nstatus: {phase: Running, \
        conditions: [{type: Ready, status: 'True'}]}\n";
    let want = ["dns-down svc/kube-dns Proven Active"];
    check(&KIND, &format!("{dns}{}", service("dns", ready)), &want);
    check(&KIND, &format!("{dns}{good}{}", service("coredns", ready)), &[]);
}

#[test]
fn names_that_nobody_can_look_up() {
    let yaml: String = ["api", "cart", "mail"]
        .iter()
        .map(|n| {
            deployment("shop", n, 1, 1)
                + &format!(
                    "kind: Service\nmetadata: {{name: {n}, namespace: shop, {AT}}}\nspec: \
                     {{selector: {{k8s-app: {n}}}, ports: [{{port: 80}}]}}\n---\n"
                )
        })
        .collect();
    let log = |name: &str, line: &str| model::LogLines {
        name: name.into(),
        namespace: "shop".into(),
        container: "".into(),
        unit: "".into(),
        previous: false,
        lines: vec![line.to_owned()],
        document: 0,
    };
    let mut now = snapshot(&yaml);
    now.logs.push(log("api", "dial tcp: lookup cart on 10.96.0.10:53: server misbehaving"));
    assert!(lines(&KIND, &now).is_empty(), "one caller may have a fault of its own");
    now.logs.push(log("cart", "Error: getaddrinfo EAI_AGAIN mail"));
    assert_eq!(lines(&KIND, &now), ["dns-down component/coredns Possible Active"]);
    now.logs.push(log("mail", "could not resolve host: api"));
    assert_eq!(lines(&KIND, &now), ["dns-down component/coredns Likely Active"]);
    let dial = |connected| model::Dial {
        host: "api.shop".into(),
        port: 80,
        connected,
        answer: "getaddrinfo for host \"api.shop\" port 80: Name or service not known".into(),
        document: 0,
    };
    now.dials.push(dial(true));
    assert!(lines(&KIND, &now).is_empty(), "a name was found");
}

#[test]
fn a_proxy_that_wants_no_node() {
    let daemon = |selector: &str, wanted: u32| {
        format!(
            "kind: DaemonSet\nmetadata: {{name: kube-proxy, namespace: kube-system, \
             {AT}}}\nspec:\n  selector: {{matchLabels: {{k8s-app: kube-proxy}}}}\n  template:\n    \
             metadata: {{labels: {{k8s-app: kube-proxy}}}}\n    spec: {{nodeSelector: {selector}, \
             containers: [{{name: c, image: x}}]}}\nstatus: {{desiredNumberScheduled: {wanted}, \
             numberReady: {wanted}}}\n---\nkind: Node\nmetadata: {{name: a, labels: \
             {{kubernetes.io/os: linux}}, {AT}}}\nstatus: {{conditions: [{{type: Ready, status: \
             'True'}}]}}\n"
        )
    };
    check(&KIND, &daemon("{gone: 'yes'}", 0), &["proxy-down ds/kube-proxy Proven Active"]);
    check(&KIND, &daemon("{kubernetes.io/os: linux}", 1), &[]);
}

#[test]
fn extensions_of_the_api() {
    let service = |name: &str, status: &str, reason: &str| {
        format!(
            "kind: APIService\nmetadata: {{name: {name}, {AT}}}\nspec: {{service: {{namespace: \
             kube-system, name: metrics-server}}}}\nstatus: {{conditions: [{{type: Available, \
             status: '{status}', reason: {reason}}}]}}\n---\n"
        )
    };
    let metrics = |status, reason| service("v1beta1.metrics.k8s.io", status, reason);
    check(&KIND, &metrics("True", "Passed"), &[]);
    let gone = metrics("False", "ServiceNotFound");
    check(&KIND, &gone, &["metrics-down apiservice/v1beta1.metrics.k8s.io Proven Active"]);
    let empty = metrics("False", "MissingEndpoints");
    let stopped = deployment("kube-system", "metrics-server", 0, 0);
    let want = "metrics-down deploy/metrics-server Proven Active";
    check(&KIND, &format!("{empty}{stopped}"), &[want]);
    check(&KIND, &stopped, &[want]);
    check(&KIND, &deployment("kube-system", "metrics-server", 1, 1), &[]);
    let other = service("v1.example.com", "False", "FailedDiscoveryCheck");
    check(&KIND, &other, &["extension-api-down apiservice/v1.example.com Proven Active"]);
}
