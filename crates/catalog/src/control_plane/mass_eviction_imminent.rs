//! `mass-eviction-imminent`: several nodes went silent together, and the clock that deletes
//! their pods runs.

use model::record::{Node, Pod, Taint, Toleration};
use model::{
    Act, Evidence, Finding, Findings, Forecast, Gap, Kind, Patch, Remedy, Risk, Scenario, Snapshot,
    Step, Timestamp, Truth,
};

use super::standing::everybody;
use super::zones::{self, Zone};
use crate::evidence;

failure! {
    /// # The pods of many nodes are about to be deleted at once
    ///
    /// ## Signs
    /// Several nodes became `Unknown` within the same minute. Their pods still show `Running`.
    /// The nodes carry the taint `node.kubernetes.io/unreachable:NoExecute`, one after the
    /// other.
    ///
    /// ## Why it happens
    /// A node whose lease is not renewed for 40 s (50 s since Kubernetes 1.32) becomes Unknown.
    /// The node controller then taints the nodes of each zone at a rate: 0.1 a second, that is
    /// one in ten seconds; where 55 % and more than two nodes of a zone are silent, 0.01 a
    /// second in zones of more than 50 nodes and none at all in smaller ones; none when all
    /// zones are silent as a whole. A pod bears the taint for its toleration, 300 s unless it
    /// says otherwise, and is then marked for deletion.
    ///
    /// The controller cannot know whether the nodes are dead or only cut off. When they are cut
    /// off, their containers run on, serve, and are killed when the connection comes back.
    ///
    /// ## What we do
    /// 1. Find out by another way whether the machines live: console, ssh, the cloud.
    /// 2. When they live, hold the deletion before the first time below: stop the controller
    ///    manager, or deny deletions to the node controller by an admission policy. A restart of
    ///    the controller manager takes the taints off and starts all tolerations anew.
    /// 3. Repair the connection. Nodes that are back lose their taints by themselves.
    ///
    /// Do not reconnect nodes whose pods are already marked before you have decided what to do
    /// with these: they are killed in the same minute.
    ///
    /// ## How to avoid it
    /// Several API servers in several zones, behind an address that survives each of them.
    /// Longer tolerations for workloads that are slow or dangerous to move. Alerts on silent
    /// nodes that fire well before 300 s.
    ///
    /// ## Sources
    /// Kubernetes documentation, "Nodes" (rate limits on eviction), "Taints and Tolerations";
    /// "The tragedy of a single point of failure in a k8s cluster" (a post-mortem of 2017);
    /// timelines measured on a control plane of 1.36.
    id: "mass-eviction-imminent",
    mechanisms: {
        "eviction-clock-running": "the node controller deletes the pods of silent nodes when \
            their tolerations end",
    },
    reads: [Node, Pod, Lease],
    leads_to: ["node-not-ready", "node-unknown", "pod-evicted-taint", "pods-marked-but-running"],
    detect: Cluster(detect),
    exposed: exposed,
    remedy: remedy,
    prevent: prevent,
    rehearse: rehearse,
}

/// A pod bears a silent node for this long unless it says otherwise.
const TOLERATION_SECONDS: i64 = 300;

/// When pods of a node go.
struct Clock<'s> {
    node: &'s Node,
    pods: usize,
    first: Timestamp,
    last: Timestamp,
}

fn detect(now: &Snapshot, findings: &mut Findings) {
    if now.nodes_where(|n, _| n.ready() == Some(Truth::Unknown)).len() < 2 {
        return;
    }
    let zones = zones::of(now);
    let mut clocks: Vec<Clock<'_>> = Vec::new();
    let mut rates: Vec<String> = Vec::new();
    let mut silent = 0;
    for zone in zones.iter().filter(|z| z.fell_together()) {
        silent += zone.silent.len();
        let rate = zone.rate(&zones);
        rates.push(zone.words(&zones));
        clocks.extend(of_zone(zone, rate, now));
    }
    if silent < 2 {
        return;
    }
    clocks.retain(|c| c.pods > 0 && c.last > now.now);
    let Some((first, last)) = span(&clocks) else {
        let why =
            format!("no pod of the {silent} silent nodes will be deleted: {}", rates.join("; "));
        findings.rule_out(KIND.id, everybody(), why);
        return;
    };
    findings.push(finding(&clocks, silent, first, last, &rates, now));
}

