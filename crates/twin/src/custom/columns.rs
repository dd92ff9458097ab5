//! Columns of a custom resource's Table: paths into the object.

use model::{Timestamp, duration_text};
use serde_json::{Value, json};

use super::{Custom, Path};
use crate::field;
use crate::kinds::columns::about;

impl Custom {
    /// The `columnDefinitions` of a Table of these objects.
    pub fn column_definitions(&self) -> Value {
        let name = json!({
            "name": "Name", "type": "string", "format": "name", "priority": 0,
            "description": about("*", "Name"),
        });
        let own = self.printers.iter().map(|printer| printer.definition.clone());
        std::iter::once(name).chain(own).collect()
    }

    /// A row.
    pub fn cells(&self, object: &Value, now: Timestamp) -> Vec<Value> {
        let name = Value::from(field::name(object));
        let own = self.printers.iter().map(|printer| printer.cell(object, now));
        std::iter::once(name).chain(own).collect()
    }
}

/// One column.
#[derive(Debug)]
pub(crate) struct Printer {
    /// As the Table tells it.
    pub definition: Value,
    kind: String,
    path: Path,
}

impl Printer {
    /// A column as the definition has it.
    pub fn of(column: &Value) -> Self {
        let text = |key: &str| field::text(column, &format!("/{key}"));
        let path = text("jsonPath");
        let about = match text("description") {
            "" => format!("Custom resource definition column (in JSONPath format): {path}"),
            about => about.to_owned(),
        };
        let definition = json!({
            "name": text("name"), "type": text("type"), "format": text("format"),
            "description": about, "priority": field::number(column, "/priority"),
        });
        let path = Path::parse(path).unwrap_or_default();
        Self { definition, kind: text("type").to_owned(), path }
    }

    /// The object's cell.
    pub fn cell(&self, object: &Value, now: Timestamp) -> Value {
        let found = self.path.find(object);
        let Some(first) = found.first() else { return Value::Null };
        match self.kind.as_str() {
            "string" => {
                let texts: Vec<_> = found.iter().map(|value| printed(value)).collect();
                texts.join(" ").into()
            }
            "integer" => {
                let float = || first.as_f64().map(|f| f as i64);
                first.as_i64().or_else(float).map_or(Value::Null, Value::from)
            }
            "number" if first.is_number() => Value::clone(first),
            "boolean" if first.is_boolean() => Value::clone(first),
            "date" => match first.as_str().map(str::parse::<Timestamp>) {
                Some(Ok(then)) => duration_text(now.since(then)).into(),
                Some(Err(_)) => "<invalid>".into(),
                None => Value::Null,
            },
            _ => Value::Null,
        }
    }
}

fn printed(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}
