use super::KIND;
use crate::testing::{check, lines, snapshot};
use model::{Alert, Findings, Sample, Snapshot, Timestamp};

const DOCUMENT: &str = "kind: Deployment
metadata: {name: thumbs, namespace: shop}
spec:
  replicas: 1
  template:
    metadata: {labels: {app: thumbs}}
    spec: {containers: [{name: main, image: x, resources: {LIMITS}}]}
---
kind: Pod
metadata:
  name: thumbs-6f4d5b7c9d-x2x4z
  namespace: shop
  labels: {app: thumbs}
  creationTimestamp: 2026-01-02T08:00:00Z
  ownerReferences: [{kind: ReplicaSet, name: thumbs-6f4d5b7c9d, controller: true}]
spec: {nodeName: a, containers: [{name: main, image: x, resources: {LIMITS}}]}
status:
  phase: Running
  conditions: [{type: Ready, status: 'READY', lastTransitionTime: 2026-01-02T10:00:00Z}]
  containerStatuses:
  - name: main
    ready: false
    restartCount: 3
    STATE
";

fn document(limits: &str, ready: &str, state: &str) -> String {
    let yaml = DOCUMENT.replace("{LIMITS}", &format!("{{{limits}}}"));
    yaml.replace("READY", ready).replace("STATE", state)
}

fn killed(limits: &str, started: &str) -> String {
    let state = format!(
        "state: {{waiting: {{reason: CrashLoopBackOff}}}}\n    lastState: {{terminated: {{exitCode: \
         137, reason: OOMKilled, startedAt: 2026-01-02T{started}Z, finishedAt: 2026-01-02T10:03:05Z}}}}"
    );
    document(limits, "False", &state)
}

const LIMIT: &str = "limits: {memory: 32Mi, cpu: 200m}";

#[test]
fn who_is_killed_at_its_own_limit() {
    let low = "memory-limit-too-low deploy/thumbs Proven Active";
    check(&KIND, &killed(LIMIT, "10:03:00"), &[low]);
    let leak = "memory-leak deploy/thumbs Likely Active";
    check(&KIND, &killed(LIMIT, "03:03:00"), &[leak]);
    // Without a limit of its own, the node ran out of memory.
    check(&KIND, &killed("requests: {memory: 32Mi}", "10:03:00"), &[]);
    // The node ran out of memory at the same time.
    let both = killed(LIMIT, "10:03:00")
        + "---\nkind: Event\nmetadata: {name: e, namespace: default}\ntype: Warning\nreason: SystemOOM\n\
           message: System OOM encountered\ninvolvedObject: {kind: Node, name: a}\nlastTimestamp: \
           2026-01-02T10:03:04Z\n";
    check(&KIND, &both, &["memory-limit-too-low deploy/thumbs Likely Active"]);
    let row = "kind: Pod\nmetadata: {name: thumbs-6f4d5b7c9d-x2x4z, namespace: shop, ownerReferences: \
               [{kind: ReplicaSet, name: thumbs-6f4d5b7c9d, controller: true}]}\nstatus: {summary: \
               {ready: 0, containers: 1, status: OOMKilled, restarts: 2}}\n";
    check(&KIND, row, &["memory-limit-too-low deploy/thumbs Likely Active"]);
}

#[test]
fn a_limit_below_what_the_start_needs() {
    let state = "state: {waiting: {reason: ContainerCreating}}";
    let yaml = document("limits: {memory: 4Mi}", "False", state)
        + "---\nkind: Event\nmetadata: {name: e, namespace: shop}\ntype: Warning\nreason: \
           FailedCreatePodSandBox\nmessage: 'Failed to create pod sandbox: rpc error: OCI runtime \
           create failed: container init was OOM-killed (memory limit too low?): unknown'\n\
           involvedObject: {kind: Pod, namespace: shop, name: thumbs-6f4d5b7c9d-x2x4z}\n\
           lastTimestamp: 2026-01-02T10:03:04Z\n";
    check(&KIND, &yaml, &["memory-limit-too-low deploy/thumbs Proven Active"]);
    let found = &findings(&snapshot(&yaml)).found[0];
    assert_eq!(found.value.as_deref(), Some("4Mi"));
    assert_eq!(
        found.field.as_deref(),
        Some("spec.template.spec.containers[main].resources.limits.memory")
    );
}

