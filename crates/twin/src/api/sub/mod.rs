//! Subresources that are no part of their object: another kind of document goes in or comes out.

mod binding;
mod connect;
mod eviction;
mod scale;
mod token;

use serde_json::{Value, json};

use super::body::{self, Strictness};
use super::query::Query;
use super::route::Target;
use super::{Reply, Request};
use crate::registry::{Failure, Registry};
use crate::schema::{self, Raw};

/// The answer of a subresource with a document of its own; `None` for the others.
pub(super) fn answer(
    registry: &mut Registry,
    target: &Target,
    query: &Query,
    request: &Request,
) -> Option<Result<Reply, Failure>> {
    let method = request.method.as_str();
    if !allows(target.part.subresource(), method) {
        return Some(Err(Failure::method_not_allowed()));
    }
    match (target.part.subresource(), method) {
        ("scale", _) => Some(scale::answer(registry, target, query, request)),
        ("eviction", _) => Some(eviction::answer(registry, target, query, request)),
        ("binding", _) => Some(binding::answer(registry, target, query, request)),
        ("token", _) => Some(token::answer(registry, target, query, request)),
        ("log" | "exec" | "attach" | "portforward" | "proxy", _) => {
            Some(connect::answer(registry, target, query, request))
        }

        _ => None,
    }
}

/// Whether a subresource takes this method. Those that connect decide for themselves.
fn allows(subresource: &str, method: &str) -> bool {
    match subresource {
        "eviction" | "binding" | "token" => method == "POST",
        "finalize" => method == "PUT",
        "scale" | "status" | "approval" | "ephemeralcontainers" | "resize" => {
            matches!(method, "GET" | "PUT" | "PATCH")
        }
        _ => true,
    }
}

/// The document of a request, of one of these types (`policy/v1/Eviction`).
fn document(types: &[&str], request: &Request, query: &Query) -> Result<Value, Failure> {
    let kind = types.first().and_then(|t| t.rsplit('/').next()).unwrap_or_default();
    let raw = body::document(kind, request)?;
    let (version, found) = (raw.text("apiVersion").to_owned(), raw.text("kind").to_owned());
    let first = types.first().and_then(|t| t.rsplit_once('/'));
    if let Some(own) = first.filter(|_| !types.contains(&format!("{version}/{found}").as_str())) {
        body::check_type(own, request, &version, &found)?;
    }
    let Some(view) = first.and_then(|(version, kind)| schema::of_kind(version, kind)) else {
        return Ok(raw.into());
    };
    let cannot =
        |why: String| Failure::bad_request(format!("{kind} cannot be handled as a {kind}: {why}"));
    let decoded = schema::decode(view, Raw::from(Value::from(raw))).map_err(cannot)?;
    Strictness::of(query, "CreateOptions")?.judge(decoded.remarks).map_err(cannot)?;
    Ok(decoded.value)
}

/// A Status of success with its code.
fn done() -> Reply {
    let status = json!({
        "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201,
    });
    Reply::json(201, &status)
}
