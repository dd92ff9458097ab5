//! Reading through a client whose server is a function.

use std::sync::{Arc, Mutex};

use http::{Request, Response, header};
use kube::Client;
use kube::client::Body;
use model::{Kind, Snapshot};

use crate::{Error, Progress, Reading, Scope, read};

const PODS: &str = "/api/v1/pods?limit=500";
const DATE: &str = "Sun, 06 Nov 1994 08:49:37 GMT";
const NODES: &str = "/api/v1/nodes?limit=500";

/// A client that gets `answer(path, accept)`: a status and a body. The paths asked are kept.
fn client(
    answer: impl Fn(&str, &str) -> (u16, String) + Send + Sync + 'static,
) -> (Client, Arc<Mutex<Vec<String>>>) {
    let asked = Arc::new(Mutex::new(Vec::new()));
    let (log, answer) = (Arc::clone(&asked), Arc::new(answer));
    let service = tower::service_fn(move |request: Request<Body>| {
        let path = request.uri().path_and_query().unwrap().to_string();
        let accept = request.headers()[header::ACCEPT].to_str().unwrap().to_owned();
        assert_eq!(request.method(), http::Method::GET, "only lists are sent");
        let (status, body) = answer(&path, &accept);
        log.lock().unwrap().push(path);
        let response = Response::builder()
            .status(status)
            .header(header::DATE, DATE)
            .body(Body::from(body.into_bytes()));
        async move { response }
    });
    (Client::new(service, "default"), asked)
}

async fn read_kinds(
    client: &Client,
    namespace: Option<&str>,
    kinds: &[Kind],
) -> Result<Reading, Error> {
    let scope = Scope { fallback_namespace: namespace.map(str::to_owned), ..Scope::default() };
    read(client, &scope, kinds, &|_: Progress| {}).await
}

fn pod(name: &str) -> String {
    format!(
        r#"{{"metadata":{{"name":"{name}","namespace":"shop","creationTimestamp":
        "2026-01-01T00:00:00Z"}},"spec":{{"containers":[{{"name":"c","image":"i"}}]}}}}"#
    )
}

