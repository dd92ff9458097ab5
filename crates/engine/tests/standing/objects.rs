//! The objects of the small cluster, as the API shows them.

use model::Kind;
use serde_json::{Value, json};

pub const NAMESPACES: [&str; 3] = ["shop", "bank", "kube-system"];
pub const NODES: [&str; 4] = ["node-a", "node-b", "node-c", "node-d"];
pub const APPS: [&str; 4] = ["web", "cart", "db", "agent"];

fn meta(namespace: &str, name: &str, made: &str) -> Value {
    json!({"name": name, "namespace": namespace, "creationTimestamp": made, "uid": name})
}

fn truth(holds: bool) -> &'static str {
    if holds { "True" } else { "False" }
}

/// What a workload is like; the bits choose what is odd about it.
pub fn pod_spec(app: &str, odd: u8) -> Value {
    let mut spec = json!({
        "serviceAccountName": "default",
        "containers": [{
            "name": app,
            "image": if odd & 1 == 0 { "registry.example/app:1" } else { "registry.example/app:2" },
            "ports": [{"name": "http", "containerPort": 8080}],
            "env": [
                {"name": "DB_HOST", "value": if odd & 2 == 0 { "db" } else { "cart.bank:80" }},
                {"name": "CART_URL", "value": "http://cart:80/x"},
            ],
            "resources": {"requests": {"cpu": "100m", "memory": "128Mi"},
                          "limits": {"memory": "256Mi"}},
            "readinessProbe": {"httpGet": {"path": "/", "port": 8080}},
        }],
        "volumes": [],
    });
    if odd & 4 != 0 {
        spec["volumes"] = json!([
            {"name": "c", "configMap": {"name": "settings"}},
            {"name": "d", "persistentVolumeClaim": {"claimName": "data"}},
            {"name": "s", "secret": {"secretName": "tls"}},
        ]);
    }
    if odd & 8 != 0 {
        spec["nodeSelector"] = json!({"disk": "ssd"});
    }
    if odd & 16 != 0 {
        spec["containers"][0]["resources"] = json!({"requests": {"cpu": "9", "memory": "64Gi"}});
    }
    if odd & 64 != 0 {
        spec["containers"][0]["image"] = json!("tools.example/prometheus:v3");
    }
    if odd & 128 != 0 {
        spec["containers"][0]["image"] = json!("tools.example/elastalert2:2");
        spec["containers"][0]["resources"] = json!({});
    }
    if odd & 32 != 0 {
        spec["containers"][0]["envFrom"] = json!([{"secretRef": {"name": "tokens"}}]);
    }
    spec
}

/// Kind and name of the set in between, where there is one.
pub fn owner(app: &str) -> (&'static str, String) {
    match app {
        "db" => ("StatefulSet", "db".to_owned()),
        "agent" => ("DaemonSet", "agent".to_owned()),
        _ => ("ReplicaSet", format!("{app}-5d4f8c7b9d")),
    }
}

pub fn pod_name(app: &str, number: u8) -> String {
    match app {
        "db" => format!("db-{number}"),
        "agent" => format!("agent-x2x4{}", char::from(b'b' + number)),
        _ => format!("{app}-5d4f8c7b9d-x2x4{}", char::from(b'b' + number)),
    }
}

/// A pod on a node, with this status.
pub fn pod(
    (namespace, app, number): (&str, &str, u8),
    (node, odd): (&str, u8),
    made: &str,
    status: Value,
) -> Value {
    let (kind, owner) = owner(app);
    let mut meta = meta(namespace, &pod_name(app, number), made);
    meta["labels"] = json!({"app": app, "pod-template-hash": "5d4f8c7b9d"});
    meta["ownerReferences"] =
        json!([{"apiVersion": "apps/v1", "kind": kind, "name": owner, "controller": true}]);
    let mut spec = pod_spec(app, odd);
    if !node.is_empty() {
        spec["nodeName"] = json!(node);
    }
    json!({"metadata": meta, "spec": spec, "status": status})
}

pub fn running(app: &str, since: &str, restarts: u8) -> Value {
    json!({
        "phase": "Running", "startTime": since, "podIP": "10.0.0.1",
        "conditions": [
            {"type": "Ready", "status": "True", "lastTransitionTime": since},
            {"type": "PodScheduled", "status": "True", "lastTransitionTime": since},
        ],
        "containerStatuses": [{"name": app, "ready": true, "restartCount": restarts,
            "image": "registry.example/app:1", "imageID": "x",
            "state": {"running": {"startedAt": since}}}],
    })
}

