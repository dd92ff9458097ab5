//! Autoscalers in the words of `autoscaling/v1`, which knows the use of processors only: the
//! rest travels in annotations, as that version's clients find it.

use serde_json::{Map, Value, json};

use crate::field;

const METRICS: &str = "autoscaling.alpha.kubernetes.io/metrics";
const CURRENT: &str = "autoscaling.alpha.kubernetes.io/current-metrics";
const BEHAVIOR: &str = "autoscaling.alpha.kubernetes.io/behavior";
const CONDITIONS: &str = "autoscaling.alpha.kubernetes.io/conditions";
/// What is aimed at where nothing is said, in percent.
const DEFAULT_USE: i64 = 80;

/// Where an amount of a metric stands: in the full form, in the simple one.
type Amounts = [(&'static str, &'static str)];

/// A kind of metric: its name, the fields of its simple form in order, and its amounts.
struct Form {
    kind: &'static str,
    key: &'static str,
    fields: &'static [(&'static str, &'static str)],
    target: &'static Amounts,
    current: &'static Amounts,
}

const FORMS: [Form; 5] = [
    Form {
        kind: "Object",
        key: "object",
        fields: &[
            ("target", "describedObject"),
            ("metricName", "metric/name"),
            ("targetValue", "target/value"),
            ("selector", "metric/selector"),
            ("averageValue", "target/averageValue"),
        ],
        target: &[("value", "targetValue"), ("averageValue", "averageValue")],
        current: &[("value", "currentValue"), ("averageValue", "averageValue")],
    },
    Form {
        kind: "Pods",
        key: "pods",
        fields: &[
            ("metricName", "metric/name"),
            ("targetAverageValue", "target/averageValue"),
            ("selector", "metric/selector"),
        ],
        target: &[("averageValue", "targetAverageValue")],
        current: &[("averageValue", "currentAverageValue")],
    },
    Form {
        kind: "Resource",
        key: "resource",
        fields: &[
            ("name", "name"),
            ("targetAverageUtilization", "target/averageUtilization"),
            ("targetAverageValue", "target/averageValue"),
        ],
        target: &[
            ("averageUtilization", "targetAverageUtilization"),
            ("averageValue", "targetAverageValue"),
        ],
        current: &[
            ("averageUtilization", "currentAverageUtilization"),
            ("averageValue", "currentAverageValue"),
        ],
    },
    Form {
        kind: "ContainerResource",
        key: "containerResource",
        fields: &[
            ("name", "name"),
            ("targetAverageUtilization", "target/averageUtilization"),
            ("targetAverageValue", "target/averageValue"),
            ("container", "container"),
        ],
        target: &[
            ("averageUtilization", "targetAverageUtilization"),
            ("averageValue", "targetAverageValue"),
        ],
        current: &[
            ("averageUtilization", "currentAverageUtilization"),
            ("averageValue", "currentAverageValue"),
        ],
    },
    Form {
        kind: "External",
        key: "external",
        fields: &[
            ("metricName", "metric/name"),
            ("metricSelector", "metric/selector"),
            ("targetValue", "target/value"),
            ("targetAverageValue", "target/averageValue"),
        ],
        target: &[("value", "targetValue"), ("averageValue", "targetAverageValue")],
        current: &[("value", "currentValue"), ("averageValue", "currentAverageValue")],
    },
];

/// The object in the words of v1.
pub(super) fn simple(object: &mut Value) {
    let metrics = field::list(object, "/spec/metrics").to_vec();
    let (of_processor, others): (Vec<_>, Vec<_>) =
        metrics.iter().partition(|metric| is_processor(metric));
    let aim = of_processor.first().map(|m| m["resource"]["target"]["averageUtilization"].clone());
    let seen = field::list(object, "/status/currentMetrics").to_vec();
    let of_processor = seen.iter().rfind(|metric| field::text(metric, "/resource/name") == "cpu");
    let used = of_processor.map(|m| m["resource"]["current"]["averageUtilization"].clone());
    let behavior = object.pointer("/spec/behavior").cloned();
    let conditions = field::list(object, "/status/conditions").to_vec();
    let mut notes = Vec::new();
    if let Some(behavior) = behavior.filter(Value::is_object) {
        notes.push((BEHAVIOR, behavior_text(&behavior)));
    }
    if !others.is_empty() {
        notes.push((METRICS, list_text(others.into_iter(), ("target", "target"))));
    }
    if !seen.is_empty() {
        notes.push((CURRENT, list_text(seen.iter(), ("current", "current"))));
    }
    if !conditions.is_empty() {
        notes.push((CONDITIONS, conditions_text(&conditions)));
    }
    forget_notes(object);
    for (key, text) in notes {
        object["metadata"]["annotations"][key] = text.into();
    }
    let spec = field::child(object, "spec");
    spec.remove("metrics");
    spec.remove("behavior");
    if let Some(aim) = aim {
        spec.insert("targetCPUUtilizationPercentage".into(), aim);
    }
    let status = field::child(object, "status");
    status.remove("currentMetrics");
    status.remove("conditions");
    if let Some(used) = used.filter(|used| !used.is_null()) {
        status.insert("currentCPUUtilizationPercentage".into(), used);
    }
    field::default(status, "currentReplicas", 0);
}