fn list(items: &[String], token: &str) -> (u16, String) {
    let items = items.join(",");
    (200, format!(r#"{{"metadata":{{"continue":"{token}"}},"items":[{items}]}}"#))
}

fn refused(code: u16) -> (u16, String) {
    let body =
        format!(r#"{{"kind":"Status","status":"Failure","message":"said {code}","code":{code}}}"#);
    (code, body)
}

fn pods_in(snapshot: &Snapshot) -> Vec<String> {
    snapshot.apps.iter().flat_map(|a| &a.pods).map(|p| p.meta.name.to_string()).collect()
}

#[tokio::test]
async fn pages_are_followed_to_the_end_and_make_the_list_complete() {
    let (client, asked) = client(|path, _| match path {
        "/version" => (200, r#"{"gitVersion":"v1.31.2"}"#.to_owned()),
        PODS => list(&[pod("a"), pod("b")], "t/1"),
        "/api/v1/pods?limit=500&continue=t%2F1" => list(&[pod("c")], ""),
        _ => refused(404),
    });
    let reading = read_kinds(&client, None, &[Kind::Pod, Kind::Component]).await.unwrap();
    assert_eq!(reading.server.version.as_deref(), Some("v1.31.2"));
    assert_eq!(reading.server.time.unwrap().to_string(), "1994-11-06T08:49:37Z");
    assert_eq!(reading.blind, []);
    let now = reading.evidence.finish(None);
    assert_eq!(pods_in(&now), ["a", "b", "c"]);
    assert!(now.coverage.lists(Kind::Pod, "any"));
    assert_eq!(asked.lock().unwrap().len(), 3);
}

#[tokio::test]
async fn an_expired_list_is_begun_again_once() {
    let calls = Arc::new(Mutex::new(0));
    let count = Arc::clone(&calls);
    let (client, _) = client(move |path, _| match path {
        PODS => {
            *count.lock().unwrap() += 1;
            if *count.lock().unwrap() == 1 {
                list(&[pod("gone"), pod("a")], "old")
            } else {
                list(&[pod("a")], "")
            }
        }
        "/version" => refused(403),
        _ => refused(410),
    });
    let now = read_kinds(&client, None, &[Kind::Pod]).await.unwrap().evidence.finish(None);
    assert_eq!(pods_in(&now), ["a"], "what was read of the expired list is dropped");
    assert_eq!(*calls.lock().unwrap(), 2);
}

#[tokio::test]
async fn what_is_refused_is_blindness_and_the_rest_is_read() {
    let (client, _) = client(|path, _| match path {
        "/api/v1/namespaces/shop/pods?limit=500" => list(&[pod("a")], ""),
        PODS | NODES => refused(403),
        "/apis/autoscaling/v2/horizontalpodautoscalers?limit=500" => refused(404),
        _ => refused(500),
    });
    let kinds = [Kind::Pod, Kind::Node, Kind::HorizontalPodAutoscaler, Kind::Service];
    let reading = read_kinds(&client, Some("shop"), &kinds).await.unwrap();
    let blind: Vec<String> =
        reading.blind.iter().map(|b| format!("{} | {} | {}", b.what, b.why, b.ask)).collect();
    assert_eq!(
        blind,
        [
            "pods outside namespace shop | refused: said 403 | kubectl get pods -A",
            "nodes | refused: said 403 | kubectl get nodes",
            "horizontalpodautoscalers | this cluster does not serve autoscaling/v2 | \
             kubectl get horizontalpodautoscalers -A",
            "services | said 500 | kubectl get services -A",
        ]
    );
    let now = reading.evidence.finish(None);
    assert!(now.coverage.lists(Kind::Pod, "shop") && !now.coverage.lists(Kind::Pod, "other"));
    assert!(!now.coverage.lists_any(Kind::Node));
}

#[tokio::test]
async fn of_secrets_only_metadata_is_asked_for_and_believed() {
    let (client, _) = client(|path, accept| {
        if path == "/version" {
            return refused(403);
        }
        assert!(accept.contains("as=PartialObjectMetadataList"), "{path}: {accept}");
        let meta = r#"{"name":"s","namespace":"shop","creationTimestamp":"2026-01-01T00:00:00Z"}"#;
        list(&[format!(r#"{{"metadata":{meta}}}"#)], "")
    });
    let kinds = [Kind::Secret, Kind::ConfigMap];
    let now = read_kinds(&client, None, &kinds).await.unwrap().evidence.finish(None);
    let secret = now.named(Kind::Secret, "shop", "s").unwrap();
    assert!(!secret.meta.shows(model::record::Known::SPEC), "its keys are not known");
    assert!(now.is_missing(Kind::Secret, "shop", "other"));
}

#[tokio::test]
async fn one_bad_object_spoils_neither_the_page_nor_the_truth() {
    let bad = r#"{"metadata":{"name":7}}"#.to_owned();
    let (client, _) = client(move |_, _| list(&[pod("a"), bad.clone()], ""));
    let reading = read_kinds(&client, None, &[Kind::Pod]).await.unwrap();
    assert_eq!(reading.blind.len(), 1);
    assert_eq!(reading.blind[0].what, "1 pods that cannot be decoded");
    let now = reading.evidence.finish(None);
    assert_eq!(pods_in(&now), ["a"]);
    assert!(!now.coverage.lists_any(Kind::Pod), "an unreadable object is not an absent one");
}

#[tokio::test]
async fn who_is_refused_everything_is_told_so() {
    for (code, want) in [
        (401, "the cluster refuses our credentials: said 401"),
        (403, "the cluster refuses or fails every list; the first reason: refused: said 403"),
    ] {
        let (client, _) = client(move |_, _| refused(code));
        let error = read_kinds(&client, Some("shop"), &[Kind::Pod]).await.unwrap_err();
        assert_eq!(error.to_string(), want);
    }
    let broken = tower::service_fn(|_: Request<Body>| async {
        Err::<Response<Body>, _>(std::io::Error::other("connection refused"))
    });
    let client = Client::new(broken, "default");
    let error = read_kinds(&client, None, &[Kind::Pod]).await.unwrap_err();
    assert!(matches!(error, Error::Unreachable { .. }), "{error}");
}