pub fn node(name: &str, made: &str, status: &str, since: &str, odd: u8) -> Value {
    let mut meta = meta("", name, made);
    meta["labels"] = json!({"kubernetes.io/hostname": name,
        "topology.kubernetes.io/zone": if name < "node-c" { "a" } else { "b" }});
    if odd & 1 != 0 {
        meta["labels"]["disk"] = json!("ssd");
    }
    let mut spec = json!({});
    if odd & 2 != 0 {
        spec["unschedulable"] = json!(true);
    }
    if status != "True" {
        spec["taints"] = json!([{"key": "node.kubernetes.io/unreachable", "effect": "NoExecute"}]);
    }
    let pressure = |bit: u8| truth(odd & bit != 0);
    let reason = if status == "Unknown" { "NodeStatusUnknown" } else { "KubeletNotReady" };
    json!({"metadata": meta, "spec": spec, "status": {
        "allocatable": {"cpu": "4", "memory": "16Gi", "pods": "110", "ephemeral-storage": "50Gi"},
        "capacity": {"cpu": "4", "memory": "16Gi", "pods": "110", "ephemeral-storage": "50Gi"},
        "nodeInfo": {"kubeletVersion": "v1.33.1", "containerRuntimeVersion": "containerd://2.0.0"},
        "conditions": [
            {"type": "MemoryPressure", "status": pressure(4), "lastTransitionTime": since,
             "lastHeartbeatTime": since, "reason": "x"},
            {"type": "DiskPressure", "status": pressure(8), "lastTransitionTime": since,
             "lastHeartbeatTime": since, "reason": "x"},
            {"type": "PIDPressure", "status": pressure(16), "lastTransitionTime": since,
             "lastHeartbeatTime": since, "reason": "x"},
            {"type": "Ready", "status": status, "lastTransitionTime": since,
             "lastHeartbeatTime": since, "reason": reason, "message": "PLEG is not healthy"},
        ],
    }})
}

pub fn workload(kind: Kind, namespace: &str, app: &str, made: &str, odd: u8) -> Value {
    let mut meta = meta(namespace, app, made);
    if kind == Kind::ReplicaSet {
        meta["name"] = json!(owner(app).1);
        meta["ownerReferences"] = json!([{"kind": "Deployment", "name": app, "controller": true}]);
    }
    let wanted = if odd & 64 == 0 { 2 } else { 0 };
    let ready = if odd & 128 == 0 { wanted } else { 1 };
    let available = truth(ready == wanted);
    json!({"metadata": meta,
        "spec": {"replicas": wanted, "selector": {"matchLabels": {"app": app}},
            "serviceName": app,
            "template": {"metadata": {"labels": {"app": app}}, "spec": pod_spec(app, odd)}},
        "status": {"replicas": wanted, "readyReplicas": ready, "availableReplicas": ready,
            "updatedReplicas": wanted, "observedGeneration": 1,
            "desiredNumberScheduled": 2, "currentNumberScheduled": 2, "numberReady": ready,
            "numberAvailable": ready,
            "conditions": [{"type": "Available", "status": available,
                "lastTransitionTime": made, "reason": "MinimumReplicasUnavailable"}]},
    })
}

pub fn service(namespace: &str, app: &str, made: &str, odd: u8) -> Value {
    let selector = if odd & 1 == 0 { app } else { "nobody" };
    let port = if odd & 2 == 0 { json!("http") } else { json!(9) };
    let kind = if odd & 4 == 0 { "ClusterIP" } else { "LoadBalancer" };
    json!({"metadata": meta(namespace, app, made),
        "spec": {"type": kind, "clusterIP": "10.1.0.1", "selector": {"app": selector},
            "ports": [{"name": "http", "port": 80, "targetPort": port, "protocol": "TCP"}]},
        "status": {"loadBalancer": {}}})
}

pub fn slice(namespace: &str, app: &str, made: &str, ready: bool) -> Value {
    let mut meta = meta(namespace, &format!("{app}-slice"), made);
    meta["labels"] = json!({"kubernetes.io/service-name": app});
    json!({"metadata": meta, "addressType": "IPv4", "ports": [{"port": 8080}],
        "endpoints": [{"addresses": ["10.0.0.1"], "conditions": {"ready": ready}}]})
}

