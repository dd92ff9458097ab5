//! Node selectors and required node affinity.

use serde_json::Value;

use crate::controllers::expression::holds;
use crate::field;

const REQUIRED: &str = "/spec/affinity/nodeAffinity/requiredDuringSchedulingIgnoredDuringExecution";

/// Whether a pod may go to a node by the labels it asks for.
pub(in crate::controllers) fn matches(pod: &Value, node: &Value) -> bool {
    let labels = field::map(node, "/metadata/labels");
    let label = |key: &str| labels.and_then(|l| l.get(key)).and_then(Value::as_str);
    let mut wanted = field::map(pod, "/spec/nodeSelector").into_iter().flatten();
    if !wanted.all(|(key, value)| label(key) == value.as_str()) {
        return false;
    }
    pod.pointer(REQUIRED).is_none_or(|required| selects(required, node))
}

/// Whether a selector of nodes selects this one.
pub(super) fn selects(selector: &Value, node: &Value) -> bool {
    let labels = field::map(node, "/metadata/labels");
    let label = |key: &str| labels.and_then(|l| l.get(key)).and_then(Value::as_str);
    field::list(selector, "/nodeSelectorTerms").iter().any(|term| {
        let expressions = field::list(term, "/matchExpressions");
        let fields = field::list(term, "/matchFields");
        // A term that asks for nothing selects nothing.
        let asks = !expressions.is_empty() || !fields.is_empty();
        let name = |key: &str| (key == "metadata.name").then(|| field::name(node));
        asks && expressions.iter().all(|e| holds(e, label)) && fields.iter().all(|f| holds(f, name))
    })
}

/// The weights of the preferences that a node meets.
pub(super) fn liking(pod: &Value, node: &Value) -> i64 {
    const PREFERRED: &str =
        "/spec/affinity/nodeAffinity/preferredDuringSchedulingIgnoredDuringExecution";
    let labels = field::map(node, "/metadata/labels");
    let label = |key: &str| labels.and_then(|l| l.get(key)).and_then(Value::as_str);
    let name = |key: &str| (key == "metadata.name").then(|| field::name(node));
    let met = field::list(pod, PREFERRED).iter().filter(|preference| {
        let of = |list| field::list(preference, list).iter();
        of("/preference/matchExpressions").all(|e| holds(e, label))
            && of("/preference/matchFields").all(|f| holds(f, name))
    });
    met.map(|preference| field::number(preference, "/weight")).sum()
}

/// The nodes that a pod names in every term, if it does.
pub(super) fn named(pod: &Value) -> Option<Vec<&str>> {
    let terms = field::list(pod.pointer(REQUIRED)?, "/nodeSelectorTerms");
    let mut names = Vec::new();
    for term in terms {
        let fields = field::list(term, "/matchFields").iter();
        let mut own = fields.filter(|f| {
            field::text(f, "/key") == "metadata.name" && field::text(f, "/operator") == "In"
        });
        names.extend(field::list(own.next()?, "/values").iter().filter_map(Value::as_str));
    }
    (!terms.is_empty()).then_some(names)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[track_caller]
    fn check(expressions: Value, fits: bool) {
        let node = json!({"metadata": {"name": "n", "labels": {"disk": "ssd", "cores": "8"}}});
        let required = json!({"nodeSelectorTerms": [{"matchExpressions": expressions}]});
        let affinity =
            json!({"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": required}});
        let pod = json!({"spec": {"affinity": affinity}});
        assert_eq!(matches(&pod, &node), fits);
    }

    #[test]
    fn every_expression_of_a_term_must_hold() {
        let ssd = json!({"key": "disk", "operator": "In", "values": ["ssd", "nvme"]});
        let big = json!({"key": "cores", "operator": "Gt", "values": ["16"]});
        check(json!([ssd]), true);
        check(json!([ssd, big]), false);
        check(json!([{"key": "disk", "operator": "NotIn", "values": ["hdd"]}]), true);
        check(json!([{"key": "gpu", "operator": "Exists"}]), false);
        check(json!([{"key": "gpu", "operator": "DoesNotExist"}]), true);
        check(json!([]), false);
    }
}
