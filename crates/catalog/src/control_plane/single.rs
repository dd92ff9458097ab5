//! `control-plane-single`: the whole control plane hangs on one machine.

use model::{Finding, Gap, Kind, Patch, Remedy, Scenario, Snapshot, Step};

use super::standing;

failure! {
    /// # The control plane is one machine
    ///
    /// ## Signs
    /// `kubectl get nodes` shows one node with the role `control-plane`, or `kube-system` holds
    /// one pod of the API server and one of etcd.
    ///
    /// ## Why it happens
    /// Most clusters begin with one machine and stay with it. What runs survives its loss; what
    /// comes after may not. While the machine is away nothing is scheduled, replaced or
    /// scaled. If etcd lived only there, the cluster's whole memory is on one disk. In a
    /// post-mortem of 2017 the lone machine fell, a second control plane was built in haste at
    /// another address, its controller manager heard no kubelet, and when the first machine's
    /// network came back the kubelets killed every container.
    ///
    /// ## What we do
    /// 1. Put an address in front of the API server that is no machine's own.
    /// 2. Join two more control-plane nodes; etcd needs three members to lose one.
    /// 3. Until then: back up etcd elsewhere, daily, and practise to restore it.
    ///
    /// ## How to avoid it
    /// Begin with `--control-plane-endpoint` even for one node: it cannot be added later
    /// without new certificates and settings on every kubelet.
    ///
    /// ## Sources
    /// Kubernetes documentation, "Options for Highly Available Topology".
    id: "control-plane-single",
    mechanisms: {
        "one-machine": "one machine runs the whole control plane",
    },
    reads: [Node, Pod],
    leads_to: ["control-plane-degraded", "control-plane-lost"],
    detect: Exposure,
    exposed: exposed,
    remedy: remedy,
    prevent: prevent,
    rehearse: rehearse,
}

fn exposed(now: &Snapshot, gaps: &mut Vec<Gap>) {
    if !now.coverage.lists(Kind::Node, "") {
        return;
    }
    let mut own = now.nodes.iter().filter(|n| n.is_control_plane());
    // A managed cluster shows none.
    let (Some(node), None) = (own.next(), own.next()) else { return };
    if standing::pods_of("kube-apiserver", now).len() > 1 {
        return;
    }
    gaps.push(Gap {
        failure: KIND.id,
        object: node.meta.object(Kind::Node),
        field: "metadata.labels[node-role.kubernetes.io/control-plane]".into(),
        why: "it is the only node of the control plane: API server, scheduler, controller \
              manager and mostly etcd are lost with it"
            .into(),
    });
}

fn remedy(_: &Finding, _: &Snapshot) -> Remedy {
    Remedy {
        next: vec![
            Step::look(
                "See at which address the nodes ask for the API server",
                "kubectl get configmap kubeadm-config -n kube-system -o yaml | grep Endpoint",
            ),
            Step::advice("Join two more control-plane nodes: kubeadm join --control-plane"),
            Step::look(
                "Until then keep a copy of etcd elsewhere",
                "sudo etcdctl snapshot save /var/backups/etcd.db",
            ),
        ],
        do_not: vec!["Do not stop at two: of two etcd members none may be lost".into()],
    }
}

/// Machines are no objects of the API.
fn prevent(_: &Gap, _: &Snapshot) -> Option<Patch> {
    None
}

fn rehearse() -> Option<Scenario> {
    None
}

#[cfg(test)]
mod tests {
    use super::KIND;
    use crate::testing::check_gaps;

    fn node(name: &str, role: &str) -> String {
        format!(
            "kind: Node\nmetadata: {{name: {name}, labels: {{node-role.kubernetes.io/{role}: ''}}, \
             creationTimestamp: 2026-01-01T00:00:00Z}}\n---\n"
        )
    }

    #[test]
    fn one_node_of_the_control_plane_is_a_gap() {
        let field = "node/a metadata.labels[node-role.kubernetes.io/control-plane]";
        check_gaps(&KIND, &(node("a", "control-plane") + &node("b", "worker")), &[field]);
        check_gaps(&KIND, &(node("a", "master") + &node("b", "worker")), &[field]);
        check_gaps(&KIND, &(node("a", "control-plane") + &node("b", "control-plane")), &[]);
        check_gaps(&KIND, &node("b", "worker"), &[]);
    }
}
