//! Descriptions of the API: OpenAPI v2 in JSON and protobuf, and OpenAPI v3, one document for
//! each group version.
//!
//! All of them come from the one document that Kubernetes publishes (`cargo xtask derive`).

mod protobuf;
mod v3;

use std::collections::BTreeMap;
use std::sync::{LazyLock, OnceLock};

use bytes::Bytes;

use super::{JSON, Reply};
use crate::schema::unpacked;

const PACKED: &[u8] = include_bytes!("../../../data/openapi.json.gz");
/// What the server calls its protobuf; what clients ask for has an `@`, which old ones cannot
/// read in an answer.
const PROTOBUF: &str = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf";

static V2_JSON: LazyLock<Bytes> = LazyLock::new(|| unpacked(PACKED).to_string().into());
static V2_PROTOBUF: LazyLock<Bytes> =
    LazyLock::new(|| protobuf::document(&unpacked(PACKED)).into());

/// Parts of v3; each is made when it is asked for, because that takes long.
static V3: LazyLock<BTreeMap<&str, OnceLock<Bytes>>> = LazyLock::new(|| {
    let named = super::discovery::described();
    named.into_iter().map(|part| (part, OnceLock::new())).collect()
});

/// `/openapi/v2`.
pub(super) fn v2(accept: &str) -> Reply {
    let wants_protobuf = |choice: &str| choice.contains("proto-openapi.spec.v2");
    let wants_json = |choice: &str| {
        let kind = choice.split(';').next().unwrap_or_default().trim();
        matches!(kind, "application/json" | "*/*" | "application/*" | "")
    };
    let first = accept.split(',').find(|choice| wants_protobuf(choice) || wants_json(choice));
    if first.is_some_and(wants_protobuf) {
        return Reply::bytes(200, PROTOBUF, V2_PROTOBUF.clone());
    }
    Reply::bytes(200, JSON, V2_JSON.clone())
}

/// `/openapi/v3/...`: the document of `apis/apps/v1`. `None` where there is no such part.
pub(super) fn v3(part: &str) -> Option<Reply> {
    let make = || v3::part(&unpacked(PACKED), part).map(|made| made.to_string().into());
    let body = V3.get(part)?.get_or_init(|| make().unwrap_or_default()).clone();
    if body.is_empty() {
        return None;
    }
    let mut reply = Reply::bytes(200, JSON, body);
    // The address holds the hash of what it names.
    if let Reply::Full { headers, .. } = &mut reply {
        headers.push(("cache-control", "public, immutable, max-age=31536000".to_owned()));
    }
    Some(reply)
}
