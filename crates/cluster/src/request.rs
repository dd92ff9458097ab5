//! The requests that are sent: lists, watches, and the server's version.

use http::{HeaderValue, Request, header};
use model::Kind;

/// Objects in one page. The API server does the same for kubectl.
const PAGE_OBJECTS: u32 = 500;

/// What the API answers with metadata alone.
const METADATA_ONLY: &str = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1";

/// Whether only names are asked for: of these kinds the content is nobody's business.
pub(crate) fn is_metadata_only(kind: Kind) -> bool {
    matches!(kind, Kind::Secret | Kind::ConfigMap)
}

/// What the API answers with metadata alone, one object at a time.
const METADATA_OF_ONE: &str = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1";

/// A watch is ended by the server after so long, before an idle connection is taken for dead.
const WATCH_SECONDS: u32 = 75;

/// Where the objects of a kind are, of one namespace or of all.
fn path(kind: Kind, namespace: Option<&str>) -> String {
    let api = kind.api_version();
    let root = if api.contains('/') { "/apis" } else { "/api" };
    let place = match namespace.filter(|_| kind.is_namespaced()) {
        Some(namespace) => format!("namespaces/{}/", encoded(namespace)),
        None => String::new(),
    };
    format!("{root}/{api}/{place}{}", kind.plural())
}

/// What happens to a kind from this version of its list on.
pub(crate) fn watch(kind: Kind, namespace: Option<&str>, version: &str) -> Request<Vec<u8>> {
    let place = path(kind, namespace);
    let version = encoded(version);
    let path = format!(
        "{place}?watch=true&allowWatchBookmarks=true&timeoutSeconds={WATCH_SECONDS}\
         &resourceVersion={version}"
    );
    get(&path, if is_metadata_only(kind) { METADATA_OF_ONE } else { "application/json" })
}

/// One page of a list, of one namespace or of all.
pub(crate) fn list(kind: Kind, namespace: Option<&str>, token: Option<&str>) -> Request<Vec<u8>> {
    let mut path = format!("{}?limit={PAGE_OBJECTS}", path(kind, namespace));
    if let Some(token) = token {
        path.push_str("&continue=");
        path.push_str(&encoded(token));
    }
    let accept = if is_metadata_only(kind) { METADATA_ONLY } else { "application/json" };
    get(&path, accept)
}

/// The server's version.
pub(crate) fn version() -> Request<Vec<u8>> {
    get("/version", "application/json")
}

fn get(path: &str, accept: &'static str) -> Request<Vec<u8>> {
    let mut request = Request::new(Vec::new());
    // Every part of the path is a constant or encoded; a namespace that is none of the
    // alphabet is encoded too, so this always parses.
    if let Ok(uri) = path.parse() {
        *request.uri_mut() = uri;
    }
    request.headers_mut().insert(header::ACCEPT, HeaderValue::from_static(accept));
    request
}

/// Percent-encoded for a path or a query.
fn encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_asked_for_as_the_api_names_them() {
        for (kind, namespace, token, want) in [
            (Kind::Pod, None, None, "/api/v1/pods?limit=500"),
            (Kind::Pod, Some("shop"), None, "/api/v1/namespaces/shop/pods?limit=500"),
            (Kind::Node, Some("shop"), None, "/api/v1/nodes?limit=500"),
            (
                Kind::Deployment,
                None,
                Some("a b=/?"),
                "/apis/apps/v1/deployments?limit=500&continue=a%20b%3D%2F%3F",
            ),
            (Kind::Pod, Some("../x?y"), None, "/api/v1/namespaces/..%2Fx%3Fy/pods?limit=500"),
        ] {
            assert_eq!(list(kind, namespace, token).uri().to_string(), want);
        }
        let accept = |kind| list(kind, None, None).headers()[header::ACCEPT].clone();
        assert!(accept(Kind::Secret).to_str().unwrap().contains("PartialObjectMetadataList"));
        assert_eq!(accept(Kind::Pod), "application/json");
    }
}
