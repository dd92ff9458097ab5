//! Objects of the API as far as kube-state-metrics tells of them: in the shape of the API, with
//! everything that is not told left unknown.

use std::collections::BTreeMap;

use model::{Kind, Object, decode_value};
use serde_json::{Map, Value, json};

use crate::answer::Series;

/// Objects that are put together.
#[derive(Debug, Default)]
pub(crate) struct Objects(BTreeMap<(Kind, String, String), Value>);

impl Objects {
    /// Takes an answer.
    pub(crate) fn take(&mut self, series: &[Series]) {
        for s in series {
            let Some(value) = s.last() else { continue };
            let metric = s.label("__name__");
            if let Some(metric) = metric.strip_prefix("kube_pod_") {
                self.pod(metric, s, value);
            } else if let Some(metric) = metric.strip_prefix("kube_node_") {
                self.node(metric, s, value);
            } else if let Some(metric) = metric.strip_prefix("kube_persistentvolumeclaim_") {
                self.claim(metric, s, value);
            } else {
                self.workload(metric, s, value);
            }
        }
    }

    /// The objects, of the kinds that are wanted.
    pub(crate) fn decoded(self, wants: impl Fn(Kind) -> bool) -> Vec<Object> {
        let wanted = self.0.into_iter().filter(|((kind, ..), _)| wants(*kind));
        wanted.filter_map(|((kind, ..), value)| decode_value(kind, &value, true).ok()).collect()
    }

    fn object(&mut self, kind: Kind, s: &Series, label: &str) -> Option<&mut Value> {
        let name = told(s, label);
        let namespace = if kind.is_namespaced() { told(s, "namespace") } else { "" };
        if name.is_empty() {
            return None;
        }
        let key = (kind, namespace.to_owned(), name.to_owned());
        Some(self.0.entry(key).or_insert_with(|| {
            let mut meta = json!({"name": name});
            if !namespace.is_empty() {
                put(&mut meta, "/namespace", json!(namespace));
            }
            json!({"apiVersion": kind.api_version(), "kind": kind.name(), "metadata": meta,
                "spec": {}, "status": {}})
        }))
    }

    fn pod(&mut self, metric: &str, s: &Series, value: f64) {
        let Some(pod) = self.object(Kind::Pod, s, "pod") else { return };
        match metric {
            "info" => {
                put_text(pod, "/spec/nodeName", s.label("node"));
                put_text(pod, "/status/podIP", s.label("pod_ip"));
                let (kind, name) = (s.label("created_by_kind"), s.label("created_by_name"));
                if kind.starts_with(char::is_uppercase) && !name.is_empty() {
                    let version = Kind::from_name(kind).map_or("", Kind::api_version);
                    let owner = json!([{"apiVersion": version, "kind": kind, "name": name,
                        "controller": true}]);
                    put(pod, "/metadata/ownerReferences", owner);
                }
            }
            "status_phase" => put_text(pod, "/status/phase", s.label("phase")),
            "status_reason" => put_text(pod, "/status/reason", s.label("reason")),
            "status_ready" => {
                let status = capitalised(s.label("condition"));
                put(pod, "/status/conditions", json!([{"type": "Ready", "status": status}]));
            }
            "container_status_restarts_total" => {
                container(pod, s, "restartCount", json!(value as u64));
            }
            "container_status_waiting_reason" => {
                let state = json!({"waiting": {"reason": s.label("reason")}});
                container(pod, s, "state", state);
                container(pod, s, "ready", json!(false));
            }
            "container_status_last_terminated_reason" => {
                let reason = s.label("reason");
                // The exit code has a metric of its own only in newer versions.
                let code = if reason == "OOMKilled" { 137 } else { 1 };
                let end = json!({"terminated": {"reason": reason, "exitCode": code}});
                container(pod, s, "lastState", end);
            }
            _ => {}
        }
    }

    fn node(&mut self, metric: &str, s: &Series, value: f64) {
        let Some(node) = self.object(Kind::Node, s, "node") else { return };
        match metric {
            "info" => {
                put_text(node, "/status/nodeInfo/kubeletVersion", s.label("kubelet_version"));
                let address = json!([{"type": "InternalIP", "address": s.label("internal_ip")}]);
                put(node, "/status/addresses", address);
            }
            "spec_unschedulable" => put(node, "/spec/unschedulable", json!(value == 1.0)),
            "status_condition" if value == 1.0 => {
                let status = capitalised(s.label("status"));
                let condition = json!({"type": s.label("condition"), "status": status});
                push(node, "/status/conditions", condition);
            }
            "status_capacity" | "status_allocatable" => {
                let part = metric.trim_start_matches("status_");
                let resource = s.label("resource").replace('_', "-");
                let amount = match s.label("unit") {
                    "core" => format!("{}m", (value * 1000.0) as u64),
                    _ => format!("{}", value as u64),
                };
                put(node, &format!("/status/{part}/{resource}"), json!(amount));
            }
            _ => {}
        }
    }

