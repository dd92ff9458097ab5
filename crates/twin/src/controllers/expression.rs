//! Label selectors and the expressions they are made of.

use serde_json::Value;

use crate::field;

/// Whether a label selector selects an object; one that asks for nothing selects everything.
pub(crate) fn selects(selector: &Value, object: &Value) -> bool {
    let labels = field::map(object, "/metadata/labels");
    let label = |key: &str| labels.and_then(|l| l.get(key)).and_then(Value::as_str);
    let mut plain = field::map(selector, "/matchLabels").into_iter().flatten();
    plain.all(|(key, value)| label(key) == value.as_str())
        && field::list(selector, "/matchExpressions").iter().all(|e| holds(e, label))
}

/// Whether one expression holds for what is found under its key.
pub(super) fn holds<'a>(expression: &Value, found: impl Fn(&str) -> Option<&'a str>) -> bool {
    let value = found(field::text(expression, "/key"));
    let values = field::list(expression, "/values");
    let listed = value.is_some_and(|value| values.iter().any(|v| v == value));
    let number = |text: &str| text.parse::<i64>().ok();
    let bound = values.first().and_then(Value::as_str).and_then(number);
    let compared = value.and_then(number).zip(bound);
    match field::text(expression, "/operator") {
        "In" => listed,
        "NotIn" => !listed,
        "Exists" => value.is_some(),
        "DoesNotExist" => value.is_none(),
        "Gt" => compared.is_some_and(|(value, bound)| value > bound),
        "Lt" => compared.is_some_and(|(value, bound)| value < bound),
        _ => false,
    }
}

/// A selector as events tell it.
pub(super) fn told(selector: &Value) -> String {
    if selector.is_null() {
        return "nil".to_owned();
    }
    let labels = field::map(selector, "/matchLabels").into_iter().flatten();
    let labels =
        labels.map(|(key, value)| format!("{key}: {},", value.as_str().unwrap_or_default()));
    let rules = field::list(selector, "/matchExpressions").iter().map(|rule| {
        let values = field::list(rule, "/values").iter().filter_map(Value::as_str);
        format!(
            "LabelSelectorRequirement{{Key:{},Operator:{},Values:[{}],}},",
            field::text(rule, "/key"),
            field::text(rule, "/operator"),
            values.collect::<Vec<_>>().join(" ")
        )
    });
    format!(
        "&LabelSelector{{MatchLabels:map[string]string{{{}}},\
         MatchExpressions:[]LabelSelectorRequirement{{{}}},}}",
        labels.collect::<String>(),
        rules.collect::<String>()
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn selectors_are_told_as_events_tell_them() {
        let selector = json!({
            "matchLabels": {"app": "bare"},
            "matchExpressions": [{"key": "a", "operator": "In", "values": ["x", "y"]}],
        });
        let text = "&LabelSelector{MatchLabels:map[string]string{app: bare,},MatchExpressions:[]\
                    LabelSelectorRequirement{LabelSelectorRequirement{Key:a,Operator:In,\
                    Values:[x y],},},}";
        assert_eq!(told(&selector), text);
        assert_eq!(told(&Value::Null), "nil");
    }
}
