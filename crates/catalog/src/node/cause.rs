//! Why a node is not ready: read from its conditions, taints and events, from the logs of its
//! system units and, where somebody looked, from the state of these units. Shared by all kinds
//! about lost nodes.

use model::record::Node;
use model::{
    Certainty, Condition, Evidence, Finding, Kind, ObjectRef, Risk, Snapshot, Step, Truth,
    UnitState,
};

use super::signs::{self, Sign, Source};
use crate::evidence;
use crate::wording::{self, says};

/// The mechanism behind a node's state.
pub(super) struct Cause {
    pub(super) mechanism: &'static str,
    pub(super) certainty: Certainty,
    pub(super) alternatives: &'static [&'static str],
    pub(super) evidence: Vec<Evidence>,
}

/// The controller manager says that it has no range of addresses left for a node.
const NO_RANGE: &str = "CIDRNotAvailable";

/// How long before a node went silent an event can still be the reason, in seconds.
const BEFORE_SECONDS: i64 = 900;

/// Why `node` is not ready, or why it soon will not be.
pub(super) fn of(node: &Node, now: &Snapshot) -> Option<Cause> {
    let object = node.meta.object(Kind::Node);
    let ready = node.condition("Ready");
    let stopped = stopped_unit(node, now);
    if let Some((mechanism, unit)) = stopped {
        let fact = evidence::field(
            unit.document,
            &object,
            format!("systemctl status {}", unit.unit),
            unit.state.clone(),
        );
        let condition = ready.map(|c| evidence::condition(node.meta.source, &object, c));
        return Some(Cause {
            mechanism,
            certainty: Certainty::Proven,
            alternatives: &[],
            evidence: [fact].into_iter().chain(condition).collect(),
        });
    }
    let ready = ready.filter(|c| c.status != Truth::True)?;
    let mut cause = match ready.status {
        Truth::False => from_message(ready, node, now),
        _ => from_silence(node, ready, now),
    };
    cause.evidence.insert(0, evidence::condition(node.meta.source, &object, ready));
    Some(cause)
}

/// The unit that somebody saw stopped on this node, with what that means.
fn stopped_unit<'s>(node: &'s Node, now: &'s Snapshot) -> Option<(&'static str, &'s UnitState)> {
    let here = now.units_of(&node.meta.name).filter(|u| !u.active);
    here.filter_map(|u| match u.unit.as_str() {
        "kubelet" => Some(("kubelet-down", u)),
        unit if wording::RUNTIME_UNITS.contains(&unit) => Some(("runtime-down", u)),
        _ => None,
    })
    // A stopped runtime takes the kubelet's readiness with it: it is the deeper cause.
    .max_by_key(|(mechanism, _)| *mechanism == "runtime-down")
}

/// Fragments of what is said about a node and what they mean, the more telling ones first.
const MESSAGES: [(&[&str], &str); 8] = [
    (wording::RUNTIME_DOWN, "runtime-down"),
    (wording::NETWORK_PLUGIN_DOWN, "network-plugin-down"),
    (wording::CLOCK_SKEW, "clock-skew"),
    (wording::CERTIFICATE, "certificate-expired"),
    (wording::DISK_FULL, "disk-full"),
    (wording::NO_PROCESS, "pid-exhausted"),
    (wording::NODE_MEMORY, "memory-exhausted"),
    (wording::SHUTTING_DOWN, "host-down"),
];

/// What a text means for its node. A certificate that is to begin only later tells of a clock.
fn meaning(text: &str) -> Option<&'static str> {
    if says(text, wording::CERTIFICATE) && text.contains(" is before 2") {
        return Some("clock-skew");
    }
    MESSAGES.iter().find(|(words, _)| says(text, words)).map(|(_, mechanism)| *mechanism)
}

