//! The volume that a message names, and the objects it belongs to.

use model::record::{Claim, PodSpec, VolumeSource};
use model::{App, Kind, ObjectRef, Snapshot};

use crate::pod::edit::spec_field;
use crate::wording::between;

/// A volume as a pod, a claim and the cluster know it.
pub(super) struct Owner<'s> {
    /// The name in the message; empty for none.
    pub(super) name: &'s str,
    /// The volume of the pod, if it is known which.
    pub(super) volume: Option<&'s model::record::Volume>,
    /// The claim it is mounted through.
    pub(super) claim: Option<&'s Claim>,
}

/// The volume that a text is about.
pub(super) fn of<'s>(
    text: &'s str,
    app: &App,
    spec: Option<&'s PodSpec>,
    now: &'s Snapshot,
) -> Owner<'s> {
    let name = between(text, "for volume \"", "\"");
    let unmounted = || {
        let list = between(text, "unmounted volumes=[", "]")?;
        list.split([' ', ',']).find(|n| !n.is_empty())
    };
    let name = name.or_else(unmounted).unwrap_or_default();
    let namespace = &app.object.namespace;
    let mut volume = spec.and_then(|s| s.volumes.iter().find(|v| v.name == name));
    let claim = match volume.and_then(claim_name) {
        Some(claim) => now.claims.get(namespace, claim),
        None => now.claims.in_namespace(namespace).find(|c| !name.is_empty() && c.volume == name),
    };
    // A volume of the cluster is named by its own name: it is the one of the claim bound to it,
    // else the only claim there is.
    if volume.is_none() {
        let mut claims = spec.into_iter().flat_map(|s| s.volumes.iter());
        let bound = |v: &&model::record::Volume| {
            claim.is_some_and(|c| claim_name(v) == Some(c.meta.name.as_str()))
        };
        volume = claims.find(bound);
    }
    if volume.is_none() && claim.is_none() {
        let claims = spec.into_iter().flat_map(|s| s.volumes.iter());
        let mut claims = claims.filter(|v| claim_name(v).is_some());
        volume = claims.next().filter(|_| claims.next().is_none());
    }
    Owner { name, volume, claim }
}

fn claim_name(volume: &model::record::Volume) -> Option<&str> {
    match &volume.source {
        VolumeSource::Claim(claim) => Some(claim.as_str()),
        _ => None,
    }
}

impl Owner<'_> {
    /// The claim, also where only its name is known.
    pub(super) fn claim_object(&self, app: &App) -> Option<ObjectRef> {
        let named = self.volume.and_then(claim_name);
        let name = self.claim.map(|c| c.meta.name.as_str()).or(named)?;
        Some(ObjectRef::new(Kind::PersistentVolumeClaim, &app.object.namespace, name))
    }

    /// The volume of the cluster that the claim is bound to.
    pub(super) fn cluster_volume(&self, now: &Snapshot) -> Option<ObjectRef> {
        let bound = self.claim.map(|c| c.volume.as_str()).filter(|v| !v.is_empty());
        let known = || now.volumes.get("", self.name).map(|v| v.meta.name.as_str());
        let made = || Some(self.name).filter(|n| n.starts_with("pvc-"));
        let name = bound.or_else(known).or_else(made)?;
        Some(ObjectRef::new(Kind::PersistentVolume, "", name))
    }

    /// The field of the workload that names the volume.
    pub(super) fn field(&self, app: &App) -> String {
        let Some(volume) = self.volume else {
            return spec_field(app, "volumes");
        };
        let part = match &volume.source {
            VolumeSource::Claim(_) => ".persistentVolumeClaim.claimName",
            VolumeSource::HostPath(_) => ".hostPath.path",
            VolumeSource::Csi(_) => ".csi.driver",
            VolumeSource::Other(kind) if kind == "nfs" => ".nfs.server",
            _ => "",
        };
        spec_field(app, &format!("volumes[{}]{part}", volume.name))
    }
}
