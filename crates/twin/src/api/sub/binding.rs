//! `binding`: gives a pod to a node.

use serde_json::{Value, json};

use super::super::query::Query;
use super::super::route::Target;
use super::super::write::check_namespace;
use super::super::{Reply, Request};
use super::{document, done};
use crate::field;
use crate::kinds::POD;
use crate::registry::{Failure, Registry};

pub(super) fn answer(
    registry: &mut Registry,
    target: &Target,
    query: &Query,
    request: &Request,
) -> Result<Reply, Failure> {
    let binding = document(&["v1/Binding"], request, query)?;
    check_namespace(target.home(), &binding)?;
    let name = target.name.as_deref().unwrap_or_else(|| field::name(&binding)).to_owned();
    if field::name(&binding) != name {
        let why = "name in URL does not match name in Binding object";
        return Err(Failure::bad_request(why));
    }
    bind(registry, target.home(), &name, &binding, query.is_dry_run(&request.method)?)
}

/// A binding that was sent to the pod or to the collection of bindings.
fn bind(
    registry: &mut Registry,
    namespace: &str,
    name: &str,
    binding: &Value,
    dry: bool,
) -> Result<Reply, Failure> {
    let node = field::text(binding, "/target/name").to_owned();
    match field::text(binding, "/target/kind") {
        "" | "Node" => {}
        other => {
            let why = format!(
                "target.kind: Unsupported value: {other:?}: supported values: \"Node\", \"<empty>\""
            );
            return Err(Failure::new(500, "", why));
        }
    }
    if node.is_empty() {
        return Err(Failure::new(500, "", "target.name: Required value"));
    }
    let pod = Value::clone(registry.get(&POD, namespace, name)?);
    let uid = field::uid(binding);
    if !uid.is_empty() && uid != field::uid(&pod) {
        return Err(Failure::other_uid(&POD, &pod, uid));
    }
    let refused = |why: String| {
        let message = format!("Operation cannot be fulfilled on pods/binding \"{name}\": {why}");
        let details = json!({"name": name, "kind": "pods/binding"});
        Err(Failure { details: Some(details), ..Failure::new(409, "Conflict", message) })
    };
    let bound = field::text(&pod, "/spec/nodeName");
    if field::is_deleting(&pod) {
        return refused(format!("pod {name} is being deleted, cannot be assigned to a host"));
    }
    if !bound.is_empty() {
        return refused(format!("pod {name} is already assigned to node {bound:?}"));
    }
    if !field::list(&pod, "/spec/schedulingGates").is_empty() {
        return refused(format!("pod {name} has non-empty .spec.schedulingGates"));
    }
    if dry {
        return Ok(done());
    }
    let now = registry.now.to_string();
    registry.bind(&pod, &node, |pod| {
        for key in ["labels", "annotations"] {
            for (name, value) in
                field::map(binding, &format!("/metadata/{key}")).into_iter().flatten()
            {
                pod["metadata"][key][name] = value.clone();
            }
        }
        let condition = json!({
            "type": "PodScheduled", "status": "True", "lastProbeTime": null,
            "lastTransitionTime": now,
        });
        let conditions = pod["status"]["conditions"].take();
        let mut conditions = conditions.as_array().cloned().unwrap_or_default();
        conditions.retain(|c| field::text(c, "/type") != "PodScheduled");
        conditions.push(condition);
        pod["status"]["conditions"] = conditions.into();
    })?;
    Ok(done())
}
