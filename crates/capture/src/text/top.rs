//! `kubectl top`: what pods and nodes use right now.

use super::Out;
use super::lines::Line;
use super::table::Columns;
use crate::piece::Piece;

/// Whether the line heads a table of `kubectl top`.
pub fn is_header(columns: &Columns) -> bool {
    columns.index("CPU(cores)").is_some()
}

/// Reads the table that begins at the first of `lines`; returns how many lines it took.
///
/// Subjects: `namespace/pod`, `namespace/pod/container`, or the node's name. Metrics: `cpu_usage`
/// in cores, `memory_usage` in bytes, `cpu_usage_percent`, `memory_usage_percent` of a node.
pub fn read(lines: &[Line<'_>], namespace: Option<&str>, out: &mut Out<'_>) -> Option<usize> {
    let columns = Columns::header(&lines.first()?.text).filter(is_header)?;
    let mut used = 1;
    while let Some(line) = lines.get(used).filter(|l| !l.is_blank()) {
        let Some(cells) = columns.cells(&line.text) else { break };
        row(&columns, &cells, namespace, line.number, out);
        used += 1;
    }
    Some(used)
}

fn row(columns: &Columns, cells: &[String], namespace: Option<&str>, line: u32, out: &mut Out<'_>) {
    let cell = |names: &[&str]| {
        let at = names.iter().find_map(|n| columns.index(n))?;
        cells.get(at).map(String::as_str).filter(|c| !c.is_empty())
    };
    let node = columns.index("CPU%").or(columns.index("CPU(%)")).is_some();
    let Some(name) = cell(&["POD"]).or(cell(&["NAME"])) else { return };
    let container = cell(&["POD"]).and(cell(&["NAME"]));
    let namespace = cell(&["NAMESPACE"]).or(namespace.filter(|_| !node));
    let parts = [namespace, Some(name), container];
    let subject = parts.into_iter().flatten().collect::<Vec<_>>().join("/");
    for (metric, names) in [
        ("cpu_usage", ["CPU(cores)", "CPU"]),
        ("memory_usage", ["MEMORY(bytes)", "MEMORY"]),
        ("cpu_usage_percent", ["CPU%", "CPU(%)"]),
        ("memory_usage_percent", ["MEMORY%", "MEMORY(%)"]),
    ] {
        let Some(value) = cell(&names).and_then(quantity) else { continue };
        let (subject, place) = (subject.clone(), out.place(line));
        out.send(Piece::Sample { subject, metric: metric.to_owned(), value, at: None, place });
    }
}

/// `250m`, `512Mi`, `12%` as a number in cores, bytes, percent.
fn quantity(text: &str) -> Option<f64> {
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = (text.get(..end)?, text.get(end..)?);
    let factor = match unit {
        "" | "%" => 1.0,
        "n" => 1e-9,
        "u" => 1e-6,
        "m" => 1e-3,
        "k" => 1e3,
        "M" => 1e6,
        "G" => 1e9,
        "Ki" => 1024.0,
        "Mi" => 1024.0 * 1024.0,
        "Gi" => 1024.0 * 1024.0 * 1024.0,
        "Ti" => 1024.0 * 1024.0 * 1024.0 * 1024.0,
        _ => return None,
    };
    number.parse::<f64>().ok().map(|n| n * factor)
}
