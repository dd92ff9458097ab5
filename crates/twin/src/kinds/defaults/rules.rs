//! Defaults that depend on other fields.

use serde_json::{Map, Value, json};

use crate::field::{self, child, default};

/// Fills in what the other fields of a value of this type call for.
pub(super) fn apply(name: &str, value: &mut Value) {
    match name {
        "v1.Namespace" => namespace(value),
        "v1.Pod" => pod(value),
        "v1.PodSpec" => account(value),
        "v1.Volume" => volume(value),
        "v1.Container" | "v1.EphemeralContainer" => pull_policy(value),
        "v1.ServiceSpec" => service(value),
        "v1.ServicePort" => target_port(value),
        "v1.DeploymentStrategy" => {
            rolling(value, &[("maxUnavailable", "25%"), ("maxSurge", "25%")])
        }
        "v1.DaemonSetUpdateStrategy" => daemon_update(value),
        "v1.StatefulSetSpec" => stateful(value),
        "v1.ReplicationController" => replication_controller(value),
        "v1.Job" => {
            copy_labels(value);
            if let Some(spec) = value.get_mut("spec") {
                job(spec);
            }
        }
        "v1.DaemonSet" => daemon_generation(value),
        "v1.NodeSpec" => {
            single_first(value, "podCIDR", "podCIDRs");
            both(value, "podCIDR", "podCIDRs", |cidr| cidr);
        }
        "v1.NodeStatus" => allocatable(value),
        "v1.PodStatus" => both(value, "podIP", "podIPs", |ip| json!({"ip": ip})),
        "v1.EndpointSlice" => {
            let ports = value.get_mut("ports").and_then(Value::as_array_mut);
            ports.into_iter().flatten().for_each(|port| set(port, "name", "".into()));
        }
        "v2.HorizontalPodAutoscalerSpec" => metrics(value),
        "v2.HorizontalPodAutoscalerBehavior" => behavior(value),
        "v1.NetworkPolicySpec" => policy_types(value),
        "v1.Subject" => subject(value),
        "v1.LimitRangeItem" => limits(value),
        "v1.ExactDeviceRequest" if field::text(value, "/allocationMode") == "ExactCount" => {
            set(value, "count", 1.into());
        }
        _ => {}
    }
}

fn set(value: &mut Value, key: &str, with: Value) {
    if let Some(map) = value.as_object_mut() {
        default(map, key, with);
    }
}

/// The account of a pod has an old name too.
fn account(spec: &mut Value) {
    for (from, to) in
        [("serviceAccountName", "serviceAccount"), ("serviceAccount", "serviceAccountName")]
    {
        let name = field::text(spec, &format!("/{from}")).to_owned();
        if !name.is_empty() {
            set(spec, to, name.into());
        }
    }
}

/// A field that has a list beside it: the list holds at least the field.
fn both(value: &mut Value, one: &str, many: &str, item: fn(Value) -> Value) {
    let first = value.get(one).filter(|v| !v.is_null()).cloned();
    if let Some(first) = first {
        set(value, many, vec![item(first)].into());
    }
}

/// The single form wins over the first of the list, as older clients write it.
fn single_first(map: &mut Value, single: &str, list: &str) {
    let Some(one) = map.get(single).filter(|one| one.is_string() && *one != "").cloned() else {
        return;
    };
    if map.get(list).and_then(|all| all.get(0)).is_some_and(|first| *first != one) {
        set(map, list, Value::Null);
        map[list] = json!([one]);
    }
}

/// What a node has, pods may use, unless the kubelet says less.
fn allocatable(status: &mut Value) {
    if let Some(capacity) = status.get("capacity").cloned() {
        set(status, "allocatable", capacity);
    }
}

fn daemon_generation(object: &mut Value) {
    let annotations = child(object, "metadata").entry("annotations").or_insert_with(|| json!({}));
    set(annotations, "deprecated.daemonset.template.generation", "1".into());
}

fn namespace(object: &mut Value) {
    let name = field::name(object).to_owned();
    if !name.is_empty() {
        let labels = child(object, "metadata").entry("labels").or_insert_with(|| json!({}));
        set(labels, "kubernetes.io/metadata.name", name.into());
    }
}

