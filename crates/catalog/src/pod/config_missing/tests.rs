use super::KIND;
use crate::testing::{check, check_gaps, lines, snapshot};

/// A Deployment whose container has these settings, and one pod of it.
fn app(name: &str, settings: &str, volumes: &str, status: &str) -> String {
    let spec = format!("{{{volumes}containers: [{{name: main, image: i, {settings}}}]}}");
    format!(
        "kind: Deployment\nmetadata: {{name: {name}, namespace: park, creationTimestamp: \
         2026-01-02T09:00:00Z}}\nspec:\n  replicas: 1\n  template:\n    metadata: {{labels: {{app: \
         {name}}}}}\n    spec: {spec}\n---\nkind: Pod\nmetadata:\n  name: {name}-6f4d5b7c9d-x2x4z\n  \
         namespace: park\n  creationTimestamp: 2026-01-02T10:00:00Z\n  ownerReferences: [{{kind: \
         ReplicaSet, name: {name}-6f4d5b7c9d, controller: true}}]\nspec: {spec}\nstatus: {status}\n"
    )
}

fn stuck(message: &str) -> String {
    format!(
        "{{phase: Pending, conditions: [{{type: Ready, status: 'False'}}], containerStatuses: \
         [{{name: main, ready: false, state: {{waiting: {{reason: CreateContainerConfigError, \
         message: '{message}'}}}}}}]}}"
    )
}

const RUNS: &str = "{phase: Running, conditions: [{type: Ready, status: 'True'}]}";
const CREATING: &str = "{phase: Pending, conditions: [{type: Ready, status: 'False'}], \
                        containerStatuses: [{name: main, ready: false, state: {waiting: {reason: \
                        ContainerCreating}}}]}";

fn event(pod: &str, reason: &str, message: &str) -> String {
    format!(
        "---\nkind: Event\nmetadata: {{name: e, namespace: park}}\ntype: Warning\nreason: \
         {reason}\nmessage: '{message}'\ninvolvedObject: {{kind: Pod, namespace: park, name: \
         {pod}-6f4d5b7c9d-x2x4z}}\nfirstTimestamp: 2026-01-02T10:00:05Z\nlastTimestamp: \
         2026-01-02T10:03:30Z\n"
    )
}

fn object(kind: &str, name: &str, data: &str) -> String {
    format!("---\nkind: {kind}\nmetadata: {{name: {name}, namespace: park}}\ndata: {{{data}}}\n")
}

const FROM_MAP: &str = "envFrom: [{configMapRef: {name: lamps}}]";
const KEY: &str = "env: [{name: LEVEL, valueFrom: {configMapKeyRef: {name: lamps, key: LEVEL}}}]";

#[test]
fn what_the_kubelet_misses_is_named() {
    for (settings, message, want) in [
        (FROM_MAP, "configmap \"lamps\" not found", "config-map-missing"),
        (FROM_MAP, "configmaps \"lamps\" not found", "config-map-missing"),
        ("envFrom: [{secretRef: {name: pw}}]", "secret \"pw\" not found", "secret-missing"),
    ] {
        let yaml = app("web", settings, "", &stuck(message));
        check(&KIND, &yaml, &[&format!("{want} deploy/web Proven Active")]);
    }
    let message = "couldn''t find key LEVEL in ConfigMap park/lamps";
    let yaml = app("web", KEY, "", &stuck(message)) + &object("ConfigMap", "lamps", "LEVL: x");
    check(&KIND, &yaml, &["key-missing deploy/web Proven Active"]);
}

#[test]
fn objects_are_compared_when_nobody_says_anything() {
    check(
        &KIND,
        &app("web", FROM_MAP, "", &stuck("")),
        &["config-map-missing deploy/web Proven Active"],
    );
    let has = object("ConfigMap", "lamps", "LEVL: x");
    check(
        &KIND,
        &(app("web", KEY, "", &stuck("")) + &has),
        &["key-missing deploy/web Proven Active"],
    );
    // What may be missing is not missed.
    let optional = KEY.replace("key: LEVEL", "key: LEVEL, optional: true");
    check(&KIND, &app("web", &optional, "", RUNS), &[]);
}

#[test]
fn what_is_only_named_by_volumes_is_another_failure() {
    let volume = "volumes: [{name: conf, configMap: {name: lamps}}], ";
    check(&KIND, &app("web", "ports: []", volume, CREATING), &[]);
    check(
        &KIND,
        &app("web", FROM_MAP, volume, CREATING),
        &["config-map-missing deploy/web Proven Active"],
    );
}

#[test]
fn one_thing_that_several_miss_is_one_cause() {
    let yaml = app("web", FROM_MAP, "", &stuck("configmap \"lamps\" not found"))
        + "---\n"
        + &app("api", FROM_MAP, "", &stuck("configmap \"lamps\" not found"));
    check(&KIND, &yaml, &["config-map-missing cm/lamps Proven Active"]);
}

