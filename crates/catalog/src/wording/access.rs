//! How the API server says that somebody may not do what was asked.

use super::between;

/// A request of a service account that was refused.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Denial {
    /// Namespace of the service account.
    pub account_namespace: String,
    /// Its name.
    pub account: String,
    /// Verb.
    pub verb: String,
    /// Group of the API; empty for the core group.
    pub group: String,
    /// `pods`, `deployments/scale`; empty for a path.
    pub resource: String,
    /// Path that is no resource, or empty.
    pub path: String,
    /// Namespace it was asked in; empty at the cluster scope.
    pub namespace: String,
    /// Name of the object, or empty.
    pub name: String,
    /// Roles that the server missed on the way: kind and name.
    pub missing_roles: Vec<(model::Kind, String)>,
}

/// What a text that every such refusal holds begins with.
const ACCOUNT: &str = "system:serviceaccount:";

/// The refusal of a service account that a text tells of, in old and new words.
pub fn denial(text: &str) -> Option<Denial> {
    if !text.contains(ACCOUNT) || !text.contains("cannot ") {
        return None;
    }
    let text = text.replace("\\\"", "\"");
    let (before, after) = text.split_once("User \"")?;
    let (user, after) = after.split_once('"')?;
    let (namespace, account) = user.strip_prefix(ACCOUNT)?.split_once(':')?;
    let (_, asked) = after.split_once("cannot ")?;
    let (verb, what) = asked.split_once(' ')?;
    let path = what.strip_prefix("path \"").and_then(|p| p.split('"').next()).unwrap_or_default();
    let (resource, group) = if path.is_empty() { resource(what)? } else { Default::default() };
    let place = between(what, "in the namespace \"", "\"").unwrap_or_default();
    let plain = |t: &str| t.bytes().all(|c| c.is_ascii_graphic()) && !t.is_empty() && t.len() < 254;
    if ![namespace, account, verb].into_iter().all(plain) {
        return None;
    }
    Some(Denial {
        account_namespace: namespace.to_owned(),
        account: account.to_owned(),
        verb: verb.to_owned(),
        group,
        resource,
        path: path.to_owned(),
        namespace: place.to_owned(),
        name: name(before).unwrap_or_default().to_owned(),
        missing_roles: missing_roles(what),
    })
}

/// `resource "pods" in API group "apps"`, old: `deployments.apps`.
fn resource(what: &str) -> Option<(String, String)> {
    if let Some(name) = between(what, "resource \"", "\"") {
        let group = between(what, "API group \"", "\"").unwrap_or_default();
        return Some((name.to_owned(), group.to_owned()));
    }
    let word = what.split([' ', ',', ';']).next().filter(|w| !w.is_empty())?;
    let (plain, part) = word.split_once('/').map_or((word, None), |(p, s)| (p, Some(s)));
    let (plain, group) = plain.split_once('.').unwrap_or((plain, ""));
    let full = part.map_or(plain.to_owned(), |part| format!("{plain}/{part}"));
    Some((full, group.to_owned()))
}

/// The object in `deployments.apps "web" is forbidden: `.
fn name(before: &str) -> Option<&str> {
    let (head, _) = before.rsplit_once("is forbidden")?;
    let head = head.trim_end().strip_suffix('"')?;
    let (_, name) = head.rsplit_once('"')?;
    (!name.contains(' ')).then_some(name)
}

/// `RBAC: [role.rbac.authorization.k8s.io "a" not found, ...]`.
fn missing_roles(what: &str) -> Vec<(model::Kind, String)> {
    let Some((_, told)) = what.split_once("RBAC: ") else { return Vec::new() };
    let mut found = Vec::new();
    for part in told.split(", ").take(16) {
        let Some((kind, rest)) = part.split_once(".rbac.authorization.k8s.io \"") else { continue };
        let Some((name, _)) = rest.split_once("\" not found") else { continue };
        let cluster = kind.ends_with("clusterrole");
        let kind = if cluster { model::Kind::ClusterRole } else { model::Kind::Role };
        found.push((kind, name.to_owned()));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_are_read_in_old_and_new_words() {
        let user = "User \"system:serviceaccount:quay:pilot\"";
        for (text, verb, resource, group, namespace, name) in [
            (
                format!(
                    "pods is forbidden: {user} cannot list resource \"pods\" in API group \"\" \
                     in the namespace \"quay\""
                ),
                "list",
                "pods",
                "",
                "quay",
                "",
            ),
            (
                format!(
                    "E0101 1 reflector.go:1] deployments.apps \\\"ferry\\\" is forbidden: {} \
                     cannot patch resource \\\"deployments/scale\\\" in API group \\\"apps\\\" \
                     in the namespace \\\"harbour\\\"",
                    user.replace('"', "\\\"")
                ),
                "patch",
                "deployments/scale",
                "apps",
                "harbour",
                "ferry",
            ),
            (
                format!("nodes is forbidden: {user} cannot watch nodes at the cluster scope"),
                "watch",
                "nodes",
                "",
                "",
                "",
            ),
            (
                format!("{user} cannot list deployments.extensions in the namespace \"quay\"."),
                "list",
                "deployments",
                "extensions",
                "quay",
                "",
            ),
            (format!("forbidden: {user} cannot get path \"/metrics\""), "get", "", "", "", ""),
        ] {
            let told = denial(&text).expect(&text);
            assert_eq!((told.account_namespace.as_str(), told.account.as_str()), ("quay", "pilot"));
            assert_eq!(
                (&*told.verb, &*told.resource, &*told.group, &*told.namespace, &*told.name),
                (verb, resource, group, namespace, name),
                "{text}"
            );
        }
        for text in [
            "pods is forbidden: User \"kim\" cannot list resource \"pods\"",
            "pods \"a-1\" is forbidden: exceeded quota: team",
            "system:serviceaccount: cannot ",
        ] {
            assert_eq!(denial(text), None, "{text}");
        }
    }

    #[test]
    fn roles_that_the_server_missed_are_named() {
        let text = "secrets is forbidden: User \"system:serviceaccount:a:b\" cannot list resource \
                    \"secrets\" in API group \"\" in the namespace \"a\": RBAC: \
                    [clusterrole.rbac.authorization.k8s.io \"viewer\" not found, \
                    role.rbac.authorization.k8s.io \"reader\" not found]";
        let want = [
            (model::Kind::ClusterRole, "viewer".to_owned()),
            (model::Kind::Role, "reader".to_owned()),
        ];
        assert_eq!(denial(text).expect("a denial").missing_roles, want);
    }
}
