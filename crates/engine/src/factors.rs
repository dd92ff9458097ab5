//! Protections that were missing where something broke: what is silent in a verdict speaks once
//! an incident's cause names the very object that lacks it. It must never make an incident.

use std::collections::BTreeSet;

use model::{
    Detect, Factor, FailureKind, Finding, Gap, Incident, Kind, ObjectRef, Role, Severity, Snapshot,
    State,
};

/// Most gaps of one kind that are told of one incident.
const TOLD: usize = 2;

/// Adds to each incident the missing protections that could lead to its cause.
pub(crate) fn add(incidents: &mut [Incident], now: &Snapshot, kinds: &[&FailureKind]) {
    let loud = |i: &Incident| i.state != State::Recovered && i.severity > Severity::Note;
    if !incidents.iter().any(loud) {
        return;
    }
    for kind in kinds.iter().filter(|k| matches!(k.detect, Detect::Exposure)) {
        let causes = |i: &Incident| kind.causes(i.cause().failure, i.cause().mechanism);
        if !incidents.iter().any(|i| loud(i) && causes(i)) {
            continue;
        }
        let mut gaps = Vec::new();
        (kind.exposed)(now, &mut gaps);
        for incident in incidents.iter_mut().filter(|i| loud(i) && causes(i)) {
            let Some(cause) = incident.members.first_mut().map(|m| &mut m.finding) else {
                continue;
            };
            let own: Vec<Factor> = gaps
                .iter()
                .filter(|gap| is_of(gap, &cause.object, now) && !is_told(gap, cause))
                .take(TOLD)
                .map(factor)
                .collect();
            cause.factors.extend(own);
        }
    }
    incidents.iter_mut().for_each(once);
}

/// What several findings name as a factor is told by the first of them.
fn once(incident: &mut Incident) {
    let mut told = BTreeSet::new();
    for member in &mut incident.members {
        member.finding.factors.retain(|f| told.insert((f.failure, f.object.clone())));
    }
}

/// Whether the object lacks it, or a config map that it reads.
fn is_of(gap: &Gap, object: &ObjectRef, now: &Snapshot) -> bool {
    let read = || {
        let here = gap.object.kind == Kind::ConfigMap && gap.object.namespace == object.namespace;
        here && now.dependants(&gap.object).iter().any(|(_, reader)| reader == object)
    };
    gap.object == *object || read()
}

fn is_told(gap: &Gap, cause: &Finding) -> bool {
    cause.factors.iter().any(|f| f.failure == gap.failure && f.object == gap.object)
}

fn factor(gap: &Gap) -> Factor {
    Factor {
        failure: gap.failure,
        object: gap.object.clone(),
        role: Role::Gap,
        why: gap.why.clone(),
    }
}
