//! The objects that a policy takes as parameters.

use std::sync::Arc;

use serde_json::Value;

use crate::controllers::selects;
use crate::field;
use crate::kinds;
use crate::store::{Object, Store};

/// The parameters with which a binding asks its policy, each once; `None`: without any.
pub(super) fn of(
    store: &Store,
    policy: &Value,
    binding: &Value,
    namespace: &str,
) -> Result<Vec<Option<Object>>, String> {
    let (wanted, reference) = (&policy["spec"]["paramKind"], &binding["spec"]["paramRef"]);
    if !wanted.is_object() || !reference.is_object() {
        return Ok(vec![None]);
    }
    let (version, kind) = (field::text(wanted, "/apiVersion"), field::text(wanted, "/kind"));
    let Some(kind) = kinds::of_object(version, kind) else {
        return Err(format!(
            "failed to find resource referenced by paramKind: '{version}, Kind={kind}'"
        ));
    };
    let given = field::text(reference, "/namespace");
    let home = match (kind.namespaced, given) {
        (false, "") => "",
        (false, _) => {
            let why = "paramRef.namespace must not be provided for a cluster-scoped `paramKind`";
            return Err(why.into());
        }
        (true, "") if namespace.is_empty() => {
            let why = "cannot use namespaced paramRef in policy binding that matches \
                 cluster-scoped resources";
            return Err(why.into());
        }
        (true, "") => namespace,
        (true, given) => given,
    };
    let name = field::text(reference, "/name");
    let selector = &reference["selector"];
    let found: Vec<Option<Object>> = if name.is_empty() {
        let all = store.in_namespace(kind.storage, home);
        all.filter(|object| selects(selector, object))
            .map(|object| Some(Arc::clone(object)))
            .collect()
    } else {
        store
            .get(kind.storage, home, name)
            .map(|object| Some(Arc::clone(object)))
            .into_iter()
            .collect()
    };
    if found.is_empty() && field::text(reference, "/parameterNotFoundAction") == "Deny" {
        let why = "no params found for policy binding with `Deny` parameterNotFoundAction";
        return Err(why.into());
    }
    Ok(found)
}