    fn claim(&mut self, metric: &str, s: &Series, value: f64) {
        let Some(claim) = self.object(Kind::PersistentVolumeClaim, s, "persistentvolumeclaim")
        else {
            return;
        };
        match metric {
            "info" => {
                put_text(claim, "/spec/storageClassName", s.label("storageclass"));
                put_text(claim, "/spec/volumeName", s.label("volumename"));
            }
            "status_phase" if value == 1.0 => {
                put_text(claim, "/status/phase", s.label("phase"));
            }
            _ => {}
        }
    }

    fn workload(&mut self, metric: &str, s: &Series, value: f64) {
        let (kind, label, path) = match metric {
            "kube_deployment_spec_replicas" => (Kind::Deployment, "deployment", "/spec/replicas"),
            "kube_statefulset_replicas" => (Kind::StatefulSet, "statefulset", "/spec/replicas"),
            "kube_daemonset_status_desired_number_scheduled" => {
                (Kind::DaemonSet, "daemonset", "/status/desiredNumberScheduled")
            }
            "kube_daemonset_status_number_ready" => {
                (Kind::DaemonSet, "daemonset", "/status/numberReady")
            }
            "kube_daemonset_status_number_available" => {
                (Kind::DaemonSet, "daemonset", "/status/numberAvailable")
            }
            _ => {
                let (kind, label, rest) = match metric.strip_prefix("kube_deployment_status_") {
                    Some(rest) => (Kind::Deployment, "deployment", rest),
                    None => match metric.strip_prefix("kube_statefulset_status_") {
                        Some(rest) => (Kind::StatefulSet, "statefulset", rest),
                        None => return,
                    },
                };
                let path = match rest {
                    "replicas" => "/status/replicas",
                    "replicas_available" => "/status/availableReplicas",
                    "replicas_ready" => "/status/readyReplicas",
                    "replicas_updated" => "/status/updatedReplicas",
                    _ => return,
                };
                (kind, label, path)
            }
        };
        if let Some(workload) = self.object(kind, s, label) {
            put(workload, path, json!(value as u64));
        }
    }
}

/// A label of what is told of, not of who tells: Prometheus renames those that clash.
fn told<'s>(s: &'s Series, label: &str) -> &'s str {
    let exported = s.label(&format!("exported_{label}"));
    if exported.is_empty() { s.label(label) } else { exported }
}

fn capitalised(word: &str) -> String {
    let mut chars = word.chars();
    let first = chars.next().map(|c| c.to_ascii_uppercase());
    first.into_iter().chain(chars).collect()
}

/// Sets a field of a container's status.
fn container(pod: &mut Value, s: &Series, field: &str, value: Value) {
    let name = told(s, "container");
    let list = place(pod, "/status/containerStatuses");
    if !list.is_array() {
        *list = json!([]);
    }
    let Value::Array(all) = list else { return };
    let at = all.iter().position(|c| c.get("name").and_then(Value::as_str) == Some(name));
    let at = at.unwrap_or_else(|| {
        all.push(json!({"name": name}));
        all.len() - 1
    });
    if let Some(Value::Object(status)) = all.get_mut(at) {
        status.insert(field.to_owned(), value);
    }
}

fn push(object: &mut Value, path: &str, item: Value) {
    match place(object, path) {
        Value::Array(all) => all.push(item),
        empty => *empty = json!([item]),
    }
}

fn put_text(object: &mut Value, path: &str, text: &str) {
    if !text.is_empty() {
        put(object, path, json!(text));
    }
}

fn put(object: &mut Value, path: &str, value: Value) {
    *place(object, path) = value;
}

/// The place of a path, made where it is missing.
fn place<'v>(object: &'v mut Value, path: &str) -> &'v mut Value {
    let mut at = object;
    for part in path.split('/').skip(1) {
        if !at.is_object() {
            *at = Value::Object(Map::new());
        }
        at = match at {
            Value::Object(map) => map.entry(part).or_insert(Value::Null),
            other => other,
        };
    }
    at
}