/// The kubelet answers and says why it is not ready.
fn from_message(ready: &Condition, node: &Node, now: &Snapshot) -> Cause {
    if let Some(mechanism) = meaning(ready.message()) {
        let proven = Certainty::Proven;
        // A plugin waits for the node's own range of addresses.
        let no_range = || last_event(&node.meta.object(Kind::Node), NO_RANGE, None, now);
        let told = if mechanism == "network-plugin-down" { no_range() } else { None };
        if let Some(fact) = told {
            let mechanism = "addresses-exhausted";
            return Cause { mechanism, certainty: proven, alternatives: &[], evidence: vec![fact] };
        }
        return Cause { mechanism, certainty: proven, alternatives: &[], evidence: Vec::new() };
    }
    let unsure = Cause {
        mechanism: "kubelet-down",
        certainty: Certainty::Possible,
        alternatives: &["runtime-down", "network-plugin-down"],
        evidence: Vec::new(),
    };
    from_logs(node, now).unwrap_or(unsure)
}

/// The last line of a unit's log that names a known fault.
fn from_logs(node: &Node, now: &Snapshot) -> Option<Cause> {
    let all = signs::of(node, now);
    let logs = all.iter().rev().filter(|s| s.source == Source::Log);
    let told = |s: &Sign<'_>| Some((meaning(s.text)?, s.evidence()?));
    let (mechanism, fact) = logs.clone().find_map(told).or_else(|| {
        let cut = logs.clone().find(|s| s.reason == "kubelet" && s.says(wording::API_UNREACHABLE));
        cut.and_then(|s| Some(("network-cut", s.evidence()?)))
    })?;
    Some(Cause {
        mechanism,
        certainty: Certainty::Likely,
        alternatives: &["kubelet-down"],
        evidence: vec![fact],
    })
}

/// The kubelet says nothing any more: only what came before it, or what others say, can tell.
fn from_silence(node: &Node, ready: &Condition, now: &Snapshot) -> Cause {
    let object = node.meta.object(Kind::Node);
    let silent_since = ready.since.or(ready.heartbeat);
    let before = |reason: &str| last_event(&object, reason, silent_since, now);
    let pressure = |kind: &str| {
        // A silent kubelet turns all conditions Unknown; one that still says True is older.
        node.condition(kind).filter(|c| c.status == Truth::True)
    };
    let by = |mechanism, certainty, fact: Option<Evidence>| Cause {
        mechanism,
        certainty,
        alternatives: if certainty == Certainty::Proven { &[] } else { &["kubelet-down"] },
        evidence: fact.into_iter().collect(),
    };
    if let Some(taint) =
        node.taints.iter().find(|t| t.key.ends_with("cloudprovider.kubernetes.io/shutdown"))
    {
        let fact = evidence::field(node.meta.source, &object, "spec.taints", taint.text());
        return by("host-down", Certainty::Proven, Some(fact));
    }
    if let Some(mechanism) = meaning(ready.message()) {
        return by(mechanism, Certainty::Likely, None);
    }
    if let Some(fact) = before("SystemOOM").or_else(|| before("OOMKilling")) {
        return by("memory-exhausted", Certainty::Likely, Some(fact));
    }
    if let Some(fact) = before("Shutdown").or_else(|| before("NodeShutdown")) {
        return by("host-down", Certainty::Likely, Some(fact));
    }
    for (kind, mechanism) in [
        ("PIDPressure", "pid-exhausted"),
        ("DiskPressure", "disk-full"),
        ("MemoryPressure", "memory-exhausted"),
    ] {
        if let Some(c) = pressure(kind) {
            let fact = evidence::condition(node.meta.source, &object, c);
            return by(mechanism, Certainty::Likely, Some(fact));
        }
    }
    if let Some(fact) = own_certificate(node, now).or_else(|| refused_by_server(now)) {
        return by("certificate-expired", Certainty::Likely, Some(fact));
    }
    from_logs(node, now).unwrap_or_else(|| unheard(node, now))
}

