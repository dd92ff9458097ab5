//! What can happen to the standard cluster, by the traces that it leaves.

// Helpers of tests may fail like tests.
#![allow(clippy::unwrap_used, clippy::panic, clippy::expect_used)]

mod story;

use serde_json::{Value, json};
use story::{Story, apply, deployment, ready, taints, text, waiting};
use twin::scenario::Fault;

#[test]
fn a_node_that_comes_back_is_taken_up_again() {
    let node = || "worker-1".to_owned();
    let story = Story::of(vec![
        (0, Fault::StopKubelet { node: node() }),
        (200, Fault::StartKubelet { node: node() }),
    ]);
    let lost = story.after(190).object("Node", "worker-1");
    assert_eq!(ready(&lost).0, "Unknown");
    assert_eq!(taints(&lost).len(), 2);
    let mut here = story.objects("Pod");
    here.retain(|pod| pod["spec"]["nodeName"] == "worker-1");
    assert!(!here.is_empty() && here.iter().all(|pod| ready(pod).0 == "False"), "{here:?}");
    let back = story.after(215).object("Node", "worker-1");
    let told = ("True".to_owned(), "kubelet is posting ready status".to_owned());
    assert_eq!((ready(&back), taints(&back)), (told, vec![]));
    for pod in here {
        let now = story.object("Pod", &text(&pod["metadata"]["name"]));
        assert_eq!(
            (ready(&now).0, &now["metadata"]["uid"]),
            ("True".into(), &pod["metadata"]["uid"])
        );
    }
    story.tells("worker-1", &["Starting: Starting kubelet.", "NodeReady: Node worker-1 status"]);
}

#[test]
fn a_kubelet_without_its_runtime_says_so() {
    let story = Story::of(vec![(0, Fault::StopRuntime { node: "worker-2".into() })]);
    assert_eq!(ready(&story.after(25).object("Node", "worker-2")).0, "True");
    let down = story.after(50).object("Node", "worker-2");
    assert_eq!(ready(&down), ("False".into(), "container runtime is down".into()));
    assert_eq!(
        taints(&down),
        ["node.kubernetes.io/not-ready:NoSchedule", "node.kubernetes.io/not-ready:NoExecute"]
    );
    let told = ready(&story.after(240).object("Node", "worker-2")).1;
    let stale = "[container runtime is down, PLEG is not healthy: pleg was last seen active 3m";
    assert!(told.starts_with(stale) && told.ends_with("ago; threshold is 3m0s]"), "{told}");
    // After their toleration pods are deleted; without a runtime they cannot end.
    let stuck = story.after(600).objects("Pod");
    let stuck = stuck.iter().filter(|pod| pod["spec"]["nodeName"] == "worker-2");
    let ending: Vec<_> =
        stuck.map(|pod| pod["metadata"]["deletionTimestamp"].is_string()).collect();
    assert!(!ending.is_empty() && ending.iter().all(|is| *is), "{ending:?}");
}

#[test]
fn an_image_that_is_gone_is_tried_again_and_again() {
    let story = Story::of(vec![
        (0, Fault::LoseImage { image: "drill:1".into() }),
        (1, apply(&[deployment("press", 1, &json!({}), &json!({}))])),
    ]);
    assert_eq!(waiting(&story.after(5).pods("press")[0]), "ErrImagePull");
    assert_eq!(waiting(&story.after(60).pods("press")[0]), "ImagePullBackOff");
    let image = "docker.io/library/drill:1";
    let why = format!(
        "Failed to pull image \"drill:1\": rpc error: code = NotFound desc = failed to pull and \
         unpack image \"{image}\": failed to resolve reference \"{image}\": {image}: not found"
    );
    story.tells(
        "press-",
        &[
            "Pulling: Pulling image \"drill:1\"",
            &why,
            "Failed: Error: ErrImagePull",
            "BackOff: Back-off pulling image \"drill:1\"",
            "Failed: Error: ImagePullBackOff",
        ],
    );
    let tries =
        |seconds| story.after(seconds).events("press-")["Pulling: Pulling image \"drill:1\""];
    let (first, later) = (tries(100), tries(700));
    assert!((3..=5).contains(&first) && (6..=8).contains(&later), "{first}, {later}");
}

