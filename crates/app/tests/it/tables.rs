//! Tables alone, without the objects behind them: what they show together is said, and no more.

use super::{json, run_with_input};

#[track_caller]
fn check(text: &str, verdict: &str, want: &[&str]) {
    let value = json(&run_with_input(&["diagnose", "-", "-o", "json"], text.as_bytes()));
    let said = |i: &serde_json::Value| {
        let text = |v: &serde_json::Value| v.as_str().unwrap_or_default().to_owned();
        let c = &i["cause"];
        let [mechanism, sure] = ["mechanism", "certainty"].map(|k| text(&c[k]));
        format!("{mechanism} of {} ({sure})", text(&c["object"]["name"]))
    };
    let found: Vec<String> = value["incidents"].as_array().unwrap().iter().map(said).collect();
    assert_eq!(found, want, "{text}");
    assert_eq!(value["verdict"], verdict, "{text}");
}

const CLAIMS: &str = "\
$ kubectl get pods -n shop
NAME   READY   STATUS    RESTARTS   AGE
db-0   0/1     Pending   0          30m
$ kubectl get statefulsets -n shop
NAME   READY   AGE
db     0/1     30m
$ kubectl get storageclasses
NAME       PROVISIONER       RECLAIMPOLICY   VOLUMEBINDINGMODE   ALLOWVOLUMEEXPANSION   AGE
standard   csi.example.com   Delete          Immediate           true                   90d
$ kubectl get pvc -n shop
NAME     STATUS    VOLUME   CAPACITY   ACCESS MODES   STORAGECLASS   AGE
papers   Pending                                      fast           30m
$ kubectl get events -n shop
LAST SEEN   TYPE      REASON             OBJECT     MESSAGE
2m          Warning   FailedScheduling   pod/db-0   0/2 nodes are available: pod has unbound \
                      immediate PersistentVolumeClaims.
";

#[test]
fn the_only_open_claim_is_what_the_waiting_workload_waits_for() {
    check(CLAIMS, "broken", &["storage-class-missing of papers (proven)"]);
    let row = "papers   Pending                                      fast           30m\n";
    let second = CLAIMS.replace(row, &format!("{row}{}", row.replace("papers", "images")));
    let apart = "storage-class-missing of";
    let want = [
        "claim-unbound of db (possible)",
        &format!("{apart} images (proven)"),
        &format!("{apart} papers (proven)"),
    ];
    check(&second, "broken", &want);
}

const SERVICE: &str = "\
$ kubectl get pods,deployments,services,endpoints -n shop -o wide
NAME                        READY   STATUS    RESTARTS   AGE   IP          NODE   NOMINATED NODE   READINESS GATES
pod/web-5d4f8c7b9-x2x4z     1/1     Running   0          5h    10.1.0.4    n1     <none>           <none>

NAME                  READY   UP-TO-DATE   AVAILABLE   AGE   CONTAINERS   IMAGES   SELECTOR
deployment.apps/web   1/1     1            1           5h    main         web:1    app=web

NAME          TYPE        CLUSTER-IP   EXTERNAL-IP   PORT(S)   AGE   SELECTOR
service/web   ClusterIP   10.96.0.4    <none>        80/TCP    5h    app=web

NAME            ENDPOINTS   AGE
endpoints/web   <none>      5h
";

#[test]
fn ready_pods_that_are_no_endpoints_are_only_a_suspicion_of_the_port() {
    check(SERVICE, "broken", &["port-name-unmatched of web (possible)"]);
    check(&SERVICE.replace("<none>      5h", "10.1.0.4:80 5h"), "healthy", &[]);
    // They have had no time yet.
    check(&SERVICE.replace("0          5h ", "0          9s "), "healthy", &[]);
}

const ROUTES: &str = "\
$ kubectl get pods,services -n quay
NAME                         READY   STATUS    RESTARTS   AGE
pod/ferry-5d4f8c7b9-x2x4z    1/1     Running   0          5h

NAME            TYPE        CLUSTER-IP   EXTERNAL-IP   PORT(S)   AGE
service/ferry   ClusterIP   10.96.0.4    <none>        80/TCP    5h
$ kubectl describe ingress gate -n quay
Name:             gate
Labels:           <none>
Namespace:        quay
Address:          192.0.2.7
Ingress Class:    outer
Default backend:  <default>
Rules:
  Host              Path  Backends
  ----              ----  --------
  gate.example.com  
                    /   ferry:80 (10.1.0.4:8080)
Annotations:        <none>
Events:             <none>
$ kubectl get ingressclasses
NAME    CONTROLLER             PARAMETERS   AGE
outer   k8s.io/ingress-nginx   <none>       90d
";

