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
    check(&second, "degraded", &want);
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
    check(SERVICE, "degraded", &["port-name-unmatched of web (possible)"]);
    check(&SERVICE.replace("<none>      5h", "10.1.0.4:80 5h"), "healthy", &[]);
    // They have had no time yet.
    check(&SERVICE.replace("0          5h ", "0          9s "), "healthy", &[]);
}
