use model::{Dial, Snapshot};

mod hidden;

use super::KIND;
use crate::testing::{check, lines, snapshot};

/// A Deployment `vault` of namespace `bank` with one ready pod and this container.
fn vault(container: &str) -> String {
    app("vault", container)
}

fn app(name: &str, container: &str) -> String {
    format!(
        "kind: Deployment\nmetadata: {{namespace: bank, name: {name}, \
         creationTimestamp: 2026-01-01T00:00:00Z}}\nspec:\n  replicas: 1\n  \
         selector: {{matchLabels: {{app: {name}}}}}\n  template:\n    \
         metadata: {{labels: {{app: {name}}}}}\n    spec:\n      \
         containers: [{{name: main, image: x, {container}}}]\n\
         status: {{readyReplicas: 1}}\n---\n\
         kind: Pod\nmetadata: {{namespace: bank, name: {name}-5d4f8c7b9-x2x4z, \
         labels: {{app: {name}}}, \
         ownerReferences: [{{kind: ReplicaSet, name: {name}-5d4f8c7b9}}], \
         creationTimestamp: 2026-01-01T00:00:00Z}}\n\
         spec: {{nodeName: n-{name}, containers: [{{name: main, {container}}}]}}\n\
         status: {{phase: Running, conditions: [{{type: Ready, status: 'True'}}]}}\n---\n"
    )
}

fn service(ports: &str) -> String {
    format!(
        "kind: Service\nmetadata: {{namespace: bank, name: vault, \
         creationTimestamp: 2026-01-01T00:00:00Z}}\nspec: {{type: ClusterIP, \
         clusterIP: 10.0.0.9, selector: {{app: vault}}, ports: [{ports}]}}\n---\n"
    )
}

fn dialled(yaml: &str, host: &str, port: u16, connected: bool) -> Snapshot {
    let mut now = snapshot(yaml);
    let answer = String::new();
    now.dials.push(Dial { host: host.into(), port, connected, answer, document: 0 });
    now
}

#[track_caller]
fn field(yaml: &str, field: &str, value: &str, expected: &str) {
    let now = snapshot(yaml);
    let mut findings = model::Findings::default();
    now.services.iter().for_each(|s| super::detect(s, &now, &mut findings));
    let found = findings.found.first().expect("a finding");
    let told = (found.field.as_deref(), found.value.as_deref(), found.expected.as_deref());
    assert_eq!(told, (Some(field), Some(value), Some(expected)));
}

#[test]
fn a_target_that_contradicts_the_pods_is_wrong() {
    let wrong = "target-port-wrong svc/vault Proven Active";
    for container in [
        "ports: [{containerPort: 8080}]",
        "env: [{name: PORT, value: '8080'}]",
        "args: ['--listen-address=0.0.0.0:8080']",
        "readinessProbe: {tcpSocket: {port: 8080}}",
    ] {
        let yaml = vault(container) + &service("{name: http, port: 80, targetPort: 8081}");
        check(&KIND, &yaml, &[wrong]);
        field(&yaml, "spec.ports[http].targetPort", "8081", "8080");
    }
    // Without a target the port itself is the target.
    let same = vault("ports: [{containerPort: 8080}]") + &service("{port: 80}");
    check(&KIND, &same, &[wrong]);
}

#[test]
fn a_target_by_a_name_that_no_container_has_is_wrong() {
    let yaml = vault("ports: [{name: api, containerPort: 8080}]")
        + &service("{name: http, port: 80, targetPort: web}");
    check(&KIND, &yaml, &["port-name-unmatched svc/vault Proven Active"]);
    field(&yaml, "spec.ports[http].targetPort", "web", "api");
    let bare = vault("ports: [{containerPort: 8080}]") + &service("{port: 8080, targetPort: web}");
    field(&bare, "spec.ports[8080].targetPort", "web", "8080");
}

#[test]
fn targets_that_may_be_right_stay_quiet() {
    for (container, ports) in [
        ("ports: [{containerPort: 8080}]", "{port: 80, targetPort: 8080}"),
        ("ports: [{name: web, containerPort: 8080}]", "{port: 80, targetPort: web}"),
        // A container need not declare its ports.
        ("command: [serve]", "{port: 80, targetPort: 8080}"),
        // The declared port is served; nothing contradicts the other one.
        (
            "ports: [{containerPort: 8080}]",
            "{name: a, port: 80, targetPort: 8080}, {name: b, port: 9090, targetPort: 9090}",
        ),
        // Told by the setting, though another port is declared.
        (
            "env: [{name: PORT, value: '8081'}], ports: [{containerPort: 8080}]",
            "{port: 80, targetPort: 8081}",
        ),
    ] {
        check(&KIND, &(vault(container) + &service(ports)), &[]);
    }
    let wrong = vault("ports: [{containerPort: 8080}]") + &service("{port: 80, targetPort: 81}");
    assert!(lines(&KIND, &dialled(&wrong, "vault.bank", 80, true)).is_empty());
}

