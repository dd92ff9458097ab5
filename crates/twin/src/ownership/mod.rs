//! Who owns which field: `metadata.managedFields` as writes leave it, and server-side apply.
//!
//! A write by update takes what it changes from the others; an apply declares what its manager
//! wants and is refused where another manager wants otherwise. Must never know what a field
//! means, nor whether the result is valid.

mod check;
#[cfg(test)]
mod laws;
mod set;
mod walk;

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::field;
use crate::schema::View;
pub(crate) use check::{check, plain};
pub(crate) use set::{Set, Step};
use walk::{Difference, compare, fields_of, merge, with_parents, without};

/// How many managers that update one object tracks by name.
const MOST_UPDATERS: usize = 10;
/// The name under which the oldest others are kept.
const ANCIENT: &str = "ancient-changes";

/// Who writes, and how.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Manager {
    pub name: String,
    pub applies: bool,
    pub api_version: String,
    /// "" for the object itself.
    pub subresource: String,
}

/// A manager's fields.
#[derive(Debug, Clone)]
struct Entry {
    set: Set,
    /// When they last changed, "" for never.
    time: String,
}

/// The managers of an object.
type Managers = BTreeMap<Manager, Entry>;

/// A field that another manager owns.
#[derive(Debug)]
pub(crate) struct Conflict {
    /// `conflict with "one" using v1`.
    pub told: String,
    pub path: String,
}

/// An object in the words of another version of its kind; `None` if that is not served.
pub(crate) type Worded<'f> = &'f dyn Fn(&str, &Value) -> Option<(View<'static>, Value)>;

/// How an object changes, in the words of the versions in which its managers spoke.
struct Changes<'a> {
    view: View<'a>,
    /// Before and after, in the version of `view`.
    objects: (&'a Value, &'a Value),
    api_version: &'a str,
    worded: Worded<'a>,
    known: BTreeMap<String, Difference>,
}

impl<'a> Changes<'a> {
    fn new(
        view: View<'a>,
        objects: (&'a Value, &'a Value),
        api_version: &'a str,
        worded: Worded<'a>,
    ) -> Self {
        Self { view, objects, api_version, worded, known: BTreeMap::new() }
    }

    /// In the words of this version; nothing in words that nobody serves.
    fn of(&mut self, api_version: &str) -> &Difference {
        let (view, (old, new)) = (self.view, self.objects);
        let made = || {
            if api_version == self.api_version {
                return compare(view, old, new);
            }
            let told = |value: &Value| (self.worded)(api_version, value);
            match (told(old), told(new)) {
                (Some((view, old)), Some((_, new))) => compare(view, &old, &new),
                _ => Difference::default(),
            }
        };
        if !self.known.contains_key(api_version) {
            let made = made();
            self.known.insert(api_version.to_owned(), made);
        }
        self.known.entry(api_version.to_owned()).or_default()
    }
}

/// Fields that nobody owns.
fn common() -> Set {
    let mut set = Set::default();
    let name = |name: &str| Step::Field(name.to_owned());
    for key in ["apiVersion", "kind", "metadata"] {
        set.insert(&[name(key)]);
    }
    for key in [
        "name",
        "namespace",
        "creationTimestamp",
        "selfLink",
        "uid",
        "clusterName",
        "generation",
        "managedFields",
        "resourceVersion",
    ] {
        set.insert(&[name("metadata"), name(key)]);
    }
    set
}

fn decode(object: &Value) -> Managers {
    let entries = field::list(object, "/metadata/managedFields").iter();
    let read = entries.map(|entry| {
        let text = |pointer| field::text(entry, pointer).to_owned();
        let manager = Manager {
            name: text("/manager"),
            applies: field::text(entry, "/operation") == "Apply",
            api_version: text("/apiVersion"),
            subresource: text("/subresource"),
        };
        (manager, Entry { set: Set::parse(&entry["fieldsV1"]), time: text("/time") })
    });
    read.collect()
}

