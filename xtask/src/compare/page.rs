//! The tables of `docs/comparison.md`. It must not judge: `score` does.

use anyhow::{Context, Result};
use std::fmt::Write as _;
use std::path::Path;

use super::faults;
use super::lines::Tool;
use super::score::{Planted, Score};

/// What `/usr/bin/time -v` said of one tool: medians of its runs.
pub struct Cost {
    pub wall_seconds: f64,
    pub cpu_seconds: f64,
    pub peak_megabytes: f64,
    pub runs: usize,
}

/// Reads all `NAME.time*` of a folder.
pub fn cost(tool: Tool, folder: &Path) -> Result<Cost> {
    let start = format!("{}.time", tool.name());
    let (mut wall, mut cpu, mut peak) = (Vec::new(), Vec::new(), Vec::new());
    let files = std::fs::read_dir(folder);
    for file in files.with_context(|| format!("cannot read {}", folder.display()))? {
        let path = file.with_context(|| format!("cannot read {}", folder.display()))?.path();
        if !path.file_name().and_then(|n| n.to_str()).is_some_and(|n| n.starts_with(&start)) {
            continue;
        }
        let say = || format!("{} is not what /usr/bin/time -v prints", path.display());
        let text = std::fs::read_to_string(&path).with_context(say)?;
        let (w, c, p) = times(&text).with_context(say)?;
        wall.push(w);
        cpu.push(c);
        peak.push(p);
    }
    let runs = wall.len();
    let missing = || format!("{} has no {start}", folder.display());
    Ok(Cost {
        wall_seconds: median(wall).with_context(missing)?,
        cpu_seconds: median(cpu).with_context(missing)?,
        peak_megabytes: median(peak).with_context(missing)?,
        runs,
    })
}

fn median(mut numbers: Vec<f64>) -> Option<f64> {
    numbers.sort_by(f64::total_cmp);
    numbers.get(numbers.len() / 2).copied()
}

/// Seconds on the wall, of the processors, and megabytes at most.
fn times(text: &str) -> Option<(f64, f64, f64)> {
    let value = |label: &str| {
        let line = text.lines().find_map(|l| l.trim().strip_prefix(label));
        line.map(str::trim)
    };
    let number = |label: &str| value(label)?.parse::<f64>().ok();
    let wall = value("Elapsed (wall clock) time (h:mm:ss or m:ss):")?;
    let wall = wall
        .split(':')
        .try_fold(0.0, |sum, part| part.parse::<f64>().ok().map(|part| sum * 60.0 + part))?;
    let cpu = number("User time (seconds):")? + number("System time (seconds):")?;
    Some((wall, cpu, number("Maximum resident set size (kbytes):")? * 1024.0 / 1e6))
}

/// Both tables of one cluster.
pub fn tables(planted: &[Planted], tools: &[(Tool, Score, Cost)]) -> String {
    let mut text = String::from(
        "| | CPU s | peak MB | wall s | errors | other lines | faults named | by one error | \
         cause named | errors beside |\n|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|\n",
    );
    let all = planted.len();
    for (tool, score, cost) in tools {
        let [named, once, cause] = score.named();
        let _ = writeln!(
            text,
            "| {} | {:.1} | {:.0} | {:.1} | {} | {} | {named} of {all} | {once} | {cause} | {} |",
            tool.name(),
            cost.cpu_seconds,
            cost.peak_megabytes,
            cost.wall_seconds,
            score.errors,
            score.lines - score.errors,
            score.beside.len(),
        );
    }
    let names: Vec<&str> = tools.iter().map(|(t, ..)| t.name()).collect();
    let _ = write!(text, "\n| fault | planted | {} |\n|---|---:|", names.join(" | "));
    text += &"---|".repeat(names.len());
    text.push('\n');
    for fault in faults::ALL {
        let of = |p: &&Planted| p.fault.id == fault.id;
        let count = planted.iter().filter(of).count();
        if count == 0 {
            continue;
        }
        let cells: Vec<String> = tools.iter().map(|(_, s, _)| cell(planted, s, fault.id)).collect();
        let _ = writeln!(text, "| {} | {count} | {} |", fault.meaning, cells.join(" | "));
    }
    text
}

/// What one tool said of all faults of a kind.
fn cell(planted: &[Planted], score: &Score, id: &str) -> String {
    let said: Vec<_> =
        planted.iter().zip(&score.of).filter(|(p, _)| p.fault.id == id).map(|(_, s)| s).collect();
    let (lines, causes) =
        (said.iter().map(|s| s.lines).sum::<usize>(), said.iter().filter(|s| s.cause).count());
    let named = said.iter().filter(|s| s.lines > 0).count();
    let plural = if lines == 1 { "line" } else { "lines" };
    match (causes, named) {
        (_, 0) => "silent".to_owned(),
        (0, n) if n == said.len() => format!("no cause, {lines} {plural}"),
        (0, n) => format!("no cause, {n} named, {lines} {plural}"),
        (c, _) if c == said.len() => format!("**cause**, {lines} {plural}"),
        (c, _) => format!("cause of {c}, {lines} {plural}"),
    }
}

/// Puts tables between the marks of a cluster.
pub fn replace(page: &str, name: &str, tables: &str) -> Option<String> {
    let (begin, end) = (format!("<!-- measured: {name} -->\n"), "<!-- end -->");
    let (head, rest) = page.split_once(&begin)?;
    let (_, tail) = rest.split_once(end)?;
    Some(format!("{head}{begin}\n{tables}\n{end}{tail}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compare::score::Said;

    #[test]
    fn what_time_prints_is_read() {
        let text = "\tUser time (seconds): 1.50\n\tSystem time (seconds): 0.25\n\tElapsed (wall \
                    clock) time (h:mm:ss or m:ss): 1:02.50\n\tMaximum resident set size \
                    (kbytes): 2000\n";
        assert_eq!(times(text), Some((62.5, 1.75, 2.048)));
        assert_eq!(times("nothing"), None);
        assert_eq!(median(vec![3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(Vec::new()), None);
    }

    #[test]
    fn tables_go_between_their_marks() {
        let page = "a\n<!-- measured: one -->\nold\n<!-- end -->\nb\n";
        let got = replace(page, "one", "new\n").unwrap();
        assert_eq!(got, "a\n<!-- measured: one -->\n\nnew\n\n<!-- end -->\nb\n");
        assert_eq!(replace(page, "two", ""), None);
    }

    #[test]
    fn a_kind_is_told_in_one_cell() {
        let fault = faults::named("unready").unwrap();
        let one = || Planted {
            fault,
            kind: String::new(),
            namespace: String::new(),
            name: String::new(),
        };
        let planted = [one(), one()];
        let told = |said: [Said; 2]| {
            let score = Score { errors: 0, lines: 0, of: said.to_vec(), beside: Vec::new() };
            cell(&planted, &score, "unready")
        };
        let said = |lines, cause| Said { errors: 0, lines, cause };
        assert_eq!(told([said(1, true), said(2, true)]), "**cause**, 3 lines");
        assert_eq!(told([said(1, false), said(0, false)]), "no cause, 1 named, 1 line");
        assert_eq!(told([said(0, false), said(0, false)]), "silent");
        assert_eq!(told([said(1, true), said(0, false)]), "cause of 1, 1 line");
    }
}
