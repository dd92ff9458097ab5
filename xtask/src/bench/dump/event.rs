//! Events of failing objects.

use super::random::Random;
use super::{RECENT, STARTED};
use serde_json::{Value, json};

/// What an event says.
pub struct Said<'a> {
    pub reason: &'a str,
    pub message: String,
    pub count: u32,
    pub component: &'a str,
}

/// A warning about the object `of`, which has metadata of its own.
pub fn warning(of: &Value, said: &Said<'_>, random: &mut Random) -> Value {
    let text = |pointer: &str| of.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
    let (namespace, name) = (text("/metadata/namespace"), text("/metadata/name"));
    json!({
        "apiVersion": "v1", "kind": "Event",
        "metadata": {
            "name": format!("{name}.{:016x}", random.next()), "namespace": namespace,
            "uid": random.uid(), "resourceVersion": "900", "creationTimestamp": STARTED,
        },
        "involvedObject": {
            "apiVersion": text("/apiVersion"), "kind": text("/kind"), "name": name,
            "namespace": namespace, "uid": text("/metadata/uid"),
        },
        "reason": said.reason, "message": said.message, "type": "Warning", "count": said.count,
        "firstTimestamp": STARTED, "lastTimestamp": RECENT, "eventTime": null,
        "source": {"component": said.component}, "reportingComponent": said.component,
        "reportingInstance": "",
    })
}
