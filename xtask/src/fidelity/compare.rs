//! What differs between a recorded answer and ours, after masking what varies.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

/// Which parts of an exchange may differ.
pub struct Rules<'a> {
    volatile: BTreeSet<&'a str>,
    unordered: BTreeSet<&'a str>,
    texts: BTreeMap<&'a str, regex::Regex>,
}

/// Where two answers differ: pointer, recorded, ours.
pub type Difference = (String, String, String);

impl<'a> Rules<'a> {
    pub fn of(exchange: &'a Value) -> Self {
        let set = |key: &str| {
            exchange[key].as_array().into_iter().flatten().filter_map(Value::as_str).collect()
        };
        let texts = exchange["volatile_text"].as_object().into_iter().flatten();
        let texts = texts.filter_map(|(pointer, pattern)| {
            // What must stand before a match may vary as well: masks need not be exact.
            let pattern = pattern.as_str()?.replace("(?<=", "(?:");
            Some((pointer.as_str(), regex::Regex::new(&pattern).ok()?))
        });
        Self { volatile: set("volatile"), unordered: set("unordered"), texts: texts.collect() }
    }

    /// Everything that does not agree below `pointer`.
    pub fn differences(&self, want: &Value, got: &Value, at: &str, found: &mut Vec<Difference>) {
        if self.volatile.contains(at) {
            return;
        }
        match (want, got) {
            (Value::Object(want), Value::Object(got)) => {
                let keys: BTreeSet<_> = want.keys().chain(got.keys()).collect();
                for key in keys {
                    let here = format!("{at}/{}", key.replace('~', "~0").replace('/', "~1"));
                    match (want.get(key), got.get(key)) {
                        (Some(want), Some(got)) => self.differences(want, got, &here, found),
                        (want, got) => found.push((here, shown(want), shown(got))),
                    }
                }
            }
            (Value::Array(want), Value::Array(got)) => self.lists(want, got, at, found),
            (Value::String(want), Value::String(got)) if self.texts.contains_key(at) => {
                let mask = |text: &str| match self.texts.get(at) {
                    Some(pattern) => pattern.replace_all(text, "*").into_owned(),
                    None => text.to_owned(),
                };
                if mask(want) != mask(got) {
                    found.push((at.to_owned(), want.clone(), got.clone()));
                }
            }
            _ if want != got => found.push((at.to_owned(), shown(Some(want)), shown(Some(got)))),
            _ => {}
        }
    }

    fn lists(&self, want: &[Value], got: &[Value], at: &str, found: &mut Vec<Difference>) {
        if want.len() != got.len() {
            let told = |list: &[Value]| {
                format!("{} items: {}", list.len(), shown(Some(&Value::from(list.to_vec()))))
            };
            found.push((at.to_owned(), told(want), told(got)));
            return;
        }
        if !self.unordered.contains(at) {
            for (index, (want, got)) in want.iter().zip(got).enumerate() {
                self.differences(want, got, &format!("{at}/{index}"), found);
            }
            return;
        }
        let mut rest: Vec<&Value> = got.iter().collect();
        for (index, item) in want.iter().enumerate() {
            let here = format!("{at}/{index}");
            let equal = |other: &&Value| {
                let mut found = Vec::new();
                self.differences(item, other, &here, &mut found);
                found.is_empty()
            };
            match rest.iter().position(equal) {
                Some(place) => drop(rest.remove(place)),
                None => {
                    found.push((here, shown(Some(item)), "no equal item".to_owned()));
                    return;
                }
            }
        }
    }
}

fn shown(value: Option<&Value>) -> String {
    match value {
        None => "(absent)".to_owned(),
        Some(Value::String(text)) => format!("{text:?}"),
        Some(value) => value.to_string(),
    }
}
