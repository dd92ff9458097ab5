//! `pods-marked-but-running`: pods are marked for deletion on a node that nobody hears from.

use model::record::{Node, Pod};
use model::{
    Act, Finding, Findings, Gap, Kind, ObjectRef, Patch, Remedy, Risk, Role, Scenario, Snapshot,
    Step, Timestamp, Truth,
};

use crate::evidence;

failure! {
    /// # Pods are marked for deletion and may still be running
    ///
    /// ## Signs
    /// Pods show `Terminating` for longer than their grace period, and their node is `Unknown`.
    /// Deployments have made replacements; StatefulSets wait. On the machine the old containers
    /// may be well and serve.
    ///
    /// ## Why it happens
    /// The node controller marks the pods of a node that it has not heard from for their
    /// toleration, 300 s unless they say otherwise. To delete a pod takes its kubelet, and the
    /// kubelet does not know yet. In the minute in which it reaches the API server again it
    /// reads the marks and stops the containers, all at once.
    ///
    /// A mark cannot be taken back through the API.
    ///
    /// ## What we do
    /// 1. Decide before the connection comes back: may these containers die?
    /// 2. When they must not, stop the kubelet on the machine first: containers run on without
    ///    it. Then move what matters (traffic, data) while they live.
    /// 3. When they may, or the machine is dead for certain, let it reconnect, or power it off
    ///    and delete the node.
    ///
    /// Never delete such pods by force while the machine may live: a StatefulSet then has the
    /// same pod twice, with one volume.
    ///
    /// ## How to avoid it
    /// Hold the node controller when many nodes fall silent together. Give workloads that must
    /// not be killed by mistake a longer toleration.
    ///
    /// ## Sources
    /// Kubernetes documentation, "Force Delete StatefulSet Pods", "Taints and Tolerations"; a
    /// post-mortem of 2017 in which all containers were killed by the reconnection.
    id: "pods-marked-but-running",
    mechanisms: {
        "kubelet-unaware": "their kubelet has not been reached and does not know of it",
    },
    reads: [Node, Pod],
    leads_to: ["pod-terminating-stuck", "statefulset-pod-unknown"],
    detect: Nodes(detect),
    exposed: exposed,
    remedy: remedy,
    prevent: prevent,
    rehearse: rehearse,
}

fn detect(node: &Node, now: &Snapshot, findings: &mut Findings) {
    if node.ready() != Some(Truth::Unknown) {
        return;
    }
    let object = node.meta.object(Kind::Node);
    let here = now.on_node(&node.meta.name);
    let marked: Vec<(&ObjectRef, &Pod)> = here.filter(|(_, p)| p.meta.deleting.is_some()).collect();
    let Some((_, first)) = marked.first() else { return };
    let count = marked.len();
    let pods = if count == 1 { "1 pod is".to_owned() } else { format!("{count} pods are") };
    let headline = format!(
        "{pods} marked for deletion on {}, which nobody hears from: they may run, and die when \
         it is back",
        node.meta.name
    );
    // 1970 stands for "only the fact is known".
    let known = |t: &Timestamp| *t > Timestamp::from_seconds(0);
    let since = marked.iter().filter_map(|(_, p)| p.meta.deleting.filter(known)).min();
    let facts = marked.iter().take(3).map(|(_, p)| {
        let at = p.meta.deleting.filter(known);
        let value = at.map_or_else(|| "set".to_owned(), |t| t.to_string());
        let object = p.meta.object(Kind::Pod);
        evidence::field(p.meta.source, &object, "metadata.deletionTimestamp", value)
    });
    let mut found = Finding::new(KIND.id, "kubelet-unaware", object, headline)
        .role(Role::Symptom)
        .since(since.filter(|_| now.has_time))
        .field(
            "metadata.deletionTimestamp",
            first.meta.name.to_string(),
            "a kubelet that knows of it",
        )
        .evidence(facts);
    for (app, pod) in &marked {
        let how = format!("{} dies when the node is back", pod.meta.name);
        if found.affected.iter().all(|a| a.object != **app) {
            found = found.affects((*app).clone(), how);
        }
    }
    findings.push(found);
}

/// What could be marked is what any lost node has: no protection of its own is missing.
fn exposed(_: &Snapshot, _: &mut Vec<Gap>) {}

fn remedy(finding: &Finding, _: &Snapshot) -> Remedy {
    let node = &finding.object.name;
    Remedy {
        next: vec![
            Step::look(
                "List what dies when the node is back",
                format!(
                    "kubectl get pods -A --field-selector spec.nodeName={node} | grep Terminating"
                ),
            ),
            Step::look(
                "See on the machine which of them run",
                format!("ssh {node} sudo crictl ps"),
            ),
            Step {
                what: "When they must live, stop the kubelet before the connection is repaired"
                    .into(),
                command: Some(format!("ssh {node} sudo systemctl stop kubelet")),
                risk: Risk::Reversible,
                undo: Some(format!("ssh {node} sudo systemctl start kubelet")),
            },
        ],
        do_not: vec![
            "Do not reconnect the node before this is decided: its kubelet kills them at once"
                .into(),
            "Do not delete them by force while the machine may live: two could write to one \
             volume"
                .into(),
        ],
    }
}

/// No setting of an object takes a mark back.
fn prevent(_: &Gap, _: &Snapshot) -> Option<Patch> {
    None
}

fn rehearse() -> Option<Scenario> {
    Some(Scenario {
        story: "A node is cut off for longer than its pods bear it.",
        acts: vec![(30, Act::StopKubelet("worker-2"))],
        found_within_seconds: 480,
    })
}

#[cfg(test)]
mod tests {
    use super::KIND;
    use crate::testing::check;

    fn story(ready: &str, deleting: &str) -> String {
        format!(
            "kind: Node\nmetadata: {{name: a, creationTimestamp: 2026-01-01T00:00:00Z}}\nstatus: \
             {{conditions: [{{type: Ready, status: '{ready}', lastTransitionTime: \
             2026-01-02T00:00:00Z}}]}}\n---\nkind: Pod\nmetadata: {{name: x, namespace: shop, \
             creationTimestamp: 2026-01-01T00:00:00Z{deleting}}}\nspec: {{nodeName: \
             a}}\nstatus: {{phase: Running}}\n"
        )
    }

    const MARK: &str = ", deletionTimestamp: 2026-01-02T00:05:30Z";

    #[test]
    fn marked_pods_of_a_silent_node_are_told() {
        check(&KIND, &story("Unknown", MARK), &["kubelet-unaware node/a Proven Active"]);
        let only_the_fact = ", deletingSeconds: 90";
        check(&KIND, &story("Unknown", only_the_fact), &["kubelet-unaware node/a Proven Active"]);
    }

    #[test]
    fn look_alikes_stay_quiet() {
        check(&KIND, &story("True", MARK), &[]);
        check(&KIND, &story("Unknown", ""), &[]);
    }
}
