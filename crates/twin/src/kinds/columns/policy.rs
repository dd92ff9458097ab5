//! Columns of quotas, budgets, priorities and webhooks.

use serde_json::Value;

use super::{AGE, Columns, NAME, age, name, number_or_text, text, text_or, typed};
use crate::field;

pub(crate) const POLICY_BINDING: Columns =
    Columns::new(&[NAME, text("PolicyName"), text("ParamRef"), AGE], |o, now| {
        let reference = match o.pointer("/spec/paramRef") {
            Some(reference) if reference.is_object() => text_or(reference, "/name", "*"),
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
