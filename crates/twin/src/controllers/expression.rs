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