/// Writes the managers into the object, in the server's order.
fn encode(object: &mut Value, managers: &Managers) {
    let mut all: Vec<_> = managers.iter().filter(|(_, entry)| !entry.set.is_empty()).collect();
    let order = |(manager, entry): &(&Manager, &Entry)| {
        let name = (manager.name.clone(), manager.api_version.clone());
        (!manager.applies, entry.time.clone(), name, manager.subresource.clone())
    };
    all.sort_by_key(order);
    let told = all.into_iter().map(|(manager, entry)| {
        let mut told = json!({
            "manager": manager.name, "operation": if manager.applies { "Apply" } else { "Update" },
            "apiVersion": manager.api_version, "fieldsType": "FieldsV1",
            "fieldsV1": entry.set.to_value(),
        });
        if !entry.time.is_empty() {
            told["time"] = entry.time.clone().into();
        }
        if !manager.subresource.is_empty() {
            told["subresource"] = manager.subresource.clone().into();
        }
        told
    });
    let told: Vec<_> = told.collect();
    let metadata = field::child(object, "metadata");
    metadata.remove("managedFields");
    if !told.is_empty() {
        metadata.insert("managedFields".into(), told.into());
    }
}

/// Whether a writer asks to forget all ownership.
fn is_reset(object: &Value) -> bool {
    let sent = object.pointer("/metadata/managedFields").and_then(Value::as_array);
    sent.is_some_and(|list| {
        matches!(list.as_slice(), [only] if only.as_object().is_some_and(serde_json::Map::is_empty))
    })
}

/// Notes in `new` what an update by `manager` changed from `old`. `is_new`: the object is made.
pub(crate) fn update(
    view: View<'_>,
    old: &Value,
    new: &mut Value,
    manager: &Manager,
    now: &str,
    (is_new, ignored): (bool, &Set),
    worded: Worded<'_>,
) {
    let live = decode(old);
    let own = !manager.subresource.is_empty();
    let mut managers = match decode(new) {
        _ if own => live,
        _ if is_reset(new) => {
            encode(new, &Managers::new());
            return;
        }
        sent if sent.is_empty() => live,
        sent => sent,
    };
    // An object that was made without owners goes on without.
    if !is_new && managers.is_empty() {
        encode(new, &managers);
        return;
    }
    let stored = field::text(new, "/apiVersion").to_owned();
    let mut changes = Changes::new(view, (old, new), &stored, worded);
    for (other, entry) in &mut managers {
        let difference = changes.of(&other.api_version);
        entry.set.subtract(&difference.added);
        entry.set.subtract(&difference.modified);
        entry.set.subtract(&difference.removed);
    }
    let difference = changes.of(&manager.api_version);
    let mut changed = difference.added.clone();
    changed.union(&difference.modified);
    changed.subtract(&common());
    changed.subtract_below(ignored);
    if !changed.is_empty() {
        let entry = managers
            .entry(manager.clone())
            .or_insert_with(|| Entry { set: Set::default(), time: String::new() });
        entry.set.union(&changed);
        // What the scale subresource writes is noted without a time.
        entry.time = if manager.subresource == "scale" { "" } else { now }.to_owned();
    }
    cap(&mut managers);
    encode(new, &managers);
}

/// Joins the oldest updaters when there are too many.
fn cap(managers: &mut Managers) {
    let mut updaters: Vec<_> = managers
        .iter()
        .filter(|(manager, _)| !manager.applies)
        .map(|(manager, entry)| (entry.time.clone(), manager.clone()))
        .collect();
    updaters.sort();
    let surplus = updaters.len().saturating_sub(MOST_UPDATERS);
    if surplus == 0 {
        return;
    }
    for (_, manager) in updaters.into_iter().take(surplus + 1) {
        let Some(old) = managers.remove(&manager) else { continue };
        let ancient = Manager { name: ANCIENT.into(), ..manager };
        let entry = managers.entry(ancient).or_insert_with(|| old.clone());
        entry.set.union(&old.set);
        entry.time = entry.time.clone().max(old.time);
    }
}

