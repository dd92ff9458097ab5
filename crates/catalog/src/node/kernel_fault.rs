//! `node-kernel-fault`: the kernel of a machine says that it, its disk or its table of
//! connections is at its end. What it says of memory and of processes belongs to other kinds.

use model::record::Node;
use model::{
    Act, Certainty, Finding, Findings, Gap, Impact, Kind, Patch, Remedy, Risk, Scenario, Snapshot,
    State, Step, Truth,
};

use super::signs::{self, Sign, Source};
use crate::wording;

failure! {
    /// # The kernel of a node reports a fault
    ///
    /// ## Signs
    /// Lines of the kernel (`dmesg`, `journalctl -k`, the serial console, or events and
    /// conditions of the node problem detector): the table of connections is full, a file
    /// system was made read-only, tasks are blocked for more than two minutes, an oops or a
    /// panic, an error of the hardware. The node may still be `Ready`: the kubelet looks at
    /// none of these.
    ///
    /// ## Why it happens
    /// Every connection that passes a node takes a place in the kernel's table; when all are
    /// taken, packets of new connections are dropped, of all pods of the node alike. A disk
    /// that answers with errors makes the kernel protect what is on it: it allows reading only.
    /// A disk that does not answer at all leaves whoever writes to it hanging, the container
    /// runtime first. After an oops the kernel goes on with parts of it no longer working.
    ///
    /// ## What we do
    /// 1. Cordon the node, so that nothing more is put there.
    /// 2. A full table: raise `nf_conntrack_max` at once, then find who opens so many
    ///    connections, and lower the timeouts.
    /// 3. A disk: look at its health, save what is only there, replace it or the machine.
    /// 4. An oops or a panic: keep the lines, restart the machine, look whether all nodes of
    ///    this kernel version have it.
    ///
    /// Do not only restart the kubelet: it will meet the same kernel and the same disk.
    ///
    /// ## How to avoid it
    /// Run the node problem detector, which turns such lines into conditions. Watch the number
    /// of connections against its limit. Roll out kernels node by node.
    ///
    /// ## Sources
    /// Kubernetes documentation, "Monitor Node Health"; Linux kernel documentation,
    /// "Netfilter Conntrack Sysfs variables" and "Softlockup detector and hardlockup detector".
    id: "node-kernel-fault",
    mechanisms: {
        "connection-table-full": "its kernel has no room for further connections and drops packets",
        "file-system-read-only": "its kernel made a file system read-only after an error",
        "disk-hangs": "its disk does not answer, and tasks hang",
        "kernel-failed": "its kernel failed",
        "hardware-failed": "its hardware reports errors",
    },
    reads: [Node, Event, Pod],
    leads_to: [
        "node-flapping",
        "node-network-degraded",
        "node-not-ready",
        "node-runtime-hung",
        "node-unknown",
        "pod-crash-looping",
        "pod-probe-failing",
        "pod-probe-failing-node-loaded",
        "pod-sandbox-failing",
        "pod-volume-mount-failing",
        "service-unreachable-by-client",
        "service-without-endpoints",
        "workload-dependency-failing",
    ],
    detect: Nodes(detect),
    exposed: exposed,
    remedy: remedy,
    prevent: prevent,
    rehearse: rehearse,
}

/// What lines mean, the more telling ones first: a disk that fails makes tasks hang and then
/// its file system read-only.
const MEANINGS: [(&[&str], &str); 5] = [
    (wording::HARDWARE_FAILED, "hardware-failed"),
    (wording::FILE_SYSTEM_SHUT, "file-system-read-only"),
    (wording::KERNEL_FAILED, "kernel-failed"),
    (wording::DISK_HANGS, "disk-hangs"),
    (wording::CONNECTION_TABLE_FULL, "connection-table-full"),
];

/// Logs in which the kernel speaks.
const KERNEL_LOGS: [&str; 3] = ["kernel", "journal", "dmesg"];

fn detect(node: &Node, now: &Snapshot, findings: &mut Findings) {
    let well = node.ready() == Some(Truth::True);
    let of_kernel = |s: &&Sign<'_>| match s.source {
        // What a kernel said stays in its log after it is over; its end speaks of now.
        Source::Log => KERNEL_LOGS.contains(&s.reason) && (s.is_tail || !well),
        Source::Event | Source::Condition => s.reason != "Ready" && s.is_current(node, now),
    };
    let all = signs::of(node, now);
    let told: Vec<&Sign<'_>> = all.iter().filter(of_kernel).collect();
    let found = MEANINGS.iter().find_map(|(words, mechanism)| {
        let said: Vec<&&Sign<'_>> = told.iter().filter(|s| s.says(words)).collect();
        (!said.is_empty()).then_some((*mechanism, said))
    });
    let Some((mechanism, said)) = found else { return };
    let name = &node.meta.name;
    let headline = format!("node {name}: {}", KIND.meaning(mechanism));
    let mut finding = Finding::new(KIND.id, mechanism, node.meta.object(Kind::Node), headline)
        .since(signs::since(said.iter().map(|s| **s)))
        .evidence(said.iter().rev().take(3).filter_map(|s| s.evidence()))
        .impact(Impact { nodes: 1, ..Impact::default() });
    // A task may hang for a while and go on, and a kernel may survive an oops.
    let lasts = matches!(mechanism, "connection-table-full" | "file-system-read-only");
    if well && !lasts {
        finding = finding.state(State::Suspected);
    }
    if mechanism == "disk-hangs" {
        let look = format!("ssh {name} 'dmesg -T | tail -50; cat /proc/pressure/io'");
        finding = finding.unsure(Certainty::Likely, &["kernel-failed"], look);
    }
    findings.push(super::affected_pods(finding, node, now));
}

