//! Amounts of CPU, memory and other resources.

use std::fmt;
use std::str::FromStr;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};

use crate::{List, Text};

/// An amount in thousandths of its unit (milli-cores, milli-bytes). Sums and conversions stop
/// at the ends of the range instead of wrapping.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Quantity(i64);

/// Text that is not a quantity.
#[derive(Debug, thiserror::Error)]
#[error("`{text}` is not a quantity such as 500m, 2, 1.5Gi or 1e3")]
pub struct QuantityError {
    text: String,
}

/// Suffixes with their factor in thousandths.
const SUFFIXES: [(&str, f64); 17] = [
    ("Ki", 1_024e3),
    ("Mi", 1_048_576e3),
    ("Gi", 1_073_741_824e3),
    ("Ti", 1_099_511_627_776e3),
    ("Pi", 1_125_899_906_842_624e3),
    ("Ei", 1.152_921_504_606_847e21),
    ("n", 1e-6),
    ("u", 1e-3),
    ("m", 1.0),
    ("k", 1e6),
    ("K", 1e6),
    ("M", 1e9),
    ("G", 1e12),
    ("T", 1e15),
    ("P", 1e18),
    ("E", 1e21),
    ("", 1e3),
];

impl Quantity {
    /// Nothing.
    pub const ZERO: Quantity = Quantity(0);
    /// Stands for an amount that could not be read; never equal to a real one.
    pub const UNREADABLE: Quantity = Quantity(i64::MIN);

    /// From thousandths of the unit.
    pub fn from_milli(milli: i64) -> Self {
        Self(milli)
    }

    /// From whole units (cores, bytes).
    pub fn from_units(units: i64) -> Self {
        Self(units.saturating_mul(1000))
    }

    /// Thousandths of the unit.
    pub fn milli(self) -> i64 {
        self.0
    }

    /// Whole units, rounded down.
    pub fn units(self) -> i64 {
        self.0.div_euclid(1000)
    }

    /// Whether it is more than nothing.
    pub fn is_positive(self) -> bool {
        self.0 > 0
    }

    /// Sum, stopping at the end of the range.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }

    /// Difference, stopping at the end of the range.
    #[must_use]
    pub fn minus(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }

    /// As kubectl would write an amount of `resource`: `250m` of cpu, `128Mi` of memory.
    pub fn text(self, resource: &str) -> String {
        if self == Self::UNREADABLE {
            return "an unreadable amount".into();
        }
        if !resource.contains("memory") && !resource.contains("storage") {
            return self.to_string();
        }
        let bytes = self.units();
        for (suffix, size) in [("Gi", 1i64 << 30), ("Mi", 1 << 20), ("Ki", 1 << 10)] {
            if bytes >= size && bytes % size == 0 {
                return format!("{}{suffix}", bytes / size);
            }
            if bytes >= size * 10 {
                return format!("{:.1}{suffix}", bytes as f64 / size as f64);
            }
        }
        bytes.to_string()
    }
}

impl FromStr for Quantity {
    type Err = QuantityError;

    fn from_str(text: &str) -> Result<Self, QuantityError> {
        let bad = || QuantityError { text: text.chars().take(64).collect() };
        let t = text.trim();
        let split = t.find(|c: char| !c.is_ascii_digit()).unwrap_or(t.len());
        let (digits, rest) = t.split_at(split);
        // Nearly all amounts are short whole numbers: exact, without floating point.
        if let (1..=12, Ok(n)) = (digits.len(), digits.parse::<i64>()) {
            match rest {
                "" => return Ok(Self(n * 1000)),
                "m" => return Ok(Self(n)),
                "Ki" => return Ok(Self(n.saturating_mul(1_024_000))),
                "Mi" => return Ok(Self(n.saturating_mul(1_048_576_000))),
                "Gi" => return Ok(Self(n.saturating_mul(1_073_741_824_000))),
                _ => {}
            }
        }
        let (number, factor) = SUFFIXES
            .iter()
            .find_map(|(suffix, factor)| t.strip_suffix(suffix).map(|n| (n, *factor)))
            .ok_or_else(bad)?;
        let plain = !number.is_empty()
            && number.bytes().all(|c| c.is_ascii_digit() || b"+-.eE".contains(&c))
            && number.bytes().any(|c| c.is_ascii_digit());
        let value: f64 = if plain { number.parse().map_err(|_| bad())? } else { return Err(bad()) };
        // `as` saturates: 1e400 becomes the largest amount, as the API server caps it.
        Ok(Self(((value * factor).ceil() as i64).max(-i64::MAX)))
    }
}

impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 % 1000 == 0 { write!(f, "{}", self.0 / 1000) } else { write!(f, "{}m", self.0) }
    }
}

impl fmt::Debug for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl<'de> Deserialize<'de> for Quantity {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Amount;
        impl Visitor<'_> for Amount {
            type Value = Quantity;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a quantity")
            }
            // An unreadable amount must not take the whole object with it.
            fn visit_str<E>(self, text: &str) -> Result<Quantity, E> {
                Ok(text.parse().unwrap_or(Quantity::UNREADABLE))
            }
            fn visit_i64<E>(self, n: i64) -> Result<Quantity, E> {
                Ok(Quantity::from_units(n))
            }
            fn visit_u64<E>(self, n: u64) -> Result<Quantity, E> {
                Ok(Quantity::from_units(i64::try_from(n).unwrap_or(i64::MAX)))
            }
            fn visit_f64<E>(self, n: f64) -> Result<Quantity, E> {
                Ok(Quantity((n * 1000.0) as i64))
            }
            fn visit_unit<E>(self) -> Result<Quantity, E> {
                Ok(Quantity::UNREADABLE)
            }
        }
        deserializer.deserialize_any(Amount)
    }
}

/// Amounts by resource name, sorted by name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Resources(List<(Text, Quantity)>);

impl Resources {
    /// The amount of `resource`, if stated.
    pub fn get(&self, resource: &str) -> Option<Quantity> {
        self.0.iter().find(|(name, _)| name == resource).map(|(_, q)| *q)
    }

    /// The amount of `resource`, or nothing.
    pub fn amount(&self, resource: &str) -> Quantity {
        self.get(resource).filter(|q| *q != Quantity::UNREADABLE).unwrap_or_default()
    }

    /// Names and amounts.
    pub fn iter(&self) -> impl Iterator<Item = (&str, Quantity)> {
        self.0.iter().map(|(name, q)| (name.as_str(), *q))
    }

    /// Whether none is stated.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl FromIterator<(Text, Quantity)> for Resources {
    fn from_iter<I: IntoIterator<Item = (Text, Quantity)>>(items: I) -> Self {
        let mut items: Vec<_> = items.into_iter().collect();
        items.sort();
        Self(items.into())
    }
}

impl<'de> Deserialize<'de> for Resources {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Amounts;
        impl<'de> Visitor<'de> for Amounts {
            type Value = Resources;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a map of quantities")
            }
            fn visit_unit<E>(self) -> Result<Resources, E> {
                Ok(Resources::default())
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Resources, A::Error> {
                let mut items: Vec<(Text, Quantity)> = Vec::with_capacity(2);
                while let Some(item) = map.next_entry()? {
                    items.push(item);
                }
                Ok(items.into_iter().collect())
            }
        }
        deserializer.deserialize_any(Amounts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantities_are_read_as_the_api_reads_them() {
        for (text, milli) in [
            ("100m", 100),
            ("2", 2000),
            ("0.5", 500),
            ("128Mi", 134_217_728_000),
            ("1.5Gi", 1_610_612_736_000),
            ("1e3", 1_000_000),
            ("12e6", 12_000_000_000),
            ("1k", 1_000_000),
            ("100n", 1),
            ("-1", -1000),
            ("1E", i64::MAX),
            ("1e400", i64::MAX),
            ("99999999999999999999999999", i64::MAX),
        ] {
            assert_eq!(text.parse::<Quantity>().unwrap().milli(), milli, "{text}");
        }
    }

    #[test]
    fn what_is_no_quantity_is_an_error_not_a_number() {
        for text in ["", "Mi", "1.2.3", "inf", "NaN", "one", "0x10", "1Qi", "- 1"] {
            assert!(text.parse::<Quantity>().is_err(), "{text}");
        }
    }

    #[test]
    fn amounts_read_well() {
        for (text, resource, want) in [
            ("128Mi", "memory", "128Mi"),
            ("131072Ki", "memory", "128Mi"),
            ("16393072Ki", "memory", "15.6Gi"),
            ("250m", "cpu", "250m"),
            ("4", "cpu", "4"),
        ] {
            assert_eq!(text.parse::<Quantity>().unwrap().text(resource), want);
        }
    }
}
