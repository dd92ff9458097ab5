//! Reading an object as its type has it: unknown fields are dropped and named, wrong types
//! refused, and what is stored is in the one form in which the API writes it.

use serde_json::{Map, Value};

use super::scalar::scalar;
use super::{Field, Raw, Type, View, zero};

/// Deeper documents are refused by every reader of JSON before this one.
const DEEPEST: usize = 200;

/// What came out of a document.
#[derive(Debug, Default)]
pub(crate) struct Decoded {
    pub value: Value,
    /// `unknown field "spec.x"`, `duplicate field "data.k"`, in the order of the document.
    pub remarks: Vec<String>,
}

/// Why a value is refused.
#[derive(Debug)]
pub(super) enum Refused {
    /// It is of this type instead of its field's.
    Type(String),
    /// In words of its own.
    Text(String),
}

/// Reads a document. The error is the reader's message.
pub(crate) fn decode(view: View<'_>, raw: Raw) -> Result<Decoded, String> {
    let mut reader = Reader { remarks: Vec::new(), path: Vec::new(), owner: String::new() };
    let value = reader.value(view, raw)?.unwrap_or_default();
    Ok(Decoded { value, remarks: reader.remarks })
}

/// An object in the form in which it is stored. What does not fit its type stays as it is: only
/// writers inside the cluster come here.
pub(crate) fn normal(view: View<'_>, value: Value) -> Value {
    let kept = value.clone();
    decode(view, value.into()).map_or(kept, |decoded| decoded.value)
}

struct Reader {
    remarks: Vec<String>,
    path: Vec<String>,
    /// The structure whose field is read.
    owner: String,
}

impl Reader {
    /// The value in its written form; `None` where null stands for nothing.
    fn value(&mut self, view: View<'_>, raw: Raw) -> Result<Option<Value>, String> {
        if self.path.len() > DEEPEST {
            return Err("json: exceeded max depth".into());
        }
        match (view.of, raw) {
            (_, Raw::Null) => Ok(None),
            (Type::Struct { .. }, Raw::Map(members)) => self.structure(view, members).map(Some),
            (Type::Map { of, .. }, Raw::Map(members)) => self.map(view.to(of), members).map(Some),
            (Type::List(list), Raw::List(items)) => {
                let of = view.to(&list.of);
                let mut all = Vec::with_capacity(items.len());
                for (index, item) in items.into_iter().enumerate() {
                    self.path.push(format!("[{index}]"));
                    let value = self.value(of, item)?;
                    self.path.pop();
                    all.push(value.unwrap_or_else(|| nothing(of)));
                }
                Ok(Some(all.into()))
            }
            (of, raw) => scalar(of, raw).map(Some).map_err(|why| self.refused(view, &why)),
        }
    }

    fn structure(&mut self, view: View<'_>, members: Vec<(String, Raw)>) -> Result<Value, String> {
        let Some(structure) = view.structure() else { return Ok(Value::Null) };
        let short = structure.name.rsplit('.').next().unwrap_or_default().to_owned();
        let outer = std::mem::replace(&mut self.owner, short);
        let mut map = Map::new();
        let mut seen: Vec<String> = Vec::new();
        for (key, raw) in members {
            self.path.push(key.clone());
            match structure.fields.get(&key) {
                None => self.remark("unknown"),
                Some(field) => {
                    if seen.contains(&key) {
                        self.remark("duplicate");
                    }
                    seen.push(key.clone());
                    let value = self.value(view.to(&field.of), raw)?;
                    // Where a list is always written, its owner may have said "none".
                    let value = value.map(|value| match value {
                        Value::Array(list) if list.is_empty() && !field.required => Value::Null,
                        other => other,
                    });
                    match value.filter(|value| is_written(field, value)) {
                        Some(value) => drop(map.insert(key, value)),
                        None => drop(map.remove(&key)),
                    }
                }
            }
            self.path.pop();
        }
        zero::fill(view, &mut map);
        self.owner = outer;
        Ok(Value::Object(map))
    }

    fn map(&mut self, of: View<'_>, members: Vec<(String, Raw)>) -> Result<Value, String> {
        let mut map = Map::new();
        for (key, raw) in members {
            self.path.push(key.clone());
            if map.contains_key(&key) {
                self.remark("duplicate");
            }
            // Refusals name the map, not its member.
            let refused = match (of.of, &raw) {
                (Type::String, Raw::String(_) | Raw::Null) => None,
                (Type::String, raw) => Some(Refused::Type(raw.word())),
                _ => None,
            };
            if let Some(why) = refused {
                self.path.pop();
                return Err(self.refused(of, &why));
            }
            let value = self.value(of, raw)?.unwrap_or_else(|| nothing(of));
            self.path.pop();
            map.insert(key, value);
        }
        Ok(Value::Object(map))
    }

    fn remark(&mut self, what: &str) {
        let mut path = String::new();
        for part in &self.path {
            if !part.starts_with('[') && !path.is_empty() {
                path.push('.');
            }
            path.push_str(part);
        }
        self.remarks.push(format!("{what} field {path:?}"));
    }

    fn refused(&self, view: View<'_>, why: &Refused) -> String {
        let word = match why {
            Refused::Text(text) => return text.clone(),
            Refused::Type(word) => word,
        };
        let plain: Vec<_> = self.path.iter().filter(|p| !p.starts_with('[')).cloned().collect();
        if plain.is_empty() {
            return format!("json: cannot unmarshal {word} into Go value of type {}", view.name());
        }
        format!(
            "json: cannot unmarshal {word} into Go struct field {}.{} of type {}",
            self.owner,
            plain.join("."),
            view.name()
        )
    }
}

/// What null becomes inside lists and maps.
fn nothing(view: View<'_>) -> Value {
    match view.of {
        Type::Struct { .. } => zero::empty(view),
        Type::String => "".into(),
        Type::Int32 | Type::Int64 | Type::Double => 0.into(),
        Type::Bool => false.into(),
        Type::Quantity => "0".into(),
        _ => Value::Null,
    }
}

/// Whether a value that was given is written: empty lists, maps and plain values are not.
fn is_written(field: &Field, value: &Value) -> bool {
    if field.required {
        return true;
    }
    match (&field.of, value) {
        (_, Value::Null) => false,
        (Type::Map { .. }, Value::Object(map)) => !map.is_empty(),
        (Type::List(_), Value::Array(list)) => !list.is_empty(),
        (Type::Struct { .. } | Type::Any, _) => true,
        (_, Value::Bool(false)) => field.pointer,
        (_, Value::Number(number)) if number.as_f64() == Some(0.0) => field.pointer,
        (_, Value::String(text)) if text.is_empty() => field.pointer,
        _ => true,
    }
}
