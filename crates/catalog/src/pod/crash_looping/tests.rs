use super::KIND;
use crate::testing::{check, lines, snapshot};
use model::{Findings, LogLines};

const DOCUMENT: &str = "kind: Deployment
metadata: {name: ledger, namespace: shop}
spec:
  replicas: 1
  template:
    metadata: {labels: {app: ledger}}
    spec:
      SPEC
---
kind: Pod
metadata:
  name: ledger-6f4d5b7c9d-x2x4z
  namespace: shop
  labels: {app: ledger}
  creationTimestamp: 2026-01-02T10:00:00Z
  ownerReferences: [{kind: ReplicaSet, name: ledger-6f4d5b7c9d, controller: true}]
spec:
      SPEC
status:
  phase: Running
  conditions: [{type: Ready, status: 'False', lastTransitionTime: 2026-01-02T10:00:00Z}]
  containerStatuses:
  - name: main
    ready: false
    restartCount: 4
    STATE
";

const SPEC: &str = "containers: [{name: main, image: 'x/ledger:1', env: [{name: STORE, value: \
                    'ledgr-db:5432'}], volumeMounts: [{name: data, mountPath: /data}]}]\n      \
                    volumes: [{name: data, persistentVolumeClaim: {claimName: data}}]";

/// A Deployment whose only container waits after it ended like this.
fn ended(code: i64, reason: &str, message: &str) -> String {
    let state = format!(
        "state: {{waiting: {{reason: CrashLoopBackOff, message: 'back-off 40s'}}}}\n    lastState: \
         {{terminated: {{exitCode: {code}, reason: {reason}, message: '{message}', startedAt: \
         2026-01-02T10:03:00Z, finishedAt: 2026-01-02T10:03:05Z}}}}"
    );
    DOCUMENT.replace("SPEC", SPEC).replace("STATE", &state)
}

fn event(reason: &str, message: &str) -> String {
    format!(
        "---\nkind: Event\nmetadata: {{name: e, namespace: shop}}\ntype: Warning\nreason: {reason}\n\
         message: '{message}'\ninvolvedObject: {{kind: Pod, namespace: shop, name: \
         ledger-6f4d5b7c9d-x2x4z}}\nlastTimestamp: 2026-01-02T10:03:05Z\n"
    )
}

fn service(name: &str, port: u16) -> String {
    format!(
        "---\nkind: Service\nmetadata: {{name: {name}, namespace: shop}}\nspec: {{clusterIP: \
         10.9.0.7, selector: {{app: x}}, ports: [{{port: {port}}}]}}\n"
    )
}

#[track_caller]
fn with_log(yaml: &str, name: &str, log: &[&str], want: &[&str]) {
    let mut now = snapshot(yaml);
    now.logs.push(LogLines {
        name: name.into(),
        namespace: "shop".into(),
        container: "".into(),
        unit: "".into(),
        previous: true,
        lines: log.iter().map(|l| (*l).to_owned()).collect(),
        document: 0,
    });
    assert_eq!(lines(&KIND, &now), want, "{log:?}");
}

#[test]
fn exit_codes_and_messages_of_the_runtime() {
    let oci = "failed to create containerd task: failed to create shim task: OCI runtime create \
               failed: runc create failed: unable to start container process: ";
    for (code, reason, message, want) in [
        (0, "Completed", String::new(), "completed-under-always deploy/ledger Proven"),
        (1, "Error", String::new(), "application-error deploy/ledger Possible"),
        (126, "Error", String::new(), "permission-denied deploy/ledger Likely"),
        (127, "Error", String::new(), "command-not-found deploy/ledger Likely"),
        (
            128,
            "StartError",
            format!("{oci}exec: \"serve\": executable file not found in $PATH: unknown"),
            "command-not-found deploy/ledger Proven",
        ),
        (
            127,
            "ContainerCannotRun",
            "exec: \"/srv/run\": stat /srv/run: no such file or directory".to_owned(),
            "command-not-found deploy/ledger Proven",
        ),
        (
            128,
            "StartError",
            format!("{oci}exec: \"/srv/run\": permission denied: unknown"),
            "permission-denied deploy/ledger Proven",
        ),
        (
            128,
            "StartError",
            format!("{oci}container init was OOM-killed (memory limit too low?): unknown"),
            "out-of-memory deploy/ledger Proven",
        ),
        (137, "OOMKilled", String::new(), "out-of-memory deploy/ledger Proven"),
        (137, "Error", String::new(), "out-of-memory deploy/ledger Possible"),
        (139, "Error", String::new(), "application-error deploy/ledger Possible"),
    ] {
        check(&KIND, &ended(code, reason, &message), &[&format!("{want} Active")]);
    }
}

