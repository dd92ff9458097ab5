//! Bodies of write requests: media types, strictness about fields, delete options.

use serde_json::Value;

use super::query::{Query, dry_run};
use super::{Request, syntax, yaml};
use crate::field;
use crate::kinds::Kind;
use crate::registry::{Cause, DeleteOptions, Failure, Propagation, view};
use crate::schema::{self, Decoded, Raw, View};

/// The media type of YAML.
const YAML: &str = "application/yaml";

/// What the server does about fields that it does not know or that come twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Strictness {
    Strict,
    Warn,
    Ignore,
}

impl Strictness {
    pub fn of(query: &Query, options: &str) -> Result<Self, Failure> {
        match query.get("fieldValidation") {
            Some("Strict") => Ok(Self::Strict),
            None | Some("Warn") => Ok(Self::Warn),
            Some("Ignore") => Ok(Self::Ignore),
            Some(other) => {
                let known = ["", "Ignore", "Strict", "Warn"];
                Err(Failure::bad_option(options, "fieldValidation", &other.into(), &known))
            }
        }
    }

    /// The remarks that become warnings; the refusal if there may be none.
    pub fn judge(self, remarks: Vec<String>) -> Result<Vec<String>, String> {
        match self {
            Self::Ignore => Ok(Vec::new()),
            Self::Warn => Ok(remarks.iter().flat_map(|remark| warnings(remark)).collect()),
            Self::Strict if remarks.is_empty() => Ok(remarks),
            Self::Strict => Err(format!("strict decoding error: {}", remarks.join(", "))),
        }
    }
}

/// What a remark becomes in warnings: the reader of YAML tells many things in one text.
fn warnings(remark: &str) -> Vec<String> {
    match remark.strip_prefix("yaml: unmarshal errors:\n") {
        Some(lines) => lines.lines().map(|line| line.trim().to_owned()).collect(),
        None => vec![remark.to_owned()],
    }
}

/// The object of a create or replace request, and remarks about its fields. It must be of the
/// kind that the path names.
pub(super) fn object(
    kind: &Kind,
    request: &Request,
    strictness: Strictness,
) -> Result<(Value, Vec<String>), Failure> {
    let raw = document(kind.kind, request)?;
    let (version, found) = (raw.text("apiVersion").to_owned(), raw.text("kind").to_owned());
    check_type((&kind.api_version(), kind.kind), request, &version, &found)?;
    let Some(view) = view(kind) else { return Ok((raw.into(), Vec::new())) };
    let cannot = |why: String| {
        Failure::bad_request(format!(
            "{kind} in version \"{version}\" cannot be handled as a {kind}: {why}",
            kind = kind.kind,
            version = kind.version
        ))
    };
    let twice = match media_type(&request.content_type) {
        YAML if strictness != Strictness::Ignore => {
            yaml::repeated(&String::from_utf8_lossy(&request.body))
        }
        _ => String::new(),
    };
    let decoded = read((kind, view), raw).map_err(&cannot)?;
    let twice = Some(twice).filter(|told| !told.is_empty());
    let remarks = twice.into_iter().chain(decoded.remarks).collect();
    Ok((decoded.value, strictness.judge(remarks).map_err(cannot)?))
}

