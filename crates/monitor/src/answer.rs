//! What Prometheus answers to a query, as far as it is taken.

use std::collections::BTreeMap;

use model::Timestamp;
use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::Trouble;

/// Series taken of one answer; what is more is said.
pub(crate) const MOST_SERIES: usize = 20_000;
/// Points taken of one series: the questions ask for fewer.
const MOST_POINTS: usize = 500;

/// One series: its labels and its points.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(crate) struct Series {
    #[serde(rename = "metric")]
    pub(crate) labels: BTreeMap<String, String>,
    /// Of an instant query.
    value: Option<Point>,
    /// Of a range query.
    values: Vec<Point>,
}

/// Seconds since 1970 and a number as text.
#[derive(Clone, Debug, PartialEq, Deserialize)]
struct Point(f64, String);

impl Series {
    /// A label, or nothing.
    pub(crate) fn label(&self, name: &str) -> &str {
        self.labels.get(name).map_or("", String::as_str)
    }

    /// Its numbers with their times.
    pub(crate) fn points(&self) -> impl Iterator<Item = (Timestamp, f64)> {
        let points = self.values.iter().take(MOST_POINTS).chain(&self.value);
        points.filter_map(|Point(at, value)| {
            let value: f64 = value.parse().ok().filter(|v: &f64| v.is_finite())?;
            let micros = at * 1e6;
            (0.0..9e15).contains(&micros).then(|| (Timestamp::from_micros(micros as i64), value))
        })
    }

    /// Its last number.
    pub(crate) fn last(&self) -> Option<f64> {
        self.points().last().map(|(_, value)| value)
    }
}

/// Reads an answer: the series, and whether some are missing.
pub(crate) fn read(body: &[u8]) -> Result<(Vec<Series>, Option<Trouble>), Trouble> {
    #[derive(Deserialize)]
    struct Wire {
        status: String,
        #[serde(default)]
        error: String,
        #[serde(default)]
        warnings: Vec<String>,
        data: Option<Data>,
    }
    #[derive(Deserialize)]
    #[serde(tag = "resultType", content = "result", rename_all = "lowercase")]
    enum Data {
        Vector(Vec<Series>),
        Matrix(Vec<Series>),
        Scalar(IgnoredAny),
        String(IgnoredAny),
    }
    let unreadable = |e: serde_json::Error| Trouble::Unreadable(e.to_string());
    let wire: Wire = serde_json::from_slice(body).map_err(unreadable)?;
    let mut series = match wire.data {
        _ if wire.status != "success" => {
            let error: String = wire.error.chars().take(200).collect();
            return Err(Trouble::Unreadable(format!("status {:?} {error}", wire.status)));
        }
        Some(Data::Vector(series) | Data::Matrix(series)) => series,
        Some(Data::Scalar(_) | Data::String(_)) | None => {
            return Err(Trouble::Unreadable("it has no series".into()));
        }
    };
    let mut partial = wire.warnings.first().map(|w| {
        let warning: String = w.chars().take(200).collect();
        Trouble::Partial(warning)
    });
    if series.len() > MOST_SERIES {
        let text = format!("{} series, of which {MOST_SERIES} are read", series.len());
        partial = Some(Trouble::Partial(text));
        series.truncate(MOST_SERIES);
    }
    Ok((series, partial))
}