/// The result of an apply, or the conflicts that forbid it.
pub(crate) fn apply(
    view: View<'_>,
    live: &Value,
    applied: &Value,
    manager: &Manager,
    now: &str,
    (force, ignored): (bool, &Set),
    worded: Worded<'_>,
) -> Result<Value, Vec<Conflict>> {
    let mut managers = decode(live);
    // Who applies is the same in every version.
    let same = |other: &&Manager| {
        other.applies && other.name == manager.name && other.subresource == manager.subresource
    };
    let earlier = managers.keys().find(same).cloned();
    let in_other_words = earlier.as_ref().is_some_and(|m| m.api_version != manager.api_version);
    let last = earlier.and_then(|earlier| managers.remove(&earlier)).map(|entry| Entry {
        // What was applied in other words is not taken back.
        set: if in_other_words { Set::default() } else { entry.set },
        time: entry.time,
    });
    let mut set = fields_of(view, applied);
    set.owned = false;
    set.subtract(&common());
    set.subtract_below(ignored);
    managers.insert(manager.clone(), Entry { set: set.clone(), time: String::new() });
    let mut applied = applied.clone();
    if let Some(metadata) = applied.get_mut("metadata").and_then(Value::as_object_mut) {
        metadata.remove("managedFields");
    }
    let merged = without(view, &applied, ignored);
    let merged = merge(view, live, &merged);
    let merged = prune(view, merged, &managers, last.as_ref());
    let mut changes = Changes::new(view, (live, &merged), &manager.api_version, worded);
    let mut conflicts = Vec::new();
    for (other, entry) in managers.iter_mut().filter(|(other, _)| *other != manager) {
        let difference = changes.of(&other.api_version);
        let mut changed = difference.added.clone();
        changed.union(&difference.modified);
        let taken = entry.set.intersection(&changed);
        if !taken.is_empty() && !force {
            conflicts.extend(taken.paths().into_iter().map(|path| told(other, path)));
        }
        entry.set.subtract(&taken);
        entry.set.subtract(&difference.removed);
    }
    if !conflicts.is_empty() {
        conflicts.retain(|conflict| !taken_over(view, live, manager).contains(&conflict.path));
        if conflicts.is_empty() {
            return apply(view, live, &applied, manager, now, (true, ignored), worded);
        }
        return Err(conflicts);
    }
    // Who changes nothing keeps the time of the last change, or has none.
    let difference = changes.of(&manager.api_version);
    let still = difference.added.is_empty()
        && difference.modified.is_empty()
        && difference.removed.is_empty();
    if let Some(entry) = managers.get_mut(manager) {
        entry.time = match last {
            Some(last) if still => last.time,
            None if still => String::new(),
            _ => now.to_owned(),
        };
    }
    let mut merged = merged;
    encode(&mut merged, &managers);
    Ok(merged)
}

/// Fields that kubectl once applied on its own side and that are still as it applied them: its
/// server-side apply takes them over without a conflict.
fn taken_over(view: View<'_>, live: &Value, manager: &Manager) -> Vec<String> {
    const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";
    let annotations = field::map(live, "/metadata/annotations");
    let text = annotations.and_then(|all| all.get(LAST_APPLIED)).and_then(Value::as_str);
    let Some(text) = text.filter(|_| manager.name == "kubectl") else { return Vec::new() };
    let Ok(last) = serde_json::from_str::<Value>(text) else { return Vec::new() };
    if last["apiVersion"] != live["apiVersion"] {
        return Vec::new();
    }
    let difference = compare(view, &last, live);
    let mut set = fields_of(view, &last);
    for changed in [difference.modified, difference.added, difference.removed] {
        set.subtract(&changed);
    }
    set.paths()
}

fn told(other: &Manager, path: String) -> Conflict {
    let mut told = format!("conflict with {:?}", other.name);
    if !other.subresource.is_empty() {
        told.push_str(&format!(" with subresource {:?}", other.subresource));
    }
    if !other.applies {
        told.push_str(&format!(" using {}", other.api_version));
    }
    Conflict { told, path }
}

/// Takes out what the manager applied before and nobody owns any more.
fn prune(view: View<'_>, merged: Value, managers: &Managers, last: Option<&Entry>) -> Value {
    let Some(last) = last.filter(|last| !last.set.is_empty()) else { return merged };
    let mut gone = with_parents(view, &last.set);
    for entry in managers.values() {
        gone.subtract(&with_parents(view, &entry.set));
    }
    gone.owned = false;
    without(view, &merged, &gone)
}
