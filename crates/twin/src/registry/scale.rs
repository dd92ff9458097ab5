//! The scale of an object: how many replicas it wants and has, and which pods they are.

use serde_json::{Value, json};

use crate::custom::Path;
use crate::field;
use crate::kinds::Kind;

/// Makes an object want so many replicas.
pub(crate) fn set_replicas(kind: &Kind, object: &mut Value, replicas: i64) {
    match kind.custom.and_then(|custom| custom.scale.as_ref()) {
        Some(scale) => scale.replicas.set(object, replicas.into()),
        None => {
            field::child(object, "spec").insert("replicas".into(), replicas.into());
        }
    }
}

/// An object's scale.
pub(crate) fn scale_of(kind: &Kind, object: &Value) -> Value {
    let meta = &object["metadata"];
    let mut spec = json!({});
    let paths = kind.custom.and_then(|custom| custom.scale.as_ref());
    let first = |path: &Path| path.find(object).first().map_or(Value::Null, |v| Value::clone(v));
    let (replicas, there, selector) = match paths {
        Some(paths) => (
            first(&paths.replicas).as_i64().unwrap_or_default(),
            first(&paths.status_replicas).as_i64().unwrap_or_default(),
            paths.selector.as_ref().map(first).unwrap_or_default(),
        ),
        None => (
            field::number(object, "/spec/replicas"),
            field::number(object, "/status/replicas"),
            selector_text(&object["spec"]["selector"]).into(),
        ),
    };
    if replicas != 0 {
        spec["replicas"] = replicas.into();
    }
    let mut status = json!({"replicas": there});
    if selector.as_str().is_some_and(|text| !text.is_empty()) {
        status["selector"] = selector;
    }
    json!({
        "kind": "Scale", "apiVersion": "autoscaling/v1",
        "metadata": {
            "name": meta["name"], "namespace": meta["namespace"], "uid": meta["uid"],
            "resourceVersion": meta["resourceVersion"],
            "creationTimestamp": meta["creationTimestamp"],
        },
        "spec": spec, "status": status,
    })
}

/// A selector as text, by key: `app=a,t notin (y,z)`.
fn selector_text(selector: &Value) -> String {
    let is_plain =
        selector.get("matchLabels").is_none() && selector.get("matchExpressions").is_none();
    let equal = if is_plain { Some(selector) } else { selector.get("matchLabels") };
    let equal = equal.and_then(Value::as_object).into_iter().flatten();
    let mut terms: Vec<(String, String)> = equal
        .map(|(key, value)| (key.clone(), format!("{key}={}", value.as_str().unwrap_or_default())))
        .collect();
    for rule in field::list(selector, "/matchExpressions") {
        let key = field::text(rule, "/key");
        let mut values: Vec<_> =
            field::list(rule, "/values").iter().filter_map(Value::as_str).collect();
        values.sort_unstable();
        let values = values.join(",");
        let term = match field::text(rule, "/operator") {
            "In" => format!("{key} in ({values})"),
            "NotIn" => format!("{key} notin ({values})"),
            "Exists" => key.to_owned(),
            _ => format!("!{key}"),
        };
        terms.push((key.to_owned(), term));
    }
    terms.sort_by(|a, b| a.0.cmp(&b.0));
    let terms: Vec<_> = terms.into_iter().map(|(_, term)| term).collect();
    terms.join(",")
}
