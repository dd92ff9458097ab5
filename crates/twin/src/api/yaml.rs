//! Bodies in YAML: read as the server reads them, and what it says about keys that come twice.
//!
//! Must never know what a document means.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_saphyr::{DuplicateKeyPolicy, Options, Spanned};

use crate::schema::Raw;

/// How deep documents may be, and how much may be in them.
fn options(duplicate_keys: DuplicateKeyPolicy) -> Options {
    serde_saphyr::options! {
        budget: serde_saphyr::budget! {
            max_depth: 200,
            max_nodes: 500_000,
            max_events: 1_000_000,
            max_documents: 2,
            max_aliases: 1_000,
        },
        duplicate_keys: duplicate_keys,
        with_snippet: false,
    }
}

/// The document; of keys that come twice, the last. The error is the line of the fault.
pub(super) fn read(text: &str) -> Result<Raw, u64> {
    let read = serde_saphyr::from_str_with_options(text, options(DuplicateKeyPolicy::LastWins));
    read.map(Raw::last_of_each).map_err(|error| error.location().map_or(1, |at| at.line()))
}

/// Keys that come twice, as the strict reader tells them; "" if there are none.
pub(super) fn repeated(text: &str) -> String {
    let read = serde_saphyr::from_str_with_options(text, options(DuplicateKeyPolicy::PassThrough));
    match read {
        Ok(Told(lines)) if !lines.is_empty() => {
            format!("yaml: unmarshal errors:\n  {}", lines.join("\n  "))
        }
        _ => String::new(),
    }
}

/// What is to be said about a value, in the order in which it is read.
struct Told(Vec<String>);

impl<'de> Deserialize<'de> for Told {
    fn deserialize<D: Deserializer<'de>>(reader: D) -> Result<Self, D::Error> {
        reader.deserialize_any(Telling)
    }
}

struct Telling;

impl<'de> Visitor<'de> for Telling {
    type Value = Told;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a document")
    }

    fn visit_unit<E>(self) -> Result<Told, E> {
        Ok(Told(Vec::new()))
    }

    fn visit_none<E>(self) -> Result<Told, E> {
        Ok(Told(Vec::new()))
    }

    fn visit_bool<E>(self, _: bool) -> Result<Told, E> {
        Ok(Told(Vec::new()))
    }

    fn visit_i64<E>(self, _: i64) -> Result<Told, E> {
        Ok(Told(Vec::new()))
    }

    fn visit_u64<E>(self, _: u64) -> Result<Told, E> {
        Ok(Told(Vec::new()))
    }

    fn visit_f64<E>(self, _: f64) -> Result<Told, E> {
        Ok(Told(Vec::new()))
    }

    fn visit_str<E>(self, _: &str) -> Result<Told, E> {
        Ok(Told(Vec::new()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Told, A::Error> {
        let mut all = Vec::new();
        while let Some(Told(below)) = list.next_element()? {
            all.extend(below);
        }
        Ok(Told(all))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Told, A::Error> {
        let mut seen: Vec<String> = Vec::new();
        let mut all = Vec::new();
        while let Some((key, value)) = map.next_entry::<String, Spanned<Told>>()? {
            all.extend(value.value.0);
            if seen.contains(&key) {
                let line = value.referenced.line();
                all.push(format!("line {line}: key {key:?} already set in map"));
            }
            seen.push(key);
        }
        Ok(Told(all))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_that_come_twice_are_told_with_the_line_of_their_value() {
        for (text, told) in [
            ("a: 1\nb: 2\n", ""),
            (
                "a: {k: 1, k: 2}\n",
                "yaml: unmarshal errors:\n  line 1: key \"k\" already set in map",
            ),
            (
                "a:\n  x: 1\n  x: 2\nb: [{c: 1,\n  c: 2}]\na:\n  y: 1\n",
                "yaml: unmarshal errors:\n  line 3: key \"x\" already set in map\n  line 5: key \
                 \"c\" already set in map\n  line 7: key \"a\" already set in map",
            ),
        ] {
            assert_eq!(repeated(text), told, "{text}");
        }
    }

    #[test]
    fn the_last_of_equal_keys_counts_and_faults_have_a_line() {
        assert_eq!(read("a: 1\na: x\n").unwrap().text("a"), "x");
        assert!(read("a: b\nc: [\n").is_err());
    }
}
