//! Asking through a client whose server is a function.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use http::{Request, Response};
use kube::Client;
use kube::client::Body;
use model::{Builder, HostFigure, Kind, Timestamp};

use crate::{Reading, Source, Window, alerts, prometheus};

const END: i64 = 1_772_359_200;

/// A source that answers `answer(path)`: status, content type, body. The paths asked are kept.
fn source(
    answer: impl Fn(&str) -> (u16, &'static str, String) + Send + Sync + 'static,
) -> (Source, Arc<Mutex<Vec<String>>>) {
    let asked = Arc::new(Mutex::new(Vec::new()));
    let (log, answer) = (Arc::clone(&asked), Arc::new(answer));
    let service = tower::service_fn(move |request: Request<Body>| {
        let path = request.uri().path_and_query().unwrap().to_string();
        assert_eq!(request.method(), http::Method::GET, "it only asks");
        let (status, kind, body) = answer(&path);
        log.lock().unwrap().push(path);
        async move {
            if status == 0 {
                std::future::pending::<()>().await;
            }
            let response = Response::builder().status(status).header("content-type", kind);
            response.body(Body::from(body.into_bytes()))
        }
    });
    let source = Source {
        client: Client::new(service, "default"),
        place: "http://p".to_owned(),
        token_option: "--prometheus-token-file",
        patience: Duration::from_millis(200),
    };
    (source, asked)
}

async fn read(source: &Source) -> Reading {
    let end = Timestamp::from_seconds(END);
    let window = Window { start: end.minus_seconds(3600), end };
    prometheus(source, window, |_| true, 3).await
}

const JSON: &str = "application/json";

fn vector(series: &[(&str, f64)]) -> String {
    let one = |(labels, value): &(&str, f64)| {
        let labels: Vec<String> = labels
            .split(',')
            .map(|l| l.split_once('=').unwrap())
            .map(|(k, v)| format!(r#""{k}":"{v}""#))
            .collect();
        format!(r#"{{"metric":{{{}}},"value":[{END},"{value}"]}}"#, labels.join(","))
    };
    let series: Vec<String> = series.iter().map(one).collect();
    let series = series.join(",");
    format!(r#"{{"status":"success","data":{{"resultType":"vector","result":[{series}]}}}}"#)
}

fn is_targets(path: &str) -> bool {
    path.starts_with("/api/v1/query?query=up&")
}

fn up() -> String {
    vector(&[("job=node,instance=10.0.0.1:9100", 1.0)])
}

#[tokio::test]
async fn whatever_comes_instead_of_an_answer_is_blindness() {
    let cut = up();
    let cut = cut[..cut.len() / 2].to_owned();
    let large = format!("{}{}", up(), " ".repeat(33 << 20));
    for (status, kind, body, want) in [
        (401, JSON, "no".into(), "it refuses us (HTTP 401); give --prometheus-token-file FILE"),
        (403, JSON, String::new(), "it refuses us (HTTP 403)"),
        (302, "text/html", String::new(), "it sends us elsewhere (HTTP 302)"),
        (404, "text/plain", "404 page not found".into(), "HTTP 404: 404 page not found; is it"),
        (500, JSON, r#"{"status":"error","error":"disk"}"#.into(), "HTTP 500: disk"),
        (503, "text/html", "<html>busy".into(), "HTTP 503"),
        (200, "text/html; charset=utf-8", "<!doctype html>".into(), "it answers with a web page"),
        (200, "", " <html>".into(), "it answers with a web page"),
        (200, JSON, cut, "the answer is cut off or no answer"),
        (200, JSON, String::new(), "the answer is cut off or no answer"),
        (200, JSON, "{}".into(), "the answer is cut off or no answer"),
        (200, JSON, r#"{"status":"error","error":"no"}"#.into(), "status \"error\" no"),
        (
            200,
            JSON,
            r#"{"status":"success","data":{"resultType":"scalar","result":[1,"1"]}}"#.into(),
            "it has no series",
        ),
        (200, JSON, large, "the answer is larger than 32 MiB"),
        (200, JSON, vector(&[]), "it has nothing of this time"),
        (0, JSON, String::new(), "no answer within"),
    ] {
        let (source, asked) = source(move |_| (status, kind, body.clone()));
        let reading = read(&source).await;
        assert!(reading.is_lost, "{want}");
        let said: Vec<&str> = reading.blind.iter().map(|b| b.why.as_str()).collect();
        assert!(matches!(said.as_slice(), [one] if one.contains(want)), "{want}: {said:?}");
        assert!(reading.blind[0].ask.starts_with("curl -sS -i -m 20 'http://p/api/v1/query?"));
        assert_eq!(asked.lock().unwrap().len(), 1, "who does not answer is not asked on");
    }
    let broken = tower::service_fn(|_: Request<Body>| async {
        Err::<Response<Body>, _>(std::io::Error::other("connection refused"))
    });
    let (mut source, _) = source(|_| (200, JSON, String::new()));
    source.client = Client::new(broken, "default");
    let reading = read(&source).await;
    assert_eq!(reading.blind[0].why, "http://p: nobody answers: connection refused");
}

#[tokio::test]
async fn one_question_in_vain_is_named_and_the_others_are_taken() {
    let (source, _) = source(|path| match path {
        p if is_targets(p) => (200, JSON, up()),
        p if p.contains("node_load") => (
            200,
            JSON,
            vector(&[
                ("__name__=node_load1,instance=10.0.0.1:9100", 9.0),
                ("__name__=node_load5,instance=10.0.0.1:9100", 8.0),
                ("__name__=node_load15,instance=10.0.0.1:9100", 7.5),
            ]),
        ),
        p if p.contains("node_uname_info") => (
            200,
            JSON,
            vector(&[("__name__=node_uname_info,instance=10.0.0.1:9100,nodename=worker-1", 1.0)]),
        ),
        p if p.contains("node_filesystem") => (422, JSON, r#"{"error":"too many samples"}"#.into()),
        p if p.contains("/alerts") => (404, JSON, String::new()),
        _ => (200, JSON, vector(&[])),
    });
    let reading = read(&source).await;
    assert!(reading.is_lost);
    let blind: Vec<String> =
        reading.blind.iter().map(|b| format!("{} | {}", b.what, b.why)).collect();
    assert_eq!(blind[0], "disks of nodes | http://p: HTTP 422: too many samples");
    assert!(blind[1].contains("it does not scrape the kubelets' cAdvisor"), "{blind:?}");
    assert_eq!(reading.hosts.len(), 1);
    assert_eq!(reading.hosts[0].node, "worker-1");
    let load = HostFigure::Load { one: 900, five: 800, fifteen: 750 };
    assert_eq!((&reading.hosts[0].figure, reading.hosts[0].document), (&load, 3));
}

#[tokio::test]
async fn a_partial_answer_is_taken_and_told() {
    let (source, _) = source(|path| {
        let partial = r#""warnings":["store down"],"status""#;
        match is_targets(path) {
            true => (200, JSON, up()),
            false => (200, JSON, vector(&[]).replace(r#""status""#, partial)),
        }
    });
    let reading = read(&source).await;
    assert!(reading.is_lost);
    let why = &reading.blind[0].why;
    assert!(why.contains("it says that the answer is not whole: store down"), "{why}");
}

#[tokio::test]
async fn objects_are_put_together_from_what_kube_state_metrics_says() {
    let (source, _) = source(|path| match path {
        p if is_targets(p) => (200, JSON, up()),
        p if p.contains("kube_pod_info") => (
            200,
            JSON,
            vector(&[
                (
                    "__name__=kube_pod_info,namespace=shop,pod=web-7d9f8c6b5-x2x4z,node=worker-1,created_by_kind=ReplicaSet,created_by_name=web-7d9f8c6b5",
                    1.0,
                ),
                (
                    "__name__=kube_pod_status_phase,namespace=shop,pod=web-7d9f8c6b5-x2x4z,phase=Pending",
                    1.0,
                ),
                (
                    "__name__=kube_pod_status_ready,namespace=shop,pod=web-7d9f8c6b5-x2x4z,condition=false",
                    1.0,
                ),
                (
                    "__name__=kube_pod_container_status_waiting_reason,namespace=monitoring,exported_namespace=shop,exported_pod=web-7d9f8c6b5-x2x4z,pod=ksm,exported_container=web,reason=ImagePullBackOff",
                    1.0,
                ),
            ]),
        ),
        p if p.contains("kube_node_") && p.contains("status_condition") => (
            200,
            JSON,
            vector(&[
                (
                    "__name__=kube_node_info,node=worker-1,kubelet_version=v1.31.0,internal_ip=10.0.0.1",
                    1.0,
                ),
                (
                    "__name__=kube_node_status_condition,node=worker-1,condition=Ready,status=true",
                    1.0,
                ),
                (
                    "__name__=kube_node_status_condition,node=worker-1,condition=Ready,status=false",
                    0.0,
                ),
                (
                    "__name__=kube_node_status_capacity,node=worker-1,resource=memory,unit=byte",
                    4294967296.0,
                ),
                ("__name__=kube_deployment_spec_replicas,namespace=shop,deployment=web", 1.0),
                (
                    "__name__=kube_deployment_status_replicas_available,namespace=shop,deployment=web",
                    0.0,
                ),
            ]),
        ),
        _ => (200, JSON, vector(&[])),
    });
    let reading = read(&source).await;
    let mut builder = Builder::default();
    reading.objects.into_iter().for_each(|o| builder.add(o, 0));
    let now = builder.finish(None);
    let node = now.nodes.get("", "worker-1").unwrap();
    assert_eq!(node.ready(), Some(model::Truth::True));
    assert_eq!(node.capacity.amount("memory").units(), 4 << 30);
    assert_eq!(now.apps.len(), 1, "the pod belongs to the deployment");
    let app = &now.apps[0];
    assert_eq!((app.object.kind, app.object.name.as_str()), (Kind::Deployment, "web"));
    assert_eq!(app.pods[0].node, "worker-1");
    assert!(!now.coverage.lists_any(Kind::Pod), "what is not told of may still be there");
}

#[tokio::test]
async fn alerts_are_a_list_or_blindness() {
    let (good, _) = source(|_| (200, JSON, r#"[{"labels":{"alertname":"A"}}]"#.into()));
    let (told, blind) = alerts(&good).await;
    assert_eq!((told.len(), blind.len()), (1, 0));
    for (status, body) in [(500, "[]"), (200, "{}"), (200, "[{")] {
        let (bad, _) = source(move |_| (status, JSON, body.to_owned()));
        let (told, blind) = alerts(&bad).await;
        assert_eq!((told.len(), blind.len()), (0, 1), "{status} {body}");
    }
}
