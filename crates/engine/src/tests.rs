//! The spine, tried with kinds made for the purpose: it must work for any catalogue.

use model::{
    App, Builder, Certainty, Detect, FailureKind, Finding, Findings, Gap, Impact, Kind, ObjectRef,
    Patch, Remedy, Role, Scenario, Severity, Snapshot, State, Timestamp, Verdict, decode_value,
};
use serde_json::{Value, json};

use crate::step;

fn no_gap(_: &Snapshot, _: &mut Vec<Gap>) {}
fn no_remedy(_: &Finding, _: &Snapshot) -> Remedy {
    Remedy::default()
}
fn no_patch(_: &Gap, _: &Snapshot) -> Option<Patch> {
    None
}
fn no_scenario() -> Option<Scenario> {
    None
}

const fn kind(id: &'static str, leads_to: &'static [&'static str], detect: Detect) -> FailureKind {
    FailureKind {
        id,
        also: &[],
        page: "# A kind for tests",
        mechanisms: &[],
        reads: &[Kind::Pod],
        leads_to,
        detect,
        exposed: no_gap,
        remedy: no_remedy,
        prevent: no_patch,
        rehearse: no_scenario,
    }
}

/// A workload is sick when it has a label `sick`; its value says since which second.
fn sick(app: &App, _: &Snapshot, findings: &mut Findings) {
    let Some(label) = app.pod_labels().and_then(|l| l.get("sick")) else { return };
    let since = label.parse().ok().map(Timestamp::from_seconds);
    let finding = Finding::new("app-sick", "germ", app.object.clone(), "sick").since(since);
    findings.push(finding.impact(Impact { replicas: 1, ..Impact::default() }));
}

/// A Service is lonely when everything it selects is sick.
fn lonely(service: &model::record::Service, now: &Snapshot, findings: &mut Findings) {
    let behind = now.apps_selected(&service.meta.namespace, &service.selector);
    let ill = |a: &&App| a.pod_labels().is_some_and(|l| l.get("sick").is_some());
    if !behind.is_empty() && behind.iter().all(ill) {
        let object = service.meta.object(Kind::Service);
        let finding = Finding::new("service-lonely", "nobody", object, "lonely");
        findings
            .push(finding.role(Role::Symptom).impact(Impact { services: 1, ..Impact::default() }));
    }
}

static SICK: FailureKind = kind("app-sick", &["service-lonely", "app-sick"], Detect::Apps(sick));
static LONELY: FailureKind = kind("service-lonely", &["app-sick"], Detect::Services(lonely));

fn pod(name: &str, calls: &str, sick_since: Option<u32>) -> Value {
    let mut labels = json!({ "app": name });
    if let Some(since) = sick_since {
        labels["sick"] = since.to_string().into();
    }
    json!({
        "kind": "Pod",
        "metadata": {"name": name, "namespace": "shop", "labels": labels,
                     "creationTimestamp": "2026-01-01T00:00:00Z"},
        "spec": {"nodeName": "n1", "containers": [
            {"name": "main", "image": "x", "env": [{"name": "PEER", "value": calls}]}]},
        "status": {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]}
    })
}

fn service(name: &str) -> Value {
    json!({
        "kind": "Service",
        "metadata": {"name": name, "namespace": "shop", "creationTimestamp": "2026-01-01T00:00:00Z"},
        "spec": {"selector": {"app": name}, "ports": [{"port": 80}]}
    })
}

fn snapshot(objects: &[Value]) -> Snapshot {
    let mut builder = Builder::default();
    for value in objects {
        let kind = value["kind"].as_str().and_then(Kind::from_name).unwrap();
        builder.add(decode_value(kind, value, false).unwrap(), 0);
    }
    builder.finish(None)
}

/// One line per incident: its cause, then its other members.
fn lines(objects: &[Value]) -> Vec<String> {
    let situation = step(&snapshot(objects), &[&SICK, &LONELY]);
    let line = |i: &model::Incident| {
        let names: Vec<String> =
            i.members.iter().map(|m| format!("{}:{:?}", m.finding.object.name, m.role)).collect();
        format!("{:?} {}", i.severity, names.join(" "))
    };
    situation.incidents.iter().map(line).collect()
}

#[test]
fn a_chain_along_selectors_and_calls_is_one_incident() {
    let objects = [
        pod("db", "", Some(100)),
        service("db"),
        pod("api", "db:5432", Some(200)),
        service("api"),
        pod("web", "http://api:80/", Some(300)),
    ];
    assert_eq!(
        lines(&objects),
        ["Page db:Trigger api:Mechanism api:Mechanism db:Mechanism web:Symptom"]
    );
}

#[test]
fn causes_with_nothing_in_common_are_two_incidents() {
    let objects = [pod("a", "", Some(100)), pod("b", "", Some(200)), service("b")];
    assert_eq!(lines(&objects), ["Page b:Trigger b:Symptom", "Page a:Trigger"]);
}

