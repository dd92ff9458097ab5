//! Tables of measurements (CSV, wide or long) and Prometheus query results.
//!
//! Values are handed on as they are; units and thresholds are not known here.

mod columns;

use crate::piece::{Piece, Place};
use columns::{Columns, split_row};
use serde_json::Value;
use std::io::{BufRead, BufReader, Read};

/// Samples taken from one document; the rest is counted and reported.
pub const SAMPLE_LIMIT: u64 = 2_000_000;
/// Longest row.
const ROW_LIMIT_BYTES: u64 = 1024 * 1024;

/// Reads a CSV table with a header row.
pub fn read_csv<R: Read>(input: R, document: &str, sink: &mut dyn FnMut(Piece)) {
    let mut rows = Rows { input: BufReader::new(input), line: 0, text: String::new() };
    let place = |line| Place { document: document.to_owned(), line };
    let skipped = |why: String, line| Piece::Skipped { why, place: place(line) };
    let Some(header) = rows.next_row() else {
        return sink(skipped("there is no header row".to_owned(), 1));
    };
    let header = header.unwrap_or_default();
    let separator = columns::separator(&header);
    let columns = Columns::new(&split_row(&header, separator));
    let (mut taken, mut over, mut bad, mut first_bad) = (0_u64, 0_u64, 0_u64, 0);
    while let Some(row) = rows.next_row() {
        let line = rows.line;
        let samples = row.and_then(|row| columns.samples(&split_row(&row, separator)));
        let Some(samples) = samples else {
            bad += 1;
            first_bad = if bad == 1 { line } else { first_bad };
            continue;
        };
        for sample in samples {
            if taken >= SAMPLE_LIMIT {
                over += 1;
                continue;
            }
            taken += 1;
            sink(Piece::Sample {
                subject: sample.subject,
                metric: sample.metric,
                value: sample.value,
                at: sample.at,
                place: place(line),
            });
        }
    }
    if bad > 0 {
        sink(skipped(format!("{bad} rows do not fit the header row"), first_bad));
    }
    if over > 0 {
        sink(skipped(format!("{over} samples beyond {SAMPLE_LIMIT} were not taken"), rows.line));
    }
    if taken == 0 && bad == 0 {
        sink(skipped("the table has no measurements".to_owned(), 1));
    }
}

/// Rows of a file, one at a time.
struct Rows<R> {
    input: BufReader<R>,
    line: u32,
    text: String,
}

impl<R: Read> Rows<R> {
    /// The next row that is not blank; `Some(None)` for one that is too long.
    fn next_row(&mut self) -> Option<Option<String>> {
        loop {
            let mut bytes = Vec::new();
            let read = (&mut self.input).take(ROW_LIMIT_BYTES).read_until(b'\n', &mut bytes);
            if !matches!(read, Ok(count) if count > 0) {
                return None;
            }
            self.line = self.line.saturating_add(1);
            let whole = bytes.ends_with(b"\n") || (bytes.len() as u64) < ROW_LIMIT_BYTES;
            if !whole {
                self.skip_line();
                return Some(None);
            }
            self.text = String::from_utf8_lossy(&bytes).replace('\0', "");
            let text = self.text.trim_end_matches(['\n', '\r']);
            if !text.trim().is_empty() && !text.starts_with('#') {
                return Some(Some(text.to_owned()));
            }
        }
    }

    fn skip_line(&mut self) {
        loop {
            let Ok(buffer) = self.input.fill_buf() else { return };
            if buffer.is_empty() {
                return;
            }
            let end = memchr::memchr(b'\n', buffer);
            let count = end.map_or(buffer.len(), |at| at + 1);
            self.input.consume(count);
            if end.is_some() {
                return;
            }
        }
    }
}

/// One series of a Prometheus answer: `{"metric": {...}, "values": [[time, "value"], ...]}`.
pub fn series(value: &Value, place: &Place) -> Vec<Piece> {
    let label = |name: &str| value.pointer("/metric")?.get(name)?.as_str();
    let subject = columns::SUBJECT_LABELS.iter().find_map(|name| label(name)).unwrap_or_default();
    let metric = label("__name__").unwrap_or_default();
    let points = match (value.get("values"), value.get("value")) {
        (Some(Value::Array(points)), _) => points.clone(),
        (_, Some(point)) => vec![point.clone()],
        _ => Vec::new(),
    };
    let samples = points.iter().filter_map(|point| {
        let (at, figure) = (point.get(0)?.as_f64()?, point.get(1)?);
        let figure = figure.as_f64().or_else(|| figure.as_str()?.parse().ok())?;
        Some(Piece::Sample {
            subject: subject.to_owned(),
            metric: metric.to_owned(),
            value: figure,
            at: epoch(at),
            place: place.clone(),
        })
    });
    samples.collect()
}

