//! How kubelets speak of their node's disk: what they free, whom they evict for it, what was
//! used.

use model::Quantity;

use super::{between, says};

/// A text is about the node's disk, not its memory: names of what runs short.
pub const DISK_SHORT: &[&str] =
    &["ephemeral-storage", "inodes", "nodefs", "imagefs", "containerfs", "diskpressure"];

/// The kubelet begins to evict, or evicts a pod, for what its node has too little of.
pub const EVICTS: &[&str] = &["attempting to reclaim", "was low on resource"];

/// The runtime does not say in time how much its images take.
pub const IMAGE_STATS: &[&str] =
    &["failed to get image stats", "failed to get imagefs stats", "failed to get imagefs info"];

/// The kubelet cannot tell its disk's size: so in its first minutes.
pub const DISK_UNKNOWN: &[&str] = &[
    "invalid capacity 0 on image filesystem",
    "unable to find data in memory cache",
    "unable to find data for container",
];

/// Bytes that the kubelet wanted to free by removing images, and what it could free:
/// `Wanted to free 5182058496 bytes, but freed 0 bytes`, since 1.29 `Attempted to free 17 bytes,
/// but only found 0 bytes eligible to free`.
pub fn image_gc(text: &str) -> Option<(u64, u64)> {
    let number = |start: &str| between(text, start, " bytes").and_then(|n| n.parse().ok());
    let wanted = number("anted to free ").or_else(|| number("ttempted to free "))?;
    let freed = number("but freed ").or_else(|| number("but only found "))?;
    Some((wanted, freed))
}

/// Whether a pod was evicted because its node is short of disk (and not for its own limit).
pub fn is_disk_eviction(text: &str) -> bool {
    says(text, &["was low on resource"]) && says(text, DISK_SHORT) || is_refused_for_disk(text)
}

/// Whether a node refused a pod, that was assigned to it, because it is short of disk.
pub fn is_refused_for_disk(text: &str) -> bool {
    says(text, &["node had condition: [diskpressure"])
}

/// What the containers of an evicted pod used, in bytes: `Container main was using 10619440Ki,
/// which exceeds its request of 0`, since 1.26 `..., request is 0, has larger consumption of ...`.
pub fn eviction_usage(text: &str) -> Vec<(&str, u64)> {
    let mut found = Vec::new();
    for part in text.split("ontainer ").skip(1) {
        let Some((name, rest)) = part.split_once(" was using ") else { continue };
        let end = rest.find([',', ' ']).unwrap_or(rest.len());
        let amount = rest.get(..end).and_then(|t| t.trim_end_matches('.').parse::<Quantity>().ok());
        if let Some(bytes) = amount.and_then(|q| u64::try_from(q.units()).ok()) {
            found.push((name, bytes));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn freed_bytes_are_read_old_and_new() {
        for (text, want) in [
            (
                "failed to garbage collect required amount of images. Wanted to free 5182058496 \
                 bytes, but freed 0 bytes",
                Some((5_182_058_496, 0)),
            ),
            (
                "Failed to garbage collect required amount of images. Attempted to free 29 bytes, \
                 but only found 7 bytes eligible to free.",
                Some((29, 7)),
            ),
            ("failed to get image stats", None),
        ] {
            assert_eq!(image_gc(text), want, "{text}");
        }
    }

    #[test]
    fn usage_is_read_old_and_new() {
        let old = "The node was low on resource: ephemeral-storage. Container a was using 2Ki, \
                   which exceeds its request of 0. Container b was using 3Ki, which exceeds its \
                   request of 0. ";
        assert_eq!(eviction_usage(old), [("a", 2048), ("b", 3072)]);
        let new = "The node was low on resource: ephemeral-storage. Threshold quantity: 10, \
                   available: 9Ki. Container a was using 4Ki, request is 0, has larger \
                   consumption of ephemeral-storage. ";
        assert_eq!(eviction_usage(new), [("a", 4096)]);
        assert!(is_disk_eviction(new) && !is_disk_eviction("was low on resource: memory."));
    }
}
