//! `cargo xtask bench api --control-plane FOLDER`: the twin beside a real API server with etcd,
//! one after the other on the same machine, under the same load (`load.go`).
//!
//! Both run without controllers, so that only the API is measured. Needs Go and the binaries of
//! a control plane; never part of CI. It must never know what the servers are built of.

mod real;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};

const USAGE: &str = "\
usage: cargo xtask bench api --control-plane FOLDER [--pods N] [--binary FILE]";
const TOKEN: &str = "admin-token";
const LOAD: &str = include_str!("load.go");
/// Larger is better; the others are delays.
const RATES: [&str; 6] = ["creates", "gets", "patches", "list json", "list table", "list protobuf"];

/// What was measured, by name.
type Figures = BTreeMap<String, f64>;

/// A process that ends with this value.
struct Running(Child);

impl Running {
    fn start(command: &mut Command, log: &Path) -> Result<Self> {
        let log = fs::File::create(log)?;
        let told = format!("cannot start {:?}", command.get_program());
        command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        Ok(Self(command.spawn().context(told)?))
    }

    /// The memory it holds, in bytes.
    fn memory(&self) -> Result<u64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.0.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kib = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
        Ok(kib.context("no VmRSS")? * 1024)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // What fails here is over already.
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

pub fn run(words: &[&str]) -> Result<()> {
    let (mut pods, mut binary, mut controls) = (10_000_u32, None, None);
    let mut rest = words.iter();
    while let Some(word) = rest.next() {
        let value = rest.next().with_context(|| format!("{word} needs a value"))?;
        match *word {
            "--pods" => pods = value.parse()?,
            "--binary" => binary = Some(PathBuf::from(value)),
            "--control-plane" => controls = Some(PathBuf::from(value)),
            _ => bail!("{USAGE}"),
        }
    }
    let controls = controls.context(USAGE)?;
    let binary = binary.map_or_else(super::build, Ok)?;
    let folder = tempfile::TempDir::new()?;
    let load = build_load(folder.path())?;
    let real = {
        let server = real::Server::start(&controls, folder.path())?;
        loaded(&load, &server.address, pods)?
    };
    let twin = {
        let (server, address) = twin(&binary, folder.path())?;
        let before = server.memory()?;
        let mut figures = loaded(&load, &address, pods)?;
        let grown = server.memory()?.saturating_sub(before);
        figures.insert("bytes a pod".to_owned(), grown as f64 / f64::from(pods));
        figures
    };
    print!("{}", table(&real, &twin));
    Ok(())
}

fn build_load(folder: &Path) -> Result<PathBuf> {
    let (source, program) = (folder.join("load.go"), folder.join("load"));
    fs::write(&source, LOAD)?;
    let done = Command::new("go").args(["build", "-o"]).arg(&program).arg(&source).status();
    if !done.context("cannot run go")?.success() {
        bail!("the load does not build")
    }
    Ok(program)
}

fn loaded(load: &Path, address: &str, pods: u32) -> Result<Figures> {
    let told = Command::new(load)
        .args(["-server", address, "-token", TOKEN, "-pods", &pods.to_string()])
        .stderr(Stdio::inherit())
        .output()?;
    if !told.status.success() {
        bail!("{address} did not bear the load")
    }
    serde_json::from_slice(&told.stdout).context("figures of the load")
}

fn twin(binary: &Path, folder: &Path) -> Result<(Running, String)> {
    let kubeconfig = folder.join("twin.yaml");
    let mut command = Command::new(binary);
    command.args(["twin", "--listen", "127.0.0.1:0", "--controllers", "none", "--token", TOKEN]);
    command.args(["--authorization", "rbac", "--write-kubeconfig"]).arg(&kubeconfig);
    let server = Running::start(&mut command, &folder.join("twin.log"))?;
    for _ in 0..100 {
        let text = fs::read_to_string(&kubeconfig).unwrap_or_default();
        let address = text.split_once("server: ").and_then(|(_, rest)| rest.lines().next());
        if let Some(address) = address {
            return Ok((server, address.trim().trim_matches('"').to_owned()));
        }
        sleep(Duration::from_millis(100));
    }
    bail!("the twin did not start")
}

fn table(real: &Figures, twin: &Figures) -> String {
    let mut out = format!("{:<16} {:>12} {:>12} {:>8}\n", "", "real", "twin", "ratio");
    for (name, ours) in twin {
        let Some(theirs) = real.get(name) else {
            out.push_str(&format!("{name:<16} {:>12} {ours:>12.1}\n", ""));
            continue;
        };
        let better = if RATES.contains(&name.as_str()) { ours / theirs } else { theirs / ours };
        out.push_str(&format!("{name:<16} {theirs:>12.2} {ours:>12.2} {better:>7.1}x\n"));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_and_delays_are_compared_in_their_own_sense() {
        let figures = |creates: f64, delay: f64| {
            Figures::from([("creates".into(), creates), ("watch p50".into(), delay)])
        };
        let told = table(&figures(100.0, 8.0), &figures(500.0, 2.0));
        let ratios: Vec<_> =
            told.lines().filter_map(|line| line.split_whitespace().last()).collect();
        assert_eq!(ratios, ["ratio", "5.0x", "4.0x"]);
    }
}
