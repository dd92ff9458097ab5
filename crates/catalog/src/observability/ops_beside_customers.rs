//! `ops-beside-customers`: tools of those who run the cluster share nodes with its customers.

use std::collections::BTreeSet;

use model::{Act, App, Finding, Gap, ObjectRef, Patch, Remedy, Scenario, Snapshot, Step};

use super::tooling;
use crate::node::lost_cascade::{limit_patch, unlimited};
use crate::workload::audit;

failure! {
    /// # Tools beside the workloads of customers
    ///
    /// ## Signs
    /// Pods that watch, collect logs or build run on the same nodes as workloads that serve
    /// customers, and a container of theirs has no memory limit.
    ///
    /// ## Why it happens
    /// A cluster has one group of nodes to begin with, and tools are installed like everything
    /// else. Their load follows that of the customers: more traffic means more metrics and
    /// more lines of logs. So they take most when least is left, and whatever they take is
    /// taken from those they were meant to protect.
    ///
    /// ## What we do
    /// 1. Give every container of a tool a memory limit: that bounds the harm today.
    /// 2. Make a group of nodes for tools, with a taint; let the tools tolerate and choose it.
    /// 3. Move them one by one, the greediest first.
    ///
    /// Do not taint nodes that customers' pods are on with `NoExecute`: they are evicted at
    /// once.
    ///
    /// ## How to avoid it
    /// A node group, or a cluster, for tools from the start. A low priority class for
    /// builds. Agents that must be on every node (DaemonSets) are left out here; they need
    /// limits all the same.
    ///
    /// ## Sources
    /// "Maximize learnings from a Kubernetes cluster failure" (NU.nl, 2018); Kubernetes
    /// documentation, "Taints and Tolerations".
    id: "ops-beside-customers",
    mechanisms: {
        "ops-beside-customers": "a tool without bounds shares nodes with customers' workloads",
    },
    reads: [Deployment, LimitRange, Node, Pod, StatefulSet],
    leads_to: [
        "node-lost-cascade",
        "node-overloaded",
        "node-poison-workload",
        "node-system-oom",
        "pod-evicted-memory",
    ],
    detect: ExposedApps(lacks),
    exposed: exposed,
    remedy: remedy,
    prevent: prevent,
    rehearse: rehearse,
}

fn exposed(now: &Snapshot, gaps: &mut Vec<Gap>) {
    now.apps.iter().for_each(|app| lacks(app, now, gaps));
}

/// What one workload lacks.
fn lacks(app: &App, now: &Snapshot, gaps: &mut Vec<Gap>) {
    if !tooling::is_standing(app) {
        return;
    }
    let Some(tool) = tooling::of(app) else { return };
    let free = unlimited(app);
    let Some(container) = free.first() else { return };
    if audit::limit_is_given(&app.object.namespace, "memory", now) {
        return;
    }
    let (nodes, customers) = shared(app, now);
    let Some(first) = customers.first() else { return };
    let others = match customers.len() {
        1 => String::new(),
        more => format!(" and {} more", more - 1),
    };
    let why = format!(
        "it {} without a memory limit on {nodes} of the nodes that serve {first}{others}",
        tool.word()
    );
    let field = app.spec_field(&format!("containers[{}].resources.limits.memory", container.name));
    gaps.push(audit::gap(KIND.id, app, field, why));
}

/// On how many of its nodes there are workloads of customers, and which.
fn shared<'s>(app: &App, now: &'s Snapshot) -> (usize, BTreeSet<&'s ObjectRef>) {
    let mut customers = BTreeSet::new();
    let mut nodes = 0;
    for node in now.nodes_of(app) {
        let before = customers.len();
        let mut any = false;
        for (other, pod) in now.on_node(&node.name) {
            let standing = matches!(other.kind, model::Kind::Deployment | model::Kind::StatefulSet)
                && !pod.is_finished();
            let own =
                other.namespace == app.object.namespace || other.namespace.starts_with("kube-");
            if standing && !own && now.app(other).is_some_and(|o| tooling::of(o).is_none()) {
                customers.insert(other);
                any = true;
            }
        }
        nodes += usize::from(any || customers.len() > before);
    }
    (nodes, customers)
}