fn pod(pod: &mut Value) {
    let spec = child(pod, "spec");
    default(spec, "enableServiceLinks", true);
    let on_host = spec.get("hostNetwork") == Some(&Value::Bool(true));
    for list in ["containers", "initContainers"] {
        for item in spec.get_mut(list).and_then(Value::as_array_mut).into_iter().flatten() {
            requests_from_limits(item);
            let ports = item.get_mut("ports").and_then(Value::as_array_mut);
            for port in ports.into_iter().flatten().filter(|_| on_host) {
                let number = port["containerPort"].clone();
                set(port, "hostPort", number);
            }
        }
    }
    if let Some(resources) = spec.get("resources").cloned() {
        let mut whole = json!({"resources": resources});
        pod_requests(spec, &mut whole);
        spec.insert("resources".into(), whole["resources"].take());
    }
}

/// A limit without a request asks for the limit.
fn requests_from_limits(container: &mut Value) {
    let limits = container.pointer("/resources/limits").cloned();
    for (resource, limit) in limits.as_ref().and_then(Value::as_object).into_iter().flatten() {
        default(child(&mut container["resources"], "requests"), resource, limit.clone());
    }
}

/// A pod-level limit asks for what its containers ask for together, or else for the limit.
fn pod_requests(spec: &Map<String, Value>, whole: &mut Value) {
    let containers = spec.get("containers").and_then(Value::as_array);
    let limits = field::map(whole, "/resources/limits").cloned().unwrap_or_default();
    for (resource, limit) in limits {
        let asked = containers
            .into_iter()
            .flatten()
            .any(|c| c.pointer("/resources/requests").is_some_and(|r| r.get(&resource).is_some()));
        if !asked {
            default(child(&mut whole["resources"], "requests"), &resource, limit);
        }
    }
}

fn volume(volume: &mut Value) {
    if volume.as_object().is_some_and(|map| map.keys().all(|key| key == "name")) {
        set(volume, "emptyDir", json!({}));
    }
}

fn pull_policy(container: &mut Value) {
    let image = field::text(container, "/image");
    let (name, digest) = image.split_once('@').map_or((image, false), |(name, _)| (name, true));
    let tail = name.rsplit('/').next().unwrap_or_default();
    // What is no reference at all names no newest image.
    let path = tail.split_once(':').map_or(name, |_| name.rsplit_once(':').map_or(name, |n| n.0));
    let fine = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "._-/:".contains(c);
    let latest = match tail.split_once(':') {
        Some((_, tag)) => tag == "latest",
        None => !digest && path.chars().all(fine),
    };
    set(container, "imagePullPolicy", if latest { "Always" } else { "IfNotPresent" }.into());
}

fn service(spec: &mut Value) {
    let kind = field::text(spec, "/type").to_owned();
    if field::text(spec, "/sessionAffinity") == "ClientIP" {
        set(spec, "sessionAffinityConfig", json!({"clientIP": {"timeoutSeconds": 10800}}));
    }
    if matches!(kind.as_str(), "NodePort" | "LoadBalancer") {
        set(spec, "externalTrafficPolicy", "Cluster".into());
    }
    if matches!(kind.as_str(), "ClusterIP" | "NodePort" | "LoadBalancer") {
        set(spec, "internalTrafficPolicy", "Cluster".into());
    }
    if kind == "LoadBalancer" {
        set(spec, "allocateLoadBalancerNodePorts", true.into());
    }
}

fn target_port(port: &mut Value) {
    let number = port["port"].clone();
    let unsaid = matches!(port.get("targetPort"), None | Some(Value::Null))
        || port["targetPort"] == 0
        || port["targetPort"] == "";
    if unsaid && let Some(map) = port.as_object_mut() {
        map.insert("targetPort".into(), number);
    }
}

fn rolling(strategy: &mut Value, values: &[(&str, &str)]) {
    if field::text(strategy, "/type") == "RollingUpdate" {
        let rolling = child(strategy, "rollingUpdate");
        values.iter().for_each(|(key, value)| default(rolling, key, *value));
    }
}

fn daemon_update(strategy: &mut Value) {
    if field::text(strategy, "/type") == "RollingUpdate" {
        let rolling = child(strategy, "rollingUpdate");
        default(rolling, "maxUnavailable", 1);
        default(rolling, "maxSurge", 0);
    }
}

