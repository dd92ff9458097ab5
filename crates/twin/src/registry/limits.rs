//! Limit ranges: what containers get that state nothing, and what none may exceed.

use std::collections::BTreeMap;

use model::Quantity;
use serde_json::{Map, Value, json};

use super::Failure;
use crate::field;
use crate::kinds::{Kind, LIMIT_RANGE};
use crate::store::{Object, Store};

const ANNOTATION: &str = "kubernetes.io/limit-ranger";

/// Amounts by resource.
type Amounts = BTreeMap<String, Quantity>;

/// The limits of a range for a type of thing: `Pod`, `Container`, `PersistentVolumeClaim`.
fn items<'r>(range: &'r Object, kind: &'r str) -> impl Iterator<Item = &'r Value> {
    field::list(range, "/spec/limits").iter().filter(move |item| field::text(item, "/type") == kind)
}

/// Gives the containers of a pod the defaults of their namespace, and notes that.
pub(super) fn fill_in(store: &Store, namespace: &str, pod: &mut Value) {
    for range in store.in_namespace(LIMIT_RANGE.storage, namespace) {
        let mut defaults = json!({"limits": {}, "requests": {}});
        for item in items(range, "Container") {
            for (part, key) in [("limits", "/default"), ("requests", "/defaultRequest")] {
                for (resource, amount) in field::map(item, key).into_iter().flatten() {
                    defaults[part][resource] = amount.clone();
                }
            }
        }
        let mut notes = Vec::new();
        for (list, word) in [("containers", "container"), ("initContainers", "init container")] {
            let all = pod.pointer_mut(&format!("/spec/{list}")).and_then(Value::as_array_mut);
            for container in all.into_iter().flatten() {
                fill(container, &defaults, word, &mut notes);
            }
        }
        if !notes.is_empty() {
            let told = format!("LimitRanger plugin set: {}", notes.join("; "));
            pod["metadata"]["annotations"][ANNOTATION] = told.into();
        }
    }
}

