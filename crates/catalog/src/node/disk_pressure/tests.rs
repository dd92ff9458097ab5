//! Culprits are told from victims, and pressure that is over from pressure that holds.

use super::KIND;
use crate::node::testing::{event, event_ago, node, pod, with_condition};
use crate::testing::{check, check_gaps};

fn short() -> String {
    let capacity = "status:\n  capacity: {ephemeral-storage: 100Gi}\n";
    with_condition(&node("a", "True", ""), "DiskPressure", "True", "kubelet has disk pressure")
        .replace("status:\n", capacity)
}

fn evicted(app: &str, text: &str) -> String {
    pod(app, "a", "False").replace(
        "phase: Running\n",
        &format!("phase: Failed\n  reason: Evicted\n  message: '{text}'\n"),
    )
}

fn used(amount: &str) -> String {
    format!(
        "The node was low on resource: ephemeral-storage. Container main was using {amount}, \
         which exceeds its request of 0. "
    )
}

#[test]
fn a_full_disk_whose_writer_is_not_known() {
    check(&KIND, &short(), &["disk-full node/a Proven Active"]);
    let text = "Attempting to reclaim ephemeral-storage";
    let told = event("a", "EvictionThresholdMet", text, 19);
    check(&KIND, &told, &["disk-full node/a Proven Active"]);
    let files = short() + &event("a", "EvictionThresholdMet", "Attempting to reclaim inodes", 19);
    check(&KIND, &files, &["inodes-exhausted node/a Proven Active"]);
}

#[test]
fn who_used_most_is_the_culprit_and_the_small_ones_are_victims() {
    let both = short() + &evicted("lamp", &used("18619440Ki")) + &evicted("fan", &used("40Ki"));
    check(&KIND, &both, &["container-writes sts/lamp Proven Active"]);
    let new = "The node was low on resource: ephemeral-storage. Threshold quantity: 10, \
               available: 9Ki. Container main was using 5Gi, request is 0, has larger \
               consumption of ephemeral-storage. ";
    let yaml = short() + &evicted("lamp", new);
    check(&KIND, &yaml, &["container-writes sts/lamp Likely Active"]);
    check_gaps(
        &KIND,
        &yaml,
        &["sts/lamp spec.template.spec.containers[main].resources.limits.ephemeral-storage"],
    );
}

#[test]
fn victims_that_used_little_point_to_a_directory_of_the_node() {
    let path = |ro: bool| {
        pod("logger", "a", "True")
            .replace("spec:\n", "spec:\n  volumes: [{name: x, hostPath: {path: /srv/data}}]\n")
            .replace(
                "image: logger:1",
                &format!("image: l:1, volumeMounts: [{{name: x, mountPath: /d, readOnly: {ro}}}]"),
            )
    };
    let yaml = short() + &evicted("fan", &used("40Ki")) + &path(false);
    check(&KIND, &yaml, &["host-path-writes sts/logger Likely Active"]);
    let read = short() + &evicted("fan", &used("40Ki")) + &path(true);
    check(&KIND, &read, &["disk-full node/a Proven Active"]);
}

#[test]
fn what_was_measured_names_the_writer() {
    let mut now = crate::testing::snapshot(&(short() + &pod("lamp", "a", "True")));
    now.samples.push(model::Sample {
        subject: "lamp-a".into(),
        metric: "container_fs_usage_bytes".into(),
        value: 7e10,
        at: None,
        document: 0,
    });
    let lines = crate::testing::lines(&KIND, &now);
    assert_eq!(lines, ["container-writes sts/lamp Likely Active"]);
}

#[test]
fn pressure_that_is_over_stays_quiet() {
    let text = "Attempting to reclaim ephemeral-storage";
    let over = with_condition(&node("a", "True", ""), "DiskPressure", "False", "")
        + &event_ago("a", "EvictionThresholdMet", text, 3, 600);
    check(&KIND, &over, &[]);
    // Two minutes ago for the last time: the kubelet only holds the condition.
    let held = short() + &event_ago("a", "EvictionThresholdMet", text, 3, 120);
    check(&KIND, &held, &["disk-full node/a Proven Recovering"]);
    let memory = event("a", "EvictionThresholdMet", "Attempting to reclaim memory", 9);
    check(&KIND, &memory, &[]);
}
