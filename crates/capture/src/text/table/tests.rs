use super::object_from_row;
use crate::piece::Piece;
use crate::text::tests::{object, pieces};
use serde_json::{Value, json};

#[track_caller]
fn check(table: &str, kind: &str, name: &str, want: &[(&str, Value)]) {
    let value = object(table, kind, name);
    for (pointer, want) in want {
        let got = value.pointer(pointer).cloned().unwrap_or(json!("ABSENT"));
        assert_eq!(&got, want, "{pointer} of {kind} {name}");
    }
}

#[test]
fn pods() {
    let wide = "\
NAMESPACE   NAME    READY   STATUS             RESTARTS       AGE    IP         NODE     NOMINATED NODE   READINESS GATES   LABELS
shop        web-1   0/2     CrashLoopBackOff   7 (5h31m ago)  4d5h   <none>     node-1   <none>           <none>            app=web,x=
";
    check(
        wide,
        "Pod",
        "web-1",
        &[
            ("/metadata/namespace", json!("shop")),
            ("/metadata/ageSeconds", json!(363_600)),
            ("/metadata/labels", json!({"app": "web", "x": ""})),
            ("/spec/nodeName", json!("node-1")),
            ("/status/podIP", json!("")),
            ("/status/phase", json!("ABSENT")),
            (
                "/status/summary",
                json!({"ready": 0, "containers": 2, "status": "CrashLoopBackOff",
            "restarts": 7, "lastRestartAgeSeconds": 19_860}),
            ),
        ],
    );
    // No header, nothing else to tell by.
    check(
        "web-1   1/1     Running   0   9m\n",
        "Pod",
        "web-1",
        &[("/status/phase", json!("Running"))],
    );
    check(
        "$ kubectl get po -A | grep web\na   web-1   1/1     Running   0   9m\n",
        "Pod",
        "web-1",
        &[("/metadata/namespace", json!("a"))],
    );
}

#[test]
fn nodes() {
    let table = "\
NAME   STATUS                        ROLES           AGE   VERSION   INTERNAL-IP   EXTERNAL-IP   OS-IMAGE             KERNEL-VERSION   CONTAINER-RUNTIME
n1     Ready,SchedulingDisabled      control-plane   92d   v1.31.2   10.0.0.5      <none>        Ubuntu 22.04.5 LTS   5.15.0           containerd://1.7.23
n2     NotReady                      <none>          92d   v1.31.2   10.0.0.6      <none>        Ubuntu 22.04.5 LTS   5.15.0           containerd://1.7.23
";
    check(
        table,
        "Node",
        "n1",
        &[
            ("/status/conditions", json!([{"type": "Ready", "status": "True"}])),
            ("/spec/unschedulable", json!(true)),
            ("/metadata/labelsPartial", json!(true)),
            ("/status/nodeInfo/osImage", json!("Ubuntu 22.04.5 LTS")),
            ("/status/addresses", json!([{"type": "InternalIP", "address": "10.0.0.5"}])),
        ],
    );
    let squeezed: String =
        table.lines().map(|l| l.split_whitespace().collect::<Vec<_>>().join(" ") + "\n").collect();
    check(
        &squeezed,
        "Node",
        "n2",
        &[
            ("/status/conditions/0/status", json!("False")),
            ("/status/nodeInfo/osImage", json!("Ubuntu 22.04.5 LTS")),
            ("/status/nodeInfo/kernelVersion", json!("5.15.0")),
            ("/metadata/labels", json!("ABSENT")),
        ],
    );
}

