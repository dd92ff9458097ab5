use super::KIND;
use crate::testing::{check, check_gaps, snapshot};

/// It is 12:00 on the 10th.
const CLOCK: &str = "kind: Event\nmetadata: {name: clock, namespace: bank}\n\
                     lastTimestamp: 2026-01-10T12:00:00Z\n---\n";

fn certificate(status: &str) -> String {
    format!(
        "{CLOCK}kind: Certificate\nmetadata: {{namespace: bank, name: gate, \
         creationTimestamp: 2025-10-01T00:00:00Z}}\n\
         spec: {{secretName: gate-tls, issuerRef: {{name: acme}}}}\nstatus: {{{status}}}\n---\n"
    )
}

const INGRESS: &str = "kind: Ingress\nmetadata: {namespace: bank, name: door}\n\
                       spec: {tls: [{secretName: gate-tls}]}\n---\n";

const READY: &str = "conditions: [{type: Ready, status: 'True'}]";
const FAILS: &str = "conditions: [{type: Ready, status: 'False', reason: Failed, \
                     message: the order is in state invalid}]";

#[test]
fn dates_of_certificates_are_compared_with_the_clock() {
    let late = "renewalTime: 2026-01-08T00:00:00Z";
    for (status, want) in [
        (format!("notAfter: 2026-01-09T00:00:00Z, {READY}"), "certificate-expired Active"),
        (format!("notAfter: 2026-01-12T00:00:00Z, {late}, {FAILS}"), "renewal-overdue Active"),
        (format!("notAfter: 2026-02-12T00:00:00Z, {late}, {FAILS}"), "renewal-overdue Suspected"),
        (FAILS.to_owned(), "issuing-failed Active"),
    ] {
        let (mechanism, state) = want.split_once(' ').expect("two words");
        let line = format!("{mechanism} certificate/gate Proven {state}");
        check(&KIND, &(certificate(&status) + INGRESS), &[&line]);
    }
    // Nobody uses it.
    let ended = certificate(&format!("notAfter: 2026-01-09T00:00:00Z, {READY}"));
    check(&KIND, &ended, &["certificate-expired certificate/gate Proven Suspected"]);
}

#[test]
fn certificates_that_are_well_or_new_are_quiet() {
    let well =
        format!("notAfter: 2026-03-01T00:00:00Z, renewalTime: 2026-02-01T00:00:00Z, {READY}");
    check(&KIND, &(certificate(&well) + INGRESS), &[]);
    let new = certificate(FAILS).replace("2025-10-01T00:00:00Z", "2026-01-10T11:58:00Z");
    check(&KIND, &(new + INGRESS), &[]);
}

#[test]
fn a_certificate_that_a_person_brings_is_a_gap() {
    let secret = "kind: Secret\nmetadata: {namespace: bank, name: gate-tls}\n";
    check_gaps(
        &KIND,
        &format!("{INGRESS}{secret}"),
        &["ingress/door spec.tls[gate-tls].secretName"],
    );
    check_gaps(&KIND, &(certificate(READY) + INGRESS + secret), &[]);
}

fn request(signer: &str, created: &str, conditions: &str) -> String {
    format!(
        "{CLOCK}kind: CertificateSigningRequest\nmetadata: {{name: csr-{created}, \
         creationTimestamp: 2026-01-10T{created}:00Z}}\n\
         spec: {{signerName: kubernetes.io/{signer}, username: 'system:node:n1'}}\n\
         status: {{conditions: [{conditions}]}}\n---\n"
    )
    .replacen(&format!("csr-{created}"), &format!("csr-{}", created.replace(':', "")), 1)
}

#[test]
fn requests_of_kubelets_that_wait_are_found() {
    let client = "kube-apiserver-client-kubelet";
    check(&KIND, &request(client, "11:00", ""), &["request-pending csr/csr-1100 Proven Active"]);
    let node = "kind: Node\nmetadata: {name: n1}\nstatus: {conditions: [{type: Ready, \
                status: 'True'}]}\n";
    let well = request(client, "11:00", "") + node;
    check(&KIND, &well, &["request-pending csr/csr-1100 Proven Suspected"]);
    let serving = request("kubelet-serving", "11:00", "");
    check(&KIND, &serving, &["request-pending csr/csr-1100 Proven Suspected"]);
    check(&KIND, &request(client, "11:58", ""), &[]);
    let approved = "{type: Approved, status: 'True'}";
    check(&KIND, &request(client, "11:00", approved), &[]);
    let later = request(client, "11:00", "") + &request(client, "11:30", approved);
    check(&KIND, &later, &[]);
}

fn server() -> String {
    "kind: Deployment\nmetadata: {namespace: bank, name: vault}\n\
     spec: {selector: {matchLabels: {app: vault}}, template: {metadata: {labels: {app: vault}}, \
     spec: {containers: [{name: main}], volumes: [{name: c, secret: {secretName: vault-tls}}]}}}\n\
     ---\nkind: Service\nmetadata: {namespace: bank, name: vault}\n\
     spec: {selector: {app: vault}, clusterIP: 10.0.0.9, ports: [{port: 8200}]}\n---\n"
        .to_owned()
}

#[test]
fn the_host_in_a_complaint_leads_to_who_serves_it() {
    let event = |host: &str, time: &str| {
        format!(
            "{CLOCK}kind: Event\nmetadata: {{name: e, namespace: bank}}\ntype: Warning\n\
             reason: Failed\ninvolvedObject: {{kind: Pod, namespace: bank, name: teller}}\n\
             lastTimestamp: 2026-01-10T{time}:00Z\nmessage: 'Get \"https://{host}/v1\": x509: \
             certificate has expired or is not yet valid: current time 2026-01-10T11:59:00Z is \
             after 2026-01-10T06:00:00Z'\n---\n"
        ) + &server()
    };
    for host in ["vault:8200", "vault.bank.svc", "10.0.0.9:8200"] {
        let yaml = event(host, "11:59");
        check(&KIND, &yaml, &["certificate-expired secret/vault-tls Proven Active"]);
    }
    check(&KIND, &event("example.com", "11:59"), &[]);
    check(&KIND, &event("vault", "08:00"), &[]);
    let now = snapshot(&event("vault", "11:59"));
    let mut findings = model::Findings::default();
    super::detect(&now, &mut findings);
    let found = findings.found.first().expect("a finding");
    assert_eq!(found.since.map(|t| t.to_string()).as_deref(), Some("2026-01-10T06:00:00Z"));
    assert!((KIND.remedy)(found, &now).next.len() >= 2);
}
