//! Walking values by their type: which fields a value has, where two differ, one merged into
//! another, and what remains without some fields. The rules are those of structured merge and
//! diff, which server-side apply is built on.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::set::{Set, Step};
use crate::schema::{Relation, Type, View};

/// Where two values differ.
#[derive(Debug, Default)]
pub(crate) struct Difference {
    pub added: Set,
    pub modified: Set,
    pub removed: Set,
}

/// A list element's place: its value in a set, its keys in a keyed list.
pub(crate) fn place(view: View<'_>, index: usize, item: &Value) -> Step {
    let Type::List(list) = view.of else { return Step::Index(index) };
    match &list.relation {
        Relation::Set => Step::Value(item.to_string()),
        Relation::Keyed(keys) => {
            let element = view.to(&list.of).structure();
            let mut found = Map::new();
            for key in keys {
                let default = || element.and_then(|s| s.fields.get(key)?.default.clone());
                if let Some(value) = item.get(key).cloned().or_else(default) {
                    drop(found.insert(key.clone(), value))
                }
            }
            Step::Key(Value::Object(found).to_string())
        }
        Relation::Atomic => Step::Index(index),
    }
}

/// Whether members of the value are owned one by one.
fn opens(view: View<'_>, value: &Value) -> bool {
    match (view.of, value) {
        (Type::Any, Value::Object(_)) => false,
        (Type::Open, Value::Object(_)) => true,
        (Type::Struct { .. } | Type::Map { .. }, Value::Object(_))
        | (Type::List(_), Value::Array(_)) => !view.is_atomic(),
        _ => false,
    }
}

fn is_empty(value: Option<&Value>) -> bool {
    match value {
        None | Some(Value::Null) => true,
        Some(Value::Object(map)) => map.is_empty(),
        Some(Value::Array(list)) => list.is_empty(),
        Some(_) => false,
    }
}

/// The fields that an applied value has.
pub(crate) fn fields_of(view: View<'_>, value: &Value) -> Set {
    let mut set = Set::default();
    if !opens(view, value) {
        set.owned = true;
        return set;
    }
    match value {
        Value::Object(map) => {
            let is_struct = view.structure().is_some();
            for (key, member) in map {
                let Some(of) = view.member(key) else { continue };
                let mut below = fields_of(of, member);
                below.owned |= is_empty(Some(member)) || !is_struct;
                if matches!(member, Value::Array(list) if list.is_empty()) {
                    below.owned = of.is_atomic();
                }
                if !below.is_empty() {
                    set.below.insert(Step::Field(key.clone()), below);
                }
            }
        }
        Value::Array(_) => {
            let Some(of) = view.element() else { return set };
            for (step, items) in grouped(view, value) {
                let mut below = match items.as_slice() {
                    [only] => fields_of(of, only),
                    // Who comes twice is owned as a whole.
                    _ => Set::default(),
                };
                below.owned = true;
                set.below.insert(step, below);
            }
        }
        _ => {}
    }
    set
}

/// Where `new` differs from `old`.
pub(crate) fn compare(view: View<'_>, old: &Value, new: &Value) -> Difference {
    let mut found = Difference::default();
    walk(view, Some(old), Some(new), &mut Vec::new(), &mut found);
    found
}

fn walk(
    view: View<'_>,
    old: Option<&Value>,
    new: Option<&Value>,
    path: &mut Vec<Step>,
    found: &mut Difference,
) {
    let is_map = |value: Option<&Value>| value.is_some_and(Value::is_object);
    let container = match view.of {
        Type::Struct { .. } | Type::Map { .. } | Type::List(_) => true,
        Type::Open => is_map(old) || is_map(new),
        _ => false,
    };
    let leaf = !container || view.is_atomic() || is_empty(old) && is_empty(new);
    match (old, new) {
        (None, None) => return,
        (None, Some(_)) => found.added.insert(path),
        (Some(_), None) => found.removed.insert(path),
        (Some(old), Some(new)) if leaf && old != new => {
            found.modified.insert(path);
        }
        _ => {}
    }
    if leaf {
        return;
    }
    for (step, of, old, new) in pairs(view, old, new) {
        path.push(step);
        match (old.as_slice(), new.as_slice()) {
            ([] | [_], [] | [_]) => {
                walk(of, old.first().copied(), new.first().copied(), path, found);
            }
            ([_, _, ..], [_, _, ..]) => {
                if old != new {
                    found.modified.insert(path);
                }
            }
            // What came twice was owned as a whole, what comes twice now will be.
            ([_, _, ..], _) => {
                walk(of, None, new.first().copied(), path, found);
                found.removed.insert(path);
            }
            _ => {
                walk(of, old.first().copied(), None, path, found);
                found.added.insert(path);
            }
        }
        path.pop();
    }
}

/// A place, its type, and what stands there before and after: more than one element where the
/// keys of a list come twice.
type Pair<'v> = (Step, View<'v>, Vec<&'v Value>, Vec<&'v Value>);

