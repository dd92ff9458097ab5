//! What `df` on a machine said of disks that its kubelet and its runtime work on.

use model::record::Node;
use model::{HostFigure, Snapshot};

use super::signs::{self, Sign};

/// The kubelet evicts when less than a tenth of its disk is free.
const FULL_PERCENT: u8 = 90;
/// And when less than a twentieth of the inodes are.
const FULL_INODES_PERCENT: u8 = 95;

/// Folders of the kubelet, the runtimes and their logs.
const FOLDERS: [&str; 6] = [
    "/var/lib/kubelet",
    "/var/lib/containerd",
    "/var/lib/docker",
    "/var/lib/containers",
    "/var/lib/rancher",
    "/var/log",
];

/// Disks of the node that are nearly full, the fullest last.
pub(super) fn signs<'s>(node: &'s Node, now: &'s Snapshot) -> Vec<Sign<'s>> {
    let mut found: Vec<(u8, Sign<'s>)> = Vec::new();
    for host in now.host_figures(&node.meta.name) {
        let HostFigure::FileSystem { mount, used_percent, inodes, .. } = &host.figure else {
            continue;
        };
        let most = if *inodes { FULL_INODES_PERCENT } else { FULL_PERCENT };
        if *used_percent < most || !holds_data(mount) {
            continue;
        }
        let tool = if *inodes { "df -i" } else { "df" };
        let sign = signs::of_full_disk((node, host), (tool, mount, *used_percent), now);
        found.push((*used_percent, sign));
    }
    found.sort_by_key(|(percent, _)| *percent);
    found.into_iter().map(|(_, sign)| sign).collect()
}

/// Whether one of the folders lies on this disk, or the disk in one of them.
fn holds_data(mount: &str) -> bool {
    let above = |folder: &str| {
        let rest = folder.strip_prefix(mount.trim_end_matches('/'));
        rest.is_some_and(|r| r.is_empty() || r.starts_with('/'))
    };
    // Volumes of pods are mounted below the kubelet's folder; they are not the node's.
    let pods = mount.starts_with("/var/lib/kubelet/");
    !pods && FOLDERS.iter().any(|f| above(f))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn disks_of_the_kubelet() {
        for (mount, want) in [
            ("/", true),
            ("/var", true),
            ("/var/lib/containerd", true),
            ("/var/lib/kubelet/pods/1/volumes/a", false),
            ("/boot", false),
            ("/data", false),
            ("/var/l", false),
        ] {
            assert_eq!(holds_data(mount), want, "{mount}");
        }
    }
}
