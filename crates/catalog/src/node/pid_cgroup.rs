//! `node-pid-cgroup-unsupported`: the kernel refuses to put processes into control groups.

use model::record::Node;
use model::{
    Act, Certainty, Finding, Findings, Gap, Impact, Kind, ObjectRef, Patch, Remedy, Risk, Scenario,
    Snapshot, Step,
};

use super::complaints::{self, Complaint};
use crate::evidence;
use crate::wording::{self, says};

failure! {
    /// # A node's kernel fails at control groups
    ///
    /// ## Signs
    /// Probes with a command fail now and then with "adding pid 18580 to cgroups caused ...
    /// cgroup.procs: invalid argument", though the command is right. Or pods cannot be started:
    /// "mkdir /sys/fs/cgroup/memory/kubepods/...: no space left on device" or "cannot allocate
    /// memory", though disk and memory are there.
    ///
    /// ## Why it happens
    /// Every container is a set of control groups of the kernel. Kernels of the 3.10 line know
    /// no group for the number of processes and count memory groups wrongly: groups of
    /// containers that are long gone stay in the kernel until no further one can be made (about
    /// 65,000). Newer kernels have neither fault. With any kernel, a runtime that starts a
    /// probe's command while systemd moves the container's groups can lose the race and gets
    /// the same "invalid argument".
    ///
    /// ## What we do
    /// 1. Compare the kernels of the nodes that show it with those that do not.
    /// 2. Cordon the node and move its pods to a node with a newer kernel.
    /// 3. Upgrade the kernel and the runtime; a reboot alone frees leaked groups for a while.
    ///
    /// Do not change the probe's command: it was not even started. Do not clean the disk: "no
    /// space left on device" below `/sys/fs/cgroup` is not about a disk.
    ///
    /// ## How to avoid it
    /// Kernel 4.19 or newer (5.x for new clusters), or `cgroup.memory=nokmem` where 3.10 must
    /// stay; one cgroup driver for kubelet and runtime; probes by HTTP, TCP or gRPC.
    ///
    /// ## Sources
    /// opencontainers/runc and kubernetes/kubernetes issues on leaked memory groups (61937,
    /// 96701) and on the race (89862); Kubernetes documentation, "About cgroup v2".
    id: "node-pid-cgroup-unsupported",
    mechanisms: {
        "exec-race": "the runtime and systemd change the groups of a container at once",
        "kernel-too-old": "its kernel has no group for the number of processes",
        "memory-cgroup-leak": "its kernel does not give back memory groups that are gone",
        "too-many-groups": "it has more memory groups than its kernel bears",
    },
    reads: [Node, Pod, Event],
    leads_to: [
        "pod-crash-looping",
        "pod-probe-failing",
        "pod-probe-failing-node-loaded",
        "pod-sandbox-failing",
        "service-without-endpoints",
    ],
    detect: Cluster(detect),
    exposed: exposed,
    remedy: remedy,
    prevent: prevent,
    rehearse: rehearse,
}

fn detect(now: &Snapshot, findings: &mut Findings) {
    let leaks = complaints::by_node(now, is_leak);
    let races = complaints::by_node(now, wording::is_group_trouble);
    for (name, complaints) in &leaks {
        findings.push(finding(name, complaints, &|node| leak(node), now));
    }
    for (name, complaints) in races.iter().filter(|(name, _)| !leaks.contains_key(*name)) {
        let clean = |node: &Node| !races.contains_key(node.meta.name.as_str());
        let cohort = now.nodes.iter().filter(|n| clean(n)).any(|n| is_old(n) == Some(false));
        let unclear = complaints.iter().all(|c| !says(c.text, wording::GROUP_REFUSED));
        findings.push(finding(name, complaints, &|node| race(node, cohort, unclear), now));
    }
}

/// No memory group can be made any more.
fn is_leak(text: &str) -> bool {
    let full = ["no space left on device", "cannot allocate memory"];
    says(text, wording::GROUP_LEAK) && says(text, &full)
}

/// Whether a node's kernel is of the 3.x lines; `None` when it was not shown.
fn is_old(node: &Node) -> Option<bool> {
    let major: String = node.kernel.chars().take_while(char::is_ascii_digit).collect();
    Some(major.parse::<u32>().ok()? < 4)
}