#[test]
fn a_program_that_ends_is_started_with_growing_pauses() {
    let crash = Fault::Crash { namespace: "shop".into(), workload: "cart".into(), exit_code: 3 };
    let story = Story::of(vec![(0, crash)]);
    let pod = &story.after(120).pods("cart-")[0];
    let status = &pod["status"]["containerStatuses"][0];
    let last = &status["lastState"]["terminated"];
    assert_eq!((&last["exitCode"], &last["reason"]), (&json!(3), &json!("Error")));
    assert_eq!(waiting(pod), "CrashLoopBackOff");
    let told = text(&status["state"]["waiting"]["message"]);
    assert!(
        told.starts_with("back-off 1m20s restarting failed container=cart pod=cart-"),
        "{told}"
    );
    assert_eq!(status["restartCount"], 4);
    story.tells("cart-", &["BackOff: Back-off restarting failed container cart in pod cart-"]);
    let cart = story.object("Deployment", "cart");
    assert_eq!(cart["status"]["unavailableReplicas"], 2);
}

#[test]
fn memory_over_the_limit_is_killed_and_comes_back() {
    let growth = Fault::GrowMemory {
        namespace: "shop".into(),
        workload: "checkout".into(),
        bytes_per_second: 16 << 20,
    };
    let story = Story::of(vec![(0, growth)]);
    // 160 MiB of 320 MiB are held at first: ten seconds are left.
    let restarts = |seconds| {
        let pods = story.after(seconds).pods("checkout-");
        let status = pods[0]["status"]["containerStatuses"][0].clone();
        (status["restartCount"].as_i64().unwrap(), status)
    };
    assert_eq!(restarts(8).0, 0);
    let (count, status) = restarts(60);
    let last = &status["lastState"]["terminated"];
    assert_eq!((&last["exitCode"], &last["reason"]), (&json!(137), &json!("OOMKilled")));
    assert!((2..=3).contains(&count), "{count}");
    assert!(story.objects("Node").iter().all(|node| ready(node).0 == "True"));
}

#[test]
fn pods_that_admission_refuses_are_tried_again_more_and_more_rarely() {
    let quota = json!({
        "apiVersion": "v1", "kind": "ResourceQuota",
        "metadata": {"name": "q", "namespace": "shop"}, "spec": {"hard": {"pods": "11"}},
    });
    let story = Story::of(vec![
        (0, apply(&[quota.clone(), deployment("press", 4, &json!({}), &json!({}))])),
        (0, apply(&[deployment("nobody", 1, &json!({}), &json!({"serviceAccountName": "x"}))])),
        (0, apply(&[deployment("noclass", 1, &json!({}), &json!({"priorityClassName": "y"}))])),
        (
            30,
            apply(&[json!({
                "apiVersion": "v1", "kind": "ResourceQuota",
                "metadata": {"name": "q", "namespace": "shop"}, "spec": {"hard": {"pods": "12"}},
            })]),
        ),
    ]);
    let exceeded =
        "is forbidden: exceeded quota: q, requested: pods=1, used: pods=11, limited: pods=11";
    story.after(6).tells("press-", &[exceeded]);
    story.tells("nobody-", &[
        "-\" is forbidden: error looking up service account shop/x: serviceaccount \"x\" not found",
    ]);
    story.tells("noclass-", &["is forbidden: no PriorityClass with name y was found"]);
    assert_eq!(story.object("ResourceQuota", "q")["status"]["used"]["pods"], "11");
    let set = story.objects("Deployment").into_iter().find(|d| d["metadata"]["name"] == "press");
    let failure = set.unwrap()["status"]["conditions"].as_array().unwrap().clone();
    let failure = failure.into_iter().find(|c| c["type"] == "ReplicaFailure").unwrap();
    assert_eq!((&failure["status"], &failure["reason"]), (&json!("True"), &json!("FailedCreate")));
    // About ten tries within some seconds, then with gaps of 2.5, 5, 10, 20 s, as recorded.
    let refused: i64 = story.events("nobody-").values().filter(|n| **n > 1).sum();
    assert!((9..=12).contains(&refused), "{refused}");
    assert_eq!(story.after(29).pods("press-").len(), 2);
    assert_eq!(story.after(80).pods("press-").len(), 3);
}

