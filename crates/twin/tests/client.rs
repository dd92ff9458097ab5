//! The twin through a real Kubernetes client, in process.

// Helpers of tests may fail like tests.
#![allow(clippy::unwrap_used, clippy::panic, clippy::expect_used)]

use std::time::Duration;

use futures::{StreamExt, TryStreamExt};
use k8s_openapi::api::core::v1::{ConfigMap, Node, PersistentVolumeClaim, Pod};
use kube::api::{
    Api, DeleteParams, ListParams, Patch, PatchParams, PostParams, WatchEvent, WatchParams,
};
use kube::runtime::watcher;
use kube::{Client, ResourceExt};
use serde_json::json;
use twin::{Twin, scenario};

fn start() -> (Twin, Client) {
    let twin = Twin::new(scenario::cascade(7));
    let client = Client::new(twin.service(), "default");
    (twin, client)
}

/// What a refused request was refused with.
#[track_caller]
fn refusal<T: std::fmt::Debug>(result: kube::Result<T>) -> (u16, String, String) {
    match result {
        Err(kube::Error::Api(status)) => (status.code, status.reason, status.message),
        other => panic!("not refused with a Status: {other:?}"),
    }
}

#[tokio::test]
async fn nodes_and_pods_are_listed() {
    let (_, client) = start();
    let nodes = Api::<Node>::all(client.clone()).list(&ListParams::default()).await.unwrap();
    assert_eq!(nodes.items.len(), 10);
    let ready = |node: &Node| {
        let conditions = node.status.as_ref().unwrap().conditions.as_ref().unwrap();
        conditions.iter().any(|c| c.type_ == "Ready" && c.status == "True")
    };
    assert!(nodes.iter().all(ready));

    let pods = Api::<Pod>::all(client.clone());
    let all = pods.list(&ListParams::default()).await.unwrap();
    let running = |pod: &Pod| pod.status.as_ref().unwrap().phase.as_deref() == Some("Running");
    assert!(all.iter().all(running) && all.items.len() == 29, "{}", all.items.len());
    let chosen = ListParams::default().labels("app in (cart,search)").fields("spec.nodeName!=");
    assert_eq!(pods.list(&chosen).await.unwrap().items.len(), 7);
    let info = client.apiserver_version().await.unwrap();
    assert_eq!((info.major.as_str(), info.minor.as_str()), ("1", "36"));
}

#[tokio::test]
async fn answers_carry_the_virtual_time() {
    let (twin, client) = start();
    let date = || async {
        let request = http::Request::get("/version").body(kube::client::Body::empty()).unwrap();
        let answer = client.send(request).await.unwrap();
        answer.headers()["date"].to_str().unwrap().to_owned()
    };
    assert_eq!(date().await, "Mon, 02 Mar 2026 08:00:00 GMT");
    twin.advance_seconds(90);
    assert_eq!(date().await, "Mon, 02 Mar 2026 08:01:30 GMT");
}

#[tokio::test]
async fn pages_come_from_one_version() {
    let (twin, client) = start();
    let pods = Api::<Pod>::all(client);
    let all = pods.list(&ListParams::default()).await.unwrap();
    let mut params = ListParams::default().limit(2);
    let mut names = Vec::new();
    let mut versions = std::collections::BTreeSet::new();
    loop {
        let page = pods.list(&params).await.unwrap();
        assert!(page.items.len() <= 2);
        names.extend(page.iter().map(ResourceExt::name_any));
        versions.insert(page.metadata.resource_version.clone());
        // Things change between the pages; the pages do not.
        twin.advance_seconds(120);
        match page.metadata.continue_ {
            Some(token) => params = params.continue_token(&token),
            None => break,
        }
    }
    let expected: Vec<_> = all.iter().map(ResourceExt::name_any).collect();
    assert_eq!((&names, versions.len()), (&expected, 1));
    let now = pods.list(&ListParams::default()).await.unwrap();
    assert_ne!(now.iter().map(ResourceExt::name_any).collect::<Vec<_>>(), expected);
}

#[tokio::test]
async fn refusals_are_statuses() {
    let (_, client) = start();
    let maps = Api::<ConfigMap>::namespaced(client.clone(), "default");
    assert_eq!(
        refusal(maps.get("nope").await),
        (404, "NotFound".into(), "configmaps \"nope\" not found".into())
    );
    let made = ConfigMap {
        metadata: kube::api::ObjectMeta { name: Some("a".into()), ..Default::default() },
        data: Some([("k".to_owned(), "v".to_owned())].into()),
        ..ConfigMap::default()
    };
    let made = maps.create(&PostParams::default(), &made).await.unwrap();
    let again = ConfigMap { metadata: made.metadata.clone(), ..made.clone() };
    let mut fresh = again.clone();
    fresh.metadata.resource_version = None;
    let twice = maps.create(&PostParams::default(), &fresh).await;
    assert_eq!(refusal(twice).1, "AlreadyExists");

    let merge = Patch::Merge(json!({"data": {"k": null, "l": "w"}}));
    let changed = maps.patch("a", &PatchParams::default(), &merge).await.unwrap();
    assert_eq!(changed.data.unwrap(), [("l".to_owned(), "w".to_owned())].into());
    let stale = maps.replace("a", &PostParams::default(), &again).await;
    assert_eq!(refusal(stale).1, "Conflict");
    let elsewhere = Api::<ConfigMap>::namespaced(client, "nowhere");
    fresh.metadata.namespace = None;
    let lost = elsewhere.create(&PostParams::default(), &fresh).await;
    assert_eq!(refusal(lost).2, "namespaces \"nowhere\" not found");
    maps.delete("a", &Default::default()).await.unwrap();
    assert_eq!(refusal(maps.get("a").await).0, 404);
}

