//! A story on the standard cluster, and what can be read of it.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use twin::Twin;
use twin::scenario::{Fault, standard};

/// The standard cluster with a timeline.
pub struct Story(Twin);

impl Story {
    pub fn of(timeline: Vec<(i64, Fault)>) -> Self {
        let mut scenario = standard(3);
        scenario.timeline = timeline;
        Self(Twin::new(scenario))
    }

    pub fn after(&self, seconds: i64) -> &Self {
        let start = standard(3).start;
        self.0.run_until(start.plus_seconds(seconds));
        assert_eq!(self.0.refusals(), Vec::<String>::new());
        self
    }

    pub fn objects(&self, kind: &str) -> Vec<Value> {
        let dump = self.0.dump();
        let all = dump.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        all.filter(|object| object["kind"] == kind).collect()
    }

    pub fn object(&self, kind: &str, name: &str) -> Value {
        let mut all = self.objects(kind).into_iter();
        all.find(|object| object["metadata"]["name"] == name).expect(name)
    }

    /// Pods whose name begins so.
    pub fn pods(&self, name: &str) -> Vec<Value> {
        let all = self.objects("Pod").into_iter();
        all.filter(|pod| text(&pod["metadata"]["name"]).starts_with(name)).collect()
    }

    /// How often each `reason: message` was told about objects whose name begins so.
    pub fn events(&self, name: &str) -> BTreeMap<String, i64> {
        let mut told = BTreeMap::new();
        for event in self.objects("Event") {
            if text(&event["involvedObject"]["name"]).starts_with(name) {
                let text = format!("{}: {}", text(&event["reason"]), text(&event["message"]));
                *told.entry(text).or_default() += event["count"].as_i64().unwrap();
            }
        }
        told
    }

    #[track_caller]
    pub fn tells(&self, name: &str, expected: &[&str]) -> &Self {
        let told = self.events(name);
        for text in expected {
            assert!(told.keys().any(|t| t.contains(text)), "{text} is not told in {told:#?}");
        }
        self
    }
}

pub fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

pub fn ready(object: &Value) -> (String, String) {
    let all = object["status"]["conditions"].as_array().unwrap();
    let ready = all.iter().find(|c| c["type"] == "Ready").unwrap();
    (text(&ready["status"]), text(&ready["message"]))
}

pub fn taints(node: &Value) -> Vec<String> {
    let all = node["spec"]["taints"].as_array().cloned().unwrap_or_default();
    all.iter().map(|t| format!("{}:{}", text(&t["key"]), text(&t["effect"]))).collect()
}

/// Why the only container of a pod waits.
pub fn waiting(pod: &Value) -> String {
    text(&pod["status"]["containerStatuses"][0]["state"]["waiting"]["reason"])
}

pub fn apply(manifests: &[Value]) -> Fault {
    Fault::Apply { manifests: manifests.to_vec() }
}

/// A Deployment in `shop`; `spec` is merged into that of its pods.
pub fn deployment(name: &str, replicas: i64, container: &Value, spec: &Value) -> Value {
    let labels = json!({"app": name});
    let mut main = json!({"name": "main", "image": "drill:1"});
    let mut pod = json!({});
    for (target, more) in [(&mut main, container), (&mut pod, spec)] {
        let more = more.as_object().unwrap().clone();
        target.as_object_mut().unwrap().extend(more);
    }
    pod["containers"] = json!([main]);
    json!({
        "apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": {"name": name, "namespace": "shop"},
        "spec": {
            "replicas": replicas, "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": pod},
        },
    })
}