#[test]
fn the_log_says_why() {
    for (line, want) in [
        ("open(\"/data/x.db\"): Permission denied", "permission-denied deploy/ledger Proven"),
        ("listen tcp :8080: bind: address already in use", "address-in-use deploy/ledger Proven"),
        ("open /app/x.pid: read-only file system", "read-only-file-system deploy/ledger Proven"),
        (
            "FATAL: environment variable STORE must be set",
            "configuration-invalid deploy/ledger Proven",
        ),
        ("panic: runtime error: index out of range", "application-error deploy/ledger Likely"),
        ("/bin/sh: serve: not found", "command-not-found deploy/ledger Proven"),
        ("exec /srv/run: exec format error", "platform-wrong deploy/ledger Proven"),
        ("x509: certificate has expired", "certificate-rejected deploy/ledger Proven"),
        (
            "FATAL: password authentication failed for user \"l\"",
            "credentials-rejected deploy/ledger Proven",
        ),
        ("FATAL ERROR: JavaScript heap out of memory", "out-of-memory deploy/ledger Likely"),
    ] {
        for name in ["ledger-6f4d5b7c9d-x2x4z", "ledger"] {
            let want = format!("{want} Active");
            with_log(&ended(1, "Error", ""), name, &["starting", line, "bye"], &[&want]);
        }
    }
}

#[test]
fn a_peer_in_the_log_is_compared_with_the_services() {
    let unknown = "dial tcp: lookup ledgr-db on 10.9.0.10:53: no such host";
    let wrong = "dependency-address-wrong deploy/ledger Proven Active";
    let yaml = ended(1, "Error", "") + &service("ledger-db", 5432);
    with_log(&yaml, "ledger", &[unknown], &[wrong]);
    let mut now = snapshot(&yaml);
    now.logs.push(LogLines {
        name: "ledger".into(),
        namespace: "".into(),
        container: "".into(),
        unit: "".into(),
        previous: false,
        lines: vec![unknown.to_owned()],
        document: 0,
    });
    let mut findings = Findings::default();
    now.apps.iter().for_each(|a| super::detect(a, &now, &mut findings));
    let found = &findings.found[0];
    assert_eq!(found.field.as_deref(), Some("spec.template.spec.containers[*].env[STORE]"));
    assert_eq!(found.expected.as_deref(), Some("ledger-db:5432"));
    // The Service is there and does not answer.
    let there = ended(1, "Error", "") + &service("ledgr-db", 5432);
    let refused = "connect ECONNREFUSED 10.9.0.7:5432";
    with_log(&there, "ledger", &[refused], &["dependency-unreachable deploy/ledger Proven Active"]);
    // It is there, with another port.
    let other = ended(1, "Error", "") + &service("ledgr-db", 5433);
    with_log(&other, "ledger", &["dial tcp 10.9.0.7:5432: i/o timeout"], &[wrong]);
    // Somebody outside of the cluster.
    let outside = "could not connect to pay.example.com:443: connection refused";
    let want = "dependency-unreachable deploy/ledger Likely Active";
    with_log(&yaml, "ledger", &[outside], &[want]);
}

#[test]
fn a_killed_container_is_a_symptom_of_its_probe() {
    let killing = event("Killing", "Container main failed liveness probe, will be restarted");
    let old = event(
        "Killing",
        "Killing container with id docker://main:Container main failed liveness probe.. Container will be killed and recreated.",
    );
    for killing in [killing, old] {
        let yaml = ended(137, "Error", "") + &killing;
        check(&KIND, &yaml, &["killed-by-probe deploy/ledger Proven Active"]);
        let now = snapshot(&yaml);
        let mut findings = Findings::default();
        now.apps.iter().for_each(|a| super::detect(a, &now, &mut findings));
        assert_eq!(findings.found[0].role, model::Role::Symptom);
    }
    let unhealthy =
        event("Unhealthy", "Liveness probe failed: HTTP probe failed with statuscode: 500");
    let yaml = ended(143, "Error", "") + &unhealthy;
    check(&KIND, &yaml, &["killed-by-probe deploy/ledger Likely Active"]);
    let readiness = event("Unhealthy", "Readiness probe failed: timeout");
    let yaml = ended(1, "Error", "") + &readiness;
    check(&KIND, &yaml, &["application-error deploy/ledger Possible Active"]);
}

