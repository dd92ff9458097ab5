//! A made cluster as `kubectl get -o json` prints it: nodes, applications of ten pods each with
//! a Service, all well, until a test breaks something.

use serde_json::{Value, json};

/// When the list was made.
pub const NOW: &str = "2026-03-01T10:00:00Z";
const BEFORE: &str = "2026-02-01T08:00:00Z";
const PODS_EACH: usize = 10;

/// Objects of a cluster.
pub struct Made {
    /// The objects, in the order a list has them.
    pub items: Vec<Value>,
    nodes: usize,
}

impl Made {
    /// So many nodes and applications, called `node-0`... and `app-0`... in the namespace `shop`.
    pub fn new(nodes: usize, apps: usize) -> Self {
        let mut made = Made { items: Vec::new(), nodes };
        made.items.extend((0..nodes).map(node));
        (0..apps).for_each(|at| made.app(&format!("app-{at}"), at * PODS_EACH));
        made
    }

    /// The text of one list.
    pub fn text(&self) -> String {
        json!({"apiVersion": "v1", "kind": "List", "items": self.items}).to_string()
    }

    /// The objects of this kind whose name begins so.
    pub fn all<'a>(
        &'a mut self,
        kind: &'a str,
        name: &'a str,
    ) -> impl Iterator<Item = &'a mut Value> {
        let is_it = move |o: &&mut Value| {
            o["kind"] == kind && o["metadata"]["name"].as_str().is_some_and(|n| n.starts_with(name))
        };
        self.items.iter_mut().filter(is_it)
    }

    /// Makes the pods of an application wait for this reason, and takes them from its Service.
    pub fn wait(&mut self, app: &str, reason: &str, message: &str) {
        for pod in self.all("Pod", &format!("{app}-")) {
            unready(pod, "ContainersNotReady");
            pod["status"]["containerStatuses"][0] = json!({
                "name": "main", "ready": false, "restartCount": 0, "image": "registry.example/app:1",
                "state": {"waiting": {"reason": reason, "message": message}},
            });
        }
        for slice in self.all("EndpointSlice", &format!("{app}-")) {
            for endpoint in slice["endpoints"].as_array_mut().unwrap() {
                endpoint["conditions"]["ready"] = json!(false);
            }
        }
        for deployment in self.all("Deployment", app) {
            deployment["status"]["readyReplicas"] = json!(0);
        }
    }

    /// Silences a node: its pods stay as they were and are not ready.
    pub fn silence(&mut self, node: &str) {
        for n in self.all("Node", node) {
            n["status"]["conditions"][0] = json!({
                "type": "Ready", "status": "Unknown", "reason": "NodeStatusUnknown",
                "message": "Kubelet stopped posting node status.",
                "lastHeartbeatTime": "2026-03-01T09:49:00Z",
                "lastTransitionTime": "2026-03-01T09:50:00Z",
            });
        }
        for pod in self.items.iter_mut().filter(|o| o["spec"]["nodeName"] == node) {
            unready(pod, "NodeNotReady");
        }
        for slice in self.items.iter_mut().filter(|o| o["kind"] == "EndpointSlice") {
            for endpoint in slice["endpoints"].as_array_mut().unwrap() {
                if endpoint["nodeName"] == node {
                    endpoint["conditions"]["ready"] = json!(false);
                }
            }
        }
    }

    fn app(&mut self, name: &str, first: usize) {
        let labels = json!({"app": name});
        let spec = json!({"containers": [{
            "name": "main", "image": "registry.example/app:1",
            "ports": [{"containerPort": 8080, "name": "http"}],
            "resources": {"requests": {"cpu": "50m", "memory": "64Mi"},
                "limits": {"memory": "128Mi"}},
        }]});
        let meta = |name: &str| {
            json!({
                "name": name, "namespace": "shop", "labels": labels, "creationTimestamp": BEFORE,
            })
        };
        let template = json!({"metadata": {"labels": labels}, "spec": spec});
        let counts = json!({"replicas": PODS_EACH, "readyReplicas": PODS_EACH,
            "availableReplicas": PODS_EACH, "updatedReplicas": PODS_EACH, "observedGeneration": 1});
        let set = format!("{name}-5d4f8c7b9");
        let body = |kind: &str, meta: Value| {
            json!({
                "apiVersion": "apps/v1", "kind": kind, "metadata": meta,
                "spec": {"replicas": PODS_EACH, "selector": {"matchLabels": labels},
                    "template": template},
                "status": counts,
            })
        };
        let owned = |kind: &str, owner: &str, mut meta: Value| {
            meta["ownerReferences"] = json!([{"apiVersion": "apps/v1", "kind": kind, "name": owner,
                "controller": true, "uid": owner}]);
            meta
        };
        self.items.push(body("Deployment", meta(name)));
        self.items.push(body("ReplicaSet", owned("Deployment", name, meta(&set))));
        let mut endpoints = Vec::new();
        for at in 0..PODS_EACH {
            let pod = format!("{set}-{}", tail(first + at));
            let node = format!("node-{}", (first + at) % self.nodes);
            let mut spec = spec.clone();
            spec["nodeName"] = json!(node);
            self.items.push(json!({
                "apiVersion": "v1", "kind": "Pod",
                "metadata": owned("ReplicaSet", &set, meta(&pod)), "spec": spec,
                "status": {
                    "phase": "Running", "startTime": BEFORE,
                    "conditions": [{"type": "Ready", "status": "True",
                        "lastTransitionTime": BEFORE}],
                    "containerStatuses": [{"name": "main", "ready": true, "restartCount": 0,
                        "image": "registry.example/app:1",
                        "state": {"running": {"startedAt": BEFORE}}}],
                },
            }));
            endpoints.push(json!({"addresses": ["10.1.0.1"], "conditions": {"ready": true},
                "nodeName": node, "targetRef": {"kind": "Pod", "name": pod}}));
        }
        self.items.push(json!({
            "apiVersion": "v1", "kind": "Service", "metadata": meta(name),
            "spec": {"selector": {"app": name}, "clusterIP": "10.96.0.1", "type": "ClusterIP",
                "ports": [{"port": 80, "targetPort": 8080, "protocol": "TCP"}]},
        }));
        let mut slice = meta(&format!("{name}-x2x4z"));
        slice["labels"] = json!({"kubernetes.io/service-name": name});
        self.items.push(json!({
            "apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "metadata": slice,
            "addressType": "IPv4", "endpoints": endpoints,
            "ports": [{"port": 8080, "protocol": "TCP"}],
        }));
    }
}

