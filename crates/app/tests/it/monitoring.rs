//! The real Prometheus and the real Alertmanager, with a history that is made for the purpose:
//! what they know decides, and losing sight of them never looks like good news.

mod servers;

use serde_json::{Value, json};

use super::{json, run};
use servers::{Alertmanager, Prometheus, Scratch, has_servers};

/// The moment that the evidence is of.
const NOW: i64 = 1_772_359_200;
const NOW_TEXT: &str = "2026-03-01T10:00:00Z";

/// Two nodes and a workload on each, all of them well as far as the API tells.
fn healthy_cluster() -> Value {
    let created = "2026-02-01T00:00:00Z";
    let node = |name: &str| {
        json!({"apiVersion": "v1", "kind": "Node",
            "metadata": {"name": name, "creationTimestamp": created},
            "status": {"capacity": {"cpu": "4", "memory": "8Gi", "pods": "110"},
                "allocatable": {"cpu": "3800m", "memory": "7Gi", "pods": "110"},
                "conditions": [{"type": "Ready", "status": "True", "reason": "KubeletReady",
                    "lastTransitionTime": created, "lastHeartbeatTime": NOW_TEXT}]}})
    };
    let pod = |app: &str, node: &str| {
        json!({"apiVersion": "v1", "kind": "Pod",
            "metadata": {"name": format!("{app}-7d9f8c6b5-x2x4z"), "namespace": "mill",
                "creationTimestamp": created, "labels": {"app": app},
                "ownerReferences": [{"apiVersion": "apps/v1", "kind": "ReplicaSet",
                    "name": format!("{app}-7d9f8c6b5"), "controller": true}]},
            "spec": {"nodeName": node, "containers": [{"name": app, "image": "mill.example/x:1",
                "resources": {"requests": {"cpu": "100m", "memory": "64Mi"}}}]},
            "status": {"phase": "Running", "startTime": created,
                "conditions": [{"type": "Ready", "status": "True", "lastTransitionTime": created}],
                "containerStatuses": [{"name": app, "ready": true, "restartCount": 0,
                    "state": {"running": {"startedAt": created}}}]}})
    };
    let items = [node("grind-1"), node("grind-2"), pod("husk", "grind-1"), pod("sieve", "grind-2")];
    json!({"apiVersion": "v1", "kind": "List", "items": items})
}

