//! Limit ranges: what containers get that state nothing, and what none may exceed.

use model::Quantity;
use serde_json::{Value, json};

use super::Failure;
use crate::field;
use crate::kinds::{Kind, LIMIT_RANGE};
use crate::store::Store;

/// The limits of a namespace for a type of thing: `Container`, `PersistentVolumeClaim`.
fn of<'s>(store: &'s Store, namespace: &str, kind: &'s str) -> Vec<&'s Value> {
    let ranges = store.in_namespace(LIMIT_RANGE.storage, namespace);
    let items = ranges.flat_map(|range| field::list(range, "/spec/limits"));
    items.filter(|item| field::text(item, "/type") == kind).collect()
}

/// Gives the containers of a pod the defaults of their namespace.
pub(super) fn fill_in(store: &Store, namespace: &str, pod: &mut Value) {
    for item in of(store, namespace, "Container") {
        let all = pod.pointer_mut("/spec/containers").and_then(Value::as_array_mut);
        for container in all.into_iter().flatten() {
            let resources = field::child(container, "resources");
            for (part, key) in [("limits", "default"), ("requests", "defaultRequest")] {
                let given = field::map(item, &format!("/{key}")).into_iter().flatten();
                for (resource, amount) in given {
                    let stated = resources.entry(part).or_insert_with(|| json!({}));
                    if let Some(stated) = stated.as_object_mut() {
                        field::default(stated, resource, amount.clone());
                    }
                }
            }
        }
    }
}

/// Refuses what is outside the limits of its namespace.
pub(super) fn check(
    store: &Store,
    kind: &Kind,
    namespace: &str,
    object: &Value,
) -> Result<(), Failure> {
    let (what, parts): (_, Vec<&Value>) = match kind.storage {
        "pods" => ("Container", field::list(object, "/spec/containers").iter().collect()),
        "persistentvolumeclaims" => {
            ("PersistentVolumeClaim", object.get("spec").into_iter().collect())
        }
        _ => return Ok(()),
    };
    let mut broken = Vec::new();
    for item in of(store, namespace, what) {
        for part in &parts {
            broken.extend(beyond(item, "max", what, part));
            broken.extend(beyond(item, "min", what, part));
        }
    }
    let why = match broken.as_slice() {
        [] => return Ok(()),
        [one] => one.clone(),
        many => format!("[{}]", many.join(", ")),
    };
    Err(Failure::forbidden(kind, field::name(object), &why))
}

/// Bounds of one side that the part breaks, in the words of the API server.
fn beyond(item: &Value, side: &str, what: &str, part: &Value) -> Vec<String> {
    let bounds = field::map(item, &format!("/{side}")).into_iter().flatten();
    let told = bounds.filter_map(|(resource, bound)| {
        let bound = field::amount(Some(bound));
        let stated = |of: &str| -> Option<Quantity> {
            let amount = part["resources"][of].get(resource)?;
            Some(field::amount(Some(amount)))
        };
        let (word, main) = match (side, what) {
            ("max", "Container") => ("maximum", "limit"),
            ("max", _) => ("maximum", "request"),
            _ => ("minimum", "request"),
        };
        let breaks = |amount: Quantity| if side == "max" { amount > bound } else { amount < bound };
        let rule = format!("{word} {resource} usage per {what} is {}", bound.text(resource));
        match stated(&format!("{main}s")) {
            None => Some(format!("{rule}. No {main} is specified")),
            Some(amount) if breaks(amount) => {
                Some(format!("{rule}, but {main} is {}", amount.text(resource)))
            }
            Some(_) => None,
        }
    });
    told.collect()
}
