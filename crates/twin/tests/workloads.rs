//! Workloads on an empty cluster whose nodes are made through the API.

// Helpers of tests may fail like tests.
#![allow(clippy::unwrap_used, clippy::panic, clippy::expect_used)]

use k8s_openapi::serde_json::{Value, json};
use kube::Client;
use kube::api::{Api, DynamicObject, PostParams};
use kube::core::{ApiResource, GroupVersionKind};
use twin::Twin;
use twin::scenario::{Controllers, Fault, Scenario, plain};

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

fn job_template(name: &str) -> Value {
    let mut template = template(name);
    template["spec"]["restartPolicy"] = "Never".into();
    template
}

async fn names(twin: &Twin, version: &str, kind: &str) -> Vec<String> {
    let all = api(twin, version, kind, "default").list(&Default::default()).await.unwrap();
    all.items.into_iter().filter_map(|object| object.metadata.name).collect()
}

#[tokio::test]
async fn a_cron_job_keeps_its_last_three_jobs() {
    let twin = cluster().await;
    create(
        &twin,
        json!({
            "apiVersion": "batch/v1", "kind": "CronJob", "metadata": {"name": "tick"},
            "spec": {"schedule": "* * * * *", "jobTemplate": {"spec": {
                "template": job_template("tick"),
            }}},
        }),
    )
    .await;
    twin.advance_seconds(5 * 60 + 30);
    // The names end in the minute since 1970.
    let minute = |n: i64| format!("tick-{}", 1_772_438_400 / 60 + n);
    assert_eq!(names(&twin, "batch/v1", "Job").await, [minute(3), minute(4), minute(5)]);
    let tick = status(&twin, "batch/v1", "CronJob", "tick").await;
    assert_eq!(tick["lastScheduleTime"], "2026-03-02T08:05:00Z");
    assert!(tick["lastSuccessfulTime"].is_string() && tick["active"].is_null(), "{tick}");
}

#[tokio::test]
async fn an_indexed_job_does_each_part_once_and_is_cleared_away() {
    let twin = cluster().await;
    create(
        &twin,
        json!({
            "apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "parts"},
            "spec": {
                "completionMode": "Indexed", "completions": 5, "parallelism": 2,
                "ttlSecondsAfterFinished": 60, "template": job_template("parts"),
            },
        }),
    )
    .await;
    twin.advance_seconds(30);
    let job = status(&twin, "batch/v1", "Job", "parts").await;
    assert_eq!([&job["completedIndexes"], &job["succeeded"]], [&json!("0-4"), &json!(5)], "{job}");
    twin.advance_seconds(90);
    assert!(names(&twin, "batch/v1", "Job").await.is_empty());
    assert!(names(&twin, "v1", "Pod").await.is_empty());
}

#[tokio::test]
async fn an_important_pod_takes_the_place_of_another() {
    let now = "2026-03-02T08:00:00Z".parse().unwrap();
    let twin = Twin::new(plain(1, now, 0, Controllers::All));
    let room = json!({"cpu": "2", "memory": "4Gi", "pods": "10"});
    create(
        &twin,
        json!({
            "apiVersion": "v1", "kind": "Node", "metadata": {"name": "a"},
            "status": {"allocatable": room, "capacity": room},
        }),
    )
    .await;
    let class = json!({
        "apiVersion": "scheduling.k8s.io/v1", "kind": "PriorityClass",
        "metadata": {"name": "high"}, "value": 1000,
    });
    let object: DynamicObject = k8s_openapi::serde_json::from_value(class).unwrap();
    let classes = api(&twin, "scheduling.k8s.io/v1", "PriorityClass", "");
    classes.create(&PostParams::default(), &object).await.unwrap();
    twin.advance_seconds(5);
    let pod = |name: &str, class: Value| {
        let container = json!({
            "name": "app", "image": "example.com/app:1",
            "resources": {"requests": {"cpu": "1500m"}},
        });
        json!({
            "apiVersion": "v1", "kind": "Pod", "metadata": {"name": name},
            "spec": {"containers": [container], "priorityClassName": class},
        })
    };
    create(&twin, pod("small", Value::Null)).await;
    twin.advance_seconds(5);
    create(&twin, pod("late", Value::Null)).await;
    twin.advance_seconds(5);
    let late = status(&twin, "v1", "Pod", "late").await;
    assert_eq!(
        late["conditions"][0]["message"],
        "0/1 nodes are available: 1 Insufficient cpu. no new claims to deallocate, preemption: \
         0/1 nodes are available: 1 No preemption victims found for incoming pod."
    );
    create(&twin, pod("urgent", "high".into())).await;
    twin.advance_seconds(20);
    assert_eq!(status(&twin, "v1", "Pod", "urgent").await["phase"], "Running");
    assert_eq!(names(&twin, "v1", "Pod").await, ["late", "urgent"]);
}

