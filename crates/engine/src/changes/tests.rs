//! Two captures in, one line for each changed field and each link out.

use model::{
    Builder, Detect, FailureKind, Finding, Findings, Kind, Remedy, Snapshot, decode_value,
};
use serde_json::{Value, json};

use super::changes;
use crate::step;

/// Finds workloads whose image is `bad`, and says so of the field.
const BAD_IMAGE: FailureKind = FailureKind {
    id: "bad-image",
    also: &[],
    page: " # An image is bad\n",
    mechanisms: &[],
    reads: &[Kind::Deployment],
    leads_to: &[],
    detect: Detect::Apps(|app, now, findings: &mut Findings| {
        let spec = app.spec().into_iter().flat_map(|s| s.containers.iter());
        for c in spec.filter(|c| c.image == "bad" || now.is_missing(Kind::ConfigMap, "shop", "web"))
        {
            let field = format!("spec.template.spec.containers[{}].image", c.name);
            let finding = Finding::new("bad-image", "bad", app.object.clone(), "web is down");
            findings.push(finding.field(field, c.image.as_str(), "good"));
        }
    }),
    exposed: |_, _| {},
    remedy: |_, _| Remedy::default(),
    prevent: |_, _| None,
    rehearse: || None,
};

fn capture(clock: &str, values: &[Value]) -> Snapshot {
    let mut builder = Builder::default();
    for value in values {
        let kind = value["kind"].as_str().and_then(Kind::from_name).expect("a kind");
        builder.add(decode_value(kind, value, false).expect("well-shaped"), 0);
        builder.coverage.list(kind, None);
    }
    builder.finish(format!("2026-01-01T{clock}:00Z").parse().ok())
}

fn meta(name: &str) -> Value {
    json!({"name": name, "namespace": "shop", "creationTimestamp": "2025-01-01T00:00:00Z"})
}

fn deployment(image: &str, replicas: u32, memory: &str) -> Value {
    let limits = json!({"limits": {"memory": memory}});
    let env = json!([{"name": "DB_PASSWORD_URL", "value": format!("db.{memory}:1")}]);
    let from = json!([{"configMapRef": {"name": "web"}}]);
    let container =
        json!({"name": "c", "image": image, "resources": limits, "env": env, "envFrom": from});
    json!({
        "kind": "Deployment", "metadata": meta("web"),
        "spec": {"replicas": replicas, "template": {"spec": {"containers": [container]}}},
    })
}

fn config(value: &str) -> Value {
    json!({"kind": "ConfigMap", "metadata": meta("web"), "data": {"level": value, "api_key": value}})
}

/// Lines `object field: before -> after [certainty]` of what changed.
fn lines(before: &[Value], after: &[Value]) -> Vec<String> {
    let (before, after) = (capture("09:00", before), capture("10:00", after));
    let kinds = [&BAD_IMAGE];
    let (then, now) = (step(&before, &kinds), step(&after, &kinds));
    let all = changes((&before, &then), (&after, &now));
    let mut lines = Vec::new();
    for o in &all.objects {
        let surest = o.led_to.iter().map(|l| format!(" {:?}", l.certainty)).next();
        let surest = surest.unwrap_or_default();
        let (kind, object) = (o.kind, &o.object);
        if o.fields.is_empty() {
            lines.push(format!("{kind:?} {} {object}{surest}", object.kind));
        }
        for f in &o.fields {
            let text = |v: &Option<String>| v.clone().unwrap_or("-".into());
            let (before, after) = (text(&f.before), text(&f.after));
            lines.push(format!("{object} {}: {before} -> {after}{surest}", f.field));
        }
    }
    lines.push(format!("new {} still {} gone {}", all.new.len(), all.still.len(), all.gone.len()));
    lines
}

#[test]
fn a_field_that_was_set_to_the_bad_value_is_the_proven_cause() {
    let found = lines(
        &[deployment("good", 2, "1Gi"), config("info")],
        &[deployment("bad", 3, "1Gi"), config("info")],
    );
    let at = "shop/web spec.template.spec.containers[c].image: good -> bad Proven";
    assert_eq!(
        found,
        ["shop/web spec.replicas: 2 -> 3 Proven", at, "new 1 still 0 gone 0"],
        "the certainty is the object's"
    );
}

#[test]
fn another_change_of_what_the_cause_depends_on_is_no_more_than_likely() {
    let before = [deployment("good", 2, "1Gi"), config("info")];
    let mut after = vec![deployment("good", 2, "1Gi")];
    after.push(json!({"kind": "ConfigMap", "metadata": meta("other")}));
    let found = lines(&before, &after);
    assert_eq!(found[0], "Removed ConfigMap shop/web Likely", "{found:?}");
    assert_eq!(found.last().map(String::as_str), Some("new 1 still 0 gone 0"));
}

#[test]
fn what_was_broken_before_is_not_blamed_on_a_change() {
    let found = lines(&[deployment("bad", 2, "1Gi")], &[deployment("bad", 2, "2Gi")]);
    let memory = "shop/web spec.template.spec.containers[c].resources.limits.memory: 1Gi -> 2Gi";
    let hidden = "shop/web spec.template.spec.containers[c].env[DB_PASSWORD_URL]: (not shown) -> \
                  (not shown)";
    assert_eq!(found, [hidden, memory, "new 0 still 1 gone 0"]);
}

#[test]
fn of_config_maps_keys_and_short_values_are_told_but_no_secrets() {
    let found = lines(&[config("info")], &[config("debug")]);
    let level = "shop/web data.level: info -> debug";
    let key = "shop/web data.api_key: (not shown) -> (not shown)";
    assert_eq!(found, [key, level, "new 0 still 0 gone 0"]);
}
