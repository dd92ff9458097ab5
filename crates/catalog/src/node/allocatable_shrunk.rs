//! `node-allocatable-shrunk`: nodes of a newer version keep more for themselves than before.

use std::collections::BTreeMap;

use model::record::Node;
use model::{
    Act, Certainty, Evidence, Finding, Findings, Gap, Impact, Kind, ObjectRef, Patch, Quantity,
    Remedy, Scenario, Snapshot, Step, Truth,
};

use crate::evidence;
use crate::wording::{self, says};

failure! {
    /// # Nodes give less to pods since an upgrade
    ///
    /// ## Signs
    /// Machines of the same size give pods less memory where the kubelet is newer: capacity
    /// less allocatable has grown, for example by 1 Gi a node. On small nodes pods are evicted
    /// for memory, refused with OutOfmemory, or no longer find a place.
    ///
    /// ## Why it happens
    /// What a node keeps for kubelet, runtime and system (`--kube-reserved`,
    /// `--system-reserved`, the eviction threshold) is decided by whoever builds the node's
    /// image. A provider's new version may reserve more. For N nodes the cluster then has N
    /// times that much less, though no machine has changed.
    ///
    /// ## What we do
    /// 1. Compare nodes of the same size by their kubelet's version.
    /// 2. Count what is missing in all, and add that many nodes or larger ones.
    /// 3. Lower requests that are too high; do not lower the reserve: it is what keeps the node
    ///    alive.
    ///
    /// ## How to avoid it
    /// Upgrade one node first and compare its allocatable with the others'; leave room for the
    /// pods of one node; no nodes of 4 GB.
    ///
    /// ## Sources
    /// Kubernetes documentation, "Reserve compute resources for system daemons".
    id: "node-allocatable-shrunk",
    mechanisms: {
        "reserve-grew": "nodes of the newer version keep more memory for themselves",
        "reserve-large": "the node keeps a large part of its memory for itself",
    },
    reads: [Node, Pod, Event],
    leads_to: ["pod-evicted-memory", "pod-pending-unschedulable", "service-without-endpoints"],
    detect: Cluster(detect),
    exposed: exposed,
    remedy: remedy,
    prevent: prevent,
    rehearse: rehearse,
}

/// A difference below this is rounding, in bytes.
const NOTABLE_BYTES: i64 = 256 << 20;
/// A reserve of this part of a node's memory is large.
const LARGE_PART: i64 = 5;

fn detect(now: &Snapshot, findings: &mut Findings) {
    let mut told: Vec<(&Node, Evidence, u32)> = Vec::new();
    for node in now.nodes_where(|n, now| sufferers(n, now).0.is_some()) {
        let (facts, count) = sufferers(node, now);
        if let Some(fact) = facts.filter(|_| now.has_read(node)) {
            told.push((node, fact, count));
        }
    }
    if told.is_empty() {
        return;
    }
    let grown = now.answer(growth);
    let of_new = |n: &Node| grown.iter().find(|g| g.has(n));
    let hit: Vec<_> = told.iter().filter(|(n, ..)| of_new(n).is_some()).collect();
    if let Some((first, ..)) = hit.first()
        && let Some(growth) = of_new(first)
    {
        let object = match hit.as_slice() {
            [(one, ..)] => one.meta.object(Kind::Node),
            _ => ObjectRef::new(Kind::Cluster, "", "nodes"),
        };
        let headline = format!(
            "nodes with kubelet {} give pods {} less memory than those with {}",
            growth.newer,
            Quantity::from_units(growth.bytes).text("memory"),
            growth.older
        );
        let mut finding = Finding::new(KIND.id, "reserve-grew", object, headline)
            .evidence(growth.evidence.iter().cloned())
            .evidence(hit.iter().take(3).map(|(_, fact, _)| fact.clone()))
            .unsure(Certainty::Likely, &["reserve-large"], look());
        for (node, _, count) in &hit {
            let how = format!("{count} pods evicted or refused for lack of memory");
            finding = finding.affects(node.meta.object(Kind::Node), how);
        }
        let replicas = hit.iter().map(|(_, _, count)| *count).sum();
        return findings.push(finding.impact(Impact { replicas, ..Impact::default() }));
    }
    for (node, fact, count) in told {
        let (has, gives) = memory(node);
        let kept = has - gives;
        if kept * LARGE_PART < has || kept < 2 * NOTABLE_BYTES {
            continue;
        }
        let headline = format!(
            "node {} gives pods {} of its {} of memory, and {count} of them found too little",
            node.meta.name,
            Quantity::from_units(gives).text("memory"),
            Quantity::from_units(has).text("memory"),
        );
        let object = node.meta.object(Kind::Node);
        let finding = Finding::new(KIND.id, "reserve-large", object.clone(), headline)
            .evidence([reserve(node), fact])
            .affects(object, format!("{count} pods evicted or refused for lack of memory"))
            .unsure(Certainty::Possible, &["reserve-grew"], look());
        findings.push(finding);
    }
}

