//! What can happen in the small cluster.

use model::{Change, Kind};
use serde_json::{Value, json};

use crate::objects::{self, APPS, NAMESPACES, NODES};
use crate::world::World;

fn of<T: Copy>(all: &[T], turn: u8) -> T {
    all[usize::from(turn) % all.len()]
}

pub fn happen(world: &mut World, what: u8, (a, b, c): (u8, u8, u8)) -> Vec<Change> {
    let (namespace, app) = (of(&NAMESPACES, a), of(&APPS, a / 3));
    let made = world.clock(-86_400);
    match what % 16 {
        0..=4 => pod(world, (namespace, app, a / 12 % 3), b, c),
        5..=7 => event(world, (namespace, app, a / 12 % 2), b, c),
        8 | 9 => node(world, of(&NODES, a), b, c),
        10 => {
            let (kind, _) = objects::owner(app);
            let kind = match (kind, c % 2) {
                ("ReplicaSet", 0) => Kind::Deployment,
                (kind, _) => Kind::from_name(kind).expect("a kind"),
            };
            if b % 8 == 7 {
                let name = match kind {
                    Kind::ReplicaSet => objects::owner(app).1,
                    _ => app.to_owned(),
                };
                world.gone(kind, namespace, &name)
            } else {
                world.put(kind, &objects::workload(kind, namespace, app, &made, c & b))
            }
        }
        11 => match b % 4 {
            3 => world.gone(Kind::Service, namespace, app),
            _ => world.put(Kind::Service, &objects::service(namespace, app, &made, c & b)),
        },
        12 => match b % 3 {
            2 => world.gone(Kind::EndpointSlice, namespace, &format!("{app}-slice")),
            ready => {
                world.put(Kind::EndpointSlice, &objects::slice(namespace, app, &made, ready == 0))
            }
        },
        13 => other(world, namespace, b, c),
        14 => {
            world.pass(of(&[1, 15, 61, 400, 4_000, 90_000], b));
            Vec::new()
        }
        _ => world.forget(b),
    }
}

fn other(world: &mut World, namespace: &str, turn: u8, odd: u8) -> Vec<Change> {
    let (made, later) = (world.clock(-86_400), world.clock(i64::from(odd) * 40 - 4_000));
    let (kind, value) = objects::other(turn, namespace, &made, &later, odd);
    if odd % 8 == 7 {
        let text = |key: &str| value["metadata"][key].as_str().unwrap_or_default().to_owned();
        return world.gone(kind, &text("namespace"), &text("name"));
    }
    world.put(kind, &value)
}

fn node(world: &mut World, name: &str, turn: u8, odd: u8) -> Vec<Change> {
    let (made, since) = (world.clock(-86_400), world.clock(-i64::from(odd) * 4));
    let value = match turn % 8 {
        0 | 1 => objects::node(name, &made, "True", &since, odd % 4),
        2 => objects::node(name, &made, "False", &since, odd % 4),
        3 | 4 => objects::node(name, &made, "Unknown", &since, odd % 4),
        5 => objects::node(name, &made, "True", &since, odd),
        6 => objects::node(name, &since, "True", &since, odd % 4),
        _ => return world.gone(Kind::Node, "", name),
    };
    world.put(Kind::Node, &value)
}

fn waiting(app: &str, reason: &str, message: &str, restarts: u8) -> Value {
    json!([{"name": app, "ready": false, "restartCount": restarts,
        "state": {"waiting": {"reason": reason, "message": message}}}])
}

