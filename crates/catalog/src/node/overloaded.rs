//! `node-overloaded`: a node has for long had more to compute than it can.

use std::collections::BTreeMap;

use model::record::{Node, Pod};
use model::{
    Act, App, Certainty, Evidence, Factor, Finding, Findings, Gap, Impact, Kind, Patch, Remedy,
    Role, Scenario, Snapshot, Step,
};

use super::load;
use crate::evidence;
use crate::observability::resource_alerts_missing::{self, Resource};
use crate::wording::{self, says};

failure! {
    /// # A node has more to compute than it can
    ///
    /// ## Signs
    /// The load over fifteen minutes is more than twice the number of processors, and stays
    /// so. Probes of pods time out on this node and on no other; heartbeats are late; the
    /// runtime answers slowly.
    ///
    /// ## Why it happens
    /// Processors can be given out several times: what pods request is kept free for them, but
    /// a container without a limit takes all that is left, and system services have no
    /// requests at all. Very many pods, the removal of images, or tasks that wait for a slow
    /// disk (they count as load, too) do the same.
    ///
    /// ## What we do
    /// 1. See who uses the processors; or, if nobody does, who waits for the disk.
    /// 2. Give the one that takes most a limit, or move it away.
    /// 3. Keep new pods away meanwhile.
    ///
    /// Do not restart the pods whose probes fail: they are victims, and their start loads the
    /// node further. A short peak needs nothing.
    ///
    /// ## How to avoid it
    /// CPU requests on every container, limits on those that take whatever there is, processors
    /// reserved for the system; longer time limits on liveness probes.
    ///
    /// ## Sources
    /// Kubernetes documentation, "Reserve compute resources for system daemons".
    id: "node-overloaded",
    mechanisms: {
        "cpu-hog": "one workload takes most of its processors",
        "cpu-saturated": "its processors have more to do than they can",
        "too-many-pods": "it has more pods than it can serve",
    },
    reads: [Node, Pod, Event],
    leads_to: [
        "node-flapping",
        "node-image-gc-timeout",
        "node-not-ready",
        "node-pleg-stalled",
        "node-unknown",
        "pod-probe-failing",
        "pod-probe-failing-node-loaded",
        "slo-burning",
        "workload-dependency-failing",
    ],
    detect: Nodes(detect),
    exposed: exposed,
    remedy: remedy,
    prevent: prevent,
    rehearse: rehearse,
}

/// Pods on one node that Kubernetes is tested with.
const TESTED_PODS: usize = 110;

