//! Kinds that are questions: who am I, may I, may they, whose token is this. They are answered
//! and not stored.

use serde_json::{Value, json};

use super::body::{self, Strictness};
use super::encode::{Shape, Telling};
use super::labels;
use super::query::Query;
use super::route::Target;
use super::{Reply, Request, gate, write};
use crate::access::{Attributes, ISSUER, Rule, User};
use crate::field;
use crate::kinds::{Kind, fill};
use crate::registry::{Cause, Failure, Part, Registry, view};
use crate::store::sealed;

pub(super) fn answer(
    registry: &mut Registry,
    target: &Target,
    query: &Query,
    shape: Shape,
    request: &Request,
) -> Result<Reply, Failure> {
    let kind = target.kind;
    let placed = kind.namespaced == target.namespace.is_some();
    if target.name.is_some() || !placed {
        return Err(Failure::no_such_resource());
    }
    if request.method != http::Method::POST {
        return Err(Failure::method_not_allowed());
    }
    let strictness = Strictness::of(query, "CreateOptions")?;
    let manager = write::manager(target, query, request, false)?;
    query.is_dry_run(&request.method)?;
    let (mut value, remarks) = body::object(kind, request, strictness)?;
    value["apiVersion"] = kind.api_version().into();
    value["kind"] = kind.kind.into();
    if let Some(view) = view(kind) {
        fill(view, &mut value);
    }
    field::child(&mut value, "metadata");
    if let Some(namespace) = &target.namespace {
        write::check_namespace(namespace, &value)?;
        value["metadata"]["namespace"] = namespace.as_str().into();
    }
    let answered = match kind.kind {
        "SelfSubjectReview" => self_review(registry, &request.user),
        "SelfSubjectRulesReview" => rules_review(registry, &request.user, &value)?,
        "TokenReview" => {
            let status = token_review(registry, &value)?;
            registry.note_manager(kind, &mut value, (&manager, Part::Spec));
            with_status(value, status)
        }
        _ => {
            registry.note_manager(kind, &mut value, (&manager, Part::Spec));
            check(kind, &value)?;
            let status = access_review(registry, &request.user, kind, &value);
            with_status(value, status)
        }
    };
    let told = Telling::new(query, registry.now)?;
    let mut answered = answered;
    answered["apiVersion"] = kind.api_version().into();
    answered["kind"] = kind.kind.into();
    Ok(shape.reply(201, kind, &sealed(answered), &told)?.warning(&remarks))
}

fn with_status(mut review: Value, status: Value) -> Value {
    review["status"] = status;
    review
}

fn self_review(registry: &Registry, user: &User) -> Value {
    json!({
        "metadata": {"creationTimestamp": registry.now.to_string()},
        "status": {"userInfo": user.to_value()},
    })
}

fn rules_review(registry: &Registry, user: &User, review: &Value) -> Result<Value, Failure> {
    let namespace = field::text(review, "/spec/namespace");
    if namespace.is_empty() {
        return Err(Failure::bad_request("no namespace on request"));
    }
    let (rules, errors) = registry.access.rules(&registry.store, user, namespace);
    let on_resources: Vec<Value> =
        rules.iter().filter(|rule| !rule.resources.is_empty()).map(resource_rule).collect();
    let on_paths: Vec<Value> = rules
        .iter()
        .filter(|rule| !rule.paths.is_empty())
        .map(|rule| json!({"verbs": rule.verbs, "nonResourceURLs": rule.paths}))
        .collect();
    let mut status = json!({
        "resourceRules": on_resources, "nonResourceRules": on_paths, "incomplete": false,
    });
    if !errors.is_empty() {
        status["evaluationError"] = errors.join(", ").into();
    }
    Ok(json!({"metadata": {}, "spec": {}, "status": status}))
}

fn resource_rule(rule: &Rule) -> Value {
    let mut told = json!({
        "verbs": rule.verbs, "apiGroups": rule.groups, "resources": rule.resources,
    });
    if !rule.names.is_empty() {
        told["resourceNames"] = json!(rule.names);
    }
    told
}

fn token_review(registry: &Registry, review: &Value) -> Result<Value, Failure> {
    let token = field::text(review, "/spec/token");
    if token.is_empty() {
        return Err(Failure::bad_request("token is required for TokenReview in authentication"));
    }
    let mut audiences = texts(review, "/spec/audiences");
    if audiences.is_empty() {
        audiences = vec![ISSUER.to_owned()];
    }
    Ok(match gate::bearer_user(registry, token, &audiences) {
        Ok((user, audiences)) => json!({
            "authenticated": true, "user": user.to_value(), "audiences": audiences,
        }),
        Err(why) => json!({"user": {}, "error": why}),
    })
}

/// The decision about somebody else, or about the one who asks.
fn access_review(registry: &Registry, user: &User, kind: &Kind, review: &Value) -> Value {
    let asked = attributes(&review["spec"]);
    let other;
    let user = if kind.kind == "SelfSubjectAccessReview" {
        user
    } else {
        other = subject(&review["spec"]);
        &other
    };
    let decision = registry.access.decide(&registry.store, user, &asked);
    let mut status = json!({"allowed": decision.allowed});
    if !decision.reason.is_empty() {
        status["reason"] = decision.reason.into();
    }
    let unread = unread_selectors(&review["spec"]["resourceAttributes"]);
    if !unread.is_empty() {
        status["evaluationError"] = unread.join("; ").into();
    }
    status
}

