//! A user as authentication found them.

use std::collections::BTreeMap;

use serde_json::{Value, json};

pub(crate) const AUTHENTICATED: &str = "system:authenticated";
pub(crate) const UNAUTHENTICATED: &str = "system:unauthenticated";
pub(crate) const MASTERS: &str = "system:masters";
const ANONYMOUS: &str = "system:anonymous";
const ACCOUNT: &str = "system:serviceaccount:";
const NODE: &str = "system:node:";

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct User {
    pub name: String,
    /// "" if unknown.
    pub uid: String,
    pub groups: Vec<String>,
    pub extra: BTreeMap<String, Vec<String>>,
}

impl User {
    /// A member of `system:masters`, who may do everything.
    pub fn admin() -> Self {
        let groups = vec![MASTERS.to_owned(), AUTHENTICATED.to_owned()];
        Self { name: "admin".into(), uid: "admin".into(), groups, ..Self::default() }
    }

    /// Whoever shows nothing.
    pub fn anonymous() -> Self {
        let groups = vec![UNAUTHENTICATED.to_owned()];
        Self { name: ANONYMOUS.into(), groups, ..Self::default() }
    }

    /// Without groups yet.
    pub fn named(name: &str) -> Self {
        Self { name: name.to_owned(), ..Self::default() }
    }

    pub fn is_anonymous(&self) -> bool {
        self.name == ANONYMOUS
    }

    pub fn is_in(&self, group: &str) -> bool {
        self.groups.iter().any(|g| g == group)
    }

    pub fn is_master(&self) -> bool {
        self.is_in(MASTERS)
    }

    /// Adds a group unless the user is in it.
    pub fn join(&mut self, group: &str) {
        if !self.is_in(group) {
            self.groups.push(group.to_owned());
        }
    }

    /// `system:serviceaccount:NAMESPACE:NAME`.
    pub fn account_name(namespace: &str, name: &str) -> String {
        format!("{ACCOUNT}{namespace}:{name}")
    }

    /// The groups that every account of a namespace is in.
    pub fn account_groups(namespace: &str) -> Vec<String> {
        vec!["system:serviceaccounts".into(), format!("system:serviceaccounts:{namespace}")]
    }

    /// Namespace and name of the service account that the user is.
    pub fn account(&self) -> Option<(&str, &str)> {
        let (namespace, name) = self.name.strip_prefix(ACCOUNT)?.split_once(':')?;
        let whole = !namespace.is_empty() && !name.is_empty() && !name.contains(':');
        whole.then_some((namespace, name))
    }

    /// The name of the node whose kubelet the user is.
    pub fn node(&self) -> Option<&str> {
        self.name.strip_prefix(NODE).filter(|name| !name.is_empty())
    }

    /// As reviews tell it.
    pub fn to_value(&self) -> Value {
        let mut told = json!({"username": self.name});
        if !self.uid.is_empty() {
            told["uid"] = self.uid.as_str().into();
        }
        if !self.groups.is_empty() {
            told["groups"] = json!(self.groups);
        }
        if !self.extra.is_empty() {
            told["extra"] = json!(self.extra);
        }
        told
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accounts_and_nodes_are_known_by_their_names() {
        assert_eq!(User::named("system:serviceaccount:a:b").account(), Some(("a", "b")));
        assert_eq!(User::named("system:serviceaccount:a").account(), None);
        assert_eq!(User::named("system:serviceaccount:a:b:c").account(), None);
        assert_eq!(User::named("system:node:n").node(), Some("n"));
        assert_eq!(User::named("system:node:").node(), None);
    }
}
