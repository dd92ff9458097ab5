//! `node-image-gc-failing`: removing unused images does not free the disk of a node.

use model::record::Node;
use model::{
    Act, Finding, Findings, Gap, Kind, Patch, Remedy, Risk, Scenario, Snapshot, State, Step, Truth,
};

use super::disk::bytes_text;
use super::eviction_gc_clash;
use super::signs::{self, Sign};
use crate::wording;

failure! {
    /// # A node frees no disk by removing images
    ///
    /// ## Signs
    /// Events FreeDiskSpaceFailed and ImageGCFailed: "Wanted to free 5182058496 bytes, but
    /// freed 0 bytes"; since Kubernetes 1.29 "Attempted to free N bytes, but only found 0 bytes
    /// eligible to free". They repeat every five minutes.
    ///
    /// ## Why it happens
    /// When images take more than 85 % of their file system the kubelet removes those that no
    /// container uses, until 80 % are left. It can free nothing else. "0 bytes" says that no
    /// image is unused: what fills the disk are images in use, the files that running containers
    /// write, logs, dead containers, or hostPath directories. Soon the kubelet begins to evict
    /// pods.
    ///
    /// ## What we do
    /// 1. See what takes the space; unused images are not it.
    /// 2. Bound the containers that write, with limits on ephemeral-storage.
    /// 3. If all images are in use, give the node a larger disk, or spread the images' users.
    ///
    /// One failure that is not repeated was followed by success: leave it.
    ///
    /// ## How to avoid it
    /// A disk of 100 GB or more, SSD, for nodes with 4 cores, 32 GB of memory or 200 images;
    /// limits on ephemeral-storage; a quota per namespace.
    ///
    /// ## Sources
    /// Kubernetes documentation, "Garbage collection"; issues 71869, 112631 and 116020.
    id: "node-image-gc-failing",
    mechanisms: {
        "images-in-use": "no image on its disk is unused",
        "freed-too-little": "the unused images take less than must be freed",
    },
    reads: [Node, Event],
    leads_to: [
        "node-disk-pressure",
        "node-disk-pressure-loop",
        "pod-evicted-storage",
        "pod-image-pull-failing",
    ],
    detect: Nodes(detect),
    exposed: exposed,
    remedy: remedy,
    prevent: prevent,
    rehearse: rehearse,
}

/// A disk of a strong node smaller than this is soon full of images, in bytes.
const DISK_BYTES: i64 = 100_000_000_000;

