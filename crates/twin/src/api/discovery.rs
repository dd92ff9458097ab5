//! Discovery documents, as the real server tells them: which groups, versions and resources
//! there are. They come from a derived table (`cargo xtask derive`).

use std::sync::LazyLock;

use serde_json::Value;

use super::{Reply, custom};
use crate::registry::Registry;
use crate::schema::unpacked;

/// The Kubernetes version that the server claims.
pub(crate) const GIT_VERSION: &str = "v1.36.1";
const AGGREGATED: &str = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";
const PACKED: &[u8] = include_bytes!("../../data/discovery.json.gz");

static DOCUMENTS: LazyLock<Value> = LazyLock::new(|| unpacked(PACKED));

/// `/version`: its fields in the server's order, one a line.
pub(super) fn version() -> Reply {
    let order = [
        "major",
        "minor",
        "emulationMajor",
        "emulationMinor",
        "minCompatibilityMajor",
        "minCompatibilityMinor",
        "gitVersion",
        "gitCommit",
        "gitTreeState",
        "buildDate",
        "goVersion",
        "compiler",
        "platform",
    ];
    let told = &DOCUMENTS["/version"];
    let lines = order.map(|key| format!("  \"{key}\": {}", told[key]));
    let text = format!("{{\n{}\n}}", lines.join(",\n"));
    Reply::bytes(200, super::JSON, text.into())
}

/// Whether the server has this group, and this version of it if one is named.
pub(super) fn knows(group: &str, version: Option<&str>) -> bool {
    let path = match version {
        Some(version) => format!("/apis/{group}/{version}"),
        None => format!("/apis/{group}"),
    };
    !group.is_empty() && DOCUMENTS.get(path).is_some()
}

/// The parts of the API that have an OpenAPI document of their own.
pub(super) fn described() -> Vec<&'static str> {
    let parts = DOCUMENTS["/openapi/v3"]["paths"].as_object().into_iter().flatten();
    parts.map(|(part, _)| part.as_str()).collect()
}

/// The document at these path segments.
pub(super) fn answer(registry: &Registry, path: &[String], accept: &str) -> Reply {
    let (parts, path) = (path, format!("/{}", path.join("/")));
    if matches!(path.as_str(), "/api" | "/apis") && wants_aggregated(accept) {
        let mut document = DOCUMENTS[format!("aggregated{path}").as_str()].clone();
        if path == "/apis" {
            custom::add_aggregated(&mut document, registry.customs());
        }
        return Reply::bytes(200, AGGREGATED, super::encode::line(&document));
    }
    let known = DOCUMENTS.get(&path);
    if path == "/apis"
        && let Some(known) = known
    {
        let mut document = known.clone();
        custom::add_groups(&mut document, registry.customs());
        return Reply::json(200, &document);
    }
    if let (None, [_, group, version @ ..]) = (known, parts)
        && let Some(document) = custom::document(registry.customs(), group, version.first())
    {
        return Reply::json(200, &document);
    }
    match known {
        Some(document) if path == "/openapi/v3" => {
            let mut document = document.clone();
            super::openapi::add_parts(&mut document, registry.customs());
            Reply::bytes(200, super::TEXT, document.to_string().into())
        }
        Some(document) => Reply::json(200, document),
        None => Reply::text(404, "404 page not found\n"),
    }
}

/// Whether the first usable choice of the client is the aggregated form.
fn wants_aggregated(accept: &str) -> bool {
    let first = accept.split(',').find(|choice| {
        let has = |part: &str| choice.split(';').any(|p| p.trim() == part);
        let aggregated = has("as=APIGroupDiscoveryList") && has("v=v2");
        aggregated || !choice.contains("as=")
    });
    first.is_some_and(|choice| choice.contains("as=APIGroupDiscoveryList"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kinds::TABLE;

    /// Rows that only take requests and store nothing.
    const NOT_STORED: [&str; 8] = [
        "bindings",
        "selfsubjectaccessreviews",
        "selfsubjectreviews",
        "selfsubjectrulesreviews",
        "localsubjectaccessreviews",
        "subjectaccessreviews",
        "tokenreviews",
        "serviceaccounts/token",
    ];

    #[test]
    fn every_stored_resource_of_the_discovery_has_a_row_with_its_verbs() {
        for (path, document) in DOCUMENTS.as_object().unwrap() {
            for resource in document["resources"].as_array().into_iter().flatten() {
                let name = resource["name"].as_str().unwrap();
                if name.contains('/') || NOT_STORED.contains(&name) {
                    continue;
                }
                let version = document["groupVersion"].as_str().unwrap();
                let row = TABLE.iter().find(|k| k.api_version() == version && k.plural == name);
                let row = row.unwrap_or_else(|| panic!("{path}: no row for {name}"));
                assert_eq!(resource["namespaced"], row.namespaced, "{name}");
                assert_eq!(resource["kind"], row.kind, "{name}");
                for verb in resource["verbs"].as_array().unwrap() {
                    assert!(row.allows(verb.as_str().unwrap()), "{name} {verb}");
                }
            }
        }
    }
}
