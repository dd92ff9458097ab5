//! Rules that hold for the cluster's own components too: an object that breaks them could not be
//! read by the others.

use serde_json::Value;

use crate::field;
use crate::registry::Cause;

/// A pod needs containers with names and images.
pub(crate) fn pod(pod: &Value) -> Vec<Cause> {
    containers(pod, "/spec", "spec")
}

/// A workload needs a selector that its own template meets.
pub(crate) fn workload(object: &Value) -> Vec<Cause> {
    let mut causes = Vec::new();
    let replicas = object.pointer("/spec/replicas").unwrap_or(&Value::Null);
    let possible = replicas.as_i64().is_some_and(|n| (0..=i64::from(i32::MAX)).contains(&n));
    if !possible && !replicas.is_null() {
        let why = "must be greater than or equal to 0";
        causes.push(Cause::invalid("spec.replicas", replicas, why));
    }
    let wanted = field::map(object, "/spec/selector/matchLabels");
    let expressions = field::list(object, "/spec/selector/matchExpressions");
    if wanted.is_none_or(|labels| labels.is_empty()) && expressions.is_empty() {
        causes.push(Cause::required("spec.selector"));
    }
    let labels = field::map(object, "/spec/template/metadata/labels");
    let mut wanted = wanted.into_iter().flatten();
    if wanted.any(|(k, v)| labels.and_then(|l| l.get(k)) != Some(v)) {
        let labels = object.pointer("/spec/template/metadata/labels").unwrap_or(&Value::Null);
        let why = "`selector` does not match template `labels`";
        causes.push(Cause::invalid("spec.template.metadata.labels", labels, why));
    }
    causes.extend(containers(object, "/spec/template/spec", "spec.template.spec"));
    causes
}

fn containers(object: &Value, pointer: &str, path: &str) -> Vec<Cause> {
    let all = field::list(object, &format!("{pointer}/containers"));
    if all.is_empty() {
        return vec![Cause::required(&format!("{path}.containers"))];
    }
    let missing = |i: usize, container: &Value, key: &str| {
        let absent = field::text(container, &format!("/{key}")).is_empty();
        absent.then(|| Cause::required(&format!("{path}.containers[{i}].{key}")))
    };
    all.iter()
        .enumerate()
        .flat_map(|(i, c)| [missing(i, c, "name"), missing(i, c, "image")])
        .flatten()
        .collect()
}
