use super::KIND;
use crate::testing::{Member, lines, log, snapshot};

/// Times of a log that goes on: `minute` after ten o'clock.
fn at(minute: u32, text: &str) -> String {
    format!("2026-03-01T10:{minute:02}:00Z {text}")
}

/// A database, two clients of it, and one more workload.
fn shop(first_env: &str, second_env: &str, store_env: &str) -> String {
    let image = "reg.example/mysql:8";
    let store =
        Member { name: "ledger-db", image, port: 3306, env: store_env, ..Member::default() };
    let first = Member { name: "billing", env: first_env, ..Member::default() };
    let second = Member { name: "reporting", env: second_env, ..Member::default() };
    [store.yaml(), first.yaml(), second.yaml()].concat()
}

const HOST: &str = "{name: DB_HOST, value: ledger-db}, {name: DB_PORT, value: '3306'}";

#[track_caller]
fn check(yaml: &str, logs: &[(&str, &[String])], want: &[&str]) {
    let mut now = snapshot(yaml.trim_start_matches("---\n"));
    for (name, told) in logs {
        log(&mut now, name, &told.iter().map(String::as_str).collect::<Vec<_>>());
    }
    assert_eq!(lines(&KIND, &now), want, "{logs:?}");
}

fn repeated(text: &str) -> Vec<String> {
    (1..=5).map(|m| at(m, text)).collect()
}

#[test]
fn what_a_store_answers_names_the_side_to_mend() {
    let yaml = shop(HOST, HOST, "");
    let refused = "Access denied for user 'bill'@'10.1.0.9' (using password: YES)";
    let none = "Access denied for user 'bill'@'10.1.0.9' (using password: NO)";
    let many = "SQLNonTransientConnectionException: message from server: \"Too many connections\"";
    let closed = "The MySQL server is running with the --read-only option so it cannot execute";
    for (text, want) in [
        (refused, "credentials-rejected deploy/billing Likely Active"),
        (none, "credentials-missing deploy/billing Likely Active"),
        (many, "connections-exhausted deploy/ledger-db Proven Active"),
        (closed, "dependency-read-only deploy/ledger-db Proven Active"),
        (
            "com.mysql.cj.jdbc.exceptions.CommunicationsException: Communications link failure",
            "dependency-unreachable svc/ledger-db Possible Active",
        ),
        (
            "java.net.SocketTimeoutException: Read timed out at com.mysql.cj.protocol",
            "dependency-slow deploy/ledger-db Possible Active",
        ),
        (
            "java.net.UnknownHostException: ledger-db: Temporary failure in name resolution",
            "name-unresolved deploy/billing Likely Active",
        ),
        (
            "x509: certificate has expired or is not yet valid, host ledger-db:3306",
            "certificate-rejected deploy/ledger-db Likely Active",
        ),
        (
            "x509: certificate signed by unknown authority, host ledger-db:3306",
            "certificate-rejected deploy/billing Likely Active",
        ),
    ] {
        check(&yaml, &[("billing", &repeated(text))], &[want]);
    }
    // All clients of the store are refused: it is the store.
    let both: [(&str, &[String]); 2] =
        [("billing", &repeated(refused)), ("reporting", &repeated(refused))];
    check(&yaml, &both, &["credentials-rejected deploy/ledger-db Likely Active"]);
}

#[test]
fn credentials_are_compared_with_those_of_siblings_and_of_the_store() {
    let refused = repeated("Access denied for user 'bill'@'10.1.0.9' (using password: YES)");
    let logs: [(&str, &[String]); 1] = [("billing", &refused)];
    let with = |value: &str| format!("{HOST}, {{name: DB_PASSWORD, {value}}}");
    let secret =
        |name: &str| with(&format!("valueFrom: {{secretKeyRef: {{name: {name}, key: password}}}}"));
    let wrong = &["credentials-rejected deploy/billing Proven Active"];
    check(&shop(&secret("old"), &secret("ledger"), ""), &logs, wrong);
    check(&shop(&with("value: 'one'"), HOST, "{name: MYSQL_PASSWORD, value: 'two'}"), &logs, wrong);
    let same = &["credentials-rejected deploy/billing Likely Active"];
    check(&shop(&with("value: 'one'"), HOST, "{name: MYSQL_PASSWORD, value: 'one'}"), &logs, same);
    let missing = &["credentials-missing deploy/billing Proven Active"];
    check(&shop(HOST, &secret("ledger"), ""), &logs, missing);
}