fn remedy(finding: &Finding, _: &Snapshot) -> Remedy {
    let target = finding.object.for_kubectl();
    Remedy {
        next: vec![
            Step::look(
                "See what it uses",
                format!("kubectl top pods -n {} --containers", finding.object.namespace),
            ),
            Step::change(
                "Bound its memory",
                format!("kubectl set resources {target} --limits=memory=1Gi"),
                format!("kubectl rollout undo {target}"),
            ),
            Step::advice("Then give tools nodes of their own: a label, a taint, a toleration"),
        ],
        do_not: vec![
            "Do not set a taint with NoExecute on nodes in use: customers' pods are evicted".into(),
        ],
    }
}

/// A limit bounds the harm; nodes are no objects that a patch makes.
fn prevent(gap: &Gap, now: &Snapshot) -> Option<Patch> {
    limit_patch(gap, now)
}

fn rehearse() -> Option<Scenario> {
    Some(Scenario {
        story: "A tool for measurements grows on the nodes that serve customers.",
        acts: vec![
            (
                0,
                Act::Apply(
                    "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: measures, namespace: \
                     tools}\nspec:\n  replicas: 1\n  selector: {matchLabels: {app: measures}}\n  \
                     template:\n    metadata: {labels: {app: measures}}\n    spec:\n      \
                     containers:\n      - {name: main, image: 'prometheus:v3'}\n",
                ),
            ),
            (60, Act::Unmodelled("The memory of a tool grows with the traffic of its neighbours.")),
        ],
        found_within_seconds: 3600,
    })
}

#[cfg(test)]
mod tests {
    use super::KIND;
    use crate::testing::check_gaps;

    fn app(namespace: &str, name: &str, image: &str, resources: &str, node: &str) -> String {
        let spec = format!(
            "{{nodeName: '{node}', containers: [{{name: main, image: '{image}', resources: \
             {{{resources}}}}}]}}"
        );
        format!(
            "kind: Deployment\nmetadata: {{namespace: {namespace}, name: {name}, \
             creationTimestamp: 2026-01-01T00:00:00Z}}\nspec: {{replicas: 1, template: {{spec: \
             {spec}}}}}\n---\n{}",
            pod(namespace, name, &spec)
        )
    }

    fn pod(namespace: &str, name: &str, spec: &str) -> String {
        format!(
            "kind: Pod\nmetadata: {{namespace: {namespace}, name: {name}-6f4d5b7c9d-x2x4z, \
             creationTimestamp: 2026-01-01T00:00:00Z, ownerReferences: [{{kind: ReplicaSet, name: \
             {name}-6f4d5b7c9d, controller: true}}]}}\nspec: {spec}\nstatus: {{phase: \
             Running}}\n---\n"
        )
    }

    const WATCHER: &str = "reg.example/prom/prometheus:v3";
    const FIELD: &str = "deploy/eye spec.template.spec.containers[main].resources.limits.memory";

    #[test]
    fn a_tool_without_a_limit_on_customers_nodes_is_a_gap() {
        let customer = app("dock", "web", "own/web:1", "", "n1");
        check_gaps(&KIND, &(app("tools", "eye", WATCHER, "", "n1") + &customer), &[FIELD]);
        check_gaps(
            &KIND,
            &(app("tools", "eye", "jenkins/jenkins:lts", "", "n1") + &customer),
            &[FIELD],
        );
        let bounded = app("tools", "eye", WATCHER, "limits: {memory: 1Gi}", "n1");
        check_gaps(&KIND, &(bounded + &customer), &[]);
    }

    #[test]
    fn pods_alone_show_who_shares_a_node() {
        let spec = |image: &str| {
            format!("{{nodeName: n1, containers: [{{name: main, image: '{image}'}}]}}")
        };
        let both =
            pod("tools", "eye", &spec("grafana/loki:3")) + &pod("dock", "web", &spec("own/web:1"));
        check_gaps(&KIND, &both, &[FIELD]);
    }

    #[test]
    fn tools_among_themselves_or_apart_are_no_gap() {
        let eye = app("tools", "eye", WATCHER, "", "n1");
        check_gaps(&KIND, &(eye.clone() + &app("tools", "helper", "own/helper:1", "", "n1")), &[]);
        check_gaps(
            &KIND,
            &(eye.clone()
                + &app("builds", "mill", "gitlab-runner:17", "limits: {memory: 1Gi}", "n1")),
            &[],
        );
        check_gaps(&KIND, &(eye + &app("dock", "web", "own/web:1", "", "n2")), &[]);
    }
}
