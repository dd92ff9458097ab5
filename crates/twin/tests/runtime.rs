//! The runtime of kube-rs against the twin: each test in process and over TLS.

// Helpers of tests may fail like tests.
#![allow(clippy::unwrap_used, clippy::panic, clippy::expect_used)]

use std::sync::Arc;
use std::time::Duration;

use futures::{StreamExt, TryStreamExt};
use http_body_util::BodyExt as _;
use k8s_openapi::api::coordination::v1::Lease;
use k8s_openapi::api::core::v1::ConfigMap;
use kube::api::{Api, ListParams, Patch, PatchParams, PostParams};
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::runtime::controller::Action;
use kube::runtime::{Controller, WatchStreamExt, reflector, watcher};
use kube::{Client, Config, Discovery, ResourceExt};
use serde_json::json;
use twin::scenario::{Controllers, plain};
use twin::{Options, Server, Speed, Twin};

/// A client, and what must live as long as it.
struct Reached {
    client: Client,
    twin: Twin,
    _server: Option<Server>,
}

fn empty() -> Twin {
    let now = "2026-03-02T08:00:00Z".parse().unwrap();
    Twin::new(plain(1, now, 0, Controllers::All))
}

async fn in_process() -> Reached {
    let twin = empty();
    Reached { client: Client::new(twin.service(), "default"), twin, _server: None }
}

async fn over_tls() -> Reached {
    let twin = empty();
    let options = Options {
        address: "127.0.0.1:0".parse().unwrap(),
        token: "secret-token".into(),
        speed: Speed::Pause,
        plain: false,
        authorization: twin::Authorization::Rbac,
    };
    let server = twin::serve(&twin, options).await.unwrap();
    let file = Kubeconfig::from_yaml(&server.kubeconfig()).unwrap();
    let choice = KubeConfigOptions::default();
    let config = Config::from_custom_kubeconfig(file, &choice).await.unwrap();
    let client = Client::try_from(config).unwrap();
    Reached { client, twin, _server: Some(server) }
}

/// Runs a test on both ways to the twin, with an end to its patience.
macro_rules! both_ways {
    ($($name:ident)*) => {
        mod process { $(#[tokio::test] async fn $name() {
            super::within(super::$name(super::in_process().await)).await;
        })* }
        mod tls { $(#[tokio::test] async fn $name() {
            super::within(super::$name(super::over_tls().await)).await;
        })* }
    };
}

both_ways! {
    a_watcher_lists_or_streams_and_follows
    a_reflector_holds_what_is_there
    a_controller_brings_objects_into_line
    an_apply_owns_its_fields
    discovery_finds_kinds_by_name
    one_of_two_candidates_holds_the_lease
    limits_are_counted
    answers_come_in_protobuf
}

async fn within(test: impl Future<Output = ()>) {
    tokio::time::timeout(Duration::from_secs(120), test).await.expect("it ends in time");
}

fn map(name: &str, value: &str) -> ConfigMap {
    serde_json::from_value(json!({"metadata": {"name": name}, "data": {"value": value}})).unwrap()
}

async fn a_watcher_lists_or_streams_and_follows(reached: Reached) {
    let maps = Api::<ConfigMap>::namespaced(reached.client, "kube-public");
    for name in ["a", "b"] {
        maps.create(&PostParams::default(), &map(name, "1")).await.unwrap();
    }
    for (config, late) in [
        (watcher::Config::default().page_size(1), "c"),
        (watcher::Config::default().streaming_lists(), "d"),
    ] {
        let there = maps.list(&ListParams::default()).await.unwrap().items.len();
        let mut events = std::pin::pin!(watcher(maps.clone(), config));
        let mut first = Vec::new();
        loop {
            match events.try_next().await.unwrap().unwrap() {
                watcher::Event::Init => {}
                watcher::Event::InitApply(map) => first.push(map.name_any()),
                watcher::Event::InitDone => break,
                other => panic!("too early: {other:?}"),
            }
        }
        assert_eq!(first.len(), there, "{first:?}");
        maps.create(&PostParams::default(), &map(late, "1")).await.unwrap();
        let event = events.try_next().await.unwrap().unwrap();
        assert!(
            matches!(&event, watcher::Event::Apply(map) if map.name_any() == late),
            "{event:?}"
        );
    }
}

