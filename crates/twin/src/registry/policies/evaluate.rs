//! What the expressions of a policy say about a request.

use std::collections::BTreeMap;

use cel::Context;
use serde_json::{Map, Value, json};

use super::Asked;
use crate::expressions::{Expression, context, value_of};
use crate::field;
use crate::kinds::NAMESPACE;
use crate::store::Store;

/// Longer messages of expressions are not told.
const LONGEST_MESSAGE: usize = 5 << 10;

pub(super) enum Decision {
    /// An expression was not true.
    Denied { message: String, reason: String },
    /// An expression could not be answered.
    Failed(String),
    /// An annotation for the audit log could not be made.
    Annotation(String),
}

/// Everything that speaks against the request.
pub(super) fn evaluate(
    store: &Store,
    asked: &Asked<'_>,
    policy: &Value,
    params: Option<&Value>,
) -> Vec<Decision> {
    let mut known = known(store, asked, params);
    match matches(policy, &known) {
        Ok(true) => {}
        Ok(false) => return Vec::new(),
        Err(why) => return vec![Decision::Failed(why)],
    }
    let failed = add_variables(policy, &mut known);
    let mut decisions = Vec::new();
    for validation in field::list(policy, "/spec/validations") {
        let text = field::text(validation, "/expression");
        match answer(text, &known, &failed) {
            Ok(cel::Value::Bool(true)) => {}
            Ok(_) => decisions.push(Decision::Denied {
                message: message(validation, &known, &failed),
                reason: field::text(validation, "/reason").to_owned(),
            }),
            Err(why) => decisions.push(Decision::Failed(why)),
        }
    }
    for annotation in field::list(policy, "/spec/auditAnnotations") {
        let text = field::text(annotation, "/valueExpression");
        match answer(text, &known, &failed) {
            Ok(cel::Value::String(_) | cel::Value::Null) => {}
            Ok(other) => decisions.push(Decision::Annotation(format!(
                "valueExpression '{text}' resulted in unsupported return type: {}. Return type \
                 must be either string or null.",
                other.type_of()
            ))),
            Err(why) => decisions.push(Decision::Annotation(why)),
        }
    }
    decisions
}

/// Whether all conditions of the policy hold. One that fails decides, unless another does not
/// hold.
fn matches(policy: &Value, known: &Context<'_, '_>) -> Result<bool, String> {
    let mut failure = None;
    for condition in field::list(policy, "/spec/matchConditions") {
        match answer(field::text(condition, "/expression"), known, &BTreeMap::new()) {
            Ok(cel::Value::Bool(true)) => {}
            Ok(_) => return Ok(false),
            Err(why) => drop(failure.get_or_insert(why)),
        }
    }
    failure.map_or(Ok(true), Err)
}

fn answer(
    text: &str,
    known: &Context<'_, '_>,
    failed: &BTreeMap<String, String>,
) -> Result<cel::Value, String> {
    let expression = Expression::read(text).map_err(|why| format!("compilation error: {why}"))?;
    expression.value(known).map_err(|error| {
        // A variable that could not be computed is missing: its own error is the reason.
        let missing = error.rsplit_once("no such key: ").map(|(_, key)| key.to_owned());
        let own = missing.filter(|_| expression.uses("variables")).and_then(|key| failed.get(&key));
        match own {
            Some(why) => format!("expression '{}' resulted in error: {why}", expression.text()),
            None => error,
        }
    })
}

fn message(
    validation: &Value,
    known: &Context<'_, '_>,
    failed: &BTreeMap<String, String>,
) -> String {
    let computed = match field::text(validation, "/messageExpression") {
        "" => None,
        text => match answer(text, known, failed) {
            Ok(cel::Value::String(text)) => Some(text.trim().to_owned()),
            _ => None,
        },
    };
    let usable =
        |text: &String| !text.is_empty() && text.len() <= LONGEST_MESSAGE && !text.contains('\n');
    if let Some(text) = computed.filter(usable) {
        return text;
    }
    match field::text(validation, "/message").trim() {
        "" => format!("failed expression: {}", field::text(validation, "/expression").trim()),
        text => text.to_owned(),
    }
}

