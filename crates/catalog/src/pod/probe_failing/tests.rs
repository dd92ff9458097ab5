use super::KIND;
use crate::testing::{check, lines, snapshot};

/// A Deployment `lamp` of namespace `house` with one pod.
struct Lamp<'a> {
    container: &'a str,
    ready: &'a str,
    status: &'a str,
    events: &'a [(&'a str, &'a str, u32)],
}

const RUNNING: &str = "ready: true, restartCount: 0, state: {running: {startedAt: \
                       2026-01-01T00:00:05Z}}";
const UNREADY: &str = "ready: false, restartCount: 0, state: {running: {startedAt: \
                       2026-01-01T00:00:05Z}}";
const RESTARTED: &str = "ready: true, restartCount: 3, state: {running: {startedAt: \
    2026-01-01T00:09:40Z}}, lastState: {terminated: {exitCode: 137, reason: Error, startedAt: \
    2026-01-01T00:09:00Z, finishedAt: 2026-01-01T00:09:39Z}}";

impl Lamp<'_> {
    fn yaml(&self) -> String {
        named("lamp", "n1", self)
    }
}

fn named(name: &str, node: &str, lamp: &Lamp<'_>) -> String {
    let Lamp { container, ready, status, events } = lamp;
    let mut yaml = format!(
        "kind: Deployment\nmetadata: {{namespace: house, name: {name}, \
         creationTimestamp: 2026-01-01T00:00:00Z}}\nspec:\n  replicas: 1\n  \
         selector: {{matchLabels: {{app: {name}}}}}\n  template:\n    \
         metadata: {{labels: {{app: {name}}}}}\n    spec:\n      \
         containers: [{{name: main, image: '{name}:1', {container}}}]\n---\n\
         kind: Pod\nmetadata: {{namespace: house, name: {name}-5d4f8c7b9-x2x4z, \
         ownerReferences: [{{kind: ReplicaSet, name: {name}-5d4f8c7b9}}], \
         creationTimestamp: 2026-01-01T00:00:00Z}}\n\
         spec: {{nodeName: {node}, containers: [{{name: main, {container}}}]}}\n\
         status: {{phase: Running, startTime: 2026-01-01T00:00:00Z, \
         conditions: [{{type: Ready, status: '{ready}', \
         lastTransitionTime: 2026-01-01T00:00:20Z}}], \
         containerStatuses: [{{name: main, {status}}}]}}\n---\n"
    );
    for (i, (reason, message, count)) in events.iter().enumerate() {
        let message = message.replace('\'', "''");
        yaml += &format!(
            "kind: Event\nmetadata: {{namespace: house, name: e{i}}}\ninvolvedObject: {{kind: Pod, \
             namespace: house, name: {name}-5d4f8c7b9-x2x4z}}\nreason: {reason}\ntype: Warning\n\
             message: '{message}'\ncount: {count}\nfirstTimestamp: 2026-01-01T00:00:15Z\n\
             lastTimestamp: 2026-01-01T00:10:00Z\n---\n"
        );
    }
    yaml
}

const KILL: (&str, &str, u32) =
    ("Killing", "Container main failed liveness probe, will be restarted", 3);

#[test]
fn a_probe_of_another_port_is_found_by_comparing() {
    let refused = "Readiness probe failed: Get \"http://10.1.0.7:8081/ok\": dial tcp \
                   10.1.0.7:8081: connect: connection refused";
    let wrong = "probe-port-wrong deploy/lamp Proven Active";
    for container in [
        "ports: [{containerPort: 8080}], readinessProbe: {httpGet: {port: 8081, path: /ok}}",
        "env: [{name: PORT, value: '8080'}], readinessProbe: {httpGet: {port: 8081, path: /ok}}",
        "args: ['--port', '8080'], readinessProbe: {httpGet: {port: 8081, path: /ok}}",
        "livenessProbe: {httpGet: {port: 8080}}, readinessProbe: {httpGet: {port: 8081}}",
    ] {
        let events = &[("Unhealthy", refused, 40)];
        let lamp = Lamp { container, ready: "False", status: UNREADY, events };
        check(&KIND, &lamp.yaml(), &[wrong]);
        // The pod suffers as it would; nobody printed the events.
        let lamp = Lamp { events: &[], ..lamp };
        let old = lamp.yaml()
            + "kind: Node\nmetadata: {name: n1}\nstatus: {conditions: [{type: \
                                 Ready, status: 'True', lastHeartbeatTime: 2026-01-01T00:10:00Z}]}";
        check(&KIND, &old, &[wrong]);
    }
}