fn look() -> &'static str {
    "kubectl get nodes -o custom-columns=NAME:.metadata.name,VERSION:.status.nodeInfo.\
     kubeletVersion,HAS:.status.capacity.memory,GIVES:.status.allocatable.memory"
}

/// Memory that a node has and gives to pods, in bytes.
fn memory(node: &Node) -> (i64, i64) {
    (node.capacity.amount("memory").units(), node.allocatable.amount("memory").units())
}

fn reserve(node: &Node) -> Evidence {
    let (has, gives) = memory(node);
    let text = format!(
        "{} of {} kept ({})",
        Quantity::from_units(has - gives).text("memory"),
        Quantity::from_units(has).text("memory"),
        node.kubelet_version
    );
    let object = node.meta.object(Kind::Node);
    evidence::field(node.meta.source, &object, "status.allocatable.memory", text)
}

/// Pods on the node that were evicted or refused for lack of memory, or its own word.
fn sufferers(node: &Node, now: &Snapshot) -> (Option<Evidence>, u32) {
    let object = node.meta.object(Kind::Node);
    let refused = now.pods_on(&node.meta.name).filter_map(|p| {
        let (reason, text) = p.why.as_deref()?;
        let evicted = reason == "Evicted" && says(text, wording::MEMORY_SHORT);
        let refused = reason == "OutOfmemory" || reason == "OutOfMemory";
        let fact = format!("{reason}: {text}");
        (evicted || refused).then(|| {
            evidence::field(p.meta.source, &p.meta.object(Kind::Pod), "status.reason", fact)
        })
    });
    let refused: Vec<Evidence> = refused.collect();
    let count = u32::try_from(refused.len()).unwrap_or(u32::MAX);
    let pressure = node.condition("MemoryPressure").filter(|c| c.status == Truth::True);
    let own = pressure.map(|c| evidence::condition(node.meta.source, &object, c));
    (refused.into_iter().next().or(own), count)
}

/// What nodes of one size keep more of in a newer version than in an older one.
#[derive(PartialEq)]
struct Growth {
    older: String,
    newer: String,
    has: i64,
    bytes: i64,
    evidence: [Evidence; 2],
}

impl Growth {
    fn has(&self, node: &Node) -> bool {
        self.has == size(node) && *node.kubelet_version == self.newer
    }
}

/// Nodes are of one size when their memory differs by less than this.
fn size(node: &Node) -> i64 {
    memory(node).0 >> 28
}

/// For each size of nodes, what the newest version keeps more than the one before.
fn growth(now: &Snapshot) -> Vec<Growth> {
    let mut cohorts: BTreeMap<(i64, Vec<u64>), Vec<&Node>> = BTreeMap::new();
    for node in now.nodes.iter().filter(|n| memory(n).1 > 0 && !n.kubelet_version.is_empty()) {
        cohorts.entry((size(node), version(&node.kubelet_version))).or_default().push(node);
    }
    let kept = |nodes: &[&Node]| {
        let mut all: Vec<i64> = nodes.iter().map(|n| memory(n).0 - memory(n).1).collect();
        all.sort_unstable();
        all.get(all.len() / 2).copied().unwrap_or(0)
    };
    let cohorts: Vec<_> = cohorts.into_iter().collect();
    let pairs = cohorts.windows(2).filter_map(|w| match w {
        [((size, _), old), ((same, _), new)] if size == same => Some((old, new)),
        _ => None,
    });
    let grown = pairs.filter_map(|(old, new)| {
        let bytes = kept(new) - kept(old);
        let (older, newer) = (*old.first()?, *new.first()?);
        (bytes >= NOTABLE_BYTES).then(|| Growth {
            older: older.kubelet_version.to_string(),
            newer: newer.kubelet_version.to_string(),
            has: size(newer),
            bytes,
            evidence: [reserve(newer), reserve(older)],
        })
    });
    grown.collect()
}

/// The numbers of a version: `v1.12.6-aliyun.1` is 1, 12, 6, 1.
fn version(text: &str) -> Vec<u64> {
    let numbers = text.split(|c: char| !c.is_ascii_digit()).filter(|p| !p.is_empty());
    numbers.map(|p| p.parse().unwrap_or(u64::MAX)).take(6).collect()
}