fn detect(node: &Node, now: &Snapshot, findings: &mut Findings) {
    let object = node.meta.object(Kind::Node);
    let name = &node.meta.name;
    let load = load::of(node, now);
    let alert = alert(name, now).map(|a| {
        let text = if a.text.is_empty() { a.name.to_string() } else { a.text.clone() };
        Evidence { at: a.since, ..evidence::field(a.document, &object, "alert", text) }
    });
    let high = load.as_ref().is_some_and(|l| l.per_core > load::LOAD_PER_CORE);
    if !high && (alert.is_none() || load.is_some()) {
        return;
    }
    let measure = match &load {
        Some(l) => format!("a load of {:.1} on {:.0} processors", l.fifteen, l.cores),
        None => "an alert about its load".into(),
    };
    let hog = hog(node, now);
    let pods = now.pods_on(name).filter(|p| !p.is_finished()).count();
    let (mechanism, cause, why) = match &hog {
        Some((app, share, _)) => {
            let share = format!("{} takes {:.0} % of its processors", app.object, share * 100.0);
            ("cpu-hog", app.object.clone(), share)
        }
        None if pods > TESTED_PODS => ("too-many-pods", object.clone(), format!("{pods} pods")),
        None => ("cpu-saturated", object.clone(), KIND.meaning("cpu-saturated").to_owned()),
    };
    let headline = format!("node {name} is overloaded, {measure}: {why}");
    let since = alert.as_ref().and_then(|a| a.at);
    let look = format!("kubectl top pods -A --sort-by=cpu; ssh {name} 'top -bn1 | head -n 20'");
    let mut finding = Finding::new(KIND.id, mechanism, cause.clone(), headline)
        .since(since)
        .evidence(load.map(|l| l.evidence))
        .evidence(alert)
        .affects(object.clone(), "probes, heartbeats and answers are late on it");
    finding.factors.extend(resource_alerts_missing::factor(Resource::Processors, now));
    if let Some((app, _, fact)) = hog {
        finding = finding.field("resources.limits.cpu", limit(app), "less than the node has");
        finding.evidence.push(fact);
        if limit(app) == "not set" {
            finding.factors.push(Factor {
                failure: "limits-missing",
                object: app.object.clone(),
                role: Role::Contributing,
                why: "without a limit one container may take all processors".into(),
            });
        }
    }
    let sure = if mechanism == "cpu-hog" { Certainty::Likely } else { Certainty::Possible };
    let others: &[&'static str] =
        if sure == Certainty::Likely { &["cpu-saturated"] } else { &["cpu-hog", "disk-slow"] };
    let down = super::affected_pods(finding.unsure(sure, others, look), node, now);
    let nodes = u32::from(down.impact.replicas > 0);
    let impact = Impact { nodes, ..down.impact };
    findings.push(down.impact(impact));
}

/// An alert about the load of this node.
fn alert<'s>(name: &str, now: &'s Snapshot) -> Option<&'s model::Alert> {
    now.alerts.iter().find(|a| {
        let host = |s: &model::Text| s.split(':').next() == Some(name);
        let subject = a.subjects.iter().any(host);
        subject && (says(&a.name, wording::NODE_LOAD) || says(&a.text, wording::NODE_LOAD))
    })
}

/// The workload that uses at least half of the node's processors, and its share.
fn hog<'s>(node: &Node, now: &'s Snapshot) -> Option<(&'s App, f64, Evidence)> {
    let cores = node.capacity.amount("cpu").milli() as f64 / 1000.0;
    let mut newest: BTreeMap<&str, &model::Sample> = BTreeMap::new();
    for s in now.samples.iter().filter(|s| s.metric == "cpu_usage") {
        let pod = s.subject.split('/').nth(1).unwrap_or(s.subject.as_str());
        let known = newest.entry(pod).or_insert(s);
        if known.at <= s.at {
            *known = s;
        }
    }
    if newest.is_empty() {
        return None;
    }
    let used = |(app, pods): (&'s App, Vec<&'s Pod>)| {
        let own: Vec<&model::Sample> =
            pods.iter().filter_map(|p| newest.get(p.meta.name.as_str()).copied()).collect();
        let sum: f64 = own.iter().map(|s| s.value).sum();
        Some((app, sum, own.first()?.document))
    };
    let here = now.apps_on(&node.meta.name).into_iter();
    let most = here.filter_map(used).max_by(|a, b| a.1.total_cmp(&b.1));
    let (app, sum, document) = most.filter(|_| cores > 0.0)?;
    let fact = format!("{sum:.1} of {cores:.0} processors of {}", node.meta.name);
    let fact = evidence::field(document, &app.object, "cpu usage", fact);
    (sum / cores >= 0.5).then_some((app, sum / cores, fact))
}

fn limit(app: &App) -> String {
    let containers = app.spec().into_iter().flat_map(|s| s.containers.iter());
    let limits = containers.filter_map(|c| c.resources.limits.get("cpu"));
    limits.max().map_or("not set".into(), |q| q.text("cpu"))
}

/// Nodes that keep no processor time for their own kubelet and runtime.
fn exposed(now: &Snapshot, gaps: &mut Vec<Gap>) {
    for node in now.nodes.iter() {
        let (has, gives) = (node.capacity.amount("cpu"), node.allocatable.amount("cpu"));
        if has.is_positive() && gives == has {
            gaps.push(Gap {
                failure: KIND.id,
                object: node.meta.object(Kind::Node),
                field: "status.allocatable.cpu".into(),
                why: "all processors are given to pods; none is kept for kubelet and runtime"
                    .into(),
            });
        }
    }
}

