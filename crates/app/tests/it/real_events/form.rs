//! The smallest evidence that has a text in the form it was found in.

use serde_json::{Value, json};

const AT: &str = "2026-03-01T10:00:00Z";

/// What is given to the program for this text.
pub(super) fn evidence(text: &Value, of: Option<&str>) -> String {
    let field = |key: &str| text[key].as_str().unwrap_or_default();
    for ending in ["yaml", "txt"] {
        let path = crate::data(&format!("real-events/given/{}.{ending}", field("id")));
        if let Ok(given) = std::fs::read_to_string(path) {
            return given;
        }
    }
    let (namespace, name) = match of.and_then(|o| o.split_once('/')) {
        Some((namespace, name)) => (namespace, name),
        None => ("shop", "web-7d9c5b6f4-x2x4z"),
    };
    match (field("type"), field("kind")) {
        ("Warning" | "Normal", kind) => event(text, kind, namespace, name).to_string(),
        ("Condition", "node") => node(text).to_string(),
        ("Condition", "hpa") => scaler(text).to_string(),
        ("Condition", _) => pod(
            namespace,
            name,
            &json!({"phase": "Pending", "conditions": [{"type": "PodScheduled",
                "status": "False", "lastTransitionTime": AT, "reason": text["reason"],
                "message": text["message"]}]}),
        ),
        ("Status", _) => pod(
            namespace,
            name,
            &json!({"phase": "Failed", "reason": text["reason"], "message": text["message"],
                "startTime": AT}),
        ),
        ("ContainerState", _) => pod(namespace, name, &ended(text)),
        ("Log", _) => log(text),
        ("APIError", _) => format!(
            "$ kubectl drain worker-1 --ignore-daemonsets\nnode/worker-1 already cordoned\n\
             evicting pod shop/postgres-0\n{}\n",
            field("message")
        ),
        ("Metric", _) => defunct_processes(field("message")),
        (other, _) => panic!("no form for {other}: {}", field("id")),
    }
}

fn event(text: &Value, kind: &str, namespace: &str, name: &str) -> Value {
    let (kind, name) = match kind {
        "pod" => ("Pod", name),
        "node" => ("Node", "worker-1"),
        "replicaset" => ("ReplicaSet", name.strip_suffix("-x2x4z").unwrap_or(name)),
        "job" => ("Job", "report-29034"),
        "hpa" => ("HorizontalPodAutoscaler", "web"),
        "pvc" => ("PersistentVolumeClaim", "data-db-0"),
        "service" => ("Service", if name.starts_with("web-") { "web" } else { name }),
        other => panic!("no object of kind {other}"),
    };
    let namespace = if kind == "Node" { "" } else { namespace };
    json!({
        "apiVersion": "v1", "kind": "Event",
        "metadata": {"name": "e.1", "namespace": if namespace.is_empty() { "default" } else { namespace }},
        "involvedObject": {"kind": kind, "namespace": namespace, "name": name},
        "type": text["type"], "reason": text["reason"], "message": text["message"],
        "source": {"component": text["source"]},
        "count": 5, "firstTimestamp": "2026-03-01T09:50:00Z", "lastTimestamp": AT,
    })
}

/// A node with the condition; one that is not about readiness leaves the node ready.
fn node(text: &Value) -> Value {
    let (reason, message) = (&text["reason"], &text["message"]);
    let since = "2026-03-01T09:50:00Z";
    let ready = json!({"type": "Ready", "status": "True", "reason": "KubeletReady",
        "lastTransitionTime": since, "lastHeartbeatTime": AT});
    let conditions = match text["source"].as_str() {
        Some("route-controller") => json!([ready, {"type": "NetworkUnavailable", "status": "True",
            "reason": "NoRouteCreated", "message": message, "lastTransitionTime": since}]),
        _ => json!([{"type": "Ready", "status": "False", "reason": reason, "message": message,
            "lastTransitionTime": since, "lastHeartbeatTime": AT}]),
    };
    json!({"apiVersion": "v1", "kind": "Node",
        "metadata": {"name": "worker-1", "creationTimestamp": "2026-02-01T00:00:00Z"},
        "spec": {}, "status": {"conditions": conditions}})
}

fn scaler(text: &Value) -> Value {
    json!({"apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": "web", "namespace": "shop",
            "creationTimestamp": "2026-02-01T00:00:00Z"},
        "spec": {"minReplicas": 1, "maxReplicas": 5,
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"},
            "metrics": [{"type": "Resource", "resource": {"name": "cpu",
                "target": {"type": "Utilization", "averageUtilization": 50}}}]},
        "status": {"currentReplicas": 1, "desiredReplicas": 1, "conditions": [
            {"type": "ScalingActive", "status": "False", "reason": text["reason"],
             "message": text["message"], "lastTransitionTime": "2026-03-01T09:50:00Z"}]}})
}

fn pod(namespace: &str, name: &str, status: &Value) -> String {
    json!({"apiVersion": "v1", "kind": "Pod",
        "metadata": {"name": name, "namespace": namespace,
            "creationTimestamp": "2026-03-01T08:00:00Z"},
        "spec": {"nodeName": if status["phase"] == "Pending" { "" } else { "worker-1" },
            "containers": [{"name": "app", "image": "web:1"}]},
        "status": status})
    .to_string()
}

/// A container that ended as the text says.
fn ended(text: &Value) -> Value {
    let end = json!({"exitCode": 128, "reason": text["reason"], "message": text["message"],
        "finishedAt": AT});
    json!({"phase": "Running",
        "conditions": [{"type": "Ready", "status": "False", "lastTransitionTime": AT}],
        "containerStatuses": [{"name": "app", "ready": false, "restartCount": 4,
            "state": {"waiting": {"reason": "CrashLoopBackOff"}},
            "lastState": {"terminated": end}}]})
}

fn log(text: &Value) -> String {
    let field = |key: &str| text[key].as_str().unwrap_or_default();
    let line = format!("E0301 10:00:00.000000    1011 main.go:12] {}", field("message"));
    match field("source") {
        "kubelet" => format!(
            "root@worker-1:~# journalctl -u kubelet --no-pager\n\
             Mar 01 10:00:00 worker-1 kubelet[1011]: {line}\n"
        ),
        _ => format!("$ kubectl logs -n kube-system cloud-controller-manager-6d4f7\n{line}\n"),
    }
}

/// `ps -ef` as it must have looked.
fn defunct_processes(message: &str) -> String {
    let digits: String = message.chars().take_while(char::is_ascii_digit).collect();
    let count: usize = digits.parse().unwrap();
    let mut text = String::from(
        "root@worker-1:~# ps -ef\nUID        PID  PPID  C STIME TTY          TIME CMD\n\
         root         1     0  0 Feb01 ?        00:00:09 /sbin/init\n\
         root      1011     1  2 Feb01 ?        01:00:00 /usr/bin/kubelet --v=2\n",
    );
    for pid in 2_000..2_000 + count {
        text.push_str(&format!(
            "root     {pid:>5}  1011  0 Feb01 ?        00:00:00 [sh] <defunct>\n"
        ));
    }
    text
}