#[test]
fn a_failed_connection_counts_where_nothing_is_declared() {
    let yaml = vault("command: [serve]") + &service("{port: 80, targetPort: 8080}");
    for host in ["vault.bank", "vault", "vault.bank.svc.cluster.local", "10.0.0.9"] {
        let now = dialled(&yaml, host, 80, false);
        assert_eq!(lines(&KIND, &now), ["target-port-wrong svc/vault Possible Active"], "{host}");
    }
    assert!(lines(&KIND, &dialled(&yaml, "other.bank", 80, false)).is_empty());
}

#[test]
fn pods_that_are_not_ready_are_the_greater_trouble() {
    let yaml = vault("ports: [{containerPort: 8080}]") + &service("{port: 80, targetPort: 81}");
    let yaml = yaml.replace("'True'", "'False'").replace("readyReplicas: 1", "readyReplicas: 0");
    check(&KIND, &yaml, &["target-port-wrong svc/vault Proven Suspected"]);
}

#[test]
fn protocols_are_compared() {
    let container = "ports: [{containerPort: 53, protocol: TCP}]";
    let udp = "{port: 53, targetPort: 53, protocol: UDP}";
    check(
        &KIND,
        &(vault(container) + &service(udp)),
        &["protocol-mismatch svc/vault Likely Active"],
    );
    let probed = format!("{container}, livenessProbe: {{tcpSocket: {{port: 53}}}}");
    check(&KIND, &(vault(&probed) + &service(udp)), &["protocol-mismatch svc/vault Proven Active"]);
    let both = "ports: [{containerPort: 53, protocol: TCP}, {containerPort: 53, protocol: UDP}]";
    check(&KIND, &(vault(both) + &service(udp)), &[]);
}

#[test]
fn clients_that_use_another_port_are_named() {
    let behind = vault("ports: [{containerPort: 8080}]") + &service("{port: 80, targetPort: 8080}");
    let client = |name: &str, address: &str| {
        app(name, &format!("env: [{{name: VAULT_ADDR, value: '{address}'}}]"))
    };
    let one = behind.clone() + &client("teller", "http://vault:8080/v1");
    check(&KIND, &one, &["port-mismatch-of-client deploy/teller Proven Active"]);
    let place = "spec.template.spec.containers[main].env[VAULT_ADDR]";
    field(&one, place, "vault:8080", "vault:80");
    check(&KIND, &(behind.clone() + &client("teller", "vault:80")), &[]);
    check(&KIND, &(behind.clone() + &client("teller", "vault")), &[]);
    check(&KIND, &(behind.clone() + &client("teller", "vault.other:8080")), &[]);
    let two = behind.clone() + &client("teller", "vault:81") + &client("clerk", "vault:81");
    check(&KIND, &two, &["port-mismatch-of-client svc/vault Proven Active"]);
    field(&two, "spec.ports[80].port", "80", "81");
    let headless = one.replace("clusterIP: 10.0.0.9", "clusterIP: None");
    check(&KIND, &headless, &[]);
}

#[test]
fn a_single_client_is_right_when_the_service_renumbers_its_pods_port() {
    let yaml = vault("ports: [{containerPort: 6379}]")
        + &service("{port: 6380, targetPort: 6379}")
        + &app("teller", "env: [{name: CACHE, value: 'vault:6379'}]");
    check(&KIND, &yaml, &["port-mismatch-of-client svc/vault Proven Active"]);
}

#[test]
fn traffic_kept_on_the_node_needs_a_pod_there() {
    let container = "ports: [{containerPort: 80}]";
    let local = service("{port: 80}").replace("type:", "internalTrafficPolicy: Local, type:");
    let far = vault(container) + &local + &app("teller", "env: [{name: V, value: 'vault:80'}]");
    check(&KIND, &far, &["traffic-policy-local svc/vault Proven Active"]);
    check(&KIND, &far.replace("n-teller", "n-vault"), &[]);
    check(&KIND, &far.replace("Local", "Cluster"), &[]);
}

