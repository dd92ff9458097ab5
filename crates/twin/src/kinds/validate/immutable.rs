//! What may not change once an object is there.

use serde_json::Value;

use super::at;
use crate::field;
use crate::registry::Cause;

const IMMUTABLE: &str = "field is immutable";

/// Fields that keep their value, by pointer and path.
fn kept(old: &Value, new: &Value, fields: &[(&str, &str)]) -> Vec<Cause> {
    let changed = fields.iter().filter(|(pointer, _)| at(old, pointer) != at(new, pointer));
    changed.map(|(pointer, path)| Cause::invalid(path, at(new, pointer), IMMUTABLE)).collect()
}

fn selector_update(old: &Value, new: &Value) -> Vec<Cause> {
    kept(old, new, &[("/spec/selector", "spec.selector")])
}

fn stateful_set_update(old: &Value, new: &Value) -> Vec<Cause> {
    /// What may change.
    const FREE: [&str; 7] = [
        "replicas",
        "ordinals",
        "template",
        "updateStrategy",
        "revisionHistoryLimit",
        "persistentVolumeClaimRetentionPolicy",
        "minReadySeconds",
    ];
    let rest = |object: &Value| -> Vec<(String, Value)> {
        let fields = field::map(object, "/spec").into_iter().flatten();
        fields
            .filter(|(key, _)| !FREE.contains(&key.as_str()))
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect()
    };
    if rest(old) == rest(new) {
        return Vec::new();
    }
    let why = "updates to statefulset spec for fields other than 'replicas', 'ordinals', \
         'template', 'updateStrategy', 'revisionHistoryLimit', \
         'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden";
    vec![Cause::forbidden("spec", why)]
}

fn job_update(old: &Value, new: &Value) -> Vec<Cause> {
    let indexed = field::text(new, "/spec/completionMode") == "Indexed";
    let mut fields = vec![
        ("/spec/selector", "spec.selector"),
        ("/spec/completionMode", "spec.completionMode"),
        ("/spec/podFailurePolicy", "spec.podFailurePolicy"),
        ("/spec/backoffLimitPerIndex", "spec.backoffLimitPerIndex"),
        ("/spec/managedBy", "spec.managedBy"),
    ];
    if !indexed {
        fields.insert(0, ("/spec/completions", "spec.completions"));
    }
    let suspended = |object: &Value| field::flag(object, "/spec/suspend");
    if !(suspended(old) && suspended(new)) {
        fields.push(("/spec/template", "spec.template"));
    }
    kept(old, new, &fields)
}

/// A cluster address stays while the Service has one.
fn service_update(old: &Value, new: &Value) -> Vec<Cause> {
    let external = |object: &Value| field::text(object, "/spec/type") == "ExternalName";
    let before = field::text(old, "/spec/clusterIP");
    let after = at(new, "/spec/clusterIP");
    if before.is_empty() || external(old) || external(new) || *after == before {
        return Vec::new();
    }
    let told = Value::from(vec![after.clone()]);
    vec![Cause::invalid("spec.clusterIPs[0]", &told, "may not change once set")]
}

fn storage_class_update(old: &Value, new: &Value) -> Vec<Cause> {
    let mut causes = Vec::new();
    if at(old, "/parameters") != at(new, "/parameters") {
        causes.push(Cause::forbidden("parameters", "updates to parameters are forbidden."));
    }
    let fields = [
        ("/provisioner", "provisioner"),
        ("/reclaimPolicy", "reclaimPolicy"),
        ("/volumeBindingMode", "volumeBindingMode"),
    ];
    causes.extend(kept(old, new, &fields));
    causes
}

fn priority_class_update(old: &Value, new: &Value) -> Vec<Cause> {
    if field::number(old, "/value") == field::number(new, "/value") {
        return Vec::new();
    }
    vec![Cause::forbidden("value", "may not be changed in an update.")]
}

fn role_binding_update(old: &Value, new: &Value) -> Vec<Cause> {
    let role = at(new, "/roleRef");
    if at(old, "/roleRef") == role {
        return Vec::new();
    }
    let part = |key: &str| at(role, &format!("/{key}")).clone();
    let (group, kind, name) = (part("apiGroup"), part("kind"), part("name"));
    let told = format!("{{\"APIGroup\":{group},\"Kind\":{kind},\"Name\":{name}}}");
    let message = format!("Invalid value: {told}: cannot change roleRef");
    vec![Cause::plain("FieldValueInvalid", "roleRef", message)]
}

