//! Create, replace, patch and delete.

use std::sync::Arc;

use serde_json::{Value, json};

use super::encode::{Shape, Telling};
use super::query::Query;
use super::route::Target;
use super::selector::Filter;
use super::{Reply, Request, body, success, views};
use crate::field;
use crate::registry::{Deleted, Failure, Registry};
use crate::store::Object;

fn told(
    registry: &Registry,
    target: &Target,
    query: &Query,
    shape: Shape,
    (code, object): (u16, &Object),
) -> Result<Reply, Failure> {
    let telling = Telling::new(query, registry.now)?;
    let shown = views::of(target.kind, &registry.shown(target.kind, object));
    Ok(Reply::json(code, &shape.object(target.kind, &shown, &telling)))
}

pub(super) fn create(
    registry: &mut Registry,
    target: &Target,
    query: &Query,
    shape: Shape,
    request: &Request,
) -> Result<Reply, Failure> {
    let kind = target.kind;
    let placed = kind.namespaced == target.namespace.is_some();
    if target.name.is_some() || !placed || !kind.allows("create") {
        return Err(Failure::method_not_allowed());
    }
    let value = body::object(kind, request)?;
    let given = field::namespace(&value);
    if kind.namespaced && !given.is_empty() && given != target.home() {
        return Err(Failure::bad_request(
            "the namespace of the provided object does not match the namespace sent on the request",
        ));
    }
    if !field::text(&value, "/metadata/resourceVersion").is_empty() {
        let why = "resourceVersion should not be set on objects to be created";
        return Err(Failure::new(500, "", why));
    }
    let mut value = value;
    // Times are the server's to give.
    field::child(&mut value, "metadata").remove("creationTimestamp");
    let object = if query.is_dry_run() {
        Arc::new(registry.prepared(kind, target.home(), value)?.1)
    } else {
        registry.create(kind, target.home(), value)?
    };
    told(registry, target, query, shape, (201, &object))
}

pub(super) fn replace(
    registry: &mut Registry,
    target: &Target,
    query: &Query,
    shape: Shape,
    request: &Request,
) -> Result<Reply, Failure> {
    let (kind, name) = (target.kind, named(target, "update")?);
    let value = body::object(kind, request)?;
    if field::name(&value) != name {
        return Err(Failure::bad_request(format!(
            "the name of the object ({}) does not match the name on the URL ({name})",
            field::name(&value)
        )));
    }
    store(registry, target, query, shape, value)
}

pub(super) fn patch(
    registry: &mut Registry,
    target: &Target,
    query: &Query,
    shape: Shape,
    request: &Request,
) -> Result<Reply, Failure> {
    let (kind, name) = (target.kind, named(target, "patch")?);
    let mut value = Value::clone(registry.get(kind, target.home(), name)?);
    let unreadable =
        |error: serde_json::Error| Failure::bad_request(format!("error decoding patch: {error}"));
    match body::media_type(&request.content_type) {
        "application/merge-patch+json" => {
            let patch: Value = serde_json::from_slice(&request.body).map_err(unreadable)?;
            if !patch.is_object() {
                return Err(Failure::bad_request("a merge patch must be an object"));
            }
            json_patch::merge(&mut value, &patch);
        }
        "application/json-patch+json" => {
            let patch: Value = serde_json::from_slice(&request.body).map_err(unreadable)?;
            let rejected = || {
                let why = "the server rejected our request due to an error in our request";
                let failure = Failure::new(422, "Invalid", why);
                Failure { details: Some(json!({})), ..failure }
            };
            let patch: json_patch::Patch = serde_json::from_value(patch).map_err(|_| rejected())?;
            json_patch::patch(&mut value, &patch).map_err(|_| rejected())?;
        }
        _ => {
            let failure = Failure::new(415, "UnsupportedMediaType", "415: Unsupported Media Type");
            return Err(Failure { details: Some(json!({})), ..failure });
        }
    }
    if !value.is_object() || !value["metadata"].is_object() {
        return Err(Failure::bad_request("the patched object has no metadata"));
    }
    if field::name(&value) != name {
        return Err(Failure::bad_request(format!(
            "the name of the object ({}) does not match the name on the URL ({name})",
            field::name(&value)
        )));
    }
    store(registry, target, query, shape, value)
}

fn store(
    registry: &mut Registry,
    target: &Target,
    query: &Query,
    shape: Shape,
    value: Value,
) -> Result<Reply, Failure> {
    let (kind, name) = (target.kind, target.name.as_deref().unwrap_or_default());
    let object = if query.is_dry_run() {
        let old = Arc::clone(registry.get(kind, target.home(), name)?);
        Arc::new(registry.merged(kind, &old, value, target.part)?)
    } else {
        registry.update(kind, target.home(), name, value, target.part)?
    };
    told(registry, target, query, shape, (200, &object))
}

pub(super) fn delete(
    registry: &mut Registry,
    target: &Target,
    query: &Query,
    shape: Shape,
    request: &Request,
) -> Result<Reply, Failure> {
    let kind = target.kind;
    let options = body::delete_options(query, request)?;
    let Some(name) = target.name.as_deref() else {
        return delete_collection(registry, target, query, shape, request);
    };
    named(target, "delete")?;
    match registry.delete(kind, target.home(), name, &options)? {
        Deleted::Gone(last) if !kind.deletion_shows_object => {
            let mut details = json!({
                "name": name, "kind": kind.plural, "uid": field::uid(&last),
            });
            if !kind.group.is_empty() {
                details["group"] = kind.group.into();
            }
            Ok(Reply::json(200, &success(&details)))
        }
        Deleted::Gone(object) | Deleted::Pending(object) => {
            told(registry, target, query, shape, (200, &object))
        }
    }
}

fn delete_collection(
    registry: &mut Registry,
    target: &Target,
    query: &Query,
    shape: Shape,
    request: &Request,
) -> Result<Reply, Failure> {
    let kind = target.kind;
    let placed = kind.namespaced == target.namespace.is_some();
    if !placed || !kind.allows("deletecollection") {
        return Err(Failure::method_not_allowed());
    }
    let filter = Filter::parse(kind, query)?;
    let options = body::delete_options(query, request)?;
    let chosen: Vec<Object> = registry
        .store
        .in_namespace(kind.storage, target.home())
        .filter(|object| filter.admits(object))
        .cloned()
        .collect();
    for object in &chosen {
        registry.delete(kind, target.home(), field::name(object), &options)?;
    }
    let telling = Telling::new(query, registry.now)?;
    let meta = json!({"resourceVersion": registry.store.rv().to_string()});
    Ok(Reply::json(200, &shape.list(kind, &chosen, meta, &telling)))
}

/// The object's name, if the verb is allowed on it.
fn named<'a>(target: &'a Target, verb: &str) -> Result<&'a str, Failure> {
    let name = target.name.as_deref().filter(|_| target.kind.allows(verb));
    name.ok_or_else(Failure::method_not_allowed)
}
