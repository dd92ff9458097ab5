//! Runs the program on a folder of files and watches its memory.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

/// A folder of a test, removed at its end.
pub(super) struct Folder(pub(super) PathBuf);

impl Folder {
    pub(super) fn new(name: &str) -> Self {
        let name = format!("seaworthy-hostile-{}-{name}", std::process::id());
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&path).unwrap();
        Folder(path)
    }

    pub(super) fn write(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.0.join(name);
        std::fs::write(&path, bytes).unwrap();
        path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A run over hostile input.
#[derive(Debug)]
pub(super) struct Run {
    pub(super) code: i32,
    pub(super) value: Value,
    /// Most memory that was seen to be resident, in MiB; 0 where the system does not tell.
    pub(super) peak_mib: u64,
}

impl Run {
    /// What could not be read: file name, line and reason.
    pub(super) fn unread(&self) -> Vec<(String, u64, String)> {
        let text = |v: &Value| v.as_str().unwrap_or_default().to_owned();
        let skipped = self.value["skipped"].as_array().cloned().unwrap_or_default();
        let one = |s: &Value| {
            (text(&s["document"]), s["line"].as_u64().unwrap_or_default(), text(&s["why"]))
        };
        skipped.iter().map(one).collect()
    }

    /// Failure, mechanism and object of every incident.
    pub(super) fn causes(&self) -> Vec<String> {
        let incidents = self.value["incidents"].as_array().cloned().unwrap_or_default();
        let one = |i: &Value| {
            let cause = &i["cause"];
            format!("{}/{} of {}", cause["failure"], cause["mechanism"], cause["object"])
        };
        incidents.iter().map(one).collect()
    }
}

/// Nobody waits longer than this, on the slowest machine.
const PATIENCE: Duration = Duration::from_secs(120);

/// Diagnoses a file or folder.
pub(super) fn diagnose(path: &Path) -> Run {
    let mut command = crate::command(&["diagnose", path.to_str().unwrap(), "-o", "json"]);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let out = reader(child.stdout.take().unwrap());
    let err = reader(child.stderr.take().unwrap());
    let (code, peak_mib) = wait(&mut child, path);
    let (out, err) = (out.join().unwrap(), err.join().unwrap());
    assert!(!err.contains("panicked"), "{}: {err}", path.display());
    let value = match out.is_empty() {
        true => Value::Null,
        false => serde_json::from_str(&out).unwrap_or_else(|e| panic!("{e}: {out}")),
    };
    assert!(!value.is_null() || !err.is_empty(), "{}: silent", path.display());
    Run { code, value, peak_mib }
}

fn reader(mut from: impl Read + Send + 'static) -> std::thread::JoinHandle<String> {
    std::thread::spawn(move || {
        let mut text = String::new();
        from.read_to_string(&mut text).expect("UTF-8");
        text
    })
}

/// Its exit code, and the peak of its memory.
fn wait(child: &mut Child, path: &Path) -> (i32, u64) {
    let began = Instant::now();
    let mut peak = 0;
    loop {
        peak = peak.max(high_water_mib(child.id()));
        if let Some(status) = child.try_wait().unwrap() {
            let code = status.code().unwrap_or_else(|| panic!("{}: {status}", path.display()));
            return (code, peak);
        }
        if began.elapsed() > PATIENCE {
            let _ = child.kill();
            panic!("{}: not done after {PATIENCE:?}", path.display());
        }
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// The kernel's own account of the most that was resident.
fn high_water_mib(process: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let line = status.lines().find_map(|l| l.strip_prefix("VmHWM:"));
    let kib = line.and_then(|l| l.trim().trim_end_matches(" kB").parse::<u64>().ok());
    kib.unwrap_or_default() / 1024
}
