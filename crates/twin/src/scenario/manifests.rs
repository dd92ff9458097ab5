//! Manifests of a scenario's parts.

use model::{Quantity, Timestamp};
use serde_json::{Value, json};

use super::{NodeSpec, Workload};
use crate::api::GIT_VERSION;

const ZONE: &str = "topology.kubernetes.io/zone";
/// Memory that the kubelet keeps free by evicting pods.
pub(crate) const EVICTION_BYTES: i64 = 100 << 20;
const PODS: i64 = 110;

impl Workload {
    fn labels(&self) -> Value {
        json!({"app": self.name})
    }

    /// The Deployment.
    pub(crate) fn deployment(&self) -> Value {
        let mut container = json!({
            "name": self.name, "image": self.image, "resources": {},
        });
        for (key, amounts) in [("requests", &self.requests), ("limits", &self.limits)] {
            if amounts.is_object() {
                container["resources"][key] = amounts.clone();
            }
        }
        if let Some(port) = self.port {
            container["ports"] = json!([{"containerPort": port, "name": "http"}]);
            if let Some(path) = &self.probe_path {
                let probe = json!({"httpGet": {"path": path, "port": "http"}});
                container["readinessProbe"] = probe.clone();
                container["livenessProbe"] = probe;
            }
        }
        let mut spec = json!({"containers": [container]});
        if self.node_selector.is_object() {
            spec["nodeSelector"] = self.node_selector.clone();
        }
        json!({
            "apiVersion": "apps/v1", "kind": "Deployment",
            "metadata": {
                "name": self.name, "namespace": self.namespace, "labels": self.labels(),
            },
            "spec": {
                "replicas": self.replicas, "selector": {"matchLabels": self.labels()},
                "template": {"metadata": {"labels": self.labels()}, "spec": spec},
            },
        })
    }

    /// The Service, if there is a port.
    pub(crate) fn service(&self) -> Option<Value> {
        let port = self.port?;
        Some(json!({
            "apiVersion": "v1", "kind": "Service",
            "metadata": {
                "name": self.name, "namespace": self.namespace, "labels": self.labels(),
            },
            "spec": {
                "selector": self.labels(),
                "ports": [{"name": "http", "port": port, "targetPort": port}],
            },
        }))
    }
}

impl NodeSpec {
    /// What pods may ask for, in bytes.
    pub(crate) fn allocatable_bytes(&self) -> i64 {
        (self.memory_bytes - self.reserved_bytes - EVICTION_BYTES).max(0)
    }

    /// The Node as its kubelet registers it. `index` makes its addresses.
    pub(crate) fn node(&self, index: usize, now: Timestamp) -> Value {
        let now = now.to_string();
        let mut labels = json!({
            "beta.kubernetes.io/arch": "amd64", "beta.kubernetes.io/os": "linux",
            "kubernetes.io/arch": "amd64", "kubernetes.io/os": "linux",
            "kubernetes.io/hostname": self.name,
            "topology.kubernetes.io/region": region(&self.zone),
        });
        labels[ZONE] = self.zone.clone().into();
        let mut spec = json!({
            "podCIDR": format!("10.244.{index}.0/24"),
            "podCIDRs": [format!("10.244.{index}.0/24")],
        });
        if self.control_plane {
            labels["node-role.kubernetes.io/control-plane"] = "".into();
            labels["node.kubernetes.io/exclude-from-external-load-balancers"] = "".into();
            spec["taints"] = json!([
                {"key": "node-role.kubernetes.io/control-plane", "effect": "NoSchedule"},
            ]);
        }
        let amounts = |memory_bytes: i64| {
            json!({
                "cpu": Quantity::from_milli(self.cpu_milli).to_string(),
                "memory": format!("{}Ki", memory_bytes >> 10),
                "pods": PODS.to_string(), "ephemeral-storage": "104845292Ki",
                "hugepages-1Gi": "0", "hugepages-2Mi": "0",
            })
        };
        let mut status = json!({
            "capacity": amounts(self.memory_bytes),
            "allocatable": amounts(self.allocatable_bytes()),
            "addresses": [
                {"type": "InternalIP", "address": host_address(index)},
                {"type": "Hostname", "address": self.name},
            ],
            "daemonEndpoints": {"kubeletEndpoint": {"Port": 10250}},
            "conditions": conditions(&now),
        });
        status["nodeInfo"] = json!({
            "architecture": "amd64", "operatingSystem": "linux", "kernelVersion": "6.12.48",
            "osImage": "Simulated Linux", "containerRuntimeVersion": "containerd://2.2.0",
            "kubeletVersion": GIT_VERSION, "kubeProxyVersion": "",
            "machineID": format!("{index:032x}"), "systemUUID": format!("twin-{index}"),
            "bootID": format!("twin-{index}-1"),
        });
        let annotations = json!({
            "node.alpha.kubernetes.io/ttl": "0",
            "volumes.kubernetes.io/controller-managed-attach-detach": "true",
        });
        json!({
            "apiVersion": "v1", "kind": "Node",
            "metadata": {"name": self.name, "labels": labels, "annotations": annotations},
            "spec": spec, "status": status,
        })
    }

    /// The lease that its kubelet renews.
    pub(crate) fn lease(&self, node_uid: &str) -> Value {
        json!({
            "metadata": {
                "name": self.name,
                "ownerReferences": [{
                    "apiVersion": "v1", "kind": "Node", "name": self.name, "uid": node_uid,
                }],
            },
            "spec": {"holderIdentity": self.name, "leaseDurationSeconds": 40},
        })
    }
}

/// The address of the machine with this index.
pub(crate) fn host_address(index: usize) -> String {
    format!("10.150.{}.{}", 32 + index / 200, 10 + index % 200)
}

/// The conditions of a node that is well.
pub(crate) fn conditions(now: &str) -> Vec<Value> {
    let told = |kind: &str, status: &str, reason: &str, message: &str| {
        json!({
            "type": kind, "status": status, "reason": reason, "message": message,
            "lastHeartbeatTime": now, "lastTransitionTime": now,
        })
    };
    vec![
        told(
            "MemoryPressure",
            "False",
            "KubeletHasSufficientMemory",
            "kubelet has sufficient memory available",
        ),
        told("DiskPressure", "False", "KubeletHasNoDiskPressure", "kubelet has no disk pressure"),
        told(
            "PIDPressure",
            "False",
            "KubeletHasSufficientPID",
            "kubelet has sufficient PID available",
        ),
        told("Ready", "True", "KubeletReady", "kubelet is posting ready status"),
    ]
}

/// The region of a zone: `eu-west-1` of `eu-west-1a`.
fn region(zone: &str) -> &str {
    zone.trim_end_matches(char::is_alphabetic).trim_end_matches('-')
}
