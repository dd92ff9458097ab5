//! Which form of an answer the client accepts, and what it is told if there is none.

use serde_json::{Value, json};

use super::encode::Shape;
use super::route::Target;
use super::{Reply, Request};
use crate::registry::Failure;
use crate::schema::envelope;

const JSON: &str = "application/json";
const YAML: &str = "application/yaml";
pub(super) const BINARY: &str = "application/vnd.kubernetes.protobuf";
/// The older version of Tables and metadata.
const BETA: &str = "v1beta1";

/// One choice of a client: a media type that is served, and its parameters.
struct Choice<'a> {
    media: &'static str,
    parameters: Vec<&'a str>,
}

impl Choice<'_> {
    fn parameter(&self, key: &str) -> Option<&str> {
        self.parameters.iter().find_map(|part| part.strip_prefix(key)?.strip_prefix('='))
    }
}

/// The choices that can be served, in order.
fn choices(accept: &str) -> impl Iterator<Item = Choice<'_>> {
    let accept = if accept.trim().is_empty() { "*/*" } else { accept };
    let mut all: Vec<&str> = accept.split(',').collect();
    // What is liked better comes first, else what was said first.
    all.sort_by_key(|choice| std::cmp::Reverse(liking(choice)));
    all.into_iter().filter_map(|choice| {
        let mut parts = choice.split(';').map(str::trim);
        let media = match parts.next()? {
            "*/*" | "application/*" | JSON => JSON,
            YAML => YAML,
            BINARY => BINARY,
            _ => return None,
        };
        Some(Choice { media, parameters: parts.collect() })
    })
}

/// How much a choice is liked, in thousandths.
fn liking(choice: &str) -> u32 {
    let told = choice.split(';').find_map(|part| part.trim().strip_prefix("q="));
    told.and_then(|q| q.parse::<f32>().ok()).map_or(1000, |q| (q.clamp(0.0, 1.0) * 1000.0) as u32)
}

/// The form of an object's or a list's answer.
pub(super) fn shape(request: &Request, target: &Target) -> Result<Shape, Failure> {
    let mut known = false;
    let streams = request.method == http::Method::GET
        && (target.watch || super::query::Query::parse(&request.query).flag("watch"));
    for choice in choices(&request.accept) {
        known = true;
        // Documents follow each other in a stream only in these types.
        if streams && choice.media == YAML {
            continue;
        }
        if !fits(&choice, target) {
            continue;
        }
        match choice.parameter("as") {
            None => return Ok(Shape::Plain),
            // Forms of other groups and versions are not served.
            Some(_) if choice.parameter("g") != Some("meta.k8s.io") => {}
            Some(_) if !matches!(choice.parameter("v"), Some("v1" | BETA)) => {}
            // Questions are no rows.
            Some("Table") if !target.kind.is_stored() => {}
            Some("Table") => return Ok(Shape::Table),
            Some("PartialObjectMetadata") => return Ok(Shape::Metadata),
            Some("PartialObjectMetadataList") => return Ok(Shape::MetadataList),
            Some(_) => {}
        }
    }
    if known && streams {
        let served = [JSON, BINARY].map(|media| format!("{media};stream=watch")).join(", ");
        let why = format!("only the following media types are accepted: {served}");
        return Err(Failure::new(406, "NotAcceptable", why));
    }
    if known {
        let why = format!("only the following media types are accepted: {JSON}, {YAML}, {BINARY}");
        return Err(Failure::new(406, "NotAcceptable", why));
    }
    let streams = request.method == http::Method::GET && (target.name.is_none() || target.watch);
    let mut served = vec![JSON.to_owned(), YAML.to_owned(), BINARY.to_owned()];
    if target.part.subresource() == "log" {
        served.insert(0, "text/plain".into());
    } else if streams {
        served.extend([JSON, BINARY].map(|media| format!("{media};stream=watch")));
    }
    Err(none_of(&served))
}

/// Whether the kind can be told in this type: custom resources have no messages, and tables
/// are for people.
fn fits(choice: &Choice<'_>, target: &Target) -> bool {
    let kind = target.kind;
    let as_table = choice.parameter("as") == Some("Table");
    choice.media != BINARY || !as_table && envelope::has_message(&kind.api_version(), kind.kind)
}

/// The type in which an answer about this kind is told.
pub(super) fn media(request: &Request, target: &Target) -> &'static str {
    let mut all = choices(&request.accept).filter(|choice| fits(choice, target));
    let known = |choice: &Choice<'_>| match choice.parameter("as") {
        None => true,
        Some("Table" | "PartialObjectMetadata" | "PartialObjectMetadataList") => {
            choice.parameter("v").is_none_or(|version| ["v1", BETA].contains(&version))
        }
        Some(_) => false,
    };
    all.find(known).map_or(JSON, |choice| choice.media)
}

