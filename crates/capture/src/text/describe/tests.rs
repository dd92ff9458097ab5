use crate::piece::Piece;
use crate::text::tests::{object, pieces};
use serde_json::{Value, json};

/// A pod as current clients print it.
pub const POD: &str = r#"Name:             web-2
Namespace:        shop
Priority:         1000
Priority Class Name:  high
Service Account:  web
Node:             node-1/10.0.0.5
Start Time:       Tue, 11 Nov 2025 15:58:50 +0800
Labels:           app=web
                  tier=front
Annotations:      example.com/note: a: b=c
                  example.com/long:
                    one two
Status:           Running
IP:               10.1.0.7
IPs:
  IP:           10.1.0.7
Controlled By:  ReplicaSet/web-5f
Init Containers:
  prepare:
    Container ID:  containerd://11
    Image:         busybox:1.36
    Port:          <none>
    Host Port:     <none>
    Command:
      sh
      -c
      echo a
      if true; then
        echo b
      fi
    State:          Terminated
      Reason:       Completed
      Exit Code:    0
      Started:      Tue, 11 Nov 2025 15:58:50 +0800
      Finished:     Tue, 11 Nov 2025 15:58:51 +0800
    Ready:          True
    Restart Count:  0
    Environment:    <none>
    Mounts:         <none>
Containers:
  app:
    Container ID:  containerd://22
    Image:         example.com/web:1
    Image ID:      example.com/web@sha256:33
    Ports:         8080/TCP (http), 9090/TCP (metrics)
    Host Ports:    0/TCP (http), 9090/TCP (metrics)
    State:          Waiting
      Reason:       CrashLoopBackOff
    Last State:     Terminated
      Reason:       Error
      Message:      panic: no database
goroutine 1 [running]:
  main.main()
      Exit Code:    2
      Started:      Tue, 11 Nov 2025 16:00:00 +0800
      Finished:     Tue, 11 Nov 2025 16:00:01 +0800
    Ready:          False
    Restart Count:  7
    Limits:
      memory:  64Mi
    Requests:
      cpu:      100m
      memory:   64Mi
    Liveness:   http-get http://:http/healthz delay=5s timeout=1s period=10s #success=1 #failure=3
    Readiness:  exec [sh -c test -f /tmp/x &&
true] delay=0s timeout=1s period=10s #success=1 #failure=3
    Environment Variables from:
      settings  ConfigMap with prefix 'APP_'  Optional: false
      keys      Secret  Optional: true
    Environment:
      PORT:      8080
      URL:       http://db:5432/x
      PASSWORD:  <set to the key 'password' in secret 'db'>       Optional: false
      MODE:      <set to the key 'mode' of config map 'settings'>  Optional: true
      POD_IP:     (v1:status.podIP)
      CPUS:      1 (limits.cpu)
    Mounts:
      /data from data (rw,path="sub")
      /etc/x from settings (ro)
Conditions:
  Type              Status
  Initialized       True 
  Ready             False 
Volumes:
  data:
    Type:       PersistentVolumeClaim (a reference to a PersistentVolumeClaim in the same namespace)
    ClaimName:  web-data
    ReadOnly:   false
  settings:
    Type:      ConfigMap (a volume populated by a ConfigMap)
    Name:      settings
    Optional:  true
  kube-api-access-x:
    Type:                    Projected (a volume that contains injected data from multiple sources)
    TokenExpirationSeconds:  3607
    ConfigMapName:           kube-root-ca.crt
    ConfigMapOptional:       <nil>
    DownwardAPI:             true
QoS Class:                   Burstable
Node-Selectors:              disk=ssd
Tolerations:                 node.kubernetes.io/not-ready:NoExecute op=Exists for 300s
                             team=a:NoSchedule
