//! A cluster of some controllers for one row of a table, driven through its API.

use http_body_util::{BodyExt as _, Full};
use model::Timestamp;
use serde_json::{Value, json};
use tokio::runtime::{Builder, Runtime};
use tower::Service as _;
use twin::Twin;
use twin::scenario::{Fault, plain};

/// 2026-06-01T00:00:00Z
const START: i64 = 1_780_272_000;

/// A cluster at the beginning of a row.
pub struct Stage {
    pub twin: Twin,
    runtime: Runtime,
}

impl Stage {
    /// Only these controllers act.
    pub fn of(controllers: &str) -> Self {
        let start = Timestamp::from_seconds(START);
        let controllers = controllers.parse().expect("controllers");
        let runtime = Builder::new_current_thread().build().expect("a runtime");
        Self { twin: Twin::new(plain(1, start, 0, controllers)), runtime }
    }

    pub fn ask(&self, method: &str, path: &str, body: &Value) -> (u16, Value) {
        let kind = match method {
            "PATCH" => "application/merge-patch+json",
            _ => "application/json",
        };
        let bytes = if body.is_null() { Vec::new() } else { body.to_string().into_bytes() };
        let request = http::Request::builder()
            .method(method)
            .uri(path)
            .header("Content-Type", kind)
            .body(Full::new(bytes::Bytes::from(bytes)))
            .expect("a request");
        let response = self.runtime.block_on(self.twin.service().call(request)).expect("an answer");
        let status = response.status().as_u16();
        let bytes =
            self.runtime.block_on(response.into_body().collect()).expect("a body").to_bytes();
        (status, serde_json::from_slice(&bytes).unwrap_or_default())
    }

    /// Creates an object at a path and gives it a status.
    #[track_caller]
    pub fn make(&self, path: &str, object: &Value) -> Value {
        let (code, made) = self.ask("POST", path, object);
        assert_eq!(code, 201, "{made}");
        if object["status"].is_null() {
            return made;
        }
        let name = made["metadata"]["name"].as_str().expect("a name");
        let status = json!({"status": object["status"]});
        let (code, made) = self.ask("PATCH", &format!("{path}/{name}/status"), &status);
        assert_eq!(code, 200, "{made}");
        made
    }

    pub fn get(&self, path: &str) -> Option<Value> {
        let (code, body) = self.ask("GET", path, &Value::Null);
        (code == 200).then_some(body)
    }

    #[track_caller]
    pub fn patch(&self, path: &str, patch: &Value) {
        let (code, answer) = self.ask("PATCH", path, patch);
        assert_eq!(code, 200, "{answer}");
    }

    pub fn wait(&self, seconds: i64) {
        self.twin.advance_seconds(seconds);
    }

    pub fn lose(&self, node: &str) {
        self.twin.strike(&Fault::StopKubelet { node: node.to_owned() });
    }

    /// The reasons of all events.
    pub fn told(&self) -> Vec<String> {
        let all = self.get("/api/v1/events").unwrap_or_default();
        let all = all["items"].as_array().cloned().unwrap_or_default();
        all.iter().filter_map(|event| event["reason"].as_str().map(str::to_owned)).collect()
    }
}

/// A pod on a node, or on none.
pub fn pod(name: &str, node: &str) -> Value {
    let mut pod = json!({
        "metadata": {"name": name, "labels": {"app": "web"}},
        "spec": {"containers": [{"name": "app", "image": "app:1"}]},
    });
    if !node.is_empty() {
        pod["spec"]["nodeName"] = node.into();
    }
    pod
}

/// The status of a pod that runs, ready or not.
pub fn running(ready: bool) -> Value {
    let status = if ready { "True" } else { "False" };
    json!({"phase": "Running", "conditions": [{"type": "Ready", "status": status}]})
}

/// A controller reference.
pub fn owned_by(api_version: &str, kind: &str, name: &str, uid: &Value) -> Value {
    json!([{
        "apiVersion": api_version, "kind": kind, "name": name, "uid": uid, "controller": true,
    }])
}
