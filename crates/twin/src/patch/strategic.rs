//! Strategic merge patch: maps merge, lists of named elements merge by their key, and directives
//! (`$patch`, `$retainKeys`, `$setElementOrder`, `$deleteFromPrimitiveList`) say the rest.

use serde_json::{Map, Value};

use crate::schema::{Type, View};

const PATCH: &str = "$patch";
const RETAIN: &str = "$retainKeys";
const ORDER: &str = "$setElementOrder/";
const DELETE: &str = "$deleteFromPrimitiveList/";

/// `value` with `patch` merged in; the error is the server's message.
pub(crate) fn strategic(view: View<'_>, value: Value, patch: Value) -> Result<Value, String> {
    match (value, patch) {
        (Value::Object(map), Value::Object(patch)) => maps(Some(view), map, patch),
        (_, patch) => Ok(patch),
    }
}

type Typed<'v> = Option<View<'v>>;

fn maps(
    view: Typed<'_>,
    mut value: Map<String, Value>,
    mut patch: Map<String, Value>,
) -> Result<Value, String> {
    if let Some(directive) = patch.remove(PATCH) {
        return match directive.as_str() {
            Some("replace") => Ok(cleaned(Value::Object(patch))),
            Some("delete") => Ok(Value::Object(Map::new())),
            Some("merge") => maps(view, value, patch),
            _ => Err(format!("unknown patch type found: {}", shown(&directive))),
        };
    }
    retain(&mut value, &mut patch)?;
    order_lists(view, &mut value, &mut patch)?;
    for (key, change) in patch {
        if let Some(list) = key.strip_prefix(DELETE) {
            delete_values(value.get_mut(list), &change);
            continue;
        }
        if change.is_null() {
            value.remove(&key);
            continue;
        }
        let of = view.and_then(|v| v.member(&key));
        let merged = match (value.remove(&key), change) {
            (Some(Value::Object(old)), Value::Object(new)) => maps(of, old, new)?,
            (Some(Value::Array(old)), Value::Array(new)) => lists(of, old, new)?,
            // What is new still may hold directives about itself.
            (None, Value::Object(new)) => maps(of, Map::new(), new)?,
            (None, Value::Array(new)) => lists(of, Vec::new(), new)?,
            (_, new) => cleaned(new),
        };
        value.insert(key, merged);
    }
    Ok(Value::Object(value))
}

/// `$retainKeys`: of the live map only these keys stay.
fn retain(value: &mut Map<String, Value>, patch: &mut Map<String, Value>) -> Result<(), String> {
    let Some(kept) = patch.remove(RETAIN) else { return Ok(()) };
    let Value::Array(kept) = kept else {
        return Err(format!("invalid {RETAIN}: must be a list"));
    };
    let named = |key: &String| kept.iter().any(|k| k == key.as_str());
    if let Some(stray) = patch.keys().find(|key| !key.starts_with('$') && !named(key)) {
        return Err(format!("{stray:?} is not in the {RETAIN} list of the patch"));
    }
    value.retain(|key, _| named(key));
    Ok(())
}

/// `$deleteFromPrimitiveList`.
fn delete_values(list: Option<&mut Value>, gone: &Value) {
    let gone = gone.as_array().map_or(&[][..], Vec::as_slice);
    if let Some(list) = list.and_then(Value::as_array_mut) {
        list.retain(|item| !gone.contains(item));
    }
}

/// `$setElementOrder`: merges the lists that it names, then puts them into its order.
fn order_lists(
    view: Typed<'_>,
    value: &mut Map<String, Value>,
    patch: &mut Map<String, Value>,
) -> Result<(), String> {
    let named: Vec<String> = patch.keys().filter(|k| k.starts_with(ORDER)).cloned().collect();
    for directive in named {
        let Some(Value::Array(order)) = patch.remove(&directive) else {
            return Err(format!("{directive} must be a list"));
        };
        let key = directive.trim_start_matches(ORDER).to_owned();
        if let Some(gone) = patch.remove(&format!("{DELETE}{key}")) {
            delete_values(value.get_mut(&key), &gone);
        }
        let of = view.and_then(|v| v.member(&key));
        let merge_key = merge_key(of);
        let old = value.get(&key).and_then(Value::as_array).cloned();
        let new = match patch.remove(&key) {
            Some(Value::Array(new)) => Some(new),
            _ => None,
        };
        let merged = match (&old, new) {
            (None, None) => continue,
            (Some(old), None) => old.clone(),
            (old, Some(new)) => {
                check_order(&new, &order, &merge_key)?;
                let old = old.clone().unwrap_or_default();
                match lists(of, old, new)? {
                    Value::Array(merged) => merged,
                    _ => continue,
                }
            }
        };
        let (first, rest) = partition(merged, &order, &merge_key);
        let live = old.unwrap_or_default();
        value.insert(key, arranged(first, rest, &order, &live, &merge_key).into());
    }
    Ok(())
}