#[test]
fn workloads() {
    let all = "\
NAME        READY   STATUS    RESTARTS   AGE
pod/web-1   1/1     Running   0          9m

NAME                  READY   UP-TO-DATE   AVAILABLE   AGE   CONTAINERS   IMAGES   SELECTOR
deployment.apps/web   1/2     1            0           9m    a,b          x:1,y:2  app=web

NAME                 DESIRED   CURRENT   READY   UP-TO-DATE   AVAILABLE   NODE SELECTOR   AGE
daemonset.apps/log   3         3         2       3            2           disk=ssd        9m

NAME                COMPLETIONS   DURATION   AGE
job.batch/migrate   0/1           5m         9m

NAME                   SCHEDULE    SUSPEND   ACTIVE   LAST SCHEDULE   AGE
cronjob.batch/backup   0 3 * * *   True      0        <none>          9m
";
    check(all, "Pod", "web-1", &[]);
    check(
        all,
        "Deployment",
        "web",
        &[
            ("/spec/replicas", json!(2)),
            ("/status/availableReplicas", json!(0)),
            ("/spec/template/spec/containers/1", json!({"name": "b", "image": "y:2"})),
            ("/spec/selector/matchLabels/app", json!("web")),
        ],
    );
    check(
        all,
        "DaemonSet",
        "log",
        &[
            ("/status/numberReady", json!(2)),
            ("/spec/template/spec/nodeSelector", json!({"disk": "ssd"})),
        ],
    );
    check(
        all,
        "Job",
        "migrate",
        &[("/status/succeeded", json!(0)), ("/spec/completions", json!(1))],
    );
    check(
        all,
        "CronJob",
        "backup",
        &[("/spec/suspend", json!(true)), ("/spec/schedule", json!("0 3 * * *"))],
    );
    let old = "NAME      DESIRED   CURRENT   UP-TO-DATE   AVAILABLE   AGE\nweb       3         2         2            1           9m\n";
    check(
        old,
        "Deployment",
        "web",
        &[("/spec/replicas", json!(3)), ("/status/replicas", json!(2))],
    );
}

#[test]
fn network() {
    let services = "\
NAME   TYPE           CLUSTER-IP   EXTERNAL-IP   PORT(S)                     AGE   SELECTOR
web    NodePort       10.0.0.9     <none>        80:30080/TCP,53/UDP         9m    app=web
ext    LoadBalancer   10.0.0.8     <pending>     443:31000/TCP               9m    <none>
";
    check(
        services,
        "Service",
        "web",
        &[
            (
                "/spec/ports",
                json!([{"port": 80, "nodePort": 30080, "protocol": "TCP"},
            {"port": 53, "protocol": "UDP"}]),
            ),
            ("/spec/selector", json!({"app": "web"})),
        ],
    );
    check(
        services,
        "Service",
        "ext",
        &[("/spec/selector", json!({})), ("/status/loadBalancer/ingress", json!([]))],
    );
    let endpoints = "NAME   ENDPOINTS                                AGE\nweb    10.1.0.7:80,10.1.0.8:80 + 3 more...      9m\ndb     <none>                                   9m\n";
    check(
        endpoints,
        "Endpoints",
        "web",
        &[("/subsets/0/addresses/1/ip", json!("10.1.0.8")), ("/moreAddresses", json!(3))],
    );
    check(endpoints, "Endpoints", "db", &[("/subsets", json!([]))]);
}

#[test]
fn storage_and_policies() {
    let claims = "NAME   STATUS    VOLUME   CAPACITY   ACCESS MODES   STORAGECLASS   AGE\ndata   Pending                                      fast           5m\n";
    check(
        claims,
        "PersistentVolumeClaim",
        "data",
        &[
            ("/spec/volumeName", json!("")),
            ("/spec/storageClassName", json!("fast")),
            ("/status/capacity", json!("ABSENT")),
        ],
    );
    let volumes = "NAME   CAPACITY   ACCESS MODES   RECLAIM POLICY   STATUS      CLAIM       STORAGECLASS   REASON   AGE\npv-1   1Gi        RWO,ROX        Retain           Released    shop/data                           4d5h\npv-2   1Gi        RWO            Retain           Available               fast                    4d5h\n";
    check(
        volumes,
        "PersistentVolume",
        "pv-1",
        &[
            ("/spec/claimRef/namespace", json!("shop")),
            ("/spec/accessModes", json!(["ReadWriteOnce", "ReadOnlyMany"])),
            ("/spec/storageClassName", json!("")),
        ],
    );
    check(volumes, "PersistentVolume", "pv-2", &[("/spec/claimRef", Value::Null)]);
    let classes = "NAME             PROVISIONER   RECLAIMPOLICY   VOLUMEBINDINGMODE   ALLOWVOLUMEEXPANSION   AGE\nfast (default)   x             Delete          Immediate           false                  22d\n";
    check(
        classes,
        "StorageClass",
        "fast",
        &[("/metadata/annotations/storageclass.kubernetes.io~1is-default-class", json!("true"))],
    );
    let quota = "NAME   AGE   REQUEST                              LIMIT\nq      2m    requests.cpu: 10/1, pods: 3/10       limits.cpu: 1/2\n";
    check(
        quota,
        "ResourceQuota",
        "q",
        &[
            ("/status/used", json!({"requests.cpu": "10", "pods": "3", "limits.cpu": "1"})),
            ("/spec/hard", json!({"requests.cpu": "1", "pods": "10", "limits.cpu": "2"})),
        ],
    );
    let hpa = "NAME   REFERENCE        TARGETS                       MINPODS   MAXPODS   REPLICAS   AGE\napi    Deployment/api   cpu: <unknown>/70%, memory: 10Mi/20Mi   1         5         1          9m\n";
    check(
        hpa,
        "HorizontalPodAutoscaler",
        "api",
        &[
            ("/spec/metrics/0/resource/target/averageUtilization", json!(70)),
            ("/status/currentMetrics/0/resource/current/averageValue", json!("10Mi")),
        ],
    );
}

