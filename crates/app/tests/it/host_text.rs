//! What people paste from a machine, with and without the command, named or not.

use super::{json, run_with_input};

/// The first cause: `failure/mechanism of object (certainty)`, or the verdict without any.
fn said(text: &str) -> String {
    let value = json(&run_with_input(&["diagnose", "-", "-o", "json"], text.as_bytes()));
    let cause = &value["incidents"][0]["cause"];
    let word = |v: &serde_json::Value| v.as_str().unwrap_or_default().to_owned();
    if cause.is_null() {
        return word(&value["verdict"]);
    }
    let [failure, mechanism, sure] =
        ["failure", "mechanism", "certainty"].map(|key| word(&cause[key]));
    format!("{failure}/{mechanism} of {} ({sure})", word(&cause["object"]["name"]))
}

#[track_caller]
fn check(text: &str, want: &str) {
    assert_eq!(said(text), want, "{text}");
}

const KILL: &str = "\
[12345.600000] java invoked oom-killer: gfp_mask=0x6200ca, order=0, oom_score_adj=986
[12345.700000] oom-kill:constraint=CONSTRAINT_NONE,nodemask=(null),global_oom,task=java,pid=7,uid=0
[12345.700100] Out of memory: Killed process 7 (java) total-vm:9kB, anon-rss:3145728kB, file-rss:0kB
";

#[test]
fn the_log_of_a_kernel_without_memory() {
    let found = |node: &str| format!("node-system-oom/memory-exhausted of {node} (proven)");
    check(&format!("root@worker-1:~# dmesg\n{KILL}"), &found("worker-1"));
    check(&format!("$ ssh worker-2 dmesg\n{KILL}"), &found("worker-2"));
    check(KILL, &found("THIS-NODE"));
    let journal = "Mar 01 10:00:00 worker-3 kernel: Out of memory: Killed process 7 (java) \
                   total-vm:9kB, anon-rss:3145728kB\n";
    check(journal, &found("worker-3"));
    let node = "$ kubectl get nodes\nNAME       STATUS     ROLES    AGE   VERSION\n\
                worker-1   NotReady   <none>   90d   v1.31.0\n";
    let both = format!("{node}\n# what the console of it says\n{KILL}");
    check(&both, &found("worker-1"));
    let own = KILL
        .replace("CONSTRAINT_NONE", "CONSTRAINT_MEMCG")
        .replace("global_oom", "oom_memcg=/kubepods.slice/kubepods-pod1.slice");
    let own = own.replace("Out of memory: Killed", "Memory cgroup out of memory: Killed");
    check(&own, "inconclusive");
}

#[test]
fn ended_processes_and_no_further_ones() {
    let mut zombies = String::from("UID PID PPID C STIME TTY TIME CMD\n");
    zombies.push_str("root 1011 1 0 10:00 ? 00:00:00 /usr/bin/containerd-shim-runc-v2 -id x\n");
    for pid in 2000..3200 {
        zombies.push_str(&format!("root {pid} 1011 0 10:00 ? 00:00:00 [cat] <defunct>\n"));
    }
    check(&zombies, "node-pid-exhaustion/defunct-processes of THIS-NODE (proven)");
    let log = "Mar 01 10:00:00 worker-1 containerd[9]: fork/exec /usr/bin/runc: resource \
               temporarily unavailable\n";
    check(log, "node-pid-exhaustion/too-many-processes of worker-1 (likely)");
}

#[test]
fn a_disk_that_is_full() {
    let df = "Filesystem      Size  Used Avail Use% Mounted on\n\
              /dev/nvme0n1p1   20G   20G  0.1G 100% /\n\
              tmpfs           3.9G     0  3.9G   0% /run\n";
    check(
        &format!("root@worker-1:~# df -h\n{df}"),
        "node-disk-pressure/disk-full of worker-1 (proven)",
    );
    check(df, "node-disk-pressure/disk-full of THIS-NODE (proven)");
    check(&df.replace("100%", " 40%"), "inconclusive");
}

#[test]
fn figures_of_a_machine_that_is_well() {
    let text = "root@worker-1:~# uptime\n 10:00:00 up 5 days, 1 user,  load average: 0.10, 0.20, \
                0.30\nroot@worker-1:~# free -m\n              total        used        free      \
                shared  buff/cache   available\nMem:           7812        2000         200         \
                100        5612        5500\n";
    check(text, "inconclusive");
}
