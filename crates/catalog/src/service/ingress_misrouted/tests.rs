use super::KIND;
use crate::testing::{check, check_gaps, lines, snapshot};

fn class(name: &str) -> String {
    format!("kind: IngressClass\nmetadata: {{name: {name}}}\nspec: {{controller: e/c}}\n---\n")
}

fn service(name: &str, ports: &str) -> String {
    format!(
        "kind: Service\nmetadata: {{namespace: quay, name: {name}}}\n\
         spec: {{clusterIP: 10.0.0.1, selector: {{app: {name}}}, ports: {ports}}}\n---\n"
    )
}

/// An Ingress `name` of `class` that leads `gate.example.com/path` to `backend`.
fn ingress(name: &str, class: &str, path: &str, backend: &str) -> String {
    format!(
        "kind: Ingress\nmetadata: {{namespace: quay, name: {name}, \
         creationTimestamp: 2026-01-01T00:00:00Z}}\n\
         spec:\n  ingressClassName: {class}\n  rules:\n  - host: gate.example.com\n    http:\n\
         \x20     paths: [{{path: {path}, pathType: Prefix, backend: {{service: {backend}}}}}]\n\
         status: {{loadBalancer: {{ingress: [{{ip: 192.0.2.7}}]}}}}\n---\n"
    )
}

const FERRY: &str = "{name: ferry, port: {number: 80}}";
const PORTS: &str = "[{name: http, port: 80, targetPort: 8080}]";

#[test]
fn a_route_that_is_well_is_quiet() {
    let well = class("outer") + &service("ferry", PORTS) + &ingress("gate", "outer", "/", FERRY);
    check(&KIND, &well, &[]);
    check_gaps(&KIND, &well, &[]);
    let by_name = well.replace("{number: 80}", "{name: http}");
    check(&KIND, &by_name, &[]);
    let action = well.replace("{number: 80}", "{name: use-annotation}");
    check(&KIND, &action, &[]);
    let old = well.replace(
        "name: gate, ",
        "name: gate, annotations: {kubernetes.io/ingress.class: anything}, ",
    );
    let old = old.replace("  ingressClassName: outer\n", "");
    check(&KIND, &old, &[]);
    check_gaps(&KIND, &old, &["ingress/gate spec.ingressClassName"]);
}

#[test]
fn what_an_ingress_names_and_is_not_there_is_told() {
    let rest = class("outer") + &service("ferry", PORTS);
    for (ingress, want) in [
        (ingress("gate", "outre", "/", FERRY), "class-missing ingress/gate Proven Active"),
        (
            ingress("gate", "outer", "/", "{name: fery, port: {number: 80}}"),
            "backend-service-missing ingress/gate Proven Active",
        ),
        (
            ingress("gate", "outer", "/", "{name: ferry, port: {number: 8080}}"),
            "backend-port-missing ingress/gate Proven Active",
        ),
        (
            ingress("gate", "outer", "/", "{name: ferry, port: {name: web}}"),
            "backend-port-missing ingress/gate Proven Active",
        ),
        (
            ingress("gate", "outer", "/", FERRY)
                .replace("  rules:", "  tls: [{secretName: gate-tls}]\n  rules:"),
            "certificate-secret-missing ingress/gate Proven Active",
        ),
    ] {
        check(&KIND, &(rest.clone() + &ingress), &[want]);
    }
}

#[test]
fn the_expected_value_is_the_one_that_exists() {
    let yaml = class("outer")
        + &service("ferry", PORTS)
        + &ingress("gate", "outer", "/", "{name: ferry, port: {number: 8080}}");
    let now = snapshot(&yaml);
    let mut findings = model::Findings::default();
    super::detect(&now, &mut findings);
    let found = findings.found.first().expect("a finding");
    let field = "spec.rules[gate.example.com].http.paths[/].backend.service.port.number";
    assert_eq!(found.field.as_deref(), Some(field));
    assert_eq!(found.expected.as_deref(), Some("80"));
    assert!(found.headline.contains("8080 is the port of its pods"), "{}", found.headline);
    assert!(!(KIND.remedy)(found, &now).next.is_empty());
}

#[test]
fn no_class_at_all_matters_only_where_nobody_serves_it() {
    let bare = ingress("gate", "''", "/", FERRY);
    let rest = class("outer") + &service("ferry", PORTS);
    // It has an address: somebody takes Ingresses without a class.
    check(&KIND, &(rest.clone() + &bare), &[]);
    let waiting = bare.replace("[{ip: 192.0.2.7}]", "[]")
        + "kind: Event\nmetadata: {name: e, namespace: quay}\nlastTimestamp: 2026-01-01T02:00:00Z\n";
    check(&KIND, &(rest.clone() + &waiting), &["class-missing ingress/gate Likely Active"]);
    let young = waiting.replace("01T02:00", "01T00:01");
    check(&KIND, &(rest + &young), &[]);
}

#[test]
fn a_certificate_that_is_not_issued_is_the_cause() {
    let yaml = class("outer")
        + &service("ferry", PORTS)
        + &ingress("gate", "outer", "/", FERRY)
            .replace("  rules:", "  tls: [{secretName: gate-tls}]\n  rules:")
        + "kind: Certificate\nmetadata: {namespace: quay, name: gate}\n\
           spec: {secretName: gate-tls, issuerRef: {name: acme}}\n\
           status: {conditions: [{type: Ready, status: 'False', reason: DoesNotExist, \
           message: Issuing certificate as Secret does not exist}]}\n";
    check(&KIND, &yaml, &["certificate-secret-missing certificate/gate Proven Active"]);
    let half = yaml.replace("kind: Certificate", "kind: Certificate\nx: y")
        + "---\nkind: Secret\nmetadata: {namespace: quay, name: gate-tls}\ndata: {ca.crt: ''}\n";
    check(&KIND, &half, &["certificate-secret-missing ingress/gate Proven Active"]);
}

#[test]
fn two_ingresses_with_one_route_are_told_apart_from_a_canary() {
    let rest = class("outer") + &service("ferry", PORTS) + &service("barge", PORTS);
    let second = ingress("side", "outer", "/", "{name: barge, port: {number: 80}}")
        .replace("2026-01-01", "2026-01-03");
    let first = ingress("gate", "outer", "/", FERRY);
    let both = rest.clone() + &first + &second;
    check(&KIND, &both, &["path-conflict ingress/side Proven Active"]);
    let canary = second.replace(
        "name: side, ",
        "name: side, annotations: {nginx.ingress.kubernetes.io/canary: 'true'}, ",
    );
    check(&KIND, &(rest.clone() + &first + &canary), &[]);
    let apart = rest.clone() + &first + &second.replace("path: /,", "path: /barge,");
    check(&KIND, &apart, &[]);
    let same = rest + &first + &ingress("side", "outer", "/", FERRY);
    check(&KIND, &same, &[]);
}

#[test]
fn a_controllers_word_counts_until_the_thing_is_there() {
    let event = "kind: Event\nmetadata: {name: e, namespace: quay}\ntype: Warning\n\
         involvedObject: {kind: Ingress, namespace: quay, name: gate}\nreason: FailedBuildModel\n\
         message: 'Failed build model: services \"ferry\" not found'\n\
         lastTimestamp: 2026-01-01T02:00:00Z\n---\n";
    assert_eq!(
        lines(&KIND, &snapshot(event)),
        ["backend-service-missing ingress/gate Proven Active"]
    );
    let yaml = event.to_owned()
        + &class("outer")
        + &service("ferry", PORTS)
        + &ingress("gate", "outer", "/", FERRY);
    check(&KIND, &yaml, &[]);
}
