//! Files as people write them, and what is wrong with some.

use twin::scenario::Fault;

use super::*;

const FILE: &str = "
name: two-of-three
story: >
  Two nodes fall silent,
  one comes back.
lasts: 10m
cluster:
  nodes:
  - {name: n, count: 3, zones: [a, b], cpu: 2, memory: 4Gi}
  workloads:
  - {namespace: shop, name: web, replicas: 3, port: 80, memory: {holds: 64Mi, perSecond: 1Mi}}
faults:
- {at: 30s, until: 5m, stopKubelet: {zone: a}}
- {at: 1m, crash: {workload: shop/web, exitCode: 3}}
expect:
- {within: 3m, finds: node-not-ready, object: node/n-1}
- {after: 2m, ready: shop/web, least: 1}
forbid:
- {event: Evicted}
";

#[test]
fn a_file_is_a_cluster_with_a_timeline() {
    let play = parse(FILE, 7).unwrap();
    assert_eq!(
        (play.story.as_str(), play.lasts_seconds),
        ("Two nodes fall silent, one comes back.", 600)
    );
    let nodes: Vec<(&str, &str)> =
        play.stage.nodes.iter().map(|n| (n.name.as_str(), n.zone.as_str())).collect();
    assert_eq!(nodes, [("n-1", "a"), ("n-2", "b"), ("n-3", "a")]);
    let mut timeline: Vec<String> = play
        .stage
        .timeline
        .iter()
        .map(|(at, fault)| match fault {
            Fault::StopKubelet { node } => format!("{at} stop {node}"),
            Fault::StartKubelet { node } => format!("{at} start {node}"),
            Fault::Crash { workload, exit_code, .. } => format!("{at} {workload} {exit_code}"),
            other => format!("{at} {other:?}"),
        })
        .collect();
    timeline.sort();
    assert_eq!(
        timeline,
        ["30 stop n-1", "30 stop n-3", "300 start n-1", "300 start n-3", "60 web 3"]
    );
    let wishes: Vec<String> =
        play.expect.iter().chain(&play.forbid).map(ToString::to_string).collect();
    assert_eq!(
        wishes,
        [
            "the diagnosis names node-not-ready of node/n-1, within 3m",
            "Service shop/web has 1 or more ready endpoints, from 2m on",
            "event Evicted",
        ]
    );
}

#[test]
fn what_is_wrong_is_named() {
    for (old, new, said) in [
        ("lasts: 10m", "lasts: soon", "\"soon\" is no duration such as 90s or 1h30m"),
        ("lasts: 10m", "lasts: 10m\nlasted: 3", "unknown field `lasted`"),
        ("{zone: a}", "{zone: x}", "faults[0]: there is no node in zone x"),
        ("{zone: a}", "{nodes: [n-9]}", "faults[0]: there is no node n-9"),
        ("until: 5m", "until: 10s", "faults[0]: it ends before it begins"),
        ("crash: {", "loseImage: x, crash: {", "faults[1]: one of stopKubelet"),
        (
            "workload: shop/web",
            "workload: web",
            "faults[1]: workload \"web\" is not namespace/name",
        ),
        (
            "finds: node-not-ready",
            "finds: gremlins",
            "expect[0]: no failure kind is called gremlins",
        ),
        (", least: 1", "", "expect[1]: `ready` needs `least` or `most`"),
        ("event: Evicted", "about: x", "forbid[0]: one of finds, ready and event"),
        ("holds: 64Mi", "holds: lots", "workload web: \"lots\" is no quantity"),
        ("memory: 4Gi", "memory: [4]", "nodes"),
    ] {
        let text = FILE.replace(old, new);
        assert_ne!(text, FILE, "{old}");
        let error = parse(&text, 1).map(|_| ()).unwrap_err();
        let error = format!("{error:#}");
        assert!(error.contains(said), "{new}: {error}");
    }
}

#[test]
fn a_rehearsal_that_cannot_go_wrong_is_none() {
    let error = parse("name: x\nstory: y\nlasts: 1m\nexpect: []\n", 1).map(|_| ()).unwrap_err();
    assert!(error.to_string().contains("both empty"), "{error}");
}
