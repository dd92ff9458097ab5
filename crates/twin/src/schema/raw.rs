//! JSON as it was written: members in their order, repeated ones included.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Number, Value};

/// A document as it was written.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Raw {
    Null,
    Bool(bool),
    Number(Number),
    String(String),
    List(Vec<Raw>),
    Map(Vec<(String, Raw)>),
}

impl Raw {
    /// What it is called in messages of the JSON reader.
    pub fn word(&self) -> String {
        match self {
            Self::Null => "null".into(),
            Self::Bool(_) => "bool".into(),
            Self::Number(_) => "number".into(),
            Self::String(_) => "string".into(),
            Self::List(_) => "array".into(),
            Self::Map(_) => "object".into(),
        }
    }

    /// What stands under `key` of a map where a text belongs.
    pub fn wrong_text(&self, key: &str) -> Option<String> {
        let Self::Map(members) = self else { return None };
        let found = members.iter().rev().find(|(k, _)| k == key).map(|(_, value)| value);
        found.filter(|v| !matches!(v, Self::String(_) | Self::Null)).map(Self::word)
    }

    /// Of members that come twice, the last.
    pub fn last_of_each(self) -> Self {
        match self {
            Self::List(items) => Self::List(items.into_iter().map(Self::last_of_each).collect()),
            Self::Map(members) => {
                let mut kept: Vec<(String, Self)> = Vec::with_capacity(members.len());
                for (key, value) in members {
                    kept.retain(|(known, _)| *known != key);
                    kept.push((key, value.last_of_each()));
                }
                Self::Map(kept)
            }
            plain => plain,
        }
    }

    /// The text under `key` of a map, "" if there is none.
    pub fn text(&self, key: &str) -> &str {
        let Self::Map(members) = self else { return "" };
        let found = members.iter().rev().find(|(k, _)| k == key);
        match found {
            Some((_, Self::String(text))) => text,
            _ => "",
        }
    }
}

impl From<Value> for Raw {
    fn from(value: Value) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Bool(flag) => Self::Bool(flag),
            Value::Number(number) => Self::Number(number),
            Value::String(text) => Self::String(text),
            Value::Array(list) => Self::List(list.into_iter().map(Self::from).collect()),
            Value::Object(map) => Self::Map(map.into_iter().map(|(k, v)| (k, v.into())).collect()),
        }
    }
}

impl From<Raw> for Value {
    fn from(raw: Raw) -> Self {
        match raw {
            Raw::Null => Self::Null,
            Raw::Bool(flag) => Self::Bool(flag),
            Raw::Number(number) => Self::Number(number),
            Raw::String(text) => Self::String(text),
            Raw::List(list) => Self::Array(list.into_iter().map(Self::from).collect()),
            Raw::Map(members) => {
                Self::Object(members.into_iter().map(|(k, v)| (k, v.into())).collect())
            }
        }
    }
}

impl<'de> Deserialize<'de> for Raw {
    fn deserialize<D: Deserializer<'de>>(reader: D) -> Result<Self, D::Error> {
        reader.deserialize_any(Reading)
    }
}

struct Reading;

impl<'de> Visitor<'de> for Reading {
    type Value = Raw;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a document")
    }

    fn visit_unit<E>(self) -> Result<Raw, E> {
        Ok(Raw::Null)
    }

    fn visit_none<E>(self) -> Result<Raw, E> {
        Ok(Raw::Null)
    }

    fn visit_bool<E>(self, flag: bool) -> Result<Raw, E> {
        Ok(Raw::Bool(flag))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Raw, E> {
        Ok(Raw::Number(number.into()))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Raw, E> {
        Ok(Raw::Number(number.into()))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Raw, E> {
        Ok(Number::from_f64(number).map_or(Raw::Null, Raw::Number))
    }

    fn visit_str<E>(self, text: &str) -> Result<Raw, E> {
        Ok(Raw::String(text.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Raw, A::Error> {
        let mut all = Vec::new();
        while let Some(item) = list.next_element()? {
            all.push(item);
        }
        Ok(Raw::List(all))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Raw, A::Error> {
        let mut all = Vec::new();
        while let Some(member) = map.next_entry()? {
            all.push(member);
        }
        Ok(Raw::Map(all))
    }
}
