//! Autoscalers, budgets, jobs and replication controllers, as tables and descriptions.

use super::check;
use serde_json::json;

#[test]
fn an_autoscaler_with_its_behavior() {
    let text = "Name:                                                  till\nNamespace:     shop\n\
        CreationTimestamp:  Thu, 29 May 2025 12:41:59 +0000\nReference:     Deployment/till\n\
        Metrics:                                               ( current / target )\n  \
        resource cpu on pods  (as a percentage of request):  <unknown> / 60%\n\
        Min replicas:                                          2\n\
        Max replicas:                                          6\n\
        Behavior:\n  Scale Up:\n    Stabilization Window: 0 seconds\n    Select Policy: Max\n    \
        Policies:\n      - Type: Pods     Value: 4    Period: 15 seconds\n      \
        - Type: Percent  Value: 100  Period: 15 seconds\n  Scale Down:\n    \
        Stabilization Window: 60 seconds\n    Select Policy: Disabled\n\
        Deployment pods:                                       2 current / 0 desired\n\
        Conditions:\n  Type           Status  Reason                   Message\n  \
        ----           ------  ------                   -------\n  \
        AbleToScale    True    SucceededGetScale        the HPA controller was able to get the target's current scale\n  \
        ScalingActive  False   FailedGetResourceMetric  the HPA was unable to compute the replica count: no metrics returned\n\
        Events:  <none>\n";
    check(
        text,
        "HorizontalPodAutoscaler",
        "till",
        &[
            ("/spec/metrics/0/resource/target/averageUtilization", json!(60)),
            ("/status/currentMetrics", json!([])),
            ("/spec/behavior/scaleUp/policies/1/value", json!(100)),
            ("/spec/behavior/scaleUp/policies/0/periodSeconds", json!(15)),
            ("/spec/behavior/scaleDown/stabilizationWindowSeconds", json!(60)),
            ("/spec/behavior/scaleDown/selectPolicy", json!("Disabled")),
            ("/status/conditions/1/type", json!("ScalingActive")),
            ("/status/conditions/1/reason", json!("FailedGetResourceMetric")),
        ],
    );
}

#[test]
fn tables_of_budgets_jobs_and_controllers() {
    let budgets = "$ kubectl get pdb -n shop\n\
NAME   MIN AVAILABLE   MAX UNAVAILABLE   ALLOWED DISRUPTIONS   AGE
till   2               N/A               0                     9m
desk   N/A             50%               1                     9m
";
    let paths = [("/spec/minAvailable", json!(2)), ("/status/disruptionsAllowed", json!(0))];
    check(budgets, "PodDisruptionBudget", "till", &paths);
    check(
        budgets,
        "PodDisruptionBudget",
        "desk",
        &[("/spec/maxUnavailable", json!("50%")), ("/spec/minAvailable", json!("ABSENT"))],
    );
    let jobs = "\
NAME      STATUS   COMPLETIONS   DURATION   AGE
migrate   Failed   0/1           5m         9m
";
    check(
        jobs,
        "Job",
        "migrate",
        &[("/status/summary/status", json!("Failed")), ("/spec/completions", json!(1))],
    );
    let crons = "\
NAME     SCHEDULE       TIMEZONE   SUSPEND   ACTIVE   LAST SCHEDULE   AGE
report   */15 * * * *   <none>     False     1        3h5m            90d
";
    check(
        crons,
        "CronJob",
        "report",
        &[
            ("/spec/schedule", json!("*/15 * * * *")),
            ("/status/activeCount", json!(1)),
            ("/status/lastScheduleAgeSeconds", json!(11_100)),
        ],
    );
    let controllers = "$ kubectl get rc -n shop -o wide\n\
NAME   DESIRED   CURRENT   READY   AGE   CONTAINERS   IMAGES   SELECTOR
till   3         3         2       9m    main         till:2   app=till
";
    check(
        controllers,
        "ReplicationController",
        "till",
        &[
            ("/spec/replicas", json!(3)),
            ("/status/readyReplicas", json!(2)),
            ("/spec/template/spec/containers/0/image", json!("till:2")),
        ],
    );
}

#[test]
fn descriptions_of_budgets_cron_jobs_and_controllers() {
    let budget = "Name:           till\nNamespace:      shop\nMin available:  100%\nSelector:       app=till\n\
        Status:\n    Allowed disruptions:  0\n    Current:              2\n    Desired:              2\n    \
        Total:                2\nEvents:\n  Type    Reason  Age                  From               Message\n  \
        ----    ------  ----                 ----               -------\n  \
        Normal  NoPods  83s (x2 over 100s)   controllermanager  No matching pods found\n";
    check(
        budget,
        "PodDisruptionBudget",
        "till",
        &[
            ("/spec/minAvailable", json!("100%")),
            ("/spec/selector/matchLabels/app", json!("till")),
            ("/status/desiredHealthy", json!(2)),
            ("/status/disruptionsAllowed", json!(0)),
        ],
    );
    let cron = "Name:                          report\nNamespace:                     shop\n\
        Schedule:                      0 * * * *\nConcurrency Policy:            Forbid\n\
        Suspend:                       False\nSuccessful Job History Limit:  3\n\
        Failed Job History Limit:      1\nStarting Deadline Seconds:     30s\nSelector:    <unset>\n\
        Parallelism:                   <unset>\nCompletions:                   <unset>\n\
        Pod Template:\n  Containers:\n   main:\n    Image:           report:1\n\
        Last Schedule Time:  Thu, 29 May 2025 12:41:59 +0000\nActive Jobs:         report-29141\nEvents:  <none>\n";
    check(
        cron,
        "CronJob",
        "report",
        &[
            ("/spec/concurrencyPolicy", json!("Forbid")),
            ("/spec/startingDeadlineSeconds", json!(30)),
            ("/status/active", json!([{"name": "report-29141"}])),
            ("/status/lastScheduleTime", json!("2025-05-29T12:41:59Z")),
        ],
    );
    let controller = "$ kubectl describe rc till -n shop\nName:         till\nNamespace:    shop\n\
        Selector:     app=till\nLabels:       app=till\nReplicas:     3 current / 3 desired\n\
        Pods Status:  3 Running / 0 Waiting / 0 Succeeded / 0 Failed\nPod Template:\n  \
        Labels:  app=till\n  Containers:\n   main:\n    Image:        till:2\nEvents:  <none>\n";
    check(
        controller,
        "ReplicationController",
        "till",
        &[("/spec/replicas", json!(3)), ("/spec/template/metadata/labels/app", json!("till"))],
    );
}
