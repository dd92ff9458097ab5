//! Who asks and what they may do: users, attributes of a request, and the decision about them.
//!
//! The seam is `Access::decide(store, user, attributes) -> Decision`. The API turns headers and
//! paths into users and attributes; this folder must never know HTTP, nor what a request does.

mod attributes;
mod bootstrap;
mod escalation;
mod impersonate;
mod rbac;
mod rules;
mod token;
mod user;

use std::collections::BTreeMap;

pub(crate) use attributes::Attributes;
pub(crate) use bootstrap::objects as bootstrap_objects;
pub(crate) use escalation::check as check_escalation;
pub(crate) use impersonate::{Wanted, impersonate};
pub(crate) use rules::Rule;
pub(crate) use token::{Bound, Claims, ISSUER, Reference};
pub(crate) use user::{AUTHENTICATED, User};

use crate::store::Store;

/// Who may do what.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Authorization {
    /// Everybody who is known may do everything.
    #[default]
    AlwaysAllow,
    /// Roles and bindings decide.
    Rbac,
}

/// What the server knows about its clients besides what is stored.
#[derive(Debug, Default)]
pub(crate) struct Access {
    pub mode: Authorization,
    /// Users by their fixed bearer tokens.
    pub tokens: BTreeMap<String, User>,
    /// What tokens of service accounts are signed with.
    pub key: Vec<u8>,
}

/// Whether a request may go on.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Decision {
    pub allowed: bool,
    /// Why, as far as there is anything to say.
    pub reason: String,
}

impl Access {
    /// The decision about one request.
    pub fn decide(&self, store: &Store, user: &User, asked: &Attributes) -> Decision {
        if user.is_master() || self.mode == Authorization::AlwaysAllow {
            return Decision { allowed: true, reason: String::new() };
        }
        rbac::decide(store, user, asked)
    }

    /// All rules that apply to a user in a namespace, and what went wrong in finding them.
    pub fn rules(&self, store: &Store, user: &User, namespace: &str) -> (Vec<Rule>, Vec<String>) {
        match self.mode {
            Authorization::AlwaysAllow => (Rule::everything(), Vec::new()),
            Authorization::Rbac => rbac::rules(store, user, namespace),
        }
    }

    /// The user of a fixed token. How long it takes does not tell how much of a token is right.
    pub fn holder(&self, token: &str) -> Option<&User> {
        self.tokens.iter().fold(None, |found, (known, user)| {
            if same(known.as_bytes(), token.as_bytes()) { Some(user) } else { found }
        })
    }
}

fn same(a: &[u8], b: &[u8]) -> bool {
    let differs = a.iter().zip(b).fold(0, |seen, (x, y)| seen | (x ^ y));
    a.len() == b.len() && differs == 0
}
