//! Captures of real clusters: what the program says of each today. A change here is a change of
//! a verdict that somebody would get.
//!
//! `pasted` holds sessions with the answer that was expected of them (`truth.json`), `objects`
//! answers of API servers. ATTRIBUTION.md says where they are from.

use capture::{Input, Limits};

/// How today's answer stands to the truth.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Answer {
    /// The first cause is the one that was meant.
    Right,
    /// It is another incident than the first; the first is a fault of its own.
    Among(&'static str),
    /// What was meant is not found yet: nothing may be claimed for sure.
    Open,
}
use Answer::{Among, Open, Right};

const REAL: &[(&str, &str, Answer)] = &[
    (
        "pasted/02_crashloop_backoff/transcript.txt",
        "pod-crash-looping/command-not-found of Pod default/logging-agent (proven)",
        Right,
    ),
    (
        "pasted/02_what_is_wrong_with_pod/transcript.txt",
        "pod-limit-reached/memory-limit-too-low of Deployment app-02/giant-narwhal (proven)",
        Right,
    ),
    (
        "pasted/04_image_pull_backoff/transcript.txt",
        "pod-image-pull-failing/image-not-found of Deployment default/customer-relations-webapp (likely)",
        Right,
    ),
    (
        "pasted/06_job_failure/transcript.txt",
        "job-failing/dependency-address-wrong of Job default/java-api-checker (proven)",
        Right,
    ),
    (
        "pasted/08_memory_pressure/transcript.txt",
        "pod-pending-unschedulable/insufficient-pods of Node ip-172-31-40-111.us-east-2.compute.internal (proven)",
        Right,
    ),
    (
        "pasted/10_KubeDeploymentReplicasMismatch/transcript.txt",
        "pod-pending-unschedulable/insufficient-extended-resource of Deployment default/user-profile-resources (likely)",
        Right,
    ),
    (
        "pasted/12_KubePodNotReady/transcript.txt",
        "pod-pending-unschedulable/insufficient-extended-resource of Deployment default/user-profile-resources (proven)",
        Right,
    ),
    (
        "pasted/12_job_crashing/transcript.txt",
        "pod-pending-unschedulable/insufficient-cpu of Deployment user-profile-resources (possible)",
        Open,
    ),
    (
        "pasted/24a_misconfigured_pvc_basic/transcript.txt",
        "claim-pending/storage-class-missing of PersistentVolumeClaim app-24a/redis-standard-pvc (proven)",
        Right,
    ),
    (
        "pasted/24b_misconfigured_pvc_detailed/transcript.txt",
        "claim-pending/storage-class-missing of PersistentVolumeClaim app-24b/redis-standard-pvc (proven)",
        Right,
    ),
    (
        "pasted/54_not_truncated_when_getting_pods/transcript.txt",
        "pod-image-pull-failing/registry-name-unresolved of Pod namespace-54b/fast-fail-pod (proven)",
        Right,
    ),
    (
        "pasted/64_keda_vs_hpa_confusion/transcript.txt",
        "change-refused/definition-missing of Component scaledobject (proven)",
        Right,
    ),
    ("objects/pods/default.json", "nothing", Right),
    ("objects/pods/message-container-creating-failed-mount.json", "nothing", Open),
    (
        "objects/pods/message-image-pull-fail.json",
        "pod-image-pull-failing/registry-certificate of Deployment message-image-pull-fail/no-image-deployment (proven)",
        Right,
    ),
    (
        "objects/pods/message-oomkill-pod.json",
        "pod-limit-reached/memory-limit-too-low of Job message-oomkill-pod/oom-kill-job3 (proven)",
        Right,
    ),
    (
        "objects/pods/message-pending-node-affinity.json",
        "pod-pending-unschedulable/node-affinity-unmatched of Deployment message-pending-node-affinity/kotsadm (proven)",
        Right,
    ),
    (
        "objects/pods/message-pending-pod-resources.json",
        "pod-pending-unschedulable/insufficient-extended-resource of Deployment message-pending-pod-resources/pending-pod-resources (proven)",
        Right,
    ),
    (
        "objects/pods/message-pod-crashloop-backoff.json",
        "pod-crash-looping/command-not-found of Pod message-pod-crashloop-backoff/init-demo (proven)",
        Right,
    ),
    (
        "objects/pods/message-pod-init-crashloop-backoff.json",
        "pod-crash-looping/command-not-found of Pod message-pod-init-crashloop-backoff/init-demo2 (proven)",
        Right,
    ),
    (
        "objects/events/message-image-pull-fail.json",
        "pod-image-pull-failing/registry-certificate of Deployment message-image-pull-fail/no-image-deployment (proven)",
        Right,
    ),
    (
        "objects/events/message-pod-init-crashloop-backoff.json",
        "pod-volume-mount-failing/device-missing of Pod message-pod-init-crashloop-backoff/troubleshoot-copyfromhost-4m79m-psdjm (proven)",
        Among(
            "pod-crash-looping/command-not-found of Pod message-pod-init-crashloop-backoff/init-demo2 (proven)",
        ),
    ),
];

#[test]
fn real_captures_get_the_answers_they_got() {
    let mut wrong = Vec::new();
    for (path, today, answer) in REAL {
        let causes = causes(path);
        let first = causes.first().map_or("nothing", String::as_str);
        if first != *today {
            wrong.push(format!("{path}: {first}, not {today}"));
        }
        match answer {
            Right => {}
            Among(cause) if causes.iter().any(|c| c == cause) => {}
            Among(cause) => wrong.push(format!("{path}: {cause} is not in {causes:?}")),
            Open if first == "nothing" || first.ends_with("(possible)") => {}
            Open => wrong.push(format!("{path}: {first} is claimed for sure")),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_capture_is_listed() {
    let mut found: Vec<String> = Vec::new();
    for (folder, file) in
        [("pasted", "/transcript.txt"), ("objects/pods", ""), ("objects/events", "")]
    {
        for entry in std::fs::read_dir(super::data(folder)).unwrap() {
            let name = entry.unwrap().file_name().into_string().unwrap();
            found.push(format!("{folder}/{name}{file}"));
        }
    }
    found.sort();
    let mut listed: Vec<&str> = REAL.iter().map(|(path, ..)| *path).collect();
    listed.sort_unstable();
    assert_eq!(found, listed);
}

/// Every incident's cause: `failure/mechanism of Kind namespace/name (certainty)`.
fn causes(path: &str) -> Vec<String> {
    let read = capture::read(&[Input::Path(super::data(path).into())], &Limits::default());
    let situation = engine::step(&read.evidence.finish(None), catalog::ALL);
    let say = |i: &model::Incident| {
        let c = i.cause();
        let sure = format!("{:?}", c.certainty).to_lowercase();
        format!("{}/{} of {} {} ({sure})", c.failure, c.mechanism, c.object.kind, c.object)
    };
    situation.incidents.iter().map(say).collect()
}
