//! Label selectors.

use serde_json::Value;

use super::at;
use crate::field;
use crate::registry::Cause;

/// What the expressions of a selector at `path` break.
pub(super) fn expressions(list: &[Value], path: &str, of_nodes: bool) -> Vec<Cause> {
    let mut causes = Vec::new();
    for (index, rule) in list.iter().enumerate() {
        let here = format!("{path}[{index}]");
        let values = field::list(rule, "/values");
        match field::text(rule, "/operator") {
            "In" | "NotIn" if values.is_empty() => causes.push(Cause::required_because(
                &format!("{here}.values"),
                "must be specified when `operator` is 'In' or 'NotIn'",
            )),
            "Exists" | "DoesNotExist" if !values.is_empty() => causes.push(Cause::forbidden(
                &format!("{here}.values"),
                "may not be specified when `operator` is 'Exists' or 'DoesNotExist'",
            )),
            "Gt" | "Lt" if of_nodes && values.len() != 1 => causes.push(Cause::required_because(
                &format!("{here}.values"),
                "must be specified single value when `operator` is 'Lt' or 'Gt'",
            )),
            "In" | "NotIn" | "Exists" | "DoesNotExist" => {}
            "Gt" | "Lt" if of_nodes => {}
            _ => causes.push(Cause::invalid(
                &format!("{here}.operator"),
                at(rule, "/operator"),
                "not a valid selector operator",
            )),
        }
        for why in super::metadata::qualified(field::text(rule, "/key")) {
            causes.push(Cause::invalid(&format!("{here}.key"), at(rule, "/key"), &why));
        }
    }
    causes
}

/// What a label selector at `path` breaks.
pub(super) fn selector(selector: &Value, path: &str) -> Vec<Cause> {
    let mut causes =
        super::metadata::labels(&selector["matchLabels"], &format!("{path}.matchLabels"));
    let list = field::list(selector, "/matchExpressions");
    causes.extend(expressions(list, &format!("{path}.matchExpressions"), false));
    causes
}

/// A workload's selector must be there and select its own template.
pub(super) fn of_template(object: &Value) -> Vec<Cause> {
    let kind = match object["kind"].as_str() {
        Some("DaemonSet") => "daemonset",
        Some("StatefulSet") => "statefulset",
        _ => "deployment",
    };
    const PATH: &str = "spec.selector";
    let wanted = at(object, "/spec/selector");
    let labels = at(object, "/spec/template/metadata/labels");
    let mismatch = || {
        let why = "`selector` does not match template `labels`";
        Cause::invalid("spec.template.metadata.labels", labels, why)
    };
    if wanted.is_null() {
        return match kind {
            "daemonset" => vec![mismatch()],
            _ => vec![Cause::required(PATH), mismatch()],
        };
    }
    let mut causes = selector(wanted, PATH);
    let is_empty = field::map(wanted, "/matchLabels").is_none_or(|m| m.is_empty())
        && field::list(wanted, "/matchExpressions").is_empty();
    if is_empty {
        let why = format!("empty selector is invalid for {kind}");
        causes.push(Cause::invalid(PATH, wanted, &why));
        return causes;
    }
    if !causes.is_empty() {
        causes.push(Cause::invalid(PATH, wanted, "invalid label selector"));
        return causes;
    }
    let template = serde_json::json!({"metadata": {"labels": labels}});
    if !crate::controllers::selects(wanted, &template) {
        causes.push(mismatch());
    }
    causes
}
