//! Pods: what the template asks for, and what the kubelet reports.

use super::super::faults::Fault;
use super::app::{App, owner};
use super::event::Said;
use super::{CREATED, RECENT, STARTED};
use serde_json::{Value, json};

/// What differs between two pods of an application that are in the same state.
pub struct Stamp {
    pub name: String,
    pub uid: String,
    pub node: String,
    pub host: String,
    pub address: String,
    pub digest: String,
}

impl Stamp {
    /// Puts the words in the places kept for them.
    pub fn apply(&self, form: &str) -> String {
        form.replace("@POD@", &self.name)
            .replace("@UID@", &self.uid)
            .replace("@NODE@", &self.node)
            .replace("@HOST@", &self.host)
            .replace("@IP@", &self.address)
            .replace("@CID@", &self.digest)
    }
}

/// Labels of the pods.
pub fn labels(app: &App) -> Value {
    let mut labels = app.labels();
    if let Some(labels) = labels.as_object_mut() {
        labels.insert("pod-template-hash".to_owned(), app.hash.as_str().into());
    }
    labels
}

fn image(app: &App) -> String {
    let tag = if app.fault == Some(Fault::ImageMissing) { "v9.9.9" } else { "v1.4.2" };
    format!("registry.example.com/shop/{}:{tag}", app.name)
}

/// The template of the Deployment and its ReplicaSet.
pub fn template(app: &App) -> Value {
    json!({
        "metadata": {"labels": labels(app), "annotations": {"team": "shop"}},
        "spec": {
            "containers": containers(app), "volumes": volumes(app), "restartPolicy": "Always",
            "dnsPolicy": "ClusterFirst", "schedulerName": "default-scheduler",
            "serviceAccountName": "default", "serviceAccount": "default",
            "terminationGracePeriodSeconds": 30,
            "securityContext": {"runAsUser": 1000, "fsGroup": 1000},
        },
    })
}

fn containers(app: &App) -> Vec<Value> {
    let cpu = if app.fault == Some(Fault::TooBig) { "200" } else { "100m" };
    let memory = if app.fault == Some(Fault::MemoryLimit) { "64Mi" } else { "256Mi" };
    let probe = |path: &str| {
        json!({"httpGet": {"path": path, "port": "http", "scheme": "HTTP"}, "periodSeconds": 10,
            "initialDelaySeconds": 5, "timeoutSeconds": 1, "successThreshold": 1,
            "failureThreshold": 3})
    };
    let mut env_from = Vec::new();
    if app.fault == Some(Fault::SecretMissing) {
        env_from.push(json!({"secretRef": {"name": format!("{}-keys", app.name)}}));
    }
    let mut mounts = vec![json!({"name": "tmp", "mountPath": "/tmp"}), access_mount()];
    if app.fault == Some(Fault::ClassMissing) {
        mounts.push(json!({"name": "data", "mountPath": "/var/lib/app"}));
    }
    let field = |path: &str| json!({"fieldRef": {"apiVersion": "v1", "fieldPath": path}});
    let mut all = vec![json!({
        "name": "app", "image": image(app), "imagePullPolicy": "IfNotPresent",
        "args": ["serve", "--listen=:8080", "--metrics=:9090"],
        "ports": [{"name": "http", "containerPort": 8080, "protocol": "TCP"}],
        "env": [{"name": "POD_NAME", "valueFrom": field("metadata.name")},
            {"name": "CACHE_SECONDS", "value": "30"}],
        "envFrom": env_from,
        "resources": {"requests": {"cpu": cpu, "memory": "64Mi"},
            "limits": {"cpu": cpu, "memory": memory}},
        "readinessProbe": probe("/ready"),
        "volumeMounts": mounts, "terminationMessagePath": "/dev/termination-log",
        "terminationMessagePolicy": "File",
        "securityContext": {"allowPrivilegeEscalation": false, "readOnlyRootFilesystem": true,
            "runAsNonRoot": true},
    })];
    if app.sidecar {
        all.push(json!({
            "name": "proxy", "image": "registry.example.com/mesh/proxy:v3.1.0",
            "imagePullPolicy": "IfNotPresent", "args": ["--to=127.0.0.1:8080"],
            "ports": [{"name": "mesh", "containerPort": 15001, "protocol": "TCP"}],
            "resources": {"requests": {"cpu": "10m", "memory": "32Mi"},
                "limits": {"cpu": "100m", "memory": "64Mi"}},
            "volumeMounts": [access_mount()], "terminationMessagePath": "/dev/termination-log",
            "terminationMessagePolicy": "File",
        }));
    }
    all
}

