//! Why a pod does not get a volume, as far as the input tells.

use model::record::{ClusterEvent, PodSpec, VolumeSource};
use model::{App, Certainty, Evidence, Kind, ObjectRef, Role, Snapshot};

use super::conflict;
use super::owner::{self, Owner};
use super::storage::{self, Told};
use crate::evidence;
use crate::pod::config::waiting::Waiting;
use crate::wording::{self, says};

/// Why, and what a person would look at.
#[derive(Debug)]
pub(crate) struct Cause {
    pub(crate) mechanism: &'static str,
    pub(crate) object: ObjectRef,
    /// A clause that can follow "because".
    pub(crate) why: String,
    pub(crate) edit: (String, String, String),
    pub(crate) certainty: Certainty,
    pub(crate) alternatives: &'static [&'static str],
    pub(crate) role: Role,
    pub(crate) evidence: Vec<Evidence>,
}

/// Fragments and what they mean, the more telling ones first.
const SAID: [(&[&str], &str); 9] = [
    (wording::ATTACH_CONFLICT, "attach-conflict"),
    (wording::ATTACH_LIMIT, "attach-limit-reached"),
    (wording::DRIVER_MISSING, "driver-missing"),
    (wording::FILE_SYSTEM_WRONG, "file-system-wrong"),
    (wording::STORAGE_DENIED, "permission-denied"),
    (wording::DISK_GONE, "volume-source-missing"),
    (wording::STORAGE_UNREACHABLE, "network-storage-unreachable"),
    (wording::DEVICE_MISSING, "device-missing"),
    (wording::DRIVER_FAILED, "driver-failing"),
];

/// What one complaint means.
fn meaning(text: &str) -> Option<&'static str> {
    if says(text, wording::DRIVER_SOCKET) {
        return Some("driver-missing");
    }
    SAID.iter().find(|(words, _)| says(text, words)).map(|(_, mechanism)| *mechanism)
}

/// Why a pod that waits for its volumes does not get them.
pub(crate) fn of(app: &App, waiting: &Waiting<'_>, now: &Snapshot) -> Option<Cause> {
    let spec = waiting.spec(app);
    let told = waiting.complaints().rev().find_map(|e| Some((e, meaning(&e.message)?)));
    if let Some((event, mechanism)) = told {
        return Some(said(mechanism, event, app, waiting, spec, now));
    }
    if let Some(cause) = shared(app, waiting, spec, now) {
        return Some(cause);
    }
    let timeout = |e: &&ClusterEvent| says(&e.message, wording::VOLUME_TIMEOUT);
    let event = waiting.complaints().rev().find(timeout)?;
    let owner = owner::of(&event.message, app, spec, now);
    let why = format!("volume {} is not mounted, and nobody says why", shown(&owner));
    let mut cause = new("network-storage-unreachable", app.object.clone(), why);
    cause.edit = (owner.field(app), source(&owner), "a volume that can be mounted".into());
    cause.certainty = Certainty::Possible;
    cause.alternatives = &["attach-conflict", "driver-missing", "config-map-missing"];
    cause.evidence.extend(evidence::event(event, now));
    Some(cause)
}

pub(super) fn new(mechanism: &'static str, object: ObjectRef, why: String) -> Cause {
    Cause {
        mechanism,
        object,
        why,
        edit: Default::default(),
        certainty: Certainty::Proven,
        alternatives: &[],
        role: Role::Trigger,
        evidence: Vec::new(),
    }
}

pub(super) fn shown<'o>(owner: &'o Owner<'_>) -> &'o str {
    owner.volume.map_or(owner.name, |v| v.name.as_str())
}

/// What the volume is made of, in words.
pub(super) fn source(owner: &Owner<'_>) -> String {
    match owner.volume.map(|v| &v.source) {
        Some(VolumeSource::Claim(name)) => name.to_string(),
        Some(VolumeSource::HostPath(path)) => path.to_string(),
        Some(VolumeSource::Csi(driver)) => driver.to_string(),
        _ => owner.name.to_owned(),
    }
}