fn pod(
    world: &mut World,
    (namespace, app, number): (&str, &str, u8),
    turn: u8,
    odd: u8,
) -> Vec<Change> {
    let (made, since) = (world.clock(-86_400), world.clock(-i64::from(odd) * 3));
    let mut node = of(&NODES, number + app.len() as u8 % 3);
    if odd % 16 == 1 {
        node = of(&NODES, turn);
    }
    let unready = |statuses: Value| {
        json!({"phase": "Running", "startTime": since, "conditions": [
            {"type": "Ready", "status": "False", "lastTransitionTime": since},
            {"type": "PodScheduled", "status": "True", "lastTransitionTime": made}],
            "containerStatuses": statuses})
    };
    let ended = |code: i32, reason: &str| {
        json!([{"name": app, "ready": false, "restartCount": odd / 8,
            "lastState": {"terminated": {"exitCode": code, "reason": reason,
                "finishedAt": since, "startedAt": made}},
            "state": {"waiting": {"reason": "CrashLoopBackOff",
                "message": "back-off 5m0s restarting failed container"}}}])
    };
    let status = match turn % 14 {
        0 | 1 => objects::running(app, &since, odd / 32),
        2 => unready(ended(1, "Error")),
        3 => unready(ended(137, "OOMKilled")),
        4 => unready(waiting(
            app,
            "ImagePullBackOff",
            "Back-off pulling image \"registry.example/app:1\": not found",
            0,
        )),
        5 => unready(waiting(app, "CreateContainerConfigError", "secret \"tokens\" not found", 0)),
        6 => unready(waiting(app, "ContainerCreating", "", 0)),
        7 => unready(json!([{"name": app, "ready": false, "restartCount": 0,
            "state": {"running": {"startedAt": made}}}])),
        8 => {
            node = "";
            json!({"phase": "Pending", "conditions": [{"type": "PodScheduled", "status": "False",
                "reason": "Unschedulable", "lastTransitionTime": since, "message":
                "0/4 nodes are available: 4 node(s) didn't match Pod's node affinity/selector."}]})
        }
        9 => json!({"phase": "Failed", "reason": "Evicted", "startTime": since, "message":
            "The node was low on resource: memory. Threshold quantity: 100Mi, available: 9Mi."}),
        10 => json!({"phase": "Succeeded", "startTime": since}),
        11 => unready(json!([{"name": app, "ready": false, "restartCount": 0,
            "state": {"terminated": {"exitCode": 1, "finishedAt": since}}}])),
        _ => return world.gone(Kind::Pod, namespace, &objects::pod_name(app, number)),
    };
    let spec = if odd % 4 == 3 { odd / 4 } else { 0 };
    let mut value = objects::pod((namespace, app, number), (node, spec), &made, status);
    if odd % 16 == 5 {
        value["metadata"]["deletionTimestamp"] = json!(since);
    }
    if odd % 32 == 9 {
        value["metadata"]["ownerReferences"] = json!([]);
    }
    if odd % 32 == 13 {
        value["metadata"]["labels"]["app"] = json!("other");
    }
    world.put(Kind::Pod, &value)
}

