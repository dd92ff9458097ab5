//! What keys of config maps and secrets hold, as far as two captures need it to be compared. It
//! must never keep what a Secret holds.

use serde::Deserialize;

use super::rules::Rules;
use crate::{Kind, Text};

/// What a key of a config map or secret holds: enough to see that it changed.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct ConfigValue {
    /// A digest of the value, never shown.
    pub digest: u64,
    /// The value of a config map's key, when it is short.
    pub text: Option<Text>,
}

/// Longest value of a config map's key that is kept, in bytes.
const VALUE_BYTES: usize = 64;

impl ConfigValue {
    /// As it is kept for this kind: of a config map a short line, of all else the digest alone.
    pub(crate) fn of_kind(self, kind: Kind) -> Self {
        let text = self.text.filter(|_| kind == Kind::ConfigMap);
        ConfigValue { text, ..self }
    }

    /// FNV-1a; a short line is kept as it is.
    pub(crate) fn of(value: &str) -> Self {
        let step = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        let digest = value.bytes().fold(0xcbf2_9ce4_8422_2325, step);
        let short = value.len() <= VALUE_BYTES && !value.trim_end().contains('\n');
        ConfigValue { digest, text: short.then(|| value.trim_end().into()) }
    }
}

/// A value while it is read: what is kept of it, and rules that stand in it.
#[derive(Default)]
pub(crate) struct ReadValue {
    pub(crate) value: ConfigValue,
    pub(crate) rules: Rules,
}

impl ReadValue {
    fn of(text: &str) -> Self {
        ReadValue { value: ConfigValue::of(text), rules: Rules::of_file(text) }
    }
}

impl<'de> Deserialize<'de> for ReadValue {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> serde::de::Visitor<'de> for Visitor {
            type Value = ReadValue;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a value")
            }
            fn visit_str<E>(self, value: &str) -> Result<ReadValue, E> {
                Ok(ReadValue::of(value))
            }
            fn visit_bool<E>(self, value: bool) -> Result<ReadValue, E> {
                Ok(ReadValue::of(&value.to_string()))
            }
            fn visit_i64<E>(self, value: i64) -> Result<ReadValue, E> {
                Ok(ReadValue::of(&value.to_string()))
            }
            fn visit_u64<E>(self, value: u64) -> Result<ReadValue, E> {
                Ok(ReadValue::of(&value.to_string()))
            }
            fn visit_f64<E>(self, value: f64) -> Result<ReadValue, E> {
                Ok(ReadValue::of(&value.to_string()))
            }
            fn visit_unit<E>(self) -> Result<ReadValue, E> {
                Ok(ReadValue::default())
            }
            fn visit_seq<A: serde::de::SeqAccess<'de>>(
                self,
                mut seq: A,
            ) -> Result<ReadValue, A::Error> {
                while seq.next_element::<serde::de::IgnoredAny>()?.is_some() {}
                Ok(ReadValue::default())
            }
            fn visit_map<A: serde::de::MapAccess<'de>>(
                self,
                mut map: A,
            ) -> Result<ReadValue, A::Error> {
                while map.next_entry::<serde::de::IgnoredAny, serde::de::IgnoredAny>()?.is_some() {}
                Ok(ReadValue::default())
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}