fn is_processor(metric: &Value) -> bool {
    field::text(metric, "/resource/name") == "cpu"
        && metric.pointer("/resource/target/averageUtilization").is_some()
}

/// The object in the words of v2.
pub(super) fn full(object: &mut Value) {
    object["apiVersion"] = "autoscaling/v2".into();
    let note = |object: &Value, key: &str| -> Option<Value> {
        let text = field::map(object, "/metadata/annotations")?.get(key)?.as_str()?;
        serde_json::from_str(text).ok()
    };
    let [others, seen, behavior, conditions] =
        [METRICS, CURRENT, BEHAVIOR, CONDITIONS].map(|key| note(object, key));
    forget_notes(object);
    let spec = field::child(object, "spec");
    let aim = spec.remove("targetCPUUtilizationPercentage");
    let mut metrics = full_list(others.as_ref(), "target");
    if metrics.is_empty() || aim.is_some() {
        metrics.push(json!({"type": "Resource", "resource": {"name": "cpu", "target": {
            "type": "Utilization", "averageUtilization": aim.unwrap_or(DEFAULT_USE.into()),
        }}}));
    }
    spec.insert("metrics".into(), metrics.into());
    if let Some(behavior) = behavior.filter(Value::is_object) {
        spec.insert("behavior".into(), lowered(&behavior));
    }
    let status = field::child(object, "status");
    let used = status.remove("currentCPUUtilizationPercentage");
    let seen = match (full_list(seen.as_ref(), "current"), used) {
        (seen, Some(used)) if seen.is_empty() => vec![json!({
            "type": "Resource",
            "resource": {"name": "cpu", "current": {"averageUtilization": used}},
        })],
        (seen, _) => seen,
    };
    if !seen.is_empty() {
        status.insert("currentMetrics".into(), seen.into());
    }
    if let Some(conditions) = conditions {
        status.insert("conditions".into(), conditions);
    }
}

/// Takes out what only carries the other form.
fn forget_notes(object: &mut Value) {
    let metadata = field::child(object, "metadata");
    let Some(notes) = metadata.get_mut("annotations").and_then(Value::as_object_mut) else {
        return;
    };
    let before = notes.len();
    notes.retain(|key, _| ![METRICS, CURRENT, BEHAVIOR, CONDITIONS].contains(&key.as_str()));
    if notes.is_empty() && before > 0 {
        metadata.remove("annotations");
    }
}

/// Members that are there, in this order.
fn text(members: &[(&str, Option<String>)]) -> String {
    let told =
        members.iter().filter_map(|(key, value)| Some(format!("\"{key}\":{}", value.as_ref()?)));
    format!("{{{}}}", told.collect::<Vec<_>>().join(","))
}

fn list_text<'v>(metrics: impl Iterator<Item = &'v Value>, (_, amounts): (&str, &str)) -> String {
    let told = metrics.filter_map(|metric| {
        let kind = field::text(metric, "/type");
        let form = FORMS.iter().find(|form| form.kind == kind)?;
        let members: Vec<_> = form
            .fields
            .iter()
            .map(|(simple, full)| {
                let full = full.replacen("target/", &format!("{amounts}/"), 1);
                let value = metric.pointer(&format!("/{}/{full}", form.key));
                let value = value.filter(|value| !value.is_null());
                let told = value.map(|value| match *simple {
                    "target" => text(
                        &["kind", "name", "apiVersion"]
                            .map(|key| (key, value.get(key).map(Value::to_string))),
                    ),
                    _ => value.to_string(),
                });
                (simple.replacen("target", amounts, usize::from(simple.len() > 6)), told)
            })
            .collect();
        let members: Vec<_> = members.iter().map(|(k, v)| (k.as_str(), v.clone())).collect();
        Some(text(&[("type", Some(format!("{kind:?}"))), (form.key, Some(text(&members)))]))
    });
    format!("[{}]", told.collect::<Vec<_>>().join(","))
}