const SAYINGS: [(&str, &str, &str); 35] = [
    ("Pod", "FailedScheduling", "0/4 nodes are available: 4 Insufficient memory."),
    (
        "Pod",
        "Unhealthy",
        "Readiness probe failed: Get \"http://10.0.0.1:8080/\": connection refused",
    ),
    ("Pod", "Unhealthy", "Liveness probe failed: context deadline exceeded"),
    ("Pod", "BackOff", "Back-off restarting failed container"),
    ("Pod", "Failed", "Failed to pull image \"registry.example/app:1\": not found"),
    (
        "Pod",
        "FailedMount",
        "MountVolume.SetUp failed for volume \"c\" : configmap \"settings\" not found",
    ),
    (
        "Pod",
        "FailedCreatePodSandBox",
        "Failed to create pod sandbox: plugin type=\"calico\" failed",
    ),
    ("Pod", "FailedAttachVolume", "Multi-Attach error for volume \"pv-1\" Volume is already used"),
    ("Pod", "Evicted", "The node was low on resource: ephemeral-storage."),
    ("Pod", "Scheduled", "Successfully assigned shop/web to node-a"),
    ("Pod", "TaintManagerEviction", "Marking for deletion Pod shop/web"),
    ("Pod", "Killing", "Stopping container web"),
    ("Pod", "Pulled", "Container image already present on machine"),
    ("Pod", "Pulled", "Successfully pulled image \"registry.example/app:3\" in 1s"),
    ("Pod", "FailedScheduling", "0/4 nodes are available: 4 Insufficient cpu."),
    ("Pod", "MissingClusterDNS", "kubelet does not have ClusterDNS IP configured"),
    ("Pod", "FailedCreate", "etcdserver: mvcc: database space exceeded"),
    ("CronJob", "FailedNeedsStart", "cannot determine: too many missed start times: 101"),
    ("Node", "NodeNotReady", "Node status is now: NodeNotReady"),
    ("Node", "SystemOOM", "System OOM encountered, victim process: java, pid: 77"),
    ("Node", "EvictionThresholdMet", "Attempting to reclaim memory"),
    ("Node", "FreeDiskSpaceFailed", "failed to garbage collect required amount of images"),
    ("Node", "Rebooted", "Node node-a has been rebooted, boot id: x"),
    ("Node", "ContainerGCFailed", "rpc error: code = DeadlineExceeded"),
    ("Node", "RemovingNode", "Node node-a event: Removing Node node-a from Controller"),
    (
        "ReplicaSet",
        "FailedCreate",
        "Error creating: pods \"x\" is forbidden: exceeded quota: quota",
    ),
    (
        "ReplicaSet",
        "FailedCreate",
        "Error creating: Internal error occurred: failed calling webhook \"gate.example\": dial tcp: connection refused",
    ),
    ("Deployment", "ScalingReplicaSet", "Scaled up replica set"),
    (
        "PersistentVolumeClaim",
        "ProvisioningFailed",
        "storageclass.storage.k8s.io \"fast\" not found",
    ),
    ("PersistentVolumeClaim", "FailedBinding", "no persistent volumes available for this claim"),
    (
        "HorizontalPodAutoscaler",
        "FailedGetResourceMetric",
        "unable to get metrics for resource cpu",
    ),
    ("Service", "SyncLoadBalancerFailed", "Error syncing load balancer: quota exceeded"),
    ("Job", "BackoffLimitExceeded", "Job has reached the specified backoff limit"),
    ("Ingress", "Rejected", "service \"gone\" not found"),
    ("Gadget", "Odd", "nobody knows what this is"),
];

fn event(
    world: &mut World,
    (namespace, app, number): (&str, &str, u8),
    turn: u8,
    odd: u8,
) -> Vec<Change> {
    let (kind, reason, message) = of(&SAYINGS, turn);
    let name = match kind {
        "Pod" => objects::pod_name(app, number),
        "Node" => of(&NODES, odd).to_owned(),
        "ReplicaSet" => objects::owner(app).1,
        "PersistentVolumeClaim" => "data".to_owned(),
        "HorizontalPodAutoscaler" => "web".to_owned(),
        "Job" => "night-29000000".to_owned(),
        "Ingress" => "front".to_owned(),
        _ => app.to_owned(),
    };
    let place = if kind == "Node" { "" } else { namespace };
    let last = world.clock(-i64::from(odd) * 7);
    let normal = ["Scheduled", "Killing", "Pulled", "ScalingReplicaSet"].contains(&reason);
    world.tell(&json!({
        "metadata": {"name": "e", "namespace": if place.is_empty() { "default" } else { place }},
        "involvedObject": {"kind": kind, "namespace": place, "name": name},
        "type": if normal { "Normal" } else { "Warning" },
        "reason": reason, "message": message, "count": odd % 5 + 1,
        "firstTimestamp": world.clock(-i64::from(odd) * 9), "lastTimestamp": last,
        "source": {"component": "kubelet", "host": of(&NODES, odd)},
    }))
}
