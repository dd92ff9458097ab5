//! `scale`: the number of replicas of an object as a document of its own.

use serde_json::{Value, json};

use super::super::body;
use super::super::query::Query;
use super::super::route::Target;
use super::super::write::{check_name, manager, named};
use super::{Reply, Request};
use crate::field;
use crate::kinds::Kind;
use crate::patch::{self, Form};
use crate::registry::{Asked, Cause, Failure, Noted, Registry, Write, scale_of, set_replicas};
use crate::schema;

const TYPE: &str = "autoscaling/v1/Scale";

pub(super) fn answer(
    registry: &mut Registry,
    target: &Target,
    query: &Query,
    request: &Request,
) -> Result<Reply, Failure> {
    let kind = target.kind;
    let name = named(target, "get")?;
    let live = Value::clone(registry.get(kind, target.home(), name)?);
    if request.method == http::Method::GET {
        return Ok(Reply::json(200, &scale_of(kind, &live)));
    }
    let form = Form::of(body::media_type(&request.content_type));
    let manager = manager(target, query, request, form == Some(Form::Apply))?;
    let wanted = wanted(&scale_of(kind, &live), request, query, form)?;
    check_name(name, &wanted)?;
    let replicas = field::number(&wanted, "/spec/replicas");
    if replicas < 0 {
        return Err(negative(name, replicas));
    }
    admit(registry, target, (&live, replicas), (query, request))?;
    let noted = Noted::Update(&manager);
    let (dry, user) = (query.is_dry_run(&request.method)?, Some(&request.user));
    let write = Write { part: target.part, noted, dry, patch: false, user };
    let object = if form == Some(Form::Apply) {
        let applied = json!({
            "apiVersion": kind.api_version(), "kind": kind.kind, "metadata": {"name": name},
            "spec": {"replicas": replicas},
        });
        let force = query.flag("force");
        let done = registry.apply(kind, (target.home(), name), &applied, &manager, (write, force));
        done.map_err(|failure| in_own_words(kind, failure))?.0
    } else {
        let mut next = live;
        set_replicas(kind, &mut next, replicas);
        let metadata = field::child(&mut next, "metadata");
        metadata.remove("resourceVersion");
        let version = field::text(&wanted, "/metadata/resourceVersion");
        if !version.is_empty() {
            metadata.insert("resourceVersion".into(), version.into());
        }
        registry.update_by(kind, (target.home(), name), next, write)?
    };
    Ok(Reply::json(200, &scale_of(kind, &object)))
}

/// Policies see scales, not what is scaled.
fn admit(
    registry: &mut Registry,
    target: &Target,
    (live, replicas): (&Value, i64),
    (query, request): (&Query, &Request),
) -> Result<(), Failure> {
    let old = scale_of(target.kind, live);
    let mut next = old.clone();
    next["spec"]["replicas"] = replicas.into();
    registry.admit(&Asked {
        operation: "UPDATE",
        kind: target.kind,
        subresource: "scale",
        namespace: target.home(),
        name: field::name(live),
        object: Some(&next),
        old: Some(&old),
        user: &request.user,
        dry: query.is_dry_run(&request.method)?,
    })
}

/// The scale that the request asks for.
fn wanted(
    live: &Value,
    request: &Request,
    query: &Query,
    form: Option<Form>,
) -> Result<Value, Failure> {
    if request.method == http::Method::PUT {
        return super::document(&[TYPE], request, query);
    }
    if request.method != http::Method::PATCH {
        return Err(Failure::method_not_allowed());
    }
    let text = String::from_utf8_lossy(&request.body);
    let change: Value = serde_saphyr::from_str::<schema::Raw>(&text)
        .map(Value::from)
        .map_err(|error| Failure::bad_request(format!("error decoding patch: {error}")))?;
    let mut scale = live.clone();
    let view = schema::of_kind("autoscaling/v1", "Scale");
    match (form, view) {
        (Some(Form::Apply), _) => return Ok(change),
        (Some(Form::Json), _) => patch::json(&mut scale, change)?,
        (Some(Form::Strategic), Some(view)) => patch::merge_by_type(view, &mut scale, change)?,
        (Some(_), _) => patch::merge(&mut scale, &change)?,
        (None, _) => {
            let why = "the body of the request was in an unknown format";
            return Err(Failure::new(415, "UnsupportedMediaType", why));
        }
    }
    Ok(scale)
}

fn negative(name: &str, replicas: i64) -> Failure {
    let why = "must be greater than or equal to 0";
    let cause = Cause::invalid("spec.replicas", &replicas.into(), why);
    Failure::invalid_of(("autoscaling", "Scale"), name, &[cause])
}

/// Conflicts name the version of the scale.
fn in_own_words(kind: &Kind, failure: Failure) -> Failure {
    let own = format!(" using {}", kind.api_version());
    let message = failure.message.replace(&own, " using autoscaling/v1");
    let details = failure.details.clone().map(|details| {
        let text = details.to_string().replace(&own, " using autoscaling/v1");
        serde_json::from_str(&text).unwrap_or(details)
    });
    Failure { message, details, ..failure }
}
