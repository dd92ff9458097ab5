//! Evidence that is not an object of the API, up to a moment.

use super::super::Builder;
use super::Unknown;
use crate::Timestamp;

const NO_TIME: &str = "the input does not say when";

/// Keeps what is known to be from before.
pub(super) fn rewind(builder: &mut Builder, at: Timestamp, unknown: &mut Unknown) {
    for log in &mut builder.logs {
        let timed = log.lines.iter().any(|l| time_of(l).is_some());
        if !timed && !log.lines.is_empty() {
            unknown.note("logs", "their lines carry no time", &log.name);
        }
        let mut before = false;
        // A line without a time belongs to the one before it.
        log.lines.retain(|line| {
            before = time_of(line).map_or(before, |t| t <= at);
            before
        });
    }
    builder.logs.retain(|log| !log.lines.is_empty());
    for unit in std::mem::take(&mut builder.units) {
        unknown.note("states of system units", NO_TIME, format!("{} on {}", unit.unit, unit.node));
    }
    for dial in std::mem::take(&mut builder.dials) {
        unknown.note(
            "connections that were tried",
            NO_TIME,
            format!("{}:{}", dial.host, dial.port),
        );
    }
    if !builder.client_errors.is_empty() || !builder.checks.is_empty() {
        unknown.note("what the API server answered", NO_TIME, "clients' errors and health checks");
        builder.client_errors.clear();
        builder.checks.clear();
    }
    if builder.samples.iter().any(|s| s.at.is_none()) {
        unknown.note("measurements", NO_TIME, "without a time");
    }
    builder.samples.retain(|s| s.at.is_some_and(|t| t <= at));
    builder.alerts.retain(|a| a.since.is_some_and(|t| t <= at));
}

/// The time that a line of a log begins with.
fn time_of(line: &str) -> Option<Timestamp> {
    let word = line.split_whitespace().next()?;
    let plain = word.len() >= 20 && word.as_bytes().first().is_some_and(u8::is_ascii_digit);
    word.parse().ok().filter(|_| plain)
}
