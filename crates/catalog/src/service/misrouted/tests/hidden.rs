//! Where ports or their names were not printed.

use super::super::KIND;
use super::{dialled, service, vault};
use crate::testing::{check, lines};

#[test]
fn names_of_ports_that_were_not_printed_prove_nothing() {
    let by_name = service("{port: 80, targetPort: http}");
    let one = "ports: [{containerPort: 8080}]";
    check(&KIND, &(vault(one) + &by_name), &["port-name-unmatched svc/vault Proven Active"]);
    let hidden = vault("ports: [{containerPort: 8080, nameHidden: true}]");
    check(&KIND, &(hidden.clone() + &by_name), &[]);
    // Nor does an empty list of endpoints, but it makes suspicious.
    let none = "kind: Endpoints\nmetadata: {namespace: bank, name: vault}\nsubsets: []\n";
    let want = "port-name-unmatched svc/vault Possible Active";
    check(&KIND, &(hidden + &by_name + none), &[want]);
}

#[test]
fn endpoints_show_whether_a_name_was_found() {
    let hidden = vault("ports: [{containerPort: 8080, nameHidden: true}]");
    let yaml = hidden + &service("{port: 80, targetPort: http}");
    let of = |ports: &str| {
        format!(
            "kind: Endpoints\nmetadata: {{namespace: bank, name: vault}}\nsubsets: [{{addresses: \
             [{{ip: 10.1.0.4}}]{ports}}}]\n"
        )
    };
    // Nobody answers, but not for the name: it was found.
    let found = yaml.clone() + &of(", ports: [{port: 8080}]");
    assert_eq!(lines(&KIND, &dialled(&found, "vault.bank", 80, false)), Vec::<String>::new());
    let lost = dialled(&(yaml + &of("")), "vault.bank", 80, false);
    assert_eq!(lines(&KIND, &lost), ["port-name-unmatched svc/vault Proven Active"]);
}

#[test]
fn a_port_of_the_name_with_another_protocol_is_another() {
    let named = vault("ports: [{name: wire, containerPort: 5672, protocol: TCP}]");
    let udp = service("{port: 5672, targetPort: wire, protocol: UDP}");
    let want = "protocol-mismatch svc/vault Likely Active";
    check(&KIND, &(named.clone() + &udp), &[want]);
    check(&KIND, &(named + &udp.replace("UDP", "TCP")), &[]);
}
