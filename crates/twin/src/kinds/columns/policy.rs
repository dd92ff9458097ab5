//! Columns of quotas, budgets, priorities and webhooks.

use serde_json::Value;

use super::{AGE, Columns, NAME, age, name, number_or_text, text, text_or, typed};
use crate::field;

pub(crate) const POLICY_BINDING: Columns =
    Columns::new(&[NAME, text("PolicyName"), text("ParamRef"), AGE], |o, now| {
        let reference = match o.pointer("/spec/paramRef") {
            Some(reference) if reference.is_object() => {
                let named = text_or(reference, "/name", "*");
                match (field::text(reference, "/namespace"), named.as_str()) {
                    (namespace, Some(name)) if !namespace.is_empty() => {
                        format!("{namespace}/{name}").into()
                    }
                    _ => named,
                }
            }
            _ => "<unset>".into(),
        };
        vec![name(o), text_or(o, "/spec/policyName", ""), reference, age(o, now)]
    });

pub(crate) const QUOTA: Columns =
    Columns::new(&[NAME, text("Request"), text("Limit"), AGE], |o, now| {
        let (mut requests, mut limits) = (Vec::new(), Vec::new());
        for (resource, hard) in field::map(o, "/status/hard").into_iter().flatten() {
            let used = field::map(o, "/status/used").and_then(|u| u.get(resource));
            let used = used.and_then(Value::as_str).unwrap_or("0");
            let told = format!("{resource}: {used}/{}", hard.as_str().unwrap_or_default());
            if resource.starts_with("limits.") { &mut limits } else { &mut requests }.push(told);
        }
        vec![name(o), requests.join(", ").into(), limits.join(", ").into(), age(o, now)]
    });

pub(crate) const DISRUPTION_BUDGET: Columns = Columns::new(
    &[
        NAME,
        text("Min Available"),
        text("Max Unavailable"),
        typed("Allowed Disruptions", "integer"),
        AGE,
    ],
    |o, now| {
        vec![
            name(o),
            number_or_text(o, "/spec/minAvailable", "N/A"),
            number_or_text(o, "/spec/maxUnavailable", "N/A"),
            field::number(o, "/status/disruptionsAllowed").into(),
            age(o, now),
        ]
    },
);

pub(crate) const PRIORITY_CLASS: Columns = Columns::new(
    &[
        NAME,
        typed("Value", "integer"),
        typed("Global-Default", "boolean"),
        AGE,
        text("PreemptionPolicy"),
    ],
    |o, now| {
        vec![
            name(o),
            field::number(o, "/value").into(),
            field::flag(o, "/globalDefault").into(),
            age(o, now),
            text_or(o, "/preemptionPolicy", ""),
        ]
    },
);

pub(crate) const WEBHOOKS: Columns =
    Columns::new(&[NAME, typed("Webhooks", "integer"), AGE], |o, now| {
        vec![name(o), field::list(o, "/webhooks").len().into(), age(o, now)]
    });

/// The kind of a policy's parameters.
fn parameters(policy: &Value) -> Value {
    match field::text(policy, "/spec/paramKind/kind") {
        "" => "<unset>".into(),
        kind => format!("{}/{kind}", field::text(policy, "/spec/paramKind/apiVersion")).into(),
    }
}

pub(crate) const VALIDATING: Columns =
    Columns::new(&[NAME, typed("Validations", "integer"), text("ParamKind"), AGE], |o, now| {
        let count = field::list(o, "/spec/validations").len();
        vec![name(o), count.into(), parameters(o), age(o, now)]
    });

pub(crate) const MUTATING: Columns =
    Columns::new(&[NAME, typed("Mutations", "integer"), text("ParamKind"), AGE], |o, now| {
        let count = field::list(o, "/spec/mutations").len();
        vec![name(o), count.into(), parameters(o), age(o, now)]
    });

pub(crate) const FLOW_SCHEMA: Columns = Columns::new(
    &[
        NAME,
        text("PriorityLevel"),
        text("MatchingPrecedence"),
        text("DistinguisherMethod"),
        AGE,
        text("MissingPL"),
    ],
    |o, now| {
        let mut missing = field::list(o, "/status/conditions").iter();
        let missing = missing.rfind(|c| field::text(c, "/type") == "Dangling");
        vec![
            name(o),
            text_or(o, "/spec/priorityLevelConfiguration/name", ""),
            field::number(o, "/spec/matchingPrecedence").into(),
            text_or(o, "/spec/distinguisherMethod/type", "<none>"),
            age(o, now),
            missing.map_or("?".into(), |c| text_or(c, "/status", "?")),
        ]
    },
);

pub(crate) const PRIORITY_LEVEL: Columns = Columns::new(
    &[
        NAME,
        text("Type"),
        text("NominalConcurrencyShares"),
        text("Queues"),
        text("HandSize"),
        text("QueueLengthLimit"),
        AGE,
    ],
    |o, now| {
        let of = |key: &str| {
            let found = o.pointer(&format!("/spec/{key}")).filter(|n| !n.is_null());
            found.cloned().unwrap_or("<none>".into())
        };
        let queuing = "limited/limitResponse/queuing";
        let shares = match of("limited/nominalConcurrencyShares") {
            Value::String(_) => of("exempt/nominalConcurrencyShares"),
            shares => shares,
        };
        vec![
            name(o),
            text_or(o, "/spec/type", ""),
            shares,
            of(&format!("{queuing}/queues")),
            of(&format!("{queuing}/handSize")),
            of(&format!("{queuing}/queueLengthLimit")),
            age(o, now),
        ]
    },
);

pub(crate) const RUNTIME_CLASS: Columns = Columns::new(&[NAME, text("Handler"), AGE], |o, now| {
    vec![name(o), text_or(o, "/handler", ""), age(o, now)]
});

pub(crate) const RESOURCE_CLAIM: Columns = Columns::new(&[NAME, text("State"), AGE], |o, now| {
    let mut states = Vec::new();
    if field::is_deleting(o) {
        states.push("deleted");
    }
    if o.pointer("/status/allocation").is_some_and(Value::is_object) {
        states.push("allocated");
    }
    if !field::list(o, "/status/reservedFor").is_empty() {
        states.push("reserved");
    }
    if states.is_empty() {
        states.push("pending");
    }
    vec![name(o), states.join(",").into(), age(o, now)]
});

pub(crate) const RESOURCE_SLICE: Columns =
    Columns::new(&[NAME, text("Node"), text("Driver"), text("Pool"), AGE], |o, now| {
        vec![
            name(o),
            text_or(o, "/spec/nodeName", "<unset>"),
            text_or(o, "/spec/driver", ""),
            text_or(o, "/spec/pool/name", ""),
            age(o, now),
        ]
    });
