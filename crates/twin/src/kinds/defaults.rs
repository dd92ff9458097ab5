//! Values that the API fills in where a manifest is silent.

use serde_json::{Map, Value, json};

use crate::field::{self, child, default};

/// Nothing to fill in.
pub(super) fn none(_: &mut Value) {}

pub(super) fn namespace(object: &mut Value) {
    let name = field::name(object).to_owned();
    let metadata = child(object, "metadata");
    let labels = metadata.entry("labels").or_insert_with(|| json!({}));
    labels["kubernetes.io/metadata.name"] = name.into();
    default(child(object, "spec"), "finalizers", json!(["kubernetes"]));
    default(child(object, "status"), "phase", "Active");
}

pub(super) fn secret(object: &mut Value) {
    default(child(object, "metadata"), "name", "");
    if let Some(map) = object.as_object_mut() {
        default(map, "type", "Opaque");
    }
}

pub(super) fn autoscaler(object: &mut Value) {
    let spec = child(object, "spec");
    default(spec, "minReplicas", 1);
    let cpu = json!([{"type": "Resource", "resource": {
        "name": "cpu", "target": {"type": "Utilization", "averageUtilization": 80},
    }}]);
    default(spec, "metrics", cpu);
    default(child(object, "status"), "desiredReplicas", 0);
}

pub(super) fn claim(object: &mut Value) {
    default(child(object, "spec"), "volumeMode", "Filesystem");
    default(child(object, "status"), "phase", "Pending");
}

pub(super) fn volume(object: &mut Value) {
    let spec = child(object, "spec");
    default(spec, "volumeMode", "Filesystem");
    default(spec, "persistentVolumeReclaimPolicy", "Retain");
    default(child(object, "status"), "phase", "Available");
}

pub(super) fn priority_class(object: &mut Value) {
    if let Some(map) = object.as_object_mut() {
        default(map, "preemptionPolicy", "PreemptLowerPriority");
    }
}

pub(super) fn service(object: &mut Value) {
    let spec = child(object, "spec");
    default(spec, "type", "ClusterIP");
    default(spec, "sessionAffinity", "None");
    default(spec, "ipFamilies", json!(["IPv4"]));
    default(spec, "ipFamilyPolicy", "SingleStack");
    default(spec, "internalTrafficPolicy", "Cluster");
    for port in spec.get_mut("ports").and_then(Value::as_array_mut).into_iter().flatten() {
        let number = port["port"].clone();
        if let Some(port) = port.as_object_mut() {
            default(port, "protocol", "TCP");
            default(port, "targetPort", number);
        }
    }
    default(child(object, "status"), "loadBalancer", json!({}));
}

pub(super) fn deployment(object: &mut Value) {
    let spec = child(object, "spec");
    default(spec, "replicas", 1);
    default(spec, "revisionHistoryLimit", 10);
    default(spec, "progressDeadlineSeconds", 600);
    default(spec, "strategy", json!({"type": "RollingUpdate"}));
    let strategy = &mut spec["strategy"];
    if field::text(strategy, "/type") != "Recreate" {
        let rolling = child(strategy, "rollingUpdate");
        default(rolling, "maxUnavailable", "25%");
        default(rolling, "maxSurge", "25%");
    }
    template(spec);
    status(object);
}

pub(super) fn replica_set(object: &mut Value) {
    let spec = child(object, "spec");
    default(spec, "replicas", 1);
    template(spec);
    default(child(object, "status"), "replicas", 0);
}

pub(super) fn stateful_set(object: &mut Value) {
    let spec = child(object, "spec");
    default(spec, "replicas", 1);
    default(spec, "revisionHistoryLimit", 10);
    default(spec, "podManagementPolicy", "OrderedReady");
    let rolling = json!({"type": "RollingUpdate", "rollingUpdate": {"partition": 0}});
    default(spec, "updateStrategy", rolling);
    template(spec);
    default(child(object, "status"), "replicas", 0);
}

pub(super) fn daemon_set(object: &mut Value) {
    let spec = child(object, "spec");
    default(spec, "revisionHistoryLimit", 10);
    let rolling = json!({
        "type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 1, "maxSurge": 0},
    });
    default(spec, "updateStrategy", rolling);
    template(spec);
    let status = child(object, "status");
    let counts =
        ["currentNumberScheduled", "numberMisscheduled", "desiredNumberScheduled", "numberReady"];
    for count in counts {
        default(status, count, 0);
    }
}

