use super::KIND;
use crate::testing::{Member, check_gaps, lines, log, snapshot};
use model::{Gap, HostFact, HostFigure, Kind, ObjectRef, Snapshot};

/// CoreDNS with one ready pod.
const SERVER: &str = "\
---
kind: Deployment
metadata: {name: coredns, namespace: kube-system, labels: {k8s-app: kube-dns}, creationTimestamp: 2026-01-01T00:00:00Z}
spec:
  replicas: 1
  selector: {matchLabels: {k8s-app: kube-dns}}
  template:
    metadata: {labels: {k8s-app: kube-dns}}
    spec: {containers: [{name: coredns, image: 'coredns:1.11', resources: {limits: {cpu: 100m}}}]}
---
kind: Pod
metadata: {name: coredns-5d78c9869d-x2x4z, namespace: kube-system, labels: {k8s-app: kube-dns}, creationTimestamp: 2026-01-01T00:00:00Z, ownerReferences: [{kind: ReplicaSet, name: coredns-5d78c9869d, controller: true}]}
spec: {nodeName: n9, containers: [{name: coredns}]}
status: {phase: Running, conditions: [{type: Ready, status: 'True'}]}
---
kind: ConfigMap
metadata: {name: coredns, namespace: kube-system, creationTimestamp: 2026-01-01T00:00:00Z}
data: {Corefile: \".:53 {\\n kubernetes cluster.local\\n forward . 10.9.0.2\\n}\\n\"}
";

const LATE: &str = "2026-03-01T10:00:00Z WARN dns lookup for rates.pay.example took 5004ms";
const INSIDE: &str = "2026-03-01T10:00:00Z WARN dns lookup for ledger.shop.svc took 2300 ms";
const LOST: &str = "dial tcp: lookup rates.pay.example on 10.0.0.10:53: read udp: i/o timeout";
const WAITED: &str =
    "[ERROR] plugin/errors: 2 rates.pay.example. A: read udp 10.1.0.4:3->10.9.0.2:53: i/o timeout";

/// The name server and two workloads, of which `teller` logs these lines.
fn story(told: &[&str]) -> Snapshot {
    let member = |name| Member { name, ..Member::default() }.yaml();
    let mut now = snapshot(&(member("teller") + &member("ledger") + SERVER));
    log(&mut now, "teller", told);
    now
}

fn server_says(now: &mut Snapshot, lines: &[&str]) {
    log(now, "coredns-5d78c9869d-x2x4z", lines);
}

fn conntrack(now: &mut Snapshot, node: &str, insert_failed: u64) {
    let figure = HostFigure::Conntrack { insert_failed, dropped: insert_failed };
    now.hosts.push(HostFact { node: node.into(), figure, document: 0 });
}

#[test]
fn a_name_server_that_waits_for_others_is_named_with_its_settings() {
    let mut now = story(&[LATE, LATE]);
    server_says(&mut now, &[WAITED; 3]);
    assert_eq!(lines(&KIND, &now), ["upstream-slow cm/coredns Proven Active"]);
    let mut now = story(&[LOST, LOST]);
    server_says(&mut now, &[WAITED; 4]);
    assert_eq!(lines(&KIND, &now), ["upstream-slow cm/coredns Likely Active"]);
}

#[test]
fn a_name_server_at_its_limit_is_named() {
    let mut now = story(&[INSIDE, INSIDE]);
    let sample = |value| model::Sample {
        subject: "kube-system/coredns-5d78c9869d-x2x4z".into(),
        metric: "cpu_usage".into(),
        value,
        at: None,
        document: 0,
    };
    now.samples = vec![sample(0.098)];
    assert_eq!(lines(&KIND, &now), ["server-starved deploy/coredns Likely Active"]);
    now.samples = vec![sample(0.02)];
    assert_eq!(lines(&KIND, &now), ["server-starved deploy/coredns Possible Active"]);
}

#[test]
fn connections_that_collide_are_told_of_their_node() {
    let mut now = story(&[LATE, LATE, LOST]);
    conntrack(&mut now, "n1", 412);
    assert_eq!(lines(&KIND, &now), ["packets-lost node/n1 Likely Active"]);
    let mut now = story(&[LATE, LATE]);
    conntrack(&mut now, model::UNNAMED_HOST, 7);
    assert_eq!(lines(&KIND, &now), ["packets-lost component/coredns Likely Active"]);
}

#[test]
fn an_outside_name_through_the_search_list_is_told_of_its_caller() {
    let now = story(&[LATE, LATE]);
    assert_eq!(lines(&KIND, &now), ["search-list deploy/teller Possible Active"]);
    let mut now = story(&[LATE, LATE]);
    let walked = "[INFO] 10.1.0.7:4 - 3 \"A IN rates.pay.example.shop.svc.cluster.local. udp 62 \
                  false 512\" NXDOMAIN qr,aa,rd 155 0.0001s";
    let found = "[INFO] 10.1.0.7:4 - 3 \"A IN rates.pay.example. udp 30 false 512\" NOERROR qr 60 \
                 0.0001s";
    server_says(&mut now, &[walked, walked, walked, found].repeat(6));
    assert_eq!(lines(&KIND, &now), ["search-list deploy/teller Likely Active"]);
}

#[test]
fn look_alikes_stay_quiet() {
    // One slow lookup, or none.
    assert_eq!(lines(&KIND, &story(&[LATE])), [""; 0]);
    assert_eq!(lines(&KIND, &story(&["served in 5s", "dns cache ttl 30s"])), [""; 0]);
    // No answer at all, and nothing that says why: that is another failure.
    assert_eq!(lines(&KIND, &story(&[LOST, LOST, LOST])), [""; 0]);
    // What was said of itself by a name server, or counted since a machine's start, with
    // nobody who waits.
    let mut now = story(&["all is well"]);
    server_says(&mut now, &[WAITED; 9]);
    conntrack(&mut now, "n1", 9000);
    assert_eq!(lines(&KIND, &now), [""; 0]);
    // It was slow an hour ago.
    let mut now = story(&[LATE, LATE]);
    log(&mut now, "ledger", &["2026-03-01T11:00:00Z INFO served"]);
    assert_eq!(lines(&KIND, &now), [""; 0]);
}

#[test]
fn a_name_server_that_is_down_is_not_slow() {
    let member = Member { name: "teller", ..Member::default() }.yaml();
    let down = SERVER.replace("status: 'True'", "status: 'False'");
    let mut now = snapshot(&(member + &down));
    log(&mut now, "teller", &[LATE, LATE]);
    assert_eq!(lines(&KIND, &now), [""; 0]);
}

#[test]
fn who_calls_outside_names_through_the_search_list_is_exposed() {
    let yaml = |more: &str| {
        format!(
            "kind: Deployment\nmetadata: {{namespace: dock, name: buoy, creationTimestamp: \
             2026-01-01T00:00:00Z}}\nspec: {{replicas: 2, template: {{spec: {{affinity: {{}}, \
             containers: [{{name: main, resources: {{}}, env: [{{name: RATES_URL, value: \
             'https://rates.pay.example/v1'}}]}}]{more}}}}}}}\n"
        )
    };
    let field = "deploy/buoy spec.template.spec.dnsConfig.options";
    check_gaps(&KIND, &yaml(""), &[field]);
    check_gaps(&KIND, &yaml(", dnsPolicy: ClusterFirst"), &[field]);
    check_gaps(&KIND, &yaml(", dnsConfig: {options: [{name: ndots, value: '1'}]}"), &[]);
    check_gaps(&KIND, &yaml(", dnsPolicy: Default"), &[]);
    check_gaps(&KIND, &yaml("").replace("rates.pay.example", "ledger"), &[]);
    let object = ObjectRef::new(Kind::Deployment, "dock", "buoy");
    let gap = Gap { failure: KIND.id, object, field: field.into(), why: String::new() };
    let patch = (KIND.prevent)(&gap, &snapshot(&yaml(""))).expect("a patch");
    assert!(patch.body.contains("value: '2'"), "{}", patch.body);
}
