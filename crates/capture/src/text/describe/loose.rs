//! Parts of a node's description that were pasted without the rest of it: rows of its conditions
//! and of its events.
//!
//! An event says whom it is about only where the kubelet's machine stands beside it; a row whose
//! reason only nodes have is about a node. It must never invent a name: where none is printed,
//! the node is called `(unnamed)`.

use crate::text::Out;
use crate::text::command::Command;
use crate::text::lines::Line;
use crate::text::shape::{object, put};
use crate::text::table::{set_ages, set_source, split_wide};
use crate::text::time::{age_seconds, rfc3339};
use serde_json::{Value, json};

/// Stands for a name that was not printed.
const UNNAMED: &str = "(unnamed)";

/// Reasons that only events about nodes have.
const NODE_REASONS: &[&str] = &[
    "ContainerGCFailed",
    "EvictionThresholdMet",
    "FailedToCreateRoute",
    "FreeDiskSpaceFailed",
    "ImageGCFailed",
    "InvalidDiskCapacity",
    "KernelOops",
    "NodeAllocatableEnforced",
    "NodeHasDiskPressure",
    "NodeHasInsufficientMemory",
    "NodeHasInsufficientPID",
    "NodeHasNoDiskPressure",
    "NodeHasSufficientMemory",
    "NodeHasSufficientPID",
    "NodeNotReady",
    "NodeNotSchedulable",
    "NodeReady",
    "NodeSchedulable",
    "NodeStatusUnknown",
    "OOMKilling",
    "Rebooted",
    "RegisteredNode",
    "RemovingNode",
    "SystemOOM",
    "TaskHung",
];

/// Types of conditions that nodes have and pods have not, or have with more columns.
const CONDITIONS: &[&str] = &[
    "DiskPressure",
    "MemoryPressure",
    "NetworkUnavailable",
    "OutOfDisk",
    "PIDPressure",
    "Ready",
    "ContainerRuntimeUnhealthy",
    "KernelDeadlock",
    "ReadonlyFilesystem",
];