pub(super) fn pod(object: &mut Value) {
    let spec = child(object, "spec");
    pod_spec(spec);
    default(spec, "serviceAccountName", "default");
    let account = spec["serviceAccountName"].clone();
    default(spec, "serviceAccount", account);
    default(spec, "enableServiceLinks", true);
    default(spec, "priority", 0);
    default(spec, "preemptionPolicy", "PreemptLowerPriority");
    tolerate_lost_nodes(spec);
    let class = quality_class(spec);
    let gated =
        spec.get("schedulingGates").and_then(Value::as_array).is_some_and(|g| !g.is_empty());
    let status = child(object, "status");
    default(status, "phase", "Pending");
    if gated {
        let waits = json!([{
            "type": "PodScheduled", "status": "False", "reason": "SchedulingGated",
            "message": "Scheduling is blocked due to non-empty scheduling gates",
        }]);
        default(status, "conditions", waits);
    }
    default(status, "qosClass", class);
}

/// The admission plugin that gives a pod five minutes on a node that is not ready.
fn tolerate_lost_nodes(spec: &mut Map<String, Value>) {
    default(spec, "tolerations", json!([]));
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

/// Guaranteed, Burstable or BestEffort, by the containers' requests and limits.
fn quality_class(spec: &Map<String, Value>) -> &'static str {
    let containers = spec.get("containers").and_then(Value::as_array);
    let mut asks = false;
    let mut all_equal = true;
    for container in containers.into_iter().flatten() {
        for resource in ["cpu", "memory"] {
            let request = field::text(container, &format!("/resources/requests/{resource}"));
            let limit = field::text(container, &format!("/resources/limits/{resource}"));
            asks |= !request.is_empty() || !limit.is_empty();
            all_equal &= !limit.is_empty() && request == limit;
        }
    }
    match (asks, all_equal) {
        (false, _) => "BestEffort",
        (true, true) => "Guaranteed",
        (true, false) => "Burstable",
    }
}

fn template(spec: &mut Map<String, Value>) {
    let template = spec.entry("template").or_insert_with(|| json!({}));
    pod_spec(child(template, "spec"));
}

fn status(object: &mut Value) {
    child(object, "status");
}

fn pod_spec(spec: &mut Map<String, Value>) {
    default(spec, "restartPolicy", "Always");
    default(spec, "terminationGracePeriodSeconds", 30);
    default(spec, "dnsPolicy", "ClusterFirst");
    default(spec, "securityContext", json!({}));
    default(spec, "schedulerName", "default-scheduler");
    for list in ["containers", "initContainers"] {
        for item in spec.get_mut(list).and_then(Value::as_array_mut).into_iter().flatten() {
            container(item);
        }
    }
}

fn container(item: &mut Value) {
    let latest = {
        let image = field::text(item, "/image");
        let tail = image.rsplit('/').next().unwrap_or_default();
        !tail.contains(':') || tail.ends_with(":latest")
    };
    let Some(container) = item.as_object_mut() else { return };
    default(container, "resources", json!({}));
    default(container, "terminationMessagePath", "/dev/termination-log");
    default(container, "terminationMessagePolicy", "File");
    default(container, "imagePullPolicy", if latest { "Always" } else { "IfNotPresent" });
    // A limit without a request asks for the limit.
    let limits = container["resources"].get("limits").cloned();
    for (resource, limit) in limits.as_ref().and_then(Value::as_object).into_iter().flatten() {
        default(child(&mut container["resources"], "requests"), resource, limit.clone());
    }
    for port in container.get_mut("ports").and_then(Value::as_array_mut).into_iter().flatten() {
        if let Some(port) = port.as_object_mut() {
            default(port, "protocol", "TCP");
        }
    }
    for key in ["livenessProbe", "readinessProbe", "startupProbe"] {
        if let Some(probe) = container.get_mut(key).and_then(Value::as_object_mut) {
            for (field, value) in PROBE {
                default(probe, field, value);
            }
        }
    }
}

const PROBE: [(&str, i64); 4] = [
    ("timeoutSeconds", 1),
    ("periodSeconds", 10),
    ("successThreshold", 1),
    ("failureThreshold", 3),
];
