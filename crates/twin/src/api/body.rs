//! Bodies of write requests.

use serde_json::Value;

use super::Request;
use super::query::Query;
use crate::field;
use crate::kinds::Kind;
use crate::registry::{DeleteOptions, Failure, Propagation};

/// The object of a create or replace request; it must be of the kind that the path names.
pub(super) fn object(kind: &Kind, request: &Request) -> Result<Value, Failure> {
    let media = media_type(&request.content_type);
    if !matches!(media, "" | "application/json" | "*/*") {
        let why = "the body of the request was in an unknown format - accepted media types \
             include: application/json";
        return Err(Failure::new(415, "UnsupportedMediaType", why));
    }
    let value: Value = serde_json::from_slice(&request.body).map_err(|error| {
        let kind = kind.kind;
        Failure::bad_request(format!("the object provided is unrecognized ({kind}): {error}"))
    })?;
    let (version, found) = (field::text(&value, "/apiVersion"), field::text(&value, "/kind"));
    let given = !version.is_empty() || !found.is_empty();
    if !value.is_object() || given && (version != kind.api_version() || found != kind.kind) {
        return Err(Failure::bad_request(format!(
            "the object provided is {found:?} of {version:?}, this path takes {:?} of {:?}",
            kind.kind,
            kind.api_version()
        )));
    }
    let metadata = &value["metadata"];
    if !metadata.is_null() && !metadata.is_object() {
        return Err(Failure::bad_request(format!(
            "{} in version {:?} cannot be handled: metadata is not an object",
            kind.kind, kind.version
        )));
    }
    Ok(value)
}

/// A media type without its parameters.
pub(super) fn media_type(content_type: &str) -> &str {
    content_type.split(';').next().unwrap_or_default().trim()
}

/// Options of a deletion from the body and the query.
pub(super) fn delete_options(query: &Query, request: &Request) -> Result<DeleteOptions, Failure> {
    let body: Value = if request.body.is_empty() {
        Value::Null
    } else {
        serde_json::from_slice(&request.body)
            .map_err(|error| Failure::bad_request(format!("the delete options: {error}")))?
    };
    let text = |pointer: &str| Some(field::text(&body, pointer)).filter(|t| !t.is_empty());
    let given = body.get("gracePeriodSeconds").and_then(Value::as_i64);
    let policy = query.get("propagationPolicy").or(text("/propagationPolicy"));
    let propagation = match policy {
        Some("Orphan") => Propagation::Orphan,
        Some("Foreground") => Propagation::Foreground,
        _ => Propagation::Background,
    };
    let dry = field::list(&body, "/dryRun").iter().any(|value| value == "All");
    Ok(DeleteOptions {
        grace_seconds: query.number("gracePeriodSeconds")?.or(given),
        uid: text("/preconditions/uid").map(str::to_owned),
        resource_version: text("/preconditions/resourceVersion").map(str::to_owned),
        propagation,
        dry_run: dry || query.is_dry_run(),
    })
}
