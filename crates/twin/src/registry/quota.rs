//! Resource quotas: what the objects of a namespace use, and whether one more is too many.

use std::collections::BTreeMap;

use model::Quantity;
use serde_json::Value;

use super::Failure;
use crate::controllers::has_ended;
use crate::field;
use crate::kinds::{self, Kind, RESOURCE_QUOTA};
use crate::store::{Object, Store};

/// Amounts by the names that quotas count them under.
pub(crate) type Amounts = BTreeMap<String, Quantity>;

/// What a quota uses of what it limits.
pub(crate) fn used(store: &Store, quota: &Value) -> Amounts {
    let hard = field::map(quota, "/spec/hard").into_iter().flatten().map(|(key, _)| key.clone());
    let mut sums: Amounts = hard.map(|key| (key, Quantity::default())).collect();
    let namespace = field::namespace(quota);
    for kind in kinds::TABLE.iter().filter(|kind| kind.namespaced && kind.counts()) {
        for object in store.in_namespace(kind.storage, namespace) {
            if applies(quota, kind, object) {
                for (key, amount) in charges(kind, object) {
                    if let Some(sum) = sums.get_mut(&key) {
                        *sum = sum.plus(amount);
                    }
                }
            }
        }
    }
    sums
}

/// Refuses an object that a quota of its namespace has no room for. Gives the quotas as they are
/// once the object is there. What a quota limits and how much of it is used stands in its
/// status, as it was last counted.
pub(super) fn check(
    store: &Store,
    kind: &Kind,
    namespace: &str,
    object: &Value,
) -> Result<Vec<Value>, Failure> {
    let mut spent = Vec::new();
    let quotas: Vec<&Object> = store.in_namespace(RESOURCE_QUOTA.storage, namespace).collect();
    for quota in quotas.into_iter().filter(|quota| applies(quota, kind, object)) {
        let name = field::name(quota);
        let refused = |why: String| Err(Failure::forbidden(kind, field::name(object), &why));
        let unstated = unstated(quota, kind, object);
        if !unstated.is_empty() {
            return refused(format!("failed quota: {name}: must specify {}", unstated.join("; ")));
        }
        let hard = |key: &str| field::amount(quota["status"]["hard"].get(key));
        let mut asked = charges(kind, object);
        asked.retain(|key, more| quota["status"]["hard"].get(key).is_some() && more.is_positive());
        let uncounted = asked.keys().filter(|key| quota["status"]["used"].get(key).is_none());
        let uncounted: Vec<&str> = uncounted.map(String::as_str).collect();
        if !uncounted.is_empty() {
            let resources = uncounted.join(",");
            return refused(format!("status unknown for quota: {name}, resources: {resources}"));
        }
        let old = |key: &str| field::amount(quota["status"]["used"].get(key));
        let mut used: Amounts = asked.keys().map(|key| (key.clone(), old(key))).collect();
        let mut next = Value::clone(quota);
        for (key, more) in &asked {
            next["status"]["used"][key] = old(key).plus(*more).text(key).into();
        }
        used.retain(|key, sum| asked.get(key).is_some_and(|more| sum.plus(*more) > hard(key)));
        if used.is_empty() {
            spent.extend((next != ***quota).then_some(next));
            continue;
        }
        let list = |amount: &dyn Fn(&str) -> Quantity| {
            let pairs = used.keys().map(|key| format!("{key}={}", amount(key).text(key)));
            pairs.collect::<Vec<_>>().join(",")
        };
        return refused(format!(
            "exceeded quota: {name}, requested: {}, used: {}, limited: {}",
            list(&|key| asked.get(key).copied().unwrap_or_default()),
            list(&|key| used.get(key).copied().unwrap_or_default()),
            list(&|key| hard(key)),
        ));
    }
    Ok(spent)
}

/// Containers that do not state what the quota counts, by resource.
fn unstated(quota: &Value, kind: &Kind, pod: &Value) -> Vec<String> {
    if kind.storage != "pods" {
        return Vec::new();
    }
    let hard = field::map(quota, "/status/hard").into_iter().flatten();
    let missing = hard.filter_map(|(key, _)| {
        let (part, resource) = match key.as_str() {
            "cpu" | "memory" => ("requests", key.as_str()),
            key => key.split_once('.').filter(|(_, r)| matches!(*r, "cpu" | "memory"))?,
        };
        let lacks = |c: &&Value| {
            let stated = c.pointer(&format!("/resources/{part}/{resource}"));
            stated.is_none_or(Value::is_null)
        };
        let containers = field::list(pod, "/spec/containers").iter().filter(lacks);
        let names: Vec<_> = containers.map(|c| field::text(c, "/name")).collect();
        (!names.is_empty()).then(|| format!("{key} for: {}", names.join(",")))
    });
    missing.collect()
}

/// Whether a quota counts an object: those with scopes count some pods only.
fn applies(quota: &Value, kind: &Kind, object: &Value) -> bool {
    let scopes = field::list(quota, "/spec/scopes").iter().filter_map(Value::as_str);
    let terms = field::list(quota, "/spec/scopeSelector/matchExpressions");
    let is_pod = kind.storage == "pods";
    if is_pod && has_ended(object) {
        return false;
    }
    let named = terms.iter().map(|term| (field::text(term, "/scopeName"), Some(term)));
    let mut all = scopes.map(|scope| (scope, None)).chain(named);
    all.all(|(scope, term)| match scope {
        "VolumeAttributesClass" => {
            let class = field::text(object, "/spec/volumeAttributesClassName");
            kind.storage == "persistentvolumeclaims" && fits(term, class)
        }
        _ => is_pod && in_scope(scope, term, object),
    })
}