#[test]
fn a_wrong_port_or_name_is_the_clients() {
    let port = "{name: DB_HOST, value: ledger-db}, {name: DB_PORT, value: '3307'}";
    let refused = repeated("dial tcp: connect to ledger-db:3307: connection refused");
    let logs: [(&str, &[String]); 1] = [("billing", &refused)];
    check(&shop(port, HOST, ""), &logs, &["dependency-port-wrong deploy/billing Proven Active"]);
    let name = "{name: DB_HOST, value: ledgr-db}, {name: DB_PORT, value: '3306'}";
    let wrong = &["dependency-address-wrong deploy/billing Proven Active"];
    check(&shop(name, HOST, ""), &[], wrong);
    let unknown = repeated("dial tcp: lookup ledgr-db on 10.9.0.10:53: no such host");
    check(&shop(name, HOST, ""), &[("billing", &unknown)], wrong);
}

#[test]
fn an_address_that_is_not_shown_is_looked_at_first() {
    let yaml = shop("", HOST, "").replacen(
        "env: [], ports: [{containerPort: 8080}]",
        "envFrom: [{secretRef: {name: billing-db}}], ports: [{containerPort: 8080}]",
        2,
    );
    let refused = repeated("CommunicationsException: Communications link failure");
    let logs: [(&str, &[String]); 1] = [("billing", &refused)];
    check(&yaml, &logs, &["dependency-port-wrong deploy/billing Possible Active"]);
}

#[test]
fn a_setting_named_after_another_service_is_wrong() {
    let member = |name, env| Member { name, env, ..Member::default() }.yaml();
    let right = "{name: STAMP_SERVICE_ADDR, value: 'stampservice:8080'}";
    let wrong = "{name: STAMP_SERVICE_ADDR, value: 'parcelservice:8080'}";
    let found = "dependency-address-wrong deploy/desk Likely Active";
    let base = [member("stampservice", ""), member("parcelservice", "")].concat();
    check(&(base.clone() + &member("desk", wrong) + &member("gate", right)), &[], &[found]);
    check(&(base.clone() + &member("desk", right) + &member("gate", right)), &[], &[]);
    // What a program can do without is no fault.
    let traces = "{name: OTEL_COLLECTOR_ADDR, value: 'traces:4317'}";
    check(&(base + &member("desk", traces)), &[], &[]);
}

#[test]
fn start_up_noise_and_what_is_over_is_not_told() {
    let yaml = shop(HOST, HOST, "");
    let refused = "dial tcp ledger-db:3306: connect: connection refused";
    let mut told: Vec<String> = (0..4).map(|_| at(0, refused)).collect();
    told.push(at(1, "connected to ledger-db"));
    check(&yaml, &[("billing", &told)], &[]);
    // The log went on for long.
    let mut told = repeated(refused);
    told.push(at(9, "GET /invoices 200"));
    check(&yaml, &[("billing", &told)], &[]);
    // Too few.
    check(&yaml, &[("billing", &[at(1, refused)])], &[]);
    // An end user who mistypes a password is nobody's fault.
    let user = repeated("login of kim: authentication failed");
    check(&yaml, &[("reporting", &user)], &[]);
}

#[test]
fn a_gateway_that_passes_on_an_error_is_not_the_client() {
    let gate = "{name: BILLING_ADDR, value: 'billing:8080'}";
    let yaml = shop(HOST, gate, "");
    let line =
        "rpc error: code = Unavailable: dial tcp ledger-db:3306: connect: connection refused";
    let told = repeated(line);
    check(&yaml, &[("reporting", &told)], &[]);
    let both: [(&str, &[String]); 2] = [("reporting", &told), ("billing", &told)];
    check(&yaml, &both, &["dependency-unreachable svc/ledger-db Possible Active"]);
}