fn span(clocks: &[Clock<'_>]) -> Option<(Timestamp, Timestamp)> {
    let first = clocks.iter().map(|c| c.first).min()?;
    Some((first, clocks.iter().map(|c| c.last).max()?))
}

fn finding(
    clocks: &[Clock<'_>],
    silent: usize,
    first: Timestamp,
    last: Timestamp,
    rates: &[String],
    now: &Snapshot,
) -> Finding {
    let pods: usize = clocks.iter().map(|c| c.pods).sum();
    let nodes = clocks.len();
    let when = match first.since(now.now) {
        left if left > 0 => format!("from {} on", model::duration_text(left)),
        _ => "now".to_owned(),
    };
    let headline = format!(
        "{silent} nodes went silent together; {pods} pods on {nodes} of them are deleted {when}"
    );
    let since = clocks.iter().filter_map(|c| zones::silent_since(c.node)).min();
    let facts = clocks.iter().take(4).map(|c| {
        let object = c.node.meta.object(Kind::Node);
        let value = format!("Unknown; {} pods, the first goes at {}", c.pods, c.first);
        evidence::field(c.node.meta.source, &object, "status.conditions[Ready]", value)
    });
    let rate = Evidence {
        at: None,
        ..evidence::field(0, &everybody(), "eviction rate", rates.join("; "))
    };
    let mut found = Finding::new(KIND.id, "eviction-clock-running", everybody(), headline)
        .since(since.filter(|_| now.has_time))
        .evidence(facts)
        .evidence([rate]);
    for clock in clocks {
        let how = format!("silent; {} pods will be deleted", clock.pods);
        found = found.affects(clock.node.meta.object(Kind::Node), how);
    }
    if now.has_time {
        let what = format!("the first of {pods} pods on silent nodes is deleted");
        found.forecast.push(Forecast { what, at: first });
        let what = format!("the pods of all {nodes} nodes are deleted");
        found.forecast.push(Forecast { what, at: last });
    }
    found
}

/// When the pods of each silent node of a zone go. Nodes that are tainted already have their
/// time; the others follow at the zone's rate.
fn of_zone<'s>(zone: &Zone<'s>, rate: f64, now: &'s Snapshot) -> Vec<Clock<'s>> {
    let mut clocks = Vec::new();
    let mut waiting = 0_u32;
    for node in &zone.silent {
        let Some(silent) = zones::silent_since(node) else { continue };
        let tainted = node.taints.iter().find(|t| is_unreachable(t)).map(|t| t.time_added);
        let start = match tainted {
            Some(at) => at.unwrap_or(silent),
            None if rate <= 0.0 => continue,
            None => {
                let delay = f64::from(waiting) / rate;
                silent.plus_seconds(delay as i64)
            }
        };
        waiting += 1;
        let times: Vec<i64> = evictable(node, now).filter_map(borne_seconds).collect();
        let (least, most) = (times.iter().min(), times.iter().max());
        if let (Some(least), Some(most)) = (least, most) {
            let (first, last) = (start.plus_seconds(*least), start.plus_seconds(*most));
            clocks.push(Clock { node, pods: times.len(), first, last });
        }
    }
    clocks
}

fn is_unreachable(taint: &Taint) -> bool {
    taint.key == "node.kubernetes.io/unreachable" && taint.effect == "NoExecute"
}

/// Pods of a node that its taint can drive away and that are not marked yet.
fn evictable<'s>(node: &'s Node, now: &'s Snapshot) -> impl Iterator<Item = &'s Pod> {
    let is_static = |p: &Pod| p.meta.owner.as_ref().is_some_and(|o| o.kind == "Node");
    let here = now.on_node(&node.meta.name);
    let here = here.filter(|(app, _)| app.kind != Kind::DaemonSet).map(|(_, pod)| pod);
    here.filter(move |p| p.runs_on() && !is_static(p))
}

/// How long a pod bears an unreachable node; `None` when for ever.
fn borne_seconds(pod: &Pod) -> Option<i64> {
    let own = |t: &&Toleration| {
        let taint = Taint {
            key: "node.kubernetes.io/unreachable".into(),
            effect: "NoExecute".into(),
            ..Taint::default()
        };
        t.tolerates(&taint)
    };
    let mut matching = pod.spec.tolerations.iter().filter(own).peekable();
    if matching.peek().is_none() {
        return Some(TOLERATION_SECONDS);
    }
    // Of several the shortest counts; one without a time is for ever.
    matching.filter_map(|t| t.toleration_seconds).min()
}

/// What lets a whole cluster fall silent at once is a control plane of one machine: its own kind.
fn exposed(_: &Snapshot, _: &mut Vec<Gap>) {}

fn remedy(finding: &Finding, _: &Snapshot) -> Remedy {
    let nodes = finding.affected.iter().filter(|a| a.object.kind == Kind::Node);
    let names: Vec<&str> = nodes.map(|a| a.object.name.as_str()).take(3).collect();
    let each = names.join(" ");
    Remedy {
        next: vec![
            Step::look(
                "See whether the machines live and their containers run",
                format!("for n in {each}; do ssh $n 'uptime; sudo crictl ps | head'; done"),
            ),
            Step::change(
                "When they live, stop the clock: on each control-plane node, until the nodes \
                 are back",
                "sudo mv /etc/kubernetes/manifests/kube-controller-manager.yaml /var/tmp/",
                "sudo mv /var/tmp/kube-controller-manager.yaml /etc/kubernetes/manifests/",
            ),
            Step {
                what: "Or win time: a restart of the controller manager starts all tolerations \
                       anew"
                    .into(),
                command: Some(
                    "kubectl delete pod -n kube-system -l component=kube-controller-manager".into(),
                ),
                risk: Risk::Disruptive,
                undo: None,
            },
        ],
        do_not: vec![
            "Do not start a new controller manager before the nodes can reach the API server: \
             it counts them as lost and deletes their pods"
                .into(),
            "Do not replace the nodes one by one: what they share is at fault".into(),
        ],
    }
}

/// No single object's setting prevents it.
fn prevent(_: &Gap, _: &Snapshot) -> Option<Patch> {
    None
}

fn rehearse() -> Option<Scenario> {
    Some(Scenario {
        story: "Two nodes of one zone fall silent at the same time.",
        acts: vec![(30, Act::StopKubelet("worker-1")), (30, Act::StopKubelet("worker-4"))],
        found_within_seconds: 120,
    })
}

/// Used by tests and by kinds that name the cluster.
#[cfg(test)]
fn lines_of(yaml: &str) -> (Vec<String>, Vec<(String, String)>) {
    let now = crate::testing::snapshot(yaml);
    let mut findings = Findings::default();
    detect(&now, &mut findings);
    let forecast = findings.found.iter().flat_map(|f| f.forecast.iter());
    let times = forecast.map(|f| (f.what.clone(), f.at.to_string())).collect();
    (crate::testing::lines(&KIND, &now), times)
}

#[cfg(test)]
mod tests {
    use super::lines_of;

    fn node(name: &str, zone: &str, silent: Option<&str>) -> String {
        let status = if silent.is_some() { "Unknown" } else { "True" };
        let since = silent.unwrap_or("2026-01-01T00:00:00Z");
        format!(
            "kind: Node\nmetadata: {{name: {name}, labels: {{topology.kubernetes.io/zone: \
             {zone}}}, creationTimestamp: 2026-01-01T00:00:00Z}}\nstatus:\n  conditions:\n  - \
             {{type: Ready, status: '{status}', lastTransitionTime: {since}}}\n---\n"
        )
    }

    fn pod(name: &str, node: &str, seconds: Option<u32>) -> String {
        let tolerations = seconds.map_or(String::new(), |s| {
            format!(
                ", tolerations: [{{key: node.kubernetes.io/unreachable, operator: Exists, effect: \
                 NoExecute, tolerationSeconds: {s}}}]"
            )
        });
        format!(
            "kind: Pod\nmetadata: {{name: {name}, namespace: shop, creationTimestamp: \
             2026-01-01T00:00:00Z}}\nspec: {{nodeName: {node}, containers: [{{name: c, image: \
             x}}]{tolerations}}}\nstatus: {{phase: Running}}\n---\n"
        )
    }

    const SILENT: Option<&str> = Some("2026-01-02T00:00:00Z");

    #[test]
    fn two_of_a_zone_go_ten_seconds_apart() {
        let yaml: String = [
            node("a1", "a", SILENT),
            node("a2", "a", Some("2026-01-02T00:00:05Z")),
            node("a3", "a", None),
            node("b1", "b", None),
            pod("x", "a1", None),
            pod("z", "a2", Some(600)),
        ]
        .concat();
        let (found, times) = lines_of(&yaml);
        assert_eq!(found, ["eviction-clock-running cluster/cluster Proven Active"]);
        assert_eq!(times[0].1, "2026-01-02T00:05:00Z");
        assert_eq!(times[1].1, "2026-01-02T00:10:15Z");
    }

    #[test]
    fn most_of_a_small_zone_is_held_and_so_is_everybody() {
        let zone = |healthy: bool| -> String {
            let mut yaml: String = (0..4)
                .map(|i| {
                    node(&format!("a{i}"), "a", SILENT)
                        + &pod(&format!("p{i}"), &format!("a{i}"), None)
                })
                .collect();
            if healthy {
                yaml += &(node("a8", "a", None) + &node("b1", "b", None));
            }
            yaml
        };
        assert!(lines_of(&zone(true)).0.is_empty(), "4 of 5: rate 0");
        assert!(lines_of(&zone(false)).0.is_empty(), "all zones: held");
        let beside = zone(false) + &node("b1", "b", None);
        assert_eq!(lines_of(&beside).0.len(), 1, "a whole zone beside a healthy one");
        let tainted = zone(true).replacen(
            "status:\n",
            "spec: {taints: [{key: node.kubernetes.io/unreachable, effect: NoExecute, timeAdded: \
             2026-01-02T00:00:01Z}]}\nstatus:\n",
            1,
        );
        let (found, times) = lines_of(&tainted);
        assert_eq!(found.len(), 1, "the node that was tainted before loses its pods");
        assert_eq!(times[0].1, "2026-01-02T00:05:01Z");
    }

    #[test]
    fn look_alikes_stay_quiet() {
        let one = node("a1", "a", SILENT) + &node("a2", "a", None) + &pod("x", "a1", None);
        assert!(lines_of(&one).0.is_empty());
        let apart = node("a1", "a", SILENT)
            + &node("a2", "a", Some("2026-01-02T00:20:00Z"))
            + &node("a3", "a", None)
            + &pod("x", "a1", None);
        assert!(lines_of(&apart).0.is_empty(), "in turn, not together");
    }
}
