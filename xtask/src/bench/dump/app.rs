//! One application: what its owner wrote, and what controllers made of it.

use super::super::faults::Fault;
use super::event::{self, Said};
use super::random::Random;
use super::{CREATED, Cluster, List, RECENT, STARTED, node, pod};
use anyhow::Result;
use serde_json::{Value, json};

const WORDS: &[&str] = &[
    "basket",
    "billing",
    "catalogue",
    "courier",
    "currency",
    "ledger",
    "mailer",
    "parcel",
    "price",
    "review",
    "search",
    "tax",
];

/// An application of the plan.
pub struct App {
    pub name: String,
    pub namespace: String,
    pub replicas: u32,
    pub fault: Option<Fault>,
    /// A second container beside the first.
    pub sidecar: bool,
    pub hash: String,
    pub uids: Uids,
    index: u32,
}

/// Identities of the objects that own others.
pub struct Uids {
    deployment: String,
    pub replica_set: String,
    service: String,
}

/// A pod as endpoints need it.
struct Bound {
    name: String,
    uid: String,
    address: String,
    node: String,
    ready: bool,
}

impl App {
    pub fn new(index: u32, replicas: u32, random: &mut Random) -> Self {
        let word = WORDS.get(index as usize % WORDS.len()).unwrap_or(&"app");
        App {
            name: format!("{word}-{index:05}"),
            namespace: format!("team-{:03}", index / 20),
            replicas,
            fault: None,
            sidecar: random.below(10) == 0,
            hash: random.suffix(10),
            uids: Uids {
                deployment: random.uid(),
                replica_set: random.uid(),
                service: random.uid(),
            },
            index,
        }
    }

    pub fn plant(&mut self, fault: Fault) {
        self.fault = Some(fault);
        if fault == Fault::Quota {
            // A quota concerns everybody in the namespace, so nobody else lives in it.
            self.namespace = format!("tight-{:05}", self.index);
            self.replicas = self.replicas.max(2);
        }
    }

    /// Whether the pod with this number is not ready.
    pub fn pod_fails(&self, number: u32) -> bool {
        match self.fault {
            Some(Fault::Unready) => number.is_multiple_of(2),
            Some(fault) => fault.on_pods(),
            None => false,
        }
    }

    /// Pods that exist: the quota lets one less in than are wanted.
    fn pods(&self) -> u32 {
        self.replicas - u32::from(self.fault == Some(Fault::Quota))
    }

    pub fn replica_set(&self) -> String {
        format!("{}-{}", self.name, self.hash)
    }

    pub fn labels(&self) -> Value {
        json!({"app.kubernetes.io/name": self.name, "app.kubernetes.io/part-of": "bench"})
    }

    /// Writes all objects of the application.
    pub fn write(&self, cluster: &mut Cluster, list: &mut List<'_>) -> Result<()> {
        list.object(&self.deployment())?;
        list.object(&self.replica_set_object())?;
        let bound = self.write_pods(cluster, list)?;
        list.object(&self.service())?;
        list.object(&self.slice(&bound, &mut cluster.random))?;
        let random = &mut cluster.random;
        match self.fault {
            Some(Fault::ClassMissing) => {
                let claim = self.claim(random);
                let message = "storageclass.storage.k8s.io \"fastest\" not found".to_owned();
                let said = Said {
                    reason: "ProvisioningFailed",
                    message,
                    count: 600,
                    component: "persistentvolume-controller",
                };
                list.object(&event::warning(&claim, &said, random))?;
                list.object(&claim)?;
            }
            Some(Fault::Quota) => {
                let message = format!("Error creating: {}", self.refusal());
                let said = Said {
                    reason: "FailedCreate",
                    message,
                    count: 40,
                    component: "replicaset-controller",
                };
                list.object(&event::warning(&self.replica_set_object(), &said, random))?;
                list.object(&self.quota(random))?;
            }
            _ => {}
        }
        Ok(())
    }

