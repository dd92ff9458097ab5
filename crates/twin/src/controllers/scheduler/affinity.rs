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
    let Some(required) = pod.pointer(REQUIRED) else { return true };
    field::list(required, "/nodeSelectorTerms").iter().any(|term| {
        let expressions = field::list(term, "/matchExpressions");
        let fields = field::list(term, "/matchFields");
        // A term that asks for nothing selects nothing.
        let asks = !expressions.is_empty() || !fields.is_empty();
        let name = |key: &str| (key == "metadata.name").then(|| field::name(node));
        asks && expressions.iter().all(|e| holds(e, label)) && fields.iter().all(|f| holds(f, name))
    })
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
