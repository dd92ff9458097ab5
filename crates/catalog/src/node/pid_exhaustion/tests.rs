use super::super::testing::{event, node, pod, pod_event};
use super::KIND;
use crate::testing::{check, check_gaps, lines, snapshot};
use model::{HostFact, HostFigure, LogLines, Snapshot};

fn with(now: &mut Snapshot, figure: HostFigure) {
    now.hosts.push(HostFact { node: "a".into(), figure, document: 0 });
}

fn defunct(count: u32) -> HostFigure {
    HostFigure::Defunct {
        parent: 1011,
        parent_command: "containerd-shim".into(),
        command: "cat".into(),
        count,
    }
}

fn log_of(unit: &str, name: &str, namespace: &str, line: &str) -> LogLines {
    LogLines {
        name: name.into(),
        namespace: namespace.into(),
        container: "".into(),
        unit: unit.into(),
        previous: false,
        lines: vec![line.into()],
        document: 0,
    }
}

#[test]
fn pressure_is_told_by_the_node() {
    let pressed = node("a", "True", "").replace(
        "conditions:\n",
        "conditions:\n  - {type: PIDPressure, status: 'True', reason: KubeletHasInsufficientPID, \
         message: kubelet has insufficient PID available}\n",
    );
    let found = ["too-many-processes node/a Proven Active"];
    check(&KIND, &pressed, &found);
    check(&KIND, &event("a", "NodeHasInsufficientPID", "Node a status is now", 1), &found);
    check(&KIND, &event("a", "EvictionThresholdMet", "Attempting to reclaim pids", 1), &found);
    let cleared = pressed.replace("PIDPressure, status: 'True'", "PIDPressure, status: 'False'");
    check(&KIND, &(cleared + &event("a", "NodeHasInsufficientPID", "x", 1)), &[]);
}

#[test]
fn a_runtime_that_cannot_start_processes_speaks_for_its_machine() {
    let shim = "failed to start shim: fork/exec /usr/bin/docker-containerd-shim: resource \
                temporarily unavailable: unknown";
    let here = pod("web", "a", "False") + &pod_event("web", "a", shim);
    check(&KIND, &here, &["too-many-processes node/a Likely Active"]);
    let later = pod("web", "a", "True").replace("T09:00:00Z", "T10:00:00Z");
    let over = node("a", "True", "") + &later + &pod_event("web", "a", shim);
    check(&KIND, &over, &[]);
}

#[test]
fn ended_processes_that_nobody_reaps() {
    let mut now = snapshot(&node("a", "True", ""));
    with(&mut now, defunct(18_622));
    assert_eq!(lines(&KIND, &now), ["defunct-processes node/a Proven Suspected"]);
    with(&mut now, HostFigure::Tasks { total: 32_000, defunct: 18_622 });
    assert_eq!(lines(&KIND, &now), ["defunct-processes node/a Proven Active"]);
    let mut few = snapshot(&node("a", "True", ""));
    with(&mut few, defunct(12));
    assert_eq!(lines(&KIND, &few), Vec::<String>::new());
}

#[test]
fn the_probe_that_leaves_them_is_named() {
    let probe = "image: web:1, readinessProbe: {periodSeconds: 2, exec: {command: [sh, -c, 'cat \
                 /tmp/ready']}}}";
    let yaml = node("a", "True", "")
        + &pod("web", "a", "True").replace("image: web:1}", probe)
        + &pod("api", "a", "True");
    let mut now = snapshot(&yaml);
    with(&mut now, defunct(9_000));
    assert_eq!(lines(&KIND, &now), ["defunct-processes sts/web Likely Suspected"]);
}

#[test]
fn one_pod_at_its_own_bound_is_not_the_machine() {
    let yaml = node("a", "False", "x") + &pod("web", "a", "False") + &pod("api", "a", "False");
    let mut now = snapshot(&yaml);
    let line = "sh: fork: retry: Resource temporarily unavailable";
    now.logs.push(log_of("", "web-a", "shop", line));
    assert_eq!(lines(&KIND, &now), ["pod-limit sts/web Possible Active"]);
    let kernel = "cgroup: fork rejected by pids controller in /kubepods/burstable/pod1/c1";
    now.logs.push(log_of("kernel", "a", "", kernel));
    assert_eq!(lines(&KIND, &now), ["pod-limit sts/web Likely Active"]);
    now.logs.push(log_of(
        "",
        "api-a",
        "shop",
        "OutOfMemoryError: unable to create new native thread",
    ));
    assert_eq!(lines(&KIND, &now), ["too-many-processes node/a Likely Active"]);
}

#[test]
fn look_alikes_stay_quiet() {
    let busy = "Error: EAGAIN, resource temporarily unavailable while reading from socket";
    check(&KIND, &(pod("web", "a", "False") + &pod_event("web", "a", busy)), &[]);
    let mut now = snapshot(&(node("a", "True", "") + &pod("web", "a", "True")));
    now.logs.push(log_of("", "web-a", "shop", "cannot fork"));
    assert_eq!(lines(&KIND, &now), Vec::<String>::new());
}

#[test]
fn a_probe_that_starts_a_command_every_second_is_exposed() {
    let workload = |period: u32| {
        format!(
            "kind: Deployment\nmetadata: {{name: web, namespace: shop}}\nspec:\n  template:\n    \
             spec:\n      containers:\n      - name: main\n        image: web:1\n        \
             livenessProbe: {{periodSeconds: {period}, exec: {{command: [check]}}}}\n"
        )
    };
    check_gaps(&KIND, &workload(1), &["deploy/web containers[main].livenessProbe.periodSeconds"]);
    check_gaps(&KIND, &workload(10), &[]);
}
