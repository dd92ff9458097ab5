//! Kinds that are questions: they are answered and never stored.

use super::cluster_wide;
use crate::kinds::Kind;

const AUTHORIZATION: &str = "authorization.k8s.io";
const AUTHENTICATION: &str = "authentication.k8s.io";

const fn review(group: &'static str, plural: &'static str, kind: &'static str) -> Kind {
    Kind { verbs: &["create"], ..Kind::of(group, "v1", plural, kind, "") }
}

static SELF_ACCESS: Kind =
    cluster_wide(review(AUTHORIZATION, "selfsubjectaccessreviews", "SelfSubjectAccessReview"));
static SELF_RULES: Kind =
    cluster_wide(review(AUTHORIZATION, "selfsubjectrulesreviews", "SelfSubjectRulesReview"));
static ACCESS: Kind =
    cluster_wide(review(AUTHORIZATION, "subjectaccessreviews", "SubjectAccessReview"));
static LOCAL_ACCESS: Kind =
    review(AUTHORIZATION, "localsubjectaccessreviews", "LocalSubjectAccessReview");
static SELF: Kind = cluster_wide(review(AUTHENTICATION, "selfsubjectreviews", "SelfSubjectReview"));
static TOKEN: Kind = cluster_wide(review(AUTHENTICATION, "tokenreviews", "TokenReview"));

/// What asks for a token of a service account.
pub(crate) static TOKEN_REQUEST: Kind = review(AUTHENTICATION, "tokenrequests", "TokenRequest");

/// Every question that the server answers.
pub(crate) static REVIEWS: &[&Kind] =
    &[&SELF_ACCESS, &SELF_RULES, &ACCESS, &LOCAL_ACCESS, &SELF, &TOKEN];