/// A mechanism with how sure it is and what else it could be.
type Judged = (&'static str, Certainty, &'static [&'static str]);

fn leak(node: Option<&Node>) -> Judged {
    match node.and_then(is_old) {
        Some(true) => ("memory-cgroup-leak", Certainty::Proven, &[]),
        Some(false) => ("too-many-groups", Certainty::Likely, &["memory-cgroup-leak"]),
        None => ("memory-cgroup-leak", Certainty::Likely, &["too-many-groups"]),
    }
}

/// `cohort`: nodes with newer kernels do not show it. `unclear`: the words fit other faults of
/// the runtime too.
fn race(node: Option<&Node>, cohort: bool, unclear: bool) -> Judged {
    match node.and_then(is_old) {
        Some(true) if cohort => ("kernel-too-old", Certainty::Proven, &[]),
        Some(true) => ("kernel-too-old", Certainty::Likely, &["exec-race"]),
        Some(false) if !unclear => ("exec-race", Certainty::Likely, &["runtime-hung"]),
        None if !unclear => ("exec-race", Certainty::Likely, &["kernel-too-old"]),
        _ => ("exec-race", Certainty::Possible, &["kernel-too-old", "runtime-hung"]),
    }
}

fn finding(
    name: &str,
    complaints: &[Complaint<'_>],
    judge: &dyn Fn(Option<&Node>) -> Judged,
    now: &Snapshot,
) -> Finding {
    let node = now.known_nodes().find(|n| n.meta.name == name);
    let (mechanism, certainty, alternatives) = judge(node);
    let objects = complaints::objects(complaints);
    // Where the node is not known, the pod that complains leads to it.
    let object = match (name, objects.first()) {
        ("", Some(first)) => (*first).clone(),
        _ => ObjectRef::new(Kind::Node, "", name),
    };
    let place = match name {
        "" => format!("the node of {object}"),
        name => format!("node {name}"),
    };
    let what = match mechanism {
        "memory-cgroup-leak" | "too-many-groups" => "can make no further control group for pods",
        _ => "cannot start the commands of probes",
    };
    let kernel = node.filter(|n| !n.kernel.is_empty());
    let with = kernel.map(|n| format!(" (kernel {})", n.kernel)).unwrap_or_default();
    let headline = format!("{place}{with} {what}");
    let mut finding = Finding::new(KIND.id, mechanism, object, headline)
        .since(complaints.iter().filter_map(|c| c.first).min())
        .evidence(complaints.iter().take(3).map(|c| c.evidence.clone()));
    if let Some(node) = kernel {
        let field = "status.nodeInfo.kernelVersion";
        let object = node.meta.object(Kind::Node);
        let fact = evidence::field(node.meta.source, &object, field, node.kernel.as_str());
        finding.evidence.push(fact);
        finding = finding.field(field, node.kernel.as_str(), "4.19 or newer");
    }
    for object in &objects {
        let times = complaints.iter().filter(|c| c.object == **object);
        let times = times.map(|c| c.count).fold(0, u32::saturating_add);
        finding = finding.affects((*object).clone(), format!("said {times} times of its pods"));
    }
    let apps = || complaints.iter().filter_map(|c| c.app);
    let lost: u32 = objects
        .iter()
        .filter_map(|o| apps().find(|a| a.object == **o))
        .map(|a| a.lost_replicas())
        .fold(0, u32::saturating_add);
    finding = finding.impact(Impact { replicas: lost, ..Impact::default() });
    if certainty < Certainty::Proven {
        finding = finding.unsure(certainty, alternatives, "kubectl get nodes -o wide");
    }
    finding
}

/// Nodes with kernels of the 3.x lines.
fn exposed(now: &Snapshot, gaps: &mut Vec<Gap>) {
    for node in now.nodes.iter().filter(|n| is_old(n) == Some(true)) {
        gaps.push(Gap {
            failure: KIND.id,
            object: node.meta.object(Kind::Node),
            field: "status.nodeInfo.kernelVersion".into(),
            why: format!("kernel {} leaks memory groups of containers", node.kernel),
        });
    }
}

fn remedy(finding: &Finding, now: &Snapshot) -> Remedy {
    let mut next = vec![Step::look(
        "Compare the kernel of the nodes that show it with the others",
        "kubectl get nodes -o wide",
    )];
    if finding.object.kind == Kind::Node && now.nodes.get("", &finding.object.name).is_some() {
        let name = &finding.object.name;
        next.push(Step::change(
            "Keep new pods away from it",
            format!("kubectl cordon {name}"),
            format!("kubectl uncordon {name}"),
        ));
        next.push(Step {
            what: "Move its pods to nodes with newer kernels".into(),
            command: Some(format!(
                "kubectl drain {name} --ignore-daemonsets --delete-emptydir-data"
            )),
            risk: Risk::Disruptive,
            undo: Some(format!("kubectl uncordon {name}")),
        });
    }
    next.push(Step::advice("Upgrade the kernel and the container runtime, then reboot the node"));
    Remedy {
        next,
        do_not: vec![
            "Do not change the probe's command: it was never started".into(),
            "Do not clean the disk: what is full is a table of the kernel".into(),
        ],
    }
}

/// The kernel of a machine is no field of an object.
fn prevent(_: &Gap, _: &Snapshot) -> Option<Patch> {
    None
}

fn rehearse() -> Option<Scenario> {
    let act = "The runtime of worker-3 fails to start every third command of an exec probe.";
    Some(Scenario {
        story: "An old kernel refuses to put the commands of probes into their groups.",
        acts: vec![(30, Act::Unmodelled(act))],
        found_within_seconds: 180,
    })
}

#[cfg(test)]
mod tests {
    use super::super::testing::{node, pod};
    use super::KIND;
    use crate::testing::{check, check_gaps};

    const RACE: &str = "Liveness probe failed: OCI runtime exec failed: exec failed: \
        container_linux.go:348: starting container process caused \"process_linux.go:90: adding \
        pid 18580 to cgroups caused \\\"failed to write 18580 to cgroup.procs: write \
        /sys/fs/cgroup/cpu/kubepods/burstable/pod1/c1/cgroup.procs: invalid argument\\\"\": \
        unknown";

    fn said(reason: &str, message: &str) -> String {
        format!(
            "kind: Event\nmetadata: {{name: e.1, namespace: shop}}\ninvolvedObject: {{kind: Pod, \
             name: web-a, namespace: shop}}\ntype: Warning\nreason: {reason}\nmessage: \
             '{message}'\nlastTimestamp: 2026-01-02T10:00:00Z\n---\n"
        )
    }

    fn with_kernel(name: &str, kernel: &str) -> String {
        node(name, "True", "")
            .replace("status:\n", &format!("status:\n  nodeInfo: {{kernelVersion: {kernel}}}\n"))
    }

    #[test]
    fn commands_that_the_kernel_refuses() {
        let told = said("Unhealthy", RACE);
        check(&KIND, &told, &["exec-race pod/web-a Likely Active"]);
        let here = told.clone() + &pod("web", "a", "False");
        let old = with_kernel("a", "3.10.0-957.el7.x86_64");
        check(&KIND, &(old.clone() + &here), &["kernel-too-old node/a Likely Active"]);
        let beside = old + &with_kernel("b", "5.15.0-91-generic") + &here;
        check(&KIND, &beside, &["kernel-too-old node/a Proven Active"]);
        let new = with_kernel("a", "5.15.0-91-generic") + &here;
        check(&KIND, &new, &["exec-race node/a Likely Active"]);
        let unclear = "Liveness probe failed: rpc error: code = 2 desc = oci runtime error: exec \
            failed: container_linux.go:247: starting container process caused \"read \
            /proc/588/status: bad address\"";
        check(&KIND, &said("Unhealthy", unclear), &["exec-race pod/web-a Possible Active"]);
    }

    #[test]
    fn groups_that_cannot_be_made() {
        let message = |why: &str| {
            format!(
                "unable to ensure pod container exists: failed to create container for [kubepods \
                 besteffort pod1] : mkdir /sys/fs/cgroup/memory/kubepods/besteffort/pod1: {why}"
            )
        };
        for why in ["no space left on device", "cannot allocate memory"] {
            let told = said("FailedCreatePodContainer", &message(why));
            check(&KIND, &told, &["memory-cgroup-leak pod/web-a Likely Active"]);
            let old = with_kernel("a", "3.10.0-957.el7.x86_64") + &pod("web", "a", "False") + &told;
            check(&KIND, &old, &["memory-cgroup-leak node/a Proven Active"]);
            check_gaps(&KIND, &old, &["node/a status.nodeInfo.kernelVersion"]);
        }
        check(&KIND, &said("Failed", "write /var/log/x: no space left on device"), &[]);
    }

    #[test]
    fn look_alikes_stay_quiet() {
        let wrong = "Liveness probe failed: OCI runtime exec failed: exec: \"/check\": stat \
            /check: no such file or directory: unknown";
        check(&KIND, &said("Unhealthy", wrong), &[]);
        let over = said("Unhealthy", RACE).replace("10:00:00Z", "06:00:00Z")
            + &node("a", "True", "")
            + &pod("web", "a", "True");
        check(&KIND, &over, &[]);
    }
}
