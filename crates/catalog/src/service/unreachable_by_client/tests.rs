use super::KIND;
use crate::node::network_degraded;
use crate::testing::{Member, lines, log, snapshot};
use model::{Alert, Sample, Snapshot, Timestamp};

/// A chain: gate calls desk and press; desk calls vault and stamp; press calls stamp.
/// Gate and vault are on n1, desk and press on n2, stamp on n3.
fn chain() -> Snapshot {
    let member = |name, node, env| Member { name, node, env, ..Member::default() }.yaml();
    let desk = "{name: VAULT_ADDR, value: 'vault:8080'}, {name: STAMP_ADDR, value: 'stamp:8080'}";
    let gate = "{name: DESK_ADDR, value: 'desk:8080'}, {name: PRESS_ADDR, value: 'press:8080'}";
    let yaml = [
        member("gate", "n1", gate),
        member("desk", "n2", desk),
        member("press", "n2", "{name: STAMP_ADDR, value: 'stamp:8080'}"),
        member("stamp", "n3", ""),
        member("vault", "n1", ""),
    ]
    .concat();
    snapshot(yaml.trim_start_matches("---\n"))
}

/// Twelve points of a metric that jumps in the middle.
fn course(now: &mut Snapshot, subject: &str, metric: &str, before: f64, after: f64) {
    for i in 0..12_i64 {
        now.samples.push(Sample {
            subject: subject.into(),
            metric: metric.into(),
            value: if i < 6 { before } else { after },
            at: Some(Timestamp::from_seconds(1_772_359_200 + i * 10)),
            document: 0,
        });
    }
}

/// Latencies: `(name, middle added, tail added)`; everybody else is as fast as before.
fn latencies(now: &mut Snapshot, slow: &[(&str, f64, f64)]) {
    for name in ["gate", "desk", "press", "stamp", "vault"] {
        let grown = slow.iter().find(|(n, ..)| *n == name);
        let (middle, tail) = grown.map_or((0.0, 0.0), |(_, m, t)| (*m, *t));
        course(now, name, "p50latency", 5.0, 5.0 + middle);
        course(now, name, "p95latency", 10.0, 10.0 + tail);
    }
}

#[track_caller]
fn check(now: &Snapshot, want: &[&str]) {
    let mut found = lines(&KIND, now);
    found.extend(lines(&network_degraded::KIND, now));
    assert_eq!(found, want);
}

#[test]
fn the_deepest_slow_one_is_the_culprit() {
    let mut now = chain();
    latencies(&mut now, &[("gate", 90.0, 95.0), ("desk", 95.0, 100.0), ("vault", 98.0, 99.0)]);
    check(&now, &["network-delay deploy/vault Likely Active"]);
    // Only some requests, by a fifth of a second and more: lost packets.
    let mut now = chain();
    latencies(&mut now, &[("gate", 1.0, 400.0), ("desk", 1.0, 420.0), ("vault", 1.0, 430.0)]);
    check(&now, &["network-loss deploy/vault Likely Active"]);
}

#[test]
fn what_all_slow_ones_have_below_them_may_be_fast_itself() {
    // Measured at its own end, stamp is as fast as ever.
    let mut now = chain();
    latencies(&mut now, &[("gate", 90.0, 95.0), ("desk", 95.0, 99.0), ("press", 95.0, 99.0)]);
    check(&now, &["network-delay deploy/stamp Possible Active"]);
}

#[test]
fn a_busy_processor_explains_it_better() {
    let mut now = chain();
    latencies(&mut now, &[("gate", 9.0, 90.0), ("desk", 9.0, 95.0), ("vault", 9.0, 99.0)]);
    course(&mut now, "vault", "cpu", 0.1, 0.5);
    check(&now, &[]);
}

#[test]
fn nobody_slow_and_replicas_lost_are_no_matter_of_the_network() {
    let mut now = chain();
    latencies(&mut now, &[]);
    check(&now, &[]);
    // Little in milliseconds is little.
    latencies(&mut now, &[("vault", 2.0, 3.0)]);
    check(&now, &[]);
}

#[test]
fn calls_that_all_touch_one_node_are_a_matter_of_the_node() {
    let member = |name, node, env| Member { name, node, env, ..Member::default() }.yaml();
    let to = |names: &[&str]| -> String {
        let one = |n: &&str| format!("{{name: {}_ADDR, value: '{n}:8080'}}", n.to_uppercase());
        names.iter().map(one).collect::<Vec<_>>().join(", ")
    };
    let yaml = [
        member("ash", "n1", &to(&["elm", "fir"])),
        member("elm", "n2", &to(&["oak"])),
        member("fir", "n2", ""),
        member("oak", "n2", ""),
        member("yew", "n3", &to(&["elm", "box"])),
        member("box", "n1", ""),
        member("larch", "n3", &to(&["birch", "box"])),
        member("birch", "n3", ""),
        member("pine", "n2", &to(&["birch"])),
    ]
    .concat();
    let mut now = snapshot(yaml.trim_start_matches("---\n"));
    for name in ["ash", "elm", "fir", "oak", "yew", "box", "larch", "birch", "pine"] {
        // What crosses the edge of n2.
        let slow = ["ash", "yew", "pine"].contains(&name);
        course(&mut now, name, "p50latency", 5.0, if slow { 105.0 } else { 5.0 });
        course(&mut now, name, "p95latency", 9.0, if slow { 110.0 } else { 9.0 });
    }
    check(&now, &["network-delay node/n2 Likely Active"]);
}

#[test]
fn alerts_alone_name_who_suffers() {
    let alert = |subject: &str, text: &str| Alert {
        name: "SlowAnswers".into(),
        subjects: vec![subject.into()],
        text: text.into(),
        labels: Default::default(),
        since: None,
        document: 0,
    };
    let mut now = chain();
    for name in ["gate", "desk", "vault"] {
        now.alerts.push(alert(name, "p95 latency is 900 ms (+800.0%)"));
    }
    check(&now, &["network-delay deploy/vault Likely Active"]);
    now.alerts.push(alert("vault", "CPU usage is at 98% of the limit"));
    check(&now, &[]);
}

#[test]
fn pods_that_ask_another_dns_cannot_resolve_services() {
    let desk = |policy: &str| {
        let env = "{name: VAULT_ADDR, value: 'vault:8080'}";
        let desk = Member { name: "desk", env, ..Member::default() }.yaml();
        let desk = desk.replace("containers:", &format!("{policy}, affinity: {{}}, containers:"));
        Member { name: "vault", ..Member::default() }.yaml() + &desk
    };
    let told = |policy: &str, want: &[&str]| {
        let mut now = snapshot(desk(policy).trim_start_matches("---\n"));
        let line = "dial tcp: lookup vault on 169.254.20.1:53: no such host";
        log(&mut now, "desk", &[line; 4]);
        assert_eq!(lines(&KIND, &now), want, "{policy}");
    };
    told("dnsPolicy: Default", &["name-unresolved deploy/desk Proven Active"]);
    told("hostNetwork: true", &["name-unresolved deploy/desk Proven Active"]);
    told("dnsPolicy: ClusterFirst", &[]);
    told("hostNetwork: true, dnsPolicy: ClusterFirstWithHostNet", &[]);
    let servers = |s: &str| format!("dnsPolicy: None, dnsConfig: {{nameservers: [{s}]}}");
    told(&servers("9.9.9.9"), &["name-unresolved deploy/desk Proven Active"]);
    told(&servers("10.96.0.10"), &[]);
}
