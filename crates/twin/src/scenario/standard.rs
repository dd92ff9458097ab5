//! `standard`: a small healthy cluster in which failures are rehearsed.

use model::Timestamp;
use serde_json::{Value, json};

use super::{Behaviour, Controllers, Memory, NodeSpec, Scenario, Workload};

const MIB: i64 = 1 << 20;
const GIB: i64 = 1 << 30;
/// 2026-03-02T08:00:00Z
const START: i64 = 1_772_438_400;
const ZONES: [&str; 3] = ["eu-west-1a", "eu-west-1b", "eu-west-1c"];

/// Nodes `control-plane-1` and `worker-1` to `worker-6` in three zones; a shop in namespace
/// `shop`, with a Deployment and a Service for each of its parts; a storage class. Nothing
/// happens to it: add to `timeline`.
pub fn standard(seed: u64) -> Scenario {
    Scenario {
        name: "standard".into(),
        seed,
        start: Timestamp::from_seconds(START),
        age_seconds: 2 * 24 * 60 * 60,
        nodes: nodes(),
        workloads: vec![
            part("kube-system", "coredns", 2, 70, 8080),
            part("shop", "frontend", 3, 128, 8080),
            part("shop", "catalog", 2, 192, 8080),
            part("shop", "cart", 2, 128, 8080),
            part("shop", "checkout", 2, 160, 8080),
        ],
        objects: vec![storage_class()],
        timeline: Vec::new(),
        duration_seconds: 0,
        controllers: Controllers::All,
    }
}

fn nodes() -> Vec<NodeSpec> {
    let node = |name: String, zone: &str, control_plane| NodeSpec {
        name,
        zone: zone.into(),
        control_plane,
        cpu_milli: 4000,
        memory_bytes: 8 * GIB,
        reserved_bytes: 0,
        daemons_bytes: 700 * MIB,
    };
    let first = node("control-plane-1".into(), ZONES[0], true);
    let workers = ZONES.iter().cycle().zip(1..=6);
    let workers = workers.map(|(zone, number)| node(format!("worker-{number}"), zone, false));
    [first].into_iter().chain(workers).collect()
}

/// A part of the shop, with requests, limits of twice what it uses, and probes.
fn part(namespace: &str, name: &str, replicas: i64, mebibytes: i64, port: u16) -> Workload {
    Workload {
        namespace: namespace.into(),
        name: name.into(),
        replicas,
        image: format!("registry.example/{name}:1.4.2"),
        port: Some(port),
        requests: json!({"cpu": "100m", "memory": format!("{mebibytes}Mi")}),
        limits: json!({"cpu": "1", "memory": format!("{}Mi", mebibytes * 2)}),
        probe_path: Some("/healthz".into()),
        node_selector: Value::Null,
        behaviour: Behaviour {
            memory: Memory::Const { bytes: mebibytes * MIB },
            command: name.into(),
            ready_seconds: 3,
            stop_seconds: 2,
            image_bytes: 120 * MIB,
            crash: None,
        },
    }
}

fn storage_class() -> Value {
    json!({
        "apiVersion": "storage.k8s.io/v1", "kind": "StorageClass",
        "metadata": {
            "name": "standard",
            "annotations": {"storageclass.kubernetes.io/is-default-class": "true"},
        },
        "provisioner": "disk.csi.example.com", "reclaimPolicy": "Delete",
        "volumeBindingMode": "Immediate", "allowVolumeExpansion": true,
    })
}
