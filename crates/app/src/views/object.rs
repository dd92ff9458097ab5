//! The name of an object as views show it.

use std::fmt;

use model::ObjectRef;
use serde::Serialize;

/// The name of an object. What is no object of the API has no `apiVersion`; what lives in no
/// namespace has no `namespace`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Object {
    /// Group and version, e.g. `apps/v1`.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub api_version: &'static str,
    /// Kind.
    pub kind: &'static str,
    /// Namespace.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub namespace: String,
    /// Name.
    pub name: String,
}

impl From<&ObjectRef> for Object {
    fn from(object: &ObjectRef) -> Self {
        Object {
            api_version: object.kind.api_version(),
            kind: object.kind.name(),
            namespace: object.namespace.to_string(),
            name: object.name.to_string(),
        }
    }
}

/// `Deployment shop/web` or `Node a`.
impl fmt::Display for Object {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.namespace.as_str() {
            "" => write!(f, "{} {}", self.kind, self.name),
            namespace => write!(f, "{} {namespace}/{}", self.kind, self.name),
        }
    }
}
