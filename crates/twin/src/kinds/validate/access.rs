//! Roles and who has them.

use serde_json::Value;

use super::at;
use crate::field;
use crate::registry::Cause;

const GROUP: &str = "rbac.authorization.k8s.io";

pub(super) fn role(role: &Value) -> Vec<Cause> {
    let namespaced = role["kind"] == "Role";
    let mut causes = Vec::new();
    for (index, rule) in field::list(role, "/rules").iter().enumerate() {
        let path = |key: &str| format!("rules[{index}].{key}");
        let list = |key: &str| field::list(rule, &format!("/{key}"));
        if list("verbs").is_empty() {
            let why = "verbs must contain at least one value";
            causes.push(Cause::required_because(&path("verbs"), why));
        }
        if !list("nonResourceURLs").is_empty() {
            let value = at(rule, "/nonResourceURLs");
            let mut refuse =
                |why: &str| causes.push(Cause::invalid(&path("nonResourceURLs"), value, why));
            if namespaced {
                refuse("namespaced rules cannot apply to non-resource URLs");
            }
            if ["apiGroups", "resources", "resourceNames"].iter().any(|key| !list(key).is_empty()) {
                refuse("rules cannot apply to both regular resources and non-resource URLs");
            }
            continue;
        }
        for (key, why) in [
            ("apiGroups", "resource rules must supply at least one api group"),
            ("resources", "resource rules must supply at least one resource"),
        ] {
            if list(key).is_empty() {
                causes.push(Cause::required_because(&path(key), why));
            }
        }
    }
    let gathers = role.get("aggregationRule").is_some_and(Value::is_object);
    if gathers && field::list(role, "/aggregationRule/clusterRoleSelectors").is_empty() {
        let why = "at least one clusterRoleSelector required if aggregationRule is non-nil";
        causes.push(Cause::required_because("aggregationRule.clusterRoleSelectors", why));
    }
    causes
}

pub(super) fn binding(binding: &Value) -> Vec<Cause> {
    let namespaced = binding["kind"] == "RoleBinding";
    let kinds: &[&str] = if namespaced { &["Role", "ClusterRole"] } else { &["ClusterRole"] };
    let text = |key: &str| field::text(binding, &format!("/roleRef/{key}"));
    let mut causes = Vec::new();
    if text("apiGroup") != GROUP {
        let given = text("apiGroup").into();
        causes.push(Cause::unsupported("roleRef.apiGroup", &given, &[GROUP]));
    }
    if !kinds.contains(&text("kind")) {
        causes.push(Cause::unsupported("roleRef.kind", &text("kind").into(), kinds));
    }
    if text("name").is_empty() {
        causes.push(Cause::required("roleRef.name"));
    }
    for (index, one) in field::list(binding, "/subjects").iter().enumerate() {
        causes.extend(subject(one, namespaced, &format!("subjects[{index}]")));
    }
    causes
}

fn subject(subject: &Value, namespaced: bool, path: &str) -> Vec<Cause> {
    let text = |key: &str| field::text(subject, &format!("/{key}"));
    let mut causes = Vec::new();
    if text("name").is_empty() {
        causes.push(Cause::required(&format!("{path}.name")));
    }
    let group = match text("kind") {
        "ServiceAccount" => "",
        "User" | "Group" => GROUP,
        other => {
            let known = ["ServiceAccount", "User", "Group"];
            causes.push(Cause::unsupported(&format!("{path}.kind"), &other.into(), &known));
            return causes;
        }
    };
    if text("apiGroup") != group {
        let given = text("apiGroup").into();
        causes.push(Cause::unsupported(&format!("{path}.apiGroup"), &given, &[group]));
    }
    if group.is_empty() && !namespaced && text("namespace").is_empty() {
        causes.push(Cause::required(&format!("{path}.namespace")));
    }
    causes
}
