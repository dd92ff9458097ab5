//! `eviction-gc-clash`: kubelets evict pods at the point at which they begin to remove images.

use model::Finding;
use model::record::{Named, Node};
use model::{Act, Factor, Gap, Kind, ObjectRef, Patch, Remedy, Role, Scenario, Snapshot, Step};

use crate::wording;

failure! {
    /// # Pods are evicted where images should be removed
    ///
    /// ## Signs
    /// The settings of the kubelets let `imageGCHighThresholdPercent` begin no earlier than the
    /// eviction threshold for the disk of images: 85 percent used, and evict when less than
    /// 15 percent is available. Nodes report DiskPressure although they hold many unused images.
    ///
    /// ## Why it happens
    /// Two parts of the kubelet watch one disk. The removal of images looks every five minutes
    /// and begins at 85 percent used. Eviction looks every ten seconds and begins, unless told
    /// otherwise, when 15 percent is left: the same point. So eviction is nearly always first.
    /// It removes unused images too before it takes pods, but the node has then said
    /// DiskPressure: for five minutes it takes no pods, and where the images were not enough,
    /// pods go.
    ///
    /// A high threshold of 100 switches the removal of images off altogether.
    ///
    /// ## What we do
    /// 1. Set `imageGCHighThresholdPercent` to 75 and `imageGCLowThresholdPercent` to 65, in the
    ///    kubelets' settings.
    /// 2. Restart the kubelets one after the other; containers keep running.
    /// 3. See that removal comes first: events about images, no DiskPressure.
    ///
    /// Do not lower the eviction threshold instead: what is left is needed to act at all.
    ///
    /// ## How to avoid it
    /// Keep ten percent of the disk between the two. Put images on a disk of their own.
    ///
    /// ## Sources
    /// Kubernetes documentation, "Garbage Collection", "Node-pressure Eviction" and "Kubelet
    /// Configuration (v1beta1)"; kubernetes/kubernetes issue 44951.
    id: "eviction-gc-clash",
    mechanisms: {
        "eviction-gc-clash": "eviction begins before images are removed",
    },
    reads: [ConfigMap, Node],
    leads_to: ["node-disk-pressure", "node-disk-pressure-loop", "pod-evicted-storage"],
    detect: Exposure,
    exposed: exposed,
    remedy: remedy,
    prevent: prevent,
    rehearse: rehearse,
}

/// Images are removed from this share of the disk on, in percent, when nothing is stated.
const GC_PERCENT: u32 = 85;
/// Pods are evicted when less than this is left, in percent, when nothing is stated.
const LEFT_PERCENT: u32 = 15;
/// A high threshold that leaves images time to go first, in percent.
const EARLY_PERCENT: u32 = 75;

/// Where kubelets are told, and what: from which share of the disk on images are removed, and
/// from which on pods are evicted, in percent.
struct Clash {
    object: ObjectRef,
    field: &'static str,
    gc: u32,
    eviction: u32,
}

impl Clash {
    fn why(&self) -> String {
        let Clash { gc, eviction, .. } = self;
        match gc {
            100.. => format!("images are never removed, pods are evicted from {eviction} % on"),
            _ => format!(
                "images are removed from {gc} % of the disk on, pods evicted from {eviction} % on"
            ),
        }
    }
}

/// The share of the disk from which on pods are evicted, in percent. What is given as a size
/// cannot be compared; a signal that is left out beside others is not watched.
fn evicts_at(stated: Option<&[(&str, &str)]>) -> Option<u32> {
    let Some(stated) = stated else { return Some(100 - LEFT_PERCENT) };
    let of = |signal: &str| {
        let (_, value) = stated.iter().find(|(name, _)| *name == signal)?;
        let left: f64 = value.trim().strip_suffix('%')?.trim().parse().ok()?;
        (0.0..=100.0).contains(&left).then_some(100 - left.round() as u32)
    };
    of("imagefs.available").or_else(|| of("nodefs.available"))
}

fn clash(object: ObjectRef, field: &'static str, told: &wording::Thresholds<'_>) -> Option<Clash> {
    let gc = told.image_gc_high.unwrap_or(GC_PERCENT);
    let eviction = evicts_at(told.eviction_hard.as_deref())?;
    (gc >= eviction).then_some(Clash { object, field, gc, eviction })
}

/// Settings that all kubelets begin with.
fn of_map(map: &Named) -> Option<Clash> {
    let named = map.kind == Kind::ConfigMap && map.meta.name.starts_with("kubelet-config");
    let text = map.settings.as_deref().filter(|_| named)?;
    let told = wording::kubelet_settings(text)?;
    clash(map.meta.object(Kind::ConfigMap), "data.kubelet: imageGCHighThresholdPercent", &told)
}

/// What a kubelet says at its start of its own flags.
fn of_node(node: &Node, now: &Snapshot) -> Option<Clash> {
    let lines = now.unit_logs(&node.meta.name).flat_map(|l| l.lines.iter());
    let told = wording::kubelet_flags(lines.map(String::as_str))?;
    clash(node.meta.object(Kind::Node), "--image-gc-high-threshold", &told)
}

fn maps(now: &Snapshot) -> impl Iterator<Item = Clash> {
    now.named.in_namespace("kube-system").filter_map(of_map)
}

