//! Descriptions of storage, routes, policies and settings; and of cut ones.

use super::*;

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