#[test]
fn a_liveness_probe_of_another_port_restarts_a_ready_pod() {
    let container = "ports: [{containerPort: 7000}], env: [{name: PORT, value: '7000'}], \
                     livenessProbe: {grpc: {port: 7001}}, readinessProbe: {grpc: {port: 7000}}";
    let message = "Liveness probe failed: timeout: failed to connect service \"10.1.0.7:7001\" \
                   within 1s: context deadline exceeded";
    let events = &[("Unhealthy", message, 9), KILL];
    let lamp = Lamp { container, ready: "True", status: RESTARTED, events };
    let now = snapshot(&lamp.yaml());
    assert_eq!(lines(&KIND, &now), ["probe-port-wrong deploy/lamp Proven Active"]);
    let mut findings = model::Findings::default();
    now.apps.iter().for_each(|a| super::detect(a, &now, &mut findings));
    let found = findings.found.first().expect("a finding");
    let place = "spec.template.spec.containers[main].livenessProbe.grpc.port";
    assert_eq!(found.field.as_deref(), Some(place));
    assert_eq!(found.expected.as_deref(), Some("7000"));
    assert_eq!(found.impact.replicas, 1);
    let remedy = (KIND.remedy)(found, &now);
    let commands: Vec<String> = remedy.next.into_iter().filter_map(|s| s.command).collect();
    assert!(commands.iter().any(|c| c.contains("\"livenessProbe\":{\"grpc\":{\"port\":7000}}")));
    // Only the table: restarts, no events.
    let silent = Lamp { events: &[], ..lamp };
    check(&KIND, &silent.yaml(), &["probe-port-wrong deploy/lamp Proven Active"]);
}

#[test]
fn names_of_ports_are_compared() {
    let container = "ports: [{name: http, containerPort: 8080}], \
                     readinessProbe: {httpGet: {port: htpp}}";
    let message = "Readiness probe errored: couldn't find port: htpp";
    let events = &[("Unhealthy", message, 4)];
    let lamp = Lamp { container, ready: "False", status: UNREADY, events };
    check(&KIND, &lamp.yaml(), &["probe-port-wrong deploy/lamp Proven Active"]);
}

#[test]
fn protocols_are_told_by_the_answer_and_by_the_other_probe() {
    let want = "probe-protocol-wrong deploy/lamp Proven Active";
    let container = "ports: [{containerPort: 8080}], livenessProbe: {httpGet: {port: 8080}}, \
                     readinessProbe: {grpc: {port: 8080}}";
    let malformed = "Liveness probe failed: Get \"http://10.1.0.7:8080/\": net/http: HTTP/1.x \
                     transport connection broken: malformed HTTP response \"\\x00\\x00\\x06\"";
    let events = &[("Unhealthy", malformed, 9), KILL];
    let lamp = Lamp { container, ready: "True", status: RESTARTED, events };
    check(&KIND, &lamp.yaml(), &[want]);
    check(&KIND, &Lamp { events: &[], ..lamp }.yaml(), &[want]);
    let https = "Readiness probe failed: Get \"https://10.1.0.7:8443/\": http: server gave HTTP \
                 response to HTTPS client";
    let container = "readinessProbe: {httpGet: {port: 8443, scheme: HTTPS}}";
    let events = &[("Unhealthy", https, 9)];
    check(&KIND, &Lamp { container, ready: "False", status: UNREADY, events }.yaml(), &[want]);
}

