//! One incident per cause, however many suffer; and no comfort from what was not seen.

use serde_json::json;

use super::made::Made;
use super::run_with_input;

/// What loud incidents say, in their order: mechanism, object.
fn causes(text: &str) -> (String, Vec<String>) {
    let value = super::json(&run_with_input(&["diagnose", "-", "-o", "json"], text.as_bytes()));
    let incidents = value["incidents"].as_array().unwrap().iter();
    let loud = incidents.filter(|i| i["severity"] != "note").map(|i| {
        let c = &i["cause"];
        let words = [&c["failure"], &c["mechanism"], &c["object"]["name"]];
        words.map(|w| w.as_str().unwrap_or_default()).join(" ")
    });
    (value["verdict"].as_str().unwrap().to_owned(), loud.collect())
}

#[test]
fn a_healthy_cluster_is_healthy_in_one_word() {
    assert_eq!(causes(&Made::new(40, 200).text()), ("healthy".to_owned(), vec![]));
}

#[test]
fn sixty_sick_pods_of_three_lost_nodes_are_one_incident() {
    let mut made = Made::new(30, 60);
    for node in ["node-3", "node-4", "node-5"] {
        made.silence(node);
    }
    let (verdict, found) = causes(&made.text());
    assert!(verdict == "broken" || verdict == "degraded", "{verdict}");
    assert_eq!(found.len(), 1, "{found:#?}");
    assert!(found[0].starts_with("node-"), "{found:#?}");
}

#[test]
fn five_unrelated_faults_among_2000_pods_are_five_incidents_in_order() {
    let mut made = Made::new(40, 200);
    // A whole application that cannot pull its image.
    let image = "registry.example/app:nope";
    for kind in ["Deployment", "ReplicaSet"] {
        for o in made.all(kind, "app-7") {
            if o["metadata"]["labels"]["app"] == "app-7" {
                o["spec"]["template"]["spec"]["containers"][0]["image"] = json!(image);
            }
        }
    }
    made.wait(
        "app-7",
        "ImagePullBackOff",
        &format!("Back-off pulling image \"{image}\": not found"),
    );
    // A Service that selects nobody.
    for service in made.all("Service", "app-11") {
        if service["metadata"]["name"] == "app-11" {
            service["spec"]["selector"] = json!({"app": "app-elevn"});
        }
    }
    for slice in made.all("EndpointSlice", "app-11-") {
        slice["endpoints"] = json!([]);
    }
    // A node that nobody hears from.
    made.silence("node-9");
    wait_for_claim(&mut made);
    crash_one(&mut made);
    let (verdict, found) = causes(&made.text());
    assert_eq!(verdict, "broken");
    let want = [
        "pod-image-pull-failing image-not-found app-7",
        "service-without-endpoints selector-unmatched app-11",
        "node-unknown kubelet-down node-9",
        "claim-pending storage-class-missing papers",
        "pod-crash-looping application-error app-21",
    ];
    assert_eq!(found, want);
}

/// A claim without a class, and the pod that waits for it.
fn wait_for_claim(made: &mut Made) {
    made.items.push(json!({
        "apiVersion": "v1", "kind": "PersistentVolumeClaim",
        "metadata": {"name": "papers", "namespace": "shop",
            "creationTimestamp": "2026-03-01T09:00:00Z"},
        "spec": {"storageClassName": "fastest", "accessModes": ["ReadWriteOnce"],
            "resources": {"requests": {"storage": "1Gi"}}},
        "status": {"phase": "Pending"},
    }));
    made.items.extend(["standard", "slow"].map(|name| {
        json!({
            "apiVersion": "storage.k8s.io/v1", "kind": "StorageClass",
            "metadata": {"name": name, "creationTimestamp": "2026-02-01T08:00:00Z"},
            "provisioner": "csi.example",
        })
    }));
    let message = "0/40 nodes are available: pod has unbound immediate PersistentVolumeClaims.";
    made.items.push(json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {"name": "archive", "namespace": "shop",
            "creationTimestamp": "2026-03-01T09:00:00Z"},
        "spec": {"containers": [{"name": "main", "image": "registry.example/archive:1"}],
            "volumes": [{"name": "data", "persistentVolumeClaim": {"claimName": "papers"}}]},
        "status": {"phase": "Pending", "conditions": [{"type": "PodScheduled", "status": "False",
            "reason": "Unschedulable", "message": message,
            "lastTransitionTime": "2026-03-01T09:00:01Z"}]},
    }));
}

/// One program that ends again and again.
fn crash_one(made: &mut Made) {
    for pod in made.all("Pod", "app-21-").take(1) {
        pod["status"]["conditions"][0]["status"] = json!("False");
        pod["status"]["conditions"][0]["lastTransitionTime"] = json!("2026-03-01T09:58:00Z");
        pod["status"]["containerStatuses"][0] = json!({
            "name": "main", "ready": false, "restartCount": 9, "image": "registry.example/app:1",
            "state": {"waiting": {"reason": "CrashLoopBackOff",
                "message": "back-off 5m0s restarting failed container"}},
            "lastState": {"terminated": {"exitCode": 2, "reason": "Error",
                "startedAt": "2026-03-01T09:57:50Z", "finishedAt": "2026-03-01T09:58:00Z"}},
        });
    }
}

#[test]
fn what_was_not_read_is_never_taken_for_well() {
    let mut made = Made::new(12, 20);
    let whole = made.text();
    // Cut in the middle: what is left looks well.
    let half = &whole[..whole.len() / 2];
    let value = super::json(&run_with_input(&["diagnose", "-", "-o", "json"], half.as_bytes()));
    assert_eq!(value["verdict"], "inconclusive", "{value:#}");
    assert!(value["blind"].as_array().is_some_and(|b| !b.is_empty()), "{value:#}");
    // Without each kind in turn, a sick cluster never gets a better verdict than it has.
    made.wait("app-7", "ImagePullBackOff", "Back-off pulling image \"registry.example/app:1\"");
    let (sick, _) = causes(&made.text());
    assert!(sick == "broken" || sick == "degraded", "{sick}");
    let kinds = ["Pod", "Node", "Deployment", "ReplicaSet", "Service", "EndpointSlice"];
    for kind in kinds {
        let items: Vec<_> = made.items.iter().filter(|o| o["kind"] != kind).collect();
        let left = json!({"apiVersion": "v1", "kind": "List", "items": items}).to_string();
        let (verdict, _) = causes(&left);
        assert_ne!(verdict, "healthy", "without {kind}");
    }
}
