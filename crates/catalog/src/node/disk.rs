//! How the disk of a node is, and who fills it. Shared by the kinds about full disks.

use std::collections::BTreeMap;

use model::record::{ClusterEvent, Node, Pod};
use model::{App, Certainty, Evidence, Kind, ObjectRef, Snapshot, Timestamp, Truth};

use super::full_disk;
use super::signs::{self, Sign};
use crate::evidence;
use crate::pod::measured;
use crate::wording::{self, says};
use crate::workload::hostpath_used;

/// Whether a node's disk is short, and since when.
pub(super) struct Pressure<'s> {
    /// What says so, the condition first.
    pub(super) signs: Vec<Sign<'s>>,
    /// Since when it is short: eviction and image removal begin before the condition.
    pub(super) since: Option<Timestamp>,
    /// Whether the node still says so.
    pub(super) holds: bool,
    /// When the condition, which is held for five minutes, will go.
    pub(super) clears_at: Option<Timestamp>,
    /// How often it came, and the first and last time.
    pub(super) times: u32,
    pub(super) first: Option<Timestamp>,
    pub(super) last: Option<Timestamp>,
}

/// The kubelet holds the condition for so long after the last sign, in seconds.
const HELD_SECONDS: i64 = 300;
/// Signs older than this say nothing about now where the condition is not shown, in seconds.
const RECENT_SECONDS: i64 = 3600;
/// Repeated events reach the API no more than so often after a while.
const COUNTED_TIMES: u32 = 20;

/// What is said about pressure on the disk of a node; `None` when nothing is.
pub(super) fn pressure<'s>(node: &'s Node, now: &'s Snapshot) -> Option<Pressure<'s>> {
    let all = signs::of(node, now);
    let is_condition =
        |s: &&Sign<'_>| s.source == signs::Source::Condition && s.reason == "DiskPressure";
    let reclaims =
        |s: &&Sign<'_>| s.is_event("EvictionThresholdMet") && s.says(wording::DISK_SHORT);
    let came = |s: &&Sign<'_>| s.is_event("NodeHasDiskPressure");
    let went = all.iter().filter(|s| s.is_event("NodeHasNoDiskPressure"));
    let went = went.filter_map(|s| s.last).max();
    let told: Vec<&Sign<'_>> = all.iter().filter(|s| reclaims(s) || came(s)).collect();
    let tainted = node.taints.iter().any(|t| t.key == "node.kubernetes.io/disk-pressure");
    let condition = node.condition("DiskPressure").map(|c| c.status);
    let last_told = told.iter().filter_map(|s| s.last).max();
    let holds = match condition {
        Some(status) => status == Truth::True,
        None => {
            let recent = last_told.is_none_or(|t| now.now.since(t) <= RECENT_SECONDS);
            tainted || (!told.is_empty() && recent && last_told >= went)
        }
    };
    if !holds && told.is_empty() {
        // Nobody of the cluster says anything of its disk; perhaps somebody looked.
        let signs = if condition.is_none() { full_disk::signs(node, now) } else { Vec::new() };
        let holds = !signs.is_empty();
        let [since, clears_at, first, last] = [None; 4];
        return holds.then_some(Pressure { signs, since, holds, clears_at, times: 0, first, last });
    }
    let last_reclaim = all.iter().filter(reclaims).filter(|s| s.count < COUNTED_TIMES);
    let last_reclaim = last_reclaim.filter_map(|s| s.last).max();
    let clears_at = last_reclaim
        .filter(|t| now.has_time && now.now.since(*t) > 90)
        .map(|t| t.plus_seconds(HELD_SECONDS))
        .filter(|t| *t > now.now);
    let times = all.iter().filter(came).map(|s| s.count).max().unwrap_or(0);
    let first = all.iter().filter(came).filter_map(|s| s.first).min();
    let last = all.iter().filter(came).filter_map(|s| s.last).max();
    let gc = |s: &&Sign<'_>| {
        (s.is_event("ImageGCFailed") || s.is_event("FreeDiskSpaceFailed"))
            && wording::image_gc(s.text).is_some()
    };
    let since_told = signs::since(all.iter().filter(|s| is_condition(s) || reclaims(s) || gc(s)));
    let since = since_told.or(last);
    let mut kept: Vec<Sign<'s>> = all.iter().filter(is_condition).cloned().collect();
    kept.extend(all.iter().rev().filter(reclaims).take(1).cloned());
    kept.extend(all.iter().rev().filter(came).take(1).cloned());
    Some(Pressure { signs: kept, since, holds, clears_at, times, first, last })
}

