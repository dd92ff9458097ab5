//! Reads "0/N nodes are available: ...", the scheduler's account of why no node will do, in the
//! wordings of all versions. It only says what was said, never which reason counts.

use crate::wording::between;

/// Why a node, or the pod as a whole, was refused.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Reason {
    /// Nodes are cordoned.
    Cordoned,
    /// A taint is not tolerated: its key and value, both empty when they are not said.
    Taint(String, String),
    /// Nodes are not ready.
    NotReady,
    /// Nodes are short of something and say so themselves.
    Pressure,
    /// Node selector or node affinity is not met: the two share one wording.
    Selector,
    /// A port of the node is taken.
    Ports,
    /// Too little is free of a resource.
    Lacks(String),
    /// The node takes no more pods.
    TooManyPods,
    /// Pods it must be beside are not there.
    PodAffinity,
    /// Pods it must not be beside are there.
    AntiAffinity,
    /// One of the two: old versions do not say which.
    PodRules,
    /// The pods cannot be spread as wanted.
    Spread,
    /// A volume is bound to other nodes.
    VolumeNode,
    /// The node takes no more volumes.
    VolumeLimit,
    /// No volume can be had for a claim.
    NoVolume,
    /// A claim is not bound.
    ClaimUnbound,
    /// A claim does not exist.
    ClaimMissing(String),
    /// Anything else, as said.
    Other(String),
}

/// What the scheduler said.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub(crate) struct Refusal {
    /// How many nodes there are.
    pub(crate) nodes: u32,
    /// Reasons with the number of nodes; 0 for a reason that is the pod's own.
    pub(crate) reasons: Vec<(u32, Reason)>,
}

impl Refusal {
    /// Whether a reason was given.
    pub(crate) fn has(&self, test: impl Fn(&Reason) -> bool) -> bool {
        self.reasons.iter().any(|(_, r)| test(r))
    }
}

/// What a message says; `None` when it is not about nodes that will not do.
pub(crate) fn parse(text: &str) -> Option<Refusal> {
    let text = text.split(" preemption:").next().unwrap_or(text);
    if let Some((before, list)) = text.split_once("nodes are available:") {
        let nodes = before.rsplit_once('/').and_then(|(_, n)| n.trim().parse().ok());
        return Some(Refusal { nodes: nodes.unwrap_or(0), reasons: counted(list) });
    }
    let old = ["of the predicates:", "of the following predicates:", "summary on nodes :"];
    if let Some((_, list)) = old.iter().find_map(|mark| text.split_once(mark)) {
        let reasons: Vec<_> = list.split(',').filter_map(predicate).collect();
        let nodes = reasons.iter().map(|(n, _)| *n).max().unwrap_or(0);
        return Some(Refusal { nodes, reasons });
    }
    if text.contains("no nodes available to schedule pods") {
        return Some(Refusal::default());
    }
    let whole = reason(text.trim_end_matches('.'));
    let own = matches!(whole, Reason::ClaimUnbound | Reason::ClaimMissing(_) | Reason::NoVolume);
    own.then(|| Refusal { nodes: 0, reasons: vec![(0, whole)] })
}

/// ` 1 node(s) were unschedulable, 3 Insufficient cpu.` A reason may hold commas itself, so a
/// part that does not begin with a number belongs to the one before.
fn counted(list: &str) -> Vec<(u32, Reason)> {
    let list = list.split(". ").next().unwrap_or(list);
    let list = list.trim().trim_end_matches('.').trim_end();
    let mut parts: Vec<(u32, String)> = Vec::new();
    for part in list.split(", ") {
        let number = part.split_once(' ').and_then(|(n, rest)| Some((n.parse().ok()?, rest)));
        match (number, parts.last_mut()) {
            (Some((count, rest)), _) => parts.push((count, rest.to_owned())),
            (None, Some((_, before))) => {
                before.push_str(", ");
                before.push_str(part);
            }
            (None, None) if part.is_empty() => {}
            (None, None) => parts.push((0, part.to_owned())),
        }
    }
    parts.into_iter().map(|(count, text)| (count, reason(&text))).collect()
}

