//! Stand-ins: nodes that somebody made through the API have no machine, and yet their pods
//! shall run. They are well at once, so are their pods; pods of Jobs end at once; what is
//! deleted goes at once. No image is pulled and no event is told.
//!
//! It must never touch what has been posted by hand: a pod is answered for only once.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::{Value, json};

use crate::api::GIT_VERSION;
use crate::cluster::{Actor, Context};
use crate::field;
use crate::kinds::{LEASE, NODE, POD};
use crate::registry::{DeleteOptions, Heartbeat, NODE_LEASES, Part};
use crate::scenario::conditions;
use crate::store::{Change, Object};

/// What such nodes say they run, as others that make nodes without machines have it.
const PROGRAM: &str = "kwok-0.8.0";
/// Under this name their writes are noted.
const MANAGER: &str = "kwok";

/// The kubelets of all nodes without a machine.
#[derive(Debug, Default)]
pub(crate) struct StandIns {
    nodes: BTreeSet<String>,
    next_address: u32,
}

impl Actor for StandIns {
    fn name(&self) -> &str {
        "stand-ins"
    }

    fn reads(&self, change: &Change) -> bool {
        change.key.resource == NODE.storage || change.key.resource == POD.storage
    }

    fn step(&mut self, changes: &[Arc<Change>], context: &mut Context<'_>) {
        for change in changes {
            let name = &change.key.name;
            match (&change.after, change.key.resource == NODE.storage) {
                (Some(node), true) => self.join(context, node),
                (None, true) if self.nodes.remove(name) => {
                    context.registry.heartbeats.remove(name);
                }
                (Some(pod), false) => self.play(context, pod),
                _ => {}
            }
        }
    }
}

impl StandIns {
    /// Takes up a node that nobody runs.
    fn join(&mut self, context: &mut Context<'_>, node: &Object) {
        let (name, now) = (field::name(node).to_owned(), context.now());
        if context.registry.heartbeats.contains_key(&name) {
            return;
        }
        self.nodes.insert(name.clone());
        let beat = Heartbeat { since: now, stopped: None, has_machine: false };
        context.registry.heartbeats.insert(name.clone(), beat);
        context.registry.beats += 1;
        let lease = json!({
            "metadata": {"name": name, "ownerReferences": [{
                "apiVersion": "v1", "kind": "Node", "name": name, "uid": field::uid(node),
            }]},
            "spec": {"holderIdentity": name, "leaseDurationSeconds": 40},
        });
        // It may have been left by a node of the same name.
        drop(context.registry.create(&LEASE, NODE_LEASES, lease));
        let posted = context.registry.modify_as(MANAGER, (&NODE, node, Part::Status), |node| {
            node_status(node, &now.to_string());
        });
        drop(posted);
        let here = |pod: &&Object| field::text(pod, "/spec/nodeName") == name;
        let pods = context.registry.store.table(POD.storage).values();
        let pods: Vec<Object> = pods.filter(here).cloned().collect();
        for pod in &pods {
            self.play(context, pod);
        }
    }

    /// Brings a pod one step on.
    fn play(&mut self, context: &mut Context<'_>, pod: &Object) {
        let node = field::text(pod, "/spec/nodeName");
        let current = context.registry.get(&POD, field::namespace(pod), field::name(pod));
        // Newer changes come in their turn.
        let Ok(pod) = current.map(Arc::clone) else { return };
        if !self.nodes.contains(node) {
            return;
        }
        if field::is_deleting(&pod) {
            let options = DeleteOptions {
                grace_seconds: Some(0),
                uid: Some(field::uid(&pod).to_owned()),
                ..DeleteOptions::default()
            };
            let (namespace, name) = (field::namespace(&pod), field::name(&pod));
            drop(context.registry.delete(&POD, namespace, name, &options));
            return;
        }
        let now = context.now().to_string();
        let owners = field::list(&pod, "/metadata/ownerReferences");
        let is_job = owners.iter().any(|owner| field::text(owner, "/kind") == "Job");
        match field::text(&pod, "/status/phase") {
            "Pending" if !field::condition_is(&pod, "Ready", "True") => {
                let hosts = host_addresses(context, node);
                self.next_address += 1;
                let address = self.next_address;
                let own = format!("10.{}.{}.{}", 1 + address / 64_000, address / 250 % 256, {
                    1 + address % 250
                });
                let host = field::flag(&pod, "/spec/hostNetwork");
                let ips = if host { hosts.clone() } else { vec![own] };
                let posted =
                    context.registry.modify_as(MANAGER, (&POD, &pod, Part::Status), |pod| {
                        running(pod, &now, &hosts, &ips);
                    });
                drop(posted);
            }
            "Running" if is_job => {
                let posted =
                    context.registry.modify_as(MANAGER, (&POD, &pod, Part::Status), |pod| {
                        over(pod, &now);
                    });
                drop(posted);
            }
            _ => {}
        }
    }
}

fn host_addresses(context: &Context<'_>, node: &str) -> Vec<String> {
    let Ok(node) = context.registry.get(&NODE, "", node) else { return Vec::new() };
    let all = field::list(node, "/status/addresses").iter();
    let internal = all.filter(|address| field::text(address, "/type") == "InternalIP");
    internal.map(|address| field::text(address, "/address").to_owned()).collect()
}

/// What the maker of the node left out.
fn node_status(node: &mut Value, now: &str) {
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

/// All containers of the pod run and are ready.
fn running(pod: &mut Value, now: &str, hosts: &[String], ips: &[String]) {
    let runs = json!({"running": {"startedAt": now}});
    let told = |container: &Value, is_init: bool| {
        let lasts = field::text(container, "/restartPolicy") == "Always";
        let mut told = json!({
            "image": container["image"], "name": container["name"], "ready": true,
            "restartCount": 0, "state": runs,
        });
        if is_init && lasts {
            told["started"] = true.into();
        } else if is_init {
            told["state"] = ended(now);
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
    for kind in ["Initialized", "Ready", "ContainersReady"].into_iter().chain(gates) {
        let condition = json!({
            "type": kind, "status": "True", "lastProbeTime": null, "lastTransitionTime": now,
        });
        let conditions = field::child(pod, "status").entry("conditions").or_insert(json!([]));
        if let Some(all) = conditions.as_array_mut() {
            all.retain(|known| known["type"] != kind);
            all.push(condition);
        }
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

fn ended(now: &str) -> Value {
    json!({"terminated": {
        "exitCode": 0, "reason": "Completed", "startedAt": now, "finishedAt": now,
    }})
}

/// All containers of the pod have done their work.
fn over(pod: &mut Value, now: &str) {
    let containers = field::list(pod, "/spec/containers").iter().map(|container| {
        json!({
            "image": container["image"], "name": container["name"], "ready": false,
            "restartCount": 0, "started": false, "state": ended(now),
        })
    });
    let containers: Vec<_> = containers.collect();
    let status = field::child(pod, "status");
    status.insert("containerStatuses".into(), containers.into());
    status.insert("phase".into(), "Succeeded".into());
}