/// Computes `variables`, each of which may use those before it. Those that cannot be computed
/// are told with the reason.
fn add_variables(policy: &Value, known: &mut Context<'_, '_>) -> BTreeMap<String, String> {
    let (mut members, mut failed) = (std::collections::BTreeMap::new(), BTreeMap::new());
    known.add_variable_from_value("variables", map_of(&members));
    for variable in field::list(policy, "/spec/variables") {
        let name = field::text(variable, "/name").to_owned();
        match answer(field::text(variable, "/expression"), known, &failed) {
            Ok(value) => drop(members.insert(name, value)),
            Err(why) => {
                let why = why.rsplit_once("resulted in error: ").map_or(&*why, |(_, why)| why);
                let why = format!("composited variable {name:?} fails to evaluate: {why}");
                failed.insert(name, why);
            }
        }
        known.add_variable_from_value("variables", map_of(&members));
    }
    failed
}

fn map_of(members: &BTreeMap<String, cel::Value>) -> cel::Value {
    let pairs = members.iter().map(|(k, v)| (cel::objects::Key::from(k.clone()), v.clone()));
    cel::Value::Map(cel::objects::Map { map: std::sync::Arc::new(pairs.collect()) })
}

/// The names that every expression of a policy knows.
fn known(store: &Store, asked: &Asked<'_>, params: Option<&Value>) -> Context<'static, 'static> {
    let mut known = context();
    let none = Value::Null;
    known.add_variable_from_value("object", value_of(asked.object.unwrap_or(&none)));
    known.add_variable_from_value("oldObject", value_of(asked.old.unwrap_or(&none)));
    known.add_variable_from_value("params", value_of(params.unwrap_or(&none)));
    known.add_variable_from_value("request", value_of(&request(asked)));
    let home = if asked.kind.kind == NAMESPACE.kind { "" } else { asked.namespace };
    let home = store.get(NAMESPACE.storage, "", home);
    let home = home.map_or(Value::Null, |namespace| told_of(namespace));
    known.add_variable_from_value("namespaceObject", value_of(&home));
    known
}

/// What expressions are told of the namespace.
fn told_of(namespace: &Value) -> Value {
    const KEPT: [&str; 11] = [
        "name",
        "generateName",
        "namespace",
        "labels",
        "annotations",
        "uid",
        "creationTimestamp",
        "deletionTimestamp",
        "deletionGracePeriodSeconds",
        "resourceVersion",
        "generation",
    ];
    let meta = field::map(namespace, "/metadata").into_iter().flatten();
    let meta: Map<String, Value> = meta
        .filter(|(key, _)| KEPT.contains(&key.as_str()) || *key == "finalizers")
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect();
    json!({"metadata": meta, "spec": namespace["spec"], "status": namespace["status"]})
}

fn request(asked: &Asked<'_>) -> Value {
    let kind = asked.kind;
    let object = asked.object.or(asked.old).unwrap_or(&Value::Null);
    let (version, own) = (field::text(object, "/apiVersion"), field::text(object, "/kind"));
    let (group, version) = version.split_once('/').unwrap_or(("", version));
    let kind_of = json!({"group": group, "version": version, "kind": own});
    let resource = json!({"group": kind.group, "version": kind.version, "resource": kind.plural});
    let mut request = json!({
        "kind": kind_of, "resource": resource,
        "requestKind": kind_of, "requestResource": resource,
        "name": asked.name, "namespace": asked.namespace,
        "operation": asked.operation, "userInfo": asked.user.to_value(), "dryRun": asked.dry,
    });
    if !asked.subresource.is_empty() {
        request["subResource"] = asked.subresource.into();
        request["requestSubResource"] = asked.subresource.into();
    }
    request
}