/// `MatchNodeSelector (3)`: how versions before 1.9 put it.
fn predicate(part: &str) -> Option<(u32, Reason)> {
    let (name, count) = part.trim().trim_end_matches('.').split_once(" (")?;
    let count = count.trim_end_matches([')', '.']).parse().ok()?;
    let reason = match name {
        "MatchNodeSelector" => Reason::Selector,
        "PodToleratesNodeTaints" => Reason::Taint(String::new(), String::new()),
        "PodFitsHostPorts" | "HostPorts" => Reason::Ports,
        "NoVolumeZoneConflict" | "NoVolumeNodeConflict" | "VolumeNodeAffinityConflict" => {
            Reason::VolumeNode
        }
        "MaxVolumeCount" => Reason::VolumeLimit,
        "MatchInterPodAffinity" => Reason::PodRules,
        "NodeUnschedulable" | "CheckNodeUnschedulable" => Reason::Cordoned,
        "NodeNotReady" | "NodeOutOfDisk" | "CheckNodeCondition" => Reason::NotReady,
        "NodeUnderMemoryPressure" | "NodeUnderDiskPressure" => Reason::Pressure,
        other => reason(other),
    };
    Some((count, reason))
}

/// Wordings that stand for one reason each, in the order in which they are looked for.
const WORDINGS: [(&str, Reason); 33] = [
    ("unbound immediate persistentvolumeclaim", Reason::ClaimUnbound),
    ("unbound persistentvolumeclaim", Reason::ClaimUnbound),
    ("find available persistent volumes to bind", Reason::NoVolume),
    ("waiting for ephemeral volume controller", Reason::ClaimUnbound),
    ("bind conflict", Reason::NoVolume),
    ("volume node affinity conflict", Reason::VolumeNode),
    ("persistentvolume's node affinity", Reason::VolumeNode),
    ("no available volume zone", Reason::VolumeNode),
    ("no available disk", Reason::VolumeNode),
    ("disk conflict", Reason::VolumeNode),
    ("exceed max volume count", Reason::VolumeLimit),
    ("max volume count", Reason::VolumeLimit),
    ("free ports for the requested", Reason::Ports),
    ("topology spread constraint", Reason::Spread),
    ("existing pods anti-affinity", Reason::AntiAffinity),
    ("pod affinity/anti-affinity", Reason::PodRules),
    ("pod anti-affinity rules", Reason::AntiAffinity),
    ("pod affinity rules", Reason::PodAffinity),
    ("anti-affinity", Reason::AntiAffinity),
    ("pod's node affinity", Reason::Selector),
    ("node affinity/selector", Reason::Selector),
    ("match node selector", Reason::Selector),
    ("match node affinity", Reason::Selector),
    ("match the requested hostname", Reason::Selector),
    ("match the requested node name", Reason::Selector),
    ("were unschedulable", Reason::Cordoned),
    ("was unschedulable", Reason::Cordoned),
    ("too many pods", Reason::TooManyPods),
    ("insufficient pods", Reason::TooManyPods),
    ("were not ready", Reason::NotReady),
    ("unknown condition", Reason::NotReady),
    ("network unavailable", Reason::NotReady),
    ("pressure", Reason::Pressure),
];

