//! Nobody may grant what they do not have: checks on writes of roles and bindings.

use serde_json::{Value, json};

use super::rules::{Rule, missing, quoted};
use super::{Access, Attributes, User, rbac};
use crate::field;
use crate::kinds::Kind;
use crate::registry::Failure;
use crate::store::Store;

const GROUP: &str = "rbac.authorization.k8s.io";

/// Refuses a role or binding that gives more than its writer has. `old` is what it replaces.
pub(crate) fn check(
    (access, store): (&Access, &Store),
    user: &User,
    kind: &Kind,
    old: Option<&Value>,
    new: &Value,
) -> Result<(), Failure> {
    if kind.group != GROUP || user.is_master() || old.is_some_and(|old| only_upkeep(old, new)) {
        return Ok(());
    }
    let namespace = field::namespace(new);
    let may = |verb: &str, resource: &str, name: &str| {
        let asked = Attributes::on(verb, (GROUP, resource), namespace, name);
        access.decide(store, user, &asked).allowed
    };
    let wanted = match kind.plural {
        "roles" | "clusterroles" => {
            let name = old.map(field::name).unwrap_or_default();
            if may("escalate", kind.plural, name) {
                return Ok(());
            }
            Rule::of_role(new)
        }
        _ => {
            let resource = match field::text(new, "/roleRef/kind") {
                "Role" => "roles",
                _ => "clusterroles",
            };
            if may("bind", resource, field::text(new, "/roleRef/name")) {
                return Ok(());
            }
            rbac::referred(store, new, namespace, |role| Failure::not_found(kind, role))?
        }
    };
    let (held, errors) = access.rules(store, user, namespace);
    let lacking = missing(&held, &wanted);
    if !lacking.is_empty() {
        let lacking: Vec<String> = lacking.into_iter().collect();
        let mut why = format!(
            "user {:?} (groups={}) is attempting to grant RBAC permissions not currently held:\n{}",
            user.name,
            quoted(&user.groups),
            lacking.join("\n")
        );
        if !errors.is_empty() {
            why.push_str(&format!("; resolution errors: {}", rbac::aggregate(&errors)));
        }
        return Err(Failure::forbidden(kind, field::name(new), &why));
    }
    let gathers =
        |role: &Value| !field::list(role, "/aggregationRule/clusterRoleSelectors").is_empty();
    if (gathers(new) || old.is_some_and(gathers)) && !missing(&held, &Rule::everything()).is_empty()
    {
        let why = "must have cluster-admin privileges to use the aggregationRule";
        return Err(Failure::forbidden(kind, field::name(new), why));
    }
    Ok(())
}

/// Whether only what deletion needs has changed.
fn only_upkeep(old: &Value, new: &Value) -> bool {
    let rest = |object: &Value| {
        let mut object = object.clone();
        if let Some(meta) = object["metadata"].as_object_mut() {
            for key in ["ownerReferences", "finalizers", "managedFields"] {
                meta.remove(key);
            }
        }
        object
    };
    old["metadata"] != json!(null) && rest(old) == rest(new)
}