impl Pressure<'_> {
    /// Whether it is the number of files that runs out and not the bytes.
    pub(super) fn is_of_inodes(&self) -> bool {
        let df = self.signs.iter().all(|s| s.reason == "df -i") && !self.signs.is_empty();
        df || self.signs.iter().any(|s| s.is_event("EvictionThresholdMet") && s.says(&["inodes"]))
    }
}

/// Who fills a disk, as far as it can be told.
pub(super) struct Culprit {
    pub(super) mechanism: &'static str,
    /// The workload, or the node when nobody can be named.
    pub(super) object: ObjectRef,
    pub(super) container: String,
    pub(super) bytes: u64,
    pub(super) certainty: Certainty,
    pub(super) alternatives: &'static [&'static str],
    pub(super) evidence: Vec<Evidence>,
}

/// A pod that was evicted from a node for its disk.
pub(super) struct Victim<'s> {
    pub(super) app: &'s App,
    usage: Vec<(&'s str, u64)>,
    pub(super) evidence: Evidence,
}

/// Evicted pods stay in the list for days; those of earlier episodes tell nothing of this one.
const VICTIM_SECONDS: i64 = 6 * 3600;

/// Writing less than this fills no disk.
const MUCH_BYTES: u64 = 1 << 30;

/// Pods evicted from the node because its disk was short. An eviction that does not tell its
/// node counts where only one node is short of disk.
pub(super) fn victims<'s>(node: &Node, now: &'s Snapshot) -> Vec<Victim<'s>> {
    let short = |n: &&Node| n.condition("DiskPressure").is_some_and(|c| c.status == Truth::True);
    // Looked at only until a second one is found: where many are short, each asks.
    let only = now.known_nodes().filter(short).take(2).count() < 2;
    let unplaced = only.then(|| now.unplaced()).into_iter().flatten();
    let unplaced = unplaced.map(|(app, pod)| (&app.object, pod));
    let mut found = Vec::new();
    for (app, pod) in now.on_node(&node.meta.name).chain(unplaced) {
        if let Some((text, evidence)) = evicted(pod, now)
            && evidence.at.is_none_or(|at| now.now.since(at) <= VICTIM_SECONDS)
            && let Some(app) = now.app(app)
        {
            let usage = wording::eviction_usage(text);
            found.push(Victim { app, usage, evidence });
        }
    }
    found
}

fn evicted<'s>(pod: &'s Pod, now: &'s Snapshot) -> Option<(&'s str, Evidence)> {
    let object = pod.meta.object(Kind::Pod);
    let told = |e: &&ClusterEvent| e.reason == "Evicted" && wording::is_disk_eviction(&e.message);
    if let Some(event) = now.events_about(&object).iter().rfind(told) {
        return Some((event.message.as_str(), evidence::event(event, now)?));
    }
    let (reason, text) = pod.why.as_deref()?;
    let short = reason == "Evicted" && wording::is_disk_eviction(text);
    let fact = evidence::field(pod.meta.source, &object, "status.message", text.as_str());
    let at = pod.ready.and_then(|r| r.since).or(pod.started);
    short.then_some((text.as_str(), Evidence { at, ..fact }))
}

/// Who fills the disk of a node.
pub(super) fn culprit(node: &Node, pressure: &Pressure<'_>, now: &Snapshot) -> Culprit {
    let victims = victims(node, now);
    by_figures(node, now)
        .or_else(|| from_usage(node, &victims))
        .or_else(|| from_host_paths(node, &victims, now))
        .unwrap_or_else(|| {
            let inodes = pressure.is_of_inodes();
            Culprit {
                mechanism: if inodes { "inodes-exhausted" } else { "disk-full" },
                object: node.meta.object(Kind::Node),
                container: String::new(),
                bytes: 0,
                certainty: Certainty::Proven,
                alternatives: &[],
                evidence: Vec::new(),
            }
        })
}

