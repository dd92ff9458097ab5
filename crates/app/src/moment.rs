//! Moments as people type them: a time, a time of day, or how long ago.

use model::Timestamp;

/// A moment, before it is known when now is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Moment {
    /// A time with its date.
    At(Timestamp),
    /// This many seconds ago.
    SecondsAgo(i64),
    /// The last time that clocks showed this, in seconds of the day, UTC.
    Clock(i64),
}

const DAY_SECONDS: i64 = 86_400;

impl Moment {
    /// When that was, seen from now.
    pub(crate) fn resolve(self, now: Timestamp) -> Timestamp {
        match self {
            Moment::At(time) => time,
            Moment::SecondsAgo(seconds) => now.minus_seconds(seconds),
            Moment::Clock(seconds) => {
                let midnight = now.seconds() - now.seconds().rem_euclid(DAY_SECONDS);
                let today = Timestamp::from_seconds(midnight + seconds);
                if today <= now { today } else { today.minus_seconds(DAY_SECONDS) }
            }
        }
    }
}

/// Reads a moment.
///
/// # Errors
/// When it is none, with examples of what is.
pub(crate) fn parse(text: &str) -> Result<Moment, String> {
    let time = || {
        let whole = [format!("{text}Z"), format!("{text}:00Z"), format!("{text}T00:00:00Z")];
        let all = std::iter::once(text.to_owned()).chain(whole);
        all.map(|t| t.replace(' ', "T")).find_map(|t| t.parse().ok())
    };
    if let Some(seconds) = duration_seconds(text) {
        return Ok(Moment::SecondsAgo(seconds));
    }
    let found = clock_seconds(text).map(Moment::Clock).or_else(|| time().map(Moment::At));
    found.ok_or_else(|| {
        "expected a duration such as 90m or 1h30m, a time of day such as 03:10 (UTC), or a time \
         such as 2026-03-01T10:00:00Z"
            .to_owned()
    })
}

/// `90m`, `1h30m`, `2d`.
pub(crate) fn duration_seconds(text: &str) -> Option<i64> {
    let mut rest = text.trim().strip_suffix(" ago").unwrap_or(text.trim());
    let mut seconds: i64 = 0;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit())?;
        let (number, tail) = rest.split_at_checked(digits)?;
        let unit = match tail.chars().next()? {
            's' => 1,
            'm' => 60,
            'h' => 3_600,
            'd' => DAY_SECONDS,
            _ => return None,
        };
        seconds = seconds.checked_add(number.parse::<i64>().ok()?.checked_mul(unit)?)?;
        rest = tail.get(1..)?;
    }
    (!text.trim().is_empty()).then_some(seconds)
}

/// `03:10` or `03:10:30`.
fn clock_seconds(text: &str) -> Option<i64> {
    let mut parts = text.split(':').map(|p| {
        let plain = matches!(p.len(), 1 | 2) && p.bytes().all(|c| c.is_ascii_digit());
        p.parse::<i64>().ok().filter(|_| plain)
    });
    let (hours, minutes) = (parts.next()??, parts.next()??);
    let seconds = parts.next().unwrap_or(Some(0))?;
    let right = hours < 24 && minutes < 60 && seconds < 60 && parts.next().is_none();
    right.then_some(hours * 3_600 + minutes * 60 + seconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_read_as_people_type_them() {
        let now: Timestamp = "2026-03-01T10:00:00Z".parse().unwrap();
        for (text, want) in [
            ("90m", "2026-03-01T08:30:00Z"),
            ("1h30m", "2026-03-01T08:30:00Z"),
            ("2d", "2026-02-27T10:00:00Z"),
            ("03:10", "2026-03-01T03:10:00Z"),
            ("23:59:30", "2026-02-28T23:59:30Z"),
            ("2026-02-03T04:05:06Z", "2026-02-03T04:05:06Z"),
            ("2026-02-03 04:05", "2026-02-03T04:05:00Z"),
            ("2026-02-03T06:05:06+02:00", "2026-02-03T04:05:06Z"),
            ("2026-02-03", "2026-02-03T00:00:00Z"),
        ] {
            assert_eq!(parse(text).unwrap().resolve(now).to_string(), want, "{text}");
        }
        for text in ["", "yesterday", "25:00", "5x", "h", "99999999999999999999d", "1:2:3:4"] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
