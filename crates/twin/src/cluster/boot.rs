//! Building the scenario's cluster.

use serde_json::{Value, json};

use super::{Cluster, Due, component};
use crate::access::{self, Authorization};
use crate::controllers;
use crate::field;
use crate::kernel::{Dice, SECOND, plus};
use crate::kinds::{
    self, COMPONENT_STATUS, DEPLOYMENT, ENDPOINT_SLICE, ENDPOINTS, LEASE, NAMESPACE, NODE, POD,
    PRIORITY_CLASS, SERVICE,
};
use crate::ownership::Manager;
use crate::registry::{Heartbeat, NODE_LEASES, Noted, Part, Write};
use crate::scenario::{Controllers, NodeSpec, host_address};
use crate::store::Key;
use crate::world::{Machine, Renewal, StandIns};

/// Namespaces that every cluster has.
const NAMESPACES: [&str; 4] = ["default", "kube-system", "kube-public", NODE_LEASES];
/// Pods that a control-plane node runs from files: name, image, MiB.
const STATIC_PODS: [(&str, &str, i64); 4] = [
    ("etcd", "registry.k8s.io/etcd:3.6.5-0", 100),
    ("kube-apiserver", "registry.k8s.io/kube-apiserver:v1.36.1", 250),
    ("kube-controller-manager", "registry.k8s.io/kube-controller-manager:v1.36.1", 100),
    ("kube-scheduler", "registry.k8s.io/kube-scheduler:v1.36.1", 50),
];

/// Priority classes that every cluster has.
const PRIORITIES: [(&str, i64); 2] =
    [("system-cluster-critical", 2_000_000_000), ("system-node-critical", 2_000_001_000)];

impl Cluster {
    /// Creates all objects and seats all actors. A manifest that the registry refuses is among
    /// the refusals.
    pub(super) fn boot(&mut self) {
        let chosen = self.scenario.controllers.clone();
        for actor in controllers::all() {
            if chosen.has(controllers::short_name(actor.name())) {
                let component = component::of(actor.as_ref());
                self.seat(actor, Some(component));
            }
        }
        self.seat(Box::new(StandIns::default()), None);
        if chosen != Controllers::All {
            self.seat(Box::new(Renewal), None);
        }
        self.found();
        let nodes = self.scenario.nodes.clone();
        for (index, spec) in nodes.iter().enumerate() {
            self.join(index, spec);
        }
        self.publish_apiserver(&nodes);
        for workload in self.scenario.workloads.clone() {
            self.namespace(&workload.namespace);
            self.make(&DEPLOYMENT, &workload.namespace, workload.deployment());
            if let Some(service) = workload.service() {
                self.make(&SERVICE, &workload.namespace, service);
            }
        }
        for object in self.scenario.objects.clone() {
            let version = field::text(&object, "/apiVersion");
            let kind = kinds::of_object(version, field::text(&object, "/kind"));
            match kind {
                Some(kind) => {
                    let namespace = match field::namespace(&object) {
                        "" if kind.namespaced => "default".to_owned(),
                        named => named.to_owned(),
                    };
                    if !namespace.is_empty() {
                        self.namespace(&namespace);
                    }
                    self.make(kind, &namespace, object);
                }
                None => {
                    let (kind, name) = (field::text(&object, "/kind"), field::name(&object));
                    self.refusals.push(format!("{kind} {name}: {version} has no such kind"));
                }
            }
        }
        for (index, (after_seconds, _)) in self.scenario.timeline.iter().enumerate() {
            let at = plus(self.scenario.start, after_seconds.saturating_mul(SECOND));
            self.queue.schedule(at, Due::Fault(index));
        }
    }

    /// Who may do what from now on. Roles and bindings of earlier are kept.
    pub fn authorize(&mut self, authorization: Authorization) {
        self.registry.access.mode = authorization;
        if authorization != Authorization::Rbac {
            return;
        }
        for object in access::bootstrap_objects() {
            let version = field::text(&object, "/apiVersion");
            let Some(kind) = kinds::of_object(version, field::text(&object, "/kind")) else {
                continue;
            };
            let namespace = field::namespace(&object).to_owned();
            let manager = Manager {
                name: "kube-apiserver".into(),
                applies: false,
                api_version: kind.api_version(),
                subresource: String::new(),
            };
            let write = Write { noted: Noted::Update(&manager), ..Write::own(Part::Spec) };
            // What is there already is kept as it is.
            drop(self.registry.create_by(kind, &namespace, object, write));
        }
        self.hand_out();
    }

