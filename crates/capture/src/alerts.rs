//! Alerts in one shape: that of Alertmanager v2 (`labels`, `annotations`, `startsAt`).

use crate::text;
use model::{Alert, Text};
use serde_json::{Map, Value};

/// Names other systems give to what Alertmanager calls `startsAt`, best first.
const STARTS: &[&str] = &["startsAt", "activeAt", "starts_at", "start_time", "time_range", "time"];

/// The alert with `labels`, `annotations` and, where a time is known, `startsAt`. Fields that are
/// there already stay as they are. Nothing when it names neither labels nor a name.
pub fn alert(mut value: Value) -> Option<Value> {
    let map = value.as_object_mut()?;
    if !map.get("labels").is_some_and(Value::is_object) {
        relabel(map)?;
    }
    if !map.contains_key("startsAt")
        && let Some(at) = STARTS.iter().find_map(|key| start(map.get(*key)?))
    {
        map.insert("startsAt".to_owned(), at.into());
    }
    Some(value)
}

/// The record of an alert in that shape.
pub fn record(value: &Value, document: u16) -> Alert {
    let strings = |pointer: &str| -> Vec<(String, String)> {
        let map = value.pointer(pointer).and_then(Value::as_object);
        let pairs = map.into_iter().flatten();
        pairs.map(|(k, v)| (k.clone(), plain(v))).collect()
    };
    let labels = strings("/labels");
    let label = |name: &str| labels.iter().find(|(k, _)| k == name).map(|(_, v)| v.as_str());
    let subjects = SUBJECT_LABELS.iter().filter_map(|l| label(l)).map(Text::from);
    let texts: Vec<String> = strings("/annotations").into_iter().map(|(_, v)| v).collect();
    Alert {
        name: label("alertname").or(label("type")).unwrap_or_default().into(),
        subjects: subjects.collect(),
        labels: labels.iter().filter(|(k, _)| is_rate_label(k)).cloned().collect(),
        text: texts.join("\n"),
        since: value.get("startsAt").and_then(Value::as_str).and_then(|t| t.parse().ok()),
        document,
    }
}

/// Labels of an alert that name objects, the most telling first.
const SUBJECT_LABELS: [&str; 13] = [
    "pod",
    "deployment",
    "statefulset",
    "daemonset",
    "job_name",
    "workload",
    "service",
    "app",
    "name",
    "node",
    "instance",
    "persistentvolumeclaim",
    "namespace",
];

/// Labels that say how fast an error budget is spent, as the makers of such rules call them.
fn is_rate_label(key: &str) -> bool {
    matches!(key, "exhaustion" | "long" | "severity" | "short" | "slo" | "window")
        || key.starts_with("sloth_")
        || key.starts_with("burn")
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(plain).collect::<Vec<_>>().join("\n"),
        other => other.to_string(),
    }
}

/// Alerts without labels: short texts become labels, lists of texts annotations.
fn relabel(map: &mut Map<String, Value>) -> Option<()> {
    let (mut labels, mut annotations) = (Map::new(), Map::new());
    for (key, value) in map.iter() {
        match value {
            Value::String(text) if !STARTS.contains(&key.as_str()) => {
                let long = matches!(key.as_str(), "description" | "summary" | "message");
                let into = if long { &mut annotations } else { &mut labels };
                into.insert(key.clone(), text.as_str().into());
            }
            Value::Array(items) => {
                let texts: Vec<&str> = items.iter().filter_map(Value::as_str).collect();
                if !texts.is_empty() {
                    annotations.insert(key.clone(), texts.join("\n").into());
                }
            }
            _ => {}
        }
    }
    if labels.is_empty() {
        return None;
    }
    map.insert("labels".to_owned(), labels.into());
    if !map.contains_key("annotations") {
        map.insert("annotations".to_owned(), annotations.into());
    }
    Some(())
}

/// The time a text begins with.
fn start(value: &Value) -> Option<String> {
    let text = value.as_str()?;
    let text = text.split(" ~ ").next().unwrap_or(text);
    crate::metrics::time(text).or_else(|| text::time::rfc3339(text))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn shapes() {
        let v2 = json!({"labels": {"alertname": "A"}, "startsAt": "2026-03-01T10:00:00Z"});
        assert_eq!(alert(v2.clone()), Some(v2));
        let prometheus = json!({"labels": {}, "activeAt": "2026-03-01T10:00:00Z"});
        let got = alert(prometheus).expect("an alert");
        assert_eq!(got["startsAt"], "2026-03-01T10:00:00Z");
        let other = json!({"name": "web", "type": "Service", "evidence": ["slow", "slower"],
            "time_range": "2026-03-01 10:00:00 ~ 2026-03-01 10:05:00"});
        let got = alert(other).expect("an alert");
        assert_eq!(got["labels"], json!({"name": "web", "type": "Service"}));
        assert_eq!(got["annotations"]["evidence"], "slow\nslower");
        assert_eq!(got["startsAt"], "2026-03-01T10:00:00Z");
        assert_eq!(alert(json!({"count": 3})), None);
        assert_eq!(alert(json!(3)), None);
    }
}