#[tokio::test]
async fn a_watch_ends_at_its_timeout() {
    let (twin, client) = start();
    let pods = Api::<Pod>::namespaced(client, "logging");
    let version = pods.list(&ListParams::default()).await.unwrap().metadata.resource_version;
    let params = WatchParams::default().timeout(200);
    let events = pods.watch(&params, &version.unwrap()).await.unwrap();
    // The rule is rolled out 20 minutes after the start; the watch is over long before.
    let mover = tokio::spawn(async move {
        for _ in 0..30 {
            tokio::time::sleep(Duration::from_millis(1)).await;
            twin.advance_seconds(10);
        }
    });
    let told: Vec<_> = events.try_collect().await.unwrap();
    let marks = told.iter().filter(|e| matches!(e, WatchEvent::Bookmark(_))).count();
    assert_eq!((told.len(), marks), (4, 4), "one bookmark a minute and one at the end");
    mover.await.unwrap();
}

#[tokio::test]
async fn a_watch_replays_what_was_missed() {
    let (twin, client) = start();
    let pods = Api::<Pod>::namespaced(client, "logging");
    let before = pods.list(&ListParams::default()).await.unwrap();
    twin.advance_seconds(21 * 60);
    let params = WatchParams::default().timeout(5).disable_bookmarks();
    let version = before.metadata.resource_version.unwrap();
    let events = pods.watch(&params, &version).await.unwrap();
    twin.advance_seconds(6);
    let told: Vec<_> = events.try_collect().await.unwrap();
    let kinds: String = told
        .iter()
        .map(|event| match event {
            WatchEvent::Added(_) => 'A',
            WatchEvent::Modified(_) => 'M',
            WatchEvent::Deleted(_) => 'D',
            _ => '?',
        })
        .collect();
    assert!(kinds.starts_with("AM") && kinds.ends_with('D'), "{kinds}");
    assert_eq!(kinds.matches('A').count(), 1);

    let mut gone = pods.watch(&params, "1").await.unwrap().boxed();
    match gone.next().await {
        Some(Ok(WatchEvent::Added(_))) => {}
        other => panic!("all that happened since version 1 is still known: {other:?}"),
    }
}

#[tokio::test]
async fn a_watcher_follows_virtual_time() {
    let (twin, client) = start();
    let nodes = Api::<Node>::all(client);
    let mover = twin.clone();
    let moving = tokio::spawn(async move {
        for _ in 0..50 {
            tokio::time::sleep(Duration::from_millis(2)).await;
            mover.advance_seconds(60);
        }
    });
    let config = watcher::Config::default();
    let changes = watcher::watcher(nodes, config).try_filter_map(|event| async {
        let watcher::Event::Apply(node) = event else { return Ok(None) };
        let conditions = node.status.clone().unwrap().conditions.unwrap();
        let lost = conditions.iter().any(|c| c.type_ == "Ready" && c.status == "Unknown");
        Ok(lost.then(|| node.name_any()))
    });
    let mut lost = std::collections::BTreeSet::new();
    let mut changes = std::pin::pin!(changes);
    while lost.len() < 2 {
        lost.insert(changes.next().await.unwrap().unwrap());
    }
    moving.await.unwrap();
    assert!(lost.iter().all(|name| name.starts_with("worker-")), "{lost:?}");
}

#[tokio::test]
async fn a_claim_in_use_outlives_its_deletion() {
    let (twin, client) = start();
    let claims = Api::<PersistentVolumeClaim>::default_namespaced(client.clone());
    let pods = Api::<Pod>::default_namespaced(client);
    let claim = |name: &str| {
        serde_json::from_value(json!({
            "metadata": {"name": name},
            "spec": {
                "accessModes": ["ReadWriteOnce"],
                "resources": {"requests": {"storage": "1Gi"}},
            },
        }))
        .unwrap()
    };
    let pod = serde_json::from_value(json!({
        "metadata": {"name": "user"},
        "spec": {
            "containers": [{"name": "main", "image": "reg.example/user:1"}],
            "volumes": [{"name": "v", "persistentVolumeClaim": {"claimName": "used"}}],
        },
    }))
    .unwrap();
    for name in ["used", "idle"] {
        claims.create(&PostParams::default(), &claim(name)).await.unwrap();
    }
    pods.create(&PostParams::default(), &pod).await.unwrap();
    twin.advance_seconds(30);
    for name in ["used", "idle"] {
        claims.delete(name, &DeleteParams::default()).await.unwrap();
    }
    twin.advance_seconds(30);
    assert_eq!(refusal(claims.get("idle").await).0, 404);
    assert!(claims.get("used").await.unwrap().metadata.deletion_timestamp.is_some());
    pods.delete("user", &DeleteParams::default().grace_period(0)).await.unwrap();
    twin.advance_seconds(30);
    assert_eq!(refusal(claims.get("used").await).0, 404);
}
