//! Descriptions of workloads, services and nodes.

use super::*;

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
