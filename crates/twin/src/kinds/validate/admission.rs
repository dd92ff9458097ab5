//! Admission policies and what binds them: what no rule about a single field can say.

use serde_json::Value;

use crate::expressions::Expression;
use crate::field;
use crate::registry::Cause;

pub(super) fn policy(policy: &Value) -> Vec<Cause> {
    let (spec, names) = (&policy["spec"], names(policy));
    let mut causes = Vec::new();
    if spec.get("paramKind").is_some_and(Value::is_object) {
        for key in ["apiVersion", "kind"] {
            if field::text(spec, &format!("/paramKind/{key}")).is_empty() {
                causes.push(Cause::required(&format!("spec.paramKind.{key}")));
            }
        }
    }
    causes.extend(named(spec, ("matchConditions", "bool"), &names));
    causes.extend(named(spec, ("variables", ""), &names));
    let (rules, notes) =
        (field::list(spec, "/validations"), field::list(spec, "/auditAnnotations"));
    for (index, rule) in rules.iter().enumerate() {
        causes.extend(validation(rule, &format!("spec.validations[{index}]"), &names));
    }
    for (index, note) in notes.iter().enumerate() {
        let path = format!("spec.auditAnnotations[{index}].valueExpression");
        causes.extend(expression(note, "valueExpression", &path, &names));
    }
    causes
}

/// Conditions of webhooks must be expressions about what they are asked.
pub(super) fn webhooks(configuration: &Value) -> Vec<Cause> {
    const KNOWN: [&str; 4] = ["object", "oldObject", "request", "authorizer"];
    let mut causes = Vec::new();
    for (index, webhook) in field::list(configuration, "/webhooks").iter().enumerate() {
        for (at, condition) in field::list(webhook, "/matchConditions").iter().enumerate() {
            let path = format!("webhooks[{index}].matchConditions[{at}].expression");
            causes.extend(expression(condition, "expression", &path, &KNOWN));
            causes.extend(of_type(condition, "expression", (&path, "bool")));
        }
    }
    causes
}

/// A list of expressions with names.
fn named(spec: &Value, (key, wanted): (&str, &str), names: &[&str]) -> Vec<Cause> {
    let all = field::list(spec, &format!("/{key}"));
    let mut causes = Vec::new();
    for (index, one) in all.iter().enumerate() {
        let path = format!("spec.{key}[{index}]");
        let name = field::text(one, "/name");
        let is_identifier = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        if name.is_empty() {
            causes.push(Cause::required(&format!("{path}.name")));
        } else if key == "variables" && !is_identifier {
            let why = "must be a valid CEL identifier";
            causes.push(Cause::invalid(&format!("{path}.name"), &name.into(), why));
        } else if key != "variables"
            && all.iter().take(index).any(|other| field::text(other, "/name") == name)
        {
            causes.push(Cause::duplicate(&format!("{path}.name"), &name.into()));
        }
        let path = format!("{path}.expression");
        causes.extend(expression(one, "expression", &path, names));
        causes.extend(of_type(one, "expression", (&path, wanted)));
    }
    causes
}

fn validation(rule: &Value, path: &str, names: &[&str]) -> Vec<Cause> {
    let mut causes = Vec::new();
    let here = format!("{path}.expression");
    if !field::text(rule, "/expression").trim().is_empty() {
        causes.extend(expression(rule, "expression", &here, names));
        causes.extend(of_type(rule, "expression", (&here, "bool")));
    }
    let here = format!("{path}.messageExpression");
    if !field::text(rule, "/messageExpression").is_empty() {
        causes.extend(expression(rule, "messageExpression", &here, names));
        causes.extend(of_type(rule, "messageExpression", (&here, "string")));
    }
    let message = field::text(rule, "/message");
    if message.contains('\n') {
        let why = "must not contain line breaks";
        causes.push(Cause::invalid(&format!("{path}.message"), &message.into(), why));
    }
    causes
}

/// An expression must be one, of names that there are.
fn expression(of: &Value, key: &str, path: &str, known: &[&str]) -> Option<Cause> {
    let text = field::text(of, &format!("/{key}"));
    let why = match Expression::read(text) {
        Ok(read) => read.undeclared(known)?,
        Err(why) => why,
    };
    Some(Cause::invalid(path, &text.into(), &format!("compilation failed: {why}")))
}

/// The names that the expressions of a policy know.
fn names(policy: &Value) -> Vec<&'static str> {
    let mut names =
        vec!["object", "oldObject", "request", "authorizer", "namespaceObject", "variables"];
    if policy.pointer("/spec/paramKind").is_some_and(Value::is_object) {
        names.push("params");
    }
    names
}

/// The type of an expression that is nothing but a literal is known without any object.
fn of_type(of: &Value, key: &str, (path, wanted): (&str, &str)) -> Option<Cause> {
    let text = field::text(of, &format!("/{key}"));
    let found = Expression::read(text).ok()?.literal_type()?;
    let why = format!("must evaluate to {wanted} but got {found}");
    let wrong = !wanted.is_empty() && found != wanted;
    wrong.then(|| Cause::invalid(path, &text.into(), &why))
}

pub(super) fn binding(binding: &Value) -> Vec<Cause> {
    let spec = &binding["spec"];
    let mut causes = Vec::new();
    if field::text(spec, "/policyName").is_empty() {
        causes.push(Cause::required("spec.policyName"));
    }
    if spec.get("paramRef").is_some_and(Value::is_object) {
        causes.extend(parameters(&spec["paramRef"]));
    }
    causes.extend(actions(field::list(spec, "/validationActions")));
    causes
}

fn parameters(reference: &Value) -> Vec<Cause> {
    let mut causes = Vec::new();
    let named = !field::text(reference, "/name").is_empty();
    match (named, reference.get("selector").is_some_and(Value::is_object)) {
        (true, true) => {
            let why = "name and selector are mutually exclusive";
            causes.push(Cause::forbidden("spec.paramRef.name", why));
            causes.push(Cause::forbidden("spec.paramRef.selector", why));
        }
        (false, false) => {
            let why = "one of name or selector must be specified";
            causes.push(Cause::required_because("spec.paramRef", why));
        }
        _ => {}
    }
    let (path, known) = ("spec.paramRef.parameterNotFoundAction", ["Allow", "Deny"]);
    match field::text(reference, "/parameterNotFoundAction") {
        "" => causes.push(Cause::required(path)),
        other if !known.contains(&other) => {
            causes.push(Cause::unsupported(path, &other.into(), &known));
        }
        _ => {}
    }
    causes
}

fn actions(actions: &[Value]) -> Vec<Cause> {
    let known = ["Audit", "Deny", "Warn"];
    let mut causes = Vec::new();
    if actions.is_empty() {
        let why = "at least one validation action is required";
        causes.push(Cause::required_because("spec.validationActions", why));
    }
    for (index, action) in actions.iter().enumerate() {
        let path = format!("spec.validationActions[{index}]");
        if !action.as_str().is_some_and(|action| known.contains(&action)) {
            causes.push(Cause::unsupported(&path, action, &known));
        }
        if actions.iter().take(index).any(|other| other == action) {
            causes.push(Cause::duplicate(&path, action));
        }
    }
    let has = |word: &str| actions.iter().any(|action| action == word);
    if has("Deny") && has("Warn") {
        let why = "must not contain both Deny and Warn (repeating the same validation failure \
             information in the API response and headers serves no purpose)";
        causes.push(Cause::invalid("spec.validationActions", &actions.to_vec().into(), why));
    }
    causes
}
