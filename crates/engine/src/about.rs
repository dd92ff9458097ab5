//! Which incidents an object is part of.

use model::{Incident, Kind, ObjectRef, Role, Snapshot};

/// An object's part in an incident.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// Everything follows from it.
    Cause,
    /// Something is wrong with it.
    Member(Role),
    /// It suffers.
    Affected,
    /// It is among the evidence.
    Evidence,
}

/// The incidents that an object, or for a pod its workload, is part of, in their order.
pub fn about<'i>(
    object: &ObjectRef,
    incidents: &'i [Incident],
    now: &Snapshot,
) -> Vec<(&'i Incident, Part)> {
    let mut names = vec![object.clone()];
    if object.kind == Kind::Pod {
        let apps = now.apps_in(&object.namespace).iter();
        let own = apps.filter(|a| a.pods.iter().any(|p| p.meta.name == object.name));
        names.extend(own.map(|a| a.object.clone()));
    }
    incidents.iter().filter_map(|i| Some((i, part(i, &names)?))).collect()
}

fn part(incident: &Incident, names: &[ObjectRef]) -> Option<Part> {
    if names.contains(&incident.cause().object) {
        return Some(Part::Cause);
    }
    if let Some(member) = incident.members.iter().find(|m| names.contains(&m.finding.object)) {
        return Some(Part::Member(member.role));
    }
    let findings = || incident.members.iter().map(|m| &m.finding);
    if findings().flat_map(|f| &f.affected).any(|a| names.contains(&a.object)) {
        return Some(Part::Affected);
    }
    let shown = findings().flat_map(|f| &f.evidence).any(|e| names.contains(&e.object));
    shown.then_some(Part::Evidence)
}