/// Nothing tells why: whoever looked at the machine at least knows that it answers, and a
/// kubelet that runs there is only not heard.
fn unheard(node: &Node, now: &Snapshot) -> Cause {
    let mut units = now.units_of(&node.meta.name).peekable();
    let cause = |mechanism, certainty, alternatives| Cause {
        mechanism,
        certainty,
        alternatives,
        evidence: Vec::new(),
    };
    if units.peek().is_none() {
        let dial = now.dials.iter().find(|d| d.host == node.meta.name);
        return match dial.map(|d| d.connected) {
            Some(true) => cause("kubelet-down", Certainty::Likely, &["network-cut"]),
            Some(false) => cause("host-down", Certainty::Likely, &["network-cut"]),
            None => cause("kubelet-down", Certainty::Possible, &["host-down", "network-cut"]),
        };
    }
    if units.any(|u| u.unit == "kubelet" && u.active) {
        return cause("network-cut", Certainty::Likely, &["certificate-expired"]);
    }
    cause("kubelet-down", Certainty::Likely, &["network-cut"])
}

/// What the node's kubelet says of its certificate.
fn own_certificate(node: &Node, now: &Snapshot) -> Option<Evidence> {
    let kubelet = now.unit_logs(&node.meta.name).filter(|l| l.unit == "kubelet");
    let expired = |line: &&String| {
        says(line, &["certificate has expired"])
            && says(line, &["apiserver", "node status", "lease"])
    };
    kubelet.into_iter().find_map(|log| {
        let line = log.lines.iter().rev().take(1000).find(expired)?;
        let value: String = line.chars().take(300).collect();
        let object = node.meta.object(Kind::Node);
        Some(evidence::field(log.document, &object, "log of kubelet", value))
    })
}

/// What the API server says of a client whose certificate is past its date: it does not say
/// whose, so a silent node is the likely one.
fn refused_by_server(now: &Snapshot) -> Option<Evidence> {
    let of_server = |name: &str| name.starts_with("kube-apiserver") || name == "apiserver";
    let logs = now.logs.iter().filter(|l| of_server(&l.name) || of_server(&l.container));
    let refused =
        |line: &&String| says(line, wording::CLIENT_REFUSED) && says(line, wording::CERTIFICATE);
    logs.into_iter().find_map(|log| {
        let line = log.lines.iter().rev().take(1000).find(refused)?;
        let value: String = line.chars().take(300).collect();
        let server = ObjectRef::component("kube-apiserver");
        Some(evidence::field(log.document, &server, "log", value))
    })
}

fn last_event(
    object: &ObjectRef,
    reason: &str,
    silent_since: Option<model::Timestamp>,
    now: &Snapshot,
) -> Option<Evidence> {
    let events = now.events_about(object).iter().filter(|e| e.reason == reason);
    let near = events.filter(|e| match (evidence::last_time(e, now), silent_since) {
        (Some(at), Some(silent)) => at.since(silent).abs() <= BEFORE_SECONDS,
        _ => true,
    });
    near.last().and_then(|e| evidence::event(e, now))
}

/// A node that a finding is about: its object, or the first that suffers.
pub(super) fn node_of(finding: &Finding) -> &str {
    let affected = finding.affected.iter().map(|a| &a.object);
    let node = std::iter::once(&finding.object).chain(affected).find(|o| o.kind == Kind::Node);
    node.map_or("NODE", |o| o.name.as_str())
}