    fn write_pods(&self, cluster: &mut Cluster, list: &mut List<'_>) -> Result<Vec<Bound>> {
        let mut bound = Vec::new();
        let mut forms: [Option<String>; 2] = [None, None];
        for number in 0..self.pods() {
            let fails = self.pod_fails(number);
            let form = match &mut forms {
                [good, _] if !fails => good,
                [_, bad] => bad,
            };
            if form.is_none() {
                *form = Some(super::print(&pod::pod(self, fails))?);
            }
            let on = cluster.bound % cluster.nodes.max(1);
            let serial = cluster.bound / cluster.nodes.max(1);
            let random = &mut cluster.random;
            let stamp = pod::Stamp {
                name: format!("{}-{}", self.replica_set(), random.suffix(5)),
                uid: random.uid(),
                node: node::name(on),
                host: node::address(on),
                address: format!("10.{}.{}.{}", on / 256, on % 256, serial % 250 + 2),
                digest: random.digest(),
            };
            list.printed(&stamp.apply(form.as_deref().unwrap_or_default()))?;
            if let Some(said) = pod::complaint(self, fails) {
                let of = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {
                    "name": stamp.name, "namespace": self.namespace, "uid": stamp.uid}});
                list.object(&event::warning(&of, &said, random))?;
            }
            if self.fault.is_none_or(Fault::scheduled) {
                cluster.bound += 1;
                let pod::Stamp { name, uid, node, address, .. } = stamp;
                bound.push(Bound { name, uid, address, node, ready: !fails });
            }
        }
        Ok(bound)
    }

    fn meta(&self, name: &str, uid: &str) -> Value {
        json!({
            "name": name, "namespace": self.namespace, "uid": uid, "labels": self.labels(),
            "resourceVersion": format!("{}", 5000 + self.index), "generation": 2,
            "creationTimestamp": CREATED,
            "annotations": {"deployment.kubernetes.io/revision": "2"},
        })
    }

    fn deployment(&self) -> Value {
        let ready = (0..self.pods()).filter(|n| !self.pod_fails(*n)).count() as u32;
        let enough = ready >= self.replicas - self.replicas / 4;
        let mut conditions = vec![condition("Available", enough, "MinimumReplicas")];
        let reason = if enough { "NewReplicaSetAvailable" } else { "ProgressDeadlineExceeded" };
        conditions.push(
            json!({"type": "Progressing", "status": if enough { "True" } else { "False" },
            "reason": reason, "message": format!("ReplicaSet \"{}\"", self.replica_set()),
            "lastTransitionTime": STARTED, "lastUpdateTime": STARTED}),
        );
        if self.fault == Some(Fault::Quota) {
            conditions.push(self.replica_failure());
        }
        json!({
            "apiVersion": "apps/v1", "kind": "Deployment",
            "metadata": self.meta(&self.name, &self.uids.deployment),
            "spec": {
                "replicas": self.replicas, "revisionHistoryLimit": 10,
                "progressDeadlineSeconds": 600, "selector": {"matchLabels": self.labels()},
                "strategy": {"type": "RollingUpdate", "rollingUpdate":
                    {"maxSurge": "25%", "maxUnavailable": "25%"}},
                "template": pod::template(self),
            },
            "status": {
                "observedGeneration": 2, "replicas": self.pods(), "updatedReplicas": self.pods(),
                "readyReplicas": ready, "availableReplicas": ready,
                "unavailableReplicas": self.replicas - ready, "conditions": conditions,
            },
        })
    }

    fn replica_set_object(&self) -> Value {
        let ready = (0..self.pods()).filter(|n| !self.pod_fails(*n)).count();
        let mut meta = self.meta(&self.replica_set(), &self.uids.replica_set);
        if let Some(meta) = meta.as_object_mut() {
            let owner = owner("apps/v1", "Deployment", &self.name, &self.uids.deployment);
            meta.insert("ownerReferences".to_owned(), owner);
        }
        let failed = self.fault == Some(Fault::Quota);
        let conditions: Vec<Value> = failed.then(|| self.replica_failure()).into_iter().collect();
        json!({
            "apiVersion": "apps/v1", "kind": "ReplicaSet", "metadata": meta,
            "spec": {
                "replicas": self.replicas, "selector": {"matchLabels": pod::labels(self)},
                "template": pod::template(self),
            },
            "status": {
                "observedGeneration": 2, "replicas": self.pods(), "readyReplicas": ready,
                "availableReplicas": ready, "fullyLabeledReplicas": self.pods(),
                "conditions": conditions,
            },
        })
    }

    fn service(&self) -> Value {
        let mut selector = self.labels();
        if self.fault == Some(Fault::SelectorWrong) {
            selector = json!({"app.kubernetes.io/name": format!("{}-next", self.name)});
        }
        let address = format!("10.96.{}.{}", self.index / 250 % 256, self.index % 250 + 2);
        json!({
            "apiVersion": "v1", "kind": "Service",
            "metadata": self.meta(&self.name, &self.uids.service),
            "spec": {
                "type": "ClusterIP", "clusterIP": address, "clusterIPs": [address],
                "ipFamilies": ["IPv4"], "ipFamilyPolicy": "SingleStack", "selector": selector,
                "internalTrafficPolicy": "Cluster", "sessionAffinity": "None",
                "ports": [{"name": "http", "port": 80, "targetPort": "http", "protocol": "TCP"}],
            },
            "status": {"loadBalancer": {}},
        })
    }

    fn slice(&self, bound: &[Bound], random: &mut Random) -> Value {
        let wrong = self.fault == Some(Fault::SelectorWrong);
        let endpoints: Vec<Value> = bound
            .iter()
            .filter(|_| !wrong)
            .map(|pod| {
                json!({
                    "addresses": [pod.address], "nodeName": pod.node,
                    "conditions": {"ready": pod.ready, "serving": pod.ready, "terminating": false},
                    "targetRef": {"kind": "Pod", "namespace": self.namespace, "name": pod.name,
                        "uid": pod.uid},
                })
            })
            .collect();
        json!({
            "apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "addressType": "IPv4",
            "metadata": {
                "name": format!("{}-{}", self.name, random.suffix(5)), "namespace": self.namespace,
                "uid": random.uid(), "resourceVersion": "700", "creationTimestamp": CREATED,
                "labels": {"kubernetes.io/service-name": self.name},
                "ownerReferences": owner("v1", "Service", &self.name, &self.uids.service),
            },
            "endpoints": endpoints,
            "ports": [{"name": "http", "port": 8080, "protocol": "TCP"}],
        })
    }

    fn claim(&self, random: &mut Random) -> Value {
        json!({
            "apiVersion": "v1", "kind": "PersistentVolumeClaim",
            "metadata": self.meta(&format!("{}-data", self.name), &random.uid()),
            "spec": {"accessModes": ["ReadWriteOnce"], "storageClassName": "fastest",
                "volumeMode": "Filesystem", "resources": {"requests": {"storage": "20Gi"}}},
            "status": {"phase": "Pending"},
        })
    }

    fn quota(&self, random: &mut Random) -> Value {
        let hard = json!({"pods": self.pods().to_string()});
        json!({
            "apiVersion": "v1", "kind": "ResourceQuota",
            "metadata": self.meta("team-quota", &random.uid()),
            "spec": {"hard": hard}, "status": {"hard": hard, "used": hard},
        })
    }

    fn refusal(&self) -> String {
        let (set, pods) = (self.replica_set(), self.pods());
        format!(
            "pods \"{set}-x2x4z\" is forbidden: exceeded quota: team-quota, requested: pods=1, \
             used: pods={pods}, limited: pods={pods}"
        )
    }

    fn replica_failure(&self) -> Value {
        json!({"type": "ReplicaFailure", "status": "True", "reason": "FailedCreate",
            "message": self.refusal(), "lastTransitionTime": STARTED, "lastUpdateTime": RECENT})
    }
}

fn condition(kind: &str, holds: bool, reason: &str) -> Value {
    let word = if holds { "Available" } else { "Unavailable" };
    json!({"type": kind, "status": if holds { "True" } else { "False" },
        "reason": format!("{reason}{word}"), "lastTransitionTime": STARTED,
        "lastUpdateTime": STARTED,
        "message": if holds { "Deployment has minimum availability." }
            else { "Deployment does not have minimum availability." }})
}

pub fn owner(api_version: &str, kind: &str, name: &str, uid: &str) -> Value {
    json!([{"apiVersion": api_version, "kind": kind, "name": name, "uid": uid,
        "controller": true, "blockOwnerDeletion": true}])
}