/// Whether the class is one that a term of a quota's scope means.
fn fits(term: Option<&Value>, class: &str) -> bool {
    let term = term.unwrap_or(&Value::Null);
    let listed = field::list(term, "/values").iter().any(|value| value == class);
    match field::text(term, "/operator") {
        "In" => listed,
        "NotIn" => !listed,
        "DoesNotExist" => class.is_empty(),
        _ => !class.is_empty(),
    }
}

fn in_scope(scope: &str, term: Option<&Value>, pod: &Value) -> bool {
    let best_effort = field::text(pod, "/status/qosClass") == "BestEffort";
    let bounded = pod.pointer("/spec/activeDeadlineSeconds").is_some_and(Value::is_number);
    let class = field::text(pod, "/spec/priorityClassName");
    match scope {
        "BestEffort" => best_effort,
        "NotBestEffort" => !best_effort,
        "Terminating" => bounded,
        "NotTerminating" => !bounded,
        "PriorityClass" => fits(term, class),
        _ => false,
    }
}

/// What an object counts for.
fn charges(kind: &Kind, object: &Value) -> Amounts {
    let one = Quantity::from_units(1);
    let mut charges = Amounts::from([(format!("count/{}", kind.qualified()), one)]);
    if kind.group.is_empty() {
        charges.insert(kind.plural.to_owned(), one);
    }
    let mut add = |key: String, amount: Quantity| {
        let sum = charges.entry(key).or_default();
        *sum = sum.plus(amount);
    };
    for container in
        field::list(object, "/spec/containers").iter().filter(|_| kind.storage == "pods")
    {
        for resource in ["cpu", "memory", "ephemeral-storage"] {
            let of =
                |part: &str| field::quantity(container, &format!("/resources/{part}/{resource}"));
            add(resource.to_owned(), of("requests"));
            add(format!("requests.{resource}"), of("requests"));
            add(format!("limits.{resource}"), of("limits"));
        }
        // Of what others offer on nodes only requests are counted.
        let requests = field::map(container, "/resources/requests").into_iter().flatten();
        for (resource, _) in requests.filter(|(resource, _)| resource.contains('/')) {
            let amount = field::amount(container["resources"]["requests"].get(resource));
            add(format!("requests.{resource}"), amount);
        }
    }
    if kind.storage == "persistentvolumeclaims" {
        let size = field::quantity(object, "/spec/resources/requests/storage");
        let class = field::text(object, "/spec/storageClassName");
        add("requests.storage".to_owned(), size);
        let prefix = format!("{class}.storageclass.storage.k8s.io");
        add(format!("{prefix}/requests.storage"), size);
        add(format!("{prefix}/persistentvolumeclaims"), one);
    }
    if kind.storage == "resourceclaims.resource.k8s.io" {
        for request in field::list(object, "/spec/devices/requests") {
            let class = field::text(request, "/exactly/deviceClassName");
            let count = request.pointer("/exactly/count").and_then(Value::as_i64).unwrap_or(1);
            let key = format!("{class}.deviceclass.resource.k8s.io/devices");
            add(key, Quantity::from_units(count));
        }
    }
    if kind.storage == "services" {
        let ports = field::list(object, "/spec/ports").len();
        let ports = Quantity::from_units(i64::try_from(ports).unwrap_or(i64::MAX));
        let balanced = field::text(object, "/spec/type") == "LoadBalancer";
        let opened = object.pointer("/spec/allocateLoadBalancerNodePorts") != Some(&false.into());
        if balanced {
            add("services.loadbalancers".to_owned(), one);
        }
        if balanced && opened || field::text(object, "/spec/type") == "NodePort" {
            add("services.nodeports".to_owned(), ports);
        }
    }
    charges
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kinds::POD;
    use crate::store::Key;
    use serde_json::json;

    fn pod(name: &str, requests: Value) -> Value {
        json!({
            "metadata": {"name": name, "namespace": "a"},
            "spec": {"containers": [{"name": "app", "resources": {"requests": requests}}]},
        })
    }

    #[track_caller]
    fn check_pod(hard: Value, requests: Value, refusal: &str) {
        let mut store = Store::new(10);
        let mut put = |resource, name: &str, value| {
            store.put(Key { resource, namespace: "a".into(), name: name.into() }, value);
        };
        let mut quota =
            json!({"metadata": {"name": "q", "namespace": "a"}, "spec": {"hard": hard}});
        put("pods", "old", pod("old", json!({"cpu": "1500m"})));
        let mut counted = json!({});
        for (key, amount) in used(&store, &quota) {
            counted[&key] = amount.text(&key).into();
        }
        quota["status"] = json!({"hard": hard, "used": counted});
        let key = Key { resource: "resourcequotas", namespace: "a".into(), name: "q".into() };
        store.put(key, quota);
        let answer = check(&store, &POD, "a", &pod("new", requests));
        let told = answer.err().map(|failure| failure.message).unwrap_or_default();
        assert_eq!(told.trim_start_matches("pods \"new\" is forbidden: "), refusal);
    }

    #[test]
    fn a_pod_that_does_not_fit_is_refused_with_numbers() {
        check_pod(
            json!({"pods": "1"}),
            json!({}),
            "exceeded quota: q, requested: pods=1, used: pods=1, limited: pods=1",
        );
        check_pod(
            json!({"pods": "5", "requests.cpu": "2"}),
            json!({"cpu": "600m"}),
            "exceeded quota: q, requested: requests.cpu=600m, used: requests.cpu=1500m, limited: \
             requests.cpu=2",
        );
        let requests = json!({"cpu": "500m"});
        check_pod(json!({"pods": "2", "requests.cpu": "2"}), requests, "");
        check_pod(
            json!({"limits.memory": "1Gi"}),
            json!({}),
            "failed quota: q: must specify limits.memory for: app",
        );
    }
}
