//! How pods say why they were taken off their node.

use super::{between, says};

/// Which limit of its own an evicted pod passed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PassedLimit<'t> {
    /// A scratch volume's `sizeLimit`.
    EmptyDir(&'t str),
    /// A container's limit.
    Container(&'t str),
    /// The limits of all containers together.
    Pod,
}

/// The limit that was passed, with its amount as written, old and new wordings alike.
pub fn passed_limit(text: &str) -> Option<(PassedLimit<'_>, &str)> {
    let quoted = || between(text, "limit \"", "\"").unwrap_or_default();
    if says(text, &["usage of emptydir volume"]) {
        let volume = between(text, "volume \"", "\"").unwrap_or_default();
        return Some((PassedLimit::EmptyDir(volume), quoted()));
    }
    let container = ["exceeded its local ephemeral storage limit", "exceeds its local ephemeral"];
    if says(text, &container) {
        let name = between(text, "ontainer ", " exceed").map(|n| n.trim_matches('"'));
        return Some((PassedLimit::Container(name.unwrap_or_default()), quoted()));
    }
    if says(text, &["ephemeral local storage usage exceeds the total limit"]) {
        let (_, rest) = text.split_once("containers").unwrap_or((text, ""));
        let amount = rest.split_whitespace().next().unwrap_or_default();
        return Some((PassedLimit::Pod, amount.trim_end_matches('.')));
    }
    None
}

/// A pod was taken off because its node was short of memory.
pub fn is_memory_eviction(text: &str) -> bool {
    says(text, &["was low on resource: memory", "was low on resource: [memory"])
        || says(text, &["node had condition: [memorypressure"])
}

/// What the containers of an evicted pod had asked for, as written: `exceeds its request of 0`,
/// `request is 10Mi`.
pub fn eviction_requests(text: &str) -> Vec<(&str, &str)> {
    let mut found = Vec::new();
    for part in text.split("ontainer ").skip(1) {
        let Some((name, rest)) = part.split_once(" was using ") else { continue };
        let marks = ["its request of ", "request is "];
        let asked = marks.iter().find_map(|m| rest.split_once(m)).map(|(_, asked)| asked);
        if let Some(asked) = asked.and_then(|a| a.split([',', ' ']).next()) {
            found.push((name, asked.trim_end_matches('.')));
        }
    }
    found
}

/// Reasons of events and conditions with which a taint takes a pod away.
pub const TAINT_REASONS: &[&str] = &["TaintManagerEviction", "DeletionByTaintManager"];

/// The containers of a pod that is being deleted cannot be ended.
pub const KILL_FAILED: &[&str] =
    &["error killing pod", "killpodsandboxerror", "killcontainererror", "failed to stop sandbox"];

/// A volume of a pod that is being deleted cannot be let go.
pub const VOLUME_BUSY: &[&str] = &[
    "device or resource busy",
    "target is busy",
    "unmountvolume.teardown failed",
    "unmountdevice failed",
    "failed to unmount",
    "orphaned pod",
];

/// `kubectl exec` finds no container in a pod.
pub const EXEC_LOST: &[&str] =
    &["container not found (", "no running task found", "failed to load task", "no such container"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_told_apart() {
        for (text, want) in [
            (
                "Usage of EmptyDir volume \"tmp\" exceeds the limit \"1Gi\". ",
                (PassedLimit::EmptyDir("tmp"), "1Gi"),
            ),
            (
                "Container main exceeded its local ephemeral storage limit \"500Mi\". ",
                (PassedLimit::Container("main"), "500Mi"),
            ),
            (
                "Pod ephemeral local storage usage exceeds the total limit of containers 2Gi. ",
                (PassedLimit::Pod, "2Gi"),
            ),
        ] {
            assert_eq!(passed_limit(text), Some(want), "{text}");
        }
        assert_eq!(passed_limit("The node was low on resource: memory."), None);
    }

    #[test]
    fn requests_are_read_old_and_new() {
        let old = "The node was low on resource: memory. Container a was using 2Ki, which \
                   exceeds its request of 0. ";
        assert_eq!(eviction_requests(old), [("a", "0")]);
        let new = "The node was low on resource: memory. Threshold quantity: 100Mi, available: \
                   9Ki. Container a was using 4Ki, request is 10Mi, has larger consumption of \
                   memory. ";
        assert_eq!(eviction_requests(new), [("a", "10Mi")]);
        assert!(
            is_memory_eviction(new)
                && !is_memory_eviction("was low on resource: ephemeral-storage.")
        );
    }
}
