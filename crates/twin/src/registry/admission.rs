//! Admission: what the API adds to a new pod beyond plain defaults, and what must exist for it.

use serde_json::{Map, Value, json};

use super::Failure;
use crate::field;
use crate::kinds::{INGRESS_CLASS, Kind, POD, PRIORITY_CLASS, SERVICE_ACCOUNT, STORAGE_CLASS};
use crate::store::{Object, Store};

const MOUNT: &str = "/var/run/secrets/kubernetes.io/serviceaccount";
/// Pods that a kubelet runs from files have no account.
const FROM_FILE: &str = "kubernetes.io/config.source";

/// The service account and the priority class that a pod names must exist. The class gives it
/// its priority.
pub(super) fn check_references(
    store: &Store,
    namespace: &str,
    told: &str,
    pod: &mut Value,
) -> Result<(), Failure> {
    if is_from_file(pod) {
        return Ok(());
    }
    let account = field::text(pod, "/spec/serviceAccountName");
    if store.get(SERVICE_ACCOUNT.storage, namespace, account).is_none() {
        let why = format!(
            "error looking up service account {namespace}/{account}: serviceaccount \"{account}\" \
             not found"
        );
        return Err(Failure::forbidden(&POD, told, &why));
    }
    let named = field::text(pod, "/spec/priorityClassName").to_owned();
    let classes = store.table(PRIORITY_CLASS.storage).values();
    let class = classes.clone().find(|class| match named.as_str() {
        "" => field::flag(class, "/globalDefault"),
        name => field::name(class) == name,
    });
    match class {
        Some(class) => {
            let spec = field::child(pod, "spec");
            spec.insert("priorityClassName".into(), field::name(class).into());
            spec.insert("priority".into(), field::number(class, "/value").into());
            spec.insert("preemptionPolicy".into(), class["preemptionPolicy"].clone());
        }
        None if !named.is_empty() => {
            let why = format!("no PriorityClass with name {named} was found");
            return Err(Failure::forbidden(&POD, told, &why));
        }
        None => {}
    }
    Ok(())
}

/// What the plugins for accounts, priorities and lost nodes put into every pod.
pub(super) fn complete_pod(pod: &mut Value) {
    let spec = field::child(pod, "spec");
    field::default(spec, "serviceAccountName", "default");
    let account = spec["serviceAccountName"].clone();
    field::default(spec, "serviceAccount", account);
    field::default(spec, "priority", 0);
    field::default(spec, "preemptionPolicy", "PreemptLowerPriority");
    tolerate_lost_nodes(spec);
}

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
fn tolerate_lost_nodes(spec: &mut Map<String, Value>) {
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
    let mut classes = store.table(INGRESS_CLASS.storage).values();
    let class = classes.find(|class| annotation(class, DEFAULT).as_deref() == Some("true"));
    if let Some(class) = class.filter(|_| annotation(ingress, OLD).is_none()) {
        field::default(field::child(ingress, "spec"), "ingressClassName", field::name(class));
    }
}

/// A claim that names no class, not even none, gets the cluster's default one.
pub(super) fn name_default_class(store: &Store, claim: &mut Value) {
    const DEFAULT: &str = "storageclass.kubernetes.io/is-default-class";
    let is_default = |class: &&Object| {
        let annotations = field::map(class, "/metadata/annotations");
        annotations.and_then(|a| a.get(DEFAULT)).and_then(Value::as_str) == Some("true")
    };
    let class = store.table(STORAGE_CLASS.storage).values().find(is_default);
    if let Some(class) = class {
        field::default(field::child(claim, "spec"), "storageClassName", field::name(class));
    }
}

fn is_from_file(pod: &Value) -> bool {
    field::map(pod, "/metadata/annotations").is_some_and(|a| a.contains_key(FROM_FILE))
}

/// Mounts the token of the pod's service account, as every pod has it unless it says no.
pub(super) fn mount_account(pod: &mut Value, volume: &str) {
    if is_from_file(pod)
        || pod.pointer("/spec/automountServiceAccountToken") == Some(&Value::Bool(false))
    {
        return;
    }
    let mut mounted = false;
    for list in ["containers", "initContainers"] {
        let all = pod.pointer_mut(&format!("/spec/{list}")).and_then(Value::as_array_mut);
        for container in all.into_iter().flatten().filter_map(Value::as_object_mut) {
            let mounts = container.entry("volumeMounts").or_insert(json!([]));
            let Some(mounts) = mounts.as_array_mut() else { continue };
            if !mounts.iter().any(|m| field::text(m, "/mountPath") == MOUNT) {
                mounts.push(json!({"name": volume, "readOnly": true, "mountPath": MOUNT}));
                mounted = true;
            }
        }
    }
    let volumes = field::child(pod, "spec").entry("volumes").or_insert(json!([]));
    if let Some(volumes) = volumes.as_array_mut().filter(|_| mounted) {
        volumes.push(projected(volume));
    }
}

fn projected(name: &str) -> Value {
    let namespace = json!({"apiVersion": "v1", "fieldPath": "metadata.namespace"});
    json!({"name": name, "projected": {"defaultMode": 420, "sources": [
        {"serviceAccountToken": {"expirationSeconds": 3607, "path": "token"}},
        {"configMap": {
            "name": "kube-root-ca.crt", "items": [{"key": "ca.crt", "path": "ca.crt"}],
        }},
        {"downwardAPI": {"items": [{"path": "namespace", "fieldRef": namespace}]}},
    ]}})
}
