//! What the columns of a table of measurements mean, from their names.

use super::time;
use std::collections::BTreeSet;

/// Names for what a figure is about, best first.
pub const SUBJECT_LABELS: &[&str] = &[
    "pod",
    "pod_name",
    "container",
    "service",
    "service_name",
    "app",
    "workload",
    "deployment",
    "node",
    "node_name",
    "host",
    "hostname",
    "instance",
    "cmdb_id",
    "subject",
    "object",
    "job",
];
const TIMES: &[&str] = &["time", "timestamp", "ts", "date", "datetime", "@timestamp", "_time"];
const METRICS: &[&str] = &["metric", "metric_name", "kpi", "kpi_name", "__name__", "measurement"];
const VALUES: &[&str] = &["value", "val", "_value"];

/// One figure.
pub struct Sample {
    pub subject: String,
    pub metric: String,
    pub value: f64,
    pub at: Option<String>,
}

/// What one column holds.
enum Column {
    Time,
    Subject,
    Metric,
    Value,
    /// A figure of its own: whose (unless another column says) and which.
    Figure {
        subject: String,
        metric: String,
    },
}

/// The meaning of a header row.
pub struct Columns {
    columns: Vec<Column>,
    long: bool,
}

impl Columns {
    /// From the cells of the header row.
    pub fn new(header: &[String]) -> Self {
        let names: Vec<String> = header.iter().map(|h| h.trim().to_lowercase()).collect();
        let has = |set: &[&str]| names.iter().any(|n| set.contains(&n.as_str()));
        let long = has(VALUES) && (has(METRICS) || has(SUBJECT_LABELS));
        let subject = SUBJECT_LABELS.iter().find_map(|l| names.iter().position(|n| n == l));
        let figures: Vec<&str> = header
            .iter()
            .zip(&names)
            .enumerate()
            .filter(|(i, (_, n))| !TIMES.contains(&n.as_str()) && Some(*i) != subject)
            .map(|(_, (h, _))| h.trim())
            .collect();
        let cut = if subject.is_some() { None } else { best_cut(&figures) };
        let columns = header.iter().zip(&names).enumerate().map(|(i, (raw, name))| {
            let name = name.as_str();
            match name {
                _ if Some(i) == subject => Column::Subject,
                _ if TIMES.contains(&name) => Column::Time,
                _ if long && METRICS.contains(&name) => Column::Metric,
                _ if long && VALUES.contains(&name) => Column::Value,
                _ => figure(raw.trim(), cut),
            }
        });
        Columns { columns: columns.collect(), long }
    }

    /// The figures of a row; nothing when it has another number of cells than the header.
    pub fn samples(&self, cells: &[String]) -> Option<Vec<Sample>> {
        if cells.len() != self.columns.len() {
            return None;
        }
        let cell = |want: fn(&Column) -> bool| {
            let at = self.columns.iter().position(want)?;
            cells.get(at).map(|c| c.trim())
        };
        let at = cell(|c| matches!(c, Column::Time)).and_then(time);
        let whose = cell(|c| matches!(c, Column::Subject));
        let which = cell(|c| matches!(c, Column::Metric));
        let samples = self.columns.iter().zip(cells).filter_map(|(column, text)| {
            let (subject, metric) = match column {
                Column::Value => (whose.unwrap_or_default(), which.unwrap_or("value")),
                Column::Figure { subject, metric } if !self.long => {
                    (whose.unwrap_or(subject), metric.as_str())
                }
                _ => return None,
            };
            let value: f64 = text.trim().parse().ok().filter(|v: &f64| v.is_finite())?;
            let (subject, metric) = (subject.to_owned(), metric.to_owned());
            Some(Sample { subject, metric, value, at: at.clone() })
        });
        Some(samples.collect())
    }
}

/// Where a column's name is cut into subject and metric.
#[derive(Clone, Copy)]
struct Cut {
    at: char,
    last: bool,
}

impl Cut {
    fn apply(self, name: &str) -> Option<(&str, &str)> {
        let parts = if self.last { name.rsplit_once(self.at) } else { name.split_once(self.at) };
        parts.filter(|(subject, metric)| !subject.is_empty() && !metric.is_empty())
    }
}

/// The cut that leaves the fewest different subjects and metrics: names like `cart-cpu` come
/// from a grid, and a wrong cut tears the grid apart.
fn best_cut(names: &[&str]) -> Option<Cut> {
    let mut best = None;
    for at in ['/', '|', ':', '.', '-', '_', ' '] {
        for last in [true, false] {
            let cut = Cut { at, last };
            let (mut subjects, mut metrics, mut cost) = (BTreeSet::new(), BTreeSet::new(), 0);
            for name in names.iter().filter(|n| !n.contains('{')) {
                match cut.apply(name) {
                    Some((subject, metric)) => {
                        subjects.insert(subject);
                        metrics.insert(metric);
                    }
                    None => cost += 2,
                }
            }
            cost += subjects.len() + metrics.len();
            if !subjects.is_empty() && best.is_none_or(|(least, _)| cost < least) {
                best = Some((cost, cut));
            }
        }
    }
    best.map(|(_, cut)| cut)
}

fn figure(name: &str, cut: Option<Cut>) -> Column {
    let (subject, metric) = match labelled(name) {
        Some(parts) => parts,
        None => cut.and_then(|c| c.apply(name)).unwrap_or(("", name)),
    };
    Column::Figure { subject: subject.to_owned(), metric: metric.to_owned() }
}

/// `cpu{pod="web-1"}`: subject `web-1`, metric `cpu`.
fn labelled(name: &str) -> Option<(&str, &str)> {
    let (metric, labels) = name.strip_suffix('}')?.split_once('{')?;
    let value = |label: &str| {
        labels.split(',').find_map(|pair| {
            let (key, value) = pair.split_once('=')?;
            (key.trim() == label).then(|| value.trim().trim_matches('"'))
        })
    };
    let subject = SUBJECT_LABELS.iter().find_map(|label| value(label)).unwrap_or_default();
    Some((subject, metric))
}

/// What stands between the cells of a header row.
pub fn separator(header: &str) -> char {
    let count = |c: char| header.matches(c).count();
    [',', ';', '\t'].into_iter().rev().max_by_key(|c| count(*c)).unwrap_or(',')
}

/// Cells of a row; quotes as RFC 4180 has them.
pub fn split_row(row: &str, separator: char) -> Vec<String> {
    let (mut cells, mut cell, mut quoted) = (Vec::new(), String::new(), false);
    let mut chars = row.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '"' if quoted && chars.peek() == Some(&'"') => {
                chars.next();
                cell.push('"');
            }
            '"' if quoted || cell.is_empty() => quoted = !quoted,
            c if c == separator && !quoted => cells.push(std::mem::take(&mut cell)),
            c => cell.push(c),
        }
    }
    cells.push(cell);
    cells
}
