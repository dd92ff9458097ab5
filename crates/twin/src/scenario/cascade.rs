//! `cascade`: one workload without a memory limit takes node after node with it.
//!
//! A log alerter runs beside the shop. A new rule makes it read millions of documents into
//! memory. Its node has nothing set aside for its daemons, so the kernel runs out of memory
//! before the kubelet can evict; the kubelet falls silent, and five minutes after the node was
//! given up the alerter is started again elsewhere, where the same happens. Nothing of this is
//! scripted but the rule.

use model::Timestamp;
use serde_json::{Value, json};

use super::{Behaviour, Controllers, Fault, Memory, NodeSpec, Scenario, Workload};

const MIB: i64 = 1 << 20;
const GIB: i64 = 1 << 30;
const MINUTE: i64 = 60;
/// 2026-03-02T08:00:00Z
const START: i64 = 1_772_438_400;

/// The story of one hour: the rule is added after twenty minutes.
pub fn cascade(seed: u64) -> Scenario {
    Scenario {
        name: "cascade".into(),
        seed,
        start: Timestamp::from_seconds(START),
        age_seconds: 2 * 24 * 60 * MINUTE,
        nodes: nodes(),
        workloads: workloads(),
        objects: vec![rules("error-rate.yaml: frequency")],
        timeline: the_new_rule(),
        duration_seconds: 58 * MINUTE,
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
    let mut nodes = vec![node("control-plane-1".into(), "eu-west-1a", true)];
    for number in 1..=3 {
        for zone in ["a", "b", "c"] {
            let name = format!("worker-{zone}{number}");
            nodes.push(node(name, &format!("eu-west-1{zone}"), false));
        }
    }
    nodes
}

/// A workload with a limit of twice what it uses.
fn limited(
    namespace: &str,
    name: &str,
    replicas: i64,
    mebibytes: i64,
    port: Option<u16>,
) -> Workload {
    Workload {
        namespace: namespace.into(),
        name: name.into(),
        replicas,
        image: format!("registry.example/{name}:1.4.2"),
        port,
        requests: json!({"cpu": "100m", "memory": format!("{mebibytes}Mi")}),
        limits: json!({"cpu": "1", "memory": format!("{}Mi", mebibytes * 2)}),
        probe_path: None,
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

fn workloads() -> Vec<Workload> {
    let alerter = Workload {
        image: "registry.example/elastalert:0.1.35".into(),
        requests: Value::Null,
        limits: Value::Null,
        behaviour: Behaviour { command: "python".into(), ..limited("", "", 0, 90, None).behaviour },
        ..limited("logging", "elastalert", 1, 90, None)
    };
    vec![
        limited("kube-system", "coredns", 2, 70, Some(53)),
        limited("shop", "frontend", 6, 256, Some(8080)),
        limited("shop", "catalog", 4, 384, Some(8080)),
        limited("shop", "cart", 4, 256, Some(8080)),
        limited("shop", "checkout", 3, 384, Some(8080)),
        limited("shop", "search", 3, 512, Some(9200)),
        limited("monitoring", "prometheus", 1, 1536, Some(9090)),
        limited("monitoring", "grafana", 1, 256, Some(3000)),
        alerter,
    ]
}

fn rules(content: &str) -> Value {
    json!({
        "apiVersion": "v1", "kind": "ConfigMap",
        "metadata": {"name": "elastalert-rules", "namespace": "logging"},
        "data": {"rules.txt": content},
    })
}

/// Somebody adds a rule and rolls it out: the first search begins five minutes after a start
/// and loads 160 MiB a second.
fn the_new_rule() -> Vec<(i64, Fault)> {
    let at = 20 * MINUTE;
    let patch = |api_version: &str, kind: &str, name: &str, patch| Fault::Patch {
        api_version: api_version.into(),
        kind: kind.into(),
        namespace: "logging".into(),
        name: name.into(),
        patch,
    };
    let ramp =
        Memory::Ramp { bytes: 90 * MIB, after_seconds: 5 * MINUTE, bytes_per_second: 160 * MIB };
    let grown = "error-rate.yaml: frequency\ncdn-silence.yaml: flatline, index cdn-*, no count";
    let rollout = json!({"spec": {"template": {"metadata": {"annotations": {
        "checksum/rules": "d41f",
    }}}}});
    vec![
        (
            at,
            Fault::Behave {
                namespace: "logging".into(),
                workload: "elastalert".into(),
                memory: ramp,
            },
        ),
        (at, patch("v1", "ConfigMap", "elastalert-rules", json!({"data": {"rules.txt": grown}}))),
        (at, patch("apps/v1", "Deployment", "elastalert", rollout)),
    ]
}