#[test]
fn routes_are_compared_with_what_tables_show() {
    check(ROUTES, "healthy", &[]);
    let absent = "ferry:80 (<error: services \"ferry\" not found>)";
    let lost = ROUTES.replace("ferry:80 (10.1.0.4:8080)", &absent.replace("ferry", "fery"));
    check(&lost, "broken", &["backend-service-missing of gate (proven)"]);
    let port = ROUTES.replace("ferry:80 (", "ferry:8080 (");
    check(&port, "broken", &["backend-port-missing of gate (proven)"]);
    let class = ROUTES.replace("outer   k8s", "inner   k8s");
    check(&class, "degraded", &["class-missing of gate (proven)"]);
}

const ACCESS: &str = "\
$ kubectl get pods -n quay
NAME                         READY   STATUS    RESTARTS   AGE
beacon-5d4f8c7b9-x2x4z       1/1     Running   0          5h
$ kubectl logs -n quay beacon-5d4f8c7b9-x2x4z
W0101 08:00:00.000000 1 reflector.go:539] failed to list *v1.Pod: pods is forbidden: User \
\"system:serviceaccount:quay:pilot\" cannot list resource \"pods\" in API group \"\" in the \
namespace \"quay\"
$ kubectl get clusterrolebindings -o wide
NAME            ROLE                   AGE   USERS   GROUPS           SERVICEACCOUNTS
cluster-admin   ClusterRole/cluster-admin   90d           system:masters   
$ kubectl get rolebindings -n quay -o wide
NAME         ROLE          AGE   USERS   GROUPS   SERVICEACCOUNTS
for-beacon   Role/reader   5h                     quay/pilot
$ kubectl describe role reader -n quay
Name:         reader
Labels:       <none>
Annotations:  <none>
PolicyRule:
  Resources         Non-Resource URLs  Resource Names  Verbs
  ---------         -----------------  --------------  -----
  pods              []                 []              [get watch]
  deployments.apps  []                 []              [get list]
";

#[test]
fn a_refusal_is_followed_to_the_role_that_lacks_the_verb() {
    check(ACCESS, "degraded", &["role-missing of reader (proven)"]);
    check(&ACCESS.replace("[get watch]", "[get list watch]"), "healthy", &[]);
    let other = ACCESS.replace("quay/pilot", "harbour/pilot").replace("[get watch]", "[list]");
    check(&other, "degraded", &["subject-mismatch of for-beacon (proven)"]);
    // Nobody showed the bindings.
    let alone = ACCESS.split("$ kubectl get clusterrolebindings").next().unwrap_or_default();
    check(alone, "degraded", &["binding-missing of pilot (possible)"]);
}

const SETTINGS: &str = "\
$ kubectl get pods -n harbor
NAME                     READY   STATUS                       RESTARTS   AGE
crane-5d4f8c7b9-x2x4z    0/1     CreateContainerConfigError   0          12m
tug-6c9d8f7b5d-k4k4k     1/1     Running                      0          3d
$ kubectl get configmaps -n harbor
NAME               DATA   AGE
crane-settings     2      3d
kube-root-ca.crt   1      9d
$ kubectl get deployment crane -n harbor -o yaml
apiVersion: apps/v1
kind: Deployment
metadata:
  name: crane
  namespace: harbor
  creationTimestamp: 2026-03-01T10:00:00Z
spec:
  replicas: 1
  selector: {matchLabels: {app: crane}}
  template:
    metadata: {labels: {app: crane}}
    spec:
      containers:
      - name: main
        image: reg.example/team/crane:1
        resources: {}
        envFrom:
        - configMapRef: {name: crane-setings}
";

#[test]
fn a_name_that_the_list_does_not_hold_is_what_the_pod_waits_for() {
    check(SETTINGS, "broken", &["config-map-missing of crane (proven)"]);
    let right = SETTINGS.replace("crane-setings", "crane-settings");
    let value = json(&run_with_input(&["diagnose", "-", "-o", "json"], right.as_bytes()));
    assert!(!value.to_string().contains("config-map-missing"), "{value}");
}

const DOOR: &str = "\
$ kubectl get svc -n quay
NAME    TYPE           CLUSTER-IP   EXTERNAL-IP   PORT(S)        AGE
door    LoadBalancer   10.96.0.9    <pending>     80:30080/TCP   40m
$ kubectl get pods -n quay
NAME                      READY   STATUS    RESTARTS   AGE
ferry-5d4f8c7b9-x2x4z     1/1     Running   0          5h
$ kubectl get events -n quay
LAST SEEN   TYPE      REASON                   OBJECT         MESSAGE
2m          Warning   SyncLoadBalancerFailed   service/door   Error syncing load balancer: \
failed to ensure load balancer: no available IPs
";

