//! Pod Security: the levels that a namespace's labels ask for, and what of a pod breaks them.

mod baseline;
mod restricted;

use std::collections::BTreeMap;

use serde_json::Value;

use crate::field;
use crate::kinds::Kind;
use crate::registry::{Cause, Failure};
use crate::store::Store;

const PREFIX: &str = "pod-security.kubernetes.io/";
/// So many pods of a namespace are looked at when its level changes.
const MOST_PODS: usize = 3000;

/// A rule that a pod breaks: in short, and in which way.
pub(super) struct Breach {
    pub reason: &'static str,
    pub detail: String,
}

/// A rule over the specification of a pod.
type Check = fn(&Value) -> Option<Breach>;

/// How strict, and since which version of the rules.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Level {
    name: String,
    version: String,
}

impl Level {
    fn of(labels: &Value, mode: &str) -> Option<Self> {
        let text = |key: &str| labels.get(key).and_then(Value::as_str);
        let name = text(&format!("{PREFIX}{mode}"))?.to_owned();
        let version = text(&format!("{PREFIX}{mode}-version")).unwrap_or("latest").to_owned();
        Some(Self { name, version })
    }

    fn breaches(&self, spec: &Value) -> Vec<Breach> {
        let strict = match self.name.as_str() {
            "baseline" => false,
            "restricted" => true,
            _ => return Vec::new(),
        };
        let own = baseline::CHECKS.iter().filter(|(_, replaced)| !(strict && *replaced));
        let above = if strict { restricted::CHECKS } else { &[] };
        let checks = own.map(|(check, _)| check).chain(above);
        checks.filter_map(|check| check(spec)).collect()
    }

    /// `restricted:latest`.
    fn told(&self) -> String {
        format!("{}:{}", self.name, self.version)
    }
}

/// Refuses a pod that is below its namespace's level. What is worth a warning is told.
pub(super) fn check_pod(
    store: &Store,
    kind: &Kind,
    old: Option<&Value>,
    object: &Value,
    remarks: &mut Vec<String>,
) -> Result<(), Failure> {
    let Some((spec, is_pod)) = pod_spec(kind, object) else { return Ok(()) };
    let Some(namespace) = store.get("namespaces", "", field::namespace(object)) else {
        return Ok(());
    };
    let labels = &namespace["metadata"]["labels"];
    let enforced = Level::of(labels, "enforce");
    let warned = Level::of(labels, "warn").or_else(|| enforced.clone());
    if old.is_some_and(|old| is_pod && !is_significant(old, object)) {
        return Ok(());
    }
    if let Some(level) = enforced.filter(|_| is_pod) {
        let breaches = level.breaches(spec);
        if !breaches.is_empty() {
            let why = format!("violates PodSecurity {:?}: {}", level.told(), details(&breaches));
            return Err(Failure::forbidden(kind, field::name(object), &why));
        }
    }
    if let Some(level) = warned {
        let breaches = level.breaches(spec);
        if !breaches.is_empty() {
            let told = details(&breaches);
            remarks.push(format!("would violate PodSecurity {:?}: {told}", level.told()));
        }
    }
    Ok(())
}

/// The specification of the pod that an object is or makes, and whether it is one.
fn pod_spec<'o>(kind: &Kind, object: &'o Value) -> Option<(&'o Value, bool)> {
    let pointer = match kind.kind {
        "Pod" => return object.get("spec").map(|spec| (spec, true)),
        "PodTemplate" => "/template/spec",
        "CronJob" => "/spec/jobTemplate/spec/template/spec",
        "ReplicationController"
        | "ReplicaSet"
        | "Deployment"
        | "StatefulSet"
        | "DaemonSet"
        | "Job" => "/spec/template/spec",
        _ => return None,
    };
    object.pointer(pointer).map(|spec| (spec, false))
}

/// Whether an update of a pod changes anything that the rules look at.
fn is_significant(old: &Value, new: &Value) -> bool {
    let images = |pod: &Value| -> Vec<Vec<String>> {
        let of = |list: &str| {
            let all = field::list(pod, &format!("/spec/{list}")).iter();
            all.map(|c| field::text(c, "/image").to_owned()).collect()
        };
        ["containers", "initContainers", "ephemeralContainers"].map(of).to_vec()
    };
    images(old) != images(new)
}

fn details(breaches: &[Breach]) -> String {
    let told = breaches.iter().map(|breach| match breach.detail.as_str() {
        "" => breach.reason.to_owned(),
        detail => format!("{} ({detail})", breach.reason),
    });
    told.collect::<Vec<_>>().join(", ")
}

fn label_causes(namespace: &Value) -> Vec<Cause> {
    let labels = field::map(namespace, "/metadata/labels");
    let value = |key: &str| labels.and_then(|all| all.get(key)).and_then(Value::as_str);
    let mut causes = Vec::new();
    for mode in ["enforce", "audit", "warn"] {
        let key = format!("{PREFIX}{mode}");
        let known = ["privileged", "baseline", "restricted"];
        if let Some(bad) = value(&key).filter(|level| !known.contains(level)) {
            let why = format!("must be one of {}", known.join(", "));
            causes.push(Cause::invalid(&format!("metadata.labels[{key}]"), &bad.into(), &why));
        }
        let key = format!("{key}-version");
        if let Some(bad) = value(&key).filter(|version| !is_version(version)) {
            let why = "must be \"latest\" or \"v1.x\"";
            causes.push(Cause::invalid(&format!("metadata.labels[{key}]"), &bad.into(), why));
        }
    }
    causes
}

fn is_version(text: &str) -> bool {
    let minor = text.strip_prefix("v1.");
    text == "latest"
        || minor.is_some_and(|n| n == "0" || !n.starts_with('0') && n.parse::<u16>().is_ok())
}

