//! Descriptions of the API: OpenAPI v2 in JSON and protobuf, and OpenAPI v3, one document for
//! each group version.
//!
//! The built-in kinds come from the one document that Kubernetes publishes (`cargo xtask
//! derive`); custom kinds are added as they are defined.

mod custom;
mod protobuf;
mod v3;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::{Arc, LazyLock, Mutex, OnceLock, PoisonError};

use bytes::Bytes;
use serde_json::{Map, Value, json};

use super::{JSON, Reply, Request};
use crate::kinds::Kind;
use crate::schema::unpacked;
use custom::Form;

const PACKED: &[u8] = include_bytes!("../../../data/openapi.json.gz");
/// What the server calls its protobuf; what clients ask for has an `@`, which old ones cannot
/// read in an answer.
const PROTOBUF: &str = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf";

fn unpacked_document() -> Value {
    unpacked(PACKED)
}

/// Version 2 of the built-in kinds as text: members of `definitions`, of `paths`, and the rest.
static V2_JSON: LazyLock<[String; 3]> = LazyLock::new(|| {
    let mut document = unpacked_document();
    let mut take = |key: &str| members(document.get_mut(key).map(Value::take).unwrap_or_default());
    let (definitions, paths) = (take("definitions"), take("paths"));
    if let Some(map) = document.as_object_mut() {
        map.retain(|key, _| key != "definitions" && key != "paths");
    }
    [definitions, paths, members(document)]
});
static V2_PROTOBUF: LazyLock<Vec<u8>> = LazyLock::new(|| protobuf::document(&unpacked_document()));

/// The members of an object, without its braces.
fn members(of: Value) -> String {
    let text = of.to_string();
    text.trim_start_matches('{').strip_suffix('}').unwrap_or_default().to_owned()
}

/// Parts of v3; each is made when it is asked for, because that takes long.
static V3: LazyLock<BTreeMap<&str, OnceLock<Bytes>>> = LazyLock::new(|| {
    let named = super::discovery::described();
    named.into_iter().map(|part| (part, OnceLock::new())).collect()
});

/// A document and the hash by which clients know that they have it.
#[derive(Clone)]
struct Document {
    body: Bytes,
    hash: String,
}

impl Document {
    fn new(body: Bytes) -> Self {
        let digest = ring::digest::digest(&ring::digest::SHA512, &body);
        let mut hash = String::new();
        for byte in digest.as_ref() {
            // Writing to a text does not fail.
            let _ = write!(hash, "{byte:02X}");
        }
        Self { body, hash }
    }

    fn reply(&self, kind: &'static str, request: &Request) -> Reply {
        let known = request.headers.get(http::header::IF_NONE_MATCH);
        let known = known.and_then(|value| value.to_str().ok()).unwrap_or_default();
        let has = known.split(',').any(|tag| tag.trim().trim_matches('"') == self.hash);
        let mut reply = match has {
            true => Reply::bytes(304, kind, Bytes::new()),
            false => Reply::bytes(200, kind, self.body.clone()),
        };
        if let Reply::Full { headers, .. } = &mut reply {
            headers.push(("etag", format!("\"{}\"", self.hash)));
        }
        reply
    }
}

/// What is told while these custom kinds are served.
struct Told {
    customs: Vec<&'static Kind>,
    json: OnceLock<Document>,
    protobuf: OnceLock<Document>,
    /// Of version 3, by group version.
    parts: BTreeMap<String, OnceLock<Document>>,
}

/// What was told last: definitions change rarely, and documents are asked for often.
static LAST: Mutex<Option<Arc<Told>>> = Mutex::new(None);

