//! Acting as somebody else: who may, in which of five ways, and who they are then.

use super::user::{AUTHENTICATED, MASTERS, UNAUTHENTICATED};
use super::{Access, Attributes, User};
use crate::registry::Failure;
use crate::store::Store;

const AUTHENTICATION: &str = "authentication.k8s.io";
/// From so many names on, the right to all of them is asked for first.
const MANY: usize = 4;

/// Whom a request wants to be, as its headers say.
pub(crate) type Wanted = User;

/// A way of impersonation: its word in verbs, and whether it is the old, unconstrained one.
#[derive(Clone, Copy)]
struct Mode {
    word: &'static str,
    constrained: bool,
}

/// The user that the requestor becomes for this request.
pub(crate) fn impersonate(
    (access, store): (&Access, &Store),
    requestor: &User,
    wanted: &Wanted,
    asked: &Attributes,
) -> Result<User, Failure> {
    let may = |attributes: &Attributes| {
        let decision = access.decide(store, requestor, attributes);
        if decision.allowed {
            return Ok(());
        }
        Err(attributes.refused(requestor, &decision.reason))
    };
    let mut first = None;
    for mode in modes(requestor, wanted) {
        match through(mode, &may, requestor, wanted, asked) {
            Ok(user) => return Ok(user),
            Err(failure) => drop(first.get_or_insert(failure)),
        }
    }
    let none = || Failure::new(500, "InternalError", "all impersonation modes failed");
    Err(first.unwrap_or_else(none))
}

/// The ways that are open to this wish, most constrained first.
fn modes(requestor: &User, wanted: &Wanted) -> Vec<Mode> {
    let bare = wanted.uid.is_empty() && wanted.groups.is_empty() && wanted.extra.is_empty();
    let is_own_node = |node: &str| {
        let on = requestor.extra.get("authentication.kubernetes.io/node-name");
        requestor.account().is_some() && on.is_some_and(|names| names == &[node])
    };
    let mut open = Vec::new();
    match (wanted.node(), wanted.account()) {
        (Some(node), _) if bare => {
            if is_own_node(node) {
                open.push("associated-node");
            }
            open.push("arbitrary-node");
        }
        (_, Some(_)) if bare => open.push("serviceaccount"),
        (None, None) => open.push("user-info"),
        _ => {}
    }
    let constrained = open.into_iter().map(|word| Mode { word, constrained: true });
    constrained.chain([Mode { word: "", constrained: false }]).collect()
}

fn through(
    mode: Mode,
    may: &impl Fn(&Attributes) -> Result<(), Failure>,
    requestor: &User,
    wanted: &Wanted,
    asked: &Attributes,
) -> Result<User, Failure> {
    if mode.constrained {
        let verb = format!("impersonate-on:{}:{}", mode.word, asked.verb);
        may(&Attributes { verb, ..asked.clone() })?;
    }
    let verb =
        if mode.constrained { format!("impersonate:{}", mode.word) } else { "impersonate".into() };
    let group = if mode.constrained { AUTHENTICATION } else { "" };
    let mut user = wanted.clone();
    let mut name = Attributes::on(&verb, (group, "users"), "", &wanted.name);
    if let Some(node) = wanted.node().filter(|_| mode.constrained) {
        name.resource = "nodes".into();
        name.name = if mode.word == "associated-node" { "*".into() } else { node.to_owned() };
        user.groups = vec!["system:nodes".into()];
    }
    if let Some((namespace, account)) = wanted.account() {
        name = Attributes::on(&verb, (group, "serviceaccounts"), namespace, account);
        if wanted.groups.is_empty() {
            user.groups = User::account_groups(namespace);
        }
    }
    may(&name)?;
    if !wanted.uid.is_empty() {
        may(&Attributes::on(&verb, (AUTHENTICATION, "uids"), "", &wanted.uid))?;
    }
    let groups = Attributes::on(&verb, (group, "groups"), "", "");
    check_groups(mode, may, (requestor, wanted), groups)?;
    check_extra(mode, may, wanted, &verb)?;
    if user.is_anonymous() {
        user.join(UNAUTHENTICATED);
    } else if !user.is_in(UNAUTHENTICATED) {
        user.join(AUTHENTICATED);
    }
    Ok(user)
}

fn check_groups(
    mode: Mode,
    may: &impl Fn(&Attributes) -> Result<(), Failure>,
    (requestor, wanted): (&User, &Wanted),
    mut asked: Attributes,
) -> Result<(), Failure> {
    if mode.constrained {
        if wanted.groups.iter().any(String::is_empty) {
            let why = "impersonating the empty string group is not allowed";
            return Err(asked.refused(requestor, why));
        }
        if wanted.is_in(MASTERS) {
            asked.name = MASTERS.to_owned();
            let why = "impersonating the system:masters group is not allowed";
            return Err(asked.refused(requestor, why));
        }
        asked.name = "*".to_owned();
        if wanted.groups.len() >= MANY && may(&asked).is_ok() {
            return Ok(());
        }
    }
    for group in &wanted.groups {
        asked.name.clone_from(group);
        may(&asked)?;
    }
    Ok(())
}

fn check_extra(
    mode: Mode,
    may: &impl Fn(&Attributes) -> Result<(), Failure>,
    wanted: &Wanted,
    verb: &str,
) -> Result<(), Failure> {
    let mut asked = Attributes::on(verb, (AUTHENTICATION, "userextras"), "", "");
    let values: usize = wanted.extra.values().map(Vec::len).sum();
    if mode.constrained && values.max(wanted.extra.len()) >= MANY {
        asked.subresource = "*".into();
        asked.name = "*".into();
        if may(&asked).is_ok() {
            return Ok(());
        }
    }
    for (key, values) in &wanted.extra {
        asked.subresource.clone_from(key);
        for value in values {
            asked.name.clone_from(value);
            may(&asked)?;
        }
    }
    Ok(())
}