/// What to look at and what to repair for each mechanism, the look first.
pub(super) fn steps(finding: &Finding, now: &Snapshot) -> Vec<Step> {
    let node = node_of(finding);
    let ssh = |command: &str| format!("ssh {node} {command}");
    let disruptive = |what: &str, command: String| Step {
        what: what.into(),
        command: Some(command),
        risk: Risk::Disruptive,
        undo: None,
    };
    let log = Step::look(
        "Read what its kubelet says",
        ssh("journalctl -u kubelet --since -15min --no-pager"),
    );
    match finding.mechanism {
        "runtime-down" => {
            let unit = super::runtime::unit(now.nodes.get("", node));
            vec![
                Step::look(
                    format!("Look at {unit} on the node"),
                    ssh(&format!("journalctl -u {unit} --since -15min --no-pager")),
                ),
                disruptive(
                    &format!("Restart {unit} when it is down or hangs"),
                    ssh(&format!("sudo systemctl restart {unit}")),
                ),
            ]
        }
        "network-plugin-down" => vec![
            Step::look(
                "Look at the pods of the network plugin on the node",
                format!("kubectl get pods -A -o wide --field-selector spec.nodeName={node}"),
            ),
            Step::look("See whether it left its settings", ssh("ls -l /etc/cni/net.d")),
        ],
        "certificate-expired" => vec![
            Step::look(
                "See until when the kubelet's certificate holds",
                ssh("sudo openssl x509 -noout -dates -in \
                     /var/lib/kubelet/pki/kubelet-client-current.pem"),
            ),
            disruptive(
                "Let it ask for a new one, and approve that",
                ssh("sudo systemctl restart kubelet"),
            ),
            Step::look("See requests that wait for approval", "kubectl get csr"),
        ],
        "clock-skew" => vec![
            Step::look("Compare the clock of the node", ssh("'date -u; timedatectl'")),
            disruptive("Set it, then look why nobody did", ssh("sudo systemctl restart chronyd")),
        ],
        "network-cut" => vec![
            Step::look(
                "See whether the API server is reached from the node",
                ssh("'sudo grep -h server: /etc/kubernetes/*.conf; ip route; ss -tn | grep 6443'"),
            ),
            log,
        ],
        "addresses-exhausted"
        | "disk-full"
        | "pid-exhausted"
        | "memory-exhausted"
        | "host-down" => steps_of_machine(finding.mechanism, node),
        _ => vec![
            log,
            disruptive("Start the kubelet when it is down", ssh("sudo systemctl restart kubelet")),
        ],
    }
}

/// What to look at and what to repair when the machine itself lacks something.
fn steps_of_machine(mechanism: &str, node: &str) -> Vec<Step> {
    let ssh = |command: &str| format!("ssh {node} {command}");
    match mechanism {
        "addresses-exhausted" => vec![
            Step::look(
                "Compare the cluster's range with what each node takes of it",
                "kubectl get nodes -o custom-columns=NAME:.metadata.name,CIDR:.spec.podCIDR; \
                 kubectl get pods -n kube-system -l component=kube-controller-manager -o yaml | \
                 grep cidr",
            ),
            Step::advice(
                "Give nodes a smaller range (--node-cidr-mask-size) or the cluster a further one \
                 (--cluster-cidr); remove nodes that are no longer there",
            ),
        ],
        "disk-full" => vec![
            Step::look(
                "See what takes the space",
                ssh("'df -h; df -i; sudo du -xh -d2 /var/lib /var/log | sort -h | tail'"),
            ),
            Step::advice("Free it there, then restart the kubelet"),
        ],
        "pid-exhausted" => vec![
            Step::look(
                "See whose processes these are, defunct ones too",
                ssh("'ps -eo ppid,stat,comm | sort | uniq -c | sort -n | tail'"),
            ),
            Step::advice("Stop the parent that leaks them; set podPidsLimit"),
        ],
        "memory-exhausted" => vec![
            Step::look(
                "See who was killed and who holds the memory",
                ssh("'dmesg -T | grep -i oom | tail; ps -eo rss,comm --sort=-rss | head'"),
            ),
            Step::advice("Give what holds it a memory limit before its pods come back"),
        ],
        _ => vec![
            Step::look("See whether the machine answers", format!("ping -c 3 {node}")),
            Step::advice("Start it from its console, or replace it"),
        ],
    }
}
