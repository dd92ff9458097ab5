//! Times as HTTP writes them.

use model::Timestamp;

const DAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// `Sun, 06 Nov 1994 08:49:37 GMT`.
pub(super) fn http_date(at: Timestamp) -> String {
    const DAY: i64 = 24 * 60 * 60;
    let days_since_1970 = at.seconds().div_euclid(DAY);
    let place = usize::try_from(days_since_1970.rem_euclid(7)).unwrap_or(0);
    let weekday = DAYS.get(place).copied().unwrap_or_default();
    // `1994-11-06T08:49:37Z`
    let text = Timestamp::from_seconds(at.seconds()).to_string();
    let (date, time) = text.trim_end_matches('Z').split_once('T').unwrap_or_default();
    let mut parts = date.split('-');
    let (year, month, day) = (parts.next(), parts.next(), parts.next());
    let month = month.and_then(|m| m.parse::<usize>().ok()).unwrap_or(1);
    let month = MONTHS.get(month.saturating_sub(1)).copied().unwrap_or_default();
    let (year, day) = (year.unwrap_or_default(), day.unwrap_or_default());
    format!("{weekday}, {day} {month} {year} {time} GMT")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_written_as_http_asks() {
        for (seconds, text) in [
            (784_111_777, "Sun, 06 Nov 1994 08:49:37 GMT"),
            (0, "Thu, 01 Jan 1970 00:00:00 GMT"),
            (1_772_438_400, "Mon, 02 Mar 2026 08:00:00 GMT"),
        ] {
            assert_eq!(http_date(Timestamp::from_seconds(seconds)), text);
        }
    }
}