fn node_update(old: &Value, new: &Value) -> Vec<Cause> {
    let mut causes = Vec::new();
    for (pointer, path, word) in [
        ("/spec/podCIDRs", "spec.podCIDRs", "podCIDR"),
        ("/spec/providerID", "spec.providerID", "providerID"),
    ] {
        let before = at(old, pointer);
        if !before.is_null() && before != "" && before != at(new, pointer) {
            let why = format!("node updates may not change {word} except from \"\" to valid");
            causes.push(Cause::forbidden(path, &why));
        }
    }
    causes
}

fn revision_update(old: &Value, new: &Value) -> Vec<Cause> {
    kept(old, new, &[("/data", "data")])
}

fn runtime_class_update(old: &Value, new: &Value) -> Vec<Cause> {
    kept(old, new, &[("/handler", "handler")])
}

/// Of a pod's specification only images, deadlines, tolerations and gates change, and the
/// node that it is given to.
fn pod_update(old: &Value, new: &Value) -> Vec<Cause> {
    const ONLY: &str = "pod updates may not change fields other than \
         `spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,\
         `spec.tolerations` (only additions to existing tolerations),\
         `spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously \
         negative)";
    let count = |object: &Value| field::list(object, "/spec/containers").len();
    if count(old) != count(new) {
        let why = "pod updates may not add or remove containers";
        return vec![Cause::forbidden("spec.containers", why)];
    }
    let gates = field::list(old, "/spec/schedulingGates");
    for (index, gate) in field::list(new, "/spec/schedulingGates").iter().enumerate() {
        if !gates.contains(gate) {
            let name = field::text(gate, "/name");
            let why = format!("only deletion is allowed, but found new scheduling gate '{name}'");
            let path = format!("spec.schedulingGates[{index}].name");
            return vec![Cause::forbidden(&path, &why)];
        }
    }
    if rest(old, new) == rest(new, new) {
        return Vec::new();
    }
    vec![Cause::forbidden("spec", ONLY)]
}

/// A pod's specification without what may change; `free` tells which tolerations were added.
fn rest(pod: &Value, free: &Value) -> Value {
    let mut spec = at(pod, "/spec").clone();
    for list in ["containers", "initContainers"] {
        for container in spec[list].as_array_mut().into_iter().flatten() {
            container["image"] = Value::Null;
            if let Some(map) = container.as_object_mut() {
                map.remove("imagePullPolicy");
            }
        }
        if spec[list].is_null()
            && let Some(map) = spec.as_object_mut()
        {
            map.remove(list);
        }
    }
    let wanted = field::list(free, "/spec/tolerations");
    let all_there = field::list(pod, "/spec/tolerations").iter().all(|t| wanted.contains(t));
    if let Some(map) = spec.as_object_mut() {
        map.remove("activeDeadlineSeconds");
        map.remove("schedulingGates");
        map.remove("terminationGracePeriodSeconds");
        if all_there {
            map.remove("tolerations");
        }
    }
    spec
}

fn claim_update(old: &Value, new: &Value) -> Vec<Cause> {
    let bound = field::text(old, "/status/phase") == "Bound";
    let rest = |claim: &Value| {
        let mut spec = at(claim, "/spec").clone();
        if let Some(map) = spec.as_object_mut() {
            // A binding names the volume.
            map.remove("volumeName");
            if bound {
                map.remove("resources");
                map.remove("volumeAttributesClassName");
            }
        }
        spec
    };
    if rest(old) == rest(new) {
        return Vec::new();
    }
    let why = "spec is immutable after creation except resources.requests and \
         volumeAttributesClassName for bound claims";
    vec![Cause::forbidden("spec", why)]
}

/// The rules of each kind that has some, by storage name.
pub(crate) fn update_rules(storage: &str) -> Option<fn(&Value, &Value) -> Vec<Cause>> {
    Some(match storage {
        "pods" => pod_update,
        "services" => service_update,
        "nodes" => node_update,
        "persistentvolumeclaims" => claim_update,
        "configmaps" => super::config::config_map_update,
        "secrets" => super::config::secret_update,
        "deployments.apps" | "replicasets.apps" | "daemonsets.apps" => selector_update,
        "statefulsets.apps" => stateful_set_update,
        "controllerrevisions.apps" => revision_update,
        "jobs.batch" => job_update,
        "storageclasses.storage.k8s.io" => storage_class_update,
        "priorityclasses.scheduling.k8s.io" => priority_class_update,
        "rolebindings.rbac.authorization.k8s.io"
        | "clusterrolebindings.rbac.authorization.k8s.io" => role_binding_update,
        "runtimeclasses.node.k8s.io" => runtime_class_update,
        _ => return None,
    })
}
