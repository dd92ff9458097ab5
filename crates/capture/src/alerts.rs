//! Alerts in one shape: that of Alertmanager v2 (`labels`, `annotations`, `startsAt`).

use crate::text;
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
