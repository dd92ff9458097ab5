//! `pod-probe-failing-node-loaded`: probes fail on one node, whatever workload they are of.

use model::{
    Act, Certainty, Finding, Findings, Gap, Impact, Kind, ObjectRef, Patch, Remedy, Scenario,
    Snapshot, Step, Truth,
};

use super::probe_failing::node::{self, Loaded};
use crate::evidence;
use crate::workload::probe_too_tight;

failure! {
    /// # Probes fail on one node only
    ///
    /// ## Signs
    /// Events Unhealthy with timeouts or refused connections for pods of several workloads, all
    /// on one node. The same workloads answer on other nodes. Some of the containers are
    /// killed by their liveness probes and restart.
    ///
    /// ## Why it happens
    /// The kubelet that asks and the container that shall answer share a machine that has more
    /// to do than it can: its processors are taken by one workload, its disk is slow, its
    /// runtime hangs. A readiness probe that fails takes the pod out of its Services; it never
    /// restarts a container. A liveness probe does, and each restart loads the node further.
    ///
    /// ## What we do
    /// 1. Look at the node: who uses its processors, who waits for its disk.
    /// 2. Keep new pods away; move the one that takes most.
    /// 3. Allow probes more time and more failures, so that a busy minute kills nothing.
    ///
    /// Do not roll the workloads back: their versions are not to blame.
    ///
    /// ## How to avoid it
    /// CPU requests and limits, `timeoutSeconds` above one second, `failureThreshold` of three
    /// or more, TCP or HTTP probes instead of exec.
    ///
    /// ## Sources
    /// Kubernetes documentation, "Configure Liveness, Readiness and Startup Probes".
    id: "pod-probe-failing-node-loaded",
    mechanisms: {
        "node-loaded": "the node is too busy to answer in time",
    },
    reads: [Pod, Event, Node],
    leads_to: ["pod-crash-looping", "pod-probe-failing", "service-without-endpoints"],
    detect: Cluster(detect),
    exposed: exposed,
    remedy: remedy,
    prevent: prevent,
    rehearse: rehearse,
}

fn detect(now: &Snapshot, findings: &mut Findings) {
    for loaded in node::loaded(now) {
        findings.push(finding(&loaded, now));
    }
}

fn finding(loaded: &Loaded<'_>, now: &Snapshot) -> Finding {
    let name = loaded.node;
    let object = ObjectRef::new(Kind::Node, "", name);
    let headline = format!(
        "node {name}: probes of {} workloads fail on it, and on no other node",
        loaded.apps.len()
    );
    let look = format!("kubectl top node {name}; kubectl describe node {name}");
    let mut finding = Finding::new(KIND.id, "node-loaded", object.clone(), headline)
        .evidence(loaded.evidence.iter().take(3).cloned())
        .since(loaded.since)
        .unsure(Certainty::Likely, &["probe-timing-too-tight"], look);
    if let Some(record) = now.nodes.get("", name) {
        for kind in ["MemoryPressure", "DiskPressure", "PIDPressure"] {
            let pressure = record.condition(kind).filter(|c| c.status == Truth::True);
            let fact = pressure.map(|c| evidence::condition(record.meta.source, &object, c));
            finding = finding.evidence(fact);
        }
        finding = finding.evidence(crate::node::load::evidence_of_load(record, now));
    }
    let mut lost = 0u32;
    for app in &loaded.apps {
        let down = app.running().filter(|p| p.node == name && p.is_ready() != Some(true)).count();
        lost = lost.saturating_add(u32::try_from(down).unwrap_or(u32::MAX));
        let all = app.pods.len();
        finding = finding.affects(app.object.clone(), format!("{down} of {all} pods fail there"));
    }
    let tight = loaded.apps.iter().filter_map(|app| probe_too_tight::factor(app));
    finding.factors.extend(tight.take(3));
    finding.impact(Impact { replicas: lost, ..Impact::default() })
}

/// Probes that allow too little time are asked about by a check of its own.
fn exposed(_: &Snapshot, _: &mut Vec<Gap>) {}

