//! What stand-ins post: the status of a node that is well, and of a pod at each of its stages.

use serde_json::{Value, json};

use super::PROGRAM;
use crate::api::GIT_VERSION;
use crate::field;
use crate::scenario::conditions;

/// What the maker of the node left out.
pub(super) fn node(node: &mut Value, now: &str) {
    let name = field::name(node).to_owned();
    let status = field::child(node, "status");
    let mut told = conditions(now);
    told.rotate_right(1);
    let route = json!({
        "type": "NetworkUnavailable", "status": "False", "reason": "RouteCreated",
        "message": "RouteController created a route",
        "lastHeartbeatTime": now, "lastTransitionTime": now,
    });
    told.push(route);
    status.insert("conditions".into(), told.into());
    let addresses = json!([
        {"type": "InternalIP", "address": "10.0.0.1"}, {"type": "Hostname", "address": name},
    ]);
    field::default(status, "addresses", addresses);
    let plenty = json!({"cpu": "1k", "memory": "1Ti", "pods": "1M"});
    field::default(status, "allocatable", plenty.clone());
    field::default(status, "capacity", plenty);
    status.insert("phase".into(), "Running".into());
    let info = status.entry("nodeInfo").or_insert_with(|| json!({}));
    for (key, text) in [
        ("architecture", "amd64"),
        ("bootID", ""),
        ("containerRuntimeVersion", PROGRAM),
        ("kernelVersion", PROGRAM),
        ("kubeProxyVersion", PROGRAM),
        ("kubeletVersion", GIT_VERSION),
        ("machineID", ""),
        ("operatingSystem", "linux"),
        ("osImage", ""),
        ("systemUUID", ""),
    ] {
        if field::text(info, &format!("/{key}")).is_empty() {
            info[key] = text.into();
        }
    }
}

/// All containers of the pod run.
pub(super) fn running(
    pod: &mut Value,
    now: &str,
    (hosts, ips): (&[String], &[String]),
    ready: bool,
) {
    let runs = json!({"running": {"startedAt": now}});
    let told = |container: &Value, is_init: bool| {
        let lasts = field::text(container, "/restartPolicy") == "Always";
        let mut told = json!({
            "image": container["image"], "name": container["name"], "ready": ready || is_init,
            "restartCount": 0, "state": runs,
        });
        if is_init && lasts {
            told["started"] = true.into();
        } else if is_init {
            told["state"] = ended(now, true);
        }
        told
    };
    let of = |pod: &Value, pointer: &str, is_init: bool| -> Vec<Value> {
        field::list(pod, pointer).iter().map(|container| told(container, is_init)).collect()
    };
    let containers = of(pod, "/spec/containers", false);
    let inits = of(pod, "/spec/initContainers", true);
    let gates: Vec<Value> = field::list(pod, "/spec/readinessGates").to_vec();
    let gates = gates.iter().map(|gate| field::text(gate, "/conditionType"));
    set(pod, "Initialized", true, now, "");
    for kind in ["Ready", "ContainersReady"] {
        set(pod, kind, ready, now, "ContainersNotReady");
    }
    for gate in gates {
        set(pod, gate, true, now, "");
    }
    let status = field::child(pod, "status");
    status.insert("containerStatuses".into(), containers.into());
    if !inits.is_empty() {
        status.insert("initContainerStatuses".into(), inits.into());
    }
    for (one, all, addresses) in [("hostIP", "hostIPs", hosts), ("podIP", "podIPs", ips)] {
        if let Some(first) = addresses.first() {
            status.insert(one.into(), first.clone().into());
            let list: Vec<_> = addresses.iter().map(|ip| json!({"ip": ip})).collect();
            status.insert(all.into(), list.into());
        }
    }
    status.insert("phase".into(), "Running".into());
    status.insert("startTime".into(), now.into());
}

/// A condition, with the reason why it does not hold.
fn set(pod: &mut Value, kind: &str, holds: bool, now: &str, why: &str) {
    let mut condition = json!({
        "type": kind, "status": if holds { "True" } else { "False" }, "lastProbeTime": null,
        "lastTransitionTime": now,
    });
    if !holds {
        condition["reason"] = why.into();
    }
    let conditions = field::child(pod, "status").entry("conditions").or_insert(json!([]));
    if let Some(all) = conditions.as_array_mut() {
        all.retain(|known| known["type"] != kind);
        all.push(condition);
    }
}

/// The running containers of the pod are ready.
pub(super) fn ready(pod: &mut Value, now: &str) {
    for kind in ["Ready", "ContainersReady"] {
        set(pod, kind, true, now, "");
    }
    let told = pod.pointer_mut("/status/containerStatuses").and_then(Value::as_array_mut);
    for container in told.into_iter().flatten() {
        container["ready"] = true.into();
    }
}

/// All containers of the pod have ended, with success or without.
pub(super) fn over(pod: &mut Value, now: &str, success: bool) {
    let containers = field::list(pod, "/spec/containers").iter().map(|container| {
        json!({
            "image": container["image"], "name": container["name"], "ready": false,
            "restartCount": 0, "started": false, "state": ended(now, success),
        })
    });
    let containers: Vec<_> = containers.collect();
    // Pods that end at once keep the conditions they had, as others that play nodes have it.
    if field::condition_is(pod, "Ready", "True")
        && field::map(pod, "/metadata/annotations").is_some()
    {
        let why = if success { "PodCompleted" } else { "PodFailed" };
        for kind in ["Ready", "ContainersReady"] {
            set(pod, kind, false, now, why);
        }
    }
    let status = field::child(pod, "status");
    status.insert("containerStatuses".into(), containers.into());
    status.insert("phase".into(), if success { "Succeeded" } else { "Failed" }.into());
}

fn ended(now: &str, success: bool) -> Value {
    let (code, reason) = if success { (0, "Completed") } else { (1, "Error") };
    json!({"terminated": {
        "exitCode": code, "reason": reason, "startedAt": now, "finishedAt": now,
    }})
}