/// The type in which a document of discovery is told.
pub(super) fn of_document(accept: &str) -> &'static str {
    choices(accept).next().map_or(JSON, |choice| choice.media)
}

/// The answer in protobuf, if that is what it is told in.
pub(super) fn in_binary(media: &str, reply: Reply) -> Reply {
    match reply {
        Reply::Full { code, content_type: JSON, headers, body } if media == BINARY => {
            let value: Value = serde_json::from_slice(&body).unwrap_or_default();
            match envelope::envelope(&value) {
                Ok(bytes) => {
                    Reply::Full { code, content_type: BINARY, headers, body: bytes.into() }
                }
                Err(why) => Reply::failure(&Failure::new(500, "InternalError", why)),
            }
        }
        Reply::Watch(mut watch) => {
            watch.binary = media == BINARY;
            Reply::Watch(watch)
        }
        other => other,
    }
}

/// Documents about the server itself come in the first of these types that is accepted.
pub(super) fn document(accept: &str, served: &[&str]) -> Result<(), Failure> {
    if choices(accept).any(|choice| served.contains(&choice.media)) {
        return Ok(());
    }
    let served: Vec<String> = served.iter().map(|media| (*media).to_owned()).collect();
    Err(none_of(&served))
}

/// What documents of discovery come in.
pub(super) const DISCOVERY: [&str; 3] = [JSON, YAML, BINARY];
/// What the version comes in.
pub(super) const VERSION: [&str; 1] = [JSON];

fn none_of(served: &[String]) -> Failure {
    let why = format!("406: Not Acceptable\n\nAvailable representations: {}", served.join(", "));
    Failure { details: Some(json!({})), ..Failure::new(406, "NotAcceptable", why) }
}

/// The answer as the client prefers it: its form in the older version, YAML.
pub(super) fn dressed(accept: &str, path: &str, reply: Reply) -> Reply {
    let old = choices(accept).next().is_some_and(|choice| choice.parameter("v") == Some(BETA));
    let reply = if old { in_beta(reply) } else { reply };
    in_yaml(accept, path, reply)
}

/// Tables and metadata are the same in the older version but for its name.
fn in_beta(mut reply: Reply) -> Reply {
    let Reply::Full { content_type: JSON, body, .. } = &mut reply else { return reply };
    if let Ok(mut value) = serde_json::from_slice::<Value>(body) {
        rename(&mut value);
        for (list, inner) in [("rows", "object"), ("items", "")] {
            for item in value.get_mut(list).and_then(Value::as_array_mut).into_iter().flatten() {
                rename(if inner.is_empty() { item } else { &mut item[inner] });
            }
        }
        *body = super::encode::line(&value);
    }
    reply
}

fn rename(value: &mut Value) {
    if value["apiVersion"] == "meta.k8s.io/v1" {
        value["apiVersion"] = format!("meta.k8s.io/{BETA}").into();
    }
}

fn in_yaml(accept: &str, path: &str, reply: Reply) -> Reply {
    let wanted = choices(accept).next().is_some_and(|choice| choice.media == YAML);
    let open = path.trim_matches('/');
    if !wanted || open.is_empty() || open.starts_with("openapi") {
        return reply;
    }
    match reply {
        Reply::Full { code, content_type: JSON, headers, body } => {
            let value: Option<Value> = serde_json::from_slice(&body).ok();
            match value.and_then(|value| serde_saphyr::to_string(&value).ok()) {
                Some(text) => Reply::Full { code, content_type: YAML, headers, body: text.into() },
                None => Reply::Full { code, content_type: JSON, headers, body },
            }
        }
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn yaml_is_written_as_the_server_writes_it() {
        let value = json!({
            "apiVersion": "v1", "items": [], "meta": {"k": "5", "t": "true", "e": "", "x": "a b"},
            "list": [{"a": 1, "b": ["c"]}], "text": "a\nb\n", "none": {},
        });
        let reply = in_yaml("application/yaml", "/api", Reply::json(200, &value));
        let Reply::Full { body, content_type, .. } = reply else { panic!("a watch") };
        let expected = "apiVersion: v1\nitems: []\nlist:\n- a: 1\n  b:\n  - c\nmeta:\n  e: \"\"\n  \
             k: \"5\"\n  t: \"true\"\n  x: a b\nnone: {}\ntext: |\n  a\n  b\n";
        assert_eq!((content_type, String::from_utf8_lossy(&body).as_ref()), (YAML, expected));
    }
}
