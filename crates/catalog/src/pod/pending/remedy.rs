//! What to do about pods without a node: commands with the real names, and what makes it worse.

use model::{Finding, Kind, Remedy, Snapshot, Step};

use crate::wording::between;

/// Steps, the first one first, and what makes it worse.
pub(crate) fn of(finding: &Finding, now: &Snapshot) -> Remedy {
    let object = finding.object.for_kubectl();
    let value = finding.value.as_deref().unwrap_or_default();
    let expected = finding.expected.as_deref().unwrap_or_default();
    let edit = |what: String| Step::advice(what + ": kubectl edit " + &object);
    let next = match finding.mechanism {
        "node-cordoned" => uncordon(finding),
        "node-selector-unmatched" => relabel(finding, value, expected),
        "node-affinity-unmatched" => vec![
            Step::look("See the labels that nodes have", "kubectl get nodes --show-labels"),
            edit(format!("Change the rule `{value}` to one that nodes meet")),
        ],
        "taint-not-tolerated" if finding.object.kind == Kind::Node => vec![Step::look(
            "Find out what is wrong with the node: the taint goes when it is well",
            format!("kubectl describe {object}"),
        )],
        "taint-not-tolerated" => vec![
            Step::look(
                "See the taints of all nodes",
                "kubectl get nodes -o custom-columns=NAME:.metadata.name,TAINTS:.spec.taints",
            ),
            edit(format!("Add {expected}")),
            Step::advice("Or take the taint off the nodes, when nobody needs it any more"),
        ],
        "scheduler-absent" => scheduler(finding),
        "scheduler-name-unknown" => vec![edit(format!("Set schedulerName to {expected}"))],
        "scheduling-gated" => {
            vec![Step::advice("Ask who set the gate: it takes it away when its condition holds")]
        }
        "claim-unbound" => vec![Step::look(
            format!("See the claim {value}"),
            format!("kubectl describe pvc -n {} {value}", finding.object.namespace),
        )],
        "insufficient-pods" if finding.object.kind == Kind::Node => return full(finding),
        m if m.starts_with("insufficient-") => room(finding, &object, expected),
        _ => vec![edit(format!("Make it {expected}"))],
    };
    let mut do_not = vec![
        "Do not delete the waiting pods: their successors wait for the same reason".to_owned(),
    ];
    match finding.mechanism {
        "node-selector-unmatched" | "node-affinity-unmatched" | "taint-not-tolerated" => {
            do_not.push("Do not add nodes of the same kind: they will not be taken either".into())
        }
        "node-cordoned" => do_not.push(
            "Do not uncordon a node before you know who cordoned it: it may be under repair".into(),
        ),
        _ => {}
    }
    let fallback = now.app(&finding.object).is_some_and(|a| a.sets.len() > 1);
    let mut next = next;
    if fallback && finding.object.kind == Kind::Deployment {
        let undo = format!("kubectl rollout undo {object}");
        next.push(Step::change("Or go back to the revision before", undo.clone(), undo));
    }
    Remedy { next, do_not }
}

/// A full node, and nobody waits yet.
fn full(finding: &Finding) -> Remedy {
    let node = &finding.object.name;
    let look = "kubectl get pods -A -o wide --field-selector spec.nodeName=";
    Remedy {
        next: vec![
            Step::look("See what runs on it", format!("{look}{node}")),
            Step::advice("Scale down what is not needed, or add nodes"),
            Step::advice("Or let its kubelet take more (maxPods), if its network has addresses"),
        ],
        do_not: Vec::new(),
    }
}

fn uncordon(finding: &Finding) -> Vec<Step> {
    let own = Some(&finding.object).filter(|o| o.kind == Kind::Node);
    let nodes = own
        .into_iter()
        .chain(finding.affected.iter().map(|a| &a.object).filter(|o| o.kind == Kind::Node));
    nodes
        .map(|node| {
            Step::change(
                format!("Open {} again once its maintenance is over", node.name),
                format!("kubectl uncordon {}", node.name),
                format!("kubectl cordon {}", node.name),
            )
        })
        .collect()
}

/// Correct the selector where the value meant is known, else give a node the label.
fn relabel(finding: &Finding, value: &str, expected: &str) -> Vec<Step> {
    let look = Step::look("See the labels that nodes have", "kubectl get nodes --show-labels");
    let object = finding.object.for_kubectl();
    let field = finding.field.as_deref().unwrap_or_default();
    let Some((_, key)) = field.split_once("nodeSelector.") else {
        return vec![look, Step::advice(format!("Correct the selector: kubectl edit {object}"))];
    };
    let patch = |value: &str| {
        let selector = format!("{{\"nodeSelector\":{{\"{key}\":\"{value}\"}}}}");
        format!("kubectl patch {object} -p '{{\"spec\":{{\"template\":{{\"spec\":{selector}}}}}}}'")
    };
    let templated = field.starts_with("spec.template.");
    let meant = expected.split_once(" (as ").map(|(v, _)| v).filter(|_| templated);
    let mut steps = vec![look];
    steps.extend(
        meant.map(|m| Step::change(format!("Select {key}={m} instead"), patch(m), patch(value))),
    );
    steps.push(Step::change(
        "Or give the nodes that are meant for it the label",
        format!("kubectl label node NODE {key}={value}"),
        format!("kubectl label node NODE {key}-"),
    ));
    steps
}

fn scheduler(finding: &Finding) -> Vec<Step> {
    let unit = finding.evidence.iter().find_map(|e| e.field.split_once(" on ").map(|(_, n)| n));
    let look = "kubectl get pods -n kube-system -o wide | grep -i scheduler";
    let mut steps = vec![Step::look("See whether the scheduler runs", look)];
    match unit.filter(|n| !n.is_empty()) {
        Some(node) => steps.push(Step::change(
            format!("Start it again on {node}"),
            format!("ssh {node} sudo systemctl start kube-scheduler"),
            format!("ssh {node} sudo systemctl stop kube-scheduler"),
        )),
        None => steps.push(Step::advice(
            "Start it again: systemctl start kube-scheduler, or put its manifest back into \
             /etc/kubernetes/manifests",
        )),
    }
    steps
}

fn room(finding: &Finding, object: &str, expected: &str) -> Vec<Step> {
    let look = Step::look(
        "See what is left on each node",
        "kubectl describe nodes | grep -A8 'Allocated resources'",
    );
    let field = finding.field.as_deref().unwrap_or_default();
    let part = field.split_once("resources.").map_or("", |(_, part)| part);
    let (part, resource) = part.split_once('.').unwrap_or(("requests", part));
    let container = between(field, "ontainers[", "]").filter(|c| *c != "*");
    let amount = expected.strip_prefix("at most ").and_then(|e| e.split(',').next());
    let old = finding.value.as_deref().unwrap_or_default();
    let set = |amount: &str| {
        let names = container.map(|c| format!(" -c {c}")).unwrap_or_default();
        format!("kubectl set resources {object}{names} --{part}={resource}={amount}")
    };
    let lower = match amount.filter(|a| *a != "0") {
        Some(amount) => Step::change(
            format!("Ask for less {resource}, as little as it needs"),
            set(amount),
            set(old),
        ),
        None => Step::advice(format!("Ask for less: kubectl edit {object}")),
    };
    vec![look, lower, Step::advice("Or add nodes, or scale down what is not needed now")]
}
