//! A disk that can be on one node only, wanted on a second one.

use model::record::{Pod, VolumeSource};
use model::{App, Kind, Snapshot};

use super::owner::Owner;

/// Who holds the disk that a pod waits for.
pub(super) struct Holder<'s> {
    pub(super) app: &'s App,
    pub(super) pod: &'s Pod,
}

/// The pod on another node that mounts the same claim.
pub(super) fn holder<'s>(
    owner: &Owner<'_>,
    waiting: &Pod,
    app: &App,
    now: &'s Snapshot,
) -> Option<Holder<'s>> {
    let claim = owner.claim_object(app)?;
    let mounts = |pod: &Pod, of: &App| {
        let named = |v: &model::record::Volume| match &v.source {
            VolumeSource::Claim(name) => *name == claim.name,
            _ => false,
        };
        let wanted = || of.spec().is_some_and(|s| s.volumes.iter().any(named));
        pod.spec.volumes.iter().any(named) || (pod.spec.volumes.is_empty() && wanted())
    };
    let mut holders = now
        .apps_in(&app.object.namespace)
        .iter()
        .flat_map(|a| a.pods.iter().map(move |p| Holder { app: a, pod: p }));
    // A pod that is being deleted, or of a lost node, holds its disk until it is gone.
    holders.find(|h| {
        let elsewhere = !h.pod.node.is_empty() && h.pod.node != waiting.node;
        elsewhere
            && !h.pod.is_finished()
            && h.pod.meta.name != waiting.meta.name
            && mounts(h.pod, h.app)
    })
}

/// Whether the claim can be on one node only; `None` when nobody says.
pub(super) fn is_single(owner: &Owner<'_>) -> Option<bool> {
    let access = &owner.claim?.access;
    let one = |a: &model::Text| {
        matches!(a.as_str(), "ReadWriteOnce" | "ReadWriteOncePod" | "RWO" | "RWOP")
    };
    (!access.is_empty()).then(|| access.iter().all(one))
}

/// Whether the node of a pod is known to be lost.
pub(super) fn on_lost_node(pod: &Pod, now: &Snapshot) -> bool {
    let node = now.nodes.get("", &pod.node);
    node.and_then(|n| n.condition("Ready")).is_some_and(|c| c.status != model::Truth::True)
}

/// `pod web-0 on node a`, for sentences.
pub(super) fn told(holder: &Holder<'_>) -> String {
    let leaves = if holder.pod.meta.deleting.is_some() { " (it is being deleted)" } else { "" };
    format!("pod {} on node {}{leaves}", holder.pod.meta.object(Kind::Pod), holder.pod.node)
}
