//! Which change may have caused which new incident: never because it came before alone.

use std::collections::BTreeSet;

use model::{
    Certainty, ChangeKind, FieldChange, Finding, Incident, LedTo, ObjectChange, ObjectRef, Snapshot,
};

use crate::graph::SLACK_SECONDS;

/// How many steps of dependency are followed from a changed object.
const HOPS: usize = 2;

/// Notes at every change the new incidents that may have followed from it.
pub(super) fn link(
    objects: &mut [ObjectChange],
    fresh: &[&Incident],
    before: &Snapshot,
    after: &Snapshot,
) {
    for change in objects.iter_mut() {
        let reached = reach(&change.object, before, after);
        let led_to = fresh.iter().filter_map(|i| {
            let late = begins_between(i, before);
            // A field that was well before cannot have done harm then, whatever is told of since
            // when.
            led_to(change, i, &reached).filter(|(_, on_field)| *on_field || late)
        });
        change.led_to = led_to.map(|(link, _)| link).collect();
        change.led_to.sort_by_key(|l| std::cmp::Reverse(l.certainty));
    }
    leave_one_likely(objects);
}

/// An incident that is new in the later capture and yet began before the earlier one was only
/// not seen there.
fn begins_between(incident: &Incident, before: &Snapshot) -> bool {
    let since = incident.cause().since.filter(|_| before.has_time);
    since.is_none_or(|t| t.since(before.now) >= -SLACK_SECONDS)
}

/// The link, and whether it is by the very field.
fn led_to(
    change: &ObjectChange,
    incident: &Incident,
    reached: &BTreeSet<ObjectRef>,
) -> Option<(LedTo, bool)> {
    let cause = incident.cause();
    let own = change.object == cause.object;
    let by_field = if own { on_the_field(change, cause) } else { None };
    let on_field = by_field.is_some();
    let (certainty, why) = if let Some(found) = by_field {
        found
    } else if own && change.kind == ChangeKind::Added {
        (Certainty::Likely, "the object is new".to_owned())
    } else if own {
        (Certainty::Possible, "the same object was changed, in other fields".to_owned())
    } else if change.kind == ChangeKind::Removed && names(cause, &change.object) {
        (Certainty::Likely, format!("the cause names {}, which was deleted", change.object))
    } else if reached.contains(&cause.object) {
        (Certainty::Possible, format!("{} depends on it", cause.object))
    } else {
        return None;
    };
    Some((LedTo { incident: incident.id.clone(), certainty, why }, on_field))
}

/// The field that was changed is the one that is wrong.
fn on_the_field(change: &ObjectChange, cause: &Finding) -> Option<(Certainty, String)> {
    let named = |f: &&FieldChange| cause.field.as_deref().is_some_and(|own| same(own, &f.field));
    let field = change.fields.iter().find(named)?;
    let bad = field.after.as_deref().is_some_and(|v| cause.value.as_deref() == Some(v));
    let gone = field.after.is_none() && cause.value.as_deref().is_none_or(is_unset);
    Some(if bad || gone {
        let value = field.after.as_deref().unwrap_or("nothing");
        (Certainty::Proven, format!("the field that is wrong was set to {value}"))
    } else {
        (Certainty::Likely, "the field that is wrong was changed".to_owned())
    })
}

/// How kinds say that a field has no value.
fn is_unset(value: &str) -> bool {
    matches!(value, "" | "not set" | "(not set)" | "(none)" | "none")
}

/// Whether two names mean one field: `containers[*]` stands for any container.
fn same(a: &str, b: &str) -> bool {
    let (mut left, mut right) = (a.split(['[', ']']), b.split(['[', ']']));
    loop {
        match (left.next(), right.next()) {
            (None, None) => return true,
            (Some(x), Some(y)) if x == y || x == "*" || y == "*" => {}
            _ => return false,
        }
    }
}

/// Whether a finding's value or field names the object.
fn names(cause: &Finding, object: &ObjectRef) -> bool {
    let name = object.name.as_str();
    let is = |text: &str| {
        text.split(|c: char| !(c.is_alphanumeric() || c == '-' || c == '.')).any(|w| w == name)
    };
    cause.value.as_deref().is_some_and(is) || is(&cause.headline)
}

/// What depends on an object, before or after.
fn reach(object: &ObjectRef, before: &Snapshot, after: &Snapshot) -> BTreeSet<ObjectRef> {
    let mut seen: BTreeSet<ObjectRef> = [object.clone()].into();
    let mut edge = vec![object.clone()];
    for _ in 0..HOPS {
        let mut next = Vec::new();
        for from in &edge {
            let dependants = before.dependants(from).into_iter().chain(after.dependants(from));
            for (_, to) in dependants {
                if seen.insert(to.clone()) {
                    next.push(to);
                }
            }
        }
        edge = next;
    }
    seen.remove(object);
    seen
}

/// Where the only change that touches an incident is one its cause depends on, that is likely
/// the one.
fn leave_one_likely(objects: &mut [ObjectChange]) {
    let all = || objects.iter().flat_map(|c| &c.led_to).map(|l| l.incident.clone());
    let lone: BTreeSet<String> = {
        let ids: Vec<String> = all().collect();
        let once = |id: &&String| ids.iter().filter(|other| other == id).count() == 1;
        ids.iter().filter(once).cloned().collect()
    };
    for link in objects.iter_mut().flat_map(|c| &mut c.led_to) {
        if link.certainty == Certainty::Possible && lone.contains(&link.incident) {
            link.certainty = Certainty::Likely;
            link.why.push_str(", and nothing else changed that it depends on");
        }
    }
}
