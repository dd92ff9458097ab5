//! `node-image-gc-timeout`: the runtime of a node does not say in time what its images take.

use model::record::Node;
use model::{
    Act, Certainty, Evidence, Finding, Findings, Gap, Kind, Patch, Remedy, Role, Scenario,
    Snapshot, State, Step,
};

use super::runtime::{self, Runtime};
use super::signs;
use crate::evidence;
use crate::wording;

failure! {
    /// # A node's runtime is too slow to count its images
    ///
    /// ## Signs
    /// ImageGCFailed: "failed to get image stats: rpc error: code = DeadlineExceeded", often
    /// together with a peak of the node's processor use.
    ///
    /// ## Why it happens
    /// Every five minutes the kubelet asks the runtime how much its images take. With very many
    /// images or layers, on a slow disk, or when the runtime hangs, the answer takes longer
    /// than two minutes. The runtime's work for it, and the removal that follows, load the
    /// node: probes of its pods may fail meanwhile. The disk need not be full.
    ///
    /// ## What we do
    /// 1. See how long the runtime takes for its images and containers.
    /// 2. If it answers, see what loads the disk and the processors at that time.
    /// 3. If it does not, treat it as a runtime that hangs.
    ///
    /// ## How to avoid it
    /// Fewer and smaller images per node, a fast disk for the runtime.
    ///
    /// ## Sources
    /// Kubernetes documentation, "Garbage collection".
    id: "node-image-gc-timeout",
    mechanisms: {
        "runtime-slow": "its container runtime answers too slowly",
        "runtime-hung": "its container runtime does not answer at all",
    },
    reads: [Node, Event],
    leads_to: ["node-overloaded", "pod-probe-failing", "pod-probe-failing-node-loaded"],
    detect: Nodes(detect),
    exposed: exposed,
    remedy: remedy,
    prevent: prevent,
    rehearse: rehearse,
}

/// An episode is worth telling for so long, in seconds.
const EPISODE_SECONDS: i64 = 7200;

fn detect(node: &Node, now: &Snapshot, findings: &mut Findings) {
    let object = node.meta.object(Kind::Node);
    let all: Vec<_> = signs::of(node, now)
        .into_iter()
        .filter(|s| s.says(wording::IMAGE_STATS) && runtime::is_late(s.text))
        .collect();
    let Some(last) = all.iter().max_by_key(|s| s.last) else { return };
    let age = last.last.map(|t| now.now.since(t));
    if age.is_some_and(|a| a > EPISODE_SECONDS) {
        let what = format!("failures to count the images of node {}", node.meta.name);
        return findings.stale(what, "they did not come again for two hours");
    }
    let runtime = Runtime::of(node, now);
    let hangs = !runtime.pleg.is_empty() || runtime.late.iter().any(|s| !s.is_event(last.reason));
    let mechanism = if hangs { "runtime-hung" } else { "runtime-slow" };
    let others: &[&'static str] = if hangs { &["runtime-slow"] } else { &["runtime-hung"] };
    let name = &node.meta.name;
    let headline = format!("node {name} could not count its images: {}", KIND.meaning(mechanism));
    let look = format!("ssh {name} 'time timeout 150 crictl images; time crictl ps -a; uptime'");
    let finding = Finding::new(KIND.id, mechanism, object.clone(), headline)
        .since(signs::since(&all))
        .evidence(last.evidence())
        .evidence(load(node, now))
        .unsure(Certainty::Likely, others, look);
    findings.push(match (last.is_current(node, now), hangs) {
        (true, true) => finding.role(Role::Symptom),
        (true, false) => finding.affects(object, "its probes and new pods may be late"),
        (false, _) => finding.state(State::Recovered),
    });
}

/// What was measured of the node's processors.
fn load(node: &Node, now: &Snapshot) -> Option<Evidence> {
    let percent = |s: &&model::Sample| {
        s.metric == "cpu_usage_percent" && s.subject == node.meta.name && s.value > 50.0
    };
    let sample = now.samples.iter().filter(percent).max_by(|a, b| a.value.total_cmp(&b.value))?;
    let object = node.meta.object(Kind::Node);
    let value = format!("{:.0} % of its processors", sample.value);
    Some(evidence::field(sample.document, &object, "cpu_usage_percent", value))
}

/// Nothing of the API protects from it.
fn exposed(_: &Snapshot, _: &mut Vec<Gap>) {}

fn remedy(finding: &Finding, now: &Snapshot) -> Remedy {
    let name = &finding.object.name;
    if finding.mechanism == "runtime-hung" {
        return Remedy { next: runtime::steps(name, now), do_not: runtime::do_not() };
    }
    Remedy {
        next: vec![
            Step::look(
                "See how long the runtime takes to list its images",
                format!("ssh {name} 'time timeout 150 crictl images | wc -l'"),
            ),
            Step::look(
                "See what loads the disk and the processors",
                format!("ssh {name} 'uptime; iostat -x 5 2; top -bn1 | head -n 15'"),
            ),
            Step::advice("Remove images that no container uses, outside of busy hours"),
        ],
        do_not: vec![
            "Do not restart the runtime while it still answers: it only works slowly".into(),
        ],
    }
}

fn prevent(_: &Gap, _: &Snapshot) -> Option<Patch> {
    None
}

fn rehearse() -> Option<Scenario> {
    let act = "The runtime of worker-3 takes three minutes to count its images.";
    Some(Scenario {
        story: "One node's runtime is too slow to count its images.",
        acts: vec![(30, Act::Unmodelled(act))],
        found_within_seconds: 600,
    })
}

#[cfg(test)]
mod tests {
    use super::super::testing::{event, event_ago};
    use super::KIND;
    use crate::testing::check;

    const LATE: &str = "failed to get image stats: rpc error: code = DeadlineExceeded desc = \
                        context deadline exceeded";

    #[test]
    fn a_late_answer_is_told_from_none() {
        let slow = event("a", "ImageGCFailed", LATE, 3);
        check(&KIND, &slow, &["runtime-slow node/a Likely Active"]);
        let gc = event("a", "ContainerGCFailed", "rpc error: code = DeadlineExceeded", 9);
        check(&KIND, &(slow + &gc), &["runtime-hung node/a Likely Active"]);
    }

    #[test]
    fn an_episode_that_is_over_is_no_alarm() {
        let over = event_ago("a", "ImageGCFailed", LATE, 1, 2700);
        check(&KIND, &over, &["runtime-slow node/a Likely Recovered"]);
        check(&KIND, &event_ago("a", "ImageGCFailed", LATE, 1, 20_000), &[]);
        let full = "Wanted to free 7 bytes, but freed 0 bytes";
        check(&KIND, &event("a", "ImageGCFailed", full, 3), &[]);
    }
}