#[test]
fn each_answer_means_something_else() {
    let web = "ports: [{containerPort: 80}], readinessProbe: {httpGet: {port: 80, path: /helth}}";
    let exec = "readinessProbe: {exec: {command: [pg_isread, -q]}}";
    for (container, message, want) in [
        (web, "HTTP probe failed with statuscode: 404", "probe-path-wrong deploy/lamp Proven"),
        (web, "HTTP probe failed with statuscode: 401", "probe-path-wrong deploy/lamp Proven"),
        (web, "HTTP probe failed with statuscode: 503", "dependency-down deploy/lamp Possible"),
        (
            web,
            "Get \"http://10.1.0.7:80/helth\": context deadline exceeded (Client.Timeout exceeded \
             while awaiting headers)",
            "probe-timing-too-tight deploy/lamp Likely",
        ),
        (
            web,
            "Get \"http://10.1.0.7:80/helth\": dial tcp 10.1.0.7:80: connect: connection refused",
            "probe-port-wrong deploy/lamp Possible",
        ),
        (
            exec,
            "OCI runtime exec failed: exec failed: unable to start container process: exec: \
             \"pg_isread\": executable file not found in $PATH: unknown",
            "probe-command-wrong deploy/lamp Proven",
        ),
        (exec, "no response", "probe-command-wrong deploy/lamp Possible"),
    ] {
        let message = format!("Readiness probe failed: {message}");
        let events = &[("Unhealthy", message.as_str(), 30)];
        let lamp = Lamp { container, ready: "False", status: UNREADY, events };
        check(&KIND, &lamp.yaml(), &[&format!("{want} Active")]);
    }
}

#[test]
fn a_peer_named_in_the_log_is_why_it_cannot_serve() {
    let container = "env: [{name: DB, value: 'wire:5432'}], ports: [{containerPort: 80}], \
                     readinessProbe: {httpGet: {port: 80}}";
    let events =
        &[("Unhealthy", "Readiness probe failed: HTTP probe failed with statuscode: 503", 9)];
    let lamp = Lamp { container, ready: "False", status: UNREADY, events };
    let service = "kind: Service\nmetadata: {namespace: house, name: wire}\nspec: {selector: \
                   {app: wire}, ports: [{port: 5432}]}";
    let mut now = snapshot(&(lamp.yaml() + service));
    now.logs.push(model::LogLines {
        name: "lamp-5d4f8c7b9-x2x4z".into(),
        namespace: "house".into(),
        container: "main".into(),
        unit: "".into(),
        previous: false,
        lines: vec!["dial tcp: connect wire:5432: connection refused".into()],
        document: 0,
    });
    assert_eq!(lines(&KIND, &now), ["dependency-down deploy/lamp Proven Active"]);
}

#[test]
fn a_slow_start_is_killed_again_and_again() {
    let container = "ports: [{containerPort: 80}], livenessProbe: {httpGet: {port: 80}, \
                     initialDelaySeconds: 5, periodSeconds: 5}";
    let message = "Liveness probe failed: Get \"http://10.1.0.7:80/\": dial tcp 10.1.0.7:80: \
                   connect: connection refused";
    let events = &[("Unhealthy", message, 9), KILL];
    let lamp = Lamp { container, ready: "False", status: RESTARTED, events };
    check(&KIND, &lamp.yaml(), &["slow-start deploy/lamp Likely Active"]);
}

#[test]
fn what_is_over_or_only_starting_stays_quiet() {
    let container = "ports: [{containerPort: 80}], readinessProbe: {httpGet: {port: 80}}, \
                     livenessProbe: {httpGet: {port: 80}}";
    let refused = "dial tcp 10.1.0.7:80: connect: connection refused";
    let both = [
        (
            "Unhealthy",
            &*format!("Readiness probe failed: Get \"http://10.1.0.7:80/\": {refused}"),
            2,
        ),
        (
            "Unhealthy",
            &*format!("Liveness probe failed: Get \"http://10.1.0.7:80/\": {refused}"),
            1,
        ),
    ];
    let lamp = Lamp { container, ready: "True", status: RUNNING, events: &both };
    check(&KIND, &lamp.yaml(), &[]);
    // It ends by itself: the probe only notices.
    let crashed = RESTARTED.replace("137", "1").replace("ready: true", "ready: false");
    let one = Lamp { status: &crashed, ready: "False", events: &both[..1], ..lamp };
    check(&KIND, &one.yaml(), &[]);
    // A probe may go to a port that is not declared: it works.
    let admin = "ports: [{containerPort: 80}], livenessProbe: {httpGet: {port: 9090}}";
    let lamp = Lamp { container: admin, ready: "True", status: RUNNING, events: &[] };
    check(&KIND, &lamp.yaml(), &[]);
}