fn stateful(spec: &mut Value) {
    set(spec, "persistentVolumeClaimRetentionPolicy", json!({}));
    let strategy = child(spec, "updateStrategy");
    let unsaid = strategy.get("type").is_none_or(Value::is_null);
    if unsaid {
        strategy.insert("type".into(), "RollingUpdate".into());
        default(strategy, "rollingUpdate", json!({}));
    }
    if let Some(rolling) = strategy.get_mut("rollingUpdate").and_then(Value::as_object_mut) {
        default(rolling, "partition", 0);
    }
    let claims = spec.get_mut("volumeClaimTemplates").and_then(Value::as_array_mut);
    for claim in claims.into_iter().flatten() {
        set(claim, "apiVersion", "v1".into());
        set(claim, "kind", "PersistentVolumeClaim".into());
    }
}

fn replication_controller(object: &mut Value) {
    let labels = object.pointer("/spec/template/metadata/labels").cloned();
    if let Some(labels) = labels {
        default(child(object, "spec"), "selector", labels);
    }
    copy_labels(object);
}

/// An object without labels gets those of its template.
fn copy_labels(object: &mut Value) {
    let labels = object.pointer("/spec/template/metadata/labels").cloned();
    if let Some(labels) = labels {
        default(child(object, "metadata"), "labels", labels);
    }
}

fn job(spec: &mut Value) {
    let unsaid = |key: &str| spec.get(key).is_none_or(Value::is_null);
    if unsaid("completions") && unsaid("parallelism") {
        set(spec, "completions", 1.into());
    }
    set(spec, "parallelism", 1.into());
    let per_index = spec.get("backoffLimitPerIndex").is_some_and(|v| !v.is_null());
    set(spec, "backoffLimit", if per_index { i32::MAX } else { 6 }.into());
    set(spec, "completionMode", "NonIndexed".into());
    set(spec, "suspend", false.into());
    set(spec, "manualSelector", false.into());
    let by_rule = spec.get("podFailurePolicy").is_some_and(|v| !v.is_null());
    let policy = if by_rule { "Failed" } else { "TerminatingOrFailed" };
    set(spec, "podReplacementPolicy", policy.into());
}

fn metrics(spec: &mut Value) {
    let cpu = json!([{"type": "Resource", "resource": {
        "name": "cpu", "target": {"type": "Utilization", "averageUtilization": 80},
    }}]);
    set(spec, "metrics", cpu);
}

/// Rules of an autoscaler's behaviour that are only partly given.
fn behavior(behavior: &mut Value) {
    let up = json!([
        {"type": "Pods", "value": 4, "periodSeconds": 15},
        {"type": "Percent", "value": 100, "periodSeconds": 15},
    ]);
    let down = json!([{"type": "Percent", "value": 100, "periodSeconds": 15}]);
    let window = [("scaleUp", Some(0), up), ("scaleDown", None, down)];
    for (key, stabilization_seconds, policies) in window {
        let rules = child(behavior, key);
        if let Some(seconds) = stabilization_seconds {
            default(rules, "stabilizationWindowSeconds", seconds);
        }
        default(rules, "selectPolicy", "Max");
        default(rules, "policies", policies);
    }
}

fn policy_types(spec: &mut Value) {
    let egress = spec.get("egress").is_some_and(|list| !list.is_null());
    let types = if egress { json!(["Ingress", "Egress"]) } else { json!(["Ingress"]) };
    set(spec, "policyTypes", types);
}

fn subject(subject: &mut Value) {
    if matches!(field::text(subject, "/kind"), "User" | "Group") {
        set(subject, "apiGroup", "rbac.authorization.k8s.io".into());
    }
}

/// A container's limits follow from each other: what it may, it gets.
fn limits(item: &mut Value) {
    if field::text(item, "/type") != "Container" {
        return;
    }
    for (key, sources) in [("default", &["max"][..]), ("defaultRequest", &["default", "min"])] {
        for source in sources {
            let given = field::map(item, &format!("/{source}")).cloned().unwrap_or_default();
            for (resource, amount) in given {
                default(child(item, key), &resource, amount);
            }
        }
    }
}
