//! Admission: what the API adds to new objects beyond plain defaults.

use serde_json::{Value, json};

use crate::field;
use crate::kinds::{INGRESS_CLASS, Kind, STORAGE_CLASS};
use crate::store::{Object, Store};

/// A node that registers is not ready.
pub(super) fn taint_node(node: &mut Value) {
    let taints = field::child(node, "spec").entry("taints").or_insert_with(|| json!([]));
    if let Some(taints) = taints.as_array_mut() {
        taints.push(json!({"key": "node.kubernetes.io/not-ready", "effect": "NoSchedule"}));
    }
}

/// Claims and volumes are not deleted while they are in use.
pub(super) fn protect(kind: &Kind, object: &mut Value) {
    let finalizer = match kind.storage {
        "persistentvolumeclaims" => "kubernetes.io/pvc-protection",
        "persistentvolumes" => "kubernetes.io/pv-protection",
        _ => return,
    };
    let metadata = field::child(object, "metadata");
    let finalizers = metadata.entry("finalizers").or_insert_with(|| json!([]));
    if let Some(list) = finalizers.as_array_mut().filter(|l| !l.iter().any(|f| f == finalizer)) {
        list.push(finalizer.into());
    }
}

/// Five minutes on a node that is not ready.
pub(super) fn tolerate_lost_nodes(pod: &mut Value) {
    let spec = field::child(pod, "spec");
    field::default(spec, "tolerations", json!([]));
    let Some(tolerations) = spec.get_mut("tolerations").and_then(Value::as_array_mut) else {
        return;
    };
    for key in ["node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"] {
        let covered = tolerations.iter().any(|t| {
            let (of, effect) = (field::text(t, "/key"), field::text(t, "/effect"));
            (of == key || of.is_empty()) && matches!(effect, "" | "NoExecute")
        });
        if !covered {
            tolerations.push(json!({
                "key": key, "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300,
            }));
        }
    }
}

/// The status of a pod that nobody has seen yet.
pub(super) fn begin_pod(pod: &mut Value) {
    let class = quality_class(pod);
    let gated = !field::list(pod, "/spec/schedulingGates").is_empty();
    let status = field::child(pod, "status");
    field::default(status, "phase", "Pending");
    if gated {
        let waits = json!([{
            "type": "PodScheduled", "status": "False", "reason": "SchedulingGated",
            "lastProbeTime": null, "lastTransitionTime": null,
            "message": "Scheduling is blocked due to non-empty scheduling gates",
        }]);
        field::default(status, "conditions", waits);
    }
    field::default(status, "qosClass", class);
}

/// A pod carries the zone and the region of its node.
pub(super) fn copy_topology(store: &Store, pod: &mut Value, node: &str) {
    const COPIED: [&str; 2] = ["topology.kubernetes.io/region", "topology.kubernetes.io/zone"];
    let Some(node) = store.get("nodes", "", node) else { return };
    let labels = field::map(node, "/metadata/labels");
    for key in COPIED {
        if let Some(value) = labels.and_then(|labels| labels.get(key)) {
            let labels = &mut field::child(pod, "metadata").entry("labels").or_insert(json!({}));
            labels[key] = value.clone();
        }
    }
}

/// Guaranteed, Burstable or BestEffort, by requests and limits of the pod or its containers.
fn quality_class(pod: &Value) -> &'static str {
    let whole = pod.pointer("/spec/resources").map(|_| &pod["spec"]);
    let parts: Vec<&Value> = match whole {
        Some(spec) => vec![spec],
        None => ["initContainers", "containers"]
            .iter()
            .flat_map(|list| field::list(pod, &format!("/spec/{list}")))
            .collect(),
    };
    let mut asks = false;
    let mut all_equal = true;
    for part in parts {
        for resource in ["cpu", "memory"] {
            let amount =
                |side: &str| field::quantity(part, &format!("/resources/{side}/{resource}"));
            let (request, limit) = (amount("requests"), amount("limits"));
            asks |= request.is_positive() || limit.is_positive();
            all_equal &= limit.is_positive() && request == limit;
        }
    }
    match (asks, all_equal) {
        (false, _) => "BestEffort",
        (true, true) => "Guaranteed",
        (true, false) => "Burstable",
    }
}

/// An ingress that names no class gets the cluster's default one.
pub(super) fn name_ingress_class(store: &Store, ingress: &mut Value) {
    const DEFAULT: &str = "ingressclass.kubernetes.io/is-default-class";
    const OLD: &str = "kubernetes.io/ingress.class";
    let annotation = |object: &Value, key: &str| -> Option<String> {
        let all = field::map(object, "/metadata/annotations")?;
        all.get(key)?.as_str().map(str::to_owned)
    };
    let classes = store.table(INGRESS_CLASS.storage).values();
    let class = youngest(classes.filter(|c| annotation(c, DEFAULT).as_deref() == Some("true")));
    if let Some(class) = class.filter(|_| annotation(ingress, OLD).is_none()) {
        field::default(field::child(ingress, "spec"), "ingressClassName", field::name(class));
    }
}

/// Of several defaults, the one that was made last counts; of those the first by name.
fn youngest<'s>(classes: impl Iterator<Item = &'s Object>) -> Option<&'s Object> {
    let made = |class: &Object| field::time(class, "/metadata/creationTimestamp");
    classes.reduce(|best, class| if made(class) > made(best) { class } else { best })
}

/// A claim that names no class, not even none, gets the cluster's default one.
pub(super) fn name_default_class(store: &Store, claim: &mut Value) {
    const DEFAULT: &str = "storageclass.kubernetes.io/is-default-class";
    let is_default = |class: &&Object| {
        let annotations = field::map(class, "/metadata/annotations");
        annotations.and_then(|a| a.get(DEFAULT)).and_then(Value::as_str) == Some("true")
    };
    let class = youngest(store.table(STORAGE_CLASS.storage).values().filter(is_default));
    if let Some(class) = class {
        field::default(field::child(claim, "spec"), "storageClassName", field::name(class));
    }
}