#[test]
fn policies_that_leave_clients_out_are_found() {
    let behind = vault("ports: [{containerPort: 80}]")
        + &service("{port: 80}")
        + &app("teller", "env: [{name: V, value: 'vault:80'}]");
    let policy = |spec: &str| {
        format!(
            "kind: NetworkPolicy\nmetadata: {{namespace: bank, name: walls, \
             creationTimestamp: 2026-01-01T00:00:00Z}}\nspec: {{{spec}}}\n---\n"
        )
    };
    let shut = behind.clone() + &policy("podSelector: {}, policyTypes: [Ingress]");
    check(&KIND, &shut, &["network-policy-blocks netpol/walls Likely Suspected"]);
    let now = dialled(&shut, "vault.bank", 80, false);
    assert_eq!(lines(&KIND, &now), ["network-policy-blocks netpol/walls Proven Active"]);
    let exit = "podSelector: {matchLabels: {app: teller}}, policyTypes: [Egress], egress: []";
    check(
        &KIND,
        &(behind.clone() + &policy(exit)),
        &["network-policy-blocks netpol/walls Likely Suspected"],
    );
    for open in [
        "podSelector: {matchLabels: {app: clerk}}",
        "podSelector: {}, ingress: [{}]",
        "podSelector: {}, ingress: [{from: [{podSelector: {matchLabels: {app: teller}}}]}]",
        "podSelector: {}, ingress: [{ports: [{port: 80}]}]",
        "podSelector: {}, ingress: [{from: [{ipBlock: {cidr: 10.0.0.0/8}}]}]",
    ] {
        check(&KIND, &(behind.clone() + &policy(open)), &[]);
    }
    let port = behind.clone() + &policy("podSelector: {}, ingress: [{ports: [{port: 81}]}]");
    check(&KIND, &port, &["network-policy-blocks netpol/walls Likely Suspected"]);
}

/// `teller` calls `vault`, and a policy of this spec stands in their namespace.
fn walled(spec: &str) -> String {
    vault("ports: [{containerPort: 80}]")
        + &service("{port: 80}")
        + &app("teller", "env: [{name: V, value: 'vault:80'}]")
        + "kind: Namespace\nmetadata: {name: bank, labels: {kubernetes.io/metadata.name: bank}}\n"
        + "---\n"
        + &format!(
            "kind: NetworkPolicy\nmetadata: {{namespace: bank, name: walls, \
             creationTimestamp: 2026-01-01T00:00:00Z}}\nspec: {{{spec}}}\n---\n"
        )
}

const SUSPECT: &str = "network-policy-blocks netpol/walls Likely Suspected";

#[test]
fn names_must_be_resolved_before_anything_is_reached() {
    let out = |more: &str| {
        walled(&format!(
            "podSelector: {{matchLabels: {{app: teller}}}}, policyTypes: [Egress], egress: \
             [{{to: [{{podSelector: {{matchLabels: {{app: vault}}}}}}]}}{more}]"
        ))
    };
    check(&KIND, &out(""), &[SUSPECT]);
    let dns = ", {ports: [{port: 53, protocol: UDP}]}";
    check(&KIND, &out(dns), &[]);
    let system = ", {to: [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: \
                  kube-system}}}]}";
    check(&KIND, &out(system), &[]);
    let elsewhere = system.replace("kube-system", "dns");
    check(&KIND, &out(&elsewhere), &[SUSPECT]);
}

#[test]
fn a_client_that_is_not_well_makes_the_policy_active() {
    let shut = walled("podSelector: {matchLabels: {app: vault}}, ingress: []");
    check(&KIND, &shut, &[SUSPECT]);
    let at = shut.find("name: teller-5d4f8c7b9-x2x4z").expect("its pod");
    let (before, after) = shut.split_at(at);
    let sick = format!("{before}{}", after.replacen("'True'", "'False'", 1));
    check(&KIND, &sick, &["network-policy-blocks netpol/walls Likely Active"]);
    let mut now = snapshot(&shut);
    now.logs.push(model::LogLines {
        name: "teller-5d4f8c7b9-x2x4z".into(),
        namespace: "bank".into(),
        container: "".into(),
        unit: "".into(),
        previous: false,
        lines: vec!["dial tcp 10.0.0.9:80: i/o timeout".into()],
        document: 0,
    });
    assert_eq!(lines(&KIND, &now), ["network-policy-blocks netpol/walls Proven Active"]);
}

#[test]
fn the_rule_that_is_missing_is_given_as_a_patch() {
    let command = |spec: &str| {
        let now = snapshot(&walled(spec));
        let mut findings = model::Findings::default();
        now.services.iter().for_each(|s| super::detect(s, &now, &mut findings));
        let found = findings.found.first().expect("a finding");
        let step = (KIND.remedy)(found, &now).next.first().cloned().expect("a step");
        (step.command.expect("a command"), step.undo.expect("a way back"))
    };
    let (new, old) = command("podSelector: {matchLabels: {app: vault}}, ingress: []");
    assert_eq!(
        new,
        "kubectl patch -n bank netpol/walls --type json -p '[{\"op\":\"add\",\"path\":\
         \"/spec/ingress\",\"value\":[{\"from\":[{\"podSelector\":{\"matchLabels\":{\"app\":\
         \"teller\"}}}],\"ports\":[{\"port\":80,\"protocol\":\"TCP\"}]}]}]'"
    );
    assert!(old.contains("\"value\":[]"), "{old}");
    let other = "podSelector: {matchLabels: {app: vault}}, ingress: [{ports: [{port: 1}]}]";
    let (new, old) = command(other);
    assert!(new.contains("/spec/ingress/-") && old.contains("/spec/ingress/1"), "{new} {old}");
}