/// Evicted pods whose containers used most of what all evicted ones used.
fn from_usage(node: &Node, victims: &[Victim<'_>]) -> Option<Culprit> {
    let mut by_app: BTreeMap<&ObjectRef, u64> = BTreeMap::new();
    for v in victims {
        let bytes = v.usage.iter().map(|(_, b)| *b).fold(0, u64::saturating_add);
        let sum = by_app.entry(&v.app.object).or_default();
        *sum = sum.saturating_add(bytes);
    }
    let all = by_app.values().fold(0, |sum: u64, b| sum.saturating_add(*b));
    let (object, bytes) = by_app.into_iter().max_by_key(|(_, bytes)| *bytes)?;
    if bytes < MUCH_BYTES || bytes.saturating_mul(2) < all {
        return None;
    }
    let of = victims.iter().filter(|v| v.app.object == *object);
    let largest = of.clone().max_by_key(|v| v.usage.iter().map(|(_, b)| *b).max())?;
    let (container, _) = largest.usage.iter().max_by_key(|(_, b)| *b)?;
    let disk = u64::try_from(node.capacity.amount("ephemeral-storage").units()).unwrap_or(0);
    let share = disk > 0 && bytes >= disk / 10;
    Some(Culprit {
        mechanism: "container-writes",
        object: object.clone(),
        container: (*container).to_owned(),
        bytes,
        certainty: if share { Certainty::Proven } else { Certainty::Likely },
        alternatives: &["disk-full"],
        evidence: vec![largest.evidence.clone()],
    })
}

/// A workload whose pods on the node use most of the disk by measurement.
fn by_figures(node: &Node, now: &Snapshot) -> Option<Culprit> {
    let is_disk = |metric: &str| {
        says(metric, &["fs_usage_bytes", "ephemeral_storage_usage", "ephemeral_storage_pod_usage"])
    };
    let newest = measured::newest(now, |s| is_disk(&s.metric) && s.value > 0.0);
    if newest.is_empty() {
        return None;
    }
    let mut by_app: Vec<(u64, &App, &model::Sample)> = Vec::new();
    for (app, pods) in now.apps_on(&node.meta.name) {
        let own: Vec<_> = pods.iter().filter_map(|p| newest.get(p.meta.name.as_str())).collect();
        if let Some(largest) = own.iter().max_by(|a, b| a.value.total_cmp(&b.value)) {
            by_app.push((own.iter().map(|s| s.value as u64).sum(), app, largest));
        }
    }
    let all: u64 = by_app.iter().map(|(bytes, _, _)| bytes).sum();
    let (bytes, app, sample) = by_app.into_iter().max_by_key(|(bytes, _, _)| *bytes)?;
    let fact = evidence::field(
        sample.document,
        &app.object,
        sample.metric.as_str(),
        format!("{} uses {}", sample.subject, bytes_text(bytes)),
    );
    (bytes >= MUCH_BYTES && bytes.saturating_mul(2) >= all).then(|| Culprit {
        mechanism: "container-writes",
        object: app.object.clone(),
        container: String::new(),
        bytes,
        certainty: Certainty::Likely,
        alternatives: &["disk-full"],
        evidence: vec![fact],
    })
}

/// The only workload on the node that can write to the node's own directories, where those who
/// were evicted used little: what they free is not what fills the disk.
fn from_host_paths(node: &Node, victims: &[Victim<'_>], now: &Snapshot) -> Option<Culprit> {
    let used = victims.iter().flat_map(|v| v.usage.iter()).map(|(_, b)| *b);
    let known = victims.iter().any(|v| !v.usage.is_empty());
    if !known || used.fold(0, u64::saturating_add) >= MUCH_BYTES {
        return None;
    }
    let mut here = now.apps_on(&node.meta.name);
    here.retain(|(_, pods)| pods.iter().any(|p| p.runs_on()));
    let mut writers =
        here.into_iter().filter_map(|(app, _)| Some((app, hostpath_used::written(app.spec()?)?.1)));
    let (app, path) = writers.next()?;
    if writers.next().is_some() {
        return None;
    }
    let fact = format!("{path}, written by a pod on {}", node.meta.name);
    let mut evidence =
        vec![evidence::field(app.document(), &app.object, "spec.volumes.hostPath.path", fact)];
    evidence.extend(victims.first().map(|v| v.evidence.clone()));
    Some(Culprit {
        mechanism: "host-path-writes",
        object: app.object.clone(),
        container: String::new(),
        bytes: 0,
        certainty: Certainty::Likely,
        alternatives: &["disk-full"],
        evidence,
    })
}

/// Bytes as people read them.
pub(super) fn bytes_text(bytes: u64) -> String {
    if bytes == 0 {
        return "nothing".into();
    }
    let (unit, name) = match bytes {
        0..0x4000_0000 => (f64::from(1 << 20), "MiB"),
        _ => (f64::from(1 << 30), "GiB"),
    };
    format!("{:.1} {name}", bytes as f64 / unit)
}