fn access_mount() -> Value {
    json!({"name": "kube-api-access", "readOnly": true,
        "mountPath": "/var/run/secrets/kubernetes.io/serviceaccount"})
}

fn volumes(app: &App) -> Vec<Value> {
    let mut all = vec![
        json!({"name": "tmp", "emptyDir": {}}),
        json!({"name": "kube-api-access", "projected": {"defaultMode": 420, "sources": [
            {"serviceAccountToken": {"expirationSeconds": 3607, "path": "token"}},
        ]}}),
    ];
    if app.fault == Some(Fault::ClassMissing) {
        let claim = format!("{}-data", app.name);
        all.push(json!({"name": "data", "persistentVolumeClaim": {"claimName": claim}}));
    }
    all
}

/// A pod with places kept for what its stamp says.
pub fn pod(app: &App, fails: bool) -> Value {
    let scheduled = app.fault.is_none_or(Fault::scheduled);
    let mut template = template(app);
    let mut spec = template.get_mut("spec").map(Value::take).unwrap_or_default();
    if let Some(spec) = spec.as_object_mut() {
        if scheduled {
            spec.insert("nodeName".to_owned(), "@NODE@".into());
        }
        spec.insert("enableServiceLinks".to_owned(), true.into());
        spec.insert("preemptionPolicy".to_owned(), "PreemptLowerPriority".into());
        spec.insert("priority".to_owned(), 0.into());
        let tolerations: Vec<Value> = ["not-ready", "unreachable"]
            .iter()
            .map(|key| {
                json!({"key": format!("node.kubernetes.io/{key}"), "operator": "Exists",
                "effect": "NoExecute", "tolerationSeconds": 300})
            })
            .collect();
        spec.insert("tolerations".to_owned(), tolerations.into());
    }
    let set = app.replica_set();
    json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {
            "name": "@POD@", "generateName": format!("{set}-"), "namespace": app.namespace,
            "uid": "@UID@", "resourceVersion": "800", "creationTimestamp": CREATED,
            "labels": labels(app), "annotations": {"prometheus.io/scrape": "true"},
            "ownerReferences": owner("apps/v1", "ReplicaSet", &set, &app.uids.replica_set),
        },
        "spec": spec,
        "status": if scheduled { running(app, fails) } else { pending(app) },
    })
}

fn pending(app: &App) -> Value {
    json!({"phase": "Pending", "qosClass": "Burstable", "conditions": [{
        "type": "PodScheduled", "status": "False", "reason": "Unschedulable",
        "message": no_node(app), "lastProbeTime": null, "lastTransitionTime": STARTED}]})
}

fn no_node(app: &App) -> String {
    let why = match app.fault {
        Some(Fault::ClassMissing) => "pod has unbound immediate PersistentVolumeClaims.",
        _ => "Insufficient cpu. preemption: no node helps: No preemption victims found.",
    };
    format!("0/9 nodes are available: {why}")
}