/// A value of a kind in its type's form, and remarks about its fields. The error is the
/// reader's message.
pub(super) fn decode(
    (kind, view): (&Kind, View<'static>),
    raw: Raw,
    strictness: Strictness,
) -> Result<(Value, Vec<String>), String> {
    let decoded = read((kind, view), raw)?;
    Ok((decoded.value, strictness.judge(decoded.remarks)?))
}

fn read((kind, view): (&Kind, View<'static>), raw: Raw) -> Result<Decoded, String> {
    match kind.custom {
        Some(custom) => custom.decode(raw),
        None => schema::decode(view, raw),
    }
}

/// A body as it was written, from JSON or YAML.
pub(super) fn document(kind: &str, request: &Request) -> Result<Raw, Failure> {
    let unrecognized = |why: String| {
        Failure::bad_request(format!(
            "the object provided is unrecognized (must be of type {kind}): {why} ({})",
            excerpt(&request.body)
        ))
    };
    match media_type(&request.content_type) {
        "" | "application/json" | "*/*" => {
            let bad = |why: String| {
                unrecognized(format!("couldn't get version/kind; json parse error: {why}"))
            };
            let raw: Raw = syntax::read(&request.body).map_err(bad)?;
            for key in ["apiVersion", "kind"] {
                if let Some(word) = raw.wrong_text(key) {
                    return Err(bad(format!(
                        "json: cannot unmarshal {word} into Go struct field .{key} of type string"
                    )));
                }
            }
            match &raw {
                Raw::Map(_) => Ok(raw),
                Raw::Null => Ok(Raw::Map(Vec::new())),
                other => Err(unrecognized(no_object(other))),
            }
        }
        "application/vnd.kubernetes.protobuf" => {
            schema::protobuf::document(&request.body).map_err(unrecognized)
        }
        YAML => {
            let read = yaml::read(&String::from_utf8_lossy(&request.body));
            let raw = read.map_err(|_| {
                unrecognized("yaml: line 2: did not find expected node content".into())
            })?;
            match &raw {
                Raw::Map(_) => Ok(raw),
                Raw::Null => Ok(Raw::Map(Vec::new())),
                other => Err(unrecognized(no_object(other))),
            }
        }
        _ => {
            let why = "the body of the request was in an unknown format - accepted media types \
                 include: application/json, application/yaml, application/vnd.kubernetes.protobuf";
            Err(Failure::new(415, "UnsupportedMediaType", why))
        }
    }
}

/// What is said about a document that is no object.
fn no_object(raw: &Raw) -> String {
    format!(
        "couldn't get version/kind; json parse error: json: cannot unmarshal {} into Go value of \
         type struct {{ APIVersion string \"json:\\\"apiVersion,omitempty\\\"\"; Kind string \
         \"json:\\\"kind,omitempty\\\"\" }}",
        raw.word()
    )
}

/// The beginning of a body as the server quotes it: as text if it looks like JSON, else in hex.
fn excerpt(body: &[u8]) -> String {
    const MOST: usize = 30;
    if body.is_empty() {
        return "<empty>".into();
    }
    let start = body.get(..MOST).unwrap_or(body);
    let more = if body.len() > MOST { " ..." } else { "" };
    if body.first() == Some(&b'{') {
        return format!("{}{more}", String::from_utf8_lossy(start));
    }
    let hex: String = start.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{hex}{more}")
}

/// Refuses a document of another type than the one that is wanted: its version and kind.
pub(super) fn check_type(
    (own, kind): (&str, &str),
    request: &Request,
    version: &str,
    found: &str,
) -> Result<(), Failure> {
    if (version.is_empty() || version == own) && (found.is_empty() || found == kind) {
        return Ok(());
    }
    if version.matches('/').count() > 1 {
        return Err(Failure::bad_request(format!(
            "the object provided is unrecognized (must be of type {kind}): unexpected GroupVersion \
             string: {version} ({})",
            excerpt(&request.body)
        )));
    }
    let version = if version.is_empty() { own } else { version };
    let found = if found.is_empty() { kind } else { found };
    let short = version.rsplit('/').next().unwrap_or_default();
    let known = crate::kinds::of_object(version, found).is_some();
    // Another version of the same kind is read, and refused then.
    if known && found == kind && version != own {
        return Err(Failure::bad_request(format!(
            "the API version in the data ({version}) does not match the expected API version \
             ({own})"
        )));
    }
    let why = if known {
        format!(
            "converting ({}) to ({}): unknown conversion",
            go_name(version, found, true),
            go_name(own, kind, false)
        )
    } else {
        format!(
            "no kind {found:?} is registered for version {version:?} in scheme \
             \"pkg/runtime/scheme.go:111\""
        )
    };
    Err(Failure::bad_request(format!(
        "{found} in version {short:?} cannot be handled as a {kind}: {why}"
    )))
}

/// `v1.Secret`, `core.ConfigMap`: a versioned or an internal type.
pub(super) fn go_name(api_version: &str, kind: &str, versioned: bool) -> String {
    let (group, version) = api_version.split_once('/').unwrap_or(("core", api_version));
    let group = group.split('.').next().unwrap_or_default();
    format!("{}.{kind}", if versioned { version } else { group })
}

/// A media type without its parameters.
pub(super) fn media_type(content_type: &str) -> &str {
    content_type.split(';').next().unwrap_or_default().trim()
}

/// Options of a deletion from the body and the query.
pub(super) fn delete_options(query: &Query, request: &Request) -> Result<DeleteOptions, Failure> {
    let body: Value = if request.body.is_empty() {
        Value::Null
    } else if media_type(&request.content_type) == "application/vnd.kubernetes.protobuf" {
        let why = |why: String| Failure::bad_request(format!("the delete options: {why}"));
        schema::protobuf::document(&request.body).map(Value::from).map_err(why)?
    } else {
        let raw: Raw = syntax::read(&request.body).map_err(|why| {
            Failure::bad_request(format!("couldn't get version/kind; json parse error: {why}"))
        })?;
        if !matches!(raw, Raw::Map(_) | Raw::Null) {
            return Err(Failure::bad_request(no_object(&raw)));
        }
        Value::from(raw)
    };
    if let Some(grace) = body.get("gracePeriodSeconds").filter(|g| !g.is_null() && !g.is_i64()) {
        return Err(Failure::bad_request(format!(
            "json: cannot unmarshal {} into Go struct field DeleteOptions.gracePeriodSeconds of \
             type int64",
            Raw::from(grace.clone()).word()
        )));
    }
    let text = |pointer: &str| Some(field::text(&body, pointer)).filter(|t| !t.is_empty());
    if let Some(kind) = text("/kind").filter(|kind| *kind != "DeleteOptions") {
        let version = text("/apiVersion").unwrap_or_default();
        return Err(Failure::bad_request(format!(
            "no kind {kind:?} is registered for version {version:?} in scheme \
             \"pkg/runtime/scheme.go:111\""
        )));
    }
    let given = body.get("gracePeriodSeconds").and_then(Value::as_i64);
    const POLICY: &str = "propagationPolicy";
    let policy = text("/propagationPolicy").or(query.all(POLICY).first().copied());
    let orphans = body.get("orphanDependents").and_then(Value::as_bool);
    // A flag of a query is on whatever it says, but for "no".
    let asked = query.get("orphanDependents").map(|told| !matches!(told, "0" | "false"));
    let orphans = orphans.or(asked);
    if let Some(policy) = policy.filter(|_| orphans.is_some()) {
        let why = "orphanDependents and deletionPropagation cannot be both set";
        let cause = Cause::invalid(POLICY, &policy.into(), why);
        return Err(Failure::bad_options("DeleteOptions", &[cause]));
    }
    let propagation = match policy {
        Some("Orphan") => Some(Propagation::Orphan),
        Some("Foreground") => Some(Propagation::Foreground),
        Some("Background") => Some(Propagation::Background),
        Some(other) => {
            let known = ["Foreground", "Background", "Orphan", "nil"];
            return Err(Failure::bad_option("DeleteOptions", POLICY, &other.into(), &known));
        }
        None => orphans.map(|o| if o { Propagation::Orphan } else { Propagation::Background }),
    };
    let stages = field::list(&body, "/dryRun").iter().filter_map(Value::as_str);
    let dry = dry_run("DeleteOptions", &stages.collect::<Vec<_>>())?;
    Ok(DeleteOptions {
        grace_seconds: given.or(query.number("gracePeriodSeconds")?),
        uid: text("/preconditions/uid").map(str::to_owned),
        resource_version: text("/preconditions/resourceVersion").map(str::to_owned),
        propagation,
        dry_run: dry || query.is_dry_run(&http::Method::DELETE)?,
    })
}
