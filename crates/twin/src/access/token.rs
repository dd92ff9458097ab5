//! Tokens of service accounts: what they claim, and whether the claims still hold.

use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use model::Timestamp;
use serde::{Deserialize, Serialize};

use super::User;
use super::user::AUTHENTICATED;
use crate::field;
use crate::kinds::{Kind, NODE, POD, SECRET, SERVICE_ACCOUNT};
use crate::store::{Object, Store};

/// Who signs, and for whom if nothing else is said.
pub(crate) const ISSUER: &str = "https://kubernetes.default.svc";
/// A clock may be off by so much.
const LEEWAY_SECONDS: i64 = 60;
const EXTRA: &str = "authentication.kubernetes.io";

/// What a token says.
#[derive(Debug, Clone, Serialize, Deserialize, PartialEq, Eq)]
pub(crate) struct Claims {
    pub aud: Vec<String>,
    pub exp: i64,
    pub iat: i64,
    pub iss: String,
    /// The token's own id.
    pub jti: String,
    #[serde(rename = "kubernetes.io")]
    pub bound: Bound,
    pub nbf: i64,
    pub sub: String,
}

/// The objects with which the token lives and dies.
#[derive(Debug, Clone, Default, Serialize, Deserialize, PartialEq, Eq)]
pub(crate) struct Bound {
    pub namespace: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub node: Option<Reference>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pod: Option<Reference>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret: Option<Reference>,
    pub serviceaccount: Reference,
    /// From when on its use is worth a remark.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub warnafter: Option<i64>,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize, PartialEq, Eq)]
pub(crate) struct Reference {
    pub name: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub uid: String,
}

impl Reference {
    pub fn to(object: &Object) -> Self {
        Self { name: field::name(object).to_owned(), uid: field::uid(object).to_owned() }
    }
}

impl Claims {
    /// The token itself; `None` if it cannot be signed.
    pub fn sign(&self, key: &[u8]) -> Option<String> {
        let key = EncodingKey::from_secret(key);
        jsonwebtoken::encode(&Header::new(Algorithm::HS256), self, &key).ok()
    }

    /// What a token of ours says. `None`: it is none; an error: it is none that counts.
    pub fn read(token: &str, key: &[u8]) -> Option<Result<Self, String>> {
        if token.split('.').count() != 3 {
            return None;
        }
        let mut rules = Validation::new(Algorithm::HS256);
        // Times are checked against the cluster's own clock, below.
        rules.validate_exp = false;
        rules.validate_aud = false;
        rules.required_spec_claims.clear();
        let key = DecodingKey::from_secret(key);
        match jsonwebtoken::decode::<Self>(token, &key, &rules) {
            Ok(read) if read.claims.iss == ISSUER => Some(Ok(read.claims)),
            Ok(_) => None,
            Err(error) => match error.kind() {
                jsonwebtoken::errors::ErrorKind::InvalidSignature => {
                    Some(Err("go-jose/go-jose: error in cryptographic primitive".into()))
                }
                _ => None,
            },
        }
    }

    /// The user that the token stands for, if everything that it is bound to still lives.
    pub fn user(&self, store: &Store, now: Timestamp) -> Result<User, String> {
        let now = now.seconds();
        if now > self.exp + LEEWAY_SECONDS {
            return Err("service account token has expired".into());
        }
        if now + LEEWAY_SECONDS < self.nbf {
            return Err("service account token is not valid yet".into());
        }
        let (bound, gone) = (&self.bound, "service account token has been invalidated");
        let (namespace, account) = (bound.namespace.as_str(), &bound.serviceaccount);
        let missing = || format!("serviceaccounts {:?} not found", account.name);
        let found = store.get(SERVICE_ACCOUNT.storage, namespace, &account.name);
        same_uid(found.ok_or_else(missing)?, account, ("service account", ""))?;
        let alive = |kind: &Kind, place: &str, reference: &Option<Reference>, words| {
            let Some(reference) = reference else { return Ok(()) };
            let found = store.get(kind.storage, place, &reference.name);
            same_uid(found.ok_or(gone)?, reference, words)
        };
        alive(&SECRET, namespace, &bound.secret, ("secret", " service account secret ref"))?;
        alive(&POD, namespace, &bound.pod, ("pod", " service account pod ref"))?;
        if bound.pod.is_none() {
            alive(&NODE, "", &bound.node, ("node", " service account node ref"))?;
        }
        Ok(self.stands_for())
    }

    fn stands_for(&self) -> User {
        let (bound, account) = (&self.bound, &self.bound.serviceaccount);
        let mut groups = User::account_groups(&bound.namespace);
        groups.push(AUTHENTICATED.to_owned());
        let mut user = User {
            name: User::account_name(&bound.namespace, &account.name),
            uid: account.uid.clone(),
            groups,
            ..User::default()
        };
        let mut note = |key: &str, value: String| {
            if !value.is_empty() {
                user.extra.insert(format!("{EXTRA}/{key}"), vec![value]);
            }
        };
        note("credential-id", format!("JTI={}", self.jti));
        for (kind, reference) in [("node", &bound.node), ("pod", &bound.pod)] {
            if let Some(reference) = reference {
                note(&format!("{kind}-name"), reference.name.clone());
                note(&format!("{kind}-uid"), reference.uid.clone());
            }
        }
        user
    }
}

fn same_uid(
    object: &Object,
    reference: &Reference,
    (kind, claim): (&str, &str),
) -> Result<(), String> {
    let uid = field::uid(object);
    if uid == reference.uid {
        return Ok(());
    }
    Err(format!("{kind} UID ({uid}) does not match{claim} claim ({})", reference.uid))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn claims() -> Claims {
        Claims {
            aud: vec![ISSUER.into()],
            exp: 2_000,
            iat: 1_000,
            iss: ISSUER.into(),
            jti: "id".into(),
            bound: Bound { namespace: "a".into(), ..Bound::default() },
            nbf: 1_000,
            sub: "system:serviceaccount:a:b".into(),
        }
    }

    #[test]
    fn a_token_is_read_by_the_key_that_signed_it() {
        let token = claims().sign(b"key").unwrap();
        assert_eq!(Claims::read(&token, b"key"), Some(Ok(claims())));
        assert!(matches!(Claims::read(&token, b"other"), Some(Err(_))));
        assert_eq!(Claims::read("wrong", b"key"), None);
        assert_eq!(Claims::read("a.b.c", b"key"), None);
    }

    #[test]
    fn a_token_ends_with_its_time_and_its_account() {
        let store = Store::new(10);
        let at = |seconds| claims().user(&store, Timestamp::from_seconds(seconds)).unwrap_err();
        assert_eq!(at(2_061), "service account token has expired");
        assert_eq!(at(900), "service account token is not valid yet");
        assert!(at(1_500).contains("not found"));
    }
}