#[test]
fn a_pending_load_balancer_matters_where_somebody_makes_them() {
    check(DOOR, "broken", &["addresses-exhausted of door (proven)"]);
    check(&DOOR.replace("<pending>", "192.0.2.1"), "healthy", &[]);
    let silent = DOOR.split("$ kubectl get events").next().unwrap_or_default();
    check(silent, "healthy", &[]);
}

const REQUESTS: &str = "\
$ kubectl get nodes
NAME   STATUS   ROLES    AGE   VERSION
n1     Ready    <none>   40d   v1.30.1
$ kubectl get csr
NAME        AGE   SIGNERNAME                                    REQUESTOR        \
\u{20}REQUESTEDDURATION   CONDITION
csr-abcde   40m   kubernetes.io/kube-apiserver-client-kubelet   system:node:n2   \
\u{20}<none>              Pending
";

#[test]
fn a_request_of_a_kubelet_that_waits_is_told() {
    check(REQUESTS, "degraded", &["request-pending of csr-abcde (proven)"]);
    // Nodes that are ready do not show that pods are well.
    check(&REQUESTS.replace("Pending", "Approved,Issued"), "inconclusive", &[]);
    check(&REQUESTS.replace("csr-abcde   40m", "csr-abcde   40s"), "inconclusive", &[]);
}

#[test]
fn a_namespace_hides_no_row_that_does_not_name_its_own() {
    let events = "\
LAST SEEN   TYPE      REASON   OBJECT                    MESSAGE
3m          Warning   Failed   pod/web-7d9f8c6b5-x2x4z   Failed to pull image \"reg.example/web:v9\": \
reg.example/web:v9: not found
2m          Warning   Failed   pod/web-7d9f8c6b5-x2x4z   Error: ImagePullBackOff
";
    let asked = |text: &str| run_with_input(&["diagnose", "-", "-n", "shop"], text.as_bytes());
    assert_eq!(asked(events).code, 1, "{}", asked(events).out);
    // Where every row names its namespace, one that nobody named is a slip of the pen.
    let elsewhere = "\
NAMESPACE   NAME                  READY   STATUS    RESTARTS   AGE
harbor      web-7d9f8c6b5-x2x4z   1/1     Running   0          5h
";
    assert_eq!(asked(elsewhere).code, 5, "{}", asked(elsewhere).out);
}

const LOOKUPS: &str = "\
$ kubectl get pods -A -o wide
NAMESPACE     NAME                       READY   STATUS    RESTARTS   AGE   IP          NODE   NOMINATED NODE   READINESS GATES
harbour       teller-5d4f8c7b9-x2x4z     1/1     Running   0          5h    10.1.0.4    n1     <none>           <none>
kube-system   coredns-7b9cf6d8c5-q8q2z   1/1     Running   0          9d    10.1.0.2    n2     <none>           <none>
$ kubectl logs -n harbour teller-5d4f8c7b9-x2x4z
2026-03-01T10:00:00Z WARN dns lookup for rates.pay.example took 5004ms
2026-03-01T10:00:20Z WARN dns lookup for rates.pay.example took 5003ms
2026-03-01T10:00:21Z INFO served
$ ssh n1 sudo conntrack -S
cpu=0   \tfound=12 invalid=3 insert=0 insert_failed=41 drop=41 early_drop=0 error=0
cpu=1   \tfound=7 invalid=1 insert=0 insert_failed=1 drop=2 early_drop=0 error=0
";

#[test]
fn lookups_of_five_seconds_are_told_with_the_node_that_drops_packets() {
    check(LOOKUPS, "degraded", &["packets-lost of n1 (likely)"]);
    let calm = LOOKUPS.replace("5004ms", "4ms").replace("5003ms", "3ms");
    check(&calm, "healthy", &[]);
}

const UNREADY: &str = "\
$ kubectl get pods -n shop
NAME                    READY   STATUS    RESTARTS   AGE
desk-5d4f8c7b9-x2x4z    1/1     Running   0          5h
index-5d4f8c7b9-b7k2p   0/1     Running   0          5h
";

#[test]
fn pods_that_are_kept_out_of_service_are_never_called_well() {
    check(UNREADY, "broken", &["unexplained of index (possible)"]);
    let young =
        UNREADY.replace("0/1     Running   0          5h", "0/1     Running   0          9s");
    check(&young, "healthy", &[]);
}
