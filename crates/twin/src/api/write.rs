//! Create, replace and delete.

use serde_json::{Value, json};

use super::body::{self, Strictness};
use super::encode::{Shape, Telling};
use super::query::Query;
use super::route::Target;
use super::selector::Filter;
use super::{Reply, Request, gate, success, views};
use crate::field;
use crate::kinds::NAMESPACE;
use crate::kinds::versions;
use crate::ownership::Manager;
use crate::registry::{Asked, DeleteOptions, Deleted, Failure, Noted, Part, Registry, Write};
use crate::store::Object;

/// Namespaces without which there is no cluster.
const UNDYING: [&str; 3] = ["default", "kube-system", "kube-public"];

pub(super) fn told(
    registry: &Registry,
    target: &Target,
    query: &Query,
    shape: Shape,
    (code, object): (u16, &Object),
) -> Result<Reply, Failure> {
    shape.check(target.kind, false)?;
    let telling = Telling::new(query, registry.now)?;
    let shown = views::of(target.kind, &registry.shown(target.kind, object));
    shape.reply(code, target.kind, &shown, &telling)
}

/// Who writes: as the query says, or else the program's name.
pub(super) fn manager(
    target: &Target,
    query: &Query,
    request: &Request,
    applies: bool,
) -> Result<Manager, Failure> {
    const LONGEST: usize = 128;
    let agent = request.user_agent.split('/').next().unwrap_or_default();
    let agent: String = agent.chars().take(LONGEST).collect();
    let name = query.get("fieldManager").map_or(agent, str::to_owned);
    if name.len() > LONGEST {
        return Err(Failure::option_too_long("fieldManager", LONGEST));
    }
    Ok(Manager {
        name,
        applies,
        api_version: target.kind.api_version(),
        subresource: target.part.subresource().to_owned(),
    })
}

/// How this request writes.
pub(super) fn write<'a>(
    target: &Target,
    query: &Query,
    (request, manager): (&'a Request, &'a Manager),
) -> Result<Write<'a>, Failure> {
    let noted = Noted::Update(manager);
    let (dry, user) = (query.is_dry_run(&request.method)?, Some(&request.user));
    Ok(Write { part: target.part, noted, dry, patch: false, user })
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
    let strictness = Strictness::of(query, "CreateOptions")?;
    let manager = manager(target, query, request, false)?;
    let write = write(target, query, (request, &manager))?;
    let (value, remarks) = body::object(kind, request, strictness)?;
    let made = made(registry, target, value, write);
    match made {
        Ok(object) => {
            let told = told(registry, target, query, shape, (201, &object))?;
            Ok(told.warning(&remarks))
        }
        Err(failure) => Ok(Reply::failure(&failure).warning(&remarks)),
    }
}

fn made(
    registry: &mut Registry,
    target: &Target,
    value: Value,
    write: Write<'_>,
) -> Result<Object, Failure> {
    let kind = target.kind;
    if kind.namespaced {
        check_namespace(target.home(), &value)?;
    }
    if !matches!(field::text(&value, "/metadata/resourceVersion"), "" | "0") {
        let why = "resourceVersion should not be set on objects to be created";
        return Err(Failure::new(500, "", why));
    }
    registry.create_by(kind, target.home(), versions::stored(kind, value), write)
}

/// The body may not name another namespace than the path.
pub(super) fn check_namespace(namespace: &str, value: &Value) -> Result<(), Failure> {
    match field::namespace(value) {
        given if given.is_empty() || given == namespace => Ok(()),
        _ => Err(Failure::bad_request(
            "the namespace of the provided object does not match the namespace sent on the request",
        )),
    }
}

pub(super) fn replace(
    registry: &mut Registry,
    target: &Target,
    query: &Query,
    shape: Shape,
    request: &Request,
) -> Result<Reply, Failure> {
    let (kind, name) = (target.kind, named(target, "update")?);
    let strictness = Strictness::of(query, "UpdateOptions")?;
    let manager = manager(target, query, request, false)?;
    let write = write(target, query, (request, &manager))?;
    let (value, remarks) = body::object(kind, request, strictness)?;
    check_name(name, &value)?;
    let missing = registry.get(kind, target.home(), name).is_err();
    if missing && kind.creates_on_update && target.part == Part::Spec {
        gate::check_create(registry, target, request)?;
        let object = made(registry, target, value, write)?;
        return Ok(told(registry, target, query, shape, (201, &object))?.warning(&remarks));
    }
    let unversioned = field::text(&value, "/metadata/resourceVersion").is_empty();
    if kind.needs_version && unversioned && !missing {
        return Err(Failure::no_version(kind, name));
    }
    let value = versions::stored(kind, value);
    let object = registry.update_by(kind, (target.home(), name), value, write)?;
    Ok(told(registry, target, query, shape, (200, &object))?.warning(&remarks))
}

/// The body must name the object of the path.
pub(super) fn check_name(name: &str, value: &Value) -> Result<(), Failure> {
    match field::name(value) {
        "" => Err(Failure::bad_request(format!(
            "the name of the object ({name} based on URL) was undeterminable: name must be provided"
        ))),
        found if found != name => Err(Failure::bad_request(format!(
            "the name of the object ({found}) does not match the name on the URL ({name})"
        ))),
        _ => Ok(()),
    }
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
    let mut remarks = Vec::new();
    if kind.kind == "Job" && options.propagation.is_none() {
        remarks.push(
            "child pods are preserved by default when jobs are deleted; set \
             propagationPolicy=Background to remove them or set propagationPolicy=Orphan to \
             suppress this warning"
                .to_owned(),
        );
    }
    if kind.kind == NAMESPACE.kind && UNDYING.contains(&name) {
        let why = "this namespace may not be deleted";
        return Err(Failure::forbidden(kind, name, why));
    }
    admit_deletion(registry, target, name, (request, &options))?;
    match registry.delete(kind, target.home(), name, &options)? {
        Deleted::Gone(last) if !kind.deletion_shows_object => {
            let mut details = json!({
                "name": name, "kind": kind.plural, "uid": field::uid(&last),
            });
            if !kind.group.is_empty() {
                details["group"] = kind.group.into();
            }
            Ok(Reply::json(200, &success(&details)).warning(&remarks))
        }
        Deleted::Gone(object) | Deleted::Pending(object) => {
            Ok(told(registry, target, query, shape, (200, &object))?.warning(&remarks))
        }
    }
}

/// Policies may deny a deletion too.
fn admit_deletion(
    registry: &mut Registry,
    target: &Target,
    name: &str,
    (request, options): (&Request, &DeleteOptions),
) -> Result<(), Failure> {
    let Ok(old) = registry.get(target.kind, target.home(), name).cloned() else { return Ok(()) };
    registry.admit(&Asked {
        operation: "DELETE",
        kind: target.kind,
        subresource: "",
        namespace: target.home(),
        name,
        object: None,
        old: Some(&old),
        user: &request.user,
        dry: options.dry_run,
    })
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
    let meta = json!({"resourceVersion": registry.store.rv().to_string()});
    for object in &chosen {
        admit_deletion(registry, target, field::name(object), (request, &options))?;
        registry.delete(kind, target.home(), field::name(object), &options)?;
    }
    let telling = Telling::new(query, registry.now)?;
    shape.list(kind, &chosen, &meta, &telling)
}

/// The object's name, if the verb is allowed on it.
pub(super) fn named<'a>(target: &'a Target, verb: &str) -> Result<&'a str, Failure> {
    let name = target.name.as_deref().filter(|_| target.kind.allows(verb));
    name.ok_or_else(Failure::method_not_allowed)
}
