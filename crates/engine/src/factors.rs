//! Protections that were missing where something broke: what is silent in a verdict speaks once
//! an incident's cause names the very object that lacks it. It must never make an incident.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use model::{
    Detect, Factor, FailureKind, Finding, Gap, Incident, Kind, ObjectRef, PartKey, Role, Severity,
    Snapshot, State, listen,
};

/// Most gaps of one kind that are told of one incident.
const TOLD: usize = 2;

/// What kinds that look at the cluster as a whole say is missing, asked once.
#[derive(Debug, Default)]
pub(crate) struct Gaps {
    told: BTreeMap<&'static str, Told>,
    /// Who was asked for since this was last taken.
    pub(crate) used: BTreeSet<&'static str>,
}

/// What a kind says, and which parts of the snapshot that rests on.
#[derive(Debug)]
struct Told {
    gaps: Rc<Vec<Gap>>,
    parts: Vec<PartKey>,
}

impl Told {
    fn by(kind: &FailureKind, now: &Snapshot) -> Told {
        let mut gaps = Vec::new();
        let ((), parts) = listen(|| (kind.exposed)(now, &mut gaps));
        Told { gaps: Rc::new(gaps), parts }
    }
}

impl Gaps {
    fn of(&mut self, kind: &FailureKind, now: &Snapshot) -> Rc<Vec<Gap>> {
        self.used.insert(kind.id);
        let told = self.told.entry(kind.id).or_insert_with(|| Told::by(kind, now));
        Rc::clone(&told.gaps)
    }

    /// Asks again what rests on these parts; who says something else than before.
    pub(crate) fn follow(
        &mut self,
        parts: &[PartKey],
        now: &Snapshot,
        kinds: &[&FailureKind],
    ) -> BTreeSet<&'static str> {
        let mut changed = BTreeSet::new();
        for kind in kinds {
            let Some(told) = self.told.get_mut(kind.id) else { continue };
            if !parts.iter().any(|p| told.parts.binary_search(p).is_ok()) {
                continue;
            }
            let new = Told::by(kind, now);
            if new.gaps != told.gaps {
                changed.insert(kind.id);
            }
            *told = new;
        }
        changed
    }
}

/// Adds to an incident the missing protections that could lead to its cause.
pub(crate) fn add(
    incident: &mut Incident,
    gaps: &mut Gaps,
    now: &Snapshot,
    kinds: &[&FailureKind],
) {
    let loud = incident.state != State::Recovered && incident.severity > Severity::Note;
    if let Some(cause) = incident.members.first_mut().map(|m| &mut m.finding).filter(|_| loud) {
        for kind in kinds.iter().filter(|k| k.causes(cause.failure, cause.mechanism)) {
            let own = of_object(kind, &cause.object, gaps, now);
            let new = own.iter().filter(|gap| !is_told(gap, cause)).take(TOLD);
            let new: Vec<Factor> = new.map(factor).collect();
            cause.factors.extend(new);
        }
    }
    once(incident);
}

/// What a kind that is a missing protection says is missing in an object.
fn of_object(kind: &FailureKind, object: &ObjectRef, gaps: &mut Gaps, now: &Snapshot) -> Vec<Gap> {
    match kind.detect {
        Detect::ExposedApps(look) => {
            let mut own = Vec::new();
            if let Some(app) = now.app(object) {
                look(app, now, &mut own);
            }
            own
        }
        Detect::Exposure => {
            let all = gaps.of(kind, now);
            all.iter().filter(|gap| is_of(gap, object, now)).cloned().collect()
        }
        _ => Vec::new(),
    }
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
