//! What changed between two captures of one cluster, and which change may have caused which
//! incident. Objects are compared field by field, as far as both captures show the field.
//!
//! Must not call a change a cause because it came before: it has to touch what the incident's
//! cause names or depends on.

mod fields;
mod link;
mod spec;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use model::{
    ChangeKind, Changes, FieldChange, Incident, ObjectChange, ObjectRef, Situation, Snapshot,
};

use fields::Parts;

/// What changed, and what may have followed from it.
pub fn changes(
    (before, then): (&Snapshot, &Situation),
    (after, now): (&Snapshot, &Situation),
) -> Changes {
    let ids = |s: &Situation| -> BTreeSet<String> {
        let open = s.incidents.iter().filter(|i| is_open(i));
        open.map(|i| i.id.clone()).collect()
    };
    let (old, new) = (ids(then), ids(now));
    let mut objects = compare(before, after);
    let fresh: Vec<&Incident> =
        now.incidents.iter().filter(|i| new.contains(&i.id) && !old.contains(&i.id)).collect();
    link::link(&mut objects, &fresh, before, after);
    objects.sort_by(|a, b| {
        let surest = |c: &ObjectChange| c.led_to.iter().map(|l| l.certainty).max();
        surest(b).cmp(&surest(a)).then_with(|| a.object.cmp(&b.object))
    });
    let gone = then.incidents.iter().filter(|i| old.contains(&i.id) && !new.contains(&i.id));
    Changes {
        from: before.has_time.then_some(*before.now),
        to: after.has_time.then_some(*after.now),
        objects,
        new: fresh.iter().map(|i| i.id.clone()).collect(),
        still: new.intersection(&old).cloned().collect(),
        gone: gone.cloned().collect(),
    }
}

fn is_open(incident: &Incident) -> bool {
    incident.state != model::State::Recovered
}

/// Objects that were made, deleted or edited.
fn compare(before: &Snapshot, after: &Snapshot) -> Vec<ObjectChange> {
    let (old, new) = (fields::of(before), fields::of(after));
    let change = |object: &ObjectRef, kind, fields| ObjectChange {
        object: object.clone(),
        kind,
        fields,
        led_to: Vec::new(),
    };
    let mut found = Vec::new();
    for (object, parts) in &old {
        match new.get(object) {
            Some(other) => {
                let fields = differences(parts, other);
                if !fields.is_empty() {
                    found.push(change(object, ChangeKind::Edited, fields));
                }
            }
            None if after.is_missing(object.kind, &object.namespace, &object.name) => {
                found.push(change(object, ChangeKind::Removed, Vec::new()));
            }
            None => {}
        }
    }
    let (made, since) = (fields::created(after), before.now);
    for object in new.keys().filter(|o| !old.contains_key(*o)) {
        let later = before.has_time && made.get(object).is_some_and(|at| *at > since);
        if later || before.is_missing(object.kind, &object.namespace, &object.name) {
            found.push(change(object, ChangeKind::Added, Vec::new()));
        }
    }
    found
}

/// Fields that differ, of the parts that both show.
fn differences(old: &Parts, new: &Parts) -> Vec<FieldChange> {
    let mut found = Vec::new();
    for (part, before) in old {
        let Some(after) = new.get(part) else { continue };
        let names: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
        for name in names {
            let (was, is) = (before.get(name), after.get(name));
            let same = match (was, is) {
                (Some(was), Some(is)) => was.is_same(is),
                _ => false,
            };
            if !same {
                let shown = |v: Option<&fields::Value>| v.map(fields::Value::shown);
                let field = name.clone();
                found.push(FieldChange { field, before: shown(was), after: shown(is) });
            }
        }
    }
    found.sort();
    found
}

/// Fields by name.
type Fields = BTreeMap<String, fields::Value>;
