//! What may not change once an object is there.

use serde_json::Value;

use super::{at, internal};
use crate::field;
use crate::registry::Cause;

const IMMUTABLE: &str = "field is immutable";

/// Fields that keep their value, by pointer and path.
fn kept(old: &Value, new: &Value, fields: &[(&str, &str)]) -> Vec<Cause> {
    let changed = fields.iter().filter(|(pointer, _)| at(old, pointer) != at(new, pointer));
    changed.map(|(pointer, path)| Cause::invalid(path, at(new, pointer), IMMUTABLE)).collect()
}

/// The same for a structure, quoted in the server's own words.
fn kept_as(old: &Value, new: &Value, (pointer, path, of): (&str, &str, &str)) -> Option<Cause> {
    let (before, after) = (at(old, pointer), at(new, pointer));
    let message = || format!("Invalid value: {}: {IMMUTABLE}", internal(of, after));
    (before != after).then(|| Cause::plain("FieldValueInvalid", path, message()))
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
    let mut causes = Vec::new();
    let indexed = field::text(new, "/spec/completionMode") == "Indexed";
    let completions = at(new, "/spec/completions");
    if !indexed {
        causes.extend(kept(old, new, &[("/spec/completions", "spec.completions")]));
    } else if completions != at(old, "/spec/completions")
        && completions != at(new, "/spec/parallelism")
        && !completions.is_null()
    {
        let why = "can only be modified in tandem with spec.parallelism";
        causes.push(Cause::invalid("spec.completions", completions, why));
    }
    causes.extend(kept(old, new, &[("/spec/selector", "spec.selector")]));
    causes.extend(template_update(old, new));
    causes.extend(kept(old, new, &[("/spec/completionMode", "spec.completionMode")]));
    for (key, of) in [
        ("podFailurePolicy", "*@batch.PodFailurePolicy"),
        ("backoffLimitPerIndex", "*i"),
        ("managedBy", "*s"),
        ("successPolicy", "*@batch.SuccessPolicy"),
    ] {
        causes.extend(kept_as(old, new, (&format!("/spec/{key}"), &format!("spec.{key}"), of)));
    }
    causes
}

/// The template of a job that runs stays; where its pods may be put does not while it waits.
fn template_update(old: &Value, new: &Value) -> Option<Cause> {
    const FREE: [&str; 3] = ["nodeSelector", "tolerations", "schedulingGates"];
    const OF: &str = "@core.PodTemplateSpec";
    let suspended = field::flag(old, "/spec/suspend");
    let mut before = at(old, "/spec/template").clone();
    let after = at(new, "/spec/template");
    if suspended {
        for key in FREE {
            before["spec"][key] = after["spec"][key].clone();
        }
        for key in ["annotations", "labels"] {
            before["metadata"][key] = after["metadata"][key].clone();
        }
        // Nothing is made where there is nothing on either side.
        if before["spec"]["affinity"].is_object() || after["spec"]["affinity"].is_object() {
            before["spec"]["affinity"]["nodeAffinity"] =
                at(after, "/spec/affinity/nodeAffinity").clone();
        }
        let resources = |template: &Value| -> Vec<Value> {
            let all = field::list(template, "/spec/containers").iter();
            all.map(|container| container["resources"].clone()).collect()
        };
        for (index, resources) in resources(after).into_iter().enumerate() {
            if let Some(container) = before.pointer_mut(&format!("/spec/containers/{index}")) {
                container["resources"] = resources;
            }
        }
    }
    let (told_before, told) = (internal(OF, &before), internal(OF, after));
    let message = || format!("Invalid value: {told}: {IMMUTABLE}");
    (told_before != told).then(|| Cause::plain("FieldValueInvalid", "spec.template", message()))
}

/// A cluster address stays while the Service has one.
fn service_update(old: &Value, new: &Value) -> Vec<Cause> {
    let external = |object: &Value| field::text(object, "/spec/type") == "ExternalName";
    let headless = |object: &Value| field::text(object, "/spec/clusterIP") == "None";
    let mut causes = Vec::new();
    let apart = external(old) || external(new) || headless(old) && headless(new);
    if !apart {
        let path = |index: usize| format!("spec.clusterIPs[{index}]");
        let told = at(new, "/spec/clusterIPs");
        let before = field::list(old, "/spec/clusterIPs");
        let after = field::list(new, "/spec/clusterIPs");
        const ONCE: &str = "may not change once set";
        if before.len() == after.len() {
            for (index, _) in before.iter().zip(after).enumerate().filter(|(_, (b, a))| b != a) {
                causes.push(Cause::invalid(&path(index), told, ONCE));
            }
        } else if after.is_empty() {
            let why = "primary clusterIP can not be unset";
            causes.push(Cause::invalid(&path(0), told, why));
        } else if !before.is_empty() && before.first() != after.first() {
            causes.push(Cause::invalid(&path(0), told, ONCE));
        }
        let families = |object: &Value| field::list(object, "/spec/ipFamilies").to_vec();
        if let (Some(before), Some(after)) = (families(old).first(), families(new).first())
            && before != after
        {
            causes.push(Cause::invalid("spec.ipFamilies[0]", at(new, "/spec/ipFamilies"), ONCE));
        }
    }
    let balances = |object: &Value| field::text(object, "/spec/type") == "LoadBalancer";
    let class = "/spec/loadBalancerClass";
    if balances(old) && balances(new) && at(old, class) != at(new, class) {
        let why = "may not change once set";
        causes.push(Cause::invalid("spec.loadBalancerClass", at(new, class), why));
    }
    causes
}

/// What a node was once given stays.
fn node_update(old: &Value, new: &Value) -> Vec<Cause> {
    let mut causes = Vec::new();
    let before = field::list(old, "/spec/podCIDRs");
    let after = field::list(new, "/spec/podCIDRs");
    let why = "node updates may not change podCIDR except from \"\" to valid";
    if !before.is_empty() {
        let changed = if before.len() == after.len() {
            before.iter().zip(after).filter(|(before, after)| before != after).count()
        } else {
            1
        };
        causes.extend((0..changed).map(|_| Cause::forbidden("spec.podCIDRs", why)));
    }
    let id = "/spec/providerID";
    if !field::text(old, id).is_empty() && at(old, id) != at(new, id) {
        let why = "node updates may not change providerID except from \"\" to valid";
        causes.push(Cause::forbidden("spec.providerID", why));
    }
    causes
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
    let mut causes = Vec::new();
    if field::number(old, "/value") != field::number(new, "/value") {
        causes.push(Cause::forbidden("value", "may not be changed in an update."));
    }
    causes.extend(kept(old, new, &[("/preemptionPolicy", "preemptionPolicy")]));
    causes
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

fn revision_update(old: &Value, new: &Value) -> Vec<Cause> {
    kept(old, new, &[("/data", "data")])
}

fn runtime_class_update(old: &Value, new: &Value) -> Vec<Cause> {
    kept(old, new, &[("/handler", "handler")])
}

/// The rules of each kind that has some, by storage name.
pub(crate) fn update_rules(storage: &str) -> Option<fn(&Value, &Value) -> Vec<Cause>> {
    Some(match storage {
        "pods" => super::frozen::pod_update,
        "services" => service_update,
        "nodes" => node_update,
        "persistentvolumeclaims" => super::frozen::claim_update,
        "persistentvolumes" => super::frozen::volume_update,
        "customresourcedefinitions.apiextensions.k8s.io" => crate::custom::update_causes,
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