/// The elements of the patch must come in the order that it asks for.
fn check_order(patch: &[Value], order: &[Value], key: &str) -> Result<(), String> {
    let changed = patch.iter().filter(|item| item.get(PATCH).is_none());
    let mut at = 0;
    for item in changed {
        let rest = order.get(at..).unwrap_or_default();
        match rest.iter().position(|other| same(item, other, key)) {
            Some(found) => at += found + 1,
            None => {
                let list = |all: &[Value]| shown(&Value::from(all.to_vec()));
                return Err(format!(
                    "The order in patch list:\n{}\n doesn't match $setElementOrder list:\n{}\n",
                    list(patch),
                    list(order)
                ));
            }
        }
    }
    Ok(())
}

fn merge_key(view: Typed<'_>) -> String {
    match view.map(|v| v.of) {
        Some(Type::List(list)) => list.merge_key.clone(),
        _ => String::new(),
    }
}

fn lists(view: Typed<'_>, old: Vec<Value>, mut new: Vec<Value>) -> Result<Value, String> {
    let merges = match view.map(|v| v.of) {
        Some(Type::List(list)) => list.merges,
        _ => false,
    };
    if !merges {
        return Ok(cleaned(Value::Array(new)));
    }
    let key = merge_key(view);
    if key.is_empty() {
        let mut both: Vec<Value> = Vec::new();
        for item in old.iter().chain(&new) {
            if !both.contains(item) {
                both.push(item.clone());
            }
        }
        let (first, rest) = partition(both, &new, "");
        return Ok(arranged(first, rest, &new, &old, "").into());
    }
    let replaces = new.iter().any(|item| item[PATCH] == "replace");
    if replaces {
        new.retain(|item| item[PATCH] != "replace");
        return Ok(Value::Array(new));
    }
    let live = old.clone();
    let mut merged = old;
    let (gone, new): (Vec<_>, Vec<_>) = new.into_iter().partition(|i| i[PATCH] == "delete");
    for item in &gone {
        keyed(item, &key)?;
        merged.retain(|other| !same(item, other, &key));
    }
    let element = view.and_then(View::element);
    for item in &new {
        keyed(item, &key)?;
        let Value::Object(change) = item.clone() else { continue };
        match merged.iter().position(|other| same(item, other, &key)) {
            Some(at) => {
                let old = merged.get_mut(at).map(Value::take).unwrap_or_default();
                let Value::Object(old) = old else { continue };
                let joined = maps(element, old, change)?;
                if let Some(slot) = merged.get_mut(at) {
                    *slot = joined;
                }
            }
            None => merged.push(maps(element, Map::new(), change)?),
        }
    }
    let (first, rest) = partition(merged, &new, &key);
    Ok(arranged(first, rest, &new, &live, &key).into())
}

fn keyed(item: &Value, key: &str) -> Result<(), String> {
    match item.get(key) {
        Some(_) => Ok(()),
        None => Err(format!("map: {} does not contain declared merge key: {key}", shown(item))),
    }
}

fn same(a: &Value, b: &Value, key: &str) -> bool {
    if key.is_empty() { a == b } else { a.get(key).is_some() && a.get(key) == b.get(key) }
}

fn index(list: &[Value], item: &Value, key: &str) -> Option<usize> {
    list.iter().position(|other| same(item, other, key))
}

/// The elements that `list` names, and the others.
fn partition(all: Vec<Value>, list: &[Value], key: &str) -> (Vec<Value>, Vec<Value>) {
    all.into_iter().partition(|item| index(list, item, key).is_some())
}

/// `named` in the order asked for; the others are put among them by their order in `live`.
fn arranged(
    mut named: Vec<Value>,
    mut others: Vec<Value>,
    order: &[Value],
    live: &[Value],
    key: &str,
) -> Vec<Value> {
    named.sort_by_key(|item| index(order, item, key));
    others.sort_by_key(|item| index(live, item, key));
    let mut all = Vec::with_capacity(named.len() + others.len());
    let (mut named, mut others) = (named.into_iter().peekable(), others.into_iter().peekable());
    loop {
        let before = match (others.peek(), named.peek()) {
            (None, None) => break,
            (Some(_), None) => true,
            (None, Some(_)) => false,
            (Some(other), Some(item)) => {
                let places = (index(live, other, key), index(live, item, key));
                matches!(places, (Some(a), Some(b)) if a < b)
            }
        };
        all.extend(if before { others.next() } else { named.next() });
    }
    all
}

/// The value without directives and nulls.
fn cleaned(value: Value) -> Value {
    match value {
        Value::Object(map) => Value::Object(
            map.into_iter()
                .filter(|(key, value)| !key.starts_with('$') && !value.is_null())
                .map(|(key, value)| (key, cleaned(value)))
                .collect(),
        ),
        Value::Array(list) => list.into_iter().map(cleaned).collect(),
        other => other,
    }
}

/// A value as Go prints it: `map[image:x]`.
pub(crate) fn shown(value: &Value) -> String {
    match value {
        Value::Null => "<nil>".into(),
        Value::String(text) => text.clone(),
        Value::Object(map) => {
            let told: Vec<_> = map.iter().map(|(k, v)| format!("{k}:{}", shown(v))).collect();
            format!("map[{}]", told.join(" "))
        }
        Value::Array(list) => {
            let told: Vec<_> = list.iter().map(shown).collect();
            format!("[{}]", told.join(" "))
        }
        other => other.to_string(),
    }
}
