//! Points in time as values. Nothing here reads a clock.

use std::fmt;
use std::num::NonZeroI64;
use std::str::FromStr;

use serde::de::{Deserialize, Deserializer};

/// A point in time, in microseconds since 1970. `Option<Timestamp>` takes 8 bytes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(NonZeroI64);

/// Text that is not an RFC 3339 time.
#[derive(Debug, thiserror::Error)]
#[error("`{text}` is not a time such as 2026-03-01T10:00:00Z")]
pub struct TimestampError {
    text: String,
}

const MICROS: i64 = 1_000_000;
const ONE: NonZeroI64 = match NonZeroI64::new(1) {
    Some(one) => one,
    None => NonZeroI64::MAX,
};

impl Timestamp {
    /// From seconds since 1970. The very first microsecond stands in for zero.
    pub fn from_seconds(seconds: i64) -> Self {
        Self::from_micros(seconds.saturating_mul(MICROS))
    }

    /// From microseconds since 1970.
    pub fn from_micros(micros: i64) -> Self {
        Self(NonZeroI64::new(micros).unwrap_or(ONE))
    }

    /// Microseconds since 1970.
    pub fn micros(self) -> i64 {
        self.0.get()
    }

    /// Whole seconds since 1970.
    pub fn seconds(self) -> i64 {
        self.0.get().div_euclid(MICROS)
    }

    /// Seconds from `earlier` to `self`; negative when `earlier` is later.
    pub fn since(self, earlier: impl Into<Timestamp>) -> i64 {
        self.micros().saturating_sub(earlier.into().micros()).div_euclid(MICROS)
    }

    /// This many seconds before.
    pub fn minus_seconds(self, seconds: i64) -> Self {
        Self::from_micros(self.micros().saturating_sub(seconds.saturating_mul(MICROS)))
    }

    /// This many seconds after.
    pub fn plus_seconds(self, seconds: i64) -> Self {
        self.minus_seconds(seconds.saturating_neg())
    }
}

impl FromStr for Timestamp {
    type Err = TimestampError;

    fn from_str(text: &str) -> Result<Self, TimestampError> {
        if let Some(seconds) = plain_utc(text.as_bytes()) {
            return Ok(Self::from_seconds(seconds));
        }
        text.parse::<jiff::Timestamp>()
            .map(|t| Self::from_micros(t.as_microsecond()))
            .map_err(|_| TimestampError { text: text.chars().take(64).collect() })
    }
}

/// The form the API prints for nearly every time, `2026-03-01T10:00:00Z`, read without the
/// general parser: dumps hold millions of them.
fn plain_utc(b: &[u8]) -> Option<i64> {
    let number = |range: std::ops::Range<usize>| -> Option<i64> {
        b.get(range)?
            .iter()
            .try_fold(0i64, |n, c| c.is_ascii_digit().then(|| n * 10 + i64::from(c - b'0')))
    };
    if b.len() != 20 || b[4] != b'-' || b[7] != b'-' || b[10] != b'T' || b[19] != b'Z' {
        return None;
    }
    let (year, month, day) = (number(0..4)?, number(5..7)?, number(8..10)?);
    let (hour, minute, second) = (number(11..13)?, number(14..16)?, number(17..19)?);
    let in_range = (1..=12).contains(&month) && (1..=28).contains(&day) && hour < 24;
    if !in_range || minute > 59 || second > 59 {
        return None;
    }
    // Days from civil, proleptic Gregorian calendar, years starting in March.
    let (y, m) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let (era, of_era) = (y.div_euclid(400), y.rem_euclid(400));
    let day_of_era = of_era * 365 + of_era / 4 - of_era / 100 + (153 * m + 2) / 5 + day - 1;
    Some((era * 146_097 + day_of_era - 719_468) * 86_400 + hour * 3600 + minute * 60 + second)
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match jiff::Timestamp::from_second(self.seconds()) {
            Ok(t) => write!(f, "{t}"),
            Err(_) => write!(f, "{}s since 1970", self.seconds()),
        }
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl serde::de::Visitor<'_> for Visitor {
            type Value = Timestamp;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an RFC 3339 time")
            }
            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Timestamp, E> {
                text.parse().map_err(E::custom)
            }
        }
        deserializer.deserialize_str(Visitor)
    }
}

/// Seconds as kubectl prints them: `45s`, `3m`, `2h5m`, `7d`.
pub fn duration_text(seconds: i64) -> String {
    let s = seconds.max(0);
    let (minutes, hours, days) = (s / 60, s / 3600, s / 86_400);
    match s {
        0..120 => format!("{s}s"),
        120..600 if s % 60 != 0 => format!("{minutes}m{}s", s % 60),
        120..10_800 => format!("{minutes}m"),
        10_800..28_800 if minutes % 60 != 0 => format!("{hours}h{}m", minutes % 60),
        10_800..172_800 => format!("{hours}h"),
        172_800..691_200 if hours % 24 != 0 => format!("{days}d{}h", hours % 24),
        _ => format!("{days}d"),
    }
}

/// How long before `now` something was: `3m ago`.
pub fn ago(now: impl Into<Timestamp>, then: Timestamp) -> String {
    format!("{} ago", duration_text(now.into().since(then)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_readers_of_times_agree() {
        for text in ["2026-03-01T10:00:00Z", "2024-02-28T23:59:59Z", "1999-12-09T00:00:01Z"] {
            let slow: jiff::Timestamp = text.parse().unwrap();
            assert_eq!(plain_utc(text.as_bytes()), Some(slow.as_second()), "{text}");
            assert_eq!(text.parse::<Timestamp>().unwrap().to_string(), text);
        }
        assert!("yesterday".parse::<Timestamp>().is_err());
        assert_eq!(
            "2025-11-11T15:58:50.5+08:00".parse::<Timestamp>().unwrap().micros(),
            1_762_847_930_500_000
        );
    }

    #[test]
    fn durations_read_as_kubectl_prints_them() {
        for (seconds, want) in [
            (-3, "0s"),
            (119, "119s"),
            (125, "2m5s"),
            (660, "11m"),
            (11_100, "3h5m"),
            (700_000, "8d"),
        ] {
            assert_eq!(duration_text(seconds), want);
        }
    }

    #[test]
    fn the_first_microsecond_stands_in_for_zero() {
        assert_eq!(Timestamp::from_seconds(0).micros(), 1);
        assert_eq!(size_of::<Option<Timestamp>>(), 8);
    }
}