fn findings(now: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    now.apps.iter().for_each(|a| super::detect(a, now, &mut findings));
    findings
}

const WELL: &str = "state: {running: {startedAt: 2026-01-02T08:00:10Z}}";

fn samples(now: &mut Snapshot, subject: &str, metric: &str, values: &[f64]) {
    for (i, value) in values.iter().enumerate() {
        now.samples.push(Sample {
            subject: subject.into(),
            metric: metric.into(),
            value: *value,
            at: Some(now.now.minus_seconds(15 * (values.len() - i) as i64)),
            document: 0,
        });
    }
}

const QUIET: [f64; 12] = [0.01; 12];
const HIGH: [f64; 12] = [0.0, 0.02, 0.0, 0.01, 0.8, 1.2, 1.3, 1.2, 1.3, 1.2, 1.3, 1.2];
const USED: [f64; 12] = [0.04, 0.04, 0.03, 0.04, 0.15, 0.19, 0.2, 0.19, 0.19, 0.2, 0.19, 0.2];

#[test]
fn more_work_than_the_limit_allows() {
    let yaml = document(LIMIT, "True", WELL);
    let mut now = snapshot(&yaml);
    samples(&mut now, "thumbs", "cpu_cfs", &HIGH);
    samples(&mut now, "thumbs", "cpu", &USED);
    samples(&mut now, "other", "cpu_cfs", &HIGH);
    assert_eq!(lines(&KIND, &now), ["cpu-overload deploy/thumbs Proven Active"]);
    // Held back without more work: the limit is what is wrong.
    let mut now = snapshot(&yaml);
    samples(
        &mut now,
        "thumbs-6f4d5b7c9d-x2x4z",
        "container_cpu_cfs_throttled_seconds_total",
        &growing(&HIGH),
    );
    samples(&mut now, "thumbs-6f4d5b7c9d-x2x4z", "cpu", &[0.18; 12]);
    assert_eq!(lines(&KIND, &now), ["cpu-throttled deploy/thumbs Proven Active"]);
    // Over by the end of the measurements.
    let mut now = snapshot(&yaml);
    let mut over = HIGH.to_vec();
    over.extend([0.0, 0.01, 0.0, 0.0]);
    samples(&mut now, "thumbs", "cpu_cfs", &over);
    let want = ["cpu-throttled deploy/thumbs Likely Recovered"];
    assert_eq!(lines(&KIND, &now), want);
}

fn growing(rates: &[f64]) -> Vec<f64> {
    let mut sum = 5000.0;
    let add = |r: &f64| {
        sum += r * 15.0;
        sum
    };
    rates.iter().map(add).collect()
}

#[test]
fn quiet_measurements_stay_quiet() {
    let mut now = snapshot(&document(LIMIT, "True", WELL));
    samples(&mut now, "thumbs", "cpu_cfs", &QUIET);
    samples(&mut now, "thumbs", "cpu", &[0.05; 12]);
    samples(&mut now, "thumbs", "mem", &[10e6; 12]);
    samples(&mut now, "other", "cpu_cfs", &HIGH);
    assert_eq!(lines(&KIND, &now), [""; 0]);
}

fn alert(subject: &str, name: &str, text: &str) -> Alert {
    Alert {
        name: name.into(),
        subjects: vec![subject.into()],
        text: text.into(),
        labels: Default::default(),
        since: Some(Timestamp::from_seconds(1_767_348_000)),
        document: 0,
    }
}