fn detect(node: &Node, now: &Snapshot, findings: &mut Findings) {
    let object = node.meta.object(Kind::Node);
    let mut told: Vec<(Sign<'_>, u64, u64)> = Vec::new();
    for sign in signs::of(node, now) {
        if let Some((wanted, freed)) = wording::image_gc(sign.text) {
            told.push((sign, wanted, freed));
        }
    }
    // The last word counts: it says how much must be freed now.
    let Some((last, wanted, freed)) = told.iter().max_by_key(|(s, ..)| s.last) else { return };
    if !last.is_current(node, now) {
        let why = "removing images failed once, but not again";
        return findings.rule_out(KIND.id, object, why);
    }
    let times: u32 = told.iter().map(|(s, ..)| s.count).sum();
    let mechanism = if *freed == 0 { "images-in-use" } else { "freed-too-little" };
    let name = &node.meta.name;
    let headline = format!(
        "node {name} needs {} of disk and could free {} by removing images: {}",
        bytes_text(*wanted),
        bytes_text(*freed),
        KIND.meaning(mechanism)
    );
    let pressure = node.condition("DiskPressure").map(|c| c.status);
    let since = signs::since(told.iter().map(|(s, ..)| s));
    let mut finding = Finding::new(KIND.id, mechanism, object.clone(), headline)
        .field("images", format!("freed {}", bytes_text(*freed)), bytes_text(*wanted))
        .since(since)
        .evidence(last.evidence());
    finding.factors.extend(eviction_gc_clash::factor(node, now));
    findings.push(match (pressure, times) {
        // Once, and the node is well: the next round may succeed.
        (Some(Truth::False), 1) => finding.state(State::Suspected),
        // The kind about the pressure itself says who suffers.
        (Some(Truth::True), _) => finding,
        _ => finding.affects(object, "evicts pods when its disk fills further"),
    });
}

/// Strong nodes with small disks: they take many images.
fn exposed(now: &Snapshot, gaps: &mut Vec<Gap>) {
    for node in now.nodes.iter() {
        let disk = node.capacity.amount("ephemeral-storage").units();
        let strong = node.capacity.amount("cpu").units() >= 4
            && node.capacity.amount("memory").units() >= 32_000_000_000;
        if strong && disk > 0 && disk < DISK_BYTES {
            gaps.push(Gap {
                failure: KIND.id,
                object: node.meta.object(Kind::Node),
                field: "status.capacity.ephemeral-storage".into(),
                why: "a disk below 100 GB is soon full of images on a node of this size".into(),
            });
        }
    }
}

fn remedy(finding: &Finding, _: &Snapshot) -> Remedy {
    let node = &finding.object.name;
    Remedy {
        next: vec![
            Step::look(
                "See what takes the space: images, containers' files or something else",
                format!(
                    "ssh {node} 'df -h; crictl images; sudo du -xh -d2 /var/lib /var/log | sort \
                     -h | tail -n 20'"
                ),
            ),
            Step {
                what: "Remove dead containers: they keep their images in use".into(),
                command: Some(format!("ssh {node} 'crictl rm $(crictl ps -aq --state exited)'")),
                risk: Risk::Destructive,
                undo: None,
            },
            Step::advice(
                "Give what writes a limit on ephemeral-storage; give the node a larger disk when \
                 all of its images are needed",
            ),
        ],
        do_not: vec![
            "Do not lower the thresholds of image removal: there is nothing unused to remove"
                .into(),
        ],
    }
}

/// The size of a disk is no setting of the API.
fn prevent(_: &Gap, _: &Snapshot) -> Option<Patch> {
    None
}

fn rehearse() -> Option<Scenario> {
    let act = "The images in use on worker-3 take 90 % of its disk.";
    Some(Scenario {
        story: "The images that are in use fill the disk of one node.",
        acts: vec![(30, Act::Unmodelled(act))],
        found_within_seconds: 600,
    })
}

#[cfg(test)]
mod tests {
    use super::super::testing::{event, event_ago, node, with_condition};
    use super::KIND;
    use crate::testing::{check, check_gaps};

    const OLD: &str = "failed to garbage collect required amount of images. Wanted to free \
                       4920913920 bytes, but freed 0 bytes";
    const NEW: &str = "Failed to garbage collect required amount of images. Attempted to free \
                       2986842521 bytes, but only found 307861950 bytes eligible to free.";

    #[test]
    fn what_could_be_freed_tells_images_in_use_from_too_few() {
        for reason in ["ImageGCFailed", "FreeDiskSpaceFailed"] {
            check(&KIND, &event("a", reason, OLD, 3), &["images-in-use node/a Proven Active"]);
        }
        let new = event("a", "ImageGCFailed", NEW, 3);
        check(&KIND, &new, &["freed-too-little node/a Proven Active"]);
    }

    #[test]
    fn look_alikes_stay_quiet() {
        let well = with_condition(&node("a", "True", ""), "DiskPressure", "False", "");
        let once = well.clone() + &event("a", "FreeDiskSpaceFailed", OLD, 1);
        check(&KIND, &once, &["images-in-use node/a Proven Suspected"]);
        check(&KIND, &(well + &event_ago("a", "FreeDiskSpaceFailed", OLD, 1, 3000)), &[]);
        let start = "invalid capacity 0 on image filesystem";
        check(&KIND, &event("a", "InvalidDiskCapacity", start, 1), &[]);
    }

    #[test]
    fn a_strong_node_with_a_small_disk_is_exposed() {
        let node = |disk: &str| {
            let capacity = format!("{{cpu: 8, memory: 64Gi, ephemeral-storage: {disk}}}");
            node("a", "True", "")
                .replace("status:\n", &format!("status:\n  capacity: {capacity}\n"))
        };
        check_gaps(&KIND, &node("40Gi"), &["node/a status.capacity.ephemeral-storage"]);
        check_gaps(&KIND, &node("200Gi"), &[]);
    }
}
