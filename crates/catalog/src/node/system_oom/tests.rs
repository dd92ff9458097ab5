use super::super::testing::{event, event_ago, node, pod, with_condition};
use super::KIND;
use crate::testing::{check, check_gaps, lines, snapshot};
use model::{HostFact, HostFigure, LogLines, Sample};

const KILL: &str = "System OOM encountered, victim process: java, pid: 4711";

#[test]
fn the_kubelet_and_a_watcher_of_the_node_tell_it() {
    let found = ["memory-exhausted node/a Proven Active"];
    for (reason, message) in [
        ("SystemOOM", KILL),
        ("SystemOOM", "System OOM encountered"),
        ("OOMKilling", "Out of memory: Kill process 7 (java) score 905 or sacrifice child"),
        ("OOMKilling", "Out of memory: Killed process 7 (java) total-vm:1kB, anon-rss:2kB"),
    ] {
        check(&KIND, &event("a", reason, message, 1), &found);
        check(&KIND, &(node("a", "True", "") + &event("a", reason, message, 1)), &found);
    }
}

#[test]
fn a_container_without_limit_that_was_killed_is_to_blame() {
    let killed = pod("cache", "a", "False").replace(
        "  conditions",
        "  containerStatuses: [{name: main, restartCount: 2, lastState: {terminated: {reason: \
         OOMKilled, exitCode: 137, finishedAt: 2026-01-02T09:59:00Z}}}]\n  conditions",
    );
    let yaml = node("a", "True", "") + &event("a", "SystemOOM", KILL, 1) + &killed;
    check(&KIND, &yaml, &["container-without-limit sts/cache Likely Active"]);
    let bounded =
        yaml.replace("image: cache:1}", "image: cache:1, resources: {limits: {memory: 1Gi}}}");
    check(&KIND, &bounded, &["memory-exhausted node/a Proven Active"]);
}

#[test]
fn who_holds_most_of_it_and_has_no_limit_is_to_blame() {
    let large = node("a", "True", "").replace("status:\n", "status:\n  capacity: {memory: 8Gi}\n");
    let yaml = large + &event("a", "SystemOOM", KILL, 1) + &pod("cache", "a", "True");
    let mut now = snapshot(&(yaml + &pod("web", "a", "True")));
    for (subject, gib) in [("shop/cache-a", 5.0), ("shop/web-a", 0.5)] {
        now.samples.push(Sample {
            subject: subject.into(),
            metric: "memory_usage".into(),
            value: gib * 1_073_741_824.0,
            at: None,
            document: 0,
        });
    }
    assert_eq!(lines(&KIND, &now), ["container-without-limit sts/cache Proven Active"]);
}

#[test]
fn the_log_of_the_kernel_tells_whose_memory_it_was() {
    for (group, want) in [
        ("oom_memcg=/kubepods,task=x", Some("pods-exhausted node/a Proven")),
        ("oom_memcg=/kubepods.slice/kubepods-pod1.slice,task=x", None),
    ] {
        let mut now = snapshot(&node("a", "False", "container runtime is down"));
        now.logs.push(LogLines {
            name: "a".into(),
            namespace: "".into(),
            container: "".into(),
            unit: "kernel".into(),
            previous: false,
            lines: vec![
                format!("[1.0] oom-kill:constraint=CONSTRAINT_MEMCG,{group}"),
                "[1.1] Memory cgroup out of memory: Killed process 9 (x) total-vm:1kB".into(),
            ],
            document: 0,
        });
        now.hosts.push(HostFact {
            node: "a".into(),
            figure: HostFigure::Memory {
                total_bytes: 8 << 30,
                used_bytes: 7 << 30,
                available_bytes: 1 << 28,
                cache_bytes: 0,
            },
            document: 0,
        });
        let want: Vec<String> = want.into_iter().map(|w| format!("{w} Active")).collect();
        assert_eq!(lines(&KIND, &now), want);
    }
}

#[test]
fn look_alikes_stay_quiet() {
    let own = "Memory cgroup out of memory: Killed process 5 (web) total-vm:9kB, anon-rss:6kB";
    check(&KIND, &event("a", "OOMKilling", own, 1), &[]);
    check(&KIND, &(node("a", "True", "") + &event_ago("a", "SystemOOM", KILL, 3, 7200)), &[]);
    check(&KIND, &event("a", "Rebooted", "Node a has been rebooted", 1), &[]);
    let mut old = snapshot(&node("a", "True", ""));
    old.logs.push(LogLines {
        name: "a".into(),
        namespace: "".into(),
        container: "".into(),
        unit: "kernel".into(),
        previous: false,
        lines: vec!["[1.1] Out of memory: Killed process 9 (x) total-vm:1kB".into()],
        document: 0,
    });
    assert_eq!(lines(&KIND, &old), ["memory-exhausted node/a Proven Suspected"]);
}

#[test]
fn a_namespace_that_gives_no_limits_is_exposed() {
    let yaml = pod("cache", "a", "True");
    let gap = "ns/shop LimitRange spec.limits[Container].default.memory";
    check_gaps(&KIND, &yaml, &[gap]);
    let range = "kind: LimitRange\nmetadata: {name: usual, namespace: shop}\nspec:\n  limits:\n  \
                 - {type: Container, default: {memory: 256Mi}}\n";
    check_gaps(&KIND, &(yaml + range), &[]);
}

#[test]
fn a_node_short_of_memory_says_so_before_anything_is_killed() {
    let short = with_condition(&node("a", "True", ""), "MemoryPressure", "True", "short");
    check(&KIND, &short, &["memory-exhausted node/a Proven Active"]);
    // An old kill is no reason to stay quiet about it.
    let old = short.clone() + &event_ago("a", "SystemOOM", KILL, 3, 7200);
    check(&KIND, &old, &["memory-exhausted node/a Proven Active"]);
    check(
        &KIND,
        &short.replace("MemoryPressure, status: 'True'", "MemoryPressure, status: 'False'"),
        &[],
    );
}
