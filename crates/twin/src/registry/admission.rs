//! Admission: what the API adds to a new pod beyond plain defaults.

use serde_json::{Value, json};

use crate::field;

const MOUNT: &str = "/var/run/secrets/kubernetes.io/serviceaccount";
/// Pods that a kubelet runs from files have no account.
const FROM_FILE: &str = "kubernetes.io/config.source";

/// Mounts the token of the pod's service account, as every pod has it unless it says no.
pub(super) fn mount_account(pod: &mut Value, volume: &str) {
    let annotations = field::map(pod, "/metadata/annotations");
    let from_file = annotations.is_some_and(|a| a.contains_key(FROM_FILE));
    if from_file || pod.pointer("/spec/automountServiceAccountToken") == Some(&Value::Bool(false)) {
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
