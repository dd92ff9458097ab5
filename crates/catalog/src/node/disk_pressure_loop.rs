//! `node-disk-pressure-loop`: pressure on the disk of a node goes and comes back.

use model::record::Node;
use model::{Act, Finding, Findings, Gap, Kind, Patch, Remedy, Scenario, Snapshot, State, Step};

use super::{disk, disk_pressure};

failure! {
    /// # The disk of a node fills up again and again
    ///
    /// ## Signs
    /// NodeHasDiskPressure and NodeHasNoDiskPressure take turns ("x4 over 42m"). With each
    /// turn pods are evicted; after it their successors come back to the node.
    ///
    /// ## Why it happens
    /// Eviction frees what a pod wrote, the condition goes after five minutes, and the same
    /// workload is placed on the same node and writes again. Or what evictions and the removal
    /// of images free is hardly enough, since the disk is filled by something they do not
    /// touch.
    ///
    /// ## What we do
    /// 1. Stop relying on evictions: each turn restarts pods that did nothing wrong.
    /// 2. Find and bound what writes.
    /// 3. Keep new pods away from the node until that is done.
    /// 4. If nothing is wrong with the writer, the disk is too small.
    ///
    /// ## How to avoid it
    /// Limits on ephemeral-storage; an eviction threshold with room (`--eviction-minimum-reclaim`);
    /// a larger disk.
    ///
    /// ## Sources
    /// Kubernetes documentation, "Node-pressure eviction", oscillation of conditions.
    id: "node-disk-pressure-loop",
    mechanisms: {
        "container-writes": "a workload fills it again with files of its containers",
        "disk-full": "what evictions free is filled again",
        "host-path-writes": "a workload fills a directory that no eviction frees",
        "inodes-exhausted": "it holds more files than its file system can count",
    },
    reads: [Node, Pod, Event],
    leads_to: [
        "node-disk-pressure",
        "node-image-gc-failing",
        "node-not-ready",
        "pod-evicted-storage",
        "pod-evicted-taint",
        "pod-pending-unschedulable",
        "service-without-endpoints",
    ],
    detect: Nodes(detect),
    exposed: exposed,
    remedy: remedy,
    prevent: prevent,
    rehearse: rehearse,
}

/// So many times make a loop.
const TIMES: u32 = 3;
/// Turns that are further apart than this on average are episodes of their own, in seconds.
const TURN_SECONDS: i64 = 7200;
/// The last turn is at most so long ago, in seconds.
const RECENT_SECONDS: i64 = 3600;

fn detect(node: &Node, now: &Snapshot, findings: &mut Findings) {
    let Some(pressure) = disk::pressure(node, now).filter(|p| p.times >= TIMES) else { return };
    let span = pressure.last.zip(pressure.first).map(|(last, first)| last.since(first));
    let turns = i64::from(pressure.times.saturating_sub(1).max(1));
    let often = span.is_none_or(|s| s / turns <= TURN_SECONDS);
    let recent = pressure.last.is_none_or(|t| now.now.since(t) <= RECENT_SECONDS);
    if !often || !(recent || pressure.holds) {
        return;
    }
    let culprit = disk::culprit(node, &pressure, now);
    let over = span.filter(|s| *s > 0).map(|s| format!(" within {}", model::duration_text(s)));
    let headline = format!(
        "node {} ran out of disk {} times{}: {}",
        node.meta.name,
        pressure.times,
        over.unwrap_or_default(),
        KIND.meaning(culprit.mechanism)
    );
    let since = pressure.first.into_iter().chain(pressure.since).min();
    let finding =
        disk_pressure::with_culprit(KIND.id, headline, node, culprit, &pressure, now).since(since);
    let state = if pressure.holds { State::Active } else { State::Recovering };
    findings.push(finding.state(state));
}

/// The same gaps as those of a single episode.
fn exposed(_: &Snapshot, _: &mut Vec<Gap>) {}

fn remedy(finding: &Finding, now: &Snapshot) -> Remedy {
    let mut remedy = disk_pressure::steps(finding, now);
    let affected = finding.affected.iter().map(|a| &a.object);
    let node = std::iter::once(&finding.object).chain(affected).find(|o| o.kind == Kind::Node);
    if let Some(node) = node {
        let name = &node.name;
        remedy.next.insert(
            0,
            Step::change(
                "Keep new pods away, so that the loop ends",
                format!("kubectl cordon {name}"),
                format!("kubectl uncordon {name}"),
            ),
        );
    }
    remedy.do_not.insert(
        0,
        "Do not wait for the next eviction to help: it frees what is filled again".into(),
    );
    remedy
}

fn prevent(_: &Gap, _: &Snapshot) -> Option<Patch> {
    None
}

fn rehearse() -> Option<Scenario> {
    let act = "A Deployment without limit fills the disk of its node, is evicted, and returns.";
    Some(Scenario {
        story: "A writer comes back to the node it was evicted from, again and again.",
        acts: vec![(60, Act::Unmodelled(act))],
        found_within_seconds: 3600,
    })
}

#[cfg(test)]
mod tests {
    use super::super::testing::{event, event_ago, node, with_condition};
    use super::KIND;
    use crate::testing::check;

    #[test]
    fn pressure_that_returns_is_a_loop() {
        let short = with_condition(&node("a", "True", ""), "DiskPressure", "True", "");
        let yaml = short.clone() + &event("a", "NodeHasDiskPressure", "status is now", 4);
        check(&KIND, &yaml, &["disk-full node/a Proven Active"]);
        let told = event("a", "NodeHasDiskPressure", "status is now", 4)
            + &event("a", "EvictionThresholdMet", "Attempting to reclaim ephemeral-storage", 19);
        check(&KIND, &told, &["disk-full node/a Proven Active"]);
    }

    #[test]
    fn one_episode_is_none() {
        let short = with_condition(&node("a", "True", ""), "DiskPressure", "True", "");
        let yaml = short + &event("a", "NodeHasDiskPressure", "status is now", 1);
        check(&KIND, &yaml, &[]);
        let old = node("a", "True", "")
            + &event_ago("a", "NodeHasDiskPressure", "status is now", 9, 90_000);
        check(&KIND, &old, &[]);
    }
}