#[test]
fn claims_are_bound_or_say_why_not() {
    let claim = |name: &str, class: Value| {
        json!({
            "apiVersion": "v1", "kind": "PersistentVolumeClaim",
            "metadata": {"name": name, "namespace": "shop"},
            "spec": {
                "storageClassName": class, "accessModes": ["ReadWriteOnce"],
                "resources": {"requests": {"storage": "1Gi"}},
            },
        })
    };
    let uses = |name: &str, claim: &str| {
        let volumes = json!([{"name": "v", "persistentVolumeClaim": {"claimName": claim}}]);
        deployment(name, 1, &json!({}), &json!({"volumes": volumes}))
    };
    let volume = json!({
        "apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": "by-hand"},
        "spec": {
            "capacity": {"storage": "5Gi"}, "accessModes": ["ReadWriteOnce"],
            "storageClassName": "hand", "hostPath": {"path": "/data"},
        },
    });
    let story = Story::of(vec![(
        0,
        apply(&[
            volume,
            claim("made", Value::Null),
            claim("taken", json!("hand")),
            claim("lacks", json!("fast")),
            claim("none", json!("")),
            uses("good", "made"),
            uses("stuck", "lacks"),
            uses("lost", "gone"),
        ]),
    )]);
    story.after(40);
    let phase = |name| {
        let claim = story.object("PersistentVolumeClaim", name);
        (text(&claim["status"]["phase"]), text(&claim["spec"]["storageClassName"]))
    };
    assert_eq!(phase("made"), ("Bound".into(), "standard".into()));
    assert_eq!(phase("taken"), ("Bound".into(), "hand".into()));
    assert_eq!(phase("lacks").0, "Pending");
    assert_eq!(story.object("PersistentVolume", "by-hand")["status"]["phase"], "Bound");
    story.tells("made", &["ExternalProvisioning: Waiting for a volume", "ProvisioningSucceeded"]);
    story.tells("lacks", &["ProvisioningFailed: storageclass.storage.k8s.io \"fast\" not found"]);
    story.tells("none", &["FailedBinding: no persistent volumes available for this claim and no"]);
    assert_eq!(story.pods("good-")[0]["status"]["phase"], "Running");
    let nodes = "FailedScheduling: 0/7 nodes are available:";
    story.tells(
        "stuck-",
        &[&format!("{nodes} pod has unbound immediate PersistentVolumeClaims. not found")],
    );
    story
        .tells("lost-", &[&format!("{nodes} persistentvolumeclaim \"gone\" not found. not found")]);
}