/// Somebody says what is wrong.
fn said(
    mechanism: &'static str,
    event: &ClusterEvent,
    app: &App,
    waiting: &Waiting<'_>,
    spec: Option<&PodSpec>,
    now: &Snapshot,
) -> Cause {
    let text = event.message.as_str();
    let owner = owner::of(text, app, spec, now);
    let told = Told { text, app, spec, node: &waiting.pod.node, owner: &owner, now };
    let mut cause = match mechanism {
        "attach-conflict" => conflict(app, waiting, &owner, now),
        "driver-missing" => storage::driver(&told),
        "network-storage-unreachable" => storage::unreachable(&told),
        "device-missing" => storage::device(&told),
        "permission-denied" => storage::denied(&told),
        "volume-source-missing" => storage::gone(&told),
        "attach-limit-reached" => storage::limit(&told),
        "driver-failing" => driver_failing(text, app, &owner),
        _ => storage::file_system(&told),
    };
    cause.evidence.splice(0..0, evidence::event(event, now));
    cause
}

/// The driver fails, and only its own words say why.
fn driver_failing(text: &str, app: &App, owner: &Owner<'_>) -> Cause {
    let reason = text.split_once("reason: ").map_or(text, |(_, reason)| reason);
    let reason: String = reason.chars().take(120).collect();
    let why = format!("the driver of volume {} fails: {reason}", shown(owner));
    let mut cause = new("driver-failing", app.object.clone(), why);
    cause.edit = (owner.field(app), source(owner), "what its driver can mount".into());
    cause.certainty = Certainty::Likely;
    cause.alternatives = &["permission-denied"];
    cause
}

/// The disk is on another node.
fn conflict(app: &App, waiting: &Waiting<'_>, owner: &Owner<'_>, now: &Snapshot) -> Cause {
    let holder = conflict::holder(owner, waiting.pod, app, now);
    let name =
        owner.claim_object(app).map_or_else(|| shown(owner).to_owned(), |c| c.name.to_string());
    let here = &waiting.pod.node;
    let at = if here.is_empty() { String::new() } else { format!(" and is wanted on node {here}") };
    let Some(holder) = holder else {
        let why = format!("the disk of {name} is attached to another node{at}");
        let mut cause = new("attach-conflict", app.object.clone(), why);
        cause.edit = (owner.field(app), name, "a disk that no other node holds".into());
        return cause;
    };
    let why = format!("the disk of {name} is held by {}{at}", conflict::told(&holder));
    let mut cause = new("attach-conflict", app.object.clone(), why);
    let fact = holder.pod.meta.object(Kind::Pod);
    cause.evidence.push(evidence::field(
        holder.pod.meta.source,
        &fact,
        "spec.nodeName",
        &*holder.pod.node,
    ));
    let own = holder.app.object == app.object;
    let modes = owner.claim.map_or("ReadWriteOnce".to_owned(), |c| c.access.join(", "));
    cause.edit = if conflict::on_lost_node(holder.pod, now) {
        (
            owner.field(app),
            name,
            format!("free of node {}, once that is known to be off", holder.pod.node),
        )
    } else if own && app.object.kind == Kind::Deployment && app.wanted().unwrap_or(1) <= 1 {
        (
            "spec.strategy.type".into(),
            "RollingUpdate".into(),
            "Recreate, so that the old pod lets go first".into(),
        )
    } else if own {
        let expected = "1 replica, a claim for each (StatefulSet), or ReadWriteMany".into();
        ("spec.replicas".into(), app.wanted().unwrap_or(2).to_string(), expected)
    } else {
        cause.object = owner.claim_object(app).unwrap_or_else(|| app.object.clone());
        cause.evidence.extend(owner.claim.map(|c| {
            evidence::field(c.meta.source, &cause.object, "spec.accessModes", modes.clone())
        }));
        (
            "spec.accessModes".into(),
            modes,
            format!("ReadWriteMany, or one user: {} has it", holder.app.object),
        )
    };
    cause
}

/// Nobody says anything, but the claim is for one node and a pod on another node has it.
fn shared(
    app: &App,
    waiting: &Waiting<'_>,
    spec: Option<&PodSpec>,
    now: &Snapshot,
) -> Option<Cause> {
    if waiting.pod.node.is_empty() {
        return None;
    }
    let mounts = spec?.volumes.iter().filter(|v| matches!(v.source, VolumeSource::Claim(_)));
    mounts.into_iter().find_map(|volume| {
        let VolumeSource::Claim(claim) = &volume.source else { return None };
        let claim = now.claims.get(&app.object.namespace, claim);
        let owner = Owner { name: &volume.name, volume: Some(volume), claim };
        let single = conflict::is_single(&owner) == Some(true);
        conflict::holder(&owner, waiting.pod, app, now).filter(|_| single)?;
        let mut cause = conflict(app, waiting, &owner, now);
        cause.certainty = Certainty::Likely;
        cause.alternatives = &["driver-missing"];
        Some(cause)
    })
}

#[cfg(test)]
mod tests;
