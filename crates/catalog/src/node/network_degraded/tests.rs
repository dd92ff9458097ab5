use super::KIND;
use crate::testing::{Member, lines, log, snapshot};
use model::Snapshot;

fn five() -> Snapshot {
    let member = |name, node, env| Member { name, node, env, ..Member::default() }.yaml();
    let calls = "{name: ELM_ADDR, value: 'elm:8080'}, {name: OAK_ADDR, value: 'oaktree:8080'}";
    let yaml = [
        member("elm", "n2", ""),
        member("oaktree", "n3", ""),
        member("fir", "n1", calls),
        member("juniper", "n1", calls),
        member("larchwood", "n3", calls),
    ]
    .concat();
    snapshot(yaml.trim_start_matches("---\n"))
}

#[test]
fn names_that_do_not_resolve_on_one_node() {
    let line = |host: &str| format!("dial tcp: lookup {host} on 10.9.0.10:53: i/o timeout");
    let mut now = five();
    log(&mut now, "fir", &[line("elm").as_str(); 4]);
    log(&mut now, "juniper", &[line("oaktree").as_str(); 4]);
    assert_eq!(lines(&KIND, &now), ["name-resolution node/n1 Likely Active"]);
    // Elsewhere as well: then it is the DNS of the cluster.
    log(&mut now, "larchwood", &[line("elm").as_str(); 4]);
    assert_eq!(lines(&KIND, &now), [""; 0]);
}

#[test]
fn calls_that_fail_have_one_node_in_common() {
    let line = |host: &str| format!("dial tcp {host}:8080: i/o timeout");
    let mut now = five();
    log(&mut now, "fir", &[line("elm").as_str(), &line("oaktree"), &line("elm"), &line("oaktree")]);
    assert_eq!(lines(&KIND, &now), [""; 0]);
    let mut now = five();
    let both = [line("elm"), line("oaktree")];
    let both: Vec<&str> = both.iter().cycle().take(8).map(String::as_str).collect();
    log(&mut now, "fir", &both);
    log(&mut now, "juniper", &both);
    assert_eq!(lines(&KIND, &now), ["network-loss node/n1 Likely Active"]);
    // Refused is an answer: the network is well.
    let mut now = five();
    let refused: Vec<String> = both.iter().map(|l| l.replace("i/o timeout", "refused")).collect();
    let refused: Vec<&str> = refused.iter().map(String::as_str).collect();
    log(&mut now, "fir", &refused);
    log(&mut now, "juniper", &refused);
    assert_eq!(lines(&KIND, &now), [""; 0]);
}
