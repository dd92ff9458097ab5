//! Patch requests: the live object is changed as the patch says and written like a replacement;
//! an apply declares what its manager wants.

use serde_json::Value;

use super::body::{self, Strictness};
use super::encode::Shape;
use super::query::Query;
use super::route::Target;
use super::write::{check_name, manager, named, told, write};
use super::{Reply, Request, gate, syntax, views, yaml};
use crate::field;
use crate::kinds::{Kind, versions};
use crate::patch::{self, Form};
use crate::registry::{Failure, Registry, Write, view};
use crate::schema::{self, Raw};
use crate::store::Object;

pub(super) fn answer(
    registry: &mut Registry,
    target: &Target,
    query: &Query,
    shape: Shape,
    request: &Request,
) -> Result<Reply, Failure> {
    let name = named(target, "patch")?;
    let strictness = Strictness::of(query, "PatchOptions")?;
    let form = Form::of(body::media_type(&request.content_type));
    let form = form.filter(|form| *form != Form::Strategic || target.kind.custom.is_none());
    let Some(form) = form else { return Err(unknown_form(target.kind)) };
    if form != Form::Apply && query.get("force").is_some() {
        return Err(Failure::option_forbidden("force", "may not be specified for non-apply patch"));
    }
    if form == Form::Apply {
        return applied(registry, target, query, shape, request);
    }
    let manager = manager(target, query, request, false)?;
    let write = Write { patch: true, ..write(target, query, (request, &manager))? };
    let live = registry.get(target.kind, target.home(), name)?;
    let live = Value::clone(&views::of(target.kind, live));
    let (value, remarks) = patched(target.kind, live, form, request, strictness)?;
    check_name(name, &value)?;
    let value = versions::stored(target.kind, value);
    let object = registry.update_by(target.kind, (target.home(), name), value, write)?;
    Ok(told(registry, target, query, shape, (200, &object))?.warning(&remarks))
}

fn unknown_form(kind: &Kind) -> Failure {
    if kind.custom.is_none() {
        let failure = Failure::new(415, "UnsupportedMediaType", "415: Unsupported Media Type");
        return Failure { details: Some(serde_json::json!({})), ..failure };
    }
    let why = "the body of the request was in an unknown format - accepted media types include: \
         application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml";
    Failure::new(415, "UnsupportedMediaType", why)
}

/// The live object with the patch carried out, in its type's form.
fn patched(
    kind: &Kind,
    live: Value,
    form: Form,
    request: &Request,
    strictness: Strictness,
) -> Result<(Value, Vec<String>), Failure> {
    let change: Value = syntax::read(&request.body).map_err(|why| match form {
        Form::Strategic => Failure::bad_request(why),
        _ => Failure::bad_request(format!("error decoding patch: {why}")),
    })?;
    let mut value = live;
    match (form, view(kind)) {
        (Form::Json, _) => patch::json(&mut value, change.clone())?,
        (Form::Strategic, Some(view)) => patch::merge_by_type(view, &mut value, change.clone())?,
        _ => patch::merge(&mut value, &change)?,
    }
    let Some(view) = view(kind) else { return Ok((value, Vec::new())) };
    // The type is the path's, whatever the patch says.
    value["apiVersion"] = kind.api_version().into();
    value["kind"] = kind.kind.into();
    let shown = match form {
        Form::Strategic => patch::shown(&change),
        _ => schema::patched(view, &value, &patch::opened(form, &change)),
    };
    let refused = |why: String| Failure::bad_patch(&shown, &why);
    if form == Form::Strategic {
        schema::restorable(view, &value).map_err(refused)?;
    }
    body::decode((kind, view), Raw::from(value), strictness).map_err(refused)
}

fn applied(
    registry: &mut Registry,
    target: &Target,
    query: &Query,
    shape: Shape,
    request: &Request,
) -> Result<Reply, Failure> {
    let (kind, name) = (target.kind, named(target, "patch")?);
    if query.get("fieldManager").is_none() {
        return Err(Failure::option_required("fieldManager", "is required for apply patch"));
    }
    let manager = manager(target, query, request, true)?;
    let write = write(target, query, (request, &manager))?;
    let value = wanted(kind, name, request)?;
    if registry.get(kind, target.home(), name).is_err() {
        gate::check_create(registry, target, request)?;
    }
    let force = query.flag("force");
    let (object, is_new): (Object, bool) =
        registry.apply(kind, (target.home(), name), &value, &manager, (write, force))?;
    let code = if is_new { 201 } else { 200 };
    told(registry, target, query, shape, (code, &object))
}

/// The configuration of an apply; it must be of the path's type and fit it exactly.
fn wanted(kind: &Kind, name: &str, request: &Request) -> Result<Value, Failure> {
    let text = String::from_utf8_lossy(&request.body);
    let raw = yaml::read(&text).map_err(|_| {
        Failure::bad_request(
            "error decoding YAML: error converting YAML to JSON: yaml: line 1: did not find \
             expected node content",
        )
    })?;
    let (version, found) = (raw.text("apiVersion").to_owned(), raw.text("kind").to_owned());
    let value = Value::from(raw.clone());
    if version != kind.api_version() || found != kind.kind {
        let (group, version) = version.split_once('/').unwrap_or(("", &version));
        let told = format!("invalid object type: {group}/{version}, Kind={found}");
        return Err(Failure::bad_request(told));
    }
    let sent = value.pointer("/metadata/managedFields");
    if sent.and_then(Value::as_array).is_some_and(|list| !list.is_empty()) {
        return Err(Failure::bad_request("metadata.managedFields must be nil"));
    }
    check_name(name, &value)?;
    let Some(view) = view(kind) else { return Ok(value) };
    let failed = |why: String| {
        let (group, version) = match kind.group {
            "" => ("", kind.version),
            group => (group, kind.version),
        };
        Failure::new(
            500,
            "",
            format!(
                "failed to create typed patch object ({}/{}; {group}/{version}, Kind={}): {why}",
                field::namespace(&value),
                field::name(&value),
                kind.kind
            ),
        )
    };
    crate::ownership::check(view, &value).map_err(failed)?;
    Ok(crate::ownership::plain(view, &value))
}