#[test]
fn probes_of_a_silent_port_fail_as_kubelets_tell() {
    let probe = |port: i64| json!({"httpGet": {"path": "/live", "port": port}, "periodSeconds": 5});
    let ports = json!([{"containerPort": 8080}]);
    let live = json!({"ports": ports, "livenessProbe": probe(81)});
    let unready = json!({"ports": ports, "readinessProbe": probe(82)});
    let story = Story::of(vec![(
        0,
        apply(&[
            deployment("killed", 1, &live, &json!({})),
            deployment("unready", 1, &unready, &json!({})),
        ]),
    )]);
    story.after(60).tells(
        "killed-",
        &[":81/live\": dial tcp 10.244.", "Killing: Container main failed liveness probe, will be"],
    );
    let pod = &story.pods("killed-")[0];
    assert!(pod["status"]["containerStatuses"][0]["restartCount"].as_i64().unwrap() >= 2);
    story.tells("unready-", &["Unhealthy: Readiness probe failed: Get \"http://10.244."]);
    let pod = &story.pods("unready-")[0];
    assert_eq!(pod["status"]["containerStatuses"][0]["restartCount"], 0);
    assert_eq!((ready(pod).0, &pod["status"]["phase"]), ("False".into(), &json!("Running")));
}

#[test]
fn pods_without_their_settings_do_not_start() {
    let map = |name: &str| {
        json!({
            "apiVersion": "v1", "kind": "ConfigMap", "data": {"a": "b"},
            "metadata": {"name": name, "namespace": "shop"},
        })
    };
    let from = json!({"envFrom": [{"configMapRef": {"name": "late"}}]});
    let key = json!({"env": [{"name": "A", "valueFrom": {
        "configMapKeyRef": {"name": "there", "key": "c"},
    }}]});
    let volumes = json!({"volumes": [{"name": "v", "secret": {"secretName": "gone"}}]});
    let mut slow = deployment("slow", 1, &json!({}), &volumes);
    slow["spec"]["progressDeadlineSeconds"] = 60.into();
    let story = Story::of(vec![
        (0, apply(&[map("there"), deployment("from", 1, &from, &json!({})), slow])),
        (0, apply(&[deployment("key", 1, &key, &json!({}))])),
        (40, apply(&[map("late")])),
    ]);
    assert_eq!(waiting(&story.after(30).pods("from-")[0]), "CreateContainerConfigError");
    story.tells("from-", &["Failed: Error: configmap \"late\" not found"]);
    story.tells("key-", &["Failed: Error: couldn't find key c in ConfigMap shop/there"]);
    assert_eq!(waiting(&story.pods("slow-")[0]), "ContainerCreating");
    let why = "FailedMount: MountVolume.SetUp failed for volume \"v\" : secret \"gone\" not found";
    story.tells("slow-", &[why]);
    // What comes late is found at the next look.
    assert_eq!(ready(&story.after(70).pods("from-")[0]).0, "True");
    let slow = story.object("Deployment", "slow");
    let all = slow["status"]["conditions"].as_array().unwrap();
    let progressing = all.iter().find(|c| c["type"] == "Progressing").unwrap();
    let told = (&progressing["status"], &progressing["reason"]);
    assert_eq!(told, (&json!("False"), &json!("ProgressDeadlineExceeded")));
}

#[test]
fn the_scheduler_says_what_each_node_lacks() {
    let affinity = json!({"affinity": {"nodeAffinity": {
        "requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [
            {"matchExpressions": [{"key": "disk", "operator": "In", "values": ["nvme"]}]},
        ]},
    }}});
    let huge = json!({"resources": {"requests": {"cpu": "64"}}});
    let cordon = json!({
        "apiVersion": "v1", "kind": "Node", "metadata": {"name": "worker-6"},
        "spec": {"unschedulable": true},
    });
    let story = Story::of(vec![(
        0,
        apply(&[
            cordon,
            deployment("picky", 1, &json!({}), &affinity),
            deployment("huge", 1, &huge, &json!({})),
        ]),
    )]);
    let taken = "1 node(s) had untolerated taint(s), 1 node(s) were unschedulable, 5";
    let end = "no new claims to deallocate, preemption: 0/7 nodes are available: 7 Preemption is \
               not helpful for scheduling.";
    story.after(10).tells(
        "picky-",
        &[&format!("{taken} node(s) didn't match Pod's node affinity/selector. {end}")],
    );
    story.tells("huge-", &[&format!("{taken} Insufficient cpu. {end}")]);
}