#[test]
fn the_newest_revision_is_the_first_suspect() {
    let yaml = ended(1, "Error", "")
        + "---\nkind: ReplicaSet\nmetadata: {name: ledger-aaa, namespace: shop, annotations: \
           {deployment.kubernetes.io/revision: '1'}, ownerReferences: [{kind: Deployment, name: \
           ledger, controller: true}]}\nspec: {template: {spec: {containers: [{name: main, image: \
           'x/ledger:0'}]}}}\nstatus: {readyReplicas: 1}\n";
    check(&KIND, &yaml, &["application-error deploy/ledger Likely Active"]);
}

#[test]
fn a_row_of_a_table_is_enough_to_see_the_loop() {
    let row = |status: &str, restarts: u32| {
        format!(
            "kind: Pod\nmetadata: {{name: ledger-6f4d5b7c9d-x2x4z, namespace: shop, ownerReferences: \
             [{{kind: ReplicaSet, name: ledger-6f4d5b7c9d, controller: true}}]}}\nstatus: {{summary: \
             {{ready: 0, containers: 1, status: '{status}', restarts: {restarts}}}}}\n"
        )
    };
    let want = "application-error deploy/ledger Possible Active";
    for status in ["CrashLoopBackOff", "Error", "Init:CrashLoopBackOff", "RunContainerError"] {
        check(&KIND, &row(status, 3), &[want]);
    }
    check(&KIND, &row("Init:Error", 0), &[want]);
    for status in ["Running", "Completed", "ContainerCreating", "Pending"] {
        check(&KIND, &row(status, 0), &[]);
    }
}

#[test]
fn old_restarts_and_finished_jobs_stay_quiet() {
    let long_ago = DOCUMENT.replace("SPEC", SPEC).replace("ready: false", "ready: true").replace(
        "STATE",
        "state: {running: {startedAt: 2026-01-02T10:03:10Z}}\n    lastState: {terminated: {exitCode: \
         1, reason: Error, startedAt: 2026-01-02T10:03:00Z, finishedAt: 2026-01-02T10:03:05Z}}",
    ) + &event("Other", "x").replace("10:03:05", "23:03:05");
    check(&KIND, &long_ago, &[]);
    let job = "kind: Job\nmetadata: {name: tidy, namespace: shop}\nspec: {}\n---\nkind: Pod\nmetadata: \
               {name: tidy-x2x4z, namespace: shop, ownerReferences: [{kind: Job, name: tidy, \
               controller: true}]}\nspec: {restartPolicy: OnFailure, containers: [{name: a}, {name: b}]}\n\
               status: {phase: Running, containerStatuses: [{name: a, state: {terminated: {exitCode: 0, \
               reason: Completed}}}, {name: b, state: {running: {}}, ready: true}]}\n";
    check(&KIND, job, &[]);
    let done = job.replace("phase: Running", "phase: Succeeded");
    check(&KIND, &done, &[]);
    // One restart, ready again: nothing is wrong now.
    let once = DOCUMENT
        .replace("SPEC", SPEC)
        .replace("ready: false", "ready: true")
        .replace("restartCount: 4", "restartCount: 1")
        .replace("status: 'False'", "status: 'True'")
        .replace(
            "STATE",
            "state: {running: {startedAt: 2026-01-02T10:03:10Z}}\n    lastState: {terminated: \
             {exitCode: 1, reason: Error, finishedAt: 2026-01-02T10:03:05Z}}",
        );
    check(&KIND, &once, &[]);
}

#[test]
fn a_value_that_cannot_be_read_is_looked_for_in_the_settings() {
    let with = |value: &str, line: &str| {
        let yaml = ended(1, "Error", "").replace("'ledgr-db:5432'", &format!("'{value}'"));
        let mut now = snapshot(&yaml);
        crate::testing::log(&mut now, "ledger", &["starting", line]);
        lines(&KIND, &now)
    };
    let line = "ValueError: invalid literal for int() with base 10: 'many'";
    assert_eq!(with("many", line), ["configuration-invalid deploy/ledger Likely Active"]);
    let line = "panic: strconv.Atoi: parsing \"many\": bad number";
    assert_eq!(with("many", line), ["configuration-invalid deploy/ledger Likely Active"]);
    // It may as well stand in what the program reads.
    assert_eq!(with("few", line), ["configuration-invalid deploy/ledger Likely Active"]);
}
