//! What the server's own controllers write into the status of a definition: which names it got
//! and whether it is served.

use serde_json::{Value, json};

use crate::field;

const SINGLE: [(&str, &str); 4] = [
    ("plural", "PluralConflict"),
    ("singular", "SingularConflict"),
    ("kind", "KindConflict"),
    ("listKind", "ListKindConflict"),
];

/// The status of a new or changed definition as the server completes it, before validation.
pub(crate) fn cleared(definition: &mut Value, old: Option<&Value>) {
    if let Some(names) = definition.pointer_mut("/spec/names") {
        let kind = field::text(names, "/kind").to_owned();
        let names = field::child_of(names);
        if !kind.is_empty() {
            field::default(names, "singular", kind.to_lowercase());
            field::default(names, "listKind", format!("{kind}List"));
        }
    }
    let versions = field::list(definition, "/spec/versions").iter();
    let storage = versions.filter(|version| field::flag(version, "/storage"));
    let storage: Vec<Value> = storage.map(|version| version["name"].clone()).collect();
    let mut stored =
        old.map_or(Vec::new(), |old| field::list(old, "/status/storedVersions").to_vec());
    for name in storage {
        if !stored.contains(&name) {
            stored.push(name);
        }
    }
    match old {
        Some(_) => {}
        None => {
            definition["status"] = json!({
                "conditions": null, "acceptedNames": {"plural": "", "kind": ""},
                "storedVersions": null,
            });
        }
    }
    if !stored.is_empty() {
        definition["status"]["storedVersions"] = stored.into();
    }
}

/// The definition with its names accepted, as far as no other of its group has them, and
/// established if it got all. `None` where nothing changes.
pub(crate) fn establish(definition: &Value, others: &[&Value], now: &str) -> Option<Value> {
    let mut next = definition.clone();
    let group = field::text(definition, "/spec/group");
    let taken = |name: &str, of_kinds: bool| {
        others.iter().filter(|other| field::text(other, "/spec/group") == group).any(|other| {
            let names = &other["status"]["acceptedNames"];
            let keys: &[&str] =
                if of_kinds { &["kind", "listKind"] } else { &["plural", "singular"] };
            let short = field::list(names, "/shortNames").iter().any(|short| short == name);
            keys.iter().any(|key| names[*key] == name) || !of_kinds && short
        })
    };
    let wanted = &definition["spec"]["names"];
    let mut conflict: Option<(&str, String)> = None;
    let mut accepted = definition["status"]["acceptedNames"].clone();
    for (key, reason) in SINGLE {
        let name = field::text(wanted, &format!("/{key}"));
        let is_kind = matches!(key, "kind" | "listKind");
        if accepted[key] != name && taken(name, is_kind) {
            conflict = Some((reason, format!("{name:?} is already in use")));
        } else {
            accepted[key] = name.into();
        }
        if key == "singular" {
            let short = field::list(wanted, "/shortNames").iter().filter_map(Value::as_str);
            let used: Vec<&str> = short.filter(|name| taken(name, false)).collect();
            match used.first() {
                Some(name) => {
                    conflict = Some(("ShortNamesConflict", format!("{name:?} is already in use")));
                }
                None => copy(wanted, &mut accepted, "shortNames"),
            }
        }
    }
    copy(wanted, &mut accepted, "categories");
    next["status"]["acceptedNames"] = accepted;
    let is_free = conflict.is_none();
    let (reason, message) = conflict.unwrap_or(("NoConflicts", "no conflicts found".to_owned()));
    set_condition(&mut next, now, ("NamesAccepted", is_free), (reason, &message));
    if !field::condition_is(definition, "Established", "True") {
        let told = match is_free {
            true => ("InitialNamesAccepted", "the initial names have been accepted"),
            false => ("NotAccepted", "not all names are accepted"),
        };
        set_condition(&mut next, now, ("Established", is_free), told);
    }
    (next != *definition).then_some(next)
}

/// Notes that the definition's objects are about to go.
pub(crate) fn ending(definition: &mut Value, now: &str) {
    const WHY: &str = "CustomResourceDefinition marked for deletion; CustomResource deletion will \
         begin soon";
    set_condition(definition, now, ("Terminating", true), ("InstanceDeletionPending", WHY));
}

fn copy(from: &Value, to: &mut Value, key: &str) {
    match from.get(key) {
        Some(value) => to[key] = value.clone(),
        None => {
            if let Some(map) = to.as_object_mut() {
                map.remove(key);
            }
        }
    }
}

/// Sets a condition; its time moves with its status.
fn set_condition(
    object: &mut Value,
    now: &str,
    (kind, is): (&str, bool),
    (reason, message): (&str, &str),
) {
    let status = if is { "True" } else { "False" };
    let mut told = json!({
        "type": kind, "status": status, "reason": reason, "message": message,
        "lastTransitionTime": now,
    });
    let conditions = &mut object["status"]["conditions"];
    if !conditions.is_array() {
        *conditions = json!([]);
    }
    let Some(list) = conditions.as_array_mut() else { return };
    match list.iter_mut().find(|condition| condition["type"] == kind) {
        Some(known) => {
            if known["status"] == status {
                told["lastTransitionTime"] = known["lastTransitionTime"].clone();
            }
            *known = told;
        }
        None => list.push(told),
    }
}