/// The members of two containers side by side.
fn pairs<'v>(view: View<'v>, old: Option<&'v Value>, new: Option<&'v Value>) -> Vec<Pair<'v>> {
    let mut all: BTreeMap<Step, (Vec<&Value>, Vec<&Value>)> = BTreeMap::new();
    for (value, is_new) in [(old, false), (new, true)] {
        let Some(value) = value else { continue };
        for (step, member) in members(view, value) {
            let slot = all.entry(step).or_default();
            if is_new { &mut slot.1 } else { &mut slot.0 }.push(member);
        }
    }
    let typed = all.into_iter().filter_map(|(step, (old, new))| {
        let of = match &step {
            Step::Field(key) => view.member(key)?,
            _ => view.element()?,
        };
        Some((step, of, old, new))
    });
    typed.collect()
}

/// The elements of a list by their places.
fn grouped<'v>(view: View<'_>, list: &'v Value) -> BTreeMap<Step, Vec<&'v Value>> {
    let mut all: BTreeMap<Step, Vec<&Value>> = BTreeMap::new();
    for (step, item) in members(view, list) {
        all.entry(step).or_default().push(item);
    }
    all
}

/// The members of a container with their places.
pub(crate) fn members<'v>(view: View<'_>, value: &'v Value) -> Vec<(Step, &'v Value)> {
    match value {
        Value::Object(map) => map.iter().map(|(k, v)| (Step::Field(k.clone()), v)).collect(),
        Value::Array(list) => {
            list.iter().enumerate().map(|(i, v)| (place(view, i, v), v)).collect()
        }
        _ => Vec::new(),
    }
}

/// `applied` merged into `live`: what is applied wins, what it does not name stays.
pub(crate) fn merge(view: View<'_>, live: &Value, applied: &Value) -> Value {
    if !opens(view, applied) || !opens(view, live) {
        return applied.clone();
    }
    match (live, applied) {
        (Value::Object(live), Value::Object(applied)) => {
            let mut map = live.clone();
            for (key, member) in applied {
                let merged = match (live.get(key), view.member(key)) {
                    (Some(live), Some(of)) => merge(of, live, member),
                    _ => member.clone(),
                };
                map.insert(key.clone(), merged);
            }
            Value::Object(map)
        }
        (Value::Array(_), Value::Array(_)) => merge_lists(view, live, applied),
        _ => applied.clone(),
    }
}

/// Elements in the order of the applied list; those of the live list keep their places between.
fn merge_lists(view: View<'_>, live: &Value, applied: &Value) -> Value {
    let (live, applied) = (members(view, live), members(view, applied));
    let find = |list: &[(Step, &Value)], step: &Step| -> Option<Value> {
        list.iter().find(|(s, _)| s == step).map(|(_, v)| Value::clone(v))
    };
    let joined = |step: &Step, new: &Value| match (find(&live, step), view.element()) {
        (Some(old), Some(of)) => merge(of, &old, new),
        _ => new.clone(),
    };
    let shared: Vec<&Step> =
        applied.iter().map(|(s, _)| s).filter(|s| find(&live, s).is_some()).collect();
    let (mut l, mut r, mut next) = (0, 0, 0);
    let mut out = Vec::new();
    let mut done: Vec<&Step> = Vec::new();
    while l < live.len() || r < applied.len() {
        if let (Some((old, _)), Some((new, value))) = (live.get(l), applied.get(r)) {
            if old == new {
                out.push(joined(new, value));
                done.push(new);
                (l, r, next) = (l + 1, r + 1, next + 1);
                continue;
            }
            let known = find(&applied, old).is_some();
            if known && shared.get(next).is_some_and(|step| *step != old) {
                l += 1;
                continue;
            }
        }
        if let Some((old, value)) = live.get(l) {
            if find(&applied, old).is_none() {
                out.push(Value::clone(value));
                l += 1;
                continue;
            }
            if done.contains(&old) {
                l += 1;
            }
        }
        if let Some((new, value)) = applied.get(r) {
            out.push(joined(new, value));
            done.push(new);
            r += 1;
            if shared.get(next) == Some(&new) {
                next += 1;
            }
        }
    }
    out.into()
}

/// The value without the fields of `gone`.
pub(crate) fn without(view: View<'_>, value: &Value, gone: &Set) -> Value {
    if !opens(view, value) {
        return value.clone();
    }
    let keeps = |step: &Step| gone.below.get(step).is_none_or(|below| !below.owned);
    let rest = |step: &Step, of: Option<View<'_>>, member: &Value| match (gone.below.get(step), of)
    {
        (Some(below), Some(of)) => without(of, member, below),
        _ => member.clone(),
    };
    let left = members(view, value).into_iter().filter(|(step, _)| keeps(step));
    match value {
        Value::Object(_) => {
            let left = left.filter_map(|(step, member)| match &step {
                Step::Field(key) => Some((key.clone(), rest(&step, view.member(key), member))),
                _ => None,
            });
            Value::Object(left.collect())
        }
        _ => left.map(|(step, member)| rest(&step, view.element(), member)).collect(),
    }
}

/// The set with the structures that lead to its members as members too.
pub(crate) fn with_parents(view: View<'_>, set: &Set) -> Set {
    let mut full = Set { owned: set.owned, below: BTreeMap::new() };
    for (step, below) in &set.below {
        let of = match step {
            Step::Field(key) => view.member(key),
            _ => view.element(),
        };
        let mut child = match of {
            Some(of) => with_parents(of, below),
            None => below.clone(),
        };
        child.owned |= matches!(step, Step::Field(_)) && view.structure().is_some();
        full.below.insert(step.clone(), child);
    }
    full
}