async fn a_reflector_holds_what_is_there(reached: Reached) {
    let maps = Api::<ConfigMap>::namespaced(reached.client, "kube-public");
    maps.create(&PostParams::default(), &map("a", "1")).await.unwrap();
    let (reader, writer) = reflector::store();
    let config = watcher::Config::default().streaming_lists();
    let stream = watcher(maps.clone(), config).default_backoff().reflect(writer);
    let running = tokio::spawn(stream.for_each(|_| async {}));
    reader.wait_until_ready().await.unwrap();
    let found = |name: &str| reader.find(|map| map.name_any() == name);
    assert!(found("a").is_some());
    maps.delete("a", &Default::default()).await.unwrap();
    maps.create(&PostParams::default(), &map("b", "1")).await.unwrap();
    while found("b").is_none() {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert!(found("a").is_none());
    running.abort();
}

async fn a_controller_brings_objects_into_line(reached: Reached) {
    let maps = Api::<ConfigMap>::namespaced(reached.client.clone(), "kube-public");
    maps.create(&PostParams::default(), &map("a", "1")).await.unwrap();
    let reconcile = |map: Arc<ConfigMap>, maps: Arc<Api<ConfigMap>>| async move {
        let copy = format!("{}-copy", map.name_any());
        if !map.name_any().ends_with("-copy") {
            let wanted = json!({
                "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": copy},
                "data": map.data,
            });
            let as_manager = PatchParams::apply("copier").force();
            maps.patch(&copy, &as_manager, &Patch::Apply(wanted)).await?;
        }
        Ok::<_, kube::Error>(Action::await_change())
    };
    let failed = |_: Arc<ConfigMap>, _: &kube::Error, _: Arc<Api<ConfigMap>>| {
        Action::requeue(Duration::from_millis(100))
    };
    let controller = Controller::new(maps.clone(), watcher::Config::default());
    let context = Arc::new(maps.clone());
    let running = tokio::spawn(controller.run(reconcile, failed, context).for_each(|_| async {}));
    let copied = async |value: &str| loop {
        let copy = maps.get_opt("a-copy").await.unwrap();
        let data = copy.and_then(|copy| copy.data).unwrap_or_default();
        if data.get("value").is_some_and(|found| found == value) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    };
    copied("1").await;
    let change = Patch::Merge(json!({"data": {"value": "2"}}));
    maps.patch("a", &PatchParams::default(), &change).await.unwrap();
    copied("2").await;
    running.abort();
}

async fn an_apply_owns_its_fields(reached: Reached) {
    let maps = Api::<ConfigMap>::namespaced(reached.client, "kube-public");
    let wanted = |value: &str| {
        Patch::Apply(json!({
            "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"},
            "data": {"value": value},
        }))
    };
    let (one, other) = (PatchParams::apply("one"), PatchParams::apply("other"));
    let made = maps.patch("a", &one, &wanted("1")).await.unwrap();
    assert_eq!(made.managed_fields().len(), 1);
    match maps.patch("a", &other, &wanted("2")).await {
        Err(kube::Error::Api(status)) => {
            assert_eq!(status.code, 409);
            assert!(status.message.contains("conflict with \"one\""), "{}", status.message);
        }
        answer => panic!("no conflict: {answer:?}"),
    }
    let forced = maps.patch("a", &other.force(), &wanted("2")).await.unwrap();
    assert_eq!(forced.data.unwrap()["value"], "2");
}

async fn discovery_finds_kinds_by_name(reached: Reached) {
    for discovery in [
        Discovery::new(reached.client.clone()).run().await.unwrap(),
        Discovery::new(reached.client.clone()).run_aggregated().await.unwrap(),
    ] {
        let apps = discovery.groups().find(|group| group.name() == "apps").unwrap();
        assert_eq!(apps.preferred_version_or_latest(), "v1");
        let (resource, verbs) = apps.recommended_kind("Deployment").unwrap();
        assert_eq!(resource.plural, "deployments");
        assert!(verbs.subresources.iter().any(|(sub, _)| sub.plural.ends_with("scale")));
    }
}

