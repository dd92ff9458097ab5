//! Bodies of write requests: media types, strictness about fields, delete options.

use serde_json::Value;

use super::Request;
use super::query::Query;
use super::yaml;
use crate::field;
use crate::kinds::Kind;
use crate::registry::{DeleteOptions, Failure, Propagation, view};
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
                Err(Failure::bad_option(options, "fieldValidation", other, &known))
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
    check_type(kind, request, &version, &found)?;
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
            let read: Result<Raw, _> = serde_json::from_slice(&request.body);
            let raw = read.map_err(|error| {
                let why = json_error(&request.body, &error);
                unrecognized(format!("couldn't get version/kind; json parse error: {why}"))
            })?;
            match &raw {
                Raw::Map(_) => Ok(raw),
                Raw::Null => Ok(Raw::Map(Vec::new())),
                other => Err(unrecognized(format!(
                    "couldn't get version/kind; json parse error: json: cannot unmarshal {} into \
                     Go value of type struct {{ APIVersion string \
                     \"json:\\\"apiVersion,omitempty\\\"\"; Kind string \
                     \"json:\\\"kind,omitempty\\\"\" }}",
                    other.word()
                ))),
            }
        }
        "application/vnd.kubernetes.protobuf" => {
            schema::protobuf::document(&request.body).map_err(unrecognized)
        }
        YAML => yaml::read(&String::from_utf8_lossy(&request.body))
            .map_err(|_| unrecognized("yaml: line 2: did not find expected node content".into())),
        _ => {
            let why = "the body of the request was in an unknown format - accepted media types \
                 include: application/json, application/yaml, application/vnd.kubernetes.protobuf";
            Err(Failure::new(415, "UnsupportedMediaType", why))
        }
    }
}

/// The reader's words for bad JSON.
pub(super) fn json_error(body: &[u8], error: &serde_json::Error) -> String {
    if error.is_eof() {
        return "unexpected end of JSON input".into();
    }
    let first = body.iter().find(|b| !b.is_ascii_whitespace());
    match first {
        Some(c) if !b"{[\"-0123456789tfn".contains(c) => {
            format!("invalid character '{}' looking for beginning of value", go_char(*c))
        }
        _ => error.to_string(),
    }
}

/// A byte as Go quotes it.
fn go_char(byte: u8) -> String {
    match byte {
        b'\'' => "\\'".into(),
        b'\\' => "\\\\".into(),
        b'\t' => "\\t".into(),
        b'\n' => "\\n".into(),
        b'\r' => "\\r".into(),
        0..0x20 | 0x7f => format!("\\x{byte:02x}"),
        0x80..=0xa0 | 0xad => format!("\\u{byte:04x}"),
        printable => char::from(printable).into(),
    }
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

fn check_type(kind: &Kind, request: &Request, version: &str, found: &str) -> Result<(), Failure> {
    if (version.is_empty() || version == kind.api_version())
        && (found.is_empty() || found == kind.kind)
    {
        return Ok(());
    }
    if version.matches('/').count() > 1 {
        return Err(Failure::bad_request(format!(
            "the object provided is unrecognized (must be of type {}): unexpected GroupVersion \
             string: {version} ({})",
            kind.kind,
            excerpt(&request.body)
        )));
    }
    let own = kind.api_version();
    let version = if version.is_empty() { &own } else { version };
    let found = if found.is_empty() { kind.kind } else { found };
    let short = version.rsplit('/').next().unwrap_or_default();
    let known = crate::kinds::of_object(version, found).is_some();
    let why = if known {
        format!(
            "converting ({}) to ({}): unknown conversion",
            go_name(version, found, true),
            go_name(&own, kind.kind, false)
        )
    } else {
        format!(
            "no kind {found:?} is registered for version {version:?} in scheme \
             \"pkg/runtime/scheme.go:111\""
        )
    };
    Err(Failure::bad_request(format!(
        "{found} in version {short:?} cannot be handled as a {}: {why}",
        kind.kind
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
        serde_json::from_slice(&request.body)
            .map_err(|error| Failure::bad_request(format!("the delete options: {error}")))?
    };
    let text = |pointer: &str| Some(field::text(&body, pointer)).filter(|t| !t.is_empty());
    if let Some(kind) = text("/kind").filter(|kind| *kind != "DeleteOptions") {
        let version = text("/apiVersion").unwrap_or_default();
        return Err(Failure::bad_request(format!(
            "no kind {kind:?} is registered for version {version:?} in scheme \
             \"pkg/runtime/scheme.go:111\""
        )));
    }
    let given = body.get("gracePeriodSeconds").and_then(Value::as_i64);
    let policy = text("/propagationPolicy").or(query.get("propagationPolicy"));
    let orphans = body.get("orphanDependents").and_then(Value::as_bool);
    let propagation = match policy {
        Some("Orphan") => Some(Propagation::Orphan),
        Some("Foreground") => Some(Propagation::Foreground),
        Some("Background") => Some(Propagation::Background),
        Some(other) => {
            let known = ["Foreground", "Background", "Orphan", "nil"];
            return Err(Failure::bad_option("DeleteOptions", "propagationPolicy", other, &known));
        }
        None => orphans.map(|o| if o { Propagation::Orphan } else { Propagation::Background }),
    };
    let dry = field::list(&body, "/dryRun").iter().any(|value| value == "All");
    Ok(DeleteOptions {
        grace_seconds: given.or(query.number("gracePeriodSeconds")?),
        uid: text("/preconditions/uid").map(str::to_owned),
        resource_version: text("/preconditions/resourceVersion").map(str::to_owned),
        propagation,
        dry_run: dry || query.is_dry_run()?,
    })
}
