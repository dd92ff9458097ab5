//! YAML of nodes, their events and their pods for the tests of this folder. The clock of these
//! clusters stands at 2026-01-02T10:00:00Z.

/// A node whose `Ready` has been so since midnight.
pub(super) fn node(name: &str, ready: &str, message: &str) -> String {
    let reason = match ready {
        "True" => "KubeletReady",
        "False" => "KubeletNotReady",
        _ => "NodeStatusUnknown",
    };
    format!(
        "kind: Node\nmetadata: {{name: {name}, creationTimestamp: 2026-01-01T00:00:00Z}}\n\
         status:\n  conditions:\n  - {{type: Ready, status: '{ready}', reason: {reason}, message: \
         '{message}', lastTransitionTime: 2026-01-02T00:00:00Z, lastHeartbeatTime: \
         2026-01-02T10:00:00Z}}\n---\n"
    )
}

/// The same node with a condition more.
pub(super) fn with_condition(node: &str, kind: &str, status: &str, message: &str) -> String {
    let more = format!(
        "  conditions:\n  - {{type: {kind}, status: '{status}', reason: Because, message: \
         '{message}', lastTransitionTime: 2026-01-02T09:50:00Z}}\n"
    );
    node.replace("  conditions:\n", &more)
}

/// An event about a node that came just now, and first an hour ago.
pub(super) fn event(node: &str, reason: &str, message: &str, count: u32) -> String {
    event_at(("Node", "default", node), reason, message, count, "2026-01-02T10:00:00Z")
}

/// An event about a node that came last so many seconds ago.
pub(super) fn event_ago(node: &str, reason: &str, message: &str, count: u32, ago: i64) -> String {
    let now: model::Timestamp = "2026-01-02T10:00:00Z".parse().expect("a time");
    let last = now.minus_seconds(ago).to_string();
    event_at(("Node", "default", node), reason, message, count, &last)
        + &event_at(("Node", "default", "clock"), "Ticked", "", 1, "2026-01-02T10:00:00Z")
}

/// An event about the pod of a workload.
pub(super) fn pod_event(app: &str, node: &str, message: &str) -> String {
    let name = format!("{app}-{node}");
    event_at(("Pod", "shop", &name), "Failed", message, 3, "2026-01-02T10:00:00Z")
}

fn event_at(
    (kind, namespace, name): (&str, &str, &str),
    reason: &str,
    message: &str,
    count: u32,
    last: &str,
) -> String {
    let at: model::Timestamp = last.parse().expect("a time");
    let first = if count > 1 { at.minus_seconds(2400) } else { at };
    format!(
        "kind: Event\nmetadata: {{name: {name}.{reason}, namespace: {namespace}}}\n\
         involvedObject: {{kind: {kind}, name: {name}, namespace: '{}'}}\ntype: Warning\nreason: \
         {reason}\nmessage: '{}'\ncount: {count}\nfirstTimestamp: {first}\nlastTimestamp: \
         {last}\n---\n",
        if kind == "Node" { "" } else { namespace },
        message.replace('\'', "''"),
    )
}

/// The pod of a Deployment on a node.
pub(super) fn pod(app: &str, node: &str, ready: &str) -> String {
    format!(
        "kind: Pod\nmetadata:\n  name: {app}-{node}\n  namespace: shop\n  creationTimestamp: \
         2026-01-01T00:00:00Z\n  ownerReferences: [{{kind: StatefulSet, name: {app}, controller: \
         true}}]\nspec:\n  nodeName: {node}\n  containers: [{{name: main, image: {app}:1}}]\n\
         status:\n  phase: Running\n  conditions: [{{type: Ready, status: '{ready}', \
         lastTransitionTime: 2026-01-02T09:00:00Z}}]\n---\n"
    )
}