fn fill(container: &mut Value, defaults: &Value, word: &str, notes: &mut Vec<String>) {
    let name = field::text(container, "/name").to_owned();
    let resources = field::child(container, "resources");
    for (part, what) in [("requests", "request"), ("limits", "limit")] {
        let given = field::map(defaults, &format!("/{part}")).into_iter().flatten();
        let mut set = Vec::new();
        for (resource, amount) in given {
            let stated = resources.entry(part).or_insert_with(|| Value::Object(Map::new()));
            if stated.get(resource).is_none_or(Value::is_null) {
                stated[resource] = amount.clone();
                set.push(resource.as_str());
            }
        }
        if !set.is_empty() {
            notes.push(format!("{} {what} for {word} {name}", set.join(", ")));
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
    if !matches!(kind.storage, "pods" | "persistentvolumeclaims") {
        return Ok(());
    }
    for range in store.in_namespace(LIMIT_RANGE.storage, namespace) {
        let broken = match kind.storage {
            "pods" => broken_by_pod(range, object),
            _ => broken_by_claim(range, object),
        };
        let why = match broken.as_slice() {
            [] => continue,
            [one] => one.clone(),
            many => format!("[{}]", many.join(", ")),
        };
        return Err(Failure::forbidden(kind, field::name(object), &why));
    }
    Ok(())
}

fn broken_by_pod(range: &Object, pod: &Value) -> Vec<String> {
    let mut broken = Vec::new();
    for item in field::list(range, "/spec/limits") {
        match field::text(item, "/type") {
            "Container" => {
                for list in ["/spec/containers", "/spec/initContainers"] {
                    for container in field::list(pod, list) {
                        let stated = |part: &str| amounts(container, part);
                        broken.extend(bounds(item, &stated("requests"), &stated("limits")));
                    }
                }
            }
            "Pod" => {
                broken.extend(bounds(item, &total(pod, "requests"), &total(pod, "limits")));
            }
            _ => {}
        }
    }
    broken
}

fn broken_by_claim(range: &Object, claim: &Value) -> Vec<String> {
    let requests = amounts(&claim["spec"], "requests");
    let all = items(range, "PersistentVolumeClaim");
    let rules = all.flat_map(|item| {
        let least =
            limits_of(item, "min").map(|bound| at_least(item, &bound, &requests, &Amounts::new()));
        let most = limits_of(item, "max").map(|(resource, most)| {
            let rule = rule("maximum", item, &resource, most);
            match requests.get(&resource) {
                None => Some(format!("{rule}.  No request is specified")),
                Some(request) => beyond(*request > most, &rule, "request", (*request, &resource)),
            }
        });
        least.chain(most).collect::<Vec<_>>()
    });
    rules.flatten().collect()
}

/// Bounds that these amounts break, in the words of the API server.
fn bounds(item: &Value, requests: &Amounts, limits: &Amounts) -> Vec<String> {
    let least = limits_of(item, "min").map(|bound| at_least(item, &bound, requests, limits));
    let most = limits_of(item, "max").map(|(resource, most)| {
        let rule = rule("maximum", item, &resource, most);
        let Some(limit) = limits.get(&resource) else {
            return Some(format!("{rule}.  No limit is specified"));
        };
        let request = requests.get(&resource);
        let over = beyond(*limit > most, &rule, "limit", (*limit, &resource));
        over.or_else(|| request.and_then(|r| beyond(*r > most, &rule, "request", (*r, &resource))))
    });
    let ratios = limits_of(item, "maxLimitRequestRatio").map(|(resource, most)| {
        let of = |all: &Amounts| all.get(&resource).copied().filter(|amount| amount.is_positive());
        let kind = field::text(item, "/type");
        let rule =
            format!("{resource} max limit to request ratio per {kind} is {}", most.text(&resource));
        let (Some(request), limit) = (of(requests), of(limits)) else {
            return Some(format!("{rule}, but no request is specified or request is 0"));
        };
        let Some(limit) = limit else {
            return Some(format!("{rule}, but no limit is specified or limit is 0"));
        };
        let ratio = limit.milli() as f64 / request.milli() as f64;
        let over = ratio * 1000.0 > most.milli() as f64;
        over.then(|| format!("{rule}, but provided ratio is {ratio:.6}"))
    });
    least.chain(most).chain(ratios).flatten().collect()
}

fn at_least(
    item: &Value,
    (resource, least): &(String, Quantity),
    requests: &Amounts,
    limits: &Amounts,
) -> Option<String> {
    let rule = rule("minimum", item, resource, *least);
    let Some(request) = requests.get(resource) else {
        return Some(format!("{rule}.  No request is specified"));
    };
    let limit = limits.get(resource);
    let under = beyond(*request < *least, &rule, "request", (*request, resource));
    under.or_else(|| limit.and_then(|l| beyond(*l < *least, &rule, "limit", (*l, resource))))
}

fn beyond(
    broken: bool,
    rule: &str,
    what: &str,
    (amount, resource): (Quantity, &str),
) -> Option<String> {
    broken.then(|| format!("{rule}, but {what} is {}", amount.text(resource)))
}

fn rule(word: &str, item: &Value, resource: &str, bound: Quantity) -> String {
    let kind = field::text(item, "/type");
    format!("{word} {resource} usage per {kind} is {}", bound.text(resource))
}

fn limits_of(item: &Value, key: &str) -> impl Iterator<Item = (String, Quantity)> {
    let all = field::map(item, &format!("/{key}")).into_iter().flatten();
    all.map(|(resource, amount)| (resource.clone(), field::amount(Some(amount))))
}

/// What `resources` of something state.
fn amounts(of: &Value, part: &str) -> Amounts {
    let all = field::map(of, &format!("/resources/{part}")).into_iter().flatten();
    all.map(|(resource, amount)| (resource.clone(), field::amount(Some(amount)))).collect()
}

/// What a pod as a whole asks for: its containers together, or one of those that run before.
fn total(pod: &Value, part: &str) -> Amounts {
    let mut sum = Amounts::new();
    let add = |sum: &mut Amounts, more: &Amounts| {
        for (resource, amount) in more {
            let known = sum.entry(resource.clone()).or_default();
            *known = known.plus(*amount);
        }
    };
    for container in field::list(pod, "/spec/containers") {
        add(&mut sum, &amounts(container, part));
    }
    let (mut beside, mut before) = (Amounts::new(), Amounts::new());
    for container in field::list(pod, "/spec/initContainers") {
        let own = amounts(container, part);
        let stays = field::text(container, "/restartPolicy") == "Always";
        let mut then = own.clone();
        add(&mut then, &beside);
        if stays {
            add(&mut sum, &own);
            add(&mut beside, &own);
        }
        for (resource, amount) in then {
            let known = before.entry(resource).or_default();
            *known = (*known).max(amount);
        }
    }
    for (resource, amount) in before {
        let known = sum.entry(resource).or_default();
        *known = (*known).max(amount);
    }
    sum.extend(amounts(&pod["spec"], part));
    sum
}