#[test]
fn a_limit_in_the_settings_of_the_store_is_named() {
    let image = "reg.example/postgres:16";
    let store = Member { name: "notes", image, port: 5432, ..Member::default() }.yaml();
    let store = store.replace(
        "ports: [{containerPort",
        "args: ['-c', max_connections=5], ports: [{containerPort",
    );
    let desk = Member {
        name: "desk",
        env: "{name: DATABASE_URL, value: 'postgres://u:p@notes:5432/x'}",
        ..Member::default()
    };
    let mut now = snapshot((store + &desk.yaml()).trim_start_matches("---\n"));
    log(&mut now, "desk", &["FATAL: sorry, too many clients already"; 3]);
    let mut findings = model::Findings::default();
    super::detect(&now, &mut findings);
    let found = &findings.found[0];
    assert_eq!(found.mechanism, "connections-exhausted");
    assert_eq!(found.value.as_deref(), Some("max_connections=5"));
}

/// A policy of namespace shop.
fn policy(name: &str, spec: &str) -> String {
    format!(
        "---\nkind: NetworkPolicy\nmetadata: {{name: {name}, namespace: shop}}\nspec: {{{spec}}}\n"
    )
}

#[test]
fn a_policy_that_stops_what_a_log_complains_of_is_named() {
    let late = ["dial tcp: connect to ledger-db:3306: i/o timeout".to_owned()];
    let logs: [(&str, &[String]); 1] = [("billing", &late)];
    // The settings do not name the peer: the line does.
    let members = shop("", "", "");
    let closed = "podSelector: {matchLabels: {app: ledger-db}}, policyTypes: [Ingress], \
                  ingress: [{from: [{podSelector: {matchLabels: {app: reporting}}}], \
                  ports: [{port: 3306}]}]";
    let found = &["network-policy-blocks netpol/guard Proven Active"];
    check(&(members.clone() + &policy("guard", closed)), &logs, found);
    // Another port than the one that pods listen on is let in.
    let port = "podSelector: {}, policyTypes: [Ingress], ingress: [{ports: [{port: 3307}]}]";
    check(&(members.clone() + &policy("guard", port)), &logs, found);
    let open = closed.replace("app: reporting", "app: billing");
    check(&(members.clone() + &policy("guard", &open)), &logs, &[]);
    // Of the peer no Service is known; its driver names it in its own way.
    let text =
        "connection to server at \"ledger-db\" (10.9.0.7), port 3306 failed: Connection timed out";
    let logs: [(&str, &[String]); 1] = [("billing", &[text.to_owned()])];
    check(&(members.clone() + &policy("guard", closed)), &logs, found);
    // Who is refused got through.
    let refused = ["dial tcp: connect to ledger-db:3306: connection refused".to_owned()];
    let logs: [(&str, &[String]); 1] = [("billing", &refused)];
    check(&(members + &policy("guard", closed)), &logs, &[]);
}

#[test]
fn a_policy_that_forgets_the_name_service_is_named() {
    let unknown = ["could not resolve host: ledger-db".to_owned()];
    let logs: [(&str, &[String]); 1] = [("billing", &unknown)];
    let members = shop("", "", "");
    let to_dns = |protocol: &str| {
        format!(
            "podSelector: {{matchLabels: {{app: billing}}}}, policyTypes: [Egress], egress: [{{to: \
             [{{podSelector: {{}}}}]}}, {{ports: [{{port: 53, protocol: {protocol}}}]}}]"
        )
    };
    let found = &["network-policy-blocks netpol/exit Likely Active"];
    check(&(members.clone() + &policy("exit", &to_dns("TCP"))), &logs, found);
    check(&(members + &policy("exit", &to_dns("UDP"))), &logs, &[]);
}
