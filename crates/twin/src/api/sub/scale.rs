//! `scale`: the number of replicas of an object as a document of its own.

use serde_json::{Value, json};

use super::super::body;
use super::super::query::Query;
use super::super::route::Target;
use super::super::write::{check_name, manager, named};
use super::{Reply, Request};
use crate::custom::Path;
use crate::field;
use crate::kinds::Kind;
use crate::patch::{self, Form};
use crate::registry::{Asked, Cause, Failure, Noted, Registry, Write};
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
        return Ok(Reply::json(200, &of(kind, &live)));
    }
    let form = Form::of(body::media_type(&request.content_type));
    let manager = manager(target, query, request, form == Some(Form::Apply))?;
    let wanted = wanted(&of(kind, &live), request, query, form)?;
    check_name(name, &wanted)?;
    let replicas = field::number(&wanted, "/spec/replicas");
    if replicas < 0 {
        return Err(negative(name, replicas));
    }
    admit(registry, target, (&live, replicas), (query, request))?;
    let noted = Noted::Update(&manager);
    let (dry, user) = (query.is_dry_run()?, Some(&request.user));
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
        match kind.custom.and_then(|custom| custom.scale.as_ref()) {
            Some(scale) => scale.replicas.set(&mut next, replicas.into()),
            None => {
                field::child(&mut next, "spec").insert("replicas".into(), replicas.into());
            }
        }
        let metadata = field::child(&mut next, "metadata");
        metadata.remove("resourceVersion");
        let version = field::text(&wanted, "/metadata/resourceVersion");
        if !version.is_empty() {
            metadata.insert("resourceVersion".into(), version.into());
        }
        registry.update_by(kind, (target.home(), name), next, write)?
    };
    Ok(Reply::json(200, &of(kind, &object)))
}

/// Policies see scales, not what is scaled.
fn admit(
    registry: &mut Registry,
    target: &Target,
    (live, replicas): (&Value, i64),
    (query, request): (&Query, &Request),
) -> Result<(), Failure> {
    let old = of(target.kind, live);
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
        dry: query.is_dry_run()?,
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

/// An object's scale.
fn of(kind: &Kind, object: &Value) -> Value {
    let meta = &object["metadata"];
    let mut spec = json!({});
    let paths = kind.custom.and_then(|custom| custom.scale.as_ref());
    let first = |path: &Path| path.find(object).first().map_or(Value::Null, |v| Value::clone(v));
    let (replicas, there, selector) = match paths {
        Some(paths) => (
            first(&paths.replicas).as_i64().unwrap_or_default(),
            first(&paths.status_replicas).as_i64().unwrap_or_default(),
            paths.selector.as_ref().map(first).unwrap_or_default(),
        ),
        None => (
            field::number(object, "/spec/replicas"),
            field::number(object, "/status/replicas"),
            selector_text(&object["spec"]["selector"]).into(),
        ),
    };
    if replicas != 0 {
        spec["replicas"] = replicas.into();
    }
    let mut status = json!({"replicas": there});
    if selector.as_str().is_some_and(|text| !text.is_empty()) {
        status["selector"] = selector;
    }
    json!({
        "kind": "Scale", "apiVersion": "autoscaling/v1",
        "metadata": {
            "name": meta["name"], "namespace": meta["namespace"], "uid": meta["uid"],
            "resourceVersion": meta["resourceVersion"],
            "creationTimestamp": meta["creationTimestamp"],
        },
        "spec": spec, "status": status,
    })
}

/// A selector as text, by key: `app=a,t notin (y,z)`.
fn selector_text(selector: &Value) -> String {
    let is_plain =
        selector.get("matchLabels").is_none() && selector.get("matchExpressions").is_none();
    let equal = if is_plain { Some(selector) } else { selector.get("matchLabels") };
    let equal = equal.and_then(Value::as_object).into_iter().flatten();
    let mut terms: Vec<(String, String)> = equal
        .map(|(key, value)| (key.clone(), format!("{key}={}", value.as_str().unwrap_or_default())))
        .collect();
    for rule in field::list(selector, "/matchExpressions") {
        let key = field::text(rule, "/key");
        let mut values: Vec<_> =
            field::list(rule, "/values").iter().filter_map(Value::as_str).collect();
        values.sort_unstable();
        let values = values.join(",");
        let term = match field::text(rule, "/operator") {
            "In" => format!("{key} in ({values})"),
            "NotIn" => format!("{key} notin ({values})"),
            "Exists" => key.to_owned(),
            _ => format!("!{key}"),
        };
        terms.push((key.to_owned(), term));
    }
    terms.sort_by(|a, b| a.0.cmp(&b.0));
    let terms: Vec<_> = terms.into_iter().map(|(_, term)| term).collect();
    terms.join(",")
}
