//! When a CronJob is due: the five fields of a schedule.
//!
//! It counts what is due between two times and must never say when exactly a run begins:
//! the time zone of the controller manager is not in any object.

use model::Timestamp;

/// A schedule of five fields, as sets of the values that match.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Schedule {
    minutes: u64,
    hours: u64,
    days: u64,
    months: u64,
    weekdays: u64,
    /// Whether days of the month and of the week are both restricted: then either will do.
    either_day: bool,
}

/// How far is counted, in minutes: two months.
const MOST_MINUTES: i64 = 60 * 24 * 61;

const MONTHS: [&str; 12] =
    ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const WEEKDAYS: [&str; 7] = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];

/// A schedule; `None` when it cannot be read, as `@every 5m` for instance.
pub(crate) fn parse(text: &str) -> Option<Schedule> {
    let text = text.trim();
    let text = match text.strip_prefix("TZ=").or(text.strip_prefix("CRON_TZ=")) {
        Some(rest) => rest.split_once(' ')?.1.trim(),
        None => text,
    };
    let text = match text {
        "@yearly" | "@annually" => "0 0 1 1 *",
        "@monthly" => "0 0 1 * *",
        "@weekly" => "0 0 * * 0",
        "@daily" | "@midnight" => "0 0 * * *",
        "@hourly" => "0 * * * *",
        other => other,
    };
    let fields: Vec<&str> = text.split_whitespace().collect();
    let [minutes, hours, days, months, weekdays] = fields.as_slice() else { return None };
    let sunday = |set: u64| if set & (1 << 7) == 0 { set } else { (set | 1) & 0x7f };
    let any = |field: &str| field.starts_with(['*', '?']);
    Some(Schedule {
        minutes: set(minutes, 0, 59, &[])?,
        hours: set(hours, 0, 23, &[])?,
        days: set(days, 1, 31, &[])?,
        months: set(months, 1, 12, &MONTHS)?,
        weekdays: sunday(set(weekdays, 0, 7, &WEEKDAYS)?),
        either_day: !any(days) && !any(weekdays),
    })
}

/// `*`, `*/5`, `1-5`, `1,3`, `mon-fri`, `10-40/10`.
fn set(field: &str, low: u32, high: u32, names: &[&str]) -> Option<u64> {
    let number = |text: &str| -> Option<u32> {
        let lower = text.to_ascii_lowercase();
        let named = names.iter().position(|n| *n == lower).and_then(|i| u32::try_from(i).ok());
        let value = named.map(|i| i + low.min(1)).or_else(|| text.parse().ok())?;
        (low..=high).contains(&value).then_some(value)
    };
    let mut values = 0u64;
    for part in field.split(',') {
        let (range, step) = part.split_once('/').unwrap_or((part, "1"));
        let step: u32 = step.parse().ok().filter(|s| (1..=60).contains(s))?;
        let (first, last) = match range {
            "*" | "?" => (low, high),
            _ => match range.split_once('-') {
                Some((a, b)) => (number(a)?, number(b)?),
                None if part.contains('/') => (number(range)?, high),
                None => (number(range)?, number(range)?),
            },
        };
        let mut value = first;
        while value <= last {
            values |= 1u64 << value;
            value += step;
        }
    }
    (values != 0).then_some(values)
}

impl Schedule {
    /// How many runs are due after `from` and until `to`; no more than `most` are counted, and
    /// no further than two months.
    pub(crate) fn due(&self, from: Timestamp, to: Timestamp, most: usize) -> usize {
        let first = from.seconds().div_euclid(60) + 1;
        let last = to.seconds().div_euclid(60).min(first.saturating_add(MOST_MINUTES));
        let mut count = 0;
        let mut minute = first;
        while minute <= last && count < most {
            count += usize::from(self.matches(minute));
            minute += 1;
        }
        count
    }

    /// Minutes since 1970, UTC.
    fn matches(&self, minute: i64) -> bool {
        let has = |set: u64, value: i64| (0..64).contains(&value) && set & (1 << value) != 0;
        if !has(self.minutes, minute.rem_euclid(60)) {
            return false;
        }
        if !has(self.hours, minute.div_euclid(60).rem_euclid(24)) {
            return false;
        }
        let day = minute.div_euclid(60 * 24);
        let (month, of_month) = date(day);
        // 1970 began on a Thursday.
        let weekday = has(self.weekdays, (day + 4).rem_euclid(7));
        let in_month = has(self.days, of_month);
        let on_day = if self.either_day { weekday || in_month } else { weekday && in_month };
        on_day && has(self.months, month)
    }
}

/// Month and day of the month of a day since 1970.
fn date(day: i64) -> (i64, i64) {
    let days = day + 719_468;
    let of_era = days.rem_euclid(146_097);
    let years = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * years + years / 4 - years / 100);
    let shifted = (5 * of_year + 2) / 153;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    (month, of_year - (153 * shifted + 2) / 5 + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn due(schedule: &str, from: &str, to: &str) -> Option<usize> {
        let time = |t: &str| t.parse::<Timestamp>().expect("a time");
        parse(schedule).map(|s| s.due(time(from), time(to), 1000))
    }

    #[test]
    fn due_runs_are_counted() {
        let (day, next) = ("2026-03-02T00:00:00Z", "2026-03-03T00:00:00Z");
        assert_eq!(due("*/15 * * * *", day, next), Some(96));
        assert_eq!(due("0 * * * *", day, next), Some(24));
        assert_eq!(due("@daily", day, next), Some(1));
        assert_eq!(due("30 3 * * mon", day, next), Some(1), "2026-03-02 is a Monday");
        assert_eq!(due("30 3 * * 2-6", day, next), Some(0));
        assert_eq!(due("0 0 1 */2 *", "2026-02-20T00:00:00Z", "2026-04-10T00:00:00Z"), Some(1));
        assert_eq!(due("0 0 1 * 7", "2026-03-01T00:00:00Z", "2026-03-09T00:00:00Z"), Some(1));
        assert_eq!(due("TZ=Europe/Rome 5 4 * * *", day, next), Some(1));
    }

    #[test]
    fn what_is_no_schedule_is_none() {
        for text in ["", "@every 5m", "* * * *", "61 * * * *", "*/0 * * * *", "a b c d e"] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