/// Reads rows that begin at the first of `lines`, of the node that the command names, if it names
/// one; returns how many lines it took.
pub fn read(lines: &[Line<'_>], command: Option<&Command>, out: &mut Out<'_>) -> Option<usize> {
    let node_name = command.and_then(asked).unwrap_or(UNNAMED);
    let heads = lines.iter().take(3).take_while(|l| is_head(l.trimmed())).count();
    let rest = lines.get(heads..)?;
    let first = rest.first()?;
    let mut node = object("Node", node_name, None);
    let mut conditions: Vec<Value> = Vec::new();
    let mut used = heads;
    for line in rest {
        if let Some(condition) = condition(&line.text) {
            conditions.push(condition);
        } else if let Some(event) = event(line.trimmed(), node_name) {
            out.object(event, line.number);
        } else {
            break;
        }
        used += 1;
    }
    if used == heads {
        return None;
    }
    if !conditions.is_empty() {
        put(&mut node, "status.conditions", conditions);
        out.object(node, first.number);
    }
    Some(used)
}

/// The one node that a command describes: `kubectl describe node worker-1 | grep Ready`.
fn asked(command: &Command) -> Option<&str> {
    let is_node = command.verb == "describe" && command.kind().is_some_and(|k| k.kind == "Node");
    match command.names.as_slice() {
        [name] if is_node => Some(name),
        _ => None,
    }
}

/// A heading of such rows.
fn is_head(text: &str) -> bool {
    let words: Vec<&str> = text.split_whitespace().collect();
    let rule = !words.is_empty() && words.iter().all(|w| w.bytes().all(|b| b == b'-'));
    rule || matches!(text, "Events:" | "Conditions:")
        || words.starts_with(&["Type", "Reason", "Age", "From"])
        || words.starts_with(&["Type", "Status", "LastHeartbeatTime"])
}

/// `Ready  False  <heartbeat>  <transition>  KubeletNotReady  PLEG is not healthy: ...`.
fn condition(text: &str) -> Option<Value> {
    let fields = split_wide(text);
    let (kind, status, heartbeat, since, reason, message) = match fields.as_slice() {
        [kind, status, heartbeat, since, reason] => (kind, status, heartbeat, since, reason, ""),
        [kind, status, heartbeat, since, reason, message @ ..] => {
            (kind, status, heartbeat, since, reason, message.first().copied().unwrap_or_default())
        }
        _ => return None,
    };
    let known = CONDITIONS.contains(kind) && matches!(*status, "True" | "False" | "Unknown");
    let (heartbeat, since) = (rfc3339(heartbeat)?, rfc3339(since)?);
    known.then(|| {
        json!({"type": kind, "status": status, "reason": reason, "message": message,
            "lastHeartbeatTime": heartbeat, "lastTransitionTime": since})
    })
}

/// `Warning  ImageGCFailed  45m (x3 over 2h)  kubelet, node-1  failed to ...`, about a node.
fn event(text: &str, node: &str) -> Option<Value> {
    let mut words = text.split_whitespace().peekable();
    let kind = words.next().filter(|w| matches!(*w, "Normal" | "Warning"))?;
    let reason = words.next().filter(|r| NODE_REASONS.contains(r))?;
    let mut age =
        words.next().filter(|a| age_seconds(a).is_some() || *a == "<unknown>")?.to_owned();
    if words.peek().is_some_and(|w| w.starts_with("(x")) {
        for word in words.by_ref() {
            age.push(' ');
            age.push_str(word);
            if word.ends_with(')') {
                break;
            }
        }
    }
    let from = words.next()?;
    let host = if from.ends_with(',') { words.next() } else { None };
    let message = words.collect::<Vec<_>>().join(" ");
    let named = message.strip_prefix("Node ").and_then(|m| m.split_whitespace().next());
    let mut value =
        json!({"apiVersion": "v1", "kind": "Event", "metadata": {"namespace": "default"}});
    put(&mut value, "involvedObject.kind", "Node");
    put(&mut value, "involvedObject.name", named.or(host).unwrap_or(node));
    put(&mut value, "type", kind);
    put(&mut value, "reason", reason);
    put(&mut value, "message", message.as_str());
    let source = host.map_or_else(|| from.to_owned(), |h| format!("{from} {h}"));
    set_source(&mut value, &source);
    set_ages(&mut value, &age);
    Some(value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::piece::Piece;
    use crate::text::{Hints, read_text};

    fn objects(text: &str) -> Vec<Value> {
        let mut found = Vec::new();
        let mut sink = |piece| {
            if let Piece::Object { value, .. } = piece {
                found.push(value);
            }
        };
        read_text("d", text, &Hints::default(), &mut sink);
        found
    }

    fn at<'v>(value: &'v Value, pointer: &str) -> &'v str {
        value.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
    }

    #[test]
    fn events_without_the_rest_of_their_description() {
        let text = "Events:\n  Type  Reason  Age  From  Message\n  ----  ------  ---  ----\n  \
                    Warning  ImageGCFailed  45m  kubelet, lamp-1  failed to get image stats\n";
        let found = objects(text);
        assert_eq!(found.len(), 1);
        assert_eq!(at(&found[0], "/involvedObject/name"), "lamp-1");
        assert_eq!(at(&found[0], "/message"), "failed to get image stats");
        let row =
            "Normal NodeHasDiskPressure 10m (x4 over 42m) kubelet Node fan-2 status is now: x";
        assert_eq!(at(&objects(row)[0], "/involvedObject/name"), "fan-2");
        let bare = "  Warning  SystemOOM  5s  kubelet  System OOM encountered";
        assert_eq!(at(&objects(bare)[0], "/involvedObject/name"), UNNAMED);
    }

    #[test]
    fn conditions_without_the_rest_of_their_description() {
        let row = "  Ready   False   Fri, 28 Jun 2019 10:19:21 +0800   Thu, 27 Jun 2019 07:07:38 \
                   +0800   KubeletNotReady   PLEG is not healthy: pleg was last seen";
        let found = objects(row);
        assert_eq!(at(&found[0], "/status/conditions/0/reason"), "KubeletNotReady");
        assert_eq!(at(&found[0], "/metadata/name"), UNNAMED);
    }

    #[test]
    fn a_filtered_description_is_of_the_node_that_the_command_names() {
        let row = "  Ready   Unknown   Fri, 28 Jun 2019 10:19:21 +0800   Thu, 27 Jun 2019 07:07:38 \
                   +0800   NodeStatusUnknown   Kubelet stopped posting node status.";
        let text = format!("$ kubectl describe node fan-7 | grep Ready\n{row}\n");
        assert_eq!(at(&objects(&text)[0], "/metadata/name"), "fan-7");
        let text = format!("$ kubectl describe nodes | grep Ready\n{row}\n");
        assert_eq!(at(&objects(&text)[0], "/metadata/name"), UNNAMED);
    }

    #[test]
    fn other_rows_are_left_alone() {
        for text in [
            "  Warning  Unhealthy  5s  kubelet  Readiness probe failed: x",
            "Warning: this is prose",
            "  Ready  True",
        ] {
            assert!(objects(text).is_empty(), "{text}");
        }
    }
}
