//! `pod-terminating-stuck`: a pod is being deleted and does not go.

use model::record::{ClusterEvent, Pod};
use model::{
    Act, App, Certainty, Evidence, Finding, Findings, Gap, Impact, Kind, ObjectRef, Patch, Remedy,
    Risk, Role, Scenario, Snapshot, State, Step, Truth,
};

use crate::evidence;
use crate::wording::{self, says};

failure! {
    /// # A pod is being deleted and does not go
    ///
    /// ## Signs
    /// The pod shows `Terminating` long after its grace period: its `deletionTimestamp`, which
    /// is the end of that period, lies minutes or days back.
    ///
    /// ## Why it happens
    /// A pod is gone when its kubelet says that its containers have ended, and when every
    /// finalizer on it was taken off by whoever put it on. So it stays when its node is lost
    /// (nobody can say that the containers have ended), when a finalizer's owner is gone, when
    /// the runtime cannot kill a container, or when a volume cannot be unmounted.
    ///
    /// A StatefulSet waits for the old pod before it makes the new one, because two of them
    /// could write to one disk. A Deployment makes a new one at once.
    ///
    /// ## What we do
    /// 1. Is its node ready? If not, the node is the cause.
    /// 2. Has it finalizers? Find their owner; it must run to take them off.
    /// 3. Otherwise look at the kubelet and the runtime of its node.
    /// 4. Force a deletion only when the machine is known to be off, or the container known to
    ///    have ended. It deletes the record, not the container.
    ///
    /// ## How to avoid it
    /// Remove the objects of an operator before the operator. Use the out-of-service taint for
    /// machines that are off. Handle SIGTERM in programs.
    ///
    /// ## Sources
    /// Kubernetes documentation, "Pod lifecycle", "Finalizers", "Force delete StatefulSet
    /// pods" and "Node shutdowns".
    id: "pod-terminating-stuck",
    mechanisms: {
        "node-lost": "its node is lost, and nobody knows whether it still runs",
        "finalizer-held": "a finalizer on it is not taken off",
        "kill-failing": "the runtime of its node cannot end its containers",
        "volume-busy": "a volume of it cannot be unmounted",
        "kubelet-down": "the kubelet of its node does not say that it ended",
    },
    reads: [Pod, Node, Event, Deployment, StatefulSet, DaemonSet, ReplicaSet],
    leads_to: [
        "pod-volume-mount-failing",
        "service-without-endpoints",
        "statefulset-pod-unknown",
        "statefulset-update-stuck",
        "workload-dependency-failing",
    ],
    detect: Apps(detect),
    exposed: exposed,
    remedy: remedy,
    prevent: prevent,
    rehearse: rehearse,
}

/// How long after its grace period a pod may still be there, in seconds.
const LATE_SECONDS: i64 = 60;