#[test]
fn a_cause_is_not_younger_than_its_effect() {
    let objects = [pod("db", "", Some(1000)), service("db"), pod("api", "db:5432", Some(10))];
    let found = lines(&objects);
    assert_eq!(found, ["Page db:Trigger db:Symptom", "Page api:Trigger"]);
}

#[test]
fn every_finding_is_in_exactly_one_incident_whatever_the_links() {
    // Two workloads that call each other: a circle.
    let objects = [
        pod("ping", "pong:80", Some(100)),
        service("ping"),
        pod("pong", "ping:80", Some(100)),
        service("pong"),
    ];
    let situation = step(&snapshot(&objects), &[&SICK, &LONELY]);
    let members: usize = situation.incidents.iter().map(|i| i.members.len()).sum();
    assert_eq!(members, 4);
    assert_eq!(situation.incidents.len(), 1);
}

#[test]
fn the_verdict_follows_the_worst_incident() {
    let well = [pod("a", "", None)];
    assert_eq!(step(&snapshot(&well), &[&SICK]).verdict, Verdict::Healthy);
    let ill = [pod("a", "", Some(1))];
    let situation = step(&snapshot(&ill), &[&SICK]);
    assert_eq!(situation.verdict, Verdict::Broken);
    assert_eq!(situation.incidents[0].severity, Severity::Page);
    assert_eq!(situation.incidents[0].state, State::Active);
    assert_eq!(situation.incidents[0].cause().certainty, Certainty::Proven);
    assert_eq!(step(&snapshot(&[]), &[&SICK]).verdict, Verdict::Inconclusive);
}

#[test]
fn the_answers_of_all_shares_are_those_of_one() {
    let names = ["a", "b", "c", "d", "e"];
    let objects: Vec<Value> =
        names.iter().flat_map(|n| [pod(n, "", Some(5)), service(n)]).collect();
    let now = snapshot(&objects);
    for kind in [&SICK, &LONELY] {
        let whole = crate::ask(kind, &now).found;
        assert_eq!(whole.len(), names.len());
        for of in 1..9 {
            let parts = (0..of).map(|part| crate::Share { part, of });
            let said = parts.flat_map(|share| crate::ask_of(kind, &now, share).found);
            assert_eq!(said.collect::<Vec<Finding>>(), whole, "{} in {of} shares", kind.id);
        }
    }
}

#[test]
fn the_same_input_in_another_order_gives_the_same_situation() {
    let mut objects = vec![
        pod("db", "", Some(100)),
        service("db"),
        pod("api", "db:5432", Some(200)),
        pod("zed", "", Some(50)),
    ];
    let first = step(&snapshot(&objects), &[&SICK, &LONELY]);
    objects.reverse();
    assert_eq!(first, step(&snapshot(&objects), &[&SICK, &LONELY]));
    assert_eq!(first.incidents[0].cause().object, ObjectRef::new(Kind::Pod, "shop", "db"));
}

static UNGUARDED: FailureKind = FailureKind {
    exposed: |now, gaps| {
        gaps.extend(now.apps.iter().map(|a| Gap {
            failure: "unguarded",
            object: a.object.clone(),
            field: "guard".into(),
            why: "nothing guards it".into(),
        }));
    },
    ..kind("unguarded", &["app-sick"], Detect::Exposure)
};

#[test]
fn a_missing_protection_speaks_only_where_its_object_is_a_cause() {
    let now = snapshot(&[pod("a", "", Some(60)), pod("b", "", None)]);
    let situation = step(&now, &[&SICK, &UNGUARDED]);
    assert_eq!(situation.incidents.len(), 1);
    let factors = &situation.incidents[0].cause().factors;
    let told: Vec<_> = factors.iter().map(|f| (f.failure, f.object.to_string(), f.role)).collect();
    assert_eq!(told, [("unguarded", "shop/a".to_owned(), Role::Gap)]);
    let well = step(&snapshot(&[pod("b", "", None)]), &[&SICK, &UNGUARDED]);
    assert!(well.incidents.is_empty());
}

#[test]
fn what_was_not_seen_is_no_good_news_whether_a_list_or_an_archive_was_cut() {
    let judged = |note: fn(&mut model::Coverage)| {
        let mut now = snapshot(&[pod("a", "", None)]);
        note(&mut now.coverage);
        step(&now, &[&SICK]).verdict
    };
    assert_eq!(judged(|_| {}), Verdict::Healthy);
    assert_eq!(judged(|c| c.note_cut(Kind::Pod)), Verdict::Inconclusive);
    assert_eq!(judged(|c| c.note_cut(Kind::Secret)), Verdict::Healthy);
    assert_eq!(judged(model::Coverage::note_lost_source), Verdict::Inconclusive);
}