/// The labels of a namespace must name levels that there are; what its pods would break of a
/// level that is newly asked for is told.
pub(super) fn check_namespace(
    store: &Store,
    kind: &Kind,
    (old, new): (Option<&Value>, &Value),
    remarks: &mut Vec<String>,
) -> Result<(), Failure> {
    let causes = label_causes(new);
    let told = |causes: &[Cause]| causes.iter().map(|c| c.message.clone()).collect::<Vec<_>>();
    let before = old.map(|old| told(&label_causes(old)));
    if !causes.is_empty() && before.is_none_or(|before| before != told(&causes)) {
        return Err(Failure::invalid(kind, field::name(new), &causes));
    }
    if let Some(old) = old {
        remark_on_pods(store, (old, new), remarks);
    }
    Ok(())
}

fn remark_on_pods(store: &Store, (old, new): (&Value, &Value), remarks: &mut Vec<String>) {
    let level = |namespace: &Value| Level::of(&namespace["metadata"]["labels"], "enforce");
    let Some(wanted) = level(new).filter(|wanted| level(old).as_ref() != Some(wanted)) else {
        return;
    };
    let name = field::name(new);
    let mut found: BTreeMap<String, (String, usize)> = BTreeMap::new();
    for pod in store.in_namespace("pods", name).take(MOST_PODS) {
        let breaches = wanted.breaches(&pod["spec"]);
        if breaches.is_empty() {
            continue;
        }
        let reasons: Vec<&str> = breaches.iter().map(|breach| breach.reason).collect();
        let first = || (field::name(pod).to_owned(), 0);
        found.entry(reasons.join(", ")).or_insert_with(first).1 += 1;
    }
    if found.is_empty() {
        return;
    }
    remarks.push(format!(
        "existing pods in namespace {name:?} violate the new PodSecurity enforce level {:?}",
        wanted.told()
    ));
    let mut told: Vec<String> = found
        .into_iter()
        .map(|(reasons, (pod, count))| match count {
            1 => format!("{pod}: {reasons}"),
            2 => format!("{pod} (and 1 other pod): {reasons}"),
            many => format!("{pod} (and {} other pods): {reasons}", many - 1),
        })
        .collect();
    told.sort();
    remarks.extend(told);
}

/// All containers of a pod in the order in which they are looked at.
pub(super) fn containers(spec: &Value) -> impl Iterator<Item = &Value> {
    let lists = ["/initContainers", "/containers", "/ephemeralContainers"];
    lists.into_iter().flat_map(|list| field::list(spec, list))
}

/// The names of the containers for which `is_bad` holds.
pub(super) fn bad(spec: &Value, is_bad: impl Fn(&Value) -> bool) -> Vec<String> {
    let found = containers(spec).filter(|container| is_bad(container));
    found.map(|container| field::text(container, "/name").to_owned()).collect()
}

/// `container "a"`, `containers "a", "b"`; nothing for none.
pub(super) fn told(names: &[String]) -> String {
    many("container", "containers", names)
}

pub(super) fn many(one: &str, several: &str, names: &[String]) -> String {
    format!("{} {}", if names.len() == 1 { one } else { several }, quoted(names))
}

pub(super) fn quoted<T: AsRef<str>>(names: impl IntoIterator<Item = T>) -> String {
    let all: Vec<String> = names.into_iter().map(|n| format!("\"{}\"", n.as_ref())).collect();
    all.join(", ")
}

/// Who sets something bad: the pod, containers, or both.
pub(super) fn setters(pod: bool, names: &[String]) -> Option<String> {
    match (pod, names) {
        (false, []) => None,
        (true, []) => Some("pod".into()),
        (false, names) => Some(told(names)),
        (true, names) => Some(format!("pod and {}", told(names))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[track_caller]
    fn check(level: &str, spec: Value, expected: &str) {
        let level = Level { name: level.into(), version: "latest".into() };
        assert_eq!(details(&level.breaches(&spec)), expected);
    }

    #[test]
    fn breaches_are_told_as_the_server_tells_them() {
        let plain = json!({"containers": [{"name": "c"}]});
        check("baseline", plain.clone(), "");
        check("privileged", json!({"hostNetwork": true}), "");
        check(
            "restricted",
            plain,
            "allowPrivilegeEscalation != false (container \"c\" must set \
             securityContext.allowPrivilegeEscalation=false), unrestricted capabilities \
             (container \"c\" must set securityContext.capabilities.drop=[\"ALL\"]), runAsNonRoot \
             != true (pod or container \"c\" must set securityContext.runAsNonRoot=true), \
             seccompProfile (pod or container \"c\" must set securityContext.seccompProfile.type \
             to \"RuntimeDefault\" or \"Localhost\")",
        );
        check(
            "baseline",
            json!({
                "hostPID": true, "volumes": [{"name": "v", "hostPath": {"path": "/"}}],
                "containers": [
                    {"name": "a", "securityContext": {"privileged": true}},
                    {"name": "b", "ports": [{"hostPort": 80}, {"hostPort": 443}]},
                ],
            }),
            "host namespaces (hostPID=true), hostPath volumes (volume \"v\"), hostPort \
             (container \"b\" uses hostPorts 443, 80), privileged (container \"a\" must not set \
             securityContext.privileged=true)",
        );
    }

    #[test]
    fn labels_must_name_levels() {
        let of = |labels: Value| label_causes(&json!({"metadata": {"labels": labels}})).len();
        assert_eq!(of(json!({"pod-security.kubernetes.io/enforce": "baseline"})), 0);
        assert_eq!(of(json!({"pod-security.kubernetes.io/warn": "strict"})), 1);
        assert_eq!(of(json!({"pod-security.kubernetes.io/warn-version": "v1.036"})), 1);
    }
}
