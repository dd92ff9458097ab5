//! Role-based decisions: bindings that mean a user, the rules they grant.

use serde_json::Value;

use super::rules::Rule;
use super::{Attributes, Decision, User};
use crate::field;
use crate::kinds::{CLUSTER_ROLE, CLUSTER_ROLE_BINDING, ROLE, ROLE_BINDING};
use crate::registry::Failure;
use crate::store::{Object, Store};

/// A binding that means the user, and what it grants.
struct Grant<'s> {
    binding: &'s Object,
    subject: &'s Value,
    rules: Vec<Rule>,
}

/// Whether any rule that applies to the user allows what is asked.
pub(super) fn decide(store: &Store, user: &User, asked: &Attributes) -> Decision {
    let mut errors = Vec::new();
    for grant in grants(store, user, &asked.namespace) {
        match grant {
            Ok(grant) if grant.rules.iter().any(|rule| rule.allows(asked)) => {
                return Decision { allowed: true, reason: grant.told() };
            }
            Ok(_) => {}
            Err(error) => errors.push(error),
        }
    }
    let reason = match aggregate(&errors) {
        text if text.is_empty() => text,
        text => format!("RBAC: {text}"),
    };
    Decision { allowed: false, reason }
}

/// All rules that apply to the user in a namespace.
pub(super) fn rules(store: &Store, user: &User, namespace: &str) -> (Vec<Rule>, Vec<String>) {
    let (mut rules, mut errors) = (Vec::new(), Vec::new());
    for grant in grants(store, user, namespace) {
        match grant {
            Ok(grant) => rules.extend(grant.rules),
            Err(error) => errors.push(error),
        }
    }
    (rules, errors)
}

/// Several errors in one text.
pub(super) fn aggregate(errors: &[String]) -> String {
    let mut told: Vec<&str> = Vec::new();
    for error in errors {
        if !told.contains(&error.as_str()) {
            told.push(error);
        }
    }
    match told.as_slice() {
        [] => String::new(),
        [one] => (*one).to_owned(),
        many => format!("[{}]", many.join(", ")),
    }
}

/// The rules of the role that a binding refers to; `missing` refuses if there is none.
pub(super) fn referred(
    store: &Store,
    binding: &Value,
    namespace: &str,
    missing: impl Fn(&str) -> Failure,
) -> Result<Vec<Rule>, Failure> {
    let name = field::text(binding, "/roleRef/name");
    let (kind, place) = match field::text(binding, "/roleRef/kind") {
        "Role" => (&ROLE, namespace),
        "ClusterRole" => (&CLUSTER_ROLE, ""),
        other => {
            let why = format!("unsupported role reference kind: {other:?}");
            return Err(Failure::new(500, "", why));
        }
    };
    let role = store.get(kind.storage, place, name);
    role.map(|role| Rule::of_role(role)).ok_or_else(|| missing(name))
}

/// Cluster-wide bindings first, then those of the namespace.
fn grants<'s>(
    store: &'s Store,
    user: &User,
    namespace: &str,
) -> impl Iterator<Item = Result<Grant<'s>, String>> {
    let wide = store.table(CLUSTER_ROLE_BINDING.storage).values().map(|binding| (binding, ""));
    let local = match namespace {
        "" => None,
        name => Some(store.in_namespace(ROLE_BINDING.storage, name)),
    };
    let local = local.into_iter().flatten().map(move |binding| (binding, namespace));
    wide.chain(local).filter_map(move |(binding, place)| {
        let mut subjects = field::list(binding, "/subjects").iter();
        let subject = subjects.find(|subject| means(subject, user, place))?;
        let gone = |_: &str| Failure::new(404, "NotFound", not_there(binding));
        let rules = referred(store, binding, place, gone).map_err(|gone| gone.message);
        Some(rules.map(|rules| Grant { binding, subject, rules }))
    })
}

/// What authorization says about a role that is gone.
fn not_there(binding: &Value) -> String {
    let kind = field::text(binding, "/roleRef/kind").to_lowercase();
    let name = field::text(binding, "/roleRef/name");
    format!("{kind}.rbac.authorization.k8s.io {name:?} not found")
}

fn means(subject: &Value, user: &User, namespace: &str) -> bool {
    let name = field::text(subject, "/name");
    match field::text(subject, "/kind") {
        "User" => user.name == name,
        "Group" => user.is_in(name),
        "ServiceAccount" => {
            let home = match field::text(subject, "/namespace") {
                "" => namespace,
                own => own,
            };
            !home.is_empty() && user.name == User::account_name(home, name)
        }
        _ => false,
    }
}

impl Grant<'_> {
    /// `RBAC: allowed by RoleBinding "b/ns" of Role "r" to User "u"`.
    fn told(&self) -> String {
        let text = |pointer: &str| field::text(self.binding, pointer);
        let (name, namespace) = (field::name(self.binding), field::namespace(self.binding));
        let binding = match namespace {
            "" => format!("ClusterRoleBinding {name:?}"),
            namespace => format!("RoleBinding {:?}", format!("{name}/{namespace}")),
        };
        let (kind, who) = (field::text(self.subject, "/kind"), field::text(self.subject, "/name"));
        let who = match (kind, field::text(self.subject, "/namespace")) {
            ("ServiceAccount", "") => format!("{who}/{namespace}"),
            ("ServiceAccount", own) => format!("{who}/{own}"),
            _ => who.to_owned(),
        };
        format!(
            "RBAC: allowed by {binding} of {} {:?} to {kind} {who:?}",
            text("/roleRef/kind"),
            text("/roleRef/name")
        )
    }
}