fn running(app: &App, fails: bool) -> Value {
    let flag = if fails { "False" } else { "True" };
    let condition = |kind: &str, status: &str| {
        let mut condition = json!({"type": kind, "status": status, "lastProbeTime": null,
            "lastTransitionTime": STARTED});
        if let (true, Some(map)) = (status == "False", condition.as_object_mut()) {
            map.insert("reason".to_owned(), "ContainersNotReady".into());
            map.insert("message".to_owned(), "containers with unready status: [app]".into());
        }
        condition
    };
    let waits = matches!(app.fault, Some(Fault::ImageMissing | Fault::SecretMissing));
    let mut statuses = vec![container(app, fails)];
    if app.sidecar {
        statuses.push(well("proxy", "registry.example.com/mesh/proxy:v3.1.0"));
    }
    json!({
        "phase": if waits { "Pending" } else { "Running" }, "qosClass": "Burstable",
        "hostIP": "@HOST@", "podIP": "@IP@", "startTime": CREATED,
        "conditions": [condition("PodReadyToStartContainers", "True"),
            condition("Initialized", "True"), condition("Ready", flag),
            condition("ContainersReady", flag), condition("PodScheduled", "True")],
        "containerStatuses": statuses,
    })
}

/// Status of a container that runs.
fn well(name: &str, image: &str) -> Value {
    let repository = image.split(':').next().unwrap_or(image);
    json!({"name": name, "image": image, "imageID": format!("{repository}@sha256:@CID@"),
        "containerID": "containerd://@CID@", "ready": true, "started": true, "restartCount": 0,
        "state": {"running": {"startedAt": CREATED}}, "lastState": {}})
}

fn container(app: &App, fails: bool) -> Value {
    let mut status = well("app", &image(app));
    let (true, Some(map)) = (fails, status.as_object_mut()) else { return status };
    map.insert("ready".to_owned(), false.into());
    let wait =
        |reason: &str, message: String| json!({"waiting": {"reason": reason, "message": message}});
    let ended = |code: u32, reason: &str| {
        json!({"terminated": {"exitCode": code, "reason": reason, "startedAt": STARTED,
            "finishedAt": RECENT, "containerID": "containerd://@CID@"}})
    };
    let state = match app.fault {
        Some(Fault::CrashLoop | Fault::MemoryLimit) => {
            let memory = app.fault == Some(Fault::MemoryLimit);
            let last = if memory { ended(137, "OOMKilled") } else { ended(1, "Error") };
            map.insert("lastState".to_owned(), last);
            map.insert("restartCount".to_owned(), 27.into());
            wait("CrashLoopBackOff", "back-off 5m0s restarting failed container=app".to_owned())
        }
        Some(Fault::ImageMissing) => wait("ImagePullBackOff", not_found(app)),
        Some(Fault::SecretMissing) => wait("CreateContainerConfigError", no_secret(app)),
        _ => return status,
    };
    map.insert("state".to_owned(), state);
    map.insert("started".to_owned(), false.into());
    status
}

fn not_found(app: &App) -> String {
    let image = image(app);
    format!(
        "Back-off pulling image \"{image}\": ErrImagePull: rpc error: code = NotFound \
         desc = {image}: not found"
    )
}

fn no_secret(app: &App) -> String {
    format!("secret \"{}-keys\" not found", app.name)
}

/// What the event of a failing pod says.
pub fn complaint(app: &App, fails: bool) -> Option<Said<'static>> {
    let said = |reason, message: String, component| Said { reason, message, count: 90, component };
    match app.fault.filter(|_| fails)? {
        Fault::CrashLoop | Fault::MemoryLimit => {
            let message = "Back-off restarting failed container app".to_owned();
            Some(said("BackOff", message, "kubelet"))
        }
        Fault::ImageMissing => Some(said("Failed", not_found(app), "kubelet")),
        Fault::SecretMissing => {
            Some(said("Failed", format!("Error: {}", no_secret(app)), "kubelet"))
        }
        Fault::TooBig | Fault::ClassMissing => {
            Some(said("FailedScheduling", no_node(app), "default-scheduler"))
        }
        Fault::Unready => {
            let message = "Readiness probe failed: HTTP probe failed with statuscode: 503";
            Some(said("Unhealthy", message.to_owned(), "kubelet"))
        }
        Fault::SelectorWrong | Fault::Quota | Fault::NodeSilent => None,
    }
}