/// The cluster before anything happens.
pub fn beginning(made: &str) -> Vec<(Kind, Value)> {
    let mut all = Vec::new();
    for (i, name) in NODES.iter().enumerate() {
        all.push((Kind::Node, node(name, made, "True", made, i as u8 % 2)));
    }
    for namespace in NAMESPACES {
        all.push((
            Kind::Namespace,
            json!({"metadata": meta("", namespace, made),
            "status": {"phase": "Active"}}),
        ));
        for app in APPS {
            let (kind, _) = owner(app);
            let kind = Kind::from_name(kind).expect("a kind");
            if kind == Kind::ReplicaSet {
                all.push((Kind::Deployment, workload(Kind::Deployment, namespace, app, made, 0)));
            }
            all.push((kind, workload(kind, namespace, app, made, 0)));
            for number in 0..2 {
                let node = NODES[usize::from(number) + app.len() % 3];
                let status = running(app, made, 0);
                all.push((Kind::Pod, pod((namespace, app, number), (node, 0), made, status)));
            }
            all.push((Kind::Service, service(namespace, app, made, 0)));
            all.push((Kind::EndpointSlice, slice(namespace, app, made, true)));
        }
    }
    all
}

/// Objects of the other kinds; the bits choose what is odd about them.
pub fn other(turn: u8, namespace: &str, made: &str, later: &str, odd: u8) -> (Kind, Value) {
    let flag = |bit: u8| odd & bit != 0;
    let m = |name: &str| meta(namespace, name, made);
    let status = |bad: bool| truth(!bad);
    let target = if flag(1) { "gone" } else { "web" };
    match turn % 27 {
        0 => (
            Kind::PersistentVolumeClaim,
            json!({"metadata": m("data"),
            "spec": {"storageClassName": if flag(1) { "fast" } else { "slow" },
                "accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}},
                "volumeName": if flag(2) { "" } else { "pv-1" }},
            "status": {"phase": if flag(2) { "Pending" } else { "Bound" }}}),
        ),
        1 => (
            Kind::PersistentVolume,
            json!({"metadata": meta("", "pv-1", made),
            "spec": {"capacity": {"storage": "1Gi"}, "accessModes": ["ReadWriteOnce"],
                "claimRef": {"namespace": namespace, "name": "data"}},
            "status": {"phase": if flag(1) { "Failed" } else { "Bound" }}}),
        ),
        2 => (
            Kind::StorageClass,
            json!({"metadata": meta("", "slow", made),
            "provisioner": "disk.example", "volumeBindingMode": "Immediate"}),
        ),
        3 => (
            Kind::ResourceQuota,
            json!({"metadata": m("quota"),
            "spec": {"hard": {"pods": "2", "requests.cpu": "1"}},
            "status": {"hard": {"pods": "2", "requests.cpu": "1"},
                "used": {"pods": if flag(1) { "2" } else { "1" }, "requests.cpu": "900m"}}}),
        ),
        4 => (
            Kind::LimitRange,
            json!({"metadata": m("range"),
            "spec": {"limits": [{"type": "Container", "max": {"memory": "64Mi"}}]}}),
        ),
        5 => (
            Kind::HorizontalPodAutoscaler,
            json!({"metadata": m("web"),
            "spec": {"scaleTargetRef": {"kind": "Deployment", "name": target}, "minReplicas": 1, "maxReplicas": 2, "metrics": [{"type":
                "Resource", "resource": {"name": "cpu", "target": {"type": "Utilization",
                "averageUtilization": 80}}}]},
            "status": {"currentReplicas": 2, "desiredReplicas": 2, "conditions": [
                {"type": "ScalingActive", "status": status(flag(2)), "reason":
                 "FailedGetResourceMetric", "message": "unable to get metrics",
                 "lastTransitionTime": later},
                {"type": "ScalingLimited", "status": status(!flag(4)), "reason":
                 "TooManyReplicas", "lastTransitionTime": later}]}}),
        ),
        6 => (
            Kind::PodDisruptionBudget,
            json!({"metadata": m("web"),
            "spec": {"minAvailable": if flag(1) { 2 } else { 1 },
                "selector": {"matchLabels": {"app": "web"}}},
            "status": {"currentHealthy": 2, "desiredHealthy": 2, "expectedPods": 2,
                "disruptionsAllowed": if flag(1) { 0 } else { 1 }}}),
        ),
        7 => (
            Kind::Ingress,
            json!({"metadata": m("front"), "spec": {"ingressClassName": "nginx",
            "rules": [{"host": "x.example", "http": {"paths": [{"path": "/", "pathType": "Prefix",
            "backend": {"service": {"name": target,
            "port": {"number": if flag(2) { 81 } else { 80 }}}}}]}}]}}),
        ),
        8 => (
            Kind::NetworkPolicy,
            json!({"metadata": m("deny"), "spec": {
            "podSelector": {"matchLabels": {"app": "db"}}, "policyTypes": ["Ingress"],
            "ingress": if flag(1) { json!([]) } else { json!([{"from": [{"podSelector": {}}]}]) }}}),
        ),
        9 => (
            Kind::Role,
            json!({"metadata": m("reader"), "rules": [
            {"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}]}),
        ),
        10 => (
            Kind::RoleBinding,
            json!({"metadata": m("readers"),
            "roleRef": {"kind": "Role", "name": if flag(1) { "gone" } else { "reader" }},
            "subjects": [{"kind": "ServiceAccount", "name": "default", "namespace": namespace}]}),
        ),
        11 => (Kind::ClusterRole, json!({"metadata": meta("", "all", made), "rules": []})),
        12 => (
            Kind::ClusterRoleBinding,
            json!({"metadata": meta("", "all", made),
            "roleRef": {"kind": "ClusterRole", "name": if flag(1) { "gone" } else { "all" }},
            "subjects": [{"kind": "ServiceAccount", "name": "x", "namespace": namespace}]}),
        ),
        13 => (
            Kind::Certificate,
            json!({"metadata": m("tls"), "spec": {"secretName": "tls"},
            "status": {"notAfter": later, "renewalTime": made, "conditions": [
                {"type": "Ready", "status": status(flag(1)), "lastTransitionTime": made}]}}),
        ),
        14 => (
            Kind::CertificateSigningRequest,
            json!({"metadata": meta("", "csr-1", made),
            "spec": {"signerName": "kubernetes.io/kubelet-serving", "username": "system:node:a"},
            "status": if flag(1) { json!({}) } else { json!({"conditions": [
                {"type": "Approved", "status": "True"}]}) }}),
        ),
        15 => (
            Kind::Lease,
            json!({"metadata": meta("kube-node-lease", NODES[usize::from(odd % 4)],
            made), "spec": {"renewTime": later, "leaseDurationSeconds": 40,
            "holderIdentity": NODES[usize::from(odd % 4)]}}),
        ),
        16 => (
            Kind::Lease,
            json!({"metadata": meta("kube-system", "kube-scheduler", made),
            "spec": {"renewTime": if flag(1) { made } else { later },
            "leaseDurationSeconds": 15, "holderIdentity": "x"}}),
        ),
        17 => (
            Kind::APIService,
            json!({"metadata": meta("", "v1beta1.metrics.k8s.io", made),
            "spec": {"service": {"namespace": "kube-system", "name": "web"}},
            "status": {"conditions": [{"type": "Available", "status": status(flag(1)),
                "reason": "MissingEndpoints", "lastTransitionTime": later}]}}),
        ),
        18 => (
            Kind::ComponentStatus,
            json!({"metadata": meta("", "scheduler", made),
            "conditions": [{"type": "Healthy", "status": status(flag(1)), "message": "refused"}]}),
        ),
        19 => (
            Kind::ValidatingWebhookConfiguration,
            json!({"metadata": meta("", "gate", made),
            "webhooks": [{"name": "gate.example", "failurePolicy": "Fail", "clientConfig":
            {"service": {"namespace": namespace, "name": "cart"}}, "rules": [{"operations":
            ["CREATE"], "resources": ["pods"], "apiGroups": [""], "apiVersions": ["v1"]}]}]}),
        ),
        20 => (Kind::ConfigMap, json!({"metadata": m("settings"), "data": {"a": "b"}})),
        21 => (Kind::Secret, json!({"metadata": m("tls"), "type": "kubernetes.io/tls"})),
        22 => (Kind::ServiceAccount, json!({"metadata": m("default")})),
        23 => (
            Kind::CronJob,
            json!({"metadata": m("night"), "spec": {"schedule": "0 1 * * *",
            "suspend": flag(1), "jobTemplate": {"spec": {"template": {"spec":
            pod_spec("night", 0)}}}}, "status": {"lastScheduleTime": made}}),
        ),
        24 => {
            let mut meta = m("night-29000000");
            meta["ownerReferences"] = json!([{"kind": "CronJob", "name": "night", "controller":
                true}]);
            (
                Kind::Job,
                json!({"metadata": meta, "spec": {"backoffLimit": 1, "completions": 1,
                "template": {"spec": pod_spec("night", 0)}},
                "status": {"startTime": made, "failed": 2, "conditions": [{"type": "Failed",
                "status": status(!flag(1)), "reason": "BackoffLimitExceeded",
                "lastTransitionTime": later}]}}),
            )
        }
        25 => (Kind::PriorityClass, json!({"metadata": meta("", "high", made), "value": 1000})),
        _ => (
            Kind::Pod,
            json!({"metadata": m("alone"), "spec": pod_spec("alone", odd & 3),
            "status": running("alone", later, odd / 4)}),
        ),
    }
}
