//! Whether the constraints of a policy or a binding mean a request.

use serde_json::Value;

use super::Asked;
use crate::controllers::selects;
use crate::field;
use crate::kinds::NAMESPACE;
use crate::store::Store;

pub(super) fn request(store: &Store, constraints: &Value, asked: &Asked<'_>) -> bool {
    let rules = |key: &str| field::list(constraints, key).iter().any(|rule| covers(rule, asked));
    let named = field::list(constraints, "/resourceRules").is_empty() || rules("/resourceRules");
    named
        && !rules("/excludeResourceRules")
        && namespace(store, &constraints["namespaceSelector"], asked)
        && object(&constraints["objectSelector"], asked)
}

fn covers(rule: &Value, asked: &Asked<'_>) -> bool {
    let any = |key: &str, wanted: &str| {
        let mut all = field::list(rule, key).iter().filter_map(Value::as_str);
        all.any(|own| own == "*" || own == wanted)
    };
    let names = field::list(rule, "/resourceNames");
    let scope = match field::text(rule, "/scope") {
        "Namespaced" => asked.kind.namespaced,
        "Cluster" => !asked.kind.namespaced,
        _ => true,
    };
    any("/operations", asked.operation)
        && any("/apiGroups", asked.kind.group)
        && any("/apiVersions", asked.kind.version)
        && field::list(rule, "/resources")
            .iter()
            .filter_map(Value::as_str)
            .any(|r| names_it(r, asked))
        && scope
        && (names.is_empty() || names.iter().any(|name| name == asked.name))
}

/// `pods`, `pods/log`, `pods/*`, `*/scale`, `*` (without subresources), `*/*`.
fn names_it(rule: &str, asked: &Asked<'_>) -> bool {
    let (resource, subresource) = rule.split_once('/').unwrap_or((rule, ""));
    let fits = |own: &str, wanted: &str| own == "*" || own == wanted;
    fits(resource, asked.kind.plural) && (subresource == "*" || subresource == asked.subresource)
}

fn namespace(store: &Store, selector: &Value, asked: &Asked<'_>) -> bool {
    if is_empty(selector) {
        return true;
    }
    if asked.kind.kind == NAMESPACE.kind {
        let own = asked.object.or(asked.old);
        return own.is_some_and(|own| selects(selector, own));
    }
    if asked.namespace.is_empty() {
        return true;
    }
    let found = store.get(NAMESPACE.storage, "", asked.namespace);
    found.is_some_and(|namespace| selects(selector, namespace))
}

fn object(selector: &Value, asked: &Asked<'_>) -> bool {
    let either = [asked.object, asked.old];
    is_empty(selector) || either.into_iter().flatten().any(|object| selects(selector, object))
}

fn is_empty(selector: &Value) -> bool {
    field::list(selector, "/matchExpressions").is_empty()
        && field::map(selector, "/matchLabels").is_none_or(serde_json::Map::is_empty)
}