#[test]
fn events() {
    let text = "\
LAST SEEN   TYPE      REASON    OBJECT      MESSAGE
5m          Warning   BackOff   pod/web-1   Back-off restarting
failed container
2m (x5 over 9m)   Normal   Pulled   Pod/web-2   done
";
    let got: Vec<Value> = crate::text::tests::pieces(&format!("$ kubectl get events -n a\n{text}"))
        .into_iter()
        .filter_map(|p| match p {
            crate::piece::Piece::Object { value, .. } => Some(value),
            _ => None,
        })
        .collect();
    assert_eq!(got.len(), 2, "{got:#?}");
    assert_eq!(got[0]["message"], "Back-off restarting failed container");
    assert_eq!(got[0]["involvedObject"], json!({"kind": "Pod", "name": "web-1", "namespace": "a"}));
    assert_eq!((&got[1]["count"], &got[1]["firstAgeSeconds"]), (&json!(5), &json!(540)));
}

#[test]
fn rows_of_the_servers_table() {
    let headers = ["Name", "Ready", "Status", "Restarts", "Age", "IP", "Node"];
    let cells = ["web-1", "1/1", "Running", "0", "9m", "10.1.0.7", "node-1"];
    let pod = object_from_row("Pod", &headers, &cells, Some("shop")).unwrap();
    assert_eq!(pod["spec"]["nodeName"], "node-1");
    assert_eq!(pod["metadata"]["namespace"], "shop");
    let headers = [
        "Last Seen",
        "Type",
        "Reason",
        "Object",
        "Subobject",
        "Source",
        "Message",
        "First Seen",
        "Count",
        "Name",
    ];
    let cells = [
        "5m",
        "Warning",
        "BackOff",
        "pod/web-1",
        "spec.containers{a}",
        "kubelet, n1",
        "m",
        "9m",
        "7",
        "web-1.17f",
    ];
    let event = object_from_row("Event", &headers, &cells, Some("shop")).unwrap();
    assert_eq!(event["source"], json!({"component": "kubelet", "host": "n1"}));
    assert_eq!((&event["count"], &event["firstAgeSeconds"]), (&json!(7), &json!(540)));
    assert_eq!(object_from_row("Widget", &["Name"], &["x"], None), None);
}

#[test]
fn old_events() {
    let text = "LASTSEEN   FIRSTSEEN   COUNT   NAME                     KIND   SUBOBJECT   TYPE      REASON             SOURCE              MESSAGE\n1m         5m          12      web-1.15f0a9c2d3e4f567   Pod                Warning   FailedScheduling   default-scheduler   no nodes\n";
    let found = object(text, "Event", "web-1.15f0a9c2d3e4f567");
    assert_eq!(found["involvedObject"]["name"], "web-1");
    assert_eq!((&found["count"], &found["ageSeconds"]), (&json!(12), &json!(60)));
}

#[test]
fn rows_of_the_whole_cluster_leave_the_namespace_empty() {
    let text = "\
$ kubectl get pods,namespaces,nodes -A
NAMESPACE   NAME        READY   STATUS    RESTARTS   AGE
shop        pod/web-1   1/1     Running   0          9m

NAMESPACE   NAME             STATUS   AGE
            namespace/shop   Active   33h

NAMESPACE   NAME          STATUS   ROLES    AGE   VERSION
            node/worker   Ready    <none>   33h   v1.31.4
";
    check(text, "Namespace", "shop", &[("/metadata/ageSeconds", json!(118_800))]);
    check(text, "Node", "worker", &[("/metadata/namespace", json!("ABSENT"))]);
    let skipped = |p: &&Piece| matches!(p, Piece::Skipped { .. });
    assert_eq!(pieces(text).iter().find(skipped), None);
}
