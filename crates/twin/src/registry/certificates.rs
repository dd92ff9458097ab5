//! What the server itself writes into requests for certificates: who asks, and when it was
//! decided.

use model::Timestamp;
use serde_json::{Value, json};

use super::Part;
use crate::access::User;
use crate::field;

/// A request is made in the name of whoever sends it.
pub(super) fn sign_for(request: &mut Value, user: &User) {
    let spec = field::child(request, "spec");
    for key in ["username", "uid", "groups", "extra"] {
        spec.remove(key);
    }
    for (key, value) in user.to_value().as_object().into_iter().flatten() {
        spec.insert(key.clone(), value.clone());
    }
}

/// What is asked for stays; only an approval decides, and decisions have a time.
pub(super) fn settle(old: &Value, new: &mut Value, part: Part, now: Timestamp) {
    new["spec"] = old["spec"].clone();
    if part == Part::Spec {
        new["status"] = old["status"].clone();
        return;
    }
    if part != Part::Status {
        let conditions = new["status"]["conditions"].take();
        new["status"] = old["status"].clone();
        if conditions.is_array() {
            new["status"]["conditions"] = conditions;
        } else if let Some(status) = new["status"].as_object_mut() {
            status.remove("conditions");
        }
    }
    let before = field::list(old, "/status/conditions");
    let all = new.pointer_mut("/status/conditions").and_then(Value::as_array_mut);
    for condition in all.into_iter().flatten() {
        let same = |other: &&Value| ["type", "status"].iter().all(|k| other[*k] == condition[*k]);
        let since = before.iter().find(same).map(|other| other["lastTransitionTime"].clone());
        let Some(map) = condition.as_object_mut() else { continue };
        field::default(map, "lastUpdateTime", now.to_string());
        field::default(map, "lastTransitionTime", since.unwrap_or_else(|| json!(now.to_string())));
    }
}