#[test]
fn alerts_name_the_one_whose_processor_is_full() {
    let yaml = document(LIMIT, "True", WELL)
        + "---\nkind: Service\nmetadata: {name: thumbs, namespace: shop}\nspec: {selector: {app: \
           thumbs}, ports: [{port: 80}]}\n---\nkind: Deployment\nmetadata: {name: album, namespace: \
           shop}\nspec: {replicas: 1, template: {metadata: {labels: {app: album}}, spec: {containers: \
           [{name: main, env: [{name: THUMBS, value: 'thumbs:80'}]}]}}}\n";
    let mut now = snapshot(&yaml);
    now.alerts.push(alert("album", "Slow", "p95 latency 20 ms -> 200 ms (+900%)"));
    assert_eq!(lines(&KIND, &now), [""; 0]);
    let text = "cpu_cfs 1.1 s (Throttled)\ncpu core 0.04 -> 0.17 (+325.0%)";
    now.alerts.push(alert("thumbs", "Saturated", text));
    let found = findings(&now).found;
    assert_eq!(found.len(), 1);
    assert_eq!((found[0].mechanism, &*found[0].object.name), ("cpu-overload", "thumbs"));
    let affected: Vec<&str> = found[0].affected.iter().map(|a| &*a.object.name).collect();
    assert_eq!(affected, ["thumbs", "album"]);
    let mut now = snapshot(&document(LIMIT, "True", WELL));
    now.alerts.push(alert("pod/thumbs-6f4d5b7c9d-x2x4z", "CPUThrottlingHigh", "45% throttling"));
    assert_eq!(lines(&KIND, &now), ["cpu-throttled deploy/thumbs Likely Active"]);
}

#[test]
fn a_leak_is_foreseen() {
    let mut now = snapshot(&document(LIMIT, "True", WELL));
    let grows: Vec<f64> = (0..12).map(|i| 10e6 + 1e6 * f64::from(i)).collect();
    samples(&mut now, "thumbs", "memory_working_set_bytes", &grows);
    assert_eq!(lines(&KIND, &now), ["memory-leak deploy/thumbs Likely Suspected"]);
    assert_eq!(findings(&now).found[0].forecast.len(), 1);
}

#[test]
fn evicted_for_their_own_limit() {
    for message in [
        "Pod ephemeral local storage usage exceeds the total limit of containers 1Gi.",
        "Container main exceeded its local ephemeral storage limit \"100Mi\". ",
        "Usage of EmptyDir volume \"scratch\" exceeds the limit \"200Mi\". ",
    ] {
        let evicted = format!(
            "---\nkind: Pod\nmetadata: {{name: thumbs-6f4d5b7c9d-aaaaa, namespace: shop, ownerReferences: \
             [{{kind: ReplicaSet, name: thumbs-6f4d5b7c9d, controller: true}}]}}\nstatus: {{phase: Failed, \
             reason: Evicted, message: '{message}', startTime: 2026-01-02T09:59:00Z}}\n"
        );
        let lost = document(LIMIT, "False", WELL) + &evicted;
        check(&KIND, &lost, &["ephemeral-storage-limit deploy/thumbs Proven Active"]);
        let old = (document(LIMIT, "True", WELL) + &evicted).replace("T09:59", "T01:00");
        check(&KIND, &old, &[]);
        let node = lost.replace(message, "The node was low on resource: ephemeral-storage.");
        check(&KIND, &node, &[]);
    }
}

#[test]
fn one_look_at_a_pod_that_uses_all_it_may() {
    for (used, ready, want) in [
        (0.199, "True", &["cpu-throttled deploy/thumbs Likely Suspected"][..]),
        (0.199, "False", &["cpu-throttled deploy/thumbs Likely Active"]),
        (0.15, "False", &[]),
    ] {
        let mut now = snapshot(&document(LIMIT, ready, WELL));
        now.samples.push(Sample {
            subject: "shop/thumbs-6f4d5b7c9d-x2x4z".into(),
            metric: "cpu_usage".into(),
            value: used,
            at: None,
            document: 0,
        });
        assert_eq!(lines(&KIND, &now), want);
    }
}