#[test]
fn a_manifest_alone_is_only_suspected() {
    let yaml = "kind: Deployment\nmetadata: {namespace: house, name: lamp}\nspec: {template: \
                {spec: {containers: [{name: main, ports: [{containerPort: 80}], \
                readinessProbe: {httpGet: {port: 81}}}]}}}\n";
    check(&KIND, yaml, &["probe-port-wrong deploy/lamp Proven Suspected"]);
    check(&KIND, &yaml.replace("port: 81", "port: 80"), &[]);
}

#[test]
fn a_loaded_node_is_told_by_a_kind_of_its_own() {
    let container = "ports: [{containerPort: 80}], readinessProbe: {httpGet: {port: 80}}";
    let message = "Readiness probe failed: Get \"http://10.1.0.7:80/\": context deadline exceeded";
    let events = &[("Unhealthy", message, 12)];
    let sick = Lamp { container, ready: "False", status: UNREADY, events };
    let well = Lamp { container, ready: "True", status: RUNNING, events: &[] };
    let three: String = ["lamp", "fan", "bell"].iter().map(|n| named(n, "n1", &sick)).collect();
    let yaml = three.clone() + &named("door", "n2", &well);
    check(&KIND, &yaml, &[]);
    check(
        &crate::pod::probe_failing_node_loaded::KIND,
        &yaml,
        &["node-loaded node/n1 Likely Active"],
    );
    // On every node: it is not the node.
    let two = named("lamp", "n1", &sick) + &named("fan", "n2", &sick);
    check(
        &KIND,
        &two,
        &[
            "probe-timing-too-tight deploy/fan Likely Active",
            "probe-timing-too-tight deploy/lamp Likely Active",
        ],
    );
}

#[test]
fn a_pod_is_out_of_service_since_before_the_oldest_event_that_is_kept() {
    let container = "ports: [{containerPort: 8080}], readinessProbe: {httpGet: {port: 8080}}";
    let message = "Readiness probe failed: HTTP probe failed with statuscode: 503";
    let events = &[("Unhealthy", message, 900)];
    let lamp = Lamp { container, ready: "False", status: UNREADY, events };
    let left = "2026-01-01T00:00:10Z";
    let yaml = lamp.yaml().replace(
        "lastTransitionTime: 2026-01-01T00:00:20Z",
        &format!("lastTransitionTime: {left}"),
    );
    let since = |yaml: &str| {
        let now = snapshot(yaml);
        let mut findings = model::Findings::default();
        now.apps.iter().for_each(|a| super::detect(a, &now, &mut findings));
        findings.found.first().and_then(|f| f.since).map(|t| t.to_string())
    };
    assert_eq!(since(&yaml).as_deref(), Some(left));
    // An event that is older than the condition stays the beginning.
    assert_eq!(since(&lamp.yaml()).as_deref(), Some("2026-01-01T00:00:15Z"));
}

#[test]
fn a_complaint_holds_while_nothing_has_changed_since() {
    let container = "ports: [{containerPort: 8080}], readinessProbe: {httpGet: {port: 8080}}";
    let message = "Readiness probe failed: HTTP probe failed with statuscode: 503";
    let events = &[("Unhealthy", message, 900)];
    let lamp = Lamp { container, ready: "False", status: UNREADY, events };
    let clock = "kind: Node\nmetadata: {name: n1}\nstatus: {conditions: [{type: Ready, status: \
                 'True', lastHeartbeatTime: 2026-01-01T00:40:00Z}]}\n";
    let late = lamp.yaml() + clock;
    check(&KIND, &late, &["dependency-down deploy/lamp Possible Active"]);
    // It left service after the last complaint: something else was the reason.
    let left = late.replace(
        "lastTransitionTime: 2026-01-01T00:00:20Z",
        "lastTransitionTime: 2026-01-01T00:30:00Z",
    );
    check(&KIND, &left, &[]);
}
