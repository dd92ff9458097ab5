//! Pods and pod templates.

use serde_json::Value;

use super::{at, container, duplicates, label_name, metadata, one_of, selector};
use crate::field;
use crate::registry::Cause;

const EFFECTS: [&str; 3] = ["NoSchedule", "PreferNoSchedule", "NoExecute"];

pub(super) fn pod(pod: &Value) -> Vec<Cause> {
    let spec = at(pod, "/spec");
    let mut causes = spec_rules(spec, "spec");
    causes.extend(one_of(
        at(spec, "/restartPolicy"),
        "spec.restartPolicy",
        &["Always", "OnFailure", "Never"],
    ));
    causes
}

/// What a pod's specification at `path` breaks.
pub(super) fn spec_rules(spec: &Value, path: &str) -> Vec<Cause> {
    let mut causes = volumes(spec, path);
    causes.extend(container::all(spec, path));
    causes.extend(one_of(
        at(spec, "/dnsPolicy"),
        &format!("{path}.dnsPolicy"),
        &["ClusterFirstWithHostNet", "ClusterFirst", "Default", "None"],
    ));
    causes.extend(affinity(spec, path));
    causes.extend(spread(spec, path));
    for key in ["hostname", "subdomain"] {
        let value = at(spec, &format!("/{key}"));
        if value.as_str().is_some_and(|text| !text.is_empty()) {
            causes.extend(label_name(value, &format!("{path}.{key}")));
        }
    }
    causes.extend(tolerations(spec, path));
    causes.extend(super::fields::pod_causes(spec, path));
    causes
}

fn volumes(spec: &Value, path: &str) -> Vec<Cause> {
    let list = field::list(spec, "/volumes");
    let here = format!("{path}.volumes");
    let mut causes = Vec::new();
    for (index, volume) in list.iter().enumerate() {
        causes.extend(label_name(at(volume, "/name"), &format!("{here}[{index}].name")));
    }
    causes.extend(duplicates(list, "name", &here));
    causes
}

fn affinity(spec: &Value, path: &str) -> Vec<Cause> {
    const RULE: &str = "requiredDuringSchedulingIgnoredDuringExecution";
    let terms = field::list(spec, &format!("/affinity/nodeAffinity/{RULE}/nodeSelectorTerms"));
    let mut causes = Vec::new();
    for (index, term) in terms.iter().enumerate() {
        let here = format!(
            "{path}.affinity.nodeAffinity.{RULE}.nodeSelectorTerms[{index}].matchExpressions"
        );
        let list = field::list(term, "/matchExpressions");
        causes.extend(selector::expressions(list, &here, true));
    }
    causes
}

fn spread(spec: &Value, path: &str) -> Vec<Cause> {
    let mut causes = Vec::new();
    for (index, rule) in field::list(spec, "/topologySpreadConstraints").iter().enumerate() {
        let here = |key: &str| format!("{path}.topologySpreadConstraints[{index}].{key}");
        if field::number(rule, "/maxSkew") <= 0 {
            let skew = at(rule, "/maxSkew");
            causes.push(Cause::invalid(&here("maxSkew"), skew, "must be greater than zero"));
        }
        if field::text(rule, "/topologyKey").is_empty() {
            causes.push(Cause::required_because(&here("topologyKey"), "can not be empty"));
        }
        causes.extend(one_of(
            at(rule, "/whenUnsatisfiable"),
            &here("whenUnsatisfiable"),
            &["DoNotSchedule", "ScheduleAnyway"],
        ));
    }
    causes
}

fn tolerations(spec: &Value, path: &str) -> Vec<Cause> {
    let mut causes = Vec::new();
    for (index, toleration) in field::list(spec, "/tolerations").iter().enumerate() {
        let here = |key: &str| format!("{path}.tolerations[{index}].{key}");
        let text = |key: &str| field::text(toleration, &format!("/{key}"));
        let (key, operator, effect) = (text("key"), text("operator"), text("effect"));
        if !key.is_empty() {
            for why in metadata::qualified(key) {
                causes.push(Cause::invalid(&here("key"), &key.into(), &why));
            }
        } else if operator != "Exists" {
            let why = "operator must be Exists when `key` is empty, which means \"match all values \
                 and all keys\"";
            causes.push(Cause::invalid(&here("operator"), &operator.into(), why));
        }
        let seconds = toleration.get("tolerationSeconds").is_some_and(|s| !s.is_null());
        if seconds && effect != "NoExecute" {
            let why = "effect must be 'NoExecute' when `tolerationSeconds` is set";
            causes.push(Cause::invalid(&here("effect"), &effect.into(), why));
        }
        let value = text("value");
        match operator {
            "Exists" if !value.is_empty() => {
                let why = "value must be empty when `operator` is 'Exists'";
                causes.push(Cause::invalid(&here("operator"), &value.into(), why));
            }
            "" | "Equal" | "Exists" | "Gt" | "Lt" => {}
            other => {
                let known = ["Equal", "Exists"];
                causes.push(Cause::unsupported(&here("operator"), &other.into(), &known));
            }
        }
        causes.extend(one_of(&effect.into(), &here("effect"), &EFFECTS));
    }
    causes
}