fn node(at: usize) -> Value {
    let room = json!({"cpu": "16", "memory": "64Gi", "pods": "110"});
    json!({
        "apiVersion": "v1", "kind": "Node",
        "metadata": {"name": format!("node-{at}"), "creationTimestamp": BEFORE,
            "labels": {"kubernetes.io/hostname": format!("node-{at}")}},
        "spec": {},
        "status": {
            "capacity": room, "allocatable": {"cpu": "15", "memory": "60Gi", "pods": "110"},
            "conditions": [{"type": "Ready", "status": "True", "reason": "KubeletReady",
                "message": "kubelet is posting ready status", "lastHeartbeatTime": NOW,
                "lastTransitionTime": BEFORE}],
            "nodeInfo": {"kubeletVersion": "v1.33.1"},
        },
    })
}

fn unready(pod: &mut Value, reason: &str) {
    pod["status"]["conditions"][0] = json!({"type": "Ready", "status": "False", "reason": reason,
        "lastTransitionTime": "2026-03-01T09:51:00Z"});
}

/// Five characters of the alphabet that controllers name pods with.
fn tail(at: usize) -> String {
    let letters = b"bcdfghjklmnpqrstvwxz";
    let letter = |shift: u32| char::from(letters[at / 20_usize.pow(shift) % 20]);
    (0..5).map(letter).collect()
}
