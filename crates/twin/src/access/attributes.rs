//! What a request wants to do: the attributes that decisions are made on.

use serde_json::json;

use super::User;
use crate::registry::Failure;

/// A verb on a resource, or on a path that is none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Attributes {
    pub verb: String,
    /// Only for what is no resource; the other fields are empty then.
    pub path: Option<String>,
    pub group: String,
    pub resource: String,
    pub subresource: String,
    pub namespace: String,
    pub name: String,
}

impl Attributes {
    /// A verb on an object of a resource.
    pub fn on(verb: &str, (group, resource): (&str, &str), namespace: &str, name: &str) -> Self {
        Self {
            verb: verb.to_owned(),
            group: group.to_owned(),
            resource: resource.to_owned(),
            namespace: namespace.to_owned(),
            name: name.to_owned(),
            ..Self::default()
        }
    }

    /// `pods`, `pods/log`.
    pub fn full_resource(&self) -> String {
        match self.subresource.as_str() {
            "" => self.resource.clone(),
            sub => format!("{}/{sub}", self.resource),
        }
    }

    /// The refusal of these attributes to a user.
    pub fn refused(&self, user: &User, reason: &str) -> Failure {
        let (name, verb) = (&user.name, &self.verb);
        let what = match &self.path {
            Some(path) => format!("User {name:?} cannot {verb} path {path:?}"),
            None => {
                let place = match self.namespace.as_str() {
                    "" => "at the cluster scope".to_owned(),
                    namespace => format!("in the namespace {namespace:?}"),
                };
                format!(
                    "User {name:?} cannot {verb} resource {:?} in API group {:?} {place}",
                    self.full_resource(),
                    self.group
                )
            }
        };
        // Texts that look like markup are not given back.
        let what = what.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
        let what = if reason.is_empty() { what } else { format!("{what}: {reason}") };
        let qualified = match self.group.as_str() {
            "" => self.resource.clone(),
            group => format!("{}.{group}", self.resource),
        };
        let message = match (qualified.as_str(), self.name.as_str()) {
            ("", _) => format!("forbidden: {what}"),
            (of, "") => format!("{of} is forbidden: {what}"),
            (of, name) => format!("{of} {name:?} is forbidden: {what}"),
        };
        let mut details = json!({});
        for (key, value) in [("name", &self.name), ("group", &self.group), ("kind", &self.resource)]
        {
            if !value.is_empty() {
                details[key] = value.as_str().into();
            }
        }
        Failure { details: Some(details), ..Failure::new(403, "Forbidden", message) }
    }
}
