//! Workloads on an empty cluster whose nodes are made through the API.

// Helpers of tests may fail like tests.
#![allow(clippy::unwrap_used, clippy::panic, clippy::expect_used)]

use k8s_openapi::serde_json::{Value, json};
use kube::Client;
use kube::api::{Api, DynamicObject, PostParams};
use kube::core::{ApiResource, GroupVersionKind};
use twin::Twin;
use twin::scenario::{Controllers, plain};

fn api(twin: &Twin, version: &str, kind: &str, namespace: &str) -> Api<DynamicObject> {
    let (group, version) = version.split_once('/').unwrap_or(("", version));
    let resource = ApiResource::from_gvk(&GroupVersionKind::gvk(group, version, kind));
    let client = Client::new(twin.service(), "default");
    if namespace.is_empty() {
        Api::all_with(client, &resource)
    } else {
        Api::namespaced_with(client, namespace, &resource)
    }
}

async fn create(twin: &Twin, object: Value) {
    let text = |pointer: &str| object.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
    let namespace = if text("/kind") == "Node" { "" } else { "default" };
    let api = api(twin, text("/apiVersion"), text("/kind"), namespace);
    let object: DynamicObject = k8s_openapi::serde_json::from_value(object).unwrap();
    api.create(&PostParams::default(), &object).await.unwrap();
}

async fn status(twin: &Twin, version: &str, kind: &str, name: &str) -> Value {
    let object = api(twin, version, kind, "default").get(name).await.unwrap();
    object.data["status"].clone()
}

fn template(name: &str) -> Value {
    json!({
        "metadata": {"labels": {"app": name}},
        "spec": {"containers": [{"name": name, "image": "example.com/app:1"}]},
    })
}

async fn cluster() -> Twin {
    let now = "2026-03-02T08:00:00Z".parse().unwrap();
    let twin = Twin::new(plain(1, now, 0, Controllers::All));
    for name in ["a", "b"] {
        create(&twin, json!({"apiVersion": "v1", "kind": "Node", "metadata": {"name": name}}))
            .await;
    }
    twin.advance_seconds(5);
    twin
}

#[tokio::test]
async fn a_stateful_set_counts_its_pods_up_and_a_budget_sees_them() {
    let twin = cluster().await;
    let selector = json!({"matchLabels": {"app": "db"}});
    create(
        &twin,
        json!({
            "apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": {"name": "db"},
            "spec": {"replicas": 3, "selector": selector, "template": template("db")},
        }),
    )
    .await;
    create(
        &twin,
        json!({
            "apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": {"name": "db"},
            "spec": {"maxUnavailable": 1, "selector": selector},
        }),
    )
    .await;
    twin.advance_seconds(20);
    let set = status(&twin, "apps/v1", "StatefulSet", "db").await;
    assert_eq!([&set["readyReplicas"], &set["updatedReplicas"]], [3, 3], "{set}");
    let pods = api(&twin, "v1", "Pod", "default");
    let last = pods.get("db-2").await.unwrap();
    assert_eq!(last.metadata.labels.unwrap()["apps.kubernetes.io/pod-index"], "2");
    let budget = status(&twin, "policy/v1", "PodDisruptionBudget", "db").await;
    assert_eq!([&budget["expectedPods"], &budget["disruptionsAllowed"]], [3, 1], "{budget}");
    // The lowest number that is missing comes back first.
    pods.delete("db-0", &Default::default()).await.unwrap();
    twin.advance_seconds(20);
    assert_eq!(status(&twin, "apps/v1", "StatefulSet", "db").await["readyReplicas"], 3);
}

#[tokio::test]
async fn a_daemon_set_is_on_every_node_also_on_new_ones() {
    let twin = cluster().await;
    create(
        &twin,
        json!({
            "apiVersion": "apps/v1", "kind": "DaemonSet", "metadata": {"name": "agent"},
            "spec": {"selector": {"matchLabels": {"app": "agent"}}, "template": template("agent")},
        }),
    )
    .await;
    twin.advance_seconds(10);
    let set = status(&twin, "apps/v1", "DaemonSet", "agent").await;
    assert_eq!([&set["desiredNumberScheduled"], &set["numberReady"]], [2, 2], "{set}");
    create(&twin, json!({"apiVersion": "v1", "kind": "Node", "metadata": {"name": "c"}})).await;
    twin.advance_seconds(10);
    assert_eq!(status(&twin, "apps/v1", "DaemonSet", "agent").await["numberReady"], 3);
}

#[tokio::test]
async fn machines_run_what_is_scheduled_to_them() {
    let now = "2026-03-02T08:00:00Z".parse().unwrap();
    let twin = Twin::new(plain(1, now, 3, Controllers::All));
    let nodes = api(&twin, "v1", "Node", "").list(&Default::default()).await.unwrap();
    assert_eq!(nodes.items.len(), 3);
    let selector = json!({"matchLabels": {"app": "web"}});
    create(
        &twin,
        json!({
            "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"},
            "spec": {"replicas": 4, "selector": selector, "template": template("web")},
        }),
    )
    .await;
    twin.advance_seconds(60);
    let web = status(&twin, "apps/v1", "Deployment", "web").await;
    assert_eq!(web["readyReplicas"], 4, "{web}");
}

#[tokio::test]
async fn a_job_ends_when_its_pods_have() {
    let twin = cluster().await;
    let mut template = template("work");
    template["spec"]["restartPolicy"] = "Never".into();
    create(
        &twin,
        json!({
            "apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "work"},
            "spec": {"completions": 3, "parallelism": 2, "template": template},
        }),
    )
    .await;
    twin.advance_seconds(20);
    let job = status(&twin, "batch/v1", "Job", "work").await;
    assert_eq!(job["succeeded"], 3, "{job}");
    let conditions = job["conditions"].as_array().unwrap();
    assert!(conditions.iter().any(|c| c["type"] == "Complete" && c["status"] == "True"), "{job}");
    // Nothing holds the pods back any more.
    for pod in api(&twin, "v1", "Pod", "default").list(&Default::default()).await.unwrap() {
        assert!(pod.metadata.finalizers.is_none_or(|all| all.is_empty()));
    }
}
