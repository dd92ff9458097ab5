//! Would a volume do for a claim? Compares the two field by field, as the controller that binds
//! them does. What is not shown of either is no mismatch.

use model::record::{Claim, Known, PersistentVolume, StorageClass};
use model::{Quantity, Snapshot};

/// One field in which claim and volume differ.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Mismatch {
    /// Another class.
    Class,
    /// The volume is smaller.
    Size,
    /// A way of access is not offered.
    Access,
    /// The claim's selector does not select it.
    Selector,
    /// One is a file system, the other a block device.
    Mode,
    /// It belongs to another claim.
    Taken,
}

impl Mismatch {
    /// The mechanism it stands for.
    pub(crate) fn mechanism(&self) -> &'static str {
        match self {
            Mismatch::Class => "storage-class-mismatch",
            Mismatch::Size => "capacity-too-small",
            Mismatch::Access => "access-mode-mismatch",
            Mismatch::Selector => "selector-unmatched",
            Mismatch::Mode => "volume-mode-mismatch",
            Mismatch::Taken => "volume-taken",
        }
    }
}

/// The class a claim asks for: its own, else the default one of the cluster; empty for none.
pub(crate) fn class_name<'s>(claim: &'s Claim, now: &'s Snapshot) -> &'s str {
    match &claim.class {
        Some(name) => name,
        None => {
            let default = now.storage_classes.iter().find(|c| c.is_default());
            default.map_or("", |c| c.meta.name.as_str())
        }
    }
}

/// The class object, if it was seen.
pub(crate) fn class<'s>(claim: &Claim, now: &'s Snapshot) -> Option<&'s StorageClass> {
    now.storage_classes.get("", claim.class.as_deref().unwrap_or_default()).or_else(|| {
        let default = || now.storage_classes.iter().find(|c| c.is_default());
        claim.class.is_none().then(default).flatten()
    })
}

/// Everything that keeps the volume from the claim.
pub(crate) fn mismatches(
    claim: &Claim,
    volume: &PersistentVolume,
    now: &Snapshot,
) -> Vec<Mismatch> {
    let mut found = Vec::new();
    let shown = volume.meta.known.has(Known::SPEC);
    if shown && volume.class != class_name(claim, now) && knows_class(claim, now) {
        found.push(Mismatch::Class);
    }
    if let (Some(asked), Some(has)) = (claim.requested, volume.capacity)
        && asked > has
        && has != Quantity::UNREADABLE
    {
        found.push(Mismatch::Size);
    }
    let offers = |mode: &model::Text| volume.access.iter().any(|a| a == mode);
    if !volume.access.is_empty() && !claim.access.iter().all(offers) {
        found.push(Mismatch::Access);
    }
    let labelled = volume.meta.known.has(Known::LABELS);
    let selects = claim.selector.as_ref().is_none_or(|s| s.matches(&volume.meta.labels));
    if labelled && !selects {
        found.push(Mismatch::Selector);
    }
    if is_block(&claim.mode) != is_block(&volume.mode) {
        found.push(Mismatch::Mode);
    }
    if is_taken(claim, volume) {
        found.push(Mismatch::Taken);
    }
    found
}

/// Whether it is known which class the claim asks for.
fn knows_class(claim: &Claim, now: &Snapshot) -> bool {
    let default = now.coverage.lists(model::Kind::StorageClass, "");
    claim.class.is_some()
        || (default && claim.meta.known.has(Known::SUMMARY))
        || claim.meta.known.has(Known::SPEC)
}

fn is_block(mode: &str) -> bool {
    mode == "Block"
}

/// Whether the volume belongs to another claim, or is still kept for one that is gone.
fn is_taken(claim: &Claim, volume: &PersistentVolume) -> bool {
    let other = volume.claim.as_ref().is_some_and(|(namespace, name)| {
        *name != claim.meta.name || *namespace != claim.meta.namespace
    });
    other || matches!(volume.phase.as_str(), "Released" | "Failed")
}

/// The volume that comes nearest to what the claim asks for, with what is wrong about it.
pub(crate) fn nearest<'s>(
    claim: &Claim,
    now: &'s Snapshot,
) -> Option<(&'s PersistentVolume, Vec<Mismatch>)> {
    let all = now.volumes.iter().map(|v| (v, mismatches(claim, v, now)));
    // One that is free but for a field is nearer than one that fits and is taken.
    all.min_by_key(|(v, m)| {
        let other_class = m.contains(&Mismatch::Class) && !v.class.is_empty();
        (m.contains(&Mismatch::Taken), other_class, m.len(), v.meta.name.clone())
    })
}
