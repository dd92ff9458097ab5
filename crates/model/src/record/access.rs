//! Who may do what: roles and what binds them to subjects.

use serde::Deserialize;

use super::meta::common_parts;
use super::{Known, Meta, Record};
use crate::{Kind, List, Text};

/// A Role or ClusterRole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccessRole {
    /// Metadata.
    pub meta: Meta,
    /// `Role` or `ClusterRole`.
    pub kind: Kind,
    /// What it allows.
    pub rules: List<AccessRule>,
}

/// What one rule allows.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct AccessRule {
    /// Verbs.
    pub verbs: List<Text>,
    /// Groups of the API; the core group is the empty word.
    pub api_groups: List<Text>,
    /// Resources, `pods` or `pods/log`.
    pub resources: List<Text>,
    /// Names of objects; none means all.
    pub resource_names: List<Text>,
    /// Paths that are no resources.
    #[serde(rename = "nonResourceURLs")]
    pub paths: List<Text>,
}

impl AccessRule {
    /// Whether it allows a verb on a resource (`deployments/scale`) of a group. A name that is
    /// not known may be one that the rule lists.
    pub fn allows(&self, verb: &str, group: &str, resource: &str, name: Option<&str>) -> bool {
        let verbs = self.verbs.iter().any(|v| v == "*" || v == verb);
        let groups = self.api_groups.iter().any(|g| g == "*" || g == group);
        let sub = resource.split_once('/').map(|(_, sub)| sub);
        let is = |r: &Text| {
            r == "*"
                || r == resource
                || r.strip_prefix("*/").is_some_and(|wanted| sub == Some(wanted))
        };
        let named = self.resource_names.is_empty()
            || name.is_some_and(|n| self.resource_names.iter().any(|r| r == n));
        verbs && groups && named && self.resources.iter().any(is)
    }

    /// Whether it allows a verb on a path.
    pub fn allows_path(&self, verb: &str, path: &str) -> bool {
        let is = |p: &Text| match p.strip_suffix('*') {
            Some(start) => path.starts_with(start),
            None => p == path,
        };
        self.verbs.iter().any(|v| v == "*" || v == verb) && self.paths.iter().any(is)
    }
}

/// A RoleBinding or ClusterRoleBinding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccessBinding {
    /// Metadata.
    pub meta: Meta,
    /// `RoleBinding` or `ClusterRoleBinding`.
    pub kind: Kind,
    /// Kind and name of the role.
    pub role: (Kind, Text),
    /// Whom it gives the role to.
    pub subjects: List<Subject>,
}

/// Whom a role is given to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Deserialize)]
#[serde(default)]
pub struct Subject {
    /// `ServiceAccount`, `User` or `Group`.
    pub kind: Text,
    /// Namespace of a service account.
    pub namespace: Text,
    /// Name.
    pub name: Text,
}

impl AccessRole {
    /// Decodes a Role or ClusterRole.
    ///
    /// # Errors
    /// When the object is not shaped as the API shapes it.
    pub fn read<'de, D: serde::Deserializer<'de>>(kind: Kind, d: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Wire {
            metadata: Meta,
            #[serde(default)]
            rules: List<AccessRule>,
        }
        let wire = Wire::deserialize(d)?;
        Ok(AccessRole { meta: wire.metadata, kind, rules: wire.rules })
    }
}

impl AccessBinding {
    /// Decodes a RoleBinding or ClusterRoleBinding.
    ///
    /// # Errors
    /// When the object is not shaped as the API shapes it.
    pub fn read<'de, D: serde::Deserializer<'de>>(kind: Kind, d: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Wire {
            metadata: Meta,
            #[serde(default)]
            role_ref: RoleRef,
            #[serde(default)]
            subjects: List<Subject>,
        }
        #[derive(Deserialize, Default)]
        #[serde(default)]
        struct RoleRef {
            kind: Text,
            name: Text,
        }
        let wire = Wire::deserialize(d)?;
        let cluster = wire.role_ref.kind == "ClusterRole";
        let role = if cluster { Kind::ClusterRole } else { Kind::Role };
        Ok(AccessBinding {
            meta: wire.metadata,
            kind,
            role: (role, wire.role_ref.name),
            subjects: wire.subjects,
        })
    }
}

impl Record for AccessRole {
    const SHOWN_BY: &'static [(Known, &'static [&'static str])] =
        common_parts![(Known::SPEC, &["/rules"]),];

    fn meta(&self) -> &Meta {
        &self.meta
    }

    fn meta_mut(&mut self) -> &mut Meta {
        &mut self.meta
    }

    fn take(&mut self, part: Known, other: &Self) {
        if part == Known::SPEC {
            self.rules.clone_from(&other.rules);
        }
    }
}

impl Record for AccessBinding {
    const SHOWN_BY: &'static [(Known, &'static [&'static str])] =
        common_parts![(Known::SELECTOR, &["/roleRef"]), (Known::SPEC, &["/subjects"]),];

    fn meta(&self) -> &Meta {
        &self.meta
    }

    fn meta_mut(&mut self) -> &mut Meta {
        &mut self.meta
    }

    fn take(&mut self, part: Known, other: &Self) {
        match part {
            Known::SELECTOR => self.role.clone_from(&other.role),
            Known::SPEC => self.subjects.clone_from(&other.subjects),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_allow_as_the_api_allows() {
        let rule: AccessRule = serde_json::from_str(
            r#"{"verbs":["get","list"],"apiGroups":["","apps"],
                "resources":["pods","deployments/scale","*/status"]}"#,
        )
        .unwrap();
        assert!(rule.allows("list", "", "pods", None));
        assert!(rule.allows("get", "apps", "deployments/scale", Some("web")));
        assert!(rule.allows("get", "apps", "deployments/status", None));
        assert!(!rule.allows("watch", "", "pods", None));
        assert!(!rule.allows("list", "", "pods/log", None));
        assert!(!rule.allows("list", "batch", "jobs", None));
        let one = r#"{"verbs":["*"],"apiGroups":["*"],"resources":["*"],"resourceNames":["a"]}"#;
        let one: AccessRule = serde_json::from_str(one).unwrap();
        assert!(one.allows("delete", "", "secrets", Some("a")));
        assert!(!one.allows("list", "", "secrets", None));
        let paths: AccessRule =
            serde_json::from_str(r#"{"verbs":["get"],"nonResourceURLs":["/metrics*"]}"#).unwrap();
        assert!(paths.allows_path("get", "/metrics/cadvisor") && !paths.allows_path("get", "/"));
    }
}