    /// What an API server makes by itself.
    pub(super) fn found(&mut self) {
        for name in NAMESPACES {
            self.namespace(name);
        }
        for (name, value) in PRIORITIES {
            let class = json!({"metadata": {"name": name}, "value": value});
            self.make(&PRIORITY_CLASS, "", class);
        }
        self.make(&SERVICE, "default", kubernetes_service());
        for component in ["controller-manager", "etcd-0", "scheduler"] {
            let healthy = json!([{"type": "Healthy", "status": "True", "message": "ok"}]);
            let kind = &COMPONENT_STATUS;
            let (namespace, name) = (String::new(), component.to_owned());
            let status = json!({
                "kind": kind.kind, "apiVersion": kind.api_version(),
                "metadata": {"name": component}, "conditions": healthy,
            });
            self.registry.store.put(Key { resource: kind.storage, namespace, name }, status);
        }
    }

    /// The endpoints of the `kubernetes` Service are the API servers' own affair.
    fn publish_apiserver(&mut self, nodes: &[NodeSpec]) {
        let serving = nodes.iter().enumerate().filter(|(_, node)| node.control_plane);
        let addresses: Vec<_> = serving.map(|(index, _)| host_address(index)).collect();
        let port = json!([{"name": "https", "port": 6443, "protocol": "TCP"}]);
        let old: Vec<_> = addresses.iter().map(|ip| json!({"ip": ip})).collect();
        let endpoints = json!({
            "metadata": {"name": "kubernetes"},
            "subsets": [{"addresses": old, "ports": port}],
        });
        self.make(&ENDPOINTS, "default", endpoints);
        let new = addresses.iter().map(|ip| {
            json!({
                "addresses": [ip],
                "conditions": {"ready": true, "serving": true, "terminating": false},
            })
        });
        let slice = json!({
            "metadata": {
                "name": "kubernetes", "labels": {"kubernetes.io/service-name": "kubernetes"},
            },
            "addressType": "IPv4", "endpoints": new.collect::<Vec<_>>(), "ports": port,
        });
        self.make(&ENDPOINT_SLICE, "default", slice);
    }

    fn namespace(&mut self, name: &str) {
        if self.registry.get(&NAMESPACE, "", name).is_err() {
            self.make(&NAMESPACE, "", json!({"metadata": {"name": name}}));
        }
    }

    fn make(&mut self, kind: &'static kinds::Kind, namespace: &str, value: Value) {
        let name = field::name(&value).to_owned();
        if let Err(why) = self.registry.create(kind, namespace, value) {
            self.refusals.push(format!("{} {name}: {}", kind.kind, why.message));
        }
        self.hand_out();
    }

    /// A node registers: its Node, its lease, its heartbeat, its static pods, its kubelet.
    fn join(&mut self, index: usize, spec: &NodeSpec) {
        let now = self.registry.now;
        let node = match self.registry.create(&NODE, "", spec.node(index, now)) {
            Ok(node) => node,
            Err(why) => {
                self.refusals.push(format!("Node {}: {}", spec.name, why.message));
                return;
            }
        };
        let lease = spec.lease(field::uid(&node));
        self.make(&LEASE, NODE_LEASES, lease);
        let mut dice = Dice::of(self.scenario.seed, &format!("heartbeat-{}", spec.name));
        let since = plus(now, dice.between(0, 10 * SECOND));
        let beat = Heartbeat { since, stopped: None, has_machine: true };
        self.registry.heartbeats.insert(spec.name.clone(), beat);
        self.seat(Box::new(Machine::new(index, spec)), None);
        if spec.control_plane {
            for (name, image, mebibytes) in STATIC_PODS {
                let pod = static_pod(spec, field::uid(&node), name, image, mebibytes);
                self.make(&POD, "kube-system", pod);
            }
        }
    }
}

fn static_pod(node: &NodeSpec, node_uid: &str, name: &str, image: &str, mebibytes: i64) -> Value {
    json!({
        "metadata": {
            "name": format!("{name}-{}", node.name),
            "labels": {"component": name, "tier": "control-plane"},
            "annotations": {"kubernetes.io/config.source": "file"},
            "ownerReferences": [{
                "apiVersion": "v1", "kind": "Node", "name": node.name, "uid": node_uid,
                "controller": true,
            }],
        },
        "spec": {
            "nodeName": node.name, "hostNetwork": true,
            "priorityClassName": "system-node-critical", "priority": 2_000_001_000,
            "tolerations": [{"effect": "NoExecute", "operator": "Exists"}],
            "containers": [{
                "name": name, "image": image,
                "resources": {
                    "requests": {"cpu": "100m", "memory": format!("{mebibytes}Mi")},
                },
            }],
        },
    })
}

fn kubernetes_service() -> Value {
    json!({
        "metadata": {
            "name": "kubernetes",
            "labels": {"component": "apiserver", "provider": "kubernetes"},
        },
        "spec": {
            "clusterIP": "10.96.0.1", "clusterIPs": ["10.96.0.1"],
            "ports": [{"name": "https", "port": 443, "targetPort": 6443}],
        },
    })
}
