//! How many pods there should be, by what their owners want.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;

use crate::field;
use crate::registry::{Registry, scale_of};
use crate::store::Object;

/// How many pods there should be, and the names of those that nobody counts.
pub(super) fn expected(
    registry: &Registry,
    budget: &Value,
    pods: &[Object],
) -> Result<(i64, Vec<String>), String> {
    let spec = &budget["spec"];
    if spec["minAvailable"].is_i64() {
        return Ok((pods.len() as i64, Vec::new()));
    }
    if spec["minAvailable"].is_null() && spec["maxUnavailable"].is_null() {
        return Ok((pods.len() as i64, Vec::new()));
    }
    let mut unmanaged = Vec::new();
    let mut scales: BTreeMap<String, i64> = BTreeMap::new();
    for pod in pods {
        let Some(owner) = field::controller(pod) else {
            unmanaged.push(field::name(pod).to_owned());
            continue;
        };
        if scales.contains_key(field::text(owner, "/uid")) {
            continue;
        }
        let (uid, wanted) = scale(registry, pod, owner)?;
        scales.insert(field::text(owner, "/uid").to_owned(), 0);
        scales.insert(uid, wanted);
    }
    Ok((scales.values().sum(), unmanaged))
}

/// The uid and the wanted number of what controls a pod in the end.
fn scale(registry: &Registry, pod: &Value, owner: &Value) -> Result<(String, i64), String> {
    let text = |owner: &Value, key| field::text(owner, key).to_owned();
    let find = |owner: &Value| {
        let kind = registry
            .kind_of_object(field::text(owner, "/apiVersion"), field::text(owner, "/kind"))?;
        let found = registry.get(kind, field::namespace(pod), field::text(owner, "/name")).ok()?;
        Some((kind, Arc::clone(found)))
    };
    let kind = text(owner, "/kind");
    let Some((row, mut object)) = find(owner) else {
        return Err(format!("found no controllers for pod \"{}\"", field::name(pod)));
    };
    let mut row = row;
    if kind == "ReplicaSet"
        && let Some((above, deployment)) = field::controller(&object).and_then(find)
        && above.kind == "Deployment"
    {
        (row, object) = (above, deployment);
    }
    let can = row.subresources.contains(&"scale")
        || row.custom.is_some_and(|custom| custom.scale.is_some());
    if !can {
        return Err(format!("{} does not implement the scale subresource", row.qualified()));
    }
    let wanted = field::number(&scale_of(row, &object), "/spec/replicas");
    Ok((field::uid(&object).to_owned(), wanted))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::sealed;
    use model::Timestamp;
    use serde_json::json;

    fn registry(now: Timestamp) -> Registry {
        let mut registry = Registry::new(1, now);
        let namespace = json!({"metadata": {"name": "a"}});
        registry.create(&crate::kinds::NAMESPACE, "", namespace).unwrap();
        registry
    }

    #[test]
    fn owners_are_counted_once_and_unknown_ones_fail() {
        let registry = registry(Timestamp::from_seconds(1000));
        let pod = |owner: Option<&str>| {
            let mut pod = json!({"metadata": {"name": "p", "namespace": "a"}});
            if let Some(kind) = owner {
                pod["metadata"]["ownerReferences"] = json!([{
                    "apiVersion": "v1", "kind": kind, "name": "x", "uid": "u", "controller": true,
                }]);
            }
            sealed(pod)
        };
        let budget = json!({"spec": {"minAvailable": "28%"}});
        let bare = expected(&registry, &budget, &[pod(None)]).unwrap();
        assert_eq!(bare, (0, vec!["p".to_owned()]));
        assert!(expected(&registry, &budget, &[pod(Some("Nothing"))]).is_err());
    }
}
