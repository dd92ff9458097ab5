//! Why a node is not ready: read from its conditions, its events and, where somebody looked,
//! from the state of its system units. Shared by all kinds about lost nodes.

use model::record::Node;
use model::{Certainty, Condition, Evidence, Kind, ObjectRef, Snapshot, Truth, UnitState};

use crate::evidence;
use crate::wording::{self, says};

/// The mechanism behind a node's state.
pub(super) struct Cause {
    pub(super) mechanism: &'static str,
    pub(super) certainty: Certainty,
    pub(super) alternatives: &'static [&'static str],
    pub(super) evidence: Vec<Evidence>,
}

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
        Truth::False => from_message(ready),
        _ => from_silence(node, ready, now),
    };
    cause.evidence.insert(0, evidence::condition(node.meta.source, &object, ready));
    Some(cause)
}

/// The unit that somebody saw stopped on this node, with what that means.
fn stopped_unit<'s>(node: &Node, now: &'s Snapshot) -> Option<(&'static str, &'s UnitState)> {
    let here = now.units.iter().filter(|u| u.node == node.meta.name && !u.active);
    here.filter_map(|u| match u.unit.as_str() {
        "kubelet" => Some(("kubelet-down", u)),
        unit if wording::RUNTIME_UNITS.contains(&unit) => Some(("runtime-down", u)),
        _ => None,
    })
    // A stopped runtime takes the kubelet's readiness with it: it is the deeper cause.
    .max_by_key(|(mechanism, _)| *mechanism == "runtime-down")
}

/// Fragments of the Ready condition's message and what they mean.
const MESSAGES: [(&[&str], &str); 5] = [
    (wording::RUNTIME_DOWN, "runtime-down"),
    (wording::NETWORK_PLUGIN_DOWN, "network-plugin-down"),
    (wording::CERTIFICATE, "certificate-expired"),
    (wording::DISK_FULL, "disk-full"),
    (&["pid", "cannot fork", "resource temporarily unavailable"], "pid-exhausted"),
];

/// The kubelet answers and says why it is not ready.
fn from_message(ready: &Condition) -> Cause {
    let stated = MESSAGES.iter().find(|(words, _)| says(ready.message(), words));
    let (mechanism, certainty, alternatives): (_, _, &[&str]) = match stated {
        Some((_, mechanism)) => (*mechanism, Certainty::Proven, &[]),
        None => ("kubelet-down", Certainty::Possible, &["runtime-down", "network-plugin-down"]),
    };
    Cause { mechanism, certainty, alternatives, evidence: Vec::new() }
}

/// The kubelet says nothing any more: only what came before it can tell.
fn from_silence(node: &Node, ready: &Condition, now: &Snapshot) -> Cause {
    let object = node.meta.object(Kind::Node);
    let silent_since = ready.since.or(ready.heartbeat);
    let before = |reason: &str| last_event(&object, reason, silent_since, now);
    let pressure = |kind: &str| {
        // A silent kubelet turns all conditions Unknown; one that still says True is older.
        node.condition(kind).filter(|c| c.status == Truth::True)
    };
    let by_event = |mechanism, fact| Cause {
        mechanism,
        certainty: Certainty::Likely,
        alternatives: &["kubelet-down"],
        evidence: vec![fact],
    };
    if let Some(fact) = before("SystemOOM").or_else(|| before("OOMKilling")) {
        return by_event("memory-exhausted", fact);
    }
    if let Some(c) = pressure("PIDPressure") {
        return by_event("pid-exhausted", evidence::condition(node.meta.source, &object, c));
    }
    if let Some(c) = pressure("DiskPressure") {
        return by_event("disk-full", evidence::condition(node.meta.source, &object, c));
    }
    if let Some(fact) = own_certificate(node, now).or_else(|| refused_by_server(now)) {
        return Cause {
            mechanism: "certificate-expired",
            certainty: Certainty::Likely,
            alternatives: &["kubelet-down"],
            evidence: vec![fact],
        };
    }
    let answers = now.units.iter().any(|u| u.node == node.meta.name);
    let alternatives: &[&str] =
        if answers { &["network-cut"] } else { &["host-down", "network-cut"] };
    let certainty = if answers { Certainty::Likely } else { Certainty::Possible };
    Cause { mechanism: "kubelet-down", certainty, alternatives, evidence: Vec::new() }
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