fn reason(text: &str) -> Reason {
    let lower = text.to_ascii_lowercase();
    if lower.contains("persistentvolumeclaim") && lower.contains("not found") {
        let name = between(text, "\"", "\"").unwrap_or_default();
        return Reason::ClaimMissing(name.to_owned());
    }
    if lower.contains("taint") {
        let (key, value) = between(text, "{", "}")
            .map(|inside| inside.split_once(':').unwrap_or((inside, "")))
            .unwrap_or_default();
        return Reason::Taint(key.trim().to_owned(), value.trim().to_owned());
    }
    if let Some((_, known)) = WORDINGS.iter().find(|(words, _)| lower.contains(words)) {
        return known.clone();
    }
    match text.trim().strip_prefix("Insufficient ") {
        Some(resource) => Reason::Lacks(resource.trim().to_owned()),
        None => Reason::Other(text.trim().to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, nodes: u32, want: &[(u32, Reason)]) {
        let found = parse(text).unwrap_or_else(|| panic!("nothing read in {text}"));
        assert_eq!((found.nodes, &*found.reasons), (nodes, want), "{text}");
    }

    fn taint(key: &str, value: &str) -> Reason {
        Reason::Taint(key.into(), value.into())
    }

    #[test]
    fn wordings_of_all_versions_are_read() {
        check(
            "0/5 nodes are available: 1 node(s) were unschedulable, 2 node(s) didn't match Pod's \
             node affinity/selector, 2 Insufficient memory. preemption: 0/5 nodes are available: \
             5 Preemption is not helpful for scheduling.",
            5,
            &[(1, Reason::Cordoned), (2, Reason::Selector), (2, Reason::Lacks("memory".into()))],
        );
        check(
            "0/3 nodes are available: 1 node(s) had taint {team: red}, that the pod didn't \
             tolerate, 2 node(s) didn't match node selector.",
            3,
            &[(1, taint("team", "red")), (2, Reason::Selector)],
        );
        check(
            "0/4 nodes are available: 4 node(s) had untolerated taint {dedicated: batch}.",
            4,
            &[(4, taint("dedicated", "batch"))],
        );
        check(
            "0/2 nodes are available: 2 node(s) had taints that the pod didn't tolerate.",
            2,
            &[(2, taint("", ""))],
        );
        check(
            "No nodes are available that match all of the predicates: Insufficient cpu (3), \
             MatchNodeSelector (2), PodToleratesNodeTaints (1).",
            3,
            &[(3, Reason::Lacks("cpu".into())), (2, Reason::Selector), (1, taint("", ""))],
        );
        check(
            "0/2 nodes are available: 2 Insufficient cpu. no new claims to deallocate, preemption: \
             0/2 nodes are available: 2 No preemption victims found for incoming pod.",
            2,
            &[(2, Reason::Lacks("cpu".into()))],
        );
        check("no nodes available to schedule pods", 0, &[]);
    }

    #[test]
    fn reasons_of_the_pod_itself_are_read() {
        check(
            "0/4 nodes are available: pod has unbound immediate PersistentVolumeClaims. \
             preemption: 0/4 nodes are available: 4 Preemption is not helpful for scheduling.",
            4,
            &[(0, Reason::ClaimUnbound)],
        );
        let repeated = "pod has unbound immediate PersistentVolumeClaims (repeated 3 times)";
        check(repeated, 0, &[(0, Reason::ClaimUnbound)]);
        let missing = Reason::ClaimMissing("data-1".into());
        check("persistentvolumeclaim \"data-1\" not found", 0, &[(0, missing.clone())]);
        check(
            "0/2 nodes are available: persistentvolumeclaim \"data-1\" not found.",
            2,
            &[(0, missing)],
        );
    }

    #[test]
    fn each_wording_has_its_reason() {
        for (text, want) in [
            ("node(s) didn't have free ports for the requested pod ports", Reason::Ports),
            ("node(s) didn't match pod affinity rules", Reason::PodAffinity),
            ("node(s) didn't match pod anti-affinity rules", Reason::AntiAffinity),
            ("node(s) didn't match pod affinity/anti-affinity", Reason::PodRules),
            ("node(s) didn't satisfy existing pods anti-affinity rules", Reason::AntiAffinity),
            ("node(s) didn't match pod topology spread constraints", Reason::Spread),
            ("node(s) had volume node affinity conflict", Reason::VolumeNode),
            ("node(s) didn't match PersistentVolume's node affinity", Reason::VolumeNode),
            ("node(s) exceed max volume count", Reason::VolumeLimit),
            ("node(s) didn't find available persistent volumes to bind", Reason::NoVolume),
            ("Too many pods", Reason::TooManyPods),
            ("Insufficient example.com/gpu", Reason::Lacks("example.com/gpu".into())),
            ("node(s) were not ready", Reason::NotReady),
            ("node(s) had something new", Reason::Other("node(s) had something new".into())),
        ] {
            check(&format!("0/3 nodes are available: 3 {text}."), 3, &[(3, want)]);
        }
        assert_eq!(parse("Back-off restarting failed container"), None);
    }
}