/// A Deployment of two under an autoscaler for half of what its pods ask for, and the load of
/// its pods by seconds.
fn scaled(loads: &[(i64, i64)]) -> Scenario {
    let now = "2026-03-02T08:00:00Z".parse().unwrap();
    let mut template = template("web");
    template["spec"]["containers"][0]["resources"] = json!({"requests": {"cpu": "100m"}});
    let at = |(after, cpu_milli): &(i64, i64)| {
        let (namespace, workload) = ("default".to_owned(), "web".to_owned());
        (*after, Fault::Load { namespace, workload, cpu_milli: *cpu_milli })
    };
    Scenario {
        objects: vec![
            json!({
                "apiVersion": "apiregistration.k8s.io/v1", "kind": "APIService",
                "metadata": {"name": "v1beta1.metrics.k8s.io"},
                "spec": {"group": "metrics.k8s.io", "version": "v1beta1",
                    "groupPriorityMinimum": 100, "versionPriority": 100},
            }),
            json!({
                "apiVersion": "apps/v1", "kind": "Deployment",
                "metadata": {"name": "web", "namespace": "default"},
                "spec": {"replicas": 2, "selector": {"matchLabels": {"app": "web"}},
                    "template": template},
            }),
            json!({
                "apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler",
                "metadata": {"name": "web", "namespace": "default"},
                "spec": {
                    "minReplicas": 2, "maxReplicas": 10,
                    "scaleTargetRef": {
                        "apiVersion": "apps/v1", "kind": "Deployment", "name": "web",
                    },
                    "metrics": [{"type": "Resource", "resource": {"name": "cpu", "target": {
                        "type": "Utilization", "averageUtilization": 50,
                    }}}],
                },
            }),
        ],
        timeline: loads.iter().map(at).collect(),
        ..plain(1, now, 3, Controllers::All)
    }
}

#[tokio::test]
async fn an_autoscaler_follows_the_load() {
    // The pods need some time to start, and new ones do not count while they do.
    let twin = Twin::new(scaled(&[(0, 100), (400, 240), (500, 800), (620, 40)]));
    let mut now = 0;
    for (until, replicas, why) in [
        (390, 2, "DesiredWithinRange"),
        (490, 5, "DesiredWithinRange"),
        (600, 10, "TooManyReplicas"),
        (900, 10, "TooManyReplicas"),
        (970, 2, "TooFewReplicas"),
    ] {
        twin.advance_seconds(until - now);
        now = until;
        let scaler = status(&twin, "autoscaling/v2", "HorizontalPodAutoscaler", "web").await;
        assert_eq!(scaler["desiredReplicas"], replicas, "at {until}: {scaler}");
        let limited = scaler["conditions"].as_array().unwrap();
        let limited = limited.iter().find(|c| c["type"] == "ScalingLimited").unwrap();
        assert_eq!(limited["reason"], why, "at {until}: {scaler}");
    }
}