/// Selectors that cannot be read do not narrow the question.
fn unread_selectors(resource: &Value) -> Vec<String> {
    let raw = |key: &str| field::text(resource, &format!("/{key}/rawSelector"));
    let mut terms = raw("fieldSelector").split(',');
    let fields_read = terms.all(|term| term.is_empty() || term.contains('='));
    let labels_read = labels::parse(raw("labelSelector")).is_ok();
    let told = |key: &str| format!("spec.resourceAttributes.{key} ignored due to parse error");
    let unread = [("fieldSelector", fields_read), ("labelSelector", labels_read)];
    unread.into_iter().filter(|(_, read)| !read).map(|(key, _)| told(key)).collect()
}

fn texts(value: &Value, pointer: &str) -> Vec<String> {
    let all = field::list(value, pointer).iter();
    all.filter_map(Value::as_str).map(str::to_owned).collect()
}

fn subject(spec: &Value) -> User {
    let extra = field::map(spec, "/extra").into_iter().flatten();
    User {
        name: field::text(spec, "/user").to_owned(),
        uid: field::text(spec, "/uid").to_owned(),
        groups: texts(spec, "/groups"),
        extra: extra.map(|(key, values)| (key.to_lowercase(), texts(values, ""))).collect(),
    }
}

fn attributes(spec: &Value) -> Attributes {
    if let Some(path) = spec.get("nonResourceAttributes").filter(|value| value.is_object()) {
        return Attributes {
            verb: field::text(path, "/verb").to_owned(),
            path: Some(field::text(path, "/path").to_owned()),
            ..Attributes::default()
        };
    }
    let text = |key: &str| field::text(spec, &format!("/resourceAttributes/{key}")).to_owned();
    Attributes {
        verb: text("verb"),
        path: None,
        group: text("group"),
        resource: text("resource"),
        subresource: text("subresource"),
        namespace: text("namespace"),
        name: text("name"),
    }
}

/// A question must be one question.
fn check(kind: &Kind, review: &Value) -> Result<(), Failure> {
    let spec = &review["spec"];
    let given = |key: &str| spec.get(key).filter(|value| value.is_object());
    let (resource, path) = (given("resourceAttributes"), given("nonResourceAttributes"));
    let local = kind.kind == "LocalSubjectAccessReview";
    let mut causes = Vec::new();
    if let (Some(_), Some(path)) = (resource, path) {
        let why = "cannot be specified in combination with resourceAttributes";
        causes.push(Cause::invalid("spec.nonResourceAttributes", &go_path(path), why));
    }
    if resource.is_none() && path.is_none() {
        let why = "exactly one of nonResourceAttributes or resourceAttributes must be specified";
        causes.push(Cause::invalid("spec.resourceAttributes", &Value::Null, why));
    }
    let nobody = field::text(spec, "/user").is_empty() && field::list(spec, "/groups").is_empty();
    if kind.kind != "SelfSubjectAccessReview" && nobody {
        let why = "at least one of user or group must be specified";
        causes.push(Cause::invalid("spec.user", &"".into(), why));
    }
    for key in ["fieldSelector", "labelSelector"] {
        let selector = resource.and_then(|of| of.get(key)).filter(|value| value.is_object());
        causes.extend(selector.and_then(|selector| check_selector(key, selector)));
    }
    let meta = review["metadata"].as_object().into_iter().flatten();
    let mut strange = meta.filter(|(key, _)| match key.as_str() {
        "managedFields" => false,
        "namespace" => !local,
        _ => true,
    });
    if strange.next().is_some() {
        let why = if local { "must be empty except for namespace" } else { "must be empty" };
        causes.push(Cause::invalid("metadata", &review["metadata"], why));
    }
    let asked = resource.map(|resource| field::text(resource, "/namespace"));
    if let Some(asked) = asked.filter(|asked| local && *asked != field::namespace(review)) {
        let why = "must match metadata.namespace";
        causes.push(Cause::invalid("spec.resourceAttributes.namespace", &asked.into(), why));
    }
    if let Some(path) = path.filter(|_| local) {
        let why = "disallowed on this kind of request";
        causes.push(Cause::invalid("spec.nonResourceAttributes", &go_path(path), why));
    }
    if causes.is_empty() {
        return Ok(());
    }
    Err(Failure::invalid_of((kind.group, ""), "", &causes))
}

fn check_selector(key: &str, selector: &Value) -> Option<Cause> {
    let at = format!("spec.resourceAttributes.{key}");
    let raw = field::text(selector, "/rawSelector");
    match (raw.is_empty(), field::list(selector, "/requirements").is_empty()) {
        (false, false) => {
            let why = "may not specified at the same time as requirements";
            Some(Cause::invalid(&format!("{at}.rawSelector"), &raw.into(), why))
        }
        (true, true) => {
            let why = format!("when {at} is specified, requirements or rawSelector is required");
            Some(Cause::required_because(&format!("{at}.requirements"), &why))
        }
        _ => None,
    }
}

/// The attributes of a path as the server prints them.
fn go_path(path: &Value) -> Value {
    json!({"Path": field::text(path, "/path"), "Verb": field::text(path, "/verb")})
}