async fn one_of_two_candidates_holds_the_lease(reached: Reached) {
    let leases = Api::<Lease>::namespaced(reached.client, "kube-system");
    let lease = |holder: &str| -> Lease {
        serde_json::from_value(json!({
            "metadata": {"name": "leader"},
            "spec": {
                "holderIdentity": holder, "leaseDurationSeconds": 15,
                "renewTime": "2026-03-02T08:00:00.000001Z",
            },
        }))
        .unwrap()
    };
    let created =
        futures::future::join(leases.create(&PostParams::default(), &lease("one")), async {
            leases.create(&PostParams::default(), &lease("two")).await
        })
        .await;
    assert!(created.0.is_ok() != created.1.is_ok(), "{created:?}");
    // Both read the same version and try to take it over: only one can.
    reached.twin.advance_seconds(20);
    let seen = leases.get("leader").await.unwrap();
    let take = |holder: &str| {
        let mut next = seen.clone();
        next.spec.as_mut().unwrap().holder_identity = Some(holder.to_owned());
        next
    };
    let (three, four) = (take("three"), take("four"));
    let (first, second) = (
        leases.replace("leader", &PostParams::default(), &three).await,
        leases.replace("leader", &PostParams::default(), &four).await,
    );
    assert!(first.is_ok());
    match second {
        Err(kube::Error::Api(status)) => assert_eq!(status.code, 409),
        answer => panic!("both hold it: {answer:?}"),
    }
    let holder = leases.get("leader").await.unwrap().spec.unwrap().holder_identity;
    assert_eq!(holder.as_deref(), Some("three"));
}

async fn limits_are_counted(reached: Reached) {
    let get = async |path: &str| {
        let request = http::Request::get(path).body(Vec::new()).unwrap();
        reached.client.request_text(request).await.unwrap()
    };
    let open = "twin_watches_open 1\n";
    assert!(!get("/metrics").await.contains(open));
    let maps = Api::<ConfigMap>::namespaced(reached.client.clone(), "kube-public");
    let events = maps.watch(&Default::default(), "0").await.unwrap();
    assert!(get("/metrics").await.contains(open));
    drop(events);
    let large = map("large", &"x".repeat(3 << 20));
    match maps.create(&PostParams::default(), &large).await {
        Err(kube::Error::Api(status)) => assert_eq!(status.code, 413),
        answer => panic!("it is too large: {answer:?}"),
    }
    assert!(get("/metrics").await.contains("twin_request_bodies_refused_total 1\n"));
}

async fn answers_come_in_protobuf(reached: Reached) {
    const BINARY: &str = "application/vnd.kubernetes.protobuf";
    let ask = async |path: &str, accept: &str| {
        let request = http::Request::get(path).header("accept", accept);
        let body = kube::client::Body::empty();
        let answer = reached.client.send(request.body(body).unwrap()).await.unwrap();
        let kind = answer.headers()["content-type"].to_str().unwrap().to_owned();
        let code = answer.status().as_u16();
        let mut body = answer.into_body().into_data_stream();
        let first = body.next().await.transpose().unwrap().unwrap_or_default();
        (code, kind, first)
    };
    let metadata = format!("{BINARY};as=PartialObjectMetadataList;v=v1;g=meta.k8s.io");
    for (path, accept, code) in [
        ("/api/v1/namespaces", BINARY, 200),
        ("/api/v1/namespaces/default", BINARY, 200),
        ("/api/v1/namespaces", metadata.as_str(), 200),
        ("/api/v1/namespaces/nope", BINARY, 404),
        ("/apis", BINARY, 200),
    ] {
        let (status, kind, body) = ask(path, accept).await;
        assert_eq!((status, kind.as_str()), (code, BINARY), "{path}");
        assert!(body.starts_with(b"k8s\0"), "{path}");
    }
    // A frame: four bytes of length, then the event, which holds an envelope.
    let (_, kind, frame) = ask("/api/v1/namespaces?watch=1&timeoutSeconds=5", BINARY).await;
    assert_eq!(kind, format!("{BINARY};stream=watch"));
    assert!(frame.windows(4).any(|part| part == b"k8s\0") && frame.starts_with(&[0, 0]));
    // Tables are for people, and custom kinds have no messages: JSON is the next choice.
    let table = "as=Table;v=v1;g=meta.k8s.io";
    let both = format!("{BINARY};{table},application/json;{table}");
    assert_eq!(ask("/api/v1/namespaces", &both).await.1, "application/json");
    assert_eq!(ask("/api/v1/namespaces", &format!("{BINARY};{table}")).await.0, 406);
}
