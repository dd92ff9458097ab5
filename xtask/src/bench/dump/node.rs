//! Nodes, namespaces and what else belongs to nobody.

use super::random::Random;
use super::{CREATED, NOW, STARTED};
use serde_json::{Value, json};

/// Name of a node.
pub fn name(index: u32) -> String {
    format!("node-{index:05}")
}

/// Address of a node.
pub fn address(index: u32) -> String {
    format!("172.{}.{}.{}", 16 + index / 62_500, index / 250 % 250, index % 250 + 1)
}

pub fn namespace(name: &str, random: &mut Random) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Namespace",
        "metadata": {
            "name": name, "uid": random.uid(), "resourceVersion": "100",
            "creationTimestamp": CREATED, "labels": {"kubernetes.io/metadata.name": name},
        },
        "spec": {"finalizers": ["kubernetes"]}, "status": {"phase": "Active"},
    })
}

pub fn storage_class(random: &mut Random) -> Value {
    json!({
        "apiVersion": "storage.k8s.io/v1", "kind": "StorageClass",
        "metadata": {
            "name": "standard", "uid": random.uid(), "resourceVersion": "101",
            "creationTimestamp": CREATED,
            "annotations": {"storageclass.kubernetes.io/is-default-class": "true"},
        },
        "provisioner": "disk.csi.example.com", "reclaimPolicy": "Delete",
        "volumeBindingMode": "Immediate",
    })
}

/// A node; `silent` when its kubelet has not been heard of for hours.
pub fn node(index: u32, silent: bool, random: &mut Random) -> Value {
    let name = name(index);
    let zone = format!("zone-{}", ["a", "b", "c"].get(index as usize % 3).unwrap_or(&"a"));
    let size = json!({
        "cpu": "64", "memory": "263882790Ki", "pods": "250", "ephemeral-storage": "203070420Ki",
    });
    let taints = if silent {
        json!([
            {"key": "node.kubernetes.io/unreachable", "effect": "NoSchedule", "timeAdded": STARTED},
            {"key": "node.kubernetes.io/unreachable", "effect": "NoExecute", "timeAdded": STARTED},
        ])
    } else {
        Value::Null
    };
    let mut node = json!({
        "apiVersion": "v1", "kind": "Node",
        "metadata": {
            "name": name, "uid": random.uid(), "resourceVersion": format!("{}", 1000 + index),
            "creationTimestamp": CREATED,
            "labels": {
                "kubernetes.io/arch": "amd64", "kubernetes.io/os": "linux",
                "kubernetes.io/hostname": name, "topology.kubernetes.io/zone": zone,
                "node.kubernetes.io/instance-type": "large-64",
            },
        },
        "spec": {
            "podCIDR": format!("10.{}.{}.0/24", index / 256, index % 256),
            "providerID": format!("example:///{zone}/{}", random.suffix(12)),
        },
        "status": {
            "addresses": [
                {"type": "InternalIP", "address": address(index)},
                {"type": "Hostname", "address": name},
            ],
            "allocatable": size, "capacity": size, "conditions": conditions(silent),
            "nodeInfo": {
                "architecture": "amd64", "operatingSystem": "linux", "kernelVersion": "6.12.0",
                "osImage": "Debian GNU/Linux 13", "containerRuntimeVersion": "containerd://2.1.0",
                "kubeletVersion": "v1.35.0", "machineID": random.digest(), "bootID": random.uid(),
            },
        },
    });
    if let (Some(spec), false) =
        (node.get_mut("spec").and_then(Value::as_object_mut), taints.is_null())
    {
        spec.insert("taints".to_owned(), taints);
    }
    node
}

fn conditions(silent: bool) -> Value {
    let all = [
        (
            "MemoryPressure",
            "False",
            "KubeletHasSufficientMemory",
            "kubelet has sufficient memory available",
        ),
        ("DiskPressure", "False", "KubeletHasNoDiskPressure", "kubelet has no disk pressure"),
        ("PIDPressure", "False", "KubeletHasSufficientPID", "kubelet has sufficient PID available"),
        ("Ready", "True", "KubeletReady", "kubelet is posting ready status"),
    ];
    let one = |(kind, status, reason, message): (&str, &str, &str, &str)| {
        let (status, reason, message, since, heard) = if silent {
            (
                "Unknown",
                "NodeStatusUnknown",
                "Kubelet stopped posting node status.",
                STARTED,
                STARTED,
            )
        } else {
            (status, reason, message, CREATED, NOW)
        };
        json!({
            "type": kind, "status": status, "reason": reason, "message": message,
            "lastTransitionTime": since, "lastHeartbeatTime": heard,
        })
    };
    all.into_iter().map(one).collect()
}
