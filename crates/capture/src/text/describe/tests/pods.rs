//! Descriptions of pods and their events.

use super::*;

#[test]
fn pod_identity_and_placement() {
    check(
        POD,
        "Pod",
        "web-2",
        &[
            ("/metadata/labels", json!({"app": "web", "tier": "front"})),
            (
                "/metadata/annotations",
                json!({"example.com/note": "a: b=c",
            "example.com/long": "one two"}),
            ),
            (
                "/metadata/ownerReferences/0",
                json!({"apiVersion": "apps/v1", "kind": "ReplicaSet",
            "name": "web-5f", "controller": true}),
            ),
            ("/spec/nodeName", json!("node-1")),
            ("/spec/priorityClassName", json!("high")),
            ("/spec/serviceAccountName", json!("web")),
            ("/spec/nodeSelector", json!({"disk": "ssd"})),
            ("/spec/tolerations/0/tolerationSeconds", json!(300)),
            ("/spec/tolerations/1/value", json!("a")),
            ("/spec/topologySpreadConstraints/0/labelSelector/matchLabels/app", json!("web")),
            ("/status/phase", json!("Running")),
            ("/status/startTime", json!("2025-11-11T07:58:50Z")),
            ("/status/podIP", json!("10.1.0.7")),
            ("/status/qosClass", json!("Burstable")),
            ("/status/conditions/1", json!({"type": "Ready", "status": "False"})),
            ("/spec/volumes/0/persistentVolumeClaim/claimName", json!("web-data")),
            ("/spec/volumes/1/configMap", json!({"name": "settings", "optional": true})),
            ("/spec/volumes/2/projected/sources/1/configMap/name", json!("kube-root-ca.crt")),
            ("/eventsShown", json!(true)),
            ("/spec/hostNetwork", json!("ABSENT")),
        ],
    );
}

#[test]
fn pod_containers() {
    let at = "/spec/containers/0";
    let own = |path: &str| format!("{at}{path}");
    check(
        POD,
        "Pod",
        "web-2",
        &[
            (
                "/spec/initContainers/0/command",
                json!(["sh", "-c", "echo a\nif true; then\n  echo b\nfi"]),
            ),
            ("/spec/initContainers/0/resources", json!({"limits": {}, "requests": {}})),
            ("/spec/initContainers/0/livenessProbe", Value::Null),
            (
                &own("/ports"),
                json!([
            {"containerPort": 8080, "protocol": "TCP", "name": "http"},
            {"containerPort": 9090, "protocol": "TCP", "name": "metrics", "hostPort": 9090}]),
            ),
            (&own("/resources/requests"), json!({"cpu": "100m", "memory": "64Mi"})),
            (&own("/livenessProbe/httpGet/port"), json!("http")),
            (
                &own("/readinessProbe/exec/command"),
                json!(["sh", "-c", "test", "-f", "/tmp/x", "&&", "true"]),
            ),
            (&own("/readinessProbe/periodSeconds"), json!(10)),
            (&own("/env/1/value"), json!("http://db:5432/x")),
            (
                &own("/env/2/valueFrom/secretKeyRef"),
                json!({"name": "db", "key": "password",
            "optional": false}),
            ),
            (&own("/env/3/valueFrom/configMapKeyRef/optional"), json!(true)),
            (&own("/env/4/valueFrom/fieldRef/fieldPath"), json!("status.podIP")),
            (&own("/env/5/valueFrom/resourceFieldRef/resource"), json!("limits.cpu")),
            (
                &own("/envFrom/0"),
                json!({"configMapRef": {"name": "settings", "optional": false},
            "prefix": "APP_"}),
            ),
            (&own("/envFrom/1/secretRef/optional"), json!(true)),
            (
                &own("/volumeMounts/0"),
                json!({"name": "data", "mountPath": "/data",
            "readOnly": false, "subPath": "sub"}),
            ),
            ("/status/containerStatuses/0/state/waiting/reason", json!("CrashLoopBackOff")),
            ("/status/containerStatuses/0/lastState/terminated/exitCode", json!(2)),
            (
                "/status/containerStatuses/0/lastState/terminated/message",
                json!("panic: no database\ngoroutine 1 [running]:\nmain.main()"),
            ),
            (
                "/status/containerStatuses/0/lastState/terminated/finishedAt",
                json!("2025-11-11T08:00:01Z"),
            ),
            ("/status/containerStatuses/0/restartCount", json!(7)),
            ("/status/initContainerStatuses/0/ready", json!(true)),
        ],
    );
}

#[test]
fn pod_events() {
    let got = events(POD);
    assert_eq!(got.len(), 2);
    assert_eq!(got[1]["message"], "Back-off restarting failed container");
    assert_eq!(got[1]["count"], 26);
    assert_eq!((&got[1]["ageSeconds"], &got[1]["firstAgeSeconds"]), (&json!(120), &json!(457)));
    assert_eq!(
        got[1]["involvedObject"],
        json!({"kind": "Pod", "name": "web-2",
        "namespace": "shop"})
    );
    assert_eq!(got[0]["source"]["component"], "kubelet");
}

#[test]
fn old_event_table() {
    let text = "Name:\t\tweb\nNamespace:\tshop\nNode:\t\tn1/10.0.0.1\nStatus:\t\tPending\nIP:\t\t\n\
        Controllers:\t<none>\nContainers:\n  app:\n    Image:\tx\nEvents:\n  \
        FirstSeen\tLastSeen\tCount\tFrom\t\t\tSubObjectPath\tType\t\tReason\t\tMessage\n  \
        ---------\t--------\t-----\t----\t\t\t-------------\t--------\t------\t\t-------\n  \
        5m\t\t1m\t\t12\tdefault-scheduler\t\t\tWarning\t\tFailedScheduling\tno nodes\n";
    let got = events(text);
    assert_eq!(got.len(), 1, "{got:?}");
    assert_eq!((&got[0]["count"], &got[0]["firstAgeSeconds"]), (&json!(12), &json!(300)));
    assert_eq!(got[0]["message"], "no nodes");
    check(text, "Pod", "web", &[("/spec/nodeName", json!("n1")), ("/status/podIP", json!(""))]);
}

#[test]
fn unscheduled_pod_and_no_events() {
    let text = "Name:             a\nNamespace:        b\nNode:             <none>\n\
        Labels:           <none>\nStatus:           Pending\nIP:               \nIPs:              <none>\n\
        Containers:\n  c:\n    Image:        x\n    Environment:  <none>\n    Mounts:       <none>\n\
        Volumes:          <none>\nNode-Selectors:   <none>\nTolerations:      <none>\nEvents:           <none>\n";
    check(
        text,
        "Pod",
        "a",
        &[
            ("/spec/nodeName", json!("")),
            ("/metadata/labels", json!({})),
            ("/metadata/annotations", json!("ABSENT")),
            ("/spec/nodeSelector", json!({})),
            ("/spec/tolerations", json!([])),
            ("/spec/volumes", json!([])),
            ("/status/containerStatuses", json!("ABSENT")),
            ("/eventsShown", json!(true)),
        ],
    );
}