#[test]
fn namespaces_that_were_shown_are_compared() {
    let from = |labels: &str| {
        walled(&format!(
            "podSelector: {{}}, ingress: [{{from: [{{namespaceSelector: {{matchLabels: \
             {labels}}}}}]}}]"
        ))
    };
    check(&KIND, &from("{kubernetes.io/metadata.name: bank}"), &[]);
    check(&KIND, &from("{kubernetes.io/metadata.name: vaults}"), &[SUSPECT]);
    check(&KIND, &from("{team: money}"), &[SUSPECT]);
    let hidden = from("{team: money}").replace(
        "kind: Namespace\nmetadata: {name: bank,",
        "kind: \
        Namespace\nmetadata: {name: other,",
    );
    check(&KIND, &hidden, &[]);
    let internet = "podSelector: {}, ingress: [{from: [{ipBlock: {cidr: 203.0.113.0/24}}]}]";
    check(&KIND, &walled(internet), &[SUSPECT]);
}

#[test]
fn pods_closed_to_everybody_are_found_without_a_known_client() {
    let yaml = vault("ports: [{containerPort: 80}]")
        + &service("{port: 80}")
        + "kind: NetworkPolicy\nmetadata: {namespace: bank, name: walls}\n\
           spec: {podSelector: {}, policyTypes: [Ingress]}\n";
    check(&KIND, &yaml, &[]);
    let now = dialled(&yaml, "vault.bank", 80, false);
    assert!(
        lines(&KIND, &now).contains(&"network-policy-blocks netpol/walls Likely Active".into())
    );
}

#[test]
fn a_service_that_stands_for_a_name_that_is_gone_is_told() {
    let other = |name: &str| {
        format!(
            "kind: Service\nmetadata: {{namespace: bank, name: safe}}\n\
             spec: {{type: ExternalName, externalName: {name}}}\n---\n"
        ) + &service("{port: 80}")
            + &app("teller", "env: [{name: V, value: 'safe:80'}]")
    };
    let want = ["external-name-wrong svc/safe Proven Active"];
    check(&KIND, &other("valut.bank.svc.cluster.local"), &want);
    check(&KIND, &other("vault.bank.svc.cluster.local"), &[]);
    check(&KIND, &other("db.example.com"), &[]);
}

#[test]
fn endpoints_that_do_not_follow_their_pods_are_found() {
    let clock = "kind: Event\nmetadata: {name: clock, namespace: bank}\n\
                 lastTimestamp: 2026-01-01T09:00:00Z\n---\n";
    let slice = |name: &str, addresses: &str| {
        format!(
            "kind: EndpointSlice\nmetadata: {{namespace: bank, name: {name}-a, labels: \
             {{kubernetes.io/service-name: {name}}}, creationTimestamp: 2026-01-01T00:00:00Z}}\n\
             endpoints: [{addresses}]\nports: [{{port: 80}}]\n---\n"
        )
    };
    let since = |ready: &str, hour: u32| {
        vault("ports: [{containerPort: 80}]").replace(
            "status: 'True'",
            &format!("status: '{ready}', lastTransitionTime: '2026-01-01T0{hour}:59:50Z'"),
        ) + &service("{port: 80}")
    };
    let full = "{addresses: [10.0.0.1]}";
    let left = clock.to_owned() + &since("True", 1) + &slice("vault", "");
    check(&KIND, &left, &["endpoints-stale svc/vault Possible Active"]);
    let kept = clock.to_owned() + &since("False", 1) + &slice("vault", full);
    check(&KIND, &kept, &["endpoints-stale svc/vault Possible Active"]);
    // They have had no time yet.
    check(&KIND, &(clock.to_owned() + &since("True", 8) + &slice("vault", "")), &[]);
    check(&KIND, &(clock.to_owned() + &since("True", 1) + &slice("vault", full)), &[]);
    let twice = kept.clone() + &kept.replace("vault", "safe");
    let line = "endpoints-stale component/kube-controller-manager Likely Active";
    assert!(lines(&KIND, &snapshot(&twice)).contains(&line.to_owned()));
}