/// Nodes whose pods would not fit any more if they were upgraded as their peers were.
fn exposed(now: &Snapshot, gaps: &mut Vec<Gap>) {
    for growth in growth(now) {
        let old = now.nodes.iter().filter(|n| size(n) == growth.has);
        for node in old.filter(|n| *n.kubelet_version == growth.older) {
            let here = now.pods_on(&node.meta.name).filter(|p| !p.is_finished());
            let asked: i64 = here.map(|p| requested(&p.spec)).sum();
            if asked > memory(node).1 - growth.bytes {
                gaps.push(Gap {
                    failure: KIND.id,
                    object: node.meta.object(Kind::Node),
                    field: "status.allocatable.memory".into(),
                    why: format!(
                        "its pods ask for {}, more than it gives after an upgrade to {}",
                        Quantity::from_units(asked).text("memory"),
                        growth.newer
                    ),
                });
            }
        }
    }
}

fn requested(spec: &model::record::PodSpec) -> i64 {
    spec.containers.iter().map(|c| c.resources.requests.amount("memory").units()).sum()
}

fn remedy(finding: &Finding, _: &Snapshot) -> Remedy {
    let nodes = finding.affected.iter().filter(|a| a.object.kind == Kind::Node);
    let name = nodes.map(|a| a.object.name.as_str()).next().unwrap_or("NODE");
    Remedy {
        next: vec![
            Step::look("Compare what nodes have and give, by version", look()),
            Step::look(
                "See what is asked of the node",
                format!("kubectl describe node {name} | sed -n '/Allocated/,$p'"),
            ),
            Step::advice("Add nodes, or larger ones, for what is missing in all"),
        ],
        do_not: vec![
            "Do not lower the reserve to get the memory back: it keeps kubelet and runtime alive"
                .into(),
            "Do not upgrade further nodes before their pods are known to fit".into(),
        ],
    }
}

/// The reserve is a setting of the kubelet on the machine; no object of the API has it.
fn prevent(_: &Gap, _: &Snapshot) -> Option<Patch> {
    None
}

fn rehearse() -> Option<Scenario> {
    let act = "worker-5 is upgraded; its kubelet keeps 4 Gi of its 8 Gi for itself.";
    Some(Scenario {
        story: "A node gives its pods less memory after an upgrade.",
        acts: vec![(60, Act::Unmodelled(act))],
        found_within_seconds: 600,
    })
}

#[cfg(test)]
mod tests {
    use super::super::testing::{node, pod};
    use super::KIND;
    use crate::testing::{check, check_gaps};

    fn sized(name: &str, version: &str, gives: &str) -> String {
        let status = format!(
            "status:\n  nodeInfo: {{kubeletVersion: {version}}}\n  capacity: {{memory: 4Gi}}\n  \
             allocatable: {{memory: {gives}}}\n"
        );
        node(name, "True", "").replace("status:\n", &status)
    }

    fn refused(app: &str, node: &str) -> String {
        let why = "phase: Failed\n  reason: OutOfmemory\n  message: 'Node did not have enough \
                   resource: memory'\n";
        pod(app, node, "False").replace("phase: Running\n", why)
    }

    #[test]
    fn nodes_are_compared_by_version() {
        let both = sized("a", "v1.12.6-aliyun.1", "2900Mi") + &sized("b", "v1.11.5", "3900Mi");
        check(&KIND, &both, &[]);
        let yaml = both.clone() + &refused("lamp", "a");
        check(&KIND, &yaml, &["reserve-grew node/a Likely Active"]);
        // On a node that did not change it has another reason.
        check(&KIND, &(both + &refused("lamp", "b")), &[]);
    }

    #[test]
    fn one_node_alone_tells_a_large_reserve() {
        let yaml = sized("a", "v1.12.6", "2900Mi") + &refused("lamp", "a");
        check(&KIND, &yaml, &["reserve-large node/a Possible Active"]);
        let small = sized("a", "v1.12.6", "3900Mi") + &refused("lamp", "a");
        check(&KIND, &small, &[]);
    }

    #[test]
    fn an_upgrade_that_would_not_fit_is_foreseen() {
        let big = pod("lamp", "b", "True")
            .replace("image: lamp:1", "image: l:1, resources: {requests: {memory: 3Gi}}");
        let yaml = sized("a", "v1.12.6", "2900Mi") + &sized("b", "v1.11.5", "3900Mi") + &big;
        check_gaps(&KIND, &yaml, &["node/b status.allocatable.memory"]);
        let small = yaml.replace("memory: 3Gi}}", "memory: 1Gi}}");
        check_gaps(&KIND, &small, &[]);
    }
}
