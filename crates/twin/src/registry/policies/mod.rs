//! Validating admission policies: which of them mean a request, and what they say about it.

mod evaluate;
mod matches;
mod params;

use serde_json::{Value, json};

use crate::access::User;
use crate::field;
use crate::kinds::{Kind, VALIDATING_POLICY, VALIDATING_POLICY_BINDING};
use crate::registry::Failure;
use crate::store::{Object, Store};
use evaluate::{Decision, evaluate};

/// A write that is to be admitted.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asked<'a> {
    /// `CREATE`, `UPDATE`, `DELETE`.
    pub operation: &'static str,
    pub kind: &'a Kind,
    /// "" for the object itself.
    pub subresource: &'a str,
    pub namespace: &'a str,
    pub name: &'a str,
    /// `None` for a deletion.
    pub object: Option<&'a Value>,
    /// `None` for a creation.
    pub old: Option<&'a Value>,
    pub user: &'a User,
    pub dry: bool,
}

/// Why a policy says no.
struct Denial {
    policy: String,
    binding: Option<String>,
    message: String,
    reason: String,
}

/// Refuses what a policy denies; remarks are what policies only warn of.
pub(crate) fn check(
    store: &Store,
    asked: &Asked<'_>,
    remarks: &mut Vec<String>,
) -> Result<(), Failure> {
    let policies = store.table(VALIDATING_POLICY.storage);
    // Policies are not subject to policies: a wrong one could not be taken back.
    if policies.is_empty() || asked.kind.group == VALIDATING_POLICY.group {
        return Ok(());
    }
    let mut denials = Vec::new();
    for policy in policies.values() {
        let constraints = &policy["spec"]["matchConstraints"];
        if !matches::request(store, constraints, asked) {
            continue;
        }
        let name = field::name(policy);
        let bindings = store.table(VALIDATING_POLICY_BINDING.storage).values();
        for binding in bindings.filter(|b| field::text(b, "/spec/policyName") == name) {
            let resources = &binding["spec"]["matchResources"];
            if resources.is_object() && !matches::request(store, resources, asked) {
                continue;
            }
            ask(store, asked, (policy, binding), (&mut denials, remarks));
        }
    }
    denials.into_iter().next().map_or(Ok(()), |denial| Err(refusal(asked, denial)))
}

/// Asks one policy by one of its bindings.
fn ask(
    store: &Store,
    asked: &Asked<'_>,
    (policy, binding): (&Object, &Object),
    (denials, remarks): (&mut Vec<Denial>, &mut Vec<String>),
) {
    let (name, by) = (field::name(policy), field::name(binding));
    let deny = |message: String, reason: String| Denial {
        policy: name.to_owned(),
        binding: Some(by.to_owned()),
        message,
        reason,
    };
    let ignores = field::text(policy, "/spec/failurePolicy") == "Ignore";
    let params = match params::of(store, policy, binding, asked.namespace) {
        Ok(params) => params,
        Err(_) if ignores => return,
        Err(why) => {
            denials.push(deny(format!("failed to configure binding: {why}"), String::new()));
            return;
        }
    };
    for param in params {
        for decision in evaluate(store, asked, policy, param.as_ref().map(|param| &***param)) {
            match decision {
                Decision::Failed(_) if ignores => {}
                Decision::Annotation(why) => {
                    denials.extend((!ignores).then(|| deny(why, String::new())));
                }
                Decision::Denied { message, reason } => {
                    act(binding, (&message, &reason), &deny, (name, by), (denials, remarks));
                }
                Decision::Failed(why) => {
                    act(binding, (&why, ""), &deny, (name, by), (denials, remarks));
                }
            }
        }
    }
}

/// Does with a denial what the binding says.
fn act(
    binding: &Value,
    (message, reason): (&str, &str),
    deny: &impl Fn(String, String) -> Denial,
    (policy, by): (&str, &str),
    (denials, remarks): (&mut Vec<Denial>, &mut Vec<String>),
) {
    for action in field::list(binding, "/spec/validationActions") {
        match action.as_str() {
            Some("Deny") => denials.push(deny(message.to_owned(), reason.to_owned())),
            Some("Warn") => remarks.push(format!(
                "Validation failed for ValidatingAdmissionPolicy '{policy}' with binding '{by}': \
                 {message}"
            )),
            // There is no audit log to write to.
            _ => {}
        }
    }
}

fn refusal(asked: &Asked<'_>, denial: Denial) -> Failure {
    let by = denial.binding.map(|by| format!(" with binding '{by}'")).unwrap_or_default();
    let message = format!(
        "ValidatingAdmissionPolicy '{}'{by} denied request: {}",
        denial.policy, denial.message
    );
    let (code, reason) = match denial.reason.as_str() {
        "Unauthorized" => (401, "Unauthorized"),
        "Forbidden" => (403, "Forbidden"),
        "RequestEntityTooLarge" => (413, "RequestEntityTooLarge"),
        _ => (422, "Invalid"),
    };
    let mut failure = Failure::forbidden(asked.kind, asked.name, &message);
    failure.code = code;
    failure.reason = reason;
    if let Some(details) = &mut failure.details {
        details["causes"] = json!([{"message": message}]);
    }
    failure
}