/// Why one pod stays.
struct Why {
    mechanism: &'static str,
    object: ObjectRef,
    edit: (String, String, &'static str),
    certainty: Certainty,
    evidence: Vec<Evidence>,
}

fn detect(app: &App, now: &Snapshot, findings: &mut Findings) {
    let mut found: Vec<Finding> = Vec::new();
    let stuck = app.pods.iter().filter(|p| p.meta.deleting.is_some());
    for pod in stuck {
        let Some(next) = of_pod(app, pod, now) else { continue };
        match found.iter_mut().find(|f| f.object == next.object && f.mechanism == next.mechanism) {
            Some(known) => {
                known.evidence.extend(next.evidence);
                known.since = known.since.into_iter().chain(next.since).min();
            }
            None => found.push(next),
        }
    }
    findings.found.extend(found);
}

fn of_pod(app: &App, pod: &Pod, now: &Snapshot) -> Option<Finding> {
    let deadline = pod.meta.deleting.filter(|t| t.seconds() > 0);
    let late = deadline.map(|t| now.now.since(t));
    // A table says that it is being deleted, not since when.
    if late.is_some_and(|l| l < LATE_SECONDS) {
        return None;
    }
    let why = why(pod, late.is_some(), now)?;
    let object = pod.meta.object(Kind::Pod);
    let past = match late {
        Some(seconds) => format!("{} past its grace period", wording_time(seconds)),
        None => "still being deleted".to_owned(),
    };
    let headline = format!("pod {object} is {past}: {}", KIND.meaning(why.mechanism));
    let (field, value, expected) = why.edit;
    let shown = deadline.map_or("set".to_owned(), |t| t.to_string());
    let fact = evidence::field(pod.meta.source, &object, "metadata.deletionTimestamp", shown);
    let lost = app.lost_replicas();
    let mut finding = Finding::new(KIND.id, why.mechanism, why.object, headline)
        .field(field, value, expected)
        .since(deadline)
        .evidence(why.evidence)
        .evidence([fact])
        .impact(Impact { replicas: lost, ..Impact::default() });
    if why.certainty < Certainty::Proven {
        let look = format!("kubectl describe {}", object.for_kubectl());
        finding = finding.unsure(why.certainty, &["finalizer-held", "kill-failing"], look);
    }
    if why.mechanism == "node-lost" {
        finding.role = Role::Symptom;
    }
    finding = match lost {
        0 => finding.state(State::Suspected),
        n => finding.affects(app.object.clone(), format!("waits for {n} replicas")),
    };
    Some(finding)
}

fn why(pod: &Pod, timed: bool, now: &Snapshot) -> Option<Why> {
    let object = pod.meta.object(Kind::Pod);
    let node = ObjectRef::new(Kind::Node, "", &pod.node);
    let record = now.nodes.get("", &pod.node);
    let ready = record.and_then(|n| n.condition("Ready"));
    if let (Some(record), Some(c)) = (record, ready.filter(|c| c.status != Truth::True)) {
        return Some(Why {
            mechanism: "node-lost",
            edit: (
                "status.conditions[Ready]".into(),
                format!("{:?}", c.status),
                "True, or known to be off",
            ),
            evidence: vec![evidence::condition(record.meta.source, &node, c)],
            object: node,
            certainty: Certainty::Proven,
        });
    }
    if !pod.node.is_empty() && record.is_none() && now.coverage.lists(Kind::Node, "") {
        return Some(Why {
            mechanism: "node-lost",
            edit: ("spec.nodeName".into(), pod.node.to_string(), "a node that exists"),
            evidence: vec![evidence::field(pod.meta.source, &object, "spec.nodeName", &*pod.node)],
            object,
            certainty: Certainty::Proven,
        });
    }
    let finalizers = pod.meta.finalizers();
    if !finalizers.is_empty() {
        let names: Vec<&str> = finalizers.iter().map(|f| f.as_str()).collect();
        let text = names.join(", ");
        let fact = evidence::field(pod.meta.source, &object, "metadata.finalizers", text.clone());
        return Some(Why {
            mechanism: "finalizer-held",
            edit: ("metadata.finalizers".into(), text, "none, taken off by their owner"),
            evidence: vec![fact],
            object,
            certainty: Certainty::Proven,
        });
    }
    told(pod, &object, &node, now).or_else(|| {
        let silent = timed && !pod.node.is_empty();
        silent.then(|| Why {
            mechanism: "kubelet-down",
            edit: ("kubelet".into(), "silent about it".into(), "one that ends its containers"),
            evidence: Vec::new(),
            object: node,
            certainty: Certainty::Possible,
        })
    })
}

/// What the kubelet said about ending it.
fn told(pod: &Pod, object: &ObjectRef, node: &ObjectRef, now: &Snapshot) -> Option<Why> {
    let events = now.events_about(object);
    let kill = |e: &&ClusterEvent| {
        matches!(e.reason.as_str(), "FailedKillPod" | "FailedPreStopHook")
            || says(&e.message, wording::KILL_FAILED)
    };
    let busy = |e: &&ClusterEvent| says(&e.message, wording::VOLUME_BUSY);
    let of = |mechanism, event: &ClusterEvent| {
        let object = if pod.node.is_empty() { object.clone() } else { node.clone() };
        let value: String = event.message.chars().take(160).collect();
        let expected = "containers that end and volumes that are let go";
        Why {
            mechanism,
            edit: ("kubelet".into(), value, expected),
            evidence: evidence::event(event, now).into_iter().collect(),
            object,
            certainty: Certainty::Proven,
        }
    };
    let volume = events.iter().rfind(busy).map(|e| of("volume-busy", e));
    volume.or_else(|| events.iter().rfind(kill).map(|e| of("kill-failing", e)))
}

/// A length of time as people say it.
fn wording_time(seconds: i64) -> String {
    match seconds {
        0..120 => format!("{seconds} s"),
        120..7200 => format!("{} min", seconds / 60),
        7200..172_800 => format!("{} h", seconds / 3600),
        _ => format!("{} days", seconds / 86_400),
    }
}

/// Nothing of an object protects against it.
fn exposed(_: &Snapshot, _: &mut Vec<Gap>) {}

fn remedy(finding: &Finding, now: &Snapshot) -> Remedy {
    let pod = finding.evidence.iter().map(|e| &e.object).find(|o| o.kind == Kind::Pod);
    let pod = pod.cloned().unwrap_or_else(|| finding.object.clone());
    let target = pod.for_kubectl();
    let node = match finding.object.kind {
        Kind::Node => finding.object.name.to_string(),
        _ => finding.value.clone().unwrap_or_else(|| "NODE".into()),
    };
    let exists = now.nodes.get("", &node).is_some();
    let mut next = Vec::new();
    match finding.mechanism {
        "finalizer-held" => {
            next.push(Step::look(
                "See whether the owner of the finalizer runs: its name tells who that is",
                format!("kubectl get {target} -o jsonpath='{{.metadata.finalizers}}'"),
            ));
            next.push(Step {
                what: "Only when the owner is gone for good, and its work is not needed: take the \
                       finalizer off"
                    .into(),
                command: Some(format!(
                    "kubectl patch {target} --type=merge -p \
                     '{{\"metadata\":{{\"finalizers\":null}}}}'"
                )),
                risk: Risk::Destructive,
                undo: None,
            });
        }
        "node-lost" if exists => {
            next.push(Step::look(
                "See why the node is lost",
                format!("kubectl describe node {node}"),
            ));
            next.push(Step {
                what: "When the machine is known to be off: say so, and its pods are let go".into(),
                command: Some(format!(
                    "kubectl taint node {node} \
                     node.kubernetes.io/out-of-service=nodeshutdown:NoExecute"
                )),
                risk: Risk::Disruptive,
                undo: Some(format!("kubectl taint node {node} node.kubernetes.io/out-of-service-")),
            });
        }
        "node-lost" => next.push(Step {
            what: "The node is gone: when its machine is known to be off, remove the record".into(),
            command: Some(format!("kubectl delete {target} --grace-period=0 --force")),
            risk: Risk::Destructive,
            undo: None,
        }),
        _ => next.push(Step::look(
            "See what the kubelet says about it",
            format!("ssh {node} \"journalctl -u kubelet --since -30min | grep {}\"", pod.name),
        )),
    }
    Remedy {
        next,
        do_not: vec![
            "Do not force the deletion while the container may still run: it deletes the record \
             only, and a second copy may write to the same disk"
                .into(),
        ],
    }
}

fn prevent(_: &Gap, _: &Snapshot) -> Option<Patch> {
    None
}

fn rehearse() -> Option<Scenario> {
    Some(Scenario {
        story: "A pod with a finalizer is deleted, and the finalizer's owner is gone.",
        acts: vec![(
            10,
            Act::Unmodelled("pod shop/cart-0 has the finalizer example.com/drain and is deleted"),
        )],
        found_within_seconds: 180,
    })
}

#[cfg(test)]
mod tests;