/// A time as tables write it, as RFC 3339 in UTC: RFC 3339, a date and a time without a zone
/// (taken as UTC), or seconds, milliseconds, microseconds or nanoseconds since 1970.
pub fn time(text: &str) -> Option<String> {
    let text = text.trim();
    if let Ok(at) = text.parse::<jiff::Timestamp>() {
        return Some(at.to_string());
    }
    if let Ok(number) = text.parse::<f64>() {
        return epoch(number);
    }
    let at: jiff::civil::DateTime = text.replace('/', "-").parse().ok()?;
    Some(at.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp().to_string())
}

/// Seconds since 1970, or a finer unit when the number would be beyond the year 5000.
fn epoch(mut number: f64) -> Option<String> {
    if !number.is_finite() || number < 1e8 {
        return None;
    }
    while number > 1e11 {
        number /= 1000.0;
    }
    let milliseconds = (number * 1000.0).round();
    // Below 1e14: whole, positive and far inside i64.
    let at = jiff::Timestamp::from_millisecond(milliseconds as i64).ok()?;
    Some(at.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(csv: &str, want: &[&str]) {
        let mut got = Vec::new();
        read_csv(csv.as_bytes(), "m.csv", &mut |piece| {
            got.push(match piece {
                Piece::Sample { subject, metric, value, at, place } => {
                    format!("{}: {subject} {metric} {value} {}", place.line, at.unwrap_or_default())
                }
                Piece::Skipped { why, place } => format!("{}: {why}", place.line),
                other => format!("{other:?}"),
            });
        });
        assert_eq!(got, want, "{csv}");
    }

    #[test]
    fn wide() {
        check(
            "time,web-cpu,web-mem,job-queue-cpu,job-queue-mem\r\n\
             2026-03-01 10:00:00,0.5,100,,NaN\r\n\r\nshort\n",
            &[
                "2: web cpu 0.5 2026-03-01T10:00:00Z",
                "2: web mem 100 2026-03-01T10:00:00Z",
                "4: 1 rows do not fit the header row",
            ],
        );
        check(
            "timestamp;node_1_load;node_2_load\n1772359200;1;2\n",
            &["2: node_1 load 1 2026-03-01T10:00:00Z", "2: node_2 load 2 2026-03-01T10:00:00Z"],
        );
        check(
            "time,cpu{pod=\"web-1\"},\"cpu{pod=\"\"web-2\"\",container=\"\"a\"\"}\"\n\
             1772359200000,1,2\n",
            &["2: web-1 cpu 1 2026-03-01T10:00:00Z", "2: web-2 cpu 2 2026-03-01T10:00:00Z"],
        );
    }

    #[test]
    fn long() {
        check(
            "timestamp,pod,metric,value\n2026-03-01T10:00:00Z,web-1,cpu,0.25\n\
             2026-03-01T10:00:00Z,web-1,cpu,none\n",
            &["2: web-1 cpu 0.25 2026-03-01T10:00:00Z"],
        );
        check("metric,value\nup,1\n", &["2:  up 1 "]);
        check("service,rr,mrt\nweb,0.99,120\n", &["2: web rr 0.99 ", "2: web mrt 120 "]);
    }

    #[test]
    fn nothing() {
        check("", &["1: there is no header row"]);
        check("a,b\n", &["1: the table has no measurements"]);
    }

    #[test]
    fn times() {
        for (text, want) in [
            ("2026-03-01T10:00:00+01:00", Some("2026-03-01T09:00:00Z")),
            ("2026/03/01 10:00:00.5", Some("2026-03-01T10:00:00.5Z")),
            ("1772359200.25", Some("2026-03-01T10:00:00.25Z")),
            ("1772359200000000000", Some("2026-03-01T10:00:00Z")),
            ("12", None),
            ("1e400", None),
            ("soon", None),
        ] {
            assert_eq!(time(text).as_deref(), want, "{text}");
        }
    }
}