fn remedy(finding: &Finding, _: &Snapshot) -> Remedy {
    let node = &finding.object.name;
    Remedy {
        next: vec![
            Step::look("See what uses the node", format!("kubectl top node {node}")),
            Step::look(
                "See which pods are on it, and which have no limits",
                format!("kubectl describe node {node}"),
            ),
            Step::change(
                "Keep new pods away until it is relieved",
                format!("kubectl cordon {node}"),
                format!("kubectl uncordon {node}"),
            ),
            Step::advice(
                "Give liveness probes more time: timeoutSeconds 5, failureThreshold 3 or more",
            ),
        ],
        do_not: vec![
            "Do not roll back the workloads: they fail on this node only".into(),
            "Do not restart all pods of the node at once: their starts load it further".into(),
        ],
    }
}

fn prevent(_: &Gap, _: &Snapshot) -> Option<Patch> {
    None
}

fn rehearse() -> Option<Scenario> {
    let act = "The processors of worker-2 are taken by something else; probes on it time out.";
    Some(Scenario {
        story: "One node is so busy that probes of all its pods time out.",
        acts: vec![(60, Act::Unmodelled(act))],
        found_within_seconds: 300,
    })
}

#[cfg(test)]
mod tests {
    use super::KIND;
    use crate::testing::check;

    fn pod(app: &str, node: &str, message: &str) -> String {
        let ready = if message.is_empty() { "True" } else { "False" };
        let pod = format!(
            "kind: Pod\nmetadata:\n  name: {app}-0\n  namespace: shop\n  creationTimestamp: \
             2026-01-01T00:00:00Z\n  ownerReferences: [{{kind: StatefulSet, name: {app}, \
             controller: true}}]\nspec:\n  nodeName: {node}\n  containers: [{{name: main, image: \
             {app}:1, readinessProbe: {{httpGet: {{port: 80}}}}}}]\nstatus:\n  phase: Running\n  \
             conditions: [{{type: Ready, status: '{ready}', lastTransitionTime: \
             2026-01-02T09:50:00Z}}]\n---\n"
        );
        if message.is_empty() {
            return pod;
        }
        let event = format!(
            "kind: Event\nmetadata: {{name: {app}.1, namespace: shop}}\ninvolvedObject: {{kind: \
             Pod, name: {app}-0, namespace: shop}}\ntype: Warning\nreason: Unhealthy\nmessage: \
             'Readiness probe failed: {message}'\ncount: 12\nfirstTimestamp: \
             2026-01-02T09:49:00Z\nlastTimestamp: 2026-01-02T10:00:00Z\n---\n"
        );
        pod + &event
    }

    const LATE: &str = "Get \"http://10.1.0.7:80/\": context deadline exceeded";
    const REFUSED: &str = "dial tcp 10.1.0.7:80: connect: connection refused";

    #[test]
    fn several_workloads_of_one_node_point_to_the_node() {
        let well = pod("door", "b", "");
        let late = pod("lamp", "a", LATE) + &pod("fan", "a", LATE) + &pod("bell", "a", LATE);
        check(&KIND, &(late.clone() + &well), &["node-loaded node/a Likely Active"]);
        // Older kubelets said it otherwise.
        let old = late.replace(
            "context deadline exceeded",
            "net/http: request canceled (Client.Timeout exceeded while awaiting headers)",
        );
        check(&KIND, &(old + &well), &["node-loaded node/a Likely Active"]);
    }

    #[test]
    fn look_alikes_stay_quiet() {
        let well = pod("door", "b", "");
        // Two workloads may be a coincidence; refused everywhere is no matter of time.
        check(&KIND, &(pod("lamp", "a", LATE) + &pod("fan", "a", LATE) + &well), &[]);
        let refused = pod("lamp", "a", REFUSED) + &pod("fan", "a", REFUSED);
        check(&KIND, &(refused + &pod("bell", "a", REFUSED) + &well), &[]);
        // All nodes: it is not the node.
        let all = pod("lamp", "a", LATE) + &pod("fan", "b", LATE) + &pod("bell", "c", LATE);
        check(&KIND, &all, &[]);
    }
}
