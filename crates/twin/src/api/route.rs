//! Paths of the API: which resource, object or subresource is meant.

use super::discovery::knows;
use crate::kinds::{self, Kind};
use crate::registry::{Failure, Part, Registry};

/// What a path names.
#[derive(Debug)]
pub(super) enum Route {
    Resource(Target),
    /// Path segments of a discovery document.
    Discovery(Vec<String>),
    /// The path below the root.
    Health(String),
    /// The OpenAPI v2 document.
    OpenApi,
    /// A part of the OpenAPI v3 document: the path below `/openapi/v3/`.
    OpenApiPart(String),
    Metrics,
    Indicators,
    Version,
    /// A 404 that is not a Status.
    Unknown,
}

/// A resource, or one of its objects.
#[derive(Debug)]
pub(super) struct Target {
    pub kind: &'static Kind,
    /// `None`: all namespaces, or a cluster-scoped kind.
    pub namespace: Option<String>,
    pub name: Option<String>,
    pub part: Part,
    /// Whether the path itself asks for a watch, as old clients do.
    pub watch: bool,
}

impl Target {
    /// The namespace for the store: "" for cluster-scoped kinds.
    pub fn home(&self) -> &str {
        self.namespace.as_deref().unwrap_or_default()
    }
}

pub(super) fn parse(registry: &Registry, path: &str) -> Result<Route, Failure> {
    let decoded = super::query::decode(&path.replace('+', "%2B"))?;
    let trimmed = decoded.strip_prefix('/').unwrap_or(&decoded);
    let trimmed = trimmed.strip_suffix('/').unwrap_or(trimmed);
    let parts: Vec<&str> = trimmed.split('/').collect();
    let knows = |group: &str, version: Option<&str>| {
        let custom = |k: &&Kind| k.group == group && version.is_none_or(|v| v == k.version);
        knows(group, version) || registry.customs().iter().any(custom)
    };
    match parts.as_slice() {
        ["healthz" | "livez" | "readyz", ..] => Ok(Route::Health(trimmed.to_owned())),
        ["openapi", "v2"] => Ok(Route::OpenApi),
        ["openapi", "v3"] => Ok(discovery(&parts)),
        ["openapi", "v3", part @ ..] => Ok(Route::OpenApiPart(part.join("/"))),
        ["metrics"] => Ok(Route::Metrics),
        ["metrics", "slis"] => Ok(Route::Indicators),
        ["version"] => Ok(Route::Version),
        ["api" | "apis"] | ["api", "v1"] => Ok(discovery(&parts)),
        ["api", "v1", rest @ ..] => resource(registry, ("", "v1"), rest),
        ["api", _, _, ..] => Err(Failure::no_such_resource()),
        [""] => Ok(discovery(&parts)),
        ["apis", group] if knows(group, None) => Ok(discovery(&parts)),
        ["apis", group, version] if knows(group, Some(version)) => Ok(discovery(&parts)),
        ["apis", group, version, rest @ ..] if knows(group, Some(version)) => {
            resource(registry, (group, version), rest)
        }
        // Somebody else may serve another version of a group that is here.
        ["apis", group, _, ..] if knows(group, None) => Err(Failure::no_such_resource()),
        _ => Ok(Route::Unknown),
    }
}

fn discovery(parts: &[&str]) -> Route {
    Route::Discovery(parts.iter().map(|part| (*part).to_owned()).collect())
}

fn resource(
    registry: &Registry,
    (group, version): (&str, &str),
    rest: &[&str],
) -> Result<Route, Failure> {
    if let ["watch", rest @ ..] = rest {
        let route = resource(registry, (group, version), rest)?;
        return Ok(match route {
            Route::Resource(target) => Route::Resource(Target { watch: true, ..target }),
            other => other,
        });
    }
    let (namespace, plural, tail) = match rest {
        // `/namespaces/a/status` is a subresource of the namespace, not a resource in it.
        ["namespaces", _, "status" | "finalize"] | ["namespaces"] | ["namespaces", _] => {
            (None, "namespaces", rest.get(1..).unwrap_or_default())
        }
        ["namespaces", namespace, plural, tail @ ..] => (Some(*namespace), *plural, tail),
        [plural, tail @ ..] => (None, *plural, tail),
        [] => return Ok(Route::Unknown),
    };
    let missing = Failure::no_such_resource;
    // A binding may be sent without the name of its pod in the path.
    let (plural, is_binding) = match (group, plural, tail) {
        ("", "bindings", []) if namespace.is_some() => ("pods", true),
        _ => (plural, false),
    };
    let kind = registry
        .kind(group, version, plural)
        .or_else(|| kinds::find_review(group, version, plural))
        .ok_or_else(missing)?;
    // An object of a namespaced kind is only found in its namespace, and the other way round.
    let misplaced = kind.namespaced != namespace.is_some() && !(kind.namespaced && tail.is_empty());
    let (name, part) = match tail {
        [] if is_binding => (None, Part::Other("binding")),
        [] => (None, Part::Spec),
        [name] => (Some(*name), Part::Spec),
        [name, "proxy", ..] if kind.subresources.contains(&"proxy") => {
            (Some(*name), Part::Other("proxy"))
        }
        [name, sub] => match kind.subresources.iter().find(|known| *known == sub) {
            Some(&"status") => (Some(*name), Part::Status),
            Some(other) => (Some(*name), Part::Other(other)),
            None => return Err(missing()),
        },
        _ => return Err(missing()),
    };
    if misplaced || name == Some("") {
        return Err(missing());
    }
    let (namespace, name) = (namespace.map(str::to_owned), name.map(str::to_owned));
    Ok(Route::Resource(Target { kind, namespace, name, part, watch: false }))
}
