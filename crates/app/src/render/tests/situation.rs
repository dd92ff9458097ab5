//! A hand-made diagnosis: a node whose runtime is down, the Service that has no endpoints
//! because of it, a protection that was missing, and an unrelated note.

use model::{
    Blind, Builder, Certainty, Detect, Edge, Evidence, Factor, FailureKind, Finding, Forecast,
    Impact, Incident, Kind, Mechanism, Member, ObjectRef, Remedy, Risk, Role, RuledOut, Severity,
    Situation, Snapshot, Stale, State, Step, Timestamp, Verdict,
};

use crate::views::{self, Diagnosis, InputDocument, Skipped, Source};

const NOW: i64 = 1_772_359_200; // 2026-03-01T10:00:00Z

const fn kind(
    id: &'static str,
    page: &'static str,
    mechanisms: &'static [Mechanism],
    leads_to: &'static [&'static str],
) -> FailureKind {
    FailureKind {
        id,
        also: &[],
        page,
        mechanisms,
        reads: &[Kind::Node, Kind::Pod],
        leads_to,
        detect: Detect::Cluster(|_, _| {}),
        exposed: |_, _| {},
        remedy,
        prevent: |_, _| None,
        rehearse: || None,
    }
}

pub(super) const NODE_DOWN: FailureKind = kind(
    "node-down",
    " # A node does not answer\n\n ## Signs\n The node is there and does not answer, and this \
     sentence is long enough that it must\n be wrapped.\n\n ## What we do\n 1. Look at the runtime \
     first, since it is what most often hangs, and then at the kubelet.\n 2. Restart it.\n\n \
     ```\n systemctl restart runtime\n ```\n - no order here\n",
    &[
        Mechanism { id: "runtime-down", meaning: "its container runtime does not answer" },
        Mechanism { id: "host-down", meaning: "its machine is off" },
    ],
    &["no-pods"],
);

pub(super) const NO_PODS: FailureKind =
    kind("no-pods", " # A Service has no pods\n", &[], &["node-down"]);

fn remedy(finding: &Finding, _: &Snapshot) -> Remedy {
    let node = &finding.object.name;
    Remedy {
        next: vec![
            Step::look("Look at the runtime", format!("ssh {node} journalctl -u containerd")),
            Step::change(
                "Take the node out of service until it answers again, so that nothing new lands \
                 on it",
                format!(
                    "kubectl cordon {node} --field-manager=somebody-with-a-long-name \
                         --selector=kubernetes.io/os=linux"
                ),
                format!("kubectl uncordon {node}"),
            ),
            Step::advice("Replace the machine").risk(Risk::Destructive),
        ],
        do_not: vec!["Do not restart all nodes at once: what breaks them moves on".into()],
    }
}

fn at(seconds_ago: i64) -> Timestamp {
    Timestamp::from_seconds(NOW - seconds_ago)
}

fn fact(object: &ObjectRef, field: &str, value: &str) -> Evidence {
    let at = Some(at(190));
    Evidence { document: 0, object: object.clone(), field: field.into(), value: value.into(), at }
}

fn main_incident(untrusted: &str) -> Incident {
    let node = ObjectRef::new(Kind::Node, "", "worker-1");
    let service = ObjectRef::new(Kind::Service, "shop", "checkout");
    let mut cause = Finding::new(
        "node-down",
        "runtime-down",
        node.clone(),
        format!("node worker-1 is not ready: its container runtime does not answer{untrusted}"),
    )
    .field("status.conditions[Ready]", format!("False{untrusted}"), "True")
    .since(Some(at(200)))
    .unsure(Certainty::Likely, &["host-down"], "ssh worker-1 uptime")
    .evidence([
        fact(
            &node,
            "status.conditions[Ready].message",
            &format!(
                "PLEG is not healthy: pleg was \
            last seen active 3m7s ago; threshold is 3m0s, and so on for long{untrusted}"
            ),
        ),
        fact(&node, "event/NodeNotReady", "Node worker-1 status is now: NodeNotReady"),
    ])
    .affects(ObjectRef::new(Kind::Deployment, "shop", "checkout"), "3 of 3 replicas unavailable");
    cause.factors.push(Factor {
        failure: "limits-missing",
        object: node,
        role: Role::Gap,
        why: "no memory is kept for the system".into(),
    });
    cause.forecast.push(Forecast {
        what: format!("pods of worker-1 will be deleted{untrusted}"),
        at: at(-100),
    });
    let effect = Finding::new(
        "no-pods",
        "no-ready-pods",
        service.clone(),
        "Service shop/checkout has no ready endpoints",
    )
    .since(Some(at(150)))
    .evidence([fact(&service, "endpoints", &format!("0 ready, 3 not{untrusted}"))]);
    Incident {
        id: "i-00000001".into(),
        state: State::Active,
        severity: Severity::Page,
        members: vec![
            Member { finding: cause, role: Role::Trigger },
            Member { finding: effect, role: Role::Symptom },
        ],
        edges: vec![Edge { cause: 0, effect: 1, why: "runs on" }],
        impact: Impact { services: 1, nodes: 1, replicas: 3 },
    }
}

fn note() -> Incident {
    let pod = ObjectRef::new(Kind::Pod, "tools", "old");
    let finding = Finding::new("pod-old", "left-over", pod, "pod tools/old restarts every hour")
        .state(State::Recovered);
    Incident {
        id: "i-00000002".into(),
        state: State::Recovered,
        severity: Severity::Note,
        members: vec![Member { finding, role: Role::Trigger }],
        edges: vec![],
        impact: Impact::default(),
    }
}

fn of(situation: &Situation, untrusted: &str) -> Diagnosis {
    let document = InputDocument {
        name: format!("dump/a/rather/deep/folder/that/somebody/made/once/nodes.json{untrusted}"),
        format: "json".into(),
        objects: 2,
        events: 1,
        lines: 0,
        skipped: 1,
    };
    let skipped = Skipped {
        document: "dump/broken.json".into(),
        line: 7,
        why: format!("this is no JSON{untrusted}"),
    };
    let source = Source { documents: vec![document], skipped: vec![skipped], ..Source::default() };
    let now = Builder::default().finish(Some(Timestamp::from_seconds(NOW)));
    views::diagnosis(situation, &now, source, &[&NODE_DOWN, &NO_PODS])
}

/// The diagnosis with this text in every place that evidence can write to.
pub(super) fn with(untrusted: &str) -> Diagnosis {
    let object = ObjectRef::new(Kind::Node, "", "worker-2");
    let situation = Situation {
        verdict: Verdict::Broken,
        incidents: vec![main_incident(untrusted), note()],
        ruled_out: vec![RuledOut {
            failure: "node-down",
            object,
            why: format!("not ready at 09:10, ready since 09:12{untrusted}"),
        }],
        stale: vec![Stale {
            what: format!("12 warnings{untrusted}"),
            why: "their objects are healthy now".into(),
        }],
        blind: vec![Blind {
            what: format!("events of namespace shop{untrusted}"),
            why: "not in the input".into(),
            ask: "kubectl get events -n shop".into(),
        }],
    };
    of(&situation, untrusted)
}

/// The diagnosis.
pub(super) fn view() -> Diagnosis {
    with("")
}

/// A diagnosis that found nothing.
pub(super) fn without_incidents(verdict: Verdict) -> Diagnosis {
    let situation =
        Situation { verdict, incidents: vec![], ruled_out: vec![], stale: vec![], blind: vec![] };
    of(&situation, "")
}
