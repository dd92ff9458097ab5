//! Time, CPU and memory of the bare scan and of the product.
//!
//! The product runs as a process of its own; its memory and CPU time are read from /proc while it
//! runs, and once more when it has ended and not been waited for.

use anyhow::{Context, Result, bail};
use serde::de::IgnoredAny;
use std::fmt::Write as _;
use std::io::Read;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// Clock ticks in a second on every Linux there is (`USER_HZ`).
const TICKS: u64 = 100;
const POLL: Duration = Duration::from_millis(2);

/// The bare scan.
pub struct Scan {
    pub bytes: u64,
    pub seconds: f64,
}

/// One run of the product.
pub struct Run {
    pub seconds: f64,
    pub cpu_seconds: f64,
    /// Highest resident memory, in bytes.
    pub peak_bytes: u64,
    pub output: Vec<u8>,
}

/// How often both are measured; the best of each counts.
const ROUNDS: usize = 3;

/// The bare scan and the product, one after the other, several times: what else the machine does
/// changes from minute to minute.
pub fn side_by_side(binary: &Path, file: &Path) -> Result<(Scan, Run)> {
    let (mut scan, mut run) = (self::scan(file)?, diagnose(binary, file)?);
    for _ in 1..ROUNDS {
        let (next_scan, next_run) = (self::scan(file)?, diagnose(binary, file)?);
        if next_scan.seconds < scan.seconds {
            scan = next_scan;
        }
        let peak_bytes = run.peak_bytes.max(next_run.peak_bytes);
        if next_run.seconds < run.seconds {
            run = next_run;
        }
        run.peak_bytes = peak_bytes;
    }
    Ok((scan, run))
}

/// A scan over the whole file held in memory: parsing alone, no reading.
fn scan(file: &Path) -> Result<Scan> {
    let bytes = std::fs::read(file).with_context(|| format!("reading {}", file.display()))?;
    let start = Instant::now();
    serde_json::from_slice::<IgnoredAny>(&bytes).context("the dump is not JSON")?;
    Ok(Scan { bytes: bytes.len() as u64, seconds: start.elapsed().as_secs_f64() })
}

/// Runs `BINARY diagnose FILE -o json`.
fn diagnose(binary: &Path, file: &Path) -> Result<Run> {
    let start = Instant::now();
    let mut child = Command::new(binary)
        .arg("diagnose")
        .arg(file)
        .args(["-o", "json"])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .with_context(|| format!("starting {}", binary.display()))?;
    let mut pipe = child.stdout.take().context("the process has no output")?;
    let reader = std::thread::spawn(move || {
        let mut output = Vec::new();
        pipe.read_to_end(&mut output).map(|_| output)
    });
    let (mut peak_bytes, mut cpu_seconds) = (0, 0.0_f64);
    let seconds = loop {
        let process = process(child.id())?;
        peak_bytes = peak_bytes.max(process.peak_bytes);
        cpu_seconds = cpu_seconds.max(process.cpu_seconds);
        if process.ended {
            break start.elapsed().as_secs_f64();
        }
        std::thread::sleep(POLL);
    };
    let status = child.wait().context("waiting for the process")?;
    let output = match reader.join() {
        Ok(output) => output.context("reading the process's output")?,
        Err(_) => bail!("reading the process's output failed"),
    };
    // Findings are told by exit codes below 10; a signal or a panic is no finding.
    if status.code().is_none_or(|code| code > 10) {
        bail!("{} ended with {status}", binary.display());
    }
    Ok(Run { seconds, cpu_seconds, peak_bytes, output })
}

struct Process {
    ended: bool,
    cpu_seconds: f64,
    peak_bytes: u64,
}

fn process(id: u32) -> Result<Process> {
    let read = |what: &str| {
        let path = format!("/proc/{id}/{what}");
        std::fs::read_to_string(&path).with_context(|| format!("reading {path}"))
    };
    parse(&read("stat")?, &read("status")?)
}

/// From the texts of `/proc/ID/stat` and `/proc/ID/status`.
fn parse(stat: &str, status: &str) -> Result<Process> {
    // The name of the program, in brackets, may hold anything.
    let (_, fields) = stat.rsplit_once(')').context("/proc stat has no name")?;
    let fields: Vec<&str> = fields.split_whitespace().collect();
    let number = |at: usize| fields.get(at).and_then(|f| f.parse::<u64>().ok());
    let (user, system) = number(11).zip(number(12)).context("/proc stat has no times")?;
    let high = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kilobytes: Option<u64> = high.and_then(|h| h.split_whitespace().next()?.parse().ok());
    Ok(Process {
        ended: matches!(fields.first(), Some(&("Z" | "X"))),
        cpu_seconds: (user + system) as f64 / TICKS as f64,
        peak_bytes: kilobytes.unwrap_or(0) * 1024,
    })
}

/// The measurements side by side.
pub fn table(scan: &Scan, run: &Run) -> String {
    let megabytes = scan.bytes as f64 / 1e6;
    let (scan_rate, run_rate) = (megabytes / scan.seconds, megabytes / run.seconds);
    let peak = run.peak_bytes as f64 / 1e6;
    let mut text = String::new();
    let mut line = |name: &str, value: String| {
        let _ = writeln!(text, "{name:<10} {value}");
    };
    line("bytes", format!("{megabytes:.1} MB"));
    line("bare scan", format!("{:.2} s, {scan_rate:.0} MB/s (whole file in memory)", scan.seconds));
    let cpu = run.cpu_seconds;
    line("diagnose", format!("{:.2} s, {run_rate:.0} MB/s, CPU {cpu:.2} s", run.seconds));
    line("ratio", format!("{:.0} % of the bare scan", 100.0 * run_rate / scan_rate));
    line("memory", format!("{peak:.1} MB at most, dump / memory {:.1}", megabytes / peak));
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn proc_texts() {
        let stat = "12 (a) b (c)) S 1 2 3 4 5 6 7 8 9 10 250 50 0 0 20";
        let got = parse(stat, "Name:\tx\nVmHWM:\t    2048 kB\n").unwrap();
        assert!(!got.ended);
        assert_eq!((got.cpu_seconds, got.peak_bytes), (3.0, 2048 * 1024));
        assert!(parse("12 (a) Z 1 2 3 4 5 6 7 8 9 10 1 1", "").unwrap().ended);
        assert!(parse("nonsense", "").is_err());
    }
}
