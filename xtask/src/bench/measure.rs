//! Time, CPU and memory of the bare scan and of the product.
//!
//! The product runs as a process of its own. Its CPU time is what the system counted for it; its
//! memory is read from /proc while it runs, because the highest figure the system counts includes
//! what this process held when it started it.

use anyhow::{Context, Result, bail};
use serde::de::IgnoredAny;
use std::fmt::Write as _;
use std::io::Read;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};
use wait4::Wait4;

/// Seldom enough to take no time from the process.
const POLL: Duration = Duration::from_millis(20);

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

/// How often both are measured; the best time of each counts, and the highest memory.
const ROUNDS: usize = 5;

/// The bare scan and the product, one after the other, several times: what else the machine does
/// changes from minute to minute. The scan's bytes stay in memory all the while, so that no run
/// of the product begins with what the scan gave back.
pub fn side_by_side(binary: &Path, file: &Path) -> Result<(Scan, Run)> {
    let bytes = std::fs::read(file).with_context(|| format!("reading {}", file.display()))?;
    let (mut scan, mut run) = (self::scan(&bytes)?, diagnose(binary, file)?);
    for _ in 1..ROUNDS {
        let (next_scan, next_run) = (self::scan(&bytes)?, diagnose(binary, file)?);
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
fn scan(bytes: &[u8]) -> Result<Scan> {
    let start = Instant::now();
    serde_json::from_slice::<IgnoredAny>(bytes).context("the dump is not JSON")?;
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
    let (status, over) = (format!("/proc/{}/status", child.id()), AtomicBool::new(false));
    let mut output = Vec::new();
    let (ended, seconds, peak_bytes) = thread::scope(|scope| {
        let peak = scope.spawn(|| peak_bytes(&status, &over));
        let read = pipe.read_to_end(&mut output).context("reading the process's output");
        let ended = child.wait4().context("waiting for the process");
        let seconds = start.elapsed().as_secs_f64();
        over.store(true, Ordering::Relaxed);
        (read.and(ended), seconds, peak.join().unwrap_or(0))
    });
    let ended = ended?;
    // Findings are told by exit codes below 10; a signal or a panic is no finding.
    if ended.status.code().is_none_or(|code| code > 10) {
        bail!("{} ended with {}", binary.display(), ended.status);
    }
    let cpu: Duration = ended.rusage.utime + ended.rusage.stime;
    Ok(Run { seconds, cpu_seconds: cpu.as_secs_f64(), peak_bytes, output })
}

/// The highest memory a process had up to its end, in bytes: a mark that only rises, read often
/// enough to miss no more than its last moments.
fn peak_bytes(status: &str, over: &AtomicBool) -> u64 {
    let mut peak = 0;
    while !over.load(Ordering::Relaxed) {
        peak = peak.max(std::fs::read_to_string(status).map_or(0, |text| high_mark(&text)));
        thread::sleep(POLL);
    }
    peak
}

/// `VmHWM` of a `/proc/ID/status`, in bytes.
fn high_mark(status: &str) -> u64 {
    let high = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kilobytes = high.and_then(|h| h.split_whitespace().next()?.parse::<u64>().ok());
    kilobytes.unwrap_or(0) * 1024
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
    fn memory_is_read_from_a_status() {
        assert_eq!(high_mark("Name:\tx\nVmHWM:\t    2048 kB\nVmRSS:\t 1 kB\n"), 2_097_152);
        assert_eq!(high_mark("Name:\tx\n"), 0);
    }
}
