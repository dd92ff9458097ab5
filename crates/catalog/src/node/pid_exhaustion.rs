//! `node-pid-exhaustion`: no further process can be started on a node, or in a pod.

mod defunct;
mod signs;

use model::{
    Act, Certainty, Evidence, Factor, Finding, Findings, Gap, Impact, Kind, ObjectRef, Patch,
    Remedy, Role, Scenario, Snapshot, State, Step, Truth,
};

use super::complaints::{self, Complaint};
use crate::evidence;
use crate::listening;
use crate::observability::resource_alerts_missing::{self, Resource};
use crate::wording::between;
use defunct::Pile;
use signs::Signs;

failure! {
    /// # No further process can be started
    ///
    /// ## Signs
    /// The node has PIDPressure. Programs and runtimes say "fork: resource temporarily
    /// unavailable", "cannot fork", "unable to create new native thread"; the kernel says "fork
    /// rejected by pids controller". `ps` shows thousands of `<defunct>` processes.
    ///
    /// ## Why it happens
    /// A machine has a bounded number of process numbers (32,768 on many), and every thread
    /// takes one. A `<defunct>` process has ended but keeps its number until its parent takes
    /// note of it. A container whose first process is an ordinary program does not do that for
    /// children it did not start itself: every exec probe that starts a shell with a command in
    /// it may leave one behind, and after days the node is full of them. A service that starts
    /// threads without bound does the same in minutes.
    ///
    /// ## What we do
    /// 1. See who the parent of the defunct processes is, or which command runs most often, and
    ///    to which pod it belongs.
    /// 2. Restart that pod: its defunct processes go with it.
    /// 3. Mend it: an init that reaps (`tini`, `shareProcessNamespace: true`), a probe without
    ///    a shell, a bound for threads.
    ///
    /// Do not reboot the node before the parent is known: it will fill up again.
    ///
    /// ## How to avoid it
    /// `podPidsLimit` in the kubelet's configuration, so that one pod cannot take all; probes
    /// by HTTP, TCP or gRPC; an alert on the number of processes.
    ///
    /// ## Sources
    /// Kubernetes documentation, "Process ID limits and reservations"; Linux manual, "wait(2)"
    /// on zombies.
    id: "node-pid-exhaustion",
    mechanisms: {
        "defunct-processes": "ended processes pile up because their parent does not reap them",
        "pod-limit": "a pod has as many processes as it may have",
        "too-many-processes": "its processes have used up the numbers there are",
    },
    reads: [Node, Pod, Event, Deployment, StatefulSet, DaemonSet],
    leads_to: [
        "node-not-ready",
        "node-overloaded",
        "node-pleg-stalled",
        "node-runtime-hung",
        "node-unknown",
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

/// Numbers that many machines have; above nine tenths of it any of them is about to end.
const USUAL_NUMBERS: u32 = 32_768;

fn detect(now: &Snapshot, findings: &mut Findings) {
    for signs in signs::all(now) {
        let pile = defunct::pile(signs.name, now);
        let by_machine = !signs.pressure.is_empty()
            || !signs.refused.is_empty()
            || !signs.by_runtime.is_empty()
            || complaints::objects(&signs.by_program).len() > 1;
        if let Some(pile) = pile {
            findings.push(of_pile(&signs, &pile, by_machine, now));
        } else if by_machine {
            findings.push(of_machine(&signs, now));
        } else if let Some(finding) = of_pod(&signs, now) {
            findings.push(finding);
        }
    }
}

/// The machine's node, or what complains first where that is not known.
fn machine(signs: &Signs<'_>) -> ObjectRef {
    let first = signs.by_runtime.iter().chain(&signs.by_program).next();
    match (signs.name, first) {
        ("", Some(complaint)) => complaint.object.clone(),
        (name, _) => ObjectRef::new(Kind::Node, "", name),
    }
}

fn of_pile(signs: &Signs<'_>, pile: &Pile<'_>, acute: bool, now: &Snapshot) -> Finding {
    let node = ObjectRef::new(Kind::Node, "", signs.name);
    let whose = match (pile.parent_command, pile.parent) {
        ("", 0) => String::new(),
        ("", number) => format!(" of process {number}"),
        (command, number) => format!(" of {command} (process {number})"),
    };
    let what = if pile.command.is_empty() { String::new() } else { format!(" {}", pile.command) };
    let said = format!("{}{what} processes have ended and were not reaped{whose}", pile.count);
    let source = defunct::source(signs.name, pile.command, now);
    let headline = match source {
        Some((app, c, field)) => {
            format!("node {node}: {said}; the {field} of {} in {} starts them", c.name, app.object)
        }
        None => format!("node {node}: {said}"),
    };
    let object = source.map_or_else(|| node.clone(), |(app, ..)| app.object.clone());
    let mut finding = Finding::new(KIND.id, "defunct-processes", object, headline)
        .evidence([evidence::field(pile.document, &node, "ps", said)]);
    if let Some((_, container, field)) = source {
        let path = format!("spec.template.spec.containers[{}].{field}.exec", container.name);
        finding = finding.field(path, pile.command, "a check without a shell, or an init").unsure(
            Certainty::Likely,
            &["too-many-processes"],
            super::on_host(signs.name, "ps -eo ppid,stat,comm | grep -w Z | sort | uniq -c"),
        );
        finding.factors.push(Factor {
            failure: "exec-probe-frequent",
            object: finding.object.clone(),
            role: Role::Contributing,
            why: "each run of the probe may leave a process behind".into(),
        });
    }
    let near = signs.tasks.is_some_and(|(total, _)| total >= USUAL_NUMBERS / 10 * 9);
    let finding = with_signs(finding, signs, now);
    let finding = finding.affects(node, format!("{} process numbers taken", pile.count));
    if acute || near { finding } else { finding.state(State::Suspected) }
}

/// The machine has no process left, whoever took them.
fn of_machine(signs: &Signs<'_>, now: &Snapshot) -> Finding {
    let object = machine(signs);
    let place = match signs.name {
        "" => format!("the node of {object}"),
        name => format!("node {name}"),
    };
    let most = signs::most(signs.name, now).filter(|(_, count)| *count >= 100);
    let most = most.map(|(command, count)| format!("; {count} are {command}")).unwrap_or_default();
    let total = signs.tasks.map(|(total, _)| format!(" ({total} tasks{most})")).unwrap_or_default();
    let headline = format!("{place} can start no further process{total}");
    let finding = Finding::new(KIND.id, "too-many-processes", object.clone(), headline);
    let finding = with_signs(finding, signs, now);
    let finding = match object.kind {
        Kind::Node => finding.affects(object, "no further process can be started"),
        _ => finding,
    };
    if !signs.pressure.is_empty() {
        return finding.field("status.conditions[PIDPressure]", "True", "False");
    }
    let look = super::on_host(signs.name, "ps -eLf | wc -l; cat /proc/sys/kernel/pid_max");
    finding.unsure(Certainty::Likely, &["pod-limit"], look)
}

/// One pod has reached what it may have; the machine has not.
fn of_pod(signs: &Signs<'_>, now: &Snapshot) -> Option<Finding> {
    let complaint = signs.by_program.first();
    let object = match (complaint, signs.pod_bound.is_empty()) {
        (Some(complaint), _) => complaint.object.clone(),
        (None, false) => ObjectRef::new(Kind::Node, "", signs.name),
        (None, true) => return None,
    };
    let told = !signs.pod_bound.is_empty();
    let headline = match complaint {
        Some(_) => format!("{object} can start no further process"),
        None => format!("a pod on node {object} has as many processes as it may have"),
    };
    let sure = if told { Certainty::Likely } else { Certainty::Possible };
    let look = match complaint.and_then(|c| c.app) {
        Some(app) => {
            let target = app.object.for_kubectl();
            format!(
                "kubectl exec {target} -- cat /sys/fs/cgroup/pids.current /sys/fs/cgroup/pids.max"
            )
        }
        None => super::on_host(signs.name, "ps -eLf | wc -l; cat /proc/sys/kernel/pid_max"),
    };
    let finding = Finding::new(KIND.id, "pod-limit", object, headline);
    Some(with_signs(finding, signs, now).unsure(sure, &["too-many-processes"], look))
}

/// What all findings of this kind tell: signs, who suffers, since when.
fn with_signs(finding: Finding, signs: &Signs<'_>, now: &Snapshot) -> Finding {
    let said = signs.pressure.iter().chain(&signs.refused).chain(&signs.pod_bound);
    let facts: Vec<Evidence> = said.clone().take(3).filter_map(|s| s.evidence()).collect();
    let pods = || signs.by_runtime.iter().chain(&signs.by_program);
    let firsts = said.filter_map(|s| s.first).chain(pods().filter_map(|c| c.first));
    let mut finding = finding
        .since(firsts.min())
        .evidence(facts)
        .evidence(pods().take(3).map(|c: &Complaint<'_>| c.evidence.clone()));
    if let Some((total, document)) = signs.tasks {
        let node = ObjectRef::new(Kind::Node, "", signs.name);
        finding.evidence.push(evidence::field(document, &node, "tasks", total.to_string()));
    }
    finding.factors.extend(resource_alerts_missing::factor(Resource::Processes, now));
    let unready = signs.node.and_then(|n| n.ready()).is_some_and(|r| r != Truth::True);
    let mut replicas = 0_u32;
    let mut seen: Vec<&ObjectRef> = Vec::new();
    for complaint in pods() {
        if seen.contains(&&complaint.object) {
            continue;
        }
        seen.push(&complaint.object);
        replicas = replicas.saturating_add(complaint.app.map_or(1, |a| a.lost_replicas().max(1)));
        finding = finding.affects(complaint.object.clone(), "its processes cannot be started");
    }
    let nodes = u32::from(unready);
    let finding = finding.impact(Impact { nodes, replicas, ..Impact::default() });
    match signs.node {
        Some(node) if replicas == 0 && !signs.pressure.is_empty() => {
            super::affected_pods(finding, node, now)
        }
        _ => finding,
    }
}

/// Probes that start a command every few seconds.
fn exposed(now: &Snapshot, gaps: &mut Vec<Gap>) {
    for app in now.apps.iter().filter(|a| a.workload.is_some() && a.shows_spec()) {
        for container in app.spec().into_iter().flat_map(|s| s.containers.iter()) {
            for (field, probe) in listening::probes(container) {
                let often = probe.period_seconds.is_some_and(|s| s < 5);
                if probe.exec.is_some() && often {
                    gaps.push(Gap {
                        failure: KIND.id,
                        object: app.object.clone(),
                        field: format!("containers[{}].{field}.periodSeconds", container.name),
                        why: "each run of its command may leave a process behind".into(),
                    });
                }
            }
        }
    }
}

fn remedy(finding: &Finding, now: &Snapshot) -> Remedy {
    let object = &finding.object;
    let nodes = finding.affected.iter().map(|a| &a.object).filter(|o| o.kind == Kind::Node);
    let node = nodes.chain([object]).find(|o| o.kind == Kind::Node).map(|o| o.name.as_str());
    let look = "ps -eLo ppid,stat,comm --sort=ppid | sort | uniq -c | sort -rn | head";
    let mut next = vec![match node {
        Some(name) => Step::look("See which parent has the most", super::on_host(name, look)),
        None => Step::advice(format!("See on its node which parent has the most: {look}")),
    }];
    if now.app(object).is_some_and(|a| a.object.kind != Kind::Pod) {
        next.push(Step {
            what: format!("Restart {object}: what its processes left goes with them"),
            command: Some(format!("kubectl rollout restart {}", object.for_kubectl())),
            risk: model::Risk::Disruptive,
            undo: None,
        });
    } else if signs::is_read(object, now) {
        next.push(Step::change(
            "Keep new pods away meanwhile",
            format!("kubectl cordon {}", object.name),
            format!("kubectl uncordon {}", object.name),
        ));
        next.push(Step::advice("Restart the pod whose processes they are"));
    }
    next.push(Step::advice(
        "Mend the parent: an init that reaps, a probe without a shell, a bound for threads",
    ));
    Remedy {
        next,
        do_not: vec!["Do not reboot the node before the parent is known: it fills up again".into()],
    }
}

fn prevent(gap: &Gap, _: &Snapshot) -> Option<Patch> {
    let name = between(&gap.field, "containers[", "]")?;
    let probe = between(&gap.field, "].", ".")?;
    let body = format!(
        "spec:\n  template:\n    spec:\n      containers:\n      - name: {name}\n        \
         {probe}: {{periodSeconds: 10}}\n"
    );
    let templated = !matches!(gap.object.kind, Kind::Pod | Kind::CronJob);
    templated.then(|| Patch { object: gap.object.clone(), body })
}

fn rehearse() -> Option<Scenario> {
    let act = "The readiness probe of shop/cart leaves one defunct process on its node a second.";
    Some(Scenario {
        story: "A probe leaves a defunct process behind each time, until a node has no numbers.",
        acts: vec![(30, Act::Unmodelled(act))],
        found_within_seconds: 600,
    })
}

#[cfg(test)]
mod tests;
