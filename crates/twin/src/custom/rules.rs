//! Rules of a schema in the Common Expression Language (`x-kubernetes-validations`).

use std::collections::BTreeMap;
use std::sync::Arc;

use cel::Program;
use serde_json::Value;

use super::check::below;
use crate::registry::Cause;
use crate::{expressions, field};

const RULES: &str = "x-kubernetes-validations";
/// Deeper objects are not looked into.
const DEEPEST: usize = 64;
/// A definition has at most this many rules; further ones are not asked.
const MOST_RULES: usize = 1_000;

/// The compiled rules of a schema, by their text.
#[derive(Debug, Default)]
pub(crate) struct Rules(BTreeMap<String, Program>);

impl Rules {
    /// All rules of a schema. What does not compile is not asked.
    pub fn of(schema: &Value) -> Self {
        let mut rules = Self::default();
        rules.collect(schema, 0);
        rules
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn collect(&mut self, schema: &Value, depth: usize) {
        if depth > DEEPEST || self.0.len() > MOST_RULES {
            return;
        }
        for rule in field::list(schema, &format!("/{RULES}")) {
            for key in ["rule", "messageExpression"] {
                let text = field::text(rule, &format!("/{key}"));
                if let Ok(program) = expressions::compile(text)
                    && !text.is_empty()
                {
                    self.0.insert(text.to_owned(), program);
                }
            }
        }
        for below in schema["properties"].as_object().into_iter().flatten().map(|(_, of)| of) {
            self.collect(below, depth + 1);
        }
        for key in ["items", "additionalProperties"] {
            if schema[key].is_object() {
                self.collect(&schema[key], depth + 1);
            }
        }
    }

    /// What the object breaks. `old`: what it was before.
    pub fn causes(&self, schema: &Value, value: &Value, old: Option<&Value>) -> Vec<Cause> {
        let mut causes = Vec::new();
        self.walk((schema, ""), (value, old), 0, &mut causes);
        causes
    }

    fn walk(
        &self,
        (schema, path): (&Value, &str),
        (value, old): (&Value, Option<&Value>),
        depth: usize,
        causes: &mut Vec<Cause>,
    ) {
        if depth > DEEPEST || value.is_null() {
            return;
        }
        for rule in field::list(schema, &format!("/{RULES}")) {
            causes.extend(self.ask(rule, (schema, path), (value, old)));
        }
        match value {
            Value::Object(map) => {
                for (key, member) in map {
                    let named = schema["properties"].get(key);
                    let further = schema.get("additionalProperties").filter(|of| of.is_object());
                    let (of, here) = match (named, further) {
                        (Some(of), _) => (of, below(path, key)),
                        (None, Some(of)) => (of, format!("{path}[{key}]")),
                        (None, None) => continue,
                    };
                    let old = old.and_then(|old| old.get(key));
                    self.walk((of, &here), (member, old), depth + 1, causes);
                }
            }
            Value::Array(list) => {
                for (index, item) in list.iter().enumerate() {
                    let here = format!("{path}[{index}]");
                    let old = old.and_then(|old| same_element(schema, old, item));
                    self.walk((&schema["items"], &here), (item, old), depth + 1, causes);
                }
            }
            _ => {}
        }
    }

    fn ask(
        &self,
        rule: &Value,
        (schema, path): (&Value, &str),
        (value, old): (&Value, Option<&Value>),
    ) -> Option<Cause> {
        let text = field::text(rule, "/rule");
        let program = self.0.get(text)?;
        let is_about_change = program.references().has_variable("oldSelf");
        if is_about_change && old.is_none() {
            return None;
        }
        let mut context = expressions::context();
        context.add_variable_from_value("self", told(schema, value));
        if let Some(old) = old {
            context.add_variable_from_value("oldSelf", told(schema, old));
        }
        let kind = field::text(schema, "/type");
        let message = match field::text(rule, "/message").trim() {
            "" => format!("failed rule: {}", text.trim()),
            message => message.to_owned(),
        };
        match program.execute(&context) {
            Ok(cel::Value::Bool(true)) => return None,
            Ok(_) => {}
            Err(error) => {
                let why = match field::text(rule, "/message").trim() {
                    "" => text.trim(),
                    message => message,
                };
                let why = format!("{} evaluating rule: {why}", failure(&error));
                return Some(Cause::invalid(path, &kind.into(), &why));
            }
        }
        let computed = self.0.get(field::text(rule, "/messageExpression"));
        let computed = computed.and_then(|program| match program.execute(&context) {
            Ok(cel::Value::String(text)) => Some(text.to_string()),
            _ => None,
        });
        let message = computed.unwrap_or(message);
        let field = field::text(rule, "/fieldPath");
        let path = format!("{path}{field}");
        let path = path.strip_prefix('.').unwrap_or(&path);
        let whole = matches!(kind, "object" | "array");
        Some(match field::text(rule, "/reason") {
            "FieldValueForbidden" => Cause::forbidden(path, &message),
            "FieldValueRequired" => Cause::required_because(path, &message),
            "FieldValueDuplicate" if whole => {
                Cause::plain("FieldValueDuplicate", path, "Duplicate value".to_owned())
            }
            "FieldValueDuplicate" => Cause::duplicate(path, value),
            _ if whole => {
                Cause::plain("FieldValueInvalid", path, format!("Invalid value: {message}"))
            }
            _ => Cause::invalid(path, value, &message),
        })
    }
}

fn failure(error: &cel::ExecutionError) -> String {
    match error {
        cel::ExecutionError::NoSuchKey(key) => format!("no such key: {key}"),
        other => other.to_string(),
    }
}

/// The element of the old list with the same keys.
fn same_element<'v>(schema: &Value, old: &'v Value, item: &Value) -> Option<&'v Value> {
    let keys = schema["x-kubernetes-list-map-keys"].as_array()?;
    let keys: Vec<&str> = keys.iter().filter_map(Value::as_str).collect();
    let same = |other: &&Value| keys.iter().all(|key| other.get(*key) == item.get(*key));
    old.as_array()?.iter().find(same)
}

/// A value as rules see it: numbers are of the type that the schema says.
fn told(schema: &Value, value: &Value) -> cel::Value {
    match value {
        Value::Null => cel::Value::Null,
        Value::Bool(flag) => cel::Value::Bool(*flag),
        Value::Number(number) => match number.as_i64() {
            Some(whole) if schema["type"] != "number" => cel::Value::Int(whole),
            _ => cel::Value::Float(number.as_f64().unwrap_or_default()),
        },
        Value::String(text) => cel::Value::String(Arc::new(text.clone())),
        Value::Array(list) => {
            let items = list.iter().map(|item| told(&schema["items"], item)).collect();
            cel::Value::List(Arc::new(items))
        }
        Value::Object(map) => {
            let member = |(key, value): (&String, &Value)| {
                let of = schema["properties"].get(key).unwrap_or(&schema["additionalProperties"]);
                (cel::objects::Key::from(key.clone()), told(of, value))
            };
            let map = map.iter().map(member).collect();
            cel::Value::Map(cel::objects::Map { map: Arc::new(map) })
        }
    }
}