/// The kernel of a machine is no object of the API.
fn exposed(_: &Snapshot, _: &mut Vec<Gap>) {}

fn remedy(finding: &Finding, _: &Snapshot) -> Remedy {
    let node = &finding.object.name;
    let on = |command: &str| super::on_host(node, command);
    let mut next = vec![Step::change(
        "Keep new pods away",
        format!("kubectl cordon {node}"),
        format!("kubectl uncordon {node}"),
    )];
    if finding.mechanism == "connection-table-full" {
        next.push(Step::look(
            "See how full the table is, and who fills it",
            on("sysctl net.netfilter.nf_conntrack_count net.netfilter.nf_conntrack_max; \
                conntrack -L | grep -o \"src=[0-9.]*\" | sort | uniq -c | sort -n | tail"),
        ));
        next.push(Step::advice(
            "Raise net.netfilter.nf_conntrack_max (kube-proxy: conntrack.maxPerCore) and mend \
             who opens so many connections",
        ));
    } else {
        next.push(Step::look(
            "Read what the kernel says, and keep it: it is gone after a restart",
            on("dmesg -T | tail -200"),
        ));
        next.push(Step {
            what: "Move its pods away, then restart or replace the machine".into(),
            command: Some(format!("kubectl drain {node} --ignore-daemonsets")),
            risk: Risk::Disruptive,
            undo: Some(format!("kubectl uncordon {node}")),
        });
    }
    let do_not = match finding.mechanism {
        "connection-table-full" => {
            "Do not delete all entries of the table: every open connection of the node breaks"
        }
        "file-system-read-only" => {
            "Do not mount it for writing again before the disk was checked: data can be lost"
        }
        _ => "Do not only restart the kubelet: it will meet the same kernel and the same disk",
    };
    Remedy { next, do_not: vec![do_not.into()] }
}

fn prevent(_: &Gap, _: &Snapshot) -> Option<Patch> {
    None
}

fn rehearse() -> Option<Scenario> {
    Some(Scenario {
        story: "The disk of one node stops answering, and its kernel says so.",
        acts: vec![(30, Act::Unmodelled("the kernel of a node reports tasks that hang"))],
        found_within_seconds: 300,
    })
}

#[cfg(test)]
mod tests {
    use super::super::testing::{event, node, with_condition};
    use super::KIND;
    use crate::testing::{check, lines, snapshot};

    #[track_caller]
    fn dmesg(ready: &str, told: &[&str], want: &[&str]) {
        let yaml = node("a", ready, "");
        let mut now = snapshot(yaml.trim_end_matches("---\n"));
        now.logs.push(model::LogLines {
            name: "a".into(),
            namespace: "".into(),
            container: "".into(),
            unit: "kernel".into(),
            previous: false,
            lines: told.iter().map(|l| (*l).to_owned()).collect(),
            document: 0,
        });
        assert_eq!(lines(&KIND, &now), want, "{told:?}");
    }

    #[test]
    fn lines_of_the_kernel_are_understood() {
        let full = "[812.1] nf_conntrack: nf_conntrack: table full, dropping packet";
        dmesg("True", &[full], &["connection-table-full node/a Proven Active"]);
        let shut = "[99.2] EXT4-fs (vdb1): Remounting filesystem read-only";
        dmesg("True", &[shut], &["file-system-read-only node/a Proven Active"]);
        let hung = "[77.3] INFO: task containerd:811 blocked for more than 120 seconds.";
        dmesg("False", &[hung], &["disk-hangs node/a Likely Active"]);
        dmesg("True", &[hung], &["disk-hangs node/a Likely Suspected"]);
        // The error of the disk tells more than those who hang on it.
        dmesg("False", &[hung, shut], &["file-system-read-only node/a Proven Active"]);
        let oops = "[5.1] BUG: unable to handle page fault for address: ffffc0de";
        dmesg("Unknown", &[oops], &["kernel-failed node/a Proven Active"]);
        let check = "[5.1] mce: [Hardware Error]: CPU 3: Machine Check Exception: 5 Bank 6";
        dmesg("Unknown", &[check], &["hardware-failed node/a Proven Active"]);
    }

    #[test]
    fn the_problem_detector_is_heard() {
        let hung = event("a", "TaskHung", "INFO: task dockerd:2 blocked for more than 120s", 4);
        let yaml = node("a", "False", "") + &hung;
        check(&KIND, &yaml, &["disk-hangs node/a Likely Active"]);
        let shut = "EXT4-fs error (device sda1): Remounting filesystem read-only";
        let yaml = with_condition(&node("a", "True", ""), "ReadonlyFilesystem", "True", shut);
        check(&KIND, &yaml, &["file-system-read-only node/a Proven Active"]);
    }

    #[test]
    fn other_lines_are_quiet() {
        let plain = "[1.0] eth0: link becomes ready";
        dmesg("True", &[plain], &[]);
        // Long ago in the log of a machine that is well.
        let full = "[8.1] nf_conntrack: table full, dropping packet";
        let mut told = vec![full];
        told.extend([plain; 40]);
        dmesg("True", &told, &[]);
        check(&KIND, &node("a", "False", "PLEG is not healthy"), &[]);
    }
}
