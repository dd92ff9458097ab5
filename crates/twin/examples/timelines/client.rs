//! Requests to the twin in this process, as JSON.

use http_body_util::{BodyExt as _, Full};
use serde_json::{Value, json};
use tokio::runtime::{Builder, Runtime};
use tower::Service as _;
use twin::Twin;

/// A client of the twin's API.
pub struct Client {
    twin: Twin,
    runtime: Runtime,
}

/// Resources by kind: path of the group, plural, whether namespaced.
const RESOURCES: [(&str, &str, &str, bool); 25] = [
    ("Node", "api/v1", "nodes", false),
    ("Namespace", "api/v1", "namespaces", false),
    ("Pod", "api/v1", "pods", true),
    ("Service", "api/v1", "services", true),
    ("ServiceAccount", "api/v1", "serviceaccounts", true),
    ("ConfigMap", "api/v1", "configmaps", true),
    ("Secret", "api/v1", "secrets", true),
    ("ResourceQuota", "api/v1", "resourcequotas", true),
    ("LimitRange", "api/v1", "limitranges", true),
    ("PersistentVolume", "api/v1", "persistentvolumes", false),
    ("PersistentVolumeClaim", "api/v1", "persistentvolumeclaims", true),
    ("ReplicationController", "api/v1", "replicationcontrollers", true),
    ("Deployment", "apis/apps/v1", "deployments", true),
    ("ReplicaSet", "apis/apps/v1", "replicasets", true),
    ("StatefulSet", "apis/apps/v1", "statefulsets", true),
    ("DaemonSet", "apis/apps/v1", "daemonsets", true),
    ("Job", "apis/batch/v1", "jobs", true),
    ("CronJob", "apis/batch/v1", "cronjobs", true),
    ("HorizontalPodAutoscaler", "apis/autoscaling/v2", "horizontalpodautoscalers", true),
    ("PodDisruptionBudget", "apis/policy/v1", "poddisruptionbudgets", true),
    ("PriorityClass", "apis/scheduling.k8s.io/v1", "priorityclasses", false),
    ("StorageClass", "apis/storage.k8s.io/v1", "storageclasses", false),
    ("APIService", "apis/apiregistration.k8s.io/v1", "apiservices", false),
    (
        "ValidatingAdmissionPolicy",
        "apis/admissionregistration.k8s.io/v1",
        "validatingadmissionpolicies",
        false,
    ),
    (
        "ValidatingAdmissionPolicyBinding",
        "apis/admissionregistration.k8s.io/v1",
        "validatingadmissionpolicybindings",
        false,
    ),
];

/// The path of an object, or of all of its kind with an empty name.
pub fn path(kind: &str, namespace: &str, name: &str) -> String {
    let found = RESOURCES.iter().find(|(known, ..)| *known == kind);
    let Some((_, group, plural, namespaced)) = found else { return format!("/unknown/{kind}") };
    let place = match *namespaced {
        true if namespace.is_empty() => "namespaces/default/".to_owned(),
        true => format!("namespaces/{namespace}/"),
        false => String::new(),
    };
    let name = if name.is_empty() { String::new() } else { format!("/{name}") };
    format!("/{group}/{place}{plural}{name}")
}

/// The kind that a word of a command line names.
pub fn kind_of(word: &str) -> Option<&'static str> {
    let short = match word {
        "deploy" => "deployment",
        "sts" => "statefulset",
        "ds" => "daemonset",
        "rs" => "replicaset",
        "po" => "pod",
        "no" => "node",
        "ns" => "namespace",
        "hpa" => "horizontalpodautoscaler",
        "pdb" => "poddisruptionbudget",
        "cm" => "configmap",
        "quota" => "resourcequota",
        "binding" => "validatingadmissionpolicybinding",
        other => other,
    };
    let short = short.split('.').next().unwrap_or_default().to_lowercase();
    let is = |(kind, _, plural, _): &&(&str, &str, &str, bool)| {
        kind.to_lowercase() == short || *plural == short
    };
    RESOURCES.iter().find(is).map(|(kind, ..)| *kind)
}

impl Client {
    pub fn of(twin: &Twin) -> std::io::Result<Self> {
        let runtime = Builder::new_current_thread().build()?;
        Ok(Self { twin: twin.clone(), runtime })
    }

    /// Status and body of the answer.
    pub fn ask(&self, method: &str, path: &str, kind: &str, body: &Value) -> (u16, Value) {
        let bytes = if body.is_null() { Vec::new() } else { body.to_string().into_bytes() };
        let request = http::Request::builder()
            .method(method)
            .uri(path)
            .header("Content-Type", kind)
            .header("Accept", "application/json")
            .body(Full::new(bytes::Bytes::from(bytes)));
        let Ok(request) = request else { return (0, Value::Null) };
        let Ok(response) = self.runtime.block_on(self.twin.service().call(request));
        let status = response.status().as_u16();
        let bytes = self.runtime.block_on(response.into_body().collect()).map(|all| all.to_bytes());
        let bytes = bytes.unwrap_or_default();
        (status, serde_json::from_slice(&bytes).unwrap_or(Value::Null))
    }

    pub fn get(&self, path: &str) -> Value {
        let (status, body) = self.ask("GET", path, "application/json", &Value::Null);
        if status == 200 { body } else { Value::Null }
    }

    pub fn list(&self, path: &str) -> Vec<Value> {
        let list = self.get(path);
        let kind = list["kind"].as_str().and_then(|kind| kind.strip_suffix("List"));
        let kind = Value::from(kind.unwrap_or_default());
        let mut items = list["items"].as_array().cloned().unwrap_or_default();
        // What is in a list does not say its kind.
        items.iter_mut().for_each(|item| item["kind"] = kind.clone());
        items
    }

    /// Creates an object; why not, if it was refused.
    pub fn create(&self, object: &Value) -> Result<(), String> {
        let kind = object["kind"].as_str().unwrap_or_default();
        let namespace = object["metadata"]["namespace"].as_str().unwrap_or_default();
        self.done("POST", &path(kind, namespace, ""), "application/json", object)
    }

    pub fn merge(&self, path: &str, patch: &Value) -> Result<(), String> {
        self.done("PATCH", path, "application/merge-patch+json", patch)
    }

    pub fn strategic(&self, path: &str, patch: &Value) -> Result<(), String> {
        self.done("PATCH", path, "application/strategic-merge-patch+json", patch)
    }

    pub fn delete(&self, path: &str, propagation: &str) -> Result<(), String> {
        let body = match propagation {
            "" => Value::Null,
            policy => json!({
                "apiVersion": "v1", "kind": "DeleteOptions", "propagationPolicy": policy,
            }),
        };
        self.done("DELETE", path, "application/json", &body)
    }

    pub fn evict(&self, namespace: &str, pod: &str, dry: bool) -> (u16, Value) {
        let mut body = json!({
            "apiVersion": "policy/v1", "kind": "Eviction",
            "metadata": {"name": pod, "namespace": namespace},
        });
        if dry {
            body["deleteOptions"] = json!({"dryRun": ["All"]});
        }
        let path = format!("{}/eviction", path("Pod", namespace, pod));
        self.ask("POST", &path, "application/json", &body)
    }

    fn done(&self, method: &str, path: &str, kind: &str, body: &Value) -> Result<(), String> {
        match self.ask(method, path, kind, body) {
            (200..=299, _) => Ok(()),
            (code, answer) => Err(format!("{method} {path}: {code} {}", answer["message"])),
        }
    }
}