fn remedy(finding: &Finding, now: &Snapshot) -> Remedy {
    let on_node = |o: &&model::ObjectRef| o.kind == Kind::Node;
    let affected = finding.affected.iter().map(|a| &a.object);
    let node = std::iter::once(&finding.object).chain(affected).find(on_node);
    let node = node.map_or("NODE", |o| o.name.as_str());
    let mut next = vec![
        Step::look(
            "See who uses the processors, or waits for the disk",
            format!("ssh {node} 'top -bn1 | head -n 20; vmstat 1 5'"),
        ),
        Step::change(
            "Keep new pods away until it is relieved",
            format!("kubectl cordon {node}"),
            format!("kubectl uncordon {node}"),
        ),
    ];
    if let Some(app) = now.app(&finding.object) {
        let target = app.object.for_kubectl();
        next.push(Step::change(
            "Give the workload a limit",
            format!("kubectl set resources {target} --limits=cpu=1"),
            format!("kubectl rollout undo {target}"),
        ));
    }
    Remedy {
        next,
        do_not: vec![
            "Do not roll back or restart the pods whose probes fail: they are victims, and each \
             start loads the node further"
                .into(),
        ],
    }
}

/// Reserved processors are a setting of the kubelet on the machine; no object of the API has it.
fn prevent(_: &Gap, _: &Snapshot) -> Option<Patch> {
    None
}

fn rehearse() -> Option<Scenario> {
    let act = "A container of shop/catalog uses all processors of its node for half an hour.";
    Some(Scenario {
        story: "A workload without a limit takes all processors of its node.",
        acts: vec![(60, Act::Unmodelled(act))],
        found_within_seconds: 1200,
    })
}

#[cfg(test)]
mod tests {
    use model::{Alert, Sample, Snapshot};

    use super::super::testing::{node, pod};
    use super::KIND;
    use crate::testing::{lines, snapshot};

    fn cluster() -> Snapshot {
        let sized = node("a", "True", "").replace("status:\n", "status:\n  capacity: {cpu: 4}\n");
        snapshot(&(sized + &pod("lamp", "a", "True")))
    }

    fn sample(subject: &str, metric: &str, value: f64) -> Sample {
        let (subject, metric) = (subject.into(), metric.into());
        Sample { subject, metric, value, at: None, document: 0 }
    }

    #[test]
    fn load_that_lasts_is_told_and_a_hog_is_named() {
        let mut now = cluster();
        now.samples.push(sample("a", "node_load15", 11.0));
        assert_eq!(lines(&KIND, &now), ["cpu-saturated node/a Possible Active"]);
        now.samples.push(sample("shop/lamp-a", "cpu_usage", 3.1));
        assert_eq!(lines(&KIND, &now), ["cpu-hog sts/lamp Likely Active"]);
    }

    #[test]
    fn an_alert_about_load_counts_where_nothing_was_measured() {
        let mut now = cluster();
        now.alerts.push(Alert {
            name: "NodeSystemSaturation".into(),
            subjects: vec!["a:9100".into()],
            text: "Load per core is 4.2".into(),
            labels: Default::default(),
            since: None,
            document: 0,
        });
        assert_eq!(lines(&KIND, &now), ["cpu-saturated node/a Possible Active"]);
        now.samples.push(sample("a", "node_load15", 2.0));
        assert!(lines(&KIND, &now).is_empty());
    }

    #[test]
    fn a_short_peak_is_none() {
        let mut now = cluster();
        now.samples.push(sample("a", "node_load1", 40.0));
        now.samples.push(sample("a", "node_load15", 3.0));
        assert!(lines(&KIND, &now).is_empty());
    }
}