/// One hour of measurements: `husk` takes the processors of `grind-1`.
fn history() -> String {
    let mut text = String::new();
    let mut put = |series: &str, value: &dyn Fn(i64) -> f64| {
        for minute in 0..=60 {
            let at = NOW - 3600 + 60 * minute;
            text.push_str(&format!("{series} {} {at}\n", value(minute)));
        }
    };
    for (name, address, load) in [("grind-1", "10.0.0.11", 31.0), ("grind-2", "10.0.0.12", 0.4)] {
        let labels = format!(r#"instance="{address}:9100",job="node""#);
        put(&format!("up{{{labels}}}"), &|_| 1.0);
        put(&format!(r#"node_uname_info{{{labels},nodename="{name}"}}"#), &|_| 1.0);
        for minutes in [1, 5, 15] {
            put(&format!("node_load{minutes}{{{labels}}}"), &|_| load);
        }
    }
    for (app, cores) in [("husk", 3.4), ("sieve", 0.1)] {
        let labels = format!(r#"namespace="mill",pod="{app}-7d9f8c6b5-x2x4z",container="{app}""#);
        put(&format!("container_cpu_usage_seconds_total{{{labels}}}"), &|minute| {
            cores * 60.0 * minute as f64
        });
    }
    text.push_str("# EOF\n");
    text
}

fn cause(value: &Value) -> String {
    let cause = &value["incidents"][0]["cause"];
    let text = |v: &Value| v.as_str().unwrap_or_default().to_owned();
    let object = text(&cause["object"]["name"]);
    let said = ["failure", "mechanism", "certainty"].map(|key| text(&cause[key]));
    format!("{} of {object}", said.join("/"))
}

fn blind(value: &Value) -> Vec<String> {
    let all = value["blind"].as_array().unwrap().iter();
    all.map(|b| format!("{}: {}", b["what"].as_str().unwrap(), b["why"].as_str().unwrap()))
        .collect()
}

#[test]
fn what_prometheus_measured_decides_and_losing_it_is_no_good_news() {
    if !has_servers() {
        return;
    }
    let dump = Scratch::file("cluster.json", &healthy_cluster().to_string());
    let (prometheus, alertmanager) = (Prometheus::with(&history()), Alertmanager::start());
    let (figures, alerts) = (prometheus.url.clone(), alertmanager.url.clone());
    let alone = run(&["diagnose", dump.path(), "-o", "json"]);
    assert_eq!((alone.code, &json(&alone)["verdict"]), (0, &json!("healthy")), "{alone:?}");

    let quiet_alerts = ["diagnose", dump.path(), "--alertmanager", &alerts];
    assert_eq!(run(&quiet_alerts).code, 0, "an Alertmanager without alerts says nothing bad");
    alertmanager.fire(&json!({"alertname": "NodeLoadHigh", "instance": "grind-1:9100"}));

    let all = ["diagnose", dump.path(), "--prometheus", &figures, "--alertmanager"];
    let all = [&all[..], &[&alerts, "-o", "json"]].concat();
    let seen = run(&all);
    let value = json(&seen);
    assert_eq!(cause(&value), "node-overloaded/cpu-hog/likely of husk", "{seen:?}");
    assert_eq!((seen.code, &value["asOf"]), (1, &json!(NOW_TEXT)));
    let input = value["input"].as_array().unwrap();
    let names: Vec<&str> = input.iter().map(|i| i["name"].as_str().unwrap()).collect();
    assert_eq!(names, [dump.path(), &figures, &alerts]);

    let stopped = "nobody answers";
    drop(prometheus);
    let lost = run(&all);
    let value = json(&lost);
    assert_eq!(cause(&value), "node-overloaded/cpu-saturated/possible of grind-1", "{lost:?}");
    assert_eq!(lost.code, 1);
    let said = blind(&value).join("\n");
    assert!(said.contains(&format!("{figures}: {stopped}")), "{said}");

    drop(alertmanager);
    let dark = run(&all);
    let value = json(&dark);
    assert_eq!((dark.code, &value["verdict"]), (5, &json!("inconclusive")), "{dark:?}");
    let said = blind(&value);
    assert_eq!(said.iter().filter(|b| b.contains(stopped)).count(), 2, "{said:?}");
}

#[test]
fn a_guarded_prometheus_wants_its_authority_and_its_password() {
    if !has_servers() {
        return;
    }
    let dump = Scratch::file("cluster.json", &healthy_cluster().to_string());
    let (prometheus, authority) = Prometheus::guarded(&history());
    let with = |login: &str| prometheus.url.replace("://", &format!("://{login}@"));
    let ask = |url: &str, trusted: bool| {
        let mut words = vec!["diagnose", dump.path(), "--prometheus", url, "-o", "json"];
        words.extend(["--monitoring-ca", authority.file.as_str()].iter().filter(|_| trusted));
        run(&words)
    };
    let right = with("watcher:open-sesame");
    let seen = ask(&right, true);
    let value = json(&seen);
    assert_eq!(cause(&value), "node-overloaded/cpu-hog/likely of husk", "{seen:?}");
    assert!(!blind(&value).join("\n").contains("it refuses us"), "{seen:?}");

    for (url, trusted, why) in [
        (&with("watcher:guess"), true, "it refuses us (HTTP 401)"),
        (&prometheus.url, true, "it refuses us (HTTP 401)"),
        (&right, false, "certificate"),
    ] {
        let run = ask(url, trusted);
        let said = blind(&json(&run)).join("\n");
        assert!(said.contains(why) && said.contains(&prometheus.url), "{why}: {said}");
        assert!(!run.out.contains("sesame") && !run.out.contains("guess"), "{run:?}");
        assert_eq!(run.code, 5, "nothing is called healthy: {run:?}");
    }
}

#[test]
fn prometheus_alone_tells_of_objects_that_kube_state_metrics_counts() {
    if !has_servers() {
        return;
    }
    let mut text = String::new();
    let at = servers::wall_seconds();
    for series in [
        r#"up{job="ksm",instance="10.0.0.9:8080"} 1"#,
        r#"kube_node_info{node="grind-1",internal_ip="10.0.0.11",kubelet_version="v1.31.0"} 1"#,
        r#"kube_node_status_condition{node="grind-1",condition="Ready",status="true"} 1"#,
        r#"kube_pod_info{namespace="mill",pod="husk-7d9f8c6b5-x2x4z",node="grind-1",created_by_kind="ReplicaSet",created_by_name="husk-7d9f8c6b5"} 1"#,
        r#"kube_pod_status_phase{namespace="mill",pod="husk-7d9f8c6b5-x2x4z",phase="Pending"} 1"#,
        r#"kube_pod_status_ready{namespace="mill",pod="husk-7d9f8c6b5-x2x4z",condition="false"} 1"#,
        r#"kube_pod_container_status_waiting_reason{namespace="mill",pod="husk-7d9f8c6b5-x2x4z",container="husk",reason="ImagePullBackOff"} 1"#,
        r#"kube_deployment_spec_replicas{namespace="mill",deployment="husk"} 1"#,
        r#"kube_deployment_status_replicas_available{namespace="mill",deployment="husk"} 0"#,
    ] {
        for ago in [120, 60, 1] {
            text.push_str(&format!("{series} {}\n", at - ago));
        }
    }
    text.push_str("# EOF\n");
    let prometheus = Prometheus::with(&text);
    let alone = run(&["diagnose", "--prometheus", &prometheus.url, "-o", "json"]);
    let value = json(&alone);
    assert!(cause(&value).starts_with("pod-image-pull-failing/"), "{alone:?}");
    assert!(cause(&value).ends_with(" of husk"), "{alone:?}");
    assert_eq!(alone.code, 1);
    let said = blind(&value);
    assert!(
        said[0].starts_with("objects and events of the Kubernetes API: no cluster"),
        "{said:?}"
    );
}

#[test]
fn what_one_logs_in_with_is_never_shown() {
    let address = "http://watcher:open-sesame@127.0.0.1:1/prom";
    for format in ["text", "json", "md"] {
        let run = run(&["diagnose", "--prometheus", address, "-o", format]);
        assert_eq!(run.code, 5, "{run:?}");
        assert!(!run.out.contains("sesame") && !run.err.contains("sesame"), "{run:?}");
        assert!(run.out.contains("http://127.0.0.1:1/prom"), "{run:?}");
    }
    let wrong = run(&["diagnose", "--prometheus", "watcher:open-sesame@host:9090"]);
    assert_eq!(wrong.code, 2, "{wrong:?}");
    assert!(!wrong.err.contains("sesame") && wrong.err.contains("--prometheus"), "{wrong:?}");
}
