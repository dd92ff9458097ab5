//! Objects that nobody in his right mind would send: refused or stored, never a panic, and the
//! cluster goes on.

// Helpers of tests may fail like tests.
#![allow(clippy::unwrap_used)]

use http::{Method, Request, StatusCode};
use http_body_util::{BodyExt, Full};
use serde_json::{Value, json};
use tower::ServiceExt;
use twin::{Twin, scenario};

async fn send(twin: &Twin, method: Method, uri: &str, body: &str) -> (StatusCode, Value) {
    let kind = match method {
        Method::PATCH => "application/merge-patch+json",
        _ => "application/json",
    };
    let request = Request::builder().method(method).uri(uri).header("content-type", kind);
    let request = request.body(Full::new(bytes::Bytes::from(body.to_owned()))).unwrap();
    let response = twin.service().oneshot(request).await.unwrap();
    let status = response.status();
    let bytes = response.into_body().collect().await.unwrap().to_bytes();
    (status, serde_json::from_slice(&bytes).unwrap_or_default())
}

#[tokio::test]
async fn absurd_objects_do_not_stop_the_cluster() {
    let twin = Twin::new(scenario::cascade(1));
    let pods = "/api/v1/namespaces/default/pods";
    let deployments = "/apis/apps/v1/namespaces/default/deployments";
    let deep = format!("{}1{}", "[".repeat(5000), "]".repeat(5000));
    let huge = json!({"metadata": {"name": "huge"}, "spec": {"containers": [
        {"name": "a", "image": "x", "resources": {"requests": {"cpu": "9E", "memory": "9E"}}},
        {"name": "b", "image": "x", "resources": {"requests": {"cpu": "9E", "memory": "9E"}}},
    ], "terminationGracePeriodSeconds": i64::MAX}});
    let negative = huge.to_string().replace("9E", "-9E");
    let template = json!({"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [
        {"name": "c", "image": "x"},
    ]}});
    let rolling = json!({"metadata": {"name": "d"}, "spec": {
        "selector": {"matchLabels": {"a": "b"}}, "template": template, "replicas": 2,
        "strategy": {"rollingUpdate": {
            "maxSurge": "9223372036854775807%", "maxUnavailable": i32::MAX,
        }},
    }});
    let many = json!({"metadata": {"name": "m"}, "spec": {"replicas": i64::MAX}});
    for (uri, body, accepted) in [
        (pods, "", false),
        (pods, "{", false),
        (pods, "[]", false),
        (pods, "\u{0}\u{1b}[31m", false),
        (pods, deep.as_str(), false),
        (pods, r#"{"metadata": "x"}"#, false),
        (pods, r#"{"metadata": {"name": "a", "labels": "x"}}"#, false),
        (pods, r#"{"metadata": {"name": "a"}, "spec": {"containers": {}}}"#, false),
        (pods, r#"{"metadata": {"name": "../../etc"}, "spec": {"containers": []}}"#, false),
        (pods, huge.to_string().as_str(), true),
        (pods, negative.as_str(), false),
        (deployments, rolling.to_string().as_str(), true),
        (deployments, many.to_string().as_str(), false),
    ] {
        let (status, answer) = send(&twin, Method::POST, uri, body).await;
        assert_eq!(status.is_success(), accepted, "{body:.60}: {answer}");
        if !accepted {
            assert_eq!(answer["kind"], "Status", "{body:.60}");
        }
    }
    for patch in [
        r#"{"status": "x"}"#,
        r#"{"status": {"conditions": ["x"]}}"#,
        r#"{"metadata": null}"#,
        r#"{"spec": {"taints": [1]}}"#,
    ] {
        for part in ["", "/status"] {
            let uri = format!("/api/v1/nodes/worker-a1{part}");
            let (status, answer) = send(&twin, Method::PATCH, &uri, patch).await;
            assert_eq!(status.as_u16() / 100, 4, "{patch} on {uri}: {answer}");
        }
    }
    for uri in ["/api/v1/pods?limit=x", "/api/v1/pods?continue=x", "/api/v1/pods?labelSelector=(("]
    {
        assert_eq!(send(&twin, Method::GET, uri, "").await.0, StatusCode::BAD_REQUEST, "{uri}");
    }
    twin.run();
    let (status, list) = send(&twin, Method::GET, deployments, "").await;
    assert_eq!((status, &list["items"][0]["status"]["readyReplicas"]), (StatusCode::OK, &json!(2)));
}