fn exposed(now: &Snapshot, gaps: &mut Vec<Gap>) {
    let of_nodes = || now.known_nodes().filter_map(|n| of_node(n, now));
    let logs = now.logs.iter().any(|l| !l.unit.is_empty());
    for clash in maps(now).chain(of_nodes().filter(|_| logs)) {
        let why = clash.why();
        gaps.push(Gap { failure: KIND.id, object: clash.object, field: clash.field.into(), why });
    }
}

/// That a node's kubelet evicts before it removes images, as far as its settings were shown.
pub(super) fn factor(node: &Node, now: &Snapshot) -> Option<Factor> {
    let clash = of_node(node, now).or_else(|| maps(now).next())?;
    let why = clash.why();
    Some(Factor { failure: KIND.id, object: clash.object, role: Role::Contributing, why })
}

fn remedy(finding: &Finding, _: &Snapshot) -> Remedy {
    let look = match finding.object.kind {
        Kind::Node => {
            format!("kubectl get --raw /api/v1/nodes/{}/proxy/configz", finding.object.name)
        }
        _ => format!("kubectl get {} -o yaml", finding.object.for_kubectl()),
    };
    Remedy {
        next: vec![
            Step::look("See which thresholds hold", look),
            Step::advice(format!(
                "Set imageGCHighThresholdPercent to {EARLY_PERCENT} in \
                 /var/lib/kubelet/config.yaml of each node and restart its kubelet, one node after the other"
            )),
        ],
        do_not: vec![
            "Do not lower the eviction threshold: what is left of the disk is needed to act".into(),
        ],
    }
}

/// The settings are one text within a config map, and kubelets read it only when they join.
fn prevent(_: &Gap, _: &Snapshot) -> Option<Patch> {
    None
}

fn rehearse() -> Option<Scenario> {
    let act = "unused images fill the disk of worker-4 to 86 %, and eviction looks before the \
               removal of images does";
    Some(Scenario {
        story: "A node with many unused images says DiskPressure instead of removing them.",
        acts: vec![(30, Act::Unmodelled(act))],
        found_within_seconds: 600,
    })
}

#[cfg(test)]
mod tests {
    use super::super::testing::node;
    use super::{KIND, factor};
    use crate::testing::{check_gaps, snapshot};

    fn map(name: &str, settings: &[&str]) -> String {
        let text: String = settings.iter().map(|l| format!("    {l}\n")).collect();
        format!(
            "kind: ConfigMap\nmetadata: {{namespace: kube-system, name: {name}, \
             creationTimestamp: 2026-01-01T00:00:00Z}}\ndata:\n  kubelet: |\n    apiVersion: \
             kubelet.config.k8s.io/v1beta1\n    kind: KubeletConfiguration\n{text}---\n"
        )
    }

    const FIELD: &str = "data.kubelet: imageGCHighThresholdPercent";

    #[test]
    fn thresholds_at_one_point_are_a_gap() {
        let gap = format!("cm/kubelet-config {FIELD}");
        check_gaps(&KIND, &map("kubelet-config", &["cgroupDriver: systemd"]), &[&gap]);
        let stated = [
            "evictionHard:",
            "  imagefs.available: 20%",
            "  memory.available: 300Mi",
            "imageGCHighThresholdPercent: 80",
        ];
        check_gaps(&KIND, &map("kubelet-config", &stated), &[&gap]);
        let old = format!("cm/kubelet-config-1.22 {FIELD}");
        check_gaps(
            &KIND,
            &map("kubelet-config-1.22", &["imageGCHighThresholdPercent: 100"]),
            &[&old],
        );
    }

    #[test]
    fn removal_that_comes_first_is_none() {
        for settings in [
            &["imageGCHighThresholdPercent: 75"][..],
            &["evictionHard:", "  nodefs.available: \"10%\""],
            &["evictionHard:", "  imagefs.available: 10Gi"],
            &["evictionHard: {memory.available: 100Mi}"],
        ] {
            check_gaps(&KIND, &map("kubelet-config", settings), &[]);
        }
        check_gaps(&KIND, &map("other", &[]), &[]);
    }

    #[test]
    fn flags_in_the_log_of_a_kubelet_tell_of_its_node() {
        let mut now = snapshot(&node("a", "True", ""));
        let log = |lines: &[&str]| model::LogLines {
            name: "a".into(),
            namespace: "".into(),
            container: "".into(),
            unit: "kubelet".into(),
            previous: false,
            lines: lines.iter().map(|l| (*l).to_owned()).collect(),
            document: 0,
        };
        let gaps = |now: &model::Snapshot| {
            let mut gaps = Vec::new();
            (KIND.exposed)(now, &mut gaps);
            gaps.into_iter().map(|g| g.why).collect::<Vec<_>>()
        };
        assert_eq!(gaps(&now), [""; 0]);
        now.logs = vec![log(&[
            "I0301 09:00:00.1 1 flags.go:64] FLAG: --eviction-hard=\"imagefs.available<15%,\
             memory.available<100Mi,nodefs.available<10%\"",
            "I0301 09:00:00.1 1 flags.go:64] FLAG: --image-gc-high-threshold=\"85\"",
        ])];
        let same = "images are removed from 85 % of the disk on, pods evicted from 85 % on";
        assert_eq!(gaps(&now), [same]);
        let node = now.nodes.get("", "a").expect("a node");
        assert!(factor(node, &now).is_some());
        now.logs = vec![log(&["/usr/bin/kubelet --eviction-hard=imagefs.available<5% --v=2"])];
        assert_eq!(gaps(&now), [""; 0]);
    }
}