#[test]
fn two_things_of_one_workload_are_two_causes() {
    let settings = "envFrom: [{configMapRef: {name: lamps}}, {secretRef: {name: pw}}]";
    check(
        &KIND,
        &app("web", settings, "", &stuck("")),
        &["config-map-missing deploy/web Proven Active", "secret-missing deploy/web Proven Active"],
    );
}

#[test]
fn events_alone_tell_too() {
    let only = event("web", "Failed", "Error: configmap \"lamps\" not found");
    let only = only.trim_start_matches("---\n");
    let mut now = snapshot(only);
    now.coverage = model::Coverage::default();
    let mut builder = model::Builder::default();
    for e in now.events.iter().cloned() {
        builder.add(model::Object::Event(e), 0);
    }
    let now = builder.finish(None);
    assert_eq!(lines(&KIND, &now), ["config-map-missing deploy/web Proven Active"]);
}

#[test]
fn names_that_nobody_showed_are_a_guess() {
    let mut now = snapshot(&app("web", FROM_MAP, "", &stuck("")));
    now.coverage = model::Coverage::default();
    assert_eq!(lines(&KIND, &now), ["config-map-missing deploy/web Likely Active"]);
    let two = "envFrom: [{configMapRef: {name: lamps}}, {secretRef: {name: pw}}]";
    let mut now = snapshot(&app("web", two, "", &stuck("")));
    now.coverage = model::Coverage::default();
    assert_eq!(lines(&KIND, &now), ["config-map-missing deploy/web Possible Active"]);
    let known = app("web", two, "", &stuck("")) + &object("ConfigMap", "lamps", "a: b");
    let mut now = snapshot(&known);
    now.coverage = model::Coverage::default();
    assert_eq!(lines(&KIND, &now), ["secret-missing deploy/web Likely Active"]);
}

#[test]
fn what_is_there_by_now_is_recovering_and_what_runs_is_well() {
    let made = object("ConfigMap", "lamps", "a: b")
        .replace("namespace: park}", "namespace: park, creationTimestamp: 2026-01-02T10:05:00Z}");
    let said = event("web", "Failed", "Error: configmap \"lamps\" not found");
    let waits = app("web", FROM_MAP, "", &stuck("configmap \"lamps\" not found"));
    check(&KIND, &(waits + &said + &made), &["config-map-missing deploy/web Proven Recovering"]);
    check(&KIND, &(app("web", FROM_MAP, "", RUNS) + &said + &made), &[]);
}

#[test]
fn a_name_that_nobody_needs_before_the_next_start_is_a_note_and_a_gap() {
    let yaml = app("web", FROM_MAP, "", RUNS);
    check(&KIND, &yaml, &["config-map-missing deploy/web Proven Suspected"]);
    let field = "spec.template.spec.containers[main].envFrom[0].configMapRef.name";
    check_gaps(&KIND, &yaml, &[&format!("deploy/web {field}")]);
    let data_left_out = app("web", KEY, "", RUNS) + &object("ConfigMap", "lamps", "");
    check(&KIND, &data_left_out, &[]);
}

#[test]
fn what_was_meant_is_said() {
    for (there, want) in
        [("lamp", "lamp, which exists"), ("park", "a config map of this name in namespace park")]
    {
        let yaml = app("web", FROM_MAP, "", &stuck("")) + &object("ConfigMap", there, "a: b");
        let mut findings = model::Findings::default();
        super::detect(&snapshot(&yaml), &mut findings);
        assert_eq!(findings.found.first().unwrap().expected.as_deref(), Some(want));
    }
    let key = app("web", KEY, "", &stuck("")) + &object("ConfigMap", "lamps", "level: x");
    let mut findings = model::Findings::default();
    super::detect(&snapshot(&key), &mut findings);
    let found = findings.found.first().unwrap();
    assert_eq!(found.expected.as_deref(), Some("level, which config map lamps has"));
    let remedy = super::remedy(found, &snapshot(&key));
    assert!(remedy.next.iter().any(|s| s.command.as_deref()
        == Some("kubectl patch -n park cm/lamps -p '{\"data\":{\"LEVEL\":\"VALUE\"}}'")));
}

#[test]
fn an_image_that_runs_as_root_may_not_start() {
    let message = "container has runAsNonRoot and image will run as root (pod: x, container: main)";
    check(
        &KIND,
        &app("web", "ports: []", "", &stuck(message)),
        &["root-forbidden deploy/web Proven Active"],
    );
    check(&KIND, &app("web", "ports: []", "", &stuck("no sandbox yet")), &[]);
}