Topology Spread Constraints:  zone:DoNotSchedule when max skew 1 is exceeded for selector app=web
Events:
  Type     Reason   Age                   From     Message
  ----     ------   ----                  ----     -------
  Normal   Pulled   9m                    kubelet  Container image already present
  Warning  BackOff  2m (x26 over 7m37s)   kubelet  Back-off restarting
failed container
"#;

#[track_caller]
fn check(text: &str, kind: &str, name: &str, want: &[(&str, Value)]) {
    let value = object(text, kind, name);
    for (pointer, want) in want {
        let got = value.pointer(pointer).cloned().unwrap_or(json!("ABSENT"));
        assert_eq!(&got, want, "{pointer} of {kind} {name}");
    }
}

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

fn events(text: &str) -> Vec<Value> {
    let event = |p: Piece| match p {
        Piece::Object { value, .. } if value["kind"] == "Event" => Some(value),
        _ => None,
    };
    pieces(text).into_iter().filter_map(event).collect()
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

#[test]
fn deployment() {
    let text = "Name:                   web\nNamespace:              shop\n\
        Selector:               app=web,tier in (a,b)\n\
        Replicas:               3 desired | 2 updated | 3 total | 1 available | 2 unavailable\n\
        StrategyType:           RollingUpdate\nMinReadySeconds:        5\n\
        RollingUpdateStrategy:  25% max unavailable, 1 max surge\nPod Template:\n  Labels:  app=web\n  \
        Containers:\n   app:\n    Image:      x:1\n    Port:       8080/TCP\n    Host Port:  0/TCP\n    \
        Environment:\n      PORT:  8080\n    Mounts:        <none>\n  Volumes:         <none>\n\
        Conditions:\n  Type           Status  Reason\n  ----           ------  ------\n  \
        Available      False   MinimumReplicasUnavailable\nOldReplicaSets:  web-1 (1/1 replicas created)\n\
        NewReplicaSet:   web-2 (2/2 replicas created)\nEvents:          <none>\n";
    check(
        text,
        "Deployment",
        "web",
        &[
            ("/spec/replicas", json!(3)),
            ("/status/availableReplicas", json!(1)),
            ("/status/unavailableReplicas", json!(2)),
            ("/spec/strategy/rollingUpdate", json!({"maxUnavailable": "25%", "maxSurge": 1})),
            ("/spec/selector/matchExpressions/0/values", json!(["a", "b"])),
            ("/spec/template/metadata/labels/app", json!("web")),
            ("/spec/template/spec/containers/0/ports/0/containerPort", json!(8080)),
            ("/status/conditions/0/reason", json!("MinimumReplicasUnavailable")),
            ("/status/newReplicaSet", json!("web-2")),
            ("/status/oldReplicaSets", json!(["web-1"])),
        ],
    );
}

#[test]
fn service_and_its_endpoints() {
    let text = "Name:              web\nNamespace:         shop\nSelector:          app=web\n\
        Type:              NodePort\nIP:                10.0.0.9\nPort:              http  80/TCP\n\
        TargetPort:        web/TCP\nNodePort:          http  30080/TCP\nEndpoints:         10.1.0.7:8080\n\
        Port:              <unset>  81/TCP\nTargetPort:        8081/TCP\n\
        Endpoints:         10.1.0.7:8081 + 2 more...\nSession Affinity:  None\nEvents:            <none>\n";
    check(
        text,
        "Service",
        "web",
        &[
            (
                "/spec/ports/0",
                json!({"name": "http", "port": 80, "protocol": "TCP",
            "targetPort": "web", "nodePort": 30080}),
            ),
            ("/spec/ports/1", json!({"port": 81, "protocol": "TCP", "targetPort": 8081})),
            ("/spec/selector/app", json!("web")),
        ],
    );
    check(
        text,
        "Endpoints",
        "web",
        &[
            ("/metadata/namespace", json!("shop")),
            ("/subsets/0/ports/0", json!({"port": 8080, "name": "http"})),
            ("/subsets/1/addresses/0/ip", json!("10.1.0.7")),
            ("/moreAddresses", json!(2)),
        ],
    );
    let none = text.replace("10.1.0.7:8080", "<none>").replace("10.1.0.7:8081 + 2 more...", "");
    check(&none, "Endpoints", "web", &[("/subsets", json!([]))]);
}

#[test]
fn endpoints() {
    let slice = "Name:         web-x\nNamespace:    shop\nAddressType:  IPv4\nPorts:\n  \
        Name  Port  Protocol\n  ----  ----  --------\n  http  8080  TCP\nEndpoints:\n  \
        - Addresses:  10.1.0.7\n    Conditions:\n      Ready:    false\n    TargetRef:  Pod/web-1\n    \
        NodeName:   n1\nEvents:         <none>\n";
    check(
        slice,
        "EndpointSlice",
        "web-x",
        &[
            ("/ports/0", json!({"name": "http", "port": 8080, "protocol": "TCP"})),
            (
                "/endpoints/0",
                json!({"addresses": ["10.1.0.7"], "conditions": {"ready": false},
            "targetRef": {"kind": "Pod", "name": "web-1"}, "nodeName": "n1"}),
            ),
        ],
    );
    let old = "Name:         web\nNamespace:    shop\nSubsets:\n  Addresses:          10.1.0.7\n  \
        NotReadyAddresses:  10.1.0.8,10.1.0.9\n  Ports:\n    Name  Port  Protocol\n    \
        ----  ----  --------\n    http  8080  TCP\n\nEvents:  <none>\n";
    check(
        old,
        "Endpoints",
        "web",
        &[
            ("/subsets/0/addresses", json!([{"ip": "10.1.0.7"}])),
            ("/subsets/0/notReadyAddresses/1/ip", json!("10.1.0.9")),
            ("/subsets/0/ports/0/port", json!(8080)),
        ],
    );
}

#[test]
fn node() {
    let text = "Name:               n1\nRoles:              control-plane\nLabels:             zone=a\n\
        Taints:             a=b:NoSchedule\n                    c:NoExecute\nUnschedulable:      true\n\
        Lease:\n  HolderIdentity:  n1\n  RenewTime:       Tue, 11 Nov 2025 16:00:13 +0800\nConditions:\n  \
        Type   Status  LastHeartbeatTime                 LastTransitionTime                Reason        Message\n  \
        ----   ------  -----------------                 ------------------                ------        -------\n  \
        Ready  False   Tue, 11 Nov 2025 16:00:09 +0800   Tue, 11 Nov 2025 15:00:00 +0800   KubeletDown   it is down\n\
        Addresses:\n  InternalIP:  10.0.0.5\nCapacity:\n  cpu:     8\n  memory:  16Gi\nSystem Info:\n  \
        OS Image:         Linux\n  Kubelet Version:  v1.31.2\n\
        Non-terminated Pods:          (2 in total)\n  \
        Namespace  Name   CPU Requests  CPU Limits  Memory Requests  Memory Limits  Age\n  \
        ---------  ----   ------------  ----------  ---------------  -------------  ---\n  \
        shop       web-1  100m (1%)     0 (0%)      64Mi (0%)        128Mi (0%)     86s\n  \
        shop       web-2  0 (0%)        0 (0%)      0 (0%)           0 (0%)         5m\n\
        Allocated resources:\n  (Total limits may be over 100 percent, i.e., overcommitted.)\n  \
        Resource           Requests   Limits\n  --------           --------   ------\n  \
        cpu                100m (1%)  0 (0%)\n  memory             64Mi (0%)  128Mi (0%)\nEvents:              <none>\n";
    check(
        text,
        "Node",
        "n1",
        &[
            (
                "/spec/taints",
                json!([{"key": "a", "value": "b", "effect": "NoSchedule"},
            {"key": "c", "effect": "NoExecute"}]),
            ),
            ("/spec/unschedulable", json!(true)),
            ("/status/leaseRenewTime", json!("2025-11-11T08:00:13Z")),
            ("/status/conditions/0/lastTransitionTime", json!("2025-11-11T07:00:00Z")),
            ("/status/conditions/0/message", json!("it is down")),
            ("/status/capacity/memory", json!("16Gi")),
            ("/status/nodeInfo/kubeletVersion", json!("v1.31.2")),
            ("/status/allocatedRequests", json!({"cpu": "100m", "memory": "64Mi"})),
            ("/status/podsShown", json!(true)),
            ("/metadata/labels", json!({"zone": "a"})),
        ],
    );
    check(
        text,
        "Pod",
        "web-1",
        &[
            ("/spec/nodeName", json!("n1")),
            ("/status/summary/requests/cpu", json!("100m")),
            ("/metadata/ageSeconds", json!(86)),
        ],
    );
}

#[test]
fn workloads() {
    let job = "Name:             mig\nNamespace:        shop\nSelector:         a=b\nParallelism:      1\n\
        Completions:      3\nBackoff Limit:    6\nStart Time:       Thu, 29 May 2025 12:41:59 +0200\n\
        Pods Statuses:    1 Active (0 Ready) / 0 Succeeded / 2 Failed\nPod Template:\n  Containers:\n   x:\n    \
        Image:      y\nEvents:  <none>\n";
    check(
        job,
        "Job",
        "mig",
        &[
            ("/status/active", json!(1)),
            ("/status/ready", json!(0)),
            ("/status/failed", json!(2)),
            ("/spec/backoffLimit", json!(6)),
            ("/spec/template/spec/containers/0/image", json!("y")),
        ],
    );
    let set = "Name:               db\nNamespace:          shop\nReplicas:           2 desired | 2 total\n\
        Update Strategy:    RollingUpdate\n  Partition:        1\n\
        Pods Status:        1 Running / 1 Waiting / 0 Succeeded / 0 Failed\nVolume Claims:\n  Name:          data\n  \
        StorageClass:  fast\n  Capacity:      1Gi\n  Access Modes:  [ReadWriteOnce]\nEvents:  <none>\n";
    check(
        set,
        "StatefulSet",
        "db",
        &[
            ("/status/podCounts/waiting", json!(1)),
            ("/spec/updateStrategy/rollingUpdate/partition", json!(1)),
            ("/spec/volumeClaimTemplates/0/spec/storageClassName", json!("fast")),
        ],
    );
    let daemon = "Name:           agent\nSelector:       a=b\nNode-Selector:  <none>\n\
        Desired Number of Nodes Scheduled: 3\nNumber of Nodes Misscheduled: 1\n\
        Pods Status:  3 Running / 0 Waiting / 0 Succeeded / 0 Failed\n";
    check(
        daemon,
        "DaemonSet",
        "agent",
        &[
            ("/status/desiredNumberScheduled", json!(3)),
            ("/status/numberMisscheduled", json!(1)),
            ("/spec/template/spec/nodeSelector", json!({})),
        ],
    );
}

#[test]
fn storage() {
    let claim = "Name:          data\nNamespace:     shop\nStorageClass:  fast\nStatus:        Pending\n\
        Volume:        \nCapacity:      \nAccess Modes:  \nVolumeMode:    Filesystem\nUsed By:       web-1\n               web-2\n\
        Events:\n  Type     Reason              Age                   From                         Message\n  \
        ----     ------              ----                  ----                         -------\n  \
        Warning  ProvisioningFailed  21s (x26 over 6m35s)  persistentvolume-controller  \"fast\" not found\n";
    check(
        claim,
        "PersistentVolumeClaim",
        "data",
        &[
            ("/spec/storageClassName", json!("fast")),
            ("/spec/volumeName", json!("")),
            ("/status/phase", json!("Pending")),
            ("/usedBy", json!(["web-1", "web-2"])),
        ],
    );
    let volume = "Name:            pv\nStorageClass:    \nStatus:          Released\nClaim:           shop/data\n\
        Reclaim Policy:  Retain\nAccess Modes:    RWO\nCapacity:        1Gi\nNode Affinity:\n  Required Terms:\n    \
        Term 0:        zone in [a, b]\nSource:\n    Type:          HostPath (bare host directory volume)\n    \
        Path:          /mnt/data\n    HostPathType:  \nEvents:            <none>\n";
    check(
        volume,
        "PersistentVolume",
        "pv",
        &[
            ("/spec/storageClassName", json!("")),
            ("/spec/claimRef/name", json!("data")),
            ("/spec/hostPath/path", json!("/mnt/data")),
            (
                "/spec/nodeAffinity/required/nodeSelectorTerms/0/matchExpressions/0",
                json!({"key": "zone", "operator": "In", "values": ["a", "b"]}),
            ),
        ],
    );
    let class = "Name:            fast\nIsDefaultClass:  Yes\nAnnotations:     <none>\nProvisioner:           x\n\
        Parameters:            type=ssd\nReclaimPolicy:         Delete\nVolumeBindingMode:     Immediate\n";
    check(
        class,
        "StorageClass",
        "fast",
        &[
            ("/metadata/annotations/storageclass.kubernetes.io~1is-default-class", json!("true")),
            ("/parameters/type", json!("ssd")),
        ],
    );
}

#[test]
fn ingress() {
    let text = "Name:             web\nNamespace:        shop\nAddress:          10.0.0.1\nIngress Class:    nginx\n\
        Default backend:  <default>\nTLS:\n  cert terminates a.example.com\nRules:\n  \
        Host           Path  Backends\n  ----           ----  --------\n  a.example.com  \n                 \
        /      web:80 (10.1.0.7:8080)\n                 \
        /api   api:http (<error: services \"api\" not found>)\nAnnotations:      <none>\nEvents:           <none>\n";
    check(
        text,
        "Ingress",
        "web",
        &[
            ("/spec/rules/0/host", json!("a.example.com")),
            (
                "/spec/rules/0/http/paths/1",
                json!({"path": "/api",
            "backend": {"service": {"name": "api", "port": {"name": "http"}}}}),
            ),
            ("/spec/tls/0/secretName", json!("cert")),
            ("/backendNotes/1/service", json!("api")),
        ],
    );
    let missing = pieces(text).into_iter().any(
        |p| matches!(p, Piece::Missing { kind, name, .. } if kind == "Service" && name == "api"),
    );
    assert!(missing);
}

#[test]
fn policies() {
    let hpa = "Name:  api\nNamespace:  shop\nReference:  Deployment/api\nMetrics:  ( current / target )\n  \
        resource cpu on pods  (as a percentage of request):  10% (20m) / 50%\n  \
        resource memory on pods  (as a percentage of request):  <unknown> / 70%\n\
        Min replicas:  1\nMax replicas:  5\nDeployment pods:  1 current / 0 desired\nEvents:  <none>\n";
    check(
        hpa,
        "HorizontalPodAutoscaler",
        "api",
        &[
            ("/spec/metrics/0/resource/target/averageUtilization", json!(50)),
            ("/spec/metrics/1/resource/name", json!("memory")),
            (
                "/status/currentMetrics",
                json!([{"type": "Resource", "resource": {"name": "cpu",
            "current": {"averageUtilization": 10, "averageValue": "20m"}}}]),
            ),
            ("/status/desiredReplicas", json!(0)),
        ],
    );
    let quota = "Name:         q\nNamespace:    shop\nResource      Used  Hard\n--------      ----  ----\nrequests.cpu  10    1\n";
    check(
        quota,
        "ResourceQuota",
        "q",
        &[
            ("/status/used", json!({"requests.cpu": "10"})),
            ("/spec/hard", json!({"requests.cpu": "1"})),
        ],
    );
    let limits = "Name:       l\nNamespace:  shop\n\
        Type        Resource  Min  Max  Default Request  Default Limit  Max Limit/Request Ratio\n\
        ----        --------  ---  ---  ---------------  -------------  -----------------------\n\
        Container   cpu       -    2    100m             200m           -\n";
    check(
        limits,
        "LimitRange",
        "l",
        &[(
            "/spec/limits/0",
            json!({"type": "Container",
        "max": {"cpu": "2"}, "defaultRequest": {"cpu": "100m"}, "default": {"cpu": "200m"}}),
        )],
    );
    let space = "Name:         shop\nStatus:       Active\n\nResource Quotas\n  Name:     q\n  \
        Resource  Used  Hard\n  --------  ---   ---\n  pods      3     10\n\nNo LimitRange resource.\n";
    check(space, "ResourceQuota", "q", &[("/status/used", json!({"pods": "3"}))]);
    check(space, "Namespace", "shop", &[("/status/phase", json!("Active"))]);
    let listed = |kind: &str| {
        pieces(space).into_iter().any(|p| matches!(p, Piece::Listed { kind: k, .. } if k == kind))
    };
    assert!(listed("LimitRange") && listed("ResourceQuota"));
    let policy = "Name:         deny\nNamespace:    shop\nSpec:\n  PodSelector:     app=web\n  \
        Allowing ingress traffic:\n    To Port: 80/TCP\n    From:\n      PodSelector: app=x\n  \
        Not affecting egress traffic\n  Policy Types: Ingress\n";
    check(
        policy,
        "NetworkPolicy",
        "deny",
        &[
            ("/spec/ingress/0/ports/0", json!({"port": 80, "protocol": "TCP"})),
            ("/spec/ingress/0/from/0/podSelector/matchLabels/app", json!("x")),
            ("/spec/policyTypes", json!(["Ingress"])),
        ],
    );
    let closed = policy.replace(
        "To Port: 80/TCP\n    From:\n      PodSelector: app=x",
        "<none> (Selected pods are isolated for ingress connectivity)",
    );
    check(&closed, "NetworkPolicy", "deny", &[("/spec/ingress", json!([]))]);
}

#[test]
fn config_and_accounts() {
    let secret = "Name:         keys\nNamespace:    shop\n\nType:  Opaque\n\nData\n====\npassword:  6 bytes\nuser:      4 bytes\n";
    check(
        secret,
        "Secret",
        "keys",
        &[("/dataKeys", json!(["password", "user"])), ("/type", json!("Opaque"))],
    );
    let account = "Name:                web\nNamespace:           shop\nImage pull secrets:  reg (not found)\n\
        Mountable secrets:   <none>\nTokens:              <none>\nEvents:              <none>\n";
    check(
        account,
        "ServiceAccount",
        "web",
        &[("/imagePullSecrets", json!([{"name": "reg"}])), ("/secrets", json!([]))],
    );
    let missing = |p: &Piece| matches!(p, Piece::Missing { name, .. } if name == "reg");
    assert!(pieces(account).iter().any(missing));
}

#[test]
fn a_description_that_ends_early() {
    let text = "Name:    n1\nRoles:   a\nUnschedulable:  false\nTaints:  ";
    check(
        text,
        "Node",
        "n1",
        &[
            ("/spec/unschedulable", json!(false)),
            // Not `[]`: the value may have been cut off.
            ("/spec/taints", json!("ABSENT")),
        ],
    );
    assert!(pieces(text).iter().any(|p| matches!(p, Piece::Skipped { .. })));
}

#[test]
fn several_in_one_output() {
    let text =
        format!("$ kubectl describe pods -n shop\n{POD}\n\n{}", POD.replace("web-2", "web-3"));
    let pods = pieces(&text)
        .into_iter()
        .filter(|p| matches!(p, Piece::Object { value, .. } if value["kind"] == "Pod"));
    assert_eq!(pods.count(), 2);
}