/// Metrics of the simple form in the full one.
fn full_list(simple: Option<&Value>, amounts: &str) -> Vec<Value> {
    let all = simple.and_then(Value::as_array).into_iter().flatten();
    let told = all.filter_map(|metric| {
        let form = FORMS.iter().find(|form| form.kind == field::text(metric, "/type"))?;
        let from = metric.get(form.key)?;
        let mut one = Map::new();
        for key in ["name", "container"] {
            if let Some(value) = from.get(key) {
                one.insert(key.into(), value.clone());
            }
        }
        if let Some(name) = from.get("metricName") {
            one.insert("metric".into(), json!({"name": name}));
            let selector = from.get("selector").or(from.get("metricSelector"));
            if let Some((selector, metric)) = selector.zip(one.get_mut("metric")) {
                metric["selector"] = selector.clone();
            }
        }
        if let Some(described) = from.get("target") {
            one.insert("describedObject".into(), described.clone());
        }
        let names = if amounts == "target" { form.target } else { form.current };
        let mut amount = Map::new();
        for (full, simple) in names {
            if let Some(value) = from.get(*simple).filter(|v| !v.is_null()) {
                amount.insert((*full).into(), value.clone());
            }
        }
        if amounts == "target" {
            let kind =
                ["averageUtilization", "averageValue"].iter().position(|k| amount.contains_key(*k));
            let kind = match kind {
                Some(0) => "Utilization",
                Some(_) => "AverageValue",
                None => "Value",
            };
            amount.insert("type".into(), kind.into());
        }
        one.insert(amounts.into(), amount.into());
        Some(json!({"type": form.kind, form.key: one}))
    });
    told.collect()
}

/// The behaviour in the words of the server's own type.
fn behavior_text(behavior: &Value) -> String {
    let rules = |key: &str| -> Option<String> {
        let rules = behavior.get(key).filter(|rules| rules.is_object());
        let Some(rules) = rules else { return Some("null".into()) };
        let of = |key: &str| Some(rules.get(key).map_or("null".into(), Value::to_string));
        let policies = field::list(rules, "/policies").iter().map(|policy| {
            let of = |key: &str| policy.get(key).map(Value::to_string);
            text(&[
                ("Type", of("type")),
                ("Value", of("value")),
                ("PeriodSeconds", of("periodSeconds")),
            ])
        });
        let policies = policies.collect::<Vec<_>>().join(",");
        Some(text(&[
            ("StabilizationWindowSeconds", of("stabilizationWindowSeconds")),
            ("SelectPolicy", of("selectPolicy")),
            ("Policies", Some(format!("[{policies}]"))),
            ("Tolerance", of("tolerance")),
        ]))
    };
    text(&[("ScaleUp", rules("scaleUp")), ("ScaleDown", rules("scaleDown"))])
}

/// The same value with field names as the API writes them.
fn lowered(value: &Value) -> Value {
    match value {
        Value::Object(map) => {
            let members = map.iter().filter(|(_, value)| !value.is_null()).map(|(key, value)| {
                let mut letters = key.chars();
                let first = letters.next().map(|c| c.to_ascii_lowercase());
                (first.into_iter().chain(letters).collect::<String>(), lowered(value))
            });
            Value::Object(members.collect())
        }
        Value::Array(list) => list.iter().map(lowered).collect(),
        plain => plain.clone(),
    }
}

fn conditions_text(conditions: &[Value]) -> String {
    let told = conditions.iter().map(|condition| {
        let of = |key: &str| condition.get(key).map(Value::to_string);
        text(
            &["type", "status", "lastTransitionTime", "reason", "message"]
                .map(|key| (key, of(key))),
        )
    });
    format!("[{}]", told.collect::<Vec<_>>().join(","))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_simple_form_cannot_say_comes_back_from_its_annotations() {
        let metric = |kind: &str, key: &str, of: Value| json!({"type": kind, key: of});
        let target = json!({"type": "AverageValue", "averageValue": "5"});
        let metrics = [
            metric("Resource", "resource", json!({"name": "memory", "target": target})),
            metric("Pods", "pods", json!({"metric": {"name": "q"}, "target": target})),
            metric(
                "External",
                "external",
                json!({
                    "metric": {"name": "e", "selector": {"matchLabels": {"a": "b"}}},
                    "target": {"type": "Value", "value": "30"},
                }),
            ),
            metric(
                "Object",
                "object",
                json!({
                    "describedObject": {"kind": "Ingress", "name": "i"}, "metric": {"name": "r"},
                    "target": {"type": "Value", "value": "2k"},
                }),
            ),
            metric(
                "ContainerResource",
                "containerResource",
                json!({
                    "name": "cpu", "container": "c",
                    "target": {"type": "Utilization", "averageUtilization": 60},
                }),
            ),
        ];
        let scaler = json!({
            "apiVersion": "autoscaling/v2", "metadata": {"name": "a"},
            "status": {"currentReplicas": 0},
            "spec": {"maxReplicas": 3, "metrics": metrics, "behavior": {"scaleDown": {
                "stabilizationWindowSeconds": 60, "selectPolicy": "Max",
                "policies": [{"type": "Pods", "value": 1, "periodSeconds": 30}],
            }}},
        });
        let mut there = scaler.clone();
        simple(&mut there);
        let notes = &there["metadata"]["annotations"];
        let told = r#"{"type":"Pods","pods":{"metricName":"q","targetAverageValue":"5"}}"#;
        assert!(notes[METRICS].as_str().unwrap().contains(told), "{notes}");
        full(&mut there);
        assert_eq!(there, scaler);
    }
}