impl Told {
    fn of(customs: &[&'static Kind]) -> Arc<Self> {
        let mut last = LAST.lock().unwrap_or_else(PoisonError::into_inner);
        let same = |told: &&Arc<Self>| {
            let pairs = told.customs.iter().zip(customs);
            told.customs.len() == customs.len()
                && pairs.into_iter().all(|(a, b)| std::ptr::eq(*a, *b))
        };
        if let Some(told) = last.as_ref().filter(same) {
            return Arc::clone(told);
        }
        let part = |kind: &&Kind| (format!("apis/{}", kind.api_version()), OnceLock::new());
        let told = Arc::new(Self {
            customs: customs.to_vec(),
            json: OnceLock::new(),
            protobuf: OnceLock::new(),
            parts: customs.iter().map(part).collect(),
        });
        *last = Some(Arc::clone(&told));
        told
    }

    fn json(&self) -> &Document {
        self.json.get_or_init(|| {
            let (paths, definitions) = custom::parts(&self.customs, Form::V2);
            let joined = |base: &str, own: Map<String, Value>| {
                let comma = if own.is_empty() { "" } else { "," };
                format!("{base}{comma}{}", members(Value::Object(own)))
            };
            let [known, known_paths, rest] = &*V2_JSON;
            let (types, paths) = (joined(known, definitions), joined(known_paths, paths));
            let text = format!("{{\"definitions\":{{{types}}},\"paths\":{{{paths}}},{rest}}}");
            Document::new(text.into())
        })
    }

    /// Messages are joined by writing one after the other.
    fn protobuf(&self) -> &Document {
        self.protobuf.get_or_init(|| {
            let (paths, definitions) = custom::parts(&self.customs, Form::V2);
            let mut all = V2_PROTOBUF.clone();
            if !paths.is_empty() {
                let own = json!({"paths": paths, "definitions": definitions});
                all.extend(protobuf::document(&own));
            }
            Document::new(all.into())
        })
    }

    fn part(&self, name: &str) -> Option<&Document> {
        let made = self.parts.get(name)?.get_or_init(|| {
            let is = |kind: &&&'static Kind| format!("apis/{}", kind.api_version()) == name;
            let kinds: Vec<_> = self.customs.iter().filter(is).copied().collect();
            let made = v3::part(&custom::document(&kinds), name);
            Document::new(made.unwrap_or_default().to_string().into())
        });
        Some(made)
    }
}

/// `/openapi/v2`.
pub(super) fn v2(request: &Request, customs: &[&'static Kind]) -> Reply {
    let wants_protobuf = |choice: &str| choice.contains("proto-openapi.spec.v2");
    let wants_json = |choice: &str| {
        let kind = choice.split(';').next().unwrap_or_default().trim();
        matches!(kind, "application/json" | "*/*" | "application/*" | "")
    };
    let accept = &request.accept;
    let first = accept.split(',').find(|choice| wants_protobuf(choice) || wants_json(choice));
    let told = Told::of(customs);
    if first.is_some_and(wants_protobuf) {
        return told.protobuf().reply(PROTOBUF, request);
    }
    told.json().reply(JSON, request)
}

/// `/openapi/v3`: where the parts are, those of custom kinds among them.
pub(super) fn add_parts(document: &mut Value, customs: &[&'static Kind]) {
    let told = Told::of(customs);
    for name in told.parts.keys() {
        if let Some(part) = told.part(name) {
            let place = format!("/openapi/v3/{name}?hash={}", part.hash);
            document["paths"][name] = json!({"serverRelativeURL": place});
        }
    }
}

/// `/openapi/v3/...`: the document of `apis/apps/v1`. `None` where there is no such part.
pub(super) fn v3(part: &str, request: &Request, customs: &[&'static Kind]) -> Option<Reply> {
    let Some(known) = V3.get(part) else {
        let told = Told::of(customs);
        return Some(kept(told.part(part)?.reply(JSON, request), request));
    };
    let make = || v3::part(&unpacked_document(), part).map(|made| made.to_string().into());
    let body = known.get_or_init(|| make().unwrap_or_default()).clone();
    if body.is_empty() {
        return None;
    }
    Some(kept(Reply::bytes(200, JSON, body), request))
}

/// An address that holds the hash of what it names may be kept for ever.
fn kept(mut reply: Reply, request: &Request) -> Reply {
    if let Reply::Full { headers, .. } = &mut reply
        && request.query.contains("hash=")
    {
        headers.push(("cache-control", "public, immutable, max-age=31536000".to_owned()));
    }
    reply
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_joined_text_is_the_document() {
        let told = Told::of(&[]);
        let got: Value = serde_json::from_slice(&told.json().body).unwrap();
        assert_eq!(got, unpacked_document());
        assert_eq!(told.json().hash.len(), 128);
    }
}
